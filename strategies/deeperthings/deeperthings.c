/*
 * deeperthings: the first layers in fused tiles as DeepThings has them, the others with their
 * weights partitioned; two integer programs say where tiles end and how every layer is partitioned.
 *
 * Stahl et al., "DeeperThings: Fully Distributed CNN Inference on Resource-Constrained Edge
 * Devices", IJPP 49, 2021. README.md says what is read in its code and what is decided here.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/channels.h"
#include "common/emit.h"
#include "common/home.h"
#include "common/plugin.h"
#include "deeperthings/deeper_rows.h"
#include "deeperthings/deeper_stages.h"
#include "deepthings/deepthings_schedule.h"
#include "deepthings/deepthings_tiles.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const SPLITS[] = {"grid", "rows", NULL};
static const struct ew_param_info PARAM_SPLIT =
    KIT_CHOICE("split", SPLITS, "grid",
               "grid: one block of tiles, then partitioned weights (DeeperThings); rows: several "
               "blocks, each in equal bands of rows (DistrEdge's comparison).");
static const struct ew_param_info PARAM_ROWS =
    KIT_INT("grid_rows", "5", 1.0, 64.0, "Tiles down the output of the last fused layer.");
static const struct ew_param_info PARAM_COLUMNS =
    KIT_INT("grid_columns", "5", 1.0, 64.0, "Tiles across the output of the last fused layer.");
static const struct ew_param_info PARAM_FUSED =
    KIT_INT("fused_blocks", "0", -1.0, 100000.0,
            "split=grid: so many layers from the first one are tiled; -1: none; 0: as many as the "
            "integer program for the least memory says.");
static const struct ew_param_info PARAM_GATEWAY =
    KIT_STRING("gateway", "auto",
               "Device that merges tiles, adds partial sums and computes what is not partitioned; "
               "auto: the source, or the most capable device when the source is too weak.");
static const char *const SPEEDS[] = {"equal", "own", NULL};
static const struct ew_param_info PARAM_SPEEDS = KIT_CHOICE(
    "assumed_speeds", SPEEDS, "equal",
    "For the cuts of split=rows: equal = every device takes the mean of all devices' times; "
    "own = each its own.");
static const struct ew_param_info PARAM_RATIO =
    KIT_REAL("least_speed_ratio", "ratio", "0.001", 0.0, 1.0,
             "Devices slower than this part of the fastest take no part: they only ask.");
static const struct ew_param_info PARAM_STAY = KIT_BOOL(
    "stay", "false", "Everything on the gateway when that is faster, as the simulator says.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_SPLIT, &PARAM_ROWS,    &PARAM_COLUMNS,
                                                     &PARAM_FUSED, &PARAM_GATEWAY, &PARAM_SPEEDS,
                                                     &PARAM_RATIO, &PARAM_STAY};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "deeperthings",
    .version = "1.0.0",
    .summary = "fused tiles first, then layers with partitioned weights and partial sums",
    .citation = "Stahl et al., DeeperThings, Int. Journal of Parallel Programming 49, 2021",
    .params = PARAMS,
};

/* The plan being made. */
struct deeperthings {
    struct kit_net net;
    struct kit_blocks blocks;
    struct kit_group group;
    struct kit_draft draft;
    uint32_t source;
    uint32_t gateway;
    struct cbc *cbc;
    /* split=grid */
    uint32_t n_fused;
    struct deepthings_field field;
    struct deepthings_tile *tiles;
    struct deepthings_turn *turns;
    uint32_t *order;
    double *free_s;
    struct deeper_stages stages;
    double elements; /* exchanged by partitioned layers */
    bool stays;      /* everything on the gateway */
    /* split=rows */
    struct deeper_rows rows;
};

/* ------------------------------------------------------------------ where tiles end */

/* A block's figures are those of its layer that needs most, and the weights of all. */
static struct deeper_part read_block(const struct kit_net *net, const struct kit_block *block,
                                     bool can_tile)
{
    struct deeper_part part = {.can_tile = can_tile};
    for (uint32_t i = block->begin; i < block->end; i++) {
        const uint32_t layer = net->order[i];
        part.weights += (double)net->layers[layer]->params;
        if (kit_makes_channels(net, layer)) {
            part.maps = fmax(part.maps, deeper_input_elements(net, layer) +
                                            deeper_output_elements(net, layer));
        }
    }
    return part;
}

static int32_t choose_break(struct deeperthings *dpt)
{
    const struct ew_host *host = dpt->net.host;
    const int64_t wanted = host->param_int(host, "fused_blocks");
    const uint32_t run = kit_blocks_banded_run(&dpt->blocks, 0);
    if (wanted != 0) {
        dpt->n_fused = wanted < 0 ? 0 : wanted < run ? (uint32_t)wanted : run;
        return EW_STRATEGY_OK;
    }
    struct deeper_part *parts = calloc(dpt->blocks.n + 1u, sizeof *parts);
    if (!parts) {
        return kit_fail_memory(host);
    }
    for (uint32_t b = 0; b < dpt->blocks.n; b++) {
        parts[b] = read_block(&dpt->net, &dpt->blocks.items[b], b < run);
    }
    const enum cbc_outcome outcome =
        deeper_choose_break(&dpt->n_fused, parts, dpt->blocks.n, dpt->group.n, dpt->cbc);
    free(parts);
    if (outcome == CBC_NO_MEMORY) {
        return kit_fail_memory(host);
    }
    return outcome == CBC_OPTIMAL
               ? EW_STRATEGY_OK
               : kit_fail(host, EW_STRATEGY_EINTERNAL, "Cbc could not solve where tiles end");
}

/* ------------------------------------------------------------------ tiles */

/* Fetching the tile's input and computing it. */
static double tile_s(void *ctx, uint32_t worker, uint32_t tile, bool reuses)
{
    const struct deeperthings *dpt = ctx;
    const struct ew_host *host = dpt->net.host;
    const struct ew_tensor_box *boxes = deepthings_boxes(&dpt->field, tile);
    const struct kit_block *entry = &dpt->blocks.items[0];
    const uint32_t device = dpt->group.device[worker];
    double bytes = 0.0, seconds = 0.0;
    (void)reuses;
    for (uint32_t i = 0; i < entry->n_entering; i++) {
        bytes += kit_box_bytes(&dpt->net, entry->entering[i], &boxes[entry->entering[i]]);
    }
    for (uint32_t i = 0; i < dpt->blocks.items[dpt->field.last].end; i++) {
        const uint32_t layer = dpt->net.order[i];
        seconds += host->compute_s(host, dpt->net.variant, layer, &boxes[layer], device);
    }
    return device == dpt->gateway
               ? seconds
               : seconds + host->transfer_s(host, dpt->gateway, device, (uint64_t)ceil(bytes));
}

static int32_t draft_tiles(struct deeperthings *dpt)
{
    const struct ew_host *host = dpt->net.host;
    const int32_t n[2] = {(int32_t)host->param_int(host, "grid_rows"),
                          (int32_t)host->param_int(host, "grid_columns")};
    int32_t size[2];
    deepthings_output_size(size, &dpt->net, &dpt->blocks, dpt->n_fused - 1);
    const struct deepthings_problem problem = {
        .n_tiles = deepthings_grid_count(size, n),
        .n_workers = dpt->group.n,
        .tiles = dpt->tiles,
        .rule = DEEPTHINGS_STEAL,
        .tile_s = tile_s,
        .ctx = dpt,
    };
    deepthings_grid(dpt->tiles, size, n);
    deepthings_field_fini(&dpt->field);
    int32_t rc = deepthings_field_init(&dpt->field, &dpt->net, &dpt->blocks, dpt->n_fused - 1,
                                       dpt->tiles, problem.n_tiles);
    if (rc >= 0) {
        deepthings_schedule(dpt->turns, dpt->order, dpt->free_s, &problem);
    }
    for (uint32_t i = 0; i < problem.n_tiles && rc >= 0; i++) {
        const uint32_t tile = dpt->order[i];
        rc = kit_draft_volume(&dpt->draft, &dpt->blocks, 0, dpt->n_fused - 1,
                              deepthings_boxes(&dpt->field, tile),
                              dpt->group.device[dpt->turns[tile].worker], tile);
    }
    return rc;
}

/* ------------------------------------------------------------------ planning */

static int32_t draft_grid(struct deeperthings *dpt)
{
    int32_t rc = choose_break(dpt);
    deeper_stages_fini(&dpt->stages);
    dpt->elements = 0.0;
    if (rc >= 0 && dpt->n_fused > 0) {
        rc = draft_tiles(dpt);
    }
    if (rc < 0 || dpt->n_fused == dpt->blocks.n) {
        return rc;
    }
    rc = deeper_stages_init(&dpt->stages, &dpt->net, dpt->blocks.items[dpt->n_fused].begin);
    if (rc >= 0) {
        rc = deeper_stages_choose(&dpt->stages, &dpt->elements, dpt->group.n, dpt->cbc);
    }
    return rc < 0 ? rc
                  : deeper_stages_draft(&dpt->draft, &dpt->stages, dpt->group.device, dpt->group.n,
                                        dpt->gateway);
}

static int32_t draft_rows(struct deeperthings *dpt)
{
    const struct ew_host *host = dpt->net.host;
    const struct deeper_rows_problem problem = {
        .net = &dpt->net,
        .blocks = &dpt->blocks,
        .group = &dpt->group,
        .home = dpt->gateway,
        .may_stay_home = kit_fits(host, dpt->gateway, kit_net_memory_bytes(&dpt->net)),
        .assumes_equal = kit_param_is(host, "assumed_speeds", "equal"),
    };
    deeper_rows_fini(&dpt->rows);
    int32_t rc = deeper_rows_plan(&dpt->rows, &problem);
    return rc < 0 ? rc
                  : kit_star_draft(&dpt->draft, &dpt->rows.star, dpt->gateway, dpt->rows.volumes,
                                   dpt->rows.n_volumes);
}

static int32_t draft_all_on_gateway(struct deeperthings *dpt)
{
    kit_draft_begin(&dpt->draft, &dpt->net);
    dpt->stays = true;
    return kit_draft_blocks(&dpt->draft, &dpt->blocks, 0, dpt->blocks.n - 1, dpt->gateway);
}

static bool splits_rows(const struct deeperthings *dpt)
{
    return kit_param_is(dpt->net.host, "split", "rows");
}

static int32_t draft_once(void *ctx)
{
    struct deeperthings *dpt = ctx;
    kit_draft_begin(&dpt->draft, &dpt->net);
    return dpt->group.n == 1  ? draft_all_on_gateway(dpt)
           : splits_rows(dpt) ? draft_rows(dpt)
                              : draft_grid(dpt);
}

static int32_t make_draft(struct deeperthings *dpt)
{
    return kit_draft_within_memory(&dpt->draft, &dpt->group, draft_once, dpt);
}

/* ------------------------------------------------------------------ writing */

static int32_t gather_layers(struct ew_plan_builder *builder, const struct deeperthings *dpt,
                             const uint32_t *layers, uint32_t n)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < n && rc >= 0; i++) {
        if (kit_is_read(&dpt->net, layers[i])) {
            rc = builder->set_exchange(builder, layers[i], EW_EXCHANGE_MODE_GATHER, dpt->gateway);
        }
    }
    return rc;
}

/* The input comes through the gateway, tiles are merged there, and parts that are not reused. */
static int32_t set_exchanges(struct ew_plan_builder *builder, const struct deeperthings *dpt)
{
    int32_t rc = EW_STRATEGY_OK;
    if (dpt->gateway != dpt->source) {
        const struct kit_block *entry = &dpt->blocks.items[0];
        rc = gather_layers(builder, dpt, entry->entering, entry->n_entering);
    }
    if (rc >= 0 && dpt->n_fused > 0) {
        const struct kit_block *end = &dpt->blocks.items[dpt->n_fused - 1];
        rc = gather_layers(builder, dpt, end->outputs, end->n_outputs);
    }
    return rc < 0 ? rc : deeper_stages_gather(builder, &dpt->stages, dpt->gateway);
}

static int32_t note_ways(struct ew_plan_builder *builder, const struct deeperthings *dpt)
{
    static const char *const names[] = {[DEEPER_WHOLE] = "",
                                        [DEEPER_OUTPUTS] = "LOP",
                                        [DEEPER_INPUTS] = "LIP",
                                        [DEEPER_FIRST] = "FUSE1",
                                        [DEEPER_SECOND] = "FUSE2"};
    char text[480] = "";
    size_t used = 0;
    for (uint32_t s = 0; s < dpt->stages.n && used < sizeof text; s++) {
        const struct deeper_stage *stage = &dpt->stages.items[s];
        if (stage->way != DEEPER_WHOLE) {
            const int n = snprintf(text + used, sizeof text - used, "%s%s %s", used ? ", " : "",
                                   dpt->net.layers[stage->layers[0]]->name, names[stage->way]);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    int32_t rc = kit_note(builder, "weights", "%s", text);
    return rc < 0 ? rc : kit_note(builder, "elements_exchanged", "%.17g", dpt->elements);
}

static int32_t set_notes(struct ew_plan_builder *builder, const struct deeperthings *dpt)
{
    const struct ew_host *host = dpt->net.host;
    char name[160] = "nothing";
    int32_t rc = kit_note(builder, "gateway", "%s", host->device(host, dpt->gateway)->name);
    if (rc >= 0 && dpt->stays) {
        rc = kit_note(builder, "stays", "everything on the gateway");
    } else if (rc >= 0 && splits_rows(dpt)) {
        rc = kit_star_note(builder, &dpt->rows.star, dpt->gateway, dpt->rows.volumes,
                           dpt->rows.n_volumes);
    } else if (rc >= 0) {
        if (dpt->n_fused > 0) {
            kit_volume_name(name, sizeof name, &dpt->net, &dpt->blocks, 0, dpt->n_fused - 1);
        }
        rc = kit_note(builder, "fused", "%s", name);
        rc = rc < 0 || dpt->stages.n == 0 ? rc : note_ways(builder, dpt);
    }
    if (rc >= 0 && dpt->group.excluded[0] != '\0') {
        rc = kit_note(builder, "left_out", "%s", dpt->group.excluded);
    }
    return rc;
}

static int32_t write_plan(const struct deeperthings *dpt, struct ew_plan_builder *builder)
{
    int32_t rc = kit_draft_write(&dpt->draft, builder, "deeperthings");
    if (rc >= 0 && !dpt->stays && !splits_rows(dpt)) {
        rc = set_exchanges(builder, dpt);
    }
    return rc < 0 ? rc : set_notes(builder, dpt);
}

/* Seconds of what the builder holds; NAN when the host does not evaluate. */
static double evaluate(const struct deeperthings *dpt, struct ew_plan_builder *builder)
{
    const struct ew_host *host = dpt->net.host;
    struct ew_evaluation evaluation = {.struct_size = sizeof evaluation};
    return host->evaluate(host, builder, &evaluation) >= 0 ? evaluation.latency_s : NAN;
}

/* Neither tiles nor weights know the network: when the gateway alone is faster, it does it all. */
static int32_t write_best(struct deeperthings *dpt, struct ew_plan_builder *builder)
{
    const struct ew_host *host = dpt->net.host;
    int32_t rc = write_plan(dpt, builder);
    double latency_s = rc < 0 ? NAN : evaluate(dpt, builder);
    if (rc >= 0 && host->param_int(host, "stay") && !dpt->stays && isfinite(latency_s) &&
        kit_fits(host, dpt->gateway, kit_net_memory_bytes(&dpt->net))) {
        rc = builder->reset(builder);
        rc = rc < 0 ? rc : draft_all_on_gateway(dpt);
        rc = rc < 0 ? rc : write_plan(dpt, builder);
        const double alone_s = rc < 0 ? NAN : evaluate(dpt, builder);
        if (rc >= 0 && alone_s < latency_s) {
            latency_s = alone_s;
        } else if (rc >= 0) {
            dpt->stays = false;
            rc = builder->reset(builder);
            rc = rc < 0 ? rc : make_draft(dpt);
            rc = rc < 0 ? rc : write_plan(dpt, builder);
        }
    }
    return rc < 0 || isnan(latency_s) ? rc : kit_predict(builder, &dpt->net, latency_s, NAN);
}

/* ------------------------------------------------------------------ life */

static int32_t open_cbc(struct deeperthings *dpt)
{
    char reason[200];
    if (splits_rows(dpt)) {
        return EW_STRATEGY_OK;
    }
    dpt->cbc = cbc_open(reason, sizeof reason);
    return dpt->cbc ? EW_STRATEGY_OK : kit_fail(dpt->net.host, EW_STRATEGY_ECANNOT, "%s", reason);
}

static int32_t allocate(struct deeperthings *dpt)
{
    enum { MAX_TILES = 64 * 64 };
    const struct ew_host *host = dpt->net.host;
    dpt->tiles = calloc(MAX_TILES, sizeof *dpt->tiles);
    dpt->turns = calloc(MAX_TILES, sizeof *dpt->turns);
    dpt->order = calloc(MAX_TILES, sizeof *dpt->order);
    dpt->free_s = calloc(host->device_count(host), sizeof *dpt->free_s);
    return dpt->tiles && dpt->turns && dpt->order && dpt->free_s ? EW_STRATEGY_OK
                                                                 : kit_fail_memory(host);
}

static int32_t choose_gateway(struct deeperthings *dpt, struct kit_group_options *options)
{
    const struct ew_host *host = dpt->net.host;
    int32_t rc = kit_param_device(&dpt->gateway, host, "gateway");
    if (rc >= 0 && dpt->gateway == EW_ID_NONE) {
        rc = splits_rows(dpt)
                 ? kit_choose_home(&dpt->gateway, &dpt->net, &dpt->blocks, dpt->source, "gateway")
                 : EW_STRATEGY_OK;
        /* a source that is home only because nothing has to be computed there may be too weak */
        if (rc >= 0 && (!splits_rows(dpt) || dpt->gateway == dpt->source)) {
            rc = kit_choose_leader(&dpt->gateway, &dpt->net, options);
        }
    }
    if (rc >= 0 && !kit_has_route(host, dpt->source, dpt->gateway)) {
        rc =
            kit_fail(host, EW_STRATEGY_ECANNOT, "no route between the source %s and the gateway %s",
                     host->device(host, dpt->source)->name, host->device(host, dpt->gateway)->name);
    }
    options->first = splits_rows(dpt) ? dpt->source : dpt->gateway;
    return rc;
}

/* Parts of the answer go to the sink from wherever they are; a device that is very much slower
 * than the fastest only asks. */
static void drop_members(struct deeperthings *dpt)
{
    const struct ew_host *host = dpt->net.host;
    const uint32_t sink = host->requirements(host)->sink_device;
    double fastest = 0.0;
    for (uint32_t i = 0; i < dpt->group.n; i++) {
        fastest = fmax(fastest, dpt->group.capability[i]);
    }
    const double least = fastest * host->param_real(host, "least_speed_ratio");
    for (uint32_t i = dpt->group.n; i-- > 0;) {
        if (dpt->group.n > 1 && !kit_has_route(host, dpt->group.device[i], sink)) {
            kit_group_drop(&dpt->group, &dpt->net, i, "no route to the sink");
        } else if (dpt->group.n > 1 && dpt->group.capability[i] < least) {
            kit_group_drop(&dpt->group, &dpt->net, i, "too slow");
        }
    }
}

static int32_t prepare(struct deeperthings *dpt, const struct ew_host *host)
{
    struct kit_group_options options = {
        .capability = KIT_CAPABILITY_PROFILE, .needs_all_pairs = true, .holds_parts = true};
    int32_t rc = kit_net_init(&dpt->net, host, 0, EW_ID_NONE, KIT_ROWS);
    dpt->source = options.first = host->requirements(host)->source_device;
    if (rc >= 0) {
        rc = kit_blocks_init(&dpt->blocks, &dpt->net);
    }
    if (rc >= 0 && splits_rows(dpt) && kit_blocks_banded(&dpt->blocks) == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no block whose rows can be shared out",
                      dpt->net.graph->name);
    }
    if (rc >= 0) {
        rc = open_cbc(dpt);
    }
    if (rc >= 0) {
        rc = choose_gateway(dpt, &options);
    }
    if (rc >= 0) {
        rc = kit_group_init(&dpt->group, &dpt->net, &options);
    }
    if (rc >= 0) {
        rc = allocate(dpt);
    }
    if (rc >= 0) {
        drop_members(dpt);
    }
    return rc;
}

static void release(struct deeperthings *dpt)
{
    deepthings_field_fini(&dpt->field);
    deeper_stages_fini(&dpt->stages);
    deeper_rows_fini(&dpt->rows);
    free(dpt->tiles);
    free(dpt->turns);
    free(dpt->order);
    free(dpt->free_s);
    cbc_close(dpt->cbc);
    kit_draft_fini(&dpt->draft);
    kit_group_fini(&dpt->group);
    kit_blocks_fini(&dpt->blocks);
    kit_net_fini(&dpt->net);
}

KIT_DEFINE_PLAN(struct deeperthings, prepare, make_draft, write_best, release);
KIT_DEFINE_ENTRY(INFO, plan);
