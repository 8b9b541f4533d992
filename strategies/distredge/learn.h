/*
 * Training the agent for one problem: options from the parameters, actors from and to files.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_LEARN_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_LEARN_H

#include "distredge/environment.h"
#include "distredge/osds.h"

/** What came out. */
struct learned {
    struct osds_history history;
    bool is_cached;  /**< taken from a file, nothing was trained; the plan must not show it */
    bool is_resumed; /**< started from a trained actor */
};

/** Search a split with the host's parameters; `single_s` is the latency of the best single device.
 *  `best->cuts` has room. EW_STRATEGY_*. */
int32_t learn_split(struct osds_split *best, struct learned *learned,
                    struct environment *environment, double single_s);

/** The host's random numbers. */
struct draw learn_draw(const struct ew_host *host);

#endif
