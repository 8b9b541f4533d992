/*
 * Real execution when something breaks: a worker that dies, falls silent, loses its connection,
 * says what it should not or damages what it passes on (support/fault_worker.c). Every run ends in
 * time with one error that names worker and cause, and leaves no process behind.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/exec.h"
#include "plan/lower.h"
#include "support/faulty.h"
#include "support/random_scenario.h"
#include "support/suite.h"

enum { SEED = 15, N_TIMES = 1, N_TIMES_FULL = 100 };

static void ignore_event(void *ctx, const struct ew_event *event)
{
    (void)ctx;
    (void)event;
}

/* Run a small scenario with workers from `program`. */
static enum ew_status run(const char *program, double stall_limit_s, struct ew_error *err)
{
    struct random_scenario *scenario = random_scenario_new_plain(SEED);
    struct ew_task_graph *graphs[RANDOM_MAX_WORKLOADS][3] = {{NULL}};
    const struct ew_lower_options keep = {.keep_boxes = true};
    struct ew_lower *lower = ew_lower_new();
    for (uint32_t w = 0; w < scenario->run.n_workloads; w++) {
        const struct random_workload *part = &scenario->parts[w];
        for (uint32_t i = 0; i < part->book->n_plans; i++) {
            ck_assert(ew_lower_plan(&graphs[w][i], lower, &part->context, part->book->plans[i],
                                    &keep, err) == EW_OK);
        }
        scenario->workloads[w].task_graphs = (const struct ew_task_graph *const *)graphs[w];
        scenario->workloads[w].context = &scenario->parts[w].context;
    }
    ew_lower_free(lower);
    scenario->run.sink = (struct ew_event_sink){NULL, ignore_event};
    const struct ew_exec_options options = {
        .worker_path = program, .kernels = "reference", .stall_limit_s = stall_limit_s};
    struct ew_run_facts facts = {0};
    struct ew_exec_facts exec_facts;
    const enum ew_status status = ew_exec_run(&facts, &exec_facts, &scenario->run, &options, err);
    for (uint32_t w = 0; w < scenario->run.n_workloads; w++) {
        for (uint32_t i = 0; i < scenario->parts[w].book->n_plans; i++) {
            ew_task_graph_free(graphs[w][i]);
        }
        scenario->workloads[w].task_graphs = scenario->parts[w].task_graphs;
    }
    random_scenario_free(scenario);
    return status;
}

struct fault {
    const char *what;  /* EW_FAULT */
    const char *cause; /* in the message */
    double stall_limit_s;
};

/* Sixty seconds are for machines that do ten other things; what matters is that it ends. */
static const struct fault faults[] = {
    {"stop:0", "not ready after", 0.1},
    {"stop:100", "no sign of life for 1.5 s", 1.5},
    {"kill:0", "killed by signal 9", 60},
    {"kill:100", "killed by signal 9", 60},
    {"killlate:0", "worker of 'd0': killed by signal 9", 60}, /* after others complain of it */
    {"reset:0", "onnection", 60},
    {"reset:130", "onnection", 60},
    {"close:100", "closed the connection", 60},
    {"flip:10", "corrupt frame (head)", 60},
    {"flip:150", "corrupt frame (head)", 60},
    {"version:100", "speaks protocol version", 60},
    {"version:0", "speaks protocol version", 60},
    {"garbage:0", "something that is no frame", 60},
    {"huge:0", "sent a READY frame of 1125899906842624 bytes, expected at most 0", 60},
    {"data:60", ": worker of 'd0': ", 60}, /* the token of another worker: shown out */
    {"data:100", "sent a corrupt frame (head)", 60},
    {"data:145", "sent a corrupt DATA frame", 60},
};

START_TEST(every_fault_ends_the_run_with_worker_and_cause)
{
    const struct fault *fault = &faults[_i];
    const int n = getenv("EW_FULL") ? N_TIMES_FULL : N_TIMES;
    faulty_adopt_orphans();
    for (int i = 0; i < n; i++) {
        struct ew_error err = {0};
        faulty_begin(fault->what);
        const double begin_s = faulty_now_s();
        const enum ew_status status = run(FAULTY_WORKER, fault->stall_limit_s, &err);
        faulty_end();
        ck_assert_msg(status == EW_EENGINE, "%s: expected an engine failure, found %d: %s",
                      fault->what, (int)status, err.message);
        ck_assert_msg(strstr(err.message, "worker of '") && strstr(err.message, fault->cause),
                      "%s: expected 'worker of …' and '%s', found '%s'", fault->what, fault->cause,
                      err.message);
        ck_assert_msg(faulty_now_s() - begin_s < 30, "%s: took %g s", fault->what,
                      faulty_now_s() - begin_s);
        faulty_check_nobody_is_left(fault->what);
    }
}
END_TEST

START_TEST(a_slow_worker_only_takes_longer)
{
    const int n = getenv("EW_FULL") ? N_TIMES_FULL : 1;
    faulty_adopt_orphans();
    for (int i = 0; i < n; i++) {
        struct ew_error err = {0};
        faulty_begin("slow:0");
        const enum ew_status status = run(FAULTY_WORKER, 60, &err);
        faulty_end();
        ck_assert_msg(status == EW_OK, "%s", err.message);
        faulty_check_nobody_is_left("slow");
    }
}
END_TEST

START_TEST(a_program_that_is_no_worker_is_named)
{
    struct ew_error err = {0};
    ck_assert_int_eq(run("/bin/true", 60, &err), EW_EENGINE);
    ck_assert_msg(strstr(err.message, "/bin/true did not start"), "%s", err.message);
    ck_assert_int_eq(run("/nonexistent/worker", 60, &err), EW_EENGINE);
    ck_assert_msg(strstr(err.message, "worker of '"), "%s", err.message);
    faulty_check_nobody_is_left("no worker");
}
END_TEST

/* Run one case with CK_RUN_CASE: in full they take minutes. */
static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, getenv("EW_FULL") ? 1800 : 120);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = begin_suite("exec_faults");
    tcase_add_loop_test(add_case(suite, "stops"), every_fault_ends_the_run_with_worker_and_cause, 0,
                        2);
    TCase *tcase = add_case(suite, "faults");
    tcase_add_loop_test(tcase, every_fault_ends_the_run_with_worker_and_cause, 2,
                        (int)(sizeof faults / sizeof *faults));
    tcase_add_test(tcase, a_slow_worker_only_takes_longer);
    tcase_add_test(tcase, a_program_that_is_no_worker_is_named);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
