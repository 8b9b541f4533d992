/*
 * Workers that go wrong on purpose (fault_worker.c), and that nobody outlives a run.
 */
#ifndef EW_TESTS_FAULTY_H
#define EW_TESTS_FAULTY_H

/** The program to start instead of a worker. */
#define FAULTY_WORKER EW_BINARY_DIR "/tests/fault_worker"

/** From now on workers go wrong in this way: EW_FAULT of fault_worker.c. */
void faulty_begin(const char *what);
void faulty_end(void);

/** Orphans become children of this process. */
void faulty_adopt_orphans(void);
/** Fails the test when, soon after a run, there is any. */
void faulty_check_nobody_is_left(const char *what);

/** Seconds of the monotonic clock. */
double faulty_now_s(void);

#endif
