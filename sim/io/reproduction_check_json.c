#include "io/reproduction_check_json.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

enum { MAX_CHECKS = 64, MAX_MEMBERS = 64 };

static const char *const CHECK_KEYS_OF[] = {"kind",   "text",        "metric", "series", "cases",
                                            "factor", "slack_ratio", "value",  "x"};

static const char *const KINDS[] = {
    [EW_CHECK_ORDER] = "order",
    [EW_CHECK_AT_MOST] = "at_most",
    [EW_CHECK_AT_LEAST] = "at_least",
    [EW_CHECK_RATIO_ORDER] = "ratio_order",
    [EW_CHECK_RISING] = "rising",
    [EW_CHECK_FALLING] = "falling",
    [EW_CHECK_PEAK] = "peak",
    [EW_CHECK_MET] = "met",
    [EW_CHECK_FEASIBLE] = "met_when_feasible",
};

enum { N_KINDS = sizeof KINDS / sizeof *KINDS };

static const char *series_at(const void *ctx, size_t i)
{
    return ((const struct ew_repro_figure *)ctx)->series[i];
}

enum ew_status ew_repro_find_series(uint32_t *out, const struct ew_repro_figure *figure,
                                    const struct ew_json_value *at, const char *name,
                                    struct ew_error *err)
{
    if (figure->mean_series && strcmp(name, figure->mean_series) == 0) {
        *out = figure->n_series;
        return EW_OK;
    }
    for (uint32_t i = 0; i < figure->n_series; i++) {
        if (strcmp(figure->series[i], name) == 0) {
            *out = i;
            return EW_OK;
        }
    }
    const char *near = ew_nearest_name(name, figure->n_series, series_at, figure);
    return ew_json_fail(at, err, "the figure has no series '%s'%s%s%s", name,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* --- series ------------------------------------------------------------------------------------
 */

struct members {
    uint32_t n;
    uint32_t series[MAX_MEMBERS];
    uint32_t group[MAX_MEMBERS];
};

static enum ew_status add_member(struct members *m, const struct ew_repro_figure *f,
                                 const struct ew_json_value *item, uint32_t group,
                                 struct ew_error *err)
{
    const char *name;
    enum ew_status status = ew_json_as_string(&name, item, err);
    if (status == EW_OK && m->n == MAX_MEMBERS) {
        status = ew_json_fail(item, err, "expected at most %d series", MAX_MEMBERS);
    }
    if (status == EW_OK) {
        status = ew_repro_find_series(&m->series[m->n], f, item, name, err);
    }
    if (status == EW_OK) {
        m->group[m->n++] = group;
    }
    return status;
}

/* A list of series, or of lists of series: the groups. */
static enum ew_status read_members(struct ew_repro_check *check, const struct ew_repro_figure *f,
                                   struct ew_arena *arena, const struct ew_json_value *object,
                                   struct ew_error *err)
{
    struct members m = {0};
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_need_array(&list, object, "series", err);
    for (uint32_t g = 0; status == EW_OK && ew_json_next(&item, &list); g++) {
        struct ew_json_value one = {0};
        if (!ew_json_is_array(&item)) {
            status = add_member(&m, f, &item, g, err);
        }
        while (status == EW_OK && ew_json_is_array(&item) && ew_json_next(&one, &item)) {
            status = add_member(&m, f, &one, g, err);
        }
    }
    const uint32_t least =
        check->kind == EW_CHECK_ORDER || check->kind == EW_CHECK_RATIO_ORDER ? 2 : 1;
    const bool takes_mean = !check->metric && check->kind <= EW_CHECK_AT_LEAST;
    for (uint32_t i = 0; status == EW_OK && !takes_mean && i < m.n; i++) {
        if (m.series[i] == f->n_series) {
            status = ew_json_fail(&list, err, "expected a series with runs of its own, found '%s'",
                                  f->mean_series);
        }
    }
    if (status == EW_OK && m.n < least) {
        status = ew_json_fail(&list, err, "expected at least %u series", least);
    }
    if (status == EW_OK) {
        check->n_series = m.n;
        check->series = ew_arena_copy(arena, m.series, m.n, sizeof *m.series);
        check->group = ew_arena_copy(arena, m.group, m.n, sizeof *m.group);
        status = check->series && check->group ? EW_OK : ew_fail_memory(err);
    }
    return status;
}

/* --- cases -------------------------------------------------------------------------------------
 */

/* "cases": ids of cases or of groups; absent: all. Of a small version some may be missing. */
static enum ew_status read_cases(struct ew_repro_check *check, const struct ew_repro_figure *f,
                                 struct ew_arena *arena, const struct ew_json_value *object,
                                 struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    bool *has_case = ew_arena_calloc(arena, f->n_cases, sizeof *has_case);
    enum ew_status status =
        has_case ? ew_json_get_array(&list, object, "cases", err) : ew_fail_memory(err);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t c = 0; c < f->n_cases && !ew_json_is_present(&list); c++) {
        has_case[c] = true;
    }
    while (status == EW_OK && ew_json_is_present(&list) && ew_json_next(&item, &list)) {
        const char *id;
        status = ew_json_as_string(&id, &item, err);
        for (uint32_t c = 0; status == EW_OK && c < f->n_cases; c++) {
            has_case[c] = has_case[c] || strcmp(f->cases[c].id, id) == 0 ||
                          strcmp(f->cases[c].group, id) == 0;
        }
    }
    check->has_case = has_case;
    return status;
}

/* --- a check -----------------------------------------------------------------------------------
 */

static enum ew_status read_numbers(struct ew_repro_check *check, const struct ew_json_value *object,
                                   struct ew_error *err)
{
    check->factor = 1;
    check->slack_ratio = 0.02;
    check->value = NAN;
    check->x = NAN;
    enum ew_status status = ew_json_get_double(&check->factor, object, "factor", 1e-9, 1e9, err);
    if (status == EW_OK) {
        status = ew_json_get_double(&check->slack_ratio, object, "slack_ratio", 0, 1, err);
    }
    if (status == EW_OK && (check->kind == EW_CHECK_AT_MOST || check->kind == EW_CHECK_AT_LEAST)) {
        status = ew_json_need_double(&check->value, object, "value", -1e18, 1e18, err);
    }
    if (status == EW_OK && check->kind == EW_CHECK_PEAK) {
        status = ew_json_need_double(&check->x, object, "x", -1e18, 1e18, err);
    }
    return status;
}

static enum ew_status read_kind(enum ew_repro_check_kind *out, const struct ew_json_value *object,
                                struct ew_error *err)
{
    const char *kind;
    const enum ew_status status = ew_json_need_string(&kind, object, "kind", err);
    if (status != EW_OK) {
        return status;
    }
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(KINDS[i], kind) == 0) {
            *out = (enum ew_repro_check_kind)i;
            return EW_OK;
        }
    }
    struct ew_str all = {0};
    for (int i = 0; i < N_KINDS; i++) {
        ew_str_printf(&all, "%s%s", i ? ", " : "", KINDS[i]);
    }
    (void)ew_json_fail(object, err, "kind: expected one of %s, found '%s'", ew_str_text(&all),
                       kind);
    ew_str_fini(&all);
    return EW_EINPUT;
}

static enum ew_status read_check(struct ew_repro_check *check, const struct ew_repro_figure *f,
                                 struct ew_arena *arena, const struct ew_json_value *object,
                                 struct ew_error *err)
{
    const char *text = NULL, *metric = NULL;
    enum ew_status status = ew_json_check_keys(object, CHECK_KEYS_OF,
                                               sizeof CHECK_KEYS_OF / sizeof *CHECK_KEYS_OF, err);
    if (status == EW_OK) {
        status = read_kind(&check->kind, object, err);
    }
    if (status == EW_OK) {
        status = ew_json_need_string(&text, object, "text", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_string(&metric, object, "metric", err);
    }
    if (status == EW_OK) {
        check->text = ew_arena_strdup(arena, text);
        check->metric = metric ? ew_arena_strdup(arena, metric) : NULL;
        status = check->text && (!metric || check->metric) ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        status = read_members(check, f, arena, object, err);
    }
    if (status == EW_OK) {
        status = read_cases(check, f, arena, object, err);
    }
    if (status == EW_OK) {
        status = read_numbers(check, object, err);
    }
    return status;
}

enum ew_status ew_repro_read_checks(struct ew_repro_figure *figure, struct ew_arena *arena,
                                    const struct ew_json_value *object, struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, object, "checks", err);
    if (status != EW_OK || !ew_json_is_present(&list)) {
        return status;
    }
    const size_t n = ew_json_count(&list);
    struct ew_repro_check *checks = ew_arena_calloc(arena, n, sizeof *checks);
    if (!checks || n > MAX_CHECKS) {
        return checks ? ew_json_fail(&list, err, "expected at most %d checks", MAX_CHECKS)
                      : ew_fail_memory(err);
    }
    figure->checks = checks;
    while (status == EW_OK && ew_json_next(&item, &list)) {
        status = read_check(&checks[figure->n_checks++], figure, arena, &item, err);
    }
    return status;
}
