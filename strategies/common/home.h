/*
 * Home: the one device that computes what cannot be cut (fully connected layers and the like).
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_HOME_H
#define EDGEWEAVE_STRATEGIES_COMMON_HOME_H

#include "common/blocks.h"
#include "common/devices.h"

/** Seconds for all blocks that are not banded when `device` computes them: what they read comes
 * from `from` (the network's input from the source), what banded blocks read of them goes back
 * there, an answer goes to the sink. 0 when all are banded, INFINITY without a route or the memory
 * for their weights. */
double kit_home_s(const struct kit_net *net, const struct kit_blocks *blocks, uint32_t from,
                  uint32_t device);

/** The device with the least kit_home_s, `from` on a tie, then the lowest; returns its seconds. */
double kit_best_home(uint32_t *out, const struct kit_net *net, const struct kit_blocks *blocks,
                     uint32_t from);

/** The device that the string parameter `param` names; for "auto" kit_best_home.
 * EW_STRATEGY_ECANNOT when no device, or not the named one, can do it. */
int32_t kit_choose_home(uint32_t *out, const struct kit_net *net, const struct kit_blocks *blocks,
                        uint32_t from, const char *param);

/** Who leads a group when nobody is named: the source; or, when its share would be less than one
 *  line of the input (it only asks), the most capable device that could lead. */
int32_t kit_choose_leader(uint32_t *out, const struct kit_net *net,
                          const struct kit_group_options *options);

/** The device that the string parameter `param` names, for "auto" kit_choose_leader with
 *  `options`, and the group that it heads. EW_STRATEGY_ECANNOT when the source has no route to it;
 *  `role` says what it is in that message. */
int32_t kit_lead_group(uint32_t *leader, struct kit_group *group, const struct kit_net *net,
                       const struct kit_group_options *options, const char *param,
                       const char *role);

#endif
