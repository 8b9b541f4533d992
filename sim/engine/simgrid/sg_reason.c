#include "engine/simgrid/sg_reason.h"

#include <string.h>

/* The text behind the first `mark`, or the earlier `best`. */
static const char *earlier_mark(const char *text, const char *mark, const char *best)
{
    const char *found = strstr(text, mark);
    const char *after = found ? found + strlen(mark) : NULL;
    return after && (!best || after < best) ? after : best;
}

/* Lines look like "[0.0] ./src/x.cpp:95: [xbt_exception/ERROR] Uncaught exception …: reason". */
const char *ew_sg_reason(const char *message, size_t *n)
{
    static const char *const noise[] = {
        "Uncaught exception ", "std::invalid_argument: ", "simgrid::AssertionError by maestro/0: "};
    const char *reason = earlier_mark(message, "/ERROR] ", NULL);
    reason = earlier_mark(message, "/CRITICAL] ", reason);
    if (!reason) {
        reason = message;
    }
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        if (strncmp(reason, noise[i], strlen(noise[i])) == 0) {
            reason += strlen(noise[i]);
        }
    }
    *n = strcspn(reason, "\n");
    return reason;
}
