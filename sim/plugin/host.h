/*
 * Host side of the strategy ABI: problem views, estimates, the plan builder, services.
 *
 * An instance is one strategy object for one problem. Knows no engine: evaluation is handed down as
 * a function pointer.
 */
#ifndef EW_PLUGIN_HOST_H
#define EW_PLUGIN_HOST_H

#include <stdbool.h>

#include "edgeweave/strategy.h"
#include "plan/plan.h"
#include "plugin/params.h"

/** What a strategy is asked. Borrowed; must outlive the instance. */
struct ew_problem {
    struct ew_plan_context context;
    int32_t batch;              /**< images per job, >= 1 */
    int32_t images_per_request; /**< divides batch; 0 counts as 1 */
    uint32_t source_device;
    uint32_t sink_device;
    double deadline_s;           /**< INFINITY: none */
    double min_accuracy;         /**< 0: none */
    double min_throughput_per_s; /**< 0: none */
    const char *arrival;         /**< as the user wrote it */
    const char *workload;
    uint64_t seed;
};

/** What only upper layers can do. */
struct ew_host_services {
    void *ctx;
    /** Run `plan` on the fast engine and fill `result` (arrays where not NULL). NULL: evaluate
     *  fails with a message. */
    enum ew_status (*evaluate)(void *ctx, const struct ew_problem *problem,
                               const struct ew_plan *plan, struct ew_evaluation *result,
                               struct ew_error *err);
    /** Optional extensions; may be NULL. */
    const void *(*extension)(void *ctx, const char *id);
    /** Receives what strategies log; may be NULL. */
    void (*log)(void *ctx, const char *strategy, uint32_t level, const char *message);
    /** Set when the strategy draws random numbers, or may have: its plan may be another one with
     *  another seed. NULL: nobody asks. */
    bool *has_drawn;
};

struct ew_instance;

/** Make a strategy object. `entry` and `info` must have been accepted by the loader; params,
 *  problem and services are borrowed. EW_ENOTSUP: create refused, the message is its reason.
 *  EW_EPLUGIN: it misbehaved. EW_EINPUT: the problem has no such devices or no batch. */
enum ew_status ew_instance_new(struct ew_instance **out, const struct ew_strategy_entry *entry,
                               const struct ew_strategy_info *info, const struct ew_params *params,
                               const struct ew_problem *problem,
                               const struct ew_host_services *services, struct ew_error *err);

/** Plan; may be called again, the same plan comes out. On success the book has passed
 *  ew_book_check. EW_ENOTSUP: the strategy cannot serve the problem, the message is its reason, or
 *  its plan needs more memory than there is. EW_EPLUGIN: it misbehaved. */
enum ew_status ew_instance_plan(struct ew_book **out, struct ew_instance *instance,
                                struct ew_error *err);

/** The strategy's online extension, all members; all zero: it has none. EW_EPLUGIN: it is not
 * whole. */
enum ew_status ew_instance_online(struct ew_online *out, const struct ew_instance *instance,
                                  struct ew_error *err);

/** Call observe. The platform of the problem may have other numbers than at the last call, but the
 *  same devices and links. `*out` is NULL when the plan in force stays, else a book of one plan
 * that has passed ew_book_check. EW_ENOTSUP: no plan for this world, the message is the strategy's
 * reason. */
enum ew_status ew_instance_observe(struct ew_book **out, struct ew_instance *instance,
                                   const struct ew_online *online, const struct ew_observation *now,
                                   struct ew_error *err);

/** Call pick, which must be there, and check what it decides. Any failure is EW_EPLUGIN. */
enum ew_status ew_instance_pick(struct ew_job_decision *decision, struct ew_instance *instance,
                                const struct ew_online *online,
                                const struct ew_job_observation *job, struct ew_error *err);

/** What a strategy that nobody vouches for decides must be possible. EW_EPLUGIN. */
enum ew_status ew_job_decision_check(const struct ew_job_decision *decision,
                                     const struct ew_job_observation *job, const char *strategy,
                                     struct ew_error *err);

/** Number of evaluate calls so far. */
uint64_t ew_instance_evaluations(const struct ew_instance *instance);

/* For plugin-check: a host that does not do what it is asked. */
enum ew_fault { EW_FAULT_NONE, EW_FAULT_BUILDER, EW_FAULT_EVALUATE, EW_FAULT_ALLOC };

/** In every plan from now on, calls of this kind fail from the `at`-th on (1: the first). */
void ew_instance_inject(struct ew_instance *instance, enum ew_fault fault, uint64_t at);

/** Calls of this kind during the last plan. */
uint64_t ew_instance_calls(const struct ew_instance *instance, enum ew_fault kind);

/** What the strategy's own plan function returned last. */
int32_t ew_instance_plan_code(const struct ew_instance *instance);

/** Destroy the strategy and free; accepts NULL. */
void ew_instance_free(struct ew_instance *instance);

#endif
