/*
 * Metrics: the fold that turns the events of one run into a result.
 *
 * Order of use: ew_metrics_new, put ew_metrics_sink into the run, run the engine,
 * ew_metrics_finish. Memory: 8 bytes per completed request, for exact percentiles, and constants
 * per device, layer and plan.
 */
#ifndef EW_RESULTS_METRICS_H
#define EW_RESULTS_METRICS_H

#include "engine/engine.h"
#include "results/result.h"

/** Somebody else who wants to see every event, after it has been booked, with the energy it
 *  settled (csv.h streams requests and tasks this way). */
struct ew_event_observer {
    void *ctx;
    void (*observe)(void *ctx, const struct ew_event *event, const struct ew_joules *joules);
};

/** What the fold needs to know of one workload beyond struct ew_run_workload; borrowed. */
struct ew_metrics_workload {
    const struct ew_plan_context *context; /**< graph, for names of layers and exits */
    double min_accuracy;                   /**< 0: none */
    double min_throughput_per_s;           /**< 0: none */
};

/** Borrowed until ew_metrics_free. `run` must be complete except for its sink. */
struct ew_metrics_config {
    const struct ew_run *run;
    const struct ew_metrics_workload *workloads; /**< per workload of the run */
    enum ew_energy_rule energy_rule;
    struct ew_event_observer observer; /**< observe NULL: nobody */
};

struct ew_metrics;

/** EW_ENOMEM. */
enum ew_status ew_metrics_new(struct ew_metrics **out, const struct ew_metrics_config *config,
                              struct ew_error *err);
void ew_metrics_free(struct ew_metrics *metrics);

/** Where the engine sends its events. Valid until ew_metrics_free. */
struct ew_event_sink ew_metrics_sink(struct ew_metrics *metrics);

/** The result of all events so far; also after an interrupted run. Call once. EW_ENOMEM, also when
 *  memory ran out earlier, inside the sink. Free with ew_result_free. */
enum ew_status ew_metrics_finish(struct ew_result **out, struct ew_metrics *metrics,
                                 const struct ew_run_labels *labels, struct ew_error *err);

#endif
