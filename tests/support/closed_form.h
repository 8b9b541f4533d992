/*
 * What closed forms of both simulation engines share: run a hand-made task graph and compare every
 * latency with a formula. Uses Check.
 */
#ifndef EW_TESTS_CLOSED_FORM_H
#define EW_TESTS_CLOSED_FORM_H

#include "support/collect.h"
#include "support/hand.h"

/** Both round to the grain. */
#define CLOSED_FORM_TOLERANCE_S 2e-9

enum { CLOSED_FORM_ENGINES = 2 };
/** fast, simgrid */
extern const struct ew_engine *const closed_form_engines[CLOSED_FORM_ENGINES];

/** Preset ideal, seed 1; all borrowed. */
struct ew_run closed_form_run(const struct ew_platform *platform, const struct ew_run_workload *w,
                              uint32_t n_workloads);
/** The latencies of all requests, workload after workload, on both engines. */
void closed_form_expect_run(const struct ew_run *run, uint32_t n, const double *latency_s);
/** One workload in a closed loop; takes platform and tasks. */
void closed_form_expect_loop(struct ew_platform *platform, struct ew_task_graph *tasks,
                             uint32_t outstanding, uint32_t n, const double *latency_s);
/** One request; takes platform and tasks. */
void closed_form_expect_one(struct ew_platform *platform, struct ew_task_graph *tasks,
                            double latency_s);

#endif
