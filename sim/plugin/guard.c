#include "plugin/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the child sends: a header, then the answer. */
struct report {
    uint32_t magic;
    int32_t status;
    uint64_t answer_bytes;
    char message[EW_ERROR_SIZE];
};

enum {
    REPORT_MAGIC = 0x45574756,
    ORPHAN_GRACE_S = 5, /* beyond its limit, a child whose parent is gone ends itself */
    LOOK_MS = 50,       /* how often to look whether the child is gone while its pipe is open */
};

static const uint64_t max_answer_bytes = (uint64_t)1 << 30;

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ------------------------------------------------------------------------------------- the child
 */

static bool send_all(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        const ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        p += n;
        size -= (size_t)n;
    }
    return true;
}

/* Signals end the child: handlers of the program, or of a sanitizer, are not for it. */
static void prepare_child(double limit_s)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE,  SIGILL,
                                  SIGINT,  SIGTERM, SIGHUP, SIGALRM, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        (void)signal(signals[i], SIG_DFL);
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    const double alarm_s = limit_s + ORPHAN_GRACE_S;
    (void)alarm(alarm_s < 1e6 ? (unsigned)alarm_s : 1000000u);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDOUT_FILENO); /* plugins must not print */
    }
}

/* Never returns. */
static void run_child(int fd, ew_guarded function, void *ctx, double limit_s)
{
    prepare_child(limit_s);
    struct ew_error err = {0};
    struct ew_str answer = {0};
    enum ew_status status = function(ctx, &answer, &err);
    if (status == EW_OK && answer.failed) {
        status = ew_fail_memory(&err);
    }
    struct report report = {
        .magic = REPORT_MAGIC,
        .status = status,
        .answer_bytes = answer.length,
    };
    memcpy(report.message, err.message, sizeof report.message);
    const bool is_sent =
        send_all(fd, &report, sizeof report) && send_all(fd, ew_str_text(&answer), answer.length);
    _exit(is_sent ? EXIT_SUCCESS : EXIT_FAILURE); /* no destructors, no double flush */
}

/* ------------------------------------------------------------------------------------ the parent
 */

/* What the parent knows of its child. */
struct watch {
    pid_t child;
    int fd;
    double deadline_s;
    struct ew_str data;
    bool is_gone;
    bool is_late;
    int wait_status;
};

static bool is_complete(const struct ew_str *data)
{
    struct report report;
    if (data->length < sizeof report) {
        return false;
    }
    memcpy(&report, data->text, sizeof report);
    return report.answer_bytes > max_answer_bytes ||
           data->length - sizeof report >= report.answer_bytes;
}

static void look_for_child(struct watch *watch)
{
    if (!watch->is_gone) {
        const pid_t pid = waitpid(watch->child, &watch->wait_status, WNOHANG);
        watch->is_gone = pid == watch->child || (pid < 0 && errno == ECHILD);
    }
}

/* One read; false when nothing more will come. */
static bool read_some(struct watch *watch)
{
    char buffer[65536];
    const ssize_t n = read(watch->fd, buffer, sizeof buffer);
    if (n < 0) {
        return errno == EINTR;
    }
    ew_str_append_n(&watch->data, buffer, (size_t)n);
    return n > 0 && !watch->data.failed && !is_complete(&watch->data);
}

/* Read until the report is whole, the pipe ends, or the time is up. A pipe may stay open beyond the
 * child's end in the hands of a process that the plugin started: then the child's end counts. */
static void receive(struct watch *watch)
{
    for (;;) {
        const double left_s = watch->deadline_s - now_s();
        if (left_s <= 0) {
            watch->is_late = true;
            return;
        }
        const int wait_ms = left_s * 1000 < LOOK_MS ? (int)(left_s * 1000) + 1 : LOOK_MS;
        struct pollfd waiting = {.fd = watch->fd, .events = POLLIN};
        const int ready = poll(&waiting, 1, watch->is_gone ? 0 : wait_ms);
        if (ready > 0 && !read_some(watch)) {
            return;
        }
        if (ready == 0 && watch->is_gone) {
            return;
        }
        if (ready <= 0) {
            look_for_child(watch);
        }
    }
}

/* Wait for the child's end; a child that does not end in time is killed. */
static void reap(struct watch *watch)
{
    struct timespec pause = {.tv_nsec = 100000};
    if (watch->is_late || watch->data.failed) {
        (void)kill(watch->child, SIGKILL);
    }
    for (look_for_child(watch); !watch->is_gone; look_for_child(watch)) {
        if (!watch->is_late && now_s() > watch->deadline_s) {
            watch->is_late = true;
            (void)kill(watch->child, SIGKILL);
        }
        (void)nanosleep(&pause, NULL);
        pause.tv_nsec = pause.tv_nsec < 5000000 ? pause.tv_nsec * 2 : pause.tv_nsec;
    }
}

static enum ew_status explain_signal(int number, const char *what, struct ew_error *err)
{
    switch (number) {
    case SIGINT:
    case SIGTERM:
    case SIGHUP:
        return ew_fail(err, EW_EINTR, "%s: interrupted", what);
    case SIGABRT:
        return ew_fail(err, EW_EPLUGIN, "%s: it called abort", what);
    case SIGSEGV:
    case SIGBUS:
        return ew_fail(err, EW_EPLUGIN, "%s: it used memory that is not its own (signal %d)", what,
                       number);
    case SIGFPE:
        return ew_fail(err, EW_EPLUGIN, "%s: it divided an integer by zero (signal %d)", what,
                       number);
    case SIGKILL:
        return ew_fail(err, EW_EPLUGIN, "%s: it was killed, perhaps for using too much memory",
                       what);
    default:
        return ew_fail(err, EW_EPLUGIN, "%s: it was ended by signal %d", what, number);
    }
}

static enum ew_status explain_death(int wait_status, const char *what, struct ew_error *err)
{
    if (WIFSIGNALED(wait_status)) {
        return explain_signal(WTERMSIG(wait_status), what, err);
    }
    return ew_fail(err, EW_EPLUGIN, "%s: it ended the process (exit code %d) instead of returning",
                   what, WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1);
}

/* A status that the child may report; anything else comes from a plugin that writes into our
 * pipe. */
static bool is_status(int32_t value)
{
    switch ((enum ew_status)value) {
#define X(name, number, exit_code, text) case EW_##name:
        EW_STATUS_MAP(X)
#undef X
        return true;
    }
    return false;
}

static enum ew_status take_report(struct ew_str *answer, const struct watch *watch,
                                  const char *what, struct ew_error *err)
{
    struct report report;
    if (watch->data.length < sizeof report) {
        return explain_death(watch->wait_status, what, err);
    }
    memcpy(&report, watch->data.text, sizeof report);
    const uint64_t n_received = watch->data.length - sizeof report;
    if (report.magic != REPORT_MAGIC || !is_status(report.status) ||
        report.answer_bytes > max_answer_bytes || report.answer_bytes < n_received) {
        return ew_fail(err, EW_EPLUGIN, "%s: what it sent back is damaged", what);
    }
    if (report.answer_bytes > n_received) {
        return explain_death(watch->wait_status, what, err);
    }
    if (answer) {
        ew_str_append_n(answer, watch->data.text + sizeof report, (size_t)report.answer_bytes);
        if (answer->failed) {
            return ew_fail_memory(err);
        }
    }
    if (report.status != EW_OK) {
        report.message[EW_ERROR_SIZE - 1] = '\0';
        return ew_fail(err, (enum ew_status)report.status, "%s", report.message);
    }
    return EW_OK;
}

enum ew_status ew_guard_run(struct ew_str *answer, ew_guarded function, void *ctx, double limit_s,
                            const char *what, struct ew_error *err)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return ew_fail(err, EW_EIO, "%s: cannot make a pipe: %s", what, strerror(errno));
    }
    struct watch watch = {.fd = ends[0], .deadline_s = now_s() + limit_s};
    watch.child = fork();
    if (watch.child < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return ew_fail(err, EW_EIO, "%s: cannot fork: %s", what, strerror(errno));
    }
    if (watch.child == 0) {
        (void)close(ends[0]);
        run_child(ends[1], function, ctx, limit_s);
    }
    (void)close(ends[1]);
    receive(&watch);
    (void)close(ends[0]);
    const bool has_report = !watch.is_late && is_complete(&watch.data);
    reap(&watch);
    enum ew_status status;
    if (watch.data.failed) {
        status = ew_fail_memory(err);
    } else if (watch.is_late && !has_report) {
        status = ew_fail(err, EW_EPLUGIN, "%s: no answer within %g s", what, limit_s);
    } else {
        status = take_report(answer, &watch, what, err);
    }
    ew_str_fini(&watch.data);
    return status;
}
