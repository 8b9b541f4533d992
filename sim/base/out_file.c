#define _XOPEN_SOURCE 700 /* realpath */

#include "base/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum ew_status fail_errno(const struct ew_out_file *file, const char *what,
                                 struct ew_error *err)
{
    return ew_fail(err, EW_EIO, "%s: cannot %s: %s", file->path, what, strerror(errno));
}

static enum ew_status open_temporary(struct ew_out_file *file, struct ew_error *err)
{
    const size_t length = strlen(file->final_path);
    file->temporary_path = malloc(length + sizeof ".XXXXXX");
    if (!file->temporary_path) {
        return ew_fail_memory(err);
    }
    memcpy(file->temporary_path, file->final_path, length);
    memcpy(file->temporary_path + length, ".XXXXXX", sizeof ".XXXXXX");
    file->fd = mkstemp(file->temporary_path);
    if (file->fd < 0) {
        const enum ew_status status = fail_errno(file, "create", err);
        free(file->temporary_path);
        file->temporary_path = NULL;
        return status;
    }
    return EW_OK;
}

enum ew_status ew_out_file_open(struct ew_out_file *file, const char *path, struct ew_error *err)
{
    *file = (struct ew_out_file){.fd = -1};
    struct stat info;
    const bool is_there = stat(path, &info) == 0;
    enum ew_status status = EW_OK;
    file->path = strdup(path);
    file->final_path = is_there && S_ISREG(info.st_mode) ? realpath(path, NULL) : strdup(path);
    if (!file->path || !file->final_path) {
        status = ew_fail_memory(err);
    } else if (!is_there || S_ISREG(info.st_mode)) {
        status = open_temporary(file, err);
    } else {
        file->fd = open(path, O_WRONLY | O_NOCTTY); /* a directory says so */
        status = file->fd < 0 ? fail_errno(file, "write", err) : EW_OK;
    }
    if (status != EW_OK) {
        ew_out_file_discard(file);
    }
    return status;
}

enum ew_status ew_out_file_publish(struct ew_out_file *file, bool is_durable, struct ew_error *err)
{
    const bool is_direct = !file->temporary_path;
    const bool is_kept =
        is_direct || (fchmod(file->fd, 0644) == 0 && (!is_durable || fsync(file->fd) == 0));
    if (!is_kept) {
        return fail_errno(file, "write", err);
    }
    const bool is_closed = close(file->fd) == 0;
    file->fd = -1;
    if (!is_closed || (!is_direct && rename(file->temporary_path, file->final_path) != 0)) {
        return fail_errno(file, "write", err);
    }
    free(file->temporary_path);
    file->temporary_path = NULL;
    return EW_OK;
}

void ew_out_file_discard(struct ew_out_file *file)
{
    if (file->path && file->fd >= 0) {
        (void)close(file->fd);
    }
    if (file->temporary_path) {
        (void)unlink(file->temporary_path);
    }
    free(file->temporary_path);
    free(file->final_path);
    free(file->path);
    *file = (struct ew_out_file){0};
}
