/*
 * Gaps of results to the bound and to the best of a report.
 */
#include <check.h>
#include <math.h>
#include <string.h>

#include "results/gap.h"
#include "support/suite.h"

static const struct ew_report_bound BOUND = {
    .latency_s = 0.2, .work_s = 0.1, .period_s = 0.1, .energy_j = 4, .dynamic_energy_j = NAN};

static struct ew_result run_of(const char *strategy, double latency_s, double energy_j)
{
    return (struct ew_result){
        .strategy = strategy,
        .service = {.counts = {.requests = 1, .completed = 1}, .latency = {.mean_s = latency_s}},
        .energy_per_request_j = energy_j,
        .dynamic_energy_per_request_j = energy_j / 2,
    };
}

static struct ew_result slow, fast, broken;
static const struct ew_result *const RUNS[] = {&slow, &fast, &broken};
static struct ew_report report;

static void set_up(void)
{
    slow = run_of("slow", 0.5, 5);
    fast = run_of("fast", 0.25, 8);
    broken = run_of("broken", NAN, NAN);
    broken.error = "cannot";
    report = (struct ew_report){.bound = &BOUND, .n_runs = 3, .runs = RUNS};
}

START_TEST(gaps_are_shares_above_the_reference)
{
    set_up();
    /* 0.5 / 0.2 - 1, 5 / 4 - 1; 0.5 / 0.25 - 1, 5 / 5 - 1 */
    ck_assert_double_eq_tol(ew_gap_to_bound(&report, &slow).latency_ratio, 1.5, 1e-12);
    ck_assert_double_eq_tol(ew_gap_to_bound(&report, &slow).energy_ratio, 0.25, 1e-12);
    ck_assert_double_eq_tol(ew_gap_to_best(&report, &slow).latency_ratio, 1, 1e-12);
    ck_assert_double_eq(ew_gap_to_best(&report, &slow).energy_ratio, 0);
    ck_assert_double_eq(ew_gap_to_best(&report, &fast).latency_ratio, 0);
    ck_assert_double_eq_tol(ew_gap_to_best(&report, &fast).dynamic_energy_ratio, 0.6, 1e-12);
}
END_TEST

START_TEST(what_is_not_known_has_no_gap)
{
    set_up();
    ck_assert(isnan(ew_gap_to_bound(&report, &slow).dynamic_energy_ratio));
    ck_assert(isnan(ew_gap_to_bound(&report, &broken).latency_ratio));
    ck_assert(isnan(ew_gap_to_best(&report, &broken).latency_ratio));
    report.bound = NULL;
    ck_assert(isnan(ew_gap_to_bound(&report, &slow).latency_ratio));
    ck_assert_double_eq_tol(ew_gap_to_best(&report, &slow).latency_ratio, 1, 1e-12);
}
END_TEST

START_TEST(line_names_the_fastest_and_its_gap)
{
    set_up();
    struct ew_str line = {0};
    ew_gap_print_line(&line, &report);
    ck_assert_str_eq(ew_str_text(&line), "lower bound on latency: 200 ms (docs/bounds.md); best "
                                         "found: fast 250 ms, 25.0 % above it\n");
    ew_str_fini(&line);
    report.bound = NULL;
    line = (struct ew_str){0};
    ew_gap_print_line(&line, &report);
    ck_assert_uint_eq(line.length, 0);
    ew_str_fini(&line);
}
END_TEST

START_TEST(table_has_a_row_per_run_and_empty_cells)
{
    set_up();
    struct ew_str csv = {0};
    ew_gap_print_csv(&csv, &report);
    ck_assert_ptr_nonnull(strstr(ew_str_text(&csv), "\n0,slow,0.5,0.2"));
    ck_assert_ptr_nonnull(strstr(ew_str_text(&csv), "\n2,broken,,0.2"));
    size_t n_columns[4] = {1, 1, 1, 1}, row = 0;
    for (const char *c = ew_str_text(&csv); *c && row < 4; c++) {
        n_columns[row] += *c == ',';
        row += *c == '\n';
    }
    ck_assert_uint_eq(row, 4);
    for (int i = 1; i < 4; i++) {
        ck_assert_uint_eq(n_columns[i], n_columns[0]);
    }
    ew_str_fini(&csv);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {gaps_are_shares_above_the_reference, what_is_not_known_has_no_gap,
                                  line_names_the_fastest_and_its_gap,
                                  table_has_a_row_per_run_and_empty_cells};
    return run_suite("gap", tests, sizeof tests / sizeof *tests);
}
