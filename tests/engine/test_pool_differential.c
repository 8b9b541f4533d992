/* Plans with pools: the two engines against each other, with and without a changing world, and what
 * holds of every run: every request that came has one end, energies add up, reruns are the same to
 * the byte. A failing seed is printed. EW_FULL=1 in the environment runs more, but compares the
 * same: one scenario in 500 or so has two flows that end so close to each other that SimGrid takes
 * them for one, and who is idle first then decides who takes what. */
#include <check.h>
#include <stdlib.h>

#include "support/differential.h"
#include "support/random_pools.h"
#include "support/suite.h"

enum { TIMEOUT_S = 600 };

static uint64_t compared_count(void)
{
    return test_count(300, 300, 60);
}

START_TEST(engines_agree_on_who_takes_what)
{
    uint64_t n_units = 0, n_events = 0;
    for (uint64_t seed = 0; seed < compared_count(); seed++) {
        struct random_scenario *scenario = random_pool_scenario_new(seed);
        struct collect fast = {0}, simgrid = {0};
        run_checked(&fast, &ew_engine_fast, seed, &scenario->run);
        run_checked(&simgrid, &ew_engine_simgrid, seed, &scenario->run);
        expect_same_run(seed, &fast, &simgrid);
        n_units += scenario->parts[0].task_graphs[0]->n_units;
        n_events += fast.count[EW_EVENT_TASK_END];
        collect_fini(&fast);
        collect_fini(&simgrid);
        random_scenario_free(scenario);
    }
    ck_assert_uint_gt(n_units, 3 * compared_count()); /* the test meets them */
    ck_assert_uint_gt(n_events, n_units);
}
END_TEST

START_TEST(engines_agree_in_a_changing_world)
{
    expect_engines_agree(&ew_engine_simgrid, random_pool_scenario_new, compared_count());
}
END_TEST

START_TEST(every_request_ends_once_and_energies_add_up)
{
    expect_conservation(random_pool_scenario_new, test_count(400, 4000, 60));
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("pool_differential");
    TCase *tcase = tcase_create("pool_differential");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, engines_agree_on_who_takes_what);
    tcase_add_test(tcase, engines_agree_in_a_changing_world);
    tcase_add_test(tcase, every_request_ends_once_and_energies_add_up);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
