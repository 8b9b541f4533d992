#include "base/system.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double ew_now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool ew_write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        const ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

bool ew_read_all(int fd, void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        const ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

void ew_wait_child(pid_t pid, int *wait_status)
{
    while (waitpid(pid, wait_status, 0) < 0 && errno == EINTR) {
    }
}
