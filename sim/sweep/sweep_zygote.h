/*
 * Zygote: a process with one platform loaded into SimGrid, which keeps one engine per process and
 * cannot be reset. A worker forks one for every distinct platform, and it forks a child per point.
 * It plans and evaluates like a worker; its worker only passes items and answers on.
 */
#ifndef EW_SWEEP_SWEEP_ZYGOTE_H
#define EW_SWEEP_SWEEP_ZYGOTE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"
#include "base/text.h"

/** Zero-initialise; end with ew_sweep_zygote_stop. */
struct ew_sweep_zygote {
    pid_t pid; /**< 0: none */
    int to, from;
    uint64_t platform; /**< whose */
};

/** Fork it. In the child `work` is called for every item, until the parent goes. */
enum ew_status ew_sweep_zygote_start(struct ew_sweep_zygote *zygote, uint64_t platform,
                                     void (*work)(void *ctx, uint64_t item, struct ew_str *answer),
                                     void *ctx, struct ew_error *err);

/** Have it do an item and append its answer. When it dies over it, so does the caller, in the same
 *  way. */
void ew_sweep_zygote_ask(struct ew_sweep_zygote *zygote, uint64_t item, struct ew_str *answer);

void ew_sweep_zygote_stop(struct ew_sweep_zygote *zygote);

#endif
