#include "scheme.h"

#include <stdlib.h>
#include <string.h>

#include "common/channels.h"
#include "common/plugin.h"
#include "common/share.h"

/* ------------------------------------------------------------------ life */

int32_t scheme_space_init(struct scheme_space *space, const struct kit_net *net,
                          const struct kit_blocks *blocks)
{
    *space = (struct scheme_space){
        .net = net, .blocks = blocks, .n_devices = net->host->device_count(net->host)};
    space->channels = calloc(blocks->n + 1u, sizeof *space->channels);
    if (!space->channels) {
        return kit_fail_memory(net->host);
    }
    for (uint32_t b = 0; b < blocks->n; b++) {
        space->channels[b] = kit_block_channels(net, &blocks->items[b]);
    }
    return EW_STRATEGY_OK;
}

void scheme_space_fini(struct scheme_space *space)
{
    free(space->channels);
    *space = (struct scheme_space){0};
}

int32_t scheme_init(struct scheme *scheme, const struct scheme_space *space)
{
    const size_t n = space->blocks->n ? space->blocks->n : 1;
    scheme->last = calloc(n, sizeof *scheme->last);
    scheme->axis = calloc(n, sizeof *scheme->axis);
    scheme->counts = calloc(n * space->n_devices, sizeof *scheme->counts);
    return scheme->last && scheme->axis && scheme->counts ? EW_STRATEGY_OK
                                                          : kit_fail_memory(space->net->host);
}

void scheme_fini(struct scheme *scheme)
{
    free(scheme->last);
    free(scheme->axis);
    free(scheme->counts);
    *scheme = (struct scheme){0};
}

void scheme_copy(struct scheme *to, const struct scheme *from, const struct scheme_space *space)
{
    to->n = from->n;
    memcpy(to->last, from->last, from->n * sizeof *to->last);
    memcpy(to->axis, from->axis, from->n * sizeof *to->axis);
    memcpy(to->counts, from->counts, (size_t)from->n * space->n_devices * sizeof *to->counts);
}

/* ------------------------------------------------------------------ units */

int32_t scheme_axis_units(const struct scheme_space *space, uint32_t first, uint32_t last,
                          enum scheme_axis axis)
{
    if (axis == AXIS_LINES) {
        const bool is_banded = kit_blocks_banded_run(space->blocks, first) > last - first;
        return is_banded ? space->blocks->items[last].extent : 0;
    }
    if (axis == AXIS_CHANNELS) {
        return first == last ? space->channels[last] : 0;
    }
    return space->net->batch;
}

int32_t scheme_units(const struct scheme *scheme, const struct scheme_space *space, uint32_t volume)
{
    const int32_t units =
        scheme_axis_units(space, scheme_first(scheme, volume), scheme->last[volume],
                          (enum scheme_axis)scheme->axis[volume]);
    return units > 1 ? units : 1;
}

/* ------------------------------------------------------------------ making */

void scheme_append_whole(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                         uint32_t device)
{
    const uint32_t volume = scheme->n++;
    int32_t *counts = scheme_counts(scheme, space, volume);
    scheme->last[volume] = last;
    scheme->axis[volume] = AXIS_LINES;
    memset(counts, 0, space->n_devices * sizeof *counts);
    counts[device] = scheme_units(scheme, space, volume);
}

void scheme_append_shared(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                          enum scheme_axis axis, const double *weights)
{
    const uint32_t volume = scheme->n++;
    scheme->last[volume] = last;
    scheme->axis[volume] = (uint8_t)axis;
    kit_round_shares(scheme_counts(scheme, space, volume), weights, space->n_devices,
                     scheme_units(scheme, space, volume));
}

void scheme_single(struct scheme *scheme, const struct scheme_space *space, uint32_t device)
{
    scheme->n = 0;
    for (uint32_t b = 0; b < space->blocks->n; b++) {
        scheme_append_whole(scheme, space, b, device);
    }
}

/* ------------------------------------------------------------------ changing */

/* Share the volume out again in the proportions of its counts. */
static void round_again(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                        double *shares)
{
    int32_t *counts = scheme_counts(scheme, space, volume);
    for (uint32_t d = 0; d < space->n_devices; d++) {
        shares[d] = counts[d];
    }
    kit_round_shares(counts, shares, space->n_devices, scheme_units(scheme, space, volume));
}

bool scheme_turn(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                 enum scheme_axis axis, double *shares)
{
    if (scheme->axis[volume] == axis ||
        scheme_axis_units(space, scheme_first(scheme, volume), scheme->last[volume], axis) < 2) {
        return false;
    }
    scheme->axis[volume] = (uint8_t)axis;
    round_again(scheme, space, volume, shares);
    return true;
}

/* A part that cannot be cut along the volume's axis lies on the device with most of it. */
void scheme_split(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                  uint32_t last, double *shares)
{
    const size_t n_behind = scheme->n - volume;
    memmove(scheme_counts(scheme, space, volume + 1), scheme_counts(scheme, space, volume),
            n_behind * space->n_devices * sizeof *scheme->counts);
    memmove(scheme->last + volume + 1, scheme->last + volume, n_behind * sizeof *scheme->last);
    memmove(scheme->axis + volume + 1, scheme->axis + volume, n_behind * sizeof *scheme->axis);
    scheme->last[volume] = last;
    scheme->n++;
    round_again(scheme, space, volume, shares);
    round_again(scheme, space, volume + 1, shares);
}

bool scheme_join(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                 double *shares)
{
    const size_t n_behind = scheme->n - volume - 1;
    const enum scheme_axis axis = (enum scheme_axis)scheme->axis[volume + 1];
    if (scheme_axis_units(space, scheme_first(scheme, volume), scheme->last[volume + 1], axis) <
        2) {
        return false;
    }
    memmove(scheme_counts(scheme, space, volume), scheme_counts(scheme, space, volume + 1),
            n_behind * space->n_devices * sizeof *scheme->counts);
    memmove(scheme->last + volume, scheme->last + volume + 1, n_behind * sizeof *scheme->last);
    memmove(scheme->axis + volume, scheme->axis + volume + 1, n_behind * sizeof *scheme->axis);
    scheme->n--;
    round_again(scheme, space, volume, shares);
    return true;
}

/* ------------------------------------------------------------------ pieces */

/* A box of every layer of the volume for units [lo, hi). */
static int32_t cut_boxes(struct ew_tensor_box *boxes, const struct scheme *scheme,
                         const struct scheme_space *space, uint32_t volume, int32_t lo, int32_t hi)
{
    const struct kit_net *net = space->net;
    const uint32_t first = scheme_first(scheme, volume), last = scheme->last[volume];
    const int32_t units = scheme_units(scheme, space, volume);
    if (scheme->axis[volume] == AXIS_LINES) {
        const struct kit_tile tile = kit_band_tile(net, lo, hi, units);
        return kit_volume_boxes(boxes, net, space->blocks, first, last, &tile);
    }
    const uint32_t end = space->blocks->items[last].end;
    for (uint32_t i = space->blocks->items[first].begin; i < end; i++) {
        const uint32_t layer = net->order[i];
        if (scheme->axis[volume] == AXIS_CHANNELS) {
            boxes[layer] = kit_channel_box(net, layer, lo, hi, units);
        } else {
            boxes[layer] = kit_full_box(net, layer);
            boxes[layer].lo[0] = lo;
            boxes[layer].hi[0] = hi;
        }
    }
    return EW_STRATEGY_OK;
}

static int32_t draft_volume(struct kit_draft *draft, const struct scheme *scheme,
                            const struct scheme_space *space, uint32_t volume,
                            struct ew_tensor_box *boxes)
{
    const uint32_t first = scheme_first(scheme, volume), last = scheme->last[volume];
    const int32_t *counts = scheme_counts(scheme, space, volume);
    const int32_t units = scheme_units(scheme, space, volume);
    int32_t lo = 0, rc = EW_STRATEGY_OK;
    for (uint32_t d = 0; d < space->n_devices && rc >= 0; d++) {
        if (counts[d] == units) {
            return kit_draft_blocks(draft, space->blocks, first, last, d);
        }
        if (counts[d] == 0) {
            continue;
        }
        rc = cut_boxes(boxes, scheme, space, volume, lo, lo + counts[d]);
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
