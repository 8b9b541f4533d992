/*
 * Scheme: what the search varies. The network's blocks are grouped into volumes; each volume is
 * shared out by lines of its last output with halos computed again, by channels, or by images of
 * the batch, or lies on one device.
 */
#ifndef EDGEWEAVE_STRATEGIES_OPTIMAL_SCHEME_H
#define EDGEWEAVE_STRATEGIES_OPTIMAL_SCHEME_H

#include "common/draft.h"

/** What a volume is cut along. */
enum scheme_axis {
    AXIS_LINES,    /**< rows of banded blocks */
    AXIS_CHANNELS, /**< output channels of one block that makes them */
    AXIS_IMAGES,   /**< the batch */
    N_AXES
};

/** Volumes in order. Arrays are owned and have room for one volume per block. */
struct scheme {
    uint32_t n;
    uint32_t *last;  /**< per volume: its last block */
    uint8_t *axis;   /**< per volume: enum scheme_axis */
    int32_t *counts; /**< [volume * n_devices + device]: units; they add up to the volume's */
};

/** What schemes are about. */
struct scheme_space {
    const struct kit_net *net;       /**< borrowed */
    const struct kit_blocks *blocks; /**< borrowed */
    uint32_t n_devices;
    int32_t *channels; /**< by block: 0 when it cannot be split by channels; owned */
};

/** EW_STRATEGY_ENOMEM at worst; release with scheme_space_fini. */
int32_t scheme_space_init(struct scheme_space *space, const struct kit_net *net,
                          const struct kit_blocks *blocks);
void scheme_space_fini(struct scheme_space *space);

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

/** Into how many units blocks [first, last] can be cut along the axis; below 2: not at all. */
int32_t scheme_axis_units(const struct scheme_space *space, uint32_t first, uint32_t last,
                          enum scheme_axis axis);

/** Units of a volume; 1 when it cannot be cut along its axis, so that one device has all of it. */
int32_t scheme_units(const struct scheme *scheme, const struct scheme_space *space,
                     uint32_t volume);

/** Every block a volume of its own, all on one device. */
void scheme_single(struct scheme *scheme, const struct scheme_space *space, uint32_t device);

/** Append the volume up to block `last`, on one device. */
void scheme_append_whole(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                         uint32_t device);

/** Append a volume that can be cut along the axis, shared out in proportion to weights. */
void scheme_append_shared(struct scheme *scheme, const struct scheme_space *space, uint32_t last,
                          enum scheme_axis axis, const double *weights);

/** Cut `volume` along another axis, in the same proportions. False, and nothing changes, when that
 *  is not possible. `shares` is scratch for n_devices values. */
bool scheme_turn(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                 enum scheme_axis axis, double *shares);

/** Cut `volume` in two behind block `last`; both parts keep the shares. `shares` as above. */
void scheme_split(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                  uint32_t last, double *shares);

/** Join `volume` and the next one; axis and shares are the next one's. False, and nothing changes,
 *  when they cannot be cut as one. */
bool scheme_join(struct scheme *scheme, const struct scheme_space *space, uint32_t volume,
                 double *shares);

/** All pieces, in block order. */
int32_t scheme_draft(struct kit_draft *draft, const struct scheme *scheme,
                     const struct scheme_space *space);

#endif
