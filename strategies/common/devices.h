/*
 * Which devices take part, in which order, and how able they are.
 *
 * A group is a chain: the source first, then the others by decreasing capability. Neighbours in the
 * chain hold neighbouring bands.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_DEVICES_H
#define EDGEWEAVE_STRATEGIES_COMMON_DEVICES_H

#include "common/net.h"

/** What capability means. */
enum kit_capability {
    KIT_CAPABILITY_PROFILE, /**< 1 / seconds for all banded layers, from the cost profile */
    KIT_CAPABILITY_FLOPS,   /**< the device's nominal FLOP/s */
};

/** Who may join. */
struct kit_group_options {
    uint32_t first; /**< leads the chain; routes to and from it are required */
    enum kit_capability capability;
    bool needs_all_pairs; /**< routes between any two members are required */
    bool holds_parts;     /**< members hold a part only: none is left out for its memory */
};

enum { KIT_EXCLUDED_SIZE = 256 };

/** Devices that take part. Arrays are owned. */
struct kit_group {
    uint32_t n;
    uint32_t *device;                 /**< chain order */
    double *capability;               /**< by chain position; > 0 */
    char excluded[KIT_EXCLUDED_SIZE]; /**< "pi3 (no route), …"; "" when all take part */
};

/** Form the group. Left out: devices without a route both ways (also to the sink, when the answer
 *  lies in bands), and devices whose memory is smaller than the weights of the banded layers.
 *  EW_STRATEGY_ECANNOT when the first device has no route to the sink. Zero-initialise first;
 * release with kit_group_fini. */
int32_t kit_group_init(struct kit_group *group, const struct kit_net *net,
                       const struct kit_group_options *options);
void kit_group_fini(struct kit_group *group);

/** Leave the member at chain position `position` out, noting why. */
void kit_group_drop(struct kit_group *group, const struct kit_net *net, uint32_t position,
                    const char *why);

/** Capability of one device, > 0. */
double kit_device_capability(const struct kit_net *net, uint32_t device, enum kit_capability kind);

/** True when messages can pass both ways, or a == b. */
bool kit_has_route(const struct ew_host *host, uint32_t a, uint32_t b);

/** True when the device's memory holds `bytes`. */
bool kit_fits(const struct ew_host *host, uint32_t device, uint64_t bytes);

/** A transfer as an affine function of bytes, from the host's estimate. */
struct kit_wire {
    double message_s; /**< whatever the size */
    double byte_s;    /**< per byte */
};

/** {0, 0} on one device, INFINITY without a route. */
struct kit_wire kit_wire_between(const struct ew_host *host, uint32_t from, uint32_t to);

#endif
