#include "results/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/store_row.h"

/* "EdgW": tells our files from other SQLite files. */
#define APPLICATION_ID 0x45646757

enum { HEADER_BYTES = 100, BUSY_MS = 10000 };

#define COLUMN_DDL(name, type, put) ", " #name " " #type
#define COLUMN_MARK(name, type, put) ", ?"

static const char SCHEMA[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE points(point INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, position INTEGER,"
    " axis_values TEXT NOT NULL, scenario TEXT NOT NULL);"
    "CREATE TABLE runs(point INTEGER PRIMARY KEY REFERENCES points" EW_STORE_RUN_COLUMNS(
        COLUMN_DDL) ");"
                    "CREATE TABLE devices(point INTEGER NOT NULL REFERENCES "
                    "points" EW_STORE_DEVICE_COLUMNS(
                        COLUMN_DDL) ", PRIMARY KEY(point, device_id)) WITHOUT ROWID;"
                                    "CREATE TABLE failures(point INTEGER PRIMARY KEY REFERENCES "
                                    "points, kind TEXT NOT NULL,"
                                    " message TEXT NOT NULL);";

static const char *const STATEMENTS[EW_STATEMENT_COUNT] = {
    [EW_STATEMENT_REGISTER] =
        "INSERT INTO points(id, position, axis_values, scenario) VALUES(?1, ?2, ?3, ?4) "
        "ON CONFLICT(id) DO UPDATE SET position = ?2, axis_values = ?3, scenario = ?4",
    [EW_STATEMENT_STATE] =
        "SELECT p.point, p.position IS NOT NULL, r.point IS NOT NULL, f.kind FROM points p "
        "LEFT JOIN runs r ON r.point = p.point LEFT JOIN failures f ON f.point = p.point "
        "WHERE p.id = ?1",
    [EW_STATEMENT_ADD_RUN] =
        "INSERT OR REPLACE INTO runs VALUES(?" EW_STORE_RUN_COLUMNS(COLUMN_MARK) ")",
    [EW_STATEMENT_ADD_DEVICE] =
        "INSERT OR REPLACE INTO devices VALUES(?" EW_STORE_DEVICE_COLUMNS(COLUMN_MARK) ")",
    [EW_STATEMENT_ADD_FAILURE] = "INSERT OR REPLACE INTO failures VALUES(?, ?, ?)",
    [EW_STATEMENT_DROP_RUN] = "DELETE FROM runs WHERE point = ?1",
    [EW_STATEMENT_DROP_DEVICES] = "DELETE FROM devices WHERE point = ?1",
    [EW_STATEMENT_DROP_FAILURE] = "DELETE FROM failures WHERE point = ?1",
};

/* --- errors ------------------------------------------------------------------------------------
 */

enum ew_status ew_store_fail(const struct ew_store *store, const char *what, struct ew_error *err)
{
    const int code = sqlite3_errcode(store->db) & 0xff;
    if (code == SQLITE_NOMEM) {
        return ew_fail_memory(err);
    }
    if (code == SQLITE_FULL) {
        return ew_fail(err, EW_EIO, "%s: %s: the disk is full", store->path, what);
    }
    if (code == SQLITE_IOERR) { /* SQLite does not keep the cause; mostly it is this */
        return ew_fail(err, EW_EIO, "%s: %s: %s; is there room on the disk?", store->path, what,
                       sqlite3_errmsg(store->db));
    }
    if (code == SQLITE_CANTOPEN) {
        return ew_fail(err, EW_EIO,
                       "%s: %s: %s; if the folder is write-protected, copy the store with its -wal "
                       "file to one that is not",
                       store->path, what, sqlite3_errmsg(store->db));
    }
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        return ew_fail(err, EW_EINPUT, "%s: the store is damaged: %s", store->path,
                       sqlite3_errmsg(store->db));
    }
    return ew_fail(err, EW_EIO, "%s: %s: %s", store->path, what, sqlite3_errmsg(store->db));
}

enum ew_status ew_store_execute(struct ew_store *store, const char *sql, struct ew_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? EW_OK
               : ew_store_fail(store, "cannot write", err);
}

/* --- opening -----------------------------------------------------------------------------------
 */

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Look before SQLite touches anything: a foreign file stays as it is. */
static enum ew_status check_header(const char *path, struct ew_error *err)
{
    unsigned char header[HEADER_BYTES];
    const int fd = open(path, O_RDONLY);
    if (fd < 0) {
        return ew_fail(err, EW_EINPUT, "%s: cannot open the store: %s", path, strerror(errno));
    }
    const ssize_t n = read(fd, header, sizeof header);
    const int cause = errno;
    (void)close(fd);
    if (n <= 0) {
        return ew_fail(err, EW_EINPUT, "%s: expected a store made by 'edgeweave sweep', found %s",
                       path,
                       n == 0            ? "an empty file"
                       : cause == EISDIR ? "a directory"
                                         : strerror(cause));
    }
    if (n != (ssize_t)sizeof header || memcmp(header, "SQLite format 3", 16) != 0) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected a store made by 'edgeweave sweep', found another kind of file",
                       path);
    }
    if (big_endian(&header[68]) != APPLICATION_ID) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected a store made by 'edgeweave sweep', found an SQLite file of "
                       "another program",
                       path);
    }
    if (big_endian(&header[60]) != EW_STORE_SCHEMA) {
        return ew_fail(err, EW_EINPUT,
                       "%s: expected a store of schema %d, found schema %u; use the version of "
                       "edgeweave that made it",
                       path, EW_STORE_SCHEMA, (unsigned)big_endian(&header[60]));
    }
    return EW_OK;
}

static int keep_first(void *ctx, int n, char **values, char **names)
{
    (void)names;
    if (n > 0 && values[0]) {
        ew_str_append((struct ew_str *)ctx, values[0]);
    }
    return 0;
}

static enum ew_status check_content(struct ew_store *store, struct ew_error *err)
{
    struct ew_str answer = {0};
    enum ew_status status = EW_OK;
    if (sqlite3_exec(store->db, "PRAGMA quick_check(1)", keep_first, &answer, NULL) != SQLITE_OK) {
        status = ew_store_fail(store, "cannot read", err);
    } else if (strcmp(ew_str_text(&answer), "ok") != 0) {
        const char *line = strrchr(ew_str_text(&answer), '\n'); /* the first names the database */
        status = ew_fail(err, EW_EINPUT, "%s: the store is damaged: %s", store->path,
                         line ? line + 1 : ew_str_text(&answer));
    }
    ew_str_fini(&answer);
    return status;
}

/* The path as a URI, so that a store to attach can say as much as one to open. */
static char *make_uri(const char *path, bool as_frozen)
{
    struct ew_str uri = {0};
    ew_str_append(&uri, *path == '/' ? "file://" : "file:");
    for (const char *c = path; *c; c++) {
        if (strchr("%?#", *c)) {
            ew_str_printf(&uri, "%%%02X", (unsigned char)*c);
        } else {
            ew_str_append_n(&uri, c, 1);
        }
    }
    ew_str_append(&uri, as_frozen ? "?immutable=1" : "");
    char *text = uri.failed ? NULL : strdup(ew_str_text(&uri));
    ew_str_fini(&uri);
    return text;
}

static enum ew_status open_file(struct ew_store **out, const char *path, bool as_frozen, int flags,
                                struct ew_error *err)
{
    struct ew_store *store = calloc(1, sizeof *store);
    if (!store) {
        return ew_fail_memory(err);
    }
    store->path = strdup(path);
    store->uri = make_uri(path, as_frozen);
    enum ew_status status = store->path && store->uri ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK &&
        sqlite3_open_v2(store->uri, &store->db, flags | SQLITE_OPEN_URI, NULL) != SQLITE_OK) {
        status = store->db ? ew_store_fail(store, "cannot open", err) : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        /* an unknown column in double quotes is an error, not a text */
        (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        (void)sqlite3_busy_timeout(store->db, BUSY_MS);
        *out = store;
    } else {
        (void)ew_store_close(store, NULL);
    }
    return status;
}

static enum ew_status set_up(struct ew_store *store, struct ew_error *err)
{
    char ids[96];
    (void)snprintf(ids, sizeof ids, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
                   APPLICATION_ID, EW_STORE_SCHEMA);
    enum ew_status status = ew_store_execute(store, "BEGIN", err);
    if (status == EW_OK) {
        status = ew_store_execute(store, ids, err);
    }
    if (status == EW_OK) {
        status = ew_store_execute(store, SCHEMA, err);
    }
    if (status == EW_OK) {
        status = ew_store_execute(store, "COMMIT", err);
    }
    return status == EW_OK ? ew_store_execute(store, "PRAGMA journal_mode=WAL", err) : status;
}

/* Made under another name and linked into place when whole. */
static enum ew_status create(const char *path, struct ew_error *err)
{
    struct ew_store *store = NULL;
    struct ew_str name = {0};
    ew_str_printf(&name, "%s.new-%ld", path, (long)getpid());
    if (name.failed) {
        ew_str_fini(&name);
        return ew_fail_memory(err);
    }
    (void)unlink(name.text);
    enum ew_status status =
        open_file(&store, name.text, false, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (status == EW_OK) {
        status = set_up(store, err);
        const enum ew_status closed = ew_store_close(store, status == EW_OK ? err : NULL);
        status = status == EW_OK ? closed : status;
    }
    if (status == EW_EIO && err) { /* of a name that nobody knows */
        status = ew_fail(err, EW_EIO,
                         "%s: cannot make the store; is there such a directory, and "
                         "room on the disk?",
                         path);
    }
    if (status == EW_OK && link(name.text, path) != 0 && errno != EEXIST) {
        status = rename(name.text, path) == 0
                     ? EW_OK
                     : ew_fail(err, EW_EIO, "%s: cannot make the store: %s", path, strerror(errno));
    }
    (void)unlink(name.text);
    ew_str_fini(&name);
    return status;
}

static enum ew_status prepare_all(struct ew_store *store, struct ew_error *err)
{
    for (int i = 0; i < EW_STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(store->db, STATEMENTS[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK) {
            return ew_fail(err, EW_EINPUT, "%s: the store is damaged: %s", store->path,
                           sqlite3_errmsg(store->db));
        }
    }
    return EW_OK;
}

static bool is_protected(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && ((st.st_mode & 0222) == 0 || access(path, W_OK) != 0);
}

enum ew_status ew_store_open(struct ew_store **out, const char *path, struct ew_error *err)
{
    struct ew_store *store = NULL;
    enum ew_status status = EW_OK;
    if (access(path, F_OK) != 0) {
        status = create(path, err);
    }
    if (status == EW_OK) {
        status = check_header(path, err);
    }
    if (status == EW_OK && is_protected(path)) {
        status = ew_fail(err, EW_EINPUT, "%s: the store is write-protected", path);
    }
    if (status == EW_OK) {
        status = open_file(&store, path, false, SQLITE_OPEN_READWRITE, err);
    }
    if (status == EW_OK) {
        status = check_content(store, err);
    }
    if (status == EW_OK) { /* a committed group survives a power failure */
        store->is_writing = true;
        status = ew_store_execute(store, "PRAGMA synchronous=FULL", err);
    }
    if (status == EW_OK) {
        status = prepare_all(store, err);
    }
    if (status == EW_OK) {
        *out = store;
    } else {
        (void)ew_store_close(store, NULL);
    }
    return status;
}

/* SQLite reads a store in WAL mode by means of files beside it. Where the folder does not let it
 * make them, a store without rows in such files can be read as one that does not change. */
static bool is_frozen(const char *path)
{
    struct ew_str name = {0};
    struct stat log = {0};
    const char *slash = strrchr(path, '/');
    if (slash) {
        ew_str_append_n(&name, path, slash == path ? 1 : (size_t)(slash - path));
    } else {
        ew_str_append(&name, ".");
    }
    bool result = !name.failed && access(name.text, W_OK) != 0;
    name.length = 0;
    ew_str_printf(&name, "%s-wal", path);
    result = result && !name.failed && (stat(name.text, &log) != 0 || log.st_size == 0);
    ew_str_fini(&name);
    return result;
}

enum ew_status ew_store_open_read(struct ew_store **out, const char *path, struct ew_error *err)
{
    struct ew_store *store = NULL;
    const bool as_frozen = is_frozen(path);
    enum ew_status status = check_header(path, err);
    if (status == EW_OK) {
        status = open_file(&store, path, as_frozen,
                           as_frozen ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err);
    }
    if (status == EW_OK) {
        status = check_content(store, err);
    }
    if (status == EW_OK) {
        status = ew_store_execute(store, "PRAGMA query_only=1", err);
    }
    if (status == EW_OK) {
        *out = store;
    } else {
        (void)ew_store_close(store, NULL);
    }
    return status;
}

enum ew_status ew_store_close(struct ew_store *store, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (!store) {
        return EW_OK;
    }
    if (store->is_in_group) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    for (int i = 0; i < EW_STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(store->statements[i]);
    }
    if (store->is_writing) {
        status = ew_store_execute(store, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    }
    (void)sqlite3_close(store->db);
    free(store->path);
    free(store->uri);
    free(store);
    return status;
}

/* --- registering -------------------------------------------------------------------------------
 */

static enum ew_status begin_group(struct ew_store *store, struct ew_error *err)
{
    if (store->is_in_group) {
        return EW_OK;
    }
    const enum ew_status status = ew_store_execute(store, "BEGIN IMMEDIATE", err);
    store->is_in_group = status == EW_OK;
    return status;
}

enum ew_status ew_store_commit(struct ew_store *store, struct ew_error *err)
{
    if (!store->is_in_group) {
        return EW_OK;
    }
    const enum ew_status status = ew_store_execute(store, "COMMIT", err);
    if (status == EW_OK) {
        store->is_in_group = false;
    }
    return status;
}

static enum ew_status set_meta(struct ew_store *store, const char *key, const char *value,
                               struct ew_error *err)
{
    sqlite3_stmt *s = NULL;
    const bool is_set = sqlite3_prepare_v2(store->db, "INSERT OR REPLACE INTO meta VALUES(?, ?)",
                                           -1, &s, NULL) == SQLITE_OK &&
                        sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC) == SQLITE_OK &&
                        sqlite3_bind_text(s, 2, value, -1, SQLITE_STATIC) == SQLITE_OK &&
                        sqlite3_step(s) == SQLITE_DONE;
    const enum ew_status status = is_set ? EW_OK : ew_store_fail(store, "cannot write", err);
    (void)sqlite3_finalize(s);
    return status;
}

enum ew_status ew_store_register_begin(struct ew_store *store, const char *axes, const char *sweep,
                                       struct ew_error *err)
{
    enum ew_status status = begin_group(store, err);
    if (status == EW_OK) {
        status = set_meta(store, "axes", axes, err);
    }
    if (status == EW_OK) {
        status = set_meta(store, "sweep", sweep, err);
    }
    return status == EW_OK ? ew_store_execute(store, "UPDATE points SET position = NULL", err)
                           : status;
}

static enum ew_status read_state(int64_t *number, enum ew_store_state *state, bool *is_there,
                                 struct ew_store *store, const char *id, struct ew_error *err)
{
    sqlite3_stmt *s = store->statements[EW_STATEMENT_STATE];
    enum ew_status status = EW_OK;
    (void)sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    const int code = sqlite3_step(s);
    *is_there = code == SQLITE_ROW;
    if (code == SQLITE_ROW) {
        const char *kind = (const char *)sqlite3_column_text(s, 3);
        *number = sqlite3_column_int64(s, 0);
        *state = sqlite3_column_int(s, 1)                        ? EW_STORE_REPEATED
                 : sqlite3_column_int(s, 2)                      ? EW_STORE_RUN
                 : !kind                                         ? EW_STORE_NEW
                 : strcmp(kind, ew_status_text(EW_ENOTSUP)) == 0 ? EW_STORE_CANNOT
                                                                 : EW_STORE_FAILED;
    } else if (code != SQLITE_DONE) {
        status = ew_store_fail(store, "cannot read", err);
    }
    (void)sqlite3_reset(s);
    return status;
}

enum ew_status ew_store_register(int64_t *number, enum ew_store_state *state,
                                 struct ew_store *store, const struct ew_store_point *point,
                                 struct ew_error *err)
{
    sqlite3_stmt *s = store->statements[EW_STATEMENT_REGISTER];
    bool is_there = false;
    *state = EW_STORE_NEW;
    enum ew_status status = read_state(number, state, &is_there, store, point->id, err);
    if (status != EW_OK || *state == EW_STORE_REPEATED) {
        return status;
    }
    (void)sqlite3_bind_text(s, 1, point->id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 2, (int64_t)point->position);
    (void)sqlite3_bind_text(s, 3, point->values, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 4, point->scenario, -1, SQLITE_STATIC);
    if (sqlite3_step(s) != SQLITE_DONE) {
        status = ew_store_fail(store, "cannot write", err);
    } else if (!is_there) {
        *number = sqlite3_last_insert_rowid(store->db);
    }
    (void)sqlite3_reset(s);
    return status;
}

enum ew_status ew_store_register_end(struct ew_store *store, struct ew_error *err)
{
    return ew_store_commit(store, err);
}

/* --- adding ------------------------------------------------------------------------------------
 */

static void bind_cell(sqlite3_stmt *s, int at, const struct ew_cell *cell)
{
    switch (cell->kind) {
    case EW_CELL_NULL:
        (void)sqlite3_bind_null(s, at);
        break;
    case EW_CELL_I64:
        (void)sqlite3_bind_int64(s, at, cell->i64);
        break;
    case EW_CELL_DOUBLE:
        (void)sqlite3_bind_double(s, at, cell->x);
        break;
    case EW_CELL_TEXT:
        (void)sqlite3_bind_text(s, at, cell->text, (int)cell->size, SQLITE_STATIC);
        break;
    }
}

static enum ew_status step(struct ew_store *store, sqlite3_stmt *s, struct ew_error *err)
{
    const enum ew_status status =
        sqlite3_step(s) == SQLITE_DONE ? EW_OK : ew_store_fail(store, "cannot write", err);
    (void)sqlite3_reset(s);
    return status;
}

/* One row of `n` cells. */
static enum ew_status add_row(struct ew_store *store, enum ew_store_statement which, int n,
                              int64_t number, struct ew_cell_cursor *cells, struct ew_error *err)
{
    sqlite3_stmt *s = store->statements[which];
    struct ew_cell cell;
    (void)sqlite3_bind_int64(s, 1, number);
    for (int i = 0; i < n; i++) {
        if (!ew_cell_next(&cell, cells)) {
            return ew_fail(err, EW_EIO, "a row from a worker process is cut short");
        }
        bind_cell(s, i + 2, &cell);
    }
    return step(store, s, err);
}

static enum ew_status drop(struct ew_store *store, int64_t number, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (int i = EW_STATEMENT_DROP_RUN; status == EW_OK && i <= EW_STATEMENT_DROP_FAILURE; i++) {
        (void)sqlite3_bind_int64(store->statements[i], 1, number);
        status = step(store, store->statements[i], err);
    }
    return status;
}

enum ew_status ew_store_add(struct ew_store *store, int64_t number, bool is_failure,
                            const char *cells, size_t size, struct ew_error *err)
{
    struct ew_cell_cursor cursor = {cells, size};
    enum ew_status status = begin_group(store, err);
    if (status == EW_OK) {
        status = drop(store, number, err);
    }
    if (status == EW_OK && is_failure) {
        return add_row(store, EW_STATEMENT_ADD_FAILURE, EW_STORE_N_FAILURE, number, &cursor, err);
    }
    if (status == EW_OK) {
        status = add_row(store, EW_STATEMENT_ADD_RUN, EW_STORE_N_RUN, number, &cursor, err);
    }
    while (status == EW_OK && cursor.left > 0) {
        status = add_row(store, EW_STATEMENT_ADD_DEVICE, EW_STORE_N_DEVICE, number, &cursor, err);
    }
    return status;
}

static int read_counts(void *ctx, int n, char **values, char **names)
{
    struct ew_store_counts *counts = ctx;
    (void)names;
    if (n == 3 && values[0] && values[1] && values[2]) {
        counts->points = strtoull(values[0], NULL, 10);
        counts->runs = strtoull(values[1], NULL, 10);
        counts->failures = strtoull(values[2], NULL, 10);
    }
    return 0;
}

enum ew_status ew_store_count(struct ew_store_counts *out, struct ew_store *store,
                              struct ew_error *err)
{
    *out = (struct ew_store_counts){0};
    return sqlite3_exec(store->db,
                        "SELECT (SELECT count(*) FROM points), (SELECT count(*) FROM runs),"
                        " (SELECT count(*) FROM failures)",
                        read_counts, out, NULL) == SQLITE_OK
               ? EW_OK
               : ew_store_fail(store, "cannot read", err);
}
