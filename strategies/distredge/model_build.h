/*
 * Filling in the latency model from the host: rows read, seconds, transfers.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_MODEL_BUILD_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_MODEL_BUILD_H

#include "common/net.h"
#include "distredge/chain.h"
#include "distredge/model.h"

/** A model and the arrays it points to. */
struct model_data {
    struct model model;
    uint32_t *layer_id; /**< by model layer: the host's layer */
    struct model_layer *layers;
    struct model_read *reads;
    int32_t *read_rows; /**< lo and hi tables of all reads */
    double *seconds;
    struct model_block *blocks;
    uint32_t *part_class;
    struct model_wire *wires;
    double *head_s;
    bool *can_head;
};

/** Who takes part. Borrowed. */
struct model_cast {
    const uint32_t *devices; /**< by part */
    uint32_t n_parts;
    uint32_t head_device; /**< EW_ID_NONE: largest share */
};

/** Build. A head_device that is no part and not the source: EW_STRATEGY_ECANNOT. Zero-initialise
 *  first; free with model_data_fini in any case. */
int32_t model_build(struct model_data *data, const struct kit_net *net, const struct chain *chain,
                    const struct model_cast *cast);
void model_data_fini(struct model_data *data);

#endif
