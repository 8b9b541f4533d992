#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/interop/pipeedge.h"
#include "io/interop/yaml_read.h"

static const double MB = 1e6;

/* Devices that PipeEdge cannot tell apart are of one type, which is named after their profile. */
struct type {
    const struct ew_device *device; /* the first of them */
    double bytes_per_s;
    uint32_t same_name; /* types before it whose profile has the same name */
};

struct printing {
    const struct ew_mapping *mapping;
    const struct ew_plan_context *context;
    struct type *types; /* n_devices at most */
    uint32_t n_types;
    uint32_t *type_of; /* per device */
};

static double device_bandwidth(const struct ew_platform *platform, uint32_t device)
{
    double best = 0;
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        const struct ew_route *route = ew_platform_route(platform, device, d);
        if (d != device && route->n_links) {
            best = fmax(best, route->bottleneck_bytes_per_s);
        }
    }
    return best;
}

static void find_types(struct printing *p)
{
    const struct ew_platform *platform = p->context->platform;
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        const struct ew_device *device = &platform->devices[d];
        const double bytes_per_s = device_bandwidth(platform, d);
        uint32_t t = 0, same_name = 0;
        for (; t < p->n_types; t++) {
            const struct type *type = &p->types[t];
            if (type->device->profile == device->profile &&
                type->device->memory_bytes == device->memory_bytes &&
                fabs(type->bytes_per_s - bytes_per_s) <= 0) {
                break;
            }
            same_name += strcmp(type->device->profile->name, device->profile->name) == 0;
        }
        if (t == p->n_types) {
            p->types[p->n_types++] = (struct type){device, bytes_per_s, same_name};
        }
        p->type_of[d] = t;
    }
}

static void print_type_name(struct ew_str *out, const struct type *type)
{
    struct ew_str name = {0};
    ew_str_append(&name, type->device->profile->name);
    if (type->same_name) {
        ew_str_printf(&name, ".%u", type->same_name + 1);
    }
    out->failed = out->failed || name.failed;
    ew_yaml_print_text(out, ew_str_text(&name));
    ew_str_fini(&name);
}

static void print_numbers(struct ew_str *out, const double *numbers, uint32_t n)
{
    ew_str_append(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        char text[32];
        ew_format_double(text, numbers[i]);
        ew_str_append(out, i == 0 ? "" : i % 8 ? ", " : ",\n        ");
        ew_str_append(out, text);
    }
    ew_str_append(out, "]\n");
}

/* Elements that are made by layers up to each one and read by later ones, once each; behind the
 * last layer the answer. */
static void count_crossing(double *crossing, const struct printing *p)
{
    const struct ew_graph *graph = p->context->graph;
    const struct ew_exit *exit = &graph->exits[graph->n_exits - 1];
    uint32_t *number = calloc(graph->n_layers, sizeof *number);
    for (uint32_t i = 0; number && i < p->mapping->n; i++) {
        number[p->mapping->layers[i]] = i + 1; /* inputs and the unneeded: 0 */
    }
    for (uint32_t i = 0; number && i < p->mapping->n; i++) {
        const struct ew_layer *layer = &graph->layers[p->mapping->layers[i]];
        uint32_t last = i;
        for (uint32_t k = 0; k < layer->n_consumers; k++) {
            const uint32_t reader = number[layer->consumers[k]];
            last = reader && reader - 1 > last ? reader - 1 : last;
        }
        for (uint32_t e = 0; e < exit->n_layers; e++) {
            last = exit->layers[e] == p->mapping->layers[i] ? p->mapping->n : last;
        }
        crossing[i] += (double)layer->elements; /* differences: opened here, closed at the reader */
        if (last < p->mapping->n) {
            crossing[last] -= (double)layer->elements;
        }
    }
    for (uint32_t i = 1; i < p->mapping->n; i++) {
        crossing[i] += crossing[i - 1];
    }
    free(number);
}

static void print_model(struct ew_str *out, const struct printing *p, double *scratch)
{
    const struct ew_graph *graph = p->context->graph;
    const struct ew_element_bytes bytes = p->context->element_bytes;
    const uint32_t n = p->mapping->n;
    double n_in = 0;
    for (uint32_t i = 0; i < graph->n_inputs; i++) {
        n_in += (double)graph->layers[graph->inputs[i]].elements;
    }
    ew_yaml_print_text(out, graph->name);
    ew_str_printf(out, ":\n  layers: %u\n  mem_MB: ", n);
    for (uint32_t i = 0; i < n; i++) {
        const struct ew_layer *layer = &graph->layers[p->mapping->layers[i]];
        scratch[i] =
            ((double)layer->params * bytes.weight + (double)layer->elements * bytes.activation) /
            MB;
    }
    print_numbers(out, scratch, n);
    ew_str_printf(out, "  parameters_in: %.0f\n  parameters_out: ", n_in);
    memset(scratch, 0, n * sizeof *scratch);
    count_crossing(scratch, p);
    print_numbers(out, scratch, n);
}

static void print_types(struct ew_str *out, const struct printing *p, double *scratch)
{
    const struct ew_graph *graph = p->context->graph;
    for (uint32_t t = 0; t < p->n_types; t++) {
        const struct type *type = &p->types[t];
        char text[32];
        print_type_name(out, type);
        ew_format_double(text, type->bytes_per_s * 8 / 1e6);
        ew_str_printf(out, ":\n  bw_Mbps: %s\n", text);
        ew_format_double(text, type->device->memory_bytes ? (double)type->device->memory_bytes / MB
                                                          : 1e9); /* not limited */
        ew_str_printf(out, "  mem_MB: %s\n  model_profiles:\n    ", text);
        ew_yaml_print_text(out, graph->name);
        ew_str_append(out, ":\n    - batch_size: 1\n      dtype: torch.float32\n      time_s: ");
        for (uint32_t i = 0; i < p->mapping->n; i++) {
            const struct ew_layer *layer = &graph->layers[p->mapping->layers[i]];
            const struct ew_cost_query query = {graph, layer, ew_box_full(layer->shape), NULL};
            scratch[i] = ew_cost_compute_s(type->device->profile, &query);
        }
        print_numbers(out, scratch, p->mapping->n);
    }
}

static void print_devices(struct ew_str *out, const struct printing *p)
{
    const struct ew_platform *platform = p->context->platform;
    for (uint32_t t = 0; t < p->n_types; t++) {
        print_type_name(out, &p->types[t]);
        ew_str_append(out, ":\n");
        for (uint32_t d = 0; d < platform->n_devices; d++) {
            if (p->type_of[d] == t) {
                ew_str_append(out, "- ");
                ew_yaml_print_text(out, platform->devices[d].name);
                ew_str_append(out, "\n");
            }
        }
    }
}

enum ew_status ew_pipeedge_print(struct ew_pipeedge_texts *out, const struct ew_mapping *mapping,
                                 const struct ew_plan_context *context, struct ew_error *err)
{
    const uint32_t n_devices = context->platform->n_devices;
    struct printing p = {.mapping = mapping,
                         .context = context,
                         .types = calloc(n_devices, sizeof *p.types),
                         .type_of = calloc(n_devices, sizeof *p.type_of)};
    double *scratch = calloc(mapping->n + 1u, sizeof *scratch);
    enum ew_status status = p.types && p.type_of && scratch ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK) {
        find_types(&p);
        print_model(&out->models, &p, scratch);
        print_types(&out->device_types, &p, scratch);
        print_devices(&out->devices, &p);
        if (out->models.failed || out->device_types.failed || out->devices.failed) {
            status = ew_fail_memory(err);
        }
    }
    free(p.types);
    free(p.type_of);
    free(scratch);
    return status;
}

void ew_pipeedge_texts_fini(struct ew_pipeedge_texts *texts)
{
    ew_str_fini(&texts->models);
    ew_str_fini(&texts->device_types);
    ew_str_fini(&texts->devices);
}
