/* DistrEdge's plans: valid for any network, platform and batch; blocks and volumes as they should
 * be; reasons where it cannot serve. */
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/net.h"
#include "distredge/chain.h"
#include "io/graph_json.h"
#include "support/planning.h"
#include "support/random_scenario.h"
#include "support/suite.h"
#include "support/tiny.h"

/* Plans are judged by the recursion here, and little is learned. */
#define QUICK "environment=recursion episodes=15"

static struct ew_graph *load(const char *name)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    return graph;
}

static const struct ew_plan *must_plan(struct planning *planning, const char *settings)
{
    const struct ew_plan *plan = planning_run(planning, "distredge", settings);
    ck_assert_msg(plan != NULL, "%s", planning_error(planning)->message);
    return plan;
}

/* ------------------------------------------------------------------ blocks */

static void check_vgg_blocks(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    struct chain chain = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert(chain_init(&chain, &net));
    ck_assert_uint_eq(chain.n_blocks, 18);
    double ops = 0;
    for (uint32_t b = 0; b < 18; b++) {
        bool is_pool = b == 2 || b == 5 || b == 9 || b == 13 || b == 17;
        ck_assert_int_eq(chain.units[b].kernel, is_pool ? 2 : 3);
        ck_assert_int_eq(chain.units[b].stride, is_pool ? 2 : 1);
        ck_assert_int_eq(chain.units[b].pad, is_pool ? 0 : 1);
        ops += chain.units[b].row_ops * chain.units[b].out_rows;
    }
    ck_assert_int_eq(chain.units[0].in_rows, 224);
    ck_assert_double_eq(chain.units[0].in_elements, 3 * 224);
    ck_assert_int_eq(chain.units[17].out_rows, 7);
    ck_assert_double_eq(chain.units[17].out_elements, 512 * 7);
    /* 2 x 15 346 630 656 for the convolutions; poolings: 4 per output element */
    ck_assert_double_eq(ops,
                        2 * 15346630656.0 + 4.0 * (64 * 112 * 112 + 128 * 56 * 56 + 256 * 28 * 28 +
                                                   512 * 14 * 14 + 512 * 7 * 7));
    chain_fini(&chain);
    kit_net_fini(&net);
}

static void ask(struct ew_graph *graph,
                void (*question)(const struct ew_host *, struct ew_plan_builder *))
{
    struct planning *planning = planning_new(graph, tiny_star(3));
    planning_ask(planning, question);
    planning_free(planning);
}

START_TEST(vgg16_has_eighteen_blocks)
{
    ask(load("vgg16"), check_vgg_blocks);
}
END_TEST

/* conv -> [a 3x3 -> b 3x3] + shortcut -> out: the middle is one block with a field of 5. */
static const struct tiny_layer residual[] = {
    {.name = "conv", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "relu", .op = EW_OP_RELU},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "add", .op = EW_OP_ADD, .inputs = {"conv", "b"}},
    {.name = "out", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .stride = 2, .pad = 1},
    {.name = "flat", .op = EW_OP_FLATTEN},
    {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
};

static void check_residual_blocks(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    struct chain chain = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert(chain_init(&chain, &net));
    ck_assert_uint_eq(chain.n_blocks, 3);
    ck_assert_uint_eq(chain.n_body, 6);
    ck_assert_uint_eq(chain.starts[1], 1);
    ck_assert_uint_eq(chain.starts[2], 5);
    ck_assert_uint_eq(chain.starts[3], 6);
    ck_assert_int_eq(chain.units[1].kernel, 5);
    ck_assert_int_eq(chain.units[1].pad, 2);
    ck_assert_int_eq(chain.units[1].stride, 1);
    ck_assert_int_eq(chain.units[2].stride, 2);
    chain_fini(&chain);
    kit_net_fini(&net);
}

START_TEST(a_residual_block_is_one_block)
{
    ask(tiny_graph(3, 16, 16, 8, residual), check_residual_blocks);
}
END_TEST

static void check_yolo_blocks(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    struct chain chain = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert(chain_init(&chain, &net));
    /* 22 convolutions in the chain and 5 poolings; the passthrough spans nine of them */
    ck_assert_uint_ge(chain.n_blocks, 25);
    for (uint32_t b = 0; b < chain.n_blocks; b++) {
        ck_assert_int_le(chain.units[b].kernel, 7);
    }
    chain_fini(&chain);
    kit_net_fini(&net);
}

START_TEST(a_long_shortcut_does_not_make_one_big_block)
{
    ask(load("yolov2"), check_yolo_blocks);
}
END_TEST

/* ------------------------------------------------------------------ plans */

START_TEST(every_network_gets_a_plan)
{
    static const char *const names[] = {"alexnet",  "vgg16",        "resnet18",
                                        "resnet50", "googlenet",    "inception_v3",
                                        "yolov2",   "mobilenet_v2", "squeezenet1_1"};
    struct planning *planning = planning_new(load(names[_i]), tiny_star(5));
    planning_problem(planning)->batch = 1 + _i % 3;
    (void)must_plan(planning, QUICK);
    double latency_s = planning_latency_s(planning);
    ck_assert(isfinite(latency_s) && latency_s > 0);
    planning_free(planning);
}
END_TEST

/* Few have enough for everything. */
static void limit_memory(struct ew_platform *platform, struct ew_rng *rng)
{
    /* the platform is ours: nobody else sees it change */
    struct ew_device *devices = (struct ew_device *)(uintptr_t)platform->devices;
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        devices[d].memory_bytes = (uint64_t)random_scale(rng, 1e3, 1e5);
    }
}

/* The host checks every plan, memory included, before planning_run returns it. */
START_TEST(random_problems_get_valid_plans)
{
    static const char *const settings[] = {
        QUICK,
        "search=coordinate environment=recursion",
        "environment=recursion episodes=5 include_source=true",
        "environment=recursion episodes=5 polish=true alpha=0 law=clamped bounds=inverting",
    };
    struct ew_rng rng = ew_rng_make(100 + (uint64_t)_i, "distredge");
    int n_planned = 0;
    for (int trial = 0; trial < 25; trial++) {
        struct ew_graph *graph = random_graph(&rng);
        struct ew_platform *platform = random_platform(&rng);
        if (_i % 2 == 1) {
            limit_memory(platform, &rng);
        }
        struct planning *planning = planning_new(graph, platform);
        planning_problem(planning)->batch = random_int(&rng, 1, 3);
        if (planning_run(planning, "distredge", settings[trial % 4])) {
            n_planned++;
            ck_assert(isfinite(planning_latency_s(planning)));
        } else {
            const char *why = planning_error(planning)->message;
            ck_assert_int_eq(planning_error(planning)->status, EW_ENOTSUP);
            ck_assert_msg(strstr(why, "does not begin with") || strstr(why, "memory"), "%s", why);
        }
        planning_free(planning);
    }
    ck_assert_int_ge(n_planned, 5);
}
END_TEST

START_TEST(one_two_and_many_devices)
{
    static const uint32_t counts[] = {1, 2, 3, 16, 64};
    struct planning *planning =
        planning_new(tiny_graph(3, 80, 16, 8, residual), tiny_star(counts[_i]));
    (void)must_plan(planning, "environment=recursion episodes=3");
    ck_assert(isfinite(planning_latency_s(planning)));
    if (counts[_i] == 1) {
        ck_assert_str_ne(planning_note(planning, "local"), "");
    }
    planning_free(planning);
}
END_TEST

static bool is_device_used(const struct ew_plan *plan, uint32_t device)
{
    for (uint32_t p = 0; p < plan->n_pieces; p++) {
        if (plan->pieces[p].device == device) {
            return true;
        }
    }
    return false;
}

START_TEST(the_requester_only_requests)
{
    struct planning *planning = planning_new(tiny_graph(3, 80, 80, 8, residual), tiny_star(4));
    planning_problem(planning)->source_device = 2;
    planning_problem(planning)->sink_device = 2;
    ck_assert(!is_device_used(must_plan(planning, QUICK), 2));
    planning_free(planning);
}
END_TEST

START_TEST(equal_seeds_give_equal_plans)
{
    struct planning *planning = planning_new(load("resnet18"), tiny_star(4));
    char rows[2][1024];
    for (int k = 0; k < 2; k++) {
        (void)must_plan(planning, QUICK);
        strncpy(rows[k], planning_note(planning, "rows"), sizeof rows[k] - 1);
        rows[k][sizeof rows[k] - 1] = '\0';
    }
    ck_assert_str_eq(rows[0], rows[1]);
    ck_assert_str_ne(rows[0], "");
    planning_free(planning);
}
END_TEST

/* Remove a folder and the files in it. Returns how many there were; `name` receives one. */
static int clear_folder(const char *folder, char *name, size_t name_size)
{
    int n = 0;
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            ck_assert_int_lt(snprintf(name, name_size, "%s/%.100s", folder, entry->d_name),
                             (int)name_size);
            ck_assert_int_eq(unlink(name), 0);
            n++;
        }
    }
    closedir(dir);
    ck_assert_int_eq(rmdir(folder), 0);
    return n;
}

static int n_taken; /* splits that came from a cache */

static void count_taken(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    (void)ctx, (void)strategy, (void)level;
    n_taken += strncmp(message, "trained before: ", 16) == 0;
}

static struct ew_cache_info cache = {.struct_size = sizeof cache};

static const void *offer_cache(void *ctx, const char *id)
{
    (void)ctx;
    return strcmp(id, EW_CACHE_ID) == 0 ? &cache : NULL;
}

START_TEST(the_hosts_cache_is_used_unless_declined)
{
    struct planning *planning = planning_new(load("resnet18"), tiny_star(4));
    char folder[] = "/tmp/ew_test_distredge_XXXXXX";
    char settings[200];
    char name[200];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    cache.dir = folder;
    n_taken = 0;
    planning_services(planning)->log = count_taken;
    planning_services(planning)->extension = offer_cache;
    snprintf(settings, sizeof settings, "%s cache_dir=none", QUICK);
    (void)must_plan(planning, settings);
    (void)must_plan(planning, QUICK);
    ck_assert_int_eq(n_taken, 0);
    (void)must_plan(planning, QUICK);
    ck_assert_int_eq(n_taken, 1);
    (void)must_plan(planning, settings);
    ck_assert_int_eq(n_taken, 1);
    ck_assert_int_eq(clear_folder(folder, name, sizeof name), 1);
    planning_free(planning);
}
END_TEST

START_TEST(a_cached_split_equals_the_fresh_one)
{
    struct planning *planning = planning_new(load("resnet18"), tiny_star(4));
    char folder[] = "/tmp/ew_test_distredge_XXXXXX";
    char settings[200];
    char name[200];
    char rows[1024];
    char episodes[200];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(settings, sizeof settings, "%s cache_dir=%s", QUICK, folder);
    n_taken = 0;
    planning_services(planning)->log = count_taken;
    double fresh_s = must_plan(planning, settings)->predicted_latency_s;
    ck_assert_int_eq(n_taken, 0);
    snprintf(rows, sizeof rows, "%s", planning_note(planning, "rows"));
    snprintf(episodes, sizeof episodes, "%s", planning_note(planning, "episodes"));
    double cached_s = must_plan(planning, settings)->predicted_latency_s;
    ck_assert_int_eq(n_taken, 1);
    ck_assert_str_eq(planning_note(planning, "rows"), rows);
    ck_assert_str_eq(planning_note(planning, "episodes"), episodes);
    ck_assert_double_eq(cached_s, fresh_s);
    /* another seed is another search */
    planning_problem(planning)->seed = 2;
    (void)must_plan(planning, settings);
    ck_assert_int_eq(n_taken, 1);
    ck_assert_int_eq(clear_folder(folder, name, sizeof name), 2);
    planning_free(planning);
}
END_TEST

START_TEST(a_trained_actor_can_be_taken_on)
{
    char folder[] = "/tmp/ew_test_distredge_XXXXXX";
    char settings[400];
    char name[200];
    struct planning *planning = planning_new(load("resnet18"), tiny_star(4));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(settings, sizeof settings, "%s cache_dir=%s", QUICK, folder);
    (void)must_plan(planning, settings);
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            snprintf(settings, sizeof settings, "%s start_actor=%s/%.100s", QUICK, folder,
                     entry->d_name);
        }
    }
    closedir(dir);
    (void)must_plan(planning, settings);
    ck_assert_ptr_nonnull(strstr(planning_note(planning, "episodes"), "started from"));
    planning_free(planning);
    /* it was trained for three devices */
    planning = planning_new(load("resnet18"), tiny_star(6));
    ck_assert_ptr_null(planning_run(planning, "distredge", settings));
    ck_assert_ptr_nonnull(
        strstr(planning_error(planning)->message, "was trained for 3 devices, here are 5"));
    planning_free(planning);
    ck_assert_int_eq(clear_folder(folder, name, sizeof name), 1);
}
END_TEST

START_TEST(a_single_device_is_kept_when_it_beats_the_agent)
{
    /* one episode finds next to nothing */
    struct planning *planning = planning_new(load("vgg16"), tiny_star(4));
    double kept_s = must_plan(planning, "environment=recursion episodes=1")->predicted_latency_s;
    double single_s = strtod(planning_note(planning, "best_single_s"), NULL);
    ck_assert_double_le(kept_s, single_s * (1 + 1e-5));
    bool is_kept = *planning_note(planning, "kept") != '\0';
    double agent_s = must_plan(planning, "environment=recursion episodes=1 keep_single=false")
                         ->predicted_latency_s;
    ck_assert_str_eq(planning_note(planning, "kept"), "");
    ck_assert_int_eq(is_kept, agent_s > single_s * (1 + 1e-5));
    planning_free(planning);
}
END_TEST

START_TEST(volumes_can_be_given)
{
    struct planning *planning = planning_new(load("vgg16"), tiny_star(4));
    (void)must_plan(planning, "environment=recursion search=coordinate volumes=0,6,10,14,15");
    ck_assert_str_eq(planning_note(planning, "volumes"),
                     "0 (features.0), 6 (features.10), 10 (features.17), 14 (features.24), 15 "
                     "(features.26)");
    static const char *const bad[] = {"volumes=1", "volumes=0,6,6", "volumes=0,18", "volumes=0,",
                                      "volumes=x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_ptr_null(planning_run(planning, "distredge", bad[i]));
        ck_assert_msg(strstr(planning_error(planning)->message, "ascending blocks from 0 to 17"),
                      "%s", planning_error(planning)->message);
    }
    planning_free(planning);
}
END_TEST

START_TEST(head_device_is_obeyed)
{
    struct planning *planning = planning_new(load("vgg16"), tiny_star(4));
    (void)must_plan(planning, "environment=recursion episodes=5 head_device=d3");
    ck_assert_str_eq(planning_note(planning, "head"), "d3");
    ck_assert_ptr_null(planning_run(planning, "distredge", "head_device=toaster"));
    ck_assert_msg(strstr(planning_error(planning)->message, "toaster"), "%s",
                  planning_error(planning)->message);
    planning_free(planning);
}
END_TEST

START_TEST(the_recursion_predicts_one_device_exactly)
{
    /* Offload has no overlap to be wrong about. */
    struct planning *planning = planning_new(load("vgg16"), tiny_star(2));
    const struct ew_plan *plan = must_plan(planning, QUICK);
    double predicted_s = plan->predicted_latency_s;
    ck_assert_double_eq_tol(planning_latency_s(planning) / predicted_s, 1.0, 1e-9);
    planning_free(planning);
}
END_TEST

START_TEST(nothing_to_split_is_a_reason)
{
    const struct tiny_layer only_fc[] = {
        {.name = "flat", .op = EW_OP_FLATTEN},
        {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
    };
    struct planning *planning = planning_new(tiny_graph(3, 8, 8, 2, only_fc), tiny_star(3));
    ck_assert_ptr_null(planning_run(planning, "distredge", QUICK));
    ck_assert_int_eq(planning_error(planning)->status, EW_ENOTSUP);
    ck_assert_msg(strstr(planning_error(planning)->message, "does not begin with convolutions"),
                  "%s", planning_error(planning)->message);
    planning_free(planning);
}
END_TEST

START_TEST(more_memory_than_there_is_leaves_devices_out)
{
    struct ew_platform *platform = tiny_star(4);
    struct ew_device *devices = (struct ew_device *)(uintptr_t)platform->devices;
    for (uint32_t d = 1; d < 4; d++) {
        devices[d].memory_bytes = d == 2 ? UINT64_C(4) << 30 : 1000;
    }
    struct planning *planning = planning_new(load("vgg16"), platform);
    const struct ew_plan *plan = must_plan(planning, QUICK);
    ck_assert(!is_device_used(plan, 1));
    ck_assert(!is_device_used(plan, 3));
    ck_assert(is_device_used(plan, 2));
    ck_assert_msg(strstr(planning_note(planning, "left_out"), "d1 (memory)") != NULL, "%s",
                  planning_note(planning, "left_out"));
    planning_free(planning);
}
END_TEST

START_TEST(coordinate_search_is_not_worse_than_one_device)
{
    struct planning *planning = planning_new(load("alexnet"), tiny_star(5));
    const struct ew_plan *plan = must_plan(planning, "environment=recursion search=coordinate");
    double best_single_s = strtod(planning_note(planning, "best_single_s"), NULL);
    ck_assert_double_le(plan->predicted_latency_s, best_single_s * 1.000001);
    planning_free(planning);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("distredge_plan");
    TCase *blocks = tcase_create("chain");
    tcase_add_test(blocks, vgg16_has_eighteen_blocks);
    tcase_add_test(blocks, a_residual_block_is_one_block);
    tcase_add_test(blocks, a_long_shortcut_does_not_make_one_big_block);
    suite_add_tcase(suite, blocks);
    TCase *plans = tcase_create("plan");
    tcase_set_timeout(plans, 120);
    tcase_add_loop_test(plans, every_network_gets_a_plan, 0, 9);
    tcase_add_loop_test(plans, random_problems_get_valid_plans, 0, 6);
    tcase_add_loop_test(plans, one_two_and_many_devices, 0, 5);
    tcase_add_test(plans, the_requester_only_requests);
    tcase_add_test(plans, equal_seeds_give_equal_plans);
    tcase_add_test(plans, a_cached_split_equals_the_fresh_one);
    tcase_add_test(plans, the_hosts_cache_is_used_unless_declined);
    tcase_add_test(plans, a_single_device_is_kept_when_it_beats_the_agent);
    tcase_add_test(plans, a_trained_actor_can_be_taken_on);
    tcase_add_test(plans, volumes_can_be_given);
    tcase_add_test(plans, head_device_is_obeyed);
    tcase_add_test(plans, the_recursion_predicts_one_device_exactly);
    tcase_add_test(plans, nothing_to_split_is_a_reason);
    tcase_add_test(plans, more_memory_than_there_is_leaves_devices_out);
    tcase_add_test(plans, coordinate_search_is_not_worse_than_one_device);
    suite_add_tcase(suite, plans);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
