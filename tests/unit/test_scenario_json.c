#include <math.h>
#include <string.h>

#include "io/scenario_json.h"
#include "support/suite.h"

static struct ew_error err;

static struct ew_scenario parse(const char *text)
{
    struct ew_scenario s;
    const enum ew_status status =
        ew_scenario_parse_json(&s, text, strlen(text), "dir/s.json", &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    return s;
}

static void refuses(const char *text, const char *message)
{
    struct ew_scenario s;
    ck_assert_int_eq(ew_scenario_parse_json(&s, text, strlen(text), "s.json", &err), EW_EINPUT);
    ck_assert_str_eq(err.message, message);
}

#define S "{\"schema\": \"edgeweave.scenario/1\""

START_TEST(an_empty_scenario_has_the_defaults)
{
    struct ew_scenario s = parse(S "}");
    ck_assert_str_eq(s.engine, "simgrid");
    ck_assert_str_eq(s.net, "ideal");
    ck_assert_uint_eq(s.seed, 1);
    ck_assert_ptr_null(s.platform);
    ck_assert_uint_eq(s.n_workloads, 1);
    ck_assert_ptr_null(s.workloads[0].graph);
    ck_assert_str_eq(s.workloads[0].arrival.text, "closed:1");
    ck_assert(isinf(s.workloads[0].deadline_s));
    ck_assert(isnan(s.workloads[0].input_bytes_per_element));
    ew_scenario_fini(&s);
}
END_TEST

START_TEST(every_key_is_read)
{
    struct ew_scenario s = parse(
        S ", \"description\": \"d\", \"graph\": \"vgg16\", \"platform\": \"coedge\","
          "\"strategy\": [\"a\", \"b.c\"], \"param\": {\"b.c.k\": 3, \"on\": true, \"x\": \"y\"},"
          "\"set\": {\"link.wlan.latency_s\": 0.5}, \"engine\": \"fast\", \"net\": \"tcp\","
          "\"seed\": 7, \"energy_rule\": \"receiver\", \"source\": \"p\", \"sink\": \"q\","
          "\"arrival\": \"poisson:4\", \"requests\": 9, \"requests_per_job\": 2, \"batch\": 4,"
          "\"deadline_s\": 0.25, \"min_accuracy\": 0.5, \"min_throughput_per_s\": 2,"
          "\"input_bytes_per_element\": 1, \"activation_bytes_per_element\": 2}");
    const struct ew_workload_spec *w = &s.workloads[0];
    ck_assert_uint_eq(s.n_strategies, 2);
    ck_assert_str_eq(s.strategies[1], "b.c");
    ck_assert_uint_eq(s.n_params, 3);
    ck_assert_str_eq(s.params[0].strategy, "b.c");
    ck_assert_str_eq(s.params[0].value, "3");
    ck_assert_str_eq(s.params[1].value, "true");
    ck_assert_str_eq(s.params[2].value, "y");
    ck_assert_uint_eq(s.n_overrides, 1);
    ck_assert_double_eq(s.overrides[0].value, 0.5);
    ck_assert_str_eq(s.engine, "fast");
    ck_assert_str_eq(s.net, "tcp");
    ck_assert_str_eq(s.energy_rule, "receiver");
    ck_assert_uint_eq(s.seed, 7);
    ck_assert_str_eq(w->graph, "vgg16");
    ck_assert_str_eq(w->source_device, "p");
    ck_assert_str_eq(w->sink_device, "q");
    ck_assert_double_eq(w->arrival.rate_per_s, 4);
    ck_assert_uint_eq(w->n_requests, 9);
    ck_assert_uint_eq(w->requests_per_job, 2);
    ck_assert_int_eq(w->batch, 4);
    ck_assert_double_eq(w->deadline_s, 0.25);
    ck_assert_double_eq(w->min_accuracy, 0.5);
    ck_assert_double_eq(w->min_throughput_per_s, 2);
    ck_assert_double_eq(w->input_bytes_per_element, 1);
    ck_assert_double_eq(w->activation_bytes_per_element, 2);
    ew_scenario_fini(&s);
}
END_TEST

START_TEST(workloads_begin_with_the_keys_of_the_file)
{
    struct ew_scenario s =
        parse(S ", \"graph\": \"g\", \"requests\": 5, \"workloads\": [{\"name\": \"a\"},"
                "{\"name\": \"b\", \"graph\": \"h\", \"strategy\": \"local\"}]}");
    ck_assert_uint_eq(s.n_workloads, 2);
    ck_assert_str_eq(s.workloads[0].graph, "g");
    ck_assert_ptr_null(s.workloads[0].strategy);
    ck_assert_uint_eq(s.workloads[1].n_requests, 5);
    ck_assert_str_eq(s.workloads[1].graph, "h");
    ck_assert_str_eq(s.workloads[1].strategy, "local");
    ew_scenario_fini(&s);
}
END_TEST

START_TEST(files_lie_beside_the_scenario_and_names_do_not)
{
    struct ew_scenario s = parse(S ", \"graph\": \"g.json\", \"platform\": \"sub/p\","
                                   "\"arrival\": \"trace:t.txt\", \"plan\": \"/abs/p.json\"}");
    ck_assert_str_eq(s.workloads[0].graph, "dir/g.json");
    ck_assert_str_eq(s.platform, "dir/sub/p");
    ck_assert_str_eq(s.workloads[0].arrival.trace_path, "dir/t.txt");
    ck_assert_str_eq(s.workloads[0].arrival.text, "trace:t.txt");
    ck_assert_str_eq(s.workloads[0].plan, "/abs/p.json");
    ew_scenario_fini(&s);
}
END_TEST

START_TEST(messages_name_the_place)
{
    refuses("{}", "s.json: expected a member 'schema', found none");
    refuses(S ", \"requests\": 0}",
            "s.json: /requests: expected an integer in 1..1000000000000, found 0");
    refuses(S ", \"requests\": 1.5}",
            "s.json: /requests: expected an integer in 1..1000000000000, found 1.5");
    refuses(S ", \"strategy\": 3}", "s.json: /strategy: expected an id or a list of ids, found 3");
    refuses(S ", \"strategy\": [\"\"]}",
            "s.json: /strategy/0: expected at most 256 strategy ids, none of them empty");
    refuses(S ", \"param\": {\"k\": [1]}}",
            "s.json: /param/k: expected a text, a number, true or false, found an array");
    refuses(S ", \"set\": {\"link.a.latency_s\": -1}}",
            "s.json: /set/link.a.latency_s: latency_s: expected a number of at least 0 and at most "
            "1e+24, found -1");
    refuses(S ", \"workloads\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}",
            "s.json: /workloads/1: expected a new name, found 'a' a second time");
    refuses(S ", \"workloads\": [{\"graph\": \"a\"}]}",
            "s.json: /workloads/0: expected a member 'name', found none");
    refuses(S ", \"workloads\": [{\"name\": \"a\", \"seed\": 3}]}",
            "s.json: /workloads/0: unknown key 'seed'");
    refuses(S ", \"graph\": \"\"}", "s.json: /graph: expected a text, found an empty one");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_empty_scenario_has_the_defaults,
        every_key_is_read,
        workloads_begin_with_the_keys_of_the_file,
        files_lie_beside_the_scenario_and_names_do_not,
        messages_name_the_place,
    };
    return run_suite("scenario_json", tests, sizeof tests / sizeof *tests);
}
