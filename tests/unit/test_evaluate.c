#include <math.h>
#include <stdlib.h>

#include "support/suite.h"
#include "support/tiny.h"
#include "sweep/evaluate.h"

static const struct tiny_layer layers[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 1},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 2, .kernel = 1},
};

/* Two pointwise convolutions on 8 x 8 of one channel: 256 and 512 MACs, so 0.512 us and 1.024 us at
 * 1 GFLOP/s. The input is 256 B, the result 512 B. */
static const double A_S = 512e-9, B_S = 1024e-9, INPUT_S = 256e-6, RESULT_S = 512e-6;
static const double LATENCY_S = 1e-3; /* up and down, 0.5 ms each */

struct fixture {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_evaluator *evaluator;
    struct ew_problem problem;
    struct ew_segment segment;
    struct ew_piece pieces[4];
};

static void begin(struct fixture *f)
{
    struct ew_error err = {0};
    *f = (struct fixture){.graph = tiny_graph(1, 8, 8, 2, layers), .platform = tiny_star(2)};
    f->problem = (struct ew_problem){
        .context = {f->graph, f->platform, ew_element_bytes_of(f->graph)},
        .batch = 1,
        .deadline_s = INFINITY,
        .arrival = "closed:1",
        .workload = "main",
    };
    ck_assert_int_eq(ew_evaluator_new(&f->evaluator, f->platform, ew_net_model_find("ideal"),
                                      EW_ENERGY_BOTH, &err),
                     EW_OK);
}

static void end(struct fixture *f)
{
    ew_evaluator_free(f->evaluator);
    ew_platform_free(f->platform);
    ew_graph_free(f->graph);
}

/* Both layers whole, `a` on one device and `b` on another. */
static struct ew_plan split_plan(struct fixture *f, uint32_t device_a, uint32_t device_b)
{
    f->pieces[0] = tiny_whole(f->graph, "a", device_a);
    f->pieces[1] = tiny_whole(f->graph, "b", device_b);
    return tiny_plan(f->graph, &f->segment, f->pieces, 2);
}

static void near(double found, double expected)
{
    ck_assert_msg(fabs(found - expected) <= 1e-9 * fabs(expected) + 1e-15,
                  "found %.17g, expected %.17g", found, expected);
}

static struct ew_evaluation evaluate(struct fixture *f, const struct ew_plan *plan,
                                     uint32_t requests)
{
    struct ew_error err = {0};
    struct ew_evaluation result = {.struct_size = sizeof result, .requests = requests};
    ck_assert_msg(ew_evaluate(f->evaluator, &f->problem, plan, &result, &err) == EW_OK, "%s",
                  err.message);
    return result;
}

START_TEST(one_device_takes_the_sum_of_its_layers)
{
    struct fixture f;
    begin(&f);
    const struct ew_plan plan = split_plan(&f, 0, 0);
    const struct ew_evaluation r = evaluate(&f, &plan, 0);
    near(r.latency_s, A_S + B_S);
    near(r.period_s, A_S + B_S);
    near(r.dynamic_energy_j, (A_S + B_S) * 2);   /* 3 W computing, 1 W idle */
    near(r.energy_j, (A_S + B_S) * (2 + 2 * 1)); /* two idle devices */
    near(r.accuracy, 0.9);
    ck_assert_uint_eq(r.message_bytes, 0);
    end(&f);
}
END_TEST

START_TEST(an_offload_adds_both_transfers)
{
    struct fixture f;
    begin(&f);
    const struct ew_plan plan = split_plan(&f, 1, 1);
    const struct ew_evaluation r = evaluate(&f, &plan, 1);
    const double latency_s = A_S + B_S + INPUT_S + RESULT_S + 2 * LATENCY_S;
    near(r.latency_s, latency_s);
    near(r.period_s, LATENCY_S + RESULT_S); /* the connection back carries the most */
    /* compute 2 W; both radios while bytes flow: 0.5 W and 0.25 W */
    near(r.dynamic_energy_j, (A_S + B_S) * 2 + (INPUT_S + RESULT_S) * 0.75);
    near(r.energy_j, r.dynamic_energy_j + 2 * latency_s);
    ck_assert_uint_eq(r.message_bytes, 256 + 512);
    end(&f);
}
END_TEST

/* As the offload, asked for by a message of 1000 B; the period is what the run showed. */
START_TEST(a_chain_in_a_pool_is_evaluated_where_it_ran)
{
    static const uint32_t members[] = {1};
    const struct ew_pool pool = {0, 1000, 1, members};
    struct fixture f;
    begin(&f);
    struct ew_plan plan = split_plan(&f, 0, 0);
    for (int i = 0; i < 2; i++) {
        f.pieces[i].chain = 0;
        f.pieces[i].pool = 1;
    }
    plan.n_pools = 1;
    plan.pools = &pool;
    const struct ew_evaluation r = evaluate(&f, &plan, 3);
    const double steal_s = LATENCY_S + 1e-3;
    const double latency_s = steal_s + A_S + B_S + INPUT_S + RESULT_S + 2 * LATENCY_S;
    ck_assert_double_eq_tol(r.latency_s, latency_s, 1e-8); /* taken 2.618 ns after it could be */
    near(r.period_s, steal_s + LATENCY_S + RESULT_S);      /* the connection to the holder */
    ck_assert_uint_eq(r.message_bytes, 1000 + 256 + 512);
    end(&f);
}
END_TEST

START_TEST(requests_in_a_closed_loop_have_equal_latencies)
{
    struct fixture f;
    begin(&f);
    const struct ew_plan plan = split_plan(&f, 1, 1);
    const struct ew_evaluation one = evaluate(&f, &plan, 1), ten = evaluate(&f, &plan, 10);
    near(ten.latency_s, one.latency_s);
    near(ten.energy_j, one.energy_j);
    near(ten.period_s, one.period_s);
    end(&f);
}
END_TEST

START_TEST(arrays_tell_when_layers_and_devices_finish)
{
    struct fixture f;
    struct ew_error err = {0};
    double busy_s[2], finish_s[2], layer_s[3];
    begin(&f);
    /* a on d0, its 1024 B output to d1, b there, 512 B back */
    const struct ew_plan plan = split_plan(&f, 0, 1);
    struct ew_evaluation r = {.struct_size = sizeof r,
                              .device_busy_s = busy_s,
                              .device_finish_s = finish_s,
                              .layer_finish_s = layer_s};
    ck_assert_int_eq(ew_evaluate(f.evaluator, &f.problem, &plan, &r, &err), EW_OK);
    const double b_end_s = A_S + LATENCY_S + 1024e-6 + B_S;
    near(busy_s[0], A_S);
    near(busy_s[1], B_S);
    ck_assert(isnan(layer_s[0])); /* the input is computed by nobody */
    near(layer_s[1], A_S);
    near(layer_s[2], b_end_s);
    near(finish_s[1], b_end_s + LATENCY_S + RESULT_S); /* its last bytes leave */
    near(finish_s[0], r.latency_s);
    end(&f);
}
END_TEST

START_TEST(an_incomplete_plan_is_refused_and_the_next_one_works)
{
    struct fixture f;
    struct ew_error err = {0};
    begin(&f);
    f.pieces[0] = tiny_rows(f.graph, "a", 0, 0, 5);
    f.pieces[1] = tiny_whole(f.graph, "b", 0);
    const struct ew_plan plan = tiny_plan(f.graph, &f.segment, f.pieces, 2);
    struct ew_evaluation r = {.struct_size = sizeof r};
    ck_assert_int_eq(ew_evaluate(f.evaluator, &f.problem, &plan, &r, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "layer b: rows 5..7 of d0's input (a) are held by nobody");
    const struct ew_plan good = split_plan(&f, 0, 0);
    near(evaluate(&f, &good, 1).latency_s, A_S + B_S);
    end(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_device_takes_the_sum_of_its_layers,
        an_offload_adds_both_transfers,
        a_chain_in_a_pool_is_evaluated_where_it_ran,
        requests_in_a_closed_loop_have_equal_latencies,
        arrays_tell_when_layers_and_devices_finish,
        an_incomplete_plan_is_refused_and_the_next_one_works,
    };
    return run_suite("evaluate", tests, sizeof tests / sizeof *tests);
}
