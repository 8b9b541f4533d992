/*
 * Fuzz target: profile files. Whatever parses must give finite, non-negative times for a
 * convolution, a pool and an fc, whole and in part. Opens no files.
 */
#include <math.h>
#include <stdlib.h>

#include "io/profile_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

static const char *const from_data[] = {"data"}, *const from_conv[] = {"conv"},
                         *const from_pool[] = {"pool"};

/* data 3x8x8 -> conv 4x8x8 -> pool 4x4x4 -> fc 10; tables in the corpus name these layers. */
static struct ew_graph *make_graph(void)
{
    static const struct ew_layer_desc layers[] = {
        {.name = "data", .op = EW_OP_INPUT, .shape = {1, 3, 8, 8}},
        {.name = "conv",
         .op = EW_OP_CONV,
         .attrs = {.out_channels = 4,
                   .kernel = {3, 3},
                   .stride = {1, 1},
                   .pads = {1, 1, 1, 1},
                   .dilation = {1, 1},
                   .groups = 1,
                   .has_bias = true},
         .n_inputs = 1,
         .inputs = from_data},
        {.name = "pool",
         .op = EW_OP_MAX_POOL,
         .attrs = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}},
         .n_inputs = 1,
         .inputs = from_conv},
        {.name = "fc",
         .op = EW_OP_FC,
         .attrs = {.out_channels = 10},
         .n_inputs = 1,
         .inputs = from_pool},
    };
    const struct ew_graph_desc desc = {.name = "g",
                                       .source = "",
                                       .accuracy_metric = "",
                                       .path = "",
                                       .accuracy = NAN,
                                       .bytes_per_element = 4,
                                       .n_layers = sizeof layers / sizeof *layers,
                                       .layers = layers};
    struct ew_graph *graph = NULL;
    require(ew_graph_make(&graph, &desc, NULL) == EW_OK);
    return graph;
}

static void require_time(double seconds)
{
    require(isfinite(seconds) && seconds >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ew_profile *profile = NULL;
    struct ew_error err = {0};
    const enum ew_status status =
        ew_profile_parse_json(&profile, (const char *)data, size, "fuzz", &err);
    require((status == EW_OK) == (profile != NULL));
    require(status == EW_OK || err.message[0] != '\0');
    if (!profile) {
        return 0;
    }
    struct ew_graph *graph = make_graph();
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        struct ew_cost_query query = {
            .graph = graph, .layer = &graph->layers[i], .out = ew_box_full(graph->layers[i].shape)};
        require_time(ew_cost_compute_s(profile, &query));
        for (int32_t h = query.out.hi[EW_H]; h > 0; h--) {
            query.out.hi[EW_H] = h;
            require_time(ew_cost_compute_s(profile, &query));
        }
    }
    require_time(ew_cost_sum_s(profile, 1000, 3, 4));
    require_time(ew_cost_load_s(profile, UINT64_MAX));
    require_time(ew_cost_convert_s(profile, UINT64_MAX));
    ew_graph_free(graph);
    ew_profile_free(profile);
    return 0;
}
