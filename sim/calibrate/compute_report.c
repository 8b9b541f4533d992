#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "calibrate/compute.h"
#include "model/spread.h"

/* Rows whose error is this many times the mean are pointed out. */
static const double CONSPICUOUS = 2.5;
/* Figures whose standard error is this share of them or more are pointed out. */
static const double WEAK = 0.3;

static const struct {
    const char *name, *key, *unit;
} COLUMNS[EW_COMPUTE_COLUMNS] = {
    [EW_RATE_CONV_3X3_S1] = {"convolutions 3x3 stride 1", "conv_3x3_s1", "FLOP/s"},
    [EW_RATE_CONV_1X1] = {"convolutions 1x1", "conv_1x1", "FLOP/s"},
    [EW_RATE_CONV_OTHER] = {"other convolutions", "conv_other", "FLOP/s"},
    [EW_RATE_DEPTHWISE] = {"depthwise", "depthwise", "FLOP/s"},
    [EW_RATE_FC] = {"fc", "fc", "FLOP/s"},
    [EW_COMPUTE_WEIGHTS] = {"weights", "weight_bytes_per_s", "bytes/s"},
    [EW_COMPUTE_ACTIVATIONS] = {"activations", "activation_bytes_per_s", "bytes/s"},
    [EW_COMPUTE_PATCHES] = {"patches", "patch_bytes_per_s", "bytes/s"},
    [EW_COMPUTE_LAYERS] = {"layers", "layer_overhead_s", "s"},
};

const char *ew_compute_column_name(size_t column)
{
    return column < EW_COMPUTE_COLUMNS ? COLUMNS[column].key : "";
}

/* Four significant digits: more would say what nobody knows. */
static double rounded(double x)
{
    char text[32];
    double value = x;
    (void)snprintf(text, sizeof text, "%.4g", x);
    (void)ew_parse_double(text, &value);
    return value;
}

/* Reciprocal of seconds per unit; 0, free, when nothing was found. */
static double rate_of(double seconds_per_unit)
{
    return seconds_per_unit > 1e-24 ? rounded(1 / seconds_per_unit) : 0;
}

/* Whole networks do not tell depthwise and fc from 1x1 convolutions: they share its figure. */
static size_t source_column(const struct ew_compute_data *data, size_t column)
{
    const bool is_shared =
        !data->has_layers && (column == EW_RATE_DEPTHWISE || column == EW_RATE_FC);
    return is_shared ? EW_RATE_CONV_1X1 : column;
}

static void put_notes(struct ew_json *j, const struct ew_compute_data *data,
                      const struct ew_compute_fit *fit)
{
    struct ew_str text = {0};
    ew_json_key(j, "notes");
    ew_json_object_begin(j);
    ew_str_printf(&text, "fitted by 'edgeweave calibrate compute' to %zu rows: %s", data->n_rows,
                  fit->model);
    if (!data->has_layers) {
        ew_str_append(&text, "; depthwise and fc share the rate of 1x1 convolutions; pools, "
                             "activations and element-wise layers are part of all figures");
    }
    ew_json_kv_string(j, "class_flops_per_s", ew_str_text(&text));
    ew_str_fini(&text);
    if (isfinite(fit->left_out_error)) {
        ew_json_kv_string(j, "residual_ratio",
                          "mean |predicted/measured - 1| over networks left out of the fit");
        ew_json_kv_string(j, "residuals",
                          "measured/predicted of the rows left out, in their order");
    }
    ew_json_object_end(j);
}

void ew_compute_put_profile(struct ew_str *out, const struct ew_compute_data *data,
                            const struct ew_compute_fit *fit,
                            const struct ew_compute_labels *labels)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "schema", "edgeweave.profile/1");
    ew_json_kv_string(&j, "name", labels->name);
    ew_json_kv_string(&j, "source", labels->source);
    ew_json_kv_string(&j, "confidence", labels->confidence);
    ew_json_kv_string(&j, "kind", "additive");
    ew_json_key(&j, "class_flops_per_s");
    ew_json_object_begin(&j);
    for (size_t c = 0; c < EW_RATE_COUNT; c++) {
        ew_json_kv_double(&j, COLUMNS[c].key, rate_of(fit->x[source_column(data, c)]));
    }
    ew_json_object_end(&j);
    for (size_t c = EW_COMPUTE_WEIGHTS; c <= EW_COMPUTE_PATCHES; c++) {
        ew_json_kv_double(&j, COLUMNS[c].key, rate_of(fit->x[c]));
    }
    ew_json_kv_double(&j, "layer_overhead_s", rounded(fit->x[EW_COMPUTE_LAYERS]));
    if (fit->row_granularity > 1) {
        ew_json_kv_i64(&j, "row_granularity", fit->row_granularity);
    }
    ew_json_key(&j, "range_macs");
    ew_json_array_begin_inline(&j);
    ew_json_double(&j, rounded(data->range_macs[0]));
    ew_json_double(&j, rounded(data->range_macs[1]));
    ew_json_array_end(&j);
    if (isfinite(fit->left_out_error)) {
        ew_json_kv_double(&j, "residual_ratio", rounded(fit->left_out_error));
        ew_json_key(&j, "residuals");
        ew_json_array_begin_inline(&j);
        for (size_t i = 0; i < data->n_rows; i++) {
            ew_json_double(&j, rounded(1 / fmax(1 + fit->left_out[i], 1e-2)));
        }
        ew_json_array_end(&j);
    }
    put_notes(&j, data, fit);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

/* --- the report ------------------------------------------------------------------------------ */

/* Largest share of a row's predicted time that a figure makes up. */
static double most_share(const struct ew_compute_data *data, const struct ew_compute_fit *fit,
                         size_t column)
{
    double most = 0;
    for (size_t i = 0; i < data->n_rows; i++) {
        double amounts[EW_COMPUTE_COLUMNS], sum = 0;
        ew_compute_amounts(amounts, data, i, fit->row_granularity);
        for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
            sum += amounts[j] * fit->x[j];
        }
        most = sum > 0 ? fmax(most, amounts[column] * fit->x[column] / sum) : most;
    }
    return most;
}

static const char *verdict(const struct ew_compute_fit *fit, size_t column)
{
    if (!fit->is_used[column]) {
        return fit->x[column] > 0 ? "given" : "not fitted";
    }
    if (fit->rank.is_absent[column]) {
        return column < EW_RATE_COUNT ? "not identifiable: no row has any; mean of all classes"
                                      : "not identifiable: no row has any";
    }
    if (fit->rank.is_mixed[column]) {
        return "not identifiable: collinear with others so marked";
    }
    if (fit->x[column] <= 0) {
        return "free: the data ask for none";
    }
    return fit->x_error[column] > WEAK * fit->x[column] ? "weakly constrained" : "";
}

static void put_figures(struct ew_str *out, const struct ew_compute_data *data,
                        const struct ew_compute_fit *fit)
{
    ew_str_printf(out, "%-26s %12s %-8s %8s %10s\n", "figure", "value", "unit", "+-", "most share");
    for (size_t c = 0; c < EW_COMPUTE_COLUMNS; c++) {
        const double share = most_share(data, fit, c);
        const bool is_time = c == EW_COMPUTE_LAYERS;
        if (source_column(data, c) != c) {
            ew_str_printf(out, "%-26s %12s\n", COLUMNS[c].name, "as 1x1");
            continue;
        }
        ew_str_printf(out, "%-26s %12.4g %-8s ", COLUMNS[c].name,
                      is_time ? rounded(fit->x[c]) : rate_of(fit->x[c]), COLUMNS[c].unit);
        if (fit->x[c] > 0 && fit->x_error[c] > 0) {
            ew_str_printf(out, "%6.0f %%", 100 * fit->x_error[c] / fit->x[c]);
        } else {
            ew_str_printf(out, "%8s", "");
        }
        ew_str_printf(out, " %8.0f %%", 100 * share);
        const char *words = verdict(fit, c);
        ew_str_printf(out, "%s%s\n", *words ? "  " : "", words);
    }
    if (fit->row_granularity > 1) {
        ew_str_printf(out, "%-26s %12d rows\n", "row granularity", (int)fit->row_granularity);
    }
}

static void put_rows(struct ew_str *out, const struct ew_compute_data *data,
                     const struct ew_compute_fit *fit)
{
    const bool has_left_out = isfinite(fit->left_out_error);
    ew_str_printf(out, "\n%-28s %12s %10s %10s\n", "row", "measured", "in sample", "left out");
    for (size_t i = 0; i < data->n_rows; i++) {
        const struct ew_compute_row *row = &data->rows[i];
        char name[96], time[32];
        (void)snprintf(name, sizeof name, "%.40s%s%.40s", row->model, row->layer ? "/" : "",
                       row->layer ? row->layer : "");
        ew_human_seconds(time, row->measured_s);
        ew_str_printf(out, "%-28s %12s %+8.1f %%", name, time, 100 * fit->in_sample[i]);
        if (has_left_out) {
            const bool is_far =
                fabs(fit->left_out[i]) > CONSPICUOUS * fmax(fit->left_out_error, 0.02);
            ew_str_printf(out, " %+8.1f %%%s", 100 * fit->left_out[i],
                          is_far ? "  far off: look at this row" : "");
        }
        ew_str_append(out, "\n");
    }
}

static void put_bar(struct ew_str *out, const struct ew_compute_data *data,
                    const struct ew_compute_fit *fit)
{
    double *ratios = calloc(data->n_rows, sizeof *ratios);
    if (!ratios) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < data->n_rows; i++) {
        ratios[i] = 1 / (1 + fit->left_out[i]);
    }
    ew_spread_sort(ratios, data->n_rows);
    ew_str_printf(
        out, "80 %% bar: %.3g .. %.3g times the prediction; holds %.0f %% of left-out rows\n",
        ew_spread_quantile(ratios, data->n_rows, (1 - EW_SPREAD_SHARE) / 2),
        ew_spread_quantile(ratios, data->n_rows, (1 + EW_SPREAD_SHARE) / 2), 100 * fit->coverage);
    free(ratios);
}

void ew_compute_put_report(struct ew_str *out, const struct ew_compute_data *data,
                           const struct ew_compute_fit *fit)
{
    ew_str_printf(out, "%zu rows, %zu %s, %zu left out as unusable\nmodel: %s\n\n", data->n_rows,
                  data->n_groups, data->n_groups == 1 ? "group" : "networks or layers",
                  data->n_flagged, fit->model);
    put_figures(out, data, fit);
    put_rows(out, data, fit);
    ew_str_printf(out, "\nmean |error| in sample: %.1f %%\n", 100 * fit->in_sample_error);
    if (isfinite(fit->left_out_error)) {
        ew_str_printf(out, "mean |error| left out:  %.1f %%\n", 100 * fit->left_out_error);
    } else {
        ew_str_append(out, "mean |error| left out:  unknown, there is nothing to leave out\n");
    }
    if (isfinite(fit->coverage)) {
        put_bar(out, data, fit);
    }
}

void ew_compute_put_csv(struct ew_str *out, const struct ew_compute_data *data,
                        const struct ew_compute_fit *fit)
{
    ew_str_append(out, "model,layer,rows,measured_s,predicted_s,left_out_s\n");
    for (size_t i = 0; i < data->n_rows; i++) {
        const struct ew_compute_row *row = &data->rows[i];
        ew_str_printf(out, "%s,%s,%.0f,%.9g,%.9g,", row->model, row->layer ? row->layer : "",
                      row->n_rows, row->measured_s, row->measured_s * (1 + fit->in_sample[i]));
        if (isfinite(fit->left_out_error)) {
            ew_str_printf(out, "%.9g", row->measured_s * (1 + fit->left_out[i]));
        }
        ew_str_append(out, "\n");
    }
}
