/*
 * Runs the scenarios of a reproduction: equal ones once, known ones from the cache, the others in
 * child processes side by side, so that a crash costs one row.
 *
 * A cache entry counts if everything that determines the result is unchanged: the program, the
 * scenario, and the content of graph, platform, device profiles and strategy plugin.
 */
#ifndef EW_SWEEP_REPRODUCE_RUN_H
#define EW_SWEEP_REPRODUCE_RUN_H

#include "plugin/loader.h"
#include "sweep/platform_load.h"
#include "sweep/reproduce_record.h"

/** All borrowed. */
struct ew_repro_runner {
    const struct ew_platform_source *source;
    struct ew_registry *registry;
    /** Turn names of graphs and platforms into paths. */
    enum ew_status (*find_files)(void *ctx, struct ew_scenario *scenario, struct ew_error *err);
    void *ctx;
    const char *cache_dir; /**< NULL: no cache */
    const char *build;     /**< changes when the program does */
    uint32_t n_jobs;       /**< processes at once */
    const volatile int *interrupted;
    /** `n_done` of `n_total` different runs are known; may be NULL. */
    void (*progress)(void *ctx, uint32_t n_done, uint32_t n_total);
    void *progress_ctx;
};

struct ew_repro_counts {
    uint32_t n_different;
    uint32_t n_cached;
};

/** Run `n` scenarios (texts of schema edgeweave.scenario/1 with one workload and one strategy).
 *  `records` holds `n` zeroed ones; free each. A scenario that cannot be planned or run is a record
 *  with its reason. EW_EINPUT for one that cannot be opened at all, EW_EINTR, EW_ENOMEM. */
enum ew_status ew_repro_run(struct ew_repro_record *records, struct ew_repro_counts *counts,
                            const struct ew_repro_runner *runner, size_t n,
                            const char *const *scenarios, struct ew_error *err);

#endif
