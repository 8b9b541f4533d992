/*
 * Writing plans: the few shapes that strategies give to a layer.
 *
 * Every function returns the builder's status: negative means a message has been recorded.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_EMIT_H
#define EDGEWEAVE_STRATEGIES_COMMON_EMIT_H

#include "common/net.h"

/** Begin a plan for net's variant and exit, all images. */
int32_t kit_begin_plan(struct ew_plan_builder *builder, const struct kit_net *net,
                       const char *name);

/** All of the layer on one device. */
int32_t kit_emit_whole(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t layer,
                       uint32_t device);

/** Lines [lo, hi) of the layer on one device; nothing when empty. */
int32_t kit_emit_band(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t layer,
                      uint32_t device, int32_t lo, int32_t hi);

/** Band i of the layer, [cuts[i], cuts[i + 1]), on devices[i]. */
int32_t kit_emit_bands(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t layer,
                       const uint32_t *devices, uint32_t n, const int32_t *cuts);

/** Every computed layer with an id in [first, last] on one device. */
int32_t kit_emit_layers(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t first,
                        uint32_t last, uint32_t device);

/** Everything on one device. */
int32_t kit_emit_all(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t device);

/** set_prediction; adds an infeasible_reason when the latency is beyond the deadline asked for. An
 *  infinite latency means that a transfer has no route: EW_STRATEGY_ECANNOT. */
int32_t kit_predict(struct ew_plan_builder *builder, const struct kit_net *net, double latency_s,
                    double energy_j);

#endif
