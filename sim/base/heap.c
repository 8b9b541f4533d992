#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

enum { ARITY = 4 };

bool ew_heap_init(struct ew_heap *heap, uint32_t n_ids)
{
    *heap = (struct ew_heap){.n_ids = n_ids};
    heap->entries = malloc((n_ids ? n_ids : 1) * sizeof *heap->entries);
    heap->position = malloc((n_ids ? n_ids : 1) * sizeof *heap->position);
    if (!heap->entries || !heap->position) {
        ew_heap_fini(heap);
        return false;
    }
    memset(heap->position, 0xff, n_ids * sizeof *heap->position);
    return true;
}

void ew_heap_fini(struct ew_heap *heap)
{
    free(heap->entries);
    free(heap->position);
    *heap = (struct ew_heap){0};
}

static bool before(const struct ew_heap_entry *a, const struct ew_heap_entry *b)
{
    return a->key < b->key || (a->key == b->key && a->id < b->id);
}

static void place(struct ew_heap *heap, uint32_t i, struct ew_heap_entry entry)
{
    heap->entries[i] = entry;
    heap->position[entry.id] = i;
}

static void sift_up(struct ew_heap *heap, uint32_t i, struct ew_heap_entry entry)
{
    while (i > 0) {
        const uint32_t parent = (i - 1) / ARITY;
        if (!before(&entry, &heap->entries[parent])) {
            break;
        }
        place(heap, i, heap->entries[parent]);
        i = parent;
    }
    place(heap, i, entry);
}

static void sift_down(struct ew_heap *heap, uint32_t i, struct ew_heap_entry entry)
{
    for (;;) {
        const uint32_t first = ARITY * i + 1;
        if (first >= heap->count) {
            break;
        }
        const uint32_t end = heap->count - first < ARITY ? heap->count : first + ARITY;
        uint32_t best = first;
        for (uint32_t child = first + 1; child < end; child++) {
            if (before(&heap->entries[child], &heap->entries[best])) {
                best = child;
            }
        }
        if (!before(&heap->entries[best], &entry)) {
            break;
        }
        place(heap, i, heap->entries[best]);
        i = best;
    }
    place(heap, i, entry);
}

static void resettle(struct ew_heap *heap, uint32_t i, struct ew_heap_entry entry)
{
    if (i > 0 && before(&entry, &heap->entries[(i - 1) / ARITY])) {
        sift_up(heap, i, entry);
    } else {
        sift_down(heap, i, entry);
    }
}

void ew_heap_set(struct ew_heap *heap, uint32_t id, double key)
{
    const struct ew_heap_entry entry = {key, id};
    const uint32_t i = heap->position[id];
    if (i == UINT32_MAX) {
        sift_up(heap, heap->count++, entry);
    } else {
        resettle(heap, i, entry);
    }
}

void ew_heap_remove(struct ew_heap *heap, uint32_t id)
{
    const uint32_t i = heap->position[id];
    if (i == UINT32_MAX) {
        return;
    }
    heap->position[id] = UINT32_MAX;
    const struct ew_heap_entry last = heap->entries[--heap->count];
    if (i < heap->count) {
        resettle(heap, i, last);
    }
}

struct ew_heap_entry ew_heap_pop(struct ew_heap *heap)
{
    const struct ew_heap_entry first = heap->entries[0];
    heap->position[first.id] = UINT32_MAX;
    const struct ew_heap_entry last = heap->entries[--heap->count];
    if (heap->count) {
        sift_down(heap, 0, last);
    }
    return first;
}
