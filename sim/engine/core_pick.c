/*
 * Jobs of books that are picked online: a strategy says which plan the next job takes, and how many
 * requests.
 *
 * A decision comes CORE_DECISION_S after what makes it possible (an arrival, an answer, a failure)
 * and sees the run as it was CORE_SEEN_AFTER_S before (core_watch.h). Most things that are
 * simultaneous on paper differ by whole decisions, never by half of one: so engines show the same,
 * whichever of two simultaneous events they handle first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edgeweave/strategy.h"
#include "engine/core_dynamics_internal.h"
#include "engine/core_watch.h"

#define CORE_DECISION_S (2 * CORE_SEEN_AFTER_S)

/* Per workload with a picker. */
struct picking {
    const struct ew_picker *picker; /* NULL: none */
    uint32_t *plan_requests;        /* per plan */
    double decide_s;                /* when the timer is due; INFINITY: it is not set */
    double unseen_s;                /* first cause that the next decision does not see */
    EW_VEC(struct pause) again;     /* failed attempts whose time has come, oldest first */
};

struct core_picks {
    struct core_watch *watch;
    struct picking *items; /* per workload */
};

/* ------------------------------------------------------------------------------------- set-up */

static enum ew_status init_picking(struct picking *p, const struct ew_run_workload *run,
                                   struct ew_error *err)
{
    *p = (struct picking){.picker = run->picker, .decide_s = INFINITY, .unseen_s = INFINITY};
    if (!p->picker) {
        return EW_OK;
    }
    p->plan_requests = calloc(run->book->n_plans, sizeof *p->plan_requests);
    if (!p->plan_requests) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < run->book->n_plans; i++) {
        const int32_t batch = run->book->plans[i]->batch, per = p->picker->images_per_request;
        if (batch % per != 0 || (uint32_t)(batch / per) > run->requests_per_job) {
            return ew_fail(
                err, EW_EINPUT,
                "workload '%s': plan '%s' is for %d images; expected at most %u requests "
                "of %d",
                run->name, run->book->plans[i]->name, batch, run->requests_per_job, per);
        }
        p->plan_requests[i] = (uint32_t)(batch / per);
    }
    return EW_OK;
}

enum ew_status core_picks_init(struct ew_core *core, struct ew_error *err)
{
    const struct ew_run *run = core->run;
    bool is_needed = false;
    for (uint32_t w = 0; w < run->n_workloads; w++) {
        is_needed = is_needed || run->workloads[w].picker;
    }
    if (!is_needed) {
        return EW_OK;
    }
    core->picks = calloc(1, sizeof *core->picks);
    if (!core->picks) {
        return ew_fail_memory(err);
    }
    core->picks->items = calloc(run->n_workloads, sizeof *core->picks->items);
    core->picks->watch = core_watch_new(run->platform->n_devices, run->n_workloads);
    enum ew_status status = core->picks->items && core->picks->watch ? EW_OK : ew_fail_memory(err);
    for (uint32_t w = 0; w < run->n_workloads && status == EW_OK; w++) {
        status = init_picking(&core->picks->items[w], &run->workloads[w], err);
    }
    return status;
}

void core_picks_fini(struct ew_core *core)
{
    struct core_picks *picks = core->picks;
    if (!picks) {
        return;
    }
    for (uint32_t w = 0; picks->items && w < core->run->n_workloads; w++) {
        struct picking *p = &picks->items[w];
        for (size_t i = 0; i < p->again.count; i++) {
            free(p->again.items[i].arrival_s);
        }
        ew_vec_fini(&p->again);
        free(p->plan_requests);
    }
    core_watch_free(picks->watch);
    free(picks->items);
    free(picks);
}

struct core_watch *core_picks_watch(const struct ew_core *core)
{
    return core->picks->watch;
}

/* ------------------------------------------------------------------------------------- timing */

static void set_timer(struct ew_core *core, uint32_t w, double cause_s)
{
    core->picks->items[w].decide_s = cause_s + CORE_DECISION_S;
    core->ops.schedule_timer(core->ops.ctx, core_first_pick_timer(core) + w,
                             core->picks->items[w].decide_s);
}

void core_pick_soon(struct ew_core *core, uint32_t w, double time_s)
{
    struct picking *p = &core->picks->items[w];
    if (!p->picker) {
        return;
    }
    if (isinf(p->decide_s)) {
        set_timer(core, w, time_s);
    } else if (time_s > p->decide_s - CORE_SEEN_AFTER_S) {
        p->unseen_s = fmin(p->unseen_s, time_s);
    }
}

bool core_pick_is_due(const struct ew_core *core)
{
    bool is_due = false;
    for (uint32_t w = 0; core->picks && w < core->run->n_workloads; w++) {
        is_due = is_due || !isinf(core->picks->items[w].decide_s);
    }
    return is_due;
}

void core_pick_again(struct ew_core *core, struct pause *pause, double time_s)
{
    const uint32_t w = pause->tmpl->workload;
    pause->ready_s = time_s;
    if (ew_vec_push(&core->picks->items[w].again, *pause)) {
        core_pick_soon(core, w, time_s);
    } else {
        free(pause->arrival_s);
        core_out_of_memory(core);
    }
}

bool core_pick_forget(struct ew_core *core, uint32_t w, uint64_t request)
{
    struct picking *p = core->picks ? &core->picks->items[w] : NULL;
    for (size_t i = 0; p && i < p->again.count; i++) {
        struct pause *pause = &p->again.items[i];
        if (core_strike(pause->arrival_s, pause->first_request, pause->n_requests, request)) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------ deciding */

/* Something of this workload will happen, whatever is decided. */
static bool can_wait(const struct ew_core *core, uint32_t w, size_t n_seen)
{
    const struct core_workload *wl = &core->workloads[w];
    const struct picking *p = &core->picks->items[w];
    return core_watch_jobs(core->picks->watch, w)->n_running > 0 || !isinf(p->decide_s) ||
           core_count_waiting(wl) > n_seen || wl->thinking.count > wl->thinking_head ||
           (wl->run->arrival.kind != EW_ARRIVAL_CLOSED && wl->n_issued < wl->n_to_issue) ||
           (core->dyn && core_has_pause(core, w));
}

/* The requests that a decision is about. */
struct offer {
    uint64_t first_request;
    double arrival_s;
    uint32_t n;
    uint32_t n_attempts;
    bool can_wait;
};

static bool decide(struct ew_core *core, uint32_t w, const struct offer *offer,
                   struct ew_job_decision *decision, double time_s)
{
    const struct picking *p = &core->picks->items[w];
    const struct core_watch *watch = core->picks->watch;
    const struct core_seen_jobs *jobs = core_watch_jobs(watch, w);
    const struct ew_job_observation job = {
        .struct_size = sizeof job,
        .n_plans = core->workloads[w].run->book->n_plans,
        .time_s = core_watch_time(time_s),
        .first_request = offer->first_request,
        .waited_s = core_watch_time(time_s - offer->arrival_s),
        .deadline_s = core->workloads[w].run->deadline_s,
        .n_attempts = offer->n_attempts,
        .n_waiting = offer->n,
        .n_running = jobs->n_running,
        .can_wait = offer->can_wait,
        .last_plan = jobs->last_plan,
        .n_devices = core->run->platform->n_devices,
        .last_latency_s = jobs->last_latency_s,
        .plan_requests = p->plan_requests,
        .task_ratio = core_watch_task_ratios(watch),
        .queued = core_watch_queued(watch),
        .is_up = core_watch_is_up(watch),
        .measured_bytes_per_s = core_watch_bandwidths(watch),
    };
    *decision =
        (struct ew_job_decision){.struct_size = sizeof *decision, .n_requests = EW_TAKE_ALL};
    const enum ew_status status = p->picker->pick(p->picker->ctx, decision, &job, &core->failure);
    if (status != EW_OK) {
        core->status = status;
        return false;
    }
    if (decision->n_requests == EW_TAKE_ALL) {
        const uint32_t most = p->plan_requests[decision->plan];
        decision->n_requests = offer->n < most ? offer->n : most;
    }
    return true;
}

static void begin_job(struct ew_core *core, uint32_t w, uint32_t plan, const struct pause *from,
                      double time_s)
{
    core_watch_job_begins(core->picks->watch, w);
    core_start_attempt(core, &core->workloads[w].templates[plan], from->first_request,
                       from->n_requests, from->arrival_s, from->n_attempts, time_s);
}

static void leave_out(struct pause *pause, uint32_t n)
{
    pause->first_request += n;
    pause->arrival_s += n;
    pause->n_requests -= n;
}

/* Leave out those that have been dropped, up to the first that has not; false: there is none. */
static bool next_waiter(struct pause *pause)
{
    while (pause->n_requests && isnan(pause->arrival_s[0])) {
        leave_out(pause, 1);
    }
    return pause->n_requests > 0;
}

/* Attempts after a failure, each by itself. */
static void start_again(struct ew_core *core, uint32_t w, double time_s)
{
    struct picking *p = &core->picks->items[w];
    size_t n = 0;
    for (; n < p->again.count && p->again.items[n].ready_s <= time_s - CORE_SEEN_AFTER_S; n++) {
        struct pause left = p->again.items[n];
        while (core->status == EW_OK && next_waiter(&left)) {
            const struct offer offer = {
                .first_request = left.first_request,
                .arrival_s = left.arrival_s[0],
                .n = left.n_requests,
                .n_attempts = left.n_attempts,
            };
            struct ew_job_decision decision;
            if (decide(core, w, &offer, &decision, time_s)) {
                struct pause taken = left;
                taken.n_requests = decision.n_requests;
                begin_job(core, w, decision.plan, &taken, time_s);
                leave_out(&left, decision.n_requests);
            }
        }
        free(p->again.items[n].arrival_s);
    }
    if (n) {
        p->again.count -= n;
        memmove(p->again.items, p->again.items + n, p->again.count * sizeof *p->again.items);
    }
}

/* How many of those that wait had arrived when the decision looks. Arrivals ascend; those that have
 * been dropped come first. */
static uint32_t count_seen(struct core_workload *wl, double seen_s)
{
    while (core_count_waiting(wl) && isnan(wl->waiting.items[wl->waiting_head])) {
        core_take_waiting(wl, 1);
    }
    size_t n = core_count_waiting(wl);
    while (n && wl->waiting.items[wl->waiting_head + n - 1] > seen_s) {
        n--;
    }
    return n < UINT32_MAX - 1 ? (uint32_t)n : UINT32_MAX - 1;
}

static void start_waiting(struct ew_core *core, uint32_t w, double time_s)
{
    struct core_workload *wl = &core->workloads[w];
    uint32_t n;
    while (core->status == EW_OK && (n = count_seen(wl, time_s - CORE_SEEN_AFTER_S)) > 0) {
        const double *arrival_s = wl->waiting.items + wl->waiting_head;
        const struct offer offer = {
            .first_request = wl->n_issued - core_count_waiting(wl),
            .arrival_s = arrival_s[0],
            .n = n,
            .can_wait = can_wait(core, w, n),
        };
        struct ew_job_decision decision;
        if (!decide(core, w, &offer, &decision, time_s) || decision.n_requests == 0) {
            return;
        }
        const struct pause from = {
            .first_request = offer.first_request,
            .n_requests = decision.n_requests,
            .arrival_s = wl->waiting.items + wl->waiting_head,
            .cut = EW_NONE,
        };
        begin_job(core, w, decision.plan, &from, time_s);
        core_take_waiting(wl, decision.n_requests);
    }
}

void core_pick_timer(struct ew_core *core, uint32_t w, double time_s)
{
    struct picking *p = &core->picks->items[w];
    if (time_s < p->decide_s) {
        return;
    }
    if (!core_watch_see(core->picks->watch, time_s - CORE_SEEN_AFTER_S)) {
        core_out_of_memory(core);
        return;
    }
    const double unseen_s = p->unseen_s;
    p->decide_s = p->unseen_s = INFINITY;
    if (!isinf(unseen_s)) {
        set_timer(core, w, unseen_s);
    }
    start_again(core, w, time_s);
    start_waiting(core, w, time_s);
    core_issue_owed(core, time_s);
}

void core_picks_buried(struct ew_core *core, const struct core_slot *slot, double time_s)
{
    const struct ew_task_graph *graph = slot->tmpl->graph;
    struct core_watch *watch = core->picks->watch;
    const uint32_t w = slot->tmpl->workload;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        if (slot->deps[n] == 0 && core_occupies_device(slot, n)) {
            const uint32_t device = core_device(slot, graph->nodes[n].device);
            core_watch_over(watch, device, NAN, time_s);
        }
    }
    if (core->picks->items[w].picker && !slot->is_answered) {
        core_watch_job_fails(watch, w, time_s);
        core_pick_soon(core, w, time_s);
    }
}
