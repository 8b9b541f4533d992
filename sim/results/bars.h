/*
 * What error bars say for people: the bar of each run, and whose order is not sure.
 */
#ifndef EW_RESULTS_BARS_H
#define EW_RESULTS_BARS_H

#include "base/text.h"
#include "results/result.h"

/** Lines below a table of runs; nothing when no run has draws. */
void ew_bars_print(struct ew_str *out, const struct ew_result *const *results, uint32_t n);

#endif
