/*
 * Overlays of JSON objects: several objects become one text, later ones win.
 */
#ifndef EW_IO_JSON_OVERLAY_H
#define EW_IO_JSON_OVERLAY_H

#include "base/json_writer.h"
#include "io/json_read.h"

/** Write one object with the members of `n` objects (absent ones count as empty) in the order they
 *  first appear. A member that several have is the last one's; if it is an object in all of them,
 *  its members are overlaid likewise. Values nested deeper than `depth` are refused with EW_EINPUT.
 */
enum ew_status ew_json_overlay(struct ew_json *out, const struct ew_json_value *layers, size_t n,
                               int depth, struct ew_error *err);

/** Write one value, at most `depth` levels of objects and arrays. */
enum ew_status ew_json_put_value(struct ew_json *out, const struct ew_json_value *value, int depth,
                                 struct ew_error *err);

#endif
