/*
 * COIN-OR Cbc behind a small table: integer programs, put together term by term and solved once.
 *
 * The library is opened when the first program is solved, not when the plugin is listed: loading it
 * with Clp, BLAS and LAPACK takes longer than most plans.
 */
#ifndef EDGEWEAVE_STRATEGIES_DEEPERTHINGS_CBC_H
#define EDGEWEAVE_STRATEGIES_DEEPERTHINGS_CBC_H

#include <stdbool.h>
#include <stddef.h>

struct cbc;
struct cbc_program;

enum cbc_outcome {
    CBC_OPTIMAL,
    CBC_INFEASIBLE,
    CBC_FAILED, /**< stopped: never expected of a bounded program */
    CBC_NO_MEMORY,
};

/** Open libCbcSolver.so.3. NULL with the reason when it is not there or is another version. */
struct cbc *cbc_open(char *reason, size_t reason_size);

/** Free the table; the library itself stays loaded. Accepts NULL. */
void cbc_close(struct cbc *cbc);

/** An empty program: min cost.x. Running out of memory while it is put together shows when it is
 *  solved. NULL when there is none at all; free with cbc_program_free. */
struct cbc_program *cbc_program_new(void);
void cbc_program_free(struct cbc_program *program);

/** Add a column with 0 <= x <= upper; returns its number. */
int cbc_program_column(struct cbc_program *program, double cost, double upper, bool is_integer);

/** Add a row with lower <= its terms <= upper; returns its number. */
int cbc_program_row(struct cbc_program *program, double lower, double upper);

/** Add value * x[column] to a row; once per row and column. */
void cbc_program_term(struct cbc_program *program, int row, int column, double value);

/** Stands for no bound. */
double cbc_infinity(void);

/** Solve with one thread and fixed seeds; `x` receives a value per column when optimal. Costs are
 *  scaled to add up to 1000 and get a tie-break of less than 1e-3 in all, so that the answer is
 *  unique in general and costs more than the optimum by one part in a million at most. */
enum cbc_outcome cbc_program_minimise(double *x, const struct cbc_program *program,
                                      const struct cbc *cbc);

#endif
