/*
 * Links made by the kernel: every worker in a network namespace of its own, joined to a switch by a
 * virtual cable whose two ends are shaped (htb). The coordinator moves to a namespace, too; all of
 * them vanish with their processes. Needs root or user namespaces, and the programs ip and tc.
 */
#ifndef EW_ENGINE_EXEC_NETNS_H
#define EW_ENGINE_EXEC_NETNS_H

#include <sys/types.h>

#include "engine/engine.h"

enum { EW_NETNS_ADDRESS_BYTES = 20 };

/** EW_EENGINE unless every route is the sender's own link, then the receiver's own, as on a
 *  switch. */
enum ew_status ew_netns_check(const struct ew_platform *platform, struct ew_error *err);

/** Move this process to a namespace with a switch. EW_EENGINE: not permitted here, or a program is
 *  missing. */
enum ew_status ew_netns_enter(struct ew_error *err);

/** One end of a worker's cable. */
struct ew_netns_end {
    uint32_t device;
    uint32_t n_devices; /**< workers at the switch */
    double bytes_per_s; /**< of payload, that go in there: from the worker, or from the switch */
};

/** In the child that becomes worker `device`: move to a namespace of its own, tell `to_parent`,
 * wait for a byte from `from_parent` and set up its end. False: not possible, and said on standard
 *  error. */
bool ew_netns_become_worker(const struct ew_netns_end *end, int from_parent, int to_parent);

/** Plug in the worker, which has told of its namespace; `end` is the switch's. */
enum ew_status ew_netns_plug(const struct ew_netns_end *end, pid_t pid, struct ew_error *err);

/** Where the coordinator reaches a worker, and where other workers do. */
void ew_netns_addresses(char control[EW_NETNS_ADDRESS_BYTES], char data[EW_NETNS_ADDRESS_BYTES],
                        uint32_t device);

#endif
