/*
 * Matrix products of transformers and transposed convolutions. Every output element is made of
 * fused multiply-adds, its terms in the order of the inner dimension (input channel, kernel row,
 * kernel column).
 */
#include <stdlib.h>
#include <string.h>

#include "engine/exec/kernel/reference.h"

static size_t round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

/* ---- linear ---- */

/* All columns, in panels of the fc loop: [panel][k][width]. */
enum ew_status ew_ref_prepare_linear(struct ew_kernel_weights *weights,
                                     const struct ew_ref_isa *isa,
                                     const struct ew_kernel_task *task,
                                     const struct ew_weight_source *source, struct ew_error *err)
{
    const uint32_t width = isa->fc_width;
    const uint64_t n_out = (uint64_t)task->layer.attrs->out_channels;
    const uint32_t n_k = (uint32_t)task->layer.in_shape[0][EW_W];
    const size_t n_padded = round_up(n_out, width);
    const bool has_bias = task->layer.attrs->has_bias;
    weights->form = EW_REF_FC;
    weights->n_k = n_k;
    weights->n_filter = n_padded * n_k;
    weights->filter = calloc(weights->n_filter + EW_KERNEL_SLACK, sizeof *weights->filter);
    weights->bias = has_bias ? calloc(n_padded + EW_KERNEL_SLACK, sizeof *weights->bias) : NULL;
    float *row = malloc(((size_t)n_k + 1) * sizeof *row);
    enum ew_status status = EW_OK;
    if (!row || !weights->filter || (has_bias && !weights->bias)) {
        status = ew_fail(err, EW_ENOMEM, "out of memory for %zu weights", weights->n_filter);
    }
    for (uint64_t m = 0; m < n_out && status == EW_OK; m++) {
        float *panel = weights->filter + (size_t)(m - m % width) * n_k + m % width;
        status = source->read(row, source->self, task, EW_WEIGHT_FILTER, m * n_k, n_k, err);
        for (uint32_t k = 0; status == EW_OK && k < n_k; k++) {
            panel[(size_t)k * width] = row[k];
        }
    }
    if (status == EW_OK && has_bias) {
        status = source->read(weights->bias, source->self, task, EW_WEIGHT_BIAS, 0, n_out, err);
    }
    free(row);
    return status;
}

enum ew_status ew_ref_run_linear(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_kernel_weights *w = call->weights;
    const size_t width = call->isa->fc_width;
    const size_t first = (size_t)box->lo[EW_W] / width * width;
    const size_t n_rows = (size_t)ew_box_extent(box, EW_H);
    const size_t n_columns = (size_t)ew_box_extent(box, EW_W);
    const size_t n_done = (size_t)box->hi[EW_W] - first; /* with those before the box */
    float *rows = ew_kernel_scratch_reserve(call->scratch, n_rows * n_done);
    if (!rows) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a matrix product");
    }
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            const struct ew_ref_fc job = {
                .weights = w->filter + first * w->n_k,
                .bias = w->bias ? w->bias + first : NULL,
                .input = ew_tensor_at(&call->inputs[0], n, c, box->lo[EW_H], 0),
                .out = rows,
                .input_stride = (size_t)call->task->layer.in_shape[0][EW_W],
                .out_stride = n_done,
                .n_images = (uint32_t)n_rows,
                .n_rows = (uint32_t)n_done,
                .n_k = w->n_k};
            call->isa->fc(&job);
            float *to = ew_tensor_at(call->out, n, c, box->lo[EW_H], box->lo[EW_W]);
            for (size_t y = 0; y < n_rows; y++) {
                memcpy(to + y * n_columns, rows + y * n_done + (n_done - n_columns),
                       n_columns * sizeof *to);
            }
        }
    }
    return EW_OK;
}

/* ---- matmul ---- */

/* Working memory of one product. */
struct matmul {
    ptrdiff_t *offsets; /* per k, into the second operand */
    float *panels;      /* the first operand: [panel][k][rows] */
    float *tile;        /* the product, whole vectors per row */
    size_t pitch;
};

static void pack_rows(float *to, const float *rows, size_t n_rows, size_t n_k, size_t width)
{
    memset(to, 0, round_up(n_rows, width) * n_k * sizeof *to);
    for (size_t m = 0; m < n_rows; m++) {
        float *panel = to + (m - m % width) * n_k + m % width;
        for (size_t k = 0; k < n_k; k++) {
            panel[k * width] = rows[m * n_k + k];
        }
    }
}

static void multiply_channel(const struct ew_ref_call *call, struct matmul *m, int32_t n, int32_t c)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_tensor *b = &call->inputs[1];
    const size_t n_k = (size_t)call->task->layer.in_shape[0][EW_W];
    const size_t n_rows = (size_t)ew_box_extent(box, EW_H);
    const size_t n_columns = (size_t)ew_box_extent(box, EW_W);
    const int32_t b_channel = call->task->layer.in_shape[1][EW_C] == 1 ? 0 : c;
    pack_rows(m->panels, ew_tensor_at(&call->inputs[0], n, c, box->lo[EW_H], 0), n_rows, n_k,
              call->isa->rows);
    const struct ew_ref_gemm job = {.weights = m->panels,
                                    .input = ew_tensor_at(b, n, b_channel, 0, box->lo[EW_W]),
                                    .offsets = m->offsets,
                                    .out = m->tile,
                                    .stride = m->pitch,
                                    .n_rows = (uint32_t)n_rows,
                                    .n_k = (uint32_t)n_k,
                                    .n_columns = (uint32_t)n_columns};
    call->isa->gemm(&job);
    float *to = ew_tensor_at(call->out, n, c, box->lo[EW_H], box->lo[EW_W]);
    for (size_t y = 0; y < n_rows; y++) {
        memcpy(to + y * n_columns, m->tile + y * m->pitch, n_columns * sizeof *to);
    }
}

enum ew_status ew_ref_run_matmul(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const size_t n_k = (size_t)call->task->layer.in_shape[0][EW_W];
    const size_t n_rows = (size_t)ew_box_extent(box, EW_H);
    const size_t n_offsets = round_up(n_k * sizeof(ptrdiff_t) / sizeof(float), 16);
    const size_t n_panels = round_up(round_up(n_rows, call->isa->rows) * n_k, 16);
    struct matmul m = {.pitch = round_up((size_t)ew_box_extent(box, EW_W), call->isa->lanes)};
    float *floats =
        ew_kernel_scratch_reserve(call->scratch, n_offsets + n_panels + n_rows * m.pitch);
    if (!floats) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a matrix product");
    }
    m.offsets = (ptrdiff_t *)(void *)floats;
    m.panels = floats + n_offsets;
    m.tile = m.panels + n_panels;
    const ptrdiff_t row = ew_box_extent(&call->inputs[1].box, EW_W);
    for (size_t k = 0; k < n_k; k++) {
        m.offsets[k] = (ptrdiff_t)k * row;
    }
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            multiply_channel(call, &m, n, c);
        }
    }
    return EW_OK;
}

/* ---- transposed convolution ---- */

/* The task's filters: [output channel of the task][input channel of its group][kernel]. */
enum ew_status ew_ref_prepare_transposed(struct ew_kernel_weights *weights,
                                         const struct ew_kernel_task *task,
                                         const struct ew_weight_source *source,
                                         struct ew_error *err)
{
    const struct ew_op_attrs *a = task->layer.attrs;
    const size_t area = (size_t)a->kernel[0] * (size_t)a->kernel[1];
    const size_t per_group = (size_t)(a->out_channels / a->groups);
    const size_t in_per_group = (size_t)(task->layer.in_shape[0][EW_C] / a->groups);
    const size_t n = (size_t)(task->channels[1] - task->channels[0]);
    weights->n_k = (uint32_t)(in_per_group * area);
    weights->n_filter = n * weights->n_k;
    weights->filter = calloc(weights->n_filter + EW_KERNEL_SLACK, sizeof *weights->filter);
    weights->bias = a->has_bias ? calloc(n + EW_KERNEL_SLACK, sizeof *weights->bias) : NULL;
    if (!weights->filter || (a->has_bias && !weights->bias)) {
        return ew_fail(err, EW_ENOMEM, "out of memory for %zu weights", weights->n_filter);
    }
    enum ew_status status = EW_OK;
    for (size_t m = 0; m < n && status == EW_OK; m++) {
        const size_t channel = (size_t)task->channels[0] + m;
        for (size_t i = 0; i < in_per_group && status == EW_OK; i++) {
            const size_t input = channel / per_group * in_per_group + i;
            status = source->read(weights->filter + (m * in_per_group + i) * area, source->self,
                                  task, EW_WEIGHT_FILTER,
                                  (input * per_group + channel % per_group) * area, area, err);
        }
    }
    if (status == EW_OK && a->has_bias) {
        status = source->read(weights->bias, source->self, task, EW_WEIGHT_BIAS,
                              (uint64_t)task->channels[0], n, err);
    }
    return status;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

/* One output row of one channel. Columns of one remainder modulo the stride read the same kernel
 * columns: they are done together, then spread. */
struct transposed_row {
    const struct ew_ref_call *call;
    const float *filter; /* of the output channel */
    int32_t n, first_input, y;
    float start;
    float *lane; /* columns of one remainder */
};

/* lane[t] += filter * input row, for the outputs remainder + stride * t, t from `t_lo` on. */
static void add_tap(const struct transposed_row *r, const float *row, float w, int32_t remainder,
                    int32_t tap, int64_t t_lo, int64_t t_hi)
{
    const struct ew_op_attrs *a = r->call->task->layer.attrs;
    const int64_t at = (int64_t)remainder + a->pads[1] - (int64_t)tap * a->dilation[1];
    if (floor_div(at, a->stride[1]) * a->stride[1] != at) {
        return;
    }
    const int64_t offset = floor_div(at, a->stride[1]); /* input column of t = 0 */
    const int64_t size = r->call->task->layer.in_shape[0][EW_W];
    const int64_t lo = t_lo > -offset ? t_lo : -offset;
    const int64_t hi = t_hi < size - offset ? t_hi : size - offset;
    if (lo < hi) {
        r->call->isa->axpy(r->lane + (lo - t_lo), row + lo + offset, w, (size_t)(hi - lo));
    }
}

static void run_remainder(const struct transposed_row *r, float *out, int32_t remainder)
{
    const struct ew_op_attrs *a = r->call->task->layer.attrs;
    const struct ew_box *box = &r->call->out->box;
    const struct ew_tensor *in = &r->call->inputs[0];
    const int32_t *shape = r->call->task->layer.in_shape[0];
    const int64_t stride = a->stride[1];
    const int64_t t_lo = -floor_div((int64_t)remainder - box->lo[EW_W], stride);
    const int64_t t_hi = -floor_div((int64_t)remainder - box->hi[EW_W], stride);
    for (int64_t t = t_lo; t < t_hi; t++) {
        r->lane[t - t_lo] = r->start;
    }
    const float *w = r->filter;
    for (int32_t i = 0; i < shape[EW_C] / a->groups; i++) {
        for (int32_t u = 0; u < a->kernel[0]; u++, w += a->kernel[1]) {
            const int64_t at = (int64_t)r->y + a->pads[0] - (int64_t)u * a->dilation[0];
            if (at < 0 || at % a->stride[0] != 0 || at / a->stride[0] >= shape[EW_H]) {
                continue;
            }
            /* as if the row began at column 0 */
            const float *row = ew_tensor_at(in, r->n, r->first_input + i,
                                            (int32_t)(at / a->stride[0]), in->box.lo[EW_W]) -
                               in->box.lo[EW_W];
            for (int32_t v = 0; v < a->kernel[1]; v++) {
                add_tap(r, row, w[v], remainder, v, t_lo, t_hi);
            }
        }
    }
    for (int64_t t = t_lo; t < t_hi; t++) {
        out[remainder + t * stride - box->lo[EW_W]] = r->lane[t - t_lo];
    }
}

enum ew_status ew_ref_run_transposed(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_op_attrs *a = call->task->layer.attrs;
    const int32_t per_group = a->out_channels / a->groups;
    const int32_t in_per_group = call->task->layer.in_shape[0][EW_C] / a->groups;
    struct transposed_row r = {.call = call};
    r.lane = ew_kernel_scratch_reserve(call->scratch, (size_t)ew_box_extent(box, EW_W));
    if (!r.lane) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a transposed convolution");
    }
    for (r.n = box->lo[EW_N]; r.n < box->hi[EW_N]; r.n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            const size_t at = (size_t)(c - call->task->channels[0]);
            r.filter = call->weights->filter + at * call->weights->n_k;
            r.start = call->weights->bias ? call->weights->bias[at] : 0.0f;
            r.first_input = c / per_group * in_per_group;
            for (r.y = box->lo[EW_H]; r.y < box->hi[EW_H]; r.y++) {
                float *out = ew_tensor_at(call->out, r.n, c, r.y, box->lo[EW_W]);
                for (int32_t i = 0; i < a->stride[1] && i < box->hi[EW_W]; i++) {
                    run_remainder(&r, out, i);
                }
            }
        }
    }
    return EW_OK;
}
