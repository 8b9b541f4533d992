/*
 * The --json report: valid JSON, every promised key with the right type, null where there is no
 * number; and the hash.
 */
#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "results/report.h"
#include "support/suite.h"
#include "unit/results_fixture.h"

static struct fixture fix;
static struct ew_result *results[2];
static struct ew_str text;
static cJSON *json;

/* A served run and an error row, printed and parsed. */
static void print_and_parse(void)
{
    struct ew_metrics *metrics;
    const struct ew_metrics_config config = {.run = &fix.run, .workloads = fix.asked};
    ck_assert_int_eq(ew_metrics_new(&metrics, &config, NULL), EW_OK);
    fixture_serve(ew_metrics_sink(metrics), &fix, 0, 0, 0, 0, 0);
    ck_assert_int_eq(ew_metrics_finish(&results[0], metrics, &fix.labels, NULL), EW_OK);
    ew_metrics_free(metrics);
    results[1] = ew_result_new_error(&fix.labels, EW_EINPUT, "cannot: \"reason\"");
    static const char *const args[] = {"run", "--json"};
    const struct ew_report_workload workload = {.name = "camera",
                                                .context = &fix.context,
                                                .graph_hash = 0xfeed,
                                                .source_device = "pi",
                                                .sink_device = "pi",
                                                .arrival = "closed:1",
                                                .n_requests = 1,
                                                .requests_per_job = 1,
                                                .batch = 1,
                                                .deadline_s = INFINITY};
    const struct ew_report report = {.command = "run",
                                     .n_args = 2,
                                     .args = args,
                                     .version = "0.0.0",
                                     .engine = "fast",
                                     .seed = 18446744073709551615u,
                                     .net = ew_net_model_find("tcp"),
                                     .platform = fix.platform,
                                     .n_workloads = 1,
                                     .workloads = &workload,
                                     .n_runs = 2,
                                     .runs = (const struct ew_result *const *)results};
    ew_report_print_json(&text, &report);
    ck_assert(!text.failed);
    json = cJSON_ParseWithOpts(ew_str_text(&text), NULL, true);
    ck_assert_msg(json != NULL, "not JSON: %s", ew_str_text(&text));
}

static void set_up(void)
{
    fixture_init(&fix);
    text = (struct ew_str){0};
    results[0] = results[1] = NULL;
    json = NULL;
}

static void tear_down(void)
{
    cJSON_Delete(json);
    ew_str_fini(&text);
    ew_result_free(results[0]);
    ew_result_free(results[1]);
    fixture_fini(&fix);
}

static const cJSON *child(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    ck_assert_msg(item != NULL, "key '%s' is missing", key);
    return item;
}

static void check_kinds(const cJSON *object, const char *const *keys,
                        cJSON_bool (*is_kind)(const cJSON *))
{
    for (; *keys; keys++) {
        ck_assert_msg(is_kind(child(object, *keys)), "key '%s' has another type", *keys);
    }
}

#define CHECK_KINDS(object, is_kind, ...)                                                          \
    check_kinds(object, (const char *const[]){__VA_ARGS__, NULL}, is_kind)

START_TEST(run_has_every_promised_key)
{
    print_and_parse();
    ck_assert_int_eq(child(json, "schema")->valueint, 1);
    const cJSON *run = cJSON_GetArrayItem(child(json, "runs"), 0);
    CHECK_KINDS(run, cJSON_IsString, "strategy", "engine", "exit");
    CHECK_KINDS(run, cJSON_IsNumber, "requests", "completed", "late", "dropped", "failed", "open",
                "throughput_per_s", "accuracy", "deadline_met_ratio", "plan_time_s",
                "predicted_latency_s");
    CHECK_KINDS(run, cJSON_IsBool, "requirements_met", "claims_feasible", "model_mismatch",
                "has_energy");
    CHECK_KINDS(child(run, "latency_s"), cJSON_IsNumber, "mean", "p50", "p90", "p99", "max");
    CHECK_KINDS(child(run, "energy_j"), cJSON_IsNumber, "total", "dynamic", "per_request",
                "dynamic_per_request", "idle_share_per_request");
    CHECK_KINDS(child(run, "energy_by_state_j"), cJSON_IsNumber, "off", "idle", "compute", "tx",
                "rx");
    const cJSON *device = cJSON_GetArrayItem(child(run, "devices"), 1);
    CHECK_KINDS(device, cJSON_IsString, "name", "node", "profile");
    CHECK_KINDS(device, cJSON_IsNumber, "busy_s", "tx_bytes", "rx_bytes", "energy_j",
                "dynamic_energy_j", "peak_memory_bytes", "rows_share", "utilisation_ratio");
    ck_assert_str_eq(child(device, "name")->valuestring, "nano");
    ck_assert_double_eq(child(child(run, "energy_j"), "total")->valuedouble, 51.75);
    ck_assert_ptr_null(cJSON_GetObjectItemCaseSensitive(run, "error"));
}
END_TEST

START_TEST(error_run_has_its_reason_and_no_figures)
{
    print_and_parse();
    const cJSON *run = cJSON_GetArrayItem(child(json, "runs"), 1);
    ck_assert_str_eq(child(run, "error")->valuestring, "cannot: \"reason\"");
    ck_assert_str_eq(child(run, "error_status")->valuestring, "invalid input");
    CHECK_KINDS(run, cJSON_IsString, "strategy", "engine");
    ck_assert_ptr_null(cJSON_GetObjectItemCaseSensitive(run, "latency_s"));
}
END_TEST

START_TEST(header_states_all_constants)
{
    print_and_parse();
    const cJSON *header = child(json, "header");
    CHECK_KINDS(header, cJSON_IsString, "program", "version", "command", "engine", "preset",
                "energy_rule", "percentile_rule");
    ck_assert(cJSON_IsNull(child(header, "simgrid_version")));
    ck_assert_str_eq(child(header, "preset")->valuestring, "tcp");
    const cJSON *net = child(header, "network_model");
    ck_assert_double_eq(child(net, "latency_factor")->valuedouble, 13.01);
    ck_assert_double_eq(child(net, "bandwidth_factor")->valuedouble, 0.97);
    ck_assert_double_eq(child(net, "weight_s_bytes")->valuedouble, 20537);
    ck_assert_double_eq(child(header, "grain_s")->valuedouble, 1e-9);
    /* integers beyond 2^53 stay exact in the text */
    ck_assert_ptr_nonnull(strstr(ew_str_text(&text), "\"seed\": 18446744073709551615,"));
    const cJSON *platform = child(header, "platform");
    ck_assert_str_eq(child(platform, "hash_fnv1a64")->valuestring, "0000000000001234");
    const cJSON *pi = cJSON_GetArrayItem(child(platform, "devices"), 0);
    CHECK_KINDS(pi, cJSON_IsNumber, "speed_flops_per_s", "memory_bytes", "message_overhead_s",
                "off_w", "idle_w", "compute_w", "tx_w", "rx_w");
    const cJSON *profile = cJSON_GetArrayItem(child(platform, "profiles"), 0);
    CHECK_KINDS(profile, cJSON_IsString, "name", "kind", "source", "confidence");
    const cJSON *workload = cJSON_GetArrayItem(child(header, "workloads"), 0);
    CHECK_KINDS(workload, cJSON_IsNumber, "input_bytes_per_element", "activation_bytes_per_element",
                "weight_bytes_per_element", "requests", "requests_per_job", "batch");
    ck_assert(cJSON_IsNull(child(workload, "deadline_s"))); /* infinity: none */
    ck_assert_str_eq(child(child(workload, "graph"), "hash_fnv1a64")->valuestring,
                     "000000000000feed");
}
END_TEST

START_TEST(workloads_tell_their_plans)
{
    print_and_parse();
    const cJSON *run = cJSON_GetArrayItem(child(json, "runs"), 0);
    const cJSON *workload = cJSON_GetArrayItem(child(run, "workloads"), 0);
    CHECK_KINDS(workload, cJSON_IsNumber, "requests", "completed", "dynamic_energy_j");
    const cJSON *plans = child(workload, "plans");
    ck_assert_int_eq(cJSON_GetArraySize(plans), 2);
    const cJSON *wide = cJSON_GetArrayItem(plans, 0);
    ck_assert_int_eq(child(wide, "completed")->valueint, 1);
    ck_assert_double_eq(child(wide, "predicted_latency_s")->valuedouble, 4);
    ck_assert(cJSON_IsNull(child(wide, "predicted_energy_j")));
    ck_assert_str_eq(cJSON_GetArrayItem(child(wide, "exits"), 0)->valuestring, "full");
    const cJSON *note = cJSON_GetArrayItem(child(wide, "notes"), 0);
    ck_assert_str_eq(child(note, "value")->valuestring, "conv1 | conv2");
}
END_TEST

START_TEST(unknown_energy_is_null)
{
    static const struct fixture_device devices[] = {{"pi", NULL, 0, 2, 6, 1, 1, false},
                                                    {"nano", NULL, 0, 0, 0, 0, 0, true},
                                                    {"spare", NULL, 0, 1, 4, 1, 1, false}};
    ew_platform_free(fix.platform);
    fix.platform = fixture_platform(devices, 3);
    fix.run.platform = fix.context.platform = fix.platform;
    print_and_parse();
    const cJSON *run = cJSON_GetArrayItem(child(json, "runs"), 0);
    ck_assert(cJSON_IsFalse(child(run, "has_energy")));
    CHECK_KINDS(child(run, "energy_j"), cJSON_IsNull, "total", "dynamic", "per_request");
    const cJSON *run_devices = child(run, "devices");
    ck_assert(cJSON_IsNull(child(cJSON_GetArrayItem(run_devices, 1), "energy_j")));
    ck_assert(cJSON_IsNumber(child(cJSON_GetArrayItem(run_devices, 0), "energy_j")));
    ck_assert(cJSON_IsNumber(child(child(run, "latency_s"), "mean")));
}
END_TEST

START_TEST(wall_clock_fields_are_named)
{
    print_and_parse();
    const cJSON *fields = child(child(json, "header"), "wall_clock_fields");
    const cJSON *run = cJSON_GetArrayItem(child(json, "runs"), 0);
    ck_assert_int_gt(cJSON_GetArraySize(fields), 0);
    const cJSON *field;
    cJSON_ArrayForEach(field, fields)
    {
        (void)child(run, field->valuestring);
    }
}
END_TEST

static void check_documented(const cJSON *item, const char *docs)
{
    for (const cJSON *c = item->child; c; c = c->next) {
        if (c->string) {
            char wanted[80];
            (void)snprintf(wanted, sizeof wanted, "`%s`", c->string);
            ck_assert_msg(strstr(docs, wanted) != NULL, "key %s is not documented", wanted);
        }
        check_documented(c, docs);
    }
}

START_TEST(every_key_is_documented)
{
    char *docs;
    size_t size;
    struct ew_error err = {0};
    ck_assert_msg(ew_file_read(&docs, &size, EW_SOURCE_DIR "/docs/outputs.md", 1 << 20, &err) ==
                      EW_OK,
                  "%s", err.message);
    print_and_parse();
    check_documented(child(json, "header"), docs);
    check_documented(child(json, "runs"), docs);
    free(docs);
}
END_TEST

START_TEST(hash_is_fnv1a)
{
    /* Published test vectors of the 64-bit FNV-1a. */
    ck_assert_uint_eq(ew_hash_bytes(EW_HASH_BEGIN, "", 0), UINT64_C(0xcbf29ce484222325));
    ck_assert_uint_eq(ew_hash_bytes(EW_HASH_BEGIN, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
    ck_assert_uint_eq(ew_hash_bytes(EW_HASH_BEGIN, "foobar", 6), UINT64_C(0x85944171f73967e8));
    const uint64_t half = ew_hash_bytes(EW_HASH_BEGIN, "foo", 3);
    ck_assert_uint_eq(ew_hash_bytes(half, "bar", 3), UINT64_C(0x85944171f73967e8));
}
END_TEST

START_TEST(missing_input_is_an_error_that_names_it)
{
    struct ew_report_input input;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_report_input_read(&input, "graph", "no/such/file.json", &err), EW_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.message, "no/such/file.json"));
}
END_TEST

static Suite *report_suite(void)
{
    Suite *suite = begin_suite("report");
    TCase *keys = tcase_create("json");
    tcase_add_checked_fixture(keys, set_up, tear_down);
    tcase_add_test(keys, run_has_every_promised_key);
    tcase_add_test(keys, error_run_has_its_reason_and_no_figures);
    tcase_add_test(keys, header_states_all_constants);
    tcase_add_test(keys, workloads_tell_their_plans);
    tcase_add_test(keys, unknown_energy_is_null);
    tcase_add_test(keys, wall_clock_fields_are_named);
    tcase_add_test(keys, every_key_is_documented);
    suite_add_tcase(suite, keys);
    TCase *inputs = tcase_create("inputs");
    tcase_add_test(inputs, hash_is_fnv1a);
    tcase_add_test(inputs, missing_input_is_an_error_that_names_it);
    suite_add_tcase(suite, inputs);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(report_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
