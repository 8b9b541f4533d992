#include "engine/queue.h"

#include "base/vec.h"
#include "engine/engine.h"

bool ew_ready_put_back(struct ew_ready_queue *queue, const struct ew_ready *item)
{
    if (!ew_vec_reserve_one(queue)) {
        return false;
    }
    const struct ew_ready moved = *item;
    size_t i = queue->count++;
    while (i > 0) {
        const size_t parent = (i - 1) / 2;
        if (!ew_ready_before(&moved, &queue->items[parent])) {
            break;
        }
        queue->items[i] = queue->items[parent];
        i = parent;
    }
    queue->items[i] = moved;
    return true;
}

bool ew_ready_push(struct ew_ready_queue *queue, uint64_t job, uint32_t node, uint32_t slot,
                   double ready_s)
{
    if (queue->newest_group == 0 || ready_s > queue->newest_start_s + EW_GRAIN_S) {
        queue->newest_group++;
        queue->newest_start_s = ready_s;
    }
    const struct ew_ready item = {queue->newest_group, job, node, slot, ready_s};
    return ew_ready_put_back(queue, &item);
}

struct ew_ready ew_ready_pop(struct ew_ready_queue *queue)
{
    const struct ew_ready first = queue->items[0];
    const struct ew_ready last = queue->items[--queue->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= queue->count) {
            break;
        }
        if (child + 1 < queue->count &&
            ew_ready_before(&queue->items[child + 1], &queue->items[child])) {
            child++;
        }
        if (!ew_ready_before(&queue->items[child], &last)) {
            break;
        }
        queue->items[i] = queue->items[child];
        i = child;
    }
    if (queue->count) {
        queue->items[i] = last;
    }
    return first;
}

void ew_ready_fini(struct ew_ready_queue *queue)
{
    ew_vec_fini(queue);
}
