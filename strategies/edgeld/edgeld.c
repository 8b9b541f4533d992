/*
 * edgeld: a leader cuts the layers between two poolings into columns, one tile per device, sized by
 * OCBP so that transfer and computing take all devices nearly the same time; it gathers the
 * outputs, pools, and cuts again.
 *
 * Xue et al., "EdgeLD: Locally Distributed Deep Learning Inference on Edge Device Clusters", HPCC
 * 2020. README.md says what is read in the report and the code and what is decided here.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/emit.h"
#include "common/home.h"
#include "common/plugin.h"
#include "common/share.h"
#include "common/star.h"
#include "edgeld/edgeld_ocbp.h"

/* ------------------------------------------------------------------ descriptor */

static const struct ew_param_info PARAM_TOLERANCE =
    KIT_REAL("tolerance_s", "s", "0.001", 0.0, 1e6,
             "Balancing stops when the slowest and the fastest device are this close.");
static const struct ew_param_info PARAM_FUSED =
    KIT_INT("fused_blocks", "0", 0.0, 100000.0,
            "At most so many consecutive convolutions (with their activations; residual and "
            "inception blocks count as one) are computed between two exchanges; 0: all between two "
            "poolings.");
static const struct ew_param_info PARAM_LEADER_WORKS =
    KIT_BOOL("leader_works", "true",
             "The leader takes tiles, too; false: it only cuts and gathers, unless it is alone.");
static const struct ew_param_info PARAM_LEADER = KIT_STRING(
    "leader", "auto",
    "Device that cuts, gathers and computes the layers that cannot be cut; auto: the source, "
    "or the most capable device when the source is too weak for a tile.");
static const char *const EDGES[] = {"columns", "rows", NULL};
static const struct ew_param_info PARAM_EDGE =
    KIT_CHOICE("edge", EDGES, "columns", "Edge that is cut.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_TOLERANCE, &PARAM_FUSED, &PARAM_LEADER,
                                                     &PARAM_LEADER_WORKS, &PARAM_EDGE};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "edgeld",
    .version = "1.0.0",
    .summary = "tiles balanced by transfer and computing time, gathered at a leader",
    .citation = "Xue et al., EdgeLD, HPCC 2020",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ planning */

/* The plan being made. */
struct edgeld {
    struct kit_net net;
    struct kit_blocks blocks;
    struct kit_group group;
    struct kit_star star;
    struct kit_draft draft;
    uint32_t leader;
    uint32_t first, last; /* the volume being shared out */
    double *capability;   /* per worker: 1 / a */
    double *weights;
    int32_t *lines;
    int32_t *trial;
    struct kit_volume *volumes;
    int32_t *cuts; /* of all volumes */
    uint32_t n_volumes;
    double latency_s;
};

/* FLOPs of a whole convolution for all images: 2 H W (Cin K K + 1) Cout. Other layers count 0. */
static double count_flops(const struct kit_net *net, uint32_t layer)
{
    const struct ew_layer_info *info = net->layers[layer];
    if (info->op_class != EW_LAYER_CONV || info->n_inputs == 0) {
        return 0.0;
    }
    double taps = (double)net->layers[info->inputs[0]]->shape[1] / info->groups * info->kernel[0] *
                  info->kernel[1];
    return 2.0 * net->batch * info->shape[2] * info->shape[3] * (taps + 1.0) * info->shape[1];
}

/* T = a F + b through all cut convolutions on the worker; one line per device. */
static int32_t fit_device(struct edgeld *edgeld, uint32_t worker)
{
    const struct kit_net *net = &edgeld->net;
    double *flops = calloc(2u * net->n_order + 2u, sizeof *flops);
    double *seconds = flops ? flops + net->n_order + 1u : NULL;
    uint32_t n = 0;
    double sum_flops = 0.0;
    double sum_s = 0.0;
    if (!flops) {
        return kit_fail_memory(net->host);
    }
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        if (net->place[layer] == KIT_BANDED && count_flops(net, layer) > 0.0) {
            flops[n] = count_flops(net, layer);
            seconds[n] = kit_layer_compute_s(net, layer, edgeld->star.device[worker]);
            sum_flops += flops[n];
            sum_s += seconds[n++];
        }
    }
    struct kit_line model = kit_fit_line(flops, seconds, n);
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        double per_line = count_flops(net, layer) / kit_layer_extent(net, layer);
        if (net->place[layer] == KIT_BANDED && per_line > 0.0) {
            edgeld->star.compute[(size_t)worker * net->n_layers + layer] =
                (struct kit_line){model.base, model.slope * per_line};
        }
    }
    /* A flat line says nothing of capability; then the mean rate does. */
    double slope = model.slope > 0.0 ? model.slope : sum_s / fmax(sum_flops, 1.0);
    edgeld->capability[worker] = 1.0 / fmax(slope, 1e-30);
    free(flops);
    return EW_STRATEGY_OK;
}

static double part_s(void *ctx, uint32_t worker, int32_t lo, int32_t hi)
{
    struct edgeld *edgeld = ctx;
    struct kit_star *star = &edgeld->star;
    struct kit_part part = kit_star_part(star, edgeld->first, edgeld->last, worker, lo, hi);
    return kit_wire_s(star->out[worker], part.in_bytes) + part.compute_s +
           kit_wire_s(star->back[worker], part.out_bytes);
}

static void share_volume(struct edgeld *edgeld, uint32_t first, uint32_t last)
{
    uint32_t n = edgeld->star.n;
    int32_t *cuts = edgeld->cuts + (size_t)edgeld->n_volumes * (n + 1u);
    struct edgeld_problem problem = {
        .part_s = part_s,
        .ctx = edgeld,
        .n = n,
        .total = edgeld->blocks.items[last].extent,
        .tolerance_s = edgeld->net.host->param_real(edgeld->net.host, "tolerance_s"),
    };
    edgeld->first = first;
    edgeld->last = last;
    memcpy(edgeld->weights, edgeld->capability, n * sizeof *edgeld->weights);
    edgeld->latency_s += edgeld_share(edgeld->lines, edgeld->trial, &problem, edgeld->weights);
    kit_cuts_from_counts(cuts, edgeld->lines, n);
    edgeld->volumes[edgeld->n_volumes++] =
        (struct kit_volume){.first = first, .last = last, .cuts = cuts};
}

/* A pooling by itself: no convolution in the block. */
static bool is_pooling(const struct edgeld *edgeld, uint32_t b)
{
    const struct kit_block *block = &edgeld->blocks.items[b];
    bool has_pool = false;
    for (uint32_t i = block->begin; i < block->end; i++) {
        uint32_t op_class = edgeld->net.layers[edgeld->net.order[i]]->op_class;
        if (op_class == EW_LAYER_CONV) {
            return false;
        }
        has_pool = has_pool || op_class == EW_LAYER_POOL;
    }
    return has_pool;
}

/* Blocks from `first` on that may be fused: no poolings, and all of one size, since a strided
 * convolution stands for a pooling in newer networks. 0 when `first` is not cut at all. */
static uint32_t count_fusable(const struct edgeld *edgeld, uint32_t first)
{
    uint32_t run = kit_blocks_banded_run(&edgeld->blocks, first);
    uint32_t n = 0;
    while (n < run && !is_pooling(edgeld, first + n) &&
           edgeld->blocks.items[first + n].extent == edgeld->blocks.items[first].extent) {
        n++;
    }
    return n;
}

static double leader_s(const struct edgeld *edgeld, uint32_t b)
{
    double seconds = 0.0;
    for (uint32_t i = edgeld->blocks.items[b].begin; i < edgeld->blocks.items[b].end; i++) {
        seconds += kit_layer_compute_s(&edgeld->net, edgeld->net.order[i], edgeld->leader);
    }
    return seconds;
}

static void cut_network(struct edgeld *edgeld)
{
    uint32_t most = (uint32_t)edgeld->net.host->param_int(edgeld->net.host, "fused_blocks");
    edgeld->n_volumes = 0;
    edgeld->latency_s = kit_home_s(&edgeld->net, &edgeld->blocks, edgeld->leader, edgeld->leader);
    for (uint32_t first = 0; first < edgeld->blocks.n;) {
        uint32_t run = count_fusable(edgeld, first);
        if (run == 0) {
            /* uncut layers are in kit_home_s */
            bool is_banded = edgeld->blocks.items[first].is_banded;
            edgeld->latency_s += is_banded ? leader_s(edgeld, first) : 0.0;
            edgeld->volumes[edgeld->n_volumes++] =
                (struct kit_volume){.first = first, .last = first};
            first++;
            continue;
        }
        run = most > 0 && run > most ? most : run;
        share_volume(edgeld, first, first + run - 1);
        first += run;
    }
}

static int32_t form_group(struct edgeld *edgeld)
{
    const struct ew_host *host = edgeld->net.host;
    const struct kit_group_options options = {.first = host->requirements(host)->source_device,
                                              .capability = KIT_CAPABILITY_PROFILE};
    int32_t rc =
        kit_lead_group(&edgeld->leader, &edgeld->group, &edgeld->net, &options, "leader", "leader");
    if (rc >= 0 && edgeld->group.n > 1 && !host->param_int(host, "leader_works")) {
        kit_group_drop(&edgeld->group, &edgeld->net, 0, "leads only");
    }
    return rc;
}

static int32_t allocate(struct edgeld *edgeld)
{
    size_t n = edgeld->group.n + 1u;
    edgeld->capability = calloc(n, sizeof *edgeld->capability);
    edgeld->weights = calloc(n, sizeof *edgeld->weights);
    edgeld->lines = calloc(n, sizeof *edgeld->lines);
    edgeld->trial = calloc(n, sizeof *edgeld->trial);
    edgeld->volumes = calloc(edgeld->blocks.n + 1u, sizeof *edgeld->volumes);
    edgeld->cuts = calloc(n * (edgeld->blocks.n + 1u), sizeof *edgeld->cuts);
    return edgeld->capability && edgeld->weights && edgeld->lines && edgeld->trial &&
                   edgeld->volumes && edgeld->cuts
               ? EW_STRATEGY_OK
               : kit_fail_memory(edgeld->net.host);
}

static int32_t prepare(struct edgeld *edgeld, const struct ew_host *host)
{
    enum kit_dim dim = kit_param_is(host, "edge", "rows") ? KIT_ROWS : KIT_COLUMNS;
    int32_t rc = kit_net_init(&edgeld->net, host, 0, EW_ID_NONE, dim);
    if (rc >= 0) {
        rc = kit_blocks_init(&edgeld->blocks, &edgeld->net);
    }
    if (rc >= 0 && kit_blocks_banded(&edgeld->blocks) == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no block whose %s can be shared out",
                      edgeld->net.graph->name, dim == KIT_ROWS ? "rows" : "columns");
    }
    if (rc >= 0) {
        rc = form_group(edgeld);
    }
    return rc < 0 ? rc : allocate(edgeld);
}

static int32_t draft_once(void *ctx)
{
    struct edgeld *edgeld = ctx;
    kit_star_fini(&edgeld->star);
    int32_t rc = kit_star_init(&edgeld->star, &edgeld->net, &edgeld->blocks, edgeld->leader,
                               edgeld->group.device, edgeld->group.n);
    for (uint32_t w = 0; w < edgeld->group.n && rc >= 0; w++) {
        rc = fit_device(edgeld, w);
    }
    if (rc < 0) {
        return rc;
    }
    cut_network(edgeld);
    return kit_star_draft(&edgeld->draft, &edgeld->star, edgeld->leader, edgeld->volumes,
                          edgeld->n_volumes);
}

static int32_t make_draft(struct edgeld *edgeld)
{
    return kit_draft_within_memory(&edgeld->draft, &edgeld->group, draft_once, edgeld);
}

static int32_t write_plan(const struct edgeld *edgeld, struct ew_plan_builder *builder)
{
    const struct ew_host *host = edgeld->net.host;
    int32_t rc = kit_draft_write(&edgeld->draft, builder, "edgeld");
    if (rc >= 0) {
        rc = kit_star_gather(builder, &edgeld->star, edgeld->volumes, edgeld->n_volumes);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "leader", "%s", host->device(host, edgeld->leader)->name);
    }
    if (rc >= 0) {
        rc = kit_star_note(builder, &edgeld->star, edgeld->leader, edgeld->volumes,
                           edgeld->n_volumes);
    }
    return rc < 0 ? rc
                  : kit_group_conclude(&edgeld->group, builder, &edgeld->net, edgeld->latency_s);
}

static void release(struct edgeld *edgeld)
{
    free(edgeld->capability);
    free(edgeld->weights);
    free(edgeld->lines);
    free(edgeld->trial);
    free(edgeld->volumes);
    free(edgeld->cuts);
    kit_draft_fini(&edgeld->draft);
    kit_star_fini(&edgeld->star);
    kit_group_fini(&edgeld->group);
    kit_blocks_fini(&edgeld->blocks);
    kit_net_fini(&edgeld->net);
}

KIT_DEFINE_PLAN(struct edgeld, prepare, make_draft, write_plan, release);
KIT_DEFINE_ENTRY(INFO, plan);
