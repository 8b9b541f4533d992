/*
 * Regret: how much worse a run was than one that planned anew, for nothing, at every change of the
 * world (sweep/clairvoyant.h).
 */
#ifndef EW_RESULTS_REGRET_H
#define EW_RESULTS_REGRET_H

#include "results/report.h"

/** Run minus clairvoyant; positive: the run was worse. NAN where either does not exist. */
struct ew_regret {
    double latency_s;     /**< of the mean */
    double latency_ratio; /**< of the mean, relative to the clairvoyant's */
    double energy_j;      /**< per request */
    double missed_ratio;  /**< requests without an answer in time */
    double accuracy;      /**< clairvoyant minus run */
};

/** All NAN when the result has no clairvoyant. */
struct ew_regret ew_regret_of(const struct ew_result *run);

/** Keep what regret needs of the clairvoyant's run. */
void ew_regret_note(struct ew_result *run, const struct ew_result *clairvoyant, uint64_t n_changes,
                    uint32_t n_regimes, uint32_t n_failed);

/** regret.csv: one row per run that has a clairvoyant. Check out->failed. */
void ew_regret_print_csv(struct ew_str *out, const struct ew_report *report);

/** A table for people; nothing when no run has a clairvoyant. */
void ew_regret_print_table(struct ew_str *out, const struct ew_report *report);

#endif
