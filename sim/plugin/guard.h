/*
 * Run a function in a child process with a time limit. For plugins that are not trusted: an abort,
 * an exit, a crash or an endless loop becomes an error.
 *
 * The child shares nothing but copies: whatever it breaks is its own. Its standard output is
 * discarded, its standard error is left alone, since that is where a plugin's author looks.
 */
#ifndef EW_PLUGIN_GUARD_H
#define EW_PLUGIN_GUARD_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

/** Runs in the child. Returns a status; on failure `err` holds the message. What it appends to
 *  `answer` reaches the parent in both cases. */
typedef enum ew_status (*ew_guarded)(void *ctx, struct ew_str *answer, struct ew_error *err);

/** Fork, run, wait at most `limit_s`. The child's status, message and answer (bytes, may be NULL
 *  when not wanted) become the caller's. `what` begins the messages about a child that died, e.g.
 *  "x.so: while being opened". EW_EPLUGIN when the child was killed by a signal, exited by itself,
 *  or ran out of time; EW_EINTR when it was interrupted from outside. */
enum ew_status ew_guard_run(struct ew_str *answer, ew_guarded function, void *ctx, double limit_s,
                            const char *what, struct ew_error *err);

#endif
