/*
 * The --json output. Every key is described in docs/outputs.md; keys may be added, none renamed.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/json_writer.h"
#include "results/gap.h"
#include "results/regret.h"
#include "results/report.h"

static void put_hash(struct ew_json *j, const char *key, uint64_t hash)
{
    if (hash == 0) {
        ew_json_key(j, key);
        ew_json_null(j);
        return;
    }
    char text[17];
    (void)snprintf(text, sizeof text, "%016" PRIx64, hash);
    ew_json_kv_string(j, key, text);
}

static void put_strings(struct ew_json *j, const char *key, uint32_t n, const char *const *texts)
{
    ew_json_key(j, key);
    ew_json_array_begin_inline(j);
    for (uint32_t i = 0; i < n; i++) {
        ew_json_string(j, texts[i]);
    }
    ew_json_array_end(j);
}

/* ------------------------------------------------------------------ header */

static void put_net(struct ew_json *j, const struct ew_net_model *net)
{
    ew_json_kv_string(j, "preset", net->id);
    ew_json_key(j, "network_model");
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "simgrid_name", net->sg_model);
    ew_json_kv_double(j, "latency_factor", net->latency_factor);
    ew_json_kv_double(j, "bandwidth_factor", net->bandwidth_factor);
    ew_json_kv_double(j, "weight_s_bytes", net->weight_s);
    /* Both presets run without these two (engine/engine.h). */
    ew_json_kv_bool(j, "has_crosstraffic", false);
    ew_json_kv_double(j, "tcp_window_bytes", 0);
    ew_json_object_end(j);
}

static void put_profiles(struct ew_json *j, const struct ew_platform *platform)
{
    ew_json_key(j, "profiles");
    ew_json_array_begin(j);
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        const struct ew_profile *profile = platform->devices[d].profile;
        bool is_repeated = false;
        for (uint32_t e = 0; e < d && !is_repeated; e++) {
            is_repeated = platform->devices[e].profile == profile;
        }
        if (is_repeated) {
            continue;
        }
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "name", profile->name);
        ew_json_kv_string(j, "kind", ew_profile_kind_name(profile->kind));
        ew_json_kv_string(j, "source", profile->source);
        ew_json_kv_string(j, "confidence", profile->confidence);
        ew_json_kv_double(j, "residual_ratio", profile->residual_ratio);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void put_platform_devices(struct ew_json *j, const struct ew_platform *platform)
{
    ew_json_key(j, "devices");
    ew_json_array_begin(j);
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        const struct ew_device *device = &platform->devices[d];
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "name", device->name);
        ew_json_kv_string(j, "node", platform->nodes[device->node].name);
        ew_json_kv_string(j, "profile", device->profile->name);
        ew_json_kv_double(j, "speed_flops_per_s", device->speed_flops_per_s);
        ew_json_kv_u64(j, "memory_bytes", device->memory_bytes);
        ew_json_kv_double(j, "message_overhead_s", device->message_overhead_s);
        ew_json_kv_bool(j, "has_power", device->has_power);
        if (device->has_power) {
            ew_json_kv_double(j, "off_w", device->off_w);
            ew_json_kv_double(j, "idle_w", device->idle_w);
            ew_json_kv_double(j, "compute_w", device->compute_w);
            ew_json_kv_double(j, "tx_w", device->tx_w);
            ew_json_kv_double(j, "rx_w", device->rx_w);
        }
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void put_platform(struct ew_json *j, const struct ew_platform *platform)
{
    ew_json_key(j, "platform");
    ew_json_object_begin(j);
    ew_json_kv_string(j, "path", platform->path);
    put_hash(j, "hash_fnv1a64", platform->content_hash);
    put_strings(j, "warnings", platform->n_warnings, platform->warnings);
    put_platform_devices(j, platform);
    put_profiles(j, platform);
    ew_json_object_end(j);
}

static void put_graph(struct ew_json *j, const struct ew_report_workload *workload)
{
    const struct ew_graph *graph = workload->context->graph;
    ew_json_key(j, "graph");
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", graph->name);
    ew_json_kv_string(j, "path", graph->path);
    put_hash(j, "hash_fnv1a64", workload->graph_hash);
    ew_json_kv_string(j, "source", graph->source);
    ew_json_kv_string(j, "accuracy_metric", graph->accuracy_metric);
    ew_json_kv_u64(j, "layers", graph->n_layers);
    ew_json_kv_u64(j, "macs", graph->macs);
    ew_json_kv_u64(j, "params", graph->params);
    ew_json_object_end(j);
}

static void put_workload(struct ew_json *j, const struct ew_report_workload *workload)
{
    const struct ew_element_bytes *bytes = &workload->context->element_bytes;
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", workload->name);
    put_graph(j, workload);
    ew_json_kv_double(j, "input_bytes_per_element", bytes->input);
    ew_json_kv_double(j, "activation_bytes_per_element", bytes->activation);
    ew_json_kv_double(j, "weight_bytes_per_element", bytes->weight);
    ew_json_kv_string(j, "source_device", workload->source_device);
    ew_json_kv_string(j, "sink_device", workload->sink_device);
    ew_json_kv_string(j, "arrival", workload->arrival);
    ew_json_kv_u64(j, "requests", workload->n_requests);
    ew_json_kv_u64(j, "requests_per_job", workload->requests_per_job);
    ew_json_kv_i64(j, "batch", workload->batch);
    ew_json_kv_double(j, "deadline_s", workload->deadline_s);
    ew_json_kv_double(j, "min_accuracy", workload->min_accuracy);
    ew_json_kv_double(j, "min_throughput_per_s", workload->min_throughput_per_s);
    ew_json_object_end(j);
}

static void put_header(struct ew_json *j, const struct ew_report *report)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "program", "edgeweave");
    ew_json_kv_string(j, "version", report->version);
    ew_json_kv_string(j, "simgrid_version", report->simgrid_version);
    ew_json_kv_string(j, "command", report->command);
    put_strings(j, "args", report->n_args, report->args);
    ew_json_kv_string(j, "engine", report->engine);
    ew_json_kv_u64(j, "seed", report->seed);
    put_net(j, report->net);
    ew_json_kv_double(j, "grain_s", EW_GRAIN_S);
    ew_json_kv_string(j, "energy_rule", ew_energy_rule_name(report->energy_rule));
    ew_json_kv_string(j, "percentile_rule", "nearest_rank");
    uint32_t n_fields = 0;
    while (ew_report_wall_clock_fields[n_fields]) {
        n_fields++;
    }
    put_strings(j, "wall_clock_fields", n_fields, ew_report_wall_clock_fields);
    put_platform(j, report->platform);
    ew_json_key(j, "workloads");
    ew_json_array_begin(j);
    for (uint32_t w = 0; w < report->n_workloads; w++) {
        put_workload(j, &report->workloads[w]);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

/* ------------------------------------------------------------------ runs */

static void put_latency(struct ew_json *j, const struct ew_latency *latency)
{
    ew_json_key(j, "latency_s");
    ew_json_object_begin_inline(j);
    ew_json_kv_double(j, "mean", latency->mean_s);
    ew_json_kv_double(j, "p50", latency->p50_s);
    ew_json_kv_double(j, "p90", latency->p90_s);
    ew_json_kv_double(j, "p99", latency->p99_s);
    ew_json_kv_double(j, "max", latency->max_s);
    if (latency->high_s > 0) {
        ew_json_kv_double(j, "low", latency->low_s);
        ew_json_kv_double(j, "high", latency->high_s);
    }
    ew_json_object_end(j);
}

static void put_queue(struct ew_json *j, const struct ew_queue_figures *queue)
{
    ew_json_key(j, "in_system");
    ew_json_object_begin_inline(j);
    ew_json_kv_double(j, "mean", queue->mean_in_system);
    ew_json_kv_double(j, "max", queue->max_in_system);
    ew_json_object_end(j);
    ew_json_key(j, "wait_s");
    ew_json_object_begin_inline(j);
    ew_json_kv_double(j, "mean", queue->mean_wait_s);
    ew_json_kv_double(j, "max", queue->max_wait_s);
    ew_json_object_end(j);
}

static void put_loadgen(struct ew_json *j, const struct ew_loadgen_result *loadgen)
{
    ew_json_key(j, "loadgen");
    if (loadgen->scenario == EW_LOADGEN_NONE) {
        ew_json_null(j);
        return;
    }
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "scenario", ew_loadgen_name(loadgen->scenario));
    ew_json_kv_u64(j, "queries", loadgen->n_queries);
    ew_json_kv_double(j, "percentile_ratio", loadgen->percentile_ratio);
    ew_json_kv_double(j, "latency_s", loadgen->latency_s);
    ew_json_kv_double(j, "throughput_per_s", loadgen->throughput_per_s);
    ew_json_object_end(j);
}

static void put_counts(struct ew_json *j, const struct ew_counts *counts)
{
    ew_json_kv_u64(j, "requests", counts->requests);
    ew_json_kv_u64(j, "completed", counts->completed);
    ew_json_kv_u64(j, "late", counts->late);
    ew_json_kv_u64(j, "dropped", counts->dropped);
    ew_json_kv_u64(j, "failed", counts->failed);
    ew_json_kv_u64(j, "open", counts->open);
}

static void put_service(struct ew_json *j, const struct ew_service *service)
{
    put_counts(j, &service->counts);
    put_latency(j, &service->latency);
    put_queue(j, &service->queue);
    ew_json_kv_double(j, "throughput_per_s", service->throughput_per_s);
    ew_json_kv_double(j, "period_s", service->period_s);
    ew_json_kv_double(j, "accuracy", service->accuracy);
    ew_json_kv_string(j, "exit", service->exit);
    ew_json_kv_double(j, "deadline_s", service->deadline_s);
    ew_json_kv_double(j, "deadline_met_ratio", service->deadline_met_ratio);
    ew_json_kv_bool(j, "requirements_met", service->is_met);
    ew_json_kv_bool(j, "claims_feasible", service->claims_feasible);
    ew_json_kv_bool(j, "model_mismatch", service->has_model_mismatch);
    ew_json_kv_double(j, "predicted_latency_s", service->predicted_latency_s);
}

static void put_states(struct ew_json *j, const char *key,
                       const double state_j[EW_POWER_STATE_COUNT])
{
    ew_json_key(j, key);
    ew_json_object_begin_inline(j);
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        ew_json_kv_double(j, ew_power_state_name((enum ew_power_state)i), state_j[i]);
    }
    ew_json_object_end(j);
}

static void put_energy(struct ew_json *j, const struct ew_result *run)
{
    ew_json_kv_bool(j, "has_energy", run->has_energy);
    ew_json_key(j, "energy_j");
    ew_json_object_begin_inline(j);
    ew_json_kv_double(j, "total", run->energy_j);
    ew_json_kv_double(j, "dynamic", run->dynamic_energy_j);
    ew_json_kv_double(j, "per_request", run->energy_per_request_j);
    ew_json_kv_double(j, "dynamic_per_request", run->dynamic_energy_per_request_j);
    ew_json_kv_double(j, "idle_share_per_request", run->idle_share_per_request_j);
    if (run->bars.n_draws) {
        ew_json_kv_double(j, "low", run->bars.energy_low_j);
        ew_json_kv_double(j, "high", run->bars.energy_high_j);
    }
    ew_json_object_end(j);
    if (run->bars.n_draws) {
        ew_json_kv_u64(j, "draws", run->bars.n_draws);
        ew_json_kv_u64(j, "tasks_outside_range", run->bars.n_outside);
        ew_json_kv_string(j, "profile_without_residuals", run->bars.without_residuals);
    }
    put_states(j, "energy_by_state_j", run->state_j);
}

static void put_notes(struct ew_json *j, const struct ew_plan_result *plan)
{
    ew_json_key(j, "notes");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "key", plan->notes[i].key);
        ew_json_kv_string(j, "value", plan->notes[i].value);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void put_plan(struct ew_json *j, const struct ew_plan_result *plan)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", plan->name);
    ew_json_kv_u64(j, "completed", plan->n_completed);
    put_strings(j, "exits", plan->n_exits, plan->exits);
    ew_json_kv_double(j, "expected_accuracy", plan->expected_accuracy);
    ew_json_kv_double(j, "predicted_latency_s", plan->predicted_latency_s);
    ew_json_kv_double(j, "predicted_energy_j", plan->predicted_energy_j);
    ew_json_kv_bool(j, "claims_feasible", plan->claims_feasible);
    ew_json_kv_string(j, "infeasible_reason", plan->infeasible_reason);
    ew_json_kv_u64(j, "devices_used", plan->n_devices);
    ew_json_kv_u64(j, "macs", plan->macs);
    ew_json_kv_u64(j, "redundant_macs", plan->redundant_macs);
    ew_json_kv_u64(j, "messages", plan->n_messages);
    ew_json_kv_u64(j, "message_bytes", plan->message_bytes);
    put_notes(j, plan);
    ew_json_object_end(j);
}

static void put_workload_result(struct ew_json *j, const struct ew_workload_result *workload)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", workload->name);
    ew_json_kv_string(j, "graph", workload->graph);
    put_service(j, &workload->service);
    put_loadgen(j, &workload->loadgen);
    ew_json_kv_double(j, "dynamic_energy_j", workload->dynamic_energy_j);
    ew_json_key(j, "plans");
    ew_json_array_begin(j);
    for (uint32_t p = 0; p < workload->n_plans; p++) {
        put_plan(j, &workload->plans[p]);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

static void put_device(struct ew_json *j, const struct ew_device_result *device)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", device->name);
    ew_json_kv_string(j, "node", device->node);
    ew_json_kv_string(j, "profile", device->profile);
    ew_json_kv_double(j, "busy_s", device->busy_s);
    ew_json_kv_double(j, "utilisation_ratio", device->utilisation_ratio);
    ew_json_kv_double(j, "tx_s", device->tx_s);
    ew_json_kv_double(j, "rx_s", device->rx_s);
    ew_json_kv_u64(j, "tx_bytes", device->tx_bytes);
    ew_json_kv_u64(j, "rx_bytes", device->rx_bytes);
    ew_json_kv_u64(j, "tasks", device->n_tasks);
    ew_json_kv_bool(j, "has_energy", device->has_energy);
    ew_json_kv_double(j, "energy_j", device->energy_j);
    ew_json_kv_double(j, "dynamic_energy_j", device->dynamic_energy_j);
    put_states(j, "energy_by_state_j", device->state_j);
    ew_json_kv_u64(j, "peak_memory_bytes", device->peak_memory_bytes);
    ew_json_kv_double(j, "rows_share", device->rows_share);
    ew_json_object_end(j);
}

static void put_gap(struct ew_json *j, const char *key, struct ew_gap gap)
{
    ew_json_key(j, key);
    ew_json_object_begin_inline(j);
    ew_json_kv_double(j, "latency_ratio", gap.latency_ratio);
    ew_json_kv_double(j, "energy_ratio", gap.energy_ratio);
    ew_json_kv_double(j, "dynamic_energy_ratio", gap.dynamic_energy_ratio);
    ew_json_object_end(j);
}

static void put_bound(struct ew_json *j, const struct ew_report_bound *bound)
{
    ew_json_key(j, "bound");
    if (!bound) {
        ew_json_null(j);
        return;
    }
    ew_json_object_begin_inline(j);
    ew_json_kv_double(j, "latency_s", bound->latency_s);
    ew_json_kv_double(j, "work_s", bound->work_s);
    ew_json_kv_double(j, "period_s", bound->period_s);
    ew_json_kv_double(j, "energy_j", bound->energy_j);
    ew_json_kv_double(j, "dynamic_energy_j", bound->dynamic_energy_j);
    ew_json_kv_u64(j, "wire_bits", bound->wire_bits);
    ew_json_object_end(j);
}

static void put_regret(struct ew_json *j, const struct ew_result *run)
{
    const struct ew_clairvoyant_result *best = &run->clairvoyant;
    const struct ew_regret regret = ew_regret_of(run);
    ew_json_key(j, "regret");
    if (best->n_regimes == 0) {
        ew_json_null(j);
        return;
    }
    ew_json_object_begin_inline(j);
    ew_json_kv_u64(j, "changes", best->n_changes);
    ew_json_kv_u64(j, "regimes", best->n_regimes);
    ew_json_kv_u64(j, "failed_regimes", best->n_failed);
    ew_json_kv_double(j, "clairvoyant_latency_mean_s", best->latency_mean_s);
    ew_json_kv_double(j, "clairvoyant_energy_per_request_j", best->energy_per_request_j);
    ew_json_kv_double(j, "latency_s", regret.latency_s);
    ew_json_kv_double(j, "latency_ratio", regret.latency_ratio);
    ew_json_kv_double(j, "energy_j", regret.energy_j);
    ew_json_kv_double(j, "missed_ratio", regret.missed_ratio);
    ew_json_kv_double(j, "accuracy", regret.accuracy);
    ew_json_object_end(j);
}

static void put_error_run(struct ew_json *j, const struct ew_result *run)
{
    ew_json_kv_string(j, "error", run->error);
    ew_json_kv_string(j, "error_status", ew_status_text(run->error_status));
    ew_json_kv_double(j, "plan_time_s", run->plan_time_s);
}

static void put_finished_run(struct ew_json *j, const struct ew_report *report,
                             const struct ew_result *run)
{
    put_service(j, &run->service);
    put_energy(j, run);
    put_gap(j, "gap_to_bound", ew_gap_to_bound(report, run));
    put_gap(j, "gap_to_best", ew_gap_to_best(report, run));
    put_regret(j, run);
    ew_json_kv_double(j, "horizon_begin_s", run->horizon_begin_s);
    ew_json_kv_double(j, "horizon_end_s", run->horizon_end_s);
    ew_json_kv_u64(j, "tasks", run->n_tasks);
    ew_json_kv_u64(j, "transfers", run->n_transfers);
    ew_json_kv_u64(j, "transfer_bytes", run->transfer_bytes);
    ew_json_kv_u64(j, "devices_used", run->n_devices_used);
    ew_json_kv_double(j, "plan_time_s", run->plan_time_s);
    ew_json_kv_double(j, "run_time_s", run->run_time_s);
    ew_json_key(j, "devices");
    ew_json_array_begin(j);
    for (uint32_t d = 0; d < run->n_devices; d++) {
        put_device(j, &run->devices[d]);
    }
    ew_json_array_end(j);
    ew_json_key(j, "workloads");
    ew_json_array_begin(j);
    for (uint32_t w = 0; w < run->n_workloads; w++) {
        put_workload_result(j, &run->workloads[w]);
    }
    ew_json_array_end(j);
}

static void put_run(struct ew_json *j, const struct ew_report *report, const struct ew_result *run)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "strategy", run->strategy);
    ew_json_kv_string(j, "strategy_version", run->strategy_version);
    ew_json_kv_string(j, "params", run->params);
    ew_json_kv_string(j, "engine", run->engine);
    if (run->error) {
        put_error_run(j, run);
    } else {
        put_finished_run(j, report, run);
    }
    ew_json_object_end(j);
}

void ew_report_print_json(struct ew_str *out, const struct ew_report *report)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_i64(&j, "schema", EW_REPORT_SCHEMA);
    ew_json_key(&j, "header");
    put_header(&j, report);
    put_bound(&j, report->bound);
    ew_json_key(&j, "runs");
    ew_json_array_begin(&j);
    for (uint32_t r = 0; r < report->n_runs; r++) {
        put_run(&j, report, report->runs[r]);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}
