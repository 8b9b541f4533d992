/*
 * Training the agent for one problem: options from the parameters, actors from and to files; and
 * going on with an agent that was trained before.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_LEARN_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_LEARN_H

#include "distredge/environment.h"
#include "distredge/osds.h"

/** An agent between trainings: the parameters of its networks. Zero-initialise. */
struct agent {
    uint32_t n_parts;
    double scale_s; /**< see osds_options */
    uint32_t n_actor;
    uint32_t n_critic;
    float *actor;  /**< owned; NULL: there is no agent */
    float *critic; /**< owned */
};

void agent_fini(struct agent *agent);

/** How to train. */
struct learn_how {
    double scale_s;            /**< latency of the best single device */
    struct draw draw;          /**< random numbers */
    const struct agent *agent; /**< NULL, or who is to go on learning, for finetune_episodes */
    bool keeps_files;          /**< reads and writes the cache */
};

/** What came out. Zero-initialise. */
struct learned {
    struct osds_history history;
    struct agent agent; /**< owned; release with agent_fini */
    uint64_t seed;      /**< a number drawn on the way, the same whether or not it is cached; 0
                             without files */
    bool is_cached;     /**< taken from a file, nothing was trained; the plan must not show it */
    bool is_resumed;    /**< started from the actor of a file */
};

/** Search a split with the host's parameters. `best->cuts` has room. EW_STRATEGY_*. */
int32_t learn_split(struct osds_split *best, struct learned *learned,
                    struct environment *environment, const struct learn_how *how);

/** The best of what an agent decides and of its tries with noise, in the environment as it is now,
 *  without learning. EW_STRATEGY_*. */
int32_t learn_follow(struct osds_split *out, struct environment *environment,
                     const struct agent *agent, const struct draw *draw);

/** The host's random numbers. */
struct draw learn_draw(const struct ew_host *host);

#endif
