/*
 * Inside of the job machine, shared by core.c (resources and nodes), core_pool.c (chains that idle
 * devices take), core_request.c (arrivals, jobs, requests) and core_emit.c (event order). Nobody
 * else includes this.
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
    uint32_t first_pool;    /**< of the plan's pools in ew_core.pools */
    uint32_t *connection;   /**< per node; messages only; EW_NONE: depends on the binding */
    uint32_t *initial_deps; /**< per node */
    const uint32_t *stages; /**< per node, see ew_continuations; NULL: no cuts */
    const struct ew_continuation *origin; /**< NULL: no continuations in this run */
    EW_VEC(uint32_t) free_slots;
};

/** A unit of a job: a chain that waits in a pool or has been taken from it. */
struct core_unit {
    uint32_t member; /**< of its pool; EW_NONE: nobody has taken it */
    uint32_t device; /**< that member, or EW_NONE */
    uint32_t n_left; /**< tasks not finished: until the last its device takes no other unit */
};

/** A job in flight. */
struct core_slot {
    struct core_template *tmpl;
    uint64_t job;
    uint64_t rank; /**< for queues: by number within the workload, then workload. Unlike the job's
                        id it does not depend on which of two simultaneous jobs starts first */
    uint64_t first_request;
    uint32_t n_requests;
    uint32_t remaining;      /**< nodes not finished */
    uint32_t *deps;          /**< per node: unfinished predecessors */
    struct core_unit *units; /**< per unit of the plan */
    double *arrival_s;       /**< per request; NAN: dropped, nobody waits for it */
    uint32_t n_attempts;     /**< of these requests before this job */
    bool is_active;
    bool is_answered;
    bool is_doomed; /**< on the list of attempts that have failed */
    uint32_t hold;  /**< nodes behind this cut do not begin: the job is to move; EW_NONE: none */
    uint32_t n_before_hold; /**< nodes up to it that have not finished */
};

/** A device, a send thread or a connection: serves one item at a time from its queue. */
struct core_server {
    struct ew_ready_queue queue;
    struct ew_ready running;
    double start_s;     /**< of the running item */
    double free_s;      /**< when it last became free */
    uint64_t start_seq; /**< sequence number of the start event (reordering engines) */
    uint64_t flow_seq;  /**< connections: likewise of the flow event */
    double flow_s;      /**< connections: time of that event */
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
    uint64_t cycle;     /**< jobs started by the pick rule, for pick cycle */
    uint64_t n_started; /**< jobs, attempts after a failure included */
    uint64_t cycle_length;
    uint32_t schedule_at; /**< entry of the plan schedule that holds now */
    double next_time_s;   /**< of the last scheduled arrival */
    uint64_t group_size;  /**< requests per arrival */
    EW_VEC(double)
    thinking; /**< closed with think time: when users come back, ascending; those
                   from thinking_head on are still away */
    size_t thinking_head;
    EW_VEC(double) waiting; /**< arrival times; those from waiting_head on are not yet in a job */
    size_t waiting_head;
    struct core_template *forced; /**< in place of the book's rule and the schedule; NULL: not */
};

struct core_pending {
    struct ew_event event;
    uint64_t seq;
};

/** Units of one pool of one plan, of all its jobs, that nobody has taken. */
struct core_pool {
    const struct ew_pool *pool;
    struct ew_ready_queue queue; /**< steal messages */
};

/** What pools know of a device. */
struct core_member {
    uint32_t n_units;  /**< taken and not finished: 0 or 1 */
    double released_s; /**< when it last finished one */
};

struct core_finished {
    uint32_t slot;
    uint32_t node;
};

/** A job at a cut. */
struct core_arrived {
    uint32_t slot;
    double time_s;
};

/** Deps of a node that has finished; kept only in runs with dynamics. */
#define CORE_DEPS_DONE UINT32_MAX

struct core_dynamics;
struct core_picks;
struct core_watch;
struct pause;

struct ew_core {
    const struct ew_run *run;
    struct core_dynamics *dyn; /**< NULL: nothing changes */
    struct core_picks *picks;  /**< NULL: no book is picked online */
    struct ew_error failure;   /**< why status is what it is, when not EW_ENOMEM */
    struct ew_core_ops ops;
    bool reorders;
    enum ew_status status;
    uint32_t n_connections;
    struct ew_connection *connections;
    EW_VEC(struct ew_connection) found; /**< owns them */
    uint32_t n_templates;
    struct core_template *templates; /**< all workloads, in order */
    struct core_workload *workloads;
    struct core_server *devices; /**< [n_devices] */
    struct core_server *senders; /**< [n_devices] */
    struct core_server *lines;   /**< [n_connections] */
    uint32_t n_pools;
    struct core_pool *pools;              /**< of all templates, in order */
    struct core_member *members;          /**< [n_devices]; with pools */
    size_t n_offered;                     /**< items in the queues of pools */
    double rejoined_s;                    /**< when a device or link last came up */
    bool is_choice_due;                   /**< ew_core_choose has been asked for */
    bool may_take;                        /**< it has just come */
    double choice_s;                      /**< for when */
    EW_VEC(struct core_template *) added; /**< plans made during the run, owned */
    bool is_held;                         /**< no job begins */
    uint32_t *device_plan;                /**< per device: uid of the plan whose weights it holds */
    EW_VEC(uint32_t) dirty;               /**< devices, then n_devices + senders, then 2n + lines */
    EW_VEC(struct core_slot) slots;
    EW_VEC(struct core_finished) finished; /**< work list of the running cascade */
    EW_VEC(uint32_t) to_issue;             /**< closed loop: workloads that owe an arrival */
    EW_VEC(struct core_arrived) at_cut;    /**< slots that have reached their cut, when settling */
    EW_VEC(uint32_t) skipped;              /**< scratch of core_skip_to */
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

/* core_pool.c */

enum ew_status core_pools_init(struct ew_core *core, struct ew_error *err);
void core_pools_fini(struct ew_core *core);
/** Pairs of devices between which units of a plan may send. */
enum ew_status core_pool_connections(struct ew_core *core, const struct ew_task_graph *graph,
                                     struct ew_error *err);
/** A unit may be taken from now on: its steal message is ready. */
void core_offer_unit(struct ew_core *core, uint32_t slot, uint32_t steal, double time_s);
/** A task of a unit has finished. */
void core_unit_task_done(struct ew_core *core, uint32_t slot, uint32_t unit, double time_s);
/** The attempt is over: what it has taken is given back. */
void core_forget_units(struct ew_core *core, uint32_t slot, double time_s);
/** Idle members take units: the time that core_ask_for_choice asked for has come. */
void core_take_units(struct ew_core *core);
/** If somebody could take a unit, see to it that the time for it comes. */
void core_ask_for_choice(struct ew_core *core);
/** Members of the plan's pools hold its weights. */
void core_give_members_weights(struct ew_core *core, const struct core_template *tmpl);
/** Some member of every pool of the plan can be reached. */
bool core_pools_are_open(const struct ew_core *core, const struct core_template *tmpl);
/** Connection of a message whose plan does not say; both ends known. */
uint32_t core_find_connection(const struct ew_core *core, uint32_t from, uint32_t to);

/** Device for a node's device or peer in this job: for a unit whoever has taken it, or EW_NONE. */
static inline uint32_t core_device(const struct core_slot *slot, uint32_t place)
{
    const uint32_t n = slot->tmpl->graph->n_devices;
    return place < n ? place : slot->units[place - n].device;
}

/** Seconds at nominal speed of a compute or load node, where it is bound. */
static inline double core_work_s(const struct core_slot *slot, uint32_t n)
{
    const struct ew_task_graph *graph = slot->tmpl->graph;
    const uint32_t place = graph->nodes[n].device;
    return place < graph->n_devices
               ? graph->nodes[n].work_s
               : ew_task_work_s(graph, n, slot->units[place - graph->n_devices].member);
}

/** Connection of a message of this job. */
static inline uint32_t core_line(const struct ew_core *core, const struct core_slot *slot,
                                 uint32_t n)
{
    const uint32_t line = slot->tmpl->connection[n];
    const struct ew_task_node *node = &slot->tmpl->graph->nodes[n];
    return line != EW_NONE ? line
                           : core_find_connection(core, core_device(slot, node->device),
                                                  core_device(slot, node->peer));
}

/* core_request.c */

enum ew_status core_workloads_init(struct ew_core *core, struct ew_error *err);
void core_workloads_fini(struct ew_core *core);
/** The answer of a slot's job has arrived at the sink. */
void core_answer(struct ew_core *core, uint32_t slot, double time_s);
/** All nodes of a slot's job have finished: free the slot. */
void core_job_end(struct ew_core *core, uint32_t slot, double time_s);
/** An event of a workload that is not about a node. */
struct ew_event core_request_event(enum ew_event_kind kind, double time_s, uint32_t workload,
                                   uint64_t request, double value);
/** Plan of the workload's schedule, which it must have, at time_s (never before an earlier call).
 */
struct core_template *core_scheduled(struct core_workload *wl, double time_s);
/** Plan that the workload's jobs must have at time_s, NULL when the book's pick rule decides. */
struct core_template *core_plan_in_force(struct core_workload *wl, double time_s);
/** Start jobs from the requests that wait. */
void core_start_jobs(struct ew_core *core, uint32_t workload, double time_s);
/** Begin a job for `n` requests from first_request on, which have arrived at arrival_s (copied). */
void core_start_attempt(struct ew_core *core, struct core_template *tmpl, uint64_t first_request,
                        uint32_t n, const double *arrival_s, uint32_t n_attempts, double time_s);
/** A request ends without an answer. */
void core_request_lost(struct ew_core *core, uint32_t workload, uint64_t request,
                       enum ew_event_kind kind, enum ew_fail_reason reason, double time_s);
/** Number of requests that have arrived and are in no job yet. */
static inline size_t core_count_waiting(const struct core_workload *wl)
{
    return wl->waiting.count - wl->waiting_head;
}
/** Take n requests from those that wait: they are in a job from now on. */
void core_take_waiting(struct core_workload *wl, uint32_t n);
/** Not all of them have been dropped. */
bool core_has_waiter(const double *arrival_s, uint32_t n);
/** Issue what closed loops owe. */
void core_issue_owed(struct ew_core *core, double time_s);

/** Likewise, but what lies up to the cut is done; EW_NONE: nothing is. */
void core_start_behind(struct ew_core *core, struct core_template *tmpl, uint32_t cut,
                       uint64_t first_request, uint32_t n, const double *arrival_s,
                       uint32_t n_attempts, double time_s);

/* core_continue.c: jobs that change their plan or attempt at a cut */

/** What the template is a continuation of; NULL: there are none. */
void core_init_continuation(struct core_template *tmpl,
                            const struct ew_continuations *continuations);
/** With core->dyn: jobs of the workload are to move to the plan of now where they can. */
void core_hold_jobs(struct ew_core *core, uint32_t workload, double time_s);
/** The node must not begin yet. */
static inline bool core_is_held(const struct core_slot *slot, uint32_t node)
{
    return slot->hold != EW_NONE && slot->tmpl->stages[node] > slot->hold;
}
/** A node of a job with hold has finished. */
void core_note_held(struct ew_core *core, uint32_t slot, uint32_t node, double time_s);
/** Jobs that have reached their cut go on. */
void core_move_jobs(struct ew_core *core);
/** Finish what lies up to the cut, without time or events; nodes of the slot have not begun. */
void core_skip_to(struct ew_core *core, uint32_t slot, uint32_t cut, double time_s);
/** Last cut that the slot's job has computed and whose output is on devices that are up. */
uint32_t core_last_cut(const struct ew_core *core, const struct core_slot *slot);
/** A part of the cut's output lies there. */
bool core_cut_lies_on(const struct core_template *tmpl, uint32_t cut, uint32_t device);
/** How a job at this cut of `from` goes on with the plan of `to`; NULL: not at all. */
struct core_template *core_continuation(struct ew_core *core, struct core_template *from,
                                        uint32_t cut, const struct core_template *to);

/* core_dynamics.c; all but the first two only with core->dyn */

enum ew_status core_dynamics_init(struct ew_core *core, struct ew_error *err);
void core_dynamics_fini(struct ew_core *core);
/** The world as it is at time 0; before the first arrival. */
void core_dynamics_start(struct ew_core *core);
/** Something that is no change of the world has happened. */
void core_dynamics_noticed(struct ew_core *core, double time_s);
bool core_device_is_up(const struct ew_core *core, uint32_t device);
/** Both ends and all links. */
bool core_line_is_up(const struct ew_core *core, uint32_t line);
/** The attempt has failed at time_s; carried out by core_bury_doomed. */
void core_doom(struct ew_core *core, uint32_t slot, double time_s);
bool core_has_doomed(const struct ew_core *core);
/** Stop doomed attempts and let the controller decide about their requests. */
void core_bury_doomed(struct ew_core *core);
/** Drop queued items of attempts that are over from the front of the queue. */
void core_drop_stale(struct ew_core *core, struct ew_ready_queue *queue);
/** Noise: factor on a task's time, and delay of a message beyond its connection's latency. */
double core_task_factor(struct ew_core *core, const struct ew_ready *item, uint32_t device);
double core_message_extra_s(struct ew_core *core, const struct ew_ready *item, uint32_t line);
/** Something is due that was not: see to it that the controller looks. */
void core_control_soon(struct ew_core *core);
/** A request has arrived, has ended. */
void core_dynamics_arrived(struct ew_core *core, uint32_t workload, double time_s);
void core_dynamics_ended(struct ew_core *core, uint32_t workload, uint64_t request);

/* core_pick.c; all but the first two and is_due only with core->picks */

enum ew_status core_picks_init(struct ew_core *core, struct ew_error *err);
void core_picks_fini(struct ew_core *core);
/** Where to note what happens, see core_watch.h. */
struct core_watch *core_picks_watch(const struct ew_core *core);
/** Something has happened that may let a job of this workload begin. */
void core_pick_soon(struct ew_core *core, uint32_t workload, double time_s);
/** An attempt whose time has come; takes what it owns. */
void core_pick_again(struct ew_core *core, struct pause *pause, double time_s);
/** Nobody waits any more for a request of such an attempt; false: there is none. */
bool core_pick_forget(struct ew_core *core, uint32_t workload, uint64_t request);
/** The attempt in the slot has failed. */
void core_picks_buried(struct ew_core *core, const struct core_slot *slot, double time_s);
/** A decision is still to come. */
bool core_pick_is_due(const struct ew_core *core);
void core_pick_timer(struct ew_core *core, uint32_t workload, double time_s);
/** Timers of decisions, one per workload, follow those of the dynamics. */
uint32_t core_first_pick_timer(const struct ew_core *core);

/* core.c */

enum ew_status core_template_init(struct ew_core *core, struct core_template *tmpl,
                                  struct ew_error *err);
/** A pair of devices may be used; duplicates are dropped later. */
enum ew_status core_add_connection(struct ew_core *core, uint32_t from, uint32_t to,
                                   struct ew_error *err);
/** A message whose ends are known may be sent. */
void core_enqueue_message(struct ew_core *core, uint32_t slot, uint32_t node, double time_s);
/** Note that a server may choose anew. */
void core_mark_dirty(struct ew_core *core, struct core_server *server);
/** Load or computation that takes time. */
static inline bool core_occupies_device(const struct core_slot *slot, uint32_t n)
{
    const uint8_t kind = slot->tmpl->graph->nodes[n].kind;
    return (kind == EW_NODE_COMPUTE || kind == EW_NODE_LOAD) && core_work_s(slot, n) >= EW_GRAIN_S;
}
/** Emit an event about a node of a slot's job. */
uint64_t core_emit_node(struct ew_core *core, enum ew_event_kind kind, uint32_t slot, uint32_t node,
                        double time_s);

/** Mark a node finished and cascade through everything that takes no time. */
void core_finish(struct ew_core *core, uint32_t slot, uint32_t node, double time_s);
void core_out_of_memory(struct ew_core *core);
/** All predecessors of these nodes have finished: let them begin, and cascade likewise. */
void core_begin_nodes(struct ew_core *core, uint32_t slot, const uint32_t *nodes, size_t n,
                      double time_s);

#endif
