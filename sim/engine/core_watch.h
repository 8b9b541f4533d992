/*
 * What a strategy is shown of a run, for plans picked per job. Changes are noted as they happen and
 * seen a microsecond later, so that what happens at the same time on paper is seen together, in
 * whichever order an engine reports it. Inside of the job machine; for core_pick.c and its callers.
 */
#ifndef EW_ENGINE_CORE_WATCH_H
#define EW_ENGINE_CORE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/** How long until a change is seen. */
#define CORE_SEEN_AFTER_S 1e-6

struct core_watch;

/** Jobs of a workload, as seen. */
struct core_seen_jobs {
    uint32_t n_running;
    uint32_t last_plan;
    double last_latency_s;
};

/** NULL when memory runs out. */
struct core_watch *core_watch_new(uint32_t n_devices, uint32_t n_workloads);
void core_watch_free(struct core_watch *watch);

/* What happens; time_s to within the grain in order. */

void core_watch_ready(struct core_watch *watch, uint32_t device, double time_s);
/** A task that was ready is over; stretch: its time in terms of what it should take, NAN: unknown.
 */
void core_watch_over(struct core_watch *watch, uint32_t device, double stretch, double time_s);
void core_watch_up(struct core_watch *watch, uint32_t device, bool is_up, double time_s);
void core_watch_transfer(struct core_watch *watch, uint32_t from, uint32_t to, uint64_t bytes,
                         double flow_s, double time_s);
/** At once: whoever picked it knows. */
void core_watch_job_begins(struct core_watch *watch, uint32_t workload);
/** rank: of two jobs answered at once, the larger counts as the last. */
void core_watch_answer(struct core_watch *watch, uint32_t workload, uint32_t plan, uint64_t rank,
                       double latency_s, double time_s);
void core_watch_job_fails(struct core_watch *watch, uint32_t workload, double time_s);

/** See everything that has happened until `seen_s`. false: memory ran out. */
bool core_watch_see(struct core_watch *watch, double seen_s);

const struct core_seen_jobs *core_watch_jobs(const struct core_watch *watch, uint32_t workload);
const double *core_watch_task_ratios(const struct core_watch *watch);
const uint32_t *core_watch_queued(const struct core_watch *watch);
const uint32_t *core_watch_is_up(const struct core_watch *watch);
const double *core_watch_bandwidths(const struct core_watch *watch);

/** Whole microseconds. Halves go up, with some room: what is a half on paper goes up, too. */
double core_watch_time(double time_s);

/** Time of a task or message that lasted long enough to tell, in terms of `nominal`; else NAN. */
double core_watch_stretch(double took_s, double nominal_s);

#endif
