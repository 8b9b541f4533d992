/*
 * Planning anew in a changing world, around any strategy: when the world has changed as the
 * scenario says (ew_replan_spec), the strategy is asked again, with the platform as it is then. How
 * the world changes is known beforehand, so all plans are made before the run, and the run only
 * switches between them at their times, plus what planning is charged with.
 */
#ifndef EW_SWEEP_REPLAN_H
#define EW_SWEEP_REPLAN_H

#include "base/text.h"
#include "engine/engine.h"
#include "model/dynamics.h"
#include "plugin/host.h"

/** How to get a plan; borrowed. */
struct ew_replan_maker {
    void *ctx;
    /** Ask for the problem, whose platform is the world at some time. `n_evaluations` counts what
     * the strategy evaluated. EW_ENOTSUP: no plan; the one in force stays. */
    enum ew_status (*plan)(void *ctx, struct ew_book **out, const struct ew_problem *problem,
                           uint64_t *n_evaluations, struct ew_error *err);
    /** NULL, or what is called in place of plan after the first plan: `*out` NULL: the plan in
     * force stays. Called at every moment, also when the world is one of before, and with a period
     * until the horizon, since whoever observes remembers. */
    enum ew_status (*observe)(void *ctx, struct ew_book **out, const struct ew_problem *problem,
                              const struct ew_observation *now, uint64_t *n_evaluations,
                              struct ew_error *err);
    /** NULL, or who chooses instead of taking every plan from `plan`: which of `n` >= 1 plans is to
     * be in force in this world. The first is the one in force; `is_asked`: the second one is what
     * the strategy wants instead; the others were in force before, or would be without planning
     * anew. */
    enum ew_status (*choose)(void *ctx, uint32_t *out, const struct ew_problem *problem,
                             const struct ew_plan *const *plans, uint32_t n, bool is_asked,
                             struct ew_error *err);
};

/** Most different worlds that are planned for, and most plans, and most observations; later changes
 *  keep the last plan. */
enum { EW_REPLAN_MAX_WORLDS = 4096, EW_REPLAN_MAX_OBSERVATIONS = 1000000 };

/** When to plan, and at what cost. */
struct ew_replan_how {
    struct ew_replan_spec spec;
    const struct ew_replan_maker *maker; /**< borrowed */
    double horizon_s;                    /**< run time after which nothing is planned for */
    struct ew_book *unplanned; /**< NULL, or a book of one plan for the whole run if nothing were
                                    planned anew, which `choose` may choose; taken on success */
    uint32_t max_plans; /**< 0: no limit but that on worlds. Else every k-th change of degree is
                             planned for, so that about so many plans are made. */
    uint64_t max_evaluations; /**< of all plans together, judged by the first; with max_plans */
    bool keeps_weights;       /**< changing plans loads no weights */
};

/** Plans over time. */
struct ew_replan {
    struct ew_plan_schedule schedule;
    uint64_t n_changes; /**< moments at which anything changes; counted with max_plans only */
    uint32_t n_asked;   /**< calls of the maker; equal worlds are asked once */
    uint32_t n_unable;  /**< of them without a plan */
};

/** Make the plans up to the horizon: a book of them (free with ew_book_free before the result) and
 *  their times. Where a plan keeps its weights resident, changing plans loads weights (weights
 *  on_change). EW_ENOTSUP when the first world has no plan, or a book has several. */
enum ew_status ew_replan_make(struct ew_replan **out, struct ew_book **book_out,
                              const struct ew_replan_how *how, const struct ew_dynamics *dynamics,
                              const struct ew_problem *problem, struct ew_error *err);

/** As `given`, with a schedule of its own. */
enum ew_status ew_replan_copy(struct ew_replan **out, const struct ew_replan *given,
                              struct ew_error *err);

/** As bytes, for the way from a child process (replan_wire.c). Check out->failed. */
void ew_replan_put(struct ew_str *out, const struct ew_plan_context *context,
                   const struct ew_replan *replan, const struct ew_book *book);

/** From bytes that nobody vouches for. The book has passed ew_book_check. EW_EPLUGIN when they are
 *  damaged. */
enum ew_status ew_replan_get(struct ew_replan **out, struct ew_book **book_out, const char *bytes,
                             size_t size, const struct ew_plan_context *context,
                             struct ew_error *err);

/** Accepts NULL. */
void ew_replan_free(struct ew_replan *replan);

#endif
