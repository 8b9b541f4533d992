/*
 * Whole files in, whole files out. Writing is atomic: the target either keeps its old content or
 * holds all of the new one.
 */
#ifndef EW_BASE_FILE_H
#define EW_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** Read `path` into a malloc'ed, zero-terminated buffer (caller frees). `size` without the
 *  terminator. Fails with EW_EINPUT when the file is missing, unreadable, not a regular file or
 *  larger than `max_bytes`. */
enum ew_status ew_file_read(char **out, size_t *size, const char *path, size_t max_bytes,
                            struct ew_error *err);

/** Write a whole file (base/out_file.h), synced to disk. EW_EIO on failure. */
enum ew_status ew_file_write(const char *path, const char *text, size_t size, struct ew_error *err);

/** True when `path` is a readable regular file. */
bool ew_file_exists(const char *path);

/** Create a directory and its missing parents. EW_EIO on failure. */
enum ew_status ew_dir_make(const char *path, struct ew_error *err);

/** Directory part of `path` followed by `/` and `name`, or just `name` when it is absolute.
 *  malloc'ed, NULL when memory runs out. */
char *ew_path_beside(const char *path, const char *name);

/** `dir`/`name`, malloc'ed, NULL when memory runs out. */
char *ew_path_join(const char *dir, const char *name);

#endif
