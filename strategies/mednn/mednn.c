/*
 * mednn: MoDNN's strips, adjusted layer by layer: lines move from the slowest to the fastest device
 * while that shortens the layer. What a neighbour needs travels through the group owner.
 *
 * Mao et al., "MeDNN: A Distributed Mobile System with Enhanced Partition and Deployment for
 * Large-Scale DNNs", ICCAD 2017. README.md says what is known of it and what is decided here.
 */
#include <math.h>
#include <stdlib.h>

#include "common/draft.h"
#include "common/emit.h"
#include "common/fit.h"
#include "common/home.h"
#include "common/plugin.h"
#include "common/share.h"
#include "mednn/mednn_balance.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const EXCHANGES[] = {"relay", "gather", "direct", NULL};
static const struct ew_param_info PARAM_EXCHANGE = KIT_CHOICE(
    "exchange", EXCHANGES, "relay",
    "How rows travel between layers: relay = missing rows through the group owner; gather = "
    "everything to the owner and back; direct = missing rows from neighbour to neighbour.");
static const struct ew_param_info PARAM_OWNER = KIT_STRING(
    "group_owner", "auto",
    "Device that relays and computes the layers that cannot be cut; auto: the source, or the "
    "most capable device when the source is too weak for a strip.");
static const char *const CAPABILITIES[] = {"profile", "flops", NULL};
static const struct ew_param_info PARAM_CAPABILITY = KIT_CHOICE(
    "capability", CAPABILITIES, "profile",
    "Shares start from: profile = 1/time for all cut layers alone; flops = nominal FLOP/s.");
static const char *const EDGES[] = {"longer", "rows", "columns", NULL};
static const struct ew_param_info PARAM_EDGE =
    KIT_CHOICE("edge", EDGES, "longer",
               "Edge that is cut: longer = the longer edge of the input, rows when it is square.");
static const char *const SCOPES[] = {"size", "layer", "network", NULL};
static const struct ew_param_info PARAM_SCOPE = KIT_CHOICE(
    "scope", SCOPES, "size",
    "Layers that are balanced together and cut alike: size = all with equally many lines; "
    "layer = each by itself; network = all.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_EXCHANGE, &PARAM_OWNER,
                                                     &PARAM_CAPABILITY, &PARAM_EDGE, &PARAM_SCOPE};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "mednn",
    .version = "1.0.0",
    .summary = "MoDNN's strips, balanced layer by layer; overlap through a hub",
    .citation = "Mao et al., MeDNN, ICCAD 2017, doi:10.1109/ICCAD.2017.8203852",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ planning */

/* What is balanced together. */
enum mednn_scope { MEDNN_LAYER, MEDNN_SIZE, MEDNN_NETWORK };

/* The plan being made. */
struct mednn {
    struct kit_net net;
    struct kit_group group;
    struct kit_draft draft;
    uint32_t owner;
    uint32_t mode; /* EW_EXCHANGE_MODE_* */
    enum mednn_scope scope;
    struct kit_line *lines; /* by chain position: of the layers being balanced */
    int32_t *counts;
    int32_t *cuts; /* of the layers being balanced, in lines of `of` */
    int32_t of;
    int32_t *unit_cuts; /* of one unit */
    uint32_t *scope_of; /* by unit: first unit it is balanced with */
    uint32_t n_moves;
    double latency_s;
};

static int32_t form_group(struct mednn *mednn)
{
    const struct ew_host *host = mednn->net.host;
    uint32_t source = host->requirements(host)->source_device;
    mednn->mode = kit_param_is(host, "exchange", "relay")    ? EW_EXCHANGE_MODE_RELAY
                  : kit_param_is(host, "exchange", "gather") ? EW_EXCHANGE_MODE_GATHER
                                                             : EW_EXCHANGE_MODE_DIRECT;
    const struct kit_group_options options = {
        .first = source,
        .capability = kit_param_is(host, "capability", "flops") ? KIT_CAPABILITY_FLOPS
                                                                : KIT_CAPABILITY_PROFILE,
        .needs_all_pairs = mednn->mode == EW_EXCHANGE_MODE_DIRECT,
    };
    return kit_lead_group(&mednn->owner, &mednn->group, &mednn->net, &options, "group_owner",
                          "group owner");
}

static int32_t allocate(struct mednn *mednn)
{
    mednn->lines = calloc(mednn->group.n, sizeof *mednn->lines);
    mednn->counts = calloc(mednn->group.n, sizeof *mednn->counts);
    mednn->cuts = calloc(mednn->group.n + 1u, sizeof *mednn->cuts);
    mednn->unit_cuts = calloc(mednn->group.n + 1u, sizeof *mednn->unit_cuts);
    mednn->scope_of = calloc(mednn->net.n_units + 1u, sizeof *mednn->scope_of);
    return mednn->lines && mednn->counts && mednn->cuts && mednn->unit_cuts && mednn->scope_of
               ? EW_STRATEGY_OK
               : kit_fail_memory(mednn->net.host);
}

static double strip_s(void *ctx, uint32_t worker, int32_t lines)
{
    const struct mednn *mednn = ctx;
    return kit_line_at(mednn->lines[worker], lines);
}

static int32_t unit_extent(const struct kit_net *net, uint32_t unit)
{
    return kit_layer_extent(net, net->units[unit].first);
}

/* Every unit joins the first one it is balanced with; whole units stand alone. */
static void form_scopes(struct mednn *mednn)
{
    const struct kit_net *net = &mednn->net;
    const struct ew_host *host = net->host;
    mednn->scope = kit_param_is(host, "scope", "layer")     ? MEDNN_LAYER
                   : kit_param_is(host, "scope", "network") ? MEDNN_NETWORK
                                                            : MEDNN_SIZE;
    for (uint32_t u = 0; u < net->n_units; u++) {
        mednn->scope_of[u] = u;
        for (uint32_t k = 0; k < u && mednn->scope_of[u] == u; k++) {
            bool is_alike =
                net->units[k].place == KIT_BANDED && net->units[u].place == KIT_BANDED &&
                mednn->scope != MEDNN_LAYER &&
                (mednn->scope == MEDNN_NETWORK || unit_extent(net, k) == unit_extent(net, u));
            mednn->scope_of[u] = is_alike ? k : u;
        }
    }
}

/* Linear model of all layers of the scope on every member, over lines of `of`. */
static void fit_scope(struct mednn *mednn, uint32_t scope)
{
    const struct kit_net *net = &mednn->net;
    mednn->of = mednn->scope == MEDNN_NETWORK ? net->extent : unit_extent(net, scope);
    for (uint32_t w = 0; w < mednn->group.n; w++) {
        mednn->lines[w] = (struct kit_line){0.0, 0.0};
        for (uint32_t i = 0; i < net->n_order; i++) {
            uint32_t layer = net->order[i];
            if (mednn->scope_of[net->unit_of[layer]] == scope) {
                struct kit_line line = kit_fit_layer(net, layer, mednn->group.device[w]);
                mednn->lines[w].base += line.base;
                mednn->lines[w].slope += line.slope * kit_layer_extent(net, layer) / mednn->of;
            }
        }
    }
}

/* Shares in proportion to capability, then balanced. Adds the slowest strip's seconds. */
static void cut_scope(struct mednn *mednn, uint32_t scope)
{
    double slowest_s = 0.0;
    fit_scope(mednn, scope);
    kit_round_shares(mednn->counts, mednn->group.capability, mednn->group.n, mednn->of);
    mednn->n_moves += mednn_balance(mednn->counts, mednn->group.n, strip_s, mednn);
    kit_cuts_from_counts(mednn->cuts, mednn->counts, mednn->group.n);
    for (uint32_t w = 0; w < mednn->group.n; w++) {
        slowest_s = fmax(slowest_s, strip_s(mednn, w, mednn->counts[w]));
    }
    mednn->latency_s += slowest_s;
}

static int32_t draft_scope(struct mednn *mednn, uint32_t scope)
{
    const struct kit_net *net = &mednn->net;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < net->n_order && rc >= 0; i++) {
        uint32_t layer = net->order[i];
        if (mednn->scope_of[net->unit_of[layer]] != scope) {
            continue;
        }
        kit_map_cuts(mednn->unit_cuts, mednn->cuts, mednn->group.n, mednn->of,
                     kit_layer_extent(net, layer));
        for (uint32_t w = 0; w < mednn->group.n && rc >= 0; w++) {
            rc = kit_draft_band(&mednn->draft, layer, mednn->group.device[w], mednn->unit_cuts[w],
                                mednn->unit_cuts[w + 1]);
        }
    }
    return rc;
}

static int32_t draft_whole_unit(struct mednn *mednn, uint32_t unit)
{
    const struct kit_net *net = &mednn->net;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < net->n_order && rc >= 0; i++) {
        if (net->unit_of[net->order[i]] == unit) {
            mednn->latency_s += kit_layer_compute_s(net, net->order[i], mednn->owner);
            rc = kit_draft_whole(&mednn->draft, net->order[i], mednn->owner);
        }
    }
    return rc;
}

static int32_t draft_all(struct mednn *mednn)
{
    const struct kit_net *net = &mednn->net;
    int32_t rc = EW_STRATEGY_OK;
    kit_draft_begin(&mednn->draft, net);
    mednn->latency_s = 0.0;
    mednn->n_moves = 0;
    for (uint32_t u = 0; u < net->n_units && rc >= 0; u++) {
        if (net->units[u].place != KIT_BANDED) {
            rc = draft_whole_unit(mednn, u);
        } else if (mednn->scope_of[u] == u) {
            cut_scope(mednn, u);
            rc = draft_scope(mednn, u);
        }
    }
    return rc;
}

static int32_t draft_once(void *ctx)
{
    return draft_all(ctx);
}

static int32_t make_draft(struct mednn *mednn)
{
    return kit_draft_within_memory(&mednn->draft, &mednn->group, draft_once, mednn);
}

/* ------------------------------------------------------------------ writing */

static int32_t set_exchanges(const struct mednn *mednn, struct ew_plan_builder *builder)
{
    const struct kit_net *net = &mednn->net;
    int32_t rc = EW_STRATEGY_OK;
    if (mednn->mode == EW_EXCHANGE_MODE_DIRECT) {
        return rc;
    }
    for (uint32_t l = 0; l < net->n_layers && rc >= 0; l++) {
        if (net->place[l] == KIT_ABSENT || !kit_is_read(net, l)) {
            continue;
        }
        /* Within a unit nothing moves; gathering there would send rows out and back. */
        bool is_inside = net->place[l] != KIT_INPUT && net->units[net->unit_of[l]].last != l;
        if (!(is_inside && mednn->mode == EW_EXCHANGE_MODE_GATHER)) {
            rc = builder->set_exchange(builder, l, mednn->mode, mednn->owner);
        }
    }
    return rc;
}

static int32_t write_plan(const struct mednn *mednn, struct ew_plan_builder *builder)
{
    const struct kit_net *net = &mednn->net;
    const struct ew_host *host = net->host;
    int32_t rc = kit_draft_write(&mednn->draft, builder, "mednn");
    if (rc >= 0) {
        rc = set_exchanges(mednn, builder);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "group_owner", "%s", host->device(host, mednn->owner)->name);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "cut", "%s", net->dim == KIT_ROWS ? "rows" : "columns");
    }
    if (rc >= 0) {
        rc = kit_note(builder, "lines_moved", "%u", mednn->n_moves);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "prediction", "computing only: MeDNN has no network model");
    }
    return rc < 0 ? rc : kit_group_conclude(&mednn->group, builder, net, mednn->latency_s);
}

static int32_t prepare(struct mednn *mednn, const struct ew_host *host)
{
    int32_t rc = kit_net_init(&mednn->net, host, 0, EW_ID_NONE, kit_edge_dim(host));
    if (rc >= 0 && mednn->net.n_banded == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no layer that can be cut into strips",
                      mednn->net.graph->name);
    }
    if (rc >= 0) {
        rc = form_group(mednn);
    }
    if (rc >= 0) {
        rc = allocate(mednn);
    }
    if (rc >= 0) {
        form_scopes(mednn);
    }
    return rc;
}

static void release(struct mednn *mednn)
{
    free(mednn->lines);
    free(mednn->counts);
    free(mednn->cuts);
    free(mednn->unit_cuts);
    free(mednn->scope_of);
    kit_draft_fini(&mednn->draft);
    kit_group_fini(&mednn->group);
    kit_net_fini(&mednn->net);
}

KIT_DEFINE_PLAN(struct mednn, prepare, make_draft, write_plan, release);
KIT_DEFINE_ENTRY(INFO, plan);
