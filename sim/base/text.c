#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void ew_str_append_n(struct ew_str *s, const char *text, size_t n)
{
    if (s->failed) {
        return;
    }
    void *p = s->text;
    if (!ew_vec_grow(&p, &s->capacity, s->length + n + 1, 1)) {
        s->failed = true;
        return;
    }
    s->text = p;
    memcpy(s->text + s->length, text, n);
    s->length += n;
    s->text[s->length] = '\0';
}

void ew_str_append(struct ew_str *s, const char *text)
{
    ew_str_append_n(s, text, strlen(text));
}

void ew_str_printf(struct ew_str *s, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    const size_t room = s->failed ? 0 : s->capacity - s->length;
    const int n = vsnprintf(room ? s->text + s->length : NULL, room, fmt, args);
    va_end(args);
    void *p = s->text;
    if (n < 0 || s->failed) {
        s->failed = true;
    } else if ((size_t)n < room) {
        s->length += (size_t)n;
    } else if (!ew_vec_grow(&p, &s->capacity, s->length + (size_t)n + 1, 1)) {
        s->failed = true;
    } else {
        s->text = p;
        (void)vsnprintf(s->text + s->length, (size_t)n + 1, fmt, again);
        s->length += (size_t)n;
    }
    va_end(again);
}

const char *ew_str_text(const struct ew_str *s)
{
    return s->text ? s->text : "";
}

void ew_str_fini(struct ew_str *s)
{
    free(s->text);
    *s = (struct ew_str){0};
}

void ew_format_double(char out[32], double x)
{
    if (isnan(x)) {
        (void)snprintf(out, 32, "nan");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, 32, "%.*g", digits, x);
        if (digits == 17 || strtod(out, NULL) == x) {
            return;
        }
    }
}

static bool begins_like_number(const char *text)
{
    return isdigit((unsigned char)*text) ||
           ((*text == '-' || *text == '+' || *text == '.') && text[1] != '\0');
}

bool ew_parse_double(const char *text, double *out)
{
    if (!begins_like_number(text)) {
        return false;
    }
    char *end;
    const double x = strtod(text, &end);
    if (*end != '\0' || !isfinite(x)) {
        return false;
    }
    *out = x;
    return true;
}

bool ew_parse_i64(const char *text, int64_t *out)
{
    if (!begins_like_number(text)) {
        return false;
    }
    char *end;
    errno = 0;
    const long long x = strtoll(text, &end, 10);
    if (errno || *end != '\0') {
        return false;
    }
    *out = x;
    return true;
}

bool ew_parse_u64(const char *text, uint64_t *out)
{
    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    char *end;
    errno = 0;
    const unsigned long long x = strtoull(text, &end, 10);
    if (errno || *end != '\0') {
        return false;
    }
    *out = x;
    return true;
}

enum { MAX_NAME = 64 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance with insertions, deletions, substitutions and swapped neighbours; names longer than
 * MAX_NAME do not take part. */
static size_t edit_distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    if (n > MAX_NAME || m > MAX_NAME) {
        return SIZE_MAX;
    }
    size_t rows[3][MAX_NAME + 1]; /* of the last but one, the last and this letter of a */
    for (size_t j = 0; j <= m; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t substituted = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = smaller(substituted, smaller(last[j], now[j - 1]) + 1);
            const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap) {
                now[j] = smaller(now[j], before[j - 2] + 1);
            }
        }
    }
    return rows[n % 3][m];
}

const char *ew_nearest_name(const char *wanted, size_t count,
                            const char *(*name_at)(const void *ctx, size_t i), const void *ctx)
{
    const size_t third = strlen(wanted) / 3;
    size_t best = (third ? third : 1) + 1;
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = name_at(ctx, i);
        const size_t distance = edit_distance(wanted, name);
        if (distance < best) {
            best = distance;
            found = name;
        }
    }
    return found;
}

struct unit_step {
    double scale;
    const char *unit;
};

static void format_scaled(char out[32], double x, const struct unit_step *steps, size_t n)
{
    size_t i = 0;
    while (i + 1 < n && fabs(x) < steps[i].scale * 0.99995) { /* what rounds to 1000 is 1 */
        i++;
    }
    (void)snprintf(out, 32, "%.4g %s", x / steps[i].scale, steps[i].unit);
}

void ew_human_seconds(char out[32], double seconds)
{
    static const struct unit_step steps[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
    format_scaled(out, seconds, steps, sizeof steps / sizeof *steps);
}

void ew_human_bytes(char out[32], double bytes)
{
    static const struct unit_step steps[] = {{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "B"}};
    format_scaled(out, bytes, steps, sizeof steps / sizeof *steps);
}

void ew_human_joules(char out[32], double joules)
{
    static const struct unit_step steps[] = {{1, "J"}, {1e-3, "mJ"}, {1e-6, "uJ"}};
    format_scaled(out, joules, steps, sizeof steps / sizeof *steps);
}

bool ew_close(double a, double b, double rel, double abs_tolerance)
{
    const double diff = fabs(a - b);
    return diff <= abs_tolerance || diff <= rel * fmax(fabs(a), fabs(b));
}
