/* Closed forms of a changing world, on both engines. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "support/collect.h"
#include "support/hand.h"
#include "support/suite.h"

#define TOLERANCE_S 1e-9

enum { TIMEOUT_S = 60 };

/* --- helpers --------------------------------------------------------------------------------- */

/* A world of two devices and a link from 0 to 1 of 1 MB/s and 1 ms, and one workload. */
struct world {
    struct ew_platform *platform;
    struct ew_task_graph *tasks;
    struct hand_workload workload;
    struct ew_dynamics dynamics;
    struct ew_signal signals[4];
    struct ew_straggler stragglers[2];
    struct ew_loss losses[2];
    struct ew_run run;
};

static struct world *world_new(uint64_t n_requests)
{
    struct world *w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    w->platform = hand_row(2, 1e6, 0.001);
    w->dynamics.policy = ew_failure_policy_default();
    w->dynamics.signals = w->signals;
    w->run = (struct ew_run){.platform = w->platform,
                             .net = ew_net_model_find("ideal"),
                             .n_workloads = 1,
                             .workloads = &w->workload.run,
                             .seed = 1,
                             .dynamics = &w->dynamics};
    w->workload.run.n_requests = n_requests;
    return w;
}

/* `work_s` on device 0 (none: 0), then `bytes` to device 1 (none: 0). */
static void set_tasks(struct world *w, double work_s, uint64_t bytes, uint32_t outstanding)
{
    struct hand_tasks *t = hand_tasks_new(2);
    uint32_t last = 0;
    if (work_s > 0) {
        last = hand_node_after(t, hand_compute(t, 0, work_s), last);
    }
    if (bytes) {
        last = hand_node_after(t, hand_message(t, 0, 1, bytes), last);
    }
    hand_node_after(t, hand_join(t, bytes ? 1 : 0), last);
    w->tasks = hand_tasks_finish(t);
    hand_workload_init(&w->workload, w->tasks, w->workload.run.n_requests, outstanding);
}

static void add_signal(struct world *w, enum ew_quantity quantity, uint32_t target, uint32_t n,
                       const double *times_s, const double *values)
{
    w->signals[w->dynamics.n_signals++] = (struct ew_signal){
        .quantity = quantity, .target = target, .n_steps = n, .times_s = times_s, .values = values};
}

static void world_free(struct world *w)
{
    ew_task_graph_free(w->tasks);
    ew_platform_free(w->platform);
    free(w);
}

struct expected {
    const double *latency_s; /* per request; NAN: it gets no answer */
    uint64_t dropped;
    uint64_t failed;
    uint64_t attempts;
};

static void expect_on(const struct world *w, const struct ew_engine *engine,
                      const struct expected *expected)
{
    const uint64_t n = w->workload.run.n_requests;
    struct collect c = {0};
    struct ew_error err = {0};
    ck_assert_msg(collect_run(&c, engine, w->run, &err) == EW_OK, "%s: %s", engine->id,
                  err.message);
    for (uint64_t i = 0; i < n; i++) {
        const double want_s = expected->latency_s[i];
        ck_assert_msg((isnan(want_s) && isnan(c.latency_s[i])) ||
                          fabs(c.latency_s[i] - want_s) < TOLERANCE_S * fmax(1, want_s),
                      "%s: request %llu: expected %.12g s, got %.12g s", engine->id,
                      (unsigned long long)i, want_s, c.latency_s[i]);
    }
    ck_assert_uint_eq(c.n_disorders, 0);
    ck_assert_uint_eq(c.n_overlaps, 0);
    ck_assert_uint_eq(c.count[EW_EVENT_REQUEST_DROPPED], expected->dropped);
    ck_assert_uint_eq(c.count[EW_EVENT_REQUEST_FAILED], expected->failed);
    ck_assert_uint_eq(c.count[EW_EVENT_REQUEST_ARRIVE], c.count[EW_EVENT_REQUEST_DONE] +
                                                            c.count[EW_EVENT_REQUEST_LATE] +
                                                            expected->dropped + expected->failed);
    if (expected->attempts) {
        ck_assert_uint_eq(c.count[EW_EVENT_JOB_START], expected->attempts);
    }
    ck_assert_uint_eq(c.count[EW_EVENT_JOB_START],
                      c.count[EW_EVENT_JOB_END] + c.count[EW_EVENT_JOB_FAILED]);
    collect_fini(&c);
}

/* Runs on both engines; frees the world. */
static void expect(struct world *w, struct expected expected)
{
    expect_on(w, &ew_engine_fast, &expected);
    expect_on(w, &ew_engine_simgrid, &expected);
    world_free(w);
}

static void expect_one(struct world *w, double latency_s)
{
    expect(w, (struct expected){.latency_s = &latency_s});
}

/* --- rates ----------------------------------------------------------------------------------- */

START_TEST(transfer_goes_on_across_a_bandwidth_step)
{
    /* 1 ms latency; 0.499 s at 1 MB/s = 499000 B; the rest of 1e6 B at 250 kB/s: 2.004 s. */
    struct world *w = world_new(1);
    set_tasks(w, 0, 1000000, 1);
    add_signal(w, EW_QUANTITY_LINK_BANDWIDTH, 0, 1, (const double[]){0.5}, (const double[]){250e3});
    expect_one(w, 0.5 + 501000 / 250e3);
}
END_TEST

START_TEST(transfer_stalls_without_bandwidth_and_goes_on_with_it)
{
    struct world *w = world_new(1);
    set_tasks(w, 0, 1000000, 1);
    add_signal(w, EW_QUANTITY_LINK_BANDWIDTH, 0, 2, (const double[]){0.5, 7},
               (const double[]){0, 1e6});
    expect_one(w, 7 + 0.501);
}
END_TEST

START_TEST(transfer_begins_without_bandwidth)
{
    struct world *w = world_new(1);
    set_tasks(w, 0, 1000000, 1);
    add_signal(w, EW_QUANTITY_LINK_BANDWIDTH, 0, 2, (const double[]){0, 3},
               (const double[]){0, 2e6});
    expect_one(w, 3 + 0.5);
}
END_TEST

START_TEST(task_goes_on_across_a_speed_step)
{
    /* 1 s of work: 0.25 s at full speed, the rest at half: 1.5 s; later at 3: not reached. */
    struct world *w = world_new(1);
    set_tasks(w, 1, 0, 1);
    add_signal(w, EW_QUANTITY_DEVICE_SPEED, 0, 2, (const double[]){0.25, 10},
               (const double[]){0.5, 3});
    expect_one(w, 1.75);
}
END_TEST

START_TEST(signals_that_loop_go_on)
{
    /* Speed 1 for 1 s, 0.5 for 1 s, and so on: 1.5 s of work per 2 s. 7 s of work: 4 turns are 6 s
     * after 8 s, and the last second of work takes one. Begun at offset 3: a half second comes
     * first: 0.5 of work in 1 s, then 4 turns, then 0.5 s. */
    static const double times_s[] = {0, 1}, values[] = {1, 0.5};
    struct world *w = world_new(1);
    set_tasks(w, 7, 0, 1);
    add_signal(w, EW_QUANTITY_DEVICE_SPEED, 0, 2, times_s, values);
    w->signals[0].loop_s = 2;
    expect_one(w, 9);
    w = world_new(1);
    set_tasks(w, 7, 0, 1);
    add_signal(w, EW_QUANTITY_DEVICE_SPEED, 0, 2, times_s, values);
    w->signals[0].loop_s = 2;
    w->signals[0].offset_s = 3;
    expect_one(w, 1 + 8 + 0.5);
}
END_TEST

START_TEST(messages_pay_the_latency_of_their_start)
{
    /* Three messages one after the other, 0.1 s of bytes each; latency 1 ms, then 0.5 s from 0.05 s
     * on (the second and, from 0.701 s on, back to 1 ms, the third). */
    struct world *w = world_new(3);
    set_tasks(w, 0, 100000, 1);
    add_signal(w, EW_QUANTITY_LINK_LATENCY, 0, 2, (const double[]){0.05, 0.6},
               (const double[]){0.5, 0.001});
    expect(w, (struct expected){.latency_s = (const double[]){0.101, 0.6, 0.101}});
}
END_TEST

START_TEST(losses_delay_a_message_by_whole_retransmissions)
{
    struct world *w = world_new(200);
    set_tasks(w, 0, 100000, 1);
    for (int i = 0; i < 2; i++) {
        w->losses[i] = (struct ew_loss){.loss_ratio = 0.3, .retransmit_s = 0.7};
    }
    w->dynamics.losses = w->losses;
    const struct ew_engine *const engines[] = {&ew_engine_fast, &ew_engine_simgrid};
    double first_s[200];
    for (int e = 0; e < 2; e++) {
        struct collect c = {0};
        struct ew_error err = {0};
        double n_losses = 0;
        ck_assert_int_eq(collect_run(&c, engines[e], w->run, &err), EW_OK);
        for (int i = 0; i < 200; i++) {
            const double k = (c.latency_s[i] - 0.101) / 0.7;
            ck_assert(fabs(k - round(k)) < 1e-6 && k > -0.1);
            n_losses += round(k);
            ck_assert(e == 0 || fabs(c.latency_s[i] - first_s[i]) < 1e-6);
            first_s[i] = c.latency_s[i];
        }
        /* mean 0.3 / 0.7 = 0.43 per message, deviation of the mean 0.055 */
        ck_assert(n_losses / 200 > 0.2 && n_losses / 200 < 0.66);
        collect_fini(&c);
    }
    world_free(w);
}
END_TEST

START_TEST(stragglers_slow_some_tasks_down)
{
    struct world *w = world_new(400);
    set_tasks(w, 0.1, 0, 1);
    w->stragglers[0] = (struct ew_straggler){.probability_ratio = 0.25, .slowdown_ratio = 4};
    w->dynamics.stragglers = w->stragglers;
    struct collect c = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(collect_run(&c, &ew_engine_fast, w->run, &err), EW_OK);
    uint32_t n_slow = 0;
    for (int i = 0; i < 400; i++) {
        const bool is_slow = fabs(c.latency_s[i] - 0.4) < TOLERANCE_S;
        ck_assert(is_slow || fabs(c.latency_s[i] - 0.1) < TOLERANCE_S);
        n_slow += is_slow;
    }
    ck_assert_msg(n_slow > 65 && n_slow < 135, "%u of 400", n_slow); /* 100 +- 4 deviations */
    collect_fini(&c);
    world_free(w);
}
END_TEST

/* --- failures -------------------------------------------------------------------------------- */

START_TEST(a_device_lost_in_the_middle_is_waited_for)
{
    /* 1 s of work, lost at 0.4 s, back at 3 s: begun anew, done at 4 s. */
    struct world *w = world_new(1);
    set_tasks(w, 1, 0, 1);
    add_signal(w, EW_QUANTITY_DEVICE_UP, 0, 2, (const double[]){0.4, 3}, (const double[]){0, 1});
    expect(w, (struct expected){.latency_s = (const double[]){4}, .attempts = 2});
}
END_TEST

START_TEST(a_link_lost_in_the_middle_is_retried_after_the_delay)
{
    /* 0.5 s of work, then a message of 1.001 s: broken at 1 s. With a delay of 0.25 s attempts
     * begin at 1.25 and come to the link at 1.75, still dead until 2.2; from 2 s (1.75 + 0.25) on
     * work, at 2.5 the link: done at 3.501 s. */
    struct world *w = world_new(1);
    set_tasks(w, 0.5, 1000000, 1);
    w->dynamics.policy.on_failure = EW_ON_FAILURE_RETRY;
    w->dynamics.policy.retry_delay_s = 0.25;
    add_signal(w, EW_QUANTITY_LINK_UP, 0, 2, (const double[]){1, 2.2}, (const double[]){0, 1});
    expect(w, (struct expected){.latency_s = (const double[]){3.501}, .attempts = 3});
}
END_TEST

START_TEST(attempts_are_counted)
{
    struct world *w = world_new(1);
    set_tasks(w, 0.5, 1000000, 1);
    w->dynamics.policy.on_failure = EW_ON_FAILURE_RETRY;
    w->dynamics.policy.max_attempts = 2;
    add_signal(w, EW_QUANTITY_LINK_UP, 0, 2, (const double[]){1, 20}, (const double[]){0, 1});
    expect(w, (struct expected){.latency_s = (const double[]){NAN}, .failed = 1, .attempts = 2});
}
END_TEST

START_TEST(policy_fail_fails_at_once_and_the_next_request_comes)
{
    /* The first of a closed loop fails at 0.4 s; the second starts on the dead device and fails,
     * and so do all until it is back, which takes no time: all 3 fail. */
    struct world *w = world_new(3);
    set_tasks(w, 1, 0, 1);
    w->dynamics.policy.on_failure = EW_ON_FAILURE_FAIL;
    add_signal(w, EW_QUANTITY_DEVICE_UP, 0, 2, (const double[]){0.4, 3}, (const double[]){0, 1});
    expect(w, (struct expected){.latency_s = (const double[]){NAN, NAN, NAN}, .failed = 3});
}
END_TEST

START_TEST(a_device_that_holds_what_is_still_needed_loses_the_attempt)
{
    /* Device 0 computes 0.1 s, sends 0.501 s; lost at 0.3 s: its message breaks. Back at 0.4 s:
     * 0.4 + 0.1 + 0.501. */
    struct world *w = world_new(1);
    set_tasks(w, 0.1, 500000, 1);
    add_signal(w, EW_QUANTITY_DEVICE_UP, 0, 2, (const double[]){0.3, 0.4}, (const double[]){0, 1});
    expect(w, (struct expected){.latency_s = (const double[]){1.001}, .attempts = 2});
}
END_TEST

START_TEST(a_device_nobody_uses_may_go)
{
    struct world *w = world_new(1);
    set_tasks(w, 1, 0, 1);
    add_signal(w, EW_QUANTITY_DEVICE_UP, 1, 1, (const double[]){0.4}, (const double[]){0});
    expect(w, (struct expected){.latency_s = (const double[]){1}, .attempts = 1});
}
END_TEST

START_TEST(late_requests_are_dropped_at_their_deadline)
{
    /* 1 s of work each, arrivals at 0, 0.5, 1, 1.5 s, deadline 1.6 s. Done: 0 at 1 s (1 s late at
     * most), 1 at 2 s (1.5 s); 2 begins at 2 s and is dropped at 2.6 s; then 3 begins and is
     * dropped at 3.1 s. */
    struct world *w = world_new(4);
    set_tasks(w, 1, 0, 1);
    w->workload.run.arrival = (struct ew_arrival){.kind = EW_ARRIVAL_PERIODIC, .rate_per_s = 2};
    w->workload.run.deadline_s = 1.6;
    w->dynamics.policy.drop_at_deadline = true;
    expect(w, (struct expected){.latency_s = (const double[]){1, 1.5, NAN, NAN}, .dropped = 2});
}
END_TEST

/* --- for ever -------------------------------------------------------------------------------- */

START_TEST(zero_bandwidth_for_ever_strands_requests)
{
    struct world *w = world_new(3);
    set_tasks(w, 0.1, 1000000, 2);
    add_signal(w, EW_QUANTITY_LINK_BANDWIDTH, 0, 1, (const double[]){0.5}, (const double[]){0});
    /* two had come; the third would have come with an answer */
    struct ew_error err = {0};
    const struct ew_engine *const engines[] = {&ew_engine_fast, &ew_engine_simgrid};
    for (int e = 0; e < 2; e++) {
        struct collect c = {0};
        ck_assert_msg(collect_run(&c, engines[e], w->run, &err) == EW_OK, "%s", err.message);
        ck_assert_uint_eq(c.count[EW_EVENT_REQUEST_ARRIVE], 2);
        ck_assert_uint_eq(c.count[EW_EVENT_REQUEST_FAILED], 2);
        ck_assert(c.facts.end_s < 1);
        collect_fini(&c);
    }
    world_free(w);
}
END_TEST

START_TEST(all_devices_down_for_ever_strands_requests)
{
    static const double at_s[] = {0.5}, down[] = {0};
    struct world *w = world_new(2);
    set_tasks(w, 1, 0, 2);
    for (uint32_t d = 0; d < 2; d++) {
        add_signal(w, EW_QUANTITY_DEVICE_UP, d, 1, at_s, down);
    }
    expect(w, (struct expected){.latency_s = (const double[]){NAN, NAN}, .failed = 2});
}
END_TEST

START_TEST(a_loop_that_never_helps_ends)
{
    /* Device 0 is gone; the bandwidth of the link goes up and down for ever. */
    struct world *w = world_new(1);
    set_tasks(w, 1, 0, 1);
    add_signal(w, EW_QUANTITY_DEVICE_UP, 0, 1, (const double[]){0.5}, (const double[]){0});
    add_signal(w, EW_QUANTITY_LINK_BANDWIDTH, 0, 2, (const double[]){0, 1},
               (const double[]){1e6, 2e6});
    w->signals[1].loop_s = 5;
    expect(w, (struct expected){.latency_s = (const double[]){NAN}, .failed = 1});
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        transfer_goes_on_across_a_bandwidth_step,
        transfer_stalls_without_bandwidth_and_goes_on_with_it,
        transfer_begins_without_bandwidth,
        task_goes_on_across_a_speed_step,
        signals_that_loop_go_on,
        messages_pay_the_latency_of_their_start,
        losses_delay_a_message_by_whole_retransmissions,
        stragglers_slow_some_tasks_down,
        a_device_lost_in_the_middle_is_waited_for,
        a_link_lost_in_the_middle_is_retried_after_the_delay,
        attempts_are_counted,
        policy_fail_fails_at_once_and_the_next_request_comes,
        a_device_that_holds_what_is_still_needed_loses_the_attempt,
        a_device_nobody_uses_may_go,
        late_requests_are_dropped_at_their_deadline,
        zero_bandwidth_for_ever_strands_requests,
        all_devices_down_for_ever_strands_requests,
        a_loop_that_never_helps_ends,
    };
    Suite *suite = begin_suite("dynamic_forms");
    TCase *tcase = tcase_create("dynamic_forms");
    tcase_set_timeout(tcase, TIMEOUT_S);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
