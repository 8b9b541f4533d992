#include "results/plot_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/plot_frame.h"
#include "results/plot_run.h"

enum { MAX_CELLS = 1 << 20, MAX_PANELS = 6, CDF_STEPS = 1000 };

/* A mean with its range. */
struct fold {
    double sum, low, high;
    size_t n;
};

static void fold_add(struct fold *f, double x)
{
    f->low = f->n == 0 || x < f->low ? x : f->low;
    f->high = f->n == 0 || x > f->high ? x : f->high;
    f->sum += x;
    f->n++;
}

/* The value just added is known to lie in this range. */
static void fold_widen(struct fold *f, double low, double high)
{
    f->low = low < f->low ? low : f->low;
    f->high = high > f->high ? high : f->high;
}

/* Equal values have themselves as mean, not what rounding makes of their sum. */
static double fold_mean(const struct fold *f)
{
    return f->n == 0 ? NAN : f->low >= f->high ? f->low : f->sum / (double)f->n;
}

/* value, low, high, points */
static void put_fold(struct ew_str *out, const struct fold *f)
{
    ew_plot_put_number(out, fold_mean(f));
    ew_plot_put_number(out, f->n ? f->low : NAN);
    ew_plot_put_number(out, f->n ? f->high : NAN);
    ew_str_printf(out, ",%zu", f->n);
}

/* The column that tells bars, lines and colours apart. */
static enum ew_status read_series(struct ew_plot_values *out, const struct ew_csv_table *table,
                                  const struct ew_plot_request *request, struct ew_error *err)
{
    size_t column = 0;
    const char *name = request->by ? request->by : "strategy";
    const enum ew_status status = ew_plot_column(&column, table, "by", name, err);
    return status == EW_OK ? ew_plot_values_read(out, table, column, request->by == NULL, err)
                           : status;
}

/* --- bars --------------------------------------------------------------------------------------
 */

struct bars {
    const struct ew_csv_table *table;
    struct ew_plot_values series;
    bool is_asked; /* the user named the metrics */
    size_t panel;
};

/* Columns with the error bar of a metric (compare --draws), absolute or as shares of `of`. */
static const struct error_bar {
    const char *metric, *of, *low, *high;
} ERROR_BARS[] = {
    {"latency_mean_s", NULL, "latency_low_s", "latency_high_s"},
    {"energy_j", NULL, "energy_low_j", "energy_high_j"},
    {"energy_per_request_j", "energy_j", "energy_low_j", "energy_high_j"},
};

struct error_columns {
    bool is_there, is_share;
    size_t of, low, high;
};

static struct error_columns find_error_columns(const struct ew_csv_table *table, const char *metric)
{
    struct error_columns c = {0};
    for (size_t i = 0; i < sizeof ERROR_BARS / sizeof *ERROR_BARS; i++) {
        const struct error_bar *bar = &ERROR_BARS[i];
        if (strcmp(bar->metric, metric) == 0) {
            c.is_share = bar->of != NULL;
            c.is_there = (!bar->of || ew_csv_table_find(&c.of, table, bar->of)) &&
                         ew_csv_table_find(&c.low, table, bar->low) &&
                         ew_csv_table_find(&c.high, table, bar->high);
        }
    }
    return c;
}

static enum ew_status widen_by_errors(struct fold *fold, const struct bars *b,
                                      const struct error_columns *c, const struct ew_csv_row *row,
                                      double y, struct ew_error *err)
{
    double of = NAN, low = NAN, high = NAN;
    if (!c->is_there) {
        return EW_OK;
    }
    enum ew_status status = ew_plot_number(&low, b->table, row, c->low, err);
    if (status == EW_OK) {
        status = ew_plot_number(&high, b->table, row, c->high, err);
    }
    if (status == EW_OK && c->is_share) {
        status = ew_plot_number(&of, b->table, row, c->of, err);
        low = of > 0 ? y * (low / of) : NAN;
        high = of > 0 ? y * (high / of) : NAN;
    }
    if (status == EW_OK && isfinite(low) && isfinite(high)) {
        fold_widen(fold, low, high);
    }
    return status;
}

static enum ew_status fold_column(struct fold *folds, const struct bars *b, size_t column,
                                  bool *has_values, struct ew_error *err)
{
    const struct error_columns errors = find_error_columns(b->table, b->table->columns[column]);
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < b->table->n_rows; i++) {
        const struct ew_csv_row *row = &b->table->rows[i];
        size_t s;
        double y = NAN;
        status = ew_plot_number(&y, b->table, row, column, err);
        if (status == EW_OK && isfinite(y) &&
            ew_plot_values_find(&s, &b->series, row->cells[b->series.column])) {
            fold_add(&folds[s], y);
            *has_values = true;
            status = widen_by_errors(&folds[s], b, &errors, row, y, err);
        }
    }
    return status;
}

static enum ew_status put_panel(struct ew_str *out, struct bars *b, const char *metric,
                                struct ew_error *err)
{
    const size_t n = ew_plot_values_count(&b->series);
    size_t column = 0;
    bool has_values = false;
    if (!b->is_asked && !ew_csv_table_find(&column, b->table, metric)) {
        return EW_OK;
    }
    enum ew_status status = ew_plot_column(&column, b->table, "y", metric, err);
    struct fold *folds = status == EW_OK ? calloc(n, sizeof *folds) : NULL;
    if (status == EW_OK) {
        status = folds ? fold_column(folds, b, column, &has_values, err) : ew_fail_memory(err);
    }
    if (status == EW_OK && !has_values && b->is_asked) {
        status = ew_fail(err, EW_EINPUT, "%s: column '%s' is empty", b->table->path, metric);
    }
    for (size_t s = 0; status == EW_OK && has_values && s < n; s++) {
        char digits[32];
        ew_str_printf(out, "%zu", b->panel);
        ew_plot_put_text(out, metric);
        ew_plot_put_label(out, metric);
        ew_str_printf(out, ",%zu", s);
        ew_plot_put_text(out, ew_plot_values_text(&b->series, s, digits));
        put_fold(out, &folds[s]);
        ew_str_append(out, "\n");
    }
    b->panel += status == EW_OK && has_values;
    free(folds);
    return status;
}

static enum ew_status make_bars(struct ew_str *out, const struct ew_csv_table *table,
                                const struct ew_plot_request *request, struct ew_error *err)
{
    struct bars b = {.table = table, .is_asked = request->y != NULL};
    const char *rest = request->y ? request->y : "latency_mean_s,energy_per_request_j,accuracy";
    enum ew_status status = read_series(&b.series, table, request, err);
    while (status == EW_OK && *rest) {
        const size_t length = strcspn(rest, ",");
        struct ew_str metric = {0};
        ew_str_append_n(&metric, rest, length);
        status =
            metric.failed ? ew_fail_memory(err) : put_panel(out, &b, ew_str_text(&metric), err);
        ew_str_fini(&metric);
        rest += length + (rest[length] == ',');
        if (status == EW_OK && b.panel > MAX_PANELS) {
            status = ew_fail(err, EW_EUSAGE, "option '--y': at most %d columns", MAX_PANELS);
        }
    }
    if (status == EW_OK && b.panel == 0) {
        status = ew_fail(err, EW_EINPUT, "%s: no latency, energy or accuracy to draw", table->path);
    }
    ew_plot_values_fini(&b.series);
    return status;
}

/* --- points ------------------------------------------------------------------------------------
 */

/* A row of the table as a point of a plane. */
struct sample {
    size_t series;
    double x;
    double y;
    size_t row;
    bool is_marked;
};

struct plane {
    const struct ew_csv_table *table;
    const char *x_name;
    const char *y_name;
    struct ew_plot_values series;
    struct ew_plot_values x_texts; /* when x is no number */
    bool has_texts;
    EW_VEC(struct sample) samples;
};

static enum ew_status read_x(double *out, const struct plane *p, const struct ew_csv_row *row,
                             size_t column, struct ew_error *err)
{
    size_t at;
    if (!p->has_texts) {
        return ew_plot_number(out, p->table, row, column, err);
    }
    *out = ew_plot_values_find(&at, &p->x_texts, row->cells[column]) ? (double)at : NAN;
    return EW_OK;
}

/* Collect; a row without one of the values is no sample. y NULL: zeros. */
static enum ew_status read_plane(struct plane *p, const struct ew_plot_request *request,
                                 bool takes_texts, struct ew_error *err)
{
    size_t x_column = 0, y_column = 0;
    enum ew_status status = read_series(&p->series, p->table, request, err);
    if (status == EW_OK) {
        status = ew_plot_column(&x_column, p->table, "x", p->x_name, err);
    }
    if (status == EW_OK && p->y_name) {
        status = ew_plot_column(&y_column, p->table, "y", p->y_name, err);
    }
    if (status == EW_OK && takes_texts) {
        status = ew_plot_values_read(&p->x_texts, p->table, x_column, false, err);
        p->has_texts = status == EW_OK && !p->x_texts.is_number;
    }
    for (size_t i = 0; status == EW_OK && i < p->table->n_rows; i++) {
        const struct ew_csv_row *row = &p->table->rows[i];
        struct sample s = {.row = i};
        status = read_x(&s.x, p, row, x_column, err);
        if (status == EW_OK && p->y_name) {
            status = ew_plot_number(&s.y, p->table, row, y_column, err);
        }
        if (status == EW_OK && isfinite(s.x) && isfinite(s.y) &&
            ew_plot_values_find(&s.series, &p->series, row->cells[p->series.column]) &&
            !ew_vec_push(&p->samples, s)) {
            status = ew_fail_memory(err);
        }
    }
    if (status == EW_OK && p->samples.count == 0) {
        status = ew_fail(err, EW_EINPUT, "%s: no row has both %s and %s", p->table->path,
                         p->series.name, p->y_name ? p->y_name : p->x_name);
    }
    return status;
}

static void plane_fini(struct plane *p)
{
    ew_plot_values_fini(&p->series);
    ew_plot_values_fini(&p->x_texts);
    ew_vec_fini(&p->samples);
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *p = a, *q = b;
    if (p->series != q->series) {
        return p->series < q->series ? -1 : 1;
    }
    const int by_x = (p->x > q->x) - (p->x < q->x);
    return by_x ? by_x : (p->row > q->row) - (p->row < q->row);
}

static void sort_samples(struct plane *p)
{
    qsort(p->samples.items, p->samples.count, sizeof *p->samples.items, compare_samples);
}

/* series_index, series */
static void put_series(struct ew_str *out, const struct plane *p, size_t series)
{
    char digits[32];
    ew_str_printf(out, "%zu", series);
    ew_plot_put_text(out, ew_plot_values_text(&p->series, series, digits));
}

static enum ew_status make_lines(struct ew_str *out, const struct ew_csv_table *table,
                                 const struct ew_plot_request *request, struct ew_error *err)
{
    struct plane p = {
        .table = table, .x_name = request->x, .y_name = request->y ? request->y : "latency_mean_s"};
    enum ew_status status =
        p.x_name ? EW_OK
                 : ew_plot_axis(&p.x_name, table, request->by ? request->by : "strategy", 0, err);
    if (status == EW_OK && !p.x_name) {
        status =
            ew_fail(err, EW_EUSAGE, "%s: no axis but the series; expected --x COLUMN", table->path);
    }
    if (status == EW_OK) {
        status = read_plane(&p, request, true, err);
    }
    if (status == EW_OK) {
        sort_samples(&p);
    }
    for (size_t i = 0; status == EW_OK && i < p.samples.count;) {
        const struct sample first = p.samples.items[i];
        struct fold fold = {0};
        for (; i < p.samples.count && p.samples.items[i].series == first.series &&
               p.samples.items[i].x <= first.x;
             i++) {
            fold_add(&fold, p.samples.items[i].y);
        }
        put_series(out, &p, first.series);
        ew_plot_put_label(out, p.x_name);
        ew_plot_put_label(out, p.y_name);
        ew_plot_put_number(out, first.x);
        ew_plot_put_text(out, p.has_texts ? p.x_texts.texts.items[(size_t)first.x] : "");
        put_fold(out, &fold);
        ew_str_append(out, "\n");
    }
    plane_fini(&p);
    return status;
}

static enum ew_status make_cdf(struct ew_str *out, const struct ew_csv_table *table,
                               const struct ew_plot_request *request, struct ew_error *err)
{
    size_t ignored;
    struct plane p = {.table = table, .x_name = request->x};
    if (!p.x_name) { /* requests.csv, else runs */
        p.x_name = ew_csv_table_find(&ignored, table, "latency_s") ? "latency_s" : "latency_mean_s";
    }
    enum ew_status status = read_plane(&p, request, false, err);
    if (status == EW_OK) {
        sort_samples(&p);
    }
    for (size_t i = 0; status == EW_OK && i < p.samples.count;) {
        const size_t series = p.samples.items[i].series;
        size_t n = 0;
        while (i + n < p.samples.count && p.samples.items[i + n].series == series) {
            n++;
        }
        const size_t stride = n / CDF_STEPS + 1;
        for (size_t k = 0; k < n; k++) {
            const bool is_equal =
                k + 1 < n && p.samples.items[i + k + 1].x <= p.samples.items[i + k].x;
            if (k + 1 < n && (is_equal || (k + 1) % stride != 0)) {
                continue;
            }
            put_series(out, &p, series);
            ew_plot_put_label(out, p.x_name);
            ew_plot_put_number(out, p.samples.items[i + k].x);
            ew_plot_put_number(out, (double)(k + 1) / (double)n);
            ew_str_printf(out, ",%zu\n", n);
        }
        i += n;
    }
    plane_fini(&p);
    return status;
}

/* --- Pareto front ------------------------------------------------------------------------------
 */

/* By x, then y, the better ones first; the signs make less the better. */
struct order {
    double x, y;
    size_t sample;
};

static int compare_orders(const void *a, const void *b)
{
    const struct order *p = a, *q = b;
    const int by_x = (p->x > q->x) - (p->x < q->x);
    const int by_y = (p->y > q->y) - (p->y < q->y);
    return by_x ? by_x : by_y ? by_y : (p->sample > q->sample) - (p->sample < q->sample);
}

/* Mark samples that no other one betters in one figure without being worse in the other. */
static enum ew_status mark_front(struct plane *p, struct ew_error *err)
{
    const double x_sign = ew_plot_more_is_better(p->x_name) ? -1 : 1;
    const double y_sign = ew_plot_more_is_better(p->y_name) ? -1 : 1;
    struct order *orders = calloc(p->samples.count, sizeof *orders);
    double last_x = -INFINITY, best_y = INFINITY;
    if (!orders) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; i < p->samples.count; i++) {
        const struct sample *s = &p->samples.items[i];
        orders[i] = (struct order){x_sign * s->x, y_sign * s->y, i};
    }
    qsort(orders, p->samples.count, sizeof *orders, compare_orders);
    for (size_t i = 0; i < p->samples.count; i++) {
        const bool is_twin = orders[i].x <= last_x && orders[i].y <= best_y;
        if (orders[i].y < best_y || is_twin) {
            p->samples.items[orders[i].sample].is_marked = true;
            last_x = orders[i].x;
            best_y = orders[i].y;
        }
    }
    free(orders);
    return EW_OK;
}

static enum ew_status make_pareto(struct ew_str *out, const struct ew_csv_table *table,
                                  const struct ew_plot_request *request, struct ew_error *err)
{
    struct plane p = {.table = table,
                      .x_name = request->x ? request->x : "latency_mean_s",
                      .y_name = request->y ? request->y : "energy_per_request_j"};
    enum ew_status status = read_plane(&p, request, false, err);
    if (status == EW_OK) {
        sort_samples(&p);
        status = mark_front(&p, err);
    }
    for (size_t i = 0; status == EW_OK && i < p.samples.count; i++) {
        const struct sample *s = &p.samples.items[i];
        put_series(out, &p, s->series);
        ew_plot_put_label(out, p.x_name);
        ew_plot_put_label(out, p.y_name);
        ew_plot_put_number(out, s->x);
        ew_plot_put_number(out, s->y);
        ew_str_printf(out, ",%d,%d,%d\n", s->is_marked ? 1 : 0,
                      ew_plot_more_is_better(p.x_name) ? 1 : 0,
                      ew_plot_more_is_better(p.y_name) ? 1 : 0);
    }
    plane_fini(&p);
    return status;
}

/* --- heat map of winners -----------------------------------------------------------------------
 */

struct map {
    const struct ew_csv_table *table;
    const char *names[2]; /* of the axes */
    const char *metric;
    struct ew_plot_values series;
    struct ew_plot_values axes[2];
    struct fold *folds; /* [y][x][series] */
};

static enum ew_status open_map(struct map *m, const struct ew_plot_request *request,
                               struct ew_error *err)
{
    static const char *const options[] = {"x", "y"};
    const char *by = request->by ? request->by : "strategy";
    size_t n_given = 0;
    enum ew_status status = read_series(&m->series, m->table, request, err);
    for (size_t k = 0; status == EW_OK && k < 2; k++) {
        size_t column = 0;
        if (m->names[k]) {
            n_given++;
        } else {
            status = ew_plot_axis(&m->names[k], m->table, by, k - n_given, err);
        }
        if (status == EW_OK && !m->names[k]) {
            status = ew_fail(err, EW_EUSAGE, "%s: expected two axes, --x and --y", m->table->path);
        }
        if (status == EW_OK) {
            status = ew_plot_column(&column, m->table, options[k], m->names[k], err);
        }
        if (status == EW_OK) {
            status = ew_plot_values_read(&m->axes[k], m->table, column, false, err);
        }
    }
    if (status != EW_OK) {
        return status;
    }
    const size_t n_x = ew_plot_values_count(&m->axes[0]), n_y = ew_plot_values_count(&m->axes[1]);
    const size_t n_s = ew_plot_values_count(&m->series);
    if (n_x > MAX_CELLS / n_s || n_y > MAX_CELLS / n_s / n_x) {
        return ew_fail(err, EW_EINPUT, "%s: %zu x %zu cells are too many for a heat map",
                       m->table->path, n_x, n_y);
    }
    m->folds = calloc(n_x * n_y * n_s, sizeof *m->folds);
    return m->folds ? EW_OK : ew_fail_memory(err);
}

static enum ew_status fill_map(struct map *m, struct ew_error *err)
{
    size_t column = 0;
    const size_t n_x = ew_plot_values_count(&m->axes[0]);
    const size_t n_s = ew_plot_values_count(&m->series);
    bool has_values = false;
    enum ew_status status = ew_plot_column(&column, m->table, "metric", m->metric, err);
    for (size_t i = 0; status == EW_OK && i < m->table->n_rows; i++) {
        const struct ew_csv_row *row = &m->table->rows[i];
        size_t s, x, y;
        double value = NAN;
        status = ew_plot_number(&value, m->table, row, column, err);
        if (status == EW_OK && isfinite(value) &&
            ew_plot_values_find(&s, &m->series, row->cells[m->series.column]) &&
            ew_plot_values_find(&x, &m->axes[0], row->cells[m->axes[0].column]) &&
            ew_plot_values_find(&y, &m->axes[1], row->cells[m->axes[1].column])) {
            fold_add(&m->folds[(y * n_x + x) * n_s + s], value);
            has_values = true;
        }
    }
    if (status == EW_OK && !has_values) {
        status = ew_fail(err, EW_EINPUT, "%s: column '%s' is empty", m->table->path, m->metric);
    }
    return status;
}

/* The cell's best series and by how much the next one is worse, relatively; figures within 1e-9 of
 * each other are equal, and the first one wins. */
static void put_winner(struct ew_str *out, const struct map *m, size_t x, size_t y)
{
    const size_t n_s = ew_plot_values_count(&m->series);
    const struct fold *cell = &m->folds[(y * ew_plot_values_count(&m->axes[0]) + x) * n_s];
    const double sign = ew_plot_more_is_better(m->metric) ? -1 : 1;
    size_t best = n_s, next = n_s;
    char digits[32];
    for (size_t s = 0; s < n_s; s++) {
        if (cell[s].n == 0) {
            continue;
        }
        const double mine = sign * fold_mean(&cell[s]);
        const double theirs = best < n_s ? sign * fold_mean(&cell[best]) : INFINITY;
        if (best == n_s || (mine < theirs && !ew_close(mine, theirs, 1e-9, 0))) {
            next = best;
            best = s;
        } else if (next == n_s || mine < sign * fold_mean(&cell[next])) {
            next = s;
        }
    }
    if (best == n_s) {
        ew_str_append(out, ",,,,,");
        return;
    }
    const double value = fold_mean(&cell[best]);
    ew_str_printf(out, ",%zu", best);
    ew_plot_put_text(out, ew_plot_values_text(&m->series, best, digits));
    ew_plot_put_number(out, value);
    ew_plot_put_text(out, next < n_s ? ew_plot_values_text(&m->series, next, digits) : "");
    ew_plot_put_number(out, next < n_s && value > 0 ? fabs(fold_mean(&cell[next]) - value) / value
                                                    : NAN);
}

static enum ew_status make_heatmap(struct ew_str *out, const struct ew_csv_table *table,
                                   const struct ew_plot_request *request, struct ew_error *err)
{
    struct map m = {.table = table,
                    .names = {request->x, request->y},
                    .metric = request->metric ? request->metric : "latency_mean_s"};
    enum ew_status status = open_map(&m, request, err);
    if (status == EW_OK) {
        status = fill_map(&m, err);
    }
    for (size_t y = 0; status == EW_OK && y < ew_plot_values_count(&m.axes[1]); y++) {
        for (size_t x = 0; x < ew_plot_values_count(&m.axes[0]); x++) {
            char digits[32];
            ew_str_printf(out, "%zu", x);
            ew_plot_put_text(out, ew_plot_values_text(&m.axes[0], x, digits));
            ew_plot_put_label(out, m.names[0]);
            ew_str_printf(out, ",%zu", y);
            ew_plot_put_text(out, ew_plot_values_text(&m.axes[1], y, digits));
            ew_plot_put_label(out, m.names[1]);
            ew_plot_put_label(out, m.metric);
            put_winner(out, &m, x, y);
            ew_str_append(out, "\n");
        }
    }
    free(m.folds);
    for (size_t k = 0; k < 2; k++) {
        ew_plot_values_fini(&m.axes[k]);
    }
    ew_plot_values_fini(&m.series);
    return status;
}

/* --- the kinds ---------------------------------------------------------------------------------
 */

const struct ew_plot_kind ew_plot_kinds[] = {
    {"bars", "latency, energy and accuracy (--y) of every strategy, with ranges", "bars",
     "runs.csv", false, "panel,metric,name,unit,bar_index,bar,value,low,high,points", make_bars},
    {"lines", "a metric (--y) against an axis (--x), one line per strategy", "lines", "runs.csv",
     false, "series_index,series,x_name,x_unit,y_name,y_unit,x,x_text,value,low,high,points",
     make_lines},
    {"pareto", "two metrics (--x, --y) and the front that nothing betters in both", "pareto",
     "runs.csv", false,
     "series_index,series,x_name,x_unit,y_name,y_unit,x,y,on_front,x_more_is_better,"
     "y_more_is_better",
     make_pareto},
    {"heatmap", "which strategy wins by --metric over two axes (--x, --y)", "heatmap", "runs.csv",
     false,
     "x_index,x,x_name,x_unit,y_index,y,y_name,y_unit,metric_name,metric_unit,winner_index,"
     "winner,value,next,next_worse_ratio",
     make_heatmap},
    {"cdf", "distribution of latency: requests of a run or compare directory, points of a sweep",
     "cdf", "requests.csv", false, "series_index,series,x_name,x_unit,x,ratio,samples", make_cdf},
    {"energy", "energy by power state, a stacked bar per strategy", "energy", "energy.csv", false,
     "bar_index,bar,part_index,part,begin_j,energy_j,name", ew_plot_make_energy},
    {"gantt", "devices and connections over time, of one request of a run or compare directory",
     "gantt_run", "tasks.csv", true,
     "row_index,row,row_kind,part,begin_s,end_s,layer,strategy,request", ew_plot_make_gantt},
    {.name = NULL},
};

static const char *kind_at(const void *ctx, size_t i)
{
    (void)ctx;
    return ew_plot_kinds[i].name;
}

enum ew_status ew_plot_kind_find(const struct ew_plot_kind **out, const char *name,
                                 struct ew_error *err)
{
    size_t n = 0;
    struct ew_str names = {0};
    for (; ew_plot_kinds[n].name; n++) {
        if (strcmp(ew_plot_kinds[n].name, name) == 0) {
            *out = &ew_plot_kinds[n];
            ew_str_fini(&names);
            return EW_OK;
        }
        ew_str_printf(&names, "%s%s", n ? ", " : "", ew_plot_kinds[n].name);
    }
    const char *near = ew_nearest_name(name, n, kind_at, NULL);
    const enum ew_status status = ew_fail(
        err, EW_EUSAGE, "no kind of plot '%s'; there are %s and paper%s%s%s", name,
        ew_str_text(&names), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    ew_str_fini(&names);
    return status;
}

enum ew_status ew_plot_make(struct ew_str *out, const struct ew_csv_table *table,
                            const struct ew_plot_request *request, struct ew_error *err)
{
    if (table->n_rows == 0) {
        return ew_fail(err, EW_EINPUT, "%s: no results to draw", table->path);
    }
    ew_str_printf(out, "%s\n", request->kind->columns);
    const enum ew_status status = request->kind->make(out, table, request, err);
    return status == EW_OK && out->failed ? ew_fail_memory(err) : status;
}
