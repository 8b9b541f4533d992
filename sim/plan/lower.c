/*
 * Lowering: the walk over pieces. Makes nodes in topological order: for every segment, layer by
 * layer, piece by piece; messages right before their first reader.
 */
#include "plan/lower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/op.h"
#include "plan/lower_internal.h"

struct ew_lower *ew_lower_new(void)
{
    return calloc(1, sizeof(struct ew_lower));
}

void ew_lower_free(struct ew_lower *lower)
{
    if (!lower) {
        return;
    }
    ew_vec_fini(&lower->pieces);
    ew_vec_fini(&lower->piece_node);
    ew_vec_fini(&lower->gathered_node);
    ew_vec_fini(&lower->last_use);
    ew_vec_fini(&lower->remote_bytes);
    ew_vec_fini(&lower->first_bucket);
    ew_vec_fini(&lower->buckets);
    ew_vec_fini(&lower->order);
    ew_vec_fini(&lower->sorted);
    ew_vec_fini(&lower->walk);
    ew_vec_fini(&lower->parts);
    ew_vec_fini(&lower->candidates);
    ew_box_set_fini(&lower->rest);
    ew_vec_fini(&lower->deps);
    ew_vec_fini(&lower->messages);
    ew_vec_fini(&lower->boxes);
    ew_vec_fini(&lower->conversions);
    ew_vec_fini(&lower->edges);
    ew_vec_fini(&lower->edges_scratch);
    ew_vec_fini(&lower->counts);
    lw_map_fini(&lower->map);
    ew_vec_fini(&lower->units);
    ew_vec_fini(&lower->work_s);
    lw_map_fini(&lower->unit_map);
    ew_vec_fini(&lower->nodes);
    ew_vec_fini(&lower->info);
    ew_vec_fini(&lower->successors);
    ew_vec_fini(&lower->devices);
    ew_vec_fini(&lower->scratch_a);
    ew_vec_fini(&lower->scratch_b);
    ew_vec_fini(&lower->live_bytes);
    ew_vec_fini(&lower->box_begin);
    ew_vec_fini(&lower->kept_boxes);
    ew_vec_fini(&lower->load_node);
    ew_box_set_fini(&lower->set);
    free(lower);
}

/* ------------------------------------------------------------------------------------- set-up */

static enum ew_status add_virtual_inputs(struct ew_lower *lower)
{
    const struct ew_plan *plan = lower->plan;
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        const struct ew_graph *graph = ew_segment_graph(lower->context->graph, &plan->segments[s]);
        for (uint32_t i = 0; i < graph->n_inputs; i++) {
            struct ew_piece piece = {
                .layer = graph->inputs[i],
                .device = plan->source_device,
                .segment = s,
                .chain = EW_NONE,
                .sum = EW_NONE,
                .role = EW_PIECE_FULL,
                .box = ew_box_full(graph->layers[graph->inputs[i]].shape),
            };
            piece.box.lo[EW_N] = plan->segments[s].image_lo;
            piece.box.hi[EW_N] = plan->segments[s].image_hi;
            if (!ew_vec_push(&lower->pieces, piece)) {
                return ew_fail_memory(lower->err);
            }
        }
    }
    return EW_OK;
}

/* Counting sort of pieces into buckets; within a bucket by number. */
static enum ew_status fill_buckets(struct ew_lower *lower)
{
    const struct ew_plan *plan = lower->plan;
    if (!ew_vec_reserve(&lower->first_bucket, plan->n_segments + 1u)) {
        return ew_fail_memory(lower->err);
    }
    uint64_t n = 0;
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        lower->first_bucket.items[s] = (uint32_t)n;
        n += ew_segment_graph(lower->context->graph, &plan->segments[s])->n_layers;
        if (n >= EW_NONE) {
            return ew_fail(lower->err, EW_EINPUT, "too many segments times layers");
        }
    }
    const size_t n_pieces = lower->pieces.count;
    if (!ew_vec_reserve(&lower->buckets, n) || !ew_vec_reserve(&lower->order, n_pieces) ||
        !ew_vec_reserve(&lower->sorted, n_pieces)) {
        return ew_fail_memory(lower->err);
    }
    lower->buckets.count = n;
    struct lw_bucket *buckets = lower->buckets.items;
    for (size_t b = 0; b < n; b++) {
        buckets[b] = (struct lw_bucket){.barrier_node = EW_NONE};
    }
    const uint32_t *first_bucket = lower->first_bucket.items;
    for (size_t p = 0; p < n_pieces; p++) {
        const struct ew_piece *piece = &lower->pieces.items[p];
        buckets[first_bucket[piece->segment] + piece->layer].count++;
    }
    uint32_t next = 0;
    for (size_t b = 0; b < n; b++) {
        buckets[b].first = next;
        next += buckets[b].count;
        buckets[b].count = 0;
    }
    for (size_t p = 0; p < n_pieces; p++) {
        const struct ew_piece *piece = &lower->pieces.items[p];
        struct lw_bucket *bucket = &buckets[first_bucket[piece->segment] + piece->layer];
        lower->order.items[bucket->first + bucket->count++] = (uint32_t)p;
    }
    return EW_OK;
}

static enum ew_status prepare(struct ew_lower *lower)
{
    const struct ew_plan *plan = lower->plan;
    enum ew_status status = lw_validate(lower);
    if (status) {
        return status;
    }
    if (!ew_vec_reserve(&lower->pieces, plan->n_pieces)) {
        return ew_fail_memory(lower->err);
    }
    if (plan->n_pieces) {
        memcpy(lower->pieces.items, plan->pieces, plan->n_pieces * sizeof *plan->pieces);
    }
    lower->pieces.count = plan->n_pieces;
    status = lw_find_units(lower);
    if (status == EW_OK) {
        status = add_virtual_inputs(lower);
    }
    if (status) {
        return status;
    }
    const size_t n = lower->pieces.count;
    if (!ew_vec_reserve(&lower->piece_node, n) || !ew_vec_reserve(&lower->gathered_node, n) ||
        !ew_vec_reserve(&lower->last_use, n) || !ew_vec_reserve(&lower->remote_bytes, n)) {
        return ew_fail_memory(lower->err);
    }
    memset(lower->piece_node.items, 0xff, n * sizeof(uint32_t));
    memset(lower->gathered_node.items, 0xff, n * sizeof(uint32_t));
    memset(lower->last_use.items, 0xff, n * sizeof(uint32_t));
    memset(lower->remote_bytes.items, 0, n * sizeof(uint64_t));
    lower->walk.count = 0;
    lower->deps.count = 0;
    lower->messages.count = 0;
    lower->boxes.count = 0;
    lower->conversions.count = 0;
    lower->edges.count = 0;
    lower->nodes.count = 0;
    lower->info.count = 0;
    lw_map_clear(&lower->map);
    const size_t n_places = lw_place_count(lower);
    if (!ew_vec_reserve(&lower->load_node, n_places)) {
        return ew_fail_memory(lower->err);
    }
    memset(lower->load_node.items, 0xff, n_places * sizeof(uint32_t));
    lower->load_node.count = n_places;
    return fill_buckets(lower);
}

/* ------------------------------------------------------------------------------------- reading */

static enum ew_status read_inputs(struct ew_lower *lower, const struct lw_reader *reader)
{
    const struct ew_piece *piece = &lower->pieces.items[reader->piece];
    const struct ew_op_view view = ew_layer_view(reader->layer);
    const struct ew_reduction *reduction =
        piece->role == EW_PIECE_PARTIAL ? &piece->reduction : NULL;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < reader->layer->n_inputs && status == EW_OK; i++) {
        const struct ew_box need = ew_op_input_box(&view, i, &piece->box, reduction);
        if (!ew_box_is_empty(&need)) {
            status = lw_read_box(lower, reader, piece->segment, reader->layer->inputs[i], &need);
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------------ summing */

static int compare_reductions(const void *a, const void *b)
{
    const struct ew_piece *const *x = a;
    const struct ew_piece *const *y = b;
    return (*x)->reduction.lo < (*y)->reduction.lo ? -1 : (*x)->reduction.lo > (*y)->reduction.lo;
}

/* Partial pieces of a sum must tile the reduction. */
static enum ew_status check_sum(struct ew_lower *lower, uint32_t number, uint32_t n_terms)
{
    const struct ew_piece *sum = &lower->pieces.items[number];
    const struct ew_layer *layer = lw_layer(lower, sum);
    const struct ew_op_view view = ew_layer_view(layer);
    const struct lw_bucket *bucket =
        &lower->buckets.items[lw_bucket_of(lower, sum->segment, sum->layer)];
    const struct ew_piece **terms = malloc((n_terms + 1u) * sizeof *terms);
    if (!terms) {
        return ew_fail_memory(lower->err);
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < bucket->count; i++) {
        const struct ew_piece *piece = &lower->pieces.items[lower->order.items[bucket->first + i]];
        if (piece->role == EW_PIECE_PARTIAL && piece->sum == number) {
            terms[n++] = piece;
        }
    }
    qsort(terms, n, sizeof *terms, compare_reductions);
    int32_t reached = 0;
    bool tiles = true;
    for (uint32_t i = 0; i < n && tiles; i++) {
        tiles = terms[i]->reduction.lo == reached;
        reached = tiles ? terms[i]->reduction.hi : reached;
    }
    free(terms);
    if (!tiles || reached != ew_op_reduction_length(&view)) {
        return ew_fail(lower->err, EW_EINPUT,
                       "layer %s: the partial sums of piece %u do not tile "
                       "the reduction 0..%d: trouble at %d",
                       layer->name, number, ew_op_reduction_length(&view) - 1, reached);
    }
    return EW_OK;
}

static enum ew_status read_terms(struct ew_lower *lower, const struct lw_reader *reader,
                                 uint32_t *n_terms)
{
    const struct ew_piece *sum = &lower->pieces.items[reader->piece];
    const struct lw_bucket *bucket =
        &lower->buckets.items[lw_bucket_of(lower, sum->segment, sum->layer)];
    enum ew_status status = EW_OK;
    *n_terms = 0;
    for (uint32_t i = 0; i < bucket->count && status == EW_OK; i++) {
        const uint32_t number = lower->order.items[bucket->first + i];
        const struct ew_piece *term = &lower->pieces.items[number];
        if (term->role != EW_PIECE_PARTIAL || term->sum != reader->piece) {
            continue;
        }
        (*n_terms)++;
        lw_note_use(lower, reader, number, &term->box);
        uint32_t ready = lower->piece_node.items[number];
        if (term->device != reader->device) {
            status = lw_send_direct(lower, number, reader->device, reader->layer_id, &term->box, 0,
                                    &ready);
        }
        if (status == EW_OK) {
            status = lw_add_dep(lower, ready);
        }
    }
    return status == EW_OK ? check_sum(lower, reader->piece, *n_terms) : status;
}

/* ------------------------------------------------------------------------------------ the walk */

static double piece_work_s(const struct ew_lower *lower, const struct ew_piece *piece,
                           const struct ew_layer *layer, uint32_t on_device)
{
    const struct ew_device *device = &lower->context->platform->devices[on_device];
    const struct ew_cost_query query = {
        .graph = ew_segment_graph(lower->context->graph, &lower->plan->segments[piece->segment]),
        .layer = layer,
        .out = piece->box,
        .reduction = piece->role == EW_PIECE_PARTIAL ? &piece->reduction : NULL,
    };
    return ew_cost_compute_s(device->profile, &query);
}

/* Work of a piece in a pool: one time per member; the node gets the least. */
static enum ew_status set_work(struct ew_lower *lower, const struct ew_piece *piece,
                               const struct ew_layer *layer, struct ew_task_node *node,
                               struct ew_task_info *info)
{
    if (!lw_is_unit(lower, piece->device)) {
        node->work_s = piece_work_s(lower, piece, layer, piece->device);
        return EW_OK;
    }
    const enum ew_status status = lw_add_work(lower, piece->device, &info->work_row);
    const struct ew_pool *pool = lw_pool_of(lower, piece->device);
    for (uint32_t m = 0; status == EW_OK && m < pool->n_members; m++) {
        const double work_s = piece_work_s(lower, piece, layer, pool->members[m]);
        lower->work_s.items[info->work_row + m] = work_s;
        node->work_s = m == 0 || work_s < node->work_s ? work_s : node->work_s;
    }
    return status;
}

/* Weights that are not resident are loaded when the device's first piece could start; every later
 * piece with weights waits for that too. The deps collected so far belong to the piece. */
static enum ew_status wait_for_weights(struct ew_lower *lower, const struct ew_piece *piece,
                                       const struct ew_layer *layer)
{
    uint32_t *load = &lower->load_node.items[piece->device];
    if (lower->plan->weights == EW_WEIGHTS_RESIDENT || (*load != EW_NONE && layer->params == 0)) {
        return EW_OK;
    }
    enum ew_status status = EW_OK;
    if (*load == EW_NONE) {
        const struct ew_task_node node = {
            .kind = EW_NODE_LOAD, .device = piece->device, .peer = piece->device};
        struct ew_task_info info = lw_no_info;
        info.layer = info.reader_layer = info.last_layer = piece->layer;
        info.segment = piece->segment;
        info.n_merged = 1;
        if (lw_is_unit(lower, piece->device)) {
            status = lw_add_work(lower, piece->device, &info.work_row);
        }
        if (status == EW_OK) {
            status = lw_add_node(lower, &node, &info, load);
        }
        for (size_t i = 0; i < lower->deps.count && status == EW_OK; i++) {
            status = lw_add_edge(lower, lower->deps.items[i], *load);
        }
    }
    return status == EW_OK ? lw_add_dep(lower, *load) : status;
}

static enum ew_status walk_piece(struct ew_lower *lower, uint32_t number)
{
    const struct ew_piece piece = lower->pieces.items[number];
    const struct ew_layer *layer = lw_layer(lower, &piece);
    const struct lw_reader reader = {
        .device = piece.device,
        .chain = piece.chain,
        .layer_id = piece.layer,
        .layer = layer,
        .piece = number,
        .position = (uint32_t)lower->walk.count,
    };
    const struct ew_op_view view = ew_layer_view(layer);
    struct ew_task_node node = {
        .kind = EW_NODE_COMPUTE, .device = piece.device, .peer = piece.device};
    struct ew_task_info info = {
        .layer = piece.layer,
        .reader_layer = piece.layer,
        .last_layer = piece.layer,
        .segment = piece.segment,
        .piece = number,
        .box = piece.box,
        .n_merged = 1,
    };
    enum ew_status status = EW_OK;
    if (lw_is_unit(lower, piece.device)) {
        status = lw_begin_unit(lower, piece.device, piece.segment, piece.layer);
    }
    if (status) {
        return status;
    }
    if (piece.role == EW_PIECE_SUM) {
        uint32_t n_terms;
        status = read_terms(lower, &reader, &n_terms);
        node.work_s = ew_cost_sum_s(lower->context->platform->devices[piece.device].profile,
                                    ew_box_volume(&piece.box), n_terms,
                                    lower->context->element_bytes.activation);
    } else {
        const struct ew_reduction *reduction =
            piece.role == EW_PIECE_PARTIAL ? &piece.reduction : NULL;
        status = read_inputs(lower, &reader);
        if (status == EW_OK) {
            status = set_work(lower, &piece, layer, &node, &info);
        }
        info.macs = ew_op_macs(&view, &piece.box, reduction);
        info.touched_bytes = (uint64_t)ceil((double)ew_op_params_for(&view, &piece.box, reduction) *
                                            lower->context->element_bytes.weight);
    }
    info.touched_bytes += (uint64_t)ceil((double)ew_box_volume(&piece.box) *
                                         lower->context->element_bytes.activation) +
                          lower->remote_bytes.items[number];
    if (status == EW_OK && !ew_vec_push(&lower->walk, number)) {
        status = ew_fail_memory(lower->err);
    }
    if (status == EW_OK && lower->deps.count == 0) {
        status = lw_add_dep(lower, lower->input_node); /* it only reads padding */
    }
    if (status == EW_OK) {
        status = wait_for_weights(lower, &piece, layer);
    }
    if (status == EW_OK) {
        status = lw_add_node(lower, &node, &info, &lower->piece_node.items[number]);
    }
    return status == EW_OK ? lw_connect_deps(lower, lower->piece_node.items[number]) : status;
}

/* Partial pieces before the sums that read them. */
static enum ew_status walk_bucket(struct ew_lower *lower, uint32_t b)
{
    const struct lw_bucket bucket = lower->buckets.items[b];
    enum ew_status status = EW_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < bucket.count && status == EW_OK; i++) {
            const uint32_t number = lower->order.items[bucket.first + i];
            const bool is_sum = lower->pieces.items[number].role == EW_PIECE_SUM;
            if (is_sum == (pass == 1)) {
                status = walk_piece(lower, number);
            }
        }
    }
    return status;
}

static enum ew_status walk_segment(struct ew_lower *lower, uint32_t s)
{
    const struct ew_graph *graph =
        ew_segment_graph(lower->context->graph, &lower->plan->segments[s]);
    enum ew_status status = EW_OK;
    for (uint32_t l = 0; l < graph->n_layers && status == EW_OK; l++) {
        if (graph->layers[l].op != EW_OP_INPUT) {
            status = walk_bucket(lower, lw_bucket_of(lower, s, l));
        }
    }
    return status;
}

/* The input appears at the source: one join, finished when the job starts. */
static enum ew_status make_input_node(struct ew_lower *lower)
{
    const struct ew_task_node node = {
        .kind = EW_NODE_JOIN,
        .is_input = true,
        .device = lower->plan->source_device,
        .peer = lower->plan->source_device,
    };
    const enum ew_status status = lw_add_node(lower, &node, &lw_no_info, &lower->input_node);
    for (size_t p = lower->plan->n_pieces; p < lower->pieces.count; p++) {
        lower->piece_node.items[p] = lower->input_node;
    }
    return status;
}

/* The answer arrives at the sink. */
static enum ew_status make_result_node(struct ew_lower *lower)
{
    const struct lw_reader reader = {
        .device = lower->plan->sink_device,
        .chain = EW_NONE,
        .layer_id = EW_NONE,
        .piece = EW_NONE,
    };
    enum ew_status status = EW_OK;
    for (uint32_t s = 0; s < lower->plan->n_segments && status == EW_OK; s++) {
        const struct ew_segment *segment = &lower->plan->segments[s];
        const struct ew_graph *graph = ew_segment_graph(lower->context->graph, segment);
        const struct ew_exit *exit = &graph->exits[segment->exit];
        for (uint32_t i = 0; i < exit->n_layers && status == EW_OK; i++) {
            struct ew_box whole = ew_box_full(graph->layers[exit->layers[i]].shape);
            whole.lo[EW_N] = segment->image_lo;
            whole.hi[EW_N] = segment->image_hi;
            status = lw_read_box(lower, &reader, s, exit->layers[i], &whole);
        }
    }
    const struct ew_task_node node = {
        .kind = EW_NODE_JOIN,
        .device = lower->plan->sink_device,
        .peer = lower->plan->sink_device,
    };
    if (status == EW_OK) {
        status = lw_add_node(lower, &node, &lw_no_info, &lower->graph.result);
    }
    return status == EW_OK ? lw_connect_deps(lower, lower->graph.result) : status;
}

static double load_work_s(const struct ew_lower *lower, uint32_t device)
{
    return ew_cost_load_s(lower->context->platform->devices[device].profile,
                          lower->devices.items[device].weight_bytes);
}

static void set_load_work(struct ew_lower *lower)
{
    for (uint32_t place = 0; place < lower->load_node.count; place++) {
        const uint32_t load = lower->load_node.items[place];
        if (load == EW_NONE) {
            continue;
        }
        struct ew_task_node *node = &lower->nodes.items[load];
        if (!lw_is_unit(lower, place)) {
            node->work_s = load_work_s(lower, place);
            continue;
        }
        const struct ew_pool *pool = lw_pool_of(lower, place);
        double *work_s = lower->work_s.items + lower->info.items[load].work_row;
        for (uint32_t m = 0; m < pool->n_members; m++) {
            work_s[m] = load_work_s(lower, pool->members[m]);
            node->work_s = m == 0 || work_s[m] < node->work_s ? work_s[m] : node->work_s;
        }
    }
}

enum ew_status ew_lower_plan_scratch(const struct ew_task_graph **out, struct ew_lower *lower,
                                     const struct ew_plan_context *context,
                                     const struct ew_plan *plan,
                                     const struct ew_lower_options *options, struct ew_error *err)
{
    lower->context = context;
    lower->plan = plan;
    lower->err = err;
    lower->graph = (struct ew_task_graph){.n_devices = context->platform->n_devices};
    enum ew_status status = prepare(lower);
    if (status == EW_OK) {
        status = make_input_node(lower);
    }
    for (uint32_t s = 0; s < plan->n_segments && status == EW_OK; s++) {
        status = walk_segment(lower, s);
    }
    if (status == EW_OK) {
        status = make_result_node(lower);
    }
    if (status == EW_OK && lower->units.count) {
        status = lw_bind_units(lower);
    }
    if (status == EW_OK) {
        status = lw_stats(lower);
    }
    if (status == EW_OK) {
        set_load_work(lower);
        status = lw_finish(lower, options);
    }
    if (status == EW_OK) {
        *out = &lower->graph;
    }
    return status;
}
