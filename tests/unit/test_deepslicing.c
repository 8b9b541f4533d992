/* DeepSlicing's stage costs, by hand: two 3x3 convolutions on 16 x 16, devices of 1 GFLOP/s, 1 MB/s
 * and 1 ms between any two, the input on device 0. */
#include <check.h>
#include <math.h>

#include "deepslicing/deepslicing_model.h"
#include "support/planning.h"
#include "support/suite.h"
#include "support/tiny.h"

/* a: 16 * 4 * 27 MACs per row; b: 16 * 4 * 36; 2 FLOP each at 1 GFLOP/s */
static const double A_ROW_S = 2 * 1728e-9;
static const double B_ROW_S = 2 * 2304e-9;
static const double MESSAGE_S = 1e-3;
static const double BYTE_S = 1e-6;

static const struct tiny_layer layers[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
};

/* A model over the first n devices. */
struct view {
    struct kit_net net;
    struct kit_blocks blocks;
    struct deepslicing_model model;
};

static const uint32_t DEVICES[] = {0, 1, 2};

static void open_view(struct view *v, const struct ew_host *host, uint32_t n, const double *weights)
{
    *v = (struct view){0};
    ck_assert_int_eq(kit_net_init(&v->net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert_int_eq(kit_blocks_init(&v->blocks, &v->net), 0);
    ck_assert_int_eq(deepslicing_model_init(&v->model, &v->net, &v->blocks, DEVICES, n), 0);
    deepslicing_share(&v->model, weights);
}

static void close_view(struct view *v)
{
    deepslicing_model_fini(&v->model);
    kit_blocks_fini(&v->blocks);
    kit_net_fini(&v->net);
}

static void ask(void (*question)(const struct ew_host *, struct ew_plan_builder *))
{
    struct planning *planning = planning_new(tiny_graph(3, 16, 16, 2, layers), tiny_star(3));
    planning_ask(planning, question);
    planning_free(planning);
}

static void share_equally(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v;
    open_view(&v, host, 2, (double[]){1, 1});
    struct kit_span own = deepslicing_own(&v.model, 1, 16);
    ck_assert_int_eq(own.lo, 8);
    ck_assert_int_eq(own.hi, 16);
    /* Both fused. Device 1 makes b's rows 8..15 from a's 7..15 from the input's 6..15: 10 rows of
     * 16 x 3 floats. Device 0 has its input at hand. */
    ck_assert_double_eq_tol(deepslicing_stage_s(&v.model, 0, 1),
                            MESSAGE_S + 10 * 192 * BYTE_S + 9 * A_ROW_S + 8 * B_ROW_S, 1e-12);
    /* b alone: each lacks one row of a (16 x 4 floats), which the other one has. */
    ck_assert_double_eq_tol(deepslicing_stage_s(&v.model, 1, 1),
                            MESSAGE_S + 256 * BYTE_S + 8 * B_ROW_S, 1e-12);
    close_view(&v);
}

START_TEST(stage_fetches_missing_rows_and_computes_halos_again)
{
    ask(share_equally);
}
END_TEST

static void share_with_an_idle_one(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v;
    /* 4, 0 and 12 rows: the one without rows costs nothing, the neighbours are 0 and 2 */
    open_view(&v, host, 3, (double[]){1, 0, 3});
    ck_assert_int_eq(kit_span_lines(deepslicing_own(&v.model, 1, 16)), 0);
    ck_assert_double_eq_tol(deepslicing_stage_s(&v.model, 1, 1),
                            MESSAGE_S + 256 * BYTE_S + 12 * B_ROW_S, 1e-12);
    close_view(&v);
}

START_TEST(device_without_rows_takes_no_part)
{
    ask(share_with_an_idle_one);
}
END_TEST

static void share_thinly(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v;
    /* 7, 1 and 8 rows. The middle one lacks a row on either side: two messages. */
    open_view(&v, host, 3, (double[]){7, 1, 8});
    ck_assert_double_eq_tol(deepslicing_stage_s(&v.model, 1, 1),
                            2 * (MESSAGE_S + 256 * BYTE_S) + 1 * B_ROW_S, 1e-12);
    close_view(&v);
}

START_TEST(messages_of_several_holders_add_up)
{
    ask(share_thinly);
}
END_TEST

static void keep_everything(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v;
    open_view(&v, host, 3, (double[]){1, 0, 0});
    ck_assert_double_eq_tol(deepslicing_stage_s(&v.model, 0, 1), 16 * (A_ROW_S + B_ROW_S), 1e-12);
    close_view(&v);
}

START_TEST(source_alone_only_computes)
{
    ask(keep_everything);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {stage_fetches_missing_rows_and_computes_halos_again,
                                  device_without_rows_takes_no_part,
                                  messages_of_several_holders_add_up, source_alone_only_computes};
    return run_suite("deepslicing", tests, sizeof tests / sizeof *tests);
}
