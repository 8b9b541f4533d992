/*
 * Growable arrays: `EW_VEC(type)` declares one in a struct, the macros below work on any of them.
 * The element type is the array's own, so there are no casts at call sites.
 */
#ifndef EW_BASE_VEC_H
#define EW_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>

/** A growable array of `type`; zero-initialised is valid and empty. */
#define EW_VEC(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

/** Make room for one more; false when memory runs out. */
#define ew_vec_reserve_one(vec)                                                                    \
    ew_vec_grow((void **)&(vec)->items, &(vec)->capacity, (vec)->count + 1, sizeof *(vec)->items)

/** Make room for `n` items in total; false when memory runs out. */
#define ew_vec_reserve(vec, n)                                                                     \
    ew_vec_grow((void **)&(vec)->items, &(vec)->capacity, (n), sizeof *(vec)->items)

/** Append by value; false when memory runs out (the array is then unchanged). */
#define ew_vec_push(vec, value)                                                                    \
    (ew_vec_reserve_one(vec) ? ((vec)->items[(vec)->count++] = (value), true) : false)

/** Free the array; leaves it empty and valid. */
#define ew_vec_fini(vec) ew_vec_release((void **)&(vec)->items, &(vec)->count, &(vec)->capacity)

/** Used by the macros: grow `*items` to hold at least `needed` elements. */
bool ew_vec_grow(void **items, size_t *capacity, size_t needed, size_t size);

/** Used by the macros. */
void ew_vec_release(void **items, size_t *count, size_t *capacity);

#endif
