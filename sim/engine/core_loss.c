/*
 * Devices that are lost for good while a run goes on, and plans made for what is left: for engines
 * that learn of it when it happens (real execution).
 */
#include <stdlib.h>

#include "engine/core_dynamics_internal.h"

void ew_core_lose_device(struct ew_core *core, uint32_t device, double time_s)
{
    if (core->status) {
        return;
    }
    core_flush(core, time_s);
    core->is_held = true;
    core_device_lost(core, device, time_s);
    for (size_t s = 0; s < core->slots.count; s++) {
        if (core->slots.items[s].is_active) {
            core_doom(core, (uint32_t)s, time_s);
        }
    }
}

/* Connections are known from the beginning: all that the platform has. */
static enum ew_status check_routes(const struct ew_core *core, const struct ew_task_graph *graph,
                                   struct ew_error *err)
{
    const struct ew_platform *platform = core->run->platform;
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        if (node->kind == EW_NODE_MESSAGE &&
            ew_platform_route(platform, node->device, node->peer)->n_links == 0) {
            return ew_fail(err, EW_EINPUT, "%s: expected a route from '%s' to '%s', found none",
                           platform->path, platform->devices[node->device].name,
                           platform->devices[node->peer].name);
        }
    }
    return EW_OK;
}

enum ew_status ew_core_use_plan(struct ew_core *core, uint32_t workload, uint32_t plan,
                                struct ew_error *err)
{
    const struct ew_run_workload *run = &core->run->workloads[workload];
    struct core_template *tmpl = calloc(1, sizeof *tmpl);
    if (!tmpl || !ew_vec_push(&core->added, tmpl)) {
        free(tmpl);
        return ew_fail_memory(err);
    }
    *tmpl = (struct core_template){
        .graph = run->task_graphs[plan],
        .workload = workload,
        .plan = plan,
        .uid = core->n_templates + (uint32_t)core->added.count - 1,
        .loads_on_change = run->book->plans[plan]->weights == EW_WEIGHTS_ON_CHANGE,
    };
    enum ew_status status = EW_OK;
    if (tmpl->graph->n_units) {
        status = ew_fail(err, EW_ENOTSUP,
                         "plan '%s' binds chains to devices as it runs; no such plan can be taken "
                         "up during a run",
                         run->book->plans[plan]->name);
    }
    status = status ? status : check_routes(core, tmpl->graph, err);
    status = status ? status : core_template_init(core, tmpl, err);
    if (status == EW_OK) {
        core->workloads[workload].forced = tmpl;
    }
    return status;
}

void ew_core_resume(struct ew_core *core, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    if (core->status) {
        return;
    }
    core_flush(core, time_s);
    core->is_held = false;
    dyn->should_check_waits = true;
    dyn->check_waits_s = time_s;
    dyn->control_s = time_s;
    core_run_control(core, time_s);
    for (uint32_t w = 0; w < core->run->n_workloads; w++) {
        core_start_jobs(core, w, time_s);
    }
}
