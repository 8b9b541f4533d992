#include "cli/options.h"

#include <string.h>

#include "base/text.h"
#include "io/scenario_json.h"
#include "model/platform.h"

void ew_options_blame(struct ew_cli *cli, enum ew_option_id option)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, option);
    cli->blame = arg ? arg->at : -1;
}

enum ew_status ew_options_unknown(const struct ew_cli *cli, const struct ew_scenario *scenario,
                                  enum ew_status status, struct ew_error *err)
{
    if (status != EW_EUSAGE || cli->blame >= 0 || !scenario->path) {
        return status;
    }
    (void)ew_prefix(err, "%s: ", scenario->path);
    err->status = EW_EINPUT;
    return EW_EINPUT;
}

/* --- values ---------------------------------------------------------------------------------- */

static enum ew_status as_count(uint64_t *out, const struct ew_arg *arg, uint64_t min, uint64_t max,
                               struct ew_error *err)
{
    if (!ew_parse_u64(arg->value, out) || *out < min || *out > max) {
        return ew_fail(err, EW_EUSAGE,
                       "option '--%s': expected an integer in %llu..%llu, found '%s'",
                       ew_options[arg->option].name, (unsigned long long)min,
                       (unsigned long long)max, arg->value);
    }
    return EW_OK;
}

static enum ew_status as_number(double *out, const struct ew_arg *arg, double min, double max,
                                struct ew_error *err)
{
    if (!ew_parse_double(arg->value, out) || !(*out >= min && *out <= max)) {
        return ew_fail(err, EW_EUSAGE, "option '--%s': expected a number in %g..%g, found '%s'",
                       ew_options[arg->option].name, min, max, arg->value);
    }
    return EW_OK;
}

enum ew_status ew_options_number(double *out, struct ew_cli *cli, enum ew_option_id option,
                                 double min, double max, double fallback, struct ew_error *err)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, option);
    *out = fallback;
    if (!arg) {
        return EW_OK;
    }
    cli->blame = arg->at;
    const enum ew_status status = as_number(out, arg, min, max, err);
    cli->blame = status == EW_OK ? -1 : cli->blame;
    return status;
}

/* The same number in every workload. `offset` is that of a double in struct ew_workload_spec. */
static enum ew_status set_numbers(struct ew_scenario *s, const struct ew_arg *arg, size_t offset,
                                  double min, double max, struct ew_error *err)
{
    double x;
    const enum ew_status status = as_number(&x, arg, min, max, err);
    for (uint32_t i = 0; status == EW_OK && i < s->n_workloads; i++) {
        memcpy((char *)&s->workloads[i] + offset, &x, sizeof x);
    }
    return status;
}

#define SET_NUMBER(field, min, max)                                                                \
    set_numbers(s, arg, offsetof(struct ew_workload_spec, field), min, max, err)

/* --- options --------------------------------------------------------------------------------- */

static enum ew_status set_engine(struct ew_scenario *s, const struct ew_arg *arg,
                                 struct ew_error *err)
{
    static const char *const ids[] = {"simgrid", "fast", "exec"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (strcmp(arg->value, ids[i]) == 0) {
            s->engine = ids[i];
            return EW_OK;
        }
    }
    return ew_fail(err, EW_EUSAGE,
                   "option '--engine': expected 'simgrid', 'fast' or 'exec', found '%s'",
                   arg->value);
}

static enum ew_status set_count(struct ew_scenario *s, const struct ew_arg *arg,
                                struct ew_error *err)
{
    const uint64_t max =
        arg->option == EW_OPTION_REQUESTS ? EW_SCENARIO_MAX_REQUESTS : EW_SCENARIO_MAX_BATCH;
    uint64_t n;
    const enum ew_status status = as_count(&n, arg, 1, max, err);
    for (uint32_t i = 0; status == EW_OK && i < s->n_workloads; i++) {
        struct ew_workload_spec *w = &s->workloads[i];
        if (arg->option == EW_OPTION_REQUESTS) {
            w->n_requests = n;
        } else if (arg->option == EW_OPTION_BATCH) {
            w->batch = (int32_t)n;
        } else {
            w->requests_per_job = (uint32_t)n;
        }
    }
    return status;
}

static enum ew_status set_text(struct ew_scenario *s, const struct ew_arg *arg,
                               struct ew_error *err)
{
    if (!*arg->value) {
        return ew_fail(err, EW_EUSAGE, "option '--%s': expected a text, found an empty one",
                       ew_options[arg->option].name);
    }
    for (uint32_t i = 0; i < s->n_workloads; i++) {
        struct ew_workload_spec *w = &s->workloads[i];
        switch (arg->option) {
        case EW_OPTION_GRAPH:
            w->graph = arg->value;
            break;
        case EW_OPTION_SOURCE:
            w->source_device = arg->value;
            break;
        case EW_OPTION_SINK:
            w->sink_device = arg->value;
            break;
        default:
            w->plan = arg->value;
            break;
        }
    }
    return EW_OK;
}

static enum ew_status set_arrival(struct ew_scenario *s, const struct ew_arg *arg,
                                  struct ew_error *err)
{
    struct ew_arrival_spec spec;
    const enum ew_status status = ew_arrival_spec_parse(&spec, arg->value, err);
    if (status != EW_OK) {
        (void)ew_prefix(err, "option '--arrival': ");
        err->status = EW_EUSAGE;
        return EW_EUSAGE;
    }
    for (uint32_t i = 0; i < s->n_workloads; i++) {
        s->workloads[i].arrival = spec;
    }
    return EW_OK;
}

/* "--strategy a,b": one more or several. Replaces what the scenario says, also per workload. */
static enum ew_status add_strategies(struct ew_scenario *s, const struct ew_arg *arg,
                                     struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (const char *at = arg->value; status == EW_OK && at;) {
        const size_t n = strcspn(at, ",");
        if (n == 0) {
            return ew_fail(err, EW_EUSAGE, "option '--strategy': expected ID[,ID...], found '%s'",
                           arg->value);
        }
        const char *id = ew_arena_strndup(&s->arena, at, n);
        status = id ? ew_scenario_add_strategy(s, id, err) : ew_fail_memory(err);
        at = at[n] ? at + n + 1 : NULL;
    }
    for (uint32_t i = 0; i < s->n_workloads; i++) {
        s->workloads[i].strategy = NULL;
        s->workloads[i].plan = NULL;
    }
    return status;
}

static enum ew_status add_param(struct ew_scenario *s, const struct ew_arg *arg,
                                struct ew_error *err)
{
    struct ew_scenario_param setting;
    const enum ew_status status = ew_scenario_param_parse(&setting, &s->arena, arg->value, err);
    if (status != EW_OK) {
        (void)ew_prefix(err, "option '--param': ");
        err->status = status == EW_EINPUT ? EW_EUSAGE : status;
        return err->status;
    }
    setting.arg = arg->at;
    return ew_scenario_add_param(s, setting, err);
}

static enum ew_status add_override(struct ew_scenario *s, const struct ew_arg *arg,
                                   struct ew_error *err)
{
    const char *equals = strrchr(arg->value, '=');
    struct ew_override override;
    double value;
    if (!equals || !ew_parse_double(equals + 1, &value)) {
        return ew_fail(err, EW_EUSAGE, "option '--set': expected PATH=NUMBER, found '%s'",
                       arg->value);
    }
    const char *path = ew_arena_strndup(&s->arena, arg->value, (size_t)(equals - arg->value));
    if (!path) {
        return ew_fail_memory(err);
    }
    const enum ew_status status = ew_override_parse(&override, &s->arena, path, value, err);
    if (status != EW_OK) {
        (void)ew_prefix(err, "option '--set': ");
        err->status = status == EW_EINPUT ? EW_EUSAGE : status;
        return err->status;
    }
    override.arg = arg->at;
    return ew_scenario_add_override(s, override, err);
}

static enum ew_status set_choice(const char **out, const struct ew_arg *arg, const char *a,
                                 const char *b, struct ew_error *err)
{
    if (strcmp(arg->value, a) != 0 && strcmp(arg->value, b) != 0) {
        return ew_fail(err, EW_EUSAGE, "option '--%s': expected '%s' or '%s', found '%s'",
                       ew_options[arg->option].name, a, b, arg->value);
    }
    *out = arg->value;
    return EW_OK;
}

static enum ew_status set_policy(struct ew_failure_policy *policy, const struct ew_arg *arg,
                                 struct ew_error *err)
{
    uint64_t n = policy->max_attempts;
    enum ew_status status = EW_OK;
    switch (arg->option) {
    case EW_OPTION_ON_FAILURE:
        if (!ew_on_failure_find(&policy->on_failure, arg->value)) {
            return ew_fail(
                err, EW_EUSAGE,
                "option '--on-failure': expected 'wait', 'retry', 'replan' or 'fail', found '%s'",
                arg->value);
        }
        break;
    case EW_OPTION_RETRY_DELAY:
        return as_number(&policy->retry_delay_s, arg, 0, 1e9, err);
    case EW_OPTION_MAX_ATTEMPTS:
        status = as_count(&n, arg, 1, 1000000, err);
        policy->max_attempts = (uint32_t)n;
        break;
    case EW_OPTION_NEXT_ATTEMPT:
        if (!ew_next_attempt_find(&policy->resumes, arg->value)) {
            return ew_fail(err, EW_EUSAGE,
                           "option '--next-attempt': expected 'anew' or 'resume', found '%s'",
                           arg->value);
        }
        break;
    default:
        policy->drop_at_deadline = true;
        break;
    }
    return status;
}

static enum ew_status set_replan(struct ew_replan_spec *replan, const struct ew_arg *arg,
                                 struct ew_error *err)
{
    if (arg->option == EW_OPTION_IN_FLIGHT) {
        if (!ew_in_flight_find(&replan->moves_jobs, arg->value)) {
            return ew_fail(err, EW_EUSAGE,
                           "option '--in-flight': expected 'keep' or 'move', found '%s'",
                           arg->value);
        }
        return EW_OK;
    }
    const enum ew_status status = arg->option == EW_OPTION_REPLAN
                                      ? ew_replan_parse(replan, arg->value, err)
                                      : ew_replan_parse_charge(replan, arg->value, err);
    if (status != EW_OK) {
        (void)ew_prefix(err, "option '--%s': ", ew_options[arg->option].name);
        err->status = EW_EUSAGE;
        return EW_EUSAGE;
    }
    return EW_OK;
    return status;
}

static enum ew_status set_device_count(struct ew_scenario *s, const struct ew_arg *arg,
                                       struct ew_error *err)
{
    uint64_t n = 0;
    const enum ew_status status = as_count(&n, arg, 1, EW_MAX_DEVICES, err);
    s->n_devices = (uint32_t)n;
    return status;
}

static enum ew_status apply(struct ew_scenario *s, const struct ew_arg *arg, struct ew_error *err)
{
    switch (arg->option) {
    case EW_OPTION_DEVICES:
        return set_device_count(s, arg, err);
    case EW_OPTION_GRAPH:
    case EW_OPTION_SOURCE:
    case EW_OPTION_SINK:
    case EW_OPTION_PLAN:
        return set_text(s, arg, err);
    case EW_OPTION_PLATFORM:
        s->platform = arg->value;
        return EW_OK;
    case EW_OPTION_SET:
        return add_override(s, arg, err);
    case EW_OPTION_REQUESTS:
    case EW_OPTION_REQUESTS_PER_JOB:
    case EW_OPTION_BATCH:
        return set_count(s, arg, err);
    case EW_OPTION_INPUT_BYTES:
        return SET_NUMBER(input_bytes_per_element, 1.0 / 64, 64);
    case EW_OPTION_ACTIVATION_BYTES:
        return SET_NUMBER(activation_bytes_per_element, 1.0 / 64, 64);
    case EW_OPTION_DEADLINE:
        return SET_NUMBER(deadline_s, 1e-9, 1e9);
    case EW_OPTION_MIN_ACCURACY:
        return SET_NUMBER(min_accuracy, 0, 1);
    case EW_OPTION_MIN_THROUGHPUT:
        return SET_NUMBER(min_throughput_per_s, 0, 1e9);
    case EW_OPTION_ARRIVAL:
        return set_arrival(s, arg, err);
    case EW_OPTION_STRATEGY:
        return add_strategies(s, arg, err);
    case EW_OPTION_PARAM:
        return add_param(s, arg, err);
    case EW_OPTION_ENGINE:
        return set_engine(s, arg, err);
    case EW_OPTION_NET:
        return set_choice(&s->net, arg, "ideal", "tcp", err);
    case EW_OPTION_ENERGY_RULE:
        return set_choice(&s->energy_rule, arg, "both", "receiver", err);
    case EW_OPTION_REPLAN:
    case EW_OPTION_CHARGE_PLANNING:
    case EW_OPTION_IN_FLIGHT:
        return set_replan(&s->replan, arg, err);
    case EW_OPTION_ON_FAILURE:
    case EW_OPTION_RETRY_DELAY:
    case EW_OPTION_MAX_ATTEMPTS:
    case EW_OPTION_NEXT_ATTEMPT:
    case EW_OPTION_DROP_AT_DEADLINE:
        return set_policy(&s->dynamics.policy, arg, err);
    case EW_OPTION_REGIMES: {
        uint64_t n = s->regimes;
        const enum ew_status status = as_count(&n, arg, 0, EW_SCENARIO_MAX_REGIMES, err);
        s->regimes = (uint32_t)n;
        return status;
    }
    case EW_OPTION_SEED:
        return as_count(&s->seed, arg, 0, UINT64_MAX, err);
    default:
        return EW_OK; /* about the command, not about the scenario */
    }
}

/* --- names to paths ----------------------------------------------------------------------------
 */

/* A name stays in the blame of its option, if the option said it. */
static void blame_if(struct ew_cli *cli, enum ew_option_id option, const char *value)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, option);
    cli->blame = arg && arg->value == value ? arg->at : -1;
}

enum ew_status ew_options_find_files(struct ew_scenario *s, struct ew_cli *cli,
                                     struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (s->platform) {
        blame_if(cli, EW_OPTION_PLATFORM, s->platform);
        status =
            ew_paths_find(&s->platform, &cli->paths, EW_PATH_PLATFORM, s->platform, &s->arena, err);
    }
    for (uint32_t i = 0; status == EW_OK && i < s->n_workloads; i++) {
        const char **graph = &s->workloads[i].graph;
        if (*graph) {
            blame_if(cli, EW_OPTION_GRAPH, *graph);
            status = ew_paths_find(graph, &cli->paths, EW_PATH_GRAPH, *graph, &s->arena, err);
        }
    }
    if (status == EW_OK) {
        cli->blame = -1;
    }
    return ew_options_unknown(cli, s, status, err);
}

enum ew_status ew_options_scenario(struct ew_scenario *out, struct ew_cli *cli, bool takes_file,
                                   struct ew_error *err)
{
    struct ew_scenario s = {0};
    enum ew_status status;
    if (takes_file && cli->args.n_positionals > 0) {
        cli->blame = cli->args.positionals[0].at;
        status = ew_scenario_load_json(&s, cli->args.positionals[0].value, err);
    } else {
        status = ew_scenario_init(&s, err);
    }
    if (status != EW_OK) {
        return status;
    }
    if (ew_args_last(&cli->args, EW_OPTION_STRATEGY)) {
        s.n_strategies = 0;
    }
    for (size_t i = 0; status == EW_OK && i < cli->args.n_options; i++) {
        cli->blame = cli->args.options[i].at;
        status = apply(&s, &cli->args.options[i], err);
    }
    if (status == EW_OK) {
        status = ew_options_find_files(&s, cli, err);
    }
    if (status == EW_OK) {
        *out = s;
    } else {
        ew_scenario_fini(&s);
    }
    return status;
}
