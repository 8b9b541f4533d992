/*
 * Is a plugin's entry and what it says of its strategies sound? Pure checks, no loading.
 */
#ifndef EW_PLUGIN_DESCRIPTOR_H
#define EW_PLUGIN_DESCRIPTOR_H

#include "base/status.h"
#include "edgeweave/strategy.h"

/** Sizes, version and members of the entry. `path` is for messages. EW_EPLUGIN. */
enum ew_status ew_entry_check(const struct ew_strategy_entry *entry, const char *path,
                              struct ew_error *err);

/** Texts, id, parameters (names, ranges, defaults, choices). EW_EPLUGIN. */
enum ew_status ew_strategy_info_check(const struct ew_strategy_info *info, const char *path,
                                      struct ew_error *err);

#endif
