/*
 * Hub: the pool of processes across machines. Rank 0 hands items out to the other ranks as they
 * become free and gathers their answers; every other rank serves, with a foreman that runs its
 * workers. A rank that dies has its items done again by the others, and by rank 0's own workers
 * when there are no others.
 *
 * Every rank starts its foreman before it opens the hub, since MPI starts threads.
 */
#ifndef EW_SWEEP_MPI_HUB_H
#define EW_SWEEP_MPI_HUB_H

#include "sweep/foreman.h"

struct ew_mpi_hub;

/** Open the MPI module at `path` and join the others; the foreman is borrowed. `rank` receives
 * which one this is. EW_EIO. */
enum ew_status ew_mpi_hub_open(struct ew_mpi_hub **out, int *rank, const char *path,
                               struct ew_foreman *foreman, uint32_t n_jobs, struct ew_error *err);

/** Leave; accepts NULL. Rank 0 tells the others to end. */
void ew_mpi_hub_close(struct ew_mpi_hub *hub);

/** Not on rank 0: do what rank 0 hands out, until it says that all is done. EW_EIO when rank 0 is
 *  gone, EW_EINTR. */
enum ew_status ew_mpi_hub_serve(struct ew_mpi_hub *hub, const volatile int *interrupted,
                                struct ew_error *err);

/** On rank 0: tell the others now and then that it is alive, while it does other things. */
void ew_mpi_hub_beat(struct ew_mpi_hub *hub);

/** How many ranks have died. */
uint32_t ew_mpi_hub_lost(const struct ew_mpi_hub *hub);

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
