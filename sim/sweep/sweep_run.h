/*
 * Runs a sweep: registers its points in a store, has the missing ones done, and commits their rows
 * in groups.
 */
#ifndef EW_SWEEP_SWEEP_RUN_H
#define EW_SWEEP_SWEEP_RUN_H

#include "sweep/sweep_context.h"

enum { EW_SWEEP_FAILURE_SIZE = 512 };

/** How far a sweep is. */
struct ew_sweep_progress {
    uint64_t n_points; /**< of this sweep (or shard) */
    uint64_t n_known;  /**< that the store had before */
    uint64_t n_todo;   /**< the others */
    uint64_t n_done;   /**< of those */
    uint64_t n_cannot; /**< of the done ones: the strategy cannot serve */
    uint64_t n_failed; /**< of the done ones: failed otherwise */
    double begin_s;    /**< CLOCK_MONOTONIC when the first was handed out; 0: not yet */
    char first_failure[EW_SWEEP_FAILURE_SIZE];
    uint32_t n_lost_ranks; /**< that died; their points were done by others */
    bool is_helper;        /**< this process only worked for another, which has the results */
};

/** All borrowed. */
struct ew_sweep_options {
    const char *store_path;
    const char *sweep_text; /**< the sweep file, kept in the store */
    uint32_t n_jobs;
    uint32_t shard, n_shards; /**< 0 .. n_shards - 1 of at least 1 */
    bool keeps_going;         /**< after a failed point */
    double time_limit_s;      /**< per point; INFINITY: none */
    bool is_distributed;      /**< started by mpirun, several ranks */
    const char *mpi_module;   /**< NULL: built without */
    const volatile int *interrupted;
    void (*show)(void *ctx, const struct ew_sweep_progress *progress); /**< may be NULL */
    void *show_ctx;
};

/** Run what is missing. EW_EINTR when interrupted: what was done is in the store. EW_EIO, EW_EINPUT
 *  for the store; failed points are rows, not failures. */
enum ew_status ew_sweep_run(struct ew_sweep_progress *out, const struct ew_sweep_context *context,
                            const struct ew_sweep_options *options, struct ew_error *err);

/** What a sweep will be like. */
struct ew_sweep_estimate {
    uint64_t n_points;
    uint32_t n_samples; /**< points that were run for it */
    uint64_t n_failed;  /**< of them; not those that a strategy cannot serve */
    double seconds;     /**< for all points; NAN when no sample ended in time */
    char first_failure[EW_SWEEP_FAILURE_SIZE];
};

/** Run a few points spread over the sweep, for a few seconds at most. Nothing is kept. */
enum ew_status ew_sweep_estimate(struct ew_sweep_estimate *out,
                                 const struct ew_sweep_context *context,
                                 const struct ew_sweep_options *options, struct ew_error *err);

#endif
