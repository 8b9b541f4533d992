/*
 * Ops that look along a dimension: local response normalisation, softmax, layer normalisation.
 */
#include <math.h>

#include "engine/exec/kernel/reference.h"

static size_t row_floats(const struct ew_box *box)
{
    return (size_t)ew_box_extent(box, EW_W);
}

/* ---- lrn ---- */

/* out = out^beta for out > 0: the usual exponents by square roots, which are exact everywhere. */
static void raise_row(const struct ew_ref_isa *isa, float *out, size_t n, float beta)
{
    if (beta == 0.75f || beta == 0.5f) {
        for (size_t k = 0; k < n; k++) {
            const float root = sqrtf(out[k]);
            out[k] = beta == 0.5f ? root : root * sqrtf(root);
        }
    } else if (beta == 0.0f) { /* also of 0, which has no logarithm */
        for (size_t k = 0; k < n; k++) {
            out[k] = 1.0f;
        }
    } else if (beta != 1.0f) {
        isa->map(EW_REF_LOG, out, out, n, 0.0f, 0.0f);
        isa->map(EW_REF_SCALE, out, out, n, beta, 0.0f);
        isa->map(EW_REF_EXP, out, out, n, 0.0f, 0.0f);
    }
}

static void lrn_row(const struct ew_ref_call *call, int32_t n, int32_t c, int32_t y)
{
    const struct ew_op_attrs *a = call->task->layer.attrs;
    const struct ew_box *box = &call->out->box;
    const int32_t n_channels = call->task->layer.out_shape[EW_C];
    const int32_t x0 = box->lo[EW_W];
    const size_t width = row_floats(box);
    const float scale = a->alpha / (float)a->size;
    const int32_t lo = c - (a->size - 1) / 2 > 0 ? c - (a->size - 1) / 2 : 0;
    const int32_t hi = c + a->size / 2 < n_channels - 1 ? c + a->size / 2 : n_channels - 1;
    float *out = ew_tensor_at(call->out, n, c, y, x0);
    for (size_t k = 0; k < width; k++) {
        out[k] = 0.0f;
    }
    for (int32_t i = lo; i <= hi; i++) {
        const float *x = ew_tensor_at(&call->inputs[0], n, i, y, x0);
        for (size_t k = 0; k < width; k++) {
            out[k] += x[k] * x[k];
        }
    }
    for (size_t k = 0; k < width; k++) {
        out[k] = a->k + scale * out[k];
    }
    raise_row(call->isa, out, width, a->beta);
    call->isa->div(out, ew_tensor_at(&call->inputs[0], n, c, y, x0), out, width);
}

/* y = x / (k + alpha / size * sum of squares over the channels around)^beta. */
enum ew_status ew_ref_run_lrn(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_box *box = &call->out->box;
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                lrn_row(call, n, c, y);
            }
        }
    }
    return EW_OK;
}

/* ---- softmax ---- */

/* Working memory: rows of one position, all along the axis. */
struct softmax {
    const struct ew_ref_call *call;
    int axis;
    size_t pitch;
    float *max;
    float *sum;
    float *e;
};

/* Row of tensor `t` at step `i` of the axis, for the position `other` in the remaining dimension.
 */
static float *softmax_row(const struct softmax *s, const struct ew_tensor *t, int32_t n,
                          int32_t other, int32_t i)
{
    const int32_t x0 = s->call->out->box.lo[EW_W];
    return s->axis == EW_C ? ew_tensor_at(t, n, i, other, x0) : ew_tensor_at(t, n, other, i, x0);
}

/* Along channels or rows, a row of columns at a time, in the order of the axis. */
static void softmax_across(const struct softmax *s, int32_t n, int32_t other)
{
    const struct ew_ref_isa *isa = s->call->isa;
    const struct ew_box *box = &s->call->out->box;
    const size_t width = row_floats(box);
    const int32_t length = s->call->task->layer.in_shape[0][s->axis];
    for (size_t k = 0; k < width; k++) {
        s->max[k] = -INFINITY;
        s->sum[k] = 0.0f;
    }
    for (int32_t i = 0; i < length; i++) {
        isa->max(s->max, s->max, softmax_row(s, &s->call->inputs[0], n, other, i), width);
    }
    for (int32_t i = 0; i < length; i++) {
        float *to = s->e + (size_t)i * s->pitch;
        isa->sub(to, softmax_row(s, &s->call->inputs[0], n, other, i), s->max, width);
        isa->map(EW_REF_EXP, to, to, width, 0.0f, 0.0f);
        isa->add(s->sum, s->sum, to, width);
    }
    for (int32_t i = box->lo[s->axis]; i < box->hi[s->axis]; i++) {
        isa->div(softmax_row(s, s->call->out, n, other, i), s->e + (size_t)i * s->pitch, s->sum,
                 width);
    }
}

/* Along columns. */
static void softmax_along(const struct softmax *s, int32_t n, int32_t c, int32_t y)
{
    const struct ew_box *box = &s->call->out->box;
    const size_t length = (size_t)s->call->task->layer.in_shape[0][EW_W];
    const float *x = ew_tensor_at(&s->call->inputs[0], n, c, y, 0);
    float max = -INFINITY, sum = 0.0f;
    for (size_t k = 0; k < length; k++) {
        max = x[k] > max ? x[k] : max;
    }
    for (size_t k = 0; k < length; k++) {
        s->e[k] = x[k] - max;
    }
    s->call->isa->map(EW_REF_EXP, s->e, s->e, length, 0.0f, 0.0f);
    for (size_t k = 0; k < length; k++) {
        sum += s->e[k];
    }
    float *out = ew_tensor_at(s->call->out, n, c, y, box->lo[EW_W]);
    for (int32_t k = box->lo[EW_W]; k < box->hi[EW_W]; k++) {
        *out++ = s->e[k] / sum;
    }
}

/* exp(x - max) / sum along the axis. */
enum ew_status ew_ref_run_softmax(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_op_attrs *a = call->task->layer.attrs;
    struct softmax s = {.call = call, .axis = a->axis ? a->axis : EW_C};
    const size_t length = (size_t)call->task->layer.in_shape[0][s.axis];
    s.pitch = (row_floats(box) + 15) / 16 * 16;
    s.max = ew_kernel_scratch_reserve(call->scratch, s.axis == EW_W ? length + 2 * s.pitch
                                                                    : s.pitch * (length + 2));
    if (!s.max) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a softmax");
    }
    s.sum = s.max + s.pitch;
    s.e = s.sum + s.pitch;
    const enum ew_dim other = s.axis == EW_C ? EW_H : EW_C;
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t i = box->lo[other]; i < box->hi[other]; i++) {
            if (s.axis != EW_W) {
                softmax_across(&s, n, i);
                continue;
            }
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                softmax_along(&s, n, i, y);
            }
        }
    }
    return EW_OK;
}

/* ---- layernorm ---- */

/* Mean and 1 / sqrt(variance + epsilon) of the elements that [c, y] is normalised with. */
struct moments {
    float mean;
    float factor;
};

static double sum_over(const struct ew_ref_call *call, int32_t n, const int32_t lo[EW_DIMS],
                       const int32_t hi[EW_DIMS], double mean, bool is_squared)
{
    double sum = 0;
    for (int32_t c = lo[EW_C]; c < hi[EW_C]; c++) {
        for (int32_t y = lo[EW_H]; y < hi[EW_H]; y++) {
            const float *x = ew_tensor_at(&call->inputs[0], n, c, y, 0);
            for (int32_t k = 0; k < hi[EW_W]; k++) {
                const double d = (double)x[k] - mean;
                sum += is_squared ? d * d : d;
            }
        }
    }
    return sum;
}

static struct moments moments_of(const struct ew_ref_call *call, int32_t n, int32_t c, int32_t y)
{
    const int32_t *shape = call->task->layer.out_shape;
    const int axis = call->task->layer.attrs->axis;
    const int32_t lo[EW_DIMS] = {0, axis <= EW_C ? 0 : c, axis <= EW_H ? 0 : y, 0};
    const int32_t hi[EW_DIMS] = {0, axis <= EW_C ? shape[EW_C] : c + 1,
                                 axis <= EW_H ? shape[EW_H] : y + 1, shape[EW_W]};
    const double count = (double)(hi[EW_C] - lo[EW_C]) * (hi[EW_H] - lo[EW_H]) * hi[EW_W];
    const double mean = sum_over(call, n, lo, hi, 0, false) / count;
    const double variance = sum_over(call, n, lo, hi, mean, true) / count;
    return (struct moments){(float)mean,
                            (float)(1 / sqrt(variance + (double)call->task->layer.attrs->epsilon))};
}

static void normalise_row(const struct ew_ref_call *call, int32_t n, int32_t c, int32_t y,
                          struct moments m)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_ref_isa *isa = call->isa;
    const int32_t *shape = call->task->layer.out_shape;
    const int axis = call->task->layer.attrs->axis;
    const size_t width = row_floats(box);
    float *out = ew_tensor_at(call->out, n, c, y, box->lo[EW_W]);
    isa->map(EW_REF_OFFSET, out, ew_tensor_at(&call->inputs[0], n, c, y, box->lo[EW_W]), width,
             -m.mean, 0.0f);
    isa->map(EW_REF_SCALE, out, out, width, m.factor, 0.0f);
    if (call->weights) {
        const size_t row = axis <= EW_C   ? (size_t)c * (size_t)shape[EW_H] + (size_t)y
                           : axis <= EW_H ? (size_t)y
                                          : 0;
        const size_t at = row * (size_t)shape[EW_W] + (size_t)box->lo[EW_W];
        isa->mul(out, out, call->weights->filter + at, width);
        isa->add(out, out, call->weights->bias + at, width);
    }
}

enum ew_status ew_ref_run_layernorm(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_box *box = &call->out->box;
    const int axis = call->task->layer.attrs->axis;
    struct moments m = {0};
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                const bool is_first_row = y == box->lo[EW_H];
                const bool is_first = is_first_row && c == box->lo[EW_C];
                if (axis == EW_W || (axis == EW_H && is_first_row) || is_first) {
                    m = moments_of(call, n, c, y);
                }
                normalise_row(call, n, c, y, m);
            }
        }
    }
    return EW_OK;
}
