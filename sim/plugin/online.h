/*
 * A strategy that stays for a whole run and is told how the world changes: the host's side of
 * edgeweave.online/1. Runs in this process; who does not trust the strategy calls this in a child.
 */
#ifndef EW_PLUGIN_ONLINE_H
#define EW_PLUGIN_ONLINE_H

#include "plugin/make_book.h"

struct ew_online_session;

/** Create the strategy of the request; everything in the request but the problem must outlive the
 *  session. `*out` is NULL when the strategy has no observe. */
enum ew_status ew_online_open(struct ew_online_session **out, const struct ew_book_request *request,
                              struct ew_error *err);

/** The plan for the world of time 0: before any observation. `now` is the problem of the request on
 *  the platform as it is then; it must hold during the call only. */
enum ew_status ew_online_plan(struct ew_book **out, struct ew_online_session *session,
                              const struct ew_problem *now, struct ew_error *err);

/** Tell the strategy. `*out` NULL: the plan in force stays. EW_ENOTSUP: it has none for this world.
 */
enum ew_status ew_online_observe(struct ew_book **out, struct ew_online_session *session,
                                 const struct ew_problem *now,
                                 const struct ew_observation *observation, struct ew_error *err);

/** Destroy the strategy; accepts NULL. */
void ew_online_close(struct ew_online_session *session);

#endif
