/*
 * offload: the whole network on the one device that answers first, input transfer and answer
 * included. DistrEdge's baseline "Offload" takes the device with the best hardware; here the
 * prediction decides, which also sees the network.
 */
#include <math.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/plugin.h"

static const struct ew_param_info PARAM_DEVICE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_STRING,
    .name = "device",
    .unit = "",
    .default_text = "auto",
    .doc = "Name of the device that computes; auto: the one with the least predicted latency.",
};
static const struct ew_param_info PARAM_INCLUDE_SOURCE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_BOOL,
    .name = "include_source",
    .unit = "",
    .default_text = "false",
    .doc = "Let device=auto choose the source itself when that is fastest.",
};
static const struct ew_param_info *const PARAMS[] = {&PARAM_DEVICE, &PARAM_INCLUDE_SOURCE};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "offload",
    .version = "1.0.0",
    .summary = "everything on the best single device, input transfer included",
    .citation = "baseline \"Offload\" of DistrEdge, IPDPS 2022",
    .params = PARAMS,
};

/* Input there, all layers, answer to the sink; INFINITY when it cannot be done. */
static double predict_latency_s(const struct kit_net *net, uint32_t device)
{
    const struct ew_host *host = net->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    if (!kit_fits(host, device, kit_net_memory_bytes(net))) {
        return INFINITY;
    }
    double seconds = kit_net_compute_s(net, device);
    if (device != asked->source_device) {
        seconds += host->transfer_s(host, asked->source_device, device, kit_net_input_bytes(net));
    }
    if (device != asked->sink_device) {
        seconds += host->transfer_s(host, device, asked->sink_device, kit_net_result_bytes(net));
    }
    return seconds;
}

/* The least latency wins, the lower device id on a tie. */
static int32_t choose_device(uint32_t *out, const struct kit_net *net)
{
    const struct ew_host *host = net->host;
    uint32_t source = host->requirements(host)->source_device;
    bool includes_source = host->param_int(host, "include_source") != 0;
    double best_s = INFINITY;
    int32_t rc = kit_param_device(out, host, "device");
    if (rc < 0 || *out != EW_ID_NONE) {
        return rc;
    }
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        if (d == source && !includes_source) {
            continue;
        }
        double seconds = predict_latency_s(net, d);
        if (seconds < best_s) {
            best_s = seconds;
            *out = d;
        }
    }
    return EW_STRATEGY_OK;
}

static int32_t write_plan(struct ew_plan_builder *builder, const struct kit_net *net,
                          uint32_t device, bool is_fallback)
{
    const struct ew_host *host = net->host;
    double latency_s = predict_latency_s(net, device);
    if (!isfinite(latency_s)) {
        bool fits = kit_fits(host, device, kit_net_memory_bytes(net));
        return kit_fail(host, EW_STRATEGY_ECANNOT, "%s cannot take the network: %s",
                        host->device(host, device)->name,
                        fits ? "no route to it or from it" : "its memory is too small");
    }
    int32_t rc = kit_begin_plan(builder, net, "offload");
    if (rc >= 0) {
        rc = kit_emit_all(builder, net, device);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "device", "%s%s", host->device(host, device)->name,
                      is_fallback ? " (no other device can take the network)" : "");
    }
    return rc < 0 ? rc : kit_predict(builder, net, latency_s, NAN);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct kit_net net = {0};
    uint32_t device = EW_ID_NONE;
    int32_t rc = kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0) {
        rc = choose_device(&device, &net);
    }
    if (rc >= 0) {
        bool is_fallback = device == EW_ID_NONE;
        uint32_t source = host->requirements(host)->source_device;
        rc = write_plan(builder, &net, is_fallback ? source : device, is_fallback);
    }
    kit_net_fini(&net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
