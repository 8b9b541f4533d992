/*
 * Break-even bandwidths against differences whose zeros are known.
 */
#include <check.h>
#include <math.h>

#include "support/suite.h"
#include "sweep/suppose.h"

static void check_at(const struct ew_crossing *crossing, double bandwidth)
{
    ck_assert_double_le(fabs(crossing->bandwidth_bytes_per_s / bandwidth - 1), 1e-8);
}

/* (b - 2e4)(b - 3e6) / 1e10: below 2e4 the second is better, between them the first. */
static enum ew_status parabola(void *ctx, double b, double *difference, double *tolerance,
                               struct ew_error *err)
{
    (void)ctx;
    (void)err;
    *difference = (b - 2e4) * (b - 3e6) / 1e10;
    *tolerance = 1e-9;
    return EW_OK;
}

START_TEST(break_even_finds_both_zeros)
{
    struct ew_break_even found;
    ck_assert_int_eq(ew_break_even_find(&found, 1e3, 1e9, parabola, NULL, NULL), EW_OK);
    ck_assert_uint_eq(found.n_crossings, 2);
    ck_assert_int_eq(found.first_sign, 1);
    check_at(&found.crossings[0], 2e4);
    check_at(&found.crossings[1], 3e6);
    ck_assert(found.crossings[0].first_wins && !found.crossings[1].first_wins);
    ck_assert(!found.crossings[0].is_jump && !found.crossings[1].is_jump);
}
END_TEST

START_TEST(break_even_keeps_to_its_range)
{
    struct ew_break_even found;
    ck_assert_int_eq(ew_break_even_find(&found, 1e5, 1e6, parabola, NULL, NULL), EW_OK);
    ck_assert_uint_eq(found.n_crossings, 0);
    ck_assert_int_eq(found.first_sign, -1);
}
END_TEST

/* -0.5 s below 7e5 bytes/s, 0.25 s above. */
static enum ew_status step(void *ctx, double b, double *difference, double *tolerance,
                           struct ew_error *err)
{
    (void)ctx;
    (void)err;
    *difference = b < 7e5 ? -0.5 : 0.25;
    *tolerance = 1e-9;
    return EW_OK;
}

START_TEST(break_even_marks_a_jump)
{
    struct ew_break_even found;
    ck_assert_int_eq(ew_break_even_find(&found, 1e3, 1e9, step, NULL, NULL), EW_OK);
    ck_assert_uint_eq(found.n_crossings, 1);
    check_at(&found.crossings[0], 7e5);
    ck_assert(found.crossings[0].is_jump && !found.crossings[0].first_wins);
}
END_TEST

/* Unknown below 1e4, equal up to 1e5, then the second one is better. */
static enum ew_status plateau(void *ctx, double b, double *difference, double *tolerance,
                              struct ew_error *err)
{
    (void)ctx;
    (void)err;
    *difference = b < 1e4 ? NAN : b < 1e5 ? 0 : 1;
    *tolerance = 1e-9;
    return EW_OK;
}

START_TEST(break_even_counts_what_is_equal_or_unknown)
{
    struct ew_break_even found;
    /* 33 samples over 4 decades, 8 per decade: 1e3 .. below 1e4 unknown, 1e4 .. below 1e5 equal */
    ck_assert_int_eq(ew_break_even_find(&found, 1e3, 1.0001e7, plateau, NULL, NULL), EW_OK);
    ck_assert_uint_eq(found.n_crossings, 0);
    ck_assert_uint_eq(found.n_failed, 8);
    ck_assert_uint_eq(found.n_equal, 8);
    ck_assert_int_eq(found.first_sign, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        break_even_finds_both_zeros,
        break_even_keeps_to_its_range,
        break_even_marks_a_jump,
        break_even_counts_what_is_equal_or_unknown,
    };
    return run_suite("suppose", tests, sizeof tests / sizeof *tests);
}
