/*
 * Several fused blocks, each cut into rows of equal number on every device: DeeperThings as
 * DistrEdge compares it. The cuts between blocks are the best under that rule, by dynamic
 * programming.
 */
#ifndef EDGEWEAVE_STRATEGIES_DEEPERTHINGS_ROWS_H
#define EDGEWEAVE_STRATEGIES_DEEPERTHINGS_ROWS_H

#include "common/star.h"

/** What is asked. Borrowed. */
struct deeper_rows_problem {
    const struct kit_net *net;
    const struct kit_blocks *blocks;
    const struct kit_group *group;
    uint32_t home;      /**< computes what cannot be cut */
    bool may_stay_home; /**< the last blocks that can be cut may be computed there, too */
    bool assumes_equal; /**< every device and wire is taken for the mean of all */
};

/** The answer. Arrays are owned. */
struct deeper_rows {
    struct kit_star star;
    struct kit_volume *volumes;
    uint32_t n_volumes;
    int32_t *cuts; /**< storage of the volumes' */
    double latency_s;
};

/** Zero-initialise first; release with deeper_rows_fini whatever this returns. */
int32_t deeper_rows_plan(struct deeper_rows *rows, const struct deeper_rows_problem *problem);
void deeper_rows_fini(struct deeper_rows *rows);

#endif
