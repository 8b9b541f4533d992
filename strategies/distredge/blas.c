#include "distredge/blas.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The table must agree with the header it was built with. */
#define X(name, result, arguments)                                                                 \
    _Static_assert(_Generic(&name, result(*) arguments : 1, default : 0),                          \
                   #name " has another signature");
BLAS_FUNCTIONS(X)
#undef X

static const char *const LIBRARIES[] = {"libopenblas.so.0", "libblas.so.3"};

/* OpenBLAS starts its threads while it is loaded, before it can be told not to. */
static void *open_single_threaded(const char *name)
{
    static const char VARIABLE[] = "OPENBLAS_NUM_THREADS";
    bool is_ours = !getenv(VARIABLE) && setenv(VARIABLE, "1", 0) == 0;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (is_ours) {
        (void)unsetenv(VARIABLE);
    }
    return library;
}

/* POSIX lets an object pointer from dlsym be copied into a function pointer. */
static const char *find_functions(struct blas *blas, void *library)
{
#define X(name, result, arguments)                                                                 \
    {                                                                                              \
        void *symbol = dlsym(library, #name);                                                      \
        if (!symbol) {                                                                             \
            return #name;                                                                          \
        }                                                                                          \
        memcpy(&blas->name, &symbol, sizeof symbol);                                               \
    }
    BLAS_FUNCTIONS(X)
#undef X
    return NULL;
}

/* Somebody else may have loaded it with more threads. */
static void use_one_thread(void *library)
{
    void (*set_threads)(int) = NULL;
    void *symbol = dlsym(library, "openblas_set_num_threads");
    if (symbol) {
        memcpy(&set_threads, &symbol, sizeof symbol);
        set_threads(1);
    }
}

/* OpenBLAS chooses kernels by processor, and they round differently. */
static const char *name_kernels(void *library)
{
    char *(*core_name)(void) = NULL;
    void *symbol = dlsym(library, "openblas_get_corename");
    if (!symbol) {
        return "";
    }
    memcpy(&core_name, &symbol, sizeof symbol);
    return core_name();
}

int blas_open(struct blas *blas, char *reason, size_t reason_size)
{
    for (size_t i = 0; i < sizeof LIBRARIES / sizeof LIBRARIES[0]; i++) {
        void *library = open_single_threaded(LIBRARIES[i]);
        if (!library) {
            const char *why = dlerror();
            snprintf(reason, reason_size, "cannot open %s: %s", LIBRARIES[i],
                     why ? why : "unknown");
            continue;
        }
        const char *missing = find_functions(blas, library);
        if (!missing) {
            use_one_thread(library);
            blas->library = LIBRARIES[i];
            blas->kernels = name_kernels(library);
            return 0;
        }
        snprintf(reason, reason_size, "%s has no %s", LIBRARIES[i], missing);
    }
    return -1;
}
