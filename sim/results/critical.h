/*
 * Critical path: what one request waited for, from its arrival to its answer, without gap or
 * overlap.
 *
 * Order of use: ew_critical_observer, run, ew_critical_walk with the task graph of the plan that
 * served the request, ew_critical_fini.
 */
#ifndef EW_RESULTS_CRITICAL_H
#define EW_RESULTS_CRITICAL_H

#include "base/vec.h"
#include "results/metrics.h"

/* enumerator, name in files, what it is in words */
#define EW_PATH_PART_MAP(X)                                                                        \
    X(QUEUE, "queue", "waiting to be started")                                                     \
    X(COMPUTE, "compute", "computing")                                                             \
    X(LOAD, "load", "loading weights")                                                             \
    X(DEVICE_WAIT, "device_wait", "waiting for the device")                                        \
    X(POOL_WAIT, "pool_wait", "waiting in the pool")                            \
    X(SEND_WAIT, "send_wait", "waiting for the send thread")                                       \
    X(OVERHEAD, "overhead", "message overhead")                                                    \
    X(CONNECTION_WAIT, "connection_wait", "waiting for the connection")                            \
    X(LATENCY, "latency", "link latency")                                                          \
    X(TRANSFER, "transfer", "bytes on links")                                                      \
    X(CONTENTION, "contention", "other messages on the links")

enum ew_path_part_kind {
#define X(name, text, words) EW_PATH_PART_##name,
    EW_PATH_PART_MAP(X)
#undef X
        EW_PATH_PART_COUNT
};

/** Name in files; in words. */
const char *ew_path_part_name(enum ew_path_part_kind kind);
const char *ew_path_part_words(enum ew_path_part_kind kind);

/** A stretch of the path. Each begins exactly when the one before it ends. */
struct ew_path_part {
    enum ew_path_part_kind kind;
    double begin_s;
    double end_s;
    uint32_t node;           /**< of the task graph; EW_NONE: queue */
    uint32_t device;         /**< where; of a message the sender; EW_NONE: queue */
    uint32_t peer;           /**< receiver; EW_NONE: no message */
    uint32_t link;           /**< narrowest of the route; EW_NONE: no message */
    uint32_t rows;           /**< compute: rows of the output box */
    uint32_t redundant_rows; /**< compute: those that another device computes, too */
};

/** Times of one node of the job that answered; NAN: not seen. */
struct ew_node_times {
    double send_s; /**< overhead begins */
    double start_s;
    double flow_s;
    double end_s;
    uint32_t device; /**< where it ran; of a message the sender */
    uint32_t peer;   /**< receiver */
};

struct ew_critical {
    uint32_t workload; /**< wanted */
    uint64_t request;  /**< wanted */
    uint64_t job;      /**< that serves it; the last attempt */
    uint32_t plan;     /**< index in the book; EW_NONE: not started */
    double arrival_s;  /**< NAN: never arrived */
    double start_s;
    double end_s; /**< answered; NAN: never */
    EW_VEC(struct ew_node_times) nodes;
    EW_VEC(struct ew_path_part) parts; /**< by time, once walked */
    bool ran_out_of_memory;
};

struct ew_critical ew_critical_begin(uint32_t workload, uint64_t request);
struct ew_event_observer ew_critical_observer(struct ew_critical *critical);

/** Find the path. `graph`: of plan critical->plan, lowered as the run's. EW_EINPUT when the request
 *  was never answered. */
enum ew_status ew_critical_walk(struct ew_critical *critical, const struct ew_task_graph *graph,
                                const struct ew_platform *platform, const struct ew_net_model *net,
                                struct ew_error *err);

void ew_critical_fini(struct ew_critical *critical);

/** Narrowest link of a route, counting how often it is named; EW_NONE without links. */
uint32_t ew_route_bottleneck(const struct ew_platform *platform, const struct ew_route *route);

#endif
