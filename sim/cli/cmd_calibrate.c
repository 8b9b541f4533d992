#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "calibrate/compute.h"
#include "calibrate/energy.h"
#include "calibrate/network.h"
#include "cli/options.h"
#include "io/profile_json.h"

/* --- what the parts share -------------------------------------------------------------------- */

static void warn(void *ctx, const char *message)
{
    const struct ew_cli *cli = ctx;
    ew_cli_warn(cli, "%s", message);
}

static const char *find_graph(void *ctx, const char *name, struct ew_arena *arena)
{
    const struct ew_cli *cli = ctx;
    const char *path = NULL;
    struct ew_error ignored = {0};
    return ew_paths_find(&path, &cli->paths, EW_PATH_GRAPH, name, arena, &ignored) == EW_OK ? path
                                                                                            : NULL;
}

static const char *text_of(const struct ew_cli *cli, enum ew_option_id option, const char *fallback)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, option);
    return arg ? arg->value : fallback;
}

static const char *output_path(const struct ew_cli *cli)
{
    const struct ew_arg *output = ew_cli_output(cli);
    return output ? output->value : NULL;
}

/* Data into a file, or to standard output when no file was named. */
static enum ew_status put(const char *path, const struct ew_str *text, struct ew_error *err)
{
    if (text->failed) {
        return ew_fail_memory(err);
    }
    return path ? ew_file_write(path, ew_str_text(text), text->length, err) : ew_cli_put(text, err);
}

/* --- compute --------------------------------------------------------------------------------- */

/* The profile's name: said, or the file's, or "device.calibrated". In `arena`. */
static enum ew_status profile_name(const char **out, const struct ew_cli *cli,
                                   struct ew_arena *arena, struct ew_error *err)
{
    const char *path = output_path(cli);
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *file =
        text_of(cli, EW_OPTION_NAME, path ? slash ? slash + 1 : path : "device.calibrated");
    char *name = ew_arena_strdup(arena, file);
    if (!name) {
        return ew_fail_memory(err);
    }
    const size_t n = strlen(name);
    if (n > 5 && strcmp(name + n - 5, ".json") == 0) {
        name[n - 5] = '\0';
    }
    *out = name;
    return EW_OK;
}

/* A calibrated profile must be one that the program can read. */
static enum ew_status check_profile(const struct ew_str *text, struct ew_error *err)
{
    struct ew_profile *profile = NULL;
    const enum ew_status status =
        text->failed ? ew_fail_memory(err)
                     : ew_profile_parse_json(&profile, ew_str_text(text), text->length,
                                             "calibrated profile", err);
    ew_profile_free(profile);
    return status;
}

static enum ew_status put_compute(struct ew_cli *cli, const struct ew_compute_data *data,
                                  const struct ew_compute_fit *fit, struct ew_error *err)
{
    struct ew_str profile = {0}, report = {0}, csv = {0};
    struct ew_arena arena = {0};
    struct ew_compute_labels labels = {
        .source = text_of(cli, EW_OPTION_FROM, data->path),
        .confidence = "measured, fitted by 'edgeweave calibrate compute'",
    };
    const char *path = output_path(cli);
    const char *csv_path = text_of(cli, EW_OPTION_RESIDUALS, NULL);
    enum ew_status status = profile_name(&labels.name, cli, &arena, err);
    if (status == EW_OK) {
        ew_compute_put_profile(&profile, data, fit, &labels);
        ew_compute_put_report(&report, data, fit);
        ew_compute_put_csv(&csv, data, fit);
        status = check_profile(&profile, err);
    }
    if (status == EW_OK) {
        status = put(path, &profile, err);
    }
    if (status == EW_OK && csv_path) {
        status = put(csv_path, &csv, err);
    }
    if (status == EW_OK && path && cli->verbosity != EW_QUIET) {
        status = put(NULL, &report, err);
    }
    ew_str_fini(&profile);
    ew_str_fini(&report);
    ew_str_fini(&csv);
    ew_arena_fini(&arena);
    return status;
}

static enum ew_status calibrate_compute(struct ew_cli *cli, const struct ew_lapack *lapack,
                                        struct ew_error *err)
{
    const struct ew_compute_source source = {
        .data_path = cli->args.positionals[1].value,
        .layers_path = text_of(cli, EW_OPTION_LAYERS, NULL),
        .device = text_of(cli, EW_OPTION_DEVICE, NULL),
        .find_graph = find_graph,
        .warn = warn,
        .ctx = cli,
    };
    struct ew_compute_data data = {0};
    struct ew_compute_fit fit = {0};
    double weight_rate = 0;
    enum ew_status status =
        ew_options_number(&weight_rate, cli, EW_OPTION_WEIGHT_RATE, 1, 1e24, 0, err);
    if (status == EW_OK) {
        cli->blame = -1;
        status = ew_compute_data_load(&data, &source, err);
    }
    if (status == EW_OK) {
        data.weight_s_per_byte = weight_rate > 0 ? 1 / weight_rate : 0;
        status = ew_compute_fit(&fit, &data, lapack, err);
    }
    if (status == EW_OK && fit.is_pooled) {
        ew_cli_warn(cli,
                    "%s: lines %zu .. %zu do not tell classes of layers apart: one rate stands for "
                    "all; more networks or single layers would",
                    source.data_path, data.rows[0].line, data.rows[data.n_rows - 1].line);
    }
    for (size_t j = 0; status == EW_OK && j < EW_COMPUTE_COLUMNS; j++) {
        if (fit.is_used[j] && (fit.rank.is_mixed[j] || fit.rank.is_absent[j])) {
            ew_cli_warn(cli, "%s: %s is not identifiable from these rows", source.data_path,
                        ew_compute_column_name(j));
        }
    }
    if (status == EW_OK) {
        status = put_compute(cli, &data, &fit, err);
    }
    ew_compute_fit_fini(&fit);
    ew_compute_data_fini(&data);
    return status;
}

/* --- energy and network ---------------------------------------------------------------------- */

/* Result into the file of -o and report to standard output; without -o both, one after the other.
 */
static enum ew_status put_both(struct ew_cli *cli, const struct ew_str *result,
                               const struct ew_str *report, struct ew_error *err)
{
    const char *path = output_path(cli);
    enum ew_status status = EW_OK;
    if (cli->verbosity != EW_QUIET) {
        status = put(NULL, report, err);
    }
    if (status == EW_OK && !path && cli->verbosity != EW_QUIET) {
        const struct ew_str gap = {.text = (char[]){"\n"}, .length = 1};
        status = put(NULL, &gap, err);
    }
    return status == EW_OK ? put(path, result, err) : status;
}

/* Rows that contradict each other make figures that are none of them. */
static void warn_of_misfits(const struct ew_cli *cli, const struct ew_energy_data *data,
                            const struct ew_energy_fit *fit, const char *dvfs)
{
    size_t worst = 0;
    const double ratio = 0.2;
    const size_t n = ew_energy_count_misfits(&worst, data, fit, dvfs, ratio);
    if (n) {
        ew_cli_warn(cli,
                    "%s:%zu: '%s' does not fit the other rows (%zu of %zu rows are more than "
                    "%.0f %% off)",
                    data->path, data->rows[worst].line, data->rows[worst].label, n, fit->n_rows,
                    100 * ratio);
    }
}

static enum ew_status calibrate_energy(struct ew_cli *cli, const struct ew_lapack *lapack,
                                       struct ew_error *err)
{
    const char *path = cli->args.positionals[1].value;
    struct ew_energy_data data = {0};
    struct ew_energy_fit *fits = NULL;
    struct ew_str report = {0}, props = {0};
    enum ew_status status =
        ew_energy_data_load(&data, path, text_of(cli, EW_OPTION_DEVICE, NULL), err);
    if (status == EW_OK) {
        fits = calloc(data.n_dvfs, sizeof *fits);
        status = fits ? EW_OK : ew_fail_memory(err);
    }
    for (size_t k = 0; status == EW_OK && k < data.n_dvfs; k++) {
        status = ew_energy_fit(&fits[k], &data, data.dvfs[k], lapack, err);
        for (size_t j = 0; status == EW_OK && j < EW_WATTS_COLUMNS; j++) {
            if (fits[k].rank.is_mixed[j]) {
                ew_cli_warn(cli, "%s: %s%s%s power is not identifiable", path, data.dvfs[k],
                            *data.dvfs[k] ? ": " : "", ew_energy_column_name(j));
            }
        }
        if (status == EW_OK) {
            warn_of_misfits(cli, &data, &fits[k], data.dvfs[k]);
        }
    }
    if (status == EW_OK) {
        ew_energy_put_report(&report, &data, fits);
        ew_energy_put_props(&props, &data, fits);
        status = put_both(cli, &props, &report, err);
    }
    ew_str_fini(&report);
    ew_str_fini(&props);
    free(fits);
    ew_energy_data_fini(&data);
    return status;
}

static enum ew_status calibrate_network(struct ew_cli *cli, const struct ew_lapack *lapack,
                                        struct ew_error *err)
{
    const char *path = cli->args.positionals[1].value;
    struct ew_network_data data = {0};
    struct ew_network_fit fit = {0};
    struct ew_str report = {0}, link = {0};
    double latency_s = 0, bytes_per_s = 0;
    enum ew_status status =
        ew_options_number(&latency_s, cli, EW_OPTION_NOMINAL_LATENCY, 1e-12, 1e6, 0, err);
    if (status == EW_OK) {
        status =
            ew_options_number(&bytes_per_s, cli, EW_OPTION_NOMINAL_BANDWIDTH, 1e-3, 1e18, 0, err);
    }
    if (status == EW_OK) {
        cli->blame = -1;
        status = ew_network_data_load(&data, path, text_of(cli, EW_OPTION_DEVICE, NULL), err);
    }
    if (status == EW_OK) {
        status = ew_network_fit(&fit, &data, lapack, err);
    }
    if (status == EW_OK && !ew_network_has_bandwidth(&fit)) {
        const size_t first = data.n_rows - fit.pieces[fit.n_pieces - 1].n_rows;
        ew_cli_warn(cli,
                    "%s: bandwidth is not identifiable: time does not grow with bytes from line "
                    "%zu (%.0f bytes) to line %zu (%.0f bytes)",
                    path, data.rows[first].line, data.rows[first].bytes,
                    data.rows[data.n_rows - 1].line, data.rows[data.n_rows - 1].bytes);
    }
    if (status == EW_OK) {
        ew_network_put_report(&report, &fit, latency_s, bytes_per_s);
        ew_network_put_link(&link, &fit, text_of(cli, EW_OPTION_NAME, "link"));
        status = put_both(cli, &link, &report, err);
    }
    ew_str_fini(&report);
    ew_str_fini(&link);
    ew_network_data_fini(&data);
    return status;
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct part {
    const char *name;
    enum ew_status (*run)(struct ew_cli *cli, const struct ew_lapack *lapack, struct ew_error *err);
} PARTS[] = {
    {"compute", calibrate_compute},
    {"energy", calibrate_energy},
    {"network", calibrate_network},
};

enum { N_PARTS = sizeof PARTS / sizeof *PARTS };

static const char *part_at(const void *ctx, size_t i)
{
    return ((const struct part *)ctx)[i].name;
}

enum ew_status ew_cmd_calibrate(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_lapack *lapack = NULL;
    enum ew_status status =
        ew_cli_expect_positionals(cli, 2, 2, "what to calibrate and a CSV file", err);
    if (status != EW_OK) {
        return status;
    }
    const char *name = cli->args.positionals[0].value;
    for (size_t i = 0; i < N_PARTS; i++) {
        if (strcmp(PARTS[i].name, name) == 0) {
            status = ew_lapack_open(&lapack, err);
            if (status == EW_OK) {
                status = PARTS[i].run(cli, lapack, err);
            }
            ew_lapack_free(lapack);
            return status;
        }
    }
    cli->blame = cli->args.positionals[0].at;
    const char *near = ew_nearest_name(name, N_PARTS, part_at, PARTS);
    return ew_fail(err, EW_EUSAGE,
                   "unknown calibration '%s'; expected compute, energy or network%s%s%s", name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}
