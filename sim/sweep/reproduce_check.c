#include "sweep/reproduce_check.h"

#include <math.h>
#include <string.h>

enum { MAX_NAMED_FAILURES = 12 };

/* Ratios nearer to each other than this say nothing about order. */
static const double CLEAR_RATIO = 0.10;

/* A check at work. */
struct checking {
    const struct ew_repro_figure_result *r;
    const struct ew_repro_figure *f;
    const struct ew_repro_check *check;
    const struct ew_repro_record *records;
    struct ew_repro_check_result *result;
    struct ew_str failures;
    uint32_t n_named;
};

/* Cases of this check: per-case figures, or the one row of a mean. */
static uint32_t n_cases(const struct checking *c)
{
    return c->check->metric ? c->f->n_cases : c->f->n_rows;
}

static bool has_case(const struct checking *c, uint32_t i)
{
    return (c->f->is_mean && !c->check->metric) || c->check->has_case[i];
}

static double ours(const struct checking *c, uint32_t i, uint32_t series)
{
    return c->check->metric ? ew_repro_record_get(&c->records[(size_t)i * c->f->n_series + series],
                                                  c->check->metric)
                            : c->r->rows[(size_t)i * c->f->n_shown + series].ours;
}

/* The paper's value; NAN when it says nothing plain. */
static double paper(const struct checking *c, uint32_t i, uint32_t series)
{
    const struct ew_published *p = &c->f->published[(size_t)i * c->f->n_shown + series];
    const bool is_plain = p->kind == EW_PUBLISHED_VALUE || p->kind == EW_PUBLISHED_BELOW;
    return !c->check->metric && is_plain ? p->value : NAN;
}

static void count(struct checking *c, bool holds, uint32_t i, const char *what)
{
    c->result->n_tested++;
    c->result->n_held += holds;
    if (!holds && c->n_named < MAX_NAMED_FAILURES) {
        ew_str_printf(&c->failures, "%s%s %s", c->n_named ? "; " : "",
                      c->f->is_mean && !c->check->metric ? "mean" : c->f->cases[i].id, what);
        c->n_named++;
    } else if (!holds && c->n_named == MAX_NAMED_FAILURES) {
        ew_str_append(&c->failures, "; and more");
        c->n_named++;
    }
}

static bool is_at_least(double a, double b, const struct ew_repro_check *check)
{
    return a >= check->factor * b - check->slack_ratio * fabs(check->factor * b);
}

static void name_pair(char out[160], const struct checking *c, uint32_t a, const char *sign,
                      uint32_t b)
{
    struct ew_str text = {0};
    ew_str_printf(&text, "%s %s %s", ew_repro_shown_name(c->f, a), sign,
                  ew_repro_shown_name(c->f, b));
    const size_t n = text.length < 159 ? text.length : 159;
    memcpy(out, ew_str_text(&text), n);
    out[n] = '\0';
    ew_str_fini(&text);
}

static void check_order(struct checking *c, uint32_t i)
{
    const struct ew_repro_check *k = c->check;
    for (uint32_t x = 0; x < k->n_series; x++) {
        for (uint32_t y = x + 1; y < k->n_series; y++) {
            if (k->group[x] == k->group[y]) {
                continue;
            }
            const uint32_t a = k->series[x], b = k->series[y];
            const bool is_exempt = paper(c, i, a) < paper(c, i, b); /* false when unknown */
            char name[160];
            name_pair(name, c, a, "<", b);
            if (is_exempt) {
                c->result->n_exempt++;
            } else {
                count(c, is_at_least(ours(c, i, a), ours(c, i, b), k), i, name);
            }
        }
    }
}

static void check_limit(struct checking *c, uint32_t i)
{
    const struct ew_repro_check *k = c->check;
    for (uint32_t x = 0; x < k->n_series; x++) {
        const double value = ours(c, i, k->series[x]);
        const bool holds = k->kind == EW_CHECK_AT_MOST ? value <= k->value : value >= k->value;
        count(c, holds, i, ew_repro_shown_name(c->f, k->series[x]));
    }
}

static void check_met(struct checking *c, uint32_t i)
{
    const struct ew_repro_check *k = c->check;
    const struct ew_repro_record *row = &c->records[(size_t)i * c->f->n_series];
    bool is_feasible = k->kind == EW_CHECK_MET;
    for (uint32_t s = 0; s < c->f->n_series; s++) {
        is_feasible = is_feasible || ew_repro_record_get(&row[s], "requirements_met") > 0;
    }
    for (uint32_t x = 0; is_feasible && x < k->n_series; x++) {
        const uint32_t s = k->series[x];
        count(c, ew_repro_record_get(&row[s], "requirements_met") > 0, i, c->f->series[s]);
    }
}

/* Are the ratios of two cases ordered as in the paper, where it is clear? */
static void check_ratio(struct checking *c, uint32_t i, uint32_t j)
{
    const uint32_t a = c->check->series[0], b = c->check->series[1];
    const double p = paper(c, i, a) / paper(c, i, b), q = paper(c, j, a) / paper(c, j, b);
    const double x = ours(c, i, a) / ours(c, i, b), y = ours(c, j, a) / ours(c, j, b);
    if (isnan(p) || isnan(q) || fabs(p - q) <= CLEAR_RATIO * fmax(p, q)) {
        return;
    }
    struct ew_str name = {0};
    ew_str_printf(&name, "against %s", c->f->cases[j].id);
    count(c, p > q ? x >= y * (1 - c->check->slack_ratio) : y >= x * (1 - c->check->slack_ratio), i,
          ew_str_text(&name));
    c->failures.failed = c->failures.failed || name.failed;
    ew_str_fini(&name);
}

static bool is_same_group(const struct checking *c, uint32_t i, uint32_t j)
{
    return strcmp(c->f->cases[i].group, c->f->cases[j].group) == 0;
}

/* Values of neighbouring cases of one group. */
static void check_monotone(struct checking *c, uint32_t i)
{
    const struct ew_repro_check *k = c->check;
    if (i == 0 || !is_same_group(c, i, i - 1) || !has_case(c, i - 1)) {
        return;
    }
    for (uint32_t x = 0; x < k->n_series; x++) {
        const double before = ours(c, i - 1, k->series[x]), now = ours(c, i, k->series[x]);
        count(c,
              k->kind == EW_CHECK_RISING ? is_at_least(now, before, k)
                                         : is_at_least(before, now, k),
              i, c->f->series[k->series[x]]);
    }
}

/* Is the case at x the best of its group? */
static void check_peak(struct checking *c, uint32_t i)
{
    const struct ew_repro_check *k = c->check;
    if (c->f->cases[i].x < k->x || c->f->cases[i].x > k->x) {
        return;
    }
    for (uint32_t x = 0; x < k->n_series; x++) {
        bool holds = true;
        for (uint32_t j = 0; j < n_cases(c); j++) {
            holds = holds && (!is_same_group(c, i, j) ||
                              is_at_least(ours(c, i, k->series[x]), ours(c, j, k->series[x]), k));
        }
        count(c, holds, i, c->f->series[k->series[x]]);
    }
}

static void check_case(struct checking *c, uint32_t i)
{
    switch (c->check->kind) {
    case EW_CHECK_ORDER:
        check_order(c, i);
        break;
    case EW_CHECK_AT_MOST:
    case EW_CHECK_AT_LEAST:
        check_limit(c, i);
        break;
    case EW_CHECK_RATIO_ORDER:
        for (uint32_t j = i + 1; j < n_cases(c); j++) {
            if (has_case(c, j)) {
                check_ratio(c, i, j);
            }
        }
        break;
    case EW_CHECK_RISING:
    case EW_CHECK_FALLING:
        check_monotone(c, i);
        break;
    case EW_CHECK_PEAK:
        check_peak(c, i);
        break;
    case EW_CHECK_MET:
    case EW_CHECK_FEASIBLE:
        check_met(c, i);
        break;
    }
}

enum ew_status ew_repro_check(struct ew_repro_figure_result *result,
                              const struct ew_repro_record *records, struct ew_error *err)
{
    const struct ew_repro_figure *f = result->figure;
    for (uint32_t k = 0; k < f->n_checks; k++) {
        struct checking c = {.r = result,
                             .f = f,
                             .check = &f->checks[k],
                             .records = records,
                             .result = &result->checks[k]};
        const bool is_per_case =
            c.check->kind == EW_CHECK_MET || c.check->kind == EW_CHECK_FEASIBLE;
        const uint32_t n = is_per_case ? f->n_cases : n_cases(&c);
        for (uint32_t i = 0; i < n; i++) {
            if (is_per_case ? c.check->has_case[i] : has_case(&c, i)) {
                check_case(&c, i);
            }
        }
        c.result->failures = ew_arena_strdup(&result->arena, ew_str_text(&c.failures));
        const bool is_whole = !c.failures.failed && c.result->failures;
        ew_str_fini(&c.failures);
        if (!is_whole) {
            return ew_fail_memory(err);
        }
    }
    return EW_OK;
}
