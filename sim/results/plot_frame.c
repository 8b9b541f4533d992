#include "results/plot_frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *column_at(const void *ctx, size_t i)
{
    return ((const struct ew_csv_table *)ctx)->columns[i];
}

enum ew_status ew_plot_column(size_t *out, const struct ew_csv_table *table, const char *option,
                              const char *name, struct ew_error *err)
{
    if (ew_csv_table_find(out, table, name)) {
        return EW_OK;
    }
    const char *near = ew_nearest_name(name, table->n_columns, column_at, table);
    return ew_fail(err, EW_EUSAGE, "%s: no column '%s' for --%s%s%s%s", table->path, name, option,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum ew_status ew_plot_number(double *out, const struct ew_csv_table *table,
                              const struct ew_csv_row *row, size_t column, struct ew_error *err)
{
    const char *cell = row->cells[column];
    *out = NAN;
    if (!*cell || ew_parse_double(cell, out)) {
        return EW_OK;
    }
    return ew_fail(err, EW_EINPUT, "%s:%zu: column '%s': expected a number, found '%s'",
                   table->path, row->line, table->columns[column], cell);
}

/* --- values ------------------------------------------------------------------------------------
 */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Numbers in order, each once; false when a cell is none. */
static enum ew_status read_numbers(struct ew_plot_values *v, const struct ew_csv_table *table,
                                   struct ew_error *err)
{
    v->is_number = true;
    for (size_t i = 0; v->is_number && i < table->n_rows; i++) {
        const char *cell = table->rows[i].cells[v->column];
        double x;
        if (!*cell) {
            continue;
        }
        v->is_number = ew_parse_double(cell, &x);
        if (v->is_number && !ew_vec_push(&v->numbers, x)) {
            return ew_fail_memory(err);
        }
    }
    v->is_number = v->is_number && v->numbers.count > 0;
    if (!v->is_number) {
        return EW_OK;
    }
    qsort(v->numbers.items, v->numbers.count, sizeof *v->numbers.items, compare_doubles);
    size_t n = 1;
    for (size_t i = 1; i < v->numbers.count; i++) {
        if (compare_doubles(&v->numbers.items[i], &v->numbers.items[n - 1]) != 0) {
            v->numbers.items[n++] = v->numbers.items[i];
        }
    }
    v->numbers.count = n;
    return EW_OK;
}

static bool find_text(size_t *out, const struct ew_plot_values *v, const char *cell)
{
    for (size_t i = 0; i < v->texts.count; i++) {
        if (strcmp(v->texts.items[i], cell) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static enum ew_status read_texts(struct ew_plot_values *v, const struct ew_csv_table *table,
                                 struct ew_error *err)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *cell = table->rows[i].cells[v->column];
        size_t at;
        if (!*cell || find_text(&at, v, cell)) {
            continue;
        }
        if (v->texts.count == EW_PLOT_MAX_TEXTS) {
            return ew_fail(err, EW_EINPUT,
                           "%s:%zu: column '%s' has more than %d different values: too many to "
                           "tell apart",
                           table->path, table->rows[i].line, v->name, EW_PLOT_MAX_TEXTS);
        }
        if (!ew_vec_push(&v->texts, cell)) {
            return ew_fail_memory(err);
        }
    }
    return EW_OK;
}

enum ew_status ew_plot_values_read(struct ew_plot_values *out, const struct ew_csv_table *table,
                                   size_t column, bool as_text, struct ew_error *err)
{
    *out = (struct ew_plot_values){.name = table->columns[column], .column = column};
    enum ew_status status = as_text ? EW_OK : read_numbers(out, table, err);
    if (status == EW_OK && !out->is_number) {
        status = read_texts(out, table, err);
    }
    if (status == EW_OK && ew_plot_values_count(out) == 0) {
        status = ew_fail(err, EW_EINPUT, "%s: column '%s' is empty", table->path, out->name);
    }
    return status;
}

size_t ew_plot_values_count(const struct ew_plot_values *values)
{
    return values->is_number ? values->numbers.count : values->texts.count;
}

bool ew_plot_values_find(size_t *out, const struct ew_plot_values *values, const char *cell)
{
    double x;
    if (!*cell) {
        return false;
    }
    if (!values->is_number) {
        return find_text(out, values, cell);
    }
    if (!ew_parse_double(cell, &x)) {
        return false;
    }
    const double *at =
        bsearch(&x, values->numbers.items, values->numbers.count, sizeof x, compare_doubles);
    *out = at ? (size_t)(at - values->numbers.items) : 0;
    return at != NULL;
}

const char *ew_plot_values_text(const struct ew_plot_values *values, size_t index, char buffer[32])
{
    if (!values->is_number) {
        return values->texts.items[index];
    }
    ew_format_double(buffer, values->numbers.items[index]);
    return buffer;
}

void ew_plot_values_fini(struct ew_plot_values *values)
{
    ew_vec_fini(&values->numbers);
    ew_vec_fini(&values->texts);
}

/* Are there two different cells in the column? */
static bool varies(const struct ew_csv_table *table, size_t column)
{
    for (size_t i = 1; i < table->n_rows; i++) {
        if (strcmp(table->rows[i].cells[column], table->rows[0].cells[column]) != 0) {
            return true;
        }
    }
    return false;
}

enum ew_status ew_plot_axis(const char **out, const struct ew_csv_table *table, const char *by,
                            size_t nth, struct ew_error *err)
{
    size_t status_column;
    *out = NULL;
    (void)err;
    if (!ew_csv_table_find(&status_column, table, "status") || table->n_columns == 0 ||
        strcmp(table->columns[0], "point") != 0) {
        return EW_OK; /* not what a sweep exports */
    }
    for (size_t c = 1; c < status_column; c++) {
        const bool is_other =
            strcmp(table->columns[c], by) != 0 && strcmp(table->columns[c], "seed") != 0;
        if (is_other && varies(table, c) && nth-- == 0) {
            *out = table->columns[c];
            return EW_OK;
        }
    }
    return EW_OK;
}

/* --- names -------------------------------------------------------------------------------------
 */

/* Endings of column names that are units, longest first where one ends with another. */
static const struct unit {
    const char *ending;
    const char *unit;
} UNITS[] = {
    {"_bytes_per_s", "bytes/s"},
    {"_flops_per_s", "FLOP/s"},
    {"_per_s", "1/s"},
    {"_bytes", "bytes"},
    {"_ratio", "ratio"},
    {"_s", "s"},
    {"_j", "J"},
    {"_w", "W"},
    {"_pct", "%"},
};

/* Names that read better than the column's own. */
static const struct {
    const char *column;
    const char *name;
} NAMES[] = {
    {"latency_mean_s", "mean latency"},
    {"latency_p50_s", "median latency"},
    {"latency_p90_s", "90th percentile of latency"},
    {"latency_p99_s", "99th percentile of latency"},
    {"latency_max_s", "largest latency"},
    {"energy_per_request_j", "energy per request"},
    {"dynamic_energy_per_request_j", "energy above idle per request"},
    {"energy_j", "total energy"},
    {"dynamic_energy_j", "energy above idle"},
    {"throughput_per_s", "throughput"},
    {"deadline_met_ratio", "requests in time"},
};

static const struct unit *find_unit(const char *column)
{
    const size_t length = strlen(column);
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        const size_t n = strlen(UNITS[i].ending);
        if (length > n && strcmp(column + length - n, UNITS[i].ending) == 0) {
            return &UNITS[i];
        }
    }
    return NULL;
}

const char *ew_plot_unit(const char *column)
{
    const struct unit *unit = find_unit(column);
    return unit ? unit->unit : strcmp(column, "accuracy") == 0 ? "ratio" : "";
}

void ew_plot_put_name(struct ew_str *out, const char *column)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(NAMES[i].column, column) == 0) {
            ew_str_append(out, NAMES[i].name);
            return;
        }
    }
    const struct unit *unit = find_unit(column);
    const size_t n = strlen(column) - (unit ? strlen(unit->ending) : 0);
    for (size_t i = 0; i < n; i++) {
        ew_str_append_n(out, column[i] == '_' ? " " : &column[i], 1);
    }
}

bool ew_plot_more_is_better(const char *column)
{
    static const char *const better[] = {"accuracy", "throughput_per_s", "deadline_met_ratio",
                                         "completed", "requirements_met"};
    for (size_t i = 0; i < sizeof better / sizeof *better; i++) {
        if (strcmp(better[i], column) == 0) {
            return true;
        }
    }
    return false;
}

/* --- cells -------------------------------------------------------------------------------------
 */

void ew_plot_put_text(struct ew_str *out, const char *text)
{
    const bool needs_quotes = strpbrk(text, ",\"\r\n") != NULL;
    ew_str_append(out, needs_quotes ? ",\"" : ",");
    for (const char *c = text; *c; c++) {
        if (*c == '"') {
            ew_str_append(out, "\"\"");
        } else {
            ew_str_append_n(out, *c == '\n' || *c == '\r' ? " " : c, 1);
        }
    }
    ew_str_append(out, needs_quotes ? "\"" : "");
}

void ew_plot_put_number(struct ew_str *out, double x)
{
    char digits[32];
    ew_str_append(out, ",");
    if (isfinite(x)) {
        ew_format_double(digits, x);
        ew_str_append(out, digits);
    }
}

void ew_plot_put_label(struct ew_str *out, const char *column)
{
    struct ew_str name = {0};
    ew_plot_put_name(&name, column);
    ew_plot_put_text(out, ew_str_text(&name));
    ew_plot_put_text(out, ew_plot_unit(column));
    out->failed = out->failed || name.failed;
    ew_str_fini(&name);
}
