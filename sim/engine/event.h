/*
 * Events: what every engine emits, and all that results, energy, traces and plots are made of.
 */
#ifndef EW_ENGINE_EVENT_H
#define EW_ENGINE_EVENT_H

#include <stdint.h>

#include "base/status.h"

/* enumerator, name in files */
#define EW_EVENT_MAP(X)                                                                            \
    X(REQUEST_ARRIVE, "request_arrive")   /* value: deadline, absolute (INFINITY: none) */         \
    X(REQUEST_DONE, "request_done")       /* value: latency; at or before the deadline */          \
    X(REQUEST_LATE, "request_late")       /* value: latency; done after the deadline */            \
    X(REQUEST_DROPPED, "request_dropped") /* value: enum ew_fail_reason */                         \
    X(REQUEST_FAILED, "request_failed")   /* value: enum ew_fail_reason */                         \
    X(JOB_START, "job_start") /* bytes: number of requests; request: the first of them */          \
    X(JOB_END, "job_end")     /* every node of the job has finished */                             \
    X(TASK_START, "task_start")                                                                    \
    X(TASK_END, "task_end")                                                                        \
    X(SEND_START, "send_start")         /* the send thread begins the message's overhead */        \
    X(TRANSFER_START, "transfer_start") /* the connection begins it: latency */                    \
    X(TRANSFER_FLOW, "transfer_flow")   /* its bytes begin to flow */                              \
    X(TRANSFER_END, "transfer_end")                                                                \
    X(DEVICE_CHANGE, "device_change") /* value: speed ratio */                                     \
    X(LINK_CHANGE, "link_change")     /* device: link id; value: bandwidth ratio */                \
    X(TASK_ABORT, "task_abort")       /* a running task stops without a result */                  \
    X(TRANSFER_ABORT, "transfer_abort")                                                            \
    X(JOB_FAILED, "job_failed") /* the attempt is over without an answer; none of its nodes runs   \
                                 */                                                                \
    X(JOB_MOVED, "job_moved")   /* likewise, at a cut: its requests go on in the job that follows */

enum ew_event_kind {
#define X(name, text) EW_EVENT_##name,
    EW_EVENT_MAP(X)
#undef X
        EW_EVENT_COUNT
};

/* enumerator, name in files */
#define EW_FAIL_REASON_MAP(X)                                                                      \
    X(NONE, "")                                                                                    \
    X(DEADLINE, "deadline") /* dropped: no answer at its deadline */                               \
    X(POLICY, "policy")     /* on_failure fail */                                                  \
    X(ATTEMPTS, "attempts") /* max_attempts attempts have failed */                                \
    X(NO_PLAN, "no_plan")   /* the strategy has no plan for what is left */                        \
    X(STRANDED, "stranded") /* nothing can happen any more */

/** Why a request was dropped or has failed. */
enum ew_fail_reason {
#define X(name, text) EW_FAIL_REASON_##name,
    EW_FAIL_REASON_MAP(X)
#undef X
        EW_FAIL_REASON_COUNT
};

/** Name in files, "" for none. */
const char *ew_fail_reason_name(enum ew_fail_reason reason);

/** One event. Ids that do not apply are EW_NONE (32 bit) or UINT64_MAX (64 bit). Events reach the
 *  sink ordered by time (to within the 1 ns grain), ties in the order of cause. */
struct ew_event {
    double time_s; /**< since run start */
    uint32_t kind; /**< enum ew_event_kind */
    uint32_t workload;
    uint64_t request;      /**< first request of the job, or the request itself */
    uint64_t job;          /**< per run, from 0, in start order */
    uint32_t plan;         /**< index in the workload's book */
    uint32_t node;         /**< index in the plan's task graph */
    uint32_t device;       /**< task: where; transfer: sender */
    uint32_t peer;         /**< transfer: receiver */
    uint32_t layer;        /**< task: first layer; transfer: layer whose output moves */
    uint32_t reader_layer; /**< transfer: first layer that reads it; task: == layer */
    uint64_t bytes;        /**< transfer: message bytes; job_start: number of requests */
    double value;          /**< see the kinds */
};

/** Where events go. Called synchronously; must not call back into the engine. */
struct ew_event_sink {
    void *ctx;
    void (*emit)(void *ctx, const struct ew_event *event);
};

/** Name in files, e.g. "task_start". */
const char *ew_event_name(enum ew_event_kind kind);

#endif
