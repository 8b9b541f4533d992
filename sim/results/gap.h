/*
 * Gaps: how far the runs of a report are above what any plan could reach (plan/bound.h), and above
 * the best of them.
 */
#ifndef EW_RESULTS_GAP_H
#define EW_RESULTS_GAP_H

#include "results/report.h"

/** Value / reference - 1 for latency (mean), energy and dynamic energy (per request); 0.1: a tenth
 *  above. NAN where either does not exist or the reference is 0. */
struct ew_gap {
    double latency_ratio;
    double energy_ratio;
    double dynamic_energy_ratio;
};

/** Above the report's bound; all NAN without one or for an error row. */
struct ew_gap ew_gap_to_bound(const struct ew_report *report, const struct ew_result *run);

/** Above the lowest figure of all finished runs of the report, each figure for itself. */
struct ew_gap ew_gap_to_best(const struct ew_report *report, const struct ew_result *run);

/** gaps.csv: one row per run. Check out->failed. */
void ew_gap_print_csv(struct ew_str *out, const struct ew_report *report);

/** One line with bound and best latency; nothing without a bound or a finished run. */
void ew_gap_print_line(struct ew_str *out, const struct ew_report *report);

#endif
