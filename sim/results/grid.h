/*
 * Grid of text cells, printed with aligned columns: the first column to the left, the others to the
 * right. A row may instead carry free text behind its first cell, and any row may be followed by
 * notes; both wrap at the given width.
 */
#ifndef EW_RESULTS_GRID_H
#define EW_RESULTS_GRID_H

#include "base/arena.h"
#include "base/text.h"
#include "base/vec.h"

enum { EW_GRID_COLUMNS = 16 };

struct ew_grid_row {
    const char *cells[EW_GRID_COLUMNS]; /**< NULL: nothing */
    const char *text;                   /**< instead of cells 1…; or NULL */
    const char *note;                   /**< on lines of its own below; or NULL */
};

/** Zero-initialise, set n_columns. */
struct ew_grid {
    struct ew_arena arena;
    uint32_t n_columns;
    bool ends_in_text; /**< the last column is to the left, too */
    EW_VEC(struct ew_grid_row) rows;
    bool ran_out_of_memory;
};

/** A new empty row; NULL when memory runs out. Valid until the next one is added. */
struct ew_grid_row *ew_grid_add(struct ew_grid *grid);

/** A formatted cell, owned by the grid; "" when memory runs out. */
const char *ew_grid_format(struct ew_grid *grid, const char *fmt, ...) EW_PRINTF(2, 3);

void ew_grid_print(struct ew_str *out, const struct ew_grid *grid, uint32_t width);
void ew_grid_fini(struct ew_grid *grid);

#endif
