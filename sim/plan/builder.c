/*
 * Plan builder. Drafts keep their memory over reset, so that a search that builds thousands of
 * plans allocates only for the largest.
 *
 * Limits on plans, pieces, notes and text are far above any sensible plan: they stop a maker that
 * never stops before it takes all memory.
 */
#include "plan/builder_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PLANS = 4096,
    MAX_PIECES = 1 << 22, /* over all plans of the book */
    MAX_NOTES = 256,
    MAX_TEXT = 4096,
    MAX_SHARE = 1000000,
    MAX_WIRE_BITS = 64,
    MAX_STEAL_BYTES = 1 << 30,
};

struct ew_builder *ew_builder_new(const struct ew_plan_context *context)
{
    struct ew_builder *builder = calloc(1, sizeof *builder);
    if (builder) {
        builder->context = context;
    }
    return builder;
}

static void clear_notes(struct draft *draft)
{
    for (size_t i = 0; i < draft->notes.count; i++) {
        free(draft->notes.items[i].key);
        free(draft->notes.items[i].value);
    }
    draft->notes.count = 0;
}

static void clear_boundaries(struct draft *draft, const struct ew_graph *graph)
{
    for (uint32_t v = 0; draft->rows && v < graph->n_variants; v++) {
        struct draft_row *row = &draft->rows[v];
        if (row->is_used) {
            memset(row->items, 0, graph->variants[v].graph->n_layers * sizeof *row->items);
            row->is_used = false;
            draft->boundary_view[v] = NULL;
        }
    }
}

/* Empty a draft but keep its vectors. */
static void clear_draft(struct draft *draft, const struct ew_graph *graph)
{
    free(draft->name);
    free(draft->class_name);
    free(draft->infeasible_reason);
    clear_notes(draft);
    clear_boundaries(draft, graph);
    struct draft kept = {.rows = draft->rows, .boundary_view = draft->boundary_view};
    kept.segments.items = draft->segments.items;
    kept.segments.capacity = draft->segments.capacity;
    kept.pieces.items = draft->pieces.items;
    kept.pieces.capacity = draft->pieces.capacity;
    kept.pools.items = draft->pools.items;
    kept.pools.capacity = draft->pools.capacity;
    kept.members.items = draft->members.items;
    kept.members.capacity = draft->members.capacity;
    kept.notes.items = draft->notes.items;
    kept.notes.capacity = draft->notes.capacity;
    *draft = kept;
}

void ew_builder_reset(struct ew_builder *builder)
{
    for (size_t i = 0; i < builder->drafts.count; i++) {
        clear_draft(&builder->drafts.items[i], builder->context->graph);
    }
    builder->drafts.count = 0;
    builder->n_pieces = 0;
    builder->pick = EW_PICK_ONLY;
}

static void free_draft(struct draft *draft, uint32_t n_variants)
{
    ew_vec_fini(&draft->segments);
    ew_vec_fini(&draft->pieces);
    ew_vec_fini(&draft->pools);
    ew_vec_fini(&draft->members);
    ew_vec_fini(&draft->notes);
    for (uint32_t v = 0; draft->rows && v < n_variants; v++) {
        free(draft->rows[v].items);
    }
    free(draft->rows);
    free(draft->boundary_view);
}

void ew_builder_free(struct ew_builder *builder)
{
    if (!builder) {
        return;
    }
    ew_builder_reset(builder);
    for (size_t i = 0; i < builder->n_made; i++) {
        free_draft(&builder->drafts.items[i], builder->context->graph->n_variants);
    }
    ew_vec_fini(&builder->drafts);
    free(builder->peeked_notes);
    free(builder);
}

uint32_t ew_builder_plan_count(const struct ew_builder *builder)
{
    return (uint32_t)builder->drafts.count;
}

struct draft *builder_current(struct ew_builder *builder, struct ew_error *err)
{
    if (builder->drafts.count == 0) {
        (void)ew_fail(err, EW_EINPUT, "no plan has been begun: call begin_plan first");
        return NULL;
    }
    return &builder->drafts.items[builder->drafts.count - 1];
}

static enum ew_status copy_text(char **out, const char *text, const char *what,
                                struct ew_error *err)
{
    if (!text) {
        free(*out);
        *out = NULL;
        return EW_OK;
    }
    const size_t length = strnlen(text, MAX_TEXT + 1);
    if (length > MAX_TEXT) {
        return ew_fail(err, EW_EINPUT, "%s: expected at most %d bytes of text", what, MAX_TEXT);
    }
    char *copy = strndup(text, length);
    if (!copy) {
        return ew_fail_memory(err);
    }
    free(*out);
    *out = copy;
    return EW_OK;
}

enum ew_status ew_builder_begin_plan(struct ew_builder *builder, const char *name, int32_t batch,
                                     uint32_t source_device, uint32_t sink_device,
                                     struct ew_error *err)
{
    const uint32_t n_devices = builder->context->platform->n_devices;
    if (batch < 1) {
        return ew_fail(err, EW_EINPUT, "plan: expected a batch of at least 1, got %d", batch);
    }
    if (source_device >= n_devices || sink_device >= n_devices) {
        return ew_fail(err, EW_EINPUT,
                       "plan: expected source and sink below %u devices, got %u "
                       "and %u",
                       n_devices, source_device, sink_device);
    }
    if (builder->drafts.count >= MAX_PLANS) {
        return ew_fail(err, EW_EINPUT, "expected at most %d plans in a book", MAX_PLANS);
    }
    if (!ew_vec_reserve_one(&builder->drafts)) {
        return ew_fail_memory(err);
    }
    struct draft *draft = &builder->drafts.items[builder->drafts.count];
    if (builder->drafts.count == builder->n_made) {
        *draft = (struct draft){0};
        builder->n_made++;
    }
    const enum ew_status status = copy_text(&draft->name, name ? name : "", "plan name", err);
    if (status) {
        return status;
    }
    builder->drafts.count++;
    draft->batch = batch;
    draft->source_device = source_device;
    draft->sink_device = sink_device;
    draft->share_weight = 1;
    draft->latency_s = draft->energy_j = NAN;
    draft->whole = (struct ew_segment){0, batch, 0, builder->context->graph->n_exits - 1};
    return EW_OK;
}

enum ew_status ew_builder_set_batch(struct ew_builder *builder, int32_t batch, struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    if (batch < 1 || draft->segments.count || draft->pieces.count) {
        return ew_fail(err, EW_EINPUT,
                       batch < 1 ? "set_batch: expected at least one image"
                                 : "set_batch must come before assign and the first piece");
    }
    draft->batch = draft->whole.image_hi = batch;
    return EW_OK;
}

enum ew_status ew_builder_assign(struct ew_builder *builder, int32_t image_lo, int32_t image_hi,
                                 uint32_t variant, uint32_t exit, uint32_t *segment,
                                 struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    const struct ew_graph *graph = builder->context->graph;
    const int32_t next =
        draft->segments.count ? draft->segments.items[draft->segments.count - 1].image_hi : 0;
    if (draft->pieces.count && draft->segments.count == 0) {
        return ew_fail(err, EW_EINPUT, "assign must come before the first piece");
    }
    if (image_lo != next || image_hi <= image_lo || image_hi > draft->batch) {
        return ew_fail(err, EW_EINPUT,
                       "assign: expected images from %d up to at most %d, got "
                       "[%d, %d)",
                       next, draft->batch, image_lo, image_hi);
    }
    if (variant >= graph->n_variants) {
        return ew_fail(err, EW_EINPUT, "assign: expected a variant below %u, got %u",
                       graph->n_variants, variant);
    }
    if (exit >= graph->variants[variant].graph->n_exits) {
        return ew_fail(err, EW_EINPUT, "assign: expected an exit below %u, got %u",
                       graph->variants[variant].graph->n_exits, exit);
    }
    const struct ew_segment value = {image_lo, image_hi, variant, exit};
    if (!ew_vec_push(&draft->segments, value)) {
        return ew_fail_memory(err);
    }
    if (segment) {
        *segment = (uint32_t)draft->segments.count - 1;
    }
    return EW_OK;
}

static enum ew_status check_pool(const struct ew_builder *builder, const struct draft *draft,
                                 const struct ew_pool *pool, struct ew_error *err)
{
    const uint32_t n_devices = builder->context->platform->n_devices;
    if (draft->pools.count >= EW_MAX_POOLS) {
        return ew_fail(err, EW_EINPUT, "expected at most %d pools in a plan", EW_MAX_POOLS);
    }
    if (pool->holder >= n_devices) {
        return ew_fail(err, EW_EINPUT, "pool: expected a holder below %u devices, got %u",
                       n_devices, pool->holder);
    }
    if (pool->n_members < 1 || pool->n_members > n_devices) {
        return ew_fail(err, EW_EINPUT, "pool: expected 1 to %u members, got %u", n_devices,
                       pool->n_members);
    }
    if (pool->steal_bytes < 1 || pool->steal_bytes > MAX_STEAL_BYTES) {
        return ew_fail(err, EW_EINPUT,
                       "pool: expected a steal message of 1 to %d bytes, got %" PRIu64,
                       MAX_STEAL_BYTES, pool->steal_bytes);
    }
    for (uint32_t i = 0; i < pool->n_members; i++) {
        if (pool->members[i] >= n_devices) {
            return ew_fail(err, EW_EINPUT, "pool: expected members below %u devices, got %u",
                           n_devices, pool->members[i]);
        }
        for (uint32_t k = 0; k < i; k++) {
            if (pool->members[k] == pool->members[i]) {
                return ew_fail(err, EW_EINPUT, "pool: device %s is a member twice",
                               builder->context->platform->devices[pool->members[i]].name);
            }
        }
    }
    return EW_OK;
}

/* Growing moves the list of members: point into it anew. */
static void point_to_members(struct draft *draft)
{
    const uint32_t *next = draft->members.items;
    for (size_t i = 0; i < draft->pools.count; i++) {
        draft->pools.items[i].members = next;
        next += draft->pools.items[i].n_members;
    }
}

enum ew_status ew_builder_add_pool(struct ew_builder *builder, const struct ew_pool *pool,
                                   uint16_t *out, struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    const enum ew_status status = check_pool(builder, draft, pool, err);
    if (status) {
        return status;
    }
    if (!ew_vec_reserve_one(&draft->pools) ||
        !ew_vec_reserve(&draft->members, draft->members.count + pool->n_members)) {
        point_to_members(draft);
        return ew_fail_memory(err);
    }
    draft->pools.items[draft->pools.count++] = *pool;
    memcpy(draft->members.items + draft->members.count, pool->members,
           pool->n_members * sizeof *pool->members);
    draft->members.count += pool->n_members;
    point_to_members(draft);
    if (out) {
        *out = (uint16_t)draft->pools.count;
    }
    return EW_OK;
}

static const struct ew_segment *find_segment(const struct draft *draft, uint32_t index)
{
    if (draft->segments.count == 0) {
        return index == 0 ? &draft->whole : NULL;
    }
    return index < draft->segments.count ? &draft->segments.items[index] : NULL;
}

static enum ew_status check_sum_reference(const struct draft *draft, const struct ew_piece *piece,
                                          const struct ew_layer *layer, struct ew_error *err)
{
    const struct ew_op_view view = ew_layer_view(layer);
    const int32_t length = ew_op_reduction_length(&view);
    const struct ew_piece *sum =
        piece->sum < draft->pieces.count ? &draft->pieces.items[piece->sum] : NULL;
    if (!sum || sum->role != EW_PIECE_SUM || sum->layer != piece->layer ||
        sum->segment != piece->segment || !ew_box_equal(&sum->box, &piece->box)) {
        return ew_fail(err, EW_EINPUT,
                       "layer %s: a partial piece must name an earlier sum piece "
                       "of the same layer, segment and box",
                       layer->name);
    }
    if (piece->reduction.lo < 0 || piece->reduction.hi > length ||
        piece->reduction.lo >= piece->reduction.hi) {
        return ew_fail(err, EW_EINPUT,
                       "layer %s: expected a reduction inside [0, %d), got "
                       "[%d, %d)",
                       layer->name, length, piece->reduction.lo, piece->reduction.hi);
    }
    return EW_OK;
}

static enum ew_status check_pool_reference(const struct draft *draft, const struct ew_piece *piece,
                                           const struct ew_layer *layer, struct ew_error *err)
{
    if (piece->pool > draft->pools.count) {
        return ew_fail(err, EW_EINPUT, "layer %s: there is no pool %u, the plan has %zu",
                       layer->name, piece->pool - 1u, draft->pools.count);
    }
    if (piece->role != EW_PIECE_FULL || piece->chain == EW_NONE) {
        return ew_fail(err, EW_EINPUT,
                       "layer %s: a piece in a pool must be a full one and belong to a chain",
                       layer->name);
    }
    return EW_OK;
}

static enum ew_status check_piece(const struct ew_builder *builder, const struct draft *draft,
                                  const struct ew_piece *piece, struct ew_error *err)
{
    const struct ew_segment *segment = find_segment(draft, piece->segment);
    if (!segment) {
        return ew_fail(err, EW_EINPUT, "piece: there is no segment %u", piece->segment);
    }
    const struct ew_graph *graph = ew_segment_graph(builder->context->graph, segment);
    if (piece->layer >= graph->n_layers) {
        return ew_fail(err, EW_EINPUT, "piece: expected a layer below %u, got %u", graph->n_layers,
                       piece->layer);
    }
    const struct ew_layer *layer = &graph->layers[piece->layer];
    if (layer->op == EW_OP_INPUT) {
        return ew_fail(err, EW_EINPUT, "layer %s is a network input: it takes no piece",
                       layer->name);
    }
    if (!piece->pool && piece->device >= builder->context->platform->n_devices) {
        return ew_fail(err, EW_EINPUT, "layer %s: expected a device below %u, got %u", layer->name,
                       builder->context->platform->n_devices, piece->device);
    }
    if (piece->role > EW_PIECE_SUM) {
        return ew_fail(err, EW_EINPUT, "layer %s: unknown piece role %u", layer->name, piece->role);
    }
    struct ew_box whole = ew_box_full(layer->shape);
    whole.lo[EW_N] = segment->image_lo;
    whole.hi[EW_N] = segment->image_hi;
    if (ew_box_is_empty(&piece->box) || !ew_box_contains(&whole, &piece->box)) {
        return ew_fail(err, EW_EINPUT,
                       "layer %s: box [%d,%d)x[%d,%d)x[%d,%d)x[%d,%d) is empty or outside "
                       "[%d,%d)x[0,%d)x[0,%d)x[0,%d)",
                       layer->name, piece->box.lo[0], piece->box.hi[0], piece->box.lo[1],
                       piece->box.hi[1], piece->box.lo[2], piece->box.hi[2], piece->box.lo[3],
                       piece->box.hi[3], whole.lo[0], whole.hi[0], whole.hi[1], whole.hi[2],
                       whole.hi[3]);
    }
    if (ew_op_is_indivisible(layer->op) && !ew_box_is_whole_image(&piece->box, layer->shape)) {
        return ew_fail(err, EW_EINPUT,
                       "layer %s: op %s cannot be divided: one device computes all "
                       "of it",
                       layer->name, ew_op_name(layer->op));
    }
    if (piece->pool) {
        return check_pool_reference(draft, piece, layer, err);
    }
    return piece->role == EW_PIECE_PARTIAL ? check_sum_reference(draft, piece, layer, err) : EW_OK;
}

enum ew_status ew_builder_add_piece(struct ew_builder *builder, const struct ew_piece *piece,
                                    uint32_t *out, struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    const enum ew_status status = check_piece(builder, draft, piece, err);
    if (status) {
        return status;
    }
    if (builder->n_pieces >= MAX_PIECES) {
        return ew_fail(err, EW_EINPUT, "expected at most %d pieces in a book", MAX_PIECES);
    }
    if (!ew_vec_push(&draft->pieces, *piece)) {
        return ew_fail_memory(err);
    }
    builder->n_pieces++;
    struct ew_piece *added = &draft->pieces.items[draft->pieces.count - 1];
    if (added->pool) {
        added->device = draft->pools.items[added->pool - 1].holder;
    }
    if (added->role != EW_PIECE_PARTIAL) {
        added->sum = EW_NONE;
        added->reduction = (struct ew_reduction){0};
    }
    if (out) {
        *out = (uint32_t)draft->pieces.count - 1;
    }
    return EW_OK;
}

/* The row of a variant, made when first needed. */
static struct ew_boundary *boundary_row(const struct ew_builder *builder, struct draft *draft,
                                        uint32_t variant)
{
    const struct ew_graph *graph = builder->context->graph;
    if (!draft->rows) {
        draft->rows = calloc(graph->n_variants, sizeof *draft->rows);
    }
    if (!draft->boundary_view) {
        draft->boundary_view = calloc(graph->n_variants, sizeof *draft->boundary_view);
    }
    if (!draft->rows || !draft->boundary_view) {
        return NULL;
    }
    struct draft_row *row = &draft->rows[variant];
    if (!row->items) {
        row->items = calloc(graph->variants[variant].graph->n_layers, sizeof *row->items);
    }
    row->is_used = row->items != NULL;
    draft->boundary_view[variant] = row->items;
    return row->items;
}

static enum ew_status check_boundary_place(const struct ew_builder *builder, uint32_t variant,
                                           uint32_t layer, struct ew_error *err)
{
    const struct ew_graph *graph = builder->context->graph;
    if (variant >= graph->n_variants) {
        return ew_fail(err, EW_EINPUT, "boundary: expected a variant below %u, got %u",
                       graph->n_variants, variant);
    }
    const struct ew_graph *chosen = graph->variants[variant].graph;
    if (layer >= chosen->n_layers) {
        return ew_fail(err, EW_EINPUT, "boundary: expected a layer below %u, got %u",
                       chosen->n_layers, layer);
    }
    return EW_OK;
}

enum ew_status ew_builder_boundary(struct ew_boundary *out, struct ew_builder *builder,
                                   uint32_t variant, uint32_t layer, struct ew_error *err)
{
    const struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    const enum ew_status status = check_boundary_place(builder, variant, layer, err);
    if (status == EW_OK) {
        const bool is_used = draft->rows && draft->rows[variant].is_used;
        *out = is_used ? draft->rows[variant].items[layer] : (struct ew_boundary){0};
    }
    return status;
}

enum ew_status ew_builder_set_boundary(struct ew_builder *builder, uint32_t variant, uint32_t layer,
                                       struct ew_boundary boundary, struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    const enum ew_status status = check_boundary_place(builder, variant, layer, err);
    if (status) {
        return status;
    }
    const char *name = builder->context->graph->variants[variant].graph->layers[layer].name;
    if (boundary.exchange > EW_EXCHANGE_GATHER) {
        return ew_fail(err, EW_EINPUT, "boundary behind %s: unknown exchange mode %u", name,
                       boundary.exchange);
    }
    if (boundary.exchange != EW_EXCHANGE_DIRECT &&
        boundary.hub >= builder->context->platform->n_devices) {
        return ew_fail(err, EW_EINPUT,
                       "boundary behind %s: relay and gather need a hub below %u devices, got %u",
                       name, builder->context->platform->n_devices, boundary.hub);
    }
    if (boundary.wire_bits > MAX_WIRE_BITS) {
        return ew_fail(err, EW_EINPUT,
                       "boundary behind %s: expected 0 to %d bits per element, got %u", name,
                       MAX_WIRE_BITS, boundary.wire_bits);
    }
    struct ew_boundary *row = boundary_row(builder, draft, variant);
    if (!row) {
        return ew_fail_memory(err);
    }
    row[layer] = boundary;
    return EW_OK;
}

enum ew_status ew_builder_set_weights(struct ew_builder *builder, enum ew_weights weights,
                                      struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    if ((int)weights < 0 || weights > EW_WEIGHTS_ON_CHANGE) {
        return ew_fail(err, EW_EINPUT, "weights: unknown mode %d", (int)weights);
    }
    draft->weights = (uint8_t)weights;
    return EW_OK;
}

enum ew_status ew_builder_set_note(struct ew_builder *builder, const char *key, const char *value,
                                   struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    if (!key || !*key || !value) {
        return ew_fail(err, EW_EINPUT, "note: expected a key and a value");
    }
    for (size_t i = 0; i < draft->notes.count; i++) {
        if (strcmp(draft->notes.items[i].key, key) == 0) {
            return copy_text(&draft->notes.items[i].value, value, "note", err);
        }
    }
    if (draft->notes.count >= MAX_NOTES) {
        return ew_fail(err, EW_EINPUT, "note '%.64s': expected at most %d notes on a plan", key,
                       MAX_NOTES);
    }
    struct draft_note note = {0};
    enum ew_status status = copy_text(&note.key, key, "note key", err);
    if (status == EW_OK) {
        status = copy_text(&note.value, value, "note", err);
    }
    if (status == EW_OK && !ew_vec_push(&draft->notes, note)) {
        status = ew_fail_memory(err);
    }
    if (status) {
        free(note.key);
        free(note.value);
    }
    return status;
}

enum ew_status ew_builder_set_prediction(struct ew_builder *builder, double latency_s,
                                         double energy_j, const char *infeasible_reason,
                                         struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    if (isinf(latency_s) || latency_s < 0 || isinf(energy_j) || energy_j < 0) {
        return ew_fail(err, EW_EINPUT,
                       "prediction: expected seconds and joules >= 0 (or NAN for "
                       "unknown), got %g and %g",
                       latency_s, energy_j);
    }
    const enum ew_status status =
        copy_text(&draft->infeasible_reason, infeasible_reason, "infeasible reason", err);
    if (status == EW_OK) {
        draft->latency_s = latency_s;
        draft->energy_j = energy_j;
    }
    return status;
}

enum ew_status ew_builder_set_share(struct ew_builder *builder, uint32_t weight, double probability,
                                    const char *class_name, struct ew_error *err)
{
    struct draft *draft = builder_current(builder, err);
    if (!draft) {
        return EW_EINPUT;
    }
    if (!(probability >= 0 && probability <= 1)) {
        return ew_fail(err, EW_EINPUT, "share: expected a probability from 0 to 1, got %g",
                       probability);
    }
    if (weight > MAX_SHARE) {
        return ew_fail(err, EW_EINPUT, "share: expected a weight up to %d, got %u", MAX_SHARE,
                       weight);
    }
    const enum ew_status status = copy_text(&draft->class_name, class_name, "class name", err);
    if (status == EW_OK) {
        draft->share_weight = weight;
        draft->probability = probability;
    }
    return status;
}

enum ew_status ew_builder_set_pick(struct ew_builder *builder, enum ew_pick pick,
                                   struct ew_error *err)
{
    if ((int)pick < 0 || pick > EW_PICK_ONLINE) {
        return ew_fail(err, EW_EINPUT, "pick: unknown rule %d", (int)pick);
    }
    builder->pick = (uint8_t)pick;
    return EW_OK;
}
