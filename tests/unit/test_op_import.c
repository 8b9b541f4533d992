/*
 * Operators that come with files of other frameworks: shapes and counts in closed form. Their
 * receptive fields are in test_op.c.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/op.h"
#include "support/suite.h"

enum { MAX_INPUTS = 2 };

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

static struct ew_box box(int32_t c0, int32_t c1, int32_t h0, int32_t h1, int32_t w0, int32_t w1)
{
    return (struct ew_box){{0, c0, h0, w0}, {1, c1, h1, w1}};
}

static void expect_error(struct sample *s, const char *message)
{
    struct ew_error err = {0};
    ck_assert_int_eq(infer(s, &err), EW_EINPUT);
    ck_assert_int_eq(err.status, EW_EINPUT);
    ck_assert_str_eq(err.message, message);
}

START_TEST(shape_and_counts_of_conv_transpose)
{
    struct sample s;
    init_sample(&s, EW_OP_CONV_TRANSPOSE, 1);
    set_shape(s.in_shape[0], 8, 14, 14);
    s.attrs.out_channels = 4;
    s.attrs.has_bias = true;
    for (int i = 0; i < 2; i++) {
        s.attrs.kernel[i] = 4;
        s.attrs.stride[i] = 2;
        s.attrs.pads[i] = s.attrs.pads[i + 2] = 1;
    }
    infer_or_die(&s);
    expect_shape(&s, 4, 28, 28); /* (14 - 1) * 2 + 4 - 2 */
    ck_assert_uint_eq(ew_op_params(&s.view), 8 * 4 * 16 + 4);
    /* Per axis 14 inputs x 4 taps, of which the first and the last hang over the edge. */
    const struct ew_box full = ew_box_full(s.out_shape);
    ck_assert_uint_eq(ew_op_macs(&s.view, &full, NULL), 54 * 54 * 8 * 4);
    s.attrs.out_pads[0] = 1;
    infer_or_die(&s);
    expect_shape(&s, 4, 29, 28);
    s.attrs.kernel[0] = 2000;
    expect_error(&s, "kernel: expected at most 1024, found 2000");
}
END_TEST

START_TEST(shape_and_counts_of_matrix_products)
{
    struct sample s;
    init_sample(&s, EW_OP_LINEAR, 1);
    set_shape(s.in_shape[0], 1, 197, 768);
    s.attrs.out_channels = 3072;
    s.attrs.has_bias = true;
    infer_or_die(&s);
    expect_shape(&s, 1, 197, 3072);
    const struct ew_box full = ew_box_full(s.out_shape), rows = box(0, 1, 0, 50, 0, 3072),
                        columns = box(0, 1, 0, 197, 0, 100);
    ck_assert_uint_eq(ew_op_params(&s.view), 768 * 3072 + 3072);
    ck_assert_uint_eq(ew_op_macs(&s.view, &full, NULL), UINT64_C(197) * 768 * 3072);
    ck_assert_uint_eq(ew_op_macs(&s.view, &rows, NULL), UINT64_C(50) * 768 * 3072);
    ck_assert_uint_eq(ew_op_params_for(&s.view, &rows, NULL), 768 * 3072 + 3072);
    ck_assert_uint_eq(ew_op_params_for(&s.view, &columns, NULL), 769 * 100);
    init_sample(&s, EW_OP_MATMUL, 2);
    set_shape(s.in_shape[0], 12, 197, 64);
    set_shape(s.in_shape[1], 12, 64, 197);
    infer_or_die(&s);
    expect_shape(&s, 12, 197, 197);
    const struct ew_box all = ew_box_full(s.out_shape);
    ck_assert_uint_eq(ew_op_macs(&s.view, &all, NULL), UINT64_C(12) * 197 * 197 * 64);
    set_shape(s.in_shape[1], 12, 65, 197);
    expect_error(&s, "op matmul: input 1: expected 64 rows and 12 channels or 1, found 12x65x197");
}
END_TEST

START_TEST(shape_of_rearrangements)
{
    struct sample s;
    init_sample(&s, EW_OP_TRANSPOSE, 1);
    set_shape(s.in_shape[0], 2, 58, 784);
    s.attrs.perm[0] = 2;
    s.attrs.perm[1] = 1;
    s.attrs.perm[2] = 3;
    infer_or_die(&s);
    expect_shape(&s, 58, 2, 784);
    s.attrs.perm[2] = 1;
    expect_error(&s, "perm: expected 1, 2 and 3 in some order, found 2,1,1");
    init_sample(&s, EW_OP_SLICE, 1);
    set_shape(s.in_shape[0], 116, 28, 28);
    s.attrs.begin[0] = 58;
    for (int i = 0; i < 3; i++) {
        s.attrs.step[i] = 1;
        s.attrs.reshape[i] = i == 0 ? 58 : 28;
    }
    infer_or_die(&s);
    expect_shape(&s, 58, 28, 28);
    s.attrs.step[1] = 2;
    expect_error(&s, "dimension 2: expected elements below 28, found a slice up to 54");
    init_sample(&s, EW_OP_SHUFFLE, 1);
    set_shape(s.in_shape[0], 116, 28, 28);
    s.attrs.groups = 3;
    expect_error(&s, "groups: expected a divisor of 116 channels, found 3");
    init_sample(&s, EW_OP_OPAQUE, 2);
    set_shape(s.in_shape[0], 3, 4, 5);
    set_shape(s.in_shape[1], 7, 1, 1);
    expect_error(&s, "shape: expected an integer in 1..16777216, found 0");
}
END_TEST

START_TEST(counts_of_learned_constants)
{
    struct sample s;
    init_sample(&s, EW_OP_SHIFT, 1); /* a positional embedding: a value per row and column */
    set_shape(s.in_shape[0], 1, 197, 768);
    s.attrs.is_learned = s.attrs.spans[1] = s.attrs.spans[2] = true;
    infer_or_die(&s);
    const struct ew_box rows = box(0, 1, 10, 20, 0, 768);
    ck_assert_uint_eq(ew_op_params(&s.view), 197 * 768);
    ck_assert_uint_eq(ew_op_params_for(&s.view, &rows, NULL), 10 * 768);
    s.attrs.is_learned = false;
    ck_assert_uint_eq(ew_op_params(&s.view), 0);
    init_sample(&s, EW_OP_PAD, 1); /* a class token: one learned row before the others */
    set_shape(s.in_shape[0], 1, 196, 768);
    s.attrs.pads[0] = 1;
    s.attrs.is_learned = true;
    infer_or_die(&s);
    const struct ew_box rest = box(0, 1, 1, 197, 0, 768), corner = box(0, 1, 0, 2, 0, 10);
    ck_assert_uint_eq(ew_op_params(&s.view), 768);
    ck_assert_uint_eq(ew_op_params_for(&s.view, &rest, NULL), 0);
    ck_assert_uint_eq(ew_op_params_for(&s.view, &corner, NULL), 10);
    init_sample(&s, EW_OP_LAYERNORM, 1);
    set_shape(s.in_shape[0], 1, 197, 768);
    s.attrs.axis = EW_W;
    s.attrs.is_affine = true;
    infer_or_die(&s);
    ck_assert_uint_eq(ew_op_params(&s.view), 2 * 768);
    const struct ew_box half = box(0, 1, 0, 10, 0, 384);
    ck_assert_uint_eq(ew_op_simple_ops(&s.view, &half), 10 * (768 * 4 + 384 * 3));
}
END_TEST

static Suite *op_import_suite(void)
{
    Suite *suite = begin_suite("op_import");
    TCase *counts = tcase_create("counts");
    tcase_add_test(counts, shape_and_counts_of_conv_transpose);
    tcase_add_test(counts, shape_and_counts_of_matrix_products);
    tcase_add_test(counts, shape_of_rearrangements);
    tcase_add_test(counts, counts_of_learned_constants);
    suite_add_tcase(suite, counts);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(op_import_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
