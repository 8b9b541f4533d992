#include "io/profile_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "io/json_read.h"

enum { MAX_FILE_BYTES = 64 << 20, MAX_RESIDUALS = 100000 };

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const char *const feature_names[EW_FEATURE_COUNT] = {
    [EW_FEATURE_ONE] = "one",
    [EW_FEATURE_INPUT_ELEMENTS] = "input_elements",
    [EW_FEATURE_INPUT_BYTES] = "input_bytes",
    [EW_FEATURE_INPUT_CHANNELS] = "input_channels",
    [EW_FEATURE_OUTPUT_ELEMENTS] = "output_elements",
    [EW_FEATURE_OUTPUT_BYTES] = "output_bytes",
    [EW_FEATURE_FILTER] = "filter",
    [EW_FEATURE_WEIGHT_BYTES] = "weight_bytes",
    [EW_FEATURE_MACS] = "macs",
    [EW_FEATURE_INPUT_PIXELS] = "input_pixels",
    [EW_FEATURE_OUTPUT_PIXELS] = "output_pixels",
};

static const char *const class_names[EW_RATE_COUNT] = {
    [EW_RATE_CONV_3X3_S1] = "conv_3x3_s1",
    [EW_RATE_CONV_1X1] = "conv_1x1",
    [EW_RATE_CONV_OTHER] = "conv_other",
    [EW_RATE_DEPTHWISE] = "depthwise",
    [EW_RATE_FC] = "fc",
};

/* Which members a kind has. */
enum {
    ANY_KIND = (1 << EW_PROFILE_KIND_COUNT) - 1,
    SINGLE_RATE = 1 << EW_PROFILE_RATE | 1 << EW_PROFILE_REGRESSION | 1 << EW_PROFILE_TABLE,
    ADDITIVE = 1 << EW_PROFILE_ADDITIVE,
    STAIRS = 1 << EW_PROFILE_STAIRCASE | ADDITIVE,
    RATED_CLASSES = 1 << EW_PROFILE_CLASS_RATES | STAIRS,
};

static const struct {
    const char *key;
    unsigned kinds;
} members[] = {
    {"schema", ANY_KIND},
    {"name", ANY_KIND},
    {"source", ANY_KIND},
    {"confidence", ANY_KIND},
    {"notes", ANY_KIND},
    {"kind", ANY_KIND},
    {"simple_ops_per_s", ANY_KIND},
    {"weight_bytes_per_s", ANY_KIND},
    {"activation_bytes_per_s", ANY_KIND},
    {"layer_overhead_s", ANY_KIND},
    {"load", ANY_KIND},
    {"residual_ratio", ANY_KIND},
    {"residuals", ANY_KIND},
    {"range_macs", ANY_KIND},
    {"flops_per_s", SINGLE_RATE},
    {"class_flops_per_s", RATED_CLASSES},
    {"row_granularity", STAIRS},
    {"patch_bytes_per_s", ADDITIVE},
    {"regression", 1 << EW_PROFILE_REGRESSION},
    {"table", 1 << EW_PROFILE_TABLE},
    {"fallback", 1 << EW_PROFILE_TABLE},
};

/* --- names ----------------------------------------------------------------------------------- */

struct name_list {
    const char *const *names;
};

static const char *name_at(const void *ctx, size_t i)
{
    const struct name_list *list = ctx;
    return list->names[i];
}

/* Index of the string `at` in `names`; fails with the nearest one. */
static enum ew_status read_choice(size_t *out, const struct ew_json_value *at,
                                  const char *const *names, size_t n, const char *what,
                                  struct ew_error *err)
{
    const char *text = NULL;
    const enum ew_status status = ew_json_as_string(&text, at, err);
    if (status != EW_OK) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return EW_OK;
        }
    }
    const struct name_list list = {names};
    const char *nearest = ew_nearest_name(text, n, name_at, &list);
    return ew_json_fail(at, err, "unknown %s '%.64s'%s%s%s", what, text,
                        nearest ? "; did you mean '" : "", nearest ? nearest : "",
                        nearest ? "'?" : "");
}

/* --- parts ----------------------------------------------------------------------------------- */

static enum ew_status get_double(double *out, const struct ew_json_value *object, const char *key,
                                 struct ew_error *err)
{
    return ew_json_get_double(out, object, key, -INFINITY, INFINITY, err); /* ranges: profile.c */
}

static enum ew_status copy_text(const char **out, struct ew_profile *profile,
                                const struct ew_json_value *object, const char *key,
                                struct ew_error *err)
{
    const char *text = "";
    const enum ew_status status = ew_json_get_string(&text, object, key, err);
    if (status != EW_OK) {
        return status;
    }
    *out = ew_arena_strdup(&profile->arena, text);
    return *out ? EW_OK : ew_fail_memory(err);
}

static enum ew_status read_classes(struct ew_profile *profile, const struct ew_json_value *root,
                                   struct ew_error *err)
{
    struct ew_json_value classes;
    enum ew_status status = ew_json_need_object(&classes, root, "class_flops_per_s", err);
    if (status == EW_OK) {
        status = ew_json_check_keys(&classes, class_names, COUNT_OF(class_names), err);
    }
    for (size_t i = 0; status == EW_OK && i < COUNT_OF(class_names); i++) {
        double *rate = &profile->class_flops_per_s[i];
        status =
            profile->kind == EW_PROFILE_ADDITIVE
                ? get_double(rate, &classes, class_names[i], err)
                : ew_json_need_double(rate, &classes, class_names[i], -INFINITY, INFINITY, err);
    }
    return status;
}

static enum ew_status read_term(struct ew_term *term, const struct ew_json_value *item,
                                struct ew_error *err)
{
    static const char *const keys[] = {"feature", "coefficient_s"};
    struct ew_json_value feature;
    size_t index = 0;
    enum ew_status status = ew_json_check_keys(item, keys, COUNT_OF(keys), err);
    if (status == EW_OK) {
        status = ew_json_need(&feature, item, "feature", err);
    }
    if (status == EW_OK) {
        status =
            read_choice(&index, &feature, feature_names, COUNT_OF(feature_names), "feature", err);
    }
    if (status == EW_OK) {
        term->feature = (enum ew_feature)index;
        status = ew_json_need_double(&term->coefficient_s, item, "coefficient_s", -INFINITY,
                                     INFINITY, err);
    }
    return status;
}

static enum ew_status read_terms(struct ew_profile *profile, struct ew_regression *out,
                                 const struct ew_json_value *array, struct ew_error *err)
{
    enum ew_status status = ew_json_as_array(array, err);
    const size_t n = ew_json_count(array);
    if (status == EW_OK && (n < 1 || n > EW_FEATURE_COUNT)) {
        status = ew_json_fail(array, err, "expected 1 .. %d terms, found %zu", EW_FEATURE_COUNT, n);
    }
    struct ew_term *terms = NULL;
    if (status == EW_OK) {
        terms = ew_arena_calloc(&profile->arena, n, sizeof *terms);
        status = terms ? EW_OK : ew_fail_memory(err);
    }
    struct ew_json_value item = {0};
    for (size_t i = 0; status == EW_OK && i < n && ew_json_next(&item, array); i++) {
        status = read_term(&terms[i], &item, err);
    }
    if (status == EW_OK) {
        *out = (struct ew_regression){(uint32_t)n, terms};
    }
    return status;
}

static enum ew_status read_regression(struct ew_profile *profile, const struct ew_json_value *root,
                                      struct ew_error *err)
{
    const char *op_names[EW_OP_COUNT];
    for (int op = 0; op < EW_OP_COUNT; op++) {
        op_names[op] = ew_op_name((enum ew_op)op);
    }
    struct ew_json_value regression;
    enum ew_status status = ew_json_need_object(&regression, root, "regression", err);
    if (status == EW_OK) {
        status = ew_json_check_keys(&regression, op_names, EW_OP_COUNT, err);
    }
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, &regression)) {
        enum ew_op op = EW_OP_INPUT;
        if (ew_op_from_name(&op, ew_json_name(&item))) {
            status = read_terms(profile, &profile->regression[op], &item, err);
        }
    }
    return status;
}

static enum ew_status read_numbers(double *out, const struct ew_json_value *array, size_t n,
                                   struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < n && ew_json_next(&item, array); i++) {
        status = ew_json_as_double(&out[i], &item, -INFINITY, INFINITY, err);
    }
    return status;
}

static enum ew_status read_table_numbers(struct ew_profile *profile, struct ew_table_layer *out,
                                         const struct ew_json_value *item, struct ew_error *err)
{
    struct ew_json_value rows, seconds;
    enum ew_status status = ew_json_need_array(&rows, item, "rows", err);
    if (status == EW_OK) {
        status = ew_json_need_array(&seconds, item, "seconds", err);
    }
    if (status != EW_OK) {
        return status;
    }
    const size_t n = ew_json_count(&rows), n_seconds = ew_json_count(&seconds);
    if (n < 1 || n > EW_GRAPH_MAX_DIM || n != n_seconds) {
        return ew_json_fail(item, err,
                            "expected as many rows as seconds, at least one, found %zu and %zu", n,
                            n_seconds);
    }
    double *values = ew_arena_calloc(&profile->arena, 2 * n, sizeof *values);
    if (!values) {
        return ew_fail_memory(err);
    }
    out->n = (uint32_t)n;
    out->rows = values;
    out->seconds = values + n;
    status = read_numbers(values, &rows, n, err);
    return status == EW_OK ? read_numbers(values + n, &seconds, n, err) : status;
}

static enum ew_status read_table_layer(struct ew_profile *profile, struct ew_table_layer *out,
                                       const struct ew_json_value *item, struct ew_error *err)
{
    static const char *const keys[] = {"graph", "layer", "rows", "seconds"};
    const char *graph = NULL, *layer = NULL;
    enum ew_status status = ew_json_check_keys(item, keys, COUNT_OF(keys), err);
    if (status == EW_OK) {
        status = ew_json_need_string(&graph, item, "graph", err);
    }
    if (status == EW_OK) {
        status = ew_json_need_string(&layer, item, "layer", err);
    }
    if (status == EW_OK) {
        out->graph = ew_arena_strdup(&profile->arena, graph);
        out->layer = ew_arena_strdup(&profile->arena, layer);
        status = out->graph && out->layer ? EW_OK : ew_fail_memory(err);
    }
    return status == EW_OK ? read_table_numbers(profile, out, item, err) : status;
}

static int by_graph_then_layer(const void *a, const void *b)
{
    const struct ew_table_layer *x = a, *y = b;
    const int order = strcmp(x->graph, y->graph);
    return order ? order : strcmp(x->layer, y->layer);
}

static enum ew_status read_table(struct ew_profile *profile, const struct ew_json_value *root,
                                 struct ew_error *err)
{
    struct ew_json_value table;
    enum ew_status status = ew_json_need_array(&table, root, "table", err);
    if (status != EW_OK) {
        return status;
    }
    const size_t n = ew_json_count(&table);
    struct ew_table_layer *layers = ew_arena_calloc(&profile->arena, n, sizeof *layers);
    if (!layers) {
        return ew_fail_memory(err);
    }
    struct ew_json_value item = {0};
    for (size_t i = 0; status == EW_OK && i < n && ew_json_next(&item, &table); i++) {
        status = read_table_layer(profile, &layers[i], &item, err);
    }
    if (status == EW_OK && n) {
        qsort(layers, n, sizeof *layers, by_graph_then_layer);
    }
    profile->n_table_layers = status == EW_OK ? (uint32_t)n : 0;
    profile->table_layers = layers;
    return status;
}

/* Notes say where single numbers come from; they are for readers of the file and only checked. */
static enum ew_status check_notes(const struct ew_json_value *root, struct ew_error *err)
{
    const char *keys[COUNT_OF(members)];
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        keys[i] = members[i].key;
    }
    struct ew_json_value notes;
    enum ew_status status = ew_json_get_object(&notes, root, "notes", err);
    if (status != EW_OK || !ew_json_is_present(&notes)) {
        return status;
    }
    status = ew_json_check_keys(&notes, keys, COUNT_OF(keys), err);
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, &notes)) {
        const char *text;
        status = ew_json_as_string(&text, &item, err);
    }
    return status;
}

static enum ew_status read_load(struct ew_profile *profile, const struct ew_json_value *root,
                                struct ew_error *err)
{
    static const char *const keys[] = {"overhead_s", "bytes_per_s"};
    struct ew_json_value load;
    enum ew_status status = ew_json_get_object(&load, root, "load", err);
    if (status != EW_OK || !ew_json_is_present(&load)) {
        return status;
    }
    status = ew_json_check_keys(&load, keys, COUNT_OF(keys), err);
    if (status == EW_OK) {
        status = get_double(&profile->load_overhead_s, &load, keys[0], err);
    }
    return status == EW_OK ? get_double(&profile->load_bytes_per_s, &load, keys[1], err) : status;
}

/* What the data said about errors: ratios of rows left out, and the range of layers. */
static enum ew_status read_spread(struct ew_profile *profile, const struct ew_json_value *root,
                                  struct ew_error *err)
{
    struct ew_json_value at;
    enum ew_status status = ew_json_get_array(&at, root, "residuals", err);
    if (status == EW_OK && ew_json_is_present(&at)) {
        const size_t n = ew_json_count(&at);
        double *values = ew_arena_calloc(&profile->arena, n ? n : 1, sizeof *values);
        if (!values) {
            return ew_fail_memory(err);
        }
        if (n > MAX_RESIDUALS) {
            return ew_json_fail(&at, err, "expected at most %d residuals, found %zu", MAX_RESIDUALS,
                                n);
        }
        status = read_numbers(values, &at, n, err);
        profile->residuals = values;
        profile->n_residuals = (uint32_t)n;
    }
    if (status == EW_OK) {
        status = ew_json_get_array(&at, root, "range_macs", err);
    }
    if (status == EW_OK && ew_json_is_present(&at)) {
        if (ew_json_count(&at) != 2) {
            return ew_json_fail(&at, err, "expected two numbers, least and most");
        }
        status = read_numbers(profile->range_macs, &at, 2, err);
    }
    return status;
}

/* --- the whole ------------------------------------------------------------------------------- */

static enum ew_status read_profile(struct ew_profile **out, const struct ew_json_value *root,
                                   const char *default_name, struct ew_error *err);

static enum ew_status read_kind(struct ew_profile *profile, const struct ew_json_value *root,
                                struct ew_error *err)
{
    struct ew_json_value at;
    size_t kind = 0;
    enum ew_status status = ew_json_need(&at, root, "kind", err);
    if (status == EW_OK) {
        const char *kind_names[EW_PROFILE_KIND_COUNT];
        for (int i = 0; i < EW_PROFILE_KIND_COUNT; i++) {
            kind_names[i] = ew_profile_kind_name((enum ew_profile_kind)i);
        }
        status = read_choice(&kind, &at, kind_names, COUNT_OF(kind_names), "kind", err);
    }
    if (status != EW_OK) {
        return status;
    }
    profile->kind = (enum ew_profile_kind)kind;
    const char *keys[COUNT_OF(members)];
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        keys[i] = members[i].key;
    }
    status = ew_json_check_keys(root, keys, COUNT_OF(keys), err);
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, root)) {
        for (size_t i = 0; i < COUNT_OF(members); i++) {
            if (strcmp(members[i].key, ew_json_name(&item)) == 0 &&
                !(members[i].kinds & 1U << kind)) {
                status = ew_json_fail(&item, err, "a profile of kind '%s' has no '%s'",
                                      ew_profile_kind_name(profile->kind), members[i].key);
            }
        }
    }
    return status;
}

static enum ew_status read_fallback(struct ew_profile *profile, const struct ew_json_value *root,
                                    struct ew_error *err)
{
    struct ew_json_value at;
    enum ew_status status = ew_json_get_object(&at, root, "fallback", err);
    if (status == EW_OK && ew_json_is_present(&at)) {
        struct ew_profile *fallback = NULL;
        status = read_profile(&fallback, &at, profile->name, err);
        profile->fallback = fallback;
    }
    return status;
}

static enum ew_status read_numbers_of_kind(struct ew_profile *profile,
                                           const struct ew_json_value *root, struct ew_error *err)
{
    int64_t granularity = 1;
    enum ew_status status = get_double(&profile->flops_per_s, root, "flops_per_s", err);
    switch (profile->kind) {
    case EW_PROFILE_RATE:
        break;
    case EW_PROFILE_ADDITIVE:
        if (status == EW_OK) {
            status =
                ew_json_get_i64(&granularity, root, "row_granularity", INT32_MIN, INT32_MAX, err);
            profile->row_granularity = (int32_t)granularity;
        }
        return status == EW_OK ? read_classes(profile, root, err) : status;
    case EW_PROFILE_STAIRCASE:
        if (status == EW_OK) {
            status =
                ew_json_need_i64(&granularity, root, "row_granularity", INT32_MIN, INT32_MAX, err);
            profile->row_granularity = (int32_t)granularity;
        }
        return status == EW_OK ? read_classes(profile, root, err) : status;
    case EW_PROFILE_CLASS_RATES:
        return status == EW_OK ? read_classes(profile, root, err) : status;
    case EW_PROFILE_REGRESSION:
        return status == EW_OK ? read_regression(profile, root, err) : status;
    case EW_PROFILE_TABLE:
        if (status == EW_OK) {
            status = read_table(profile, root, err);
        }
        return status == EW_OK ? read_fallback(profile, root, err) : status;
    case EW_PROFILE_KIND_COUNT:
        break;
    }
    return status;
}

static enum ew_status read_common(struct ew_profile *profile, const struct ew_json_value *root,
                                  struct ew_error *err)
{
    const struct {
        double *to;
        const char *key;
    } numbers[] = {
        {&profile->simple_ops_per_s, "simple_ops_per_s"},
        {&profile->weight_bytes_per_s, "weight_bytes_per_s"},
        {&profile->activation_bytes_per_s, "activation_bytes_per_s"},
        {&profile->patch_bytes_per_s, "patch_bytes_per_s"},
        {&profile->layer_overhead_s, "layer_overhead_s"},
        {&profile->residual_ratio, "residual_ratio"},
    };
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < COUNT_OF(numbers); i++) {
        status = get_double(numbers[i].to, root, numbers[i].key, err);
    }
    if (status == EW_OK) {
        status = copy_text(&profile->source, profile, root, "source", err);
    }
    if (status == EW_OK) {
        status = copy_text(&profile->confidence, profile, root, "confidence", err);
    }
    if (status == EW_OK) {
        status = check_notes(root, err);
    }
    if (status == EW_OK) {
        status = read_spread(profile, root, err);
    }
    return status == EW_OK ? read_load(profile, root, err) : status;
}

static enum ew_status read_profile(struct ew_profile **out, const struct ew_json_value *root,
                                   const char *default_name, struct ew_error *err)
{
    enum ew_status status = ew_json_as_object(root, err);
    const char *name = default_name;
    if (status == EW_OK) {
        status = default_name ? ew_json_get_string(&name, root, "name", err)
                              : ew_json_need_string(&name, root, "name", err);
    }
    if (status != EW_OK) {
        return status;
    }
    struct ew_profile *profile = ew_profile_make_rate(name, 0);
    if (!profile) {
        return ew_fail_memory(err);
    }
    status = read_kind(profile, root, err);
    if (status == EW_OK) {
        status = read_common(profile, root, err);
    }
    if (status == EW_OK) {
        status = read_numbers_of_kind(profile, root, err);
    }
    if (status == EW_OK) {
        *out = profile;
    } else {
        ew_profile_free(profile);
    }
    return status;
}

enum ew_status ew_profile_parse_json(struct ew_profile **out, const char *text, size_t size,
                                     const char *path, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    struct ew_profile *profile = NULL;
    enum ew_status status = ew_json_doc_parse(&doc, text, size, path, err);
    if (status == EW_OK) {
        const struct ew_json_value root = ew_json_root(doc);
        status = ew_json_check_schema(&root, "edgeweave.profile/1", err);
        if (status == EW_OK) {
            status = read_profile(&profile, &root, NULL, err);
        }
        if (status == EW_OK) {
            status = ew_profile_check(profile, err);
            if (status != EW_OK) {
                (void)ew_prefix(err, "%s: ", path);
            }
        }
    }
    if (status == EW_OK) {
        profile->path = ew_arena_strdup(&profile->arena, path);
        status = profile->path ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        *out = profile;
    } else {
        ew_profile_free(profile);
    }
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_profile_load_json(struct ew_profile **out, const char *path, struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    struct ew_profile *profile = NULL;
    enum ew_status status = ew_file_read(&text, &size, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = ew_profile_parse_json(&profile, text, size, path, err);
    }
    free(text);
    if (status != EW_OK) {
        return status;
    }
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    const size_t n = strlen(profile->name);
    if (strncmp(file, profile->name, n) != 0 || strcmp(file + n, ".json") != 0) {
        status = ew_fail(err, EW_EINPUT,
                         "%s: /name: expected the file's name without '.json', "
                         "found '%s'",
                         path, profile->name);
        ew_profile_free(profile);
        return status;
    }
    *out = profile;
    return EW_OK;
}
