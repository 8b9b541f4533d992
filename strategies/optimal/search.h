/*
 * Search: the best scheme within a budget counted in evaluations. Every scheme where there are few
 * enough; otherwise starts of several kinds, then local search from the best of them.
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
    START_SINGLE,   /**< one device */
    START_SEQUENCE, /**< one device after the other, by dynamic programming */
    START_CUT,      /**< two devices, one after the other */
    START_PREFIX,   /**< the first blocks shared out as one volume, the rest on one device */
    START_SHARED,   /**< all banded blocks shared out */
    START_IMAGES,   /**< the batch shared out */
    START_FASTEST,  /**< the best latency found before, for other objectives */
    N_STARTS
};

struct search {
    struct scheme_space space; /**< owned by whoever made it */
    struct ew_plan_builder *builder;
    enum objective objective;
    double deadline_s;
    uint32_t budget;
    double limit_s;   /**< safety stop */
    double begin_s;   /**< clock at search_init */
    uint32_t spent;   /**< evaluations */
    uint32_t n_kicks; /**< local searches from changed local optima */
    struct kit_draft draft;
    struct scheme best[N_STARTS]; /**< by kind; after search_run, 0 is the best found */
    double value[N_STARTS];       /**< INFINITY: none */
    enum start kind[N_STARTS];    /**< where it came from */
    struct ew_evaluation found[N_STARTS];
    uint32_t candidate; /**< better than best[0]; EW_ID_NONE: none is */
    struct scheme trial;
    double *shares;        /**< scratch, by device */
    bool is_local_optimum; /**< no move improves best[0] */
    bool is_exact;         /**< every scheme was evaluated */
    bool is_out_of_time;   /**< the safety stop ended it */
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

/* ------------------------------------------------------------------ parts of the search */

/** An improvement must be worth more than rounding. */
#define SEARCH_WORTH (1 - 1e-9)

/** Evaluate search->trial; INFINITY when it cannot be run or the budget is spent. */
int32_t search_evaluate(struct search *search, double *value, struct ew_evaluation *evaluation);

/** True when nothing more may be evaluated. */
bool search_is_spent(const struct search *search);

/** Keep search->trial when it is the best start of its kind. */
int32_t search_try_start(struct search *search, enum start kind);

/** All starts but the exact one (starts.c, sequence.c). */
int32_t search_try_starts(struct search *search);
int32_t search_try_sequences(struct search *search);

/** Number of schemes that differ as plans, up to 1e300 (exact.c). */
double search_count_schemes(const struct scheme_space *space);

/** Evaluate all of them; the best is best[START_SINGLE]. */
int32_t search_try_all(struct search *search);

/** Local search at best[at] until `limit` evaluations are spent (climb.c). */
int32_t search_climb(struct search *search, int at, uint32_t limit);

#endif
