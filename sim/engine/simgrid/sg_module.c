#include "engine/simgrid_module.h"

#include "engine/simgrid/platform_import.h"
#include "engine/simgrid/sg_setup.h"

extern const struct ew_simgrid_module ew_simgrid_module;

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct ew_simgrid_module ew_simgrid_module = {
    .struct_size = sizeof(struct ew_simgrid_module),
    .engine = &ew_engine_simgrid,
    .platform_import = ew_platform_import,
    .prepare = ew_sg_prepare,
};
