#include "common/draft.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/emit.h"
#include "common/plugin.h"

/* ------------------------------------------------------------------ pieces */

void kit_draft_begin(struct kit_draft *draft, const struct kit_net *net)
{
    draft->net = net;
    draft->n = 0;
}

void kit_draft_fini(struct kit_draft *draft)
{
    free(draft->pieces);
    memset(draft, 0, sizeof *draft);
}

int32_t kit_draft_piece(struct kit_draft *draft, const struct kit_piece *piece)
{
    if (kit_box_is_empty(&piece->box)) {
        return EW_STRATEGY_OK;
    }
    if (draft->n == draft->capacity) {
        uint32_t capacity = draft->capacity ? 2 * draft->capacity : 256;
        struct kit_piece *grown = realloc(draft->pieces, capacity * sizeof *grown);
        if (!grown) {
            return kit_fail_memory(draft->net->host);
        }
        draft->pieces = grown;
        draft->capacity = capacity;
    }
    draft->pieces[draft->n++] = *piece;
    return EW_STRATEGY_OK;
}

int32_t kit_draft_whole(struct kit_draft *draft, uint32_t layer, uint32_t device)
{
    struct kit_piece piece = {
        .layer = layer,
        .device = device,
        .chain = EW_ID_NONE,
        .box = kit_full_box(draft->net, layer),
    };
    return kit_draft_piece(draft, &piece);
}

int32_t kit_draft_band(struct kit_draft *draft, uint32_t layer, uint32_t device, int32_t lo,
                       int32_t hi)
{
    struct kit_piece piece = {
        .layer = layer,
        .device = device,
        .chain = EW_ID_NONE,
        .box = kit_band_box(draft->net, layer, lo, hi),
    };
    return kit_draft_piece(draft, &piece);
}

int32_t kit_draft_sum(struct kit_draft *draft, uint32_t layer, uint32_t device,
                      const uint32_t *devices, uint32_t n, const int32_t *cuts)
{
    struct kit_piece piece = {
        .layer = layer,
        .device = device,
        .chain = EW_ID_NONE,
        .box = kit_full_box(draft->net, layer),
        .role = EW_ROLE_SUM,
    };
    const uint32_t sum = draft->n;
    int32_t rc = kit_draft_piece(draft, &piece);
    piece.role = EW_ROLE_PARTIAL;
    piece.sum = sum;
    for (uint32_t i = 0; i < n && rc >= 0; i++) {
        piece.device = devices[i];
        piece.reduction[0] = cuts[i];
        piece.reduction[1] = cuts[i + 1];
        rc = cuts[i] < cuts[i + 1] ? kit_draft_piece(draft, &piece) : EW_STRATEGY_OK;
    }
    return rc;
}

int32_t kit_draft_blocks(struct kit_draft *draft, const struct kit_blocks *blocks, uint32_t first,
                         uint32_t last, uint32_t device)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = blocks->items[first].begin; i < blocks->items[last].end && rc >= 0; i++) {
        rc = kit_draft_whole(draft, draft->net->order[i], device);
    }
    return rc;
}

int32_t kit_draft_volume(struct kit_draft *draft, const struct kit_blocks *blocks, uint32_t first,
                         uint32_t last, const struct ew_tensor_box *boxes, uint32_t device,
                         uint32_t chain)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = blocks->items[first].begin; i < blocks->items[last].end && rc >= 0; i++) {
        uint32_t layer = draft->net->order[i];
        struct kit_piece piece = {
            .layer = layer, .device = device, .chain = chain, .box = boxes[layer]};
        rc = kit_draft_piece(draft, &piece);
    }
    return rc;
}

int32_t kit_draft_emit(const struct kit_draft *draft, struct ew_plan_builder *builder)
{
    for (uint32_t i = 0; i < draft->n; i++) {
        const struct kit_piece *piece = &draft->pieces[i];
        const bool is_partial = piece->role == EW_ROLE_PARTIAL;
        struct ew_piece_desc desc = {
            .struct_size = sizeof desc,
            .layer = piece->layer,
            .device = piece->device,
            .role = piece->role,
            .chain = piece->chain,
            .sum_piece = is_partial ? piece->sum : EW_ID_NONE,
            .reduction_lo = piece->reduction[0],
            .reduction_hi = piece->reduction[1],
            .box = piece->box,
            .pool = piece->pool,
        };
        int32_t id = builder->add_piece(builder, &desc);
        if (id < 0) {
            return id;
        }
    }
    return EW_STRATEGY_OK;
}

int32_t kit_draft_write(const struct kit_draft *draft, struct ew_plan_builder *builder,
                        const char *name)
{
    const int32_t rc = kit_begin_plan(builder, draft->net, name);
    return rc < 0 ? rc : kit_draft_emit(draft, builder);
}

/* ------------------------------------------------------------------ memory */

/* Of the pieces of a layer on a device. */
struct span {
    int32_t channels[2];
    int32_t reduction[2]; /* full pieces: up to INT32_MAX */
};

/* Sweep in the order in which a plan runs: layer by layer. An output lives on its device from its
 * piece to the last piece there of a layer that reads it; what a piece reads and its device did not
 * make lives while the piece runs; a sum reads all its parts. Weights count for the channels, or
 * the part of the reduction, that a device's pieces of the layer need. */
struct sweep {
    const struct kit_draft *draft;
    uint32_t n_devices;
    uint32_t *first;   /* by layer: its pieces are order[first[l] .. first[l + 1]) */
    uint32_t *order;   /* piece numbers by layer */
    uint32_t *last_at; /* by layer and device: position in order of the last piece; or NONE */
    uint32_t *dies;    /* by position: head of the pieces that die behind it; or NONE */
    uint32_t *next;    /* by position */
    uint64_t *live_bytes;
    uint64_t *peak_bytes;
    uint64_t *weight_bytes;
    struct span *spans; /* by layer and device */
};

static int32_t allocate(struct sweep *sweep)
{
    const struct kit_net *net = sweep->draft->net;
    size_t n = sweep->draft->n;
    size_t n_cells = (size_t)net->n_layers * sweep->n_devices;
    sweep->first = calloc(net->n_layers + 1u, sizeof *sweep->first);
    sweep->order = calloc(n + 1u, sizeof *sweep->order);
    sweep->last_at = malloc((n_cells + 1u) * sizeof *sweep->last_at);
    sweep->dies = malloc((n + 1u) * sizeof *sweep->dies);
    sweep->next = malloc((n + 1u) * sizeof *sweep->next);
    sweep->live_bytes = calloc(sweep->n_devices + 1u, sizeof *sweep->live_bytes);
    sweep->peak_bytes = calloc(sweep->n_devices + 1u, sizeof *sweep->peak_bytes);
    sweep->weight_bytes = calloc(sweep->n_devices + 1u, sizeof *sweep->weight_bytes);
    sweep->spans = calloc(n_cells + 1u, sizeof *sweep->spans);
    if (!sweep->first || !sweep->order || !sweep->last_at || !sweep->dies || !sweep->next ||
        !sweep->live_bytes || !sweep->peak_bytes || !sweep->weight_bytes || !sweep->spans) {
        return kit_fail_memory(net->host);
    }
    memset(sweep->last_at, 0xff, n_cells * sizeof *sweep->last_at);
    memset(sweep->dies, 0xff, (n + 1u) * sizeof *sweep->dies);
    return EW_STRATEGY_OK;
}

static void release(struct sweep *sweep)
{
    free(sweep->first);
    free(sweep->order);
    free(sweep->last_at);
    free(sweep->dies);
    free(sweep->next);
    free(sweep->live_bytes);
    free(sweep->peak_bytes);
    free(sweep->weight_bytes);
    free(sweep->spans);
}

static void sort_by_layer(struct sweep *sweep)
{
    const struct kit_draft *draft = sweep->draft;
    uint32_t n_layers = draft->net->n_layers;
    for (uint32_t i = 0; i < draft->n; i++) {
        sweep->first[draft->pieces[i].layer + 1]++;
    }
    for (uint32_t l = 0; l < n_layers; l++) {
        sweep->first[l + 1] += sweep->first[l];
    }
    for (uint32_t i = 0; i < draft->n; i++) {
        sweep->order[sweep->first[draft->pieces[i].layer]++] = i;
    }
    for (uint32_t l = n_layers; l > 0; l--) { /* every entry has moved on to its end */
        sweep->first[l] = sweep->first[l - 1];
    }
    sweep->first[0] = 0;
}

static uint32_t *cell(const struct sweep *sweep, uint32_t layer, uint32_t device)
{
    return &sweep->last_at[(size_t)layer * sweep->n_devices + device];
}

static void widen(struct span *span, const struct kit_piece *piece)
{
    const bool is_new = span->channels[1] == 0;
    const int32_t channels[2] = {piece->box.lo[1], piece->box.hi[1]};
    const bool is_partial = piece->role == EW_ROLE_PARTIAL;
    const int32_t reduction[2] = {is_partial ? piece->reduction[0] : 0,
                                  is_partial ? piece->reduction[1] : INT32_MAX};
    if (is_new || channels[0] < span->channels[0]) {
        span->channels[0] = channels[0];
    }
    if (is_new || reduction[0] < span->reduction[0]) {
        span->reduction[0] = reduction[0];
    }
    span->channels[1] = channels[1] > span->channels[1] ? channels[1] : span->channels[1];
    span->reduction[1] = reduction[1] > span->reduction[1] ? reduction[1] : span->reduction[1];
}

/* Input channels of a conv, flattened input of an fc. */
static int32_t reduction_length(const struct kit_net *net, const struct ew_layer_info *info)
{
    const int32_t *in = net->layers[info->inputs[0]]->shape;
    return info->op_class == EW_LAYER_FC ? in[1] * in[2] * in[3] : in[1];
}

/* Weights that the span needs: its part of the whole, biases on top. */
static uint64_t span_weight_bytes(const struct kit_net *net, uint32_t layer,
                                  const struct span *span)
{
    const struct ew_layer_info *info = net->layers[layer];
    const double channels = (double)(span->channels[1] - span->channels[0]) / info->shape[1];
    const bool is_whole_sum = span->reduction[1] == INT32_MAX;
    const double terms = is_whole_sum ? 1.0
                                      : (double)(span->reduction[1] - span->reduction[0]) /
                                            reduction_length(net, info);
    if (channels * terms >= 1.0) {
        return info->weight_bytes;
    }
    return (uint64_t)ceil((double)info->weight_bytes * channels * terms +
                          info->shape[1] * net->graph->weight_bytes_per_element);
}

static void note_weights(struct sweep *sweep)
{
    const struct kit_draft *draft = sweep->draft;
    for (uint32_t i = 0; i < draft->n; i++) {
        const struct kit_piece *piece = &draft->pieces[i];
        if (piece->role != EW_ROLE_SUM) {
            widen(&sweep->spans[(size_t)piece->layer * sweep->n_devices + piece->device], piece);
        }
    }
    for (uint32_t l = 0; l < draft->net->n_layers; l++) {
        for (uint32_t d = 0; d < sweep->n_devices; d++) {
            const struct span *span = &sweep->spans[(size_t)l * sweep->n_devices + d];
            if (span->channels[1] > 0) {
                sweep->weight_bytes[d] += span_weight_bytes(draft->net, l, span);
            }
        }
    }
}

/* Where pieces end. */
static void note_positions(struct sweep *sweep)
{
    const struct kit_draft *draft = sweep->draft;
    for (uint32_t at = 0; at < draft->n; at++) {
        const struct kit_piece *piece = &draft->pieces[sweep->order[at]];
        *cell(sweep, piece->layer, piece->device) = at;
    }
    for (uint32_t at = 0; at < draft->n; at++) {
        const struct kit_piece *piece = &draft->pieces[sweep->order[at]];
        const struct ew_layer_info *info = draft->net->layers[piece->layer];
        uint32_t end = at;
        for (uint32_t c = 0; c < info->n_consumers && piece->role != EW_ROLE_PARTIAL; c++) {
            uint32_t last = *cell(sweep, info->consumers[c], piece->device);
            end = last != EW_ID_NONE && last > end ? last : end;
        }
        sweep->next[at] = sweep->dies[end];
        sweep->dies[end] = at;
    }
}

static uint64_t piece_bytes(const struct kit_net *net, const struct kit_piece *piece)
{
    return (uint64_t)ceil(kit_box_bytes(net, piece->layer, &piece->box));
}

/* Elements of `need` that the largest piece of `layer` on `device` holds. */
static uint64_t held_elements(const struct sweep *sweep, uint32_t layer, uint32_t device,
                              const struct ew_tensor_box *need)
{
    uint64_t most = 0;
    for (uint32_t at = sweep->first[layer]; at < sweep->first[layer + 1]; at++) {
        const struct kit_piece *piece = &sweep->draft->pieces[sweep->order[at]];
        struct ew_tensor_box common = *need;
        for (int d = 0; d < 4; d++) {
            common.lo[d] = piece->box.lo[d] > need->lo[d] ? piece->box.lo[d] : need->lo[d];
            common.hi[d] = piece->box.hi[d] < need->hi[d] ? piece->box.hi[d] : need->hi[d];
        }
        bool is_there = piece->device == device && piece->role != EW_ROLE_PARTIAL;
        uint64_t held = is_there ? kit_box_elements(&common) : 0;
        most = held > most ? held : most;
    }
    return most;
}

/* A sum has all parts at once, its own device's, too. */
static uint64_t parts_bytes(const struct sweep *sweep, const struct kit_piece *sum)
{
    uint64_t bytes = 0;
    for (uint32_t at = sweep->first[sum->layer]; at < sweep->first[sum->layer + 1]; at++) {
        const struct kit_piece *piece = &sweep->draft->pieces[sweep->order[at]];
        bytes += piece->role == EW_ROLE_PARTIAL ? piece_bytes(sweep->draft->net, piece) : 0;
    }
    return bytes;
}

/* Of the input box, what the part of the reduction reads. */
static void keep_reduction(struct ew_tensor_box *need, const struct kit_net *net,
                           const struct kit_piece *piece)
{
    const struct ew_layer_info *info = net->layers[piece->layer];
    const int32_t *in = net->layers[info->inputs[0]]->shape;
    const int32_t plane = info->op_class == EW_LAYER_FC ? in[2] * in[3] : 1;
    need->lo[1] = piece->reduction[0] / plane;
    need->hi[1] = (piece->reduction[1] + plane - 1) / plane;
}

static int32_t received_bytes(uint64_t *out, const struct sweep *sweep,
                              const struct kit_piece *piece)
{
    const struct kit_net *net = sweep->draft->net;
    const struct ew_layer_info *info = net->layers[piece->layer];
    *out = 0;
    if (piece->role == EW_ROLE_SUM) {
        *out = parts_bytes(sweep, piece);
        return EW_STRATEGY_OK;
    }
    for (uint32_t k = 0; k < info->n_inputs; k++) {
        struct ew_tensor_box need;
        int32_t rc =
            net->host->input_box(net->host, net->variant, piece->layer, k, &piece->box, &need);
        if (rc < 0) {
            return rc;
        }
        if (piece->role == EW_ROLE_PARTIAL) {
            keep_reduction(&need, net, piece);
        }
        uint64_t elements = kit_box_elements(&need);
        uint64_t missing = elements - held_elements(sweep, info->inputs[k], piece->device, &need);
        double bytes = kit_box_bytes(net, info->inputs[k], &need);
        /* Parts may come from several devices and round up one by one. */
        *out += missing
                    ? (uint64_t)ceil(bytes * ((double)missing / (double)elements)) + sweep->draft->n
                    : 0;
    }
    return EW_STRATEGY_OK;
}

static int32_t run_sweep(struct sweep *sweep)
{
    const struct kit_draft *draft = sweep->draft;
    sort_by_layer(sweep);
    note_positions(sweep);
    note_weights(sweep);
    for (uint32_t at = 0; at < draft->n; at++) {
        const struct kit_piece *piece = &draft->pieces[sweep->order[at]];
        uint64_t received;
        int32_t rc = received_bytes(&received, sweep, piece);
        if (rc < 0) {
            return rc;
        }
        uint64_t *live = &sweep->live_bytes[piece->device];
        uint64_t *peak = &sweep->peak_bytes[piece->device];
        *live += piece_bytes(draft->net, piece);
        *peak = *live + received > *peak ? *live + received : *peak;
        for (uint32_t i = sweep->dies[at]; i != EW_ID_NONE; i = sweep->next[i]) {
            const struct kit_piece *gone = &draft->pieces[sweep->order[i]];
            sweep->live_bytes[gone->device] -= piece_bytes(draft->net, gone);
        }
    }
    return EW_STRATEGY_OK;
}

/* Sum over the devices of `device`'s node, and which of them needs most. */
static struct kit_overfull weigh_node(const struct sweep *sweep, uint32_t device)
{
    const struct ew_host *host = sweep->draft->net->host;
    struct kit_overfull node = {.device = device,
                                .memory_bytes = host->device(host, device)->memory_bytes};
    uint64_t most = 0;
    for (uint32_t d = device; d < sweep->n_devices; d++) {
        if (host->device(host, d)->node != host->device(host, device)->node) {
            continue;
        }
        uint64_t bytes = sweep->weight_bytes[d] + sweep->peak_bytes[d];
        node.needed_bytes += bytes;
        node.device = bytes > most ? d : node.device;
        most = bytes > most ? bytes : most;
    }
    return node;
}

static bool is_first_of_node(const struct ew_host *host, uint32_t device)
{
    for (uint32_t d = 0; d < device; d++) {
        if (host->device(host, d)->node == host->device(host, device)->node) {
            return false;
        }
    }
    return true;
}

static bool has_limits(const struct ew_host *host)
{
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        if (host->device(host, d)->memory_bytes > 0) {
            return true;
        }
    }
    return false;
}

int32_t kit_draft_overfull(struct kit_overfull *out, const struct kit_draft *draft)
{
    const struct ew_host *host = draft->net->host;
    struct sweep sweep = {.draft = draft, .n_devices = host->device_count(host)};
    *out = (struct kit_overfull){.device = EW_ID_NONE};
    if (!has_limits(host)) {
        return EW_STRATEGY_OK;
    }
    int32_t rc = allocate(&sweep);
    if (rc >= 0) {
        rc = run_sweep(&sweep);
    }
    for (uint32_t d = 0; d < sweep.n_devices && rc >= 0 && out->device == EW_ID_NONE; d++) {
        struct kit_overfull node = weigh_node(&sweep, d);
        if (is_first_of_node(host, d) && node.memory_bytes > 0 &&
            node.needed_bytes > node.memory_bytes) {
            *out = node;
        }
    }
    release(&sweep);
    return rc;
}

/* ------------------------------------------------------------------ leaving devices out */

int32_t kit_group_drop_overfull(struct kit_group *group, const struct kit_net *net,
                                const struct kit_overfull *overfull)
{
    for (uint32_t i = 0; i < group->n && group->n > 1; i++) {
        if (group->device[i] == overfull->device) {
            kit_group_drop(group, net, i, "memory");
            return EW_STRATEGY_OK;
        }
    }
    return kit_fail(net->host, EW_STRATEGY_ECANNOT,
                    "%s needs %" PRIu64 " bytes of memory for its share (weights and largest "
                    "working set), it has %" PRIu64,
                    net->host->device(net->host, overfull->device)->name, overfull->needed_bytes,
                    overfull->memory_bytes);
}

int32_t kit_draft_within_memory(struct kit_draft *draft, struct kit_group *group,
                                int32_t (*make)(void *ctx), void *ctx)
{
    for (;;) {
        struct kit_overfull overfull;
        int32_t rc = make(ctx);
        rc = rc < 0 ? rc : kit_draft_overfull(&overfull, draft);
        if (rc < 0 || overfull.device == EW_ID_NONE) {
            return rc;
        }
        rc = kit_group_drop_overfull(group, draft->net, &overfull);
        if (rc < 0) {
            return rc;
        }
    }
}

int32_t kit_group_conclude(const struct kit_group *group, struct ew_plan_builder *builder,
                           const struct kit_net *net, double latency_s)
{
    int32_t rc = EW_STRATEGY_OK;
    if (group->excluded[0] != '\0') {
        rc = kit_note(builder, "left_out", "%s", group->excluded);
    }
    return rc < 0 ? rc : kit_predict(builder, net, latency_s, NAN);
}
