/*
 * Platform: devices, links, and the route between every ordered pair. Plain data, resolved once
 * (SimGrid reads the XML in a child process; see engine/simgrid/platform_import.h).
 */
#ifndef EW_MODEL_PLATFORM_H
#define EW_MODEL_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/profile.h"

enum { EW_MAX_DEVICES = 4096 };

/** No device, link or node. */
#define EW_NONE UINT32_MAX

/** A compute device: one SimGrid host with one core of aggregate speed. */
struct ew_device {
    const char *name;
    uint32_t node;            /**< devices of one node share idle power, radio and memory */
    double speed_flops_per_s; /**< SimGrid's speed, > 0 */
    const struct ew_profile
        *profile;              /**< never NULL: kind `rate` at speed_flops_per_s by default */
    uint64_t memory_bytes;     /**< 0: not limited */
    double message_overhead_s; /**< on the single send thread, per message sent */
    bool has_power;
    double off_w;
    double idle_w;
    double compute_w; /**< while computing: SimGrid's AllCores value */
    double tx_w;      /**< added while any message leaves */
    double rx_w;      /**< added while any message arrives */
};

/** Devices that are one board. The first device's idle, off and radio power count. */
struct ew_node {
    const char *name;
    uint32_t n_devices;
    const uint32_t *devices; /**< ascending */
};

/** How flows share a link. */
enum ew_link_sharing { EW_LINK_SHARED, EW_LINK_FATPIPE };

struct ew_link {
    const char *name;
    double bandwidth_bytes_per_s; /**< > 0 */
    double latency_s;             /**< >= 0 */
    enum ew_link_sharing sharing; /**< fatpipe: each flow up to the bandwidth, no contention */
};

/** Links from one device to another, in order; a link named twice counts twice. */
struct ew_route {
    uint32_t n_links; /**< 0: no route */
    const uint32_t *links;
    double latency_s;              /**< sum over links */
    double bottleneck_bytes_per_s; /**< min over links of bandwidth / times named */
};

struct ew_platform {
    struct ew_arena arena;
    const char *path;
    uint64_t content_hash; /**< FNV-1a of the file, for manifests and caches */
    uint32_t n_devices;
    const struct ew_device *devices; /**< in file order */
    uint32_t n_nodes;
    const struct ew_node *nodes;
    uint32_t n_links;
    const struct ew_link *links;
    const struct ew_route *routes; /**< [from * n_devices + to]; from == to has no links */
    uint32_t n_profiles;
    struct ew_profile **profiles; /**< owned */
    uint32_t n_warnings;
    const char *const *warnings; /**< e.g. mixed zero and non-zero latencies */
};

static inline const struct ew_route *ew_platform_route(const struct ew_platform *platform,
                                                       uint32_t from, uint32_t to)
{
    return &platform->routes[(uint64_t)from * platform->n_devices + to];
}

/** Latency and bottleneck of a route from its links; one that is named k times carries every byte k
 *  times. `times_named` has one zero per link of the platform, and again on return. */
void ew_route_measure(struct ew_route *route, const struct ew_link *links, uint32_t *times_named);

/** Device id by name; false when there is none. */
bool ew_platform_find_device(uint32_t *out, const struct ew_platform *platform, const char *name);

/** Raw description that importers and test generators fill; all borrowed. Routes: `n_routes`
 *  ordered pairs, missing pairs have no route. */
struct ew_device_desc {
    const char *name;
    const char *node;        /**< NULL: a node of its own */
    const char *profile;     /**< profile name or NULL; resolved by the caller into `cost` */
    struct ew_profile *cost; /**< taken by ew_platform_make; the same pointer may stand for several
                                devices; NULL: rate at the device's speed */
    double speed_flops_per_s;
    uint64_t memory_bytes;
    double message_overhead_s;
    bool has_power;
    double off_w, idle_w, compute_w, tx_w, rx_w;
};

struct ew_route_desc {
    uint32_t from, to;
    uint32_t n_links;
    const uint32_t *links;
};

struct ew_platform_desc {
    const char *path;
    uint64_t content_hash;
    uint32_t n_devices;
    const struct ew_device_desc *devices;
    uint32_t n_links;
    const struct ew_link *links;
    uint64_t n_routes;
    const struct ew_route_desc *routes;
};

/** Validate and build. EW_EINPUT on: no device, more than EW_MAX_DEVICES, duplicate names, ranges
 *  (NaN, infinities, negative or zero where positive is needed), unknown link ids. Missing routes
 *  are allowed here and reported when a plan needs one. Profiles are taken in any case. */
enum ew_status ew_platform_make(struct ew_platform **out, const struct ew_platform_desc *desc,
                                struct ew_error *err);

void ew_platform_free(struct ew_platform *platform);

/** Seconds for `bytes` alone on the route in preset ideal: overhead + latency + bytes/bottleneck;
 *  INFINITY without a route; 0 when from == to. */
double ew_platform_transfer_s(const struct ew_platform *platform, uint32_t from, uint32_t to,
                              uint64_t bytes);

#endif
