/*
 * FNV-1a over bytes, for keys that name problems.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_HASH_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** Where a chain of hashes begins. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

/** Chain `n` bytes onto `hash`. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n);

#endif
