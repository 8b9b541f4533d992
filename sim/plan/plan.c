#include "plan/plan.h"

void ew_book_free(struct ew_book *book)
{
    if (book) {
        struct ew_arena arena = book->arena; /* the book itself lives in it */
        ew_arena_fini(&arena);
    }
}

struct ew_element_bytes ew_element_bytes_of(const struct ew_graph *graph)
{
    const double bytes = graph->bytes_per_element;
    return (struct ew_element_bytes){bytes, bytes, bytes};
}

struct ew_pool *ew_pools_copy(struct ew_arena *arena, const struct ew_pool *pools, uint32_t n_pools)
{
    struct ew_pool *copy = ew_arena_copy(arena, pools, n_pools, sizeof *copy);
    for (uint32_t i = 0; copy && i < n_pools; i++) {
        copy[i].members =
            ew_arena_copy(arena, copy[i].members, copy[i].n_members, sizeof *copy[i].members);
        if (!copy[i].members) {
            return NULL;
        }
    }
    return copy;
}

static bool pieces_equal(const struct ew_piece *a, const struct ew_piece *b)
{
    return a->layer == b->layer && a->device == b->device && a->segment == b->segment &&
           a->chain == b->chain && a->sum == b->sum && a->role == b->role && a->pool == b->pool &&
           ew_box_equal(&a->box, &b->box) && a->reduction.lo == b->reduction.lo &&
           a->reduction.hi == b->reduction.hi;
}

static bool pools_equal(const struct ew_pool *a, const struct ew_pool *b)
{
    if (a->holder != b->holder || a->steal_bytes != b->steal_bytes ||
        a->n_members != b->n_members) {
        return false;
    }
    for (uint32_t i = 0; i < a->n_members; i++) {
        if (a->members[i] != b->members[i]) {
            return false;
        }
    }
    return true;
}

static bool boundaries_equal(const struct ew_boundary *a, const struct ew_boundary *b)
{
    return a->exchange == b->exchange && a->has_barrier == b->has_barrier &&
           a->wire_bits == b->wire_bits && a->hub == b->hub;
}

static bool segments_equal(const struct ew_plan *a, const struct ew_plan *b,
                           const struct ew_graph *graph)
{
    for (uint32_t s = 0; s < a->n_segments; s++) {
        const struct ew_segment *x = &a->segments[s], *y = &b->segments[s];
        if (x->image_lo != y->image_lo || x->image_hi != y->image_hi || x->variant != y->variant ||
            x->exit != y->exit) {
            return false;
        }
        const uint32_t n_layers = ew_segment_graph(graph, x)->n_layers;
        for (uint32_t l = 0; l < n_layers; l++) {
            const struct ew_boundary p = ew_plan_boundary(a, x->variant, l);
            const struct ew_boundary q = ew_plan_boundary(b, x->variant, l);
            if (!boundaries_equal(&p, &q)) {
                return false;
            }
        }
    }
    return true;
}

bool ew_plan_equal(const struct ew_plan *a, const struct ew_plan *b, const struct ew_graph *graph)
{
    if (a->batch != b->batch || a->source_device != b->source_device ||
        a->sink_device != b->sink_device || a->weights != b->weights ||
        a->n_segments != b->n_segments || a->n_pieces != b->n_pieces || a->n_pools != b->n_pools) {
        return false;
    }
    for (uint32_t i = 0; i < a->n_pools; i++) {
        if (!pools_equal(&a->pools[i], &b->pools[i])) {
            return false;
        }
    }
    for (uint32_t p = 0; p < a->n_pieces; p++) {
        if (!pieces_equal(&a->pieces[p], &b->pieces[p])) {
            return false;
        }
    }
    return segments_equal(a, b, graph);
}
