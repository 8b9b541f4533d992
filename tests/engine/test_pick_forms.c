/* Closed forms of plans picked per job, on both engines: when jobs begin, what they take, what is
 * seen. */
#include <math.h>
#include <string.h>

#include "edgeweave/strategy.h"
#include "support/closed_form.h"
#include "support/suite.h"

static const double decision_s = 2e-6;

/* One device with plans of 1 s for one request, 1.5 s for two. */
struct bench {
    struct ew_platform *platform;
    const struct ew_task_graph *graphs[2];
    struct ew_plan plans[2];
    struct ew_plan *list[2];
    struct ew_book book;
    struct ew_picker picker;
    struct hand_workload w;
    struct ew_run run;
};

typedef enum ew_status (*pick)(void *ctx, struct ew_job_decision *decision,
                               const struct ew_job_observation *job, struct ew_error *err);

static void begin(struct bench *b, pick function, void *ctx, uint64_t n, uint32_t outstanding)
{
    memset(b, 0, sizeof *b);
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    b->platform = hand_platform_finish(p);
    for (uint32_t i = 0; i < 2; i++) {
        struct hand_tasks *t = hand_tasks_new(1);
        b->graphs[i] = hand_answer(t, 0, hand_node_after(t, hand_compute(t, 0, 1.0 + 0.5 * i), 0));
        b->plans[i] = (struct ew_plan){.name = "", .batch = 1 + (int32_t)i, .weight = 1};
        b->list[i] = &b->plans[i];
    }
    b->book =
        (struct ew_book){.strategy = "", .pick = EW_PICK_ONLINE, .n_plans = 2, .plans = b->list};
    b->picker = (struct ew_picker){ctx, function, 1};
    hand_workload_init(&b->w, b->graphs[0], n, outstanding);
    b->w.run.book = &b->book;
    b->w.run.task_graphs = b->graphs;
    b->w.run.requests_per_job = 2;
    b->w.run.picker = &b->picker;
    b->run = closed_form_run(b->platform, &b->w.run, 1);
}

static void end(struct bench *b)
{
    ew_task_graph_free((struct ew_task_graph *)b->graphs[0]);
    ew_task_graph_free((struct ew_task_graph *)b->graphs[1]);
    ew_platform_free(b->platform);
}

static enum ew_status take_one(void *ctx, struct ew_job_decision *decision,
                               const struct ew_job_observation *job, struct ew_error *err)
{
    (void)ctx, (void)job, (void)err;
    decision->n_requests = 1;
    return EW_OK;
}

START_TEST(a_decision_takes_two_microseconds)
{
    /* One after the other in a closed loop: each 2 us + 1 s. */
    struct bench b;
    begin(&b, take_one, NULL, 3, 1);
    const double latency_s[] = {1 + decision_s, 1 + decision_s, 1 + decision_s};
    closed_form_expect_run(&b.run, 3, latency_s);
    end(&b);
}
END_TEST

/* One job at a time, with all that wait. */
static enum ew_status take_what_waits(void *ctx, struct ew_job_decision *decision,
                                      const struct ew_job_observation *job, struct ew_error *err)
{
    (void)ctx, (void)err;
    if (job->n_running > 0) {
        ck_assert(job->can_wait);
        decision->n_requests = 0;
        return EW_OK;
    }
    decision->plan = job->n_waiting > 1;
    ck_assert_uint_eq(job->plan_requests[0], 1);
    ck_assert_uint_eq(job->plan_requests[1], 2);
    return EW_OK;
}

START_TEST(requests_that_are_held_share_the_next_job)
{
    /* At 0, 0.25, 0.5, 0.75 s. The first alone, until 1 s; then two, until 2.5 s; the last until
     * 3.5 s; each job 2 us after the answer before it, the first 2 us after the arrival. */
    struct bench b;
    begin(&b, take_what_waits, NULL, 4, 1);
    b.w.run.arrival = (struct ew_arrival){.kind = EW_ARRIVAL_PERIODIC, .rate_per_s = 4};
    const double latency_s[] = {1 + decision_s, 2.5 + 2 * decision_s - 0.25,
                                2.5 + 2 * decision_s - 0.5, 3.5 + 3 * decision_s - 0.75};
    closed_form_expect_run(&b.run, 4, latency_s);
    end(&b);
}
END_TEST

START_TEST(a_group_that_arrives_together_is_seen_together)
{
    /* Three at 0 s and three at 10 s: two in 1.5 s, then one in 1 s. */
    struct bench b;
    begin(&b, take_what_waits, NULL, 6, 1);
    b.w.run.arrival =
        (struct ew_arrival){.kind = EW_ARRIVAL_PERIODIC, .rate_per_s = 0.1, .group_size = 3};
    const double two_s = 1.5 + decision_s, one_s = 2.5 + 2 * decision_s;
    const double latency_s[] = {two_s, two_s, one_s, two_s, two_s, one_s};
    closed_form_expect_run(&b.run, 6, latency_s);
    end(&b);
}
END_TEST

/* Looks at the second job of a device that is half as fast from 0.5 s on. */
static enum ew_status look(void *ctx, struct ew_job_decision *decision,
                           const struct ew_job_observation *job, struct ew_error *err)
{
    (void)ctx, (void)err;
    decision->n_requests = 1;
    ck_assert_uint_eq(job->n_waiting, 1);
    ck_assert_uint_eq(job->n_devices, 1);
    if (job->first_request == 0) {
        ck_assert(isnan(job->task_ratio[0]) && isnan(job->last_latency_s));
        ck_assert_uint_eq(job->last_plan, EW_ID_NONE);
        ck_assert(job->time_s == 2 / 1e6 && job->waited_s == 2 / 1e6);
        return EW_OK;
    }
    ck_assert(job->task_ratio[0] == 1.5);
    ck_assert(job->last_latency_s == 1500004 / 1e6);
    ck_assert(job->time_s == 1500006 / 1e6);
    ck_assert_uint_eq(job->last_plan, 0);
    ck_assert_uint_eq(job->n_running, 0);
    ck_assert_uint_eq(job->queued[0], 0);
    ck_assert_uint_eq(job->is_up[0], 1);
    return EW_OK;
}

START_TEST(what_is_measured_is_what_happened)
{
    /* 1 s of work, half of it at half speed: 1.5 s, 1.5 times as long as nominal. The second: 2 s.
     * What begins at 2 us has 2 us more to do at 0.5 s, at half speed. */
    struct bench b;
    double times_s[] = {0.5}, speeds[] = {0.5};
    struct ew_signal signal = {.quantity = EW_QUANTITY_DEVICE_SPEED,
                               .target = 0,
                               .n_steps = 1,
                               .times_s = times_s,
                               .values = speeds};
    struct ew_dynamics dynamics = {.n_signals = 1, .signals = &signal};
    begin(&b, look, NULL, 2, 1);
    b.run.dynamics = &dynamics;
    const double latency_s[] = {1.5 + 2 * decision_s, 2 + decision_s};
    closed_form_expect_run(&b.run, 2, latency_s);
    end(&b);
}
END_TEST

static enum ew_status refuse(void *ctx, struct ew_job_decision *decision,
                             const struct ew_job_observation *job, struct ew_error *err)
{
    (void)ctx, (void)decision;
    return job->first_request < 2 ? EW_OK : ew_fail(err, EW_EPLUGIN, "no more");
}

START_TEST(a_failing_decision_ends_the_run_with_its_message)
{
    struct bench b;
    begin(&b, refuse, NULL, 5, 1);
    for (int i = 0; i < CLOSED_FORM_ENGINES; i++) {
        struct collect c = {0};
        struct ew_error err = {0};
        ck_assert_int_eq(collect_run(&c, closed_form_engines[i], b.run, &err), EW_EPLUGIN);
        ck_assert_str_eq(err.message, "no more");
        collect_fini(&c);
    }
    end(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_decision_takes_two_microseconds,
        requests_that_are_held_share_the_next_job,
        a_group_that_arrives_together_is_seen_together,
        what_is_measured_is_what_happened,
        a_failing_decision_ends_the_run_with_its_message,
    };
    return run_suite("pick_forms", tests, sizeof tests / sizeof *tests);
}
