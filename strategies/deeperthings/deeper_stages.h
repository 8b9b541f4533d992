/*
 * Stages: a layer with weights and what follows it channel by channel, so that a part of its output
 * channels can go on without the rest; or a single layer without weights.
 */
#ifndef EDGEWEAVE_STRATEGIES_DEEPERTHINGS_STAGES_H
#define EDGEWEAVE_STRATEGIES_DEEPERTHINGS_STAGES_H

#include "common/draft.h"
#include "deeperthings/deeper_ilp.h"

/** One stage: layers[0] and its followers. */
struct deeper_stage {
    const uint32_t *layers;
    uint32_t n_layers;
    struct deeper_layer figures;
    enum deeper_way way;
    bool is_reused;
};

/** All layers from net->order[begin] on. Arrays are owned. */
struct deeper_stages {
    const struct kit_net *net;
    uint32_t n;
    struct deeper_stage *items;
    uint32_t *ids; /**< storage of layers */
};

/** Zero-initialise first; release with deeper_stages_fini whatever this returns. */
int32_t deeper_stages_init(struct deeper_stages *stages, const struct kit_net *net, uint32_t begin);
void deeper_stages_fini(struct deeper_stages *stages);

/** Elements of the layer's inputs (M) and output (K), one image. */
double deeper_input_elements(const struct kit_net *net, uint32_t layer);
double deeper_output_elements(const struct kit_net *net, uint32_t layer);

/** Choose ways with the integer program. */
int32_t deeper_stages_choose(struct deeper_stages *stages, double *elements, uint32_t n_nodes,
                             const struct cbc *cbc);

/** Pieces of all stages: parts on devices[0 .. n), sums and what is whole on the gateway. */
int32_t deeper_stages_draft(struct kit_draft *draft, const struct deeper_stages *stages,
                            const uint32_t *devices, uint32_t n, uint32_t gateway);

/** Outputs that come in parts and are not reused gather at the gateway. */
int32_t deeper_stages_gather(struct ew_plan_builder *builder, const struct deeper_stages *stages,
                             uint32_t gateway);

#endif
