#include "results/request_parts.h"

#include <stdlib.h>

#include "base/vec.h"
#include "results/ring.h"
#include "results/sum.h"

struct request {
    bool is_known; /* numbers that never arrive leave gaps */
    bool is_answered;
    bool is_lost; /* dropped or failed */
    bool shares;  /* in the energy of the job that it is in */
    struct ew_request_share share;
};

/* A job in flight. */
struct job {
    bool is_open;
    uint32_t workload;
    uint64_t first_request;
    uint64_t n_requests;
    uint64_t n_sharing; /* those that nobody had dropped when it began */
    double time_s[EW_POWER_STATE_COUNT];
    struct ew_sum energy_j[EW_POWER_STATE_COUNT];
};

struct ew_request_parts {
    struct ew_event_observer next;
    EW_VEC(struct ew_ring) requests; /* per workload; none leaves before the end */
    struct ew_ring jobs;
    bool ran_out_of_memory;
};

enum ew_status ew_request_parts_new(struct ew_request_parts **out, struct ew_error *err)
{
    struct ew_request_parts *parts = calloc(1, sizeof *parts);
    if (!parts) {
        return ew_fail_memory(err);
    }
    parts->jobs.record_bytes = sizeof(struct job);
    *out = parts;
    return EW_OK;
}

static void forget(struct ew_request_parts *parts)
{
    for (size_t w = 0; w < parts->requests.count; w++) {
        ew_ring_fini(&parts->requests.items[w]);
    }
    ew_vec_fini(&parts->requests);
    ew_ring_fini(&parts->jobs);
    parts->ran_out_of_memory = false;
}

void ew_request_parts_free(struct ew_request_parts *parts)
{
    if (parts) {
        forget(parts);
        free(parts);
    }
}

static struct ew_ring *requests_of(struct ew_request_parts *parts, uint32_t workload)
{
    while (workload >= parts->requests.count) {
        if (!ew_vec_push(&parts->requests,
                         ((struct ew_ring){.record_bytes = sizeof(struct request)}))) {
            parts->ran_out_of_memory = true;
            return NULL;
        }
    }
    return &parts->requests.items[workload];
}

static void arrive(struct ew_request_parts *parts, const struct ew_event *event)
{
    struct ew_ring *ring = requests_of(parts, event->workload);
    struct request *request = ring ? ew_ring_reach(ring, event->request) : NULL;
    if (!request) {
        parts->ran_out_of_memory = true;
        return;
    }
    request->is_known = true;
    request->share.workload = event->workload;
    request->share.request = event->request;
}

static void start_job(struct ew_request_parts *parts, const struct ew_event *event)
{
    struct ew_ring *ring = requests_of(parts, event->workload);
    struct job *job = ew_ring_reach(&parts->jobs, event->job);
    if (!ring || !job) {
        parts->ran_out_of_memory = true;
        return;
    }
    *job = (struct job){.is_open = true,
                        .workload = event->workload,
                        .first_request = event->request,
                        .n_requests = event->bytes};
    for (uint64_t i = 0; i < job->n_requests; i++) {
        struct request *request = ew_ring_at(ring, job->first_request + i);
        if (request && !request->is_lost) {
            request->shares = true;
            job->n_sharing++;
        }
    }
}

static void settle_job(struct ew_request_parts *parts, struct job *job)
{
    struct ew_ring *ring = requests_of(parts, job->workload);
    job->is_open = false;
    for (uint64_t i = 0; ring && i < job->n_requests; i++) {
        struct request *request = ew_ring_at(ring, job->first_request + i);
        if (!request || !request->shares) {
            continue;
        }
        request->shares = false;
        for (int s = 0; s < EW_POWER_STATE_COUNT; s++) {
            request->share.time_s[s] += job->time_s[s] / (double)job->n_sharing;
            request->share.energy_j[s] += ew_sum_value(&job->energy_j[s]) / (double)job->n_sharing;
        }
    }
}

static void end_job(struct ew_request_parts *parts, const struct ew_event *event)
{
    struct job *job = ew_ring_at(&parts->jobs, event->job);
    if (!job || !job->is_open) {
        return;
    }
    settle_job(parts, job);
    for (const struct job *oldest; (oldest = ew_ring_oldest(&parts->jobs)) && !oldest->is_open;) {
        ew_ring_drop_oldest(&parts->jobs);
    }
}

static void book(struct ew_request_parts *parts, const struct ew_event *event,
                 enum ew_power_state state, double time_s, double energy_j)
{
    struct job *job = ew_ring_at(&parts->jobs, event->job);
    if (job) {
        job->time_s[state] += time_s;
        ew_sum_add(&job->energy_j[state], energy_j);
    }
}

static void end_request(struct ew_request_parts *parts, const struct ew_event *event, bool is_lost)
{
    struct ew_ring *ring = requests_of(parts, event->workload);
    struct request *request = ring ? ew_ring_at(ring, event->request) : NULL;
    if (request) {
        request->is_answered = !is_lost;
        request->is_lost = is_lost;
    }
}

static void observe(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    struct ew_request_parts *parts = ctx;
    switch (event->kind) {
    case EW_EVENT_REQUEST_ARRIVE:
        arrive(parts, event);
        break;
    case EW_EVENT_REQUEST_DONE:
    case EW_EVENT_REQUEST_LATE:
        end_request(parts, event, false);
        break;
    case EW_EVENT_REQUEST_DROPPED:
    case EW_EVENT_REQUEST_FAILED:
        end_request(parts, event, true);
        break;
    case EW_EVENT_JOB_START:
        start_job(parts, event);
        break;
    case EW_EVENT_JOB_END:
    case EW_EVENT_JOB_FAILED:
    case EW_EVENT_JOB_MOVED:
        end_job(parts, event);
        break;
    case EW_EVENT_TASK_END:
    case EW_EVENT_TASK_ABORT:
        book(parts, event, EW_POWER_COMPUTE, joules->busy_s, joules->own_j);
        break;
    case EW_EVENT_TRANSFER_END:
    case EW_EVENT_TRANSFER_ABORT:
        book(parts, event, EW_POWER_TX, joules->busy_s, joules->own_j);
        book(parts, event, EW_POWER_RX, joules->busy_s, joules->peer_j);
        break;
    default:
        break;
    }
    if (parts->next.observe) {
        parts->next.observe(parts->next.ctx, event, joules);
    }
}

struct ew_event_observer ew_request_parts_begin(struct ew_request_parts *parts,
                                                struct ew_event_observer next)
{
    forget(parts);
    parts->next = next;
    return (struct ew_event_observer){parts, observe};
}

/* Idle and off, which nobody causes, are shared equally by those that were answered. */
static struct ew_request_share finish(const struct request *request, const struct ew_result *result)
{
    struct ew_request_share share = request->share;
    const double n = (double)result->service.counts.completed;
    for (int s = EW_POWER_OFF; request->is_answered && n > 0 && s <= EW_POWER_IDLE; s++) {
        share.energy_j[s] = result->state_j[s] / n;
    }
    return share;
}

enum ew_status ew_request_parts_keep(struct ew_result *result, struct ew_request_parts *parts,
                                     struct ew_error *err)
{
    uint64_t n = 0;
    for (uint64_t j = parts->jobs.begin; j < parts->jobs.end; j++) {
        struct job *job = ew_ring_at(&parts->jobs, j);
        if (job->is_open) { /* the run was over first */
            settle_job(parts, job);
        }
    }
    for (size_t w = 0; w < parts->requests.count; w++) {
        n += parts->requests.items[w].end - parts->requests.items[w].begin;
    }
    struct ew_request_share *shares =
        ew_arena_calloc(&result->arena, n ? (size_t)n : 1, sizeof *shares);
    if (!shares || parts->ran_out_of_memory) {
        return ew_fail_memory(err);
    }
    for (size_t w = 0; w < parts->requests.count; w++) {
        const struct ew_ring *ring = &parts->requests.items[w];
        for (uint64_t i = ring->begin; i < ring->end; i++) {
            const struct request *request = ew_ring_at(ring, i);
            if (request->is_known) {
                shares[result->n_requests_shared++] = finish(request, result);
            }
        }
    }
    result->request_shares = shares;
    return EW_OK;
}
