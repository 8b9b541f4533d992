#include "sweep/platform_load.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "results/report.h"
#include "sweep/platform_cache.h"

enum { MAX_FILE_BYTES = 64 << 20 };

static enum ew_status import(struct ew_platform **out, const struct ew_platform_source *source,
                             const char *path, struct ew_error *err)
{
    const enum ew_status status = ew_simgrid_open(source->simgrid, err);
    return status == EW_OK ? source->simgrid->module->platform_import(
                                 out, path, source->profile_dirs, source->n_profile_dirs, err)
                           : status;
}

/* Entries count for one version of the program and one SimGrid module. */
static void print_key(struct ew_str *key, const struct ew_platform_source *source)
{
    struct stat st = {0};
    ew_str_printf(key, "edgeweave %s\n", source->version);
    if (source->simgrid->path && stat(source->simgrid->path, &st) == 0) {
        ew_str_printf(key, "simgrid module %lld bytes %lld.%09ld\n", (long long)st.st_size,
                      (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    }
}

/* Where profiles are searched: the same places, in the same order, as the import does. Returns a
 * malloc'ed list whose first entry is malloc'ed too; NULL when memory runs out. */
static const char **search_list(const struct ew_platform_source *source, const char *path)
{
    const char **list = calloc(source->n_profile_dirs + 1, sizeof *list);
    char *beside = ew_path_beside(path, "profiles");
    if (!list || !beside) {
        free(list);
        free(beside);
        return NULL;
    }
    list[0] = beside;
    for (size_t i = 0; i < source->n_profile_dirs; i++) {
        list[i + 1] = source->profile_dirs[i];
    }
    return list;
}

static enum ew_status load_cached(struct ew_platform **out, const struct ew_platform_source *source,
                                  const struct ew_platform_cache *cache, const char *path,
                                  struct ew_error *err)
{
    const char **dirs = search_list(source, path);
    if (!dirs) {
        return ew_fail_memory(err);
    }
    enum ew_status status = EW_OK;
    if (!ew_platform_cache_get(out, cache, path, dirs, source->n_profile_dirs + 1)) {
        struct ew_platform *platform = NULL;
        status = import(&platform, source, path, err);
        if (status == EW_OK) {
            /* not if somebody changed the file meanwhile */
            if (platform->content_hash ==
                ew_hash_bytes(EW_HASH_BEGIN, cache->xml, cache->xml_size)) {
                (void)ew_platform_cache_put(cache, platform, NULL);
            }
            *out = platform;
        }
    }
    free((void *)(uintptr_t)dirs[0]);
    free(dirs);
    return status;
}

enum ew_status ew_platform_load(struct ew_platform **out, const struct ew_platform_source *source,
                                const char *path, struct ew_error *err)
{
    if (!source->cache_dir) {
        return import(out, source, path, err);
    }
    char *xml = NULL;
    size_t xml_size = 0;
    struct ew_str key = {0};
    enum ew_status status = ew_file_read(&xml, &xml_size, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        print_key(&key, source);
        status = key.failed ? ew_fail_memory(err) : EW_OK;
    }
    if (status == EW_OK) {
        const struct ew_platform_cache cache = {source->cache_dir, ew_str_text(&key), xml,
                                                xml_size};
        status = load_cached(out, source, &cache, path, err);
    }
    ew_str_fini(&key);
    free(xml);
    return status;
}
