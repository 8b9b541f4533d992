#include "support/kernel_expect.h"

#include <math.h>

/* Weight of the input at distance d of a linear (Keys' cubic with a = -3/4) interpolation. */
static double tap_weight(int32_t mode, double d)
{
    const double a = -0.75;
    d = fabs(d);
    if (mode != EW_RESIZE_CUBIC) {
        return d < 1 ? 1 - d : 0;
    }
    return d <= 1  ? ((a + 2) * d - (a + 3)) * d * d + 1
           : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
                   : 0;
}

static double source_position(const struct kernel_case *c, enum ew_dim d, int32_t i)
{
    const double in = c->in_shape[0][d], out = c->out_shape[d];
    switch (c->attrs.mode) {
    case EW_RESIZE_NEAREST:
        return (double)((int64_t)i * c->in_shape[0][d] / c->out_shape[d]);
    case EW_RESIZE_ALIGNED:
        return out > 1 ? i * (in - 1) / (out - 1) : 0;
    default:
        return (i + 0.5) * in / out - 0.5;
    }
}

static double expect_resize(double *size, const struct kernel_case *c, struct place p)
{
    const double y = source_position(c, EW_H, p.y), x = source_position(c, EW_W, p.x);
    double sum = 0;
    for (int32_t u = (int32_t)floor(y) - 1; u <= (int32_t)floor(y) + 2; u++) {
        for (int32_t v = (int32_t)floor(x) - 1; v <= (int32_t)floor(x) + 2; v++) {
            const int32_t last_y = c->in_shape[0][EW_H] - 1, last_x = c->in_shape[0][EW_W] - 1;
            const struct place q = {p.n, p.c,
                                    u < 0        ? 0
                                    : u > last_y ? last_y
                                                 : u,
                                    v < 0        ? 0
                                    : v > last_x ? last_x
                                                 : v};
            sum += tap_weight(c->attrs.mode, y - u) * tap_weight(c->attrs.mode, x - v) *
                   input_at(c, 0, q);
        }
    }
    *size = 8;
    return sum;
}

static double combine(const struct kernel_case *c, double x, double y)
{
    const bool is_sum = c->task.layer.op == EW_OP_ADD || c->task.layer.op == EW_OP_SHIFT;
    switch (c->attrs.function) {
    case EW_FUNCTION_SUBTRACT:
        return x - y;
    case EW_FUNCTION_SUBTRACT_FROM:
        return y - x;
    case EW_FUNCTION_MAX:
        return fmax(x, y);
    case EW_FUNCTION_MIN:
        return fmin(x, y);
    case EW_FUNCTION_DIVIDE:
        return x / y;
    case EW_FUNCTION_DIVIDE_INTO:
        return y / x;
    case EW_FUNCTION_PRELU:
        return x < 0 ? x * y : x;
    default:
        return is_sum ? x + y : x * y;
    }
}

static double expect_pair(double *size, const struct kernel_case *c, struct place p)
{
    double result = 0;
    for (uint32_t i = 0; i < c->task.layer.n_inputs; i++) {
        const int32_t *s = c->in_shape[i];
        const struct place q = {p.n, s[EW_C] == 1 ? 0 : p.c, s[EW_H] == 1 ? 0 : p.y,
                                s[EW_W] == 1 ? 0 : p.x};
        const double value = input_at(c, i, q);
        result = i == 0 ? value : combine(c, result, value);
        *size += fabs(result);
    }
    return result;
}

static double expect_constant(const struct kernel_case *c, struct place p)
{
    const bool *spans = c->attrs.spans;
    const int32_t rows = spans[1] ? c->out_shape[EW_H] : 1;
    const int32_t columns = spans[2] ? c->out_shape[EW_W] : 1;
    const int32_t at =
        ((spans[0] ? p.c : 0) * rows + (spans[1] ? p.y : 0)) * columns + (spans[2] ? p.x : 0);
    const bool is_single = !spans[0] && !spans[1] && !spans[2];
    return combine(c, input_at(c, 0, p),
                   is_single ? (double)c->attrs.alpha
                             : (double)kernel_case_weight(c, EW_WEIGHT_VALUE, (uint64_t)at));
}

static double expect_concat(const struct kernel_case *c, struct place p)
{
    const int axis = c->attrs.axis ? c->attrs.axis : EW_C;
    int32_t *along = axis == EW_C ? &p.c : axis == EW_H ? &p.y : &p.x;
    uint32_t i = 0;
    while (*along >= c->in_shape[i][axis]) {
        *along -= c->in_shape[i++][axis];
    }
    return input_at(c, i, p);
}

/* Learned values: rows above, then below (or columns left, then right), each channel by channel. */
static double expect_padding(const struct kernel_case *c, struct place p)
{
    const int32_t *pads = c->attrs.pads, *out = c->out_shape;
    if (!c->attrs.is_learned) {
        return (double)c->attrs.alpha;
    }
    const bool is_rows = pads[0] || pads[2];
    const int axis = is_rows ? 0 : 1;
    const int32_t at = is_rows ? p.y : p.x, length = out[EW_H + axis];
    const bool is_behind = at >= length - pads[axis + 2] && at >= pads[axis];
    const int32_t n = is_behind ? pads[axis + 2] : pads[axis];
    const int32_t k = is_behind ? at - (length - n) : at;
    const int32_t before = is_behind ? out[EW_C] * pads[axis] * out[is_rows ? EW_W : EW_H] : 0;
    const int32_t index =
        is_rows ? (p.c * n + k) * out[EW_W] + p.x : (p.c * out[EW_H] + p.y) * n + k;
    return (double)kernel_case_weight(c, EW_WEIGHT_VALUE, (uint64_t)(before + index));
}

static double expect_arranged(const struct kernel_case *c, struct place p)
{
    const struct ew_op_attrs *a = &c->attrs;
    const int32_t out[] = {p.c, p.y, p.x};
    int32_t in[3] = {p.c, p.y, p.x};
    for (int i = 0; i < 3; i++) {
        if (c->task.layer.op == EW_OP_TRANSPOSE) {
            in[a->perm[i] - EW_C] = out[i];
        } else if (c->task.layer.op == EW_OP_SLICE) {
            in[i] = a->begin[i] + out[i] * a->step[i];
        }
    }
    if (c->task.layer.op == EW_OP_SHUFFLE) {
        in[0] = p.c % a->groups * (c->in_shape[0][EW_C] / a->groups) + p.c / a->groups;
    }
    return input_at(c, 0, (struct place){p.n, in[0], in[1], in[2]});
}

static double expect_view(const struct kernel_case *c, struct place p)
{
    const int32_t *in = c->in_shape[0];
    const struct place outside = p;
    switch (c->task.layer.op) {
    case EW_OP_PAD:
        p.y -= c->attrs.pads[0];
        p.x -= c->attrs.pads[1];
        return is_inside(in, p) ? input_at(c, 0, p) : expect_padding(c, outside);
    case EW_OP_UPSAMPLE:
        p.y /= c->attrs.scale[0];
        p.x /= c->attrs.scale[1];
        return input_at(c, 0, p);
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE: {
        const int32_t at = (p.c * c->out_shape[EW_H] + p.y) * c->out_shape[EW_W] + p.x;
        return input_at(c, 0,
                        (struct place){p.n, at / (in[EW_H] * in[EW_W]), at / in[EW_W] % in[EW_H],
                                       at % in[EW_W]});
    }
    default:
        return input_at(c, 0, p);
    }
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static double expect_unary(const struct kernel_case *c, double x)
{
    const double a = (double)c->attrs.alpha, b = (double)c->attrs.beta;
    const double elu = x < 0 ? a * expm1(x) : x;
    switch ((enum ew_function)c->attrs.function) {
    case EW_FUNCTION_ABS:
        return fabs(x);
    case EW_FUNCTION_NEG:
        return -x;
    case EW_FUNCTION_SIGN:
        return (x > 0) - (x < 0);
    case EW_FUNCTION_FLOOR:
        return floor(x);
    case EW_FUNCTION_CEIL:
        return ceil(x);
    case EW_FUNCTION_ROUND:
        return rint(x);
    case EW_FUNCTION_SQRT:
        return sqrt(x);
    case EW_FUNCTION_RECIPROCAL:
        return 1 / x;
    case EW_FUNCTION_EXP:
        return exp(x);
    case EW_FUNCTION_LOG:
        return log(x);
    case EW_FUNCTION_ERF:
        return erf(x);
    case EW_FUNCTION_SQUARE:
        return x * x;
    case EW_FUNCTION_SOFTSIGN:
        return x / (1 + fabs(x));
    case EW_FUNCTION_SOFTPLUS:
        return log1p(exp(x));
    case EW_FUNCTION_MISH:
        return x * tanh(log1p(exp(x)));
    case EW_FUNCTION_CLIP:
        return clamp(x, a, b);
    case EW_FUNCTION_THRESHOLD:
        return x > a ? x : 0;
    case EW_FUNCTION_ELU:
        return elu;
    case EW_FUNCTION_CELU:
        return x < 0 ? a * expm1(x / a) : x;
    case EW_FUNCTION_SELU:
        return b * elu;
    default:
        return x; /* identity */
    }
}

static double expect_map(const struct kernel_case *c, struct place p)
{
    const double x = input_at(c, 0, p);
    switch (c->task.layer.op) {
    case EW_OP_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case EW_OP_UNARY:
        return expect_unary(c, x);
    case EW_OP_RELU:
        return x > 0 ? x : 0;
    case EW_OP_RELU6:
        return clamp(x, 0, 6);
    case EW_OP_LEAKY_RELU:
        return x > 0 ? x : (double)c->attrs.alpha * x;
    case EW_OP_SIGMOID:
        return 1 / (1 + exp(-x));
    case EW_OP_SILU:
        return x / (1 + exp(-x));
    case EW_OP_HARDSWISH:
        return x * clamp(x / 6 + 0.5, 0, 1);
    case EW_OP_HARDSIGMOID:
        return clamp(x * (double)c->attrs.alpha + (double)c->attrs.beta, 0, 1);
    case EW_OP_TANH:
        return tanh(x);
    default: /* batchnorm */
        return x * (double)kernel_case_weight(c, EW_WEIGHT_SCALE, (uint64_t)p.c) +
               (double)kernel_case_weight(c, EW_WEIGHT_SHIFT, (uint64_t)p.c);
    }
}

double kernel_case_expect(double *size, const struct kernel_case *c,
                          const struct ew_reduction *reduction, int32_t n, int32_t ch, int32_t y,
                          int32_t x)
{
    const struct place p = {n, ch, y, x};
    *size = 1.0;
    switch (c->task.layer.op) {
    case EW_OP_CONV:
        return expect_conv(size, c, reduction, p);
    case EW_OP_FC:
        return expect_fc(size, c, reduction, p);
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        return expect_pool(size, c, p);
    case EW_OP_GLOBAL_AVG_POOL:
    case EW_OP_GLOBAL_MAX_POOL:
        return expect_global_pool(size, c, p);
    case EW_OP_LRN:
        return expect_lrn(c, p);
    case EW_OP_SOFTMAX:
        return expect_softmax(c, p);
    case EW_OP_ADD:
    case EW_OP_MUL:
        return expect_pair(size, c, p);
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
        *size = 4.0;
        return expect_constant(c, p);
    case EW_OP_LAYERNORM:
        return expect_layernorm(size, c, p);
    case EW_OP_CONV_TRANSPOSE:
        return expect_conv_transpose(size, c, p);
    case EW_OP_LINEAR:
    case EW_OP_MATMUL:
        return expect_product(size, c, p);
    case EW_OP_RESIZE:
        return expect_resize(size, c, p);
    case EW_OP_TRANSPOSE:
    case EW_OP_SLICE:
    case EW_OP_SHUFFLE:
        return expect_arranged(c, p);
    case EW_OP_CONCAT:
        return expect_concat(c, p);
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE:
    case EW_OP_PAD:
    case EW_OP_UPSAMPLE:
    case EW_OP_DROPOUT:
    case EW_OP_IDENTITY:
        return expect_view(c, p);
    default:
        return expect_map(c, p);
    }
}
