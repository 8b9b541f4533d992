/*
 * Finding and loading strategy plugins.
 *
 * Plugins are never closed again (registrations of their libraries could dangle). A plugin from
 * outside the install directory is first opened in a child process with a time limit, since its
 * constructors run at dlopen.
 */
#ifndef EW_PLUGIN_LOADER_H
#define EW_PLUGIN_LOADER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/vec.h"
#include "base/status.h"
#include "edgeweave/strategy.h"

enum { EW_PLUGIN_MAX_STRATEGIES = 256, EW_PLUGIN_MAX_PARAMS = 256 };

/** One opened plugin file. */
struct ew_plugin {
    const char *path;
    bool is_trusted; /**< from the install directory */
    size_t rank;     /**< of two strategies with one id, that of the lower rank counts: 0 for files
                          opened by name, then the directories in order */
    const struct ew_strategy_entry *entry;
    uint32_t count;
    const struct ew_strategy_info *const *infos;
};

/** A strategy that can be made. */
struct ew_strategy_ref {
    const struct ew_plugin *plugin;
    const struct ew_strategy_info *info;
};

/** A directory with plugins. */
struct ew_plugin_dir {
    const char *path;
    bool is_trusted;
};

/** Directories to look in and plugins opened so far. Zero-initialised is valid and empty. */
struct ew_registry {
    struct ew_arena arena;
    EW_VEC(struct ew_plugin_dir) dirs;
    EW_VEC(struct ew_plugin *) plugins;
    double open_limit_s; /**< time limit for opening untrusted plugins; 0: 5 s */
};

void ew_registry_fini(struct ew_registry *registry);

/** Add a directory; earlier ones win. Missing directories are fine. */
enum ew_status ew_registry_add_dir(struct ew_registry *registry, const char *path, bool is_trusted,
                                   struct ew_error *err);

/** Open one file and check it fully; opening it again gives the same plugin. Its strategies come
 *  before those of all directories. EW_EPLUGIN: not a plugin, wrong version, bad descriptors, or it
 *  crashed or hung while being opened. */
enum ew_status ew_registry_open(const struct ew_plugin **out, struct ew_registry *registry,
                                const char *path, bool is_trusted, struct ew_error *err);

/** Find a strategy by id, or by the path of a file that holds exactly one. Looks in files already
 *  opened by name, then for DIR/ID.so (and DIR/PREFIX.so for an id "prefix.name"), before opening
 *  everything. EW_EUSAGE with a suggestion when there is none; plugins that cannot be used are then
 *  mentioned. */
enum ew_status ew_registry_find(struct ew_strategy_ref *out, struct ew_registry *registry,
                                const char *id_or_path, struct ew_error *err);

/** Open every plugin in every directory; calls `visit` per strategy in id order. Files that are not
 *  plugins go to `problem` (may be NULL) and are skipped. */
enum ew_status ew_registry_each(struct ew_registry *registry,
                                void (*visit)(void *ctx, const struct ew_strategy_ref *ref),
                                void (*problem)(void *ctx, const char *message), void *ctx,
                                struct ew_error *err);

#endif
