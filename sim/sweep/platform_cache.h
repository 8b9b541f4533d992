/*
 * Platforms already read by SimGrid, kept in the user's cache directory, so that commands which
 * only need to know a platform do not start SimGrid (25 ms) for it.
 *
 * An entry holds the whole platform file it was made from and a key (version of the program, file
 * identity of the SimGrid module); both must be equal for the entry to count, so a hash collision
 * cannot mix up platforms. Device profiles are not kept: they are read afresh every time. An entry
 * that is damaged, foreign (another owner, a symbolic link) or cannot be read counts as absent.
 */
#ifndef EW_SWEEP_PLATFORM_CACHE_H
#define EW_SWEEP_PLATFORM_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "model/platform.h"

/** One platform file and where its entry would be. All borrowed. */
struct ew_platform_cache {
    const char *dir; /**< made when first written to */
    const char *key; /**< changes when entries made before must not count any more */
    const char *xml; /**< content of the platform file */
    size_t xml_size;
};

/** The platform from its entry; false when there is none that counts. `path` is the platform
 *  file's, `profile_dirs` are searched in order. */
bool ew_platform_cache_get(struct ew_platform **out, const struct ew_platform_cache *cache,
                           const char *path, const char *const *profile_dirs, size_t n_dirs);

/** Make an entry, unless it would be huge. EW_EIO when that fails: not worth stopping for. */
enum ew_status ew_platform_cache_put(const struct ew_platform_cache *cache,
                                     const struct ew_platform *platform, struct ew_error *err);

/** For tests: the same from and to memory, without a file. */
struct ew_str;
void ew_platform_cache_print(struct ew_str *out, const struct ew_platform_cache *cache,
                             const struct ew_platform *platform);
bool ew_platform_cache_parse(struct ew_platform **out, const char *bytes, size_t size,
                             const struct ew_platform_cache *cache, const char *path,
                             const char *const *profile_dirs, size_t n_dirs);

#endif
