/*
 * Fuzz target: ONNX files, with and without opaque layers. Whatever imports must be a graph that
 * our own format can say and read back, with equal counts. Opens no files.
 */
#include <stdlib.h>
#include <string.h>

#include "io/graph_json.h"
#include "io/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

/* Weights must lie inside the file. */
static void check_weights(const struct ew_graph *graph, size_t size)
{
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        for (uint32_t k = 0; k < graph->layers[i].n_weights; k++) {
            const struct ew_weight_ref *w = &graph->layers[i].weights[k];
            require(w->size_bytes <= size && w->offset_bytes <= size - w->size_bytes);
        }
    }
}

static void check_round_trip(const struct ew_graph *graph)
{
    struct ew_str text = {0};
    struct ew_graph *back = NULL;
    struct ew_error err = {0};
    ew_graph_print_json(&text, graph, "m.onnx");
    require(!text.failed);
    require(ew_graph_parse_json(&back, ew_str_text(&text), text.length, NULL, &err) == EW_OK);
    require(back->macs == graph->macs && back->params == graph->params &&
            back->n_layers == graph->n_layers);
    ew_graph_free(back);
    ew_str_fini(&text);
}

static void import(const uint8_t *data, size_t size, bool allows_opaque)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    const struct ew_onnx_options options = {.allows_opaque = allows_opaque,
                                            .folds_batchnorm = allows_opaque};
    const enum ew_status status = ew_graph_parse_onnx(&graph, data, size, "m.onnx", &options, &err);
    require((status == EW_OK) == (graph != NULL));
    require(status == EW_OK || err.message[0] != '\0');
    if (graph) {
        check_weights(graph, size);
        check_round_trip(graph);
    }
    ew_graph_free(graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    import(data, size, false);
    import(data, size, true);
    return 0;
}
