/*
 * Random numbers from whoever supplies 64 uniform bits: the host, or a test.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_DRAW_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_DRAW_H

#include <stdint.h>

/** Where the bits come from; borrowed. */
struct draw {
    uint64_t (*next)(void *ctx);
    void *ctx;
};

/** Uniform real in [0, 1), 53 bits. */
double draw_unit(const struct draw *draw);

/** Uniform integer in [0, bound), bound >= 1; unbiased. */
uint32_t draw_below(const struct draw *draw, uint32_t bound);

/** Standard normal (polar method). */
double draw_normal(const struct draw *draw);

#endif
