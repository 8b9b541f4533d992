/*
 * Kernels: the arithmetic of one layer on one box, float32, on this processor. Used by workers of
 * the exec engine; knows no plan, no socket and no clock.
 *
 * Two bodies behind one table: `reference`, ours, whose every output element is a sum of fused
 * multiply-adds in a fixed order, so that results are bit-identical however a layer is split and
 * whatever vector width runs it; and libraries that are fast but promise no order.
 */
#ifndef EW_ENGINE_EXEC_KERNEL_KERNEL_H
#define EW_ENGINE_EXEC_KERNEL_KERNEL_H

#include <stddef.h>

#include "base/status.h"
#include "model/op.h"

enum {
    EW_KERNEL_SLACK = 64, /**< floats that must be readable behind every input tensor: vector loads
                               run past the last element; their values never matter */
};

/** Values of one box of a tensor, dense, NCHW order of the box. */
struct ew_tensor {
    float *values;
    struct ew_box box;
};

/** Parts of a layer's weights. */
enum ew_weight_part {
    EW_WEIGHT_FILTER, /**< conv: [out][in / groups][kh][kw]; conv_transpose:
                           [in][out / groups][kh][kw]; fc, linear: [out][in] */
    EW_WEIGHT_BIAS,   /**< conv, conv_transpose, fc, linear: [out] */
    EW_WEIGHT_SCALE,  /**< batchnorm, statistics folded in: y = x * scale + shift, [channels];
                           layernorm: per normalised element */
    EW_WEIGHT_SHIFT,
    EW_WEIGHT_VALUE, /**< shift, scale: row-major over the dimensions that the constant spans; pad:
                          what is added, top and bottom rows or left and right columns, each
                          [channels][rows][columns] */
};

/** What prepares and runs agree on: a layer, or the part of it that one piece does. */
struct ew_kernel_task {
    struct ew_op_view layer;
    uint32_t variant; /**< with layer_id: names the layer to a weight source */
    uint32_t layer_id;
    int32_t channels[2];                  /**< output channels [lo, hi) of the piece */
    const struct ew_reduction *reduction; /**< partial piece: part of the sum, no bias; else NULL */
};

/** Where weights come from: any range of any part of a task's layer can be read at any time. */
struct ew_weight_source {
    const void *self;
    /** Read `count` floats of `part`, from index `first` of the whole layer's on, into `out`. */
    enum ew_status (*read)(float *out, const void *self, const struct ew_kernel_task *task,
                           enum ew_weight_part part, uint64_t first, uint64_t count,
                           struct ew_error *err);
};

/** Weights of one task in the order its kernel reads them. */
struct ew_kernel_weights;

/** Working memory that grows to what the largest task needs. Zero-initialised is valid. */
struct ew_kernel_scratch {
    float *floats;
    size_t n_floats;
};

/** A set of kernels. */
struct ew_kernels {
    const char *id;
    const char *summary;
    bool is_exact;    /**< the same bits however a layer is split */
    const void *self; /**< the set's own data */

    /** True when this processor runs the set. */
    bool (*is_available)(const struct ew_kernels *kernels);

    /** Read and arrange a task's weights; NULL in `out` for ops without any. */
    enum ew_status (*prepare)(struct ew_kernel_weights **out, const struct ew_kernels *kernels,
                              const struct ew_kernel_task *task,
                              const struct ew_weight_source *source, struct ew_error *err);

    /** Compute `out->box`, whose channels must be the task's. `inputs[i]` holds at least
     *  ew_op_input_box(i), or anything when that is empty. */
    enum ew_status (*run)(struct ew_tensor *out, const struct ew_kernels *kernels,
                          const struct ew_kernel_task *task,
                          const struct ew_kernel_weights *weights, const struct ew_tensor *inputs,
                          struct ew_kernel_scratch *scratch, struct ew_error *err);

    /** Accepts NULL. */
    void (*release)(struct ew_kernel_weights *weights);
};

/** The i-th set of this build, the default first; NULL behind the last. Not every processor runs
 *  every set: see is_available. */
const struct ew_kernels *ew_kernels_at(uint32_t i);

/** Set by id ("reference": on the widest vectors this processor has, "reference-avx2", ...); NULL
 *  when there is none of that name in this build. */
const struct ew_kernels *ew_kernels_find(const char *id);

/** EW_ENOTSUP, with the reason, when no kernels can compute such a layer. */
enum ew_status ew_kernels_can_compute(const struct ew_op_view *layer, struct ew_error *err);

/** True when a layer of that op and those attributes has weights to prepare. */
bool ew_kernels_read_weights(const struct ew_op_attrs *attrs, enum ew_op op);

/** Add the boxes of partial sums and the layer's bias (NULL: none) of the channels of `out->box`:
 *  out = ((partial[0] + partial[1]) + ...) + bias. Boxes must equal out's. */
void ew_kernels_sum(struct ew_tensor *out, uint32_t n_partials, const struct ew_tensor *partials,
                    const float *bias);

/** At least `n` floats; NULL when memory runs out. Contents are not kept. */
float *ew_kernel_scratch_reserve(struct ew_kernel_scratch *scratch, size_t n);

void ew_kernel_scratch_fini(struct ew_kernel_scratch *scratch);

/** Floats to allocate for a tensor of this box, slack included. */
static inline size_t ew_tensor_floats(const struct ew_box *box)
{
    return (size_t)ew_box_volume(box) + EW_KERNEL_SLACK;
}

/** Address of an element that the tensor holds. */
static inline float *ew_tensor_at(const struct ew_tensor *t, int32_t n, int32_t c, int32_t h,
                                  int32_t w)
{
    const struct ew_box *b = &t->box;
    const size_t channels = (size_t)(b->hi[EW_C] - b->lo[EW_C]);
    const size_t rows = (size_t)(b->hi[EW_H] - b->lo[EW_H]);
    const size_t columns = (size_t)(b->hi[EW_W] - b->lo[EW_W]);
    const size_t plane = (size_t)(n - b->lo[EW_N]) * channels + (size_t)(c - b->lo[EW_C]);
    return t->values + (plane * rows + (size_t)(h - b->lo[EW_H])) * columns +
           (size_t)(w - b->lo[EW_W]);
}

/** Extent of a box in one dimension. */
static inline int32_t ew_box_extent(const struct ew_box *b, enum ew_dim d)
{
    return b->hi[d] - b->lo[d];
}

#endif
