#include "sweep/reproduce_point.h"

#include <string.h>

#include "io/scenario_json.h"
#include "sweep/point.h"

/* --- opening -----------------------------------------------------------------------------------
 */

static enum ew_status open_strategy(struct ew_repro_point *point,
                                    const struct ew_repro_runner *runner, struct ew_error *err)
{
    const struct ew_scenario *s = &point->scenario;
    size_t index;
    uint32_t bad;
    if (s->n_strategies != 1 || s->n_workloads != 1) {
        return ew_fail(err, EW_EINPUT, "expected one strategy and one workload, found %u and %u",
                       s->n_strategies, s->n_workloads);
    }
    const enum ew_status status =
        ew_contenders_add(&point->contenders, runner->registry, s->strategies[0], &index, err);
    return status == EW_OK
               ? ew_contenders_set_params(&point->contenders, s->params, s->n_params, &bad, err)
               : status;
}

enum ew_status ew_repro_point_open(struct ew_repro_point *point,
                                   const struct ew_repro_runner *runner, const char *text,
                                   struct ew_error *err)
{
    enum ew_status status =
        ew_scenario_parse_json(&point->scenario, text, strlen(text), "scenario", err);
    if (status == EW_OK) {
        status = runner->find_files(runner->ctx, &point->scenario, err);
    }
    if (status == EW_OK) {
        status = open_strategy(point, runner, err);
    }
    if (status == EW_EUSAGE) { /* the words come from a file */
        err->status = EW_EINPUT;
        status = EW_EINPUT;
    }
    return status;
}

void ew_repro_point_fini(struct ew_repro_point *point)
{
    ew_contenders_fini(&point->contenders);
    ew_scenario_fini(&point->scenario);
}

/* --- key ---------------------------------------------------------------------------------------
 */

void ew_repro_hashes_fini(struct ew_repro_hashes *hashes)
{
    ew_vec_fini(&hashes->items);
    ew_arena_fini(&hashes->arena);
}

static const struct ew_repro_hash *find_hash(const struct ew_repro_hashes *hashes, const char *path)
{
    for (size_t i = 0; i < hashes->items.count; i++) {
        if (strcmp(hashes->items.items[i].path, path) == 0) {
            return &hashes->items.items[i];
        }
    }
    return NULL;
}

static enum ew_status keep_hash(struct ew_repro_hashes *hashes, const char *path, uint64_t hash,
                                struct ew_error *err)
{
    const struct ew_repro_hash item = {ew_arena_strdup(&hashes->arena, path), hash};
    return item.path && ew_vec_push(&hashes->items, item) ? EW_OK : ew_fail_memory(err);
}

enum ew_status ew_repro_hash_file(uint64_t *out, struct ew_repro_hashes *hashes, const char *path,
                                  struct ew_error *err)
{
    const struct ew_repro_hash *known = find_hash(hashes, path);
    struct ew_report_input input;
    if (known) {
        *out = known->hash;
        return EW_OK;
    }
    const enum ew_status status = ew_report_input_read(&input, "", path, err);
    if (status != EW_OK) {
        return status;
    }
    *out = input.hash;
    return keep_hash(hashes, path, input.hash, err);
}

enum ew_status ew_repro_hash_platform(uint64_t *out, struct ew_repro_hashes *hashes,
                                      const struct ew_platform_source *source, const char *path,
                                      struct ew_error *err)
{
    const struct ew_repro_hash *known = find_hash(hashes, path);
    struct ew_platform *platform = NULL;
    if (known) {
        *out = known->hash;
        return EW_OK;
    }
    enum ew_status status = ew_platform_load(&platform, source, path, err);
    uint64_t hash = status == EW_OK ? platform->content_hash : 0;
    for (uint32_t i = 0; status == EW_OK && i < platform->n_profiles; i++) {
        uint64_t profile = 0;
        if (*platform->profiles[i]->path) {
            status = ew_repro_hash_file(&profile, hashes, platform->profiles[i]->path, err);
        }
        hash = ew_hash_bytes(hash, &profile, sizeof profile);
    }
    ew_platform_free(platform);
    *out = hash;
    return status == EW_OK ? keep_hash(hashes, path, hash, err) : status;
}

enum ew_status ew_repro_point_key(struct ew_str *out, const struct ew_repro_point *point,
                                  const struct ew_repro_runner *runner, const char *text,
                                  struct ew_repro_hashes *hashes, struct ew_error *err)
{
    const struct ew_scenario *s = &point->scenario;
    uint64_t graph = 0, platform = 0, plugin = 0;
    if (!s->platform || !s->workloads[0].graph) {
        return ew_fail(err, EW_EINPUT, "expected a graph and a platform");
    }
    enum ew_status status = ew_repro_hash_file(&graph, hashes, s->workloads[0].graph, err);
    if (status == EW_OK) {
        status = ew_repro_hash_platform(&platform, hashes, runner->source, s->platform, err);
    }
    if (status == EW_OK) {
        status =
            ew_repro_hash_file(&plugin, hashes, point->contenders.items[0].ref.plugin->path, err);
    }
    if (status == EW_OK) {
        ew_str_printf(out, "%s\ngraph %016llx platform %016llx plugin %016llx\n%s\n", runner->build,
                      (unsigned long long)graph, (unsigned long long)platform,
                      (unsigned long long)plugin, text);
    }
    return status == EW_OK && out->failed ? ew_fail_memory(err) : status;
}

/* --- record ------------------------------------------------------------------------------------
 */

static enum ew_status plan_and_run(struct ew_result **out, const struct ew_repro_point *point,
                                   const struct ew_point_config *config,
                                   const struct ew_engine *engine, struct ew_error *err)
{
    const struct ew_contender *const makers[] = {&point->contenders.items[0]};
    const struct ew_point_run how = {.engine = engine};
    struct ew_point planned = {0};
    enum ew_status status = ew_point_plan(&planned, config, makers, err);
    if (status == EW_OK) {
        status = ew_point_run(out, &planned, &how, err);
    } else {
        status = ew_point_fail(out, &planned, &how, status, err);
    }
    ew_point_fini(&planned);
    return status;
}

static enum ew_status run_setup(struct ew_str *out, const struct ew_repro_point *point,
                                const struct ew_repro_runner *runner, const struct ew_setup *setup,
                                struct ew_error *err)
{
    const struct ew_engine *engine = NULL;
    struct ew_evaluator *evaluator = NULL;
    struct ew_result *result = NULL;
    enum ew_status status =
        ew_engine_find(&engine, runner->source->simgrid, point->scenario.engine, err);
    if (status == EW_OK) {
        status = ew_evaluator_new(&evaluator, setup->platform, setup->net, setup->energy_rule, err);
    }
    const struct ew_point_config config = {
        .setup = setup,
        .evaluator = evaluator,
        .plan_limit_s = 3600,
        .interrupted = runner->interrupted,
        .cache = {.struct_size = sizeof config.cache, .dir = runner->source->cache_dir},
    };
    if (status == EW_OK) {
        status = plan_and_run(&result, point, &config, engine, err);
    }
    if (status == EW_OK) {
        ew_repro_record_print(out, setup, result);
    }
    ew_result_free(result);
    ew_evaluator_free(evaluator);
    return status;
}

enum ew_status ew_repro_point_record(struct ew_str *out, const struct ew_repro_point *point,
                                     const struct ew_repro_runner *runner, struct ew_error *err)
{
    struct ew_setup setup = {0};
    struct ew_setup_blame blame = {0};
    enum ew_status status = ew_setup_open(&setup, &point->scenario, runner->source, &blame, err);
    if (status == EW_OK) {
        status = run_setup(out, point, runner, &setup, err);
    }
    ew_setup_fini(&setup);
    if (status != EW_OK && status != EW_EINTR && status != EW_ENOMEM) {
        ew_repro_record_print_error(out, err->message);
        status = EW_OK;
    }
    return status == EW_OK && out->failed ? ew_fail_memory(err) : status;
}
