/*
 * CSV files in: a header line, then rows of texts. Quotes as in RFC 4180 (no line breaks inside),
 * lines that begin with '#' are comments; spaces around cells and a byte order mark are dropped.
 * What the columns mean is the caller's business.
 */
#ifndef EW_IO_CSV_TABLE_H
#define EW_IO_CSV_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

/** One row; `line` is its number in the file, from 1. */
struct ew_csv_row {
    size_t line;
    const char *const *cells; /**< as many as there are columns */
};

/** A file in memory; texts live in its arena. Free with ew_csv_table_free. */
struct ew_csv_table {
    struct ew_arena arena;
    const char *path;
    size_t n_columns;
    const char *const *columns;
    size_t n_rows;
    const struct ew_csv_row *rows;
};

/** Parse. EW_EINPUT with file and line: no header, a column twice, a row of another length, an open
 *  quote, more than 256 columns. */
enum ew_status ew_csv_table_parse(struct ew_csv_table **out, const char *text, size_t size,
                                  const char *path, struct ew_error *err);
enum ew_status ew_csv_table_load(struct ew_csv_table **out, const char *path, struct ew_error *err);
void ew_csv_table_free(struct ew_csv_table *table);

/** Index of the column, or false. */
bool ew_csv_table_find(size_t *out, const struct ew_csv_table *table, const char *column);

/** Index of the column; EW_EINPUT names the columns there are. */
enum ew_status ew_csv_table_need(size_t *out, const struct ew_csv_table *table, const char *column,
                                 struct ew_error *err);

/** The cell as a finite number in [min, max]. EW_EINPUT with file, line, column and what is there.
 */
enum ew_status ew_csv_table_number(double *out, const struct ew_csv_table *table,
                                   const struct ew_csv_row *row, size_t column, double min,
                                   double max, struct ew_error *err);

#endif
