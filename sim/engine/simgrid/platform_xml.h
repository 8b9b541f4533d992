/*
 * What SimGrid does not tell about a platform file: the order and line of its hosts and links, and
 * constructs that would change the simulation behind our back. A scan of tags and attributes, not
 * an XML parser: SimGrid's own parser decides what is well-formed.
 */
#ifndef EW_ENGINE_SIMGRID_PLATFORM_XML_H
#define EW_ENGINE_SIMGRID_PLATFORM_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

/** An id as written in the file. */
struct ew_xml_id {
    const char *id;
    uint32_t order; /**< position among all ids of the file */
    uint32_t line;  /**< 1-based */
};

/** Ids of hosts and links, sorted by id (the first of equal ids only). Zero-initialise. */
struct ew_xml_ids {
    struct ew_arena arena;
    struct ew_xml_id *items;
    size_t count;
    size_t capacity;
};

/** Scan a platform file. EW_EINPUT, with line, on: `<config>`, traces and availability files,
 *  Wi-Fi and Vivaldi zones. `path` is for messages. */
enum ew_status ew_xml_scan(struct ew_xml_ids *ids, const char *text, size_t size, const char *path,
                           struct ew_error *err);

/** The entry of `id`, or NULL (hosts of a `<cluster>` have none). */
const struct ew_xml_id *ew_xml_find(const struct ew_xml_ids *ids, const char *id);

void ew_xml_ids_fini(struct ew_xml_ids *ids);

#endif
