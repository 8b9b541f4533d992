#include "base/json_writer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void newline(struct ew_json *j)
{
    ew_str_append(j->out, "\n");
    for (int i = 0; i < j->depth; i++) {
        ew_str_append(j->out, "  ");
    }
}

static void begin_value(struct ew_json *j)
{
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->depth == 0) {
        return;
    }
    if (j->has_items[j->depth - 1]) {
        ew_str_append(j->out, j->is_inline[j->depth - 1] ? ", " : ",");
    }
    if (!j->is_inline[j->depth - 1]) {
        newline(j);
    }
    j->has_items[j->depth - 1] = true;
}

static void open_level(struct ew_json *j, const char *bracket, bool is_inline)
{
    begin_value(j);
    assert(j->depth < EW_JSON_DEPTH);
    is_inline = is_inline || (j->depth > 0 && j->is_inline[j->depth - 1]);
    ew_str_append(j->out, bracket);
    j->has_items[j->depth] = false;
    j->is_inline[j->depth] = is_inline;
    j->depth++;
}

static void close_level(struct ew_json *j, const char *bracket)
{
    assert(j->depth > 0);
    j->depth--;
    if (j->has_items[j->depth] && !j->is_inline[j->depth]) {
        newline(j);
    }
    ew_str_append(j->out, bracket);
}

void ew_json_object_begin(struct ew_json *j)
{
    open_level(j, "{", false);
}

void ew_json_object_begin_inline(struct ew_json *j)
{
    open_level(j, "{", true);
}

void ew_json_object_end(struct ew_json *j)
{
    close_level(j, "}");
}

void ew_json_array_begin(struct ew_json *j)
{
    open_level(j, "[", false);
}

void ew_json_array_begin_inline(struct ew_json *j)
{
    open_level(j, "[", true);
}

void ew_json_array_end(struct ew_json *j)
{
    close_level(j, "]");
}

/* Characters that stand for themselves: strcspn would first note all the others, every time. */
static size_t count_plain(const char *text)
{
    size_t n = 0;
    while ((unsigned char)text[n] >= 0x20 && text[n] != '"' && text[n] != '\\') {
        n++;
    }
    return n;
}

static void write_escaped(struct ew_str *out, const char *text)
{
    ew_str_append(out, "\"");
    for (const char *p = text; *p;) {
        const size_t plain = count_plain(p);
        ew_str_append_n(out, p, plain);
        p += plain;
        if (!*p) {
            break;
        }
        switch (*p) {
        case '"':
            ew_str_append(out, "\\\"");
            break;
        case '\\':
            ew_str_append(out, "\\\\");
            break;
        case '\n':
            ew_str_append(out, "\\n");
            break;
        case '\t':
            ew_str_append(out, "\\t");
            break;
        default:
            ew_str_printf(out, "\\u%04x", (unsigned)(unsigned char)*p);
            break;
        }
        p++;
    }
    ew_str_append(out, "\"");
}

void ew_json_key(struct ew_json *j, const char *key)
{
    begin_value(j);
    write_escaped(j->out, key);
    ew_str_append(j->out, ": ");
    j->after_key = true;
}

void ew_json_string(struct ew_json *j, const char *text)
{
    if (!text) {
        ew_json_null(j);
        return;
    }
    begin_value(j);
    write_escaped(j->out, text);
}

void ew_json_double(struct ew_json *j, double x)
{
    if (!isfinite(x)) {
        ew_json_null(j);
        return;
    }
    begin_value(j);
    char number[32];
    ew_format_double(number, x);
    ew_str_append(j->out, number);
}

void ew_json_i64(struct ew_json *j, int64_t x)
{
    begin_value(j);
    ew_str_printf(j->out, "%lld", (long long)x);
}

void ew_json_u64(struct ew_json *j, uint64_t x)
{
    begin_value(j);
    ew_str_printf(j->out, "%llu", (unsigned long long)x);
}

void ew_json_bool(struct ew_json *j, bool x)
{
    begin_value(j);
    ew_str_append(j->out, x ? "true" : "false");
}

void ew_json_null(struct ew_json *j)
{
    begin_value(j);
    ew_str_append(j->out, "null");
}

void ew_json_kv_string(struct ew_json *j, const char *key, const char *text)
{
    ew_json_key(j, key);
    ew_json_string(j, text);
}

void ew_json_kv_double(struct ew_json *j, const char *key, double x)
{
    ew_json_key(j, key);
    ew_json_double(j, x);
}

void ew_json_kv_i64(struct ew_json *j, const char *key, int64_t x)
{
    ew_json_key(j, key);
    ew_json_i64(j, x);
}

void ew_json_kv_u64(struct ew_json *j, const char *key, uint64_t x)
{
    ew_json_key(j, key);
    ew_json_u64(j, x);
}

void ew_json_kv_bool(struct ew_json *j, const char *key, bool x)
{
    ew_json_key(j, key);
    ew_json_bool(j, x);
}
