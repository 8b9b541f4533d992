/*
 * Arrival traces: plain text, one arrival time in seconds per line, ascending. Empty lines and
 * everything behind a '#' do not count.
 */
#ifndef EW_IO_ARRIVAL_TRACE_H
#define EW_IO_ARRIVAL_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** Load a trace into a malloc'ed array. EW_EINPUT with file and line. */
enum ew_status ew_arrival_trace_load(double **out_s, uint64_t *n, const char *path,
                                     struct ew_error *err);

/** As above from `size` bytes of text, which must be followed by a zero byte. */
enum ew_status ew_arrival_trace_parse(double **out_s, uint64_t *n, const char *text, size_t size,
                                      const char *path, struct ew_error *err);

#endif
