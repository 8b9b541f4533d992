#include "engine/event.h"

const char *ew_event_name(enum ew_event_kind kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        EW_EVENT_MAP(X)
#undef X
    };
    return kind < EW_EVENT_COUNT ? names[kind] : "unknown";
}

const char *ew_fail_reason_name(enum ew_fail_reason reason)
{
    static const char *const names[] = {
#define X(name, text) text,
        EW_FAIL_REASON_MAP(X)
#undef X
    };
    return reason < EW_FAIL_REASON_COUNT ? names[reason] : "";
}
