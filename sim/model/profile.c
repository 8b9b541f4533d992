#include "model/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/layer_work.h"

/* Ranges that keep every sum finite: a graph has at most 2^31 elements per tensor. */
static const double MIN_RATE = 1.0;
static const double MAX_RATE = 1e24;
static const double MAX_SECONDS = 1e9;
static const double MAX_COEFFICIENT_S = 1e6;

enum { MAX_ROW_GRANULARITY = 65536, MAX_FALLBACK_DEPTH = 4 };

const char *ew_profile_kind_name(enum ew_profile_kind kind)
{
    static const char *const names[EW_PROFILE_KIND_COUNT] = {
        [EW_PROFILE_RATE] = "rate",
        [EW_PROFILE_CLASS_RATES] = "class_rates",
        [EW_PROFILE_REGRESSION] = "regression",
        [EW_PROFILE_STAIRCASE] = "staircase",
        [EW_PROFILE_TABLE] = "table",
        [EW_PROFILE_ADDITIVE] = "additive",
    };
    return names[kind];
}

enum ew_rate_class ew_rate_class_of(const struct ew_layer *layer)
{
    if (layer->op == EW_OP_FC) {
        return EW_RATE_FC;
    }
    if (layer->op == EW_OP_LINEAR || layer->op == EW_OP_MATMUL) {
        return EW_RATE_CONV_1X1; /* the same matrix product, in another layout */
    }
    const struct ew_op_attrs *a = &layer->attrs;
    if (a->groups > 1 && layer->n_inputs > 0 && a->groups == layer->in_shape[0][EW_C]) {
        return EW_RATE_DEPTHWISE;
    }
    if (a->kernel[0] == 1 && a->kernel[1] == 1) {
        return EW_RATE_CONV_1X1;
    }
    const bool is_3x3_s1 = a->kernel[0] == 3 && a->kernel[1] == 3 && a->stride[0] == 1 &&
                           a->stride[1] == 1 && a->dilation[0] == 1 && a->dilation[1] == 1 &&
                           a->groups <= 1;
    return is_3x3_s1 ? EW_RATE_CONV_3X3_S1 : EW_RATE_CONV_OTHER;
}

/* Work per rate; a rate of 0 means free. */
static double over_rate(double work, double rate_per_s)
{
    return rate_per_s > 0 ? work / rate_per_s : 0;
}

/* Elements, or rows times columns, of everything the piece reads. */
static double input_elements(const struct ew_cost_query *query, const struct ew_op_view *view)
{
    double sum = 0;
    for (uint32_t i = 0; i < view->n_inputs; i++) {
        const struct ew_box in = ew_op_input_box(view, i, &query->out, query->reduction);
        sum += (double)ew_box_volume(&in);
    }
    return sum;
}

static double pixels(const struct ew_box *box)
{
    return ew_box_is_empty(box)
               ? 0
               : (double)(box->hi[EW_H] - box->lo[EW_H]) * (double)(box->hi[EW_W] - box->lo[EW_W]);
}

static double input_pixels(const struct ew_cost_query *query, const struct ew_op_view *view)
{
    double sum = 0;
    for (uint32_t i = 0; i < view->n_inputs; i++) {
        const struct ew_box in = ew_op_input_box(view, i, &query->out, query->reduction);
        sum += pixels(&in);
    }
    return sum;
}

static double input_channels(const struct ew_cost_query *query, const struct ew_op_view *view)
{
    double sum = 0;
    for (uint32_t i = 0; i < view->n_inputs; i++) {
        const struct ew_box in = ew_op_input_box(view, i, &query->out, query->reduction);
        sum += ew_box_is_empty(&in) ? 0 : (double)(in.hi[EW_C] - in.lo[EW_C]);
    }
    return sum;
}

/* Edgent, Table I: (filter size / stride)^2 * number of filters, per axis. */
static double filter_feature(const struct ew_cost_query *query)
{
    const struct ew_op_attrs *a = &query->layer->attrs;
    if (query->layer->op != EW_OP_CONV || a->stride[0] < 1 || a->stride[1] < 1) {
        return 0;
    }
    const double filters = (double)(query->out.hi[EW_C] - query->out.lo[EW_C]);
    return (double)a->kernel[0] / a->stride[0] * ((double)a->kernel[1] / a->stride[1]) * filters;
}

static double weight_bytes(const struct ew_cost_query *query, const struct ew_op_view *view)
{
    return (double)ew_op_params_for(view, &query->out, query->reduction) *
           query->graph->bytes_per_element;
}

static double feature_value(enum ew_feature feature, const struct ew_cost_query *query,
                            const struct ew_op_view *view)
{
    switch (feature) {
    case EW_FEATURE_ONE:
        return 1;
    case EW_FEATURE_INPUT_ELEMENTS:
        return input_elements(query, view);
    case EW_FEATURE_INPUT_BYTES:
        return input_elements(query, view) * query->graph->bytes_per_element;
    case EW_FEATURE_INPUT_CHANNELS:
        return input_channels(query, view);
    case EW_FEATURE_OUTPUT_ELEMENTS:
        return (double)ew_box_volume(&query->out);
    case EW_FEATURE_OUTPUT_BYTES:
        return (double)ew_box_volume(&query->out) * query->graph->bytes_per_element;
    case EW_FEATURE_FILTER:
        return filter_feature(query);
    case EW_FEATURE_WEIGHT_BYTES:
        return weight_bytes(query, view);
    case EW_FEATURE_MACS:
        return (double)ew_op_macs(view, &query->out, query->reduction);
    case EW_FEATURE_INPUT_PIXELS:
        return input_pixels(query, view);
    case EW_FEATURE_OUTPUT_PIXELS:
        return pixels(&query->out);
    case EW_FEATURE_COUNT:
        break;
    }
    return 0;
}

static double regression_s(const struct ew_regression *regression,
                           const struct ew_cost_query *query, const struct ew_op_view *view)
{
    double sum_s = 0;
    for (uint32_t i = 0; i < regression->n_terms; i++) {
        const struct ew_term *term = &regression->terms[i];
        sum_s += term->coefficient_s * feature_value(term->feature, query, view);
    }
    return sum_s > 0 ? sum_s : 0;
}

/* Rows rounded up to the granularity, as a factor >= 1 on the work of a conv or pool. */
static double staircase_factor(const struct ew_profile *profile, const struct ew_cost_query *query,
                               enum ew_op_class op_class)
{
    if (profile->kind != EW_PROFILE_STAIRCASE || profile->row_granularity <= 1 ||
        (op_class != EW_CLASS_CONV && op_class != EW_CLASS_POOL)) {
        return 1;
    }
    const int64_t rows = (int64_t)query->out.hi[EW_H] - query->out.lo[EW_H];
    const int64_t step = profile->row_granularity;
    const int64_t padded = (rows + step - 1) / step * step;
    return (double)padded / (double)rows;
}

static double rate_for(const struct ew_profile *profile, const struct ew_layer *layer)
{
    const bool has_classes =
        profile->kind == EW_PROFILE_CLASS_RATES || profile->kind == EW_PROFILE_STAIRCASE;
    return has_classes ? profile->class_flops_per_s[ew_rate_class_of(layer)] : profile->flops_per_s;
}

/* Arithmetic at its rate (an fc no faster than its weights arrive), simple operations, bytes
 * touched, and the overhead when any of these took time. */
static double rated_s(const struct ew_profile *profile, const struct ew_cost_query *query,
                      const struct ew_op_view *view)
{
    const enum ew_op_class op_class = ew_op_class(query->layer->op);
    if (op_class == EW_CLASS_VIEW) {
        return 0;
    }
    double sum_s = 0;
    if (op_class == EW_CLASS_CONV || op_class == EW_CLASS_FC) {
        const double macs = (double)ew_op_macs(view, &query->out, query->reduction);
        sum_s = over_rate(2 * macs, rate_for(profile, query->layer));
        if (op_class == EW_CLASS_FC && profile->weight_bytes_per_s > 0) {
            sum_s = fmax(sum_s, weight_bytes(query, view) / profile->weight_bytes_per_s);
        }
    } else if (profile->simple_ops_per_s > 0) {
        sum_s = (double)ew_op_simple_ops(view, &query->out) / profile->simple_ops_per_s;
    }
    sum_s *= staircase_factor(profile, query, op_class);
    if (profile->activation_bytes_per_s > 0) {
        const double elements = input_elements(query, view) + (double)ew_box_volume(&query->out);
        sum_s += elements * query->graph->bytes_per_element / profile->activation_bytes_per_s;
    }
    return sum_s > 0 ? sum_s + profile->layer_overhead_s : 0;
}

/* Convolutions and fc by their work; of the others only simple operations, since what they move is
 * part of the convolutions' figures. */
static double additive_s(const struct ew_profile *profile, const struct ew_cost_query *query,
                         const struct ew_op_view *view)
{
    struct ew_layer_work work;
    if (ew_layer_work_of(&work, query)) {
        return ew_layer_work_s(profile, &work);
    }
    if (ew_op_class(query->layer->op) == EW_CLASS_VIEW || !(profile->simple_ops_per_s > 0)) {
        return 0;
    }
    const double sum_s = (double)ew_op_simple_ops(view, &query->out) / profile->simple_ops_per_s;
    return sum_s > 0 ? sum_s + profile->layer_overhead_s : 0;
}

static int compare_table_key(const struct ew_table_layer *entry, const char *graph,
                             const char *layer)
{
    const int by_graph = strcmp(entry->graph, graph);
    return by_graph ? by_graph : strcmp(entry->layer, layer);
}

static const struct ew_table_layer *find_table_layer(const struct ew_profile *profile,
                                                     const struct ew_cost_query *query)
{
    uint32_t lo = 0, hi = profile->n_table_layers;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        const struct ew_table_layer *entry = &profile->table_layers[mid];
        const int order = compare_table_key(entry, query->graph->name, query->layer->name);
        if (order == 0) {
            return entry;
        }
        if (order < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

/* Seconds for `rows` full rows: linear between measured points, the nearest segment extended
 * outside them, never below the smallest measurement scaled down to `rows`. */
static double interpolate_rows_s(const struct ew_table_layer *t, double rows)
{
    const double floor_s = t->seconds[0] * rows / t->rows[0];
    if (t->n == 1) {
        return floor_s;
    }
    uint32_t k = 1;
    while (k + 1 < t->n && t->rows[k] < rows) {
        k++;
    }
    const double slope_s = (t->seconds[k] - t->seconds[k - 1]) / (t->rows[k] - t->rows[k - 1]);
    const double value_s = t->seconds[k - 1] + slope_s * (rows - t->rows[k - 1]);
    const bool is_inside = rows >= t->rows[0] && rows <= t->rows[t->n - 1];
    return is_inside || value_s > floor_s ? value_s : floor_s;
}

static double table_s(const struct ew_table_layer *entry, const struct ew_cost_query *query,
                      const struct ew_op_view *view)
{
    const int32_t *shape = query->layer->shape;
    double share = (double)(query->out.hi[EW_N] - query->out.lo[EW_N]);
    share *= (double)(query->out.hi[EW_C] - query->out.lo[EW_C]) / (double)shape[EW_C];
    share *= (double)(query->out.hi[EW_W] - query->out.lo[EW_W]) / (double)shape[EW_W];
    if (query->reduction) {
        const int32_t length = ew_op_reduction_length(view);
        if (length > 0) {
            share *= (double)(query->reduction->hi - query->reduction->lo) / (double)length;
        }
    }
    const double rows = (double)(query->out.hi[EW_H] - query->out.lo[EW_H]);
    const double seconds = interpolate_rows_s(entry, rows) * share;
    return seconds > 0 ? seconds : 0;
}

static double nominal_s(const struct ew_profile *profile, const struct ew_cost_query *query)
{
    if (ew_box_is_empty(&query->out)) {
        return 0;
    }
    const struct ew_op_view view = ew_layer_view(query->layer);
    if (profile->kind == EW_PROFILE_REGRESSION) {
        const struct ew_regression *regression = &profile->regression[query->layer->op];
        if (regression->n_terms) {
            return regression_s(regression, query, &view);
        }
    } else if (profile->kind == EW_PROFILE_TABLE) {
        const struct ew_table_layer *entry = find_table_layer(profile, query);
        if (entry) {
            return table_s(entry, query, &view);
        }
        if (profile->fallback) {
            return nominal_s(profile->fallback, query);
        }
    }
    return profile->kind == EW_PROFILE_ADDITIVE ? additive_s(profile, query, &view)
                                                : rated_s(profile, query, &view);
}

double ew_cost_compute_s(const struct ew_profile *profile, const struct ew_cost_query *query)
{
    return nominal_s(profile, query) * profile->time_ratio;
}

/* Simple work that no layer hides: partial sums and format conversions. Without a rate of its own
 * it runs at the rate of a 1x1 convolution. */
static double simple_rate(const struct ew_profile *profile)
{
    if (profile->simple_ops_per_s > 0) {
        return profile->simple_ops_per_s;
    }
    if (profile->kind == EW_PROFILE_CLASS_RATES || profile->kind == EW_PROFILE_STAIRCASE ||
        profile->kind == EW_PROFILE_ADDITIVE) {
        return profile->class_flops_per_s[EW_RATE_CONV_1X1];
    }
    if (profile->kind == EW_PROFILE_TABLE && profile->fallback) {
        return simple_rate(profile->fallback);
    }
    return profile->flops_per_s;
}

double ew_cost_sum_s(const struct ew_profile *profile, uint64_t elements, uint32_t n_terms,
                     double bytes_per_element)
{
    if (elements == 0 || n_terms < 2) {
        return 0;
    }
    const double n = (double)elements;
    const double sum_s = over_rate(n * (n_terms - 1.0), simple_rate(profile));
    const double bytes = n * (n_terms + 1.0) * bytes_per_element;
    return sum_s + over_rate(bytes, profile->activation_bytes_per_s) + profile->layer_overhead_s;
}

double ew_cost_load_s(const struct ew_profile *profile, uint64_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    return profile->load_overhead_s + over_rate((double)bytes, profile->load_bytes_per_s);
}

double ew_cost_convert_s(const struct ew_profile *profile, uint64_t elements)
{
    return over_rate((double)elements, simple_rate(profile));
}

/* --- checks ---------------------------------------------------------------------------------- */

static enum ew_status check_rate(const struct ew_profile *profile, const char *field, double rate,
                                 bool may_be_zero, struct ew_error *err)
{
    if ((may_be_zero && rate == 0) || (rate >= MIN_RATE && rate <= MAX_RATE)) {
        return EW_OK;
    }
    return ew_fail(err, EW_EINPUT, "profile '%s': %s: expected %s%g .. %g, found %g", profile->name,
                   field, may_be_zero ? "0 or " : "", MIN_RATE, MAX_RATE, rate);
}

static enum ew_status check_seconds(const struct ew_profile *profile, const char *field,
                                    double seconds, struct ew_error *err)
{
    if (seconds >= 0 && seconds <= MAX_SECONDS) {
        return EW_OK;
    }
    return ew_fail(err, EW_EINPUT, "profile '%s': %s: expected 0 .. %g, found %g", profile->name,
                   field, MAX_SECONDS, seconds);
}

static enum ew_status check_common(const struct ew_profile *profile, struct ew_error *err)
{
    const struct {
        const char *field;
        double value;
    } rates[] = {
        {"simple_ops_per_s", profile->simple_ops_per_s},
        {"weight_bytes_per_s", profile->weight_bytes_per_s},
        {"activation_bytes_per_s", profile->activation_bytes_per_s},
        {"patch_bytes_per_s", profile->patch_bytes_per_s},
        {"load.bytes_per_s", profile->load_bytes_per_s},
    };
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < sizeof rates / sizeof *rates; i++) {
        status = check_rate(profile, rates[i].field, rates[i].value, true, err);
    }
    if (status == EW_OK) {
        status = check_seconds(profile, "layer_overhead_s", profile->layer_overhead_s, err);
    }
    if (status == EW_OK) {
        status = check_seconds(profile, "load.overhead_s", profile->load_overhead_s, err);
    }
    if (status == EW_OK && !isnan(profile->residual_ratio) &&
        !(profile->residual_ratio >= 0 && isfinite(profile->residual_ratio))) {
        status = ew_fail(err, EW_EINPUT, "profile '%s': residual_ratio: expected >= 0, found %g",
                         profile->name, profile->residual_ratio);
    }
    for (uint32_t i = 0; status == EW_OK && i < profile->n_residuals; i++) {
        if (!(profile->residuals[i] >= 1e-3 && profile->residuals[i] <= 1e3)) {
            status = ew_fail(err, EW_EINPUT,
                             "profile '%s': residuals[%u]: expected 0.001 .. 1000, found %g",
                             profile->name, i, profile->residuals[i]);
        }
    }
    const double *range = profile->range_macs;
    if (status == EW_OK && !(range[0] >= 0 && range[1] >= range[0] && isfinite(range[1]))) {
        status = ew_fail(err, EW_EINPUT,
                         "profile '%s': range_macs: expected 0 <= least <= most, found %g, %g",
                         profile->name, range[0], range[1]);
    }
    return status;
}

static enum ew_status check_classes(const struct ew_profile *profile, bool may_be_zero,
                                    struct ew_error *err)
{
    static const char *const fields[EW_RATE_COUNT] = {
        "class_flops_per_s.conv_3x3_s1", "class_flops_per_s.conv_1x1",
        "class_flops_per_s.conv_other",  "class_flops_per_s.depthwise",
        "class_flops_per_s.fc",
    };
    enum ew_status status = EW_OK;
    for (int i = 0; status == EW_OK && i < EW_RATE_COUNT; i++) {
        status = check_rate(profile, fields[i], profile->class_flops_per_s[i], may_be_zero, err);
    }
    return status;
}

static enum ew_status check_regression(const struct ew_profile *profile, struct ew_error *err)
{
    const bool needs_rate =
        profile->regression[EW_OP_CONV].n_terms == 0 || profile->regression[EW_OP_FC].n_terms == 0;
    enum ew_status status = check_rate(profile, "flops_per_s (for conv or fc without a regression)",
                                       profile->flops_per_s, !needs_rate, err);
    for (int op = 0; status == EW_OK && op < EW_OP_COUNT; op++) {
        const struct ew_regression *r = &profile->regression[op];
        for (uint32_t i = 0; status == EW_OK && i < r->n_terms; i++) {
            if (!(fabs(r->terms[i].coefficient_s) <= MAX_COEFFICIENT_S) ||
                (unsigned)r->terms[i].feature >= EW_FEATURE_COUNT) {
                status =
                    ew_fail(err, EW_EINPUT,
                            "profile '%s': regression.%s term %u: expected a known feature and "
                            "a coefficient_s within +-%g, found %g",
                            profile->name, ew_op_name((enum ew_op)op), i, MAX_COEFFICIENT_S,
                            r->terms[i].coefficient_s);
            }
        }
    }
    return status;
}

static enum ew_status check_table_layer(const struct ew_profile *profile,
                                        const struct ew_table_layer *t, struct ew_error *err)
{
    if (!t->graph || !t->layer || t->n < 1) {
        return ew_fail(err, EW_EINPUT,
                       "profile '%s': table: an entry needs a graph, a layer and at least one row",
                       profile->name);
    }
    for (uint32_t i = 0; i < t->n; i++) {
        const double least = i ? t->rows[i - 1] : 0;
        if (!(t->rows[i] > least && t->rows[i] <= EW_GRAPH_MAX_DIM) ||
            t->rows[i] != floor(t->rows[i])) {
            return ew_fail(err, EW_EINPUT,
                           "profile '%s': table %s/%s rows[%u]: expected ascending whole numbers "
                           "up to %d, found %g after %g",
                           profile->name, t->graph, t->layer, i, EW_GRAPH_MAX_DIM, t->rows[i],
                           least);
        }
        if (!(t->seconds[i] >= 0 && t->seconds[i] <= MAX_SECONDS)) {
            return ew_fail(err, EW_EINPUT,
                           "profile '%s': table %s/%s seconds[%u]: expected 0 .. %g, found %g",
                           profile->name, t->graph, t->layer, i, MAX_SECONDS, t->seconds[i]);
        }
    }
    return EW_OK;
}

static enum ew_status check_table(const struct ew_profile *profile, struct ew_error *err)
{
    if (profile->n_table_layers == 0) {
        return ew_fail(err, EW_EINPUT, "profile '%s': table: expected at least one entry",
                       profile->name);
    }
    enum ew_status status = check_rate(profile, "flops_per_s (or a fallback)", profile->flops_per_s,
                                       profile->fallback != NULL, err);
    for (uint32_t i = 0; status == EW_OK && i < profile->n_table_layers; i++) {
        const struct ew_table_layer *t = &profile->table_layers[i];
        status = check_table_layer(profile, t, err);
        if (status == EW_OK && i > 0 && compare_table_key(t - 1, t->graph, t->layer) >= 0) {
            status = ew_fail(err, EW_EINPUT,
                             "profile '%s': table: expected one entry per layer, sorted by graph "
                             "and layer, found %s/%s after %s/%s",
                             profile->name, t->graph, t->layer, t[-1].graph, t[-1].layer);
        }
    }
    return status;
}

static enum ew_status check_profile(const struct ew_profile *profile, int depth,
                                    struct ew_error *err)
{
    if (!profile->name || !*profile->name) {
        return ew_fail(err, EW_EINPUT, "profile: expected a name");
    }
    enum ew_status status = check_common(profile, err);
    if (status != EW_OK) {
        return status;
    }
    switch (profile->kind) {
    case EW_PROFILE_RATE:
        return check_rate(profile, "flops_per_s", profile->flops_per_s, false, err);
    case EW_PROFILE_CLASS_RATES:
        return check_classes(profile, false, err);
    case EW_PROFILE_ADDITIVE:
    case EW_PROFILE_STAIRCASE:
        if (profile->row_granularity < 1 || profile->row_granularity > MAX_ROW_GRANULARITY) {
            return ew_fail(err, EW_EINPUT,
                           "profile '%s': row_granularity: expected 1 .. %d, found %d",
                           profile->name, MAX_ROW_GRANULARITY, profile->row_granularity);
        }
        return check_classes(profile, profile->kind == EW_PROFILE_ADDITIVE, err);
    case EW_PROFILE_REGRESSION:
        return check_regression(profile, err);
    case EW_PROFILE_TABLE:
        status = check_table(profile, err);
        if (status == EW_OK && profile->fallback) {
            status = depth < MAX_FALLBACK_DEPTH
                         ? check_profile(profile->fallback, depth + 1, err)
                         : ew_fail(err, EW_EINPUT, "profile '%s': fallbacks nested deeper than %d",
                                   profile->name, MAX_FALLBACK_DEPTH);
        }
        return status;
    case EW_PROFILE_KIND_COUNT:
        break;
    }
    return ew_fail(err, EW_EINPUT, "profile '%s': unknown kind %d", profile->name,
                   (int)profile->kind);
}

enum ew_status ew_profile_check(const struct ew_profile *profile, struct ew_error *err)
{
    return check_profile(profile, 0, err);
}

struct ew_profile *ew_profile_make_rate(const char *name, double flops_per_s)
{
    struct ew_profile *profile = calloc(1, sizeof *profile);
    if (!profile) {
        return NULL;
    }
    profile->kind = EW_PROFILE_RATE;
    profile->flops_per_s = flops_per_s;
    profile->row_granularity = 1;
    profile->time_ratio = 1;
    profile->residual_ratio = NAN;
    profile->path = "";
    profile->source = "";
    profile->confidence = "";
    profile->name = ew_arena_strdup(&profile->arena, name);
    if (!profile->name) {
        ew_profile_free(profile);
        return NULL;
    }
    return profile;
}

void ew_profile_free(struct ew_profile *profile)
{
    while (profile) {
        struct ew_profile *fallback = (struct ew_profile *)(uintptr_t)profile->fallback;
        ew_arena_fini(&profile->arena);
        free(profile);
        profile = fallback;
    }
}
