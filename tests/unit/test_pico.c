/* PICO's dynamic program against trying every pipeline, its assignment and mean latency against
 * closed forms, and the plugin. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "io/graph_json.h"
#include "pico/pico_model.h"
#include "support/planning.h"
#include "support/random_scenario.h"
#include "support/suite.h"
#include "support/tiny.h"

enum { N_BLOCKS = 5, N_DEVICES = 4, MOST = 3 };

/* ------------------------------------------------------------------ the dynamic program */

static void draw_times(double *time_s, struct ew_rng *rng)
{
    for (uint32_t first = 0; first < N_BLOCKS; first++) {
        for (uint32_t last = first; last < N_BLOCKS; last++) {
            for (uint32_t p = 1; p <= MOST; p++) {
                bool is_possible = p == 1 || random_chance(rng, 0.7);
                double seconds = (last - first + 1) * random_scale(rng, 0.5, 2) / p;
                time_s[(first * N_BLOCKS + last) * MOST + p - 1] = is_possible ? seconds : INFINITY;
            }
        }
    }
}

/* The least period of all pipelines of blocks first.. on at most `devices` devices, `spent_s`
 * already on the way. */
static double try_all(const double *time_s, uint32_t first, uint32_t devices, double period_s,
                      double spent_s, double limit_s)
{
    double best = INFINITY;
    if (spent_s > limit_s) {
        return INFINITY;
    }
    if (first == N_BLOCKS) {
        return period_s;
    }
    for (uint32_t last = first; last < N_BLOCKS; last++) {
        for (uint32_t p = 1; p <= MOST && p <= devices; p++) {
            double seconds = time_s[(first * N_BLOCKS + last) * MOST + p - 1];
            best = fmin(best, try_all(time_s, last + 1, devices - p, fmax(period_s, seconds),
                                      spent_s + seconds, limit_s));
        }
    }
    return best;
}

static void check_pipeline(const struct pico_pipeline *pipeline, const double *time_s)
{
    uint32_t next = 0, devices = 0;
    double period_s = 0, latency_s = 0;
    for (uint32_t s = 0; s < pipeline->n_stages; s++) {
        const struct pico_stage *stage = &pipeline->stages[s];
        ck_assert_uint_eq(stage->first, next);
        next = stage->last + 1;
        devices += stage->n_devices;
        double seconds =
            time_s[(stage->first * N_BLOCKS + stage->last) * MOST + stage->n_devices - 1];
        ck_assert_double_eq(stage->time_s, seconds);
        period_s = fmax(period_s, seconds);
        latency_s += seconds;
    }
    ck_assert_uint_eq(next, N_BLOCKS);
    ck_assert_uint_le(devices, N_DEVICES);
    ck_assert_double_eq_tol(pipeline->period_s, period_s, 1e-12);
    ck_assert_double_eq_tol(pipeline->latency_s, latency_s, 1e-12);
}

START_TEST(the_period_is_the_least_of_all_pipelines_within_the_limit)
{
    uint32_t n_found = 0, n_none = 0, n_bound = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "pico");
        double time_s[N_BLOCKS * N_BLOCKS * MOST];
        struct pico_stage stages[N_BLOCKS];
        struct pico_pipeline pipeline = {.stages = stages};
        draw_times(time_s, &rng);
        const struct pico_problem problem = {.n_blocks = N_BLOCKS,
                                             .n_devices = N_DEVICES,
                                             .most = MOST,
                                             .time_s = time_s,
                                             .limit_s = random_scale(&rng, 1, 8)};
        ck_assert(pico_cut(&pipeline, &problem));
        double best = try_all(time_s, 0, N_DEVICES, 0, 0, problem.limit_s);
        n_bound += best > try_all(time_s, 0, N_DEVICES, 0, 0, INFINITY);
        if (isinf(best)) {
            ck_assert_uint_eq(pipeline.n_stages, 0);
            n_none++;
            continue;
        }
        check_pipeline(&pipeline, time_s);
        ck_assert_double_eq_tol(pipeline.period_s, best, 1e-12);
        ck_assert_double_le(pipeline.latency_s, problem.limit_s);
        n_found++;
    }
    ck_assert(n_found > 50 && n_none > 20 && n_bound > n_none);
}
END_TEST

START_TEST(the_latency_objective_finds_one_stage_where_stages_only_add)
{
    double time_s[N_BLOCKS * N_BLOCKS * MOST];
    struct pico_stage stages[N_BLOCKS];
    struct pico_pipeline pipeline = {.stages = stages};
    for (uint32_t i = 0; i < N_BLOCKS * N_BLOCKS * MOST; i++) {
        time_s[i] = 1.0; /* every stage costs 1 s: five stages 5 s, one stage 1 s */
    }
    const struct pico_problem problem = {.n_blocks = N_BLOCKS,
                                         .n_devices = N_DEVICES,
                                         .most = MOST,
                                         .time_s = time_s,
                                         .limit_s = INFINITY,
                                         .objective = PICO_LATENCY};
    ck_assert(pico_cut(&pipeline, &problem));
    ck_assert_uint_eq(pipeline.n_stages, 1);
    ck_assert_uint_eq(pipeline.stages[0].n_devices, 1); /* of equal ones the fewest devices */
    ck_assert_double_eq(pipeline.latency_s, 1);
}
END_TEST

/* M/D/1 with service 1 s at load 0.5: 1 (2 - 0.5) / (2 * 0.5) = 1.5 s, and 3 s on top. */
START_TEST(mean_latency_is_md1)
{
    ck_assert_double_eq_tol(pico_mean_latency_s(1, 3, 0.5), 4.5, 1e-12);
    ck_assert_double_eq_tol(pico_mean_latency_s(1, 3, 0), 4, 1e-12);
    ck_assert(isinf(pico_mean_latency_s(1, 3, 1)));
}
END_TEST

/* One stage of 3 s on 2 places (mean need 3), one of 4 s on 1 place (mean need 4). The fastest goes
 * to the second stage, the others to the first. */
START_TEST(the_fastest_device_goes_where_the_mean_need_is_largest)
{
    struct pico_stage stages[] = {{0, 0, 2, 3}, {1, 1, 1, 4}};
    const struct pico_pipeline pipeline = {
        .stages = stages, .n_stages = 2, .period_s = 4, .latency_s = 7};
    const double capability[] = {2, 1, 0.5, 0.5};
    uint32_t stage_of[4], places[2];
    double need[2];
    pico_assign(stage_of, need, places, &pipeline, capability, 4);
    ck_assert_uint_eq(stage_of[0], 1);
    ck_assert_uint_eq(stage_of[1], 0);
    ck_assert_uint_eq(stage_of[2], 0);
    ck_assert_uint_eq(stage_of[3], UINT32_MAX);
}
END_TEST

/* ------------------------------------------------------------------ the plugin */

static struct planning *open_graph(const char *name, uint32_t n_devices)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    return planning_new(graph, tiny_star(n_devices));
}

static const struct ew_plan *must_plan(struct planning *planning, const char *settings)
{
    const struct ew_plan *plan = planning_run(planning, "pico", settings);
    ck_assert_msg(plan != NULL, "%s", planning_error(planning)->message);
    return plan;
}

START_TEST(it_plans_networks_with_branches_on_1_to_64_devices)
{
    const char *graphs[] = {"vgg16", "resnet18", "googlenet", "inception_v3", "squeezenet1_1"};
    const uint32_t devices[] = {1, 2, 5, 64};
    for (size_t g = 0; g < 5; g++) {
        for (size_t d = 0; d < 4; d++) {
            struct planning *planning = open_graph(graphs[g], devices[d]);
            planning_problem(planning)->batch = d == 1 ? 3 : 1;
            (void)must_plan(planning, "");
            ck_assert(isfinite(planning_latency_s(planning)));
            planning_free(planning);
        }
    }
}
END_TEST

static double period_of(struct planning *planning, const char *settings)
{
    (void)must_plan(planning, settings);
    double period_s = NAN;
    ck_assert_int_eq(sscanf(planning_note(planning, "period_s"), "%lf", &period_s), 1);
    return period_s;
}

START_TEST(the_period_falls_with_devices_and_rises_with_a_tight_limit)
{
    double last_s = INFINITY;
    for (uint32_t n = 1; n <= 6; n++) {
        struct planning *planning = open_graph("vgg16", n);
        double period_s = period_of(planning, "");
        ck_assert_double_le(period_s, last_s * (1 + 1e-9));
        last_s = period_s;
        double free_s = planning_run(planning, "pico", "")->predicted_latency_s;
        double least_s = must_plan(planning, "objective=latency")->predicted_latency_s;
        ck_assert_double_le(least_s, free_s * (1 + 1e-9));
        planning_problem(planning)->deadline_s = (free_s + least_s) / 2;
        ck_assert_double_ge(period_of(planning, ""), period_s * (1 - 1e-9));
        const struct ew_plan *plan = must_plan(planning, "");
        ck_assert_double_le(plan->predicted_latency_s, (free_s + least_s) / 2 * (1 + 1e-9));
        planning_free(planning);
    }
}
END_TEST

START_TEST(a_limit_that_cannot_be_met_gives_the_least_latency_and_says_so)
{
    struct planning *planning = open_graph("vgg16", 4);
    double least_s = must_plan(planning, "objective=latency")->predicted_latency_s;
    planning_problem(planning)->deadline_s = least_s / 2;
    const struct ew_plan *plan = must_plan(planning, "");
    ck_assert_double_eq_tol(plan->predicted_latency_s, least_s, 1e-9 * least_s);
    ck_assert(strstr(plan->infeasible_reason, "exceeds the deadline") != NULL);
    planning_free(planning);
}
END_TEST

START_TEST(random_problems_are_planned_or_refused)
{
    uint32_t n_planned = 0;
    for (uint64_t seed = 1; seed <= 80; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "test_pico");
        struct ew_graph *graph = random_graph(&rng);
        struct planning *planning = planning_new(graph, random_platform(&rng));
        planning_problem(planning)->batch = random_int(&rng, 1, 3);
        planning_problem(planning)->deadline_s = random_scale(&rng, 1e-4, 10);
        const char *settings = random_chance(&rng, 0.5) ? "" : "objective=mean_latency devices=all";
        if (planning_run(planning, "pico", settings)) {
            ck_assert(isfinite(planning_latency_s(planning)));
            n_planned++;
        } else {
            ck_assert_msg(planning_error(planning)->status == EW_ENOTSUP, "seed %d: %s", (int)seed,
                          planning_error(planning)->message);
        }
        planning_free(planning);
    }
    ck_assert_uint_ge(n_planned, 60);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        the_period_is_the_least_of_all_pipelines_within_the_limit,
        the_latency_objective_finds_one_stage_where_stages_only_add,
        mean_latency_is_md1,
        the_fastest_device_goes_where_the_mean_need_is_largest,
        it_plans_networks_with_branches_on_1_to_64_devices,
        the_period_falls_with_devices_and_rises_with_a_tight_limit,
        a_limit_that_cannot_be_met_gives_the_least_latency_and_says_so,
        random_problems_are_planned_or_refused,
    };
    return run_suite("pico", tests, sizeof tests / sizeof tests[0]);
}
