#include "sweep/mpi_module.h"

#include <mpi.h>
#include <stddef.h>

enum { TAG = 1 };

static int begin(int *rank, int *size)
{
    int provided;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS) {
        return 1;
    }
    /* a peer may die: that is for us to handle */
    (void)MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    return MPI_Comm_rank(MPI_COMM_WORLD, rank) != MPI_SUCCESS ||
           MPI_Comm_size(MPI_COMM_WORLD, size) != MPI_SUCCESS;
}

static int send_bytes(int to, const void *bytes, int size)
{
    return MPI_Send(bytes, size, MPI_BYTE, to, TAG, MPI_COMM_WORLD) != MPI_SUCCESS;
}

static int probe(bool *is_there, int *from, int *size)
{
    MPI_Status status;
    int flag = 0;
    if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &flag, &status) != MPI_SUCCESS) {
        return 1;
    }
    *is_there = flag != 0;
    if (!flag) {
        return 0;
    }
    *from = status.MPI_SOURCE;
    return MPI_Get_count(&status, MPI_BYTE, size) != MPI_SUCCESS;
}

static int receive(int from, void *bytes, int size)
{
    return MPI_Recv(bytes, size, MPI_BYTE, from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) !=
           MPI_SUCCESS;
}

static int end(void)
{
    return MPI_Finalize() != MPI_SUCCESS;
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
