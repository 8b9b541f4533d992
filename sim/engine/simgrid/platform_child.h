/*
 * Reads a platform with SimGrid in a child process, since SimGrid aborts on bad input and keeps
 * one engine per process. The child sends hosts, properties, links and all routes as 32-bit words;
 * nothing is judged here (see platform_import.c).
 */
#ifndef EW_ENGINE_SIMGRID_PLATFORM_CHILD_H
#define EW_ENGINE_SIMGRID_PLATFORM_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/*
 * Format, in words; a string is its length in bytes, the bytes and zeros up to a full word:
 *   EW_PLATFORM_MAGIC, number of hosts, number of links,
 *   per host: name, speed (double: two words), cores, pstates, number of properties,
 *             per property: key, value,
 *   per link: name, bandwidth (double), latency (double), 1 when shared,
 *   per ordered pair of different hosts (i slowest): number of links, link indices,
 *   EW_PLATFORM_MAGIC.
 */
enum { EW_PLATFORM_MAGIC = 0x45575031 };

/** Words received from the child. Zero-initialise; free with ew_words_fini. */
struct ew_words {
    uint32_t *items;
    size_t count;
    size_t capacity;
};

void ew_words_fini(struct ew_words *words);

/** Run the child. EW_EINPUT with SimGrid's own reason in one line when it rejects the platform, or
 *  when it takes longer than `time_limit_s`; EW_EENGINE when no child can be started. */
enum ew_status ew_platform_read_child(struct ew_words *out, const char *xml_path,
                                      double time_limit_s, struct ew_error *err);

#endif
