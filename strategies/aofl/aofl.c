/*
 * aofl: fused blocks chosen by dynamic programming; the source cuts each block's input into tiles,
 * gathers the outputs and cuts again. Tiles are sized so that devices finish together.
 *
 * Zhou et al., "Adaptive Parallel Execution of Deep Neural Networks on Heterogeneous Edge Devices",
 * SEC 2019. README.md says what is read in the paper and its code and what is decided here.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aofl/aofl_model.h"
#include "common/chain.h"
#include "common/emit.h"
#include "common/fill.h"
#include "common/home.h"
#include "common/plugin.h"
#include "common/star.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const REGRESSIONS[] = {"profile", "paper", NULL};
static const struct ew_param_info PARAM_REGRESSIONS = KIT_CHOICE(
    "regressions", REGRESSIONS, "profile",
    "Compute times: profile = a line per layer and device, fitted to the device's profile; "
    "paper = the published regressions, scaled to each device.");
static const char *const COEFFICIENTS[] = {"auto", "vgg16", "yolov2", "alexnet", NULL};
static const struct ew_param_info PARAM_COEFFICIENTS = KIT_CHOICE(
    "coefficients", COEFFICIENTS, "auto",
    "Published set for regressions=paper; auto: by the network's name, vgg16 for others.");
static const char *const CLOCKS[] = {"profile", "flops", NULL};
static const struct ew_param_info PARAM_CLOCK = KIT_CHOICE(
    "clock", CLOCKS, "profile",
    "What devices are ranked by before bandwidth: profile = 1/time for all cut layers alone; "
    "flops = nominal FLOP/s.");
static const char *const UPLINKS[] = {"shared", "own", NULL};
static const struct ew_param_info PARAM_UPLINK = KIT_CHOICE(
    "uplink", UPLINKS, "shared",
    "How tiles leave the hub: shared = at most at the rate of its fastest connection, one "
    "after the other; own = each at the rate of its own connection, at once.");
static const char *const FUSIONS[] = {"dp", "none", "all", NULL};
static const struct ew_param_info PARAM_FUSION = KIT_CHOICE(
    "fusion", FUSIONS, "dp",
    "dp: the best fused blocks (AOFL); none: layer by layer (LW); all: one block as long as "
    "layers can be cut (EFL).");
static const struct ew_param_info PARAM_HUB = KIT_STRING(
    "hub", "source",
    "Device that cuts and gathers: source, a device's name, or auto: the source, or the most "
    "capable device when the source is too weak for a tile.");
static const struct ew_param_info PARAM_TAIL = KIT_STRING(
    "tail", "auto",
    "Device for the layers that cannot be cut, and for those before them if that is faster; "
    "auto: the one with which the whole network is done first.");
enum { N_TAILS = 4 }; /* devices tried for the tail, besides the one that has it done first */

static const char *const MERGES[] = {"hub", "tail", NULL};
static const struct ew_param_info PARAM_MERGE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "merge",
    .unit = "",
    .default_text = "hub",
    .choices = MERGES,
    .doc = "Where the tiles before the tail's layers come together: hub = at the hub, as between "
           "blocks; tail = on the tail device at once. The same when the hub computes the tail.",
};
static const char *const ENDINGS[] = {"tail", "tiles", NULL};
static const struct ew_param_info PARAM_ENDING = KIT_CHOICE(
    "ending", ENDINGS, "tail",
    "Layers that can be cut, right before those that cannot: tail = may join them on the "
    "tail device when that is faster; tiles = are always cut.");
static const struct ew_param_info *const PARAMS[] = {
    &PARAM_REGRESSIONS, &PARAM_COEFFICIENTS, &PARAM_CLOCK, &PARAM_UPLINK, &PARAM_FUSION,
    &PARAM_HUB,         &PARAM_TAIL,         &PARAM_MERGE, &PARAM_ENDING};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "aofl",
    .version = "1.1.0",
    .summary = "fused blocks by dynamic programming, gathered at the source between blocks",
    .citation = "Zhou et al., AOFL, SEC 2019, doi:10.1145/3318216.3363312",
    .params = PARAMS,
};

/* The plan being made. */
struct aofl {
    struct kit_net net;
    struct kit_blocks blocks;
    struct kit_group group;
    struct kit_star star;
    struct kit_draft draft;
    struct aofl_rank *ranks;
    uint32_t *devices; /* in rank order */
    uint32_t hub;
    uint32_t home;
    bool may_fuse_at_home;       /* layers that can be cut may join those that cannot */
    double fixed_s;              /* layers that cannot be cut, and the input's way to the hub */
    double uplink_byte_s;        /* of the hub's own link; 0: not shared */
    bool merges_at_home;         /* tiles before home's layers skip the hub */
    struct kit_wire *home_wires; /* worker to home */
    /* scratch of one question of the dynamic program */
    struct kit_fill fill;
    uint32_t first, last;        /* the volume being shared out */
    const struct kit_wire *back; /* from each worker to where its tiles come together */
    uint32_t back_device;        /* there */
    int32_t *cuts, *scratch;
    /* the answer */
    uint32_t n_volumes;
    struct kit_volume *volumes;
    int32_t *volume_cuts;
    double latency_s;
};

/* ------------------------------------------------------------------ costs */

static const struct aofl_conv_model *choose_coefficients(const struct ew_host *host,
                                                         const char *network)
{
    const char *wanted = host->param_text(host, "coefficients");
    if (wanted && strcmp(wanted, "auto") != 0) {
        return aofl_conv_model_find(wanted);
    }
    return aofl_conv_model_find(strstr(network, "yolo")      ? "yolov2"
                                : strstr(network, "alexnet") ? "alexnet"
                                                             : "vgg16");
}

/* The published regression of a whole layer, all images. Other layers than conv and pool are not
 * in the paper's model. */
static double published_s(const struct kit_net *net, uint32_t layer,
                          const struct aofl_conv_model *model)
{
    const struct ew_layer_info *info = net->layers[layer];
    if (info->n_inputs == 0) {
        return 0.0;
    }
    const int32_t *in = net->layers[info->inputs[0]]->shape;
    const int32_t *out = info->shape;
    double in_pixels = (double)in[2] * in[3];
    if (info->op_class == EW_LAYER_CONV) {
        double filter = (double)info->kernel[0] * info->kernel[1] /
                        ((double)info->stride[0] * info->stride[1]) * out[1];
        return net->batch * aofl_conv_s(model, in[1] * in_pixels, filter);
    }
    if (info->op_class == EW_LAYER_POOL) {
        return net->batch * aofl_pool_s(in_pixels, (double)out[2] * out[3]);
    }
    return 0.0;
}

/* The published code divides a layer's time by the number of tiles: in proportion to lines. A
 * device's times are scaled so that all cut layers together take what its profile says. */
static void use_published(struct aofl *aofl)
{
    const struct kit_net *net = &aofl->net;
    const struct aofl_conv_model *model = choose_coefficients(net->host, net->graph->name);
    double total_s = 0.0;
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        total_s += net->place[layer] == KIT_BANDED ? published_s(net, layer, model) : 0.0;
    }
    for (uint32_t w = 0; w < aofl->star.n; w++) {
        double capability = kit_device_capability(net, aofl->devices[w], KIT_CAPABILITY_PROFILE);
        double scale = total_s > 0.0 ? 1.0 / (capability * total_s) : 0.0;
        for (uint32_t i = 0; i < net->n_order; i++) {
            uint32_t layer = net->order[i];
            if (net->place[layer] == KIT_BANDED) {
                aofl->star.compute[(size_t)w * net->n_layers + layer] = (struct kit_line){
                    0.0, scale * published_s(net, layer, model) / kit_layer_extent(net, layer)};
            }
        }
    }
}

/* Tiles leave the hub one by one, in rank order: each waits for the overheads before it, and
 * with a shared uplink also for the bytes, see finish_s. */
static void queue_messages(struct aofl *aofl)
{
    const struct ew_host *host = aofl->net.host;
    double overhead_s = host->device(host, aofl->hub)->message_overhead_s;
    uint32_t n_before = 0;
    aofl->uplink_byte_s = INFINITY;
    for (uint32_t w = 0; w < aofl->star.n; w++) {
        if (aofl->devices[w] != aofl->hub) {
            aofl->star.out[w].message_s += n_before++ * overhead_s;
            aofl->uplink_byte_s = fmin(aofl->uplink_byte_s, aofl->star.out[w].byte_s);
        }
    }
    if (!kit_param_is(host, "uplink", "shared")) {
        aofl->uplink_byte_s = 0.0;
    }
}

/* When the tile is back from the worker. Grows with hi and falls with lo: what is sent until
 * then does not depend on lo. */
static double finish_s(void *ctx, uint32_t worker, int32_t lo, int32_t hi)
{
    struct aofl *aofl = ctx;
    struct kit_wire out = aofl->star.out[worker];
    struct kit_part part = kit_star_part(&aofl->star, aofl->first, aofl->last, worker, lo, hi);
    double back_s = aofl->devices[worker] == aofl->back_device
                        ? 0.0
                        : kit_wire_s(aofl->back[worker], part.out_bytes);
    if (aofl->devices[worker] == aofl->hub) {
        return part.compute_s + back_s;
    }
    double sent_s = fmax(out.byte_s * part.in_bytes, aofl->uplink_byte_s * part.till_bytes);
    return out.message_s + sent_s + part.compute_s + back_s;
}

/* Algorithm 2: tiles sized so that all devices finish together. A device may get no rows; since one
 * that is ranked behind another never makes that one later, taking all of the ranking is as good as
 * the best of its prefixes. Leaves the cuts in aofl->cuts. */
static double share_volume(struct aofl *aofl, uint32_t first, uint32_t last, bool skips_hub)
{
    aofl->back = skips_hub ? aofl->home_wires : aofl->star.back;
    aofl->back_device = skips_hub ? aofl->home : aofl->hub;
    aofl->first = first;
    aofl->last = last;
    aofl->fill.n = aofl->star.n;
    aofl->fill.total = aofl->blocks.items[last].extent;
    return kit_fill_min_max(aofl->cuts, aofl->scratch, &aofl->fill, INFINITY);
}

static bool ends_run(const struct aofl *aofl, uint32_t last)
{
    return last + 1 == aofl->blocks.n || !aofl->blocks.items[last + 1].is_banded;
}

static bool begins_run(const struct aofl *aofl, uint32_t first)
{
    return first == 0 || !aofl->blocks.items[first - 1].is_banded;
}

static double wire_to_home_s(const struct aofl *aofl, const uint32_t *layers, uint32_t n)
{
    const struct ew_host *host = aofl->net.host;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        bytes += kit_layer_bytes(&aofl->net, layers[i]);
    }
    return aofl->hub == aofl->home ? 0.0 : host->transfer_s(host, aofl->hub, aofl->home, bytes);
}

/* Blocks [first, last], the last ones before a block that cannot be cut, at home: what they read
 * goes there instead of what they make. INFINITY when that is not possible. */
static double home_run_s(const struct aofl *aofl, uint32_t first, uint32_t last)
{
    const struct kit_net *net = &aofl->net;
    const struct kit_block *entry = &aofl->blocks.items[first];
    const struct kit_block *end = &aofl->blocks.items[last];
    if (!aofl->may_fuse_at_home || !ends_run(aofl, last) || last + 1 == aofl->blocks.n) {
        return INFINITY;
    }
    double seconds = wire_to_home_s(aofl, entry->entering, entry->n_entering) -
                     wire_to_home_s(aofl, end->outputs, end->n_outputs);
    for (uint32_t i = entry->begin; i < end->end; i++) {
        seconds += kit_layer_compute_s(net, net->order[i], aofl->home);
    }
    return seconds;
}

/* How the blocks before one that cannot be cut are done: [first, tiled_end) in tiles, the others at
 * home. */
struct ending {
    double seconds;
    uint32_t tiled_end;
    bool skips_hub;
};

static void take_better(struct ending *best, struct ending other)
{
    if (other.seconds < best->seconds) {
        *best = other;
    }
}

/* Blocks [first, last], the last ones before one that cannot be cut. fixed_s has their output's way
 * from the hub to home, which tiles that come together at home do not take. */
static struct ending end_run(struct aofl *aofl, uint32_t first, uint32_t last)
{
    const struct kit_net *net = &aofl->net;
    const struct kit_block *blocks = aofl->blocks.items;
    struct ending best = {home_run_s(aofl, first, last), first, false};
    if (!aofl->merges_at_home) {
        take_better(&best,
                    (struct ending){share_volume(aofl, first, last, false), last + 1, false});
        return best;
    }
    double home_s = -wire_to_home_s(aofl, blocks[last].outputs, blocks[last].n_outputs);
    for (uint32_t end = last + 1; end > first; end--) {
        take_better(&best,
                    (struct ending){share_volume(aofl, first, end - 1, true) + home_s, end, true});
        if (!aofl->may_fuse_at_home) {
            break;
        }
        for (uint32_t i = blocks[end - 1].begin; i < blocks[end - 1].end; i++) {
            home_s += kit_layer_compute_s(net, net->order[i], aofl->home);
        }
    }
    return best;
}

static bool is_before_home(const struct aofl *aofl, uint32_t last)
{
    return ends_run(aofl, last) && last + 1 < aofl->blocks.n;
}

/* t_f and t_l. A block that cannot be cut goes home; its time is in fixed_s and the same whatever
 * the dynamic program does. */
static double block_s(void *ctx, uint32_t first, uint32_t last)
{
    struct aofl *aofl = ctx;
    if (kit_blocks_banded_run(&aofl->blocks, first) <= last - first) {
        bool is_whole = !aofl->blocks.items[first].is_banded;
        return is_whole && first == last ? 0.0 : INFINITY;
    }
    if ((kit_param_is(aofl->net.host, "fusion", "none") && first != last) ||
        (kit_param_is(aofl->net.host, "fusion", "all") &&
         !(begins_run(aofl, first) && ends_run(aofl, last)))) {
        return INFINITY;
    }
    return is_before_home(aofl, last) ? end_run(aofl, first, last).seconds
                                      : share_volume(aofl, first, last, false);
}

/* ------------------------------------------------------------------ planning */

static void find_ways_home(struct aofl *aofl)
{
    const struct ew_host *host = aofl->net.host;
    aofl->merges_at_home = aofl->home != aofl->hub && kit_param_is(host, "merge", "tail");
    for (uint32_t w = 0; w < aofl->star.n; w++) {
        aofl->home_wires[w] = kit_wire_between(host, aofl->devices[w], aofl->home);
        aofl->merges_at_home = aofl->merges_at_home && isfinite(aofl->home_wires[w].byte_s);
    }
}

static int32_t rank_devices(struct aofl *aofl)
{
    const struct ew_host *host = aofl->net.host;
    enum kit_capability kind =
        kit_param_is(host, "clock", "flops") ? KIT_CAPABILITY_FLOPS : KIT_CAPABILITY_PROFILE;
    for (uint32_t i = 0; i < aofl->group.n; i++) {
        uint32_t device = aofl->group.device[i];
        aofl->ranks[i] = (struct aofl_rank){
            .device = device,
            .clock = kit_device_capability(&aofl->net, device, kind),
            .bandwidth = host->link(host, aofl->hub, device)->bandwidth_bytes_per_s,
        };
    }
    aofl_sort(aofl->ranks, aofl->group.n);
    for (uint32_t i = 0; i < aofl->group.n; i++) {
        aofl->devices[i] = aofl->ranks[i].device;
    }
    kit_star_fini(&aofl->star);
    int32_t rc = kit_star_init(&aofl->star, &aofl->net, &aofl->blocks, aofl->hub, aofl->devices,
                               aofl->group.n);
    if (rc < 0) {
        return rc;
    }
    if (kit_param_is(host, "regressions", "paper")) {
        use_published(aofl);
    } else {
        kit_star_fit(&aofl->star);
    }
    queue_messages(aofl);
    find_ways_home(aofl);
    return EW_STRATEGY_OK;
}

static void add_tiles(struct aofl *aofl, uint32_t first, uint32_t last, bool skips_hub)
{
    int32_t *cuts = aofl->volume_cuts + (size_t)aofl->n_volumes * (aofl->star.n + 1u);
    (void)share_volume(aofl, first, last, skips_hub);
    memcpy(cuts, aofl->cuts, (aofl->star.n + 1u) * sizeof *cuts);
    aofl->volumes[aofl->n_volumes++] =
        (struct kit_volume){.first = first, .last = last, .cuts = cuts, .skips_hub = skips_hub};
}

/* One answer of the dynamic program. */
static void add_volumes(struct aofl *aofl, uint32_t first, uint32_t last)
{
    struct ending ending = {0.0, last + 1, false};
    if (!aofl->blocks.items[first].is_banded) {
        ending.tiled_end = first;
    } else if (is_before_home(aofl, last)) {
        ending = end_run(aofl, first, last);
    }
    if (ending.tiled_end > first) {
        add_tiles(aofl, first, ending.tiled_end - 1, ending.skips_hub);
    }
    if (ending.tiled_end <= last) {
        aofl->volumes[aofl->n_volumes++] =
            (struct kit_volume){.first = ending.tiled_end, .last = last};
    }
}

/* Follow the dynamic program's answer from the left. */
static int32_t cut_network(struct aofl *aofl)
{
    uint32_t n = aofl->blocks.n;
    uint32_t *ends = calloc(n + 1u, sizeof *ends);
    double *best_s = calloc(n + 1u, sizeof *best_s);
    int32_t rc = ends && best_s ? EW_STRATEGY_OK : kit_fail_memory(aofl->net.host);
    if (rc >= 0) {
        aofl->latency_s = aofl->fixed_s + kit_chain_cut(ends, best_s, n, block_s, aofl);
    }
    aofl->n_volumes = 0;
    for (uint32_t first = 0; first < n && rc >= 0; first = ends[first] + 1) {
        add_volumes(aofl, first, ends[first]);
    }
    free(ends);
    free(best_s);
    return rc;
}

static int32_t allocate(struct aofl *aofl)
{
    size_t n = aofl->group.n + 1u;
    aofl->ranks = calloc(n, sizeof *aofl->ranks);
    aofl->devices = calloc(n, sizeof *aofl->devices);
    aofl->home_wires = calloc(n, sizeof *aofl->home_wires);
    aofl->cuts = calloc(n, sizeof *aofl->cuts);
    aofl->scratch = calloc(n, sizeof *aofl->scratch);
    aofl->volumes = calloc(aofl->blocks.n + 1u, sizeof *aofl->volumes);
    aofl->volume_cuts = calloc(n * (aofl->blocks.n + 1u), sizeof *aofl->volume_cuts);
    aofl->fill = (struct kit_fill){.finish_s = finish_s, .ctx = aofl, .precision = 1e-4};
    return aofl->ranks && aofl->devices && aofl->home_wires && aofl->cuts && aofl->scratch &&
                   aofl->volumes && aofl->volume_cuts
               ? EW_STRATEGY_OK
               : kit_fail_memory(aofl->net.host);
}

static int32_t choose_hub(struct aofl *aofl)
{
    const struct ew_host *host = aofl->net.host;
    uint32_t source = host->requirements(host)->source_device;
    struct kit_group_options options = {.first = source, .capability = KIT_CAPABILITY_PROFILE};
    bool is_source = kit_param_is(host, "hub", "source");
    int32_t rc = is_source ? EW_STRATEGY_OK : kit_param_device(&aofl->hub, host, "hub");
    if (rc >= 0 && !is_source && aofl->hub == EW_ID_NONE) {
        rc = kit_choose_leader(&aofl->hub, &aofl->net, &options);
    }
    if (rc >= 0 && is_source) {
        aofl->hub = source;
    }
    if (rc >= 0 && !kit_has_route(host, source, aofl->hub)) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "no route between the source %s and the hub %s",
                      host->device(host, source)->name, host->device(host, aofl->hub)->name);
    }
    options.first = aofl->hub;
    return rc < 0 ? rc : kit_group_init(&aofl->group, &aofl->net, &options);
}

/* Who computes the tail, and what that takes whatever the dynamic program does. */
static void set_home(struct aofl *aofl, uint32_t home)
{
    const struct ew_host *host = aofl->net.host;
    const uint32_t source = host->requirements(host)->source_device;
    aofl->home = home;
    aofl->may_fuse_at_home = kit_param_is(host, "fusion", "dp") &&
                             kit_param_is(host, "ending", "tail") &&
                             kit_fits(host, home, kit_net_memory_bytes(&aofl->net));
    aofl->fixed_s = kit_home_s(&aofl->net, &aofl->blocks, aofl->hub, home);
    if (aofl->hub != source && aofl->blocks.items[0].is_banded) {
        aofl->fixed_s += host->transfer_s(host, source, aofl->hub, kit_net_input_bytes(&aofl->net));
    }
}

/* The tail's device: as told; else, of the one that has the tail done first, the hub and the most
 * capable devices, the one with which the whole network is done first. */
static int32_t choose_tail(struct aofl *aofl)
{
    const struct ew_host *host = aofl->net.host;
    uint32_t best = EW_ID_NONE;
    double best_s = INFINITY;
    int32_t rc = kit_choose_home(&best, &aofl->net, &aofl->blocks, aofl->hub, "tail");
    if (rc < 0) {
        return rc;
    }
    set_home(aofl, best);
    if (!kit_param_is(host, "tail", "auto")) {
        return rc;
    }
    rc = rank_devices(aofl);
    const uint32_t first = best;
    const uint32_t n_tried = aofl->group.n < N_TAILS ? aofl->group.n : N_TAILS;
    for (uint32_t i = 0; i <= n_tried && rc >= 0; i++) {
        const uint32_t home = i == 0 ? first : aofl->group.device[i - 1];
        if ((i > 0 && home == first) ||
            !isfinite(kit_home_s(&aofl->net, &aofl->blocks, aofl->hub, home))) {
            continue;
        }
        set_home(aofl, home);
        find_ways_home(aofl);
        rc = cut_network(aofl);
        if (rc >= 0 && aofl->latency_s < best_s) {
            best_s = aofl->latency_s;
            best = home;
        }
    }
    set_home(aofl, best);
    return rc;
}

static int32_t prepare(struct aofl *aofl, const struct ew_host *host)
{
    int32_t rc = kit_net_init(&aofl->net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0) {
        rc = kit_blocks_init(&aofl->blocks, &aofl->net);
    }
    if (rc >= 0 && kit_blocks_banded(&aofl->blocks) == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no block whose rows can be shared out",
                      aofl->net.graph->name);
    }
    if (rc < 0) {
        return rc;
    }
    rc = choose_hub(aofl);
    if (rc >= 0) {
        rc = allocate(aofl);
    }
    return rc < 0 ? rc : choose_tail(aofl);
}

static int32_t draft_once(void *ctx)
{
    struct aofl *aofl = ctx;
    int32_t rc = rank_devices(aofl);
    rc = rc < 0 ? rc : cut_network(aofl);
    return rc < 0 ? rc
                  : kit_star_draft(&aofl->draft, &aofl->star, aofl->home, aofl->volumes,
                                   aofl->n_volumes);
}

static int32_t make_draft(struct aofl *aofl)
{
    return kit_draft_within_memory(&aofl->draft, &aofl->group, draft_once, aofl);
}

static int32_t write_plan(const struct aofl *aofl, struct ew_plan_builder *builder)
{
    int32_t rc = kit_draft_write(&aofl->draft, builder, "aofl");
    if (rc >= 0) {
        rc = kit_star_gather(builder, &aofl->star, aofl->volumes, aofl->n_volumes);
    }
    if (rc >= 0) {
        rc = kit_star_note(builder, &aofl->star, aofl->home, aofl->volumes, aofl->n_volumes);
    }
    if (rc >= 0) {
        rc =
            kit_note(builder, "hub", "%s", aofl->net.host->device(aofl->net.host, aofl->hub)->name);
    }
    return rc < 0 ? rc : kit_group_conclude(&aofl->group, builder, &aofl->net, aofl->latency_s);
}

static void release(struct aofl *aofl)
{
    free(aofl->ranks);
    free(aofl->devices);
    free(aofl->home_wires);
    free(aofl->cuts);
    free(aofl->scratch);
    free(aofl->volumes);
    free(aofl->volume_cuts);
    kit_draft_fini(&aofl->draft);
    kit_star_fini(&aofl->star);
    kit_group_fini(&aofl->group);
    kit_blocks_fini(&aofl->blocks);
    kit_net_fini(&aofl->net);
}

KIT_DEFINE_PLAN(struct aofl, prepare, make_draft, write_plan, release);
KIT_DEFINE_ENTRY(INFO, plan);
