/*
 * DistrEdge's parameters: what a user may set, with the paper's values as defaults.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_PARAMS_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_PARAMS_H

#include "edgeweave/strategy.h"

/** Static description of the strategy with all parameters. */
extern const struct ew_strategy_info DISTREDGE_INFO;

#endif
