/* Ops without arithmetic: copies of elements from where they were to where they are read. */
#include <string.h>

#include "engine/exec/kernel/reference.h"

/* Copy the box `part` of the output from the same elements of `in`, displaced by `shift` (input
 * coordinate = output coordinate - shift). */
static void copy_box(struct ew_tensor *out, const struct ew_tensor *in, const struct ew_box *part,
                     const int32_t shift[EW_DIMS])
{
    const size_t n = (size_t)ew_box_extent(part, EW_W) * sizeof(float);
    const int32_t x = part->lo[EW_W];
    for (int32_t i = part->lo[EW_N]; i < part->hi[EW_N]; i++) {
        for (int32_t c = part->lo[EW_C]; c < part->hi[EW_C]; c++) {
            for (int32_t y = part->lo[EW_H]; y < part->hi[EW_H]; y++) {
                memcpy(ew_tensor_at(out, i, c, y, x),
                       ew_tensor_at(in, i, c - shift[EW_C], y - shift[EW_H], x - shift[EW_W]), n);
            }
        }
    }
}

enum ew_status ew_ref_run_copy(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const int32_t shift[EW_DIMS] = {0};
    copy_box(call->out, &call->inputs[0], &call->out->box, shift);
    return EW_OK;
}

enum ew_status ew_ref_run_concat(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const int axis = call->task->layer.attrs->axis ? call->task->layer.attrs->axis : EW_C;
    int32_t shift[EW_DIMS] = {0};
    for (uint32_t i = 0; i < call->task->layer.n_inputs; i++) {
        struct ew_box part = call->out->box;
        const int32_t end = shift[axis] + call->task->layer.in_shape[i][axis];
        part.lo[axis] = part.lo[axis] > shift[axis] ? part.lo[axis] : shift[axis];
        part.hi[axis] = part.hi[axis] < end ? part.hi[axis] : end;
        if (!ew_box_is_empty(&part)) {
            copy_box(call->out, &call->inputs[i], &part, shift);
        }
        shift[axis] = end;
    }
    return EW_OK;
}

/* Fill the part of the output in rows [y0, y1) and columns [x0, x1), which learned values cover one
 * after another. */
static void fill_strip(const struct ew_ref_call *call, const float *values, int32_t y0, int32_t y1,
                       int32_t x0, int32_t x1)
{
    const struct ew_box *box = &call->out->box;
    struct ew_box strip = *box, part;
    strip.lo[EW_H] = y0;
    strip.hi[EW_H] = y1;
    strip.lo[EW_W] = x0;
    strip.hi[EW_W] = x1;
    if (!ew_box_intersect(&part, box, &strip)) {
        return;
    }
    for (int32_t n = part.lo[EW_N]; n < part.hi[EW_N]; n++) {
        for (int32_t c = part.lo[EW_C]; c < part.hi[EW_C]; c++) {
            for (int32_t y = part.lo[EW_H]; y < part.hi[EW_H]; y++) {
                const size_t row = (size_t)c * (size_t)(y1 - y0) + (size_t)(y - y0);
                const size_t at = row * (size_t)(x1 - x0) + (size_t)(part.lo[EW_W] - x0);
                memcpy(ew_tensor_at(call->out, n, c, y, part.lo[EW_W]), values + at,
                       (size_t)ew_box_extent(&part, EW_W) * sizeof(float));
            }
        }
    }
}

static void fill_learned(const struct ew_ref_call *call)
{
    const int32_t *pads = call->task->layer.attrs->pads;
    const int32_t *out = call->task->layer.out_shape;
    const float *values = call->weights->filter;
    if (pads[0] || pads[2]) {
        fill_strip(call, values, 0, pads[0], 0, out[EW_W]);
        values += (size_t)out[EW_C] * (size_t)pads[0] * (size_t)out[EW_W];
        fill_strip(call, values, out[EW_H] - pads[2], out[EW_H], 0, out[EW_W]);
    } else {
        fill_strip(call, values, 0, out[EW_H], 0, pads[1]);
        values += (size_t)out[EW_C] * (size_t)out[EW_H] * (size_t)pads[1];
        fill_strip(call, values, 0, out[EW_H], out[EW_W] - pads[3], out[EW_W]);
    }
}

enum ew_status ew_ref_run_pad(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_op_view *layer = &call->task->layer;
    const struct ew_box *box = &call->out->box;
    const int32_t shift[EW_DIMS] = {0, 0, layer->attrs->pads[0], layer->attrs->pads[1]};
    struct ew_box inside = *box;
    inside.lo[EW_H] = shift[EW_H];
    inside.hi[EW_H] = shift[EW_H] + layer->in_shape[0][EW_H];
    inside.lo[EW_W] = shift[EW_W];
    inside.hi[EW_W] = shift[EW_W] + layer->in_shape[0][EW_W];
    struct ew_box part;
    if (call->weights) {
        fill_learned(call);
    } else {
        const uint64_t n = ew_box_volume(box);
        for (uint64_t i = 0; i < n; i++) {
            call->out->values[i] = layer->attrs->alpha;
        }
    }
    if (ew_box_intersect(&part, box, &inside)) {
        copy_box(call->out, &call->inputs[0], &part, shift);
    }
    return EW_OK;
}

/* Copy the output from rows of the input: the element of output column x lies `step` floats behind
 * that of x - 1. */
static void copy_row(float *to, const float *from, size_t n, ptrdiff_t step)
{
    if (step == 1) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    for (size_t k = 0; k < n; k++, from += step) {
        to[k] = *from;
    }
}

/* Input element behind an output element, for ops that rearrange. */
static void source_of(int32_t in[EW_DIMS], const struct ew_op_view *layer, int32_t c, int32_t y,
                      int32_t x)
{
    const struct ew_op_attrs *a = layer->attrs;
    const int32_t out[] = {0, c, y, x};
    const int32_t width = layer->op == EW_OP_SHUFFLE ? layer->in_shape[0][EW_C] / a->groups : 0;
    for (int d = EW_C; d < EW_DIMS; d++) {
        switch (layer->op) {
        case EW_OP_TRANSPOSE:
            in[a->perm[d - EW_C]] = out[d];
            break;
        case EW_OP_SLICE:
            in[d] = a->begin[d - EW_C] + out[d] * a->step[d - EW_C];
            break;
        default: /* shuffle */
            in[d] = d == EW_C ? c % a->groups * width + c / a->groups : out[d];
            break;
        }
    }
}

/* Transpose, slice, shuffle. */
enum ew_status ew_ref_run_arrange(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_box *box = &call->out->box;
    const struct ew_op_view *layer = &call->task->layer;
    const struct ew_tensor *t = &call->inputs[0];
    const size_t n_columns = (size_t)ew_box_extent(box, EW_W);
    int32_t at[EW_DIMS] = {0}, next[EW_DIMS] = {0};
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                source_of(at, layer, c, y, box->lo[EW_W]);
                const float *from = ew_tensor_at(t, n, at[EW_C], at[EW_H], at[EW_W]);
                ptrdiff_t step = 1;
                if (n_columns > 1) {
                    source_of(next, layer, c, y, box->lo[EW_W] + 1);
                    step = ew_tensor_at(t, n, next[EW_C], next[EW_H], next[EW_W]) - from;
                }
                copy_row(ew_tensor_at(call->out, n, c, y, box->lo[EW_W]), from, n_columns, step);
            }
        }
    }
    return EW_OK;
}

/* Flatten and reshape: element i of the flat image stays element i. */
enum ew_status ew_ref_run_reshape(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_box *box = &call->out->box;
    const int32_t *to = call->task->layer.out_shape;
    const int64_t columns = call->task->layer.in_shape[0][EW_W];
    const int64_t plane = columns * call->task->layer.in_shape[0][EW_H];
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                int64_t flat = ((int64_t)c * to[EW_H] + y) * to[EW_W] + box->lo[EW_W];
                float *row = ew_tensor_at(call->out, n, c, y, box->lo[EW_W]);
                for (int32_t x = 0; x < ew_box_extent(box, EW_W); x++, flat++) {
                    row[x] =
                        *ew_tensor_at(&call->inputs[0], n, (int32_t)(flat / plane),
                                      (int32_t)(flat % plane / columns), (int32_t)(flat % columns));
                }
            }
        }
    }
    return EW_OK;
}

/* Nearest neighbour with integer factors. */
enum ew_status ew_ref_run_upsample(const struct ew_ref_call *call, struct ew_error *err)
{
    (void)err;
    const struct ew_box *box = &call->out->box;
    const int32_t *scale = call->task->layer.attrs->scale;
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                float *row = ew_tensor_at(call->out, n, c, y, box->lo[EW_W]);
                for (int32_t x = box->lo[EW_W]; x < box->hi[EW_W]; x++) {
                    *row++ = *ew_tensor_at(&call->inputs[0], n, c, y / scale[0], x / scale[1]);
                }
            }
        }
    }
    return EW_OK;
}
