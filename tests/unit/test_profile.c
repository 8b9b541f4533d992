/* Cost profiles: every kind against its closed form on a small network. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/profile.h"
#include "support/suite.h"

static struct ew_graph *graph;
static struct ew_profile *profile;

static const char *const from_data[] = {"data"}, *const from_conv[] = {"conv"},
                         *const from_relu[] = {"relu"}, *const from_dw[] = {"dw"},
                         *const from_pw[] = {"pw"}, *const from_down[] = {"down"},
                         *const from_pool[] = {"pool"}, *const from_flat[] = {"flat"};

#define CONV(out, k, s, p, g)                                                                      \
    {                                                                                              \
        .out_channels = (out), .kernel = {(k), (k)}, .stride = {(s), (s)},                         \
        .pads = {(p), (p), (p), (p)}, .dilation = {1, 1}, .groups = (g), .has_bias = true          \
    }

/* data 3x8x8 -> conv 4x8x8 -> relu -> dw 4x8x8 -> pw 8x8x8 -> down 8x4x4 -> pool 8x2x2 -> fc 10 */
static const struct ew_layer_desc layers[] = {
    {.name = "data", .op = EW_OP_INPUT, .shape = {1, 3, 8, 8}},
    {.name = "conv",
     .op = EW_OP_CONV,
     .attrs = CONV(4, 3, 1, 1, 1),
     .n_inputs = 1,
     .inputs = from_data},
    {.name = "relu", .op = EW_OP_RELU, .n_inputs = 1, .inputs = from_conv},
    {.name = "dw",
     .op = EW_OP_CONV,
     .attrs = CONV(4, 3, 1, 1, 4),
     .n_inputs = 1,
     .inputs = from_relu},
    {.name = "pw",
     .op = EW_OP_CONV,
     .attrs = CONV(8, 1, 1, 0, 1),
     .n_inputs = 1,
     .inputs = from_dw},
    {.name = "down",
     .op = EW_OP_CONV,
     .attrs = CONV(8, 3, 2, 1, 1),
     .n_inputs = 1,
     .inputs = from_pw},
    {.name = "pool",
     .op = EW_OP_MAX_POOL,
     .attrs = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}},
     .n_inputs = 1,
     .inputs = from_down},
    {.name = "flat", .op = EW_OP_FLATTEN, .n_inputs = 1, .inputs = from_pool},
    {.name = "fc",
     .op = EW_OP_FC,
     .attrs = {.out_channels = 10, .has_bias = true},
     .n_inputs = 1,
     .inputs = from_flat},
};

static void set_up(void)
{
    const struct ew_graph_desc desc = {
        .name = "small",
        .source = "",
        .accuracy_metric = "",
        .path = "",
        .accuracy = NAN,
        .bytes_per_element = 4,
        .n_layers = sizeof layers / sizeof *layers,
        .layers = layers,
    };
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_make(&graph, &desc, &err) == EW_OK, "%s", err.message);
    profile = ew_profile_make_rate("test", 1e6);
    ck_assert_ptr_nonnull(profile);
}

static void tear_down(void)
{
    ew_profile_free(profile);
    ew_graph_free(graph);
}

static const struct ew_layer *layer_named(const char *name)
{
    uint32_t id = 0;
    ck_assert_msg(ew_graph_find_layer(&id, graph, name), "%s", name);
    return &graph->layers[id];
}

static struct ew_cost_query whole(const char *name)
{
    const struct ew_layer *layer = layer_named(name);
    return (struct ew_cost_query){.graph = graph, .layer = layer, .out = ew_box_full(layer->shape)};
}

static struct ew_cost_query rows_of(const char *name, int32_t lo, int32_t hi)
{
    struct ew_cost_query query = whole(name);
    query.out.lo[EW_H] = lo;
    query.out.hi[EW_H] = hi;
    return query;
}

static double cost_s(struct ew_cost_query query)
{
    return ew_cost_compute_s(profile, &query);
}

static void expect_s(double expected_s, struct ew_cost_query query)
{
    ck_assert_double_eq_tol(cost_s(query), expected_s, 1e-12 + 1e-12 * expected_s);
}

static void use_class_rates(enum ew_profile_kind kind)
{
    static const double rates[EW_RATE_COUNT] = {
        [EW_RATE_CONV_3X3_S1] = 1e6, [EW_RATE_CONV_1X1] = 2e6, [EW_RATE_CONV_OTHER] = 4e6,
        [EW_RATE_DEPTHWISE] = 5e5,   [EW_RATE_FC] = 1e5,
    };
    profile->kind = kind;
    memcpy(profile->class_flops_per_s, rates, sizeof rates);
}

START_TEST(rate_counts_two_flops_per_mac)
{
    expect_s(2 * 6912 / 1e6, whole("conv")); /* 4*8*8 outputs * 3*3*3 macs */
    expect_s(2 * 320 / 1e6, whole("fc"));
    expect_s(2 * 6912 / 4e6, rows_of("conv", 2, 4)); /* two of eight rows */
}
END_TEST

START_TEST(rate_without_simple_rate_gives_other_ops_free)
{
    expect_s(0, whole("relu"));
    expect_s(0, whole("pool"));
    expect_s(0, whole("flat"));
}
END_TEST

START_TEST(empty_box_costs_nothing)
{
    profile->layer_overhead_s = 1;
    expect_s(0, rows_of("conv", 3, 3));
}
END_TEST

START_TEST(classes_follow_kernel_stride_and_groups)
{
    ck_assert_int_eq(ew_rate_class_of(layer_named("conv")), EW_RATE_CONV_3X3_S1);
    ck_assert_int_eq(ew_rate_class_of(layer_named("dw")), EW_RATE_DEPTHWISE);
    ck_assert_int_eq(ew_rate_class_of(layer_named("pw")), EW_RATE_CONV_1X1);
    ck_assert_int_eq(ew_rate_class_of(layer_named("down")), EW_RATE_CONV_OTHER);
    ck_assert_int_eq(ew_rate_class_of(layer_named("fc")), EW_RATE_FC);
}
END_TEST

START_TEST(class_rates_use_the_class_of_the_layer)
{
    use_class_rates(EW_PROFILE_CLASS_RATES);
    expect_s(2 * 6912 / 1e6, whole("conv"));
    expect_s(2 * 2304 / 5e5, whole("dw"));   /* 4*8*8 outputs * 9 macs */
    expect_s(2 * 2048 / 2e6, whole("pw"));   /* 8*8*8 outputs * 4 macs */
    expect_s(2 * 9216 / 4e6, whole("down")); /* 8*4*4 outputs * 72 macs */
}
END_TEST

START_TEST(fc_takes_the_longer_of_arithmetic_and_weights)
{
    use_class_rates(EW_PROFILE_CLASS_RATES);
    expect_s(2 * 320 / 1e5, whole("fc"));
    profile->weight_bytes_per_s = 1e3; /* 330 parameters of 4 bytes: 1.32 s */
    expect_s(1.32, whole("fc"));
    struct ew_cost_query batch = whole("fc");
    batch.out.hi[EW_N] = 1000; /* weights once, arithmetic a thousand times: 6.4 s */
    expect_s(6.4, batch);
}
END_TEST

START_TEST(overhead_is_for_pieces_that_take_time)
{
    profile->layer_overhead_s = 0.5;
    expect_s(2 * 6912 / 1e6 + 0.5, whole("conv"));
    expect_s(0, whole("relu")); /* free, as simple_ops_per_s is 0 */
    profile->simple_ops_per_s = 1e3;
    expect_s(256 / 1e3 + 0.5, whole("relu"));
    expect_s(0, whole("flat")); /* a view */
}
END_TEST

START_TEST(activation_bytes_are_input_plus_output)
{
    profile->activation_bytes_per_s = 1e3;
    /* relu: 256 in, 256 out, 4 bytes each */
    expect_s(2048 / 1e3, whole("relu"));
    /* conv rows 2..3 read rows 1..4 of 3 channels x 8 columns: 96 in, 64 out */
    expect_s(2 * 6912 / 4e6 + (96 + 64) * 4 / 1e3, rows_of("conv", 2, 4));
}
END_TEST

START_TEST(additive_adds_arithmetic_weights_activations_patches_and_overhead)
{
    profile->kind = EW_PROFILE_ADDITIVE;
    profile->class_flops_per_s[EW_RATE_CONV_3X3_S1] = 1e9;
    profile->weight_bytes_per_s = 1e8;
    profile->activation_bytes_per_s = 2e8;
    profile->patch_bytes_per_s = 4e8;
    profile->layer_overhead_s = 1e-3;
    profile->simple_ops_per_s = 0;
    struct ew_cost_query query = {.graph = graph};
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        if (strcmp(graph->layers[i].name, "conv") == 0) {
            query.layer = &graph->layers[i];
        }
    }
    query.out = ew_box_full(query.layer->shape);
    /* conv 3x3, 3x8x8 -> 4x8x8: 27 * 256 MACs; (27 * 4 + 4) weights; 192 in, 256 out; 27 * 64 in
     * patches; 4 bytes each */
    const double whole_s =
        2 * 27 * 256 / 1e9 + 112 * 4 / 1e8 + (192 + 256) * 4 / 2e8 + 27 * 64 * 4 / 4e8 + 1e-3;
    ck_assert_double_eq_tol(ew_cost_compute_s(profile, &query), whole_s, 1e-15);
    /* a band of 4 rows: half the arithmetic and patches, 5 input rows, all weights */
    query.out.hi[EW_H] = 4;
    const double band_s =
        27 * 256 / 1e9 + 112 * 4 / 1e8 + (3 * 5 * 8 + 128) * 4 / 2e8 + 27 * 32 * 4 / 4e8 + 1e-3;
    ck_assert_double_eq_tol(ew_cost_compute_s(profile, &query), band_s, 1e-15);
    ck_assert_double_lt(band_s, whole_s);
    ck_assert_double_gt(2 * band_s, whole_s);
    /* rows rounded up to 8: the arithmetic of the whole */
    profile->row_granularity = 8;
    ck_assert_double_eq_tol(ew_cost_compute_s(profile, &query), band_s + 27 * 256 / 1e9, 1e-15);
    /* drawn errors multiply the time */
    profile->time_ratio = 1.5;
    ck_assert_double_eq_tol(ew_cost_compute_s(profile, &query), 1.5 * (band_s + 27 * 256 / 1e9),
                            1e-15);
}
END_TEST

START_TEST(staircase_rounds_rows_up)
{
    use_class_rates(EW_PROFILE_STAIRCASE);
    profile->row_granularity = 4;
    const double row_s = 2 * 6912 / 8.0 / 1e6;
    expect_s(4 * row_s, rows_of("conv", 0, 1));
    expect_s(4 * row_s, rows_of("conv", 2, 6));
    expect_s(8 * row_s, rows_of("conv", 1, 6));
    expect_s(8 * row_s, whole("conv"));
    expect_s(2 * 320 / 1e5, whole("fc")); /* one row of an fc is one row */
}
END_TEST

START_TEST(reduction_scales_arithmetic)
{
    const struct ew_reduction first_channel = {0, 1};
    struct ew_cost_query query = whole("conv");
    query.reduction = &first_channel;
    expect_s(2 * 6912 / 3.0 / 1e6, query);
}
END_TEST

static void set_terms(enum ew_op op, const struct ew_term *terms, uint32_t n)
{
    profile->kind = EW_PROFILE_REGRESSION;
    profile->regression[op] = (struct ew_regression){n, terms};
}

START_TEST(regression_features_are_those_of_the_piece)
{
    const struct {
        enum ew_feature feature;
        double value;
    } cases[] = {
        /* rows 2..3 of conv: reads rows 1..4 */
        {EW_FEATURE_ONE, 1},
        {EW_FEATURE_INPUT_ELEMENTS, 3 * 4 * 8},
        {EW_FEATURE_INPUT_BYTES, 4 * 3 * 4 * 8},
        {EW_FEATURE_INPUT_CHANNELS, 3},
        {EW_FEATURE_OUTPUT_ELEMENTS, 4 * 2 * 8},
        {EW_FEATURE_OUTPUT_BYTES, 4 * 4 * 2 * 8},
        {EW_FEATURE_FILTER, 9 * 4},
        {EW_FEATURE_WEIGHT_BYTES, 4 * (27 * 4 + 4)},
        {EW_FEATURE_MACS, 6912 / 4},
        {EW_FEATURE_INPUT_PIXELS, 4 * 8},
        {EW_FEATURE_OUTPUT_PIXELS, 2 * 8},
    };
    ck_assert_uint_eq(sizeof cases / sizeof *cases, EW_FEATURE_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ew_term term = {cases[i].feature, 0.5};
        set_terms(EW_OP_CONV, &term, 1);
        expect_s(0.5 * cases[i].value, rows_of("conv", 2, 4));
    }
}
END_TEST

START_TEST(regression_divides_the_kernel_by_the_stride)
{
    const struct ew_term term = {EW_FEATURE_FILTER, 1};
    set_terms(EW_OP_CONV, &term, 1);
    expect_s(1.5 * 1.5 * 8, whole("down")); /* 3x3, stride 2, 8 filters */
}
END_TEST

START_TEST(regression_never_goes_below_zero)
{
    /* Edgent's mobile device: 6.13e-6 s per byte, -9.909 ms: negative for 768 bytes */
    const struct ew_term terms[] = {{EW_FEATURE_INPUT_BYTES, 6.13e-6}, {EW_FEATURE_ONE, -9.909e-3}};
    set_terms(EW_OP_CONV, terms, 2);
    expect_s(0, whole("conv"));
}
END_TEST

START_TEST(regression_may_cost_views_and_leaves_others_to_the_rate)
{
    const struct ew_term term = {EW_FEATURE_ONE, 0.25};
    set_terms(EW_OP_FLATTEN, &term, 1);
    expect_s(0.25, whole("flat"));
    expect_s(2 * 320 / 1e6, whole("fc"));
}
END_TEST

static const double table_rows[] = {2, 4, 8}, table_seconds[] = {1, 3, 5}, one_row[] = {4},
                    one_second[] = {2};
static const struct ew_table_layer table[] = {
    {"small", "conv", 3, table_rows, table_seconds},
    {"small", "pw", 1, one_row, one_second},
};

static void use_table(void)
{
    profile->kind = EW_PROFILE_TABLE;
    profile->n_table_layers = 2;
    profile->table_layers = table;
}

START_TEST(table_interpolates_rows_linearly)
{
    use_table();
    expect_s(3, rows_of("conv", 4, 8));
    expect_s(2, rows_of("conv", 1, 4)); /* 3 rows, between (2, 1 s) and (4, 3 s) */
    expect_s(4, rows_of("conv", 0, 6)); /* 6 rows, between (4, 3 s) and (8, 5 s) */
    expect_s(5, whole("conv"));
    expect_s(1, rows_of("pw", 0, 2)); /* one measurement: in proportion */
}
END_TEST

START_TEST(table_extends_the_nearest_segment_but_not_below_proportion)
{
    use_table();
    /* the first segment falls to 0 s at 1 row; proportion to (2, 1 s) says 0.5 s */
    expect_s(0.5, rows_of("conv", 0, 1));
}
END_TEST

START_TEST(table_scales_by_columns_channels_batch_and_reduction)
{
    use_table();
    struct ew_cost_query query = whole("conv");
    query.out.hi[EW_W] = 4; /* half the columns */
    query.out.hi[EW_C] = 1; /* a quarter of the channels */
    query.out.hi[EW_N] = 2;
    expect_s(5 * 0.5 * 0.25 * 2, query);
    const struct ew_reduction part = {0, 1};
    query.reduction = &part; /* a third of the input channels */
    expect_s(5 * 0.5 * 0.25 * 2 / 3, query);
}
END_TEST

START_TEST(table_leaves_layers_not_measured_to_the_fallback)
{
    use_table();
    expect_s(2 * 320 / 1e6, whole("fc")); /* its own rate */
    profile->fallback = ew_profile_make_rate("fallback", 1e3);
    ck_assert_ptr_nonnull(profile->fallback);
    expect_s(2 * 320 / 1e3, whole("fc"));
}
END_TEST

START_TEST(sums_loads_and_conversions)
{
    /* no simple rate: at the arithmetic rate; 3 terms of 100 elements are 200 additions */
    ck_assert_double_eq_tol(ew_cost_sum_s(profile, 100, 3, 4), 200 / 1e6, 1e-15);
    ck_assert_double_eq(ew_cost_sum_s(profile, 100, 1, 4), 0);
    ck_assert_double_eq(ew_cost_sum_s(profile, 0, 3, 4), 0);
    profile->simple_ops_per_s = 1e3;
    profile->activation_bytes_per_s = 1e4;
    profile->layer_overhead_s = 1;
    /* 3 read and 1 written, 100 elements of 4 bytes */
    ck_assert_double_eq_tol(ew_cost_sum_s(profile, 100, 3, 4), 0.2 + 0.16 + 1, 1e-12);
    ck_assert_double_eq_tol(ew_cost_convert_s(profile, 50), 0.05, 1e-15);
    ck_assert_double_eq(ew_cost_load_s(profile, 1000), 0); /* free by default */
    profile->load_overhead_s = 0.842136;                   /* Edgent, Table II */
    profile->load_bytes_per_s = 1 / 4.49e-9;
    /* 842.136 ms + 4.49e-6 ms/B * 8663808 B = 881.037 ms: Edgent's Raspberry Pi */
    ck_assert_double_eq_tol(ew_cost_load_s(profile, 8663808), 0.88103649792, 1e-12);
    ck_assert_double_eq(ew_cost_load_s(profile, 0), 0);
}
END_TEST

START_TEST(cost_is_finite_at_the_edges_of_the_ranges)
{
    profile->flops_per_s = 1;
    ck_assert(isfinite(cost_s(whole("conv"))));
    const struct ew_term terms[] = {{EW_FEATURE_INPUT_BYTES, 1e6}, {EW_FEATURE_MACS, 1e6}};
    set_terms(EW_OP_CONV, terms, 2);
    struct ew_error err = {0};
    ck_assert_int_eq(ew_profile_check(profile, &err), EW_OK);
    ck_assert(isfinite(cost_s(whole("conv"))));
}
END_TEST

static void expect_refused(const char *part)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_profile_check(profile, &err), EW_EINPUT);
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' lacks '%s'", err.message, part);
}

START_TEST(check_names_the_field_out_of_range)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_profile_check(profile, &err), EW_OK);
    profile->flops_per_s = 0;
    expect_refused("flops_per_s: expected 1 .. 1e+24, found 0");
    profile->flops_per_s = NAN;
    expect_refused("flops_per_s: expected 1 .. 1e+24, found nan");
    profile->flops_per_s = 1e9;
    profile->layer_overhead_s = -1;
    expect_refused("layer_overhead_s: expected 0 .. 1e+09, found -1");
    profile->layer_overhead_s = 0;
    profile->load_bytes_per_s = INFINITY;
    expect_refused("load.bytes_per_s");
    profile->load_bytes_per_s = 0;
    profile->residual_ratio = -0.1;
    expect_refused("residual_ratio");
    profile->residual_ratio = NAN;
    profile->kind = EW_PROFILE_CLASS_RATES;
    expect_refused("class_flops_per_s.conv_3x3_s1");
    use_class_rates(EW_PROFILE_STAIRCASE);
    profile->row_granularity = 0;
    expect_refused("row_granularity: expected 1 .. 65536, found 0");
    profile->kind = (enum ew_profile_kind)17;
    expect_refused("unknown kind 17");
}
END_TEST

START_TEST(check_wants_a_rate_where_regressions_are_missing)
{
    const struct ew_term term = {EW_FEATURE_ONE, 1};
    set_terms(EW_OP_CONV, &term, 1);
    profile->flops_per_s = 0;
    expect_refused("conv or fc without a regression");
    set_terms(EW_OP_FC, &term, 1);
    struct ew_error err = {0};
    ck_assert_msg(ew_profile_check(profile, &err) == EW_OK, "%s", err.message);
    const struct ew_term bad = {EW_FEATURE_ONE, NAN};
    set_terms(EW_OP_RELU, &bad, 1);
    expect_refused("regression.relu term 0");
}
END_TEST

START_TEST(check_wants_ascending_rows_and_sorted_layers)
{
    use_table();
    struct ew_error err = {0};
    ck_assert_msg(ew_profile_check(profile, &err) == EW_OK, "%s", err.message);
    static const double falling[] = {4, 2, 8}, negative[] = {1, -3, 5};
    const struct ew_table_layer bad_rows[] = {{"small", "conv", 3, falling, table_seconds}};
    profile->n_table_layers = 1;
    profile->table_layers = bad_rows;
    expect_refused("rows[1]: expected ascending whole numbers");
    const struct ew_table_layer bad_seconds[] = {{"small", "conv", 3, table_rows, negative}};
    profile->table_layers = bad_seconds;
    expect_refused("seconds[1]: expected 0");
    const struct ew_table_layer twice[] = {table[0], table[0]};
    profile->n_table_layers = 2;
    profile->table_layers = twice;
    expect_refused("one entry per layer");
    profile->n_table_layers = 0;
    expect_refused("at least one entry");
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("profile");
    TCase *cost = tcase_create("cost"), *check = tcase_create("check");
    tcase_add_checked_fixture(cost, set_up, tear_down);
    tcase_add_checked_fixture(check, set_up, tear_down);
    tcase_add_test(cost, rate_counts_two_flops_per_mac);
    tcase_add_test(cost, rate_without_simple_rate_gives_other_ops_free);
    tcase_add_test(cost, empty_box_costs_nothing);
    tcase_add_test(cost, classes_follow_kernel_stride_and_groups);
    tcase_add_test(cost, class_rates_use_the_class_of_the_layer);
    tcase_add_test(cost, fc_takes_the_longer_of_arithmetic_and_weights);
    tcase_add_test(cost, overhead_is_for_pieces_that_take_time);
    tcase_add_test(cost, activation_bytes_are_input_plus_output);
    tcase_add_test(cost, additive_adds_arithmetic_weights_activations_patches_and_overhead);
    tcase_add_test(cost, staircase_rounds_rows_up);
    tcase_add_test(cost, reduction_scales_arithmetic);
    tcase_add_test(cost, regression_features_are_those_of_the_piece);
    tcase_add_test(cost, regression_divides_the_kernel_by_the_stride);
    tcase_add_test(cost, regression_never_goes_below_zero);
    tcase_add_test(cost, regression_may_cost_views_and_leaves_others_to_the_rate);
    tcase_add_test(cost, table_interpolates_rows_linearly);
    tcase_add_test(cost, table_extends_the_nearest_segment_but_not_below_proportion);
    tcase_add_test(cost, table_scales_by_columns_channels_batch_and_reduction);
    tcase_add_test(cost, table_leaves_layers_not_measured_to_the_fallback);
    tcase_add_test(cost, sums_loads_and_conversions);
    tcase_add_test(cost, cost_is_finite_at_the_edges_of_the_ranges);
    tcase_add_test(check, check_names_the_field_out_of_range);
    tcase_add_test(check, check_wants_a_rate_where_regressions_are_missing);
    tcase_add_test(check, check_wants_ascending_rows_and_sorted_layers);
    suite_add_tcase(suite, cost);
    suite_add_tcase(suite, check);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
