#include "common/reach.h"

#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "common/share.h"

/* ------------------------------------------------------------------ tables */

static int32_t fill_table(struct kit_reach *reach, uint32_t layer, uint32_t input)
{
    const struct kit_net *net = reach->net;
    int32_t extent = kit_layer_extent(net, layer);
    int32_t in_extent = kit_layer_extent(net, net->layers[layer]->inputs[input]);
    size_t at = reach->at[reach->first_edge[layer] + input];
    int32_t *lo = reach->lo + at;
    int32_t *hi = reach->hi + at;
    for (int32_t line = 0; line < extent; line++) {
        struct ew_tensor_box out = kit_band_box(net, layer, line, line + 1);
        struct ew_tensor_box in;
        int32_t rc = net->host->input_box(net->host, net->variant, layer, input, &out, &in);
        if (rc < 0) {
            return rc;
        }
        bool is_empty = kit_box_is_empty(&in);
        lo[line] = is_empty ? in_extent : in.lo[net->dim];
        hi[line] = is_empty ? 0 : in.hi[net->dim];
    }
    for (int32_t line = extent - 1; line > 0; line--) {
        lo[line - 1] = lo[line] < lo[line - 1] ? lo[line] : lo[line - 1];
    }
    for (int32_t line = 1; line < extent; line++) {
        hi[line] = hi[line - 1] > hi[line] ? hi[line - 1] : hi[line];
    }
    return EW_STRATEGY_OK;
}

static bool has_tables(const struct kit_reach *reach, uint32_t layer)
{
    if (!reach->blocks) {
        return reach->net->place[layer] == KIT_BANDED;
    }
    uint32_t b = reach->blocks->block_of[layer];
    return b != EW_ID_NONE && reach->blocks->items[b].is_banded;
}

/* Number the edges that have tables; gives their count and the sum of their table lengths. */
static void lay_out(struct kit_reach *reach, uint32_t *n_edges, size_t *n_lines)
{
    const struct kit_net *net = reach->net;
    *n_edges = 0;
    *n_lines = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        reach->first_edge[l] = *n_edges;
        if (!has_tables(reach, l)) {
            continue;
        }
        for (uint32_t k = 0; k < net->layers[l]->n_inputs; k++) {
            if (reach->at) {
                reach->at[*n_edges] = *n_lines;
            }
            (*n_edges)++;
            *n_lines += (size_t)kit_layer_extent(net, l);
        }
    }
}

int32_t kit_reach_init(struct kit_reach *reach, const struct kit_net *net,
                       const struct kit_blocks *blocks)
{
    uint32_t n_edges;
    size_t n_lines;
    reach->net = net;
    reach->blocks = blocks;
    reach->first_edge = calloc(net->n_layers, sizeof *reach->first_edge);
    if (!reach->first_edge) {
        return kit_fail_memory(net->host);
    }
    lay_out(reach, &n_edges, &n_lines);
    reach->at = calloc(n_edges + 1u, sizeof *reach->at);
    reach->lo = calloc(n_lines + 1u, sizeof *reach->lo);
    reach->hi = calloc(n_lines + 1u, sizeof *reach->hi);
    if (!reach->at || !reach->lo || !reach->hi) {
        return kit_fail_memory(net->host);
    }
    lay_out(reach, &n_edges, &n_lines);
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        uint32_t n_inputs = has_tables(reach, l) ? net->layers[l]->n_inputs : 0;
        for (uint32_t k = 0; k < n_inputs && rc >= 0; k++) {
            rc = fill_table(reach, l, k);
        }
    }
    return rc;
}

void kit_reach_fini(struct kit_reach *reach)
{
    free(reach->first_edge);
    free(reach->at);
    free(reach->lo);
    free(reach->hi);
    memset(reach, 0, sizeof *reach);
}

/* ------------------------------------------------------------------ spans */

static void widen(struct kit_span *span, int32_t lo, int32_t hi)
{
    if (lo >= hi) {
        return;
    }
    if (span->lo >= span->hi) {
        *span = (struct kit_span){lo, hi};
        return;
    }
    span->lo = lo < span->lo ? lo : span->lo;
    span->hi = hi > span->hi ? hi : span->hi;
}

struct kit_span kit_reach_input(const struct kit_reach *reach, uint32_t layer, uint32_t input,
                                int32_t lo, int32_t hi)
{
    size_t at = reach->at[reach->first_edge[layer] + input];
    return (struct kit_span){reach->lo[at + (size_t)lo], reach->hi[at + (size_t)hi - 1]};
}

static bool is_entering(const struct kit_block *block, uint32_t layer)
{
    for (uint32_t i = 0; i < block->n_entering; i++) {
        if (block->entering[i] == layer) {
            return true;
        }
    }
    return false;
}

/* What is asked of the block: the volume's output, answers, and what the next block reads of it. */
static void set_outputs(struct kit_span *spans, const struct kit_reach *reach, uint32_t b,
                        uint32_t last, int32_t lo, int32_t hi)
{
    const struct kit_block *block = &reach->blocks->items[b];
    const int32_t of = reach->blocks->items[last].extent;
    for (uint32_t i = 0; i < block->n_outputs; i++) {
        const uint32_t layer = block->outputs[i];
        const int32_t extent = kit_layer_extent(reach->net, layer);
        if (b == last || !is_entering(block + 1, layer)) {
            spans[layer] = (struct kit_span){0, 0};
        }
        if (b == last || kit_is_exit_layer(reach->net, layer)) {
            widen(&spans[layer], kit_map_cut(lo, of, extent), kit_map_cut(hi, of, extent));
        }
    }
}

static void clear_inside(struct kit_span *spans, const struct kit_net *net,
                         const struct kit_block *block)
{
    for (uint32_t i = block->begin; i < block->end; i++) {
        const uint32_t layer = net->order[i];
        bool is_output = false;
        for (uint32_t k = 0; k < block->n_outputs; k++) {
            is_output = is_output || block->outputs[k] == layer;
        }
        spans[layer] = is_output ? spans[layer] : (struct kit_span){0, 0};
    }
    for (uint32_t i = 0; i < block->n_entering; i++) {
        spans[block->entering[i]] = (struct kit_span){0, 0};
    }
}

void kit_reach_back(struct kit_span *spans, const struct kit_reach *reach, uint32_t block,
                    uint32_t last, int32_t lo, int32_t hi)
{
    const struct kit_net *net = reach->net;
    const struct kit_block *items = &reach->blocks->items[block];
    set_outputs(spans, reach, block, last, lo, hi);
    clear_inside(spans, net, items);
    for (uint32_t i = items->end; i-- > items->begin;) {
        uint32_t layer = net->order[i];
        struct kit_span span = spans[layer];
        if (span.lo >= span.hi) {
            continue;
        }
        const struct ew_layer_info *info = net->layers[layer];
        for (uint32_t k = 0; k < info->n_inputs; k++) {
            struct kit_span in = kit_reach_input(reach, layer, k, span.lo, span.hi);
            widen(&spans[info->inputs[k]], in.lo, in.hi);
        }
    }
}

void kit_reach_spans(struct kit_span *spans, const struct kit_reach *reach, uint32_t first,
                     uint32_t last, int32_t lo, int32_t hi)
{
    for (uint32_t b = last + 1; b-- > first;) {
        kit_reach_back(spans, reach, b, last, lo, hi);
    }
}
