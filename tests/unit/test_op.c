/*
 * Operators: names, and closed forms for shapes and counts.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/op.h"
#include "support/op_sample.h"
#include "support/suite.h"

static void expect_shape(const struct op_sample *s, int32_t c, int32_t h, int32_t w)
{
    ck_assert_int_eq(s->out_shape[EW_N], 1);
    ck_assert_int_eq(s->out_shape[EW_C], c);
    ck_assert_int_eq(s->out_shape[EW_H], h);
    ck_assert_int_eq(s->out_shape[EW_W], w);
}

static void op_sample_init_pool(struct op_sample *s, int32_t c, int32_t size, int32_t kernel,
                                int32_t stride, int32_t pad, bool ceil_mode)
{
    op_sample_init_conv(s, c, size, size, 0, kernel, stride, pad);
    s->view.op = EW_OP_MAX_POOL;
    s->attrs.ceil_mode = ceil_mode;
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
    struct op_sample s;
    op_sample_init_conv(&s, 3, 224, 224, 64, 11, 4, 2); /* AlexNet: (224 + 4 - 11) / 4 + 1 = 55 */
    op_sample_infer_or_die(&s);
    expect_shape(&s, 64, 55, 55);
    op_sample_init_conv(&s, 16, 10, 12, 8, 3, 2, 0);
    s.attrs.pads[2] = s.attrs.pads[3] = 1; /* SAME of TensorFlow: (10 + 1 - 3) / 2 + 1 = 5 */
    op_sample_infer_or_die(&s);
    expect_shape(&s, 8, 5, 6);
    op_sample_init_conv(&s, 4, 9, 9, 4, 3, 1, 0);
    s.attrs.dilation[0] = 3; /* window 7 rows: 9 - 7 + 1 = 3 */
    op_sample_infer_or_die(&s);
    expect_shape(&s, 4, 3, 7);
}
END_TEST

START_TEST(shape_of_pool_rounds_up_in_ceil_mode)
{
    struct op_sample s;
    op_sample_init_pool(&s, 8, 14, 3, 2, 0, false); /* (14 - 3) / 2 + 1 = 6.5 */
    op_sample_infer_or_die(&s);
    expect_shape(&s, 8, 6, 6);
    op_sample_init_pool(&s, 8, 14, 3, 2, 0, true);
    op_sample_infer_or_die(&s);
    expect_shape(&s, 8, 7, 7);
}
END_TEST

START_TEST(shape_of_pool_drops_window_that_begins_in_padding)
{
    struct op_sample s;
    /* ceil((5 + 2 - 2) / 2) + 1 = 4, but window 4 begins at 6 >= 5 + 1 */
    op_sample_init_pool(&s, 1, 5, 2, 2, 1, true);
    op_sample_infer_or_die(&s);
    expect_shape(&s, 1, 3, 3);
}
END_TEST

START_TEST(shape_of_views_and_vectors)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_FLATTEN, 1);
    op_set_shape(s.in_shape[0], 512, 7, 7);
    op_sample_infer_or_die(&s);
    expect_shape(&s, 25088, 1, 1);
    op_sample_init(&s, EW_OP_FC, 1);
    op_set_shape(s.in_shape[0], 512, 7, 7);
    s.attrs.out_channels = 4096;
    op_sample_infer_or_die(&s);
    expect_shape(&s, 4096, 1, 1);
    op_sample_init(&s, EW_OP_RESHAPE, 1);
    op_set_shape(s.in_shape[0], 64, 26, 26);
    s.attrs.reshape[0] = 256;
    s.attrs.reshape[1] = s.attrs.reshape[2] = 13;
    op_sample_infer_or_die(&s);
    expect_shape(&s, 256, 13, 13);
    op_sample_init(&s, EW_OP_GLOBAL_AVG_POOL, 1);
    op_set_shape(s.in_shape[0], 1024, 7, 5);
    op_sample_infer_or_die(&s);
    expect_shape(&s, 1024, 1, 1);
    op_sample_init(&s, EW_OP_UPSAMPLE, 1);
    op_set_shape(s.in_shape[0], 8, 3, 4);
    s.attrs.scale[0] = 2;
    s.attrs.scale[1] = 3;
    op_sample_infer_or_die(&s);
    expect_shape(&s, 8, 6, 12);
    op_sample_init(&s, EW_OP_PAD, 1);
    op_set_shape(s.in_shape[0], 8, 3, 4);
    s.attrs.pads[0] = 1;
    s.attrs.pads[1] = 2;
    s.attrs.pads[2] = 3;
    s.attrs.pads[3] = 4;
    op_sample_infer_or_die(&s);
    expect_shape(&s, 8, 7, 10);
}
END_TEST

START_TEST(shape_of_broadcast_and_concat)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_MUL, 2);
    op_set_shape(s.in_shape[0], 16, 1, 1); /* gate of squeeze-excite, either way round */
    op_set_shape(s.in_shape[1], 16, 5, 6);
    op_sample_infer_or_die(&s);
    expect_shape(&s, 16, 5, 6);
    op_set_shape(s.in_shape[0], 16, 5, 6);
    op_set_shape(s.in_shape[1], 16, 1, 1);
    op_sample_infer_or_die(&s);
    expect_shape(&s, 16, 5, 6);
    op_sample_init(&s, EW_OP_CONCAT, 3);
    op_set_shape(s.in_shape[0], 64, 28, 28);
    op_set_shape(s.in_shape[1], 128, 28, 28);
    op_set_shape(s.in_shape[2], 32, 28, 28);
    op_sample_infer_or_die(&s);
    expect_shape(&s, 224, 28, 28);
}
END_TEST

static void expect_error(struct op_sample *s, const char *message)
{
    struct ew_error err = {0};
    ck_assert_int_eq(op_sample_infer(s, &err), EW_EINPUT);
    ck_assert_int_eq(err.status, EW_EINPUT);
    ck_assert_str_eq(err.message, message);
}

START_TEST(infer_refuses_bad_windows)
{
    struct op_sample s;
    op_sample_init_conv(&s, 3, 8, 8, 4, 0, 1, 0);
    expect_error(&s, "kernel: expected an integer in 1..16777216, found 0");
    op_sample_init_conv(&s, 3, 8, 8, 4, 3, -1, 0);
    expect_error(&s, "stride: expected an integer in 1..16777216, found -1");
    op_sample_init_conv(&s, 3, 8, 8, 4, 3, 1, 0);
    s.attrs.dilation[1] = 0;
    expect_error(&s, "dilation: expected an integer in 1..16777216, found 0");
    op_sample_init_conv(&s, 3, 8, 8, 4, 3, 1, 0);
    s.attrs.pads[3] = INT32_MIN;
    expect_error(&s, "pads: expected an integer in 0..16777216, found -2147483648");
    op_sample_init_conv(&s, 3, 8, 9, 4, 11, 1, 1);
    expect_error(&s, "expected an input of at least 11 padded rows, found 10");
    op_sample_init_pool(&s, 3, 8, 3, 2, 3, false);
    expect_error(&s, "pads: expected less than the pool's window (3), found 3");
}
END_TEST

START_TEST(infer_refuses_bad_channels)
{
    struct op_sample s;
    op_sample_init_conv(&s, 6, 8, 8, 9, 3, 1, 1);
    s.attrs.groups = 2;
    expect_error(&s, "groups: expected a divisor of 6 input and 9 output channels, found 2");
    op_sample_init_conv(&s, 6, 8, 8, 0, 3, 1, 1);
    expect_error(&s, "out_channels: expected an integer in 1..16777216, found 0");
    op_sample_init(&s, EW_OP_FC, 1);
    op_set_shape(s.in_shape[0], 6, 1, 1);
    s.attrs.out_channels = INT32_MAX;
    expect_error(&s, "out_channels: expected an integer in 1..16777216, found 2147483647");
}
END_TEST

START_TEST(infer_refuses_mismatching_inputs)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_ADD, 2);
    op_set_shape(s.in_shape[0], 16, 5, 6);
    op_set_shape(s.in_shape[1], 16, 5, 1);
    s.in_shape[1][EW_H] = 4;
    expect_error(&s, "op add: input 1: expected 16x5x6, or 1 in place of a dimension, found "
                     "16x4x1");
    op_sample_init(&s, EW_OP_ADD, 1);
    op_set_shape(s.in_shape[0], 16, 5, 6);
    expect_error(&s, "op add: expected at least 2 inputs, found 1");
    op_sample_init(&s, EW_OP_RELU, 2);
    op_set_shape(s.in_shape[0], 16, 5, 6);
    op_set_shape(s.in_shape[1], 16, 5, 6);
    expect_error(&s, "op relu: expected 1 input, found 2");
    op_sample_init(&s, EW_OP_CONCAT, 2);
    op_set_shape(s.in_shape[0], 16, 5, 6);
    op_set_shape(s.in_shape[1], 8, 6, 6);
    expect_error(&s, "op concat: input 1: expected 16x5x6 save in dimension 1, found 8x6x6");
    op_sample_init(&s, EW_OP_RESHAPE, 1);
    op_set_shape(s.in_shape[0], 16, 5, 6);
    s.attrs.reshape[0] = s.attrs.reshape[1] = s.attrs.reshape[2] = 8;
    expect_error(&s, "shape: expected 480 elements as in the input, found 512");
    op_sample_init(&s, EW_OP_INPUT, 0);
    expect_error(&s, "op input: its shape cannot be inferred");
}
END_TEST

START_TEST(infer_refuses_overflow)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_UPSAMPLE, 1); /* 2^24 x 2^24 rows */
    op_set_shape(s.in_shape[0], 1, 1 << 24, 1);
    s.attrs.scale[0] = s.attrs.scale[1] = 1 << 24;
    expect_error(&s, "expected an output of at most 2147483647 elements, found "
                     "1x281474976710656x16777216");
    op_sample_init_conv(&s, 1 << 20, 1, 1, 1 << 20, 2048, 1,
                        1024); /* 2^40 channel pairs x 2^22 taps */
    expect_error(&s, "expected at most 140737488355328 multiply-accumulates and parameters in one "
                     "layer");
    op_sample_init(&s, EW_OP_CONCAT, 3);
    for (int i = 0; i < 3; i++) {
        op_set_shape(s.in_shape[i], 1 << 24, 64, 1);
    }
    expect_error(&s, "expected an output of at most 2147483647 elements, found 50331648x64x1");
}
END_TEST

/* ---- counts ---- */

START_TEST(counts_of_conv)
{
    struct op_sample s;
    op_sample_init_conv(&s, 3, 224, 224, 64, 11, 4, 2);
    op_sample_infer_or_die(&s);
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
    struct op_sample s;
    op_sample_init_conv(&s, 32, 112, 112, 32, 3, 1, 1);
    s.attrs.groups = 32;
    s.attrs.has_bias = false;
    op_sample_infer_or_die(&s);
    const struct ew_box half = op_box(0, 16, 0, 112, 0, 112);
    ck_assert_uint_eq(ew_op_params(&s.view), 32 * 9);
    ck_assert_uint_eq(ew_op_macs(&s.view, &half, NULL), 16 * 9 * 112 * 112);
    ck_assert_int_eq(ew_op_reduction_length(&s.view), 0);
}
END_TEST

START_TEST(counts_of_fc_and_batchnorm)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_FC, 1);
    op_set_shape(s.in_shape[0], 256, 6, 6);
    s.attrs.out_channels = 4096;
    s.attrs.has_bias = true;
    op_sample_infer_or_die(&s);
    const struct ew_box full = ew_box_full(s.out_shape);
    ck_assert_uint_eq(ew_op_params(&s.view), 37752832);
    ck_assert_uint_eq(ew_op_macs(&s.view, &full, NULL), 37748736);
    ck_assert_int_eq(ew_op_reduction_length(&s.view), 9216);
    op_sample_init(&s, EW_OP_BATCHNORM, 1);
    op_set_shape(s.in_shape[0], 64, 8, 8);
    op_sample_infer_or_die(&s);
    ck_assert_uint_eq(ew_op_params(&s.view), 0);
    s.attrs.is_affine = true;
    const struct ew_box rows = op_box(10, 20, 0, 1, 0, 8);
    ck_assert_uint_eq(ew_op_params(&s.view), 128);
    ck_assert_uint_eq(ew_op_params_for(&s.view, &rows, NULL), 20);
    ck_assert_uint_eq(ew_op_macs(&s.view, &rows, NULL), 0);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &rows), 160);
}
END_TEST

START_TEST(reduction_parts_add_up)
{
    struct op_sample s;
    op_sample_init_conv(&s, 10, 8, 8, 6, 3, 1, 1);
    op_sample_infer_or_die(&s);
    const struct ew_box out = op_box(1, 4, 0, 5, 2, 8);
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
    struct op_sample s;
    op_sample_init_conv(&s, 1 << 10, 32, 32, 1 << 10, 3, 1, 1);
    op_sample_infer_or_die(&s);
    struct ew_box huge = ew_box_full(s.out_shape);
    huge.hi[EW_N] = INT32_MAX; /* 2^31 x 2^20 x 9 x 2^10 > 2^64 */
    ck_assert_uint_eq(ew_op_macs(&s.view, &huge, NULL), UINT64_MAX);
}
END_TEST

START_TEST(simple_ops_of_softmax_count_whole_positions)
{
    struct op_sample s;
    op_sample_init(&s, EW_OP_SOFTMAX, 1);
    op_set_shape(s.in_shape[0], 10, 3, 3);
    op_sample_infer_or_die(&s);
    /* 2 of 10 channels at 3 positions: 4 x 30 for maximum, difference, exponential, sum; 6
     * divisions */
    const struct ew_box part = op_box(4, 6, 1, 2, 0, 3);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &part), 126);
    op_sample_init_pool(&s, 4, 8, 3, 2, 0, false);
    op_sample_infer_or_die(&s);
    const struct ew_box pooled = op_box(0, 4, 0, 3, 0, 3);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &pooled), 36 * 8); /* 8 comparisons for 9 values */
}
END_TEST

static Suite *op_suite(void)
{
    Suite *suite = begin_suite("op");
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
    suite_add_tcase(suite, counts);
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
