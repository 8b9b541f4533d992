/*
 * A platform file -> ew_platform, from the cache if it is there, through SimGrid otherwise.
 */
#ifndef EW_SWEEP_PLATFORM_LOAD_H
#define EW_SWEEP_PLATFORM_LOAD_H

#include <stddef.h>

#include "model/platform.h"
#include "sweep/simgrid_load.h"

struct ew_shelf;
struct ew_what_if;

/** What reading platforms takes; all borrowed. */
struct ew_platform_source {
    const char *const *profile_dirs; /**< searched after profiles/ beside the platform */
    size_t n_profile_dirs;
    struct ew_simgrid *simgrid;
    const char *cache_dir;            /**< NULL: no cache */
    const char *version;              /**< of the program */
    struct ew_shelf *shelf;           /**< what earlier setups opened (sweep/shelf.h); NULL: none */
    const struct ew_what_if *what_if; /**< sweep/override.h; NULL: as described. Without a shelf */
};

/** Load a platform. EW_EINPUT with file, line where known, and reason. Free with
 *  ew_platform_free. */
enum ew_status ew_platform_load(struct ew_platform **out, const struct ew_platform_source *source,
                                const char *path, struct ew_error *err);

#endif
