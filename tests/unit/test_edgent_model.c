/* Edgent's regressions and Algorithm 1 against the paper's own network and figures.
 *
 * The five-exit AlexNet for CIFAR-10; requirement 1000 ms. Two regression profiles, since no single
 * one gives all of Figure 6: `low` (bytes, argmin, input counted as 196608 bit, exit 1 on the
 * device fixed) for 50-1200 kbit/s, `tail` (elements, first feasible point, 103.2 kbit) for
 * 1000-2000. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "edgent/edgent_model.h"
#include "support/edgent_paper.h"
#include "support/suite.h"

static struct edgent_paper low_net, tail_net;

static void make_nets(void)
{
    edgent_paper_init(&low_net, EDGENT_BYTES);
    edgent_paper_init(&tail_net, EDGENT_ELEMENTS);
}

static struct edgent_wire wire(double kbit_per_s)
{
    return (struct edgent_wire){.byte_s = 8.0 / (kbit_per_s * 1e3)};
}

static struct edgent_problem low(double kbit_per_s)
{
    return (struct edgent_problem){
        .n_exits = EDGENT_PAPER_EXITS,
        .exits = low_net.exits,
        .input_bytes = 24576.0,
        .up = wire(kbit_per_s),
        .down = wire(kbit_per_s),
        .deadline_s = 1.0,
        .device_only_exit1_s = 2.35,
    };
}

static struct edgent_problem tail(double kbit_per_s)
{
    return (struct edgent_problem){
        .n_exits = EDGENT_PAPER_EXITS,
        .exits = tail_net.exits,
        .input_bytes = 103.2e3 / 8.0,
        .up = wire(kbit_per_s),
        .down = wire(kbit_per_s),
        .deadline_s = 1.0,
        .selection = EDGENT_FIRST_FEASIBLE,
    };
}

/* ------------------------------------------------------------------ regressions */

static double total_s(const double *layer_s, uint32_t n)
{
    double sum_s = 0.0;
    for (uint32_t k = 0; k < n; k++) {
        sum_s += layer_s[k];
    }
    return sum_s;
}

START_TEST(edgent_exits_have_the_published_layer_counts)
{
    const uint32_t counts[EDGENT_PAPER_EXITS] = {12, 16, 19, 20, 22};
    for (int i = 0; i < EDGENT_PAPER_EXITS; i++) {
        ck_assert_uint_eq(low_net.exits[i].n_layers, counts[i]);
    }
    ck_assert_double_eq(low_net.models[4].model_bytes, 8663808.0);
}
END_TEST

START_TEST(edgent_loading_the_full_model_takes_the_published_time)
{
    /* 4.49e-6 * 8663808 + 842.136 = 881.04 ms; 1.33e-6 * 8663808 + 2.182 = 13.70 ms */
    ck_assert_double_eq_tol(edgent_load_s(8663808.0, EDGENT_DEVICE), 0.88104, 1e-5);
    ck_assert_double_eq_tol(edgent_load_s(8663808.0, EDGENT_SERVER), 0.01370, 1e-5);
}
END_TEST

START_TEST(edgent_regression_sums_match_the_worked_totals)
{
    /* Exit 5: device 1637 ms in bytes, 570 ms in elements; server 33.9 and 11.3 ms. */
    ck_assert_double_eq_tol(total_s(low_net.models[4].device_s, 22), 1.637, 1e-3);
    ck_assert_double_eq_tol(total_s(tail_net.models[4].device_s, 22), 0.570, 1e-3);
    ck_assert_double_eq_tol(total_s(low_net.models[4].server_s, 22), 0.0339, 1e-4);
    ck_assert_double_eq_tol(total_s(tail_net.models[4].server_s, 22), 0.0113, 1e-4);
}
END_TEST

START_TEST(edgent_regression_is_never_negative)
{
    /* conv on the device: -9.909 ms intercept */
    struct edgent_layer small = {EDGENT_CONV, 10, 10, 1, 1};
    ck_assert_double_eq(edgent_layer_s(&small, EDGENT_DEVICE, EDGENT_BYTES), 0.0);
}
END_TEST

/* ------------------------------------------------------------------ latency */

START_TEST(edgent_latency_is_the_sum_of_its_parts)
{
    struct edgent_problem problem = low(400);
    problem.device_only_exit1_s = 0.0;
    const struct edgent_paper_model *m = &low_net.models[0];
    double load_server_s = m->server_load_s[1], load_device_s = m->device_load_s[0];
    /* p = 1: device alone, nothing travels */
    ck_assert_double_eq_tol(edgent_latency_s(&problem, 0, 1),
                            total_s(m->device_s, 12) + load_device_s, 1e-12);
    /* p = 13: server alone, 24576 B up at 50 kB/s */
    ck_assert_double_eq_tol(edgent_latency_s(&problem, 0, 13),
                            total_s(m->server_s, 12) + load_server_s + 24576.0 / 50e3, 1e-12);
    /* p = 5: four layers on the server, 65536 B back */
    ck_assert_double_eq_tol(edgent_latency_s(&problem, 0, 5),
                            total_s(m->server_s, 4) + total_s(m->device_s + 4, 8) + load_server_s +
                                load_device_s + (24576.0 + 65536.0) / 50e3,
                            1e-12);
}
END_TEST

START_TEST(edgent_answer_travels_back_when_asked)
{
    /* 40 bytes at 50 kB/s = 0.8 ms, only when the server ends */
    struct edgent_problem problem = low(400);
    struct edgent_exit exit = low_net.models[4].exit;
    problem.exits = &exit;
    problem.n_exits = 1;
    problem.device_only_exit1_s = 0.0;
    double without_s = edgent_latency_s(&problem, 0, 23);
    double cut_s = edgent_latency_s(&problem, 0, 22);
    exit.answer_bytes = 40.0;
    ck_assert_double_eq_tol(edgent_latency_s(&problem, 0, 23) - without_s, 0.8e-3, 1e-12);
    ck_assert_double_eq(edgent_latency_s(&problem, 0, 22), cut_s);
}
END_TEST

START_TEST(edgent_device_first_mirrors_the_sides)
{
    struct edgent_problem problem = low(400);
    problem.device_only_exit1_s = 0.0;
    problem.is_device_first = true;
    const struct edgent_paper_model *m = &low_net.models[0];
    /* The test's load tables are per front length with the server in front: here they are swapped.
     */
    struct edgent_exit mirrored = m->exit;
    mirrored.load_s[EDGENT_DEVICE] = m->server_load_s;
    mirrored.load_s[EDGENT_SERVER] = m->device_load_s;
    problem.exits = &mirrored;
    problem.n_exits = 1;
    double loads_s = m->server_load_s[1] + m->device_load_s[0];
    ck_assert_double_eq_tol(
        edgent_latency_s(&problem, 0, 5),
        total_s(m->device_s, 4) + total_s(m->server_s + 4, 8) + loads_s + 65536.0 / 50e3, 1e-12);
    /* p = 1: all on the server, the input goes up */
    ck_assert_double_eq_tol(edgent_latency_s(&problem, 0, 1),
                            total_s(m->server_s, 12) + m->device_load_s[0] + 24576.0 / 50e3, 1e-12);
    /* p = 13: all on the device */
    ck_assert_double_eq_tol(edgent_latency_s(&problem, 0, 13),
                            total_s(m->device_s, 12) + m->server_load_s[12], 1e-12);
}
END_TEST

START_TEST(edgent_cuts_only_where_one_tensor_crosses)
{
    struct edgent_problem problem = low(400);
    low_net.models[4].can_cut[6] = false;
    ck_assert(isinf(edgent_latency_s(&problem, 4, 8)));
    ck_assert(!isinf(edgent_latency_s(&problem, 4, 9)));
}
END_TEST

/* ------------------------------------------------------------------ Algorithm 1 */

static void assert_choice(const struct edgent_problem *problem, uint32_t exit, uint32_t p,
                          bool meets_deadline)
{
    struct edgent_choice choice = edgent_choose(problem);
    ck_assert_uint_eq(choice.exit + 1, exit);
    ck_assert_uint_eq(choice.p, p);
    ck_assert_int_eq(choice.meets_deadline, meets_deadline);
}

START_TEST(edgent_reference_sweep_gives_known_latencies)
{
    struct {
        double kbit_per_s;
        uint32_t exit, p;
        bool meets_deadline;
        double ms; /* NAN: not tabulated */
    } cases[] = {
        {50, 1, 1, false, 2350.0}, {60, 1, 1, false, 2350.0},  {70, 1, 1, false, 2350.0},
        {80, 1, 1, false, 2350.0}, {200, 1, 13, false, NAN},   {210, 5, 23, true, 983.8},
        {300, 5, 23, true, 702.9}, {1200, 5, 23, true, 211.4},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct edgent_problem problem = low(cases[c].kbit_per_s);
        assert_choice(&problem, cases[c].exit, cases[c].p, cases[c].meets_deadline);
        if (!isnan(cases[c].ms)) {
            ck_assert_double_eq_tol(edgent_choose(&problem).latency_s * 1e3, cases[c].ms, 0.05);
        }
    }
}
END_TEST

START_TEST(edgent_low_profile_reproduces_figure_6_up_to_1200_kbit)
{
    const double device_only_s[] = {2.25, 2.35, 2.45};
    struct {
        double kbit_per_s;
        uint32_t exit, p;
    } cases[] = {{50, 1, 1},   {60, 1, 1},   {70, 1, 1},    {80, 1, 1},
                 {90, 1, 13},  {100, 1, 13}, {200, 1, 13},  {300, 5, 23},
                 {400, 5, 23}, {500, 5, 23}, {1000, 5, 23}, {1200, 5, 23}};
    for (int d = 0; d < 3; d++) {
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            struct edgent_problem problem = low(cases[c].kbit_per_s);
            problem.device_only_exit1_s = device_only_s[d];
            struct edgent_choice choice = edgent_choose(&problem);
            ck_assert_uint_eq(choice.exit + 1, cases[c].exit);
            ck_assert_uint_eq(choice.p, cases[c].p);
        }
    }
}
END_TEST

START_TEST(edgent_tail_profile_reproduces_figure_6_from_1000_kbit)
{
    const double input_kbit[] = {103.1, 103.2, 103.3};
    for (int k = 0; k < 3; k++) {
        struct {
            double kbit_per_s;
            uint32_t p;
        } cases[] = {{1000, 23}, {1200, 23}, {1500, 17}, {2000, 16}};
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            struct edgent_problem problem = tail(cases[c].kbit_per_s);
            problem.input_bytes = input_kbit[k] * 1e3 / 8.0;
            assert_choice(&problem, 5, cases[c].p, true);
        }
    }
}
END_TEST

START_TEST(edgent_switch_points_fall_at_the_worked_bandwidths)
{
    /* Exit 1 becomes feasible at 203.0 kbit/s, exit 5 at 206.4. */
    struct edgent_problem problem = low(202.9);
    assert_choice(&problem, 1, 13, false);
    problem = low(203.1);
    assert_choice(&problem, 1, 13, true);
    problem = low(206.6);
    assert_choice(&problem, 5, 23, true);
}
END_TEST

START_TEST(edgent_exit_does_not_fall_as_bandwidth_or_requirement_grows)
{
    uint32_t last = 0;
    for (double kbit_per_s = 100; kbit_per_s < 3000; kbit_per_s *= 1.02) {
        struct edgent_problem problem = low(kbit_per_s);
        uint32_t exit = edgent_choose(&problem).exit;
        ck_assert_uint_ge(exit, last);
        last = exit;
    }
    ck_assert_uint_eq(last, 4);
    last = 0;
    /* 500 kbit/s: 393 ms upload; exit 1 first, exit 5 once the requirement allows (Fig. 8) */
    for (double deadline_s = 0.1; deadline_s <= 1.0; deadline_s += 0.001) {
        struct edgent_problem problem = low(500);
        problem.deadline_s = deadline_s;
        uint32_t exit = edgent_choose(&problem).exit;
        ck_assert_uint_ge(exit, last);
        last = exit;
    }
    ck_assert_uint_eq(last, 4);
}
END_TEST

START_TEST(edgent_without_a_deadline_takes_the_last_exit_at_its_fastest_point)
{
    struct edgent_problem problem = low(100);
    problem.deadline_s = INFINITY;
    struct edgent_choice choice = edgent_choose(&problem);
    ck_assert_uint_eq(choice.exit, 4);
    for (uint32_t p = 1; p <= 23; p++) {
        ck_assert_double_ge(edgent_latency_s(&problem, 4, p), choice.latency_s);
    }
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("edgent_model");
    TCase *regression = tcase_create("regression");
    tcase_add_checked_fixture(regression, make_nets, NULL);
    tcase_add_test(regression, edgent_exits_have_the_published_layer_counts);
    tcase_add_test(regression, edgent_loading_the_full_model_takes_the_published_time);
    tcase_add_test(regression, edgent_regression_sums_match_the_worked_totals);
    tcase_add_test(regression, edgent_regression_is_never_negative);
    suite_add_tcase(suite, regression);
    TCase *latency = tcase_create("latency");
    tcase_add_checked_fixture(latency, make_nets, NULL);
    tcase_add_test(latency, edgent_latency_is_the_sum_of_its_parts);
    tcase_add_test(latency, edgent_answer_travels_back_when_asked);
    tcase_add_test(latency, edgent_device_first_mirrors_the_sides);
    tcase_add_test(latency, edgent_cuts_only_where_one_tensor_crosses);
    suite_add_tcase(suite, latency);
    TCase *choice = tcase_create("choose");
    tcase_add_checked_fixture(choice, make_nets, NULL);
    tcase_add_test(choice, edgent_reference_sweep_gives_known_latencies);
    tcase_add_test(choice, edgent_low_profile_reproduces_figure_6_up_to_1200_kbit);
    tcase_add_test(choice, edgent_tail_profile_reproduces_figure_6_from_1000_kbit);
    tcase_add_test(choice, edgent_switch_points_fall_at_the_worked_bandwidths);
    tcase_add_test(choice, edgent_exit_does_not_fall_as_bandwidth_or_requirement_grows);
    tcase_add_test(choice, edgent_without_a_deadline_takes_the_last_exit_at_its_fastest_point);
    suite_add_tcase(suite, choice);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
