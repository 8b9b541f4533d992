/*
 * Event sink for engine tests: latency of every request, busy seconds of every device, bytes of
 * every pair, counts, and whether the stream obeys its rules.
 */
#ifndef EW_TESTS_COLLECT_H
#define EW_TESTS_COLLECT_H

#include <stdbool.h>

#include "engine/engine.h"

/** What a device or connection does. */
struct collect_running {
    bool is_busy;
    struct ew_event start;
    struct ew_event instant; /**< start of a task that takes no time, beside the running one */
};

/** Results of one run. Zero-initialise; free with collect_fini. */
struct collect {
    uint32_t n_devices;
    uint32_t n_workloads;
    uint64_t *first_request; /**< per workload: place of its request 0 in latency_s; one more */
    double *latency_s;       /**< per request; NAN: no end seen */
    double *arrival_s;       /**< per request */
    double *busy_s;          /**< per device */
    double *sending_s;       /**< per device: overheads and transfers, start to end */
    uint64_t *bytes;         /**< [from * n_devices + to] */
    uint64_t count[EW_EVENT_COUNT];
    struct collect_running *tasks; /**< per device */
    struct collect_running *lines; /**< per pair */
    double last_s;
    uint64_t n_disorders;     /**< events earlier than one before them, by more than the grain */
    uint64_t n_overlaps;      /**< a device or connection did two things at once, or ended what it
                                   had not started; tasks that take no time are free */
    uint64_t n_open_instants; /**< started beside a running task and not yet ended */
    struct ew_run_facts facts;
    double *host_energy_j; /**< per device; simgrid only */
};

/** Run `run` (its sink is replaced) on `engine` and collect. */
enum ew_status collect_run(struct collect *c, const struct ew_engine *engine, struct ew_run run,
                           struct ew_error *err);

void collect_fini(struct collect *c);

#endif
