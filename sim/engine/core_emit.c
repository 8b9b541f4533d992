#include "engine/core_internal.h"

static bool pending_before(const struct core_pending *a, const struct core_pending *b)
{
    return a->event.time_s < b->event.time_s ||
           (a->event.time_s == b->event.time_s && a->seq < b->seq);
}

static void pending_push(struct ew_core *core, const struct ew_event *event, uint64_t seq)
{
    if (!ew_vec_reserve_one(&core->pending)) {
        core_out_of_memory(core);
        return;
    }
    const struct core_pending item = {*event, seq};
    size_t i = core->pending.count++;
    while (i > 0 && pending_before(&item, &core->pending.items[(i - 1) / 2])) {
        core->pending.items[i] = core->pending.items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    core->pending.items[i] = item;
}

static struct ew_event pending_pop(struct ew_core *core)
{
    struct core_pending *items = core->pending.items;
    const struct ew_event first = items[0].event;
    const size_t n = --core->pending.count;
    const struct core_pending last = items[n];
    size_t i = 0;
    for (size_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && pending_before(&items[child + 1], &items[child])) {
            child++;
        }
        if (!pending_before(&items[child], &last)) {
            break;
        }
        items[i] = items[child];
        i = child;
    }
    if (n) {
        items[i] = last;
    }
    return first;
}

static void deliver(struct ew_core *core, const struct ew_event *event)
{
    if (event->kind != EW_EVENT_COUNT) { /* retracted */
        core->run->sink.emit(core->run->sink.ctx, event);
    }
}

uint64_t core_emit(struct ew_core *core, const struct ew_event *event)
{
    const uint64_t seq = core->next_seq++;
    if (event->time_s > core->end_s && event->kind != EW_EVENT_TRANSFER_FLOW) {
        core->end_s = event->time_s;
    }
    if (core->reorders) {
        pending_push(core, event, seq);
    } else {
        core->run->sink.emit(core->run->sink.ctx, event);
    }
    return seq;
}

void core_flush(struct ew_core *core, double time_s)
{
    /* A start may be taken back within the grain, and logical times lie up to a few grains before
     * the engine's clock. */
    const double safe_s = time_s - 4 * EW_GRAIN_S;
    while (core->pending.count && core->pending.items[0].event.time_s < safe_s) {
        const struct ew_event event = pending_pop(core);
        deliver(core, &event);
    }
}

void ew_core_end(struct ew_core *core)
{
    while (core->pending.count) {
        const struct ew_event event = pending_pop(core);
        deliver(core, &event);
    }
}

void core_retract_event(struct ew_core *core, uint64_t seq)
{
    for (size_t i = 0; i < core->pending.count; i++) { /* rare: only on a retracted choice */
        if (core->pending.items[i].seq == seq) {
            core->pending.items[i].event.kind = EW_EVENT_COUNT;
            return;
        }
    }
}
