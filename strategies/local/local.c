/*
 * local: everything on the device where the input appears. The baseline of every comparison.
 */
#include <math.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/plugin.h"

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .id = "local",
    .version = "1.0.0",
    .summary = "everything on the source device",
    .citation = "",
};

/* The sum of the profile's layer times, and the answer's way to the sink. */
static double predict_latency_s(const struct kit_net *net, uint32_t source)
{
    const struct ew_requirements_info *asked = net->host->requirements(net->host);
    double seconds = kit_net_compute_s(net, source);
    if (asked->sink_device != source) {
        seconds +=
            net->host->transfer_s(net->host, source, asked->sink_device, kit_net_result_bytes(net));
    }
    return seconds;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct kit_net net = {0};
    uint32_t source = host->requirements(host)->source_device;
    int32_t rc = kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc < 0) {
        goto done;
    }
    if (!kit_fits(host, source, kit_net_memory_bytes(&net))) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s does not fit into the memory of %s",
                      net.graph->name, host->device(host, source)->name);
        goto done;
    }
    rc = kit_begin_plan(builder, &net, "local");
    if (rc >= 0) {
        rc = kit_emit_all(builder, &net, source);
    }
    if (rc >= 0) {
        rc = kit_predict(builder, &net, predict_latency_s(&net, source), NAN);
    }
done:
    kit_net_fini(&net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
