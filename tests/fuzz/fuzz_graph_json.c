/*
 * Fuzz target: graph files. Whatever parses must also survive the op arithmetic, and the
 * receptive fields must keep to their tensors. Opens no files.
 */
#include <stdlib.h>

#include "io/graph_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

/* Middle third of a tensor in every dimension, at least one element. */
static struct ew_box middle_of(const int32_t shape[EW_DIMS])
{
    struct ew_box b;
    for (int d = 0; d < EW_DIMS; d++) {
        b.lo[d] = shape[d] / 3;
        b.hi[d] = b.lo[d] + 1 + (shape[d] - b.lo[d] - 1) / 2;
    }
    return b;
}

static void check_layer(const struct ew_layer *layer)
{
    const struct ew_op_view view = ew_layer_view(layer);
    const struct ew_box full = ew_box_full(layer->shape), part = middle_of(layer->shape);
    const struct ew_reduction half = {0, ew_op_reduction_length(&view) / 2};
    require(ew_op_macs(&view, &part, &half) <= ew_op_macs(&view, &full, NULL));
    require(ew_op_params_for(&view, &part, &half) <= layer->params);
    require(ew_op_simple_ops(&view, &part) <= ew_op_simple_ops(&view, &full));
    for (uint32_t i = 0; i < layer->n_inputs && i < 4; i++) {
        const struct ew_box tensor = ew_box_full(layer->in_shape[i]);
        const struct ew_box all = ew_op_input_box(&view, i, &full, NULL);
        const struct ew_box in = ew_op_input_box(&view, i, &part, &half);
        require(ew_box_is_empty(&all) || ew_box_contains(&tensor, &all));
        require(ew_box_is_empty(&in) || ew_box_contains(&all, &in));
        const struct ew_box middle = middle_of(layer->in_shape[i]);
        const struct ew_box out = ew_op_output_box(&view, i, &middle);
        require(ew_box_is_empty(&out) || ew_box_contains(&full, &out));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    const enum ew_status status = ew_graph_parse_json(&graph, (const char *)data, size, NULL, &err);
    require((status == EW_OK) == (graph != NULL));
    require(status == EW_OK || err.message[0] != '\0');
    if (!graph) {
        return 0;
    }
    for (uint32_t v = 0; v < graph->n_variants; v++) {
        for (uint32_t i = 0; i < graph->variants[v].graph->n_layers; i++) {
            check_layer(&graph->variants[v].graph->layers[i]);
        }
    }
    ew_graph_free(graph);
    return 0;
}
