#include "support/collect.h"

#include <math.h>
#include <stdlib.h>

static double *new_doubles(size_t n, double value)
{
    double *items = malloc((n ? n : 1) * sizeof *items);
    for (size_t i = 0; items && i < n; i++) {
        items[i] = value;
    }
    return items;
}

static bool is_same(const struct ew_event *a, const struct ew_event *b)
{
    return a->job == b->job && a->node == b->node;
}

static void start(struct collect *c, struct collect_running *r, const struct ew_event *event)
{
    if (r->is_busy) {
        r->instant = *event;
        c->n_open_instants++;
    } else {
        r->is_busy = true;
        r->start = *event;
    }
}

/* Seconds since the matching start. */
static double stop(struct collect *c, struct collect_running *r, const struct ew_event *event)
{
    if (r->is_busy && is_same(&r->start, event)) {
        r->is_busy = false;
        return event->time_s - r->start.time_s;
    }
    const bool is_instant =
        is_same(&r->instant, event) && event->time_s == r->instant.time_s && c->n_open_instants;
    c->n_open_instants -= is_instant ? 1 : 0;
    c->n_overlaps += is_instant ? 0 : 1;
    return 0;
}

static void collect_emit(void *ctx, const struct ew_event *event)
{
    struct collect *c = ctx;
    const size_t pair = (size_t)event->device * c->n_devices + event->peer;
    c->count[event->kind]++;
    c->n_disorders += event->time_s < c->last_s - EW_GRAIN_S ? 1 : 0;
    c->last_s = event->time_s > c->last_s ? event->time_s : c->last_s;
    switch ((enum ew_event_kind)event->kind) {
    case EW_EVENT_REQUEST_ARRIVE:
        c->arrival_s[c->first_request[event->workload] + event->request] = event->time_s;
        break;
    case EW_EVENT_REQUEST_DONE:
    case EW_EVENT_REQUEST_LATE:
        c->latency_s[c->first_request[event->workload] + event->request] = event->value;
        break;
    case EW_EVENT_TASK_START:
        start(c, &c->tasks[event->device], event);
        break;
    case EW_EVENT_TASK_END:
        c->busy_s[event->device] += stop(c, &c->tasks[event->device], event);
        break;
    case EW_EVENT_TASK_ABORT:
        c->busy_s[event->device] += stop(c, &c->tasks[event->device], event);
        break;
    case EW_EVENT_TRANSFER_ABORT:
        c->sending_s[event->device] += stop(c, &c->lines[pair], event);
        break;
    case EW_EVENT_TRANSFER_START:
        start(c, &c->lines[pair], event);
        break;
    case EW_EVENT_TRANSFER_END:
        c->sending_s[event->device] += stop(c, &c->lines[pair], event);
        c->bytes[pair] += event->bytes;
        break;
    default:
        break;
    }
}

static bool allocate(struct collect *c, const struct ew_run *run)
{
    c->n_devices = run->platform->n_devices;
    c->n_workloads = run->n_workloads;
    const size_t n = c->n_devices;
    c->first_request = calloc(run->n_workloads + 1u, sizeof *c->first_request);
    for (uint32_t w = 0; c->first_request && w < run->n_workloads; w++) {
        c->first_request[w + 1] = c->first_request[w] + run->workloads[w].n_requests;
    }
    const size_t n_requests = c->first_request ? c->first_request[run->n_workloads] : 0;
    c->latency_s = new_doubles(n_requests, NAN);
    c->arrival_s = new_doubles(n_requests, NAN);
    c->busy_s = new_doubles(n, 0);
    c->sending_s = new_doubles(n, 0);
    c->bytes = calloc(n * n, sizeof *c->bytes);
    c->tasks = calloc(n, sizeof *c->tasks);
    c->lines = calloc(n * n, sizeof *c->lines);
    c->host_energy_j = new_doubles(n, NAN);
    return c->first_request && c->latency_s && c->arrival_s && c->busy_s && c->sending_s &&
           c->bytes && c->tasks && c->lines && c->host_energy_j;
}

enum ew_status collect_run(struct collect *c, const struct ew_engine *engine, struct ew_run run,
                           struct ew_error *err)
{
    if (!allocate(c, &run)) {
        return ew_fail_memory(err);
    }
    run.sink = (struct ew_event_sink){c, collect_emit};
    c->facts.host_energy_j = c->host_energy_j;
    const enum ew_status status = engine->run(&c->facts, &run, err);
    c->n_overlaps += c->n_open_instants;
    return status;
}

void collect_fini(struct collect *c)
{
    free(c->first_request);
    free(c->latency_s);
    free(c->arrival_s);
    free(c->busy_s);
    free(c->sending_s);
    free(c->bytes);
    free(c->tasks);
    free(c->lines);
    free(c->host_energy_j);
    *c = (struct collect){0};
}
