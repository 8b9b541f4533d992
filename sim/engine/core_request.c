/*
 * Arrivals, requests and jobs of the job machine.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/core_watch.h"

struct ew_event core_request_event(enum ew_event_kind kind, double time_s, uint32_t workload,
                                   uint64_t request, double value)
{
    return (struct ew_event){
        .time_s = time_s,
        .kind = kind,
        .workload = workload,
        .request = request,
        .job = UINT64_MAX,
        .plan = EW_NONE,
        .node = EW_NONE,
        .device = EW_NONE,
        .peer = EW_NONE,
        .layer = EW_NONE,
        .reader_layer = EW_NONE,
        .value = value,
    };
}

static uint64_t total_weight(const struct ew_book *book)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < book->n_plans; i++) {
        sum += book->plans[i]->weight;
    }
    return sum;
}

static enum ew_status init_workload(struct ew_core *core, uint32_t w, struct ew_error *err)
{
    const struct ew_run_workload *run = &core->run->workloads[w];
    struct core_workload *wl = &core->workloads[w];
    wl->run = run;
    wl->cycle_length = total_weight(run->book);
    wl->n_to_issue = run->n_requests;
    wl->group_size = run->arrival.group_size ? run->arrival.group_size : 1;
    if (run->arrival.kind == EW_ARRIVAL_TRACE && run->arrival.n_times < run->n_requests) {
        wl->n_to_issue = run->arrival.n_times;
    }
    if (wl->n_to_issue == 0 || run->requests_per_job == 0) {
        return ew_fail(err, EW_EINPUT,
                       "workload '%s': expected at least one request and one "
                       "request per job",
                       run->name);
    }
    if (!run->schedule && !run->picker &&
        (run->book->pick == EW_PICK_BY_CLASS || run->book->pick == EW_PICK_ONLINE)) {
        return ew_fail(err, EW_ENOTSUP,
                       "workload '%s': pick rule '%s' needs request classes or an "
                       "online strategy, and this run has neither",
                       run->name, run->book->pick == EW_PICK_ONLINE ? "online" : "by_class");
    }
    char purpose[160];
    (void)snprintf(purpose, sizeof purpose, "arrival/%u/%.100s", w, run->name);
    wl->arrival_rng = ew_rng_make(core->run->seed, purpose);
    (void)snprintf(purpose, sizeof purpose, "pick/%u/%.100s", w, run->name);
    wl->pick_rng = ew_rng_make(core->run->seed, purpose);
    if (run->schedule) { /* its devices hold the first plan's weights */
        core_give_members_weights(core, &wl->templates[run->schedule->plans[0]]);
        const struct core_template *first = &wl->templates[run->schedule->plans[0]];
        for (uint32_t i = 0; i < first->graph->n_nodes; i++) {
            const struct ew_task_node *node = &first->graph->nodes[i];
            if (node->kind == EW_NODE_LOAD && node->device < first->graph->n_devices) {
                core->device_plan[node->device] = first->uid;
            }
        }
    }
    core->requests_left += wl->n_to_issue;
    return EW_OK;
}

enum ew_status core_workloads_init(struct ew_core *core, struct ew_error *err)
{
    const uint32_t n = core->run->n_workloads;
    core->workloads = calloc(n ? n : 1, sizeof *core->workloads);
    if (!core->workloads) {
        return ew_fail_memory(err);
    }
    uint32_t first = 0;
    for (uint32_t w = 0; w < n; w++) {
        core->workloads[w].templates = core->templates + first;
        first += core->run->workloads[w].book->n_plans;
        const enum ew_status status = init_workload(core, w, err);
        if (status) {
            return status;
        }
    }
    return EW_OK;
}

void core_workloads_fini(struct ew_core *core)
{
    for (uint32_t w = 0; core->workloads && w < core->run->n_workloads; w++) {
        ew_vec_fini(&core->workloads[w].waiting);
        ew_vec_fini(&core->workloads[w].thinking);
    }
    free(core->workloads);
}

struct core_template *core_scheduled(struct core_workload *wl, double time_s)
{
    const struct ew_plan_schedule *schedule = wl->run->schedule;
    while (wl->schedule_at + 1 < schedule->n && schedule->times_s[wl->schedule_at + 1] <= time_s) {
        wl->schedule_at++;
    }
    return &wl->templates[schedule->plans[wl->schedule_at]];
}

struct core_template *core_plan_in_force(struct core_workload *wl, double time_s)
{
    return wl->forced ? wl->forced : wl->run->schedule ? core_scheduled(wl, time_s) : NULL;
}

/* Plan of the next job by the book's rule. */
static uint32_t pick_plan(struct core_workload *wl)
{
    const struct ew_book *book = wl->run->book;
    uint32_t plan = 0;
    if (book->pick == EW_PICK_CYCLE && wl->cycle_length) {
        uint64_t k = wl->cycle % wl->cycle_length;
        while (k >= book->plans[plan]->weight) {
            k -= book->plans[plan++]->weight;
        }
    } else if (book->pick == EW_PICK_BY_EXIT_DRAW) {
        double u = ew_rng_unit(&wl->pick_rng);
        while (plan + 1 < book->n_plans && u >= book->plans[plan]->probability) {
            u -= book->plans[plan++]->probability;
        }
    }
    wl->cycle++;
    return plan;
}

static bool new_slot(struct ew_core *core, struct core_template *tmpl, uint32_t *out)
{
    if (tmpl->free_slots.count) {
        *out = tmpl->free_slots.items[--tmpl->free_slots.count];
        return true;
    }
    const uint32_t per_job = core->run->workloads[tmpl->workload].requests_per_job;
    struct core_slot slot = {.tmpl = tmpl};
    slot.deps = malloc((tmpl->graph->n_nodes + 1) * sizeof *slot.deps);
    slot.units = malloc((tmpl->graph->n_units + 1u) * sizeof *slot.units);
    slot.arrival_s = malloc(per_job * sizeof *slot.arrival_s);
    if (!slot.deps || !slot.units || !slot.arrival_s || !ew_vec_reserve_one(&core->slots)) {
        free(slot.deps);
        free(slot.units);
        free(slot.arrival_s);
        return false;
    }
    *out = (uint32_t)core->slots.count;
    core->slots.items[core->slots.count++] = slot;
    return true;
}

static size_t count_thinking(const struct core_workload *wl)
{
    return wl->thinking.count - wl->thinking_head;
}

/* The items from *head on, moved to the front when they are at most half of all: amortised, this
 * moves at most as many as were added. Returns the new count. */
static size_t shift_queue(double *items, size_t count, size_t *head)
{
    if (2 * *head < count) {
        return count;
    }
    count -= *head;
    memmove(items, items + *head, count * sizeof *items);
    *head = 0;
    return count;
}

void core_start_attempt(struct ew_core *core, struct core_template *tmpl, uint64_t first_request,
                        uint32_t n, const double *arrival_s, uint32_t n_attempts, double time_s)
{
    core_start_behind(core, tmpl, EW_NONE, first_request, n, arrival_s, n_attempts, time_s);
}

void core_start_behind(struct ew_core *core, struct core_template *tmpl, uint32_t cut,
                       uint64_t first_request, uint32_t n, const double *arrival_s,
                       uint32_t n_attempts, double time_s)
{
    const uint32_t w = tmpl->workload;
    struct core_workload *wl = &core->workloads[w];
    uint32_t s;
    if (!new_slot(core, tmpl, &s)) {
        core_out_of_memory(core);
        return;
    }
    struct core_slot *slot = &core->slots.items[s];
    const struct ew_task_graph *graph = tmpl->graph;
    slot->job = core->next_job++;
    slot->rank = wl->n_started++ * core->run->n_workloads + w;
    slot->first_request = first_request;
    slot->n_requests = n;
    slot->n_attempts = n_attempts;
    slot->is_active = true;
    slot->is_answered = false;
    slot->is_doomed = false;
    slot->hold = EW_NONE;
    slot->remaining = graph->n_nodes;
    memcpy(slot->deps, tmpl->initial_deps, graph->n_nodes * sizeof *slot->deps);
    memcpy(slot->arrival_s, arrival_s, n * sizeof *slot->arrival_s);
    for (uint32_t u = 0; u < graph->n_units; u++) {
        slot->units[u] = (struct core_unit){EW_NONE, EW_NONE, graph->units[u].n_tasks};
    }
    wl->jobs_in_flight++;
    struct ew_event event = core_request_event(EW_EVENT_JOB_START, time_s, w, first_request, 0);
    event.job = slot->job;
    event.plan = tmpl->plan;
    event.bytes = n;
    (void)core_emit(core, &event);
    for (uint32_t i = 0; cut == EW_NONE && i < graph->n_inputs && core->status == EW_OK; i++) {
        core_finish(core, s, graph->inputs[i], time_s);
    }
    if (cut != EW_NONE) {
        core_skip_to(core, s, cut, time_s);
    }
    if (core->dyn && wl->run->schedule && wl->run->schedule->moves_jobs) {
        core_control_soon(core); /* the next plan concerns this job */
    }
}

void core_take_waiting(struct core_workload *wl, uint32_t n)
{
    wl->waiting_head += n;
    wl->waiting.count = shift_queue(wl->waiting.items, wl->waiting.count, &wl->waiting_head);
}

bool core_has_waiter(const double *arrival_s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!isnan(arrival_s[i])) {
            return true;
        }
    }
    return false;
}

static void start_job(struct ew_core *core, uint32_t w, uint32_t n_requests, double time_s)
{
    struct core_workload *wl = &core->workloads[w];
    const double *arrival_s = wl->waiting.items + wl->waiting_head;
    const uint64_t first_request = wl->n_issued - core_count_waiting(wl);
    if (core_has_waiter(arrival_s, n_requests)) { /* not all dropped meanwhile */
        struct core_template *tmpl = core_plan_in_force(wl, time_s);
        tmpl = tmpl ? tmpl : &wl->templates[pick_plan(wl)];
        core_start_attempt(core, tmpl, first_request, n_requests, arrival_s, 0, time_s);
    }
    core_take_waiting(wl, n_requests);
}

/* Start jobs from the requests that wait; a short last job only when no more can come. */
void core_start_jobs(struct ew_core *core, uint32_t w, double time_s)
{
    struct core_workload *wl = &core->workloads[w];
    const uint32_t per_job = wl->run->requests_per_job;
    if (core->is_held) {
        return;
    }
    if (wl->run->picker) {
        core_pick_soon(core, w, time_s);
        return;
    }
    while (core_count_waiting(wl) >= per_job && core->status == EW_OK) {
        start_job(core, w, per_job, time_s);
    }
    const bool all_issued = wl->n_issued == wl->n_to_issue;
    const bool loop_is_stuck = wl->run->arrival.kind == EW_ARRIVAL_CLOSED &&
                               wl->jobs_in_flight == 0 && count_thinking(wl) == 0;
    if (core_count_waiting(wl) && (all_issued || loop_is_stuck)) {
        start_job(core, w, (uint32_t)core_count_waiting(wl), time_s);
    }
}

static void issue_request(struct ew_core *core, uint32_t w, double time_s)
{
    struct core_workload *wl = &core->workloads[w];
    const struct ew_event event = core_request_event(EW_EVENT_REQUEST_ARRIVE, time_s, w,
                                                     wl->n_issued, time_s + wl->run->deadline_s);
    if (!ew_vec_push(&wl->waiting, time_s)) {
        core_out_of_memory(core);
        return;
    }
    wl->n_issued++;
    core->open_requests++;
    (void)core_emit(core, &event);
    if (core->dyn) {
        core_dynamics_arrived(core, w, time_s);
    }
}

/* Requests of one arrival: a group, or what is left of the last. */
static void issue_group(struct ew_core *core, uint32_t w, double time_s)
{
    struct core_workload *wl = &core->workloads[w];
    const uint64_t left = wl->n_to_issue - wl->n_issued;
    uint64_t n = left < wl->group_size ? left : wl->group_size;
    while (n-- && core->status == EW_OK) {
        issue_request(core, w, time_s);
    }
}

static double next_arrival_s(struct core_workload *wl)
{
    const struct ew_arrival *arrival = &wl->run->arrival;
    switch (arrival->kind) {
    case EW_ARRIVAL_POISSON:
        return wl->next_time_s + ew_rng_exponential(&wl->arrival_rng, 1 / arrival->rate_per_s);
    case EW_ARRIVAL_PERIODIC:
        return (double)(wl->n_issued / wl->group_size) / arrival->rate_per_s;
    case EW_ARRIVAL_TRACE:
        return arrival->times_s[wl->n_issued];
    case EW_ARRIVAL_CLOSED:
        break;
    }
    return wl->next_time_s;
}

static void schedule_next(struct ew_core *core, uint32_t w)
{
    struct core_workload *wl = &core->workloads[w];
    if (wl->run->arrival.kind == EW_ARRIVAL_CLOSED || wl->n_issued == wl->n_to_issue) {
        return;
    }
    wl->next_time_s = next_arrival_s(wl);
    core->ops.schedule_arrival(core->ops.ctx, w, wl->next_time_s);
}

/* A user of a closed loop thinks before the next request. All think equally long, so they come
 * back in the order in which they left, and one wait at a time is enough. */
static void begin_thinking(struct ew_core *core, uint32_t w, double time_s)
{
    struct core_workload *wl = &core->workloads[w];
    if (wl->n_issued + count_thinking(wl) * wl->group_size >= wl->n_to_issue) {
        return;
    }
    const bool is_first = count_thinking(wl) == 0;
    double back_s = time_s + wl->run->arrival.think_s;
    if (!is_first) { /* answers are in order to within the grain only */
        back_s = fmax(back_s, wl->thinking.items[wl->thinking.count - 1]);
    }
    if (!ew_vec_push(&wl->thinking, back_s)) {
        core_out_of_memory(core);
    } else if (is_first) {
        core->ops.schedule_arrival(core->ops.ctx, w, back_s);
    }
}

/* Whoever is back by time_s asks again. */
static void end_thinking(struct ew_core *core, uint32_t w, double time_s)
{
    struct core_workload *wl = &core->workloads[w];
    while (count_thinking(wl) && wl->thinking.items[wl->thinking_head] <= time_s) {
        wl->thinking_head++;
        issue_group(core, w, time_s);
    }
    wl->thinking.count = shift_queue(wl->thinking.items, wl->thinking.count, &wl->thinking_head);
    if (count_thinking(wl)) {
        core->ops.schedule_arrival(core->ops.ctx, w, wl->thinking.items[wl->thinking_head]);
    }
}

void ew_core_start(struct ew_core *core)
{
    if (core->dyn) {
        core_dynamics_start(core);
    }
    for (uint32_t w = 0; w < core->run->n_workloads && core->status == EW_OK; w++) {
        struct core_workload *wl = &core->workloads[w];
        if (wl->run->arrival.kind != EW_ARRIVAL_CLOSED) {
            schedule_next(core, w);
            continue;
        }
        for (uint32_t i = 0; i < wl->run->arrival.outstanding && wl->n_issued < wl->n_to_issue;
             i++) {
            issue_group(core, w, 0);
        }
        core_start_jobs(core, w, 0);
    }
    core_issue_owed(core, 0);
}

void ew_core_arrive(struct ew_core *core, uint32_t workload, double time_s)
{
    if (core->status) {
        return;
    }
    core_flush(core, time_s);
    if (core->workloads[workload].run->arrival.kind == EW_ARRIVAL_CLOSED) {
        end_thinking(core, workload, time_s);
    } else {
        issue_group(core, workload, time_s);
    }
    if (core->dyn) {
        core_dynamics_noticed(core, time_s);
    }
    if (core->status == EW_OK) {
        core_start_jobs(core, workload, time_s);
        schedule_next(core, workload);
    }
    core_issue_owed(core, time_s);
}

/* A request of a closed loop has ended: its user owes the next one. A group is owed when its last
 * request has ended. */
static void owe_request(struct ew_core *core, uint32_t w)
{
    const struct core_workload *wl = &core->workloads[w];
    if (wl->run->arrival.kind != EW_ARRIVAL_CLOSED) {
        return;
    }
    const bool is_owed = wl->group_size == 1 || wl->n_ended == wl->n_issued;
    if (is_owed && !ew_vec_push(&core->to_issue, w)) {
        core_out_of_memory(core);
    }
}

static void end_request(struct ew_core *core, uint32_t w, uint64_t request)
{
    struct core_workload *wl = &core->workloads[w];
    wl->n_ended++;
    core->open_requests--;
    core->requests_left--;
    owe_request(core, w);
    if (core->dyn) {
        core_dynamics_ended(core, w, request);
    }
}

void core_answer(struct ew_core *core, uint32_t s, double time_s)
{
    struct core_slot *slot = &core->slots.items[s];
    const uint32_t w = slot->tmpl->workload;
    struct core_workload *wl = &core->workloads[w];
    for (uint32_t i = 0; i < slot->n_requests; i++) {
        if (isnan(slot->arrival_s[i])) {
            continue;
        }
        const double latency_s = time_s - slot->arrival_s[i];
        struct ew_event event = core_request_event(
            latency_s <= wl->run->deadline_s ? EW_EVENT_REQUEST_DONE : EW_EVENT_REQUEST_LATE,
            time_s, w, slot->first_request + i, latency_s);
        event.job = slot->job;
        event.plan = slot->tmpl->plan;
        (void)core_emit(core, &event);
        end_request(core, w, slot->first_request + i);
    }
    slot->is_answered = true;
    wl->jobs_in_flight--;
    if (wl->run->picker) {
        core_watch_answer(core_picks_watch(core), w, slot->tmpl->plan, slot->rank,
                          time_s - slot->arrival_s[0], time_s);
        core_pick_soon(core, w, time_s);
    }
}

void core_request_lost(struct ew_core *core, uint32_t workload, uint64_t request,
                       enum ew_event_kind kind, enum ew_fail_reason reason, double time_s)
{
    const struct ew_event event =
        core_request_event(kind, time_s, workload, request, (double)reason);
    (void)core_emit(core, &event);
    end_request(core, workload, request);
}

void core_job_end(struct ew_core *core, uint32_t s, double time_s)
{
    struct core_slot *slot = &core->slots.items[s];
    struct ew_event event =
        core_request_event(EW_EVENT_JOB_END, time_s, slot->tmpl->workload, slot->first_request, 0);
    event.job = slot->job;
    event.plan = slot->tmpl->plan;
    (void)core_emit(core, &event);
    slot->is_active = false;
    slot->rank = UINT64_MAX;
    if (!ew_vec_push(&slot->tmpl->free_slots, s)) {
        core_out_of_memory(core);
    }
}

void core_issue_owed(struct ew_core *core, double time_s)
{
    for (size_t i = 0; i < core->to_issue.count && core->status == EW_OK; i++) {
        const uint32_t w = core->to_issue.items[i];
        struct core_workload *wl = &core->workloads[w];
        if (wl->run->arrival.think_s > 0) {
            begin_thinking(core, w, time_s);
        } else if (wl->n_issued < wl->n_to_issue) {
            issue_group(core, w, time_s);
        }
        /* start once per run of the same workload, so that batches fill up */
        if (i + 1 == core->to_issue.count || core->to_issue.items[i + 1] != w) {
            core_start_jobs(core, w, time_s);
        }
    }
    core->to_issue.count = 0;
}
