/*
 * What `reproduce` prints and writes: tables, JSON, CSV files, figures.
 */
#ifndef EW_CLI_REPRODUCE_OUT_H
#define EW_CLI_REPRODUCE_OUT_H

#include "cli/cli.h"
#include "sweep/reproduce_judge.h"
#include "sweep/reproduce_run.h"

/** Everything there is to say; borrowed. */
struct ew_repro_report {
    const struct ew_reproduction *reproduction;
    bool is_quick;
    size_t n;
    const struct ew_repro_figure_result *figures;
};

/** Tables for people. */
void ew_repro_print_text(struct ew_str *out, const struct ew_repro_report *report);
/** The same as JSON (docs/outputs.md). */
void ew_repro_print_json(struct ew_str *out, const struct ew_repro_report *report);

/** Write PAPER_FIGURE.csv for every figure and PAPER_checks.csv into `dir`, made if missing. */
enum ew_status ew_repro_write_csv(const struct ew_repro_report *report, const char *dir,
                                  struct ew_error *err);

/** Have gnuplot draw PAPER_FIGURE.png and .svg from those files. Without gnuplot a warning. */
enum ew_status ew_repro_plot(struct ew_cli *cli, const struct ew_repro_report *report,
                             const char *dir, struct ew_error *err);

/** Is there a row without a value of ours? */
bool ew_repro_has_failures(const struct ew_repro_report *report);

#endif
