/* Whole reads and writes through a pipe that takes and gives parts, the clock, and children. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"
#include "support/suite.h"

enum { SIZE = 1 << 20 }; /* more than a pipe holds */

static pid_t child_that(void (*act)(int fd), int fds[2], int own)
{
    ck_assert_int_eq(pipe(fds), 0);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)close(fds[1 - own]);
        act(fds[own]);
    }
    (void)close(fds[own]);
    return pid;
}

static void write_much(int fd)
{
    static char bytes[SIZE];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 31);
    }
    _exit(ew_write_all(fd, bytes, sizeof bytes) ? 7 : 1);
}

START_TEST(much_is_written_and_read_in_parts)
{
    int fds[2], status = 0;
    char *bytes = malloc(SIZE), beyond;
    const pid_t pid = child_that(write_much, fds, 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert(ew_read_all(fds[0], bytes, 3)); /* wherever the parts end */
    ck_assert(ew_read_all(fds[0], bytes + 3, SIZE - 3));
    for (size_t i = 0; i < SIZE; i++) {
        ck_assert_int_eq(bytes[i], (char)(i * 31));
    }
    ck_assert(!ew_read_all(fds[0], &beyond, 1)); /* the end */
    ew_wait_child(pid, &status);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    (void)close(fds[0]);
    free(bytes);
}
END_TEST

static void write_little(int fd)
{
    _exit(ew_write_all(fd, "ab", 2) ? 0 : 1);
}

START_TEST(reading_fails_when_bytes_are_missing)
{
    int fds[2];
    char bytes[3] = {0};
    const pid_t pid = child_that(write_little, fds, 1);
    ck_assert(!ew_read_all(fds[0], bytes, sizeof bytes));
    ew_wait_child(pid, NULL);
    (void)close(fds[0]);
}
END_TEST

START_TEST(the_clock_does_not_go_back)
{
    const double begin_s = ew_now_s();
    double last_s = begin_s;
    for (int i = 0; i < 1000; i++) {
        const double now_s = ew_now_s();
        ck_assert(now_s >= last_s);
        last_s = now_s;
    }
    ck_assert(begin_s > 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        much_is_written_and_read_in_parts,
        reading_fails_when_bytes_are_missing,
        the_clock_does_not_go_back,
    };
    return run_suite("system", tests, sizeof tests / sizeof *tests);
}
