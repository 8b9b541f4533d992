#include "musical_chair/chair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/emit.h"
#include "common/plugin.h"

/* ------------------------------------------------------------------ reading the problem */

static int32_t allocate(struct chair *chair)
{
    size_t n = chair->group.n;
    size_t n_blocks = chair->blocks.n;
    chair->own_s = calloc(n_blocks * n, sizeof *chair->own_s);
    chair->weight = calloc(n_blocks, sizeof *chair->weight);
    chair->bytes = calloc(n_blocks + 1, sizeof *chair->bytes);
    chair->wires = calloc((n + 2) * (n + 2), sizeof *chair->wires);
    bool is_ok = chair->own_s && chair->weight && chair->bytes && chair->wires;
    return is_ok ? EW_STRATEGY_OK : kit_fail_memory(chair->net->host);
}

static void read_blocks(struct chair *chair)
{
    const struct kit_net *net = chair->net;
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        const struct kit_block *block = &chair->blocks.items[b];
        for (uint32_t i = 0; i < block->n_entering; i++) {
            chair->bytes[b] += (double)kit_layer_bytes(net, block->entering[i]);
        }
        for (uint32_t i = block->begin; i < block->end; i++) {
            chair->weight[b] += net->layers[net->order[i]]->weight_bytes;
            for (uint32_t d = 0; d < chair->group.n; d++) {
                chair->own_s[(size_t)b * chair->group.n + d] +=
                    kit_layer_compute_s(net, net->order[i], chair->group.device[d]);
            }
        }
    }
    chair->bytes[chair->blocks.n] = (double)kit_net_result_bytes(net);
    chair->working_bytes = kit_net_memory_bytes(net) - kit_net_weight_bytes(net, KIT_ABSENT);
}

static uint32_t end_device(const struct chair *chair, uint32_t k)
{
    const struct ew_requirements_info *asked = chair->net->host->requirements(chair->net->host);
    uint32_t n = chair->group.n;
    return k < n ? chair->group.device[k] : k == n ? asked->source_device : asked->sink_device;
}

static void read_wires(struct chair *chair)
{
    uint32_t n = chair->group.n + 2;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            struct kit_wire wire =
                kit_wire_between(chair->net->host, end_device(chair, a), end_device(chair, b));
            chair->wires[(size_t)a * n + b] = (struct chair_wire){wire.message_s, wire.byte_s};
        }
    }
}

int32_t chair_init(struct chair *chair, const struct kit_net *net)
{
    const struct kit_group_options options = {
        .first = net->host->requirements(net->host)->source_device,
        .capability = KIT_CAPABILITY_PROFILE,
        .needs_all_pairs = true,
        .holds_parts = true,
    };
    chair->net = net;
    int32_t rc = kit_group_init(&chair->group, net, &options);
    if (rc >= 0) {
        rc = kit_blocks_init(&chair->blocks, net);
    }
    if (rc >= 0) {
        rc = allocate(chair);
    }
    if (rc >= 0) {
        read_blocks(chair);
        read_wires(chair);
    }
    return rc;
}

void chair_fini(struct chair *chair)
{
    kit_group_fini(&chair->group);
    kit_blocks_fini(&chair->blocks);
    free(chair->own_s);
    free(chair->weight);
    free(chair->bytes);
    free(chair->wires);
    memset(chair, 0, sizeof *chair);
}

bool chair_seats_alloc(struct chair_seats *seats, const struct chair *chair)
{
    size_t n_blocks = chair->blocks.n;
    seats->device_of = calloc(n_blocks, sizeof *seats->device_of);
    seats->is_split = calloc(n_blocks, sizeof *seats->is_split);
    seats->channels = calloc(n_blocks * chair->group.n, sizeof *seats->channels);
    return seats->device_of && seats->is_split && seats->channels;
}

void chair_seats_free(struct chair_seats *seats)
{
    free(seats->device_of);
    free(seats->is_split);
    free(seats->channels);
    memset(seats, 0, sizeof *seats);
}

/* ------------------------------------------------------------------ splitting */

uint32_t chair_fc_layer(const struct chair *chair, uint32_t block)
{
    const struct kit_net *net = chair->net;
    uint32_t found = EW_ID_NONE;
    for (uint32_t i = chair->blocks.items[block].begin; i < chair->blocks.items[block].end; i++) {
        uint32_t layer = net->order[i];
        const struct ew_layer_info *info = net->layers[layer];
        if (info->op_class == EW_LAYER_FC && info->shape[1] > 1 &&
            (found == EW_ID_NONE || info->weight_bytes > net->layers[found]->weight_bytes)) {
            found = layer;
        }
    }
    return found;
}

/* The fc layer itself, and what follows it channel by channel. */
static bool is_split_layer(const struct chair *chair, uint32_t fc, uint32_t layer)
{
    const struct ew_layer_info *info = chair->net->layers[layer];
    return layer == fc ||
           (info->op_class == EW_LAYER_ELEMENTWISE && info->n_inputs == 1 && layer > fc &&
            info->shape[1] == chair->net->layers[fc]->shape[1] && info->weight_bytes == 0);
}

/* Weights of block b on device k. */
static uint64_t weight_on(const struct chair *chair, const struct chair_seats *seats, uint32_t b,
                          uint32_t k)
{
    if (!seats->is_split[b]) {
        return seats->device_of[b] == k ? chair->weight[b] : 0;
    }
    const struct ew_layer_info *fc = chair->net->layers[chair_fc_layer(chair, b)];
    int32_t channels = seats->channels[(size_t)b * chair->group.n + k];
    double part = ceil((double)fc->weight_bytes * channels / fc->shape[1]);
    uint64_t rest = seats->device_of[b] == k ? chair->weight[b] - fc->weight_bytes : 0;
    return (uint64_t)part + (channels > 0 ? 1 : 0) + rest;
}

static uint64_t weights_on(const struct chair *chair, const struct chair_seats *seats, uint32_t k)
{
    uint64_t bytes = 0;
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        bytes += weight_on(chair, seats, b, k);
    }
    return bytes;
}

static bool is_seated(const struct chair *chair, const struct chair_seats *seats, uint32_t k)
{
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        if (seats->device_of[b] == k ||
            (seats->is_split[b] && seats->channels[(size_t)b * chair->group.n + k] > 0)) {
            return true;
        }
    }
    return false;
}

static uint32_t node_of(const struct chair *chair, uint32_t k)
{
    return chair->net->host->device(chair->net->host, chair->group.device[k])->node;
}

uint32_t chair_overfull(const struct chair *chair, const struct chair_seats *seats)
{
    for (uint32_t a = 0; a < chair->group.n; a++) {
        uint64_t needed = 0;
        for (uint32_t b = 0; b < chair->group.n; b++) {
            if (node_of(chair, b) == node_of(chair, a) && is_seated(chair, seats, b)) {
                needed += weights_on(chair, seats, b) + chair->working_bytes;
            }
        }
        if (!kit_fits(chair->net->host, chair->group.device[a], needed) &&
            is_seated(chair, seats, a)) {
            return a;
        }
    }
    return EW_ID_NONE;
}

/* Channels of `channel_bytes` that device k can still take; members of a node share evenly. */
static int32_t room_for(const struct chair *chair, const struct chair_seats *seats,
                        const bool *is_member, uint32_t k, double channel_bytes, int32_t total)
{
    uint64_t memory =
        chair->net->host->device(chair->net->host, chair->group.device[k])->memory_bytes;
    uint32_t mates = 0;
    uint64_t used = 0;
    for (uint32_t b = 0; b < chair->group.n; b++) {
        if (node_of(chair, b) == node_of(chair, k) &&
            (is_member[b] || is_seated(chair, seats, b))) {
            used += weights_on(chair, seats, b) + chair->working_bytes;
            mates += is_member[b];
        }
    }
    if (memory == 0 || channel_bytes <= 0.0) {
        return total;
    }
    if (used + 2 >= memory) {
        return 0;
    }
    double room = floor((double)(memory - used - 2) / mates / channel_bytes);
    return room < total ? (int32_t)room : total;
}

static bool share_block(struct chair_seats *seats, const struct chair *chair, const bool *is_member,
                        uint32_t b, int32_t *most, double *speed)
{
    uint32_t n = chair->group.n;
    const struct ew_layer_info *fc = chair->net->layers[chair_fc_layer(chair, b)];
    double channel_bytes = (double)fc->weight_bytes / fc->shape[1];
    for (uint32_t k = 0; k < n; k++) {
        most[k] =
            is_member[k] ? room_for(chair, seats, is_member, k, channel_bytes, fc->shape[1]) : 0;
        speed[k] = 1.0 / fmax(chair->own_s[(size_t)b * n + k], 1e-12);
    }
    return chair_split(seats->channels + (size_t)b * n, speed, most, n, fc->shape[1]);
}

bool chair_share_channels(struct chair_seats *seats, const struct chair *chair,
                          const bool *is_member)
{
    uint32_t n = chair->group.n;
    int32_t *most = calloc(n, sizeof *most);
    double *speed = calloc(n, sizeof *speed);
    bool is_ok = most && speed;
    memset(seats->channels, 0, (size_t)chair->blocks.n * n * sizeof *seats->channels);
    for (uint32_t b = 0; b < chair->blocks.n && is_ok; b++) {
        is_ok = !seats->is_split[b] || share_block(seats, chair, is_member, b, most, speed);
    }
    free(most);
    free(speed);
    return is_ok;
}

/* ------------------------------------------------------------------ time */

static double move_s(const struct chair *chair, uint32_t from, uint32_t to, double bytes)
{
    const struct chair_wire *wire = &chair->wires[(size_t)from * (chair->group.n + 2) + to];
    bool is_nowhere = end_device(chair, from) == end_device(chair, to) || bytes <= 0.0;
    return is_nowhere ? 0.0 : wire->message_s + bytes * wire->byte_s;
}

double chair_block_s(const struct chair *chair, const struct chair_seats *seats, uint32_t block)
{
    uint32_t n = chair->group.n;
    uint32_t lead = seats->device_of[block];
    if (!seats->is_split[block]) {
        return chair->own_s[(size_t)block * n + lead];
    }
    int32_t total = chair->net->layers[chair_fc_layer(chair, block)]->shape[1];
    double longest = 0.0;
    for (uint32_t k = 0; k < n; k++) {
        double share = (double)seats->channels[(size_t)block * n + k] / total;
        if (share > 0.0) {
            double seconds = share * chair->own_s[(size_t)block * n + k] +
                             move_s(chair, lead, k, chair->bytes[block]) +
                             move_s(chair, k, lead, share * chair->bytes[block + 1]);
            longest = fmax(longest, seconds);
        }
    }
    return longest;
}

double chair_latency_s(const struct chair *chair, const struct chair_seats *seats)
{
    uint32_t n = chair->group.n;
    uint32_t at = n; /* the source */
    double seconds = 0.0;
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        seconds += move_s(chair, at, seats->device_of[b], chair->bytes[b]);
        seconds += chair_block_s(chair, seats, b);
        at = seats->device_of[b];
    }
    return seconds + move_s(chair, at, n + 1, chair->bytes[chair->blocks.n]);
}

/* ------------------------------------------------------------------ pieces */

static int32_t emit_channels(struct ew_plan_builder *builder, const struct chair *chair,
                             const int32_t *channels, uint32_t layer)
{
    int32_t next = 0;
    for (uint32_t k = 0; k < chair->group.n; k++) {
        struct ew_piece_desc piece = {
            .struct_size = sizeof piece,
            .layer = layer,
            .device = chair->group.device[k],
            .role = EW_ROLE_FULL,
            .chain = EW_ID_NONE,
            .sum_piece = EW_ID_NONE,
            .box = kit_full_box(chair->net, layer),
        };
        piece.box.lo[1] = next;
        piece.box.hi[1] = next + channels[k];
        next += channels[k];
        if (channels[k] > 0) {
            int32_t id = builder->add_piece(builder, &piece);
            if (id < 0) {
                return id;
            }
        }
    }
    return EW_STRATEGY_OK;
}

int32_t chair_emit(struct ew_plan_builder *builder, const struct chair *chair,
                   const struct chair_seats *seats)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        const struct kit_block *block = &chair->blocks.items[b];
        uint32_t fc = seats->is_split[b] ? chair_fc_layer(chair, b) : EW_ID_NONE;
        uint32_t lead = chair->group.device[seats->device_of[b]];
        for (uint32_t i = block->begin; i < block->end && rc >= 0; i++) {
            uint32_t layer = chair->net->order[i];
            bool is_split = fc != EW_ID_NONE && is_split_layer(chair, fc, layer);
            rc = is_split ? emit_channels(builder, chair,
                                          seats->channels + (size_t)b * chair->group.n, layer)
                          : kit_emit_whole(builder, chair->net, layer, lead);
        }
    }
    return rc;
}

/* ------------------------------------------------------------------ one request */

/* Everything the search changes. Arrays are owned. */
struct seating {
    double *compute_s; /* see chair_problem */
    double *weight;
    double *room;
    double *scratch;
    bool *is_member;
};

/* A split block as the assignment sees it: shares by speed, on any lead. */
static void open_split_block(struct seating *seating, struct chair_seats *seats,
                             const struct chair *chair, uint32_t b)
{
    uint32_t n = chair->group.n;
    double rate = 0.0;
    double slowest_move_s = 0.0;
    seats->is_split[b] = true;
    seating->weight[b] = 0.0; /* the channels are shared out later */
    for (uint32_t k = 0; k < n; k++) {
        rate += 1.0 / fmax(chair->own_s[(size_t)b * n + k], 1e-12);
    }
    for (uint32_t lead = 0; lead < n; lead++) {
        for (uint32_t k = 0; k < n; k++) {
            slowest_move_s = fmax(slowest_move_s, move_s(chair, lead, k, chair->bytes[b]));
        }
        bool has_room = kit_fits(chair->net->host, chair->group.device[lead], chair->working_bytes);
        seating->compute_s[(size_t)b * n + lead] =
            has_room ? 1.0 / rate + slowest_move_s : INFINITY;
    }
}

/* The whole block with the most weights on device k (EW_ID_NONE: on any). */
static uint32_t heaviest_block(const struct chair *chair, const struct chair_seats *seats,
                               uint32_t k, bool must_have_fc)
{
    uint32_t found = EW_ID_NONE;
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        bool is_here = !seats->is_split[b] && (k == EW_ID_NONE || seats->device_of[b] == k);
        if (is_here && (!must_have_fc || chair_fc_layer(chair, b) != EW_ID_NONE) &&
            (found == EW_ID_NONE || chair->weight[b] > chair->weight[found])) {
            found = b;
        }
    }
    return found;
}

static int32_t fail_capacity(const struct chair *chair)
{
    return kit_fail(chair->net->host, EW_STRATEGY_ECANNOT,
                    "no way over the %u usable devices: their memory does not hold the network, or "
                    "no route leads to the sink",
                    chair->group.n);
}

/* Split the next fully connected block, the heaviest first. */
static int32_t split_next(struct seating *seating, struct chair_seats *seats,
                          const struct chair *chair)
{
    uint32_t b = heaviest_block(chair, seats, EW_ID_NONE, true);
    if (b == EW_ID_NONE) {
        return fail_capacity(chair);
    }
    open_split_block(seating, seats, chair, b);
    return EW_STRATEGY_OK;
}

/* Two runs on one device, or devices of one node, are too much together: take the heaviest block
 * away from the overfull one. */
static int32_t unseat(struct seating *seating, const struct chair_seats *seats,
                      const struct chair *chair, uint32_t k)
{
    uint32_t b = heaviest_block(chair, seats, k, false);
    if (b == EW_ID_NONE) {
        return fail_capacity(chair);
    }
    seating->compute_s[(size_t)b * chair->group.n + k] = INFINITY;
    return EW_STRATEGY_OK;
}

static int32_t seat(struct seating *seating, struct chair_seats *seats, const struct chair *chair)
{
    const struct chair_problem problem = {
        .n_blocks = chair->blocks.n,
        .n_devices = chair->group.n,
        .compute_s = seating->compute_s,
        .bytes = chair->bytes,
        .weight = seating->weight,
        .room = seating->room,
        .wires = chair->wires,
    };
    for (;;) {
        double seconds = chair_assign(seats->device_of, seating->scratch, &problem);
        bool has_room = isfinite(seconds) && chair_share_channels(seats, chair, seating->is_member);
        uint32_t k = has_room ? chair_overfull(chair, seats) : EW_ID_NONE;
        if (has_room && k == EW_ID_NONE) {
            return EW_STRATEGY_OK;
        }
        int32_t rc =
            has_room ? unseat(seating, seats, chair, k) : split_next(seating, seats, chair);
        if (rc < 0) {
            return rc;
        }
    }
}

static void fill_seating(struct seating *seating, const struct chair *chair)
{
    const struct ew_host *host = chair->net->host;
    size_t n_cells = (size_t)chair->blocks.n * chair->group.n;
    memcpy(seating->compute_s, chair->own_s, n_cells * sizeof *seating->compute_s);
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        seating->weight[b] = (double)chair->weight[b];
    }
    for (uint32_t k = 0; k < chair->group.n; k++) {
        uint64_t memory = host->device(host, chair->group.device[k])->memory_bytes;
        seating->is_member[k] = true;
        /* below 0: not even the tensors have room */
        seating->room[k] = memory > 0 ? (double)memory - (double)chair->working_bytes : INFINITY;
    }
}

int32_t chair_seat_for_latency(struct chair_seats *seats, const struct chair *chair)
{
    size_t n_cells = (size_t)chair->blocks.n * chair->group.n;
    struct seating seating = {
        .compute_s = calloc(n_cells, sizeof *seating.compute_s),
        .weight = calloc(chair->blocks.n, sizeof *seating.weight),
        .room = calloc(chair->group.n, sizeof *seating.room),
        .scratch = calloc(2 * n_cells, sizeof *seating.scratch),
        .is_member = calloc(chair->group.n, sizeof *seating.is_member),
    };
    bool is_ok =
        seating.compute_s && seating.weight && seating.room && seating.scratch && seating.is_member;
    int32_t rc = is_ok ? EW_STRATEGY_OK : kit_fail_memory(chair->net->host);
    if (rc >= 0) {
        memset(seats->is_split, 0, chair->blocks.n * sizeof *seats->is_split);
        fill_seating(&seating, chair);
        rc = seat(&seating, seats, chair);
    }
    free(seating.compute_s);
    free(seating.weight);
    free(seating.room);
    free(seating.scratch);
    free(seating.is_member);
    return rc;
}
