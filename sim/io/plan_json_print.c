#include "io/plan_json.h"

#include <math.h>

#include "base/json_writer.h"

const char *const ew_pick_names[5] = {
    [EW_PICK_ONLY] = "only",         [EW_PICK_CYCLE] = "cycle",
    [EW_PICK_BY_CLASS] = "by_class", [EW_PICK_BY_EXIT_DRAW] = "by_exit_draw",
    [EW_PICK_ONLINE] = "online",
};

const char *const ew_weights_names[3] = {
    [EW_WEIGHTS_RESIDENT] = "resident",
    [EW_WEIGHTS_PER_REQUEST] = "per_request",
    [EW_WEIGHTS_ON_CHANGE] = "on_change",
};

const char *const ew_exchange_names[3] = {
    [EW_EXCHANGE_DIRECT] = "direct",
    [EW_EXCHANGE_RELAY] = "relay",
    [EW_EXCHANGE_GATHER] = "gather",
};

const char *const ew_role_names[3] = {
    [EW_PIECE_FULL] = "full",
    [EW_PIECE_PARTIAL] = "partial",
    [EW_PIECE_SUM] = "sum",
};

static void print_interval(struct ew_json *j, int32_t lo, int32_t hi)
{
    ew_json_array_begin_inline(j);
    ew_json_i64(j, lo);
    ew_json_i64(j, hi);
    ew_json_array_end(j);
}

static void print_piece(struct ew_json *j, const struct ew_plan_context *context,
                        const struct ew_plan *plan, const struct ew_piece *piece)
{
    const struct ew_graph *graph =
        ew_segment_graph(context->graph, &plan->segments[piece->segment]);
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "layer", graph->layers[piece->layer].name);
    if (piece->pool) {
        ew_json_kv_u64(j, "pool", piece->pool - 1u);
    } else {
        ew_json_kv_string(j, "device", context->platform->devices[piece->device].name);
    }
    ew_json_key(j, "box");
    ew_json_array_begin_inline(j);
    for (int d = 0; d < EW_DIMS; d++) {
        print_interval(j, piece->box.lo[d], piece->box.hi[d]);
    }
    ew_json_array_end(j);
    if (piece->segment) {
        ew_json_kv_u64(j, "segment", piece->segment);
    }
    if (piece->chain != EW_NONE) {
        ew_json_kv_u64(j, "chain", piece->chain);
    }
    if (piece->role != EW_PIECE_FULL) {
        ew_json_kv_string(j, "role", ew_role_names[piece->role]);
    }
    if (piece->role == EW_PIECE_PARTIAL) {
        ew_json_kv_u64(j, "sum", piece->sum);
        ew_json_key(j, "reduction");
        print_interval(j, piece->reduction.lo, piece->reduction.hi);
    }
    ew_json_object_end(j);
}

static void print_segments(struct ew_json *j, const struct ew_plan_context *context,
                           const struct ew_plan *plan)
{
    ew_json_key(j, "segments");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        const struct ew_segment *segment = &plan->segments[i];
        const struct ew_graph *graph = ew_segment_graph(context->graph, segment);
        ew_json_object_begin_inline(j);
        ew_json_key(j, "images");
        print_interval(j, segment->image_lo, segment->image_hi);
        ew_json_kv_string(j, "variant", context->graph->variants[segment->variant].name);
        ew_json_kv_string(j, "exit", graph->exits[segment->exit].name);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

/* A boundary that says no more than the default. */
static bool is_plain(const struct ew_boundary *b)
{
    return b->exchange == EW_EXCHANGE_DIRECT && !b->has_barrier && !b->wire_bits;
}

static void print_boundary(struct ew_json *j, const struct ew_plan_context *context,
                           uint32_t variant, uint32_t layer, const struct ew_boundary *b)
{
    const struct ew_variant *v = &context->graph->variants[variant];
    ew_json_object_begin_inline(j);
    if (variant) {
        ew_json_kv_string(j, "variant", v->name);
    }
    ew_json_kv_string(j, "layer", v->graph->layers[layer].name);
    if (b->exchange != EW_EXCHANGE_DIRECT) {
        ew_json_kv_string(j, "exchange", ew_exchange_names[b->exchange]);
        ew_json_kv_string(j, "hub", context->platform->devices[b->hub].name);
    }
    if (b->has_barrier) {
        ew_json_kv_bool(j, "barrier", true);
    }
    if (b->wire_bits) {
        ew_json_kv_u64(j, "wire_bits", b->wire_bits);
    }
    ew_json_object_end(j);
}

static void print_boundaries(struct ew_json *j, const struct ew_plan_context *context,
                             const struct ew_plan *plan)
{
    ew_json_key(j, "boundaries");
    ew_json_array_begin(j);
    for (uint32_t v = 0; v < plan->n_boundary_variants; v++) {
        const uint32_t n_layers = context->graph->variants[v].graph->n_layers;
        for (uint32_t i = 0; plan->boundaries[v] && i < n_layers; i++) {
            if (!is_plain(&plan->boundaries[v][i])) {
                print_boundary(j, context, v, i, &plan->boundaries[v][i]);
            }
        }
    }
    ew_json_array_end(j);
}

static void print_pools(struct ew_json *j, const struct ew_plan_context *context,
                        const struct ew_plan *plan)
{
    ew_json_key(j, "pools");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < plan->n_pools; i++) {
        const struct ew_pool *pool = &plan->pools[i];
        ew_json_object_begin_inline(j);
        ew_json_key(j, "members");
        ew_json_array_begin_inline(j);
        for (uint32_t k = 0; k < pool->n_members; k++) {
            ew_json_string(j, context->platform->devices[pool->members[k]].name);
        }
        ew_json_array_end(j);
        ew_json_kv_string(j, "holder", context->platform->devices[pool->holder].name);
        ew_json_kv_u64(j, "steal_bytes", pool->steal_bytes);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void print_number_if_known(struct ew_json *j, const char *key, double x)
{
    if (isfinite(x)) {
        ew_json_kv_double(j, key, x);
    }
}

static void print_opinion(struct ew_json *j, const struct ew_plan *plan)
{
    ew_json_key(j, "prediction");
    ew_json_object_begin(j);
    print_number_if_known(j, "latency_s", plan->predicted_latency_s);
    print_number_if_known(j, "energy_j", plan->predicted_energy_j);
    if (plan->infeasible_reason) {
        ew_json_kv_string(j, "infeasible_reason", plan->infeasible_reason);
    }
    ew_json_object_end(j);
    ew_json_key(j, "notes");
    ew_json_object_begin(j);
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        ew_json_kv_string(j, plan->notes[i].key, plan->notes[i].value);
    }
    ew_json_object_end(j);
}

static void print_plan(struct ew_json *j, const struct ew_plan_context *context,
                       const struct ew_book *book, const struct ew_plan *plan)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", plan->name);
    ew_json_kv_i64(j, "batch", plan->batch);
    ew_json_kv_string(j, "source", context->platform->devices[plan->source_device].name);
    ew_json_kv_string(j, "sink", context->platform->devices[plan->sink_device].name);
    ew_json_kv_string(j, "weights", ew_weights_names[plan->weights]);
    if (book->pick == EW_PICK_CYCLE) {
        ew_json_kv_u64(j, "weight", plan->weight);
    }
    if (book->pick == EW_PICK_BY_EXIT_DRAW) {
        ew_json_kv_double(j, "probability", plan->probability);
    }
    if (plan->class_name) {
        ew_json_kv_string(j, "class", plan->class_name);
    }
    print_segments(j, context, plan);
    print_boundaries(j, context, plan);
    if (plan->n_pools) {
        print_pools(j, context, plan);
    }
    print_opinion(j, plan);
    ew_json_key(j, "pieces");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        print_piece(j, context, plan, &plan->pieces[i]);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

void ew_book_print_json(struct ew_str *out, const struct ew_plan_context *context,
                        const struct ew_book *book)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "schema", "edgeweave.plan/1");
    ew_json_kv_string(&j, "strategy", book->strategy);
    ew_json_kv_string(&j, "graph", context->graph->name);
    ew_json_kv_string(&j, "pick", ew_pick_names[book->pick]);
    ew_json_key(&j, "plans");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < book->n_plans; i++) {
        print_plan(&j, context, book, book->plans[i]);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}
