/*
 * PipeEdge's profiles: models.yml, device_types.yml, devices.yml (Hu et al., PipeEdge, DSD 2022;
 * the format is verified in the tool's README_Scheduler.md and yaml_types.h). Exported from a graph
 * and a platform; imported as a chain of opaque layers, a platform and one table of times per type.
 * docs/interop.md says what is lost either way.
 */
#ifndef EW_IO_INTEROP_PIPEEDGE_H
#define EW_IO_INTEROP_PIPEEDGE_H

#include "io/interop/mapping.h"

/** The three files. Zero-initialise; free with ew_pipeedge_texts_fini. */
struct ew_pipeedge_texts {
    struct ew_str models;
    struct ew_str device_types;
    struct ew_str devices;
};

/** Print; `mapping` only says which layers there are. Bytes and MB are 10^6. */
enum ew_status ew_pipeedge_print(struct ew_pipeedge_texts *out, const struct ew_mapping *mapping,
                                 const struct ew_plan_context *context, struct ew_error *err);
void ew_pipeedge_texts_fini(struct ew_pipeedge_texts *texts);

/** What was read, as texts of our own formats. Zero-initialise; free with ew_pipeedge_import_fini.
 */
struct ew_pipeedge_import {
    struct ew_arena arena;
    const char *name; /**< of the graph, fit for a file name */
    struct ew_str graph;
    struct ew_str platform;
    uint32_t n_profiles;
    const char **profile_names; /**< without `.json` */
    struct ew_str *profiles;
};

/** Read models.yml, device_types.yml and devices.yml from a folder. `model`: which one; NULL when
 *  there is only one that has layers. EW_EINPUT with file, line and column. */
enum ew_status ew_pipeedge_load(struct ew_pipeedge_import *out, const char *folder,
                                const char *model, struct ew_error *err);
void ew_pipeedge_import_fini(struct ew_pipeedge_import *import);

#endif
