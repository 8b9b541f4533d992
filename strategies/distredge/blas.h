/*
 * The CBLAS routines that small dense networks need, from whichever library is there.
 *
 * The library is opened when the first network is made, not when the plugin is listed: loading it
 * takes longer than most plans. One thread, so that results do not depend on how many there are.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_BLAS_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_BLAS_H

#include <cblas.h>
#include <stddef.h>

/* What is used of the library: name, result, arguments. */
#define BLAS_FUNCTIONS(X)                                                                          \
    X(cblas_sgemm, void,                                                                           \
      (CBLAS_ORDER order, CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, int m, int n,  \
       int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, \
       int ldc))                                                                                   \
    X(cblas_sgemv, void,                                                                           \
      (CBLAS_ORDER order, CBLAS_TRANSPOSE transpose, int m, int n, float alpha, const float *a,    \
       int lda, const float *x, int step_x, float beta, float *y, int step_y))

/** An opened library. Nothing to release: it stays loaded. */
struct blas {
#define X(name, result, arguments) result(*name) arguments;
    BLAS_FUNCTIONS(X)
#undef X
    const char *library; /**< the file name it was found under */
    const char *kernels; /**< which of its kernels it uses; "" when it does not tell */
};

/** Open libopenblas.so.0 or else libblas.so.3. 0, or -1 with the reason. */
int blas_open(struct blas *blas, char *reason, size_t reason_size);

#endif
