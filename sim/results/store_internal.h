/*
 * What the files of the store share. The only header that includes SQLite.
 */
#ifndef EW_RESULTS_STORE_INTERNAL_H
#define EW_RESULTS_STORE_INTERNAL_H

#include <sqlite3.h>

#include "results/store.h"

enum ew_store_statement {
    EW_STATEMENT_REGISTER,
    EW_STATEMENT_STATE,
    EW_STATEMENT_ADD_RUN,
    EW_STATEMENT_ADD_DEVICE,
    EW_STATEMENT_ADD_FAILURE,
    EW_STATEMENT_DROP_RUN,
    EW_STATEMENT_DROP_DEVICES,
    EW_STATEMENT_DROP_FAILURE,
    EW_STATEMENT_COUNT,
};

struct ew_store {
    char *path;
    char *uri; /**< what SQLite was given */
    sqlite3 *db;
    sqlite3_stmt *statements[EW_STATEMENT_COUNT];
    bool is_in_group;
    bool is_writing;
};

/** Report SQLite's last error: EW_EINPUT when the file is damaged, else EW_EIO. */
enum ew_status ew_store_fail(const struct ew_store *store, const char *what, struct ew_error *err);

/** Run statements without results. */
enum ew_status ew_store_execute(struct ew_store *store, const char *sql, struct ew_error *err);

#endif
