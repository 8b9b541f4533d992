/*
 * Tables for people: alignment, marks, reasons, wrapping. Texts are compared whole, since layout is
 * what is tested.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/grid.h"
#include "results/table.h"
#include "support/suite.h"
#include "unit/results_fixture.h"

static const struct ew_table_options plain = {.width = 80, .without_wall_clock = true};

/* A result as a table sees it; only what is printed is set. */
static struct ew_result make_result(const char *strategy, double latency_s, double energy_j)
{
    return (struct ew_result){
        .strategy = strategy,
        .plan_time_s = 0.0012,
        .service = {.counts = {.requests = 10, .completed = 10},
                    .latency = {latency_s, latency_s, latency_s, latency_s, latency_s},
                    .throughput_per_s = 1 / latency_s,
                    .deadline_met_ratio = 1,
                    .accuracy = 0.716,
                    .predicted_latency_s = NAN,
                    .is_met = true},
        .has_energy = true,
        .energy_per_request_j = energy_j,
        .dynamic_energy_per_request_j = energy_j / 2,
        .n_devices_used = 1,
    };
}

static void check_runs(uint32_t n, const struct ew_result *results,
                       const struct ew_table_options *options, const char *wanted)
{
    const struct ew_result *pointers[8];
    struct ew_str out = {0};
    for (uint32_t i = 0; i < n; i++) {
        pointers[i] = &results[i];
    }
    ew_table_print_runs(&out, n, pointers, options);
    ck_assert(!out.failed);
    ck_assert_str_eq(ew_str_text(&out), wanted);
    ew_str_fini(&out);
}

START_TEST(runs_are_aligned_and_the_best_marked)
{
    const struct ew_result results[] = {make_result("local", 1.25, 2),
                                        make_result("coedge", 0.5, 3)};
    check_runs(2, results, &plain,
               "strategy  latency      p99  rate/s  energy/req   dynamic/req  accuracy  in time"
               "  devices\n"
               "local      1.25 s   1.25 s     0.8         2 J*          1 J    71.6 %    100 %"
               "        1\n"
               "coedge     500 ms*  500 ms       2         3 J         1.5 J    71.6 %    100 %"
               "        1\n"
               "* best of those that meet the requirements\n");
}
END_TEST

START_TEST(a_single_run_gets_no_mark)
{
    const struct ew_result result = make_result("local", 1, 2);
    const struct ew_table_options with_time = {.width = 80};
    check_runs(1, &result, &with_time,
               "strategy  latency   p99  rate/s  energy/req   dynamic/req  accuracy  in time"
               "  devices  planning\n"
               "local         1 s   1 s       1         2 J           1 J    71.6 %    100 %"
               "        1    1.2 ms\n");
}
END_TEST

START_TEST(only_runs_that_meet_the_requirements_compete)
{
    struct ew_result results[] = {make_result("fast_but_late", 0.1, 1),
                                  make_result("good", 0.5, 3)};
    results[0].service.is_met = false;
    results[0].service.has_model_mismatch = true;
    results[0].service.predicted_latency_s = 0.05;
    results[0].service.counts.late = 4;
    results[0].service.counts.completed = 9;
    results[0].service.counts.dropped = 1;
    results[0].service.deadline_met_ratio = 0.5;
    const struct ew_result *pointers[] = {&results[0], &results[1]};
    struct ew_str out = {0};
    ew_table_print_runs(&out, 2, pointers, &plain);
    ck_assert_ptr_nonnull(strstr(ew_str_text(&out), "fast_but_late   100 ms "));
    ck_assert_ptr_null(strstr(ew_str_text(&out), "*  ")); /* no rival, no mark */
    ck_assert_ptr_nonnull(
        strstr(ew_str_text(&out),
               "\n               requirements not met: 5 of 10 in time, 1 dropped; its own model"
               "\n               calls the plan feasible (50 ms)\n"));
    ew_str_fini(&out);
}
END_TEST

START_TEST(a_strategy_that_cannot_serve_says_why)
{
    struct ew_result results[] = {make_result("local", 1, NAN), {.strategy = "edgent"}};
    results[1].error_status = EW_ENOTSUP;
    results[1].error =
        "no regression for layer res2a_branch1 of resnet50: the published regressions "
        "cover conv, relu, pool, lrn, dropout and fc of AlexNet";
    results[0].service.accuracy = NAN;
    results[0].service.throughput_per_s = NAN;
    check_runs(2, results, &plain,
               "strategy  latency   p99  rate/s  energy/req   dynamic/req  accuracy  in time"
               "  devices\n"
               "local         1 s   1 s       -           -             -         -    100 %"
               "        1\n"
               "edgent    cannot serve: no regression for layer res2a_branch1 of resnet50: the\n"
               "          published regressions cover conv, relu, pool, lrn, dropout and fc of\n"
               "          AlexNet\n");
}
END_TEST

START_TEST(percent_never_rounds_up_to_all)
{
    struct ew_result result = make_result("local", 1, 2);
    result.service.deadline_met_ratio = 0.999999;
    result.service.accuracy = 0.71592;
    const struct ew_result *pointers[] = {&result};
    struct ew_str out = {0};
    ew_table_print_runs(&out, 1, pointers, &plain);
    ck_assert_ptr_nonnull(strstr(ew_str_text(&out), "71.59 %  99.99 %"));
    ew_str_fini(&out);
}
END_TEST

START_TEST(devices_and_workloads_have_tables)
{
    struct fixture fix;
    struct ew_metrics *metrics;
    struct ew_result *result;
    fixture_init(&fix);
    const struct ew_metrics_config config = {.run = &fix.run, .workloads = fix.asked};
    ck_assert_int_eq(ew_metrics_new(&metrics, &config, NULL), EW_OK);
    fixture_serve(ew_metrics_sink(metrics), &fix, 0, 0, 0, 0, 0);
    ck_assert_int_eq(ew_metrics_finish(&result, metrics, &fix.labels, NULL), EW_OK);
    struct ew_str out = {0};
    ew_table_print_devices(&out, result);
    ck_assert_str_eq(ew_str_text(&out),
                     "device  busy   use  sent  received   energy  dynamic  memory  rows\n"
                     "pi       1 s  20 %  1 kB      40 B  15.25 J   5.25 J  1.5 kB  50 %\n"
                     "nano     2 s  40 %  40 B      1 kB   31.5 J   16.5 J  2.8 kB  50 %\n"
                     "spare    0 s   0 %   0 B       0 B      5 J      0 J     0 B   0 %\n");
    out.length = 0;
    ew_table_print_workloads(&out, result);
    ck_assert_str_eq(
        ew_str_text(&out),
        "workload  graph  requests  completed  late  lost  latency  p99  accuracy  dynamic\n"
        "camera      net         1          1     0     0      5 s  5 s      80 %  21.75 J\n");
    ew_str_fini(&out);
    ew_result_free(result);
    ew_metrics_free(metrics);
    fixture_fini(&fix);
}
END_TEST

START_TEST(grid_counts_characters_and_not_bytes)
{
    struct ew_grid grid = {.n_columns = 2};
    struct ew_grid_row *row = ew_grid_add(&grid);
    row->cells[0] = "caf\xc3\xa9";
    row->cells[1] = "1";
    row = ew_grid_add(&grid);
    row->cells[0] = "cafe";
    row->cells[1] = ew_grid_format(&grid, "%d", 22);
    struct ew_str out = {0};
    ew_grid_print(&out, &grid, 80);
    ck_assert_str_eq(ew_str_text(&out), "caf\xc3\xa9   1\ncafe  22\n");
    ew_str_fini(&out);
    ew_grid_fini(&grid);
}
END_TEST

START_TEST(grid_lets_long_words_stand_out)
{
    struct ew_grid grid = {.n_columns = 2};
    struct ew_grid_row *row = ew_grid_add(&grid);
    row->cells[0] = "x";
    row->text = "a very_long_word_that_does_not_fit b\nc";
    struct ew_str out = {0};
    ew_grid_print(&out, &grid, 12);
    ck_assert_str_eq(ew_str_text(&out), "x  a\n   very_long_word_that_does_not_fit\n   b c\n");
    ew_str_fini(&out);
    ew_grid_fini(&grid);
}
END_TEST

static Suite *table_suite(void)
{
    Suite *suite = begin_suite("table");
    TCase *runs = tcase_create("runs");
    tcase_add_test(runs, runs_are_aligned_and_the_best_marked);
    tcase_add_test(runs, a_single_run_gets_no_mark);
    tcase_add_test(runs, only_runs_that_meet_the_requirements_compete);
    tcase_add_test(runs, a_strategy_that_cannot_serve_says_why);
    tcase_add_test(runs, percent_never_rounds_up_to_all);
    suite_add_tcase(suite, runs);
    TCase *others = tcase_create("others");
    tcase_add_test(others, devices_and_workloads_have_tables);
    tcase_add_test(others, grid_counts_characters_and_not_bytes);
    tcase_add_test(others, grid_lets_long_words_stand_out);
    suite_add_tcase(suite, others);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(table_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
