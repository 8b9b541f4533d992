/*
 * Strict JSON reading for every reader in sim/io, over cJSON (which nobody else includes).
 *
 * A document is checked as a whole when it is loaded: RFC 8259 numbers, valid UTF-8, bounded depth,
 * no NUL, no duplicate keys, nothing after the end. Then values are fetched with type and range,
 * and every message names file and JSON pointer:
 * `vgg16.json: /layers/3/kernel: expected 1 or 2 integers >= 1, found "3x3"`.
 */
#ifndef EW_IO_JSON_READ_H
#define EW_IO_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { EW_JSON_MAX_DEPTH = 64 };

/** Largest integer that a JSON number holds exactly everywhere: 2^53 - 1. */
#define EW_JSON_MAX_INT INT64_C(9007199254740991)

/** A loaded document. */
struct ew_json_doc;

struct cJSON;

/** One value and the way to it. A plain value to copy; borrows the document and its parent, which
 *  must both outlive it (declare parents first). A zeroed one is "absent". */
struct ew_json_value {
    const struct ew_json_doc *doc;
    const struct ew_json_value *parent;
    const struct cJSON *node;
    size_t index; /**< position in its parent */
};

/** Read and check a file. EW_EINPUT with `path:line:column: …` for bad syntax. */
enum ew_status ew_json_doc_load(struct ew_json_doc **out, const char *path, size_t max_bytes,
                                struct ew_error *err);

/** Check `size` bytes of text (need not be terminated; borrowed only during the call). `path` is
 *  for messages. */
enum ew_status ew_json_doc_parse(struct ew_json_doc **out, const char *text, size_t size,
                                 const char *path, struct ew_error *err);

/** Free; accepts NULL. */
void ew_json_doc_free(struct ew_json_doc *doc);

/** The outermost value. */
struct ew_json_value ew_json_root(const struct ew_json_doc *doc);

/** False for a zeroed value, e.g. an optional one that was not there. */
bool ew_json_is_present(const struct ew_json_value *value);

bool ew_json_is_object(const struct ew_json_value *value);
bool ew_json_is_array(const struct ew_json_value *value);
bool ew_json_is_string(const struct ew_json_value *value);
bool ew_json_is_number(const struct ew_json_value *value);

/** Number of members or items; 0 for other types. Takes linear time. */
size_t ew_json_count(const struct ew_json_value *value);

/** Member name, NULL for an item of an array and for the root. */
const char *ew_json_name(const struct ew_json_value *value);

/** Walk the members or items of `parent` in file order; start with a zeroed `item`. Usage:
 *  `struct ew_json_value item = {0}; while (ew_json_next(&item, &parent)) {…}` */
bool ew_json_next(struct ew_json_value *item, const struct ew_json_value *parent);

/** Member of an object by name; false (and a zeroed `out`) when absent. */
bool ew_json_find(struct ew_json_value *out, const struct ew_json_value *object, const char *key);

/* ---- messages ---- */

/** Fail with `file: /json/pointer: ` in front. */
enum ew_status ew_json_fail(const struct ew_json_value *at, struct ew_error *err, const char *fmt,
                            ...) EW_PRINTF(3, 4);

/** Fail with "expected WHAT, found (the value, shortened)". */
enum ew_status ew_json_expected(const struct ew_json_value *at, const char *what,
                                struct ew_error *err);

/** Put `file: /json/pointer: ` in front of a message of a lower layer. */
enum ew_status ew_json_prefix(const struct ew_json_value *at, struct ew_error *err);

/** JSON pointer of a value ("" for the root) into `out`; cut when longer than `size`. */
void ew_json_pointer(char *out, size_t size, const struct ew_json_value *at);

/* ---- a value as a type ---- */

enum ew_status ew_json_as_object(const struct ew_json_value *value, struct ew_error *err);
enum ew_status ew_json_as_array(const struct ew_json_value *value, struct ew_error *err);
/** The text is borrowed from the document. */
enum ew_status ew_json_as_string(const char **out, const struct ew_json_value *value,
                                 struct ew_error *err);
enum ew_status ew_json_as_bool(bool *out, const struct ew_json_value *value, struct ew_error *err);
/** Finite and min <= x <= max. */
enum ew_status ew_json_as_double(double *out, const struct ew_json_value *value, double min,
                                 double max, struct ew_error *err);
/** Integral and min <= x <= max; never beyond +-EW_JSON_MAX_INT. */
enum ew_status ew_json_as_i64(int64_t *out, const struct ew_json_value *value, int64_t min,
                              int64_t max, struct ew_error *err);

/* ---- members of an object by name ----
 * `need` fails when the member is absent; `get` then leaves `out` alone (zeroes a value). */

enum ew_status ew_json_need(struct ew_json_value *out, const struct ew_json_value *object,
                            const char *key, struct ew_error *err);
enum ew_status ew_json_need_object(struct ew_json_value *out, const struct ew_json_value *object,
                                   const char *key, struct ew_error *err);
enum ew_status ew_json_need_array(struct ew_json_value *out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err);
enum ew_status ew_json_need_string(const char **out, const struct ew_json_value *object,
                                   const char *key, struct ew_error *err);
enum ew_status ew_json_need_bool(bool *out, const struct ew_json_value *object, const char *key,
                                 struct ew_error *err);
enum ew_status ew_json_need_double(double *out, const struct ew_json_value *object, const char *key,
                                   double min, double max, struct ew_error *err);
enum ew_status ew_json_need_i64(int64_t *out, const struct ew_json_value *object, const char *key,
                                int64_t min, int64_t max, struct ew_error *err);

enum ew_status ew_json_get_object(struct ew_json_value *out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err);
enum ew_status ew_json_get_array(struct ew_json_value *out, const struct ew_json_value *object,
                                 const char *key, struct ew_error *err);
enum ew_status ew_json_get_string(const char **out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err);
enum ew_status ew_json_get_bool(bool *out, const struct ew_json_value *object, const char *key,
                                struct ew_error *err);
enum ew_status ew_json_get_double(double *out, const struct ew_json_value *object, const char *key,
                                  double min, double max, struct ew_error *err);
enum ew_status ew_json_get_i64(int64_t *out, const struct ew_json_value *object, const char *key,
                               int64_t min, int64_t max, struct ew_error *err);

/** Fail, at `at`, unless `key` is among `keys`; suggests the nearest. */
enum ew_status ew_json_check_key(const struct ew_json_value *at, const char *key,
                                 const char *const *keys, size_t n_keys, struct ew_error *err);

/** Fail unless `object` is an object all of whose members are among `keys`; suggests the nearest.
 */
enum ew_status ew_json_check_keys(const struct ew_json_value *object, const char *const *keys,
                                  size_t n_keys, struct ew_error *err);

/** Fail unless `root` is an object whose member "schema" is the string `schema`. */
enum ew_status ew_json_check_schema(const struct ew_json_value *root, const char *schema,
                                    struct ew_error *err);

#endif
