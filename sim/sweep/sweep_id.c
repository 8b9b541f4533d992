#include "sweep/sweep_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/graph_file.h"
#include "io/scenario_json.h"
#include "results/report.h"

enum { FIRST_CAPACITY = 64 };

/* --- files -------------------------------------------------------------------------------------
 */

/* The hashes of one scenario's files, mixed. */
struct mix {
    const struct ew_sweep_context *context;
    struct ew_repro_hashes *hashes;
    uint64_t hash;
};

static enum ew_status add_file(struct mix *mix, const char *path, struct ew_error *err)
{
    uint64_t hash = 0;
    enum ew_status status = EW_OK;
    if (path) {
        status = ew_repro_hash_file(&hash, mix->hashes, path, err);
    }
    mix->hash = ew_hash_bytes(mix->hash, &hash, sizeof hash);
    return status;
}

/* A graph and the files of its variants. */
static enum ew_status add_graph(struct mix *mix, const char *path, struct ew_error *err)
{
    struct ew_graph *graph = NULL;
    enum ew_status status = add_file(mix, path, err);
    if (status == EW_OK && path) {
        status = ew_graph_load_file(&graph, NULL, path, err);
    }
    for (uint32_t i = 1; status == EW_OK && graph && i < graph->n_variants; i++) {
        const char *file = graph->variants[i].graph->path;
        status = add_file(mix, *file ? file : NULL, err);
    }
    ew_graph_free(graph);
    return status;
}

static enum ew_status add_workload(struct mix *mix, const struct ew_workload_spec *w,
                                   struct ew_error *err)
{
    enum ew_status status = add_graph(mix, w->graph, err);
    if (status == EW_OK) {
        status = add_file(mix, w->plan, err);
    }
    return status == EW_OK ? add_file(mix, w->arrival.trace_path, err) : status;
}

static enum ew_status add_strategy(struct mix *mix, const char *id, struct ew_error *err)
{
    struct ew_strategy_ref ref;
    const enum ew_status status = ew_registry_find(&ref, mix->context->registry, id, err);
    return status == EW_OK ? add_file(mix, ref.plugin->path, err) : status;
}

static enum ew_status add_dynamics(struct mix *mix, const struct ew_dynamics_spec *spec,
                                   struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < spec->n_series; i++) {
        status = add_file(mix, spec->series[i].trace_path, err);
    }
    return status;
}

static enum ew_status add_scenario(struct mix *mix, const struct ew_scenario *s,
                                   struct ew_error *err)
{
    uint64_t platform = 0;
    enum ew_status status = EW_OK;
    if (s->platform) {
        status =
            ew_repro_hash_platform(&platform, mix->hashes, mix->context->source, s->platform, err);
    }
    mix->hash = ew_hash_bytes(mix->hash, &platform, sizeof platform);
    for (uint32_t i = 0; status == EW_OK && i < s->n_workloads; i++) {
        status = add_workload(mix, &s->workloads[i], err);
        if (status == EW_OK && s->workloads[i].strategy) {
            status = add_strategy(mix, s->workloads[i].strategy, err);
        }
    }
    for (uint32_t i = 0; status == EW_OK && i < s->n_strategies; i++) {
        status = add_strategy(mix, s->strategies[i], err);
    }
    return status == EW_OK ? add_dynamics(mix, &s->dynamics, err) : status;
}

static enum ew_status hash_files(uint64_t *out, struct ew_sweep_ids *ids,
                                 const struct ew_sweep_context *context, uint64_t raw,
                                 struct ew_error *err)
{
    struct mix mix = {context, &ids->hashes, EW_HASH_BEGIN};
    struct ew_error why = {0};
    struct ew_scenario scenario = {0};
    struct ew_str text = {0};
    ew_sweep_points_scenario(&text, context->points, raw);
    enum ew_status status = text.failed ? ew_fail_memory(&why) : EW_OK;
    if (status == EW_OK) {
        status = ew_scenario_parse_json(&scenario, text.text, text.length,
                                        context->points->spec->scenario_path, &why);
    }
    if (status == EW_OK) {
        status = context->find_files(context->ctx, &scenario, &why);
    }
    if (status == EW_OK) {
        status = add_scenario(&mix, &scenario, &why);
    }
    *out = status == EW_OK ? mix.hash : ew_hash_bytes(mix.hash, why.message, strlen(why.message));
    ew_scenario_fini(&scenario);
    ew_str_fini(&text);
    return status == EW_ENOMEM ? ew_fail_memory(err) : EW_OK;
}

/* --- known combinations ------------------------------------------------------------------------
 */

static struct ew_sweep_id_entry *find_entry(const struct ew_sweep_ids *ids, uint64_t key)
{
    size_t i = (size_t)(key ^ key >> 32) & (ids->capacity - 1);
    while (ids->entries[i].key && ids->entries[i].key != key) {
        i = (i + 1) & (ids->capacity - 1);
    }
    return &ids->entries[i];
}

static enum ew_status make_room(struct ew_sweep_ids *ids, struct ew_error *err)
{
    if (2 * (ids->n_entries + 1) <= ids->capacity) {
        return EW_OK;
    }
    struct ew_sweep_ids larger = *ids;
    larger.capacity = ids->capacity ? 2 * ids->capacity : FIRST_CAPACITY;
    larger.entries = calloc(larger.capacity, sizeof *larger.entries);
    if (!larger.entries) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; i < ids->capacity; i++) {
        if (ids->entries[i].key) {
            *find_entry(&larger, ids->entries[i].key) = ids->entries[i];
        }
    }
    free(ids->entries);
    *ids = larger;
    return EW_OK;
}

static enum ew_status find_files_hash(uint64_t *out, struct ew_sweep_ids *ids,
                                      const struct ew_sweep_context *context, uint64_t raw,
                                      struct ew_error *err)
{
    const uint64_t key =
        ew_sweep_points_hash(context->points, raw, EW_SWEEP_PART_FILES, EW_HASH_BEGIN) | 1;
    enum ew_status status = make_room(ids, err);
    if (status != EW_OK) {
        return status;
    }
    struct ew_sweep_id_entry *entry = find_entry(ids, key);
    if (!entry->key) {
        status = hash_files(&entry->files, ids, context, raw, err);
        entry->key = status == EW_OK ? key : 0;
        ids->n_entries += status == EW_OK;
    }
    *out = entry->files;
    return status;
}

enum ew_status ew_sweep_id(char out[EW_SWEEP_ID_SIZE], struct ew_sweep_ids *ids,
                           const struct ew_sweep_context *context, uint64_t raw,
                           struct ew_error *err)
{
    uint64_t files = 0;
    const enum ew_status status = find_files_hash(&files, ids, context, raw, err);
    uint64_t halves[2] = {EW_HASH_BEGIN, 0};
    halves[0] = ew_hash_bytes(halves[0], context->build, strlen(context->build));
    halves[0] = ew_hash_bytes(halves[0], &files, sizeof files);
    halves[1] = ew_hash_bytes(halves[0], "second half", 11);
    for (int i = 0; i < 2; i++) {
        halves[i] = ew_sweep_points_hash(context->points, raw, EW_SWEEP_PART_ALL, halves[i]);
    }
    (void)snprintf(out, EW_SWEEP_ID_SIZE, "%016llx%016llx", (unsigned long long)halves[0],
                   (unsigned long long)halves[1]);
    return status;
}

void ew_sweep_ids_fini(struct ew_sweep_ids *ids)
{
    ew_repro_hashes_fini(&ids->hashes);
    free(ids->entries);
    *ids = (struct ew_sweep_ids){0};
}
