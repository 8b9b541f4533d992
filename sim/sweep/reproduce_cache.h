/*
 * Records already made, kept in the user's cache directory. An entry holds its whole key, so a hash
 * collision cannot mix up runs; one that is damaged or foreign counts as absent.
 */
#ifndef EW_SWEEP_REPRODUCE_CACHE_H
#define EW_SWEEP_REPRODUCE_CACHE_H

#include <stdbool.h>

#include "base/text.h"

/** The record kept under `key`; false when there is none. */
bool ew_repro_cache_get(struct ew_str *out, const char *dir, const char *key);

/** Keep a record. Failures are not worth stopping for. */
void ew_repro_cache_put(const char *dir, const char *key, const char *record);

/** Remove the oldest entries beyond `n_most`. */
void ew_repro_cache_trim(const char *dir, size_t n_most);

#endif
