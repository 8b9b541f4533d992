#include "results/store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/vec.h"
#include "results/store_row.h"

enum { FLUSH_BYTES = 1 << 16, MAX_NAME = 512 };

#define COLUMN_NAME(name, type, put) #name,
static const char *const RUN_NAMES[] = {EW_STORE_RUN_COLUMNS(COLUMN_NAME) NULL};
static const char *const DEVICE_NAMES[] = {EW_STORE_DEVICE_COLUMNS(COLUMN_NAME) NULL};
static const char *const NO_NAMES[] = {NULL};

/* A table as users see it: the varied keys, then these columns. */
struct view {
    const char *name;
    const char *const *columns;
    const char *prefix; /* of the columns' table in the join */
    const char *extra;  /* columns between */
    const char *join;
    const char *order;
};

#define JOIN_FAILURES " LEFT JOIN failures f ON f.point = p.point"
#define STATUS_COLUMNS ", coalesce(f.kind, 'ok') AS status, f.message AS error"

static const struct view VIEWS[] = {
    {"runs", RUN_NAMES, "r", STATUS_COLUMNS,
     " LEFT JOIN runs r ON r.point = p.point" JOIN_FAILURES
     " WHERE (r.point IS NOT NULL OR f.point IS NOT NULL)",
     "point"},
    {"devices", DEVICE_NAMES, "d", "", " JOIN devices d ON d.point = p.point WHERE 1",
     "point, device_id"},
    {"failures", NO_NAMES, "", STATUS_COLUMNS, " JOIN failures f ON f.point = p.point WHERE 1",
     "point"},
};

static const char *view_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return VIEWS[i].name;
}

static enum ew_status find_view(const struct view **out, const char *name, struct ew_error *err)
{
    const size_t n = sizeof VIEWS / sizeof *VIEWS;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(VIEWS[i].name, name) == 0) {
            *out = &VIEWS[i];
            return EW_OK;
        }
    }
    const char *near = ew_nearest_name(name, n, view_name_at, NULL);
    return ew_fail(err, EW_EUSAGE, "expected runs, devices or failures, found '%s'%s%s%s", name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* --- columns -----------------------------------------------------------------------------------
 */

struct names {
    EW_VEC(char *) list;
};

static bool has_name(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->list.count; i++) {
        if (strcmp(names->list.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_name(struct names *names, const char *name)
{
    char *copy = strdup(name);
    if (!copy || !ew_vec_push(&names->list, copy)) {
        free(copy);
        return false;
    }
    return true;
}

static void names_fini(struct names *names)
{
    for (size_t i = 0; i < names->list.count; i++) {
        free(names->list.items[i]);
    }
    ew_vec_fini(&names->list);
}

static int take_name(void *ctx, int n, char **values, char **columns)
{
    (void)columns;
    return n == 1 && values[0] && !add_name(ctx, values[0]);
}

/* Names of the varied keys, in the order of the axes. */
static enum ew_status read_axes(struct names *axes, struct ew_store *store, struct ew_error *err)
{
    return sqlite3_exec(store->db,
                        "SELECT e.value FROM meta m, json_each(m.value) e WHERE m.key = 'axes' "
                        "ORDER BY e.id",
                        take_name, axes, NULL) == SQLITE_OK
               ? EW_OK
               : ew_store_fail(store, "cannot read", err);
}

static void put_identifier(struct ew_str *sql, const char *name)
{
    ew_str_append(sql, "\"");
    for (const char *c = name; *c; c++) {
        ew_str_append_n(sql, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    }
    ew_str_append(sql, "\"");
}

/* json_extract(p.axis_values, '$."name"') */
static void put_axis(struct ew_str *sql, const char *name)
{
    ew_str_append(sql, ", json_extract(p.axis_values, '$.\"");
    for (const char *c = name; *c; c++) {
        ew_str_append_n(sql, *c == '\'' ? "''" : c, *c == '\'' ? 2 : 1);
    }
    ew_str_append(sql, "\"') AS ");
    put_identifier(sql, name);
}

/* Everything there is to select from. A varied key stands for the column of the same name, since
 * failed points have it, too. */
static void put_inner(struct ew_str *sql, const struct view *view, const struct names *axes,
                      bool with_old)
{
    ew_str_append(sql, "SELECT p.position AS point");
    for (size_t i = 0; i < axes->list.count; i++) {
        put_axis(sql, axes->list.items[i]);
    }
    ew_str_append(sql, view->extra);
    for (const char *const *name = view->columns; *name; name++) {
        if (!has_name(axes, *name)) {
            ew_str_printf(sql, ", %s.\"%s\"", view->prefix, *name);
        }
    }
    ew_str_printf(sql, ", p.id AS id FROM points p%s%s", view->join,
                  with_old ? "" : " AND p.position IS NOT NULL");
}

static const char *statement_column_at(const void *ctx, size_t i)
{
    return sqlite3_column_name((sqlite3_stmt *)(uintptr_t)ctx, (int)i);
}

static enum ew_status check_column(sqlite3_stmt *inner, const char *name, struct ew_error *err)
{
    const int n = sqlite3_column_count(inner);
    for (int i = 0; i < n; i++) {
        if (strcmp(sqlite3_column_name(inner, i), name) == 0) {
            return EW_OK;
        }
    }
    const char *near = ew_nearest_name(name, (size_t)n, statement_column_at, inner);
    return ew_fail(err, EW_EUSAGE, "unknown column '%s'%s%s%s", name,
                   near ? "; did you mean '" : "; without --columns there are all of them",
                   near ? near : "", near ? "'?" : "");
}

/* "a, b" -> "a","b", each of them checked, so that an error can name the nearest. */
static enum ew_status put_columns(struct ew_str *sql, sqlite3_stmt *inner, const char *columns,
                                  struct ew_error *err)
{
    enum ew_status status = EW_OK;
    bool is_first = true;
    while (status == EW_OK && *columns) {
        char name[MAX_NAME];
        columns += strspn(columns, ", ");
        const size_t n = strcspn(columns, ",");
        size_t used = n < sizeof name - 1 ? n : sizeof name - 1;
        memcpy(name, columns, used);
        while (used > 0 && name[used - 1] == ' ') {
            used--;
        }
        name[used] = '\0';
        columns += n;
        if (used > 0) {
            status = check_column(inner, name, err);
            ew_str_append(sql, is_first ? "" : ", ");
            put_identifier(sql, name);
            is_first = false;
        }
    }
    return status == EW_OK && is_first ? ew_fail(err, EW_EUSAGE, "expected names of columns")
                                       : status;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static void put_csv_text(struct ew_str *out, const char *text)
{
    const bool needs_quotes = strpbrk(text, ",\"\r\n") != NULL;
    ew_str_append(out, needs_quotes ? "\"" : "");
    for (const char *c = text; *c; c++) {
        if (*c == '"') {
            ew_str_append(out, "\"\"");
        } else { /* a row is a line */
            ew_str_append_n(out, *c == '\n' || *c == '\r' ? " " : c, 1);
        }
    }
    ew_str_append(out, needs_quotes ? "\"" : "");
}

static void put_csv_cell(struct ew_str *out, sqlite3_stmt *s, int i)
{
    char digits[32];
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_NULL:
        break;
    case SQLITE_FLOAT:
        ew_format_double(digits, sqlite3_column_double(s, i));
        ew_str_append(out, digits);
        break;
    case SQLITE_INTEGER:
        ew_str_printf(out, "%lld", (long long)sqlite3_column_int64(s, i));
        break;
    default:
        put_csv_text(out, (const char *)sqlite3_column_text(s, i));
        break;
    }
}

static void put_csv_row(struct ew_str *out, sqlite3_stmt *s)
{
    const int n = sqlite3_column_count(s);
    for (int i = 0; i < n; i++) {
        ew_str_append(out, i ? "," : "");
        put_csv_cell(out, s, i);
    }
    ew_str_append(out, "\n");
}

static void put_csv_header(struct ew_str *out, sqlite3_stmt *s)
{
    const int n = sqlite3_column_count(s);
    for (int i = 0; i < n; i++) {
        ew_str_append(out, i ? "," : "");
        put_csv_text(out, sqlite3_column_name(s, i));
    }
    ew_str_append(out, "\n");
}

static void put_json_row(struct ew_str *out, sqlite3_stmt *s)
{
    struct ew_json json = {.out = out};
    const int n = sqlite3_column_count(s);
    ew_json_object_begin_inline(&json);
    for (int i = 0; i < n; i++) {
        const char *name = sqlite3_column_name(s, i);
        switch (sqlite3_column_type(s, i)) {
        case SQLITE_NULL:
            ew_json_key(&json, name);
            ew_json_null(&json);
            break;
        case SQLITE_FLOAT:
            ew_json_kv_double(&json, name, sqlite3_column_double(s, i));
            break;
        case SQLITE_INTEGER:
            ew_json_kv_i64(&json, name, sqlite3_column_int64(s, i));
            break;
        default:
            ew_json_kv_string(&json, name, (const char *)sqlite3_column_text(s, i));
            break;
        }
    }
    ew_json_object_end(&json);
    ew_str_append(out, "\n");
}

typedef enum ew_status (*put_fn)(void *ctx, const struct ew_str *text, struct ew_error *err);

static enum ew_status put_rows(struct ew_store *store, sqlite3_stmt *s, bool is_json, put_fn put,
                               void *ctx, struct ew_error *err)
{
    struct ew_str text = {0};
    enum ew_status status = EW_OK;
    int code = SQLITE_ROW;
    if (!is_json) {
        put_csv_header(&text, s);
    }
    while (status == EW_OK && code == SQLITE_ROW) {
        code = sqlite3_step(s);
        if (code == SQLITE_ROW) {
            if (is_json) {
                put_json_row(&text, s);
            } else {
                put_csv_row(&text, s);
            }
        } else if (code == SQLITE_INTERRUPT) {
            status = ew_fail(err, EW_EINTR, "interrupted");
        } else if (code != SQLITE_DONE) {
            status = ew_store_fail(store, "cannot read", err);
        }
        if (status == EW_OK && (text.length > FLUSH_BYTES || code == SQLITE_DONE)) {
            status = put(ctx, &text, err);
            text.length = 0;
        }
    }
    ew_str_fini(&text);
    return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static enum ew_status prepare(sqlite3_stmt **out, struct ew_store *store, const struct ew_str *sql,
                              const char *where, struct ew_error *err)
{
    const char *tail = NULL;
    if (sql->failed) {
        return ew_fail_memory(err);
    }
    if (sqlite3_prepare_v2(store->db, sql->text, -1, out, &tail) == SQLITE_OK && !*tail) {
        return EW_OK;
    }
    if (!where) {
        return ew_store_fail(store, "cannot read", err);
    }
    return ew_fail(err, EW_EUSAGE, "bad condition '%s': %s%s", where, sqlite3_errmsg(store->db),
                   strchr(where, '"') ? "; names stand in double quotes, texts in single ones"
                                      : "");
}

static enum ew_status build(struct ew_str *sql, struct ew_store *store,
                            const struct ew_store_query *query, struct ew_error *err)
{
    const struct view *view = NULL;
    struct names axes = {0};
    struct ew_str inner = {0};
    sqlite3_stmt *shape = NULL;
    enum ew_status status = find_view(&view, query->table, err);
    if (status == EW_OK) {
        status = read_axes(&axes, store, err);
    }
    if (status == EW_OK) {
        put_inner(&inner, view, &axes, query->with_old);
        status = prepare(&shape, store, &inner, NULL, err);
    }
    if (status == EW_OK) {
        ew_str_append(sql, "SELECT ");
        if (query->columns) {
            status = put_columns(sql, shape, query->columns, err);
        } else {
            ew_str_append(sql, "*");
        }
        /* the line end keeps a comment in the condition from swallowing the rest */
        ew_str_printf(sql, " FROM (%s) WHERE (%s\n) ORDER BY %s", ew_str_text(&inner),
                      query->where ? query->where : "1", view->order);
    }
    (void)sqlite3_finalize(shape);
    ew_str_fini(&inner);
    names_fini(&axes);
    return status;
}

/* A condition may take for ever. SQLite asks after so many steps of its machine. */
static int is_interrupted(void *ctx)
{
    return *(const volatile int *)ctx;
}

static void watch_interrupts(struct ew_store *store, const volatile int *interrupted)
{
    enum { STEPS = 1000 };
    if (interrupted) {
        sqlite3_progress_handler(store->db, STEPS, is_interrupted, (void *)(uintptr_t)interrupted);
    }
}

enum ew_status ew_store_export(struct ew_store *store, const struct ew_store_query *query,
                               enum ew_status (*put)(void *ctx, const struct ew_str *text,
                                                     struct ew_error *err),
                               void *ctx, struct ew_error *err)
{
    struct ew_str sql = {0};
    sqlite3_stmt *s = NULL;
    watch_interrupts(store, query->interrupted);
    enum ew_status status = build(&sql, store, query, err);
    if (status == EW_OK) {
        status = prepare(&s, store, &sql, query->where, err);
    }
    if (status == EW_OK) {
        status = put_rows(store, s, query->is_json, put, ctx, err);
    }
    (void)sqlite3_finalize(s);
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    ew_str_fini(&sql);
    return status;
}
