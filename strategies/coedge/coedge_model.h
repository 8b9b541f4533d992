/*
 * From a network and its devices to CoEdge's plain-number problem: one bulk-synchronous step per
 * unit of layers, halos and transfers in bytes, watts above idle.
 */
#ifndef EDGEWEAVE_STRATEGIES_COEDGE_MODEL_H
#define EDGEWEAVE_STRATEGIES_COEDGE_MODEL_H

#include "coedge/coedge_cost.h"
#include "common/devices.h"
#include "common/net.h"

/** Choices where the paper is silent; see README.md. */
struct coedge_model_options {
    bool is_strict;   /**< threshold holds at every layer, not only at the input */
    bool both_pay;    /**< both ends pay for a transfer */
    bool counts_idle; /**< idle energy is part of the objective */
    bool is_affine;   /**< compute time has a part that does not shrink with the share */
    bool is_relayed;  /**< halos travel through the master */
};

/** The problem and the memory behind it. */
struct coedge_model {
    struct coedge_problem problem;
    const struct kit_net *net;
    const struct kit_group *group;
    bool has_whole_layer;
    struct coedge_layer *layers;
    struct coedge_device *devices;
    double *compute_s;
    double *start_s;
    double *message_s;
    double *byte_s;
    int32_t *halo_above; /* per tensor: the widest need of its readers */
    int32_t *halo_below;
    uint32_t *first_unit; /* per tensor: which unit pulls its halo or gathers it */
};

/** Build for the master as target. Zero-initialise first; release with coedge_model_fini. `net` and
 *  `group` are borrowed. */
int32_t coedge_model_init(struct coedge_model *model, const struct kit_net *net,
                          const struct kit_group *group,
                          const struct coedge_model_options *options);
void coedge_model_fini(struct coedge_model *model);

/** Let the layers that must be whole run on the device at chain position `target`. */
void coedge_model_set_target(struct coedge_model *model, uint32_t target);

#endif
