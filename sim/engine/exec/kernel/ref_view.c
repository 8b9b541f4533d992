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
    int32_t shift[EW_DIMS] = {0};
    for (uint32_t i = 0; i < call->task->layer.n_inputs; i++) {
        struct ew_box part = call->out->box;
        const int32_t end = shift[EW_C] + call->task->layer.in_shape[i][EW_C];
        part.lo[EW_C] = part.lo[EW_C] > shift[EW_C] ? part.lo[EW_C] : shift[EW_C];
        part.hi[EW_C] = part.hi[EW_C] < end ? part.hi[EW_C] : end;
        if (!ew_box_is_empty(&part)) {
            copy_box(call->out, &call->inputs[i], &part, shift);
        }
        shift[EW_C] = end;
    }
    return EW_OK;
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
    memset(call->out->values, 0, (size_t)ew_box_volume(box) * sizeof(float));
    if (ew_box_intersect(&part, box, &inside)) {
        copy_box(call->out, &call->inputs[0], &part, shift);
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
