#include "common/devices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"

bool kit_has_route(const struct ew_host *host, uint32_t a, uint32_t b)
{
    if (a == b) {
        return true;
    }
    const struct ew_link_info *there = host->link(host, a, b);
    const struct ew_link_info *back = host->link(host, b, a);
    return there && back && there->has_route && back->has_route;
}

bool kit_fits(const struct ew_host *host, uint32_t device, uint64_t bytes)
{
    uint64_t memory_bytes = host->device(host, device)->memory_bytes;
    return memory_bytes == 0 || bytes <= memory_bytes;
}

double kit_device_capability(const struct kit_net *net, uint32_t device, enum kit_capability kind)
{
    double seconds = 0.0;
    if (kind == KIT_CAPABILITY_FLOPS) {
        double flops_per_s = net->host->device(net->host, device)->speed_flops_per_s;
        return flops_per_s > 0.0 ? flops_per_s : 1.0;
    }
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        seconds += net->place[layer] == KIT_BANDED ? kit_layer_compute_s(net, layer, device) : 0.0;
    }
    return 1.0 / fmax(seconds, 1e-12);
}

static void note_excluded(struct kit_group *group, const char *name, const char *why)
{
    size_t used = strlen(group->excluded);
    snprintf(group->excluded + used, sizeof group->excluded - used, "%s%s (%s)", used ? ", " : "",
             name, why);
}

static bool answers_in_bands(const struct kit_net *net)
{
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        if (net->place[layer] == KIT_BANDED && kit_is_exit_layer(net, layer)) {
            return true;
        }
    }
    return false;
}

/* Why the device cannot take part beside those already in the group; NULL when it can. */
static const char *obstacle(const struct kit_group *group, const struct kit_net *net,
                            const struct kit_group_options *options, uint32_t device)
{
    uint32_t sink = net->host->requirements(net->host)->sink_device;
    if (!kit_has_route(net->host, options->first, device)) {
        return "no route";
    }
    if (answers_in_bands(net) && !kit_has_route(net->host, device, sink)) {
        return "no route to the sink";
    }
    for (uint32_t i = 0; options->needs_all_pairs && i < group->n; i++) {
        if (!kit_has_route(net->host, group->device[i], device)) {
            return "no route to a neighbour";
        }
    }
    if (device != options->first && !options->holds_parts &&
        !kit_fits(net->host, device, kit_net_weight_bytes(net, KIT_BANDED))) {
        return "memory";
    }
    return NULL;
}

/* Insert behind the first, by decreasing capability; equals keep device order. */
static void insert(struct kit_group *group, uint32_t device, double capability)
{
    uint32_t at = group->n;
    for (; at > 1 && group->capability[at - 1] < capability; at--) {
        group->device[at] = group->device[at - 1];
        group->capability[at] = group->capability[at - 1];
    }
    group->device[at] = device;
    group->capability[at] = capability;
    group->n++;
}

int32_t kit_group_init(struct kit_group *group, const struct kit_net *net,
                       const struct kit_group_options *options)
{
    const struct ew_host *host = net->host;
    uint32_t n = host->device_count(host);
    group->device = calloc(n, sizeof *group->device);
    group->capability = calloc(n, sizeof *group->capability);
    if (!group->device || !group->capability) {
        return kit_fail_memory(host);
    }
    uint32_t sink = host->requirements(host)->sink_device;
    if (!kit_has_route(host, options->first, sink)) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "no route between %s and the sink %s",
                        host->device(host, options->first)->name, host->device(host, sink)->name);
    }
    insert(group, options->first, kit_device_capability(net, options->first, options->capability));
    for (uint32_t d = 0; d < n; d++) {
        if (d == options->first) {
            continue;
        }
        const char *why = obstacle(group, net, options, d);
        if (why) {
            note_excluded(group, host->device(host, d)->name, why);
        } else {
            insert(group, d, kit_device_capability(net, d, options->capability));
        }
    }
    return EW_STRATEGY_OK;
}

void kit_group_drop(struct kit_group *group, const struct kit_net *net, uint32_t position,
                    const char *why)
{
    note_excluded(group, net->host->device(net->host, group->device[position])->name, why);
    group->n--;
    for (uint32_t i = position; i < group->n; i++) {
        group->device[i] = group->device[i + 1];
        group->capability[i] = group->capability[i + 1];
    }
}

void kit_group_fini(struct kit_group *group)
{
    free(group->device);
    free(group->capability);
    memset(group, 0, sizeof *group);
}

struct kit_wire kit_wire_between(const struct ew_host *host, uint32_t from, uint32_t to)
{
    enum { SMALL = 1, LARGE = 1000001 };
    if (from == to) {
        return (struct kit_wire){0.0, 0.0};
    }
    double small_s = host->transfer_s(host, from, to, SMALL);
    double large_s = host->transfer_s(host, from, to, LARGE);
    if (!isfinite(small_s) || !isfinite(large_s)) {
        return (struct kit_wire){INFINITY, INFINITY};
    }
    double byte_s = (large_s - small_s) / (LARGE - SMALL);
    return (struct kit_wire){fmax(0.0, small_s - byte_s), byte_s};
}
