/*
 * Job machine: everything about a run that does not depend on how time and sharing are computed.
 *
 * Arrivals, jobs, dependency counting, the FIFO queues of devices, send threads and connections,
 * and event emission. The engines (fast, simgrid) own the clock and the network; they tell the core
 * what finished, and the core tells them, through `struct ew_core_ops`, what to start. Plain C, no
 * engine headers, single-threaded.
 *
 * Protocol. An engine calls ew_core_arrive / ew_core_task_done / ew_core_send_done /
 * ew_core_transfer_done with the logical time at which the thing happened, then ew_core_settle,
 * which starts whatever can start. `fast` handles all completions within the grain before it
 * settles. `simgrid` settles at once; if a better candidate turns up within the grain, the core
 * asks it to put the choice back (ops->retract_*): that is rare and gives the same result. Taking a
 * chain from a pool sets off too much to be put back, so it waits for more than two grains in every
 * engine (ops->schedule_choice).
 */
#ifndef EW_ENGINE_CORE_H
#define EW_ENGINE_CORE_H

#include "engine/engine.h"

struct ew_core;

/** What the core asks of an engine. start_s is logical time and may lie up to a grain before the
 *  engine's clock: the engine must not add the difference to the duration. */
struct ew_core_ops {
    void *ctx;
    /** Device `device` begins work of `work_s` nominal seconds. */
    void (*start_task)(void *ctx, uint32_t device, double work_s, double start_s);
    /** The send thread of `device` begins an overhead of `overhead_s`. */
    void (*start_send)(void *ctx, uint32_t device, double overhead_s, double start_s);
    /** Connection `connection` begins a message: latency, then bytes. extra_s: on top of the
     *  connection's latency (ew_core_latency_s). */
    void (*start_transfer)(void *ctx, uint32_t connection, uint64_t bytes, double extra_s,
                           double start_s);
    /** Stop the task just started on `device` as if it had not been started: another comes first
     *  and start_task follows at once. NULL when the engine never needs it (fast). */
    void (*retract_task)(void *ctx, uint32_t device);
    /** The same for the message just started on `connection`. */
    void (*retract_transfer)(void *ctx, uint32_t connection);
    /** Ask for a call of ew_core_arrive(workload) at `time_s`. At most one is pending per workload.
     */
    void (*schedule_arrival)(void *ctx, uint32_t workload, double time_s);

    /** Ask for a call of ew_core_choose(time_s). At most one is pending. NULL: the engine runs no
     *  plans with pools. */
    void (*schedule_choice)(void *ctx, double time_s);

    /** Ask for a call of ew_core_timer(timer) at `time_s`. One call per request, or one for the
     *  earliest of several: calls too many do no harm. Only when ew_core_timer_count is not 0. */
    void (*schedule_timer)(void *ctx, uint32_t timer, double time_s);

    /* Only called when the run has dynamics. */

    /** From time_s on the device computes at `ratio` times its nominal speed. */
    void (*set_speed)(void *ctx, uint32_t device, double ratio, double time_s);
    /** From time_s on the link has this bandwidth, without the model's factor; 0: flows stall. */
    void (*set_bandwidth)(void *ctx, uint32_t link, double bytes_per_s, double time_s);
    /** What runs on the device, its send thread, the connection is over at time_s without a
     *  report. */
    void (*stop_task)(void *ctx, uint32_t device, double time_s);
    void (*stop_send)(void *ctx, uint32_t device, double time_s);
    void (*stop_transfer)(void *ctx, uint32_t connection, double time_s);
};

/** An ordered pair of devices that messages use. */
struct ew_connection {
    uint32_t from;
    uint32_t to;
};

/** New core for a run (borrowed). EW_EINPUT when a used pair has no route or a plan does not fit
 *  the platform. */
enum ew_status ew_core_new(struct ew_core **out, const struct ew_run *run,
                           const struct ew_core_ops *ops, struct ew_error *err);
void ew_core_free(struct ew_core *core);

/** Connections used by any task graph, in (from, to) order. */
uint32_t ew_core_connection_count(const struct ew_core *core);
struct ew_connection ew_core_connection(const struct ew_core *core, uint32_t connection);

/** Number of timers; 0 without dynamics and plans picked online. */
uint32_t ew_core_timer_count(const struct ew_core *core);
/** Least latency that a link ever has in the run: weights follow from it, and messages pay the rest
 *  as extra_s. Without dynamics the platform's. */
double ew_core_link_latency_s(const struct ew_core *core, uint32_t link);
/** Sum of these over the connection's route, without the model's factor. */
double ew_core_latency_s(const struct ew_core *core, uint32_t connection);

/** Begin: schedules or performs the first arrivals, at time 0. Then settle. */
void ew_core_start(struct ew_core *core);

/* What happened; time_s logical, non-decreasing to within the grain. */
void ew_core_arrive(struct ew_core *core, uint32_t workload, double time_s);
void ew_core_task_done(struct ew_core *core, uint32_t device, double time_s);
void ew_core_send_done(struct ew_core *core, uint32_t device, double time_s);
void ew_core_transfer_done(struct ew_core *core, uint32_t connection, double time_s);
void ew_core_timer(struct ew_core *core, uint32_t timer, double time_s);
/** Idle devices take chains from pools when settling next. */
void ew_core_choose(struct ew_core *core, double time_s);

/** The bytes of the connection's message begin to flow at time_s (after latency). An engine that
 *  learns this in order calls it then; one that knows the time in advance (simgrid) calls it when
 *  the message enters the network, and the core emits the event in order. */
void ew_core_transfer_flow(struct ew_core *core, uint32_t connection, double time_s);

/* A device that is lost for good, in runs with a replanner (core_loss.c). Everything begins afresh:
 * all attempts under way fail, and none begins until ew_core_resume. */

/** Devices are lost. Then settle: that stops what runs. */
void ew_core_lose_device(struct ew_core *core, uint32_t device, double time_s);
/** The workload's jobs use this plan from now on; its task graph is in the run. */
enum ew_status ew_core_use_plan(struct ew_core *core, uint32_t workload, uint32_t plan,
                                struct ew_error *err);
/** Jobs begin again. Then settle. */
void ew_core_resume(struct ew_core *core, double time_s);

/** After the last call of the above: hand on events still held back. */
void ew_core_end(struct ew_core *core);

/** Start whatever can start. */
void ew_core_settle(struct ew_core *core);

/** With dynamics: true when nothing can happen any more but changes of the world that help nobody.
 *  Engines ask after settling, and then end the run. Requests that are still open have failed. */
bool ew_core_is_over(struct ew_core *core, double time_s);

/** True when every request has ended. */
bool ew_core_is_finished(const struct ew_core *core);

/** First failure inside the core (memory), or EW_OK. Engines check it once per step. */
enum ew_status ew_core_status(const struct ew_core *core, struct ew_error *err);

/** For deadlock messages: how many requests are open, and the name of one node that waits. */
uint64_t ew_core_open_requests(const struct ew_core *core);

/** Counts and end time so far. */
void ew_core_facts(const struct ew_core *core, struct ew_run_facts *facts);

#endif
