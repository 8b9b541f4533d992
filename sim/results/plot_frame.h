/*
 * What kinds of plots share: columns by name, different values of a column, labels and units.
 */
#ifndef EW_RESULTS_PLOT_FRAME_H
#define EW_RESULTS_PLOT_FRAME_H

#include <stdint.h>

#include "base/text.h"
#include "base/vec.h"
#include "io/csv_table.h"

/** More texts in one column than this are an error: no plot can tell them apart. */
enum { EW_PLOT_MAX_TEXTS = 256 };

/** The different values of a column: numbers in order if all are, else texts as they appear. Free
 *  with ew_plot_values_fini. */
struct ew_plot_values {
    const char *name; /**< the column's */
    size_t column;
    bool is_number;
    EW_VEC(double) numbers;
    EW_VEC(const char *) texts;
};

/** Index of a column; EW_EUSAGE with the nearest name and the option that asked for it. */
enum ew_status ew_plot_column(size_t *out, const struct ew_csv_table *table, const char *option,
                              const char *name, struct ew_error *err);

/** Collect the values of a column, empty cells aside. `as_text`: even if all are numbers. */
enum ew_status ew_plot_values_read(struct ew_plot_values *out, const struct ew_csv_table *table,
                                   size_t column, bool as_text, struct ew_error *err);
size_t ew_plot_values_count(const struct ew_plot_values *values);
/** Index of a cell's value; false for an empty cell. */
bool ew_plot_values_find(size_t *out, const struct ew_plot_values *values, const char *cell);
/** The value as text, in `buffer` if it is a number. */
const char *ew_plot_values_text(const struct ew_plot_values *values, size_t index, char buffer[32]);
void ew_plot_values_fini(struct ew_plot_values *values);

/** Number in a cell, NAN when it is empty. EW_EINPUT for anything else. */
enum ew_status ew_plot_number(double *out, const struct ew_csv_table *table,
                              const struct ew_csv_row *row, size_t column, struct ew_error *err);

/** The column that comes `nth` (from 0) among those a sweep varies and that have more than one
 * value, `by` aside; NULL when there are not so many. Without a sweep's columns: NULL. */
enum ew_status ew_plot_axis(const char **out, const struct ew_csv_table *table, const char *by,
                            size_t nth, struct ew_error *err);

/** "latency_mean_s": name "mean latency", unit "s". */
void ew_plot_put_name(struct ew_str *out, const char *column);
const char *ew_plot_unit(const char *column);
/** A metric of which more is better. */
bool ew_plot_more_is_better(const char *column);

/** CSV cells: text (quoted if need be), number (NAN: empty), each with a comma in front. */
void ew_plot_put_text(struct ew_str *out, const char *text);
void ew_plot_put_number(struct ew_str *out, double x);
/** name and unit of a column as two cells */
void ew_plot_put_label(struct ew_str *out, const char *column);

#endif
