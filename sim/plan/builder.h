/*
 * Plan builder: collects pieces for one book, copies everything, and turns it into const plans.
 * Reusable: reset keeps its memory, so that a planner can try many plans cheaply.
 */
#ifndef EW_PLAN_BUILDER_H
#define EW_PLAN_BUILDER_H

#include "plan/plan.h"

struct ew_builder;

/** New builder for plans of `context` (borrowed, must outlive it). NULL when memory runs out. */
struct ew_builder *ew_builder_new(const struct ew_plan_context *context);
void ew_builder_free(struct ew_builder *builder);

/** Forget everything begun so far; keeps memory. */
void ew_builder_reset(struct ew_builder *builder);

/** Begin the next plan of the book. `name` is copied. Until assign is called the whole batch runs
 *  variant 0 to the last exit. EW_EINPUT: bad batch or device. */
enum ew_status ew_builder_begin_plan(struct ew_builder *builder, const char *name, int32_t batch,
                                     uint32_t source_device, uint32_t sink_device,
                                     struct ew_error *err);

/** Another batch for the current plan; before its segments and pieces. */
enum ew_status ew_builder_set_batch(struct ew_builder *builder, int32_t batch,
                                    struct ew_error *err);

/** Give images [lo, hi) a variant and an exit; `segment` receives the index for pieces. Segments
 *  must follow each other from 0 and, in the end, tile the batch. */
enum ew_status ew_builder_assign(struct ew_builder *builder, int32_t image_lo, int32_t image_hi,
                                 uint32_t variant, uint32_t exit, uint32_t *segment,
                                 struct ew_error *err);

/** Add a pool (copied) to the current plan; `out` (may be NULL) receives what its pieces give as
 *  `pool`, i.e. 1 for the first. Before the pieces that name it. */
enum ew_status ew_builder_add_pool(struct ew_builder *builder, const struct ew_pool *pool,
                                   uint16_t *out, struct ew_error *err);

/** Add a piece; `out` (may be NULL) receives its number. Ids and box are checked at once; the
 *  device of a piece in a pool is set to the pool's holder. */
enum ew_status ew_builder_add_piece(struct ew_builder *builder, const struct ew_piece *piece,
                                    uint32_t *out, struct ew_error *err);

/** Set the boundary behind one layer of one variant. */
enum ew_status ew_builder_set_boundary(struct ew_builder *builder, uint32_t variant, uint32_t layer,
                                       struct ew_boundary boundary, struct ew_error *err);

/** The boundary as set so far; all zero (direct) when it was not. */
enum ew_status ew_builder_boundary(struct ew_boundary *out, struct ew_builder *builder,
                                   uint32_t variant, uint32_t layer, struct ew_error *err);

enum ew_status ew_builder_set_weights(struct ew_builder *builder, enum ew_weights weights,
                                      struct ew_error *err);

/** Remark on the current plan; an existing key is overwritten. */
enum ew_status ew_builder_set_note(struct ew_builder *builder, const char *key, const char *value,
                                   struct ew_error *err);

/** What the strategy's own model predicts for the current plan; NAN for unknown.
 *  `infeasible_reason` non-NULL: the strategy itself says it misses a requirement. */
enum ew_status ew_builder_set_prediction(struct ew_builder *builder, double latency_s,
                                         double energy_j, const char *infeasible_reason,
                                         struct ew_error *err);

/** Pick data of the current plan: weight for cycle, probability for by_exit_draw, class name. */
enum ew_status ew_builder_set_share(struct ew_builder *builder, uint32_t weight, double probability,
                                    const char *class_name, struct ew_error *err);

/** How the book picks. Default: only. */
enum ew_status ew_builder_set_pick(struct ew_builder *builder, enum ew_pick pick,
                                   struct ew_error *err);

/** Number of plans begun. */
uint32_t ew_builder_plan_count(const struct ew_builder *builder);

/** The current plan as it stands, borrowed until the next call on the builder; NULL when no plan
 *  was begun. For evaluation before committing. */
const struct ew_plan *ew_builder_peek(struct ew_builder *builder, struct ew_error *err);

/** Finish: a book with copies of all plans. EW_EINPUT when there is none or the pick rule does not
 *  fit. The builder is then reset. */
enum ew_status ew_builder_finish(struct ew_book **out, struct ew_builder *builder,
                                 const char *strategy, struct ew_error *err);

#endif
