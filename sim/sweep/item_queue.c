#include "sweep/item_queue.h"

#include <string.h>

enum { COMPACT_FROM = 4096 };

bool ew_item_queue_add(struct ew_item_queue *queue, struct ew_item item)
{
    if (queue->next > COMPACT_FROM && queue->next * 2 > queue->items.count) {
        queue->items.count -= queue->next;
        memmove(queue->items.items, queue->items.items + queue->next,
                queue->items.count * sizeof *queue->items.items);
        queue->next = 0;
    }
    return ew_vec_push(&queue->items, item);
}

size_t ew_item_queue_count(const struct ew_item_queue *queue)
{
    return queue->items.count - queue->next;
}

static bool is_others(uint64_t group, const struct ew_item_taker *taker,
                      const struct ew_item_taker *const *others, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (others[i] != taker && others[i]->has_group && others[i]->group == group) {
            return true;
        }
    }
    return false;
}

/* Where to begin, or the end of the queue. */
static size_t find_begin(const struct ew_item_queue *queue, const struct ew_item_taker *taker,
                         const struct ew_item_taker *const *others, size_t n)
{
    const struct ew_item *items = queue->items.items;
    const size_t end = queue->items.count;
    for (size_t i = queue->next; taker->has_group && i < end; i++) {
        if (items[i].group == taker->group) {
            return i;
        }
    }
    size_t i = queue->next;
    while (i < end && is_others(items[i].group, taker, others, n)) {
        const uint64_t group = items[i].group;
        while (i < end && items[i].group == group) {
            i++;
        }
    }
    return i;
}

size_t ew_item_queue_take(struct ew_item *out, struct ew_item_queue *queue,
                          struct ew_item_taker *taker, struct ew_item_wish wish,
                          const struct ew_item_taker *const *others, size_t n)
{
    struct ew_item *items = queue->items.items;
    const size_t begin = find_begin(queue, taker, others, n);
    size_t at = begin;
    while (at < queue->items.count && at - begin < wish.most) {
        const uint64_t group = items[at].group;
        const bool is_new = at == begin || group != items[at - 1].group;
        if (is_new && (at - begin >= wish.enough || is_others(group, taker, others, n))) {
            break;
        }
        out[at - begin] = items[at];
        at++;
    }
    const size_t n_taken = at - begin;
    if (n_taken == 0) {
        return 0;
    }
    *taker = (struct ew_item_taker){true, items[at - 1].group};
    memmove(items + queue->next + n_taken, items + queue->next,
            (begin - queue->next) * sizeof *items);
    queue->next += n_taken;
    return n_taken;
}

size_t ew_item_queue_clear(struct ew_item_queue *queue)
{
    const size_t n = ew_item_queue_count(queue);
    queue->items.count = queue->next = 0;
    return n;
}

void ew_item_queue_fini(struct ew_item_queue *queue)
{
    ew_vec_fini(&queue->items);
    queue->next = 0;
}
