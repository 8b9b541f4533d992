/*
 * Arena: many small allocations that die together.
 *
 * One arena belongs to one loaded scenario, graph, plan or task graph; everything inside is const
 * once loading is done. With EW_ARENA_MALLOC defined (asan and dev presets) every allocation is its
 * own malloc, so that sanitizers see the edges. Not thread-safe.
 */
#ifndef EW_BASE_ARENA_H
#define EW_BASE_ARENA_H

#include <stddef.h>

struct ew_arena_block;

/** Embedded arena; zero-initialised is valid and empty. */
struct ew_arena {
    struct ew_arena_block *head;
    size_t used_bytes; /**< bytes handed out from the head block */
};

/** Free everything. Leaves a valid, empty arena. Accepts a zeroed one. */
void ew_arena_fini(struct ew_arena *arena);

/** Forget all allocations but keep the largest block for reuse. */
void ew_arena_reset(struct ew_arena *arena);

/** Zeroed memory for `count` objects of `size` bytes, aligned for any type.
 *  NULL when memory runs out or count*size overflows. A zero-byte request gives a valid pointer. */
void *ew_arena_calloc(struct ew_arena *arena, size_t count, size_t size);

/** Copy of `n` bytes of `text` plus a terminator; NULL when memory runs out. */
char *ew_arena_strndup(struct ew_arena *arena, const char *text, size_t n);

/** Copy of a string; NULL when memory runs out. */
char *ew_arena_strdup(struct ew_arena *arena, const char *text);

/** Copy of `count` objects of `size` bytes; NULL when memory runs out. */
void *ew_arena_copy(struct ew_arena *arena, const void *from, size_t count, size_t size);

#endif
