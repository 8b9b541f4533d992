/*
 * Sweep specifications as JSON files (schema edgeweave.sweep/1; docs/sweeps.md has every key).
 */
#ifndef EW_IO_SWEEP_JSON_H
#define EW_IO_SWEEP_JSON_H

#include <stddef.h>

#include "base/status.h"
#include "model/sweep_spec.h"

/** Load a sweep file; free with ew_sweep_spec_fini. EW_EINPUT with file and JSON pointer. */
enum ew_status ew_sweep_load_json(struct ew_sweep_spec *out, const char *path,
                                  struct ew_error *err);

/** From memory; `path` is for messages and for resolving names. */
enum ew_status ew_sweep_parse_json(struct ew_sweep_spec *out, const char *text, size_t size,
                                   const char *path, struct ew_error *err);

/** Accepts a zeroed one. */
void ew_sweep_spec_fini(struct ew_sweep_spec *spec);

#endif
