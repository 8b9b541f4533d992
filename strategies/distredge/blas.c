#include "distredge/blas.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A table member must agree with the header it was built with. */
_Static_assert(_Generic(&cblas_sgemm, __typeof__(((struct blas *)0)->sgemm) : 1, default : 0), "");

int blas_open(struct blas *blas, char *reason, size_t reason_size);
