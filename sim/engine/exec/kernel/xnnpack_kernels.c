/*
 * Kernels of XNNPACK, the library behind TFLite and PyTorch Mobile: convolutions and fully
 * connected layers, which is where time goes; everything else is done by the reference kernels.
 * Boxes are laid out channels last with their padding, which costs copies. No promise on bits.
 */
#include "engine/exec/kernel/xnnpack_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

#include "engine/exec/kernel/reference.h"

static const struct ew_kernels *reference(void)
{
    return &ew_ref_kernels[0];
}

static bool is_available(const struct ew_kernels *kernels)
{
    (void)kernels;
    return xnn_initialize(NULL) == xnn_status_success;
}

/* Groups that a part of the channels cuts through have no operator here. */
static bool has_operator(const struct ew_kernel_task *task)
{
    const struct ew_op_attrs *a = task->layer.attrs;
    if (task->layer.op == EW_OP_FC) {
        return true;
    }
    const int32_t per_group = task->layer.op == EW_OP_CONV ? a->out_channels / a->groups : 1;
    return task->layer.op == EW_OP_CONV && (a->groups == 1 || (task->channels[0] % per_group == 0 &&
                                                               task->channels[1] % per_group == 0));
}

/* The part of a layer that a task is. */
struct part {
    uint32_t n_groups;
    size_t in_per_group;  /* of the task's reduction */
    size_t out_per_group; /* of the task */
    size_t n_out;
    size_t area;        /* of the window */
    uint64_t row;       /* floats of one filter */
    uint64_t row_first; /* of them, wanted from here on */
};

static struct part part_of(const struct ew_kernel_task *task)
{
    const struct ew_op_view *layer = &task->layer;
    const struct ew_op_attrs *a = layer->attrs;
    const int32_t *in = layer->in_shape[0];
    const bool is_conv = layer->op == EW_OP_CONV;
    struct part p = {.n_groups = 1, .area = 1};
    p.n_out = (size_t)(task->channels[1] - task->channels[0]);
    p.out_per_group = p.n_out;
    uint64_t length = (uint64_t)in[EW_C] * (uint64_t)in[EW_H] * (uint64_t)in[EW_W];
    if (is_conv) {
        p.area = (size_t)a->kernel[0] * (size_t)a->kernel[1];
        length = (uint64_t)(in[EW_C] / a->groups);
        if (a->groups > 1) {
            p.out_per_group = (size_t)(a->out_channels / a->groups);
            p.n_groups = (uint32_t)(p.n_out / p.out_per_group);
        }
    }
    const uint64_t lo = task->reduction ? (uint64_t)task->reduction->lo : 0;
    const uint64_t hi = task->reduction ? (uint64_t)task->reduction->hi : length;
    p.in_per_group = (size_t)(hi - lo);
    p.row = length * p.area;
    p.row_first = lo * p.area;
    return p;
}

/* Filters with channels last: [out][rows][columns][in]. */
static enum ew_status read_filters(float *to, const struct ew_kernel_task *task,
                                   const struct part *p, const struct ew_weight_source *source,
                                   struct ew_error *err)
{
    const size_t n = p->in_per_group * p->area;
    float *row = malloc((n + 1) * sizeof *row);
    enum ew_status status = row ? EW_OK : ew_fail(err, EW_ENOMEM, "out of memory for weights");
    for (size_t m = 0; m < p->n_out && status == EW_OK; m++) {
        const uint64_t first = ((uint64_t)task->channels[0] + m) * p->row + p->row_first;
        status = source->read(row, source->self, task, EW_WEIGHT_FILTER, first, n, err);
        for (size_t i = 0; i < p->in_per_group && status == EW_OK; i++) {
            for (size_t k = 0; k < p->area; k++) {
                to[m * n + k * p->in_per_group + i] = row[i * p->area + k];
            }
        }
    }
    free(row);
    return status;
}

static enum xnn_status create(xnn_operator_t *out, const struct ew_kernel_task *task,
                              const struct part *p, const float *filters, const float *bias)
{
    const struct ew_op_attrs *a = task->layer.attrs;
    const size_t n_in = p->n_groups * p->in_per_group;
    if (task->layer.op == EW_OP_FC) {
        return xnn_create_fully_connected_nc_f32(n_in, p->n_out, n_in, p->n_out, filters, bias,
                                                 -INFINITY, INFINITY, 0, out);
    }
    return xnn_create_convolution2d_nhwc_f32(
        0, 0, 0, 0, (uint32_t)a->kernel[0], (uint32_t)a->kernel[1], (uint32_t)a->stride[0],
        (uint32_t)a->stride[1], (uint32_t)a->dilation[0], (uint32_t)a->dilation[1], p->n_groups,
        p->in_per_group, p->out_per_group, n_in, p->n_out, filters, bias, -INFINITY, INFINITY, 0,
        out);
}

static enum ew_status prepare(struct ew_kernel_weights **out, const struct ew_kernels *kernels,
                              const struct ew_kernel_task *task,
                              const struct ew_weight_source *source, struct ew_error *err)
{
    (void)kernels;
    if (!has_operator(task)) {
        return reference()->prepare(out, reference(), task, source, err);
    }
    const struct part p = part_of(task);
    const bool has_bias = task->layer.attrs->has_bias && !task->reduction;
    struct ew_kernel_weights *weights = calloc(1, sizeof *weights);
    float *filters = malloc((p.n_out * p.in_per_group * p.area + 1) * sizeof *filters);
    float *bias = calloc(p.n_out + 1, sizeof *bias);
    xnn_operator_t made = NULL;
    enum ew_status status = EW_OK;
    if (!weights || !filters || !bias || xnn_initialize(NULL) != xnn_status_success) {
        status = ew_fail(err, EW_ENOMEM, "out of memory for weights");
    }
    status = status ? status : read_filters(filters, task, &p, source, err);
    if (status == EW_OK && has_bias) {
        status = source->read(bias, source->self, task, EW_WEIGHT_BIAS, (uint64_t)task->channels[0],
                              p.n_out, err);
    }
    if (status == EW_OK && create(&made, task, &p, filters, bias) != xnn_status_success) {
        status = ew_fail(err, EW_ENOTSUP, "XNNPACK has no operator for this layer");
    }
    free(filters); /* the operator has its own copy */
    free(bias);
    if (status != EW_OK) {
        free(weights);
        return status;
    }
    weights->library = made;
    *out = weights;
    return EW_OK;
}

static void release(struct ew_kernel_weights *weights)
{
    if (weights && weights->library) {
        (void)xnn_delete_operator(weights->library);
    }
    reference()->release(weights);
}

/* ---- running ---- */

/* Part of the input that a box reads, padding included. */
struct window {
    int32_t first[2];  /* row, column; may lie outside */
    int32_t extent[2]; /* rows, columns */
    int32_t channels[2];
};

static struct window window_of(const struct ew_kernel_task *task, const struct ew_box *box)
{
    const struct ew_op_attrs *a = task->layer.attrs;
    const int32_t in_per_group = task->layer.in_shape[0][EW_C] / a->groups;
    const int32_t per_group = a->out_channels / a->groups;
    struct window w;
    for (int i = 0; i < 2; i++) {
        const int32_t n = ew_box_extent(box, (enum ew_dim)(EW_H + i));
        w.first[i] = box->lo[EW_H + i] * a->stride[i] - a->pads[i];
        w.extent[i] = (n - 1) * a->stride[i] + (a->kernel[i] - 1) * a->dilation[i] + 1;
    }
    w.channels[0] =
        task->reduction ? task->reduction->lo : task->channels[0] / per_group * in_per_group;
    w.channels[1] = task->reduction ? task->reduction->hi
                                    : ((task->channels[1] - 1) / per_group + 1) * in_per_group;
    return w;
}

/* The window with channels last, zeros where it is padding. What the input does not hold no output
 * reads: it lies between taps, and the filter has no weight there. */
static void lay_out(float *to, const struct window *w, const struct ew_tensor *in, int32_t n)
{
    const size_t n_channels = (size_t)(w->channels[1] - w->channels[0]);
    memset(to, 0, (size_t)w->extent[0] * (size_t)w->extent[1] * n_channels * sizeof *to);
    const int32_t x_end = w->first[1] + w->extent[1];
    const int32_t x_lo = w->first[1] > in->box.lo[EW_W] ? w->first[1] : in->box.lo[EW_W];
    const int32_t x_hi = x_end < in->box.hi[EW_W] ? x_end : in->box.hi[EW_W];
    for (int32_t r = 0; r < w->extent[0]; r++) {
        const int32_t y = w->first[0] + r;
        if (y < in->box.lo[EW_H] || y >= in->box.hi[EW_H] || x_lo >= x_hi) {
            continue; /* padding, or between the windows */
        }
        for (size_t c = 0; c < n_channels; c++) {
            const float *row = ew_tensor_at(in, n, w->channels[0] + (int32_t)c, y, x_lo);
            float *column =
                to +
                ((size_t)r * (size_t)w->extent[1] + (size_t)(x_lo - w->first[1])) * n_channels + c;
            for (int32_t x = x_lo; x < x_hi; x++, column += n_channels) {
                *column = row[x - x_lo];
            }
        }
    }
}

static void take_out(const struct ew_tensor *out, const float *from, int32_t n)
{
    const struct ew_box *box = &out->box;
    const size_t n_channels = (size_t)ew_box_extent(box, EW_C);
    const size_t n_positions = (size_t)ew_box_extent(box, EW_H) * (size_t)ew_box_extent(box, EW_W);
    float *to = ew_tensor_at(out, n, box->lo[EW_C], box->lo[EW_H], box->lo[EW_W]);
    for (size_t c = 0; c < n_channels; c++) {
        for (size_t i = 0; i < n_positions; i++) {
            *to++ = from[i * n_channels + c];
        }
    }
}

static enum ew_status fail_run(struct ew_error *err)
{
    return ew_fail(err, EW_EENGINE, "XNNPACK could not compute this layer");
}

static enum ew_status run_conv(struct ew_tensor *out, const struct ew_kernel_task *task,
                               const struct ew_kernel_weights *weights,
                               const struct ew_tensor *inputs, struct ew_kernel_scratch *scratch,
                               struct ew_error *err)
{
    const struct ew_box *box = &out->box;
    const struct window w = window_of(task, box);
    const size_t n_in =
        (size_t)w.extent[0] * (size_t)w.extent[1] * (size_t)(w.channels[1] - w.channels[0]);
    const size_t n_out = (size_t)(ew_box_volume(box) / (uint64_t)ew_box_extent(box, EW_N));
    const size_t pitch = (n_in + XNN_EXTRA_BYTES / sizeof(float) + 15) / 16 * 16;
    float *in = ew_kernel_scratch_reserve(scratch, pitch + n_out);
    if (!in) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a convolution");
    }
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        lay_out(in, &w, &inputs[0], n);
        if (xnn_setup_convolution2d_nhwc_f32(weights->library, 1, (size_t)w.extent[0],
                                             (size_t)w.extent[1], in, in + pitch,
                                             NULL) != xnn_status_success ||
            xnn_run_operator(weights->library, NULL) != xnn_status_success) {
            return fail_run(err);
        }
        take_out(out, in + pitch, n);
    }
    return EW_OK;
}

static enum ew_status run_fc(struct ew_tensor *out, const struct ew_kernel_task *task,
                             const struct ew_kernel_weights *weights,
                             const struct ew_tensor *inputs, struct ew_kernel_scratch *scratch,
                             struct ew_error *err)
{
    const struct ew_box *box = &out->box;
    const int32_t *shape = task->layer.in_shape[0];
    const int64_t columns = shape[EW_W], plane = columns * shape[EW_H];
    const int64_t lo = task->reduction ? task->reduction->lo : 0;
    const int64_t hi = task->reduction ? task->reduction->hi : plane * shape[EW_C];
    float *in = ew_kernel_scratch_reserve(scratch, (size_t)(hi - lo));
    if (!in) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a fully connected layer");
    }
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int64_t at = lo; at < hi; at++) {
            in[at - lo] = *ew_tensor_at(&inputs[0], n, (int32_t)(at / plane),
                                        (int32_t)(at % plane / columns), (int32_t)(at % columns));
        }
        if (xnn_setup_fully_connected_nc_f32(weights->library, 1, in,
                                             ew_tensor_at(out, n, box->lo[EW_C], 0, 0),
                                             NULL) != xnn_status_success ||
            xnn_run_operator(weights->library, NULL) != xnn_status_success) {
            return fail_run(err);
        }
    }
    return EW_OK;
}

static enum ew_status run(struct ew_tensor *out, const struct ew_kernels *kernels,
                          const struct ew_kernel_task *task,
                          const struct ew_kernel_weights *weights, const struct ew_tensor *inputs,
                          struct ew_kernel_scratch *scratch, struct ew_error *err)
{
    (void)kernels;
    if (!weights || !weights->library) {
        return reference()->run(out, reference(), task, weights, inputs, scratch, err);
    }
    return task->layer.op == EW_OP_FC ? run_fc(out, task, weights, inputs, scratch, err)
                                      : run_conv(out, task, weights, inputs, scratch, err);
}

const struct ew_kernels ew_xnnpack_kernels = {
    .id = "xnnpack",
    .summary = "XNNPACK's convolutions and fully connected layers, fast, rounding as it likes",
    .is_exact = false,
    .is_available = is_available,
    .prepare = prepare,
    .run = run,
    .release = release,
};
