#include "io/sweep_base.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "io/json_overlay.h"
#include "io/scenario_json.h"

enum { MAX_FILE_BYTES = 16 << 20, VALUE_DEPTH = 16 };

enum ew_status ew_sweep_value_text(const char **out, struct ew_arena *arena,
                                   const struct ew_json_value *value, struct ew_error *err)
{
    struct ew_str text = {0};
    struct ew_json json = {.out = &text};
    enum ew_status status = ew_json_put_value(&json, value, VALUE_DEPTH, err);
    const char *copy = text.failed ? NULL : ew_arena_strdup(arena, ew_str_text(&text));
    ew_str_fini(&text);
    if (status == EW_OK && !copy) {
        status = ew_fail_memory(err);
    }
    *out = copy;
    return status;
}

/* --- keys --------------------------------------------------------------------------------------
 */

/* What follows `start`, or NULL. */
static const char *after(const char *text, const char *start)
{
    const size_t n = strlen(start);
    return strncmp(text, start, n) == 0 ? text + n : NULL;
}

static const char *workload_at(const void *ctx, size_t i)
{
    return ((const struct ew_sweep_spec *)ctx)->workloads[i];
}

/* "NAME.KEY"; names may have dots, keys have none. */
static enum ew_status make_workload_key(struct ew_sweep_key *out, const struct ew_sweep_spec *spec,
                                        const char *text, const struct ew_json_value *at,
                                        struct ew_error *err)
{
    const char *dot = strrchr(text, '.');
    if (!dot || dot == text || !dot[1]) {
        return ew_json_fail(at, err, "expected workload.NAME.KEY, found 'workload.%s'", text);
    }
    const size_t n = (size_t)(dot - text);
    for (uint32_t w = 0; w < spec->n_workloads; w++) {
        if (strlen(spec->workloads[w]) == n && strncmp(spec->workloads[w], text, n) == 0) {
            out->workload = w;
            out->member = dot + 1;
            return ew_scenario_check_key(at, out->member, true, err);
        }
    }
    char wanted[64];
    const size_t kept = n < sizeof wanted ? n : sizeof wanted - 1;
    memcpy(wanted, text, kept);
    wanted[kept] = '\0';
    const char *near = ew_nearest_name(wanted, spec->n_workloads, workload_at, spec);
    return ew_json_fail(at, err, "the scenario has no workload '%s'%s%s%s", wanted,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum ew_status ew_sweep_make_key(struct ew_sweep_key *out, const struct ew_sweep_spec *spec,
                                 const char *text, const char *name, const struct ew_json_value *at,
                                 struct ew_error *err)
{
    const char *rest = NULL;
    *out = (struct ew_sweep_key){.place = EW_SWEEP_PLAIN, .member = text, .name = name};
    if ((rest = after(text, "param.")) != NULL) {
        out->place = EW_SWEEP_PARAM;
        out->member = rest;
    } else if ((rest = after(text, "set.")) != NULL) {
        out->place = EW_SWEEP_SET;
        out->member = rest;
    } else if (after(text, "link.") || after(text, "device.")) {
        out->place = EW_SWEEP_SET;
    } else if ((rest = after(text, "workload.")) != NULL) {
        out->place = EW_SWEEP_WORKLOAD;
        return make_workload_key(out, spec, rest, at, err);
    } else {
        return ew_scenario_check_key(at, text, false, err);
    }
    return EW_OK;
}

bool ew_sweep_key_is_same(const struct ew_sweep_key *a, const struct ew_sweep_key *b)
{
    return a->place == b->place && a->workload == b->workload && strcmp(a->member, b->member) == 0;
}

/* --- base --------------------------------------------------------------------------------------
 */

static enum ew_status add_leaf(struct ew_sweep_spec *spec, struct ew_sweep_key key,
                               const struct ew_json_value *value, struct ew_error *err)
{
    struct ew_sweep_leaf *leaf = &spec->base[spec->n_base];
    if (key.place == EW_SWEEP_PLAIN || key.place == EW_SWEEP_WORKLOAD) {
        const bool is_of_workload = key.place == EW_SWEEP_WORKLOAD;
        const enum ew_status status =
            ew_scenario_check_key(value, ew_json_name(value), is_of_workload, err);
        if (status != EW_OK) {
            return status;
        }
    }
    leaf->key = key;
    leaf->key.member = ew_arena_strdup(&spec->arena, ew_json_name(value));
    leaf->key.name = leaf->key.member;
    if (!leaf->key.member) {
        return ew_fail_memory(err);
    }
    spec->n_base++;
    return ew_sweep_value_text(&leaf->value, &spec->arena, value, err);
}

static enum ew_status add_group(struct ew_sweep_spec *spec, struct ew_sweep_key key,
                                const struct ew_json_value *object, struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = EW_OK;
    if (!ew_json_is_object(object)) {
        return ew_json_expected(object, "an object", err);
    }
    while (status == EW_OK && ew_json_next(&item, object)) {
        status = add_leaf(spec, key, &item, err);
    }
    return status;
}

/* Every workload's keys apart, so that an axis can vary one of them. */
static enum ew_status add_workloads(struct ew_sweep_spec *spec, const struct ew_json_value *list,
                                    struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = ew_json_as_array(list, err);
    if (status != EW_OK) {
        return status;
    }
    if (ew_json_count(list) == 0) {
        return ew_json_fail(list, err, "expected at least one workload");
    }
    const char **names = ew_arena_calloc(&spec->arena, ew_json_count(list), sizeof *names);
    if (!names) {
        return ew_fail_memory(err);
    }
    spec->workloads = names;
    while (status == EW_OK && ew_json_next(&item, list)) {
        const struct ew_sweep_key key = {.place = EW_SWEEP_WORKLOAD, .workload = spec->n_workloads};
        const char *name = "";
        status = add_group(spec, key, &item, err);
        if (status == EW_OK) {
            status = ew_json_get_string(&name, &item, "name", err);
        }
        if (status == EW_OK) {
            names[spec->n_workloads] = ew_arena_strdup(&spec->arena, name);
            status = names[spec->n_workloads++] ? EW_OK : ew_fail_memory(err);
        }
    }
    return status;
}

/* No fewer than there will be. */
static size_t count_leaves(const struct ew_json_value *object)
{
    struct ew_json_value item = {0}, inner = {0};
    size_t n = 0;
    while (ew_json_next(&item, object)) {
        n++;
        if (ew_json_is_object(&item)) {
            n += ew_json_count(&item);
        }
        inner = (struct ew_json_value){0};
        while (ew_json_is_array(&item) && ew_json_next(&inner, &item)) {
            n += ew_json_is_object(&inner) ? ew_json_count(&inner) : 0;
        }
    }
    return n;
}

static enum ew_status add_base(struct ew_sweep_spec *spec, const struct ew_json_value *scenario,
                               struct ew_error *err)
{
    struct ew_json_value item = {0};
    enum ew_status status = EW_OK;
    spec->base = ew_arena_calloc(&spec->arena, count_leaves(scenario), sizeof *spec->base);
    if (!spec->base) {
        return ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&item, scenario)) {
        const char *name = ew_json_name(&item);
        if (strcmp(name, "param") == 0) {
            status = add_group(spec, (struct ew_sweep_key){.place = EW_SWEEP_PARAM}, &item, err);
        } else if (strcmp(name, "set") == 0) {
            status = add_group(spec, (struct ew_sweep_key){.place = EW_SWEEP_SET}, &item, err);
        } else if (strcmp(name, "workloads") == 0) {
            status = add_workloads(spec, &item, err);
        } else if (strcmp(name, "schema") != 0 && strcmp(name, "description") != 0) {
            status = add_leaf(spec, (struct ew_sweep_key){.place = EW_SWEEP_PLAIN}, &item, err);
        }
    }
    return status;
}

static enum ew_status load_base(struct ew_sweep_spec *spec, const struct ew_json_value *name,
                                struct ew_error *err)
{
    const char *text = NULL;
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_as_string(&text, name, err);
    if (status != EW_OK) {
        return status;
    }
    char *beside = ew_path_beside(spec->path, text);
    spec->scenario_path = beside ? ew_arena_strdup(&spec->arena, beside) : NULL;
    free(beside);
    if (!spec->scenario_path) {
        return ew_fail_memory(err);
    }
    status = ew_json_doc_load(&doc, spec->scenario_path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        const struct ew_json_value root = ew_json_root(doc);
        status = ew_json_check_schema(&root, "edgeweave.scenario/1", err);
        if (status == EW_OK) {
            status = add_base(spec, &root, err);
        }
    }
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_sweep_read_base(struct ew_sweep_spec *spec, const struct ew_json_value *root,
                                  struct ew_error *err)
{
    struct ew_json_value scenario;
    if (!ew_json_find(&scenario, root, "scenario")) {
        return EW_OK;
    }
    if (ew_json_is_string(&scenario)) {
        return load_base(spec, &scenario, err);
    }
    return ew_json_is_object(&scenario)
               ? add_base(spec, &scenario, err)
               : ew_json_expected(&scenario, "a scenario or the name of a scenario file", err);
}
