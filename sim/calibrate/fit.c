#include "calibrate/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reweighting: relative errors below SMALL count as squares, above as absolute values. */
enum { REWEIGHTINGS = 15, MAX_STEPS = 300 };
static const double SMALL = 0.03;
/* Keeps collinear columns apart without moving figures that the rows determine. */
static const double RIDGE = 1e-5;
static const double NO_GAIN = 1e-9;
static const double RANK_TOLERANCE = 1e-6;

/* The problem with rows divided by what was measured and columns scaled to mean 1. */
struct scaled {
    const struct ew_lapack *lapack;
    size_t n, p;
    double *a;      /* [n * p] */
    double *weight; /* per row: square root of the present weight times the given one */
    double *given;
    double *target;       /* per row: what is left to fit, over what was measured */
    double *left, *right; /* room for one least squares problem: [(n + p) * p], [n + p] */
    double scale[EW_FIT_MAX_COLUMNS];
    size_t columns[EW_FIT_MAX_COLUMNS];
};

static void release(struct scaled *s)
{
    free(s->a);
    free(s->weight);
    free(s->given);
    free(s->target);
    free(s->left);
    free(s->right);
}

static bool is_out(const struct ew_fit *fit, size_t row, size_t without)
{
    return without != EW_FIT_ALL && (fit->groups ? fit->groups[row] : row) == without;
}

static enum ew_status prepare(struct scaled *s, const struct ew_lapack *lapack,
                              const struct ew_fit *fit, size_t without, struct ew_error *err)
{
    const size_t n = fit->n_rows, p = fit->n_columns;
    *s = (struct scaled){.lapack = lapack};
    s->a = calloc(n * p + 1, sizeof *s->a);
    s->weight = calloc(n + 1, sizeof *s->weight);
    s->given = calloc(n + 1, sizeof *s->given);
    s->target = calloc(n + 1, sizeof *s->target);
    s->left = calloc((n + p) * p + 1, sizeof *s->left);
    s->right = calloc(n + p + 1, sizeof *s->right);
    if (!s->a || !s->weight || !s->given || !s->target || !s->left || !s->right) {
        release(s);
        return ew_fail_memory(err);
    }
    for (size_t j = 0; j < p; j++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += is_out(fit, i, without) ? 0 : fit->amounts[i * p + j] / fit->measured[i];
        }
        if ((!fit->is_used || fit->is_used[j]) && sum > 0) {
            s->scale[s->p] = (double)n / sum;
            s->columns[s->p++] = j;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (is_out(fit, i, without)) {
            continue;
        }
        for (size_t k = 0; k < s->p; k++) {
            s->a[s->n * s->p + k] =
                fit->amounts[i * p + s->columns[k]] / fit->measured[i] * s->scale[k];
        }
        s->target[s->n] = 1 - (fit->known ? fit->known[i] / fit->measured[i] : 0);
        s->given[s->n++] = fit->weights ? fit->weights[i] : 1;
    }
    if (s->n == 0) {
        release(s);
        return ew_fail(err, EW_EINPUT, "expected at least one row to fit, found none");
    }
    return EW_OK;
}

/* Least squares over the columns in `set`; z of the others is 0. */
static bool solve_set(struct scaled *s, const bool *set, double *z)
{
    size_t column[EW_FIT_MAX_COLUMNS], k = 0;
    for (size_t j = 0; j < s->p; j++) {
        z[j] = 0;
        if (set[j]) {
            column[k++] = j;
        }
    }
    memset(s->left, 0, (s->n + k) * k * sizeof *s->left);
    for (size_t i = 0; i < s->n; i++) {
        for (size_t c = 0; c < k; c++) {
            s->left[i * k + c] = s->weight[i] * s->a[i * s->p + column[c]];
        }
        s->right[i] = s->weight[i] * s->target[i];
    }
    for (size_t c = 0; c < k; c++) {
        s->left[(s->n + c) * k + c] = RIDGE * sqrt((double)s->n);
        s->right[s->n + c] = 0;
    }
    if (!ew_lapack_least_squares(s->lapack, s->left, s->right, s->n + k, k)) {
        return false;
    }
    for (size_t c = 0; c < k; c++) {
        z[column[c]] = s->right[c];
    }
    return true;
}

static double error_of(const struct scaled *s, const double *z, size_t row)
{
    double sum = -s->target[row];
    for (size_t j = 0; j < s->p; j++) {
        sum += s->a[row * s->p + j] * z[j];
    }
    return sum;
}

/* The column outside the set that would help most, or p. */
static size_t best_column(const struct scaled *s, const bool *set, const double *z)
{
    size_t best = s->p;
    double most = NO_GAIN * (double)s->n;
    for (size_t j = 0; j < s->p; j++) {
        double gain = 0;
        for (size_t i = 0; !set[j] && i < s->n; i++) {
            gain -= s->weight[i] * s->weight[i] * s->a[i * s->p + j] * error_of(s, z, i);
        }
        if (gain > most) {
            most = gain;
            best = j;
        }
    }
    return best;
}

/* Walk from z towards `wanted` until a figure would fall below 0; that one leaves the set. */
static bool step_back(const struct scaled *s, bool *set, double *z, const double *wanted)
{
    double share = 1;
    size_t first = s->p;
    for (size_t j = 0; j < s->p; j++) {
        if (set[j] && wanted[j] <= 0) {
            const double at = z[j] > 0 ? z[j] / (z[j] - wanted[j]) : 0;
            if (first == s->p || at < share) {
                share = at;
                first = j;
            }
        }
    }
    if (first == s->p) {
        memcpy(z, wanted, s->p * sizeof *z);
        return false;
    }
    for (size_t j = 0; j < s->p; j++) {
        z[j] += share * (wanted[j] - z[j]);
    }
    set[first] = false;
    z[first] = 0;
    return true;
}

/* Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23, from a feasible z whose
 * positive figures are those of `set`: with weights a little different, little of both changes. */
static void solve_non_negative(struct scaled *s, bool *set, double *z)
{
    double wanted[EW_FIT_MAX_COLUMNS] = {0};
    bool is_warm = false;
    for (size_t j = 0; j < s->p; j++) {
        is_warm = is_warm || set[j];
    }
    for (int steps = 0; steps < MAX_STEPS; is_warm = false) {
        const size_t best = is_warm ? 0 : best_column(s, set, z);
        if (best == s->p) {
            return;
        }
        set[best] = is_warm ? set[best] : true;
        do {
            if (!solve_set(s, set, wanted)) {
                return;
            }
            steps++;
        } while (step_back(s, set, z, wanted) && steps < MAX_STEPS);
    }
}

enum ew_status ew_fit_solve(double *x, const struct ew_lapack *lapack, const struct ew_fit *fit,
                            size_t without, struct ew_error *err)
{
    struct scaled s;
    const enum ew_status status = prepare(&s, lapack, fit, without, err);
    if (status != EW_OK) {
        return status;
    }
    double z[EW_FIT_MAX_COLUMNS] = {0};
    bool set[EW_FIT_MAX_COLUMNS] = {false};
    for (size_t i = 0; i < s.n; i++) {
        s.weight[i] = sqrt(s.given[i]);
    }
    for (int k = 0; k < REWEIGHTINGS; k++) {
        solve_non_negative(&s, set, z);
        for (size_t i = 0; i < s.n; i++) {
            s.weight[i] = sqrt(s.given[i] / fmax(fabs(error_of(&s, z, i)), SMALL));
        }
    }
    memset(x, 0, fit->n_columns * sizeof *x);
    for (size_t j = 0; j < s.p; j++) {
        x[s.columns[j]] = z[j] * s.scale[j];
    }
    release(&s);
    return EW_OK;
}

double ew_fit_predict(const struct ew_fit *fit, const double *x, size_t row)
{
    double sum = fit->known ? fit->known[row] : 0;
    for (size_t j = 0; j < fit->n_columns; j++) {
        sum += fit->amounts[row * fit->n_columns + j] * x[j];
    }
    return sum;
}

enum ew_status ew_fit_rank(struct ew_fit_rank *out, const struct ew_lapack *lapack,
                           const struct ew_fit *fit, struct ew_error *err)
{
    struct scaled s;
    enum ew_status status = prepare(&s, lapack, fit, EW_FIT_ALL, err);
    if (status != EW_OK) {
        return status;
    }
    *out = (struct ew_fit_rank){.condition = 1};
    for (size_t j = 0; j < fit->n_columns; j++) {
        out->is_absent[j] = !fit->is_used || fit->is_used[j];
    }
    for (size_t k = 0; k < s.p; k++) {
        out->is_absent[s.columns[k]] = false;
    }
    double values[EW_FIT_MAX_COLUMNS] = {0};
    double vt[EW_FIT_MAX_COLUMNS * EW_FIT_MAX_COLUMNS] = {0};
    memset(s.left, 0, (s.n + s.p) * s.p * sizeof *s.left);
    memcpy(s.left, s.a, s.n * s.p * sizeof *s.left);
    if (s.p > 0 && !ew_lapack_singular(lapack, s.left, s.n + s.p, s.p, values, vt)) {
        status = ew_fail(err, EW_EINPUT, "cannot find the singular values of the data");
    }
    for (size_t k = 0; status == EW_OK && k < s.p; k++) {
        if (values[k] > RANK_TOLERANCE * values[0]) {
            out->rank++;
            out->condition = values[0] / values[k];
            for (size_t j = 0; j < s.p; j++) {
                const double part = vt[k * s.p + j] / values[k] * s.scale[j];
                double *error = &out->error[s.columns[j]];
                *error = sqrt(*error * *error + part * part);
            }
            continue;
        }
        out->condition = INFINITY;
        for (size_t j = 0; j < s.p; j++) {
            out->is_mixed[s.columns[j]] =
                out->is_mixed[s.columns[j]] || fabs(vt[k * s.p + j]) > 1e-3;
        }
    }
    release(&s);
    return status;
}
