/*
 * A plan in the making: its pieces, before they go to the builder, so that a strategy can see
 * whether they fit into the devices' memory and leave a device out when they do not.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_DRAFT_H
#define EDGEWEAVE_STRATEGIES_COMMON_DRAFT_H

#include "common/blocks.h"
#include "common/devices.h"

/** A piece; a full one when the last members are zero. */
struct kit_piece {
    uint32_t layer;
    uint32_t device;
    uint32_t chain; /**< EW_ID_NONE: none */
    struct ew_tensor_box box;
    uint32_t role;        /**< EW_ROLE_* */
    uint32_t sum;         /**< partial: number of its sum piece, which comes before it */
    int32_t reduction[2]; /**< partial: from, to */
    uint32_t pool;        /**< from the builder's add_pool; 0: none */
};

/** Pieces in the order in which they will get their numbers. The array is owned. */
struct kit_draft {
    const struct kit_net *net;
    struct kit_piece *pieces;
    uint32_t n;
    uint32_t capacity;
};

/** Zero-initialise first; release with kit_draft_fini. kit_draft_begin forgets all pieces. */
void kit_draft_begin(struct kit_draft *draft, const struct kit_net *net);
void kit_draft_fini(struct kit_draft *draft);

/** Add one piece; nothing when the box is empty. */
int32_t kit_draft_piece(struct kit_draft *draft, const struct kit_piece *piece);

/** Add all of a layer. */
int32_t kit_draft_whole(struct kit_draft *draft, uint32_t layer, uint32_t device);

/** Add lines [lo, hi) of a layer. */
int32_t kit_draft_band(struct kit_draft *draft, uint32_t layer, uint32_t device, int32_t lo,
                       int32_t hi);

/** Add the sum of a whole layer on `device` and its n parts: part i on devices[i] over reduction
 *  positions [cuts[i], cuts[i + 1]), none when empty. */
int32_t kit_draft_sum(struct kit_draft *draft, uint32_t layer, uint32_t device,
                      const uint32_t *devices, uint32_t n, const int32_t *cuts);

/** Add all of the layers of blocks [first, last]. */
int32_t kit_draft_blocks(struct kit_draft *draft, const struct kit_blocks *blocks, uint32_t first,
                         uint32_t last, uint32_t device);

/** Add the boxes (by layer id, see kit_volume_boxes) of the layers of blocks [first, last]. */
int32_t kit_draft_volume(struct kit_draft *draft, const struct kit_blocks *blocks, uint32_t first,
                         uint32_t last, const struct ew_tensor_box *boxes, uint32_t device,
                         uint32_t chain);

/** Hand all pieces to the builder, after begin_plan. */
int32_t kit_draft_emit(const struct kit_draft *draft, struct ew_plan_builder *builder);

/** Begin a plan of this name and hand all pieces to the builder. */
int32_t kit_draft_write(const struct kit_draft *draft, struct ew_plan_builder *builder,
                        const char *name);

/** A device that its pieces do not fit into. */
struct kit_overfull {
    uint32_t device; /**< EW_ID_NONE: all fit */
    uint64_t needed_bytes;
    uint64_t memory_bytes;
};

/** The first device whose memory (shared by the devices of its node) is smaller than weights and
 *  largest working set of its pieces. The estimate is never below what the plan check counts. Of a
 *  node's devices the one that needs most is named. */
int32_t kit_draft_overfull(struct kit_overfull *out, const struct kit_draft *draft);

/** Leave the overfull device out of the group and note why. EW_STRATEGY_ECANNOT with the figures
 *  when it is not in the group or the group's last. */
int32_t kit_group_drop_overfull(struct kit_group *group, const struct kit_net *net,
                                const struct kit_overfull *overfull);

/** Let `make` (which gets ctx) draft for the group; while a device has not the memory for its
 * pieces, leave it out and draft again. */
int32_t kit_draft_within_memory(struct kit_draft *draft, struct kit_group *group,
                                int32_t (*make)(void *ctx), void *ctx);

/** The end of a plan: who was left out, and the prediction without energy, see kit_predict. */
int32_t kit_group_conclude(const struct kit_group *group, struct ew_plan_builder *builder,
                           const struct kit_net *net, double latency_s);

#endif
