#include "support/kernel_case.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/random_weights.h"

static int32_t pick(struct ew_rng *rng, int32_t lo, int32_t hi)
{
    return lo + (int32_t)ew_rng_below(rng, (uint64_t)(hi - lo + 1));
}

static void random_window(struct kernel_case *c, struct ew_rng *rng)
{
    const bool is_pool = c->task.layer.op != EW_OP_CONV;
    for (int i = 0; i < 2; i++) {
        c->attrs.kernel[i] = pick(rng, 1, is_pool ? 3 : 5);
        c->attrs.stride[i] = pick(rng, 1, 3);
        c->attrs.dilation[i] = c->task.layer.op == EW_OP_AVG_POOL ? 1 : pick(rng, 1, 2);
        const int32_t window = (c->attrs.kernel[i] - 1) * c->attrs.dilation[i] + 1;
        c->attrs.pads[i] = pick(rng, 0, is_pool ? window - 1 : window);
        c->attrs.pads[i + 2] = pick(rng, 0, is_pool ? window - 1 : window);
        if (c->in_shape[0][EW_H + i] < window) {
            c->in_shape[0][EW_H + i] = window;
        }
    }
    c->attrs.ceil_mode = is_pool && pick(rng, 0, 1);
    c->attrs.count_include_pad = pick(rng, 0, 1);
}

static void random_conv(struct kernel_case *c, struct ew_rng *rng)
{
    static const int32_t groups[] = {1, 1, 1, 2, 3, 0};
    int32_t g = groups[pick(rng, 0, 5)];
    const int32_t per_group = g == 0 ? 1 : pick(rng, 1, 9);
    g = g == 0 ? pick(rng, 1, 20) : g;
    c->in_shape[0][EW_C] = g * per_group;
    c->attrs.groups = g;
    c->attrs.out_channels = g * pick(rng, 1, per_group == 1 ? 2 : 19);
    c->attrs.has_bias = pick(rng, 0, 1);
    random_window(c, rng);
}

/* Windows of 1..4, so that some outputs are read by no tap and some by several. */
static void random_conv_transpose(struct kernel_case *c, struct ew_rng *rng)
{
    const int32_t g = pick(rng, 1, 3);
    c->in_shape[0][EW_C] = g * pick(rng, 1, 5);
    c->attrs.groups = g;
    c->attrs.out_channels = g * pick(rng, 1, 5);
    c->attrs.has_bias = pick(rng, 0, 1);
    for (int i = 0; i < 2; i++) {
        c->attrs.kernel[i] = pick(rng, 1, 4);
        c->attrs.stride[i] = pick(rng, 1, 4);
        c->attrs.dilation[i] = pick(rng, 1, 2);
        c->attrs.out_pads[i] = pick(rng, 0, c->attrs.stride[i] - 1);
        c->attrs.pads[i] = c->in_shape[0][EW_H + i] > 4 ? pick(rng, 0, 2) : 0;
        c->attrs.pads[i + 2] = c->in_shape[0][EW_H + i] > 4 ? pick(rng, 0, 2) : 0;
    }
}

static void random_function(struct kernel_case *c, struct ew_rng *rng)
{
    const enum ew_op op = c->task.layer.op;
    enum ew_function function;
    do {
        function = (enum ew_function)pick(rng, 0, EW_FUNCTION_COUNT - 1);
    } while (!ew_function_fits(function, op) || function == EW_FUNCTION_UNKNOWN ||
             (op == EW_OP_UNARY && function == EW_FUNCTION_USUAL));
    c->attrs.function = (int32_t)function;
    if (op == EW_OP_SHIFT || op == EW_OP_SCALE) {
        c->attrs.alpha = 0.3f * (float)pick(rng, 1, 5);
        for (int i = 0; i < 3; i++) {
            c->attrs.spans[i] = pick(rng, 0, 1);
        }
    } else if (op == EW_OP_UNARY) {
        c->attrs.alpha = function == EW_FUNCTION_CLIP ? -0.5f : 0.25f * (float)pick(rng, 1, 6);
        c->attrs.beta = 0.75f;
    }
}

static void random_arrangement(struct kernel_case *c, struct ew_rng *rng)
{
    static const int32_t perms[][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                       {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
    memcpy(c->attrs.perm, perms[pick(rng, 0, 5)], sizeof c->attrs.perm);
    for (int i = 0; i < 3 && c->task.layer.op == EW_OP_SLICE; i++) {
        const int32_t size = c->in_shape[0][EW_C + i];
        c->attrs.step[i] = pick(rng, 1, 3);
        c->attrs.begin[i] = pick(rng, 0, size - 1);
        c->attrs.reshape[i] = 1 + pick(rng, 0, (size - 1 - c->attrs.begin[i]) / c->attrs.step[i]);
    }
    if (c->task.layer.op == EW_OP_SHUFFLE) {
        c->attrs.groups = pick(rng, 1, 5);
        c->in_shape[0][EW_C] = c->attrs.groups * pick(rng, 1, 4);
    }
}

static void random_attributes(struct kernel_case *c, struct ew_rng *rng)
{
    switch (c->task.layer.op) {
    case EW_OP_CONV_TRANSPOSE:
        random_conv_transpose(c, rng);
        break;
    case EW_OP_LINEAR:
        c->attrs.out_channels = pick(rng, 1, 150);
        c->attrs.has_bias = pick(rng, 0, 1);
        break;
    case EW_OP_MATMUL:
        c->in_shape[1][EW_H] = c->in_shape[0][EW_W];
        c->in_shape[1][EW_W] = pick(rng, 1, 40);
        c->in_shape[1][EW_C] = pick(rng, 0, 1) ? 1 : c->in_shape[0][EW_C];
        break;
    case EW_OP_UNARY:
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
    case EW_OP_ADD:
    case EW_OP_MUL:
        random_function(c, rng);
        break;
    case EW_OP_RESIZE:
        c->attrs.mode = pick(rng, 0, EW_RESIZE_COUNT - 1);
        c->attrs.reshape[1] = pick(rng, 1, 25);
        c->attrs.reshape[2] = pick(rng, 1, 60);
        break;
    case EW_OP_LAYERNORM:
        c->attrs.axis = pick(rng, EW_C, EW_W);
        c->attrs.is_affine = pick(rng, 0, 1);
        c->in_shape[0][EW_W] += 2; /* of one element nothing would be left */
        break;
    case EW_OP_SOFTMAX:
        c->attrs.axis = pick(rng, 0, EW_W);
        break;
    case EW_OP_TRANSPOSE:
    case EW_OP_SLICE:
    case EW_OP_SHUFFLE:
        random_arrangement(c, rng);
        break;
    case EW_OP_CONV:
        random_conv(c, rng);
        break;
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        random_window(c, rng);
        break;
    case EW_OP_FC:
        c->attrs.out_channels = pick(rng, 1, 150);
        c->attrs.has_bias = pick(rng, 0, 1);
        break;
    case EW_OP_LRN:
        c->attrs.size = pick(rng, 1, 5);
        c->attrs.alpha = 0.01f * (float)pick(rng, 1, 9);
        c->attrs.beta = 0.25f * (float)pick(rng, 1, 4);
        c->attrs.k = (float)pick(rng, 1, 2);
        break;
    case EW_OP_LEAKY_RELU:
        c->attrs.alpha = 0.1f * (float)pick(rng, 0, 5);
        break;
    case EW_OP_HARDSIGMOID:
        c->attrs.alpha = 0.1f * (float)pick(rng, 1, 5);
        break;
    case EW_OP_PAD:
        for (int i = 0; i < 4; i++) {
            c->attrs.pads[i] = pick(rng, 0, 3);
        }
        c->attrs.is_learned = pick(rng, 0, 1);
        if (c->attrs.is_learned) { /* in rows or in columns */
            const int none = pick(rng, 0, 1);
            c->attrs.pads[none] = c->attrs.pads[none + 2] = 0;
            c->attrs.pads[1 - none] += 1;
        }
        c->attrs.alpha = 0.5f * (float)pick(rng, 0, 1);
        break;
    case EW_OP_UPSAMPLE:
        c->attrs.scale[0] = pick(rng, 1, 3);
        c->attrs.scale[1] = pick(rng, 1, 3);
        break;
    case EW_OP_RESHAPE: /* rows and channels trade places */
        c->attrs.reshape[0] = c->in_shape[0][EW_H];
        c->attrs.reshape[1] = c->in_shape[0][EW_C];
        c->attrs.reshape[2] = c->in_shape[0][EW_W];
        break;
    default:
        break;
    }
}

/* Logarithms, roots and quotients keep away from zero. */
static bool is_positive_only(const struct kernel_case *c)
{
    const enum ew_function f = (enum ew_function)c->attrs.function;
    return f == EW_FUNCTION_LOG || f == EW_FUNCTION_SQRT || f == EW_FUNCTION_RECIPROCAL ||
           f == EW_FUNCTION_DIVIDE || f == EW_FUNCTION_DIVIDE_INTO;
}

static void fill_inputs(struct kernel_case *c)
{
    for (uint32_t i = 0; i < c->task.layer.n_inputs; i++) {
        struct ew_box box = ew_box_full(c->in_shape[i]);
        box.hi[EW_N] = c->n_images;
        c->inputs[i].box = box;
        c->inputs[i].values = calloc(ew_tensor_floats(&box), sizeof(float));
        ck_assert_ptr_nonnull(c->inputs[i].values);
        for (uint64_t k = 0; k < ew_box_volume(&box); k++) {
            const float value = 2.0f * ew_random_value(c->seed, 100 + i, k);
            c->inputs[i].values[k] = is_positive_only(c) ? fabsf(value) + 0.1f : value;
        }
    }
}

/* Shapes of further inputs follow from the first one's: equal save along the axis of a concat, or
 * broadcast. */
static void relate_input(struct kernel_case *c, struct ew_rng *rng, uint32_t i)
{
    const bool is_concat = c->task.layer.op == EW_OP_CONCAT;
    if (i == 0) {
        c->attrs.axis = is_concat ? pick(rng, 0, EW_W) : 0;
        return;
    }
    const int axis = c->attrs.axis ? c->attrs.axis : EW_C;
    for (int d = EW_C; d < EW_DIMS; d++) {
        c->in_shape[i][d] = is_concat && d == axis ? c->in_shape[i][d] : c->in_shape[0][d];
    }
    const int32_t form = pick(rng, 0, 5);
    if (is_concat || form > 2) {
        return;
    }
    if (form > 0) { /* one value per channel */
        c->in_shape[i][EW_H] = c->in_shape[i][EW_W] = 1;
    } else { /* any broadcast, from the other side, too */
        c->in_shape[pick(rng, 0, 1) ? i : 0][pick(rng, EW_C, EW_W)] = 1;
    }
}

struct kernel_case *kernel_case_new(uint64_t seed)
{
    struct kernel_case *c = calloc(1, sizeof *c);
    ck_assert_ptr_nonnull(c);
    struct ew_rng rng = ew_rng_make(seed, "kernel_case");
    const enum ew_op op = (enum ew_op)(1 + seed % (CASE_N_OPS - 1)); /* 0 is the input */
    const bool is_pair = op == EW_OP_ADD || op == EW_OP_MUL || op == EW_OP_CONCAT;
    const uint32_t n_inputs = is_pair ? (uint32_t)pick(&rng, 2, 3) : op == EW_OP_MATMUL ? 2 : 1;
    c->seed = seed;
    c->n_images = pick(&rng, 1, 5) == 5 ? pick(&rng, 2, 6) : 1;
    c->task.layer = (struct ew_op_view){op, &c->attrs, n_inputs,
                                        (const int32_t(*)[EW_DIMS])c->in_shape, c->out_shape};
    for (uint32_t i = 0; i < CASE_MAX_INPUTS; i++) {
        const int32_t shape[EW_DIMS] = {1, pick(&rng, 1, 20), pick(&rng, 1, 12), pick(&rng, 1, 37)};
        memcpy(c->in_shape[i], shape, sizeof shape);
        relate_input(c, &rng, i);
    }
    ew_op_default_numbers(&c->attrs, op);
    random_attributes(c, &rng);
    struct ew_error err = {0};
    ck_assert_msg(ew_op_infer_shape(c->out_shape, &c->task.layer, &err) == EW_OK, "seed %llu: %s",
                  (unsigned long long)seed, err.message);
    c->task.channels[1] = c->out_shape[EW_C];
    fill_inputs(c);
    return c;
}

void kernel_case_free(struct kernel_case *c)
{
    for (uint32_t i = 0; i < c->task.layer.n_inputs; i++) {
        free(c->inputs[i].values);
    }
    free(c);
}

static float weight_at(const struct kernel_case *c, enum ew_weight_part part, uint64_t index)
{
    const float value = ew_random_value(c->seed, (uint64_t)part, index);
    return part == EW_WEIGHT_SCALE ? 1.0f + 0.5f * value : value;
}

static enum ew_status read_weights(float *out, const void *self, const struct ew_kernel_task *task,
                                   enum ew_weight_part part, uint64_t first, uint64_t count,
                                   struct ew_error *err)
{
    (void)task;
    (void)err;
    for (uint64_t i = 0; i < count; i++) {
        out[i] = weight_at(self, part, first + i);
    }
    return EW_OK;
}

struct ew_weight_source kernel_case_source(const struct kernel_case *c)
{
    return (struct ew_weight_source){c, read_weights};
}

/* ---- what the definitions say ---- */

struct place {
    int32_t n, c, y, x;
};

static double input_at(const struct kernel_case *c, uint32_t i, struct place p)
{
    return (double)*ew_tensor_at(&c->inputs[i], p.n, p.c, p.y, p.x);
}

static bool is_inside(const int32_t shape[EW_DIMS], struct place p)
{
    return p.y >= 0 && p.y < shape[EW_H] && p.x >= 0 && p.x < shape[EW_W];
}

static double expect_conv(double *size, const struct kernel_case *c,
                          const struct ew_reduction *reduction, struct place p)
{
    const struct ew_op_attrs *a = &c->attrs;
    const int32_t per_group = c->in_shape[0][EW_C] / a->groups;
    const int32_t first = p.c / (c->out_shape[EW_C] / a->groups) * per_group;
    double sum = 0;
    for (int32_t i = 0; i < per_group; i++) {
        if (reduction && (i < reduction->lo || i >= reduction->hi)) {
            continue;
        }
        for (int32_t u = 0; u < a->kernel[0]; u++) {
            for (int32_t v = 0; v < a->kernel[1]; v++) {
                const struct place q = {p.n, first + i,
                                        p.y * a->stride[0] - a->pads[0] + u * a->dilation[0],
                                        p.x * a->stride[1] - a->pads[1] + v * a->dilation[1]};
                if (is_inside(c->in_shape[0], q)) {
                    const int64_t at =
                        (((int64_t)p.c * per_group + i) * a->kernel[0] + u) * a->kernel[1] + v;
                    const double term =
                        (double)weight_at(c, EW_WEIGHT_FILTER, (uint64_t)at) * input_at(c, 0, q);
                    sum += term;
                    *size += fabs(term);
                }
            }
        }
    }
    return sum +
           (a->has_bias && !reduction ? (double)weight_at(c, EW_WEIGHT_BIAS, (uint64_t)p.c) : 0.0);
}

static double expect_fc(double *size, const struct kernel_case *c,
                        const struct ew_reduction *reduction, struct place p)
{
    const int32_t *in = c->in_shape[0];
    const int32_t length = in[EW_C] * in[EW_H] * in[EW_W];
    double sum = 0;
    for (int32_t k = reduction ? reduction->lo : 0; k < (reduction ? reduction->hi : length); k++) {
        const struct place q = {p.n, k / (in[EW_H] * in[EW_W]), k / in[EW_W] % in[EW_H],
                                k % in[EW_W]};
        const double term =
            (double)weight_at(c, EW_WEIGHT_FILTER, (uint64_t)p.c * (uint64_t)length + (uint64_t)k) *
            input_at(c, 0, q);
        sum += term;
        *size += fabs(term);
    }
    return sum + (c->attrs.has_bias && !reduction
                      ? (double)weight_at(c, EW_WEIGHT_BIAS, (uint64_t)p.c)
                      : 0.0);
}

static double expect_pool(double *size, const struct kernel_case *c, struct place p)
{
    const struct ew_op_attrs *a = &c->attrs;
    const bool is_max = c->task.layer.op == EW_OP_MAX_POOL;
    const int32_t *in = c->in_shape[0];
    double sum = 0;
    double max = -INFINITY;
    int32_t n = 0;
    for (int32_t u = 0; u < a->kernel[0]; u++) {
        for (int32_t v = 0; v < a->kernel[1]; v++) {
            const struct place q = {
                p.n, p.c, p.y * a->stride[0] - a->pads[0] + u * (is_max ? a->dilation[0] : 1),
                p.x * a->stride[1] - a->pads[1] + v * (is_max ? a->dilation[1] : 1)};
            const bool is_in = is_inside(in, q);
            const bool is_padded = q.y < in[EW_H] + a->pads[2] && q.x < in[EW_W] + a->pads[3];
            n += is_in || (a->count_include_pad && is_padded) ? 1 : 0;
            if (is_in) {
                const double value = input_at(c, 0, q);
                sum += value;
                max = value > max ? value : max;
                *size += fabs(value);
            }
        }
    }
    return is_max ? max : sum / (n > 0 ? n : 1);
}

static double expect_global_pool(double *size, const struct kernel_case *c, struct place p)
{
    const int32_t *in = c->in_shape[0];
    double sum = 0;
    double max = -INFINITY;
    for (int32_t y = 0; y < in[EW_H]; y++) {
        for (int32_t x = 0; x < in[EW_W]; x++) {
            const double value = input_at(c, 0, (struct place){p.n, p.c, y, x});
            sum += value;
            max = value > max ? value : max;
            *size += fabs(value);
        }
    }
    return c->task.layer.op == EW_OP_GLOBAL_MAX_POOL ? max : sum / (in[EW_H] * in[EW_W]);
}

static double expect_lrn(const struct kernel_case *c, struct place p)
{
    double sum = 0;
    for (int32_t i = p.c - (c->attrs.size - 1) / 2; i <= p.c + c->attrs.size / 2; i++) {
        if (i >= 0 && i < c->out_shape[EW_C]) {
            const double value = input_at(c, 0, (struct place){p.n, i, p.y, p.x});
            sum += value * value;
        }
    }
    return input_at(c, 0, p) /
           pow((double)c->attrs.k + (double)c->attrs.alpha / c->attrs.size * sum,
               (double)c->attrs.beta);
}

static double expect_softmax(const struct kernel_case *c, struct place p)
{
    const int axis = c->attrs.axis ? c->attrs.axis : EW_C;
    double sum = 0;
    for (int32_t i = 0; i < c->out_shape[axis]; i++) {
        const struct place q = {p.n, axis == EW_C ? i : p.c, axis == EW_H ? i : p.y,
                                axis == EW_W ? i : p.x};
        sum += exp(input_at(c, 0, q));
    }
    return exp(input_at(c, 0, p)) / sum;
}

static double expect_layernorm(double *size, const struct kernel_case *c, struct place p)
{
    const int axis = c->attrs.axis;
    double sums[2] = {0, 0}, n = 0;
    for (int32_t ch = axis <= EW_C ? 0 : p.c; ch < (axis <= EW_C ? c->out_shape[EW_C] : p.c + 1);
         ch++) {
        for (int32_t y = axis <= EW_H ? 0 : p.y; y < (axis <= EW_H ? c->out_shape[EW_H] : p.y + 1);
             y++) {
            for (int32_t x = 0; x < c->out_shape[EW_W]; x++, n++) {
                const double value = input_at(c, 0, (struct place){p.n, ch, y, x});
                sums[0] += value;
                sums[1] += value * value;
            }
        }
    }
    const double mean = sums[0] / n, variance = sums[1] / n - mean * mean;
    const double factor = 1 / sqrt(variance + (double)c->attrs.epsilon);
    const int32_t row = axis <= EW_C ? p.c * c->out_shape[EW_H] + p.y : axis <= EW_H ? p.y : 0;
    const uint64_t at = (uint64_t)(row * c->out_shape[EW_W] + p.x);
    const double result = (input_at(c, 0, p) - mean) * factor;
    *size = 4 * factor;
    return c->attrs.is_affine ? result * (double)weight_at(c, EW_WEIGHT_SCALE, at) +
                                    (double)weight_at(c, EW_WEIGHT_SHIFT, at)
                              : result;
}

static double expect_conv_transpose(double *size, const struct kernel_case *c, struct place p)
{
    const struct ew_op_attrs *a = &c->attrs;
    const int32_t in_per_group = c->in_shape[0][EW_C] / a->groups;
    const int32_t per_group = a->out_channels / a->groups;
    const int32_t first = p.c / per_group * in_per_group;
    double sum = a->has_bias ? (double)weight_at(c, EW_WEIGHT_BIAS, (uint64_t)p.c) : 0;
    for (int32_t i = 0; i < in_per_group; i++) {
        for (int32_t y = 0; y < c->in_shape[0][EW_H]; y++) {
            for (int32_t x = 0; x < c->in_shape[0][EW_W]; x++) {
                /* input (y, x) adds to outputs y * stride - pad + u * dilation, ... */
                const int32_t u = p.y + a->pads[0] - y * a->stride[0];
                const int32_t v = p.x + a->pads[1] - x * a->stride[1];
                if (u < 0 || v < 0 || u % a->dilation[0] || v % a->dilation[1] ||
                    u / a->dilation[0] >= a->kernel[0] || v / a->dilation[1] >= a->kernel[1]) {
                    continue;
                }
                const int64_t at =
                    (((int64_t)(first + i) * per_group + p.c % per_group) * a->kernel[0] +
                     u / a->dilation[0]) *
                        a->kernel[1] +
                    v / a->dilation[1];
                const double term = (double)weight_at(c, EW_WEIGHT_FILTER, (uint64_t)at) *
                                    input_at(c, 0, (struct place){p.n, first + i, y, x});
                sum += term;
                *size += fabs(term);
            }
        }
    }
    return sum;
}

static double expect_product(double *size, const struct kernel_case *c, struct place p)
{
    const bool is_linear = c->task.layer.op == EW_OP_LINEAR;
    const int32_t n_k = c->in_shape[0][EW_W];
    double sum =
        is_linear && c->attrs.has_bias ? (double)weight_at(c, EW_WEIGHT_BIAS, (uint64_t)p.x) : 0;
    for (int32_t k = 0; k < n_k; k++) {
        const double left = input_at(c, 0, (struct place){p.n, p.c, p.y, k});
        const double right =
            is_linear
                ? (double)weight_at(c, EW_WEIGHT_FILTER, (uint64_t)(p.x * n_k + k))
                : input_at(c, 1, (struct place){p.n, c->in_shape[1][EW_C] == 1 ? 0 : p.c, k, p.x});
        sum += left * right;
        *size += fabs(left * right);
    }
    return sum;
}

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
                             : (double)weight_at(c, EW_WEIGHT_VALUE, (uint64_t)at));
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
    return (double)weight_at(c, EW_WEIGHT_VALUE, (uint64_t)(before + index));
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
        return x * (double)weight_at(c, EW_WEIGHT_SCALE, (uint64_t)p.c) +
               (double)weight_at(c, EW_WEIGHT_SHIFT, (uint64_t)p.c);
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

/* ---- running kernels ---- */

static struct ew_tensor cut(const struct ew_tensor *whole, const struct ew_box *box)
{
    struct ew_tensor part = {calloc(ew_tensor_floats(box), sizeof(float)), *box};
    ck_assert_ptr_nonnull(part.values);
    float *to = part.values;
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                const size_t width = (size_t)ew_box_extent(box, EW_W);
                memcpy(to, ew_tensor_at(whole, n, c, y, box->lo[EW_W]), width * sizeof *to);
                to += width;
            }
        }
    }
    return part;
}

struct ew_tensor kernel_case_run(const struct kernel_case *c, const struct ew_kernels *kernels,
                                 const struct ew_box *box, const struct ew_reduction *reduction)
{
    struct ew_error err = {0};
    struct ew_kernel_task task = c->task;
    task.channels[0] = box->lo[EW_C];
    task.channels[1] = box->hi[EW_C];
    task.reduction = reduction;
    struct ew_tensor inputs[CASE_MAX_INPUTS] = {{0}};
    for (uint32_t i = 0; i < task.layer.n_inputs; i++) {
        const struct ew_box need = ew_op_input_box(&task.layer, i, box, reduction);
        if (!ew_box_is_empty(&need)) {
            inputs[i] = cut(&c->inputs[i], &need);
        }
    }
    struct ew_tensor out = {calloc(ew_tensor_floats(box), sizeof(float)), *box};
    ck_assert_ptr_nonnull(out.values);
    struct ew_kernel_weights *weights = NULL;
    struct ew_kernel_scratch scratch = {0};
    const struct ew_weight_source source = kernel_case_source(c);
    enum ew_status status = kernels->prepare(&weights, kernels, &task, &source, &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    status = kernels->run(&out, kernels, &task, weights, inputs, &scratch, &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    kernels->release(weights);
    ew_kernel_scratch_fini(&scratch);
    for (uint32_t i = 0; i < task.layer.n_inputs; i++) {
        free(inputs[i].values);
    }
    return out;
}

struct ew_box kernel_case_part(const struct kernel_case *c, struct ew_rng *rng)
{
    struct ew_box box = ew_box_full(c->out_shape);
    box.hi[EW_N] = c->n_images;
    for (int d = 0; d < EW_DIMS; d++) {
        box.lo[d] = pick(rng, 0, box.hi[d] - 1);
        box.hi[d] = pick(rng, box.lo[d] + 1, box.hi[d]);
    }
    return box;
}
