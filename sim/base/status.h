/*
 * Status codes and error messages.
 *
 * Every fallible function returns an `enum ew_status` and takes a `struct ew_error *` last. The
 * message says what was expected, what was found and where. Nothing here prints; only cli/ does.
 */
#ifndef EW_BASE_STATUS_H
#define EW_BASE_STATUS_H

#include <stdarg.h>

/* name, value, process exit code, one word for messages and JSON */
#define EW_STATUS_MAP(X)                                                                           \
    X(OK, 0, 0, "ok")                                                                              \
    X(EUNMET, -1, 1, "requirement not met")                                                        \
    X(EUSAGE, -2, 2, "usage")                                                                      \
    X(EINPUT, -3, 3, "invalid input")                                                              \
    X(EPLUGIN, -4, 4, "plugin")                                                                    \
    X(EENGINE, -5, 5, "engine")                                                                    \
    X(EDEADLOCK, -6, 5, "deadlock")                                                                \
    X(EIO, -7, 6, "input/output")                                                                  \
    X(ENOMEM, -8, 6, "out of memory")                                                              \
    X(ENOTSUP, -9, 3, "not supported")                                                             \
    X(EINTR, -10, 130, "interrupted")

/** Outcome of a fallible call: 0 on success, negative otherwise. */
enum ew_status {
#define X(name, value, exit_code, text) EW_##name = (value),
    EW_STATUS_MAP(X)
#undef X
};

/** Longest error message kept, terminator included; longer ones are cut. */
enum { EW_ERROR_SIZE = 1024 };

/** Status and message of the first failure. Zero-initialise before the first call. */
struct ew_error {
    enum ew_status status;
    char message[EW_ERROR_SIZE];
};

#if defined(__GNUC__)
#define EW_PRINTF(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#else
#define EW_PRINTF(fmt_index, first_arg)
#endif

/** Set status and message and return the status, so that callers write `return ew_fail(…)`.
 *  `err` may be NULL when the caller does not want the message. */
enum ew_status ew_fail(struct ew_error *err, enum ew_status status, const char *fmt, ...)
    EW_PRINTF(3, 4);

/** As ew_fail, for callers that already hold a va_list. */
enum ew_status ew_vfail(struct ew_error *err, enum ew_status status, const char *fmt, va_list args)
    EW_PRINTF(3, 0);

/** Put more context in front of an existing message; returns the status already set. */
enum ew_status ew_prefix(struct ew_error *err, const char *fmt, ...) EW_PRINTF(2, 3);

/** Report that memory ran out. */
enum ew_status ew_fail_memory(struct ew_error *err);

/** Process exit code documented for a status. */
int ew_status_exit_code(enum ew_status status);

/** Short text for a status, e.g. "invalid input". Never NULL. */
const char *ew_status_text(enum ew_status status);

#endif
