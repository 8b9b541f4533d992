/*
 * Plots of what runs did: energy by state, tasks and messages over time.
 */
#ifndef EW_RESULTS_PLOT_RUN_H
#define EW_RESULTS_PLOT_RUN_H

#include "results/plot_data.h"

/** From energy.csv, or from a sweep's runs (columns off_energy_j ... rx_energy_j): per request. */
enum ew_status ew_plot_make_energy(struct ew_str *out, const struct ew_csv_table *table,
                                   const struct ew_plot_request *request, struct ew_error *err);

/** From tasks.csv: one request of one run. */
enum ew_status ew_plot_make_gantt(struct ew_str *out, const struct ew_csv_table *table,
                                  const struct ew_plot_request *request, struct ew_error *err);

#endif
