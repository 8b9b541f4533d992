#include "common/fill.h"

#include <math.h>
#include <string.h>

/* The most lines from `lo` on that the worker finishes by `by_s`. Gallops from the guess `hint`,
 * then bisects. */
static int32_t most_lines(const struct kit_fill *fill, uint32_t worker, int32_t lo, int32_t hint,
                          double by_s)
{
    int32_t good = 0;
    int32_t bad = fill->total - lo + 1;
    int32_t probe = hint < 1 ? 1 : hint < bad ? hint : bad - 1;
    for (int32_t step = 1; good + 1 < bad; step += step < bad ? step : 0) {
        if (fill->finish_s(fill->ctx, worker, lo, lo + probe) <= by_s) {
            good = probe;
            probe += step;
        } else {
            bad = probe;
            probe -= step;
        }
        if (probe <= good || probe >= bad) {
            probe = good + (bad - good) / 2;
        }
    }
    return good;
}

/* Let every worker take all it finishes by `by_s`; true when that is everything. `cuts` holds
 * guesses on entry, and the cuts then. */
static bool covers(const struct kit_fill *fill, int32_t *cuts, double by_s)
{
    int32_t hint_lo = cuts[0];
    cuts[0] = 0;
    for (uint32_t i = 0; i < fill->n; i++) {
        int32_t hint = cuts[i + 1] - hint_lo;
        hint_lo = cuts[i + 1];
        cuts[i + 1] = cuts[i] + most_lines(fill, i, cuts[i], hint, by_s);
    }
    return cuts[fill->n] == fill->total;
}

double kit_fill_finish_s(const struct kit_fill *fill, const int32_t *cuts)
{
    double latest_s = 0.0;
    for (uint32_t i = 0; i < fill->n; i++) {
        if (cuts[i] < cuts[i + 1]) {
            latest_s = fmax(latest_s, fill->finish_s(fill->ctx, i, cuts[i], cuts[i + 1]));
        }
    }
    return latest_s;
}

static double best_alone_s(const struct kit_fill *fill)
{
    double best_s = INFINITY;
    for (uint32_t i = 0; i < fill->n; i++) {
        best_s = fmin(best_s, fill->finish_s(fill->ctx, i, 0, fill->total));
    }
    return best_s;
}

double kit_fill_min_max(int32_t *cuts, int32_t *scratch, const struct kit_fill *fill,
                        double limit_s)
{
    size_t size = (fill->n + (size_t)1) * sizeof *cuts;
    double precision = fill->precision > 0.0 ? fill->precision : 1e-6;
    memset(cuts, 0, size);
    memset(scratch, 0, size);
    double upper_s = fmin(limit_s, best_alone_s(fill));
    if (!isfinite(upper_s) || !covers(fill, scratch, upper_s)) {
        return INFINITY;
    }
    double lower_s = 0.0;
    upper_s = kit_fill_finish_s(fill, scratch);
    memcpy(cuts, scratch, size);
    while (upper_s - lower_s > precision * upper_s) {
        double middle_s = lower_s + (upper_s - lower_s) / 2.0;
        if (covers(fill, scratch, middle_s)) {
            upper_s = kit_fill_finish_s(fill, scratch);
            memcpy(cuts, scratch, size);
        } else {
            lower_s = middle_s;
        }
    }
    return upper_s;
}

/* The least line from which the worker gets to `hi` by `by_s`. */
static int32_t least_start(const struct kit_fill *fill, uint32_t worker, int32_t hi, double by_s)
{
    int32_t good = hi; /* nothing to do */
    int32_t bad = -1;
    while (good - bad > 1) {
        int32_t probe = bad + (good - bad) / 2;
        if (fill->finish_s(fill->ctx, worker, probe, hi) <= by_s) {
            good = probe;
        } else {
            bad = probe;
        }
    }
    return good;
}

bool kit_fill_near(int32_t *cuts, int32_t *least, const struct kit_fill *fill,
                   const int32_t *wanted, double by_s)
{
    /* least[i]: the workers from i on get done only if they begin there or later. */
    least[fill->n] = fill->total;
    for (uint32_t i = fill->n; i-- > 0;) {
        least[i] = least_start(fill, i, least[i + 1], by_s);
    }
    cuts[0] = 0;
    for (uint32_t i = 0; i < fill->n && least[0] == 0; i++) {
        int32_t hint = wanted[i + 1] - cuts[i];
        int32_t most = cuts[i] + most_lines(fill, i, cuts[i], hint, by_s);
        int32_t cut = wanted[i + 1] < most ? wanted[i + 1] : most;
        cut = cut > least[i + 1] ? cut : least[i + 1];
        cuts[i + 1] = cut > cuts[i] ? cut : cuts[i];
    }
    return least[0] == 0;
}
