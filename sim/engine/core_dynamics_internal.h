/*
 * A changing world inside the job machine, shared by core_dynamics.c (signals, what is up, noise,
 * the end) and core_failure.c (failing attempts, the controller). Nobody else includes this.
 */
#ifndef EW_ENGINE_CORE_DYNAMICS_INTERNAL_H
#define EW_ENGINE_CORE_DYNAMICS_INTERNAL_H

#include "engine/core_internal.h"

struct doomed {
    uint32_t slot;
    double time_s;
};

/* Requests whose attempt has failed, until the next one. */
struct pause {
    struct core_template *tmpl;
    uint64_t first_request;
    uint32_t n_requests;
    uint32_t n_attempts;
    double *arrival_s; /* owned; NAN: dropped */
    double ready_s;    /* of a retry */
    uint32_t cut;      /* of tmpl that the next attempt may go on behind; EW_NONE: none */
};

/* Whether a request has ended, for those from the oldest open one on. */
struct open_request {
    double arrival_s;
    bool is_open;
};

struct open_requests {
    EW_VEC(struct open_request) items;
    size_t head;
    uint64_t first; /* request at head */
};

struct core_dynamics {
    const struct ew_dynamics *given;
    struct ew_signal_cursor *cursors; /* per signal */
    double *speed_ratio;              /* per device */
    bool *is_device_up;
    double *bandwidth_bytes_per_s; /* per link */
    double *latency_s;
    double *base_latency_s; /* least ever */
    bool *is_link_up;
    double longest_loop_s;
    double quiet_since_s; /* nothing but changes since */
    uint64_t noise_key;
    EW_VEC(struct doomed) doomed;
    EW_VEC(struct pause) retries; /* by ready_s, from retries_head on */
    size_t retries_head;
    EW_VEC(struct pause) waits;
    bool should_check_waits;
    double check_waits_s;
    struct open_requests *open; /* per workload; in use when requests are dropped */
    double control_s;           /* when the control timer is due; INFINITY: it is not set */
};

/** The timer behind those of the signals: what the controller has to do next. */
static inline uint32_t core_control_timer(const struct core_dynamics *dyn)
{
    return dyn->given->n_signals;
}

/* core_dynamics.c */

/** The device is down from time_s on. */
void core_device_lost(struct ew_core *core, uint32_t device, double time_s);

/* core_failure.c */

/** When the oldest open request of the workload is dropped; INFINITY: never. */
double core_drop_time_s(const struct ew_core *core, uint32_t workload);
/** When the workload's next plan comes into force, for requests that wait. */
double core_next_plan_s(const struct ew_core *core, uint32_t workload);
/** Those of n requests that somebody waits for have failed. */
void core_lose_all(struct ew_core *core, uint32_t workload, uint64_t first_request,
                   const double *arrival_s, uint32_t n, enum ew_fail_reason reason, double time_s);
/** Stop an attempt; its slot may be used again. */
void core_bury(struct ew_core *core, uint32_t slot, double time_s);
/** Nothing goes on with what lies on the device. */
void core_forget_cuts(struct ew_core *core, uint32_t device);
/** Requests of the workload wait for their next attempt. */
bool core_has_pause(const struct ew_core *core, uint32_t workload);
/** Nobody waits any more for `request`; false: it is none of these n. */
bool core_strike(double *arrival_s, uint64_t first_request, uint64_t n, uint64_t request);
/** The control timer: drop what is late, start what is due. */
void core_run_control(struct ew_core *core, double time_s);

#endif
