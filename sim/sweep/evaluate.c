#include "sweep/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/lower.h"

/* Most requests of one evaluation: a strategy that asks for more means to simulate. */
enum { MAX_REQUESTS = 100000 };

struct ew_evaluator {
    const struct ew_platform *platform;
    const struct ew_net_model *net;
    struct ew_lower *lower;
    struct ew_energy *energy;
    double *device_s; /* per device: compute, then send overhead */
    double *start_s;  /* per device: of the running task */
    double *link_s;   /* per link */
    double *pair_s;   /* per ordered pair of devices; touched entries are zeroed again */
};

/* Sums over the events of one evaluation. */
struct watch {
    struct ew_evaluator *evaluator;
    const struct ew_task_graph *graph;
    const struct ew_plan *plan;
    struct ew_evaluation *result;
    uint32_t n_layers;
    uint64_t n_done;
    double latency_sum_s;
};

enum ew_status ew_evaluator_new(struct ew_evaluator **out, const struct ew_platform *platform,
                                const struct ew_net_model *net, enum ew_energy_rule energy_rule,
                                struct ew_error *err)
{
    struct ew_evaluator *e = calloc(1, sizeof *e);
    if (!e) {
        return ew_fail_memory(err);
    }
    const size_t n = platform->n_devices;
    e->platform = platform;
    e->net = net;
    e->lower = ew_lower_new();
    e->device_s = calloc(2 * n, sizeof *e->device_s);
    e->start_s = calloc(n, sizeof *e->start_s);
    e->link_s = calloc((size_t)platform->n_links + 1, sizeof *e->link_s);
    e->pair_s = calloc(n * n, sizeof *e->pair_s);
    enum ew_status status = ew_energy_new(&e->energy, platform, energy_rule, err);
    if (status == EW_OK && (!e->lower || !e->device_s || !e->start_s || !e->link_s || !e->pair_s)) {
        status = ew_fail_memory(err);
    }
    if (status == EW_OK) {
        *out = e;
    } else {
        ew_evaluator_free(e);
    }
    return status;
}

void ew_evaluator_free(struct ew_evaluator *evaluator)
{
    if (!evaluator) {
        return;
    }
    ew_energy_free(evaluator->energy);
    ew_lower_free(evaluator->lower);
    free(evaluator->device_s);
    free(evaluator->start_s);
    free(evaluator->link_s);
    free(evaluator->pair_s);
    free(evaluator);
}

/* --- period ---------------------------------------------------------------------------------- */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void add_message(struct ew_evaluator *e, uint32_t from, uint32_t to, double bytes)
{
    const struct ew_platform *p = e->platform;
    const struct ew_route *route = ew_platform_route(p, from, to);
    const double factor = e->net->bandwidth_factor;
    e->device_s[p->n_devices + from] += p->devices[from].message_overhead_s;
    e->pair_s[(size_t)from * p->n_devices + to] +=
        route->latency_s * e->net->latency_factor +
        bytes / (route->bottleneck_bytes_per_s * factor);
    for (uint32_t i = 0; i < route->n_links; i++) {
        const struct ew_link *link = &p->links[route->links[i]];
        if (link->sharing == EW_LINK_SHARED) {
            e->link_s[route->links[i]] += bytes / (link->bandwidth_bytes_per_s * factor);
        }
    }
}

static void clear_sums(struct ew_evaluator *e)
{
    memset(e->device_s, 0, 2 * (size_t)e->platform->n_devices * sizeof *e->device_s);
    memset(e->link_s, 0, (size_t)e->platform->n_links * sizeof *e->link_s);
}

static void sum_nodes(struct ew_evaluator *e, const struct ew_task_graph *graph)
{
    clear_sums(e);
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        if (node->kind == EW_NODE_MESSAGE) {
            add_message(e, node->device, node->peer, (double)node->bytes);
        } else if (node->kind != EW_NODE_JOIN) {
            e->device_s[node->device] += node->work_s;
        }
    }
}

/* Where a plan with pools does its work only its run can tell. */
static void sum_event(struct ew_evaluator *e, const struct ew_event *event)
{
    if (event->kind == EW_EVENT_TASK_START) {
        e->start_s[event->device] = event->time_s;
    } else if (event->kind == EW_EVENT_TASK_END) {
        e->device_s[event->device] += event->time_s - e->start_s[event->device];
    } else if (event->kind == EW_EVENT_TRANSFER_START) {
        add_message(e, event->device, event->peer, (double)event->bytes);
    }
}

/* The most of the summed pairs, which are zeroed. */
static double busiest_pair_s(struct ew_evaluator *e, const struct ew_task_graph *graph)
{
    const size_t n_devices = e->platform->n_devices;
    double most_s = 0;
    for (uint32_t i = 0; i < graph->n_nodes && !graph->n_units; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        if (node->kind == EW_NODE_MESSAGE) {
            double *pair_s = &e->pair_s[node->device * n_devices + node->peer];
            most_s = larger(most_s, *pair_s);
            *pair_s = 0;
        }
    }
    for (size_t i = 0; graph->n_units && i < n_devices * n_devices; i++) {
        most_s = larger(most_s, e->pair_s[i]);
        e->pair_s[i] = 0;
    }
    return most_s;
}

/* Time per job of the busiest device, send thread, connection or link: jobs cannot follow each
 * other faster. */
static double busiest_s(struct ew_evaluator *e, const struct ew_task_graph *graph, uint64_t n_done)
{
    const struct ew_platform *p = e->platform;
    if (!graph->n_units) {
        sum_nodes(e, graph);
    }
    double most_s = busiest_pair_s(e, graph);
    for (size_t i = 0; i < 2 * (size_t)p->n_devices; i++) {
        most_s = larger(most_s, e->device_s[i]);
    }
    for (uint32_t i = 0; i < p->n_links; i++) {
        most_s = larger(most_s, e->link_s[i]);
    }
    if (graph->n_units) { /* summed over all jobs */
        for (uint32_t d = 0; d < p->n_devices; d++) {
            e->device_s[d] /= (double)n_done;
        }
        most_s /= (double)n_done;
    }
    return most_s;
}

/* --- events ---------------------------------------------------------------------------------- */

static void mark_layer(struct watch *w, const struct ew_event *event)
{
    const struct ew_task_info *info = &w->graph->info[event->node];
    if (w->plan->segments[info->segment].variant == 0 && info->layer < w->n_layers) {
        double *finish_s = &w->result->layer_finish_s[info->layer];
        *finish_s = isnan(*finish_s) ? event->time_s : larger(*finish_s, event->time_s);
    }
}

static void mark_device(struct watch *w, uint32_t device, double time_s)
{
    w->result->device_finish_s[device] = larger(w->result->device_finish_s[device], time_s);
}

static void on_event(void *ctx, const struct ew_event *event)
{
    struct watch *w = ctx;
    (void)ew_energy_event(w->evaluator->energy, event);
    if (w->graph->n_units) {
        sum_event(w->evaluator, event);
    }
    const bool is_first = event->request == 0;
    switch (event->kind) {
    case EW_EVENT_REQUEST_DONE:
    case EW_EVENT_REQUEST_LATE:
        w->n_done++;
        w->latency_sum_s += event->value;
        break;
    case EW_EVENT_TASK_END:
        if (is_first && w->result->layer_finish_s) {
            mark_layer(w, event);
        }
        if (is_first && w->result->device_finish_s) {
            mark_device(w, event->device, event->time_s);
        }
        break;
    case EW_EVENT_TRANSFER_END:
        if (is_first && w->result->device_finish_s) {
            mark_device(w, event->device, event->time_s);
            mark_device(w, event->peer, event->time_s);
        }
        break;
    default:
        break;
    }
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static void clear_arrays(struct watch *w)
{
    for (uint32_t i = 0; w->result->device_finish_s && i < w->evaluator->platform->n_devices; i++) {
        w->result->device_finish_s[i] = 0;
    }
    for (uint32_t i = 0; w->result->layer_finish_s && i < w->n_layers; i++) {
        w->result->layer_finish_s[i] = NAN;
    }
}

static void fill_energy(struct watch *w)
{
    double energy_j[EW_POWER_STATE_COUNT];
    ew_energy_total(energy_j, w->evaluator->energy);
    double total_j = 0;
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        total_j += energy_j[i];
    }
    const double n = (double)w->n_done;
    w->result->energy_j = total_j / n;
    w->result->dynamic_energy_j =
        (energy_j[EW_POWER_COMPUTE] + energy_j[EW_POWER_TX] + energy_j[EW_POWER_RX]) / n;
}

static enum ew_status run(struct watch *w, uint32_t requests, struct ew_error *err)
{
    struct ew_plan *const plans[1] = {(struct ew_plan *)(uintptr_t)w->plan};
    const struct ew_book book = {
        .strategy = "", .pick = EW_PICK_ONLY, .n_plans = 1, .plans = plans};
    const struct ew_run_workload workload = {
        .name = "evaluate",
        .book = &book,
        .task_graphs = &w->graph,
        .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 1},
        .n_requests = requests,
        .requests_per_job = 1,
        .deadline_s = INFINITY,
    };
    const struct ew_run run = {
        .platform = w->evaluator->platform,
        .net = w->evaluator->net,
        .n_workloads = 1,
        .workloads = &workload,
        .sink = {w, on_event},
    };
    struct ew_run_facts facts = {0};
    ew_energy_reset(w->evaluator->energy);
    enum ew_status status = ew_engine_fast.run(&facts, &run, err);
    return status == EW_OK ? ew_energy_status(w->evaluator->energy, err) : status;
}

enum ew_status ew_evaluate(void *ctx, const struct ew_problem *problem, const struct ew_plan *plan,
                           struct ew_evaluation *result, struct ew_error *err)
{
    struct ew_evaluator *e = ctx;
    struct watch w = {
        .evaluator = e,
        .plan = plan,
        .result = result,
        .n_layers = problem->context.graph->n_layers,
    };
    const uint32_t requests = result->requests ? result->requests : 1;
    if (requests > MAX_REQUESTS) {
        return ew_fail(err, EW_EINPUT, "evaluate: expected at most %d requests, found %u",
                       MAX_REQUESTS, requests);
    }
    /* one job at a time, so chains may be merged, unless the layers inside are asked for */
    const struct ew_lower_options options = {.merge_chains = !result->layer_finish_s};
    enum ew_status status =
        ew_lower_plan_scratch(&w.graph, e->lower, &problem->context, plan, &options, err);
    if (status == EW_OK) {
        clear_arrays(&w);
        clear_sums(e);
        status = run(&w, requests, err);
    }
    if (status != EW_OK) {
        return status;
    }
    result->latency_s = w.latency_sum_s / (double)w.n_done;
    result->period_s = busiest_s(e, w.graph, w.n_done);
    result->accuracy = w.graph->stats.expected_accuracy;
    result->message_bytes = w.graph->stats.message_bytes;
    for (uint32_t i = 0; result->device_busy_s && i < e->platform->n_devices; i++) {
        result->device_busy_s[i] = e->device_s[i]; /* as busiest_s left it */
    }
    fill_energy(&w);
    return EW_OK;
}
