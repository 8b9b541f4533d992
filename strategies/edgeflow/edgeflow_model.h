/*
 * EdgeFlow's execution units: one layer's rows on one device start when all rows they read have
 * arrived. Plain arithmetic over given tables; knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_EDGEFLOW_MODEL_H
#define EDGEWEAVE_STRATEGIES_EDGEFLOW_MODEL_H

#include <stdint.h>

#include "common/devices.h"
#include "common/fit.h"

/** A tensor that a layer reads. Held in bands by the workers, or as a whole by one device. */
struct edgeflow_input {
    const int32_t *cuts;  /**< n_workers + 1 lines; NULL: held by one device */
    const double *done_s; /**< per worker: when its band is computed; one value for one device */
    uint32_t holder;      /**< the one device */
    double line_bytes;
    const int32_t *reads_lo; /**< by output line: first line read by it or a later one */
    const int32_t *reads_hi; /**< by output line: end of the lines read by it or an earlier one */
};

/** A layer about to be shared out. */
struct edgeflow_layer {
    uint32_t n_workers;
    const uint32_t *device;         /**< per worker */
    const double *free_s;           /**< per worker: when it has done all before */
    const struct kit_line *compute; /**< per worker: seconds over lines */
    uint32_t n_inputs;
    const struct edgeflow_input *inputs;
    const struct kit_wire *wires; /**< from device * n_devices + to device */
    const double *overhead_s;     /**< per device: its one send thread is busy for each message */
    uint32_t n_devices;
};

/** When lines [lo, hi) of `input` are on `device`. Messages of one sender leave one after the
 * other: of two neighbours the lower worker's first, from one device to all workers in their order.
 * `worker` is the worker it is, or n_workers. */
double edgeflow_arrival_s(const struct edgeflow_layer *layer, const struct edgeflow_input *input,
                          uint32_t worker, uint32_t device, int32_t lo, int32_t hi);

/** When worker `worker` is done with output lines [lo, hi), lo < hi. Does not fall when hi grows,
 *  nor grow when lo grows. `ctx` is a struct edgeflow_layer. */
double edgeflow_finish_s(void *ctx, uint32_t worker, int32_t lo, int32_t hi);

#endif
