#include "io/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};
static const size_t max_file_bytes = (size_t)4 << 30;
static const uint64_t max_values = (uint64_t)1 << 40;

/* ---- the head: a dictionary as Python prints it ---- */

struct scanner {
    const char *at;
    const char *end;
};

static void skip_blanks(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t')) {
        s->at++;
    }
}

static bool take(struct scanner *s, const char *text)
{
    const size_t n = strlen(text);
    skip_blanks(s);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, text, n) != 0) {
        return false;
    }
    s->at += n;
    return true;
}

/* 'text' or "text", without its quotes. */
static bool take_quoted(struct scanner *s, const char **text, size_t *n)
{
    skip_blanks(s);
    if (s->at == s->end || (*s->at != '\'' && *s->at != '"')) {
        return false;
    }
    const char *close = memchr(s->at + 1, *s->at, (size_t)(s->end - s->at - 1));
    if (!close) {
        return false;
    }
    *text = s->at + 1;
    *n = (size_t)(close - *text);
    s->at = close + 1;
    return true;
}

static bool take_number(struct scanner *s, uint64_t *out)
{
    skip_blanks(s);
    const char *begin = s->at;
    *out = 0;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9' && *out <= max_values) {
        *out = 10 * *out + (uint64_t)(*s->at++ - '0');
    }
    (void)take(s, "L"); /* as Python 2 wrote it */
    return s->at > begin && *out <= max_values;
}

static bool take_shape(struct scanner *s, struct ew_npy *out)
{
    bool is_ok = take(s, "(");
    while (is_ok && !take(s, ")")) {
        is_ok = out->n_dims < EW_NPY_MAX_DIMS && take_number(s, &out->dims[out->n_dims++]);
        if (is_ok && !take(s, ",")) {
            return take(s, ")");
        }
    }
    return is_ok;
}

/* What the dictionary says beside the shape. */
struct kind {
    const char *type;
    size_t n_type;
    bool is_fortran;
    bool has_order;
    bool has_shape;
};

static bool take_entry(struct scanner *s, struct kind *kind, struct ew_npy *out)
{
    const char *key;
    size_t n;
    if (!take_quoted(s, &key, &n) || !take(s, ":")) {
        return false;
    }
    if (n == 5 && memcmp(key, "descr", n) == 0) {
        const struct scanner before = *s;
        if (!kind->type && !take_quoted(s, &kind->type, &kind->n_type)) {
            kind->type = before.at; /* a list: fields of a record */
            kind->n_type = 0;
            return false;
        }
        return true;
    }
    if (n == 13 && memcmp(key, "fortran_order", n) == 0 && !kind->has_order) {
        kind->has_order = true;
        kind->is_fortran = take(s, "True");
        return kind->is_fortran || take(s, "False");
    }
    if (n == 5 && memcmp(key, "shape", n) == 0 && !kind->has_shape) {
        kind->has_shape = true;
        return take_shape(s, out);
    }
    return false;
}

static bool take_dictionary(struct scanner *s, struct kind *kind, struct ew_npy *out)
{
    bool is_ok = take(s, "{");
    while (is_ok && !take(s, "}")) {
        is_ok = take_entry(s, kind, out);
        if (is_ok && !take(s, ",")) {
            is_ok = take(s, "}");
            break;
        }
    }
    skip_blanks(s);
    return is_ok && s->at == s->end && kind->type && kind->has_order && kind->has_shape;
}

static enum ew_status check_kind(const struct kind *kind, const struct ew_npy *array,
                                 const char *path, struct ew_error *err)
{
    if (kind->n_type != 3 || memcmp(kind->type, "<f4", 3) != 0) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected float32 ('<f4'), found '%.*s'; in NumPy: "
                       "x.astype('float32')",
                       path, kind->n_type < 20 ? (int)kind->n_type : 20, kind->type);
    }
    if (kind->is_fortran && array->n_dims > 1) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected C order, found Fortran order; in NumPy: "
                       "np.ascontiguousarray(x)",
                       path);
    }
    return EW_OK;
}

/* ---- the file ---- */

/* Where the dictionary lies: behind the magic number, the version and its length. */
static enum ew_status find_dictionary(struct scanner *out, const char *bytes, size_t size,
                                      const char *path, struct ew_error *err)
{
    if (size < 10 || memcmp(bytes, magic, sizeof magic) != 0) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected a .npy file (NumPy: np.save), found something else", path);
    }
    const unsigned char *u = (const unsigned char *)bytes;
    if (u[6] < 1 || u[6] > 3) {
        return ew_fail(err, EW_EINPUT, "%s: expected version 1, 2 or 3 of .npy, found %u.%u", path,
                       u[6], u[7]);
    }
    const size_t begin = u[6] == 1 ? 10 : 12;
    size_t n = (size_t)u[8] | (size_t)u[9] << 8;
    if (u[6] > 1 && size >= begin) {
        n |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
    }
    if (size < begin || n > size - begin) {
        return ew_fail(err, EW_EINPUT, "%s: cut short in its head", path);
    }
    *out = (struct scanner){bytes + begin, bytes + begin + n};
    return EW_OK;
}

enum ew_status ew_npy_parse(struct ew_npy *out, const char *bytes, size_t size, const char *path,
                            struct ew_error *err)
{
    struct scanner s = {0};
    struct kind kind = {0};
    *out = (struct ew_npy){.n_values = 1};
    enum ew_status status = find_dictionary(&s, bytes, size, path, err);
    if (status != EW_OK) {
        return status;
    }
    out->offset_bytes = (size_t)(s.end - bytes);
    if (!take_dictionary(&s, &kind, out)) {
        return ew_fail(err, EW_EINPUT, "%s: malformed head of a .npy file", path);
    }
    status = check_kind(&kind, out, path, err);
    for (uint32_t i = 0; i < out->n_dims && status == EW_OK; i++) {
        if (out->dims[i] == 0) {
            status = ew_fail(err, EW_EINPUT, "%s: expected values, found an empty array", path);
        } else if (out->n_values > max_values / out->dims[i]) {
            status = ew_fail(err, EW_EINPUT, "%s: too many values", path);
        } else {
            out->n_values *= out->dims[i];
        }
    }
    if (status == EW_OK && size - out->offset_bytes != out->n_values * sizeof(float)) {
        status =
            ew_fail(err, EW_EINPUT, "%s: expected %llu bytes of values, found %zu", path,
                    (unsigned long long)(out->n_values * sizeof(float)), size - out->offset_bytes);
    }
    return status;
}

enum ew_status ew_npy_load(struct ew_npy *out, float **values, const char *path,
                           struct ew_error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&bytes, &size, path, max_file_bytes, err);
    status = status ? status : ew_npy_parse(out, bytes, size, path, err);
    if (status != EW_OK) {
        free(bytes);
        return status;
    }
    memmove(bytes, bytes + out->offset_bytes, out->n_values * sizeof(float));
    *values = (float *)(void *)bytes;
    return EW_OK;
}

void ew_npy_put_head(char head[EW_NPY_HEAD_BYTES], uint32_t n_dims, const uint64_t *dims)
{
    /* 8 numbers of at most 20 digits would not fit; the product of real ones is below 2^40 */
    char text[EW_NPY_HEAD_BYTES - 10 + 1];
    int n = snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (uint32_t i = 0; i < n_dims; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%llu%s", i ? ", " : "",
                      (unsigned long long)dims[i], n_dims == 1 ? "," : "");
    }
    n += snprintf(text + n, sizeof text - (size_t)n, "), }");
    memcpy(head, magic, sizeof magic);
    head[6] = 1;
    head[7] = 0;
    head[8] = EW_NPY_HEAD_BYTES - 10;
    head[9] = 0;
    memset(head + 10, ' ', EW_NPY_HEAD_BYTES - 10);
    memcpy(head + 10, text, (size_t)n);
    head[EW_NPY_HEAD_BYTES - 1] = '\n';
}

void ew_npy_put_dims(struct ew_str *out, uint32_t n_dims, const uint64_t *dims)
{
    for (uint32_t i = 0; i < n_dims; i++) {
        ew_str_printf(out, "%s%llu", i ? "x" : "", (unsigned long long)dims[i]);
    }
    if (n_dims == 0) {
        ew_str_append(out, "one number");
    }
}
