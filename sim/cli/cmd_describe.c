#include <string.h>

#include "cli/describe.h"
#include "cli/session.h"
#include "io/graph_file.h"
#include "io/profile_json.h"
#include "sweep/platform_load.h"

static enum ew_status describe_strategy(struct ew_str *out, struct ew_cli *cli, const char *name,
                                        struct ew_error *err)
{
    struct ew_registry registry = {0};
    struct ew_strategy_ref ref;
    const int blame = cli->blame;
    enum ew_status status = ew_session_registry(&registry, cli, err);
    if (status == EW_OK) {
        cli->blame = blame;
        status = ew_registry_find(&ref, &registry, name, err);
    }
    if (status == EW_OK) {
        ew_describe_strategy(out, ref.info, cli->wants_json);
    }
    ew_registry_fini(&registry);
    return status;
}

static enum ew_status describe_graph(struct ew_str *out, struct ew_cli *cli, const char *path,
                                     struct ew_error *err)
{
    struct ew_graph *graph = NULL;
    const enum ew_status status = ew_graph_load_file(&graph, NULL, path, err);
    if (status == EW_OK) {
        ew_describe_graph(out, graph, cli->wants_json);
    }
    ew_graph_free(graph);
    return status;
}

static enum ew_status describe_platform(struct ew_str *out, struct ew_cli *cli, const char *path,
                                        struct ew_error *err)
{
    struct ew_simgrid simgrid = {0};
    const struct ew_platform_source source = ew_session_source(cli, &simgrid);
    struct ew_platform *platform = NULL;
    const enum ew_status status = ew_platform_load(&platform, &source, path, err);
    if (status == EW_OK) {
        ew_describe_platform(out, platform, cli->wants_json);
    }
    ew_platform_free(platform);
    return status;
}

static enum ew_status describe_profile(struct ew_str *out, struct ew_cli *cli, const char *path,
                                       struct ew_error *err)
{
    struct ew_profile *profile = NULL;
    const enum ew_status status = ew_profile_load_json(&profile, path, err);
    if (status == EW_OK) {
        ew_describe_profile(out, profile, cli->wants_json);
    }
    ew_profile_free(profile);
    return status;
}

struct topic {
    const char *name;
    enum ew_path_kind kind;
    /* `what` is a path, for strategies the name as given */
    enum ew_status (*describe)(struct ew_str *out, struct ew_cli *cli, const char *what,
                               struct ew_error *err);
};

static const struct topic TOPICS[] = {
    {"strategy", EW_PATH_STRATEGY, describe_strategy},
    {"graph", EW_PATH_GRAPH, describe_graph},
    {"platform", EW_PATH_PLATFORM, describe_platform},
    {"profile", EW_PATH_PROFILE, describe_profile},
};

enum { N_TOPICS = sizeof TOPICS / sizeof *TOPICS };

static const char *topic_at(const void *ctx, size_t i)
{
    (void)ctx;
    return TOPICS[i].name;
}

static enum ew_status find_topic(const struct topic **out, struct ew_cli *cli, struct ew_error *err)
{
    const struct ew_arg *word = &cli->args.positionals[0];
    for (size_t i = 0; i < N_TOPICS; i++) {
        if (strcmp(TOPICS[i].name, word->value) == 0) {
            *out = &TOPICS[i];
            return EW_OK;
        }
    }
    cli->blame = word->at;
    const char *near = ew_nearest_name(word->value, N_TOPICS, topic_at, NULL);
    return ew_fail(err, EW_EUSAGE,
                   "expected strategy, graph, platform or profile, found '%s'%s%s%s", word->value,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum ew_status ew_cmd_describe(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_str text = {0};
    struct ew_arena arena = {0};
    const struct topic *topic = NULL;
    enum ew_status status = ew_cli_expect_positionals(
        cli, 2, 2, "strategy, graph, platform or profile, and a name", err);
    if (status == EW_OK) {
        status = find_topic(&topic, cli, err);
    }
    if (status == EW_OK) {
        const char *what = cli->args.positionals[1].value;
        cli->blame = cli->args.positionals[1].at;
        if (topic->kind != EW_PATH_STRATEGY) {
            status = ew_paths_find(&what, &cli->paths, topic->kind, what, &arena, err);
        }
        if (status == EW_OK) {
            status = topic->describe(&text, cli, what, err);
        }
    }
    if (status == EW_OK) {
        cli->blame = -1;
        status = ew_cli_put(&text, err);
    }
    ew_str_fini(&text);
    ew_arena_fini(&arena);
    return status;
}
