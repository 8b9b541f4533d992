/*
 * Splitting by channels: layers whose output channels can be made apart, and layers that pass parts
 * of the channels on.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_CHANNELS_H
#define EDGEWEAVE_STRATEGIES_COMMON_CHANNELS_H

#include "common/blocks.h"

/** True for a convolution or fully connected layer: every output channel has weights of its own
 *  and, in general, needs all of the input. */
bool kit_makes_channels(const struct kit_net *net, uint32_t layer);

/** True for a layer without weights of that kind that makes its output channels from as many, or
 *  every few of them from one, channels of its only input: activation, pool, flatten, … */
bool kit_keeps_channels(const struct kit_net *net, uint32_t layer);

/** Channels by which a block can be split: those of its first layer, if that makes channels and
 *  each other layer keeps those of the one before it; 0 when that is not so. */
int32_t kit_block_channels(const struct kit_net *net, const struct kit_block *block);

/** Channels [lo, hi) of `of`, as a part of the layer's output, whose channels are a multiple. */
struct ew_tensor_box kit_channel_box(const struct kit_net *net, uint32_t layer, int32_t lo,
                                     int32_t hi, int32_t of);

#endif
