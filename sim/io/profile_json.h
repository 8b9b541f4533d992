/*
 * Device cost profiles from JSON, schema edgeweave.profile/1 (see docs/inputs-platforms.md).
 */
#ifndef EW_IO_PROFILE_JSON_H
#define EW_IO_PROFILE_JSON_H

#include <stddef.h>

#include "base/status.h"
#include "model/profile.h"

/** Read and check a profile file. Its name must be the file's name without `.json`. EW_EINPUT with
 *  file and JSON pointer or field. Free with ew_profile_free. */
enum ew_status ew_profile_load_json(struct ew_profile **out, const char *path,
                                    struct ew_error *err);

/** As ew_profile_load_json, from `size` bytes of text; `path` is for messages, the name is free. */
enum ew_status ew_profile_parse_json(struct ew_profile **out, const char *text, size_t size,
                                     const char *path, struct ew_error *err);

#endif
