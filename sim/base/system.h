/*
 * What everybody asks of the operating system in the same way: the clock, whole reads and writes,
 * the end of a child.
 */
#ifndef EW_BASE_SYSTEM_H
#define EW_BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Seconds of the monotonic clock. */
double ew_now_s(void);

/** Write all of it to a blocking descriptor; false, with errno, when that fails. */
bool ew_write_all(int fd, const void *data, size_t size);

/** Read `size` bytes from a blocking descriptor; false when they end before, or reading fails. */
bool ew_read_all(int fd, void *data, size_t size);

/** Wait for the end of a child. `*wait_status` as from waitpid; may be NULL. */
void ew_wait_child(pid_t pid, int *wait_status);

#endif
