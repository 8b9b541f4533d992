#include "coedge/clp.h"

#include <coin/Clp_C_Interface.h>
#include <dlfcn.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of the library: name without prefix, result, arguments. */
#define CLP_FUNCTIONS(X)                                                                           \
    X(newModel, Clp_Simplex *, (void))                                                             \
    X(deleteModel, void, (Clp_Simplex *))                                                          \
    X(setLogLevel, void, (Clp_Simplex *, int))                                                     \
    X(loadProblem, void,                                                                           \
      (Clp_Simplex *, const int, const int, const CoinBigIndex *, const int *, const double *,     \
       const double *, const double *, const double *, const double *, const double *))            \
    X(chgColumnLower, void, (Clp_Simplex *, const double *))                                       \
    X(chgColumnUpper, void, (Clp_Simplex *, const double *))                                       \
    X(chgObjCoefficients, void, (Clp_Simplex *, const double *))                                   \
    X(chgRowUpper, void, (Clp_Simplex *, const double *))                                          \
    X(dual, int, (Clp_Simplex *, int))                                                             \
    X(primal, int, (Clp_Simplex *, int))                                                           \
    X(status, int, (Clp_Simplex *))                                                                \
    X(numberColumns, int, (Clp_Simplex *))                                                         \
    X(getColSolution, const double *, (Clp_Simplex *))

struct clp {
#define X(name, result, arguments) result(*name) arguments;
    CLP_FUNCTIONS(X)
#undef X
};

/* The table must agree with the header it was built with. */
#define X(name, result, arguments)                                                                 \
    _Static_assert(_Generic(&Clp_##name, result(*) arguments : 1, default : 0),                    \
                   "Clp_" #name " has another signature");
CLP_FUNCTIONS(X)
#undef X

struct clp_model {
    const struct clp *clp;
    Clp_Simplex *simplex;
};

double clp_infinity(void)
{
    return DBL_MAX;
}

struct clp *clp_open(char *reason, size_t reason_size)
{
    void *library = dlopen("libClp.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        snprintf(reason, reason_size, "cannot open libClp.so.1: %s", why ? why : "unknown");
        return NULL;
    }
    struct clp *clp = calloc(1, sizeof *clp);
    if (!clp) {
        snprintf(reason, reason_size, "out of memory");
        return NULL;
    }
    /* POSIX lets an object pointer from dlsym be copied into a function pointer. */
#define X(name, result, arguments)                                                                 \
    {                                                                                              \
        void *symbol = dlsym(library, "Clp_" #name);                                               \
        if (!symbol) {                                                                             \
            snprintf(reason, reason_size, "libClp.so.1 has no Clp_" #name);                        \
            free(clp);                                                                             \
            return NULL;                                                                           \
        }                                                                                          \
        memcpy(&clp->name, &symbol, sizeof symbol);                                                \
    }
    CLP_FUNCTIONS(X)
#undef X
    return clp;
}

void clp_close(struct clp *clp)
{
    free(clp);
}

struct clp_model *clp_model_new(const struct clp *clp, const struct clp_problem *problem)
{
    struct clp_model *model = calloc(1, sizeof *model);
    if (!model) {
        return NULL;
    }
    model->clp = clp;
    model->simplex = clp->newModel();
    if (!model->simplex) {
        free(model);
        return NULL;
    }
    clp->setLogLevel(model->simplex, 0);
    clp->loadProblem(model->simplex, problem->n_columns, problem->n_rows, problem->start,
                     problem->row, problem->value, problem->column_lower, problem->column_upper,
                     problem->cost, problem->row_lower, problem->row_upper);
    return model;
}

void clp_model_free(struct clp_model *model)
{
    if (model) {
        model->clp->deleteModel(model->simplex);
        free(model);
    }
}

void clp_model_update(struct clp_model *model, const struct clp_problem *problem)
{
    model->clp->chgColumnLower(model->simplex, problem->column_lower);
    model->clp->chgColumnUpper(model->simplex, problem->column_upper);
    model->clp->chgObjCoefficients(model->simplex, problem->cost);
    model->clp->chgRowUpper(model->simplex, problem->row_upper);
}

enum clp_outcome clp_model_solve(struct clp_model *model, double *x)
{
    enum { STATUS_OPTIMAL = 0, STATUS_INFEASIBLE = 1 };
    const struct clp *clp = model->clp;
    clp->dual(model->simplex, 0);
    int status = clp->status(model->simplex);
    if (status != STATUS_OPTIMAL && status != STATUS_INFEASIBLE) {
        /* The dual simplex may give up after a change of costs; the primal has the last word. */
        clp->primal(model->simplex, 0);
        status = clp->status(model->simplex);
    }
    if (status == STATUS_OPTIMAL) {
        memcpy(x, clp->getColSolution(model->simplex),
               (size_t)clp->numberColumns(model->simplex) * sizeof *x);
        return CLP_OPTIMAL;
    }
    return status == STATUS_INFEASIBLE ? CLP_INFEASIBLE : CLP_FAILED;
}
