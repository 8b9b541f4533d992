/*
 * Clairvoyant: what a strategy would reach if it planned anew, for nothing and at once, whenever
 * the world changes. The yardstick of regret.
 *
 * At every change (or at evenly chosen ones, when there are too many) the strategy is asked for a
 * plan on the platform as it is then; a job runs the plan of the moment at which it begins. A
 * regime that the strategy cannot serve keeps the plan before it.
 */
#ifndef EW_SWEEP_CLAIRVOYANT_H
#define EW_SWEEP_CLAIRVOYANT_H

#include "sweep/point.h"

/** How to run it; borrowed. */
struct ew_clairvoyant {
    const struct ew_point_config *config;
    const struct ew_contender *const *makers; /**< per workload, as for ew_point_plan */
    const struct ew_engine *engine;
    double until_s;       /**< changes after this are not looked at */
    uint32_t max_regimes; /**< >= 1: how often to plan at most */
};

/** What was done. */
struct ew_clairvoyant_facts {
    uint32_t n_changes; /**< moments at which something changes, up to until_s */
    uint32_t n_regimes; /**< moments at which the strategy planned, the beginning included */
    uint32_t n_failed;  /**< of these, without a plan of its own */
};

/** Run it. The setup must have dynamics. EW_ENOTSUP: the strategy cannot serve the first regime, or
 *  returns several plans at once. A result that says error stands for a run that failed. Free the
 *  result with ew_result_free. */
enum ew_status ew_clairvoyant_run(struct ew_result **out, struct ew_clairvoyant_facts *facts,
                                  const struct ew_clairvoyant *how, struct ew_error *err);

#endif
