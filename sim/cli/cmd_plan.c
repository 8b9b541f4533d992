#include <string.h>

#include "cli/plan_out.h"
#include "cli/session.h"
#include "io/plan_json.h"

/* What --print may ask for. */
enum print_what { PRINT_SUMMARY, PRINT_PLAN, PRINT_TASK_GRAPH, PRINT_DOT, PRINT_COUNT };

static const char *const PRINT_NAMES[PRINT_COUNT] = {"summary", "plan", "task-graph", "dot"};

static const char *print_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return PRINT_NAMES[i];
}

static enum ew_status find_print(enum print_what *out, struct ew_cli *cli, struct ew_error *err)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, EW_OPTION_PRINT);
    *out = cli->wants_json ? PRINT_PLAN : PRINT_SUMMARY;
    if (!arg) {
        return EW_OK;
    }
    for (int i = 0; i < PRINT_COUNT; i++) {
        if (strcmp(PRINT_NAMES[i], arg->value) == 0) {
            *out = (enum print_what)i;
            return EW_OK;
        }
    }
    cli->blame = arg->at;
    const char *near = ew_nearest_name(arg->value, PRINT_COUNT, print_name_at, NULL);
    return ew_fail(err, EW_EUSAGE,
                   "option '--print': expected summary, plan, task-graph or dot, found '%s'%s%s%s",
                   arg->value, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum ew_status print_workload(struct ew_str *out, const struct ew_point *point,
                                     uint32_t workload, enum print_what what, struct ew_error *err)
{
    switch (what) {
    case PRINT_PLAN:
        ew_book_print_json(out, &point->config->setup->workloads[workload].problem.context,
                           point->books[workload]);
        return EW_OK;
    case PRINT_TASK_GRAPH:
        return ew_plan_out_graphs(out, point, workload, false, err);
    case PRINT_DOT:
        return ew_plan_out_graphs(out, point, workload, true, err);
    default:
        return ew_plan_out_summary(out, point, workload, err);
    }
}

static enum ew_status show(const struct ew_point *point, enum print_what what, struct ew_error *err)
{
    struct ew_str text = {0};
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < point->config->setup->n_workloads; i++) {
        status = print_workload(&text, point, i, what, err);
    }
    if (status == EW_OK) {
        status = ew_cli_put(&text, err);
    }
    ew_str_fini(&text);
    return status;
}

enum ew_status ew_cmd_plan(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_session session = {0};
    struct ew_point point = {0};
    enum print_what what;
    enum ew_status status = find_print(&what, cli, err);
    if (status == EW_OK) {
        status = ew_session_open(&session, cli, true, err);
    }
    if (status == EW_OK) {
        status = ew_point_plan(&point, &session.config, ew_session_makers(&session, 0), err);
    }
    if (status == EW_ENOTSUP) { /* an answer, not a mistake of the user's */
        (void)ew_prefix(err, "strategy '%s' cannot serve: ", point.strategy);
        status = EW_EUNMET;
        err->status = status;
    }
    if (status == EW_OK) {
        status = ew_plan_out_save(cli, &point, err);
    }
    if (status == EW_OK) {
        status = show(&point, what, err);
    }
    ew_point_fini(&point);
    ew_session_fini(&session);
    return status;
}
