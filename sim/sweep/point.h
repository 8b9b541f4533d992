/*
 * Point: one run of one set of plans on one setup. Strategy or saved plan -> book -> check -> lower
 * -> engine -> result. Used by `run`, `compare`, `plan`, and by sweeps.
 */
#ifndef EW_SWEEP_POINT_H
#define EW_SWEEP_POINT_H

#include "plan/task_graph.h"
#include "results/csv.h"
#include "results/metrics.h"
#include "results/trace.h"
#include "sweep/candidates.h"
#include "sweep/contender.h"
#include "sweep/evaluate.h"
#include "sweep/replan.h"
#include "sweep/setup.h"

/** Planning anew at every change, for nothing and at once (sweep/clairvoyant.h). */
struct ew_foresight {
    double until_s;           /**< changes after this are not looked at */
    uint32_t max_plans;       /**< >= 1: about how often to plan at most */
    uint64_t max_evaluations; /**< of all these plans together */
};

/** What all points of a command share; borrowed. */
struct ew_point_config {
    const struct ew_setup *setup;
    struct ew_evaluator *evaluator;
    double plan_limit_s; /**< for a plugin from outside the installation */
    /** Receives what strategies log; may be NULL. */
    void (*log)(void *ctx, const char *strategy, uint32_t level, const char *message);
    void *log_ctx;
    /** Called now and then while a strategy searches; may be NULL. */
    void (*tick)(void *ctx);
    void *tick_ctx;
    const volatile int *interrupted;
    uint64_t *n_evaluations; /**< counts plans evaluated inside the program; may be NULL */
    bool *has_drawn;         /**< see plugin/host.h; may be NULL */
    /** Where strategies may keep what is costly to find again; dir NULL: nowhere. Made when a
     *  strategy asks. */
    struct ew_cache_info cache;
    /** Plans already made, for strategies that ask; NULL: none. Setups with one workload only. */
    const struct ew_candidates *candidates;
    const struct ew_foresight *foresight; /**< NULL: plan anew when the scenario says */
};

/** Plans of all workloads, and who made them. Zero-initialise; free with ew_point_fini. */
struct ew_point {
    const struct ew_point_config *config;
    const char *strategy; /**< id; several joined by '+' when workloads differ; owned */
    const char *strategy_version;
    const char *params;
    double plan_time_s;         /**< wall-clock, all workloads */
    struct ew_book **books;     /**< per workload of the setup, owned */
    struct ew_replan **replans; /**< per workload, owned; NULL entries: one book throughout */
    /** Per workload: who made the plans, for books picked online; NULL entries: nobody is there. */
    const struct ew_contender **makers;
    struct ew_arena arena;
};

/** Make the plans: workloads with a plan file load it, others ask `makers[workload]`. A plugin from
 *  outside the installation plans in a child process, so that its crash is an error here. On
 *  failure point->strategy and so on are filled all the same, for an error row. EW_ENOTSUP: the
 *  strategy cannot serve, the message is its reason. EW_EPLUGIN, EW_EINPUT (plan file), EW_EINTR.
 */
enum ew_status ew_point_plan(struct ew_point *point, const struct ew_point_config *config,
                             const struct ew_contender *const *makers, struct ew_error *err);

void ew_point_fini(struct ew_point *point);

/** How to run a point; borrowed. */
struct ew_point_run {
    const struct ew_engine *engine;
    struct ew_csv *csv;                 /**< NULL: none */
    struct ew_trace *trace;             /**< NULL: none */
    struct ew_event_observer progress;  /**< sees every event; observe NULL: nobody */
    const struct ew_exec_options *exec; /**< engine exec: how; else NULL */
    struct ew_exec_facts *exec_facts;   /**< engine exec: filled, may be NULL */
    bool is_prepared;                   /**< engine simgrid: see engine/engine.h */
    /** Add to the result of a run that went well, before it is written. NULL: nothing to add. */
    enum ew_status (*complete)(void *ctx, struct ew_result *result, const struct ew_point *point,
                               struct ew_error *err);
    void *complete_ctx;
};

/** Labels of a result of this point. */
struct ew_run_labels ew_point_labels(const struct ew_point *point, const struct ew_engine *engine);

/** Lower and simulate. A run that fails (engine, deadlock, a plan that does not fit) gives a result
 *  that says why, result->error. EW_EINTR, EW_ENOMEM, EW_EIO (csv) are failures. Free the result
 *  with ew_result_free. */
enum ew_status ew_point_run(struct ew_result **out, const struct ew_point *point,
                            const struct ew_point_run *how, struct ew_error *err);

/** A row for a point whose planning failed with `why` and the message in `err`; booked in the CSV
 *  files, too. Returns `why` itself when it is EW_EINTR, EW_ENOMEM or EW_EIO. */
enum ew_status ew_point_fail(struct ew_result **out, const struct ew_point *point,
                             const struct ew_point_run *how, enum ew_status why,
                             struct ew_error *err);

/** Lower every plan of one workload's book. Free each with ew_task_graph_free, then the array. */
enum ew_status ew_point_lower(struct ew_task_graph ***out, const struct ew_point *point,
                              uint32_t workload, struct ew_error *err);

#endif
