/*
 * Error bars from ratios measured / predicted of rows that a fit had not seen.
 */
#ifndef EW_MODEL_SPREAD_H
#define EW_MODEL_SPREAD_H

#include <stddef.h>

/** Nominal share of measurements between low and high. */
#define EW_SPREAD_SHARE 0.8

/** Sort ascending. */
void ew_spread_sort(double *values, size_t n);

/** The value below which a new one lies with probability `share`: position share * (n + 1) of the
 *  sorted values, interpolated, and the nearest one outside. NAN when n is 0. */
double ew_spread_quantile(const double *sorted, size_t n, double share);

#endif
