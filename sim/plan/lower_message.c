/*
 * Lowering: nodes, edges and the messages by which a reader gets what it reads.
 */
#include <math.h>

#include "plan/lower_internal.h"

/* ---------------------------------------------------------------------------- nodes and edges */

const struct ew_task_info lw_no_info = {
    .layer = EW_NONE, .reader_layer = EW_NONE, .last_layer = EW_NONE, .piece = EW_NONE};

enum ew_status lw_add_node(struct ew_lower *lower, const struct ew_task_node *node,
                           const struct ew_task_info *info, uint32_t *out)
{
    if (lower->nodes.count >= EW_NONE - 1) {
        return ew_fail(lower->err, EW_EINPUT, "the plan has too many tasks");
    }
    *out = (uint32_t)lower->nodes.count;
    if (!ew_vec_push(&lower->nodes, *node) || !ew_vec_push(&lower->info, *info)) {
        return ew_fail_memory(lower->err);
    }
    return EW_OK;
}

enum ew_status lw_add_edge(struct ew_lower *lower, uint32_t from, uint32_t to)
{
    const struct lw_edge edge = {from, to};
    return ew_vec_push(&lower->edges, edge) ? EW_OK : ew_fail_memory(lower->err);
}

enum ew_status lw_add_dep(struct ew_lower *lower, uint32_t node)
{
    return ew_vec_push(&lower->deps, node) ? EW_OK : ew_fail_memory(lower->err);
}

enum ew_status lw_connect_deps(struct ew_lower *lower, uint32_t to)
{
    enum ew_status status = EW_OK;
    for (size_t i = 0; i < lower->deps.count && status == EW_OK; i++) {
        status = lw_add_edge(lower, lower->deps.items[i], to);
    }
    lower->deps.count = 0;
    return status;
}

double lw_element_bytes(const struct ew_lower *lower, const struct ew_layer *layer)
{
    const struct ew_element_bytes *bytes = &lower->context->element_bytes;
    return layer->op == EW_OP_INPUT ? bytes->input : bytes->activation;
}

const struct ew_layer *lw_layer(const struct ew_lower *lower, const struct ew_piece *piece)
{
    const struct ew_segment *segment = &lower->plan->segments[piece->segment];
    return &ew_segment_graph(lower->context->graph, segment)->layers[piece->layer];
}

static struct ew_boundary boundary_of(const struct ew_lower *lower, const struct ew_piece *piece)
{
    return ew_plan_boundary(lower->plan, lower->plan->segments[piece->segment].variant,
                            piece->layer);
}

/* What must have happened before a piece's output may move or be read on its own device: the
 * piece's node, or the barrier behind its layer. */
static enum ew_status available_node(struct ew_lower *lower, uint32_t number, uint32_t *out)
{
    const struct ew_piece *piece = &lower->pieces.items[number];
    *out = lower->piece_node.items[number];
    if (piece->role == EW_PIECE_PARTIAL || !boundary_of(lower, piece).has_barrier) {
        return EW_OK; /* terms of a sum are no output yet */
    }
    struct lw_bucket *bucket =
        &lower->buckets.items[lw_bucket_of(lower, piece->segment, piece->layer)];
    if (bucket->barrier_node == EW_NONE) {
        const uint32_t device = lw_place_device(lower, piece->device);
        const struct ew_task_node node = {.kind = EW_NODE_JOIN, .device = device, .peer = device};
        struct ew_task_info info = lw_no_info;
        info.layer = info.reader_layer = info.last_layer = piece->layer;
        info.segment = piece->segment;
        enum ew_status status = lw_add_node(lower, &node, &info, &bucket->barrier_node);
        for (uint32_t i = 0; i < bucket->count && status == EW_OK; i++) {
            const uint32_t other = lower->order.items[bucket->first + i];
            if (lower->pieces.items[other].role != EW_PIECE_PARTIAL) {
                status = lw_add_edge(lower, lower->piece_node.items[other], bucket->barrier_node);
            }
        }
        if (status) {
            return status;
        }
    }
    *out = bucket->barrier_node;
    return EW_OK;
}

/* ------------------------------------------------------------------------------------ messages */

/** A message to be made or found. */
struct message_spec {
    uint64_t key;
    uint32_t piece; /**< producing piece; for gather's second hop: the bucket's first piece */
    uint32_t from;
    uint32_t to;
    uint32_t reader_layer;
    uint8_t hop;
    uint8_t wire_bits;
};

static enum ew_status check_route(struct ew_lower *lower, const struct message_spec *spec,
                                  const struct ew_layer *layer)
{
    const struct ew_platform *platform = lower->context->platform;
    if (ew_platform_route(platform, spec->from, spec->to)->n_links > 0) {
        return EW_OK;
    }
    return ew_fail(lower->err, EW_EINPUT,
                   "layer %s: its output must go from %s to %s, and the "
                   "platform has no route between them",
                   layer->name, platform->devices[spec->from].name,
                   platform->devices[spec->to].name);
}

/* A quantised cut: one conversion before the message, one behind it. */
static enum ew_status add_conversion(struct ew_lower *lower, uint32_t device,
                                     const struct ew_task_info *info, uint32_t message,
                                     uint32_t *out)
{
    const struct ew_task_node node = {.kind = EW_NODE_COMPUTE, .device = device, .peer = device};
    struct ew_task_info conversion_info = *info;
    conversion_info.n_merged = 1;
    conversion_info.is_conversion = true;
    enum ew_status status = lw_add_node(lower, &node, &conversion_info, out);
    const struct lw_conversion conversion = {*out, message};
    if (status == EW_OK && !ew_vec_push(&lower->conversions, conversion)) {
        status = ew_fail_memory(lower->err);
    }
    return status;
}

/* Find the message of `spec` or make it; `is_new` tells. */
static enum ew_status get_message(struct ew_lower *lower, const struct message_spec *spec,
                                  struct lw_message **out, bool *is_new)
{
    uint32_t index = lw_map_find(&lower->map, spec->key);
    *is_new = index == EW_NONE;
    if (!*is_new) {
        *out = &lower->messages.items[index];
        return EW_OK;
    }
    const struct ew_piece *piece = &lower->pieces.items[spec->piece];
    const struct ew_layer *layer = lw_layer(lower, piece);
    enum ew_status status;
    const bool converts = spec->wire_bits && spec->wire_bits != 8 * lw_element_bytes(lower, layer);
    if (lw_is_unit(lower, spec->from) || lw_is_unit(lower, spec->to)) {
        status = lw_check_unit_message(lower, layer, spec->from, spec->to, converts);
    } else {
        status = check_route(lower, spec, layer);
    }
    if (status) {
        return status;
    }
    const struct ew_task_info info = {
        .layer = piece->layer,
        .reader_layer = spec->reader_layer,
        .last_layer = piece->layer,
        .segment = piece->segment,
        .piece = spec->piece < lower->plan->n_pieces ? spec->piece : EW_NONE,
        .hop = spec->hop,
    };
    const uint32_t message_node = (uint32_t)lower->nodes.count + (converts ? 1 : 0);
    struct lw_message message = {
        .node = message_node,
        .ready_node = message_node,
        .send_node = message_node,
        .bytes_per_element =
            spec->wire_bits ? spec->wire_bits / 8.0 : lw_element_bytes(lower, layer),
    };
    if (converts) {
        status = add_conversion(lower, spec->from, &info, message_node, &message.send_node);
    }
    const struct ew_task_node node = {
        .kind = EW_NODE_MESSAGE, .device = spec->from, .peer = spec->to};
    uint32_t made;
    if (status == EW_OK) {
        status = lw_add_node(lower, &node, &info, &made);
    }
    if (status == EW_OK && converts) {
        status = add_conversion(lower, spec->to, &info, message_node, &message.ready_node);
        if (status == EW_OK) {
            status = lw_add_edge(lower, message.send_node, message_node);
        }
        if (status == EW_OK) {
            status = lw_add_edge(lower, message_node, message.ready_node);
        }
    }
    if (status) {
        return status;
    }
    index = (uint32_t)lower->messages.count;
    if (!ew_vec_push(&lower->messages, message) || !lw_map_add(&lower->map, spec->key, index)) {
        return ew_fail_memory(lower->err);
    }
    *out = &lower->messages.items[index];
    return EW_OK;
}

static enum ew_status add_message_box(struct ew_lower *lower, const struct lw_message *message,
                                      const struct ew_box *box)
{
    const struct lw_message_box entry = {message->node, *box};
    return ew_vec_push(&lower->boxes, entry) ? EW_OK : ew_fail_memory(lower->err);
}

enum { KEY_PIECE, KEY_FROM_HUB, KEY_BUCKET };

static uint64_t message_key(uint64_t kind, uint32_t id, uint32_t device)
{
    return kind << 62 | (uint64_t)id << 24 | device;
}

enum ew_status lw_send_direct(struct ew_lower *lower, uint32_t number, uint32_t to,
                              uint32_t reader_layer, const struct ew_box *box, uint8_t hop,
                              uint32_t *ready)
{
    const struct ew_piece *piece = &lower->pieces.items[number];
    const struct message_spec spec = {
        .key = message_key(KEY_PIECE, number, to),
        .piece = number,
        .from = piece->device,
        .to = to,
        .reader_layer = reader_layer,
        .hop = hop,
        .wire_bits = boundary_of(lower, piece).wire_bits,
    };
    uint32_t available;
    enum ew_status status = available_node(lower, number, &available);
    struct lw_message *message = NULL;
    bool is_new = false;
    if (status == EW_OK) {
        status = get_message(lower, &spec, &message, &is_new);
    }
    if (status == EW_OK && is_new) {
        status = lw_add_edge(lower, available, message->send_node);
    }
    if (status == EW_OK) {
        *ready = message->ready_node;
        status = add_message_box(lower, message, box);
    }
    return status;
}

/* piece -> hub -> device. */
static enum ew_status send_relayed(struct ew_lower *lower, uint32_t number, uint32_t hub,
                                   uint32_t to, uint32_t reader_layer, const struct ew_box *box,
                                   uint32_t *ready)
{
    uint32_t at_hub;
    enum ew_status status = lw_send_direct(lower, number, hub, reader_layer, box, 1, &at_hub);
    if (status) {
        return status;
    }
    const struct message_spec spec = {
        .key = message_key(KEY_FROM_HUB, number, to),
        .piece = number,
        .from = hub,
        .to = to,
        .reader_layer = reader_layer,
        .hop = 2,
        .wire_bits = boundary_of(lower, &lower->pieces.items[number]).wire_bits,
    };
    struct lw_message *message;
    bool is_new;
    status = get_message(lower, &spec, &message, &is_new);
    if (status == EW_OK && is_new) {
        status = lw_add_edge(lower, at_hub, message->send_node);
    }
    if (status == EW_OK) {
        *ready = message->ready_node;
        status = add_message_box(lower, message, box);
    }
    return status;
}

/* Everything produced goes to the hub. */
static enum ew_status gather_bucket(struct ew_lower *lower, uint32_t b, uint32_t hub,
                                    uint32_t reader_layer)
{
    struct lw_bucket *bucket = &lower->buckets.items[b];
    bucket->is_gathered = true;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < bucket->count && status == EW_OK; i++) {
        const uint32_t number = lower->order.items[bucket->first + i];
        const struct ew_piece *piece = &lower->pieces.items[number];
        if (piece->role == EW_PIECE_PARTIAL) {
            continue;
        }
        uint32_t *at_hub = &lower->gathered_node.items[number];
        status = piece->device == hub
                     ? available_node(lower, number, at_hub)
                     : lw_send_direct(lower, number, hub, reader_layer, &piece->box, 1, at_hub);
    }
    return status;
}

static enum ew_status read_gathered(struct ew_lower *lower, const struct lw_reader *reader,
                                    uint32_t b, uint32_t hub, const struct ew_box *need)
{
    enum ew_status status = EW_OK;
    if (!lower->buckets.items[b].is_gathered) {
        status = gather_bucket(lower, b, hub, reader->layer_id);
    }
    if (status == EW_OK) {
        status = lw_resolve(lower, b, need, EW_NONE, EW_NONE, reader->layer);
    }
    if (status || reader->device == hub) {
        for (size_t i = 0; i < lower->parts.count && status == EW_OK; i++) {
            status = lw_add_dep(lower, lower->gathered_node.items[lower->parts.items[i].piece]);
        }
        return status;
    }
    const uint32_t first = lower->parts.items[0].piece;
    const struct message_spec spec = {
        .key = message_key(KEY_BUCKET, b, reader->device),
        .piece = first,
        .from = hub,
        .to = reader->device,
        .reader_layer = reader->layer_id,
        .hop = 2,
        .wire_bits = boundary_of(lower, &lower->pieces.items[first]).wire_bits,
    };
    struct lw_message *found;
    bool is_new;
    status = get_message(lower, &spec, &found, &is_new);
    if (status) {
        return status;
    }
    const struct lw_message message = *found;
    for (size_t i = 0; i < lower->parts.count && status == EW_OK; i++) {
        status = lw_add_edge(lower, lower->gathered_node.items[lower->parts.items[i].piece],
                             message.send_node);
    }
    if (status == EW_OK) {
        status = add_message_box(lower, &message, need);
    }
    return status == EW_OK ? lw_add_dep(lower, message.ready_node) : status;
}

/* ------------------------------------------------------------------------------------- reading */

void lw_note_use(struct ew_lower *lower, const struct lw_reader *reader, uint32_t source,
                 const struct ew_box *box)
{
    if (reader->piece == EW_NONE) {
        return;
    }
    const struct ew_piece *from = &lower->pieces.items[source];
    if (from->device == reader->device) {
        lower->last_use.items[source] = reader->position;
    } else {
        lower->remote_bytes.items[reader->piece] += (uint64_t)ceil(
            (double)ew_box_volume(box) * lw_element_bytes(lower, lw_layer(lower, from)));
    }
}

static enum ew_status read_part(struct ew_lower *lower, const struct lw_reader *reader,
                                const struct lw_part *part, const struct ew_boundary *boundary)
{
    const struct ew_piece *from = &lower->pieces.items[part->piece];
    uint32_t ready;
    enum ew_status status;
    if (from->device == reader->device) {
        status = available_node(lower, part->piece, &ready);
    } else if (boundary->exchange == EW_EXCHANGE_RELAY && from->device != boundary->hub &&
               reader->device != boundary->hub) {
        status = send_relayed(lower, part->piece, boundary->hub, reader->device, reader->layer_id,
                              &part->box, &ready);
    } else {
        status = lw_send_direct(lower, part->piece, reader->device, reader->layer_id, &part->box, 0,
                                &ready);
    }
    return status == EW_OK ? lw_add_dep(lower, ready) : status;
}

enum ew_status lw_read_box(struct ew_lower *lower, const struct lw_reader *reader, uint32_t segment,
                           uint32_t layer_id, const struct ew_box *need)
{
    const uint32_t b = lw_bucket_of(lower, segment, layer_id);
    const struct ew_boundary boundary =
        ew_plan_boundary(lower->plan, lower->plan->segments[segment].variant, layer_id);
    const bool has_hub = boundary.exchange != EW_EXCHANGE_DIRECT;
    if (has_hub && boundary.hub >= lower->context->platform->n_devices) {
        return ew_fail(lower->err, EW_EINPUT,
                       "exchange behind layer %u: there is no device %u to "
                       "be the hub",
                       layer_id, boundary.hub);
    }
    if (boundary.exchange == EW_EXCHANGE_GATHER) {
        return read_gathered(lower, reader, b, boundary.hub, need);
    }
    enum ew_status status =
        lw_resolve(lower, b, need, reader->device, reader->chain, reader->layer);
    for (size_t i = 0; i < lower->parts.count && status == EW_OK; i++) {
        const struct lw_part part = lower->parts.items[i];
        lw_note_use(lower, reader, part.piece, &part.box);
        status = read_part(lower, reader, &part, &boundary);
    }
    return status;
}
