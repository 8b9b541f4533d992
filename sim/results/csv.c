#include "results/csv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/vec.h"
#include "results/csv_file.h"
#include "results/csv_stream.h"

#define MANIFEST "manifest.json"

#define SERVICE_COLUMNS                                                                            \
    "requests,completed,late,dropped,failed,open,latency_mean_s,latency_p50_s,latency_p90_s,"      \
    "latency_p99_s,latency_max_s,throughput_per_s,period_s,deadline_s,deadline_met_ratio,"         \
    "accuracy,exit,"                                                                               \
    "requirements_met,claims_feasible,model_mismatch,predicted_latency_s"

/* enumerator, file name, header line, 1 when its values are wall-clock */
#define FILE_MAP(X)                                                                                \
    X(RUNS, "runs.csv",                                                                            \
      "run,strategy,strategy_version,params,engine,status,error," SERVICE_COLUMNS                  \
      ",energy_j,dynamic_energy_j,energy_per_request_j,dynamic_energy_per_request_j,"              \
      "idle_share_per_request_j,horizon_begin_s,horizon_end_s,devices_used,tasks,transfers,"       \
      "transfer_bytes,draws,latency_low_s,latency_high_s,energy_low_j,energy_high_j",              \
      0)                                                                                           \
    X(WORKLOADS, "workloads.csv",                                                                  \
      "run,strategy,workload,graph," SERVICE_COLUMNS ",dynamic_energy_j", 0)                       \
    X(DEVICES, "devices.csv",                                                                      \
      "run,strategy,device_id,device,node,profile,busy_s,utilisation_ratio,tx_s,rx_s,tx_bytes,"    \
      "rx_bytes,tasks,energy_j,dynamic_energy_j,peak_memory_bytes,rows_share",                     \
      0)                                                                                           \
    X(ENERGY, "energy.csv", "run,strategy,device_id,device,node,state,energy_j", 0)                \
    X(LAYERS, "layers.csv",                                                                        \
      "run,strategy,workload,variant_id,layer_id,layer,op,tasks,compute_s,compute_energy_j,"       \
      "transfers,rx_bytes,transfer_s,transfer_energy_j",                                           \
      0)                                                                                           \
    X(REQUESTS, "requests.csv", ew_csv_requests_header, 0)                                         \
    X(TASKS, "tasks.csv", ew_csv_tasks_header, 0)                                                  \
    X(TIMING, "timing.csv", "run,strategy,plan_time_s,run_time_s", 1)

enum file_id {
#define X(id, name, header, is_wall_clock) FILE_##id,
    FILE_MAP(X)
#undef X
        FILE_COUNT
};

static const char *const file_names[FILE_COUNT] = {
#define X(id, name, header, is_wall_clock) [FILE_##id] = (name),
    FILE_MAP(X)
#undef X
};

struct added_file {
    char *name;
    bool has_wall_clock;
    struct ew_csv_file file;
};

struct ew_csv {
    char *dir;
    struct ew_csv_options options;
    struct ew_csv_file files[FILE_COUNT];
    EW_VEC(struct added_file) added;
    struct ew_csv_stream *stream; /* of the current run, or NULL */
    uint64_t n_runs;
};

static enum ew_status open_files(struct ew_csv *csv, struct ew_error *err)
{
    enum ew_status status = EW_OK;
#define X(id, name, header, is_wall_clock)                                                         \
    if (status == EW_OK) {                                                                         \
        status = ew_csv_file_open(&csv->files[FILE_##id], csv->dir, name, header, err);            \
    }
    FILE_MAP(X)
#undef X
    return status;
}

static bool is_wall_clock_file(int id)
{
    static const bool flags[FILE_COUNT] = {
#define X(name_id, name, header, is_wall_clock) [FILE_##name_id] = (is_wall_clock),
        FILE_MAP(X)
#undef X
    };
    return flags[id];
}

enum ew_status ew_csv_open(struct ew_csv **out, const char *dir,
                           const struct ew_csv_options *options, struct ew_error *err)
{
    enum ew_status status = ew_dir_make(dir, err);
    if (status != EW_OK) {
        return status;
    }
    struct ew_csv *csv = calloc(1, sizeof *csv);
    if (!csv) {
        return ew_fail_memory(err);
    }
    csv->options = *options;
    csv->dir = strdup(dir);
    status = csv->dir ? open_files(csv, err) : ew_fail_memory(err);
    if (status != EW_OK) {
        ew_csv_free(csv);
        return status;
    }
    *out = csv;
    return EW_OK;
}

void ew_csv_free(struct ew_csv *csv)
{
    if (!csv) {
        return;
    }
    ew_csv_stream_free(csv->stream);
    for (int i = 0; i < FILE_COUNT; i++) {
        ew_csv_file_fini(&csv->files[i]);
    }
    for (size_t i = 0; i < csv->added.count; i++) {
        ew_csv_file_fini(&csv->added.items[i].file);
        free(csv->added.items[i].name);
    }
    ew_vec_fini(&csv->added);
    free(csv->dir);
    free(csv);
}

enum ew_status ew_csv_run_begin(struct ew_event_observer *out, struct ew_csv *csv,
                                const struct ew_metrics_config *config, const char *strategy,
                                struct ew_error *err)
{
    ew_csv_stream_free(csv->stream);
    csv->stream = ew_csv_stream_new(&csv->files[FILE_REQUESTS], &csv->files[FILE_TASKS], config,
                                    csv->n_runs, strategy, csv->options.max_task_jobs);
    if (!csv->stream) {
        return ew_fail_memory(err);
    }
    *out = ew_csv_stream_observer(csv->stream);
    return EW_OK;
}

/* ------------------------------------------------------------------ rows from results */

static struct ew_csv_file *begin_row(struct ew_csv *csv, enum file_id id,
                                     const struct ew_result *result)
{
    struct ew_csv_file *file = &csv->files[id];
    ew_csv_u64(file, csv->n_runs);
    ew_csv_text(file, result->strategy);
    return file;
}

static void put_service(struct ew_csv_file *file, const struct ew_service *service)
{
    ew_csv_u64(file, service->counts.requests);
    ew_csv_u64(file, service->counts.completed);
    ew_csv_u64(file, service->counts.late);
    ew_csv_u64(file, service->counts.dropped);
    ew_csv_u64(file, service->counts.failed);
    ew_csv_u64(file, service->counts.open);
    ew_csv_double(file, service->latency.mean_s);
    ew_csv_double(file, service->latency.p50_s);
    ew_csv_double(file, service->latency.p90_s);
    ew_csv_double(file, service->latency.p99_s);
    ew_csv_double(file, service->latency.max_s);
    ew_csv_double(file, service->throughput_per_s);
    ew_csv_double(file, service->period_s);
    ew_csv_double(file, service->deadline_s);
    ew_csv_double(file, service->deadline_met_ratio);
    ew_csv_double(file, service->accuracy);
    ew_csv_text(file, service->exit);
    ew_csv_bool(file, service->is_met);
    ew_csv_bool(file, service->claims_feasible);
    ew_csv_bool(file, service->has_model_mismatch);
    ew_csv_double(file, service->predicted_latency_s);
}

/* An error row keeps its columns and leaves all figures empty. */
static void put_empty_cells(struct ew_csv_file *file, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ew_csv_empty(file);
    }
}

enum { N_SERVICE_COLUMNS = 21, N_RUN_FIGURES = 16 };

static void put_run(struct ew_csv *csv, const struct ew_result *result)
{
    struct ew_csv_file *file = begin_row(csv, FILE_RUNS, result);
    ew_csv_text(file, result->strategy_version);
    ew_csv_text(file, result->params);
    ew_csv_text(file, result->engine);
    ew_csv_text(file, ew_status_text(result->error_status));
    ew_csv_text(file, result->error);
    if (result->error) {
        put_empty_cells(file, N_SERVICE_COLUMNS + N_RUN_FIGURES);
        ew_csv_row_end(file);
        return;
    }
    put_service(file, &result->service);
    ew_csv_double(file, result->energy_j);
    ew_csv_double(file, result->dynamic_energy_j);
    ew_csv_double(file, result->energy_per_request_j);
    ew_csv_double(file, result->dynamic_energy_per_request_j);
    ew_csv_double(file, result->idle_share_per_request_j);
    ew_csv_double(file, result->horizon_begin_s);
    ew_csv_double(file, result->horizon_end_s);
    ew_csv_u64(file, result->n_devices_used);
    ew_csv_u64(file, result->n_tasks);
    ew_csv_u64(file, result->n_transfers);
    ew_csv_u64(file, result->transfer_bytes);
    const bool has_bars = result->bars.n_draws > 0;
    ew_csv_u64(file, result->bars.n_draws);
    ew_csv_double(file, has_bars ? result->service.latency.low_s : NAN);
    ew_csv_double(file, has_bars ? result->service.latency.high_s : NAN);
    ew_csv_double(file, has_bars ? result->bars.energy_low_j : NAN);
    ew_csv_double(file, has_bars ? result->bars.energy_high_j : NAN);
    ew_csv_row_end(file);
}

static void put_workloads(struct ew_csv *csv, const struct ew_result *result)
{
    for (uint32_t w = 0; w < result->n_workloads; w++) {
        const struct ew_workload_result *workload = &result->workloads[w];
        struct ew_csv_file *file = begin_row(csv, FILE_WORKLOADS, result);
        ew_csv_text(file, workload->name);
        ew_csv_text(file, workload->graph);
        put_service(file, &workload->service);
        ew_csv_double(file, workload->dynamic_energy_j);
        ew_csv_row_end(file);
    }
}

static void put_devices(struct ew_csv *csv, const struct ew_result *result)
{
    for (uint32_t d = 0; d < result->n_devices; d++) {
        const struct ew_device_result *device = &result->devices[d];
        struct ew_csv_file *file = begin_row(csv, FILE_DEVICES, result);
        ew_csv_u64(file, d);
        ew_csv_text(file, device->name);
        ew_csv_text(file, device->node);
        ew_csv_text(file, device->profile);
        ew_csv_double(file, device->busy_s);
        ew_csv_double(file, device->utilisation_ratio);
        ew_csv_double(file, device->tx_s);
        ew_csv_double(file, device->rx_s);
        ew_csv_u64(file, device->tx_bytes);
        ew_csv_u64(file, device->rx_bytes);
        ew_csv_u64(file, device->n_tasks);
        ew_csv_double(file, device->energy_j);
        ew_csv_double(file, device->dynamic_energy_j);
        ew_csv_u64(file, device->peak_memory_bytes);
        ew_csv_double(file, device->rows_share);
        ew_csv_row_end(file);
    }
}

static void put_energy(struct ew_csv *csv, const struct ew_result *result)
{
    for (uint32_t d = 0; d < result->n_devices; d++) {
        const struct ew_device_result *device = &result->devices[d];
        for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
            struct ew_csv_file *file = begin_row(csv, FILE_ENERGY, result);
            ew_csv_u64(file, d);
            ew_csv_text(file, device->name);
            ew_csv_text(file, device->node);
            ew_csv_text(file, ew_power_state_name((enum ew_power_state)i));
            ew_csv_double(file, device->state_j[i]);
            ew_csv_row_end(file);
        }
    }
}

static void put_layers(struct ew_csv *csv, const struct ew_result *result)
{
    for (uint32_t i = 0; i < result->n_layers; i++) {
        const struct ew_layer_result *layer = &result->layers[i];
        struct ew_csv_file *file = begin_row(csv, FILE_LAYERS, result);
        ew_csv_text(file, result->workloads[layer->workload].name);
        ew_csv_u64(file, layer->variant);
        if (layer->layer == EW_NONE) {
            ew_csv_empty(file);
        } else {
            ew_csv_u64(file, layer->layer);
        }
        ew_csv_text(file, layer->name);
        ew_csv_text(file, layer->op);
        ew_csv_u64(file, layer->n_tasks);
        ew_csv_double(file, layer->compute_s);
        ew_csv_double(file, layer->compute_j);
        ew_csv_u64(file, layer->n_transfers);
        ew_csv_u64(file, layer->rx_bytes);
        ew_csv_double(file, layer->transfer_s);
        ew_csv_double(file, layer->transfer_j);
        ew_csv_row_end(file);
    }
}

static void put_timing(struct ew_csv *csv, const struct ew_result *result)
{
    struct ew_csv_file *file = begin_row(csv, FILE_TIMING, result);
    ew_csv_double(file, result->plan_time_s);
    ew_csv_double(file, result->run_time_s);
    ew_csv_row_end(file);
}

enum ew_status ew_csv_run_end(struct ew_csv *csv, const struct ew_result *result,
                              struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (csv->stream) {
        status = ew_csv_stream_finish(csv->stream, err);
        ew_csv_stream_free(csv->stream);
        csv->stream = NULL;
    }
    put_run(csv, result);
    put_workloads(csv, result);
    put_devices(csv, result);
    put_energy(csv, result);
    put_layers(csv, result);
    put_timing(csv, result);
    csv->n_runs++;
    for (int i = 0; i < FILE_COUNT && status == EW_OK; i++) {
        status = ew_csv_file_flush(&csv->files[i], err);
    }
    return status;
}

enum ew_status ew_csv_add_file(struct ew_csv *csv, const char *name, const struct ew_str *text,
                               bool has_wall_clock, struct ew_error *err)
{
    if (text->failed || !ew_vec_push(&csv->added, (struct added_file){0})) {
        return ew_fail_memory(err);
    }
    struct added_file *added = &csv->added.items[csv->added.count - 1];
    added->has_wall_clock = has_wall_clock;
    added->name = strdup(name);
    if (!added->name) {
        return ew_fail_memory(err);
    }
    const enum ew_status status = ew_csv_file_open(&added->file, csv->dir, name, NULL, err);
    if (status == EW_OK) {
        ew_csv_raw(&added->file, ew_str_text(text), text->length);
    }
    return status;
}

/* ------------------------------------------------------------------ manifest */

static void put_hash(struct ew_json *j, uint64_t hash)
{
    char text[17];
    (void)snprintf(text, sizeof text, "%016" PRIx64, hash);
    ew_json_kv_string(j, "hash_fnv1a64", text);
}

static void put_file(struct ew_json *j, const char *name, const struct ew_csv_file *file,
                     bool has_wall_clock, bool has_rows)
{
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "name", name);
    if (has_rows) {
        ew_json_kv_u64(j, "rows", file->n_rows);
    }
    ew_json_kv_bool(j, "has_wall_clock", has_wall_clock);
    if (!has_wall_clock) {
        ew_json_kv_u64(j, "size_bytes", file->size_bytes);
        put_hash(j, file->hash);
    }
    ew_json_object_end(j);
}

static void put_files(struct ew_json *j, const struct ew_csv *csv)
{
    ew_json_key(j, "files");
    ew_json_array_begin(j);
    for (int i = 0; i < FILE_COUNT; i++) {
        put_file(j, file_names[i], &csv->files[i], is_wall_clock_file(i), true);
    }
    for (size_t i = 0; i < csv->added.count; i++) {
        const struct added_file *added = &csv->added.items[i];
        put_file(j, added->name, &added->file, added->has_wall_clock, false);
    }
    ew_json_array_end(j);
}

static void put_inputs(struct ew_json *j, const struct ew_report *report)
{
    ew_json_key(j, "inputs");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < report->n_inputs; i++) {
        const struct ew_report_input *input = &report->inputs[i];
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "role", input->role);
        ew_json_kv_string(j, "path", input->path);
        ew_json_kv_u64(j, "size_bytes", input->size_bytes);
        put_hash(j, input->hash);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void print_manifest(struct ew_str *out, const struct ew_csv *csv,
                           const struct ew_report *report)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_i64(&j, "schema", EW_REPORT_SCHEMA);
    ew_json_kv_string(&j, "program", "edgeweave");
    ew_json_kv_string(&j, "version", report->version);
    ew_json_kv_string(&j, "simgrid_version", report->simgrid_version);
    ew_json_kv_string(&j, "command", report->command);
    ew_json_key(&j, "args");
    ew_json_array_begin_inline(&j);
    for (uint32_t i = 0; i < report->n_args; i++) {
        ew_json_string(&j, report->args[i]);
    }
    ew_json_array_end(&j);
    ew_json_kv_string(&j, "engine", report->engine);
    ew_json_kv_string(&j, "preset", report->net->id);
    ew_json_kv_u64(&j, "seed", report->seed);
    ew_json_kv_u64(&j, "runs", csv->n_runs);
    ew_json_key(&j, "max_task_jobs");
    if (csv->options.max_task_jobs == UINT64_MAX) {
        ew_json_null(&j);
    } else {
        ew_json_u64(&j, csv->options.max_task_jobs);
    }
    put_inputs(&j, report);
    put_files(&j, csv);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

/* An old manifest must not stand beside new files, nor a new one beside old files. */
static enum ew_status remove_old_manifest(const char *path, struct ew_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT) {
        return ew_fail(err, EW_EIO, "%s: cannot replace: %s", path, strerror(errno));
    }
    return EW_OK;
}

enum ew_status ew_csv_finish(struct ew_csv *csv, const struct ew_report *report,
                             struct ew_error *err)
{
    struct ew_str manifest = {0};
    char *path = ew_path_join(csv->dir, MANIFEST);
    enum ew_status status = path ? remove_old_manifest(path, err) : ew_fail_memory(err);
    for (int i = 0; i < FILE_COUNT && status == EW_OK; i++) {
        status = ew_csv_file_publish(&csv->files[i], err);
    }
    for (size_t i = 0; i < csv->added.count && status == EW_OK; i++) {
        status = ew_csv_file_publish(&csv->added.items[i].file, err);
    }
    if (status != EW_OK) {
        goto done;
    }
    print_manifest(&manifest, csv, report);
    status = manifest.failed ? ew_fail_memory(err)
                             : ew_file_write(path, ew_str_text(&manifest), manifest.length, err);
done:
    ew_str_fini(&manifest);
    free(path);
    return status;
}
