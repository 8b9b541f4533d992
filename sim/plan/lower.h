/*
 * Lowering: plan -> task graph, by receptive-field arithmetic alone.
 *
 * An element is read from a piece of the reader's own chain, else of its own device, else from the
 * lowest-numbered piece that computed it. Messages: one per (producing piece, consuming device),
 * its boxes coalesced.
 */
#ifndef EW_PLAN_LOWER_H
#define EW_PLAN_LOWER_H

#include "plan/task_graph.h"

struct ew_lower_options {
    bool merge_chains; /**< merge private chains; only sound when at most one job is in flight */
    bool keep_boxes;   /**< fill ew_task_graph.boxes: what real execution sends; not with
                            merge_chains */
};

/** Working memory of the lowering, kept between calls by planners that evaluate many plans. */
struct ew_lower;
struct ew_lower *ew_lower_new(void); /**< NULL when memory runs out */
void ew_lower_free(struct ew_lower *lower);

/** Lower a plan. EW_EINPUT with the first uncovered element or missing route (the same messages as
 *  ew_plan_check, which uses this); the result is owned by the caller. */
enum ew_status ew_lower_plan(struct ew_task_graph **out, struct ew_lower *lower,
                             const struct ew_plan_context *context, const struct ew_plan *plan,
                             const struct ew_lower_options *options, struct ew_error *err);

/** As ew_lower_plan, but the result lives in `lower` and is valid until the next call on it. */
enum ew_status ew_lower_plan_scratch(const struct ew_task_graph **out, struct ew_lower *lower,
                                     const struct ew_plan_context *context,
                                     const struct ew_plan *plan,
                                     const struct ew_lower_options *options, struct ew_error *err);

#endif
