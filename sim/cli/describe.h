/*
 * Describes one thing, for people or as JSON.
 */
#ifndef EW_CLI_DESCRIBE_H
#define EW_CLI_DESCRIBE_H

#include "base/text.h"
#include "edgeweave/strategy.h"
#include "model/graph.h"
#include "model/platform.h"

void ew_describe_strategy(struct ew_str *out, const struct ew_strategy_info *info, bool as_json);
void ew_describe_graph(struct ew_str *out, const struct ew_graph *graph, bool as_json);
void ew_describe_platform(struct ew_str *out, const struct ew_platform *platform, bool as_json);
void ew_describe_profile(struct ew_str *out, const struct ew_profile *profile, bool as_json);

enum ew_layers_format { EW_LAYERS_TABLE, EW_LAYERS_JSON, EW_LAYERS_CSV };

/** The layers of a graph: shapes, work, bytes, halo (describe_layers.c). */
void ew_describe_layers(struct ew_str *out, const struct ew_graph *graph,
                        enum ew_layers_format format);

/** The layers as a value of an object that is being written. */
struct ew_json;
void ew_describe_layers_json(struct ew_json *j, const struct ew_graph *graph);

/** Print a grid of cells (results/grid.h) as wide as everything else, and free it. */
struct ew_grid;
void ew_describe_grid_end(struct ew_str *out, struct ew_grid *grid);

#endif
