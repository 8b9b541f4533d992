/*
 * The checks of a figure: what should hold between its values, and where the paper's own do not.
 */
#ifndef EW_SWEEP_REPRODUCE_CHECK_H
#define EW_SWEEP_REPRODUCE_CHECK_H

#include "sweep/reproduce_judge.h"

/** Fill result->checks; the rows must be judged. EW_ENOMEM. */
enum ew_status ew_repro_check(struct ew_repro_figure_result *result,
                              const struct ew_repro_record *records, struct ew_error *err);

#endif
