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
    const char *other_suffix; /* tried after the first; or NULL */
};

static const struct kind_info KINDS[EW_PATH_KIND_COUNT] = {
    [EW_PATH_GRAPH] = {"graph", "graphs", ".json", ".onnx"},
    [EW_PATH_PLATFORM] = {"platform", "platforms", ".xml", NULL},
    [EW_PATH_PROFILE] = {"profile", "platforms/profiles", ".json", NULL},
    [EW_PATH_STRATEGY] = {"strategy plugin", NULL, ".so", NULL},
    [EW_PATH_REPRODUCTION] = {"paper", "reproductions", ".json", NULL},
    [EW_PATH_PLOT] = {"plot", "plots", ".gp", NULL},
};

static bool ends_with(const char *text, const char *suffix)
{
    const size_t n = strlen(text), m = suffix ? strlen(suffix) : 0;
    return m > 0 && n > m && strcmp(text + n - m, suffix) == 0;
}

/* Does a word end like files of the kind? */
static bool has_suffix(enum ew_path_kind kind, const char *word)
{
    return ends_with(word, KINDS[kind].suffix) || ends_with(word, KINDS[kind].other_suffix);
}

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
    const char *worker = join(&paths->arena, prefix, "bin/edgeweave-worker");
    paths->worker = worker && ew_file_exists(worker) ? worker : NULL;
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

static uint32_t read_count(const char *variable, uint32_t otherwise)
{
    const char *text = getenv(variable);
    uint64_t n = otherwise;
    return text && ew_parse_u64(text, &n) && n < UINT32_MAX ? (uint32_t)n : otherwise;
}

/* What mpirun of Open MPI tells the processes that it starts. */
static void read_ranks(struct ew_paths *paths)
{
    const char *recovery = getenv("OMPI_MCA_orte_enable_recovery");
    paths->n_ranks = read_count("OMPI_COMM_WORLD_SIZE", 1);
    paths->rank = read_count("OMPI_COMM_WORLD_RANK", 0);
    paths->has_recovery = recovery && strcmp(recovery, "0") != 0;
}

enum ew_status ew_paths_init(struct ew_paths *out, const struct ew_args *args, struct ew_error *err)
{
    struct ew_paths paths = {0};
    const char *module = getenv("EW_SIMGRID_MODULE");
    enum ew_status status = add_options(&paths, args, err);
    read_ranks(&paths);
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
        if (e->d_name[0] != '.' && ends_with(e->d_name, suffix)) {
            const size_t n = strlen(e->d_name) - strlen(suffix);
            status = list_add(names, arena, ew_arena_strndup(arena, e->d_name, n), err);
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
        const char *dir = paths->dirs[kind].items[i];
        status = add_names(&names, dir, KINDS[kind].suffix, arena, err);
        if (status == EW_OK && KINDS[kind].other_suffix) {
            status = add_names(&names, dir, KINDS[kind].other_suffix, arena, err);
        }
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
    if (has_suffix(kind, name)) {
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

/* dir/name + suffix if there is such a file. */
static const char *find_in(const char *dir, const char *name, const char *suffix,
                           struct ew_arena *arena)
{
    struct ew_str path = {0};
    ew_str_printf(&path, "%s/%s%s", dir, name, suffix);
    const char *found = NULL;
    if (!path.failed && ew_file_exists(ew_str_text(&path))) {
        found = ew_arena_strdup(arena, ew_str_text(&path));
    }
    ew_str_fini(&path);
    return found;
}

enum ew_status ew_paths_find(const char **out, const struct ew_paths *paths, enum ew_path_kind kind,
                             const char *name_or_file, struct ew_arena *arena, struct ew_error *err)
{
    const bool is_file_name = has_suffix(kind, name_or_file);
    const char *suffixes[] = {is_file_name ? "" : KINDS[kind].suffix, KINDS[kind].other_suffix};
    const size_t n_suffixes = suffixes[1] && !is_file_name ? 2 : 1;
    if (strchr(name_or_file, '/') || (is_file_name && ew_file_exists(name_or_file))) {
        *out = ew_arena_strdup(arena, name_or_file);
        return *out ? EW_OK : ew_fail_memory(err);
    }
    for (size_t i = 0; i < paths->dirs[kind].count * n_suffixes; i++) {
        const char *found = find_in(paths->dirs[kind].items[i / n_suffixes], name_or_file,
                                    suffixes[i % n_suffixes], arena);
        if (found) {
            *out = found;
            return EW_OK;
        }
    }
    return unknown_name(paths, kind, name_or_file, arena, err);
}
