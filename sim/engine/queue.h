/*
 * Ready queue of one device, send thread or connection: first ready first served, ties by (job's
 * rank, node). "Tie" means: ready within the grain of the first one of the group. Without groups,
 * times that are equal on paper but differ by 1e-16 would decide the order, and engines would
 * disagree.
 */
#ifndef EW_ENGINE_QUEUE_H
#define EW_ENGINE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Something that waits. Ordered by (group, job, node). */
struct ew_ready {
    uint64_t group; /**< set by push */
    uint64_t job;
    uint32_t node;
    uint32_t slot; /**< the core's handle of the job */
    double ready_s;
};

/** Binary heap of ready items plus the newest group. Zero-initialised is valid and empty. */
struct ew_ready_queue {
    struct ew_ready *items;
    size_t count;
    size_t capacity;
    uint64_t newest_group;
    double newest_start_s; /**< ready time that opened the newest group */
};

/** Add an item that became ready at ready_s (not earlier than the last, to within the grain).
 *  false when memory runs out. */
bool ew_ready_push(struct ew_ready_queue *queue, uint64_t job, uint32_t node, uint32_t slot,
                   double ready_s);

/** Put an item back, keeping its group. false when memory runs out. */
bool ew_ready_put_back(struct ew_ready_queue *queue, const struct ew_ready *item);

/** First item, or NULL. */
static inline const struct ew_ready *ew_ready_first(const struct ew_ready_queue *queue)
{
    return queue->count ? queue->items : NULL;
}

/** Remove and return the first item; the queue must not be empty. */
struct ew_ready ew_ready_pop(struct ew_ready_queue *queue);

/** True when a comes before b. */
static inline bool ew_ready_before(const struct ew_ready *a, const struct ew_ready *b)
{
    if (a->group != b->group) {
        return a->group < b->group;
    }
    return a->job != b->job ? a->job < b->job : a->node < b->node;
}

void ew_ready_fini(struct ew_ready_queue *queue);

#endif
