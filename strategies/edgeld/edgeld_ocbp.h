/*
 * EdgeLD's OCBP: lines move one by one between the slowest and the fastest device until both need
 * nearly the same time. Plain arithmetic; knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_EDGELD_OCBP_H
#define EDGEWEAVE_STRATEGIES_EDGELD_OCBP_H

#include <stdint.h>

/** What is shared out. */
struct edgeld_problem {
    /** Seconds of worker `worker` for lines [lo, hi), lo < hi: transfers and computing. */
    double (*part_s)(void *ctx, uint32_t worker, int32_t lo, int32_t hi);
    void *ctx;
    uint32_t n;         /**< workers, >= 1 */
    int32_t total;      /**< lines */
    double tolerance_s; /**< stop when slowest and fastest are this close */
};

/** Why OCBP stopped. */
enum edgeld_stop {
    EDGELD_BALANCED,  /**< within the tolerance */
    EDGELD_AT_ONE,    /**< the slowest has one line left */
    EDGELD_NO_BETTER, /**< another move would not narrow the gap */
};

/** How OCBP ended. */
struct edgeld_result {
    enum edgeld_stop stop;
    uint32_t slowest;
    double slowest_s;
};

/** Lines in proportion to `weights` (>= 0, one > 0), then moved. A worker that starts without lines
 *  stays without. */
struct edgeld_result edgeld_ocbp(int32_t *lines, const struct edgeld_problem *problem,
                                 const double *weights);

/** OCBP; then, while it ends unbalanced, again with the weight of the slowest workers set to 0. The
 *  result with the least slowest time stays in `lines`; its seconds are returned. `trial` has n
 *  values. */
double edgeld_share(int32_t *lines, int32_t *trial, const struct edgeld_problem *problem,
                    double *weights);

#endif
