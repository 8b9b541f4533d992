#include "base/status.h"

#include <stdio.h>
#include <string.h>

enum ew_status ew_vfail(struct ew_error *err, enum ew_status status, const char *fmt, va_list args)
{
    if (err) {
        err->status = status;
        (void)vsnprintf(err->message, sizeof err->message, fmt, args);
    }
    return status;
}

enum ew_status ew_fail(struct ew_error *err, enum ew_status status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)ew_vfail(err, status, fmt, args);
    va_end(args);
    return status;
}

enum ew_status ew_prefix(struct ew_error *err, const char *fmt, ...)
{
    if (!err) {
        return EW_EINPUT;
    }
    char old[EW_ERROR_SIZE];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->message) {
        (void)snprintf(err->message + n, sizeof err->message - (size_t)n, "%s", old);
    }
    return err->status;
}

enum ew_status ew_fail_memory(struct ew_error *err)
{
    return ew_fail(err, EW_ENOMEM, "out of memory");
}

int ew_status_exit_code(enum ew_status status)
{
    switch (status) {
#define X(name, value, exit_code, text)                                                            \
    case EW_##name:                                                                                \
        return (exit_code);
        EW_STATUS_MAP(X)
#undef X
    }
    return 5;
}

const char *ew_status_text(enum ew_status status)
{
    switch (status) {
#define X(name, value, exit_code, text)                                                            \
    case EW_##name:                                                                                \
        return (text);
        EW_STATUS_MAP(X)
#undef X
    }
    return "unknown";
}
