/*
 * Outcome: the results of run and compare on their way out, as a table, as JSON, and as the files
 * of --out.
 */
#ifndef EW_CLI_OUTCOME_H
#define EW_CLI_OUTCOME_H

#include "cli/exec_answers.h"
#include "cli/session.h"
#include "engine/exec/exec.h"
#include "results/breakdown.h"
#include "results/report.h"
#include "results/request_parts.h"
#include "sweep/draws.h"
#include "sweep/limit.h"

/** Results so far. Zero-initialise; free with ew_outcome_fini in any case. */
struct ew_outcome {
    struct ew_session *session;
    const struct ew_engine *engine;
    struct ew_csv *csv;
    struct ew_result **results; /**< owned */
    size_t count;
    struct ew_report_workload *workloads;
    struct ew_report_input *inputs;
    uint32_t n_inputs;
    struct ew_limit limit; /**< what the plans so far have in common */
    struct ew_report_bound bound;
    bool has_bound;
    uint32_t n_draws;            /**< for error bars; 0: none */
    struct ew_exec_options exec; /**< engine exec: how, from the options */
    struct ew_exec_facts exec_facts;
    struct ew_exec_answers *answers; /**< NULL: nobody asked for files */
    bool has_breakdown;              /**< instead of the table */
    enum ew_breakdown breakdown;
    struct ew_request_parts *parts; /**< of the run at hand; NULL: nobody asked */
};

/** Find the engine, and open the directory of --out if there is one. */
enum ew_status ew_outcome_begin(struct ew_outcome *outcome, struct ew_session *session,
                                struct ew_error *err);

/** How to run a point: engine, files, progress, what engine exec needs, and what the result gets
 *  beside figures: error bars for --draws, requests for --breakdown. */
struct ew_point_run ew_outcome_how(struct ew_outcome *outcome, struct ew_event_observer progress);

/** Give the files of --save-outputs their names, after a run that went well. */
enum ew_status ew_outcome_publish_answers(struct ew_outcome *outcome, struct ew_error *err);

/** Take a result over. */
void ew_outcome_add_take(struct ew_outcome *outcome, struct ew_result *result);

/** Put a plan of the point into the directory of --out, if there is one. */
enum ew_status ew_outcome_add_plans(struct ew_outcome *outcome, const struct ew_point *point,
                                    struct ew_error *err);

/** Print table or JSON to standard output and finish the directory. */
enum ew_status ew_outcome_end(struct ew_outcome *outcome, struct ew_error *err);

void ew_outcome_fini(struct ew_outcome *outcome);

#endif
