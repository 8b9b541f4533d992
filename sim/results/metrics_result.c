/*
 * From the finished fold to plain data: names, ratios, percentiles, sums. Runs once per run, so
 * clarity comes before speed here.
 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "results/metrics_fold.h"
#include "results/percentile.h"

/* The plans that a workload's figures speak about: those that completed something, or the only one
 * there is. */
static bool is_plan_used(const struct ew_workload_fold *fold, uint32_t plan)
{
    return fold->n_completed[plan] > 0 || fold->n_plans == 1;
}

/* Weight of a plan in means over completed requests. */
static double plan_weight(const struct ew_workload_fold *fold, uint32_t plan)
{
    return fold->n_plans == 1 ? 1 : (double)fold->n_completed[plan];
}

static bool copy_exits(struct ew_plan_result *out, struct ew_arena *arena,
                       const struct ew_graph *graph, const struct ew_plan *plan)
{
    const char **names = ew_arena_calloc(arena, plan->n_segments, sizeof *names);
    if (!names) {
        return false;
    }
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        const struct ew_graph *variant = ew_segment_graph(graph, &plan->segments[s]);
        const char *name = variant->exits[plan->segments[s].exit].name;
        bool is_known = false;
        for (uint32_t i = 0; i < out->n_exits; i++) {
            is_known = is_known || strcmp(names[i], name) == 0;
        }
        if (!is_known) {
            names[out->n_exits] = ew_arena_strdup(arena, name);
            if (!names[out->n_exits++]) {
                return false;
            }
        }
    }
    out->exits = names;
    return true;
}

static bool copy_notes(struct ew_plan_result *out, struct ew_arena *arena,
                       const struct ew_plan *plan)
{
    struct ew_note *notes = ew_arena_calloc(arena, plan->n_notes, sizeof *notes);
    if (!notes) {
        return false;
    }
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        notes[i].key = ew_arena_strdup(arena, plan->notes[i].key);
        notes[i].value = ew_arena_strdup(arena, plan->notes[i].value);
        if (!notes[i].key || !notes[i].value) {
            return false;
        }
    }
    out->notes = notes;
    out->n_notes = plan->n_notes;
    return true;
}

static bool make_plan(struct ew_plan_result *out, struct ew_arena *arena,
                      const struct ew_graph *graph, const struct ew_plan *plan,
                      const struct ew_task_graph *tasks)
{
    *out = (struct ew_plan_result){
        .name = ew_arena_strdup(arena, plan->name ? plan->name : ""),
        .expected_accuracy = tasks->stats.expected_accuracy,
        .predicted_latency_s = plan->predicted_latency_s,
        .predicted_energy_j = plan->predicted_energy_j,
        .claims_feasible = plan->claims_feasible,
        .macs = tasks->stats.macs,
        .redundant_macs = tasks->stats.redundant_macs,
        .message_bytes = tasks->stats.message_bytes,
        .n_messages = tasks->stats.n_messages,
    };
    for (uint32_t d = 0; d < tasks->n_devices; d++) {
        out->n_devices += tasks->devices[d].work_s > 0 || tasks->devices[d].macs > 0;
    }
    if (plan->infeasible_reason) {
        out->infeasible_reason = ew_arena_strdup(arena, plan->infeasible_reason);
        if (!out->infeasible_reason) {
            return false;
        }
    }
    return out->name && copy_exits(out, arena, graph, plan) && copy_notes(out, arena, plan);
}

/* Mean of a per-plan figure over completed requests; NAN when a used plan does not have it. */
static double plan_mean(const struct ew_workload_fold *fold, const struct ew_plan_result *plans,
                        size_t offset)
{
    struct ew_sum sum = {0};
    double weight = 0;
    for (uint32_t p = 0; p < fold->n_plans; p++) {
        if (is_plan_used(fold, p)) {
            const double value = *(const double *)((const char *)&plans[p] + offset);
            ew_sum_add(&sum, value * plan_weight(fold, p));
            weight += plan_weight(fold, p);
        }
    }
    return weight > 0 && fold->n_unknown_plan == 0 ? ew_sum_value(&sum) / weight : NAN;
}

/* The one exit of all used plans, or NULL. */
static const char *common_exit(const struct ew_workload_fold *fold,
                               const struct ew_plan_result *plans)
{
    const char *exit = NULL;
    for (uint32_t p = 0; p < fold->n_plans; p++) {
        if (!is_plan_used(fold, p)) {
            continue;
        }
        if (plans[p].n_exits != 1 || (exit && strcmp(exit, plans[p].exits[0]) != 0)) {
            return NULL;
        }
        exit = plans[p].exits[0];
    }
    return exit;
}

static bool all_used_plans_claim(const struct ew_workload_fold *fold,
                                 const struct ew_plan_result *plans)
{
    bool has_used = false, is_claimed = true;
    for (uint32_t p = 0; p < fold->n_plans; p++) {
        if (is_plan_used(fold, p)) {
            has_used = true;
            is_claimed = is_claimed && plans[p].claims_feasible;
        }
    }
    return has_used && is_claimed;
}

/* Latencies are reordered. */
static void fill_latency(struct ew_latency *out, double *latencies_s, size_t n, double sum_s,
                         double max_s)
{
    const bool has_any = n > 0;
    *out = (struct ew_latency){
        .mean_s = has_any ? sum_s / (double)n : NAN,
        .p50_s = ew_percentile(latencies_s, n, 500),
        .p90_s = ew_percentile(latencies_s, n, 900),
        .p99_s = ew_percentile(latencies_s, n, 990),
        .max_s = has_any ? max_s : NAN,
    };
}

static struct ew_queue_figures queue_figures(const struct ew_load_fold *load,
                                             double first_arrival_s, double wait_s,
                                             double max_wait_s, uint64_t n_completed)
{
    const double span_s = load->last_end_s - first_arrival_s;
    return (struct ew_queue_figures){
        .mean_in_system = span_s > 0 ? load->until_last_end / span_s : NAN,
        .max_in_system = load->max > 0 ? (double)load->max : NAN,
        .mean_wait_s = n_completed ? wait_s / (double)n_completed : NAN,
        .max_wait_s = n_completed ? max_wait_s : NAN,
    };
}

/* LoadGen's percentiles: 90 for single stream, 99 for multi stream and server. */
static struct ew_loadgen_result loadgen_result(struct ew_workload_fold *fold,
                                               enum ew_loadgen scenario,
                                               const struct ew_service *service)
{
    struct ew_loadgen_result out = {
        .scenario = scenario,
        .percentile_ratio = scenario == EW_LOADGEN_SINGLE_STREAM ? 0.9 : 0.99,
        .throughput_per_s = service->throughput_per_s,
        .n_queries = service->counts.completed,
    };
    switch (scenario) {
    case EW_LOADGEN_SINGLE_STREAM:
        out.latency_s = service->latency.p90_s;
        break;
    case EW_LOADGEN_MULTI_STREAM:
        out.n_queries = fold->query.latencies_s.count;
        out.latency_s = ew_percentile(fold->query.latencies_s.items, out.n_queries, 990);
        break;
    case EW_LOADGEN_SERVER:
        out.latency_s = service->latency.p99_s;
        break;
    case EW_LOADGEN_OFFLINE:
        out.percentile_ratio = NAN;
        out.latency_s = NAN;
        out.n_queries = service->counts.completed > 0;
        break;
    case EW_LOADGEN_NONE:
        break;
    }
    return out;
}

/* Rates and ratios that follow from counts and times. */
static void fill_rates(struct ew_service *service, double first_completion_s)
{
    const struct ew_counts *counts = &service->counts;
    const double completed = (double)counts->completed;
    const double span_s = service->last_completion_s - service->first_arrival_s;
    const double between_s = service->last_completion_s - first_completion_s;
    service->throughput_per_s = completed > 0 && span_s > 0 ? completed / span_s : NAN;
    service->period_s = completed > 1 ? between_s / (completed - 1) : NAN;
    service->deadline_met_ratio =
        counts->requests ? (completed - (double)counts->late) / (double)counts->requests : NAN;
}

static void judge_service(struct ew_service *service, const struct ew_metrics_workload *asked)
{
    const struct ew_counts *counts = &service->counts;
    const bool is_complete = counts->requests > 0 && counts->completed == counts->requests;
    /* Negated comparisons, so that an unknown accuracy or rate does not pass. */
    service->lacks_accuracy =
        asked->min_accuracy > 0 && !(service->accuracy >= asked->min_accuracy);
    service->lacks_throughput = asked->min_throughput_per_s > 0 &&
                                !(service->throughput_per_s >= asked->min_throughput_per_s);
    service->is_met =
        is_complete && counts->late == 0 && !service->lacks_accuracy && !service->lacks_throughput;
}

static struct ew_counts finished_counts(const struct ew_counts *counts)
{
    struct ew_counts finished = *counts;
    const uint64_t ended = counts->completed + counts->dropped + counts->failed;
    finished.open = counts->requests > ended ? counts->requests - ended : 0;
    return finished;
}

static void fill_service(struct ew_service *service, struct ew_workload_fold *fold,
                         const struct ew_plan_result *plans,
                         const struct ew_metrics_workload *asked, double deadline_s)
{
    *service = (struct ew_service){
        .counts = finished_counts(&fold->counts),
        .deadline_s = deadline_s,
        .first_arrival_s = fold->has_arrival ? fold->first_arrival_s : NAN,
        .last_completion_s = fold->has_completion ? fold->last_completion_s : NAN,
        .accuracy = plan_mean(fold, plans, offsetof(struct ew_plan_result, expected_accuracy)),
        .predicted_latency_s =
            plan_mean(fold, plans, offsetof(struct ew_plan_result, predicted_latency_s)),
        .claims_feasible = all_used_plans_claim(fold, plans),
        .exit = common_exit(fold, plans),
    };
    if (fold->counts.completed == 0) {
        service->accuracy = NAN;
    }
    fill_latency(&service->latency, fold->latencies_s.items, fold->latencies_s.count,
                 ew_sum_value(&fold->latency_s), fold->max_latency_s);
    service->queue =
        queue_figures(&fold->load, service->first_arrival_s, ew_sum_value(&fold->wait_s),
                      fold->max_wait_s, fold->counts.completed);
    fill_rates(service, fold->first_completion_s);
    judge_service(service, asked);
    service->has_model_mismatch = service->claims_feasible && !service->is_met;
}

static void add_counts(struct ew_counts *sum, const struct ew_counts *counts)
{
    sum->requests += counts->requests;
    sum->completed += counts->completed;
    sum->late += counts->late;
    sum->dropped += counts->dropped;
    sum->failed += counts->failed;
    sum->open += counts->open;
}

/* All latencies of the run in one array; with a single workload that workload's own. */
static bool gather_latencies(double **out, double **owned, const struct ew_metrics *metrics)
{
    *owned = NULL;
    if (metrics->run->n_workloads == 1) {
        *out = metrics->workloads[0].latencies_s.items;
        return true;
    }
    size_t n = 0;
    for (uint32_t w = 0; w < metrics->run->n_workloads; w++) {
        n += metrics->workloads[w].latencies_s.count;
    }
    *owned = *out = malloc((n ? n : 1) * sizeof **out);
    if (!*out) {
        return false;
    }
    n = 0;
    for (uint32_t w = 0; w < metrics->run->n_workloads; w++) {
        const struct ew_workload_fold *fold = &metrics->workloads[w];
        for (size_t i = 0; i < fold->latencies_s.count; i++) {
            (*out)[n++] = fold->latencies_s.items[i];
        }
    }
    return true;
}

/* Means over workloads weigh each by its completed requests. */
static double service_mean(const struct ew_result *result, size_t offset)
{
    struct ew_sum sum = {0};
    double weight = 0;
    for (uint32_t w = 0; w < result->n_workloads; w++) {
        const struct ew_service *service = &result->workloads[w].service;
        if (service->counts.completed > 0) {
            const double n = (double)service->counts.completed;
            ew_sum_add(&sum, n * *(const double *)((const char *)service + offset));
            weight += n;
        }
    }
    return weight > 0 ? ew_sum_value(&sum) / weight : NAN;
}

/* The service over all workloads: as a workload of its own would have it. */
static bool fill_whole(struct ew_result *result, const struct ew_metrics *metrics)
{
    if (result->n_workloads == 1) {
        result->service = result->workloads[0].service;
        return true;
    }
    struct ew_service *whole = &result->service;
    *whole = (struct ew_service){
        .first_arrival_s = NAN,
        .last_completion_s = NAN,
        .deadline_s = result->n_workloads ? result->workloads[0].service.deadline_s : NAN,
        .claims_feasible = result->n_workloads > 0,
        .is_met = result->n_workloads > 0};
    struct ew_sum latency_s = {0}, wait_s = {0};
    double max_s = NAN, max_wait_s = 0, first_completion_s = NAN;
    for (uint32_t w = 0; w < result->n_workloads; w++) {
        const struct ew_workload_fold *fold = &metrics->workloads[w];
        const struct ew_service *part = &result->workloads[w].service;
        add_counts(&whole->counts, &part->counts);
        /* fmin and fmax pass over NAN. */
        whole->first_arrival_s = fmin(whole->first_arrival_s, part->first_arrival_s);
        whole->last_completion_s = fmax(whole->last_completion_s, part->last_completion_s);
        max_s = fmax(max_s, part->latency.max_s);
        first_completion_s =
            fmin(first_completion_s, fold->has_completion ? fold->first_completion_s : NAN);
        ew_sum_add(&latency_s, ew_sum_value(&fold->latency_s));
        ew_sum_add(&wait_s, ew_sum_value(&fold->wait_s));
        max_wait_s = fmax(max_wait_s, fold->max_wait_s);
        if (part->deadline_s < whole->deadline_s || part->deadline_s > whole->deadline_s) {
            whole->deadline_s = NAN;
        }
        whole->claims_feasible = whole->claims_feasible && part->claims_feasible;
        whole->is_met = whole->is_met && part->is_met;
        whole->lacks_accuracy = whole->lacks_accuracy || part->lacks_accuracy;
        whole->lacks_throughput = whole->lacks_throughput || part->lacks_throughput;
        const char *exit = part->exit;
        const bool is_common = exit && (w == 0 || (whole->exit && strcmp(whole->exit, exit) == 0));
        whole->exit = is_common ? exit : NULL;
    }
    double *latencies_s, *owned;
    if (!gather_latencies(&latencies_s, &owned, metrics)) {
        return false;
    }
    fill_latency(&whole->latency, latencies_s, whole->counts.completed, ew_sum_value(&latency_s),
                 max_s);
    free(owned);
    whole->queue = queue_figures(&metrics->load, whole->first_arrival_s, ew_sum_value(&wait_s),
                                 max_wait_s, whole->counts.completed);
    fill_rates(whole, first_completion_s);
    whole->accuracy = service_mean(result, offsetof(struct ew_service, accuracy));
    whole->predicted_latency_s =
        service_mean(result, offsetof(struct ew_service, predicted_latency_s));
    whole->has_model_mismatch = whole->claims_feasible && !whole->is_met;
    return true;
}

static bool is_layer_active(const struct ew_layer_fold *fold)
{
    return fold->n_tasks > 0 || fold->n_transfers > 0;
}

static bool fill_layer(struct ew_layer_result *out, struct ew_arena *arena,
                       const struct ew_layer_fold *fold, const struct ew_layer *layer,
                       bool has_energy)
{
    out->name = ew_arena_strdup(arena, layer ? layer->name : "(result)");
    out->op = layer ? ew_op_name(layer->op) : "";
    out->n_tasks = fold->n_tasks;
    out->compute_s = ew_sum_value(&fold->compute_s);
    out->compute_j = has_energy ? ew_sum_value(&fold->compute_j) : NAN;
    out->n_transfers = fold->n_transfers;
    out->rx_bytes = fold->rx_bytes;
    out->transfer_s = ew_sum_value(&fold->transfer_s);
    out->transfer_j = has_energy ? ew_sum_value(&fold->transfer_j) : NAN;
    return out->name != NULL;
}

static bool make_layers(struct ew_result *result, const struct ew_metrics *metrics)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < metrics->n_layers; i++) {
        n += is_layer_active(&metrics->layers[i]);
    }
    struct ew_layer_result *rows = ew_arena_calloc(&result->arena, n, sizeof *rows);
    if (!rows) {
        return false;
    }
    result->layers = rows;
    const struct ew_layer_fold *fold = metrics->layers;
    for (uint32_t w = 0; w < metrics->run->n_workloads; w++) {
        const struct ew_graph *graph = metrics->config.workloads[w].context->graph;
        for (uint32_t v = 0; v < graph->n_variants; v++) {
            const struct ew_graph *variant = graph->variants[v].graph;
            for (uint32_t i = 0; i <= variant->n_layers; i++, fold++) {
                if (!is_layer_active(fold)) {
                    continue;
                }
                const bool is_layer = i < variant->n_layers;
                struct ew_layer_result *row = &rows[result->n_layers++];
                *row = (struct ew_layer_result){
                    .workload = w, .variant = v, .layer = is_layer ? i : EW_NONE};
                if (!fill_layer(row, &result->arena, fold, is_layer ? &variant->layers[i] : NULL,
                                result->has_energy)) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* Energy above idle of a workload: all of its layers. */
static double workload_dynamic_j(const struct ew_result *result, uint32_t workload)
{
    if (!result->has_energy) {
        return NAN;
    }
    struct ew_sum sum = {0};
    for (uint32_t i = 0; i < result->n_layers; i++) {
        if (result->layers[i].workload == workload) {
            ew_sum_add(&sum, result->layers[i].compute_j);
            ew_sum_add(&sum, result->layers[i].transfer_j);
        }
    }
    return ew_sum_value(&sum);
}

static bool make_workloads(struct ew_result *result, struct ew_metrics *metrics)
{
    const uint32_t n = metrics->run->n_workloads;
    struct ew_workload_result *rows = ew_arena_calloc(&result->arena, n, sizeof *rows);
    if (!rows) {
        return false;
    }
    result->workloads = rows;
    result->n_workloads = n;
    for (uint32_t w = 0; w < n; w++) {
        const struct ew_run_workload *workload = &metrics->run->workloads[w];
        const struct ew_metrics_workload *asked = &metrics->config.workloads[w];
        struct ew_workload_fold *fold = &metrics->workloads[w];
        struct ew_plan_result *plans =
            ew_arena_calloc(&result->arena, fold->n_plans, sizeof *plans);
        rows[w].name = ew_arena_strdup(&result->arena, workload->name);
        rows[w].graph = ew_arena_strdup(&result->arena, asked->context->graph->name);
        if (!plans || !rows[w].name || !rows[w].graph) {
            return false;
        }
        for (uint32_t p = 0; p < fold->n_plans; p++) {
            if (!make_plan(&plans[p], &result->arena, asked->context->graph,
                           workload->book->plans[p], workload->task_graphs[p])) {
                return false;
            }
            plans[p].n_completed = fold->n_completed[p];
        }
        rows[w].plans = plans;
        rows[w].n_plans = fold->n_plans;
        rows[w].dynamic_energy_j = workload_dynamic_j(result, w);
        fill_service(&rows[w].service, fold, plans, asked, workload->deadline_s);
        rows[w].loadgen = loadgen_result(fold, workload->arrival.loadgen, &rows[w].service);
    }
    return true;
}

/* What the plans keep on a device: per workload the largest plan, all workloads at once. */
static uint64_t device_memory_bytes(const struct ew_metrics *metrics, uint32_t device)
{
    uint64_t sum = 0;
    for (uint32_t w = 0; w < metrics->run->n_workloads; w++) {
        const struct ew_run_workload *workload = &metrics->run->workloads[w];
        uint64_t largest = 0;
        for (uint32_t p = 0; p < workload->book->n_plans; p++) {
            const struct ew_task_graph *tasks = workload->task_graphs[p];
            if (device < tasks->n_devices) {
                const struct ew_device_load *load = &tasks->devices[device];
                const uint64_t bytes = load->weight_bytes + load->peak_working_bytes;
                largest = bytes > largest ? bytes : largest;
            }
        }
        sum += largest;
    }
    return sum;
}

static double device_rows_share(const struct ew_metrics *metrics, uint32_t device)
{
    struct ew_sum sum = {0};
    double weight = 0;
    for (uint32_t w = 0; w < metrics->run->n_workloads; w++) {
        const struct ew_run_workload *workload = &metrics->run->workloads[w];
        const struct ew_workload_fold *fold = &metrics->workloads[w];
        for (uint32_t p = 0; p < fold->n_plans; p++) {
            const struct ew_task_graph *tasks = workload->task_graphs[p];
            const double n = (double)fold->n_completed[p];
            weight += n;
            if (device < tasks->n_devices) {
                ew_sum_add(&sum, n * tasks->devices[device].rows_share);
            }
        }
    }
    return weight > 0 ? ew_sum_value(&sum) / weight : NAN;
}

static bool fill_device(struct ew_device_result *out, struct ew_result *result,
                        const struct ew_metrics *metrics, uint32_t id)
{
    const struct ew_device *device = &metrics->run->platform->devices[id];
    const struct ew_device_meter meter = ew_energy_device(metrics->energy, id);
    const double horizon_s = result->horizon_end_s - result->horizon_begin_s;
    *out = (struct ew_device_result){
        .name = ew_arena_strdup(&result->arena, device->name),
        .node = ew_arena_strdup(&result->arena, metrics->run->platform->nodes[device->node].name),
        .profile = ew_arena_strdup(&result->arena, device->profile->name),
        .busy_s = meter.busy_s,
        .tx_s = meter.tx_s,
        .rx_s = meter.rx_s,
        .tx_bytes = meter.tx_bytes,
        .rx_bytes = meter.rx_bytes,
        .n_tasks = meter.n_tasks,
        .utilisation_ratio = horizon_s > 0 ? meter.busy_s / horizon_s : NAN,
        .has_energy = meter.has_power,
        .dynamic_energy_j = meter.energy_j[EW_POWER_COMPUTE] + meter.energy_j[EW_POWER_TX] +
                            meter.energy_j[EW_POWER_RX],
        .peak_memory_bytes = device_memory_bytes(metrics, id),
        .rows_share = device_rows_share(metrics, id),
    };
    out->energy_j =
        out->dynamic_energy_j + meter.energy_j[EW_POWER_OFF] + meter.energy_j[EW_POWER_IDLE];
    memcpy(out->state_j, meter.energy_j, sizeof out->state_j);
    return out->name && out->node && out->profile;
}

static bool make_devices(struct ew_result *result, const struct ew_metrics *metrics)
{
    const uint32_t n = metrics->run->platform->n_devices;
    struct ew_device_result *rows = ew_arena_calloc(&result->arena, n, sizeof *rows);
    if (!rows) {
        return false;
    }
    result->devices = rows;
    result->n_devices = n;
    for (uint32_t d = 0; d < n; d++) {
        if (!fill_device(&rows[d], result, metrics, d)) {
            return false;
        }
        result->n_tasks += rows[d].n_tasks;
        result->transfer_bytes += rows[d].tx_bytes;
        result->n_devices_used += rows[d].n_tasks > 0;
    }
    for (uint32_t i = 0; i < result->n_layers; i++) {
        result->n_transfers += result->layers[i].n_transfers;
    }
    return true;
}

static void fill_energy(struct ew_result *result)
{
    const double *state_j = result->state_j;
    const double completed = (double)result->service.counts.completed;
    result->dynamic_energy_j =
        state_j[EW_POWER_COMPUTE] + state_j[EW_POWER_TX] + state_j[EW_POWER_RX];
    const double base_j = state_j[EW_POWER_OFF] + state_j[EW_POWER_IDLE];
    result->energy_j = result->dynamic_energy_j + base_j;
    const bool has_any = completed > 0;
    result->energy_per_request_j = has_any ? result->energy_j / completed : NAN;
    result->dynamic_energy_per_request_j = has_any ? result->dynamic_energy_j / completed : NAN;
    result->idle_share_per_request_j = has_any ? base_j / completed : NAN;
}

enum ew_status ew_metrics_finish(struct ew_result **out, struct ew_metrics *metrics,
                                 const struct ew_run_labels *labels, struct ew_error *err)
{
    if (metrics->ran_out_of_memory || ew_energy_status(metrics->energy, NULL) != EW_OK) {
        return ew_fail_memory(err);
    }
    struct ew_result *result = ew_result_new_error(labels, EW_OK, "");
    if (!result) {
        return ew_fail_memory(err);
    }
    result->error = NULL;
    result->horizon_begin_s = ew_energy_horizon_begin_s(metrics->energy);
    result->horizon_end_s = ew_energy_horizon_end_s(metrics->energy);
    result->has_energy = ew_energy_is_known(metrics->energy);
    ew_energy_total(result->state_j, metrics->energy);
    if (!make_layers(result, metrics) || !make_workloads(result, metrics) ||
        !fill_whole(result, metrics) || !make_devices(result, metrics)) {
        ew_result_free(result);
        return ew_fail_memory(err);
    }
    fill_energy(result);
    *out = result;
    return EW_OK;
}
