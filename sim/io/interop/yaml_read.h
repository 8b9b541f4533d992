/*
 * YAML files as a small tree, over libyaml (which nobody else includes). One document; anchors,
 * aliases and tags are refused, so that a file is no larger than it looks. Messages name file, line
 * and column: `models.yml:3:11: expected an integer >= 1, found "many"`.
 */
#ifndef EW_IO_INTEROP_YAML_READ_H
#define EW_IO_INTEROP_YAML_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { EW_YAML_MAX_DEPTH = 32, EW_YAML_MAX_KEYS = 10000 };

enum ew_yaml_kind { EW_YAML_SCALAR, EW_YAML_SEQUENCE, EW_YAML_MAPPING };

/** One value; lives as long as the document. */
struct ew_yaml_node {
    enum ew_yaml_kind kind;
    const char *key;  /**< in a mapping; else NULL */
    const char *text; /**< of a scalar, without a NUL inside; else NULL */
    uint32_t line, column;
    uint32_t n; /**< members */
    const struct ew_yaml_node *first;
    const struct ew_yaml_node *next;
};

struct ew_yaml;

/** Read a file. EW_EINPUT: syntax, aliases, a key twice, too deep. Free with ew_yaml_free. */
enum ew_status ew_yaml_load(struct ew_yaml **out, const char *path, size_t max_bytes,
                            struct ew_error *err);
/** As above from memory; `path` is for messages. */
enum ew_status ew_yaml_parse(struct ew_yaml **out, const char *text, size_t size, const char *path,
                             struct ew_error *err);
/** Accepts NULL. */
void ew_yaml_free(struct ew_yaml *yaml);

/** The document's value; NULL when the file is empty. */
const struct ew_yaml_node *ew_yaml_root(const struct ew_yaml *yaml);

/** Fail with `file:line:column: ` in front. */
enum ew_status ew_yaml_fail(const struct ew_yaml *yaml, const struct ew_yaml_node *at,
                            struct ew_error *err, const char *fmt, ...) EW_PRINTF(4, 5);

/** A value of a kind; fails with what was found instead. */
enum ew_status ew_yaml_expect(const struct ew_yaml *yaml, const struct ew_yaml_node *at,
                              enum ew_yaml_kind kind, struct ew_error *err);
/** A finite number, min <= x <= max. */
enum ew_status ew_yaml_as_double(double *out, const struct ew_yaml *yaml,
                                 const struct ew_yaml_node *at, double min, double max,
                                 struct ew_error *err);
/** A whole number, min <= x <= max. */
enum ew_status ew_yaml_as_i64(int64_t *out, const struct ew_yaml *yaml,
                              const struct ew_yaml_node *at, int64_t min, int64_t max,
                              struct ew_error *err);

/** Member of a mapping; NULL when absent. */
const struct ew_yaml_node *ew_yaml_find(const struct ew_yaml_node *mapping, const char *key);
/** The same; absence is a failure. */
enum ew_status ew_yaml_need(const struct ew_yaml_node **out, const struct ew_yaml *yaml,
                            const struct ew_yaml_node *mapping, const char *key,
                            struct ew_error *err);

/** A text as a YAML scalar: plain where that cannot be taken for anything else, else quoted. */
void ew_yaml_print_text(struct ew_str *out, const char *text);

#endif
