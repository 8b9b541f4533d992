#include "plugin/check_problems.h"

#include <math.h>
#include <stdio.h>

enum { MAX_LAYERS = 16, MAX_INPUTS = 3, MAX_DEVICES = 4, MAX_EXITS = 2, NAME_BYTES = 16 };

/* ------------------------------------------------------------------------------------ the graphs
 */

/* A layer; without inputs it reads the one before it. `pad` on all sides, `kernel` square. */
struct layer {
    const char *name;
    enum ew_op op;
    int32_t out_channels, kernel, stride, pad;
    const char *inputs[MAX_INPUTS];
};

static const struct layer chain[] = {
    {"conv1", EW_OP_CONV, 8, 3, 1, 1, {NULL}},     {"relu1", EW_OP_RELU, 0, 0, 0, 0, {NULL}},
    {"pool1", EW_OP_MAX_POOL, 0, 2, 2, 0, {NULL}}, {"conv2", EW_OP_CONV, 16, 3, 1, 1, {NULL}},
    {"relu2", EW_OP_RELU, 0, 0, 0, 0, {NULL}},     {"flat", EW_OP_FLATTEN, 0, 0, 0, 0, {NULL}},
    {"fc", EW_OP_FC, 10, 0, 0, 0, {NULL}},         {"prob", EW_OP_SOFTMAX, 0, 0, 0, 0, {NULL}},
};

static const struct layer residual[] = {
    {"conv1", EW_OP_CONV, 8, 3, 2, 1, {NULL}},
    {"conv2", EW_OP_CONV, 8, 3, 1, 1, {NULL}},
    {"add1", EW_OP_ADD, 0, 0, 0, 0, {"conv2", "conv1"}},
    {"relu1", EW_OP_RELU, 0, 0, 0, 0, {NULL}},
    {"conv3", EW_OP_CONV, 16, 3, 2, 1, {NULL}},
    {"short", EW_OP_CONV, 16, 1, 2, 0, {"relu1"}},
    {"add2", EW_OP_ADD, 0, 0, 0, 0, {"conv3", "short"}},
    {"gap", EW_OP_GLOBAL_AVG_POOL, 0, 0, 0, 0, {NULL}},
    {"fc", EW_OP_FC, 5, 0, 0, 0, {NULL}},
};

static const struct layer branches[] = {
    {"stem", EW_OP_CONV, 8, 5, 2, 2, {NULL}},
    {"one", EW_OP_CONV, 4, 1, 1, 0, {"stem"}},
    {"three", EW_OP_CONV, 6, 3, 1, 1, {"stem"}},
    {"pool", EW_OP_AVG_POOL, 0, 3, 1, 1, {"stem"}},
    {"join", EW_OP_CONCAT, 0, 0, 0, 0, {"one", "three", "pool"}},
    {"tail", EW_OP_CONV, 12, 3, 1, 1, {NULL}},
};

static const struct layer dense[] = {
    {"fc1", EW_OP_FC, 64, 0, 0, 0, {NULL}},
    {"relu1", EW_OP_RELU, 0, 0, 0, 0, {NULL}},
    {"fc2", EW_OP_FC, 10, 0, 0, 0, {NULL}},
};

static const struct layer two_exits[] = {
    {"conv1", EW_OP_CONV, 6, 3, 1, 1, {NULL}},
    {"relu1", EW_OP_RELU, 0, 0, 0, 0, {NULL}},
    {"early_gap", EW_OP_GLOBAL_AVG_POOL, 0, 0, 0, 0, {"relu1"}},
    {"early_fc", EW_OP_FC, 4, 0, 0, 0, {NULL}},
    {"conv2", EW_OP_CONV, 6, 3, 1, 1, {"relu1"}},
    {"pool2", EW_OP_MAX_POOL, 0, 2, 2, 0, {NULL}},
    {"fc", EW_OP_FC, 4, 0, 0, 0, {NULL}},
};

static const char *const early_layers[] = {"early_fc"};
static const char *const full_layers[] = {"fc"};
static const struct ew_exit_desc exits[MAX_EXITS] = {
    {"early", 1, early_layers, 0.7},
    {"full", 1, full_layers, 0.9},
};

/* ---------------------------------------------------------------------------------- the platforms
 */

/* How devices are joined. */
enum wiring {
    WIRING_STAR, /* a link up and one down per device */
    WIRING_BUS,  /* one shared medium that every message passes twice */
};

struct device {
    double speed_flops_per_s;
    uint64_t memory_bytes;
    bool has_power;
    bool is_cut_off; /* no routes */
};

/* A problem in short. */
struct outline {
    const char *name;
    const struct layer *layers;
    uint32_t n_layers;
    int32_t input_shape[EW_DIMS];
    uint32_t n_exits;
    enum wiring wiring;
    uint32_t n_devices;
    struct device devices[MAX_DEVICES];
    double bandwidth_bytes_per_s, latency_s, message_overhead_s;
    int32_t batch;
    uint32_t source, sink;
    double deadline_s, min_accuracy, min_throughput_per_s;
    const char *arrival;
};

#define LAYERS(list) (list), sizeof(list) / sizeof *(list)

static const struct outline outlines[EW_CHECK_PROBLEMS] = {
    {"chain",
     LAYERS(chain),
     {1, 3, 32, 32},
     0,
     WIRING_STAR,
     3,
     {{1e9, 0, true, false}, {2e9, 0, true, false}, {4e9, 0, true, false}},
     10e6,
     1e-3,
     0.5e-3,
     1,
     0,
     0,
     INFINITY,
     0,
     0,
     "closed:1"},
    {"residual",
     LAYERS(residual),
     {1, 3, 24, 24},
     0,
     WIRING_STAR,
     2,
     {{1e9, 0, true, false}, {8e9, 0, true, false}},
     1e6,
     5e-3,
     0,
     1,
     0,
     1,
     10,
     0,
     0,
     "poisson:2"},
    {"branches",
     LAYERS(branches),
     {1, 2, 17, 23},
     0,
     WIRING_BUS,
     4,
     {{1e9, 1 << 26, true, false},
      {3e9, 1 << 26, true, false},
      {2e9, 1 << 26, false, false},
      {1e9, 1 << 26, true, false}},
     4e6,
     2e-3,
     1e-3,
     1,
     3,
     3,
     1e-6,
     0,
     0,
     "closed:4"},
    {"dense",
     LAYERS(dense),
     {1, 100, 1, 1},
     0,
     WIRING_STAR,
     1,
     {{1e9, 0, false, false}},
     1e6,
     1e-3,
     0,
     2,
     0,
     0,
     INFINITY,
     0,
     0,
     "closed:1"},
    {"exits",
     LAYERS(two_exits),
     {1, 1, 16, 16},
     MAX_EXITS,
     WIRING_STAR,
     4,
     {{1e9, 1 << 26, true, false},
      {1e9, 1 << 26, true, false},
      {1e9, 1 << 10, true, false},
      {9e9, 0, true, true}},
     1e8,
     0,
     0,
     3,
     1,
     0,
     0.5,
     0.8,
     1,
     "periodic:1"},
};

/* ------------------------------------------------------------------------------------ the making
 */

static struct ew_layer_desc describe_layer(const struct layer *layer, const char *previous,
                                           const char **inputs)
{
    struct ew_layer_desc desc = {
        .name = layer->name,
        .op = layer->op,
        .attrs =
            {
                .out_channels = layer->out_channels,
                .kernel = {layer->kernel, layer->kernel},
                .stride = {layer->stride, layer->stride},
                .pads = {layer->pad, layer->pad, layer->pad, layer->pad},
                .dilation = {1, 1},
                .groups = 1,
                .has_bias = true,
            },
        .n_inputs = 1,
        .inputs = inputs,
    };
    inputs[0] = previous;
    for (uint32_t i = 0; i < MAX_INPUTS && layer->inputs[i]; i++) {
        inputs[i] = layer->inputs[i];
        desc.n_inputs = i + 1;
    }
    return desc;
}

static enum ew_status make_graph(struct ew_graph **out, const struct outline *outline,
                                 struct ew_error *err)
{
    struct ew_layer_desc layers[MAX_LAYERS];
    const char *inputs[MAX_LAYERS][MAX_INPUTS];
    layers[0] = (struct ew_layer_desc){.name = "image", .op = EW_OP_INPUT};
    for (int d = 0; d < EW_DIMS; d++) {
        layers[0].shape[d] = outline->input_shape[d];
    }
    for (uint32_t i = 0; i < outline->n_layers; i++) {
        layers[i + 1] = describe_layer(&outline->layers[i], layers[i].name, inputs[i]);
    }
    const struct ew_graph_desc desc = {
        .name = outline->name,
        .source = "",
        .accuracy_metric = "",
        .path = "",
        .accuracy = 0.9,
        .bytes_per_element = 4,
        .n_layers = outline->n_layers + 1,
        .layers = layers,
        .n_exits = outline->n_exits,
        .exits = exits,
    };
    return ew_graph_make(out, &desc, err);
}

/* Names and links of a platform in the making. */
struct wires {
    char names[MAX_DEVICES][3][NAME_BYTES]; /* device, up, down */
    struct ew_link links[2 * MAX_DEVICES];
    uint32_t hops[MAX_DEVICES * MAX_DEVICES][2];
    struct ew_route_desc routes[MAX_DEVICES * MAX_DEVICES];
    uint32_t n_routes;
};

static void lay_wires(struct wires *wires, const struct outline *outline)
{
    for (uint32_t i = 0; i < outline->n_devices; i++) {
        (void)snprintf(wires->names[i][0], NAME_BYTES, "dev%u", i);
        (void)snprintf(wires->names[i][1], NAME_BYTES, "up%u", i);
        (void)snprintf(wires->names[i][2], NAME_BYTES, "down%u", i);
        for (uint32_t k = 0; k < 2; k++) {
            wires->links[2 * i + k] =
                (struct ew_link){wires->names[i][1 + k], outline->bandwidth_bytes_per_s,
                                 outline->latency_s, EW_LINK_SHARED};
        }
    }
    for (uint32_t from = 0; from < outline->n_devices; from++) {
        for (uint32_t to = 0; to < outline->n_devices; to++) {
            if (from == to || outline->devices[from].is_cut_off ||
                outline->devices[to].is_cut_off) {
                continue;
            }
            const bool is_bus = outline->wiring == WIRING_BUS;
            uint32_t *hops = wires->hops[wires->n_routes];
            hops[0] = is_bus ? 0 : 2 * from;
            hops[1] = is_bus ? 0 : 2 * to + 1;
            wires->routes[wires->n_routes++] = (struct ew_route_desc){from, to, 2, hops};
        }
    }
}

static enum ew_status make_platform(struct ew_platform **out, const struct outline *outline,
                                    struct ew_error *err)
{
    struct wires wires = {.n_routes = 0};
    struct ew_device_desc devices[MAX_DEVICES] = {{.name = NULL}};
    lay_wires(&wires, outline);
    for (uint32_t i = 0; i < outline->n_devices; i++) {
        const struct device *device = &outline->devices[i];
        devices[i] = (struct ew_device_desc){
            .name = wires.names[i][0],
            .speed_flops_per_s = device->speed_flops_per_s,
            .memory_bytes = device->memory_bytes,
            .message_overhead_s = outline->message_overhead_s,
            .has_power = device->has_power,
            .idle_w = device->has_power ? 1 : 0,
            .compute_w = device->has_power ? 3 + i : 0,
            .tx_w = device->has_power ? 0.5 : 0,
            .rx_w = device->has_power ? 0.25 : 0,
        };
    }
    const struct ew_platform_desc desc = {
        .path = "",
        .n_devices = outline->n_devices,
        .devices = devices,
        .n_links = 2 * outline->n_devices,
        .links = wires.links,
        .n_routes = wires.n_routes,
        .routes = wires.routes,
    };
    return ew_platform_make(out, &desc, err);
}

enum ew_status ew_check_problem_init(struct ew_check_problem *out, uint32_t index,
                                     struct ew_error *err)
{
    const struct outline *outline = &outlines[index];
    struct ew_check_problem made = {.name = outline->name};
    enum ew_status status = make_graph(&made.graph, outline, err);
    if (status == EW_OK) {
        status = make_platform(&made.platform, outline, err);
    }
    if (status) {
        ew_check_problem_fini(&made);
        return status;
    }
    made.problem = (struct ew_problem){
        .context = {made.graph, made.platform, ew_element_bytes_of(made.graph)},
        .batch = outline->batch,
        .source_device = outline->source,
        .sink_device = outline->sink,
        .deadline_s = outline->deadline_s,
        .min_accuracy = outline->min_accuracy,
        .min_throughput_per_s = outline->min_throughput_per_s,
        .arrival = outline->arrival,
        .workload = outline->name,
        .seed = 1,
    };
    *out = made;
    return EW_OK;
}

void ew_check_problem_fini(struct ew_check_problem *problem)
{
    ew_platform_free(problem->platform);
    ew_graph_free(problem->graph);
    *problem = (struct ew_check_problem){0};
}
