#include "results/store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "results/store_row.h"

#define IS_WALL_CLOCK(name) (strcmp(name, "plan_time_s") == 0 || strcmp(name, "run_time_s") == 0)

static enum ew_status attach(struct ew_store *store, const char *uri, struct ew_error *err)
{
    sqlite3_stmt *s = NULL;
    const bool is_done =
        sqlite3_prepare_v2(store->db, "ATTACH ? AS other", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_bind_text(s, 1, uri, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_DONE;
    const enum ew_status status = is_done ? EW_OK : ew_store_fail(store, "cannot attach", err);
    (void)sqlite3_finalize(s);
    return status;
}

/* A point that both ran must have the same row, but for the time it took. */
static enum ew_status check_agreement(struct ew_store *store, const char *path,
                                      struct ew_error *err)
{
#define COLUMN_NAME(name, type, put) #name,
    static const char *const names[] = {EW_STORE_RUN_COLUMNS(COLUMN_NAME) NULL};
#undef COLUMN_NAME
    struct ew_str sql = {0};
    sqlite3_stmt *s = NULL;
    enum ew_status status = EW_OK;
    ew_str_append(&sql, "SELECT p.id FROM points p JOIN other.points q ON q.id = p.id"
                        " JOIN runs a ON a.point = p.point JOIN other.runs b ON b.point = q.point"
                        " WHERE 0");
    for (const char *const *name = names; *name; name++) {
        if (!IS_WALL_CLOCK(*name)) {
            ew_str_printf(&sql, " OR a.%s IS NOT b.%s", *name, *name);
        }
    }
    ew_str_append(&sql, " LIMIT 1");
    if (sql.failed || sqlite3_prepare_v2(store->db, sql.text, -1, &s, NULL) != SQLITE_OK) {
        status = sql.failed ? ew_fail_memory(err) : ew_store_fail(store, "cannot compare", err);
    } else {
        const int code = sqlite3_step(s);
        if (code == SQLITE_ROW) {
            status = ew_fail(err, EW_EINPUT,
                             "%s: point %s has another result in %s; stores of one sweep agree",
                             path, (const char *)sqlite3_column_text(s, 0), store->path);
        } else if (code != SQLITE_DONE) {
            status = ew_store_fail(store, "cannot compare", err);
        }
    }
    (void)sqlite3_finalize(s);
    ew_str_fini(&sql);
    return status;
}

/* Points get the next free numbers in the order of their positions. */
static const char COPY[] =
    "INSERT OR IGNORE INTO meta SELECT * FROM other.meta;"
    "INSERT INTO points(id, position, axis_values, scenario)"
    " SELECT id, position, axis_values, scenario FROM other.points WHERE 1"
    " ORDER BY position IS NULL, position, id"
    " ON CONFLICT(id) DO UPDATE SET position = coalesce(position, excluded.position);"
    "CREATE TEMP TABLE pairs AS SELECT q.point AS there, p.point AS here"
    " FROM other.points q JOIN points p ON p.id = q.id"
    " WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.point = p.point);"
    "DELETE FROM failures WHERE point IN (SELECT here FROM pairs WHERE there IN"
    " (SELECT point FROM other.runs));";

static enum ew_status copy_rows(struct ew_store *store, struct ew_error *err)
{
#define COLUMN_LIST(name, type, put) ", o." #name
    static const char runs[] = "INSERT INTO runs SELECT x.here" EW_STORE_RUN_COLUMNS(
        COLUMN_LIST) " FROM other.runs o JOIN temp.pairs x ON x.there = o.point;";
    static const char devices[] = "INSERT INTO devices SELECT x.here" EW_STORE_DEVICE_COLUMNS(
        COLUMN_LIST) " FROM other.devices o JOIN temp.pairs x ON x.there = o.point;";
#undef COLUMN_LIST
    static const char failures[] =
        "INSERT OR REPLACE INTO failures SELECT x.here, o.kind, o.message"
        " FROM other.failures o JOIN temp.pairs x ON x.there = o.point;"
        "DROP TABLE temp.pairs;";
    enum ew_status status = ew_store_execute(store, COPY, err);
    if (status == EW_OK) {
        status = ew_store_execute(store, runs, err);
    }
    if (status == EW_OK) {
        status = ew_store_execute(store, devices, err);
    }
    return status == EW_OK ? ew_store_execute(store, failures, err) : status;
}

enum ew_status ew_store_merge(struct ew_store *store, const char *path, struct ew_error *err)
{
    struct ew_store *other = NULL;
    enum ew_status status = ew_store_open_read(&other, path, err); /* checks it */
    if (status == EW_OK) {
        status = attach(store, other->uri, err);
    }
    (void)ew_store_close(other, NULL);
    if (status != EW_OK) {
        return status;
    }
    status = check_agreement(store, path, err);
    if (status == EW_OK) {
        status = ew_store_execute(store, "BEGIN IMMEDIATE", err);
    }
    if (status == EW_OK) {
        status = copy_rows(store, err);
        if (status == EW_OK) {
            status = ew_store_execute(store, "COMMIT", err);
        }
        if (status != EW_OK) {
            (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    (void)sqlite3_exec(store->db, "DETACH other", NULL, NULL, NULL);
    return status;
}
