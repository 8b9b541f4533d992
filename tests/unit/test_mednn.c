/* MeDNN's balancing of lines against all ways to share them out. */
#include <check.h>
#include <math.h>
#include <stdint.h>

#include "mednn/mednn_balance.h"
#include "support/suite.h"

enum { N = 4 };

/* Worker i: base + lines * line_s seconds. */
struct workers {
    double base_s[N];
    double line_s[N];
};

static double time_s(void *ctx, uint32_t worker, int32_t lines)
{
    const struct workers *w = ctx;
    return lines > 0 ? w->base_s[worker] + w->line_s[worker] * lines : 0.0;
}

static double slowest(const struct workers *w, const int32_t *lines)
{
    double most_s = 0.0;
    for (uint32_t i = 0; i < N; i++) {
        most_s = fmax(most_s, time_s((void *)(uintptr_t)w, i, lines[i]));
    }
    return most_s;
}

START_TEST(lines_move_from_the_slowest_to_the_fastest)
{
    /* 1, 1, 1, 3 seconds per line, 10 lines each: 10, 10, 10, 30 s. Optimum 12 s: 12, 12, 12, 4 */
    struct workers w = {{0, 0, 0, 0}, {1, 1, 1, 3}};
    int32_t lines[N] = {10, 10, 10, 10};
    ck_assert_uint_eq(mednn_balance(lines, N, time_s, &w), 6);
    ck_assert_int_eq(lines[0], 12);
    ck_assert_int_eq(lines[1], 12);
    ck_assert_int_eq(lines[2], 12);
    ck_assert_int_eq(lines[3], 4);
}
END_TEST

START_TEST(balanced_lines_stay)
{
    struct workers w = {{1, 1, 1, 1}, {2, 2, 2, 2}};
    int32_t lines[N] = {3, 3, 3, 2};
    ck_assert_uint_eq(mednn_balance(lines, N, time_s, &w), 0);
    ck_assert_int_eq(lines[3], 2);
}
END_TEST

START_TEST(several_equally_slow_workers_all_give)
{
    struct workers w = {{0, 0, 0, 0}, {1, 1, 1, 1}};
    int32_t lines[N] = {4, 4, 0, 0};
    ck_assert_uint_eq(mednn_balance(lines, N, time_s, &w), 4);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(lines[i], 2);
    }
}
END_TEST

START_TEST(hopeless_worker_gives_everything_and_gets_nothing)
{
    struct workers w = {{0, 0, 0, 1e6}, {1, 1, 1, 1}};
    int32_t lines[N] = {5, 5, 5, 1};
    mednn_balance(lines, N, time_s, &w);
    ck_assert_int_eq(lines[3], 0);
    ck_assert_int_eq(lines[0] + lines[1] + lines[2], 16);
}
END_TEST

static double best_of_all(const struct workers *w, int32_t *lines, uint32_t worker, int32_t rest)
{
    if (worker + 1 == N) {
        lines[worker] = rest;
        return slowest(w, lines);
    }
    double best_s = INFINITY;
    for (lines[worker] = 0; lines[worker] <= rest; lines[worker]++) {
        int32_t own = lines[worker];
        best_s = fmin(best_s, best_of_all(w, lines, worker + 1, rest - own));
        lines[worker] = own;
    }
    return best_s;
}

START_TEST(balancing_reaches_the_least_slowest_time)
{
    uint64_t state = 5;
    for (int trial = 0; trial < 300; trial++) {
        struct workers w;
        int32_t lines[N], all[N];
        int32_t total = 0;
        for (int i = 0; i < N; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            w.line_s[i] = 1e-3 * (double)(1 + (state >> 33) % 1000);
            w.base_s[i] = 1e-3 * (double)((state >> 50) % 2000);
            lines[i] = (int32_t)(state >> 60) % 5;
            total += lines[i];
        }
        mednn_balance(lines, N, time_s, &w);
        ck_assert_int_eq(lines[0] + lines[1] + lines[2] + lines[3], total);
        ck_assert_double_eq_tol(slowest(&w, lines), best_of_all(&w, all, 0, total), 1e-12);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {lines_move_from_the_slowest_to_the_fastest, balanced_lines_stay,
                                  several_equally_slow_workers_all_give,
                                  hopeless_worker_gives_everything_and_gets_nothing,
                                  balancing_reaches_the_least_slowest_time};
    return run_suite("mednn", tests, sizeof tests / sizeof *tests);
}
