/*
 * Coordinate search over the cut points of all layer-volumes: the oracle that grades OSDS, and its
 * optional polish. No part of DistrEdge.
 *
 * From a split, one cut is moved at a time (in one volume, or in several that follow each other),
 * or rows from one part to another, as long as that lowers the latency.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_COORDINATE_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_COORDINATE_H

#include <stdint.h>

#include "distredge/osds.h"

/** How far to go. */
struct coordinate_options {
    uint64_t max_evaluations;
    const double *capability; /**< by part, > 0: starting splits are proportional to it; borrowed */
    uint32_t n_starts;        /**< how many of the best starting splits to improve, >= 1 */
};

/** Improve a split whose latency_s is known. `n_evaluations` counts on. */
enum osds_outcome coordinate_improve(struct osds_split *split, uint64_t *n_evaluations,
                                     const struct osds_problem *problem, uint64_t max_evaluations);

/** Start from every single part, and from splits in proportion to capability among the k ablest
 *  parts, k = 2 … n_parts; improve the best of them. `best->cuts` has room for all volumes. */
enum osds_outcome coordinate_search(struct osds_split *best, uint64_t *n_evaluations,
                                    const struct osds_problem *problem,
                                    const struct coordinate_options *options);

#endif
