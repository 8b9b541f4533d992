/*
 * Sharing lines of a tensor out among devices: rounding, cut points, mapping between layers.
 *
 * Plain integer arithmetic; knows no network, no device and no host. A "line" is a row or a column,
 * whichever the strategy splits by. Cuts of n bands are n + 1 ascending line numbers from 0 to the
 * extent; band i is [cuts[i], cuts[i + 1]).
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_SHARE_H
#define EDGEWEAVE_STRATEGIES_COMMON_SHARE_H

#include <stdint.h>

/** Whole numbers that follow `shares` and sum to `total`, by largest remainder; of equal remainders
 *  the first wins. Shares are finite, >= 0, and need not sum to 1; all zero counts as equal. */
void kit_round_shares(int32_t *out, const double *shares, uint32_t n, int32_t total);

/** Line of a tensor with `extent` lines at which the cut `line` of one with `reference` lines
 * falls: round(line * extent / reference), halves up. 0 <= line <= reference, reference >= 1. */
int32_t kit_map_cut(int32_t line, int32_t reference, int32_t extent);

/** Cuts from counts: n + 1 values from 0. */
void kit_cuts_from_counts(int32_t *cuts, const int32_t *counts, uint32_t n);

/** kit_map_cut for n + 1 cuts. */
void kit_map_cuts(int32_t *out, const int32_t *cuts, uint32_t n, int32_t reference, int32_t extent);

#endif
