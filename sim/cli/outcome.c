#include "cli/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "cli/exec_options.h"
#include "cli/options.h"
#include "io/plan_json.h"
#include "results/bars.h"
#include "results/breakdown.h"
#include "results/gap.h"
#include "results/regret.h"
#include "results/table.h"

enum { MAX_TASK_JOBS = 100 };

/* --- begin and add --------------------------------------------------------------------------- */

static enum ew_status complete(void *ctx, struct ew_result *result, const struct ew_point *point,
                               struct ew_error *err)
{
    struct ew_outcome *outcome = ctx;
    const enum ew_status status =
        outcome->parts ? ew_request_parts_keep(result, outcome->parts, err) : EW_OK;
    return status == EW_OK ? ew_draws_run(result, point, outcome->n_draws, err) : status;
}

struct ew_point_run ew_outcome_how(struct ew_outcome *outcome, struct ew_event_observer progress)
{
    return (struct ew_point_run){
        .engine = outcome->engine,
        .csv = outcome->csv,
        .progress = outcome->parts ? ew_request_parts_begin(outcome->parts, progress) : progress,
        .exec = &outcome->exec,
        .exec_facts = &outcome->exec_facts,
        .complete = complete,
        .complete_ctx = outcome};
}

/* What a real execution tells beyond its result. */
static void note_execution(const struct ew_outcome *outcome, const struct ew_result *result)
{
    const struct ew_exec_facts *facts = &outcome->exec_facts;
    if (outcome->engine != &ew_engine_exec || result->error) {
        return;
    }
    const struct ew_cli *cli = outcome->session->cli;
    ew_cli_detail(cli, "%s: %.3g s of real time, %.3g s of arithmetic, dilation %.3g",
                  result->strategy, facts->wall_s, facts->compute_s, facts->dilation);
    if (facts->n_lost) {
        ew_cli_warn(cli, "%s: planned anew after losing %u of the workers: %s", result->strategy,
                    facts->n_lost, facts->losses);
    }
    if (facts->n_processors) {
        ew_cli_detail(cli, "%s: computing threads of %u workers bound to %u processors",
                      result->strategy, facts->n_pinned, facts->n_processors);
    } else if (facts->n_pinned) {
        ew_cli_detail(cli, "%s: computing threads of %u workers bound to a processor each",
                      result->strategy, facts->n_pinned);
    }
    if (ew_exec_is_late(facts)) {
        ew_cli_warn(cli,
                    "%s: this machine did not keep up: %llu events came late, by %.3g s of %.3g s; "
                    "try --dilation %.2g",
                    result->strategy, (unsigned long long)facts->n_overruns, facts->slipped_s,
                    facts->wall_s, 2 * facts->dilation);
    }
}

static enum ew_status begin_answers(struct ew_outcome *outcome, struct ew_error *err)
{
    struct ew_session *session = outcome->session;
    const struct ew_arg *dir = ew_args_last(&session->cli->args, EW_OPTION_SAVE_OUTPUTS);
    if (!dir) {
        return EW_OK;
    }
    session->cli->blame = dir->at;
    outcome->exec.answer = ew_exec_answers_take;
    const enum ew_status status =
        ew_exec_answers_new(&outcome->answers, dir->value, &session->setup, err);
    outcome->exec.answer_ctx = outcome->answers;
    return status;
}

enum ew_status ew_outcome_publish_answers(struct ew_outcome *outcome, struct ew_error *err)
{
    return outcome->answers ? ew_exec_answers_publish(outcome->answers, outcome->session->cli, err)
                            : EW_OK;
}

enum ew_status ew_outcome_begin(struct ew_outcome *outcome, struct ew_session *session,
                                struct ew_error *err)
{
    const struct ew_arg *out = ew_args_last(&session->cli->args, EW_OPTION_OUT);
    outcome->session = session;
    outcome->limit = ew_limit_begin(&session->setup);
    outcome->results = calloc(session->n_points, sizeof(struct ew_result *));
    if (!outcome->results) {
        return ew_fail_memory(err);
    }
    const struct ew_arg *breakdown = ew_args_last(&session->cli->args, EW_OPTION_BREAKDOWN);
    double n_draws = 0;
    enum ew_status status =
        ew_options_number(&n_draws, session->cli, EW_OPTION_DRAWS, 0, EW_DRAWS_MAX, 0, err);
    outcome->n_draws = (uint32_t)n_draws;
    if (status == EW_OK && breakdown) {
        session->cli->blame = breakdown->at;
        status = ew_breakdown_parse(&outcome->breakdown, breakdown->value, err);
        outcome->has_breakdown = status == EW_OK;
        if (status == EW_OK && outcome->breakdown == EW_BREAKDOWN_REQUEST) {
            status = ew_request_parts_new(&outcome->parts, err);
        }
    }
    if (status == EW_OK) {
        status = ew_session_engine(&outcome->engine, session, err);
    }
    if (status == EW_OK) {
        status = outcome->engine == &ew_engine_exec
                     ? ew_exec_options_read(&outcome->exec, session, err)
                     : EW_OK;
        outcome->exec.is_survivor = true;
    }
    if (status == EW_OK) {
        status = begin_answers(outcome, err);
    }
    if (status == EW_OK && out) {
        const struct ew_csv_options options = {.max_task_jobs = MAX_TASK_JOBS};
        session->cli->blame = out->at;
        status = ew_csv_open(&outcome->csv, out->value, &options, err);
    }
    if (status == EW_OK) {
        session->cli->blame = -1;
    }
    return status;
}

void ew_outcome_add_take(struct ew_outcome *outcome, struct ew_result *result)
{
    note_execution(outcome, result);
    outcome->results[outcome->count++] = result;
}

/* plan_STRATEGY.json, plan_STRATEGY_WORKLOAD.json when there are several. Ids are plain; anything
 * else in a workload's name becomes '_'. */
static void print_plan_name(struct ew_str *out, const struct ew_point *point, uint32_t workload)
{
    const struct ew_setup *setup = point->config->setup;
    ew_str_printf(out, "plan_%s%s%s", point->strategy, setup->n_workloads > 1 ? "_" : "",
                  setup->n_workloads > 1 ? setup->workloads[workload].name : "");
    for (size_t i = 0; !out->failed && i < out->length; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+",
                    out->text[i])) {
            out->text[i] = '_';
        }
    }
    ew_str_append(out, ".json");
}

enum ew_status ew_outcome_add_plans(struct ew_outcome *outcome, const struct ew_point *point,
                                    struct ew_error *err)
{
    const struct ew_setup *setup = point->config->setup;
    enum ew_status status = EW_OK;
    ew_limit_add_book(&outcome->limit, setup, point->books[0]);
    for (uint32_t i = 0; outcome->csv && status == EW_OK && i < setup->n_workloads; i++) {
        struct ew_str name = {0}, text = {0};
        print_plan_name(&name, point, i);
        ew_book_print_json(&text, &setup->workloads[i].problem.context, point->books[i]);
        status = name.failed || text.failed
                     ? ew_fail_memory(err)
                     : ew_csv_add_file(outcome->csv, ew_str_text(&name), &text, false, err);
        ew_str_fini(&name);
        ew_str_fini(&text);
    }
    return status;
}

/* --- report ---------------------------------------------------------------------------------- */

static enum ew_status add_input(struct ew_outcome *o, const char *role, const char *path,
                                struct ew_error *err)
{
    if (!path || !*path) {
        return EW_OK;
    }
    for (uint32_t i = 0; i < o->n_inputs; i++) {
        if (strcmp(o->inputs[i].path, path) == 0) {
            return EW_OK;
        }
    }
    const enum ew_status status = ew_report_input_read(&o->inputs[o->n_inputs], role, path, err);
    o->n_inputs += status == EW_OK;
    return status;
}

static enum ew_status add_inputs(struct ew_outcome *o, struct ew_error *err)
{
    const struct ew_session *s = o->session;
    const struct ew_platform *platform = s->setup.platform;
    o->inputs =
        calloc(2 + 3 * (size_t)s->scenario.n_workloads + platform->n_profiles + s->contenders.count,
               sizeof *o->inputs);
    if (!o->inputs) {
        return ew_fail_memory(err);
    }
    enum ew_status status = add_input(o, "scenario", s->scenario.path, err);
    if (status == EW_OK) {
        status = add_input(o, "platform", platform->path, err);
    }
    for (uint32_t i = 0; status == EW_OK && i < platform->n_profiles; i++) {
        status = add_input(o, "profile", platform->profiles[i]->path, err);
    }
    for (uint32_t i = 0; status == EW_OK && i < s->scenario.n_workloads; i++) {
        const struct ew_workload_spec *w = &s->scenario.workloads[i];
        status = add_input(o, "graph", w->graph, err);
        if (status == EW_OK) {
            status = add_input(o, "plan", w->plan, err);
        }
        if (status == EW_OK) {
            status = add_input(o, "trace", w->arrival.trace_path, err);
        }
    }
    for (size_t i = 0; status == EW_OK && i < s->contenders.count; i++) {
        status = add_input(o, "plugin", s->contenders.items[i].ref.plugin->path, err);
    }
    return status;
}

static enum ew_status add_workloads(struct ew_outcome *o, struct ew_error *err)
{
    const struct ew_setup *setup = &o->session->setup;
    const struct ew_device *devices = setup->platform->devices;
    o->workloads = calloc(setup->n_workloads, sizeof *o->workloads);
    if (!o->workloads) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < setup->n_workloads; i++) {
        const struct ew_setup_workload *w = &setup->workloads[i];
        o->workloads[i] = (struct ew_report_workload){
            .name = w->name,
            .context = &w->problem.context,
            .graph_hash = w->graph_hash,
            .source_device = devices[w->problem.source_device].name,
            .sink_device = devices[w->problem.sink_device].name,
            .arrival = w->problem.arrival,
            .n_requests = w->n_requests,
            .requests_per_job = w->spec->requests_per_job,
            .batch = w->problem.batch,
            .deadline_s = w->problem.deadline_s,
            .min_accuracy = w->problem.min_accuracy,
            .min_throughput_per_s = w->problem.min_throughput_per_s,
        };
    }
    return EW_OK;
}

/* The bound holds for the platform as it is described, not for one that changes. */
static bool has_signals(const struct ew_outcome *o)
{
    const struct ew_dynamics *dynamics = o->session->setup.dynamics;
    return dynamics && dynamics->n_signals > 0;
}

static struct ew_report make_report(const struct ew_outcome *o)
{
    const struct ew_session *s = o->session;
    const struct ew_cli *cli = s->cli;
    return (struct ew_report){
        .command = cli->command->name,
        .n_args = (uint32_t)(cli->argc - 1),
        .args = (const char *const *)cli->argv + 1,
        .version = ew_version,
        .simgrid_version = strcmp(o->engine->id, "simgrid") == 0 && *s->simgrid.version
                               ? s->simgrid.version
                               : NULL,
        .engine = o->engine->id,
        .seed = s->scenario.seed,
        .net = s->setup.net,
        .energy_rule = s->setup.energy_rule,
        .platform = s->setup.platform,
        .n_workloads = s->setup.n_workloads,
        .workloads = o->workloads,
        .n_inputs = o->n_inputs,
        .inputs = o->inputs,
        .bound = o->has_bound && !has_signals(o) ? &o->bound : NULL,
        .n_runs = (uint32_t)o->count,
        .runs = (const struct ew_result *const *)o->results,
    };
}

/* --- out ------------------------------------------------------------------------------------- */

static void print_table(struct ew_str *out, const struct ew_outcome *o,
                        const struct ew_report *report)
{
    /* planning time only when asked for, so that equal runs print alike */
    const struct ew_table_options options = {.without_wall_clock =
                                                 o->session->cli->verbosity != EW_VERBOSE};
    ew_table_print_runs(out, (uint32_t)o->count, (const struct ew_result *const *)o->results,
                        &options);
    if (o->count > 1) {
        ew_gap_print_line(out, report);
    }
    ew_bars_print(out, (const struct ew_result *const *)o->results, (uint32_t)o->count);
    ew_regret_print_table(out, report);
    if (o->count == 1 && !o->results[0]->error) {
        if (o->results[0]->n_workloads > 1) {
            ew_str_append(out, "\n");
            ew_table_print_workloads(out, o->results[0]);
        }
        ew_str_append(out, "\n");
        ew_table_print_devices(out, o->results[0]);
    }
}

static enum ew_status add_gaps(struct ew_outcome *o, const struct ew_report *report,
                               struct ew_error *err)
{
    struct ew_str csv = {0};
    ew_gap_print_csv(&csv, report);
    const enum ew_status status =
        csv.failed ? ew_fail_memory(err) : ew_csv_add_file(o->csv, "gaps.csv", &csv, false, err);
    ew_str_fini(&csv);
    return status;
}

static enum ew_status add_regrets(struct ew_outcome *o, const struct ew_report *report,
                                  struct ew_error *err)
{
    struct ew_str csv = {0};
    ew_regret_print_csv(&csv, report);
    const enum ew_status status =
        csv.failed ? ew_fail_memory(err) : ew_csv_add_file(o->csv, "regret.csv", &csv, false, err);
    ew_str_fini(&csv);
    return status;
}

/* report.json, which everything else in the directory is explained by. */
static enum ew_status finish_directory(struct ew_outcome *o, const struct ew_report *report,
                                       struct ew_error *err)
{
    struct ew_str json = {0};
    ew_report_print_json(&json, report);
    enum ew_status status = json.failed ? ew_fail_memory(err)
                                        : ew_csv_add_file(o->csv, "report.json", &json, true, err);
    ew_str_fini(&json);
    if (status == EW_OK) {
        status = add_gaps(o, report, err);
    }
    if (status == EW_OK && o->session->setup.dynamics) {
        status = add_regrets(o, report, err);
    }
    return status == EW_OK ? ew_csv_finish(o->csv, report, err) : status;
}

enum ew_status ew_outcome_end(struct ew_outcome *outcome, struct ew_error *err)
{
    struct ew_str text = {0};
    const bool wants_json = outcome->session->cli->wants_json;
    enum ew_status status = EW_OK;
    if (wants_json || outcome->csv) {
        status = add_workloads(outcome, err);
        if (status == EW_OK) {
            status = add_inputs(outcome, err);
        }
    }
    if (status == EW_OK) {
        status = ew_limit_compute(&outcome->bound, &outcome->has_bound, &outcome->limit,
                                  &outcome->session->setup, err);
    }
    const struct ew_report report = make_report(outcome);
    if (status == EW_OK && outcome->csv) {
        status = finish_directory(outcome, &report, err);
    }
    if (status == EW_OK) {
        if (outcome->has_breakdown) {
            ew_breakdown_print(&text, outcome->breakdown,
                               (const struct ew_result *const *)outcome->results,
                               (uint32_t)outcome->count);
        } else if (wants_json) {
            ew_report_print_json(&text, &report);
        } else {
            print_table(&text, outcome, &report);
        }
        status = ew_cli_put(&text, err);
    }
    ew_str_fini(&text);
    return status;
}

void ew_outcome_fini(struct ew_outcome *outcome)
{
    for (size_t i = 0; i < outcome->count; i++) {
        ew_result_free(outcome->results[i]);
    }
    free(outcome->results);
    free(outcome->workloads);
    free(outcome->inputs);
    ew_csv_free(outcome->csv);
    ew_request_parts_free(outcome->parts);
    ew_exec_answers_free(outcome->answers);
    *outcome = (struct ew_outcome){0};
}
