#include "distredge/model_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/devices.h"
#include "common/plugin.h"

/* What the model is built from. */
struct build {
    struct model_data *data;
    const struct kit_net *net;
    const struct chain *chain;
    const struct model_cast *cast;
    uint32_t source;
    uint32_t sink;
    uint32_t n_inputs;    /* network inputs, the first model layers */
    uint32_t n_layers;    /* of the model */
    uint32_t *index;      /* by host layer: model layer, or EW_ID_NONE */
    uint32_t *class_part; /* by class: a part that has it */
    uint32_t n_classes;
};

/* ------------------------------------------------------------------ layers */

static uint32_t count_inputs(const struct kit_net *net)
{
    uint32_t n = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        n += net->place[l] == KIT_INPUT;
    }
    return n;
}

static void list_layers(struct build *build)
{
    const struct kit_net *net = build->net;
    uint32_t n = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        build->index[l] = EW_ID_NONE;
        if (net->place[l] == KIT_INPUT) {
            build->data->layer_id[n] = l;
            build->index[l] = n++;
        }
    }
    for (uint32_t p = 0; p < build->chain->n_body; p++) {
        build->data->layer_id[n] = net->order[p];
        build->index[net->order[p]] = n++;
    }
}

static void list_blocks(struct build *build)
{
    for (uint32_t b = 0; b < build->chain->n_blocks; b++) {
        build->data->blocks[b] = (struct model_block){
            .first = build->n_inputs + build->chain->starts[b],
            .end = build->n_inputs + build->chain->starts[b + 1],
        };
    }
}

static int32_t block_of(const struct build *build, uint32_t host_layer)
{
    uint32_t layer = build->index[host_layer];
    int32_t block = (int32_t)build->chain->n_blocks; /* the head */
    for (uint32_t b = 0; layer != EW_ID_NONE && b < build->chain->n_blocks; b++) {
        block = layer < build->data->blocks[b].end ? (int32_t)b : block;
        if (layer < build->data->blocks[b].end) {
            break;
        }
    }
    return block;
}

static int32_t last_reader(const struct build *build, uint32_t host_layer)
{
    const struct kit_net *net = build->net;
    const struct ew_layer_info *info = net->layers[host_layer];
    int32_t last = MODEL_NONE;
    for (uint32_t i = 0; i < info->n_consumers; i++) {
        uint32_t reader = info->consumers[i];
        if (net->place[reader] != KIT_ABSENT) {
            int32_t block = block_of(build, reader);
            last = block > last ? block : last;
        }
    }
    return last;
}

/* Rows of input `input` that each output row needs. An output row that reads nothing (padding)
 * borrows from its neighbours so that bands stay intervals. */
static int32_t fill_read(const struct build *build, uint32_t host_layer, uint32_t input,
                         int32_t *lo, int32_t *hi)
{
    const struct kit_net *net = build->net;
    int32_t rows = kit_layer_extent(net, host_layer);
    int32_t rows_in = kit_layer_extent(net, net->layers[host_layer]->inputs[input]);
    for (int32_t r = 0; r < rows; r++) {
        struct ew_tensor_box out = kit_band_box(net, host_layer, r, r + 1);
        struct ew_tensor_box in;
        int32_t rc = net->host->input_box(net->host, net->variant, host_layer, input, &out, &in);
        if (rc < 0) {
            return rc;
        }
        lo[r] = in.lo[net->dim];
        hi[r] = in.hi[net->dim];
        if (lo[r] >= hi[r]) {
            lo[r] = rows_in;
            hi[r] = 0;
        }
    }
    for (int32_t r = rows - 1; r-- > 0;) {
        lo[r] = lo[r + 1] < lo[r] ? lo[r + 1] : lo[r];
    }
    for (int32_t r = 1; r < rows; r++) {
        hi[r] = hi[r - 1] > hi[r] ? hi[r - 1] : hi[r];
    }
    return EW_STRATEGY_OK;
}

/* Seconds for the first r rows, r = 0 … rows, for each class of devices. */
static int32_t fill_seconds(const struct build *build, uint32_t host_layer, double *seconds)
{
    const struct kit_net *net = build->net;
    int32_t rows = kit_layer_extent(net, host_layer);
    for (uint32_t c = 0; c < build->n_classes; c++) {
        uint32_t device = build->cast->devices[build->class_part[c]];
        double *row = seconds + (size_t)c * ((size_t)rows + 1);
        for (int32_t r = 1; r <= rows; r++) {
            struct ew_tensor_box box = kit_band_box(net, host_layer, 0, r);
            row[r] = net->host->compute_s(net->host, net->variant, host_layer, &box, device);
            if (isnan(row[r])) {
                return kit_fail(net->host, EW_STRATEGY_EINTERNAL, "no estimate for %d rows of %s",
                                r, net->layers[host_layer]->name);
            }
        }
    }
    return EW_STRATEGY_OK;
}

static int32_t fill_layers(struct build *build)
{
    struct model_data *data = build->data;
    const struct kit_net *net = build->net;
    struct model_read *read = data->reads;
    int32_t *table = data->read_rows;
    double *seconds = data->seconds;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t l = 0; l < build->n_layers && rc >= 0; l++) {
        uint32_t id = data->layer_id[l];
        int32_t rows = kit_layer_extent(net, id);
        struct model_layer *layer = &data->layers[l];
        *layer = (struct model_layer){
            .rows = rows,
            .row_bytes = (double)kit_layer_bytes(net, id) / rows,
            .is_input = l < build->n_inputs,
            .last_reader = last_reader(build, id),
            .is_answer = kit_is_exit_layer(net, id),
        };
        if (layer->is_input) {
            continue;
        }
        layer->n_reads = net->layers[id]->n_inputs;
        layer->reads = read;
        layer->seconds = seconds;
        for (uint32_t i = 0; i < layer->n_reads && rc >= 0; i++) {
            *read++ =
                (struct model_read){build->index[net->layers[id]->inputs[i]], table, table + rows};
            rc = fill_read(build, id, i, table, table + rows);
            table += 2 * (size_t)rows;
        }
        rc = rc < 0 ? rc : fill_seconds(build, id, seconds);
        seconds += build->n_classes * ((size_t)rows + 1);
    }
    return rc;
}

/* ------------------------------------------------------------------ devices */

/* Devices with one profile and one speed share a table. */
static void find_classes(struct build *build)
{
    const struct ew_host *host = build->net->host;
    for (uint32_t i = 0; i < build->cast->n_parts; i++) {
        const struct ew_device_info *device = host->device(host, build->cast->devices[i]);
        uint32_t c = 0;
        for (; c < build->n_classes; c++) {
            const struct ew_device_info *other =
                host->device(host, build->cast->devices[build->class_part[c]]);
            if (strcmp(device->profile, other->profile) == 0 &&
                device->speed_flops_per_s == other->speed_flops_per_s) {
                break;
            }
        }
        if (c == build->n_classes) {
            build->class_part[build->n_classes++] = i;
        }
        build->data->part_class[i] = c;
    }
}

static uint32_t device_at(const struct build *build, uint32_t position)
{
    uint32_t n = build->cast->n_parts;
    return position < n    ? build->cast->devices[position]
           : position == n ? build->source
                           : build->sink;
}

static void fill_wires(struct build *build)
{
    uint32_t n = build->cast->n_parts + 2;
    for (uint32_t from = 0; from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            struct kit_wire wire =
                kit_wire_between(build->net->host, device_at(build, from), device_at(build, to));
            build->data->wires[(size_t)from * n + to] =
                (struct model_wire){wire.message_s, wire.byte_s};
        }
    }
}

static void fill_head(struct build *build)
{
    const struct kit_net *net = build->net;
    struct model *model = &build->data->model;
    uint64_t memory_bytes = kit_net_memory_bytes(net);
    for (uint32_t i = 0; i <= build->cast->n_parts; i++) {
        uint32_t device = device_at(build, i);
        for (uint32_t p = build->chain->n_body; p < net->n_order; p++) {
            build->data->head_s[i] += kit_layer_compute_s(net, net->order[p], device);
        }
        if (i < build->cast->n_parts) {
            build->data->can_head[i] = kit_fits(net->host, device, memory_bytes);
        }
    }
    model->has_head = build->chain->n_body < net->n_order;
    for (uint32_t p = build->chain->n_body; p < net->n_order; p++) {
        uint32_t layer = net->order[p];
        model->head_answer_bytes +=
            kit_is_exit_layer(net, layer) ? (double)kit_layer_bytes(net, layer) : 0.0;
    }
}

static int32_t find_head(struct build *build)
{
    const struct ew_host *host = build->net->host;
    uint32_t device = build->cast->head_device;
    struct model *model = &build->data->model;
    model->head_part = MODEL_NONE;
    if (device == EW_ID_NONE) {
        return EW_STRATEGY_OK;
    }
    for (uint32_t i = 0; i <= build->cast->n_parts; i++) {
        if (device_at(build, i) == device) {
            model->head_part = (int32_t)i;
            return EW_STRATEGY_OK;
        }
    }
    return kit_fail(host, EW_STRATEGY_ECANNOT,
                    "head_device: %s takes no part (no route, or too little memory)",
                    host->device(host, device)->name);
}

/* ------------------------------------------------------------------ life */

static bool allocate_parts(struct build *build)
{
    struct model_data *data = build->data;
    size_t n_parts = build->cast->n_parts;
    build->index = calloc(build->net->n_layers, sizeof *build->index);
    build->class_part = calloc(n_parts, sizeof *build->class_part);
    data->layer_id = calloc(build->n_layers, sizeof *data->layer_id);
    data->layers = calloc(build->n_layers, sizeof *data->layers);
    data->blocks = calloc(build->chain->n_blocks + 1u, sizeof *data->blocks);
    data->part_class = calloc(n_parts, sizeof *data->part_class);
    data->wires = calloc((n_parts + 2) * (n_parts + 2), sizeof *data->wires);
    data->head_s = calloc(n_parts + 1, sizeof *data->head_s);
    data->can_head = calloc(n_parts, sizeof *data->can_head);
    return build->index && build->class_part && data->layer_id && data->layers && data->blocks &&
           data->part_class && data->wires && data->head_s && data->can_head;
}

static bool allocate_tables(struct build *build)
{
    struct model_data *data = build->data;
    size_t n_reads = 1;
    size_t n_read_rows = 1;
    size_t n_seconds = 1;
    for (uint32_t l = build->n_inputs; l < build->n_layers; l++) {
        uint32_t id = data->layer_id[l];
        size_t rows = (size_t)kit_layer_extent(build->net, id);
        size_t n_inputs = build->net->layers[id]->n_inputs;
        n_reads += n_inputs;
        n_read_rows += 2 * rows * n_inputs;
        n_seconds += build->n_classes * (rows + 1);
    }
    data->reads = calloc(n_reads, sizeof *data->reads);
    data->read_rows = calloc(n_read_rows, sizeof *data->read_rows);
    data->seconds = calloc(n_seconds, sizeof *data->seconds);
    return data->reads && data->read_rows && data->seconds;
}

static int32_t fill(struct build *build)
{
    list_layers(build);
    list_blocks(build);
    find_classes(build);
    if (!allocate_tables(build)) {
        return kit_fail_memory(build->net->host);
    }
    fill_wires(build);
    fill_head(build);
    int32_t rc = fill_layers(build);
    return rc < 0 ? rc : find_head(build);
}

int32_t model_build(struct model_data *data, const struct kit_net *net, const struct chain *chain,
                    const struct model_cast *cast)
{
    const struct ew_requirements_info *asked = net->host->requirements(net->host);
    struct build build = {
        .data = data,
        .net = net,
        .chain = chain,
        .cast = cast,
        .source = asked->source_device,
        .sink = asked->sink_device,
        .n_inputs = count_inputs(net),
    };
    build.n_layers = build.n_inputs + chain->n_body;
    int32_t rc = allocate_parts(&build) ? fill(&build) : kit_fail_memory(net->host);
    data->model.n_layers = build.n_layers;
    data->model.layers = data->layers;
    data->model.n_blocks = chain->n_blocks;
    data->model.blocks = data->blocks;
    data->model.n_parts = cast->n_parts;
    data->model.part_class = data->part_class;
    data->model.wires = data->wires;
    data->model.head_s = data->head_s;
    data->model.can_head = data->can_head;
    free(build.index);
    free(build.class_part);
    return rc;
}

void model_data_fini(struct model_data *data)
{
    free(data->layer_id);
    free(data->layers);
    free(data->reads);
    free(data->read_rows);
    free(data->seconds);
    free(data->blocks);
    free(data->part_class);
    free(data->wires);
    free(data->head_s);
    free(data->can_head);
    memset(data, 0, sizeof *data);
}
