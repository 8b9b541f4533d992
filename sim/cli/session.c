#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

static const double DEFAULT_PLAN_LIMIT_S = 600;

/* --- places ---------------------------------------------------------------------------------- */

struct ew_platform_source ew_session_source(const struct ew_cli *cli, struct ew_simgrid *simgrid)
{
    const struct ew_path_list *dirs = &cli->paths.dirs[EW_PATH_PROFILE];
    simgrid->path = cli->paths.module;
    return (struct ew_platform_source){
        .profile_dirs = dirs->items,
        .n_profile_dirs = dirs->count,
        .simgrid = simgrid,
        .cache_dir = ew_args_last(&cli->args, EW_OPTION_NO_CACHE) ? NULL : cli->paths.cache_dir,
        .version = ew_version,
    };
}

enum ew_status ew_session_registry(struct ew_registry *registry, struct ew_cli *cli,
                                   struct ew_error *err)
{
    const struct ew_path_list *dirs = &cli->paths.dirs[EW_PATH_STRATEGY];
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < dirs->count; i++) {
        status = ew_registry_add_dir(registry, dirs->items[i],
                                     i >= cli->paths.first_own_strategy_dir, err);
    }
    const struct ew_path_list *files = &cli->paths.plugin_files;
    for (size_t i = 0; status == EW_OK && i < files->count; i++) {
        const struct ew_plugin *plugin;
        ew_options_blame(cli, EW_OPTION_STRATEGY_PATH);
        status = ew_registry_open(&plugin, registry, files->items[i], false, err);
    }
    if (status == EW_OK) {
        cli->blame = -1;
    }
    return status;
}

void ew_session_plugin_problem(void *ctx, const char *message)
{
    ew_cli_warn(ctx, "%s", message);
}

static void show_log(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    const struct ew_cli *cli = ctx;
    if (level >= EW_LOG_WARNING) {
        ew_cli_warn(cli, "strategy '%s': %s", strategy, message);
    } else {
        ew_cli_detail(cli, "strategy '%s': %s", strategy, message);
    }
}

/* --- strategies ------------------------------------------------------------------------------ */

/* Workloads that take part in the comparison: neither a strategy nor a plan of their own. */
static uint32_t count_free_workloads(const struct ew_scenario *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_workloads; i++) {
        n += !s->workloads[i].strategy && !s->workloads[i].plan;
    }
    return n;
}

/* The word of the command line that named a strategy. */
static void blame_strategy(struct ew_cli *cli, const char *id)
{
    cli->blame = -1;
    for (size_t i = 0; i < cli->args.n_options; i++) {
        const struct ew_arg *arg = &cli->args.options[i];
        if (arg->option == EW_OPTION_STRATEGY && strstr(arg->value, id)) {
            cli->blame = arg->at;
        }
    }
}

static enum ew_status check_choice(struct ew_session *s, bool is_one, struct ew_error *err)
{
    const uint32_t n_free = count_free_workloads(&s->scenario);
    const struct ew_args *args = &s->cli->args;
    if (ew_args_last(args, EW_OPTION_PLAN) && ew_args_last(args, EW_OPTION_STRATEGY)) {
        ew_options_blame(s->cli, EW_OPTION_PLAN);
        return ew_fail(err, EW_EUSAGE, "expected either --strategy or --plan, found both");
    }
    if (!is_one || n_free == 0) {
        return EW_OK;
    }
    if (s->scenario.n_strategies == 0) {
        return ew_fail(err, EW_EUSAGE,
                       "expected a strategy; see --strategy and 'edgeweave list strategies'");
    }
    if (s->scenario.n_strategies > 1) {
        ew_options_blame(s->cli, EW_OPTION_STRATEGY);
        return ew_fail(err, EW_EUSAGE,
                       "expected one strategy, found %u; 'edgeweave compare' takes several",
                       s->scenario.n_strategies);
    }
    return EW_OK;
}

/* Add what takes part, in the order asked for; strategies of single workloads behind.
 * `n_compared` receives how many are compared. */
static enum ew_status add_contenders(struct ew_session *s, size_t *n_compared, struct ew_error *err)
{
    const bool has_free = count_free_workloads(&s->scenario) > 0;
    enum ew_status status = EW_OK;
    size_t index;
    if (has_free && s->scenario.n_strategies == 0) {
        status = ew_contenders_add_all(&s->contenders, &s->registry, ew_session_plugin_problem,
                                       s->cli, err);
        if (status == EW_OK && s->contenders.count == 0) {
            status = ew_fail(err, EW_EPLUGIN, "found no strategy plugin; see --strategy-path");
        }
    }
    for (uint32_t i = 0; status == EW_OK && has_free && i < s->scenario.n_strategies; i++) {
        blame_strategy(s->cli, s->scenario.strategies[i]);
        status =
            ew_contenders_add(&s->contenders, &s->registry, s->scenario.strategies[i], &index, err);
    }
    *n_compared = s->contenders.count;
    for (uint32_t i = 0; status == EW_OK && i < s->scenario.n_workloads; i++) {
        if (s->scenario.workloads[i].strategy) {
            s->cli->blame = -1;
            status = ew_contenders_add(&s->contenders, &s->registry,
                                       s->scenario.workloads[i].strategy, &index, err);
        }
    }
    return status;
}

static enum ew_status set_params(struct ew_session *s, struct ew_error *err)
{
    uint32_t bad = EW_NONE;
    s->cli->blame = -1;
    const enum ew_status status = ew_contenders_set_params(&s->contenders, s->scenario.params,
                                                           s->scenario.n_params, &bad, err);
    if (bad != EW_NONE) {
        s->cli->blame = s->scenario.params[bad].arg;
    }
    return status;
}

/* Who plans what: a point per compared strategy, at least one. */
static enum ew_status assign_makers(struct ew_session *s, size_t n_compared, struct ew_error *err)
{
    const uint32_t n_workloads = s->scenario.n_workloads;
    s->n_points = n_compared ? n_compared : 1;
    s->makers = calloc(s->n_points * n_workloads, sizeof *s->makers);
    if (!s->makers) {
        return ew_fail_memory(err);
    }
    for (size_t p = 0; p < s->n_points; p++) {
        for (uint32_t i = 0; i < n_workloads; i++) {
            const struct ew_workload_spec *w = &s->scenario.workloads[i];
            size_t index = p;
            if (w->plan) {
                continue;
            }
            if (w->strategy) { /* found again, not added */
                const enum ew_status status =
                    ew_contenders_add(&s->contenders, &s->registry, w->strategy, &index, err);
                if (status != EW_OK) {
                    return status;
                }
            }
            s->makers[p * n_workloads + i] = &s->contenders.items[index];
        }
    }
    return EW_OK;
}

const struct ew_contender *const *ew_session_makers(const struct ew_session *session, size_t point)
{
    return &session->makers[point * session->scenario.n_workloads];
}

const char *ew_session_point_name(const struct ew_session *session, size_t point)
{
    const struct ew_contender *const *makers = ew_session_makers(session, point);
    for (uint32_t i = 0; i < session->scenario.n_workloads; i++) {
        if (makers[i] && !session->scenario.workloads[i].strategy) {
            return makers[i]->ref.info->id;
        }
    }
    return makers[0] ? makers[0]->ref.info->id : "plan";
}

uint64_t ew_session_requests(const struct ew_session *session)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < session->setup.n_workloads; i++) {
        n += session->setup.workloads[i].n_requests;
    }
    return n;
}

/* --- files ----------------------------------------------------------------------------------- */

static void blame_part(struct ew_session *s, const struct ew_setup_blame *blame)
{
    static const enum ew_option_id options[] = {
        [EW_SETUP_PLATFORM] = EW_OPTION_PLATFORM,
        [EW_SETUP_OVERRIDE] = EW_OPTION_SET,
        [EW_SETUP_GRAPH] = EW_OPTION_GRAPH,
        [EW_SETUP_SOURCE] = EW_OPTION_SOURCE,
        [EW_SETUP_SINK] = EW_OPTION_SINK,
        [EW_SETUP_ARRIVAL] = EW_OPTION_ARRIVAL,
        [EW_SETUP_COUNTS] = EW_OPTION_BATCH,
        [EW_SETUP_NET] = EW_OPTION_NET,
        [EW_SETUP_ENERGY_RULE] = EW_OPTION_ENERGY_RULE,
    };
    if (blame->part == EW_SETUP_DYNAMICS) { /* said in the file, by no word */
        return;
    }
    ew_options_blame(s->cli, options[blame->part]);
    if (blame->part == EW_SETUP_OVERRIDE) {
        s->cli->blame =
            blame->override == EW_NONE ? -1 : s->scenario.overrides[blame->override].arg;
    }
}

static enum ew_status open_setup(struct ew_session *s, struct ew_error *err)
{
    struct ew_setup_blame blame = {0};
    s->source = ew_session_source(s->cli, &s->simgrid);
    enum ew_status status = ew_setup_open(&s->setup, &s->scenario, &s->source, &blame, err);
    s->cli->blame = -1;
    if (status == EW_EINPUT || status == EW_EUSAGE) { /* otherwise no word is to blame */
        blame_part(s, &blame);
    }
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < s->setup.platform->n_warnings; i++) {
        ew_cli_warn(s->cli, "%s: %s", s->setup.platform->path, s->setup.platform->warnings[i]);
    }
    status =
        ew_evaluator_new(&s->evaluator, s->setup.platform, s->setup.net, s->setup.energy_rule, err);
    s->config = (struct ew_point_config){
        .setup = &s->setup,
        .evaluator = s->evaluator,
        .plan_limit_s = s->plan_limit_s,
        .log = show_log,
        .log_ctx = s->cli,
        .interrupted = s->cli->interrupted,
        .cache = {.struct_size = sizeof s->config.cache, .dir = s->source.cache_dir},
    };
    return status;
}

enum ew_status ew_session_open(struct ew_session *session, struct ew_cli *cli, bool is_one,
                               struct ew_error *err)
{
    size_t n_compared = 0;
    session->cli = cli;
    enum ew_status status = ew_cli_expect_positionals(cli, 0, 1, "one scenario file", err);
    if (status == EW_OK) {
        status = ew_options_scenario(&session->scenario, cli, true, err);
    }
    if (status == EW_OK) {
        status = ew_options_number(&session->plan_limit_s, cli, EW_OPTION_PLAN_LIMIT, 1e-3, 1e9,
                                   DEFAULT_PLAN_LIMIT_S, err);
    }
    if (status == EW_OK) {
        status = check_choice(session, is_one, err);
    }
    if (status == EW_OK) {
        status = ew_session_registry(&session->registry, cli, err);
    }
    if (status == EW_OK) {
        status = add_contenders(session, &n_compared, err);
        status = ew_options_unknown(cli, &session->scenario, status, err);
    }
    if (status == EW_OK) {
        status = set_params(session, err);
        status = ew_options_unknown(cli, &session->scenario, status, err);
    }
    if (status == EW_OK) {
        status = assign_makers(session, n_compared, err);
    }
    return status == EW_OK ? open_setup(session, err) : status;
}

void ew_session_fini(struct ew_session *session)
{
    free(session->makers);
    ew_arena_fini(&session->exec_arena);
    ew_exec_images_fini(&session->exec_images);
    ew_evaluator_free(session->evaluator);
    ew_contenders_fini(&session->contenders);
    ew_registry_fini(&session->registry);
    ew_setup_fini(&session->setup);
    ew_scenario_fini(&session->scenario);
    *session = (struct ew_session){0};
}

/* Who gives these means to execute, not to get simulated figures. */
static enum ew_status refuse_exec_options(struct ew_session *session, struct ew_error *err)
{
    static const enum ew_option_id options[] = {
        EW_OPTION_WORKERS,  EW_OPTION_MEASURED,   EW_OPTION_INPUT,   EW_OPTION_SAVE_OUTPUTS,
        EW_OPTION_KERNELS,  EW_OPTION_WEIGHTS,    EW_OPTION_NETWORK, EW_OPTION_PIN,
        EW_OPTION_DILATION, EW_OPTION_STALL_LIMIT};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (ew_args_last(&session->cli->args, options[i])) {
            ew_options_blame(session->cli, options[i]);
            return ew_fail(err, EW_EUSAGE,
                           "option '--%s' is for real execution: expected --engine exec beside it, "
                           "found engine '%s'",
                           ew_options[options[i]].name, session->scenario.engine);
        }
    }
    return EW_OK;
}

enum ew_status ew_session_engine(const struct ew_engine **out, struct ew_session *session,
                                 struct ew_error *err)
{
    const enum ew_status status =
        ew_engine_find(out, &session->simgrid, session->scenario.engine, err);
    if (status == EW_EINPUT) {
        ew_options_blame(session->cli, EW_OPTION_ENGINE);
    }
    return status || *out == &ew_engine_exec ? status : refuse_exec_options(session, err);
}
