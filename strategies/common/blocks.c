#include "common/blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "common/share.h"

/* ------------------------------------------------------------------ where blocks end */

/* The cut behind net->order[i] may end a block: the next layer does not belong to the same unit. */
static bool ends_unit(const struct kit_net *net, uint32_t i)
{
    return i + 1 == net->n_order || net->unit_of[net->order[i + 1]] != net->unit_of[net->order[i]];
}

static bool are_all_banded(const struct kit_net *net, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        if (net->place[net->order[i]] != KIT_BANDED) {
            return false;
        }
    }
    return true;
}

static void add_block(struct kit_blocks *blocks, const struct kit_net *net, uint32_t begin,
                      uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        blocks->block_of[net->order[i]] = blocks->n;
    }
    blocks->items[blocks->n++] = (struct kit_block){
        .begin = begin, .end = end, .is_banded = are_all_banded(net, begin, end)};
}

static void split(struct kit_blocks *blocks, const struct kit_net *net, const uint32_t *cuts,
                  uint32_t n_cuts)
{
    uint32_t begin = 0;
    uint32_t next_cut = 0;
    for (uint32_t i = 0; i < net->n_order; i++) {
        while (next_cut < n_cuts && cuts[next_cut] < net->order[i]) {
            next_cut++;
        }
        bool is_cut = next_cut < n_cuts && cuts[next_cut] == net->order[i];
        if ((is_cut && ends_unit(net, i)) || i + 1 == net->n_order) {
            add_block(blocks, net, begin, i + 1);
            begin = i + 1;
        }
    }
}

/* ------------------------------------------------------------------ what enters and leaves */

static bool is_listed(const uint32_t *list, uint32_t n, uint32_t id)
{
    for (uint32_t i = 0; i < n; i++) {
        if (list[i] == id) {
            return true;
        }
    }
    return false;
}

static uint32_t list_entering(uint32_t *out, const struct kit_blocks *blocks,
                              const struct kit_net *net, uint32_t b)
{
    uint32_t n = 0;
    for (uint32_t i = blocks->items[b].begin; i < blocks->items[b].end; i++) {
        const struct ew_layer_info *info = net->layers[net->order[i]];
        for (uint32_t k = 0; k < info->n_inputs; k++) {
            if (blocks->block_of[info->inputs[k]] != b && !is_listed(out, n, info->inputs[k])) {
                out[n++] = info->inputs[k];
            }
        }
    }
    return n;
}

static bool leaves(const struct kit_blocks *blocks, const struct kit_net *net, uint32_t b,
                   uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    for (uint32_t i = 0; i < info->n_consumers; i++) {
        uint32_t reader = blocks->block_of[info->consumers[i]];
        if (reader != EW_ID_NONE && reader != b) {
            return true;
        }
    }
    return kit_is_exit_layer(net, layer);
}

static void link_blocks(struct kit_blocks *blocks, const struct kit_net *net)
{
    uint32_t *next = blocks->ids;
    for (uint32_t b = 0; b < blocks->n; b++) {
        struct kit_block *block = &blocks->items[b];
        block->entering = next;
        block->n_entering = list_entering(next, blocks, net, b);
        next += block->n_entering;
        block->outputs = next;
        for (uint32_t i = block->begin; i < block->end; i++) {
            uint32_t layer = net->order[i];
            if (leaves(blocks, net, b, layer)) {
                int32_t extent = kit_layer_extent(net, layer);
                block->extent = extent > block->extent ? extent : block->extent;
                block->has_answer = block->has_answer || kit_is_exit_layer(net, layer);
                next[block->n_outputs++] = layer;
            }
        }
        next += block->n_outputs;
    }
}

/* ------------------------------------------------------------------ life */

int32_t kit_blocks_init(struct kit_blocks *blocks, const struct kit_net *net)
{
    size_t n_ids = net->n_layers;
    for (uint32_t i = 0; i < net->n_order; i++) {
        n_ids += net->layers[net->order[i]]->n_inputs;
    }
    uint32_t *cuts = calloc(net->n_order + 1u, sizeof *cuts);
    blocks->items = calloc(net->n_order + 1u, sizeof *blocks->items);
    blocks->block_of = calloc(net->n_layers, sizeof *blocks->block_of);
    blocks->ids = calloc(n_ids, sizeof *blocks->ids);
    if (!cuts || !blocks->items || !blocks->block_of || !blocks->ids) {
        free(cuts);
        return kit_fail_memory(net->host);
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        blocks->block_of[l] = EW_ID_NONE;
    }
    split(blocks, net, cuts, kit_net_cut_layers(net, cuts));
    link_blocks(blocks, net);
    free(cuts);
    return EW_STRATEGY_OK;
}

void kit_blocks_fini(struct kit_blocks *blocks)
{
    free(blocks->items);
    free(blocks->block_of);
    free(blocks->ids);
    memset(blocks, 0, sizeof *blocks);
}

uint32_t kit_blocks_banded_run(const struct kit_blocks *blocks, uint32_t first)
{
    uint32_t n = 0;
    while (first + n < blocks->n && blocks->items[first + n].is_banded) {
        n++;
    }
    return n;
}

uint32_t kit_blocks_banded(const struct kit_blocks *blocks)
{
    uint32_t n = 0;
    for (uint32_t b = 0; b < blocks->n; b++) {
        n += blocks->items[b].is_banded;
    }
    return n;
}

void kit_volume_name(char *out, size_t size, const struct kit_net *net,
                     const struct kit_blocks *blocks, uint32_t first, uint32_t last)
{
    uint32_t from = net->order[blocks->items[first].begin];
    uint32_t to = net->order[blocks->items[last].end - 1];
    snprintf(out, size, "%s%s%s", net->layers[from]->name, from == to ? "" : "..",
             from == to ? "" : net->layers[to]->name);
}

/* ------------------------------------------------------------------ boxes of a volume */

bool kit_box_is_empty(const struct ew_tensor_box *box)
{
    for (int d = 0; d < 4; d++) {
        if (box->lo[d] >= box->hi[d]) {
            return true;
        }
    }
    return false;
}

uint64_t kit_box_elements(const struct ew_tensor_box *box)
{
    uint64_t n = 1;
    for (int d = 0; d < 4; d++) {
        n *= box->hi[d] > box->lo[d] ? (uint64_t)(box->hi[d] - box->lo[d]) : 0;
    }
    return n;
}

struct kit_tile kit_band_tile(const struct kit_net *net, int32_t lo, int32_t hi, int32_t of)
{
    int d = net->dim - KIT_ROWS;
    struct kit_tile tile = {{0, 0}, {1, 1}, {1, 1}};
    tile.lo[d] = lo;
    tile.hi[d] = hi;
    tile.of[d] = of;
    return tile;
}

double kit_box_bytes(const struct kit_net *net, uint32_t layer, const struct ew_tensor_box *box)
{
    double element_bytes = net->layers[layer]->is_input ? net->graph->input_bytes_per_element
                                                        : net->graph->activation_bytes_per_element;
    return (double)kit_box_elements(box) * element_bytes;
}

void kit_box_widen(struct ew_tensor_box *box, const struct ew_tensor_box *other)
{
    if (kit_box_is_empty(other)) {
        return;
    }
    if (kit_box_is_empty(box)) {
        *box = *other;
        return;
    }
    for (int d = 0; d < 4; d++) {
        box->lo[d] = other->lo[d] < box->lo[d] ? other->lo[d] : box->lo[d];
        box->hi[d] = other->hi[d] > box->hi[d] ? other->hi[d] : box->hi[d];
    }
}

static struct ew_tensor_box tile_of_layer(const struct kit_net *net, uint32_t layer,
                                          const struct kit_tile *tile)
{
    struct ew_tensor_box box = kit_full_box(net, layer);
    for (int d = 0; d < 2; d++) {
        int32_t extent = box.hi[KIT_ROWS + d];
        box.lo[KIT_ROWS + d] = kit_map_cut(tile->lo[d], tile->of[d], extent);
        box.hi[KIT_ROWS + d] = kit_map_cut(tile->hi[d], tile->of[d], extent);
    }
    return box;
}

/* What the volume is for: the outputs of its last block, and answers on the way. */
static void set_outputs(struct ew_tensor_box *boxes, const struct kit_net *net,
                        const struct kit_blocks *blocks, uint32_t first, uint32_t last,
                        const struct kit_tile *tile)
{
    for (uint32_t b = first; b <= last; b++) {
        const struct kit_block *block = &blocks->items[b];
        uint32_t n = b == last || block->has_answer ? block->n_outputs : 0;
        for (uint32_t i = 0; i < n; i++) {
            if (b == last || kit_is_exit_layer(net, block->outputs[i])) {
                boxes[block->outputs[i]] = tile_of_layer(net, block->outputs[i], tile);
            }
        }
    }
}

int32_t kit_volume_boxes(struct ew_tensor_box *boxes, const struct kit_net *net,
                         const struct kit_blocks *blocks, uint32_t first, uint32_t last,
                         const struct kit_tile *tile)
{
    static const struct ew_tensor_box NOTHING = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    const struct ew_host *host = net->host;
    uint32_t begin = blocks->items[first].begin;
    uint32_t end = blocks->items[last].end;
    for (uint32_t i = begin; i < end; i++) {
        boxes[net->order[i]] = NOTHING;
    }
    for (uint32_t i = 0; i < blocks->items[first].n_entering; i++) {
        boxes[blocks->items[first].entering[i]] = NOTHING;
    }
    set_outputs(boxes, net, blocks, first, last, tile);
    for (uint32_t i = end; i-- > begin;) {
        uint32_t layer = net->order[i];
        const struct ew_layer_info *info = net->layers[layer];
        if (kit_box_is_empty(&boxes[layer])) {
            continue;
        }
        for (uint32_t k = 0; k < info->n_inputs; k++) {
            struct ew_tensor_box in;
            int32_t rc = host->input_box(host, net->variant, layer, k, &boxes[layer], &in);
            if (rc < 0) {
                return rc;
            }
            kit_box_widen(&boxes[info->inputs[k]], &in);
        }
    }
    return EW_STRATEGY_OK;
}
