/*
 * Random plans with pools: what random_book makes, its chains and single pieces handed to pools.
 */
#ifndef EW_TESTS_RANDOM_POOLS_H
#define EW_TESTS_RANDOM_POOLS_H

#include "support/random_scenario.h"

/** As random_scenario_new; the plans of most workloads have one or two pools. */
struct random_scenario *random_pool_scenario_new(uint64_t seed);

#endif
