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

/** All functions return 0 on success. Messages are bytes; one process, one thread. */
struct ew_mpi_module {
    uint32_t struct_size;
    int (*begin)(int *rank, int *size);
    int (*send)(int to, const void *bytes, int size);
    /** Is there a message? From whom, and how long. */
    int (*probe)(bool *is_there, int *from, int *size);
    int (*receive)(int from, void *bytes, int size);
    int (*end)(void);
};

#endif
