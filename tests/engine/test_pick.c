/* Plans picked per job: both engines show a strategy the same run to the last bit, so that even one
 * whose decisions hang on every bit decides the same. A failing seed is printed. EW_FULL=1 in the
 * environment runs more. One scenario in a thousand or so has a value that lies where rounding
 * falls apart by chance; there this strategy, unlike any that compares values with limits, decides
 * otherwise, and comparing more would only find those. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "edgeweave/strategy.h"
#include "support/differential.h"
#include "support/suite.h"

enum { N_SCENARIOS = 300, N_FULL = 900, N_SANITIZED = 60, TIMEOUT_S = 300 };

static uint64_t scenario_count(void)
{
    return test_count(N_SCENARIOS, N_FULL, N_SANITIZED);
}

/* --- a strategy that listens to everything -----------------------------------------------------
 */

/* Decides by a hash of all that it has seen so far. */
struct oracle {
    uint64_t hash;
    uint64_t n_calls, n_held, n_again, n_measured;
};

static void mix(struct oracle *o, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        o->hash = (o->hash ^ bytes[i]) * 0x100000001b3u;
    }
}

static void mix_doubles(struct oracle *o, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t none = 0;
        mix(o, isnan(values[i]) ? (const void *)&none : &values[i], sizeof values[i]);
        o->n_measured += isnan(values[i]) ? 0 : 1;
    }
}

static enum ew_status ask_oracle(void *ctx, struct ew_job_decision *decision,
                                 const struct ew_job_observation *job, struct ew_error *err)
{
    struct oracle *o = ctx;
    const size_t n = job->n_devices;
    (void)err;
    const double scalars[] = {job->time_s, job->waited_s, job->last_latency_s};
    const uint32_t counts[] = {job->n_attempts, job->n_waiting, job->n_running, job->can_wait,
                               job->last_plan};
    mix_doubles(o, scalars, 3);
    mix(o, counts, sizeof counts);
    mix(o, &job->first_request, sizeof job->first_request);
    mix_doubles(o, job->task_ratio, n);
    mix_doubles(o, job->measured_bytes_per_s, n * n);
    mix(o, job->queued, n * sizeof *job->queued);
    mix(o, job->is_up, n * sizeof *job->is_up);
    o->n_calls++;
    o->n_again += job->n_attempts > 0;
    const uint64_t draw = o->hash >> 20;
    decision->plan = (uint32_t)(draw % job->n_plans);
    const uint32_t most = job->n_waiting < job->plan_requests[decision->plan]
                              ? job->n_waiting
                              : job->plan_requests[decision->plan];
    if (draw % 5 == 0) {
        decision->n_requests = EW_TAKE_ALL;
    } else {
        decision->n_requests = (uint32_t)((draw >> 8) % (most + 1));
    }
    if (decision->n_requests == 0 && !job->can_wait) {
        decision->n_requests = 1;
    }
    o->n_held += decision->n_requests == 0;
    return EW_OK;
}

/* --- engines -----------------------------------------------------------------------------------
 */

static void ignore(void *ctx, const struct ew_event *event)
{
    (void)ctx;
    (void)event;
}

static void run_on(struct collect *c, struct oracle *oracles, const struct ew_engine *engine,
                   uint64_t seed, const struct random_scenario *s)
{
    struct ew_run_workload workloads[RANDOM_MAX_WORKLOADS];
    struct ew_picker pickers[RANDOM_MAX_WORKLOADS];
    struct ew_run run = s->run;
    for (uint32_t w = 0; w < run.n_workloads; w++) {
        oracles[w] = (struct oracle){.hash = 0xcbf29ce484222325u + w};
        pickers[w] = (struct ew_picker){&oracles[w], ask_oracle, 1};
        workloads[w] = run.workloads[w];
        workloads[w].requests_per_job = (uint32_t)workloads[w].book->plans[0]->batch;
        workloads[w].picker = &pickers[w];
    }
    run.workloads = workloads;
    run_checked(c, engine, seed, &run);
}

static void compare(uint64_t seed, const struct collect *fast, const struct collect *simgrid)
{
    expect_same_requests(seed, fast, simgrid);
    static const enum ew_event_kind kinds[] = {EW_EVENT_JOB_START, EW_EVENT_JOB_FAILED,
                                               EW_EVENT_REQUEST_DONE, EW_EVENT_REQUEST_DROPPED,
                                               EW_EVENT_REQUEST_LATE};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ck_assert_msg(fast->count[kinds[k]] == simgrid->count[kinds[k]],
                      "seed %llu: %llu events %s on fast, %llu on simgrid",
                      (unsigned long long)seed, (unsigned long long)fast->count[kinds[k]],
                      ew_event_name(kinds[k]), (unsigned long long)simgrid->count[kinds[k]]);
    }
}

/* Sums over all scenarios, of the fast engine: the test meets what it is about. */
static void add(struct oracle *sum, const struct oracle *oracles, uint32_t n)
{
    for (uint32_t w = 0; w < n; w++) {
        sum->n_calls += oracles[w].n_calls;
        sum->n_held += oracles[w].n_held;
        sum->n_again += oracles[w].n_again;
        sum->n_measured += oracles[w].n_measured;
    }
}

static void compare_engines(bool is_dynamic)
{
    struct oracle sum = {0};
    const uint64_t n = scenario_count();
    for (uint64_t seed = 0; seed < n; seed++) {
        struct random_scenario *s = random_scenario_new(seed);
        struct ew_rng rng = ew_rng_make(seed, "dynamics");
        struct ew_run_facts facts = {0};
        struct ew_error err = {0};
        struct ew_dynamics *dynamics = NULL;
        s->run.sink = (struct ew_event_sink){NULL, ignore};
        if (is_dynamic) {
            ck_assert_int_eq(ew_engine_fast.run(&facts, &s->run, &err), EW_OK);
            dynamics = random_dynamics(&rng, s->platform, facts.end_s, seed % 4 == 3);
            s->run.dynamics = dynamics;
        }
        struct collect fast = {0}, simgrid = {0};
        struct oracle oracles[RANDOM_MAX_WORKLOADS], others[RANDOM_MAX_WORKLOADS];
        run_on(&fast, oracles, &ew_engine_fast, seed, s);
        run_on(&simgrid, others, &ew_engine_simgrid, seed, s);
        compare(seed, &fast, &simgrid);
        add(&sum, oracles, s->run.n_workloads);
        collect_fini(&fast);
        collect_fini(&simgrid);
        random_scenario_free(s);
        random_dynamics_free(dynamics);
    }
    ck_assert_uint_gt(sum.n_calls, 5 * n);
    ck_assert_uint_gt(sum.n_held, n / 2);
    ck_assert_uint_gt(sum.n_measured, sum.n_calls);
    ck_assert(!is_dynamic || sum.n_again > n / 4);
}

START_TEST(engines_show_the_same_run)
{
    compare_engines(false);
}
END_TEST

START_TEST(engines_show_the_same_run_in_a_changing_world)
{
    compare_engines(true);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("pick");
    TCase *tcase = tcase_create("pick");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, engines_show_the_same_run);
    tcase_add_test(tcase, engines_show_the_same_run_in_a_changing_world);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
