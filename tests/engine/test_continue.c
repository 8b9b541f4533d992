/* Jobs that go on in the middle, with another plan or after a failure: both engines agree, every
 * request ends once, reruns are the same; and closed forms. A failing seed is printed. EW_FULL=1 in
 * the environment runs more; as in dynamic_differential, a rare scenario has two things at the same
 * instant whose order matters, so not many more are compared. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/lower.h"
#include "support/differential.h"
#include "support/suite.h"
#include "support/tiny.h"

enum {
    N_SCENARIOS = 300,
    N_FULL = 900,
    N_SANITIZED = 60,
    TIMEOUT_S = 300,
    N_ENTRIES = 8,
    N_BOOKS = 16,
    N_PLANS = 4,
};

static uint64_t scenario_count(void)
{
    return test_count(N_SCENARIOS, N_FULL, N_SANITIZED);
}

static void ignore(void *ctx, const struct ew_event *event)
{
    (void)ctx;
    (void)event;
}

/* A book of alike plans out of several random books. */
struct collection {
    struct ew_book *books[N_BOOKS];
    struct ew_plan *plans[N_PLANS];
    const struct ew_task_graph *graphs[N_PLANS];
    struct ew_book book;
};

/* A random scenario in which plans change at random times. */
struct moving {
    struct random_scenario *scenario;
    struct ew_dynamics *dynamics;
    struct collection collections[RANDOM_MAX_WORKLOADS];
    struct ew_run_workload workloads[RANDOM_MAX_WORKLOADS];
    struct ew_continuations *continuations[RANDOM_MAX_WORKLOADS];
    struct ew_plan_schedule schedules[RANDOM_MAX_WORKLOADS];
    double times_s[RANDOM_MAX_WORKLOADS][N_ENTRIES];
    uint32_t plans[RANDOM_MAX_WORKLOADS][N_ENTRIES];
    struct ew_run run;
};

static bool fits(const struct collection *c, const struct ew_plan *plan, uint32_t per_job)
{
    const struct ew_plan *first = c->plans[0];
    return plan->n_segments == 1 && (uint32_t)plan->batch >= per_job &&
           (!first || (plan->batch == first->batch &&
                       plan->segments[0].variant == first->segments[0].variant &&
                       plan->segments[0].exit == first->segments[0].exit &&
                       plan->source_device == first->source_device &&
                       plan->sink_device == first->sink_device));
}

/* Alike plans in place of the workload's own, if there are any. */
static void collect_plans(struct collection *c, struct ew_run_workload *workload,
                          const struct ew_plan_context *context, struct ew_rng *rng)
{
    struct ew_lower *lower = ew_lower_new();
    const struct ew_lower_options options = {0};
    struct ew_error err = {0};
    uint32_t n = 0;
    ck_assert_ptr_nonnull(lower);
    for (uint32_t i = 0; i < N_BOOKS && n < N_PLANS; i++) {
        c->books[i] = random_book(rng, context);
        for (uint32_t p = 0; p < c->books[i]->n_plans && n < N_PLANS; p++) {
            struct ew_task_graph *graph = NULL;
            struct ew_plan *plan = c->books[i]->plans[p];
            if (fits(c, plan, workload->requests_per_job) &&
                ew_lower_plan(&graph, lower, context, plan, &options, &err) == EW_OK) {
                c->plans[n] = plan;
                c->graphs[n++] = graph;
            }
        }
    }
    ew_lower_free(lower);
    if (n) {
        c->book = (struct ew_book){
            .strategy = "", .pick = EW_PICK_ONLINE, .n_plans = n, .plans = c->plans};
        workload->book = &c->book;
        workload->task_graphs = c->graphs;
    }
}

static void free_plans(struct collection *c)
{
    for (uint32_t i = 0; i < c->book.n_plans; i++) {
        ew_task_graph_free((struct ew_task_graph *)(uintptr_t)c->graphs[i]);
    }
    for (uint32_t i = 0; i < N_BOOKS; i++) {
        ew_book_free(c->books[i]);
    }
}

static void schedule(struct moving *m, uint32_t w, struct ew_rng *rng, double end_s)
{
    struct ew_run_workload *workload = &m->workloads[w];
    struct ew_error err = {0};
    collect_plans(&m->collections[w], workload, &m->scenario->parts[w].context, rng);
    const int32_t n_plans = (int32_t)workload->book->n_plans;
    struct ew_plan_change changes[N_PLANS * N_PLANS];
    uint32_t n_changes = 0;
    double time_s = 0;
    for (uint32_t i = 0; i < N_ENTRIES; i++) {
        m->times_s[w][i] = time_s;
        m->plans[w][i] = (uint32_t)random_int(rng, 0, n_plans - 1);
        time_s += end_s * ew_rng_unit(rng) / 4;
    }
    for (uint32_t a = 0; a < workload->book->n_plans; a++) {
        for (uint32_t b = 0; b < workload->book->n_plans; b++) {
            if (a != b) {
                changes[n_changes++] = (struct ew_plan_change){a, b};
            }
        }
    }
    m->schedules[w] = (struct ew_plan_schedule){.n = N_ENTRIES,
                                                .times_s = m->times_s[w],
                                                .plans = m->plans[w],
                                                .moves_jobs = random_chance(rng, 0.8)};
    ck_assert_msg(ew_continuations_new(&m->continuations[w], &m->scenario->parts[w].context,
                                       workload->book, workload->task_graphs, n_changes, changes,
                                       &err) == EW_OK,
                  "%s", err.message);
    workload->schedule = &m->schedules[w];
    workload->continuations = m->continuations[w];
    workload->book = &m->continuations[w]->book;
    workload->task_graphs = m->continuations[w]->graphs;
}

static void begin(struct moving *m, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    m->scenario = random_scenario_new(seed);
    struct ew_rng rng = ew_rng_make(seed, "continue");
    struct ew_run_facts facts = {0};
    struct ew_error err = {0};
    m->run = m->scenario->run;
    m->run.sink = (struct ew_event_sink){NULL, ignore};
    ck_assert_int_eq(ew_engine_fast.run(&facts, &m->run, &err), EW_OK);
    m->dynamics = random_dynamics(&rng, m->scenario->platform, facts.end_s, false);
    m->dynamics->policy.resumes = random_chance(&rng, 0.8);
    for (uint32_t w = 0; w < m->run.n_workloads; w++) {
        m->workloads[w] = m->run.workloads[w];
        schedule(m, w, &rng, facts.end_s);
    }
    m->run.workloads = m->workloads;
    m->run.dynamics = m->dynamics;
}

static void end(struct moving *m)
{
    for (uint32_t w = 0; w < m->run.n_workloads; w++) {
        ew_continuations_free(m->continuations[w]);
        free_plans(&m->collections[w]);
    }
    random_scenario_free(m->scenario);
    random_dynamics_free(m->dynamics);
}

START_TEST(engines_agree_when_jobs_go_on_in_the_middle)
{
    const uint64_t n = scenario_count();
    uint64_t n_moved = 0, n_failed = 0;
    for (uint64_t seed = 0; seed < n; seed++) {
        struct moving m;
        struct collect fast = {0}, simgrid = {0};
        begin(&m, seed);
        run_checked(&fast, &ew_engine_fast, seed, &m.run);
        run_checked(&simgrid, &ew_engine_simgrid, seed, &m.run);
        expect_same_requests(seed, &fast, &simgrid);
        ck_assert_msg(fast.count[EW_EVENT_JOB_MOVED] == simgrid.count[EW_EVENT_JOB_MOVED] &&
                          fast.count[EW_EVENT_JOB_FAILED] == simgrid.count[EW_EVENT_JOB_FAILED],
                      "seed %llu: jobs move or fail otherwise", (unsigned long long)seed);
        n_moved += fast.count[EW_EVENT_JOB_MOVED];
        n_failed += fast.count[EW_EVENT_JOB_FAILED];
        collect_fini(&fast);
        collect_fini(&simgrid);
        end(&m);
    }
    ck_assert_uint_gt(n_moved, n / 4); /* the test meets them */
    ck_assert_uint_gt(n_failed, n / 2);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("continue");
    TCase *tcase = tcase_create("continue");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, engines_agree_when_jobs_go_on_in_the_middle);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
