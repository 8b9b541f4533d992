#include "plugin/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "plugin/descriptor.h"
#include "plugin/guard.h"

void ew_registry_fini(struct ew_registry *registry)
{
    ew_vec_fini(&registry->dirs);
    ew_vec_fini(&registry->plugins);
    ew_arena_fini(&registry->arena);
}

enum ew_status ew_registry_add_dir(struct ew_registry *registry, const char *path, bool is_trusted,
                                   struct ew_error *err)
{
    const struct ew_plugin_dir dir = {ew_arena_strdup(&registry->arena, path), is_trusted};
    return dir.path && ew_vec_push(&registry->dirs, dir) ? EW_OK : ew_fail_memory(err);
}

/* ------------------------------------------------------------------------------------- opening */

static enum ew_status open_entry(const struct ew_strategy_entry **out, const char *path,
                                 struct ew_error *err)
{
    struct ew_str place = {0};
    ew_str_printf(&place, "%s%s", strchr(path, '/') ? "" : "./",
                  path); /* else it is searched for */
    if (place.failed) {
        return ew_fail_memory(err);
    }
    /* Not RTLD_DEEPBIND (sanitizers refuse it), never dlclose (see the header). */
    void *handle = dlopen(place.text, RTLD_NOW | RTLD_LOCAL);
    ew_str_fini(&place);
    if (!handle) {
        const char *why = dlerror();
        const size_t length = strlen(path);
        if (why && strncmp(why, path, length) == 0 && why[length] == ':') {
            why += length + 2; /* dlerror names the file again */
        }
        return ew_fail(err, EW_EPLUGIN, "%s: not a loadable shared object: %s", path,
                       why ? why : "unknown reason");
    }
    const struct ew_strategy_entry *entry = dlsym(handle, "ew_strategy_entry");
    if (!entry) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: not an EdgeWeave plugin: it exports no symbol "
                       "'ew_strategy_entry'",
                       path);
    }
    *out = entry;
    return EW_OK;
}

static enum ew_status read_descriptors(const struct ew_strategy_entry *entry, const char *path,
                                       struct ew_arena *arena, uint32_t *count,
                                       const struct ew_strategy_info *const **infos,
                                       struct ew_error *err)
{
    const uint32_t n = entry->count();
    if (n == 0 || n > EW_PLUGIN_MAX_STRATEGIES) {
        return ew_fail(err, EW_EPLUGIN, "%s: expected 1 to %d strategies, found %u", path,
                       EW_PLUGIN_MAX_STRATEGIES, n);
    }
    const struct ew_strategy_info **list = ew_arena_calloc(arena, n, sizeof *list);
    if (!list) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i] = entry->describe(i);
        const enum ew_status status = ew_strategy_info_check(list[i], path, err);
        if (status) {
            return status;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(list[k]->id, list[i]->id) == 0) {
                return ew_fail(err, EW_EPLUGIN, "%s: strategy '%s' is declared twice", path,
                               list[i]->id);
            }
        }
    }
    *count = n;
    *infos = list;
    return EW_OK;
}

static enum ew_status open_plugin(struct ew_plugin *plugin, struct ew_arena *arena,
                                  struct ew_error *err)
{
    enum ew_status status = open_entry(&plugin->entry, plugin->path, err);
    if (status == EW_OK) {
        status = ew_entry_check(plugin->entry, plugin->path, err);
    }
    if (status == EW_OK) {
        status = read_descriptors(plugin->entry, plugin->path, arena, &plugin->count,
                                  &plugin->infos, err);
    }
    return status;
}

static enum ew_status rehearse(void *ctx, struct ew_str *answer, struct ew_error *err)
{
    (void)answer;
    struct ew_arena arena = {0};
    struct ew_plugin plugin = {.path = ctx};
    const enum ew_status status = open_plugin(&plugin, &arena, err);
    ew_arena_fini(&arena);
    return status;
}

static enum ew_status open_in_child(const struct ew_registry *registry, const char *path,
                                    struct ew_error *err)
{
    const double limit_s = registry->open_limit_s > 0 ? registry->open_limit_s : 5;
    struct ew_str what = {0};
    ew_str_printf(&what, "%s: while being opened", path);
    const enum ew_status status =
        ew_guard_run(NULL, rehearse, (void *)path, limit_s, ew_str_text(&what), err);
    ew_str_fini(&what);
    return status;
}

static enum ew_status open_ranked(const struct ew_plugin **out, struct ew_registry *registry,
                                  const char *path, bool is_trusted, size_t rank,
                                  struct ew_error *err)
{
    for (size_t i = 0; i < registry->plugins.count; i++) {
        struct ew_plugin *known = registry->plugins.items[i];
        if (strcmp(known->path, path) == 0) {
            known->rank = rank < known->rank ? rank : known->rank;
            *out = known;
            return EW_OK;
        }
    }
    if (!ew_file_exists(path)) {
        return ew_fail(err, EW_EPLUGIN, "%s: no such plugin file", path);
    }
    if (!is_trusted) {
        const enum ew_status status = open_in_child(registry, path, err);
        if (status) {
            return status;
        }
    }
    struct ew_plugin *plugin = ew_arena_calloc(&registry->arena, 1, sizeof *plugin);
    const char *kept = ew_arena_strdup(&registry->arena, path);
    if (!plugin || !kept) {
        return ew_fail_memory(err);
    }
    plugin->path = kept;
    plugin->is_trusted = is_trusted;
    plugin->rank = rank;
    const enum ew_status status = open_plugin(plugin, &registry->arena, err);
    if (status) {
        return status;
    }
    if (!ew_vec_push(&registry->plugins, plugin)) {
        return ew_fail_memory(err);
    }
    *out = plugin;
    return EW_OK;
}

enum ew_status ew_registry_open(const struct ew_plugin **out, struct ew_registry *registry,
                                const char *path, bool is_trusted, struct ew_error *err)
{
    return open_ranked(out, registry, path, is_trusted, 0, err);
}

/* A plugin of the i-th directory. */
static enum ew_status open_from_dir(const struct ew_plugin **out, struct ew_registry *registry,
                                    const char *path, size_t i, struct ew_error *err)
{
    return open_ranked(out, registry, path, registry->dirs.items[i].is_trusted, i + 1, err);
}

/* ------------------------------------------------------------------------------------- finding */

static bool pick_from(struct ew_strategy_ref *out, const struct ew_plugin *plugin, const char *id)
{
    for (uint32_t i = 0; i < plugin->count; i++) {
        if (strcmp(plugin->infos[i]->id, id) == 0) {
            *out = (struct ew_strategy_ref){plugin, plugin->infos[i]};
            return true;
        }
    }
    return false;
}

static enum ew_status find_in_file(struct ew_strategy_ref *out, struct ew_registry *registry,
                                   const char *path, struct ew_error *err)
{
    const struct ew_plugin *plugin;
    const enum ew_status status = ew_registry_open(&plugin, registry, path, false, err);
    if (status) {
        return status;
    }
    if (plugin->count != 1) {
        return ew_fail(err, EW_EUSAGE,
                       "%s: expected a plugin with one strategy, found %u; use "
                       "--strategy-path and an id",
                       path, plugin->count);
    }
    *out = (struct ew_strategy_ref){plugin, plugin->infos[0]};
    return EW_OK;
}

/* DIR/NAME.so, malloc'ed; NULL when it is not there or memory ran out. */
static char *file_in(const struct ew_plugin_dir *dir, const char *name, size_t length)
{
    struct ew_str path = {0};
    ew_str_printf(&path, "%s/%.*s.so", dir->path, (int)length, name);
    if (path.failed || !ew_file_exists(ew_str_text(&path))) {
        ew_str_fini(&path);
        return NULL;
    }
    return path.text;
}

/* Try the files that by convention hold `id`. EW_ENOTSUP: none does. */
static enum ew_status find_by_name(struct ew_strategy_ref *out, struct ew_registry *registry,
                                   const char *id, struct ew_error *err)
{
    const char *dot = strchr(id, '.');
    const size_t lengths[] = {strlen(id), dot ? (size_t)(dot - id) : 0};
    for (size_t i = 0; i < registry->dirs.count; i++) {
        for (size_t k = 0; k < 2 && lengths[k]; k++) {
            char *path = file_in(&registry->dirs.items[i], id, lengths[k]);
            if (!path) {
                continue;
            }
            const struct ew_plugin *plugin = NULL;
            const enum ew_status status = open_from_dir(&plugin, registry, path, i, err);
            free(path);
            if (status || pick_from(out, plugin, id)) {
                return status;
            }
        }
    }
    return EW_ENOTSUP;
}

static bool find_among_files(struct ew_strategy_ref *out, const struct ew_registry *registry,
                             const char *id)
{
    for (size_t i = 0; i < registry->plugins.count; i++) {
        const struct ew_plugin *plugin = registry->plugins.items[i];
        if (plugin->rank == 0 && pick_from(out, plugin, id)) {
            return true;
        }
    }
    return false;
}

/* A look through everything. */
struct search {
    const char *id;
    struct ew_strategy_ref found;
    EW_VEC(const char *) ids;
    size_t n_problems;
    struct ew_error problem; /* the first */
};

static void consider(void *ctx, const struct ew_strategy_ref *ref)
{
    struct search *search = ctx;
    if (strcmp(ref->info->id, search->id) == 0) {
        search->found = *ref;
    }
    (void)ew_vec_push(&search->ids, ref->info->id); /* missing one costs a suggestion */
}

static void note_problem(void *ctx, const char *message)
{
    struct search *search = ctx;
    if (search->n_problems++ == 0) {
        (void)ew_fail(&search->problem, EW_EPLUGIN, "%s", message);
    }
}

static const char *id_at(const void *ctx, size_t i)
{
    return ((const struct search *)ctx)->ids.items[i];
}

static enum ew_status fail_unknown(const struct search *search, struct ew_error *err)
{
    const char *near = ew_nearest_name(search->id, search->ids.count, id_at, search);
    struct ew_str text = {0};
    ew_str_printf(&text, "there is no strategy '%s'%s%s%s", search->id,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    if (search->n_problems) {
        ew_str_printf(&text, "; %zu plugin%s could not be used, the first: %s", search->n_problems,
                      search->n_problems > 1 ? "s" : "", search->problem.message);
    } else if (!near) {
        ew_str_append(&text, "; `edgeweave list strategies` shows all");
    }
    const enum ew_status status =
        text.failed ? ew_fail_memory(err) : ew_fail(err, EW_EUSAGE, "%s", ew_str_text(&text));
    ew_str_fini(&text);
    return status;
}

enum ew_status ew_registry_find(struct ew_strategy_ref *out, struct ew_registry *registry,
                                const char *id_or_path, struct ew_error *err)
{
    const size_t length = strlen(id_or_path);
    if (strchr(id_or_path, '/') || (length > 3 && strcmp(id_or_path + length - 3, ".so") == 0)) {
        return find_in_file(out, registry, id_or_path, err);
    }
    if (find_among_files(out, registry, id_or_path)) {
        return EW_OK;
    }
    enum ew_status status = find_by_name(out, registry, id_or_path, err);
    if (status != EW_ENOTSUP) {
        return status;
    }
    struct search search = {.id = id_or_path};
    status = ew_registry_each(registry, consider, note_problem, &search, err);
    if (status == EW_OK && search.found.plugin) {
        *out = search.found;
    } else if (status == EW_OK) {
        status = fail_unknown(&search, err);
    }
    ew_vec_fini(&search.ids);
    return status;
}

/* -------------------------------------------------------------------------------------- listing */

struct path_list {
    char **items;
    size_t count;
    size_t capacity;
};

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum ew_status list_dir(struct path_list *out, const char *dir, struct ew_error *err)
{
    DIR *stream = opendir(dir);
    if (!stream) {
        return EW_OK; /* a missing directory holds no plugins */
    }
    enum ew_status status = EW_OK;
    for (struct dirent *entry; status == EW_OK && (entry = readdir(stream)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (length <= 3 || strcmp(entry->d_name + length - 3, ".so") != 0) {
            continue;
        }
        char *path = ew_path_join(dir, entry->d_name);
        if (!path || !ew_vec_push(out, path)) {
            free(path);
            status = ew_fail_memory(err);
        }
    }
    (void)closedir(stream);
    if (out->count) {
        qsort(out->items, out->count, sizeof *out->items, compare_text);
    }
    return status;
}

static int compare_refs(const void *a, const void *b)
{
    const struct ew_strategy_ref *x = a, *y = b;
    const int by_id = strcmp(x->info->id, y->info->id);
    if (by_id) {
        return by_id;
    }
    if (x->plugin->rank != y->plugin->rank) {
        return x->plugin->rank < y->plugin->rank ? -1 : 1;
    }
    return strcmp(x->plugin->path, y->plugin->path);
}

/* Open all plugins of the i-th directory. */
static enum ew_status open_dir(struct ew_registry *registry, size_t i,
                               void (*problem)(void *ctx, const char *message), void *ctx,
                               struct ew_error *err)
{
    struct path_list paths = {0};
    enum ew_status status = list_dir(&paths, registry->dirs.items[i].path, err);
    for (size_t k = 0; k < paths.count && status == EW_OK; k++) {
        const struct ew_plugin *plugin;
        struct ew_error bad = {0};
        status = open_from_dir(&plugin, registry, paths.items[k], i, &bad);
        if (status == EW_EPLUGIN) {
            if (problem) {
                problem(ctx, bad.message);
            }
            status = EW_OK;
        } else if (status && err) {
            *err = bad;
        }
    }
    for (size_t k = 0; k < paths.count; k++) {
        free(paths.items[k]);
    }
    ew_vec_fini(&paths);
    return status;
}

enum ew_status ew_registry_each(struct ew_registry *registry,
                                void (*visit)(void *ctx, const struct ew_strategy_ref *ref),
                                void (*problem)(void *ctx, const char *message), void *ctx,
                                struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t i = 0; i < registry->dirs.count && status == EW_OK; i++) {
        status = open_dir(registry, i, problem, ctx, err);
    }
    EW_VEC(struct ew_strategy_ref) refs = {0};
    for (size_t i = 0; i < registry->plugins.count && status == EW_OK; i++) {
        const struct ew_plugin *plugin = registry->plugins.items[i];
        for (uint32_t k = 0; k < plugin->count && status == EW_OK; k++) {
            const struct ew_strategy_ref ref = {plugin, plugin->infos[k]};
            status = ew_vec_push(&refs, ref) ? EW_OK : ew_fail_memory(err);
        }
    }
    if (status == EW_OK && refs.count) {
        qsort(refs.items, refs.count, sizeof *refs.items, compare_refs);
    }
    for (size_t i = 0; i < refs.count && status == EW_OK; i++) {
        if (i == 0 || strcmp(refs.items[i].info->id, refs.items[i - 1].info->id) != 0) {
            visit(ctx, &refs.items[i]);
        }
    }
    ew_vec_fini(&refs);
    return status;
}
