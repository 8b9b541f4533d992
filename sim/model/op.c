/*
 * Operators: names, parameter and operation counts. Output shapes are in op_shape.c, receptive
 * fields in op_field.c.
 */
#include "model/op.h"

#include <string.h>

const char *ew_op_name(enum ew_op op)
{
    static const char *const names[] = {
#define X(name, text, cls) [EW_OP_##name] = (text),
        EW_OP_MAP(X)
#undef X
    };
    return (size_t)op < EW_OP_COUNT ? names[op] : "?";
}

bool ew_op_from_name(enum ew_op *out, const char *name)
{
    for (int op = 0; op < EW_OP_COUNT; op++) {
        if (strcmp(name, ew_op_name((enum ew_op)op)) == 0) {
            *out = (enum ew_op)op;
            return true;
        }
    }
    return false;
}

enum ew_op_class ew_op_class(enum ew_op op)
{
    static const enum ew_op_class classes[] = {
#define X(name, text, cls) [EW_OP_##name] = EW_CLASS_##cls,
        EW_OP_MAP(X)
#undef X
    };
    return (size_t)op < EW_OP_COUNT ? classes[op] : EW_CLASS_VIEW;
}

void ew_op_default_numbers(struct ew_op_attrs *attrs, enum ew_op op)
{
    switch (op) {
    case EW_OP_LRN: /* ONNX's, and PyTorch's */
        attrs->alpha = 1e-4f;
        attrs->beta = 0.75f;
        attrs->k = 1.0f;
        break;
    case EW_OP_LEAKY_RELU: /* Darknet's */
        attrs->alpha = 0.1f;
        break;
    case EW_OP_HARDSIGMOID: /* PyTorch's */
        attrs->alpha = 1.0f / 6.0f;
        attrs->beta = 0.5f;
        break;
    case EW_OP_UNARY:
    case EW_OP_SCALE:
        attrs->alpha = 1.0f;
        break;
    case EW_OP_BATCHNORM:
    case EW_OP_LAYERNORM:
        attrs->epsilon = 1e-5f;
        break;
    default:
        break;
    }
}

/* ---- functions ---- */

enum { SUM = 1, PRODUCT = 2, UNARY = 4, ANY = 7 };

static const struct {
    const char *name;
    int ops;
} functions[] = {
#define X(name, text, ops) [EW_FUNCTION_##name] = {(text), (ops)},
    EW_FUNCTION_MAP(X)
#undef X
};

const char *ew_function_name(enum ew_function function)
{
    return (size_t)function < EW_FUNCTION_COUNT ? functions[function].name : "?";
}

bool ew_function_from_name(enum ew_function *out, const char *name)
{
    for (int i = 0; i < EW_FUNCTION_COUNT; i++) {
        if (strcmp(name, functions[i].name) == 0) {
            *out = (enum ew_function)i;
            return true;
        }
    }
    return false;
}

bool ew_function_fits(enum ew_function function, enum ew_op op)
{
    const int ops = (size_t)function < EW_FUNCTION_COUNT ? functions[function].ops : 0;
    const bool is_of_constant = op == EW_OP_SHIFT || op == EW_OP_SCALE;
    const bool needs_constant = function == EW_FUNCTION_SUBTRACT_FROM ||
                                function == EW_FUNCTION_DIVIDE_INTO ||
                                function == EW_FUNCTION_PRELU;
    if (ops == ANY || (needs_constant && !is_of_constant)) {
        return ops == ANY;
    }
    return op == EW_OP_UNARY                      ? ops == UNARY
           : op == EW_OP_ADD || op == EW_OP_SHIFT ? ops == SUM
           : op == EW_OP_MUL || op == EW_OP_SCALE ? ops == PRODUCT
                                                  : false;
}

bool ew_op_is_indivisible(enum ew_op op)
{
    return op == EW_OP_OPAQUE;
}

/* ---- arithmetic that saturates instead of wrapping ---- */

static uint64_t multiply(uint64_t a, uint64_t b)
{
    return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static uint64_t count_in_dim(const struct ew_box *box, enum ew_dim d)
{
    return box->hi[d] > box->lo[d] ? (uint64_t)((int64_t)box->hi[d] - box->lo[d]) : 0;
}

static uint64_t count_elements(const struct ew_box *box)
{
    uint64_t n = 1;
    for (int d = 0; d < EW_DIMS; d++) {
        n = multiply(n, count_in_dim(box, (enum ew_dim)d));
    }
    return n;
}

static uint64_t flat_size(const int32_t shape[EW_DIMS])
{
    return multiply(multiply((uint64_t)shape[EW_C], (uint64_t)shape[EW_H]), (uint64_t)shape[EW_W]);
}

/* ---- counts ---- */

static int axis_of(const struct ew_op_attrs *a)
{
    return a->axis ? a->axis : EW_C;
}

static uint64_t kernel_area(const struct ew_op_attrs *a)
{
    return multiply((uint64_t)a->kernel[0], (uint64_t)a->kernel[1]);
}

int32_t ew_op_reduction_length(const struct ew_op_view *layer)
{
    if (layer->op == EW_OP_CONV && layer->attrs->groups == 1) {
        return layer->in_shape[0][EW_C];
    }
    if (layer->op == EW_OP_FC) {
        return (int32_t)flat_size(layer->in_shape[0]); /* tensors have at most 2^31-1 elements */
    }
    return 0;
}

/* Terms of the sum behind one output element, kernel taps not counted. */
static uint64_t count_terms(const struct ew_op_view *layer, const struct ew_reduction *reduction)
{
    const int32_t length = ew_op_reduction_length(layer);
    if (reduction && length > 0) {
        const int32_t lo = reduction->lo > 0 ? reduction->lo : 0;
        const int32_t hi = reduction->hi < length ? reduction->hi : length;
        return hi > lo ? (uint64_t)hi - (uint64_t)lo : 0;
    }
    if (layer->op == EW_OP_CONV || layer->op == EW_OP_CONV_TRANSPOSE) {
        return (uint64_t)(layer->in_shape[0][EW_C] / layer->attrs->groups);
    }
    if (layer->op == EW_OP_LINEAR || layer->op == EW_OP_MATMUL) {
        return (uint64_t)layer->in_shape[0][EW_W];
    }
    return (uint64_t)length;
}

uint64_t ew_op_params(const struct ew_op_view *layer)
{
    const struct ew_box full = ew_box_full(layer->out_shape);
    return ew_op_params_for(layer, &full, NULL);
}

/* Weights times channels (or, of a linear, columns) of the box, and the biases. */
static uint64_t weighted_params(const struct ew_op_view *layer, const struct ew_box *out,
                                const struct ew_reduction *reduction)
{
    const struct ew_op_attrs *a = layer->attrs;
    const bool has_window = layer->op == EW_OP_CONV || layer->op == EW_OP_CONV_TRANSPOSE;
    const uint64_t n = count_in_dim(out, layer->op == EW_OP_LINEAR ? EW_W : EW_C);
    const uint64_t area = has_window ? kernel_area(a) : 1;
    const uint64_t weights = multiply(multiply(n, area), count_terms(layer, reduction));
    /* Of the parts of a split sum, the one that begins at 0 adds the bias. */
    const bool adds_bias = a->has_bias && (!reduction || reduction->lo <= 0);
    return add(weights, adds_bias ? n : 0);
}

/* Values of a constant that has one of its own along some dimensions. */
static uint64_t spanned_params(const struct ew_op_view *layer, const struct ew_box *out)
{
    uint64_t n = layer->attrs->is_learned ? 1 : 0;
    for (int i = 0; i < 3; i++) {
        if (layer->attrs->spans[i]) {
            n = multiply(n, count_in_dim(out, (enum ew_dim)(EW_C + i)));
        }
    }
    return n;
}

/* Elements of the box that lie in the padding, of one image. */
static uint64_t padding_params(const struct ew_op_view *layer, const struct ew_box *out)
{
    const struct ew_op_attrs *a = layer->attrs;
    const int32_t *in = layer->in_shape[0];
    struct ew_box box = *out, inside;
    box.lo[EW_N] = 0;
    box.hi[EW_N] = 1;
    const struct ew_box data = {{0, 0, a->pads[0], a->pads[1]},
                                {1, in[EW_C], a->pads[0] + in[EW_H], a->pads[1] + in[EW_W]}};
    const uint64_t copied = ew_box_intersect(&inside, &box, &data) ? ew_box_volume(&inside) : 0;
    return a->is_learned ? count_elements(&box) - copied : 0;
}

static uint64_t norm_params(const struct ew_op_view *layer, const struct ew_box *out)
{
    uint64_t n = layer->attrs->is_affine ? 2 : 0;
    for (int d = axis_of(layer->attrs); d < EW_DIMS; d++) {
        n = multiply(n, count_in_dim(out, (enum ew_dim)d));
    }
    return n;
}

uint64_t ew_op_params_for(const struct ew_op_view *layer, const struct ew_box *out,
                          const struct ew_reduction *reduction)
{
    if (ew_box_is_empty(out)) {
        return 0;
    }
    switch (layer->op) {
    case EW_OP_BATCHNORM:
        return layer->attrs->is_affine ? 2 * count_in_dim(out, EW_C) : 0;
    case EW_OP_CONV:
    case EW_OP_CONV_TRANSPOSE:
    case EW_OP_FC:
    case EW_OP_LINEAR:
        return weighted_params(layer, out, reduction);
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
        return spanned_params(layer, out);
    case EW_OP_PAD:
        return padding_params(layer, out);
    case EW_OP_LAYERNORM:
        return norm_params(layer, out);
    case EW_OP_OPAQUE:
        return layer->attrs->own_params;
    default:
        return 0;
    }
}

/* Products along one axis of a conv_transpose for outputs [lo, hi): pairs of an input and a tap. */
static uint64_t transposed_taps(const struct ew_op_view *layer, const struct ew_box *out, int axis)
{
    const struct ew_op_attrs *a = layer->attrs;
    const int64_t lo = out->lo[EW_H + axis], hi = out->hi[EW_H + axis];
    const int64_t stride = a->stride[axis], size = layer->in_shape[0][EW_H + axis];
    uint64_t n = 0;
    for (int64_t k = 0; k < a->kernel[axis]; k++) {
        /* Input i reaches output i * stride + at. */
        const int64_t at = k * a->dilation[axis] - a->pads[axis];
        const int64_t first = lo > at ? (lo - at + stride - 1) / stride : 0;
        const int64_t end = hi > at ? (hi - at + stride - 1) / stride : 0;
        const int64_t last = end < size ? end : size;
        n += last > first ? (uint64_t)(last - first) : 0;
    }
    return n;
}

static uint64_t conv_transpose_macs(const struct ew_op_view *layer, const struct ew_box *out)
{
    if (ew_box_is_empty(out)) {
        return 0;
    }
    const uint64_t taps = multiply(transposed_taps(layer, out, 0), transposed_taps(layer, out, 1));
    const uint64_t filters = multiply(count_in_dim(out, EW_N), count_in_dim(out, EW_C));
    return multiply(multiply(taps, filters), count_terms(layer, NULL));
}

uint64_t ew_op_macs(const struct ew_op_view *layer, const struct ew_box *out,
                    const struct ew_reduction *reduction)
{
    switch (layer->op) {
    case EW_OP_CONV:
        return multiply(multiply(count_elements(out), kernel_area(layer->attrs)),
                        count_terms(layer, reduction));
    case EW_OP_FC:
    case EW_OP_LINEAR:
    case EW_OP_MATMUL:
        return multiply(count_elements(out), count_terms(layer, reduction));
    case EW_OP_CONV_TRANSPOSE:
        return conv_transpose_macs(layer, out);
    default:
        return 0;
    }
}

/* Operations per output element of the ops for which that is all there is to say. */
static uint64_t ops_per_element(const struct ew_op_view *layer)
{
    const int32_t *in = layer->in_shape[0];
    switch (layer->op) {
    case EW_OP_MAX_POOL:
        return kernel_area(layer->attrs) - 1;
    case EW_OP_AVG_POOL:
        return kernel_area(layer->attrs); /* adds, and the division */
    case EW_OP_GLOBAL_MAX_POOL:
        return (uint64_t)in[EW_H] * (uint64_t)in[EW_W] - 1;
    case EW_OP_GLOBAL_AVG_POOL:
        return (uint64_t)in[EW_H] * (uint64_t)in[EW_W];
    case EW_OP_RELU:
    case EW_OP_UPSAMPLE: /* a copy, so that it is not free */
        return 1;
    case EW_OP_RELU6:
    case EW_OP_LEAKY_RELU:
    case EW_OP_BATCHNORM: /* folded to scale and shift */
        return 2;
    case EW_OP_SIGMOID: /* exp, add, divide */
        return 3;
    case EW_OP_SILU:
    case EW_OP_HARDSIGMOID: /* multiply, add, two comparisons */
    case EW_OP_TANH:        /* exp, add, subtract, divide */
        return 4;
    case EW_OP_HARDSWISH:
    case EW_OP_GELU: /* divide, error function, add, two multiplications */
        return 5;
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
        return 1;
    case EW_OP_UNARY:
    case EW_OP_OPAQUE:
        return (uint64_t)layer->attrs->operations;
    case EW_OP_RESIZE: /* interpolations of 3 (linear) or 7 (cubic): columns, then rows */
        return layer->attrs->mode == EW_RESIZE_NEAREST ? 1
               : layer->attrs->mode == EW_RESIZE_CUBIC ? 35
                                                       : 9;
    case EW_OP_LRN: /* squares, their sum, scale, offset, power, divide */
        return 2 * (uint64_t)layer->attrs->size + 3;
    case EW_OP_ADD:
    case EW_OP_MUL:
        return layer->n_inputs - 1;
    default:
        return 0;
    }
}

uint64_t ew_op_simple_ops(const struct ew_op_view *layer, const struct ew_box *out)
{
    const uint64_t elements = count_elements(out);
    const bool is_softmax = layer->op == EW_OP_SOFTMAX;
    if (!is_softmax && layer->op != EW_OP_LAYERNORM) {
        return multiply(elements, ops_per_element(layer));
    }
    /* Maximum, subtraction, exponential and sum (softmax), or sum, subtraction, square and sum
     * (layernorm) run over whole groups, then a division, scale and shift per element. */
    struct ew_box groups = *out;
    const int axis = axis_of(layer->attrs);
    for (int d = axis; d < (is_softmax ? axis + 1 : (int)EW_DIMS) && !ew_box_is_empty(out); d++) {
        groups.lo[d] = 0;
        groups.hi[d] = layer->out_shape[d];
    }
    const uint64_t after = is_softmax || !layer->attrs->is_affine ? 1 : 3;
    return add(multiply(count_elements(&groups), 4), multiply(elements, after));
}
