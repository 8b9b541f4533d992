/*
 * SimGrid platform file -> ew_platform. Hosts, links and routes as SimGrid resolves them; the edge
 * facts from `<prop>` (see docs/inputs-platforms.md).
 */
#ifndef EW_ENGINE_SIMGRID_PLATFORM_IMPORT_H
#define EW_ENGINE_SIMGRID_PLATFORM_IMPORT_H

#include <stddef.h>

#include "base/status.h"
#include "model/platform.h"

/** Read `xml_path`. A host's `profile` NAME is looked up as NAME.json in `profiles/` beside the
 *  file, then in `profile_dirs` in order. Devices keep the order of the file (those of a
 *  `<cluster>` follow, by number). EW_EINPUT with file, line where known, and reason. Starts a
 *  child process (at most 30 s). Free with ew_platform_free. */
enum ew_status ew_platform_import(struct ew_platform **out, const char *xml_path,
                                  const char *const *profile_dirs, size_t n_dirs,
                                  struct ew_error *err);

#endif
