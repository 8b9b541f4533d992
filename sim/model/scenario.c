#include "model/scenario.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

/* --- arrivals -------------------------------------------------------------------------------- */

static const char ARRIVAL_FORMS[] =
    "closed:K[:THINK_S], poisson:REQUESTS_PER_S, periodic:REQUESTS_PER_S, "
    "burst:N:BURSTS_PER_S[:poisson], trace:FILE, single_stream, multi_stream[:N], "
    "server:REQUESTS_PER_S or offline";

enum { MAX_ARRIVAL_PARTS = 4, MAX_ARRIVAL_TEXT = 128 };

/* An arrival's text cut at its colons. */
struct arrival_parts {
    char copy[MAX_ARRIVAL_TEXT];
    const char *at[MAX_ARRIVAL_PARTS]; /* NULL behind the last */
    uint32_t n;
};

static bool cut_arrival(struct arrival_parts *parts, const char *text)
{
    const size_t size = strlen(text) + 1;
    if (size > sizeof parts->copy) {
        return false;
    }
    memcpy(parts->copy, text, size);
    for (char *at = parts->copy; at; parts->n++) {
        if (parts->n == MAX_ARRIVAL_PARTS) {
            return false;
        }
        parts->at[parts->n] = at;
        at = strchr(at, ':');
        if (at) {
            *at++ = '\0';
        }
    }
    return true;
}

static bool parse_within(double *out, const char *text, double least, double most)
{
    return text && ew_parse_double(text, out) && *out >= least && *out <= most;
}

static bool parse_count(uint64_t *out, const char *text)
{
    return text && ew_parse_u64(text, out) && *out >= 1 && *out <= EW_SCENARIO_MAX_OUTSTANDING;
}

static enum ew_status parse_closed(struct ew_arrival_spec *spec, const struct arrival_parts *parts,
                                   struct ew_error *err)
{
    uint64_t outstanding = 1;
    spec->form = EW_ARRIVE_CLOSED;
    if (parts->n > 3 || (parts->n > 1 && !parse_count(&outstanding, parts->at[1]))) {
        return ew_fail(err, EW_EINPUT, "expected closed:K with K in 1..%d, found '%s'",
                       EW_SCENARIO_MAX_OUTSTANDING, spec->text);
    }
    if (parts->n > 2 && !parse_within(&spec->think_s, parts->at[2], 0, 1e9)) {
        return ew_fail(err, EW_EINPUT,
                       "expected closed:K:THINK_S with a think time in 0..1e9 s, found '%s'",
                       spec->text);
    }
    spec->outstanding = (uint32_t)outstanding;
    return EW_OK;
}

static enum ew_status parse_rate(struct ew_arrival_spec *spec, const struct arrival_parts *parts,
                                 struct ew_error *err)
{
    if (parts->n != 2 || !parse_within(&spec->rate_per_s, parts->at[1], 1e-9, 1e9)) {
        return ew_fail(err, EW_EINPUT,
                       "expected %s:RATE with a rate in 1e-9..1e9 requests/s, found '%s'",
                       parts->at[0], spec->text);
    }
    return EW_OK;
}

static enum ew_status parse_burst(struct ew_arrival_spec *spec, const struct arrival_parts *parts,
                                  struct ew_error *err)
{
    const bool is_random = parts->n == 4 && strcmp(parts->at[3], "poisson") == 0;
    if ((parts->n != 3 && !is_random) || !parse_count(&spec->group_size, parts->at[1]) ||
        !parse_within(&spec->rate_per_s, parts->at[2], 1e-9, 1e9)) {
        return ew_fail(
            err, EW_EINPUT,
            "expected burst:N:RATE or burst:N:RATE:poisson with N in 1..%d requests and a "
            "rate in 1e-9..1e9 bursts/s, found '%s'",
            EW_SCENARIO_MAX_OUTSTANDING, spec->text);
    }
    spec->form = is_random ? EW_ARRIVE_POISSON : EW_ARRIVE_PERIODIC;
    return EW_OK;
}

/* The four scenarios of MLPerf LoadGen in terms of the other forms. */
static enum ew_status parse_loadgen(struct ew_arrival_spec *spec, const struct arrival_parts *parts,
                                    struct ew_error *err)
{
    spec->form = EW_ARRIVE_CLOSED;
    spec->outstanding = 1;
    switch (spec->loadgen) {
    case EW_LOADGEN_SERVER:
        spec->form = EW_ARRIVE_POISSON;
        return parse_rate(spec, parts, err);
    case EW_LOADGEN_MULTI_STREAM:
        spec->group_size = EW_SCENARIO_LOADGEN_SAMPLES;
        if (parts->n > 2 || (parts->n == 2 && !parse_count(&spec->group_size, parts->at[1]))) {
            return ew_fail(err, EW_EINPUT, "expected multi_stream:N with N in 1..%d, found '%s'",
                           EW_SCENARIO_MAX_OUTSTANDING, spec->text);
        }
        return EW_OK;
    case EW_LOADGEN_OFFLINE:
        spec->form = EW_ARRIVE_PERIODIC;
        spec->rate_per_s = 1;
        spec->group_size = EW_SCENARIO_MAX_REQUESTS;
        break;
    case EW_LOADGEN_SINGLE_STREAM:
    case EW_LOADGEN_NONE:
        break;
    }
    return parts->n == 1 ? EW_OK
                         : ew_fail(err, EW_EINPUT, "expected %s without a value, found '%s'",
                                   parts->at[0], spec->text);
}

static const char *const LOADGEN_NAMES[] = {
    [EW_LOADGEN_NONE] = "",
    [EW_LOADGEN_SINGLE_STREAM] = "single_stream",
    [EW_LOADGEN_MULTI_STREAM] = "multi_stream",
    [EW_LOADGEN_SERVER] = "server",
    [EW_LOADGEN_OFFLINE] = "offline",
};

const char *ew_loadgen_name(enum ew_loadgen scenario)
{
    return LOADGEN_NAMES[scenario];
}

static bool find_loadgen(enum ew_loadgen *out, const char *name)
{
    for (int i = EW_LOADGEN_SINGLE_STREAM; i <= EW_LOADGEN_OFFLINE; i++) {
        if (strcmp(LOADGEN_NAMES[i], name) == 0) {
            *out = (enum ew_loadgen)i;
            return true;
        }
    }
    return false;
}

static enum ew_status parse_parts(struct ew_arrival_spec *spec, const struct arrival_parts *parts,
                                  struct ew_error *err)
{
    const char *kind = parts->at[0];
    if (strcmp(kind, "closed") == 0) {
        return parse_closed(spec, parts, err);
    }
    if (strcmp(kind, "poisson") == 0 || strcmp(kind, "periodic") == 0) {
        spec->form = kind[1] == 'o' ? EW_ARRIVE_POISSON : EW_ARRIVE_PERIODIC;
        return parse_rate(spec, parts, err);
    }
    if (strcmp(kind, "burst") == 0) {
        return parse_burst(spec, parts, err);
    }
    if (find_loadgen(&spec->loadgen, kind)) {
        return parse_loadgen(spec, parts, err);
    }
    return ew_fail(err, EW_EINPUT, "expected %s, found '%s'", ARRIVAL_FORMS, spec->text);
}

enum ew_status ew_arrival_spec_parse(struct ew_arrival_spec *out, const char *text,
                                     struct ew_error *err)
{
    struct ew_arrival_spec spec = {.text = text, .group_size = 1};
    struct arrival_parts parts = {.n = 0};
    enum ew_status status = EW_OK;
    if (strncmp(text, "trace:", 6) == 0 && text[6]) {
        spec.form = EW_ARRIVE_TRACE;
        spec.trace_path = text + 6;
    } else if (!cut_arrival(&parts, text)) {
        status = ew_fail(err, EW_EINPUT, "expected %s, found '%s'", ARRIVAL_FORMS, text);
    } else {
        status = parse_parts(&spec, &parts, err);
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
};

enum { LINK = 1, DEVICE = 0 };

static const struct override_info OVERRIDES[] = {
#define X(target, field, name, least) {(target) == LINK, name, least},
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
    if (!(o->value >= info->least && o->value <= most)) { /* also NaN */
        return ew_fail(err, EW_EINPUT,
                       "%s: expected a number of at least %g and at most %g, found %g", info->name,
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
        .arrival = {.form = EW_ARRIVE_CLOSED,
                    .text = "closed:1",
                    .outstanding = 1,
                    .group_size = 1},
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
        .regimes = 100,
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
