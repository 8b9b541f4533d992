#include "sweep/reproduce_judge.h"

#include <math.h>
#include <string.h>

#include "sweep/reproduce_check.h"

const char *const ew_repro_verdict_names[5] = {"-", "pass", "trend", "differs", "failed"};

/* Published values nearer to each other than this say nothing about order. */
static const double CLEAR_RATIO = 0.10;

bool ew_repro_is_row(const struct ew_repro_figure *figure, uint32_t shown)
{
    return figure->derivation == EW_DERIVE_NONE || shown != figure->subject;
}

const char *ew_repro_shown_name(const struct ew_repro_figure *figure, uint32_t shown)
{
    return shown < figure->n_series ? figure->series[shown] : figure->mean_series;
}

/* --- values ------------------------------------------------------------------------------------
 */

static double value_of(const struct ew_repro_figure *f, const struct ew_repro_record *record)
{
    return f->scale * ew_repro_record_get(record, f->metric);
}

static bool is_feasible(const struct ew_repro_figure *f, const struct ew_repro_record *records)
{
    for (uint32_t s = 0; s < f->n_series; s++) {
        if (ew_repro_record_get(&records[s], "requirements_met") > 0) {
            return true;
        }
    }
    return false;
}

/* Means over the cases, as one row. */
static void average(struct ew_repro_figure_result *result, const struct ew_repro_record *records)
{
    const struct ew_repro_figure *f = result->figure;
    for (uint32_t c = 0; c < f->n_cases; c++) {
        if (f->is_feasible_only && !is_feasible(f, &records[(size_t)c * f->n_series])) {
            continue;
        }
        result->n_averaged++;
        for (uint32_t s = 0; s < f->n_series; s++) {
            const double value = value_of(f, &records[(size_t)c * f->n_series + s]);
            const double n = result->n_averaged;
            double *mean = &result->rows[s].ours;
            *mean = n > 1 ? *mean + (value - *mean) / n : value;
        }
    }
}

static void take_values(struct ew_repro_figure_result *result,
                        const struct ew_repro_record *records)
{
    const struct ew_repro_figure *f = result->figure;
    for (uint32_t c = 0; c < f->n_rows; c++) {
        for (uint32_t s = 0; s < f->n_series; s++) {
            struct ew_repro_row *row = &result->rows[(size_t)c * f->n_shown + s];
            const struct ew_repro_record *record = &records[(size_t)c * f->n_series + s];
            row->ours = f->is_mean ? NAN : value_of(f, record);
            row->error = f->is_mean ? NULL : record->error;
        }
    }
    if (f->is_mean) {
        average(result, records);
    }
}

/* The mean of all series but the subject. */
static void add_mean_series(struct ew_repro_figure_result *result)
{
    const struct ew_repro_figure *f = result->figure;
    for (uint32_t c = 0; f->mean_series && c < f->n_rows; c++) {
        struct ew_repro_row *rows = &result->rows[(size_t)c * f->n_shown];
        double sum = 0, n = 0;
        for (uint32_t s = 0; s < f->n_series; s++) {
            if (ew_repro_is_row(f, s)) {
                sum += rows[s].ours;
                n++;
            }
        }
        rows[f->n_series].ours = n > 0 ? sum / n : NAN;
    }
}

static double derive(enum ew_derivation how, double subject, double other)
{
    switch (how) {
    case EW_DERIVE_SAVING_PCT:
        return other > 0 ? 100 * (1 - subject / other) : NAN;
    case EW_DERIVE_GAIN_PCT:
        return other > 0 ? 100 * (subject / other - 1) : NAN;
    case EW_DERIVE_DIFFERENCE:
        return subject - other;
    case EW_DERIVE_NONE:
        break;
    }
    return other;
}

static void derive_all(struct ew_repro_figure_result *result)
{
    const struct ew_repro_figure *f = result->figure;
    for (uint32_t c = 0; f->derivation != EW_DERIVE_NONE && c < f->n_rows; c++) {
        struct ew_repro_row *rows = &result->rows[(size_t)c * f->n_shown];
        for (uint32_t s = 0; s < f->n_shown; s++) {
            if (s != f->subject) {
                rows[s].ours = derive(f->derivation, rows[f->subject].ours, rows[s].ours);
                rows[s].error = rows[s].error ? rows[s].error : rows[f->subject].error;
            }
        }
    }
}

/* Means of subject and other over the cases that both serve as asked, and what follows from them.
 */
static void derive_pairs(struct ew_repro_figure_result *result,
                         const struct ew_repro_record *records)
{
    const struct ew_repro_figure *f = result->figure;
    for (uint32_t s = 0; s < f->n_series; s++) {
        double subject = 0, other = 0, n = 0;
        for (uint32_t c = 0; c < f->n_cases; c++) {
            const struct ew_repro_record *row = &records[(size_t)c * f->n_series];
            if (ew_repro_record_get(&row[f->subject], "requirements_met") > 0 &&
                ew_repro_record_get(&row[s], "requirements_met") > 0) {
                subject += value_of(f, &row[f->subject]);
                other += value_of(f, &row[s]);
                n++;
            }
        }
        result->rows[s].ours = n > 0 ? derive(f->derivation, subject / n, other / n) : NAN;
        result->n_averaged = s == f->subject ? (uint32_t)n : result->n_averaged;
    }
}

/* --- verdicts ----------------------------------------------------------------------------------
 */

static bool is_plain(const struct ew_published *p)
{
    return p->kind == EW_PUBLISHED_VALUE || p->kind == EW_PUBLISHED_BELOW;
}

/* Does the paper say clearly which of two rows is larger, and do we have both? */
static bool is_comparable(const struct ew_repro_figure_result *r, size_t a, size_t b)
{
    const struct ew_published *p = &r->figure->published[a], *q = &r->figure->published[b];
    return is_plain(p) && is_plain(q) && !isnan(r->rows[b].ours) &&
           fabs(p->value - q->value) > CLEAR_RATIO * fmax(fabs(p->value), fabs(q->value));
}

static bool is_ordered_alike(const struct ew_repro_figure_result *r, size_t a, size_t b)
{
    const struct ew_published *p = &r->figure->published[a], *q = &r->figure->published[b];
    return p->value < q->value ? r->rows[a].ours < r->rows[b].ours
                               : r->rows[a].ours > r->rows[b].ours;
}

static bool follows_trend(const struct ew_repro_figure_result *r, uint32_t c, uint32_t s)
{
    const struct ew_repro_figure *f = r->figure;
    const size_t at = (size_t)c * f->n_shown + s;
    const uint32_t n = f->trend_across_cases ? f->n_rows : f->n_shown;
    uint32_t n_compared = 0;
    for (uint32_t i = 0; i < n; i++) {
        const size_t other =
            f->trend_across_cases ? (size_t)i * f->n_shown + s : (size_t)c * f->n_shown + i;
        const bool is_same_set = f->trend_across_cases
                                     ? strcmp(f->cases[i].group, f->cases[c].group) == 0
                                     : ew_repro_is_row(f, i);
        if (other == at || !is_same_set || !is_comparable(r, at, other)) {
            continue;
        }
        if (!is_ordered_alike(r, at, other)) {
            return false;
        }
        n_compared++;
    }
    return n_compared > 0;
}

static void judge_row(const struct ew_repro_figure_result *r, uint32_t c, uint32_t s)
{
    const struct ew_repro_figure *f = r->figure;
    struct ew_repro_row *row = &r->rows[(size_t)c * f->n_shown + s];
    const struct ew_published *p = &f->published[(size_t)c * f->n_shown + s];
    bool is_near = false, is_trend = false;
    row->ratio = is_plain(p) && p->value != 0 ? row->ours / p->value : NAN;
    if (isnan(row->ours)) {
        row->verdict = EW_REPRO_FAILED;
        return;
    }
    switch (p->kind) {
    case EW_PUBLISHED_NONE:
        row->verdict = EW_REPRO_NONE;
        return;
    case EW_PUBLISHED_VALUE:
        is_near = fabs(row->ours - p->value) <= f->tolerance_ratio * fabs(p->value) * (1 + 1e-12);
        is_trend = follows_trend(r, c, s);
        break;
    case EW_PUBLISHED_BELOW:
        is_near = row->ours < p->value;
        is_trend = follows_trend(r, c, s);
        break;
    case EW_PUBLISHED_BAND:
        is_near = row->ours >= p->value && row->ours <= p->high;
        is_trend = p->value > 0 ? row->ours > 0 : p->high < 0 && row->ours < 0;
        break;
    }
    row->verdict = is_near ? EW_REPRO_PASS : is_trend ? EW_REPRO_TREND : EW_REPRO_DIFFERS;
}

enum ew_status ew_repro_judge(struct ew_repro_figure_result *out,
                              const struct ew_repro_figure *figure,
                              const struct ew_repro_record *records, struct ew_error *err)
{
    struct ew_repro_figure_result r = {.figure = figure};
    r.rows = ew_arena_calloc(&r.arena, (size_t)figure->n_rows * figure->n_shown, sizeof *r.rows);
    r.checks = ew_arena_calloc(&r.arena, figure->n_checks, sizeof *r.checks);
    enum ew_status status = r.rows && r.checks ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK) {
        take_values(&r, records);
        if (figure->is_pairwise && figure->n_rows) {
            derive_pairs(&r, records);
            add_mean_series(&r);
        } else {
            add_mean_series(&r);
            derive_all(&r);
        }
        for (uint32_t c = 0; c < figure->n_rows; c++) {
            for (uint32_t s = 0; s < figure->n_shown; s++) {
                judge_row(&r, c, s);
            }
        }
        status = ew_repro_check(&r, records, err);
    }
    if (status == EW_OK) {
        *out = r;
    } else {
        ew_repro_figure_result_fini(&r);
    }
    return status;
}

void ew_repro_figure_result_fini(struct ew_repro_figure_result *result)
{
    ew_arena_fini(&result->arena);
    *result = (struct ew_repro_figure_result){0};
}
