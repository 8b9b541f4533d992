/*
 * What a tile computes in the fused layers: its whole receptive field, or, when it reuses, only
 * what its four neighbours have not computed.
 */
#ifndef EDGEWEAVE_STRATEGIES_DEEPTHINGS_TILES_H
#define EDGEWEAVE_STRATEGIES_DEEPTHINGS_TILES_H

#include "common/blocks.h"
#include "deepthings/deepthings_schedule.h"

/** Boxes of all tiles of fused blocks [0, last]: boxes[tile * n_layers + layer]. The array is
 *  owned. */
struct deepthings_field {
    const struct kit_net *net;
    const struct kit_blocks *blocks;
    uint32_t last;
    const struct deepthings_tile *tiles;
    uint32_t n_tiles;
    int32_t size[2]; /**< rows and columns of the output that the grid cuts */
    struct ew_tensor_box *boxes;
};

/** Rows and columns of the output of block `last` that a grid cuts: the one with the most rows. */
void deepthings_output_size(int32_t size[2], const struct kit_net *net,
                            const struct kit_blocks *blocks, uint32_t last);

/** Full receptive fields of all tiles. Zero-initialise first; release with deepthings_field_fini.
 */
int32_t deepthings_field_init(struct deepthings_field *field, const struct kit_net *net,
                              const struct kit_blocks *blocks, uint32_t last,
                              const struct deepthings_tile *tiles, uint32_t n_tiles);
void deepthings_field_fini(struct deepthings_field *field);

/** Boxes of one tile, by layer id. */
const struct ew_tensor_box *deepthings_boxes(const struct deepthings_field *field, uint32_t tile);

/** What is left to compute for the tile when its neighbours' full boxes are at hand: `out` by layer
 *  id. `overlap_bytes` (4 values, per neighbour) receives what it fetches of theirs, counted as
 *  DeepThings does: the overlap in every layer but the last. */
int32_t deepthings_reduce(struct ew_tensor_box *out, double *overlap_bytes,
                          const struct deepthings_field *field, uint32_t tile);

#endif
