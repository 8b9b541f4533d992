/*
 * The interface that all engines implement: run workloads on a platform, emit events.
 *
 * Semantics (docs/model.md): a device runs one task at a time, first ready first served, ties by
 * job number within the workload, then workload, then node. Each ordered pair of devices has one
 * connection that carries one message at a time,
 * same order; a message costs message_overhead_s on its sender's single send thread, then route
 * latency, then its bytes at the max-min fair share. Choices have a grain of EW_GRAIN_S: whoever is
 * or becomes free chooses only after every completion within the grain has been handled; no
 * duration grows by it.
 */
#ifndef EW_ENGINE_ENGINE_H
#define EW_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event.h"
#include "model/dynamics.h"
#include "model/scenario.h"
#include "plan/continuation.h"
#include "plan/plan.h"
#include "plan/task_graph.h"

/** Times closer than this count as equal when choosing; work shorter than this takes no time and no
 *  device. */
#define EW_GRAIN_S 1e-9

/** Network model constants. Effective latency = latency * latency_factor, bandwidth likewise;
 *  sharing weight of a flow = 1 / (latency + sum over links of weight_s / bandwidth), both without
 *  their factors, or 1 on a route without latency. */
struct ew_net_model {
    const char *id;       /**< "ideal" or "tcp" */
    const char *sg_model; /**< SimGrid's name: CM02, LV08 */
    double latency_factor;
    double bandwidth_factor;
    double weight_s; /**< SimGrid's network/weight-S, in bytes */
};

/** ideal = CM02: factors 1, 1, 0. tcp = LV08: 13.01, 0.97, 20537. Both without cross-traffic and
 *  TCP window. NULL when the id is unknown. */
const struct ew_net_model *ew_net_model_find(const char *id);

/** 1 / sharing weight of a flow on the route, whose latency counts as `latency_s`. As SimGrid:
 *  without the latency factor, and 1 on a route without latency. */
double ew_net_flow_penalty(const struct ew_net_model *model, const struct ew_platform *platform,
                           const struct ew_route *route, double latency_s);

enum ew_arrival_kind {
    EW_ARRIVAL_CLOSED,   /**< `outstanding` requests at any time; the next when one has ended */
    EW_ARRIVAL_POISSON,  /**< rate_per_s */
    EW_ARRIVAL_PERIODIC, /**< rate_per_s, first at 0 */
    EW_ARRIVAL_TRACE,    /**< times_s, ascending */
};

struct ew_arrival {
    enum ew_arrival_kind kind;
    uint32_t outstanding;    /**< closed: >= 1 */
    uint64_t group_size;     /**< requests that arrive together; 0 counts as 1. Closed: only with
                                  outstanding 1; the next group comes when all of the last have ended */
    double think_s;          /**< closed: from the end of a request to the next arrival */
    double rate_per_s;       /**< poisson, periodic: groups per second, > 0 */
    enum ew_loadgen loadgen; /**< which metric the run is judged by; says nothing to engines */
    uint64_t n_times;
    const double *times_s; /**< trace: ascending, >= 0 */
};

/** Which plan new jobs use, over time: plans[i] of the book from times_s[i] on. */
struct ew_plan_schedule {
    uint32_t n;            /**< >= 1 */
    const double *times_s; /**< ascending, the first one 0 */
    const uint32_t *plans;
    /** NULL: all; or per entry: 1 when moves_jobs is about it. */
    const uint8_t *moves;
    bool moves_jobs; /**< jobs under way take a new plan from their next cut on; with
                          continuations */
};

struct ew_job_decision;
struct ew_job_observation;

/** Who picks the plan of every job, and how many requests it takes, for books picked online; see
 *  struct ew_online. */
struct ew_picker {
    void *ctx;
    /** What is decided has been checked. Any failure ends the run. */
    enum ew_status (*pick)(void *ctx, struct ew_job_decision *decision,
                           const struct ew_job_observation *job, struct ew_error *err);
    int32_t images_per_request; /**< >= 1; divides the batch of every plan */
};

/** One workload of a run; all borrowed. */
struct ew_run_workload {
    const char *name;
    const struct ew_book *book;
    const struct ew_task_graph *const *task_graphs; /**< per plan of the book */
    const struct ew_plan_context *context;          /**< what the plans are about; exec only */
    struct ew_arrival arrival;
    uint64_t n_requests;       /**< >= 1; a trace may be shorter */
    uint32_t requests_per_job; /**< >= 1: how many requests one job carries */
    double deadline_s;         /**< per request; INFINITY: none */
    /** NULL, or in place of the book's pick rule, also for attempts after a failure. Its first
     * plan's weights are on the devices when the run begins. */
    const struct ew_plan_schedule *schedule;
    /** NULL, or how jobs go on behind cuts; book and task_graphs are then theirs. In a changing
     *  world only. */
    const struct ew_continuations *continuations;
    const struct ew_picker *picker; /**< NULL, or for the pick rule online; not with a schedule */
};

/** Who makes plans while a run goes on, when a device is lost for good. Real execution only. */
struct ew_run_replanner {
    void *ctx;
    /** A plan for workload `workload` without the devices that are lost (per device). It becomes
     * the book's plan number *plan, with a task graph; `*charge_s` is how long after its cause it
     * comes into force. EW_ENOTSUP: there is none. */
    enum ew_status (*plan)(void *ctx, uint32_t *plan, double *charge_s, uint32_t workload,
                           const bool *is_lost, double time_s, struct ew_error *err);
};

struct ew_exec_options;
struct ew_exec_facts;

/** Everything an engine needs; all borrowed. */
struct ew_run {
    const struct ew_platform *platform;
    const struct ew_net_model *net;
    uint32_t n_workloads;
    const struct ew_run_workload *workloads;
    uint64_t seed;
    const struct ew_dynamics *dynamics; /**< how the world changes; NULL: it does not */
    struct ew_event_sink sink;
    bool is_prepared; /**< simgrid: this process has prepared the platform (simgrid_module.h) */
    const volatile int *interrupted;    /**< NULL, or non-zero asks the engine to stop: EW_EINTR */
    const struct ew_exec_options *exec; /**< exec only, see engine/exec/exec.h */
    /** exec only: the loss of a worker is survived, and `dynamics` says how; NULL: it ends the run
     */
    const struct ew_run_replanner *replanner;
    struct ew_exec_facts *exec_facts; /**< exec only: filled; may be NULL */
};

/** Facts about a finished run that are not events. */
struct ew_run_facts {
    double end_s;     /**< time of the last event */
    uint64_t n_tasks; /**< compute and load tasks run */
    uint64_t n_transfers;
    bool has_host_energy;  /**< simgrid: host_energy plugin was on */
    double *host_energy_j; /**< simgrid, when not NULL on entry: per device, base states only */
};

/** An engine. */
struct ew_engine {
    const char *id;
    const char *summary;
    /** Run to the end. EW_EENGINE, EW_EDEADLOCK, EW_EINTR, EW_ENOMEM on failure. */
    enum ew_status (*run)(struct ew_run_facts *facts, const struct ew_run *run,
                          struct ew_error *err);
};

extern const struct ew_engine ew_engine_fast;
extern const struct ew_engine ew_engine_simgrid;
extern const struct ew_engine ew_engine_exec;

#endif
