#include "scheme.h"

#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "common/share.h"

int32_t scheme_init(struct scheme *scheme, const struct scheme_space *space)
{
    const size_t n = space->blocks->n ? space->blocks->n : 1;
    scheme->last = calloc(n, sizeof *scheme->last);
    scheme->counts = calloc(n * space->n_devices, sizeof *scheme->counts);
    return scheme->last && scheme->counts ? EW_STRATEGY_OK : kit_fail_memory(space->net->host);
}

void scheme_fini(struct scheme *scheme)
{
    free(scheme->last);
    free(scheme->counts);
    *scheme = (struct scheme){0};
}

void scheme_copy(struct scheme *to, const struct scheme *from, const struct scheme_space *space)
{
    to->n = from->n;
    memcpy(to->last, from->last, from->n * sizeof *to->last);
    memcpy(to->counts, from->counts, (size_t)from->n * space->n_devices * sizeof *to->counts);
}

int32_t scheme_lines(const struct scheme_space *space, uint32_t last)
{
    const struct kit_block *block = &space->blocks->items[last];
    return block->is_banded && block->extent > 0 ? block->extent : 1;
}

void scheme_append_whole(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                         uint32_t device)
{
    int32_t *counts = scheme_counts(scheme, space, scheme->n);
    memset(counts, 0, space->n_devices * sizeof *counts);
    counts[device] = scheme_lines(space, last);
    scheme->last[scheme->n++] = last;
}

int32_t scheme_append_shared(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                             const double *weights)
{
    kit_round_shares(scheme_counts(scheme, space, scheme->n), weights, space->n_devices,
                     scheme_lines(space, last));
    scheme->last[scheme->n++] = last;
    return EW_STRATEGY_OK;
}

void scheme_single(struct scheme *scheme, const struct scheme_space *space, uint32_t device)
{
    scheme->n = 0;
    for (uint32_t b = 0; b < space->blocks->n; b++) {
        scheme_append_whole(scheme, space, b, device);
    }
}

int32_t scheme_split(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                     uint32_t last)
{
    const uint32_t n = space->n_devices;
    double *shares = malloc(n * sizeof *shares);
    if (!shares) {
        return kit_fail_memory(space->net->host);
    }
    const size_t n_behind = scheme->n - volume;
    memmove(scheme_counts(scheme, space, volume + 1), scheme_counts(scheme, space, volume),
            n_behind * n * sizeof *scheme->counts);
    memmove(scheme->last + volume + 1, scheme->last + volume, n_behind * sizeof *scheme->last);
    scheme->last[volume] = last;
    scheme->n++;
    int32_t *counts = scheme_counts(scheme, space, volume);
    for (uint32_t d = 0; d < n; d++) {
        shares[d] = counts[d];
    }
    kit_round_shares(counts, shares, n, scheme_lines(space, last));
    free(shares);
    return EW_STRATEGY_OK;
}

void scheme_join(struct scheme *scheme, const struct scheme_space *space, uint32_t volume)
{
    const size_t n_behind = scheme->n - volume - 1;
    memmove(scheme_counts(scheme, space, volume), scheme_counts(scheme, space, volume + 1),
            n_behind * space->n_devices * sizeof *scheme->counts);
    memmove(scheme->last + volume, scheme->last + volume + 1, n_behind * sizeof *scheme->last);
    scheme->n--;
}

static int32_t draft_volume(struct kit_draft *draft, const struct scheme *scheme,
                            const struct scheme_space *space, uint32_t volume,
                            struct ew_tensor_box *boxes)
{
    const uint32_t first = scheme_first(scheme, volume), last = scheme->last[volume];
    const int32_t *counts = scheme_counts(scheme, space, volume);
    const int32_t lines = scheme_lines(space, last);
    int32_t lo = 0, rc = EW_STRATEGY_OK;
    for (uint32_t d = 0; d < space->n_devices && rc >= 0; d++) {
        if (counts[d] == lines) {
            return kit_draft_blocks(draft, space->blocks, first, last, d);
        }
        if (counts[d] == 0) {
            continue;
        }
        const struct kit_tile tile = kit_band_tile(space->net, lo, lo + counts[d], lines);
        rc = kit_volume_boxes(boxes, space->net, space->blocks, first, last, &tile);
        if (rc >= 0) {
            rc = kit_draft_volume(draft, space->blocks, first, last, boxes, d, EW_ID_NONE);
        }
        lo += counts[d];
    }
    return rc;
}

int32_t scheme_draft(struct kit_draft *draft, const struct scheme *scheme,
                     const struct scheme_space *space)
{
    struct ew_tensor_box *boxes = calloc(space->net->n_layers, sizeof *boxes);
    int32_t rc = boxes ? EW_STRATEGY_OK : kit_fail_memory(space->net->host);
    kit_draft_begin(draft, space->net);
    for (uint32_t v = 0; v < scheme->n && rc >= 0; v++) {
        rc = draft_volume(draft, scheme, space, v, boxes);
    }
    free(boxes);
    return rc;
}
