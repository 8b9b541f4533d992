/*
 * Values, attributes, layouts and layers of an ONNX import: the vocabulary that the operators in
 * onnx_fold.c, onnx_view.c and onnx_compute.c are written in.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/onnx_import.h"

enum { MAX_LABEL = 100 };

/* ---- texts and failures ---- */

const char *ox_label(struct ox_import *im, struct ox_text text)
{
    const size_t skipped = text.size > MAX_LABEL ? text.size - MAX_LABEL : 0; /* ends differ */
    char *label = ew_arena_calloc(im->arena, text.size - skipped + 1, 1);
    for (size_t i = 0; label && i < text.size - skipped; i++) {
        const unsigned char c = (unsigned char)text.at[skipped + i];
        label[i] = (char)(c >= 0x20 && c < 0x7f ? c : '_');
    }
    return label ? label : "";
}

const char *ox_dims_text(struct ox_import *im, const struct ox_dims *dims)
{
    struct ew_str text = {0};
    for (uint32_t i = 0; i < dims->n; i++) {
        ew_str_printf(&text, "%s%lld", i ? "x" : "", (long long)dims->at[i]);
    }
    const char *copy = ew_arena_strdup(im->arena, dims->n ? ew_str_text(&text) : "scalar");
    ew_str_fini(&text);
    return copy ? copy : "";
}

const char *ox_node_label(struct ox_import *im)
{
    const struct ox_node *node = im->node;
    if (!im->label && node) {
        const bool is_named = node->name.size || node->n_outputs == 0;
        im->label = ox_label(im, is_named ? node->name : node->outputs[0]);
    }
    return im->label ? im->label : "";
}

enum ew_status ox_fail(struct ox_import *im, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)ew_vfail(im->err, EW_EINPUT, fmt, args);
    va_end(args);
    (void)ew_prefix(im->err, "node '%s' (%s): ", ox_node_label(im),
                    im->node ? ox_label(im, im->node->op) : "");
    return EW_EINPUT;
}

/* ---- values ---- */

/* Eight bytes at a time: names are long paths, and every use of one is looked up. Values keep the
 * order in which they came, so nothing depends on the order of bytes in a word. */
static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static size_t hash_text(struct ox_text text)
{
    uint64_t h = UINT64_C(1469598103934665603), word;
    size_t i = 0;
    for (; text.size - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text.at + i, sizeof word);
        h = mix(h, word);
    }
    for (word = text.size; i < text.size; i++) {
        word = word << 8 | (unsigned char)text.at[i];
    }
    return (size_t)mix(h, word);
}

/* A table of at least twice as many places as there are names, or will be. */
static bool grow_table(struct ox_names *names, size_t n)
{
    size_t size = names->table_size ? names->table_size : 1024;
    while (size <= 2 * n) {
        size *= 2;
    }
    uint32_t *table = calloc(size, sizeof *table);
    for (size_t i = 0; table && i < names->items.count; i++) {
        size_t at = hash_text(names->items.items[i]) & (size - 1);
        while (table[at]) {
            at = (at + 1) & (size - 1);
        }
        table[at] = (uint32_t)i + 1;
    }
    if (table) {
        free(names->table);
        names->table = table;
        names->table_size = size;
    }
    return table != NULL;
}

uint32_t ox_find_name(struct ox_names *names, struct ox_text text)
{
    const size_t n = names->items.count;
    if (2 * n >= names->table_size && !grow_table(names, n)) {
        return UINT32_MAX;
    }
    const size_t mask = names->table_size - 1;
    size_t at = hash_text(text) & mask;
    for (; names->table[at]; at = (at + 1) & mask) {
        const struct ox_text other = names->items.items[names->table[at] - 1];
        if (other.size == text.size &&
            (text.size == 0 || memcmp(other.at, text.at, text.size) == 0)) {
            return names->table[at] - 1;
        }
    }
    if (!ew_vec_push(&names->items, text)) {
        return UINT32_MAX;
    }
    names->table[at] = (uint32_t)n + 1;
    return (uint32_t)n;
}

void ox_free_names(struct ox_names *names)
{
    free(names->table);
    ew_vec_fini(&names->items);
}

uint32_t ox_find_value(struct ox_import *im, struct ox_text name)
{
    const uint32_t index = ox_find_name(&im->names, name);
    if (index == UINT32_MAX || index < im->values.count) {
        return index;
    }
    const struct ox_value value = {.name = name, .layer = OX_NO_LAYER};
    return ew_vec_push(&im->values, value) ? index : UINT32_MAX;
}

bool ox_expect_values(struct ox_import *im, size_t n)
{
    return ew_vec_reserve(&im->values, n) && ew_vec_reserve(&im->names.items, n) &&
           grow_table(&im->names, n);
}

bool ox_has_input(const struct ox_import *im, uint32_t i)
{
    return i < im->node->n_inputs && im->node->inputs[i].size > 0;
}

const struct ox_value *ox_input(struct ox_import *im, uint32_t i)
{
    if (!ox_has_input(im, i)) {
        (void)ox_fail(im, "expected an input %u, found none", (unsigned)i);
        return NULL;
    }
    return &im->values.items[im->use->inputs[i]];
}

uint64_t ox_count(const struct ox_dims *dims)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < dims->n; i++) {
        const uint64_t size = dims->at[i] > 0 ? (uint64_t)dims->at[i] : 0;
        if (size && n > (UINT64_C(1) << 60) / size) {
            return UINT64_MAX;
        }
        n *= size;
    }
    return n;
}

bool ox_same_dims(const struct ox_dims *a, const struct ox_dims *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n * sizeof *a->at) == 0;
}

enum ew_status ox_check_dims(struct ox_import *im, const char *what, const struct ox_dims *dims)
{
    for (uint32_t i = 0; i < dims->n; i++) {
        if (dims->at[i] < 1) {
            return ox_fail(im, "%s: expected dimensions of at least 1, found %s", what,
                           ox_dims_text(im, dims));
        }
    }
    if (ox_count(dims) > INT32_MAX) {
        return ox_fail(im, "%s: expected at most 2147483647 elements, found %s", what,
                       ox_dims_text(im, dims));
    }
    return EW_OK;
}

enum ew_status ox_set_output(struct ox_import *im, uint32_t i, const struct ox_value *value)
{
    if (i >= im->node->n_outputs || im->node->outputs[i].size == 0) {
        return EW_OK;
    }
    if (value->layer != OX_NO_LAYER) {
        const enum ew_status status = ox_check_dims(im, "output", &value->dims);
        if (status != EW_OK) {
            return status;
        }
    }
    struct ox_value *out = &im->values.items[im->use->outputs[i]];
    if (out->is_set) {
        return ox_fail(im, "output '%s' is defined a second time", ox_label(im, out->name));
    }
    const struct ox_text name = out->name;
    const struct ox_value_info *info = out->info;
    *out = *value;
    out->name = name;
    out->info = info;
    out->is_set = true;
    if (im->options->on_tensor) {
        im->options->on_tensor(im->options->ctx, name.at, name.size, value->dims.n, value->dims.at);
    }
    return EW_OK;
}

enum ew_status ox_make_constant(struct ox_value *out, struct ox_import *im,
                                const struct ox_dims *dims, const double *numbers)
{
    *out = (struct ox_value){.dims = *dims, .layer = OX_NO_LAYER};
    if (numbers) {
        out->known = ew_arena_copy(im->arena, numbers, (size_t)ox_count(dims), sizeof *numbers);
        return out->known ? EW_OK : ew_fail_memory(im->err);
    }
    return EW_OK;
}

/* ---- attributes ---- */

const struct ox_attribute *ox_attribute(const struct ox_import *im, const char *name)
{
    for (uint32_t i = 0; i < im->node->n_attributes; i++) {
        if (ox_text_is(im->node->attributes[i].name, name)) {
            return &im->node->attributes[i];
        }
    }
    return NULL;
}

int64_t ox_attribute_int(const struct ox_import *im, const char *name, int64_t fallback)
{
    const struct ox_attribute *a = ox_attribute(im, name);
    return a && a->has_i ? a->i : fallback;
}

double ox_attribute_float(const struct ox_import *im, const char *name, double fallback)
{
    const struct ox_attribute *a = ox_attribute(im, name);
    return a && a->has_f ? (double)a->f : fallback;
}

bool ox_attribute_is(const struct ox_import *im, const char *name, const char *text)
{
    const struct ox_attribute *a = ox_attribute(im, name);
    return a && a->has_s && ox_text_is(a->s, text);
}

enum ew_status ox_integers(int64_t *out, uint32_t *n, uint32_t max, struct ox_import *im,
                           const char *name, uint32_t input)
{
    const struct ox_attribute *a = ox_attribute(im, name);
    const double *numbers = a ? a->numbers : NULL;
    uint64_t count = a ? a->n_numbers : 0;
    *n = 0;
    if (!a && input > 0 && ox_has_input(im, input)) {
        const struct ox_value *value = ox_input(im, input);
        if (!value) {
            return im->err->status;
        }
        if (value->layer != OX_NO_LAYER || !value->known) {
            return ox_fail(im, "input %u ('%s', %s): expected a constant known in the file",
                           (unsigned)input, ox_label(im, value->name), name);
        }
        numbers = value->known;
        count = ox_count(&value->dims);
    }
    if (count > max) {
        return ox_fail(im, "%s: expected at most %u numbers, found %llu", name, (unsigned)max,
                       (unsigned long long)count);
    }
    for (uint64_t i = 0; i < count; i++) {
        out[i] = ox_to_i64(numbers[i]);
    }
    *n = (uint32_t)count;
    return EW_OK;
}

enum ew_status ox_axis(uint32_t *out, struct ox_import *im, int64_t axis, uint32_t rank)
{
    const int64_t from_start = axis < 0 ? axis + (int64_t)rank : axis;
    if (axis < -(int64_t)rank || from_start >= (int64_t)rank) {
        return ox_fail(im, "axis: expected %d..%d, found %lld", -(int)rank, (int)rank - 1,
                       (long long)axis);
    }
    *out = (uint32_t)from_start;
    return EW_OK;
}

/* ---- names ---- */

/* What the layer is called unless a weight names it: the node, else what it makes, without the
 * folders that the next part repeats: "/layer1/layer1.0/conv1/Conv" is "layer1.0.conv1.Conv". */
static const char *name_of_node(struct ox_import *im, const char **module)
{
    struct ox_text text = im->node->name;
    if (text.size == 0 && im->node->n_outputs > 0) {
        text = im->node->outputs[0];
    }
    const char *label = ox_label(im, text);
    char *out = ew_arena_calloc(im->arena, strlen(label) + 1, 1);
    size_t used = 0;
    *module = NULL;
    for (const char *at = label; out && *at;) {
        at += *at == '/';
        const size_t n = strcspn(at, "/");
        const char *next = at[n] ? at + n + 1 : "";
        if (!at[n] && used) {
            *module = ew_arena_strndup(im->arena, out, used);
        }
        const bool is_repeated = n && strncmp(next, at, n) == 0 && next[n] == '.';
        if (!is_repeated && n) {
            if (used) {
                out[used++] = '.';
            }
            memcpy(out + used, at, n);
            used += n;
        }
        at += n;
    }
    return out && used ? out : label;
}

/* "…MatMul.reshape" of the node that needs another layout; Flatten is what it is. */
static const char *name_of_reshape(struct ox_import *im, bool is_flat)
{
    const char *module = NULL, *name = name_of_node(im, &module);
    struct ew_str text = {0};
    if (is_flat && ox_text_is(im->node->op, "Flatten")) {
        return name;
    }
    ew_str_printf(&text, "%s.%s", name, is_flat ? "flatten" : "reshape");
    const char *copy = ew_arena_strdup(im->arena, ew_str_text(&text));
    ew_str_fini(&text);
    return copy ? copy : name;
}

/* ---- layouts ---- */

bool ox_layout(int slots[OX_MAX_RANK], const struct ox_dims *dims)
{
    static const int by_count[4][3] = {
        {0, 0, 0}, {EW_C, 0, 0}, {EW_H, EW_W, 0}, {EW_C, EW_H, EW_W}};
    memset(slots, 0, OX_MAX_RANK * sizeof *slots);
    if (dims->n == 4 && dims->at[0] == 1) {
        slots[1] = EW_C;
        slots[2] = EW_H;
        slots[3] = EW_W;
        return true;
    }
    if (dims->n == 3 && dims->at[0] == 1) {
        slots[1] = EW_H;
        slots[2] = EW_W;
        return true;
    }
    if (dims->n == 2 && dims->at[0] == 1) {
        slots[1] = EW_C;
        return true;
    }
    uint32_t n = 0, next = 0;
    for (uint32_t i = 0; i < dims->n; i++) {
        n += dims->at[i] != 1;
    }
    for (uint32_t i = 0; i < dims->n && n <= 3; i++) {
        slots[i] = dims->at[i] != 1 ? by_count[n][next++] : 0;
    }
    return n <= 3;
}

void ox_arrange_dims(int32_t chw[3], const struct ox_dims *dims, const int slots[OX_MAX_RANK])
{
    chw[0] = chw[1] = chw[2] = 1;
    for (uint32_t i = 0; i < dims->n; i++) {
        if (slots[i]) {
            chw[slots[i] - EW_C] = (int32_t)dims->at[i];
        }
    }
}

enum ew_status ox_arrange(int32_t *out, struct ox_import *im, const struct ox_value *value,
                          const int32_t chw[3])
{
    const struct ox_layer *layer = &im->layers.items[value->layer];
    *out = value->layer;
    if (memcmp(&layer->shape[EW_C], chw, 3 * sizeof *chw) == 0) {
        return EW_OK;
    }
    if (layer->arranged != OX_NO_LAYER &&
        memcmp(&im->layers.items[layer->arranged].shape[EW_C], chw, 3 * sizeof *chw) == 0) {
        *out = layer->arranged;
        return EW_OK;
    }
    const bool is_flat = chw[1] == 1 && chw[2] == 1;
    struct ew_op_attrs attrs = {.reshape = {chw[0], chw[1], chw[2]}};
    if (is_flat) {
        attrs = (struct ew_op_attrs){0};
    }
    const int32_t from = value->layer;
    const enum ew_status status =
        ox_add_layer(out, im, is_flat ? EW_OP_FLATTEN : EW_OP_RESHAPE, &attrs, 1, &from);
    if (status == EW_OK) {
        im->layers.items[from].arranged = *out;
        im->layers.items[*out].name = name_of_reshape(im, is_flat);
    }
    return status;
}

enum ew_status ox_arrange_own(int32_t *out, int slots[OX_MAX_RANK], struct ox_import *im,
                              const struct ox_value *value)
{
    int own[OX_MAX_RANK];
    int32_t chw[3];
    slots = slots ? slots : own;
    if (!ox_layout(slots, &value->dims)) {
        if (im->options->allows_opaque) {
            return EW_ENOTSUP;
        }
        return ox_fail(
            im,
            "'%s' is a tensor of %s: at most three dimensions besides the batch can be "
            "placed; 'edgeweave import --allow-opaque' keeps the node as a layer that is not "
            "divided",
            ox_label(im, value->name), ox_dims_text(im, &value->dims));
    }
    ox_arrange_dims(chw, &value->dims, slots);
    return ox_arrange(out, im, value, chw);
}

struct ox_dims ox_align(const struct ox_dims *dims, uint32_t rank)
{
    struct ox_dims out = {.n = rank};
    for (uint32_t i = 0; i < rank; i++) {
        out.at[i] = i + dims->n < rank ? 1 : dims->at[i + dims->n - rank];
    }
    return out;
}

/* ---- layers ---- */

static enum ew_status infer_layer(struct ox_import *im, struct ox_layer *layer)
{
    int32_t(*in_shape)[EW_DIMS] = calloc(layer->n_inputs + 1, sizeof *in_shape);
    if (!in_shape) {
        return ew_fail_memory(im->err);
    }
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        memcpy(in_shape[i], im->layers.items[layer->inputs[i]].shape, sizeof *in_shape);
    }
    const struct ew_op_view view = {layer->op, &layer->attrs, layer->n_inputs,
                                    (const int32_t(*)[EW_DIMS])in_shape, layer->shape};
    enum ew_status status = ew_op_infer_shape(layer->shape, &view, im->err);
    if (status != EW_OK) {
        (void)ew_prefix(im->err, "node '%s' (%s): ", ox_node_label(im), ox_label(im, im->node->op));
    }
    free(in_shape);
    return status;
}

enum ew_status ox_add_layer(int32_t *out, struct ox_import *im, enum ew_op op,
                            const struct ew_op_attrs *attrs, uint32_t n_inputs,
                            const int32_t *inputs)
{
    struct ox_layer layer = {
        .op = op,
        .attrs = *attrs,
        .n_inputs = n_inputs,
        .inputs = ew_arena_copy(im->arena, inputs, n_inputs, sizeof *inputs),
        .constant = NAN,
        .place = ox_node_label(im),
        .arranged = OX_NO_LAYER,
    };
    layer.name = name_of_node(im, &layer.module);
    if (!layer.inputs || !layer.name) {
        return ew_fail_memory(im->err);
    }
    if (im->layers.count >= EW_GRAPH_MAX_LAYERS) {
        return ox_fail(im, "expected at most %d layers", (int)EW_GRAPH_MAX_LAYERS);
    }
    const enum ew_status status = infer_layer(im, &layer);
    if (status != EW_OK) {
        return status;
    }
    if (!ew_vec_push(&im->layers, layer)) {
        return ew_fail_memory(im->err);
    }
    *out = (int32_t)im->layers.count - 1;
    return EW_OK;
}

/* The part of a weight's name that names its layer, "layer1.0.conv1" of "layer1.0.conv1.weight";
 * NULL when the name has no such form. */
static const char *name_from_weight(struct ox_import *im, struct ox_text name)
{
    static const char *const suffixes[] = {".weight", ".bias", ".in_proj_weight", ".in_proj_bias"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        const size_t n = strlen(suffixes[i]);
        if (name.size > n && memcmp(name.at + name.size - n, suffixes[i], n) == 0) {
            return ox_label(im, (struct ox_text){name.at, name.size - n});
        }
    }
    return NULL;
}

/* Exporters merge equal weights, so a weight may bear the name of another module: the node's path
 * decides, and the weight may only be more exact. */
static void name_layer(struct ox_layer *layer, const char *from_weight)
{
    const size_t n = layer->module ? strlen(layer->module) : 0;
    if (from_weight && strncmp(from_weight, layer->module ? layer->module : "", n) == 0) {
        layer->name = from_weight;
    } else if (layer->module) {
        layer->name = layer->module;
    }
}

enum ew_status ox_add_weight(struct ox_import *im, int32_t layer, const char *role,
                             const struct ox_value *constant)
{
    struct ox_layer *l = &im->layers.items[layer];
    const char *weight = constant->place.name;
    if (weight && (strcmp(role, "weight") == 0 || strcmp(role, "scale") == 0)) {
        name_layer(l, name_from_weight(im, (struct ox_text){weight, strlen(weight)}));
    }
    if (!constant->has_place) {
        return EW_OK;
    }
    struct ew_weight_ref *all = ew_arena_calloc(im->arena, (size_t)l->n_weights + 1, sizeof *all);
    if (!all) {
        return ew_fail_memory(im->err);
    }
    if (l->n_weights) {
        memcpy(all, l->weights, l->n_weights * sizeof *all);
    }
    all[l->n_weights] = constant->place;
    all[l->n_weights].role = role;
    all[l->n_weights].is_transposed = constant->is_transposed;
    l->weights = all;
    l->n_weights++;
    return EW_OK;
}

enum ew_status ox_output_layer(struct ox_import *im, int32_t layer, const struct ox_dims *dims)
{
    const struct ox_value value = {.dims = *dims, .layer = layer};
    return ox_set_output(im, 0, &value);
}

enum ew_status ox_output_unary(struct ox_import *im, enum ew_op op, const struct ew_op_attrs *attrs)
{
    const struct ox_value *in = ox_input(im, 0);
    if (!in) {
        return im->err->status;
    }
    const struct ox_dims dims = in->dims;
    const int32_t from = in->layer;
    int32_t layer = 0;
    const enum ew_status status = ox_add_layer(&layer, im, op, attrs, 1, &from);
    return status ? status : ox_output_layer(im, layer, &dims);
}
