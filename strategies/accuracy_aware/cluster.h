/*
 * The cluster as the dispatcher sees it: usable devices and variants, seconds per image from the
 * host's estimates, and the plan that a decision becomes.
 */
#ifndef EDGEWEAVE_STRATEGIES_ACCURACY_CLUSTER_H
#define EDGEWEAVE_STRATEGIES_ACCURACY_CLUSTER_H

#include "accuracy_aware/dispatch.h"
#include "common/net.h"

/** Arrays are owned. Node k of the problem is device[k], variant k is variant[k] of the graph. */
struct cluster {
    const struct ew_host *host;
    struct kit_net *nets; /**< by problem variant */
    uint32_t *variant;
    double *accuracy; /**< by problem variant; 0 when unknown */
    bool is_accuracy_known;
    uint32_t *device;
    struct dispatch_rate *rates;
    struct dispatch_problem problem; /**< borrows the above; sharing and limits are the caller's */
};

/** Read variants, at most max_nodes devices (the fastest) and the targets: the time limit is the
 *  smaller of the deadline and 1 / throughput. EW_STRATEGY_ECANNOT when no device can take a single
 *  image. Zero-initialise first; release with cluster_fini whatever this returns. */
int32_t cluster_init(struct cluster *cluster, const struct ew_host *host, uint32_t max_nodes);
void cluster_fini(struct cluster *cluster);

/** True when devices of one node together need more than its memory. */
bool cluster_is_overfull(const struct cluster *cluster, const struct dispatch_plan *plan);

/** Let every device of a node use only its part of the node's memory from now on. */
void cluster_divide_memory(struct cluster *cluster);

/** EW_STRATEGY_ECANNOT: the memory of all devices together does not hold the images. */
int32_t cluster_fail_capacity(const struct cluster *cluster);

/** Write the pieces: one segment and whole layers per active device. */
int32_t cluster_emit(struct ew_plan_builder *builder, const struct cluster *cluster,
                     const struct dispatch_plan *plan, const char *name);

/** Notes on shares, and the prediction with what it misses. */
int32_t cluster_describe(struct ew_plan_builder *builder, const struct cluster *cluster,
                         const struct dispatch_plan *plan, double latency_s);

#endif
