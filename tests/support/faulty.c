#include "support/faulty.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double faulty_now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void faulty_begin(const char *what)
{
    char lock[] = "/tmp/edgeweave-fault-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(lock));
    (void)setenv("EW_FAULT", what, 1);
    (void)setenv("EW_FAULT_LOCK", lock, 1);
    (void)setenv("EW_FAULT_WORKER", EW_BINARY_DIR "/bin/edgeweave-worker", 1);
}

void faulty_end(void)
{
    const char *lock = getenv("EW_FAULT_LOCK");
    for (unsigned n = 0; n < 1000; n++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%u", lock, n);
        if (unlink(path) != 0) {
            break;
        }
    }
    (void)rmdir(lock);
}

void faulty_adopt_orphans(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0, 0, 0);
}

void faulty_check_nobody_is_left(const char *what)
{
    const double begin_s = faulty_now_s();
    for (;;) {
        const pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD) {
            return;
        }
        ck_assert_msg(faulty_now_s() - begin_s < 10, "%s: a process is left", what);
        const struct timespec pause = {0, 2000000};
        (void)nanosleep(&pause, NULL);
    }
}
