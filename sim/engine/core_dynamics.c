/*
 * A changing world in the job machine: signals, what is up, noise, the end of a run. The same for
 * every engine, which only changes rates, stops what it is told to stop, and calls back at the
 * times asked for. What failing attempts lead to is core_failure.c's. See docs/dynamics.md.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_dynamics_internal.h"
#include "engine/core_watch.h"

/* ------------------------------------------------------------------------------------ set-up */

static void find_base_latencies(struct core_dynamics *dyn)
{
    for (uint32_t i = 0; i < dyn->given->n_signals; i++) {
        const struct ew_signal *signal = &dyn->given->signals[i];
        for (uint32_t k = 0; signal->quantity == EW_QUANTITY_LINK_LATENCY && k < signal->n_steps;
             k++) {
            double *base_s = &dyn->base_latency_s[signal->target];
            *base_s = fmin(*base_s, signal->values[k]);
        }
    }
}

static void fill_nominal(struct core_dynamics *dyn, const struct ew_platform *platform)
{
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        dyn->speed_ratio[d] = 1;
        dyn->is_device_up[d] = true;
    }
    for (uint32_t l = 0; l < platform->n_links; l++) {
        dyn->bandwidth_bytes_per_s[l] = platform->links[l].bandwidth_bytes_per_s;
        dyn->latency_s[l] = dyn->base_latency_s[l] = platform->links[l].latency_s;
        dyn->is_link_up[l] = true;
    }
    for (uint32_t i = 0; i < dyn->given->n_signals; i++) {
        dyn->longest_loop_s = fmax(dyn->longest_loop_s, dyn->given->signals[i].loop_s);
    }
    find_base_latencies(dyn);
}

enum ew_status core_dynamics_init(struct ew_core *core, struct ew_error *err)
{
    const struct ew_platform *platform = core->run->platform;
    const size_t nd = platform->n_devices, nl = platform->n_links + 1u;
    struct core_dynamics *dyn = calloc(1, sizeof *dyn);
    if (!dyn) {
        return ew_fail_memory(err);
    }
    core->dyn = dyn;
    dyn->given = core->run->dynamics;
    dyn->cursors = calloc(dyn->given->n_signals + 1u, sizeof *dyn->cursors);
    dyn->speed_ratio = calloc(nd, sizeof *dyn->speed_ratio);
    dyn->is_device_up = calloc(nd, sizeof *dyn->is_device_up);
    dyn->bandwidth_bytes_per_s = calloc(nl, sizeof *dyn->bandwidth_bytes_per_s);
    dyn->latency_s = calloc(nl, sizeof *dyn->latency_s);
    dyn->base_latency_s = calloc(nl, sizeof *dyn->base_latency_s);
    dyn->is_link_up = calloc(nl, sizeof *dyn->is_link_up);
    dyn->open = calloc(core->run->n_workloads + 1u, sizeof *dyn->open);
    if (!dyn->cursors || !dyn->speed_ratio || !dyn->is_device_up || !dyn->bandwidth_bytes_per_s ||
        !dyn->latency_s || !dyn->base_latency_s || !dyn->is_link_up || !dyn->open) {
        return ew_fail_memory(err);
    }
    for (uint32_t w = 0; w < core->run->n_workloads; w++) {
        if (dyn->given->policy.on_failure == EW_ON_FAILURE_REPLAN &&
            !core->run->workloads[w].schedule && !core->run->replanner) {
            return ew_fail(err, EW_ENOTSUP,
                           "workload '%s': on_failure replan needs plans made during the run; see "
                           "--replan",
                           core->run->workloads[w].name);
        }
    }
    struct ew_rng rng = ew_rng_make(core->run->seed, "noise");
    dyn->noise_key = ew_rng_u64(&rng);
    dyn->control_s = INFINITY;
    fill_nominal(dyn, platform);
    return EW_OK;
}

void core_dynamics_fini(struct ew_core *core)
{
    struct core_dynamics *dyn = core->dyn;
    if (!dyn) {
        return;
    }
    for (size_t i = dyn->retries_head; i < dyn->retries.count; i++) {
        free(dyn->retries.items[i].arrival_s);
    }
    for (size_t i = 0; i < dyn->waits.count; i++) {
        free(dyn->waits.items[i].arrival_s);
    }
    for (uint32_t w = 0; dyn->open && w < core->run->n_workloads; w++) {
        ew_vec_fini(&dyn->open[w].items);
    }
    ew_vec_fini(&dyn->doomed);
    ew_vec_fini(&dyn->retries);
    ew_vec_fini(&dyn->waits);
    free(dyn->cursors);
    free(dyn->speed_ratio);
    free(dyn->is_device_up);
    free(dyn->bandwidth_bytes_per_s);
    free(dyn->latency_s);
    free(dyn->base_latency_s);
    free(dyn->is_link_up);
    free(dyn->open);
    free(dyn);
}

/* ------------------------------------------------------------------------------------- views */

uint32_t ew_core_timer_count(const struct ew_core *core)
{
    return core_first_pick_timer(core) + (core->picks ? core->run->n_workloads : 0);
}

uint32_t core_first_pick_timer(const struct ew_core *core)
{
    return core->dyn ? core->dyn->given->n_signals + 1 : 0;
}

double ew_core_link_latency_s(const struct ew_core *core, uint32_t link)
{
    return core->dyn ? core->dyn->base_latency_s[link] : core->run->platform->links[link].latency_s;
}

static const struct ew_route *line_route(const struct ew_core *core, uint32_t line)
{
    const struct ew_connection *pair = &core->connections[line];
    return ew_platform_route(core->run->platform, pair->from, pair->to);
}

double ew_core_latency_s(const struct ew_core *core, uint32_t connection)
{
    const struct ew_route *route = line_route(core, connection);
    double sum_s = 0;
    for (uint32_t i = 0; core->dyn && i < route->n_links; i++) {
        sum_s += core->dyn->base_latency_s[route->links[i]];
    }
    return core->dyn ? sum_s : route->latency_s;
}

bool core_device_is_up(const struct ew_core *core, uint32_t device)
{
    return core->dyn->is_device_up[device];
}

bool core_line_is_up(const struct ew_core *core, uint32_t line)
{
    const struct core_dynamics *dyn = core->dyn;
    const struct ew_connection *pair = &core->connections[line];
    const struct ew_route *route = line_route(core, line);
    bool is_up = dyn->is_device_up[pair->from] && dyn->is_device_up[pair->to];
    for (uint32_t i = 0; i < route->n_links && is_up; i++) {
        is_up = dyn->is_link_up[route->links[i]];
    }
    return is_up;
}

void core_dynamics_noticed(struct ew_core *core, double time_s)
{
    core->dyn->quiet_since_s = fmax(core->dyn->quiet_since_s, time_s);
}

/* ------------------------------------------------------------------------------------- noise */

double core_task_factor(struct ew_core *core, const struct ew_ready *item, uint32_t device)
{
    const struct core_dynamics *dyn = core->dyn;
    const struct ew_straggler *noise =
        dyn->given->stragglers ? &dyn->given->stragglers[device] : NULL;
    if (!noise || (noise->sigma <= 0 && noise->probability_ratio <= 0)) {
        return 1;
    }
    struct ew_rng rng = ew_rng_at(dyn->noise_key, item->job, item->node);
    double factor = ew_rng_unit(&rng) < noise->probability_ratio ? noise->slowdown_ratio : 1;
    if (noise->sigma > 0) {
        factor *= exp(noise->sigma * ew_rng_normal(&rng));
    }
    return factor;
}

/* How often a message is lost before it gets through: geometric. */
static double count_losses(struct ew_rng *rng, double loss_ratio)
{
    const double u = 1 - ew_rng_unit(rng); /* in (0, 1] */
    return floor(log(u) / log(loss_ratio));
}

double core_message_extra_s(struct ew_core *core, const struct ew_ready *item, uint32_t line)
{
    const struct core_dynamics *dyn = core->dyn;
    const struct ew_route *route = line_route(core, line);
    const double factor = core->run->net->latency_factor;
    struct ew_rng rng = ew_rng_at(dyn->noise_key, item->job, item->node);
    double extra_s = 0;
    for (uint32_t i = 0; i < route->n_links; i++) {
        const uint32_t l = route->links[i];
        extra_s += (dyn->latency_s[l] - dyn->base_latency_s[l]) * factor;
        if (dyn->given->losses && dyn->given->losses[l].loss_ratio > 0) {
            const struct ew_loss *loss = &dyn->given->losses[l];
            extra_s += count_losses(&rng, loss->loss_ratio) * loss->retransmit_s;
        }
    }
    return extra_s;
}

/* ------------------------------------------------------------------------------------- changes */

static void emit_change(struct ew_core *core, bool is_link, uint32_t target, double time_s)
{
    const struct core_dynamics *dyn = core->dyn;
    const double nominal = is_link ? core->run->platform->links[target].bandwidth_bytes_per_s : 1;
    const double ratio =
        is_link ? dyn->bandwidth_bytes_per_s[target] / nominal : dyn->speed_ratio[target];
    const bool is_up = is_link ? dyn->is_link_up[target] : dyn->is_device_up[target];
    struct ew_event event =
        core_request_event(is_link ? EW_EVENT_LINK_CHANGE : EW_EVENT_DEVICE_CHANGE, time_s, EW_NONE,
                           UINT64_MAX, is_up ? ratio : 0);
    event.device = target;
    (void)core_emit(core, &event);
}

static bool route_names(const struct ew_route *route, uint32_t link)
{
    for (uint32_t i = 0; i < route->n_links; i++) {
        if (route->links[i] == link) {
            return true;
        }
    }
    return false;
}

static void doom_users_of_link(struct ew_core *core, uint32_t link, double time_s)
{
    for (uint32_t c = 0; c < core->n_connections; c++) {
        if (core->lines[c].is_busy && route_names(line_route(core, c), link)) {
            core_doom(core, core->lines[c].running.slot, time_s);
        }
    }
}

/* The attempt is doing something at the device, or has left something there and still needs it. A
 * unit that the device has taken leaves nothing there when it is done. */
static bool depends_on(const struct core_slot *slot, uint32_t device)
{
    const struct ew_task_graph *graph = slot->tmpl->graph;
    bool has_begun = false, has_more = false;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        const struct ew_task_node *node = &graph->nodes[n];
        const bool is_taken =
            (node->device != device && core_device(slot, node->device) == device) ||
            (node->peer != device && core_device(slot, node->peer) == device);
        if (node->device != device && node->peer != device && !is_taken) {
            continue;
        }
        if (slot->deps[n] == 0 || (is_taken && slot->deps[n] != CORE_DEPS_DONE)) {
            return true;
        }
        if (is_taken) {
            continue;
        }
        const bool is_done = slot->deps[n] == CORE_DEPS_DONE;
        has_begun = has_begun || (is_done && node->kind != EW_NODE_JOIN);
        has_more = has_more || !is_done;
    }
    return has_begun && has_more;
}

static void lose_device(struct ew_core *core, uint32_t device, double time_s)
{
    core->device_plan[device] = UINT32_MAX; /* its weights are gone */
    core_forget_cuts(core, device);
    for (size_t s = 0; s < core->slots.count; s++) {
        const struct core_slot *slot = &core->slots.items[s];
        if (slot->is_active && depends_on(slot, device)) {
            core_doom(core, (uint32_t)s, time_s);
        }
    }
}

static void came_up(struct ew_core *core, double time_s)
{
    core->rejoined_s = time_s;
    core->dyn->should_check_waits = true;
    core->dyn->check_waits_s = time_s;
}

static void apply(struct ew_core *core, const struct ew_signal *signal, double value, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    const uint32_t target = signal->target;
    switch (signal->quantity) {
    case EW_QUANTITY_LINK_BANDWIDTH:
        dyn->bandwidth_bytes_per_s[target] = value;
        core->ops.set_bandwidth(core->ops.ctx, target, value, time_s);
        break;
    case EW_QUANTITY_LINK_LATENCY:
        dyn->latency_s[target] = value;
        break;
    case EW_QUANTITY_DEVICE_SPEED:
        dyn->speed_ratio[target] = value;
        core->ops.set_speed(core->ops.ctx, target, value, time_s);
        break;
    case EW_QUANTITY_LINK_UP:
        dyn->is_link_up[target] = value > 0;
        if (value > 0) {
            came_up(core, time_s);
        } else {
            doom_users_of_link(core, target, time_s);
        }
        break;
    case EW_QUANTITY_DEVICE_UP:
        if (value > 0) {
            came_up(core, time_s);
        } else if (dyn->is_device_up[target]) {
            lose_device(core, target, time_s);
        }
        dyn->is_device_up[target] = value > 0;
        if (core->picks) {
            core_watch_up(core_picks_watch(core), target, value > 0, time_s);
        }
        break;
    case EW_QUANTITY_COUNT:
        break;
    }
    emit_change(core, ew_quantity_is_link(signal->quantity), target, time_s);
}

void core_device_lost(struct ew_core *core, uint32_t device, double time_s)
{
    lose_device(core, device, time_s);
    core->dyn->is_device_up[device] = false;
    emit_change(core, false, device, time_s);
}

static double nominal_value(const struct ew_core *core, const struct ew_signal *signal)
{
    const struct ew_platform *platform = core->run->platform;
    switch (signal->quantity) {
    case EW_QUANTITY_LINK_BANDWIDTH:
        return platform->links[signal->target].bandwidth_bytes_per_s;
    case EW_QUANTITY_LINK_LATENCY:
        return platform->links[signal->target].latency_s;
    default:
        return 1;
    }
}

static void schedule_signal(struct ew_core *core, uint32_t i)
{
    const double next_s = ew_signal_next_s(&core->dyn->cursors[i], &core->dyn->given->signals[i]);
    if (!isinf(next_s)) {
        core->ops.schedule_timer(core->ops.ctx, i, next_s);
    }
}

void core_dynamics_start(struct ew_core *core)
{
    struct core_dynamics *dyn = core->dyn;
    for (uint32_t i = 0; i < dyn->given->n_signals && core->status == EW_OK; i++) {
        const struct ew_signal *signal = &dyn->given->signals[i];
        const double nominal = nominal_value(core, signal);
        const double value = ew_signal_begin(&dyn->cursors[i], signal, nominal);
        if (value < nominal || value > nominal) {
            apply(core, signal, value, 0);
        }
        schedule_signal(core, i);
    }
}

void ew_core_timer(struct ew_core *core, uint32_t timer, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    if (core->status) {
        return;
    }
    core_flush(core, time_s);
    if (timer >= core_first_pick_timer(core)) {
        if (dyn) {
            core_dynamics_noticed(core, time_s);
        }
        core_pick_timer(core, timer - core_first_pick_timer(core), time_s);
        return;
    }
    if (timer == core_control_timer(dyn)) {
        core_run_control(core, time_s);
        return;
    }
    const struct ew_signal *signal = &dyn->given->signals[timer];
    apply(core, signal, ew_signal_step(&dyn->cursors[timer], signal), time_s);
    schedule_signal(core, timer);
}

/* ------------------------------------------------------------------------------------- the end */

static bool is_stalled(const struct ew_core *core, uint32_t line)
{
    const struct ew_route *route = line_route(core, line);
    for (uint32_t i = 0; i < route->n_links; i++) {
        if (core->dyn->bandwidth_bytes_per_s[route->links[i]] <= 0) {
            return true;
        }
    }
    return false;
}

/* Anything but changes of the world that will happen. */
static bool has_work(const struct ew_core *core)
{
    const struct core_dynamics *dyn = core->dyn;
    bool works = dyn->retries_head < dyn->retries.count || core->is_held ||
                 core_pick_is_due(core) || core->is_choice_due;
    for (uint32_t d = 0; d < core->run->platform->n_devices && !works; d++) {
        works = core->devices[d].is_busy || core->senders[d].is_busy;
    }
    for (uint32_t c = 0; c < core->n_connections && !works; c++) {
        works = core->lines[c].is_busy && !is_stalled(core, c);
    }
    for (uint32_t w = 0; w < core->run->n_workloads && !works; w++) {
        const struct core_workload *wl = &core->workloads[w];
        works = !isinf(core_drop_time_s(core, w)) || !isinf(core_next_plan_s(core, w)) ||
                wl->thinking.count > wl->thinking_head ||
                (wl->run->arrival.kind != EW_ARRIVAL_CLOSED && wl->n_issued < wl->n_to_issue);
    }
    return works;
}

/* A change of the world that might yet help: one that does not repeat, or any within one more turn
 * of the longest loop. */
static bool has_hope(const struct ew_core *core, double time_s)
{
    const struct core_dynamics *dyn = core->dyn;
    bool has_loop = false;
    for (uint32_t i = 0; i < dyn->given->n_signals; i++) {
        const struct ew_signal *signal = &dyn->given->signals[i];
        if (signal->loop_s > 0) {
            has_loop = true;
        } else if (dyn->cursors[i].next < signal->n_steps) {
            return true;
        }
    }
    return has_loop && time_s <= dyn->quiet_since_s + dyn->longest_loop_s;
}

static void strand_pauses(struct ew_core *core, double time_s)
{
    struct core_dynamics *dyn = core->dyn;
    for (size_t i = 0; i < dyn->waits.count; i++) {
        struct pause *pause = &dyn->waits.items[i];
        core_lose_all(core, pause->tmpl->workload, pause->first_request, pause->arrival_s,
                      pause->n_requests, EW_FAIL_REASON_STRANDED, time_s);
        free(pause->arrival_s);
    }
    dyn->waits.count = 0;
}

/* Every open request fails, and no more will come. */
static void strand(struct ew_core *core, double time_s)
{
    strand_pauses(core, time_s);
    for (uint32_t s = 0; s < core->slots.count; s++) {
        const struct core_slot *slot = &core->slots.items[s];
        if (slot->is_active) {
            core_bury(core, s, time_s);
            if (!slot->is_answered) {
                core_lose_all(core, slot->tmpl->workload, slot->first_request, slot->arrival_s,
                              slot->n_requests, EW_FAIL_REASON_STRANDED, time_s);
            }
        }
    }
    for (uint32_t w = 0; w < core->run->n_workloads; w++) {
        struct core_workload *wl = &core->workloads[w];
        const size_t n = core_count_waiting(wl);
        core_lose_all(core, w, wl->n_issued - n, wl->waiting.items + wl->waiting_head, (uint32_t)n,
                      EW_FAIL_REASON_STRANDED, time_s);
        core->requests_left -= wl->n_to_issue - wl->n_issued;
        wl->n_to_issue = wl->n_issued;
    }
    core->to_issue.count = 0;
}

bool ew_core_is_over(struct ew_core *core, double time_s)
{
    if (!core->dyn || core->status || has_work(core)) {
        return false;
    }
    if (core->requests_left > 0) {
        if (has_hope(core, time_s)) {
            return false;
        }
        core_dynamics_noticed(core, time_s);
        strand(core, time_s);
    }
    return true;
}
