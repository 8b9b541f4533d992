/*
 * Foreman: a process that runs a pool for another one, which hands it items through one pipe and
 * gets answers from another. For processes that must not fork later, since a library of theirs
 * (MPI) starts threads. Dies with the process that started it.
 */
#ifndef EW_SWEEP_FOREMAN_H
#define EW_SWEEP_FOREMAN_H

#include "sweep/pool.h"

struct ew_foreman;

/** An item to do. */
struct ew_foreman_item {
    uint64_t number, group;
};

/** In front of every answer. */
struct ew_foreman_head {
    uint64_t item;
    uint64_t size; /**< of the bytes that follow */
    int32_t end;   /**< enum ew_pool_end */
    int32_t wait_status;
};

/** Fork it, with `n` workers. EW_EIO when the system refuses. */
enum ew_status ew_foreman_start(struct ew_foreman **out, const struct ew_pool_job *job, uint32_t n,
                                struct ew_error *err);

/** Hand out items: a few at a time, with the answers taken in between. EW_EIO when it is gone. */
enum ew_status ew_foreman_give(struct ew_foreman *foreman, const struct ew_foreman_item *items,
                               size_t n, struct ew_error *err);

/** Wait up to `timeout_ms`, append the whole answers that have come, each behind its head. EW_EIO
 *  when the foreman is gone. */
enum ew_status ew_foreman_take(struct ew_str *out, struct ew_foreman *foreman, int timeout_ms,
                               struct ew_error *err);

/** End it and its workers; accepts NULL. */
void ew_foreman_stop(struct ew_foreman *foreman);

#endif
