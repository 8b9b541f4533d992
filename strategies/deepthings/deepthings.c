/*
 * deepthings: the first layers fused and cut into a grid of independent tiles that idle devices
 * steal; the rest of the network on a gateway.
 *
 * Zhao et al., "DeepThings: Distributed Adaptive Deep Learning Inference on Resource-Constrained
 * IoT Edge Clusters", IEEE TCAD 37(11), 2018. README.md says what is read in its code and what is
 * decided here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/draft.h"
#include "common/emit.h"
#include "common/plugin.h"
#include "deepthings/deepthings_schedule.h"
#include "deepthings/deepthings_tiles.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const SPLITS[] = {"grid", "rows", NULL};
static const struct ew_param_info PARAM_SPLIT =
    KIT_CHOICE("split", SPLITS, "grid",
               "grid: tiles of a grid (DeepThings); rows: one equal band of rows per device and no "
               "stealing (DistrEdge's comparison).");
static const struct ew_param_info PARAM_ROWS =
    KIT_INT("grid_rows", "5", 1.0, 64.0, "Tiles down the output of the last fused layer.");
static const struct ew_param_info PARAM_COLUMNS =
    KIT_INT("grid_columns", "5", 1.0, 64.0, "Tiles across the output of the last fused layer.");
static const struct ew_param_info PARAM_FUSED =
    KIT_INT("fused_blocks", "0", 0.0, 100000.0,
            "So many layers from the first one are fused (with their activations; residual and "
            "inception blocks count as one); 0: as many as are predicted to be fastest.");
static const struct ew_param_info PARAM_STEALING =
    KIT_BOOL("stealing", "true",
             "Idle devices take the next tile, as predicted; false: tiles are dealt out in turn.");
static const char *const BINDINGS[] = {"planned", "late", NULL};
static const struct ew_param_info PARAM_BINDING = KIT_CHOICE(
    "binding", BINDINGS, "planned",
    "planned: who takes which tile is decided in advance; late: devices take tiles as they "
    "become idle, each for a message of steal_bytes to the source and the tile's input.");
static const struct ew_param_info PARAM_STEAL_BYTES =
    KIT_INT("steal_bytes", "64", 1.0, 1000000.0,
            "Bytes of the message by which an idle device asks for a tile, with binding=late.");
static const struct ew_param_info PARAM_REUSE =
    KIT_BOOL("reuse", "false",
             "Every second tile fetches what its neighbours have computed instead of computing it "
             "again.");
static const struct ew_param_info PARAM_GATEWAY = KIT_STRING(
    "gateway", "auto",
    "Device that merges the tiles and computes the rest; auto: the one that is done first.");
static const struct ew_param_info PARAM_RATIO =
    KIT_REAL("least_speed_ratio", "ratio", "0.001", 0.0, 1.0,
             "Devices slower than this part of the fastest take no tiles: they only ask.");
static const char *const SPEEDS[] = {"equal", "own", NULL};
static const struct ew_param_info PARAM_SPEEDS =
    KIT_CHOICE("assumed_speeds", SPEEDS, "equal",
               "For fused_blocks=0: equal = every device takes the mean of all devices' times "
               "(DeepThings assumes equal devices); own = each its own.");
static const struct ew_param_info *const PARAMS[] = {
    &PARAM_SPLIT,  &PARAM_ROWS,     &PARAM_COLUMNS, &PARAM_FUSED,
    &PARAM_SPEEDS, &PARAM_STEALING, &PARAM_BINDING, &PARAM_STEAL_BYTES,
    &PARAM_REUSE,  &PARAM_GATEWAY,  &PARAM_RATIO};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "deepthings",
    .version = "1.1.0",
    .summary = "a grid of fused tiles that idle devices steal, the rest on a gateway",
    .citation = "Zhao et al., DeepThings, IEEE TCAD 37(11) 2018, doi:10.1109/TCAD.2018.2858384",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ the plan being made */

enum { MAX_TILES = 64 * 64 };

struct deepthings {
    struct kit_net net;
    struct kit_blocks blocks;
    struct kit_group group;
    struct kit_draft draft;
    struct deepthings_field field; /* of the prefix being tried */
    uint32_t source;
    bool is_late;           /* tiles wait in a pool at the source */
    uint32_t named_gateway; /* EW_ID_NONE: choose */
    double *rest_s;         /* by device and block: seconds for all blocks from it on */
    uint64_t *rest_bytes;   /* by block: weights of all blocks from it on */
    struct deepthings_tile *tiles;
    struct deepthings_turn *turns;
    uint32_t *order;
    double *free_s;
    struct ew_tensor_box *reduced; /* scratch, by layer */
    bool assumes_equal;            /* while the number of fused blocks is chosen */
    double mean_s;                 /* of the devices' times for all banded layers */
    /* the prefix tried last */
    uint32_t n_fused;
    uint32_t gateway;
    double latency_s;
};

static double transfer_s(const struct deepthings *dt, uint32_t from, uint32_t to, double bytes)
{
    const struct ew_host *host = dt->net.host;
    return from == to || bytes <= 0.0 ? 0.0
                                      : host->transfer_s(host, from, to, (uint64_t)ceil(bytes));
}

/* Factor that makes a device's times those of the mean device, while that is assumed. */
static double slow_down(const struct deepthings *dt, uint32_t device)
{
    for (uint32_t i = 0; dt->assumes_equal && i < dt->group.n; i++) {
        if (dt->group.device[i] == device) {
            return dt->group.capability[i] * dt->mean_s;
        }
    }
    return 1.0;
}

/* ------------------------------------------------------------------ one tile */

static double compute_s(const struct deepthings *dt, const struct ew_tensor_box *boxes,
                        uint32_t device)
{
    const struct kit_net *net = &dt->net;
    double seconds = 0.0;
    for (uint32_t i = 0; i < dt->blocks.items[dt->field.last].end; i++) {
        uint32_t layer = net->order[i];
        if (!kit_box_is_empty(&boxes[layer])) {
            seconds += net->host->compute_s(net->host, net->variant, layer, &boxes[layer], device);
        }
    }
    return seconds * slow_down(dt, device);
}

static double entering_bytes(const struct deepthings *dt, const struct ew_tensor_box *boxes)
{
    const struct kit_block *entry = &dt->blocks.items[0];
    double bytes = 0.0;
    for (uint32_t i = 0; i < entry->n_entering; i++) {
        uint32_t layer = entry->entering[i];
        bytes += kit_box_bytes(&dt->net, layer, &boxes[layer]);
    }
    return bytes;
}

static double leaving_bytes(const struct deepthings *dt, const struct ew_tensor_box *boxes)
{
    const struct kit_block *end = &dt->blocks.items[dt->field.last];
    double bytes = 0.0;
    for (uint32_t i = 0; i < end->n_outputs; i++) {
        bytes += kit_box_bytes(&dt->net, end->outputs[i], &boxes[end->outputs[i]]);
    }
    return bytes;
}

/* Fetching the tile's input, and the overlap of neighbours on other devices, then computing. A
 * tile whose boxes the host does not give is refused when the plan is written. */
static double tile_s(void *ctx, uint32_t worker, uint32_t tile, bool reuses)
{
    struct deepthings *dt = ctx;
    uint32_t device = dt->group.device[worker];
    const struct ew_tensor_box *boxes = deepthings_boxes(&dt->field, tile);
    double seconds = 0.0;
    if (reuses) {
        double overlap_bytes[4];
        if (deepthings_reduce(dt->reduced, overlap_bytes, &dt->field, tile) < 0) {
            return INFINITY;
        }
        boxes = dt->reduced;
        for (int k = 0; k < 4; k++) {
            uint32_t neighbour = dt->tiles[tile].neighbours[k];
            if (neighbour != DEEPTHINGS_NONE) {
                uint32_t holder = dt->group.device[dt->turns[neighbour].worker];
                seconds += transfer_s(dt, holder, device, overlap_bytes[k]);
            }
        }
    }
    if (dt->is_late) {
        seconds += transfer_s(dt, device, dt->source,
                              (double)dt->net.host->param_int(dt->net.host, "steal_bytes"));
    }
    seconds += transfer_s(dt, dt->source, device, entering_bytes(dt, boxes));
    return seconds + compute_s(dt, boxes, device);
}

/* ------------------------------------------------------------------ one prefix */

static uint32_t cut_output(struct deepthings *dt, uint32_t last)
{
    const struct ew_host *host = dt->net.host;
    int32_t size[2];
    int32_t n[2] = {(int32_t)host->param_int(host, "grid_rows"),
                    (int32_t)host->param_int(host, "grid_columns")};
    deepthings_output_size(size, &dt->net, &dt->blocks, last);
    if (kit_param_is(host, "split", "rows")) {
        return deepthings_bands(dt->tiles, size, dt->group.n);
    }
    deepthings_grid(dt->tiles, size, n);
    return deepthings_grid_count(size, n);
}

/* When the last tile has arrived at `to`. */
static double arrival_s(const struct deepthings *dt, uint32_t to)
{
    double last_s = 0.0;
    for (uint32_t t = 0; t < dt->field.n_tiles; t++) {
        const struct ew_tensor_box *boxes = deepthings_boxes(&dt->field, t);
        double seconds =
            dt->turns[t].finish_s +
            transfer_s(dt, dt->group.device[dt->turns[t].worker], to, leaving_bytes(dt, boxes));
        last_s = fmax(last_s, seconds);
    }
    return last_s;
}

/* The answer's time when `gateway` computes all blocks from n_fused on. */
static double gateway_s(const struct deepthings *dt, uint32_t gateway)
{
    const struct kit_net *net = &dt->net;
    uint32_t sink = net->host->requirements(net->host)->sink_device;
    if (!kit_fits(net->host, gateway, dt->rest_bytes[dt->n_fused])) {
        return INFINITY;
    }
    double start_s = dt->n_fused
                         ? arrival_s(dt, gateway)
                         : transfer_s(dt, dt->source, gateway, (double)kit_net_input_bytes(net));
    double rest_s = dt->rest_s[(size_t)gateway * (dt->blocks.n + 1u) + dt->n_fused];
    return start_s + rest_s * slow_down(dt, gateway) +
           transfer_s(dt, gateway, sink, (double)kit_net_result_bytes(net));
}

static void choose_gateway(struct deepthings *dt)
{
    const struct ew_host *host = dt->net.host;
    if (dt->n_fused == dt->blocks.n) {
        dt->gateway = host->requirements(host)->sink_device;
        dt->latency_s = arrival_s(dt, dt->gateway);
        return;
    }
    dt->gateway = dt->named_gateway != EW_ID_NONE ? dt->named_gateway : dt->source;
    dt->latency_s = gateway_s(dt, dt->gateway);
    for (uint32_t d = 0; dt->named_gateway == EW_ID_NONE && d < host->device_count(host); d++) {
        double seconds = gateway_s(dt, d);
        if (seconds < dt->latency_s) {
            dt->latency_s = seconds;
            dt->gateway = d;
        }
    }
}

static int32_t try_prefix(struct deepthings *dt, uint32_t n_fused)
{
    const struct ew_host *host = dt->net.host;
    deepthings_field_fini(&dt->field);
    dt->n_fused = n_fused;
    if (n_fused > 0) {
        uint32_t n_tiles = cut_output(dt, n_fused - 1);
        int32_t rc = deepthings_field_init(&dt->field, &dt->net, &dt->blocks, n_fused - 1,
                                           dt->tiles, n_tiles);
        if (rc < 0) {
            return rc;
        }
        bool steals = host->param_int(host, "stealing") && kit_param_is(host, "split", "grid");
        struct deepthings_problem problem = {
            .n_tiles = n_tiles,
            .n_workers = dt->group.n,
            .tiles = dt->tiles,
            .rule = steals ? DEEPTHINGS_STEAL : DEEPTHINGS_DEAL,
            .has_reuse = host->param_int(host, "reuse") != 0,
            .tile_s = tile_s,
            .ctx = dt,
        };
        deepthings_schedule(dt->turns, dt->order, dt->free_s, &problem);
    }
    choose_gateway(dt);
    return EW_STRATEGY_OK;
}

static int32_t choose_prefix(struct deepthings *dt)
{
    const struct ew_host *host = dt->net.host;
    uint32_t run = kit_blocks_banded_run(&dt->blocks, 0);
    uint32_t wanted = (uint32_t)host->param_int(host, "fused_blocks");
    uint32_t best = wanted < run ? wanted : run;
    double best_s = INFINITY;
    int32_t rc = EW_STRATEGY_OK;
    dt->assumes_equal = kit_param_is(host, "assumed_speeds", "equal");
    for (uint32_t n = 0; wanted == 0 && n <= run && rc >= 0; n++) {
        rc = try_prefix(dt, n);
        if (rc >= 0 && dt->latency_s < best_s) {
            best_s = dt->latency_s;
            best = n;
        }
    }
    dt->assumes_equal = false;
    return rc < 0 ? rc : try_prefix(dt, best);
}

/* ------------------------------------------------------------------ planning */

/* A device that is very much slower than the fastest is not an edge node, it only asks. */
static void drop_slow(struct deepthings *dt)
{
    const struct ew_host *host = dt->net.host;
    double fastest = 0.0;
    for (uint32_t i = 0; i < dt->group.n; i++) {
        fastest = fmax(fastest, dt->group.capability[i]);
    }
    double least = fastest * host->param_real(host, "least_speed_ratio");
    for (uint32_t i = dt->group.n; i-- > 0;) {
        if (dt->group.capability[i] < least && dt->group.n > 1) {
            kit_group_drop(&dt->group, &dt->net, i, "too slow");
        }
    }
    for (uint32_t i = 0; i < dt->group.n; i++) {
        dt->mean_s += 1.0 / (dt->group.capability[i] * dt->group.n);
    }
}

static void fill_rest(struct deepthings *dt)
{
    const struct kit_net *net = &dt->net;
    uint32_t n = dt->blocks.n;
    for (uint32_t b = n; b-- > 0;) {
        const struct kit_block *block = &dt->blocks.items[b];
        dt->rest_bytes[b] = dt->rest_bytes[b + 1];
        for (uint32_t i = block->begin; i < block->end; i++) {
            dt->rest_bytes[b] += net->layers[net->order[i]]->weight_bytes;
        }
        for (uint32_t d = 0; d < net->host->device_count(net->host); d++) {
            double *rest_s = dt->rest_s + (size_t)d * (n + 1u);
            rest_s[b] = rest_s[b + 1];
            for (uint32_t i = block->begin; i < block->end; i++) {
                rest_s[b] += kit_layer_compute_s(net, net->order[i], d);
            }
        }
    }
}

static int32_t allocate(struct deepthings *dt)
{
    const struct ew_host *host = dt->net.host;
    size_t n_devices = host->device_count(host);
    size_t n_tiles = n_devices > MAX_TILES ? n_devices : MAX_TILES;
    dt->rest_s = calloc(n_devices * (dt->blocks.n + 1u), sizeof *dt->rest_s);
    dt->rest_bytes = calloc(dt->blocks.n + 1u, sizeof *dt->rest_bytes);
    dt->tiles = calloc(n_tiles, sizeof *dt->tiles);
    dt->turns = calloc(n_tiles, sizeof *dt->turns);
    dt->order = calloc(n_tiles, sizeof *dt->order);
    dt->free_s = calloc(n_devices, sizeof *dt->free_s);
    dt->reduced = calloc(dt->net.n_layers, sizeof *dt->reduced);
    return dt->rest_s && dt->rest_bytes && dt->tiles && dt->turns && dt->order && dt->free_s &&
                   dt->reduced
               ? EW_STRATEGY_OK
               : kit_fail_memory(host);
}

/* Late binding is stealing for real: what would contradict it is refused. */
static int32_t check_binding(struct deepthings *dt, const struct ew_host *host)
{
    dt->is_late = kit_param_is(host, "binding", "late");
    if (dt->is_late &&
        (kit_param_is(host, "split", "rows") || !host->param_int(host, "stealing"))) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "binding=late is stealing: it needs split=grid and stealing=true");
    }
    if (dt->is_late && host->param_int(host, "reuse")) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "binding=late: reuse needs to know in advance which device has the "
                        "neighbours of a tile");
    }
    return EW_STRATEGY_OK;
}

static int32_t prepare(struct deepthings *dt, const struct ew_host *host)
{
    int32_t rc = check_binding(dt, host);
    if (rc < 0) {
        return rc;
    }
    rc = kit_net_init(&dt->net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0) {
        rc = kit_blocks_init(&dt->blocks, &dt->net);
    }
    if (rc >= 0 && kit_blocks_banded_run(&dt->blocks, 0) == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "the first block of %s cannot be cut into tiles",
                      dt->net.graph->name);
    }
    if (rc >= 0) {
        rc = kit_param_device(&dt->named_gateway, host, "gateway");
    }
    dt->source = host->requirements(host)->source_device;
    struct kit_group_options options = {.first = dt->source,
                                        .capability = KIT_CAPABILITY_PROFILE,
                                        .needs_all_pairs =
                                            dt->is_late || host->param_int(host, "reuse") != 0};
    if (rc >= 0) {
        rc = kit_group_init(&dt->group, &dt->net, &options);
    }
    if (rc >= 0) {
        rc = allocate(dt);
    }
    if (rc >= 0) {
        drop_slow(dt);
        fill_rest(dt);
    }
    return rc;
}

static int32_t draft_tiles(struct deepthings *dt)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < dt->field.n_tiles && rc >= 0; i++) {
        uint32_t tile = dt->order[i];
        const struct ew_tensor_box *boxes = deepthings_boxes(&dt->field, tile);
        if (dt->turns[tile].reuses) {
            double overlap_bytes[4];
            rc = deepthings_reduce(dt->reduced, overlap_bytes, &dt->field, tile);
            boxes = dt->reduced;
        }
        if (rc >= 0) {
            rc = kit_draft_volume(&dt->draft, &dt->blocks, 0, dt->n_fused - 1, boxes,
                                  dt->group.device[dt->turns[tile].worker], tile);
        }
    }
    return rc;
}

static double tile_bytes(const struct deepthings *dt, uint32_t tile)
{
    const struct ew_tensor_box *boxes = deepthings_boxes(&dt->field, tile);
    double bytes = 0.0;
    for (uint32_t i = 0; i < dt->blocks.items[dt->n_fused - 1].end; i++) {
        uint32_t layer = dt->net.order[i];
        bytes += kit_box_bytes(&dt->net, layer, &boxes[layer]);
    }
    return bytes;
}

/* What tells whether members of a pool have the memory: the largest tile on each. */
static int32_t draft_one_tile_each(struct deepthings *dt)
{
    int32_t rc = EW_STRATEGY_OK;
    uint32_t largest = 0;
    for (uint32_t t = 1; t < dt->field.n_tiles; t++) {
        largest = tile_bytes(dt, t) > tile_bytes(dt, largest) ? t : largest;
    }
    for (uint32_t w = 0; w < dt->group.n && rc >= 0; w++) {
        rc = kit_draft_volume(&dt->draft, &dt->blocks, 0, dt->n_fused - 1,
                              deepthings_boxes(&dt->field, largest), dt->group.device[w], w);
    }
    return rc;
}

static int32_t draft_rest(struct deepthings *dt)
{
    return dt->n_fused < dt->blocks.n ? kit_draft_blocks(&dt->draft, &dt->blocks, dt->n_fused,
                                                         dt->blocks.n - 1, dt->gateway)
                                      : EW_STRATEGY_OK;
}

static int32_t draft_once(void *ctx)
{
    struct deepthings *dt = ctx;
    int32_t rc = choose_prefix(dt);
    if (rc >= 0 && !isfinite(dt->latency_s)) {
        const struct ew_host *host = dt->net.host;
        rc = kit_fail(host, EW_STRATEGY_ECANNOT,
                      "no route to or from the gateway %s, or not the memory for the rest of the "
                      "network there",
                      host->device(host, dt->gateway)->name);
    }
    kit_draft_begin(&dt->draft, &dt->net);
    if (rc >= 0 && dt->n_fused > 0) {
        rc = dt->is_late ? draft_one_tile_each(dt) : draft_tiles(dt);
    }
    return rc < 0 ? rc : draft_rest(dt);
}

/* The plan's one pool has id 1. */
static int32_t draft_pooled(struct deepthings *dt)
{
    kit_draft_begin(&dt->draft, &dt->net);
    int32_t rc = dt->n_fused > 0 ? draft_tiles(dt) : EW_STRATEGY_OK;
    for (uint32_t i = 0; i < dt->draft.n; i++) {
        dt->draft.pieces[i].pool = 1;
    }
    return rc < 0 ? rc : draft_rest(dt);
}

static int32_t make_draft(struct deepthings *dt)
{
    int32_t rc = kit_draft_within_memory(&dt->draft, &dt->group, draft_once, dt);
    return rc >= 0 && dt->is_late ? draft_pooled(dt) : rc;
}

/* ------------------------------------------------------------------ writing */

static int32_t note_tiles(const struct deepthings *dt, struct ew_plan_builder *builder)
{
    const struct ew_host *host = dt->net.host;
    char text[400] = "";
    uint32_t n_reused = 0;
    for (uint32_t w = 0; w < dt->group.n; w++) {
        uint32_t n = 0;
        for (uint32_t t = 0; t < dt->field.n_tiles; t++) {
            n += dt->turns[t].worker == w;
            n_reused += dt->turns[t].worker == w && dt->turns[t].reuses;
        }
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s %u", w ? ", " : "",
                 host->device(host, dt->group.device[w])->name, n);
    }
    int32_t rc = kit_note(builder, dt->is_late ? "tiles_predicted" : "tiles", "%s", text);
    return rc < 0 || n_reused == 0 ? rc : kit_note(builder, "tiles_reusing", "%u", n_reused);
}

static int32_t set_notes(const struct deepthings *dt, struct ew_plan_builder *builder)
{
    const struct ew_host *host = dt->net.host;
    char name[160] = "nothing";
    if (dt->n_fused > 0) {
        kit_volume_name(name, sizeof name, &dt->net, &dt->blocks, 0, dt->n_fused - 1);
    }
    int32_t rc = kit_note(builder, "fused", "%s", name);
    if (rc >= 0 && dt->n_fused > 0) {
        rc = note_tiles(dt, builder);
    }
    if (rc >= 0 && dt->n_fused < dt->blocks.n) {
        rc = kit_note(builder, "gateway", "%s", host->device(host, dt->gateway)->name);
    }
    return rc;
}

/* All tiles wait at the source; the devices of the group take them. */
static int32_t write_pooled(const struct deepthings *dt, struct ew_plan_builder *builder)
{
    const struct ew_host *host = dt->net.host;
    const struct ew_pool_desc pool = {
        .struct_size = sizeof pool,
        .holder = dt->source,
        .steal_bytes = (uint64_t)host->param_int(host, "steal_bytes"),
        .members = dt->group.device,
        .n_members = dt->group.n,
    };
    if (!EW_HAS(struct ew_plan_builder, builder, add_pool)) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "binding=late: this program knows no pools");
    }
    int32_t rc = kit_begin_plan(builder, &dt->net, "deepthings");
    if (rc >= 0) {
        rc = builder->add_pool(builder, &pool);
    }
    return rc < 0 ? rc : kit_draft_emit(&dt->draft, builder);
}

static int32_t write_plan(const struct deepthings *dt, struct ew_plan_builder *builder)
{
    int32_t rc = dt->is_late && dt->n_fused > 0
                     ? write_pooled(dt, builder)
                     : kit_draft_write(&dt->draft, builder, "deepthings");
    if (rc >= 0) {
        rc = set_notes(dt, builder);
    }
    return rc < 0 ? rc : kit_group_conclude(&dt->group, builder, &dt->net, dt->latency_s);
}

static void release(struct deepthings *dt)
{
    deepthings_field_fini(&dt->field);
    free(dt->rest_s);
    free(dt->rest_bytes);
    free(dt->tiles);
    free(dt->turns);
    free(dt->order);
    free(dt->free_s);
    free(dt->reduced);
    kit_draft_fini(&dt->draft);
    kit_group_fini(&dt->group);
    kit_blocks_fini(&dt->blocks);
    kit_net_fini(&dt->net);
}

KIT_DEFINE_PLAN(struct deepthings, prepare, make_draft, write_plan, release);
KIT_DEFINE_ENTRY(INFO, plan);
