/*
 * Profiles by name: looked up in a list of directories, each file loaded once.
 */
#ifndef EW_IO_PROFILE_POOL_H
#define EW_IO_PROFILE_POOL_H

#include <stddef.h>

#include "base/status.h"
#include "model/profile.h"

/** Profiles loaded so far. Set `dirs` (borrowed; searched in order), leave the rest zero. */
struct ew_profile_pool {
    const char *const *dirs;
    size_t n_dirs;
    struct ew_profile **items; /**< owned until ew_profile_pool_give_away */
    size_t count;
    size_t capacity;
};

/** The profile `name`, from DIR/NAME.json of the first directory that has it. EW_EINPUT when the
 *  name is no plain file name, there is no such file (with the nearest name), or it is bad. */
enum ew_status ew_profile_pool_get(struct ew_profile **out, struct ew_profile_pool *pool,
                                   const char *name, struct ew_error *err);

/** Forget the profiles without freeing them: somebody else owns them now. */
void ew_profile_pool_give_away(struct ew_profile_pool *pool);

/** Free the pool and the profiles it still owns. */
void ew_profile_pool_fini(struct ew_profile_pool *pool);

#endif
