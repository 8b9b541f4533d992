/*
 * A strategy that stays for a run and picks the plan of every job: the host's side of pick in
 * edgeweave.online/1. One from the install directory picks in this process, any other in a child
 * process with a time limit per decision.
 */
#ifndef EW_PLUGIN_PICKER_H
#define EW_PLUGIN_PICKER_H

#include "plugin/make_book.h"

struct ew_pick_session;

/** Create the strategy of the request and let it plan; `book` is what it planned before. What it
 *  logs meanwhile has been said then. Everything borrowed must outlive the session. EW_ENOTSUP: it
 *  has no pick; EW_EPLUGIN: it plans something else, or misbehaves. */
enum ew_status ew_pick_open(struct ew_pick_session **out, const struct ew_book_request *request,
                            const struct ew_book *book, struct ew_error *err);

/** Ask. The session is `ctx`, so that this may be handed to an engine, also to one that runs in a
 *  process forked from this one. What is decided has been checked. */
enum ew_status ew_pick_ask(void *ctx, struct ew_job_decision *decision,
                           const struct ew_job_observation *job, struct ew_error *err);

/** Destroy the strategy; accepts NULL. EW_EPLUGIN when its process had died, with how it died. */
enum ew_status ew_pick_close(struct ew_pick_session *session, struct ew_error *err);

#endif
