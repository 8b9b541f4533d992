/* Platforms: validation, nodes, routes, ownership of profiles. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/platform.h"
#include "support/suite.h"

/* Three devices a, b, c; links: ab (1 MB/s, 1 ms), medium (4 MB/s, 2 ms), pipe (fatpipe). */
static struct ew_device_desc devices[3];
static struct ew_link links[3];
static const uint32_t via_ab[] = {0}, via_medium_twice[] = {1, 1}, via_all[] = {0, 1, 2},
                      via_pipe_twice[] = {2, 2};
static struct ew_route_desc routes[4];
static struct ew_platform_desc desc;

static void set_up(void)
{
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "b", "c"};
        devices[i] = (struct ew_device_desc){
            .name = names[i], .speed_flops_per_s = 1e9, .message_overhead_s = 0.25};
    }
    links[0] = (struct ew_link){"ab", 1e6, 1e-3, EW_LINK_SHARED};
    links[1] = (struct ew_link){"medium", 4e6, 2e-3, EW_LINK_SHARED};
    links[2] = (struct ew_link){"pipe", 5e5, 0, EW_LINK_FATPIPE};
    routes[0] = (struct ew_route_desc){0, 1, 1, via_ab};
    routes[1] = (struct ew_route_desc){1, 0, 2, via_medium_twice};
    routes[2] = (struct ew_route_desc){0, 2, 3, via_all};
    routes[3] = (struct ew_route_desc){2, 1, 2, via_medium_twice};
    desc = (struct ew_platform_desc){.path = "p.xml",
                                     .content_hash = 7,
                                     .n_devices = 3,
                                     .devices = devices,
                                     .n_links = 3,
                                     .links = links,
                                     .n_routes = 4,
                                     .routes = routes};
}

static struct ew_platform *make(void)
{
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_make(&platform, &desc, &err) == EW_OK, "%s", err.message);
    return platform;
}

static void expect_refused(const char *part)
{
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_platform_make(&platform, &desc, &err), EW_EINPUT);
    ck_assert_ptr_null(platform);
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' lacks '%s'", err.message, part);
}

START_TEST(route_latency_is_the_sum_and_repeats_divide_bandwidth)
{
    struct ew_platform *p = make();
    const struct ew_route *ba = ew_platform_route(p, 1, 0);
    ck_assert_double_eq_tol(ba->latency_s, 4e-3, 1e-15);
    ck_assert_double_eq(ba->bottleneck_bytes_per_s, 2e6); /* 4 MB/s named twice */
    const struct ew_route *ac = ew_platform_route(p, 0, 2);
    ck_assert_uint_eq(ac->n_links, 3);
    ck_assert_double_eq_tol(ac->latency_s, 3e-3, 1e-15);
    ck_assert_double_eq(ac->bottleneck_bytes_per_s, 5e5);
    ew_platform_free(p);
}
END_TEST

START_TEST(fatpipe_named_twice_keeps_its_bandwidth)
{
    routes[3].links = via_pipe_twice;
    struct ew_platform *p = make();
    ck_assert_double_eq(ew_platform_route(p, 2, 1)->bottleneck_bytes_per_s, 5e5);
    ew_platform_free(p);
}
END_TEST

START_TEST(transfer_time_adds_overhead_latency_and_bytes)
{
    struct ew_platform *p = make();
    /* 0.25 s + 1 ms + 1e6 B at 1e6 B/s */
    ck_assert_double_eq_tol(ew_platform_transfer_s(p, 0, 1, 1000000), 1.251, 1e-12);
    ck_assert_double_eq(ew_platform_transfer_s(p, 1, 1, 1000000), 0);
    ck_assert(isinf(ew_platform_transfer_s(p, 2, 0, 1))); /* no route */
    ew_platform_free(p);
}
END_TEST

START_TEST(devices_without_node_are_nodes_of_their_own)
{
    struct ew_platform *p = make();
    ck_assert_uint_eq(p->n_nodes, 3);
    ck_assert_str_eq(p->nodes[1].name, "b");
    ck_assert_uint_eq(p->devices[2].node, 2);
    ew_platform_free(p);
}
END_TEST

START_TEST(devices_of_one_node_are_grouped_in_file_order)
{
    devices[2].node = "board";
    devices[0].node = "board";
    struct ew_platform *p = make();
    ck_assert_uint_eq(p->n_nodes, 2);
    ck_assert_str_eq(p->nodes[0].name, "board"); /* nodes follow their first device */
    ck_assert_uint_eq(p->nodes[0].n_devices, 2);
    ck_assert_uint_eq(p->nodes[0].devices[0], 0);
    ck_assert_uint_eq(p->nodes[0].devices[1], 2);
    ck_assert_str_eq(p->nodes[1].name, "b");
    ck_assert_uint_eq(p->devices[1].node, 1);
    ew_platform_free(p);
}
END_TEST

START_TEST(device_may_join_the_node_named_like_another_device)
{
    devices[2].node = "a";
    struct ew_platform *p = make();
    ck_assert_uint_eq(p->n_nodes, 2);
    ck_assert_uint_eq(p->devices[2].node, p->devices[0].node);
    ew_platform_free(p);
}
END_TEST

START_TEST(default_profile_is_the_device_speed)
{
    devices[1].speed_flops_per_s = 2.5e9;
    struct ew_platform *p = make();
    ck_assert_int_eq(p->devices[1].profile->kind, EW_PROFILE_RATE);
    ck_assert_double_eq(p->devices[1].profile->flops_per_s, 2.5e9);
    ck_assert_double_eq(p->devices[2].profile->flops_per_s, 1e9);
    ew_platform_free(p);
}
END_TEST

START_TEST(profile_of_several_devices_is_kept_once)
{
    struct ew_profile *shared = ew_profile_make_rate("shared", 3e9);
    struct ew_profile *other = ew_profile_make_rate("other", 4e9);
    devices[0].cost = shared;
    devices[1].cost = other;
    devices[2].cost = shared;
    struct ew_platform *p = make();
    ck_assert_uint_eq(p->n_profiles, 2);
    ck_assert_ptr_eq(p->profiles[0], shared); /* in order of first use */
    ck_assert_ptr_eq(p->devices[2].profile, shared);
    ew_platform_free(p); /* a double free or leak shows under ASan */
}
END_TEST

START_TEST(profiles_are_taken_also_on_failure)
{
    devices[0].cost = ew_profile_make_rate("taken", 3e9);
    devices[2].cost = devices[0].cost;
    devices[1].name = "a";
    expect_refused("devices 0 and 1 are both named 'a'"); /* a leak shows under ASan */
}
END_TEST

START_TEST(devices_are_found_by_name)
{
    struct ew_platform *p = make();
    uint32_t id = 9;
    ck_assert(ew_platform_find_device(&id, p, "c"));
    ck_assert_uint_eq(id, 2);
    ck_assert(!ew_platform_find_device(&id, p, "d"));
    ew_platform_free(p);
}
END_TEST

START_TEST(mixed_latencies_are_warned_about)
{
    struct ew_platform *p = make();
    ck_assert_uint_eq(p->n_warnings, 0);
    ew_platform_free(p);
    links[0].latency_s = 0;
    p = make();
    ck_assert_uint_eq(p->n_warnings, 1);
    ck_assert_ptr_nonnull(strstr(p->warnings[0], "'a' -> 'b' has no latency"));
    ew_platform_free(p);
    links[1].latency_s = 0; /* nowhere any latency: nothing to warn about */
    p = make();
    ck_assert_uint_eq(p->n_warnings, 0);
    ew_platform_free(p);
}
END_TEST

START_TEST(descriptions_are_copied)
{
    char name[] = "link";
    links[0].name = name;
    struct ew_platform *p = make();
    name[0] = 'X';
    ck_assert_str_eq(p->links[0].name, "link");
    ck_assert_str_eq(p->path, "p.xml");
    ck_assert_uint_eq(p->content_hash, 7);
    ew_platform_free(p);
}
END_TEST

START_TEST(counts_and_names_are_checked)
{
    desc.n_devices = 0;
    expect_refused("expected 1 .. 4096 devices");
    desc.n_devices = 3;
    links[2].name = "ab";
    expect_refused("links 0 and 2 are both named 'ab'");
    links[2].name = "";
    expect_refused("link 2: expected a name");
    links[2].name = "pipe";
    devices[1].name = NULL;
    expect_refused("device 1: expected a name");
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
    const struct {
        double *field;
        double bad;
        const char *part;
    } cases[] = {
        {&devices[1].speed_flops_per_s, 0, "device 'b': speed"},
        {&devices[1].speed_flops_per_s, NAN, "device 'b': speed"},
        {&devices[1].speed_flops_per_s, INFINITY, "device 'b': speed"},
        {&devices[1].message_overhead_s, -1, "device 'b': message_overhead_s"},
        {&devices[1].message_overhead_s, NAN, "device 'b': message_overhead_s"},
        {&devices[1].idle_w, -1, "device 'b': idle_w"},
        {&devices[1].off_w, NAN, "device 'b': off_w"},
        {&devices[1].tx_w, INFINITY, "device 'b': tx_w"},
        {&devices[1].rx_w, -0.5, "device 'b': rx_w"},
        {&devices[1].idle_w, 2, "at least the idle power"},
        {&links[1].bandwidth_bytes_per_s, 0, "link 'medium': bandwidth"},
        {&links[1].bandwidth_bytes_per_s, NAN, "link 'medium': bandwidth"},
        {&links[1].latency_s, -1e-9, "link 'medium': latency"},
        {&links[1].latency_s, INFINITY, "link 'medium': latency"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double good = *cases[i].field;
        *cases[i].field = cases[i].bad;
        expect_refused(cases[i].part);
        *cases[i].field = good;
    }
}
END_TEST

START_TEST(routes_are_checked)
{
    static const uint32_t unknown[] = {3};
    routes[0].links = unknown;
    expect_refused("route 'a' -> 'b': expected links below 3, found 3");
    routes[0].links = via_ab;
    routes[0].to = 3;
    expect_refused("route 0 -> 3: expected devices below 3");
    routes[0].to = 1;
    routes[1].from = 0;
    routes[1].to = 1;
    expect_refused("route 'a' -> 'b': expected one, found a second");
}
END_TEST

START_TEST(thousands_of_devices_are_checked_quickly)
{
    /* n log n: quadratic comparison of names would take minutes under sanitizers */
    enum { N = 2000 };
    static struct ew_device_desc many[N];
    static char names[N][16];
    for (int i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], "dev%d", i);
        many[i] = (struct ew_device_desc){.name = names[i], .speed_flops_per_s = 1e9 + i};
    }
    desc.n_devices = N;
    desc.devices = many;
    struct ew_platform *p = make();
    ck_assert_uint_eq(p->n_devices, N);
    ck_assert_uint_eq(p->n_nodes, N);
    ew_platform_free(p);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("platform");
    TCase *built = tcase_create("built"), *refused = tcase_create("refused");
    tcase_add_checked_fixture(built, set_up, NULL);
    tcase_add_checked_fixture(refused, set_up, NULL);
    tcase_add_test(built, route_latency_is_the_sum_and_repeats_divide_bandwidth);
    tcase_add_test(built, fatpipe_named_twice_keeps_its_bandwidth);
    tcase_add_test(built, transfer_time_adds_overhead_latency_and_bytes);
    tcase_add_test(built, devices_without_node_are_nodes_of_their_own);
    tcase_add_test(built, devices_of_one_node_are_grouped_in_file_order);
    tcase_add_test(built, device_may_join_the_node_named_like_another_device);
    tcase_add_test(built, default_profile_is_the_device_speed);
    tcase_add_test(built, profile_of_several_devices_is_kept_once);
    tcase_add_test(built, devices_are_found_by_name);
    tcase_add_test(built, mixed_latencies_are_warned_about);
    tcase_add_test(built, descriptions_are_copied);
    tcase_add_test(built, thousands_of_devices_are_checked_quickly);
    tcase_add_test(refused, profiles_are_taken_also_on_failure);
    tcase_add_test(refused, counts_and_names_are_checked);
    tcase_add_test(refused, numbers_out_of_range_are_refused);
    tcase_add_test(refused, routes_are_checked);
    suite_add_tcase(suite, built);
    suite_add_tcase(suite, refused);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
