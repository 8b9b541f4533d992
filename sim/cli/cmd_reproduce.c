#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/reproduce_out.h"
#include "cli/session.h"

/* Everything open. */
struct reproducing {
    struct ew_cli *cli;
    struct ew_arena arena;
    struct ew_reproduction reproduction;
    const struct ew_repro_figure **figures; /* that were asked for */
    size_t n_figures;
    struct ew_simgrid simgrid;
    struct ew_platform_source source;
    struct ew_registry registry;
    const char *cache_dir;
    const char *build;
    double n_jobs;
    struct ew_progress progress;
    EW_VEC(const char *) scenarios; /* of all figures, one after the other */
    struct ew_repro_record *records;
    struct ew_repro_figure_result *results;
};

/* --- what was asked for ------------------------------------------------------------------------
 */

static const char *figure_id_at(const void *ctx, size_t i)
{
    return ((const struct ew_reproduction *)ctx)->figures[i].id;
}

static enum ew_status choose_figures(struct reproducing *r, struct ew_error *err)
{
    const struct ew_args *args = &r->cli->args;
    const struct ew_reproduction *all = &r->reproduction;
    const char *wanted = args->n_positionals > 1 ? args->positionals[1].value : NULL;
    r->figures = calloc(all->n_figures, sizeof *r->figures);
    if (!r->figures) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < all->n_figures; i++) {
        if (!wanted || strcmp(wanted, all->figures[i].id) == 0) {
            r->figures[r->n_figures++] = &all->figures[i];
        }
    }
    if (r->n_figures == 0) {
        const char *near = ew_nearest_name(wanted, all->n_figures, figure_id_at, all);
        struct ew_str ids = {0};
        for (uint32_t i = 0; i < all->n_figures; i++) {
            ew_str_printf(&ids, "%s%s", i ? ", " : "", all->figures[i].id);
        }
        r->cli->blame = args->positionals[1].at;
        (void)ew_fail(err, EW_EUSAGE, "%s: unknown figure '%s'; expected one of %s%s%s%s",
                      all->paper, wanted, ew_str_text(&ids), near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "");
        ew_str_fini(&ids);
        return EW_EUSAGE;
    }
    return EW_OK;
}

static enum ew_status load(struct reproducing *r, struct ew_error *err)
{
    struct ew_cli *cli = r->cli;
    const bool is_quick = ew_args_last(&cli->args, EW_OPTION_QUICK) != NULL;
    const char *path = NULL;
    enum ew_status status = ew_cli_expect_positionals(cli, 1, 2, "PAPER [FIGURE]", err);
    if (status != EW_OK) {
        return status;
    }
    cli->blame = cli->args.positionals[0].at;
    status = ew_paths_find(&path, &cli->paths, EW_PATH_REPRODUCTION, cli->args.positionals[0].value,
                           &r->arena, err);
    if (status == EW_OK) {
        cli->blame = -1;
        status = ew_reproduction_load_json(&r->reproduction, path, is_quick, err);
    }
    return status == EW_OK ? choose_figures(r, err) : status;
}

/* --- running -----------------------------------------------------------------------------------
 */

/* Changes whenever the program does. */
static enum ew_status describe_build(struct reproducing *r, struct ew_error *err)
{
    struct ew_report_input program;
    struct ew_str text = {0};
    enum ew_status status = ew_report_input_read(&program, "", "/proc/self/exe", err);
    if (status == EW_OK) {
        ew_str_printf(&text, "edgeweave %s program %016llx", ew_version,
                      (unsigned long long)program.hash);
        r->build = ew_arena_strdup(&r->arena, ew_str_text(&text));
        status = text.failed || !r->build ? ew_fail_memory(err) : EW_OK;
    }
    ew_str_fini(&text);
    return status;
}

static enum ew_status prepare(struct reproducing *r, struct ew_error *err)
{
    struct ew_cli *cli = r->cli;
    const long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
    r->source = ew_session_source(cli, &r->simgrid);
    if (r->source.cache_dir) {
        char *dir = ew_path_join(r->source.cache_dir, "reproduce");
        r->cache_dir = dir ? ew_arena_strdup(&r->arena, dir) : NULL;
        free(dir);
    }
    enum ew_status status = ew_options_number(&r->n_jobs, cli, EW_OPTION_JOBS, 1, 256,
                                              n_processors > 0 ? (double)n_processors : 1, err);
    if (status == EW_OK) {
        status = ew_session_registry(&r->registry, cli, err);
    }
    return status == EW_OK ? describe_build(r, err) : status;
}

static enum ew_status gather_scenarios(struct reproducing *r, struct ew_error *err)
{
    for (size_t i = 0; i < r->n_figures; i++) {
        const struct ew_repro_figure *f = r->figures[i];
        for (size_t k = 0; k < (size_t)f->n_cases * f->n_series; k++) {
            if (!ew_vec_push(&r->scenarios, f->scenarios[k])) {
                return ew_fail_memory(err);
            }
        }
    }
    return EW_OK;
}

static enum ew_status find_files(void *ctx, struct ew_scenario *scenario, struct ew_error *err)
{
    return ew_options_find_files(scenario, ctx, err);
}

static void show_progress(void *ctx, uint32_t n_done, uint32_t n_total)
{
    struct reproducing *r = ctx;
    r->progress.n_points = n_total;
    ew_progress_point(&r->progress, n_done, r->reproduction.paper, 0);
}

static enum ew_status run(struct reproducing *r, struct ew_error *err)
{
    struct ew_repro_counts counts = {0};
    const struct ew_repro_runner runner = {
        .source = &r->source,
        .registry = &r->registry,
        .find_files = find_files,
        .ctx = r->cli,
        .cache_dir = r->cache_dir,
        .build = r->build,
        .n_jobs = (uint32_t)r->n_jobs,
        .interrupted = r->cli->interrupted,
        .progress = show_progress,
        .progress_ctx = r,
    };
    enum ew_status status = gather_scenarios(r, err);
    r->records = calloc(r->scenarios.count + 1, sizeof *r->records);
    if (status == EW_OK && !r->records) {
        status = ew_fail_memory(err);
    }
    r->progress = ew_progress_begin(r->cli, 0);
    if (status == EW_OK) {
        status =
            ew_repro_run(r->records, &counts, &runner, r->scenarios.count, r->scenarios.items, err);
    }
    ew_progress_end(&r->progress);
    ew_cli_detail(r->cli, "%u different runs, %u of them from the cache", counts.n_different,
                  counts.n_cached);
    return status;
}

static enum ew_status judge(struct reproducing *r, struct ew_error *err)
{
    const struct ew_repro_record *records = r->records;
    enum ew_status status = EW_OK;
    r->results = calloc(r->n_figures, sizeof *r->results);
    if (!r->results) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; status == EW_OK && i < r->n_figures; i++) {
        status = ew_repro_judge(&r->results[i], r->figures[i], records, err);
        records += (size_t)r->figures[i]->n_cases * r->figures[i]->n_series;
    }
    return status;
}

/* --- output ------------------------------------------------------------------------------------
 */

static enum ew_status put_out(struct reproducing *r, struct ew_error *err)
{
    struct ew_cli *cli = r->cli;
    const struct ew_arg *out = ew_args_last(&cli->args, EW_OPTION_OUT);
    const struct ew_repro_report report = {
        .reproduction = &r->reproduction,
        .is_quick = ew_args_last(&cli->args, EW_OPTION_QUICK) != NULL,
        .n = r->n_figures,
        .figures = r->results,
    };
    enum ew_status status = EW_OK;
    if (out) {
        cli->blame = out->at;
        status = ew_repro_write_csv(&report, out->value, err);
        if (status == EW_OK) {
            cli->blame = -1;
            status = ew_repro_plot(cli, &report, out->value, err);
        }
    }
    if (status == EW_OK) {
        struct ew_str text = {0};
        if (cli->wants_json) {
            ew_repro_print_json(&text, &report);
        } else {
            ew_repro_print_text(&text, &report);
        }
        status = ew_cli_put(&text, err);
        ew_str_fini(&text);
    }
    cli->is_unmet = ew_repro_has_failures(&report);
    return status;
}

static void fini(struct reproducing *r)
{
    for (size_t i = 0; r->results && i < r->n_figures; i++) {
        ew_repro_figure_result_fini(&r->results[i]);
    }
    for (size_t i = 0; r->records && i < r->scenarios.count; i++) {
        ew_repro_record_fini(&r->records[i]);
    }
    free(r->results);
    free(r->records);
    free(r->figures);
    ew_vec_fini(&r->scenarios);
    ew_registry_fini(&r->registry);
    ew_reproduction_fini(&r->reproduction);
    ew_arena_fini(&r->arena);
}

enum ew_status ew_cmd_reproduce(struct ew_cli *cli, struct ew_error *err)
{
    struct reproducing r = {.cli = cli};
    enum ew_status status = load(&r, err);
    if (status == EW_OK) {
        status = prepare(&r, err);
    }
    if (status == EW_OK) {
        status = run(&r, err);
    }
    if (status == EW_OK) {
        status = judge(&r, err);
    }
    if (status == EW_OK) {
        status = put_out(&r, err);
    }
    fini(&r);
    return status;
}
