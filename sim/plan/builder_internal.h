/*
 * What a builder holds; for builder*.c only.
 */
#ifndef EW_PLAN_BUILDER_INTERNAL_H
#define EW_PLAN_BUILDER_INTERNAL_H

#include "base/vec.h"
#include "plan/builder.h"

struct draft_note {
    char *key;
    char *value;
};

/** What the boundaries of one variant are. The row is kept over reset. */
struct draft_row {
    struct ew_boundary *items; /**< n_layers of the variant; NULL until first used */
    bool is_used;
};

/** One plan in the making. Text is owned. */
struct draft {
    char *name;
    char *class_name;
    char *infeasible_reason;
    int32_t batch;
    uint32_t source_device, sink_device;
    uint8_t weights;
    uint32_t share_weight;
    double probability;
    double latency_s, energy_j;
    EW_VEC(struct ew_segment) segments;
    EW_VEC(struct ew_piece) pieces;
    EW_VEC(struct ew_pool) pools;
    EW_VEC(uint32_t) members; /**< of all pools, one after another */
    EW_VEC(struct draft_note) notes;
    struct draft_row *rows;                   /**< per variant; NULL until first used */
    const struct ew_boundary **boundary_view; /**< per variant: the row if used, else NULL */
    struct ew_segment whole;                  /**< when assign was not called */
};

struct ew_builder {
    const struct ew_plan_context *context;
    EW_VEC(struct draft) drafts; /**< count: plans begun */
    size_t n_made;               /**< drafts whose memory may be reused */
    size_t n_pieces;             /**< over all drafts */
    uint8_t pick;
    struct ew_plan peeked;
    struct ew_note *peeked_notes;
    size_t peeked_notes_capacity;
};

/** The plan begun last; NULL with a failure when there is none. */
struct draft *builder_current(struct ew_builder *builder, struct ew_error *err);

#endif
