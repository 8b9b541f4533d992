/*
 * Inside of the job machine, shared by core.c (resources and nodes), core_request.c (arrivals,
 * jobs, requests) and core_emit.c (event order). Nobody else includes this.
 */
#ifndef EW_ENGINE_CORE_INTERNAL_H
#define EW_ENGINE_CORE_INTERNAL_H

#include "base/rng.h"
#include "base/vec.h"
#include "engine/core.h"
#include "engine/queue.h"

/** A task graph prepared for running: connection per message. */
struct core_template {
    const struct ew_task_graph *graph;
    uint32_t workload;
    uint32_t plan;
    uint32_t uid; /**< over all workloads; identifies the plan for weights on_change */
    bool loads_on_change;
    uint32_t *connection;   /**< per node; messages only */
    uint32_t *initial_deps; /**< per node */
    EW_VEC(uint32_t) free_slots;
};

/** A job in flight. */
struct core_slot {
    struct core_template *tmpl;
    uint64_t job;
    uint64_t rank; /**< for queues: by number within the workload, then workload. Unlike the job's
                        id it does not depend on which of two simultaneous jobs starts first */
    uint64_t first_request;
    uint32_t n_requests;
    uint32_t remaining; /**< nodes not finished */
    uint32_t *deps;     /**< per node: unfinished predecessors */
    double *arrival_s;  /**< per request */
};

/** A device, a send thread or a connection: serves one item at a time from its queue. */
struct core_server {
    struct ew_ready_queue queue;
    struct ew_ready running;
    double start_s;     /**< of the running item */
    double free_s;      /**< when it last became free */
    uint64_t start_seq; /**< sequence number of the start event (reordering engines) */
    uint64_t flow_seq;  /**< connections: likewise of the flow event */
    bool is_busy;
    bool is_dirty; /**< on the list to settle */
};

struct core_workload {
    const struct ew_run_workload *run;
    struct core_template *templates; /**< per plan */
    struct ew_rng arrival_rng;
    struct ew_rng pick_rng;
    uint64_t n_issued; /**< requests that have arrived */
    uint64_t n_ended;
    uint64_t n_to_issue;
    uint64_t jobs_in_flight;
    uint64_t cycle; /**< jobs started, for pick cycle */
    uint64_t cycle_length;
    double next_time_s;  /**< of the last scheduled arrival */
    uint64_t group_size; /**< requests per arrival */
    EW_VEC(double)
    thinking; /**< closed with think time: when users come back, ascending; those
                   from thinking_head on are still away */
    size_t thinking_head;
    EW_VEC(double) waiting; /**< arrival times; those from waiting_head on are not yet in a job */
    size_t waiting_head;
};

struct core_pending {
    struct ew_event event;
    uint64_t seq;
};

struct core_finished {
    uint32_t slot;
    uint32_t node;
};

struct ew_core {
    const struct ew_run *run;
    struct ew_core_ops ops;
    bool reorders;
    enum ew_status status;
    uint32_t n_connections;
    struct ew_connection *connections;
    uint32_t n_templates;
    struct core_template *templates; /**< all workloads, in order */
    struct core_workload *workloads;
    struct core_server *devices; /**< [n_devices] */
    struct core_server *senders; /**< [n_devices] */
    struct core_server *lines;   /**< [n_connections] */
    uint32_t *device_plan;       /**< per device: uid of the plan whose weights it holds */
    EW_VEC(uint32_t) dirty;      /**< devices, then n_devices + senders, then 2n + lines */
    EW_VEC(struct core_slot) slots;
    EW_VEC(struct core_finished) finished; /**< work list of the running cascade */
    EW_VEC(uint32_t) to_issue;             /**< closed loop: workloads that owe an arrival */
    EW_VEC(struct core_pending) pending;   /**< reordering engines: min-heap by (time, seq) */
    uint64_t next_job;
    uint64_t next_seq;
    uint64_t n_tasks;
    uint64_t n_transfers;
    uint64_t open_requests;
    uint64_t requests_left; /**< not ended yet, over all workloads */
    double end_s;
};

/* core_emit.c */

/** Hand an event on, in order. Returns its sequence number. */
uint64_t core_emit(struct ew_core *core, const struct ew_event *event);
/** Emit what is older than the grain before time_s. */
void core_flush(struct ew_core *core, double time_s);
/** Take back an event that has not been handed on. */
void core_retract_event(struct ew_core *core, uint64_t seq);

/* core_request.c */

enum ew_status core_workloads_init(struct ew_core *core, struct ew_error *err);
void core_workloads_fini(struct ew_core *core);
/** The answer of a slot's job has arrived at the sink. */
void core_answer(struct ew_core *core, uint32_t slot, double time_s);
/** All nodes of a slot's job have finished: free the slot. */
void core_job_end(struct ew_core *core, uint32_t slot, double time_s);
/** Issue what closed loops owe. */
void core_issue_owed(struct ew_core *core, double time_s);

/* core.c */

/** Mark a node finished and cascade through everything that takes no time. */
void core_finish(struct ew_core *core, uint32_t slot, uint32_t node, double time_s);
void core_out_of_memory(struct ew_core *core);

#endif
