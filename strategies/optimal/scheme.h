/*
 * Scheme: what the search varies. The network's blocks are grouped into volumes; each volume is
 * shared out by lines of its last output, with halos computed again, or lies on one device.
 */
#ifndef EDGEWEAVE_STRATEGIES_OPTIMAL_SCHEME_H
#define EDGEWEAVE_STRATEGIES_OPTIMAL_SCHEME_H

#include "common/draft.h"

/** Volumes in order. Arrays are owned and have room for one volume per block. */
struct scheme {
    uint32_t n;
    uint32_t *last;  /**< per volume: its last block */
    int32_t *counts; /**< [volume * n_devices + device]: lines; they add up to the volume's */
};

/** What schemes are about; borrowed. */
struct scheme_space {
    const struct kit_net *net;
    const struct kit_blocks *blocks;
    uint32_t n_devices;
};

int32_t scheme_init(struct scheme *scheme, const struct scheme_space *space);
void scheme_fini(struct scheme *scheme);
void scheme_copy(struct scheme *to, const struct scheme *from, const struct scheme_space *space);

/** First block of a volume. */
static inline uint32_t scheme_first(const struct scheme *scheme, uint32_t volume)
{
    return volume ? scheme->last[volume - 1] + 1 : 0;
}

static inline int32_t *scheme_counts(const struct scheme *scheme, const struct scheme_space *space,
                                     uint32_t volume)
{
    return scheme->counts + (size_t)volume * space->n_devices;
}

/** Lines of a volume that ends with block `last`; 1 when it cannot be shared out. */
int32_t scheme_lines(const struct scheme_space *space, uint32_t last);

/** Every block a volume of its own, all on one device. */
void scheme_single(struct scheme *scheme, const struct scheme_space *space, uint32_t device);

/** Append the volume up to block `last`, on one device. */
void scheme_append_whole(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                         uint32_t device);

/** Append a volume of banded blocks, shared out in proportion to weights. */
int32_t scheme_append_shared(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                             const double *weights);

/** Cut `volume` behind block `last`; both parts keep the shares. */
int32_t scheme_split(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                     uint32_t last);

/** Join `volume` and the next one; the shares are the next one's. */
void scheme_join(struct scheme *scheme, const struct scheme_space *space, uint32_t volume);

/** All pieces, in block order. */
int32_t scheme_draft(struct kit_draft *draft, const struct scheme *scheme,
                     const struct scheme_space *space);

#endif
