#include "common/home.h"

#include <math.h>
#include <stdlib.h>

#include "common/plugin.h"
#include "common/share.h"

static double transfer_s(const struct kit_net *net, uint32_t from, uint32_t to, uint64_t bytes)
{
    return from == to || bytes == 0 ? 0.0 : net->host->transfer_s(net->host, from, to, bytes);
}

static double bring_s(const struct kit_net *net, const struct kit_block *block, uint32_t from,
                      uint32_t device)
{
    uint32_t source = net->host->requirements(net->host)->source_device;
    uint64_t input_bytes = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < block->n_entering; i++) {
        uint32_t layer = block->entering[i];
        uint64_t size = kit_layer_bytes(net, layer);
        input_bytes += net->place[layer] == KIT_INPUT ? size : 0;
        bytes += net->place[layer] == KIT_INPUT ? 0 : size;
    }
    return transfer_s(net, source, device, input_bytes) + transfer_s(net, from, device, bytes);
}

/* What the run of blocks that ends with `last` gives away. */
static double hand_over_s(const struct kit_net *net, const struct kit_blocks *blocks, uint32_t last,
                          uint32_t from, uint32_t device)
{
    const struct kit_block *block = &blocks->items[last];
    double seconds = 0.0;
    for (uint32_t i = 0; i < block->n_outputs; i++) {
        uint64_t bytes = kit_layer_bytes(net, block->outputs[i]);
        if (kit_is_exit_layer(net, block->outputs[i])) {
            uint32_t sink = net->host->requirements(net->host)->sink_device;
            seconds += transfer_s(net, device, sink, bytes);
        }
        if (last + 1 < blocks->n && blocks->items[last + 1].is_banded) {
            seconds += transfer_s(net, device, from, bytes);
        }
    }
    return seconds;
}

double kit_home_s(const struct kit_net *net, const struct kit_blocks *blocks, uint32_t from,
                  uint32_t device)
{
    double seconds = 0.0;
    uint64_t weight_bytes = 0;
    for (uint32_t b = 0; b < blocks->n; b++) {
        const struct kit_block *block = &blocks->items[b];
        if (block->is_banded) {
            continue;
        }
        if (b == 0 || blocks->items[b - 1].is_banded) {
            seconds += bring_s(net, block, from, device);
        }
        for (uint32_t i = block->begin; i < block->end; i++) {
            seconds += kit_layer_compute_s(net, net->order[i], device);
            weight_bytes += net->layers[net->order[i]]->weight_bytes;
        }
        seconds += hand_over_s(net, blocks, b, from, device);
    }
    return kit_fits(net->host, device, weight_bytes) ? seconds : INFINITY;
}

double kit_best_home(uint32_t *out, const struct kit_net *net, const struct kit_blocks *blocks,
                     uint32_t from)
{
    double best_s = kit_home_s(net, blocks, from, from);
    *out = from;
    for (uint32_t d = 0; d < net->host->device_count(net->host); d++) {
        double seconds = kit_home_s(net, blocks, from, d);
        if (seconds < best_s) {
            *out = d;
            best_s = seconds;
        }
    }
    return best_s;
}

int32_t kit_choose_home(uint32_t *out, const struct kit_net *net, const struct kit_blocks *blocks,
                        uint32_t from, const char *param)
{
    const struct ew_host *host = net->host;
    int32_t rc = kit_param_device(out, host, param);
    if (rc < 0) {
        return rc;
    }
    if (*out != EW_ID_NONE) {
        return isfinite(kit_home_s(net, blocks, from, *out))
                   ? EW_STRATEGY_OK
                   : kit_fail(host, EW_STRATEGY_ECANNOT,
                              "parameter %s: %s has no route or not the memory for the layers that "
                              "cannot be cut",
                              param, host->device(host, *out)->name);
    }
    return isfinite(kit_best_home(out, net, blocks, from))
               ? EW_STRATEGY_OK
               : kit_fail(host, EW_STRATEGY_ECANNOT,
                          "no device has a route and the memory for the layers that cannot be cut");
}

int32_t kit_choose_leader(uint32_t *out, const struct kit_net *net,
                          const struct kit_group_options *options)
{
    struct kit_group group = {0};
    int32_t rc = kit_group_init(&group, net, options);
    int32_t *counts = calloc(group.n + 1u, sizeof *counts);
    if (rc >= 0 && !counts) {
        rc = kit_fail_memory(net->host);
    }
    if (rc >= 0) {
        kit_round_shares(counts, group.capability, group.n, net->extent);
        *out = group.device[group.n > 1 && counts[0] == 0 ? 1 : 0];
    }
    free(counts);
    kit_group_fini(&group);
    return rc;
}

int32_t kit_lead_group(uint32_t *leader, struct kit_group *group, const struct kit_net *net,
                       const struct kit_group_options *options, const char *param, const char *role)
{
    const struct ew_host *host = net->host;
    const uint32_t source = host->requirements(host)->source_device;
    struct kit_group_options led = *options;
    int32_t rc = kit_param_device(leader, host, param);
    if (rc >= 0 && *leader == EW_ID_NONE) {
        rc = kit_choose_leader(leader, net, options);
    }
    if (rc >= 0 && !kit_has_route(host, source, *leader)) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "no route between the source %s and the %s %s",
                      host->device(host, source)->name, role, host->device(host, *leader)->name);
    }
    if (rc < 0) {
        return rc;
    }
    led.first = *leader;
    return kit_group_init(group, net, &led);
}
