/*
 * Pools. A window maximum ignores padding; a window mean divides by the elements it covers, by
 * those inside the padded input when count_include_pad is set (PyTorch and ONNX).
 */
#include <math.h>

#include "engine/exec/kernel/ref_window.h"
#include "engine/exec/kernel/reference.h"

/* Elements that a window of output position `at` counts in one dimension. */
static int32_t count_covered(const struct ew_op_view *layer, int axis, int32_t at)
{
    const struct ew_op_attrs *a = layer->attrs;
    const int32_t size = layer->in_shape[0][EW_H + axis];
    int32_t lo = at * a->stride[axis] - a->pads[axis];
    int32_t hi = lo + a->kernel[axis];
    const int32_t end = size + (a->count_include_pad ? a->pads[axis + 2] : 0);
    hi = hi < end ? hi : end;
    if (!a->count_include_pad) {
        lo = lo > 0 ? lo : 0;
    }
    return hi > lo ? hi - lo : 1;
}

static void divide_plane(float *plane, const struct ew_op_view *layer, const struct ew_box *box)
{
    for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
        const int32_t n_rows = count_covered(layer, 0, y);
        for (int32_t x = box->lo[EW_W]; x < box->hi[EW_W]; x++) {
            *plane++ /= (float)(n_rows * count_covered(layer, 1, x));
        }
    }
}

/* Windows of one channel. */
static void pool_channel(const struct ew_ref_call *call, const struct ew_ref_window *w,
                         struct ew_ref_taps *job, float *laid_out, float *flat, int32_t n,
                         int32_t c)
{
    const struct ew_box *box = &call->out->box;
    const bool is_max = call->task->layer.op == EW_OP_MAX_POOL;
    ew_ref_window_fill(laid_out, w, &call->inputs[0], n, c, c + 1, is_max ? -INFINITY : 0.0f);
    job->input = laid_out;
    job->out = flat;
    (is_max ? call->isa->max_taps : call->isa->sum_taps)(job);
    float *plane = ew_tensor_at(call->out, n, c, box->lo[EW_H], box->lo[EW_W]);
    ew_ref_window_emit(plane, w, flat, 0, w->n_flat);
    if (!is_max) {
        divide_plane(plane, &call->task->layer, box);
    }
}

enum ew_status ew_ref_run_pool(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_ref_window w = ew_ref_window_of(&call->task->layer, box);
    const size_t n_taps = (size_t)w.kernel[0] * (size_t)w.kernel[1];
    const size_t n_offsets = (n_taps * sizeof(ptrdiff_t) / sizeof(float) + 15) / 16 * 16;
    const size_t n_input = ew_ref_window_floats(&w, 1);
    float *memory =
        ew_kernel_scratch_reserve(call->scratch, n_offsets + n_input + w.n_flat + EW_KERNEL_SLACK);
    if (!memory) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a pool");
    }
    ptrdiff_t *offsets = (ptrdiff_t *)(void *)memory;
    ew_ref_window_offsets(offsets, &w, 1);
    const bool is_max = call->task->layer.op == EW_OP_MAX_POOL;
    struct ew_ref_taps job = {.offsets = offsets,
                              .start = is_max ? -INFINITY : 0.0f,
                              .n_taps = (uint32_t)n_taps,
                              .n_columns = w.n_flat};
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            pool_channel(call, &w, &job, memory + n_offsets, memory + n_offsets + n_input, n, c);
        }
    }
    return EW_OK;
}

enum ew_status ew_ref_run_global_pool(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_box *box = &call->out->box;
    const struct ew_tensor *in = &call->inputs[0];
    const int32_t *shape = call->task->layer.in_shape[0];
    const bool is_max = call->task->layer.op == EW_OP_GLOBAL_MAX_POOL;
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            float sum = is_max ? -INFINITY : 0.0f;
            for (int32_t y = 0; y < shape[EW_H]; y++) {
                const float *row = ew_tensor_at(in, n, c, y, 0);
                for (int32_t x = 0; x < shape[EW_W]; x++) {
                    sum = is_max ? (row[x] > sum ? row[x] : sum) : sum + row[x];
                }
            }
            *ew_tensor_at(call->out, n, c, 0, 0) =
                is_max ? sum : sum / ((float)shape[EW_H] * (float)shape[EW_W]);
        }
    }
    return EW_OK;
}
