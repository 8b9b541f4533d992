#include "results/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/vec.h"
#include "results/pair_index.h"
#include "results/task_starts.h"

/* Processes of the trace. Every link is one of its own, from PID_LINKS on. */
enum { PID_REQUESTS = 1, PID_DEVICES, PID_CONNECTIONS, PID_LINKS };

/* One event; its name and arguments are JSON text in `texts`. */
struct record {
    double time_s;
    double end_s; /* 'X' only */
    uint64_t seq; /* ties keep the order of events */
    uint64_t id;  /* 'b', 'e', 'n': which of its kind */
    size_t begin; /* in texts */
    size_t length;
    uint32_t pid;
    uint32_t tid;
    char phase;
};

/* A message under way. */
struct passage {
    double start_s;
    double flow_s;
    uint64_t id; /* of its asynchronous events on links */
};

struct ew_trace {
    uint64_t max_jobs;
    struct ew_metrics_config config;
    struct ew_task_starts starts;
    struct ew_pair_index pairs;
    EW_VEC(struct passage) passages; /* per pair */
    EW_VEC(struct record) records;
    struct ew_str tracks; /* metadata events, ready */
    struct ew_str texts;
    uint64_t n_messages;
    bool ran_out_of_memory;
};

enum ew_status ew_trace_new(struct ew_trace **out, uint64_t max_jobs, struct ew_error *err)
{
    struct ew_trace *trace = calloc(1, sizeof *trace);
    if (!trace) {
        return ew_fail_memory(err);
    }
    trace->max_jobs = max_jobs;
    *out = trace;
    return EW_OK;
}

static void end_run(struct ew_trace *trace)
{
    ew_task_starts_fini(&trace->starts);
    ew_pair_index_fini(&trace->pairs);
    ew_vec_fini(&trace->passages);
    trace->config = (struct ew_metrics_config){0};
}

void ew_trace_free(struct ew_trace *trace)
{
    if (!trace) {
        return;
    }
    end_run(trace);
    ew_vec_fini(&trace->records);
    ew_str_fini(&trace->tracks);
    ew_str_fini(&trace->texts);
    free(trace);
}

/* --- tracks ------------------------------------------------------------------------------------
 */

static void name_track(struct ew_trace *trace, const char *kind, uint32_t pid, uint32_t tid,
                       const char *name)
{
    struct ew_json j = {.out = &trace->tracks};
    ew_str_append(&trace->tracks, ",\n    ");
    ew_json_object_begin_inline(&j);
    ew_json_kv_string(&j, "name", kind);
    ew_json_kv_string(&j, "ph", "M");
    ew_json_kv_u64(&j, "pid", pid);
    ew_json_kv_u64(&j, "tid", tid);
    ew_json_key(&j, "args");
    ew_json_object_begin_inline(&j);
    ew_json_kv_string(&j, "name", name);
    ew_json_object_end(&j);
    ew_json_object_end(&j);
}

static void name_tracks(struct ew_trace *trace)
{
    const struct ew_platform *platform = trace->config.run->platform;
    struct ew_str name = {0};
    name_track(trace, "process_name", PID_REQUESTS, 0, "requests");
    name_track(trace, "process_name", PID_DEVICES, 0, "devices");
    name_track(trace, "process_name", PID_CONNECTIONS, 0, "connections");
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        const struct ew_device *device = &platform->devices[d];
        name_track(trace, "thread_name", PID_DEVICES, 2 * d, device->name);
        if (device->message_overhead_s > 0) {
            name.length = 0;
            ew_str_printf(&name, "%s, sending", device->name);
            name_track(trace, "thread_name", PID_DEVICES, 2 * d + 1, ew_str_text(&name));
        }
    }
    for (uint32_t l = 0; l < platform->n_links; l++) {
        name.length = 0;
        ew_str_printf(&name, "link %s", platform->links[l].name);
        name_track(trace, "process_name", PID_LINKS + l, 0, ew_str_text(&name));
    }
    trace->ran_out_of_memory |= name.failed;
    ew_str_fini(&name);
}

/* --- records -----------------------------------------------------------------------------------
 */

static void add_record(struct ew_trace *trace, struct record record)
{
    record.seq = trace->records.count;
    record.length = trace->texts.length - record.begin;
    trace->ran_out_of_memory |= trace->texts.failed || !ew_vec_push(&trace->records, record);
}

struct node_view {
    const struct ew_task_node *node;
    const struct ew_task_info *info;
    const struct ew_graph *graph;
};

static struct node_view view_node(const struct ew_trace *trace, const struct ew_event *event)
{
    const struct ew_run_workload *workload = &trace->config.run->workloads[event->workload];
    struct node_view view = {.graph = trace->config.workloads[event->workload].context->graph};
    if (event->plan >= workload->book->n_plans ||
        event->node >= workload->task_graphs[event->plan]->n_nodes) {
        return view;
    }
    const struct ew_plan *plan = workload->book->plans[event->plan];
    view.node = &workload->task_graphs[event->plan]->nodes[event->node];
    view.info = &workload->task_graphs[event->plan]->info[event->node];
    if (view.info->segment < plan->n_segments) {
        view.graph = ew_segment_graph(view.graph, &plan->segments[view.info->segment]);
    }
    return view;
}

static const char *layer_name(const struct node_view *view, uint32_t layer)
{
    return layer < view->graph->n_layers ? view->graph->layers[layer].name : "(result)";
}

static void put_common(struct ew_json *j, const struct ew_trace *trace,
                       const struct ew_event *event)
{
    ew_json_kv_string(j, "workload", trace->config.run->workloads[event->workload].name);
    ew_json_kv_u64(j, "request", event->request);
    ew_json_kv_u64(j, "job", event->job);
    ew_json_kv_u64(j, "node", event->node);
}

static void put_box(struct ew_json *j, const struct node_view *view)
{
    if (view->info && !ew_box_is_empty(&view->info->box)) {
        ew_json_key(j, "rows");
        ew_json_array_begin_inline(j);
        ew_json_i64(j, view->info->box.lo[EW_H]);
        ew_json_i64(j, view->info->box.hi[EW_H]);
        ew_json_array_end(j);
        ew_json_key(j, "channels");
        ew_json_array_begin_inline(j);
        ew_json_i64(j, view->info->box.lo[EW_C]);
        ew_json_i64(j, view->info->box.hi[EW_C]);
        ew_json_array_end(j);
    }
}

/* "name": …, "cat": …, "args": {… : begun here, ended by end_text. */
static void begin_text(struct ew_json *j, struct ew_trace *trace, const char *name,
                       const char *category)
{
    *j = (struct ew_json){.out = &trace->texts};
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "name", name);
    ew_json_kv_string(j, "cat", category);
    ew_json_key(j, "args");
    ew_json_object_begin_inline(j);
}

static void end_text(struct ew_json *j)
{
    ew_json_object_end(j);
    ew_json_object_end(j);
}

static void take_task(struct ew_trace *trace, const struct ew_event *event)
{
    if (event->device >= trace->config.run->platform->n_devices) {
        return;
    }
    if (event->kind == EW_EVENT_TASK_START) {
        ew_task_starts_put(&trace->starts, event);
        return;
    }
    const struct node_view view = view_node(trace, event);
    const bool is_load = view.node && view.node->kind == EW_NODE_LOAD;
    const size_t begin = trace->texts.length;
    struct ew_json j;
    begin_text(&j, trace, layer_name(&view, event->layer),
               event->kind == EW_EVENT_TASK_ABORT ? "aborted"
               : is_load                          ? "load"
                                                  : "compute");
    put_common(&j, trace, event);
    ew_json_kv_string(&j, "layer", layer_name(&view, event->layer));
    if (event->layer < view.graph->n_layers) {
        ew_json_kv_string(&j, "op", ew_op_name(view.graph->layers[event->layer].op));
    }
    put_box(&j, &view);
    ew_json_kv_u64(&j, "flops", view.info ? 2 * view.info->macs : 0);
    ew_json_kv_u64(&j, "touched_bytes", view.info ? view.info->touched_bytes : 0);
    end_text(&j);
    add_record(trace, (struct record){.time_s = ew_task_starts_take(&trace->starts, event),
                                      .end_s = event->time_s,
                                      .begin = begin,
                                      .pid = PID_DEVICES,
                                      .tid = 2 * event->device,
                                      .phase = 'X'});
}

/* Name and arguments of a message; returns where they begin. */
static size_t put_message(struct ew_trace *trace, const struct ew_event *event,
                          const char *category)
{
    const struct ew_device *devices = trace->config.run->platform->devices;
    const struct node_view view = view_node(trace, event);
    const size_t begin = trace->texts.length;
    struct ew_json j;
    begin_text(&j, trace, layer_name(&view, event->layer), category);
    put_common(&j, trace, event);
    ew_json_kv_string(&j, "from", devices[event->device].name);
    ew_json_kv_string(&j, "to", devices[event->peer].name);
    ew_json_kv_string(&j, "layer", layer_name(&view, event->layer));
    ew_json_kv_string(&j, "reader_layer", layer_name(&view, event->reader_layer));
    put_box(&j, &view);
    ew_json_kv_u64(&j, "bytes", event->bytes);
    end_text(&j);
    return begin;
}

static void take_send(struct ew_trace *trace, const struct ew_event *event)
{
    const double overhead_s =
        trace->config.run->platform->devices[event->device].message_overhead_s;
    if (overhead_s > 0) {
        const size_t begin = put_message(trace, event, "overhead");
        add_record(trace, (struct record){.time_s = event->time_s,
                                          .end_s = event->time_s + overhead_s,
                                          .begin = begin,
                                          .pid = PID_DEVICES,
                                          .tid = 2 * event->device + 1,
                                          .phase = 'X'});
    }
}

/* The message on every link of its route, once each, while its bytes flow. */
static void add_flows(struct ew_trace *trace, const struct ew_event *event,
                      const struct passage *passage)
{
    const struct ew_route *route =
        ew_platform_route(trace->config.run->platform, event->device, event->peer);
    for (uint32_t i = 0; i < route->n_links; i++) {
        bool is_again = false;
        for (uint32_t k = 0; k < i; k++) {
            is_again = is_again || route->links[k] == route->links[i];
        }
        for (int end = 0; end < 2 && !is_again; end++) {
            const size_t begin = put_message(trace, event, "flow");
            add_record(trace, (struct record){.time_s = end ? event->time_s : passage->flow_s,
                                              .id = passage->id,
                                              .begin = begin,
                                              .pid = PID_LINKS + route->links[i],
                                              .phase = end ? 'e' : 'b'});
        }
    }
}

static struct passage *passage_of(struct ew_trace *trace, const struct ew_event *event,
                                  uint32_t *number)
{
    *number = ew_pair_index_number(&trace->pairs, event->device, event->peer);
    if (*number == EW_NONE) {
        return NULL;
    }
    while (*number >= trace->passages.count) {
        struct ew_str name = {0};
        const struct ew_device *devices = trace->config.run->platform->devices;
        if (!ew_vec_push(&trace->passages, (struct passage){0})) {
            trace->ran_out_of_memory = true;
            return NULL;
        }
        ew_str_printf(&name, "%s → %s", devices[event->device].name, devices[event->peer].name);
        name_track(trace, "thread_name", PID_CONNECTIONS, *number, ew_str_text(&name));
        ew_str_fini(&name);
    }
    return &trace->passages.items[*number];
}

static void take_transfer(struct ew_trace *trace, const struct ew_event *event)
{
    uint32_t number = 0;
    struct passage *passage = passage_of(trace, event, &number);
    if (!passage) {
        return;
    }
    if (event->kind == EW_EVENT_TRANSFER_START) {
        *passage = (struct passage){event->time_s, NAN, trace->n_messages++};
    } else if (event->kind == EW_EVENT_TRANSFER_FLOW) {
        passage->flow_s = event->time_s;
    } else {
        const bool is_aborted = event->kind == EW_EVENT_TRANSFER_ABORT;
        const size_t begin = put_message(trace, event, is_aborted ? "aborted" : "transfer");
        add_record(trace, (struct record){.time_s = passage->start_s,
                                          .end_s = event->time_s,
                                          .begin = begin,
                                          .pid = PID_CONNECTIONS,
                                          .tid = number,
                                          .phase = 'X'});
        if (isfinite(passage->flow_s)) {
            add_flows(trace, event, passage);
        }
    }
}

static void take_request(struct ew_trace *trace, const struct ew_event *event)
{
    static const char *const outcomes[] = {
        [EW_EVENT_REQUEST_DONE] = "done",
        [EW_EVENT_REQUEST_LATE] = "late",
        [EW_EVENT_REQUEST_DROPPED] = "dropped",
        [EW_EVENT_REQUEST_FAILED] = "failed",
    };
    const bool is_begin = event->kind == EW_EVENT_REQUEST_ARRIVE;
    const size_t begin = trace->texts.length;
    const char *workload = trace->config.run->workloads[event->workload].name;
    struct ew_str name = {0};
    struct ew_json j;
    ew_str_printf(&name, "%s %llu", workload, (unsigned long long)event->request);
    begin_text(&j, trace, ew_str_text(&name), "request");
    ew_json_kv_string(&j, "workload", workload);
    ew_json_kv_u64(&j, "request", event->request);
    if (is_begin) {
        ew_json_kv_double(&j, "deadline_s", event->value);
    } else {
        const bool is_answered =
            event->kind == EW_EVENT_REQUEST_DONE || event->kind == EW_EVENT_REQUEST_LATE;
        ew_json_kv_string(&j, "outcome", outcomes[event->kind]);
        ew_json_kv_double(&j, "latency_s", is_answered ? event->value : NAN);
    }
    end_text(&j);
    trace->ran_out_of_memory |= name.failed;
    ew_str_fini(&name);
    add_record(trace, (struct record){.time_s = event->time_s,
                                      .id = event->request,
                                      .begin = begin,
                                      .pid = PID_REQUESTS,
                                      .tid = event->workload,
                                      .phase = is_begin ? 'b' : 'e'});
}

/* A device or link changes: a mark on its track. */
static void take_change(struct ew_trace *trace, const struct ew_event *event)
{
    const bool is_device = event->kind == EW_EVENT_DEVICE_CHANGE;
    const size_t begin = trace->texts.length;
    struct ew_json j;
    begin_text(&j, trace, is_device ? "speed changes" : "bandwidth changes", "change");
    ew_json_kv_double(&j, is_device ? "speed_ratio" : "bandwidth_ratio", event->value);
    end_text(&j);
    add_record(trace, (struct record){.time_s = event->time_s,
                                      .begin = begin,
                                      .pid = is_device ? PID_DEVICES : PID_LINKS + event->device,
                                      .tid = is_device ? 2 * event->device : 0,
                                      .phase = 'i'});
}

static void observe(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    struct ew_trace *trace = ctx;
    (void)joules;
    const bool is_change =
        event->kind == EW_EVENT_DEVICE_CHANGE || event->kind == EW_EVENT_LINK_CHANGE;
    const bool is_request =
        event->kind <= EW_EVENT_REQUEST_FAILED && event->request < trace->max_jobs;
    const bool is_work = event->job < trace->max_jobs;
    if (is_change) {
        take_change(trace, event);
        return;
    }
    if (event->workload >= trace->config.run->n_workloads) {
        return;
    }
    switch (event->kind) {
    case EW_EVENT_TASK_START:
    case EW_EVENT_TASK_END:
    case EW_EVENT_TASK_ABORT:
        if (is_work) {
            take_task(trace, event);
        }
        break;
    case EW_EVENT_SEND_START:
        if (is_work) {
            take_send(trace, event);
        }
        break;
    case EW_EVENT_TRANSFER_START:
    case EW_EVENT_TRANSFER_FLOW:
    case EW_EVENT_TRANSFER_END:
    case EW_EVENT_TRANSFER_ABORT:
        if (is_work) {
            take_transfer(trace, event);
        }
        break;
    default:
        if (is_request) {
            take_request(trace, event);
        }
        break;
    }
}

enum ew_status ew_trace_begin(struct ew_event_observer *out, struct ew_trace *trace,
                              const struct ew_metrics_config *config, struct ew_error *err)
{
    trace->config = *config;
    if (!ew_task_starts_init(&trace->starts, config->run->platform->n_devices) ||
        !ew_pair_index_init(&trace->pairs, config->run->platform->n_devices)) {
        return ew_fail_memory(err);
    }
    name_tracks(trace);
    *out = (struct ew_event_observer){.ctx = trace, .observe = observe};
    return EW_OK;
}

/* By time, then as they came. */
static int compare(const void *a, const void *b)
{
    const struct record *p = a, *q = b;
    if (p->time_s < q->time_s || p->time_s > q->time_s) {
        return p->time_s < q->time_s ? -1 : 1;
    }
    return (p->seq > q->seq) - (p->seq < q->seq);
}

enum ew_status ew_trace_end(struct ew_trace *trace, struct ew_error *err)
{
    end_run(trace);
    if (trace->ran_out_of_memory || trace->tracks.failed) {
        return ew_fail_memory(err);
    }
    if (trace->records.count) {
        qsort(trace->records.items, trace->records.count, sizeof *trace->records.items, compare);
    }
    return EW_OK;
}

static void put_number(struct ew_str *out, const char *key, double x)
{
    char digits[32];
    ew_format_double(digits, x);
    ew_str_printf(out, ", \"%s\": %s", key, digits);
}

/* {"name": …, "cat": …, "args": {…} + , "ph": …} */
static void put_record(struct ew_str *out, const struct ew_trace *trace,
                       const struct record *record)
{
    ew_str_append(out, ",\n    ");
    ew_str_append_n(out, ew_str_text(&trace->texts) + record->begin, record->length - 1);
    ew_str_printf(out, ", \"ph\": \"%c\", \"pid\": %u, \"tid\": %u", record->phase, record->pid,
                  record->tid);
    put_number(out, "ts", record->time_s * 1e6);
    if (record->phase == 'X') {
        put_number(out, "dur", fmax(record->end_s * 1e6 - record->time_s * 1e6, 0));
    } else if (record->phase == 'i') {
        ew_str_append(out, ", \"s\": \"t\"");
    } else {
        ew_str_printf(out, ", \"id\": \"%u.%llu\"", record->tid, (unsigned long long)record->id);
    }
    ew_str_append(out, "}");
}

void ew_trace_print(struct ew_str *out, const struct ew_trace *trace, const char *strategy,
                    const char *engine)
{
    struct ew_json j = {.out = out};
    ew_str_append(out, "{\n  \"displayTimeUnit\": \"ms\",\n  \"otherData\": ");
    ew_json_object_begin_inline(&j);
    ew_json_kv_string(&j, "program", "edgeweave");
    ew_json_kv_string(&j, "strategy", strategy);
    ew_json_kv_string(&j, "engine", engine);
    ew_json_kv_u64(&j, "max_jobs", trace->max_jobs);
    ew_json_object_end(&j);
    ew_str_append(out, ",\n  \"traceEvents\": [");
    /* the first track's comma has nothing in front of it */
    ew_str_append(out, ew_str_text(&trace->tracks) + (trace->tracks.length > 0));
    for (size_t i = 0; i < trace->records.count; i++) {
        put_record(out, trace, &trace->records.items[i]);
    }
    ew_str_append(out, "\n  ]\n}\n");
}
