#include "io/json_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "io/json_read.h"

enum { MAX_NUMBER_LENGTH = 60 /* cJSON reads no more than 63 characters of a number */ };

enum ew_status ew_json_fail_offset(const char *text, size_t offset, const char *path,
                                   struct ew_error *err, const char *fmt, ...)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) { /* not inside a character */
            column++;
        }
    }
    va_list args;
    va_start(args, fmt);
    const enum ew_status status = ew_vfail(err, EW_EINPUT, fmt, args);
    va_end(args);
    (void)ew_prefix(err, "%s:%zu:%zu: ", path, line, column);
    return status;
}

struct scanner {
    const char *text;
    size_t size;
    size_t at;
    const char *path;
    struct ew_error *err;
};

#define FAIL_AT(s, offset, ...)                                                                    \
    ew_json_fail_offset((s)->text, (offset), (s)->path, (s)->err, __VA_ARGS__)

static unsigned char byte_at(const struct scanner *s, size_t i)
{
    return i < s->size ? (unsigned char)s->text[i] : 0;
}

/* Length of the UTF-8 character at `i`, 0 when it is not valid (overlong, surrogate, cut). */
static size_t utf8_length(const struct scanner *s, size_t i)
{
    static const struct {
        unsigned char first_lo, first_hi, second_lo, second_hi, length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const unsigned char first = byte_at(s, i);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if (first < forms[f].first_lo || first > forms[f].first_hi) {
            continue;
        }
        for (size_t k = 1; k < forms[f].length; k++) {
            const unsigned char b = byte_at(s, i + k);
            if (b < (k == 1 ? forms[f].second_lo : 0x80) ||
                b > (k == 1 ? forms[f].second_hi : 0xbf)) {
                return 0;
            }
        }
        return forms[f].length;
    }
    return 0;
}

/* At the opening quote; leaves `at` behind the closing one. */
static enum ew_status scan_string(struct scanner *s)
{
    const size_t begin = s->at++;
    while (s->at < s->size) {
        const unsigned char c = byte_at(s, s->at);
        if (c == '"') {
            s->at++;
            return EW_OK;
        }
        if (c < 0x20) {
            return FAIL_AT(s, s->at, "expected control characters to be escaped, found byte %d",
                           (int)c);
        }
        if (c == '\\') {
            if (s->size - s->at >= 6 && memcmp(s->text + s->at, "\\u0000", 6) == 0) {
                return FAIL_AT(s, s->at, "expected text without NUL, found \\u0000");
            }
            s->at += s->at + 1 < s->size ? 2 : 1;
            continue;
        }
        const size_t length = utf8_length(s, s->at);
        if (length == 0) {
            return FAIL_AT(s, s->at, "expected UTF-8, found byte 0x%02x", (unsigned)c);
        }
        s->at += length;
    }
    return FAIL_AT(s, begin, "expected a closing quote, found the end of the file");
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const struct scanner *s, size_t i)
{
    while (is_digit(byte_at(s, i))) {
        i++;
    }
    return i;
}

/* End of the RFC 8259 number at `i`, or `i` itself when there is none. */
static size_t number_end(const struct scanner *s, size_t i)
{
    const size_t none = i;
    i += byte_at(s, i) == '-';
    if (!is_digit(byte_at(s, i))) {
        return none;
    }
    i = byte_at(s, i) == '0' ? i + 1 : skip_digits(s, i);
    if (byte_at(s, i) == '.') {
        if (!is_digit(byte_at(s, i + 1))) {
            return none;
        }
        i = skip_digits(s, i + 1);
    }
    if (byte_at(s, i) == 'e' || byte_at(s, i) == 'E') {
        i++;
        i += byte_at(s, i) == '+' || byte_at(s, i) == '-';
        if (!is_digit(byte_at(s, i))) {
            return none;
        }
        i = skip_digits(s, i);
    }
    return i;
}

static bool continues_word(unsigned char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '+' || c == '-' || c == '_';
}

/* Numbers and the words true, false, null: everything up to the next delimiter. */
static enum ew_status scan_word(struct scanner *s)
{
    const size_t begin = s->at;
    size_t end = begin;
    while (continues_word(byte_at(s, end))) {
        end++;
    }
    const int shown = end - begin < 24 ? (int)(end - begin) : 24;
    const char *word = s->text + begin;
    if (end == begin) {
        const unsigned char c = byte_at(s, begin);
        return c > 0x20 && c < 0x7f
                   ? FAIL_AT(s, begin, "expected a JSON value, found '%c'", (int)c)
                   : FAIL_AT(s, begin, "expected a JSON value, found byte 0x%02x", (unsigned)c);
    }
    const size_t length = end - begin;
    const bool is_literal = (length == 4 && memcmp(word, "true", 4) == 0) ||
                            (length == 5 && memcmp(word, "false", 5) == 0) ||
                            (length == 4 && memcmp(word, "null", 4) == 0);
    if (!is_literal && number_end(s, begin) != end) {
        return FAIL_AT(s, begin, "expected a JSON value, found '%.*s'", shown, word);
    }
    if (!is_literal && length > MAX_NUMBER_LENGTH) {
        return FAIL_AT(s, begin, "expected a number of at most %d characters, found %zu",
                       (int)MAX_NUMBER_LENGTH, length);
    }
    s->at = end;
    return EW_OK;
}

enum ew_status ew_json_scan(size_t *n_open, const char *text, size_t size, const char *path,
                            struct ew_error *err)
{
    struct scanner s = {text, size, 0, path, err};
    enum ew_status status = EW_OK;
    size_t depth = 0;
    while (s.at < size && status == EW_OK) {
        switch (text[s.at]) {
        case ' ':
        case '\t':
        case '\r':
        case '\n':
        case ',':
        case ':':
            s.at++;
            break;
        case '[':
        case '{':
            if (++depth > EW_JSON_MAX_DEPTH) {
                return FAIL_AT(&s, s.at, "expected at most %d nested values",
                               (int)EW_JSON_MAX_DEPTH);
            }
            s.at++;
            break;
        case ']':
        case '}':
            depth -= depth > 0; /* unbalanced ones are cJSON's to find */
            s.at++;
            break;
        case '"':
            status = scan_string(&s);
            break;
        default:
            status = scan_word(&s);
            break;
        }
    }
    *n_open = depth;
    return status;
}
