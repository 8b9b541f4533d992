/*
 * Workers file: where the workers of a real cluster listen.
 */
#ifndef EW_IO_WORKERS_JSON_H
#define EW_IO_WORKERS_JSON_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

/** One worker. */
struct ew_worker_address {
    const char *device; /**< name in the platform */
    const char *host;   /**< name or address, as coordinator and other workers reach it */
    const char *port;
};

struct ew_workers_file {
    uint32_t n_hosts;
    const struct ew_worker_address *hosts;
    const char *token_file; /**< path, beside the workers file unless absolute */
};

/** Read `path`; everything lives in `arena`. EW_EINPUT with file and JSON pointer. */
enum ew_status ew_workers_load_json(struct ew_workers_file *out, const char *path,
                                    struct ew_arena *arena, struct ew_error *err);

#endif
