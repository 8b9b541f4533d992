/*
 * What all parts of a sweep share: its points, where files and strategies are. Set up before the
 * worker processes are forked, and not changed afterwards.
 */
#ifndef EW_SWEEP_SWEEP_CONTEXT_H
#define EW_SWEEP_SWEEP_CONTEXT_H

#include "plugin/loader.h"
#include "sweep/platform_load.h"
#include "sweep/sweep_points.h"

/** All borrowed. */
struct ew_sweep_context {
    const struct ew_sweep_points *points;
    const struct ew_platform_source *source;
    struct ew_registry *registry;
    /** Turn names of graphs and platforms into paths. */
    enum ew_status (*find_files)(void *ctx, struct ew_scenario *scenario, struct ew_error *err);
    void *ctx;
    const char *build; /**< changes when the program does */
};

#endif
