/*
 * Convolution and fully connected layers: lay the input out flat (ref_window.h), multiply, keep the
 * wanted columns.
 */
#include <string.h>

#include "engine/exec/kernel/ref_window.h"
#include "engine/exec/kernel/reference.h"

/* Working memory of one convolution, carved from the scratch. */
struct conv_memory {
    ptrdiff_t *offsets;
    float *input; /* laid out, when not read directly */
    float *tile;  /* columns before the unwanted ones are dropped */
};

struct conv_run {
    const struct ew_ref_call *call;
    struct ew_ref_window window;
    bool is_direct;
    bool is_dense; /* every position is wanted and rows of vectors end at the end of the plane */
    struct conv_memory memory;
};

static size_t round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

static enum ew_status carve_memory(struct conv_run *run, int32_t n_channels, uint32_t n_k,
                                   size_t n_tile, struct ew_error *err)
{
    const size_t n_offsets = n_k * sizeof(ptrdiff_t) / sizeof(float);
    const size_t n_input =
        run->is_direct ? 0 : round_up(ew_ref_window_floats(&run->window, n_channels), 16);
    float *floats = ew_kernel_scratch_reserve(
        run->call->scratch, round_up(n_offsets, 16) + n_input + (run->is_dense ? 0 : n_tile));
    if (!floats) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a convolution");
    }
    run->memory.offsets = (ptrdiff_t *)(void *)floats;
    run->memory.input = floats + round_up(n_offsets, 16);
    run->memory.tile = run->memory.input + n_input;
    return EW_OK;
}

static struct conv_run begin_conv(const struct ew_ref_call *call)
{
    struct conv_run run = {.call = call};
    run.window = ew_ref_window_of(&call->task->layer, &call->out->box);
    run.is_direct = ew_ref_window_is_direct(&run.window, &call->inputs[0]);
    if (run.is_direct) {
        run.window = ew_ref_window_direct(&run.window, &call->inputs[0]);
    }
    run.is_dense = run.window.plane_columns == run.window.extent[1] &&
                   run.window.n_flat % call->isa->lanes == 0;
    return run;
}

/* Where the taps of image n, input channels [lo, hi) lie. */
static const float *place_input(struct conv_run *run, int32_t n, int32_t lo, int32_t hi)
{
    const struct ew_tensor *in = &run->call->inputs[0];
    if (run->is_direct) {
        return ew_ref_window_origin(&run->window, in, n, lo);
    }
    ew_ref_window_fill(run->memory.input, &run->window, in, n, lo, hi, 0.0f);
    return run->memory.input;
}

static uint32_t strip_columns(const struct ew_ref_isa *isa)
{
    return isa->columns * 4;
}

/* Columns are done in strips, so that the unwanted ones are dropped while still in cache. */
static void multiply_strips(struct conv_run *run, struct ew_ref_gemm *job, float *out, size_t plane)
{
    const struct ew_ref_isa *isa = run->call->isa;
    if (run->is_dense) {
        job->out = out;
        job->stride = plane;
        job->n_columns = run->window.n_flat;
        isa->gemm(job);
        return;
    }
    const float *input = job->input;
    const uint32_t strip = strip_columns(isa);
    job->out = run->memory.tile;
    job->stride = strip;
    for (uint32_t q = 0; q < run->window.n_flat; q += strip) {
        const uint32_t left = run->window.n_flat - q;
        job->input = input + q;
        job->n_columns = left < strip ? left : strip;
        isa->gemm(job);
        for (uint32_t m = 0; m < job->n_rows; m++) {
            ew_ref_window_emit(out + m * plane, &run->window, job->out + (size_t)m * strip, q,
                               job->n_columns);
        }
    }
}

static enum ew_status run_gemm(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_kernel_task *task = call->task;
    const struct ew_box *box = &call->out->box;
    struct conv_run run = begin_conv(call);
    const size_t plane = (size_t)run.window.extent[0] * (size_t)run.window.extent[1];
    size_t at = 0;
    for (int32_t c = task->channels[0]; c < task->channels[1];) {
        const struct ew_ref_span span = ew_ref_conv_span(task, c);
        const int32_t n_in = span.in_hi - span.in_lo;
        const uint32_t n_rows = (uint32_t)(span.hi - span.lo);
        const enum ew_status status = carve_memory(&run, n_in, call->weights->n_k,
                                                   (size_t)n_rows * strip_columns(call->isa), err);
        if (status != EW_OK) {
            return status;
        }
        ew_ref_window_offsets(run.memory.offsets, &run.window, n_in);
        struct ew_ref_gemm job = {.weights = call->weights->filter + at * call->weights->n_k,
                                  .bias = call->weights->bias ? call->weights->bias + at : NULL,
                                  .offsets = run.memory.offsets,
                                  .n_rows = n_rows,
                                  .n_k = call->weights->n_k};
        for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
            job.input = place_input(&run, n, span.in_lo, span.in_hi);
            multiply_strips(&run, &job, ew_tensor_at(call->out, n, c, box->lo[EW_H], box->lo[EW_W]),
                            plane);
        }
        at += round_up(n_rows, call->isa->rows);
        c = span.hi;
    }
    return EW_OK;
}

static enum ew_status run_depthwise(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_kernel_task *task = call->task;
    const struct ew_box *box = &call->out->box;
    struct conv_run run = begin_conv(call);
    const uint32_t n_taps = call->weights->n_k;
    enum ew_status status = carve_memory(&run, 1, n_taps, round_up(run.window.n_flat, 16), err);
    if (status != EW_OK) {
        return status;
    }
    ew_ref_window_offsets(run.memory.offsets, &run.window, 1);
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = task->channels[0]; c < task->channels[1]; c++) {
            const size_t at = (size_t)(c - task->channels[0]);
            const int32_t in = ew_ref_conv_span(task, c).in_lo;
            float *plane = ew_tensor_at(call->out, n, c, box->lo[EW_H], box->lo[EW_W]);
            const struct ew_ref_taps job = {.input = place_input(&run, n, in, in + 1),
                                            .offsets = run.memory.offsets,
                                            .weights = call->weights->filter + at * n_taps,
                                            .out = run.is_dense ? plane : run.memory.tile,
                                            .start = call->weights->bias ? call->weights->bias[at]
                                                                         : 0.0f,
                                            .n_taps = n_taps,
                                            .n_columns = run.window.n_flat};
            call->isa->depthwise(&job);
            if (!run.is_dense) {
                ew_ref_window_emit(plane, &run.window, run.memory.tile, 0, run.window.n_flat);
            }
        }
    }
    return EW_OK;
}

enum ew_status ew_ref_run_conv(const struct ew_ref_call *call, struct ew_error *err)
{
    return call->weights->form == EW_REF_DEPTHWISE ? run_depthwise(call, err) : run_gemm(call, err);
}

/* Elements [lo, lo + n_k) of the flattened input of image n, which `in` holds. */
static void flatten_input(float *to, const struct ew_tensor *in, const int32_t shape[EW_DIMS],
                          int32_t n, int64_t lo, int64_t n_k)
{
    const int64_t columns = shape[EW_W];
    const int64_t plane = columns * shape[EW_H];
    if (ew_box_extent(&in->box, EW_H) == shape[EW_H] && ew_box_extent(&in->box, EW_W) == columns) {
        const float *first = ew_tensor_at(in, n, (int32_t)(lo / plane), 0, 0) + lo % plane;
        memcpy(to, first, (size_t)n_k * sizeof *to);
        return;
    }
    for (int64_t at = lo; at < lo + n_k; at++) {
        *to++ = *ew_tensor_at(in, n, (int32_t)(at / plane), (int32_t)(at % plane / columns),
                              (int32_t)(at % columns));
    }
}

enum ew_status ew_ref_run_fc(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const uint32_t n_k = call->weights->n_k;
    const uint32_t n_images = (uint32_t)ew_box_extent(box, EW_N);
    float *input = ew_kernel_scratch_reserve(call->scratch, (size_t)n_k * n_images);
    if (!input) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a fully connected layer");
    }
    const int64_t first = call->task->reduction ? call->task->reduction->lo : 0;
    for (uint32_t i = 0; i < n_images; i++) {
        flatten_input(input + (size_t)i * n_k, &call->inputs[0], call->task->layer.in_shape[0],
                      box->lo[EW_N] + (int32_t)i, first, n_k);
    }
    const struct ew_ref_fc job = {.weights = call->weights->filter,
                                  .bias = call->weights->bias,
                                  .input = input,
                                  .out = call->out->values,
                                  .input_stride = n_k,
                                  .out_stride = (size_t)ew_box_extent(box, EW_C),
                                  .n_images = n_images,
                                  .n_rows = (uint32_t)ew_box_extent(box, EW_C),
                                  .n_k = n_k};
    call->isa->fc(&job);
    return EW_OK;
}
