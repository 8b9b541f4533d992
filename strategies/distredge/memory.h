/*
 * What distredge keeps while the world changes: for every set of devices that it has met the agent,
 * the splits that were best at some time, and what the network was like.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_MEMORY_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_MEMORY_H

#include "distredge/making.h"
#include "distredge/trend.h"

enum { MEMORY_CASTS = 4, MEMORY_SPLITS = 8 };

/** A set of devices and what is known of working with it. */
struct cast {
    uint32_t n_devices;
    uint32_t *devices; /**< owned */
    uint32_t n_volumes;
    uint32_t *starts;   /**< first blocks of the volumes; owned */
    struct agent agent; /**< without networks: none was trained */
    struct trend trend;
    uint64_t used; /**< when it was last wanted */
    size_t n_cuts; /**< per split */
    uint32_t n_splits;
    int32_t *splits[MEMORY_SPLITS]; /**< owned */
    uint64_t chosen[MEMORY_SPLITS]; /**< when each was last the best */
    uint32_t current;               /**< the split that was chosen last */
};

/** Zero-initialise. */
struct memory {
    struct cast casts[MEMORY_CASTS];
    uint32_t n_casts;
    const struct cast *in_force; /**< whose current split is the plan; NULL: the source alone */
    uint64_t clock;              /**< counts uses */
    bool is_planned;
    uint64_t random; /**< state of the random numbers from observation to observation */
    bool has_random; /**< false: none yet, the host's are still the same with and without files */
};

void memory_forget(struct memory *memory);

/** The cast with just these devices, NULL when there is none. It has been wanted now. */
struct cast *memory_find(struct memory *memory, const uint32_t *devices, uint32_t n_devices);

/** Keep a plan's devices, volumes, agent (taken) and split; the cast wanted longest ago may have to
 *  go, never the one in force. NULL when memory runs out. */
struct cast *memory_add(struct memory *memory, struct distredge *it);

/** Make a split the current one of its cast; the one chosen longest ago may have to go. False when
 *  memory runs out. */
bool memory_choose(struct memory *memory, struct cast *cast, const int32_t *cuts);

/** Where the random numbers of observations come from. */
struct draw memory_draw(struct memory *memory, const struct ew_host *host);

#endif
