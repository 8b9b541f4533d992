/*
 * Who is lost when workers complain of each other: the one at the root, once it has had its say.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/exec/blame.h"
#include "model/platform.h"
#include "support/suite.h"

enum { N = 6 };

static struct blame blames[N];

static void setup(void)
{
    blame_clear(N, blames);
}

/* With a grace of one second: is a complaint judged at `now_s`, and is it this one? */
static void check_due(double now_s, uint32_t by, uint32_t of)
{
    uint32_t found_by = EW_NONE, found_of = EW_NONE;
    ck_assert_int_eq(blame_is_due(N, blames, now_s, 1, &found_by, &found_of), by != EW_NONE);
    ck_assert_uint_eq(found_by, by);
    ck_assert_uint_eq(found_of, of);
}

START_TEST(nobody_is_judged_without_a_complaint)
{
    check_due(100, EW_NONE, EW_NONE);
}
END_TEST

START_TEST(the_accused_has_its_grace)
{
    blame_note(N, blames, 0, 2, 10);
    check_due(10.9, EW_NONE, EW_NONE);
    check_due(11, 0, 2);
}
END_TEST

START_TEST(an_answer_without_a_cause_is_enough)
{
    blame_note(N, blames, 0, 2, 10);
    blames[2].has_answered = true;
    check_due(10, 0, 2);
}
END_TEST

START_TEST(the_first_complaint_of_a_worker_counts)
{
    blame_note(N, blames, 0, 2, 10);
    blame_note(N, blames, 0, 3, 10.5);
    blame_note(N, blames, 1, 1, 10.5); /* of itself: no complaint */
    blame_note(N, blames, 1, N, 10.5);
    check_due(20, 0, 2);
    ck_assert_uint_eq(blames[1].of, EW_NONE);
}
END_TEST

/* 0 complains of 1 and 3 of 1, since 1 has ended its part because of 2. */
START_TEST(the_root_of_a_chain_is_judged)
{
    blame_note(N, blames, 0, 1, 10); /* arrives before what explains it */
    blame_note(N, blames, 1, 2, 10.5);
    blame_note(N, blames, 3, 1, 10.6);
    check_due(11.4, EW_NONE, EW_NONE);
    check_due(11.5, 1, 2);
    ck_assert_uint_eq(blame_root(N, blames, 0), 2);
    ck_assert_uint_eq(blame_root(N, blames, 3), 2);
    ck_assert_uint_eq(blame_root(N, blames, 2), 2);
}
END_TEST

START_TEST(of_two_that_complain_of_each_other_the_first_is_believed)
{
    blame_note(N, blames, 4, 3, 10);
    blame_note(N, blames, 3, 4, 10.1);
    check_due(10.1, 4, 3);
    ck_assert_uint_eq(blame_root(N, blames, 4), EW_NONE);
}
END_TEST

/* 5 and 0 hang on a circle of 1, 2 and 3; theirs are the first complaints, but consequences. */
START_TEST(a_circle_is_judged_within)
{
    blame_note(N, blames, 5, 2, 9);
    blame_note(N, blames, 0, 5, 9.5);
    blame_note(N, blames, 2, 3, 10);
    blame_note(N, blames, 3, 1, 10.1);
    check_due(10.2, EW_NONE, EW_NONE);
    blame_note(N, blames, 1, 2, 10.2);
    check_due(10.2, 2, 3);
}
END_TEST

/* However complaints fall, somebody is judged once all graces are over. */
START_TEST(there_is_always_a_verdict)
{
    for (uint32_t code = 1; code < 7 * 7 * 7 * 7 * 7 * 7; code++) {
        uint32_t left = code, n = 0;
        blame_clear(N, blames);
        for (uint32_t d = 0; d < N; d++, left /= 7) {
            blame_note(N, blames, d, left % 7 - 1, 0); /* 0: of nobody */
            n += blames[d].of != EW_NONE;
        }
        uint32_t by = EW_NONE, of = EW_NONE;
        ck_assert_int_eq(blame_is_due(N, blames, 1, 1, &by, &of), n > 0);
        if (n) { /* of the accused one has said nothing, or they go round in a circle */
            ck_assert_uint_eq(blames[by].of, of);
            ck_assert(blames[of].of == EW_NONE || blame_root(N, blames, of) == EW_NONE);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("blame");
    TCase *tcase = tcase_create("judging");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, nobody_is_judged_without_a_complaint);
    tcase_add_test(tcase, the_accused_has_its_grace);
    tcase_add_test(tcase, an_answer_without_a_cause_is_enough);
    tcase_add_test(tcase, the_first_complaint_of_a_worker_counts);
    tcase_add_test(tcase, the_root_of_a_chain_is_judged);
    tcase_add_test(tcase, of_two_that_complain_of_each_other_the_first_is_believed);
    tcase_add_test(tcase, a_circle_is_judged_within);
    tcase_add_test(tcase, there_is_always_a_verdict);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
