/*
 * World: what planners may know of a platform that changes, at one moment of a run.
 *
 * Bandwidth, latency and speed are those of the moment. What is down, or so slow that it stands
 * still, has no routes. Ids stay. Noise and losses are not part of it. Time only goes forward.
 */
#ifndef EW_MODEL_WORLD_H
#define EW_MODEL_WORLD_H

#include "model/dynamics.h"
#include "model/platform.h"

struct ew_link_state {
    double bandwidth_bytes_per_s; /**< 0 while it is down */
    double latency_s;
};

/** Everything that changes. */
struct ew_world_state {
    const struct ew_link_state *links; /**< per link of the platform */
    const double *speed_ratio;         /**< per device, of its nominal speed; 0 while it is down */
    uint64_t n_switches; /**< how often a link or a device has gone or come back so far */
};

struct ew_world;

/** The world at time 0. Platform and dynamics are borrowed. EW_ENOMEM. */
enum ew_status ew_world_new(struct ew_world **out, const struct ew_platform *nominal,
                            const struct ew_dynamics *dynamics, struct ew_error *err);
/** Accepts NULL. */
void ew_world_free(struct ew_world *world);

/** When something changes next; INFINITY: never again. */
double ew_world_next_s(const struct ew_world *world);

/** Let everything happen up to and at `time_s`. */
void ew_world_advance(struct ew_world *world, double time_s);

/** The state now. Borrowed; its arrays change in place with every ew_world_advance. */
struct ew_world_state ew_world_state(const struct ew_world *world);

/** The platform now. Borrowed; valid until the next ew_world_advance. EW_ENOMEM. */
enum ew_status ew_world_platform(const struct ew_platform **out, struct ew_world *world,
                                 struct ew_error *err);

#endif
