/*
 * Streaming JSON writer: two-space indentation, commas and escapes taken care of, numbers in the
 * shortest form that reads back exactly, NaN and infinities as null. Writes into an ew_str.
 */
#ifndef EW_BASE_JSON_WRITER_H
#define EW_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { EW_JSON_DEPTH = 32 };

/** Writer state. Initialise with {.out = &string}. Nesting deeper than EW_JSON_DEPTH is a bug. */
struct ew_json {
    struct ew_str *out;
    int depth;
    bool has_items[EW_JSON_DEPTH];
    bool is_inline[EW_JSON_DEPTH];
    bool after_key;
};

void ew_json_object_begin(struct ew_json *j);
void ew_json_object_end(struct ew_json *j);
void ew_json_array_begin(struct ew_json *j);
/** An array (or object, below) written on one line, for boxes and other short tuples. */
void ew_json_array_begin_inline(struct ew_json *j);
void ew_json_array_end(struct ew_json *j);
void ew_json_object_begin_inline(struct ew_json *j);

/** Name of the next value in an object. */
void ew_json_key(struct ew_json *j, const char *key);

void ew_json_string(struct ew_json *j, const char *text); /**< NULL becomes null */
void ew_json_double(struct ew_json *j, double x);
void ew_json_i64(struct ew_json *j, int64_t x);
void ew_json_u64(struct ew_json *j, uint64_t x);
void ew_json_bool(struct ew_json *j, bool x);
void ew_json_null(struct ew_json *j);

/* Key and value in one call. */
void ew_json_kv_string(struct ew_json *j, const char *key, const char *text);
void ew_json_kv_double(struct ew_json *j, const char *key, double x);
void ew_json_kv_i64(struct ew_json *j, const char *key, int64_t x);
void ew_json_kv_u64(struct ew_json *j, const char *key, uint64_t x);
void ew_json_kv_bool(struct ew_json *j, const char *key, bool x);

#endif
