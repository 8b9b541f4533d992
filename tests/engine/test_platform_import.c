/*
 * Platform import through SimGrid: order, routes, properties, every shipped platform, and one
 * readable message for every bad file in tests/data/platforms. Every test forks (Check's default);
 * with CK_FORK=no it still works, since the import has a child of its own.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/simgrid/platform_child.h"
#include "engine/simgrid/platform_import.h"
#include "support/suite.h"

#define DATA EW_SOURCE_DIR "/tests/data/platforms/"
#define PLATFORMS EW_SOURCE_DIR "/platforms"
#define XML_HEAD                                                                                   \
    "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"    \
    "<platform version=\"4.1\">\n"

static const char *const profile_dirs[] = {PLATFORMS "/profiles"};

static struct ew_platform *import(const char *path)
{
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_import(&platform, path, profile_dirs, 1, &err) == EW_OK, "%s",
                  err.message);
    return platform;
}

/* Import `body` between <platform> tags from a file of its own. */
static struct ew_platform *import_text(const char *body)
{
    char directory[] = "/tmp/ew_import_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    char *path = ew_path_join(directory, "p.xml");
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(fprintf(file, "%s%s\n</platform>\n", XML_HEAD, body), 0);
    ck_assert_int_eq(fclose(file), 0);
    struct ew_platform *platform = import(path);
    (void)unlink(path);
    (void)rmdir(directory);
    free(path);
    return platform;
}

static void expect_route(const struct ew_platform *p, const char *from, const char *to,
                         const char *links)
{
    uint32_t a = 0, b = 0;
    ck_assert(ew_platform_find_device(&a, p, from) && ew_platform_find_device(&b, p, to));
    const struct ew_route *route = ew_platform_route(p, a, b);
    char found[256] = "";
    for (uint32_t i = 0; i < route->n_links; i++) {
        (void)strncat(found, i ? " " : "", sizeof found - strlen(found) - 1);
        (void)strncat(found, p->links[route->links[i]].name, sizeof found - strlen(found) - 1);
    }
    ck_assert_str_eq(found, links);
}

/* --- what is read ---------------------------------------------------------------------------- */

START_TEST(devices_and_links_keep_file_order)
{
    struct ew_platform *p = import(DATA "good.xml"); /* SimGrid lists hosts by name */
    ck_assert_uint_eq(p->n_devices, 2);
    ck_assert_str_eq(p->devices[0].name, "zebra");
    ck_assert_str_eq(p->devices[1].name, "ant");
    ck_assert_uint_eq(p->n_links, 2); /* SimGrid's loopback is not among them */
    ck_assert_str_eq(p->links[0].name, "wifi_z");
    expect_route(p, "zebra", "ant", "wifi_z wifi_a");
    expect_route(p, "ant", "zebra", "wifi_a wifi_z");
    const struct ew_route *route = ew_platform_route(p, 0, 1);
    ck_assert_double_eq_tol(route->latency_s, 2e-3, 1e-15);
    ck_assert_double_eq(route->bottleneck_bytes_per_s, 1e7);
    ck_assert_uint_eq(ew_platform_route(p, 0, 0)->n_links, 0);
    ck_assert_str_eq(p->path, DATA "good.xml");
    ew_platform_free(p);
}
END_TEST

START_TEST(properties_become_device_facts)
{
    struct ew_platform *p =
        import_text("<zone id=\"z\" routing=\"Full\">\n"
                    "<host id=\"gpu\" speed=\"2Gf\"><prop id=\"profile\" "
                    "value=\"jetson_nano.tensorrt_fp16\"/>\n"
                    "<prop id=\"wattage_per_state\" value=\"1:2:3.5\"/><prop id=\"wattage_off\" "
                    "value=\"0.5\"/>\n"
                    "<prop id=\"tx_w\" value=\"0.25\"/><prop id=\"rx_w\" value=\"0.125\"/>\n"
                    "<prop id=\"memory_bytes\" value=\"4e9\"/><prop id=\"node\" value=\"board\"/>\n"
                    "<prop id=\"message_overhead_s\" value=\"2e-3\"/><prop id=\"note\" "
                    "value=\"hello\"/></host>\n"
                    "<host id=\"cpu\" speed=\"1Gf\"><prop id=\"node\" value=\"board\"/>\n"
                    "<prop id=\"profile\" value=\"jetson_nano.tensorrt_fp16\"/>\n"
                    "<prop id=\"wattage_per_state\" value=\"1:3\"/></host>\n"
                    "<host id=\"plain\" speed=\"3Gf\"/></zone>");
    const struct ew_device *gpu = &p->devices[0], *cpu = &p->devices[1], *plain = &p->devices[2];
    ck_assert_str_eq(gpu->profile->name, "jetson_nano.tensorrt_fp16");
    ck_assert(gpu->has_power && cpu->has_power && !plain->has_power);
    ck_assert_double_eq(gpu->idle_w, 1);
    ck_assert_double_eq(gpu->compute_w, 3.5);
    ck_assert_double_eq(gpu->off_w, 0.5);
    ck_assert_double_eq(gpu->tx_w, 0.25);
    ck_assert_double_eq(gpu->rx_w, 0.125);
    ck_assert_uint_eq(gpu->memory_bytes, 4000000000U);
    ck_assert_double_eq(gpu->message_overhead_s, 2e-3);
    ck_assert_double_eq(cpu->compute_w, 3); /* two values: idle and all cores */
    ck_assert_uint_eq(p->n_nodes, 2);
    ck_assert_str_eq(p->nodes[0].name, "board");
    ck_assert_uint_eq(p->nodes[0].n_devices, 2);
    ck_assert_ptr_eq(gpu->profile, cpu->profile); /* loaded once */
    ck_assert_uint_eq(p->n_profiles, 2);          /* and the default of `plain` */
    ck_assert_double_eq(plain->profile->flops_per_s, 3e9);
    ew_platform_free(p);
}
END_TEST

START_TEST(comments_entities_and_quotes_do_not_confuse_the_order)
{
    struct ew_platform *p = import_text(
        "<!-- <host id=\"b\" speed=\"1Gf\"/> <config/> > -->\n"
        "<zone id='z' routing='Full'>\n<host speed='1Gf'\n  id='m &amp; m'/><host id=\"b\" "
        "speed=\"1Gf\"></host>\n<host id=\"a>x\" speed=\"1Gf\"/></zone>");
    ck_assert_str_eq(p->devices[0].name, "m & m");
    ck_assert_str_eq(p->devices[1].name, "b");
    ck_assert_str_eq(p->devices[2].name, "a>x");
    ew_platform_free(p);
}
END_TEST

START_TEST(cluster_hosts_come_by_number)
{
    struct ew_platform *p = import_text(
        "<zone id=\"all\" routing=\"Full\">\n"
        "<cluster id=\"c\" prefix=\"dev\" suffix=\"\" radical=\"0-11\" speed=\"1Gf\" bw=\"1MBps\" "
        "lat=\"1ms\" sharing_policy=\"SHARED\"/></zone>");
    ck_assert_uint_eq(p->n_devices, 12);
    ck_assert_str_eq(p->devices[2].name, "dev2");
    ck_assert_str_eq(p->devices[10].name, "dev10"); /* by text it would follow dev1 */
    ck_assert_str_eq(p->links[10].name, "c_link_10");
    expect_route(p, "dev2", "dev10", "c_link_2 c_link_10");
    ew_platform_free(p);
}
END_TEST

START_TEST(star_zone_and_split_duplex_links_are_resolved)
{
    struct ew_platform *p = import_text(
        "<zone id=\"z\" routing=\"Cluster\">\n<host id=\"a\" speed=\"1Gf\"/><host id=\"b\" "
        "speed=\"1Gf\"/><host id=\"c\" speed=\"1Gf\"/>\n"
        "<link id=\"port\" bandwidth=\"8Mbps\" latency=\"1ms\" sharing_policy=\"SPLITDUPLEX\"/>\n"
        "<link id=\"air\" bandwidth=\"16Mbps\" latency=\"2ms\"/>\n"
        "<link id=\"wide\" bandwidth=\"1MBps\" latency=\"0\" sharing_policy=\"FATPIPE\"/>\n"
        "<host_link id=\"a\" up=\"port_UP\" down=\"port_DOWN\"/>\n"
        "<host_link id=\"b\" up=\"air\" down=\"air\"/><host_link id=\"c\" up=\"wide\" "
        "down=\"wide\"/></zone>");
    expect_route(p, "a", "b", "port_UP air");
    expect_route(p, "b", "a", "air port_DOWN");
    expect_route(p, "c", "a", "wide port_DOWN");
    ck_assert_double_eq(p->links[0].bandwidth_bytes_per_s, 1e6);
    ck_assert_int_eq(p->links[2].sharing, EW_LINK_SHARED);
    ck_assert_int_eq(p->links[3].sharing, EW_LINK_FATPIPE);
    ew_platform_free(p);
}
END_TEST

START_TEST(link_named_twice_is_kept_twice)
{
    struct ew_platform *p = import(PLATFORMS "/coedge.xml");
    expect_route(p, "pi0", "pc", "wlan wlan");
    uint32_t pi0 = 0, pc = 0;
    ck_assert(ew_platform_find_device(&pi0, p, "pi0") && ew_platform_find_device(&pc, p, "pc"));
    /* 10 MB/s twice: 5 MB/s; 1 MB + 2 ms = 0.202 s */
    ck_assert_double_eq_tol(ew_platform_transfer_s(p, pi0, pc, 1000000), 0.202, 1e-12);
    ew_platform_free(p);
}
END_TEST

START_TEST(missing_routes_are_kept_as_missing)
{
    struct ew_platform *p = import(DATA "good_disconnected.xml");
    ck_assert_uint_eq(ew_platform_route(p, 0, 1)->n_links, 0);
    ew_platform_free(p);
}
END_TEST

START_TEST(same_file_gives_the_same_hash_and_devices)
{
    struct ew_platform *a = import(PLATFORMS "/demo.xml"), *b = import(PLATFORMS "/demo.xml");
    struct ew_platform *c = import(PLATFORMS "/edgent.xml");
    ck_assert_uint_eq(a->content_hash, b->content_hash);
    ck_assert_uint_ne(a->content_hash, c->content_hash);
    ck_assert_uint_eq(a->n_devices, 4);
    ew_platform_free(a);
    ew_platform_free(b);
    ew_platform_free(c);
}
END_TEST

START_TEST(buffered_output_of_the_parent_comes_out_once)
{
    char path[] = "/tmp/ew_stdout_XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
    (void)printf("once\n"); /* to a file: stays in the buffer over the fork */
    ew_platform_free(import(DATA "good.xml"));
    (void)fflush(stdout);
    char *text = NULL;
    size_t size = 0;
    ck_assert_int_eq(ew_file_read(&text, &size, path, 1000, NULL), EW_OK);
    ck_assert_str_eq(text, "once\n");
    free(text);
    (void)unlink(path);
    (void)close(fd);
}
END_TEST

START_TEST(shipped_platforms_import_with_power_profiles_and_routes)
{
    DIR *directory = opendir(PLATFORMS);
    ck_assert_ptr_nonnull(directory);
    const struct dirent *entry;
    int n = 0;
    while ((entry = readdir(directory))) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".xml") != 0) {
            continue;
        }
        char *path = ew_path_join(PLATFORMS, entry->d_name);
        struct ew_platform *p = import(path);
        ck_assert_msg(p->n_warnings == 0, "%s: %s", path, p->n_warnings ? p->warnings[0] : "");
        for (uint32_t i = 0; i < p->n_devices; i++) {
            ck_assert_msg(p->devices[i].has_power, "%s: %s", path, p->devices[i].name);
            for (uint32_t k = 0; k < p->n_devices; k++) {
                ck_assert_msg(i == k || ew_platform_route(p, i, k)->n_links > 0, "%s: %s -> %s",
                              path, p->devices[i].name, p->devices[k].name);
            }
        }
        ew_platform_free(p);
        free(path);
        n++;
    }
    (void)closedir(directory);
    ck_assert_int_ge(n, 11);
}
END_TEST

START_TEST(example_of_the_manual_is_good)
{
    char *text = NULL;
    size_t size = 0;
    ck_assert_int_eq(
        ew_file_read(&text, &size, EW_SOURCE_DIR "/docs/inputs-platforms.md", 1 << 20, NULL),
        EW_OK);
    char *begin = strstr(text, "<platform version");
    char *end = strstr(text, "</platform>");
    ck_assert(begin && end);
    *end = '\0';
    struct ew_platform *p = import_text(strchr(begin, '>') + 1);
    ck_assert_uint_eq(p->n_devices, 2);
    expect_route(p, "camera", "board", "camera_wifi board_port_DOWN");
    ew_platform_free(p);
    free(text);
}
END_TEST

static struct ew_platform *generate(const char *arguments)
{
    char directory[] = "/tmp/ew_import_XXXXXX", command[512];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    char *path = ew_path_join(directory, "p.xml");
    (void)snprintf(command, sizeof command,
                   "'" EW_SOURCE_DIR "/tools/make_platform' %s --out '%s' > /dev/null", arguments,
                   path);
    ck_assert_int_eq(system(command), 0);
    struct ew_platform *platform = import(path);
    (void)unlink(path);
    (void)rmdir(directory);
    free(path);
    return platform;
}

START_TEST(generated_star_has_a_port_per_device)
{
    struct ew_platform *p = generate("--devices 12 --bandwidth 80Mbps --latency 1ms --profile "
                                     "raspberry_pi_4b.ncnn_cpu_fp32 --power 2:6 --tx-w 0.5");
    ck_assert_uint_eq(p->n_devices, 12);
    ck_assert_str_eq(p->devices[11].name, "dev11");
    ck_assert_double_eq(p->devices[11].compute_w, 6);
    ck_assert_double_eq(p->devices[11].tx_w, 0.5);
    expect_route(p, "dev1", "dev10", "port1_UP port10_DOWN");
    ck_assert_double_eq(ew_platform_route(p, 1, 10)->bottleneck_bytes_per_s, 1e7);
    ck_assert_uint_eq(p->n_profiles, 1);
    ew_platform_free(p);
    p = generate("--devices 4 --half-duplex");
    expect_route(p, "dev1", "dev2", "port1 port2");
    ew_platform_free(p);
}
END_TEST

START_TEST(generated_shared_medium_is_crossed_twice)
{
    struct ew_platform *p = generate("--devices 4 --kind shared --bandwidth 80Mbps");
    expect_route(p, "dev0", "dev3", "medium medium");
    ck_assert_double_eq(ew_platform_route(p, 0, 3)->bottleneck_bytes_per_s, 5e6);
    ew_platform_free(p);
}
END_TEST

START_TEST(generated_chain_passes_through_the_middle)
{
    struct ew_platform *p = generate("--devices 4 --kind chain");
    expect_route(p, "dev0", "dev2", "cable0_UP cable1_UP");
    expect_route(p, "dev3", "dev1", "cable2_DOWN cable1_DOWN");
    ew_platform_free(p);
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------- */

#define SIMGRID ": SimGrid rejects the platform: "
#define PARSE(file, line) SIMGRID "Parse error at " DATA file ":" line ": "
#define WATTAGE                                                                                    \
    ":5: host 'zebra': property 'wattage_per_state': expected idle:allcores or "                   \
    "idle:epsilon:allcores, watts in 0 .. 1e+06, found "

static const struct {
    const char *file, *message; /* message: what follows the path */
} bad[] = {
    {"bad_attribute_missing.xml",
     PARSE("bad_attribute_missing.xml", "9") "Invalid XML (XML input line 9, state 74): Required "
                                             "attribute `speed' not set for `host' element."},
    {"bad_availability.xml", ":9: availability_file=\"a.txt\" is not supported: capacities that "
                             "change over time belong into the scenario"},
    {"bad_bandwidth_nan.xml",
     ": link 'wifi_a': bandwidth: expected 0.001 .. 1e+24 bytes/s, found nan"},
    {"bad_bandwidth_zero.xml", ": link 'wifi_a': bandwidth: expected 0.001 .. 1e+24 bytes/s, found 0"},
    {"bad_config.xml", ":4: <config> is not supported: it would change SimGrid's models; choose a "
                       "network preset instead"},
    {"bad_core.xml", ":9: host 'ant': expected core=\"1\", found 4: a host is one device that runs "
                     "one task at a time, so give it the speed of all its cores together"},
    {"bad_disconnected.xml", SIMGRID "No route from 'ant' to 'zebra'"},
    {"bad_duplicate_host.xml", SIMGRID "Refusing to create a second host named 'zebra'."},
    {"bad_duplicate_link.xml", SIMGRID "Link 'wifi_z' declared several times in the platform."},
    {"bad_empty.xml",
     PARSE("bad_empty.xml", "1") "Invalid XML (XML input line 1, state 1): EOF in prolog."},
    {"bad_latency_negative.xml", ": link 'wifi_a': latency: expected 0 .. 1e+06 s, found -0.001"},
    {"bad_memory.xml", ":5: host 'zebra': property 'memory_bytes': expected a number in 0 .. "
                       "9.0072e+15, found '1GB'"},
    {"bad_no_host.xml", ": expected 1 .. 4096 hosts, found 0"},
    {"bad_not_xml.xml", PARSE("bad_not_xml.xml", "1") "Invalid XML (XML input line 1, state 1): "
                                                      "Unexpected character `h' in prolog."},
    {"bad_profile_missing.xml",
     ":9: host 'ant': no profile 'jetson_nano.tensorrt_fp61' in " DATA "profiles, " PLATFORMS
     "/profiles; did you mean 'jetson_nano.tensorrt_fp16'?"},
    {"bad_property.xml",
     ":5: host 'zebra': unknown property 'memory_byte'; did you mean 'memory_bytes'?"},
    {"bad_pstates.xml", ":9: host 'ant': expected one speed, found 2 (pstates are not supported)"},
    {"bad_radio_alone.xml",
     ":9: host 'ant': wattage_off, tx_w and rx_w need 'wattage_per_state' beside them"},
    {"bad_route_unknown_host.xml",
     PARSE("bad_route_unknown_host.xml", "14") "Route src='aunt' does name a node"},
    {"bad_route_unknown_link.xml", SIMGRID "Link not found: wifi_b"},
    {"bad_routing.xml", ":4: unknown routing 'Flod'; did you mean 'Floyd'?"},
    {"bad_speed_nan.xml", ": device 'ant': speed: expected 1 .. 1e+24 FLOP/s, found nan"},
    {"bad_speed_overflow.xml", PARSE("bad_speed_overflow.xml", "9") "value out of range: 1e400f"},
    {"bad_speed_zero.xml", ": device 'ant': speed: expected 1 .. 1e+24 FLOP/s, found 0"},
    {"bad_trace.xml", ":4: <trace> is not supported: capacities that change over time belong into "
                      "the scenario"},
    {"bad_truncated.xml", PARSE("bad_truncated.xml", "12") "Invalid XML (XML input line 12, state "
                                                           "156): Premature EOF: `</zone>' "
                                                           "expected."},
    {"bad_unclosed.xml", PARSE("bad_unclosed.xml", "15") "Invalid XML (XML input line 15, state "
                                                         "158): Unexpected end-tag `</platform>': "
                                                         "`</zone>' expected."},
    {"bad_unit.xml", PARSE("bad_unit.xml", "12") "unknown unit: Mxps"},
    {"bad_wattage_nan.xml", WATTAGE "'nan:1:3'"},
    {"bad_wattage_negative.xml", WATTAGE "'-1:1:3'"},
    {"bad_wattage_order.xml", ":5: host 'zebra': property 'wattage_per_state': expected at least "
                              "the idle power (3 W) while computing, found 1 W"},
    {"bad_wattage_single.xml", WATTAGE "'3'"},
    {"bad_wifi_zone.xml",
     ":4: routing=\"Wifi\" is not supported: model the medium as one shared link instead"},
    {"no_such_file.xml", ": cannot open: No such file or directory"},
};
enum { N_BAD = sizeof bad / sizeof *bad };

START_TEST(bad_file_gives_its_message)
{
    char path[sizeof DATA + 64], expected[1024];
    (void)snprintf(path, sizeof path, "%s%s", DATA, bad[_i].file);
    (void)snprintf(expected, sizeof expected, "%s%s", path, bad[_i].message);
    struct ew_platform *p = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_platform_import(&p, path, profile_dirs, 1, &err), EW_EINPUT);
    ck_assert_ptr_null(p);
    ck_assert_str_eq(err.message, expected);
    ck_assert_ptr_null(strchr(err.message, '\n'));
}
END_TEST

START_TEST(every_bad_file_is_in_the_table)
{
    DIR *directory = opendir(DATA);
    ck_assert_ptr_nonnull(directory);
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        bool is_known = strncmp(entry->d_name, "bad_", 4) != 0;
        for (size_t i = 0; i < N_BAD; i++) {
            is_known = is_known || strcmp(entry->d_name, bad[i].file) == 0;
        }
        ck_assert_msg(is_known, "%s", entry->d_name);
    }
    (void)closedir(directory);
}
END_TEST

START_TEST(child_that_takes_too_long_is_stopped)
{
    struct ew_words words = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(ew_platform_read_child(&words, DATA "good.xml", 1e-9, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, DATA "good.xml: SimGrid needs more than 1e-09 s to read the "
                                       "platform");
    ck_assert_uint_eq(words.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("platform_import");
    TCase *good = tcase_create("good"), *refused = tcase_create("refused");
    tcase_add_test(good, devices_and_links_keep_file_order);
    tcase_add_test(good, properties_become_device_facts);
    tcase_add_test(good, comments_entities_and_quotes_do_not_confuse_the_order);
    tcase_add_test(good, cluster_hosts_come_by_number);
    tcase_add_test(good, star_zone_and_split_duplex_links_are_resolved);
    tcase_add_test(good, link_named_twice_is_kept_twice);
    tcase_add_test(good, missing_routes_are_kept_as_missing);
    tcase_add_test(good, same_file_gives_the_same_hash_and_devices);
    tcase_add_test(good, buffered_output_of_the_parent_comes_out_once);
    tcase_add_test(good, shipped_platforms_import_with_power_profiles_and_routes);
    tcase_add_test(good, example_of_the_manual_is_good);
    tcase_add_test(good, generated_star_has_a_port_per_device);
    tcase_add_test(good, generated_shared_medium_is_crossed_twice);
    tcase_add_test(good, generated_chain_passes_through_the_middle);
    tcase_add_loop_test(refused, bad_file_gives_its_message, 0, N_BAD);
    tcase_add_test(refused, every_bad_file_is_in_the_table);
    tcase_add_test(refused, child_that_takes_too_long_is_stopped);
    suite_add_tcase(suite, good);
    suite_add_tcase(suite, refused);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
