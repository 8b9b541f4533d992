/*
 * Messages between the ranks of a distributed sweep, and what is in them. Nothing here waits for a
 * rank that may be dead.
 */
#ifndef EW_SWEEP_MPI_LINK_H
#define EW_SWEEP_MPI_LINK_H

#include <sys/types.h>

#include "base/text.h"
#include "sweep/mpi_module.h"

/** First byte of a message. */
enum ew_mpi_message {
    EW_MPI_HELLO = 'h',   /**< both ways, struct ew_mpi_hello: who is there */
    EW_MPI_BEAT = 'b',    /**< both ways: still there */
    EW_MPI_WORK = 'w',    /**< from rank 0: struct ew_foreman_item, several */
    EW_MPI_ANSWERS = 'a', /**< to rank 0: answers behind their heads (sweep/foreman.h) */
    EW_MPI_GIVE_UP = 'g', /**< to rank 0: has no workers any more */
    EW_MPI_STOP = 's',    /**< from rank 0: all is done; a byte: has a rank been lost? */
    EW_MPI_BYE = 'y',     /**< to rank 0: has read that */
};

enum { EW_MPI_HOST_SIZE = 64 };

struct ew_mpi_hello {
    char host[EW_MPI_HOST_SIZE];
    int64_t pid;
    uint32_t n_jobs;
    uint32_t reserved;
};

/** A rank on another host that is not heard of for EW_MPI_SILENCE_S is dead; it speaks every
 *  EW_MPI_BEAT_S. On the same host, a rank is dead when its process is. */
#define EW_MPI_SILENCE_S 60.0
#define EW_MPI_BEAT_S 0.5

/** Another rank, as seen from here. */
struct ew_mpi_peer {
    bool is_here; /**< on this host: its process can be looked at */
    pid_t pid;
    double heard_s; /**< CLOCK_MONOTONIC */
};

/** Zero-initialise; close with ew_mpi_link_close. */
struct ew_mpi_link {
    const struct ew_mpi_module *module;
    struct ew_mpi *mpi;
    int rank, size;
    char host[EW_MPI_HOST_SIZE];
    struct ew_str message; /**< the last one received, with its first byte */
    struct ew_str *parts;  /**< per rank: of a message that is still coming */
    struct ew_str scratch;
};

/** Open the module at `path` (NULL: there is none) and meet the others. EW_EIO. */
enum ew_status ew_mpi_link_open(struct ew_mpi_link *link, const char *path, struct ew_error *err);

/** `is_whole`: all ranks are alive and do the same; then MPI is told, which waits for them. */
void ew_mpi_link_close(struct ew_mpi_link *link, bool is_whole);

/** Send; a rank that cannot be reached is noticed by its silence. */
void ew_mpi_link_send(struct ew_mpi_link *link, int to, enum ew_mpi_message type, const void *bytes,
                      size_t size);

/** Say who this is. */
void ew_mpi_link_greet(struct ew_mpi_link *link, int to, uint32_t n_jobs);

/** The next message into link->message; false when there is none. */
bool ew_mpi_link_receive(struct ew_mpi_link *link, int *from);

/** Note whom a hello came from. */
void ew_mpi_link_meet(struct ew_mpi_peer *peer, struct ew_mpi_hello *hello,
                      const struct ew_mpi_link *link);

/** Has it died, as far as can be seen? */
bool ew_mpi_peer_is_lost(const struct ew_mpi_peer *peer, double now_s);

#endif
