/*
 * What OSDS learns from: the problem it sees, with a latency from the fast engine or from the
 * recursion; and the writing of a split into the plan builder.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_ENVIRONMENT_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_ENVIRONMENT_H

#include "common/draft.h"
#include "common/net.h"
#include "distredge/chain.h"
#include "distredge/model_build.h"
#include "distredge/osds.h"

/** A network cut into volumes, ready to be split. */
struct environment {
    const struct kit_net *net;       /**< borrowed */
    const struct model_data *data;   /**< borrowed */
    const uint32_t *devices;         /**< by part; borrowed */
    struct ew_plan_builder *builder; /**< borrowed; scratch for the fast engine */
    bool is_recursion;
    bool checks_memory; /**< some splits may not fit: those have an infinite latency */
    struct kit_draft draft;
    struct model_state state;
    struct osds_volume *volumes;
    struct osds_problem problem; /**< its ctx is the environment: do not move it */
    int32_t status;              /**< the builder's or host's, when latency_s was negative */
    uint64_t n_evaluated;        /**< how often the host has evaluated */
};

/** Volumes start at blocks `starts`. EW_STRATEGY_*; zero-initialise first, fill in the borrowed
 *  members and is_recursion; free with environment_fini in any case. */
int32_t environment_init(struct environment *environment, const struct chain *chain,
                         const uint32_t *starts, uint32_t n_volumes);
void environment_fini(struct environment *environment);

/** Latency of a complete split; INFINITY when it does not fit into memory; negative: see
 * environment->status. */
double environment_latency_s(struct environment *environment, const int32_t *cuts);

/** Latency of the best single part, and which it is; negative: see environment->status. */
double environment_single_s(uint32_t *part, struct environment *environment);

/** Begin a plan and write the pieces of the split decided last. */
int32_t environment_emit(struct environment *environment);

/** Device of the head in the split decided last. */
uint32_t environment_head_device(const struct environment *environment);

#endif
