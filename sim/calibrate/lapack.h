/*
 * The two LAPACK routines that fits need, through LAPACKE. The library is opened at the first use,
 * so that the program starts without it.
 */
#ifndef EW_CALIBRATE_LAPACK_H
#define EW_CALIBRATE_LAPACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct ew_lapack;

/** Open the library; never closed. EW_ENOTSUP says what is missing. Free with ew_lapack_free. */
enum ew_status ew_lapack_open(struct ew_lapack **out, struct ew_error *err);
void ew_lapack_free(struct ew_lapack *lapack);

/** Minimise |A x - b|, n_rows >= n_columns, A by rows. A and b are overwritten, b[0..n_columns) is
 *  then x. False when A does not have full rank, or is too large. */
bool ew_lapack_least_squares(const struct ew_lapack *lapack, double *a, double *b, size_t n_rows,
                             size_t n_columns);

/** Singular values of A (by rows, overwritten), largest first, n_columns of them, and the right
 *  singular vectors as rows of `vt` [n_columns * n_columns]. n_rows >= n_columns. */
bool ew_lapack_singular(const struct ew_lapack *lapack, double *a, size_t n_rows, size_t n_columns,
                        double *values, double *vt);

#endif
