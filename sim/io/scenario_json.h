/*
 * Scenarios as JSON files (schema edgeweave.scenario/1; docs/inputs-scenario.md has every key).
 * Every key is a command line option's name with '_' for '-'. Opens no file but the scenario.
 */
#ifndef EW_IO_SCENARIO_JSON_H
#define EW_IO_SCENARIO_JSON_H

#include <stddef.h>

#include "base/status.h"
#include "io/json_read.h"
#include "model/scenario.h"

/** Load a scenario file into a zeroed or uninitialised `out`; free with ew_scenario_fini. Files it
 *  names are resolved against its directory when they contain a '/' or end in .json, .xml or .txt.
 *  EW_EINPUT with file and JSON pointer, or line and column, of what is wrong. */
enum ew_status ew_scenario_load_json(struct ew_scenario *out, const char *path,
                                     struct ew_error *err);

/** As above from memory; the text need not be terminated. `path` is for messages and for
 *  resolving names. */
enum ew_status ew_scenario_parse_json(struct ew_scenario *out, const char *text, size_t size,
                                      const char *path, struct ew_error *err);

/** Fail, at `at`, unless `key` is one of a scenario's, or of an item of its "workloads"; suggests the
 *  nearest. */
enum ew_status ew_scenario_check_key(const struct ew_json_value *at, const char *key,
                                     bool is_of_workload, struct ew_error *err);

#endif
