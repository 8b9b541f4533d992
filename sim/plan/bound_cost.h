/*
 * What every plan must do for one exit of one graph: which elements it cannot avoid computing, how
 * long each device needs for them at least, and which layers must have read which. The premises of
 * the lower bound (docs/bounds.md); plan/bound.c draws the conclusion.
 */
#ifndef EW_PLAN_BOUND_COST_H
#define EW_PLAN_BOUND_COST_H

#include "plan/plan.h"

/** The part of a layer's output that nobody can avoid: rows x columns, all channels. */
struct ew_bound_layer {
    bool is_needed;
    uint8_t *rows; /**< per row: is it in the part? */
    uint8_t *columns;
    uint32_t n_rows;
    uint32_t n_columns;
    uint32_t first_read; /**< into reads, which are by reader */
    double share;        /**< of the layer's output */
    double bytes;        /**< on the wire, whole batch */
};

/** Any share x of `reader`'s unavoidable work reads at least the share x of `layer`'s part. */
struct ew_bound_read {
    uint32_t reader;
    uint32_t layer;
};

struct ew_bound_cost {
    struct ew_arena arena;
    const struct ew_graph *graph;
    const struct ew_exit *exit;
    struct ew_bound_layer *layers;
    double *time_s; /**< [layer * n_devices + device]: all of the part on that device, at least */
    uint32_t n_reads;
    struct ew_bound_read *reads;
    bool may_start_early; /**< something can be computed from padding alone */
};

/** Batch and the narrowest wire format; `wire_bits` 0: as in memory. */
struct ew_bound_shape {
    int32_t batch;
    uint32_t wire_bits;
};

/** EW_ENOTSUP when tensors are too large to mark their rows one by one. Free with
 *  ew_bound_cost_fini in any case. */
enum ew_status ew_bound_cost_make(struct ew_bound_cost *out, const struct ew_plan_context *context,
                                  const struct ew_graph *graph, uint32_t exit,
                                  const struct ew_bound_shape *shape, struct ew_error *err);
void ew_bound_cost_fini(struct ew_bound_cost *cost);

#endif
