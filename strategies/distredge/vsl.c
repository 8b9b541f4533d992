#include "distredge/vsl.h"

#include <math.h>
#include <stdbool.h>

static struct vsl_unit window(int32_t kernel, int32_t stride, int32_t pad, const int32_t shape[3],
                              int32_t out_channels, double pixel_ops)
{
    int32_t out_rows = (shape[1] + 2 * pad - kernel) / stride + 1;
    int32_t out_columns = (shape[2] + 2 * pad - kernel) / stride + 1;
    return (struct vsl_unit){
        .kernel = kernel,
        .stride = stride,
        .pad = pad,
        .in_rows = shape[1],
        .out_rows = out_rows,
        .row_ops = pixel_ops * out_columns,
        .in_elements = (double)shape[0] * shape[2],
        .out_elements = (double)out_channels * out_columns,
    };
}

struct vsl_unit vsl_conv(int32_t kernel, int32_t stride, int32_t pad, const int32_t in_shape[3],
                         int32_t out_channels)
{
    double pixel_ops = 2.0 * kernel * kernel * in_shape[0] * out_channels;
    return window(kernel, stride, pad, in_shape, out_channels, pixel_ops);
}

struct vsl_unit vsl_pool(int32_t kernel, int32_t stride, int32_t pad, const int32_t in_shape[3])
{
    double pixel_ops = (double)kernel * kernel * in_shape[0];
    return window(kernel, stride, pad, in_shape, in_shape[0], pixel_ops);
}

struct vsl_rows vsl_input(const struct vsl_unit *unit, enum vsl_law law, struct vsl_rows out)
{
    if (out.lo >= out.hi) {
        return (struct vsl_rows){0, 0};
    }
    struct vsl_rows in = {
        .lo = out.lo * unit->stride - unit->pad,
        .hi = (out.hi - 1) * unit->stride - unit->pad + unit->kernel,
    };
    if (law == VSL_CLAMPED) {
        in.lo = in.lo < 0 ? 0 : in.lo;
        in.hi = in.hi > unit->in_rows ? unit->in_rows : in.hi;
    }
    return in;
}

int32_t vsl_count(struct vsl_rows rows)
{
    return rows.hi > rows.lo ? rows.hi - rows.lo : 0;
}

int32_t vsl_missing(struct vsl_rows need, struct vsl_rows have)
{
    struct vsl_rows common = {
        .lo = need.lo > have.lo ? need.lo : have.lo,
        .hi = need.hi < have.hi ? need.hi : have.hi,
    };
    return vsl_count(need) - vsl_count(common);
}

void vsl_cuts(int32_t *out, const double *fractions, uint32_t n_parts, int32_t rows)
{
    out[0] = 0;
    for (uint32_t i = 1; i < n_parts; i++) {
        /* Round half to even whatever the floating-point mode. */
        double exact = fractions[i - 1] * rows;
        double below = floor(exact);
        double rest = exact - below;
        bool is_up = rest > 0.5 || (rest == 0.5 && fmod(below, 2.0) != 0.0);
        out[i] = (int32_t)below + (is_up ? 1 : 0);
    }
    out[n_parts] = rows;
}
