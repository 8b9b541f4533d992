/*
 * Hub: the pool of processes across machines. Rank 0 hands items out to the other ranks as they
 * become free and gathers their answers; every other rank serves with a pool of its own. A rank
 * that dies has its items done again by the others.
 */
#ifndef EW_SWEEP_MPI_HUB_H
#define EW_SWEEP_MPI_HUB_H

#include "sweep/mpi_module.h"
#include "sweep/pool.h"

struct ew_mpi_hub;

/** Open the module at `path` and join the others. `rank` receives which one this is. EW_EIO. */
enum ew_status ew_mpi_hub_open(struct ew_mpi_hub **out, int *rank, const char *path,
                               struct ew_error *err);

/** Leave; accepts NULL. Rank 0 tells the others to end. */
void ew_mpi_hub_close(struct ew_mpi_hub *hub);

/** Not on rank 0: have the pool do what rank 0 hands out, until it says that all is done. */
enum ew_status ew_mpi_hub_serve(struct ew_mpi_hub *hub, struct ew_pool *pool,
                                const volatile int *interrupted, struct ew_error *err);

/* On rank 0, as in sweep/pool.h. */
enum ew_status ew_mpi_hub_add(struct ew_mpi_hub *hub, uint64_t item, uint64_t group, uint64_t tag,
                              struct ew_error *err);
uint64_t ew_mpi_hub_open_items(const struct ew_mpi_hub *hub);
uint64_t ew_mpi_hub_waiting_items(const struct ew_mpi_hub *hub);
uint64_t ew_mpi_hub_forget(struct ew_mpi_hub *hub);
enum ew_status ew_mpi_hub_attend(struct ew_mpi_hub *hub, int timeout_ms,
                                 enum ew_status (*take)(void *ctx,
                                                        const struct ew_pool_answer *answer,
                                                        struct ew_error *err),
                                 void *ctx, struct ew_error *err);

#endif
