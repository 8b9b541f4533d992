/*
 * The import of one ONNX file: inputs and weights (onnx_inputs.c), then node by node, then the
 * graph.
 */
#include "io/onnx_import.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* ---- nodes ---- */

/* Nodes that an output of the graph needs. */
static enum ew_status find_needed(bool *is_needed, struct ox_import *im)
{
    const struct ox_model *m = im->model;
    uint32_t *maker = ew_arena_calloc(im->arena, im->values.count, sizeof *maker);
    uint32_t *stack = ew_arena_calloc(im->arena, m->n_nodes, sizeof *stack), depth = 0;
    if (!maker || !stack) {
        return ew_fail_memory(im->err);
    }
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        for (uint32_t k = 0; k < m->nodes[i].n_outputs; k++) {
            const struct ox_text name = m->nodes[i].outputs[k];
            const uint32_t value = im->uses[i].outputs[k];
            if (name.size == 0) {
                continue;
            }
            if (maker[value] || im->values.items[value].is_set) {
                return ew_fail(im->err, EW_EINPUT,
                               "'%s' is made more than once: expected names that no other input, "
                               "initializer or output has",
                               ox_label(im, name));
            }
            maker[value] = i + 1;
        }
    }
    for (uint32_t i = 0; i < m->n_outputs; i++) {
        const uint32_t node = maker[ox_find_value(im, m->outputs[i].name)];
        if (node && !is_needed[node - 1]) {
            is_needed[node - 1] = true;
            stack[depth++] = node - 1;
        }
    }
    while (depth > 0) {
        const uint32_t at = stack[--depth];
        const struct ox_node *node = &m->nodes[at];
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            const uint32_t from = maker[im->uses[at].inputs[k]];
            if (node->inputs[k].size > 0 && from && !is_needed[from - 1]) {
                is_needed[from - 1] = true;
                stack[depth++] = from - 1;
            }
        }
    }
    return EW_OK;
}

/* Every input of the node must exist by now. */
static enum ew_status check_inputs(struct ox_import *im)
{
    if (im->node->n_inputs > OX_MAX_INPUTS || im->node->n_outputs > OX_MAX_INPUTS) {
        return ox_fail(im, "expected at most %d inputs and outputs", (int)OX_MAX_INPUTS);
    }
    for (uint32_t i = 0; i < im->node->n_inputs; i++) {
        const struct ox_value *value = ox_has_input(im, i) ? ox_input(im, i) : NULL;
        if (!value || value->is_set) {
            continue;
        }
        for (uint32_t n = 0; n < im->model->n_nodes; n++) {
            for (uint32_t k = 0; k < im->model->nodes[n].n_outputs; k++) {
                if (&im->values.items[im->uses[n].outputs[k]] == value) {
                    return ox_fail(im,
                                   "input '%s' is made by a later node: the graph has a cycle, "
                                   "or its nodes are not in order",
                                   ox_label(im, value->name));
                }
            }
        }
        return ox_fail(im,
                       "input '%s' is neither an input of the graph, an initializer nor made "
                       "by a node",
                       ox_label(im, value->name));
    }
    return EW_OK;
}

static bool is_known_domain(struct ox_text domain)
{
    return domain.size == 0 || ox_text_is(domain, "ai.onnx");
}

/* The shape that the file states for an output. */
static enum ew_status stated_dims(struct ox_dims *out, struct ox_import *im, uint32_t output)
{
    const struct ox_value *value = &im->values.items[im->use->outputs[output]];
    const struct ox_value_info *info = value->info;
    bool is_known = info && info->n_dims <= OX_MAX_RANK;
    out->n = is_known ? info->n_dims : 0;
    for (uint32_t i = 0; i < out->n; i++) {
        out->at[i] = info->dims[i];
        is_known = is_known && out->at[i] > 0;
    }
    if (!is_known) {
        return ox_fail(im,
                       "the shape of '%s' is not in the file; let onnx.shape_inference write it "
                       "there, so that the node can be kept as an opaque layer",
                       ox_label(im, value->name));
    }
    return ox_check_dims(im, "output", out);
}

enum ew_status ox_read_opaque(struct ox_import *im)
{
    int32_t *inputs = ew_arena_calloc(im->arena, im->node->n_inputs, sizeof *inputs);
    uint32_t n = 0;
    uint64_t n_params = 0;
    if (!inputs) {
        return ew_fail_memory(im->err);
    }
    for (uint32_t i = 0; i < im->node->n_inputs; i++) {
        const struct ox_value *in = ox_has_input(im, i) ? ox_input(im, i) : NULL;
        if (in && in->layer != OX_NO_LAYER) {
            inputs[n++] = in->layer;
        } else if (in && in->is_learned) {
            n_params += ox_count(&in->dims);
        }
    }
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < im->node->n_outputs && status == EW_OK; i++) {
        struct ox_value value = {.layer = OX_NO_LAYER};
        int slots[OX_MAX_RANK];
        if (im->node->outputs[i].size == 0) {
            continue;
        }
        status = stated_dims(&value.dims, im, i);
        struct ew_op_attrs attrs = {.own_params = i == 0 ? n_params : 0};
        if (status == EW_OK && ox_layout(slots, &value.dims)) {
            ox_arrange_dims(attrs.reshape, &value.dims, slots);
        } else { /* any sequence will do */
            attrs.reshape[0] = (int32_t)ox_count(&value.dims);
            attrs.reshape[1] = attrs.reshape[2] = 1;
        }
        if (status == EW_OK && n > 0) {
            status = ox_add_layer(&value.layer, im, EW_OP_OPAQUE, &attrs, n, inputs);
        }
        status = status ? status : ox_set_output(im, i, &value);
    }
    return status;
}

static enum ew_status fail_unknown(struct ox_import *im)
{
    const struct ox_text domain = im->node->domain;
    return ox_fail(im,
                   "operator %s%s%s with these inputs and attributes cannot be placed; export the "
                   "model without it, or keep it with 'edgeweave import --allow-opaque' as a layer "
                   "that one device computes",
                   domain.size ? ox_label(im, domain) : "", domain.size ? "." : "",
                   ox_label(im, im->node->op));
}

static void forget_layers(struct ox_import *im, size_t n)
{
    for (size_t i = 0; i < n && im->layers.count > n; i++) {
        if (im->layers.items[i].arranged >= (int32_t)n) {
            im->layers.items[i].arranged = OX_NO_LAYER;
        }
    }
    im->layers.count = n;
}

static enum ew_status read_node(struct ox_import *im, uint32_t i)
{
    const struct ox_node *node = im->node = &im->model->nodes[i];
    im->use = &im->uses[i];
    im->label = NULL;
    const size_t n_layers = im->layers.count;
    enum ew_status status = check_inputs(im);
    if (status == EW_OK) {
        status = is_known_domain(node->domain) ? ox_read_fold(im) : EW_ENOTSUP;
    }
    if (status == EW_ENOTSUP && is_known_domain(node->domain)) {
        status = ox_read_view(im);
        status = status == EW_ENOTSUP ? ox_read_compute(im) : status;
    }
    if (status == EW_ENOTSUP) {
        forget_layers(im, n_layers); /* what a reader had begun */
        status = im->options->allows_opaque ? ox_read_opaque(im) : fail_unknown(im);
    }
    return status;
}

static enum ew_status read_nodes(struct ox_import *im)
{
    const uint32_t n = im->model->n_nodes;
    bool *is_needed = ew_arena_calloc(im->arena, n, sizeof *is_needed);
    enum ew_status status = is_needed ? find_needed(is_needed, im) : ew_fail_memory(im->err);
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        if (is_needed[i]) {
            status = read_node(im, i);
        }
    }
    im->node = NULL;
    return status;
}

/* ---- outputs ---- */

static enum ew_status find_outputs(struct ox_import *im)
{
    const struct ox_model *m = im->model;
    im->outputs = ew_arena_calloc(im->arena, m->n_outputs, sizeof *im->outputs);
    if (!im->outputs) {
        return ew_fail_memory(im->err);
    }
    for (uint32_t i = 0; i < m->n_outputs; i++) {
        const struct ox_value *value = ox_value_named(im, m->outputs[i].name);
        if (!value->is_set) {
            return ew_fail(im->err, EW_EINPUT, "output '%s' is made by no node",
                           ox_label(im, value->name));
        }
        bool is_new = value->layer != OX_NO_LAYER;
        for (uint32_t k = 0; k < im->n_outputs; k++) {
            is_new = is_new && im->outputs[k] != value->layer;
        }
        if (is_new) {
            im->outputs[im->n_outputs++] = value->layer;
        }
    }
    if (im->n_outputs == 0) {
        return ew_fail(im->err, EW_EINPUT, "expected an output that depends on an input");
    }
    return EW_OK;
}

/* ---- the graph ---- */

/* Names of the layers, each once: "relu", "relu_2", … A number may clash with a name of the file,
 * so all wishes are known first. */
static enum ew_status choose_names(const char **names, struct ox_import *im)
{
    const uint32_t n = (uint32_t)im->layers.count;
    struct ox_names taken = {0};
    uint32_t *counts = calloc((size_t)2 * n + 1, sizeof *counts);
    enum ew_status status = counts ? EW_OK : ew_fail_memory(im->err);
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        const char *wish = im->layers.items[i].name;
        const struct ox_text text = {wish, strlen(wish)};
        status = ox_find_name(&taken, text) == UINT32_MAX ? ew_fail_memory(im->err) : EW_OK;
    }
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        if (im->layers.items[i].is_dead) {
            continue;
        }
        const char *wish = im->layers.items[i].name;
        const uint32_t at = ox_find_name(&taken, (struct ox_text){wish, strlen(wish)});
        names[i] = counts[at] == 0 ? wish : NULL;
        counts[at]++;
        while (!names[i] && status == EW_OK) {
            char text[128];
            (void)snprintf(text, sizeof text, "%s_%u", wish, (unsigned)counts[at]);
            counts[at]++;
            const char *copy = ew_arena_strdup(im->arena, text);
            const size_t before = taken.items.count;
            const uint32_t found =
                copy ? ox_find_name(&taken, (struct ox_text){copy, strlen(copy)}) : UINT32_MAX;
            status = found == UINT32_MAX ? ew_fail_memory(im->err) : EW_OK;
            names[i] = status == EW_OK && taken.items.count > before ? copy : NULL;
        }
    }
    free(counts);
    ox_free_names(&taken);
    return status;
}

/* What only values depend on. */
static void finish_numbers(struct ew_op_attrs *a, const struct ox_layer *layer)
{
    const bool is_single = !a->is_learned && !a->spans[0] && !a->spans[1] && !a->spans[2];
    if ((layer->op == EW_OP_SHIFT || layer->op == EW_OP_SCALE || layer->op == EW_OP_PAD) &&
        is_single) {
        a->alpha = isnan(layer->constant) ? 0.0f : (float)layer->constant;
        if (isnan(layer->constant)) {
            a->function = EW_FUNCTION_UNKNOWN;
        }
    }
    if (layer->is_values_unknown) {
        a->function = EW_FUNCTION_UNKNOWN;
    }
}

static enum ew_status describe_layers(struct ew_graph_desc *desc, struct ox_import *im,
                                      const char *const *names)
{
    const uint32_t n = (uint32_t)im->layers.count;
    struct ew_layer_desc *all = ew_arena_calloc(im->arena, n, sizeof *all);
    if (!all) {
        return ew_fail_memory(im->err);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct ox_layer *layer = &im->layers.items[i];
        if (layer->is_dead) {
            continue;
        }
        const char **inputs = ew_arena_calloc(im->arena, layer->n_inputs, sizeof *inputs);
        if (!inputs) {
            return ew_fail_memory(im->err);
        }
        for (uint32_t k = 0; k < layer->n_inputs; k++) {
            inputs[k] = names[layer->inputs[k]];
        }
        struct ew_layer_desc *d = &all[desc->n_layers++];
        *d = (struct ew_layer_desc){.name = names[i],
                                    .op = layer->op,
                                    .attrs = layer->attrs,
                                    .n_inputs = layer->n_inputs,
                                    .inputs = inputs,
                                    .place = "",
                                    .n_weights = layer->n_weights,
                                    .weights = layer->weights};
        memcpy(d->shape, layer->shape, sizeof d->shape);
        finish_numbers(&d->attrs, layer);
    }
    desc->layers = all;
    return EW_OK;
}

/* "resnet18" of "some/where/resnet18.onnx". */
static const char *name_of_file(struct ox_import *im, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    const size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return n ? ox_label(im, (struct ox_text){base, n}) : "model";
}

static const char *describe_source(struct ox_import *im, const char *path)
{
    const struct ox_model *m = im->model;
    const char *slash = strrchr(path, '/');
    struct ew_str text = {0};
    ew_str_printf(
        &text, "imported from %s",
        ox_label(im, (struct ox_text){slash ? slash + 1 : path, strlen(slash ? slash + 1 : path)}));
    if (m->producer.size) {
        ew_str_printf(&text, ", made by %s", ox_label(im, m->producer));
        if (m->producer_version.size) {
            ew_str_printf(&text, " %s", ox_label(im, m->producer_version));
        }
    }
    ew_str_printf(&text, ", opset %lld", (long long)m->opset);
    const char *copy = ew_arena_strdup(im->arena, ew_str_text(&text));
    ew_str_fini(&text);
    return copy ? copy : "";
}

/* Bytes of the network's inputs, which activations share. */
static double element_bytes(const struct ox_model *m)
{
    const int32_t dtype = m->n_inputs ? m->inputs[0].dtype : OX_FLOAT;
    return dtype == OX_FLOAT16 || dtype == OX_BFLOAT16 ? 2 : 4;
}

static enum ew_status make_graph(struct ew_graph **out, struct ox_import *im, const char *path)
{
    const char **names = ew_arena_calloc(im->arena, im->layers.count, sizeof *names);
    const char **exit_layers = ew_arena_calloc(im->arena, im->n_outputs, sizeof *exit_layers);
    struct ew_graph_desc desc = {
        .name = im->options->name ? im->options->name : name_of_file(im, path),
        .source = describe_source(im, path),
        .path = path,
        .weights_path = path,
        .accuracy = NAN,
        .bytes_per_element = element_bytes(im->model),
    };
    enum ew_status status = names && exit_layers ? EW_OK : ew_fail_memory(im->err);
    status = status ? status : choose_names(names, im);
    status = status ? status : describe_layers(&desc, im, names);
    if (status != EW_OK) {
        return status;
    }
    bool has_weights = false;
    for (uint32_t i = 0; i < desc.n_layers; i++) {
        has_weights = has_weights || desc.layers[i].n_weights > 0;
    }
    desc.weights_path = has_weights ? path : NULL;
    for (uint32_t i = 0; i < im->n_outputs; i++) {
        exit_layers[i] = names[im->outputs[i]];
        if (im->layers.items[im->outputs[i]].op == EW_OP_INPUT) {
            return ew_fail(im->err, EW_EINPUT, "input '%s' is an output, too: nothing is computed",
                           exit_layers[i]);
        }
    }
    const struct ew_exit_desc exit = {"full", im->n_outputs, exit_layers, NAN};
    desc.exits = &exit;
    desc.n_exits = 1;
    return ew_graph_make(out, &desc, im->err);
}

/* ---- entries ---- */

static enum ew_status import_model(struct ew_graph **out, struct ox_import *im, const char *path)
{
    enum ew_status status = ox_intern_names(im);
    status = status ? status : ox_read_initializers(im);
    status = status ? status : ox_read_inputs(im);
    status = status ? status : read_nodes(im);
    status = status ? status : find_outputs(im);
    status = status ? status : ox_fuse(im);
    return status ? status : make_graph(out, im, path);
}

enum ew_status ew_graph_parse_onnx(struct ew_graph **out, const void *data, size_t size,
                                   const char *path, const struct ew_onnx_options *options,
                                   struct ew_error *err)
{
    static const struct ew_onnx_options defaults = {0};
    struct ew_arena arena = {0};
    struct ox_model model = {0};
    struct ew_error own = {0};
    struct ox_import im = {.arena = &arena,
                           .model = &model,
                           .data = data,
                           .size = size,
                           .options = options ? options : &defaults,
                           .err = err ? err : &own};
    enum ew_status status = ox_decode(&model, &arena, data, size, im.err);
    if (status == EW_OK && !model.has_graph) {
        status = ew_fail(im.err, EW_EINPUT, "not an ONNX file: it has no graph");
    }
    status = status ? status : import_model(out, &im, path);
    if (status != EW_OK && status != EW_ENOMEM) {
        (void)ew_prefix(im.err, "%s: ", path);
    }
    ox_free_names(&im.names);
    ew_vec_fini(&im.values);
    ew_vec_fini(&im.layers);
    ew_arena_fini(&arena);
    return status;
}

enum ew_status ew_graph_load_onnx(struct ew_graph **out, const char *path,
                                  const struct ew_onnx_options *options, struct ew_error *err)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return ew_fail(err, EW_EINPUT, "%s: cannot open: not a readable file", path);
    }
    if (info.st_size == 0) {
        (void)close(fd);
        return ew_fail(err, EW_EINPUT, "%s: not an ONNX file: it is empty", path);
    }
    const size_t size = (size_t)info.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (map == MAP_FAILED) {
        return ew_fail(err, EW_EINPUT, "%s: cannot be mapped into memory", path);
    }
    const enum ew_status status = ew_graph_parse_onnx(out, map, size, path, options, err);
    (void)munmap(map, size);
    return status;
}

enum ew_status ew_onnx_shape_parse(struct ew_onnx_shape *out, struct ew_arena *arena,
                                   const char *text, struct ew_error *err)
{
    const char *equals = strrchr(text, '='), *at = equals ? equals + 1 : text;
    *out = (struct ew_onnx_shape){0};
    if (equals) {
        out->input = ew_arena_strndup(arena, text, (size_t)(equals - text));
        if (!out->input) {
            return ew_fail_memory(err);
        }
    }
    for (bool is_more = true; is_more;) {
        const size_t n = strcspn(at, "x");
        char number[24] = "";
        if (n < sizeof number) {
            memcpy(number, at, n);
        }
        const bool has_room = out->n_dims < sizeof out->dims / sizeof *out->dims;
        int64_t dim = 0;
        if (!has_room || !ew_parse_i64(number, &dim) || dim < 1) {
            return ew_fail(err, EW_EUSAGE, "expected a shape like 1x3x224x224, found '%s'",
                           equals ? equals + 1 : text);
        }
        out->dims[out->n_dims++] = dim;
        is_more = at[n] == 'x';
        at += n + is_more;
    }
    return EW_OK;
}
