#include "plugin/plugin_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "plugin/check_problems.h"
#include "plugin/check_trial.h"
#include "plugin/elf_symbols.h"
#include "plugin/loader.h"

enum { MAX_FILE_BYTES = 1 << 30, DETAIL_BYTES = 1024, FAULTS_ONE_BY_ONE = 8 };

static const double default_plan_limit_s = 60;

const char *const ew_verdict_names[3] = {"PASS", "FAIL", "SKIP"};

/* A check in progress. The first failure to carry it out ends it: `status`. */
struct check {
    struct ew_check_report *report;
    const struct ew_check_options *options;
    const char *path;
    struct ew_strategy_ref strategy; /* being looked at */
    struct ew_param_setting *base;   /* settings that it has parameters for; owned */
    size_t n_base;
    uint32_t problem; /* one that it can serve */
    bool has_problem;
    bool is_deadly; /* a child died of it */
    bool has_printed;
    struct ew_error *err;
    enum ew_status status;
};

void ew_check_report_fini(struct ew_check_report *report)
{
    ew_vec_fini(&report->findings);
    ew_arena_fini(&report->arena);
    *report = (struct ew_check_report){0};
}

/* ------------------------------------------------------------------------------------- the report
 */

static void add(struct check *check, enum ew_verdict verdict, const char *name, const char *detail)
{
    struct ew_arena *arena = &check->report->arena;
    const struct ew_strategy_info *info = check->strategy.info;
    const struct ew_finding finding = {
        .verdict = verdict,
        .strategy = info ? ew_arena_strdup(arena, info->id) : "",
        .check = ew_arena_strdup(arena, name),
        .detail = ew_arena_strdup(arena, detail),
    };
    if (!finding.strategy || !finding.check || !finding.detail ||
        !ew_vec_push(&check->report->findings, finding)) {
        check->status = ew_fail_memory(check->err);
        return;
    }
    check->report->counts[verdict]++;
}

static void addf(struct check *check, enum ew_verdict verdict, const char *detail,
                 const char *name_fmt, ...) EW_PRINTF(4, 5);

static void addf(struct check *check, enum ew_verdict verdict, const char *detail,
                 const char *name_fmt, ...)
{
    struct ew_error name = {0}; /* a bounded text */
    va_list args;
    va_start(args, name_fmt);
    (void)ew_vfail(&name, EW_EPLUGIN, name_fmt, args);
    va_end(args);
    add(check, verdict, name.message, detail);
}

/* A message without the path in front, so that a report does not depend on where the file is. */
static const char *without_path(const struct check *check, const char *message)
{
    const size_t length = strlen(check->path);
    const bool is_there =
        strncmp(message, check->path, length) == 0 && strncmp(message + length, ": ", 2) == 0;
    return is_there ? message + length + 2 : message;
}

/* ---------------------------------------------------------------------------------------- the file
 */

static void look_at_symbols(struct check *check, const struct ew_elf_symbols *symbols)
{
    static const char *const name = "exports ew_strategy_entry and nothing else";
    struct ew_str others = {0};
    bool is_there = false;
    size_t n_others = 0;
    for (size_t i = 0; i < symbols->items.count; i++) {
        const struct ew_elf_symbol *symbol = &symbols->items.items[i];
        if (strcmp(symbol->name, "ew_strategy_entry") == 0 && symbol->is_data) {
            is_there = true;
        } else if (n_others++ < 5) {
            ew_str_printf(&others, "%s%.64s", n_others > 1 ? ", " : "", symbol->name);
        }
    }
    if (others.failed) {
        check->status = ew_fail_memory(check->err);
    } else if (!is_there) {
        add(check, EW_VERDICT_FAIL, name, "there is no data symbol 'ew_strategy_entry'");
    } else if (n_others) {
        if (n_others > 5) {
            ew_str_append(&others, ", …");
        }
        ew_str_append(&others, " (build with -fvisibility=hidden)");
        add(check, EW_VERDICT_FAIL, name, ew_str_text(&others));
    } else {
        add(check, EW_VERDICT_PASS, name, "");
    }
    ew_str_fini(&others);
}

static void check_file(struct check *check)
{
    char *bytes = NULL;
    size_t size = 0;
    struct ew_elf_symbols symbols = {0};
    struct ew_error err = {0};
    enum ew_status status = ew_file_read(&bytes, &size, check->path, MAX_FILE_BYTES, check->err);
    if (status) {
        check->status = status;
        return;
    }
    status = ew_elf_symbols_read(&symbols, bytes, size, &err);
    if (status == EW_EPLUGIN) {
        add(check, EW_VERDICT_FAIL, "is a shared object", err.message);
    } else if (status) {
        check->status = ew_fail(check->err, status, "%s", err.message);
    } else {
        add(check, EW_VERDICT_PASS, "is a shared object", "");
        look_at_symbols(check, &symbols);
    }
    ew_elf_symbols_fini(&symbols);
    free(bytes);
}

/* Open it; NULL after a finding or a failure. */
static const struct ew_plugin *check_opening(struct check *check, struct ew_registry *registry)
{
    static const char *const name = "opens and describes itself";
    const struct ew_plugin *plugin = NULL;
    struct ew_error err = {0};
    const enum ew_status status = ew_registry_open(&plugin, registry, check->path, false, &err);
    if (status == EW_EPLUGIN) {
        add(check, EW_VERDICT_FAIL, name, without_path(check, err.message));
        return NULL;
    }
    if (status) {
        check->status = ew_fail(check->err, status, "%s", err.message);
        return NULL;
    }
    char detail[DETAIL_BYTES];
    (void)snprintf(detail, sizeof detail, "ABI %u.%u, %u strateg%s", plugin->entry->abi_major,
                   plugin->entry->abi_minor, plugin->count, plugin->count == 1 ? "y" : "ies");
    add(check, EW_VERDICT_PASS, name, detail);
    return plugin;
}

/* ---------------------------------------------------------------------------------------- trials
 */

/* Take "strategy 'ID': " or "strategy 'ID' " off the front: a finding names its strategy. */
static void drop_name(const struct check *check, char *detail)
{
    if (!check->strategy.info) {
        return;
    }
    struct ew_error front = {0}; /* a bounded text */
    (void)ew_fail(&front, EW_EPLUGIN, "strategy '%s'", check->strategy.info->id);
    const size_t length = strlen(front.message);
    if (strncmp(detail, front.message, length) == 0) {
        const char *rest = detail + length;
        rest += strspn(rest, ": ");
        memmove(detail, rest, strlen(rest) + 1);
    }
}

/* Run a trial of the current strategy. A dead child is a FAIL in `result`, and the last trial.
 * False when there is no result. */
static bool run(struct check *check, struct ew_trial_result *result, struct ew_trial trial)
{
    const double limit_s =
        check->options->plan_limit_s > 0 ? check->options->plan_limit_s : default_plan_limit_s;
    struct ew_error err = {0};
    if (check->is_deadly) {
        return false;
    }
    trial.strategy = check->strategy;
    trial.services = check->options->services;
    trial.base = check->base;
    trial.n_base = check->n_base;
    *result = (struct ew_trial_result){0};
    const enum ew_status status = ew_trial_run(result, &trial, limit_s, &err);
    if (status == EW_EPLUGIN) {
        check->is_deadly = true;
        result->verdict = EW_VERDICT_FAIL;
        (void)snprintf(result->detail, sizeof result->detail, "%.*s",
                       (int)sizeof result->detail - 1, err.message);
    } else if (status) {
        check->status = ew_fail(check->err, status, "%s", err.message);
    }
    drop_name(check, result->detail);
    check->has_printed = check->has_printed || result->has_printed;
    return check->status == EW_OK;
}

static void check_simple(struct check *check, enum ew_trial_kind kind, const char *name)
{
    struct ew_trial_result result;
    if (run(check, &result, (struct ew_trial){.kind = kind, .problem = check->problem})) {
        add(check, (enum ew_verdict)result.verdict, name, result.detail);
    }
}

/* Only said of strategies that observe. */
static void check_observing(struct check *check)
{
    struct ew_trial_result result;
    if (run(check, &result,
            (struct ew_trial){.kind = EW_TRIAL_OBSERVE, .problem = check->problem}) &&
        result.verdict != EW_VERDICT_SKIP) {
        add(check, (enum ew_verdict)result.verdict, "observes and decides the same again",
            result.detail);
    }
}

static void check_file_name(struct check *check)
{
    const char *slash = strrchr(check->path, '/');
    const char *file = slash ? slash + 1 : check->path;
    const char *id = check->strategy.info->id;
    const size_t whole = strlen(id), prefix = strcspn(id, ".");
    const bool is_id = strncmp(file, id, whole) == 0 && strcmp(file + whole, ".so") == 0;
    const bool is_prefix = strncmp(file, id, prefix) == 0 && strcmp(file + prefix, ".so") == 0;
    char detail[DETAIL_BYTES];
    (void)snprintf(detail, sizeof detail,
                   "name the file %s.so to have it found without opening other plugins", id);
    add(check, is_id || is_prefix ? EW_VERDICT_PASS : EW_VERDICT_SKIP, "is found by its id",
        is_id || is_prefix ? "" : detail);
}

/* Plans every built-in problem; remembers one that the strategy can serve. */
static void check_problems(struct check *check)
{
    check->has_problem = false;
    for (uint32_t i = 0; i < EW_CHECK_PROBLEMS && check->status == EW_OK; i++) {
        struct ew_check_problem problem = {0};
        struct ew_trial_result result;
        check->status = ew_check_problem_init(&problem, i, check->err);
        const char *name = problem.name;
        ew_check_problem_fini(&problem);
        if (check->status ||
            !run(check, &result, (struct ew_trial){.kind = EW_TRIAL_PLAN, .problem = i})) {
            return;
        }
        addf(check, (enum ew_verdict)result.verdict, result.detail, "plans '%s'", name);
        if (result.verdict == EW_VERDICT_PASS) {
            addf(check, result.is_same ? EW_VERDICT_PASS : EW_VERDICT_FAIL,
                 result.is_same ? "" : "the same problem and seed gave different plans",
                 "plans '%s' alike every time", name);
            check->problem = check->has_problem ? check->problem : i;
            check->has_problem = true;
        }
    }
}

/* Plan with one value of one parameter. What does not pass is appended to `bad`. */
static void try_value(struct check *check, const struct ew_param_info *param, const char *value,
                      struct ew_str *tried, struct ew_str *bad)
{
    struct ew_trial_result result;
    const struct ew_trial trial = {
        .kind = EW_TRIAL_SETTING,
        .problem = check->problem,
        .setting = {param->name, value},
    };
    if (check->status || !run(check, &result, trial)) {
        return;
    }
    ew_str_printf(tried, "%s%s", tried->length ? ", " : "", *value ? value : "(empty)");
    if (result.verdict == EW_VERDICT_FAIL) {
        ew_str_printf(bad, "%s%s: %s", bad->length ? "; " : "", value, result.detail);
    }
}

static void format_number(char out[32], const struct ew_param_info *param, double value)
{
    if (param->kind == EW_PARAM_INT) { /* as parsed: no exponent */
        (void)snprintf(out, 32, "%" PRId64, (int64_t)value);
    } else {
        ew_format_double(out, value);
    }
}

static void try_values(struct check *check, const struct ew_param_info *param, struct ew_str *tried,
                       struct ew_str *bad)
{
    char number[32];
    switch (param->kind) {
    case EW_PARAM_INT:
    case EW_PARAM_REAL:
        format_number(number, param, param->min_value);
        try_value(check, param, number, tried, bad);
        format_number(number, param, param->max_value);
        try_value(check, param, number, tried, bad);
        break;
    case EW_PARAM_BOOL:
        try_value(check, param, "false", tried, bad);
        try_value(check, param, "true", tried, bad);
        break;
    case EW_PARAM_CHOICE:
        for (size_t i = 0; param->choices[i]; i++) {
            try_value(check, param, param->choices[i], tried, bad);
        }
        break;
    default:
        try_value(check, param, "", tried, bad);
        try_value(check, param, "there is no such thing", tried, bad);
        break;
    }
}

static void check_params(struct check *check)
{
    const struct ew_strategy_info *info = check->strategy.info;
    for (uint32_t i = 0; i < info->param_count && check->status == EW_OK && !check->is_deadly;
         i++) {
        struct ew_str tried = {0}, bad = {0};
        try_values(check, info->params[i], &tried, &bad);
        if (tried.failed || bad.failed) {
            check->status = ew_fail_memory(check->err);
        } else if (check->status == EW_OK) {
            addf(check, bad.length ? EW_VERDICT_FAIL : EW_VERDICT_PASS,
                 ew_str_text(bad.length ? &bad : &tried), "takes all of parameter '%s'",
                 info->params[i]->name);
        }
        ew_str_fini(&tried);
        ew_str_fini(&bad);
    }
}

/* Let calls of a kind fail from the first, second, … on; after the eighth in doubling steps. */
static void check_fault(struct check *check, enum ew_fault fault, const char *name)
{
    struct ew_trial trial = {.kind = EW_TRIAL_FAULT, .problem = check->problem, .fault = fault};
    struct ew_trial_result result;
    if (!run(check, &result, trial)) {
        return;
    }
    const uint64_t n_calls = result.n_calls;
    if (n_calls == 0) {
        add(check, EW_VERDICT_SKIP, name, "it makes no such call");
        return;
    }
    for (uint64_t at = 1; at <= n_calls; at = at < FAULTS_ONE_BY_ONE ? at + 1 : at * 2) {
        trial.fault_at = at;
        if (!run(check, &result, trial)) {
            return;
        }
        if (result.verdict == EW_VERDICT_FAIL) {
            char detail[DETAIL_BYTES];
            (void)snprintf(detail, sizeof detail, "from call %" PRIu64 " of %" PRIu64 " on: %s", at,
                           n_calls, result.detail);
            add(check, EW_VERDICT_FAIL, name, detail);
            return;
        }
    }
    add(check, EW_VERDICT_PASS, name, "");
}

static bool has_param(const struct ew_strategy_info *info, const char *name)
{
    for (uint32_t i = 0; i < info->param_count; i++) {
        if (strcmp(info->params[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Every setting is for a parameter of some strategy. */
static void check_settings(struct check *check, const struct ew_plugin *plugin)
{
    for (size_t s = 0; s < check->options->n_settings && check->status == EW_OK; s++) {
        const char *name = check->options->settings[s].name;
        bool is_known = false;
        for (uint32_t i = 0; i < plugin->count; i++) {
            is_known = is_known || has_param(plugin->infos[i], name);
        }
        if (!is_known) {
            check->status =
                ew_fail(check->err, EW_EUSAGE, "%s: no parameter '%s'", check->path, name);
        }
    }
}

/* Those of the settings that are for the strategy being looked at. */
static void choose_settings(struct check *check)
{
    const struct ew_check_options *options = check->options;
    check->n_base = 0;
    for (size_t s = 0; s < options->n_settings; s++) {
        if (has_param(check->strategy.info, options->settings[s].name)) {
            check->base[check->n_base++] = options->settings[s];
        }
    }
}

static void check_strategy(struct check *check, const struct ew_plugin *plugin, uint32_t index)
{
    check->strategy = (struct ew_strategy_ref){plugin, plugin->infos[index]};
    choose_settings(check);
    check->problem = 0;
    check->has_printed = false;
    check->is_deadly = false;
    check_file_name(check);
    check_simple(check, EW_TRIAL_CREATE, "is created and destroyed");
    check_problems(check);
    if (check->has_problem) {
        check_params(check);
        check_fault(check, EW_FAULT_BUILDER, "stops when the builder refuses");
        check_fault(check, EW_FAULT_EVALUATE, "copes when evaluate fails");
        check_fault(check, EW_FAULT_ALLOC, "copes when alloc gives NULL");
        check_observing(check);
        check_simple(check, EW_TRIAL_LEAK, "frees all memory");
    }
    if (check->status == EW_OK && (check->is_deadly || !check->has_problem)) {
        add(check, EW_VERDICT_SKIP, "further checks",
            check->is_deadly ? "it does not come back" : "it planned none of the problems");
    }
    if (check->status == EW_OK) {
        add(check, check->has_printed ? EW_VERDICT_FAIL : EW_VERDICT_PASS, "prints nothing",
            check->has_printed ? "standard output belongs to the program; use host->log" : "");
    }
}

enum ew_status ew_plugin_check(struct ew_check_report *report, const char *path,
                               const struct ew_check_options *options, struct ew_error *err)
{
    struct check check = {.report = report, .options = options, .path = path, .err = err};
    struct ew_registry registry = {.open_limit_s = options->open_limit_s};
    check.base = calloc(options->n_settings + 1, sizeof *check.base);
    if (!check.base) {
        return ew_fail_memory(err);
    }
    check_file(&check);
    const struct ew_plugin *plugin =
        check.status == EW_OK ? check_opening(&check, &registry) : NULL;
    if (plugin && check.status == EW_OK) {
        check.strategy.plugin = plugin;
        check_settings(&check, plugin);
        check_simple(&check, EW_TRIAL_DESCRIBE, "describes itself alike every time");
    }
    for (uint32_t i = 0; plugin && i < plugin->count && check.status == EW_OK; i++) {
        check_strategy(&check, plugin, i);
    }
    ew_registry_fini(&registry);
    free(check.base);
    return check.status;
}
