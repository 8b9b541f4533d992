/*
 * Whether the network has changed since an agent was trained: means of bandwidths over a window,
 * and speeds as they are, against what they were then.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_TREND_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_TREND_H

#include <stdbool.h>
#include <stdint.h>

/** Some quantities, all >= 0, over time: those that fluctuate first, then those that do not.
 *  Zero-initialise. */
struct trend {
    uint32_t n;
    uint32_t n_fluctuating;
    double *last;    /**< as last seen; owned, as all three */
    double *mean;    /**< what counts as the present */
    double *trained; /**< what counted as the present when trend_settle was called */
    double seen_s;   /**< when */
};

/** False when memory runs out. Free with trend_fini in any case. */
bool trend_init(struct trend *trend, uint32_t n, uint32_t n_fluctuating);
void trend_fini(struct trend *trend);

/** Forget what was seen: the present is `values`, at `now_s`. */
void trend_begin(struct trend *trend, const double *values, double now_s);

/** See `values` at `now_s`. What was seen before has held until now: it moves the means of what
 *  fluctuates, as far as the time it held weighs against `window_s` (an exponential mean); with a
 *  window of 0 the present is what is seen. */
void trend_see(struct trend *trend, const double *values, double now_s, double window_s);

/** Something is off by more than `ratio` of what it was when trend_settle was called. */
bool trend_is_off(const struct trend *trend, double ratio);

/** An agent has been trained for the present. */
void trend_settle(struct trend *trend);

#endif
