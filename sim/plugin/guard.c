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
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/system.h"

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
    LINGER_S = 2,       /* for a child that has been told that nothing more comes */
    LOOK_MS = 50,       /* how often to look whether the child is gone while its pipe is open */
};

static const uint64_t max_answer_bytes = (uint64_t)1 << 30;

/* ------------------------------------------------------------------------------------- the child
 */

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

static bool send_report(int fd, enum ew_status status, const struct ew_str *answer,
                        struct ew_error *err)
{
    if (status == EW_OK && answer->failed) {
        status = ew_fail_memory(err);
    }
    struct report report = {
        .magic = REPORT_MAGIC,
        .status = status,
        .answer_bytes = answer->length,
    };
    memcpy(report.message, err->message, sizeof report.message);
    return ew_write_all(fd, &report, sizeof report) &&
           ew_write_all(fd, ew_str_text(answer), answer->length);
}

/* Never returns. */
static void run_child(int fd, ew_guarded function, void *ctx, double limit_s)
{
    prepare_child(limit_s);
    struct ew_error err = {0};
    struct ew_str answer = {0};
    const enum ew_status status = function(ctx, &answer, &err);
    const bool is_sent = send_report(fd, status, &answer, &err);
    _exit(is_sent ? EXIT_SUCCESS : EXIT_FAILURE); /* no destructors, no double flush */
}

/* The next question, its size first; false: there are no more. */
static bool receive_question(int fd, struct ew_str *question)
{
    uint64_t size;
    if (!ew_read_all(fd, &size, sizeof size) || size > max_answer_bytes) {
        return false;
    }
    char buffer[4096];
    question->length = 0;
    for (uint64_t left = size; left;) {
        const size_t n = left < sizeof buffer ? (size_t)left : sizeof buffer;
        if (!ew_read_all(fd, buffer, n)) {
            return false;
        }
        ew_str_append_n(question, buffer, n);
        left -= n;
    }
    return !question->failed;
}

/* Never returns. */
static void answer_questions(int fd, ew_guarded_answer function, void *ctx, double limit_s)
{
    prepare_child(limit_s);
    const double alarm_s = limit_s + ORPHAN_GRACE_S;
    struct ew_str question = {0};
    bool goes_on = true;
    while (goes_on) {
        struct ew_error err = {0};
        struct ew_str answer = {0};
        (void)alarm(alarm_s < 1e6 ? (unsigned)alarm_s : 1000000u);
        const enum ew_status status =
            function(ctx, ew_str_text(&question), question.length, &answer, &err);
        goes_on = send_report(fd, status, &answer, &err);
        ew_str_fini(&answer);
        (void)alarm(0);
        goes_on = goes_on && receive_question(fd, &question);
    }
    _exit(EXIT_SUCCESS);
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
        const double left_s = watch->deadline_s - ew_now_s();
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
        if (!watch->is_late && ew_now_s() > watch->deadline_s) {
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

static enum ew_status take_report(struct ew_str *answer, const struct ew_str *data,
                                  const char *what, struct ew_error *err)
{
    struct report report;
    memcpy(&report, data->text, sizeof report);
    const uint64_t n_received = data->length - sizeof report;
    if (report.magic != REPORT_MAGIC || !is_status(report.status) ||
        report.answer_bytes > max_answer_bytes || report.answer_bytes != n_received) {
        return ew_fail(err, EW_EPLUGIN, "%s: what it sent back is damaged", what);
    }
    if (answer) {
        ew_str_append_n(answer, data->text + sizeof report, (size_t)report.answer_bytes);
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
    struct watch watch = {.fd = ends[0], .deadline_s = ew_now_s() + limit_s};
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
    } else if (!has_report) {
        status = explain_death(watch.wait_status, what, err);
    } else {
        status = take_report(answer, &watch.data, what, err);
    }
    ew_str_fini(&watch.data);
    return status;
}

/* ------------------------------------------------------------------------------ a child that stays
 */

struct ew_guard_talk {
    struct watch watch; /* its deadline is that of the question */
    char *what;
    double limit_s;
    pid_t owner; /* who began it, and alone can wait for the child */
    bool is_broken;
};

/* What the child says to the last question. */
static enum ew_status hear(struct ew_guard_talk *talk, struct ew_str *answer, struct ew_error *err)
{
    struct watch *watch = &talk->watch;
    watch->data.length = 0;
    watch->deadline_s = ew_now_s() + talk->limit_s;
    while (!is_complete(&watch->data)) {
        const double left_s = watch->deadline_s - ew_now_s();
        struct pollfd waiting = {.fd = watch->fd, .events = POLLIN};
        if (left_s <= 0) {
            watch->is_late = talk->is_broken = true;
            return ew_fail(err, EW_EPLUGIN, "%s: no answer within %g s", talk->what, talk->limit_s);
        }
        const double wait_s = left_s < 1000 ? left_s : 1000;
        if (poll(&waiting, 1, (int)(wait_s * 1000) + 1) > 0 && !read_some(watch) &&
            !is_complete(&watch->data)) {
            talk->is_broken = true;
            return watch->data.failed
                       ? ew_fail_memory(err)
                       : ew_fail(err, EW_EPLUGIN, "%s: it ended before it answered", talk->what);
        }
    }
    return take_report(answer, &watch->data, talk->what, err);
}

enum ew_status ew_guard_talk_begin(struct ew_guard_talk **out, ew_guarded_answer function,
                                   void *ctx, double limit_s, const char *what,
                                   struct ew_error *err)
{
    int ends[2] = {-1, -1};
    struct ew_guard_talk *talk = calloc(1, sizeof *talk);
    if (talk) {
        talk->what = strdup(what);
    }
    if (!talk || !talk->what) {
        free(talk);
        return ew_fail_memory(err);
    }
    talk->limit_s = limit_s;
    talk->owner = getpid();
    const bool has_ends = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
    talk->watch = (struct watch){.fd = ends[0], .child = has_ends ? fork() : -1};
    if (talk->watch.child < 0) {
        const enum ew_status status = ew_fail(err, EW_EIO, "%s: cannot %s: %s", what,
                                              has_ends ? "fork" : "connect", strerror(errno));
        if (has_ends) {
            (void)close(ends[0]);
            (void)close(ends[1]);
        }
        free(talk->what);
        free(talk);
        return status;
    }
    if (talk->watch.child == 0) {
        (void)close(ends[0]);
        free(talk->what); /* the parent's; whoever exits here would be told to have leaked them */
        free(talk);
        answer_questions(ends[1], function, ctx, limit_s);
    }
    (void)close(ends[1]);
    enum ew_status status = hear(talk, NULL, err);
    if (status == EW_OK) {
        *out = talk;
        return EW_OK;
    }
    struct ew_error death = {0};
    if (ew_guard_talk_end(talk, &death) != EW_OK) {
        *err = death;
        status = death.status;
    }
    return status;
}

/* As ew_write_all, but a child that is gone is no signal. */
static bool tell(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        const ssize_t n = send(fd, p, size, MSG_NOSIGNAL);
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

enum ew_status ew_guard_talk_ask(struct ew_guard_talk *talk, struct ew_str *answer,
                                 const char *question, size_t size, struct ew_error *err)
{
    const uint64_t n = size;
    if (talk->is_broken || !tell(talk->watch.fd, &n, sizeof n) ||
        !tell(talk->watch.fd, question, size)) {
        talk->is_broken = true;
        return ew_fail(err, EW_EPLUGIN, "%s: it ended before it was asked", talk->what);
    }
    return hear(talk, answer, err);
}

enum ew_status ew_guard_talk_end(struct ew_guard_talk *talk, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (!talk) {
        return EW_OK;
    }
    if (talk->owner == getpid()) {
        struct watch *watch = &talk->watch;
        const bool was_late = watch->is_late;
        struct pollfd end = {.fd = watch->fd};
        const bool was_gone = poll(&end, 1, 0) > 0; /* it has hung up */
        (void)close(watch->fd);                     /* it ends when there are no more questions */
        watch->deadline_s = ew_now_s() + (was_late ? 0 : LINGER_S);
        reap(watch);
        if (was_gone || (talk->is_broken && !watch->is_late)) {
            status = explain_death(watch->wait_status, talk->what, err);
        }
    } else {
        (void)close(talk->watch.fd);
    }
    ew_str_fini(&talk->watch.data);
    free(talk->what);
    free(talk);
    return status;
}
