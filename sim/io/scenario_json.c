#include "io/scenario_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "io/dynamics_json.h"
#include "io/json_read.h"
#include "model/platform.h"

enum { MAX_FILE_BYTES = 16 << 20, MAX_STRATEGIES = 256 };

/* Keys of the whole file; those of a workload may stand here too, as defaults for all workloads. */
#define WORKLOAD_KEYS                                                                              \
    "graph", "source", "sink", "arrival", "requests", "requests_per_job", "batch", "deadline_s",   \
        "min_accuracy", "min_throughput_per_s", "input_bytes_per_element",                         \
        "activation_bytes_per_element", "strategy", "plan"

static const char *const FILE_KEYS[] = {
    "schema",    "description", "platform",    "param",     "set",      "engine", "net",
    "seed",      "regimes",     "energy_rule", "workloads", "dynamics", "replan", "charge_planning",
    "in_flight", "devices",     WORKLOAD_KEYS};
static const char *const ITEM_KEYS[] = {"name", WORKLOAD_KEYS};

enum { N_FILE_KEYS = sizeof FILE_KEYS / sizeof *FILE_KEYS };
enum { N_ITEM_KEYS = sizeof ITEM_KEYS / sizeof *ITEM_KEYS };

enum ew_status ew_scenario_check_key(const struct ew_json_value *at, const char *key,
                                     bool is_of_workload, struct ew_error *err)
{
    return is_of_workload ? ew_json_check_key(at, key, ITEM_KEYS, N_ITEM_KEYS, err)
                          : ew_json_check_key(at, key, FILE_KEYS, N_FILE_KEYS, err);
}

/* --- texts ----------------------------------------------------------------------------------- */

/* Copy an optional text into the arena; must not be empty. */
static enum ew_status get_text(const char **out, struct ew_arena *arena,
                               const struct ew_json_value *object, const char *key,
                               struct ew_error *err)
{
    struct ew_json_value value;
    const char *text = NULL;
    if (!ew_json_find(&value, object, key)) {
        return EW_OK;
    }
    enum ew_status status = ew_json_as_string(&text, &value, err);
    if (status != EW_OK) {
        return status;
    }
    if (!*text) {
        return ew_json_fail(&value, err, "expected a text, found an empty one");
    }
    const char *copy = ew_arena_strdup(arena, text);
    if (!copy) {
        return ew_fail_memory(err);
    }
    *out = copy;
    return EW_OK;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* A file that a scenario names lies beside the scenario; a bare name is looked up elsewhere. */
static enum ew_status resolve(const char **name, struct ew_scenario *s, struct ew_error *err)
{
    if (!*name || (!strchr(*name, '/') && !ends_with(*name, ".json") && !ends_with(*name, ".xml") &&
                   !ends_with(*name, ".txt"))) {
        return EW_OK;
    }
    char *beside = ew_path_beside(s->path, *name);
    const char *copy = beside ? ew_arena_strdup(&s->arena, beside) : NULL;
    free(beside);
    if (!copy) {
        return ew_fail_memory(err);
    }
    *name = copy;
    return EW_OK;
}

static enum ew_status get_file(const char **out, struct ew_scenario *s,
                               const struct ew_json_value *object, const char *key,
                               struct ew_error *err)
{
    const char *name = NULL;
    enum ew_status status = get_text(&name, &s->arena, object, key, err);
    if (status == EW_OK && name) {
        status = resolve(&name, s, err);
        *out = name;
    }
    return status;
}

/* --- one workload ---------------------------------------------------------------------------- */

static enum ew_status get_arrival(struct ew_workload_spec *w, struct ew_scenario *s,
                                  const struct ew_json_value *object, struct ew_error *err)
{
    const char *text = NULL;
    struct ew_json_value value;
    enum ew_status status = get_text(&text, &s->arena, object, "arrival", err);
    if (status != EW_OK || !text) {
        return status;
    }
    (void)ew_json_find(&value, object, "arrival");
    status = ew_arrival_spec_parse(&w->arrival, text, err);
    if (status == EW_OK && w->arrival.trace_path) {
        char *beside = ew_path_beside(s->path, w->arrival.trace_path);
        w->arrival.trace_path = beside ? ew_arena_strdup(&s->arena, beside) : NULL;
        free(beside);
        return w->arrival.trace_path ? EW_OK : ew_fail_memory(err);
    }
    return status == EW_EINPUT ? ew_json_prefix(&value, err) : status;
}

static enum ew_status get_counts(struct ew_workload_spec *w, const struct ew_json_value *object,
                                 struct ew_error *err)
{
    int64_t requests = (int64_t)w->n_requests, per_job = w->requests_per_job, batch = w->batch;
    enum ew_status status =
        ew_json_get_i64(&requests, object, "requests", 1, (int64_t)EW_SCENARIO_MAX_REQUESTS, err);
    if (status == EW_OK) {
        status = ew_json_get_i64(&batch, object, "batch", 1, EW_SCENARIO_MAX_BATCH, err);
    }
    if (status == EW_OK) {
        status =
            ew_json_get_i64(&per_job, object, "requests_per_job", 1, EW_SCENARIO_MAX_BATCH, err);
    }
    w->n_requests = (uint64_t)requests;
    w->requests_per_job = (uint32_t)per_job;
    w->batch = (int32_t)batch;
    return status;
}

static enum ew_status get_requirements(struct ew_workload_spec *w,
                                       const struct ew_json_value *object, struct ew_error *err)
{
    enum ew_status status =
        ew_json_get_double(&w->deadline_s, object, "deadline_s", 1e-9, 1e9, err);
    if (status == EW_OK) {
        status = ew_json_get_double(&w->min_accuracy, object, "min_accuracy", 0, 1, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&w->min_throughput_per_s, object, "min_throughput_per_s", 0,
                                    1e9, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&w->input_bytes_per_element, object, "input_bytes_per_element",
                                    1.0 / 64, 64, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&w->activation_bytes_per_element, object,
                                    "activation_bytes_per_element", 1.0 / 64, 64, err);
    }
    return status;
}

/* Keys of `object` over what `w` already says. */
static enum ew_status read_workload(struct ew_workload_spec *w, struct ew_scenario *s,
                                    const struct ew_json_value *object, struct ew_error *err)
{
    enum ew_status status = get_file(&w->graph, s, object, "graph", err);
    if (status == EW_OK) {
        status = get_file(&w->plan, s, object, "plan", err);
    }
    if (status == EW_OK) {
        status = get_text(&w->source_device, &s->arena, object, "source", err);
    }
    if (status == EW_OK) {
        status = get_text(&w->sink_device, &s->arena, object, "sink", err);
    }
    if (status == EW_OK) {
        status = get_arrival(w, s, object, err);
    }
    if (status == EW_OK) {
        status = get_counts(w, object, err);
    }
    if (status == EW_OK) {
        status = get_requirements(w, object, err);
    }
    return status;
}

static enum ew_status check_workload(const struct ew_workload_spec *w,
                                     const struct ew_json_value *at, struct ew_error *err)
{
    const enum ew_status status = ew_workload_spec_check(w, err);
    return status == EW_OK ? status : ew_json_prefix(at, err);
}

/* Names keep workloads apart in every output. */
static enum ew_status check_new_name(const struct ew_scenario *s, uint32_t n,
                                     const struct ew_json_value *item, struct ew_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(s->workloads[i].name, s->workloads[n].name) == 0) {
            return ew_json_fail(item, err, "expected a new name, found '%s' a second time",
                                s->workloads[n].name);
        }
    }
    return EW_OK;
}

static enum ew_status read_workloads(struct ew_scenario *s, const struct ew_json_value *list,
                                     struct ew_error *err)
{
    const struct ew_workload_spec defaults = s->workloads[0];
    const size_t n = ew_json_count(list);
    if (n < 1 || n > EW_SCENARIO_MAX_WORKLOADS) {
        return ew_json_fail(list, err, "expected 1..%d workloads, found %zu",
                            EW_SCENARIO_MAX_WORKLOADS, n);
    }
    s->workloads = ew_arena_calloc(&s->arena, n, sizeof *s->workloads);
    if (!s->workloads) {
        return ew_fail_memory(err);
    }
    s->n_workloads = (uint32_t)n;
    struct ew_json_value item = {0};
    for (uint32_t i = 0; ew_json_next(&item, list); i++) {
        struct ew_workload_spec *w = &s->workloads[i];
        *w = defaults;
        const char *required;
        enum ew_status status = ew_json_check_keys(&item, ITEM_KEYS, N_ITEM_KEYS, err);
        if (status == EW_OK) {
            status = ew_json_need_string(&required, &item, "name", err);
        }
        if (status == EW_OK) {
            status = get_text(&w->name, &s->arena, &item, "name", err);
        }
        if (status == EW_OK) {
            status = check_new_name(s, i, &item, err);
        }
        if (status == EW_OK) {
            status = get_text(&w->strategy, &s->arena, &item, "strategy", err);
        }
        if (status == EW_OK) {
            status = read_workload(w, s, &item, err);
        }
        if (status == EW_OK) {
            status = check_workload(w, &item, err);
        }
        if (status != EW_OK) {
            return status;
        }
    }
    return EW_OK;
}

/* --- the rest of the file ----------------------------------------------------------------------
 */

static enum ew_status add_strategy(struct ew_scenario *s, const struct ew_json_value *value,
                                   struct ew_error *err)
{
    const char *id;
    enum ew_status status = ew_json_as_string(&id, value, err);
    if (status != EW_OK) {
        return status;
    }
    if (!*id || s->n_strategies >= MAX_STRATEGIES) {
        return ew_json_fail(value, err, "expected at most %d strategy ids, none of them empty",
                            MAX_STRATEGIES);
    }
    const char *copy = ew_arena_strdup(&s->arena, id);
    return copy ? ew_scenario_add_strategy(s, copy, err) : ew_fail_memory(err);
}

/* "strategy": one id or a list of them. */
static enum ew_status read_strategies(struct ew_scenario *s, const struct ew_json_value *root,
                                      struct ew_error *err)
{
    struct ew_json_value value;
    if (!ew_json_find(&value, root, "strategy")) {
        return EW_OK;
    }
    if (!ew_json_is_array(&value)) {
        return ew_json_is_string(&value) ? add_strategy(s, &value, err)
                                         : ew_json_expected(&value, "an id or a list of ids", err);
    }
    struct ew_json_value item = {0};
    enum ew_status status = EW_OK;
    while (status == EW_OK && ew_json_next(&item, &value)) {
        status = add_strategy(s, &item, err);
    }
    return status;
}

/* A parameter's value as a user would write it. */
static enum ew_status value_text(struct ew_str *out, const struct ew_json_value *value,
                                 struct ew_error *err)
{
    const char *text;
    double number;
    bool flag;
    if (ew_json_is_string(value)) {
        const enum ew_status status = ew_json_as_string(&text, value, err);
        ew_str_append(out, status == EW_OK ? text : "");
        return status;
    }
    if (ew_json_is_number(value)) {
        char digits[32];
        const enum ew_status status = ew_json_as_double(&number, value, -HUGE_VAL, HUGE_VAL, err);
        ew_format_double(digits, status == EW_OK ? number : 0);
        ew_str_append(out, digits);
        return status;
    }
    if (ew_json_as_bool(&flag, value, NULL) != EW_OK) {
        return ew_json_expected(value, "a text, a number, true or false", err);
    }
    ew_str_append(out, flag ? "true" : "false");
    return EW_OK;
}

static enum ew_status read_param(struct ew_scenario *s, const struct ew_json_value *item,
                                 struct ew_error *err)
{
    struct ew_scenario_param setting;
    struct ew_str text = {0};
    ew_str_append(&text, ew_json_name(item));
    ew_str_append(&text, "=");
    enum ew_status status = value_text(&text, item, err);
    if (status == EW_OK && text.failed) {
        status = ew_fail_memory(err);
    }
    if (status == EW_OK) {
        status = ew_scenario_param_parse(&setting, &s->arena, ew_str_text(&text), err);
        if (status == EW_EINPUT) {
            (void)ew_json_prefix(item, err);
        }
    }
    if (status == EW_OK) {
        status = ew_scenario_add_param(s, setting, err);
    }
    ew_str_fini(&text);
    return status;
}

static enum ew_status read_override(struct ew_scenario *s, const struct ew_json_value *item,
                                    struct ew_error *err)
{
    double value;
    struct ew_override override;
    enum ew_status status = ew_json_as_double(&value, item, -HUGE_VAL, HUGE_VAL, err);
    if (status != EW_OK) {
        return status;
    }
    status = ew_override_parse(&override, &s->arena, ew_json_name(item), value, err);
    if (status == EW_EINPUT) {
        return ew_json_prefix(item, err);
    }
    return status == EW_OK ? ew_scenario_add_override(s, override, err) : status;
}

/* Call `read` for every member of the optional object `key`. */
static enum ew_status
read_members(struct ew_scenario *s, const struct ew_json_value *root, const char *key,
             enum ew_status (*read)(struct ew_scenario *s, const struct ew_json_value *item,
                                    struct ew_error *err),
             struct ew_error *err)
{
    struct ew_json_value object = {0}, item = {0};
    enum ew_status status = ew_json_get_object(&object, root, key, err);
    if (status != EW_OK || !ew_json_is_present(&object)) {
        return status;
    }
    while (status == EW_OK && ew_json_next(&item, &object)) {
        status = read(s, &item, err);
    }
    return status;
}

/* A text that must be one of a few. */
static enum ew_status get_choice(const char **out, struct ew_scenario *s,
                                 const struct ew_json_value *root, const char *key,
                                 const char *const choices[2], struct ew_error *err)
{
    const char *text = NULL;
    enum ew_status status = get_text(&text, &s->arena, root, key, err);
    if (status != EW_OK || !text) {
        return status;
    }
    if (strcmp(text, choices[0]) != 0 && strcmp(text, choices[1]) != 0) {
        struct ew_json_value value;
        (void)ew_json_find(&value, root, key);
        return ew_json_fail(&value, err, "expected '%s' or '%s', found '%s'", choices[0],
                            choices[1], text);
    }
    *out = text;
    return EW_OK;
}

static enum ew_status read_engine(struct ew_scenario *s, const struct ew_json_value *root,
                                  struct ew_error *err)
{
    static const char *const nets[2] = {"ideal", "tcp"};
    static const char *const rules[2] = {"both", "receiver"};
    int64_t seed = (int64_t)s->seed;
    enum ew_status status = get_text(&s->engine, &s->arena, root, "engine", err);
    if (status == EW_OK) {
        status = get_choice(&s->net, s, root, "net", nets, err);
    }
    if (status == EW_OK) {
        status = get_choice(&s->energy_rule, s, root, "energy_rule", rules, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_i64(&seed, root, "seed", 0, EW_JSON_MAX_INT, err);
    }
    int64_t regimes = (int64_t)s->regimes;
    if (status == EW_OK) {
        status = ew_json_get_i64(&regimes, root, "regimes", 0, EW_SCENARIO_MAX_REGIMES, err);
    }
    s->regimes = (uint32_t)regimes;
    s->seed = (uint64_t)seed;
    return status;
}

static enum ew_status read_replan(struct ew_scenario *s, const struct ew_json_value *root,
                                  struct ew_error *err)
{
    struct ew_json_value value;
    const char *text = NULL;
    enum ew_status status = EW_OK;
    if (ew_json_find(&value, root, "replan")) {
        status = ew_json_as_string(&text, &value, err);
        if (status == EW_OK && ew_replan_parse(&s->replan, text, err) != EW_OK) {
            return ew_json_prefix(&value, err);
        }
    }
    if (status == EW_OK && ew_json_find(&value, root, "in_flight")) {
        status = ew_json_as_string(&text, &value, err);
        if (status == EW_OK && !ew_in_flight_find(&s->replan.moves_jobs, text)) {
            return ew_json_expected(&value, "\"keep\" or \"move\"", err);
        }
    }
    if (status == EW_OK && ew_json_find(&value, root, "charge_planning")) {
        status = ew_json_as_string(&text, &value, err);
        if (status == EW_OK && ew_replan_parse_charge(&s->replan, text, err) != EW_OK) {
            return ew_json_prefix(&value, err);
        }
    }
    return status;
}

static enum ew_status read_device_count(struct ew_scenario *s, const struct ew_json_value *root,
                                        struct ew_error *err)
{
    int64_t n = 0;
    const enum ew_status status = ew_json_get_i64(&n, root, "devices", 1, EW_MAX_DEVICES, err);
    s->n_devices = (uint32_t)n;
    return status;
}

static enum ew_status read_scenario(struct ew_scenario *s, const struct ew_json_value *root,
                                    struct ew_error *err)
{
    struct ew_json_value workloads = {0};
    const char *description;
    enum ew_status status = ew_json_check_schema(root, "edgeweave.scenario/1", err);
    if (status == EW_OK) {
        status = ew_json_check_keys(root, FILE_KEYS, N_FILE_KEYS, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_string(&description, root, "description", err);
    }
    if (status == EW_OK) {
        status = get_file(&s->platform, s, root, "platform", err);
    }
    if (status == EW_OK) {
        status = read_device_count(s, root, err);
    }
    if (status == EW_OK) {
        status = read_strategies(s, root, err);
    }
    if (status == EW_OK) {
        status = read_members(s, root, "param", read_param, err);
    }
    if (status == EW_OK) {
        status = read_members(s, root, "set", read_override, err);
    }
    if (status == EW_OK) {
        status = read_engine(s, root, err);
    }
    if (status == EW_OK) {
        status = read_replan(s, root, err);
    }
    if (status == EW_OK) {
        status = ew_dynamics_read_json(&s->dynamics, &s->arena, s->path, root, err);
    }
    if (status == EW_OK) {
        status = read_workload(&s->workloads[0], s, root, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_array(&workloads, root, "workloads", err);
    }
    if (status == EW_OK) {
        status = ew_json_is_present(&workloads) ? read_workloads(s, &workloads, err)
                                                : check_workload(&s->workloads[0], root, err);
    }
    return status;
}

/* --- entry points ------------------------------------------------------------------------------
 */

static enum ew_status from_doc(struct ew_scenario *out, const struct ew_json_doc *doc,
                               const char *path, struct ew_error *err)
{
    struct ew_scenario s;
    enum ew_status status = ew_scenario_init(&s, err);
    if (status != EW_OK) {
        return status;
    }
    s.path = ew_arena_strdup(&s.arena, path);
    const struct ew_json_value root = ew_json_root(doc);
    status = s.path ? read_scenario(&s, &root, err) : ew_fail_memory(err);
    if (status == EW_OK) {
        *out = s;
    } else {
        ew_scenario_fini(&s);
    }
    return status;
}

enum ew_status ew_scenario_load_json(struct ew_scenario *out, const char *path,
                                     struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = from_doc(out, doc, path, err);
    }
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_scenario_parse_json(struct ew_scenario *out, const char *text, size_t size,
                                      const char *path, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_parse(&doc, text, size, path, err);
    if (status == EW_OK) {
        status = from_doc(out, doc, path, err);
    }
    ew_json_doc_free(doc);
    return status;
}
