/*
 * Operators. Closed forms for shapes and counts; receptive fields against brute force over single
 * elements, for every op that has one.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "model/op.h"

enum { MAX_INPUTS = 3, MAX_TAPS = 4096 };

/* A layer with storage of its own. */
struct sample {
    struct ew_op_attrs attrs;
    int32_t in_shape[MAX_INPUTS][EW_DIMS];
    int32_t out_shape[EW_DIMS];
    struct ew_op_view view;
};

static void set_shape(int32_t shape[EW_DIMS], int32_t c, int32_t h, int32_t w)
{
    shape[EW_N] = 1;
    shape[EW_C] = c;
    shape[EW_H] = h;
    shape[EW_W] = w;
}

static void init_sample(struct sample *s, enum ew_op op, uint32_t n_inputs)
{
    memset(s, 0, sizeof *s);
    s->view = (struct ew_op_view){op, &s->attrs, n_inputs, (const int32_t(*)[EW_DIMS])s->in_shape,
                                  s->out_shape};
    s->attrs.groups = 1;
    for (int i = 0; i < 2; i++) {
        s->attrs.kernel[i] = s->attrs.stride[i] = s->attrs.dilation[i] = 1;
    }
}

static enum ew_status infer(struct sample *s, struct ew_error *err)
{
    return ew_op_infer_shape(s->out_shape, &s->view, err);
}

static void infer_or_die(struct sample *s)
{
    struct ew_error err = {0};
    ck_assert_msg(infer(s, &err) == EW_OK, "%s: %s", ew_op_name(s->view.op), err.message);
}

static void expect_shape(const struct sample *s, int32_t c, int32_t h, int32_t w)
{
    ck_assert_int_eq(s->out_shape[EW_N], 1);
    ck_assert_int_eq(s->out_shape[EW_C], c);
    ck_assert_int_eq(s->out_shape[EW_H], h);
    ck_assert_int_eq(s->out_shape[EW_W], w);
}

static void init_conv(struct sample *s, int32_t c, int32_t h, int32_t w, int32_t out,
                      int32_t kernel, int32_t stride, int32_t pad)
{
    init_sample(s, EW_OP_CONV, 1);
    set_shape(s->in_shape[0], c, h, w);
    s->attrs.out_channels = out;
    s->attrs.has_bias = true;
    for (int i = 0; i < 2; i++) {
        s->attrs.kernel[i] = kernel;
        s->attrs.stride[i] = stride;
        s->attrs.pads[i] = s->attrs.pads[i + 2] = pad;
    }
}

static void init_pool(struct sample *s, int32_t c, int32_t size, int32_t kernel, int32_t stride,
                      int32_t pad, bool ceil_mode)
{
    init_conv(s, c, size, size, 0, kernel, stride, pad);
    s->view.op = EW_OP_MAX_POOL;
    s->attrs.ceil_mode = ceil_mode;
}

static struct ew_box box(int32_t c0, int32_t c1, int32_t h0, int32_t h1, int32_t w0, int32_t w1)
{
    return (struct ew_box){{0, c0, h0, w0}, {1, c1, h1, w1}};
}

static void expect_box(const struct ew_box *got, const struct ew_box *want, const char *what)
{
    ck_assert_msg(ew_box_equal(got, want),
                  "%s: got [%d,%d)x[%d,%d)x[%d,%d)x[%d,%d), want [%d,%d)x[%d,%d)x[%d,%d)x[%d,%d)",
                  what, got->lo[0], got->hi[0], got->lo[1], got->hi[1], got->lo[2], got->hi[2],
                  got->lo[3], got->hi[3], want->lo[0], want->hi[0], want->lo[1], want->hi[1],
                  want->lo[2], want->hi[2], want->lo[3], want->hi[3]);
}

/* ---- names ---- */

START_TEST(op_names_round_trip)
{
    for (int i = 0; i < EW_OP_COUNT; i++) {
        enum ew_op op = EW_OP_COUNT;
        ck_assert(ew_op_from_name(&op, ew_op_name((enum ew_op)i)));
        ck_assert_int_eq((int)op, i);
        ck_assert_int_lt((int)ew_op_class((enum ew_op)i), EW_CLASS_COUNT);
    }
}
END_TEST

START_TEST(op_from_name_refuses_unknown)
{
    enum ew_op op = EW_OP_ADD;
    ck_assert(!ew_op_from_name(&op, "convolution"));
    ck_assert(!ew_op_from_name(&op, ""));
    ck_assert_int_eq(op, EW_OP_ADD);
}
END_TEST

/* ---- shapes ---- */

START_TEST(shape_of_conv)
{
    struct sample s;
    init_conv(&s, 3, 224, 224, 64, 11, 4, 2); /* AlexNet: (224 + 4 - 11) / 4 + 1 = 55 */
    infer_or_die(&s);
    expect_shape(&s, 64, 55, 55);
    init_conv(&s, 16, 10, 12, 8, 3, 2, 0);
    s.attrs.pads[2] = s.attrs.pads[3] = 1; /* SAME of TensorFlow: (10 + 1 - 3) / 2 + 1 = 5 */
    infer_or_die(&s);
    expect_shape(&s, 8, 5, 6);
    init_conv(&s, 4, 9, 9, 4, 3, 1, 0);
    s.attrs.dilation[0] = 3; /* window 7 rows: 9 - 7 + 1 = 3 */
    infer_or_die(&s);
    expect_shape(&s, 4, 3, 7);
}
END_TEST

START_TEST(shape_of_pool_rounds_up_in_ceil_mode)
{
    struct sample s;
    init_pool(&s, 8, 14, 3, 2, 0, false); /* (14 - 3) / 2 + 1 = 6.5 */
    infer_or_die(&s);
    expect_shape(&s, 8, 6, 6);
    init_pool(&s, 8, 14, 3, 2, 0, true);
    infer_or_die(&s);
    expect_shape(&s, 8, 7, 7);
}
END_TEST

START_TEST(shape_of_pool_drops_window_that_begins_in_padding)
{
    struct sample s;
    /* ceil((5 + 2 - 2) / 2) + 1 = 4, but window 4 begins at 6 >= 5 + 1 */
    init_pool(&s, 1, 5, 2, 2, 1, true);
    infer_or_die(&s);
    expect_shape(&s, 1, 3, 3);
}
END_TEST

START_TEST(shape_of_views_and_vectors)
{
    struct sample s;
    init_sample(&s, EW_OP_FLATTEN, 1);
    set_shape(s.in_shape[0], 512, 7, 7);
    infer_or_die(&s);
    expect_shape(&s, 25088, 1, 1);
    init_sample(&s, EW_OP_FC, 1);
    set_shape(s.in_shape[0], 512, 7, 7);
    s.attrs.out_channels = 4096;
    infer_or_die(&s);
    expect_shape(&s, 4096, 1, 1);
    init_sample(&s, EW_OP_RESHAPE, 1);
    set_shape(s.in_shape[0], 64, 26, 26);
    s.attrs.reshape[0] = 256;
    s.attrs.reshape[1] = s.attrs.reshape[2] = 13;
    infer_or_die(&s);
    expect_shape(&s, 256, 13, 13);
    init_sample(&s, EW_OP_GLOBAL_AVG_POOL, 1);
    set_shape(s.in_shape[0], 1024, 7, 5);
    infer_or_die(&s);
    expect_shape(&s, 1024, 1, 1);
    init_sample(&s, EW_OP_UPSAMPLE, 1);
    set_shape(s.in_shape[0], 8, 3, 4);
    s.attrs.scale[0] = 2;
    s.attrs.scale[1] = 3;
    infer_or_die(&s);
    expect_shape(&s, 8, 6, 12);
    init_sample(&s, EW_OP_PAD, 1);
    set_shape(s.in_shape[0], 8, 3, 4);
    s.attrs.pads[0] = 1;
    s.attrs.pads[1] = 2;
    s.attrs.pads[2] = 3;
    s.attrs.pads[3] = 4;
    infer_or_die(&s);
    expect_shape(&s, 8, 7, 10);
}
END_TEST

START_TEST(shape_of_broadcast_and_concat)
{
    struct sample s;
    init_sample(&s, EW_OP_MUL, 2);
    set_shape(s.in_shape[0], 16, 1, 1); /* gate of squeeze-excite, either way round */
    set_shape(s.in_shape[1], 16, 5, 6);
    infer_or_die(&s);
    expect_shape(&s, 16, 5, 6);
    set_shape(s.in_shape[0], 16, 5, 6);
    set_shape(s.in_shape[1], 16, 1, 1);
    infer_or_die(&s);
    expect_shape(&s, 16, 5, 6);
    init_sample(&s, EW_OP_CONCAT, 3);
    set_shape(s.in_shape[0], 64, 28, 28);
    set_shape(s.in_shape[1], 128, 28, 28);
    set_shape(s.in_shape[2], 32, 28, 28);
    infer_or_die(&s);
    expect_shape(&s, 224, 28, 28);
}
END_TEST

static void expect_error(struct sample *s, const char *message)
{
    struct ew_error err = {0};
    ck_assert_int_eq(infer(s, &err), EW_EINPUT);
    ck_assert_int_eq(err.status, EW_EINPUT);
    ck_assert_str_eq(err.message, message);
}

START_TEST(infer_refuses_bad_windows)
{
    struct sample s;
    init_conv(&s, 3, 8, 8, 4, 0, 1, 0);
    expect_error(&s, "kernel: expected an integer in 1..16777216, found 0");
    init_conv(&s, 3, 8, 8, 4, 3, -1, 0);
    expect_error(&s, "stride: expected an integer in 1..16777216, found -1");
    init_conv(&s, 3, 8, 8, 4, 3, 1, 0);
    s.attrs.dilation[1] = 0;
    expect_error(&s, "dilation: expected an integer in 1..16777216, found 0");
    init_conv(&s, 3, 8, 8, 4, 3, 1, 0);
    s.attrs.pads[3] = INT32_MIN;
    expect_error(&s, "pads: expected an integer in 0..16777216, found -2147483648");
    init_conv(&s, 3, 8, 9, 4, 11, 1, 1);
    expect_error(&s, "expected an input of at least 11 padded rows, found 10");
    init_pool(&s, 3, 8, 3, 2, 3, false);
    expect_error(&s, "pads: expected less than the pool's window (3), found 3");
}
END_TEST

START_TEST(infer_refuses_bad_channels)
{
    struct sample s;
    init_conv(&s, 6, 8, 8, 9, 3, 1, 1);
    s.attrs.groups = 2;
    expect_error(&s, "groups: expected a divisor of 6 input and 9 output channels, found 2");
    init_conv(&s, 6, 8, 8, 0, 3, 1, 1);
    expect_error(&s, "out_channels: expected an integer in 1..16777216, found 0");
    init_sample(&s, EW_OP_FC, 1);
    set_shape(s.in_shape[0], 6, 1, 1);
    s.attrs.out_channels = INT32_MAX;
    expect_error(&s, "out_channels: expected an integer in 1..16777216, found 2147483647");
}
END_TEST

START_TEST(infer_refuses_mismatching_inputs)
{
    struct sample s;
    init_sample(&s, EW_OP_ADD, 2);
    set_shape(s.in_shape[0], 16, 5, 6);
    set_shape(s.in_shape[1], 16, 5, 1);
    s.in_shape[1][EW_H] = 4;
    expect_error(&s, "op add: input 1: expected 16x5x6, or 1 in place of a dimension, found "
                     "16x4x1");
    init_sample(&s, EW_OP_ADD, 1);
    set_shape(s.in_shape[0], 16, 5, 6);
    expect_error(&s, "op add: expected at least 2 inputs, found 1");
    init_sample(&s, EW_OP_RELU, 2);
    set_shape(s.in_shape[0], 16, 5, 6);
    set_shape(s.in_shape[1], 16, 5, 6);
    expect_error(&s, "op relu: expected 1 input, found 2");
    init_sample(&s, EW_OP_CONCAT, 2);
    set_shape(s.in_shape[0], 16, 5, 6);
    set_shape(s.in_shape[1], 8, 6, 6);
    expect_error(&s, "op concat: input 1: expected 16x5x6 save in dimension 1, found 8x6x6");
    init_sample(&s, EW_OP_RESHAPE, 1);
    set_shape(s.in_shape[0], 16, 5, 6);
    s.attrs.reshape[0] = s.attrs.reshape[1] = s.attrs.reshape[2] = 8;
    expect_error(&s, "shape: expected 480 elements as in the input, found 512");
    init_sample(&s, EW_OP_INPUT, 0);
    expect_error(&s, "op input: its shape cannot be inferred");
}
END_TEST

START_TEST(infer_refuses_overflow)
{
    struct sample s;
    init_sample(&s, EW_OP_UPSAMPLE, 1); /* 2^24 x 2^24 rows */
    set_shape(s.in_shape[0], 1, 1 << 24, 1);
    s.attrs.scale[0] = s.attrs.scale[1] = 1 << 24;
    expect_error(&s, "expected an output of at most 2147483647 elements, found "
                     "1x281474976710656x16777216");
    init_conv(&s, 1 << 20, 1, 1, 1 << 20, 2048, 1, 1024); /* 2^40 channel pairs x 2^22 taps */
    expect_error(&s, "expected at most 140737488355328 multiply-accumulates and parameters in one "
                     "layer");
    init_sample(&s, EW_OP_CONCAT, 3);
    for (int i = 0; i < 3; i++) {
        set_shape(s.in_shape[i], 1 << 24, 64, 1);
    }
    expect_error(&s, "expected an output of at most 2147483647 elements, found 50331648x64x1");
}
END_TEST

/* ---- counts ---- */

START_TEST(counts_of_conv)
{
    struct sample s;
    init_conv(&s, 3, 224, 224, 64, 11, 4, 2);
    infer_or_die(&s);
    const struct ew_box full = ew_box_full(s.out_shape);
    /* 64 filters of 3 x 11 x 11 and a bias, at 55 x 55 positions */
    ck_assert_uint_eq(ew_op_params(&s.view), 64 * 363 + 64);
    ck_assert_uint_eq(ew_op_macs(&s.view, &full, NULL), 70276800);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &full), 0);
    ck_assert_int_eq(ew_op_reduction_length(&s.view), 3);
    struct ew_box four = full;
    four.hi[EW_N] = 4;
    ck_assert_uint_eq(ew_op_macs(&s.view, &four, NULL), 4 * UINT64_C(70276800));
    ck_assert_uint_eq(ew_op_params_for(&s.view, &four, NULL), 64 * 363 + 64);
}
END_TEST

START_TEST(counts_of_depthwise)
{
    struct sample s;
    init_conv(&s, 32, 112, 112, 32, 3, 1, 1);
    s.attrs.groups = 32;
    s.attrs.has_bias = false;
    infer_or_die(&s);
    const struct ew_box half = box(0, 16, 0, 112, 0, 112);
    ck_assert_uint_eq(ew_op_params(&s.view), 32 * 9);
    ck_assert_uint_eq(ew_op_macs(&s.view, &half, NULL), 16 * 9 * 112 * 112);
    ck_assert_int_eq(ew_op_reduction_length(&s.view), 0);
}
END_TEST

START_TEST(counts_of_fc_and_batchnorm)
{
    struct sample s;
    init_sample(&s, EW_OP_FC, 1);
    set_shape(s.in_shape[0], 256, 6, 6);
    s.attrs.out_channels = 4096;
    s.attrs.has_bias = true;
    infer_or_die(&s);
    const struct ew_box full = ew_box_full(s.out_shape);
    ck_assert_uint_eq(ew_op_params(&s.view), 37752832);
    ck_assert_uint_eq(ew_op_macs(&s.view, &full, NULL), 37748736);
    ck_assert_int_eq(ew_op_reduction_length(&s.view), 9216);
    init_sample(&s, EW_OP_BATCHNORM, 1);
    set_shape(s.in_shape[0], 64, 8, 8);
    infer_or_die(&s);
    ck_assert_uint_eq(ew_op_params(&s.view), 0);
    s.attrs.is_affine = true;
    const struct ew_box rows = box(10, 20, 0, 1, 0, 8);
    ck_assert_uint_eq(ew_op_params(&s.view), 128);
    ck_assert_uint_eq(ew_op_params_for(&s.view, &rows, NULL), 20);
    ck_assert_uint_eq(ew_op_macs(&s.view, &rows, NULL), 0);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &rows), 160);
}
END_TEST

START_TEST(reduction_parts_add_up)
{
    struct sample s;
    init_conv(&s, 10, 8, 8, 6, 3, 1, 1);
    infer_or_die(&s);
    const struct ew_box out = box(1, 4, 0, 5, 2, 8);
    const struct ew_reduction parts[] = {{0, 3}, {3, 4}, {4, 10}};
    uint64_t macs = 0, params = 0;
    for (size_t i = 0; i < 3; i++) {
        macs += ew_op_macs(&s.view, &out, &parts[i]);
        params += ew_op_params_for(&s.view, &out, &parts[i]);
    }
    ck_assert_uint_eq(macs, ew_op_macs(&s.view, &out, NULL));
    ck_assert_uint_eq(params, ew_op_params_for(&s.view, &out, NULL));
    ck_assert_uint_eq(params, 3 * 10 * 9 + 3);
    const struct ew_reduction none = {5, 5}, outside = {-7, 99};
    ck_assert_uint_eq(ew_op_macs(&s.view, &out, &none), 0);
    ck_assert_uint_eq(ew_op_macs(&s.view, &out, &outside), macs);
}
END_TEST

START_TEST(counts_saturate_instead_of_wrapping)
{
    struct sample s;
    init_conv(&s, 1 << 10, 32, 32, 1 << 10, 3, 1, 1);
    infer_or_die(&s);
    struct ew_box huge = ew_box_full(s.out_shape);
    huge.hi[EW_N] = INT32_MAX; /* 2^31 x 2^20 x 9 x 2^10 > 2^64 */
    ck_assert_uint_eq(ew_op_macs(&s.view, &huge, NULL), UINT64_MAX);
}
END_TEST

START_TEST(simple_ops_of_softmax_count_whole_positions)
{
    struct sample s;
    init_sample(&s, EW_OP_SOFTMAX, 1);
    set_shape(s.in_shape[0], 10, 3, 3);
    infer_or_die(&s);
    /* 2 of 10 channels at 3 positions: 4 x 30 for maximum, difference, exponential, sum; 6
     * divisions */
    const struct ew_box part = box(4, 6, 1, 2, 0, 3);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &part), 126);
    init_pool(&s, 4, 8, 3, 2, 0, false);
    infer_or_die(&s);
    const struct ew_box pooled = box(0, 4, 0, 3, 0, 3);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &pooled), 36 * 8); /* 8 comparisons for 9 values */
}
END_TEST

/* ---- receptive fields, closed forms ---- */

START_TEST(field_of_conv_rows)
{
    struct sample s;
    init_conv(&s, 64, 56, 56, 128, 3, 1, 1);
    infer_or_die(&s);
    /* rows [o0 - 1, o1 + 1) clipped; every input channel */
    const struct ew_box top = box(0, 128, 0, 28, 0, 56), bottom = box(5, 6, 28, 56, 0, 56);
    struct ew_box got = ew_op_input_box(&s.view, 0, &top, NULL);
    struct ew_box want = box(0, 64, 0, 29, 0, 56);
    expect_box(&got, &want, "top");
    got = ew_op_input_box(&s.view, 0, &bottom, NULL);
    want = box(0, 64, 27, 56, 0, 56);
    expect_box(&got, &want, "bottom");
    const struct ew_box in = box(0, 1, 27, 28, 0, 1);
    got = ew_op_output_box(&s.view, 0, &in);
    want = box(0, 128, 26, 29, 0, 2);
    expect_box(&got, &want, "forward");
}
END_TEST

START_TEST(field_keeps_batch_interval)
{
    struct sample s;
    init_conv(&s, 3, 8, 8, 4, 3, 1, 1);
    infer_or_die(&s);
    struct ew_box out = box(0, 4, 0, 8, 0, 8);
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
    struct sample s;
    init_sample(&s, EW_OP_FC, 1);
    set_shape(s.in_shape[0], 4, 3, 5); /* 15 positions per channel */
    s.attrs.out_channels = 7;
    infer_or_die(&s);
    const struct ew_box out = box(2, 3, 0, 1, 0, 1);
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
    struct sample s;
    const struct ew_box zero = {{0}, {0}};
    init_sample(&s, EW_OP_CONCAT, 2);
    set_shape(s.in_shape[0], 3, 4, 4);
    set_shape(s.in_shape[1], 5, 4, 4);
    infer_or_die(&s);
    const struct ew_box first = box(0, 3, 0, 4, 0, 4);
    struct ew_box got = ew_op_input_box(&s.view, 1, &first, NULL);
    expect_box(&got, &zero, "other branch");
    got = ew_op_input_box(&s.view, 2, &first, NULL);
    expect_box(&got, &zero, "no such input");
    const struct ew_box empty = box(2, 2, 0, 4, 0, 4), outside = box(0, 1, 9, 12, 0, 4);
    got = ew_op_input_box(&s.view, 0, &empty, NULL);
    expect_box(&got, &zero, "empty box");
    got = ew_op_output_box(&s.view, 0, &outside);
    expect_box(&got, &zero, "box outside");
    init_conv(&s, 1, 4, 4, 1, 1, 3, 0); /* rows 0 and 3 only */
    infer_or_die(&s);
    const struct ew_box skipped = box(0, 1, 1, 3, 0, 4);
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
        ck_assert_uint_lt(taps->count, MAX_TAPS);
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
static void add_window(struct taps *taps, const struct sample *s, int32_t c0, int32_t c1, int32_t h,
                       int32_t w)
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

static int axis_of(const struct sample *s)
{
    return s->attrs.axis ? s->attrs.axis : EW_C;
}

static int32_t size_before(const struct sample *s, uint32_t input)
{
    int32_t n = 0;
    for (uint32_t i = 0; i < input; i++) {
        n += s->in_shape[i][axis_of(s)];
    }
    return n;
}

/* The elements that are normalised together with (c, h, w). */
static void add_group(struct taps *taps, const struct sample *s, int32_t c, int32_t h, int32_t w)
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
static void add_transposed_window(struct taps *taps, const struct sample *s, int32_t c, int32_t h,
                                  int32_t w)
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

static void add_interpolation(struct taps *taps, const struct sample *s, int32_t c, int32_t h,
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
static void list_taps(struct taps *taps, const struct sample *s, uint32_t input, int32_t c,
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
static bool is_reduced(const struct sample *s, const struct ew_reduction *r, const int32_t tap[3])
{
    const int32_t *in = s->in_shape[0];
    const int32_t i =
        s->view.op == EW_OP_FC ? (tap[0] * in[EW_H] + tap[1]) * in[EW_W] + tap[2] : tap[0];
    return !r || (i >= r->lo && i < r->hi);
}

/* Both directions by enumeration; `b` is an output box when `is_backward`, else an input box. */
static struct ew_box brute_force(const struct sample *s, uint32_t input, const struct ew_box *b,
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
static void draw_reshape(struct ew_rng *rng, struct sample *s)
{
    static const int32_t shapes[][3] = {{4, 3, 6}, {12, 6, 1}, {2, 6, 6}, {1, 8, 9},
                                        {6, 4, 3}, {72, 1, 1}, {8, 3, 3}, {1, 1, 72}};
    const int32_t *from = shapes[ew_rng_below(rng, 8)], *to = shapes[ew_rng_below(rng, 8)];
    set_shape(s->in_shape[0], from[0], from[1], from[2]);
    memcpy(s->attrs.reshape, to, sizeof s->attrs.reshape);
}

static void draw_slice(struct ew_rng *rng, struct sample *s)
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
static void draw_dimensions(struct ew_rng *rng, struct sample *s)
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
        set_shape(s->in_shape[1], ew_rng_below(rng, 2) ? 1 : s->in_shape[0][EW_C],
                  s->in_shape[0][EW_W], draw(rng, 1, 6));
        break;
    default:
        break;
    }
}

static uint32_t draw_input_count(struct ew_rng *rng, enum ew_op op)
{
    const bool is_nary = op == EW_OP_ADD || op == EW_OP_MUL || op == EW_OP_CONCAT;
    return is_nary              ? (uint32_t)draw(rng, 2, MAX_INPUTS)
           : op == EW_OP_MATMUL ? 2
           : op == EW_OP_OPAQUE ? (uint32_t)draw(rng, 1, MAX_INPUTS)
                                : 1;
}

static void draw_sample(struct ew_rng *rng, struct sample *s, enum ew_op op)
{
    init_sample(s, op, draw_input_count(rng, op));
    const int32_t groups = draw(rng, 1, 3), h = draw(rng, 1, 9), w = draw(rng, 1, 9);
    for (uint32_t i = 0; i < s->view.n_inputs; i++) {
        const int32_t c = op == EW_OP_CONCAT ? draw(rng, 1, 4) : 2 * groups;
        const bool is_operand = op == EW_OP_ADD || op == EW_OP_MUL;
        const uint64_t gate = is_operand && i > 0 ? ew_rng_below(rng, 8) : 0; /* a bit each */
        set_shape(s->in_shape[i], gate & 1 ? 1 : c, gate & 2 ? 1 : h, gate & 4 ? 1 : w);
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

static void check_sample(struct ew_rng *rng, const struct sample *s, struct taps *taps)
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
        struct sample s;
        struct ew_error err = {0};
        draw_sample(&rng, &s, op);
        if (infer(&s, &err) == EW_OK) { /* some windows are larger than their input */
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
        struct sample s;
        struct ew_error err = {0};
        draw_sample(&rng, &s, EW_OP_CONV);
        memset(s.attrs.pads, 0, sizeof s.attrs.pads);
        if (infer(&s, &err) != EW_OK) {
            continue;
        }
        uint64_t n = 0;
        for (int32_t c = 0; c < s.out_shape[EW_C]; c++) {
            list_taps(taps, &s, 0, c, 0, 0);
            n += taps->count;
        }
        const struct ew_box corner = box(0, s.out_shape[EW_C], 0, 1, 0, 1);
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
        struct sample s;
        struct ew_error err = {0};
        draw_sample(&rng, &s, EW_OP_CONV_TRANSPOSE);
        if (infer(&s, &err) != EW_OK) {
            continue;
        }
        n_valid++;
        struct ew_box b = box(0, s.out_shape[EW_C], draw(&rng, 0, s.out_shape[EW_H] - 1), 0,
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
    struct sample s;
    init_sample(&s, EW_OP_RESHAPE, 1);
    set_shape(s.in_shape[0], 200000, 2, 2);
    s.attrs.reshape[0] = 400000;
    s.attrs.reshape[1] = 1;
    s.attrs.reshape[2] = 2;
    infer_or_die(&s);
    const struct ew_box column = box(2, 399999, 0, 1, 1, 2);
    const struct ew_box got = ew_op_input_box(&s.view, 0, &column, NULL);
    const struct ew_box needed = box(1, 200000, 0, 2, 1, 2);
    ck_assert(ew_box_contains(&got, &needed));
}
END_TEST

static Suite *op_suite(void)
{
    Suite *suite = suite_create("op");
    TCase *names = tcase_create("name");
    tcase_add_test(names, op_names_round_trip);
    tcase_add_test(names, op_from_name_refuses_unknown);
    suite_add_tcase(suite, names);
    TCase *shapes = tcase_create("infer_shape");
    tcase_add_test(shapes, shape_of_conv);
    tcase_add_test(shapes, shape_of_pool_rounds_up_in_ceil_mode);
    tcase_add_test(shapes, shape_of_pool_drops_window_that_begins_in_padding);
    tcase_add_test(shapes, shape_of_views_and_vectors);
    tcase_add_test(shapes, shape_of_broadcast_and_concat);
    tcase_add_test(shapes, infer_refuses_bad_windows);
    tcase_add_test(shapes, infer_refuses_bad_channels);
    tcase_add_test(shapes, infer_refuses_mismatching_inputs);
    tcase_add_test(shapes, infer_refuses_overflow);
    suite_add_tcase(suite, shapes);
    TCase *counts = tcase_create("counts");
    tcase_add_test(counts, counts_of_conv);
    tcase_add_test(counts, counts_of_depthwise);
    tcase_add_test(counts, counts_of_fc_and_batchnorm);
    tcase_add_test(counts, reduction_parts_add_up);
    tcase_add_test(counts, counts_saturate_instead_of_wrapping);
    tcase_add_test(counts, simple_ops_of_softmax_count_whole_positions);
    tcase_add_test(counts, macs_equal_taps_without_padding);
    tcase_add_test(counts, macs_of_conv_transpose_equal_taps);
    suite_add_tcase(suite, counts);
    TCase *fields = tcase_create("field");
    tcase_set_timeout(fields, 60);
    tcase_add_test(fields, field_of_conv_rows);
    tcase_add_test(fields, field_keeps_batch_interval);
    tcase_add_test(fields, field_of_fc_reduction_is_smallest_box);
    tcase_add_test(fields, field_is_empty_where_nothing_is_read);
    tcase_add_test(fields, field_of_huge_reshape_covers);
    tcase_add_loop_test(fields, fields_equal_brute_force, EW_OP_CONV, EW_OP_COUNT);
    suite_add_tcase(suite, fields);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(op_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
