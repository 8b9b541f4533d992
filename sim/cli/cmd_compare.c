#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "cli/progress.h"
#include "results/regret.h"
#include "sweep/clairvoyant.h"

/* One strategy's plans, or why there are none. */
struct entry {
    struct ew_point point;
    enum ew_status status;
    struct ew_error err;
};

/* Everything planned before anything runs, since some plan with the plans of the others in hand. */
struct field {
    struct ew_outcome *outcome;
    struct ew_progress *progress;
    struct entry *entries; /* per point of the session */
    struct ew_candidate_list candidates;
};

/* Strategies with a parameter `candidates` look at what the others have found. */
static bool looks_at_others(const struct ew_contender *maker)
{
    for (uint32_t i = 0; maker && i < maker->ref.info->param_count; i++) {
        if (strcmp(maker->ref.info->params[i]->name, "candidates") == 0) {
            return true;
        }
    }
    return false;
}

static enum ew_status plan_entry(struct field *field, size_t index, struct ew_error *err)
{
    struct ew_session *s = field->outcome->session;
    struct entry *entry = &field->entries[index];
    ew_progress_point(field->progress, index, ew_session_point_name(s, index),
                      ew_session_requests(s));
    entry->status =
        ew_point_plan(&entry->point, &s->config, ew_session_makers(s, index), &entry->err);
    return entry->status == EW_OK
               ? ew_candidates_add(&field->candidates, entry->point.books[0], err)
               : EW_OK;
}

static enum ew_status plan_entries(struct field *field, bool last, struct ew_error *err)
{
    struct ew_session *s = field->outcome->session;
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < s->n_points; i++) {
        if (looks_at_others(ew_session_makers(s, i)[0]) == last) {
            status = plan_entry(field, i, err);
        }
    }
    return status;
}

/* The same strategy with foresight. That it cannot have any is no failure of the comparison. */
static enum ew_status find_regret(struct field *field, size_t index, struct ew_result *result,
                                  struct ew_error *err)
{
    struct ew_session *s = field->outcome->session;
    const struct ew_setup *setup = &s->setup;
    const struct ew_contender *const *makers = ew_session_makers(s, index);
    bool can_plan = setup->scenario->regimes && setup->dynamics && setup->dynamics->n_signals;
    for (uint32_t w = 0; w < setup->n_workloads; w++) {
        can_plan = can_plan && makers[w];
    }
    if (!can_plan) {
        return EW_OK;
    }
    const struct ew_point_run how = {.engine = field->outcome->engine};
    struct ew_clairvoyant_facts facts;
    struct ew_result *clairvoyant = NULL;
    struct ew_error why = {0};
    const enum ew_status status =
        ew_clairvoyant_run(&clairvoyant, &facts, &s->config, makers, &how, result->horizon_end_s,
                           setup->scenario->regimes, &why);
    if (status == EW_EINTR || status == EW_ENOMEM || status == EW_EIO) {
        *err = why;
        return status;
    }
    if (status != EW_OK || clairvoyant->error) {
        ew_cli_detail(s->cli, "strategy '%s': no regret: %s", result->strategy,
                      status != EW_OK ? why.message : clairvoyant->error);
    } else {
        ew_regret_note(result, clairvoyant, facts.n_changes, facts.n_regimes, facts.n_failed);
    }
    if (status == EW_OK) {
        ew_result_free(clairvoyant);
    }
    return EW_OK;
}

static enum ew_status run_entry(struct field *field, size_t index, struct ew_error *err)
{
    struct ew_outcome *outcome = field->outcome;
    struct ew_session *s = outcome->session;
    struct entry *entry = &field->entries[index];
    const struct ew_point_run how = ew_outcome_how(outcome, ew_progress_observer(field->progress));
    struct ew_result *result = NULL;
    enum ew_status status = entry->status;
    ew_progress_point(field->progress, index, ew_session_point_name(s, index),
                      ew_session_requests(s));
    if (status != EW_OK) {
        *err = entry->err;
        status = ew_point_fail(&result, &entry->point, &how, status, err);
    } else {
        status = ew_outcome_add_plans(outcome, &entry->point, err);
        if (status == EW_OK) {
            status = ew_point_run(&result, &entry->point, &how, err);
        }
        if (status == EW_OK && !result->error) {
            status = find_regret(field, index, result, err);
        }
    }
    if (status == EW_OK) {
        ew_outcome_add_take(outcome, result);
    } else {
        ew_result_free(result);
    }
    return status;
}

static enum ew_status plan_and_run(struct ew_outcome *outcome, struct ew_progress *progress,
                                   struct ew_error *err)
{
    struct ew_session *s = outcome->session;
    struct field field = {.outcome = outcome, .progress = progress};
    field.entries = calloc(s->n_points ? s->n_points : 1, sizeof *field.entries);
    enum ew_status status = field.entries ? EW_OK : ew_fail_memory(err);
    ew_candidates_bind(&field.candidates, s->setup.workloads[0].graph->n_layers);
    s->config.candidates = &field.candidates.abi;
    if (status == EW_OK) {
        status = plan_entries(&field, false, err);
    }
    if (status == EW_OK) {
        status = plan_entries(&field, true, err);
    }
    for (size_t i = 0; status == EW_OK && i < s->n_points; i++) {
        status = run_entry(&field, i, err);
    }
    for (size_t i = 0; field.entries && i < s->n_points; i++) {
        if (field.entries[i].point.config) {
            ew_point_fini(&field.entries[i].point);
        }
    }
    s->config.candidates = NULL;
    ew_candidates_fini(&field.candidates);
    free(field.entries);
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
        ew_progress_watch(&progress, &session.config);
    }
    if (status == EW_OK) {
        status = plan_and_run(&outcome, &progress, err);
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
