#include "io/interop/mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "io/interop/yaml_read.h"
#include "io/json_read.h"
#include "plan/builder.h"

enum { MAX_BYTES = 64 << 20 };

enum ew_status ew_mapping_init(struct ew_mapping *mapping, const struct ew_graph *graph,
                               struct ew_error *err)
{
    bool *needed = calloc(graph->n_layers, sizeof *needed);
    mapping->layers = calloc(graph->n_layers, sizeof *mapping->layers);
    mapping->device = calloc(graph->n_layers, sizeof *mapping->device);
    mapping->n = 0;
    if (!needed || !mapping->layers || !mapping->device) {
        free(needed);
        return ew_fail_memory(err);
    }
    (void)ew_graph_exit_layers(needed, graph, graph->n_exits - 1);
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        if (needed[l] && graph->layers[l].op != EW_OP_INPUT) {
            mapping->layers[mapping->n] = l;
            mapping->device[mapping->n++] = EW_NONE;
        }
    }
    free(needed);
    return EW_OK;
}

void ew_mapping_fini(struct ew_mapping *mapping)
{
    free(mapping->layers);
    free(mapping->device);
    *mapping = (struct ew_mapping){0};
}

/* Number of a layer in the mapping, EW_NONE when it is not in it. */
static uint32_t find_number(const struct ew_mapping *mapping, uint32_t layer)
{
    uint32_t lo = 0, hi = mapping->n;
    while (lo < hi) {
        const uint32_t middle = lo + (hi - lo) / 2;
        if (mapping->layers[middle] < layer) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    return lo < mapping->n && mapping->layers[lo] == layer ? lo : EW_NONE;
}

static const char *layer_name(const struct ew_mapping *mapping,
                              const struct ew_plan_context *context, uint32_t number)
{
    return context->graph->layers[mapping->layers[number]].name;
}

/* --- plans ----------------------------------------------------------------------------------- */

enum ew_status ew_mapping_of_book(struct ew_mapping *mapping, const struct ew_plan_context *context,
                                  const struct ew_book *book, struct ew_error *err)
{
    const struct ew_graph *graph = context->graph;
    const struct ew_plan *plan = book->plans[0];
    if (book->n_plans != 1) {
        return ew_fail(err, EW_ENOTSUP, "a mapping is one plan, this book has %u", book->n_plans);
    }
    if (plan->n_segments != 1 || plan->segments[0].variant != 0 ||
        plan->segments[0].exit != graph->n_exits - 1) {
        return ew_fail(err, EW_ENOTSUP,
                       "a mapping is about the full network, this plan uses variants or exits");
    }
    for (uint32_t p = 0; p < plan->n_pieces; p++) {
        const struct ew_piece *piece = &plan->pieces[p];
        const struct ew_layer *layer = &graph->layers[piece->layer];
        const uint32_t number = find_number(mapping, piece->layer);
        struct ew_box whole = ew_box_full(layer->shape);
        whole.hi[0] = plan->batch;
        if (number == EW_NONE) {
            continue; /* computed for nothing */
        }
        if (piece->role != EW_PIECE_FULL || !ew_box_equal(&piece->box, &whole) ||
            mapping->device[number] != EW_NONE) {
            return ew_fail(err, EW_ENOTSUP,
                           "layer '%s' is divided: a mapping has every layer on one device",
                           layer->name);
        }
        if (piece->pool) {
            return ew_fail(err, EW_ENOTSUP,
                           "layer '%s' waits in a pool: a mapping names its device", layer->name);
        }
        mapping->device[number] = piece->device;
    }
    for (uint32_t i = 0; i < mapping->n; i++) {
        if (mapping->device[i] == EW_NONE) {
            return ew_fail(err, EW_EINPUT, "layer '%s' is computed by nobody",
                           layer_name(mapping, context, i));
        }
    }
    return EW_OK;
}

enum ew_status ew_mapping_book(struct ew_book **out, const struct ew_mapping *mapping,
                               const struct ew_plan_context *context, const char *name,
                               int32_t batch, uint32_t source, uint32_t sink, struct ew_error *err)
{
    struct ew_builder *builder = ew_builder_new(context);
    enum ew_status status = builder ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK) {
        status = ew_builder_begin_plan(builder, name, batch, source, sink, err);
    }
    for (uint32_t i = 0; status == EW_OK && i < mapping->n; i++) {
        struct ew_piece piece = {.layer = mapping->layers[i],
                                 .device = mapping->device[i],
                                 .chain = EW_NONE,
                                 .sum = EW_NONE,
                                 .role = EW_PIECE_FULL};
        piece.box = ew_box_full(context->graph->layers[piece.layer].shape);
        piece.box.hi[0] = batch;
        status = ew_builder_add_piece(builder, &piece, NULL, err);
    }
    if (status == EW_OK) {
        status = ew_builder_finish(out, builder, name, err);
    }
    ew_builder_free(builder);
    return status;
}

/* --- printing -------------------------------------------------------------------------------- */

void ew_mapping_print_autodice(struct ew_str *out, const struct ew_mapping *mapping,
                               const struct ew_plan_context *context)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    for (uint32_t d = 0; d < context->platform->n_devices; d++) {
        bool has_any = false;
        for (uint32_t i = 0; i < mapping->n; i++) {
            if (mapping->device[i] != d) {
                continue;
            }
            if (!has_any) {
                ew_json_key(&j, context->platform->devices[d].name);
                ew_json_array_begin_inline(&j);
                has_any = true;
            }
            ew_json_string(&j, layer_name(mapping, context, i));
        }
        if (has_any) {
            ew_json_array_end(&j);
        }
    }
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

enum ew_status ew_mapping_print_pipeedge(struct ew_str *out, const struct ew_mapping *mapping,
                                         const struct ew_plan_context *context,
                                         struct ew_error *err)
{
    bool *is_used = calloc(context->platform->n_devices, sizeof *is_used);
    enum ew_status status = is_used ? EW_OK : ew_fail_memory(err);
    for (uint32_t first = 0; status == EW_OK && first < mapping->n;) {
        const uint32_t device = mapping->device[first];
        uint32_t end = first + 1;
        while (end < mapping->n && mapping->device[end] == device) {
            end++;
        }
        if (is_used[device]) {
            status = ew_fail(err, EW_ENOTSUP,
                             "device '%s' has layer '%s' and earlier ones, but not all between: a "
                             "PipeEdge stage is one run of layers",
                             context->platform->devices[device].name,
                             layer_name(mapping, context, first));
            break;
        }
        is_used[device] = true;
        ew_str_append(out, "- ");
        ew_yaml_print_text(out, context->platform->devices[device].name);
        ew_str_printf(out, ": [%u, %u]\n", first + 1, end);
        first = end;
    }
    free(is_used);
    return status;
}

/* --- reading --------------------------------------------------------------------------------- */

static const char *device_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_platform *)ctx)->devices[i].name;
}

/* "unknown device 'x'; did you mean 'y'?" */
static void describe_unknown_device(char *out, size_t size, const struct ew_platform *platform,
                                    const char *name)
{
    const char *near = ew_nearest_name(name, platform->n_devices, device_name_at, platform);
    (void)snprintf(out, size, "the platform has no device '%.60s'%s%s%s", name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum ew_status check_complete(const struct ew_mapping *mapping, const char *path,
                                     const struct ew_mapping_unknown *unknown,
                                     const struct ew_plan_context *context, struct ew_error *err)
{
    for (uint32_t i = 0; i < mapping->n; i++) {
        if (mapping->device[i] == EW_NONE) {
            return ew_fail(err, EW_EINPUT, "%s: layer '%s' is not mapped to a device%s%s%s", path,
                           layer_name(mapping, context, i),
                           unknown->n ? "; the graph has no layer '" : "",
                           unknown->n ? unknown->first : "", unknown->n ? "'" : "");
        }
    }
    return EW_OK;
}

static enum ew_status take_name(struct ew_mapping *mapping, struct ew_mapping_unknown *unknown,
                                const struct ew_json_value *item, uint32_t device,
                                const struct ew_plan_context *context, struct ew_error *err)
{
    const char *name;
    uint32_t layer;
    const enum ew_status status = ew_json_as_string(&name, item, err);
    if (status != EW_OK) {
        return status;
    }
    const bool is_known = ew_graph_find_layer(&layer, context->graph, name);
    const uint32_t number = is_known ? find_number(mapping, layer) : EW_NONE;
    if (number == EW_NONE) { /* inputs and what the full network does not need are no layers here */
        if (!is_known && unknown->n++ == 0) {
            (void)snprintf(unknown->first, sizeof unknown->first, "%s", name);
        }
        return EW_OK;
    }
    if (mapping->device[number] != EW_NONE) {
        return ew_json_fail(item, err, "layer '%s' is on '%s' already", name,
                            context->platform->devices[mapping->device[number]].name);
    }
    mapping->device[number] = device;
    return EW_OK;
}

enum ew_status ew_mapping_load_autodice(struct ew_mapping *mapping,
                                        struct ew_mapping_unknown *unknown, const char *path,
                                        const struct ew_plan_context *context, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    *unknown = (struct ew_mapping_unknown){0};
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_BYTES, err);
    if (status != EW_OK) {
        return status;
    }
    const struct ew_json_value root = ew_json_root(doc);
    struct ew_json_value list = {0};
    status = ew_json_as_object(&root, err);
    while (status == EW_OK && ew_json_next(&list, &root)) {
        struct ew_json_value item = {0};
        uint32_t device = 0;
        char message[256];
        if (!ew_platform_find_device(&device, context->platform, ew_json_name(&list))) {
            describe_unknown_device(message, sizeof message, context->platform,
                                    ew_json_name(&list));
            status = ew_json_fail(&list, err, "%s", message);
            break;
        }
        status = ew_json_as_array(&list, err);
        while (status == EW_OK && ew_json_next(&item, &list)) {
            status = take_name(mapping, unknown, &item, device, context, err);
        }
    }
    if (status == EW_OK) {
        status = check_complete(mapping, path, unknown, context, err);
    }
    ew_json_doc_free(doc);
    return status;
}

/* `host: [first, last]`, behind the layer before. */
static enum ew_status take_stage(struct ew_mapping *mapping, uint32_t *n_done,
                                 const struct ew_yaml *yaml, const struct ew_yaml_node *stage,
                                 const struct ew_plan_context *context, struct ew_error *err)
{
    const struct ew_yaml_node *range = stage->first;
    uint32_t device = 0;
    int64_t first = 0, last = 0;
    enum ew_status status = ew_yaml_expect(yaml, stage, EW_YAML_MAPPING, err);
    if (status == EW_OK && stage->n != 1) {
        return ew_yaml_fail(yaml, stage, err, "expected one host per stage, found %u", stage->n);
    }
    if (status == EW_OK && !ew_platform_find_device(&device, context->platform, range->key)) {
        char message[256];
        describe_unknown_device(message, sizeof message, context->platform, range->key);
        return ew_yaml_fail(yaml, stage, err, "%s", message);
    }
    if (status == EW_OK) {
        status = ew_yaml_expect(yaml, range, EW_YAML_SEQUENCE, err);
    }
    if (status == EW_OK && range->n != 2) {
        return ew_yaml_fail(yaml, range, err, "expected [first, last], found %u values", range->n);
    }
    if (status == EW_OK) {
        status = ew_yaml_as_i64(&first, yaml, range->first, 1, mapping->n, err);
    }
    if (status == EW_OK) {
        status = ew_yaml_as_i64(&last, yaml, range->first->next, first, mapping->n, err);
    }
    if (status == EW_OK && first != (int64_t)*n_done + 1) {
        return ew_yaml_fail(yaml, range, err,
                            "expected the stage to begin with layer %u, found %lld", *n_done + 1,
                            (long long)first);
    }
    for (; status == EW_OK && *n_done < (uint64_t)last; ++*n_done) {
        mapping->device[*n_done] = device;
    }
    return status;
}

enum ew_status ew_mapping_load_pipeedge(struct ew_mapping *mapping, const char *path,
                                        const struct ew_plan_context *context, struct ew_error *err)
{
    struct ew_yaml *yaml = NULL;
    enum ew_status status = ew_yaml_load(&yaml, path, MAX_BYTES, err);
    if (status != EW_OK) {
        return status;
    }
    const struct ew_yaml_node *root = ew_yaml_root(yaml);
    uint32_t n_done = 0;
    status = ew_yaml_expect(yaml, root, EW_YAML_SEQUENCE, err);
    for (const struct ew_yaml_node *stage = status == EW_OK ? root->first : NULL;
         stage && status == EW_OK; stage = stage->next) {
        status = take_stage(mapping, &n_done, yaml, stage, context, err);
    }
    if (status == EW_OK && n_done < mapping->n) {
        status =
            ew_yaml_fail(yaml, root, err, "expected stages up to layer %u of graph '%s', found %u",
                         mapping->n, context->graph->name, n_done);
    }
    ew_yaml_free(yaml);
    return status;
}
