/*
 * What the MPI module exports. The module carries MPI; the program opens it only when it was
 * started by mpirun, so that nobody else pays for loading MPI. Includes no MPI header.
 */
#ifndef EW_SWEEP_MPI_MODULE_H
#define EW_SWEEP_MPI_MODULE_H

#include <stdbool.h>
#include <stdint.h>

/** Name of the one exported symbol, of type `const struct ew_mpi_module`. */
#define EW_MPI_MODULE_SYMBOL "ew_mpi_module"

struct ew_mpi;

/** All functions return 0 on success, and never wait for another rank unless they say so. Messages
 *  are bytes; one process, one thread. */
struct ew_mpi_module {
    uint32_t struct_size;
    /** Waits for all ranks. */
    int (*begin)(struct ew_mpi **out, int *rank, int *size);
    /** Copies the bytes; they leave in the background of later calls. */
    int (*send)(struct ew_mpi *mpi, int to, const void *bytes, int size);
    /** Is there a message? From whom, and how long. */
    int (*probe)(struct ew_mpi *mpi, bool *is_there, int *from, int *size);
    /** The message found by probe. */
    int (*receive)(struct ew_mpi *mpi, int from, void *bytes, int size);
    /** Waits for all ranks: only when all are alive. */
    int (*end)(struct ew_mpi *mpi);
};

#endif
