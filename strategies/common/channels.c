#include "common/channels.h"

bool kit_makes_channels(const struct kit_net *net, uint32_t layer)
{
    const uint32_t kind = net->layers[layer]->op_class;
    return (kind == EW_LAYER_CONV || kind == EW_LAYER_FC) && net->layers[layer]->n_inputs == 1;
}

/* Does channel c of the input, and nothing else, make channels c * ratio up to the next? */
static bool keeps_channel(const struct kit_net *net, uint32_t layer, int32_t c, int32_t ratio)
{
    struct ew_tensor_box out = kit_full_box(net, layer);
    struct ew_tensor_box in;
    out.lo[1] = c * ratio;
    out.hi[1] = (c + 1) * ratio;
    return net->host->input_box(net->host, net->variant, layer, 0, &out, &in) >= 0 &&
           in.lo[1] == c && in.hi[1] == c + 1;
}

/* Layers treat channels alike: the first, a middle and the last say so. */
bool kit_keeps_channels(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    if (info->n_inputs != 1 || kit_makes_channels(net, layer)) {
        return false;
    }
    const int32_t n = net->layers[info->inputs[0]]->shape[1];
    const int32_t ratio = info->shape[1] / n;
    return ratio * n == info->shape[1] && keeps_channel(net, layer, 0, ratio) &&
           keeps_channel(net, layer, n / 2, ratio) && keeps_channel(net, layer, n - 1, ratio);
}

int32_t kit_block_channels(const struct kit_net *net, const struct kit_block *block)
{
    const uint32_t head = net->order[block->begin];
    if (!kit_makes_channels(net, head)) {
        return 0;
    }
    for (uint32_t i = block->begin + 1; i < block->end; i++) {
        const uint32_t layer = net->order[i];
        if (!kit_keeps_channels(net, layer) || net->layers[layer]->inputs[0] != net->order[i - 1]) {
            return 0;
        }
    }
    return net->layers[head]->shape[1];
}

struct ew_tensor_box kit_channel_box(const struct kit_net *net, uint32_t layer, int32_t lo,
                                     int32_t hi, int32_t of)
{
    struct ew_tensor_box box = kit_full_box(net, layer);
    const int32_t ratio = box.hi[1] / of;
    box.lo[1] = lo * ratio;
    box.hi[1] = hi * ratio;
    return box;
}
