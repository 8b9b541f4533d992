#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/system.h"
#include "cli/options.h"
#include "cli/session.h"
#include "io/sweep_json.h"
#include "results/report.h"
#include "results/store_row.h"
#include "sweep/sweep_run.h"

enum { MAX_SWEEP_BYTES = 16 << 20, BAR_WIDTH = 30, N_SHOWN = 5, MAX_JOBS = 256 };

static const double FIRST_SHOWN_S = 1.0;

/* Everything open. */
struct job {
    struct ew_cli *cli;
    char *text; /* of the sweep file */
    struct ew_sweep_spec spec;
    struct ew_sweep_points points;
    struct ew_simgrid simgrid;
    struct ew_platform_source source;
    struct ew_registry registry;
    struct ew_str build;
    struct ew_sweep_context context;
    struct ew_sweep_options options;
    bool is_shown;
};

/* --- opening -----------------------------------------------------------------------------------
 */

static enum ew_status find_files(void *ctx, struct ew_scenario *scenario, struct ew_error *err)
{
    return ew_options_find_files(scenario, ctx, err);
}

/* Changes whenever the program or the SimGrid module does. */
static enum ew_status describe_build(struct job *job, struct ew_error *err)
{
    struct ew_report_input file = {0};
    ew_str_printf(&job->build, "edgeweave %s", ew_version);
    enum ew_status status = ew_report_input_read(&file, "", "/proc/self/exe", err);
    ew_str_printf(&job->build, " program %016llx", (unsigned long long)file.hash);
    if (status == EW_OK && job->simgrid.path) {
        status = ew_report_input_read(&file, "", job->simgrid.path, err);
        ew_str_printf(&job->build, " simgrid %016llx", (unsigned long long)file.hash);
    }
    return status == EW_OK && job->build.failed ? ew_fail_memory(err) : status;
}

static enum ew_status read_shard(struct job *job, struct ew_error *err)
{
    const struct ew_arg *arg = ew_args_last(&job->cli->args, EW_OPTION_SHARD);
    unsigned shard = 1, n = 1;
    int end = 0;
    if (arg && (sscanf(arg->value, "%5u/%5u%n", &shard, &n, &end) != 2 || arg->value[end] ||
                shard < 1 || shard > n)) {
        job->cli->blame = arg->at;
        return ew_fail(err, EW_EUSAGE,
                       "option '--shard': expected I/N with 1 <= I <= N, found '%s'", arg->value);
    }
    job->options.shard = shard - 1;
    job->options.n_shards = n;
    return EW_OK;
}

static enum ew_status read_options(struct job *job, struct ew_error *err)
{
    struct ew_cli *cli = job->cli;
    const long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
    double n_jobs = 1, limit_s = job->spec.time_limit_s;
    const bool is_distributed = cli->paths.n_ranks > 1;
    const double all_jobs = n_processors > 0 && !is_distributed ? (double)n_processors : 1;
    enum ew_status status =
        ew_options_number(&n_jobs, cli, EW_OPTION_JOBS, 1, MAX_JOBS, all_jobs, err);
    if (status == EW_OK) {
        status = ew_options_number(&limit_s, cli, EW_OPTION_TIME_LIMIT, 1e-3, 1e9, limit_s, err);
    }
    job->options.n_jobs = (uint32_t)n_jobs;
    job->options.time_limit_s = limit_s;
    job->options.keeps_going = ew_args_last(&cli->args, EW_OPTION_KEEP_GOING) != NULL;
    job->options.interrupted = cli->interrupted;
    job->options.is_distributed = is_distributed;
    job->options.mpi_module = cli->paths.mpi_module;
    return status == EW_OK ? read_shard(job, err) : status;
}

static enum ew_status check_output(struct job *job, struct ew_error *err)
{
    const struct ew_arg *output = ew_cli_output(job->cli);
    const struct ew_arg *resume = ew_args_last(&job->cli->args, EW_OPTION_RESUME);
    if (!output) {
        return ew_fail(err, EW_EUSAGE, "expected a file for the results; see --output");
    }
    if (resume && access(output->value, F_OK) != 0) {
        job->cli->blame = output->at;
        return ew_fail(err, EW_EINPUT, "%s: there are no results to go on with", output->value);
    }
    job->options.store_path = output->value;
    return EW_OK;
}

/* A key may have the name of the column that says the same of every point; others would hide it. */
static enum ew_status check_names(const struct ew_sweep_spec *spec, struct ew_error *err)
{
    for (uint32_t i = 0; i < spec->n_keys; i++) {
        const struct ew_sweep_key *key = &spec->keys[i];
        if (strcmp(key->name, key->member) != 0 && ew_store_has_column(key->name)) {
            return ew_fail(err, EW_EINPUT,
                           "%s: expected another name for key '%s': results have a column '%s'",
                           spec->path, key->member, key->name);
        }
    }
    return EW_OK;
}

static enum ew_status load(struct job *job, struct ew_error *err)
{
    struct ew_cli *cli = job->cli;
    size_t size = 0;
    enum ew_status status = ew_cli_expect_positionals(cli, 1, 1, "one sweep file", err);
    if (status == EW_OK) {
        cli->blame = cli->args.positionals[0].at;
        const char *path = cli->args.positionals[0].value;
        status = ew_file_read(&job->text, &size, path, MAX_SWEEP_BYTES, err);
        if (status == EW_OK) {
            status = ew_sweep_parse_json(&job->spec, job->text, size, path, err);
        }
        if (status == EW_OK) {
            status = check_names(&job->spec, err);
        }
    }
    if (status == EW_OK) {
        cli->blame = -1;
        status = ew_sweep_points_init(&job->points, &job->spec, err);
    }
    return status;
}

static enum ew_status prepare(struct job *job, struct ew_error *err)
{
    enum ew_status status = load(job, err);
    if (status == EW_OK) {
        status = read_options(job, err);
    }
    if (status == EW_OK) {
        job->source = ew_session_source(job->cli, &job->simgrid);
        status = ew_session_registry(&job->registry, job->cli, err);
    }
    if (status == EW_OK) {
        status = describe_build(job, err);
    }
    job->options.sweep_text = job->text;
    job->context = (struct ew_sweep_context){
        .points = &job->points,
        .source = &job->source,
        .registry = &job->registry,
        .find_files = find_files,
        .ctx = job->cli,
        .build = ew_str_text(&job->build),
    };
    return status;
}

/* --- showing -----------------------------------------------------------------------------------
 */

/* "2 h 5 min", "3 min 20 s", "14 s" */
static void print_duration(char out[32], double seconds)
{
    const double s = ceil(seconds);
    if (!(s < 1e9)) {
        (void)snprintf(out, 32, "unknown");
    } else if (s >= 3600) {
        (void)snprintf(out, 32, "%.0f h %.0f min", floor(s / 3600), floor(fmod(s, 3600) / 60));
    } else if (s >= 60) {
        (void)snprintf(out, 32, "%.0f min %.0f s", floor(s / 60), fmod(s, 60));
    } else {
        (void)snprintf(out, 32, "%.0f s", s);
    }
}

static void show(void *ctx, const struct ew_sweep_progress *p)
{
    struct job *job = ctx;
    if (!(p->begin_s > 0)) {
        fprintf(stderr, "\r\033[Klooking up what is known: %llu points",
                (unsigned long long)p->n_points);
        fflush(stderr);
        job->is_shown = true;
        return;
    }
    const double elapsed_s = ew_now_s() - p->begin_s;
    if (elapsed_s < FIRST_SHOWN_S || p->n_todo == 0) {
        return;
    }
    const double share = (double)p->n_done / (double)p->n_todo;
    const double rate_per_s = (double)p->n_done / elapsed_s;
    char bar[BAR_WIDTH + 1], left[32];
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    print_duration(left, (double)(p->n_todo - p->n_done) / rate_per_s);
    fprintf(stderr, "\r\033[K[%s] %3.0f %%  %llu/%llu  %.*f per s  %s left", bar, share * 100,
            (unsigned long long)p->n_done, (unsigned long long)p->n_todo, rate_per_s < 10 ? 1 : 0,
            rate_per_s, left);
    if (p->n_failed > 0) {
        fprintf(stderr, "  %llu failed", (unsigned long long)p->n_failed);
    }
    fflush(stderr);
    job->is_shown = true;
}

static void sum_up(const struct job *job, const struct ew_sweep_progress *p)
{
    const struct ew_cli *cli = job->cli;
    if (cli->verbosity == EW_QUIET) {
        return;
    }
    char took[32];
    print_duration(took, p->n_done ? ew_now_s() - p->begin_s : 0);
    fprintf(stderr, "%s: %llu points, %llu known, %llu done", job->options.store_path,
            (unsigned long long)p->n_points, (unsigned long long)p->n_known,
            (unsigned long long)p->n_done);
    if (p->n_cannot > 0) {
        fprintf(stderr, " (%llu that the strategy cannot serve)", (unsigned long long)p->n_cannot);
    }
    fprintf(stderr, "%s", p->n_failed > 0 ? ", " : "\n");
    if (p->n_failed > 0) {
        fprintf(stderr, "%llu failed\n", (unsigned long long)p->n_failed);
        ew_cli_warn(cli, "first failure: %s", p->first_failure);
        if (!job->options.keeps_going && p->n_done < p->n_todo) {
            ew_cli_warn(cli, "%llu points left undone; --keep-going does them",
                        (unsigned long long)(p->n_todo - p->n_done));
        }
    }
    if (p->n_lost_ranks > 0) {
        ew_cli_warn(cli, "%u of %u ranks died; others did their points", p->n_lost_ranks,
                    cli->paths.n_ranks);
    }
    ew_cli_detail(cli, "took %s", took);
}

/* --- doing -------------------------------------------------------------------------------------
 */

static enum ew_status dry_run(struct job *job, struct ew_error *err)
{
    struct ew_sweep_estimate estimate = {0};
    struct ew_str text = {0};
    char time[32];
    enum ew_status status = ew_sweep_estimate(&estimate, &job->context, &job->options, err);
    if (status != EW_OK) {
        return status;
    }
    print_duration(time, estimate.seconds);
    ew_str_printf(&text, "%llu point%s\n", (unsigned long long)estimate.n_points,
                  estimate.n_points == 1 ? "" : "s");
    ew_str_printf(&text, "estimated time: %s with %u job%s, from %u point%s run to try\n", time,
                  job->options.n_jobs, job->options.n_jobs == 1 ? "" : "s", estimate.n_samples,
                  estimate.n_samples == 1 ? "" : "s");
    uint32_t n_shown = 0;
    for (uint64_t raw = 0; raw < job->points.n_raw && n_shown < N_SHOWN; raw++) {
        if (ew_sweep_points_has(&job->points, raw)) {
            ew_sweep_points_values(&text, &job->points, raw);
            ew_str_append(&text, "\n");
            n_shown++;
        }
    }
    status = ew_cli_put(&text, err);
    ew_str_fini(&text);
    if (estimate.n_failed > 0) {
        ew_cli_warn(job->cli, "%llu of the points run to try failed, the first with: %s",
                    (unsigned long long)estimate.n_failed, estimate.first_failure);
    }
    return status;
}

static enum ew_status run(struct job *job, struct ew_error *err)
{
    struct ew_sweep_progress progress = {0};
    struct ew_cli *cli = job->cli;
    enum ew_status status = check_output(job, err);
    if (status != EW_OK) {
        return status;
    }
    if (cli->verbosity != EW_QUIET && isatty(STDERR_FILENO)) {
        job->options.show = show;
        job->options.show_ctx = job;
    }
    status = ew_sweep_run(&progress, &job->context, &job->options, err);
    if (job->is_shown) {
        fputs("\r\033[K", stderr);
    }
    if (progress.is_helper) {
        return status;
    }
    if (status == EW_OK || status == EW_EINTR) {
        sum_up(job, &progress);
    }
    if (status == EW_EINTR) {
        (void)ew_fail(err, EW_EINTR, "interrupted; the same command goes on from here");
    }
    if (status == EW_EINTR && job->options.is_distributed && !cli->paths.has_recovery) {
        ew_cli_warn(cli, "mpirun ends every rank when one dies, unless it is given "
                         "--enable-recovery");
    }
    cli->is_unmet = progress.n_failed > 0;
    return status;
}

enum ew_status ew_cmd_sweep(struct ew_cli *cli, struct ew_error *err)
{
    struct job job = {.cli = cli};
    enum ew_status status = prepare(&job, err);
    const bool is_dry = ew_args_last(&cli->args, EW_OPTION_DRY_RUN) != NULL;
    if (status == EW_OK && !(is_dry && cli->paths.rank > 0)) { /* one rank tells */
        status = is_dry ? dry_run(&job, err) : run(&job, err);
    }
    ew_registry_fini(&job.registry);
    ew_sweep_points_fini(&job.points);
    ew_sweep_spec_fini(&job.spec);
    ew_str_fini(&job.build);
    free(job.text);
    return status;
}
