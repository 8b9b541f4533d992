/*
 * Receptive fields: which box of an input a box of the output reads, and which box of the output
 * reads a box of an input. All exact hulls. In every op but reshape and fc the question falls apart
 * into one interval per dimension.
 */
#include "model/op.h"

/* lo <= x < hi; 64 bits so that window arithmetic cannot overflow. */
struct span {
    int64_t lo;
    int64_t hi;
};

struct field {
    struct span c;
    struct span h;
    struct span w;
};

static struct span make_span(int64_t lo, int64_t hi)
{
    return (struct span){lo, hi};
}

static bool is_span_empty(struct span s)
{
    return s.lo >= s.hi;
}

static struct span clip(struct span s, int64_t size)
{
    return make_span(s.lo > 0 ? s.lo : 0, s.hi < size ? s.hi : size);
}

static struct span shift(struct span s, int64_t by)
{
    return make_span(s.lo + by, s.hi + by);
}

static struct span whole(int64_t size)
{
    return make_span(0, size);
}

static const struct span nothing = {0, 0};

/* Box with the batch interval of `like`; all zero when the field is empty. */
static struct ew_box box_of(struct field f, const struct ew_box *like)
{
    struct ew_box b = {{0}, {0}};
    if (is_span_empty(f.c) || is_span_empty(f.h) || is_span_empty(f.w)) {
        return b;
    }
    const struct span spans[] = {f.c, f.h, f.w};
    b.lo[EW_N] = like->lo[EW_N];
    b.hi[EW_N] = like->hi[EW_N];
    for (int i = 0; i < 3; i++) {
        b.lo[EW_C + i] = (int32_t)spans[i].lo;
        b.hi[EW_C + i] = (int32_t)spans[i].hi;
    }
    return b;
}

/* Channels, rows and columns of a box, clipped to the tensor. */
static struct field field_of(const struct ew_box *b, const int32_t shape[EW_DIMS])
{
    struct field f = {clip(make_span(b->lo[EW_C], b->hi[EW_C]), shape[EW_C]),
                      clip(make_span(b->lo[EW_H], b->hi[EW_H]), shape[EW_H]),
                      clip(make_span(b->lo[EW_W], b->hi[EW_W]), shape[EW_W])};
    return f;
}

static bool is_field_empty(struct field f)
{
    return is_span_empty(f.c) || is_span_empty(f.h) || is_span_empty(f.w);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return -floor_div(-a, b);
}

/* ---- sliding windows: output o reads inputs o*stride - pad + k*dilation, 0 <= k < kernel ---- */

struct window {
    int64_t kernel;
    int64_t stride;
    int64_t pad;
    int64_t dilation;
};

static struct window window_of(const struct ew_op_view *layer, int axis)
{
    const struct ew_op_attrs *a = layer->attrs;
    const bool is_dilated = layer->op != EW_OP_AVG_POOL;
    struct window w = {a->kernel[axis], a->stride[axis], a->pads[axis],
                       is_dilated ? a->dilation[axis] : 1};
    return w;
}

/* Least input index >= 0 read by outputs `out`; `none` when there is none. */
static int64_t first_read(struct window w, struct span out, int64_t none)
{
    const int64_t start = out.lo * w.stride - w.pad;
    if (start >= 0) {
        return start;
    }
    if (w.dilation == 1) { /* windows are solid: the first that reaches 0 */
        const int64_t reaching = ceil_div(w.pad - (w.kernel - 1), w.stride);
        const int64_t o = reaching > out.lo ? reaching : out.lo;
        const int64_t begin = o * w.stride - w.pad;
        return o >= out.hi ? none : begin > 0 ? begin : 0;
    }
    int64_t best = none;
    for (int64_t k = 0; k < w.kernel && best > 0; k++) {
        const int64_t tap = k * w.dilation - w.pad;
        const int64_t reaching = ceil_div(-tap, w.stride);
        const int64_t o = reaching > out.lo ? reaching : out.lo;
        if (o < out.hi && o * w.stride + tap < best) {
            best = o * w.stride + tap;
        }
    }
    return best;
}

/* Greatest input index < size read by outputs `out`; -1 when there is none. */
static int64_t last_read(struct window w, struct span out, int64_t size)
{
    const int64_t reach = (w.kernel - 1) * w.dilation;
    const int64_t end = (out.hi - 1) * w.stride - w.pad + reach;
    if (end < size) {
        return end;
    }
    if (w.dilation == 1) {
        const int64_t begun = floor_div(size - 1 + w.pad, w.stride);
        const int64_t o = begun < out.hi - 1 ? begun : out.hi - 1;
        const int64_t last = o * w.stride - w.pad + reach;
        return o < out.lo ? -1 : last < size ? last : size - 1;
    }
    int64_t best = -1;
    for (int64_t k = w.kernel - 1; k >= 0 && best < size - 1; k--) {
        const int64_t tap = k * w.dilation - w.pad;
        const int64_t begun = floor_div(size - 1 - tap, w.stride);
        const int64_t o = begun < out.hi - 1 ? begun : out.hi - 1;
        if (o >= out.lo && o * w.stride + tap > best) {
            best = o * w.stride + tap;
        }
    }
    return best;
}

static struct span window_reads(struct window w, struct span out, int64_t in_size)
{
    return make_span(first_read(w, out, in_size), last_read(w, out, in_size) + 1);
}

/* Outputs that read some of `in`. For one tap they are an interval; the hull over all taps. */
static struct span window_feeds(struct window w, struct span in, int64_t out_size)
{
    const int64_t reach = (w.kernel - 1) * w.dilation;
    if (w.dilation == 1) {
        return clip(make_span(ceil_div(in.lo + w.pad - reach, w.stride),
                              floor_div(in.hi - 1 + w.pad, w.stride) + 1),
                    out_size);
    }
    struct span hull = {out_size, 0};
    for (int64_t k = 0; k < w.kernel; k++) {
        const int64_t tap = k * w.dilation - w.pad;
        const struct span s = clip(
            make_span(ceil_div(in.lo - tap, w.stride), floor_div(in.hi - 1 - tap, w.stride) + 1),
            out_size);
        if (!is_span_empty(s)) {
            hull.lo = s.lo < hull.lo ? s.lo : hull.lo;
            hull.hi = s.hi > hull.hi ? s.hi : hull.hi;
        }
    }
    return hull;
}

/* Channels of the groups that `channels` touches; `from` and `to` are channels per group. */
static struct span same_groups(struct span channels, int64_t from, int64_t to)
{
    return make_span(channels.lo / from * to, ((channels.hi - 1) / from + 1) * to);
}

/* ---- row-major views: flatten, reshape, fc ---- */

/* The smallest box of a CxHxW tensor that holds the row-major positions [lo, hi). */
static struct field enclose_run(struct span run, const int32_t shape[EW_DIMS])
{
    const int64_t columns = shape[EW_W];
    const int64_t plane = columns * shape[EW_H];
    const int64_t last = run.hi - 1;
    struct field f = {make_span(run.lo / plane, last / plane + 1), whole(shape[EW_H]),
                      whole(columns)};
    if (f.c.hi - f.c.lo > 1) {
        return f; /* reaches the end of one plane and the begin of the next */
    }
    f.h = make_span(run.lo % plane / columns, last % plane / columns + 1);
    if (f.h.hi - f.h.lo == 1) {
        f.w = make_span(run.lo % columns, last % columns + 1);
    }
    return f;
}

static struct span join(struct span a, struct span b)
{
    return make_span(a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi);
}

/* Beyond this many separate runs the whole stretch is taken instead: a box that is larger than need
 * be, but safe. */
enum { MAX_RUNS = 1 << 16 };

/* Box of tensor `to` that holds the elements of `f` in tensor `from`, both views of the same
 * row-major sequence. The box is a union of runs, one per row, or per plane when rows are whole. */
static struct field view_through(struct field f, const int32_t from[EW_DIMS],
                                 const int32_t to[EW_DIMS])
{
    const int64_t columns = from[EW_W];
    const int64_t plane = columns * from[EW_H];
    const bool has_whole_rows = f.w.lo == 0 && f.w.hi == columns;
    const bool has_whole_planes = has_whole_rows && f.h.lo == 0 && f.h.hi == from[EW_H];
    const int64_t n_planes = f.c.hi - f.c.lo;
    const int64_t n_rows = f.h.hi - f.h.lo;
    const struct span stretch = make_span(f.c.lo * plane + f.h.lo * columns + f.w.lo,
                                          (f.c.hi - 1) * plane + (f.h.hi - 1) * columns + f.w.hi);
    const int64_t runs_per_plane = has_whole_rows ? 1 : n_rows;
    if (has_whole_planes || n_planes * runs_per_plane > MAX_RUNS) {
        return enclose_run(stretch, to);
    }
    const int64_t run_size = has_whole_rows ? n_rows * columns : f.w.hi - f.w.lo;
    struct field hull = enclose_run(make_span(stretch.lo, stretch.lo + run_size), to);
    for (int64_t c = 0; c < n_planes; c++) {
        for (int64_t r = 0; r < runs_per_plane; r++) {
            const int64_t begin = stretch.lo + c * plane + r * columns;
            const struct field g = enclose_run(make_span(begin, begin + run_size), to);
            hull.c = join(hull.c, g.c);
            hull.h = join(hull.h, g.h);
            hull.w = join(hull.w, g.w);
        }
    }
    return hull;
}

/* ---- concat, broadcast, and other ops that treat dimensions alike ---- */

static struct span *span_at(struct field *f, int d)
{
    return d == EW_C ? &f->c : d == EW_H ? &f->h : &f->w;
}

static int axis_of(const struct ew_op_attrs *a)
{
    return a->axis ? a->axis : EW_C;
}

/* Where input `input` begins along the axis. */
static int64_t concat_offset(const struct ew_op_view *layer, uint32_t input)
{
    int64_t offset = 0;
    for (uint32_t i = 0; i < input; i++) {
        offset += layer->in_shape[i][axis_of(layer->attrs)];
    }
    return offset;
}

/* Where one shape has a single element and the other several, all of `to`. */
static struct field broadcast(struct field f, const int32_t from[EW_DIMS],
                              const int32_t to[EW_DIMS])
{
    for (int d = EW_C; d < EW_DIMS; d++) {
        if (from[d] != to[d]) {
            *span_at(&f, d) = whole(to[d]);
        }
    }
    return f;
}

/* Whole along dimensions [first, end). */
static struct field widen(struct field f, const int32_t shape[EW_DIMS], int first, int end)
{
    for (int d = first; d < end; d++) {
        *span_at(&f, d) = whole(shape[d]);
    }
    return f;
}

static struct field transpose_reads(const struct ew_op_view *layer, struct field f)
{
    struct field g = f;
    for (int i = 0; i < 3; i++) {
        *span_at(&g, layer->attrs->perm[i]) = *span_at(&f, EW_C + i);
    }
    return g;
}

static struct field transpose_feeds(const struct ew_op_view *layer, struct field f)
{
    struct field g = f;
    for (int i = 0; i < 3; i++) {
        *span_at(&g, EW_C + i) = *span_at(&f, layer->attrs->perm[i]);
    }
    return g;
}

static struct field slice_reads(const struct ew_op_attrs *a, struct field f)
{
    for (int i = 0; i < 3; i++) {
        struct span *s = span_at(&f, EW_C + i);
        *s =
            make_span(a->begin[i] + s->lo * a->step[i], a->begin[i] + (s->hi - 1) * a->step[i] + 1);
    }
    return f;
}

static struct field slice_feeds(const struct ew_op_view *layer, struct field f)
{
    const struct ew_op_attrs *a = layer->attrs;
    for (int i = 0; i < 3; i++) {
        struct span *s = span_at(&f, EW_C + i);
        *s = clip(make_span(ceil_div(s->lo - a->begin[i], a->step[i]),
                            floor_div(s->hi - 1 - a->begin[i], a->step[i]) + 1),
                  layer->out_shape[EW_C + i]);
    }
    return f;
}

/* Channels read by output channels `s` when channel c reads (c % groups) * width + c / groups. The
 * least comes from the first channel with the least remainder, the greatest from the last with the
 * greatest. */
static struct span shuffle_channels(struct span s, int64_t groups, int64_t width)
{
    const int64_t q_lo = s.lo / groups, q_hi = (s.hi - 1) / groups;
    int64_t r_lo = s.lo % groups, r_hi = (s.hi - 1) % groups;
    if (q_lo == q_hi) {
        return make_span(r_lo * width + q_lo, r_hi * width + q_lo + 1);
    }
    const int64_t least = r_lo == 0 ? q_lo : q_lo + 1;
    const int64_t most = r_hi == groups - 1 ? q_hi : q_hi - 1;
    return make_span(least, (groups - 1) * width + most + 1);
}

/* ---- resize ---- */

/* Input at or before the place that output `i` looks at, of `in` inputs and `out` outputs. */
static int64_t resize_base(int64_t i, int64_t in, int64_t out, int32_t mode)
{
    if (mode == EW_RESIZE_NEAREST) {
        return i * in / out;
    }
    if (mode == EW_RESIZE_ALIGNED) {
        return out > 1 ? i * (in - 1) / (out - 1) : 0;
    }
    return floor_div((2 * i + 1) * in - out, 2 * out);
}

/* Taps before and behind the base. */
static struct span resize_reach(int32_t mode)
{
    return mode == EW_RESIZE_NEAREST ? make_span(0, 0)
           : mode == EW_RESIZE_CUBIC ? make_span(-1, 2)
                                     : make_span(0, 1);
}

/* Taps beyond the edge read the element at the edge. */
static int64_t at_edge(int64_t i, int64_t size)
{
    return i < 0 ? 0 : i < size ? i : size - 1;
}

static struct span resize_reads(struct span s, int64_t in, int64_t out, int32_t mode)
{
    const struct span reach = resize_reach(mode);
    return make_span(at_edge(resize_base(s.lo, in, out, mode) + reach.lo, in),
                     at_edge(resize_base(s.hi - 1, in, out, mode) + reach.hi, in) + 1);
}

/* Outputs that read some of `s`: bases grow with the output, so two searches find the ends. */
static struct span resize_feeds(struct span s, int64_t in, int64_t out, int32_t mode)
{
    struct span found = {0, out};
    for (int64_t hi = out; found.lo < hi;) { /* first that reaches s.lo */
        const int64_t mid = found.lo + (hi - found.lo) / 2;
        if (resize_reads(make_span(mid, mid + 1), in, out, mode).hi > s.lo) {
            hi = mid;
        } else {
            found.lo = mid + 1;
        }
    }
    for (int64_t lo = found.lo; lo < found.hi;) { /* first that begins at s.hi or later */
        const int64_t mid = lo + (found.hi - lo) / 2;
        if (resize_reads(make_span(mid, mid + 1), in, out, mode).lo >= s.hi) {
            found.hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return found;
}

/* ---- the two directions ---- */

static struct field conv_reads(const struct ew_op_view *layer, struct field f,
                               const struct ew_reduction *reduction)
{
    const int32_t *in = layer->in_shape[0];
    const struct ew_op_attrs *a = layer->attrs;
    f.h = window_reads(window_of(layer, 0), f.h, in[EW_H]);
    f.w = window_reads(window_of(layer, 1), f.w, in[EW_W]);
    if (reduction && a->groups == 1) {
        f.c = clip(make_span(reduction->lo, reduction->hi), in[EW_C]);
    } else {
        f.c = same_groups(f.c, a->out_channels / a->groups, in[EW_C] / a->groups);
    }
    return f;
}

static struct field fc_reads(const struct ew_op_view *layer, const struct ew_reduction *reduction)
{
    const int32_t *in = layer->in_shape[0];
    struct span run = whole(ew_op_reduction_length(layer));
    if (reduction) {
        run = clip(make_span(reduction->lo, reduction->hi), run.hi);
    }
    if (is_span_empty(run)) {
        return (struct field){nothing, nothing, nothing};
    }
    return enclose_run(run, in);
}

/* Products of a row of input 0 and a column of input 1. */
static struct field matmul_reads(const struct ew_op_view *layer, uint32_t input, struct field f)
{
    const int32_t *in = layer->in_shape[input];
    if (input == 0) {
        f.w = whole(in[EW_W]);
        return f;
    }
    f.h = whole(in[EW_H]);
    if (in[EW_C] != layer->out_shape[EW_C]) {
        f.c = whole(1);
    }
    return f;
}

static struct field matmul_feeds(const struct ew_op_view *layer, uint32_t input, struct field f)
{
    const int32_t *out = layer->out_shape;
    if (input == 0) {
        f.w = whole(out[EW_W]);
        return f;
    }
    f.h = whole(out[EW_H]);
    if (layer->in_shape[1][EW_C] != out[EW_C]) {
        f.c = whole(out[EW_C]);
    }
    return f;
}

/* The window of a conv_transpose is that of a conv from its output to its input. */
static struct field conv_transpose_reads(const struct ew_op_view *layer, struct field f)
{
    const int32_t *in = layer->in_shape[0];
    const struct ew_op_attrs *a = layer->attrs;
    f.c = same_groups(f.c, a->out_channels / a->groups, in[EW_C] / a->groups);
    f.h = window_feeds(window_of(layer, 0), f.h, in[EW_H]);
    f.w = window_feeds(window_of(layer, 1), f.w, in[EW_W]);
    return f;
}

static struct field conv_transpose_feeds(const struct ew_op_view *layer, struct field f)
{
    const int32_t *out = layer->out_shape;
    const struct ew_op_attrs *a = layer->attrs;
    f.c = same_groups(f.c, layer->in_shape[0][EW_C] / a->groups, a->out_channels / a->groups);
    f.h = window_reads(window_of(layer, 0), f.h, out[EW_H]);
    f.w = window_reads(window_of(layer, 1), f.w, out[EW_W]);
    return f;
}

/* `f` is not empty and inside the output. */
static struct field reads(const struct ew_op_view *layer, uint32_t input, struct field f,
                          const struct ew_reduction *reduction)
{
    const int32_t *in = layer->in_shape[input];
    const struct ew_op_attrs *a = layer->attrs;
    switch (layer->op) {
    case EW_OP_CONV:
        return conv_reads(layer, f, reduction);
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        f.h = window_reads(window_of(layer, 0), f.h, in[EW_H]);
        f.w = window_reads(window_of(layer, 1), f.w, in[EW_W]);
        return f;
    case EW_OP_GLOBAL_AVG_POOL:
    case EW_OP_GLOBAL_MAX_POOL:
        f.h = whole(in[EW_H]);
        f.w = whole(in[EW_W]);
        return f;
    case EW_OP_FC:
        return fc_reads(layer, reduction);
    case EW_OP_LRN:
        f.c = clip(make_span(f.c.lo - a->size / 2, f.c.hi + a->size / 2), in[EW_C]);
        return f;
    case EW_OP_SOFTMAX:
        return widen(f, in, axis_of(a), axis_of(a) + 1);
    case EW_OP_LAYERNORM:
        return widen(f, in, axis_of(a), EW_DIMS);
    case EW_OP_OPAQUE:
        return widen(f, in, EW_C, EW_DIMS);
    case EW_OP_LINEAR:
        return widen(f, in, EW_W, EW_DIMS);
    case EW_OP_MATMUL:
        return matmul_reads(layer, input, f);
    case EW_OP_CONV_TRANSPOSE:
        return conv_transpose_reads(layer, f);
    case EW_OP_TRANSPOSE:
        return transpose_reads(layer, f);
    case EW_OP_SLICE:
        return slice_reads(a, f);
    case EW_OP_SHUFFLE:
        f.c = shuffle_channels(f.c, a->groups, in[EW_C] / a->groups);
        return f;
    case EW_OP_RESIZE:
        f.h = resize_reads(f.h, in[EW_H], layer->out_shape[EW_H], a->mode);
        f.w = resize_reads(f.w, in[EW_W], layer->out_shape[EW_W], a->mode);
        return f;
    case EW_OP_ADD:
    case EW_OP_MUL:
        return broadcast(f, layer->out_shape, in);
    case EW_OP_CONCAT: {
        struct span *along = span_at(&f, axis_of(a));
        *along = clip(shift(*along, -concat_offset(layer, input)), in[axis_of(a)]);
        return f;
    }
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE:
        return view_through(f, layer->out_shape, in);
    case EW_OP_PAD:
        f.h = clip(shift(f.h, -a->pads[0]), in[EW_H]);
        f.w = clip(shift(f.w, -a->pads[1]), in[EW_W]);
        return f;
    case EW_OP_UPSAMPLE:
        f.h = make_span(f.h.lo / a->scale[0], (f.h.hi - 1) / a->scale[0] + 1);
        f.w = make_span(f.w.lo / a->scale[1], (f.w.hi - 1) / a->scale[1] + 1);
        return f;
    default:
        return f;
    }
}

/* `f` is not empty and inside the input. */
static struct field feeds(const struct ew_op_view *layer, uint32_t input, struct field f)
{
    const int32_t *in = layer->in_shape[input];
    const int32_t *out = layer->out_shape;
    const struct ew_op_attrs *a = layer->attrs;
    switch (layer->op) {
    case EW_OP_CONV:
        f.c = same_groups(f.c, in[EW_C] / a->groups, a->out_channels / a->groups);
        f.h = window_feeds(window_of(layer, 0), f.h, out[EW_H]);
        f.w = window_feeds(window_of(layer, 1), f.w, out[EW_W]);
        return f;
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        f.h = window_feeds(window_of(layer, 0), f.h, out[EW_H]);
        f.w = window_feeds(window_of(layer, 1), f.w, out[EW_W]);
        return f;
    case EW_OP_GLOBAL_AVG_POOL:
    case EW_OP_GLOBAL_MAX_POOL:
        f.h = whole(1);
        f.w = whole(1);
        return f;
    case EW_OP_FC:
        return (struct field){whole(out[EW_C]), whole(1), whole(1)};
    case EW_OP_LRN:
        f.c = clip(make_span(f.c.lo - a->size / 2, f.c.hi + a->size / 2), out[EW_C]);
        return f;
    case EW_OP_SOFTMAX:
        return widen(f, out, axis_of(a), axis_of(a) + 1);
    case EW_OP_LAYERNORM:
        return widen(f, out, axis_of(a), EW_DIMS);
    case EW_OP_OPAQUE:
        return widen(f, out, EW_C, EW_DIMS);
    case EW_OP_LINEAR:
        return widen(f, out, EW_W, EW_DIMS);
    case EW_OP_MATMUL:
        return matmul_feeds(layer, input, f);
    case EW_OP_CONV_TRANSPOSE:
        return conv_transpose_feeds(layer, f);
    case EW_OP_TRANSPOSE:
        return transpose_feeds(layer, f);
    case EW_OP_SLICE:
        return slice_feeds(layer, f);
    case EW_OP_SHUFFLE: /* its inverse is the shuffle with the other factor */
        f.c = shuffle_channels(f.c, in[EW_C] / a->groups, a->groups);
        return f;
    case EW_OP_RESIZE:
        f.h = resize_feeds(f.h, in[EW_H], out[EW_H], a->mode);
        f.w = resize_feeds(f.w, in[EW_W], out[EW_W], a->mode);
        return f;
    case EW_OP_ADD:
    case EW_OP_MUL:
        return broadcast(f, in, out);
    case EW_OP_CONCAT: {
        struct span *along = span_at(&f, axis_of(a));
        *along = shift(*along, concat_offset(layer, input));
        return f;
    }
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE:
        return view_through(f, in, out);
    case EW_OP_PAD:
        f.h = shift(f.h, a->pads[0]);
        f.w = shift(f.w, a->pads[1]);
        return f;
    case EW_OP_UPSAMPLE:
        f.h = make_span(f.h.lo * a->scale[0], f.h.hi * a->scale[0]);
        f.w = make_span(f.w.lo * a->scale[1], f.w.hi * a->scale[1]);
        return f;
    default:
        return f;
    }
}

static const struct ew_box no_box = {{0, 0, 0, 0}, {0, 0, 0, 0}};

struct ew_box ew_op_input_box(const struct ew_op_view *layer, uint32_t input,
                              const struct ew_box *out, const struct ew_reduction *reduction)
{
    const struct field f = field_of(out, layer->out_shape);
    if (input >= layer->n_inputs || out->lo[EW_N] >= out->hi[EW_N] || is_field_empty(f)) {
        return no_box;
    }
    return box_of(reads(layer, input, f, reduction), out);
}

struct ew_box ew_op_output_box(const struct ew_op_view *layer, uint32_t input,
                               const struct ew_box *in)
{
    if (input >= layer->n_inputs || in->lo[EW_N] >= in->hi[EW_N]) {
        return no_box;
    }
    const struct field f = field_of(in, layer->in_shape[input]);
    return is_field_empty(f) ? no_box : box_of(feeds(layer, input, f), in);
}
