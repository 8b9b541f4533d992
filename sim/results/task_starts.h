/*
 * When the running tasks of every device began. A device runs one task at a time, but a task
 * without work takes no device: it begins and ends while another one runs there.
 */
#ifndef EW_RESULTS_TASK_STARTS_H
#define EW_RESULTS_TASK_STARTS_H

#include <stdbool.h>
#include <stdlib.h>

#include "engine/event.h"

enum { EW_TASK_START_SLOTS = 2 };

struct ew_task_start {
    bool is_open;
    uint32_t workload;
    uint32_t node;
    uint64_t job;
    double start_s;
};

/** Zero-initialised is valid for no device. */
struct ew_task_starts {
    uint32_t n_devices;
    struct ew_task_start *slots; /**< [device][EW_TASK_START_SLOTS] */
};

/** False when memory runs out. */
static inline bool ew_task_starts_init(struct ew_task_starts *starts, uint32_t n_devices)
{
    starts->n_devices = n_devices;
    starts->slots = calloc((size_t)n_devices * EW_TASK_START_SLOTS, sizeof *starts->slots);
    return starts->slots != NULL;
}

static inline void ew_task_starts_fini(struct ew_task_starts *starts)
{
    free(starts->slots);
    *starts = (struct ew_task_starts){0};
}

/** Book a TASK_START of a device that exists. */
static inline void ew_task_starts_put(struct ew_task_starts *starts, const struct ew_event *event)
{
    struct ew_task_start *slot = &starts->slots[(size_t)event->device * EW_TASK_START_SLOTS];
    slot += slot->is_open;
    *slot = (struct ew_task_start){.is_open = true,
                                   .workload = event->workload,
                                   .node = event->node,
                                   .job = event->job,
                                   .start_s = event->time_s};
}

/** When the task began that ends or is aborted; the time of the event when it never did. */
static inline double ew_task_starts_take(struct ew_task_starts *starts,
                                         const struct ew_event *event)
{
    struct ew_task_start *slots = &starts->slots[(size_t)event->device * EW_TASK_START_SLOTS];
    for (int i = EW_TASK_START_SLOTS - 1; i >= 0; i--) {
        if (slots[i].is_open && slots[i].job == event->job && slots[i].node == event->node &&
            slots[i].workload == event->workload) {
            slots[i].is_open = false;
            return slots[i].start_s;
        }
    }
    return event->time_s;
}

#endif
