#include "sweep/reproduce_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "io/json_read.h"

/* --- printing ----------------------------------------------------------------------------------
 */

static void put(struct ew_json *json, const char *name, double value)
{
    if (isfinite(value)) {
        ew_json_kv_double(json, name, value);
    }
}

/* Number of the exit that all requests took, from 1; 0 for none. */
static double exit_number(const struct ew_graph *graph, const char *exit)
{
    for (uint32_t i = 0; exit && i < graph->n_exits; i++) {
        if (strcmp(graph->exits[i].name, exit) == 0) {
            return i + 1.0;
        }
    }
    return 0;
}

static void put_devices(struct ew_json *json, const struct ew_result *r)
{
    const double n = (double)r->service.counts.completed;
    double busy_s = 0, link_s = 0;
    for (uint32_t i = 0; i < r->n_devices; i++) {
        const struct ew_device_result *d = &r->devices[i];
        struct ew_str name = {0};
        const size_t stem = strlen("device.") + strlen(d->name) + 1;
        ew_str_printf(&name, "device.%s.rows_share", d->name);
        put(json, ew_str_text(&name), d->rows_share);
        if (!name.failed) {
            name.length = stem;
            ew_str_append(&name, "busy_s");
            put(json, ew_str_text(&name), d->busy_s / n);
            name.length = stem;
            ew_str_append(&name, "dynamic_energy_j");
            put(json, ew_str_text(&name), d->has_energy ? d->dynamic_energy_j / n : NAN);
        }
        json->out->failed = json->out->failed || name.failed;
        ew_str_fini(&name);
        busy_s = fmax(busy_s, d->busy_s / n);
        link_s = fmax(link_s, fmax(d->tx_s, d->rx_s) / n);
    }
    put(json, "max_device_busy_s", busy_s);
    put(json, "max_device_link_s", link_s);
}

/* Notes that begin with a number: "13 of 1..23". */
static void put_notes(struct ew_json *json, const struct ew_plan_result *plan)
{
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        struct ew_str name = {0}, word = {0};
        double value;
        ew_str_printf(&name, "note.%s", plan->notes[i].key);
        ew_str_append_n(&word, plan->notes[i].value, strcspn(plan->notes[i].value, " ,;"));
        if (ew_parse_double(ew_str_text(&word), &value)) {
            put(json, ew_str_text(&name), value);
        }
        json->out->failed = json->out->failed || name.failed || word.failed;
        ew_str_fini(&name);
        ew_str_fini(&word);
    }
}

void ew_repro_record_print(struct ew_str *out, const struct ew_setup *setup,
                           const struct ew_result *result)
{
    const struct ew_setup_workload *w = &setup->workloads[0];
    const struct ew_service *service = &result->service;
    struct ew_json json = {.out = out};
    if (result->error || service->counts.completed == 0) {
        ew_repro_record_print_error(out, result->error ? result->error : "no request completed");
        return;
    }
    ew_json_object_begin(&json);
    put(&json, "latency_s", service->latency.mean_s);
    put(&json, "latency_p99_s", service->latency.p99_s);
    put(&json, "throughput_per_s", service->throughput_per_s);
    put(&json, "images_per_s",
        service->throughput_per_s * w->problem.batch / w->spec->requests_per_job);
    put(&json, "energy_j", result->energy_per_request_j);
    put(&json, "dynamic_energy_j", result->dynamic_energy_per_request_j);
    put(&json, "accuracy", service->accuracy);
    put(&json, "requirements_met", service->is_met);
    put(&json, "accuracy_when_met", service->is_met ? service->accuracy : 0);
    put(&json, "predicted_latency_s", service->predicted_latency_s);
    put(&json, "devices_used", result->n_devices_used);
    put(&json, "exit", exit_number(w->graph, service->exit));
    put_devices(&json, result);
    if (result->n_workloads > 0 && result->workloads[0].n_plans > 0) {
        const struct ew_plan_result *plan = &result->workloads[0].plans[0];
        put(&json, "redundant_macs_ratio", (double)plan->redundant_macs / (double)plan->macs);
        put_notes(&json, plan);
    }
    ew_json_object_end(&json);
    ew_str_append(out, "\n");
}

void ew_repro_record_print_error(struct ew_str *out, const char *message)
{
    struct ew_json json = {.out = out};
    ew_json_object_begin(&json);
    ew_json_kv_string(&json, "error", message);
    ew_json_object_end(&json);
    ew_str_append(out, "\n");
}

/* --- reading -----------------------------------------------------------------------------------
 */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct ew_repro_number *)a)->name,
                  ((const struct ew_repro_number *)b)->name);
}

static enum ew_status read_members(struct ew_repro_record *r, const struct ew_json_value *root,
                                   struct ew_error *err)
{
    struct ew_json_value member = {0};
    r->numbers = ew_arena_calloc(&r->arena, ew_json_count(root), sizeof *r->numbers);
    enum ew_status status = r->numbers ? EW_OK : ew_fail_memory(err);
    while (status == EW_OK && ew_json_next(&member, root)) {
        const char *text;
        struct ew_repro_number *number = &r->numbers[r->n];
        if (strcmp(ew_json_name(&member), "error") == 0) {
            status = ew_json_as_string(&text, &member, err);
            r->error = status == EW_OK ? ew_arena_strdup(&r->arena, text) : NULL;
        } else {
            status = ew_json_as_double(&number->value, &member, -HUGE_VAL, HUGE_VAL, err);
            number->name = ew_arena_strdup(&r->arena, ew_json_name(&member));
            r->n++;
        }
        if (status == EW_OK && !r->error && !(r->n && r->numbers[r->n - 1].name)) {
            status = ew_fail_memory(err);
        }
    }
    if (status == EW_OK) {
        qsort(r->numbers, r->n, sizeof *r->numbers, compare_names);
    }
    return status;
}

enum ew_status ew_repro_record_parse(struct ew_repro_record *out, const char *text, size_t size,
                                     struct ew_error *err)
{
    struct ew_repro_record record = {0};
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_parse(&doc, text, size, "record", err);
    if (status == EW_OK) {
        const struct ew_json_value root = ew_json_root(doc);
        status = ew_json_as_object(&root, err);
        if (status == EW_OK) {
            status = read_members(&record, &root, err);
        }
    }
    ew_json_doc_free(doc);
    if (status == EW_OK) {
        *out = record;
    } else {
        ew_repro_record_fini(&record);
    }
    return status;
}

double ew_repro_record_get(const struct ew_repro_record *record, const char *name)
{
    const struct ew_repro_number key = {.name = name};
    const struct ew_repro_number *found =
        record->n ? bsearch(&key, record->numbers, record->n, sizeof key, compare_names) : NULL;
    return found ? found->value : NAN;
}

void ew_repro_record_fini(struct ew_repro_record *record)
{
    ew_arena_fini(&record->arena);
    *record = (struct ew_repro_record){0};
}
