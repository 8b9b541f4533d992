/*
 * What a plan keeps and does on every device, and how much it computes twice.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/lower_internal.h"

static uint64_t output_bytes(const struct ew_lower *lower, const struct ew_piece *piece)
{
    return (uint64_t)ceil((double)ew_box_volume(&piece->box) *
                          lw_element_bytes(lower, lw_layer(lower, piece)));
}

static bool is_spatial(const struct ew_layer *layer)
{
    const enum ew_op_class cls = ew_op_class(layer->op);
    return cls == EW_CLASS_CONV || cls == EW_CLASS_POOL;
}

/* ------------------------------------------------------------------------------------- weights */

/* Weights of one layer of one variant on every device: parameters for the hull of the channels and
 * reductions that its pieces there need, over all segments of that variant. */
struct hulls {
    struct ew_box *box; /* per device */
    struct ew_reduction *reduction;
    uint32_t *seen; /* devices touched, in order */
    uint32_t n_seen;
    bool *is_seen;
};

static void widen(struct hulls *hulls, const struct ew_piece *piece, int32_t reduction_length,
                  uint32_t d)
{
    const struct ew_reduction reduction = piece->role == EW_PIECE_PARTIAL
                                              ? piece->reduction
                                              : (struct ew_reduction){0, reduction_length};
    if (!hulls->is_seen[d]) {
        hulls->is_seen[d] = true;
        hulls->seen[hulls->n_seen++] = d;
        hulls->box[d] = piece->box;
        hulls->reduction[d] = reduction;
        return;
    }
    hulls->box[d] = ew_box_hull(&hulls->box[d], &piece->box);
    if (reduction.lo < hulls->reduction[d].lo) {
        hulls->reduction[d].lo = reduction.lo;
    }
    if (reduction.hi > hulls->reduction[d].hi) {
        hulls->reduction[d].hi = reduction.hi;
    }
}

/* A piece in a pool may come to any member. */
static void widen_all(const struct ew_lower *lower, struct hulls *hulls,
                      const struct ew_piece *piece, int32_t reduction_length)
{
    if (!lw_is_unit(lower, piece->device)) {
        widen(hulls, piece, reduction_length, piece->device);
        return;
    }
    const struct ew_pool *pool = lw_pool_of(lower, piece->device);
    for (uint32_t m = 0; m < pool->n_members; m++) {
        widen(hulls, piece, reduction_length, pool->members[m]);
    }
}

static void weigh_layer(struct ew_lower *lower, struct hulls *hulls, uint32_t first_segment,
                        uint32_t layer_id)
{
    const struct ew_plan *plan = lower->plan;
    const uint32_t variant = plan->segments[first_segment].variant;
    const struct ew_graph *graph =
        ew_segment_graph(lower->context->graph, &plan->segments[first_segment]);
    const struct ew_layer *layer = &graph->layers[layer_id];
    if (layer->params == 0) {
        return;
    }
    const struct ew_op_view view = ew_layer_view(layer);
    const int32_t length = ew_op_reduction_length(&view);
    hulls->n_seen = 0;
    for (uint32_t s = first_segment; s < plan->n_segments; s++) {
        if (plan->segments[s].variant != variant) {
            continue;
        }
        const struct lw_bucket *bucket =
            &lower->buckets.items[lower->first_bucket.items[s] + layer_id];
        for (uint32_t i = 0; i < bucket->count; i++) {
            const struct ew_piece *piece =
                &lower->pieces.items[lower->order.items[bucket->first + i]];
            if (piece->role != EW_PIECE_SUM) {
                widen_all(lower, hulls, piece, length);
            }
        }
    }
    for (uint32_t i = 0; i < hulls->n_seen; i++) {
        const uint32_t d = hulls->seen[i];
        hulls->is_seen[d] = false;
        const bool is_whole = hulls->reduction[d].lo == 0 && hulls->reduction[d].hi == length;
        const uint64_t params =
            ew_op_params_for(&view, &hulls->box[d], is_whole ? NULL : &hulls->reduction[d]);
        lower->devices.items[d].weight_bytes +=
            (uint64_t)ceil((double)params * lower->context->element_bytes.weight);
    }
}

static bool is_first_of_variant(const struct ew_plan *plan, uint32_t s)
{
    for (uint32_t i = 0; i < s; i++) {
        if (plan->segments[i].variant == plan->segments[s].variant) {
            return false;
        }
    }
    return true;
}

static enum ew_status weigh(struct ew_lower *lower)
{
    const uint32_t n = lower->context->platform->n_devices;
    struct ew_arena arena = {0};
    struct hulls hulls = {
        .box = ew_arena_calloc(&arena, n, sizeof *hulls.box),
        .reduction = ew_arena_calloc(&arena, n, sizeof *hulls.reduction),
        .seen = ew_arena_calloc(&arena, n, sizeof *hulls.seen),
        .is_seen = ew_arena_calloc(&arena, n, sizeof *hulls.is_seen),
    };
    const bool is_ok = hulls.box && hulls.reduction && hulls.seen && hulls.is_seen;
    for (uint32_t s = 0; is_ok && s < lower->plan->n_segments; s++) {
        if (!is_first_of_variant(lower->plan, s)) {
            continue;
        }
        const struct ew_graph *graph =
            ew_segment_graph(lower->context->graph, &lower->plan->segments[s]);
        for (uint32_t l = 0; l < graph->n_layers; l++) {
            weigh_layer(lower, &hulls, s, l);
        }
    }
    ew_arena_fini(&arena);
    return is_ok ? EW_OK : ew_fail_memory(lower->err);
}

/* -------------------------------------------------------------------------------------- memory */

/* Sweep over pieces in walk order: an output lives on its device from its piece to its last local
 * reader; parts received from others live while the piece that reads them runs. */
static enum ew_status sweep_memory(struct ew_lower *lower)
{
    const size_t n = lower->walk.count;
    const uint32_t n_places = lw_place_count(lower);
    if (!ew_vec_reserve(&lower->scratch_a, n + 1) || !ew_vec_reserve(&lower->scratch_b, n) ||
        !ew_vec_reserve(&lower->live_bytes, n_places)) {
        return ew_fail_memory(lower->err);
    }
    /* linked lists: scratch_a[position] heads the pieces whose last reader is there */
    uint32_t *head = lower->scratch_a.items;
    uint32_t *next = lower->scratch_b.items;
    memset(head, 0xff, (n + 1) * sizeof *head);
    for (size_t i = 0; i < n; i++) {
        const uint32_t last = lower->last_use.items[lower->walk.items[i]];
        const size_t end = last == EW_NONE ? i : last;
        next[i] = head[end];
        head[end] = (uint32_t)i;
    }
    memset(lower->live_bytes.items, 0, n_places * sizeof(uint64_t));
    for (size_t i = 0; i < n; i++) {
        const uint32_t number = lower->walk.items[i];
        const struct ew_piece *piece = &lower->pieces.items[number];
        uint64_t *live = &lower->live_bytes.items[piece->device];
        struct ew_device_load *load = &lower->devices.items[piece->device];
        *live += output_bytes(lower, piece);
        const uint64_t working = *live + lower->remote_bytes.items[number];
        load->peak_working_bytes =
            working > load->peak_working_bytes ? working : load->peak_working_bytes;
        for (uint32_t k = head[i]; k != EW_NONE; k = next[k]) {
            const struct ew_piece *gone = &lower->pieces.items[lower->walk.items[k]];
            lower->live_bytes.items[gone->device] -= output_bytes(lower, gone);
        }
    }
    return EW_OK;
}

/* A member runs one unit of its pools at a time, beside what it does anyway. */
static enum ew_status add_unit_memory(struct ew_lower *lower)
{
    const uint32_t n_devices = lower->context->platform->n_devices;
    uint64_t *largest = calloc(n_devices, sizeof *largest);
    if (!largest) {
        return ew_fail_memory(lower->err);
    }
    for (uint32_t place = n_devices; place < lw_place_count(lower); place++) {
        const struct ew_pool *pool = lw_pool_of(lower, place);
        const uint64_t working = lower->devices.items[place].peak_working_bytes;
        for (uint32_t m = 0; m < pool->n_members; m++) {
            uint64_t *mine = &largest[pool->members[m]];
            *mine = working > *mine ? working : *mine;
        }
    }
    for (uint32_t d = 0; d < n_devices; d++) {
        lower->devices.items[d].peak_working_bytes += largest[d];
    }
    free(largest);
    return EW_OK;
}

/* --------------------------------------------------------------------------------------- counts */

static enum ew_status count_bucket(struct ew_lower *lower, uint32_t b, const struct ew_layer *layer)
{
    struct ew_plan_stats *stats = &lower->graph.stats;
    const struct lw_bucket *bucket = &lower->buckets.items[b];
    uint64_t computed = 0;
    for (uint32_t i = 0; i < bucket->count; i++) {
        const struct ew_piece *piece = &lower->pieces.items[lower->order.items[bucket->first + i]];
        computed += piece->role == EW_PIECE_PARTIAL ? 0 : ew_box_volume(&piece->box);
    }
    uint64_t needed;
    const enum ew_status status = lw_bucket_union(&needed, lower, b);
    if (status) {
        return status;
    }
    stats->computed_elements += computed;
    stats->needed_elements += needed;
    /* macs are the same for every output element of a layer */
    stats->redundant_macs +=
        layer->elements ? (computed - needed) * (layer->macs / layer->elements) : 0;
    return EW_OK;
}

static double expected_accuracy(const struct ew_lower *lower)
{
    double sum = 0;
    for (uint32_t s = 0; s < lower->plan->n_segments; s++) {
        const struct ew_segment *segment = &lower->plan->segments[s];
        const struct ew_graph *graph = ew_segment_graph(lower->context->graph, segment);
        sum += graph->exits[segment->exit].accuracy * (segment->image_hi - segment->image_lo);
    }
    return sum / lower->plan->batch;
}

/* Work of a piece in a pool, in the parts that keep all members equally long busy. */
static void share_work(struct ew_lower *lower, const struct ew_piece *piece, uint32_t node,
                       double rows)
{
    const struct ew_pool *pool = lw_pool_of(lower, piece->device);
    const double *work_s = lower->work_s.items + lower->info.items[node].work_row;
    double speed = 0;
    for (uint32_t m = 0; m < pool->n_members; m++) {
        speed += work_s[m] > 0 ? 1 / work_s[m] : 0;
    }
    uint64_t macs_left = lower->info.items[node].macs;
    for (uint32_t m = pool->n_members; m-- > 0;) {
        const double part = speed <= 0      ? 1.0 / pool->n_members
                            : work_s[m] > 0 ? 1 / work_s[m] / speed
                                            : 0;
        struct ew_device_load *load = &lower->devices.items[pool->members[m]];
        uint64_t macs = (uint64_t)(part * (double)lower->info.items[node].macs);
        macs = m == 0 || macs > macs_left ? macs_left : macs;
        macs_left -= macs;
        load->work_s += part * work_s[m];
        load->macs += macs;
        load->rows_share += part * rows;
    }
}

static void count_work(struct ew_lower *lower)
{
    uint64_t spatial = 0;
    for (size_t i = 0; i < lower->walk.count; i++) {
        const uint32_t number = lower->walk.items[i];
        const struct ew_piece *piece = &lower->pieces.items[number];
        const uint32_t node = lower->piece_node.items[number];
        const bool has_rows = is_spatial(lw_layer(lower, piece)) && piece->role != EW_PIECE_PARTIAL;
        const uint64_t rows = has_rows ? ew_box_volume(&piece->box) : 0;
        spatial += rows;
        lower->graph.stats.macs += lower->info.items[node].macs;
        if (lw_is_unit(lower, piece->device)) {
            share_work(lower, piece, node, (double)rows);
            continue;
        }
        struct ew_device_load *load = &lower->devices.items[piece->device];
        load->work_s += lower->nodes.items[node].work_s;
        load->macs += lower->info.items[node].macs;
        load->rows_share += (double)rows;
    }
    for (size_t d = 0; d < lower->context->platform->n_devices; d++) {
        lower->devices.items[d].rows_share /= spatial ? (double)spatial : 1;
    }
}

enum ew_status lw_stats(struct ew_lower *lower)
{
    const uint32_t n_places = lw_place_count(lower);
    if (!ew_vec_reserve(&lower->devices, n_places)) {
        return ew_fail_memory(lower->err);
    }
    lower->devices.count = n_places;
    memset(lower->devices.items, 0, n_places * sizeof *lower->devices.items);
    lower->graph.stats = (struct ew_plan_stats){.expected_accuracy = expected_accuracy(lower)};
    enum ew_status status = weigh(lower);
    if (status == EW_OK) {
        status = sweep_memory(lower);
    }
    if (status == EW_OK && lower->units.count) {
        status = add_unit_memory(lower);
    }
    for (uint32_t s = 0; s < lower->plan->n_segments && status == EW_OK; s++) {
        const struct ew_graph *graph =
            ew_segment_graph(lower->context->graph, &lower->plan->segments[s]);
        for (uint32_t l = 0; l < graph->n_layers && status == EW_OK; l++) {
            const uint32_t b = lower->first_bucket.items[s] + l;
            if (lower->buckets.items[b].count && graph->layers[l].op != EW_OP_INPUT) {
                status = count_bucket(lower, b, &graph->layers[l]);
            }
        }
    }
    count_work(lower);
    return status;
}
