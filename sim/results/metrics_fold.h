/*
 * State of the metrics fold, shared by metrics.c (which fills it) and metrics_result.c (which reads
 * it). Private to those two.
 */
#ifndef EW_RESULTS_METRICS_FOLD_H
#define EW_RESULTS_METRICS_FOLD_H

#include "base/vec.h"
#include "results/metrics.h"
#include "results/ring.h"
#include "results/sum.h"

/** What a layer has cost so far. */
struct ew_layer_fold {
    uint64_t n_tasks;
    uint64_t n_transfers;
    uint64_t rx_bytes;
    struct ew_sum compute_s;
    struct ew_sum compute_j;
    struct ew_sum transfer_s;
    struct ew_sum transfer_j;
};

/** Requests in the system over time. */
struct ew_load_fold {
    uint64_t n; /**< now */
    uint64_t max;
    double changed_s; /**< when n changed last */
    double last_end_s;
    double until_last_end;  /**< integral of n over time up to last_end_s */
    struct ew_sum integral; /**< up to changed_s */
};

/** A job that has begun: when it first did something; NAN: not yet. */
struct ew_job_fold {
    double begin_s;
    bool is_known;
    bool has_ended;
};

/** Queries of a multi-stream workload: groups of consecutive requests, one at a time. */
struct ew_query_fold {
    uint64_t size;     /**< requests of a query; 0: not a multi-stream workload */
    uint64_t n_ended;  /**< requests of the current query */
    uint64_t n_failed; /**< of these, without an answer */
    double begin_s;
    EW_VEC(double) latencies_s;
};

/** Counts and times of one workload. Its layer folds are numbered from layer_begin: for every
 *  variant its layers, then one for transfers that no layer reads (the answer's way to the sink).
 */
struct ew_workload_fold {
    struct ew_counts counts;
    bool has_arrival;
    bool has_completion;
    double first_arrival_s;
    double first_completion_s;
    double last_completion_s;
    double max_latency_s;
    double max_wait_s;
    struct ew_sum wait_s;
    struct ew_load_fold load;
    struct ew_query_fold query;
    struct ew_sum latency_s;
    EW_VEC(double) latencies_s;
    uint32_t n_plans;
    uint64_t *n_completed;   /**< per plan */
    uint64_t n_unknown_plan; /**< completed by a plan outside the book */
    uint32_t layer_begin;
    uint32_t n_base_layers; /**< of variant 0 */
    uint32_t **node_layers; /**< [plan][node] -> number of the layer fold; NULL when only
                                 variant 0 is in use and ids can be taken as they are */
    uint32_t *n_nodes;      /**< per plan, of node_layers */
};

struct ew_metrics {
    struct ew_metrics_config config;
    const struct ew_run *run;
    struct ew_energy *energy;
    struct ew_workload_fold *workloads;
    struct ew_layer_fold *layers;
    uint32_t n_layers;
    struct ew_load_fold load; /**< over all workloads */
    struct ew_ring jobs;      /**< struct ew_job_fold by job id */
    bool ran_out_of_memory;
};

/** Layers of a variant of a workload's graph. */
static inline uint32_t ew_variant_layers(const struct ew_graph *graph, uint32_t variant)
{
    return graph->variants[variant].graph->n_layers;
}

#endif
