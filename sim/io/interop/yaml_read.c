#include "io/interop/yaml_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"

struct ew_yaml {
    struct ew_arena arena;
    const char *path;
    const struct ew_yaml_node *root;
};

/* A collection that is being read. */
struct level {
    struct ew_yaml_node *node;
    struct ew_yaml_node *last; /* member */
    const char *key;           /* of the member to come */
};

struct reading {
    struct ew_yaml *yaml;
    yaml_parser_t parser;
    struct level levels[EW_YAML_MAX_DEPTH];
    int depth;
    bool has_root;
    struct ew_error *err;
};

static enum ew_status fail_at(const struct reading *r, const yaml_mark_t *mark, const char *what)
{
    return ew_fail(r->err, EW_EINPUT, "%s:%zu:%zu: %s", r->yaml->path, mark->line + 1,
                   mark->column + 1, what);
}

static const char *copy_text(const struct reading *r, const yaml_event_t *event)
{
    return ew_arena_strndup(&r->yaml->arena, (const char *)event->data.scalar.value,
                            event->data.scalar.length);
}

/* The new node takes its place in the collection that is open. */
static enum ew_status attach(struct reading *r, struct ew_yaml_node *node,
                             const yaml_event_t *event)
{
    if (r->depth == 0) {
        if (r->has_root) {
            return fail_at(r, &event->start_mark, "expected one document, found another");
        }
        r->yaml->root = node;
        r->has_root = true;
        return EW_OK;
    }
    struct level *level = &r->levels[r->depth - 1];
    node->key = level->key;
    level->key = NULL;
    if (level->last) {
        level->last->next = node;
    } else {
        level->node->first = node;
    }
    level->last = node;
    level->node->n++;
    return EW_OK;
}

static enum ew_status take_key(struct reading *r, struct level *level, const yaml_event_t *event)
{
    const char *key = event->type == YAML_SCALAR_EVENT ? copy_text(r, event) : NULL;
    if (event->type != YAML_SCALAR_EVENT) {
        return fail_at(r, &event->start_mark, "expected a text as key");
    }
    if (!key) {
        return ew_fail_memory(r->err);
    }
    if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) || !*key) {
        return fail_at(r, &event->start_mark, "expected a text as key, found an empty one");
    }
    if (level->node->n >= EW_YAML_MAX_KEYS) {
        return fail_at(r, &event->start_mark, "expected at most 10000 keys in one mapping");
    }
    if (ew_yaml_find(level->node, key)) {
        return fail_at(r, &event->start_mark, "this key has been there before");
    }
    level->key = key;
    return EW_OK;
}

static enum ew_status take_value(struct reading *r, const yaml_event_t *event)
{
    const bool is_scalar = event->type == YAML_SCALAR_EVENT;
    struct ew_yaml_node *node = ew_arena_calloc(&r->yaml->arena, 1, sizeof *node);
    if (!node) {
        return ew_fail_memory(r->err);
    }
    node->kind = is_scalar                                  ? EW_YAML_SCALAR
                 : event->type == YAML_SEQUENCE_START_EVENT ? EW_YAML_SEQUENCE
                                                            : EW_YAML_MAPPING;
    node->line = (uint32_t)event->start_mark.line + 1;
    node->column = (uint32_t)event->start_mark.column + 1;
    if (is_scalar) {
        node->text = copy_text(r, event);
        if (!node->text) {
            return ew_fail_memory(r->err);
        }
        if (memchr(event->data.scalar.value, '\0', event->data.scalar.length)) {
            return fail_at(r, &event->start_mark, "expected a text without NUL characters");
        }
    }
    const enum ew_status status = attach(r, node, event);
    if (status != EW_OK || is_scalar) {
        return status;
    }
    if (r->depth == EW_YAML_MAX_DEPTH) {
        return fail_at(r, &event->start_mark, "expected at most 32 levels");
    }
    r->levels[r->depth++] = (struct level){.node = node};
    return EW_OK;
}

static enum ew_status take_event(struct reading *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return fail_at(r, &event->start_mark, "aliases are not read: write the value out");
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: {
        struct level *level = r->depth ? &r->levels[r->depth - 1] : NULL;
        if (level && level->node->kind == EW_YAML_MAPPING && !level->key) {
            return take_key(r, level, event);
        }
        return take_value(r, event);
    }
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        return EW_OK;
    default:
        return EW_OK;
    }
}

static enum ew_status read_events(struct reading *r)
{
    for (bool is_over = false; !is_over;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            if (r->parser.error == YAML_MEMORY_ERROR) {
                return ew_fail_memory(r->err);
            }
            const char *what = r->parser.problem ? r->parser.problem : "not YAML";
            const yaml_mark_t *mark =
                r->parser.error == YAML_READER_ERROR ? &r->parser.mark : &r->parser.problem_mark;
            return fail_at(r, mark, what);
        }
        const enum ew_status status = take_event(r, &event);
        is_over = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (status != EW_OK) {
            return status;
        }
    }
    return EW_OK;
}

enum ew_status ew_yaml_parse(struct ew_yaml **out, const char *text, size_t size, const char *path,
                             struct ew_error *err)
{
    struct ew_yaml *yaml = calloc(1, sizeof *yaml);
    if (!yaml) {
        return ew_fail_memory(err);
    }
    struct reading r = {.yaml = yaml, .err = err};
    yaml->path = ew_arena_strdup(&yaml->arena, path);
    enum ew_status status = EW_OK;
    if (!yaml->path || !yaml_parser_initialize(&r.parser)) {
        ew_yaml_free(yaml);
        return ew_fail_memory(err);
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    status = read_events(&r);
    yaml_parser_delete(&r.parser);
    if (status != EW_OK) {
        ew_yaml_free(yaml);
        return status;
    }
    *out = yaml;
    return EW_OK;
}

enum ew_status ew_yaml_load(struct ew_yaml **out, const char *path, size_t max_bytes,
                            struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&text, &size, path, max_bytes, err);
    if (status == EW_OK) {
        status = ew_yaml_parse(out, text, size, path, err);
    }
    free(text);
    return status;
}

void ew_yaml_free(struct ew_yaml *yaml)
{
    if (yaml) {
        ew_arena_fini(&yaml->arena);
        free(yaml);
    }
}

const struct ew_yaml_node *ew_yaml_root(const struct ew_yaml *yaml)
{
    return yaml->root;
}

/* --- values ---------------------------------------------------------------------------------- */

enum ew_status ew_yaml_fail(const struct ew_yaml *yaml, const struct ew_yaml_node *at,
                            struct ew_error *err, const char *fmt, ...)
{
    char message[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return ew_fail(err, EW_EINPUT, "%s:%u:%u: %s", yaml->path, at ? at->line : 1,
                   at ? at->column : 1, message);
}

static const char *const KIND_NAMES[] = {"a value", "a list", "a mapping"};

enum ew_status ew_yaml_expect(const struct ew_yaml *yaml, const struct ew_yaml_node *at,
                              enum ew_yaml_kind kind, struct ew_error *err)
{
    if (at && at->kind == kind) {
        return EW_OK;
    }
    return ew_yaml_fail(yaml, at, err, "expected %s, found %s", KIND_NAMES[kind],
                        at ? KIND_NAMES[at->kind] : "nothing");
}

static enum ew_status fail_number(const struct ew_yaml *yaml, const struct ew_yaml_node *at,
                                  const char *what, double min, double max, struct ew_error *err)
{
    return ew_yaml_fail(yaml, at, err, "expected %s in %.10g..%.10g, found %s%.40s%s", what, min,
                        max, at->text ? "'" : "", at->text ? at->text : KIND_NAMES[at->kind],
                        at->text ? "'" : "");
}

enum ew_status ew_yaml_as_double(double *out, const struct ew_yaml *yaml,
                                 const struct ew_yaml_node *at, double min, double max,
                                 struct ew_error *err)
{
    if (at->kind != EW_YAML_SCALAR || !ew_parse_double(at->text, out) || *out < min || *out > max) {
        return fail_number(yaml, at, "a number", min, max, err);
    }
    return EW_OK;
}

enum ew_status ew_yaml_as_i64(int64_t *out, const struct ew_yaml *yaml,
                              const struct ew_yaml_node *at, int64_t min, int64_t max,
                              struct ew_error *err)
{
    if (at->kind != EW_YAML_SCALAR || !ew_parse_i64(at->text, out) || *out < min || *out > max) {
        return fail_number(yaml, at, "a whole number", (double)min, (double)max, err);
    }
    return EW_OK;
}

const struct ew_yaml_node *ew_yaml_find(const struct ew_yaml_node *mapping, const char *key)
{
    const struct ew_yaml_node *node = mapping->first;
    while (node && strcmp(node->key, key) != 0) {
        node = node->next;
    }
    return node;
}

enum ew_status ew_yaml_need(const struct ew_yaml_node **out, const struct ew_yaml *yaml,
                            const struct ew_yaml_node *mapping, const char *key,
                            struct ew_error *err)
{
    *out = ew_yaml_find(mapping, key);
    return *out ? EW_OK : ew_yaml_fail(yaml, mapping, err, "expected key '%s', found none", key);
}

void ew_yaml_print_text(struct ew_str *out, const char *text)
{
    static const char *const PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_./-";
    const bool begins_well = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
    const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    bool is_plain = begins_well && text[strspn(text, PLAIN)] == '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t k = 0;
        while (words[i][k] && (text[k] | 0x20) == words[i][k]) {
            k++;
        }
        is_plain = is_plain && (words[i][k] || text[k]);
    }
    if (is_plain) {
        ew_str_append(out, text);
        return;
    }
    struct ew_json j = {.out = out}; /* a JSON string is a YAML one */
    ew_json_string(&j, text);
}
