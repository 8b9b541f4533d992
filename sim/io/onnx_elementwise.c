/*
 * Elementwise operators of an ONNX import: functions of one element, sums and products.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "io/onnx_import.h"
#include "io/onnx_slice.h"

static bool is_op(const struct ox_import *im, const char *op)
{
    return ox_text_is(im->node->op, op);
}

/* ---- elementwise, one input ---- */

/* Functions of one element: an op of ours, or unary with that many operations. */
static const struct {
    const char *name;
    enum ew_op op;
    int32_t operations;
    enum ox_kind kind;
    enum ew_function function;
    double alpha, beta; /* when the node does not say */
} functions[] = {
    {"Relu", EW_OP_RELU, 0, OX_PLAIN, EW_FUNCTION_USUAL, 0, 0},
    {"LeakyRelu", EW_OP_LEAKY_RELU, 0, OX_PLAIN, EW_FUNCTION_USUAL, 0.01, 0},
    {"Sigmoid", EW_OP_SIGMOID, 0, OX_PLAIN, EW_FUNCTION_USUAL, 0, 0},
    {"Tanh", EW_OP_TANH, 0, OX_PLAIN, EW_FUNCTION_USUAL, 0, 0},
    {"HardSigmoid", EW_OP_HARDSIGMOID, 0, OX_PLAIN, EW_FUNCTION_USUAL, 0.2, 0.5},
    {"HardSwish", EW_OP_HARDSWISH, 0, OX_PLAIN, EW_FUNCTION_USUAL, 0, 0},
    {"Gelu", EW_OP_GELU, 0, OX_PLAIN, EW_FUNCTION_USUAL, 0, 0},
    {"Erf", EW_OP_UNARY, 1, OX_ERF, EW_FUNCTION_ERF, 0, 0},
    {"Sqrt", EW_OP_UNARY, 1, OX_SQRT, EW_FUNCTION_SQRT, 0, 0},
    {"Exp", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_EXP, 0, 0},
    {"Log", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_LOG, 0, 0},
    {"Neg", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_NEG, 0, 0},
    {"Abs", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_ABS, 0, 0},
    {"Floor", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_FLOOR, 0, 0},
    {"Ceil", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_CEIL, 0, 0},
    {"Round", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_ROUND, 0, 0},
    {"Sign", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_SIGN, 0, 0},
    {"Not", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_UNKNOWN, 0, 0},
    {"Sin", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_UNKNOWN, 0, 0},
    {"Cos", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_UNKNOWN, 0, 0},
    {"Reciprocal", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_RECIPROCAL, 0, 0},
    {"Softsign", EW_OP_UNARY, 3, OX_PLAIN, EW_FUNCTION_SOFTSIGN, 0, 0},
    {"Softplus", EW_OP_UNARY, 3, OX_PLAIN, EW_FUNCTION_SOFTPLUS, 0, 0},
    {"ThresholdedRelu", EW_OP_UNARY, 1, OX_PLAIN, EW_FUNCTION_THRESHOLD, 1, 0},
    {"Elu", EW_OP_UNARY, 4, OX_PLAIN, EW_FUNCTION_ELU, 1, 0},
    {"Celu", EW_OP_UNARY, 5, OX_PLAIN, EW_FUNCTION_CELU, 1, 0},
    {"Selu", EW_OP_UNARY, 5, OX_PLAIN, EW_FUNCTION_SELU, 1.67326319217681884765625,
     1.05070102214813232421875},
    {"Mish", EW_OP_UNARY, 8, OX_PLAIN, EW_FUNCTION_MISH, 0, 0},
};

static enum ew_status compute_function(struct ox_import *im)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (!is_op(im, functions[i].name)) {
            continue;
        }
        const struct ew_op_attrs a = {
            .operations = functions[i].operations,
            .function = (int32_t)functions[i].function,
            .alpha = (float)ox_attribute_float(im, "alpha", functions[i].alpha),
            .beta = (float)ox_attribute_float(im, is_op(im, "Selu") ? "gamma" : "beta",
                                              functions[i].beta)};
        const size_t before = im->layers.count;
        const enum ew_status status = ox_output_unary(im, functions[i].op, &a);
        if (status == EW_OK && im->layers.count > before) {
            im->layers.items[im->layers.count - 1].kind = functions[i].kind;
            im->layers.items[im->layers.count - 1].is_values_unknown =
                is_op(im, "Gelu") && ox_attribute_is(im, "approximate", "tanh");
        }
        return status;
    }
    return EW_ENOTSUP;
}

/* A bound of a Clip: attribute before opset 11, then an input; `fallback` when there is none. */
static enum ew_status clip_bound(double *out, struct ox_import *im, const char *name,
                                 uint32_t input, double fallback)
{
    *out = ox_attribute_float(im, name, fallback);
    if (!ox_attribute(im, name) && ox_has_input(im, input)) {
        const struct ox_value *value = ox_input(im, input);
        if (!value) {
            return im->err->status;
        }
        *out = value->known && ox_count(&value->dims) == 1 ? value->known[0] : NAN;
    }
    return EW_OK;
}

static enum ew_status compute_clip(struct ox_import *im)
{
    double lo = 0, hi = 0;
    enum ew_status status = clip_bound(&lo, im, "min", 1, -INFINITY);
    status = status ? status : clip_bound(&hi, im, "max", 2, INFINITY);
    if (status != EW_OK) {
        return status;
    }
    const enum ew_op op = lo == 0 && hi == 6     ? EW_OP_RELU6
                          : lo == 0 && isinf(hi) ? EW_OP_RELU
                                                 : EW_OP_UNARY;
    struct ew_op_attrs a = {0};
    if (op == EW_OP_UNARY) {
        const double largest = FLT_MAX;
        a = (struct ew_op_attrs){.operations = 2,
                                 .function = isnan(lo) || isnan(hi) ? EW_FUNCTION_UNKNOWN
                                                                    : EW_FUNCTION_CLIP,
                                 .alpha = (float)fmax(lo, -largest),
                                 .beta = (float)fmin(hi, largest)};
    }
    return ox_output_unary(im, op, &a);
}

/* ---- elementwise, two inputs and more ---- */

/* What the node computes when it is not a sum or a product. `is_swapped`: its first operand is a
 * constant. */
static int32_t function_of(const struct ox_import *im, bool is_swapped)
{
    return is_op(im, "Sub")   ? is_swapped ? EW_FUNCTION_SUBTRACT_FROM : EW_FUNCTION_SUBTRACT
           : is_op(im, "Div") ? is_swapped ? EW_FUNCTION_DIVIDE_INTO : EW_FUNCTION_DIVIDE
           : is_op(im, "Max") ? EW_FUNCTION_MAX
           : is_op(im, "Min") ? EW_FUNCTION_MIN
           : is_op(im, "Add") || is_op(im, "Mul") || is_op(im, "Sum") ? EW_FUNCTION_USUAL
                                                                      : EW_FUNCTION_UNKNOWN;
}

/* Plus or times a constant. */
static enum ew_status add_constant_operand(struct ox_import *im, enum ew_op op,
                                           const struct ox_value *in,
                                           const struct ox_value *constant, bool is_swapped,
                                           const struct ox_dims *dims)
{
    int slots[OX_MAX_RANK];
    int32_t from = in->layer, layer = 0;
    struct ew_op_attrs a = {.function = function_of(im, is_swapped)};
    const uint64_t n = ox_count(&constant->dims);
    enum ew_status status = EW_OK;
    if (ox_count(dims) != ox_count(&in->dims)) {
        return EW_ENOTSUP; /* the constant is the larger one */
    }
    if (n != 1) {
        if (!ox_layout(slots, dims)) {
            return EW_ENOTSUP;
        }
        const struct ox_dims wide = ox_align(&constant->dims, dims->n);
        int32_t chw[3];
        for (uint32_t i = 0; i < dims->n; i++) {
            if (slots[i] && wide.at[i] != 1) {
                a.spans[slots[i] - EW_C] = true;
            }
        }
        ox_arrange_dims(chw, dims, slots);
        status = ox_arrange(&from, im, in, chw);
    }
    a.is_learned = constant->is_learned && n > 1;
    status = status ? status : ox_add_layer(&layer, im, op, &a, 1, &from);
    if (status == EW_OK) {
        struct ox_layer *l = &im->layers.items[layer];
        l->constant = n == 1 && constant->known ? constant->known[0] : NAN;
        l->kind = is_op(im, "Div") ? OX_DIVIDE : is_op(im, "Sub") ? OX_SUBTRACT : OX_PLAIN;
        status = n > 1 ? ox_add_weight(im, layer, "value", constant) : EW_OK;
    }
    return status ? status : ox_output_layer(im, layer, dims);
}

/* Both operands in the layout of the result. */
static enum ew_status add_two(struct ox_import *im, enum ew_op op, const struct ox_value *a,
                              const struct ox_value *b, const struct ox_dims *dims)
{
    const struct ox_value *both[] = {a, b};
    int slots[OX_MAX_RANK];
    int32_t inputs[2] = {a->layer, b->layer}, layer = 0, chw[3];
    enum ew_status status = EW_OK;
    const bool is_alike = ox_same_dims(&a->dims, &b->dims) &&
                          memcmp(im->layers.items[a->layer].shape, im->layers.items[b->layer].shape,
                                 sizeof im->layers.items->shape) == 0;
    if (!is_alike && !ox_layout(slots, dims)) {
        return EW_ENOTSUP;
    }
    for (int i = 0; i < 2 && !is_alike && status == EW_OK; i++) {
        const struct ox_dims wide = ox_align(&both[i]->dims, dims->n);
        ox_arrange_dims(chw, &wide, slots);
        status = ox_arrange(&inputs[i], im, both[i], chw);
    }
    const struct ew_op_attrs attrs = {.function = function_of(im, false)};
    status = status ? status : ox_add_layer(&layer, im, op, &attrs, 2, inputs);
    if (status == EW_OK) {
        im->layers.items[layer].kind = is_op(im, "Div")   ? OX_DIVIDE
                                       : is_op(im, "Sub") ? OX_SUBTRACT
                                                          : OX_PLAIN;
    }
    return status ? status : ox_output_layer(im, layer, dims);
}

static enum ew_status add_operation(struct ox_import *im, enum ew_op op, const struct ox_value *a,
                                    const struct ox_value *b)
{
    struct ox_dims dims;
    enum ew_status status = ox_broadcast_dims(&dims, im, &a->dims, &b->dims);
    status = status ? status : ox_check_dims(im, "output", &dims);
    const enum ew_op by_constant = op == EW_OP_ADD ? EW_OP_SHIFT : EW_OP_SCALE;
    return status                    ? status
           : a->layer == OX_NO_LAYER ? add_constant_operand(im, by_constant, b, a, true, &dims)
           : b->layer == OX_NO_LAYER ? add_constant_operand(im, by_constant, a, b, false, &dims)
                                     : add_two(im, op, a, b, &dims);
}

enum ew_status ox_read_operands(struct ox_import *im, const struct ox_value *a)
{
    /* Comparisons cost what an addition costs. */
    static const char *const additions[] = {"Add", "Sub",   "Max",     "Min",
                                            "Sum", "Equal", "Greater", "Less"};
    static const char *const products[] = {"Mul", "Div"};
    enum ew_op op = EW_OP_COUNT;
    for (size_t i = 0; i < sizeof additions / sizeof *additions; i++) {
        op = is_op(im, additions[i]) ? EW_OP_ADD : op;
    }
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        op = is_op(im, products[i]) ? EW_OP_MUL : op;
    }
    if (op == EW_OP_COUNT || im->node->n_inputs != 2) {
        return EW_ENOTSUP;
    }
    const struct ox_value *b = ox_input(im, 1);
    if (!b) {
        return im->err->status;
    }
    const bool is_constant = a->layer == OX_NO_LAYER && b->layer == OX_NO_LAYER;
    return is_constant ? EW_ENOTSUP : add_operation(im, op, a, b);
}

static enum ew_status compute_pow(struct ox_import *im, const struct ox_value *in)
{
    const struct ox_value *exponent = ox_input(im, 1);
    if (!exponent) {
        return im->err->status;
    }
    if (exponent->layer != OX_NO_LAYER || ox_count(&exponent->dims) != 1 ||
        in->layer == OX_NO_LAYER) {
        return EW_ENOTSUP;
    }
    const double power = exponent->known ? exponent->known[0] : NAN;
    const enum ew_function function = power == 2     ? EW_FUNCTION_SQUARE
                                      : power == 0.5 ? EW_FUNCTION_SQRT
                                      : power == 1   ? EW_FUNCTION_IDENTITY
                                      : power == -1  ? EW_FUNCTION_RECIPROCAL
                                                     : EW_FUNCTION_UNKNOWN;
    const enum ew_status status = ox_output_unary(
        im, EW_OP_UNARY, &(struct ew_op_attrs){.operations = 1, .function = (int32_t)function});
    if (status == EW_OK && power == 2) {
        im->layers.items[im->layers.count - 1].kind = OX_SQUARE;
    }
    return status;
}

enum ew_status ox_read_elementwise(struct ox_import *im, const struct ox_value *in)
{
    return is_op(im, "Clip")  ? compute_clip(im)
           : is_op(im, "Pow") ? compute_pow(im, in)
                              : compute_function(im);
}
