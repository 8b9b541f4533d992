#include "cli/paths.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"

#ifndef EW_INSTALL_LIBDIR
#define EW_INSTALL_LIBDIR "lib"
#endif

struct kind_info {
    const char *word;   /* for messages */
    const char *folder; /* in a data directory; NULL: not there */
    const char *suffix;
};

static const struct kind_info KINDS[EW_PATH_KIND_COUNT] = {
    [EW_PATH_GRAPH] = {"graph", "graphs", ".json"},
    [EW_PATH_PLATFORM] = {"platform", "platforms", ".xml"},
    [EW_PATH_PROFILE] = {"profile", "platforms/profiles", ".json"},
    [EW_PATH_STRATEGY] = {"strategy plugin", NULL, ".so"},
    [EW_PATH_REPRODUCTION] = {"paper", "reproductions", ".json"},
    [EW_PATH_PLOT] = {"plot", "plots", ".gp"},
};

/* --- lists ----------------------------------------------------------------------------------- */

/* Append a text that already lives in the arena. Capacities are powers of two. */
static enum ew_status list_add(struct ew_path_list *list, struct ew_arena *arena, const char *item,
                               struct ew_error *err)
{
    if (!item) {
        return ew_fail_memory(err);
    }
    if ((list->count & (list->count - 1)) == 0) {
        const char **grown =
            ew_arena_calloc(arena, list->count ? list->count * 2 : 1, sizeof *grown);
        if (!grown) {
            return ew_fail_memory(err);
        }
        if (list->count) {
            memcpy(grown, list->items, list->count * sizeof *grown);
        }
        list->items = grown;
    }
    list->items[list->count++] = item;
    return EW_OK;
}

/* dir/name in the arena; NULL when memory runs out. */
static const char *join(struct ew_arena *arena, const char *dir, const char *name)
{
    char *joined = ew_path_join(dir, name);
    const char *kept = joined ? ew_arena_strdup(arena, joined) : NULL;
    free(joined);
    return kept;
}

/* --- directories -------------------------------------------------------------------------------
 */

/* A data directory holds graphs/, platforms/ and so on. */
static enum ew_status add_data_dir(struct ew_paths *paths, const char *dir, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (int k = 0; status == EW_OK && k < EW_PATH_KIND_COUNT; k++) {
        if (KINDS[k].folder) {
            status = list_add(&paths->dirs[k], &paths->arena,
                              join(&paths->arena, dir, KINDS[k].folder), err);
        }
    }
    return status;
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum ew_status add_strategy_place(struct ew_paths *paths, const char *place,
                                         struct ew_error *err)
{
    struct ew_path_list *list =
        is_directory(place) ? &paths->dirs[EW_PATH_STRATEGY] : &paths->plugin_files;
    return list_add(list, &paths->arena, ew_arena_strdup(&paths->arena, place), err);
}

/* Call `add` for every part of a colon-separated variable. */
static enum ew_status add_variable(struct ew_paths *paths, const char *variable,
                                   enum ew_status (*add)(struct ew_paths *paths, const char *part,
                                                         struct ew_error *err),
                                   struct ew_error *err)
{
    const char *text = getenv(variable);
    enum ew_status status = EW_OK;
    while (status == EW_OK && text && *text) {
        const size_t n = strcspn(text, ":");
        const char *part = ew_arena_strndup(&paths->arena, text, n);
        if (!part) {
            return ew_fail_memory(err);
        }
        status = n ? add(paths, part, err) : EW_OK;
        text += n + (text[n] == ':');
    }
    return status;
}

/* Directory above the one the program is in: its prefix. NULL when unknown. */
static const char *program_prefix(struct ew_arena *arena)
{
    char exe[4096];
    const ssize_t n = readlink("/proc/self/exe", exe, sizeof exe);
    if (n <= 0 || (size_t)n >= sizeof exe) {
        return NULL;
    }
    exe[n] = '\0';
    for (int level = 0; level < 2; level++) {
        char *slash = strrchr(exe, '/');
        if (!slash) {
            return NULL;
        }
        *slash = '\0';
    }
    return ew_arena_strdup(arena, exe);
}

static enum ew_status add_program_dirs(struct ew_paths *paths, struct ew_error *err)
{
    static const char *const libs[] = {EW_INSTALL_LIBDIR "/edgeweave", "lib/edgeweave"};
    const char *prefix = program_prefix(&paths->arena);
    if (!prefix) {
        return EW_OK;
    }
    const char *share = join(&paths->arena, prefix, "share/edgeweave");
    enum ew_status status = share ? add_data_dir(paths, share, err) : ew_fail_memory(err);
    paths->first_own_strategy_dir = paths->dirs[EW_PATH_STRATEGY].count;
    const size_t n = strcmp(libs[0], libs[1]) == 0 ? 1 : 2;
    for (size_t i = 0; status == EW_OK && i < n; i++) {
        const char *lib = join(&paths->arena, prefix, libs[i]);
        const char *module = lib ? join(&paths->arena, lib, "simgrid_module.so") : NULL;
        const char *mpi = lib ? join(&paths->arena, lib, "mpi_module.so") : NULL;
        if (!module || !mpi) {
            return ew_fail_memory(err);
        }
        if (!paths->mpi_module && ew_file_exists(mpi)) {
            paths->mpi_module = mpi;
        }
        if (!paths->module && ew_file_exists(module)) {
            paths->module = module;
        }
        status = list_add(&paths->dirs[EW_PATH_STRATEGY], &paths->arena,
                          join(&paths->arena, lib, "strategies"), err);
    }
    return status;
}

static enum ew_status find_cache_dir(struct ew_paths *paths, struct ew_error *err)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (base && base[0] == '/') { /* the XDG rules: a relative one does not count */
        paths->cache_dir = join(&paths->arena, base, "edgeweave");
    } else if (home && home[0] == '/') {
        paths->cache_dir = join(&paths->arena, home, ".cache/edgeweave");
    } else {
        return EW_OK;
    }
    return paths->cache_dir ? EW_OK : ew_fail_memory(err);
}

static enum ew_status add_options(struct ew_paths *paths, const struct ew_args *args,
                                  struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < args->n_options; i++) {
        const struct ew_arg *arg = &args->options[i];
        if (arg->option == EW_OPTION_DATA_PATH) {
            status = add_data_dir(paths, arg->value, err);
        } else if (arg->option == EW_OPTION_STRATEGY_PATH) {
            status = add_strategy_place(paths, arg->value, err);
        }
    }
    return status;
}

/* What mpirun of Open MPI and of others (PMI) tells the processes that it starts. */
static uint32_t count_ranks(void)
{
    const char *text = getenv("OMPI_COMM_WORLD_SIZE");
    uint64_t n = 1;
    if (!text) {
        text = getenv("PMI_SIZE");
    }
    return text && ew_parse_u64(text, &n) && n > 1 && n < UINT32_MAX ? (uint32_t)n : 1;
}

enum ew_status ew_paths_init(struct ew_paths *out, const struct ew_args *args, struct ew_error *err)
{
    struct ew_paths paths = {0};
    const char *module = getenv("EW_SIMGRID_MODULE");
    paths.n_ranks = count_ranks();
    enum ew_status status = add_options(&paths, args, err);
    if (status == EW_OK) {
        status = add_variable(&paths, "EW_DATA_PATH", add_data_dir, err);
    }
    if (status == EW_OK) {
        status = add_variable(&paths, "EW_STRATEGY_PATH", add_strategy_place, err);
    }
    if (status == EW_OK && module && *module) {
        paths.module = ew_arena_strdup(&paths.arena, module);
        status = paths.module ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        status = add_program_dirs(&paths, err);
    }
    if (status == EW_OK) {
        status = find_cache_dir(&paths, err);
    }
    if (status == EW_OK) {
        *out = paths;
    } else {
        ew_paths_fini(&paths);
    }
    return status;
}

void ew_paths_fini(struct ew_paths *paths)
{
    ew_arena_fini(&paths->arena);
    *paths = (struct ew_paths){0};
}

/* --- names ----------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum ew_status add_names(struct ew_path_list *names, const char *dir, const char *suffix,
                                struct ew_arena *arena, struct ew_error *err)
{
    DIR *d = opendir(dir);
    if (!d) {
        return EW_OK; /* places need not exist */
    }
    enum ew_status status = EW_OK;
    for (const struct dirent *e = readdir(d); status == EW_OK && e; e = readdir(d)) {
        const size_t n = strlen(e->d_name), m = strlen(suffix);
        if (e->d_name[0] != '.' && n > m && strcmp(e->d_name + n - m, suffix) == 0) {
            status = list_add(names, arena, ew_arena_strndup(arena, e->d_name, n - m), err);
        }
    }
    (void)closedir(d);
    return status;
}

enum ew_status ew_paths_names(struct ew_path_list *out, const struct ew_paths *paths,
                              enum ew_path_kind kind, struct ew_arena *arena, struct ew_error *err)
{
    struct ew_path_list names = {0};
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < paths->dirs[kind].count; i++) {
        status = add_names(&names, paths->dirs[kind].items[i], KINDS[kind].suffix, arena, err);
    }
    if (status != EW_OK) {
        return status;
    }
    if (names.count) {
        qsort(names.items, names.count, sizeof *names.items, by_text);
    }
    size_t kept = 0;
    for (size_t i = 0; i < names.count; i++) {
        if (kept == 0 || strcmp(names.items[kept - 1], names.items[i]) != 0) {
            names.items[kept++] = names.items[i];
        }
    }
    names.count = kept;
    *out = names;
    return EW_OK;
}

static const char *name_at(const void *ctx, size_t i)
{
    return ((const struct ew_path_list *)ctx)->items[i];
}

static enum ew_status unknown_name(const struct ew_paths *paths, enum ew_path_kind kind,
                                   const char *name, struct ew_arena *arena, struct ew_error *err)
{
    struct ew_path_list names;
    const size_t n = strlen(name), m = strlen(KINDS[kind].suffix);
    if (n > m && strcmp(name + n - m, KINDS[kind].suffix) == 0) {
        return ew_fail(err, EW_EINPUT, "%s: no such file, neither here nor among the %ss", name,
                       KINDS[kind].word);
    }
    const enum ew_status status = ew_paths_names(&names, paths, kind, arena, err);
    if (status != EW_OK) {
        return status;
    }
    const char *near = ew_nearest_name(name, names.count, name_at, &names);
    return ew_fail(err, EW_EUSAGE, "unknown %s '%s'%s%s%s", KINDS[kind].word, name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum ew_status ew_paths_find(const char **out, const struct ew_paths *paths, enum ew_path_kind kind,
                             const char *name_or_file, struct ew_arena *arena, struct ew_error *err)
{
    const char *suffix = KINDS[kind].suffix;
    const size_t n = strlen(name_or_file), m = strlen(suffix);
    const bool has_suffix = n > m && strcmp(name_or_file + n - m, suffix) == 0;
    if (strchr(name_or_file, '/') || (has_suffix && ew_file_exists(name_or_file))) {
        *out = ew_arena_strdup(arena, name_or_file);
        return *out ? EW_OK : ew_fail_memory(err);
    }
    for (size_t i = 0; i < paths->dirs[kind].count; i++) {
        struct ew_str path = {0};
        ew_str_printf(&path, "%s/%s%s", paths->dirs[kind].items[i], name_or_file,
                      has_suffix ? "" : suffix);
        const char *found = NULL;
        if (!path.failed && ew_file_exists(ew_str_text(&path))) {
            found = ew_arena_strdup(arena, ew_str_text(&path));
        }
        ew_str_fini(&path);
        if (found) {
            *out = found;
            return EW_OK;
        }
    }
    return unknown_name(paths, kind, name_or_file, arena, err);
}
