/*
 * Plot data: the tidy CSV that each kind of plot draws, made from exported results. Means, fronts,
 * winners and ranks are found here; scripts in plots/ only draw.
 */
#ifndef EW_RESULTS_PLOT_DATA_H
#define EW_RESULTS_PLOT_DATA_H

#include "base/text.h"
#include "io/csv_table.h"

/** What to plot; texts are borrowed, NULL: the kind's default. */
struct ew_plot_request {
    const struct ew_plot_kind *kind;
    const char *x;      /**< column */
    const char *y;      /**< column; of bars several, separated by commas */
    const char *by;     /**< column: one bar, line or colour for each of its values */
    const char *metric; /**< of heat maps: column by which the winner is found */
    uint64_t run;       /**< of gantt: number of the run */
    uint64_t request;   /**< of gantt: number of the request */
};

/** A kind of plot. */
struct ew_plot_kind {
    const char *name;
    const char *summary;
    const char *script;  /**< in plots/, without suffix */
    const char *table;   /**< the file of a result directory that it reads */
    bool is_directory;   /**< reads nothing but a result directory's file */
    const char *columns; /**< what its data has, for messages and documents */
    enum ew_status (*make)(struct ew_str *out, const struct ew_csv_table *table,
                           const struct ew_plot_request *request, struct ew_error *err);
};

/** All kinds, ended by one without a name. */
extern const struct ew_plot_kind ew_plot_kinds[];

/** The kind of that name; EW_EUSAGE suggests the nearest. */
enum ew_status ew_plot_kind_find(const struct ew_plot_kind **out, const char *name,
                                 struct ew_error *err);

/** Append the data of a plot as CSV. EW_EUSAGE for a column that the table does not have, EW_EINPUT
 *  when there is nothing to draw or a cell is no number. */
enum ew_status ew_plot_make(struct ew_str *out, const struct ew_csv_table *table,
                            const struct ew_plot_request *request, struct ew_error *err);

#endif
