/*
 * Bayesian online change-point detection: how long ago did the mean or deviation of a series last
 * change?
 *
 * Adams, MacKay: "Bayesian Online Changepoint Detection", arXiv:0710.3742 (recalled, high):
 * constant hazard, normal samples of unknown mean and precision with a normal-gamma prior, hence
 * Student-t predictions. Plain numbers; knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_EDGENT_CHANGE_POINT_H
#define EDGEWEAVE_STRATEGIES_EDGENT_CHANGE_POINT_H

#include <stdbool.h>
#include <stdint.h>

enum { CHANGE_POINT_MAX_RUN = 200 };

/** Normal-gamma: mean mu known as from kappa samples, precision gamma(alpha, rate beta). */
struct change_belief {
    double mu;
    double kappa;
    double alpha;
    double beta;
};

/** Belief after one more sample. */
struct change_belief change_belief_update(const struct change_belief *belief, double x);

/** Logarithm of the predictive density (Student-t) at x. */
double change_belief_log_density(const struct change_belief *belief, double x);

/** State of the detector. */
struct change_point {
    double hazard_ratio; /**< probability of a change before a sample */
    struct change_belief prior;
    uint32_t n;   /**< run lengths 0..n-1 are possible */
    uint32_t run; /**< the most probable run length: samples since the last change */
    double probability[CHANGE_POINT_MAX_RUN + 1]; /**< per run length, adds up to 1 */
    struct change_belief belief[CHANGE_POINT_MAX_RUN + 1];
};

/** Before the first sample: run length 0 for certain. */
void change_point_begin(struct change_point *cp, double hazard_ratio, struct change_belief prior);

/** Take a sample. Run lengths beyond the longest share its place. */
void change_point_observe(struct change_point *cp, double x);

/** Mean of the samples of the most probable run; NAN when it has none. */
double change_point_mean(const struct change_point *cp);

#endif
