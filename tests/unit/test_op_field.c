/*
 * Receptive fields of operators: closed forms, and for every op that has one against brute force
 * over single elements; counts against the same enumeration.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "model/op.h"
#include "support/op_sample.h"
#include "support/suite.h"

enum { MAX_TAPS = 4096 };

static void expect_box(const struct ew_box *got, const struct ew_box *want, const char *what)
{
    ck_assert_msg(ew_box_equal(got, want),
                  "%s: got [%d,%d)x[%d,%d)x[%d,%d)x[%d,%d), want [%d,%d)x[%d,%d)x[%d,%d)x[%d,%d)",
                  what, got->lo[0], got->hi[0], got->lo[1], got->hi[1], got->lo[2], got->hi[2],
                  got->lo[3], got->hi[3], want->lo[0], want->hi[0], want->lo[1], want->hi[1],
                  want->lo[2], want->hi[2], want->lo[3], want->hi[3]);
}

/* ---- receptive fields, closed forms ---- */

START_TEST(field_of_conv_rows)
{
    struct op_sample s;
    op_sample_init_conv(&s, 64, 56, 56, 128, 3, 1, 1);
    op_sample_infer_or_die(&s);
    /* rows [o0 - 1, o1 + 1) clipped; every input channel */
    const struct ew_box top = op_box(0, 128, 0, 28, 0, 56), bottom = op_box(5, 6, 28, 56, 0, 56);
    struct ew_box got = ew_op_input_box(&s.view, 0, &top, NULL);
    struct ew_box want = op_box(0, 64, 0, 29, 0, 56);
    expect_box(&got, &want, "top");
    got = ew_op_input_box(&s.view, 0, &bottom, NULL);
    want = op_box(0, 64, 27, 56, 0, 56);
    expect_box(&got, &want, "bottom");
    const struct ew_box in = op_box(0, 1, 27, 28, 0, 1);
    got = ew_op_output_box(&s.view, 0, &in);
    want = op_box(0, 128, 26, 29, 0, 2);
    expect_box(&got, &want, "forward");
}
END_TEST

START_TEST(field_keeps_batch_interval)
{
    struct op_sample s;
    op_sample_init_conv(&s, 3, 8, 8, 4, 3, 1, 1);
    op_sample_infer_or_die(&s);
    struct ew_box out = op_box(0, 4, 0, 8, 0, 8);
    out.lo[EW_N] = 5;
    out.hi[EW_N] = 9;
    const struct ew_box in = ew_op_input_box(&s.view, 0, &out, NULL);
    ck_assert_int_eq(in.lo[EW_N], 5);
    ck_assert_int_eq(in.hi[EW_N], 9);
    const struct ew_box back = ew_op_output_box(&s.view, 0, &in);
    ck_assert_int_eq(back.lo[EW_N], 5);
    ck_assert_int_eq(back.hi[EW_N], 9);
}
END_TEST

START_TEST(field_of_fc_reduction_is_smallest_box)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_FC, 1);
    op_set_shape(s.in_shape[0], 4, 3, 5); /* 15 positions per channel */
    s.attrs.out_channels = 7;
    op_sample_infer_or_die(&s);
    const struct ew_box out = op_box(2, 3, 0, 1, 0, 1);
    const struct {
        struct ew_reduction reduction;
        struct ew_box want;
    } cases[] = {
        {{0, 60}, {{0, 0, 0, 0}, {1, 4, 3, 5}}},  {{16, 19}, {{0, 1, 0, 1}, {1, 2, 1, 4}}},
        {{16, 26}, {{0, 1, 0, 0}, {1, 2, 3, 5}}}, {{18, 22}, {{0, 1, 0, 0}, {1, 2, 2, 5}}},
        {{14, 16}, {{0, 0, 0, 0}, {1, 2, 3, 5}}}, {{59, 99}, {{0, 3, 2, 4}, {1, 4, 3, 5}}},
        {{30, 30}, {{0, 0, 0, 0}, {0, 0, 0, 0}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ew_box got = ew_op_input_box(&s.view, 0, &out, &cases[i].reduction);
        expect_box(&got, &cases[i].want, "fc");
    }
}
END_TEST

START_TEST(field_is_empty_where_nothing_is_read)
{
    struct op_sample s;
    const struct ew_box zero = {{0}, {0}};
    op_sample_init(&s, EW_OP_CONCAT, 2);
    op_set_shape(s.in_shape[0], 3, 4, 4);
    op_set_shape(s.in_shape[1], 5, 4, 4);
    op_sample_infer_or_die(&s);
    const struct ew_box first = op_box(0, 3, 0, 4, 0, 4);
    struct ew_box got = ew_op_input_box(&s.view, 1, &first, NULL);
    expect_box(&got, &zero, "other branch");
    got = ew_op_input_box(&s.view, 2, &first, NULL);
    expect_box(&got, &zero, "no such input");
    const struct ew_box empty = op_box(2, 2, 0, 4, 0, 4), outside = op_box(0, 1, 9, 12, 0, 4);
    got = ew_op_input_box(&s.view, 0, &empty, NULL);
    expect_box(&got, &zero, "empty box");
    got = ew_op_output_box(&s.view, 0, &outside);
    expect_box(&got, &zero, "box outside");
    op_sample_init_conv(&s, 1, 4, 4, 1, 1, 3, 0); /* rows 0 and 3 only */
    op_sample_infer_or_die(&s);
    const struct ew_box skipped = op_box(0, 1, 1, 3, 0, 4);
    got = ew_op_output_box(&s.view, 0, &skipped);
    expect_box(&got, &zero, "rows between strides");
}
END_TEST

/* ---- receptive fields against brute force ---- */

struct taps {
    int32_t at[MAX_TAPS][3];
    size_t count;
};

static void add_tap(struct taps *taps, const int32_t shape[EW_DIMS], int32_t c, int32_t h,
                    int32_t w)
{
    if (c >= 0 && c < shape[EW_C] && h >= 0 && h < shape[EW_H] && w >= 0 && w < shape[EW_W]) {
        if (taps->count >= MAX_TAPS) { /* an assertion that holds costs more than all the rest */
            ck_abort_msg("more than %d taps", MAX_TAPS);
        }
        taps->at[taps->count][0] = c;
        taps->at[taps->count][1] = h;
        taps->at[taps->count][2] = w;
        taps->count++;
    }
}

static void add_planes(struct taps *taps, const int32_t shape[EW_DIMS], int32_t c0, int32_t c1)
{
    for (int32_t c = c0; c < c1; c++) {
        for (int32_t h = 0; h < shape[EW_H]; h++) {
            for (int32_t w = 0; w < shape[EW_W]; w++) {
                add_tap(taps, shape, c, h, w);
            }
        }
    }
}

/* Window taps of output (h, w) in channels [c0, c1). */
static void add_window(struct taps *taps, const struct op_sample *s, int32_t c0, int32_t c1,
                       int32_t h, int32_t w)
{
    const struct ew_op_attrs *a = &s->attrs;
    const bool is_dilated = s->view.op != EW_OP_AVG_POOL;
    for (int32_t c = c0; c < c1; c++) {
        for (int32_t y = 0; y < a->kernel[0]; y++) {
            for (int32_t x = 0; x < a->kernel[1]; x++) {
                add_tap(taps, s->in_shape[0], c,
                        h * a->stride[0] - a->pads[0] + y * (is_dilated ? a->dilation[0] : 1),
                        w * a->stride[1] - a->pads[1] + x * (is_dilated ? a->dilation[1] : 1));
            }
        }
    }
}

static int axis_of(const struct op_sample *s)
{
    return s->attrs.axis ? s->attrs.axis : EW_C;
}

static int32_t size_before(const struct op_sample *s, uint32_t input)
{
    int32_t n = 0;
    for (uint32_t i = 0; i < input; i++) {
        n += s->in_shape[i][axis_of(s)];
    }
    return n;
}

/* The elements that are normalised together with (c, h, w). */
static void add_group(struct taps *taps, const struct op_sample *s, int32_t c, int32_t h, int32_t w)
{
    const int32_t *in = s->in_shape[0], at[EW_DIMS] = {0, c, h, w};
    int32_t lo[EW_DIMS], hi[EW_DIMS];
    for (int d = EW_C; d < EW_DIMS; d++) {
        const bool is_whole = s->view.op == EW_OP_SOFTMAX ? d == axis_of(s) : d >= axis_of(s);
        lo[d] = is_whole ? 0 : at[d];
        hi[d] = is_whole ? in[d] : at[d] + 1;
    }
    for (int32_t k = lo[EW_C]; k < hi[EW_C]; k++) {
        for (int32_t y = lo[EW_H]; y < hi[EW_H]; y++) {
            for (int32_t x = lo[EW_W]; x < hi[EW_W]; x++) {
                add_tap(taps, in, k, y, x);
            }
        }
    }
}

/* Every input that a conv_transpose spreads over output (h, w): input i and tap k meet at
 * i * stride - pad + k * dilation. */
static void add_transposed_window(struct taps *taps, const struct op_sample *s, int32_t c,
                                  int32_t h, int32_t w)
{
    const struct ew_op_attrs *a = &s->attrs;
    const int32_t *in = s->in_shape[0];
    const int32_t width = in[EW_C] / a->groups, group = c / (a->out_channels / a->groups);
    for (int32_t k = group * width; k < (group + 1) * width; k++) {
        for (int32_t y = 0; y < in[EW_H]; y++) {
            for (int32_t x = 0; x < in[EW_W]; x++) {
                for (int32_t t = 0; t < a->kernel[0] * a->kernel[1]; t++) {
                    const int32_t ty = t / a->kernel[1], tx = t % a->kernel[1];
                    if (y * a->stride[0] - a->pads[0] + ty * a->dilation[0] == h &&
                        x * a->stride[1] - a->pads[1] + tx * a->dilation[1] == w) {
                        add_tap(taps, in, k, y, x);
                    }
                }
            }
        }
    }
}

/* First input that resize looks at for output i, and how many, before those beyond the edges are
 * moved to the edge. In doubles, unlike the implementation. */
static int32_t resize_taps(int32_t *first, int32_t mode, int32_t i, int32_t in, int32_t out)
{
    const double centre = (i + 0.5) * in / out - 0.5;
    switch (mode) {
    case EW_RESIZE_NEAREST:
        *first = (int32_t)floor((double)i * in / out + 1e-9);
        return 1;
    case EW_RESIZE_ALIGNED:
        *first = out > 1 ? (int32_t)floor((double)i * (in - 1) / (out - 1) + 1e-9) : 0;
        return 2;
    case EW_RESIZE_LINEAR:
        *first = (int32_t)floor(centre + 1e-9);
        return 2;
    default:
        *first = (int32_t)floor(centre + 1e-9) - 1;
        return 4;
    }
}

static int32_t clamp(int32_t i, int32_t size)
{
    return i < 0 ? 0 : i < size ? i : size - 1;
}

static void add_interpolation(struct taps *taps, const struct op_sample *s, int32_t c, int32_t h,
                              int32_t w)
{
    const int32_t *in = s->in_shape[0], *out = s->out_shape;
    int32_t y, x;
    const int32_t ny = resize_taps(&y, s->attrs.mode, h, in[EW_H], out[EW_H]);
    const int32_t nx = resize_taps(&x, s->attrs.mode, w, in[EW_W], out[EW_W]);
    for (int32_t i = 0; i < ny; i++) {
        for (int32_t k = 0; k < nx; k++) {
            add_tap(taps, in, c, clamp(y + i, in[EW_H]), clamp(x + k, in[EW_W]));
        }
    }
}

/* Input elements that output (c, h, w) reads, straight from each op's definition. */
static void list_taps(struct taps *taps, const struct op_sample *s, uint32_t input, int32_t c,
                      int32_t h, int32_t w)
{
    const struct ew_op_attrs *a = &s->attrs;
    const int32_t *in = s->in_shape[input];
    const int32_t *out = s->out_shape;
    taps->count = 0;
    switch (s->view.op) {
    case EW_OP_CONV: {
        const int32_t group = c / (a->out_channels / a->groups);
        const int32_t width = in[EW_C] / a->groups;
        add_window(taps, s, group * width, (group + 1) * width, h, w);
        break;
    }
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        add_window(taps, s, c, c + 1, h, w);
        break;
    case EW_OP_GLOBAL_AVG_POOL:
    case EW_OP_GLOBAL_MAX_POOL:
        add_planes(taps, in, c, c + 1);
        break;
    case EW_OP_FC:
        add_planes(taps, in, 0, in[EW_C]);
        break;
    case EW_OP_LRN:
        for (int32_t k = c - a->size / 2; k <= c + a->size / 2; k++) {
            add_tap(taps, in, k, h, w);
        }
        break;
    case EW_OP_SOFTMAX:
    case EW_OP_LAYERNORM:
        add_group(taps, s, c, h, w);
        break;
    case EW_OP_ADD:
    case EW_OP_MUL:
        add_tap(taps, in, in[EW_C] == 1 ? 0 : c, in[EW_H] == 1 ? 0 : h, in[EW_W] == 1 ? 0 : w);
        break;
    case EW_OP_CONCAT: {
        int32_t at[EW_DIMS] = {0, c, h, w};
        at[axis_of(s)] -= size_before(s, input);
        add_tap(taps, in, at[EW_C], at[EW_H], at[EW_W]);
        break;
    }
    case EW_OP_OPAQUE:
        add_planes(taps, in, 0, in[EW_C]);
        break;
    case EW_OP_LINEAR:
        for (int32_t k = 0; k < in[EW_W]; k++) {
            add_tap(taps, in, c, h, k);
        }
        break;
    case EW_OP_MATMUL:
        for (int32_t k = 0; k < s->in_shape[0][EW_W]; k++) {
            add_tap(taps, in, in[EW_C] == 1 ? 0 : c, input == 0 ? h : k, input == 0 ? k : w);
        }
        break;
    case EW_OP_TRANSPOSE: {
        int32_t at[EW_DIMS] = {0};
        at[a->perm[0]] = c;
        at[a->perm[1]] = h;
        at[a->perm[2]] = w;
        add_tap(taps, in, at[EW_C], at[EW_H], at[EW_W]);
        break;
    }
    case EW_OP_SLICE:
        add_tap(taps, in, a->begin[0] + c * a->step[0], a->begin[1] + h * a->step[1],
                a->begin[2] + w * a->step[2]);
        break;
    case EW_OP_SHUFFLE: /* groups x width channels, transposed */
        add_tap(taps, in, c % a->groups * (in[EW_C] / a->groups) + c / a->groups, h, w);
        break;
    case EW_OP_CONV_TRANSPOSE:
        add_transposed_window(taps, s, c, h, w);
        break;
    case EW_OP_RESIZE:
        add_interpolation(taps, s, c, h, w);
        break;
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE: {
        const int32_t i = (c * out[EW_H] + h) * out[EW_W] + w;
        add_tap(taps, in, i / (in[EW_H] * in[EW_W]), i / in[EW_W] % in[EW_H], i % in[EW_W]);
        break;
    }
    case EW_OP_PAD:
        add_tap(taps, in, c, h - a->pads[0], w - a->pads[1]);
        break;
    case EW_OP_UPSAMPLE:
        add_tap(taps, in, c, h / a->scale[0], w / a->scale[1]);
        break;
    default:
        add_tap(taps, in, c, h, w);
        break;
    }
}

static void extend(struct ew_box *hull, int32_t c, int32_t h, int32_t w)
{
    const struct ew_box one = {{hull->lo[0], c, h, w}, {hull->hi[0], c + 1, h + 1, w + 1}};
    *hull = ew_box_hull(hull, &one);
}

static bool is_inside(const struct ew_box *b, int32_t c, int32_t h, int32_t w)
{
    return c >= b->lo[1] && c < b->hi[1] && h >= b->lo[2] && h < b->hi[2] && w >= b->lo[3] &&
           w < b->hi[3];
}

/* Is this tap part of the reduction? */
static bool is_reduced(const struct op_sample *s, const struct ew_reduction *r,
                       const int32_t tap[3])
{
    const int32_t *in = s->in_shape[0];
    const int32_t i =
        s->view.op == EW_OP_FC ? (tap[0] * in[EW_H] + tap[1]) * in[EW_W] + tap[2] : tap[0];
    return !r || (i >= r->lo && i < r->hi);
}

/* Both directions by enumeration; `b` is an output box when `is_backward`, else an input box. */
static struct ew_box brute_force(const struct op_sample *s, uint32_t input, const struct ew_box *b,
                                 const struct ew_reduction *r, bool is_backward, struct taps *taps)
{
    struct ew_box hull = {{b->lo[0]}, {b->hi[0]}};
    for (int32_t c = 0; c < s->out_shape[EW_C]; c++) {
        for (int32_t h = 0; h < s->out_shape[EW_H]; h++) {
            for (int32_t w = 0; w < s->out_shape[EW_W]; w++) {
                if (is_backward && !is_inside(b, c, h, w)) {
                    continue;
                }
                list_taps(taps, s, input, c, h, w);
                for (size_t i = 0; i < taps->count; i++) {
                    const int32_t *t = taps->at[i];
                    if (is_backward && is_reduced(s, r, t)) {
                        extend(&hull, t[0], t[1], t[2]);
                    } else if (!is_backward && is_inside(b, t[0], t[1], t[2])) {
                        extend(&hull, c, h, w);
                    }
                }
            }
        }
    }
    return ew_box_is_empty(&hull) ? (struct ew_box){{0}, {0}} : hull;
}

static int32_t draw(struct ew_rng *rng, int32_t lo, int32_t hi)
{
    return lo + (int32_t)ew_rng_below(rng, (uint64_t)(hi - lo + 1));
}

/* A box that may touch, miss or exceed the tensor. */
static struct ew_box draw_box(struct ew_rng *rng, const int32_t shape[EW_DIMS])
{
    struct ew_box b = {{draw(rng, 0, 3)}, {draw(rng, 4, 6)}};
    for (int d = EW_C; d < EW_DIMS; d++) {
        b.lo[d] = draw(rng, -1, shape[d] - 1);
        b.hi[d] = b.lo[d] + draw(rng, d == EW_C ? 0 : 1, shape[d]);
        if (ew_rng_below(rng, 4) == 0) {
            b.lo[d] = 0;
            b.hi[d] = shape[d];
        }
    }
    return b;
}

static void draw_window(struct ew_rng *rng, struct ew_op_attrs *a, int32_t max_pad)
{
    for (int i = 0; i < 2; i++) {
        a->kernel[i] = draw(rng, 1, 4);
        a->stride[i] = draw(rng, 1, 4);
        a->dilation[i] = draw(rng, 1, 4);
    }
    for (int i = 0; i < 4; i++) {
        a->pads[i] = draw(rng, 0, max_pad);
    }
    a->ceil_mode = ew_rng_below(rng, 2) == 0;
}

/* Same number of elements as `in`: its dimensions split and joined at random. */
static void draw_reshape(struct ew_rng *rng, struct op_sample *s)
{
    static const int32_t shapes[][3] = {{4, 3, 6}, {12, 6, 1}, {2, 6, 6}, {1, 8, 9},
                                        {6, 4, 3}, {72, 1, 1}, {8, 3, 3}, {1, 1, 72}};
    const int32_t *from = shapes[ew_rng_below(rng, 8)], *to = shapes[ew_rng_below(rng, 8)];
    op_set_shape(s->in_shape[0], from[0], from[1], from[2]);
    memcpy(s->attrs.reshape, to, sizeof s->attrs.reshape);
}

static void draw_slice(struct ew_rng *rng, struct op_sample *s)
{
    for (int i = 0; i < 3; i++) {
        const int32_t size = s->in_shape[0][EW_C + i];
        s->attrs.begin[i] = draw(rng, 0, size - 1);
        s->attrs.step[i] = draw(rng, 1, 3);
        const int32_t room = (size - 1 - s->attrs.begin[i]) / s->attrs.step[i];
        s->attrs.reshape[i] = draw(rng, 1, room + 1);
    }
}

/* Attributes and shapes of the ops that treat all three dimensions alike. */
static void draw_dimensions(struct ew_rng *rng, struct op_sample *s)
{
    static const int32_t perms[][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                       {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
    struct ew_op_attrs *a = &s->attrs;
    memcpy(a->perm, perms[ew_rng_below(rng, 6)], sizeof a->perm);
    a->axis = draw(rng, 0, 3);
    a->mode = draw(rng, 0, EW_RESIZE_COUNT - 1);
    a->out_pads[0] = draw(rng, 0, 1);
    a->out_pads[1] = draw(rng, 0, 1);
    switch (s->view.op) {
    case EW_OP_SLICE:
        draw_slice(rng, s);
        break;
    case EW_OP_RESIZE:
    case EW_OP_OPAQUE:
        for (int i = 0; i < 3; i++) {
            a->reshape[i] = draw(rng, 1, s->view.op == EW_OP_OPAQUE ? 3 : 12);
        }
        break;
    case EW_OP_CONCAT:
        for (uint32_t i = 1; i < s->view.n_inputs; i++) {
            const int32_t size = s->in_shape[i][axis_of(s)];
            memcpy(s->in_shape[i], s->in_shape[0], sizeof s->in_shape[i]);
            s->in_shape[i][axis_of(s)] = size;
        }
        break;
    case EW_OP_MATMUL:
        op_set_shape(s->in_shape[1], ew_rng_below(rng, 2) ? 1 : s->in_shape[0][EW_C],
                     s->in_shape[0][EW_W], draw(rng, 1, 6));
        break;
    default:
        break;
    }
}

static uint32_t draw_input_count(struct ew_rng *rng, enum ew_op op)
{
    const bool is_nary = op == EW_OP_ADD || op == EW_OP_MUL || op == EW_OP_CONCAT;
    return is_nary              ? (uint32_t)draw(rng, 2, OP_MAX_INPUTS)
           : op == EW_OP_MATMUL ? 2
           : op == EW_OP_OPAQUE ? (uint32_t)draw(rng, 1, OP_MAX_INPUTS)
                                : 1;
}

static void draw_sample(struct ew_rng *rng, struct op_sample *s, enum ew_op op)
{
    op_sample_init(s, op, draw_input_count(rng, op));
    const int32_t groups = draw(rng, 1, 3), h = draw(rng, 1, 9), w = draw(rng, 1, 9);
    for (uint32_t i = 0; i < s->view.n_inputs; i++) {
        const int32_t c = op == EW_OP_CONCAT ? draw(rng, 1, 4) : 2 * groups;
        const bool is_operand = op == EW_OP_ADD || op == EW_OP_MUL;
        const uint64_t gate = is_operand && i > 0 ? ew_rng_below(rng, 8) : 0; /* a bit each */
        op_set_shape(s->in_shape[i], gate & 1 ? 1 : c, gate & 2 ? 1 : h, gate & 4 ? 1 : w);
    }
    s->attrs.size = draw(rng, 1, 5);
    s->attrs.scale[0] = draw(rng, 1, 3);
    s->attrs.scale[1] = draw(rng, 1, 3);
    s->attrs.out_channels = groups * draw(rng, 1, 3);
    s->attrs.groups = groups;
    if (op == EW_OP_RESHAPE) {
        draw_reshape(rng, s);
    }
    draw_window(rng, &s->attrs, op == EW_OP_CONV || op == EW_OP_PAD ? 6 : 1);
    draw_dimensions(rng, s);
}

static void check_sample(struct ew_rng *rng, const struct op_sample *s, struct taps *taps)
{
    const char *name = ew_op_name(s->view.op);
    for (uint32_t input = 0; input < s->view.n_inputs; input++) {
        for (int i = 0; i < 4; i++) {
            const struct ew_box out = draw_box(rng, s->out_shape);
            struct ew_box got = ew_op_input_box(&s->view, input, &out, NULL);
            struct ew_box want = brute_force(s, input, &out, NULL, true, taps);
            expect_box(&got, &want, name);
            const int32_t length = ew_op_reduction_length(&s->view);
            const struct ew_reduction r = {draw(rng, -1, length), draw(rng, 0, length + 1)};
            got = ew_op_input_box(&s->view, input, &out, &r);
            want = brute_force(s, input, &out, length > 0 ? &r : NULL, true, taps);
            expect_box(&got, &want, name);
            const struct ew_box in = draw_box(rng, s->in_shape[input]);
            got = ew_op_output_box(&s->view, input, &in);
            want = brute_force(s, input, &in, NULL, false, taps);
            expect_box(&got, &want, name);
        }
    }
}

START_TEST(fields_equal_brute_force)
{
    const enum ew_op op = (enum ew_op)_i;
    struct taps *taps = malloc(sizeof *taps);
    ck_assert_ptr_nonnull(taps);
    struct ew_rng rng = ew_rng_make(7, ew_op_name(op));
    const bool has_window = op == EW_OP_CONV || op == EW_OP_MAX_POOL || op == EW_OP_AVG_POOL ||
                            op == EW_OP_CONV_TRANSPOSE || op == EW_OP_RESIZE;
    int n_valid = 0;
    for (int i = 0; i < (has_window ? 250 : 40); i++) {
        struct op_sample s;
        struct ew_error err = {0};
        draw_sample(&rng, &s, op);
        if (op_sample_infer(&s, &err) == EW_OK) { /* some windows are larger than their input */
            check_sample(&rng, &s, taps);
            n_valid++;
        }
    }
    free(taps);
    ck_assert_int_ge(n_valid, 40);
}
END_TEST

/* Multiply-accumulates are the taps, those in the padding included. */
START_TEST(macs_equal_taps_without_padding)
{
    struct taps *taps = malloc(sizeof *taps);
    ck_assert_ptr_nonnull(taps);
    struct ew_rng rng = ew_rng_make(7, "macs");
    for (int i = 0; i < 100; i++) {
        struct op_sample s;
        struct ew_error err = {0};
        draw_sample(&rng, &s, EW_OP_CONV);
        memset(s.attrs.pads, 0, sizeof s.attrs.pads);
        if (op_sample_infer(&s, &err) != EW_OK) {
            continue;
        }
        uint64_t n = 0;
        for (int32_t c = 0; c < s.out_shape[EW_C]; c++) {
            list_taps(taps, &s, 0, c, 0, 0);
            n += taps->count;
        }
        const struct ew_box corner = op_box(0, s.out_shape[EW_C], 0, 1, 0, 1);
        ck_assert_uint_eq(ew_op_macs(&s.view, &corner, NULL), n);
    }
    free(taps);
}
END_TEST

/* Products of a conv_transpose are the taps, for any box. */
START_TEST(macs_of_conv_transpose_equal_taps)
{
    struct taps *taps = malloc(sizeof *taps);
    ck_assert_ptr_nonnull(taps);
    struct ew_rng rng = ew_rng_make(7, "conv_transpose");
    int n_valid = 0;
    for (int i = 0; i < 200; i++) {
        struct op_sample s;
        struct ew_error err = {0};
        draw_sample(&rng, &s, EW_OP_CONV_TRANSPOSE);
        if (op_sample_infer(&s, &err) != EW_OK) {
            continue;
        }
        n_valid++;
        struct ew_box b = op_box(0, s.out_shape[EW_C], draw(&rng, 0, s.out_shape[EW_H] - 1), 0,
                                 draw(&rng, 0, s.out_shape[EW_W] - 1), 0);
        b.hi[EW_H] = draw(&rng, b.lo[EW_H] + 1, s.out_shape[EW_H]);
        b.hi[EW_W] = draw(&rng, b.lo[EW_W] + 1, s.out_shape[EW_W]);
        uint64_t n = 0;
        for (int32_t c = 0; c < s.out_shape[EW_C]; c++) {
            for (int32_t h = b.lo[EW_H]; h < b.hi[EW_H]; h++) {
                for (int32_t w = b.lo[EW_W]; w < b.hi[EW_W]; w++) {
                    list_taps(taps, &s, 0, c, h, w);
                    n += taps->count;
                }
            }
        }
        ck_assert_uint_eq(ew_op_macs(&s.view, &b, NULL), n);
    }
    free(taps);
    ck_assert_int_ge(n_valid, 100);
}
END_TEST

/* A stretch of more than 65536 separate runs falls back to a larger, still covering box. */
START_TEST(field_of_huge_reshape_covers)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_RESHAPE, 1);
    op_set_shape(s.in_shape[0], 200000, 2, 2);
    s.attrs.reshape[0] = 400000;
    s.attrs.reshape[1] = 1;
    s.attrs.reshape[2] = 2;
    op_sample_infer_or_die(&s);
    const struct ew_box column = op_box(2, 399999, 0, 1, 1, 2);
    const struct ew_box got = ew_op_input_box(&s.view, 0, &column, NULL);
    const struct ew_box needed = op_box(1, 200000, 0, 2, 1, 2);
    ck_assert(ew_box_contains(&got, &needed));
}
END_TEST

static Suite *op_field_suite(void)
{
    Suite *suite = begin_suite("op_field");
    TCase *fields = tcase_create("field");
    tcase_set_timeout(fields, 60);
    tcase_add_test(fields, field_of_conv_rows);
    tcase_add_test(fields, field_keeps_batch_interval);
    tcase_add_test(fields, field_of_fc_reduction_is_smallest_box);
    tcase_add_test(fields, field_is_empty_where_nothing_is_read);
    tcase_add_test(fields, field_of_huge_reshape_covers);
    tcase_add_loop_test(fields, fields_equal_brute_force, EW_OP_CONV, EW_OP_COUNT);
    suite_add_tcase(suite, fields);
    TCase *counts = tcase_create("counts");
    tcase_add_test(counts, macs_equal_taps_without_padding);
    tcase_add_test(counts, macs_of_conv_transpose_equal_taps);
    suite_add_tcase(suite, counts);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(op_field_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
