#include "distredge/memory.h"

#include <stdlib.h>
#include <string.h>

static void cast_fini(struct cast *cast)
{
    free(cast->devices);
    free(cast->starts);
    agent_fini(&cast->agent);
    trend_fini(&cast->trend);
    for (uint32_t i = 0; i < cast->n_splits; i++) {
        free(cast->splits[i]);
    }
    *cast = (struct cast){0};
}

void memory_forget(struct memory *memory)
{
    for (uint32_t i = 0; i < memory->n_casts; i++) {
        cast_fini(&memory->casts[i]);
    }
    *memory = (struct memory){0};
}

struct cast *memory_find(struct memory *memory, const uint32_t *devices, uint32_t n_devices)
{
    for (uint32_t i = 0; i < memory->n_casts; i++) {
        struct cast *cast = &memory->casts[i];
        if (cast->n_devices == n_devices &&
            memcmp(cast->devices, devices, n_devices * sizeof *devices) == 0) {
            cast->used = ++memory->clock;
            return cast;
        }
    }
    return NULL;
}

static struct cast *make_room(struct memory *memory)
{
    if (memory->n_casts < MEMORY_CASTS) {
        return &memory->casts[memory->n_casts++];
    }
    struct cast *oldest = NULL;
    for (uint32_t i = 0; i < memory->n_casts; i++) {
        struct cast *cast = &memory->casts[i];
        if (cast != memory->in_force && (!oldest || cast->used < oldest->used)) {
            oldest = cast;
        }
    }
    cast_fini(oldest);
    return oldest;
}

static void *copy_bytes(const void *from, size_t n)
{
    void *copy = malloc(n);
    if (copy) {
        memcpy(copy, from, n);
    }
    return copy;
}

struct cast *memory_add(struct memory *memory, struct distredge *it)
{
    struct cast *cast = make_room(memory);
    const uint32_t n = it->n_devices;
    *cast = (struct cast){
        .n_devices = n,
        .devices = copy_bytes(it->devices, n * sizeof *it->devices),
        .n_volumes = it->n_volumes,
        .starts = copy_bytes(it->starts, it->n_volumes * sizeof *it->starts),
        .agent = it->learned.agent,
        .used = ++memory->clock,
        .n_cuts = (size_t)it->n_volumes * (n + 1),
    };
    it->learned.agent = (struct agent){0};
    if (it->learned.seed) {
        memory->random = it->learned.seed;
        memory->has_random = true;
    }
    /* source to part, part to part, part to sink; then every part's speed */
    const bool is_whole = trend_init(&cast->trend, n * (n + 3), n * (n + 2)) && cast->devices &&
                          cast->starts && memory_choose(memory, cast, it->best.cuts);
    return is_whole ? cast : NULL;
}

bool memory_choose(struct memory *memory, struct cast *cast, const int32_t *cuts)
{
    const size_t size = cast->n_cuts * sizeof *cuts;
    uint32_t at = 0;
    while (at < cast->n_splits && memcmp(cast->splits[at], cuts, size) != 0) {
        at++;
    }
    if (at == cast->n_splits && at < MEMORY_SPLITS) {
        cast->splits[at] = malloc(size);
        if (!cast->splits[at]) {
            return false;
        }
        cast->n_splits++;
        memcpy(cast->splits[at], cuts, size);
    } else if (at == cast->n_splits) {
        at = 0;
        for (uint32_t i = 1; i < cast->n_splits; i++) {
            at = cast->chosen[i] < cast->chosen[at] ? i : at;
        }
        memcpy(cast->splits[at], cuts, size);
    }
    cast->chosen[at] = ++memory->clock;
    cast->current = at;
    return true;
}

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t next_bits(void *ctx)
{
    struct memory *memory = ctx;
    memory->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = memory->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct draw memory_draw(struct memory *memory, const struct ew_host *host)
{
    return memory->has_random ? (struct draw){next_bits, memory} : learn_draw(host);
}
