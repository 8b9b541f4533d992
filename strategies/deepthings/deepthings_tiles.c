#include "deepthings/deepthings_tiles.h"

#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"

void deepthings_output_size(int32_t size[2], const struct kit_net *net,
                            const struct kit_blocks *blocks, uint32_t last)
{
    const struct kit_block *block = &blocks->items[last];
    size[0] = 1;
    size[1] = 1;
    for (uint32_t i = 0; i < block->n_outputs; i++) {
        const int32_t *shape = net->layers[block->outputs[i]]->shape;
        if (shape[KIT_ROWS] > size[0]) {
            size[0] = shape[KIT_ROWS];
            size[1] = shape[KIT_COLUMNS];
        }
    }
}

int32_t deepthings_field_init(struct deepthings_field *field, const struct kit_net *net,
                              const struct kit_blocks *blocks, uint32_t last,
                              const struct deepthings_tile *tiles, uint32_t n_tiles)
{
    int32_t rc = EW_STRATEGY_OK;
    *field = (struct deepthings_field){
        .net = net, .blocks = blocks, .last = last, .tiles = tiles, .n_tiles = n_tiles};
    deepthings_output_size(field->size, net, blocks, last);
    field->boxes = calloc((size_t)n_tiles * net->n_layers, sizeof *field->boxes);
    if (!field->boxes) {
        return kit_fail_memory(net->host);
    }
    for (uint32_t t = 0; t < n_tiles && rc >= 0; t++) {
        struct kit_tile tile = {{tiles[t].lo[0], tiles[t].lo[1]},
                                {tiles[t].hi[0], tiles[t].hi[1]},
                                {field->size[0], field->size[1]}};
        rc =
            kit_volume_boxes(field->boxes + (size_t)t * net->n_layers, net, blocks, 0, last, &tile);
    }
    return rc;
}

void deepthings_field_fini(struct deepthings_field *field)
{
    free(field->boxes);
    memset(field, 0, sizeof *field);
}

const struct ew_tensor_box *deepthings_boxes(const struct deepthings_field *field, uint32_t tile)
{
    return field->boxes + (size_t)tile * field->net->n_layers;
}

/* ------------------------------------------------------------------ reuse */

/* True when `inner` lies within `outer` in every dimension but `d`. */
static bool spans_across(const struct ew_tensor_box *outer, const struct ew_tensor_box *inner,
                         int d)
{
    for (int k = 0; k < 4; k++) {
        if (k != d && (outer->lo[k] > inner->lo[k] || outer->hi[k] < inner->hi[k])) {
            return false;
        }
    }
    return true;
}

/* Take away from `box` the strip at its side `k` (up, down, left, right) that `held` covers. What
 * is left is a box, since neighbours in a grid reach as far to the sides. Returns the elements
 * taken. */
static uint64_t cut_strip(struct ew_tensor_box *box, const struct ew_tensor_box *held, int k)
{
    int d = k < 2 ? KIT_ROWS : KIT_COLUMNS;
    uint64_t before = kit_box_elements(box);
    if (before == 0 || kit_box_is_empty(held) || !spans_across(held, box, d)) {
        return 0;
    }
    bool is_low_side = k % 2 == 0;
    if (is_low_side && held->lo[d] <= box->lo[d] && held->hi[d] > box->lo[d]) {
        box->lo[d] = held->hi[d] < box->hi[d] ? held->hi[d] : box->hi[d];
    }
    if (!is_low_side && held->hi[d] >= box->hi[d] && held->lo[d] < box->hi[d]) {
        box->hi[d] = held->lo[d] > box->lo[d] ? held->lo[d] : box->lo[d];
    }
    return before - kit_box_elements(box);
}

static void drop_overlap(struct ew_tensor_box *box, double *overlap_bytes,
                         const struct deepthings_field *field, uint32_t tile, uint32_t layer)
{
    for (int k = 0; k < 4; k++) {
        uint32_t neighbour = field->tiles[tile].neighbours[k];
        if (neighbour == DEEPTHINGS_NONE) {
            continue;
        }
        uint64_t elements = cut_strip(box, &deepthings_boxes(field, neighbour)[layer], k);
        overlap_bytes[k] += (double)elements * field->net->graph->activation_bytes_per_element;
    }
}

/* Outputs of the volume keep their boxes: neighbours' tiles do not overlap there. */
static bool is_volume_output(const struct deepthings_field *field, uint32_t layer)
{
    for (uint32_t b = 0; b <= field->last; b++) {
        const struct kit_block *block = &field->blocks->items[b];
        for (uint32_t i = 0; i < block->n_outputs; i++) {
            if (block->outputs[i] == layer &&
                (b == field->last || kit_is_exit_layer(field->net, layer))) {
                return true;
            }
        }
    }
    return false;
}

static int32_t read_inputs(struct ew_tensor_box *out, const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    for (uint32_t k = 0; k < info->n_inputs; k++) {
        struct ew_tensor_box in;
        int32_t rc = net->host->input_box(net->host, net->variant, layer, k, &out[layer], &in);
        if (rc < 0) {
            return rc;
        }
        kit_box_widen(&out[info->inputs[k]], &in);
    }
    return EW_STRATEGY_OK;
}

int32_t deepthings_reduce(struct ew_tensor_box *out, double *overlap_bytes,
                          const struct deepthings_field *field, uint32_t tile)
{
    const struct kit_net *net = field->net;
    const struct ew_tensor_box *full = deepthings_boxes(field, tile);
    int32_t rc = EW_STRATEGY_OK;
    memset(out, 0, net->n_layers * sizeof *out);
    memset(overlap_bytes, 0, 4 * sizeof *overlap_bytes);
    for (uint32_t i = field->blocks->items[field->last].end; i-- > 0 && rc >= 0;) {
        uint32_t layer = net->order[i];
        if (is_volume_output(field, layer)) {
            out[layer] = full[layer];
        } else {
            drop_overlap(&out[layer], overlap_bytes, field, tile, layer);
        }
        if (!kit_box_is_empty(&out[layer])) {
            rc = read_inputs(out, net, layer);
        }
    }
    return rc;
}
