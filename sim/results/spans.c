#include "results/spans.h"

#include <math.h>
#include <stdlib.h>

int ew_span_compare(const struct ew_span *a, const struct ew_span *b)
{
    if (a->workload != b->workload) {
        return a->workload < b->workload ? -1 : 1;
    }
    if (a->job != b->job) {
        return a->job < b->job ? -1 : 1;
    }
    return (a->node > b->node) - (a->node < b->node);
}

static int compare(const void *a, const void *b)
{
    return ew_span_compare(a, b);
}

static void observe(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    struct ew_spans *spans = ctx;
    (void)joules;
    const bool is_task = event->kind == EW_EVENT_TASK_START || event->kind == EW_EVENT_TASK_END;
    const bool is_start =
        event->kind == EW_EVENT_TASK_START || event->kind == EW_EVENT_TRANSFER_START;
    if ((!is_task && !is_start && event->kind != EW_EVENT_TRANSFER_END) ||
        event->job >= spans->max_jobs) {
        return;
    }
    const struct ew_span span = {
        .job = event->job,
        .workload = event->workload,
        .node = event->node,
        .plan = event->plan,
        .device = event->device,
        .peer = is_task ? EW_NONE : event->peer,
        .layer = event->layer,
        .start_s = event->time_s,
        .end_s = is_start ? NAN : event->time_s,
    };
    const bool is_kept =
        is_start ? ew_vec_push(&spans->items, span) : ew_vec_push(&spans->ends, span);
    spans->ran_out_of_memory = spans->ran_out_of_memory || !is_kept;
}

struct ew_event_observer ew_spans_observer(struct ew_spans *spans)
{
    return (struct ew_event_observer){spans, observe};
}

enum ew_status ew_spans_finish(struct ew_spans *spans, struct ew_error *err)
{
    if (spans->ran_out_of_memory) {
        return ew_fail_memory(err);
    }
    if (spans->items.count == 0) {
        return EW_OK;
    }
    qsort(spans->items.items, spans->items.count, sizeof *spans->items.items, compare);
    if (spans->ends.count) {
        qsort(spans->ends.items, spans->ends.count, sizeof *spans->ends.items, compare);
    }
    size_t i = 0;
    for (size_t k = 0; k < spans->ends.count; k++) { /* every end has a start before it */
        while (i < spans->items.count &&
               ew_span_compare(&spans->items.items[i], &spans->ends.items[k]) < 0) {
            i++;
        }
        if (i < spans->items.count &&
            ew_span_compare(&spans->items.items[i], &spans->ends.items[k]) == 0) {
            spans->items.items[i].end_s = spans->ends.items[k].end_s;
        }
    }
    ew_vec_fini(&spans->ends);
    return EW_OK;
}

void ew_spans_fini(struct ew_spans *spans)
{
    ew_vec_fini(&spans->items);
    ew_vec_fini(&spans->ends);
}
