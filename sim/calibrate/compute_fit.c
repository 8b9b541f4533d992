#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/compute.h"
#include "model/spread.h"

/* Granularities that are tried where parts of layers were measured. */
static const int32_t GRANULARITIES[] = {1, 2, 4, 8, 16, 32};

/* A candidate replaces the one before when its error is smaller by this factor: the choice must not
 * follow noise, of which there is the less the more rows there are. 0.9 with 25 rows. */
static double worth_it(size_t n_rows)
{
    return 1 - 0.5 / sqrt((double)n_rows);
}

/* Two models: with and without patches. Their mean is the third; it often does better than both on
 * networks not seen. Being linear with figures >= 0, it is a model of the same form. Where fewer
 * rows than figures leave some of them open, least squares makes these 0, free, which no other
 * network would forgive; there one rate for all layers comes first. */
enum { WITHOUT = 1, WITH = 2, POOLED = 4, N_POOLED = 2 };
static const struct candidate {
    const char *name;
    int parts;
} CANDIDATES[] = {
    {"one rate for all layers", POOLED},
    {"mean of the fits with and without patches", WITHOUT | WITH},
    {"with patches", WITH},
    {"without patches", WITHOUT},
};

enum { N_CANDIDATES = sizeof CANDIDATES / sizeof *CANDIDATES };

struct fitter {
    const struct ew_compute_data *data;
    const struct ew_lapack *lapack;
    struct ew_fit fit;
    double *amounts;
    double *pooled; /* per row: all FLOPs, layers */
    double *measured;
    double *known;
    size_t *groups;
    bool is_open; /* the rows leave figures open */
};

void ew_compute_amounts(double amounts[EW_COMPUTE_COLUMNS], const struct ew_compute_data *data,
                        size_t row, int32_t granularity)
{
    memset(amounts, 0, EW_COMPUTE_COLUMNS * sizeof *amounts);
    for (size_t i = data->first_work[row]; i < data->first_work[row + 1]; i++) {
        const struct ew_layer_work *work = &data->work[i];
        const bool is_shared = !data->has_layers && (work->rate_class == EW_RATE_DEPTHWISE ||
                                                     work->rate_class == EW_RATE_FC);
        const double padding =
            work->rate_class == EW_RATE_FC ? 1 : ew_layer_work_padding(work->rows, granularity);
        amounts[is_shared ? EW_RATE_CONV_1X1 : work->rate_class] += 2 * work->macs * padding;
        amounts[EW_COMPUTE_WEIGHTS] += work->weight_bytes;
        amounts[EW_COMPUTE_ACTIVATIONS] += work->activation_bytes;
        amounts[EW_COMPUTE_PATCHES] += work->patch_bytes;
        amounts[EW_COMPUTE_LAYERS] += 1;
    }
}

static void use_columns(bool is_used[EW_COMPUTE_COLUMNS], const struct ew_compute_data *data,
                        bool has_patches)
{
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        is_used[j] = true;
    }
    is_used[EW_RATE_DEPTHWISE] = is_used[EW_RATE_FC] = data->has_layers;
    is_used[EW_COMPUTE_PATCHES] = has_patches;
    is_used[EW_COMPUTE_WEIGHTS] = !(data->weight_s_per_byte > 0);
}

/* Figures with or without patches, without one group. */
static enum ew_status solve_part(double *x, struct fitter *f, int part, size_t without,
                                 struct ew_error *err)
{
    bool is_used[EW_COMPUTE_COLUMNS];
    use_columns(is_used, f->data, part == WITH);
    f->fit.is_used = is_used;
    const enum ew_status status = ew_fit_solve(x, f->lapack, &f->fit, without, err);
    f->fit.is_used = NULL;
    return status;
}

/* The same rows with two figures. */
static struct ew_fit pooled_fit(const struct fitter *f)
{
    struct ew_fit fit = f->fit;
    fit.n_columns = N_POOLED;
    fit.amounts = f->pooled;
    fit.is_used = NULL;
    return fit;
}

static void spread_pooled(double *x, const double pooled[N_POOLED])
{
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        x[j] = j < EW_RATE_COUNT ? pooled[0] : j == EW_COMPUTE_LAYERS ? pooled[1] : 0;
    }
}

/* Figures of a candidate from its parts. */
struct parts {
    double without[EW_COMPUTE_COLUMNS], with[EW_COMPUTE_COLUMNS], pooled[EW_COMPUTE_COLUMNS];
};

static enum ew_status solve_parts(struct parts *p, struct fitter *f, int parts, size_t group,
                                  struct ew_error *err)
{
    enum ew_status status = EW_OK;
    *p = (struct parts){0};
    if (parts & WITHOUT) {
        status = solve_part(p->without, f, WITHOUT, group, err);
    }
    if (status == EW_OK && (parts & WITH)) {
        status = solve_part(p->with, f, WITH, group, err);
    }
    if (status == EW_OK && (parts & POOLED)) {
        const struct ew_fit fit = pooled_fit(f);
        double x[N_POOLED] = {0};
        status = ew_fit_solve(x, f->lapack, &fit, group, err);
        spread_pooled(p->pooled, x);
    }
    return status;
}

static void mix(double *x, int parts, const struct parts *p)
{
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        x[j] = parts == POOLED    ? p->pooled[j]
               : parts == WITH    ? p->with[j]
               : parts == WITHOUT ? p->without[j]
                                  : (p->without[j] + p->with[j]) / 2;
    }
}

static bool is_allowed(const struct fitter *f, size_t candidate)
{
    return f->is_open || CANDIDATES[candidate].parts != POOLED;
}

/* Relative errors of all rows with all candidates, each with its group left out. */
static enum ew_status leave_out(double *const errors[], struct fitter *f, struct ew_error *err)
{
    const int parts = WITHOUT | WITH | (f->is_open ? POOLED : 0);
    enum ew_status status = EW_OK;
    for (size_t g = 0; status == EW_OK && g < f->data->n_groups; g++) {
        struct parts p;
        double x[EW_COMPUTE_COLUMNS];
        status = solve_parts(&p, f, parts, g, err);
        for (size_t c = 0; status == EW_OK && c < N_CANDIDATES; c++) {
            mix(x, CANDIDATES[c].parts, &p);
            for (size_t i = 0; i < f->fit.n_rows; i++) {
                if (f->groups[i] == g) {
                    errors[c][i] = ew_fit_predict(&f->fit, x, i) / f->measured[i] - 1;
                }
            }
        }
    }
    return status;
}

static double mean_abs(const double *errors, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += fabs(errors[i]);
    }
    return sum / (double)n;
}

static void fill_amounts(struct fitter *f, int32_t granularity)
{
    for (size_t i = 0; i < f->fit.n_rows; i++) {
        double *amounts = &f->amounts[i * EW_COMPUTE_COLUMNS];
        double *pooled = &f->pooled[i * N_POOLED];
        ew_compute_amounts(amounts, f->data, i, granularity);
        pooled[0] = 0;
        for (size_t c = 0; c < EW_RATE_COUNT; c++) {
            pooled[0] += amounts[c];
        }
        pooled[1] = amounts[EW_COMPUTE_LAYERS];
        f->known[i] = amounts[EW_COMPUTE_WEIGHTS] * f->data->weight_s_per_byte;
    }
}

/* The granularity whose fit has the smallest error on the rows it was made from; coarser only when
 * worth it. */
static enum ew_status choose_granularity(int32_t *out, struct fitter *f, struct ew_error *err)
{
    double least = INFINITY;
    enum ew_status status = EW_OK;
    *out = 1;
    for (size_t k = 0; k < sizeof GRANULARITIES / sizeof *GRANULARITIES; k++) {
        double x[EW_COMPUTE_COLUMNS], sum = 0;
        fill_amounts(f, GRANULARITIES[k]);
        status = solve_part(x, f, WITH, EW_FIT_ALL, err);
        if (status != EW_OK || !f->data->has_parts) {
            return status;
        }
        for (size_t i = 0; i < f->fit.n_rows; i++) {
            sum += fabs(ew_fit_predict(&f->fit, x, i) / f->measured[i] - 1);
        }
        if (sum < worth_it(f->fit.n_rows) * least) {
            least = sum;
            *out = GRANULARITIES[k];
        }
    }
    fill_amounts(f, *out);
    return status;
}

static enum ew_status use_candidate(struct ew_compute_fit *out, struct fitter *f, size_t candidate,
                                    struct ew_error *err)
{
    struct parts p;
    const int parts = CANDIDATES[candidate].parts;
    out->model = CANDIDATES[candidate].name;
    out->is_pooled = parts == POOLED;
    use_columns(out->is_used, f->data, parts != WITHOUT && parts != POOLED);
    if (out->is_pooled) {
        out->is_used[EW_COMPUTE_WEIGHTS] = out->is_used[EW_COMPUTE_ACTIVATIONS] = false;
    }
    const enum ew_status status = solve_parts(&p, f, parts, EW_FIT_ALL, err);
    mix(out->x, parts, &p);
    return status;
}

/* Does a class that rows have take no time? */
static bool has_free_class(const double *x, const struct fitter *f)
{
    for (size_t c = 0; c < EW_RATE_COUNT; c++) {
        for (size_t i = 0; i < f->fit.n_rows && x[c] <= 0; i++) {
            if (f->amounts[i * EW_COMPUTE_COLUMNS + c] > 0) {
                return true;
            }
        }
    }
    return false;
}

static enum ew_status choose_model(struct ew_compute_fit *out, struct fitter *f,
                                   struct ew_error *err)
{
    const size_t n = f->fit.n_rows;
    const bool can_leave_out = f->data->n_groups > 1;
    double *room = calloc(N_CANDIDATES * n, sizeof *room);
    double *errors[N_CANDIDATES];
    enum ew_status status = room ? EW_OK : ew_fail_memory(err);
    size_t best = can_leave_out ? N_CANDIDATES : f->is_open ? 0 : 1;
    for (size_t c = 0; c < N_CANDIDATES; c++) {
        errors[c] = room ? room + c * n : NULL;
    }
    if (status == EW_OK && can_leave_out) {
        status = leave_out(errors, f, err);
    }
    for (size_t c = 0; status == EW_OK && can_leave_out && c < N_CANDIDATES; c++) {
        const double error = mean_abs(errors[c], n);
        if (!is_allowed(f, c)) {
            continue;
        }
        if (best == N_CANDIDATES || error < worth_it(n) * out->left_out_error) {
            best = c;
            out->left_out_error = error;
            memcpy(out->left_out, errors[c], n * sizeof **errors);
        }
    }
    if (status == EW_OK) {
        status = use_candidate(out, f, best, err);
    }
    if (status == EW_OK && f->is_open && best != 0 && has_free_class(out->x, f)) {
        out->left_out_error = can_leave_out ? mean_abs(errors[0], n) : NAN;
        memcpy(out->left_out, errors[0], n * sizeof **errors);
        status = use_candidate(out, f, 0, err);
    }
    free(room);
    return status;
}

/* For each left-out row: is it inside the bar that the other rows' ratios make around its
 * prediction? */
static enum ew_status find_coverage(struct ew_compute_fit *out, size_t n, struct ew_error *err)
{
    double *others = calloc(n, sizeof *others);
    if (!others) {
        return ew_fail_memory(err);
    }
    size_t inside = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        for (size_t j = 0; j < n; j++) {
            if (j != i) {
                others[k++] = 1 / (1 + out->left_out[j]);
            }
        }
        ew_spread_sort(others, k);
        const double ratio = 1 / (1 + out->left_out[i]);
        inside += ratio >= ew_spread_quantile(others, k, (1 - EW_SPREAD_SHARE) / 2) &&
                  ratio <= ew_spread_quantile(others, k, (1 + EW_SPREAD_SHARE) / 2);
    }
    out->coverage = (double)inside / (double)n;
    free(others);
    return EW_OK;
}

static enum ew_status check_data(const struct ew_compute_data *data, struct ew_error *err)
{
    if (data->n_rows < 2) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected at least two usable rows, found %zu (%zu left out)",
                       data->path, data->n_rows, data->n_flagged);
    }
    if (data->n_groups == 1 && !data->has_parts) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected different networks or layers, found '%s' in all %zu rows "
                       "(lines %zu .. %zu)",
                       data->path, data->rows[0].model, data->n_rows, data->rows[0].line,
                       data->rows[data->n_rows - 1].line);
    }
    for (size_t i = 1; i < data->n_rows; i++) {
        if (data->rows[i].measured_s != data->rows[0].measured_s) {
            return EW_OK;
        }
    }
    return ew_fail(err, EW_EINPUT,
                   "%s: expected times that differ, found %g s in all %zu rows (lines %zu .. %zu)",
                   data->path, data->rows[0].measured_s, data->n_rows, data->rows[0].line,
                   data->rows[data->n_rows - 1].line);
}

/* Do the rows determine less than there are figures? */
static enum ew_status find_open(struct fitter *f, struct ew_error *err)
{
    struct ew_fit_rank rank = {0};
    bool is_used[EW_COMPUTE_COLUMNS];
    use_columns(is_used, f->data, false);
    f->fit.is_used = is_used;
    const enum ew_status status = ew_fit_rank(&rank, f->lapack, &f->fit, err);
    f->fit.is_used = NULL;
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        f->is_open = f->is_open || rank.is_mixed[j];
    }
    return status;
}

static enum ew_status find_rank(struct ew_compute_fit *out, struct fitter *f, struct ew_error *err)
{
    if (!out->is_pooled) {
        f->fit.is_used = out->is_used;
        return ew_fit_rank(&out->rank, f->lapack, &f->fit, err);
    }
    const struct ew_fit fit = pooled_fit(f);
    struct ew_fit_rank rank = {0};
    const enum ew_status status = ew_fit_rank(&rank, f->lapack, &fit, err);
    out->rank = (struct ew_fit_rank){.rank = rank.rank, .condition = rank.condition};
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        const size_t from = j < EW_RATE_COUNT ? 0 : 1;
        if (j < EW_RATE_COUNT || j == EW_COMPUTE_LAYERS) {
            out->rank.is_mixed[j] = rank.is_mixed[from];
            out->rank.error[j] = rank.error[from];
        }
    }
    return status;
}

/* A class that no row has is not free: it gets the rate of all FLOPs together. */
static void fill_absent_classes(struct ew_compute_fit *out, const struct fitter *f)
{
    double flops = 0, seconds = 0;
    for (size_t i = 0; i < f->fit.n_rows; i++) {
        for (size_t c = 0; c < EW_RATE_COUNT; c++) {
            flops += f->amounts[i * EW_COMPUTE_COLUMNS + c];
            seconds += f->amounts[i * EW_COMPUTE_COLUMNS + c] * out->x[c];
        }
    }
    for (size_t c = 0; c < EW_RATE_COUNT && flops > 0; c++) {
        if (out->is_used[c] && out->rank.is_absent[c]) {
            out->x[c] = seconds / flops;
        }
    }
}

/* A profile in which neither FLOPs nor bytes take time is none. */
static enum ew_status check_rates(const struct ew_compute_fit *out,
                                  const struct ew_compute_data *data, struct ew_error *err)
{
    for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
        if (j != EW_COMPUTE_LAYERS && out->x[j] > 0) {
            return EW_OK;
        }
    }
    return ew_fail(err, EW_EINPUT,
                   "%s: expected times that grow with the work, found none in lines %zu .. %zu",
                   data->path, data->rows[0].line, data->rows[data->n_rows - 1].line);
}

static enum ew_status fit_data(struct ew_compute_fit *out, struct fitter *f, struct ew_error *err)
{
    enum ew_status status = choose_granularity(&out->row_granularity, f, err);
    if (status == EW_OK) {
        status = find_open(f, err);
    }
    if (status == EW_OK) {
        status = choose_model(out, f, err);
    }
    if (status == EW_OK) {
        status = find_rank(out, f, err);
    }
    if (status == EW_OK) {
        fill_absent_classes(out, f);
        status = check_rates(out, f->data, err);
    }
    for (size_t i = 0; status == EW_OK && i < f->fit.n_rows; i++) {
        out->in_sample[i] = ew_fit_predict(&f->fit, out->x, i) / f->measured[i] - 1;
    }
    if (status == EW_OK && f->data->weight_s_per_byte > 0) {
        out->x[EW_COMPUTE_WEIGHTS] = f->data->weight_s_per_byte;
    }
    if (status == EW_OK) {
        out->in_sample_error = mean_abs(out->in_sample, f->fit.n_rows);
        /* normal errors: mean |e| = sd * sqrt(2 / pi); degrees of freedom as in least squares */
        const double n = (double)f->fit.n_rows, free_rows = n - (double)out->rank.rank;
        const double deviation =
            free_rows > 0 ? out->in_sample_error * 1.2533 * sqrt(n / free_rows) : 0;
        for (size_t j = 0; j < EW_COMPUTE_COLUMNS; j++) {
            out->x_error[j] = deviation * out->rank.error[j];
        }
        if (f->data->n_groups > 2) {
            status = find_coverage(out, f->fit.n_rows, err);
        }
    }
    return status;
}

enum ew_status ew_compute_fit(struct ew_compute_fit *out, const struct ew_compute_data *data,
                              const struct ew_lapack *lapack, struct ew_error *err)
{
    enum ew_status status = check_data(data, err);
    if (status != EW_OK) {
        return status;
    }
    const size_t n = data->n_rows;
    struct fitter f = {.data = data, .lapack = lapack};
    struct ew_compute_fit fit = {.left_out_error = NAN, .coverage = NAN};
    f.amounts = calloc(n * EW_COMPUTE_COLUMNS, sizeof *f.amounts);
    f.pooled = calloc(n * N_POOLED, sizeof *f.pooled);
    f.measured = calloc(n, sizeof *f.measured);
    f.groups = calloc(n, sizeof *f.groups);
    f.known = calloc(n, sizeof *f.known);
    fit.in_sample = calloc(n, sizeof *fit.in_sample);
    fit.left_out = calloc(n, sizeof *fit.left_out);
    if (!f.amounts || !f.pooled || !f.measured || !f.groups || !f.known || !fit.in_sample ||
        !fit.left_out) {
        status = ew_fail_memory(err);
    }
    for (size_t i = 0; status == EW_OK && i < n; i++) {
        f.measured[i] = data->rows[i].measured_s;
        f.groups[i] = data->rows[i].group;
    }
    f.fit = (struct ew_fit){.n_rows = n,
                            .n_columns = EW_COMPUTE_COLUMNS,
                            .amounts = f.amounts,
                            .measured = f.measured,
                            .known = f.known,
                            .groups = f.groups};
    if (status == EW_OK) {
        status = fit_data(&fit, &f, err);
    }
    free(f.amounts);
    free(f.pooled);
    free(f.measured);
    free(f.groups);
    free(f.known);
    if (status == EW_OK) {
        *out = fit;
    } else {
        ew_compute_fit_fini(&fit);
    }
    return status;
}

void ew_compute_fit_fini(struct ew_compute_fit *fit)
{
    free(fit->in_sample);
    free(fit->left_out);
    *fit = (struct ew_compute_fit){0};
}
