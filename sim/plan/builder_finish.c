/*
 * What comes out of a builder: a plan that borrows from it, or a book that owns everything.
 */
#include "plan/builder_internal.h"

/* A plan that borrows everything from the draft. */
static struct ew_plan view_draft(const struct ew_builder *builder, const struct draft *draft,
                                 const struct ew_note *notes)
{
    const bool is_whole = draft->segments.count == 0;
    return (struct ew_plan){
        .name = draft->name,
        .batch = draft->batch,
        .source_device = draft->source_device,
        .sink_device = draft->sink_device,
        .weights = draft->weights,
        .n_segments = is_whole ? 1 : (uint32_t)draft->segments.count,
        .segments = is_whole ? &draft->whole : draft->segments.items,
        .n_pieces = (uint32_t)draft->pieces.count,
        .pieces = draft->pieces.items,
        .n_pools = (uint32_t)draft->pools.count,
        .pools = draft->pools.items,
        .n_boundary_variants = draft->boundary_view ? builder->context->graph->n_variants : 0,
        .boundaries = draft->boundary_view,
        .n_notes = (uint32_t)draft->notes.count,
        .notes = notes,
        .probability = draft->probability,
        .weight = draft->share_weight,
        .class_name = draft->class_name,
        .predicted_latency_s = draft->latency_s,
        .predicted_energy_j = draft->energy_j,
        .claims_feasible = !draft->infeasible_reason,
        .infeasible_reason = draft->infeasible_reason,
    };
}

const struct ew_plan *ew_builder_peek(struct ew_builder *builder, struct ew_error *err)
{
    const struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return NULL;
    }
    void *notes = builder->peeked_notes;
    if (!ew_vec_grow(&notes, &builder->peeked_notes_capacity, draft->notes.count + 1,
                     sizeof *builder->peeked_notes)) {
        (void)ew_fail_memory(err);
        return NULL;
    }
    builder->peeked_notes = notes;
    for (size_t i = 0; i < draft->notes.count; i++) {
        builder->peeked_notes[i] =
            (struct ew_note){draft->notes.items[i].key, draft->notes.items[i].value};
    }
    builder->peeked = view_draft(builder, draft, builder->peeked_notes);
    return &builder->peeked;
}

static const char *keep_text(struct ew_arena *arena, const char *text, bool *is_ok)
{
    const char *copy = text ? ew_arena_strdup(arena, text) : NULL;
    *is_ok = *is_ok && (copy || !text);
    return copy;
}

static bool keep_boundaries(struct ew_arena *arena, const struct ew_graph *graph,
                            const struct draft *draft, struct ew_plan *plan)
{
    if (!draft->boundary_view) {
        return true;
    }
    const struct ew_boundary **rows = ew_arena_calloc(arena, graph->n_variants, sizeof *rows);
    for (uint32_t v = 0; rows && v < graph->n_variants; v++) {
        if (draft->boundary_view[v]) {
            rows[v] = ew_arena_copy(arena, draft->boundary_view[v],
                                    graph->variants[v].graph->n_layers, sizeof **rows);
            if (!rows[v]) {
                return false;
            }
        }
    }
    plan->boundaries = rows;
    return rows != NULL;
}

static struct ew_plan *keep_plan(struct ew_arena *arena, const struct ew_builder *builder,
                                 const struct draft *draft)
{
    struct ew_plan *plan = ew_arena_calloc(arena, 1, sizeof *plan);
    struct ew_note *notes = ew_arena_calloc(arena, draft->notes.count, sizeof *notes);
    if (!plan || !notes) {
        return NULL;
    }
    bool is_ok = true;
    for (size_t i = 0; i < draft->notes.count; i++) {
        notes[i].key = keep_text(arena, draft->notes.items[i].key, &is_ok);
        notes[i].value = keep_text(arena, draft->notes.items[i].value, &is_ok);
    }
    *plan = view_draft(builder, draft, notes);
    plan->name = keep_text(arena, plan->name, &is_ok);
    plan->class_name = keep_text(arena, plan->class_name, &is_ok);
    plan->infeasible_reason = keep_text(arena, plan->infeasible_reason, &is_ok);
    plan->segments = ew_arena_copy(arena, plan->segments, plan->n_segments, sizeof *plan->segments);
    plan->pieces = ew_arena_copy(arena, plan->pieces, plan->n_pieces, sizeof *plan->pieces);
    plan->pools = ew_pools_copy(arena, plan->pools, plan->n_pools);
    is_ok = is_ok && plan->segments && plan->pieces && plan->pools &&
            keep_boundaries(arena, builder->context->graph, draft, plan);
    return is_ok ? plan : NULL;
}

static enum ew_status check_finished(const struct ew_builder *builder, struct ew_error *err)
{
    if (builder->drafts.count == 0) {
        return ew_fail(err, EW_EINPUT, "no plan was begun");
    }
    if (builder->pick == EW_PICK_ONLY && builder->drafts.count != 1) {
        return ew_fail(err, EW_EINPUT, "pick rule 'only' needs one plan, %zu were begun",
                       builder->drafts.count);
    }
    for (size_t i = 0; i < builder->drafts.count; i++) {
        const struct draft *draft = &builder->drafts.items[i];
        const size_t n = draft->segments.count;
        if (n && draft->segments.items[n - 1].image_hi != draft->batch) {
            return ew_fail(err, EW_EINPUT, "plan '%s': images %d..%d were not assigned",
                           draft->name, draft->segments.items[n - 1].image_hi, draft->batch - 1);
        }
    }
    return EW_OK;
}

enum ew_status ew_builder_finish(struct ew_book **out, struct ew_builder *builder,
                                 const char *strategy, struct ew_error *err)
{
    enum ew_status status = check_finished(builder, err);
    if (status) {
        return status;
    }
    struct ew_arena arena = {0};
    const uint32_t n = (uint32_t)builder->drafts.count;
    struct ew_book *book = ew_arena_calloc(&arena, 1, sizeof *book);
    struct ew_plan **plans = ew_arena_calloc(&arena, n, sizeof *plans);
    bool is_ok = book && plans;
    for (uint32_t i = 0; i < n && is_ok; i++) {
        plans[i] = keep_plan(&arena, builder, &builder->drafts.items[i]);
        is_ok = plans[i] != NULL;
    }
    if (is_ok) {
        book->strategy = keep_text(&arena, strategy ? strategy : "", &is_ok);
        book->pick = builder->pick;
        book->n_plans = n;
        book->plans = plans;
    }
    if (!is_ok) {
        ew_arena_fini(&arena);
        return ew_fail_memory(err);
    }
    book->arena = arena;
    *out = book;
    ew_builder_reset(builder);
    return EW_OK;
}
