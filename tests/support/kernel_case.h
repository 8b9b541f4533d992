/*
 * Random layers with random operands for tests of kernels, and what they should compute, written as
 * plainly as the definitions are: one output element at a time, in double precision.
 */
#ifndef EW_TESTS_KERNEL_CASE_H
#define EW_TESTS_KERNEL_CASE_H

#include "base/rng.h"
#include "engine/exec/kernel/kernel.h"

enum {
    CASE_MAX_INPUTS = 3,
    CASE_N_OPS = EW_OP_OPAQUE, /**< which has no kernel, and is the last */
};

/** One layer, its operands and its weights. */
struct kernel_case {
    struct ew_op_attrs attrs;
    int32_t in_shape[CASE_MAX_INPUTS][EW_DIMS];
    int32_t out_shape[EW_DIMS];
    struct ew_kernel_task task; /**< the whole layer */
    int32_t n_images;
    struct ew_tensor inputs[CASE_MAX_INPUTS]; /**< whole tensors */
    uint64_t seed;                            /**< of the weights */
};

/** A random case of op number `seed` modulo the number of ops. */
struct kernel_case *kernel_case_new(uint64_t seed);

void kernel_case_free(struct kernel_case *c);

/** Weights of the case, uniform in [-1, 1) (batchnorm scales: 0.5..1.5). */
struct ew_weight_source kernel_case_source(const struct kernel_case *c);

/** One of those weights, by its index in the whole layer's part. */
float kernel_case_weight(const struct kernel_case *c, enum ew_weight_part part, uint64_t index);

/** The value of output element (n, ch, y, x); `size` gets the sum of the magnitudes added, the
 *  yardstick of rounding errors. A partial sum when task->reduction is set. */
double kernel_case_expect(double *size, const struct kernel_case *c,
                          const struct ew_reduction *reduction, int32_t n, int32_t ch, int32_t y,
                          int32_t x);

/** Run `kernels` on a part of the case: `out` (its values allocated here with malloc) and only the
 *  inputs that it needs, cut out of the whole ones. */
struct ew_tensor kernel_case_run(const struct kernel_case *c, const struct ew_kernels *kernels,
                                 const struct ew_box *box, const struct ew_reduction *reduction);

/** A random non-empty part of the output. Channels are whole for ops that need it. */
struct ew_box kernel_case_part(const struct kernel_case *c, struct ew_rng *rng);

#endif
