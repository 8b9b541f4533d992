/* All built-in strategies against real networks and platforms: every plan is checked by the host
 * and run by the fast engine. Then what each of them promises. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/simgrid/platform_import.h"
#include "io/graph_json.h"
#include "support/planning.h"
#include "support/random_scenario.h"
#include "support/suite.h"
#include "support/tiny.h"

static const char *const STRATEGIES[] = {"local", "offload", "neurosurgeon", "qpart",
                                         "modnn", "coedge",  "edgent"};
enum { N_STRATEGIES = sizeof STRATEGIES / sizeof STRATEGIES[0] };

/* ------------------------------------------------------------------ opening */

static struct ew_graph *load_graph(const char *name)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    return graph;
}

static struct ew_platform *import(const char *path)
{
    const char *dirs[] = {EW_SOURCE_DIR "/platforms/profiles"};
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_import(&platform, path, dirs, 1, &err) == EW_OK, "%s", err.message);
    return platform;
}

static void platform_path(char *out, size_t size, const char *name)
{
    int n = snprintf(out, size, EW_SOURCE_DIR "/platforms/%s.xml", name);
    ck_assert(n > 0 && (size_t)n < size);
}

static struct ew_platform *load_platform(const char *name)
{
    char path[512];
    platform_path(path, sizeof path, name);
    return import(path);
}

/* The platform with the first `from` in its file replaced by `to`. */
static struct ew_platform *load_changed_platform(const char *name, const char *from, const char *to)
{
    char path[512];
    char changed[] = "/tmp/ew_test_strategies_XXXXXX";
    char *text = NULL;
    size_t size = 0;
    struct ew_error err = {0};
    platform_path(path, sizeof path, name);
    ck_assert_msg(ew_file_read(&text, &size, path, 1 << 20, &err) == EW_OK, "%s", err.message);
    const char *place = strstr(text, from);
    ck_assert_msg(place != NULL, "%s does not hold '%s'", path, from);
    int fd = mkstemp(changed);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%.*s%s%s", (int)(place - text), text, to, place + strlen(from));
    ck_assert_int_eq(fclose(file), 0);
    struct ew_platform *platform = import(changed);
    unlink(changed);
    free(text);
    return platform;
}

static struct planning *open_problem(const char *graph, const char *platform)
{
    return planning_new(load_graph(graph), load_platform(platform));
}

static void must_plan(struct planning *planning, const char *strategy, const char *settings)
{
    ck_assert_msg(planning_run(planning, strategy, settings) != NULL, "%s %s: %s", strategy,
                  settings, planning_error(planning)->message);
}

static void must_refuse(struct planning *planning, const char *strategy, const char *settings,
                        const char *reason)
{
    ck_assert_msg(planning_run(planning, strategy, settings) == NULL, "%s %s planned", strategy,
                  settings);
    const struct ew_error *err = planning_error(planning);
    ck_assert_int_eq(err->status, EW_ENOTSUP);
    ck_assert_msg(strstr(err->message, reason) != NULL, "'%s' does not say '%s'", err->message,
                  reason);
}

/* ------------------------------------------------------------------ all of them */

static void plan_and_run(struct planning *planning, const char *strategy)
{
    must_plan(planning, strategy, "");
    double latency_s = planning_latency_s(planning);
    ck_assert(isfinite(latency_s) && latency_s > 0);
    const struct ew_plan *plan = planning_run(planning, strategy, "");
    ck_assert(isfinite(plan->predicted_latency_s));
}

static void plan_zoo_on(const char *platform)
{
    const char *graphs[] = {"alexnet",      "edgent_alexnet", "googlenet",     "inception_v3",
                            "mobilenet_v1", "mobilenet_v2",   "resnet18",      "resnet50",
                            "vgg16",        "vgg_f",          "squeezenet1_1", "yolov2"};
    for (size_t g = 0; g < sizeof graphs / sizeof graphs[0]; g++) {
        struct planning *planning = open_problem(graphs[g], platform);
        for (int s = 0; s < N_STRATEGIES; s++) {
            plan_and_run(planning, STRATEGIES[s]);
        }
        planning_free(planning);
    }
}

START_TEST(every_strategy_plans_the_zoo_on_four_boards)
{
    plan_zoo_on("demo");
}
END_TEST

START_TEST(every_strategy_plans_the_zoo_on_a_shared_wlan)
{
    plan_zoo_on("coedge");
}
END_TEST

START_TEST(every_strategy_plans_the_zoo_for_a_requester_that_hardly_computes)
{
    plan_zoo_on("distredge_dc");
}
END_TEST

START_TEST(every_strategy_plans_batches_and_another_sink)
{
    const char *graphs[] = {"vgg16", "googlenet", "yolov2"};
    for (size_t g = 0; g < sizeof graphs / sizeof graphs[0]; g++) {
        struct planning *planning = open_problem(graphs[g], "demo");
        planning_problem(planning)->batch = 3;
        planning_problem(planning)->source_device = 2;
        planning_problem(planning)->sink_device = 1;
        for (int s = 0; s < N_STRATEGIES; s++) {
            plan_and_run(planning, STRATEGIES[s]);
        }
        planning_free(planning);
    }
}
END_TEST

START_TEST(every_strategy_plans_squeeze_and_excite)
{
    const struct tiny_layer layers[] = {
        {.name = "conv", .op = EW_OP_CONV, .out_channels = 8, .kernel = 3, .pad = 1},
        {.name = "squeeze", .op = EW_OP_GLOBAL_AVG_POOL},
        {.name = "excite", .op = EW_OP_CONV, .out_channels = 8, .kernel = 1},
        {.name = "gate", .op = EW_OP_HARDSIGMOID},
        {.name = "scale", .op = EW_OP_MUL, .inputs = {"conv", "gate"}},
        {.name = "next", .op = EW_OP_CONV, .out_channels = 4, .kernel = 5, .pad = 2, .stride = 2},
        {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
    };
    struct planning *planning = planning_new(tiny_graph(3, 40, 40, 7, layers), tiny_star(4));
    for (int s = 0; s < N_STRATEGIES; s++) {
        plan_and_run(planning, STRATEGIES[s]);
    }
    planning_free(planning);
}
END_TEST

static bool is_same_plan(const struct ew_plan *a, const struct ew_plan *b)
{
    bool is_same = a->n_pieces == b->n_pieces && a->n_notes == b->n_notes &&
                   a->predicted_latency_s == b->predicted_latency_s;
    for (uint32_t i = 0; is_same && i < a->n_pieces; i++) {
        const struct ew_piece *p = &a->pieces[i];
        const struct ew_piece *q = &b->pieces[i];
        is_same = p->layer == q->layer && p->device == q->device && ew_box_equal(&p->box, &q->box);
    }
    return is_same;
}

START_TEST(every_strategy_gives_the_same_plan_again)
{
    struct planning *first = open_problem("resnet18", "demo");
    struct planning *second = open_problem("resnet18", "demo");
    planning_problem(first)->deadline_s = planning_problem(second)->deadline_s = 0.09;
    for (int s = 0; s < N_STRATEGIES; s++) {
        must_plan(first, STRATEGIES[s], "");
        must_plan(second, "local", ""); /* something else in between */
        must_plan(second, STRATEGIES[s], "");
        ck_assert(is_same_plan(planning_run(first, STRATEGIES[s], ""),
                               planning_run(second, STRATEGIES[s], "")));
    }
    planning_free(first);
    planning_free(second);
}
END_TEST

START_TEST(every_strategy_plans_or_refuses_random_problems)
{
    const uint64_t n_problems = test_count(60, 600, 20);
    uint32_t n_planned = 0;
    for (uint64_t seed = 1; seed <= n_problems; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "test_strategies");
        struct ew_graph *graph = random_graph(&rng);
        struct planning *planning = planning_new(graph, random_platform(&rng));
        planning_problem(planning)->batch = random_int(&rng, 1, 3);
        planning_problem(planning)->deadline_s = random_scale(&rng, 1e-4, 10);
        for (int s = 0; s < N_STRATEGIES; s++) {
            if (planning_run(planning, STRATEGIES[s], "")) {
                ck_assert(isfinite(planning_latency_s(planning)));
                n_planned++;
            } else {
                const struct ew_error *err = planning_error(planning);
                ck_assert_msg(err->status == EW_ENOTSUP, "seed %d, %s: %s", (int)seed,
                              STRATEGIES[s], err->message);
            }
        }
        planning_free(planning);
    }
    ck_assert_uint_ge(n_planned, 5 * n_problems);
}
END_TEST

START_TEST(every_choice_of_every_parameter_gives_a_plan)
{
    const struct {
        const char *strategy, *settings;
    } cases[] = {
        {"offload", "include_source=true"},
        {"offload", "device=nano"},
        {"neurosurgeon", "objective=energy"},
        {"neurosurgeon", "device=pi4_b"},
        {"neurosurgeon", "server_load_factor=3"},
        {"modnn", "exchange=direct"},
        {"modnn", "group_owner=tx2"},
        {"modnn", "capability=flops"},
        {"modnn", "edge=rows"},
        {"modnn", "edge=columns"},
        {"coedge", "objective=energy"},
        {"coedge", "objective=latency"},
        {"coedge", "search=paper"},
        {"coedge", "threshold=strict"},
        {"coedge", "payer=both"},
        {"coedge", "gather=master"},
        {"coedge", "gather=largest"},
        {"coedge", "repair=false"},
        {"coedge", "idle_energy=true"},
        {"coedge", "exchange=relay"},
        {"coedge", "sync=data"},
        {"coedge", "compute_model=affine"},
        {"edgent", "selection=first_feasible"},
        {"edgent", "loading=on"},
        {"edgent", "direction=device_first"},
        {"edgent", "fallback=false"},
        {"edgent", "device=tx2"},
        {"edgent", "input_bytes=1000"},
    };
    struct planning *planning = open_problem("vgg16", "demo");
    planning_problem(planning)->deadline_s = 0.5;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        must_plan(planning, cases[c].strategy, cases[c].settings);
        ck_assert(isfinite(planning_latency_s(planning)));
    }
    planning_free(planning);
}
END_TEST

/* ------------------------------------------------------------------ refusals */

START_TEST(strategies_name_the_devices_there_are)
{
    struct planning *planning = open_problem("vgg16", "demo");
    must_refuse(planning, "offload", "device=nosuch",
                "no device 'nosuch'; there are: pi4_a, pi4_b, nano, tx2");
    must_refuse(planning, "neurosurgeon", "device=pi4_a", "pi4_a is the source");
    must_refuse(planning, "edgent", "device=pi4_a", "pi4_a is the source");
    must_refuse(planning, "modnn", "group_owner=x", "no device 'x'");
    planning_free(planning);
}
END_TEST

/* Three devices that cannot reach each other and have no power figures. */
static struct ew_platform *islands(void)
{
    const struct ew_device_desc devices[] = {{.name = "a", .speed_flops_per_s = 1e9},
                                             {.name = "b", .speed_flops_per_s = 2e9},
                                             {.name = "c", .speed_flops_per_s = 2e9}};
    const struct ew_platform_desc desc = {.path = "", .n_devices = 3, .devices = devices};
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_make(&platform, &desc, &err) == EW_OK, "%s", err.message);
    return platform;
}

START_TEST(without_routes_pairs_and_groups_shrink)
{
    struct planning *planning = planning_new(load_graph("vgg16"), islands());
    const char *const pairs[] = {"neurosurgeon", "edgent", "edgent_dynamic"};
    const char *const notes[] = {"second_device", "server", "server"};
    for (int i = 0; i < 3; i++) {
        must_refuse(planning, pairs[i], "device=b", "no route");
        must_plan(planning, pairs[i], "");
        ck_assert_uint_eq(planning_active_devices(planning), 1);
        ck_assert_ptr_eq(strstr(planning_note(planning, notes[i]), "none: "),
                         planning_note(planning, notes[i]));
    }
    must_plan(planning, "edgent", "direction=device_first selection=first_feasible");
    ck_assert_uint_eq(planning_active_devices(planning), 1);
    must_refuse(planning, "offload", "device=b", "no route");
    must_plan(planning, "offload", "");
    ck_assert(strstr(planning_note(planning, "device"), "no other device") != NULL);
    must_plan(planning, "modnn", "");
    ck_assert_str_eq(planning_note(planning, "left_out"), "b (no route), c (no route)");
    must_plan(planning, "coedge", "");
    ck_assert_uint_eq(planning_active_devices(planning), 1);
    planning_problem(planning)->sink_device = 1;
    for (int s = 0; s < N_STRATEGIES; s++) {
        must_refuse(planning, STRATEGIES[s], "", "no route");
    }
    planning_free(planning);
}
END_TEST

START_TEST(energy_objectives_need_power_figures)
{
    struct planning *planning = planning_new(load_graph("vgg16"), islands());
    must_refuse(planning, "neurosurgeon", "objective=energy", "has no power figures");
    planning_problem(planning)->deadline_s = 1.0;
    must_refuse(planning, "coedge", "", "power figures");
    must_plan(planning, "coedge", "objective=latency");
    planning_free(planning);
}
END_TEST

START_TEST(a_network_of_vectors_cannot_be_banded)
{
    const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_FC, .out_channels = 8},
        {.name = "b", .op = EW_OP_FC, .out_channels = 8},
    };
    struct planning *planning = planning_new(tiny_graph(5, 1, 1, 2, layers), tiny_star(2));
    must_refuse(planning, "modnn", "", "no layer that can be cut");
    must_refuse(planning, "coedge", "", "no layer whose rows can be shared out");
    must_plan(planning, "edgent", "");
    planning_free(planning);
}
END_TEST

START_TEST(edgent_refuses_what_its_regressions_do_not_cover)
{
    struct planning *planning = open_problem("vgg16", "edgent");
    must_refuse(planning, "edgent", "regression=paper", "edgent_alexnet only");
    planning_free(planning);
    planning = open_problem("edgent_alexnet", "edgent");
    planning_problem(planning)->deadline_s = 0.01;
    must_refuse(planning, "edgent", "fallback=false", "no exit meets the deadline of 0.01 s");
    must_plan(planning, "edgent", "");
    ck_assert(planning_run(planning, "edgent", "")->infeasible_reason != NULL);
    planning_problem(planning)->min_accuracy = 0.9;
    must_refuse(planning, "edgent", "", "no exit of edgent_alexnet has an accuracy of 0.9");
    planning_problem(planning)->min_accuracy = 0;
    planning_problem(planning)->batch = 2;
    must_refuse(planning, "edgent", "regression=paper", "one image per request");
    planning_free(planning);
}
END_TEST

/* ------------------------------------------------------------------ single-device and two-device
 */

START_TEST(sequential_strategies_predict_what_the_engine_measures)
{
    /* Chains with one input: no overlap is possible, so the sums must be exact. */
    const char *graphs[] = {"vgg16", "mobilenet_v1", "alexnet"};
    const char *sequential[] = {"local", "offload", "neurosurgeon", "edgent"};
    for (size_t g = 0; g < sizeof graphs / sizeof graphs[0]; g++) {
        struct planning *planning = open_problem(graphs[g], "demo");
        for (size_t s = 0; s < sizeof sequential / sizeof sequential[0]; s++) {
            must_plan(planning, sequential[s], "");
            double measured_s = planning_latency_s(planning);
            double predicted_s = planning_run(planning, sequential[s], "")->predicted_latency_s;
            ck_assert_double_eq_tol(predicted_s, measured_s, 1e-6 * measured_s);
        }
        planning_free(planning);
    }
}
END_TEST

static double latency_of(struct planning *planning, const char *strategy, const char *settings)
{
    must_plan(planning, strategy, settings);
    return planning_latency_s(planning);
}

START_TEST(neurosurgeon_is_never_slower_than_either_end)
{
    const char *graphs[] = {"alexnet", "vgg16", "yolov2", "squeezenet1_1", "resnet50"};
    for (size_t g = 0; g < sizeof graphs / sizeof graphs[0]; g++) {
        struct planning *planning = open_problem(graphs[g], "demo");
        double split_s = latency_of(planning, "neurosurgeon", "");
        ck_assert_double_le(split_s, latency_of(planning, "local", "") * (1 + 1e-9));
        ck_assert_double_le(split_s, latency_of(planning, "offload", "") * (1 + 1e-9));
        planning_free(planning);
    }
}
END_TEST

START_TEST(neurosurgeon_finds_a_split_in_the_middle)
{
    /* alexnet: pools shrink the data, fc layers are heavy: the best split is inside. */
    struct planning *planning = open_problem("alexnet", "demo");
    must_plan(planning, "neurosurgeon", "");
    const char *split = planning_note(planning, "split");
    ck_assert(strncmp(split, "all on", 6) != 0);
    ck_assert_double_lt(latency_of(planning, "neurosurgeon", ""),
                        latency_of(planning, "local", "") * 0.99);
    /* a busy server is left alone */
    must_plan(planning, "neurosurgeon", "server_load_factor=1000");
    ck_assert_str_eq(planning_note(planning, "split"), "all on the source");
    planning_free(planning);
}
END_TEST

START_TEST(offload_takes_the_fastest_answer)
{
    struct planning *planning = open_problem("vgg16", "demo");
    double best_s = latency_of(planning, "offload", "");
    const char *names[] = {"pi4_b", "nano", "tx2"};
    for (size_t i = 0; i < 3; i++) {
        char setting[32];
        snprintf(setting, sizeof setting, "device=%s", names[i]);
        ck_assert_double_ge(latency_of(planning, "offload", setting), best_s * (1 - 1e-9));
    }
    planning_free(planning);
}
END_TEST

/* ------------------------------------------------------------------ modnn */

START_TEST(modnn_strips_follow_capability_in_every_layer)
{
    const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_MAX_POOL, .kernel = 2, .stride = 2},
    };
    struct planning *planning = planning_new(tiny_graph(1, 20, 8, 2, layers), tiny_star(3));
    must_plan(planning, "modnn", "edge=rows");
    const struct ew_plan *plan = planning_run(planning, "modnn", "edge=rows");
    /* equal devices: 20 rows -> 7, 7, 6 and 10 rows -> 4, 3, 3 */
    const int32_t rows[] = {7, 7, 6, 4, 3, 3};
    ck_assert_uint_eq(plan->n_pieces, 6);
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_int_eq(plan->pieces[i].box.hi[EW_H] - plan->pieces[i].box.lo[EW_H], rows[i]);
        ck_assert_uint_eq(plan->pieces[i].device, i % 3);
    }
    planning_free(planning);
}
END_TEST

START_TEST(modnn_cuts_the_longer_edge)
{
    const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
    };
    struct planning *wide = planning_new(tiny_graph(1, 8, 20, 1, layers), tiny_star(2));
    must_plan(wide, "modnn", "");
    ck_assert_str_eq(planning_note(wide, "cut"), "columns");
    planning_free(wide);
    struct planning *tall = planning_new(tiny_graph(1, 20, 8, 1, layers), tiny_star(2));
    must_plan(tall, "modnn", "");
    ck_assert_str_eq(planning_note(tall, "cut"), "rows");
    planning_free(tall);
}
END_TEST

START_TEST(modnn_relays_through_its_group_owner)
{
    struct planning *planning = open_problem("vgg16", "demo");
    must_plan(planning, "modnn", "");
    const struct ew_plan *plan = planning_run(planning, "modnn", "");
    for (uint32_t l = 0; l + 1 < planning_problem(planning)->context.graph->n_layers; l++) {
        struct ew_boundary boundary = ew_plan_boundary(plan, 0, l);
        ck_assert_int_eq(boundary.exchange, EW_EXCHANGE_RELAY);
        ck_assert_uint_eq(boundary.hub, 0);
    }
    double relayed_s = latency_of(planning, "modnn", "");
    ck_assert_double_lt(latency_of(planning, "modnn", "exchange=direct"), relayed_s);
    planning_free(planning);
}
END_TEST

START_TEST(modnn_is_bound_by_communication_on_deep_networks)
{
    /* Layer-by-layer halo exchange over a WLAN: the engine needs several times what MoDNN, which
     * sees only computing, believes, and more than one device alone. */
    const char *deep[] = {"googlenet", "mobilenet_v1", "resnet50"};
    for (size_t g = 0; g < 3; g++) {
        struct planning *planning = open_problem(deep[g], "coedge");
        double measured_s = latency_of(planning, "modnn", "");
        double believed_s = planning_run(planning, "modnn", "")->predicted_latency_s;
        ck_assert_double_gt(measured_s, 5.0 * believed_s);
        ck_assert_double_gt(measured_s, latency_of(planning, "local", ""));
        planning_free(planning);
    }
}
END_TEST

/* ------------------------------------------------------------------ coedge */

START_TEST(coedge_without_a_deadline_minimises_latency_and_says_so)
{
    struct planning *planning = open_problem("vgg16", "demo");
    must_plan(planning, "coedge", "");
    ck_assert_str_eq(planning_note(planning, "objective"), "latency (there is no deadline)");
    double fastest_s = planning_run(planning, "coedge", "")->predicted_latency_s;
    planning_problem(planning)->deadline_s = 10.0;
    must_plan(planning, "coedge", "");
    ck_assert_str_eq(planning_note(planning, "objective"), "energy");
    planning_problem(planning)->deadline_s = fastest_s * 0.5;
    const struct ew_plan *late = planning_run(planning, "coedge", "");
    ck_assert_ptr_nonnull(late->infeasible_reason);
    ck_assert_double_eq_tol(late->predicted_latency_s, fastest_s, 1e-9);
    planning_free(planning);
}
END_TEST

START_TEST(coedge_bands_are_bulk_synchronous_unless_asked)
{
    struct planning *planning = open_problem("vgg16", "demo");
    double barrier_s = latency_of(planning, "coedge", "");
    const struct ew_plan *plan = planning_run(planning, "coedge", "");
    uint32_t n_barriers = 0;
    for (uint32_t l = 0; l < planning_problem(planning)->context.graph->n_layers; l++) {
        n_barriers += ew_plan_boundary(plan, 0, l).has_barrier;
    }
    ck_assert_uint_eq(n_barriers, 18); /* 13 conv + relu, 5 pools */
    ck_assert_double_le(latency_of(planning, "coedge", "sync=data"), barrier_s * (1 + 1e-9));
    planning_free(planning);
}
END_TEST

/* Plan under n deadlines from the fastest split to beyond the cheapest; energies and numbers of
 * active devices. */
static void sweep_deadlines(struct planning *planning, uint32_t n, double *energy_j,
                            uint32_t *n_active)
{
    struct ew_problem *problem = planning_problem(planning);
    double least_s = planning_run(planning, "coedge", "objective=latency")->predicted_latency_s;
    problem->deadline_s = 1e3;
    double most_s = 1.2 * planning_run(planning, "coedge", "")->predicted_latency_s;
    most_s = fmax(most_s, 2.0 * least_s);
    for (uint32_t k = 0; k < n; k++) {
        problem->deadline_s = 1.0001 * least_s * pow(most_s / least_s, (double)k / (n - 1));
        const struct ew_plan *plan = planning_run(planning, "coedge", "");
        ck_assert_ptr_nonnull(plan);
        ck_assert_double_le(plan->predicted_latency_s, problem->deadline_s * (1 + 1e-9));
        energy_j[k] = plan->predicted_energy_j;
        n_active[k] = planning_active_devices(planning);
    }
}

enum { N_DEADLINES = 16 };

START_TEST(coedge_energy_never_rises_as_the_deadline_relaxes)
{
    const char *graphs[] = {"vgg16", "alexnet", "vgg_f", "googlenet", "mobilenet_v1"};
    for (size_t g = 0; g < sizeof graphs / sizeof graphs[0]; g++) {
        struct planning *planning = open_problem(graphs[g], "coedge");
        double energy_j[N_DEADLINES];
        uint32_t n_active[N_DEADLINES];
        sweep_deadlines(planning, N_DEADLINES, energy_j, n_active);
        for (int k = 1; k < N_DEADLINES; k++) {
            ck_assert_msg(energy_j[k] <= energy_j[k - 1] * (1 + 1e-9), "%s, step %d: %g J > %g J",
                          graphs[g], k, energy_j[k], energy_j[k - 1]);
        }
        /* loose: one device has it all */
        ck_assert_uint_eq(n_active[N_DEADLINES - 1], 1);
        planning_free(planning);
    }
}
END_TEST

START_TEST(coedge_uses_fewer_devices_as_the_deadline_relaxes)
{
    /* Where cooperation is the fastest way, which on this WLAN takes ten times the bandwidth. (When
     * one strong device alone is fastest, the count rises first: from it to a cheaper pair.) */
    struct ew_platform *fast_wlan =
        load_changed_platform("coedge", "bandwidth=\"10MBps\" latency=\"1ms\"",
                              "bandwidth=\"100MBps\" latency=\"100us\"");
    struct planning *planning = planning_new(load_graph("yolov2"), fast_wlan);
    double energy_j[N_DEADLINES];
    uint32_t n_active[N_DEADLINES];
    sweep_deadlines(planning, N_DEADLINES, energy_j, n_active);
    ck_assert_uint_ge(n_active[0], 4);
    for (int k = 1; k < N_DEADLINES; k++) {
        ck_assert_uint_le(n_active[k], n_active[k - 1]);
    }
    ck_assert_uint_eq(n_active[N_DEADLINES - 1], 1);
    planning_free(planning);
}
END_TEST

START_TEST(coedge_joins_more_devices_with_more_bandwidth)
{
    const char *links[] = {
        "bandwidth=\"100kBps\" latency=\"1ms\"", "bandwidth=\"10MBps\" latency=\"1ms\"",
        "bandwidth=\"100MBps\" latency=\"100us\"", "bandwidth=\"1GBps\" latency=\"10us\""};
    uint32_t last = 0;
    double last_s = INFINITY;
    uint32_t first = 0;
    for (size_t k = 0; k < sizeof links / sizeof links[0]; k++) {
        struct planning *planning = planning_new(
            load_graph("yolov2"),
            load_changed_platform("coedge", "bandwidth=\"10MBps\" latency=\"1ms\"", links[k]));
        const struct ew_plan *plan = planning_run(planning, "coedge", "");
        ck_assert_ptr_nonnull(plan);
        ck_assert_double_le(plan->predicted_latency_s, last_s);
        last_s = plan->predicted_latency_s;
        uint32_t n = planning_active_devices(planning);
        ck_assert_uint_ge(n, last);
        first = k == 0 ? n : first;
        last = n;
        planning_free(planning);
    }
    ck_assert_uint_eq(first, 1); /* very low bandwidth: local */
    ck_assert_uint_ge(last, 4);
}
END_TEST

START_TEST(coedge_sees_that_deep_networks_do_not_pay_on_a_wlan)
{
    /* Every layer costs an exchange: the deep nets stay on one device where the shallow one with as
     * much work is shared. Forced apart, they spend more time exchanging than computing. */
    const char *deep[] = {"googlenet", "mobilenet_v1", "inception_v3"};
    for (size_t g = 0; g < 3; g++) {
        struct planning *planning = open_problem(deep[g], "demo");
        must_plan(planning, "coedge", "");
        ck_assert_uint_eq(planning_active_devices(planning), 1);
        planning_free(planning);
    }
    struct planning *planning = open_problem("vgg16", "demo");
    must_plan(planning, "coedge", "");
    ck_assert_uint_eq(planning_active_devices(planning), 4);
    planning_free(planning);
}
END_TEST

/* ------------------------------------------------------------------ edgent */

static struct planning *open_edgent(double kbit_per_s)
{
    char link[64];
    snprintf(link, sizeof link, "bandwidth=\"%gkbps\"", kbit_per_s);
    struct planning *planning =
        planning_new(load_graph("edgent_alexnet"),
                     load_changed_platform("edgent", "bandwidth=\"400kbps\"", link));
    planning_problem(planning)->deadline_s = 1.0;
    return planning;
}

static void assert_decision(double kbit_per_s, const char *settings, int exit, int p)
{
    struct planning *planning = open_edgent(kbit_per_s);
    char expected_exit[32];
    char expected_p[32];
    must_plan(planning, "edgent", settings);
    snprintf(expected_exit, sizeof expected_exit, "exit%d (", exit);
    snprintf(expected_p, sizeof expected_p, "%d of ", p);
    const char *found_exit = planning_note(planning, "exit");
    const char *found_p = planning_note(planning, "partition_point");
    ck_assert_msg(strncmp(found_exit, expected_exit, strlen(expected_exit)) == 0 &&
                      strncmp(found_p, expected_p, strlen(expected_p)) == 0,
                  "%g kbit/s: %s, p = %s", kbit_per_s, found_exit, found_p);
    planning_free(planning);
}

START_TEST(edgent_decides_as_figure_6)
{
    const char *low = "regression=paper input_bytes=24576 device_only_exit1_s=2.35";
    const char *tail = "regression=paper input_bytes=12900 unit=elements selection=first_feasible";
    const struct {
        double kbit_per_s;
        int exit, p;
    } cases[] = {{50, 1, 1},   {80, 1, 1},   {90, 1, 13},   {200, 1, 13},
                 {300, 5, 23}, {500, 5, 23}, {1000, 5, 23}, {1200, 5, 23}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        assert_decision(cases[c].kbit_per_s, low, cases[c].exit, cases[c].p);
    }
    assert_decision(1000, tail, 5, 23);
    assert_decision(1200, tail, 5, 23);
    assert_decision(1500, tail, 5, 17);
    assert_decision(2000, tail, 5, 16);
}
END_TEST

START_TEST(edgent_uploads_the_input_and_ends_on_the_device)
{
    /* The paper's direction: server first. */
    struct planning *planning = open_edgent(2000);
    const struct ew_plan *plan =
        planning_run(planning, "edgent",
                     "regression=paper input_bytes=12900 unit=elements selection=first_feasible");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->n_pieces, 22);
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        ck_assert_uint_eq(plan->pieces[i].device, i < 15 ? 1 : 0);
    }
    ck_assert_int_eq(plan->weights, EW_WEIGHTS_PER_REQUEST);
    planning_free(planning);
}
END_TEST

START_TEST(edgent_with_loading_predicts_what_the_engine_measures)
{
    for (double kbit_per_s = 50; kbit_per_s < 3000; kbit_per_s *= 3) {
        struct planning *planning = open_edgent(kbit_per_s);
        const char *directions[] = {"loading=on", "loading=on direction=device_first"};
        for (int d = 0; d < 2; d++) {
            double measured_s = latency_of(planning, "edgent", directions[d]);
            double predicted_s =
                planning_run(planning, "edgent", directions[d])->predicted_latency_s;
            ck_assert_double_eq_tol(predicted_s, measured_s, 1e-6 * measured_s);
        }
        planning_free(planning);
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        every_strategy_plans_the_zoo_on_four_boards,
        every_strategy_plans_the_zoo_on_a_shared_wlan,
        every_strategy_plans_the_zoo_for_a_requester_that_hardly_computes,
        every_strategy_plans_batches_and_another_sink,
        every_strategy_plans_squeeze_and_excite,
        every_strategy_gives_the_same_plan_again,
        every_strategy_plans_or_refuses_random_problems,
        every_choice_of_every_parameter_gives_a_plan,
        strategies_name_the_devices_there_are,
        without_routes_pairs_and_groups_shrink,
        energy_objectives_need_power_figures,
        a_network_of_vectors_cannot_be_banded,
        edgent_refuses_what_its_regressions_do_not_cover,
        sequential_strategies_predict_what_the_engine_measures,
        neurosurgeon_is_never_slower_than_either_end,
        neurosurgeon_finds_a_split_in_the_middle,
        offload_takes_the_fastest_answer,
        modnn_strips_follow_capability_in_every_layer,
        modnn_cuts_the_longer_edge,
        modnn_relays_through_its_group_owner,
        modnn_is_bound_by_communication_on_deep_networks,
        coedge_without_a_deadline_minimises_latency_and_says_so,
        coedge_bands_are_bulk_synchronous_unless_asked,
        coedge_energy_never_rises_as_the_deadline_relaxes,
        coedge_uses_fewer_devices_as_the_deadline_relaxes,
        coedge_joins_more_devices_with_more_bandwidth,
        coedge_sees_that_deep_networks_do_not_pay_on_a_wlan,
        edgent_decides_as_figure_6,
        edgent_uploads_the_input_and_ends_on_the_device,
        edgent_with_loading_predicts_what_the_engine_measures,
    };
    return run_suite("strategies", tests, sizeof tests / sizeof tests[0]);
}
