/*
 * Resizes. Weights of taps come from whole numbers, so that they depend on nothing but the
 * position; taps beyond the edge read the element at the edge.
 */
#include <stdlib.h>

#include "engine/exec/kernel/reference.h"

enum { MAX_TAPS = 4 };

/* What one output position reads in one dimension. */
struct taps {
    int32_t at[MAX_TAPS];
    float weight[MAX_TAPS];
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

/* Keys' cubic with a = -3/4, as in PyTorch and ONNX, at distance t + 1, t, 1 - t, 2 - t. */
static void cubic_weights(float w[MAX_TAPS], float t)
{
    const float a = -0.75f;
    const float far = t + 1.0f, back = 1.0f - t, end = 2.0f - t;
    w[0] = ((a * far - 5.0f * a) * far + 8.0f * a) * far - 4.0f * a;
    w[1] = ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f;
    w[2] = ((a + 2.0f) * back - (a + 3.0f)) * back * back + 1.0f;
    w[3] = ((a * end - 5.0f * a) * end + 8.0f * a) * end - 4.0f * a;
}

static struct taps taps_of(int64_t i, int64_t in, int64_t out, int32_t mode)
{
    struct taps taps = {.weight = {1.0f}};
    int64_t base = i * in / out;
    int first = 0, n = 1;
    if (mode != EW_RESIZE_NEAREST) {
        const bool is_aligned = mode == EW_RESIZE_ALIGNED;
        const int64_t above = is_aligned ? (out > 1 ? i * (in - 1) : 0) : (2 * i + 1) * in - out;
        const int64_t below = is_aligned ? (out > 1 ? out - 1 : 1) : 2 * out;
        base = floor_div(above, below);
        const float t = (float)((double)(above - base * below) / (double)below);
        if (mode == EW_RESIZE_CUBIC) {
            cubic_weights(taps.weight, t);
            first = -1;
            n = 4;
        } else {
            taps.weight[0] = 1.0f - t;
            taps.weight[1] = t;
            n = 2;
        }
    }
    for (int k = 0; k < MAX_TAPS; k++) {
        const int64_t at = base + first + (k < n ? k : 0);
        taps.at[k] = (int32_t)(at < 0 ? 0 : at < in ? at : in - 1);
    }
    return taps;
}

static int tap_count(int32_t mode)
{
    return mode == EW_RESIZE_NEAREST ? 1 : mode == EW_RESIZE_CUBIC ? 4 : 2;
}

static void resize_row(const struct ew_ref_call *call, const struct taps *columns,
                       const struct taps *rows, int32_t n, int32_t c, int32_t y)
{
    const struct ew_box *box = &call->out->box;
    const int n_taps = tap_count(call->task->layer.attrs->mode);
    const float *in[MAX_TAPS];
    float *out = ew_tensor_at(call->out, n, c, y, box->lo[EW_W]);
    for (int u = 0; u < n_taps; u++) {
        const struct ew_tensor *t = &call->inputs[0];
        in[u] = ew_tensor_at(t, n, c, rows->at[u], t->box.lo[EW_W]) - t->box.lo[EW_W];
    }
    for (int32_t k = 0; k < ew_box_extent(box, EW_W); k++) {
        float sum = 0.0f;
        if (n_taps == 1) {
            out[k] = in[0][columns[k].at[0]];
            continue;
        }
        for (int u = 0; u < n_taps; u++) {
            float row = 0.0f;
            for (int v = 0; v < n_taps; v++) {
                row += columns[k].weight[v] * in[u][columns[k].at[v]];
            }
            sum += rows->weight[u] * row;
        }
        out[k] = sum;
    }
}

enum ew_status ew_ref_run_resize(const struct ew_ref_call *call, struct ew_error *err)
{
    const struct ew_box *box = &call->out->box;
    const struct ew_op_view *layer = &call->task->layer;
    const int32_t mode = layer->attrs->mode;
    const size_t n_columns = (size_t)ew_box_extent(box, EW_W);
    struct taps *columns = malloc(n_columns * sizeof *columns);
    if (!columns) {
        return ew_fail(err, EW_ENOMEM, "out of memory for a resize");
    }
    for (size_t k = 0; k < n_columns; k++) {
        columns[k] = taps_of(box->lo[EW_W] + (int32_t)k, layer->in_shape[0][EW_W],
                             layer->out_shape[EW_W], mode);
    }
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                const struct taps rows =
                    taps_of(y, layer->in_shape[0][EW_H], layer->out_shape[EW_H], mode);
                resize_row(call, columns, &rows, n, c, y);
            }
        }
    }
    free(columns);
    return EW_OK;
}
