/* AOFL: published regressions, ranking, and the dynamic program against all ways to cut. */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "aofl/aofl_model.h"
#include "support/suite.h"

START_TEST(conv_regression_gives_the_published_numbers)
{
    /* VGG-16 conv1_1: 3 x 224 x 224 elements, 3x3/1 with 64 filters:
     * 0.1049 + 8.736e-7 * 150528 + 4.246e-4 * 576 = 0.1049 + 0.1315013 + 0.2445696 */
    const struct aofl_conv_model *vgg = aofl_conv_model_find("vgg16");
    ck_assert_ptr_nonnull(vgg);
    ck_assert_double_eq_tol(aofl_conv_s(vgg, 150528, 576), 0.4809709, 1e-7);
    /* YOLOv2 conv1: 3 x 608 x 608, 3x3/1, 32 filters: -0.03344 + 0.7158543 + 0.0448992 */
    const struct aofl_conv_model *yolo = aofl_conv_model_find("yolov2");
    ck_assert_double_eq_tol(aofl_conv_s(yolo, 3.0 * 608 * 608, 9 * 32), 0.7273135, 1e-6);
}
END_TEST

START_TEST(pool_regression_gives_the_published_numbers)
{
    /* VGG-16 pool1: 0.0354664 - 2.746e-4 * 224^2 + 1.1031e-3 * 112^2 */
    ck_assert_double_eq_tol(aofl_pool_s(224.0 * 224, 112.0 * 112), 0.0944232, 1e-7);
}
END_TEST

START_TEST(regressions_never_go_below_zero)
{
    ck_assert_double_eq(aofl_conv_s(aofl_conv_model_find("alexnet"), 1, 1), 0.0);
    ck_assert_double_eq(aofl_pool_s(1e6, 1), 0.0);
}
END_TEST

START_TEST(unknown_sets_are_not_found)
{
    ck_assert_ptr_null(aofl_conv_model_find("resnet50"));
}
END_TEST

START_TEST(ranking_goes_by_clock_then_bandwidth_then_number)
{
    struct aofl_rank ranks[] = {
        {0, 1.0, INFINITY}, {1, 2.0, 50.0}, {2, 2.0, 300.0}, {3, 2.0, 50.0}, {4, 3.0, 1.0}};
    const uint32_t expected[] = {4, 2, 1, 3, 0};
    aofl_sort(ranks, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(ranks[i].device, expected[i]);
    }
}
END_TEST

/* ------------------------------------------------------------------ dynamic program */

enum { MAX_LAYERS = 10 };

struct table {
    double s[MAX_LAYERS][MAX_LAYERS];
};

static double look_up(void *ctx, uint32_t first, uint32_t last)
{
    return ((const struct table *)ctx)->s[first][last];
}

/* Least sum over all 2^(n-1) sets of cuts. */
static double best_of_all(const struct table *table, uint32_t n)
{
    double best_s = INFINITY;
    for (uint32_t cuts = 0; cuts < 1u << (n - 1); cuts++) {
        double sum_s = 0.0;
        uint32_t first = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (i + 1 == n || (cuts >> i & 1u)) {
                sum_s += table->s[first][i];
                first = i + 1;
            }
        }
        best_s = sum_s < best_s ? sum_s : best_s;
    }
    return best_s;
}

static double sum_of_answer(const struct table *table, const uint32_t *ends, uint32_t n)
{
    double sum_s = 0.0;
    for (uint32_t first = 0; first < n; first = ends[first] + 1) {
        ck_assert_uint_ge(ends[first], first);
        ck_assert_uint_lt(ends[first], n);
        sum_s += table->s[first][ends[first]];
    }
    return sum_s;
}

START_TEST(dp_finds_the_best_of_all_ways_to_cut)
{
    uint64_t state = 3;
    for (int trial = 0; trial < 300; trial++) {
        struct table table;
        uint32_t ends[MAX_LAYERS];
        double best_s[MAX_LAYERS + 1];
        const uint32_t n = 1 + (uint32_t)trial % MAX_LAYERS;
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t k = i; k < n; k++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                /* one in eight blocks of several layers is impossible */
                table.s[i][k] = k > i && state >> 61 == 0 ? INFINITY : (double)(state >> 40);
            }
        }
        double answer_s = aofl_dp(ends, best_s, n, look_up, &table);
        ck_assert_double_eq_tol(answer_s, best_of_all(&table, n), 1e-6);
        ck_assert_double_eq_tol(answer_s, sum_of_answer(&table, ends, n), 1e-6);
    }
}
END_TEST

START_TEST(dp_keeps_blocks_short_when_it_does_not_matter)
{
    struct table table;
    uint32_t ends[3];
    double best_s[4];
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            table.s[i][k] = k < i ? 0.0 : k - i + 1.0;
        }
    }
    ck_assert_double_eq(aofl_dp(ends, best_s, 3, look_up, &table), 3.0);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(ends[i], i);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {conv_regression_gives_the_published_numbers,
                                  pool_regression_gives_the_published_numbers,
                                  regressions_never_go_below_zero,
                                  unknown_sets_are_not_found,
                                  ranking_goes_by_clock_then_bandwidth_then_number,
                                  dp_finds_the_best_of_all_ways_to_cut,
                                  dp_keeps_blocks_short_when_it_does_not_matter};
    return run_suite("aofl", tests, sizeof tests / sizeof *tests);
}
