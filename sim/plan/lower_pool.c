/*
 * Lowering of chains that wait in a pool. Until a member takes it nobody knows where such a chain
 * runs, so it gets a place of its own, behind the platform's devices, and the rest of lowering
 * treats places like devices. Here: what a pool must be, which message may go where, the message by
 * which a member takes a chain, and that everything the chain reads waits for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "plan/lower_internal.h"

/** Places stand in 24 bits of a message's key. */
#define MAX_PLACES (1u << 24)

/* ------------------------------------------------------------------------------------- checking */

static enum ew_status check_member(struct ew_lower *lower, uint32_t number,
                                   const struct ew_pool *pool, uint32_t m)
{
    const struct ew_platform *platform = lower->context->platform;
    const uint32_t member = pool->members[m];
    if (member >= platform->n_devices) {
        return ew_fail(lower->err, EW_EINPUT, "pool %u: there is no device %u", number, member);
    }
    for (uint32_t k = 0; k < m; k++) {
        if (pool->members[k] == member) {
            return ew_fail(lower->err, EW_EINPUT, "pool %u: device %s is a member twice", number,
                           platform->devices[member].name);
        }
    }
    if (member != pool->holder && (!ew_platform_route(platform, member, pool->holder)->n_links ||
                                   !ew_platform_route(platform, pool->holder, member)->n_links)) {
        return ew_fail(lower->err, EW_EINPUT,
                       "pool %u: the platform has no route between its holder %s and its member %s",
                       number, platform->devices[pool->holder].name,
                       platform->devices[member].name);
    }
    return EW_OK;
}

static enum ew_status check_pool(struct ew_lower *lower, uint32_t number)
{
    const struct ew_pool *pool = &lower->plan->pools[number];
    if (pool->holder >= lower->context->platform->n_devices) {
        return ew_fail(lower->err, EW_EINPUT, "pool %u: there is no device %u to be the holder",
                       number, pool->holder);
    }
    if (pool->n_members == 0 || pool->steal_bytes == 0) {
        return ew_fail(lower->err, EW_EINPUT,
                       "pool %u: expected a member and a steal message of at least one byte",
                       number);
    }
    enum ew_status status = EW_OK;
    for (uint32_t m = 0; m < pool->n_members && status == EW_OK; m++) {
        status = check_member(lower, number, pool, m);
    }
    return status;
}

enum ew_status lw_check_pools(struct ew_lower *lower)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < lower->plan->n_pools && status == EW_OK; i++) {
        status = check_pool(lower, i);
    }
    if (status == EW_OK && lower->plan->n_pools && lower->plan->weights == EW_WEIGHTS_PER_REQUEST) {
        status = ew_fail(lower->err, EW_EINPUT,
                         "weights per_request: a plan with pools cannot load weights in every job, "
                         "since nobody knows in advance which device needs them");
    }
    return status;
}

/* ---------------------------------------------------------------------------------------- units */

static uint64_t chain_key(const struct ew_piece *piece)
{
    return (uint64_t)piece->segment << 32 | piece->chain;
}

static enum ew_status fail_mixed(struct ew_lower *lower, uint32_t number)
{
    const struct ew_piece *piece = &lower->pieces.items[number];
    return ew_fail(lower->err, EW_EINPUT,
                   "piece %u (layer %s): all pieces of chain %u must wait in one pool", number,
                   lw_layer(lower, piece)->name, piece->chain);
}

static enum ew_status put_on_unit(struct ew_lower *lower, uint32_t number)
{
    struct ew_piece *piece = &lower->pieces.items[number];
    uint32_t unit = lw_map_find(&lower->unit_map, chain_key(piece));
    if (unit == EW_NONE) {
        const struct ew_task_unit fresh = {.pool = piece->pool - 1u, .steal = EW_NONE};
        unit = (uint32_t)lower->units.count;
        if (lw_place_count(lower) >= MAX_PLACES) {
            return ew_fail(lower->err, EW_EINPUT, "too many chains in pools");
        }
        if (!ew_vec_push(&lower->units, fresh) ||
            !lw_map_add(&lower->unit_map, chain_key(piece), unit)) {
            return ew_fail_memory(lower->err);
        }
    }
    if (lower->units.items[unit].pool != piece->pool - 1u) {
        return fail_mixed(lower, number);
    }
    piece->device = lower->context->platform->n_devices + unit;
    return EW_OK;
}

enum ew_status lw_find_units(struct ew_lower *lower)
{
    enum ew_status status = EW_OK;
    lower->units.count = 0;
    lower->work_s.count = 0;
    if (lower->plan->n_pools == 0) {
        return EW_OK;
    }
    lw_map_clear(&lower->unit_map);
    for (uint32_t p = 0; p < lower->plan->n_pieces && status == EW_OK; p++) {
        if (lower->plan->pieces[p].pool) {
            status = put_on_unit(lower, p);
        }
    }
    for (uint32_t p = 0; p < lower->plan->n_pieces && status == EW_OK; p++) {
        const struct ew_piece *piece = &lower->plan->pieces[p];
        if (!piece->pool && piece->chain != EW_NONE &&
            lw_map_find(&lower->unit_map, chain_key(piece)) != EW_NONE) {
            status = fail_mixed(lower, p);
        }
    }
    return status;
}

const struct ew_pool *lw_pool_of(const struct ew_lower *lower, uint32_t place)
{
    const uint32_t unit = place - lower->context->platform->n_devices;
    return &lower->plan->pools[lower->units.items[unit].pool];
}

uint32_t lw_place_device(const struct ew_lower *lower, uint32_t place)
{
    return lw_is_unit(lower, place) ? lw_pool_of(lower, place)->holder : place;
}

const char *lw_place_name(const struct ew_lower *lower, uint32_t place)
{
    return lw_is_unit(lower, place) ? "a pool's member"
                                    : lower->context->platform->devices[place].name;
}

enum ew_status lw_add_work(struct ew_lower *lower, uint32_t place, uint32_t *row)
{
    const uint32_t n = lw_pool_of(lower, place)->n_members;
    if (lower->work_s.count + n >= EW_NONE) {
        return ew_fail(lower->err, EW_EINPUT, "the plan has too many tasks in pools");
    }
    if (!ew_vec_reserve(&lower->work_s, lower->work_s.count + n)) {
        return ew_fail_memory(lower->err);
    }
    *row = (uint32_t)lower->work_s.count;
    memset(lower->work_s.items + *row, 0, n * sizeof(double));
    lower->work_s.count += n;
    lower->units.items[place - lower->context->platform->n_devices].n_tasks++;
    return EW_OK;
}

/* ------------------------------------------------------------------------------------- messages */

enum ew_status lw_begin_unit(struct ew_lower *lower, uint32_t place, uint32_t segment,
                             uint32_t layer)
{
    struct ew_task_unit *unit = &lower->units.items[place - lower->context->platform->n_devices];
    if (unit->steal != EW_NONE) {
        return EW_OK;
    }
    const struct ew_pool *pool = &lower->plan->pools[unit->pool];
    const struct ew_task_node node = {
        .kind = EW_NODE_MESSAGE, .device = place, .peer = pool->holder, .bytes = pool->steal_bytes};
    struct ew_task_info info = lw_no_info;
    info.layer = info.reader_layer = info.last_layer = layer;
    info.segment = segment;
    info.is_steal = true;
    return lw_add_node(lower, &node, &info, &unit->steal);
}

static enum ew_status check_members_reach(struct ew_lower *lower, const struct ew_layer *layer,
                                          uint32_t from, uint32_t to)
{
    const struct ew_platform *platform = lower->context->platform;
    const struct ew_pool *pool = lw_pool_of(lower, from);
    for (uint32_t m = 0; m < pool->n_members; m++) {
        const uint32_t member = pool->members[m];
        if (member != to && !ew_platform_route(platform, member, to)->n_links) {
            return ew_fail(lower->err, EW_EINPUT,
                           "layer %s: its output must go from %s, a member of the pool, to %s, and "
                           "the platform has no route between them",
                           layer->name, platform->devices[member].name, platform->devices[to].name);
        }
    }
    return EW_OK;
}

enum ew_status lw_check_unit_message(struct ew_lower *lower, const struct ew_layer *layer,
                                     uint32_t from, uint32_t to, bool converts)
{
    if (converts) {
        return ew_fail(lower->err, EW_EINPUT,
                       "layer %s: wire_bits cannot change the format of what chains in pools read "
                       "or write",
                       layer->name);
    }
    if (!lw_is_unit(lower, to)) {
        return check_members_reach(lower, layer, from, to);
    }
    const struct ew_device *devices = lower->context->platform->devices;
    const uint32_t holder = lw_pool_of(lower, to)->holder;
    if (lw_is_unit(lower, from)) {
        return ew_fail(lower->err, EW_EINPUT,
                       "layer %s: a chain in a pool reads what another one computes: gather the "
                       "layer at the holder, %s",
                       layer->name, devices[holder].name);
    }
    if (from != holder) {
        return ew_fail(lower->err, EW_EINPUT,
                       "layer %s: chains in a pool read at its holder, %s, and this is on %s: "
                       "compute it there or gather it there",
                       layer->name, devices[holder].name, devices[from].name);
    }
    return EW_OK;
}

/* -------------------------------------------------------------------------------------- binding */

/* Unit whose steal message a node must wait for: it runs in the unit or brings it its input. */
static uint32_t unit_behind(const struct ew_lower *lower, uint32_t n)
{
    const struct ew_task_node *node = &lower->nodes.items[n];
    const uint32_t place = node->kind == EW_NODE_MESSAGE ? node->peer : node->device;
    return lw_is_unit(lower, place) ? place - lower->context->platform->n_devices : EW_NONE;
}

/* What comes to a unit from outside it comes to its steal message. Outside is also what it has sent
 * itself: it would wait for others with its device taken. */
static enum ew_status turn_edges(struct ew_lower *lower)
{
    const size_t n_units = lower->units.count;
    const size_t n_edges = lower->edges.count;
    if (!ew_vec_reserve(&lower->scratch_a, n_units)) {
        return ew_fail_memory(lower->err);
    }
    uint32_t *has_dep = lower->scratch_a.items;
    memset(has_dep, 0, n_units * sizeof *has_dep);
    enum ew_status status = EW_OK;
    for (size_t i = 0; i < n_edges && status == EW_OK; i++) {
        const struct lw_edge edge = lower->edges.items[i];
        const uint32_t unit = unit_behind(lower, edge.to);
        if (unit == EW_NONE || unit_behind(lower, edge.from) == unit) {
            continue;
        }
        lower->edges.items[i].to = lower->units.items[unit].steal;
        has_dep[unit] = 1;
        status = lw_add_edge(lower, lower->units.items[unit].steal, edge.to);
    }
    for (size_t u = 0; u < n_units && status == EW_OK; u++) {
        if (!has_dep[u]) {
            status = lw_add_edge(lower, lower->input_node, lower->units.items[u].steal);
        }
    }
    return status;
}

/* ----------------------------------------------------------------------------------- order anew */

struct order {
    struct ew_lower *lower;
    struct ew_heap ready;
    uint32_t *n_deps;
    uint32_t *first; /* edges by source: first[n] .. first[n + 1] - 1 of `to` */
    uint32_t *to;
    uint32_t *number; /* new number by old */
    uint32_t n_done;
};

static void fill_order(struct order *o)
{
    const struct ew_lower *lower = o->lower;
    const size_t n = lower->nodes.count;
    for (size_t i = 0; i < lower->edges.count; i++) {
        o->first[lower->edges.items[i].from + 1]++;
        o->n_deps[lower->edges.items[i].to]++;
    }
    for (size_t i = 0; i < n; i++) {
        o->first[i + 1] += o->first[i];
        o->number[i] = o->first[i]; /* for a moment: where the next edge goes */
    }
    for (size_t i = 0; i < lower->edges.count; i++) {
        const struct lw_edge *edge = &lower->edges.items[i];
        o->to[o->number[edge->from]++] = edge->to;
    }
    for (uint32_t i = 0; i < n; i++) {
        o->number[i] = EW_NONE;
        if (o->n_deps[i] == 0) {
            ew_heap_set(&o->ready, i, i);
        }
    }
}

/* Always the lowest old number that can come next. */
static void number_nodes(struct order *o)
{
    while (o->ready.count) {
        const uint32_t node = ew_heap_pop(&o->ready).id;
        o->number[node] = o->n_done++;
        for (uint32_t k = o->first[node]; k < o->first[node + 1]; k++) {
            if (--o->n_deps[o->to[k]] == 0) {
                ew_heap_set(&o->ready, o->to[k], o->to[k]);
            }
        }
    }
}

static enum ew_status fail_cycle(struct ew_lower *lower, const uint32_t *number)
{
    for (size_t u = 0; u < lower->units.count; u++) {
        const uint32_t steal = lower->units.items[u].steal;
        if (number[steal] == EW_NONE) {
            const struct ew_task_info *info = &lower->info.items[steal];
            const struct ew_graph *graph =
                ew_segment_graph(lower->context->graph, &lower->plan->segments[info->segment]);
            return ew_fail(lower->err, EW_EINPUT,
                           "the chain in pool %u that begins with layer %s reads what follows from "
                           "its own output, or waits for it at a barrier: all that a chain in a "
                           "pool reads must be there before it begins",
                           lower->units.items[u].pool, graph->layers[info->layer].name);
        }
    }
    return ew_fail(lower->err, EW_EINPUT, "chains in pools wait for each other");
}

static enum ew_status move_nodes(struct ew_lower *lower, const uint32_t *number)
{
    const size_t n = lower->nodes.count;
    struct ew_task_node *nodes = malloc((n + 1) * sizeof *nodes);
    struct ew_task_info *info = malloc((n + 1) * sizeof *info);
    if (nodes && info) {
        for (size_t i = 0; i < n; i++) {
            nodes[number[i]] = lower->nodes.items[i];
            info[number[i]] = lower->info.items[i];
        }
        memcpy(lower->nodes.items, nodes, n * sizeof *nodes);
        memcpy(lower->info.items, info, n * sizeof *info);
    }
    const bool is_ok = nodes && info;
    free(nodes);
    free(info);
    return is_ok ? EW_OK : ew_fail_memory(lower->err);
}

static void renumber(uint32_t *node, const uint32_t *number)
{
    *node = *node == EW_NONE ? EW_NONE : number[*node];
}

/* Everything that names a node and is still needed. */
static void rename_nodes(struct ew_lower *lower, const uint32_t *number)
{
    for (size_t i = 0; i < lower->pieces.count; i++) {
        renumber(&lower->piece_node.items[i], number);
    }
    for (size_t i = 0; i < lower->messages.count; i++) {
        renumber(&lower->messages.items[i].node, number);
    }
    for (size_t i = 0; i < lower->boxes.count; i++) {
        renumber(&lower->boxes.items[i].node, number);
    }
    for (size_t i = 0; i < lower->conversions.count; i++) {
        renumber(&lower->conversions.items[i].node, number);
        renumber(&lower->conversions.items[i].message, number);
    }
    for (size_t i = 0; i < lower->edges.count; i++) {
        renumber(&lower->edges.items[i].from, number);
        renumber(&lower->edges.items[i].to, number);
    }
    for (size_t i = 0; i < lower->load_node.count; i++) {
        renumber(&lower->load_node.items[i], number);
    }
    for (size_t i = 0; i < lower->units.count; i++) {
        renumber(&lower->units.items[i].steal, number);
    }
    renumber(&lower->input_node, number);
    renumber(&lower->graph.result, number);
}

static bool is_in_order(const struct ew_lower *lower)
{
    for (size_t i = 0; i < lower->edges.count; i++) {
        if (lower->edges.items[i].from >= lower->edges.items[i].to) {
            return false;
        }
    }
    return true;
}

enum ew_status lw_bind_units(struct ew_lower *lower)
{
    enum ew_status status = turn_edges(lower);
    if (status || is_in_order(lower)) {
        return status;
    }
    const size_t n = lower->nodes.count;
    struct order order = {
        .lower = lower,
        .n_deps = calloc(n + 1, sizeof *order.n_deps),
        .first = calloc(n + 2, sizeof *order.first),
        .to = calloc(lower->edges.count + 1, sizeof *order.to),
        .number = calloc(n + 1, sizeof *order.number),
    };
    const bool has_heap = ew_heap_init(&order.ready, (uint32_t)n);
    if (has_heap && order.n_deps && order.first && order.to && order.number) {
        fill_order(&order);
        number_nodes(&order);
        status =
            order.n_done < n ? fail_cycle(lower, order.number) : move_nodes(lower, order.number);
        if (status == EW_OK) {
            rename_nodes(lower, order.number);
        }
    } else {
        status = ew_fail_memory(lower->err);
    }
    if (has_heap) {
        ew_heap_fini(&order.ready);
    }
    free(order.n_deps);
    free(order.first);
    free(order.to);
    free(order.number);
    return status;
}
