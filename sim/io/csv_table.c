#include "io/csv_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"

enum { MAX_FILE_BYTES = 256 << 20, MAX_COLUMNS = 256 };

struct parser {
    struct ew_csv_table *table;
    EW_VEC(struct ew_csv_row) rows;
    const char *cells[MAX_COLUMNS];
    size_t n_cells;
    size_t line;
};

/* One cell from *at on; *at then stands on the comma or the end. Unquotes in place. */
static enum ew_status read_cell(struct parser *p, char **at, struct ew_error *err)
{
    *at += strspn(*at, " \t");
    char *from = *at, *to = *at, *start = *at;
    if (*from == '"') {
        for (from++; *from; from++) {
            if (*from == '"' && from[1] == '"') {
                from++;
            } else if (*from == '"') {
                break;
            }
            *to++ = *from;
        }
        if (*from != '"' || (from[1] != ',' && from[1] != '\0')) {
            return ew_fail(err, EW_EINPUT,
                           "%s:%zu: expected a closing quote before a comma or the end of the line",
                           p->table->path, p->line);
        }
        from++;
    } else {
        from += strcspn(from, ",");
        for (to = from; to > start && strchr(" \t", to[-1]);) {
            to--;
        }
    }
    *at = from;
    if (p->n_cells >= MAX_COLUMNS) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected at most %d columns", p->table->path,
                       p->line, MAX_COLUMNS);
    }
    p->cells[p->n_cells++] = start;
    if (to != from) {
        *to = '\0';
    }
    return EW_OK;
}

static enum ew_status read_cells(struct parser *p, char *line, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    p->n_cells = 0;
    for (char *at = line; status == EW_OK;) {
        status = read_cell(p, &at, err);
        if (status != EW_OK || *at == '\0') {
            break;
        }
        *at++ = '\0';
    }
    return status;
}

static enum ew_status keep_header(struct parser *p, const char *const *cells, struct ew_error *err)
{
    for (size_t i = 0; i < p->n_cells; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(cells[i], cells[j]) == 0) {
                return ew_fail(err, EW_EINPUT, "%s:%zu: column '%.64s' appears twice",
                               p->table->path, p->line, cells[i]);
            }
        }
    }
    p->table->columns = cells;
    p->table->n_columns = p->n_cells;
    return EW_OK;
}

static enum ew_status read_line(struct parser *p, const char *text, size_t n, struct ew_error *err)
{
    while (n && strchr("\r \t", text[n - 1])) {
        n--;
    }
    if (n == 0 || text[0] == '#') {
        return EW_OK;
    }
    struct ew_arena *arena = &p->table->arena;
    char *line = ew_arena_calloc(arena, n + 1, 1);
    if (!line) {
        return ew_fail_memory(err);
    }
    memcpy(line, text, n);
    enum ew_status status = read_cells(p, line, err);
    if (status != EW_OK) {
        return status;
    }
    const char **cells = ew_arena_calloc(arena, p->n_cells, sizeof *cells);
    if (!cells) {
        return ew_fail_memory(err);
    }
    memcpy(cells, p->cells, p->n_cells * sizeof *cells);
    if (!p->table->columns) {
        return keep_header(p, cells, err);
    }
    if (p->n_cells != p->table->n_columns) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected %zu cells as in the header, found %zu",
                       p->table->path, p->line, p->table->n_columns, p->n_cells);
    }
    const struct ew_csv_row row = {p->line, cells};
    return ew_vec_push(&p->rows, row) ? EW_OK : ew_fail_memory(err);
}

static enum ew_status keep_rows(struct parser *p, struct ew_error *err)
{
    struct ew_csv_table *table = p->table;
    if (!table->columns) {
        return ew_fail(err, EW_EINPUT, "%s: expected a line of column names, found none",
                       table->path);
    }
    struct ew_csv_row *rows =
        ew_arena_calloc(&table->arena, p->rows.count ? p->rows.count : 1, sizeof *rows);
    if (!rows) {
        return ew_fail_memory(err);
    }
    if (p->rows.count) {
        memcpy(rows, p->rows.items, p->rows.count * sizeof *rows);
    }
    table->rows = rows;
    table->n_rows = p->rows.count;
    return EW_OK;
}

enum ew_status ew_csv_table_parse(struct ew_csv_table **out, const char *text, size_t size,
                                  const char *path, struct ew_error *err)
{
    struct ew_csv_table *table = calloc(1, sizeof *table);
    if (!table) {
        return ew_fail_memory(err);
    }
    struct parser p = {.table = table, .line = 1};
    table->path = ew_arena_strdup(&table->arena, path);
    enum ew_status status = table->path ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK && memchr(text, '\0', size)) {
        status = ew_fail(err, EW_EINPUT, "%s: expected text, found a zero byte", path);
    }
    const bool has_mark = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0; /* spreadsheets' */
    for (size_t at = has_mark ? 3 : 0; status == EW_OK && at < size; p.line++) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) - at : size - at;
        status = read_line(&p, text + at, length, err);
        at += length + 1;
    }
    if (status == EW_OK) {
        status = keep_rows(&p, err);
    }
    ew_vec_fini(&p.rows);
    if (status == EW_OK) {
        *out = table;
    } else {
        ew_csv_table_free(table);
    }
    return status;
}

enum ew_status ew_csv_table_load(struct ew_csv_table **out, const char *path, struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&text, &size, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = ew_csv_table_parse(out, text, size, path, err);
    }
    free(text);
    return status;
}

void ew_csv_table_free(struct ew_csv_table *table)
{
    if (table) {
        ew_arena_fini(&table->arena);
        free(table);
    }
}

bool ew_csv_table_find(size_t *out, const struct ew_csv_table *table, const char *column)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i], column) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

enum ew_status ew_csv_table_need(size_t *out, const struct ew_csv_table *table, const char *column,
                                 struct ew_error *err)
{
    if (ew_csv_table_find(out, table, column)) {
        return EW_OK;
    }
    struct ew_str found = {0};
    for (size_t i = 0; i < table->n_columns; i++) {
        ew_str_printf(&found, "%s%.40s", i ? ", " : "", table->columns[i]);
    }
    const enum ew_status status =
        ew_fail(err, EW_EINPUT, "%s: expected a column '%s', found %.400s", table->path, column,
                ew_str_text(&found));
    ew_str_fini(&found);
    return status;
}

enum ew_status ew_csv_table_number(double *out, const struct ew_csv_table *table,
                                   const struct ew_csv_row *row, size_t column, double min,
                                   double max, struct ew_error *err)
{
    double value;
    const char *cell = row->cells[column];
    if (!ew_parse_double(cell, &value) || value < min || value > max) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: %s: expected a number in %g .. %g, found '%.40s'",
                       table->path, row->line, table->columns[column], min, max, cell);
    }
    *out = value;
    return EW_OK;
}
