/*
 * The import of one ONNX file: inputs and weights, then node by node, then the graph.
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
#include "io/onnx_slice.h"

/* ---- what the graph brings along ---- */

static struct ox_value *value_named(struct ox_import *im, struct ox_text name)
{
    const uint32_t i = ox_find_value(im, name);
    return i == UINT32_MAX ? NULL : &im->values.items[i];
}

static bool intern_texts(uint32_t *out, struct ox_import *im, const struct ox_text *names,
                         uint32_t n)
{
    bool is_ok = true;
    for (uint32_t i = 0; i < n && is_ok; i++) {
        out[i] = ox_find_value(im, names[i]);
        is_ok = out[i] != UINT32_MAX;
    }
    return is_ok;
}

/* Names that nodes read and write, each looked up once. */
static bool intern_nodes(struct ox_import *im)
{
    const struct ox_model *m = im->model;
    size_t n_names = 0;
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        n_names += (size_t)m->nodes[i].n_inputs + m->nodes[i].n_outputs;
    }
    struct ox_use *uses = ew_arena_calloc(im->arena, m->n_nodes, sizeof *uses);
    uint32_t *indices = ew_arena_calloc(im->arena, n_names, sizeof *indices);
    bool is_ok = uses && indices;
    for (uint32_t i = 0; i < m->n_nodes && is_ok; i++) {
        const struct ox_node *node = &m->nodes[i];
        is_ok = intern_texts(indices, im, node->inputs, node->n_inputs) &&
                intern_texts(indices + node->n_inputs, im, node->outputs, node->n_outputs);
        uses[i] = (struct ox_use){indices, indices + node->n_inputs};
        indices += node->n_inputs + node->n_outputs;
    }
    im->uses = uses;
    return is_ok;
}

/* How many names there may be: what is only read is an error, later. */
static size_t count_names(const struct ox_model *m)
{
    size_t n = (size_t)m->n_inputs + m->n_initializers + m->n_outputs;
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        n += m->nodes[i].n_outputs;
    }
    return n;
}

/* All names of the file, so that the array of values stays in place from then on. */
static enum ew_status intern_names(struct ox_import *im)
{
    const struct ox_model *m = im->model;
    bool is_ok = ox_expect_values(im, count_names(m));
    for (uint32_t i = 0; i < m->n_inputs && is_ok; i++) {
        is_ok = value_named(im, m->inputs[i].name) != NULL;
    }
    for (uint32_t i = 0; i < m->n_initializers && is_ok; i++) {
        is_ok = value_named(im, m->initializers[i].name) != NULL;
    }
    is_ok = is_ok && intern_nodes(im);
    for (uint32_t i = 0; i < m->n_outputs + m->n_infos && is_ok; i++) {
        const struct ox_value_info *info =
            i < m->n_outputs ? &m->outputs[i] : &m->infos[i - m->n_outputs];
        struct ox_value *value = value_named(im, info->name);
        is_ok = value != NULL;
        if (is_ok && info->has_shape) {
            value->info = info;
        }
    }
    return is_ok ? EW_OK : ew_fail_memory(im->err);
}

static enum ew_status read_initializers(struct ox_import *im)
{
    for (uint32_t i = 0; i < im->model->n_initializers; i++) {
        const struct ox_tensor *t = &im->model->initializers[i];
        struct ox_value *out = value_named(im, t->name), value;
        const enum ew_status status = ox_tensor_value(&value, im, t);
        if (status != EW_OK) {
            return status;
        }
        if (out->is_set) {
            return ew_fail(im->err, EW_EINPUT, "tensor '%s' is defined a second time",
                           ox_label(im, t->name));
        }
        value.name = t->name;
        value.info = out->info;
        value.is_set = true;
        value.is_learned = !value.is_integer;
        *out = value;
    }
    return EW_OK;
}

/* Is the input read where operators take parameters? Exporters that leave weights out of the file
 * make inputs of them. */
static bool is_parameter_slot(const struct ox_node *node, uint32_t input)
{
    static const char *const ops[] = {"Conv",
                                      "ConvTranspose",
                                      "Gemm",
                                      "BatchNormalization",
                                      "LayerNormalization",
                                      "InstanceNormalization",
                                      "PRelu"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (ox_text_is(node->op, ops[i])) {
            return input > 0;
        }
    }
    return false;
}

static const struct ew_onnx_shape *given_shape(const struct ox_import *im, struct ox_text name)
{
    for (uint32_t i = 0; i < im->options->n_shapes; i++) {
        const struct ew_onnx_shape *s = &im->options->shapes[i];
        if (s->input && ox_text_is(name, s->input)) {
            return s;
        }
    }
    return NULL;
}

/* Marks the inputs that stand for weights (is_learned of their values). In a file without any
 * weights, exporters make inputs of them all, behind the network's own, of which there is usually
 * one: the first. Others are those whose shape the user gives. */
static enum ew_status find_parameters(struct ox_import *im)
{
    const struct ox_model *m = im->model;
    bool has_parameters = false;
    for (uint32_t i = 0; i < m->n_nodes && m->n_initializers == 0; i++) {
        for (uint32_t k = 0; k < m->nodes[i].n_inputs; k++) {
            has_parameters = has_parameters || is_parameter_slot(&m->nodes[i], k);
        }
    }
    for (uint32_t i = 1; i < m->n_inputs && has_parameters; i++) {
        value_named(im, m->inputs[i].name)->is_learned = !given_shape(im, m->inputs[i].name);
    }
    return EW_OK;
}

/* A shape to suggest: what the file fixes stays, one image, the rest as images often are. */
static struct ox_dims likely_dims(const struct ox_value_info *info)
{
    struct ox_dims dims = {.n = 4, .at = {1, 3, 224, 224}};
    if (!info->has_shape || info->n_dims == 0 || info->n_dims > OX_MAX_RANK) {
        return dims;
    }
    for (uint32_t i = 0; i < info->n_dims; i++) {
        const bool is_fixed = i > 0 && info->dims[i] > 0;
        const bool is_image = info->n_dims == 4;
        dims.at[i] = is_fixed ? info->dims[i] : i == 0 ? 1 : is_image ? dims.at[i] : 128;
    }
    dims.n = info->n_dims;
    return dims;
}

static enum ew_status fail_input(struct ox_import *im, const struct ox_value_info *info,
                                 const char *what, const char *found)
{
    const struct ox_dims likely = likely_dims(info);
    return ew_fail(im->err, EW_EINPUT,
                   "input '%s': %s%s; say which shape is meant, for example 'edgeweave import "
                   "--input-shape %s=%s'",
                   ox_label(im, info->name), what, found, ox_label(im, info->name),
                   ox_dims_text(im, &likely));
}

/* The shape of a network input: that of the file, or the one given. */
static enum ew_status input_dims(struct ox_dims *out, struct ox_import *im,
                                 const struct ox_value_info *info, bool is_only)
{
    const struct ew_onnx_shape *given = given_shape(im, info->name);
    for (uint32_t i = 0; !given && is_only && i < im->options->n_shapes; i++) {
        given = im->options->shapes[i].input ? NULL : &im->options->shapes[i];
    }
    if (!given && !info->has_shape) {
        return fail_input(im, info, "the file gives no shape", "");
    }
    if (!given && info->n_dims > OX_MAX_RANK) {
        return ew_fail(im->err, EW_EINPUT, "input '%s': expected at most %d dimensions, found %u",
                       ox_label(im, info->name), (int)OX_MAX_RANK, (unsigned)info->n_dims);
    }
    if (given && info->has_shape && info->n_dims != given->n_dims) {
        return ew_fail(im->err, EW_EUSAGE,
                       "input '%s': the file says %u dimensions, --input-shape says %u",
                       ox_label(im, info->name), (unsigned)info->n_dims, (unsigned)given->n_dims);
    }
    out->n = given ? given->n_dims : info->n_dims;
    memcpy(out->at, given ? given->dims : info->dims, out->n * sizeof *out->at);
    for (uint32_t i = 0; i < out->n; i++) {
        char text[64];
        if (out->at[i] == OX_UNKNOWN || out->at[i] == 0) {
            (void)snprintf(text, sizeof text, "dimension %u is not fixed", (unsigned)i);
            const bool is_named = !given && info->symbols[i].size > 0;
            struct ew_str symbol = {0};
            if (is_named) {
                ew_str_printf(&symbol, " ('%s')", ox_label(im, info->symbols[i]));
            }
            const enum ew_status status = fail_input(im, info, text, ew_str_text(&symbol));
            ew_str_fini(&symbol);
            return status;
        }
    }
    return EW_OK;
}

static enum ew_status add_input(struct ox_import *im, const struct ox_value_info *info,
                                bool is_only)
{
    struct ox_value *value = value_named(im, info->name);
    struct ox_layer layer = {
        .op = EW_OP_INPUT, .constant = NAN, .place = "", .arranged = OX_NO_LAYER};
    int slots[OX_MAX_RANK];
    struct ox_dims dims = {0};
    enum ew_status status = input_dims(&dims, im, info, is_only);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < dims.n; i++) {
        if (dims.at[i] < 1 || dims.at[i] > EW_GRAPH_MAX_DIM) {
            return ew_fail(im->err, EW_EINPUT, "input '%s': expected dimensions of 1..%d, found %s",
                           ox_label(im, info->name), (int)EW_GRAPH_MAX_DIM,
                           ox_dims_text(im, &dims));
        }
    }
    if (dims.n > 1 && dims.at[0] != 1) {
        char found[32];
        (void)snprintf(found, sizeof found, "%lld", (long long)dims.at[0]);
        return fail_input(im, info, "expected a batch of 1, found ", found);
    }
    if (!ox_layout(slots, &dims) || ox_count(&dims) > INT32_MAX) {
        return ew_fail(im->err, EW_EINPUT,
                       "input '%s': expected at most three dimensions besides the batch and "
                       "2147483647 elements, found %s",
                       ox_label(im, info->name), ox_dims_text(im, &dims));
    }
    layer.shape[EW_N] = 1;
    ox_arrange_dims(&layer.shape[EW_C], &dims, slots);
    layer.name = ox_label(im, info->name);
    value->dims = dims;
    value->layer = (int32_t)im->layers.count;
    value->is_set = true;
    return ew_vec_push(&im->layers, layer) ? EW_OK : ew_fail_memory(im->err);
}

/* A weight that the file leaves out: its shape, and nothing else. */
static enum ew_status add_parameter(struct ox_import *im, const struct ox_value_info *info)
{
    struct ox_value *value = value_named(im, info->name);
    const struct ox_tensor like = {
        .name = info->name, .dtype = info->dtype, .n_dims = info->n_dims};
    struct ox_tensor tensor = like;
    memcpy(tensor.dims, info->dims, sizeof tensor.dims);
    struct ox_value made;
    const enum ew_status status = ox_tensor_value(&made, im, &tensor);
    if (status != EW_OK) {
        return status;
    }
    made.name = value->name;
    made.info = value->info;
    made.is_learned = !made.is_integer;
    made.is_set = true;
    *value = made;
    return EW_OK;
}

/* Shapes are given to inputs that there are. */
static enum ew_status check_given_names(struct ox_import *im, uint32_t n_data)
{
    const struct ox_model *m = im->model;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < im->options->n_shapes && status == EW_OK; i++) {
        const struct ew_onnx_shape *s = &im->options->shapes[i];
        bool is_found = !s->input && n_data == 1;
        for (uint32_t k = 0; s->input && k < m->n_inputs; k++) {
            is_found = is_found || ox_text_is(m->inputs[k].name, s->input);
        }
        if (!is_found) {
            status = s->input ? ew_fail(im->err, EW_EUSAGE, "there is no input '%s'", s->input)
                              : ew_fail(im->err, EW_EUSAGE,
                                        "expected NAME=SHAPE: the model has %u inputs",
                                        (unsigned)n_data);
        }
    }
    return status;
}

static enum ew_status read_inputs(struct ox_import *im)
{
    const struct ox_model *m = im->model;
    uint32_t n_data = 0;
    enum ew_status status = find_parameters(im);
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        const struct ox_value *value = value_named(im, m->inputs[i].name);
        n_data += !value->is_set && !value->is_learned;
    }
    if (status == EW_OK) {
        status = check_given_names(im, n_data);
    }
    for (uint32_t i = 0; i < m->n_inputs && status == EW_OK; i++) {
        const struct ox_value *value = value_named(im, m->inputs[i].name);
        if (value->is_set) {
            continue; /* an initializer's default, as old files have it */
        }
        status = value->is_learned ? add_parameter(im, &m->inputs[i])
                                   : add_input(im, &m->inputs[i], n_data == 1);
    }
    return status;
}

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
        const struct ox_value *value = value_named(im, m->outputs[i].name);
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
    enum ew_status status = intern_names(im);
    status = status ? status : read_initializers(im);
    status = status ? status : read_inputs(im);
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
