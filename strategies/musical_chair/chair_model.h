/*
 * Musical Chair on plain numbers: whole blocks to devices, channels of a layer that no device can
 * hold, and turns of devices that take whole requests.
 *
 * Hadidi et al.: "Musical Chair: Efficient Real-Time Recognition Using Collaborative IoT Devices",
 * arXiv:1802.02138. Knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_CHAIR_MODEL_H
#define EDGEWEAVE_STRATEGIES_CHAIR_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Seconds of a message of `bytes`: message_s + bytes * byte_s; INFINITY without a route. */
struct chair_wire {
    double message_s;
    double byte_s;
};

/** A row of blocks and devices to run them. Arrays are borrowed. */
struct chair_problem {
    uint32_t n_blocks;
    uint32_t n_devices;
    const double *compute_s;        /**< block * n_devices + device; INFINITY: not there */
    const double *bytes;            /**< n_blocks + 1: what enters block b; last: the answer */
    const double *weight;           /**< by block: what its device has to hold */
    const double *room;             /**< by device: what it can hold; INFINITY: anything */
    const struct chair_wire *wires; /**< (n_devices + 2)^2, from * (n_devices + 2) + to; the last
                                         two are source and sink */
};

/** Devices of the blocks with the least time for one request: computing, and transfers wherever the
 *  device changes. A run of blocks on one device stays within its room; two runs on one device are
 *  not added up. Returns that time; INFINITY when there is no way. `scratch` has 2 * n_blocks *
 *  n_devices values. Of equal ways the one over lower devices wins. */
double chair_assign(uint32_t *device_of, double *scratch, const struct chair_problem *problem);

/** Share `total` channels out in proportion to `speed`, at most most[d] each; what is too much for
 *  one goes to the others. False when there is no room for all. */
bool chair_split(int32_t *channels, const double *speed, const int32_t *most, uint32_t n,
                 int32_t total);

/** How often each of n devices has its turn when device d needs seconds[d] per request: the
 * shortest round with a period within 1 % of the best round of at most CHAIR_LONGEST turns. Returns
 * the period. A weight may be 0. `scratch` has n values. n <= CHAIR_LONGEST. */
double chair_turns(int32_t *weights, double *scratch, const double *seconds, uint32_t n);

enum { CHAIR_LONGEST = 64 };

#endif
