/* Musical Chair's assignment against trying every way, its shares and turns against closed forms,
 * and the plugin. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "io/graph_json.h"
#include "musical_chair/chair_model.h"
#include "support/planning.h"
#include "support/random_scenario.h"
#include "support/suite.h"
#include "support/tiny.h"

/* ------------------------------------------------------------------ whole blocks */

enum { N_BLOCKS = 4, N_DEVICES = 3, N_ENDS = N_DEVICES + 2, N_WAYS = 81 };

struct drawn {
    double compute_s[N_BLOCKS * N_DEVICES];
    double bytes[N_BLOCKS + 1];
    double weight[N_BLOCKS];
    double room[N_DEVICES];
    struct chair_wire wires[N_ENDS * N_ENDS];
};

static struct chair_problem draw(struct drawn *drawn, struct ew_rng *rng)
{
    for (uint32_t i = 0; i < N_BLOCKS * N_DEVICES; i++) {
        drawn->compute_s[i] = random_chance(rng, 0.1) ? INFINITY : random_scale(rng, 0.1, 10);
    }
    for (uint32_t i = 0; i <= N_BLOCKS; i++) {
        drawn->bytes[i] = random_int(rng, 1, 100);
    }
    for (uint32_t b = 0; b < N_BLOCKS; b++) {
        drawn->weight[b] = random_int(rng, 0, 4);
    }
    for (uint32_t d = 0; d < N_DEVICES; d++) {
        drawn->room[d] = random_chance(rng, 0.3) ? (double)INFINITY : random_int(rng, 3, 12);
    }
    for (uint32_t a = 0; a < N_ENDS; a++) {
        for (uint32_t b = 0; b < N_ENDS; b++) {
            bool has_route = a == b || random_chance(rng, 0.9);
            drawn->wires[a * N_ENDS + b] =
                (struct chair_wire){has_route ? random_scale(rng, 0.01, 1) : INFINITY,
                                    has_route ? random_scale(rng, 0.001, 0.1) : INFINITY};
        }
    }
    return (struct chair_problem){.n_blocks = N_BLOCKS,
                                  .n_devices = N_DEVICES,
                                  .compute_s = drawn->compute_s,
                                  .bytes = drawn->bytes,
                                  .weight = drawn->weight,
                                  .room = drawn->room,
                                  .wires = drawn->wires};
}

static double hop_s(const struct chair_problem *p, uint32_t from, uint32_t to, double bytes)
{
    const struct chair_wire *wire = &p->wires[from * N_ENDS + to];
    return from == to ? 0 : wire->message_s + bytes * wire->byte_s;
}

static double way_s(const struct chair_problem *p, const uint32_t *device_of)
{
    double seconds = hop_s(p, N_DEVICES, device_of[0], p->bytes[0]);
    double run = 0;
    for (uint32_t b = 0; b < N_BLOCKS; b++) {
        bool is_moved = b > 0 && device_of[b] != device_of[b - 1];
        seconds += is_moved ? hop_s(p, device_of[b - 1], device_of[b], p->bytes[b]) : 0;
        seconds += p->compute_s[b * N_DEVICES + device_of[b]];
        run = (b == 0 || is_moved ? 0 : run) + p->weight[b];
        seconds += run > p->room[device_of[b]] ? INFINITY : 0;
    }
    return seconds + hop_s(p, device_of[N_BLOCKS - 1], N_DEVICES + 1, p->bytes[N_BLOCKS]);
}

START_TEST(the_assignment_is_the_fastest_of_all_ways)
{
    uint32_t n_impossible = 0;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "chair");
        struct drawn drawn;
        const struct chair_problem problem = draw(&drawn, &rng);
        uint32_t found[N_BLOCKS];
        double scratch[2 * N_BLOCKS * N_DEVICES];
        double best = INFINITY;
        for (uint32_t way = 0; way < N_WAYS; way++) {
            const uint32_t device_of[] = {way % 3, way / 3 % 3, way / 9 % 3, way / 27};
            best = fmin(best, way_s(&problem, device_of));
        }
        double seconds = chair_assign(found, scratch, &problem);
        if (isinf(best)) {
            ck_assert(isinf(seconds));
            n_impossible++;
        } else {
            ck_assert_double_eq_tol(seconds, best, 1e-9);
            ck_assert_double_eq_tol(way_s(&problem, found), best, 1e-9);
        }
    }
    ck_assert_uint_lt(n_impossible, 100);
}
END_TEST

/* ------------------------------------------------------------------ shares and turns */

START_TEST(channels_follow_speed_within_memory)
{
    const double speed[] = {1, 2, 1};
    const int32_t roomy[] = {100, 100, 100};
    const int32_t tight[] = {100, 10, 100};
    const int32_t full[] = {10, 10, 11};
    int32_t channels[3];
    ck_assert(chair_split(channels, speed, roomy, 3, 40));
    ck_assert_int_eq(channels[0], 10);
    ck_assert_int_eq(channels[1], 20);
    ck_assert(chair_split(channels, speed, tight, 3, 40)); /* 10 in the middle, 15 beside it */
    ck_assert_int_eq(channels[0], 15);
    ck_assert_int_eq(channels[1], 10);
    ck_assert_int_eq(channels[2], 15);
    ck_assert(chair_split(channels, speed, full, 3, 31));
    ck_assert_int_eq(channels[2], 11);
    ck_assert(!chair_split(channels, speed, full, 3, 32));
}
END_TEST

START_TEST(channels_are_never_lost)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "split");
        double speed[5];
        int32_t most[5], channels[5], room = 0, sum = 0;
        for (int d = 0; d < 5; d++) {
            speed[d] = random_scale(&rng, 1e-3, 1e3);
            most[d] = random_int(&rng, 0, 50);
            room += most[d];
        }
        int32_t total = random_int(&rng, 1, 250);
        ck_assert_int_eq(chair_split(channels, speed, most, 5, total), total <= room);
        for (int d = 0; d < 5 && total <= room; d++) {
            ck_assert(channels[d] >= 0 && channels[d] <= most[d]);
            sum += channels[d];
        }
        ck_assert_int_eq(sum, total <= room ? total : 0);
    }
}
END_TEST

/* 1 s and 2 s per request: two turns and one, three requests in 2 s. */
START_TEST(turns_follow_speed)
{
    const double seconds[] = {1, 2};
    double scratch[2];
    int32_t weights[2];
    ck_assert_double_eq_tol(chair_turns(weights, scratch, seconds, 2), 2.0 / 3, 1e-12);
    ck_assert_int_eq(weights[0], 2);
    ck_assert_int_eq(weights[1], 1);
}
END_TEST

/* With 64 turns at most, one of them on a device that needs 100 s is worse than none. */
START_TEST(a_slow_device_has_no_turn)
{
    const double seconds[] = {1, 100};
    double scratch[2];
    int32_t weights[2];
    ck_assert_double_eq_tol(chair_turns(weights, scratch, seconds, 2), 1, 1e-12);
    ck_assert_int_eq(weights[1], 0);
}
END_TEST

/* ------------------------------------------------------------------ the plugin */

static struct planning *open_graph(const char *name, uint32_t n_devices, uint64_t memory_bytes)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    struct ew_platform *platform = tiny_star(n_devices);
    /* the platform is not shared yet, and its devices are ordinary memory */
    struct ew_device *devices = (struct ew_device *)(uintptr_t)platform->devices;
    for (uint32_t d = 0; d < n_devices; d++) {
        devices[d].memory_bytes = memory_bytes;
    }
    return planning_new(graph, platform);
}

static const struct ew_plan *must_plan(struct planning *planning, const char *settings)
{
    const struct ew_plan *plan = planning_run(planning, "musical_chair", settings);
    ck_assert_msg(plan != NULL, "%s", planning_error(planning)->message);
    return plan;
}

START_TEST(it_plans_networks_with_branches_on_1_to_64_devices)
{
    const char *graphs[] = {"vgg16", "resnet18", "googlenet", "inception_v3", "yolov2"};
    const uint32_t devices[] = {1, 2, 5, 64};
    for (size_t g = 0; g < 5; g++) {
        for (size_t d = 0; d < 4; d++) {
            struct planning *planning = open_graph(graphs[g], devices[d], 0);
            planning_problem(planning)->batch = d == 1 ? 3 : 1;
            (void)must_plan(planning, "");
            ck_assert(isfinite(planning_latency_s(planning)));
            (void)must_plan(planning, "mode=throughput");
            planning_free(planning);
        }
    }
}
END_TEST

/* A row of devices that hand the request on does one thing at a time: the model is exact. 47 MB of
 * weights do not fit into 40 MB. */
START_TEST(the_latency_of_whole_layers_is_what_the_engine_measures)
{
    struct planning *planning = open_graph("resnet18", 4, 40000000);
    double predicted_s = must_plan(planning, "mode=latency")->predicted_latency_s;
    ck_assert_uint_ge(planning_active_devices(planning), 2);
    ck_assert_double_eq_tol(planning_latency_s(planning), predicted_s, 1e-6 * predicted_s);
    planning_free(planning);
}
END_TEST

static uint32_t count_pieces(const struct ew_plan *plan, struct planning *planning,
                             const char *layer)
{
    const struct ew_graph *graph = planning_problem(planning)->context.graph;
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        n += strcmp(graph->layers[plan->pieces[i].layer].name, layer) == 0;
    }
    return n;
}

/* classifier.0 of VGG-16 has 411 MB of weights: three devices of 250 MB hold it together. */
START_TEST(a_layer_that_no_device_holds_is_split_by_channels)
{
    struct planning *planning = open_graph("vgg16", 3, 600000000);
    ck_assert_uint_eq(count_pieces(must_plan(planning, ""), planning, "classifier.0"), 1);
    planning_free(planning);
    planning = open_graph("vgg16", 3, 250000000);
    ck_assert_uint_ge(count_pieces(must_plan(planning, ""), planning, "classifier.0"), 2);
    ck_assert(isfinite(planning_latency_s(planning)));
    planning_free(planning);
}
END_TEST

START_TEST(too_little_memory_is_refused)
{
    struct planning *planning = open_graph("vgg16", 3, 150000000); /* 553 MB of weights */
    const char *modes[] = {"mode=latency", "mode=throughput"};
    for (int m = 0; m < 2; m++) {
        ck_assert_ptr_null(planning_run(planning, "musical_chair", modes[m]));
        ck_assert_int_eq(planning_error(planning)->status, EW_ENOTSUP);
        ck_assert(strstr(planning_error(planning)->message, "memory") != NULL);
    }
    planning_free(planning);
}
END_TEST

static double period_of(struct planning *planning)
{
    double period_s = NAN;
    (void)must_plan(planning, "mode=throughput");
    ck_assert_int_eq(sscanf(planning_note(planning, "period_s"), "%lf", &period_s), 1);
    return period_s;
}

/* Equal devices that each take whole requests: the period is the time of one over their number. */
START_TEST(turns_divide_the_period_by_the_devices)
{
    double alone_s = 0;
    for (uint32_t n = 1; n <= 8; n++) {
        struct planning *planning = open_graph("yolov2", n, 0);
        double period_s = period_of(planning);
        alone_s = n == 1 ? period_s : alone_s;
        ck_assert_double_eq_tol(period_s, alone_s / n, 0.011 * alone_s / n);
        planning_free(planning);
    }
}
END_TEST

START_TEST(arrivals_choose_the_mode)
{
    struct planning *planning = open_graph("resnet18", 4, 0);
    (void)must_plan(planning, "");
    ck_assert_str_eq(planning_note(planning, "period_s"), "");
    planning_problem(planning)->arrival = "closed:4";
    (void)must_plan(planning, "");
    ck_assert_str_ne(planning_note(planning, "period_s"), "");
    planning_free(planning);
}
END_TEST

START_TEST(random_problems_are_planned_or_refused)
{
    uint32_t n_planned = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "test_musical_chair");
        struct ew_graph *graph = random_graph(&rng);
        struct planning *planning = planning_new(graph, random_platform(&rng));
        planning_problem(planning)->batch = random_int(&rng, 1, 3);
        const char *settings = random_chance(&rng, 0.5) ? "mode=latency" : "mode=throughput";
        if (planning_run(planning, "musical_chair", settings)) {
            n_planned++;
        } else {
            ck_assert_msg(planning_error(planning)->status == EW_ENOTSUP, "seed %d: %s", (int)seed,
                          planning_error(planning)->message);
        }
        planning_free(planning);
    }
    ck_assert_uint_ge(n_planned, 80);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        the_assignment_is_the_fastest_of_all_ways,
        channels_follow_speed_within_memory,
        channels_are_never_lost,
        turns_follow_speed,
        a_slow_device_has_no_turn,
        it_plans_networks_with_branches_on_1_to_64_devices,
        the_latency_of_whole_layers_is_what_the_engine_measures,
        a_layer_that_no_device_holds_is_split_by_channels,
        too_little_memory_is_refused,
        turns_divide_the_period_by_the_devices,
        arrivals_choose_the_mode,
        random_problems_are_planned_or_refused,
    };
    return run_suite("musical_chair", tests, sizeof tests / sizeof tests[0]);
}
