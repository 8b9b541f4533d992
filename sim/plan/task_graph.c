#include "plan/task_graph.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_writer.h"
#include "plan/lower.h"

void ew_task_graph_free(struct ew_task_graph *graph)
{
    if (graph) {
        struct ew_arena arena = graph->arena; /* the graph itself lives in it */
        ew_arena_fini(&arena);
    }
}

static bool copy_units(struct ew_arena *arena, struct ew_task_graph *graph,
                       const struct ew_task_graph *from)
{
    graph->pools = ew_pools_copy(arena, from->pools, from->n_pools);
    graph->units = ew_arena_copy(arena, from->units, from->n_units, sizeof *graph->units);
    graph->work_s = ew_arena_copy(arena, from->work_s, from->n_work, sizeof *graph->work_s);
    return graph->pools && graph->units && graph->work_s;
}

enum ew_status ew_lower_plan(struct ew_task_graph **out, struct ew_lower *lower,
                             const struct ew_plan_context *context, const struct ew_plan *plan,
                             const struct ew_lower_options *options, struct ew_error *err)
{
    const struct ew_task_graph *scratch;
    const enum ew_status status =
        ew_lower_plan_scratch(&scratch, lower, context, plan, options, err);
    if (status) {
        return status;
    }
    struct ew_arena arena = {0};
    struct ew_task_graph *graph = ew_arena_calloc(&arena, 1, sizeof *graph);
    if (!graph) {
        return ew_fail_memory(err);
    }
    *graph = *scratch;
    graph->nodes = ew_arena_copy(&arena, scratch->nodes, scratch->n_nodes, sizeof *graph->nodes);
    graph->info = ew_arena_copy(&arena, scratch->info, scratch->n_nodes, sizeof *graph->info);
    graph->successors =
        ew_arena_copy(&arena, scratch->successors, scratch->n_successors, sizeof(uint32_t));
    graph->inputs = ew_arena_copy(&arena, scratch->inputs, scratch->n_inputs, sizeof(uint32_t));
    graph->devices =
        ew_arena_copy(&arena, scratch->devices, scratch->n_devices, sizeof *graph->devices);
    bool is_ok =
        graph->nodes && graph->info && graph->successors && graph->inputs && graph->devices;
    if (scratch->box_begin) {
        graph->box_begin = ew_arena_copy(&arena, scratch->box_begin, scratch->n_nodes + 1u,
                                         sizeof *graph->box_begin);
        graph->boxes = ew_arena_copy(&arena, scratch->boxes, scratch->box_begin[scratch->n_nodes],
                                     sizeof *graph->boxes);
        is_ok = is_ok && graph->box_begin && graph->boxes;
    }
    if (!is_ok || !copy_units(&arena, graph, scratch)) {
        ew_arena_fini(&arena);
        return ew_fail_memory(err);
    }
    graph->arena = arena;
    *out = graph;
    return EW_OK;
}

/* ------------------------------------------------------------------------------------- printing */

static const char *kind_name(uint8_t kind)
{
    static const char *const names[] = {"compute", "load", "message", "join"};
    return names[kind];
}

static const char *layer_name(const struct ew_plan_context *context, const struct ew_plan *plan,
                              const struct ew_task_info *info, uint32_t layer)
{
    if (layer == EW_NONE) {
        return NULL;
    }
    return ew_segment_graph(context->graph, &plan->segments[info->segment])->layers[layer].name;
}

static void print_box(struct ew_json *j, const struct ew_box *box)
{
    ew_json_array_begin_inline(j);
    for (int d = 0; d < EW_DIMS; d++) {
        ew_json_array_begin_inline(j);
        ew_json_i64(j, box->lo[d]);
        ew_json_i64(j, box->hi[d]);
        ew_json_array_end(j);
    }
    ew_json_array_end(j);
}

/* Of a device, or "pool 0". */
static const char *place_name(char room[32], const struct ew_task_graph *graph,
                              const struct ew_plan_context *context, uint32_t device)
{
    if (device < graph->n_devices) {
        return context->platform->devices[device].name;
    }
    (void)snprintf(room, 32, "pool %u", graph->units[device - graph->n_devices].pool);
    return room;
}

/* The unit that a node belongs to, and what it takes on each member. */
static void print_unit(struct ew_json *j, const struct ew_task_graph *graph, uint32_t i)
{
    const struct ew_task_node *node = &graph->nodes[i];
    const uint32_t place = node->device >= graph->n_devices ? node->device : node->peer;
    if (place < graph->n_devices) {
        return;
    }
    const struct ew_task_unit *unit = &graph->units[place - graph->n_devices];
    ew_json_kv_u64(j, "unit", place - graph->n_devices);
    ew_json_kv_bool(j, "steal", graph->info[i].is_steal);
    if (node->kind != EW_NODE_MESSAGE) {
        ew_json_key(j, "member_work_s");
        ew_json_array_begin_inline(j);
        for (uint32_t m = 0; m < graph->pools[unit->pool].n_members; m++) {
            ew_json_double(j, ew_task_work_s(graph, i, m));
        }
        ew_json_array_end(j);
    }
}

static void print_node(struct ew_json *j, const struct ew_task_graph *graph, uint32_t i,
                       const struct ew_plan_context *context, const struct ew_plan *plan)
{
    const struct ew_task_node *node = &graph->nodes[i];
    const struct ew_task_info *info = &graph->info[i];
    char room[32];
    ew_json_object_begin_inline(j);
    ew_json_kv_u64(j, "id", i);
    ew_json_kv_string(j, "kind", kind_name(node->kind));
    ew_json_kv_string(j, "device", place_name(room, graph, context, node->device));
    if (node->kind == EW_NODE_MESSAGE) {
        ew_json_kv_string(j, "to", place_name(room, graph, context, node->peer));
        ew_json_kv_u64(j, "bytes", node->bytes);
        ew_json_kv_u64(j, "hop", info->hop);
        ew_json_kv_string(j, "reader_layer", layer_name(context, plan, info, info->reader_layer));
    } else if (node->kind != EW_NODE_JOIN) {
        ew_json_kv_double(j, "work_s", node->work_s);
        ew_json_kv_u64(j, "macs", info->macs);
        ew_json_kv_u64(j, "touched_bytes", info->touched_bytes);
        ew_json_kv_u64(j, "pieces", info->n_merged);
        ew_json_kv_string(j, "last_layer", layer_name(context, plan, info, info->last_layer));
    }
    ew_json_kv_string(j, "layer", layer_name(context, plan, info, info->layer));
    if (node->kind != EW_NODE_JOIN) {
        ew_json_kv_u64(j, "segment", info->segment);
        ew_json_key(j, "box");
        print_box(j, &info->box);
    }
    print_unit(j, graph, i);
    ew_json_key(j, "successors");
    ew_json_array_begin_inline(j);
    for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
        ew_json_u64(j, graph->successors[k]);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

static void print_stats(struct ew_json *j, const struct ew_plan_stats *stats)
{
    ew_json_key(j, "stats");
    ew_json_object_begin(j);
    ew_json_kv_u64(j, "computed_elements", stats->computed_elements);
    ew_json_kv_u64(j, "needed_elements", stats->needed_elements);
    ew_json_kv_u64(j, "macs", stats->macs);
    ew_json_kv_u64(j, "redundant_macs", stats->redundant_macs);
    ew_json_kv_u64(j, "message_bytes", stats->message_bytes);
    ew_json_kv_u64(j, "messages", stats->n_messages);
    ew_json_object_end(j);
}

void ew_task_graph_print_json(struct ew_str *out, const struct ew_task_graph *graph,
                              const struct ew_plan_context *context, const struct ew_plan *plan)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "schema", "edgeweave.task_graph/1");
    ew_json_kv_string(&j, "plan", plan->name);
    ew_json_kv_bool(&j, "merged", graph->is_merged);
    ew_json_kv_u64(&j, "result", graph->result);
    print_stats(&j, &graph->stats);
    ew_json_key(&j, "nodes");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        print_node(&j, graph, i, context, plan);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

static void dot_quote(struct ew_str *out, const char *text)
{
    for (const char *p = text ? text : "result"; *p; p++) {
        if (*p == '"' || *p == '\\') {
            ew_str_append(out, "\\");
        }
        ew_str_append_n(out, p, 1);
    }
}

static void dot_node(struct ew_str *out, const struct ew_task_graph *graph, uint32_t i,
                     const struct ew_plan_context *context, const struct ew_plan *plan)
{
    static const char *const shapes[] = {"box", "box3d", "ellipse", "point"};
    const struct ew_task_node *node = &graph->nodes[i];
    const struct ew_task_info *info = &graph->info[i];
    char amount[32] = "", room[32];
    ew_str_printf(out, "  n%u [shape=%s,label=\"", i, shapes[node->kind]);
    if (info->is_steal) {
        ew_str_append(out, "steal ");
    }
    dot_quote(out, layer_name(context, plan, info, info->layer));
    ew_str_append(out, "\\n");
    dot_quote(out, place_name(room, graph, context, node->device));
    if (node->kind == EW_NODE_MESSAGE) {
        ew_str_append(out, " > ");
        dot_quote(out, place_name(room, graph, context, node->peer));
        ew_human_bytes(amount, (double)node->bytes);
    } else if (node->kind != EW_NODE_JOIN) {
        ew_human_seconds(amount, node->work_s);
    }
    ew_str_printf(out, "\\n%s\"];\n", amount);
}

void ew_task_graph_print_dot(struct ew_str *out, const struct ew_task_graph *graph,
                             const struct ew_plan_context *context, const struct ew_plan *plan)
{
    ew_str_append(out, "digraph tasks {\n  rankdir=TB;\n  node [fontname=\"Helvetica\"];\n");
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        dot_node(out, graph, i, context, plan);
    }
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        const struct ew_task_node *node = &graph->nodes[i];
        for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
            ew_str_printf(out, "  n%u -> n%u;\n", i, graph->successors[k]);
        }
    }
    ew_str_append(out, "}\n");
}
