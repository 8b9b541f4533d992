#include "io/profile_pool.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"
#include "io/profile_json.h"

static const char suffix[] = ".json";

/* Names of the profiles there are, for "did you mean". */
struct name_list {
    struct ew_arena arena;
    EW_VEC(const char *) names;
};

static const char *name_at(const void *ctx, size_t i)
{
    const struct name_list *list = ctx;
    return list->names.items[i];
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_directory(struct name_list *list, const char *path)
{
    DIR *directory = opendir(path);
    if (!directory) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        const size_t n = strlen(entry->d_name), m = sizeof suffix - 1;
        if (n > m && strcmp(entry->d_name + n - m, suffix) == 0) {
            const char *name = ew_arena_strndup(&list->arena, entry->d_name, n - m);
            if (name) {
                (void)ew_vec_push(&list->names, name); /* out of memory: one suggestion less */
            }
        }
    }
    (void)closedir(directory);
}

static enum ew_status fail_unknown(const struct ew_profile_pool *pool, const char *name,
                                   struct ew_error *err)
{
    struct name_list list = {0};
    struct ew_str looked = {0};
    for (size_t i = 0; i < pool->n_dirs; i++) {
        add_directory(&list, pool->dirs[i]);
        ew_str_printf(&looked, "%s%s", i ? ", " : "", pool->dirs[i]);
    }
    if (list.names.count) { /* directories have no order */
        qsort(list.names.items, list.names.count, sizeof *list.names.items, by_text);
    }
    const char *nearest = ew_nearest_name(name, list.names.count, name_at, &list);
    const enum ew_status status =
        ew_fail(err, EW_EINPUT, "no profile '%s' in %s%s%s%s", name, ew_str_text(&looked),
                nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    ew_str_fini(&looked);
    ew_vec_fini(&list.names);
    ew_arena_fini(&list.arena);
    return status;
}

/* First DIR/NAME.json there is. */
static char *find_file(const struct ew_profile_pool *pool, const char *name)
{
    struct ew_str file = {0};
    ew_str_printf(&file, "%s%s", name, suffix);
    char *path = NULL;
    for (size_t i = 0; !path && i < pool->n_dirs; i++) {
        path = ew_path_join(pool->dirs[i], ew_str_text(&file));
        if (path && !ew_file_exists(path)) {
            free(path);
            path = NULL;
        }
    }
    ew_str_fini(&file);
    return path;
}

enum ew_status ew_profile_pool_get(struct ew_profile **out, struct ew_profile_pool *pool,
                                   const char *name, struct ew_error *err)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (strcmp(pool->items[i]->name, name) == 0) {
            *out = pool->items[i];
            return EW_OK;
        }
    }
    if (!*name || strchr(name, '/')) {
        return ew_fail(err, EW_EINPUT,
                       "profile: expected a name like 'jetson_nano.tensorrt_fp16', found '%s'",
                       name);
    }
    char *path = find_file(pool, name);
    if (!path) {
        return fail_unknown(pool, name, err);
    }
    struct ew_profile *profile = NULL;
    enum ew_status status = ew_profile_load_json(&profile, path, err);
    free(path);
    if (status == EW_OK && !ew_vec_push(pool, profile)) {
        ew_profile_free(profile);
        status = ew_fail_memory(err);
    }
    if (status == EW_OK) {
        *out = profile;
    }
    return status;
}

void ew_profile_pool_give_away(struct ew_profile_pool *pool)
{
    pool->count = 0;
}

void ew_profile_pool_fini(struct ew_profile_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        ew_profile_free(pool->items[i]);
    }
    ew_vec_fini(pool);
}
