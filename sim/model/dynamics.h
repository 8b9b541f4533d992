/*
 * Dynamics: how the world changes under a run. Step functions of bandwidth, latency, speed and of
 * what is up, noise on tasks, losses on links, and what the controller does when something breaks.
 *
 * Two forms. A `spec` is what a scenario says, by name and with traces unopened (filled by
 * io/dynamics_json.h); `struct ew_dynamics` is what engines run, by id (made by
 * sweep/dynamics_open.h). Plain data; knows no file format and no engine.
 */
#ifndef EW_MODEL_DYNAMICS_H
#define EW_MODEL_DYNAMICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* target, quantity, unit-bearing name, least value, whether 0 is allowed below it, most. Bandwidths
 * and speeds so small that times overflow or engines round them away are no use to anybody. */
#define EW_QUANTITY_MAP(X)                                                                         \
    X(LINK, BANDWIDTH, "bandwidth_bytes_per_s", 1e-3, true, 1e15)                                  \
    X(LINK, LATENCY, "latency_s", 0, true, 1e9)                                                    \
    X(LINK, UP, "up", 0, true, 1)                                                                  \
    X(DEVICE, SPEED, "speed_ratio", 1e-6, false, 1e6)                                              \
    X(DEVICE, UP, "up", 0, true, 1)

/** What a signal says of its link or device. `up` is 0 or 1; speed is relative to the nominal. */
enum ew_quantity {
#define X(target, quantity, name, least, zero_allowed, most) EW_QUANTITY_##target##_##quantity,
    EW_QUANTITY_MAP(X)
#undef X
        EW_QUANTITY_COUNT
};

bool ew_quantity_is_link(enum ew_quantity quantity);
/** "bandwidth_bytes_per_s", … */
const char *ew_quantity_name(enum ew_quantity quantity);
/** EW_EINPUT, naming quantity and range, unless a signal may take the value. */
enum ew_status ew_quantity_check(enum ew_quantity quantity, double value, struct ew_error *err);

enum { EW_DYNAMICS_MAX_STEPS = 10000000, EW_DYNAMICS_MAX_ITEMS = 65536 };

/* ------------------------------------------------------------------ for engines */

/** A step function of time: values[i] holds from times_s[i] until the next step. */
struct ew_signal {
    enum ew_quantity quantity;
    uint32_t target; /**< link or device */
    uint32_t n_steps;
    const double *times_s; /**< strictly ascending, >= 0 */
    const double *values;
    double offset_s; /**< the run begins here in the series, >= 0 */
    double loop_s;   /**< the series begins anew after so long, > the last time; 0: never, and the
                          last value holds for ever */
};

/** Where a run is in a signal. */
struct ew_signal_cursor {
    uint64_t cycle;
    uint32_t next; /**< step to come; n_steps: none */
};

/** Put the cursor at run time 0 and return the value there: `nominal` before the first step (of the
 *  first cycle; later cycles begin with the last value). */
double ew_signal_begin(struct ew_signal_cursor *cursor, const struct ew_signal *signal,
                       double nominal);
/** Run time of the step to come; INFINITY: none. */
double ew_signal_next_s(const struct ew_signal_cursor *cursor, const struct ew_signal *signal);
/** Take that step: its value. */
double ew_signal_step(struct ew_signal_cursor *cursor, const struct ew_signal *signal);

/** Noise of tasks on a device: a task takes its nominal time * exp(sigma * N(0,1)), and * slowdown
 *  with the given probability. Drawn from the run's seed and the task's identity (workload, job
 *  number within it, node), so that it does not depend on the order of events. */
struct ew_straggler {
    double sigma;             /**< of the logarithm, >= 0 */
    double probability_ratio; /**< 0..1 */
    double slowdown_ratio;    /**< >= 1 */
};

/** Loss of messages on a link: each attempt is lost with this probability, and noticed after
 *  retransmit_s. The message that gets through has the sum as additional latency. */
struct ew_loss {
    double loss_ratio; /**< 0 <= p < 1 */
    double retransmit_s;
};

/* enumerator, name in files and options */
#define EW_ON_FAILURE_MAP(X)                                                                       \
    X(WAIT, "wait")     /* start anew when all that the plan uses is up */                         \
    X(RETRY, "retry")   /* start anew after retry_delay_s */                                       \
    X(REPLAN, "replan") /* as retry, with a plan made for what is left by then */                  \
    X(FAIL, "fail")     /* the request has failed */

enum ew_on_failure {
#define X(name, text) EW_ON_FAILURE_##name,
    EW_ON_FAILURE_MAP(X)
#undef X
        EW_ON_FAILURE_COUNT
};

/** "wait", … */
const char *ew_on_failure_name(enum ew_on_failure on_failure);
bool ew_on_failure_find(enum ew_on_failure *out, const char *name);

/** What the controller does with a request whose attempt has failed. */
struct ew_failure_policy {
    enum ew_on_failure on_failure;
    double retry_delay_s;  /**< retry: from the failure to the next attempt, >= 0 */
    uint32_t max_attempts; /**< per request, >= 1; then it has failed */
    bool drop_at_deadline; /**< a request without an answer at its deadline is dropped */
    bool resumes;          /**< the next attempt goes on behind the last cut that is left */
};

/** "anew" or "resume"; false: neither. */
bool ew_next_attempt_find(bool *resumes, const char *text);
/** wait, 0.1 s, 10 attempts, not dropped at the deadline. */
struct ew_failure_policy ew_failure_policy_default(void);

/** When a strategy is asked for a new plan. */
enum ew_replan_when {
    EW_REPLAN_NEVER,
    EW_REPLAN_ON_CHANGE,  /**< on-change:PCT: a bandwidth, latency or speed is so much off the last
                             plan's,  or a device or link has gone or come back */
    EW_REPLAN_PERIOD,     /**< period:S */
    EW_REPLAN_ON_FAILURE, /**< on-failure: a device or link has gone or come back */
};

struct ew_replan_spec {
    enum ew_replan_when when;
    double change_ratio;            /**< on-change: 0.1 for 10 % */
    double period_s;                /**< period */
    double charge_s;                /**< a plan is in force so long after its cause */
    double charge_per_evaluation_s; /**< plus so much per evaluation that it took */
    bool moves_jobs;                /**< jobs under way take the new plan at their next cut */
};

/** "keep" or "move"; false: neither. */
bool ew_in_flight_find(bool *moves_jobs, const char *text);
/** Parse "on-change:PCT", "period:S", "on-failure" or "never". EW_EINPUT. */
enum ew_status ew_replan_parse(struct ew_replan_spec *out, const char *text, struct ew_error *err);
/** Parse "SECONDS" or "evaluations:SECONDS" into the charges. EW_EINPUT. */
enum ew_status ew_replan_parse_charge(struct ew_replan_spec *out, const char *text,
                                      struct ew_error *err);

/** What changes during a run. Engines borrow it. */
struct ew_dynamics {
    uint32_t n_signals;
    const struct ew_signal *signals;       /**< at most one per quantity and target */
    const struct ew_straggler *stragglers; /**< per device, or NULL: none */
    const struct ew_loss *losses;          /**< per link, or NULL: none */
    struct ew_failure_policy policy;
};

/* ------------------------------------------------------------------ as a scenario says it */

/** A step function as written: in the scenario or in a trace file. */
struct ew_series_spec {
    const char *target; /**< name of a link or device; "*": every one */
    bool is_link;
    enum ew_quantity quantity; /**< EW_QUANTITY_COUNT: the trace's header says */
    const char *trace_path;    /**< a CSV file; NULL: the points below */
    uint32_t n_points;
    const double *times_s;
    const double *values;
    double scale_ratio; /**< multiplies every value, > 0 */
    double offset_s;
    bool loops;
    double loop_s; /**< with loops; 0: the last value lasts as long as the one before it */
};

/** Something goes down or comes up. */
struct ew_change_spec {
    const char *target;
    bool is_link;
    bool is_up;
    double time_s;
};

struct ew_straggler_spec {
    const char *device; /**< name or "*" */
    struct ew_straggler noise;
};

struct ew_loss_spec {
    const char *link; /**< name or "*" */
    struct ew_loss loss;
};

/** Later items for the same quantity and target replace earlier ones; changes of one target add up
 *  and may not stand beside an `up` series of it. */
struct ew_dynamics_spec {
    uint32_t n_series;
    const struct ew_series_spec *series;
    uint32_t n_changes;
    const struct ew_change_spec *changes;
    uint32_t n_stragglers;
    const struct ew_straggler_spec *stragglers;
    uint32_t n_losses;
    const struct ew_loss_spec *losses;
    struct ew_failure_policy policy;
};

#endif
