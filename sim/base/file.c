#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out_file.h"
#include "base/system.h"

static bool read_all(int fd, char *buffer, size_t size, size_t *got)
{
    size_t n = 0;
    while (n < size) {
        const ssize_t r = read(fd, buffer + n, size - n);
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r < 0) {
            return false;
        }
        if (r == 0) {
            break;
        }
        n += (size_t)r;
    }
    *got = n;
    return true;
}

enum ew_status ew_file_read(char **out, size_t *size, const char *path, size_t max_bytes,
                            struct ew_error *err)
{
    enum ew_status status = EW_OK;
    char *buffer = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block */
    if (fd < 0) {
        return ew_fail(err, EW_EINPUT, "%s: cannot open: %s", path, strerror(errno));
    }
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = ew_fail(err, EW_EINPUT, "%s: expected a regular file", path);
        goto done;
    }
    if ((unsigned long long)info.st_size > max_bytes) {
        status = ew_fail(err, EW_EINPUT, "%s: expected at most %zu bytes, found %lld", path,
                         max_bytes, (long long)info.st_size);
        goto done;
    }
    const size_t capacity = (size_t)info.st_size;
    buffer = malloc(capacity + 1);
    if (!buffer) {
        status = ew_fail_memory(err);
        goto done;
    }
    size_t got = 0;
    if (!read_all(fd, buffer, capacity, &got)) {
        status = ew_fail(err, EW_EINPUT, "%s: cannot read: %s", path, strerror(errno));
        goto done;
    }
    buffer[got] = '\0';
    *out = buffer;
    *size = got;
    buffer = NULL;
done:
    free(buffer);
    (void)close(fd);
    return status;
}

enum ew_status ew_file_write(const char *path, const char *text, size_t size, struct ew_error *err)
{
    struct ew_out_file file;
    enum ew_status status = ew_out_file_open(&file, path, err);
    if (status != EW_OK) {
        return status;
    }
    if (ew_write_all(file.fd, text, size)) {
        status = ew_out_file_publish(&file, true, err);
    } else {
        status = ew_fail(err, EW_EIO, "%s: cannot write: %s", path, strerror(errno));
    }
    ew_out_file_discard(&file);
    return status;
}

bool ew_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, R_OK) == 0;
}

enum ew_status ew_dir_make(const char *path, struct ew_error *err)
{
    char *copy = strdup(path);
    if (!copy) {
        return ew_fail_memory(err);
    }
    enum ew_status status = EW_OK;
    for (char *p = copy + 1; status == EW_OK; p++) {
        if (*p != '/' && *p != '\0') {
            continue;
        }
        const char end = *p;
        *p = '\0';
        struct stat info;
        if (mkdir(copy, 0777) != 0 &&
            !(errno == EEXIST && stat(copy, &info) == 0 && S_ISDIR(info.st_mode))) {
            status = ew_fail(err, EW_EIO, "%s: cannot create directory: %s", copy, strerror(errno));
        }
        *p = end;
        if (end == '\0') {
            break;
        }
    }
    free(copy);
    return status;
}

char *ew_path_join(const char *dir, const char *name)
{
    const size_t a = strlen(dir), b = strlen(name);
    char *p = malloc(a + b + 2);
    if (p) {
        memcpy(p, dir, a);
        p[a] = '/';
        memcpy(p + a + 1, name, b + 1);
    }
    return p;
}

char *ew_path_beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    if (*name == '/' || !slash) {
        return strdup(name);
    }
    char *dir = strndup(path, (size_t)(slash - path));
    if (!dir) {
        return NULL;
    }
    char *joined = ew_path_join(dir, name);
    free(dir);
    return joined;
}
