#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cli/explain_out.h"
#include "cli/options.h"
#include "cli/session.h"

static const double MORE = 1.1;
static const double DEFAULT_FROM = 1e4, DEFAULT_TO = 1e10; /* bytes per second */

/* Everything alive during one command. */
struct explain {
    struct ew_session session;
    const struct ew_engine *engine;
    struct ew_point point;
    struct ew_result *result;
    struct ew_critical critical;
    struct ew_task_graph **graphs; /* of the workload asked about */
    struct ew_suppose suppose;
    EW_VEC(struct ew_worth) worths;
    struct ew_break_even break_even;
    const char *link; /* of the break-even */
};

/* --- the run -----------------------------------------------------------------------------------
 */

static enum ew_status simulate(struct explain *x, struct ew_error *err)
{
    struct ew_session *s = &x->session;
    double request = 0;
    enum ew_status status =
        ew_options_number(&request, s->cli, EW_OPTION_PLOT_REQUEST, 0, 1e15, 0, err);
    x->critical = ew_critical_begin(0, (uint64_t)request);
    const struct ew_point_run how = {.engine = x->engine,
                                     .progress = ew_critical_observer(&x->critical)};
    if (status == EW_OK) {
        status = ew_point_plan(&x->point, &s->config, ew_session_makers(s, 0), err);
    }
    if (status == EW_OK) {
        status = ew_point_run(&x->result, &x->point, &how, err);
    }
    if (status == EW_OK && x->result->error) {
        status = ew_fail(err, x->result->error_status, "%s", x->result->error);
    }
    if (status == EW_OK) {
        status = ew_point_lower(&x->graphs, &x->point, 0, err);
    }
    if (status == EW_OK && x->critical.plan >= x->point.books[0]->n_plans) {
        ew_options_blame(s->cli, EW_OPTION_PLOT_REQUEST);
        status = ew_fail(err, EW_EINPUT, "request %llu was never started; there are %llu",
                         (unsigned long long)x->critical.request,
                         (unsigned long long)x->result->service.counts.requests);
    }
    return status == EW_OK ? ew_critical_walk(&x->critical, x->graphs[x->critical.plan],
                                              s->setup.platform, s->setup.net, err)
                           : status;
}

/* --- what resources are worth ------------------------------------------------------------------
 */

static bool is_needed(const struct ew_setup *setup, uint32_t device)
{
    for (uint32_t i = 0; i < setup->n_workloads; i++) {
        if (setup->workloads[i].problem.source_device == device ||
            setup->workloads[i].problem.sink_device == device) {
            return true;
        }
    }
    return false;
}

static enum ew_status weigh(struct explain *x, bool is_link, uint32_t id, struct ew_error *err)
{
    const struct ew_contender *const *makers = ew_session_makers(&x->session, 0);
    struct ew_worth worth = {.is_link = is_link, .id = id};
    struct ew_what_if what_if = {EW_NONE, is_link ? EW_NONE : id, is_link ? id : EW_NONE, MORE};
    enum ew_status status =
        ew_suppose_run(&worth.more, &x->suppose, &what_if, &x->point, NULL, err);
    if (status == EW_OK) {
        status = ew_suppose_run(&worth.replan, &x->suppose, &what_if, &x->point, makers, err);
    }
    worth.is_needed = !is_link && is_needed(&x->session.setup, id);
    if (status == EW_OK && !is_link && !worth.is_needed) {
        what_if = (struct ew_what_if){id, EW_NONE, EW_NONE, 1};
        status = ew_suppose_run(&worth.without, &x->suppose, &what_if, &x->point, makers, err);
    }
    if (status == EW_OK && !ew_vec_push(&x->worths, worth)) {
        status = ew_fail_memory(err);
    }
    return status;
}

static enum ew_status weigh_all(struct explain *x, struct ew_error *err)
{
    const struct ew_platform *platform = x->session.setup.platform;
    enum ew_status status = EW_OK;
    if (ew_args_last(&x->session.cli->args, EW_OPTION_PATH_ONLY)) {
        return EW_OK;
    }
    for (uint32_t d = 0; status == EW_OK && d < platform->n_devices; d++) {
        status = weigh(x, false, d, err);
    }
    for (uint32_t l = 0; status == EW_OK && l < platform->n_links; l++) {
        status = weigh(x, true, l, err);
    }
    return status;
}

/* --- break-even --------------------------------------------------------------------------------
 */

/* Mean latency of the first strategy minus that of the second. */
static enum ew_status difference(void *ctx, double bandwidth, double *out, double *tolerance,
                                 struct ew_error *err)
{
    const struct explain *x = ctx;
    struct ew_supposed sides[2];
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < 2; i++) {
        status = ew_suppose_bandwidth(&sides[i], &x->suppose, x->link, bandwidth,
                                      ew_session_makers(&x->session, i), err);
    }
    if (status == EW_OK) {
        *out = sides[0].latency_mean_s - sides[1].latency_mean_s;
        *tolerance = 1e-9 * fmax(sides[0].latency_mean_s, sides[1].latency_mean_s);
    }
    return status;
}

static enum ew_status find_break_even(struct explain *x, struct ew_error *err)
{
    struct ew_cli *cli = x->session.cli;
    const struct ew_arg *range = ew_args_last(&cli->args, EW_OPTION_RANGE);
    const struct ew_arg *link = ew_args_last(&cli->args, EW_OPTION_LINK);
    double from = DEFAULT_FROM, to = DEFAULT_TO;
    x->link = link ? link->value : "*";
    if (x->session.n_points < 2) {
        return EW_OK;
    }
    if (range) {
        struct ew_str begin = {0};
        const char *colon = strchr(range->value, ':');
        ew_str_append_n(&begin, range->value, colon ? (size_t)(colon - range->value) : 0);
        const bool is_range = colon && ew_parse_double(ew_str_text(&begin), &from) &&
                              ew_parse_double(colon + 1, &to) && from > 0 && to > from;
        ew_str_fini(&begin);
        if (!is_range) {
            cli->blame = range->at;
            return ew_fail(err, EW_EUSAGE,
                           "option '--range': expected FROM:TO in bytes/s, 0 < FROM < TO, found "
                           "'%s'",
                           range->value);
        }
    }
    const enum ew_status status = ew_break_even_find(&x->break_even, from, to, difference, x, err);
    if (status == EW_EINPUT) {
        ew_options_blame(cli, EW_OPTION_LINK);
    }
    return status;
}

/* --- the command -------------------------------------------------------------------------------
 */

static enum ew_status open_all(struct explain *x, struct ew_cli *cli, struct ew_error *err)
{
    enum ew_status status = ew_session_open(&x->session, cli, false, err);
    if (status == EW_OK && (x->session.scenario.n_strategies == 0 || x->session.n_points > 2) &&
        x->session.makers[0]) {
        ew_options_blame(cli, EW_OPTION_STRATEGY);
        status = ew_fail(err, EW_EUSAGE,
                         "expected one strategy to explain, or two: the second one to find "
                         "break-even bandwidths with");
    }
    if (status == EW_OK && x->session.setup.n_workloads > 1) {
        status = ew_fail(err, EW_ENOTSUP, "explain: expected one workload, found %u",
                         x->session.setup.n_workloads);
    }
    if (status == EW_OK) {
        status = ew_session_engine(&x->engine, &x->session, err);
    }
    if (status == EW_OK && x->engine == &ew_engine_exec) {
        ew_options_blame(cli, EW_OPTION_ENGINE);
        status = ew_fail(err, EW_EUSAGE, "explain: expected engine simgrid or fast, found exec");
    }
    x->suppose = (struct ew_suppose){.config = &x->session.config,
                                     .scenario = &x->session.scenario,
                                     .source = x->session.source,
                                     .engine = x->engine};
    return status;
}

static enum ew_status print(const struct explain *x, struct ew_error *err)
{
    const struct ew_session *s = &x->session;
    const struct ew_setup_workload *w = &s->setup.workloads[0];
    const struct ew_explanation e = {
        .strategy = x->point.strategy,
        .engine = x->engine->id,
        .workload = w->name,
        .graph = w->graph,
        .plan = x->point.books[0]->plans[x->critical.plan],
        .tasks = x->graphs[x->critical.plan],
        .platform = s->setup.platform,
        .result = x->result,
        .critical = &x->critical,
        .n_worths = x->worths.count,
        .worths = x->worths.items,
        .rival = s->n_points > 1 ? ew_session_point_name(s, 1) : NULL,
        .rival_link = x->link,
        .break_even = &x->break_even,
    };
    struct ew_str text = {0};
    if (s->cli->wants_json) {
        ew_explain_print_json(&text, &e);
    } else {
        ew_explain_print_text(&text, &e);
    }
    const enum ew_status status = ew_cli_put(&text, err);
    ew_str_fini(&text);
    return status;
}

enum ew_status ew_cmd_explain(struct ew_cli *cli, struct ew_error *err)
{
    struct explain x = {0};
    enum ew_status status = open_all(&x, cli, err);
    if (status == EW_OK) {
        status = simulate(&x, err);
    }
    if (status == EW_OK) {
        status = weigh_all(&x, err);
    }
    if (status == EW_OK) {
        status = find_break_even(&x, err);
    }
    if (status == EW_OK) {
        status = print(&x, err);
    }
    for (uint32_t i = 0; x.graphs && i < x.point.books[0]->n_plans; i++) {
        ew_task_graph_free(x.graphs[i]);
    }
    free(x.graphs);
    ew_vec_fini(&x.worths);
    ew_critical_fini(&x.critical);
    ew_result_free(x.result);
    ew_point_fini(&x.point);
    ew_session_fini(&x.session);
    return status;
}
