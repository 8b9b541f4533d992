/*
 * What `edgeweave probe` measures with, alone: kernels, threads, memory and sensors, on a graph
 * made here. Built for arm64 by tests/cross/arm64_probe.sh; no fit, since LAPACKE is opened at run
 * time.
 */
#include <math.h>
#include <stdio.h>

#include "calibrate/probe.h"
#include "model/graph.h"

/* compute_data.c reads CSV files and graphs, which nobody does here. */
void ew_compute_data_fini(struct ew_compute_data *data)
{
    ew_arena_fini(&data->arena);
    *data = (struct ew_compute_data){0};
}

static struct ew_layer_desc conv(const char *name, const char **input, int32_t channels,
                                 int32_t kernel, int32_t groups)
{
    return (struct ew_layer_desc){
        .name = name,
        .op = EW_OP_CONV,
        .inputs = input,
        .n_inputs = 1,
        .attrs = {.out_channels = channels,
                  .kernel = {kernel, kernel},
                  .stride = {1, 1},
                  .pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2},
                  .dilation = {1, 1},
                  .groups = groups},
    };
}

static enum ew_status make_graph(struct ew_graph **out, struct ew_error *err)
{
    const char *inputs[] = {"x", "conv", "depthwise"};
    const struct ew_layer_desc layers[] = {
        {.name = "x", .op = EW_OP_INPUT, .shape = {1, 8, 16, 16}},
        conv("conv", &inputs[0], 16, 3, 1),
        conv("depthwise", &inputs[1], 16, 3, 16),
        conv("pointwise", &inputs[2], 32, 1, 1),
    };
    const struct ew_graph_desc desc = {
        .name = "small",
        .source = "",
        .accuracy_metric = "",
        .path = "",
        .accuracy = 0.9,
        .bytes_per_element = 4,
        .n_layers = sizeof layers / sizeof *layers,
        .layers = layers,
    };
    return ew_graph_make(out, &desc, err);
}

int main(void)
{
    struct ew_error err = {0};
    struct ew_graph *graph = NULL;
    struct ew_probe probe = {0};
    struct ew_compute_fit fit = {0};
    struct ew_str host = {0};
    bool bad = false;
    if (make_graph(&graph, &err) != EW_OK ||
        ew_probe_measure(&probe, (const struct ew_graph *const *)&graph, 1, 20, &err) != EW_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < probe.data.n_rows; i++) {
        const struct ew_compute_row *row = &probe.data.rows[i];
        (void)printf("%s %d %g\n", row->layer, (int)row->n_rows, row->measured_s);
        bad |= !(row->measured_s > 0 && isfinite(row->measured_s));
    }
    ew_probe_put_host(&host, &probe, &fit, "board", "board.reference");
    (void)fputs(ew_str_text(&host), stdout);
    bad |= probe.data.n_rows < 3 || probe.n_threads < 1 || host.failed;
    ew_str_fini(&host);
    ew_probe_fini(&probe);
    ew_graph_free(graph);
    return bad ? 1 : 0;
}
