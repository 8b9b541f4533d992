/*
 * The network of a run, as a real execution emulates it.
 */
#ifndef EW_ENGINE_EXEC_EXEC_LINKS_H
#define EW_ENGINE_EXEC_EXEC_LINKS_H

#include "engine/engine.h"
#include "engine/exec/setup.h"

struct ew_exec_link exec_link_of(const struct ew_run *run, uint32_t link);
struct ew_exec_route exec_route_of(const struct ew_run *run, uint32_t from, uint32_t to);

/** Clocks for the links of the platform; flow from * n_devices + to is of that pair. */
enum ew_status exec_shaper_new(struct ew_shaper **out, char name[EW_SHAPER_NAME_BYTES],
                               const struct ew_run *run, struct ew_error *err);

#endif
