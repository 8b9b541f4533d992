/*
 * Options of real execution: what run, compare and validate say to the engine `exec`.
 */
#ifndef EW_CLI_EXEC_OPTIONS_H
#define EW_CLI_EXEC_OPTIONS_H

#include "cli/session.h"
#include "engine/exec/exec.h"

/** Read them; on failure cli->blame points at the word that is wrong. Texts are borrowed from the
 *  session and its command line. */
enum ew_status ew_exec_options_read(struct ew_exec_options *out, struct ew_session *session,
                                    struct ew_error *err);

/** How links are made, for reports: "emulated", "netns", "measured" or "cluster". */
const char *ew_exec_network_name(const struct ew_exec_options *options);

#endif
