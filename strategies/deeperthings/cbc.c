#include "deeperthings/cbc.h"

#include <coin/Cbc_C_Interface.h>
#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ the library */

/* What is used of the library: name without prefix, result, arguments. */
#define CBC_FUNCTIONS(X)                                                                           \
    X(newModel, Cbc_Model *, (void))                                                               \
    X(deleteModel, void, (Cbc_Model *))                                                            \
    X(setLogLevel, void, (Cbc_Model *, int))                                                       \
    X(setParameter, void, (Cbc_Model *, const char *, const char *))                               \
    X(loadProblem, void,                                                                           \
      (Cbc_Model *, const int, const int, const CoinBigIndex *, const int *, const double *,       \
       const double *, const double *, const double *, const double *, const double *))            \
    X(setInteger, void, (Cbc_Model *, int))                                                        \
    X(solve, int, (Cbc_Model *))                                                                   \
    X(isProvenOptimal, int, (Cbc_Model *))                                                         \
    X(isProvenInfeasible, int, (Cbc_Model *))                                                      \
    X(getColSolution, const double *, (Cbc_Model *))

struct cbc {
#define X(name, result, arguments) result(*name) arguments;
    CBC_FUNCTIONS(X)
#undef X
};

/* The table must agree with the header it was built with. */
#define X(name, result, arguments)                                                                 \
    _Static_assert(_Generic(&Cbc_##name, result(*) arguments : 1, default : 0),                    \
                   "Cbc_" #name " has another signature");
CBC_FUNCTIONS(X)
#undef X

#define LIBRARY "libCbcSolver.so.3"

struct cbc *cbc_open(char *reason, size_t reason_size)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        snprintf(reason, reason_size, "cannot open " LIBRARY ": %s", why ? why : "unknown");
        return NULL;
    }
    struct cbc *cbc = calloc(1, sizeof *cbc);
    if (!cbc) {
        snprintf(reason, reason_size, "out of memory");
        return NULL;
    }
    /* POSIX lets an object pointer from dlsym be copied into a function pointer. */
#define X(name, result, arguments)                                                                 \
    {                                                                                              \
        void *symbol = dlsym(library, "Cbc_" #name);                                               \
        if (!symbol) {                                                                             \
            snprintf(reason, reason_size, LIBRARY " has no Cbc_" #name);                           \
            free(cbc);                                                                             \
            return NULL;                                                                           \
        }                                                                                          \
        memcpy(&cbc->name, &symbol, sizeof symbol);                                                \
    }
    CBC_FUNCTIONS(X)
#undef X
    return cbc;
}

void cbc_close(struct cbc *cbc)
{
    free(cbc);
}

double cbc_infinity(void)
{
    return DBL_MAX;
}

/* ------------------------------------------------------------------ a program */

struct term {
    int row;
    int column;
    double value;
};

struct column {
    double cost;
    double upper;
    bool is_integer;
};

struct row {
    double lower;
    double upper;
};

struct cbc_program {
    struct column *columns;
    struct row *rows;
    struct term *terms;
    int n_columns;
    int n_rows;
    int n_terms;
    bool is_broken; /* memory ran out */
};

struct cbc_program *cbc_program_new(void)
{
    return calloc(1, sizeof(struct cbc_program));
}

void cbc_program_free(struct cbc_program *program)
{
    if (program) {
        free(program->columns);
        free(program->rows);
        free(program->terms);
        free(program);
    }
}

/* Room for one more of n items: capacities are powers of two. NULL, keeping the old, when memory
 * runs out. */
static void *grown(void *items, int n, size_t size, bool *is_broken)
{
    if (n > 0 && (n & (n - 1)) != 0) {
        return items;
    }
    void *more = realloc(items, (n ? 2 * (size_t)n : 1) * size);
    *is_broken = *is_broken || !more;
    return more ? more : items;
}

int cbc_program_column(struct cbc_program *program, double cost, double upper, bool is_integer)
{
    program->columns =
        grown(program->columns, program->n_columns, sizeof *program->columns, &program->is_broken);
    if (!program->is_broken) {
        program->columns[program->n_columns] = (struct column){cost, upper, is_integer};
        return program->n_columns++;
    }
    return 0;
}

int cbc_program_row(struct cbc_program *program, double lower, double upper)
{
    program->rows =
        grown(program->rows, program->n_rows, sizeof *program->rows, &program->is_broken);
    if (!program->is_broken) {
        program->rows[program->n_rows] = (struct row){lower, upper};
        return program->n_rows++;
    }
    return 0;
}

void cbc_program_term(struct cbc_program *program, int row, int column, double value)
{
    program->terms =
        grown(program->terms, program->n_terms, sizeof *program->terms, &program->is_broken);
    if (!program->is_broken) {
        program->terms[program->n_terms++] = (struct term){row, column, value};
    }
}

/* ------------------------------------------------------------------ solving */

/* The program by columns, as Cbc takes it. */
struct matrix {
    int *start;
    int *row;
    double *value;
    double *column_lower;
    double *column_upper;
    double *cost;
    double *row_lower;
    double *row_upper;
};

static bool allocate(struct matrix *m, const struct cbc_program *program)
{
    const size_t n = (size_t)program->n_columns + 2;
    m->start = calloc(n, sizeof *m->start);
    m->row = calloc((size_t)program->n_terms + 1, sizeof *m->row);
    m->value = calloc((size_t)program->n_terms + 1, sizeof *m->value);
    m->column_lower = calloc(n, sizeof *m->column_lower);
    m->column_upper = calloc(n, sizeof *m->column_upper);
    m->cost = calloc(n, sizeof *m->cost);
    m->row_lower = calloc((size_t)program->n_rows + 1, sizeof *m->row_lower);
    m->row_upper = calloc((size_t)program->n_rows + 1, sizeof *m->row_upper);
    return m->start && m->row && m->value && m->column_lower && m->column_upper && m->cost &&
           m->row_lower && m->row_upper;
}

static void release(struct matrix *m)
{
    free(m->start);
    free(m->row);
    free(m->value);
    free(m->column_lower);
    free(m->column_upper);
    free(m->cost);
    free(m->row_lower);
    free(m->row_upper);
}

/* Terms by column, in the order in which they came. */
static void sort_terms(struct matrix *m, const struct cbc_program *program)
{
    for (int i = 0; i < program->n_terms; i++) {
        m->start[program->terms[i].column + 2]++;
    }
    for (int c = 0; c < program->n_columns; c++) {
        m->start[c + 2] += m->start[c + 1];
    }
    for (int i = 0; i < program->n_terms; i++) {
        const int at = m->start[program->terms[i].column + 1]++;
        m->row[at] = program->terms[i].row;
        m->value[at] = program->terms[i].value;
    }
}

/* Parts of the golden ratio are spread evenly, and no few of them add up alike. */
static double tie_break(int column)
{
    const double golden = 0.6180339887498949;
    const double product = (column + 1) * golden;
    return product - floor(product);
}

static void fill(struct matrix *m, const struct cbc_program *program)
{
    double sum = 0.0;
    sort_terms(m, program);
    for (int c = 0; c < program->n_columns; c++) {
        sum += fabs(program->columns[c].cost);
    }
    for (int c = 0; c < program->n_columns; c++) {
        const struct column *column = &program->columns[c];
        m->column_upper[c] = column->upper;
        m->cost[c] = column->is_integer ? 1e-3 * tie_break(c) / program->n_columns : 0.0;
        m->cost[c] += sum > 0.0 ? 1000.0 * column->cost / sum : 0.0;
    }
    for (int r = 0; r < program->n_rows; r++) {
        m->row_lower[r] = program->rows[r].lower;
        m->row_upper[r] = program->rows[r].upper;
    }
}

static enum cbc_outcome solve(double *x, const struct matrix *m, const struct cbc_program *program,
                              const struct cbc *cbc)
{
    static const char *const settings[][2] = {
        {"threads", "0"},  {"randomCbcSeed", "1"},   {"randomSeed", "1"},
        {"ratioGap", "0"}, {"allowableGap", "1e-9"},
    };
    Cbc_Model *model = cbc->newModel();
    if (!model) {
        return CBC_NO_MEMORY;
    }
    cbc->setLogLevel(model, 0);
    cbc->loadProblem(model, program->n_columns, program->n_rows, m->start, m->row, m->value,
                     m->column_lower, m->column_upper, m->cost, m->row_lower, m->row_upper);
    for (int c = 0; c < program->n_columns; c++) {
        if (program->columns[c].is_integer) {
            cbc->setInteger(model, c);
        }
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        cbc->setParameter(model, settings[i][0], settings[i][1]);
    }
    cbc->solve(model);
    enum cbc_outcome outcome = cbc->isProvenInfeasible(model) ? CBC_INFEASIBLE : CBC_FAILED;
    if (cbc->isProvenOptimal(model)) {
        outcome = CBC_OPTIMAL;
        memcpy(x, cbc->getColSolution(model), (size_t)program->n_columns * sizeof *x);
    }
    cbc->deleteModel(model);
    return outcome;
}

enum cbc_outcome cbc_program_minimise(double *x, const struct cbc_program *program,
                                      const struct cbc *cbc)
{
    struct matrix m = {0};
    enum cbc_outcome outcome = CBC_NO_MEMORY;
    if (!program->is_broken && allocate(&m, program)) {
        fill(&m, program);
        outcome = solve(x, &m, program, cbc);
    }
    release(&m);
    return outcome;
}
