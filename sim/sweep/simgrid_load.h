/*
 * Opens the SimGrid module when it is first needed. Everything of SimGrid is behind it, so that
 * commands without simulation start in no time.
 */
#ifndef EW_SWEEP_SIMGRID_LOAD_H
#define EW_SWEEP_SIMGRID_LOAD_H

#include "base/status.h"
#include "engine/simgrid_module.h"

/** The module, opened or not. Zero-initialise apart from the first member. */
struct ew_simgrid {
    const char *path; /**< of the shared object; NULL: this installation has none */
    const struct ew_simgrid_module *module; /**< NULL: not opened yet */
    char version[24];                       /**< of SimGrid, e.g. "3.32.0"; "" before */
};

/** Open the module unless that has been done; never closed. EW_EENGINE with path and reason. */
enum ew_status ew_simgrid_open(struct ew_simgrid *simgrid, struct ew_error *err);

/** An engine by its id; opens the module for "simgrid". EW_EINPUT when the id is unknown. */
enum ew_status ew_engine_find(const struct ew_engine **out, struct ew_simgrid *simgrid,
                              const char *id, struct ew_error *err);

/** Ids and summaries of all engines, without opening anything. */
struct ew_engine_info {
    const char *id;
    const char *summary;
};
extern const struct ew_engine_info ew_engine_infos[3];

#endif
