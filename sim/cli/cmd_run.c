#include "base/file.h"
#include "cli/options.h"
#include "cli/outcome.h"
#include "cli/plan_out.h"
#include "cli/progress.h"

enum { MAX_TRACE_JOBS = 1000 };

static enum ew_status write_trace(struct ew_cli *cli, const struct ew_trace *trace,
                                  const struct ew_result *result, struct ew_error *err)
{
    struct ew_str text = {0};
    ew_trace_print(&text, trace, result->strategy, result->engine);
    ew_options_blame(cli, EW_OPTION_TRACE_FILE);
    const enum ew_status status =
        text.failed ? ew_fail_memory(err)
                    : ew_file_write(ew_args_last(&cli->args, EW_OPTION_TRACE_FILE)->value,
                                    ew_str_text(&text), text.length, err);
    cli->blame = status == EW_OK ? -1 : cli->blame;
    ew_str_fini(&text);
    return status;
}

static enum ew_status simulate(struct ew_outcome *outcome, const struct ew_point *point,
                               struct ew_progress *progress, struct ew_error *err)
{
    struct ew_cli *cli = outcome->session->cli;
    struct ew_result *result = NULL;
    struct ew_point_run how = ew_outcome_how(outcome, ew_progress_observer(progress));
    enum ew_status status = EW_OK;
    if (ew_args_last(&cli->args, EW_OPTION_TRACE_FILE)) {
        status = ew_trace_new(&how.trace, MAX_TRACE_JOBS, err);
    }
    if (status == EW_OK) {
        status = ew_point_run(&result, point, &how, err);
    }
    if (status == EW_OK && how.trace && !result->error) {
        status = write_trace(cli, how.trace, result, err);
    }
    if (status == EW_OK && !result->error) {
        status = ew_outcome_publish_answers(outcome, err);
    }
    ew_trace_free(how.trace);
    if (status == EW_OK) {
        ew_outcome_add_take(outcome, result);
    } else {
        ew_result_free(result);
    }
    return status;
}

/* A strategy that says it cannot serve has answered; anything else that went wrong is an error. */
static enum ew_status plan_failed(struct ew_outcome *outcome, const struct ew_point *point,
                                  enum ew_status why, struct ew_error *err)
{
    struct ew_result *result = NULL;
    const struct ew_point_run how = {.engine = outcome->engine, .csv = outcome->csv};
    if (why != EW_ENOTSUP) {
        return why;
    }
    const enum ew_status status = ew_point_fail(&result, point, &how, why, err);
    if (status == EW_OK) {
        ew_outcome_add_take(outcome, result);
    }
    return status;
}

/* What to say, beyond the table, of the one result. */
static enum ew_status judge(struct ew_cli *cli, const struct ew_result *result,
                            struct ew_error *err)
{
    if (result->error && result->error_status != EW_ENOTSUP) {
        return ew_fail(err, result->error_status, "%s", result->error);
    }
    cli->is_unmet = result->error || !result->service.is_met;
    return EW_OK;
}

/* Plan, save, simulate. */
static enum ew_status run_point(struct ew_outcome *outcome, struct ew_point *point,
                                struct ew_error *err)
{
    struct ew_session *s = outcome->session;
    struct ew_progress progress = ew_progress_begin(s->cli, 1);
    ew_progress_watch(&progress, &s->config);
    ew_progress_point(&progress, 0, ew_session_point_name(s, 0), ew_session_requests(s));
    enum ew_status status = ew_point_plan(point, &s->config, ew_session_makers(s, 0), err);
    if (status != EW_OK) {
        status = plan_failed(outcome, point, status, err);
    } else {
        status = ew_plan_out_save(s->cli, point, err);
        if (status == EW_OK) {
            status = ew_outcome_add_plans(outcome, point, err);
        }
        if (status == EW_OK) {
            status = simulate(outcome, point, &progress, err);
        }
    }
    ew_progress_end(&progress);
    return status;
}

enum ew_status ew_cmd_run(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_session session = {0};
    struct ew_outcome outcome = {0};
    struct ew_point point = {0};
    enum ew_status status = ew_session_open(&session, cli, true, err);
    if (status == EW_OK) {
        status = ew_outcome_begin(&outcome, &session, err);
    }
    if (status == EW_OK) {
        status = run_point(&outcome, &point, err);
    }
    if (status == EW_OK) {
        status = ew_outcome_end(&outcome, err);
    }
    if (status == EW_OK) {
        status = judge(cli, outcome.results[0], err);
    }
    ew_point_fini(&point);
    ew_outcome_fini(&outcome);
    ew_session_fini(&session);
    return status;
}
