#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK_BYTES = 4096 };

struct ew_arena_block {
    struct ew_arena_block *next;
    size_t capacity;
    alignas(max_align_t) unsigned char data[];
};

static void free_blocks(struct ew_arena_block *block)
{
    while (block) {
        struct ew_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void ew_arena_fini(struct ew_arena *arena)
{
    free_blocks(arena->head);
    *arena = (struct ew_arena){0};
}

void ew_arena_reset(struct ew_arena *arena)
{
#ifdef EW_ARENA_MALLOC
    ew_arena_fini(arena);
#else
    if (arena->head) {
        free_blocks(arena->head->next); /* blocks grow, so the head is the largest */
        arena->head->next = NULL;
    }
    arena->used_bytes = 0;
#endif
}

static struct ew_arena_block *push_block(struct ew_arena *arena, size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct ew_arena_block)) {
        return NULL;
    }
    struct ew_arena_block *block = malloc(sizeof *block + capacity);
    if (!block) {
        return NULL;
    }
    block->next = arena->head;
    block->capacity = capacity;
    arena->head = block;
    arena->used_bytes = 0;
    return block;
}

void *ew_arena_calloc(struct ew_arena *arena, size_t count, size_t size)
{
    if (size && count > (SIZE_MAX / 2) / size) {
        return NULL;
    }
    const size_t align = alignof(max_align_t);
    const size_t bytes = (count * size + align - 1) / align * align;
#ifdef EW_ARENA_MALLOC
    struct ew_arena_block *block = push_block(arena, bytes);
    if (!block) {
        return NULL;
    }
#else
    struct ew_arena_block *block = arena->head;
    if (!block || block->capacity - arena->used_bytes < bytes) {
        size_t capacity = block ? block->capacity * 2 : FIRST_BLOCK_BYTES;
        block = push_block(arena, capacity > bytes ? capacity : bytes);
        if (!block) {
            return NULL;
        }
    }
#endif
    void *p = block->data + arena->used_bytes;
    arena->used_bytes += bytes;
    return memset(p, 0, bytes);
}

void *ew_arena_copy(struct ew_arena *arena, const void *from, size_t count, size_t size)
{
    void *p = ew_arena_calloc(arena, count, size);
    if (p && count && size) {
        memcpy(p, from, count * size);
    }
    return p;
}

char *ew_arena_strndup(struct ew_arena *arena, const char *text, size_t n)
{
    char *p = ew_arena_calloc(arena, n + 1, 1);
    if (p) {
        memcpy(p, text, n);
    }
    return p;
}

char *ew_arena_strdup(struct ew_arena *arena, const char *text)
{
    return ew_arena_strndup(arena, text, strlen(text));
}
