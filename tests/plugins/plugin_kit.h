/*
 * What the plugins of the tests share: an entry around one plan function. Each plugin does one
 * thing wrong (or right), so that one message is tested.
 */
#ifndef EW_TESTS_PLUGIN_KIT_H
#define EW_TESTS_PLUGIN_KIT_H

#include <stdlib.h>

#include "edgeweave/strategy.h"

static void kit_destroy(struct ew_strategy *strategy)
{
    free(strategy);
}

static inline struct ew_strategy *kit_create(int32_t (*plan)(struct ew_strategy *strategy,
                                                             const struct ew_host *host,
                                                             struct ew_plan_builder *builder))
{
    struct ew_strategy *strategy = calloc(1, sizeof *strategy);
    if (strategy) {
        strategy->struct_size = sizeof *strategy;
        strategy->plan = plan;
        strategy->destroy = kit_destroy;
    }
    return strategy;
}

/** Everything on `device`: a correct plan. */
static inline int32_t kit_plan_on(const struct ew_host *host, struct ew_plan_builder *builder,
                                  uint32_t device)
{
    int32_t rc = builder->begin_plan(builder, "all");
    for (uint32_t l = 0; rc >= 0 && l < host->graph(host, 0)->n_layers; l++) {
        const struct ew_layer_info *layer = host->layer(host, 0, l);
        if (layer->is_input) {
            continue;
        }
        struct ew_piece_desc piece = {
            .struct_size = sizeof piece,
            .layer = l,
            .device = device,
            .chain = EW_ID_NONE,
            .sum_piece = EW_ID_NONE,
            .box.hi = {host->requirements(host)->batch, layer->shape[1], layer->shape[2],
                       layer->shape[3]},
        };
        rc = builder->add_piece(builder, &piece);
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static inline int32_t kit_plan(struct ew_strategy *strategy, const struct ew_host *host,
                               struct ew_plan_builder *builder)
{
    (void)strategy;
    return kit_plan_on(host, builder, host->requirements(host)->source_device);
}

static inline uint32_t kit_count(void)
{
    return 1;
}

static inline struct ew_strategy *kit_create_default(const struct ew_host *host, const char *id)
{
    (void)host;
    (void)id;
    return kit_create(kit_plan);
}

/** A correct descriptor without parameters. */
#define KIT_INFO(text)                                                                             \
    {                                                                                              \
        .struct_size = sizeof(struct ew_strategy_info), .id = (text), .version = "1.0.0",          \
        .summary = "for tests", .citation = ""                                                     \
    }

/** describe for one descriptor. */
#define KIT_DESCRIBE(info)                                                                         \
    static const struct ew_strategy_info *describe(uint32_t index)                                 \
    {                                                                                              \
        (void)index;                                                                               \
        return &(info);                                                                            \
    }

/** A correct entry with `describe` and `create_function`. */
#define KIT_ENTRY(create_function)                                                                 \
    EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {                        \
        .struct_size = sizeof(struct ew_strategy_entry),                                           \
        .abi_major = EW_ABI_MAJOR,                                                                 \
        .abi_minor = EW_ABI_MINOR,                                                                 \
        .count = kit_count,                                                                        \
        .describe = describe,                                                                      \
        .create = (create_function),                                                               \
    }

#endif
