/*
 * Indexed min-heap: at most one key per id, keys can be changed in place. Four children per node.
 * Ordered by (key, id), so that equal keys come out in a fixed order.
 */
#ifndef EW_BASE_HEAP_H
#define EW_BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct ew_heap_entry {
    double key;
    uint32_t id;
};

struct ew_heap {
    struct ew_heap_entry *entries;
    uint32_t *position; /**< per id: index in entries, UINT32_MAX when absent */
    uint32_t count;
    uint32_t n_ids;
};

/** Empty heap for ids 0..n_ids-1; false when memory runs out. */
bool ew_heap_init(struct ew_heap *heap, uint32_t n_ids);
void ew_heap_fini(struct ew_heap *heap);

/** Insert `id` or change its key. */
void ew_heap_set(struct ew_heap *heap, uint32_t id, double key);

/** Remove `id` if present. */
void ew_heap_remove(struct ew_heap *heap, uint32_t id);

/** Smallest entry, or NULL. */
static inline const struct ew_heap_entry *ew_heap_first(const struct ew_heap *heap)
{
    return heap->count ? heap->entries : (const struct ew_heap_entry *)0;
}

/** Remove and return the smallest; the heap must not be empty. */
struct ew_heap_entry ew_heap_pop(struct ew_heap *heap);

static inline bool ew_heap_has(const struct ew_heap *heap, uint32_t id)
{
    return heap->position[id] != UINT32_MAX;
}

#endif
