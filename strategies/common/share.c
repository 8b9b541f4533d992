#include "common/share.h"

#include <math.h>

/* The first of the entries with the largest remainder that has not been rounded up yet. */
static uint32_t largest_remainder(const int32_t *out, const double *shares, uint32_t n,
                                  double scale)
{
    uint32_t best = 0;
    double best_remainder = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        double remainder = shares[i] * scale - out[i];
        if (remainder > best_remainder) {
            best_remainder = remainder;
            best = i;
        }
    }
    return best;
}

static void round_equal(int32_t *out, uint32_t n, int32_t total)
{
    int32_t base = total / (int32_t)n;
    int32_t rest = total % (int32_t)n;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = base + ((int32_t)i < rest ? 1 : 0);
    }
}

void kit_round_shares(int32_t *out, const double *shares, uint32_t n, int32_t total)
{
    if (n == 0) {
        return;
    }
    double sum = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        sum += shares[i];
    }
    if (!(sum > 0.0) || !isfinite(sum)) {
        round_equal(out, n, total);
        return;
    }
    double scale = total / sum;
    int32_t given = 0;
    for (uint32_t i = 0; i < n; i++) {
        /* A share that is whole on paper may come out a hair below; without the nudge it would
         * compete for the remainder with real fractions. */
        double exact = shares[i] * scale;
        out[i] = (int32_t)floor(exact + 1e-9 * (exact + 1.0));
        given += out[i];
    }
    for (; given < total; given++) {
        out[largest_remainder(out, shares, n, scale)]++;
    }
    for (uint32_t i = n; given > total && i-- > 0;) {
        int32_t excess = given - total < out[i] ? given - total : out[i];
        out[i] -= excess;
        given -= excess;
    }
}

int32_t kit_map_cut(int32_t line, int32_t reference, int32_t extent)
{
    return (int32_t)((2 * (int64_t)line * extent + reference) / (2 * (int64_t)reference));
}

void kit_cuts_from_counts(int32_t *cuts, const int32_t *counts, uint32_t n)
{
    cuts[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        cuts[i + 1] = cuts[i] + counts[i];
    }
}

void kit_map_cuts(int32_t *out, const int32_t *cuts, uint32_t n, int32_t reference, int32_t extent)
{
    for (uint32_t i = 0; i <= n; i++) {
        out[i] = kit_map_cut(cuts[i], reference, extent);
    }
}
