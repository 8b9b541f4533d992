/*
 * Numbers ordered pairs of devices 0, 1, 2, … in the order in which they are first seen. One array
 * access, no hashing; pages of the array that no pair touches are never given memory.
 */
#ifndef EW_RESULTS_PAIR_INDEX_H
#define EW_RESULTS_PAIR_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/platform.h"

/** Zero-initialised is empty, for no devices. */
struct ew_pair_index {
    uint32_t n_devices;
    uint32_t n_pairs;
    uint32_t *number; /**< [from * n_devices + to]: 1 + number, 0 when not seen */
};

/** False when memory runs out. */
static inline bool ew_pair_index_init(struct ew_pair_index *index, uint32_t n_devices)
{
    const size_t n = (size_t)n_devices * n_devices;
    *index = (struct ew_pair_index){.n_devices = n_devices};
    index->number = calloc(n ? n : 1, sizeof *index->number);
    return index->number != NULL;
}

static inline void ew_pair_index_fini(struct ew_pair_index *index)
{
    free(index->number);
    *index = (struct ew_pair_index){0};
}

/** Number of a pair; a new pair gets the next one. EW_NONE for devices out of range. */
static inline uint32_t ew_pair_index_number(struct ew_pair_index *index, uint32_t from, uint32_t to)
{
    if (from >= index->n_devices || to >= index->n_devices) {
        return EW_NONE;
    }
    uint32_t *number = &index->number[(size_t)from * index->n_devices + to];
    if (*number == 0) {
        *number = ++index->n_pairs;
    }
    return *number - 1;
}

#endif
