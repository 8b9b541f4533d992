/*
 * Trace: one run in the Chrome trace event format, for Perfetto and chrome://tracing. Devices and
 * connections are tracks of complete events, links and requests are processes of asynchronous ones,
 * since several messages share a link and several requests are under way at once.
 */
#ifndef EW_RESULTS_TRACE_H
#define EW_RESULTS_TRACE_H

#include "results/metrics.h"

struct ew_str;
struct ew_trace;

/** Jobs from `max_jobs` on, and requests with their numbers, are left out. */
enum ew_status ew_trace_new(struct ew_trace **out, uint64_t max_jobs, struct ew_error *err);
void ew_trace_free(struct ew_trace *trace);

/** Begin the run (config borrowed until ew_trace_end). EW_ENOMEM. */
enum ew_status ew_trace_begin(struct ew_event_observer *out, struct ew_trace *trace,
                              const struct ew_metrics_config *config, struct ew_error *err);
/** The run is over. EW_ENOMEM, also when memory ran out while it went. */
enum ew_status ew_trace_end(struct ew_trace *trace, struct ew_error *err);

/** Append the JSON object. `strategy` and `engine` go into its metadata. */
void ew_trace_print(struct ew_str *out, const struct ew_trace *trace, const char *strategy,
                    const char *engine);

#endif
