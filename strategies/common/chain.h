/*
 * A chain of parts: cutting it into runs with the least sum of costs, and who holds which lines of
 * a tensor between two runs. Plain arithmetic; knows no network and no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_CHAIN_H
#define EDGEWEAVE_STRATEGIES_COMMON_CHAIN_H

#include <stdint.h>

/** Cost of parts [first, last] as one run; INFINITY when they cannot be one. */
typedef double (*kit_run_cost)(void *ctx, uint32_t first, uint32_t last);

/** Cut n parts into runs with the least sum:
 *      best(i) = min over k of cost(i, k) + best(k + 1),    best(n) = 0.
 *  ends[i] receives the last part of the best run that begins at i; of equal ones the shortest.
 *  `best` receives n + 1 values. Every cost is asked once. Returns best(0). */
double kit_chain_cut(uint32_t *ends, double *best, uint32_t n, kit_run_cost cost, void *ctx);

/** The first band from `band` on, of the n that `cuts` (ascending, n + 1 values) makes, with lines
 *  of [lo, hi); n when there is none. `lines` receives how many. */
uint32_t kit_next_holder(int32_t *lines, const int32_t *cuts, uint32_t n, uint32_t band, int32_t lo,
                         int32_t hi);

#endif
