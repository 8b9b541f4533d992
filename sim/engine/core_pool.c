/*
 * Late binding in the job machine: chains that wait in a pool until a member is idle. A unit is
 * offered when its steal message is ready, and taken by a member that is up, runs nothing, has
 * nothing waiting and no other unit; from then on its nodes go like any others.
 *
 * Engines must agree on who takes what although they differ in the order of what is simultaneous.
 * So nobody takes a unit before CHOICE_S after the first one could be taken, and then only what
 * counts that was so a grain before: who takes what does not depend on what happens at that very
 * moment.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/core_internal.h"

/** Clearly later than whatever counts as simultaneous, and no simple multiple of the grain: flows
 * that begin so far apart and share a link end half or a third as far apart, which must not be a
 * grain. */
#define CHOICE_S (2.618034 * EW_GRAIN_S)

/* ------------------------------------------------------------------------------------- set-up */

enum ew_status core_pools_init(struct ew_core *core, struct ew_error *err)
{
    for (uint32_t t = 0; t < core->n_templates; t++) {
        core->templates[t].first_pool = core->n_pools;
        core->n_pools += core->templates[t].graph->n_pools;
    }
    if (core->n_pools == 0) {
        return EW_OK;
    }
    core->pools = calloc(core->n_pools, sizeof *core->pools);
    core->members = calloc(core->run->platform->n_devices, sizeof *core->members);
    if (!core->pools || !core->members) {
        return ew_fail_memory(err);
    }
    for (uint32_t t = 0; t < core->n_templates; t++) {
        const struct core_template *tmpl = &core->templates[t];
        for (uint32_t i = 0; i < tmpl->graph->n_pools; i++) {
            core->pools[tmpl->first_pool + i].pool = &tmpl->graph->pools[i];
        }
    }
    return EW_OK;
}

void core_pools_fini(struct ew_core *core)
{
    for (uint32_t i = 0; core->pools && i < core->n_pools; i++) {
        ew_ready_fini(&core->pools[i].queue);
    }
    free(core->pools);
    free(core->members);
}

static const struct ew_pool *pool_behind(const struct ew_task_graph *graph, uint32_t place)
{
    return &graph->pools[graph->units[place - graph->n_devices].pool];
}

/* Between every member and the other end, in the direction of the message. */
static enum ew_status add_member_lines(struct ew_core *core, const struct ew_task_graph *graph,
                                       const struct ew_task_node *node, struct ew_error *err)
{
    const bool is_from_unit = node->device >= graph->n_devices;
    const struct ew_pool *pool = pool_behind(graph, is_from_unit ? node->device : node->peer);
    const uint32_t other = is_from_unit ? node->peer : node->device;
    enum ew_status status = EW_OK;
    for (uint32_t m = 0; m < pool->n_members && status == EW_OK; m++) {
        const uint32_t member = pool->members[m];
        if (member != other) {
            status = core_add_connection(core, is_from_unit ? member : other,
                                         is_from_unit ? other : member, err);
        }
    }
    return status;
}

enum ew_status core_pool_connections(struct ew_core *core, const struct ew_task_graph *graph,
                                     struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < graph->n_nodes && status == EW_OK; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        if (node->kind == EW_NODE_MESSAGE &&
            (node->device >= graph->n_devices || node->peer >= graph->n_devices)) {
            status = add_member_lines(core, graph, node, err);
        }
    }
    for (uint32_t i = 0; i < graph->n_pools && status == EW_OK; i++) {
        const struct ew_pool *pool = &graph->pools[i];
        for (uint32_t m = 0; m < pool->n_members && status == EW_OK; m++) {
            if (pool->members[m] != pool->holder) {
                status = core_add_connection(core, pool->holder, pool->members[m], err);
            }
        }
    }
    return status;
}

void core_give_members_weights(struct ew_core *core, const struct core_template *tmpl)
{
    const struct ew_task_graph *graph = tmpl->graph;
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        if (node->kind != EW_NODE_LOAD || node->device < graph->n_devices) {
            continue;
        }
        const struct ew_pool *pool = pool_behind(graph, node->device);
        for (uint32_t m = 0; m < pool->n_members; m++) {
            core->device_plan[pool->members[m]] = tmpl->uid;
        }
    }
}

/* -------------------------------------------------------------------------------------- members */

/* Up, with a way to the holder and back. */
static bool is_reachable(const struct ew_core *core, const struct ew_pool *pool, uint32_t member)
{
    if (!core->dyn || !core_device_is_up(core, member)) {
        return !core->dyn;
    }
    return member == pool->holder ||
           (core_line_is_up(core, core_find_connection(core, member, pool->holder)) &&
            core_line_is_up(core, core_find_connection(core, pool->holder, member)));
}

/* At settled_s; what the device has begun or has been given since does not count. */
static bool is_idle(struct ew_core *core, uint32_t device, double settled_s)
{
    struct core_server *server = &core->devices[device];
    if (core->dyn) {
        core_drop_stale(core, &server->queue);
    }
    const struct ew_ready *first = ew_ready_first(&server->queue);
    return core->members[device].n_units == 0 &&
           !(server->is_busy && server->start_s <= settled_s) &&
           !(first && first->ready_s <= settled_s);
}

/* Since when the member could take a unit that was offered at offered_s. */
static double possible_since_s(const struct ew_core *core, uint32_t device, double offered_s)
{
    const double idle_s = fmax(core->devices[device].free_s, core->members[device].released_s);
    return fmax(fmax(offered_s, idle_s), core->rejoined_s);
}

/* The first member that could take a unit at settled_s, or EW_NONE. */
static uint32_t find_taker(struct ew_core *core, const struct ew_pool *pool, double offered_s,
                           double settled_s)
{
    for (uint32_t m = 0; m < pool->n_members; m++) {
        const uint32_t device = pool->members[m];
        if (is_idle(core, device, settled_s) && is_reachable(core, pool, device) &&
            possible_since_s(core, device, offered_s) <= settled_s) {
            return m;
        }
    }
    return EW_NONE;
}

static bool is_open(const struct ew_core *core, const struct ew_pool *pool)
{
    bool has_member = false;
    for (uint32_t m = 0; m < pool->n_members && !has_member; m++) {
        has_member = is_reachable(core, pool, pool->members[m]);
    }
    return has_member && core_device_is_up(core, pool->holder);
}

bool core_pools_are_open(const struct ew_core *core, const struct core_template *tmpl)
{
    const struct ew_task_graph *graph = tmpl->graph;
    uint32_t judged = EW_NONE; /* units of one pool mostly follow each other */
    for (uint32_t u = 0; u < graph->n_units; u++) {
        if (graph->units[u].pool != judged && !is_open(core, &graph->pools[graph->units[u].pool])) {
            return false;
        }
        judged = graph->units[u].pool;
    }
    return true;
}

/* ---------------------------------------------------------------------------------------- units */

static struct core_pool *pool_of(struct ew_core *core, const struct core_slot *slot, uint32_t unit)
{
    return &core->pools[slot->tmpl->first_pool + slot->tmpl->graph->units[unit].pool];
}

void core_offer_unit(struct ew_core *core, uint32_t s, uint32_t steal, double time_s)
{
    const struct core_slot *slot = &core->slots.items[s];
    const struct ew_task_graph *graph = slot->tmpl->graph;
    const uint32_t unit = graph->nodes[steal].device - graph->n_devices;
    struct core_pool *pool = pool_of(core, slot, unit);
    if (core->dyn && !core_device_is_up(core, pool->pool->holder)) {
        core_doom(core, s, time_s);
        return;
    }
    if (!ew_ready_push(&pool->queue, slot->rank, steal, s, time_s)) {
        core_out_of_memory(core);
        return;
    }
    core->n_offered++;
}

static void release(struct ew_core *core, struct core_unit *unit, double time_s)
{
    struct core_member *member = &core->members[unit->device];
    member->n_units--;
    member->released_s = time_s;
}

void core_unit_task_done(struct ew_core *core, uint32_t s, uint32_t unit, double time_s)
{
    struct core_unit *u = &core->slots.items[s].units[unit];
    if (--u->n_left == 0) {
        release(core, u, time_s);
    }
}

void core_forget_units(struct ew_core *core, uint32_t s, double time_s)
{
    struct core_slot *slot = &core->slots.items[s];
    for (uint32_t u = 0; u < slot->tmpl->graph->n_units; u++) {
        if (slot->units[u].device != EW_NONE && slot->units[u].n_left) {
            slot->units[u].n_left = 0;
            release(core, &slot->units[u], time_s);
        }
    }
}

/* ------------------------------------------------------------------------------------- choosing */

static void drop_stale_offers(struct ew_core *core, struct core_pool *pool)
{
    const size_t before = pool->queue.count;
    if (core->dyn) {
        core_drop_stale(core, &pool->queue);
    }
    core->n_offered -= before - pool->queue.count;
}

/* Units of different pools: first offered first taken, ties as in any queue, then by pool. */
static bool is_before(const struct ew_ready *a, const struct ew_ready *b)
{
    if (fabs(a->ready_s - b->ready_s) > EW_GRAIN_S) {
        return a->ready_s < b->ready_s;
    }
    return a->job != b->job ? a->job < b->job : a->node < b->node;
}

struct choice {
    struct core_pool *pool;
    uint32_t member;
};

/* The unit to be taken next, and by whom; false when there is none. */
static bool find_choice(struct ew_core *core, struct choice *out, double settled_s)
{
    bool is_found = false;
    for (uint32_t i = 0; i < core->n_pools; i++) {
        struct core_pool *pool = &core->pools[i];
        drop_stale_offers(core, pool);
        const struct ew_ready *first = ew_ready_first(&pool->queue);
        if (!first || (is_found && !is_before(first, ew_ready_first(&out->pool->queue)))) {
            continue;
        }
        const uint32_t member = find_taker(core, pool->pool, first->ready_s, settled_s);
        if (member != EW_NONE) {
            *out = (struct choice){pool, member};
            is_found = true;
        }
    }
    return is_found;
}

static void take(struct ew_core *core, const struct choice *choice)
{
    const struct ew_ready item = ew_ready_pop(&choice->pool->queue);
    core->n_offered--;
    const struct core_slot *slot = &core->slots.items[item.slot];
    const struct ew_task_graph *graph = slot->tmpl->graph;
    const uint32_t device = choice->pool->pool->members[choice->member];
    struct core_unit *unit = &slot->units[graph->nodes[item.node].device - graph->n_devices];
    unit->member = choice->member;
    unit->device = device;
    core->members[device].n_units++;
    if (device == choice->pool->pool->holder) {
        core_finish(core, item.slot, item.node, core->choice_s);
        core_issue_owed(core, core->choice_s);
    } else {
        core_enqueue_message(core, item.slot, item.node, core->choice_s);
    }
}

void core_take_units(struct ew_core *core)
{
    struct choice choice = {0};
    core->may_take = false;
    if (core->dyn) {
        core_bury_doomed(core);
    }
    while (core->status == EW_OK && find_choice(core, &choice, core->choice_s - EW_GRAIN_S)) {
        take(core, &choice);
    }
}

void core_ask_for_choice(struct ew_core *core)
{
    double since_s = INFINITY;
    for (uint32_t i = 0; i < core->n_pools; i++) {
        drop_stale_offers(core, &core->pools[i]);
        const struct ew_ready *first = ew_ready_first(&core->pools[i].queue);
        const struct ew_pool *pool = core->pools[i].pool;
        for (uint32_t m = 0; first && m < pool->n_members; m++) {
            const uint32_t device = pool->members[m];
            if (is_idle(core, device, INFINITY) && is_reachable(core, pool, device)) {
                since_s = fmin(since_s, possible_since_s(core, device, first->ready_s));
            }
        }
    }
    if (!isinf(since_s)) {
        core->is_choice_due = true;
        core->choice_s = since_s + CHOICE_S;
        core->ops.schedule_choice(core->ops.ctx, core->choice_s);
    }
}

void ew_core_choose(struct ew_core *core, double time_s)
{
    if (core->status) {
        return;
    }
    core_flush(core, time_s);
    if (core->dyn) {
        core_dynamics_noticed(core, time_s);
    }
    core->is_choice_due = false;
    core->may_take = true;
}
