/*
 * What one output element should be, by the definition of its op: layers that add or compare many
 * values are in kernel_expect_sums.c, all others beside kernel_case_expect() in kernel_expect.c.
 */
#ifndef EW_TESTS_KERNEL_EXPECT_H
#define EW_TESTS_KERNEL_EXPECT_H

#include "support/kernel_case.h"

/** Where an element of an output or an input lies. */
struct place {
    int32_t n, c, y, x;
};

static inline double input_at(const struct kernel_case *c, uint32_t i, struct place p)
{
    return (double)*ew_tensor_at(&c->inputs[i], p.n, p.c, p.y, p.x);
}

static inline bool is_inside(const int32_t shape[EW_DIMS], struct place p)
{
    return p.y >= 0 && p.y < shape[EW_H] && p.x >= 0 && p.x < shape[EW_W];
}

/* `size` gets the sum of the magnitudes added. */
double expect_conv(double *size, const struct kernel_case *c, const struct ew_reduction *reduction,
                   struct place p);
double expect_fc(double *size, const struct kernel_case *c, const struct ew_reduction *reduction,
                 struct place p);
double expect_pool(double *size, const struct kernel_case *c, struct place p);
double expect_global_pool(double *size, const struct kernel_case *c, struct place p);
double expect_lrn(const struct kernel_case *c, struct place p);
double expect_softmax(const struct kernel_case *c, struct place p);
double expect_layernorm(double *size, const struct kernel_case *c, struct place p);
double expect_conv_transpose(double *size, const struct kernel_case *c, struct place p);
double expect_product(double *size, const struct kernel_case *c, struct place p);

#endif
