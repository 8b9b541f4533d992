/*
 * Going on with another plan in the middle of a job: which layers are cuts, where a job stands, and
 * the task graphs of what is left.
 *
 * A cut is a layer whose output is all that the layers behind it read. A job that has computed all
 * of a cut's output, wherever its pieces lie, can go on with any plan of the same variant, exit and
 * batch: the new plan's layers read from where the old plan's pieces lie. Such a continuation is a
 * plan of its own, the old one's pieces up to the cut and the new one's behind it, of whose tasks
 * those up to the cut are done when it begins.
 */
#ifndef EW_PLAN_CONTINUATION_H
#define EW_PLAN_CONTINUATION_H

#include "plan/lower.h"

/** Most continuations that are made; for changes of plan beyond these jobs keep theirs. */
enum { EW_MAX_CONTINUATIONS = 4096 };

/** Going on with `to` behind cut number `cut` of `from`: plan `plan` of the longer book. */
struct ew_continuation {
    uint32_t from;
    uint32_t to;
    uint32_t cut;
    uint32_t plan;
};

/** A book made longer by its continuations. Plans keep their numbers. */
struct ew_continuations {
    struct ew_arena arena;
    struct ew_book book;                 /**< the arena is not its own */
    const struct ew_task_graph **graphs; /**< per plan; the first ones borrowed */
    uint32_t n_borrowed;                 /**< plans that are no continuations */
    uint32_t n_cuts;
    const uint32_t *cut_layers;    /**< ascending */
    const uint32_t *const *stages; /**< per plan, per node: the first cut up to which the node
                                        belongs, n_cuts: none. NULL: this plan has no cuts */
    const struct ew_continuation *origin; /**< per plan; no continuation: from = to = itself, cut
                                               EW_NONE */
    uint32_t n_items;
    const struct ew_continuation *items; /**< by (from, to, cut) */
};

/** Change from one plan of the book to another. */
struct ew_plan_change {
    uint32_t from;
    uint32_t to;
};

/** Make the continuations for these changes; book, context and graphs (not merged) must outlive
 *  them. EW_ENOMEM. Free with ew_continuations_free. */
enum ew_status ew_continuations_new(struct ew_continuations **out,
                                    const struct ew_plan_context *context,
                                    const struct ew_book *book,
                                    const struct ew_task_graph *const *graphs, uint32_t n_changes,
                                    const struct ew_plan_change *changes, struct ew_error *err);

/** Accepts NULL. */
void ew_continuations_free(struct ew_continuations *continuations);

/** NULL: there is none. */
const struct ew_continuation *ew_continuation_find(const struct ew_continuations *continuations,
                                                   uint32_t from, uint32_t to, uint32_t cut);

/** True when the node is done before a job goes on behind the cut: no node behind it needs it. */
bool ew_continuation_is_done(const struct ew_task_graph *graph, const uint32_t *stages,
                             uint32_t node, uint32_t cut);

#endif
