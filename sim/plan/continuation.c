#include "plan/continuation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* While making. */
struct making {
    struct ew_continuations *c;
    const struct ew_plan_context *context;
    struct ew_lower *lower;
    uint32_t *layer_stage; /* per layer of the cuts' graph */
    EW_VEC(struct ew_plan *) plans;
    EW_VEC(const struct ew_task_graph *) graphs;
    EW_VEC(const uint32_t *) stages;
    EW_VEC(struct ew_continuation) origins;
    EW_VEC(struct ew_continuation) items;
    EW_VEC(struct ew_piece) pieces;
    struct ew_error *err;
};

/* ------------------------------------------------------------------------------------- the cuts */

static const struct ew_graph *graph_of(const struct making *m, const struct ew_plan *plan)
{
    return ew_segment_graph(m->context->graph, &plan->segments[0]);
}

/* The last layer, in order, that reads each layer's output; n_layers: the answer does; EW_NONE:
 * nobody that the exit needs. */
static void find_last_readers(uint32_t *last, const struct ew_graph *graph,
                              const struct ew_exit *exit)
{
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        last[l] = EW_NONE;
    }
    for (uint32_t i = 0; i < exit->n_layers; i++) {
        last[exit->layers[i]] = graph->n_layers;
    }
    for (uint32_t l = graph->n_layers; l-- > 0;) {
        for (uint32_t i = 0; last[l] != EW_NONE && i < graph->layers[l].n_inputs; i++) {
            uint32_t *reader = &last[graph->layers[l].inputs[i]];
            *reader = *reader == EW_NONE || *reader < l ? l : *reader;
        }
    }
}

/* Layers are in topological order: a layer is a cut when nobody behind it reads what lies before.
 */
static enum ew_status find_cuts(struct making *m, const struct ew_plan *plan)
{
    const struct ew_graph *graph = graph_of(m, plan);
    uint32_t *last = calloc(graph->n_layers + 1u, sizeof *last);
    uint32_t *cuts = ew_arena_calloc(&m->c->arena, graph->n_layers, sizeof *cuts);
    m->layer_stage = calloc(graph->n_layers + 1u, sizeof *m->layer_stage);
    if (!last || !cuts || !m->layer_stage) {
        free(last);
        return ew_fail_memory(m->err);
    }
    find_last_readers(last, graph, &graph->exits[plan->segments[0].exit]);
    uint32_t furthest = 0, n = 0;
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        m->layer_stage[l] = n;
        if (last[l] == EW_NONE) {
            continue;
        }
        if (last[l] < graph->n_layers && furthest <= l && graph->layers[l].op != EW_OP_INPUT) {
            cuts[n++] = l;
        }
        furthest = last[l] > furthest ? last[l] : furthest;
    }
    free(last);
    m->c->n_cuts = n;
    m->c->cut_layers = cuts;
    return EW_OK;
}

/* Jobs of both can stand at the same cuts. Where a pool's pieces lie is not known beforehand. */
static bool is_alike(const struct ew_plan *a, const struct ew_plan *b)
{
    return a->n_segments == 1 && b->n_segments == 1 && a->n_pools == 0 && b->n_pools == 0 &&
           a->segments[0].variant == b->segments[0].variant &&
           a->segments[0].exit == b->segments[0].exit && a->batch == b->batch &&
           a->source_device == b->source_device && a->sink_device == b->sink_device;
}

/* ------------------------------------------------------------------------------------ the stages
 */

/* A load belongs where the first of its readers does, everything else that computes no layer where
 * the last one does. */
static uint32_t stage_of(const struct making *m, const struct ew_task_graph *graph,
                         const uint32_t *stages, uint32_t n)
{
    const struct ew_task_node *node = &graph->nodes[n];
    const uint32_t none = m->c->n_cuts;
    if (node->kind == EW_NODE_COMPUTE && !graph->info[n].is_conversion) {
        return m->layer_stage[graph->info[n].layer];
    }
    const bool is_load = node->kind == EW_NODE_LOAD;
    uint32_t stage = is_load ? none : 0;
    for (uint32_t k = node->successors_begin; k < node->successors_end; k++) {
        const uint32_t next = stages[graph->successors[k]];
        stage = is_load ? (next < stage ? next : stage) : (next > stage ? next : stage);
    }
    return node->successors_begin == node->successors_end ? none : stage;
}

static const uint32_t *make_stages(struct making *m, const struct ew_task_graph *graph)
{
    uint32_t *stages = ew_arena_calloc(&m->c->arena, graph->n_nodes, sizeof *stages);
    for (uint32_t n = graph->n_nodes; stages && n-- > 0;) {
        stages[n] = stage_of(m, graph, stages, n);
    }
    return stages;
}

bool ew_continuation_is_done(const struct ew_task_graph *graph, const uint32_t *stages,
                             uint32_t node, uint32_t cut)
{
    const struct ew_task_node *n = &graph->nodes[node];
    if (n->kind != EW_NODE_LOAD) {
        return stages[node] <= cut;
    }
    for (uint32_t k = n->successors_begin; k < n->successors_end; k++) {
        if (stages[graph->successors[k]] > cut) {
            return false;
        }
    }
    return true;
}

/* --------------------------------------------------------------------------------- the plans */

static bool add_pieces(struct making *m, const struct ew_plan *plan, uint32_t layer_lo,
                       uint32_t layer_hi, uint32_t chain_offset)
{
    uint32_t *place = calloc(plan->n_pieces + 1u, sizeof *place);
    bool is_whole = place != NULL;
    uint32_t n = (uint32_t)m->pieces.count;
    for (uint32_t p = 0; is_whole && p < plan->n_pieces; p++) {
        const uint32_t layer = plan->pieces[p].layer;
        place[p] = layer >= layer_lo && layer < layer_hi ? n++ : EW_NONE;
    }
    for (uint32_t p = 0; is_whole && p < plan->n_pieces; p++) {
        struct ew_piece piece = plan->pieces[p];
        piece.sum = piece.sum == EW_NONE ? EW_NONE : place[piece.sum];
        piece.chain = piece.chain == EW_NONE ? EW_NONE : piece.chain + chain_offset;
        is_whole = place[p] == EW_NONE || ew_vec_push(&m->pieces, piece);
    }
    free(place);
    return is_whole;
}

/* Chains of the new plan get numbers of their own. */
static uint32_t count_chains(const struct ew_plan *plan)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < plan->n_pieces; p++) {
        const uint32_t chain = plan->pieces[p].chain;
        n = chain != EW_NONE && chain >= n ? chain + 1 : n;
    }
    return n;
}

static const struct ew_boundary *const *join_boundaries(struct making *m,
                                                        const struct ew_plan *from,
                                                        const struct ew_plan *to, uint32_t layer)
{
    const uint32_t v = to->segments[0].variant, n = graph_of(m, to)->n_layers;
    const struct ew_boundary **rows = ew_arena_calloc(&m->c->arena, v + 1u, sizeof *rows);
    struct ew_boundary *row = ew_arena_calloc(&m->c->arena, n, sizeof *row);
    if (!rows || !row) {
        return NULL;
    }
    for (uint32_t l = 0; l < n; l++) {
        row[l] = ew_plan_boundary(l < layer ? from : to, v, l);
    }
    rows[v] = row;
    return rows;
}

static struct ew_plan *join(struct making *m, const struct ew_plan *from, const struct ew_plan *to,
                            uint32_t layer)
{
    struct ew_arena *arena = &m->c->arena;
    struct ew_plan *plan = ew_arena_copy(arena, to, 1, sizeof *plan);
    m->pieces.count = 0;
    if (!plan || !add_pieces(m, from, 0, layer + 1, 0) ||
        !add_pieces(m, to, layer + 1, UINT32_MAX, count_chains(from))) {
        return NULL;
    }
    plan->boundaries = join_boundaries(m, from, to, layer);
    plan->n_boundary_variants = to->segments[0].variant + 1;
    plan->n_pieces = (uint32_t)m->pieces.count;
    plan->pieces = ew_arena_copy(arena, m->pieces.items, m->pieces.count, sizeof *m->pieces.items);
    plan->n_notes = 0;
    plan->predicted_latency_s = plan->predicted_energy_j = NAN;
    return plan->boundaries && plan->pieces ? plan : NULL;
}

/* What a device loads is what the new plan needs there, as for later jobs of that plan. */
static void copy_loads(struct ew_task_graph *graph, const struct ew_task_graph *to)
{
    struct ew_task_node *nodes = (struct ew_task_node *)(uintptr_t)graph->nodes;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        if (nodes[n].kind != EW_NODE_LOAD) {
            continue;
        }
        nodes[n].work_s = 0;
        for (uint32_t k = 0; k < to->n_nodes; k++) {
            if (to->nodes[k].kind == EW_NODE_LOAD && to->nodes[k].device == nodes[n].device) {
                nodes[n].work_s = to->nodes[k].work_s;
            }
        }
    }
}

static enum ew_status add_plan(struct making *m, struct ew_plan *plan,
                               const struct ew_task_graph *graph, const uint32_t *stages,
                               struct ew_continuation origin)
{
    return ew_vec_push(&m->plans, plan) && ew_vec_push(&m->graphs, graph) &&
                   ew_vec_push(&m->stages, stages) && ew_vec_push(&m->origins, origin)
               ? EW_OK
               : ew_fail_memory(m->err);
}

/* A continuation that cannot be carried out (no route from where the cut lies) is left out. */
static enum ew_status add_continuation(struct making *m, uint32_t from, uint32_t to, uint32_t cut)
{
    const struct ew_lower_options options = {0};
    const struct ew_continuation item = {from, to, cut, (uint32_t)m->plans.count};
    struct ew_plan *plan = join(m, m->plans.items[from], m->plans.items[to], m->c->cut_layers[cut]);
    struct ew_task_graph *graph = NULL;
    struct ew_error why = {0};
    if (!plan) {
        return ew_fail_memory(m->err);
    }
    enum ew_status status = ew_lower_plan(&graph, m->lower, m->context, plan, &options, &why);
    if (status == EW_EINPUT) {
        return EW_OK;
    }
    if (status != EW_OK) {
        return ew_fail(m->err, status, "%s", why.message);
    }
    copy_loads(graph, m->graphs.items[to]);
    const uint32_t *stages = make_stages(m, graph);
    status = stages ? add_plan(m, plan, graph, stages, item) : ew_fail_memory(m->err);
    if (m->graphs.count == item.plan) {
        ew_task_graph_free(graph); /* not kept */
    }
    if (status == EW_OK && !ew_vec_push(&m->items, item)) {
        status = ew_fail_memory(m->err);
    }
    return status;
}

/* ------------------------------------------------------------------------------------- the whole
 */

static int compare_items(const void *a, const void *b)
{
    const struct ew_continuation *x = a, *y = b;
    if (x->from != y->from) {
        return x->from < y->from ? -1 : 1;
    }
    if (x->to != y->to) {
        return x->to < y->to ? -1 : 1;
    }
    return x->cut < y->cut ? -1 : x->cut > y->cut;
}

const struct ew_continuation *ew_continuation_find(const struct ew_continuations *continuations,
                                                   uint32_t from, uint32_t to, uint32_t cut)
{
    const struct ew_continuation key = {from, to, cut, 0};
    return continuations->n_items ? bsearch(&key, continuations->items, continuations->n_items,
                                            sizeof key, compare_items)
                                  : NULL;
}

static enum ew_status add_book(struct making *m, const struct ew_book *book,
                               const struct ew_task_graph *const *graphs)
{
    enum ew_status status = EW_OK;
    const struct ew_plan *first = book->plans[0];
    if (first->n_segments == 1) {
        status = find_cuts(m, first);
    }
    for (uint32_t p = 0; p < book->n_plans && status == EW_OK; p++) {
        const struct ew_continuation itself = {p, p, EW_NONE, p};
        const bool has_cuts = m->c->n_cuts > 0 && is_alike(first, book->plans[p]);
        const uint32_t *stages = has_cuts ? make_stages(m, graphs[p]) : NULL;
        status = has_cuts && !stages
                     ? ew_fail_memory(m->err)
                     : add_plan(m, (struct ew_plan *)book->plans[p], graphs[p], stages, itself);
    }
    m->c->n_borrowed = m->graphs.count < book->n_plans ? (uint32_t)m->graphs.count : book->n_plans;
    return status;
}

static enum ew_status add_changes(struct making *m, uint32_t n_changes,
                                  const struct ew_plan_change *changes)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < n_changes && status == EW_OK; i++) {
        const bool is_possible = m->stages.items[changes[i].from] && m->stages.items[changes[i].to];
        for (uint32_t k = 0; is_possible && k < m->c->n_cuts && status == EW_OK &&
                             m->items.count < EW_MAX_CONTINUATIONS;
             k++) {
            status = add_continuation(m, changes[i].from, changes[i].to, k);
        }
    }
    return status;
}

static enum ew_status hand_over(struct making *m, const struct ew_book *book)
{
    struct ew_continuations *c = m->c;
    const size_t n = m->plans.count;
    if (m->items.count) {
        qsort(m->items.items, m->items.count, sizeof *m->items.items, compare_items);
    }
    c->book = *book;
    c->book.arena = (struct ew_arena){0};
    c->book.n_plans = (uint32_t)n;
    c->book.plans = ew_arena_copy(&c->arena, m->plans.items, n, sizeof *m->plans.items);
    c->stages = ew_arena_copy(&c->arena, m->stages.items, n, sizeof *m->stages.items);
    c->origin = ew_arena_copy(&c->arena, m->origins.items, n, sizeof *m->origins.items);
    c->n_items = (uint32_t)m->items.count;
    c->items = m->items.count ? ew_arena_copy(&c->arena, m->items.items, m->items.count,
                                              sizeof *m->items.items)
                              : NULL;
    return c->book.plans && c->stages && c->origin && (c->items || !c->n_items)
               ? EW_OK
               : ew_fail_memory(m->err);
}

enum ew_status ew_continuations_new(struct ew_continuations **out,
                                    const struct ew_plan_context *context,
                                    const struct ew_book *book,
                                    const struct ew_task_graph *const *graphs, uint32_t n_changes,
                                    const struct ew_plan_change *changes, struct ew_error *err)
{
    struct making m = {.c = calloc(1, sizeof *m.c), .context = context, .err = err};
    if (!m.c) {
        return ew_fail_memory(err);
    }
    m.lower = ew_lower_new();
    enum ew_status status = m.lower ? add_book(&m, book, graphs) : ew_fail_memory(err);
    if (status == EW_OK) {
        status = add_changes(&m, n_changes, changes);
    }
    if (status == EW_OK) {
        status = hand_over(&m, book);
    }
    m.c->graphs = m.graphs.items; /* owned from here on */
    m.c->book.n_plans = (uint32_t)m.graphs.count;
    ew_lower_free(m.lower);
    free(m.layer_stage);
    ew_vec_fini(&m.plans);
    ew_vec_fini(&m.stages);
    ew_vec_fini(&m.origins);
    ew_vec_fini(&m.items);
    ew_vec_fini(&m.pieces);
    if (status != EW_OK) {
        ew_continuations_free(m.c);
        return status;
    }
    *out = m.c;
    return EW_OK;
}

void ew_continuations_free(struct ew_continuations *continuations)
{
    if (!continuations) {
        return;
    }
    for (uint32_t p = continuations->n_borrowed; p < continuations->book.n_plans; p++) {
        ew_task_graph_free((struct ew_task_graph *)(uintptr_t)continuations->graphs[p]);
    }
    free(continuations->graphs);
    ew_arena_fini(&continuations->arena);
    free(continuations);
}
