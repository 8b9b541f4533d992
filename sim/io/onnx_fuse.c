/*
 * Layers of an ONNX import gathered into what they are: exporters write activations, normalisations
 * and biases as several small operators. A pattern is looked for behind its last layer; all the
 * others in it must have no other reader.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_import.h"

/* Layers, their readers, and what replaced them. */
struct fuse {
    struct ox_import *im;
    struct ox_layer *layers;
    uint32_t *n_readers;
    int32_t *alias; /* the layer that now makes this one's output; itself as a rule */
};

static int32_t resolve(const struct fuse *f, int32_t layer)
{
    while (f->alias[layer] != layer) { /* each replacement points at an earlier layer: short */
        layer = f->alias[layer];
    }
    return layer;
}

static int32_t input_of(const struct fuse *f, int32_t layer, uint32_t i)
{
    return resolve(f, f->layers[layer].inputs[i]);
}

static struct ox_layer *layer_at(const struct fuse *f, int32_t layer)
{
    return &f->layers[layer];
}

static bool is_private(const struct fuse *f, int32_t layer, enum ew_op op)
{
    return f->layers[layer].op == op && f->n_readers[layer] == 1;
}

static void drop(struct fuse *f, int32_t layer)
{
    f->layers[layer].is_dead = true;
    for (uint32_t i = 0; i < f->layers[layer].n_inputs; i++) {
        f->n_readers[input_of(f, layer, i)]--;
    }
}

/* `layer` becomes another name of `by`, of which it was the only reader. */
static void replace(struct fuse *f, int32_t layer, int32_t by)
{
    f->layers[layer].is_dead = true;
    f->alias[layer] = by;
    f->n_readers[by] = f->n_readers[layer];
}

static enum ew_status move_weights(struct fuse *f, int32_t to, int32_t from,
                                   const char *const *roles, uint32_t n_roles)
{
    struct ox_layer *a = layer_at(f, to), *b = layer_at(f, from);
    struct ew_weight_ref *all =
        ew_arena_calloc(f->im->arena, (size_t)a->n_weights + b->n_weights, sizeof *all);
    if (!all) {
        return ew_fail_memory(f->im->err);
    }
    if (a->n_weights) {
        memcpy(all, a->weights, a->n_weights * sizeof *all);
    }
    for (uint32_t i = 0; i < b->n_weights; i++) {
        all[a->n_weights + i] = b->weights[i];
        all[a->n_weights + i].role = i < n_roles ? roles[i] : b->weights[i].role;
    }
    a->weights = all;
    a->n_weights += b->n_weights;
    return EW_OK;
}

/* The layer with new inputs, if the shape stays what it was. */
static bool keeps_shape(const struct fuse *f, int32_t layer, const struct ew_op_attrs *attrs,
                        int32_t input)
{
    int32_t shape[EW_DIMS];
    const struct ew_op_view view = {layer_at(f, layer)->op, attrs, 1,
                                    (const int32_t(*)[EW_DIMS])layer_at(f, input)->shape, shape};
    return ew_op_infer_shape(shape, &view, NULL) == EW_OK &&
           memcmp(shape, layer_at(f, layer)->shape, sizeof shape) == 0;
}

/* ---- patterns, by their last layer ---- */

/* A pad of zeros before a convolution or an average, of -infinity before a maximum. */
static void fuse_pad(struct fuse *f, int32_t at)
{
    struct ox_layer *layer = layer_at(f, at);
    const int32_t pad_at = input_of(f, at, 0);
    const struct ox_layer *pad = layer_at(f, pad_at);
    const bool is_max = layer->op == EW_OP_MAX_POOL, is_average = layer->op == EW_OP_AVG_POOL;
    const double wanted = is_max ? -INFINITY : 0;
    if (!is_private(f, pad_at, EW_OP_PAD) || pad->attrs.is_learned || pad->constant != wanted ||
        layer->attrs.ceil_mode) {
        return;
    }
    struct ew_op_attrs attrs = layer->attrs;
    for (int i = 0; i < 4; i++) {
        if (is_average && attrs.pads[i] && !attrs.count_include_pad) {
            return; /* some padding counts, some does not */
        }
        attrs.pads[i] += pad->attrs.pads[i];
    }
    attrs.count_include_pad = is_average;
    const int32_t input = input_of(f, pad_at, 0);
    if (keeps_shape(f, at, &attrs, input)) {
        layer->attrs = attrs;
        layer->inputs[0] = input;
        layer_at(f, pad_at)->is_dead = true; /* its reading is now the layer's */
    }
}

/* x * sigmoid(x) and x * hardsigmoid(x). */
static bool fuse_gate(struct fuse *f, int32_t at)
{
    struct ox_layer *layer = layer_at(f, at);
    for (uint32_t i = 0; i < 2 && layer->n_inputs == 2 && layer->kind == OX_PLAIN; i++) {
        const int32_t gate = input_of(f, at, i), x = input_of(f, at, 1 - i);
        const bool is_silu = is_private(f, gate, EW_OP_SIGMOID),
                   is_hardswish = is_private(f, gate, EW_OP_HARDSIGMOID) &&
                                  fabsf(layer_at(f, gate)->attrs.alpha - 1.0f / 6.0f) < 1e-6f &&
                                  layer_at(f, gate)->attrs.beta == 0.5f;
        if ((is_silu || is_hardswish) && input_of(f, gate, 0) == x) {
            drop(f, gate);
            layer->op = is_silu ? EW_OP_SILU : EW_OP_HARDSWISH;
            layer->n_inputs = 1;
            layer->inputs[0] = x;
            return true;
        }
    }
    return false;
}

/* 1 + erf(x / sqrt 2), all of it private; -1 when `at` is something else, else x. */
static int32_t find_erf(int32_t parts[3], const struct fuse *f, int32_t at)
{
    if (!is_private(f, at, EW_OP_SHIFT) || layer_at(f, at)->constant != 1) {
        return -1;
    }
    const int32_t erf = input_of(f, at, 0);
    if (!is_private(f, erf, EW_OP_UNARY) || layer_at(f, erf)->kind != OX_ERF) {
        return -1;
    }
    const int32_t scaled = input_of(f, erf, 0);
    if (!is_private(f, scaled, EW_OP_SCALE) || layer_at(f, scaled)->attrs.is_learned) {
        return -1;
    }
    parts[0] = at;
    parts[1] = erf;
    parts[2] = scaled;
    return input_of(f, scaled, 0);
}

static bool is_half(const struct fuse *f, int32_t at)
{
    const struct ox_layer *layer = layer_at(f, at);
    return layer->op == EW_OP_SCALE && layer->kind == OX_PLAIN && layer->constant == 0.5;
}

static void become_gelu(struct fuse *f, int32_t at, int32_t x, const int32_t parts[3])
{
    struct ox_layer *layer = layer_at(f, at);
    for (int i = 0; i < 3; i++) {
        drop(f, parts[i]);
    }
    f->n_readers[x]++;
    layer->op = EW_OP_GELU;
    layer->name = layer->module ? layer->module : layer->name;
    layer->attrs = (struct ew_op_attrs){0};
    layer->n_inputs = 1;
    layer->inputs[0] = x;
    layer->constant = NAN;
}

/* 0.5 * (x * (1 + erf)), or (0.5 * x) * (1 + erf). */
static void fuse_gelu(struct fuse *f, int32_t at)
{
    int32_t parts[3];
    const struct ox_layer *layer = layer_at(f, at);
    if (is_half(f, at)) {
        const int32_t product = input_of(f, at, 0);
        for (uint32_t i = 0; i < 2 && is_private(f, product, EW_OP_MUL); i++) {
            const int32_t x = find_erf(parts, f, input_of(f, product, i));
            if (x >= 0 && input_of(f, product, 1 - i) == x) {
                drop(f, product);
                become_gelu(f, at, x, parts);
                return;
            }
        }
    }
    for (uint32_t i = 0; i < 2 && layer->op == EW_OP_MUL && layer->n_inputs == 2; i++) {
        const int32_t x = find_erf(parts, f, input_of(f, at, i)), half = input_of(f, at, 1 - i);
        if (x >= 0 && is_half(f, half) && f->n_readers[half] == 1 && input_of(f, half, 0) == x) {
            drop(f, half);
            become_gelu(f, at, x, parts);
            return;
        }
    }
}

/* The dimensions that a mean runs over, as layernorm's axis; 0: none that it could be. */
static int32_t mean_axis(const struct fuse *f, int32_t at)
{
    const struct ox_layer *mean = layer_at(f, at);
    const int32_t *in = layer_at(f, input_of(f, at, 0))->shape;
    if (mean->kind != OX_MEAN) {
        return 0;
    }
    return mean->op == EW_OP_GLOBAL_AVG_POOL ? EW_H
           : mean->op == EW_OP_AVG_POOL && mean->attrs.kernel[0] == 1 &&
                   mean->attrs.kernel[1] == in[EW_W]
               ? EW_W
               : 0;
}

/* (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) */
static void fuse_layernorm(struct fuse *f, int32_t at)
{
    struct ox_layer *layer = layer_at(f, at);
    if (layer->kind != OX_DIVIDE || layer->n_inputs != 2) {
        return;
    }
    const int32_t centred = input_of(f, at, 0), root = input_of(f, at, 1);
    if (layer_at(f, centred)->op != EW_OP_ADD || layer_at(f, centred)->kind != OX_SUBTRACT ||
        f->n_readers[centred] != 2 || !is_private(f, root, EW_OP_UNARY) ||
        layer_at(f, root)->kind != OX_SQRT) {
        return;
    }
    const int32_t shift = input_of(f, root, 0);
    if (!is_private(f, shift, EW_OP_SHIFT) || layer_at(f, shift)->attrs.is_learned) {
        return;
    }
    const int32_t variance = input_of(f, shift, 0);
    if (f->n_readers[variance] != 1 || mean_axis(f, variance) == 0) {
        return;
    }
    const int32_t square = input_of(f, variance, 0);
    if (!is_private(f, square, EW_OP_UNARY) || layer_at(f, square)->kind != OX_SQUARE ||
        input_of(f, square, 0) != centred) {
        return;
    }
    const int32_t x = input_of(f, centred, 0), mean = input_of(f, centred, 1);
    if (f->n_readers[mean] != 1 || mean_axis(f, mean) != mean_axis(f, variance) ||
        input_of(f, mean, 0) != x) {
        return;
    }
    const int32_t parts[] = {root, shift, variance, square, centred, mean};
    const int32_t axis = mean_axis(f, mean);
    const float epsilon = (float)layer_at(f, shift)->constant;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        drop(f, parts[i]);
    }
    layer->op = EW_OP_LAYERNORM;
    layer->attrs = (struct ew_op_attrs){.axis = axis, .epsilon = epsilon};
    layer->kind = OX_PLAIN;
    layer->n_inputs = 1;
    layer->inputs[0] = x;
    f->n_readers[x]++;
}

static bool spans_only_from(const struct ox_layer *layer, int axis)
{
    for (int d = EW_C; d < EW_DIMS; d++) {
        /* A dimension of 1 may be either. */
        if (layer->attrs.spans[d - EW_C] != (d >= axis) && layer->shape[d] != 1) {
            return false;
        }
    }
    return layer->attrs.is_learned && layer->kind == OX_PLAIN &&
           layer->attrs.function == EW_FUNCTION_USUAL;
}

/* Scale and shift behind a layernorm. */
static enum ew_status fuse_affine(struct fuse *f, int32_t at)
{
    static const char *const roles[] = {"scale", "shift"};
    const int32_t scale = input_of(f, at, 0);
    if (!is_private(f, scale, EW_OP_SCALE)) {
        return EW_OK;
    }
    const int32_t norm = input_of(f, scale, 0);
    struct ox_layer *layer = layer_at(f, norm);
    if (!is_private(f, norm, EW_OP_LAYERNORM) || layer->attrs.is_affine ||
        !spans_only_from(layer_at(f, scale), layer->attrs.axis) ||
        !spans_only_from(layer_at(f, at), layer->attrs.axis)) {
        return EW_OK;
    }
    layer->attrs.is_affine = true;
    layer->name = layer_at(f, at)->module ? layer_at(f, at)->module : layer->name;
    enum ew_status status = move_weights(f, norm, scale, &roles[0], 1);
    status = status ? status : move_weights(f, norm, at, &roles[1], 1);
    replace(f, scale, norm);
    replace(f, at, norm);
    return status;
}

/* A vector added to a matrix product. */
static enum ew_status fuse_bias(struct fuse *f, int32_t at)
{
    static const char *const roles[] = {"bias"};
    const int32_t dense = input_of(f, at, 0);
    struct ox_layer *layer = layer_at(f, dense);
    const bool is_linear = is_private(f, dense, EW_OP_LINEAR),
               is_fc = is_private(f, dense, EW_OP_FC);
    const bool *spans = layer_at(f, at)->attrs.spans;
    if ((!is_linear && !is_fc) || layer->attrs.has_bias || layer_at(f, at)->kind != OX_PLAIN ||
        layer_at(f, at)->attrs.function != EW_FUNCTION_USUAL ||
        !layer_at(f, at)->attrs.is_learned || spans[1] || spans[is_linear ? 0 : 2] ||
        !spans[is_linear ? 2 : 0]) {
        return EW_OK;
    }
    layer->attrs.has_bias = true;
    replace(f, at, dense);
    return move_weights(f, dense, at, roles, 1);
}

/* A batch normalisation is a scale of the filters before it and a shift: a bias. */
static enum ew_status fuse_batchnorm(struct fuse *f, int32_t at)
{
    static const char *const roles[] = {"folded_scale", "folded_shift", "folded_mean",
                                        "folded_variance"};
    const int32_t conv = input_of(f, at, 0);
    const bool has_filters = is_private(f, conv, EW_OP_CONV) || is_private(f, conv, EW_OP_FC) ||
                             is_private(f, conv, EW_OP_CONV_TRANSPOSE);
    if (!has_filters) {
        return EW_OK;
    }
    layer_at(f, conv)->attrs.has_bias = true;
    layer_at(f, conv)->attrs.epsilon = layer_at(f, at)->attrs.epsilon;
    replace(f, at, conv);
    return move_weights(f, conv, at, roles, 4);
}

static enum ew_status fuse_at(struct fuse *f, int32_t at)
{
    enum ew_status status = EW_OK;
    switch (layer_at(f, at)->op) {
    case EW_OP_CONV:
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        fuse_pad(f, at);
        return EW_OK;
    case EW_OP_MUL:
        if (!fuse_gate(f, at)) {
            fuse_layernorm(f, at);
            fuse_gelu(f, at);
        }
        return EW_OK;
    case EW_OP_SCALE:
        fuse_gelu(f, at);
        return EW_OK;
    case EW_OP_SHIFT:
        status = fuse_affine(f, at);
        return status || layer_at(f, at)->is_dead ? status : fuse_bias(f, at);
    case EW_OP_BATCHNORM:
        return f->im->options->folds_batchnorm ? fuse_batchnorm(f, at) : EW_OK;
    default:
        return EW_OK;
    }
}

/* ---- the whole ---- */

static void count_readers(struct fuse *f, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        f->alias[i] = (int32_t)i;
        for (uint32_t k = 0; k < f->layers[i].n_inputs; k++) {
            f->n_readers[f->layers[i].inputs[k]]++;
        }
    }
    for (uint32_t i = 0; i < f->im->n_outputs; i++) { /* answers have a reader outside */
        f->n_readers[f->im->outputs[i]] += 2;
    }
}

/* Layers that no answer needs are dead, too. */
static enum ew_status bury(struct fuse *f, uint32_t n)
{
    bool *is_needed = ew_arena_calloc(f->im->arena, n, sizeof *is_needed);
    if (!is_needed) {
        return ew_fail_memory(f->im->err);
    }
    for (uint32_t i = 0; i < f->im->n_outputs; i++) {
        f->im->outputs[i] = resolve(f, f->im->outputs[i]);
        is_needed[f->im->outputs[i]] = true;
    }
    for (uint32_t i = n; i-- > 0;) {
        struct ox_layer *layer = &f->layers[i];
        for (uint32_t k = 0; k < layer->n_inputs; k++) {
            layer->inputs[k] = input_of(f, (int32_t)i, k);
            is_needed[layer->inputs[k]] = is_needed[layer->inputs[k]] || is_needed[i];
        }
        layer->is_dead = !is_needed[i] && layer->op != EW_OP_INPUT;
    }
    return EW_OK;
}

enum ew_status ox_fuse(struct ox_import *im)
{
    const uint32_t n = (uint32_t)im->layers.count;
    struct fuse f = {.im = im, .layers = im->layers.items};
    f.n_readers = ew_arena_calloc(im->arena, n, sizeof *f.n_readers);
    f.alias = ew_arena_calloc(im->arena, n, sizeof *f.alias);
    if (!f.n_readers || !f.alias) {
        return ew_fail_memory(im->err);
    }
    count_readers(&f, n);
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        if (!f.layers[i].is_dead) {
            status = fuse_at(&f, (int32_t)i);
        }
    }
    return status ? status : bury(&f, n);
}
