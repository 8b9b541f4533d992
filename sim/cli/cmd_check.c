#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/options.h"
#include "cli/session.h"
#include "io/graph_file.h"
#include "io/plan_json.h"
#include "io/profile_json.h"
#include "io/scenario_json.h"
#include "plan/check.h"

enum { MAX_PEEK_BYTES = 256 << 20 };

/* --- one kind each: one line on standard output, or a failure -----------------------------------
 */

static enum ew_status check_graph(struct ew_str *out, struct ew_cli *cli, const char *path,
                                  struct ew_error *err)
{
    struct ew_graph *graph = NULL;
    (void)cli;
    const enum ew_status status = ew_graph_load_file(&graph, NULL, path, err);
    if (status == EW_OK) {
        ew_str_printf(out, "%s: ok: graph '%s', %u layers, %.4g GMACs, %.4g million parameters\n",
                      path, graph->name, graph->n_layers, (double)graph->macs / 1e9,
                      (double)graph->params / 1e6);
    }
    ew_graph_free(graph);
    return status;
}

static enum ew_status check_profile(struct ew_str *out, struct ew_cli *cli, const char *path,
                                    struct ew_error *err)
{
    struct ew_profile *profile = NULL;
    (void)cli;
    const enum ew_status status = ew_profile_load_json(&profile, path, err);
    if (status == EW_OK) {
        ew_str_printf(out, "%s: ok: profile '%s'\n", path, profile->name);
    }
    ew_profile_free(profile);
    return status;
}

static enum ew_status check_platform(struct ew_str *out, struct ew_cli *cli, const char *path,
                                     struct ew_error *err)
{
    struct ew_simgrid simgrid = {0};
    const struct ew_platform_source source = ew_session_source(cli, &simgrid);
    struct ew_platform *platform = NULL;
    const enum ew_status status = ew_platform_load(&platform, &source, path, err);
    if (status == EW_OK) {
        ew_str_printf(out, "%s: ok: platform, %u devices, %u links\n", path, platform->n_devices,
                      platform->n_links);
        for (uint32_t i = 0; i < platform->n_warnings; i++) {
            ew_cli_warn(cli, "%s: %s", path, platform->warnings[i]);
        }
    }
    ew_platform_free(platform);
    return status;
}

/* All strategies that a scenario names must exist and take its parameters. */
static enum ew_status check_strategies(const struct ew_scenario *scenario, struct ew_cli *cli,
                                       struct ew_error *err)
{
    struct ew_registry registry = {0};
    struct ew_contenders contenders = {0};
    size_t index;
    uint32_t bad;
    enum ew_status status = ew_session_registry(&registry, cli, err);
    for (uint32_t i = 0; status == EW_OK && i < scenario->n_strategies; i++) {
        status = ew_contenders_add(&contenders, &registry, scenario->strategies[i], &index, err);
    }
    if (status == EW_OK && scenario->n_strategies == 0) {
        status = ew_contenders_add_all(&contenders, &registry, ew_session_plugin_problem, cli, err);
    }
    for (uint32_t i = 0; status == EW_OK && i < scenario->n_workloads; i++) {
        if (scenario->workloads[i].strategy) {
            status = ew_contenders_add(&contenders, &registry, scenario->workloads[i].strategy,
                                       &index, err);
        }
    }
    if (status == EW_OK) {
        status =
            ew_contenders_set_params(&contenders, scenario->params, scenario->n_params, &bad, err);
    }
    ew_contenders_fini(&contenders);
    ew_registry_fini(&registry);
    cli->blame = -1;
    return ew_options_unknown(cli, scenario, status, err);
}

static enum ew_status check_plans(const struct ew_setup *setup, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < setup->n_workloads; i++) {
        const struct ew_setup_workload *w = &setup->workloads[i];
        struct ew_book *book = NULL;
        if (w->spec->plan) {
            status = ew_book_load_json(&book, w->spec->plan, &w->problem.context, err);
            if (status == EW_OK) {
                status = ew_book_check(&w->problem.context, book, err);
            }
            ew_book_free(book);
        }
    }
    return status;
}

static enum ew_status check_scenario(struct ew_str *out, struct ew_cli *cli, const char *path,
                                     struct ew_error *err)
{
    struct ew_scenario scenario = {0};
    struct ew_simgrid simgrid = {0};
    struct ew_setup setup = {0};
    struct ew_setup_blame blame = {0};
    const struct ew_platform_source source = ew_session_source(cli, &simgrid);
    enum ew_status status = ew_scenario_load_json(&scenario, path, err);
    if (status == EW_OK) {
        cli->blame = -1;
        status = ew_options_find_files(&scenario, cli, err);
    }
    if (status == EW_OK) {
        status = ew_setup_open(&setup, &scenario, &source, &blame, err);
        status = ew_options_unknown(cli, &scenario, status, err);
    }
    if (status == EW_OK) {
        status = check_strategies(&scenario, cli, err);
    }
    if (status == EW_OK) {
        status = check_plans(&setup, err);
    }
    if (status == EW_OK) {
        ew_str_printf(out, "%s: ok: scenario, %u workload%s on %u devices\n", path,
                      setup.n_workloads, setup.n_workloads == 1 ? "" : "s",
                      setup.platform->n_devices);
    }
    ew_setup_fini(&setup);
    ew_scenario_fini(&scenario);
    return status;
}

/* The graph that a plan is for, unless --graph says. */
static enum ew_status find_plan_graph(struct ew_scenario *scenario, struct ew_cli *cli,
                                      const char *path, struct ew_error *err)
{
    char *name = NULL;
    if (scenario->workloads[0].graph) {
        return EW_OK;
    }
    enum ew_status status = ew_plan_file_graph(&name, path, err);
    if (status == EW_OK) {
        status = ew_paths_find(&scenario->workloads[0].graph, &cli->paths, EW_PATH_GRAPH, name,
                               &scenario->arena, err);
        if (status == EW_EUSAGE) {
            (void)ew_prefix(err, "%s: /graph: ", path);
            err->status = status = EW_EINPUT;
        }
    }
    free(name);
    return status;
}

static enum ew_status check_plan(struct ew_str *out, struct ew_cli *cli, const char *path,
                                 struct ew_error *err)
{
    struct ew_scenario scenario = {0};
    struct ew_simgrid simgrid = {0};
    struct ew_setup setup = {0};
    struct ew_setup_blame blame = {0};
    const struct ew_platform_source source = ew_session_source(cli, &simgrid);
    struct ew_book *book = NULL;
    enum ew_status status = ew_options_scenario(&scenario, cli, false, err);
    if (status == EW_OK && !scenario.platform) {
        status = ew_fail(err, EW_EUSAGE, "%s: a plan is checked against a platform; see --platform",
                         path);
    }
    if (status == EW_OK) {
        status = find_plan_graph(&scenario, cli, path, err);
    }
    if (status == EW_OK) {
        status = ew_setup_open(&setup, &scenario, &source, &blame, err);
    }
    if (status == EW_OK) {
        const struct ew_plan_context *context = &setup.workloads[0].problem.context;
        status = ew_book_load_json(&book, path, context, err);
        if (status == EW_OK) {
            status = ew_book_check(context, book, err);
            if (status == EW_EINPUT) {
                (void)ew_prefix(err, "%s: ", path);
            }
        }
    }
    if (status == EW_OK) {
        ew_str_printf(out, "%s: ok: %u plan%s of strategy '%s' for graph '%s'\n", path,
                      book->n_plans, book->n_plans == 1 ? "" : "s", book->strategy,
                      setup.workloads[0].graph->name);
    }
    ew_book_free(book);
    ew_setup_fini(&setup);
    ew_scenario_fini(&scenario);
    return status;
}

/* --- what a file is ----------------------------------------------------------------------------
 */

struct kind {
    const char *mark; /* what stands in such files */
    enum ew_status (*check)(struct ew_str *out, struct ew_cli *cli, const char *path,
                            struct ew_error *err);
};

static const struct kind KINDS[] = {
    {"\"edgeweave.graph/", check_graph},     {"\"edgeweave.scenario/", check_scenario},
    {"\"edgeweave.profile/", check_profile}, {"\"edgeweave.plan/", check_plan},
    {"<platform", check_platform},
};

/* By the first mark in the text. Without one, .xml files are platforms and others graphs, so that
 * their readers say what is wrong. */
static enum ew_status find_kind(const struct kind **out, const char *path, struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    const char *first = NULL;
    const size_t n = strlen(path);
    if (ew_graph_is_onnx(path)) {
        *out = &KINDS[0];
        return EW_OK;
    }
    enum ew_status status = ew_file_read(&text, &size, path, MAX_PEEK_BYTES, err);
    if (status != EW_OK) {
        return status;
    }
    if (size >= 4 && memcmp(text, "\177ELF", 4) == 0) {
        free(text);
        return ew_fail(err, EW_EINPUT, "%s: a shared object; see 'edgeweave plugin-check'", path);
    }
    *out = n > 4 && strcmp(path + n - 4, ".xml") == 0 ? &KINDS[4] : &KINDS[0];
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const char *mark = strstr(text, KINDS[i].mark);
        if (mark && (!first || mark < first)) {
            first = mark;
            *out = &KINDS[i];
        }
    }
    free(text);
    return EW_OK;
}

enum ew_status ew_cmd_check(struct ew_cli *cli, struct ew_error *err)
{
    enum ew_status status = ew_cli_expect_positionals(cli, 1, SIZE_MAX, "at least one file", err),
                   first = EW_OK;
    if (status != EW_OK) {
        return status;
    }
    for (size_t i = 0; i < cli->args.n_positionals && first != EW_EINTR; i++) {
        const struct ew_arg *file = &cli->args.positionals[i];
        const struct kind *kind = NULL;
        struct ew_str text = {0};
        struct ew_error bad = {0};
        cli->blame = -1; /* messages name the file */
        status = find_kind(&kind, file->value, &bad);
        if (status == EW_OK) {
            status = kind->check(&text, cli, file->value, &bad);
        }
        if (status == EW_OK) {
            status = ew_cli_put(&text, &bad);
        }
        ew_str_fini(&text);
        if (status != EW_OK) { /* main prints the last one, whatever its exit code */
            if (first != EW_OK) {
                ew_cli_print_error(cli, err);
            }
            first = first == EW_OK ? status : first;
            *err = bad;
        }
    }
    return first;
}
