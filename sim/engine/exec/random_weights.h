/*
 * Seeded weights for graphs that come without: every value is a function of (seed, variant,
 * layer, part, index), so that any slice can be made anywhere without the rest.
 */
#ifndef EW_ENGINE_EXEC_RANDOM_WEIGHTS_H
#define EW_ENGINE_EXEC_RANDOM_WEIGHTS_H

#include "engine/exec/kernel/kernel.h"

/** Filters uniform with variance 2 / fan-in (He et al. 2015), so that activations keep their size
 *  through depth; biases within 0.05; scales 0.9..1.1, shifts within 0.05, other
 *  constants within 0.1 of what they would be if they did nothing. */
struct ew_random_weights {
    uint64_t seed;
};

/** A source that borrows `weights`. */
struct ew_weight_source ew_random_weights_source(const struct ew_random_weights *weights);

/** The value at `index` of a stream: uniform in [-1, 1), 24 bits. */
float ew_random_value(uint64_t seed, uint64_t stream, uint64_t index);

/** The same for `count` indices from `first` on, several times as fast. */
void ew_random_values(float *out, uint64_t seed, uint64_t stream, uint64_t first, uint64_t count);

#endif
