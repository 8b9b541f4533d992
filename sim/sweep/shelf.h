/*
 * Shelf: what the setups of one process opened, for those that follow. Keeps every graph (up to a
 * number) and the last platform: a sweep goes through its points platform by platform.
 */
#ifndef EW_SWEEP_SHELF_H
#define EW_SWEEP_SHELF_H

#include "base/text.h"
#include "base/vec.h"
#include "model/graph.h"
#include "model/platform.h"
#include "model/scenario.h"

struct ew_shelf_graph {
    char *path;
    struct ew_graph *graph;
    uint64_t hash;
};

/** The last platform file as it was read, before devices were left out and figures replaced: to
 * make the next platform of it (sweep/platform_load.c). */
struct ew_shelf_file {
    char *path;
    char *xml;
    size_t xml_size;
    struct ew_str entry; /**< sweep/platform_cache.h */
};

/** Zero-initialise; free with ew_shelf_fini, after every setup that used it. */
struct ew_shelf {
    EW_VEC(struct ew_shelf_graph) graphs;
    struct ew_shelf_file file;
    struct ew_platform *platform;
    struct ew_str key;   /**< what the platform is made of */
    uint64_t generation; /**< grows when the platform is another one */
};

/** Look for what the scenario's platform is, overrides included; false when it is another one. The
 *  shelf keeps it. */
bool ew_shelf_platform(struct ew_platform **out, struct ew_shelf *shelf,
                       const struct ew_scenario *scenario);

/** Take over a platform; the one before is freed, so no setup may be open. EW_ENOMEM: not taken. */
enum ew_status ew_shelf_put_platform(struct ew_shelf *shelf, struct ew_platform *platform,
                                     const struct ew_scenario *scenario, struct ew_error *err);

bool ew_shelf_graph(struct ew_graph **out, uint64_t *hash, const struct ew_shelf *shelf,
                    const char *path);
enum ew_status ew_shelf_put_graph(struct ew_shelf *shelf, struct ew_graph *graph, uint64_t hash,
                                  const char *path, struct ew_error *err);

/** Forget graphs when there are many; no setup may be open. */
void ew_shelf_trim(struct ew_shelf *shelf);

void ew_shelf_fini(struct ew_shelf *shelf);

#endif
