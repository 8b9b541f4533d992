#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "calibrate/probe.h"
#include "cli/options.h"
#include "io/graph_json.h"
#include "io/profile_json.h"

/* Networks that together have layers of all classes, small and large. */
static const char *const GRAPHS[] = {"squeezenet1_1", "mobilenet_v1_0.5", "resnet18", "alexnet"};

enum { N_GRAPHS = sizeof GRAPHS / sizeof *GRAPHS };

static enum ew_status load_graphs(struct ew_graph **graphs, const struct ew_cli *cli,
                                  struct ew_error *err)
{
    struct ew_arena arena = {0};
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < N_GRAPHS; i++) {
        const char *path = NULL;
        status = ew_paths_find(&path, &cli->paths, EW_PATH_GRAPH, GRAPHS[i], &arena, err);
        if (status == EW_OK) {
            status = ew_graph_load_json(&graphs[i], path, err);
        }
    }
    ew_arena_fini(&arena);
    return status;
}

static enum ew_status fit_probe(struct ew_compute_fit *fit, const struct ew_probe *probe,
                                struct ew_error *err)
{
    struct ew_lapack *lapack = NULL;
    enum ew_status status = ew_lapack_open(&lapack, err);
    if (status == EW_OK) {
        status = ew_compute_fit(fit, &probe->data, lapack, err);
    }
    ew_lapack_free(lapack);
    return status;
}

static enum ew_status put_all(struct ew_cli *cli, const struct ew_probe *probe,
                              const struct ew_compute_fit *fit, struct ew_error *err)
{
    const struct ew_arg *name = ew_args_last(&cli->args, EW_OPTION_NAME);
    const struct ew_arg *output = ew_cli_output(cli);
    struct ew_str profile = {0}, host = {0}, report = {0}, full_name = {0};
    ew_str_printf(&full_name, "%.80s.%s", name ? name->value : "this_machine", probe->kernels);
    const struct ew_compute_labels labels = {
        .name = ew_str_text(&full_name),
        .source = "measured by 'edgeweave probe' on this machine, one thread",
        .confidence = "measured",
    };
    struct ew_str path = {0};
    ew_str_printf(&path, "%s", output ? output->value : "");
    if (!output) {
        ew_str_printf(&path, "%s.json", labels.name);
    }
    ew_compute_put_profile(&profile, &probe->data, fit, &labels);
    ew_compute_put_report(&report, &probe->data, fit);
    ew_probe_put_host(&host, probe, fit, name ? name->value : "this_machine", labels.name);
    enum ew_status status = profile.failed || path.failed ? ew_fail_memory(err) : EW_OK;
    if (status == EW_OK) {
        status = ew_file_write(ew_str_text(&path), ew_str_text(&profile), profile.length, err);
    }
    if (status == EW_OK && cli->verbosity == EW_VERBOSE) {
        status = ew_cli_put(&report, err);
    }
    if (status == EW_OK) {
        ew_cli_detail(cli, "wrote %s", ew_str_text(&path));
        status = ew_cli_put(&host, err);
    }
    ew_str_fini(&profile);
    ew_str_fini(&host);
    ew_str_fini(&report);
    ew_str_fini(&full_name);
    ew_str_fini(&path);
    return status;
}

/* Nothing is written before all is measured, so an interrupt need not wait for anything. */
static void end_at_once_when_interrupted(void)
{
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
}

enum ew_status ew_cmd_probe(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_graph *graphs[N_GRAPHS] = {NULL};
    struct ew_probe probe = {0};
    struct ew_compute_fit fit = {0};
    double limit_s = 0;
    enum ew_status status = ew_cli_expect_positionals(cli, 0, 0, "", err);
    if (status == EW_OK) {
        status = ew_options_number(&limit_s, cli, EW_OPTION_PROBE_LIMIT, 0.1, 3600, 30, err);
    }
    if (status == EW_OK) {
        cli->blame = -1;
        status = load_graphs(graphs, cli, err);
    }
    if (status == EW_OK) {
        end_at_once_when_interrupted();
        ew_cli_detail(cli, "measuring for about %g s", limit_s);
        status = ew_probe_measure(&probe, (const struct ew_graph *const *)graphs, N_GRAPHS, limit_s,
                                  err);
    }
    if (status == EW_OK) {
        status = fit_probe(&fit, &probe, err);
    }
    if (status == EW_OK) {
        status = put_all(cli, &probe, &fit, err);
    }
    ew_compute_fit_fini(&fit);
    ew_probe_fini(&probe);
    for (size_t i = 0; i < N_GRAPHS; i++) {
        ew_graph_free(graphs[i]);
    }
    return status;
}
