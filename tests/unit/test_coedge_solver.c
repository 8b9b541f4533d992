/* CoEdge's solver against a small problem worked out by hand, and against brute force.
 *
 * Three devices, 16 rows, threshold 2, every link 1 KB/ms, two layers of 128 and 64 KB with 8 KB
 * per row and one halo row on each side. Seconds per KB: 2.5e-3 on devices 0 and 1, 0.6e-3 on
 * device 2. All figures follow from lambda * alpha + beta by exact arithmetic (units: ms, mJ). */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coedge/coedge_program.h"
#include "coedge/coedge_solver.h"
#include "support/suite.h"

enum { N = 3, LAYERS = 2, ROWS = 16 };

static const struct coedge_device toy_devices[N] = {
    {.capability = 0.4, .compute_w = 3.0, .tx_w = 2.0, .rx_w = 2.0, .max_rows = ROWS},
    {.capability = 0.4, .compute_w = 3.0, .tx_w = 2.0, .rx_w = 2.0, .max_rows = ROWS},
    {.capability = 2.0 / 1.2, .compute_w = 9.5, .tx_w = 4.0, .rx_w = 4.0, .max_rows = ROWS},
};

static const struct coedge_layer toy_layers[LAYERS] = {
    {.rows = 16,
     .halo_above = 1,
     .halo_below = 1,
     .halo_above_bytes = 8e3,
     .halo_below_bytes = 8e3},
    {.rows = 8, .halo_above = 1, .halo_below = 1, .halo_above_bytes = 8e3, .halo_below_bytes = 8e3},
};

static const double toy_compute_s[LAYERS * N] = {0.320, 0.320, 0.0768, 0.160, 0.160, 0.0384};
static const double toy_message_s[N * N] = {0};
static const double toy_byte_s[N * N] = {0, 1e-6, 1e-6, 1e-6, 0, 1e-6, 1e-6, 1e-6, 0};

static struct coedge_problem toy(double deadline_ms)
{
    struct coedge_problem problem = {
        .n_devices = N,
        .n_layers = LAYERS,
        .rows = ROWS,
        .threshold_rows = 2,
        .deadline_s = deadline_ms * 1e-3,
        .devices = toy_devices,
        .layers = toy_layers,
        .compute_s = toy_compute_s,
        .message_s = toy_message_s,
        .byte_s = toy_byte_s,
        .scatter_bytes = 128e3,
    };
    return problem;
}

static struct clp *library;

static void open_library(void)
{
    char reason[256] = "";
    library = clp_open(reason, sizeof reason);
    ck_assert_msg(library != NULL, "%s", reason);
}

static void close_library(void)
{
    clp_close(library);
    library = NULL;
}

static struct coedge_cost evaluate(const struct coedge_problem *problem, const int32_t *rows)
{
    enum { MAX = 16 };
    bool is_active[MAX];
    int32_t cuts[MAX + 1];
    double step_s[MAX], slack_s[MAX];
    uint32_t n_slowest[MAX];
    struct coedge_scratch scratch = {is_active, cuts, step_s, slack_s, n_slowest};
    ck_assert(problem->n_devices <= MAX && problem->n_layers <= MAX);
    return coedge_evaluate(problem, rows, &scratch);
}

static void assert_cost(struct coedge_cost cost, double mj, double ms)
{
    ck_assert_double_eq_tol(cost.j * 1e3, mj, 1e-9);
    ck_assert_double_eq_tol(cost.s * 1e3, ms, 1e-9);
}

struct result {
    enum coedge_outcome outcome;
    int32_t rows[N];
    double shares[N];
    struct coedge_solution solution;
};

static struct result solve(double deadline_ms, struct coedge_options options)
{
    struct coedge_problem problem = toy(deadline_ms);
    struct result result = {0};
    result.solution.rows = result.rows;
    result.solution.first_shares = result.shares;
    result.outcome = coedge_solve(&result.solution, &problem, library, &options);
    return result;
}

static void assert_rows(const struct result *result, int32_t a, int32_t b, int32_t c)
{
    ck_assert_int_eq(result->rows[0], a);
    ck_assert_int_eq(result->rows[1], b);
    ck_assert_int_eq(result->rows[2], c);
}

static const struct coedge_options PLAIN = {.objective = COEDGE_MIN_ENERGY};
static const struct coedge_options FULL = {
    .objective = COEDGE_MIN_ENERGY, .has_repair = true, .has_fallback = true};

/* ------------------------------------------------------------------ costs */

START_TEST(coedge_costs_of_given_splits_equal_hand_sums)
{
    struct coedge_problem problem = toy(INFINITY);
    /* [16,0,0]: (320 + 160) ms at 3 W. [8,8,0]: layer 1 = 0.5*(320+128)+8 on device 1, layer 2 =
     * 80+8; energy 3*480 + 2*(64 + 4*8). */
    assert_cost(evaluate(&problem, (int32_t[]){16, 0, 0}), 1440.0, 480.0);
    assert_cost(evaluate(&problem, (int32_t[]){0, 16, 0}), 1696.0, 608.0);
    assert_cost(evaluate(&problem, (int32_t[]){0, 0, 16}), 1606.4, 243.2);
    assert_cost(evaluate(&problem, (int32_t[]){8, 8, 0}), 1632.0, 320.0);
    assert_cost(evaluate(&problem, (int32_t[]){4, 3, 9}), 1741.6, 171.2);
}
END_TEST

START_TEST(coedge_halo_reaches_beyond_a_thin_neighbour)
{
    /* Two halo rows at layer 2 (8 rows): [8,2,6] gives device 1 one row there, so devices 0 and 2
     * fetch their second row from each other, as a message of its own. */
    struct coedge_layer layers[LAYERS];
    double message_s[N * N];
    memcpy(layers, toy_layers, sizeof layers);
    layers[1].halo_above = layers[1].halo_below = 2;
    layers[1].halo_above_bytes = layers[1].halo_below_bytes = 16e3;
    for (int i = 0; i < N * N; i++) {
        message_s[i] = 1e-3;
    }
    struct coedge_problem problem = toy(INFINITY);
    problem.layers = layers;
    problem.message_s = message_s;
    const bool all[N] = {true, true, true};
    const int32_t cuts[N + 1] = {0, 8, 10, 16};
    struct coedge_cost thin = coedge_fixed_cost(&problem, all, cuts, 1, 0);
    struct coedge_cost thick = coedge_fixed_cost(&problem, all, NULL, 1, 0);
    /* 2 messages of 1 ms + 16 KB at 1 KB/ms, against 1 message. */
    ck_assert_double_eq_tol(thin.s * 1e3, 18.0, 1e-9);
    ck_assert_double_eq_tol(thick.s * 1e3, 17.0, 1e-9);
}
END_TEST

START_TEST(coedge_both_ends_pay_when_asked)
{
    /* [8,8,0]: transfers take 64 + 4*8 = 96 ms; the sender pays 2 W more. */
    struct coedge_problem problem = toy(INFINITY);
    problem.both_pay = true;
    assert_cost(evaluate(&problem, (int32_t[]){8, 8, 0}), 1632.0 + 2.0 * 96.0, 320.0);
}
END_TEST

START_TEST(coedge_idle_energy_is_charged_over_the_run)
{
    struct coedge_device devices[N];
    memcpy(devices, toy_devices, sizeof devices);
    devices[0].idle_w = 1.0;
    devices[2].idle_w = 0.5;
    struct coedge_problem problem = toy(INFINITY);
    problem.devices = devices;
    assert_cost(evaluate(&problem, (int32_t[]){8, 8, 0}), 1632.0 + 1.5 * 320.0, 320.0);
}
END_TEST

START_TEST(coedge_whole_layer_gathers_on_its_target)
{
    /* A third layer of 10 ms on device 0 that pulls 32 KB in all: half of it, 16 ms, from device 1,
     * received at 2 W. */
    struct coedge_layer layers[LAYERS + 1];
    double compute_s[(LAYERS + 1) * N] = {0};
    memcpy(layers, toy_layers, sizeof toy_layers);
    memcpy(compute_s, toy_compute_s, sizeof toy_compute_s);
    layers[LAYERS] = (struct coedge_layer){.is_whole = true, .gather_bytes = 32e3};
    compute_s[LAYERS * N] = 0.010;
    struct coedge_problem problem = toy(INFINITY);
    problem.n_layers = LAYERS + 1;
    problem.layers = layers;
    problem.compute_s = compute_s;
    assert_cost(evaluate(&problem, (int32_t[]){8, 8, 0}), 1632.0 + 3.0 * 10 + 2.0 * 16,
                320.0 + 16 + 10);
}
END_TEST

/* ------------------------------------------------------------------ algorithm */

START_TEST(coedge_relaxation_finds_the_exact_vertex)
{
    struct {
        double deadline_ms, rows[N], mj;
    } cases[] = {
        {480, {232.0 / 15, 0, 8.0 / 15}, 1605.0 + 83.2 / 150},
        {300, {142.0 / 15, 0, 98.0 / 15}, NAN},
        {240, {112.0 / 15, 0, 128.0 / 15}, NAN},
        {200, {92.0 / 15, 0.2833333, 9.5833333}, 1704.2},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct result result = solve(cases[c].deadline_ms, PLAIN);
        for (int i = 0; i < N; i++) {
            ck_assert_double_eq_tol(result.shares[i] * ROWS, cases[c].rows[i], 1e-3);
        }
        if (!isnan(cases[c].mj)) {
            ck_assert_double_eq_tol(result.solution.first_cost * 1e3, cases[c].mj, 0.05);
        }
    }
}
END_TEST

START_TEST(coedge_plain_algorithm_gives_the_hand_result)
{
    struct {
        double deadline_ms;
        int32_t rows[N];
        double mj, ms;
    } cases[] = {
        {480, {16, 0, 0}, 1440.0, 480.0}, {300, {9, 0, 7}, 1608.8, 286.0},
        {240, {7, 0, 9}, 1629.6, 226.0},  {172, {5, 3, 8}, 1731.2, 168.4},
        {170, {5, 3, 8}, 1731.2, 168.4},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct result result = solve(cases[c].deadline_ms, PLAIN);
        ck_assert_int_eq(result.outcome, COEDGE_SOLVED);
        assert_rows(&result, cases[c].rows[0], cases[c].rows[1], cases[c].rows[2]);
        assert_cost(result.solution.cost, cases[c].mj, cases[c].ms);
        result = solve(cases[c].deadline_ms, FULL);
        ck_assert_int_eq(result.outcome, COEDGE_SOLVED);
        ck_assert(!result.solution.used_fallback);
        assert_rows(&result, cases[c].rows[0], cases[c].rows[1], cases[c].rows[2]);
    }
}
END_TEST

START_TEST(coedge_repair_saves_the_sliver_that_elimination_loses)
{
    /* D = 200: dropping device 1 makes {0, 2} infeasible; raising it to 2 rows does not. */
    struct result plain = solve(200, PLAIN);
    ck_assert_int_eq(plain.outcome, COEDGE_INFEASIBLE);
    struct result repaired = solve(200, FULL);
    ck_assert_int_eq(repaired.outcome, COEDGE_SOLVED);
    assert_rows(&repaired, 6, 2, 8);
    assert_cost(repaired.solution.cost, 1715.2, 196.0);
}
END_TEST

START_TEST(coedge_without_repair_falls_back_to_a_plan_in_time)
{
    struct coedge_options options = FULL;
    options.has_repair = false;
    struct result result = solve(200, options);
    ck_assert_int_eq(result.outcome, COEDGE_SOLVED);
    ck_assert(result.solution.used_fallback);
    ck_assert_double_le(result.solution.cost.s, 0.200);
}
END_TEST

START_TEST(coedge_impossible_deadline_gives_the_fastest_plan_and_says_so)
{
    /* 168.4 ms is the least of all splits. */
    struct result result = solve(150, FULL);
    ck_assert_int_eq(result.outcome, COEDGE_LATE);
    assert_rows(&result, 5, 3, 8);
    assert_cost(result.solution.cost, 1731.2, 168.4);
    ck_assert_int_eq(solve(150, PLAIN).outcome, COEDGE_INFEASIBLE);
}
END_TEST

START_TEST(coedge_latency_objective_finds_the_fastest_split)
{
    struct coedge_options options = FULL;
    options.objective = COEDGE_MIN_LATENCY;
    struct result result = solve(INFINITY, options);
    ck_assert_int_eq(result.outcome, COEDGE_SOLVED);
    assert_rows(&result, 5, 3, 8);
}
END_TEST

START_TEST(coedge_wide_search_finds_the_single_device_that_the_loop_misses)
{
    /* D = 300: the loop's [9, 0, 7] costs 1608.8 mJ, device 2 alone 1606.4. */
    struct coedge_options options = FULL;
    options.has_wide_search = true;
    struct result result = solve(300, options);
    ck_assert_int_eq(result.outcome, COEDGE_SOLVED);
    assert_rows(&result, 0, 0, 16);
    assert_cost(result.solution.cost, 1606.4, 243.2);
}
END_TEST

START_TEST(coedge_keeping_all_drops_nobody_but_those_without_a_row)
{
    /* D = 480: one device is cheapest, yet all three keep the threshold of 2 rows. */
    struct coedge_options options = FULL;
    options.keeps_all = true;
    struct result result = solve(480, options);
    ck_assert_int_eq(result.outcome, COEDGE_SOLVED);
    for (int i = 0; i < N; i++) {
        ck_assert_int_ge(result.rows[i], 2);
    }
    ck_assert_double_gt(result.solution.cost.j, 1.440);

    /* device 1 so weak that by capability it would have less than one of 16 rows */
    struct coedge_device devices[N];
    memcpy(devices, toy_devices, sizeof devices);
    devices[1].capability = devices[0].capability / 100;
    struct coedge_problem problem = toy(480);
    problem.devices = devices;
    int32_t rows[N];
    struct coedge_solution solution = {.rows = rows};
    ck_assert_int_eq(coedge_solve(&solution, &problem, library, &options), COEDGE_SOLVED);
    ck_assert_int_eq(rows[1], 0);
    ck_assert_int_ge(rows[0], 2);
    ck_assert_int_ge(rows[2], 2);
}
END_TEST

START_TEST(coedge_many_equal_devices_get_nearly_equal_rows)
{
    /* 40 devices without network cost: the fastest split of 100 rows has 2 or 3 rows everywhere and
     * takes 3/100 of one device's time. */
    enum { MANY = 40, MANY_ROWS = 100 };
    struct coedge_device devices[MANY];
    double compute_s[MANY];
    double free_wires[MANY * MANY] = {0};
    int32_t rows[MANY];
    const struct coedge_layer layer = {.rows = MANY_ROWS};
    for (int i = 0; i < MANY; i++) {
        devices[i] = (struct coedge_device){.capability = 1.0, .max_rows = MANY_ROWS};
        compute_s[i] = 1.0;
    }
    struct coedge_problem problem = {
        .n_devices = MANY,
        .n_layers = 1,
        .rows = MANY_ROWS,
        .threshold_rows = 1,
        .deadline_s = INFINITY,
        .devices = devices,
        .layers = &layer,
        .compute_s = compute_s,
        .message_s = free_wires,
        .byte_s = free_wires,
    };
    struct coedge_options options = {.objective = COEDGE_MIN_LATENCY};
    struct coedge_solution solution = {.rows = rows};
    ck_assert_int_eq(coedge_solve(&solution, &problem, library, &options), COEDGE_SOLVED);
    int32_t total = 0;
    for (int i = 0; i < MANY; i++) {
        ck_assert(rows[i] == 2 || rows[i] == 3);
        total += rows[i];
    }
    ck_assert_int_eq(total, MANY_ROWS);
    ck_assert_double_eq_tol(solution.cost.s, 0.03, 1e-12);
}
END_TEST

START_TEST(coedge_memory_limit_bounds_a_share)
{
    struct coedge_device devices[N];
    memcpy(devices, toy_devices, sizeof devices);
    devices[0].max_rows = 10;
    struct coedge_problem problem = toy(480);
    problem.devices = devices;
    int32_t rows[N];
    struct coedge_solution solution = {.rows = rows};
    ck_assert_int_eq(coedge_solve(&solution, &problem, library, &FULL), COEDGE_SOLVED);
    ck_assert_int_le(rows[0], 10);
    ck_assert_int_eq(rows[0] + rows[1] + rows[2], ROWS);
}
END_TEST

/* ------------------------------------------------------------------ brute force */

/* Best split over all that are 0 or at least the threshold; false when none meets the deadline. */
static bool brute_force(const struct coedge_problem *problem, bool minimises_latency,
                        struct coedge_cost *best)
{
    bool has_best = false;
    int32_t total = problem->rows;
    int32_t p = problem->threshold_rows;
    for (int32_t a = 0; a <= total; a++) {
        for (int32_t b = 0; a + b <= total; b++) {
            int32_t rows[N] = {a, b, total - a - b};
            bool is_valid = true;
            for (int i = 0; i < N; i++) {
                is_valid = is_valid && (rows[i] == 0 || rows[i] >= p) &&
                           rows[i] <= problem->devices[i].max_rows;
            }
            if (!is_valid) {
                continue;
            }
            struct coedge_cost cost = evaluate(problem, rows);
            if (!minimises_latency && cost.s > problem->deadline_s * (1 + 1e-9)) {
                continue;
            }
            if (!has_best || (minimises_latency ? cost.s < best->s : cost.j < best->j)) {
                *best = cost;
                has_best = true;
            }
        }
    }
    return has_best;
}

START_TEST(coedge_toy_optimum_is_the_tabulated_one)
{
    struct {
        double deadline_ms, mj, ms;
    } cases[] = {{480, 1440.0, 480.0}, {300, 1606.4, 243.2}, {240, 1629.6, 226.0},
                 {200, 1715.2, 196.0}, {172, 1731.2, 168.4}, {170, 1731.2, 168.4}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct coedge_problem problem = toy(cases[c].deadline_ms);
        struct coedge_cost best = {0};
        ck_assert(brute_force(&problem, false, &best));
        assert_cost(best, cases[c].mj, cases[c].ms);
    }
    struct coedge_problem problem = toy(168.3);
    struct coedge_cost best;
    ck_assert(!brute_force(&problem, false, &best));
}
END_TEST

static double uniform(uint64_t *state, double lo, double hi)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return lo + (hi - lo) * (double)(*state >> 11) / 9007199254740992.0;
}

/* Random devices and links on the toy's layers. */
struct random_problem {
    struct coedge_device devices[N];
    double compute_s[LAYERS * N];
    double byte_s[N * N];
    struct coedge_problem problem;
};

static void make_random(struct random_problem *out, uint64_t *state)
{
    memcpy(out->devices, toy_devices, sizeof out->devices);
    for (int i = 0; i < N; i++) {
        double speed = uniform(state, 0.3, 3.0);
        out->devices[i].capability = speed;
        out->devices[i].compute_w = uniform(state, 1.0, 10.0);
        out->devices[i].rx_w = uniform(state, 0.5, 4.0);
        out->compute_s[i] = 0.3 / speed;
        out->compute_s[N + i] = 0.15 / speed;
    }
    for (int k = 0; k < N * N; k++) {
        out->byte_s[k] = uniform(state, 0.2e-6, 2e-6);
    }
    out->problem = toy(uniform(state, 120, 500));
    out->problem.devices = out->devices;
    out->problem.compute_s = out->compute_s;
    out->problem.byte_s = out->byte_s;
}

START_TEST(coedge_is_close_to_brute_force_on_random_problems)
{
    /* The algorithm is a heuristic: it may miss a deadline that some split meets, rarely, and may
     * spend more than the optimum, a little. It must never claim what does not hold. */
    uint64_t state = 20210425;
    double sum_gap = 0.0;
    int n_feasible = 0;
    int n_missed = 0;
    for (int trial = 0; trial < 1000; trial++) {
        struct random_problem random;
        make_random(&random, &state);
        int32_t rows[N];
        struct coedge_solution solution = {.rows = rows};
        enum coedge_outcome outcome = coedge_solve(&solution, &random.problem, library, &FULL);
        struct coedge_cost best = {0};
        bool is_feasible = brute_force(&random.problem, false, &best);
        ck_assert(outcome == COEDGE_SOLVED || outcome == COEDGE_LATE);
        ck_assert_int_eq(rows[0] + rows[1] + rows[2], ROWS);
        struct coedge_cost cost = evaluate(&random.problem, rows);
        ck_assert_double_eq(cost.s, solution.cost.s);
        ck_assert_double_eq(cost.j, solution.cost.j);
        ck_assert_int_eq(outcome == COEDGE_SOLVED,
                         cost.s <= random.problem.deadline_s * (1 + 1e-9));
        n_feasible += is_feasible;
        n_missed += is_feasible && outcome != COEDGE_SOLVED;
        if (outcome == COEDGE_SOLVED) {
            ck_assert(is_feasible);
            ck_assert_double_ge(cost.j, best.j * (1 - 1e-9));
            sum_gap += cost.j / best.j - 1.0;
        }
    }
    ck_assert_int_ge(n_feasible, 500);
    ck_assert_int_le(n_missed, n_feasible / 100);
    ck_assert_double_le(sum_gap / (n_feasible - n_missed), 0.02);
}
END_TEST

START_TEST(coedge_solves_the_same_problem_to_the_same_rows)
{
    for (double deadline_ms = 160; deadline_ms < 500; deadline_ms += 20) {
        struct result first = solve(deadline_ms, FULL);
        struct result second = solve(deadline_ms, FULL);
        ck_assert_int_eq(first.outcome, second.outcome);
        ck_assert_mem_eq(first.rows, second.rows, sizeof first.rows);
        ck_assert_mem_eq(first.shares, second.shares, sizeof first.shares);
    }
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("coedge_solver");
    TCase *costs = tcase_create("costs");
    tcase_add_test(costs, coedge_costs_of_given_splits_equal_hand_sums);
    tcase_add_test(costs, coedge_halo_reaches_beyond_a_thin_neighbour);
    tcase_add_test(costs, coedge_both_ends_pay_when_asked);
    tcase_add_test(costs, coedge_idle_energy_is_charged_over_the_run);
    tcase_add_test(costs, coedge_whole_layer_gathers_on_its_target);
    tcase_add_test(costs, coedge_toy_optimum_is_the_tabulated_one);
    suite_add_tcase(suite, costs);
    TCase *solving = tcase_create("solve");
    tcase_add_checked_fixture(solving, open_library, close_library);
    tcase_add_test(solving, coedge_relaxation_finds_the_exact_vertex);
    tcase_add_test(solving, coedge_plain_algorithm_gives_the_hand_result);
    tcase_add_test(solving, coedge_repair_saves_the_sliver_that_elimination_loses);
    tcase_add_test(solving, coedge_without_repair_falls_back_to_a_plan_in_time);
    tcase_add_test(solving, coedge_impossible_deadline_gives_the_fastest_plan_and_says_so);
    tcase_add_test(solving, coedge_latency_objective_finds_the_fastest_split);
    tcase_add_test(solving, coedge_wide_search_finds_the_single_device_that_the_loop_misses);
    tcase_add_test(solving, coedge_keeping_all_drops_nobody_but_those_without_a_row);
    tcase_add_test(solving, coedge_many_equal_devices_get_nearly_equal_rows);
    tcase_add_test(solving, coedge_memory_limit_bounds_a_share);
    tcase_add_test(solving, coedge_is_close_to_brute_force_on_random_problems);
    tcase_add_test(solving, coedge_solves_the_same_problem_to_the_same_rows);
    suite_add_tcase(suite, solving);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
