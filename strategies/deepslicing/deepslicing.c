/*
 * deepslicing: rows of every layer in proportion to speed, all layers between two synchronisation
 * points computed without exchange; the points chosen so that recomputing and synchronising
 * together cost least.
 *
 * Zhang et al., "DeepSlicing: Collaborative and Adaptive CNN Inference with Low Latency", IEEE TPDS
 * 32(9), 2021. README.md says what is known of it and what is decided here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/draft.h"
#include "common/emit.h"
#include "common/home.h"
#include "common/plugin.h"
#include "common/subsets.h"
#include "deepslicing/deepslicing_model.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const SYNCS[] = {"barrier", "data", NULL};
static const struct ew_param_info PARAM_SYNC = KIT_CHOICE(
    "sync", SYNCS, "barrier",
    "At a synchronisation point: barrier = all devices wait for each other; data = each goes "
    "on when its rows are there.");
static const char *const SEARCHES[] = {"wide", "paper", NULL};
static const struct ew_param_info PARAM_SEARCH = KIT_CHOICE(
    "search", SEARCHES, "wide",
    "wide: also try fewer devices, the most capable ones and the source alone; paper: all "
    "devices take part.");
static const struct ew_param_info PARAM_TAIL = KIT_STRING(
    "tail", "auto",
    "Device for the layers that cannot be cut; auto: the one that is done with them first.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_SYNC, &PARAM_SEARCH, &PARAM_TAIL};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "deepslicing",
    .version = "1.0.0",
    .summary = "slices in proportion to speed, synchronised where it pays",
    .citation = "Zhang et al., DeepSlicing, IEEE TPDS 32(9) 2021, doi:10.1109/TPDS.2021.3058532",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ planning */

/* The plan being made. */
struct deepslicing {
    struct kit_net net;
    struct kit_blocks blocks;
    struct kit_group group;
    struct deepslicing_model model;
    struct kit_draft draft;
    uint32_t named_home; /* EW_ID_NONE: choose */
    uint32_t home;
    double *weights; /* of the devices tried last */
    bool *takes_part;
    bool *best_part;
    uint32_t *ends;
    double *best_s;
    double latency_s;
};

static double stage_s(void *ctx, uint32_t first, uint32_t last)
{
    struct deepslicing *ds = ctx;
    if (!ds->blocks.items[first].is_banded) {
        return first == last ? 0.0 : INFINITY; /* its time is in home_s */
    }
    return kit_blocks_banded_run(&ds->blocks, first) > last - first
               ? deepslicing_stage_s(&ds->model, first, last)
               : INFINITY;
}

/* Getting an answer that lies in slices to the sink: the last message's time. */
static double answer_s(const struct deepslicing *ds)
{
    const struct kit_net *net = &ds->net;
    const struct kit_block *block = &ds->blocks.items[ds->blocks.n - 1];
    uint32_t sink = net->host->requirements(net->host)->sink_device;
    double last_s = 0.0;
    for (uint32_t w = 0; block->is_banded && w < ds->model.n; w++) {
        double bytes = 0.0;
        for (uint32_t i = 0; i < block->n_outputs; i++) {
            int32_t extent = kit_layer_extent(net, block->outputs[i]);
            struct kit_span own = deepslicing_own(&ds->model, w, extent);
            bytes += (double)kit_layer_bytes(net, block->outputs[i]) / extent * kit_span_lines(own);
        }
        if (bytes > 0.0) {
            last_s = fmax(last_s, net->host->transfer_s(net->host, ds->group.device[w], sink,
                                                        (uint64_t)ceil(bytes)));
        }
    }
    return last_s;
}

/* The layers that cannot be cut read what the group made: their home is chosen as if the largest
 * share's device had it all. */
static double choose_home(struct deepslicing *ds)
{
    uint32_t largest = 0;
    for (uint32_t w = 1; w < ds->group.n; w++) {
        largest = ds->weights[w] > ds->weights[largest] ? w : largest;
    }
    uint32_t from = ds->group.device[largest];
    ds->home = ds->named_home;
    return ds->home != EW_ID_NONE ? kit_home_s(&ds->net, &ds->blocks, from, ds->home)
                                  : kit_best_home(&ds->home, &ds->net, &ds->blocks, from);
}

/* Latency with the current weights; the synchronisation points are left in ds->ends. */
static double solve(struct deepslicing *ds)
{
    double home_s = choose_home(ds);
    ds->model.home = ds->home;
    deepslicing_share(&ds->model, ds->weights);
    return home_s + kit_chain_cut(ds->ends, ds->best_s, ds->blocks.n, stage_s, ds) + answer_s(ds);
}

static void set_weights(struct deepslicing *ds, const bool *takes_part)
{
    for (uint32_t w = 0; w < ds->group.n; w++) {
        ds->weights[w] = takes_part[w] ? ds->group.capability[w] : 0.0;
    }
}

/* The subset of devices with the least predicted latency; the first of equals. */
static void choose_devices(struct deepslicing *ds)
{
    const struct ew_host *host = ds->net.host;
    struct kit_subsets subsets = {
        .group = &ds->group,
        .source = host->requirements(host)->source_device,
        .is_wide = kit_param_is(host, "search", "wide"),
    };
    bool is_first = true;
    ds->latency_s = INFINITY;
    while (kit_subsets_next(ds->takes_part, &subsets)) {
        set_weights(ds, ds->takes_part);
        double latency_s = solve(ds);
        if (is_first || latency_s < ds->latency_s) {
            ds->latency_s = latency_s;
            memcpy(ds->best_part, ds->takes_part, ds->group.n * sizeof *ds->best_part);
        }
        is_first = false;
    }
    set_weights(ds, ds->best_part);
    ds->latency_s = solve(ds);
}

static int32_t draft_stage(struct deepslicing *ds, struct ew_tensor_box *boxes, uint32_t first,
                           uint32_t last)
{
    int32_t extent = ds->blocks.items[last].extent;
    int32_t rc = EW_STRATEGY_OK;
    if (!ds->blocks.items[first].is_banded) {
        return kit_draft_blocks(&ds->draft, &ds->blocks, first, last, ds->home);
    }
    for (uint32_t w = 0; w < ds->group.n && rc >= 0; w++) {
        struct kit_span own = deepslicing_own(&ds->model, w, extent);
        if (own.lo >= own.hi) {
            continue;
        }
        struct kit_tile tile = kit_band_tile(&ds->net, own.lo, own.hi, extent);
        rc = kit_volume_boxes(boxes, &ds->net, &ds->blocks, first, last, &tile);
        if (rc >= 0) {
            rc = kit_draft_volume(&ds->draft, &ds->blocks, first, last, boxes, ds->group.device[w],
                                  EW_ID_NONE);
        }
    }
    return rc;
}

static int32_t draft_all(struct deepslicing *ds)
{
    struct ew_tensor_box *boxes = calloc(ds->net.n_layers, sizeof *boxes);
    int32_t rc = boxes ? EW_STRATEGY_OK : kit_fail_memory(ds->net.host);
    kit_draft_begin(&ds->draft, &ds->net);
    for (uint32_t first = 0; first < ds->blocks.n && rc >= 0; first = ds->ends[first] + 1) {
        rc = draft_stage(ds, boxes, first, ds->ends[first]);
    }
    free(boxes);
    return rc;
}

static int32_t draft_once(void *ctx)
{
    struct deepslicing *ds = ctx;
    deepslicing_model_fini(&ds->model);
    int32_t rc =
        deepslicing_model_init(&ds->model, &ds->net, &ds->blocks, ds->group.device, ds->group.n);
    if (rc < 0) {
        return rc;
    }
    choose_devices(ds);
    if (!isfinite(ds->latency_s)) {
        return kit_fail(ds->net.host, EW_STRATEGY_ECANNOT,
                        "no device has a route and the memory for the layers that cannot be cut");
    }
    return draft_all(ds);
}

static int32_t make_draft(struct deepslicing *ds)
{
    return kit_draft_within_memory(&ds->draft, &ds->group, draft_once, ds);
}

static int32_t allocate(struct deepslicing *ds)
{
    ds->weights = calloc(ds->group.n + 1u, sizeof *ds->weights);
    ds->takes_part = calloc(ds->group.n + 1u, sizeof *ds->takes_part);
    ds->best_part = calloc(ds->group.n + 1u, sizeof *ds->best_part);
    ds->ends = calloc(ds->blocks.n + 1u, sizeof *ds->ends);
    ds->best_s = calloc(ds->blocks.n + 1u, sizeof *ds->best_s);
    return ds->weights && ds->takes_part && ds->best_part && ds->ends && ds->best_s
               ? EW_STRATEGY_OK
               : kit_fail_memory(ds->net.host);
}

static int32_t prepare(struct deepslicing *ds, const struct ew_host *host)
{
    int32_t rc = kit_net_init(&ds->net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0) {
        rc = kit_blocks_init(&ds->blocks, &ds->net);
    }
    if (rc >= 0 && kit_blocks_banded(&ds->blocks) == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no block whose rows can be shared out",
                      ds->net.graph->name);
    }
    struct kit_group_options options = {.first = host->requirements(host)->source_device,
                                        .capability = KIT_CAPABILITY_PROFILE,
                                        .needs_all_pairs = true};
    if (rc >= 0) {
        rc = kit_group_init(&ds->group, &ds->net, &options);
    }
    if (rc >= 0) {
        rc = allocate(ds);
    }
    return rc < 0 ? rc : kit_param_device(&ds->named_home, host, "tail");
}

/* ------------------------------------------------------------------ writing */

static int32_t set_barriers(const struct deepslicing *ds, struct ew_plan_builder *builder)
{
    int32_t rc = EW_STRATEGY_OK;
    bool has_barrier = kit_param_is(ds->net.host, "sync", "barrier");
    for (uint32_t first = 0; first < ds->blocks.n && has_barrier; first = ds->ends[first] + 1) {
        const struct kit_block *end = &ds->blocks.items[ds->ends[first]];
        for (uint32_t i = 0; end->is_banded && i < end->n_outputs && rc >= 0; i++) {
            if (kit_is_read(&ds->net, end->outputs[i])) {
                rc = builder->set_sync(builder, end->outputs[i], EW_SYNC_BARRIER);
            }
        }
    }
    return rc;
}

static int32_t note_stages(const struct deepslicing *ds, struct ew_plan_builder *builder)
{
    const struct ew_host *host = ds->net.host;
    char text[480] = "";
    for (uint32_t first = 0; first < ds->blocks.n; first = ds->ends[first] + 1) {
        char name[160];
        size_t used = strlen(text);
        kit_volume_name(name, sizeof name, &ds->net, &ds->blocks, first, ds->ends[first]);
        snprintf(text + used, sizeof text - used, "%s%s", first ? "; " : "", name);
    }
    int32_t rc = kit_note(builder, "stages", "%s", text);
    text[0] = '\0';
    for (uint32_t w = 0; w < ds->group.n; w++) {
        int32_t lines = ds->model.cuts[w + 1] - ds->model.cuts[w];
        size_t used = strlen(text);
        if (lines > 0) {
            snprintf(text + used, sizeof text - used, "%s%s %d", used ? ", " : "",
                     host->device(host, ds->group.device[w])->name, lines);
        }
    }
    return rc < 0 ? rc : kit_note(builder, "rows", "%s", text);
}

static int32_t write_plan(const struct deepslicing *ds, struct ew_plan_builder *builder)
{
    int32_t rc = kit_draft_write(&ds->draft, builder, "deepslicing");
    if (rc >= 0) {
        rc = set_barriers(ds, builder);
    }
    if (rc >= 0) {
        rc = note_stages(ds, builder);
    }
    return rc < 0 ? rc : kit_group_conclude(&ds->group, builder, &ds->net, ds->latency_s);
}

static void release(struct deepslicing *ds)
{
    free(ds->weights);
    free(ds->takes_part);
    free(ds->best_part);
    free(ds->ends);
    free(ds->best_s);
    kit_draft_fini(&ds->draft);
    deepslicing_model_fini(&ds->model);
    kit_group_fini(&ds->group);
    kit_blocks_fini(&ds->blocks);
    kit_net_fini(&ds->net);
}

KIT_DEFINE_PLAN(struct deepslicing, prepare, make_draft, write_plan, release);
KIT_DEFINE_ENTRY(INFO, plan);
