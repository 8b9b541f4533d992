/*
 * COIN-OR Clp behind a small table: linear programs that are loaded once and solved again after
 * their bounds or costs changed.
 *
 * The library is opened when the first program is solved, not when the plugin is listed: loading it
 * with BLAS and LAPACK takes longer than most plans.
 */
#ifndef EDGEWEAVE_STRATEGIES_COEDGE_CLP_H
#define EDGEWEAVE_STRATEGIES_COEDGE_CLP_H

#include <stddef.h>

struct clp;
struct clp_model;

/** min cost.x, row_lower <= A x <= row_upper, column_lower <= x <= column_upper; A by columns. All
 *  borrowed. Use clp_infinity for a missing bound. */
struct clp_problem {
    int n_columns;
    int n_rows;
    const int *start; /**< n_columns + 1 */
    const int *row;   /**< start[n_columns] */
    const double *value;
    const double *column_lower;
    const double *column_upper;
    const double *cost;
    const double *row_lower;
    const double *row_upper;
};

enum clp_outcome {
    CLP_OPTIMAL,
    CLP_INFEASIBLE,
    CLP_FAILED, /**< unbounded or stopped: never expected of a bounded program */
};

/** Stands for no bound. */
double clp_infinity(void);

/** Open libClp.so.1. NULL with the reason when it is not there or is another version. */
struct clp *clp_open(char *reason, size_t reason_size);

/** Free the table; the library itself stays loaded. Accepts NULL. */
void clp_close(struct clp *clp);

/** Load a whole program; NULL when memory runs out. Free with clp_model_free. */
struct clp_model *clp_model_new(const struct clp *clp, const struct clp_problem *problem);
void clp_model_free(struct clp_model *model);

/** Change the column bounds, costs and upper row bounds to those of `problem`. */
void clp_model_update(struct clp_model *model, const struct clp_problem *problem);

/** Solve; `x` receives n_columns values when optimal. */
enum clp_outcome clp_model_solve(struct clp_model *model, double *x);

#endif
