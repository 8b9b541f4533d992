/*
 * The energy meter: closed forms of the interval model, and that the parts add up to the total on
 * random event streams.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "results/energy.h"
#include "support/suite.h"
#include "unit/results_fixture.h"

#define TOLERANCE 1e-12

static struct ew_platform *platform;
static struct ew_energy *meter;

static void open_meter(const struct fixture_device *devices, uint32_t n, enum ew_energy_rule rule)
{
    struct ew_error err = {0};
    platform = fixture_platform(devices, n);
    ck_assert_int_eq(ew_energy_new(&meter, platform, rule, &err), EW_OK);
}

static void close_meter(void)
{
    ew_energy_free(meter);
    ew_platform_free(platform);
    meter = NULL;
    platform = NULL;
}

static struct ew_joules feed(enum ew_event_kind kind, double time_s, uint32_t device, uint32_t peer,
                             double value)
{
    struct ew_event event = fixture_event(kind, time_s);
    event.device = device;
    event.peer = peer;
    event.value = value;
    event.bytes = 1000;
    return ew_energy_event(meter, &event);
}

static void arrive(double time_s)
{
    (void)feed(EW_EVENT_REQUEST_ARRIVE, time_s, EW_NONE, EW_NONE, INFINITY);
}

static void finish(double time_s)
{
    (void)feed(EW_EVENT_REQUEST_DONE, time_s, EW_NONE, EW_NONE, time_s);
}

static double state_j(uint32_t device, enum ew_power_state state)
{
    return ew_energy_device(meter, device).energy_j[state];
}

static double total_j(void)
{
    double states_j[EW_POWER_STATE_COUNT], sum = 0;
    ew_energy_total(states_j, meter);
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        sum += states_j[i];
    }
    return sum;
}

/* off 0.5, idle 2, compute 6, tx 1, rx 3 W */
static const struct fixture_device trio[] = {
    {"a", NULL, 0.5, 2, 6, 1, 3, false},
    {"b", NULL, 0.5, 2, 6, 1, 3, false},
    {"c", NULL, 0.5, 2, 6, 1, 3, false},
};

START_TEST(computing_adds_to_idle)
{
    /* 5 s horizon at 2 W idle = 10 J; 2 s at 6 - 2 W = 8 J; 18 J. */
    open_meter(trio, 1, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TASK_START, 1, 0, EW_NONE, 0);
    const struct ew_joules task = feed(EW_EVENT_TASK_END, 3, 0, EW_NONE, 0);
    finish(5);
    ck_assert_double_eq_tol(task.own_j, 8, TOLERANCE);
    ck_assert_double_eq_tol(task.busy_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_IDLE), 10, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_COMPUTE), 8, TOLERANCE);
    ck_assert_double_eq_tol(total_j(), 18, TOLERANCE);
    ck_assert_double_eq_tol(ew_energy_device(meter, 0).busy_s, 2, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(transfer_pays_at_both_ends_while_bytes_flow)
{
    /* Latency [0, 1] is free; 2 s of flow: sender 2 s * 1 W, receiver 2 s * 3 W. */
    open_meter(trio, 2, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_SEND_START, 0, 0, 1, 0);
    (void)feed(EW_EVENT_TRANSFER_START, 0, 0, 1, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 1, 0, 1, 0);
    const struct ew_joules transfer = feed(EW_EVENT_TRANSFER_END, 3, 0, 1, 0);
    ck_assert_double_eq_tol(transfer.own_j, 2, TOLERANCE);
    ck_assert_double_eq_tol(transfer.peer_j, 6, TOLERANCE);
    ck_assert_double_eq_tol(transfer.busy_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_TX), 2, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_RX), 0, TOLERANCE);
    ck_assert_double_eq_tol(state_j(1, EW_POWER_RX), 6, TOLERANCE);
    ck_assert_double_eq_tol(total_j(), 3 * 2 * 2 + 8, TOLERANCE); /* idle of two, and 8 J */
    const struct ew_device_meter a = ew_energy_device(meter, 0), b = ew_energy_device(meter, 1);
    ck_assert_double_eq_tol(a.tx_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(b.rx_s, 2, TOLERANCE);
    ck_assert_uint_eq(a.tx_bytes, 1000);
    ck_assert_uint_eq(b.rx_bytes, 1000);
    ck_assert_uint_eq(a.rx_bytes + b.tx_bytes, 0);
    close_meter();
}
END_TEST

START_TEST(concurrent_transfers_share_the_radio)
{
    /* a sends to b in [0, 2] and to c in [1, 3]. a's radio is on 3 s = 3 J: each transfer has one
     * second alone and half of one: 1.5 J. b and c receive alone: 2 s * 3 W. */
    open_meter(trio, 3, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 0, 0, 1, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 1, 0, 2, 0);
    const struct ew_joules first = feed(EW_EVENT_TRANSFER_END, 2, 0, 1, 0);
    const struct ew_joules second = feed(EW_EVENT_TRANSFER_END, 3, 0, 2, 0);
    ck_assert_double_eq_tol(first.own_j, 1.5, TOLERANCE);
    ck_assert_double_eq_tol(second.own_j, 1.5, TOLERANCE);
    ck_assert_double_eq_tol(first.peer_j, 6, TOLERANCE);
    ck_assert_double_eq_tol(second.peer_j, 6, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_TX), 3, TOLERANCE);
    ck_assert_double_eq_tol(ew_energy_device(meter, 0).tx_s, 3, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(sending_and_receiving_add_up)
{
    /* b receives from a in [0, 2] and sends to c in [1, 3]: 2 s * 3 W and 2 s * 1 W, unshared. */
    open_meter(trio, 3, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 0, 0, 1, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 1, 1, 2, 0);
    (void)feed(EW_EVENT_TRANSFER_END, 2, 0, 1, 0);
    (void)feed(EW_EVENT_TRANSFER_END, 3, 1, 2, 0);
    ck_assert_double_eq_tol(state_j(1, EW_POWER_RX), 6, TOLERANCE);
    ck_assert_double_eq_tol(state_j(1, EW_POWER_TX), 2, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(receiver_rule_spares_the_sender)
{
    open_meter(trio, 2, EW_ENERGY_RECEIVER);
    arrive(0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 1, 0, 1, 0);
    const struct ew_joules transfer = feed(EW_EVENT_TRANSFER_END, 3, 0, 1, 0);
    ck_assert_double_eq(transfer.own_j, 0);
    ck_assert_double_eq_tol(transfer.peer_j, 6, TOLERANCE);
    ck_assert_double_eq_tol(total_j(), 3 * 2 * 2 + 6, TOLERANCE);
    ck_assert_double_eq_tol(ew_energy_device(meter, 0).tx_s, 2, TOLERANCE);
    close_meter();
}
END_TEST

/* A board with CPU and GPU: the CPU's off, idle and radio figures stand for the board. */
static const struct fixture_device board[] = {
    {"cpu", "nano", 0.5, 2, 6, 1, 3, false},
    {"gpu", "nano", 9, 1, 8, 9, 9, false},
    {"peer", NULL, 0, 1, 1, 0, 0, false},
};

START_TEST(devices_of_a_node_share_idle_power)
{
    /* Horizon 4 s: board idles at 2 W = 8 J (the gpu's 1 W is part of it), peer 4 J; cpu 1 s at
     * 6 - 2 W, gpu 2 s at 8 - 1 W. */
    open_meter(board, 3, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TASK_START, 0, 1, EW_NONE, 0);
    (void)feed(EW_EVENT_TASK_START, 1, 0, EW_NONE, 0);
    (void)feed(EW_EVENT_TASK_END, 2, 0, EW_NONE, 0);
    (void)feed(EW_EVENT_TASK_END, 2, 1, EW_NONE, 0);
    finish(4);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_IDLE), 8, TOLERANCE);
    ck_assert_double_eq_tol(state_j(1, EW_POWER_IDLE), 0, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_COMPUTE), 4, TOLERANCE);
    ck_assert_double_eq_tol(state_j(1, EW_POWER_COMPUTE), 14, TOLERANCE);
    ck_assert_double_eq_tol(total_j(), 8 + 4 + 4 + 14, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(devices_of_a_node_share_the_radio)
{
    /* cpu sends [0, 2], gpu [1, 3] through the cpu's 1 W radio: 1.5 J each, 3 J for the board. */
    open_meter(board, 3, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 0, 0, 2, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 1, 1, 2, 0);
    (void)feed(EW_EVENT_TRANSFER_END, 2, 0, 2, 0);
    (void)feed(EW_EVENT_TRANSFER_END, 3, 1, 2, 0);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_TX), 1.5, TOLERANCE);
    ck_assert_double_eq_tol(state_j(1, EW_POWER_TX), 1.5, TOLERANCE);
    ck_assert_double_eq_tol(ew_energy_device(meter, 0).tx_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(ew_energy_device(meter, 1).tx_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(total_j(), 3 * 2 + 3 * 1 + 3, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(messages_inside_a_node_use_no_radio)
{
    open_meter(board, 3, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 0, 0, 1, 0);
    const struct ew_joules transfer = feed(EW_EVENT_TRANSFER_END, 2, 0, 1, 0);
    ck_assert_double_eq(transfer.own_j, 0);
    ck_assert_double_eq(transfer.peer_j, 0);
    ck_assert_double_eq_tol(transfer.busy_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(total_j(), 2 * 2 + 2 * 1, TOLERANCE);
    ck_assert_uint_eq(ew_energy_device(meter, 1).rx_bytes, 1000);
    close_meter();
}
END_TEST

START_TEST(horizon_begins_with_the_first_arrival)
{
    open_meter(trio, 1, EW_ENERGY_BOTH);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 1, 0, EW_NONE, 0.5);
    ck_assert_double_eq(ew_energy_horizon_end_s(meter), 0);
    arrive(3);
    arrive(4);
    finish(5);
    ck_assert_double_eq(ew_energy_horizon_begin_s(meter), 3);
    ck_assert_double_eq(ew_energy_horizon_end_s(meter), 5);
    ck_assert_double_eq_tol(total_j(), 2 * 2, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(activity_after_the_last_answer_belongs)
{
    /* Answer at 2 s, a branch that nobody waits for computes until 4 s: 4 s * 2 W + 3 s * 4 W. */
    open_meter(trio, 1, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TASK_START, 1, 0, EW_NONE, 0);
    finish(2);
    (void)feed(EW_EVENT_TASK_END, 4, 0, EW_NONE, 0);
    ck_assert_double_eq_tol(total_j(), 4 * 2 + 3 * 4, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(task_without_duration_beside_a_running_one_changes_nothing)
{
    /* Device 0 computes [1, 5] at 4 W above idle; at 3 s another job's view starts and ends. */
    open_meter(trio, 1, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TASK_START, 1, 0, EW_NONE, 0);
    (void)feed(EW_EVENT_TASK_START, 3, 0, EW_NONE, 0);
    ck_assert_double_eq(feed(EW_EVENT_TASK_END, 3, 0, EW_NONE, 0).own_j, 0);
    ck_assert_double_eq_tol(feed(EW_EVENT_TASK_END, 5, 0, EW_NONE, 0).own_j, 4 * 4, TOLERANCE);
    finish(6);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_COMPUTE), 4 * 4, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(open_activity_counts_up_to_the_end)
{
    open_meter(trio, 2, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TASK_START, 1, 0, EW_NONE, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 2, 0, 1, 0);
    finish(4);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_COMPUTE), 3 * 4, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_TX), 2 * 1, TOLERANCE);
    ck_assert_double_eq_tol(total_j(), 2 * 4 * 2 + 12 + 2 * (1 + 3), TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(node_is_off_while_all_its_devices_are)
{
    /* cpu off [1, 5], gpu off [2, 4]: board off 2 s at 0.5 W, else on 4 s at 2 W (horizon 6 s). */
    open_meter(board, 3, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 1, 0, EW_NONE, 0);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 2, 1, EW_NONE, 0);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 3, 1, EW_NONE, 0); /* said twice */
    (void)feed(EW_EVENT_DEVICE_CHANGE, 4, 1, EW_NONE, 1);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 5, 0, EW_NONE, 0.5);
    finish(6);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_OFF), 2 * 0.5, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_IDLE), 4 * 2, TOLERANCE);
    ck_assert_double_eq_tol(state_j(1, EW_POWER_OFF), 0, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(off_time_outside_the_horizon_does_not_count)
{
    /* Off [0, 3] and from 5 on, horizon [2, 6]: off 1 s + 1 s, on 2 s. */
    open_meter(trio, 1, EW_ENERGY_BOTH);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 0, 0, EW_NONE, 0);
    arrive(2);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 3, 0, EW_NONE, 1);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 5, 0, EW_NONE, 0);
    finish(6);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_OFF), 2 * 0.5, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_IDLE), 2 * 2, TOLERANCE);
    close_meter();
}
END_TEST

START_TEST(unknown_power_is_nan_and_not_zero)
{
    static const struct fixture_device devices[] = {
        {"a", NULL, 0.5, 2, 6, 1, 3, false},
        {"bare", NULL, 0, 0, 0, 0, 0, true},
    };
    open_meter(devices, 2, EW_ENERGY_BOTH);
    arrive(0);
    (void)feed(EW_EVENT_TASK_START, 0, 1, EW_NONE, 0);
    const struct ew_joules task = feed(EW_EVENT_TASK_END, 2, 1, EW_NONE, 0);
    ck_assert_double_eq(task.own_j, 0);
    ck_assert(!ew_energy_is_known(meter));
    ck_assert(!ew_energy_device(meter, 1).has_power);
    ck_assert_double_nan(state_j(1, EW_POWER_COMPUTE));
    ck_assert_double_eq_tol(ew_energy_device(meter, 1).busy_s, 2, TOLERANCE);
    ck_assert_double_eq_tol(state_j(0, EW_POWER_IDLE), 4, TOLERANCE);
    ck_assert_double_nan(total_j());
    close_meter();
}
END_TEST

START_TEST(events_out_of_place_are_ignored)
{
    open_meter(trio, 2, EW_ENERGY_BOTH);
    arrive(0);
    ck_assert_double_eq(feed(EW_EVENT_TASK_END, 1, 0, EW_NONE, 0).own_j, 0);
    ck_assert_double_eq(feed(EW_EVENT_TRANSFER_END, 1, 0, 1, 0).own_j, 0);
    (void)feed(EW_EVENT_TASK_START, 1, 77, EW_NONE, 0);
    (void)feed(EW_EVENT_TASK_END, 1, EW_NONE, EW_NONE, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 1, 0, 2, 0);
    (void)feed(EW_EVENT_TRANSFER_END, 1, 0, EW_NONE, 0);
    (void)feed(EW_EVENT_DEVICE_CHANGE, 1, 2, EW_NONE, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 2, 0, 1, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 3, 0, 1, 0); /* already flows */
    ck_assert_double_eq_tol(feed(EW_EVENT_TRANSFER_END, 4, 0, 1, 0).own_j, 2, TOLERANCE);
    ck_assert_int_eq(ew_energy_status(meter, NULL), EW_OK);
    close_meter();
}
END_TEST

/* ------------------------------------------------------------------ properties */

enum { MAX_DEVICES = 8 };

/* Devices in nodes of one to three, with random powers. */
static struct ew_platform *random_platform(struct ew_rng *rng)
{
    static const char *const names[MAX_DEVICES] = {"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"};
    static const char *const nodes[] = {"n0", "n1", "n2", "n3", "n4", "n5"};
    struct fixture_device devices[MAX_DEVICES];
    const uint32_t n = 1 + (uint32_t)ew_rng_below(rng, MAX_DEVICES);
    for (uint32_t i = 0; i < n; i++) {
        const double idle_w = 10 * ew_rng_unit(rng);
        devices[i] = (struct fixture_device){
            .name = names[i],
            .node = nodes[ew_rng_below(rng, 6)],
            .off_w = ew_rng_unit(rng),
            .idle_w = idle_w,
            .compute_w = idle_w + 10 * ew_rng_unit(rng),
            .tx_w = ew_rng_unit(rng),
            .rx_w = ew_rng_unit(rng) < 0.2 ? 0 : ew_rng_unit(rng),
        };
    }
    return fixture_platform(devices, n);
}

struct stream {
    bool is_busy[MAX_DEVICES];
    bool is_flowing[MAX_DEVICES][MAX_DEVICES];
    double caused_j;
};

/* Start what is idle, end what runs, for a random device or pair. */
static void random_event(struct stream *s, struct ew_rng *rng, double time_s, uint32_t n)
{
    const uint32_t a = (uint32_t)ew_rng_below(rng, n), b = (uint32_t)ew_rng_below(rng, n);
    struct ew_joules joules;
    if (ew_rng_below(rng, 20) == 0) {
        const double ratio = ew_rng_below(rng, 2) ? 1 : 0;
        joules = feed(EW_EVENT_DEVICE_CHANGE, time_s, a, EW_NONE, ratio);
    } else if (a == b) {
        joules =
            feed(s->is_busy[a] ? EW_EVENT_TASK_END : EW_EVENT_TASK_START, time_s, a, EW_NONE, 0);
        s->is_busy[a] = !s->is_busy[a];
    } else {
        joules = feed(s->is_flowing[a][b] ? EW_EVENT_TRANSFER_END : EW_EVENT_TRANSFER_FLOW, time_s,
                      a, b, 0);
        s->is_flowing[a][b] = !s->is_flowing[a][b];
    }
    s->caused_j += joules.own_j + joules.peer_j;
}

static void end_all(struct stream *s, double time_s, uint32_t n)
{
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            if (s->is_flowing[a][b]) {
                const struct ew_joules joules = feed(EW_EVENT_TRANSFER_END, time_s, a, b, 0);
                s->caused_j += joules.own_j + joules.peer_j;
            }
        }
        if (s->is_busy[a]) {
            s->caused_j += feed(EW_EVENT_TASK_END, time_s, a, EW_NONE, 0).own_j;
        }
    }
}

/* Run a random stream; returns what its tasks and transfers caused. Steps span nanoseconds to
 * hours, and times may go back by up to a grain, as engines are allowed to. */
static double random_stream(struct ew_rng *rng, int n_events, double begin_s)
{
    struct stream s = {.caused_j = 0};
    double time_s = begin_s;
    arrive(time_s);
    for (int i = 0; i < n_events; i++) {
        time_s += pow(10, 12 * ew_rng_unit(rng) - 9);
        const double jitter_s = ew_rng_below(rng, 3) ? 0 : 1e-9 * ew_rng_unit(rng);
        random_event(&s, rng, i ? time_s - jitter_s : time_s, platform->n_devices);
    }
    end_all(&s, time_s, platform->n_devices);
    finish(time_s);
    return s.caused_j;
}

static void check_parts(double caused_j)
{
    double states_j[EW_POWER_STATE_COUNT], devices_j = 0;
    ew_energy_total(states_j, meter);
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        const struct ew_device_meter device = ew_energy_device(meter, d);
        for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
            devices_j += device.energy_j[i];
        }
    }
    const double dynamic_j =
        states_j[EW_POWER_COMPUTE] + states_j[EW_POWER_TX] + states_j[EW_POWER_RX];
    ck_assert_msg(ew_close(devices_j, total_j(), 1e-9, 0), "devices %.17g, total %.17g", devices_j,
                  total_j());
    ck_assert_msg(ew_close(caused_j, dynamic_j, 1e-9, 0), "caused %.17g, dynamic %.17g", caused_j,
                  dynamic_j);
    ck_assert_double_gt(dynamic_j, 0);
}

START_TEST(parts_add_up_on_random_streams)
{
    struct ew_rng rng = ew_rng_make((uint64_t)_i, "test_energy");
    platform = random_platform(&rng);
    const enum ew_energy_rule rule = _i % 2 ? EW_ENERGY_BOTH : EW_ENERGY_RECEIVER;
    ck_assert_int_eq(ew_energy_new(&meter, platform, rule, NULL), EW_OK);
    check_parts(random_stream(&rng, 3000, 100 * ew_rng_unit(&rng)));
    close_meter();
}
END_TEST

START_TEST(parts_add_up_at_a_late_hour)
{
    /* Short transfers on a radio that has been busy for eleven days. */
    open_meter(trio, 3, EW_ENERGY_BOTH);
    arrive(0);
    double caused_j = 0;
    (void)feed(EW_EVENT_TRANSFER_FLOW, 0, 0, 2, 0);
    double time_s = 1e6;
    for (int i = 0; i < 100000; i++) {
        (void)feed(EW_EVENT_TRANSFER_FLOW, time_s, 0, 1, 0);
        time_s += 1e-3 / 3;
        const struct ew_joules joules = feed(EW_EVENT_TRANSFER_END, time_s, 0, 1, 0);
        /* 1 W shared by two, 3 W alone; times near 1e6 s have a grain of 1.2e-10 s */
        ck_assert(ew_close(joules.own_j, 1e-3 / 6, 1e-6, 0));
        ck_assert(ew_close(joules.peer_j, 1e-3, 1e-6, 0));
        caused_j += joules.own_j + joules.peer_j;
    }
    const struct ew_joules joules = feed(EW_EVENT_TRANSFER_END, time_s, 0, 2, 0);
    caused_j += joules.own_j + joules.peer_j;
    check_parts(caused_j);
    close_meter();
}
END_TEST

START_TEST(reset_meter_is_as_new)
{
    struct ew_rng rng = ew_rng_make(3, "test_energy/reset");
    platform = random_platform(&rng);
    ck_assert_int_eq(ew_energy_new(&meter, platform, EW_ENERGY_BOTH, NULL), EW_OK);
    (void)random_stream(&rng, 500, 0);
    (void)feed(EW_EVENT_TRANSFER_FLOW, 2e9, 0, platform->n_devices - 1, 0);
    struct ew_rng again = ew_rng_make(4, "test_energy/reset");
    ew_energy_reset(meter);
    const double caused_j = random_stream(&again, 500, 1);
    const double energy_j = total_j();
    struct ew_energy *used = meter;
    ck_assert_int_eq(ew_energy_new(&meter, platform, EW_ENERGY_BOTH, NULL), EW_OK);
    again = ew_rng_make(4, "test_energy/reset");
    ck_assert_double_eq(random_stream(&again, 500, 1), caused_j);
    ck_assert_double_eq(total_j(), energy_j);
    ew_energy_free(used);
    close_meter();
}
END_TEST

START_TEST(rules_have_names)
{
    enum ew_energy_rule rule;
    ck_assert(ew_energy_rule_find(&rule, "receiver"));
    ck_assert_int_eq(rule, EW_ENERGY_RECEIVER);
    ck_assert(ew_energy_rule_find(&rule, ew_energy_rule_name(EW_ENERGY_BOTH)));
    ck_assert_int_eq(rule, EW_ENERGY_BOTH);
    ck_assert(!ew_energy_rule_find(&rule, "sender"));
    ck_assert_str_eq(ew_power_state_name(EW_POWER_RX), "rx");
}
END_TEST

static Suite *energy_suite(void)
{
    Suite *suite = begin_suite("energy");
    TCase *forms = tcase_create("closed_forms");
    tcase_add_test(forms, computing_adds_to_idle);
    tcase_add_test(forms, transfer_pays_at_both_ends_while_bytes_flow);
    tcase_add_test(forms, concurrent_transfers_share_the_radio);
    tcase_add_test(forms, sending_and_receiving_add_up);
    tcase_add_test(forms, receiver_rule_spares_the_sender);
    tcase_add_test(forms, devices_of_a_node_share_idle_power);
    tcase_add_test(forms, devices_of_a_node_share_the_radio);
    tcase_add_test(forms, messages_inside_a_node_use_no_radio);
    tcase_add_test(forms, unknown_power_is_nan_and_not_zero);
    tcase_add_test(forms, rules_have_names);
    suite_add_tcase(suite, forms);
    TCase *horizon = tcase_create("horizon");
    tcase_add_test(horizon, horizon_begins_with_the_first_arrival);
    tcase_add_test(horizon, activity_after_the_last_answer_belongs);
    tcase_add_test(horizon, task_without_duration_beside_a_running_one_changes_nothing);
    tcase_add_test(horizon, open_activity_counts_up_to_the_end);
    tcase_add_test(horizon, node_is_off_while_all_its_devices_are);
    tcase_add_test(horizon, off_time_outside_the_horizon_does_not_count);
    tcase_add_test(horizon, events_out_of_place_are_ignored);
    suite_add_tcase(suite, horizon);
    TCase *properties = tcase_create("properties");
    tcase_add_loop_test(properties, parts_add_up_on_random_streams, 0, 40);
    tcase_add_test(properties, parts_add_up_at_a_late_hour);
    tcase_add_test(properties, reset_meter_is_as_new);
    suite_add_tcase(suite, properties);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(energy_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
