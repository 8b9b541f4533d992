/*
 * Queue of items for several takers (worker processes, ranks). Neighbours of one group stay with
 * one taker: points of one problem are planned once.
 */
#ifndef EW_SWEEP_ITEM_QUEUE_H
#define EW_SWEEP_ITEM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct ew_item {
    uint64_t number;
    uint64_t group;
    uint64_t tag;
};

/** Zero-initialise; free with ew_item_queue_fini. */
struct ew_item_queue {
    EW_VEC(struct ew_item) items; /**< from `next` on */
    size_t next;
};

/** The group that a taker took from last: nobody else gets items of it. */
struct ew_item_taker {
    bool has_group;
    uint64_t group;
};

/** How much to take: whole groups until there are `enough`, never more than `most`. */
struct ew_item_wish {
    size_t enough;
    size_t most;
};

/** Append; false when memory runs out. */
bool ew_item_queue_add(struct ew_item_queue *queue, struct ew_item item);

size_t ew_item_queue_count(const struct ew_item_queue *queue);

/** Take items from the front, but first what is left of the taker's group, and none of the groups
 *  of the `n` other takers (`others` may name the taker itself). Returns how many. */
size_t ew_item_queue_take(struct ew_item *out, struct ew_item_queue *queue,
                          struct ew_item_taker *taker, struct ew_item_wish wish,
                          const struct ew_item_taker *const *others, size_t n);

/** Drop all; returns how many. */
size_t ew_item_queue_clear(struct ew_item_queue *queue);

void ew_item_queue_fini(struct ew_item_queue *queue);

#endif
