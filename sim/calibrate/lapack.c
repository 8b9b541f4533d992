#include "calibrate/lapack.h"

#include <dlfcn.h>
#include <lapacke.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What is used of the library: name without prefix, arguments. */
#define LAPACK_FUNCTIONS(X)                                                                        \
    X(dgels,                                                                                       \
      (int, char, lapack_int, lapack_int, lapack_int, double *, lapack_int, double *, lapack_int)) \
    X(dgesvd, (int, char, char, lapack_int, lapack_int, double *, lapack_int, double *, double *,  \
               lapack_int, double *, lapack_int, double *))

struct ew_lapack {
#define X(name, arguments) lapack_int(*name) arguments;
    LAPACK_FUNCTIONS(X)
#undef X
};

/* The table must agree with the header it was built with. */
#define X(name, arguments)                                                                         \
    _Static_assert(_Generic(&LAPACKE_##name, lapack_int(*) arguments : 1, default : 0),            \
                   "LAPACKE_" #name " has another signature");
LAPACK_FUNCTIONS(X)
#undef X

enum ew_status ew_lapack_open(struct ew_lapack **out, struct ew_error *err)
{
    void *library = dlopen("liblapacke.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        return ew_fail(err, EW_ENOTSUP, "cannot open liblapacke.so.3: %s", why ? why : "unknown");
    }
    struct ew_lapack *lapack = calloc(1, sizeof *lapack);
    if (!lapack) {
        return ew_fail_memory(err);
    }
    bool is_whole = true;
#define X(name, arguments)                                                                         \
    {                                                                                              \
        void *symbol = dlsym(library, "LAPACKE_" #name);                                           \
        is_whole = is_whole && symbol;                                                             \
        memcpy(&lapack->name, &symbol, sizeof lapack->name);                                       \
    }
    LAPACK_FUNCTIONS(X)
#undef X
    if (!is_whole) {
        free(lapack);
        return ew_fail(err, EW_ENOTSUP, "liblapacke.so.3: expected dgels and dgesvd");
    }
    *out = lapack;
    return EW_OK;
}

void ew_lapack_free(struct ew_lapack *lapack)
{
    free(lapack);
}

bool ew_lapack_least_squares(const struct ew_lapack *lapack, double *a, double *b, size_t n_rows,
                             size_t n_columns)
{
    if (n_rows < n_columns || n_rows > INT_MAX || n_columns < 1) {
        return false;
    }
    const lapack_int m = (lapack_int)n_rows, n = (lapack_int)n_columns;
    return lapack->dgels(LAPACK_ROW_MAJOR, 'N', m, n, 1, a, n, b, 1) == 0;
}

bool ew_lapack_singular(const struct ew_lapack *lapack, double *a, size_t n_rows, size_t n_columns,
                        double *values, double *vt)
{
    if (n_rows < n_columns || n_rows > INT_MAX || n_columns < 1) {
        return false;
    }
    const lapack_int m = (lapack_int)n_rows, n = (lapack_int)n_columns;
    double unused = 0;
    double *work = calloc(n_columns, sizeof *work);
    const bool is_done = work && lapack->dgesvd(LAPACK_ROW_MAJOR, 'N', 'A', m, n, a, n, values,
                                                &unused, 1, vt, n, work) == 0;
    free(work);
    return is_done;
}
