/*
 * Task graphs, platforms and runs made by hand, for tests and benches of the engines. Needs no
 * plan, no file and no Check; running out of memory ends the program.
 */
#ifndef EW_TESTS_HAND_H
#define EW_TESTS_HAND_H

#include "engine/engine.h"

/* --- platforms -------------------------------------------------------------------------------- */

/** A platform being described. */
struct hand_platform;

struct hand_platform *hand_platform_new(void);

/** Devices and links in order; give their number. A device: 1 GFLOP/s, powers 1, 3, 0.5, 0.25 W. */
uint32_t hand_device(struct hand_platform *p, double message_overhead_s);
uint32_t hand_link(struct hand_platform *p, double bytes_per_s, double latency_s);
uint32_t hand_fatpipe(struct hand_platform *p, double bytes_per_s, double latency_s);

/** One direction of a route. */
void hand_route(struct hand_platform *p, uint32_t from, uint32_t to, uint32_t n_links,
                const uint32_t *links);

/** Frees the description. */
struct ew_platform *hand_platform_finish(struct hand_platform *p);

/** Devices 0..n-1 in a row, a link between neighbours in each direction. */
struct ew_platform *hand_row(uint32_t n, double bytes_per_s, double latency_s);

/** `n` devices that share one link for everything. */
struct ew_platform *hand_medium(uint32_t n, double bytes_per_s, double latency_s);

/* --- task graphs ------------------------------------------------------------------------------ */

struct hand_tasks;

/** Node 0 is the input join (on device 0). */
struct hand_tasks *hand_tasks_new(uint32_t n_devices);

uint32_t hand_compute(struct hand_tasks *t, uint32_t device, double work_s);
uint32_t hand_load(struct hand_tasks *t, uint32_t device, double work_s);
uint32_t hand_message(struct hand_tasks *t, uint32_t from, uint32_t to, uint64_t bytes);
uint32_t hand_join(struct hand_tasks *t, uint32_t device);

/** `node` waits for `dep`, an earlier node. */
void hand_after(struct hand_tasks *t, uint32_t node, uint32_t dep);

/** The same; returns `node`. */
uint32_t hand_node_after(struct hand_tasks *t, uint32_t node, uint32_t dep);

/** The last node made must be the result join. Frees the description. */
struct ew_task_graph *hand_tasks_finish(struct hand_tasks *t);
/** Finishes with the result: a join on `device` that waits for `dep`. */
struct ew_task_graph *hand_answer(struct hand_tasks *t, uint32_t device, uint32_t dep);

/* --- runs ------------------------------------------------------------------------------------- */

/** A workload whose book has one plan without pieces, for a hand-made task graph. */
struct hand_workload {
    struct ew_plan plan;
    struct ew_plan *plans[1];
    struct ew_book book;
    const struct ew_task_graph *graphs[1];
    struct ew_run_workload run;
};

/** Fill in: closed loop with `outstanding` requests, no deadline. Set other arrivals in `run`. */
void hand_workload_init(struct hand_workload *w, const struct ew_task_graph *graph,
                        uint64_t n_requests, uint32_t outstanding);

#endif
