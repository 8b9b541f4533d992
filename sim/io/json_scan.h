/*
 * Lexical check of a JSON text before cJSON sees it: what RFC 8259 asks of single tokens and cJSON
 * does not enforce. Knows tokens, not grammar.
 */
#ifndef EW_IO_JSON_SCAN_H
#define EW_IO_JSON_SCAN_H

#include <stddef.h>

#include "base/status.h"

/** Check `size` bytes and count the brackets left open at the end. EW_EINPUT with
 *  `path:line:column: …`. */
enum ew_status ew_json_scan(size_t *n_open, const char *text, size_t size, const char *path,
                            struct ew_error *err);

/** Fail at a byte offset, with `path:line:column: ` in front. Columns count characters from 1. */
enum ew_status ew_json_fail_offset(const char *text, size_t offset, const char *path,
                                   struct ew_error *err, const char *fmt, ...) EW_PRINTF(5, 6);

#endif
