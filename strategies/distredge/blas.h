/*
 * The two CBLAS routines that small dense networks need, from whichever library is there.
 *
 * The library is opened when the first network is trained, not when the plugin is listed: loading
 * OpenBLAS takes longer than most plans. One thread: results must not depend on how many there are.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_BLAS_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_BLAS_H

#include <cblas.h>
#include <stddef.h>

/** An opened library. Zero-initialise; nothing to release: the library stays loaded. */
struct blas {
    void (*sgemm)(OPENBLAS_CONST enum CBLAS_ORDER order, OPENBLAS_CONST enum CBLAS_TRANSPOSE trans_a,
                  OPENBLAS_CONST enum CBLAS_TRANSPOSE trans_b, OPENBLAS_CONST blasint m,
                  OPENBLAS_CONST blasint n, OPENBLAS_CONST blasint k, OPENBLAS_CONST float alpha,
                  OPENBLAS_CONST float *a, OPENBLAS_CONST blasint lda, OPENBLAS_CONST float *b,
                  OPENBLAS_CONST blasint ldb, OPENBLAS_CONST float beta, float *c,
                  OPENBLAS_CONST blasint ldc);
    void (*sgemv)(OPENBLAS_CONST enum CBLAS_ORDER order, OPENBLAS_CONST enum CBLAS_TRANSPOSE trans,
                  OPENBLAS_CONST blasint m, OPENBLAS_CONST blasint n, OPENBLAS_CONST float alpha,
                  OPENBLAS_CONST float *a, OPENBLAS_CONST blasint lda, OPENBLAS_CONST float *x,
                  OPENBLAS_CONST blasint incx, OPENBLAS_CONST float beta, float *y,
                  OPENBLAS_CONST blasint incy);
    const char *library; /**< file name it was found under */
};

/** Open OpenBLAS, or any library that stands in for libblas.so.3 and has the C interface. Returns
 *  0, or -1 with the reason. */
int blas_open(struct blas *blas, char *reason, size_t reason_size);

#endif
