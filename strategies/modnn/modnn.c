/*
 * modnn: every layer cut into one-dimensional strips in proportion to the devices' computing
 * capability; what a neighbour needs travels through the group owner. Knows nothing of the network.
 *
 * Mao et al., "MoDNN: Local Distributed Mobile Computing System for Deep Neural Network", DATE 2017
 * (Biased One-Dimensional Partition for conv layers). The data flow is that of its successor MeDNN,
 * ICCAD 2017.
 */
#include <math.h>
#include <stdlib.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/home.h"
#include "common/net.h"
#include "common/plugin.h"
#include "common/share.h"

static const char *const EXCHANGES[] = {"relay", "direct", NULL};
static const struct ew_param_info PARAM_EXCHANGE =
    KIT_CHOICE("exchange", EXCHANGES, "relay",
               "How overlap rows travel: relay = through the group owner, two hops; direct = from "
               "neighbour to neighbour.");
static const struct ew_param_info PARAM_OWNER = KIT_STRING(
    "group_owner", "auto",
    "Device that relays and computes the layers that cannot be cut; auto: the source, or the "
    "most capable device when the source is too weak for a strip.");
static const char *const CAPABILITIES[] = {"profile", "flops", NULL};
static const struct ew_param_info PARAM_CAPABILITY =
    KIT_CHOICE("capability", CAPABILITIES, "profile",
               "Shares follow: profile = 1/time for all cut layers alone; flops = nominal FLOP/s.");
static const char *const EDGES[] = {"longer", "rows", "columns", NULL};
static const struct ew_param_info PARAM_EDGE =
    KIT_CHOICE("edge", EDGES, "longer",
               "Edge that is cut: longer = the longer edge of the input, rows when it is square.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_EXCHANGE, &PARAM_OWNER,
                                                     &PARAM_CAPABILITY, &PARAM_EDGE};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "modnn",
    .version = "1.0.0",
    .summary = "strips of every layer in proportion to capability, overlap through a hub",
    .citation = "Mao et al., MoDNN, DATE 2017, doi:10.23919/DATE.2017.7927211",
    .params = PARAMS,
};

/* The plan being made. */
struct modnn {
    struct kit_net net;
    struct kit_group group;
    uint32_t owner;
    bool is_relayed;
    int32_t *counts; /* lines per chain position */
    int32_t *cuts;
};

static int32_t form_group(struct modnn *modnn)
{
    const struct ew_host *host = modnn->net.host;
    modnn->is_relayed = kit_param_is(host, "exchange", "relay");
    const struct kit_group_options options = {
        .first = host->requirements(host)->source_device,
        .capability = kit_param_is(host, "capability", "flops") ? KIT_CAPABILITY_FLOPS
                                                                : KIT_CAPABILITY_PROFILE,
        .needs_all_pairs = !modnn->is_relayed,
    };
    const int32_t rc = kit_lead_group(&modnn->owner, &modnn->group, &modnn->net, &options,
                                      "group_owner", "group owner");
    if (rc < 0) {
        return rc;
    }
    modnn->counts = calloc(modnn->group.n, sizeof *modnn->counts);
    modnn->cuts = calloc(modnn->group.n + 1u, sizeof *modnn->cuts);
    return modnn->counts && modnn->cuts ? EW_STRATEGY_OK : kit_fail_memory(host);
}

/* MoDNN's own estimate: the slowest strip of every layer, no network term. Also sets the cuts. */
static double cut_layer(struct modnn *modnn, uint32_t layer)
{
    const struct kit_net *net = &modnn->net;
    double slowest_s = 0.0;
    if (net->place[layer] != KIT_BANDED) {
        return kit_layer_compute_s(net, layer, modnn->owner);
    }
    kit_round_shares(modnn->counts, modnn->group.capability, modnn->group.n,
                     kit_layer_extent(net, layer));
    kit_cuts_from_counts(modnn->cuts, modnn->counts, modnn->group.n);
    for (uint32_t i = 0; i < modnn->group.n; i++) {
        if (modnn->counts[i] > 0) {
            struct ew_tensor_box box = kit_band_box(net, layer, modnn->cuts[i], modnn->cuts[i + 1]);
            double seconds =
                net->host->compute_s(net->host, net->variant, layer, &box, modnn->group.device[i]);
            slowest_s = fmax(slowest_s, seconds);
        }
    }
    return slowest_s;
}

static int32_t relay(struct modnn *modnn, struct ew_plan_builder *builder)
{
    const struct kit_net *net = &modnn->net;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t l = 0; l < net->n_layers && rc >= 0; l++) {
        if (net->place[l] != KIT_ABSENT && kit_is_read(net, l)) {
            rc = builder->set_exchange(builder, l, EW_EXCHANGE_MODE_RELAY, modnn->owner);
        }
    }
    return rc;
}

static int32_t write_plan(struct modnn *modnn, struct ew_plan_builder *builder)
{
    const struct kit_net *net = &modnn->net;
    const struct ew_host *host = net->host;
    double latency_s = 0.0;
    int32_t rc = kit_begin_plan(builder, net, "modnn");
    for (uint32_t i = 0; i < net->n_order && rc >= 0; i++) {
        uint32_t layer = net->order[i];
        latency_s += cut_layer(modnn, layer);
        rc = net->place[layer] == KIT_BANDED
                 ? kit_emit_bands(builder, net, layer, modnn->group.device, modnn->group.n,
                                  modnn->cuts)
                 : kit_emit_whole(builder, net, layer, modnn->owner);
    }
    if (rc >= 0 && modnn->is_relayed) {
        rc = relay(modnn, builder);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "group_owner", "%s", host->device(host, modnn->owner)->name);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "cut", "%s", net->dim == KIT_ROWS ? "rows" : "columns");
    }
    if (rc >= 0 && modnn->group.excluded[0] != '\0') {
        rc = kit_note(builder, "left_out", "%s", modnn->group.excluded);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "prediction", "computing only: MoDNN has no network model");
    }
    return rc < 0 ? rc : kit_predict(builder, net, latency_s, NAN);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct modnn modnn = {0};
    int32_t rc = kit_net_init(&modnn.net, host, 0, EW_ID_NONE, kit_edge_dim(host));
    if (rc >= 0 && modnn.net.n_banded == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no layer that can be cut into strips",
                      modnn.net.graph->name);
    }
    if (rc >= 0) {
        rc = form_group(&modnn);
    }
    if (rc >= 0) {
        rc = write_plan(&modnn, builder);
    }
    free(modnn.counts);
    free(modnn.cuts);
    kit_group_fini(&modnn.group);
    kit_net_fini(&modnn.net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
