/*
 * Result: everything a finished run is worth knowing for, as plain data.
 *
 * Made by results/metrics.h from events, or for a strategy that could not serve. Owns all it points
 * to, so it outlives platform, graphs and plans. Writers (report_json, csv, table) only print it.
 * Numbers that do not exist are NAN (null in JSON, empty in CSV, "-" in tables).
 */
#ifndef EW_RESULTS_RESULT_H
#define EW_RESULTS_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/scenario.h"
#include "plan/plan.h"
#include "results/energy.h"

/** What only the caller knows about a run; borrowed, copied by whoever makes a result. NULL texts
 *  count as "". */
struct ew_run_labels {
    const char *strategy;         /**< id */
    const char *strategy_version; /**< "" when not known */
    const char *params;           /**< "k=v k=v", in descriptor order; "" for none */
    const char *engine;           /**< id */
    double plan_time_s;           /**< wall-clock; NAN when not measured */
    double run_time_s;            /**< wall-clock; NAN when not measured */
};

/** Requests. requests = completed + dropped + failed + open; late is part of completed. */
struct ew_counts {
    uint64_t requests;  /**< arrived */
    uint64_t completed; /**< answered, in time or late */
    uint64_t late;      /**< answered after the deadline */
    uint64_t dropped;
    uint64_t failed;
    uint64_t open; /**< without an end when the run stopped: 0 after a complete run */
};

/** Latencies of completed requests, arrival to answer at the sink. NAN without any. */
struct ew_latency {
    double mean_s;
    double p50_s; /**< nearest rank, see results/percentile.h */
    double p90_s;
    double p99_s;
    double max_s;
    double low_s;  /**< 80 % bar of the mean, from draws; 0: there were none */
    double high_s; /**< likewise */
};

/** How full the system was. NAN without a request. */
struct ew_queue_figures {
    double mean_in_system; /**< requests that have arrived and not ended: mean over time, from the
                                first arrival to the last end */
    double max_in_system;
    double mean_wait_s; /**< from arrival to the first task, send or transfer of the request's job:
                             mean over completed requests */
    double max_wait_s;
};

/** The metric of a LoadGen scenario. */
struct ew_loadgen_result {
    enum ew_loadgen scenario; /**< EW_LOADGEN_NONE: there is no metric */
    double percentile_ratio;  /**< 0.9 or 0.99; NAN: the metric is a throughput */
    double latency_s;         /**< that percentile over queries; NAN for offline */
    double throughput_per_s;  /**< samples per second */
    uint64_t n_queries;       /**< answered */
};

/** What is said alike of a whole run and of one workload. */
struct ew_service {
    struct ew_counts counts;
    struct ew_latency latency;
    struct ew_queue_figures queue;
    double first_arrival_s;
    double last_completion_s;   /**< NAN without one */
    double throughput_per_s;    /**< completed / (last completion - first arrival) */
    double period_s;            /**< mean time between completions; NAN with fewer than two */
    double deadline_s;          /**< per request; INFINITY: none; NAN: workloads differ */
    double deadline_met_ratio;  /**< (completed - late) / requests; NAN without requests */
    double accuracy;            /**< of the plans used, mean over completed requests */
    double predicted_latency_s; /**< of the plans used, as the strategy's own model has it */
    bool claims_feasible;       /**< every plan used claims to meet the requirements */
    bool is_met;                /**< deadline by every request, accuracy, throughput */
    bool lacks_accuracy;        /**< below what is asked, or unknown */
    bool lacks_throughput;      /**< likewise */
    bool has_model_mismatch;    /**< claims_feasible, yet not met */
    const char *exit;           /**< name, when all completed requests left at one; else NULL */
};

/** A plan of a workload's book and how often it served. */
struct ew_plan_result {
    const char *name;
    uint64_t n_completed; /**< requests it completed */
    double expected_accuracy;
    double predicted_latency_s;
    double predicted_energy_j;
    bool claims_feasible;
    const char *infeasible_reason; /**< or NULL */
    uint32_t n_exits;              /**< exits of its segments, each name once, in order */
    const char *const *exits;
    uint32_t n_devices; /**< devices that compute something */
    uint64_t macs;
    uint64_t redundant_macs;
    uint64_t message_bytes;
    uint64_t n_messages;
    uint32_t n_notes;
    const struct ew_note *notes;
};

/** One layer of one workload: tasks that begin at it, transfers that feed it. A merged task counts
 *  with its first layer. */
struct ew_layer_result {
    uint32_t workload;
    uint32_t variant;
    uint32_t layer;   /**< in the variant's graph; EW_NONE: the row of transfers to the sink */
    const char *name; /**< "(result)" for that row */
    const char *op;
    uint64_t n_tasks;
    double compute_s; /**< summed over tasks and devices */
    double compute_j; /**< above idle; NAN without power figures, as below */
    uint64_t n_transfers;
    uint64_t rx_bytes; /**< that this layer received */
    double transfer_s; /**< summed over transfers */
    double transfer_j; /**< both ends, by the energy rule */
};

struct ew_workload_result {
    const char *name;
    const char *graph;
    struct ew_service service;
    struct ew_loadgen_result loadgen;
    double dynamic_energy_j; /**< above idle, of its tasks and transfers; NAN without figures */
    uint32_t n_plans;
    const struct ew_plan_result *plans;
};

struct ew_device_result {
    const char *name;
    const char *node;
    const char *profile;
    double busy_s;
    double tx_s;
    double rx_s;
    uint64_t tx_bytes;
    uint64_t rx_bytes;
    uint64_t n_tasks;
    double utilisation_ratio; /**< busy_s / horizon; NAN when the horizon is empty */
    bool has_energy;          /**< its node has power figures */
    double energy_j;          /**< sum over states */
    double dynamic_energy_j;  /**< compute + tx + rx */
    double state_j[EW_POWER_STATE_COUNT];
    uint64_t peak_memory_bytes; /**< per workload the largest of its plans; summed */
    double rows_share;          /**< of conv and pool output, mean over completed requests */
};

/** What draws from the profiles' residuals say. All 0 without draws. */
struct ew_bars {
    uint32_t n_draws;              /**< that gave a latency */
    const double *latency_draws_s; /**< mean latency per draw; the same draws in every run */
    double energy_low_j;           /**< 80 % bar of the whole platform's energy */
    double energy_high_j;
    const char *without_residuals; /**< a profile at work that knows no errors; NULL: none */
    uint32_t n_tasks;              /**< computing tasks whose profile has a range */
    uint32_t n_outside;            /**< those outside it */
};

/** What one request caused, over all devices; off and idle: its equal share if it was answered. */
struct ew_request_share {
    uint32_t workload;
    uint64_t request;                      /**< number within the workload */
    double time_s[EW_POWER_STATE_COUNT];   /**< summed over tasks (compute), transfers (tx, rx) */
    double energy_j[EW_POWER_STATE_COUNT]; /**< meaningless unless the run has_energy */
};

/** The same strategy when it plans anew, for nothing, whenever the world changes. */
struct ew_clairvoyant_result {
    uint64_t n_changes; /**< moments at which something changed */
    uint32_t n_regimes; /**< moments at which it planned; 0: there is no such run */
    uint32_t n_failed;  /**< of these, without a plan of its own */
    double latency_mean_s;
    double energy_per_request_j;
    double deadline_met_ratio;
    double accuracy;
};

/** One run of one strategy. */
struct ew_result {
    struct ew_arena arena;
    const char *strategy;
    const char *strategy_version;
    const char *params;
    const char *engine;
    double plan_time_s; /**< wall-clock */
    double run_time_s;  /**< wall-clock */
    const char *error;  /**< why there is no run; NULL when there is one */
    enum ew_status error_status;
    struct ew_service service; /**< over all workloads */
    struct ew_clairvoyant_result clairvoyant;
    double horizon_begin_s;  /**< first arrival */
    double horizon_end_s;    /**< last event, at or after the last completion */
    bool has_energy;         /**< every device has power figures */
    double energy_j;         /**< whole platform over the horizon */
    double dynamic_energy_j; /**< above idle (and off) */
    double state_j[EW_POWER_STATE_COUNT];
    double energy_per_request_j;         /**< energy_j / completed */
    double dynamic_energy_per_request_j; /**< dynamic_energy_j / completed */
    double idle_share_per_request_j;     /**< (idle + off) / completed: derived, not caused */
    uint64_t n_tasks;                    /**< compute and load tasks */
    uint64_t n_transfers;
    uint64_t transfer_bytes;
    uint32_t n_devices_used; /**< devices that computed anything */
    struct ew_bars bars;
    uint32_t n_workloads;
    const struct ew_workload_result *workloads;
    uint32_t n_devices;
    const struct ew_device_result *devices; /**< in platform order */
    uint32_t n_layers;
    const struct ew_layer_result
        *layers;                /**< by workload, variant, layer; only rows with activity */
    uint64_t n_requests_shared; /**< 0 unless somebody asked (results/request_parts.h) */
    const struct ew_request_share *request_shares; /**< by workload and number */
};

/** A row for a strategy that cannot serve or whose run failed. All copied. NULL: out of memory. */
struct ew_result *ew_result_new_error(const struct ew_run_labels *labels, enum ew_status status,
                                      const char *message);

/** Free; accepts NULL. */
void ew_result_free(struct ew_result *result);

#endif
