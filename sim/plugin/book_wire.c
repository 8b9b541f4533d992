#include "plugin/book_wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/builder.h"

enum { WIRE_MAGIC = 0x45574231 };

/* In place of a text's length: there is none. */
static const uint32_t NO_TEXT = UINT32_MAX;

/* ----------------------------------------------------------------------------------------- writing
 */

static void put_u32(struct ew_str *out, uint32_t value)
{
    ew_str_append_n(out, (const char *)&value, sizeof value);
}

static void put_i32(struct ew_str *out, int32_t value)
{
    ew_str_append_n(out, (const char *)&value, sizeof value);
}

static void put_f64(struct ew_str *out, double value)
{
    ew_str_append_n(out, (const char *)&value, sizeof value);
}

static void put_text(struct ew_str *out, const char *text)
{
    if (!text) {
        put_u32(out, NO_TEXT);
        return;
    }
    const size_t length = strlen(text);
    put_u32(out, (uint32_t)length);
    ew_str_append_n(out, text, length + 1); /* with its end, so that readers need not copy */
}

static void put_piece(struct ew_str *out, const struct ew_piece *piece)
{
    put_u32(out, piece->layer);
    put_u32(out, piece->device);
    put_u32(out, piece->segment);
    put_u32(out, piece->chain);
    put_u32(out, piece->sum);
    put_u32(out, piece->role);
    put_u32(out, piece->pool);
    put_i32(out, piece->reduction.lo);
    put_i32(out, piece->reduction.hi);
    for (int d = 0; d < EW_DIMS; d++) {
        put_i32(out, piece->box.lo[d]);
        put_i32(out, piece->box.hi[d]);
    }
}

static void put_pool(struct ew_str *out, const struct ew_pool *pool)
{
    put_u32(out, pool->holder);
    put_u32(out, (uint32_t)pool->steal_bytes);
    put_u32(out, pool->n_members);
    for (uint32_t i = 0; i < pool->n_members; i++) {
        put_u32(out, pool->members[i]);
    }
}

static bool is_plain(const struct ew_boundary *boundary)
{
    return boundary->exchange == EW_EXCHANGE_DIRECT && !boundary->has_barrier &&
           boundary->wire_bits == 0;
}

/* Only boundaries that say something, after their number. */
static void put_boundaries(struct ew_str *out, const struct ew_graph *graph,
                           const struct ew_plan *plan)
{
    uint32_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            put_u32(out, n);
        }
        for (uint32_t v = 0; v < plan->n_boundary_variants; v++) {
            const uint32_t n_layers = plan->boundaries[v] ? graph->variants[v].graph->n_layers : 0;
            for (uint32_t layer = 0; layer < n_layers; layer++) {
                const struct ew_boundary *boundary = &plan->boundaries[v][layer];
                if (is_plain(boundary)) {
                    continue;
                }
                if (pass == 0) {
                    n++;
                } else {
                    put_u32(out, v);
                    put_u32(out, layer);
                    put_u32(out, boundary->exchange);
                    put_u32(out, boundary->has_barrier);
                    put_u32(out, boundary->wire_bits);
                    put_u32(out, boundary->hub);
                }
            }
        }
    }
}

static void put_plan(struct ew_str *out, const struct ew_graph *graph, const struct ew_plan *plan)
{
    put_text(out, plan->name);
    put_i32(out, plan->batch);
    put_u32(out, plan->source_device);
    put_u32(out, plan->sink_device);
    put_u32(out, plan->weights);
    put_u32(out, plan->weight);
    put_f64(out, plan->probability);
    put_text(out, plan->class_name);
    put_f64(out, plan->predicted_latency_s);
    put_f64(out, plan->predicted_energy_j);
    put_text(out, plan->infeasible_reason);
    put_u32(out, plan->n_segments);
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        put_i32(out, plan->segments[i].image_lo);
        put_i32(out, plan->segments[i].image_hi);
        put_u32(out, plan->segments[i].variant);
        put_u32(out, plan->segments[i].exit);
    }
    put_u32(out, plan->n_pools);
    for (uint32_t i = 0; i < plan->n_pools; i++) {
        put_pool(out, &plan->pools[i]);
    }
    put_u32(out, plan->n_pieces);
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        put_piece(out, &plan->pieces[i]);
    }
    put_boundaries(out, graph, plan);
    put_u32(out, plan->n_notes);
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        put_text(out, plan->notes[i].key);
        put_text(out, plan->notes[i].value);
    }
}

void ew_book_wire_put(struct ew_str *out, const struct ew_plan_context *context,
                      const struct ew_book *book)
{
    put_u32(out, WIRE_MAGIC);
    put_text(out, book->strategy);
    put_u32(out, book->pick);
    put_u32(out, book->n_plans);
    for (uint32_t i = 0; i < book->n_plans; i++) {
        put_plan(out, context->graph, book->plans[i]);
    }
    put_u32(out, WIRE_MAGIC);
}

/* ----------------------------------------------------------------------------------------- reading
 */

/* Position in the bytes. After a read beyond the end `is_short` is set and zeros are read. */
struct reader {
    const char *at;
    size_t left;
    bool is_short;
    struct ew_builder *builder;
    struct ew_error *err;
};

static void get(struct reader *r, void *out, size_t size)
{
    if (r->left < size) {
        r->is_short = true;
        r->left = 0;
        memset(out, 0, size);
        return;
    }
    memcpy(out, r->at, size);
    r->at += size;
    r->left -= size;
}

static uint32_t get_u32(struct reader *r)
{
    uint32_t value;
    get(r, &value, sizeof value);
    return value;
}

static int32_t get_i32(struct reader *r)
{
    int32_t value;
    get(r, &value, sizeof value);
    return value;
}

static double get_f64(struct reader *r)
{
    double value;
    get(r, &value, sizeof value);
    return value;
}

/* Points into the bytes; NULL when there is no text. */
static const char *get_text(struct reader *r)
{
    const uint32_t length = get_u32(r);
    if (length == NO_TEXT || r->is_short) {
        return NULL;
    }
    if (length >= r->left || r->at[length] != '\0') {
        r->is_short = true;
        r->left = 0;
        return NULL;
    }
    const char *text = r->at;
    r->at += length + 1;
    r->left -= length + 1;
    return text;
}

static enum ew_status fail_damaged(struct reader *r)
{
    return ew_fail(r->err, EW_EPLUGIN, "the plan that came back is damaged");
}

static enum ew_status get_piece(struct reader *r)
{
    struct ew_piece piece = {0};
    piece.layer = get_u32(r);
    piece.device = get_u32(r);
    piece.segment = get_u32(r);
    piece.chain = get_u32(r);
    piece.sum = get_u32(r);
    const uint32_t role = get_u32(r);
    piece.role = role < UINT8_MAX ? (uint8_t)role : UINT8_MAX;
    const uint32_t pool = get_u32(r);
    piece.pool = pool < UINT16_MAX ? (uint16_t)pool : UINT16_MAX;
    piece.reduction.lo = get_i32(r);
    piece.reduction.hi = get_i32(r);
    for (int d = 0; d < EW_DIMS; d++) {
        piece.box.lo[d] = get_i32(r);
        piece.box.hi[d] = get_i32(r);
    }
    return r->is_short ? fail_damaged(r) : ew_builder_add_piece(r->builder, &piece, NULL, r->err);
}

static enum ew_status get_pool(struct reader *r)
{
    struct ew_pool pool = {.holder = get_u32(r)};
    pool.steal_bytes = get_u32(r);
    pool.n_members = get_u32(r);
    if (r->is_short || pool.n_members > r->left / sizeof(uint32_t)) {
        return fail_damaged(r);
    }
    uint32_t *members = malloc((pool.n_members + 1u) * sizeof *members);
    if (!members) {
        return ew_fail_memory(r->err);
    }
    for (uint32_t i = 0; i < pool.n_members; i++) {
        members[i] = get_u32(r);
    }
    pool.members = members;
    const enum ew_status status = ew_builder_add_pool(r->builder, &pool, NULL, r->err);
    free(members);
    return status;
}

static enum ew_status get_boundary(struct reader *r)
{
    const uint32_t variant = get_u32(r);
    const uint32_t layer = get_u32(r);
    const uint32_t exchange = get_u32(r);
    const uint32_t has_barrier = get_u32(r);
    const uint32_t wire_bits = get_u32(r);
    const struct ew_boundary boundary = {
        .exchange = exchange < UINT8_MAX ? (uint8_t)exchange : UINT8_MAX,
        .has_barrier = has_barrier != 0,
        .wire_bits = wire_bits < UINT8_MAX ? (uint8_t)wire_bits : UINT8_MAX,
        .hub = get_u32(r),
    };
    return r->is_short ? fail_damaged(r)
                       : ew_builder_set_boundary(r->builder, variant, layer, boundary, r->err);
}

static enum ew_status get_segment(struct reader *r)
{
    const int32_t image_lo = get_i32(r);
    const int32_t image_hi = get_i32(r);
    const uint32_t variant = get_u32(r);
    const uint32_t exit = get_u32(r);
    return r->is_short
               ? fail_damaged(r)
               : ew_builder_assign(r->builder, image_lo, image_hi, variant, exit, NULL, r->err);
}

static enum ew_status get_note(struct reader *r)
{
    const char *key = get_text(r);
    const char *value = get_text(r);
    return r->is_short ? fail_damaged(r) : ew_builder_set_note(r->builder, key, value, r->err);
}

/* A number of things, then the things. */
static enum ew_status get_list(struct reader *r, enum ew_status (*get_one)(struct reader *r))
{
    const uint32_t n = get_u32(r);
    enum ew_status status = r->is_short ? fail_damaged(r) : EW_OK;
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        status = get_one(r);
    }
    return status;
}

/* What stands before the lists. */
static enum ew_status get_plan_head(struct reader *r)
{
    const char *name = get_text(r);
    const int32_t batch = get_i32(r);
    const uint32_t source = get_u32(r);
    const uint32_t sink = get_u32(r);
    const uint32_t weights = get_u32(r);
    const uint32_t weight = get_u32(r);
    const double probability = get_f64(r);
    const char *class_name = get_text(r);
    const double latency_s = get_f64(r);
    const double energy_j = get_f64(r);
    const char *infeasible_reason = get_text(r);
    if (r->is_short || weights > EW_WEIGHTS_ON_CHANGE) {
        return fail_damaged(r);
    }
    enum ew_status status = ew_builder_begin_plan(r->builder, name, batch, source, sink, r->err);
    if (status == EW_OK) {
        status = ew_builder_set_weights(r->builder, (enum ew_weights)weights, r->err);
    }
    if (status == EW_OK) {
        status = ew_builder_set_share(r->builder, weight, probability, class_name, r->err);
    }
    if (status == EW_OK) {
        status =
            ew_builder_set_prediction(r->builder, latency_s, energy_j, infeasible_reason, r->err);
    }
    return status;
}

static enum ew_status get_plan(struct reader *r)
{
    enum ew_status status = get_plan_head(r);
    if (status == EW_OK) {
        status = get_list(r, get_segment);
    }
    if (status == EW_OK) {
        status = get_list(r, get_pool);
    }
    if (status == EW_OK) {
        status = get_list(r, get_piece);
    }
    if (status == EW_OK) {
        status = get_list(r, get_boundary);
    }
    return status == EW_OK ? get_list(r, get_note) : status;
}

static enum ew_status get_book(struct ew_book **out, struct reader *r)
{
    const uint32_t magic = get_u32(r);
    const char *strategy = get_text(r);
    const uint32_t pick = get_u32(r);
    if (r->is_short || magic != WIRE_MAGIC || pick > EW_PICK_ONLINE) {
        return fail_damaged(r);
    }
    enum ew_status status = ew_builder_set_pick(r->builder, (enum ew_pick)pick, r->err);
    if (status == EW_OK) {
        status = get_list(r, get_plan);
    }
    if (status == EW_OK && (get_u32(r) != WIRE_MAGIC || r->left != 0)) {
        status = fail_damaged(r);
    }
    return status == EW_OK ? ew_builder_finish(out, r->builder, strategy, r->err) : status;
}

enum ew_status ew_book_wire_get(struct ew_book **out, const char *bytes, size_t size,
                                const struct ew_plan_context *context, struct ew_error *err)
{
    struct ew_error own = {0};
    struct reader r = {
        .at = bytes,
        .left = size,
        .builder = ew_builder_new(context),
        .err = err ? err : &own,
    };
    if (!r.builder) {
        return ew_fail_memory(err);
    }
    enum ew_status status = get_book(out, &r);
    if (status == EW_EINPUT) { /* the builder's word for a bad id */
        r.err->status = status = EW_EPLUGIN;
    }
    ew_builder_free(r.builder);
    return status;
}
