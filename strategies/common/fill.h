/*
 * Sharing lines out so that the last worker finishes as early as possible.
 *
 * Workers hold neighbouring bands in a given order. min over cuts of max over workers of finish:
 * solved exactly over whole lines by bisection on the finish time, since a worker that takes all it
 * can until then leaves the others the best case. Plain arithmetic; knows no network and no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_FILL_H
#define EDGEWEAVE_STRATEGIES_COMMON_FILL_H

#include <stdbool.h>
#include <stdint.h>

/** What is shared out. */
struct kit_fill {
    /** When worker `worker` is done with lines [lo, hi), lo < hi. Must not fall when hi grows, nor
     *  grow when lo grows. May be INFINITY. */
    double (*finish_s)(void *ctx, uint32_t worker, int32_t lo, int32_t hi);
    void *ctx;
    uint32_t n; /**< workers, >= 1 */
    int32_t total;
    double precision; /**< stop when the bounds are this close, relative; 0: 1e-6 */
};

/** Cuts (n + 1 values from 0 to total; a band may be empty) with the least greatest finish, which
 *  is returned; INFINITY when no worker alone can do it all within `limit_s` and neither can they
 *  together. `scratch` has n + 1 values. Of equal cuts those that fill earlier workers win. */
double kit_fill_min_max(int32_t *cuts, int32_t *scratch, const struct kit_fill *fill,
                        double limit_s);

/** Of all cuts within `by_s` those that stay near `wanted` (n + 1 ascending values, the last one
 *  `total`), one cut after the other from the left. `least` is scratch for n + 1 values. False when
 *  by_s cannot be met. */
bool kit_fill_near(int32_t *cuts, int32_t *least, const struct kit_fill *fill,
                   const int32_t *wanted, double by_s);

/** Greatest finish of given cuts. */
double kit_fill_finish_s(const struct kit_fill *fill, const int32_t *cuts);

#endif
