#include <string.h>

#include "base/json_writer.h"
#include "cli/describe.h"
#include "cli/options.h"
#include "cli/session.h"
#include "io/graph_file.h"
#include "io/profile_json.h"
#include "results/grid.h"

/* A list on its way out: rows of a table, or objects of a JSON array. */
struct list {
    struct ew_cli *cli;
    struct ew_str text;
    struct ew_json json;
    struct ew_grid grid;
    struct ew_arena arena;
};

static void list_begin(struct list *l, struct ew_cli *cli)
{
    *l = (struct list){.cli = cli, .grid = {.n_columns = 2}};
    l->json.out = &l->text;
    if (cli->wants_json) {
        ew_json_array_begin(&l->json);
    }
}

static enum ew_status list_end(struct list *l, struct ew_error *err)
{
    if (l->cli->wants_json) {
        ew_json_array_end(&l->json);
        ew_str_append(&l->text, "\n");
        ew_grid_fini(&l->grid);
    } else {
        ew_describe_grid_end(&l->text, &l->grid);
    }
    const enum ew_status status = ew_cli_put(&l->text, err);
    ew_str_fini(&l->text);
    ew_arena_fini(&l->arena);
    return status;
}

static void list_free(struct list *l)
{
    ew_grid_fini(&l->grid);
    ew_str_fini(&l->text);
    ew_arena_fini(&l->arena);
}

/* --- strategies and engines --------------------------------------------------------------------
 */

static void add_strategy(void *ctx, const struct ew_strategy_ref *ref)
{
    struct list *l = ctx;
    const struct ew_strategy_info *info = ref->info;
    if (l->cli->wants_json) {
        ew_json_object_begin(&l->json);
        ew_json_kv_string(&l->json, "id", info->id);
        ew_json_kv_string(&l->json, "version", info->version);
        ew_json_kv_string(&l->json, "summary", info->summary);
        ew_json_kv_string(&l->json, "citation", info->citation);
        ew_json_kv_string(&l->json, "plugin", ref->plugin->path);
        ew_json_object_end(&l->json);
        return;
    }
    struct ew_grid_row *row = ew_grid_add(&l->grid);
    if (row) {
        row->cells[0] = ew_grid_format(&l->grid, "%s", info->id);
        row->text = ew_grid_format(&l->grid, "%s", info->summary);
    }
}

static void show_problem(void *ctx, const char *message)
{
    const struct list *l = ctx;
    ew_cli_warn(l->cli, "%s", message);
}

static enum ew_status list_strategies(struct ew_cli *cli, struct ew_error *err)
{
    struct list l;
    struct ew_registry registry = {0};
    list_begin(&l, cli);
    enum ew_status status = ew_session_registry(&registry, cli, err);
    if (status == EW_OK) {
        status = ew_registry_each(&registry, add_strategy, show_problem, &l, err);
    }
    if (status == EW_OK) {
        status = list_end(&l, err);
    } else {
        list_free(&l);
    }
    ew_registry_fini(&registry);
    return status;
}

static enum ew_status list_engines(struct ew_cli *cli, struct ew_error *err)
{
    struct list l;
    list_begin(&l, cli);
    for (size_t i = 0; i < sizeof ew_engine_infos / sizeof *ew_engine_infos; i++) {
        const struct ew_engine_info *info = &ew_engine_infos[i];
        struct ew_grid_row *row = cli->wants_json ? NULL : ew_grid_add(&l.grid);
        if (cli->wants_json) {
            ew_json_object_begin(&l.json);
            ew_json_kv_string(&l.json, "id", info->id);
            ew_json_kv_string(&l.json, "summary", info->summary);
            ew_json_object_end(&l.json);
        } else if (row) {
            row->cells[0] = info->id;
            row->text = info->summary;
        }
    }
    return list_end(&l, err);
}

/* --- files by name -----------------------------------------------------------------------------
 */

static void add_graph(struct list *l, const char *name, const char *path)
{
    struct ew_graph *graph = NULL;
    struct ew_error bad = {0};
    if (ew_graph_load_file(&graph, NULL, path, &bad) != EW_OK) {
        ew_cli_warn(l->cli, "%s", bad.message);
        return;
    }
    if (l->cli->wants_json) {
        ew_json_object_begin(&l->json);
        ew_json_kv_string(&l->json, "name", name);
        ew_json_kv_string(&l->json, "path", path);
        ew_json_kv_u64(&l->json, "layers", graph->n_layers);
        ew_json_kv_u64(&l->json, "macs", graph->macs);
        ew_json_kv_u64(&l->json, "params", graph->params);
        ew_json_kv_u64(&l->json, "exits", graph->n_exits);
        ew_json_kv_u64(&l->json, "variants", graph->n_variants);
        ew_json_object_end(&l->json);
    } else {
        struct ew_grid_row *row = ew_grid_add(&l->grid);
        if (row) {
            *row = (struct ew_grid_row){
                .cells = {ew_grid_format(&l->grid, "%s", name),
                          ew_grid_format(&l->grid, "%u layers", graph->n_layers),
                          ew_grid_format(&l->grid, "%.3f GMACs", (double)graph->macs / 1e9),
                          ew_grid_format(&l->grid, "%.2f M params", (double)graph->params / 1e6),
                          ew_grid_format(&l->grid, "%u exit%s", graph->n_exits,
                                         graph->n_exits == 1 ? "" : "s")}};
        }
    }
    ew_graph_free(graph);
}

static void add_profile(struct list *l, const char *name, const char *path)
{
    struct ew_profile *profile = NULL;
    struct ew_error bad = {0};
    if (ew_profile_load_json(&profile, path, &bad) != EW_OK) {
        ew_cli_warn(l->cli, "%s", bad.message);
        return;
    }
    if (l->cli->wants_json) {
        ew_json_object_begin(&l->json);
        ew_json_kv_string(&l->json, "name", name);
        ew_json_kv_string(&l->json, "path", path);
        ew_json_kv_string(&l->json, "confidence", profile->confidence);
        ew_json_kv_string(&l->json, "source", profile->source);
        ew_json_object_end(&l->json);
    } else {
        struct ew_grid_row *row = ew_grid_add(&l->grid);
        if (row) {
            row->cells[0] = ew_grid_format(&l->grid, "%s", name);
            row->text = ew_grid_format(&l->grid, "%s", profile->confidence);
        }
    }
    ew_profile_free(profile);
}

static void add_name(struct list *l, const char *name, const char *path)
{
    if (l->cli->wants_json) {
        ew_json_object_begin(&l->json);
        ew_json_kv_string(&l->json, "name", name);
        ew_json_kv_string(&l->json, "path", path);
        ew_json_object_end(&l->json);
        return;
    }
    struct ew_grid_row *row = ew_grid_add(&l->grid);
    if (row) {
        row->cells[0] = ew_grid_format(&l->grid, "%s", name);
    }
}

static enum ew_status list_files(struct ew_cli *cli, enum ew_path_kind kind,
                                 void (*add)(struct list *l, const char *name, const char *path),
                                 struct ew_error *err)
{
    struct list l;
    struct ew_path_list names = {0};
    list_begin(&l, cli);
    l.grid.n_columns = 5;
    enum ew_status status = ew_paths_names(&names, &cli->paths, kind, &l.arena, err);
    for (size_t i = 0; status == EW_OK && i < names.count; i++) {
        const char *path = NULL;
        status = ew_paths_find(&path, &cli->paths, kind, names.items[i], &l.arena, err);
        if (status == EW_OK) {
            add(&l, names.items[i], path);
        }
    }
    if (status == EW_OK) {
        return list_end(&l, err);
    }
    list_free(&l);
    return status;
}

/* --- layers ---------------------------------------------------------------------------------- */

static enum ew_status list_layers(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_scenario scenario = {0};
    struct ew_graph *graph = NULL;
    struct ew_str text = {0};
    enum ew_status status = ew_options_scenario(&scenario, cli, false, err);
    if (status == EW_OK && !scenario.workloads[0].graph) {
        status = ew_fail(err, EW_EUSAGE, "expected a graph: edgeweave list layers --graph NAME");
    }
    if (status == EW_OK) {
        ew_options_blame(cli, EW_OPTION_GRAPH);
        status = ew_graph_load_file(&graph, NULL, scenario.workloads[0].graph, err);
    }
    if (status == EW_OK) {
        cli->blame = -1;
        ew_describe_layers(&text, graph,
                           ew_args_last(&cli->args, EW_OPTION_CSV) ? EW_LAYERS_CSV
                           : cli->wants_json                       ? EW_LAYERS_JSON
                                                                   : EW_LAYERS_TABLE);
        status = ew_cli_put(&text, err);
    }
    ew_str_fini(&text);
    ew_graph_free(graph);
    ew_scenario_fini(&scenario);
    return status;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const char *const TOPICS[] = {"strategies", "graphs",  "platforms",
                                     "profiles",   "engines", "layers"};

enum { N_TOPICS = sizeof TOPICS / sizeof *TOPICS };

static const char *topic_at(const void *ctx, size_t i)
{
    (void)ctx;
    return TOPICS[i];
}

enum ew_status ew_cmd_list(struct ew_cli *cli, struct ew_error *err)
{
    enum ew_status status = ew_cli_expect_positionals(
        cli, 1, 1, "one of strategies, graphs, platforms, profiles, engines, layers", err);
    if (status != EW_OK) {
        return status;
    }
    const char *topic = cli->args.positionals[0].value;
    const struct ew_arg *csv = ew_args_last(&cli->args, EW_OPTION_CSV);
    if (csv && strcmp(topic, "layers") != 0) {
        cli->blame = csv->at;
        return ew_fail(err, EW_EUSAGE, "option '--csv': only 'list layers' has CSV");
    }
    if (strcmp(topic, "strategies") == 0) {
        return list_strategies(cli, err);
    }
    if (strcmp(topic, "graphs") == 0) { /* reading them all takes 5 ms and more */
        return list_files(cli, EW_PATH_GRAPH, cli->verbosity == EW_VERBOSE ? add_graph : add_name,
                          err);
    }
    if (strcmp(topic, "platforms") == 0) {
        return list_files(cli, EW_PATH_PLATFORM, add_name, err);
    }
    if (strcmp(topic, "profiles") == 0) {
        return list_files(cli, EW_PATH_PROFILE, add_profile, err);
    }
    if (strcmp(topic, "engines") == 0) {
        return list_engines(cli, err);
    }
    if (strcmp(topic, "layers") == 0) {
        return list_layers(cli, err);
    }
    cli->blame = cli->args.positionals[0].at;
    const char *near = ew_nearest_name(topic, N_TOPICS, topic_at, NULL);
    return ew_fail(err, EW_EUSAGE,
                   "expected one of strategies, graphs, platforms, profiles, engines, layers, "
                   "found '%s'%s%s%s",
                   topic, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}
