/*
 * A file that is being written: it gets its name when it is whole, so that the target keeps its old
 * content or holds all of the new one. Links are followed, not replaced; a target that is no
 * regular file (/dev/null, a pipe, a terminal) is written to as it is.
 */
#ifndef EW_BASE_OUT_FILE_H
#define EW_BASE_OUT_FILE_H

#include <stdbool.h>

#include "base/status.h"

/** Zero-initialised is closed. */
struct ew_out_file {
    char *path;           /**< as asked for, for messages; NULL when closed */
    char *final_path;     /**< where links lead */
    char *temporary_path; /**< NULL when published, discarded, or written to directly */
    int fd;               /**< for write(2) while open; -1 after publishing */
};

/** Open FINAL.XXXXXX, or the target itself when that is no regular file. EW_EIO when it cannot be
 *  created or is a directory; then there is nothing to discard. */
enum ew_status ew_out_file_open(struct ew_out_file *file, const char *path, struct ew_error *err);

/** Sync when `is_durable`, close, and give the file its name. EW_EIO; discard it then. */
enum ew_status ew_out_file_publish(struct ew_out_file *file, bool is_durable, struct ew_error *err);

/** Close; remove what was not published. Accepts a closed one. */
void ew_out_file_discard(struct ew_out_file *file);

#endif
