#include "sweep/candidates.h"

static const struct ew_book *book_at(const struct ew_candidates *candidates, uint32_t index)
{
    const struct ew_candidate_list *list = candidates ? candidates->ctx : NULL;
    return list && index < list->books.count ? list->books.items[index] : NULL;
}

static uint32_t count(const struct ew_candidates *candidates)
{
    const struct ew_candidate_list *list = candidates ? candidates->ctx : NULL;
    return list ? (uint32_t)list->books.count : 0;
}

static const char *maker(const struct ew_candidates *candidates, uint32_t index)
{
    const struct ew_book *book = book_at(candidates, index);
    return book ? book->strategy : NULL;
}

static int32_t load_piece(struct ew_plan_builder *builder, const struct ew_piece *piece)
{
    static const uint32_t roles[] = {
        [EW_PIECE_FULL] = EW_ROLE_FULL,
        [EW_PIECE_PARTIAL] = EW_ROLE_PARTIAL,
        [EW_PIECE_SUM] = EW_ROLE_SUM,
    };
    struct ew_piece_desc desc = {
        .struct_size = sizeof desc,
        .segment = piece->segment,
        .layer = piece->layer,
        .device = piece->device,
        .role = roles[piece->role],
        .chain = piece->chain,
        .sum_piece = piece->sum,
        .reduction_lo = piece->reduction.lo,
        .reduction_hi = piece->reduction.hi,
        .pool = piece->pool,
    };
    for (int d = 0; d < EW_DIMS; d++) {
        desc.box.lo[d] = piece->box.lo[d];
        desc.box.hi[d] = piece->box.hi[d];
    }
    const int32_t id = builder->add_piece(builder, &desc);
    return id < 0 ? id : EW_STRATEGY_OK;
}

/* Pools get the same ids anew. */
static int32_t load_pool(struct ew_plan_builder *builder, const struct ew_pool *pool)
{
    const struct ew_pool_desc desc = {
        .struct_size = sizeof desc,
        .holder = pool->holder,
        .steal_bytes = pool->steal_bytes,
        .members = pool->members,
        .n_members = pool->n_members,
    };
    return builder->add_pool(builder, &desc);
}

static int32_t load_boundary(struct ew_plan_builder *builder, uint32_t layer,
                             const struct ew_boundary *boundary)
{
    static const uint32_t modes[] = {
        [EW_EXCHANGE_DIRECT] = EW_EXCHANGE_MODE_DIRECT,
        [EW_EXCHANGE_RELAY] = EW_EXCHANGE_MODE_RELAY,
        [EW_EXCHANGE_GATHER] = EW_EXCHANGE_MODE_GATHER,
    };
    int32_t rc = EW_STRATEGY_OK;
    if (boundary->exchange != EW_EXCHANGE_DIRECT) {
        rc = builder->set_exchange(builder, layer, modes[boundary->exchange], boundary->hub);
    }
    if (rc >= 0 && boundary->has_barrier) {
        rc = builder->set_sync(builder, layer, EW_SYNC_BARRIER);
    }
    if (rc >= 0 && boundary->wire_bits) {
        rc = builder->set_wire_bits(builder, layer, boundary->wire_bits);
    }
    return rc;
}

/* The builder's calls speak of variant 0 only. */
static bool has_foreign_boundaries(const struct ew_plan *plan)
{
    for (uint32_t v = 1; v < plan->n_boundary_variants; v++) {
        if (plan->boundaries[v]) {
            return true;
        }
    }
    return false;
}

static int32_t load_plan(struct ew_plan_builder *builder, const struct ew_plan *plan,
                         uint32_t n_layers)
{
    static const uint32_t weights[] = {
        [EW_WEIGHTS_RESIDENT] = EW_WEIGHTS_MODE_RESIDENT,
        [EW_WEIGHTS_PER_REQUEST] = EW_WEIGHTS_MODE_PER_REQUEST,
        [EW_WEIGHTS_ON_CHANGE] = EW_WEIGHTS_MODE_ON_CHANGE,
    };
    int32_t rc = builder->begin_plan(builder, plan->name);
    for (uint32_t s = 0; s < plan->n_segments && rc >= 0; s++) {
        const struct ew_segment *segment = &plan->segments[s];
        rc = builder->assign(builder, segment->image_lo, segment->image_hi, segment->variant,
                             segment->exit);
    }
    for (uint32_t i = 0; i < plan->n_pools && rc >= 0; i++) {
        rc = load_pool(builder, &plan->pools[i]);
    }
    for (uint32_t p = 0; p < plan->n_pieces && rc >= 0; p++) {
        rc = load_piece(builder, &plan->pieces[p]);
    }
    const bool has_boundaries = plan->n_boundary_variants > 0 && plan->boundaries[0];
    for (uint32_t l = 0; has_boundaries && l < n_layers && rc >= 0; l++) {
        rc = load_boundary(builder, l, &plan->boundaries[0][l]);
    }
    return rc < 0 ? rc : builder->set_weights(builder, weights[plan->weights]);
}

static int32_t load(const struct ew_candidates *candidates, uint32_t index,
                    struct ew_plan_builder *builder)
{
    const struct ew_book *book = book_at(candidates, index);
    if (!book || !builder) {
        return EW_STRATEGY_EINVALID;
    }
    const struct ew_candidate_list *list = candidates->ctx;
    int32_t rc = builder->reset(builder);
    if (rc >= 0) {
        rc = has_foreign_boundaries(book->plans[0])
                 ? EW_STRATEGY_EINVALID
                 : load_plan(builder, book->plans[0], list->n_layers);
    }
    if (rc < 0) {
        (void)builder->reset(builder);
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

void ew_candidates_bind(struct ew_candidate_list *list, uint32_t n_layers)
{
    list->n_layers = n_layers;
    list->abi = (struct ew_candidates){
        .struct_size = sizeof list->abi,
        .ctx = list,
        .count = count,
        .maker = maker,
        .load = load,
    };
}

void ew_candidates_fini(struct ew_candidate_list *list)
{
    ew_vec_fini(&list->books);
}

enum ew_status ew_candidates_add(struct ew_candidate_list *list, const struct ew_book *book,
                                 struct ew_error *err)
{
    if (book->n_plans != 1 || book->pick != EW_PICK_ONLY) {
        return EW_OK;
    }
    return ew_vec_push(&list->books, book) ? EW_OK : ew_fail_memory(err);
}
