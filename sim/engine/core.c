/*
 * Job machine: nodes and resources. See core.h for the protocol with the engines.
 */
#include "engine/core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/core_watch.h"

void core_out_of_memory(struct ew_core *core)
{
    core->status = EW_ENOMEM;
}

/* ------------------------------------------------------------------------------------ set-up */

static int compare_connections(const void *a, const void *b)
{
    const struct ew_connection *x = a, *y = b;
    if (x->from != y->from) {
        return x->from < y->from ? -1 : 1;
    }
    return x->to < y->to ? -1 : x->to > y->to;
}

enum ew_status core_add_connection(struct ew_core *core, uint32_t from, uint32_t to,
                                   struct ew_error *err)
{
    const struct ew_connection c = {from, to};
    return ew_vec_push(&core->found, c) ? EW_OK : ew_fail_memory(err);
}

static enum ew_status find_connections(struct ew_core *core, const struct ew_task_graph *graph,
                                       struct ew_error *err)
{
    const uint32_t n_devices = core->run->platform->n_devices;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < graph->n_nodes && status == EW_OK; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        if (node->kind == EW_NODE_MESSAGE && node->device < n_devices && node->peer < n_devices) {
            status = core_add_connection(core, node->device, node->peer, err);
        }
    }
    return status == EW_OK && graph->n_units ? core_pool_connections(core, graph, err) : status;
}

static enum ew_status collect_connections(struct ew_core *core, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t t = 0; t < core->n_templates && status == EW_OK; t++) {
        status = find_connections(core, core->templates[t].graph, err);
    }
    const uint32_t n_devices = core->run->replanner ? core->run->platform->n_devices : 0;
    for (uint32_t i = 0; i < n_devices * n_devices && status == EW_OK; i++) { /* plans to come */
        const uint32_t from = i / n_devices, to = i % n_devices;
        if (from != to && ew_platform_route(core->run->platform, from, to)->n_links) {
            status = core_add_connection(core, from, to, err);
        }
    }
    if (status) {
        return status;
    }
    if (core->found.count) {
        qsort(core->found.items, core->found.count, sizeof *core->found.items, compare_connections);
    }
    size_t n = 0;
    for (size_t i = 0; i < core->found.count; i++) {
        const struct ew_connection *c = &core->found.items[i];
        if (n == 0 || compare_connections(&core->found.items[n - 1], c) != 0) {
            core->found.items[n++] = *c;
        }
    }
    core->connections = core->found.items;
    core->n_connections = (uint32_t)n;
    const struct ew_platform *platform = core->run->platform;
    for (size_t i = 0; i < n; i++) {
        const struct ew_connection *c = &core->connections[i];
        if (ew_platform_route(platform, c->from, c->to)->n_links == 0) {
            return ew_fail(err, EW_EINPUT, "%s: expected a route from '%s' to '%s', found none",
                           platform->path, platform->devices[c->from].name,
                           platform->devices[c->to].name);
        }
    }
    return EW_OK;
}

uint32_t core_find_connection(const struct ew_core *core, uint32_t from, uint32_t to)
{
    const struct ew_connection key = {from, to};
    const struct ew_connection *found =
        bsearch(&key, core->connections, core->n_connections, sizeof key, compare_connections);
    return (uint32_t)(found - core->connections);
}

enum ew_status core_template_init(struct ew_core *core, struct core_template *tmpl,
                                  struct ew_error *err)
{
    const struct ew_task_graph *graph = tmpl->graph;
    const size_t n = graph->n_nodes ? graph->n_nodes : 1;
    tmpl->connection = calloc(n, sizeof *tmpl->connection);
    tmpl->initial_deps = calloc(n, sizeof *tmpl->initial_deps);
    if (!tmpl->connection || !tmpl->initial_deps) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        tmpl->initial_deps[i] = node->n_deps + (node->is_input ? 1 : 0);
        if (node->kind == EW_NODE_MESSAGE) {
            const bool is_known = node->device < graph->n_devices && node->peer < graph->n_devices;
            tmpl->connection[i] =
                is_known ? core_find_connection(core, node->device, node->peer) : EW_NONE;
        }
    }
    return EW_OK;
}

static enum ew_status init_templates(struct ew_core *core, struct ew_error *err)
{
    const struct ew_run *run = core->run;
    for (uint32_t w = 0; w < run->n_workloads; w++) {
        core->n_templates += run->workloads[w].book->n_plans;
    }
    core->templates = calloc(core->n_templates ? core->n_templates : 1, sizeof *core->templates);
    if (!core->templates) {
        return ew_fail_memory(err);
    }
    uint32_t t = 0;
    for (uint32_t w = 0; w < run->n_workloads; w++) {
        for (uint32_t p = 0; p < run->workloads[w].book->n_plans; p++, t++) {
            core->templates[t] = (struct core_template){
                .graph = run->workloads[w].task_graphs[p],
                .workload = w,
                .plan = p,
                .uid = t,
                .loads_on_change =
                    run->workloads[w].book->plans[p]->weights == EW_WEIGHTS_ON_CHANGE,
            };
            core_init_continuation(&core->templates[t], run->workloads[w].continuations);
            if (core->templates[t].graph->n_devices != run->platform->n_devices) {
                return ew_fail(err, EW_EINPUT,
                               "plan %u of workload '%s': made for %u devices, the "
                               "platform has %u",
                               p, run->workloads[w].name, core->templates[t].graph->n_devices,
                               run->platform->n_devices);
            }
        }
    }
    enum ew_status status = collect_connections(core, err);
    for (t = 0; t < core->n_templates && status == EW_OK; t++) {
        status = core_template_init(core, &core->templates[t], err);
    }
    return status;
}

static enum ew_status init_servers(struct ew_core *core, struct ew_error *err)
{
    const size_t n = core->run->platform->n_devices;
    core->devices = calloc(n, sizeof *core->devices);
    core->senders = calloc(n, sizeof *core->senders);
    core->lines = calloc(core->n_connections ? core->n_connections : 1, sizeof *core->lines);
    core->device_plan = malloc(n * sizeof *core->device_plan);
    if (!core->devices || !core->senders || !core->lines || !core->device_plan) {
        return ew_fail_memory(err);
    }
    memset(core->device_plan, 0xff, n * sizeof *core->device_plan);
    return EW_OK;
}

enum ew_status ew_core_new(struct ew_core **out, const struct ew_run *run,
                           const struct ew_core_ops *ops, struct ew_error *err)
{
    struct ew_core *core = calloc(1, sizeof *core);
    if (!core) {
        return ew_fail_memory(err);
    }
    core->run = run;
    core->ops = *ops;
    core->reorders = ops->retract_task != NULL;
    enum ew_status status = init_templates(core, err);
    if (status == EW_OK) {
        status = init_servers(core, err);
    }
    if (status == EW_OK) {
        status = core_pools_init(core, err);
    }
    if (status == EW_OK) {
        status = core_workloads_init(core, err);
    }
    if (status == EW_OK && run->dynamics) {
        status = core_dynamics_init(core, err);
    }
    if (status == EW_OK) {
        status = core_picks_init(core, err);
    }
    if (status) {
        ew_core_free(core);
        return status;
    }
    *out = core;
    return EW_OK;
}

static void free_servers(struct core_server *servers, size_t n)
{
    for (size_t i = 0; servers && i < n; i++) {
        ew_ready_fini(&servers[i].queue);
    }
    free(servers);
}

void ew_core_free(struct ew_core *core)
{
    if (!core) {
        return;
    }
    core_picks_fini(core);
    core_dynamics_fini(core);
    core_workloads_fini(core);
    core_pools_fini(core);
    for (uint32_t t = 0; core->templates && t < core->n_templates; t++) {
        struct core_template *tmpl = &core->templates[t];
        free(tmpl->connection);
        free(tmpl->initial_deps);
        ew_vec_fini(&tmpl->free_slots);
    }
    free(core->templates);
    for (size_t i = 0; i < core->added.count; i++) {
        free(core->added.items[i]->connection);
        free(core->added.items[i]->initial_deps);
        ew_vec_fini(&core->added.items[i]->free_slots);
        free(core->added.items[i]);
    }
    ew_vec_fini(&core->added);
    for (size_t s = 0; s < core->slots.count; s++) {
        free(core->slots.items[s].deps);
        free(core->slots.items[s].units);
        free(core->slots.items[s].arrival_s);
    }
    free_servers(core->devices, core->run->platform->n_devices);
    free_servers(core->senders, core->run->platform->n_devices);
    free_servers(core->lines, core->n_connections);
    free(core->device_plan);
    ew_vec_fini(&core->found);
    ew_vec_fini(&core->dirty);
    ew_vec_fini(&core->slots);
    ew_vec_fini(&core->finished);
    ew_vec_fini(&core->at_cut);
    ew_vec_fini(&core->skipped);
    ew_vec_fini(&core->to_issue);
    ew_vec_fini(&core->pending);
    free(core);
}

uint32_t ew_core_connection_count(const struct ew_core *core)
{
    return core->n_connections;
}

struct ew_connection ew_core_connection(const struct ew_core *core, uint32_t connection)
{
    return core->connections[connection];
}

/* ------------------------------------------------------------------------------------- events */

static struct ew_event node_event(const struct ew_core *core, enum ew_event_kind kind, uint32_t s,
                                  uint32_t n, double time_s)
{
    const struct core_slot *slot = &core->slots.items[s];
    const struct ew_task_node *node = &slot->tmpl->graph->nodes[n];
    const struct ew_task_info *info = &slot->tmpl->graph->info[n];
    return (struct ew_event){
        .time_s = time_s,
        .kind = kind,
        .workload = slot->tmpl->workload,
        .request = slot->first_request,
        .job = slot->job,
        .plan = slot->tmpl->plan,
        .node = n,
        .device = node->device,
        .peer = node->peer,
        .layer = info->layer,
        .reader_layer = info->reader_layer,
        .bytes = node->bytes,
    };
}

/* Nodes of units say where they are bound. */
static void place_event(const struct ew_core *core, struct ew_event *event, uint32_t s)
{
    const struct core_slot *slot = &core->slots.items[s];
    const struct ew_task_node *node = &slot->tmpl->graph->nodes[event->node];
    event->device = core_device(slot, node->device);
    event->peer = core_device(slot, node->peer);
}

uint64_t core_emit_node(struct ew_core *core, enum ew_event_kind kind, uint32_t s, uint32_t n,
                        double time_s)
{
    struct ew_event event = node_event(core, kind, s, n, time_s);
    if (core->n_pools) {
        place_event(core, &event, s);
    }
    return core_emit(core, &event);
}

/* -------------------------------------------------------------------------------------- nodes */

static uint32_t device_key(const struct ew_core *core, const struct core_server *server)
{
    const uint32_t n = core->run->platform->n_devices;
    if (server >= core->devices && server < core->devices + n) {
        return (uint32_t)(server - core->devices);
    }
    if (server >= core->senders && server < core->senders + n) {
        return n + (uint32_t)(server - core->senders);
    }
    return 2 * n + (uint32_t)(server - core->lines);
}

void core_mark_dirty(struct ew_core *core, struct core_server *server)
{
    if (!server->is_dirty) {
        server->is_dirty = true;
        if (!ew_vec_push(&core->dirty, device_key(core, server))) {
            core_out_of_memory(core);
        }
    }
}

static void enqueue(struct ew_core *core, struct core_server *server, uint32_t s, uint32_t n,
                    double time_s)
{
    if (!ew_ready_push(&server->queue, core->slots.items[s].rank, n, s, time_s)) {
        core_out_of_memory(core);
    }
    core_mark_dirty(core, server);
}

static void cascade(struct ew_core *core, uint32_t s, uint32_t n)
{
    const struct core_finished item = {s, n};
    if (!ew_vec_push(&core->finished, item)) {
        core_out_of_memory(core);
    }
}

static inline void enqueue_message(struct ew_core *core, uint32_t s, uint32_t n, double time_s)
{
    const struct core_slot *slot = &core->slots.items[s];
    const uint32_t from = core_device(slot, slot->tmpl->graph->nodes[n].device);
    if (core->run->platform->devices[from].message_overhead_s >= EW_GRAIN_S) {
        enqueue(core, &core->senders[from], s, n, time_s);
    } else {
        enqueue(core, &core->lines[core_line(core, slot, n)], s, n, time_s);
    }
}

void core_enqueue_message(struct ew_core *core, uint32_t s, uint32_t n, double time_s)
{
    enqueue_message(core, s, n, time_s);
}

/* All predecessors of a node have finished. */
static void node_ready(struct ew_core *core, uint32_t s, uint32_t n, double time_s)
{
    const struct core_slot *slot = &core->slots.items[s];
    const struct core_template *tmpl = slot->tmpl;
    const struct ew_task_node *node = &tmpl->graph->nodes[n];
    if (core_is_held(slot, n)) {
        return;
    }
    const uint32_t device = core_device(slot, node->device);
    if (device == EW_NONE) {
        core_offer_unit(core, s, n, time_s);
        return;
    }
    if (core->picks && core_occupies_device(slot, n)) {
        core_watch_ready(core_picks_watch(core), device, time_s);
    }
    if (core->dyn && !core_device_is_up(core, device)) {
        core_doom(core, s, time_s);
        return;
    }
    switch ((enum ew_node_kind)node->kind) {
    case EW_NODE_COMPUTE:
    case EW_NODE_LOAD:
        if (core_occupies_device(slot, n)) {
            enqueue(core, &core->devices[device], s, n, time_s);
        } else {
            core->n_tasks++;
            (void)core_emit_node(core, EW_EVENT_TASK_START, s, n, time_s);
            (void)core_emit_node(core, EW_EVENT_TASK_END, s, n, time_s);
            cascade(core, s, n);
        }
        break;
    case EW_NODE_MESSAGE:
        if (device == core_device(slot, node->peer)) {
            cascade(core, s, n); /* a unit's, which has stayed */
        } else {
            enqueue_message(core, s, n, time_s);
        }
        break;
    case EW_NODE_JOIN:
        cascade(core, s, n);
        break;
    }
}

static void finish_one(struct ew_core *core, uint32_t s, uint32_t n, double time_s)
{
    const struct ew_task_graph *graph = core->slots.items[s].tmpl->graph;
    const struct ew_task_node *node = &graph->nodes[n];
    uint32_t *deps = core->slots.items[s].deps;
    if (core->dyn) {
        deps[n] = CORE_DEPS_DONE;
    }
    if (node->device >= graph->n_devices && node->kind != EW_NODE_MESSAGE) {
        core_unit_task_done(core, s, node->device - graph->n_devices, time_s);
    }
    for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
        const uint32_t next = graph->successors[k];
        if (--deps[next] == 0) {
            node_ready(core, s, next, time_s);
        }
    }
    if (n == graph->result) {
        core_answer(core, s, time_s);
    }
    if (--core->slots.items[s].remaining == 0) {
        core_job_end(core, s, time_s);
    } else if (core->slots.items[s].hold != EW_NONE) {
        core_note_held(core, s, n, time_s);
    }
}

/* Work list instead of recursion: zero-work chains may be thousands long. Depth first, so the list
 * stays short. */
static void finish_down_to(struct ew_core *core, size_t bottom, double time_s)
{
    while (core->finished.count > bottom && core->status == EW_OK) {
        const struct core_finished item = core->finished.items[--core->finished.count];
        finish_one(core, item.slot, item.node, time_s);
    }
}

void core_finish(struct ew_core *core, uint32_t slot, uint32_t node, double time_s)
{
    const size_t bottom = core->finished.count;
    cascade(core, slot, node);
    finish_down_to(core, bottom, time_s);
}

void core_begin_nodes(struct ew_core *core, uint32_t slot, const uint32_t *nodes, size_t n,
                      double time_s)
{
    const size_t bottom = core->finished.count;
    for (size_t i = 0; i < n && core->status == EW_OK; i++) {
        node_ready(core, slot, nodes[i], time_s);
    }
    finish_down_to(core, bottom, time_s);
}

/* --------------------------------------------------------------------------- what engines report
 */

static uint64_t item_bytes(const struct ew_core *core, const struct ew_ready *item)
{
    return core->slots.items[item->slot].tmpl->graph->nodes[item->node].bytes;
}

static bool take_running(struct ew_core *core, struct core_server *server, double time_s,
                         struct ew_ready *out)
{
    if (core->status) {
        return false;
    }
    core_flush(core, time_s);
    if (core->dyn) {
        core_dynamics_noticed(core, time_s);
    }
    *out = server->running;
    server->is_busy = false;
    server->free_s = time_s;
    core_mark_dirty(core, server);
    return true;
}

static void note_task(struct ew_core *core, uint32_t device, const struct ew_ready *done,
                      double time_s)
{
    const double took_s = time_s - core->devices[device].start_s;
    const double work_s = core_work_s(&core->slots.items[done->slot], done->node);
    core_watch_over(core_picks_watch(core), device, core_watch_stretch(took_s, work_s), time_s);
}

void ew_core_task_done(struct ew_core *core, uint32_t device, double time_s)
{
    struct ew_ready done;
    if (take_running(core, &core->devices[device], time_s, &done)) {
        if (core->picks) {
            note_task(core, device, &done, time_s);
        }
        (void)core_emit_node(core, EW_EVENT_TASK_END, done.slot, done.node, time_s);
        core_finish(core, done.slot, done.node, time_s);
        core_issue_owed(core, time_s);
    }
}

void ew_core_send_done(struct ew_core *core, uint32_t device, double time_s)
{
    struct ew_ready done;
    if (take_running(core, &core->senders[device], time_s, &done)) {
        const uint32_t line = core_line(core, &core->slots.items[done.slot], done.node);
        enqueue(core, &core->lines[line], done.slot, done.node, time_s);
    }
}

void ew_core_transfer_done(struct ew_core *core, uint32_t connection, double time_s)
{
    struct ew_ready done;
    if (take_running(core, &core->lines[connection], time_s, &done)) {
        if (core->picks) {
            const struct ew_connection *pair = &core->connections[connection];
            core_watch_transfer(core_picks_watch(core), pair->from, pair->to,
                                item_bytes(core, &done), core->lines[connection].flow_s, time_s);
        }
        (void)core_emit_node(core, EW_EVENT_TRANSFER_END, done.slot, done.node, time_s);
        core_finish(core, done.slot, done.node, time_s);
        core_issue_owed(core, time_s);
    }
}

void ew_core_transfer_flow(struct ew_core *core, uint32_t connection, double time_s)
{
    struct core_server *line = &core->lines[connection];
    line->flow_s = time_s;
    line->flow_seq = core_emit_node(core, EW_EVENT_TRANSFER_FLOW, line->running.slot,
                                    line->running.node, time_s);
}

/* ------------------------------------------------------------------------------------- settling */

static double begin_item(struct core_server *server)
{
    server->running = ew_ready_pop(&server->queue);
    server->is_busy = true;
    server->start_s =
        server->running.ready_s > server->free_s ? server->running.ready_s : server->free_s;
    return server->start_s;
}

/* A better candidate of the same group turned up within the grain of the choice. */
static bool should_exchange(const struct core_server *server)
{
    const struct ew_ready *first = ew_ready_first(&server->queue);
    return first && first->group == server->running.group &&
           first->ready_s <= server->start_s + EW_GRAIN_S &&
           ew_ready_before(first, &server->running);
}

static void put_running_back(struct ew_core *core, struct core_server *server)
{
    if (!ew_ready_put_back(&server->queue, &server->running)) {
        core_out_of_memory(core);
    }
    core_retract_event(core, server->start_seq);
    server->is_busy = false;
}

/* Weights that are already there need no loading. */
static bool is_needless_load(struct ew_core *core, uint32_t device, const struct ew_ready *item)
{
    const struct core_template *tmpl = core->slots.items[item->slot].tmpl;
    const bool is_same = core->device_plan[device] == tmpl->uid;
    core->device_plan[device] = tmpl->uid;
    return is_same && tmpl->loads_on_change && tmpl->graph->nodes[item->node].kind == EW_NODE_LOAD;
}

static void settle_device(struct ew_core *core, uint32_t device)
{
    struct core_server *server = &core->devices[device];
    if (core->dyn) {
        core_drop_stale(core, &server->queue);
    }
    if (server->is_busy && core->reorders && should_exchange(server)) {
        core->ops.retract_task(core->ops.ctx, device);
        core->n_tasks--;
        put_running_back(core, server);
    }
    while (!server->is_busy && server->queue.count && core->status == EW_OK) {
        const double start_s = begin_item(server);
        const struct ew_ready *item = &server->running;
        core->n_tasks++;
        server->start_seq =
            core_emit_node(core, EW_EVENT_TASK_START, item->slot, item->node, start_s);
        if (is_needless_load(core, device, item)) {
            const struct ew_ready done = *item;
            server->is_busy = false;
            if (core->picks) {
                core_watch_over(core_picks_watch(core), device, NAN, start_s);
            }
            (void)core_emit_node(core, EW_EVENT_TASK_END, done.slot, done.node, start_s);
            core_finish(core, done.slot, done.node, start_s);
            core_issue_owed(core, start_s);
            if (core->dyn) {
                core_drop_stale(core, &server->queue);
            }
            continue;
        }
        double work_s = core_work_s(&core->slots.items[item->slot], item->node);
        if (core->dyn) {
            work_s *= core_task_factor(core, item, device);
        }
        core->ops.start_task(core->ops.ctx, device, work_s, start_s);
    }
}

static void settle_sender(struct ew_core *core, uint32_t device)
{
    struct core_server *server = &core->senders[device];
    if (core->dyn) {
        core_drop_stale(core, &server->queue);
    }
    const bool exchanges = server->is_busy && core->reorders && should_exchange(server);
    if (exchanges) {
        put_running_back(core, server); /* same overhead: the engine need not know */
    }
    if (server->is_busy || !server->queue.count) {
        return;
    }
    const double start_s = begin_item(server);
    server->start_seq = core_emit_node(core, EW_EVENT_SEND_START, server->running.slot,
                                       server->running.node, start_s);
    if (!exchanges) {
        core->ops.start_send(core->ops.ctx, device,
                             core->run->platform->devices[device].message_overhead_s, start_s);
    }
}

static void settle_line(struct ew_core *core, uint32_t line)
{
    struct core_server *server = &core->lines[line];
    if (core->dyn) {
        core_drop_stale(core, &server->queue);
    }
    if (server->is_busy && core->reorders && should_exchange(server)) {
        core->ops.retract_transfer(core->ops.ctx, line);
        core->n_transfers--;
        put_running_back(core, server);
        core_retract_event(core, server->flow_seq);
    }
    double extra_s = 0;
    while (core->dyn && !server->is_busy && server->queue.count && !core_line_is_up(core, line)) {
        const struct ew_ready broken = ew_ready_pop(&server->queue);
        core_doom(core, broken.slot,
                  broken.ready_s > server->free_s ? broken.ready_s : server->free_s);
        core_drop_stale(core, &server->queue);
    }
    if (server->is_busy || !server->queue.count) {
        return;
    }
    const double start_s = begin_item(server);
    const struct ew_ready *item = &server->running;
    if (core->dyn) {
        extra_s = core_message_extra_s(core, item, line);
    }
    server->start_seq =
        core_emit_node(core, EW_EVENT_TRANSFER_START, item->slot, item->node, start_s);
    core->n_transfers++;
    core->ops.start_transfer(core->ops.ctx, line, item_bytes(core, item), extra_s, start_s);
}

static void settle_dirty(struct ew_core *core)
{
    const uint32_t n = core->run->platform->n_devices;
    for (size_t i = 0; i < core->dirty.count && core->status == EW_OK; i++) {
        const uint32_t key = core->dirty.items[i];
        struct core_server *server = key < n       ? &core->devices[key]
                                     : key < 2 * n ? &core->senders[key - n]
                                                   : &core->lines[key - 2 * n];
        server->is_dirty = false;
        if (key < n) {
            settle_device(core, key);
        } else if (key < 2 * n) {
            settle_sender(core, key - n);
        } else {
            settle_line(core, key - 2 * n);
        }
    }
    core->dirty.count = 0;
}

void ew_core_settle(struct ew_core *core)
{
    if (core->may_take) {
        core_take_units(core);
    }
    do {
        if (core->dyn) {
            core_bury_doomed(core);
        }
        core_move_jobs(core);
        settle_dirty(core);
    } while (core->dyn && (core_has_doomed(core) || core->at_cut.count) && core->status == EW_OK);
    if (core->n_offered && !core->is_choice_due) {
        core_ask_for_choice(core);
    }
}

/* --------------------------------------------------------------------------------------- state */

bool ew_core_is_finished(const struct ew_core *core)
{
    return core->requests_left == 0;
}

enum ew_status ew_core_status(const struct ew_core *core, struct ew_error *err)
{
    if (core->status != EW_OK && core->status != EW_ENOMEM) {
        return ew_fail(err, core->status, "%s", core->failure.message);
    }
    return core->status ? ew_fail_memory(err) : EW_OK;
}

uint64_t ew_core_open_requests(const struct ew_core *core)
{
    return core->open_requests;
}

void ew_core_facts(const struct ew_core *core, struct ew_run_facts *facts)
{
    facts->end_s = core->end_s;
    facts->n_tasks = core->n_tasks;
    facts->n_transfers = core->n_transfers;
}
