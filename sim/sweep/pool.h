/*
 * Pool: worker processes that each do one item after the other. Items are numbers; what comes back
 * is bytes. Processes, because neither SimGrid nor a plugin may share one, and because a crash must
 * cost no more than its item.
 *
 * Items are handed out in groups that stay with one worker (equal problems: planned once), a few
 * groups ahead, so that workers do not wait. A worker that dies is replaced; when it had several
 * items in hand, they are done again one by one, so that the one to blame is found.
 */
#ifndef EW_SWEEP_POOL_H
#define EW_SWEEP_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"
#include "base/text.h"
#include "base/vec.h"
#include "sweep/item_queue.h"

enum { EW_POOL_MAX_WORKERS = 256 };

/** What a worker does; set before ew_pool_start. */
struct ew_pool_job {
    /** In the worker, once. */
    void *(*begin)(void *ctx);
    /** In the worker: append the answer for one item. */
    void (*work)(void *state, uint64_t item, struct ew_str *answer);
    /** In the worker, when there is nothing more to do; may be NULL. A worker that is killed never
     *  comes here. */
    void (*end)(void *state);
    void *ctx;
    double time_limit_s; /**< per item; INFINITY: none */
};

/** Why an item has no answer. */
enum ew_pool_end { EW_POOL_DONE, EW_POOL_DIED, EW_POOL_TIME_LIMIT };

/** One finished item. */
struct ew_pool_answer {
    uint64_t item;
    uint64_t tag; /**< as added */
    enum ew_pool_end end;
    int wait_status;   /**< of a worker that died */
    const char *bytes; /**< borrowed during the call */
    size_t size;
};

struct ew_pool;

/** Fork `n` workers. EW_EIO when the system refuses. */
enum ew_status ew_pool_start(struct ew_pool **out, const struct ew_pool_job *job, uint32_t n,
                             struct ew_error *err);

/** Hand an item to the pool's queue. Neighbours of the same `group` are done by the same worker.
 *  `tag` comes back with the answer; workers do not see it. */
enum ew_status ew_pool_add(struct ew_pool *pool, uint64_t item, uint64_t group, uint64_t tag,
                           struct ew_error *err);

/** Items added and not yet answered. */
uint64_t ew_pool_open_items(const struct ew_pool *pool);

/** Items that wait for a worker: keep a few, not all. */
uint64_t ew_pool_waiting_items(const struct ew_pool *pool);

/** Wait up to `timeout_ms` for answers and pass them on. A failure of `take` is returned. */
enum ew_status ew_pool_attend(struct ew_pool *pool, int timeout_ms,
                              enum ew_status (*take)(void *ctx, const struct ew_pool_answer *answer,
                                                     struct ew_error *err),
                              void *ctx, struct ew_error *err);

/** Forget items that no worker has yet; returns how many. */
uint64_t ew_pool_forget(struct ew_pool *pool);

/** Kill the workers and free; accepts NULL. */
void ew_pool_stop(struct ew_pool *pool);

/** In a process forked by `parent`: die with it, leave signals of the terminal to it. */
void ew_pool_become_worker(pid_t parent);

#endif
