/*
 * Views of the problem and estimates, as the ABI shows them.
 */
#include <math.h>

#include "model/op.h"
#include "plugin/host_internal.h"

/* ----------------------------------------------------------------------------- building the views
 */

static uint64_t bytes_of(uint64_t elements, double bytes_per_element)
{
    return (uint64_t)ceil((double)elements * bytes_per_element);
}

static double output_bytes_per_element(const struct ew_plan_context *context,
                                       const struct ew_layer *layer)
{
    return layer->op == EW_OP_INPUT ? context->element_bytes.input
                                    : context->element_bytes.activation;
}

/* Products cost like convolutions but have neither their window nor their reduction: a class of
 * their own for strategies. */
static uint32_t class_of(enum ew_op op)
{
    const bool is_product = op == EW_OP_LINEAR || op == EW_OP_MATMUL || op == EW_OP_CONV_TRANSPOSE;
    return is_product ? EW_LAYER_PRODUCT : (uint32_t)ew_op_class(op);
}

static struct ew_layer_info describe_layer(const struct ew_plan_context *context,
                                           const struct ew_graph *graph,
                                           const struct ew_layer *layer)
{
    struct ew_layer_info info = {
        .struct_size = sizeof info,
        .op_class = class_of(layer->op),
        .name = layer->name,
        .op = ew_op_name(layer->op),
        .n_inputs = layer->n_inputs,
        .n_consumers = layer->n_consumers,
        .inputs = layer->inputs,
        .consumers = layer->consumers,
        .kernel = {1, 1},
        .stride = {1, 1},
        .dilation = {1, 1},
        .groups = layer->attrs.groups > 0 ? layer->attrs.groups : 1,
        .is_input = layer->op == EW_OP_INPUT,
        .macs = layer->macs,
        .params = layer->params,
        .output_bytes = bytes_of(layer->elements, output_bytes_per_element(context, layer)),
        .weight_bytes = bytes_of(layer->params, context->element_bytes.weight),
    };
    for (int d = 0; d < EW_DIMS; d++) {
        info.shape[d] = layer->shape[d];
        info.pads[d] = layer->attrs.pads[d];
    }
    for (int d = 0; d < 2; d++) {
        info.kernel[d] = layer->attrs.kernel[d] > 0 ? layer->attrs.kernel[d] : 1;
        info.stride[d] = layer->attrs.stride[d] > 0 ? layer->attrs.stride[d] : 1;
        info.dilation[d] = layer->attrs.dilation[d] > 0 ? layer->attrs.dilation[d] : 1;
    }
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        const struct ew_layer *input = &graph->layers[layer->inputs[i]];
        info.input_bytes += bytes_of(input->elements, output_bytes_per_element(context, input));
    }
    return info;
}

static enum ew_status describe_variant(struct ew_instance *instance, uint32_t v,
                                       struct ew_error *err)
{
    const struct ew_plan_context *context = &instance->problem->context;
    const struct ew_variant *variant = &context->graph->variants[v];
    const struct ew_graph *graph = variant->graph;
    struct host_variant *view = &instance->variants[v];
    view->layers = ew_arena_calloc(&instance->arena, graph->n_layers, sizeof *view->layers);
    view->exits = ew_arena_calloc(&instance->arena, graph->n_exits, sizeof *view->exits);
    if (!view->layers || !view->exits) {
        return ew_fail_memory(err);
    }
    view->info = (struct ew_graph_info){
        .struct_size = sizeof view->info,
        .n_layers = graph->n_layers,
        .name = graph->name,
        .n_inputs = graph->n_inputs,
        .n_exits = graph->n_exits,
        .inputs = graph->inputs,
        .variant = v,
        .n_variants = context->graph->n_variants,
        .variant_name = variant->name,
        .accuracy = variant->accuracy,
        .input_bytes_per_element = context->element_bytes.input,
        .activation_bytes_per_element = context->element_bytes.activation,
        .weight_bytes_per_element = context->element_bytes.weight,
    };
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        view->layers[i] = describe_layer(context, graph, &graph->layers[i]);
    }
    for (uint32_t i = 0; i < graph->n_exits; i++) {
        view->exits[i] = (struct ew_exit_info){
            .struct_size = sizeof view->exits[i],
            .n_layers = graph->exits[i].n_layers,
            .name = graph->exits[i].name,
            .layers = graph->exits[i].layers,
            .accuracy = graph->exits[i].accuracy,
        };
    }
    return EW_OK;
}

static bool all_have_power(const struct ew_platform *platform)
{
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        if (!platform->devices[d].has_power) {
            return false;
        }
    }
    return true;
}

/* Devices of one node share the first one's radio and idle power. */
static const struct ew_device *first_of_node(const struct ew_platform *platform,
                                             const struct ew_device *device)
{
    return &platform->devices[platform->nodes[device->node].devices[0]];
}

static bool has_power(const struct ew_platform *platform, const struct ew_device *device)
{
    return device->has_power && first_of_node(platform, device)->has_power;
}

static struct ew_device_info describe_device(const struct ew_problem *problem, uint32_t d)
{
    const struct ew_platform *platform = problem->context.platform;
    const struct ew_device *device = &platform->devices[d];
    const struct ew_device *first = first_of_node(platform, device);
    const bool is_powered = has_power(platform, device);
    return (struct ew_device_info){
        .struct_size = sizeof(struct ew_device_info),
        .node = device->node,
        .name = device->name,
        .profile = device->profile->name,
        .speed_flops_per_s = device->speed_flops_per_s,
        .memory_bytes = device->memory_bytes,
        .message_overhead_s = device->message_overhead_s,
        .has_power = is_powered,
        .is_source = d == problem->source_device,
        .idle_w = is_powered ? device->idle_w : 0,
        .compute_w = is_powered ? device->compute_w : 0,
        .tx_w = is_powered ? first->tx_w : 0,
        .rx_w = is_powered ? first->rx_w : 0,
    };
}

enum ew_status host_views_init(struct ew_instance *instance, struct ew_error *err)
{
    const struct ew_problem *problem = instance->problem;
    const struct ew_graph *graph = problem->context.graph;
    const struct ew_platform *platform = problem->context.platform;
    struct ew_arena *arena = &instance->arena;
    instance->variants = ew_arena_calloc(arena, graph->n_variants, sizeof *instance->variants);
    instance->devices = ew_arena_calloc(arena, platform->n_devices, sizeof *instance->devices);
    instance->links = ew_arena_calloc(arena, platform->n_devices, sizeof *instance->links);
    if (!instance->variants || !instance->devices || !instance->links) {
        return ew_fail_memory(err);
    }
    enum ew_status status = EW_OK;
    for (uint32_t v = 0; v < graph->n_variants && status == EW_OK; v++) {
        status = describe_variant(instance, v, err);
    }
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        instance->devices[d] = describe_device(problem, d);
    }
    instance->requirements = (struct ew_requirements_info){
        .struct_size = sizeof instance->requirements,
        .source_device = problem->source_device,
        .sink_device = problem->sink_device,
        .batch = problem->batch,
        .deadline_s = problem->deadline_s,
        .min_accuracy = problem->min_accuracy,
        .min_throughput_per_s = problem->min_throughput_per_s,
        .has_energy = all_have_power(platform),
        .arrival = problem->arrival,
        .workload = problem->workload,
        .images_per_request = problem->images_per_request ? problem->images_per_request : 1,
    };
    return status;
}

/* ------------------------------------------------------------------------------------- the views
 */

static struct ew_instance *planning(const struct ew_host *host)
{
    struct ew_instance *instance = host_instance(host);
    return instance && instance->is_planning ? instance : NULL;
}

static const struct ew_graph *variant_graph(const struct ew_instance *instance, uint32_t variant)
{
    const struct ew_graph *graph = instance->problem->context.graph;
    return variant < graph->n_variants ? graph->variants[variant].graph : NULL;
}

static const struct ew_graph_info *view_graph(const struct ew_host *host, uint32_t variant)
{
    const struct ew_instance *instance = planning(host);
    return instance && variant_graph(instance, variant) ? &instance->variants[variant].info : NULL;
}

static const struct ew_layer_info *view_layer(const struct ew_host *host, uint32_t variant,
                                              uint32_t layer)
{
    const struct ew_instance *instance = planning(host);
    const struct ew_graph *graph = instance ? variant_graph(instance, variant) : NULL;
    return graph && layer < graph->n_layers ? &instance->variants[variant].layers[layer] : NULL;
}

static const struct ew_exit_info *view_exit(const struct ew_host *host, uint32_t variant,
                                            uint32_t exit)
{
    const struct ew_instance *instance = planning(host);
    const struct ew_graph *graph = instance ? variant_graph(instance, variant) : NULL;
    return graph && exit < graph->n_exits ? &instance->variants[variant].exits[exit] : NULL;
}

static uint32_t view_device_count(const struct ew_host *host)
{
    const struct ew_instance *instance = planning(host);
    return instance ? instance->problem->context.platform->n_devices : 0;
}

static const struct ew_device_info *view_device(const struct ew_host *host, uint32_t device)
{
    const struct ew_instance *instance = planning(host);
    return instance && device < instance->problem->context.platform->n_devices
               ? &instance->devices[device]
               : NULL;
}

static void describe_links(struct ew_link_info *row, const struct ew_platform *platform,
                           uint32_t from)
{
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        const struct ew_route *route = ew_platform_route(platform, from, d);
        row[d] = (struct ew_link_info){
            .struct_size = sizeof *row,
            .has_route = from == d || route->n_links > 0,
            .bandwidth_bytes_per_s = from == d ? INFINITY : route->bottleneck_bytes_per_s,
            .latency_s = from == d ? 0 : route->latency_s,
        };
    }
}

void host_views_refresh(struct ew_instance *instance)
{
    const struct ew_platform *platform = instance->problem->context.platform;
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        instance->devices[d] = describe_device(instance->problem, d);
        if (instance->links[d]) {
            describe_links(instance->links[d], platform, d);
        }
    }
}

static const struct ew_link_info *view_link(const struct ew_host *host, uint32_t from, uint32_t to)
{
    struct ew_instance *instance = planning(host);
    const struct ew_platform *platform = instance ? instance->problem->context.platform : NULL;
    if (!platform || from >= platform->n_devices || to >= platform->n_devices) {
        return NULL;
    }
    if (!instance->links[from]) {
        struct ew_link_info *row =
            ew_arena_calloc(&instance->arena, platform->n_devices, sizeof *row);
        if (row) {
            describe_links(row, platform, from);
        }
        instance->links[from] = row;
    }
    return instance->links[from] ? &instance->links[from][to] : NULL;
}

static const struct ew_requirements_info *view_requirements(const struct ew_host *host)
{
    const struct ew_instance *instance = planning(host);
    return instance ? &instance->requirements : NULL;
}

/* ------------------------------------------------------------------------------------- estimates
 */

static struct ew_box to_box(const struct ew_tensor_box *box)
{
    struct ew_box out;
    for (int d = 0; d < EW_DIMS; d++) {
        out.lo[d] = box->lo[d];
        out.hi[d] = box->hi[d];
    }
    return out;
}

/* A box a plugin may ask about: inside the layer for the problem's batch. It may be empty, since
 * planners that share out rows ask about bands of none, but not inside out. */
static bool is_inside(const struct ew_instance *instance, const struct ew_box *box,
                      const struct ew_layer *layer)
{
    struct ew_box whole = ew_box_full(layer->shape);
    whole.hi[EW_N] = instance->problem->batch;
    for (int d = 0; d < EW_DIMS; d++) {
        if (box->lo[d] > box->hi[d]) {
            return false;
        }
    }
    return ew_box_contains(&whole, box);
}

static double estimate_compute_s(const struct ew_host *host, uint32_t variant, uint32_t layer,
                                 const struct ew_tensor_box *box, uint32_t device)
{
    const struct ew_instance *instance = planning(host);
    const struct ew_graph *graph = instance ? variant_graph(instance, variant) : NULL;
    if (!graph || layer >= graph->n_layers || !box ||
        device >= instance->problem->context.platform->n_devices) {
        return NAN;
    }
    const struct ew_cost_query query = {
        .graph = graph, .layer = &graph->layers[layer], .out = to_box(box)};
    if (!is_inside(instance, &query.out, query.layer)) {
        return NAN;
    }
    if (ew_box_is_empty(&query.out)) {
        return 0;
    }
    return ew_cost_compute_s(instance->problem->context.platform->devices[device].profile, &query);
}

static double estimate_transfer_s(const struct ew_host *host, uint32_t from, uint32_t to,
                                  uint64_t bytes)
{
    const struct ew_instance *instance = planning(host);
    const struct ew_platform *platform = instance ? instance->problem->context.platform : NULL;
    if (!platform || from >= platform->n_devices || to >= platform->n_devices) {
        return NAN;
    }
    return ew_platform_transfer_s(platform, from, to, bytes);
}

static double estimate_energy_j(const struct ew_host *host, uint32_t device, double compute_s,
                                double tx_s, double rx_s)
{
    const struct ew_instance *instance = planning(host);
    const struct ew_platform *platform = instance ? instance->problem->context.platform : NULL;
    if (!platform || device >= platform->n_devices ||
        !has_power(platform, &platform->devices[device])) {
        return NAN;
    }
    const struct ew_device *d = &platform->devices[device];
    const struct ew_device *first = first_of_node(platform, d);
    return (d->compute_w - d->idle_w) * compute_s + first->tx_w * tx_s + first->rx_w * rx_s;
}

static double estimate_load_s(const struct ew_host *host, uint32_t device, uint64_t bytes)
{
    const struct ew_instance *instance = planning(host);
    const struct ew_platform *platform = instance ? instance->problem->context.platform : NULL;
    if (!platform || device >= platform->n_devices) {
        return NAN;
    }
    return ew_cost_load_s(platform->devices[device].profile, bytes);
}

static int32_t find_input_box(const struct ew_host *host, uint32_t variant, uint32_t layer,
                              uint32_t input, const struct ew_tensor_box *out,
                              struct ew_tensor_box *in)
{
    struct ew_instance *instance = planning(host);
    const struct ew_graph *graph = instance ? variant_graph(instance, variant) : NULL;
    if (!graph || layer >= graph->n_layers || !out || !in ||
        input >= graph->layers[layer].n_inputs) {
        return host_refuse(instance,
                           "input_box: there is no input %u of layer %u in variant %u, "
                           "or a box is NULL",
                           input, layer, variant);
    }
    const struct ew_box box = to_box(out);
    if (!is_inside(instance, &box, &graph->layers[layer])) {
        return host_refuse(instance, "input_box: layer %s: the box is inside out or outside it",
                           graph->layers[layer].name);
    }
    const struct ew_op_view view = ew_layer_view(&graph->layers[layer]);
    const struct ew_box need =
        ew_box_is_empty(&box) ? (struct ew_box){0} : ew_op_input_box(&view, input, &box, NULL);
    for (int d = 0; d < EW_DIMS; d++) {
        in->lo[d] = need.lo[d];
        in->hi[d] = need.hi[d];
    }
    return EW_STRATEGY_OK;
}

void host_views_bind(struct ew_host *host)
{
    host->graph = view_graph;
    host->layer = view_layer;
    host->exit = view_exit;
    host->device_count = view_device_count;
    host->device = view_device;
    host->link = view_link;
    host->requirements = view_requirements;
    host->compute_s = estimate_compute_s;
    host->transfer_s = estimate_transfer_s;
    host->energy_j = estimate_energy_j;
    host->load_s = estimate_load_s;
    host->input_box = find_input_box;
}
