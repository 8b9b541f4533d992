/*
 * A worker of a sweep: runs points one after the other and keeps what neighbours share, the
 * platform, the graphs and the plans of the last problem.
 */
#ifndef EW_SWEEP_SWEEP_WORKER_H
#define EW_SWEEP_SWEEP_WORKER_H

#include "sweep/sweep_context.h"

struct ew_sweep_worker;

/** The context is borrowed. NULL when memory runs out. */
struct ew_sweep_worker *ew_sweep_worker_new(const struct ew_sweep_context *context);
void ew_sweep_worker_free(struct ew_sweep_worker *worker);

/** First byte of an answer; cells follow (results/store_row.h). */
enum ew_sweep_answer { EW_SWEEP_ANSWER_RUN = 'r', EW_SWEEP_ANSWER_FAILURE = 'f' };

/** Plan and simulate a point; append the answer, of a failure too. */
void ew_sweep_worker_run(struct ew_sweep_worker *worker, uint64_t raw, struct ew_str *answer);

/** Append the answer for a point that failed. */
void ew_sweep_answer_failure(struct ew_str *answer, const char *kind, const char *message);

#endif
