/*
 * The two CSV files that are written while a run goes: requests.csv, one line per request in order
 * of number, and tasks.csv, one line per interval (computation, load, send overhead, transfer) in
 * order of its end. Keeps only what is open: requests and jobs in flight. Private to csv.c.
 */
#ifndef EW_RESULTS_CSV_STREAM_H
#define EW_RESULTS_CSV_STREAM_H

#include "results/csv_file.h"
#include "results/metrics.h"

/** Header lines. */
extern const char ew_csv_requests_header[];
extern const char ew_csv_tasks_header[];

struct ew_csv_stream;

/** Everything borrowed until ew_csv_stream_free. Rows begin with `run` and `strategy`. Jobs from
 *  max_task_jobs on leave nothing in `tasks`. NULL when memory runs out. */
struct ew_csv_stream *ew_csv_stream_new(struct ew_csv_file *requests, struct ew_csv_file *tasks,
                                        const struct ew_metrics_config *config, uint64_t run,
                                        const char *strategy, uint64_t max_task_jobs);

/** To be called for every event. */
struct ew_event_observer ew_csv_stream_observer(struct ew_csv_stream *stream);

/** Write the requests that have not ended. EW_ENOMEM when memory ran out on the way. */
enum ew_status ew_csv_stream_finish(struct ew_csv_stream *stream, struct ew_error *err);

void ew_csv_stream_free(struct ew_csv_stream *stream);

#endif
