/*
 * Store: the results of a sweep in an SQLite file (schema in docs/sweeps.md). Points are registered
 * before they run; rows come in groups of one transaction each, so that a killed process leaves a
 * whole store that lacks at most the last group.
 *
 * Only sim/results/store*.c know SQLite. One process writes; others may read meanwhile.
 */
#ifndef EW_RESULTS_STORE_H
#define EW_RESULTS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

struct ew_store;

/** Version of the schema, in the file's user_version. */
enum { EW_STORE_SCHEMA = 1 };

/** Open for writing; made when missing. EW_EINPUT for a file that is no store, of another version,
 *  damaged or write-protected: it is left as it was. EW_EIO when the system refuses. */
enum ew_status ew_store_open(struct ew_store **out, const char *path, struct ew_error *err);

/** Open an existing one for reading only. */
enum ew_status ew_store_open_read(struct ew_store **out, const char *path, struct ew_error *err);

/** Fold the log into the file and close; accepts NULL. EW_EIO when that fails (the store is whole
 *  all the same). */
enum ew_status ew_store_close(struct ew_store *store, struct ew_error *err);

/** What is known of a point. */
enum ew_store_state {
    EW_STORE_NEW,
    EW_STORE_RUN,      /**< has a result */
    EW_STORE_CANNOT,   /**< failed because the strategy cannot serve: final */
    EW_STORE_FAILED,   /**< failed otherwise: worth another try */
    EW_STORE_REPEATED, /**< registered already in this round */
};

/** A point to register; borrowed. */
struct ew_store_point {
    uint64_t position;  /**< in the sweep */
    const char *id;     /**< hash of all that determines its result */
    const char *values; /**< JSON object of the varied keys */
    const char *scenario;
};

/* Register what the sweep has now, in one transaction: points from earlier forms of the sweep stay,
 * without a position. `axes`: JSON array of names; `sweep`: the sweep file. */
enum ew_status ew_store_register_begin(struct ew_store *store, const char *axes, const char *sweep,
                                       struct ew_error *err);
/** `number` receives what the tables call the point. */
enum ew_status ew_store_register(int64_t *number, enum ew_store_state *state,
                                 struct ew_store *store, const struct ew_store_point *point,
                                 struct ew_error *err);
enum ew_status ew_store_register_end(struct ew_store *store, struct ew_error *err);

/** Add the cells of ew_store_put_run or, `is_failure`, ew_store_put_failure; replaces what the
 *  point had. Not safe on disk before ew_store_commit. */
enum ew_status ew_store_add(struct ew_store *store, int64_t number, bool is_failure,
                            const char *cells, size_t size, struct ew_error *err);
enum ew_status ew_store_commit(struct ew_store *store, struct ew_error *err);

/** How many rows there are. */
struct ew_store_counts {
    uint64_t points, runs, failures;
};
enum ew_status ew_store_count(struct ew_store_counts *out, struct ew_store *store,
                              struct ew_error *err);

/** Take over all points of the store at `path`. A run wins over a failure; equal points must have
 *  equal runs apart from wall-clock columns, else EW_EINPUT. In one transaction. */
enum ew_status ew_store_merge(struct ew_store *store, const char *path, struct ew_error *err);

/** What to export; borrowed. */
struct ew_store_query {
    const char *table;   /**< "runs", "devices" or "failures" */
    const char *where;   /**< SQL condition; NULL: all */
    const char *columns; /**< names separated by commas; NULL: all */
    bool is_json;        /**< JSON lines instead of CSV */
    bool with_old;       /**< also points that the sweep has no more */
    const volatile int *interrupted; /**< not 0: stop with EW_EINTR; NULL: never */
};

/** Call `put` with the text piece by piece. EW_EUSAGE for a bad condition or an unknown column. */
enum ew_status ew_store_export(struct ew_store *store, const struct ew_store_query *query,
                               enum ew_status (*put)(void *ctx, const struct ew_str *text,
                                                     struct ew_error *err),
                               void *ctx, struct ew_error *err);

#endif
