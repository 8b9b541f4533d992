#include "support/kernel_expect.h"

#include <math.h>

double expect_conv(double *size, const struct kernel_case *c, const struct ew_reduction *reduction,
                   struct place p)
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
                        (double)kernel_case_weight(c, EW_WEIGHT_FILTER, (uint64_t)at) *
                        input_at(c, 0, q);
                    sum += term;
                    *size += fabs(term);
                }
            }
        }
    }
    return sum + (a->has_bias && !reduction
                      ? (double)kernel_case_weight(c, EW_WEIGHT_BIAS, (uint64_t)p.c)
                      : 0.0);
}

double expect_fc(double *size, const struct kernel_case *c, const struct ew_reduction *reduction,
                 struct place p)
{
    const int32_t *in = c->in_shape[0];
    const int32_t length = in[EW_C] * in[EW_H] * in[EW_W];
    double sum = 0;
    for (int32_t k = reduction ? reduction->lo : 0; k < (reduction ? reduction->hi : length); k++) {
        const struct place q = {p.n, k / (in[EW_H] * in[EW_W]), k / in[EW_W] % in[EW_H],
                                k % in[EW_W]};
        const double term =
            (double)kernel_case_weight(c, EW_WEIGHT_FILTER,
                                       (uint64_t)p.c * (uint64_t)length + (uint64_t)k) *
            input_at(c, 0, q);
        sum += term;
        *size += fabs(term);
    }
    return sum + (c->attrs.has_bias && !reduction
                      ? (double)kernel_case_weight(c, EW_WEIGHT_BIAS, (uint64_t)p.c)
                      : 0.0);
}

double expect_pool(double *size, const struct kernel_case *c, struct place p)
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

double expect_global_pool(double *size, const struct kernel_case *c, struct place p)
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

double expect_lrn(const struct kernel_case *c, struct place p)
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

double expect_softmax(const struct kernel_case *c, struct place p)
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

double expect_layernorm(double *size, const struct kernel_case *c, struct place p)
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
    return c->attrs.is_affine ? result * (double)kernel_case_weight(c, EW_WEIGHT_SCALE, at) +
                                    (double)kernel_case_weight(c, EW_WEIGHT_SHIFT, at)
                              : result;
}

double expect_conv_transpose(double *size, const struct kernel_case *c, struct place p)
{
    const struct ew_op_attrs *a = &c->attrs;
    const int32_t in_per_group = c->in_shape[0][EW_C] / a->groups;
    const int32_t per_group = a->out_channels / a->groups;
    const int32_t first = p.c / per_group * in_per_group;
    double sum = a->has_bias ? (double)kernel_case_weight(c, EW_WEIGHT_BIAS, (uint64_t)p.c) : 0;
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
                const double term = (double)kernel_case_weight(c, EW_WEIGHT_FILTER, (uint64_t)at) *
                                    input_at(c, 0, (struct place){p.n, first + i, y, x});
                sum += term;
                *size += fabs(term);
            }
        }
    }
    return sum;
}

double expect_product(double *size, const struct kernel_case *c, struct place p)
{
    const bool is_linear = c->task.layer.op == EW_OP_LINEAR;
    const int32_t n_k = c->in_shape[0][EW_W];
    double sum = is_linear && c->attrs.has_bias
                     ? (double)kernel_case_weight(c, EW_WEIGHT_BIAS, (uint64_t)p.x)
                     : 0;
    for (int32_t k = 0; k < n_k; k++) {
        const double left = input_at(c, 0, (struct place){p.n, p.c, p.y, k});
        const double right =
            is_linear
                ? (double)kernel_case_weight(c, EW_WEIGHT_FILTER, (uint64_t)(p.x * n_k + k))
                : input_at(c, 1, (struct place){p.n, c->in_shape[1][EW_C] == 1 ? 0 : p.c, k, p.x});
        sum += left * right;
        *size += fabs(left * right);
    }
    return sum;
}
