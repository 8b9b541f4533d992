/*
 * Jobs that go on in the middle: with the plan that has come into force (moves), or in their next
 * attempt with what is left of the last one (resumes). Both at cuts, see plan/continuation.h.
 *
 * A job that is to move begins nothing behind its next cut, the first one behind which it has not
 * begun anything, and goes on from there when all up to it is done. So nothing is computed twice.
 */
#include <string.h>

#include "engine/core_internal.h"

void core_init_continuation(struct core_template *tmpl,
                            const struct ew_continuations *continuations)
{
    if (continuations) {
        tmpl->stages = continuations->stages[tmpl->plan];
        tmpl->origin = &continuations->origin[tmpl->plan];
        tmpl->uid += tmpl->origin->to - tmpl->plan; /* it needs that plan's weights */
    }
}

struct core_template *core_continuation(struct ew_core *core, struct core_template *from,
                                        uint32_t cut, const struct core_template *to)
{
    const struct core_workload *wl = &core->workloads[from->workload];
    if (!from->stages || !to->stages) {
        return NULL;
    }
    if (from->origin->to == to->plan) {
        return from;
    }
    /* up to its own cut a continuation has what the plan before it computed */
    const uint32_t source = cut == from->origin->cut ? from->origin->from : from->origin->to;
    const struct ew_continuation *found =
        ew_continuation_find(wl->run->continuations, source, to->plan, cut);
    return found ? &wl->templates[found->plan] : NULL;
}

/* --- at a cut ----------------------------------------------------------------------------------
 */

void core_skip_to(struct ew_core *core, uint32_t s, uint32_t cut, double time_s)
{
    const struct core_template *tmpl = core->slots.items[s].tmpl;
    const struct ew_task_graph *graph = tmpl->graph;
    uint32_t *deps = core->slots.items[s].deps;
    const uint64_t job = core->slots.items[s].job;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        if (ew_continuation_is_done(graph, tmpl->stages, n, cut)) {
            deps[n] = CORE_DEPS_DONE;
            core->slots.items[s].remaining--;
        }
    }
    core->skipped.count = 0;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        const struct ew_task_node *node = &graph->nodes[n];
        for (uint32_t k = node->successors_begin;
             deps[n] == CORE_DEPS_DONE && k < node->successors_end; k++) {
            const uint32_t next = graph->successors[k];
            if (deps[next] != CORE_DEPS_DONE && --deps[next] == 0 &&
                !ew_vec_push(&core->skipped, next)) {
                core_out_of_memory(core);
                return;
            }
        }
    }
    /* nothing here begins a job, so the list stays */
    core_begin_nodes(core, s, core->skipped.items, core->skipped.count, time_s);
    for (uint32_t i = 0; i < graph->n_inputs && core->status == EW_OK; i++) {
        const struct core_slot *slot = &core->slots.items[s];
        if (slot->is_active && slot->job == job && slot->deps[graph->inputs[i]] == 1) {
            core_finish(core, s, graph->inputs[i], time_s);
        }
    }
}

bool core_cut_lies_on(const struct core_template *tmpl, uint32_t cut, uint32_t device)
{
    const struct ew_task_graph *graph = tmpl->graph;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        /* of those that compute up to the cut, the cut's own have readers behind it */
        const struct ew_task_node *node = &graph->nodes[n];
        if (node->device != device || node->kind != EW_NODE_COMPUTE || tmpl->stages[n] != cut) {
            continue;
        }
        for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
            if (tmpl->stages[graph->successors[k]] > cut) {
                return true;
            }
        }
    }
    return false;
}

static bool is_done_up_to(const struct core_slot *slot, uint32_t cut)
{
    const struct core_template *tmpl = slot->tmpl;
    for (uint32_t n = 0; n < tmpl->graph->n_nodes; n++) {
        if (slot->deps[n] != CORE_DEPS_DONE &&
            ew_continuation_is_done(tmpl->graph, tmpl->stages, n, cut)) {
            return false;
        }
    }
    return true;
}

uint32_t core_last_cut(const struct ew_core *core, const struct core_slot *slot)
{
    const struct core_template *tmpl = slot->tmpl;
    const struct ew_continuations *c = core->run->workloads[tmpl->workload].continuations;
    uint32_t cut = tmpl->stages ? c->n_cuts : 0;
    while (cut > 0 && !is_done_up_to(slot, cut - 1)) {
        cut--;
    }
    for (uint32_t d = 0; cut > 0 && d < core->run->platform->n_devices; d++) {
        if (!core_device_is_up(core, d) && core_cut_lies_on(tmpl, cut - 1, d)) {
            return EW_NONE;
        }
    }
    return cut > 0 ? cut - 1 : EW_NONE;
}

/* --- moving ------------------------------------------------------------------------------------
 */

/* The first cut behind which nothing has begun; EW_NONE: the job is behind the last one. */
static uint32_t next_cut(const struct ew_continuations *continuations, const struct core_slot *slot)
{
    const struct core_template *tmpl = slot->tmpl;
    uint32_t cut = 0;
    for (uint32_t n = 0; n < tmpl->graph->n_nodes; n++) {
        const bool has_begun = slot->deps[n] == 0 || slot->deps[n] == CORE_DEPS_DONE;
        cut = has_begun && tmpl->stages[n] > cut ? tmpl->stages[n] : cut;
    }
    return cut < continuations->n_cuts ? cut : EW_NONE;
}

void core_hold_jobs(struct ew_core *core, uint32_t workload, double time_s)
{
    struct core_workload *wl = &core->workloads[workload];
    const struct core_template *now = core_scheduled(wl, time_s);
    const struct ew_plan_schedule *schedule = wl->run->schedule;
    if (schedule->moves && !schedule->moves[wl->schedule_at]) {
        return;
    }
    for (size_t s = 0; s < core->slots.count; s++) {
        struct core_slot *slot = &core->slots.items[s];
        struct core_template *tmpl = slot->tmpl;
        if (!slot->is_active || slot->is_answered || slot->is_doomed ||
            tmpl->workload != workload || slot->hold != EW_NONE || !tmpl->stages ||
            tmpl->origin->to == now->plan) {
            continue;
        }
        const uint32_t cut = next_cut(wl->run->continuations, slot);
        if (cut == EW_NONE || !core_continuation(core, tmpl, cut, now)) {
            continue;
        }
        slot->hold = cut;
        slot->n_before_hold = 0;
        for (uint32_t n = 0; n < tmpl->graph->n_nodes; n++) {
            slot->n_before_hold += tmpl->stages[n] <= cut && slot->deps[n] != CORE_DEPS_DONE;
        }
    }
}

void core_note_held(struct ew_core *core, uint32_t s, uint32_t node, double time_s)
{
    struct core_slot *slot = &core->slots.items[s];
    const struct core_arrived item = {s, time_s};
    if (slot->tmpl->stages[node] <= slot->hold && --slot->n_before_hold == 0 &&
        !ew_vec_push(&core->at_cut, item)) {
        core_out_of_memory(core);
    }
}

/* The plan of now is the job's own, or one that it cannot go on with: it goes on as it was. */
static void release(struct ew_core *core, uint32_t s, double time_s)
{
    struct core_slot *slot = &core->slots.items[s];
    const struct core_template *tmpl = slot->tmpl;
    const uint32_t cut = slot->hold;
    core->skipped.count = 0;
    for (uint32_t n = 0; n < tmpl->graph->n_nodes; n++) {
        if (slot->deps[n] == 0 && tmpl->stages[n] > cut && !ew_vec_push(&core->skipped, n)) {
            core_out_of_memory(core);
        }
    }
    slot->hold = EW_NONE;
    core_begin_nodes(core, s, core->skipped.items, core->skipped.count, time_s);
}

static void move(struct ew_core *core, uint32_t s, struct core_template *to, double time_s)
{
    struct core_slot slot = core->slots.items[s]; /* starting may move the slots */
    struct ew_event event =
        core_request_event(EW_EVENT_JOB_MOVED, time_s, slot.tmpl->workload, slot.first_request, 0);
    event.job = slot.job;
    event.plan = slot.tmpl->plan;
    (void)core_emit(core, &event);
    core->slots.items[s].is_active = false;
    core->slots.items[s].rank = UINT64_MAX;
    core->workloads[slot.tmpl->workload].jobs_in_flight--;
    core_start_behind(core, to, slot.hold, slot.first_request, slot.n_requests, slot.arrival_s,
                      slot.n_attempts, time_s);
    if (!ew_vec_push(&slot.tmpl->free_slots, s)) {
        core_out_of_memory(core);
    }
}

void core_move_jobs(struct ew_core *core)
{
    double time_s = 0;
    const size_t n = core->at_cut.count;
    for (size_t i = 0; i < core->at_cut.count && core->status == EW_OK; i++) {
        const struct core_arrived item = core->at_cut.items[i];
        const struct core_slot *slot = &core->slots.items[item.slot];
        if (!slot->is_active || slot->is_doomed || slot->hold == EW_NONE) {
            continue; /* it failed meanwhile */
        }
        time_s = item.time_s;
        struct core_workload *wl = &core->workloads[slot->tmpl->workload];
        struct core_template *to =
            core_continuation(core, slot->tmpl, slot->hold, core_scheduled(wl, time_s));
        if (to && to != slot->tmpl) {
            move(core, item.slot, to, time_s);
        } else {
            release(core, item.slot, time_s);
        }
    }
    core->at_cut.count = 0;
    if (n) {
        core_issue_owed(core, time_s);
    }
}
