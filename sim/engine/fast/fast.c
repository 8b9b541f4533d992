/*
 * The fast engine: one event heap over devices, send threads, connections and arrivals, and a fluid
 * network. All completions within the grain are handled before anybody chooses.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/core.h"
#include "base/heap.h"
#include "engine/fast/network.h"

/** Times closer than this are equal on paper. */
#define ROUNDING_S 1e-12

/* A task as remaining work at nominal speed. */
struct fast_task {
    double left_s; /* at since_s */
    double since_s;
    double speed; /* of its device, relative to nominal */
};

/* Ids in the heap: devices, send threads, connections, workloads, timers, the choice. */
struct fast {
    struct ew_core *core;
    struct ew_network network;
    struct ew_heap heap;
    uint32_t n_devices;
    uint32_t first_connection;
    uint32_t first_workload;
    uint32_t first_timer;
    uint32_t choice;
    struct fast_task *tasks; /**< per device */
    uint64_t *message_bytes; /**< per connection, while in its latency */
    bool is_out_of_memory;
};

/* Heap keys must not run backwards past the clock by more than a grain; they never do, since starts
 * lie at most a grain before it and all work takes at least a grain. */

static void start_task(void *ctx, uint32_t device, double work_s, double start_s)
{
    struct fast *fast = ctx;
    struct fast_task *task = &fast->tasks[device];
    task->left_s = work_s;
    task->since_s = start_s;
    ew_heap_set(&fast->heap, device, start_s + work_s / task->speed);
}

static void stop_task(void *ctx, uint32_t device, double time_s)
{
    struct fast *fast = ctx;
    (void)time_s;
    ew_heap_remove(&fast->heap, device);
}

static void set_speed(void *ctx, uint32_t device, double ratio, double time_s)
{
    struct fast *fast = ctx;
    struct fast_task *task = &fast->tasks[device];
    if (ew_heap_has(&fast->heap, device)) {
        task->left_s = fmax(task->left_s - (time_s - task->since_s) * task->speed, 0);
        task->since_s = time_s;
        ew_heap_set(&fast->heap, device, time_s + task->left_s / ratio);
    }
    task->speed = ratio;
}

static void start_send(void *ctx, uint32_t device, double overhead_s, double start_s)
{
    struct fast *fast = ctx;
    ew_heap_set(&fast->heap, fast->n_devices + device, start_s + overhead_s);
}

static void stop_send(void *ctx, uint32_t device, double time_s)
{
    struct fast *fast = ctx;
    (void)time_s;
    ew_heap_remove(&fast->heap, fast->n_devices + device);
}

static void begin_flow(struct fast *fast, uint32_t connection, double time_s)
{
    ew_core_transfer_flow(fast->core, connection, time_s);
    if (!ew_network_begin(&fast->network, connection, fast->message_bytes[connection], time_s)) {
        fast->is_out_of_memory = true;
    }
}

static void start_transfer(void *ctx, uint32_t connection, uint64_t bytes, double extra_s,
                           double start_s)
{
    struct fast *fast = ctx;
    const double latency_s = fast->network.flows[connection].latency_s + extra_s;
    fast->message_bytes[connection] = bytes;
    if (latency_s > 0) {
        ew_heap_set(&fast->heap, fast->first_connection + connection, start_s + latency_s);
    } else {
        begin_flow(fast, connection, start_s);
    }
}

static void stop_transfer(void *ctx, uint32_t connection, double time_s)
{
    struct fast *fast = ctx;
    if (fast->network.flows[connection].is_active) {
        ew_network_end(&fast->network, connection, time_s);
    }
    ew_heap_remove(&fast->heap, fast->first_connection + connection);
}

static void set_bandwidth(void *ctx, uint32_t link, double bytes_per_s, double time_s)
{
    struct fast *fast = ctx;
    ew_network_set_bandwidth(&fast->network, link, bytes_per_s, time_s);
}

static void schedule_timer(void *ctx, uint32_t timer, double time_s)
{
    struct fast *fast = ctx;
    ew_heap_set(&fast->heap, fast->first_timer + timer, time_s);
}

static void schedule_choice(void *ctx, double time_s)
{
    struct fast *fast = ctx;
    ew_heap_set(&fast->heap, fast->choice, time_s);
}

static void schedule_arrival(void *ctx, uint32_t workload, double time_s)
{
    struct fast *fast = ctx;
    ew_heap_set(&fast->heap, fast->first_workload + workload, time_s);
}

static void handle(struct fast *fast, uint32_t id, double time_s)
{
    if (id < fast->n_devices) {
        ew_core_task_done(fast->core, id, time_s);
    } else if (id < fast->first_connection) {
        ew_core_send_done(fast->core, id - fast->n_devices, time_s);
    } else if (id < fast->first_workload) {
        const uint32_t connection = id - fast->first_connection;
        if (fast->network.flows[connection].is_active) {
            ew_network_end(&fast->network, connection, time_s);
            ew_core_transfer_done(fast->core, connection, time_s);
        } else {
            begin_flow(fast, connection, time_s);
        }
    } else if (id < fast->first_timer) {
        ew_core_arrive(fast->core, id - fast->first_workload, time_s);
    } else if (id == fast->choice) {
        ew_core_choose(fast->core, time_s);
    } else {
        ew_core_timer(fast->core, id - fast->first_timer, time_s);
    }
}

static void share_network(struct fast *fast)
{
    if (fast->network.n_dirty) {
        ew_network_share(&fast->network, &fast->heap, fast->first_connection);
    }
}

/* Everything that happens within the grain of first_s. Nobody chooses meanwhile, but rates change
 * at once, apart from changes that only rounding sets apart: those share one calculation. */
static void handle_batch(struct fast *fast, double first_s)
{
    while (fast->heap.count && ew_heap_first(&fast->heap)->key <= first_s + EW_GRAIN_S) {
        if (ew_heap_first(&fast->heap)->key > fast->network.changed_s + ROUNDING_S) {
            share_network(fast);
        }
        if (ew_heap_first(&fast->heap)->key <= first_s + EW_GRAIN_S) {
            const struct ew_heap_entry next = ew_heap_pop(&fast->heap);
            handle(fast, next.id, next.key);
        }
    }
}

static enum ew_status run_loop(struct fast *fast, const struct ew_run *run, struct ew_error *err)
{
    ew_core_start(fast->core);
    handle_batch(fast, 0);
    double time_s = 0;
    for (uint32_t steps = 1;; steps++) {
        ew_core_settle(fast->core);
        share_network(fast);
        const enum ew_status status = ew_core_status(fast->core, err);
        if (status || fast->is_out_of_memory) {
            return status ? status : ew_fail_memory(err);
        }
        if ((steps & 1023u) == 0 && run->interrupted && *run->interrupted) {
            return ew_fail(err, EW_EINTR, "interrupted at simulated time %g s", time_s);
        }
        if (!fast->heap.count || (run->dynamics && ew_core_is_over(fast->core, time_s))) {
            break;
        }
        time_s = ew_heap_first(&fast->heap)->key;
        handle_batch(fast, time_s);
    }
    if (!ew_core_is_finished(fast->core) && !ew_core_is_over(fast->core, time_s)) {
        return ew_fail(err, EW_EDEADLOCK, "%llu requests never finished: no event is left",
                       (unsigned long long)ew_core_open_requests(fast->core));
    }
    return EW_OK;
}

static enum ew_status fast_run(struct ew_run_facts *facts, const struct ew_run *run,
                               struct ew_error *err)
{
    struct fast fast = {.n_devices = run->platform->n_devices,
                        .first_connection = 2 * run->platform->n_devices};
    const struct ew_core_ops ops = {
        .ctx = &fast,
        .start_task = start_task,
        .start_send = start_send,
        .start_transfer = start_transfer,
        .schedule_arrival = schedule_arrival,
        .schedule_choice = schedule_choice,
        .schedule_timer = schedule_timer,
        .set_speed = set_speed,
        .set_bandwidth = set_bandwidth,
        .stop_task = stop_task,
        .stop_send = stop_send,
        .stop_transfer = stop_transfer,
    };
    enum ew_status status = ew_core_new(&fast.core, run, &ops, err);
    if (status) {
        return status;
    }
    const uint32_t n_connections = ew_core_connection_count(fast.core);
    fast.first_workload = fast.first_connection + n_connections;
    fast.first_timer = fast.first_workload + run->n_workloads;
    fast.choice = fast.first_timer + ew_core_timer_count(fast.core);
    fast.tasks = calloc(fast.n_devices + 1u, sizeof *fast.tasks);
    for (uint32_t d = 0; fast.tasks && d < fast.n_devices; d++) {
        fast.tasks[d].speed = 1;
    }
    fast.message_bytes = calloc(n_connections + 1u, sizeof *fast.message_bytes);
    status = ew_network_init(&fast.network, fast.core, run->platform, run->net, err);
    if (status == EW_OK &&
        (!fast.message_bytes || !fast.tasks || !ew_heap_init(&fast.heap, fast.choice + 1))) {
        status = ew_fail_memory(err);
    }
    if (status == EW_OK) {
        status = run_loop(&fast, run, err);
    }
    ew_core_end(fast.core);
    ew_core_facts(fast.core, facts);
    ew_heap_fini(&fast.heap);
    ew_network_fini(&fast.network);
    free(fast.message_bytes);
    free(fast.tasks);
    ew_core_free(fast.core);
    return status;
}

const struct ew_engine ew_engine_fast = {
    .id = "fast",
    .summary = "event heap and fluid network of our own; same results as simgrid, much faster",
    .run = fast_run,
};
