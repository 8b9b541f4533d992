#include <stdint.h>

#include "base/json_writer.h"
#include "cli/cli.h"
#include "cli/describe.h"
#include "cli/options.h"
#include "model/scenario.h"
#include "plugin/plugin_check.h"
#include "results/grid.h"
#include "sweep/evaluate.h"

static const double DEFAULT_PLAN_LIMIT_S = 60;

/* The check's problems come on platforms of their own: an evaluator for each call. */
static enum ew_status evaluate(void *ctx, const struct ew_problem *problem,
                               const struct ew_plan *plan, struct ew_evaluation *result,
                               struct ew_error *err)
{
    struct ew_evaluator *evaluator = NULL;
    (void)ctx;
    enum ew_status status = ew_evaluator_new(&evaluator, problem->context.platform,
                                             ew_net_model_find("ideal"), EW_ENERGY_BOTH, err);
    if (status == EW_OK) {
        status = ew_evaluate(evaluator, problem, plan, result, err);
    }
    ew_evaluator_free(evaluator);
    return status;
}

static void print_json(struct ew_str *out, const char *path, const struct ew_check_report *report)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "plugin", path);
    ew_json_kv_u64(&j, "passed", report->counts[EW_VERDICT_PASS]);
    ew_json_kv_u64(&j, "failed", report->counts[EW_VERDICT_FAIL]);
    ew_json_kv_u64(&j, "skipped", report->counts[EW_VERDICT_SKIP]);
    ew_json_key(&j, "findings");
    ew_json_array_begin(&j);
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct ew_finding *finding = &report->findings.items[i];
        ew_json_object_begin_inline(&j);
        ew_json_kv_string(&j, "verdict", ew_verdict_names[finding->verdict]);
        ew_json_kv_string(&j, "strategy", finding->strategy);
        ew_json_kv_string(&j, "check", finding->check);
        ew_json_kv_string(&j, "detail", finding->detail);
        ew_json_object_end(&j);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

static void print_table(struct ew_str *out, const char *path, const struct ew_check_report *report)
{
    struct ew_grid grid = {.n_columns = 2};
    ew_str_printf(out, "%s\n", path);
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct ew_finding *finding = &report->findings.items[i];
        struct ew_grid_row *row = ew_grid_add(&grid);
        if (row) {
            row->cells[0] = ew_verdict_names[finding->verdict];
            row->text = ew_grid_format(&grid, "%s%s%s%s%s", finding->strategy,
                                       *finding->strategy ? ": " : "", finding->check,
                                       *finding->detail ? ": " : "", finding->detail);
        }
    }
    ew_describe_grid_end(out, &grid);
    ew_str_printf(out, "%u passed, %u failed, %u skipped\n", report->counts[EW_VERDICT_PASS],
                  report->counts[EW_VERDICT_FAIL], report->counts[EW_VERDICT_SKIP]);
}

/* What the user wants instead of defaults. */
struct settings {
    struct ew_arena arena;
    struct ew_param_setting *items;
    size_t n;
};

static enum ew_status read_settings(struct settings *out, const struct ew_args *args,
                                    struct ew_error *err)
{
    out->items = ew_arena_calloc(&out->arena, args->n_options + 1, sizeof *out->items);
    if (!out->items) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; i < args->n_options; i++) {
        struct ew_scenario_param param;
        if (args->options[i].option != EW_OPTION_PARAM) {
            continue;
        }
        const char *text = args->options[i].value;
        enum ew_status status = ew_scenario_param_parse(&param, &out->arena, text, err);
        if (status == EW_OK && param.strategy) {
            status = ew_fail(err, EW_EINPUT, "expected NAME=VALUE, found '%s'", text);
        }
        if (status != EW_OK) {
            (void)ew_prefix(err, "option '--param': ");
            return err->status = status == EW_EINPUT ? EW_EUSAGE : status;
        }
        out->items[out->n++] = (struct ew_param_setting){param.name, param.value};
    }
    return EW_OK;
}

static enum ew_status check_one(struct ew_cli *cli, const char *path,
                                const struct settings *settings, double plan_limit_s,
                                struct ew_error *err)
{
    const struct ew_host_services services = {.evaluate = evaluate};
    const struct ew_check_options options = {.services = &services,
                                             .settings = settings->items,
                                             .n_settings = settings->n,
                                             .plan_limit_s = plan_limit_s};
    struct ew_check_report report = {0};
    struct ew_str text = {0};
    enum ew_status status = ew_plugin_check(&report, path, &options, err);
    if (status == EW_OK) {
        if (cli->wants_json) {
            print_json(&text, path, &report);
        } else {
            print_table(&text, path, &report);
        }
        status = ew_cli_put(&text, err);
    }
    if (status == EW_OK && report.counts[EW_VERDICT_FAIL]) {
        const uint32_t n_failed = report.counts[EW_VERDICT_FAIL];
        status = ew_fail(err, EW_EPLUGIN, "%s: %u check%s failed", path, n_failed,
                         n_failed == 1 ? "" : "s");
    }
    ew_str_fini(&text);
    ew_check_report_fini(&report);
    return status;
}

enum ew_status ew_cmd_plugin_check(struct ew_cli *cli, struct ew_error *err)
{
    enum ew_status first =
        ew_cli_expect_positionals(cli, 1, SIZE_MAX, "at least one plugin file", err);
    struct settings settings = {0};
    if (first == EW_OK) {
        first = read_settings(&settings, &cli->args, err);
    }
    double plan_limit_s = DEFAULT_PLAN_LIMIT_S;
    if (first == EW_OK) {
        first = ew_options_number(&plan_limit_s, cli, EW_OPTION_PLAN_LIMIT, 1e-3, 1e9,
                                  DEFAULT_PLAN_LIMIT_S, err);
    }
    if (first != EW_OK) {
        ew_arena_fini(&settings.arena);
        return first;
    }
    for (size_t i = 0; i < cli->args.n_positionals && first != EW_EINTR; i++) {
        struct ew_error bad = {0};
        const enum ew_status status =
            check_one(cli, cli->args.positionals[i].value, &settings, plan_limit_s, &bad);
        if (status != EW_OK) { /* main prints the last one, whatever its exit code */
            if (first != EW_OK) {
                ew_cli_print_error(cli, err);
            }
            first = first == EW_OK ? status : first;
            *err = bad;
        }
    }
    ew_arena_fini(&settings.arena);
    return first;
}
