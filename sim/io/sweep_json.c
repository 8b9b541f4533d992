#include "io/sweep_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "io/json_read.h"
#include "io/sweep_base.h"

enum {
    MAX_FILE_BYTES = 16 << 20,
    MAX_VALUES = 1000000,
    MAX_RULES = 1000,
};

static const char *const FILE_KEYS[] = {"schema", "description", "scenario",
                                        "axes",   "exclude",     "time_limit_s"};
static const char *const AXIS_KEYS[] = {"key", "name", "values", "range", "log_range"};
static const char *const RANGE_KEYS[] = {"from", "to", "count", "step"};
static const char *const LOG_KEYS[] = {"from", "to", "count"};
static const char *const SEED_KEYS[] = {"from", "count"};

#define CHECK_KEYS(value, keys, err)                                                               \
    ew_json_check_keys(value, keys, sizeof keys / sizeof *keys, err)

/* What is being filled. */
struct reader {
    struct ew_sweep_spec *spec;
    uint64_t n_points; /* of the axes so far */
};

/* --- texts -------------------------------------------------------------------------------------
 */

/* Twelve digits: the middle of 1 .. 100 is 10, not 10.000000000000002. */
static enum ew_status number_text(const char **out, struct ew_arena *arena, double x,
                                  struct ew_error *err)
{
    char digits[32];
    double rounded = x;
    (void)snprintf(digits, sizeof digits, "%.12g", x);
    (void)ew_parse_double(digits, &rounded);
    ew_format_double(digits, rounded);
    *out = ew_arena_strdup(arena, digits);
    return *out ? EW_OK : ew_fail_memory(err);
}

/* --- values of an axis -------------------------------------------------------------------------
 */

/* One varied key and its values. */
struct column {
    const char **values;
    uint32_t n;
};

static enum ew_status column_begin(struct column *c, struct reader *r, double n,
                                   const struct ew_json_value *at, struct ew_error *err)
{
    if (!(n >= 1 && n <= MAX_VALUES)) {
        return ew_json_fail(at, err, "expected 1..%d values, found %.0f", MAX_VALUES, n);
    }
    c->n = (uint32_t)n;
    c->values = ew_arena_calloc(&r->spec->arena, c->n, sizeof *c->values);
    return c->values ? EW_OK : ew_fail_memory(err);
}

static enum ew_status read_list(struct column *c, struct reader *r,
                                const struct ew_json_value *list, struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = ew_json_as_array(list, err);
    if (status == EW_OK) {
        status = column_begin(c, r, (double)ew_json_count(list), list, err);
    }
    for (uint32_t i = 0; status == EW_OK && ew_json_next(&item, list); i++) {
        status = ew_sweep_value_text(&c->values[i], &r->spec->arena, &item, err);
    }
    return status;
}

/* The last value is the end itself. */
static double between(double from, double to, uint32_t i, uint32_t n, bool is_log)
{
    const double part = n > 1 ? (double)i / (double)(n - 1) : 0;
    if (i + 1 == n && n > 1) {
        return to;
    }
    return is_log ? from * pow(to / from, part) : from + (to - from) * part;
}

static enum ew_status fill_range(struct column *c, struct reader *r, const double ends[2],
                                 bool is_log, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < c->n; i++) {
        status = number_text(&c->values[i], &r->spec->arena,
                             between(ends[0], ends[1], i, c->n, is_log), err);
    }
    return status;
}

static enum ew_status fill_steps(struct column *c, struct reader *r, double from, double step,
                                 struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < c->n; i++) {
        status = number_text(&c->values[i], &r->spec->arena, from + step * i, err);
    }
    return status;
}

static enum ew_status read_ends(double ends[2], const struct ew_json_value *range, double least,
                                struct ew_error *err)
{
    enum ew_status status = ew_json_need_double(&ends[0], range, "from", least, 1e300, err);
    return status == EW_OK ? ew_json_need_double(&ends[1], range, "to", least, 1e300, err) : status;
}

static enum ew_status read_range(struct column *c, struct reader *r,
                                 const struct ew_json_value *range, struct ew_error *err)
{
    double ends[2] = {0}, step = 0;
    int64_t count = 0;
    enum ew_status status = CHECK_KEYS(range, RANGE_KEYS, err);
    if (status == EW_OK) {
        status = read_ends(ends, range, -1e300, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&step, range, "step", -1e300, 1e300, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_i64(&count, range, "count", 1, MAX_VALUES, err);
    }
    if (status == EW_OK && (count > 0) == (step != 0)) {
        status = ew_json_fail(range, err, "expected either 'count' or a 'step' other than 0");
    }
    if (status != EW_OK) {
        return status;
    }
    if (count > 0) {
        status = column_begin(c, r, (double)count, range, err);
        return status == EW_OK ? fill_range(c, r, ends, false, err) : status;
    }
    /* 0.1 steps from 0 to 0.3 are four values, whatever 0.3 / 0.1 is in binary */
    status = column_begin(c, r, floor((ends[1] - ends[0]) / step + 1e-9) + 1, range, err);
    return status == EW_OK ? fill_steps(c, r, ends[0], step, err) : status;
}

static enum ew_status read_log_range(struct column *c, struct reader *r,
                                     const struct ew_json_value *range, struct ew_error *err)
{
    double ends[2] = {0};
    int64_t count = 0;
    enum ew_status status = CHECK_KEYS(range, LOG_KEYS, err);
    if (status == EW_OK) {
        status = read_ends(ends, range, 1e-300, err);
    }
    if (status == EW_OK) {
        status = ew_json_need_i64(&count, range, "count", 1, MAX_VALUES, err);
    }
    if (status == EW_OK) {
        status = column_begin(c, r, (double)count, range, err);
    }
    return status == EW_OK ? fill_range(c, r, ends, true, err) : status;
}

/* "seeds": N is 1 .. N. */
static enum ew_status read_seeds(struct column *c, struct reader *r,
                                 const struct ew_json_value *seeds, struct ew_error *err)
{
    int64_t from = 1, count = 0;
    enum ew_status status;
    if (ew_json_is_object(seeds)) {
        status = CHECK_KEYS(seeds, SEED_KEYS, err);
        if (status == EW_OK) {
            status = ew_json_get_i64(&from, seeds, "from", 0, EW_JSON_MAX_INT - MAX_VALUES, err);
        }
        if (status == EW_OK) {
            status = ew_json_need_i64(&count, seeds, "count", 1, MAX_VALUES, err);
        }
    } else {
        status = ew_json_as_i64(&count, seeds, 1, MAX_VALUES, err);
    }
    if (status == EW_OK) {
        status = column_begin(c, r, (double)count, seeds, err);
    }
    return status == EW_OK ? fill_steps(c, r, (double)from, 1, err) : status;
}

/* --- axes --------------------------------------------------------------------------------------
 */

/* A column that queries and lists of columns can name. */
static bool is_column_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        if (strchr(",\"\\", *c) || (unsigned char)*c < ' ' || *c == 0x7f) {
            return false;
        }
    }
    return true;
}

static enum ew_status add_key(struct reader *r, const char *key, const char *name,
                              const struct ew_json_value *at, struct ew_error *err)
{
    struct ew_sweep_spec *spec = r->spec;
    const char *key_copy = ew_arena_strdup(&spec->arena, key);
    const char *name_copy = ew_arena_strdup(&spec->arena, name);
    if (!key_copy || !name_copy) {
        return ew_fail_memory(err);
    }
    if (!*key || !*name || spec->n_keys >= EW_SWEEP_MAX_KEYS) {
        return ew_json_fail(at, err, "expected at most %d keys, none of them empty",
                            EW_SWEEP_MAX_KEYS);
    }
    if (!is_column_name(name)) {
        return ew_json_fail(at, err,
                            "expected a name without commas, double quotes, backslashes and "
                            "control characters, found '%s'; choose another with \"name\"",
                            name);
    }
    struct ew_sweep_key made;
    const enum ew_status status = ew_sweep_make_key(&made, spec, key_copy, name_copy, at, err);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        const struct ew_sweep_key *other = &spec->keys[i];
        if (ew_sweep_key_is_same(other, &made)) {
            return ew_json_fail(at, err, "key '%s' varies already in another axis", key);
        }
        if (strcmp(other->name, made.name) == 0) {
            return ew_json_fail(at, err, "expected a new name, found '%s' a second time", name);
        }
    }
    spec->keys[spec->n_keys++] = made;
    return EW_OK;
}

/* One key with its values. */
static enum ew_status read_column(struct column *c, struct reader *r,
                                  const struct ew_json_value *axis, struct ew_error *err)
{
    struct ew_json_value value;
    const char *key = NULL;
    enum ew_status status = CHECK_KEYS(axis, AXIS_KEYS, err);
    if (status == EW_OK) {
        status = ew_json_need_string(&key, axis, "key", err);
    }
    const char *name = key;
    if (status == EW_OK) {
        status = ew_json_get_string(&name, axis, "name", err);
    }
    if (status == EW_OK) {
        status = add_key(r, key, name, axis, err);
    }
    if (status != EW_OK) {
        return status;
    }
    if (ew_json_count(axis) != (ew_json_find(&value, axis, "name") ? 3 : 2)) {
        return ew_json_fail(axis, err, "expected one of 'values', 'range' and 'log_range'");
    }
    if (ew_json_find(&value, axis, "values")) {
        return read_list(c, r, &value, err);
    }
    return ew_json_find(&value, axis, "range")       ? read_range(c, r, &value, err)
           : ew_json_find(&value, axis, "log_range") ? read_log_range(c, r, &value, err)
                                                     : EW_OK;
}

/* Several keys, value by value. */
static enum ew_status read_zip(struct ew_sweep_axis *axis, struct reader *r,
                               const struct ew_json_value *zip, struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = ew_json_as_array(zip, err);
    const size_t n = status == EW_OK ? ew_json_count(zip) : 0;
    if (status == EW_OK && (n < 1 || n > EW_SWEEP_MAX_KEYS)) {
        status = ew_json_fail(zip, err, "expected 1..%d keys with values", EW_SWEEP_MAX_KEYS);
    }
    axis->n_keys = (uint32_t)n;
    for (uint32_t k = 0; status == EW_OK && ew_json_next(&item, zip); k++) {
        struct column c = {0};
        status = read_column(&c, r, &item, err);
        if (status == EW_OK && k == 0) {
            axis->n_values = c.n;
            axis->values = ew_arena_calloc(&r->spec->arena, n * c.n, sizeof *axis->values);
            status = axis->values ? EW_OK : ew_fail_memory(err);
        }
        if (status == EW_OK && c.n != axis->n_values) {
            status = ew_json_fail(&item, err, "expected %u values like its neighbours, found %u",
                                  axis->n_values, c.n);
        }
        for (uint32_t i = 0; status == EW_OK && i < c.n; i++) {
            axis->values[i * n + k] = c.values[i];
        }
    }
    return status;
}

static enum ew_status read_axis(struct reader *r, const struct ew_json_value *item,
                                struct ew_error *err)
{
    struct ew_sweep_axis *axis = &r->spec->axes[r->spec->n_axes];
    struct ew_json_value value;
    struct column c = {0};
    enum ew_status status = EW_OK;
    axis->first_key = r->spec->n_keys;
    axis->n_keys = 1;
    if (!ew_json_is_object(item)) {
        return ew_json_expected(item, "an object", err);
    }
    if (ew_json_count(item) == 1 && ew_json_find(&value, item, "zip")) {
        status = read_zip(axis, r, &value, err);
    } else if (ew_json_count(item) == 1 && ew_json_find(&value, item, "seeds")) {
        status = add_key(r, "seed", "seed", item, err);
        if (status == EW_OK) {
            status = read_seeds(&c, r, &value, err);
        }
    } else {
        status = read_column(&c, r, item, err);
    }
    if (c.values) {
        axis->values = c.values;
        axis->n_values = c.n;
    }
    if (status == EW_OK) {
        r->n_points *= axis->n_values;
        r->spec->n_axes++;
        if (r->n_points > EW_SWEEP_MAX_POINTS) {
            status = ew_json_fail(item, err, "expected at most %.0f combinations of all axes",
                                  (double)EW_SWEEP_MAX_POINTS);
        }
    }
    return status;
}

static enum ew_status read_axes(struct reader *r, const struct ew_json_value *root,
                                struct ew_error *err)
{
    struct ew_sweep_spec *spec = r->spec;
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_need_array(&list, root, "axes", err);
    const size_t n = status == EW_OK ? ew_json_count(&list) : 0;
    if (status == EW_OK && n > EW_SWEEP_MAX_AXES) {
        status =
            ew_json_fail(&list, err, "expected at most %d axes, found %zu", EW_SWEEP_MAX_AXES, n);
    }
    spec->axes = ew_arena_calloc(&spec->arena, n, sizeof *spec->axes);
    spec->keys = ew_arena_calloc(&spec->arena, EW_SWEEP_MAX_KEYS, sizeof *spec->keys);
    if (status == EW_OK && (!spec->axes || !spec->keys)) {
        status = ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&item, &list)) {
        status = read_axis(r, &item, err);
    }
    return status;
}

/* --- exclusions --------------------------------------------------------------------------------
 */

static const char *key_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_sweep_spec *)ctx)->keys[i].name;
}

/* A varied key by the name of its column or by the key itself. */
static enum ew_status find_key(uint32_t *out, const struct ew_sweep_spec *spec,
                               const struct ew_json_value *member, struct ew_error *err)
{
    const char *name = ew_json_name(member);
    struct ew_sweep_key wanted;
    struct ew_error ignored = {0}; /* it may be a name of a column */
    const bool is_key = ew_sweep_make_key(&wanted, spec, name, name, member, &ignored) == EW_OK;
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        const struct ew_sweep_key *key = &spec->keys[i];
        if (strcmp(key->name, name) == 0 || (is_key && ew_sweep_key_is_same(key, &wanted))) {
            *out = i;
            return EW_OK;
        }
    }
    const char *near = ew_nearest_name(name, spec->n_keys, key_name_at, spec);
    return ew_json_fail(member, err, "expected a key that an axis varies%s%s%s",
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum ew_status read_match(struct ew_sweep_match *match, struct reader *r,
                                 const struct ew_json_value *member, struct ew_error *err)
{
    struct column c = {0};
    enum ew_status status = find_key(&match->key, r->spec, member, err);
    if (status == EW_OK && ew_json_is_array(member)) {
        status = read_list(&c, r, member, err);
    } else if (status == EW_OK) {
        status = column_begin(&c, r, 1, member, err);
        if (status == EW_OK) {
            status = ew_sweep_value_text(&c.values[0], &r->spec->arena, member, err);
        }
    }
    match->n_values = c.n;
    match->values = c.values;
    return status;
}

static enum ew_status read_rule(struct ew_sweep_rule *rule, struct reader *r,
                                const struct ew_json_value *object, struct ew_error *err)
{
    struct ew_json_value member = {0};
    if (!ew_json_is_object(object) || ew_json_count(object) == 0) {
        return ew_json_expected(object, "an object with at least one key", err);
    }
    rule->matches = ew_arena_calloc(&r->spec->arena, ew_json_count(object), sizeof *rule->matches);
    enum ew_status status = rule->matches ? EW_OK : ew_fail_memory(err);
    while (status == EW_OK && ew_json_next(&member, object)) {
        status = read_match(&rule->matches[rule->n_matches++], r, &member, err);
    }
    return status;
}

static enum ew_status read_rules(struct reader *r, const struct ew_json_value *root,
                                 struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, root, "exclude", err);
    if (status != EW_OK || !ew_json_is_present(&list)) {
        return status;
    }
    const size_t n = ew_json_count(&list);
    if (n > MAX_RULES) {
        return ew_json_fail(&list, err, "expected at most %d exclusions, found %zu", MAX_RULES, n);
    }
    r->spec->rules = ew_arena_calloc(&r->spec->arena, n, sizeof *r->spec->rules);
    if (!r->spec->rules) {
        return ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&item, &list)) {
        status = read_rule(&r->spec->rules[r->spec->n_rules++], r, &item, err);
    }
    return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static enum ew_status read_spec(struct ew_sweep_spec *spec, const struct ew_json_value *root,
                                struct ew_error *err)
{
    struct reader r = {.spec = spec, .n_points = 1};
    const char *description = "";
    enum ew_status status = ew_json_check_schema(root, "edgeweave.sweep/1", err);
    if (status == EW_OK) {
        status = CHECK_KEYS(root, FILE_KEYS, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_string(&description, root, "description", err);
    }
    if (status == EW_OK) {
        spec->description = ew_arena_strdup(&spec->arena, description);
        status = spec->description ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&spec->time_limit_s, root, "time_limit_s", 1e-3, 1e9, err);
    }
    if (status == EW_OK) {
        status = ew_sweep_read_base(spec, root, err);
    }
    if (status == EW_OK) {
        status = read_axes(&r, root, err);
    }
    return status == EW_OK ? read_rules(&r, root, err) : status;
}

static enum ew_status from_doc(struct ew_sweep_spec *out, const struct ew_json_doc *doc,
                               const char *path, struct ew_error *err)
{
    struct ew_sweep_spec spec = {.time_limit_s = INFINITY};
    const struct ew_json_value root = ew_json_root(doc);
    spec.path = ew_arena_strdup(&spec.arena, path);
    spec.scenario_path = spec.path;
    const enum ew_status status = spec.path ? read_spec(&spec, &root, err) : ew_fail_memory(err);
    if (status == EW_OK) {
        *out = spec;
    } else {
        ew_sweep_spec_fini(&spec);
    }
    return status;
}

enum ew_status ew_sweep_load_json(struct ew_sweep_spec *out, const char *path, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = from_doc(out, doc, path, err);
    }
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_sweep_parse_json(struct ew_sweep_spec *out, const char *text, size_t size,
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

void ew_sweep_spec_fini(struct ew_sweep_spec *spec)
{
    ew_arena_fini(&spec->arena);
    *spec = (struct ew_sweep_spec){0};
}
