/*
 * Straight lines through measured points: the linear device models of several strategies.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_FIT_H
#define EDGEWEAVE_STRATEGIES_COMMON_FIT_H

#include "common/net.h"

/** y = base + slope * x, both >= 0. */
struct kit_line {
    double base;
    double slope;
};

/** Least squares with base >= 0 and slope >= 0. No points: zero; all x equal: their mean. */
struct kit_line kit_fit_line(const double *x, const double *y, uint32_t n);

/** Seconds over lines of the layer's output on `device`: fitted to the host's estimate for an
 *  eighth, two eighths, … of the lines. */
struct kit_line kit_fit_layer(const struct kit_net *net, uint32_t layer, uint32_t device);

/** The line's value; 0 for nothing. */
static inline double kit_line_at(struct kit_line line, double x)
{
    return x > 0.0 ? line.base + line.slope * x : 0.0;
}

#endif
