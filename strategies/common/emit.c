#include "common/emit.h"

#include <math.h>
#include <stdio.h>

#include "common/plugin.h"

int32_t kit_begin_plan(struct ew_plan_builder *builder, const struct kit_net *net, const char *name)
{
    int32_t rc = builder->begin_plan(builder, name);
    if (rc < 0 || (net->variant == 0 && net->exit == net->graph->n_exits - 1)) {
        return rc;
    }
    rc = builder->assign(builder, 0, net->batch, net->variant, net->exit);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t emit_box(struct ew_plan_builder *builder, uint32_t layer, uint32_t device,
                        const struct ew_tensor_box *box)
{
    struct ew_piece_desc piece = {
        .struct_size = sizeof piece,
        .layer = layer,
        .device = device,
        .role = EW_ROLE_FULL,
        .chain = EW_ID_NONE,
        .sum_piece = EW_ID_NONE,
        .box = *box,
    };
    int32_t id = builder->add_piece(builder, &piece);
    return id < 0 ? id : EW_STRATEGY_OK;
}

int32_t kit_emit_whole(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t layer,
                       uint32_t device)
{
    struct ew_tensor_box box = kit_full_box(net, layer);
    return emit_box(builder, layer, device, &box);
}

int32_t kit_emit_band(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t layer,
                      uint32_t device, int32_t lo, int32_t hi)
{
    if (lo >= hi) {
        return EW_STRATEGY_OK;
    }
    struct ew_tensor_box box = kit_band_box(net, layer, lo, hi);
    return emit_box(builder, layer, device, &box);
}

int32_t kit_emit_bands(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t layer,
                       const uint32_t *devices, uint32_t n, const int32_t *cuts)
{
    for (uint32_t i = 0; i < n; i++) {
        int32_t rc = kit_emit_band(builder, net, layer, devices[i], cuts[i], cuts[i + 1]);
        if (rc < 0) {
            return rc;
        }
    }
    return EW_STRATEGY_OK;
}

int32_t kit_emit_layers(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t first,
                        uint32_t last, uint32_t device)
{
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        if (layer < first || layer > last) {
            continue;
        }
        int32_t rc = kit_emit_whole(builder, net, layer, device);
        if (rc < 0) {
            return rc;
        }
    }
    return EW_STRATEGY_OK;
}

int32_t kit_emit_all(struct ew_plan_builder *builder, const struct kit_net *net, uint32_t device)
{
    return kit_emit_layers(builder, net, 0, net->n_layers, device);
}

int32_t kit_predict(struct ew_plan_builder *builder, const struct kit_net *net, double latency_s,
                    double energy_j)
{
    double deadline_s = net->host->requirements(net->host)->deadline_s;
    char reason[128];
    if (!isfinite(latency_s)) {
        return kit_fail(net->host, EW_STRATEGY_ECANNOT,
                        "no route for the input or for the answer to the sink");
    }
    /* A plan that meets its deadline exactly on paper must not fail by rounding. */
    if (latency_s > deadline_s * (1.0 + 1e-9)) {
        snprintf(reason, sizeof reason, "predicted latency %.6g s exceeds the deadline of %.6g s",
                 latency_s, deadline_s);
        return builder->set_prediction(builder, latency_s, energy_j, reason);
    }
    return builder->set_prediction(builder, latency_s, energy_j, NULL);
}
