/*
 * Musical Chair's view of a problem: blocks, devices, times, memory; and the two ways to plan.
 */
#ifndef EDGEWEAVE_STRATEGIES_CHAIR_H
#define EDGEWEAVE_STRATEGIES_CHAIR_H

#include "common/blocks.h"
#include "common/devices.h"
#include "musical_chair/chair_model.h"

/** Arrays are owned. Device k is group.device[k]. */
struct chair {
    const struct kit_net *net;
    struct kit_blocks blocks;
    struct kit_group group;
    double *own_s;    /**< block * n + device: seconds of the whole block */
    uint64_t *weight; /**< by block: bytes */
    double *bytes;    /**< see chair_problem */
    struct chair_wire *wires;
    uint64_t working_bytes; /**< most bytes of tensors that are alive at once */
};

/** Where one plan's blocks go. Arrays are owned. */
struct chair_seats {
    uint32_t *device_of; /**< by block; the lead where the block is split */
    bool *is_split;      /**< by block */
    int32_t *channels;   /**< block * n + device, of split blocks */
};

/** Zero-initialise first; release with chair_fini whatever this returns. */
int32_t chair_init(struct chair *chair, const struct kit_net *net);
void chair_fini(struct chair *chair);

bool chair_seats_alloc(struct chair_seats *seats, const struct chair *chair);
void chair_seats_free(struct chair_seats *seats);

/** The layer of the block that can be split by channels; EW_ID_NONE: none. */
uint32_t chair_fc_layer(const struct chair *chair, uint32_t block);

/** Channels of all split blocks for the devices in `is_member` (by device), within what memory is
 *  left there beside the whole blocks; false when they do not fit. */
bool chair_share_channels(struct chair_seats *seats, const struct chair *chair,
                          const bool *is_member);

/** The first device whose memory (shared within its node) the seats overfill; EW_ID_NONE: none. */
uint32_t chair_overfull(const struct chair *chair, const struct chair_seats *seats);

/** Seconds of one block as seated, moving its input to all members and its output back included. */
double chair_block_s(const struct chair *chair, const struct chair_seats *seats, uint32_t block);

/** Seconds of one request: all blocks, moves between them, input and answer. */
double chair_latency_s(const struct chair *chair, const struct chair_seats *seats);

/** Add the pieces to the current plan. */
int32_t chair_emit(struct ew_plan_builder *builder, const struct chair *chair,
                   const struct chair_seats *seats);

/** Least time of one request: whole blocks on devices, split where none can hold them.
 *  EW_STRATEGY_ECANNOT when that does not fit either. */
int32_t chair_seat_for_latency(struct chair_seats *seats, const struct chair *chair);

#endif
