/*
 * What coordinator and workers both do before frames: connect, and read the run's token.
 */
#ifndef EW_ENGINE_EXEC_NET_H
#define EW_ENGINE_EXEC_NET_H

#include "base/status.h"
#include "engine/exec/frame.h"

/** Connect, waiting 10 s at most; the socket is then non-blocking, without delay, closed on exec,
 *  and notices within half a minute when the other machine is gone. EW_EIO names
 *  host, port and reason. */
enum ew_status ew_net_connect(int *out, const char *host, const char *port, struct ew_error *err);

/** The same settings for a socket that was accepted. */
void ew_net_tune(int fd);

/** Also notice within a minute when the other machine is gone while it owes us something. For
 *  connections of the coordinator, which are never slow. */
void ew_net_watch(int fd);

/** Token from the first 64 characters of `hex`, which may be shorter; `what` begins the message. */
enum ew_status ew_net_parse_token(char token[EW_TOKEN_BYTES], const char *hex, const char *what,
                                  struct ew_error *err);

#endif
