/*
 * row_split: cut every layer into equal bands of rows, one per device. A complete strategy to start
 * from: replace the ids, the parameter, and what plan does. README.md explains each part.
 */
#include <stdlib.h>
#include <string.h>

#include <edgeweave/strategy.h>

static const struct ew_param_info PARAM_MAX_DEVICES = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "max_devices",
    .unit = "",
    .default_text = "4",
    .min_value = 1,
    .max_value = 4096,
    .doc = "Most devices that take part, the source included.",
};
static const struct ew_param_info *const PARAMS[] = {&PARAM_MAX_DEVICES};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof(struct ew_strategy_info),
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "row_split",
    .version = "1.0.0",
    .summary = "equal bands of rows on all devices",
    .citation = "",
    .params = PARAMS,
};

static int can_talk(const struct ew_host *host, uint32_t a, uint32_t b)
{
    return host->link(host, a, b)->has_route && host->link(host, b, a)->has_route;
}

/* The source, then every device that reaches all chosen before; returns how many. */
static uint32_t choose_devices(const struct ew_host *host, uint32_t *chosen, uint32_t max)
{
    uint32_t n = 0;
    chosen[n++] = host->requirements(host)->source_device;
    for (uint32_t d = 0; d < host->device_count(host) && n < max; d++) {
        uint32_t reached = 0;
        while (reached < n && chosen[reached] != d && can_talk(host, chosen[reached], d)) {
            reached++;
        }
        if (reached == n) {
            chosen[n++] = d;
        }
    }
    return n;
}

/* Band i of n of one layer; a negative return means that the host has recorded why. */
static int32_t add_band(const struct ew_host *host, struct ew_plan_builder *builder,
                        uint32_t layer, uint32_t device, uint32_t i, uint32_t n)
{
    const struct ew_layer_info *info = host->layer(host, 0, layer);
    const int64_t rows = info->shape[2];
    struct ew_piece_desc piece = {
        .struct_size = sizeof piece,
        .layer = layer,
        .device = device,
        .role = EW_ROLE_FULL,
        .chain = EW_ID_NONE,
        .sum_piece = EW_ID_NONE,
        .box.lo = {0, 0, (int32_t)(rows * i / n), 0},
        .box.hi = {host->requirements(host)->batch, info->shape[1],
                   (int32_t)(rows * (i + 1) / n), info->shape[3]},
    };
    return piece.box.lo[2] < piece.box.hi[2] ? builder->add_piece(builder, &piece) : 0;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy; /* self is not needed: everything follows from the problem */
    const uint32_t max = (uint32_t)host->param_int(host, "max_devices");
    uint32_t *chosen = host->alloc(host, sizeof *chosen * (uint64_t)max);
    if (!chosen) {
        return host->fail(host, EW_STRATEGY_ENOMEM, "no memory for the list of devices");
    }
    const uint32_t n = choose_devices(host, chosen, max);
    int32_t rc = builder->begin_plan(builder, "row_split");
    for (uint32_t layer = 0; rc >= 0 && layer < host->graph(host, 0)->n_layers; layer++) {
        for (uint32_t i = 0; rc >= 0 && i < n && !host->layer(host, 0, layer)->is_input; i++) {
            rc = add_band(host, builder, layer, chosen[i], i, n);
        }
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static void destroy(struct ew_strategy *strategy)
{
    free(strategy);
}

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    struct ew_strategy *strategy = strcmp(id, INFO.id) == 0 ? calloc(1, sizeof *strategy) : NULL;
    if (!strategy) {
        host->fail(host, EW_STRATEGY_EINVALID, "no memory, or not the strategy of this plugin");
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
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = count,
    .describe = describe,
    .create = create,
};
