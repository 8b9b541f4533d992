/*
 * Seeded random numbers (xoshiro256**, seeded by SplitMix64). One stream per purpose: two streams
 * with different purposes are independent even under the same seed.
 */
#ifndef EW_BASE_RNG_H
#define EW_BASE_RNG_H

#include <stdint.h>

/** State of one stream. */
struct ew_rng {
    uint64_t state[4];
};

/** Start the stream of `purpose` (e.g. "arrival/camera0") under `seed`. */
struct ew_rng ew_rng_make(uint64_t seed, const char *purpose);

/** Start the stream of item (a, b) under `key`, a draw from a stream of the purpose: independent of
 *  the order in which items are asked for. */
struct ew_rng ew_rng_at(uint64_t key, uint64_t a, uint64_t b);

/** Next 64 uniform bits. */
uint64_t ew_rng_u64(struct ew_rng *rng);

/** Uniform integer in [0, bound); 0 when bound is 0. Unbiased. */
uint64_t ew_rng_below(struct ew_rng *rng, uint64_t bound);

/** Uniform real in [0, 1), 53 bits. */
double ew_rng_unit(struct ew_rng *rng);

/** Exponential with the given mean (> 0). */
double ew_rng_exponential(struct ew_rng *rng, double mean);

/** Standard normal (polar method). */
double ew_rng_normal(struct ew_rng *rng);

#endif
