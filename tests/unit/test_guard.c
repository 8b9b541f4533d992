#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/guard.h"
#include "support/suite.h"

static struct ew_error err;

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum ew_status run(ew_guarded function, double limit_s)
{
    err = (struct ew_error){0};
    return ew_guard_run(NULL, function, NULL, limit_s, "thing", &err);
}

/* Nothing is left behind: no child is waiting to be reaped. */
static void ends_with(ew_guarded function, enum ew_status status, const char *message)
{
    ck_assert_int_eq(run(function, 2), status);
    ck_assert_str_eq(err.message, message);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static enum ew_status answer_twice(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)e;
    const size_t n = *(const size_t *)ctx;
    for (size_t i = 0; i < n; i++) {
        ew_str_append_n(answer, i % 2 ? "b\0" : "a\0", 2);
    }
    return EW_OK;
}

START_TEST(the_answer_comes_back_whole)
{
    const size_t sizes[] = {0, 1, 1000, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ew_str answer = {0};
        size_t n = sizes[i];
        ck_assert_int_eq(ew_guard_run(&answer, answer_twice, &n, 20, "thing", &err), EW_OK);
        ck_assert_uint_eq(answer.length, 2 * n);
        ck_assert(n == 0 || memcmp(answer.text, "a", 2) == 0);
        ck_assert(n < 2 || answer.text[2 * n - 2] == 'b');
        ew_str_fini(&answer);
    }
}
END_TEST

static enum ew_status fail_with_answer(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)ctx;
    ew_str_append(answer, "said before");
    return ew_fail(e, EW_ENOTSUP, "cannot, because %d", 7);
}

START_TEST(a_failure_keeps_status_message_and_answer)
{
    struct ew_str answer = {0};
    ck_assert_int_eq(ew_guard_run(&answer, fail_with_answer, NULL, 2, "thing", &err), EW_ENOTSUP);
    ck_assert_str_eq(err.message, "cannot, because 7");
    ck_assert_str_eq(ew_str_text(&answer), "said before");
    ew_str_fini(&answer);
}
END_TEST

static enum ew_status do_abort(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)ctx, (void)answer, (void)e;
    abort();
}

static enum ew_status do_exit(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)ctx, (void)answer, (void)e;
    _exit(0);
}

static enum ew_status do_raise(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)answer, (void)e;
    (void)raise(*(int *)ctx);
    return EW_OK;
}

START_TEST(a_dead_child_is_an_error_with_reason)
{
    ends_with(do_abort, EW_EPLUGIN, "thing: it called abort");
    ends_with(do_exit, EW_EPLUGIN,
              "thing: it ended the process (exit code 0) instead of returning");
    int number = SIGSEGV;
    ck_assert_int_eq(ew_guard_run(NULL, do_raise, &number, 2, "thing", &err), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "thing: it used memory that is not its own (signal 11)");
    number = SIGINT;
    ck_assert_int_eq(ew_guard_run(NULL, do_raise, &number, 2, "thing", &err), EW_EINTR);
    number = SIGKILL;
    ck_assert_int_eq(ew_guard_run(NULL, do_raise, &number, 2, "thing", &err), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "thing: it was killed, perhaps for using too much memory");
}
END_TEST

static enum ew_status do_loop(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)ctx, (void)answer, (void)e;
    volatile int forever = 1;
    while (forever) {
        (void)pause();
    }
    return EW_OK;
}

static enum ew_status close_all_and_loop(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    for (int fd = 0; fd < 64; fd++) {
        (void)close(fd);
    }
    return do_loop(ctx, answer, e);
}

START_TEST(a_child_that_does_not_end_is_killed_in_time)
{
    const double begin_s = now_s();
    ck_assert_int_eq(run(do_loop, 0.2), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "thing: no answer within 0.2 s");
    ck_assert_int_eq(run(close_all_and_loop, 0.2), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "thing: no answer within 0.2 s");
    ck_assert(now_s() - begin_s > 0.39);
    ck_assert(now_s() - begin_s < 5);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* A grandchild holds the pipe open; the child is gone. */
static enum ew_status leave_a_grandchild(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)ctx, (void)answer, (void)e;
    if (fork() == 0) {
        (void)sleep(3);
        _exit(0);
    }
    _exit(3);
}

START_TEST(a_grandchild_does_not_hold_us_up)
{
    const double begin_s = now_s();
    ck_assert_int_eq(run(leave_a_grandchild, 30), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "thing: it ended the process (exit code 3) instead of returning");
    ck_assert(now_s() - begin_s < 2);
}
END_TEST

/* Somebody else writes into our pipe. */
static enum ew_status write_garbage(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)answer, (void)e;
    char garbage[4096];
    memset(garbage, 0x5a, sizeof garbage);
    const int first = *(const int *)ctx;
    ssize_t n = 0;
    for (int fd = first; fd < first + 4; fd++) {
        n += write(fd, garbage, sizeof garbage) > 0;
    }
    return n == 1 ? EW_OK : ew_fail(e, EW_EIO, "did not find the pipe");
}

START_TEST(garbage_in_the_pipe_is_no_report)
{
    int first = dup(0); /* the next free number */
    (void)close(first);
    ck_assert_int_eq(ew_guard_run(NULL, write_garbage, &first, 2, "thing", &err), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "thing: what it sent back is damaged");
}
END_TEST

static enum ew_status change_everything(void *ctx, struct ew_str *answer, struct ew_error *e)
{
    (void)answer, (void)e;
    *(int *)ctx = 99;
    return EW_OK;
}

START_TEST(the_child_works_on_a_copy)
{
    int value = 1;
    ck_assert_int_eq(ew_guard_run(NULL, change_everything, &value, 2, "thing", &err), EW_OK);
    ck_assert_int_eq(value, 1);
}
END_TEST

/* --- a child that stays ----------------------------------------------------------------------- */

/* Counts questions; "die", "hang", "exit" and "fail" are done as told. */
static enum ew_status count_questions(void *ctx, const char *question, size_t size,
                                      struct ew_str *answer, struct ew_error *e)
{
    int *n = ctx;
    if (size == 3) {
        abort();
    } else if (size == 4 && memcmp(question, "exit", 4) == 0) {
        exit(0);
    } else if (size == 4 && memcmp(question, "fail", 4) == 0) {
        return ew_fail(e, EW_EPLUGIN, "as told");
    }
    while (size == 4) {
        (void)pause();
    }
    ew_str_printf(answer, "%d:%zu", (*n)++, size);
    return EW_OK;
}

static struct ew_guard_talk *begin_talk(double limit_s)
{
    static int n = 7;
    struct ew_guard_talk *talk = NULL;
    err = (struct ew_error){0};
    ck_assert_int_eq(ew_guard_talk_begin(&talk, count_questions, &n, limit_s, "thing", &err),
                     EW_OK);
    return talk;
}

static void answers(struct ew_guard_talk *talk, const char *question, size_t size,
                    const char *expected)
{
    struct ew_str answer = {0};
    ck_assert_msg(ew_guard_talk_ask(talk, &answer, question, size, &err) == EW_OK, "%s",
                  err.message);
    ck_assert_str_eq(ew_str_text(&answer), expected);
    ew_str_fini(&answer);
}

START_TEST(a_child_that_stays_answers_and_remembers)
{
    struct ew_guard_talk *talk = begin_talk(10);
    char *large = calloc(1, 1000000);
    ck_assert_ptr_nonnull(large);
    answers(talk, "x", 1, "8:1");
    answers(talk, large, 1000000, "9:1000000");
    ck_assert_int_eq(ew_guard_talk_ask(talk, NULL, "fail", 4, &err), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "as told");
    answers(talk, "", 0, "10:0");
    ck_assert_int_eq(ew_guard_talk_end(talk, &err), EW_OK);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    free(large);
}
END_TEST

START_TEST(a_child_that_dies_while_it_is_asked_is_explained_at_the_end)
{
    static const char *const how[] = {"die", "exit"};
    static const char *const why[] = {
        "thing: it called abort", "thing: it ended the process (exit code 0) instead of returning"};
    for (int i = 0; i < 2; i++) {
        struct ew_guard_talk *talk = begin_talk(10);
        ck_assert_int_eq(ew_guard_talk_ask(talk, NULL, how[i], strlen(how[i]), &err), EW_EPLUGIN);
        ck_assert_int_eq(ew_guard_talk_ask(talk, NULL, "x", 1, &err), EW_EPLUGIN);
        ck_assert_int_eq(ew_guard_talk_end(talk, &err), EW_EPLUGIN);
        ck_assert_str_eq(err.message, why[i]);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    }
}
END_TEST

START_TEST(a_child_that_does_not_answer_is_ended)
{
    struct ew_guard_talk *talk = begin_talk(0.2);
    const double begin_s = now_s();
    ck_assert_int_eq(ew_guard_talk_ask(talk, NULL, "hang", 4, &err), EW_EPLUGIN);
    ck_assert_str_eq(err.message, "thing: no answer within 0.2 s");
    ck_assert_int_eq(ew_guard_talk_end(talk, &err), EW_OK);
    ck_assert(now_s() - begin_s < 2);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    const TTest *const tests[] = {
        the_answer_comes_back_whole,
        a_failure_keeps_status_message_and_answer,
        a_dead_child_is_an_error_with_reason,
        a_child_that_does_not_end_is_killed_in_time,
        a_grandchild_does_not_hold_us_up,
        garbage_in_the_pipe_is_no_report,
        the_child_works_on_a_copy,
        a_child_that_stays_answers_and_remembers,
        a_child_that_dies_while_it_is_asked_is_explained_at_the_end,
        a_child_that_does_not_answer_is_ended,
    };
    return run_suite("guard", tests, sizeof tests / sizeof *tests);
}
