/* Hand sums and queueing theory for arrivals, jobs and workloads, on both engines. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "support/closed_form.h"
#include "support/suite.h"

/* --- arrivals --------------------------------------------------------------------------------- */

/* One device, one task. */
static void expect_arrivals(struct ew_arrival arrival, double work_s, uint32_t n,
                            const double *latency_s)
{
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct hand_tasks *t = hand_tasks_new(1);
    const uint32_t work = hand_node_after(t, hand_compute(t, 0, work_s), 0);
    struct ew_task_graph *tasks = hand_answer(t, 0, work);
    struct hand_workload w;
    hand_workload_init(&w, tasks, n, 1);
    w.run.arrival = arrival;
    const struct ew_run run = closed_form_run(platform, &w.run, 1);
    closed_form_expect_run(&run, n, latency_s);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}

START_TEST(closed_loop_keeps_k_outstanding)
{
    /* K requests share a device of 0.5 s: the i-th waits for min(i, K-1) others. */
    const struct ew_arrival one = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 1};
    const struct ew_arrival three = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 3};
    const double alone_s[] = {0.5, 0.5, 0.5, 0.5};
    const double queued_s[] = {0.5, 1.0, 1.5, 1.5, 1.5, 1.5};
    expect_arrivals(one, 0.5, 4, alone_s);
    expect_arrivals(three, 0.5, 6, queued_s);
}
END_TEST

START_TEST(periodic_arrivals_queue_when_the_device_is_too_slow)
{
    /* Every 1 s. Work 0.4 s: no waiting. Work 1.5 s: request i ends at 1.5 (i + 1). */
    const struct ew_arrival arrival = {.kind = EW_ARRIVAL_PERIODIC, .rate_per_s = 1};
    const double relaxed_s[] = {0.4, 0.4, 0.4, 0.4};
    const double overloaded_s[] = {1.5, 2.0, 2.5, 3.0};
    expect_arrivals(arrival, 0.4, 4, relaxed_s);
    expect_arrivals(arrival, 1.5, 4, overloaded_s);
}
END_TEST

START_TEST(trace_arrivals_come_at_their_times)
{
    /* Two at 0, one at 0.3 (behind both), one at 5. */
    const double times_s[] = {0, 0, 0.3, 5};
    const double latency_s[] = {0.5, 1.0, 1.2, 0.5};
    const struct ew_arrival arrival = {.kind = EW_ARRIVAL_TRACE, .n_times = 4, .times_s = times_s};
    expect_arrivals(arrival, 0.5, 4, latency_s);
}
END_TEST

START_TEST(thinking_users_come_back_after_their_answer)
{
    /* Two users, 0.5 s of work, 0.7 s of thinking. A: 0 -> 0.5, B waits: 1.0. A is back at 1.2:
     * idle, 0.5. B at 1.7 = A's end: 0.5. From then on nobody meets anybody: with two users,
     * queueing needs 2 * 0.5 > 0.5 + 0.7. */
    const struct ew_arrival arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 2, .think_s = 0.7};
    const double latency_s[] = {0.5, 1.0, 0.5, 0.5, 0.5, 0.5};
    expect_arrivals(arrival, 0.5, 6, latency_s);
    /* Thinking for 0.1 s: A is back at 0.6, while B works until 1.0: 0.4 + 0.5; B at 1.1, A until
     * 1.5: 0.4 + 0.5; … */
    const struct ew_arrival hasty = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 2, .think_s = 0.1};
    const double hasty_s[] = {0.5, 1.0, 0.9, 0.9, 0.9};
    expect_arrivals(hasty, 0.5, 5, hasty_s);
}
END_TEST

START_TEST(groups_arrive_together)
{
    /* Bursts of three every 2 s, 0.5 s each: 0.5, 1, 1.5; the last burst is short. */
    const struct ew_arrival bursts = {
        .kind = EW_ARRIVAL_PERIODIC, .rate_per_s = 0.5, .group_size = 3};
    const double burst_s[] = {0.5, 1, 1.5, 0.5, 1, 1.5, 0.5};
    expect_arrivals(bursts, 0.5, 7, burst_s);
    /* A query of two begins when both of the last are answered. */
    const struct ew_arrival queries = {
        .kind = EW_ARRIVAL_CLOSED, .outstanding = 1, .group_size = 2};
    const double query_s[] = {0.5, 1, 0.5, 1, 0.5};
    expect_arrivals(queries, 0.5, 5, query_s);
    /* The same with thinking in between: it moves arrivals, not latencies. */
    const struct ew_arrival slow_queries = {
        .kind = EW_ARRIVAL_CLOSED, .outstanding = 1, .group_size = 2, .think_s = 3};
    expect_arrivals(slow_queries, 0.5, 5, query_s);
}
END_TEST

/* Mean latency of n requests on one device, on fast. */
static double mean_latency_s(struct ew_arrival arrival, double work_s, uint32_t n)
{
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct hand_tasks *t = hand_tasks_new(1);
    const uint32_t work = hand_node_after(t, hand_compute(t, 0, work_s), 0);
    struct ew_task_graph *tasks = hand_answer(t, 0, work);
    struct hand_workload w;
    hand_workload_init(&w, tasks, n, 1);
    w.run.arrival = arrival;
    struct collect c = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(collect_run(&c, &ew_engine_fast, closed_form_run(platform, &w.run, 1), &err),
                     EW_OK);
    double sum_s = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum_s += c.latency_s[i];
    }
    collect_fini(&c);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
    return sum_s / n;
}

START_TEST(poisson_arrivals_wait_as_queueing_theory_says)
{
    /* M/D/1: mean wait = rho D / (2 (1 - rho)), rho = rate D. With 100 000 requests the mean of a
     * queue at rho <= 0.8 lies within 5 % of it. */
    const double work_s = 0.5;
    const double rhos[] = {0.2, 0.5, 0.8};
    for (size_t i = 0; i < sizeof rhos / sizeof *rhos; i++) {
        const struct ew_arrival arrival = {.kind = EW_ARRIVAL_POISSON,
                                           .rate_per_s = rhos[i] / work_s};
        const double wait_s = rhos[i] * work_s / (2 * (1 - rhos[i]));
        const double found_s = mean_latency_s(arrival, work_s, 100000) - work_s;
        ck_assert_msg(fabs(found_s - wait_s) < 0.05 * wait_s, "rho %g: expected %g s, found %g s",
                      rhos[i], wait_s, found_s);
    }
}
END_TEST

START_TEST(poisson_bursts_wait_as_queueing_theory_says)
{
    /* M^X/D/1 with X = N: a burst is a customer of N D; within it the i-th waits for i others:
     * mean wait = rho N D / (2 (1 - rho)) + (N - 1) D / 2. */
    const double work_s = 0.5, rho = 0.6, n = 4;
    const struct ew_arrival arrival = {
        .kind = EW_ARRIVAL_POISSON, .rate_per_s = rho / (n * work_s), .group_size = 4};
    const double wait_s = rho * n * work_s / (2 * (1 - rho)) + (n - 1) * work_s / 2;
    const double found_s = mean_latency_s(arrival, work_s, 100000) - work_s;
    ck_assert_msg(fabs(found_s - wait_s) < 0.05 * wait_s, "expected %g s, found %g s", wait_s,
                  found_s);
}
END_TEST

START_TEST(thinking_users_bound_the_throughput)
{
    /* K users, D of work, Z of thinking: nobody waits while K D <= D + Z; beyond, the device is
     * always busy and the mean latency tends to K D - Z (response time law). */
    const double work_s = 0.5, think_s = 2;
    for (uint32_t k = 1; k <= 12; k++) {
        const struct ew_arrival arrival = {
            .kind = EW_ARRIVAL_CLOSED, .outstanding = k, .think_s = think_s};
        const double expected_s = fmax(work_s, k * work_s - think_s);
        const double found_s = mean_latency_s(arrival, work_s, 20000);
        ck_assert_msg(fabs(found_s - expected_s) < 0.01 * expected_s,
                      "%u users: expected %g s, found %g s", k, expected_s, found_s);
    }
}
END_TEST

START_TEST(job_carries_several_requests)
{
    /* Jobs of two, 0.5 s each, every second: a request waits for its companion (1 s) or not. The
     * last one comes alone. */
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct hand_tasks *t = hand_tasks_new(1);
    const uint32_t work = hand_node_after(t, hand_compute(t, 0, 0.5), 0);
    struct ew_task_graph *tasks = hand_answer(t, 0, work);
    struct hand_workload w;
    hand_workload_init(&w, tasks, 5, 1);
    w.run.arrival = (struct ew_arrival){.kind = EW_ARRIVAL_PERIODIC, .rate_per_s = 1};
    w.run.requests_per_job = 2;
    const struct ew_run run = closed_form_run(platform, &w.run, 1);
    const double latency_s[] = {1.5, 0.5, 1.5, 0.5, 0.5};
    closed_form_expect_run(&run, 5, latency_s);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

START_TEST(two_workloads_share_a_device)
{
    /* Both begin at 0 with 1 s and 2 s of work, two requests each, K = 1: 1 | 2 | 1 | 2 s in turn.
     */
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct ew_task_graph *tasks[2];
    struct hand_workload w[2];
    struct ew_run_workload runs[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct hand_tasks *t = hand_tasks_new(1);
        const uint32_t work = hand_node_after(t, hand_compute(t, 0, 1.0 + i), 0);
        tasks[i] = hand_answer(t, 0, work);
        hand_workload_init(&w[i], tasks[i], 2, 1);
        runs[i] = w[i].run;
    }
    const struct ew_run run = closed_form_run(platform, runs, 2);
    const double latency_s[] = {1, 3, 3, 3};
    closed_form_expect_run(&run, 4, latency_s);
    ew_task_graph_free(tasks[0]);
    ew_task_graph_free(tasks[1]);
    ew_platform_free(platform);
}
END_TEST

START_TEST(weights_on_change_load_once_for_the_same_plan)
{
    /* Load 1 s, work 0.5 s: 1.5 s, then 0.5 s each. */
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct hand_tasks *t = hand_tasks_new(1);
    const uint32_t load = hand_node_after(t, hand_load(t, 0, 1), 0);
    const uint32_t work = hand_node_after(t, hand_compute(t, 0, 0.5), load);
    struct ew_task_graph *tasks = hand_answer(t, 0, work);
    struct hand_workload w;
    hand_workload_init(&w, tasks, 3, 1);
    w.plan.weights = EW_WEIGHTS_ON_CHANGE;
    const struct ew_run run = closed_form_run(platform, &w.run, 1);
    const double latency_s[] = {1.5, 0.5, 0.5};
    closed_form_expect_run(&run, 3, latency_s);
    w.plan.weights = EW_WEIGHTS_PER_REQUEST;
    const double always_s[] = {1.5, 1.5, 1.5};
    closed_form_expect_run(&run, 3, always_s);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

START_TEST(cycle_takes_plans_by_weight)
{
    /* Weights 2 and 1: plan 0 (1 s), plan 0, plan 1 (3 s), plan 0, … */
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct ew_plan plans[] = {{.name = "short", .batch = 1, .weight = 2},
                              {.name = "long", .batch = 1, .weight = 1}};
    struct ew_plan *list[] = {&plans[0], &plans[1]};
    const struct ew_book book = {
        .strategy = "", .pick = EW_PICK_CYCLE, .n_plans = 2, .plans = list};
    const struct ew_task_graph *graphs[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct hand_tasks *t = hand_tasks_new(1);
        const uint32_t work = hand_node_after(t, hand_compute(t, 0, 1.0 + 2 * i), 0);
        graphs[i] = hand_answer(t, 0, work);
    }
    struct hand_workload w;
    hand_workload_init(&w, graphs[0], 5, 1);
    w.run.book = &book;
    w.run.task_graphs = graphs;
    const struct ew_run run = closed_form_run(platform, &w.run, 1);
    const double latency_s[] = {1, 1, 3, 1, 1};
    closed_form_expect_run(&run, 5, latency_s);
    ew_task_graph_free((struct ew_task_graph *)graphs[0]);
    ew_task_graph_free((struct ew_task_graph *)graphs[1]);
    ew_platform_free(platform);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        closed_loop_keeps_k_outstanding,
        periodic_arrivals_queue_when_the_device_is_too_slow,
        trace_arrivals_come_at_their_times,
        thinking_users_come_back_after_their_answer,
        groups_arrive_together,
        poisson_arrivals_wait_as_queueing_theory_says,
        poisson_bursts_wait_as_queueing_theory_says,
        thinking_users_bound_the_throughput,
        job_carries_several_requests,
        two_workloads_share_a_device,
        weights_on_change_load_once_for_the_same_plan,
        cycle_takes_plans_by_weight,
    };
    return run_suite("arrival_forms", tests, sizeof tests / sizeof *tests);
}
