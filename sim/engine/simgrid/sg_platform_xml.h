/*
 * Writes the part of a platform that a run uses as a SimGrid platform: all devices, and the links
 * and routes of the used connections. SimGrid thereby simulates exactly what the other engines do,
 * whatever the platform was read from.
 */
#ifndef EW_ENGINE_SIMGRID_SG_PLATFORM_XML_H
#define EW_ENGINE_SIMGRID_SG_PLATFORM_XML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "engine/core.h"
#include "model/platform.h"

/** Room for a name given by ew_sg_host_name. */
enum { EW_SG_NAME_SIZE = 16 };

/** SimGrid's name of a device: "d" and its number. */
void ew_sg_host_name(char out[EW_SG_NAME_SIZE], uint32_t device);

/** SimGrid's name of a link. */
void ew_sg_link_name(char out[EW_SG_NAME_SIZE], uint32_t link);

/** SimGrid's name of a host without links that is no device. */
#define EW_SG_CONTROL_HOST "control"

/** Append the document: devices, the control host, links, routes. Links keep their numbers as names
 * ("l" and the number). `with_power`: all devices carry the property that SimGrid's host_energy
 * plugin reads. `dynamics` (may be NULL): speeds that change name their profile
 *  files. `core` NULL: all links and routes of the platform. */
void ew_sg_platform_print(struct ew_str *out, const struct ew_platform *platform,
                          const struct ew_core *core, const struct ew_dynamics *dynamics,
                          bool with_power);

/** File name of a signal's profile, with its number; beside the platform. */
#define EW_SG_PROFILE_NAME "profile%u.txt"

/** Append the profile of a device's speed; false for other signals: the job machine or the world
 *  (sg_world.h) applies them. */
bool ew_sg_profile_print(struct ew_str *out, const struct ew_signal *signal);

#endif
