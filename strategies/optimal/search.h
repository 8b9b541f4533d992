/*
 * Search: the best scheme within a budget counted in evaluations. First every single device, every
 * two-device cut and common ways of sharing out; then local search from the best of them.
 */
#ifndef EDGEWEAVE_STRATEGIES_OPTIMAL_SEARCH_H
#define EDGEWEAVE_STRATEGIES_OPTIMAL_SEARCH_H

#include "scheme.h"

enum objective {
    OBJECTIVE_LATENCY,
    OBJECTIVE_ENERGY,
    OBJECTIVE_PERIOD,
    OBJECTIVE_ENERGY_UNDER_DEADLINE,
};

/** Kinds of starts; local search begins at the best of each. */
enum start {
    START_SINGLE,  /**< one device */
    START_CUT,     /**< two devices, one after the other */
    START_PREFIX,  /**< the first blocks shared out as one volume, the rest on one device */
    START_SHARED,  /**< all banded blocks shared out */
    START_FASTEST, /**< the best latency found before, for other objectives */
    N_STARTS
};

struct search {
    struct scheme_space space;
    struct ew_plan_builder *builder;
    enum objective objective;
    double deadline_s;
    uint32_t budget;
    uint32_t spent;   /**< evaluations */
    uint32_t n_kicks; /**< local searches from changed local optima */
    struct kit_draft draft;
    struct scheme best[N_STARTS]; /**< by kind; after search_run, 0 is the best found */
    double value[N_STARTS];       /**< INFINITY: none */
    enum start kind[N_STARTS];    /**< where it came from */
    struct ew_evaluation found[N_STARTS];
    uint32_t candidate; /**< better than best[0]; EW_ID_NONE: none is */
    struct scheme trial;
    bool is_local_optimum; /**< no move improves best[0] */
};

/** Zero-initialise and fill the first members first; release with search_fini. */
int32_t search_init(struct search *search);
void search_fini(struct search *search);

/** EW_STRATEGY_ECANNOT when no plan tried can be run. */
int32_t search_run(struct search *search);

/** After search_run: evaluate a plan of others, beyond the budget. A better one becomes
 *  search->candidate, its figures found[0] and value[0]. */
int32_t search_try_candidate(struct search *search, const struct ew_candidates *candidates,
                             uint32_t index);

#endif
