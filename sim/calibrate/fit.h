/*
 * Fits of non-negative figures: measured[i] = sum over j of amounts[i][j] * x[j], x >= 0, such that
 * the sum of |relative errors| is small (iteratively reweighted, so that one throttled row bends
 * nothing). Knows nothing of layers, watts or bytes.
 */
#ifndef EW_CALIBRATE_FIT_H
#define EW_CALIBRATE_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "calibrate/lapack.h"

enum { EW_FIT_MAX_COLUMNS = 16 };

/** A problem; borrowed. */
struct ew_fit {
    size_t n_rows;
    size_t n_columns;
    const double *amounts;  /**< [row * n_columns + column], >= 0 */
    const double *measured; /**< per row, > 0 */
    const double *known;    /**< per row: part of what was measured that is not fitted; NULL: 0 */
    const bool *is_used;    /**< per column: others stay 0; NULL: all */
    const size_t *groups;  /**< per row: rows of one group are left out together; NULL: each its own
                            */
    const double *weights; /**< per row; NULL: 1 */
};

/** Leave nothing out. */
#define EW_FIT_ALL ((size_t)-1)

/** Solve for x[n_columns], without the rows of group `without`. EW_ENOMEM, or EW_EINPUT when no row
 *  is left. */
enum ew_status ew_fit_solve(double *x, const struct ew_lapack *lapack, const struct ew_fit *fit,
                            size_t without, struct ew_error *err);

/** Predicted value of a row. */
double ew_fit_predict(const struct ew_fit *fit, const double *x, size_t row);

/** Which columns the rows determine. Columns are scaled by the rows' measured values, so a column
 *  that never makes up more than 1e-6 of any row counts as absent. */
struct ew_fit_rank {
    size_t rank;                        /**< of the used columns */
    bool is_absent[EW_FIT_MAX_COLUMNS]; /**< no row has any of it */
    bool is_mixed[EW_FIT_MAX_COLUMNS];  /**< only sums with other such columns are determined */
    double condition;                   /**< largest over smallest singular value; INFINITY */
    /** Standard error of each figure for relative errors of standard deviation 1 in every row, as
     *  least squares would have it; 0 where not determined. */
    double error[EW_FIT_MAX_COLUMNS];
};

enum ew_status ew_fit_rank(struct ew_fit_rank *out, const struct ew_lapack *lapack,
                           const struct ew_fit *fit, struct ew_error *err);

#endif
