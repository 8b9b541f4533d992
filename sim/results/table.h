/*
 * Tables for people: one line per strategy, one line per device. Text only, no escape codes.
 */
#ifndef EW_RESULTS_TABLE_H
#define EW_RESULTS_TABLE_H

#include "base/text.h"
#include "results/result.h"

struct ew_table_options {
    uint32_t width;          /**< columns to stay within; 0: 100. Reasons wrap, figures never */
    bool without_wall_clock; /**< leave out planning time, so that equal runs print alike */
};

/** One line per result: latency, throughput, energy, accuracy, deadline, and why a strategy has
 *  none. '*' marks the best latency and the least energy per request when there are several. */
void ew_table_print_runs(struct ew_str *out, uint32_t n, const struct ew_result *const *results,
                         const struct ew_table_options *options);

/** One line per device of one result. Nothing for an error row. */
void ew_table_print_devices(struct ew_str *out, const struct ew_result *result);

/** One line per workload of one result: counts, latency, accuracy. */
void ew_table_print_workloads(struct ew_str *out, const struct ew_result *result);

#endif
