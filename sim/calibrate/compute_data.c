#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "calibrate/compute.h"
#include "calibrate/rows.h"
#include "io/csv_table.h"
#include "io/graph_file.h"

/* Times outside this are no measurements of a layer or network. */
static const double MIN_SECONDS = 1e-9;
static const double MAX_SECONDS = 1e6;
static const double BYTES_PER_ELEMENT = 4; /* layer lists say nothing; fp32 */

/* A network that rows speak about: a graph, or the lines of a layer list. */
struct network {
    const char *name;
    struct ew_graph *graph;
    size_t first, n; /* in `list` */
};

/* One line of a layer list. */
struct listed {
    const char *model, *layer;
    struct ew_layer_work work;
    double height, input_height, input_bytes, output_bytes, kernel, stride;
};

struct loader {
    const struct ew_compute_source *source;
    struct ew_compute_data *data;
    struct ew_csv_table *table;
    struct ew_csv_table *list_table;
    EW_VEC(struct listed) list;
    EW_VEC(struct network) networks;
    EW_VEC(struct ew_compute_row) rows;
    EW_VEC(struct ew_layer_work) work;
    EW_VEC(size_t) first_work;
    size_t model, layer, part, time, device;
    bool has_layer, has_part;
    double time_unit_s;
};

/* --- layer lists ----------------------------------------------------------------------------- */

static bool parse_shape(double out[3], const char *text)
{
    char extra;
    int a, b, c;
    if (sscanf(text, "%7dx%7dx%7d%c", &a, &b, &c, &extra) != 3 || a < 1 || b < 1 || c < 1) {
        return false;
    }
    out[0] = a;
    out[1] = b;
    out[2] = c;
    return true;
}

struct list_columns {
    size_t model, layer, type, in, out, kernel, stride, groups, macs, params;
};

static enum ew_status find_list_columns(struct list_columns *c, const struct ew_csv_table *table,
                                        struct ew_error *err)
{
    const struct {
        size_t *to;
        const char *name;
    } wanted[] = {
        {&c->model, "model"},   {&c->layer, "layer"},   {&c->type, "type"},
        {&c->in, "in_chw"},     {&c->out, "out_chw"},   {&c->kernel, "kernel"},
        {&c->stride, "stride"}, {&c->groups, "groups"}, {&c->macs, "macs"},
        {&c->params, "params"},
    };
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < sizeof wanted / sizeof *wanted; i++) {
        status = ew_csv_table_need(wanted[i].to, table, wanted[i].name, err);
    }
    return status;
}

/* An empty cell is 1. */
static enum ew_status read_or_one(double *out, const struct ew_csv_table *table,
                                  const struct ew_csv_row *row, size_t column, struct ew_error *err)
{
    *out = 1;
    return *row->cells[column] ? ew_csv_table_number(out, table, row, column, 1, 1e6, err) : EW_OK;
}

static enum ew_rate_class class_of_listed(const struct listed *l, bool is_fc, double groups,
                                          double channels)
{
    if (is_fc) {
        return EW_RATE_FC;
    }
    if (groups > 1 && groups == channels) {
        return EW_RATE_DEPTHWISE;
    }
    if (l->kernel == 1 && groups == 1) {
        return EW_RATE_CONV_1X1;
    }
    return l->kernel == 3 && l->stride == 1 && groups == 1 ? EW_RATE_CONV_3X3_S1
                                                           : EW_RATE_CONV_OTHER;
}

static enum ew_status read_listed(struct loader *l, const struct list_columns *c,
                                  const struct ew_csv_row *row, struct ew_error *err)
{
    const struct ew_csv_table *table = l->list_table;
    struct listed item = {.model = row->cells[c->model], .layer = row->cells[c->layer]};
    double in[3], out[3], groups = 1, params = 0;
    const char *type = row->cells[c->type];
    const bool is_fc = strcmp(type, "InnerProduct") == 0;
    if (!is_fc && strcmp(type, "Convolution") != 0 && strcmp(type, "ConvolutionDepthWise") != 0 &&
        strcmp(type, "DeconvolutionDepthWise") != 0) {
        item.work.rate_class = EW_RATE_COUNT; /* makes its network unusable */
        return ew_vec_push(&l->list, item) ? EW_OK : ew_fail_memory(err);
    }
    if (!parse_shape(in, row->cells[c->in]) || !parse_shape(out, row->cells[c->out])) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected shapes CxHxW, found '%.40s' and '%.40s'",
                       table->path, row->line, row->cells[c->in], row->cells[c->out]);
    }
    enum ew_status status = read_or_one(&item.kernel, table, row, c->kernel, err);
    if (status == EW_OK) {
        status = read_or_one(&item.stride, table, row, c->stride, err);
    }
    if (status == EW_OK) {
        status = read_or_one(&groups, table, row, c->groups, err);
    }
    if (status == EW_OK) {
        status = ew_csv_table_number(&item.work.macs, table, row, c->macs, 1, 1e15, err);
    }
    if (status == EW_OK) {
        status = ew_csv_table_number(&params, table, row, c->params, 0, 1e12, err);
    }
    if (status != EW_OK) {
        return status;
    }
    item.work.rate_class = class_of_listed(&item, is_fc, groups, in[0]);
    item.work.weight_bytes = params * BYTES_PER_ELEMENT;
    item.work.rows = is_fc ? 1 : out[1];
    item.height = out[1];
    item.input_height = in[1];
    item.input_bytes = in[0] * in[1] * in[2] * BYTES_PER_ELEMENT;
    item.output_bytes = out[0] * out[1] * out[2] * BYTES_PER_ELEMENT;
    if (!is_fc) {
        item.work.activation_bytes = item.input_bytes + item.output_bytes;
        if (item.work.rate_class != EW_RATE_DEPTHWISE && item.kernel > 1) {
            item.work.patch_bytes = item.work.macs / out[0] * BYTES_PER_ELEMENT;
        }
    }
    return ew_vec_push(&l->list, item) ? EW_OK : ew_fail_memory(err);
}

static enum ew_status load_list(struct loader *l, struct ew_error *err)
{
    struct list_columns columns;
    if (!l->source->layers_path) {
        return EW_OK;
    }
    enum ew_status status = ew_csv_table_load(&l->list_table, l->source->layers_path, err);
    if (status == EW_OK) {
        status = find_list_columns(&columns, l->list_table, err);
    }
    for (size_t i = 0; status == EW_OK && i < l->list_table->n_rows; i++) {
        status = read_listed(l, &columns, &l->list_table->rows[i], err);
    }
    return status;
}

/* Some rows of a listed layer. */
static struct ew_layer_work part_of_listed(const struct listed *item, double rows)
{
    struct ew_layer_work work = item->work;
    if (rows > 0 && rows < item->height && work.rate_class != EW_RATE_FC) {
        const double share = rows / item->height;
        const double read = fmin((rows - 1) * item->stride + item->kernel, item->input_height);
        work.macs *= share;
        work.patch_bytes *= share;
        work.rows = rows;
        work.activation_bytes =
            item->output_bytes * share + item->input_bytes * read / item->input_height;
    }
    return work;
}

/* --- networks -------------------------------------------------------------------------------- */

static void flag(struct loader *l, const struct ew_csv_row *row, const char *why)
{
    char text[512];
    (void)snprintf(text, sizeof text, "%s:%zu: %s; row left out", l->table->path, row->line, why);
    l->source->warn(l->source->ctx, text);
    l->data->n_flagged++;
}

/* The network of that name; *out stays NULL when nobody knows it. */
static enum ew_status find_network(const struct network **out, struct loader *l, const char *name,
                                   struct ew_error *err)
{
    for (size_t i = 0; i < l->networks.count; i++) {
        if (strcmp(l->networks.items[i].name, name) == 0) {
            *out = &l->networks.items[i];
            return EW_OK;
        }
    }
    struct network network = {.name = name};
    for (size_t i = 0; i < l->list.count; i++) {
        if (strcmp(l->list.items[i].model, name) == 0) {
            network.first = network.n ? network.first : i;
            network.n++;
        }
    }
    if (!network.n) {
        const char *path = l->source->find_graph(l->source->ctx, name, &l->data->arena);
        if (!path) {
            return EW_OK;
        }
        const enum ew_status status = ew_graph_load_file(&network.graph, NULL, path, err);
        if (status != EW_OK) {
            return status;
        }
    }
    if (!ew_vec_push(&l->networks, network)) {
        ew_graph_free(network.graph);
        return ew_fail_memory(err);
    }
    *out = &l->networks.items[l->networks.count - 1];
    return EW_OK;
}

static bool add_work(struct loader *l, const struct ew_layer_work *work)
{
    struct ew_compute_data *data = l->data;
    if (work->rows > 0) {
        const bool is_first = data->range_macs[1] == 0;
        data->range_macs[0] = is_first ? work->macs : fmin(data->range_macs[0], work->macs);
        data->range_macs[1] = fmax(data->range_macs[1], work->macs);
    }
    return ew_vec_push(&l->work, *work);
}

static const char MORE_ROWS[] = "more rows than the layer has";

static enum ew_status add_graph_work(struct loader *l, const struct ew_graph *graph,
                                     const char *layer, double rows, const char **why,
                                     struct ew_error *err)
{
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        struct ew_cost_query query = {graph, &graph->layers[i], ew_box_full(graph->layers[i].shape),
                                      NULL};
        struct ew_layer_work work;
        if (layer && strcmp(layer, graph->layers[i].name) != 0) {
            continue;
        }
        if (rows > query.out.hi[EW_H]) {
            *why = MORE_ROWS;
            return EW_OK;
        }
        if (rows > 0) {
            query.out.hi[EW_H] = (int32_t)rows;
        }
        if (ew_layer_work_of(&work, &query) && !add_work(l, &work)) {
            return ew_fail_memory(err);
        }
    }
    return EW_OK;
}

/* The network's layers, or the one named; *why says what cannot be modelled. */
static enum ew_status add_network_work(struct loader *l, const struct network *network,
                                       const struct ew_compute_row *row, const char **why,
                                       struct ew_error *err)
{
    const size_t before = l->work.count;
    enum ew_status status = EW_OK;
    if (network->graph) {
        status = add_graph_work(l, network->graph, row->layer, row->n_rows, why, err);
    }
    for (size_t i = network->first; status == EW_OK && network->n && i < l->list.count; i++) {
        const struct listed *item = &l->list.items[i];
        if (strcmp(item->model, network->name) != 0 ||
            (row->layer && strcmp(item->layer, row->layer) != 0)) {
            continue;
        }
        if (item->work.rate_class == EW_RATE_COUNT) {
            *why = "the network has layers of a type that is not modelled";
            l->work.count = before;
            return EW_OK;
        }
        if (row->n_rows > item->height) {
            *why = MORE_ROWS;
            return EW_OK;
        }
        const struct ew_layer_work work = part_of_listed(item, row->n_rows);
        status = add_work(l, &work) ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK && !*why && l->work.count == before) {
        *why = row->layer ? "no convolution or fc layer of that name" : "no convolution or fc";
    }
    return status;
}

/* --- rows ------------------------------------------------------------------------------------ */

static enum ew_status find_columns(struct loader *l, struct ew_error *err)
{
    static const struct ew_rows_unit times[] = {
        {"seconds", 1}, {"latency_s", 1},     {"time_s", 1}, {"min_ms", 1e-3},
        {"ms", 1e-3},   {"latency_ms", 1e-3}, {"us", 1e-6}};
    const struct ew_csv_table *table = l->table;
    bool has_time = false;
    enum ew_status status = ew_csv_table_need(&l->model, table, "model", err);
    if (status != EW_OK) {
        return status;
    }
    l->has_layer = ew_csv_table_find(&l->layer, table, "layer");
    l->has_part = ew_csv_table_find(&l->part, table, "rows");
    (void)ew_rows_device_column(&l->device, table);
    status = ew_rows_unit_column(&has_time, &l->time, &l->time_unit_s, table, "times", times,
                                 sizeof times / sizeof *times, err);
    return status || has_time
               ? status
               : ew_fail(err, EW_EINPUT,
                         "%s: expected a column of times with its unit: seconds, latency_s, "
                         "time_s, min_ms, ms, latency_ms or us",
                         table->path);
}

static size_t group_of(const struct loader *l, const struct ew_compute_row *row)
{
    size_t n = 0;
    for (size_t i = 0; i < l->rows.count; i++) {
        const struct ew_compute_row *other = &l->rows.items[i];
        if (strcmp(other->model, row->model) == 0) {
            return other->group;
        }
        n = other->group >= n ? other->group + 1 : n;
    }
    return n;
}

static enum ew_status read_row(struct loader *l, const struct ew_csv_row *in, struct ew_error *err)
{
    struct ew_compute_data *data = l->data;
    struct ew_compute_row row = {.line = in->line, .model = in->cells[l->model]};
    const struct network *network = NULL;
    const char *why = NULL;
    enum ew_status status =
        ew_csv_table_number(&row.measured_s, l->table, in, l->time, MIN_SECONDS / l->time_unit_s,
                            MAX_SECONDS / l->time_unit_s, err);
    row.measured_s *= l->time_unit_s;
    if (l->has_layer && *in->cells[l->layer]) {
        row.layer = in->cells[l->layer];
    }
    if (status == EW_OK && l->has_part && *in->cells[l->part]) {
        status = ew_csv_table_number(&row.n_rows, l->table, in, l->part, 1, EW_GRAPH_MAX_DIM, err);
        row.n_rows = floor(row.n_rows);
    }
    if (status == EW_OK) {
        status = find_network(&network, l, row.model, err);
    }
    if (status == EW_OK && !network) {
        char text[200];
        (void)snprintf(text, sizeof text, "no graph or layer list of network '%.80s'", row.model);
        flag(l, in, text);
        return EW_OK;
    }
    const size_t first = l->work.count;
    if (status == EW_OK && row.n_rows > 0 && !row.layer) {
        why = "some rows of a whole network: expected a layer";
    } else if (status == EW_OK) {
        status = add_network_work(l, network, &row, &why, err);
    }
    if (status == EW_OK && why) {
        flag(l, in, why);
        return EW_OK;
    }
    row.group = group_of(l, &row);
    data->n_groups = row.group >= data->n_groups ? row.group + 1 : data->n_groups;
    data->has_layers = data->has_layers || row.layer;
    data->has_parts = data->has_parts || (row.layer && row.n_rows > 0);
    if (status == EW_OK && (!ew_vec_push(&l->rows, row) || !ew_vec_push(&l->first_work, first))) {
        status = ew_fail_memory(err);
    }
    return status;
}

/* Rows of one network only: each layer is a group of its own. */
static void regroup(struct ew_compute_data *data)
{
    if (data->n_groups != 1 || !data->has_layers) {
        return;
    }
    data->n_groups = 0;
    for (size_t i = 0; i < data->n_rows; i++) {
        const char *layer = data->rows[i].layer ? data->rows[i].layer : "";
        size_t group = data->n_groups;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(layer, data->rows[j].layer ? data->rows[j].layer : "") == 0) {
                group = data->rows[j].group;
                break;
            }
        }
        data->rows[i].group = group;
        data->n_groups += group == data->n_groups;
    }
}

/* Move what was read into the data's own arena. */
static enum ew_status keep(struct loader *l, struct ew_error *err)
{
    struct ew_compute_data *data = l->data;
    const size_t n = l->rows.count;
    data->rows = ew_arena_calloc(&data->arena, n + 1, sizeof *data->rows);
    data->first_work = ew_arena_calloc(&data->arena, n + 1, sizeof *data->first_work);
    data->work = ew_arena_calloc(&data->arena, l->work.count + 1, sizeof *data->work);
    if (!data->rows || !data->first_work || !data->work) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; i < n; i++) {
        struct ew_compute_row row = l->rows.items[i];
        row.model = ew_arena_strdup(&data->arena, row.model);
        row.layer = row.layer ? ew_arena_strdup(&data->arena, row.layer) : NULL;
        if (!row.model || (l->rows.items[i].layer && !row.layer)) {
            return ew_fail_memory(err);
        }
        data->rows[i] = row;
        data->first_work[i] = l->first_work.items[i];
    }
    data->first_work[n] = l->work.count;
    if (l->work.count) {
        memcpy(data->work, l->work.items, l->work.count * sizeof *data->work);
    }
    data->n_rows = n;
    regroup(data);
    return EW_OK;
}

enum ew_status ew_compute_data_load(struct ew_compute_data *out,
                                    const struct ew_compute_source *source, struct ew_error *err)
{
    struct ew_compute_data data = {0};
    struct loader l = {.source = source, .data = &data};
    enum ew_status status = ew_csv_table_load(&l.table, source->data_path, err);
    if (status == EW_OK) {
        status = find_columns(&l, err);
    }
    if (status == EW_OK) {
        status = ew_rows_check_device(l.table, source->device, err);
    }
    if (status == EW_OK) {
        status = load_list(&l, err);
    }
    for (size_t i = 0; status == EW_OK && i < l.table->n_rows; i++) {
        const struct ew_csv_row *row = &l.table->rows[i];
        if (!source->device || strcmp(row->cells[l.device], source->device) == 0) {
            status = read_row(&l, row, err);
        }
    }
    if (status == EW_OK) {
        status = keep(&l, err);
    }
    if (status == EW_OK) {
        data.path = ew_arena_strdup(&data.arena, source->data_path);
        status = data.path ? EW_OK : ew_fail_memory(err);
    }
    for (size_t i = 0; i < l.networks.count; i++) {
        ew_graph_free(l.networks.items[i].graph);
    }
    ew_vec_fini(&l.networks);
    ew_vec_fini(&l.list);
    ew_vec_fini(&l.rows);
    ew_vec_fini(&l.work);
    ew_vec_fini(&l.first_work);
    ew_csv_table_free(l.list_table);
    ew_csv_table_free(l.table);
    if (status == EW_OK) {
        *out = data;
    } else {
        ew_compute_data_fini(&data);
    }
    return status;
}

void ew_compute_data_fini(struct ew_compute_data *data)
{
    ew_arena_fini(&data->arena);
    *data = (struct ew_compute_data){0};
}
