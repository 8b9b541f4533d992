/*
 * Blocks: the network as a row of parts, each of which can be computed as one.
 *
 * A block begins behind a place where a single tensor crosses and ends at the next such place;
 * elementwise layers stay with the layer they follow. In a plain chain every conv and every pool is
 * a block of its own; a residual or inception block is one block. Consecutive banded blocks form
 * volumes: layers fused over a tile of their last output, with the halo computed again.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_BLOCKS_H
#define EDGEWEAVE_STRATEGIES_COMMON_BLOCKS_H

#include "common/net.h"

/** Layers net->order[begin .. end). */
struct kit_block {
    uint32_t begin;
    uint32_t end;
    uint32_t n_entering;
    uint32_t n_outputs;
    const uint32_t *entering; /**< layers outside that are read, network inputs included */
    const uint32_t *outputs;  /**< layers that others read or that answer */
    int32_t extent;           /**< lines of the output with the most lines */
    bool is_banded;           /**< every layer can be split into bands */
    bool has_answer;          /**< an output is one of the exit's layers */
};

/** All blocks in order. Arrays are owned. */
struct kit_blocks {
    uint32_t n;
    struct kit_block *items;
    uint32_t *block_of; /**< by layer id; EW_ID_NONE for inputs and absent layers */
    uint32_t *ids;      /**< storage of entering and outputs */
};

/** Zero-initialise first; release with kit_blocks_fini whatever this returns. */
int32_t kit_blocks_init(struct kit_blocks *blocks, const struct kit_net *net);
void kit_blocks_fini(struct kit_blocks *blocks);

/** Number of banded blocks from `first` on, without a gap. */
uint32_t kit_blocks_banded_run(const struct kit_blocks *blocks, uint32_t first);

/** Number of banded blocks. */
uint32_t kit_blocks_banded(const struct kit_blocks *blocks);

/** Name of the volume [first, last]: its first layer, and its last when there are several. */
void kit_volume_name(char *out, size_t size, const struct kit_net *net,
                     const struct kit_blocks *blocks, uint32_t first, uint32_t last);

/** A part of a volume's output: lines [lo, hi) of `of` per dimension; 0 rows, 1 columns. Outputs of
 *  another size take their own lines in proportion. */
struct kit_tile {
    int32_t lo[2];
    int32_t hi[2];
    int32_t of[2];
};

/** Lines [lo, hi) of `of` along net->dim, whole in the other dimension. */
struct kit_tile kit_band_tile(const struct kit_net *net, int32_t lo, int32_t hi, int32_t of);

/** What must be there for `tile` of the output of blocks [first, last]: boxes[layer] for every
 * layer in the volume and every layer that enters it; empty where nothing is needed. Others are
 * left alone. Hulls, clipped to the tensors (padding is not computed). */
int32_t kit_volume_boxes(struct ew_tensor_box *boxes, const struct kit_net *net,
                         const struct kit_blocks *blocks, uint32_t first, uint32_t last,
                         const struct kit_tile *tile);

/** True when the box has no element. */
bool kit_box_is_empty(const struct ew_tensor_box *box);

/** Elements of the box. */
uint64_t kit_box_elements(const struct ew_tensor_box *box);

/** Bytes of the box of the layer's output, before rounding up. */
double kit_box_bytes(const struct kit_net *net, uint32_t layer, const struct ew_tensor_box *box);

/** Grow `box` to the least one that holds both; an empty one counts for nothing. */
void kit_box_widen(struct ew_tensor_box *box, const struct ew_tensor_box *other);

#endif
