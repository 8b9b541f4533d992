/*
 * Lower bounds in closed form: platforms and graphs where the best possible is known.
 */
#include <math.h>
#include <string.h>

#include "model/platform.h"
#include "plan/bound.h"
#include "plan/min_cut.h"
#include "support/suite.h"

static const double FLOPS_PER_S = 1e9;

static struct ew_graph *graph;
static struct ew_platform *platform;

static void tear_down(void)
{
    ew_graph_free(graph);
    ew_platform_free(platform);
    graph = NULL;
    platform = NULL;
}

/* `n` 3x3 convolutions, 8 channels, 32 x 32, one after the other; 32-bit elements. */
static void make_graph(uint32_t n)
{
    static const char *const names[] = {"in", "a", "b", "c", "d"};
    struct ew_layer_desc layers[5] = {
        {.name = "in", .op = EW_OP_INPUT, .shape = {1, 8, 32, 32}, .place = ""}};
    for (uint32_t i = 1; i <= n; i++) {
        layers[i] = (struct ew_layer_desc){
            .name = names[i],
            .op = EW_OP_CONV,
            .attrs = {.out_channels = 8,
                      .kernel = {3, 3},
                      .stride = {1, 1},
                      .pads = {1, 1, 1, 1},
                      .dilation = {1, 1},
                      .groups = 1},
            .n_inputs = 1,
            .inputs = &names[i - 1],
            .place = "",
        };
    }
    const struct ew_graph_desc desc = {
        .name = "chain",
        .source = "",
        .accuracy_metric = "",
        .path = "",
        .accuracy = NAN,
        .bytes_per_element = 4,
        .n_layers = n + 1,
        .layers = layers,
    };
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_make(&graph, &desc, &err) == EW_OK, "%s", err.message);
}

/* Seconds of all `n` convolutions at FLOPS_PER_S: 2 * 9 * 8 * 8 * 32 * 32 FLOPs each. */
static double whole_s(uint32_t n)
{
    return n * 2.0 * 9 * 8 * 8 * 32 * 32 / FLOPS_PER_S;
}

static const double IMAGE_BYTES = 4.0 * 8 * 32 * 32;

/* Devices 0..n-1, speeds given, one link shared by all of them. idle 1 W, computing 3 W, tx 0.5 W,
 * rx 0.25 W. */
static void make_platform(uint32_t n, const double *speed_ratio, double bytes_per_s,
                          double latency_s)
{
    static const char *const names[] = {"d0", "d1", "d2", "d3"};
    static const uint32_t links[] = {0};
    struct ew_device_desc devices[4] = {{0}};
    struct ew_route_desc routes[12];
    uint32_t n_routes = 0;
    for (uint32_t i = 0; i < n; i++) {
        devices[i] = (struct ew_device_desc){
            .name = names[i],
            .speed_flops_per_s = FLOPS_PER_S * speed_ratio[i],
            .has_power = true,
            .idle_w = 1,
            .compute_w = 3,
            .tx_w = 0.5,
            .rx_w = 0.25,
        };
        for (uint32_t k = 0; k < n; k++) {
            if (k != i) {
                routes[n_routes++] = (struct ew_route_desc){i, k, 1, links};
            }
        }
    }
    const struct ew_link link = {"air", bytes_per_s, latency_s, EW_LINK_SHARED};
    const struct ew_platform_desc desc = {
        .path = "",
        .n_devices = n,
        .devices = devices,
        .n_links = 1,
        .links = &link,
        .n_routes = n_routes,
        .routes = routes,
    };
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_make(&platform, &desc, &err) == EW_OK, "%s", err.message);
}

static struct ew_bound bound_for(uint32_t sink, int32_t batch)
{
    const struct ew_plan_context context = {graph, platform, ew_element_bytes_of(graph)};
    const struct ew_bound_problem problem = {
        .context = &context,
        .batch = batch,
        .sink_device = sink,
        .latency_factor = 1,
        .bandwidth_factor = 1,
    };
    struct ew_bound bound;
    struct ew_error err = {0};
    ck_assert_msg(ew_bound_compute(&bound, &problem, &err) == EW_OK, "%s", err.message);
    return bound;
}

static void check_close(double value, double expected, double ratio)
{
    ck_assert_msg(fabs(value - expected) <= ratio * expected, "expected %.12g, found %.12g",
                  expected, value);
}

START_TEST(one_device_is_met_exactly)
{
    /* Nothing can be elsewhere: latency = work; energy = (1 W + 2 W) * latency. */
    make_graph(3);
    make_platform(1, (const double[]){1}, 1e6, 0);
    const struct ew_bound bound = bound_for(0, 2);
    check_close(bound.latency_s, 2 * whole_s(3), 1e-8);
    check_close(bound.period_s, 2 * whole_s(3), 1e-8);
    check_close(bound.dynamic_energy_j, 2 * 2 * whole_s(3), 1e-8);
    check_close(bound.energy_j, 3 * 2 * whole_s(3), 1e-8);
}
END_TEST

START_TEST(free_network_gives_work_over_capacity)
{
    /* Speeds 1, 1, 2 and a network without cost: a quarter of the time of the first alone. */
    make_graph(3);
    make_platform(3, (const double[]){1, 1, 2}, 1e18, 0);
    const struct ew_bound bound = bound_for(0, 1);
    check_close(bound.work_s, whole_s(3) / 4, 1e-8);
    check_close(bound.latency_s, whole_s(3) / 4, 1e-6);
    /* The least joules per unit are the fast device's, but then the horizon is half the work. */
    check_close(bound.dynamic_energy_j, 2 * whole_s(3) / 2, 1e-6);
}
END_TEST

START_TEST(slow_network_keeps_work_at_the_source)
{
    /* One byte a second: a byte moved costs more than all the work. */
    make_graph(3);
    make_platform(2, (const double[]){1, 1}, 1, 0);
    const struct ew_bound bound = bound_for(0, 1);
    check_close(bound.latency_s, whole_s(3), 1e-3);
    ck_assert_double_le(bound.latency_s, whole_s(3));
}
END_TEST

START_TEST(bytes_over_the_cut_share_with_work)
{
    /* The source keeps the share x of all layers, the infinitely fast rest has (1 - x) of the image
     * moved out and (1 - x) of the result back over one link of 1 image per `work`:
     * max(x, 2 (1 - x)) is least at x = 2/3. */
    make_graph(3);
    make_platform(2, (const double[]){1, 1e9}, IMAGE_BYTES / whole_s(3), 0);
    const struct ew_bound bound = bound_for(0, 1);
    check_close(bound.latency_s, whole_s(3) * 2 / 3, 0.02);
    ck_assert_double_le(bound.latency_s, whole_s(3) * 2 / 3);
}
END_TEST

START_TEST(answer_elsewhere_must_travel)
{
    /* Sink d1: at least the last output (or what makes it) crosses, 1 s per image, after 0.25 s. */
    make_graph(2);
    make_platform(2, (const double[]){1, 1}, IMAGE_BYTES, 0.25);
    const struct ew_bound bound = bound_for(1, 1);
    check_close(bound.latency_s, 1.25, 0.01);
    ck_assert_double_le(bound.latency_s, 1.25);
}
END_TEST

START_TEST(latency_there_and_back_counts)
{
    /* A round trip of 2 * whole_s/4 before anything else helps; then both work: T = w - (T - w/2)
     * gives T = 3/4 of the work alone. */
    make_graph(3);
    make_platform(2, (const double[]){1, 1}, 1e18, whole_s(3) / 4);
    const struct ew_bound bound = bound_for(0, 1);
    check_close(bound.latency_s, whole_s(3) * 0.75, 1e-3);
    ck_assert_double_le(bound.latency_s, whole_s(3) * 0.75);
    check_close(bound.period_s, whole_s(3) / 2, 1e-6);
}
END_TEST

START_TEST(narrow_wire_moves_less)
{
    make_graph(2);
    make_platform(2, (const double[]){1, 1}, IMAGE_BYTES, 0);
    const struct ew_plan_context context = {graph, platform, ew_element_bytes_of(graph)};
    const struct ew_bound_problem problem = {
        .context = &context,
        .batch = 1,
        .sink_device = 1,
        .latency_factor = 1,
        .bandwidth_factor = 1,
        .wire_bits = 8,
    };
    struct ew_bound bound;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_bound_compute(&bound, &problem, &err), EW_OK);
    check_close(bound.latency_s, 0.25, 0.02); /* a byte for each element of four */
}
END_TEST

START_TEST(negative_regression_term_leaves_nothing_to_prove)
{
    make_graph(2);
    make_platform(1, (const double[]){1}, 1, 0);
    static const struct ew_term terms[] = {{EW_FEATURE_MACS, 1e-9}, {EW_FEATURE_ONE, -1e-6}};
    struct ew_profile *profile = platform->n_profiles
                                     ? platform->profiles[0]
                                     : (struct ew_profile *)platform->devices[0].profile;
    profile->kind = EW_PROFILE_REGRESSION;
    profile->regression[EW_OP_CONV] = (struct ew_regression){2, terms};
    ck_assert_double_eq(bound_for(0, 1).latency_s, 0);
    profile->regression[EW_OP_CONV] = (struct ew_regression){1, terms};
    check_close(bound_for(0, 1).latency_s, whole_s(2) / 2, 1e-8); /* 1 ns per MAC of 2 FLOPs */
}
END_TEST

START_TEST(minimum_cut_of_a_known_network)
{
    /* Source -3-> 2 -2-> sink, source -2-> 3 -3-> sink, 2 -1-> 3: 2 + 3 at the sink. */
    struct ew_cut cut;
    ck_assert(ew_cut_init(&cut, 4, 5));
    (void)ew_cut_add(&cut, EW_CUT_SOURCE, 2, 3);
    (void)ew_cut_add(&cut, 2, EW_CUT_SINK, 2);
    const uint32_t edge = ew_cut_add(&cut, EW_CUT_SOURCE, 3, 2);
    (void)ew_cut_add(&cut, 3, EW_CUT_SINK, 3);
    (void)ew_cut_add(&cut, 2, 3, 1);
    ck_assert_double_eq(ew_cut_solve(&cut), 5);
    ew_cut_set(&cut, edge, 0); /* now 2 passes to the sink and 1 over node 3 */
    ck_assert_double_eq(ew_cut_solve(&cut), 3);
    ck_assert(!ew_cut_is_source_side(&cut, EW_CUT_SINK));
    ew_cut_fini(&cut);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("bound");
    TCase *bounds = tcase_create("closed forms");
    tcase_add_checked_fixture(bounds, NULL, tear_down);
    tcase_add_test(bounds, one_device_is_met_exactly);
    tcase_add_test(bounds, free_network_gives_work_over_capacity);
    tcase_add_test(bounds, slow_network_keeps_work_at_the_source);
    tcase_add_test(bounds, bytes_over_the_cut_share_with_work);
    tcase_add_test(bounds, answer_elsewhere_must_travel);
    tcase_add_test(bounds, latency_there_and_back_counts);
    tcase_add_test(bounds, narrow_wire_moves_less);
    tcase_add_test(bounds, negative_regression_term_leaves_nothing_to_prove);
    tcase_add_test(bounds, minimum_cut_of_a_known_network);
    suite_add_tcase(suite, bounds);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? 0 : 1;
}
