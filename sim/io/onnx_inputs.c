/*
 * What an ONNX graph brings along: its names, its initializers, and its inputs, some of which are
 * parameters.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/onnx_import.h"
#include "io/onnx_slice.h"

struct ox_value *ox_value_named(struct ox_import *im, struct ox_text name)
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
enum ew_status ox_intern_names(struct ox_import *im)
{
    const struct ox_model *m = im->model;
    bool is_ok = ox_expect_values(im, count_names(m));
    for (uint32_t i = 0; i < m->n_inputs && is_ok; i++) {
        is_ok = ox_value_named(im, m->inputs[i].name) != NULL;
    }
    for (uint32_t i = 0; i < m->n_initializers && is_ok; i++) {
        is_ok = ox_value_named(im, m->initializers[i].name) != NULL;
    }
    is_ok = is_ok && intern_nodes(im);
    for (uint32_t i = 0; i < m->n_outputs + m->n_infos && is_ok; i++) {
        const struct ox_value_info *info =
            i < m->n_outputs ? &m->outputs[i] : &m->infos[i - m->n_outputs];
        struct ox_value *value = ox_value_named(im, info->name);
        is_ok = value != NULL;
        if (is_ok && info->has_shape) {
            value->info = info;
        }
    }
    return is_ok ? EW_OK : ew_fail_memory(im->err);
}

enum ew_status ox_read_initializers(struct ox_import *im)
{
    for (uint32_t i = 0; i < im->model->n_initializers; i++) {
        const struct ox_tensor *t = &im->model->initializers[i];
        struct ox_value *out = ox_value_named(im, t->name), value;
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
        ox_value_named(im, m->inputs[i].name)->is_learned = !given_shape(im, m->inputs[i].name);
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
    struct ox_value *value = ox_value_named(im, info->name);
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
    struct ox_value *value = ox_value_named(im, info->name);
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

enum ew_status ox_read_inputs(struct ox_import *im)
{
    const struct ox_model *m = im->model;
    uint32_t n_data = 0;
    enum ew_status status = find_parameters(im);
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        const struct ox_value *value = ox_value_named(im, m->inputs[i].name);
        n_data += !value->is_set && !value->is_learned;
    }
    if (status == EW_OK) {
        status = check_given_names(im, n_data);
    }
    for (uint32_t i = 0; i < m->n_inputs && status == EW_OK; i++) {
        const struct ox_value *value = ox_value_named(im, m->inputs[i].name);
        if (value->is_set) {
            continue; /* an initializer's default, as old files have it */
        }
        status = value->is_learned ? add_parameter(im, &m->inputs[i])
                                   : add_input(im, &m->inputs[i], n_data == 1);
    }
    return status;
}
