#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/options.h"
#include "cli/session.h"
#include "io/graph_json.h"
#include "io/interop/pipeedge.h"
#include "io/plan_json.h"
#include "io/profile_json.h"
#include "plan/check.h"

/* Everything a conversion needs open. */
struct converting {
    struct ew_cli *cli;
    const char *input;  /* NULL: none */
    const char *output; /* NULL: standard output */
    struct ew_scenario scenario;
    struct ew_simgrid simgrid;
    struct ew_setup setup;
    const struct ew_plan_context *context;
    struct ew_mapping mapping;
};

static enum ew_status open_problem(struct converting *c, struct ew_error *err)
{
    struct ew_setup_blame blame = {0};
    const struct ew_platform_source source = ew_session_source(c->cli, &c->simgrid);
    enum ew_status status = ew_options_scenario(&c->scenario, c->cli, false, err);
    c->cli->blame = -1;
    if (status == EW_OK && (!c->scenario.platform || !c->scenario.workloads[0].graph)) {
        status = ew_fail(err, EW_EUSAGE,
                         "layers and devices have names: say --graph and "
                         "--platform");
    }
    if (status == EW_OK) {
        status = ew_setup_open(&c->setup, &c->scenario, &source, &blame, err);
    }
    if (status == EW_OK) {
        c->context = &c->setup.workloads[0].problem.context;
        status = ew_mapping_init(&c->mapping, c->context->graph, err);
    }
    return status;
}

static enum ew_status put(struct converting *c, const struct ew_str *text, struct ew_error *err)
{
    if (text->failed) {
        return ew_fail_memory(err);
    }
    return c->output ? ew_file_write(c->output, ew_str_text(text), text->length, err)
                     : ew_cli_put(text, err);
}

static enum ew_status put_in_folder(const char *folder, const char *name, const char *ending,
                                    const struct ew_str *text, struct ew_error *err)
{
    struct ew_str path = {0};
    ew_str_printf(&path, "%s/%s%s", folder, name, ending);
    const enum ew_status status =
        path.failed || text->failed
            ? ew_fail_memory(err)
            : ew_file_write(ew_str_text(&path), ew_str_text(text), text->length, err);
    ew_str_fini(&path);
    return status;
}

static enum ew_status need_folder(const struct converting *c, struct ew_error *err)
{
    return c->output ? EW_OK
                     : ew_fail(err, EW_EUSAGE, "several files are made: say where with -o DIR");
}

/* --- plans ----------------------------------------------------------------------------------- */

static enum ew_status load_book_mapping(struct converting *c, struct ew_error *err)
{
    struct ew_book *book = NULL;
    enum ew_status status = open_problem(c, err);
    if (status == EW_OK) {
        status = ew_book_load_json(&book, c->input, c->context, err);
    }
    if (status == EW_OK) {
        status = ew_book_check(c->context, book, err);
        status = status ? status : ew_mapping_of_book(&c->mapping, c->context, book, err);
        if (status != EW_OK) {
            (void)ew_prefix(err, "%s: ", c->input);
            err->status = status = status == EW_ENOTSUP ? EW_EINPUT : status;
        }
    }
    ew_book_free(book);
    return status;
}

static enum ew_status plan_to_autodice(struct converting *c, struct ew_error *err)
{
    struct ew_str text = {0};
    enum ew_status status = load_book_mapping(c, err);
    if (status == EW_OK) {
        ew_mapping_print_autodice(&text, &c->mapping, c->context);
        status = put(c, &text, err);
    }
    ew_str_fini(&text);
    return status;
}

static enum ew_status plan_to_pipeedge(struct converting *c, struct ew_error *err)
{
    struct ew_str text = {0};
    enum ew_status status = load_book_mapping(c, err);
    if (status == EW_OK) {
        status = ew_mapping_print_pipeedge(&text, &c->mapping, c->context, err);
        if (status == EW_ENOTSUP) {
            (void)ew_prefix(err, "%s: ", c->input);
            err->status = status = EW_EINPUT;
        }
    }
    status = status ? status : put(c, &text, err);
    ew_str_fini(&text);
    return status;
}

static enum ew_status put_mapping(struct converting *c, const char *name, struct ew_error *err)
{
    const struct ew_problem *problem = &c->setup.workloads[0].problem;
    struct ew_book *book = NULL;
    struct ew_str text = {0};
    enum ew_status status =
        ew_mapping_book(&book, &c->mapping, c->context, name, (int32_t)problem->batch,
                        problem->source_device, problem->sink_device, err);
    if (status == EW_OK) {
        status = ew_book_check(c->context, book, err);
        if (status != EW_OK) {
            (void)ew_prefix(err, "%s: ", c->input);
        }
    }
    if (status == EW_OK) {
        ew_book_print_json(&text, c->context, book);
        status = put(c, &text, err);
    }
    ew_str_fini(&text);
    ew_book_free(book);
    return status;
}

static enum ew_status autodice_to_plan(struct converting *c, struct ew_error *err)
{
    struct ew_mapping_unknown unknown = {0};
    enum ew_status status = open_problem(c, err);
    if (status == EW_OK) {
        status = ew_mapping_load_autodice(&c->mapping, &unknown, c->input, c->context, err);
    }
    if (status == EW_OK && unknown.n) {
        ew_cli_warn(c->cli, "%s: left out %u name%s that graph '%s' has no layer for, such as '%s'",
                    c->input, unknown.n, unknown.n == 1 ? "" : "s", c->context->graph->name,
                    unknown.first);
    }
    return status ? status : put_mapping(c, "autodice", err);
}

static enum ew_status pipeedge_to_plan(struct converting *c, struct ew_error *err)
{
    enum ew_status status = open_problem(c, err);
    if (status == EW_OK) {
        status = ew_mapping_load_pipeedge(&c->mapping, c->input, c->context, err);
    }
    return status ? status : put_mapping(c, "pipeedge", err);
}

/* --- profiles -------------------------------------------------------------------------------- */

static enum ew_status platform_to_pipeedge(struct converting *c, struct ew_error *err)
{
    struct ew_pipeedge_texts texts = {0};
    enum ew_status status = need_folder(c, err);
    status = status ? status : open_problem(c, err);
    status = status ? status : ew_pipeedge_print(&texts, &c->mapping, c->context, err);
    status = status ? status : ew_dir_make(c->output, err);
    status = status ? status : put_in_folder(c->output, "models", ".yml", &texts.models, err);
    status = status ? status
                    : put_in_folder(c->output, "device_types", ".yml", &texts.device_types, err);
    status = status ? status : put_in_folder(c->output, "devices", ".yml", &texts.devices, err);
    ew_pipeedge_texts_fini(&texts);
    return status;
}

/* What was made must be what our own readers take. */
static enum ew_status check_import(const struct ew_pipeedge_import *import, struct ew_error *err)
{
    struct ew_graph *graph = NULL;
    enum ew_status status = ew_graph_parse_json(&graph, ew_str_text(&import->graph),
                                                import->graph.length, import->name, err);
    ew_graph_free(graph);
    for (uint32_t i = 0; status == EW_OK && i < import->n_profiles; i++) {
        struct ew_profile *profile = NULL;
        status = ew_profile_parse_json(&profile, ew_str_text(&import->profiles[i]),
                                       import->profiles[i].length, import->profile_names[i], err);
        ew_profile_free(profile);
    }
    return status;
}

static enum ew_status pipeedge_to_platform(struct converting *c, struct ew_error *err)
{
    const struct ew_arg *name = ew_args_last(&c->cli->args, EW_OPTION_NAME);
    struct ew_pipeedge_import import = {0};
    struct ew_str folder = {0};
    enum ew_status status = need_folder(c, err);
    status = status ? status : ew_pipeedge_load(&import, c->input, name ? name->value : NULL, err);
    status = status ? status : check_import(&import, err);
    if (status == EW_OK) {
        ew_str_printf(&folder, "%s/profiles", c->output);
        status = folder.failed ? ew_fail_memory(err) : ew_dir_make(ew_str_text(&folder), err);
    }
    for (uint32_t i = 0; status == EW_OK && i < import.n_profiles; i++) {
        status = put_in_folder(ew_str_text(&folder), import.profile_names[i], ".json",
                               &import.profiles[i], err);
    }
    status = status ? status : put_in_folder(c->output, import.name, ".json", &import.graph, err);
    status = status ? status : put_in_folder(c->output, "platform", ".xml", &import.platform, err);
    if (status == EW_OK) {
        ew_cli_detail(c->cli, "%s: %s.json, platform.xml, %u profiles", c->output, import.name,
                      import.n_profiles);
    }
    ew_str_fini(&folder);
    ew_pipeedge_import_fini(&import);
    return status;
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct conversion {
    const char *from, *to;
    const char *input; /* what it takes; NULL: nothing */
    enum ew_status (*run)(struct converting *c, struct ew_error *err);
} CONVERSIONS[] = {
    {"plan", "autodice", "a plan file", plan_to_autodice},
    {"autodice", "plan", "a mapping file", autodice_to_plan},
    {"plan", "pipeedge", "a plan file", plan_to_pipeedge},
    {"pipeedge", "plan", "a schedule", pipeedge_to_plan},
    {"platform", "pipeedge", NULL, platform_to_pipeedge},
    {"pipeedge", "platform", "a folder of profiles", pipeedge_to_platform},
};

enum { N_CONVERSIONS = sizeof CONVERSIONS / sizeof *CONVERSIONS };

static const struct conversion *find_conversion(const struct ew_args *args)
{
    for (size_t i = 0; i < N_CONVERSIONS && args->n_positionals >= 2; i++) {
        if (strcmp(CONVERSIONS[i].from, args->positionals[0].value) == 0 &&
            strcmp(CONVERSIONS[i].to, args->positionals[1].value) == 0) {
            return &CONVERSIONS[i];
        }
    }
    return NULL;
}

enum ew_status ew_cmd_convert(struct ew_cli *cli, struct ew_error *err)
{
    const struct ew_args *args = &cli->args;
    const struct conversion *conversion = find_conversion(args);
    const struct ew_arg *output = ew_cli_output(cli);
    struct converting c = {.cli = cli, .output = output ? output->value : NULL};
    if (!conversion) {
        if (args->n_positionals) {
            cli->blame = args->positionals[args->n_positionals > 1 ? 1 : 0].at;
        }
        return ew_fail(err, EW_EUSAGE,
                       "expected from and to: plan autodice, autodice plan, plan pipeedge, "
                       "pipeedge plan, platform pipeedge or pipeedge platform");
    }
    const size_t n = conversion->input ? 3 : 2;
    enum ew_status status = ew_cli_expect_positionals(
        cli, n, n, conversion->input ? conversion->input : "from and to", err);
    if (status == EW_OK) {
        c.input = conversion->input ? args->positionals[2].value : NULL;
        status = conversion->run(&c, err);
    }
    ew_mapping_fini(&c.mapping);
    ew_setup_fini(&c.setup);
    ew_scenario_fini(&c.scenario);
    return status;
}
