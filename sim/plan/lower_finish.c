/*
 * The last steps of lowering: message bytes, successor lists, merging of private chains; and the
 * small hash map that finds messages.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/lower_internal.h"

/* -------------------------------------------------------------------------------- message bytes */

/* Boxes grouped by message node with a counting sort; result in lower->boxes order. */
static enum ew_status group_boxes(struct ew_lower *lower)
{
    const size_t n_nodes = lower->nodes.count;
    const size_t n = lower->boxes.count;
    if (!ew_vec_reserve(&lower->counts, n_nodes + 1) || !ew_vec_reserve(&lower->scratch_a, n)) {
        return ew_fail_memory(lower->err);
    }
    uint32_t *start = lower->counts.items;
    memset(start, 0, (n_nodes + 1) * sizeof *start);
    for (size_t i = 0; i < n; i++) {
        start[lower->boxes.items[i].node + 1]++;
    }
    for (size_t i = 0; i < n_nodes; i++) {
        start[i + 1] += start[i];
    }
    /* scratch_a: box indices in node order; start[node] moves to the end of the node's run */
    for (size_t i = 0; i < n; i++) {
        lower->scratch_a.items[start[lower->boxes.items[i].node]++] = (uint32_t)i;
    }
    return EW_OK;
}

static enum ew_status weigh_message(struct ew_lower *lower, struct lw_message *message)
{
    const uint32_t end = lower->counts.items[message->node];
    const uint32_t begin = message->node ? lower->counts.items[message->node - 1] : 0;
    struct ew_box hull = lower->boxes.items[lower->scratch_a.items[begin]].box;
    message->elements = ew_box_volume(&hull);
    bool is_single = true;
    for (uint32_t i = begin + 1; i < end; i++) {
        const struct ew_box *box = &lower->boxes.items[lower->scratch_a.items[i]].box;
        is_single = is_single && ew_box_contains(&hull, box);
        hull = ew_box_hull(&hull, box);
    }
    if (!is_single) {
        lower->set.count = 0;
        for (uint32_t i = begin; i < end; i++) {
            if (!ew_box_set_add(&lower->set, &lower->boxes.items[lower->scratch_a.items[i]].box)) {
                return ew_fail_memory(lower->err);
            }
        }
        message->elements = ew_box_set_volume(&lower->set);
    }
    const double bytes = ceil((double)message->elements * message->bytes_per_element);
    lower->nodes.items[message->node].bytes = bytes < 1 ? 1 : (uint64_t)bytes;
    lower->info.items[message->node].box = hull;
    lower->graph.stats.message_bytes += lower->nodes.items[message->node].bytes;
    lower->graph.stats.n_messages++;
    return EW_OK;
}

/* The disjoint boxes of every message, for real execution. */
static enum ew_status keep_boxes(struct ew_lower *lower)
{
    const size_t n_nodes = lower->nodes.count;
    if (!ew_vec_reserve(&lower->box_begin, n_nodes + 1)) {
        return ew_fail_memory(lower->err);
    }
    lower->kept_boxes.count = 0;
    for (size_t i = 0; i < n_nodes; i++) {
        lower->box_begin.items[i] = (uint32_t)lower->kept_boxes.count;
        const uint32_t begin = i ? lower->counts.items[i - 1] : 0;
        lower->set.count = 0;
        for (uint32_t k = begin; k < lower->counts.items[i]; k++) {
            if (!ew_box_set_add(&lower->set, &lower->boxes.items[lower->scratch_a.items[k]].box)) {
                return ew_fail_memory(lower->err);
            }
        }
        for (size_t k = 0; k < lower->set.count; k++) {
            if (!ew_vec_push(&lower->kept_boxes, lower->set.items[k])) {
                return ew_fail_memory(lower->err);
            }
        }
    }
    lower->box_begin.items[n_nodes] = (uint32_t)lower->kept_boxes.count;
    return ew_vec_reserve_one(&lower->kept_boxes) ? EW_OK : ew_fail_memory(lower->err);
}

static enum ew_status weigh_messages(struct ew_lower *lower)
{
    enum ew_status status = group_boxes(lower);
    for (size_t i = 0; i < lower->messages.count && status == EW_OK; i++) {
        status = weigh_message(lower, &lower->messages.items[i]);
    }
    if (status) {
        return status;
    }
    for (size_t u = 0; u < lower->units.count; u++) {
        lower->graph.stats.message_bytes += lower->nodes.items[lower->units.items[u].steal].bytes;
        lower->graph.stats.n_messages++;
    }
    for (size_t i = 0, m = 0; i < lower->conversions.count; i++) {
        const struct lw_conversion *conversion = &lower->conversions.items[i];
        while (lower->messages.items[m].node != conversion->message) {
            m++; /* both lists are in order of making */
        }
        struct ew_task_node *node = &lower->nodes.items[conversion->node];
        const struct ew_device *device = &lower->context->platform->devices[node->device];
        node->work_s = ew_cost_convert_s(device->profile, lower->messages.items[m].elements);
    }
    return EW_OK;
}

/* ------------------------------------------------------------------------------ successor lists */

/* Stable counting sort of edges by one end. */
static void sort_edges(const struct lw_edge *in, struct lw_edge *out, size_t n, uint32_t *count,
                       size_t n_nodes, bool by_from)
{
    memset(count, 0, (n_nodes + 1) * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        count[(by_from ? in[i].from : in[i].to) + 1]++;
    }
    for (size_t i = 0; i < n_nodes; i++) {
        count[i + 1] += count[i];
    }
    for (size_t i = 0; i < n; i++) {
        out[count[by_from ? in[i].from : in[i].to]++] = in[i];
    }
}

static enum ew_status link_nodes(struct ew_lower *lower)
{
    const size_t n_nodes = lower->nodes.count;
    const size_t n = lower->edges.count;
    if (!ew_vec_reserve(&lower->edges_scratch, n) || !ew_vec_reserve(&lower->counts, n_nodes + 1) ||
        !ew_vec_reserve(&lower->successors, n)) {
        return ew_fail_memory(lower->err);
    }
    struct lw_edge *a = lower->edges.items, *b = lower->edges_scratch.items;
    sort_edges(a, b, n, lower->counts.items, n_nodes, false);
    sort_edges(b, a, n, lower->counts.items, n_nodes, true);
    lower->successors.count = 0;
    size_t i = 0;
    for (uint32_t from = 0; from < n_nodes; from++) {
        struct ew_task_node *node = &lower->nodes.items[from];
        node->successors_begin = (uint32_t)lower->successors.count;
        for (uint32_t last = EW_NONE; i < n && a[i].from == from; i++) {
            if (a[i].to != last) {
                last = a[i].to;
                lower->successors.items[lower->successors.count++] = last;
                lower->nodes.items[last].n_deps++;
            }
        }
        node->successors_end = (uint32_t)lower->successors.count;
    }
    return EW_OK;
}

/* -------------------------------------------------------------------------------------- merging */

/* A device is serial when each of its tasks directly follows the one before: then nothing else on
 * it can be ready while a chain runs, and merging the chain changes no start time. */
static void find_serial_devices(struct ew_lower *lower, uint32_t *last_task, uint32_t *is_serial,
                                uint32_t *follows)
{
    const size_t n = lower->nodes.count;
    const uint32_t n_devices = lower->context->platform->n_devices;
    memset(last_task, 0xff, n_devices * sizeof *last_task);
    for (uint32_t d = 0; d < n_devices; d++) {
        is_serial[d] = 1;
    }
    for (uint32_t i = 0; i < n; i++) {
        follows[i] = EW_NONE;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct ew_task_node *node = &lower->nodes.items[i];
        if (node->kind == EW_NODE_COMPUTE || node->kind == EW_NODE_LOAD) {
            if (last_task[node->device] != EW_NONE && follows[i] != last_task[node->device]) {
                is_serial[node->device] = 0;
            }
            last_task[node->device] = i;
        }
        for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
            const uint32_t to = lower->successors.items[k];
            const struct ew_task_node *next = &lower->nodes.items[to];
            if (next->kind != EW_NODE_MESSAGE && next->device == node->device &&
                node->kind != EW_NODE_MESSAGE && node->kind != EW_NODE_JOIN) {
                follows[to] = i; /* sources ascend, so the latest one stays */
            }
        }
    }
}

static bool is_mergeable(const struct ew_lower *lower, uint32_t i, const uint32_t *is_serial,
                         const uint32_t *follows)
{
    const struct ew_task_node *node = &lower->nodes.items[i];
    if (node->kind != EW_NODE_COMPUTE || node->n_deps != 1 || follows[i] == EW_NONE ||
        !is_serial[node->device]) {
        return false;
    }
    const struct ew_task_node *before = &lower->nodes.items[follows[i]];
    return before->kind == EW_NODE_COMPUTE &&
           before->successors_end - before->successors_begin == 1;
}

static void absorb(struct ew_lower *lower, uint32_t into, uint32_t i)
{
    struct ew_task_node *node = &lower->nodes.items[into];
    const struct ew_task_node *gone = &lower->nodes.items[i];
    struct ew_task_info *info = &lower->info.items[into];
    const struct ew_task_info *gone_info = &lower->info.items[i];
    node->work_s += gone->work_s;
    node->successors_begin = gone->successors_begin;
    node->successors_end = gone->successors_end;
    info->last_layer = gone_info->last_layer;
    info->macs += gone_info->macs;
    info->touched_bytes += gone_info->touched_bytes;
    info->n_merged += gone_info->n_merged;
}

/* Renumber: `id` holds the new number of every kept node. */
static void compact(struct ew_lower *lower, const uint32_t *id, const uint32_t *head)
{
    uint32_t kept = 0, n_successors = 0;
    uint32_t *successors = lower->counts.items; /* scratch, large enough */
    for (uint32_t i = 0; i < lower->nodes.count; i++) {
        if (head[i] != i) {
            continue;
        }
        struct ew_task_node node = lower->nodes.items[i];
        const uint32_t begin = node.successors_begin, end = node.successors_end;
        node.successors_begin = n_successors;
        for (uint32_t k = begin; k < end; k++) {
            successors[n_successors++] = id[lower->successors.items[k]];
        }
        node.successors_end = n_successors;
        lower->nodes.items[kept] = node;
        lower->info.items[kept] = lower->info.items[i];
        kept++;
    }
    memcpy(lower->successors.items, successors, n_successors * sizeof *successors);
    lower->successors.count = n_successors;
    lower->nodes.count = lower->info.count = kept;
    lower->graph.result = id[lower->graph.result];
    lower->input_node = id[lower->input_node];
}

static enum ew_status merge_chains(struct ew_lower *lower)
{
    const size_t n = lower->nodes.count;
    const uint32_t n_devices = lower->context->platform->n_devices;
    struct ew_arena arena = {0};
    uint32_t *last_task = ew_arena_calloc(&arena, n_devices, sizeof *last_task);
    uint32_t *is_serial = ew_arena_calloc(&arena, n_devices, sizeof *is_serial);
    uint32_t *follows = ew_arena_calloc(&arena, n, sizeof *follows);
    uint32_t *head = ew_arena_calloc(&arena, n, sizeof *head); /* first node of i's chain */
    uint32_t *id = ew_arena_calloc(&arena, n, sizeof *id);
    const bool is_ok = last_task && is_serial && follows && head && id &&
                       ew_vec_reserve(&lower->counts, lower->successors.count + 1);
    if (is_ok) {
        find_serial_devices(lower, last_task, is_serial, follows);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < n; i++) {
            head[i] = i;
            if (is_mergeable(lower, i, is_serial, follows)) {
                head[i] = head[follows[i]];
                id[i] = id[head[i]];
            } else {
                id[i] = kept++;
            }
        }
        for (uint32_t i = 0; i < n; i++) {
            if (head[i] != i) {
                absorb(lower, head[i], i); /* ascending: the chain's order */
            }
        }
        compact(lower, id, head);
        lower->graph.is_merged = true;
    }
    ew_arena_fini(&arena);
    return is_ok ? EW_OK : ew_fail_memory(lower->err);
}

enum ew_status lw_finish(struct ew_lower *lower, const struct ew_lower_options *options)
{
    const bool keeps_boxes = options && options->keep_boxes;
    enum ew_status status = weigh_messages(lower);
    if (status == EW_OK && keeps_boxes) {
        status = keep_boxes(lower);
    }
    if (status == EW_OK) {
        status = link_nodes(lower);
    }
    if (status == EW_OK && options && options->merge_chains && lower->units.count == 0) {
        status = merge_chains(lower);
    }
    struct ew_task_graph *graph = &lower->graph;
    graph->n_nodes = (uint32_t)lower->nodes.count;
    graph->nodes = lower->nodes.items;
    graph->info = lower->info.items;
    graph->n_successors = (uint32_t)lower->successors.count;
    graph->successors = lower->successors.items;
    graph->n_inputs = 1;
    graph->inputs = &lower->input_node;
    graph->devices = lower->devices.items;
    graph->n_pools = lower->plan->n_pools;
    graph->pools = lower->plan->pools;
    graph->n_units = (uint32_t)lower->units.count;
    graph->units = lower->units.items;
    graph->n_work = (uint32_t)lower->work_s.count;
    graph->work_s = lower->work_s.items;
    graph->box_begin = keeps_boxes ? lower->box_begin.items : NULL;
    graph->boxes = keeps_boxes ? lower->kept_boxes.items : NULL;
    return status;
}

/* ------------------------------------------------------------------------------------------ map */

static uint32_t slot_of(const struct lw_map *map, uint64_t key)
{
    uint64_t h = key * 0x9e3779b97f4a7c15u;
    uint32_t i = (uint32_t)(h >> 32) & (map->capacity - 1);
    while (map->marks[i] == map->mark && map->keys[i] != key) {
        i = (i + 1) & (map->capacity - 1);
    }
    return i;
}

uint32_t lw_map_find(const struct lw_map *map, uint64_t key)
{
    if (map->count == 0) {
        return EW_NONE;
    }
    const uint32_t i = slot_of(map, key);
    return map->marks[i] == map->mark ? map->values[i] : EW_NONE;
}

static bool grow(struct lw_map *map)
{
    struct lw_map bigger = {.capacity = map->capacity ? map->capacity * 2 : 64, .mark = 1};
    bigger.keys = malloc(bigger.capacity * sizeof *bigger.keys);
    bigger.values = malloc(bigger.capacity * sizeof *bigger.values);
    bigger.marks = calloc(bigger.capacity, sizeof *bigger.marks);
    if (!bigger.keys || !bigger.values || !bigger.marks) {
        lw_map_fini(&bigger);
        return false;
    }
    for (uint32_t i = 0; i < map->capacity && map->count; i++) {
        if (map->marks[i] == map->mark) {
            const uint32_t k = slot_of(&bigger, map->keys[i]);
            bigger.keys[k] = map->keys[i];
            bigger.values[k] = map->values[i];
            bigger.marks[k] = bigger.mark;
        }
    }
    bigger.count = map->count;
    lw_map_fini(map);
    *map = bigger;
    return true;
}

bool lw_map_add(struct lw_map *map, uint64_t key, uint32_t value)
{
    if (2 * (map->count + 1) > map->capacity && !grow(map)) {
        return false;
    }
    const uint32_t i = slot_of(map, key);
    map->keys[i] = key;
    map->values[i] = value;
    map->marks[i] = map->mark;
    map->count++;
    return true;
}

void lw_map_clear(struct lw_map *map)
{
    map->count = 0;
    if (map->marks && ++map->mark == 0) {
        memset(map->marks, 0, map->capacity * sizeof *map->marks);
        map->mark = 1;
    }
}

void lw_map_fini(struct lw_map *map)
{
    free(map->keys);
    free(map->values);
    free(map->marks);
    *map = (struct lw_map){0};
}
