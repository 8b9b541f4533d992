#include <math.h>

#include "model/scenario.h"
#include "support/suite.h"

static struct ew_error err;

/* ---- arrivals ---- */

static struct ew_arrival_spec arrival(const char *text)
{
    struct ew_arrival_spec spec;
    ck_assert_msg(ew_arrival_spec_parse(&spec, text, &err) == EW_OK, "%s: %s", text, err.message);
    ck_assert_str_eq(spec.text, text);
    return spec;
}

START_TEST(arrivals_are_read_in_every_form)
{
    ck_assert_int_eq(arrival("closed").form, EW_ARRIVE_CLOSED);
    ck_assert_uint_eq(arrival("closed").outstanding, 1);
    ck_assert_uint_eq(arrival("closed:1000000").outstanding, 1000000);
    ck_assert_int_eq(arrival("poisson:2.5").form, EW_ARRIVE_POISSON);
    ck_assert_double_eq(arrival("poisson:2.5").rate_per_s, 2.5);
    ck_assert_int_eq(arrival("periodic:1e-3").form, EW_ARRIVE_PERIODIC);
    ck_assert_double_eq(arrival("periodic:1e-3").rate_per_s, 1e-3);
    ck_assert_int_eq(arrival("trace:a:b.txt").form, EW_ARRIVE_TRACE);
    ck_assert_str_eq(arrival("trace:a:b.txt").trace_path, "a:b.txt");
    ck_assert_double_eq(arrival("closed:3:0.25").think_s, 0.25);
    ck_assert_uint_eq(arrival("closed:3:0.25").outstanding, 3);
    ck_assert_int_eq(arrival("burst:5:0.1").form, EW_ARRIVE_PERIODIC);
    ck_assert_uint_eq(arrival("burst:5:0.1").group_size, 5);
    ck_assert_double_eq(arrival("burst:5:0.1").rate_per_s, 0.1);
    ck_assert_int_eq(arrival("burst:5:0.1:poisson").form, EW_ARRIVE_POISSON);
}
END_TEST

START_TEST(loadgen_scenarios_are_forms_with_a_metric)
{
    const struct ew_arrival_spec single = arrival("single_stream");
    ck_assert_int_eq(single.form, EW_ARRIVE_CLOSED);
    ck_assert_uint_eq(single.outstanding, 1);
    ck_assert_uint_eq(single.group_size, 1);
    ck_assert_int_eq(single.loadgen, EW_LOADGEN_SINGLE_STREAM);
    const struct ew_arrival_spec multi = arrival("multi_stream:3");
    ck_assert_int_eq(multi.form, EW_ARRIVE_CLOSED);
    ck_assert_uint_eq(multi.group_size, 3);
    ck_assert_int_eq(multi.loadgen, EW_LOADGEN_MULTI_STREAM);
    ck_assert_uint_eq(arrival("multi_stream").group_size, EW_SCENARIO_LOADGEN_SAMPLES);
    ck_assert_int_eq(arrival("server:20").form, EW_ARRIVE_POISSON);
    ck_assert_int_eq(arrival("server:20").loadgen, EW_LOADGEN_SERVER);
    ck_assert_int_eq(arrival("offline").loadgen, EW_LOADGEN_OFFLINE);
    ck_assert_uint_eq(arrival("offline").group_size, EW_SCENARIO_MAX_REQUESTS);
}
END_TEST

START_TEST(bad_arrivals_are_refused)
{
    const char *const bad[] = {"",
                               "Closed:1",
                               "closed:",
                               "closed:0",
                               "closed:-1",
                               "closed:1.5",
                               "closed:1000001",
                               "poisson",
                               "poisson:",
                               "poisson:0",
                               "poisson:-2",
                               "poisson:nan",
                               "poisson:inf",
                               "periodic:2x",
                               "trace",
                               "trace:",
                               "closedd:1",
                               "closed:1:",
                               "closed:1:-1",
                               "closed:1:nan",
                               "closed:1:2:3",
                               "burst",
                               "burst:0:1",
                               "burst:2",
                               "burst:2:0",
                               "burst:2:1:exp",
                               "burst:2:1:poisson:1",
                               "multi_stream:0",
                               "multi_stream:1:1",
                               "server",
                               "server:0",
                               "offline:1",
                               "single_stream:1",
                               "poisson:1:1",
                               ":::::",
                               ":"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_arrival_spec spec;
        ck_assert_msg(ew_arrival_spec_parse(&spec, bad[i], &err) == EW_EINPUT, "%s", bad[i]);
    }
}
END_TEST

/* ---- parameters ---- */

START_TEST(a_parameter_may_name_a_strategy_with_dots)
{
    struct ew_arena arena = {0};
    struct ew_scenario_param p;
    ck_assert_int_eq(ew_scenario_param_parse(&p, &arena, "my.lab.greedy.depth=a=b.c", &err), EW_OK);
    ck_assert_str_eq(p.strategy, "my.lab.greedy");
    ck_assert_str_eq(p.name, "depth");
    ck_assert_str_eq(p.value, "a=b.c");
    ck_assert_int_eq(ew_scenario_param_parse(&p, &arena, "depth=", &err), EW_OK);
    ck_assert_ptr_null(p.strategy);
    ck_assert_str_eq(p.value, "");
    ew_arena_fini(&arena);
}
END_TEST

START_TEST(a_parameter_needs_a_name_and_a_value)
{
    struct ew_arena arena = {0};
    const char *const bad[] = {"", "=", "=3", "depth", "coedge.=3", ".depth=3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_scenario_param p;
        ck_assert_msg(ew_scenario_param_parse(&p, &arena, bad[i], &err) == EW_EINPUT, "%s", bad[i]);
    }
    ew_arena_fini(&arena);
}
END_TEST

/* ---- overrides ---- */

START_TEST(an_override_names_a_figure)
{
    struct ew_arena arena = {0};
    struct ew_override o;
    ck_assert_int_eq(ew_override_parse(&o, &arena, "link.ap.5ghz.bandwidth_bytes_per_s", 2, &err),
                     EW_OK);
    ck_assert_int_eq(o.field, EW_OVERRIDE_LINK_BANDWIDTH);
    ck_assert_str_eq(o.name, "ap.5ghz");
    ck_assert_double_eq(o.value, 2);
    ck_assert_int_eq(ew_override_parse(&o, &arena, "device.*.memory_bytes", 0, &err), EW_OK);
    ck_assert_int_eq(o.field, EW_OVERRIDE_DEVICE_MEMORY);
    ck_assert_str_eq(o.name, "*");
    ck_assert(!ew_override_is_link(o.field));
    ew_arena_fini(&arena);
}
END_TEST

static void refuse_override(const char *path, double value)
{
    struct ew_arena arena = {0};
    struct ew_override o;
    ck_assert_msg(ew_override_parse(&o, &arena, path, value, &err) == EW_EINPUT, "%s=%g", path,
                  value);
    ew_arena_fini(&arena);
}

START_TEST(bad_overrides_are_refused)
{
    refuse_override("", 1);
    refuse_override("link", 1);
    refuse_override("link.", 1);
    refuse_override("link..latency_s", 1);
    refuse_override("link.a", 1);
    refuse_override("host.a.latency_s", 1);
    refuse_override("link.a.memory_bytes", 1); /* a device's figure */
    refuse_override("device.a.latency_s", 1);
    refuse_override("link.a.bandwidth_bytes_per_s", 0);
    refuse_override("link.a.bandwidth_bytes_per_s", NAN);
    refuse_override("link.a.bandwidth_bytes_per_s", INFINITY);
    refuse_override("link.a.latency_s", -1e-9);
    refuse_override("device.a.memory_bytes", 1e19); /* beyond 64 bits */
}
END_TEST

/* ---- the whole ---- */

START_TEST(lists_grow_and_keep_their_order)
{
    struct ew_scenario s;
    ck_assert_int_eq(ew_scenario_init(&s, &err), EW_OK);
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g"};
    for (size_t i = 0; i < 7; i++) {
        ck_assert_int_eq(ew_scenario_add_strategy(&s, ids[i], &err), EW_OK);
        const struct ew_override o = {.name = ids[i], .value = (double)i};
        ck_assert_int_eq(ew_scenario_add_override(&s, o, &err), EW_OK);
    }
    for (size_t i = 0; i < 7; i++) {
        ck_assert_str_eq(s.strategies[i], ids[i]);
        ck_assert_double_eq(s.overrides[i].value, (double)i);
    }
    ew_scenario_fini(&s);
}
END_TEST

START_TEST(requests_per_job_must_divide_the_batch)
{
    struct ew_workload_spec w = ew_workload_spec_default();
    ck_assert_int_eq(ew_workload_spec_check(&w, &err), EW_OK);
    w.batch = 6;
    w.requests_per_job = 3;
    ck_assert_int_eq(ew_workload_spec_check(&w, &err), EW_OK);
    w.requests_per_job = 4;
    ck_assert_int_eq(ew_workload_spec_check(&w, &err), EW_EINPUT);
    ck_assert_str_eq(err.message,
                     "requests_per_job: expected a divisor of the batch of 6 images, found 4");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        arrivals_are_read_in_every_form,
        loadgen_scenarios_are_forms_with_a_metric,
        bad_arrivals_are_refused,
        a_parameter_may_name_a_strategy_with_dots,
        a_parameter_needs_a_name_and_a_value,
        an_override_names_a_figure,
        bad_overrides_are_refused,
        lists_grow_and_keep_their_order,
        requests_per_job_must_divide_the_batch,
    };
    return run_suite("scenario", tests, sizeof tests / sizeof *tests);
}
