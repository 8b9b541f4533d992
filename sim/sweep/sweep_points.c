#include "sweep/sweep_points.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "results/report.h"

/* --- members -----------------------------------------------------------------------------------
 */

static bool is_same_key(const struct ew_sweep_key *a, const struct ew_sweep_key *b)
{
    return a->place == b->place && a->workload == b->workload && strcmp(a->member, b->member) == 0;
}

/* Position in the base scenario of a varied key, or n_base. */
static uint32_t find_base(const struct ew_sweep_spec *spec, const struct ew_sweep_key *key)
{
    uint32_t i = 0;
    while (i < spec->n_base && !is_same_key(&spec->base[i].key, key)) {
        i++;
    }
    return i;
}

static int compare_members(const void *a, const void *b)
{
    const struct ew_sweep_member *x = a, *y = b;
    return strcmp(x->key->member, y->key->member);
}

/* Members of one place (of one workload), in the order of the base, new ones behind. */
static void gather(struct ew_sweep_points *p, enum ew_sweep_place place, uint32_t workload)
{
    const struct ew_sweep_spec *spec = p->spec;
    const uint32_t first = p->n_members;
    for (uint32_t i = 0; i < spec->n_base; i++) {
        if (spec->base[i].key.place == place && spec->base[i].key.workload == workload) {
            p->members[p->n_members++] =
                (struct ew_sweep_member){&spec->base[i].key, spec->base[i].value, 0};
        }
    }
    for (uint32_t k = 0; k < spec->n_keys; k++) {
        if (spec->keys[k].place != place || spec->keys[k].workload != workload) {
            continue;
        }
        struct ew_sweep_member *member = &p->members[p->n_members];
        if (find_base(spec, &spec->keys[k]) < spec->n_base) {
            member = &p->members[first];
            while (!is_same_key(member->key, &spec->keys[k])) {
                member++;
            }
        } else {
            p->n_members++;
        }
        *member = (struct ew_sweep_member){&spec->keys[k], NULL, k};
    }
    const bool has_order = place == EW_SWEEP_PARAM || place == EW_SWEEP_SET;
    if (!has_order && p->n_members > first) {
        qsort(&p->members[first], p->n_members - first, sizeof *p->members, compare_members);
    }
}

enum ew_status ew_sweep_points_init(struct ew_sweep_points *out, const struct ew_sweep_spec *spec,
                                    struct ew_error *err)
{
    struct ew_sweep_points p = {.spec = spec, .n_raw = 1};
    p.members = calloc((size_t)spec->n_base + spec->n_keys + 1, sizeof *p.members);
    if (!p.members) {
        return ew_fail_memory(err);
    }
    for (uint32_t a = 0; a < spec->n_axes; a++) {
        p.n_raw *= spec->axes[a].n_values;
    }
    gather(&p, EW_SWEEP_PLAIN, 0);
    /* an axis over all workloads at once leaves nothing of the base's */
    p.n_workloads = ew_sweep_points_has_key(&p, "workloads") ? 0 : spec->n_workloads;
    for (uint32_t w = 0; w < p.n_workloads; w++) {
        gather(&p, EW_SWEEP_WORKLOAD, w);
    }
    gather(&p, EW_SWEEP_PARAM, 0);
    gather(&p, EW_SWEEP_SET, 0);
    *out = p;
    return EW_OK;
}

void ew_sweep_points_fini(struct ew_sweep_points *points)
{
    free(points->members);
    *points = (struct ew_sweep_points){0};
}

/* --- one point ---------------------------------------------------------------------------------
 */

/* The value of every varied key. */
static void find_values(const char **values, const struct ew_sweep_points *p, uint64_t raw)
{
    for (uint32_t a = p->spec->n_axes; a-- > 0;) {
        const struct ew_sweep_axis *axis = &p->spec->axes[a];
        const uint64_t i = raw % axis->n_values;
        raw /= axis->n_values;
        for (uint32_t k = 0; k < axis->n_keys; k++) {
            values[axis->first_key + k] = axis->values[i * axis->n_keys + k];
        }
    }
}

static const char *value_of(const struct ew_sweep_member *member, const char *const *values)
{
    return member->value ? member->value : values[member->varied];
}

static bool is_match(const struct ew_sweep_match *match, const char *const *values)
{
    for (uint32_t i = 0; i < match->n_values; i++) {
        if (strcmp(match->values[i], values[match->key]) == 0) {
            return true;
        }
    }
    return false;
}

bool ew_sweep_points_has(const struct ew_sweep_points *points, uint64_t raw)
{
    const char *values[EW_SWEEP_MAX_KEYS];
    if (points->spec->n_rules == 0) {
        return true;
    }
    find_values(values, points, raw);
    for (uint32_t r = 0; r < points->spec->n_rules; r++) {
        const struct ew_sweep_rule *rule = &points->spec->rules[r];
        bool is_out = true;
        for (uint32_t m = 0; is_out && m < rule->n_matches; m++) {
            is_out = is_match(&rule->matches[m], values);
        }
        if (is_out) {
            return false;
        }
    }
    return true;
}

static void put_name(struct ew_str *out, const char *name)
{
    struct ew_json json = {.out = out};
    ew_json_string(&json, name);
}

static void put_member(struct ew_str *out, const struct ew_sweep_member *member,
                       const char *const *values, bool is_first)
{
    ew_str_append(out, is_first ? "" : ", ");
    put_name(out, member->key->member);
    ew_str_append(out, ": ");
    ew_str_append(out, value_of(member, values));
}

static void put_place(struct ew_str *out, const struct ew_sweep_points *p,
                      enum ew_sweep_place place, const char *const *values)
{
    static const char *const groups[] = {
        [EW_SWEEP_PLAIN] = "", [EW_SWEEP_PARAM] = "param", [EW_SWEEP_SET] = "set"};
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_members; i++) {
        const struct ew_sweep_member *member = &p->members[i];
        if (member->key->place != place) {
            continue;
        }
        if (n == 0 && place != EW_SWEEP_PLAIN) {
            ew_str_append(out, ", \"");
            ew_str_append(out, groups[place]);
            ew_str_append(out, "\": {");
        }
        put_member(out, member, values, n++ == 0 && place != EW_SWEEP_PLAIN);
    }
    if (n > 0 && place != EW_SWEEP_PLAIN) {
        ew_str_append(out, "}");
    }
}

static void put_workloads(struct ew_str *out, const struct ew_sweep_points *p,
                          const char *const *values)
{
    for (uint32_t w = 0; w < p->n_workloads; w++) {
        bool is_first = true;
        ew_str_append(out, w == 0 ? ", \"workloads\": [{" : ", {");
        for (uint32_t i = 0; i < p->n_members; i++) {
            const struct ew_sweep_member *member = &p->members[i];
            if (member->key->place == EW_SWEEP_WORKLOAD && member->key->workload == w) {
                put_member(out, member, values, is_first);
                is_first = false;
            }
        }
        ew_str_append(out, w + 1 == p->n_workloads ? "}]" : "}");
    }
}

void ew_sweep_points_scenario(struct ew_str *out, const struct ew_sweep_points *points,
                              uint64_t raw)
{
    const char *values[EW_SWEEP_MAX_KEYS];
    find_values(values, points, raw);
    ew_str_append(out, "{\"schema\": \"edgeweave.scenario/1\"");
    put_place(out, points, EW_SWEEP_PLAIN, values);
    put_workloads(out, points, values);
    put_place(out, points, EW_SWEEP_PARAM, values);
    put_place(out, points, EW_SWEEP_SET, values);
    ew_str_append(out, "}");
}

void ew_sweep_points_values(struct ew_str *out, const struct ew_sweep_points *points, uint64_t raw)
{
    const char *values[EW_SWEEP_MAX_KEYS];
    find_values(values, points, raw);
    ew_str_append(out, "{");
    for (uint32_t k = 0; k < points->spec->n_keys; k++) {
        ew_str_append(out, k ? ", " : "");
        put_name(out, points->spec->keys[k].name);
        ew_str_append(out, ": ");
        ew_str_append(out, values[k]);
    }
    ew_str_append(out, "}");
}

/* --- hashes ------------------------------------------------------------------------------------
 */

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

/* How far plans are made depends on the number of requests when they are made anew. */
static bool is_of_problem(const struct ew_sweep_points *points, const char *member)
{
    return strcmp(member, "engine") != 0 &&
           (strcmp(member, "requests") != 0 || ew_sweep_points_has_key(points, "replan"));
}

static bool is_part(const struct ew_sweep_points *points, const struct ew_sweep_key *key,
                    enum ew_sweep_part part)
{
    static const char *const platform[] = {"platform", "devices", "net", NULL};
    static const char *const files[] = {"platform", "graph",     "strategy", "plan",
                                        "arrival",  "workloads", "dynamics", NULL};
    const bool is_plain = key->place == EW_SWEEP_PLAIN || key->place == EW_SWEEP_WORKLOAD;
    switch (part) {
    case EW_SWEEP_PART_PLATFORM:
        return is_plain ? is_among(key->member, platform) : key->place == EW_SWEEP_SET;
    case EW_SWEEP_PART_PROBLEM:
        return !is_plain || is_of_problem(points, key->member);
    case EW_SWEEP_PART_QUESTION:
        return !is_plain ||
               (is_of_problem(points, key->member) && strcmp(key->member, "seed") != 0);
    case EW_SWEEP_PART_FILES:
        return is_plain && is_among(key->member, files);
    case EW_SWEEP_PART_ALL:
        break;
    }
    return true;
}

uint64_t ew_sweep_points_hash(const struct ew_sweep_points *points, uint64_t raw,
                              enum ew_sweep_part part, uint64_t hash)
{
    const char *values[EW_SWEEP_MAX_KEYS];
    find_values(values, points, raw);
    for (uint32_t i = 0; i < points->n_members; i++) {
        const struct ew_sweep_member *member = &points->members[i];
        if (is_part(points, member->key, part)) {
            const char place = (char)member->key->place;
            const char *value = value_of(member, values);
            hash = ew_hash_bytes(hash, &place, 1);
            hash = ew_hash_bytes(hash, &member->key->workload, sizeof member->key->workload);
            hash = ew_hash_bytes(hash, member->key->member, strlen(member->key->member) + 1);
            hash = ew_hash_bytes(hash, value, strlen(value) + 1);
        }
    }
    return hash;
}

uint64_t ew_sweep_points_per_platform(const struct ew_sweep_points *points)
{
    const struct ew_sweep_spec *spec = points->spec;
    uint64_t n = 1;
    for (uint32_t a = 0; a < spec->n_axes; a++) {
        bool is_of_platform = false;
        for (uint32_t k = 0; k < spec->axes[a].n_keys; k++) {
            is_of_platform =
                is_of_platform ||
                is_part(points, &spec->keys[spec->axes[a].first_key + k], EW_SWEEP_PART_PLATFORM);
        }
        n *= is_of_platform ? 1 : spec->axes[a].n_values;
    }
    return n;
}

bool ew_sweep_points_has_key(const struct ew_sweep_points *points, const char *key)
{
    for (uint32_t i = 0; i < points->n_members; i++) {
        const struct ew_sweep_key *k = points->members[i].key;
        if (k->place == EW_SWEEP_PLAIN && strcmp(k->member, key) == 0) {
            return true;
        }
    }
    return false;
}

bool ew_sweep_points_is_simgrid(const struct ew_sweep_points *points, uint64_t raw)
{
    const char *values[EW_SWEEP_MAX_KEYS];
    find_values(values, points, raw);
    for (uint32_t i = 0; i < points->n_members; i++) {
        const struct ew_sweep_member *member = &points->members[i];
        if (member->key->place == EW_SWEEP_PLAIN && strcmp(member->key->member, "engine") == 0) {
            return strcmp(value_of(member, values), "\"simgrid\"") == 0;
        }
    }
    return true;
}
