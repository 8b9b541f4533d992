/*
 * Random changes of the world for a platform: bandwidths (also 0), latencies, speeds, devices and
 * links that go and mostly come back, loops and offsets, every policy.
 */
#ifndef EW_TESTS_RANDOM_DYNAMICS_H
#define EW_TESTS_RANDOM_DYNAMICS_H

#include "base/rng.h"
#include "model/dynamics.h"
#include "model/platform.h"

/** Steps lie in about [0, horizon_s]. with_noise: stragglers and losses, too. Free with
 *  random_dynamics_free. */
struct ew_dynamics *random_dynamics(struct ew_rng *rng, const struct ew_platform *platform,
                                    double horizon_s, bool with_noise);
void random_dynamics_free(struct ew_dynamics *dynamics);

#endif
