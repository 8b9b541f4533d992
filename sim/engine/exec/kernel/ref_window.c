#include "engine/exec/kernel/ref_window.h"

#include <string.h>

struct ew_ref_window ew_ref_window_of(const struct ew_op_view *layer, const struct ew_box *out)
{
    const struct ew_op_attrs *a = layer->attrs;
    struct ew_ref_window w = {0};
    int32_t size[2];
    for (int i = 0; i < 2; i++) {
        w.kernel[i] = a->kernel[i];
        w.stride[i] = a->stride[i];
        w.dilation[i] = a->dilation[i] > 0 ? a->dilation[i] : 1;
        w.first[i] = out->lo[EW_H + i] * a->stride[i] - a->pads[i];
        w.extent[i] = ew_box_extent(out, (enum ew_dim)(EW_H + i));
        const int32_t reach = (w.kernel[i] - 1) * w.dilation[i];
        w.n_phases[i] = reach + 1 < w.stride[i] ? reach + 1 : w.stride[i];
        size[i] = w.extent[i] + reach / w.stride[i];
    }
    w.plane_rows = size[0];
    w.plane_columns = size[1];
    w.channel_floats =
        (size_t)w.n_phases[0] * (size_t)w.n_phases[1] * (size_t)size[0] * (size_t)size[1];
    w.n_flat = (uint32_t)((w.extent[0] - 1) * size[1] + w.extent[1]);
    return w;
}

bool ew_ref_window_is_direct(const struct ew_ref_window *w, const struct ew_tensor *in)
{
    for (int i = 0; i < 2; i++) {
        const int32_t last = w->first[i] + (w->extent[i] - 1) + (w->kernel[i] - 1) * w->dilation[i];
        if (w->stride[i] != 1 || w->first[i] < in->box.lo[EW_H + i] ||
            last >= in->box.hi[EW_H + i]) {
            return false;
        }
    }
    return true;
}

struct ew_ref_window ew_ref_window_direct(const struct ew_ref_window *w, const struct ew_tensor *in)
{
    struct ew_ref_window direct = *w;
    direct.plane_rows = ew_box_extent(&in->box, EW_H);
    direct.plane_columns = ew_box_extent(&in->box, EW_W);
    direct.channel_floats = (size_t)direct.plane_rows * (size_t)direct.plane_columns;
    direct.n_flat = (uint32_t)((w->extent[0] - 1) * direct.plane_columns + w->extent[1]);
    return direct;
}

const float *ew_ref_window_origin(const struct ew_ref_window *w, const struct ew_tensor *in,
                                  int32_t n, int32_t c)
{
    return ew_tensor_at(in, n, c, w->first[0], w->first[1]);
}

/* How many of first, first + stride, ... lie below `end`; at most n. */
static int32_t count_below(int32_t first, int32_t stride, int32_t n, int32_t end)
{
    const int32_t count = end > first ? (end - first + stride - 1) / stride : 0;
    return count < n ? count : n;
}

/* One row of one phase: columns first, first + stride, ... of an input row that holds [lo, hi). */
static void fill_row(float *to, int32_t n, const float *row, int32_t first, int32_t stride,
                     int32_t lo, int32_t hi, float pad)
{
    const int32_t begin = count_below(first, stride, n, lo);
    const int32_t end = count_below(first, stride, n, hi);
    for (int32_t x = 0; x < begin; x++) {
        to[x] = pad;
    }
    const float *from = row + (first + begin * stride - lo);
    if (stride == 1 && end > begin) {
        memcpy(to + begin, from, (size_t)(end - begin) * sizeof *to);
    } else if (stride == 2) {
        for (int32_t x = begin; x < end; x++, from += 2) {
            to[x] = *from;
        }
    } else {
        for (int32_t x = begin; x < end; x++, from += stride) {
            to[x] = *from;
        }
    }
    for (int32_t x = end > begin ? end : begin; x < n; x++) {
        to[x] = pad;
    }
}

static void fill_phase(float *to, const struct ew_ref_window *w, const struct ew_tensor *in,
                       int32_t n, int32_t c, const int32_t phase[2], float pad)
{
    for (int32_t r = 0; r < w->plane_rows; r++, to += w->plane_columns) {
        const int32_t y = w->first[0] + r * w->stride[0] + phase[0];
        if (y < in->box.lo[EW_H] || y >= in->box.hi[EW_H]) {
            for (int32_t x = 0; x < w->plane_columns; x++) {
                to[x] = pad;
            }
            continue;
        }
        fill_row(to, w->plane_columns, ew_tensor_at(in, n, c, y, in->box.lo[EW_W]),
                 w->first[1] + phase[1], w->stride[1], in->box.lo[EW_W], in->box.hi[EW_W], pad);
    }
}

void ew_ref_window_fill(float *to, const struct ew_ref_window *w, const struct ew_tensor *in,
                        int32_t n, int32_t c_lo, int32_t c_hi, float pad)
{
    const size_t plane = (size_t)w->plane_rows * (size_t)w->plane_columns;
    for (int32_t c = c_lo; c < c_hi; c++) {
        int32_t phase[2];
        for (phase[0] = 0; phase[0] < w->n_phases[0]; phase[0]++) {
            for (phase[1] = 0; phase[1] < w->n_phases[1]; phase[1]++) {
                fill_phase(to, w, in, n, c, phase, pad);
                to += plane;
            }
        }
    }
    for (int i = 0; i < EW_KERNEL_SLACK; i++) {
        to[i] = 0.0f;
    }
}

size_t ew_ref_window_floats(const struct ew_ref_window *w, int32_t n_channels)
{
    return w->channel_floats * (size_t)n_channels + EW_KERNEL_SLACK;
}

void ew_ref_window_offsets(ptrdiff_t *out, const struct ew_ref_window *w, int32_t n_channels)
{
    for (int32_t c = 0; c < n_channels; c++) {
        for (int32_t u = 0; u < w->kernel[0]; u++) {
            const int32_t y = u * w->dilation[0];
            for (int32_t v = 0; v < w->kernel[1]; v++) {
                const int32_t x = v * w->dilation[1];
                const ptrdiff_t phase =
                    (ptrdiff_t)(y % w->stride[0]) * w->n_phases[1] + x % w->stride[1];
                const ptrdiff_t row = phase * w->plane_rows + y / w->stride[0];
                *out++ =
                    (ptrdiff_t)w->channel_floats * c + row * w->plane_columns + x / w->stride[1];
            }
        }
    }
}

void ew_ref_window_emit(float *plane, const struct ew_ref_window *w, const float *from, uint32_t q,
                        uint32_t n)
{
    const uint32_t pitch = (uint32_t)w->plane_columns;
    const uint32_t wanted = (uint32_t)w->extent[1];
    const uint32_t end = q + n < w->n_flat ? q + n : w->n_flat;
    for (uint32_t row = q / pitch; row * pitch < end; row++) {
        const uint32_t lo = row * pitch > q ? row * pitch : q;
        const uint32_t hi = row * pitch + wanted < end ? row * pitch + wanted : end;
        if (lo < hi) {
            memcpy(plane + (size_t)row * wanted + (lo - row * pitch), from + (lo - q),
                   (hi - lo) * sizeof *plane);
        }
    }
}
