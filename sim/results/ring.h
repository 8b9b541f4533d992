/*
 * A window of numbered records: numbers grow, the oldest leave first, and any record in between is
 * found in one step. Memory follows the width of the window, not the numbers.
 */
#ifndef EW_RESULTS_RING_H
#define EW_RESULTS_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Zero-initialise with {.record_bytes = sizeof(struct my_record)}. */
struct ew_ring {
    size_t record_bytes;
    unsigned char *records; /**< [number & (capacity - 1)] */
    uint64_t capacity;      /**< 0 or a power of two */
    uint64_t begin;         /**< number of the oldest record */
    uint64_t end;           /**< one after the newest */
};

static inline void ew_ring_fini(struct ew_ring *ring)
{
    free(ring->records);
    *ring = (struct ew_ring){.record_bytes = ring->record_bytes};
}

static inline void *ew_ring_slot(const struct ew_ring *ring, uint64_t number)
{
    return ring->records + (size_t)(number & (ring->capacity - 1)) * ring->record_bytes;
}

/** Record of a number, NULL when it is not in the window. */
static inline void *ew_ring_at(const struct ew_ring *ring, uint64_t number)
{
    return number >= ring->begin && number < ring->end ? ew_ring_slot(ring, number) : NULL;
}

/** Make room for `width` records; false when memory runs out. */
static inline bool ew_ring_widen(struct ew_ring *ring, uint64_t width)
{
    uint64_t capacity = ring->capacity ? ring->capacity : 16;
    while (capacity < width) {
        if (capacity > UINT64_MAX / 4 / ring->record_bytes) {
            return false;
        }
        capacity *= 2;
    }
    if (capacity == ring->capacity) {
        return true;
    }
    struct ew_ring wider = *ring;
    wider.capacity = capacity;
    wider.records = calloc((size_t)capacity, ring->record_bytes);
    if (!wider.records) {
        return false;
    }
    for (uint64_t n = ring->begin; n < ring->end; n++) {
        memcpy(ew_ring_slot(&wider, n), ew_ring_slot(ring, n), ring->record_bytes);
    }
    free(ring->records);
    *ring = wider;
    return true;
}

/** Record of a number, which joins the window if it is newer than all in it; records that this
 *  brings in are zero. NULL when the number has left the window or memory runs out. */
static inline void *ew_ring_reach(struct ew_ring *ring, uint64_t number)
{
    if (ring->begin == ring->end) {
        ring->begin = ring->end = number;
    }
    if (number < ring->begin || number == UINT64_MAX) {
        return NULL;
    }
    if (number >= ring->end) {
        if (!ew_ring_widen(ring, number - ring->begin + 1)) {
            return NULL;
        }
        while (ring->end <= number) {
            memset(ew_ring_slot(ring, ring->end++), 0, ring->record_bytes);
        }
    }
    return ew_ring_slot(ring, number);
}

/** Oldest record; NULL when the window is empty. */
static inline void *ew_ring_oldest(const struct ew_ring *ring)
{
    return ew_ring_at(ring, ring->begin);
}

/** Let the oldest record go. The window must not be empty. */
static inline void ew_ring_drop_oldest(struct ew_ring *ring)
{
    ring->begin++;
}

#endif
