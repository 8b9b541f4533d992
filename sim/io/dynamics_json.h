/*
 * The object "dynamics" of a scenario file (docs/dynamics.md) into struct ew_dynamics_spec. Names
 * are not looked up and traces not opened here.
 */
#ifndef EW_IO_DYNAMICS_JSON_H
#define EW_IO_DYNAMICS_JSON_H

#include "base/arena.h"
#include "io/json_read.h"
#include "model/dynamics.h"

/** Fill `out` from the member "dynamics" of `root`, if there is one. Copies into `arena`; traces
 *  lie beside the file `path`. EW_EINPUT with file and JSON pointer. */
enum ew_status ew_dynamics_read_json(struct ew_dynamics_spec *out, struct ew_arena *arena,
                                     const char *path, const struct ew_json_value *root,
                                     struct ew_error *err);

#endif
