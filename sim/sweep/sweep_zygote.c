#include "sweep/sweep_zygote.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"
#include "sweep/pool.h"

static bool read_whole(int fd, void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        const ssize_t n = read(fd, at, size);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static _Noreturn void live(int from_parent, int to_parent,
                           void (*work)(void *ctx, uint64_t item, struct ew_str *answer), void *ctx)
{
    struct ew_str answer = {0};
    uint64_t item;
    while (read_whole(from_parent, &item, sizeof item)) {
        uint64_t size = 0;
        answer.length = 0; /* its length, then the answer: one write */
        ew_str_append_n(&answer, (const char *)&size, sizeof size);
        work(ctx, item, &answer);
        if (answer.failed) {
            _exit(2);
        }
        size = answer.length - sizeof size;
        memcpy(answer.text, &size, sizeof size);
        if (!ew_write_all(to_parent, answer.text, answer.length)) {
            _exit(1);
        }
    }
    _exit(0);
}

enum ew_status ew_sweep_zygote_start(struct ew_sweep_zygote *zygote, uint64_t platform,
                                     void (*work)(void *ctx, uint64_t item, struct ew_str *answer),
                                     void *ctx, struct ew_error *err)
{
    int down[2] = {-1, -1}, up[2] = {-1, -1};
    const pid_t parent = getpid();
    const bool has_pipes = pipe(down) == 0 && pipe(up) == 0;
    const pid_t pid = has_pipes ? fork() : -1;
    if (pid < 0) {
        const int error = errno;
        for (int i = 0; i < 2; i++) {
            (void)close(down[i]);
            (void)close(up[i]);
        }
        return ew_fail(err, EW_EENGINE, "cannot start a process for SimGrid: %s", strerror(error));
    }
    if (pid == 0) {
        ew_pool_become_worker(parent);
        (void)close(down[1]);
        (void)close(up[0]);
        live(down[0], up[1], work, ctx);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    *zygote = (struct ew_sweep_zygote){pid, down[1], up[0], platform};
    return EW_OK;
}

static _Noreturn void die_likewise(struct ew_sweep_zygote *zygote)
{
    int state = 0;
    ew_wait_child(zygote->pid, &state);
    if (WIFSIGNALED(state)) {
        (void)signal(WTERMSIG(state), SIG_DFL);
        (void)raise(WTERMSIG(state));
    }
    _exit(WIFEXITED(state) ? WEXITSTATUS(state) : 1);
}

void ew_sweep_zygote_ask(struct ew_sweep_zygote *zygote, uint64_t item, struct ew_str *answer)
{
    uint64_t size = 0;
    if (!ew_write_all(zygote->to, &item, sizeof item) ||
        !read_whole(zygote->from, &size, sizeof size)) {
        die_likewise(zygote);
    }
    while (size > 0) {
        char bytes[4096];
        const size_t n = size < sizeof bytes ? (size_t)size : sizeof bytes;
        if (!read_whole(zygote->from, bytes, n)) {
            die_likewise(zygote);
        }
        ew_str_append_n(answer, bytes, n);
        size -= n;
    }
}

void ew_sweep_zygote_stop(struct ew_sweep_zygote *zygote)
{
    if (zygote->pid) {
        (void)close(zygote->to); /* the end of its items: it goes */
        (void)close(zygote->from);
        ew_wait_child(zygote->pid, NULL);
        *zygote = (struct ew_sweep_zygote){0};
    }
}
