/* Hand sums: every test states its formula, and both engines have to give it. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "support/closed_form.h"
#include "support/suite.h"

/* --- transfers -------------------------------------------------------------------------------- */

START_TEST(transfer_costs_overhead_latency_and_bytes)
{
    /* 0.01 s overhead + 0.001 s + 1e6 B / 1e6 B/s = 1.011 s */
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0.01);
    (void)hand_device(p, 0);
    const uint32_t link = hand_link(p, 1e6, 0.001);
    hand_route(p, 0, 1, 1, &link);
    struct hand_tasks *t = hand_tasks_new(2);
    const uint32_t m = hand_node_after(t, hand_message(t, 0, 1, 1000000), 0);
    closed_form_expect_one(hand_platform_finish(p), hand_answer(t, 1, m), 1.011);
}
END_TEST

START_TEST(send_thread_takes_messages_one_by_one_beside_computing)
{
    /* To two receivers over links of their own: overheads 0.01 s one after the other, then 0.1 s
     * each: the second arrives at 0.02 + 0.1. Computing 0.12 s meanwhile changes nothing. */
    struct hand_platform *p = hand_platform_new();
    for (int d = 0; d < 3; d++) {
        (void)hand_device(p, 0.01);
    }
    for (uint32_t d = 1; d < 3; d++) {
        const uint32_t link = hand_link(p, 1e6, 0);
        hand_route(p, 0, d, 1, &link);
    }
    struct hand_tasks *t = hand_tasks_new(3);
    const uint32_t work = hand_node_after(t, hand_compute(t, 0, 0.12), 0);
    const uint32_t first = hand_node_after(t, hand_message(t, 0, 1, 100000), 0);
    const uint32_t second = hand_node_after(t, hand_message(t, 0, 2, 100000), 0);
    const uint32_t all = hand_join(t, 0);
    hand_after(t, all, work);
    hand_after(t, all, first);
    hand_after(t, all, second);
    closed_form_expect_one(hand_platform_finish(p), hand_tasks_finish(t), 0.12);
}
END_TEST

START_TEST(two_flows_share_a_link_equally)
{
    /* 2 x 1e6 B over 1e6 B/s, latency 0.5 s both: 0.5 + 2 */
    struct hand_tasks *t = hand_tasks_new(3);
    const uint32_t a = hand_node_after(t, hand_message(t, 0, 2, 1000000), 0);
    const uint32_t b = hand_node_after(t, hand_message(t, 1, 2, 1000000), 0);
    const uint32_t all = hand_join(t, 2);
    hand_after(t, all, a);
    hand_after(t, all, b);
    closed_form_expect_one(hand_medium(3, 1e6, 0.5), hand_tasks_finish(t), 2.5);
}
END_TEST

START_TEST(connection_carries_one_message_at_a_time)
{
    /* Same pair: 2 x (0.5 s latency + 1 s). */
    struct hand_tasks *t = hand_tasks_new(2);
    const uint32_t a = hand_node_after(t, hand_message(t, 0, 1, 1000000), 0);
    const uint32_t b = hand_node_after(t, hand_message(t, 0, 1, 1000000), 0);
    const uint32_t all = hand_join(t, 1);
    hand_after(t, all, a);
    hand_after(t, all, b);
    closed_form_expect_one(hand_medium(2, 1e6, 0.5), hand_tasks_finish(t), 3);
}
END_TEST

START_TEST(link_named_twice_counts_twice)
{
    /* A WLAN relay: 2 x 0.001 s + 2 x 1e6 B / 1e6 B/s = 2.002 s */
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    (void)hand_device(p, 0);
    const uint32_t link = hand_link(p, 1e6, 0.001);
    const uint32_t twice[] = {link, link};
    hand_route(p, 0, 1, 2, twice);
    struct hand_tasks *t = hand_tasks_new(2);
    const uint32_t m = hand_node_after(t, hand_message(t, 0, 1, 1000000), 0);
    closed_form_expect_one(hand_platform_finish(p), hand_answer(t, 1, m), 2.002);
}
END_TEST

START_TEST(fatpipe_gives_every_flow_its_bandwidth)
{
    /* 3 flows of 1e6 B, each 1e6 B/s, through a fatpipe of 2e6 B/s: 1 s */
    struct hand_platform *p = hand_platform_new();
    for (int d = 0; d < 4; d++) {
        (void)hand_device(p, 0);
    }
    const uint32_t pipe = hand_fatpipe(p, 2e6, 0);
    for (uint32_t d = 0; d < 3; d++) {
        const uint32_t links[] = {hand_link(p, 1e6, 0), pipe};
        hand_route(p, d, 3, 2, links);
    }
    struct hand_tasks *t = hand_tasks_new(4);
    uint32_t m[3];
    for (uint32_t d = 0; d < 3; d++) {
        m[d] = hand_node_after(t, hand_message(t, d, 3, 1000000), 0);
    }
    const uint32_t all = hand_join(t, 3);
    for (uint32_t d = 0; d < 3; d++) {
        hand_after(t, all, m[d]);
    }
    closed_form_expect_one(hand_platform_finish(p), hand_tasks_finish(t), 1);
}
END_TEST

/* Device 0 scatters 1 MB to devices 1..3 at the same instant; the answer is what `which` gets. */
static void expect_scatter(uint32_t which, double latency_s)
{
    const double down_bytes_per_s[] = {0, 25e6, 6.25e6, 6.25e6};
    struct hand_platform *p = hand_platform_new();
    for (int d = 0; d < 4; d++) {
        (void)hand_device(p, 0);
    }
    const uint32_t up = hand_link(p, 37.5e6, 0.001);
    for (uint32_t d = 1; d < 4; d++) {
        const uint32_t links[] = {up, hand_link(p, down_bytes_per_s[d], 0.001)};
        hand_route(p, 0, d, 2, links);
    }
    struct hand_tasks *t = hand_tasks_new(4);
    uint32_t m[4];
    for (uint32_t d = 1; d < 4; d++) {
        m[d] = hand_node_after(t, hand_message(t, 0, d, 1000000), 0);
    }
    closed_form_expect_one(hand_platform_finish(p), hand_answer(t, which, m[which]), latency_s);
}

START_TEST(scatter_fills_the_uplink_without_overfilling_downlinks)
{
    /* Uplink 37.5 MB/s = 25 + 6.25 + 6.25: every downlink at its own rate. SimGrid with
     * maxmin-selective-update (its default with Lazy) gives 0.082 s for all three. */
    expect_scatter(1, 0.002 + 1e6 / 25e6);
    expect_scatter(2, 0.002 + 1e6 / 6.25e6);
    expect_scatter(3, 0.002 + 1e6 / 6.25e6);
}
END_TEST

/* Two flows of 1 MB over a common link of 1 MB/s with 0 s, and an own one each that adds its
 * latency. The answer is the first or second flow's. */
static void expect_pair(double first_latency_s, double second_latency_s, uint32_t which,
                        double latency_s)
{
    const double latencies_s[] = {first_latency_s, second_latency_s};
    struct hand_platform *p = hand_platform_new();
    for (int d = 0; d < 3; d++) {
        (void)hand_device(p, 0);
    }
    const uint32_t common = hand_link(p, 1e6, 0);
    for (uint32_t d = 0; d < 2; d++) {
        const uint32_t links[] = {hand_link(p, 1e9, latencies_s[d]), common};
        hand_route(p, d, 2, 2, links);
    }
    struct hand_tasks *t = hand_tasks_new(3);
    uint32_t m[2];
    m[0] = hand_node_after(t, hand_message(t, 0, 2, 1000000), 0);
    m[1] = hand_node_after(t, hand_message(t, 1, 2, 1000000), 0);
    closed_form_expect_one(hand_platform_finish(p), hand_answer(t, 2, m[which]), latency_s);
}

START_TEST(flows_share_by_inverse_latency)
{
    /* Latencies 1 and 10 ms, weights 1000 and 100. The first is alone for 9 ms, then has 10/11 of
     * the link: 0.01 + 991000 B / (10/11 MB/s) = 1.1001 s. The second has had 99100 B by then:
     * 1.1001 + 0.9009 = 2.001 s. */
    expect_pair(0.001, 0.01, 0, 1.1001);
    expect_pair(0.001, 0.01, 1, 2.001);
}
END_TEST

START_TEST(flow_without_latency_has_weight_one)
{
    /* Weights 1 and 1000. The second begins at 1 ms and takes 1.001 s; the first has had 1000 B
     * before and 1000 B meanwhile: 1.002 + 0.998 = 2 s. */
    expect_pair(0, 0.001, 1, 1.002);
    expect_pair(0, 0.001, 0, 2.0);
}
END_TEST

START_TEST(tcp_preset_stretches_latency_and_bandwidth)
{
    /* LV08: 13.01 * 0.001 s + 1e6 B / (0.97 * 1e6 B/s) */
    const double latency_s = 0.01301 + 1 / 0.97;
    struct hand_tasks *t = hand_tasks_new(2);
    const uint32_t m = hand_node_after(t, hand_message(t, 0, 1, 1000000), 0);
    struct ew_task_graph *tasks = hand_answer(t, 1, m);
    struct ew_platform *platform = hand_medium(2, 1e6, 0.001);
    struct hand_workload w;
    hand_workload_init(&w, tasks, 1, 1);
    struct ew_run run = closed_form_run(platform, &w.run, 1);
    run.net = ew_net_model_find("tcp");
    closed_form_expect_run(&run, 1, &latency_s);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

/* --- devices and dependencies ----------------------------------------------------------------- */

START_TEST(pipeline_is_paced_by_its_slowest_stage)
{
    /* Stages 2, 3, 1 ms, messages 1 ms: the first request takes 8 ms, each further one 3 ms more;
     * all arrive at 0. */
    struct hand_tasks *t = hand_tasks_new(3);
    const double works_s[] = {0.002, 0.003, 0.001};
    uint32_t at = 0;
    for (uint32_t d = 0; d < 3; d++) {
        at = hand_node_after(t, hand_compute(t, d, works_s[d]), at);
        if (d < 2) {
            at = hand_node_after(t, hand_message(t, d, d + 1, 1000), at);
        }
    }
    double latency_s[10];
    for (uint32_t i = 0; i < 10; i++) {
        latency_s[i] = 0.008 + 0.003 * i;
    }
    closed_form_expect_loop(hand_row(3, 1e6, 0), hand_answer(t, 2, at), 10, 10, latency_s);
}
END_TEST

START_TEST(join_waits_for_the_last)
{
    /* 1, 2, 3 ms on three devices, a barrier, then 1 ms on each: 4 ms */
    struct hand_tasks *t = hand_tasks_new(3);
    uint32_t work[3];
    for (uint32_t d = 0; d < 3; d++) {
        work[d] = hand_node_after(t, hand_compute(t, d, 0.001 * (d + 1)), 0);
    }
    const uint32_t barrier = hand_join(t, 0);
    for (uint32_t d = 0; d < 3; d++) {
        hand_after(t, barrier, work[d]);
    }
    for (uint32_t d = 0; d < 3; d++) {
        work[d] = hand_node_after(t, hand_compute(t, d, 0.001), barrier);
    }
    const uint32_t all = hand_join(t, 0);
    for (uint32_t d = 0; d < 3; d++) {
        hand_after(t, all, work[d]);
    }
    closed_form_expect_one(hand_medium(3, 1e6, 0), hand_tasks_finish(t), 0.004);
}
END_TEST

START_TEST(relay_takes_two_hops)
{
    /* 1 -> hub 0 -> 2, stored in between: 2 x (0.001 + 0.1) s */
    struct hand_tasks *t = hand_tasks_new(3);
    const uint32_t up = hand_node_after(t, hand_message(t, 1, 0, 100000), 0);
    const uint32_t down = hand_node_after(t, hand_message(t, 0, 2, 100000), up);
    closed_form_expect_one(hand_medium(3, 1e6, 0.001), hand_answer(t, 2, down), 0.202);
}
END_TEST

START_TEST(gather_collects_before_it_hands_out)
{
    /* 1 and 2 send 100 kB to the hub over one medium (0.001 + 0.2 s), which then returns 300 kB to
     * both (0.001 + 0.6 s). */
    struct hand_tasks *t = hand_tasks_new(3);
    const uint32_t a = hand_node_after(t, hand_message(t, 1, 0, 100000), 0);
    const uint32_t b = hand_node_after(t, hand_message(t, 2, 0, 100000), 0);
    const uint32_t gathered = hand_join(t, 0);
    hand_after(t, gathered, a);
    hand_after(t, gathered, b);
    const uint32_t back_1 = hand_node_after(t, hand_message(t, 0, 1, 300000), gathered);
    const uint32_t back_2 = hand_node_after(t, hand_message(t, 0, 2, 300000), gathered);
    const uint32_t all = hand_join(t, 0);
    hand_after(t, all, back_1);
    hand_after(t, all, back_2);
    closed_form_expect_one(hand_medium(3, 1e6, 0.001), hand_tasks_finish(t), 0.802);
}
END_TEST

/* --- order ------------------------------------------------------------------------------------ */

START_TEST(simultaneous_tasks_run_by_job_then_node)
{
    /* Two jobs at 0, tasks of 1 and 2 ms each on one device: 3 ms, then 6 ms. */
    const double latency_s[] = {0.003, 0.006};
    struct hand_tasks *t = hand_tasks_new(1);
    const uint32_t a = hand_node_after(t, hand_compute(t, 0, 0.001), 0);
    const uint32_t b = hand_node_after(t, hand_compute(t, 0, 0.002), 0);
    const uint32_t all = hand_join(t, 0);
    hand_after(t, all, a);
    hand_after(t, all, b);
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    closed_form_expect_loop(hand_platform_finish(p), hand_tasks_finish(t), 2, 2, latency_s);
}
END_TEST

START_TEST(waiting_tasks_run_in_the_order_they_became_ready)
{
    /* Device 0 is busy for 3 ms. Node `late` is ready at 2 ms, `early` (a later node) at 1 ms:
     * early runs 3..8 ms, late 8..18 ms. */
    struct hand_tasks *t = hand_tasks_new(3);
    const uint32_t busy = hand_node_after(t, hand_compute(t, 0, 0.003), 0);
    const uint32_t two = hand_node_after(t, hand_compute(t, 1, 0.002), 0);
    const uint32_t one = hand_node_after(t, hand_compute(t, 2, 0.001), 0);
    const uint32_t late = hand_node_after(t, hand_compute(t, 0, 0.010), two);
    const uint32_t early = hand_node_after(t, hand_compute(t, 0, 0.005), one);
    const uint32_t all = hand_join(t, 0);
    hand_after(t, all, busy);
    hand_after(t, all, late);
    hand_after(t, all, early);
    closed_form_expect_one(hand_medium(3, 1e6, 0), hand_tasks_finish(t), 0.018);

    t = hand_tasks_new(3);
    (void)hand_node_after(t, hand_compute(t, 0, 0.003), 0);
    const uint32_t two_again = hand_node_after(t, hand_compute(t, 1, 0.002), 0);
    const uint32_t one_again = hand_node_after(t, hand_compute(t, 2, 0.001), 0);
    (void)hand_node_after(t, hand_compute(t, 0, 0.010), two_again);
    const uint32_t early_again = hand_node_after(t, hand_compute(t, 0, 0.005), one_again);
    closed_form_expect_one(hand_medium(3, 1e6, 0), hand_answer(t, 0, early_again), 0.008);
}
END_TEST

/* 0.1 + 0.2 = 0.30000000000000004 on device 1, 0.3 on device 2: equal on paper. Returns the two
 * nodes that are done then. */
static void two_ways_to_0_3(struct hand_tasks *t, uint32_t *slower, uint32_t *faster)
{
    const uint32_t a = hand_node_after(t, hand_compute(t, 1, 0.1), 0);
    *slower = hand_node_after(t, hand_compute(t, 1, 0.2), a);
    *faster = hand_node_after(t, hand_compute(t, 2, 0.3), 0);
}

START_TEST(times_equal_on_paper_tie_on_a_device)
{
    /* The lower node goes first although it is ready 5e-17 s later: 0.3 + 1 s. (Otherwise the other
     * one would, and the answer take 3.3 s.) */
    struct hand_tasks *t = hand_tasks_new(3);
    uint32_t slower, faster;
    two_ways_to_0_3(t, &slower, &faster);
    const uint32_t first = hand_node_after(t, hand_compute(t, 0, 1), slower);
    (void)hand_node_after(t, hand_compute(t, 0, 2), faster);
    closed_form_expect_one(hand_medium(3, 1e6, 0), hand_answer(t, 0, first), 1.3);
}
END_TEST

START_TEST(times_equal_on_paper_tie_on_a_connection)
{
    /* Likewise: 0.3 + 1 s latency + 1e6 B / 1e6 B/s */
    struct hand_tasks *t = hand_tasks_new(3);
    uint32_t slower, faster;
    two_ways_to_0_3(t, &slower, &faster);
    const uint32_t first = hand_node_after(t, hand_message(t, 0, 1, 1000000), slower);
    (void)hand_node_after(t, hand_message(t, 0, 1, 2000000), faster);
    closed_form_expect_one(hand_medium(3, 1e6, 1), hand_answer(t, 1, first), 2.3);
}
END_TEST

START_TEST(times_equal_on_paper_tie_on_a_send_thread)
{
    /* Likewise, to two receivers: 0.3 + 0.5 s overhead + 1e6 B / 1e6 B/s */
    struct hand_platform *p = hand_platform_new();
    for (int d = 0; d < 3; d++) {
        (void)hand_device(p, 0.5);
    }
    for (uint32_t d = 1; d < 3; d++) {
        const uint32_t link = hand_link(p, 1e6, 0);
        hand_route(p, 0, d, 1, &link);
    }
    struct hand_tasks *t = hand_tasks_new(3);
    uint32_t slower, faster;
    two_ways_to_0_3(t, &slower, &faster);
    const uint32_t first = hand_node_after(t, hand_message(t, 0, 1, 1000000), slower);
    (void)hand_node_after(t, hand_message(t, 0, 2, 1000000), faster);
    closed_form_expect_one(hand_platform_finish(p), hand_answer(t, 1, first), 1.8);
}
END_TEST

START_TEST(exchanged_message_leaves_no_flow_behind)
{
    /* As on a connection above, and at 0.3 s a third message of 1e6 B begins from 2 to 1 on the
     * same medium. It shares with the chosen message only: 0.3 + 0.5 + 2 s. (The one that was
     * exchanged would slow both down.) */
    struct hand_tasks *t = hand_tasks_new(3);
    uint32_t slower, faster;
    two_ways_to_0_3(t, &slower, &faster);
    const uint32_t first = hand_node_after(t, hand_message(t, 0, 1, 1000000), slower);
    (void)hand_node_after(t, hand_message(t, 0, 1, 9000000), faster);
    const uint32_t third = hand_node_after(t, hand_message(t, 2, 1, 1000000), faster);
    const uint32_t both = hand_join(t, 1);
    hand_after(t, both, first);
    hand_after(t, both, third);
    closed_form_expect_one(hand_medium(3, 1e6, 0.5), hand_tasks_finish(t), 2.8);
}
END_TEST

/* --- facts and failures ----------------------------------------------------------------------- */

/* Device 0 computes 1 s and sends 1 MB in 1 s, device 1 computes 2 s. */
static struct ew_task_graph *small_job(void)
{
    struct hand_tasks *t = hand_tasks_new(2);
    const uint32_t a = hand_node_after(t, hand_compute(t, 0, 1), 0);
    const uint32_t m = hand_node_after(t, hand_message(t, 0, 1, 1000000), a);
    const uint32_t b = hand_node_after(t, hand_compute(t, 1, 2), m);
    return hand_answer(t, 1, b);
}

START_TEST(busy_seconds_and_bytes_add_up)
{
    struct ew_platform *platform = hand_medium(2, 1e6, 0);
    struct ew_task_graph *tasks = small_job();
    struct hand_workload w;
    hand_workload_init(&w, tasks, 3, 1);
    for (uint32_t e = 0; e < CLOSED_FORM_ENGINES; e++) {
        struct collect c = {0};
        struct ew_error err = {0};
        ck_assert_int_eq(
            collect_run(&c, closed_form_engines[e], closed_form_run(platform, &w.run, 1), &err),
            EW_OK);
        ck_assert_double_eq_tol(c.busy_s[0], 3, CLOSED_FORM_TOLERANCE_S);
        ck_assert_double_eq_tol(c.busy_s[1], 6, CLOSED_FORM_TOLERANCE_S);
        ck_assert_double_eq_tol(c.sending_s[0], 3, CLOSED_FORM_TOLERANCE_S);
        ck_assert_uint_eq(c.bytes[1], 3000000);
        ck_assert_uint_eq(c.bytes[2], 0);
        ck_assert_uint_eq(c.facts.n_tasks, 6);
        ck_assert_uint_eq(c.facts.n_transfers, 3);
        ck_assert_double_eq_tol(c.facts.end_s, 12, CLOSED_FORM_TOLERANCE_S);
        collect_fini(&c);
    }
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

START_TEST(simgrid_reports_base_state_energy)
{
    /* 12 s at 1 W idle, computing adds 2 W: 12 + 2 * 3 J and 12 + 2 * 6 J; radio is not in it. */
    struct ew_platform *platform = hand_medium(2, 1e6, 0);
    struct ew_task_graph *tasks = small_job();
    struct hand_workload w;
    hand_workload_init(&w, tasks, 3, 1);
    struct collect c = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(
        collect_run(&c, &ew_engine_simgrid, closed_form_run(platform, &w.run, 1), &err), EW_OK);
    ck_assert(c.facts.has_host_energy);
    ck_assert_double_eq_tol(c.host_energy_j[0], 18, 1e-6);
    ck_assert_double_eq_tol(c.host_energy_j[1], 24, 1e-6);
    collect_fini(&c);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

/* Run on one engine; expects a status and a part of the message. */
static void expect_failure(const struct ew_engine *engine, const struct ew_run *run,
                           enum ew_status status, const char *part)
{
    struct collect c = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(collect_run(&c, engine, *run, &err), status);
    ck_assert_msg(strstr(err.message, part) != NULL, "%s: %s", engine->id, err.message);
    ck_assert_ptr_null(strchr(err.message, '\n'));
    collect_fini(&c);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    ck_assert_int_eq(errno, ECHILD);
}

START_TEST(request_that_cannot_end_is_a_deadlock)
{
    struct hand_tasks *t = hand_tasks_new(1);
    const uint32_t orphan = hand_compute(t, 0, 1); /* nobody releases it */
    struct ew_task_graph *tasks = hand_answer(t, 0, orphan);
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct hand_workload w;
    hand_workload_init(&w, tasks, 3, 2);
    const struct ew_run run = closed_form_run(platform, &w.run, 1);
    for (uint32_t e = 0; e < CLOSED_FORM_ENGINES; e++) {
        expect_failure(closed_form_engines[e], &run, EW_EDEADLOCK, "2 requests never finished");
    }
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

START_TEST(missing_route_is_refused_with_both_names)
{
    struct ew_task_graph *tasks = small_job();
    struct hand_platform *p = hand_platform_new();
    (void)hand_device(p, 0);
    (void)hand_device(p, 0);
    struct ew_platform *platform = hand_platform_finish(p);
    struct hand_workload w;
    hand_workload_init(&w, tasks, 1, 1);
    const struct ew_run run = closed_form_run(platform, &w.run, 1);
    for (uint32_t e = 0; e < CLOSED_FORM_ENGINES; e++) {
        expect_failure(closed_form_engines[e], &run, EW_EINPUT, "from 'd0' to 'd1'");
    }
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

START_TEST(interruption_stops_the_engine)
{
    /* Long enough that fast looks at the flag. */
    const volatile int interrupted = 1;
    struct ew_platform *platform = hand_medium(2, 1e6, 0);
    struct ew_task_graph *tasks = small_job();
    struct hand_workload w;
    hand_workload_init(&w, tasks, 100000, 1);
    struct ew_run run = closed_form_run(platform, &w.run, 1);
    run.interrupted = &interrupted;
    for (uint32_t e = 0; e < CLOSED_FORM_ENGINES; e++) {
        expect_failure(closed_form_engines[e], &run, EW_EINTR, "interrupted");
    }
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

START_TEST(death_of_simgrid_is_an_engine_error_with_its_reason)
{
    struct ew_net_model unknown = *ew_net_model_find("ideal");
    unknown.sg_model = "NoSuchModel";
    struct ew_platform *platform = hand_medium(2, 1e6, 0);
    struct ew_task_graph *tasks = small_job();
    struct hand_workload w;
    hand_workload_init(&w, tasks, 1, 1);
    struct ew_run run = closed_form_run(platform, &w.run, 1);
    run.net = &unknown;
    expect_failure(&ew_engine_simgrid, &run, EW_EENGINE, "NoSuchModel");
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        transfer_costs_overhead_latency_and_bytes,
        send_thread_takes_messages_one_by_one_beside_computing,
        two_flows_share_a_link_equally,
        connection_carries_one_message_at_a_time,
        link_named_twice_counts_twice,
        fatpipe_gives_every_flow_its_bandwidth,
        scatter_fills_the_uplink_without_overfilling_downlinks,
        flows_share_by_inverse_latency,
        flow_without_latency_has_weight_one,
        tcp_preset_stretches_latency_and_bandwidth,
        pipeline_is_paced_by_its_slowest_stage,
        join_waits_for_the_last,
        relay_takes_two_hops,
        gather_collects_before_it_hands_out,
        simultaneous_tasks_run_by_job_then_node,
        waiting_tasks_run_in_the_order_they_became_ready,
        times_equal_on_paper_tie_on_a_device,
        times_equal_on_paper_tie_on_a_connection,
        times_equal_on_paper_tie_on_a_send_thread,
        exchanged_message_leaves_no_flow_behind,
        busy_seconds_and_bytes_add_up,
        simgrid_reports_base_state_energy,
        request_that_cannot_end_is_a_deadlock,
        missing_route_is_refused_with_both_names,
        interruption_stops_the_engine,
        death_of_simgrid_is_an_engine_error_with_its_reason,
    };
    return run_suite("closed_forms", tests, sizeof tests / sizeof *tests);
}
