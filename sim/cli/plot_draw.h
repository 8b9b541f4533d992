/*
 * Results in, figures out: what `plot` and `report` share.
 */
#ifndef EW_CLI_PLOT_DRAW_H
#define EW_CLI_PLOT_DRAW_H

#include "cli/cli.h"
#include "results/plot_data.h"

enum { EW_PLOT_MAX_BYTES = 256 << 20 };

/** Load results: a store, an export of it, or a file of a result directory. `file`: which one;
 *  `is_directory`: nothing else will do. */
enum ew_status ew_plot_load(struct ew_csv_table **out, struct ew_cli *cli, const char *input,
                            const char *file, bool is_directory, struct ew_error *err);

/** How a figure looks; borrowed, NULL: the script's default. */
struct ew_plot_look {
    const char *script; /**< in plots/, without suffix */
    const char *format; /**< png, svg, pdf */
    const char *title;
    const char *log;
};

/** Draw data into memory; free `out`. EW_EIO without gnuplot. */
enum ew_status ew_plot_draw(char **out, size_t *size, const struct ew_cli *cli,
                            const struct ew_plot_look *look, const struct ew_str *data,
                            struct ew_error *err);

#endif
