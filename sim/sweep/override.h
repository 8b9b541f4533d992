/*
 * Applies a scenario's overrides to a platform: another bandwidth, latency, speed, memory, power.
 */
#ifndef EW_SWEEP_OVERRIDE_H
#define EW_SWEEP_OVERRIDE_H

#include <stdint.h>

#include "model/platform.h"
#include "model/scenario.h"

/** Replace `*platform` by one with the overrides applied, in order. EW_EINPUT for an unknown link
 * or device (with the nearest name), for the speed of a device that a profile times, and for
 * figures that do not fit each other. `*bad` is then the index of the override to blame, if it is
 * one (else untouched), and `*platform` is still to be freed, but may be NULL. */
enum ew_status ew_platform_override(struct ew_platform **platform, uint32_t n,
                                    const struct ew_override *overrides, uint32_t *bad,
                                    struct ew_error *err);

/** Replace `*platform` by its first `n` devices and the routes between them. EW_EINPUT when it has
 *  fewer; `*platform` is still to be freed, but may be NULL. */
enum ew_status ew_platform_keep_devices(struct ew_platform **platform, uint32_t n,
                                        struct ew_error *err);

/** What a platform is supposed to be otherwise, to see what it is worth; ids or EW_NONE. */
struct ew_what_if {
    uint32_t without_device;
    uint32_t faster_device; /**< everything there takes 1/ratio of the time */
    uint32_t wider_link;    /**< its bandwidth is multiplied by the ratio */
    double ratio;
};

/** A platform made from `base`, which must outlive it. */
enum ew_status ew_platform_suppose(struct ew_platform **out, const struct ew_platform *base,
                                   const struct ew_what_if *what_if, struct ew_error *err);

#endif
