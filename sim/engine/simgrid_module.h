/*
 * What the SimGrid module exports. The module (`edgeweave_simgrid.so`) carries SimGrid, the engine
 * and the platform import; the program opens it when one of them is first needed, so that commands
 * without simulation do not pay for loading SimGrid. Includes no SimGrid header.
 */
#ifndef EW_ENGINE_SIMGRID_MODULE_H
#define EW_ENGINE_SIMGRID_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "model/platform.h"

/** Name of the one exported symbol, of type `const struct ew_simgrid_module`. */
#define EW_SIMGRID_MODULE_SYMBOL "ew_simgrid_module"

/** Contents of the module. Both sides are built together: a different struct_size means that the
 *  installation is mixed up. */
struct ew_simgrid_module {
    uint32_t struct_size;
    const struct ew_engine *engine;
    /** See ew_platform_import in engine/simgrid/platform_import.h. */
    enum ew_status (*platform_import)(struct ew_platform **out, const char *xml_path,
                                      const char *const *profile_dirs, size_t n_dirs,
                                      struct ew_error *err);
    /** Start SimGrid in this process with a platform and a network model, both outlive it. From
     * then on all runs of this process must be without dynamics, and have `is_prepared` set; their
     *  children begin where this process is. Once per process. EW_EIO, EW_ENOMEM. */
    enum ew_status (*prepare)(const struct ew_platform *platform, const struct ew_net_model *net,
                              struct ew_error *err);
};

#endif
