/*
 * CoEdge's cost model on plain numbers: what a split of the rows takes in time and energy.
 *
 * Devices stand in chain order, number 0 is the master, where the input is. Device i owns rows
 * [c_i, c_{i+1}) of the input and the matching band of every layer. Before each layer it pulls the
 * halo from its neighbours, then computes; the next layer starts when the slowest device is done
 * (bulk synchronous). Some layers may be whole on one device (the target): their inputs are
 * gathered there. Knows no host and no network format.
 */
#ifndef EDGEWEAVE_STRATEGIES_COEDGE_COST_H
#define EDGEWEAVE_STRATEGIES_COEDGE_COST_H

#include <stdbool.h>
#include <stdint.h>

/** One step of the bulk-synchronous run. */
struct coedge_layer {
    bool is_whole;      /**< computed on the target alone */
    int32_t rows;       /**< rows of its input, for mapping bands */
    int32_t halo_above; /**< input rows needed from towards row 0 */
    int32_t halo_below;
    double halo_above_bytes; /**< of all inputs, for those rows */
    double halo_below_bytes;
    double gather_bytes;    /**< whole: input bytes pulled to the target, all bands together */
    double broadcast_bytes; /**< banded: output of whole layers that every other device pulls */
};

/** One device. Watts are those of the chosen energy model, e.g. above idle. */
struct coedge_device {
    double capability; /**< f/rho: only the order counts */
    double compute_w;
    double tx_w;
    double rx_w;
    double idle_w;    /**< charged over the whole run; 0: idle energy is not counted */
    int32_t max_rows; /**< memory limit */
};

/** The problem. Arrays are borrowed; tables are [layer][device] and [from][to], row major. */
struct coedge_problem {
    uint32_t n_devices;
    uint32_t n_layers;
    int32_t rows;           /**< of the network's input */
    int32_t threshold_rows; /**< least non-zero share, >= 1 */
    double deadline_s;      /**< INFINITY: none */
    const struct coedge_device *devices;
    const struct coedge_layer *layers;
    const double *compute_s; /**< the whole layer; for whole layers only the target's counts */
    const double *start_s;   /**< whatever the share; NULL: none */
    const double *message_s; /**< per message */
    const double *byte_s;    /**< per byte */
    uint32_t scatter_layer;  /**< before which the input bands are pulled from the master */
    double scatter_bytes;    /**< the whole input */
    uint32_t target;         /**< where whole layers run */
    double tail_s;           /**< at the end, e.g. the answer's way to the sink */
    double tail_j;
    bool both_pay; /**< energy of a transfer: false = receiver (CoEdge), true = both ends */
};

/** Seconds and joules. */
struct coedge_cost {
    double s;
    double j;
};

/** Part of device i's cost of layer l that is proportional to its share, for share 1. */
struct coedge_cost coedge_share_cost(const struct coedge_problem *problem, uint32_t layer,
                                     uint32_t device);

/** Part that an active device pays whatever its share. `is_active` marks the devices with rows.
 *  `cuts` (n_devices + 1 input rows) lets halos reach beyond a thin neighbour, one message per
 *  owner; NULL: the neighbour owns all of the halo. */
struct coedge_cost coedge_fixed_cost(const struct coedge_problem *problem, const bool *is_active,
                                     const int32_t *cuts, uint32_t layer, uint32_t device);

/** Part that does not depend on the split: whole layers and the tail; no idle energy. */
struct coedge_cost coedge_constant_cost(const struct coedge_problem *problem);

/** Idle watts of all devices. */
double coedge_idle_w(const struct coedge_problem *problem);

/** What a split costs. Memory for the walk is the caller's. */
struct coedge_scratch {
    bool *is_active;     /**< n_devices */
    int32_t *cuts;       /**< n_devices + 1 */
    double *step_s;      /**< n_layers: duration of each layer's exchange and computing */
    double *slack_s;     /**< n_devices: out, time spent waiting at barriers */
    uint32_t *n_slowest; /**< n_devices: out, layers in which the device is the slowest */
};

/** Seconds and joules of the split `rows` (n_devices values that sum to problem->rows). Fills the
 *  scratch's step_s, slack_s and n_slowest. */
struct coedge_cost coedge_evaluate(const struct coedge_problem *problem, const int32_t *rows,
                                   struct coedge_scratch *scratch);

#endif
