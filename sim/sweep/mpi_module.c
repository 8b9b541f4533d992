#include "sweep/mpi_module.h"

#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { TAG = 1 };

/* A message on its way. */
struct sending {
    MPI_Request request;
    void *bytes;
};

struct ew_mpi {
    EW_VEC(struct sending) sendings;
};

static int begin(struct ew_mpi **out, int *rank, int *size)
{
    int provided;
    struct ew_mpi *mpi = calloc(1, sizeof *mpi);
    if (!mpi || MPI_Init_thread(NULL, NULL, MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS) {
        free(mpi);
        return 1;
    }
    *out = mpi;
    /* a peer may die: that is for us to handle */
    (void)MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    return MPI_Comm_rank(MPI_COMM_WORLD, rank) != MPI_SUCCESS ||
           MPI_Comm_size(MPI_COMM_WORLD, size) != MPI_SUCCESS;
}

/* Forget messages that have left. Those to the dead never do, and stay. */
static void clean_up(struct ew_mpi *mpi)
{
    size_t kept = 0;
    for (size_t i = 0; i < mpi->sendings.count; i++) {
        struct sending *s = &mpi->sendings.items[i];
        int is_done = 0;
        if (MPI_Test(&s->request, &is_done, MPI_STATUS_IGNORE) != MPI_SUCCESS || is_done) {
            free(s->bytes);
        } else {
            mpi->sendings.items[kept++] = *s;
        }
    }
    mpi->sendings.count = kept;
}

static int send_bytes(struct ew_mpi *mpi, int to, const void *bytes, int size)
{
    struct sending s = {.bytes = malloc((size_t)size + 1)};
    clean_up(mpi);
    if (!s.bytes || !ew_vec_reserve_one(&mpi->sendings)) {
        free(s.bytes);
        return 1;
    }
    memcpy(s.bytes, bytes, (size_t)size);
    if (MPI_Isend(s.bytes, size, MPI_BYTE, to, TAG, MPI_COMM_WORLD, &s.request) != MPI_SUCCESS) {
        free(s.bytes);
        return 1;
    }
    mpi->sendings.items[mpi->sendings.count++] = s;
    return 0;
}

static int probe(struct ew_mpi *mpi, bool *is_there, int *from, int *size)
{
    MPI_Status status;
    int flag = 0;
    *is_there = false;
    clean_up(mpi);
    if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &flag, &status) != MPI_SUCCESS) {
        return 1;
    }
    if (!flag) {
        return 0;
    }
    *is_there = true;
    *from = status.MPI_SOURCE;
    return MPI_Get_count(&status, MPI_BYTE, size) != MPI_SUCCESS;
}

static int receive(struct ew_mpi *mpi, int from, void *bytes, int size)
{
    (void)mpi;
    return MPI_Recv(bytes, size, MPI_BYTE, from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) !=
           MPI_SUCCESS;
}

static int end(struct ew_mpi *mpi)
{
    const int is_bad = MPI_Finalize() != MPI_SUCCESS;
    for (size_t i = 0; i < mpi->sendings.count; i++) {
        free(mpi->sendings.items[i].bytes);
    }
    ew_vec_fini(&mpi->sendings);
    free(mpi);
    return is_bad;
}

extern const struct ew_mpi_module ew_mpi_module;

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct ew_mpi_module ew_mpi_module = {
    .struct_size = sizeof(struct ew_mpi_module),
    .begin = begin,
    .send = send_bytes,
    .probe = probe,
    .receive = receive,
    .end = end,
};
