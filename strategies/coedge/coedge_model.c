#include "coedge/coedge_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static double line_bytes(const struct kit_net *net, uint32_t layer)
{
    return (double)kit_layer_bytes(net, layer) / kit_layer_extent(net, layer);
}

/* ------------------------------------------------------------------ computing */

/* Seconds of a layer as slope * share + start. CoEdge's device model is linear: no start. */
static void fit_compute(const struct kit_net *net, uint32_t layer, uint32_t device, bool is_affine,
                        double *slope_s, double *start_s)
{
    int32_t extent = kit_layer_extent(net, layer);
    int32_t half = extent / 2;
    double full_s = kit_layer_compute_s(net, layer, device);
    *slope_s = full_s;
    *start_s = 0.0;
    if (is_affine && half > 0) {
        struct ew_tensor_box box = kit_band_box(net, layer, 0, half);
        double half_s = net->host->compute_s(net->host, net->variant, layer, &box, device);
        double slope = (full_s - half_s) * extent / (extent - half);
        *slope_s = fmin(full_s, fmax(0.0, slope));
        *start_s = full_s - *slope_s;
    }
}

static void add_computing(struct coedge_model *model, uint32_t layer, bool is_affine)
{
    const struct kit_net *net = model->net;
    uint32_t n = model->group->n;
    size_t row = (size_t)net->unit_of[layer] * n;
    for (uint32_t i = 0; i < n; i++) {
        double slope_s;
        double start_s;
        bool is_banded = net->place[layer] == KIT_BANDED;
        fit_compute(net, layer, model->group->device[i], is_affine && is_banded, &slope_s,
                    &start_s);
        model->compute_s[row + i] += slope_s;
        model->start_s[row + i] += start_s;
    }
}

/* ------------------------------------------------------------------ moving */

/* One reader of one tensor: remember the widest halo and who reads first, count gathers and
 * broadcasts once per tensor. */
static void add_reader(struct coedge_model *model, uint32_t layer, uint32_t input)
{
    const struct kit_net *net = model->net;
    uint32_t tensor = net->layers[layer]->inputs[input];
    uint32_t unit = net->unit_of[layer];
    struct coedge_layer *step = &model->layers[unit];
    bool is_spread = net->place[tensor] != KIT_WHOLE;
    bool reads_bands = net->place[layer] == KIT_BANDED;
    if (reads_bands && is_spread) {
        int32_t above;
        int32_t below;
        kit_halo(net, layer, input, &above, &below);
        model->halo_above[tensor] = larger(model->halo_above[tensor], above);
        model->halo_below[tensor] = larger(model->halo_below[tensor], below);
        if (net->place[tensor] == KIT_INPUT && model->problem.scatter_bytes == 0.0) {
            model->problem.scatter_layer = unit;
            model->problem.scatter_bytes = (double)kit_net_input_bytes(net);
        }
        if (model->first_unit[tensor] == EW_ID_NONE) {
            model->first_unit[tensor] = unit;
        }
    } else if (reads_bands) {
        step->broadcast_bytes += (double)kit_layer_bytes(net, tensor);
    } else if (net->place[tensor] == KIT_BANDED) {
        step->gather_bytes += (double)kit_layer_bytes(net, tensor);
    }
}

/* A tensor's halo is pulled once, by its first reader, as wide as any reader needs. */
static void place_halos(struct coedge_model *model)
{
    const struct kit_net *net = model->net;
    for (uint32_t t = 0; t < net->n_layers; t++) {
        if (model->first_unit[t] == EW_ID_NONE) {
            continue;
        }
        struct coedge_layer *step = &model->layers[model->first_unit[t]];
        double bytes = line_bytes(net, t);
        step->rows = larger(step->rows, kit_layer_extent(net, t));
        step->halo_above = larger(step->halo_above, model->halo_above[t]);
        step->halo_below = larger(step->halo_below, model->halo_below[t]);
        step->halo_above_bytes += model->halo_above[t] * bytes;
        step->halo_below_bytes += model->halo_below[t] * bytes;
    }
}

/* An answer that lies in bands is collected at the end: one more step without computing. */
static void add_collection(struct coedge_model *model)
{
    const struct kit_net *net = model->net;
    struct coedge_layer *step = &model->layers[net->n_units];
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        if (net->place[layer] == KIT_BANDED && kit_is_exit_layer(net, layer)) {
            step->gather_bytes += (double)kit_layer_bytes(net, layer);
        }
    }
    step->is_whole = true;
    step->rows = 1;
    model->problem.n_layers = net->n_units + (step->gather_bytes > 0.0 ? 1u : 0u);
}

static void build_steps(struct coedge_model *model, bool is_affine)
{
    const struct kit_net *net = model->net;
    for (uint32_t u = 0; u < net->n_units; u++) {
        model->layers[u].is_whole = net->units[u].place == KIT_WHOLE;
        model->layers[u].rows = 1;
        model->has_whole_layer = model->has_whole_layer || model->layers[u].is_whole;
    }
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        add_computing(model, layer, is_affine);
        for (uint32_t k = 0; k < net->layers[layer]->n_inputs; k++) {
            add_reader(model, layer, k);
        }
    }
    place_halos(model);
    add_collection(model);
}

static void build_wires(struct coedge_model *model, bool is_relayed)
{
    const struct ew_host *host = model->net->host;
    const uint32_t *device = model->group->device;
    uint32_t n = model->group->n;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            struct kit_wire wire = {0.0, 0.0};
            if (is_relayed && a != 0 && b != 0 && a != b) {
                struct kit_wire up = kit_wire_between(host, device[a], device[0]);
                struct kit_wire down = kit_wire_between(host, device[0], device[b]);
                wire.message_s = up.message_s + down.message_s;
                wire.byte_s = up.byte_s + down.byte_s;
            } else {
                wire = kit_wire_between(host, device[a], device[b]);
            }
            model->message_s[(size_t)a * n + b] = wire.message_s;
            model->byte_s[(size_t)a * n + b] = wire.byte_s;
        }
    }
}

/* ------------------------------------------------------------------ limits */

/* p: the widest halo, in rows of the input (the paper's reading), or so many input rows that every
 * layer's band is as wide as its halo. */
static int32_t find_threshold(const struct coedge_model *model, bool is_strict)
{
    int32_t threshold = 1;
    for (uint32_t l = 0; l < model->problem.n_layers; l++) {
        const struct coedge_layer *step = &model->layers[l];
        int64_t halo = larger(step->halo_above, step->halo_below);
        int64_t rows = is_strict ? (halo * model->net->extent + step->rows - 1) / step->rows : halo;
        threshold = larger(threshold, (int32_t)rows);
    }
    return larger(1, threshold < model->net->extent ? threshold : model->net->extent);
}

/* Rows whose largest input and output, beside the weights, fit into the device's memory. */
static int32_t find_max_rows(const struct kit_net *net, uint32_t device)
{
    uint64_t memory_bytes = net->host->device(net->host, device)->memory_bytes;
    uint64_t weight_bytes = kit_net_weight_bytes(net, KIT_BANDED);
    uint64_t largest_bytes = 1;
    for (uint32_t i = 0; i < net->n_order; i++) {
        const struct ew_layer_info *info = net->layers[net->order[i]];
        uint64_t bytes = (info->input_bytes + info->output_bytes) * (uint64_t)net->batch;
        if (net->place[net->order[i]] == KIT_BANDED && bytes > largest_bytes) {
            largest_bytes = bytes;
        }
    }
    if (memory_bytes == 0) {
        return net->extent;
    }
    if (memory_bytes <= weight_bytes) {
        return 0;
    }
    double rows =
        floor((double)(memory_bytes - weight_bytes) / (double)largest_bytes * net->extent);
    return rows < net->extent ? (int32_t)rows : net->extent;
}

static void build_devices(struct coedge_model *model, bool counts_idle)
{
    const struct ew_host *host = model->net->host;
    for (uint32_t i = 0; i < model->group->n; i++) {
        uint32_t d = model->group->device[i];
        const struct ew_device_info *info = host->device(host, d);
        struct coedge_device *device = &model->devices[i];
        device->capability = model->group->capability[i];
        device->max_rows = find_max_rows(model->net, d);
        if (info->has_power) {
            device->compute_w = host->energy_j(host, d, 1.0, 0.0, 0.0);
            device->tx_w = host->energy_j(host, d, 0.0, 1.0, 0.0);
            device->rx_w = host->energy_j(host, d, 0.0, 0.0, 1.0);
            device->idle_w = counts_idle ? info->idle_w : 0.0;
        }
    }
}

/* ------------------------------------------------------------------ life */

static bool allocate(struct coedge_model *model)
{
    size_t n = model->group->n;
    size_t steps = (size_t)model->net->n_units + 1;
    size_t tensors = model->net->n_layers;
    model->layers = calloc(steps, sizeof *model->layers);
    model->devices = calloc(n, sizeof *model->devices);
    model->compute_s = calloc(steps * n, sizeof *model->compute_s);
    model->start_s = calloc(steps * n, sizeof *model->start_s);
    model->message_s = calloc(n * n, sizeof *model->message_s);
    model->byte_s = calloc(n * n, sizeof *model->byte_s);
    model->halo_above = calloc(tensors, sizeof *model->halo_above);
    model->halo_below = calloc(tensors, sizeof *model->halo_below);
    model->first_unit = malloc(tensors * sizeof *model->first_unit);
    if (model->first_unit) {
        memset(model->first_unit, 0xff, tensors * sizeof *model->first_unit); /* EW_ID_NONE */
    }
    return model->layers && model->devices && model->compute_s && model->start_s &&
           model->message_s && model->byte_s && model->halo_above && model->halo_below &&
           model->first_unit;
}

int32_t coedge_model_init(struct coedge_model *model, const struct kit_net *net,
                          const struct kit_group *group, const struct coedge_model_options *options)
{
    model->net = net;
    model->group = group;
    if (!allocate(model)) {
        return kit_fail_memory(net->host);
    }
    model->problem = (struct coedge_problem){
        .n_devices = group->n,
        .rows = net->extent,
        .devices = model->devices,
        .layers = model->layers,
        .compute_s = model->compute_s,
        .start_s = options->is_affine ? model->start_s : NULL,
        .message_s = model->message_s,
        .byte_s = model->byte_s,
        .both_pay = options->both_pay,
        .deadline_s = net->host->requirements(net->host)->deadline_s,
    };
    build_steps(model, options->is_affine);
    build_wires(model, options->is_relayed);
    build_devices(model, options->counts_idle);
    model->problem.threshold_rows = find_threshold(model, options->is_strict);
    coedge_model_set_target(model, 0);
    return EW_STRATEGY_OK;
}

void coedge_model_set_target(struct coedge_model *model, uint32_t target)
{
    const struct kit_net *net = model->net;
    const struct ew_host *host = net->host;
    uint32_t from = model->group->device[target];
    uint32_t sink = host->requirements(host)->sink_device;
    model->problem.target = target;
    model->problem.tail_s = 0.0;
    model->problem.tail_j = 0.0;
    if (from != sink) {
        double seconds = host->transfer_s(host, from, sink, kit_net_result_bytes(net));
        model->problem.tail_s = seconds;
        model->problem.tail_j =
            host->energy_j(host, sink, 0.0, 0.0, seconds) +
            (model->problem.both_pay ? host->energy_j(host, from, 0.0, seconds, 0.0) : 0.0);
    }
}

void coedge_model_fini(struct coedge_model *model)
{
    free(model->layers);
    free(model->devices);
    free(model->compute_s);
    free(model->start_s);
    free(model->message_s);
    free(model->byte_s);
    free(model->halo_above);
    free(model->halo_below);
    free(model->first_unit);
    memset(model, 0, sizeof *model);
}
