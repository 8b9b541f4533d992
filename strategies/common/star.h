/*
 * A star: a hub cuts the input of a volume into tiles, sends them to workers, gets every tile's
 * output back, merges, and goes on with the next volume. Costs by linear models, and the plan.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_STAR_H
#define EDGEWEAVE_STRATEGIES_COMMON_STAR_H

#include "common/draft.h"
#include "common/fit.h"
#include "common/reach.h"

/** Hub, workers and their linear models. Arrays are owned, `device` is borrowed. */
struct kit_star {
    const struct kit_net *net;
    const struct kit_blocks *blocks;
    struct kit_reach reach;
    uint32_t hub;
    uint32_t n;
    const uint32_t *device;   /**< by worker */
    struct kit_wire *out;     /**< hub to worker */
    struct kit_wire *back;    /**< worker to hub */
    struct kit_line *compute; /**< by worker * n_layers + layer: seconds over lines */
    double *line_bytes;       /**< by layer: one line of the output, whole batch */
    struct kit_span *spans;   /**< scratch, by layer */
};

/** Read wires and sizes; `compute` is zero and to be filled by the strategy. Zero-initialise first;
 *  release with kit_star_fini whatever this returns. */
int32_t kit_star_init(struct kit_star *star, const struct kit_net *net,
                      const struct kit_blocks *blocks, uint32_t hub, const uint32_t *device,
                      uint32_t n);
void kit_star_fini(struct kit_star *star);

/** compute by kit_fit_layer for every worker and banded layer. */
void kit_star_fit(struct kit_star *star);

/** What a worker does for one tile. */
struct kit_part {
    double in_bytes;   /**< of the tile's input */
    double till_bytes; /**< of the input for everything from line 0 to the tile's end */
    double compute_s;  /**< all layers, halo included */
    double out_bytes;  /**< of the tile's output */
};

/** Lines [lo, hi) of the output of blocks [first, last] on `worker`. */
struct kit_part kit_star_part(struct kit_star *star, uint32_t first, uint32_t last, uint32_t worker,
                              int32_t lo, int32_t hi);

/** Seconds for `bytes` over a wire; nothing takes no time. */
static inline double kit_wire_s(struct kit_wire wire, double bytes)
{
    return bytes > 0.0 ? wire.message_s + wire.byte_s * bytes : 0.0;
}

/** Blocks [first, last] computed as one. */
struct kit_volume {
    uint32_t first;
    uint32_t last;
    const int32_t *cuts; /**< n + 1 lines of the last block's extent; NULL: all of it at home */
    bool skips_hub;      /**< tiles go straight to who reads them */
};

/** Pieces of all volumes: bands on the star's workers, or whole on `home`. */
int32_t kit_star_draft(struct kit_draft *draft, const struct kit_star *star, uint32_t home,
                       const struct kit_volume *volumes, uint32_t n_volumes);

/** Gather at the hub behind every volume that is cut or comes before one that is, unless it skips
 *  the hub. When the hub is not the source, the input goes there first. */
int32_t kit_star_gather(struct ew_plan_builder *builder, const struct kit_star *star,
                        const struct kit_volume *volumes, uint32_t n_volumes);

/** Note the volumes with their shares, as far as they fit: "conv1_1..pool1: nano 12 tx2 100; …". */
int32_t kit_star_note(struct ew_plan_builder *builder, const struct kit_star *star, uint32_t home,
                      const struct kit_volume *volumes, uint32_t n_volumes);

#endif
