/* Common plans to begin from; of each kind the best is kept. */
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "search.h"

static int32_t try_singles(struct search *s)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t d = 0; d < s->space.n_devices && rc >= 0; d++) {
        scheme_single(&s->trial, &s->space, d);
        rc = search_try_start(s, START_SINGLE);
    }
    return rc;
}

/* Blocks before `cut` on `a`, the rest on `b`. */
static int32_t try_cut(struct search *s, uint32_t cut, uint32_t a, uint32_t b)
{
    s->trial.n = 0;
    for (uint32_t k = 0; k < s->space.blocks->n; k++) {
        scheme_append_whole(&s->trial, &s->space, k, k < cut ? a : b);
    }
    return search_try_start(s, START_CUT);
}

/* Source first, another device then, or the other way round; at most a third of the budget. */
static int32_t try_cuts(struct search *s)
{
    const struct ew_host *host = s->space.net->host;
    const uint32_t source = host->requirements(host)->source_device;
    const uint32_t limit = s->spent + s->budget / 3;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t cut = 1; cut < s->space.blocks->n && rc >= 0; cut++) {
        for (uint32_t d = 0; d < s->space.n_devices && rc >= 0 && s->spent < limit; d++) {
            rc = d == source ? rc : try_cut(s, cut, source, d);
            if (rc >= 0 && d != source) {
                rc = try_cut(s, cut, d, source);
            }
        }
    }
    return rc;
}

/* Banded blocks in volumes of `length`, shared out by weights; other blocks on `owner`. */
static int32_t try_shared(struct search *s, uint32_t length, const double *weights, uint32_t owner)
{
    const uint32_t n = s->space.blocks->n;
    s->trial.n = 0;
    for (uint32_t b = 0; b < n;) {
        const uint32_t run = kit_blocks_banded_run(s->space.blocks, b);
        if (run == 0) {
            scheme_append_whole(&s->trial, &s->space, b++, owner);
        } else {
            const uint32_t taken = run < length ? run : length;
            scheme_append_shared(&s->trial, &s->space, b + taken - 1, AXIS_LINES, weights);
            b += taken;
        }
    }
    return search_try_start(s, START_SHARED);
}

/* The first `length` blocks as one shared volume, the rest on `owner`. */
static int32_t try_prefix(struct search *s, uint32_t length, const double *weights, uint32_t owner)
{
    s->trial.n = 0;
    scheme_append_shared(&s->trial, &s->space, length - 1, AXIS_LINES, weights);
    for (uint32_t b = length; b < s->space.blocks->n; b++) {
        scheme_append_whole(&s->trial, &s->space, b, owner);
    }
    return search_try_start(s, START_PREFIX);
}

static int32_t try_prefixes(struct search *s, const double *weights, uint32_t owner)
{
    const uint32_t run = kit_blocks_banded_run(s->space.blocks, 0);
    const uint32_t limit = s->spent + s->budget / 8;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t length = 1; length <= run && rc >= 0 && s->spent < limit; length++) {
        rc = try_prefix(s, length, weights, owner);
    }
    return rc;
}

static void set_weights(double *weights, const double *speed, const uint32_t *order, uint32_t m,
                        uint32_t n, bool is_equal)
{
    memset(weights, 0, n * sizeof *weights);
    for (uint32_t i = 0; i < m; i++) {
        weights[order[i]] = is_equal ? 1 : speed[order[i]];
    }
}

/* The whole network, images of the batch shared out. */
static int32_t try_images(struct search *s, const double *weights)
{
    const uint32_t last = s->space.blocks->n - 1;
    if (scheme_axis_units(&s->space, 0, last, AXIS_IMAGES) < 2) {
        return EW_STRATEGY_OK;
    }
    s->trial.n = 0;
    scheme_append_shared(&s->trial, &s->space, last, AXIS_IMAGES, weights);
    return search_try_start(s, START_IMAGES);
}

/* The m fastest devices by their time for the whole network, equally or in proportion, in volumes
 * of several lengths. */
static int32_t try_all_shared(struct search *s)
{
    const uint32_t n = s->space.n_devices;
    const struct ew_host *host = s->space.net->host;
    const uint32_t source = host->requirements(host)->source_device;
    uint32_t *order = malloc(n * sizeof *order);
    double *speed = malloc(2 * (size_t)n * sizeof *speed), *weights = speed ? speed + n : NULL;
    int32_t rc = order && speed ? EW_STRATEGY_OK : kit_fail_memory(host);
    for (uint32_t d = 0; d < n && rc >= 0; d++) {
        uint32_t at = d;
        speed[d] = kit_device_capability(s->space.net, d, KIT_CAPABILITY_PROFILE);
        for (; at > 0 && speed[order[at - 1]] < speed[d]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = d;
    }
    for (uint32_t m = 2; m <= n && rc >= 0 && s->spent < s->budget / 2; m++) {
        set_weights(weights, speed, order, m, n, false);
        rc = try_images(s, weights);
        rc = rc < 0 ? rc : try_prefixes(s, weights, order[0]);
        for (uint32_t length = 1; length <= s->space.blocks->n * 2 && rc >= 0; length *= 2) {
            for (int equal = 0; equal < 2 && rc >= 0; equal++) {
                set_weights(weights, speed, order, m, n, equal);
                rc = try_shared(s, length, weights, order[0]);
                if (rc >= 0 && order[0] != source) {
                    rc = try_shared(s, length, weights, source);
                }
            }
        }
    }
    free(order);
    free(speed);
    return rc;
}

int32_t search_try_starts(struct search *s)
{
    int32_t rc = try_singles(s);
    rc = rc < 0 ? rc : search_try_sequences(s);
    rc = rc < 0 ? rc : try_all_shared(s);
    return rc < 0 ? rc : try_cuts(s);
}
