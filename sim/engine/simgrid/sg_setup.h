/*
 * Brings SimGrid up in the child process: arguments, models, platform, tables of the world.
 */
#ifndef EW_ENGINE_SIMGRID_SG_SETUP_H
#define EW_ENGINE_SIMGRID_SG_SETUP_H

#include "engine/simgrid/sg_world.h"

/** Start SimGrid and load all of a platform, for the children of this process. */
enum ew_status ew_sg_prepare(const struct ew_platform *platform, const struct ew_net_model *net,
                             struct ew_error *err);

/** Simulate the run and end the process; everything worth knowing goes through the writer. */
_Noreturn void ew_sg_simulate(const struct ew_run *run, bool with_host_energy,
                              struct ew_sg_writer *writer);

#endif
