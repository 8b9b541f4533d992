/*
 * Exact percentiles by the nearest-rank rule: the p-th percentile of n values is the value at rank
 * ceil(p/100 * n), counted from 1 in ascending order. It is always one of the values.
 */
#ifndef EW_RESULTS_PERCENTILE_H
#define EW_RESULTS_PERCENTILE_H

#include <stddef.h>
#include <stdint.h>

/** Rank (from 1) of a percentile given in thousandths (p99 = 990); 0 when n is 0. */
size_t ew_percentile_rank(size_t n, uint32_t permille);

/** The k-th smallest value, k counted from 1, 1 <= k <= n. Reorders `values`: afterwards none
 *  before position k-1 is greater and none after it smaller. Linear on average. No NaN. */
double ew_select_rank(double *values, size_t n, size_t k);

/** Percentile of `values` (reordered); NAN when n is 0. */
double ew_percentile(double *values, size_t n, uint32_t permille);

#endif
