/*
 * One plan in the making. The network's rows are split volume by volume: LC-PSS says where volumes
 * begin, OSDS how each is split, a device's share of a volume is computed without talking to the
 * others.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_MAKING_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_MAKING_H

#include "common/devices.h"
#include "common/net.h"
#include "distredge/chain.h"
#include "distredge/environment.h"
#include "distredge/learn.h"
#include "distredge/model_build.h"
#include "distredge/osds.h"

/** The plan being made. Zero-initialise, then fill in host, builder, draw and keeps_files. */
struct distredge {
    const struct ew_host *host;
    struct ew_plan_builder *builder;
    struct draw draw;
    bool keeps_files;       /**< trained agents come from and go to files */
    const uint32_t *wanted; /**< NULL, or n_wanted devices that once took part: no others do now */
    uint32_t n_wanted;
    struct kit_net net;
    struct kit_group group;
    struct chain chain;
    uint32_t *devices; /**< by part, in the platform's order */
    uint32_t n_devices;
    double *capability;
    struct model_data data;
    uint32_t *starts; /**< first blocks of the volumes */
    uint32_t n_volumes;
    struct environment environment;
    struct osds_split best;
    struct learned learned;
    double single_s;        /**< latency of the best single device */
    uint32_t single;        /**< its part */
    double agent_s;         /**< of the agent's split, when the single device is better and kept */
    uint64_t n_evaluations; /**< of the coordinate search */
    bool is_polished;
    const char *reaction; /**< to a changed world; NULL: none */
};

/** Everything up to the latency model. With n_devices 0 nobody can take a share. EW_STRATEGY_*. */
int32_t distredge_prepare(struct distredge *it);

/** Cut into volumes that begin at `starts`; NULL: as the parameters say. EW_STRATEGY_*. */
int32_t distredge_cut(struct distredge *it, const uint32_t *starts, uint32_t n_volumes);

/** Search the best split: from scratch, or with an agent that goes on learning. EW_STRATEGY_*. */
int32_t distredge_split(struct distredge *it, const struct agent *agent);

/** The best single device's split becomes the best. */
void distredge_take_single(struct distredge *it);

/** Write the plan of the best split, or, with n_devices 0, of the source alone. EW_STRATEGY_*. */
int32_t distredge_write(struct distredge *it);

void distredge_fini(struct distredge *it);

#endif
