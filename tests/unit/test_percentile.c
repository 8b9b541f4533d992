/*
 * Nearest-rank percentiles: the rank rule, and selection against sorting.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "results/percentile.h"
#include "support/suite.h"

enum { MAX_VALUES = 5000 };

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Every rank that matters, against sorting. */
static void check_against_sort(const double *values, size_t n)
{
    double sorted[MAX_VALUES], work[MAX_VALUES];
    memcpy(sorted, values, n * sizeof *values);
    qsort(sorted, n, sizeof *sorted, compare);
    const size_t step = n > 50 ? n / 50 : 1;
    for (size_t k = 1; k <= n; k += step) {
        memcpy(work, values, n * sizeof *values);
        ck_assert_double_eq(ew_select_rank(work, n, k), sorted[k - 1]);
        for (size_t i = 0; i < n; i++) {
            if (i < k ? work[i] > sorted[k - 1]
                      : work[i] < sorted[k - 1]) { /* cheaper than ck_assert */
                ck_abort_msg("rank %zu of %zu: value %zu is on the wrong side", k, n, i);
            }
        }
    }
}

START_TEST(rank_is_ceil_of_share)
{
    /* ceil(p/1000 * n): p50 of 10 is the 5th, p90 the 9th, p99 the 10th (9.9 rounded up). */
    ck_assert_uint_eq(ew_percentile_rank(10, 500), 5);
    ck_assert_uint_eq(ew_percentile_rank(10, 900), 9);
    ck_assert_uint_eq(ew_percentile_rank(10, 990), 10);
    ck_assert_uint_eq(ew_percentile_rank(100, 990), 99);
    ck_assert_uint_eq(ew_percentile_rank(101, 990), 100);
    ck_assert_uint_eq(ew_percentile_rank(1, 500), 1);
    ck_assert_uint_eq(ew_percentile_rank(1, 0), 1);
    ck_assert_uint_eq(ew_percentile_rank(7, 1000), 7);
    ck_assert_uint_eq(ew_percentile_rank(0, 500), 0);
}
END_TEST

START_TEST(rank_does_not_suffer_from_rounding)
{
    /* 0.07 * 100 is 7.000000000000001 in doubles; its ceil would be 8. */
    ck_assert_uint_eq(ew_percentile_rank(100, 70), 7);
    ck_assert_uint_eq(ew_percentile_rank(SIZE_MAX, 1000), SIZE_MAX);
}
END_TEST

START_TEST(percentile_of_nothing_is_nan)
{
    ck_assert_double_nan(ew_percentile(NULL, 0, 500));
}
END_TEST

START_TEST(percentile_is_one_of_the_values)
{
    double values[] = {4, 1, 3, 2};
    ck_assert_double_eq(ew_percentile(values, 4, 500), 2); /* no interpolation to 2.5 */
    ck_assert_double_eq(ew_percentile(values, 4, 1000), 4);
}
END_TEST

START_TEST(select_agrees_with_sort_on_random_values)
{
    struct ew_rng rng = ew_rng_make(7, "test_percentile");
    double values[MAX_VALUES];
    for (int round = 0; round < 20; round++) {
        const size_t n = 1 + (size_t)ew_rng_below(&rng, MAX_VALUES);
        const uint64_t n_distinct = round % 2 ? UINT64_MAX : 1 + ew_rng_below(&rng, 5);
        for (size_t i = 0; i < n; i++) {
            values[i] = (double)ew_rng_below(&rng, n_distinct);
        }
        check_against_sort(values, n);
    }
}
END_TEST

START_TEST(select_agrees_with_sort_on_ordered_and_equal_values)
{
    double values[MAX_VALUES];
    for (size_t i = 0; i < MAX_VALUES; i++) {
        values[i] = (double)i;
    }
    check_against_sort(values, MAX_VALUES);
    for (size_t i = 0; i < MAX_VALUES; i++) {
        values[i] = (double)(MAX_VALUES - i);
    }
    check_against_sort(values, MAX_VALUES);
    for (size_t i = 0; i < MAX_VALUES; i++) {
        values[i] = (double)(i < MAX_VALUES / 2 ? i : MAX_VALUES - i); /* organ pipe */
    }
    check_against_sort(values, MAX_VALUES);
    for (size_t i = 0; i < MAX_VALUES; i++) {
        values[i] = 1.5;
    }
    check_against_sort(values, MAX_VALUES);
}
END_TEST

static Suite *percentile_suite(void)
{
    Suite *suite = begin_suite("percentile");
    TCase *rank = tcase_create("rank");
    tcase_add_test(rank, rank_is_ceil_of_share);
    tcase_add_test(rank, rank_does_not_suffer_from_rounding);
    suite_add_tcase(suite, rank);
    TCase *select = tcase_create("select");
    tcase_add_test(select, percentile_of_nothing_is_nan);
    tcase_add_test(select, percentile_is_one_of_the_values);
    tcase_add_test(select, select_agrees_with_sort_on_random_values);
    tcase_add_test(select, select_agrees_with_sort_on_ordered_and_equal_values);
    suite_add_tcase(suite, select);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(percentile_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
