#include "model/scenario.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

/* --- arrivals -------------------------------------------------------------------------------- */

static const char ARRIVAL_FORMS[] =
    "closed:K, poisson:REQUESTS_PER_S, periodic:REQUESTS_PER_S or trace:FILE";

static enum ew_status parse_closed(struct ew_arrival_spec *spec, const char *text, const char *k,
                                   struct ew_error *err)
{
    uint64_t outstanding = 1;
    if (k && (!ew_parse_u64(k, &outstanding) || outstanding < 1 ||
              outstanding > EW_SCENARIO_MAX_OUTSTANDING)) {
        return ew_fail(err, EW_EINPUT, "expected closed:K with K in 1..%d, found '%s'",
                       EW_SCENARIO_MAX_OUTSTANDING, text);
    }
    spec->form = EW_ARRIVE_CLOSED;
    spec->outstanding = (uint32_t)outstanding;
    return EW_OK;
}

static enum ew_status parse_rate(struct ew_arrival_spec *spec, enum ew_arrival_form form,
                                 const char *text, const char *rate, struct ew_error *err)
{
    spec->form = form;
    if (!rate || !ew_parse_double(rate, &spec->rate_per_s) || spec->rate_per_s < 1e-9 ||
        spec->rate_per_s > 1e9) {
        return ew_fail(err, EW_EINPUT,
                       "expected %s with a rate in 1e-9..1e9 requests/s, found '%s'",
                       form == EW_ARRIVE_POISSON ? "poisson:RATE" : "periodic:RATE", text);
    }
    return EW_OK;
}

enum ew_status ew_arrival_spec_parse(struct ew_arrival_spec *out, const char *text,
                                     struct ew_error *err)
{
    struct ew_arrival_spec spec = {.text = text};
    const size_t n = strcspn(text, ":");
    const char *value = text[n] ? text + n + 1 : NULL;
    enum ew_status status = EW_OK;
    if (n == 6 && strncmp(text, "closed", n) == 0) {
        status = parse_closed(&spec, text, value, err);
    } else if (n == 7 && strncmp(text, "poisson", n) == 0) {
        status = parse_rate(&spec, EW_ARRIVE_POISSON, text, value, err);
    } else if (n == 8 && strncmp(text, "periodic", n) == 0) {
        status = parse_rate(&spec, EW_ARRIVE_PERIODIC, text, value, err);
    } else if (n == 5 && strncmp(text, "trace", n) == 0 && value && *value) {
        spec.form = EW_ARRIVE_TRACE;
        spec.trace_path = value;
    } else {
        status = ew_fail(err, EW_EINPUT, "expected %s, found '%s'", ARRIVAL_FORMS, text);
    }
    if (status == EW_OK) {
        *out = spec;
    }
    return status;
}

/* --- parameters ------------------------------------------------------------------------------ */

/* Last '.' in text[0, n), or NULL. */
static const char *last_dot(const char *text, size_t n)
{
    while (n > 0) {
        if (text[--n] == '.') {
            return text + n;
        }
    }
    return NULL;
}

enum ew_status ew_scenario_param_parse(struct ew_scenario_param *out, struct ew_arena *arena,
                                       const char *text, struct ew_error *err)
{
    const size_t n = strcspn(text, "=");
    const char *dot = last_dot(text, n);
    const char *name = dot ? dot + 1 : text;
    const size_t name_length = n - (size_t)(name - text);
    if (text[n] != '=' || name_length == 0 || dot == text) {
        return ew_fail(err, EW_EINPUT, "expected NAME=VALUE or STRATEGY.NAME=VALUE, found '%s'",
                       text);
    }
    struct ew_scenario_param setting = {
        .strategy = dot ? ew_arena_strndup(arena, text, (size_t)(dot - text)) : NULL,
        .name = ew_arena_strndup(arena, name, name_length),
        .value = ew_arena_strdup(arena, text + n + 1),
        .arg = -1,
    };
    if ((dot && !setting.strategy) || !setting.name || !setting.value) {
        return ew_fail_memory(err);
    }
    *out = setting;
    return EW_OK;
}

/* --- overrides ------------------------------------------------------------------------------- */

struct override_info {
    bool is_link;
    const char *name;
    double least;
    bool least_allowed;
};

enum { LINK = 1, DEVICE = 0 };

static const struct override_info OVERRIDES[] = {
#define X(target, field, name, least, least_allowed) {(target) == LINK, name, least, least_allowed},
    EW_OVERRIDE_MAP(X)
#undef X
};

bool ew_override_is_link(enum ew_override_field field)
{
    return OVERRIDES[field].is_link;
}

const char *ew_override_field_name(enum ew_override_field field)
{
    return OVERRIDES[field].name;
}

/* Field names of one target, for suggestions: ctx is the first, they stand together. */
static const char *override_name_at(const void *ctx, size_t i)
{
    const struct override_info *first = ctx;
    return first[i].name;
}

static enum ew_status unknown_field(bool is_link, const char *field, struct ew_error *err)
{
    size_t first = 0;
    while (OVERRIDES[first].is_link != is_link) {
        first++;
    }
    size_t n = 0;
    struct ew_str all = {0};
    while (first + n < EW_OVERRIDE_COUNT && OVERRIDES[first + n].is_link == is_link) {
        ew_str_printf(&all, "%s%s", n ? ", " : "", OVERRIDES[first + n].name);
        n++;
    }
    const char *near = ew_nearest_name(field, n, override_name_at, &OVERRIDES[first]);
    (void)ew_fail(err, EW_EINPUT, "a %s has no figure '%s'; expected one of %s%s%s%s",
                  is_link ? "link" : "device", field, ew_str_text(&all),
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    ew_str_fini(&all);
    return EW_EINPUT;
}

static bool find_field(enum ew_override_field *out, bool is_link, const char *name)
{
    for (int i = 0; i < EW_OVERRIDE_COUNT; i++) {
        if (OVERRIDES[i].is_link == is_link && strcmp(OVERRIDES[i].name, name) == 0) {
            *out = (enum ew_override_field)i;
            return true;
        }
    }
    return false;
}

static enum ew_status check_override_value(const struct ew_override *o, struct ew_error *err)
{
    const struct override_info *info = &OVERRIDES[o->field];
    const double most = o->field == EW_OVERRIDE_DEVICE_MEMORY ? 1e18 : 1e24;
    const bool is_enough = info->least_allowed ? o->value >= info->least : o->value > info->least;
    if (!is_enough || !(o->value <= most)) {
        return ew_fail(err, EW_EINPUT, "%s: expected a number %s %g and at most %g, found %g",
                       info->name, info->least_allowed ? "of at least" : "greater than",
                       info->least, most, o->value);
    }
    return EW_OK;
}

enum ew_status ew_override_parse(struct ew_override *out, struct ew_arena *arena, const char *path,
                                 double value, struct ew_error *err)
{
    const size_t n = strlen(path);
    const char *first = strchr(path, '.');
    const char *last = last_dot(path, n);
    const bool is_link = strncmp(path, "link.", 5) == 0;
    if ((!is_link && strncmp(path, "device.", 7) != 0) || first == last || last == first + 1) {
        return ew_fail(err, EW_EINPUT, "expected link.NAME.FIELD or device.NAME.FIELD, found '%s'",
                       path);
    }
    struct ew_override o = {.value = value, .arg = -1};
    if (!find_field(&o.field, is_link, last + 1)) {
        return unknown_field(is_link, last + 1, err);
    }
    enum ew_status status = check_override_value(&o, err);
    if (status != EW_OK) {
        return status;
    }
    o.name = ew_arena_strndup(arena, first + 1, (size_t)(last - first - 1));
    if (!o.name) {
        return ew_fail_memory(err);
    }
    *out = o;
    return EW_OK;
}

/* --- workloads and the whole -------------------------------------------------------------------
 */

struct ew_workload_spec ew_workload_spec_default(void)
{
    return (struct ew_workload_spec){
        .arrival = {.form = EW_ARRIVE_CLOSED, .text = "closed:1", .outstanding = 1},
        .requests_per_job = 1,
        .batch = 1,
        .deadline_s = INFINITY,
        .input_bytes_per_element = NAN,
        .activation_bytes_per_element = NAN,
    };
}

enum ew_status ew_workload_spec_check(const struct ew_workload_spec *workload, struct ew_error *err)
{
    if (workload->batch % (int64_t)workload->requests_per_job != 0) {
        return ew_fail(err, EW_EINPUT,
                       "requests_per_job: expected a divisor of the batch of %d images, found %u",
                       workload->batch, workload->requests_per_job);
    }
    return EW_OK;
}

enum ew_status ew_scenario_init(struct ew_scenario *scenario, struct ew_error *err)
{
    struct ew_scenario s = {
        .engine = "simgrid",
        .net = "ideal",
        .energy_rule = "both",
        .seed = 1,
        .n_workloads = 1,
    };
    s.workloads = ew_arena_calloc(&s.arena, 1, sizeof *s.workloads);
    if (!s.workloads) {
        ew_arena_fini(&s.arena);
        return ew_fail_memory(err);
    }
    s.workloads[0] = ew_workload_spec_default();
    s.dynamics.policy = ew_failure_policy_default();
    *scenario = s;
    return EW_OK;
}

void ew_scenario_fini(struct ew_scenario *scenario)
{
    ew_arena_fini(&scenario->arena);
    *scenario = (struct ew_scenario){0};
}

/* The list with room for one more; capacities are powers of two, so they follow from the count.
 * NULL when memory runs out. */
static void *with_room(struct ew_scenario *scenario, void *items, uint32_t n, size_t size)
{
    if (n & (n - 1)) {
        return items;
    }
    void *grown = ew_arena_calloc(&scenario->arena, n ? (size_t)n * 2 : 1, size);
    if (grown && n) {
        memcpy(grown, items, n * size);
    }
    return grown;
}

enum ew_status ew_scenario_add_strategy(struct ew_scenario *scenario, const char *id,
                                        struct ew_error *err)
{
    const char **list =
        with_room(scenario, scenario->strategies, scenario->n_strategies, sizeof *list);
    if (!list) {
        return ew_fail_memory(err);
    }
    list[scenario->n_strategies++] = id;
    scenario->strategies = list;
    return EW_OK;
}

enum ew_status ew_scenario_add_param(struct ew_scenario *scenario, struct ew_scenario_param setting,
                                     struct ew_error *err)
{
    struct ew_scenario_param *list =
        with_room(scenario, scenario->params, scenario->n_params, sizeof *list);
    if (!list) {
        return ew_fail_memory(err);
    }
    list[scenario->n_params++] = setting;
    scenario->params = list;
    return EW_OK;
}

enum ew_status ew_scenario_add_override(struct ew_scenario *scenario, struct ew_override override,
                                        struct ew_error *err)
{
    struct ew_override *list =
        with_room(scenario, scenario->overrides, scenario->n_overrides, sizeof *list);
    if (!list) {
        return ew_fail_memory(err);
    }
    list[scenario->n_overrides++] = override;
    scenario->overrides = list;
    return EW_OK;
}
