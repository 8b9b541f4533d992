/*
 * Who holds what: resolves a read against the pieces of a layer.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/lower_internal.h"

/* ------------------------------------------------------------------------- sorted piece lists */

static int32_t extent(const struct ew_box *box, int dim)
{
    return box->hi[dim] - box->lo[dim];
}

/* The dimension in which the pieces lie apart the most, counted in distinct neighbours. */
static uint8_t split_dimension(const struct ew_lower *lower, const struct lw_bucket *bucket)
{
    uint8_t best = EW_H;
    uint32_t most = 0;
    for (uint8_t d = 0; d < EW_DIMS; d++) {
        uint32_t changes = 0;
        for (uint32_t i = 1; i < bucket->count; i++) {
            const uint32_t a = lower->order.items[bucket->first + i - 1];
            const uint32_t b = lower->order.items[bucket->first + i];
            changes += lower->pieces.items[a].box.lo[d] != lower->pieces.items[b].box.lo[d];
        }
        if (changes > most) {
            most = changes;
            best = d;
        }
    }
    return best;
}

static int32_t sort_key(const struct ew_lower *lower, uint32_t piece, uint8_t dim)
{
    return lower->pieces.items[piece].box.lo[dim];
}

/* Merge sort by (lo, number); input is in number order, so stability gives the second key. */
static void merge_sort(const struct ew_lower *lower, uint32_t *a, uint32_t *tmp, size_t n,
                       uint8_t dim)
{
    if (n < 2) {
        return;
    }
    bool is_sorted = true;
    for (size_t i = 1; i < n && is_sorted; i++) {
        is_sorted = sort_key(lower, a[i - 1], dim) <= sort_key(lower, a[i], dim);
    }
    if (is_sorted) {
        return;
    }
    const size_t half = n / 2;
    merge_sort(lower, a, tmp, half, dim);
    merge_sort(lower, a + half, tmp, n - half, dim);
    memcpy(tmp, a, half * sizeof *a);
    size_t i = 0, j = half, k = 0;
    while (i < half && j < n) {
        if (sort_key(lower, a[j], dim) < sort_key(lower, tmp[i], dim)) {
            a[k++] = a[j++];
        } else {
            a[k++] = tmp[i++];
        }
    }
    while (i < half) {
        a[k++] = tmp[i++];
    }
}

enum ew_status lw_sort_bucket(struct ew_lower *lower, uint32_t b)
{
    struct lw_bucket *bucket = &lower->buckets.items[b];
    if (bucket->is_sorted) {
        return EW_OK;
    }
    bucket->is_sorted = true;
    bucket->dim = split_dimension(lower, bucket);
    uint32_t *sorted = lower->sorted.items + bucket->first;
    memcpy(sorted, lower->order.items + bucket->first, bucket->count * sizeof *sorted);
    if (!ew_vec_reserve(&lower->scratch_a, bucket->count)) {
        return ew_fail_memory(lower->err);
    }
    merge_sort(lower, sorted, lower->scratch_a.items, bucket->count, bucket->dim);
    bucket->max_extent = 0;
    for (uint32_t i = 0; i < bucket->count; i++) {
        const int32_t e = extent(&lower->pieces.items[sorted[i]].box, bucket->dim);
        bucket->max_extent = e > bucket->max_extent ? e : bucket->max_extent;
    }
    return EW_OK;
}

/* First index in `sorted` whose piece may reach `lo`: its own lo > lo - max_extent. */
static uint32_t first_candidate(const struct ew_lower *lower, const struct lw_bucket *bucket,
                                int32_t lo)
{
    uint32_t a = 0, b = bucket->count;
    while (a < b) {
        const uint32_t mid = a + (b - a) / 2;
        const uint32_t piece = lower->sorted.items[bucket->first + mid];
        if ((int64_t)sort_key(lower, piece, bucket->dim) + bucket->max_extent <= lo) {
            a = mid + 1;
        } else {
            b = mid;
        }
    }
    return a;
}

/* ------------------------------------------------------------------------------------ resolving */

/* 0: own chain, 1: own device, 2: others. */
static int preference(const struct ew_piece *piece, uint32_t device, uint32_t chain)
{
    if (chain != EW_NONE && piece->chain == chain) {
        return 0;
    }
    return piece->device == device ? 1 : 2;
}

/* Insertion sort by (preference, number): candidate lists are short. */
static void insert_candidate(struct ew_lower *lower, uint32_t piece, uint32_t device,
                             uint32_t chain)
{
    const struct ew_piece *pieces = lower->pieces.items;
    const int mine = preference(&pieces[piece], device, chain);
    size_t i = lower->candidates.count++;
    uint32_t *list = lower->candidates.items;
    while (i > 0) {
        const int theirs = preference(&pieces[list[i - 1]], device, chain);
        if (theirs < mine || (theirs == mine && list[i - 1] < piece)) {
            break;
        }
        list[i] = list[i - 1];
        i--;
    }
    list[i] = piece;
}

static enum ew_status find_candidates(struct ew_lower *lower, uint32_t b, const struct ew_box *need,
                                      uint32_t device, uint32_t chain)
{
    const struct lw_bucket *bucket = &lower->buckets.items[b];
    lower->candidates.count = 0;
    for (uint32_t i = first_candidate(lower, bucket, need->lo[bucket->dim]); i < bucket->count;
         i++) {
        const uint32_t number = lower->sorted.items[bucket->first + i];
        const struct ew_piece *piece = &lower->pieces.items[number];
        if (piece->box.lo[bucket->dim] >= need->hi[bucket->dim]) {
            break;
        }
        struct ew_box common;
        if (piece->role == EW_PIECE_PARTIAL || !ew_box_intersect(&common, &piece->box, need)) {
            continue;
        }
        if (!ew_vec_reserve_one(&lower->candidates)) {
            return ew_fail_memory(lower->err);
        }
        insert_candidate(lower, number, device, chain);
    }
    return EW_OK;
}

/* "rows 55..57, channels 0..15" - the dimensions in which the gap is smaller than the tensor. */
static void describe_gap(char *out, size_t size, const struct ew_box *gap,
                         const struct ew_box *whole)
{
    static const char *const names[EW_DIMS] = {"images", "channels", "rows", "columns"};
    struct ew_str text = {0};
    for (int d = 0; d < EW_DIMS; d++) {
        const bool is_whole = gap->lo[d] <= whole->lo[d] && gap->hi[d] >= whole->hi[d];
        if (!is_whole) {
            ew_str_printf(&text, "%s%s %d..%d", text.length ? ", " : "", names[d], gap->lo[d],
                          gap->hi[d] - 1);
        }
    }
    const char *words = text.length ? ew_str_text(&text) : "all elements";
    const size_t n = strlen(words) < size - 1 ? strlen(words) : size - 1;
    memcpy(out, words, n);
    out[n] = '\0';
    ew_str_fini(&text);
}

static enum ew_status fail_uncovered(struct ew_lower *lower, uint32_t b, const struct ew_box *gap,
                                     uint32_t device, const struct ew_layer *reader)
{
    uint32_t s = 0;
    while (s + 1 < lower->plan->n_segments && lower->first_bucket.items[s + 1] <= b) {
        s++;
    }
    const struct ew_segment *segment = &lower->plan->segments[s];
    const struct ew_graph *graph = ew_segment_graph(lower->context->graph, segment);
    const struct ew_layer *layer = &graph->layers[b - lower->first_bucket.items[s]];
    struct ew_box whole = ew_box_full(layer->shape);
    whole.lo[EW_N] = segment->image_lo;
    whole.hi[EW_N] = segment->image_hi;
    char what[120];
    describe_gap(what, sizeof what, gap, &whole);
    /* EW_NONE: everything is read back from a hub */
    const char *who = device == EW_NONE ? "the hub" : lw_place_name(lower, device);
    if (!reader) {
        return ew_fail(lower->err, EW_EINPUT,
                       "result: %s of layer %s, wanted by %s, are held by "
                       "nobody",
                       what, layer->name, who);
    }
    return ew_fail(lower->err, EW_EINPUT, "layer %s: %s of %s's input (%s) are held by nobody",
                   reader->name, what, who, layer->name);
}

static bool add_part(struct ew_lower *lower, uint32_t piece, const struct ew_box *box)
{
    const struct lw_part part = {piece, *box};
    return ew_vec_push(&lower->parts, part);
}

enum ew_status lw_resolve(struct ew_lower *lower, uint32_t b, const struct ew_box *need,
                          uint32_t reader_device, uint32_t reader_chain,
                          const struct ew_layer *reader_layer)
{
    lower->parts.count = 0;
    enum ew_status status = lw_sort_bucket(lower, b);
    if (status == EW_OK) {
        status = find_candidates(lower, b, need, reader_device, reader_chain);
    }
    if (status) {
        return status;
    }
    lower->rest.count = 0;
    if (!ew_box_set_add(&lower->rest, need)) {
        return ew_fail_memory(lower->err);
    }
    for (size_t i = 0; i < lower->candidates.count && lower->rest.count; i++) {
        const uint32_t number = lower->candidates.items[i];
        const struct ew_box *held = &lower->pieces.items[number].box;
        bool gives = false;
        for (size_t k = 0; k < lower->rest.count; k++) {
            struct ew_box common;
            if (ew_box_intersect(&common, &lower->rest.items[k], held)) {
                gives = true;
                if (!add_part(lower, number, &common)) {
                    return ew_fail_memory(lower->err);
                }
            }
        }
        if (gives && !ew_box_set_remove(&lower->rest, held)) {
            return ew_fail_memory(lower->err);
        }
    }
    if (lower->rest.count) {
        return fail_uncovered(lower, b, &lower->rest.items[0], reader_device, reader_layer);
    }
    return EW_OK;
}

/* ---------------------------------------------------------------------------------------- union */

/* True when all pieces agree in every dimension but the sorted one: then the union is that of
 * intervals. */
static bool is_one_dimensional(const struct ew_lower *lower, const struct lw_bucket *bucket)
{
    const struct ew_box *first = &lower->pieces.items[lower->sorted.items[bucket->first]].box;
    for (uint32_t i = 1; i < bucket->count; i++) {
        const struct ew_box *box = &lower->pieces.items[lower->sorted.items[bucket->first + i]].box;
        for (int d = 0; d < EW_DIMS; d++) {
            if (d != bucket->dim && (box->lo[d] != first->lo[d] || box->hi[d] != first->hi[d])) {
                return false;
            }
        }
    }
    return true;
}

static uint64_t interval_union(const struct ew_lower *lower, const struct lw_bucket *bucket)
{
    uint64_t volume = 0;
    int32_t reached = INT32_MIN;
    for (uint32_t i = 0; i < bucket->count; i++) {
        const struct ew_piece *piece = &lower->pieces.items[lower->sorted.items[bucket->first + i]];
        struct ew_box fresh = piece->box;
        if (piece->role == EW_PIECE_PARTIAL || fresh.hi[bucket->dim] <= reached) {
            continue;
        }
        if (fresh.lo[bucket->dim] < reached) {
            fresh.lo[bucket->dim] = reached;
        }
        reached = fresh.hi[bucket->dim];
        volume += ew_box_volume(&fresh);
    }
    return volume;
}

enum ew_status lw_bucket_union(uint64_t *out, struct ew_lower *lower, uint32_t b)
{
    const enum ew_status status = lw_sort_bucket(lower, b);
    if (status) {
        return status;
    }
    const struct lw_bucket *bucket = &lower->buckets.items[b];
    if (bucket->count == 0) {
        *out = 0;
        return EW_OK;
    }
    if (is_one_dimensional(lower, bucket)) {
        *out = interval_union(lower, bucket);
        return EW_OK;
    }
    lower->set.count = 0;
    for (uint32_t i = 0; i < bucket->count; i++) {
        const struct ew_piece *piece = &lower->pieces.items[lower->order.items[bucket->first + i]];
        if (piece->role != EW_PIECE_PARTIAL && !ew_box_set_add(&lower->set, &piece->box)) {
            return ew_fail_memory(lower->err);
        }
    }
    *out = ew_box_set_volume(&lower->set);
    return EW_OK;
}
