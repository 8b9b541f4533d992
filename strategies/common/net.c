#include "common/net.h"

#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "common/share.h"

/* ------------------------------------------------------------------ reading the graph */

static void mark_needed(struct kit_net *net, const struct ew_exit_info *exit)
{
    for (uint32_t i = 0; i < exit->n_layers; i++) {
        net->place[exit->layers[i]] = KIT_WHOLE;
    }
    for (uint32_t l = net->n_layers; l-- > 0;) {
        if (net->place[l] == KIT_ABSENT) {
            continue;
        }
        for (uint32_t i = 0; i < net->layers[l]->n_inputs; i++) {
            net->place[net->layers[l]->inputs[i]] = KIT_WHOLE;
        }
    }
}

/* Does the output line at `line` read every line of an input that has several? */
static bool reads_all_lines(const struct kit_net *net, uint32_t layer, uint32_t input, int32_t line)
{
    int32_t extent = kit_layer_extent(net, net->layers[layer]->inputs[input]);
    struct ew_tensor_box out = kit_band_box(net, layer, line, line + 1);
    struct ew_tensor_box in;
    if (extent < 2) {
        return false;
    }
    return net->host->input_box(net->host, net->variant, layer, input, &out, &in) != 0 ||
           in.hi[net->dim] - in.lo[net->dim] >= extent;
}

/* Convs and pools slide a window over the lines of their input. */
static bool slides(const struct ew_layer_info *info)
{
    return info->op_class == EW_LAYER_CONV || info->op_class == EW_LAYER_POOL;
}

/* A layer can be banded when it has several lines and each of them reads only some lines of the
 * inputs. Windows always slide; the rest is asked. */
static bool is_bandable(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    int32_t extent = kit_layer_extent(net, layer);
    if (extent < 2 || info->op_class == EW_LAYER_FC || strcmp(info->op, "opaque") == 0) {
        return false;
    }
    if (slides(info)) {
        return true;
    }
    for (uint32_t i = 0; i < info->n_inputs; i++) {
        /* A two-line tensor may be read whole by one line and not by the other. */
        if (reads_all_lines(net, layer, i, 0) && reads_all_lines(net, layer, i, extent - 1)) {
            return false;
        }
    }
    return true;
}

static void classify(struct kit_net *net)
{
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (net->place[l] == KIT_ABSENT) {
            continue;
        }
        if (net->layers[l]->is_input) {
            net->place[l] = KIT_INPUT;
            continue;
        }
        net->order[net->n_order++] = l;
        if (is_bandable(net, l)) {
            net->place[l] = KIT_BANDED;
            net->n_banded++;
        }
    }
}

/* ------------------------------------------------------------------ units */

uint32_t kit_count_readers(const struct kit_net *net, uint32_t layer)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < net->layers[layer]->n_consumers; i++) {
        n += net->place[net->layers[layer]->consumers[i]] != KIT_ABSENT;
    }
    return n;
}

/* Does `layer` do nothing but finish what its only input began, line by line? */
static bool joins_its_input(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    bool is_light = info->op_class == EW_LAYER_ELEMENTWISE || info->op_class == EW_LAYER_NORM ||
                    info->op_class == EW_LAYER_VIEW;
    if (!is_light || info->n_inputs != 1) {
        return false;
    }
    uint32_t input = info->inputs[0];
    bool is_aligned = net->place[layer] == KIT_WHOLE ||
                      kit_layer_extent(net, layer) == kit_layer_extent(net, input);
    return net->place[input] == net->place[layer] && is_aligned &&
           kit_count_readers(net, input) == 1 && !kit_is_exit_layer(net, input);
}

static void group_units(struct kit_net *net)
{
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t l = net->order[i];
        if (joins_its_input(net, l)) {
            net->unit_of[l] = net->unit_of[net->layers[l]->inputs[0]];
            struct kit_unit *unit = &net->units[net->unit_of[l]];
            unit->last = l;
            unit->n_layers++;
        } else {
            net->unit_of[l] = net->n_units;
            net->units[net->n_units++] =
                (struct kit_unit){.first = l, .last = l, .n_layers = 1, .place = net->place[l]};
        }
    }
}

/* ------------------------------------------------------------------ life */

static int32_t allocate(struct kit_net *net)
{
    size_t n = net->n_layers;
    net->layers = calloc(n, sizeof *net->layers);
    net->place = calloc(n, sizeof *net->place);
    net->unit_of = calloc(n, sizeof *net->unit_of);
    net->order = calloc(n, sizeof *net->order);
    net->units = calloc(n, sizeof *net->units);
    if (!net->layers || !net->place || !net->unit_of || !net->order || !net->units) {
        return kit_fail_memory(net->host);
    }
    return EW_STRATEGY_OK;
}

enum kit_dim kit_edge_dim(const struct ew_host *host)
{
    const struct ew_graph_info *graph = host->graph(host, 0);
    if (kit_param_is(host, "edge", "longer") && graph->n_inputs > 0) {
        const int32_t *shape = host->layer(host, 0, graph->inputs[0])->shape;
        return shape[KIT_COLUMNS] > shape[KIT_ROWS] ? KIT_COLUMNS : KIT_ROWS;
    }
    return kit_param_is(host, "edge", "columns") ? KIT_COLUMNS : KIT_ROWS;
}

int32_t kit_net_init(struct kit_net *net, const struct ew_host *host, uint32_t variant,
                     uint32_t exit, enum kit_dim dim)
{
    const struct ew_graph_info *graph = host->graph(host, variant);
    if (!graph || graph->n_layers == 0 || graph->n_exits == 0) {
        return kit_fail(host, EW_STRATEGY_EINTERNAL, "variant %u has no network", variant);
    }
    net->host = host;
    net->graph = graph;
    net->variant = variant;
    net->exit = exit == EW_ID_NONE ? graph->n_exits - 1 : exit;
    net->batch = host->requirements(host)->batch;
    net->dim = (int)dim;
    net->n_layers = graph->n_layers;
    const struct ew_exit_info *exit_info = host->exit(host, variant, net->exit);
    if (!exit_info) {
        return kit_fail(host, EW_STRATEGY_EINTERNAL, "variant %u has no exit %u", variant,
                        net->exit);
    }
    int32_t rc = allocate(net);
    if (rc) {
        return rc;
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        net->layers[l] = host->layer(host, variant, l);
        net->unit_of[l] = EW_ID_NONE;
    }
    net->extent = graph->n_inputs ? kit_layer_extent(net, graph->inputs[0]) : 1;
    mark_needed(net, exit_info);
    classify(net);
    group_units(net);
    return EW_STRATEGY_OK;
}

void kit_net_fini(struct kit_net *net)
{
    free(net->layers);
    free(net->place);
    free(net->unit_of);
    free(net->order);
    free(net->units);
    memset(net, 0, sizeof *net);
}

/* ------------------------------------------------------------------ questions */

struct ew_tensor_box kit_full_box(const struct kit_net *net, uint32_t layer)
{
    const int32_t *shape = net->layers[layer]->shape;
    return (struct ew_tensor_box){{0, 0, 0, 0}, {net->batch, shape[1], shape[2], shape[3]}};
}

struct ew_tensor_box kit_band_box(const struct kit_net *net, uint32_t layer, int32_t lo, int32_t hi)
{
    struct ew_tensor_box box = kit_full_box(net, layer);
    box.lo[net->dim] = lo;
    box.hi[net->dim] = hi;
    return box;
}

int32_t kit_layer_extent(const struct kit_net *net, uint32_t layer)
{
    return net->layers[layer]->shape[net->dim];
}

uint64_t kit_layer_bytes(const struct kit_net *net, uint32_t layer)
{
    return net->layers[layer]->output_bytes * (uint64_t)net->batch;
}

double kit_layer_compute_s(const struct kit_net *net, uint32_t layer, uint32_t device)
{
    struct ew_tensor_box box = kit_full_box(net, layer);
    return net->host->compute_s(net->host, net->variant, layer, &box, device);
}

double kit_net_compute_s(const struct kit_net *net, uint32_t device)
{
    double sum_s = 0.0;
    for (uint32_t i = 0; i < net->n_order; i++) {
        sum_s += kit_layer_compute_s(net, net->order[i], device);
    }
    return sum_s;
}

uint64_t kit_net_input_bytes(const struct kit_net *net)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < net->graph->n_inputs; i++) {
        uint32_t layer = net->graph->inputs[i];
        bytes += net->place[layer] == KIT_INPUT ? kit_layer_bytes(net, layer) : 0;
    }
    return bytes;
}

uint64_t kit_net_result_bytes(const struct kit_net *net)
{
    const struct ew_exit_info *exit = net->host->exit(net->host, net->variant, net->exit);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < exit->n_layers; i++) {
        bytes += kit_layer_bytes(net, exit->layers[i]);
    }
    return bytes;
}

uint64_t kit_net_weight_bytes(const struct kit_net *net, enum kit_place place)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        if (place == KIT_ABSENT || net->place[layer] == place) {
            bytes += net->layers[layer]->weight_bytes;
        }
    }
    return bytes;
}

/* The last layer that reads `layer`'s output; itself when nobody does. */
static uint32_t last_reader(const struct kit_net *net, uint32_t layer)
{
    uint32_t last = layer;
    for (uint32_t i = 0; i < net->layers[layer]->n_consumers; i++) {
        uint32_t reader = net->layers[layer]->consumers[i];
        last = net->place[reader] != KIT_ABSENT && reader > last ? reader : last;
    }
    return last;
}

uint64_t kit_net_memory_bytes(const struct kit_net *net)
{
    uint64_t live_bytes = kit_net_input_bytes(net);
    uint64_t peak_bytes = live_bytes;
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        const struct ew_layer_info *info = net->layers[layer];
        live_bytes += kit_layer_bytes(net, layer);
        peak_bytes = live_bytes > peak_bytes ? live_bytes : peak_bytes;
        for (uint32_t k = 0; k < info->n_inputs; k++) {
            bool is_repeated = false;
            for (uint32_t j = 0; j < k; j++) {
                is_repeated = is_repeated || info->inputs[j] == info->inputs[k];
            }
            if (!is_repeated && last_reader(net, info->inputs[k]) == layer) {
                live_bytes -= kit_layer_bytes(net, info->inputs[k]);
            }
        }
    }
    return kit_net_weight_bytes(net, KIT_ABSENT) + peak_bytes;
}

bool kit_is_exit_layer(const struct kit_net *net, uint32_t layer)
{
    const struct ew_exit_info *exit = net->host->exit(net->host, net->variant, net->exit);
    for (uint32_t i = 0; i < exit->n_layers; i++) {
        if (exit->layers[i] == layer) {
            return true;
        }
    }
    return false;
}

bool kit_is_read(const struct kit_net *net, uint32_t layer)
{
    return kit_count_readers(net, layer) > 0;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

void kit_halo(const struct kit_net *net, uint32_t layer, uint32_t input, int32_t *above,
              int32_t *below)
{
    const struct ew_layer_info *info = net->layers[layer];
    int32_t out_extent = kit_layer_extent(net, layer);
    int32_t in_extent = kit_layer_extent(net, info->inputs[input]);
    bool has_window = slides(info);
    *above = 0;
    *below = 0;
    if (in_extent < 2 || (!has_window && in_extent == out_extent)) {
        return;
    }
    for (int32_t cut = 1; cut < out_extent; cut++) {
        int32_t own = kit_map_cut(cut, out_extent, in_extent);
        struct ew_tensor_box upper = kit_band_box(net, layer, cut - 1, cut);
        struct ew_tensor_box lower = kit_band_box(net, layer, cut, cut + 1);
        struct ew_tensor_box in;
        if (net->host->input_box(net->host, net->variant, layer, input, &lower, &in) == 0) {
            *above = larger(*above, own - in.lo[net->dim]);
        }
        if (net->host->input_box(net->host, net->variant, layer, input, &upper, &in) == 0) {
            *below = larger(*below, in.hi[net->dim] - own);
        }
    }
}

uint32_t kit_net_cut_layers(const struct kit_net *net, uint32_t *out)
{
    /* Layers are in topological order, and every needed layer lies on a path from an input to the
     * exit. So `l` severs the network when no edge jumps from before l to behind it: when the
     * furthest reader of everything before l is at most l. */
    uint32_t n = 0;
    uint32_t reach = 0;
    for (uint32_t i = 0; i < net->graph->n_inputs; i++) {
        /* Every input has to enter before the first cut. */
        uint32_t input = net->graph->inputs[i];
        reach = net->place[input] == KIT_INPUT && input > reach ? input : reach;
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (net->place[l] == KIT_ABSENT) {
            continue;
        }
        if (net->place[l] != KIT_INPUT && reach <= l) {
            out[n++] = l;
        }
        for (uint32_t i = 0; i < net->layers[l]->n_consumers; i++) {
            uint32_t reader = net->layers[l]->consumers[i];
            if (net->place[reader] != KIT_ABSENT && reader > reach) {
                reach = reader;
            }
        }
        /* An answer in the middle must also reach the sink. */
        if (kit_is_exit_layer(net, l)) {
            reach = net->n_layers;
        }
    }
    return n;
}
