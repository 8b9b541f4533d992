#include "results/csv_stream.h"

#include <math.h>
#include <stdlib.h>

#include "base/vec.h"
#include "results/pair_index.h"
#include "results/ring.h"
#include "results/sum.h"
#include "results/task_starts.h"

const char ew_csv_requests_header[] =
    "run,strategy,workload,request,job,plan_id,plan,status,arrival_s,start_s,end_s,latency_s,"
    "deadline_s,dynamic_energy_j,fail_reason";

const char ew_csv_tasks_header[] =
    "run,strategy,kind,workload,request,job,plan_id,node_id,layer_id,layer,last_layer,reader_layer,"
    "op,class,device_id,device,peer_id,peer,start_s,flow_s,end_s,bytes,macs,channel_lo,channel_hi,"
    "row_lo,row_hi,dynamic_energy_j";

enum request_status { REQUEST_OPEN, REQUEST_DONE, REQUEST_LATE, REQUEST_DROPPED, REQUEST_FAILED };

static const char *const status_names[] = {"open", "done", "late", "dropped", "failed"};

/* A request that has arrived and whose line is not written yet. */
struct request {
    bool is_known; /* numbers that never arrive leave gaps */
    bool awaits_job;
    uint8_t status;
    uint8_t fail_reason; /* enum ew_fail_reason */
    uint32_t plan;
    uint64_t job;
    double arrival_s;
    double start_s;
    double end_s;
    double latency_s;
    double deadline_s;
    double dynamic_j;
};

/* A job in flight. */
struct job {
    bool is_open;
    uint32_t workload;
    uint64_t first_request;
    uint64_t n_requests;
    uint64_t n_sharing; /* those that nobody had dropped when it began */
    struct ew_sum dynamic_j;
};

/* A transfer in flight. */
struct passage {
    double start_s;
    double flow_s;
};

struct ew_csv_stream {
    struct ew_csv_file *requests_file;
    struct ew_csv_file *tasks_file;
    struct ew_metrics_config config;
    uint64_t run;
    const char *strategy;
    uint64_t max_task_jobs;
    bool has_energy;
    struct ew_ring *requests; /* per workload */
    struct ew_ring jobs;
    struct ew_task_starts starts;
    struct ew_pair_index pairs;
    EW_VEC(struct passage) passages; /* per pair */
    bool ran_out_of_memory;
};

static bool is_energy_known(const struct ew_platform *platform)
{
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        if (!platform->devices[d].has_power) {
            return false;
        }
    }
    return true;
}

struct ew_csv_stream *ew_csv_stream_new(struct ew_csv_file *requests, struct ew_csv_file *tasks,
                                        const struct ew_metrics_config *config, uint64_t run,
                                        const char *strategy, uint64_t max_task_jobs)
{
    struct ew_csv_stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        return NULL;
    }
    const struct ew_platform *platform = config->run->platform;
    *stream = (struct ew_csv_stream){
        .requests_file = requests,
        .tasks_file = tasks,
        .config = *config,
        .run = run,
        .strategy = strategy,
        .max_task_jobs = max_task_jobs,
        .has_energy = is_energy_known(platform),
        .requests = calloc(config->run->n_workloads, sizeof *stream->requests),
        .jobs = {.record_bytes = sizeof(struct job)},
    };
    if (!ew_pair_index_init(&stream->pairs, platform->n_devices) || !stream->requests ||
        !ew_task_starts_init(&stream->starts, platform->n_devices)) {
        ew_csv_stream_free(stream);
        return NULL;
    }
    for (uint32_t w = 0; w < config->run->n_workloads; w++) {
        stream->requests[w].record_bytes = sizeof(struct request);
    }
    return stream;
}

void ew_csv_stream_free(struct ew_csv_stream *stream)
{
    if (!stream) {
        return;
    }
    for (uint32_t w = 0; stream->requests && w < stream->config.run->n_workloads; w++) {
        ew_ring_fini(&stream->requests[w]);
    }
    free(stream->requests);
    ew_ring_fini(&stream->jobs);
    ew_task_starts_fini(&stream->starts);
    ew_pair_index_fini(&stream->pairs);
    ew_vec_fini(&stream->passages);
    free(stream);
}

/* ------------------------------------------------------------------ requests.csv */

static void write_request(struct ew_csv_stream *stream, uint32_t w, uint64_t number,
                          const struct request *request)
{
    struct ew_csv_file *file = stream->requests_file;
    const struct ew_run_workload *workload = &stream->config.run->workloads[w];
    const bool has_job = request->job != UINT64_MAX;
    ew_csv_u64(file, stream->run);
    ew_csv_text(file, stream->strategy);
    ew_csv_text(file, workload->name);
    ew_csv_u64(file, number);
    if (has_job) {
        ew_csv_u64(file, request->job);
    } else {
        ew_csv_empty(file);
    }
    if (has_job && request->plan < workload->book->n_plans) {
        ew_csv_u64(file, request->plan);
        ew_csv_text(file, workload->book->plans[request->plan]->name);
    } else {
        ew_csv_empty(file);
        ew_csv_empty(file);
    }
    ew_csv_text(file, status_names[request->status]);
    ew_csv_double(file, request->arrival_s);
    ew_csv_double(file, request->start_s);
    ew_csv_double(file, request->end_s);
    ew_csv_double(file, request->latency_s);
    ew_csv_double(file, request->deadline_s);
    ew_csv_double(file, stream->has_energy ? request->dynamic_j : NAN);
    ew_csv_text(file, ew_fail_reason_name((enum ew_fail_reason)request->fail_reason));
    ew_csv_row_end(file);
}

/* Write the requests of a workload that are complete, in order, up to the first that is not. */
static void write_ready_requests(struct ew_csv_stream *stream, uint32_t workload, bool is_end)
{
    struct ew_ring *ring = &stream->requests[workload];
    const struct request *oldest;
    while ((oldest = ew_ring_oldest(ring)) != NULL) {
        const bool is_ready = oldest->status != REQUEST_OPEN && !oldest->awaits_job;
        if (oldest->is_known && !is_ready && !is_end) {
            break;
        }
        if (oldest->is_known) {
            write_request(stream, workload, ring->begin, oldest);
        }
        ew_ring_drop_oldest(ring);
    }
}

static void arrive(struct ew_csv_stream *stream, const struct ew_event *event)
{
    struct ew_ring *ring = &stream->requests[event->workload];
    struct request *request = ew_ring_reach(ring, event->request);
    if (!request) {
        stream->ran_out_of_memory |= event->request >= ring->begin;
        return;
    }
    *request = (struct request){
        .is_known = true,
        .job = UINT64_MAX,
        .arrival_s = event->time_s,
        .start_s = NAN,
        .end_s = NAN,
        .latency_s = NAN,
        .deadline_s = event->value,
    };
}

static void start_job(struct ew_csv_stream *stream, const struct ew_event *event)
{
    struct job *job = ew_ring_reach(&stream->jobs, event->job);
    if (!job) {
        stream->ran_out_of_memory |= event->job >= stream->jobs.begin;
        return;
    }
    *job = (struct job){.is_open = true,
                        .workload = event->workload,
                        .first_request = event->request,
                        .n_requests = event->bytes};
    for (uint64_t i = 0; i < job->n_requests; i++) {
        struct request *request =
            ew_ring_at(&stream->requests[event->workload], event->request + i);
        if (!request || request->status != REQUEST_OPEN) { /* dropped while it waited */
            continue;
        }
        job->n_sharing++;
        request->job = event->job;
        request->plan = event->plan;
        request->start_s = event->time_s;
        request->awaits_job = true;
    }
}

/* The energy of a job is shared equally by the requests that it began with; so also by one that is
 * dropped before it ends. */
static double job_share_j(const struct job *job)
{
    return job->n_sharing ? ew_sum_value(&job->dynamic_j) / (double)job->n_sharing : 0;
}

static void settle_job(struct ew_csv_stream *stream, struct job *job)
{
    job->is_open = false;
    for (uint64_t i = 0; i < job->n_requests; i++) {
        struct request *request =
            ew_ring_at(&stream->requests[job->workload], job->first_request + i);
        if (request && request->awaits_job) { /* failed attempts add up */
            request->dynamic_j += job_share_j(job);
            request->awaits_job = false;
        }
    }
}

static void end_job(struct ew_csv_stream *stream, const struct ew_event *event)
{
    struct job *job = ew_ring_at(&stream->jobs, event->job);
    if (!job || !job->is_open) {
        return;
    }
    settle_job(stream, job);
    write_ready_requests(stream, job->workload, false);
    for (const struct job *oldest; (oldest = ew_ring_oldest(&stream->jobs)) && !oldest->is_open;) {
        ew_ring_drop_oldest(&stream->jobs);
    }
}

static void end_request(struct ew_csv_stream *stream, const struct ew_event *event,
                        enum request_status status)
{
    struct request *request = ew_ring_at(&stream->requests[event->workload], event->request);
    if (!request) {
        return;
    }
    const bool is_answered = status == REQUEST_DONE || status == REQUEST_LATE;
    request->status = (uint8_t)status;
    request->fail_reason = is_answered ? EW_FAIL_REASON_NONE : (uint8_t)event->value;
    request->end_s = event->time_s;
    request->latency_s = is_answered ? event->value : NAN;
    write_ready_requests(stream, event->workload, false);
}

static void book_energy(struct ew_csv_stream *stream, const struct ew_event *event, double joules)
{
    struct job *job = ew_ring_at(&stream->jobs, event->job);
    if (job) {
        ew_sum_add(&job->dynamic_j, joules);
    }
}

/* ------------------------------------------------------------------ tasks.csv */

/* What is known of an event's node; info NULL when the ids are out of range. */
struct node_view {
    const struct ew_task_node *node;
    const struct ew_task_info *info;
    const struct ew_graph *graph;
};

static struct node_view view_node(const struct ew_csv_stream *stream, const struct ew_event *event)
{
    const struct ew_run_workload *workload = &stream->config.run->workloads[event->workload];
    const struct ew_graph *graph = stream->config.workloads[event->workload].context->graph;
    struct node_view view = {.graph = graph};
    if (event->plan >= workload->book->n_plans) {
        return view;
    }
    const struct ew_plan *plan = workload->book->plans[event->plan];
    const struct ew_task_graph *tasks = workload->task_graphs[event->plan];
    if (event->node >= tasks->n_nodes) {
        return view;
    }
    view.node = &tasks->nodes[event->node];
    view.info = &tasks->info[event->node];
    if (view.info->segment < plan->n_segments) {
        view.graph = ew_segment_graph(graph, &plan->segments[view.info->segment]);
    }
    return view;
}

static const char *const class_names[EW_CLASS_COUNT] = {
    [EW_CLASS_CONV] = "conv", [EW_CLASS_FC] = "fc",
    [EW_CLASS_POOL] = "pool", [EW_CLASS_ELEMENTWISE] = "elementwise",
    [EW_CLASS_NORM] = "norm", [EW_CLASS_VIEW] = "view",
};

static const char *layer_name(const struct ew_graph *graph, uint32_t layer)
{
    return layer < graph->n_layers ? graph->layers[layer].name : NULL;
}

static void put_layer_cells(struct ew_csv_file *file, const struct node_view *view,
                            const struct ew_event *event)
{
    const bool is_layer = event->layer < view->graph->n_layers;
    const uint32_t last = view->info ? view->info->last_layer : event->layer;
    if (is_layer) {
        ew_csv_u64(file, event->layer);
    } else {
        ew_csv_empty(file);
    }
    ew_csv_text(file, layer_name(view->graph, event->layer));
    ew_csv_text(file, layer_name(view->graph, last));
    ew_csv_text(file, layer_name(view->graph, event->reader_layer));
    if (is_layer) {
        const enum ew_op op = view->graph->layers[event->layer].op;
        ew_csv_text(file, ew_op_name(op));
        ew_csv_text(file, class_names[ew_op_class(op)]);
    } else {
        ew_csv_empty(file);
        ew_csv_empty(file);
    }
}

static void put_device_cells(struct ew_csv_file *file, const struct ew_platform *platform,
                             uint32_t device)
{
    if (device < platform->n_devices) {
        ew_csv_u64(file, device);
        ew_csv_text(file, platform->devices[device].name);
    } else {
        ew_csv_empty(file);
        ew_csv_empty(file);
    }
}

static void put_box_cells(struct ew_csv_file *file, const struct ew_task_info *info)
{
    static const int dims[] = {EW_C, EW_H};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        if (info && !ew_box_is_empty(&info->box)) {
            ew_csv_i64(file, info->box.lo[dims[i]]);
            ew_csv_i64(file, info->box.hi[dims[i]]);
        } else {
            ew_csv_empty(file);
            ew_csv_empty(file);
        }
    }
}

struct interval {
    const char *kind; /* NULL: compute or load, by the node */
    bool is_aborted;
    double start_s;
    double flow_s; /* NAN: not a transfer */
    double end_s;
    double dynamic_j; /* NAN: none */
};

static void write_interval(struct ew_csv_stream *stream, const struct ew_event *event,
                           const struct interval *interval)
{
    if (event->job >= stream->max_task_jobs) {
        return;
    }
    struct ew_csv_file *file = stream->tasks_file;
    const struct ew_platform *platform = stream->config.run->platform;
    const struct node_view view = view_node(stream, event);
    const bool is_load = view.node && view.node->kind == EW_NODE_LOAD;
    ew_csv_u64(file, stream->run);
    ew_csv_text(file, stream->strategy);
    const char *kind = interval->kind ? interval->kind : (is_load ? "load" : "compute");
    const char *aborted_kind =
        interval->kind ? "transfer_aborted" : (is_load ? "load_aborted" : "compute_aborted");
    ew_csv_text(file, interval->is_aborted ? aborted_kind : kind);
    ew_csv_text(file, stream->config.run->workloads[event->workload].name);
    ew_csv_u64(file, event->request);
    ew_csv_u64(file, event->job);
    ew_csv_u64(file, event->plan);
    ew_csv_u64(file, event->node);
    put_layer_cells(file, &view, event);
    put_device_cells(file, platform, event->device);
    put_device_cells(file, platform, interval->kind ? event->peer : EW_NONE);
    ew_csv_double(file, interval->start_s);
    ew_csv_double(file, interval->flow_s);
    ew_csv_double(file, interval->end_s);
    if (interval->kind) {
        ew_csv_u64(file, event->bytes);
        ew_csv_empty(file);
    } else {
        ew_csv_empty(file);
        ew_csv_u64(file, view.info ? view.info->macs : 0);
    }
    put_box_cells(file, view.info);
    ew_csv_double(file, stream->has_energy ? interval->dynamic_j : NAN);
    ew_csv_row_end(file);
}

static struct passage *passage_of(struct ew_csv_stream *stream, const struct ew_event *event)
{
    const uint32_t pair = ew_pair_index_number(&stream->pairs, event->device, event->peer);
    if (pair == EW_NONE) {
        return NULL;
    }
    while (pair >= stream->passages.count) {
        if (!ew_vec_push(&stream->passages, (struct passage){0})) {
            stream->ran_out_of_memory = true;
            return NULL;
        }
    }
    return &stream->passages.items[pair];
}

static void write_send(struct ew_csv_stream *stream, const struct ew_event *event)
{
    const struct ew_platform *platform = stream->config.run->platform;
    const double overhead_s = event->device < platform->n_devices
                                  ? platform->devices[event->device].message_overhead_s
                                  : 0;
    if (overhead_s > 0) {
        const struct interval interval = {.kind = "send",
                                          .start_s = event->time_s,
                                          .flow_s = NAN,
                                          .end_s = event->time_s + overhead_s,
                                          .dynamic_j = NAN};
        write_interval(stream, event, &interval);
    }
}

static void take_task(struct ew_csv_stream *stream, const struct ew_event *event,
                      const struct ew_joules *joules)
{
    if (event->device >= stream->config.run->platform->n_devices) {
        return;
    }
    if (event->kind == EW_EVENT_TASK_START) {
        ew_task_starts_put(&stream->starts, event);
        return;
    }
    book_energy(stream, event, joules->own_j);
    const struct interval interval = {.is_aborted = event->kind == EW_EVENT_TASK_ABORT,
                                      .start_s = ew_task_starts_take(&stream->starts, event),
                                      .flow_s = NAN,
                                      .end_s = event->time_s,
                                      .dynamic_j = joules->own_j};
    write_interval(stream, event, &interval);
}

static void take_transfer(struct ew_csv_stream *stream, const struct ew_event *event,
                          const struct ew_joules *joules)
{
    struct passage *passage = passage_of(stream, event);
    if (!passage) {
        return;
    }
    if (event->kind == EW_EVENT_TRANSFER_START) {
        passage->start_s = event->time_s;
        passage->flow_s = NAN; /* it may break before */
    } else if (event->kind == EW_EVENT_TRANSFER_FLOW) {
        passage->flow_s = event->time_s;
    } else {
        const double dynamic_j = joules->own_j + joules->peer_j;
        book_energy(stream, event, dynamic_j);
        const struct interval interval = {.kind = "transfer",
                                          .is_aborted = event->kind == EW_EVENT_TRANSFER_ABORT,
                                          .start_s = passage->start_s,
                                          .flow_s = passage->flow_s,
                                          .end_s = event->time_s,
                                          .dynamic_j = dynamic_j};
        write_interval(stream, event, &interval);
    }
}

static void observe(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    struct ew_csv_stream *stream = ctx;
    if (event->workload >= stream->config.run->n_workloads) {
        return;
    }
    switch (event->kind) {
    case EW_EVENT_REQUEST_ARRIVE:
        arrive(stream, event);
        break;
    case EW_EVENT_REQUEST_DONE:
        end_request(stream, event, REQUEST_DONE);
        break;
    case EW_EVENT_REQUEST_LATE:
        end_request(stream, event, REQUEST_LATE);
        break;
    case EW_EVENT_REQUEST_DROPPED:
        end_request(stream, event, REQUEST_DROPPED);
        break;
    case EW_EVENT_REQUEST_FAILED:
        end_request(stream, event, REQUEST_FAILED);
        break;
    case EW_EVENT_JOB_START:
        start_job(stream, event);
        break;
    case EW_EVENT_JOB_END:
    case EW_EVENT_JOB_FAILED:
    case EW_EVENT_JOB_MOVED:
        end_job(stream, event);
        break;
    case EW_EVENT_TASK_START:
    case EW_EVENT_TASK_END:
    case EW_EVENT_TASK_ABORT:
        take_task(stream, event, joules);
        break;
    case EW_EVENT_SEND_START:
        write_send(stream, event);
        break;
    case EW_EVENT_TRANSFER_START:
    case EW_EVENT_TRANSFER_FLOW:
    case EW_EVENT_TRANSFER_END:
    case EW_EVENT_TRANSFER_ABORT:
        take_transfer(stream, event, joules);
        break;
    default:
        break;
    }
}

struct ew_event_observer ew_csv_stream_observer(struct ew_csv_stream *stream)
{
    return (struct ew_event_observer){.ctx = stream, .observe = observe};
}

enum ew_status ew_csv_stream_finish(struct ew_csv_stream *stream, struct ew_error *err)
{
    for (uint64_t number = stream->jobs.begin; number < stream->jobs.end; number++) {
        struct job *job = ew_ring_at(&stream->jobs, number);
        if (job->is_open) {
            settle_job(stream, job);
        }
    }
    for (uint32_t w = 0; w < stream->config.run->n_workloads; w++) {
        write_ready_requests(stream, w, true);
    }
    return stream->ran_out_of_memory ? ew_fail_memory(err) : EW_OK;
}
