/*
 * World: the platform as it is at one moment of a run with dynamics, for whoever plans then.
 *
 * Bandwidth, latency and speed are those of the moment; a link that is down or stalled and a device
 * that is down have no routes. Ids stay. Noise and losses are not part of it. Plain arithmetic;
 * time only goes forward.
 */
#ifndef EW_MODEL_WORLD_H
#define EW_MODEL_WORLD_H

#include "model/dynamics.h"
#include "model/platform.h"

struct ew_world;

/** The world at time 0. Platform and dynamics are borrowed. EW_ENOMEM. */
enum ew_status ew_world_new(struct ew_world **out, const struct ew_platform *nominal,
                            const struct ew_dynamics *dynamics, struct ew_error *err);
void ew_world_free(struct ew_world *world);

/** When something changes next; INFINITY: never again. */
double ew_world_next_s(const struct ew_world *world);

/** Let everything happen up to and at `time_s`. EW_ENOMEM. */
enum ew_status ew_world_advance(struct ew_world *world, double time_s, struct ew_error *err);

/** The platform now. Borrowed; changes with the next ew_world_advance. */
const struct ew_platform *ew_world_platform(const struct ew_world *world);

#endif
