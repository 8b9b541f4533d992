/*
 * The part of a sweep file that does not vary, and what keys mean: where in a scenario they stand.
 * For io/sweep_json.c only.
 */
#ifndef EW_IO_SWEEP_BASE_H
#define EW_IO_SWEEP_BASE_H

#include <stdbool.h>

#include "base/status.h"
#include "io/json_read.h"
#include "model/sweep_spec.h"

/** The value as JSON text in the arena; equal values have equal texts. */
enum ew_status ew_sweep_value_text(const char **out, struct ew_arena *arena,
                                   const struct ew_json_value *value, struct ew_error *err);

/** Read "scenario", an object or the name of a file, into spec->base. */
enum ew_status ew_sweep_read_base(struct ew_sweep_spec *spec, const struct ew_json_value *root,
                                  struct ew_error *err);

/** What `text` names: "param.NAME", "set.link.NAME.FIELD" or shorter "link.NAME.FIELD",
 *  "workload.NAME.KEY" of the base's workloads; anything else is a key of the scenario. Both texts
 *  are borrowed. EW_EINPUT for a workload that there is not. */
enum ew_status ew_sweep_make_key(struct ew_sweep_key *out, const struct ew_sweep_spec *spec,
                                 const char *text, const char *name, const struct ew_json_value *at,
                                 struct ew_error *err);

/** Do both stand at the same place? */
bool ew_sweep_key_is_same(const struct ew_sweep_key *a, const struct ew_sweep_key *b);

#endif
