/*
 * Mappings: whole layers on devices, as other tools describe a distribution.
 *
 * AutoDiCE (Guo et al., 2022): a JSON object; per device the names of the layers that it computes,
 * every layer exactly once (verified in the tool's repository, parrotsky/AutoDiCE_examples).
 *
 * PipeEdge (Hu et al., DSD 2022): a YAML list; per stage one host with the first and the last of
 * its layers, counted from 1, in the order of the stages (verified in its README_Scheduler.md).
 *
 * A layer is one of the graph that the full network needs, inputs left out, in the graph's order.
 */
#ifndef EW_IO_INTEROP_MAPPING_H
#define EW_IO_INTEROP_MAPPING_H

#include "base/text.h"
#include "plan/plan.h"

/** Where each layer runs. Zero-initialise; free with ew_mapping_fini. */
struct ew_mapping {
    uint32_t n;       /**< layers */
    uint32_t *layers; /**< ids in the graph, ascending */
    uint32_t *device; /**< per such layer; EW_NONE while it is not known */
};

/** Names in a file that no layer has; for a warning. */
struct ew_mapping_unknown {
    uint32_t n;
    char first[80];
};

/** The layers of the full network, nowhere yet. */
enum ew_status ew_mapping_init(struct ew_mapping *mapping, const struct ew_graph *graph,
                               struct ew_error *err);
void ew_mapping_fini(struct ew_mapping *mapping);

/** What a book does, if a mapping can say it. EW_ENOTSUP with the layer that is divided, the
 *  variant, early exit or number of plans that it cannot say. `mapping` is initialised. */
enum ew_status ew_mapping_of_book(struct ew_mapping *mapping, const struct ew_plan_context *context,
                                  const struct ew_book *book, struct ew_error *err);

/** One plan of whole layers. Free with ew_book_free. */
enum ew_status ew_mapping_book(struct ew_book **out, const struct ew_mapping *mapping,
                               const struct ew_plan_context *context, const char *name,
                               int32_t batch, uint32_t source, uint32_t sink, struct ew_error *err);

/** Check out->failed. */
void ew_mapping_print_autodice(struct ew_str *out, const struct ew_mapping *mapping,
                               const struct ew_plan_context *context);
/** EW_ENOTSUP when a device's layers are not in one piece. */
enum ew_status ew_mapping_print_pipeedge(struct ew_str *out, const struct ew_mapping *mapping,
                                         const struct ew_plan_context *context,
                                         struct ew_error *err);

/** Read a file. EW_EINPUT with file and place: unknown device, a layer twice or not at all. Names
 *  of layers that the graph does not have are counted: tools map operators, too, that do not
 *  compute. */
enum ew_status ew_mapping_load_autodice(struct ew_mapping *mapping,
                                        struct ew_mapping_unknown *unknown, const char *path,
                                        const struct ew_plan_context *context,
                                        struct ew_error *err);
enum ew_status ew_mapping_load_pipeedge(struct ew_mapping *mapping, const char *path,
                                        const struct ew_plan_context *context,
                                        struct ew_error *err);

#endif
