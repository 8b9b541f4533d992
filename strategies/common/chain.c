#include "common/chain.h"

#include <math.h>

double kit_chain_cut(uint32_t *ends, double *best, uint32_t n, kit_run_cost cost, void *ctx)
{
    best[n] = 0.0;
    for (uint32_t i = n; i-- > 0;) {
        best[i] = INFINITY;
        ends[i] = i;
        for (uint32_t k = i; k < n; k++) {
            double sum = cost(ctx, i, k) + best[k + 1];
            if (sum < best[i]) {
                best[i] = sum;
                ends[i] = k;
            }
        }
    }
    return best[0];
}

/* The first band that ends behind `line`. */
static uint32_t find_band(const int32_t *cuts, uint32_t n, uint32_t from, int32_t line)
{
    uint32_t a = from;
    uint32_t b = n;
    while (a < b) {
        uint32_t middle = a + (b - a) / 2;
        if (cuts[middle + 1] <= line) {
            a = middle + 1;
        } else {
            b = middle;
        }
    }
    return a;
}

uint32_t kit_next_holder(int32_t *lines, const int32_t *cuts, uint32_t n, uint32_t band, int32_t lo,
                         int32_t hi)
{
    if (lo >= hi || band >= n) {
        return n;
    }
    for (uint32_t i = find_band(cuts, n, band, lo); i < n && cuts[i] < hi; i++) {
        int32_t from = cuts[i] > lo ? cuts[i] : lo;
        int32_t to = cuts[i + 1] < hi ? cuts[i + 1] : hi;
        if (from < to) {
            *lines = to - from;
            return i;
        }
    }
    return n;
}
