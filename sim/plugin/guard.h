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

/* A child that stays and answers questions. */

struct ew_guard_talk;

/** Runs in the child, at first with an empty question. Its answer reaches whoever asked; a failure
 *  does, too, and the child goes on. */
typedef enum ew_status (*ew_guarded_answer)(void *ctx, const char *question, size_t size,
                                            struct ew_str *answer, struct ew_error *err);

/** Fork, and wait for what the child says to the empty question. Each question has `limit_s`.
 *  Failures as of ew_guard_run. End with ew_guard_talk_end. */
enum ew_status ew_guard_talk_begin(struct ew_guard_talk **out, ew_guarded_answer function,
                                   void *ctx, double limit_s, const char *what,
                                   struct ew_error *err);

/** Ask. May be called in a process forked from the one that began the talk, by one at a time. A
 *  child that has died is explained by ew_guard_talk_end only: EW_EPLUGIN. */
enum ew_status ew_guard_talk_ask(struct ew_guard_talk *talk, struct ew_str *answer,
                                 const char *question, size_t size, struct ew_error *err);

/** End the child and free; accepts NULL. EW_EPLUGIN, with how, when it had died before. */
enum ew_status ew_guard_talk_end(struct ew_guard_talk *talk, struct ew_error *err);

#endif
