/* Every scheme, where there are few. A volume on one device is the same plan however it is cut, so
 * whole volumes have one block, and others lie on two devices at least. */
#include <math.h>
#include <string.h>

#include "search.h"

/* ------------------------------------------------------------------ counting */

/* Ways to share out `units` over n devices, two of them at least. */
static double count_shares(int32_t units, uint32_t n)
{
    double ways = 1.0;
    for (uint32_t d = 1; d < n; d++) {
        ways *= ((double)units + d) / d;
    }
    return units > 1 ? ways - n : 0.0;
}

static double count_volumes(const struct scheme_space *space, uint32_t first, uint32_t last)
{
    double ways = first == last ? space->n_devices : 0.0;
    for (int axis = 0; axis < N_AXES; axis++) {
        const int32_t units = scheme_axis_units(space, first, last, (enum scheme_axis)axis);
        ways += count_shares(units, space->n_devices);
    }
    return ways;
}

/* ways(b) = sum over e of volumes(b, e) * ways(e + 1), from the back; ways are kept for the blocks
 * behind b only as long as volumes reach. */
double search_count_schemes(const struct scheme_space *space)
{
    enum { MOST_BLOCKS = 256 };
    double ways[MOST_BLOCKS + 1];
    const uint32_t n = space->blocks->n;
    if (n > MOST_BLOCKS) {
        return 1e300;
    }
    ways[n] = 1.0;
    for (uint32_t b = n; b-- > 0;) {
        ways[b] = 0.0;
        for (uint32_t e = b; e < n; e++) {
            ways[b] += count_volumes(space, b, e) * ways[e + 1];
        }
        ways[b] = fmin(ways[b], 1e300);
    }
    return ways[0];
}

/* ------------------------------------------------------------------ going through them */

/* The next way to share out; all on device 0 is the first. False behind the last. */
static bool next_shares(int32_t *counts, uint32_t n)
{
    uint32_t i = 0;
    while (counts[i] == 0) {
        i++;
    }
    if (i + 1 == n) {
        return false;
    }
    const int32_t all = counts[i];
    counts[i] = 0;
    counts[0] = all - 1;
    counts[i + 1]++;
    return true;
}

static int32_t place(struct search *s, uint32_t block);

/* Blocks [block, last] along the axis, in every way that has two devices, and all behind them. */
static int32_t place_shared(struct search *s, uint32_t block, uint32_t last, enum scheme_axis axis)
{
    struct scheme *trial = &s->trial;
    const int32_t units = scheme_axis_units(&s->space, block, last, axis);
    if (units < 2 || s->space.n_devices < 2) {
        return EW_STRATEGY_OK;
    }
    const uint32_t volume = trial->n;
    int32_t *counts = scheme_counts(trial, &s->space, volume);
    int32_t rc = EW_STRATEGY_OK;
    memset(counts, 0, s->space.n_devices * sizeof *counts);
    counts[0] = units;
    do {
        bool is_whole = false;
        for (uint32_t d = 0; d < s->space.n_devices; d++) {
            is_whole = is_whole || counts[d] == units;
        }
        if (!is_whole) {
            trial->last[volume] = last;
            trial->axis[volume] = (uint8_t)axis;
            trial->n = volume + 1;
            rc = place(s, last + 1);
        }
    } while (rc >= 0 && next_shares(counts, s->space.n_devices));
    trial->n = volume;
    return rc;
}

/* trial has all volumes before `block`; recursion as deep as there are blocks. */
static int32_t place(struct search *s, uint32_t block)
{
    const uint32_t n_blocks = s->space.blocks->n;
    int32_t rc = EW_STRATEGY_OK;
    if (block == n_blocks) {
        return search_try_start(s, START_SINGLE);
    }
    const uint32_t volume = s->trial.n;
    for (uint32_t d = 0; d < s->space.n_devices && rc >= 0; d++) {
        scheme_append_whole(&s->trial, &s->space, block, d);
        rc = place(s, block + 1);
        s->trial.n = volume;
    }
    for (uint32_t last = block; last < n_blocks && rc >= 0; last++) {
        for (int axis = 0; axis < N_AXES && rc >= 0; axis++) {
            rc = place_shared(s, block, last, (enum scheme_axis)axis);
        }
    }
    return rc;
}

int32_t search_try_all(struct search *s)
{
    s->trial.n = 0;
    return place(s, 0);
}
