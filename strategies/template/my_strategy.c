/*
 * mylab.fastest: the whole network on the device that the fast engine finds fastest. A complete
 * plugin to start from: copy it, rename the id, and write your own plan().
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "edgeweave/strategy.h"

static const struct ew_param_info LOCAL = {
    .struct_size = sizeof LOCAL,
    .kind = EW_PARAM_BOOL,
    .name = "may_stay_local",
    .unit = "",
    .default_text = "true",
    .doc = "Let the source device compete too.",
};
static const struct ew_param_info *const PARAMS[] = {&LOCAL};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "mylab.fastest",
    .version = "0.1.0",
    .summary = "everything on the device with the least simulated latency",
    .citation = "",
    .params = PARAMS,
};

static bool has_route(const struct ew_host *host, uint32_t from, uint32_t to)
{
    const struct ew_link_info *link = host->link(host, from, to);
    return link && link->has_route;
}

/* Every layer of the base model, for the whole batch, on one device. */
static int32_t write_plan(const struct ew_host *host, struct ew_plan_builder *builder,
                          uint32_t device)
{
    int32_t rc = builder->begin_plan(builder, "fastest");
    for (uint32_t l = 0; rc >= 0 && l < host->graph(host, 0)->n_layers; l++) {
        const struct ew_layer_info *layer = host->layer(host, 0, l);
        const struct ew_piece_desc piece = {
            .struct_size = sizeof piece,
            .layer = l,
            .device = device,
            .chain = EW_ID_NONE,
            .sum_piece = EW_ID_NONE,
            .box.hi = {host->requirements(host)->batch, layer->shape[1], layer->shape[2],
                       layer->shape[3]},
        };
        rc = layer->is_input ? rc : builder->add_piece(builder, &piece);
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy; /* stateless: self is not used */
    const struct ew_requirements_info *asked = host->requirements(host);
    uint32_t best = EW_ID_NONE;
    double best_s = INFINITY;
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        struct ew_evaluation result = {.struct_size = sizeof result};
        if (!has_route(host, asked->source_device, d) || !has_route(host, d, asked->sink_device) ||
            (d == asked->source_device && !host->param_int(host, "may_stay_local"))) {
            continue;
        }
        int32_t rc = builder->reset(builder);
        rc = rc < 0 ? rc : write_plan(host, builder, d);
        if (rc < 0) {
            return rc; /* the host has recorded why */
        }
        /* a device may be out of the question, e.g. have too little memory: then try the next */
        if (host->evaluate(host, builder, &result) == EW_STRATEGY_OK && result.latency_s < best_s) {
            best_s = result.latency_s;
            best = d;
        }
    }
    int32_t rc = builder->reset(builder);
    if (rc >= 0 && best == EW_ID_NONE) {
        return host->fail(host, EW_STRATEGY_ECANNOT, "no reachable device can take the network");
    }
    rc = rc < 0 ? rc : write_plan(host, builder, best);
    return rc < 0 ? rc : builder->set_prediction(builder, best_s, NAN, NULL);
}

static void destroy(struct ew_strategy *strategy)
{
    free(strategy);
}

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    (void)id; /* there is only one */
    struct ew_strategy *strategy = calloc(1, sizeof *strategy);
    if (!strategy) {
        host->fail(host, EW_STRATEGY_ENOMEM, "out of memory");
        return NULL;
    }
    strategy->struct_size = sizeof *strategy;
    strategy->plan = plan;
    strategy->destroy = destroy;
    return strategy;
}

static uint32_t count(void)
{
    return 1;
}

static const struct ew_strategy_info *describe(uint32_t index)
{
    return index == 0 ? &INFO : NULL;
}

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof ew_strategy_entry,
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = count,
    .describe = describe,
    .create = create,
};
