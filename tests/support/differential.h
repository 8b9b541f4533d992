/*
 * What differential tests of the engines share: random scenarios in a changing world, what holds of
 * every run, and what two engines must agree on. Failures name the seed.
 */
#ifndef EW_TESTS_DIFFERENTIAL_H
#define EW_TESTS_DIFFERENTIAL_H

#include "support/collect.h"
#include "support/random_dynamics.h"
#include "support/random_scenario.h"

/** A random scenario with random dynamics over about the time that it takes without. */
struct dynamic_scenario {
    struct random_scenario *scenario;
    struct ew_dynamics *dynamics;
};

/** Takes the scenario over. */
struct dynamic_scenario dynamic_scenario_new(struct random_scenario *scenario, uint64_t seed,
                                             bool with_noise);
void dynamic_scenario_free(struct dynamic_scenario *s);

/** Collect a run: every request that came has one end, as have jobs, tasks and transfers, and
 *  nothing happens before its cause. */
void run_checked(struct collect *c, const struct ew_engine *engine, uint64_t seed,
                 const struct ew_run *run);

/** Every request arrives and ends at the same time within 1e-6. */
void expect_same_requests(uint64_t seed, const struct collect *fast, const struct collect *simgrid);

/** Also the same busy times of devices, and counts of events. */
void expect_same_run(uint64_t seed, const struct collect *fast, const struct collect *simgrid);

/** `n` dynamic scenarios, those of `make` from seed 0 on, every fourth with noise, on the fast
 *  engine and on `other`; failures and losses must have been met. */
void expect_engines_agree(const struct ew_engine *other, struct random_scenario *(*make)(uint64_t),
                          uint64_t n);

/** `n` dynamic scenarios with noise on the fast engine: energies add up, reruns are the same to the
 *  byte. */
void expect_conservation(struct random_scenario *(*make)(uint64_t), uint64_t n);

#endif
