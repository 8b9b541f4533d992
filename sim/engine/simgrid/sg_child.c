#include "engine/simgrid/sg_child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>

#include "base/system.h"
#include "engine/simgrid/sg_reason.h"
#endif

/* --- beginning -------------------------------------------------------------------------------- */

static void close_pipe(int fds[2])
{
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

/* Dies with the parent, at the latest when it writes into the broken pipe. */
static void become_child(pid_t parent, int message_fd)
{
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGABRT, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_IGN);
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL);
#endif
    if (getppid() != parent || dup2(message_fd, STDERR_FILENO) < 0 ||
        dup2(message_fd, STDOUT_FILENO) < 0) {
        _exit(1);
    }
}

enum ew_status ew_sg_child_begin(struct ew_sg_child *child, void (*body)(void *ctx, int data_fd),
                                 void *ctx, struct ew_error *err)
{
    int data[2] = {-1, -1}, message[2] = {-1, -1};
    const pid_t parent = getpid();
    const bool has_pipes = pipe(data) == 0 && pipe(message) == 0;
    (void)fflush(NULL); /* or the child might write what waits in our buffers a second time */
    const pid_t pid = has_pipes ? fork() : -1;
    if (pid < 0) {
        const int error = errno;
        close_pipe(data);
        close_pipe(message);
        return ew_fail(err, EW_EENGINE, "cannot start a child process for SimGrid: %s",
                       strerror(error));
    }
    if (pid == 0) {
        (void)close(data[0]);
        (void)close(message[0]);
        become_child(parent, message[1]);
        body(ctx, data[1]);
        _exit(1);
    }
    (void)close(data[1]);
    (void)close(message[1]);
    child->pid = pid;
    child->data_fd = data[0];
    child->message_fd = message[0];
    child->n_message = 0;
    child->message[0] = '\0';
    return EW_OK;
}

/* --- meanwhile -------------------------------------------------------------------------------- */

/* false at the end of the messages. */
static bool drain_message(struct ew_sg_child *child)
{
    char scrap[1024]; /* the end of a long message does not matter */
    const size_t room = sizeof child->message - 1 - child->n_message;
    const ssize_t n = room ? read(child->message_fd, child->message + child->n_message, room)
                           : read(child->message_fd, scrap, sizeof scrap);
    if (n > 0 && room) {
        child->n_message += (size_t)n;
        child->message[child->n_message] = '\0';
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

static void close_messages(struct ew_sg_child *child)
{
    (void)close(child->message_fd);
    child->message_fd = -1;
}

bool ew_sg_child_wait(struct ew_sg_child *child, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = child->data_fd, .events = POLLIN},
                            {.fd = child->message_fd, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms) <= 0) {
        return false;
    }
    if (fds[1].revents && !drain_message(child)) {
        close_messages(child);
    }
    return fds[0].revents != 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

void ew_sg_child_end(struct ew_sg_child *child, bool by_force)
{
    if (by_force) {
        (void)kill(child->pid, SIGKILL);
    }
    while (!by_force && child->message_fd >= 0 && drain_message(child)) {
    }
    if (child->message_fd >= 0) {
        close_messages(child);
    }
    (void)close(child->data_fd);
    ew_wait_child(child->pid, &child->wait_status);
}

const char *ew_sg_child_reason(const struct ew_sg_child *child, size_t *n)
{
    const char *reason = ew_sg_reason(child->message, n);
    if (*n == 0) {
        reason = "it died without a message";
        *n = strlen(reason);
    }
    return reason;
}
