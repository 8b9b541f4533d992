/*
 * CSV set: the directory that --out fills. runs, devices, layers and energy are written from
 * results; requests and tasks are streamed while the engine runs. manifest.json comes last.
 *
 * Nothing half-written carries a final name: every file grows under a temporary name in the
 * directory and is renamed by ew_csv_finish, the manifest after all others. Without
 * ew_csv_finish, ew_csv_free removes the temporaries and the directory keeps its old content.
 *
 * Order of use: ew_csv_open; for every run either ew_csv_run_begin, the engine with the observer,
 * ew_csv_run_end, or only ew_csv_run_end with an error result; ew_csv_finish; ew_csv_free.
 */
#ifndef EW_RESULTS_CSV_H
#define EW_RESULTS_CSV_H

#include "results/metrics.h"
#include "results/report.h"

struct ew_csv_options {
    uint64_t max_task_jobs; /**< tasks.csv keeps jobs with a smaller number; UINT64_MAX: all */
};

struct ew_csv;

/** Make the directory (and missing parents) if need be and open the temporary files. EW_EIO,
 *  EW_ENOMEM. */
enum ew_status ew_csv_open(struct ew_csv **out, const char *dir,
                           const struct ew_csv_options *options, struct ew_error *err);

/** Begin streaming a run (config borrowed until ew_csv_run_end). `out` goes into
 *  ew_metrics_config.observer. */
enum ew_status ew_csv_run_begin(struct ew_event_observer *out, struct ew_csv *csv,
                                const struct ew_metrics_config *config, const char *strategy,
                                struct ew_error *err);

/** Finish the current run, or book one that never began (an error row). EW_EIO when writing has
 *  failed since the beginning. */
enum ew_status ew_csv_run_end(struct ew_csv *csv, const struct ew_result *result,
                              struct ew_error *err);

/** Put another file into the directory, e.g. "report.json" or "plan_coedge.json". With wall-clock
 *  fields inside, the manifest leaves out its size and hash, so that equal runs have equal
 *  manifests. */
enum ew_status ew_csv_add_file(struct ew_csv *csv, const char *name, const struct ew_str *text,
                               bool has_wall_clock, struct ew_error *err);

/** Flush, rename, and write manifest.json last. `report` gives inputs, arguments and versions. */
enum ew_status ew_csv_finish(struct ew_csv *csv, const struct ew_report *report,
                             struct ew_error *err);

/** Free; removes what was not finished. Accepts NULL. */
void ew_csv_free(struct ew_csv *csv);

#endif
