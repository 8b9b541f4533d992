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
