/* EdgeLD's OCBP: start, moves, the three ways to stop, and leaving devices out. */
#include <check.h>
#include <math.h>
#include <stdint.h>

#include "edgeld/edgeld_ocbp.h"
#include "support/suite.h"

enum { MAX = 6 };

/* Worker i: link_s for any tile, then line_s per line. */
struct workers {
    double link_s[MAX];
    double line_s[MAX];
};

static double part_s(void *ctx, uint32_t worker, int32_t lo, int32_t hi)
{
    const struct workers *w = ctx;
    return w->link_s[worker] + w->line_s[worker] * (hi - lo);
}

static struct edgeld_problem problem_of(struct workers *w, uint32_t n, int32_t total,
                                        double tolerance_s)
{
    return (struct edgeld_problem){part_s, w, n, total, tolerance_s};
}

START_TEST(start_follows_capability)
{
    struct workers w = {{0, 0}, {1, 3}};
    struct edgeld_problem problem = problem_of(&w, 2, 40, 1e9);
    int32_t lines[2];
    struct edgeld_result result = edgeld_ocbp(lines, &problem, (double[]){3, 1});
    ck_assert_int_eq(lines[0], 30);
    ck_assert_int_eq(lines[1], 10);
    ck_assert_int_eq(result.stop, EDGELD_BALANCED);
}
END_TEST

START_TEST(lines_leave_the_device_behind_a_slow_link)
{
    /* Equal devices, the second 10 s away: x = 10 + (30 - x), so 20 and 10 lines, 20 s each. */
    struct workers w = {{0, 10}, {1, 1}};
    struct edgeld_problem problem = problem_of(&w, 2, 30, 0.5);
    int32_t lines[2];
    struct edgeld_result result = edgeld_ocbp(lines, &problem, (double[]){1, 1});
    ck_assert_int_eq(lines[0], 20);
    ck_assert_int_eq(lines[1], 10);
    ck_assert_int_eq(result.stop, EDGELD_BALANCED);
    ck_assert_double_eq_tol(result.slowest_s, 20, 1e-12);
}
END_TEST

START_TEST(balancing_stops_when_the_gap_no_longer_shrinks)
{
    /* 2 s per line: gaps come in steps of 4 s, 1 s apart at best (3 + 2 * 5 = 13, 12). */
    struct workers w = {{3, 0}, {2, 2}};
    struct edgeld_problem problem = problem_of(&w, 2, 11, 0);
    int32_t lines[2];
    struct edgeld_result result = edgeld_ocbp(lines, &problem, (double[]){1, 1});
    ck_assert_int_eq(result.stop, EDGELD_NO_BETTER);
    ck_assert_int_eq(lines[0], 5);
    ck_assert_int_eq(lines[1], 6);
}
END_TEST

START_TEST(last_line_stays)
{
    struct workers w = {{0, 100}, {1, 1}};
    struct edgeld_problem problem = problem_of(&w, 2, 10, 0);
    int32_t lines[2];
    struct edgeld_result result = edgeld_ocbp(lines, &problem, (double[]){1, 1});
    ck_assert_int_eq(result.stop, EDGELD_AT_ONE);
    ck_assert_uint_eq(result.slowest, 1);
    ck_assert_int_eq(lines[1], 1);
}
END_TEST

START_TEST(several_equally_slow_devices_all_give)
{
    /* Leader at hand, three alike followers 12 s away, 1 s per line, 40 lines: 22 + 3 * 6 gives
     * 22 and 18; one line more from each follower costs the leader 3: the gap is least at 19, 7, 7,
     * 7 (19 and 19). */
    struct workers w = {{0, 12, 12, 12}, {1, 1, 1, 1}};
    struct edgeld_problem problem = problem_of(&w, 4, 40, 0.5);
    int32_t lines[4];
    struct edgeld_result result = edgeld_ocbp(lines, &problem, (double[]){1, 1, 1, 1});
    ck_assert_int_eq(result.stop, EDGELD_BALANCED);
    ck_assert_int_eq(lines[0], 19);
    for (int i = 1; i < 4; i++) {
        ck_assert_int_eq(lines[i], 7);
    }
}
END_TEST

START_TEST(device_without_a_starting_share_stays_out)
{
    struct workers w = {{0, 0, 0}, {1, 1, 1}};
    struct edgeld_problem problem = problem_of(&w, 3, 10, 0.5);
    int32_t lines[3];
    edgeld_ocbp(lines, &problem, (double[]){1, 1e-9, 1});
    ck_assert_int_eq(lines[1], 0);
    ck_assert_int_eq(lines[0], 5);
}
END_TEST

START_TEST(hopeless_devices_are_left_out)
{
    /* Followers that are 100 s away keep a line each; alone the leader needs 10 s. */
    struct workers w = {{0, 100, 100}, {1, 1, 1}};
    struct edgeld_problem problem = problem_of(&w, 3, 10, 0);
    int32_t lines[3], trial[3];
    double weights[] = {1, 1, 1};
    ck_assert_double_eq_tol(edgeld_share(lines, trial, &problem, weights), 10, 1e-12);
    ck_assert_int_eq(lines[0], 10);
    ck_assert_int_eq(lines[1], 0);
    ck_assert_int_eq(lines[2], 0);
}
END_TEST

START_TEST(lines_are_kept_and_never_slower_than_the_start)
{
    uint64_t state = 9;
    for (int trial_no = 0; trial_no < 500; trial_no++) {
        struct workers w;
        double weights[MAX], start_weights[MAX];
        for (int i = 0; i < MAX; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            w.line_s[i] = 1e-3 * (double)(1 + (state >> 33) % 1000);
            w.link_s[i] = 1e-3 * (double)((state >> 50) % 9000);
            weights[i] = start_weights[i] = 1.0 / w.line_s[i];
        }
        struct edgeld_problem problem = problem_of(&w, MAX, 5 + trial_no % 90, 0.01);
        struct edgeld_problem lax = problem;
        int32_t lines[MAX], trial[MAX];
        lax.tolerance_s = INFINITY;
        double start_s = edgeld_ocbp(lines, &lax, start_weights).slowest_s;
        double end_s = edgeld_share(lines, trial, &problem, weights);
        int32_t sum = 0, lo = 0;
        double slowest_s = 0.0;
        for (uint32_t i = 0; i < MAX; i++) {
            ck_assert_int_ge(lines[i], 0);
            slowest_s = lines[i] ? fmax(slowest_s, part_s(&w, i, lo, lo + lines[i])) : slowest_s;
            sum += lines[i];
            lo += lines[i];
        }
        ck_assert_int_eq(sum, problem.total);
        ck_assert_double_eq_tol(slowest_s, end_s, 1e-9);
        ck_assert_double_le(end_s, start_s * (1 + 1e-9));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {start_follows_capability,
                                  lines_leave_the_device_behind_a_slow_link,
                                  balancing_stops_when_the_gap_no_longer_shrinks,
                                  last_line_stays,
                                  several_equally_slow_devices_all_give,
                                  device_without_a_starting_share_stays_out,
                                  hopeless_devices_are_left_out,
                                  lines_are_kept_and_never_slower_than_the_start};
    return run_suite("edgeld", tests, sizeof tests / sizeof *tests);
}
