#include "support/tiny.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_LAYERS = 64, MAX_DEVICES = 256 };

static struct ew_layer_desc describe(const struct tiny_layer *layer, const char *previous,
                                     const char **inputs)
{
    struct ew_layer_desc desc = {.name = layer->name, .op = layer->op, .inputs = inputs};
    const int32_t stride = layer->stride ? layer->stride : 1;
    desc.attrs = (struct ew_op_attrs){
        .out_channels = layer->out_channels,
        .kernel = {layer->kernel, layer->kernel},
        .stride = {stride, stride},
        .pads = {layer->pad, layer->pad, layer->pad, layer->pad},
        .dilation = {1, 1},
        .groups = 1,
    };
    inputs[0] = previous;
    desc.n_inputs = 1;
    for (uint32_t i = 0; i < 3 && layer->inputs[i]; i++) {
        inputs[i] = layer->inputs[i];
        desc.n_inputs = i + 1;
    }
    return desc;
}

struct ew_graph *tiny_graph(int32_t c, int32_t h, int32_t w, uint32_t n,
                            const struct tiny_layer *layers)
{
    struct ew_layer_desc descs[MAX_LAYERS];
    const char *inputs[MAX_LAYERS][3];
    ck_assert_uint_lt(n + 1, MAX_LAYERS);
    descs[0] = (struct ew_layer_desc){.name = "x", .op = EW_OP_INPUT, .shape = {1, c, h, w}};
    for (uint32_t i = 0; i < n; i++) {
        descs[i + 1] = describe(&layers[i], i ? layers[i - 1].name : "x", inputs[i]);
    }
    const struct ew_graph_desc desc = {
        .name = "tiny",
        .source = "",
        .accuracy_metric = "",
        .path = "",
        .accuracy = 0.9,
        .bytes_per_element = 4,
        .n_layers = n + 1,
        .layers = descs,
    };
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_make(&graph, &desc, &err) == EW_OK, "%s", err.message);
    return graph;
}

struct ew_platform *tiny_star(uint32_t n)
{
    static char names[MAX_DEVICES][3][16];
    struct ew_device_desc devices[MAX_DEVICES] = {0};
    struct ew_link links[2 * MAX_DEVICES];
    struct ew_route_desc *routes = calloc((size_t)n * n + 1, sizeof *routes);
    uint32_t(*hops)[2] = calloc((size_t)n * n + 1, sizeof *hops);
    ck_assert_uint_le(n, MAX_DEVICES);
    ck_assert(routes && hops);
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(names[i][0], 16, "d%u", i);
        (void)snprintf(names[i][1], 16, "up%u", i);
        (void)snprintf(names[i][2], 16, "down%u", i);
        devices[i] = (struct ew_device_desc){
            .name = names[i][0],
            .speed_flops_per_s = 1e9,
            .has_power = true,
            .idle_w = 1,
            .compute_w = 3,
            .tx_w = 0.5,
            .rx_w = 0.25,
        };
        links[2 * i] = (struct ew_link){names[i][1], 1e6, 0.5e-3, EW_LINK_SHARED};
        links[2 * i + 1] = (struct ew_link){names[i][2], 1e6, 0.5e-3, EW_LINK_SHARED};
    }
    uint64_t n_routes = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n; k++) {
            if (i != k) {
                hops[n_routes][0] = 2 * i;
                hops[n_routes][1] = 2 * k + 1;
                routes[n_routes] = (struct ew_route_desc){i, k, 2, hops[n_routes]};
                n_routes++;
            }
        }
    }
    const struct ew_platform_desc desc = {
        .path = "",
        .n_devices = n,
        .devices = devices,
        .n_links = 2 * n,
        .links = links,
        .n_routes = n_routes,
        .routes = routes,
    };
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_make(&platform, &desc, &err) == EW_OK, "%s", err.message);
    free(routes);
    free(hops);
    return platform;
}

struct ew_piece tiny_whole(const struct ew_graph *graph, const char *layer, uint32_t device)
{
    uint32_t id = 0;
    ck_assert(ew_graph_find_layer(&id, graph, layer));
    return (struct ew_piece){
        .layer = id,
        .device = device,
        .chain = EW_NONE,
        .sum = EW_NONE,
        .role = EW_PIECE_FULL,
        .box = ew_box_full(graph->layers[id].shape),
    };
}

struct ew_piece tiny_rows(const struct ew_graph *graph, const char *layer, uint32_t device,
                          int32_t lo, int32_t hi)
{
    struct ew_piece piece = tiny_whole(graph, layer, device);
    piece.box.lo[EW_H] = lo;
    piece.box.hi[EW_H] = hi;
    return piece;
}

struct ew_plan tiny_plan(const struct ew_graph *graph, struct ew_segment *segment,
                         const struct ew_piece *pieces, uint32_t n)
{
    *segment = (struct ew_segment){0, 1, 0, graph->n_exits - 1};
    return (struct ew_plan){
        .name = "plan",
        .batch = 1,
        .n_segments = 1,
        .segments = segment,
        .n_pieces = n,
        .pieces = pieces,
        .weight = 1,
        .predicted_latency_s = NAN,
        .predicted_energy_j = NAN,
    };
}
