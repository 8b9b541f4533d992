/* Closed forms of chains that idle devices take from a pool, on both engines. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "plan/check.h"
#include "plan/lower.h"
#include "support/collect.h"
#include "support/hand.h"
#include "support/suite.h"
#include "support/tiny.h"

/* A chain is taken 2.618 ns after it could be; the forms below leave that out. */
#define TOLERANCE_S 1e-7

enum { N_DEVICES = 3, STEAL_BYTES = 200, MAX_TILES = 16 };

#define BYTES_PER_S 1e6
#define LATENCY_S 0.001

static const struct tiny_layer layers[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 8, .kernel = 1},
};

/* `n` tiles of equal height of layer a, each a chain, in a pool at device 0. Every pair of devices
 * has a link of its own, so that messages only meet on their connection. */
struct world {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_task_graph *tasks;
    struct ew_segment segment;
    struct ew_piece pieces[MAX_TILES];
    struct ew_pool pool;
    struct ew_plan plan;
    struct ew_plan *plans[1];
    struct ew_book book;
    struct ew_run_workload workload;
    struct ew_dynamics dynamics;
    struct ew_signal signals[2];
    struct ew_run run;
    /* of one tile */
    double steal_s, input_s, work_s, output_s;
};

static struct ew_platform *mesh(double overhead_s)
{
    struct hand_platform *p = hand_platform_new();
    for (uint32_t i = 0; i < N_DEVICES; i++) {
        (void)hand_device(p, overhead_s);
    }
    for (uint32_t i = 0; i < N_DEVICES; i++) {
        for (uint32_t k = 0; k < N_DEVICES; k++) {
            if (i != k) {
                const uint32_t link = hand_link(p, BYTES_PER_S, LATENCY_S);
                hand_route(p, i, k, 1, &link);
            }
        }
    }
    return hand_platform_finish(p);
}

static double message_s(double bytes)
{
    return LATENCY_S + bytes / BYTES_PER_S;
}

static struct world *world_new(uint32_t n_tiles, uint32_t n_members, const uint32_t *members,
                               double overhead_s)
{
    struct world *w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    const int32_t rows = 64 / (int32_t)n_tiles;
    w->graph = tiny_graph(4, 64, 64, 1, layers);
    w->platform = mesh(overhead_s);
    for (uint32_t i = 0; i < n_tiles; i++) {
        w->pieces[i] = tiny_rows(w->graph, "a", 0, rows * (int32_t)i, rows * (int32_t)(i + 1));
        w->pieces[i].chain = i;
        w->pieces[i].pool = 1;
    }
    w->pool = (struct ew_pool){0, STEAL_BYTES, n_members, members};
    w->plan = tiny_plan(w->graph, &w->segment, w->pieces, n_tiles);
    w->plan.n_pools = 1;
    w->plan.pools = &w->pool;
    w->plans[0] = &w->plan;
    const struct ew_plan_context context = {w->graph, w->platform, ew_element_bytes_of(w->graph)};
    struct ew_lower *lower = ew_lower_new();
    struct ew_error err = {0};
    ck_assert_msg(ew_plan_check(&context, &w->plan, &err) == EW_OK, "%s", err.message);
    ck_assert_msg(ew_lower_plan(&w->tasks, lower, &context, &w->plan, NULL, &err) == EW_OK, "%s",
                  err.message);
    ew_lower_free(lower);
    w->book = (struct ew_book){.strategy = "", .n_plans = 1, .plans = w->plans};
    w->workload = (struct ew_run_workload){
        .name = "pool",
        .book = &w->book,
        .task_graphs = (const struct ew_task_graph *const *)&w->tasks,
        .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 1},
        .n_requests = 1,
        .requests_per_job = 1,
        .deadline_s = INFINITY,
    };
    w->dynamics.policy = ew_failure_policy_default();
    w->dynamics.signals = w->signals;
    w->run = (struct ew_run){.platform = w->platform,
                             .net = ew_net_model_find("ideal"),
                             .n_workloads = 1,
                             .workloads = &w->workload,
                             .seed = 1};
    w->steal_s = message_s(STEAL_BYTES);
    w->input_s = message_s(4 * 4 * rows * 64); /* 4 channels of 4 bytes */
    w->work_s = 2.0 * 4 * 8 * rows * 64 / 1e9; /* 2 flops a MAC, 1 GFLOP/s */
    w->output_s = message_s(8 * 4 * rows * 64);
    return w;
}

static void add_signal(struct world *w, enum ew_quantity quantity, uint32_t target,
                       const double *times_s, const double *values, uint32_t n)
{
    w->run.dynamics = &w->dynamics;
    w->signals[w->dynamics.n_signals++] = (struct ew_signal){
        .quantity = quantity, .target = target, .n_steps = n, .times_s = times_s, .values = values};
}

static void world_free(struct world *w)
{
    ew_task_graph_free(w->tasks);
    ew_platform_free(w->platform);
    ew_graph_free(w->graph);
    free(w);
}

/* Runs on both engines; frees the world. */
static void expect(struct world *w, double latency_s, uint64_t n_messages)
{
    const struct ew_engine *const engines[] = {&ew_engine_fast, &ew_engine_simgrid};
    for (int e = 0; e < 2; e++) {
        struct collect c = {0};
        struct ew_error err = {0};
        ck_assert_msg(collect_run(&c, engines[e], w->run, &err) == EW_OK, "%s: %s", engines[e]->id,
                      err.message);
        ck_assert_msg(fabs(c.latency_s[0] - latency_s) < TOLERANCE_S,
                      "%s: expected %.12g s, got %.12g s", engines[e]->id, latency_s,
                      c.latency_s[0]);
        ck_assert_uint_eq(c.count[EW_EVENT_TRANSFER_END], n_messages);
        ck_assert_uint_eq(c.n_disorders, 0);
        ck_assert_uint_eq(c.n_overlaps, 0);
        collect_fini(&c);
    }
    world_free(w);
}

/* Two equal members, k equal tiles. A member asks, gets its input, computes and sends the output;
 * only then does its next steal message get the connection to the holder. So with
 *   cycle = steal + input + work + output
 * the last of k tiles is back after ceil(k / 2) cycles. */
START_TEST(two_members_take_turns)
{
    static const uint32_t members[] = {1, 2};
    for (uint32_t k = 1; k <= 16; k *= 2) {
        struct world *w = world_new(k, 2, members, 0);
        const double cycle_s = w->steal_s + w->input_s + w->work_s + w->output_s;
        expect(w, ceil(k / 2.0) * cycle_s, 3 * k);
    }
}
END_TEST

/* One member with message overhead o on every sender. Its output and its next steal message share
 * its send thread: o each, one after the other; then the steal waits for the connection, since the
 * output takes longer than o. So for k tiles: o + steal at first, then k times
 *   (o + input) + work + (o + output), and k - 1 times steal. */
START_TEST(overheads_are_paid_by_the_send_threads)
{
    static const uint32_t members[] = {1};
    const double o_s = 0.0005;
    const double k = 4;
    struct world *w = world_new((uint32_t)k, 1, members, o_s);
    ck_assert_double_gt(w->output_s, o_s);
    const double each_s = o_s + w->input_s + w->work_s + o_s + w->output_s;
    expect(w, o_s + w->steal_s + k * each_s + (k - 1) * w->steal_s, 3 * (uint64_t)k);
}
END_TEST

/* The holder is a member: its own tiles cost only their work. With a cycle of device 1 as above and
 * work c of the holder, it takes the first tile and, while device 1 is at its own, every c another
 * one. All but one of k tiles are its own if (k - 1) * c <= cycle. */
START_TEST(the_holder_pays_no_messages)
{
    static const uint32_t members[] = {0, 1};
    struct world *w = world_new(4, 2, members, 0);
    const double cycle_s = w->steal_s + w->input_s + w->work_s + w->output_s;
    ck_assert_double_lt(3 * w->work_s, cycle_s - w->output_s);
    expect(w, cycle_s, 3);
}
END_TEST

/* Members of different speed: whoever is back first takes the next. Device 1 runs at a fraction of
 * its speed, so that its work is `slowness` times as long. Greedy by hand: the next tile goes to
 * the member whose last cycle ends first. */
START_TEST(a_slow_member_takes_fewer)
{
    static const uint32_t members[] = {1, 2};
    static const double times_s[] = {0}, values[] = {0.02};
    for (uint32_t k = 2; k <= 16; k *= 2) {
        struct world *w = world_new(k, 2, members, 0);
        const double messages_s = w->steal_s + w->input_s + w->output_s;
        const double cycle_s[] = {messages_s + w->work_s / values[0], messages_s + w->work_s};
        double free_s[] = {0, 0};
        for (uint32_t i = 0; i < k; i++) {
            const int m = free_s[1] < free_s[0];
            free_s[m] += cycle_s[m];
        }
        add_signal(w, EW_QUANTITY_DEVICE_SPEED, 1, times_s, values, 1);
        expect(w, fmax(free_s[0], free_s[1]), 3 * k);
    }
}
END_TEST

/* A member goes down while it computes: its chain fails the attempt, as any task would. The next
 * attempt begins at once, since the other member can do it alone: down + k cycles. */
START_TEST(the_next_attempt_does_without_the_lost_member)
{
    static const uint32_t members[] = {1, 2};
    struct world *w = world_new(4, 2, members, 0);
    const double down_s = w->steal_s + w->input_s + w->work_s / 2;
    const double times_s[] = {down_s}, values[] = {0};
    const double cycle_s = w->steal_s + w->input_s + w->work_s + w->output_s;
    add_signal(w, EW_QUANTITY_DEVICE_UP, 1, times_s, values, 1);
    w->dynamics.policy.on_failure = EW_ON_FAILURE_WAIT;
    /* two of the first attempt's steals and inputs, then three messages a tile */
    expect(w, down_s + 4 * cycle_s, 4 + 12);
}
END_TEST

/* A member that is down takes nothing; when it comes up it helps. Tiles go to device 2 alone until
 * then; device 1 takes the next one at once and works beside it from there on. */
START_TEST(a_member_that_comes_up_takes_part)
{
    static const uint32_t members[] = {1, 2};
    struct world *w = world_new(4, 2, members, 0);
    const double cycle_s = w->steal_s + w->input_s + w->work_s + w->output_s;
    const double up_s = 1.5 * cycle_s;
    const double times_s[] = {0, up_s}, values[] = {0, 1};
    add_signal(w, EW_QUANTITY_DEVICE_UP, 1, times_s, values, 2);
    /* 2: tiles 0, 1 and 3 until 3 cycles; 1: tile 2 from 1.5 to 2.5 cycles */
    expect(w, 3 * cycle_s, 12);
}
END_TEST

/* Lost with its holder: nothing can be taken from it. */
START_TEST(a_lost_holder_fails_the_attempt)
{
    static const uint32_t members[] = {1, 2};
    static const double times_s[] = {0.0001}, values[] = {0};
    struct world *w = world_new(4, 2, members, 0);
    add_signal(w, EW_QUANTITY_DEVICE_UP, 0, times_s, values, 1);
    w->dynamics.policy.on_failure = EW_ON_FAILURE_FAIL;
    const struct ew_engine *const engines[] = {&ew_engine_fast, &ew_engine_simgrid};
    for (int e = 0; e < 2; e++) {
        struct collect c = {0};
        struct ew_error err = {0};
        ck_assert_msg(collect_run(&c, engines[e], w->run, &err) == EW_OK, "%s", err.message);
        ck_assert_uint_eq(c.count[EW_EVENT_REQUEST_FAILED], 1);
        collect_fini(&c);
    }
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        two_members_take_turns,
        overheads_are_paid_by_the_send_threads,
        the_holder_pays_no_messages,
        a_slow_member_takes_fewer,
        the_next_attempt_does_without_the_lost_member,
        a_member_that_comes_up_takes_part,
        a_lost_holder_fails_the_attempt,
    };
    return run_suite("pool_forms", tests, sizeof tests / sizeof *tests);
}
