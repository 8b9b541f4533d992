#include "io/reproduction_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/json_overlay.h"
#include "io/json_read.h"
#include "io/reproduction_check_json.h"

enum {
    MAX_FILE_BYTES = 4 << 20,
    MAX_FIGURES = 64,
    MAX_AXES = 4,
    MAX_CASES = 4096,
    MAX_SERIES = 32,
    MAX_SETTINGS = 32,
    MAX_SHARES = 16,
    SCENARIO_DEPTH = 2,
};

static const char *const FILE_KEYS[] = {"schema", "paper", "title",   "settings",
                                        "base",   "quick", "figures", "shares"};
static const char *const FIGURE_KEYS[] = {
    "id",    "title",         "source",        "mark",        "metric",      "unit",
    "scale", "x_label",       "note",          "plot",        "logarithmic", "tolerance_ratio",
    "trend", "scenario",      "axes",          "quick_items", "series",      "derive",
    "mean",  "when_both_met", "feasible_only", "mean_series", "published",   "checks"};
static const char *const ITEM_KEYS[] = {"id", "x", "scenario"};
static const char *const SERIES_KEYS[] = {"id", "scenario", "quick"};
static const char *const DERIVE_KEYS[] = {"kind", "subject"};
static const char *const SHARE_KEYS[] = {"text", "figures", "series", "within_ratio",
                                         "at_least_ratio"};

#define CHECK_KEYS(value, keys, err)                                                               \
    ew_json_check_keys(value, keys, sizeof keys / sizeof *keys, err)

/* What is being read. */
struct reader {
    struct ew_reproduction *r;
    bool is_quick;
    struct ew_json_value base;
    struct ew_json_value quick;
};

/* --- small things ------------------------------------------------------------------------------
 */

/* Copy an optional text; `fallback` when absent; required when that is NULL. */
static enum ew_status take_text(const char **out, struct ew_arena *arena,
                                const struct ew_json_value *object, const char *key,
                                const char *fallback, struct ew_error *err)
{
    const char *text = fallback;
    const enum ew_status status = fallback ? ew_json_get_string(&text, object, key, err)
                                           : ew_json_need_string(&text, object, key, err);
    if (status != EW_OK) {
        return status;
    }
    *out = ew_arena_strdup(arena, text);
    return *out ? EW_OK : ew_fail_memory(err);
}

/* Copy a list of texts. */
static enum ew_status take_texts(const char *const **out, uint32_t *n, struct ew_arena *arena,
                                 const struct ew_json_value *object, const char *key, size_t max,
                                 struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_need_array(&list, object, key, err);
    if (status != EW_OK) {
        return status;
    }
    const size_t count = ew_json_count(&list);
    if (count > max) {
        return ew_json_fail(&list, err, "expected at most %zu texts, found %zu", max, count);
    }
    const char **texts = ew_arena_calloc(arena, count, sizeof *texts);
    if (!texts) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; status == EW_OK && ew_json_next(&item, &list); i++) {
        const char *text;
        status = ew_json_as_string(&text, &item, err);
        if (status == EW_OK) {
            texts[i] = ew_arena_strdup(arena, text);
            status = texts[i] ? EW_OK : ew_fail_memory(err);
        }
    }
    *out = texts;
    *n = (uint32_t)count;
    return status;
}

/* --- cases -------------------------------------------------------------------------------------
 */

/* The axes of a figure, opened. */
struct axes {
    uint32_t n;
    struct ew_json_value lists[MAX_AXES];
    uint32_t counts[MAX_AXES]; /* all items */
    uint32_t kept[MAX_AXES];   /* items that take part */
    uint32_t n_all;            /* cases with all items */
    uint32_t n_kept;
};

static enum ew_status open_axis(struct axes *axes, const struct ew_json_value *list,
                                struct ew_error *err)
{
    enum ew_status status = ew_json_as_array(list, err);
    const size_t count = status == EW_OK ? ew_json_count(list) : 0;
    if (status == EW_OK && (count < 1 || count * axes->n_all > MAX_CASES)) {
        status = ew_json_fail(list, err, "expected 1 .. %d cases in all, found %zu", MAX_CASES,
                              count * axes->n_all);
    }
    axes->lists[axes->n] = *list;
    axes->counts[axes->n] = (uint32_t)count;
    axes->kept[axes->n++] = (uint32_t)count;
    axes->n_all *= (uint32_t)count;
    return status;
}

static enum ew_status keep_quick_items(struct axes *axes, const struct ew_json_value *figure,
                                       struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, figure, "quick_items", err);
    if (status != EW_OK || !ew_json_is_present(&list)) {
        return status;
    }
    for (uint32_t a = 0; status == EW_OK && a < axes->n && ew_json_next(&item, &list); a++) {
        int64_t n = 0;
        status = ew_json_as_i64(&n, &item, 0, axes->counts[a], err);
        axes->kept[a] = (uint32_t)n;
    }
    return status;
}

/* `list` is kept by the caller, since values borrow their parents. */
static enum ew_status open_axes(struct axes *axes, struct ew_json_value *list, bool is_quick,
                                const struct ew_json_value *figure, struct ew_error *err)
{
    struct ew_json_value item = {0};
    *axes = (struct axes){.n_all = 1, .n_kept = 1};
    enum ew_status status = ew_json_need_array(list, figure, "axes", err);
    if (status == EW_OK && (ew_json_count(list) < 1 || ew_json_count(list) > MAX_AXES)) {
        status = ew_json_fail(list, err, "expected 1 .. %d axes", MAX_AXES);
    }
    while (status == EW_OK && ew_json_next(&item, list)) {
        status = open_axis(axes, &item, err);
    }
    if (status == EW_OK && is_quick) {
        status = keep_quick_items(axes, figure, err);
    }
    for (uint32_t a = 0; a < axes->n; a++) {
        axes->n_kept *= axes->kept[a];
    }
    return status;
}

/* Items of a kept case, one per axis, and its number among all cases. */
static uint32_t case_items(struct ew_json_value items[MAX_AXES], const struct axes *axes,
                           uint32_t index)
{
    uint32_t at[MAX_AXES] = {0}, number = 0;
    for (uint32_t a = axes->n; a-- > 0;) {
        at[a] = index % axes->kept[a];
        index /= axes->kept[a];
    }
    for (uint32_t a = 0; a < axes->n; a++) {
        number = number * axes->counts[a] + at[a];
        items[a] = (struct ew_json_value){0};
        for (uint32_t i = 0; i <= at[a]; i++) {
            (void)ew_json_next(&items[a], &axes->lists[a]);
        }
    }
    return number;
}

static enum ew_status read_case(struct ew_repro_case *out, struct ew_arena *arena,
                                const struct ew_json_value *items, uint32_t n_axes,
                                struct ew_error *err)
{
    struct ew_str id = {0}, group = {0};
    enum ew_status status = EW_OK;
    out->x = NAN;
    for (uint32_t a = 0; status == EW_OK && a < n_axes; a++) {
        const char *text = "";
        status = CHECK_KEYS(&items[a], ITEM_KEYS, err);
        if (status == EW_OK) {
            status = ew_json_need_string(&text, &items[a], "id", err);
        }
        if (status == EW_OK) {
            status = ew_json_get_double(&out->x, &items[a], "x", -1e18, 1e18, err);
        }
        ew_str_printf(&id, "%s%s", a ? "/" : "", text);
        if (a + 1 < n_axes) {
            ew_str_printf(&group, "%s%s", a ? "/" : "", text);
        }
    }
    out->id = ew_arena_strdup(arena, ew_str_text(&id));
    out->group = ew_arena_strdup(arena, ew_str_text(&group));
    if (status == EW_OK && (id.failed || group.failed || !out->id || !out->group)) {
        status = ew_fail_memory(err);
    }
    ew_str_fini(&id);
    ew_str_fini(&group);
    return status;
}

/* --- scenarios ---------------------------------------------------------------------------------
 */

static enum ew_status overlay(const char **out, const struct reader *reader,
                              const struct ew_json_value *figure, const struct ew_json_value *items,
                              uint32_t n_items, const struct ew_json_value *series,
                              struct ew_error *err)
{
    struct ew_json_value layers[MAX_AXES + 5] = {0};
    struct ew_str text = {0};
    struct ew_json json = {.out = &text};
    size_t n = 0;
    layers[n++] = reader->base;
    (void)ew_json_find(&layers[n++], figure, "scenario");
    for (uint32_t a = 0; a < n_items; a++) {
        (void)ew_json_find(&layers[n++], &items[a], "scenario");
    }
    (void)ew_json_find(&layers[n++], series, "scenario");
    if (reader->is_quick) {
        layers[n++] = reader->quick;
        (void)ew_json_find(&layers[n++], series, "quick");
    }
    enum ew_status status = ew_json_overlay(&json, layers, n, SCENARIO_DEPTH, err);
    if (status == EW_OK) {
        *out = text.failed ? NULL : ew_arena_strdup(&reader->r->arena, ew_str_text(&text));
        status = *out ? EW_OK : ew_fail_memory(err);
    }
    ew_str_fini(&text);
    return status;
}

/* Cases with their scenarios; `numbers` receives their places in the lists of published values. */
static enum ew_status read_cells(struct ew_repro_figure *f, uint32_t *numbers,
                                 const struct reader *reader, const struct axes *axes,
                                 const struct ew_json_value *figure,
                                 const struct ew_json_value *series_list, struct ew_error *err)
{
    struct ew_arena *arena = &reader->r->arena;
    struct ew_repro_case *cases = ew_arena_calloc(arena, axes->n_kept, sizeof *cases);
    const char **scenarios =
        ew_arena_calloc(arena, (size_t)axes->n_kept * f->n_series, sizeof *scenarios);
    enum ew_status status = cases && scenarios ? EW_OK : ew_fail_memory(err);
    f->cases = cases;
    f->scenarios = scenarios;
    f->n_cases = axes->n_kept;
    for (uint32_t c = 0; status == EW_OK && c < axes->n_kept; c++) {
        struct ew_json_value items[MAX_AXES] = {0}, series = {0};
        numbers[c] = case_items(items, axes, c);
        status = read_case(&cases[c], arena, items, axes->n, err);
        for (uint32_t s = 0; status == EW_OK && ew_json_next(&series, series_list); s++) {
            status = overlay(&scenarios[c * f->n_series + s], reader, figure, items, axes->n,
                             &series, err);
        }
    }
    return status;
}

static enum ew_status read_series(struct ew_repro_figure *f, struct ew_arena *arena,
                                  const struct ew_json_value *list, struct ew_error *err)
{
    struct ew_json_value item = {0};
    const size_t n = ew_json_count(list);
    if (n < 1 || n > MAX_SERIES) {
        return ew_json_fail(list, err, "expected 1 .. %d series, found %zu", MAX_SERIES, n);
    }
    const char **ids = ew_arena_calloc(arena, n, sizeof *ids);
    enum ew_status status = ids ? EW_OK : ew_fail_memory(err);
    for (size_t i = 0; status == EW_OK && ew_json_next(&item, list); i++) {
        status = CHECK_KEYS(&item, SERIES_KEYS, err);
        if (status == EW_OK) {
            status = take_text(&ids[i], arena, &item, "id", NULL, err);
        }
    }
    f->series = ids;
    f->n_series = (uint32_t)n;
    return status;
}

/* --- published values --------------------------------------------------------------------------
 */

static enum ew_status read_published(struct ew_published *out, const struct ew_json_value *value,
                                     struct ew_error *err)
{
    struct ew_json_value item = {0};
    const char *text;
    bool flag;
    *out = (struct ew_published){.kind = EW_PUBLISHED_VALUE};
    if (ew_json_is_number(value)) {
        return ew_json_as_double(&out->value, value, -1e18, 1e18, err);
    }
    if (ew_json_is_string(value)) {
        out->kind = EW_PUBLISHED_BELOW;
        (void)ew_json_as_string(&text, value, NULL);
        return *text == '<' && ew_parse_double(text + 1, &out->value)
                   ? EW_OK
                   : ew_json_expected(value, "a number, null, \"<NUMBER\" or [LOW, HIGH]", err);
    }
    if (ew_json_is_array(value) && ew_json_count(value) == 2) {
        out->kind = EW_PUBLISHED_BAND;
        (void)ew_json_next(&item, value);
        enum ew_status status = ew_json_as_double(&out->value, &item, -1e18, 1e18, err);
        if (status == EW_OK && ew_json_next(&item, value)) {
            status = ew_json_as_double(&out->high, &item, out->value, 1e18, err);
        }
        return status;
    }
    out->kind = EW_PUBLISHED_NONE;
    return ew_json_is_array(value) || ew_json_is_object(value) ||
                   ew_json_as_bool(&flag, value, NULL) == EW_OK
               ? ew_json_expected(value, "a number, null, \"<NUMBER\" or [LOW, HIGH]", err)
               : EW_OK;
}

static enum ew_status read_published_series(struct ew_published *published,
                                            const struct ew_repro_figure *f,
                                            const struct ew_json_value *list, uint32_t n_all,
                                            const uint32_t *numbers, struct ew_error *err)
{
    struct ew_json_value item = {0};
    uint32_t series;
    enum ew_status status = ew_json_as_array(list, err);
    if (status == EW_OK) {
        status = ew_repro_find_series(&series, f, list, ew_json_name(list), err);
    }
    if (status == EW_OK && ew_json_count(list) != n_all) {
        status = ew_json_fail(list, err, "expected a value for each of %u cases, found %zu", n_all,
                              ew_json_count(list));
    }
    for (uint32_t i = 0, c = 0; status == EW_OK && ew_json_next(&item, list); i++) {
        struct ew_published value;
        status = read_published(&value, &item, err);
        if (status == EW_OK && c < f->n_rows && numbers[c] == i) { /* numbers ascend */
            published[c++ * f->n_shown + series] = value;
        }
    }
    return status;
}

static enum ew_status read_all_published(struct ew_repro_figure *f, struct ew_arena *arena,
                                         const struct ew_json_value *figure, uint32_t n_all,
                                         const uint32_t *numbers, struct ew_error *err)
{
    static const uint32_t mean_number = 0;
    struct ew_json_value object = {0}, list = {0};
    struct ew_published *published =
        ew_arena_calloc(arena, (size_t)f->n_rows * f->n_shown, sizeof *published);
    enum ew_status status =
        published ? ew_json_get_object(&object, figure, "published", err) : ew_fail_memory(err);
    f->published = published;
    while (status == EW_OK && ew_json_is_present(&object) && ew_json_next(&list, &object)) {
        status = read_published_series(published, f, &list, f->is_mean ? 1 : n_all,
                                       f->is_mean ? &mean_number : numbers, err);
    }
    return status;
}

/* --- a figure ----------------------------------------------------------------------------------
 */

static enum ew_status read_texts(struct ew_repro_figure *f, struct ew_arena *arena,
                                 const struct ew_json_value *figure, struct ew_error *err)
{
    const struct {
        const char **out;
        const char *key;
        const char *fallback;
    } texts[] = {
        {&f->id, "id", NULL},         {&f->title, "title", NULL},
        {&f->source, "source", ""},   {&f->mark, "mark", ""},
        {&f->metric, "metric", NULL}, {&f->unit, "unit", ""},
        {&f->x_label, "x_label", ""}, {&f->note, "note", ""},
        {&f->plot, "plot", "bars"},   {&f->mean_series, "mean_series", ""},
    };
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < sizeof texts / sizeof *texts; i++) {
        status = take_text(texts[i].out, arena, figure, texts[i].key, texts[i].fallback, err);
    }
    if (status == EW_OK && !*f->mean_series) {
        f->mean_series = NULL;
    }
    return status;
}

static enum ew_status read_options(struct ew_repro_figure *f, const struct ew_json_value *figure,
                                   struct ew_error *err)
{
    const char *trend = "series";
    f->scale = 1;
    f->tolerance_ratio = 0.25;
    enum ew_status status = ew_json_get_double(&f->scale, figure, "scale", 1e-12, 1e12, err);
    if (status == EW_OK) {
        status = ew_json_get_double(&f->tolerance_ratio, figure, "tolerance_ratio", 0, 10, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_bool(&f->is_logarithmic, figure, "logarithmic", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_bool(&f->is_mean, figure, "mean", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_bool(&f->is_feasible_only, figure, "feasible_only", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_bool(&f->is_pairwise, figure, "when_both_met", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_string(&trend, figure, "trend", err);
    }
    if (status == EW_OK && strcmp(trend, "series") != 0 && strcmp(trend, "cases") != 0) {
        status =
            ew_json_fail(figure, err, "trend: expected 'series' or 'cases', found '%s'", trend);
    }
    f->trend_across_cases = strcmp(trend, "cases") == 0;
    return status;
}

static enum ew_status read_derivation(struct ew_repro_figure *f, const struct ew_json_value *figure,
                                      struct ew_error *err)
{
    static const char *const kinds[] = {"none", "saving_pct", "gain_pct", "difference"};
    struct ew_json_value object = {0};
    const char *kind = NULL, *subject = NULL;
    enum ew_status status = ew_json_get_object(&object, figure, "derive", err);
    if (status != EW_OK || !ew_json_is_present(&object)) {
        return status;
    }
    status = CHECK_KEYS(&object, DERIVE_KEYS, err);
    if (status == EW_OK) {
        status = ew_json_need_string(&kind, &object, "kind", err);
    }
    if (status == EW_OK) {
        status = ew_json_need_string(&subject, &object, "subject", err);
    }
    if (status == EW_OK) {
        status = ew_repro_find_series(&f->subject, f, &object, subject, err);
    }
    if (status == EW_OK && f->subject == f->n_series) {
        status = ew_json_fail(&object, err, "subject: expected a series with runs of its own");
    }
    for (int i = 1; status == EW_OK && i < 4; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            f->derivation = (enum ew_derivation)i;
        }
    }
    if (status == EW_OK && f->derivation == EW_DERIVE_NONE) {
        status = ew_json_fail(
            &object, err, "kind: expected saving_pct, gain_pct or difference, found '%s'", kind);
    }
    return status;
}

static enum ew_status read_figure(struct ew_repro_figure *f, const struct reader *reader,
                                  const struct ew_json_value *figure, struct ew_error *err)
{
    struct ew_arena *arena = &reader->r->arena;
    struct ew_json_value series = {0}, axis_list = {0};
    struct axes axes;
    uint32_t *numbers = NULL;
    enum ew_status status = CHECK_KEYS(figure, FIGURE_KEYS, err);
    if (status == EW_OK) {
        status = read_texts(f, arena, figure, err);
    }
    if (status == EW_OK) {
        status = read_options(f, figure, err);
    }
    if (status == EW_OK) {
        status = ew_json_need_array(&series, figure, "series", err);
    }
    if (status == EW_OK) {
        status = read_series(f, arena, &series, err);
    }
    if (status == EW_OK) {
        status = read_derivation(f, figure, err);
    }
    if (status == EW_OK) {
        status = open_axes(&axes, &axis_list, reader->is_quick, figure, err);
    }
    if (status == EW_OK) {
        numbers = ew_arena_calloc(arena, axes.n_kept, sizeof *numbers);
        status = numbers ? read_cells(f, numbers, reader, &axes, figure, &series, err)
                         : ew_fail_memory(err);
    }
    if (status != EW_OK) {
        return status;
    }
    if (f->is_pairwise && (!f->is_mean || f->derivation == EW_DERIVE_NONE)) {
        return ew_json_fail(figure, err, "when_both_met: expected mean and derive as well");
    }
    f->n_rows = f->is_mean ? (f->n_cases > 0) : f->n_cases;
    f->n_shown = f->n_series + (f->mean_series != NULL);
    status = read_all_published(f, arena, figure, axes.n_all, numbers, err);
    return status == EW_OK ? ew_repro_read_checks(f, arena, figure, err) : status;
}

/* --- the file ----------------------------------------------------------------------------------
 */

static enum ew_status read_figures(const struct reader *reader, const struct ew_json_value *root,
                                   struct ew_error *err)
{
    struct ew_reproduction *r = reader->r;
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_need_array(&list, root, "figures", err);
    const size_t n = status == EW_OK ? ew_json_count(&list) : 0;
    if (status == EW_OK && (n < 1 || n > MAX_FIGURES)) {
        status = ew_json_fail(&list, err, "expected 1 .. %d figures, found %zu", MAX_FIGURES, n);
    }
    if (status != EW_OK) {
        return status;
    }
    struct ew_repro_figure *figures = ew_arena_calloc(&r->arena, n, sizeof *figures);
    if (!figures) {
        return ew_fail_memory(err);
    }
    r->figures = figures;
    while (status == EW_OK && ew_json_next(&item, &list)) {
        status = read_figure(&figures[r->n_figures++], reader, &item, err);
    }
    return status;
}

static enum ew_status read_shares(const struct reader *reader, const struct ew_json_value *root,
                                  struct ew_error *err)
{
    struct ew_reproduction *r = reader->r;
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, root, "shares", err);
    if (status != EW_OK || !ew_json_is_present(&list)) {
        return status;
    }
    const size_t n = ew_json_count(&list);
    struct ew_repro_share *shares = ew_arena_calloc(&r->arena, n, sizeof *shares);
    if (!shares || n > MAX_SHARES) {
        return shares ? ew_json_fail(&list, err, "expected at most %d shares", MAX_SHARES)
                      : ew_fail_memory(err);
    }
    r->shares = shares;
    while (status == EW_OK && ew_json_next(&item, &list)) {
        struct ew_repro_share *share = &shares[r->n_shares++];
        status = CHECK_KEYS(&item, SHARE_KEYS, err);
        if (status == EW_OK) {
            status = take_text(&share->text, &r->arena, &item, "text", NULL, err);
        }
        if (status == EW_OK) {
            status = take_texts(&share->figures, &share->n_figures, &r->arena, &item, "figures",
                                MAX_FIGURES, err);
        }
        if (status == EW_OK) {
            status = take_texts(&share->series, &share->n_series, &r->arena, &item, "series",
                                MAX_SERIES, err);
        }
        if (status == EW_OK) {
            status = ew_json_need_double(&share->within_ratio, &item, "within_ratio", 0, 10, err);
        }
        if (status == EW_OK) {
            status =
                ew_json_need_double(&share->at_least_ratio, &item, "at_least_ratio", 0, 1, err);
        }
    }
    return status;
}

static enum ew_status read_file(struct reader *reader, const struct ew_json_value *root,
                                struct ew_error *err)
{
    struct ew_reproduction *r = reader->r;
    enum ew_status status = ew_json_check_schema(root, "edgeweave.reproduction/1", err);
    if (status == EW_OK) {
        status = CHECK_KEYS(root, FILE_KEYS, err);
    }
    if (status == EW_OK) {
        status = take_text(&r->paper, &r->arena, root, "paper", NULL, err);
    }
    if (status == EW_OK) {
        status = take_text(&r->title, &r->arena, root, "title", NULL, err);
    }
    if (status == EW_OK) {
        status = take_texts(&r->settings, &r->n_settings, &r->arena, root, "settings", MAX_SETTINGS,
                            err);
    }
    if (status == EW_OK) {
        status = ew_json_get_object(&reader->base, root, "base", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_object(&reader->quick, root, "quick", err);
    }
    if (status == EW_OK) {
        status = read_figures(reader, root, err);
    }
    return status == EW_OK ? read_shares(reader, root, err) : status;
}

static enum ew_status from_doc(struct ew_reproduction *out, const struct ew_json_doc *doc,
                               bool is_quick, struct ew_error *err)
{
    struct ew_reproduction r = {0};
    struct reader reader = {.r = &r, .is_quick = is_quick};
    const struct ew_json_value root = ew_json_root(doc);
    const enum ew_status status = read_file(&reader, &root, err);
    if (status == EW_OK) {
        *out = r;
    } else {
        ew_reproduction_fini(&r);
    }
    return status;
}

enum ew_status ew_reproduction_load_json(struct ew_reproduction *out, const char *path,
                                         bool is_quick, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = from_doc(out, doc, is_quick, err);
    }
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_reproduction_parse_json(struct ew_reproduction *out, const char *text,
                                          size_t size, const char *path, bool is_quick,
                                          struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_parse(&doc, text, size, path, err);
    if (status == EW_OK) {
        status = from_doc(out, doc, is_quick, err);
    }
    ew_json_doc_free(doc);
    return status;
}

void ew_reproduction_fini(struct ew_reproduction *reproduction)
{
    ew_arena_fini(&reproduction->arena);
    *reproduction = (struct ew_reproduction){0};
}
