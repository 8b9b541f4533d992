/*
 * Dynamics opened: names of links and devices looked up on a platform, traces read, items for every
 * link or device spread out. One result serves any number of runs on that platform.
 */
#ifndef EW_SWEEP_DYNAMICS_OPEN_H
#define EW_SWEEP_DYNAMICS_OPEN_H

#include "model/dynamics.h"
#include "model/platform.h"

/** Make what engines run. *out is NULL when the spec says nothing that changes anything. EW_EINPUT
 *  with the item and the nearest name, or with file and line of a trace. Free with
 *  ew_dynamics_free. */
enum ew_status ew_dynamics_open(struct ew_dynamics **out, const struct ew_dynamics_spec *spec,
                                const struct ew_platform *platform, struct ew_error *err);

/** Accepts NULL. */
void ew_dynamics_free(struct ew_dynamics *dynamics);

#endif
