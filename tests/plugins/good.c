/*
 * A correct strategy that uses every kind of call: row bands over all devices or everything on the
 * device that `evaluate` finds fastest.
 */
#include <math.h>
#include <string.h>

#include "plugin_kit.h"

static const char *const modes[] = {"rows", "one", NULL};

static const struct ew_param_info params[] = {
    {.struct_size = sizeof(struct ew_param_info),
     .kind = EW_PARAM_CHOICE,
     .name = "mode",
     .unit = "",
     .default_text = "one",
     .choices = modes,
     .doc = "How to spread the work."},
    {.struct_size = sizeof(struct ew_param_info),
     .kind = EW_PARAM_INT,
     .name = "max_devices",
     .unit = "",
     .default_text = "8",
     .min_value = 1,
     .max_value = 4096,
     .doc = "Most devices that take part."},
    {.struct_size = sizeof(struct ew_param_info),
     .kind = EW_PARAM_REAL,
     .name = "slack_ratio",
     .unit = "ratio",
     .default_text = "0.5",
     .min_value = 0,
     .max_value = 1,
     .doc = "Shown as a note."},
    {.struct_size = sizeof(struct ew_param_info),
     .kind = EW_PARAM_BOOL,
     .name = "note",
     .unit = "",
     .default_text = "true",
     .doc = "Leave a note."},
    {.struct_size = sizeof(struct ew_param_info),
     .kind = EW_PARAM_STRING,
     .name = "title",
     .unit = "",
     .default_text = "good",
     .doc = "Name of the plan."},
};
static const struct ew_param_info *const param_list[] = {&params[0], &params[1], &params[2],
                                                         &params[3], &params[4]};

static const struct ew_strategy_info info = {
    .struct_size = sizeof info,
    .param_count = sizeof param_list / sizeof param_list[0],
    .id = "good",
    .version = "1.2.3",
    .summary = "row bands or one device",
    .citation = "nobody, 2026",
    .params = param_list,
};
KIT_DESCRIBE(info)

static int32_t plan_rows(const struct ew_host *host, struct ew_plan_builder *builder, int64_t n)
{
    int32_t rc = builder->begin_plan(builder, host->param_text(host, "title"));
    for (uint32_t l = 0; rc >= 0 && l < host->graph(host, 0)->n_layers; l++) {
        const struct ew_layer_info *layer = host->layer(host, 0, l);
        for (int64_t i = 0; rc >= 0 && i < n && !layer->is_input; i++) {
            const int32_t rows = layer->shape[2];
            struct ew_piece_desc piece = {
                .struct_size = sizeof piece,
                .layer = l,
                .device = (uint32_t)i,
                .chain = EW_ID_NONE,
                .box.lo = {0, 0, (int32_t)(rows * i / n), 0},
                .box.hi = {host->requirements(host)->batch, layer->shape[1],
                           (int32_t)(rows * (i + 1) / n), layer->shape[3]},
            };
            if (piece.box.lo[2] < piece.box.hi[2]) {
                rc = builder->add_piece(builder, &piece);
            }
        }
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t plan_one(const struct ew_host *host, struct ew_plan_builder *builder, int64_t n)
{
    uint32_t best = 0;
    double best_s = INFINITY;
    for (uint32_t d = 0; d < n; d++) {
        struct ew_evaluation result = {.struct_size = sizeof result};
        if (builder->reset(builder) < 0 || kit_plan_on(host, builder, d) < 0) {
            return EW_STRATEGY_EINTERNAL;
        }
        if (host->evaluate(host, builder, &result) == 0 && result.latency_s < best_s) {
            best_s = result.latency_s;
            best = d;
        }
    }
    if (!isfinite(best_s)) {
        return host->fail(host, EW_STRATEGY_ECANNOT, "no device can take the network");
    }
    int32_t rc = builder->reset(builder);
    rc = rc < 0 ? rc : kit_plan_on(host, builder, best);
    return rc < 0 ? rc : builder->set_prediction(builder, best_s, NAN, NULL);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    int64_t n = host->param_int(host, "max_devices");
    n = n < host->device_count(host) ? n : host->device_count(host);
    const char *mode = host->param_text(host, "mode");
    int32_t rc =
        strcmp(mode, "rows") == 0 ? plan_rows(host, builder, n) : plan_one(host, builder, n);
    if (rc >= 0 && host->param_int(host, "note")) {
        rc = builder->set_note(builder, "draw", host->rand_u64(host) & 1 ? "heads" : "tails");
    }
    host->log(host, EW_LOG_INFO, host->param_real(host, "slack_ratio") > 0.5 ? "slack" : "tight");
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    (void)id;
    /* views are empty here, and parameters are there */
    if (host->graph(host, 0) || host->device_count(host) || !host->param_text(host, "mode")) {
        host->fail(host, EW_STRATEGY_EINTERNAL, "the host is not as promised");
        return NULL;
    }
    return kit_create(plan);
}

KIT_ENTRY(create);
