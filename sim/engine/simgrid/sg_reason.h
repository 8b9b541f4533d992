/*
 * Why SimGrid gave up, out of what it printed.
 */
#ifndef EW_ENGINE_SIMGRID_SG_REASON_H
#define EW_ENGINE_SIMGRID_SG_REASON_H

#include <stddef.h>

/** SimGrid's reason without time stamp, source place, category, exception type and backtrace: in
 *  `message`, `*n` bytes to the end of its line; 0 when there is none. */
const char *ew_sg_reason(const char *message, size_t *n);

#endif
