/*
 * DeepSlicing's cost of the layers between two synchronisation points: missing rows are fetched,
 * then everything is computed without a word, halo rows again.
 */
#ifndef EDGEWEAVE_STRATEGIES_DEEPSLICING_MODEL_H
#define EDGEWEAVE_STRATEGIES_DEEPSLICING_MODEL_H

#include "common/blocks.h"
#include "common/devices.h"
#include "common/fit.h"
#include "common/reach.h"

/** Devices with fixed shares of every layer. Arrays are owned, `device` is borrowed. */
struct deepslicing_model {
    const struct kit_net *net;
    const struct kit_blocks *blocks;
    struct kit_reach reach;
    uint32_t n;
    const uint32_t *device;
    uint32_t home;          /**< holds the outputs of blocks that are not cut; set before asking */
    int32_t *cuts;          /**< n + 1 lines of the network's input */
    int32_t *layer_cuts;    /**< scratch: cuts of one tensor */
    struct kit_wire *wires; /**< between devices: from * n_all + to */
    uint32_t n_all;         /**< devices of the platform */
    struct kit_line *compute; /**< by worker * n_layers + layer: seconds over lines */
    struct kit_span *spans;   /**< scratch, by layer */
};

/** Read speeds and wires. `cuts` is zero; see deepslicing_share. Zero-initialise first; release
 * with deepslicing_model_fini whatever this returns. */
int32_t deepslicing_model_init(struct deepslicing_model *model, const struct kit_net *net,
                               const struct kit_blocks *blocks, const uint32_t *device, uint32_t n);
void deepslicing_model_fini(struct deepslicing_model *model);

/** Share the lines out in proportion to `weights` (n values; 0: takes no part). */
void deepslicing_share(struct deepslicing_model *model, const double *weights);

/** Seconds for blocks [first, last] as one stage: the slowest device's fetching and computing. */
double deepslicing_stage_s(struct deepslicing_model *model, uint32_t first, uint32_t last);

/** Lines of a tensor with `extent` lines that worker `w` makes: [lo, hi). */
struct kit_span deepslicing_own(const struct deepslicing_model *model, uint32_t w, int32_t extent);

#endif
