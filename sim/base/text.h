/*
 * Text helpers: a growing string, strict number parsing, "did you mean", human units.
 */
#ifndef EW_BASE_TEXT_H
#define EW_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** Growing string. Zero-initialised is valid and empty. After running out of memory `failed` is
 *  set, later appends do nothing, and ew_str_text gives what was there: check once at the end. */
struct ew_str {
    char *text;
    size_t length;
    size_t capacity;
    bool failed;
};

void ew_str_append(struct ew_str *s, const char *text);
void ew_str_append_n(struct ew_str *s, const char *text, size_t n);
void ew_str_printf(struct ew_str *s, const char *fmt, ...) EW_PRINTF(2, 3);
/** The text so far; "" when empty. Owned by `s`. */
const char *ew_str_text(const struct ew_str *s);
void ew_str_fini(struct ew_str *s);

/** Shortest decimal that reads back as exactly `x` (at most 17 significant digits, no locale).
 *  Needs 32 bytes. NaN and infinities give "nan", "inf", "-inf". */
void ew_format_double(char out[32], double x);

/** Whole-string strict parsers: no trailing text, no NaN or infinity, range checked. */
bool ew_parse_double(const char *text, double *out);
bool ew_parse_i64(const char *text, int64_t *out);
bool ew_parse_u64(const char *text, uint64_t *out);

/** The name nearest to `wanted` (edit distance at most a third of its length, at least 1), or NULL.
 *  `name_at(ctx, i)` gives the i-th of `count` names. */
const char *ew_nearest_name(const char *wanted, size_t count,
                            const char *(*name_at)(const void *ctx, size_t i), const void *ctx);

/** Human-readable quantities for tables: "1.50 ms", "12.3 MB", "4.2 J". */
void ew_human_seconds(char out[32], double seconds);
void ew_human_bytes(char out[32], double bytes);
void ew_human_joules(char out[32], double joules);

/** |a-b| <= rel * max(|a|,|b|), or both are within `abs_tolerance` of each other. */
bool ew_close(double a, double b, double rel, double abs_tolerance);

#endif
