/* Strategies that fuse layers or cut them one by one: what holds for all of them on random networks
 * and platforms with missing routes and little memory, then what each one promises. */
#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/simgrid/platform_import.h"
#include "io/graph_json.h"
#include "plan/lower.h"
#include "support/planning.h"
#include "support/random_scenario.h"
#include "support/suite.h"
#include "support/tiny.h"

static const char *const STRATEGIES[] = {"aofl",        "mednn",    "edgeld",       "deepthings",
                                         "deepslicing", "edgeflow", "deeperthings", "optimal"};
enum { N_STRATEGIES = sizeof STRATEGIES / sizeof STRATEGIES[0], MAX_DEVICES = 64 };

/* A search would take as long as it may. */
static const char *settings_of(const char *strategy)
{
    return strcmp(strategy, "optimal") == 0 ? "evaluations=60" : "";
}

/* ------------------------------------------------------------------ opening */

static struct ew_graph *load_graph(const char *name)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    return graph;
}

static struct ew_platform *load_platform(const char *name)
{
    const char *dirs[] = {EW_SOURCE_DIR "/platforms/profiles"};
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    char path[512];
    int n = snprintf(path, sizeof path, EW_SOURCE_DIR "/platforms/%s.xml", name);
    ck_assert(n > 0 && (size_t)n < sizeof path);
    ck_assert_msg(ew_platform_import(&platform, path, dirs, 1, &err) == EW_OK, "%s", err.message);
    return platform;
}

static void must_plan(struct planning *planning, const char *strategy, const char *settings)
{
    ck_assert_msg(planning_run(planning, strategy, settings) != NULL, "%s %s: %s", strategy,
                  settings, planning_error(planning)->message);
}

static double run_latency_s(struct planning *planning, const char *strategy, const char *settings)
{
    must_plan(planning, strategy, settings);
    return planning_latency_s(planning);
}

/* ------------------------------------------------------------------ platforms to order */

/* How a mesh of n devices is made. */
struct mesh {
    uint32_t n;
    double bytes_per_s;
    double missing;        /* chance that a pair has no route, 0..1 */
    double small;          /* chance that a device has little memory, 0..1 */
    uint64_t memory_bytes; /* about so much */
    uint64_t each_bytes;   /* every device has just so much */
    bool is_equal;         /* devices are */
};

/* Every pair of devices has a cable of its own, or none. */
static struct ew_platform *make_mesh(const struct mesh *mesh, struct ew_rng *rng)
{
    static char names[MAX_DEVICES][16];
    static char cables[MAX_DEVICES * MAX_DEVICES][16];
    const uint32_t n = mesh->n;
    struct ew_device_desc devices[MAX_DEVICES] = {0};
    struct ew_link *links = calloc((size_t)n * n + 1, sizeof *links);
    struct ew_route_desc *routes = calloc((size_t)n * n + 1, sizeof *routes);
    uint32_t *hops = calloc((size_t)n * n + 1, sizeof *hops);
    uint32_t n_links = 0, n_routes = 0;
    ck_assert(links && routes && hops && n <= MAX_DEVICES);
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(names[i], sizeof names[i], "d%u", i);
        devices[i] = (struct ew_device_desc){
            .name = names[i],
            .speed_flops_per_s = mesh->is_equal ? 1e9 : random_scale(rng, 1e8, 1e10),
            .message_overhead_s = mesh->is_equal ? 0 : random_scale(rng, 1e-6, 1e-3),
            .memory_bytes = mesh->each_bytes,
        };
        if (random_chance(rng, mesh->small)) {
            devices[i].memory_bytes =
                (uint64_t)((double)mesh->memory_bytes * random_scale(rng, 0.05, 2));
        }
        for (uint32_t k = 0; k < i; k++) {
            if (random_chance(rng, mesh->missing)) {
                continue;
            }
            (void)snprintf(cables[n_links], sizeof cables[n_links], "c%u", n_links);
            links[n_links] =
                (struct ew_link){cables[n_links], mesh->bytes_per_s, 1e-4, EW_LINK_SHARED};
            for (int way = 0; way < 2; way++) {
                hops[n_routes] = n_links;
                routes[n_routes] =
                    (struct ew_route_desc){way ? k : i, way ? i : k, 1, &hops[n_routes]};
                n_routes++;
            }
            n_links++;
        }
    }
    const struct ew_platform_desc desc = {.path = "",
                                          .n_devices = n,
                                          .devices = devices,
                                          .n_links = n_links,
                                          .links = links,
                                          .n_routes = n_routes,
                                          .routes = routes};
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_make(&platform, &desc, &err) == EW_OK, "%s", err.message);
    free(links);
    free(routes);
    free(hops);
    return platform;
}

/* ------------------------------------------------------------------ all of them */

/* Whoever plans must have planned for the memory there is: the check behind finds nothing. */
static void plan_or_refuse(struct planning *planning, const char *strategy, uint64_t seed,
                           uint32_t *n_planned)
{
    if (planning_run(planning, strategy, settings_of(strategy))) {
        ck_assert(isfinite(planning_latency_s(planning)));
        (*n_planned)++;
        return;
    }
    const struct ew_error *err = planning_error(planning);
    ck_assert_msg(err->status == EW_ENOTSUP, "seed %" PRIu64 ", %s: %s", seed, strategy,
                  err->message);
    ck_assert_msg(strstr(err->message, "the plan needs") == NULL, "seed %" PRIu64 ", %s: %s", seed,
                  strategy, err->message);
}

START_TEST(random_networks_with_missing_routes_and_little_memory)
{
    const uint64_t n_problems = test_count(150, 600, 30);
    uint32_t n_planned = 0;
    for (uint64_t seed = 1; seed <= n_problems; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "test_fused_strategies");
        struct ew_graph *graph = random_graph(&rng);
        const struct mesh mesh = {
            .n = (uint32_t)random_int(&rng, 1, 7),
            .bytes_per_s = random_scale(&rng, 1e4, 1e8),
            .missing = seed % 3 == 0 ? 0.4 : 0,
            .small = seed % 2 == 0 ? 0.5 : 0,
            .memory_bytes = 4 * graph->params + 100000,
        };
        struct planning *planning = planning_new(graph, make_mesh(&mesh, &rng));
        planning_problem(planning)->batch = random_int(&rng, 1, 3);
        planning_problem(planning)->sink_device =
            seed % 5 == 0 ? (uint32_t)random_int(&rng, 0, (int32_t)mesh.n - 1) : 0;
        for (int s = 0; s < N_STRATEGIES; s++) {
            plan_or_refuse(planning, STRATEGIES[s], seed, &n_planned);
        }
        planning_free(planning);
    }
    ck_assert_uint_ge(n_planned, 4 * n_problems);
}
END_TEST

START_TEST(groups_of_1_2_and_64_devices)
{
    static const char *const graphs[] = {"vgg16", "resnet18", "googlenet"};
    for (size_t g = 0; g < sizeof graphs / sizeof *graphs; g++) {
        for (uint32_t n = 1; n <= 64; n += n == 1 ? 1 : 62) {
            struct planning *planning = planning_new(load_graph(graphs[g]), tiny_star(n));
            for (int s = 0; s < N_STRATEGIES; s++) {
                ck_assert(
                    isfinite(run_latency_s(planning, STRATEGIES[s], settings_of(STRATEGIES[s]))));
            }
            planning_free(planning);
        }
    }
}
END_TEST

START_TEST(without_routes_the_source_does_it_all)
{
    struct ew_rng rng = ew_rng_make(1, "islands");
    const struct mesh mesh = {.n = 3, .bytes_per_s = 1e6, .missing = 1};
    struct planning *planning = planning_new(load_graph("resnet18"), make_mesh(&mesh, &rng));
    double local_s = run_latency_s(planning, "local", "");
    for (int s = 0; s < N_STRATEGIES; s++) {
        double seconds = run_latency_s(planning, STRATEGIES[s], settings_of(STRATEGIES[s]));
        ck_assert_msg(planning_active_devices(planning) == 1, "%s", STRATEGIES[s]);
        ck_assert_msg(seconds <= local_s * (1 + 1e-9), "%s: %g s, local %g s", STRATEGIES[s],
                      seconds, local_s);
    }
    planning_problem(planning)->sink_device = 2;
    for (int s = 0; s < N_STRATEGIES; s++) {
        ck_assert(planning_run(planning, STRATEGIES[s], settings_of(STRATEGIES[s])) == NULL);
        ck_assert_int_eq(planning_error(planning)->status, EW_ENOTSUP);
        ck_assert(strstr(planning_error(planning)->message, "route") != NULL);
    }
    planning_free(planning);
}
END_TEST

START_TEST(with_hardly_any_bandwidth_those_who_see_the_network_stay_local)
{
    /* mednn has no network model, and deeperthings only when it is told to */
    static const struct {
        const char *strategy, *settings;
    } cases[] = {
        {"aofl", ""},
        {"edgeld", ""},
        {"deepthings", ""},
        {"deepslicing", ""},
        {"edgeflow", ""},
        {"deeperthings", "stay=true"},
        {"deeperthings", "split=rows"},
        {"optimal", "evaluations=60"},
    };
    static const char *const graphs[] = {"vgg16", "resnet18", "mobilenet_v2"};
    for (size_t g = 0; g < sizeof graphs / sizeof *graphs; g++) {
        struct ew_rng rng = ew_rng_make(1, "slow");
        const struct mesh mesh = {.n = 4, .bytes_per_s = 1, .is_equal = true};
        struct planning *planning = planning_new(load_graph(graphs[g]), make_mesh(&mesh, &rng));
        double local_s = run_latency_s(planning, "local", "");
        for (size_t s = 0; s < sizeof cases / sizeof *cases; s++) {
            double seconds = run_latency_s(planning, cases[s].strategy, cases[s].settings);
            ck_assert_msg(seconds <= local_s * (1 + 1e-9), "%s on %s: %g s, local %g s",
                          cases[s].strategy, graphs[g], seconds, local_s);
        }
        planning_free(planning);
    }
}
END_TEST

START_TEST(with_plenty_of_bandwidth_all_of_them_help)
{
    struct ew_rng rng = ew_rng_make(1, "fast");
    const struct mesh mesh = {.n = 4, .bytes_per_s = 1e10, .is_equal = true};
    struct planning *planning = planning_new(load_graph("vgg16"), make_mesh(&mesh, &rng));
    double local_s = run_latency_s(planning, "local", "");
    for (int s = 0; s < N_STRATEGIES; s++) {
        double seconds = run_latency_s(planning, STRATEGIES[s], settings_of(STRATEGIES[s]));
        /* a grid of 25 tiles on 4 devices computes much twice */
        ck_assert_msg(seconds < 0.7 * local_s, "%s: %g s, local %g s", STRATEGIES[s], seconds,
                      local_s);
    }
    planning_free(planning);
}
END_TEST

START_TEST(small_memory_is_left_out_and_named)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("demo"));
    ck_assert_str_eq(planning_problem(planning)->context.platform->devices[0].name, "pi4_a");
    for (int s = 0; s < N_STRATEGIES; s++) {
        /* 553 MB of weights, 59 MB of them in layers that can be cut */
        must_plan(planning, STRATEGIES[s], settings_of(STRATEGIES[s]));
        ck_assert_str_eq(planning_note(planning, "left_out"), "");
    }
    planning_free(planning);
    struct ew_rng rng = ew_rng_make(7, "memory");
    const struct mesh mesh = {
        .n = 4, .bytes_per_s = 1e8, .small = 1, .memory_bytes = 2000, .is_equal = true};
    planning = planning_new(load_graph("vgg16"), make_mesh(&mesh, &rng));
    for (int s = 0; s < N_STRATEGIES; s++) {
        ck_assert(planning_run(planning, STRATEGIES[s], settings_of(STRATEGIES[s])) == NULL);
        ck_assert_int_eq(planning_error(planning)->status, EW_ENOTSUP);
        ck_assert_msg(strstr(planning_error(planning)->message, "memory") != NULL, "%s",
                      planning_error(planning)->message);
    }
    planning_free(planning);
}
END_TEST

START_TEST(every_choice_of_every_parameter_gives_a_plan)
{
    static const struct {
        const char *strategy, *settings;
    } cases[] = {
        {"aofl", "regressions=paper"},
        {"aofl", "regressions=paper coefficients=yolov2"},
        {"aofl", "regressions=paper coefficients=alexnet"},
        {"aofl", "clock=flops"},
        {"aofl", "uplink=own"},
        {"aofl", "fusion=none"},
        {"aofl", "fusion=all"},
        {"aofl", "tail=nano"},
        {"aofl", "hub=auto"},
        {"aofl", "merge=tail"},
        {"aofl", "merge=tail fusion=none"},
        {"aofl", "ending=tiles"},
        {"aofl", "hub=tx2"},
        {"mednn", "exchange=gather"},
        {"mednn", "exchange=direct"},
        {"mednn", "group_owner=tx2"},
        {"mednn", "capability=flops"},
        {"mednn", "edge=columns"},
        {"mednn", "scope=layer"},
        {"mednn", "scope=network"},
        {"edgeld", "tolerance_s=0"},
        {"edgeld", "fused_blocks=3"},
        {"edgeld", "fused_blocks=1"},
        {"edgeld", "leader_works=false"},
        {"edgeld", "leader=tx2"},
        {"edgeld", "edge=rows"},
        {"deepthings", "split=rows"},
        {"deepthings", "grid_rows=64 grid_columns=64 fused_blocks=3"},
        {"deepthings", "grid_rows=1 grid_columns=7"},
        {"deepthings", "fused_blocks=14"},
        {"deepthings", "fused_blocks=100000"},
        {"deepthings", "assumed_speeds=own"},
        {"deepthings", "stealing=false"},
        {"deepthings", "reuse=true fused_blocks=12"},
        {"deepthings", "split=rows reuse=true fused_blocks=12"},
        {"deepthings", "gateway=pi4_b"},
        {"deepthings", "binding=late"},
        {"deepthings", "binding=late grid_rows=3 grid_columns=2 fused_blocks=14 steal_bytes=5000"},
        {"deepthings", "binding=late gateway=pi4_b assumed_speeds=own"},
        {"deepthings", "least_speed_ratio=1"},
        {"deepslicing", "sync=data"},
        {"deepslicing", "search=paper"},
        {"deepslicing", "tail=pi4_b"},
        {"edgeflow", "horizon=layer"},
        {"edgeflow", "search=paper"},
        {"edgeflow", "stay=false"},
        {"edgeflow", "tail=pi4_b"},
        {"deeperthings", "fused_blocks=-1"},
        {"deeperthings", "fused_blocks=4"},
        {"deeperthings", "fused_blocks=100000 grid_rows=2 grid_columns=2"},
        {"deeperthings", "gateway=tx2"},
        {"deeperthings", "stay=true"},
        {"deeperthings", "least_speed_ratio=0.9"},
        {"deeperthings", "split=rows"},
        {"deeperthings", "split=rows assumed_speeds=own gateway=tx2"},
        {"optimal", "evaluations=30 objective=period"},
        {"optimal", "evaluations=30 candidates=false limit_s=0"},
    };
    static const char *const graphs[] = {"googlenet", "vgg16", "yolov2"};
    const uint64_t n_graphs = test_count(3, 3, 1);
    for (uint64_t g = 0; g < n_graphs; g++) {
        struct planning *planning = planning_new(load_graph(graphs[g]), load_platform("demo"));
        planning_problem(planning)->batch = 2;
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            ck_assert(isfinite(run_latency_s(planning, cases[c].strategy, cases[c].settings)));
        }
        planning_free(planning);
    }
}
END_TEST

START_TEST(a_network_of_vectors_is_refused)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_FC, .out_channels = 8},
        {.name = "b", .op = EW_OP_FC, .out_channels = 8},
    };
    struct planning *planning = planning_new(tiny_graph(5, 1, 1, 2, layers), tiny_star(2));
    for (int s = 0; s < N_STRATEGIES; s++) {
        const bool parts_weights = strcmp(STRATEGIES[s], "deeperthings") == 0;
        const char *settings = parts_weights ? "split=rows" : "";
        if (strcmp(STRATEGIES[s], "optimal") == 0) {
            continue; /* one device will do */
        }
        ck_assert(planning_run(planning, STRATEGIES[s], settings) == NULL);
        ck_assert_int_eq(planning_error(planning)->status, EW_ENOTSUP);
    }
    planning_free(planning);
}
END_TEST

/* ------------------------------------------------------------------ each of them */

static struct ew_boundary boundary_of(const struct ew_plan *plan, uint32_t layer)
{
    return ew_plan_boundary(plan, 0, layer);
}

/* Layers behind which something other than direct exchange without a barrier happens. */
static uint32_t count_boundaries(const struct planning *planning, const struct ew_plan *plan,
                                 uint8_t exchange, uint32_t hub, bool has_barrier)
{
    struct ew_problem *problem = planning_problem((struct planning *)(uintptr_t)planning);
    uint32_t n = 0;
    for (uint32_t l = 0; l < problem->context.graph->n_layers; l++) {
        struct ew_boundary b = boundary_of(plan, l);
        n += b.exchange == exchange && b.has_barrier == has_barrier &&
             (exchange == EW_EXCHANGE_DIRECT || b.hub == hub);
    }
    return n;
}

START_TEST(aofl_gathers_at_the_source_between_blocks)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("demo"));
    planning_problem(planning)->source_device = 1;
    /* layer by layer: behind each of the 18 blocks that can be cut */
    const struct ew_plan *plan = planning_run(planning, "aofl", "fusion=none");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_GATHER, 1, false), 18);
    plan = planning_run(planning, "aofl", "fusion=all");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_GATHER, 1, false), 1);
    planning_free(planning);
}
END_TEST

START_TEST(aofl_predicts_fused_blocks_no_slower_than_both_extremes)
{
    static const char *const platforms[] = {"demo", "coedge", "distredge_da", "distredge_nd"};
    for (size_t p = 0; p < sizeof platforms / sizeof *platforms; p++) {
        struct planning *planning = planning_new(load_graph("vgg16"), load_platform(platforms[p]));
        must_plan(planning, "aofl", "");
        double best_s = planning_run(planning, "aofl", "")->predicted_latency_s;
        double none_s = planning_run(planning, "aofl", "fusion=none")->predicted_latency_s;
        double all_s = planning_run(planning, "aofl", "fusion=all")->predicted_latency_s;
        ck_assert_double_le(best_s, none_s * (1 + 1e-9));
        ck_assert_double_le(best_s, all_s * (1 + 1e-9));
        planning_free(planning);
    }
}
END_TEST

START_TEST(aofl_is_not_predicted_slower_than_everything_on_the_tail)
{
    static const char *const platforms[] = {"coedge", "distredge_db_300", "distredge_na_xavier"};
    for (size_t p = 0; p < sizeof platforms / sizeof *platforms; p++) {
        struct planning *planning = planning_new(load_graph("vgg16"), load_platform(platforms[p]));
        must_plan(planning, "offload", "");
        double offload_s = planning_run(planning, "offload", "")->predicted_latency_s;
        must_plan(planning, "aofl", "");
        ck_assert_double_le(planning_run(planning, "aofl", "")->predicted_latency_s,
                            offload_s * 1.02);
        planning_free(planning);
    }
}
END_TEST

START_TEST(aofl_saves_a_hop_when_tiles_come_together_on_the_tail)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("distredge_nb"));
    ck_assert_ptr_nonnull(planning_run(planning, "aofl", "merge=hub"));
    double hub_s = planning_latency_s(planning);
    const struct ew_plan *plan = planning_run(planning, "aofl", "merge=tail");
    ck_assert_ptr_nonnull(plan);
    ck_assert_double_lt(planning_latency_s(planning), hub_s);
    /* one fused block, then the tail: nothing is gathered at the phone */
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_GATHER, 0, false), 0);
    planning_free(planning);
}
END_TEST

/* Two Xaviers and two Nanos: by default the last volumes join the fully connected layers on one
 * Xavier, or all of it does. */
START_TEST(aofl_cuts_everything_that_can_be_cut_when_told)
{
    struct planning *planning =
        planning_new(load_graph("vgg16"), load_platform("distredge_db_300"));
    ck_assert_ptr_nonnull(planning_run(planning, "aofl", ""));
    double joined_s = planning_latency_s(planning);
    ck_assert_uint_eq(planning_active_devices(planning), 1);
    ck_assert_ptr_nonnull(planning_run(planning, "aofl", "ending=tiles"));
    ck_assert_uint_ge(planning_active_devices(planning), 2);
    ck_assert_double_gt(planning_latency_s(planning), joined_s);
    planning_free(planning);
}
END_TEST

START_TEST(aofl_gathers_at_a_named_hub_which_gets_the_input_first)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("demo"));
    const struct ew_plan *plan = planning_run(planning, "aofl", "fusion=all hub=tx2");
    ck_assert_ptr_nonnull(plan);
    ck_assert_str_eq(planning_note(planning, "hub"), "tx2");
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_GATHER, 3, false), 2);
    planning_free(planning);
}
END_TEST

START_TEST(aofl_fuses_less_with_more_bandwidth)
{
    /* a message costs nothing but bytes: with 10 GB/s nothing is worth a halo */
    struct ew_rng rng = ew_rng_make(1, "fast");
    struct mesh mesh = {.n = 4, .bytes_per_s = 1e12, .is_equal = true};
    uint32_t n_gathered[2];
    for (int i = 0; i < 2; i++) {
        struct planning *planning = planning_new(load_graph("vgg16"), make_mesh(&mesh, &rng));
        const struct ew_plan *plan = planning_run(planning, "aofl", "");
        ck_assert_ptr_nonnull(plan);
        n_gathered[i] = count_boundaries(planning, plan, EW_EXCHANGE_GATHER, 0, false);
        planning_free(planning);
        mesh.bytes_per_s = 5e6;
    }
    ck_assert_uint_gt(n_gathered[0], n_gathered[1]);
}
END_TEST

START_TEST(mednn_is_not_slower_than_modnn_where_devices_differ)
{
    static const char *const platforms[] = {"demo", "coedge", "distredge_db_300"};
    for (size_t p = 0; p < sizeof platforms / sizeof *platforms; p++) {
        struct planning *planning = planning_new(load_graph("vgg16"), load_platform(platforms[p]));
        double modnn_s = run_latency_s(planning, "modnn", "");
        /* it balances computing alone, so what moves may cost a few percent of the gain */
        ck_assert_double_le(run_latency_s(planning, "mednn", ""), 1.05 * modnn_s);
        planning_free(planning);
    }
}
END_TEST

START_TEST(deepthings_bands_collapse_behind_a_very_slow_device)
{
    /* DistrEdge, Fig. 6b: less than one image per second with a Raspberry Pi 3 in the group */
    struct planning *planning =
        planning_new(load_graph("vgg16"), load_platform("distredge_dc_300"));
    planning_problem(planning)->context.element_bytes = (struct ew_element_bytes){1, 2, 2};
    ck_assert_double_gt(run_latency_s(planning, "deepthings", "split=rows"), 1.0);
    ck_assert_double_lt(run_latency_s(planning, "deepthings", "split=rows assumed_speeds=own"),
                        0.1);
    planning_free(planning);
}
END_TEST

/* Elements computed, all layers. */
static uint64_t count_elements(const struct ew_plan *plan)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        n += ew_box_volume(&plan->pieces[i].box);
    }
    return n;
}

/* A tile is in exactly one chain, all chains wait at the source, and the rest is bound. What a plan
 * of either binding computes is the same. */
START_TEST(deepthings_tiles_wait_in_a_pool_when_bound_late)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("demo"));
    const struct ew_plan *plan = planning_run(planning, "deepthings", "fused_blocks=14");
    ck_assert_ptr_nonnull(plan);
    uint32_t n_pieces = plan->n_pieces;
    ck_assert_uint_eq(plan->n_pools, 0);
    plan = planning_run(planning, "deepthings", "fused_blocks=14 binding=late steal_bytes=99");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->n_pieces, n_pieces);
    ck_assert_uint_eq(plan->n_pools, 1);
    ck_assert_uint_eq(plan->pools[0].holder, plan->source_device);
    ck_assert_uint_eq(plan->pools[0].n_members, 4);
    ck_assert_uint_eq(plan->pools[0].members[0], plan->source_device);
    ck_assert_uint_eq(plan->pools[0].steal_bytes, 99);
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        ck_assert((plan->pieces[i].pool == 1) == (plan->pieces[i].chain != EW_NONE));
    }
    static const char *const contradictions[] = {"split=rows", "stealing=false", "reuse=true"};
    for (int i = 0; i < 3; i++) {
        char settings[64];
        (void)snprintf(settings, sizeof settings, "binding=late %s", contradictions[i]);
        ck_assert(planning_run(planning, "deepthings", settings) == NULL);
        ck_assert_msg(strstr(planning_error(planning)->message, "binding=late") != NULL, "%s",
                      planning_error(planning)->message);
    }
    planning_free(planning);
}
END_TEST

START_TEST(deepthings_computes_less_when_tiles_reuse)
{
    struct planning *planning = planning_new(load_graph("yolov2"), load_platform("demo"));
    const struct ew_plan *plan = planning_run(planning, "deepthings", "fused_blocks=16");
    ck_assert_ptr_nonnull(plan);
    uint64_t in_full = count_elements(plan);
    plan = planning_run(planning, "deepthings", "fused_blocks=16 reuse=true");
    ck_assert_ptr_nonnull(plan);
    ck_assert(strcmp(planning_note(planning, "tiles_reusing"), "") != 0);
    ck_assert_uint_lt(count_elements(plan), in_full);
    planning_free(planning);
}
END_TEST

START_TEST(deepslicing_synchronises_behind_every_stage)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("demo"));
    const struct ew_plan *plan = planning_run(planning, "deepslicing", "search=paper");
    ck_assert_ptr_nonnull(plan);
    uint32_t n_stages = 1;
    for (const char *at = planning_note(planning, "stages"); (at = strchr(at, ';')); at++) {
        n_stages++;
    }
    /* flatten and three fc are stages of their own, without a barrier behind them */
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_DIRECT, 0, true), n_stages - 4);
    plan = planning_run(planning, "deepslicing", "search=paper sync=data");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_DIRECT, 0, true), 0);
    planning_free(planning);
}
END_TEST

START_TEST(edgeflow_has_no_barriers_and_no_hub)
{
    struct planning *planning = planning_new(load_graph("resnet18"), load_platform("demo"));
    const struct ew_plan *plan = planning_run(planning, "edgeflow", "");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_DIRECT, 0, false),
                      planning_problem(planning)->context.graph->n_layers);
    planning_free(planning);
}
END_TEST

START_TEST(edgeld_goes_through_its_leader)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("distredge_nb"));
    const struct ew_plan *plan = planning_run(planning, "edgeld", "");
    ck_assert_ptr_nonnull(plan);
    /* The phone only asks: the first nano leads and gets the input, too. Five groups of
     * convolutions, and before each but the first a pooling on the leader. */
    ck_assert_str_eq(planning_note(planning, "leader"), "nano_0");
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_GATHER, 1, false), 1 + 5 + 4);
    /* layer by layer: 13 convolutions */
    plan = planning_run(planning, "edgeld", "fused_blocks=1");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(count_boundaries(planning, plan, EW_EXCHANGE_GATHER, 1, false), 1 + 13 + 4);
    planning_free(planning);
}
END_TEST

/* 8 x 5 weights, then 8 x 8: a pair, half of the first one's rows and the second one's columns
 * each, added up on the gateway. */
START_TEST(deeperthings_partitions_the_weights_of_vectors)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_FC, .out_channels = 8},
        {.name = "b", .op = EW_OP_FC, .out_channels = 8},
    };
    struct planning *planning = planning_new(tiny_graph(5, 1, 1, 2, layers), tiny_star(2));
    const struct ew_plan *plan = planning_run(planning, "deeperthings", "");
    ck_assert_ptr_nonnull(plan);
    ck_assert_str_eq(planning_note(planning, "weights"), "a FUSE1, b FUSE2");
    /* M (N - 1) + K (N - 1) = 5 + 8 */
    ck_assert_str_eq(planning_note(planning, "elements_exchanged"), "13");
    ck_assert_uint_eq(plan->n_pieces, 2 + 1 + 2);
    ck_assert(isfinite(planning_latency_s(planning)));
    planning_free(planning);
}
END_TEST

/* The largest weights that a device keeps. */
static uint64_t most_weight_bytes(struct planning *planning, const struct ew_plan *plan)
{
    struct ew_lower *lower = ew_lower_new();
    struct ew_task_graph *tasks = NULL;
    struct ew_error err = {0};
    uint64_t most = 0;
    ck_assert_msg(ew_lower_plan(&tasks, lower, &planning_problem(planning)->context, plan, NULL,
                                &err) == EW_OK,
                  "%s", err.message);
    for (uint32_t d = 0; d < tasks->n_devices; d++) {
        most = tasks->devices[d].weight_bytes > most ? tasks->devices[d].weight_bytes : most;
    }
    ew_task_graph_free(tasks);
    ew_lower_free(lower);
    return most;
}

START_TEST(deeperthings_keeps_little_more_than_a_share_of_the_weights)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("demo"));
    const uint64_t all_bytes = 4 * planning_problem(planning)->context.graph->params;
    const struct ew_plan *plan = planning_run(planning, "deeperthings", "");
    ck_assert_ptr_nonnull(plan);
    /* four devices; what is tiled, 0.3 MB of weights, is on all of them */
    ck_assert_uint_lt(most_weight_bytes(planning, plan), all_bytes / 4 + 1100000);
    planning_free(planning);
}
END_TEST

START_TEST(deeperthings_fits_where_no_device_holds_the_network)
{
    struct ew_rng rng = ew_rng_make(3, "memory");
    /* 553 MB of weights */
    const struct mesh mesh = {
        .n = 4, .bytes_per_s = 1e8, .is_equal = true, .each_bytes = 200000000};
    struct planning *planning = planning_new(load_graph("vgg16"), make_mesh(&mesh, &rng));
    ck_assert(planning_run(planning, "local", "") == NULL);
    ck_assert(planning_run(planning, "deepthings", "") == NULL);
    must_plan(planning, "deeperthings", "");
    ck_assert_str_eq(planning_note(planning, "left_out"), "");
    planning_free(planning);
}
END_TEST

START_TEST(deeperthings_bands_collapse_behind_a_very_slow_device_and_beat_one_block)
{
    /* DistrEdge, Fig. 6b: DA 14 images/s against 7 of one block; about 1 with a Raspberry Pi 3
     */
    struct planning *planning =
        planning_new(load_graph("vgg16"), load_platform("distredge_dc_300"));
    planning_problem(planning)->context.element_bytes = (struct ew_element_bytes){1, 2, 2};
    ck_assert_double_gt(run_latency_s(planning, "deeperthings", "split=rows"), 0.95);
    planning_free(planning);
    planning = planning_new(load_graph("vgg16"), load_platform("distredge_da_300"));
    planning_problem(planning)->context.element_bytes = (struct ew_element_bytes){1, 2, 2};
    ck_assert_double_lt(run_latency_s(planning, "deeperthings", "split=rows"),
                        run_latency_s(planning, "deepthings", "split=rows"));
    planning_free(planning);
}
END_TEST

START_TEST(deeperthings_stays_only_where_that_is_faster)
{
    struct planning *planning = planning_new(load_graph("vgg16"), load_platform("demo"));
    must_plan(planning, "deeperthings", "stay=true");
    ck_assert_str_eq(planning_note(planning, "stays"), "everything on the gateway");
    planning_free(planning);
    struct ew_rng rng = ew_rng_make(1, "fast");
    const struct mesh mesh = {.n = 4, .bytes_per_s = 1e10, .is_equal = true};
    planning = planning_new(load_graph("vgg16"), make_mesh(&mesh, &rng));
    const double free_s = run_latency_s(planning, "deeperthings", "");
    const double stay_s = run_latency_s(planning, "deeperthings", "stay=true");
    ck_assert_double_eq(free_s, stay_s);
    ck_assert_str_eq(planning_note(planning, "stays"), "");
    planning_free(planning);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        random_networks_with_missing_routes_and_little_memory,
        groups_of_1_2_and_64_devices,
        without_routes_the_source_does_it_all,
        with_hardly_any_bandwidth_those_who_see_the_network_stay_local,
        with_plenty_of_bandwidth_all_of_them_help,
        small_memory_is_left_out_and_named,
        every_choice_of_every_parameter_gives_a_plan,
        a_network_of_vectors_is_refused,
        aofl_gathers_at_the_source_between_blocks,
        aofl_predicts_fused_blocks_no_slower_than_both_extremes,
        aofl_is_not_predicted_slower_than_everything_on_the_tail,
        aofl_saves_a_hop_when_tiles_come_together_on_the_tail,
        aofl_cuts_everything_that_can_be_cut_when_told,
        aofl_gathers_at_a_named_hub_which_gets_the_input_first,
        aofl_fuses_less_with_more_bandwidth,
        mednn_is_not_slower_than_modnn_where_devices_differ,
        deepthings_bands_collapse_behind_a_very_slow_device,
        deepthings_tiles_wait_in_a_pool_when_bound_late,
        deepthings_computes_less_when_tiles_reuse,
        deepslicing_synchronises_behind_every_stage,
        edgeflow_has_no_barriers_and_no_hub,
        edgeld_goes_through_its_leader,
        deeperthings_partitions_the_weights_of_vectors,
        deeperthings_keeps_little_more_than_a_share_of_the_weights,
        deeperthings_fits_where_no_device_holds_the_network,
        deeperthings_bands_collapse_behind_a_very_slow_device_and_beat_one_block,
        deeperthings_stays_only_where_that_is_faster,
    };
    return run_suite("fused_strategies", tests, sizeof tests / sizeof *tests);
}
