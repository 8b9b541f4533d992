/*
 * Ops whose output position reads the same position: activations, batchnorm, sums and products,
 * and the two norms over channels.
 */
#include <math.h>

#include "engine/exec/kernel/reference.h"

/* Rows of the output box, and where the same row lies in an input. */
struct row {
    int32_t n, c, y;
};

static size_t row_floats(const struct ew_box *box)
{
    return (size_t)ew_box_extent(box, EW_W);
}

/* True when the planes of both boxes lie alike, so that a whole plane is one run. */
static bool same_plane(const struct ew_box *a, const struct ew_box *b)
{
    return a->lo[EW_H] == b->lo[EW_H] && a->hi[EW_H] == b->hi[EW_H] && a->lo[EW_W] == b->lo[EW_W] &&
           a->hi[EW_W] == b->hi[EW_W];
}

/* Visit the output in the longest runs that are contiguous in all inputs too. */
struct runs {
    const struct ew_ref_call *call;
    size_t n;     /* floats per run */
    int32_t step; /* rows per run */
    struct row at;
    bool is_begun;
};

static struct runs runs_begin(const struct ew_ref_call *call)
{
    const struct ew_box *box = &call->out->box;
    struct runs runs = {.call = call, .n = row_floats(box), .step = 1};
    bool is_plane = true;
    for (uint32_t i = 0; i < call->task->layer.n_inputs; i++) {
        const int32_t *shape = call->task->layer.in_shape[i];
        const bool is_scalar = shape[EW_H] == 1 && shape[EW_W] == 1;
        is_plane = is_plane && (is_scalar || same_plane(&call->inputs[i].box, box));
    }
    if (is_plane) {
        runs.step = ew_box_extent(box, EW_H);
        runs.n *= (size_t)runs.step;
    }
    runs.at = (struct row){box->lo[EW_N], box->lo[EW_C], box->lo[EW_H]};
    return runs;
}

static bool runs_next(struct runs *runs)
{
    const struct ew_box *box = &runs->call->out->box;
    if (!runs->is_begun) {
        runs->is_begun = true;
        return true;
    }
    runs->at.y += runs->step;
    if (runs->at.y >= box->hi[EW_H]) {
        runs->at.y = box->lo[EW_H];
        runs->at.c++;
    }
    if (runs->at.c >= box->hi[EW_C]) {
        runs->at.c = box->lo[EW_C];
        runs->at.n++;
    }
    return runs->at.n < box->hi[EW_N];
}

static float *run_out(const struct runs *runs)
{
    return ew_tensor_at(runs->call->out, runs->at.n, runs->at.c, runs->at.y,
                        runs->call->out->box.lo[EW_W]);
}

static const float *run_in(const struct runs *runs, uint32_t i)
{
    return ew_tensor_at(&runs->call->inputs[i], runs->at.n, runs->at.c, runs->at.y,
                        runs->call->out->box.lo[EW_W]);
}

static enum ew_ref_map map_of(enum ew_op op)
{
    switch (op) {
    case EW_OP_RELU6:
        return EW_REF_RELU6;
    case EW_OP_LEAKY_RELU:
        return EW_REF_LEAKY_RELU;
    case EW_OP_SIGMOID:
        return EW_REF_SIGMOID;
    case EW_OP_SILU:
        return EW_REF_SILU;
    case EW_OP_HARDSWISH:
        return EW_REF_HARDSWISH;
    case EW_OP_HARDSIGMOID:
        return EW_REF_HARDSIGMOID;
    case EW_OP_TANH:
        return EW_REF_TANH;
    default:
        return EW_REF_RELU;
    }
}

enum ew_status ew_ref_run_map(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const enum ew_ref_map fn = map_of(call->task->layer.op);
    const struct ew_op_attrs *a = call->task->layer.attrs;
    for (struct runs runs = runs_begin(call); runs_next(&runs);) {
        call->isa->map(fn, run_out(&runs), run_in(&runs, 0), runs.n, a->alpha, a->beta);
    }
    return EW_OK;
}

enum ew_status ew_ref_run_batchnorm(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const int32_t first = call->task->channels[0];
    for (struct runs runs = runs_begin(call); runs_next(&runs);) {
        const size_t c = (size_t)(runs.at.c - first);
        call->isa->map(EW_REF_AFFINE, run_out(&runs), run_in(&runs, 0), runs.n,
                       call->weights->filter[c], call->weights->bias[c]);
    }
    return EW_OK;
}

enum ew_status ew_ref_run_pairwise(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_op_view *layer = &call->task->layer;
    const bool is_add = layer->op == EW_OP_ADD;
    for (struct runs runs = runs_begin(call); runs_next(&runs);) {
        float *out = run_out(&runs);
        const float *left = NULL;
        for (uint32_t i = 0; i < layer->n_inputs; i++) {
            const int32_t *shape = layer->in_shape[i];
            const bool is_scalar = shape[EW_H] == 1 && shape[EW_W] == 1 &&
                                   (layer->out_shape[EW_H] != 1 || layer->out_shape[EW_W] != 1);
            if (is_scalar) {
                const float value = *ew_tensor_at(&call->inputs[i], runs.at.n, runs.at.c, 0, 0);
                if (left) {
                    call->isa->map(is_add ? EW_REF_OFFSET : EW_REF_SCALE, out, left, runs.n, value,
                                   0.0f);
                } else { /* a per-channel first operand: start from it */
                    for (size_t k = 0; k < runs.n; k++) {
                        out[k] = value;
                    }
                }
                left = out;
            } else if (!left) {
                left = run_in(&runs, i);
            } else {
                (is_add ? call->isa->add : call->isa->mul)(out, left, run_in(&runs, i), runs.n);
                left = out;
            }
        }
        if (left != out) {
            for (size_t k = 0; k < runs.n; k++) {
                out[k] = left[k];
            }
        }
    }
    return EW_OK;
}

/* t^beta for t >= 0: the usual exponents by square roots, which are exact everywhere. */
static float power(float t, float beta)
{
    return beta == 0.75f ? sqrtf(t) * sqrtf(sqrtf(t)) : beta == 0.5f ? sqrtf(t) : powf(t, beta);
}

/* y = x / (k + alpha / size * sum of squares over the channels around)^beta. */
enum ew_status ew_ref_run_lrn(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_op_view *layer = &call->task->layer;
    const int32_t size = layer->attrs->size;
    const float scale = layer->attrs->alpha / (float)size;
    for (struct runs runs = runs_begin(call); runs_next(&runs);) {
        const int32_t c = runs.at.c;
        const int32_t lo = c - (size - 1) / 2 > 0 ? c - (size - 1) / 2 : 0;
        const int32_t last = c + size / 2;
        const int32_t hi = last < layer->out_shape[EW_C] - 1 ? last : layer->out_shape[EW_C] - 1;
        float *out = run_out(&runs);
        const int32_t x0 = call->out->box.lo[EW_W];
        for (size_t k = 0; k < runs.n; k++) {
            out[k] = 0.0f;
        }
        for (int32_t i = lo; i <= hi; i++) {
            const float *x = ew_tensor_at(&call->inputs[0], runs.at.n, i, runs.at.y, x0);
            for (size_t k = 0; k < runs.n; k++) {
                out[k] += x[k] * x[k];
            }
        }
        const float *x = run_in(&runs, 0);
        for (size_t k = 0; k < runs.n; k++) {
            out[k] = x[k] / power(layer->attrs->k + scale * out[k], layer->attrs->beta);
        }
    }
    return EW_OK;
}

/* exp(x - max) / sum over channels, in channel order, for every position. */
enum ew_status ew_ref_run_softmax(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_ref_isa *isa = call->isa;
    const int32_t n_channels = call->task->layer.in_shape[0][EW_C];
    const size_t n = row_floats(box);
    const size_t pitch = (n + 15) / 16 * 16;
    float *max = ew_kernel_scratch_reserve(call->scratch, pitch * ((size_t)n_channels + 2));
    if (!max) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a softmax");
    }
    float *sum = max + pitch;
    float *e = sum + pitch;
    const struct ew_tensor *in = &call->inputs[0];
    const int32_t x0 = box->lo[EW_W];
    for (int32_t image = box->lo[EW_N]; image < box->hi[EW_N]; image++) {
        for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
            for (size_t k = 0; k < n; k++) {
                max[k] = -INFINITY;
                sum[k] = 0.0f;
            }
            for (int32_t c = 0; c < n_channels; c++) {
                isa->max(max, max, ew_tensor_at(in, image, c, y, x0), n);
            }
            for (int32_t c = 0; c < n_channels; c++) {
                const float *x = ew_tensor_at(in, image, c, y, x0);
                float *to = e + (size_t)c * pitch;
                for (size_t k = 0; k < n; k++) {
                    to[k] = x[k] - max[k];
                }
                isa->map(EW_REF_EXP, to, to, n, 0.0f, 0.0f);
                isa->add(sum, sum, to, n);
            }
            for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
                isa->div(ew_tensor_at(call->out, image, c, y, x0), e + (size_t)c * pitch, sum, n);
            }
        }
    }
    return EW_OK;
}
