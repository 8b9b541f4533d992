/*
 * Spans: when every task and message of a run began and ended, for laying two runs of one plan side
 * by side.
 */
#ifndef EW_RESULTS_SPANS_H
#define EW_RESULTS_SPANS_H

#include "base/vec.h"
#include "results/metrics.h"

/** A task, or a message from the begin of its latency to its last byte. Ordered by (workload, job,
 *  node). */
struct ew_span {
    uint64_t job;
    uint32_t workload;
    uint32_t node; /**< of the plan's task graph */
    uint32_t plan;
    uint32_t device; /**< transfer: sender */
    uint32_t peer;   /**< transfer: receiver; task: EW_NONE */
    uint32_t layer;
    double start_s;
    double end_s; /**< NAN: none seen */
};

/** Zero-initialise and set max_jobs; free with ew_spans_fini. */
struct ew_spans {
    uint64_t max_jobs; /**< jobs from this one on are passed over */
    EW_VEC(struct ew_span) items;
    EW_VEC(struct ew_span) ends; /**< until ew_spans_finish */
    bool ran_out_of_memory;
};

/** Collects; valid as long as `spans`. */
struct ew_event_observer ew_spans_observer(struct ew_spans *spans);

/** After the run: order them. EW_ENOMEM, also when memory ran out during the run. */
enum ew_status ew_spans_finish(struct ew_spans *spans, struct ew_error *err);

/** < 0, 0, > 0: by (workload, job, node). */
int ew_span_compare(const struct ew_span *a, const struct ew_span *b);

void ew_spans_fini(struct ew_spans *spans);

#endif
