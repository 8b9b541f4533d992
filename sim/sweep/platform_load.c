#include "sweep/platform_load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "results/report.h"
#include "sweep/platform_cache.h"
#include "sweep/shelf.h"

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

static enum ew_status load_file(struct ew_platform **out, const struct ew_platform_source *source,
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

/* Make it of what the shelf has; false when that is another file, or its profiles have changed. */
static bool load_from_shelf(struct ew_platform **out, const struct ew_platform_source *source,
                            const char *path)
{
    const struct ew_shelf_file *file = &source->shelf->file;
    if (!file->path || strcmp(file->path, path) != 0) {
        return false;
    }
    const char **dirs = search_list(source, path);
    const struct ew_platform_cache cache = {NULL, "", file->xml, file->xml_size};
    const bool is_made =
        dirs && ew_platform_cache_parse(out, file->entry.text, file->entry.length, &cache, path,
                                        dirs, source->n_profile_dirs + 1);
    if (dirs) {
        free((void *)(uintptr_t)dirs[0]);
        free(dirs);
    }
    return is_made;
}

/* Keep what has been read; if that fails, it is read again next time. */
static void put_on_shelf(struct ew_shelf_file *file, const struct ew_platform *platform,
                         const char *path)
{
    struct ew_shelf_file made = {.path = strdup(path)};
    struct ew_error ignored = {0};
    if (made.path &&
        ew_file_read(&made.xml, &made.xml_size, path, MAX_FILE_BYTES, &ignored) == EW_OK &&
        platform->content_hash == ew_hash_bytes(EW_HASH_BEGIN, made.xml, made.xml_size)) {
        const struct ew_platform_cache cache = {NULL, "", made.xml, made.xml_size};
        ew_platform_cache_print(&made.entry, &cache, platform);
    }
    const bool is_whole = made.entry.length > 0 && !made.entry.failed;
    struct ew_shelf_file *drop = is_whole ? file : &made;
    free(drop->path);
    free(drop->xml);
    ew_str_fini(&drop->entry);
    if (is_whole) {
        *file = made;
    }
}

enum ew_status ew_platform_load(struct ew_platform **out, const struct ew_platform_source *source,
                                const char *path, struct ew_error *err)
{
    if (!source->shelf) {
        return load_file(out, source, path, err);
    }
    if (load_from_shelf(out, source, path)) {
        return EW_OK;
    }
    const enum ew_status status = load_file(out, source, path, err);
    if (status == EW_OK) {
        put_on_shelf(&source->shelf->file, *out, path);
    }
    return status;
}
