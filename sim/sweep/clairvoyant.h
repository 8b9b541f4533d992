/*
 * Clairvoyant: what a strategy would reach if it planned anew, for nothing and at once, whenever
 * the world changes. The yardstick of regret.
 *
 * A job runs the plan of the moment at which it begins. A moment that the strategy has no plan for
 * keeps the plan before it.
 */
#ifndef EW_SWEEP_CLAIRVOYANT_H
#define EW_SWEEP_CLAIRVOYANT_H

#include "sweep/point.h"

/** What was done, all workloads together. */
struct ew_clairvoyant_facts {
    uint64_t n_changes; /**< moments at which something changes */
    uint32_t n_regimes; /**< worlds that the strategy was asked for, the first included */
    uint32_t n_failed;  /**< of these, without a plan of its own */
};

/** Most evaluations that one clairvoyant may spend on plans; it plans for fewer changes instead. */
enum { EW_CLAIRVOYANT_MAX_EVALUATIONS = 5000 };

/** Plan with foresight up to run time `until_s`, about `max_plans` (>= 1) times, and run. The setup
 *  must have dynamics, and every workload a maker. EW_ENOTSUP: the strategy cannot serve the first
 *  moment, or returns several plans at once. A result that says error stands for a run that failed.
 *  Free the result with ew_result_free. */
enum ew_status ew_clairvoyant_run(struct ew_result **out, struct ew_clairvoyant_facts *facts,
                                  const struct ew_point_config *config,
                                  const struct ew_contender *const *makers,
                                  const struct ew_point_run *how, double until_s,
                                  uint32_t max_plans, struct ew_error *err);

#endif
