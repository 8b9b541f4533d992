#include "results/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/metrics_fold.h"

static bool plan_uses_variants(const struct ew_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        if (plan->segments[i].variant != 0) {
            return true;
        }
    }
    return false;
}

static bool book_uses_variants(const struct ew_book *book)
{
    for (uint32_t i = 0; i < book->n_plans; i++) {
        if (plan_uses_variants(book->plans[i])) {
            return true;
        }
    }
    return false;
}

/* Number of the layer fold that a node's energy goes to. */
static uint32_t node_layer(const struct ew_workload_fold *fold, const struct ew_graph *graph,
                           const struct ew_plan *plan, const struct ew_task_graph *tasks,
                           uint32_t node)
{
    const struct ew_task_info *info = &tasks->info[node];
    const uint32_t variant =
        info->segment < plan->n_segments ? plan->segments[info->segment].variant : 0;
    uint32_t begin = fold->layer_begin;
    for (uint32_t v = 0; v < variant; v++) {
        begin += ew_variant_layers(graph, v) + 1;
    }
    const uint32_t n_layers = ew_variant_layers(graph, variant);
    const uint32_t layer =
        tasks->nodes[node].kind == EW_NODE_MESSAGE ? info->reader_layer : info->layer;
    return begin + (layer < n_layers ? layer : n_layers);
}

static bool map_nodes(struct ew_workload_fold *fold, const struct ew_graph *graph,
                      const struct ew_run_workload *workload)
{
    const uint32_t n_plans = fold->n_plans;
    fold->node_layers = calloc(n_plans ? n_plans : 1, sizeof *fold->node_layers);
    fold->n_nodes = calloc(n_plans ? n_plans : 1, sizeof *fold->n_nodes);
    if (!fold->node_layers || !fold->n_nodes) {
        return false;
    }
    for (uint32_t p = 0; p < n_plans; p++) {
        const struct ew_task_graph *tasks = workload->task_graphs[p];
        fold->node_layers[p] = calloc(tasks->n_nodes ? tasks->n_nodes : 1, sizeof(uint32_t));
        if (!fold->node_layers[p]) {
            return false;
        }
        fold->n_nodes[p] = tasks->n_nodes;
        for (uint32_t node = 0; node < tasks->n_nodes; node++) {
            fold->node_layers[p][node] =
                node_layer(fold, graph, workload->book->plans[p], tasks, node);
        }
    }
    return true;
}

/* False when memory runs out. */
static bool init_workload(struct ew_metrics *metrics, uint32_t w)
{
    const struct ew_run_workload *workload = &metrics->run->workloads[w];
    const struct ew_graph *graph = metrics->config.workloads[w].context->graph;
    struct ew_workload_fold *fold = &metrics->workloads[w];
    fold->n_plans = workload->book->n_plans;
    fold->n_completed = calloc(fold->n_plans ? fold->n_plans : 1, sizeof *fold->n_completed);
    fold->layer_begin = metrics->n_layers;
    fold->n_base_layers = ew_variant_layers(graph, 0);
    if (workload->arrival.loadgen == EW_LOADGEN_MULTI_STREAM) {
        fold->query.size = workload->arrival.group_size ? workload->arrival.group_size : 1;
    }
    for (uint32_t v = 0; v < graph->n_variants; v++) {
        metrics->n_layers += ew_variant_layers(graph, v) + 1;
    }
    if (!fold->n_completed) {
        return false;
    }
    return !book_uses_variants(workload->book) || map_nodes(fold, graph, workload);
}

static void free_node_layers(struct ew_workload_fold *fold)
{
    for (uint32_t p = 0; fold->node_layers && p < fold->n_plans; p++) {
        free(fold->node_layers[p]);
    }
    free(fold->node_layers);
    free(fold->n_nodes);
    fold->node_layers = NULL;
    fold->n_nodes = NULL;
}

/* The book has got plans since it was looked at. */
static void add_plans(struct ew_metrics *metrics, uint32_t w)
{
    const struct ew_run_workload *workload = &metrics->run->workloads[w];
    struct ew_workload_fold *fold = &metrics->workloads[w];
    const uint32_t n = workload->book->n_plans;
    uint64_t *n_completed = realloc(fold->n_completed, n * sizeof *n_completed);
    if (!n_completed) {
        metrics->ran_out_of_memory = true;
        return;
    }
    memset(n_completed + fold->n_plans, 0, (n - fold->n_plans) * sizeof *n_completed);
    free_node_layers(fold);
    fold->n_completed = n_completed;
    fold->n_plans = n;
    metrics->ran_out_of_memory |=
        book_uses_variants(workload->book) &&
        !map_nodes(fold, metrics->config.workloads[w].context->graph, workload);
}

enum ew_status ew_metrics_new(struct ew_metrics **out, const struct ew_metrics_config *config,
                              struct ew_error *err)
{
    struct ew_metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics) {
        return ew_fail_memory(err);
    }
    metrics->config = *config;
    metrics->run = config->run;
    metrics->jobs.record_bytes = sizeof(struct ew_job_fold);
    metrics->workloads =
        calloc(config->run->n_workloads ? config->run->n_workloads : 1, sizeof *metrics->workloads);
    bool is_ready = metrics->workloads && ew_energy_new(&metrics->energy, config->run->platform,
                                                        config->energy_rule, NULL) == EW_OK;
    for (uint32_t w = 0; is_ready && w < config->run->n_workloads; w++) {
        is_ready = init_workload(metrics, w);
    }
    if (is_ready) {
        metrics->layers =
            calloc(metrics->n_layers ? metrics->n_layers : 1, sizeof *metrics->layers);
    }
    if (!metrics->layers) {
        ew_metrics_free(metrics);
        return ew_fail_memory(err);
    }
    *out = metrics;
    return EW_OK;
}

void ew_metrics_free(struct ew_metrics *metrics)
{
    if (!metrics) {
        return;
    }
    for (uint32_t w = 0; metrics->workloads && w < metrics->run->n_workloads; w++) {
        struct ew_workload_fold *fold = &metrics->workloads[w];
        free_node_layers(fold);
        free(fold->n_completed);
        ew_vec_fini(&fold->latencies_s);
        ew_vec_fini(&fold->query.latencies_s);
    }
    ew_ring_fini(&metrics->jobs);
    free(metrics->workloads);
    free(metrics->layers);
    ew_energy_free(metrics->energy);
    free(metrics);
}

/* The layer fold that an event's energy goes to. */
static inline struct ew_layer_fold *layer_of(const struct ew_metrics *metrics,
                                             const struct ew_event *event, uint32_t layer)
{
    const struct ew_workload_fold *fold = &metrics->workloads[event->workload];
    if (fold->node_layers && event->plan < fold->n_plans &&
        event->node < fold->n_nodes[event->plan]) {
        return &metrics->layers[fold->node_layers[event->plan][event->node]];
    }
    const uint32_t n = fold->n_base_layers;
    return &metrics->layers[fold->layer_begin + (layer < n ? layer : n)];
}

/* ------------------------------------------------------------------------------------- queues */

static void advance_load(struct ew_load_fold *load, double time_s)
{
    ew_sum_add(&load->integral, (double)load->n * (time_s - load->changed_s));
    load->changed_s = time_s;
}

static void enter_system(struct ew_load_fold *load, double time_s)
{
    advance_load(load, time_s);
    load->n++;
    load->max = load->n > load->max ? load->n : load->max;
}

static void leave_system(struct ew_load_fold *load, double time_s)
{
    advance_load(load, time_s);
    load->n -= load->n > 0;
    load->last_end_s = time_s;
    load->until_last_end = ew_sum_value(&load->integral);
}

static void begin_job(struct ew_metrics *metrics, const struct ew_event *event)
{
    struct ew_job_fold *job = ew_ring_reach(&metrics->jobs, event->job);
    if (job) {
        *job = (struct ew_job_fold){.begin_s = NAN, .is_known = true};
    } else {
        metrics->ran_out_of_memory = true;
    }
}

/* A task, send or transfer of the job starts. */
static inline void note_begin(struct ew_metrics *metrics, const struct ew_event *event)
{
    struct ew_job_fold *job = ew_ring_at(&metrics->jobs, event->job);
    if (job && isnan(job->begin_s)) {
        job->begin_s = event->time_s;
    }
}

static void end_job(struct ew_metrics *metrics, const struct ew_event *event)
{
    struct ew_job_fold *job = ew_ring_at(&metrics->jobs, event->job);
    if (job) {
        job->has_ended = true;
    }
    while ((job = ew_ring_oldest(&metrics->jobs)) && (job->has_ended || !job->is_known)) {
        ew_ring_drop_oldest(&metrics->jobs);
    }
}

/* From arrival to the first thing that the job did; a job that does nothing waits for nothing. */
static double wait_of(const struct ew_metrics *metrics, const struct ew_event *event)
{
    const struct ew_job_fold *job = ew_ring_at(&metrics->jobs, event->job);
    const double arrival_s = event->time_s - event->value;
    return job && !isnan(job->begin_s) ? fmax(job->begin_s - arrival_s, 0) : 0;
}

/* A request of the current query has ended, answered or not. A query with a lost sample has no
 * latency. */
static bool end_sample(struct ew_query_fold *query, uint64_t n_requests, double time_s,
                       bool is_answered)
{
    query->n_ended++;
    query->n_failed += is_answered ? 0 : 1;
    if (query->n_ended < query->size && query->n_ended < n_requests) {
        return true;
    }
    const bool is_complete = query->n_failed == 0;
    query->n_ended = 0;
    query->n_failed = 0;
    return !is_complete || ew_vec_push(&query->latencies_s, time_s - query->begin_s);
}

static void end_request(struct ew_metrics *metrics, const struct ew_event *event, bool is_answered)
{
    struct ew_workload_fold *fold = &metrics->workloads[event->workload];
    leave_system(&fold->load, event->time_s);
    leave_system(&metrics->load, event->time_s);
    if (fold->query.size) {
        metrics->ran_out_of_memory |= !end_sample(
            &fold->query, fold->load.n + fold->query.n_ended + 1, event->time_s, is_answered);
    }
}

/* ----------------------------------------------------------------------------------- requests */

static void complete_request(struct ew_metrics *metrics, const struct ew_event *event)
{
    struct ew_workload_fold *fold = &metrics->workloads[event->workload];
    const double latency_s = event->value;
    const double wait_s = wait_of(metrics, event);
    ew_sum_add(&fold->wait_s, wait_s);
    fold->max_wait_s = fmax(fold->max_wait_s, wait_s);
    end_request(metrics, event, true);
    fold->counts.completed++;
    fold->counts.late += event->kind == EW_EVENT_REQUEST_LATE;
    if (!fold->has_completion) {
        fold->has_completion = true;
        fold->first_completion_s = event->time_s;
        fold->last_completion_s = event->time_s;
        fold->max_latency_s = latency_s;
    }
    fold->last_completion_s = fmax(fold->last_completion_s, event->time_s);
    fold->max_latency_s = fmax(fold->max_latency_s, latency_s);
    ew_sum_add(&fold->latency_s, latency_s);
    metrics->ran_out_of_memory |= !ew_vec_push(&fold->latencies_s, latency_s);
    if (event->plan < fold->n_plans) {
        fold->n_completed[event->plan]++;
    } else if (fold->n_plans == 1) {
        fold->n_completed[0]++;
    } else {
        fold->n_unknown_plan++;
    }
}

static void arrive(struct ew_metrics *metrics, const struct ew_event *event)
{
    struct ew_workload_fold *fold = &metrics->workloads[event->workload];
    enter_system(&fold->load, event->time_s);
    enter_system(&metrics->load, event->time_s);
    if (fold->load.n == 1) {
        fold->query.begin_s = event->time_s;
    }
    fold->counts.requests++;
    if (!fold->has_arrival) {
        fold->has_arrival = true;
        fold->first_arrival_s = event->time_s;
    }
}

static void fold_event(struct ew_metrics *metrics, const struct ew_event *event,
                       const struct ew_joules *joules)
{
    switch (event->kind) {
    case EW_EVENT_TASK_END: {
        struct ew_layer_fold *layer = layer_of(metrics, event, event->layer);
        layer->n_tasks++;
        ew_sum_add(&layer->compute_s, joules->busy_s);
        ew_sum_add(&layer->compute_j, joules->own_j);
        break;
    }
    case EW_EVENT_TRANSFER_END: {
        struct ew_layer_fold *layer = layer_of(metrics, event, event->reader_layer);
        layer->n_transfers++;
        layer->rx_bytes += event->bytes;
        ew_sum_add(&layer->transfer_s, joules->busy_s);
        ew_sum_add(&layer->transfer_j, joules->own_j + joules->peer_j);
        break;
    }
    case EW_EVENT_TASK_ABORT: {
        struct ew_layer_fold *layer = layer_of(metrics, event, event->layer);
        ew_sum_add(&layer->compute_s, joules->busy_s);
        ew_sum_add(&layer->compute_j, joules->own_j);
        break;
    }
    case EW_EVENT_TRANSFER_ABORT: {
        struct ew_layer_fold *layer = layer_of(metrics, event, event->reader_layer);
        ew_sum_add(&layer->transfer_s, joules->busy_s);
        ew_sum_add(&layer->transfer_j, joules->own_j + joules->peer_j);
        break;
    }
    case EW_EVENT_REQUEST_ARRIVE:
        arrive(metrics, event);
        break;
    case EW_EVENT_REQUEST_DONE:
    case EW_EVENT_REQUEST_LATE:
        complete_request(metrics, event);
        break;
    case EW_EVENT_REQUEST_DROPPED:
        metrics->workloads[event->workload].counts.dropped++;
        end_request(metrics, event, false);
        break;
    case EW_EVENT_REQUEST_FAILED:
        metrics->workloads[event->workload].counts.failed++;
        end_request(metrics, event, false);
        break;
    case EW_EVENT_JOB_START:
        if (metrics->run->workloads[event->workload].book->n_plans >
            metrics->workloads[event->workload].n_plans) {
            add_plans(metrics, event->workload);
        }
        begin_job(metrics, event);
        break;
    case EW_EVENT_JOB_END:
    case EW_EVENT_JOB_FAILED:
    case EW_EVENT_JOB_MOVED:
        end_job(metrics, event);
        break;
    case EW_EVENT_TASK_START:
    case EW_EVENT_SEND_START:
    case EW_EVENT_TRANSFER_START:
        note_begin(metrics, event);
        break;
    default:
        break;
    }
}

static void take_event(void *ctx, const struct ew_event *event)
{
    struct ew_metrics *metrics = ctx;
    const struct ew_joules joules = ew_energy_event(metrics->energy, event);
    if (event->workload < metrics->run->n_workloads) {
        fold_event(metrics, event, &joules);
    }
    if (metrics->config.observer.observe) {
        metrics->config.observer.observe(metrics->config.observer.ctx, event, &joules);
    }
}

struct ew_event_sink ew_metrics_sink(struct ew_metrics *metrics)
{
    return (struct ew_event_sink){.ctx = metrics, .emit = take_event};
}
