/*
 * Graphs as JSON text: what graph_json.c reads, written.
 */
#include <math.h>

#include "io/graph_json.h"
#include "io/graph_layer_json.h"

static const char *dtype_of(const struct ew_graph *graph)
{
    return graph->bytes_per_element == 1   ? "int8"
           : graph->bytes_per_element == 2 ? "float16"
                                           : "float32";
}

static void print_inputs(struct ew_json *j, const struct ew_graph *graph)
{
    ew_json_key(j, "inputs");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < graph->n_inputs; i++) {
        const struct ew_layer *input = &graph->layers[graph->inputs[i]];
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "name", input->name);
        ew_json_key(j, "shape");
        ew_json_array_begin_inline(j);
        for (int d = 0; d < EW_DIMS; d++) {
            ew_json_i64(j, input->shape[d]);
        }
        ew_json_array_end(j);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void print_exits(struct ew_json *j, const struct ew_graph *graph)
{
    ew_json_key(j, "exits");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < graph->n_exits; i++) {
        const struct ew_exit *exit = &graph->exits[i];
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "name", exit->name);
        ew_json_key(j, "layers");
        ew_json_array_begin_inline(j);
        for (uint32_t k = 0; k < exit->n_layers; k++) {
            ew_json_string(j, graph->layers[exit->layers[k]].name);
        }
        ew_json_array_end(j);
        if (!isnan(exit->accuracy)) {
            ew_json_kv_double(j, "accuracy", exit->accuracy);
        }
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

void ew_graph_print_json(struct ew_str *out, const struct ew_graph *graph, const char *weights_file)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "schema", "edgeweave.graph/1");
    ew_json_kv_string(&j, "name", graph->name);
    if (*graph->source) {
        ew_json_kv_string(&j, "source", graph->source);
    }
    ew_json_kv_string(&j, "dtype", dtype_of(graph));
    if (*graph->accuracy_metric) {
        ew_json_kv_string(&j, "accuracy_metric", graph->accuracy_metric);
    }
    if (weights_file) {
        ew_json_kv_string(&j, "weights_file", weights_file);
    }
    print_inputs(&j, graph);
    ew_json_key(&j, "layers");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        if (graph->layers[i].op != EW_OP_INPUT) {
            ew_layer_json_print(&j, graph, &graph->layers[i], weights_file != NULL);
        }
    }
    ew_json_array_end(&j);
    print_exits(&j, graph);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}
