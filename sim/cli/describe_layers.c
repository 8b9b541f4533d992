/*
 * The layers of a graph as a table, JSON or CSV: what people ask for who split networks by hand.
 */
#include <string.h>

#include "base/json_writer.h"
#include "cli/describe.h"
#include "results/grid.h"

/* ---- halo ---- */

enum { HALO_NONE = 0, HALO_ALL = -1 };

/* Lines of the first input that two neighbouring halves of the output both read, in rows or
 * columns: what devices that hold the halves exchange, or compute twice. HALO_ALL when each half
 * reads all. */
static int32_t halo_of(const struct ew_layer *layer, enum ew_dim dim)
{
    if (layer->n_inputs == 0 || layer->shape[dim] < 2) {
        return HALO_NONE;
    }
    const struct ew_op_view view = ew_layer_view(layer);
    struct ew_box first = ew_box_full(layer->shape), second = first;
    first.hi[dim] = second.lo[dim] = layer->shape[dim] / 2;
    const struct ew_box a = ew_op_input_box(&view, 0, &first, NULL),
                        b = ew_op_input_box(&view, 0, &second, NULL);
    const int32_t size = layer->in_shape[0][dim];
    const bool reads_all = a.hi[dim] - a.lo[dim] >= size && b.hi[dim] - b.lo[dim] >= size;
    const int32_t lines = a.hi[dim] - b.lo[dim];
    return reads_all && size > 1 ? HALO_ALL : lines > 0 && size > 1 ? lines : HALO_NONE;
}

static uint64_t bytes_of(const struct ew_graph *graph, uint64_t elements)
{
    return (uint64_t)((double)elements * graph->bytes_per_element + 0.5);
}

/* ---- JSON ---- */

static void print_shape(struct ew_json *j, const int32_t shape[EW_DIMS])
{
    ew_json_array_begin_inline(j);
    for (int d = 0; d < EW_DIMS; d++) {
        ew_json_i64(j, shape[d]);
    }
    ew_json_array_end(j);
}

static void print_halo(struct ew_json *j, const char *key, int32_t lines)
{
    ew_json_key(j, key);
    if (lines == HALO_ALL) {
        ew_json_string(j, "all");
    } else {
        ew_json_i64(j, lines);
    }
}

static void print_layer_json(struct ew_json *j, const struct ew_graph *graph, uint32_t id)
{
    const struct ew_layer *layer = &graph->layers[id];
    ew_json_object_begin_inline(j);
    ew_json_kv_u64(j, "id", id);
    ew_json_kv_string(j, "name", layer->name);
    ew_json_kv_string(j, "op", ew_op_name(layer->op));
    ew_json_key(j, "shape");
    print_shape(j, layer->shape);
    ew_json_kv_u64(j, "macs", layer->macs);
    ew_json_kv_u64(j, "params", layer->params);
    ew_json_kv_u64(j, "output_bytes", bytes_of(graph, layer->elements));
    ew_json_kv_u64(j, "weight_bytes", bytes_of(graph, layer->params));
    print_halo(j, "halo_rows", halo_of(layer, EW_H));
    print_halo(j, "halo_columns", halo_of(layer, EW_W));
    ew_json_key(j, "inputs");
    ew_json_array_begin_inline(j);
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        ew_json_string(j, graph->layers[layer->inputs[i]].name);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

void ew_describe_layers_json(struct ew_json *j, const struct ew_graph *graph)
{
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        print_layer_json(j, graph, i);
    }
    ew_json_array_end(j);
}

/* ---- CSV ---- */

/* A cell, quoted when it has to be (RFC 4180). */
static void put_cell(struct ew_str *out, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        ew_str_append(out, text);
        return;
    }
    ew_str_append(out, "\"");
    for (; *text; text++) {
        ew_str_append(out, *text == '"' ? "\"" : "");
        ew_str_append_n(out, text, 1);
    }
    ew_str_append(out, "\"");
}

static void put_halo(struct ew_str *out, int32_t lines)
{
    if (lines == HALO_ALL) {
        ew_str_append(out, ",all");
    } else {
        ew_str_printf(out, ",%d", (int)lines);
    }
}

static void print_csv(struct ew_str *out, const struct ew_graph *graph)
{
    ew_str_append(out, "id,name,op,channels,rows,columns,macs,params,output_bytes,weight_bytes,"
                       "halo_rows,halo_columns,inputs\n");
    for (uint32_t id = 0; id < graph->n_layers; id++) {
        const struct ew_layer *layer = &graph->layers[id];
        struct ew_str inputs = {0};
        ew_str_printf(out, "%u,", id);
        put_cell(out, layer->name);
        ew_str_printf(out, ",%s,%d,%d,%d,%llu,%llu,%llu,%llu", ew_op_name(layer->op),
                      layer->shape[EW_C], layer->shape[EW_H], layer->shape[EW_W],
                      (unsigned long long)layer->macs, (unsigned long long)layer->params,
                      (unsigned long long)bytes_of(graph, layer->elements),
                      (unsigned long long)bytes_of(graph, layer->params));
        put_halo(out, halo_of(layer, EW_H));
        put_halo(out, halo_of(layer, EW_W));
        for (uint32_t i = 0; i < layer->n_inputs; i++) {
            ew_str_printf(&inputs, "%s%s", i ? ";" : "", graph->layers[layer->inputs[i]].name);
        }
        ew_str_append(out, ",");
        put_cell(out, ew_str_text(&inputs));
        ew_str_append(out, "\n");
        out->failed = out->failed || inputs.failed;
        ew_str_fini(&inputs);
    }
}

/* ---- table ---- */

/* "conv1_1 + shortcut", kept by the grid. */
static const char *input_names(struct ew_grid *grid, const struct ew_graph *graph,
                               const struct ew_layer *layer)
{
    const char *names = "";
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        names = ew_grid_format(grid, "%s%s%s", names, i ? " + " : "",
                               graph->layers[layer->inputs[i]].name);
    }
    return names;
}

static const char *halo_text(struct ew_grid *grid, int32_t lines)
{
    return lines == HALO_ALL ? "all" : ew_grid_format(grid, "%d", (int)lines);
}

static void print_table(struct ew_str *out, const struct ew_graph *graph)
{
    struct ew_grid grid = {.n_columns = 9, .ends_in_text = true};
    struct ew_grid_row *row = ew_grid_add(&grid);
    if (row) {
        *row = (struct ew_grid_row){.cells = {"layer", "op", "output", "MMACs", "kparams", "kB",
                                              "weight kB", "halo", "from"}};
    }
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        const struct ew_layer *layer = &graph->layers[i];
        row = ew_grid_add(&grid);
        if (row) {
            *row = (struct ew_grid_row){
                .cells = {
                    layer->name, ew_op_name(layer->op),
                    ew_grid_format(&grid, "%dx%dx%d", layer->shape[1], layer->shape[2],
                                   layer->shape[3]),
                    ew_grid_format(&grid, "%.4g", (double)layer->macs / 1e6),
                    ew_grid_format(&grid, "%.4g", (double)layer->params / 1e3),
                    ew_grid_format(&grid, "%.4g", (double)bytes_of(graph, layer->elements) / 1e3),
                    ew_grid_format(&grid, "%.4g", (double)bytes_of(graph, layer->params) / 1e3),
                    halo_text(&grid, halo_of(layer, EW_H)), input_names(&grid, graph, layer)}};
        }
    }
    ew_describe_grid_end(out, &grid);
}

void ew_describe_layers(struct ew_str *out, const struct ew_graph *graph,
                        enum ew_layers_format format)
{
    struct ew_json j = {.out = out};
    switch (format) {
    case EW_LAYERS_JSON:
        ew_describe_layers_json(&j, graph);
        ew_str_append(out, "\n");
        break;
    case EW_LAYERS_CSV:
        print_csv(out, graph);
        break;
    default:
        print_table(out, graph);
        break;
    }
}
