/*
 * Ids, boxes, segments and sums of a plan, before anything is derived from it.
 */
#include "model/op.h"
#include "plan/lower_internal.h"

static enum ew_status check_segments(struct ew_lower *lower)
{
    const struct ew_plan *plan = lower->plan;
    const struct ew_graph *graph = lower->context->graph;
    const uint32_t n_devices = lower->context->platform->n_devices;
    if (plan->source_device >= n_devices || plan->sink_device >= n_devices) {
        return ew_fail(lower->err, EW_EINPUT, "source or sink: expected a device number below %u",
                       n_devices);
    }
    int32_t reached = 0;
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        const struct ew_segment *segment = &plan->segments[s];
        if (segment->image_lo != reached || segment->image_hi <= segment->image_lo) {
            return ew_fail(lower->err, EW_EINPUT,
                           "segment %u: expected images from %d on, found "
                           "%d..%d",
                           s, reached, segment->image_lo, segment->image_hi - 1);
        }
        if (segment->variant >= graph->n_variants ||
            segment->exit >= ew_segment_graph(graph, segment)->n_exits) {
            return ew_fail(lower->err, EW_EINPUT,
                           "segment %u: the model has no variant %u with an "
                           "exit %u",
                           s, segment->variant, segment->exit);
        }
        reached = segment->image_hi;
    }
    if (reached != plan->batch) {
        return ew_fail(lower->err, EW_EINPUT, "segments cover images 0..%d of a batch of %d",
                       reached - 1, plan->batch);
    }
    return EW_OK;
}

static enum ew_status check_piece_box(struct ew_lower *lower, uint32_t number,
                                      const struct ew_layer *layer)
{
    const struct ew_piece *piece = &lower->plan->pieces[number];
    const struct ew_segment *segment = &lower->plan->segments[piece->segment];
    struct ew_box whole = ew_box_full(layer->shape);
    whole.lo[EW_N] = segment->image_lo;
    whole.hi[EW_N] = segment->image_hi;
    if (ew_box_is_empty(&piece->box) || !ew_box_contains(&whole, &piece->box)) {
        return ew_fail(lower->err, EW_EINPUT,
                       "piece %u (layer %s): box [%d,%d)x[%d,%d)x[%d,%d)x[%d,%d) is empty or "
                       "outside [%d,%d)x[0,%d)x[0,%d)x[0,%d)",
                       number, layer->name, piece->box.lo[0], piece->box.hi[0], piece->box.lo[1],
                       piece->box.hi[1], piece->box.lo[2], piece->box.hi[2], piece->box.lo[3],
                       piece->box.hi[3], whole.lo[0], whole.hi[0], whole.hi[1], whole.hi[2],
                       whole.hi[3]);
    }
    return EW_OK;
}

static enum ew_status check_partial(struct ew_lower *lower, uint32_t number,
                                    const struct ew_layer *layer)
{
    const struct ew_plan *plan = lower->plan;
    const struct ew_piece *piece = &plan->pieces[number];
    const struct ew_op_view view = ew_layer_view(layer);
    const int32_t length = ew_op_reduction_length(&view);
    if (piece->sum >= plan->n_pieces || plan->pieces[piece->sum].role != EW_PIECE_SUM ||
        plan->pieces[piece->sum].layer != piece->layer ||
        plan->pieces[piece->sum].segment != piece->segment ||
        !ew_box_equal(&plan->pieces[piece->sum].box, &piece->box)) {
        return ew_fail(lower->err, EW_EINPUT,
                       "piece %u (layer %s): a partial piece must name a "
                       "sum piece of the same layer, segment and box",
                       number, layer->name);
    }
    if (piece->reduction.lo < 0 || piece->reduction.hi > length ||
        piece->reduction.lo >= piece->reduction.hi) {
        return ew_fail(lower->err, EW_EINPUT,
                       "piece %u (layer %s): reduction %d..%d is empty or "
                       "outside 0..%d",
                       number, layer->name, piece->reduction.lo, piece->reduction.hi - 1,
                       length - 1);
    }
    return EW_OK;
}

static enum ew_status check_piece(struct ew_lower *lower, uint32_t number)
{
    const struct ew_piece *piece = &lower->plan->pieces[number];
    if (piece->segment >= lower->plan->n_segments) {
        return ew_fail(lower->err, EW_EINPUT, "piece %u: there is no segment %u", number,
                       piece->segment);
    }
    const struct ew_graph *graph =
        ew_segment_graph(lower->context->graph, &lower->plan->segments[piece->segment]);
    if (piece->layer >= graph->n_layers || graph->layers[piece->layer].op == EW_OP_INPUT) {
        return ew_fail(lower->err, EW_EINPUT, "piece %u: there is no layer %u that is computed",
                       number, piece->layer);
    }
    const struct ew_layer *layer = &graph->layers[piece->layer];
    if (piece->device >= lower->context->platform->n_devices) {
        return ew_fail(lower->err, EW_EINPUT, "piece %u (layer %s): there is no device %u", number,
                       layer->name, piece->device);
    }
    if (piece->role > EW_PIECE_SUM) {
        return ew_fail(lower->err, EW_EINPUT, "piece %u (layer %s): unknown role %u", number,
                       layer->name, piece->role);
    }
    if (piece->pool > lower->plan->n_pools) {
        return ew_fail(lower->err, EW_EINPUT, "piece %u (layer %s): there is no pool %u", number,
                       layer->name, piece->pool - 1u);
    }
    if (piece->pool && (piece->role != EW_PIECE_FULL || piece->chain == EW_NONE)) {
        return ew_fail(lower->err, EW_EINPUT,
                       "piece %u (layer %s): a piece in a pool must be a full one and belong to a "
                       "chain",
                       number, layer->name);
    }
    if (ew_op_is_indivisible(layer->op) && !ew_box_is_whole_image(&piece->box, layer->shape)) {
        return ew_fail(
            lower->err, EW_EINPUT,
            "piece %u (layer %s): op %s cannot be divided: one device computes all of it", number,
            layer->name, ew_op_name(layer->op));
    }
    enum ew_status status = check_piece_box(lower, number, layer);
    if (status == EW_OK && piece->role == EW_PIECE_PARTIAL) {
        status = check_partial(lower, number, layer);
    }
    return status;
}

enum ew_status lw_validate(struct ew_lower *lower)
{
    enum ew_status status = check_segments(lower);
    for (uint32_t p = 0; p < lower->plan->n_pieces && status == EW_OK; p++) {
        status = check_piece(lower, p);
    }
    return status == EW_OK ? lw_check_pools(lower) : status;
}
