/*
 * What stages cost: on equal devices for the dynamic program, and on real ones with their tiles.
 */
#ifndef EDGEWEAVE_STRATEGIES_PICO_COST_H
#define EDGEWEAVE_STRATEGIES_PICO_COST_H

#include "common/blocks.h"
#include "common/devices.h"
#include "common/fit.h"
#include "common/reach.h"
#include "pico/pico_model.h"

/** The network, the devices fastest first, and their linear models. Arrays are owned. */
struct pico_cost {
    const struct kit_net *net;
    struct kit_blocks blocks;
    struct kit_reach reach;
    uint32_t n_devices;
    uint32_t *device;
    double *capability;     /**< by device: 1 / seconds for the whole network */
    struct kit_line *lines; /**< by device * n_layers + layer */
    struct kit_line *mean;  /**< by layer: the mean device of those asked for last */
    struct kit_wire wire;   /**< the mean connection among them, source and sink */
    double *line_bytes;     /**< by layer */
    struct kit_span *spans; /**< scratch */
    double *slowest_s;      /**< scratch, by first block */
    double *moved_s;        /**< scratch, by first block */
    char *left_out;         /**< devices without routes */
};

/** Real devices of one stage with their lines. */
struct pico_crew {
    uint32_t n;
    uint32_t *device; /**< indices into cost->device */
    int32_t *cuts;    /**< n + 1; {0, extent} when the stage is not cut */
    double time_s;    /**< slowest compute, and all transfers */
};

/** Take all devices with routes to the source, to the sink and to each other that are not banned
 *  (by device id), fastest first. EW_STRATEGY_ECANNOT when there is none. Zero-initialise first;
 *  release with pico_cost_fini whatever this returns. */
int32_t pico_cost_init(struct pico_cost *cost, const struct kit_net *net, const bool *is_banned);
void pico_cost_fini(struct pico_cost *cost);

/** Make the mean device of the first `n` devices; 0: only the connection of source and sink. */
void pico_cost_average(struct pico_cost *cost, uint32_t n);

/** time_s of a pico_problem for the mean device, with equal tiles. */
void pico_cost_table(double *time_s, struct pico_cost *cost, uint32_t most);

/** Tiles for the stage: the slowest member, transfers of its own included, as early as possible. */
void pico_cost_balance(struct pico_crew *crew, struct pico_cost *cost,
                       const struct pico_stage *stage, int32_t *scratch);

/** True when every block of the stage can be cut. */
bool pico_cost_is_banded(const struct pico_cost *cost, const struct pico_stage *stage);

#endif
