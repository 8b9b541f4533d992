#include "results/grid.h"

#include <stdio.h>
#include <string.h>

struct ew_grid_row *ew_grid_add(struct ew_grid *grid)
{
    if (!ew_vec_push(&grid->rows, (struct ew_grid_row){0})) {
        grid->ran_out_of_memory = true;
        return NULL;
    }
    return &grid->rows.items[grid->rows.count - 1];
}

const char *ew_grid_format(struct ew_grid *grid, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = n < 0 ? NULL : ew_arena_calloc(&grid->arena, (size_t)n + 1, 1);
    if (text) {
        (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    } else {
        grid->ran_out_of_memory = true;
    }
    va_end(again);
    return text ? text : "";
}

/* Columns on a terminal: UTF-8 continuation bytes take none. */
static size_t text_width(const char *text)
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        n += ((unsigned char)*p & 0xc0) != 0x80;
    }
    return n;
}

static void put_blanks(struct ew_str *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ew_str_append_n(out, " ", 1);
    }
}

/* Words of `text`, broken so that no line passes `width` where a word allows it. The cursor stands
 * at `indent`; so do all further lines. */
static void put_wrapped(struct ew_str *out, const char *text, size_t indent, size_t width)
{
    size_t at = indent;
    for (const char *p = text + strspn(text, " \r\n\t"); *p; p += strspn(p, " \r\n\t")) {
        const size_t length = strcspn(p, " \r\n\t");
        char word[128];
        (void)snprintf(word, sizeof word, "%.*s", (int)(length < 127 ? length : 127), p);
        const size_t word_width = length < 127 ? text_width(word) : length;
        if (at > indent && at + 1 + word_width > width) {
            ew_str_append(out, "\n");
            put_blanks(out, indent);
            at = indent;
        } else if (at > indent) {
            put_blanks(out, 1);
            at++;
        }
        ew_str_append_n(out, p, length);
        at += word_width;
        p += length;
    }
}

static void measure(size_t widths[EW_GRID_COLUMNS], const struct ew_grid *grid)
{
    memset(widths, 0, EW_GRID_COLUMNS * sizeof *widths);
    for (size_t r = 0; r < grid->rows.count; r++) {
        for (uint32_t c = 0; c == 0 || c < grid->n_columns; c++) {
            const char *cell = grid->rows.items[r].cells[c];
            const size_t width = cell ? text_width(cell) : 0;
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
}

static void put_cells(struct ew_str *out, const struct ew_grid *grid, const size_t *widths,
                      const struct ew_grid_row *row)
{
    size_t pending = widths[0] - text_width(row->cells[0]);
    for (uint32_t c = 1; c < grid->n_columns; c++) {
        const char *cell = row->cells[c] ? row->cells[c] : "";
        const size_t width = text_width(cell);
        const bool is_left = grid->ends_in_text && c == grid->n_columns - 1;
        pending += 2 + (is_left ? 0 : widths[c] - width);
        if (width) {
            put_blanks(out, pending);
            ew_str_append(out, cell);
            pending = 0;
        }
    }
}

void ew_grid_print(struct ew_str *out, const struct ew_grid *grid, uint32_t width)
{
    size_t widths[EW_GRID_COLUMNS];
    measure(widths, grid);
    for (size_t r = 0; r < grid->rows.count; r++) {
        const struct ew_grid_row *row = &grid->rows.items[r];
        ew_str_append(out, row->cells[0]);
        if (row->text) {
            put_blanks(out, widths[0] - text_width(row->cells[0]) + 2);
            put_wrapped(out, row->text, widths[0] + 2, width);
        } else {
            put_cells(out, grid, widths, row);
        }
        ew_str_append(out, "\n");
        if (row->note) {
            put_blanks(out, widths[0] + 2);
            put_wrapped(out, row->note, widths[0] + 2, width);
            ew_str_append(out, "\n");
        }
    }
}

void ew_grid_fini(struct ew_grid *grid)
{
    ew_vec_fini(&grid->rows);
    ew_arena_fini(&grid->arena);
}
