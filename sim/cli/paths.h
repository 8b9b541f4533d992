/*
 * Where graphs, platforms, profiles, strategies, the SimGrid module and the cache are.
 *
 * Searched in this order: options (--data-path, --strategy-path), the environment
 * (EW_DATA_PATH, EW_STRATEGY_PATH, colon-separated), and the directories that belong to the
 * program: PREFIX/share/edgeweave and PREFIX/lib/edgeweave for PREFIX/bin/edgeweave. A build tree
 * has the same layout. The environment is read here and nowhere else.
 */
#ifndef EW_CLI_PATHS_H
#define EW_CLI_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "cli/args.h"

/** What is looked for. */
enum ew_path_kind {
    EW_PATH_GRAPH,
    EW_PATH_PLATFORM,
    EW_PATH_PROFILE,
    EW_PATH_STRATEGY,
    EW_PATH_REPRODUCTION,
    EW_PATH_PLOT,
    EW_PATH_KIND_COUNT,
};

/** A list of directories. */
struct ew_path_list {
    const char **items;
    size_t count;
};

/** All places. Zero-initialised is valid and empty. */
struct ew_paths {
    struct ew_arena arena;
    struct ew_path_list dirs[EW_PATH_KIND_COUNT];
    size_t first_own_strategy_dir; /**< from here on strategy directories belong to the program */
    struct ew_path_list plugin_files; /**< --strategy-path FILE.so */
    const char *module;               /**< the SimGrid module, NULL when not found */
    const char *worker;               /**< edgeweave-worker, NULL when not found */
    const char *mpi_module;           /**< NULL: built without MPI */
    uint32_t n_ranks;                 /**< started by mpirun as one of so many; else 1 */
    uint32_t rank;                    /**< which of them */
    bool has_recovery;                /**< mpirun lets the others live when one dies */
    const char *cache_dir;            /**< NULL: no home directory */
};

/** Find the program and read options and environment. */
enum ew_status ew_paths_init(struct ew_paths *out, const struct ew_args *args,
                             struct ew_error *err);
void ew_paths_fini(struct ew_paths *paths);

/** Sorted names of the files of a kind, without directory and suffix, each once. In `arena`. */
enum ew_status ew_paths_names(struct ew_path_list *out, const struct ew_paths *paths,
                              enum ew_path_kind kind, struct ew_arena *arena, struct ew_error *err);

/** Path of a thing given as NAME or FILE. A word with a '/' is a path, whether or not the file
 *  exists; so is a word with the kind's suffix if that file exists here. Anything else is a name in
 *  the kind's directories, and EW_EUSAGE suggests the nearest. The path lives in `arena`. */
enum ew_status ew_paths_find(const char **out, const struct ew_paths *paths, enum ew_path_kind kind,
                             const char *name_or_file, struct ew_arena *arena,
                             struct ew_error *err);

#endif
