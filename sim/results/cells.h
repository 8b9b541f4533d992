/*
 * Typed cells one after the other in memory: rows on their way from one process to another. Same
 * program on both ends, so numbers travel as they are.
 */
#ifndef EW_RESULTS_CELLS_H
#define EW_RESULTS_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum ew_cell_kind { EW_CELL_NULL, EW_CELL_I64, EW_CELL_DOUBLE, EW_CELL_TEXT };

/** One cell; the text is borrowed and not terminated. */
struct ew_cell {
    enum ew_cell_kind kind;
    int64_t i64;
    double x;
    const char *text;
    size_t size;
};

/* Append a cell. Check out->failed at the end. */
void ew_cell_put_text(struct ew_str *out, const char *text); /**< NULL: a null */
void ew_cell_put_u64(struct ew_str *out, uint64_t x);        /**< beyond int64: as text */
void ew_cell_put_double(struct ew_str *out, double x);       /**< NAN, infinities: a null */
void ew_cell_put_bool(struct ew_str *out, bool x);

/** What is left to read. */
struct ew_cell_cursor {
    const char *at;
    size_t left;
};

/** The next cell; false at the end or when the rest is damaged. */
bool ew_cell_next(struct ew_cell *out, struct ew_cell_cursor *cursor);

#endif
