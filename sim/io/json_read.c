#include "io/json_read.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "io/json_scan.h"

struct ew_json_doc {
    cJSON *root;
    char *path;
};

/* ---- messages ---- */

/* Append to a buffer that may already be full. */
static void append(char *out, size_t size, size_t *used, const char *text)
{
    for (; *text && *used + 1 < size; text++) {
        out[(*used)++] = *text;
    }
    out[*used] = '\0';
}

static void append_pointer(char *out, size_t size, size_t *used, const struct ew_json_value *at)
{
    if (!at->parent) {
        return;
    }
    append_pointer(out, size, used, at->parent); /* as deep as the document: EW_JSON_MAX_DEPTH */
    append(out, size, used, "/");
    if (!at->node->string) {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%zu", at->index);
        append(out, size, used, digits);
        return;
    }
    for (const char *p = at->node->string; *p; p++) { /* RFC 6901 escapes */
        const char one[2] = {*p, '\0'};
        append(out, size, used, *p == '~' ? "~0" : *p == '/' ? "~1" : one);
    }
}

void ew_json_pointer(char *out, size_t size, const struct ew_json_value *at)
{
    size_t used = 0;
    append(out, size, &used, "");
    append_pointer(out, size, &used, at);
}

enum ew_status ew_json_prefix(const struct ew_json_value *at, struct ew_error *err)
{
    char pointer[256];
    ew_json_pointer(pointer, sizeof pointer, at);
    return ew_prefix(err, "%s: %s%s", at->doc->path, pointer, *pointer ? ": " : "");
}

enum ew_status ew_json_fail(const struct ew_json_value *at, struct ew_error *err, const char *fmt,
                            ...)
{
    va_list args;
    va_start(args, fmt);
    const enum ew_status status = ew_vfail(err, EW_EINPUT, fmt, args);
    va_end(args);
    (void)ew_json_prefix(at, err);
    return status;
}

/* Short picture of a value for "found …". */
static void show(char out[64], const cJSON *node)
{
    char number[32];
    if (cJSON_IsString(node)) {
        (void)snprintf(out, 64, "\"%.40s%s\"", node->valuestring,
                       strlen(node->valuestring) > 40 ? "..." : "");
    } else if (cJSON_IsNumber(node)) {
        ew_format_double(number, node->valuedouble);
        (void)snprintf(out, 64, "%s", number);
    } else {
        (void)snprintf(out, 64, "%s",
                       cJSON_IsObject(node)  ? "an object"
                       : cJSON_IsArray(node) ? "an array"
                       : cJSON_IsTrue(node)  ? "true"
                       : cJSON_IsFalse(node) ? "false"
                                             : "null");
    }
}

enum ew_status ew_json_expected(const struct ew_json_value *at, const char *what,
                                struct ew_error *err)
{
    char found[64];
    show(found, at->node);
    return ew_json_fail(at, err, "expected %s, found %s", what, found);
}

/* ---- walking ---- */

struct ew_json_value ew_json_root(const struct ew_json_doc *doc)
{
    return (struct ew_json_value){doc, NULL, doc->root, 0};
}

bool ew_json_is_present(const struct ew_json_value *value)
{
    return value->node != NULL;
}

bool ew_json_is_object(const struct ew_json_value *value)
{
    return cJSON_IsObject(value->node);
}

bool ew_json_is_array(const struct ew_json_value *value)
{
    return cJSON_IsArray(value->node);
}

bool ew_json_is_string(const struct ew_json_value *value)
{
    return cJSON_IsString(value->node);
}

bool ew_json_is_number(const struct ew_json_value *value)
{
    return cJSON_IsNumber(value->node);
}

size_t ew_json_count(const struct ew_json_value *value)
{
    size_t n = 0;
    struct ew_json_value item = {0};
    while (ew_json_next(&item, value)) {
        n++;
    }
    return n;
}

const char *ew_json_name(const struct ew_json_value *value)
{
    return value->node->string;
}

bool ew_json_next(struct ew_json_value *item, const struct ew_json_value *parent)
{
    const bool is_first = item->node == NULL;
    const cJSON *node = is_first ? parent->node->child : item->node->next;
    if (!node) {
        return false;
    }
    *item = (struct ew_json_value){parent->doc, parent, node, is_first ? 0 : item->index + 1};
    return true;
}

bool ew_json_find(struct ew_json_value *out, const struct ew_json_value *object, const char *key)
{
    struct ew_json_value item = {0};
    while (ew_json_is_object(object) && ew_json_next(&item, object)) {
        if (strcmp(item.node->string, key) == 0) {
            *out = item;
            return true;
        }
    }
    *out = (struct ew_json_value){0};
    return false;
}

/* ---- loading ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum ew_status check_members(const struct ew_json_value *object, struct ew_error *err)
{
    const size_t n = ew_json_count(object);
    if (n < 2) {
        return EW_OK;
    }
    const char **names = malloc(n * sizeof *names);
    if (!names) {
        return ew_fail_memory(err);
    }
    size_t i = 0;
    struct ew_json_value item = {0};
    while (ew_json_next(&item, object)) {
        names[i++] = item.node->string;
    }
    qsort(names, n, sizeof *names, compare_names);
    enum ew_status status = EW_OK;
    for (i = 1; i < n && status == EW_OK; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            status =
                ew_json_fail(object, err, "expected unique keys, found '%.64s' twice", names[i]);
        }
    }
    free(names);
    return status;
}

/* What cJSON lets pass and tokens do not show: duplicate keys, numbers beyond double. */
static enum ew_status check_tree(const struct ew_json_value *value, struct ew_error *err)
{
    if (cJSON_IsNumber(value->node) && !isfinite(value->node->valuedouble)) {
        return ew_json_fail(value, err, "expected a finite number, found one beyond any double");
    }
    enum ew_status status = EW_OK;
    if (cJSON_IsObject(value->node)) {
        status = check_members(value, err);
    }
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, value)) {
        status = check_tree(&item, err);
    }
    return status;
}

static size_t skip_space(const char *text, size_t size, size_t at)
{
    while (at < size && strchr(" \t\r\n", text[at]) && text[at]) {
        at++;
    }
    return at;
}

static enum ew_status parse_tree(cJSON **out, const char *text, size_t size, const char *path,
                                 struct ew_error *err)
{
    size_t n_open = 0;
    const enum ew_status status = ew_json_scan(&n_open, text, size, path, err);
    if (status != EW_OK) {
        return status;
    }
    const char *end = text;
    const size_t begin = skip_space(text, size, 0);
    if (begin == size) {
        return ew_fail(err, EW_EINPUT, "%s: expected a JSON document, found an empty file", path);
    }
    cJSON *root = cJSON_ParseWithLengthOpts(text, size, &end, 0);
    size_t at = (size_t)(end - text);
    if (!root) {
        at = skip_space(text, size, at);
        if (at >= size || (at + 1 == size && n_open > 0)) {
            return ew_json_fail_offset(text, size, path, err,
                                       "expected more JSON, found the end of the file");
        }
        return ew_json_fail_offset(text, at, path, err, "not valid JSON at '%.1s'", text + at);
    }
    at = skip_space(text, size, at);
    if (at < size) {
        cJSON_Delete(root);
        return ew_json_fail_offset(text, at, path, err,
                                   "expected the end of the file, found '%.1s'", text + at);
    }
    *out = root;
    return EW_OK;
}

enum ew_status ew_json_doc_parse(struct ew_json_doc **out, const char *text, size_t size,
                                 const char *path, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    struct ew_json_doc *doc = calloc(1, sizeof *doc);
    if (!doc || !(doc->path = strdup(path))) {
        status = ew_fail_memory(err);
        goto done;
    }
    status = parse_tree(&doc->root, text, size, path, err);
    if (status != EW_OK) {
        goto done;
    }
    const struct ew_json_value root = ew_json_root(doc);
    status = check_tree(&root, err);
    if (status == EW_OK) {
        *out = doc;
        doc = NULL;
    }
done:
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_json_doc_load(struct ew_json_doc **out, const char *path, size_t max_bytes,
                                struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&text, &size, path, max_bytes, err);
    if (status == EW_OK) {
        status = ew_json_doc_parse(out, text, size, path, err);
    }
    free(text);
    return status;
}

void ew_json_doc_free(struct ew_json_doc *doc)
{
    if (doc) {
        cJSON_Delete(doc->root);
        free(doc->path);
        free(doc);
    }
}

/* ---- a value as a type ---- */

enum ew_status ew_json_as_object(const struct ew_json_value *value, struct ew_error *err)
{
    return cJSON_IsObject(value->node) ? EW_OK : ew_json_expected(value, "an object", err);
}

enum ew_status ew_json_as_array(const struct ew_json_value *value, struct ew_error *err)
{
    return cJSON_IsArray(value->node) ? EW_OK : ew_json_expected(value, "an array", err);
}

enum ew_status ew_json_as_string(const char **out, const struct ew_json_value *value,
                                 struct ew_error *err)
{
    if (!cJSON_IsString(value->node)) {
        return ew_json_expected(value, "a string", err);
    }
    *out = value->node->valuestring;
    return EW_OK;
}

enum ew_status ew_json_as_bool(bool *out, const struct ew_json_value *value, struct ew_error *err)
{
    if (!cJSON_IsBool(value->node)) {
        return ew_json_expected(value, "true or false", err);
    }
    *out = cJSON_IsTrue(value->node);
    return EW_OK;
}

enum ew_status ew_json_as_double(double *out, const struct ew_json_value *value, double min,
                                 double max, struct ew_error *err)
{
    const double x = value->node->valuedouble;
    if (cJSON_IsNumber(value->node) && x >= min && x <= max) {
        *out = x;
        return EW_OK;
    }
    char what[96], lo[32], hi[32];
    ew_format_double(lo, min);
    ew_format_double(hi, max);
    if (isinf(min) && isinf(max)) {
        (void)snprintf(what, sizeof what, "a number");
    } else if (isinf(max) || max >= 1e300) {
        (void)snprintf(what, sizeof what, "a number >= %s", lo);
    } else if (isinf(min) || min <= -1e300) {
        (void)snprintf(what, sizeof what, "a number <= %s", hi);
    } else {
        (void)snprintf(what, sizeof what, "a number in %s..%s", lo, hi);
    }
    return ew_json_expected(value, what, err);
}

enum ew_status ew_json_as_i64(int64_t *out, const struct ew_json_value *value, int64_t min,
                              int64_t max, struct ew_error *err)
{
    min = min < -EW_JSON_MAX_INT ? -EW_JSON_MAX_INT : min;
    max = max > EW_JSON_MAX_INT ? EW_JSON_MAX_INT : max;
    const double x = value->node->valuedouble;
    if (cJSON_IsNumber(value->node) && x >= (double)min && x <= (double)max && x == floor(x)) {
        *out = (int64_t)x;
        return EW_OK;
    }
    char what[96];
    if (max == EW_JSON_MAX_INT) {
        (void)snprintf(what, sizeof what, "an integer >= %lld", (long long)min);
    } else {
        (void)snprintf(what, sizeof what, "an integer in %lld..%lld", (long long)min,
                       (long long)max);
    }
    return ew_json_expected(value, what, err);
}

/* ---- members ---- */

enum ew_status ew_json_need(struct ew_json_value *out, const struct ew_json_value *object,
                            const char *key, struct ew_error *err)
{
    const enum ew_status status = ew_json_as_object(object, err);
    if (status != EW_OK) {
        return status;
    }
    return ew_json_find(out, object, key)
               ? EW_OK
               : ew_json_fail(object, err, "expected a member '%s', found none", key);
}

enum ew_status ew_json_need_object(struct ew_json_value *out, const struct ew_json_value *object,
                                   const char *key, struct ew_error *err)
{
    const enum ew_status status = ew_json_need(out, object, key, err);
    return status ? status : ew_json_as_object(out, err);
}

enum ew_status ew_json_need_array(struct ew_json_value *out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err)
{
    const enum ew_status status = ew_json_need(out, object, key, err);
    return status ? status : ew_json_as_array(out, err);
}

enum ew_status ew_json_need_string(const char **out, const struct ew_json_value *object,
                                   const char *key, struct ew_error *err)
{
    struct ew_json_value v;
    const enum ew_status status = ew_json_need(&v, object, key, err);
    return status ? status : ew_json_as_string(out, &v, err);
}

enum ew_status ew_json_need_bool(bool *out, const struct ew_json_value *object, const char *key,
                                 struct ew_error *err)
{
    struct ew_json_value v;
    const enum ew_status status = ew_json_need(&v, object, key, err);
    return status ? status : ew_json_as_bool(out, &v, err);
}

enum ew_status ew_json_need_double(double *out, const struct ew_json_value *object, const char *key,
                                   double min, double max, struct ew_error *err)
{
    struct ew_json_value v;
    const enum ew_status status = ew_json_need(&v, object, key, err);
    return status ? status : ew_json_as_double(out, &v, min, max, err);
}

enum ew_status ew_json_need_i64(int64_t *out, const struct ew_json_value *object, const char *key,
                                int64_t min, int64_t max, struct ew_error *err)
{
    struct ew_json_value v;
    const enum ew_status status = ew_json_need(&v, object, key, err);
    return status ? status : ew_json_as_i64(out, &v, min, max, err);
}

enum ew_status ew_json_get_object(struct ew_json_value *out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err)
{
    return ew_json_find(out, object, key) ? ew_json_as_object(out, err) : EW_OK;
}

enum ew_status ew_json_get_array(struct ew_json_value *out, const struct ew_json_value *object,
                                 const char *key, struct ew_error *err)
{
    return ew_json_find(out, object, key) ? ew_json_as_array(out, err) : EW_OK;
}

enum ew_status ew_json_get_string(const char **out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err)
{
    struct ew_json_value v;
    return ew_json_find(&v, object, key) ? ew_json_as_string(out, &v, err) : EW_OK;
}

enum ew_status ew_json_get_bool(bool *out, const struct ew_json_value *object, const char *key,
                                struct ew_error *err)
{
    struct ew_json_value v;
    return ew_json_find(&v, object, key) ? ew_json_as_bool(out, &v, err) : EW_OK;
}

enum ew_status ew_json_get_double(double *out, const struct ew_json_value *object, const char *key,
                                  double min, double max, struct ew_error *err)
{
    struct ew_json_value v;
    return ew_json_find(&v, object, key) ? ew_json_as_double(out, &v, min, max, err) : EW_OK;
}

enum ew_status ew_json_get_i64(int64_t *out, const struct ew_json_value *object, const char *key,
                               int64_t min, int64_t max, struct ew_error *err)
{
    struct ew_json_value v;
    return ew_json_find(&v, object, key) ? ew_json_as_i64(out, &v, min, max, err) : EW_OK;
}

static const char *key_at(const void *ctx, size_t i)
{
    return ((const char *const *)ctx)[i];
}

static bool is_among(const char *name, const char *const *keys, size_t n_keys)
{
    for (size_t i = 0; i < n_keys; i++) {
        if (strcmp(name, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum ew_status ew_json_check_key(const struct ew_json_value *at, const char *key,
                                 const char *const *keys, size_t n_keys, struct ew_error *err)
{
    if (is_among(key, keys, n_keys)) {
        return EW_OK;
    }
    const char *near = ew_nearest_name(key, n_keys, key_at, keys);
    return ew_json_fail(at, err, "unknown key '%.64s'%s%s%s", key, near ? "; did you mean '" : "",
                        near ? near : "", near ? "'?" : "");
}

enum ew_status ew_json_check_keys(const struct ew_json_value *object, const char *const *keys,
                                  size_t n_keys, struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = ew_json_as_object(object, err);
    while (status == EW_OK && ew_json_next(&item, object)) {
        status = ew_json_check_key(object, item.node->string, keys, n_keys, err);
    }
    return status;
}

enum ew_status ew_json_check_schema(const struct ew_json_value *root, const char *schema,
                                    struct ew_error *err)
{
    struct ew_json_value v;
    const enum ew_status status = ew_json_need(&v, root, "schema", err);
    if (status != EW_OK) {
        return status;
    }
    if (!cJSON_IsString(v.node) || strcmp(v.node->valuestring, schema) != 0) {
        char what[96];
        (void)snprintf(what, sizeof what, "\"%s\"", schema);
        return ew_json_expected(&v, what, err);
    }
    return EW_OK;
}
