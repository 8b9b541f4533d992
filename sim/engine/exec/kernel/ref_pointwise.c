/*
 * Ops whose output position reads the same position: activations, batchnorm, sums and products of
 * tensors and with constants.
 */
#include <stdlib.h>
#include <string.h>

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

static enum ew_ref_map function_map(enum ew_function function)
{
    static const enum ew_ref_map maps[EW_FUNCTION_COUNT] = {
        [EW_FUNCTION_IDENTITY] = EW_REF_COPY,
        [EW_FUNCTION_ABS] = EW_REF_ABS,
        [EW_FUNCTION_NEG] = EW_REF_NEG,
        [EW_FUNCTION_SIGN] = EW_REF_SIGN,
        [EW_FUNCTION_FLOOR] = EW_REF_FLOOR,
        [EW_FUNCTION_CEIL] = EW_REF_CEIL,
        [EW_FUNCTION_ROUND] = EW_REF_ROUND,
        [EW_FUNCTION_SQRT] = EW_REF_SQRT,
        [EW_FUNCTION_RECIPROCAL] = EW_REF_RECIPROCAL,
        [EW_FUNCTION_EXP] = EW_REF_EXP,
        [EW_FUNCTION_LOG] = EW_REF_LOG,
        [EW_FUNCTION_ERF] = EW_REF_ERF,
        [EW_FUNCTION_SQUARE] = EW_REF_SQUARE,
        [EW_FUNCTION_SOFTSIGN] = EW_REF_SOFTSIGN,
        [EW_FUNCTION_SOFTPLUS] = EW_REF_SOFTPLUS,
        [EW_FUNCTION_MISH] = EW_REF_MISH,
        [EW_FUNCTION_CLIP] = EW_REF_CLIP,
        [EW_FUNCTION_THRESHOLD] = EW_REF_THRESHOLD,
        [EW_FUNCTION_ELU] = EW_REF_ELU,
        [EW_FUNCTION_CELU] = EW_REF_CELU,
        [EW_FUNCTION_SELU] = EW_REF_SELU,
    };
    return maps[function];
}

static enum ew_ref_map map_of(const struct ew_op_view *layer)
{
    switch (layer->op) {
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
    case EW_OP_GELU:
        return EW_REF_GELU;
    case EW_OP_UNARY:
        return function_map((enum ew_function)layer->attrs->function);
    default:
        return EW_REF_RELU;
    }
}

enum ew_status ew_ref_run_map(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const enum ew_ref_map fn = map_of(&call->task->layer);
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

/* Sums and products of tensors of one shape, or with one value per channel. */
static enum ew_status run_plain_pairwise(const struct ew_ref_call *call)
{
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

/* ---- any broadcast, any function ---- */

static void apply_pair(const struct ew_ref_isa *isa, const struct ew_op_view *layer, float *out,
                       const float *x, const float *y, size_t n)
{
    const bool is_sum = layer->op == EW_OP_ADD || layer->op == EW_OP_SHIFT;
    switch ((enum ew_function)layer->attrs->function) {
    case EW_FUNCTION_SUBTRACT:
        isa->sub(out, x, y, n);
        break;
    case EW_FUNCTION_SUBTRACT_FROM:
        isa->sub(out, y, x, n);
        break;
    case EW_FUNCTION_MAX:
        isa->max(out, x, y, n);
        break;
    case EW_FUNCTION_MIN:
        isa->min(out, x, y, n);
        break;
    case EW_FUNCTION_DIVIDE:
        isa->div(out, x, y, n);
        break;
    case EW_FUNCTION_DIVIDE_INTO:
        isa->div(out, y, x, n);
        break;
    case EW_FUNCTION_PRELU:
        isa->prelu(out, x, y, n);
        break;
    default:
        (is_sum ? isa->add : isa->mul)(out, x, y, n);
        break;
    }
}

/* The row of operand `t` of whole shape `shape` behind an output row; a single column is spread
 * into `spread`. */
static const float *operand_row(const struct ew_ref_call *call, const struct ew_tensor *t,
                                const int32_t shape[EW_DIMS], struct row at, float *spread)
{
    const struct ew_box *box = &call->out->box;
    const bool is_column = shape[EW_W] == 1 && call->task->layer.out_shape[EW_W] != 1;
    const float *from = ew_tensor_at(t, at.n, shape[EW_C] == 1 ? 0 : at.c,
                                     shape[EW_H] == 1 ? 0 : at.y, is_column ? 0 : box->lo[EW_W]);
    if (!is_column) {
        return from;
    }
    for (size_t k = 0; k < row_floats(box); k++) {
        spread[k] = *from;
    }
    return spread;
}

static bool next_row(struct row *at, const struct ew_box *box)
{
    if (++at->y >= box->hi[EW_H]) {
        at->y = box->lo[EW_H];
        if (++at->c >= box->hi[EW_C]) {
            at->c = box->lo[EW_C];
            at->n++;
        }
    }
    return at->n < box->hi[EW_N];
}

static enum ew_status run_rowwise(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_op_view *layer = &call->task->layer;
    const struct ew_box *box = &call->out->box;
    const size_t n = row_floats(box);
    float *spread = ew_kernel_scratch_reserve(call->scratch, 2 * n);
    if (!spread) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a row");
    }
    struct row at = {box->lo[EW_N], box->lo[EW_C], box->lo[EW_H]};
    do {
        float *out = ew_tensor_at(call->out, at.n, at.c, at.y, box->lo[EW_W]);
        const float *left = operand_row(call, &call->inputs[0], layer->in_shape[0], at, spread);
        for (uint32_t i = 1; i < layer->n_inputs; i++) {
            apply_pair(call->isa, layer, out, left,
                       operand_row(call, &call->inputs[i], layer->in_shape[i], at, spread + n), n);
            left = out;
        }
    } while (next_row(&at, box));
    return EW_OK;
}

enum ew_status ew_ref_run_pairwise(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_op_view *layer = &call->task->layer;
    bool is_plain = layer->attrs->function == EW_FUNCTION_USUAL;
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        const int32_t *in = layer->in_shape[i], *out = layer->out_shape;
        const bool is_gate = in[EW_H] == 1 && in[EW_W] == 1;
        const bool is_same = in[EW_H] == out[EW_H] && in[EW_W] == out[EW_W];
        is_plain = is_plain && in[EW_C] == out[EW_C] && (is_gate || is_same);
    }
    return is_plain ? run_plain_pairwise(call) : run_rowwise(call, err);
}

/* ---- with a constant ---- */

enum ew_status ew_ref_run_constant(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_op_view *layer = &call->task->layer;
    const struct ew_box *box = &call->out->box;
    const bool *spans = layer->attrs->spans;
    const size_t n = row_floats(box);
    const size_t columns = spans[2] ? (size_t)layer->out_shape[EW_W] : 1;
    const size_t rows = spans[1] ? (size_t)layer->out_shape[EW_H] : 1;
    float *spread = ew_kernel_scratch_reserve(call->scratch, n);
    if (!spread) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a row");
    }
    struct row at = {box->lo[EW_N], box->lo[EW_C], box->lo[EW_H]};
    do {
        const size_t c = spans[0] ? (size_t)at.c : 0, y = spans[1] ? (size_t)at.y : 0;
        const float *values =
            call->weights ? call->weights->filter + (c * rows + y) * columns : &layer->attrs->alpha;
        const float *row = spread;
        if (spans[2]) {
            row = values + box->lo[EW_W];
        } else {
            for (size_t k = 0; k < n; k++) {
                spread[k] = *values;
            }
        }
        apply_pair(call->isa, layer, ew_tensor_at(call->out, at.n, at.c, at.y, box->lo[EW_W]),
                   ew_tensor_at(&call->inputs[0], at.n, at.c, at.y, box->lo[EW_W]), row, n);
    } while (next_row(&at, box));
    return EW_OK;
}
