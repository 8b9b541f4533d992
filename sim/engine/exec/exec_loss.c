/*
 * Workers that are lost in the middle of a run. The logical clock stands still meanwhile: the
 * attempts under way fail, the replanner makes plans for the devices that are left, and these begin
 * a new part of the run: without tensors, messages or reservations of the old one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/system.h"
#include "engine/exec/exec_internal.h"

static bool uses_lost(const struct exec *exec, const struct ew_task_graph *graph)
{
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        if (exec->is_lost[graph->nodes[i].device] ||
            (graph->nodes[i].kind == EW_NODE_MESSAGE && exec->is_lost[graph->nodes[i].peer])) {
            return true;
        }
    }
    return false;
}

/* Whether the workload needs another plan. */
static bool needs_plan(const struct exec *exec, uint32_t workload)
{
    const struct ew_run_workload *w = &exec->run->workloads[workload];
    if (exec->forced[workload] != EW_NONE) {
        return uses_lost(exec, w->task_graphs[exec->forced[workload]]);
    }
    for (uint32_t i = 0; i < w->book->n_plans; i++) {
        if (uses_lost(exec, w->task_graphs[i])) {
            return true;
        }
    }
    return false;
}

/* Nobody else has a workload's inputs or wants its answers. */
static enum ew_status check_ends(struct exec *exec, uint32_t device)
{
    const struct crew_member *member = &exec->crew.members[device];
    for (uint32_t w = 0; w < exec->run->n_workloads; w++) {
        const struct ew_run_workload *workload = &exec->run->workloads[w];
        const struct ew_plan *plan = workload->book->plans[0];
        if (plan->source_device == device || plan->sink_device == device) {
            return ew_fail(&exec->err, EW_EENGINE,
                           "%s; it is the %s of workload '%s', which no plan can do without",
                           member->why, plan->source_device == device ? "source" : "sink",
                           workload->name);
        }
    }
    return EW_OK;
}

enum ew_status exec_drain_answers(struct exec *exec)
{
    enum ew_status status = EW_OK;
    const double begin_s = ew_now_s();
    while (status == EW_OK && exec->owed.count) {
        status = crew_poll(&exec->crew, 0.01, &exec->err);
        const double heard_s = fmax(begin_s, exec->heard_s);
        if (status == EW_OK && ew_now_s() - heard_s > exec->options->stall_limit_s) {
            status = ew_fail(&exec->err, EW_EENGINE, "an answer did not come");
        }
        if (status == EW_OK && exec->owed.count && exec->crew.n_news) {
            for (uint32_t d = 0; d < exec->n_devices && status == EW_OK; d++) {
                status = exec->crew.members[d].is_lost ? check_ends(exec, d) : EW_OK;
            }
        }
    }
    return status;
}

static void note(struct exec *exec, uint32_t device)
{
    struct ew_exec_facts *facts = exec->facts;
    const size_t n = strlen(facts->losses);
    facts->n_lost++;
    (void)snprintf(facts->losses + n, sizeof facts->losses - n, "%s%s, at %.4g s", n ? "; " : "",
                   exec->crew.members[device].why, exec->handled_s);
}

static enum ew_status take_losses(struct exec *exec)
{
    uint32_t device;
    enum ew_status status = EW_OK;
    while (status == EW_OK && crew_take_news(&exec->crew, &device)) {
        exec->is_lost[device] = true;
        note(exec, device);
        status = check_ends(exec, device);
        if (status == EW_OK) {
            ew_core_lose_device(exec->core, device, exec->handled_s);
        }
    }
    return status;
}

static enum ew_status plan_anew(struct exec *exec, double *charge_s)
{
    const struct ew_run_replanner *replanner = exec->run->replanner;
    enum ew_status status = EW_OK;
    for (uint32_t w = 0; w < exec->run->n_workloads && status == EW_OK; w++) {
        double own_s = 0;
        if (!needs_plan(exec, w)) {
            continue;
        }
        status = replanner->plan(replanner->ctx, &exec->forced[w], &own_s, w, exec->is_lost,
                                 exec->handled_s, &exec->err);
        if (status == EW_ENOTSUP) {
            status =
                ew_prefix(&exec->err, "%s; and there is no plan without it: ", exec->facts->losses);
            exec->err.status = status = EW_EENGINE;
        }
        status = status ? status : ew_core_use_plan(exec->core, w, exec->forced[w], &exec->err);
        *charge_s = fmax(*charge_s, own_s);
    }
    return status;
}

/* Stop everything: no job is under way afterwards. */
static enum ew_status stop_jobs(struct exec *exec)
{
    ew_core_settle(exec->core);
    const enum ew_status status = ew_core_status(exec->core, &exec->err);
    return status ? status : exec->status;
}

enum ew_status exec_react(struct exec *exec)
{
    const double begin_s = ew_now_s();
    double charge_s = 0;
    enum ew_status status = exec_drain_answers(exec);
    while (status == EW_OK && exec->crew.n_news) {
        status = take_losses(exec);
        status = status ? status : stop_jobs(exec);
        status = status ? status : plan_anew(exec, &charge_s);
        if (status == EW_OK) {
            exec_free_programs(exec);
            status = exec_make_programs(exec);
        }
        status = status ? status
                        : crew_restart(&exec->crew, exec->n_programs, exec->programs, &exec->err);
        status = status ? status : exec_links_begin(exec);
    }
    if (status != EW_OK) {
        return status;
    }
    if (!exec->options->is_emulated) {
        charge_s = ew_now_s() - begin_s;
    }
    const double from_s = exec->handled_s + (exec->options->is_emulated ? 0 : charge_s);
    exec->epoch_s = ew_now_s() - exec->dilation * from_s;
    exec->running[exec->timer].is_confirmed = true;
    ew_heap_set(&exec->heap, exec->timer, exec->handled_s + charge_s);
    return exec_tell_clock(exec);
}
