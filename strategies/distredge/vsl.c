#include "distredge/vsl.h"

#include <math.h>
#include <stdbool.h>

/* Far outside of any tensor; no product of two such numbers overflows. */
static const int64_t FAR = INT64_C(1) << 31;

static int64_t bounded(int64_t row)
{
    return row < -FAR ? -FAR : row > FAR ? FAR : row;
}

struct vsl_rows vsl_input(const struct vsl_unit *unit, enum vsl_law law, struct vsl_rows out)
{
    if (out.lo >= out.hi) {
        return (struct vsl_rows){0, 0};
    }
    struct vsl_rows in = {
        .lo = bounded(out.lo * unit->stride - unit->pad),
        .hi = bounded((out.hi - 1) * unit->stride - unit->pad + unit->kernel),
    };
    if (law == VSL_CLAMPED) {
        in.lo = in.lo < 0 ? 0 : in.lo;
        in.hi = in.hi > unit->in_rows ? unit->in_rows : in.hi;
    }
    return in;
}

static int64_t floor_division(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct vsl_rows vsl_rescale(struct vsl_rows rows, int32_t from, int32_t to)
{
    if (from == to) {
        return rows;
    }
    return (struct vsl_rows){bounded(floor_division(rows.lo * to, from)),
                             bounded(-floor_division(-rows.hi * to, from))};
}

int64_t vsl_count(struct vsl_rows rows)
{
    return rows.hi > rows.lo ? rows.hi - rows.lo : 0;
}

int64_t vsl_missing(struct vsl_rows need, struct vsl_rows have)
{
    struct vsl_rows common = {
        .lo = need.lo > have.lo ? need.lo : have.lo,
        .hi = need.hi < have.hi ? need.hi : have.hi,
    };
    return vsl_count(need) - vsl_count(common);
}

int32_t vsl_round(double exact)
{
    double below = floor(exact);
    double rest = exact - below;
    bool is_up = rest > 0.5 || (rest == 0.5 && fmod(below, 2.0) != 0.0);
    return (int32_t)below + (is_up ? 1 : 0);
}

void vsl_cuts(int32_t *out, const double *fractions, uint32_t n_parts, int32_t rows)
{
    out[0] = 0;
    for (uint32_t i = 1; i < n_parts; i++) {
        out[i] = vsl_round(fractions[i - 1] * rows);
    }
    out[n_parts] = rows;
}
