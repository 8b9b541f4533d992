/*
 * One SimGrid host -> one device description: what its `<prop>`s mean (docs/inputs-platforms.md).
 */
#ifndef EW_ENGINE_SIMGRID_PLATFORM_HOST_H
#define EW_ENGINE_SIMGRID_PLATFORM_HOST_H

#include <stdint.h>

#include "base/status.h"
#include "io/profile_pool.h"
#include "model/platform.h"

/** A property as written in the file. */
struct ew_host_property {
    const char *key;
    const char *value;
};

/** A host as SimGrid has it. All borrowed. */
struct ew_host {
    const char *xml_path; /**< for messages */
    uint32_t line;        /**< in the file; 0: made by a `<cluster>` */
    const char *name;
    uint32_t cores;
    uint32_t n_pstates;
    double speed_flops_per_s;
    uint32_t n_properties;
    const struct ew_host_property *properties; /**< sorted by key: the first bad one is reported */
};

/** Fill `out` (zeroed before). Its texts are borrowed from the host, its profile from the pool.
 *  EW_EINPUT with file, line, host and property. */
enum ew_status ew_host_read(struct ew_device_desc *out, const struct ew_host *host,
                            struct ew_profile_pool *profiles, struct ew_error *err);

#endif
