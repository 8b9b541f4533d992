#include "cli/outcome.h"
#include "cli/progress.h"

static enum ew_status run_point(struct ew_outcome *outcome, struct ew_progress *progress,
                                size_t index, struct ew_error *err)
{
    struct ew_session *s = outcome->session;
    const struct ew_point_run how = {outcome->engine, outcome->csv, ew_progress_observer(progress)};
    struct ew_point point = {0};
    struct ew_result *result = NULL;
    ew_progress_point(progress, index, ew_session_point_name(s, index), ew_session_requests(s));
    enum ew_status status = ew_point_plan(&point, &s->config, ew_session_makers(s, index), err);
    if (status != EW_OK) {
        status = ew_point_fail(&result, &point, &how, status, err);
    } else {
        status = ew_outcome_add_plans(outcome, &point, err);
        if (status == EW_OK) {
            status = ew_point_run(&result, &point, &how, err);
        }
    }
    if (status == EW_OK) {
        ew_outcome_add_take(outcome, result);
    }
    ew_point_fini(&point);
    return status;
}

/* The answer is yes when somebody serves and meets every requirement, and nobody broke. */
static void judge(struct ew_cli *cli, const struct ew_outcome *outcome)
{
    bool is_met = false, is_broken = false;
    for (size_t i = 0; i < outcome->count; i++) {
        const struct ew_result *result = outcome->results[i];
        if (result->error && result->error_status != EW_ENOTSUP) {
            is_broken = true;
        } else if (!result->error) {
            is_met = is_met || result->service.is_met;
        }
    }
    cli->is_unmet = !is_met || is_broken;
}

enum ew_status ew_cmd_compare(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_session session = {0};
    struct ew_outcome outcome = {0};
    struct ew_progress progress = {0};
    enum ew_status status = ew_session_open(&session, cli, false, err);
    if (status == EW_OK) {
        status = ew_outcome_begin(&outcome, &session, err);
    }
    if (status == EW_OK) {
        progress = ew_progress_begin(cli, session.n_points);
        session.config.tick = ew_progress_tick;
        session.config.tick_ctx = &progress;
    }
    for (size_t i = 0; status == EW_OK && i < session.n_points; i++) {
        status = run_point(&outcome, &progress, i, err);
    }
    ew_progress_end(&progress);
    if (status == EW_OK) {
        status = ew_outcome_end(&outcome, err);
    }
    if (status == EW_OK) {
        judge(cli, &outcome);
    }
    ew_outcome_fini(&outcome);
    ew_session_fini(&session);
    return status;
}
