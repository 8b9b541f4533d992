/*
 * What the controller does in a changing world: attempts that fail and what becomes of their
 * requests, retries, deadlines. The same for every engine. See docs/dynamics.md.
 *
 * Failing is put off: core_doom only notes an attempt, core_bury_doomed (when settling) stops it.
 * So nothing disappears under a cascade of finishing nodes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_dynamics_internal.h"

/** A request is dropped so long after its deadline: an answer at the deadline is in time. */
#define DROP_AFTER_S (2 * EW_GRAIN_S)

/* ------------------------------------------------------------------------------------- control */

double core_drop_time_s(const struct ew_core *core, uint32_t workload)
{
    const struct open_requests *open = &core->dyn->open[workload];
    return open->head == open->items.count
               ? INFINITY
               : open->items.items[open->head].arrival_s +
                     core->run->workloads[workload].deadline_s + DROP_AFTER_S;
}

double core_next_plan_s(const struct ew_core *core, uint32_t workload)
{
    const struct core_workload *wl = &core->workloads[workload];
    const struct ew_plan_schedule *schedule = wl->run->schedule;
    const bool is_awaited =
        schedule && (core->dyn->waits.count || (schedule->moves_jobs && wl->jobs_in_flight));
    const bool has_next = is_awaited && wl->schedule_at + 1 < schedule->n;
    return has_next ? schedule->times_s[wl->schedule_at + 1] : INFINITY;
}

/* Set the control timer for whatever is due next. */
static void schedule_control(struct ew_core *core)
{
    struct core_dynamics *dyn = core->dyn;
    double next_s = INFINITY;
    if (dyn->retries_head < dyn->retries.count && !core->is_held) {
        next_s = dyn->retries.items[dyn->retries_head].ready_s;
    }
    for (uint32_t w = 0; w < core->run->n_workloads; w++) {
        next_s = fmin(next_s, fmin(core_drop_time_s(core, w), core_next_plan_s(core, w)));
    }
    if (next_s < dyn->control_s) {
        dyn->control_s = next_s;
        core->ops.schedule_timer(core->ops.ctx, core_control_timer(dyn), next_s);
    }
}

void core_control_soon(struct ew_core *core)
{
    schedule_control(core);
}

void core_dynamics_arrived(struct ew_core *core, uint32_t workload, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    if (!dyn->given->policy.drop_at_deadline || isinf(core->run->workloads[workload].deadline_s)) {
        return;
    }
    const struct open_request request = {time_s, true};
    if (!ew_vec_push(&dyn->open[workload].items, request)) {
        core_out_of_memory(core);
        return;
    }
    schedule_control(core);
}

void core_dynamics_ended(struct ew_core *core, uint32_t workload, uint64_t request)
{
    struct open_requests *open = &core->dyn->open[workload];
    if (request < open->first || request - open->first >= open->items.count - open->head) {
        return;
    }
    open->items.items[open->head + (size_t)(request - open->first)].is_open = false;
    while (open->head < open->items.count && !open->items.items[open->head].is_open) {
        open->head++;
        open->first++;
    }
    if (2 * open->head >= open->items.count) { /* amortised: moves at most as many */
        open->items.count -= open->head;
        memmove(open->items.items, open->items.items + open->head,
                open->items.count * sizeof *open->items.items);
        open->head = 0;
    }
}

/* ------------------------------------------------------------------------------------- failing */

void core_doom(struct ew_core *core, uint32_t slot, double time_s)
{
    struct core_slot *s = &core->slots.items[slot];
    const struct doomed item = {slot, time_s};
    if (s->is_active && !s->is_doomed) {
        s->is_doomed = true;
        if (!ew_vec_push(&core->dyn->doomed, item)) {
            core_out_of_memory(core);
        }
    }
}

bool core_has_doomed(const struct ew_core *core)
{
    return core->dyn->doomed.count > 0;
}

static bool is_stale(const struct ew_core *core, const struct ew_ready *item)
{
    return core->slots.items[item->slot].rank != item->job;
}

void core_drop_stale(struct ew_core *core, struct ew_ready_queue *queue)
{
    while (queue->count && is_stale(core, ew_ready_first(queue))) {
        (void)ew_ready_pop(queue);
    }
}

static bool runs(const struct core_server *server, uint32_t slot)
{
    return server->is_busy && server->running.slot == slot;
}

static void release(struct ew_core *core, struct core_server *server, double time_s)
{
    server->is_busy = false;
    server->free_s = time_s;
    core_mark_dirty(core, server);
}

static void stop_running(struct ew_core *core, uint32_t slot, double time_s)
{
    for (uint32_t d = 0; d < core->run->platform->n_devices; d++) {
        struct core_server *server = &core->devices[d];
        if (runs(server, slot)) {
            core->ops.stop_task(core->ops.ctx, d, time_s);
            (void)core_emit_node(core, EW_EVENT_TASK_ABORT, slot, server->running.node, time_s);
            release(core, server, time_s);
        }
        server = &core->senders[d];
        if (runs(server, slot)) {
            core->ops.stop_send(core->ops.ctx, d, time_s);
            release(core, server, time_s);
        }
    }
    for (uint32_t c = 0; c < core->n_connections; c++) {
        struct core_server *server = &core->lines[c];
        if (runs(server, slot)) {
            core->ops.stop_transfer(core->ops.ctx, c, time_s);
            if (core->reorders && server->flow_s > time_s) {
                core_retract_event(core, server->flow_seq);
            }
            (void)core_emit_node(core, EW_EVENT_TRANSFER_ABORT, slot, server->running.node, time_s);
            release(core, server, time_s);
        }
    }
}

void core_lose_all(struct ew_core *core, uint32_t workload, uint64_t first_request,
                   const double *arrival_s, uint32_t n, enum ew_fail_reason reason, double time_s)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!isnan(arrival_s[i])) {
            core_request_lost(core, workload, first_request + i, EW_EVENT_REQUEST_FAILED, reason,
                              time_s);
        }
    }
}

/* The requests of a failed attempt wait for their next one. */
static void pause_requests(struct ew_core *core, const struct core_slot *slot, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    const struct ew_failure_policy *policy = &dyn->given->policy;
    struct pause pause = {
        .tmpl = slot->tmpl,
        .first_request = slot->first_request,
        .n_requests = slot->n_requests,
        .n_attempts = slot->n_attempts + 1,
        .cut = policy->resumes ? core_last_cut(core, slot) : EW_NONE,
        .ready_s = time_s + policy->retry_delay_s,
        .arrival_s = malloc(slot->n_requests * sizeof *pause.arrival_s),
    };
    if (!pause.arrival_s) {
        core_out_of_memory(core);
        return;
    }
    memcpy(pause.arrival_s, slot->arrival_s, slot->n_requests * sizeof *pause.arrival_s);
    const bool is_retry = policy->on_failure != EW_ON_FAILURE_WAIT;
    const bool is_kept =
        is_retry ? ew_vec_push(&dyn->retries, pause) : ew_vec_push(&dyn->waits, pause);
    if (!is_kept) {
        free(pause.arrival_s);
        core_out_of_memory(core);
    } else if (is_retry) {
        schedule_control(core);
    } else {
        dyn->should_check_waits = true;
        dyn->check_waits_s = time_s;
        if (core->workloads[slot->tmpl->workload].run->schedule) {
            (void)core_scheduled(&core->workloads[slot->tmpl->workload], time_s);
            schedule_control(core);
        }
    }
}

static void decide(struct ew_core *core, const struct core_slot *slot, double time_s)
{
    const struct ew_failure_policy *policy = &core->dyn->given->policy;
    enum ew_fail_reason reason = EW_FAIL_REASON_NONE;
    if (policy->on_failure == EW_ON_FAILURE_FAIL) {
        reason = EW_FAIL_REASON_POLICY;
    } else if (slot->n_attempts + 1 >= policy->max_attempts) {
        reason = EW_FAIL_REASON_ATTEMPTS;
    }
    if (reason != EW_FAIL_REASON_NONE) {
        core_lose_all(core, slot->tmpl->workload, slot->first_request, slot->arrival_s,
                      slot->n_requests, reason, time_s);
    } else if (core_has_waiter(slot->arrival_s, slot->n_requests)) {
        pause_requests(core, slot, time_s);
    }
}

void core_bury(struct ew_core *core, uint32_t s, double time_s)
{
    struct core_slot *slot = &core->slots.items[s];
    stop_running(core, s, time_s);
    core_forget_units(core, s, time_s);
    struct ew_event event = core_request_event(EW_EVENT_JOB_FAILED, time_s, slot->tmpl->workload,
                                               slot->first_request, 0);
    event.job = slot->job;
    event.plan = slot->tmpl->plan;
    (void)core_emit(core, &event);
    slot->is_active = false;
    slot->rank = UINT64_MAX; /* what waits in queues is stale now */
    if (!slot->is_answered) {
        core->workloads[slot->tmpl->workload].jobs_in_flight--;
    }
    if (core->picks) {
        core_picks_buried(core, slot, time_s);
    }
}

bool core_has_pause(const struct ew_core *core, uint32_t workload)
{
    const struct core_dynamics *dyn = core->dyn;
    for (size_t i = dyn->retries_head; i < dyn->retries.count; i++) {
        if (dyn->retries.items[i].tmpl->workload == workload) {
            return true;
        }
    }
    for (size_t i = 0; i < dyn->waits.count; i++) {
        if (dyn->waits.items[i].tmpl->workload == workload) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------- starting anew */

/* With a schedule an attempt takes the plan of its time. */
static struct core_template *plan_of(struct ew_core *core, const struct pause *pause, double time_s)
{
    struct core_workload *wl = &core->workloads[pause->tmpl->workload];
    struct core_template *tmpl = core_plan_in_force(wl, time_s);
    return tmpl ? tmpl : pause->tmpl;
}

/* The same with what is left of the last attempt: the job goes on behind pause->cut, or begins. */
static struct core_template *resumed(struct ew_core *core, struct pause *pause, double time_s)
{
    struct core_template *now = plan_of(core, pause, time_s);
    struct core_template *rest =
        pause->cut == EW_NONE ? NULL : core_continuation(core, pause->tmpl, pause->cut, now);
    pause->cut = rest ? pause->cut : EW_NONE;
    return rest ? rest : now;
}

/* What the device held is lost. */
void core_forget_cuts(struct ew_core *core, uint32_t device)
{
    struct core_dynamics *dyn = core->dyn;
    for (size_t i = 0; i < dyn->retries.count - dyn->retries_head + dyn->waits.count; i++) {
        const size_t n_retries = dyn->retries.count - dyn->retries_head;
        struct pause *pause = i < n_retries ? &dyn->retries.items[dyn->retries_head + i]
                                            : &dyn->waits.items[i - n_retries];
        if (pause->cut != EW_NONE && core_cut_lies_on(pause->tmpl, pause->cut, device)) {
            pause->cut = EW_NONE;
        }
    }
}

static void start_anew(struct ew_core *core, struct pause *pause, double time_s)
{
    pause->tmpl = resumed(core, pause, time_s);
    if (core->workloads[pause->tmpl->workload].run->picker) {
        core_pick_again(core, pause, time_s);
        return;
    }
    if (core_has_waiter(pause->arrival_s, pause->n_requests)) {
        core_start_behind(core, pause->tmpl, pause->cut, pause->first_request, pause->n_requests,
                          pause->arrival_s, pause->n_attempts, time_s);
    }
    free(pause->arrival_s);
}

static bool can_start(const struct ew_core *core, const struct core_template *tmpl, uint32_t cut)
{
    for (uint32_t n = 0; n < tmpl->graph->n_nodes; n++) {
        if (cut != EW_NONE && ew_continuation_is_done(tmpl->graph, tmpl->stages, n, cut)) {
            continue;
        }
        const struct ew_task_node *node = &tmpl->graph->nodes[n];
        if (node->device >= tmpl->graph->n_devices || node->peer >= tmpl->graph->n_devices) {
            continue; /* of a unit */
        }
        const bool is_up = node->kind == EW_NODE_MESSAGE
                               ? core_line_is_up(core, tmpl->connection[n])
                               : core_device_is_up(core, node->device);
        if (!is_up) {
            return false;
        }
    }
    return core_pools_are_open(core, tmpl);
}

/* Start whoever waited for what is up again. Consecutive pauses mostly share their plan. */
static void check_waits(struct ew_core *core)
{
    struct core_dynamics *dyn = core->dyn;
    const struct core_template *judged = NULL;
    uint32_t judged_cut = EW_NONE;
    bool is_possible = false;
    size_t kept = 0;
    dyn->should_check_waits = false;
    const size_t n = dyn->waits.count;
    for (size_t i = 0; i < n; i++) {
        struct pause pause = dyn->waits.items[i];
        struct pause copy = pause; /* where it would go on */
        const struct core_template *tmpl = resumed(core, &copy, dyn->check_waits_s);
        if (tmpl != judged || copy.cut != judged_cut) {
            judged = tmpl;
            judged_cut = copy.cut;
            is_possible = can_start(core, judged, judged_cut);
        }
        if (is_possible && core->status == EW_OK) {
            start_anew(core, &pause, dyn->check_waits_s);
        } else {
            dyn->waits.items[kept++] = pause;
        }
    }
    dyn->waits.count = kept;
}

void core_bury_doomed(struct ew_core *core)
{
    struct core_dynamics *dyn = core->dyn;
    double time_s = 0;
    for (size_t i = 0; i < dyn->doomed.count && core->status == EW_OK; i++) {
        const struct doomed item = dyn->doomed.items[i];
        struct core_slot *slot = &core->slots.items[item.slot];
        if (!slot->is_active || !slot->is_doomed) {
            continue; /* it ended meanwhile */
        }
        time_s = item.time_s;
        core_bury(core, item.slot, item.time_s);
        if (!slot->is_answered) {
            decide(core, slot, item.time_s);
        }
        if (!ew_vec_push(&slot->tmpl->free_slots, item.slot)) {
            core_out_of_memory(core);
        }
    }
    dyn->doomed.count = 0;
    core_issue_owed(core, time_s);
    if (dyn->should_check_waits && !core->is_held) {
        check_waits(core);
    }
}

/* ----------------------------------------------------------------------------------- deadlines */

bool core_strike(double *arrival_s, uint64_t first_request, uint64_t n, uint64_t request)
{
    if (request < first_request || request - first_request >= n) {
        return false;
    }
    arrival_s[request - first_request] = NAN;
    return true;
}

/* Nobody waits for the request any more; its attempt stops with its last request. */
static void forget(struct ew_core *core, uint32_t w, uint64_t request, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    struct core_workload *wl = &core->workloads[w];
    const uint64_t n_waiting = core_count_waiting(wl);
    if (core_strike(wl->waiting.items + wl->waiting_head, wl->n_issued - n_waiting, n_waiting,
                    request)) {
        return;
    }
    for (size_t s = 0; s < core->slots.count; s++) {
        struct core_slot *slot = &core->slots.items[s];
        if (slot->is_active && !slot->is_answered && slot->tmpl->workload == w &&
            core_strike(slot->arrival_s, slot->first_request, slot->n_requests, request)) {
            if (!core_has_waiter(slot->arrival_s, slot->n_requests)) {
                core_doom(core, (uint32_t)s, time_s);
            }
            return;
        }
    }
    for (size_t i = dyn->retries_head; i < dyn->retries.count; i++) {
        struct pause *pause = &dyn->retries.items[i];
        if (pause->tmpl->workload == w &&
            core_strike(pause->arrival_s, pause->first_request, pause->n_requests, request)) {
            return;
        }
    }
    for (size_t i = 0; i < dyn->waits.count; i++) {
        struct pause *pause = &dyn->waits.items[i];
        if (pause->tmpl->workload == w &&
            core_strike(pause->arrival_s, pause->first_request, pause->n_requests, request)) {
            return;
        }
    }
    (void)core_pick_forget(core, w, request);
}

static void drop_late(struct ew_core *core, uint32_t w, double time_s)
{
    struct open_requests *open = &core->dyn->open[w];
    while (core_drop_time_s(core, w) <= time_s && core->status == EW_OK) {
        const uint64_t request = open->first; /* the oldest one is always open */
        forget(core, w, request, time_s);
        core_request_lost(core, w, request, EW_EVENT_REQUEST_DROPPED, EW_FAIL_REASON_DEADLINE,
                          time_s);
    }
}

void core_run_control(struct ew_core *core, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    if (time_s < dyn->control_s) {
        return; /* set for an earlier time once */
    }
    dyn->control_s = INFINITY;
    for (uint32_t w = 0; w < core->run->n_workloads; w++) {
        drop_late(core, w, time_s);
        if (core_next_plan_s(core, w) <= time_s) {
            (void)core_scheduled(&core->workloads[w], time_s);
            dyn->should_check_waits = true;
            dyn->check_waits_s = time_s;
            if (core->workloads[w].run->schedule->moves_jobs) {
                core_hold_jobs(core, w, time_s);
            }
        }
    }
    while (dyn->retries_head < dyn->retries.count && core->status == EW_OK && !core->is_held &&
           dyn->retries.items[dyn->retries_head].ready_s <= time_s) {
        struct pause pause = dyn->retries.items[dyn->retries_head++];
        start_anew(core, &pause, time_s);
    }
    if (dyn->retries_head && 2 * dyn->retries_head >= dyn->retries.count) {
        dyn->retries.count -= dyn->retries_head;
        memmove(dyn->retries.items, dyn->retries.items + dyn->retries_head,
                dyn->retries.count * sizeof *dyn->retries.items);
        dyn->retries_head = 0;
    }
    core_dynamics_noticed(core, time_s);
    schedule_control(core);
    core_issue_owed(core, time_s);
}
