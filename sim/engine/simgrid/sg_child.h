/*
 * A child process with two pipes to its parent: data, and what it writes to stderr.
 */
#ifndef EW_ENGINE_SIMGRID_SG_CHILD_H
#define EW_ENGINE_SIMGRID_SG_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

enum { EW_SG_MESSAGE_BYTES = 16384 };

/** Seen from the parent. */
struct ew_sg_child {
    pid_t pid;
    int data_fd;
    int message_fd;
    int wait_status;                   /**< as from waitpid, after ew_sg_child_end */
    char message[EW_SG_MESSAGE_BYTES]; /**< start of what came over stderr */
    size_t n_message;
};

/** Fork; `body` runs in the child with the data pipe's write end, stdout and stderr redirected, and
 *  must not return. The child is killed when the parent dies, ignores SIGINT (the parent decides),
 * and leaves no core dump. EW_EENGINE when the system refuses. */
enum ew_status ew_sg_child_begin(struct ew_sg_child *child, void (*body)(void *ctx, int data_fd),
                                 void *ctx, struct ew_error *err);

/** Wait until there is data or an end of data, at most `timeout_ms`; collects messages meanwhile.
 *  false when nothing came (time is up, or a signal). */
bool ew_sg_child_wait(struct ew_sg_child *child, int timeout_ms);

/** Collect the rest of the messages (when the child has ended by itself) or kill it, reap it and
 *  close the pipes. */
void ew_sg_child_end(struct ew_sg_child *child, bool by_force);

/** SimGrid's reason among the messages, in one line: pointer to its start, length in `n`. */
const char *ew_sg_child_reason(const struct ew_sg_child *child, size_t *n);

#endif
