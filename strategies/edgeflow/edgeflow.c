/*
 * edgeflow: every layer cut by itself so that its slowest device is done as early as possible,
 * given when and where the rows it reads are; a device starts as soon as its rows have arrived.
 *
 * Hu and Li, "Distributed Inference with Deep Learning Models across Heterogeneous Edge Devices",
 * INFOCOM 2022. README.md says what is known of it and what is decided here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/draft.h"
#include "common/emit.h"
#include "common/fill.h"
#include "common/plugin.h"
#include "common/reach.h"
#include "common/share.h"
#include "common/subsets.h"
#include "edgeflow/edgeflow_model.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const HORIZONS[] = {"rest", "layer", NULL};
static const struct ew_param_info PARAM_HORIZON = KIT_CHOICE(
    "horizon", HORIZONS, "rest",
    "What the slowest device should be done with first: layer = the layer being cut; rest = "
    "all layers from it on, as if its cuts stayed.");
static const char *const SEARCHES[] = {"wide", "paper", NULL};
static const struct ew_param_info PARAM_SEARCH = KIT_CHOICE(
    "search", SEARCHES, "wide",
    "wide: also try fewer devices, the most capable ones and the source alone; paper: all "
    "devices may take part in every layer.");
static const struct ew_param_info PARAM_STAY = KIT_BOOL(
    "stay", "true",
    "Of all cuts that are as fast keep those nearest to the layer before; false: those that "
    "fill the first devices.");
static const struct ew_param_info PARAM_TAIL = KIT_STRING(
    "tail", "auto",
    "Device for the layers that cannot be cut; auto: the one that is done with them first.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_HORIZON, &PARAM_SEARCH, &PARAM_STAY,
                                                     &PARAM_TAIL};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "edgeflow",
    .version = "1.0.0",
    .summary = "every layer cut to finish first, no barriers, only missing rows move",
    .citation = "Hu and Li, EdgeFlow, INFOCOM 2022",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ the plan being made */

/* Layers that are cut alike: a unit of the net. */
struct unit {
    int32_t *cuts;  /* n_workers + 1; of banded units */
    double *done_s; /* per worker; one value for a whole unit */
};

struct edgeflow {
    struct kit_net net;
    struct kit_group group;
    struct kit_reach reach;
    struct kit_draft draft;
    struct kit_wire *wires;
    double *overhead_s; /* per device */
    uint32_t n_devices;
    uint32_t home; /* EW_ID_NONE: not chosen yet */
    double home_free_s;
    struct unit *units;
    int32_t *cuts_store;
    double *done_store;
    double *free_s;   /* per worker */
    bool *takes_part; /* per worker */
    bool *best_part;
    struct kit_line *unit_lines; /* by unit * workers + worker */
    struct kit_line *compute;    /* per worker: work that is being balanced */
    struct edgeflow_input *inputs;
    int32_t *scratch;
    int32_t *wanted;
    int32_t *near;
    double latency_s;
};

static const double SOURCE_DONE_S = 0.0;

static uint32_t worker_of(const struct edgeflow *ef, uint32_t device)
{
    for (uint32_t w = 0; w < ef->group.n; w++) {
        if (ef->group.device[w] == device) {
            return w;
        }
    }
    return ef->group.n;
}

/* ------------------------------------------------------------------ reading */

/* Where input `k` of `layer` is. */
static struct edgeflow_input find_input(const struct edgeflow *ef, uint32_t layer, uint32_t k)
{
    const struct kit_net *net = &ef->net;
    uint32_t id = net->layers[layer]->inputs[k];
    struct edgeflow_input input = {.line_bytes = (double)kit_layer_bytes(net, id) /
                                                 kit_layer_extent(net, id)};
    if (net->place[id] == KIT_INPUT) {
        input.holder = net->host->requirements(net->host)->source_device;
        input.done_s = &SOURCE_DONE_S;
        return input;
    }
    const struct unit *unit = &ef->units[net->unit_of[id]];
    input.done_s = unit->done_s;
    if (net->place[id] == KIT_BANDED) {
        input.cuts = unit->cuts;
    } else {
        input.holder = ef->home;
    }
    return input;
}

static struct edgeflow_layer describe_layer(const struct edgeflow *ef, uint32_t n_inputs)
{
    return (struct edgeflow_layer){
        .n_workers = ef->group.n,
        .device = ef->group.device,
        .free_s = ef->free_s,
        .compute = ef->compute,
        .n_inputs = n_inputs,
        .inputs = ef->inputs,
        .wires = ef->wires,
        .overhead_s = ef->overhead_s,
        .n_devices = ef->n_devices,
    };
}

/* What the unit reads from outside: the inputs of its first layer. */
static struct edgeflow_layer read_unit(struct edgeflow *ef, uint32_t unit)
{
    uint32_t first = ef->net.units[unit].first;
    uint32_t n_inputs = ef->net.layers[first]->n_inputs;
    for (uint32_t k = 0; k < n_inputs; k++) {
        ef->inputs[k] = find_input(ef, first, k);
        if (ef->net.place[first] == KIT_BANDED) {
            size_t at = ef->reach.at[ef->reach.first_edge[first] + k];
            ef->inputs[k].reads_lo = ef->reach.lo + at;
            ef->inputs[k].reads_hi = ef->reach.hi + at;
        }
    }
    return describe_layer(ef, n_inputs);
}

/* Linear models of all banded units on every member. */
static void fit_units(struct edgeflow *ef)
{
    const struct kit_net *net = &ef->net;
    size_t n = ef->group.n;
    memset(ef->unit_lines, 0, net->n_units * n * sizeof *ef->unit_lines);
    for (uint32_t i = 0; i < net->n_order; i++) {
        uint32_t layer = net->order[i];
        for (uint32_t w = 0; w < n && net->place[layer] == KIT_BANDED; w++) {
            struct kit_line line = kit_fit_layer(net, layer, ef->group.device[w]);
            ef->unit_lines[net->unit_of[layer] * n + w].base += line.base;
            ef->unit_lines[net->unit_of[layer] * n + w].slope += line.slope;
        }
    }
}

/* The unit's own work, or with `horizon` all work from it on as if its cuts stayed. */
static void set_work(struct edgeflow *ef, uint32_t unit, bool has_horizon)
{
    const struct kit_net *net = &ef->net;
    int32_t extent = kit_layer_extent(net, net->units[unit].first);
    for (uint32_t w = 0; w < ef->group.n; w++) {
        ef->compute[w] = ef->unit_lines[(size_t)unit * ef->group.n + w];
        ef->compute[w].base += ef->takes_part[w] ? 0.0 : INFINITY;
        for (uint32_t u = unit + 1; has_horizon && u < net->n_units; u++) {
            struct kit_line line = ef->unit_lines[(size_t)u * ef->group.n + w];
            int32_t lines = kit_layer_extent(net, net->units[u].first);
            ef->compute[w].base += line.base;
            ef->compute[w].slope += line.slope * lines / extent;
        }
    }
}

/* ------------------------------------------------------------------ banded units */

/* Cuts of the first input that lies in bands, in lines of this unit; false when none does. */
static bool carry_over_cuts(struct edgeflow *ef, uint32_t unit)
{
    const struct kit_net *net = &ef->net;
    uint32_t first = net->units[unit].first;
    for (uint32_t k = 0; k < net->layers[first]->n_inputs; k++) {
        if (ef->inputs[k].cuts) {
            kit_map_cuts(ef->wanted, ef->inputs[k].cuts, ef->group.n,
                         kit_layer_extent(net, net->layers[first]->inputs[k]),
                         kit_layer_extent(net, first));
            return true;
        }
    }
    return false;
}

/* Least greatest finish; then, with `stay`, the nearest cuts that keep it. */
static int32_t cut_unit(struct edgeflow *ef, uint32_t unit)
{
    const struct kit_net *net = &ef->net;
    int32_t *cuts = ef->units[unit].cuts;
    struct edgeflow_layer layer = read_unit(ef, unit);
    struct kit_fill fill = {
        .finish_s = edgeflow_finish_s,
        .ctx = &layer,
        .n = ef->group.n,
        .total = kit_layer_extent(net, net->units[unit].first),
        .precision = 1e-4,
    };
    set_work(ef, unit, kit_param_is(net->host, "horizon", "rest"));
    double done_s = kit_fill_min_max(cuts, ef->scratch, &fill, INFINITY);
    if (!isfinite(done_s)) {
        return kit_fail(net->host, EW_STRATEGY_ECANNOT, "layer %s: no device can get what it reads",
                        net->layers[net->units[unit].first]->name);
    }
    if (net->host->param_int(net->host, "stay") && carry_over_cuts(ef, unit) &&
        kit_fill_near(ef->near, ef->scratch, &fill, ef->wanted, done_s)) {
        memcpy(cuts, ef->near, (ef->group.n + 1u) * sizeof *cuts);
    }
    set_work(ef, unit, false);
    for (uint32_t w = 0; w < ef->group.n; w++) {
        if (cuts[w] < cuts[w + 1]) {
            ef->units[unit].done_s[w] = edgeflow_finish_s(&layer, w, cuts[w], cuts[w + 1]);
        }
    }
    for (uint32_t w = 0; w < ef->group.n; w++) {
        if (cuts[w] < cuts[w + 1]) {
            ef->free_s[w] = ef->units[unit].done_s[w];
        }
    }
    return EW_STRATEGY_OK;
}

static int32_t draft_bands(struct edgeflow *ef, uint32_t unit)
{
    const struct kit_net *net = &ef->net;
    const int32_t *cuts = ef->units[unit].cuts;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < net->n_order && rc >= 0; i++) {
        bool is_member = net->unit_of[net->order[i]] == unit;
        for (uint32_t w = 0; is_member && w < ef->group.n && rc >= 0; w++) {
            rc = kit_draft_band(&ef->draft, net->order[i], ef->group.device[w], cuts[w],
                                cuts[w + 1]);
        }
    }
    return rc;
}

/* ------------------------------------------------------------------ whole units */

/* When `device` has all that the unit reads. */
static double gathered_s(struct edgeflow *ef, uint32_t unit, uint32_t device)
{
    const struct kit_net *net = &ef->net;
    uint32_t first = net->units[unit].first;
    struct edgeflow_layer layer = read_unit(ef, unit);
    double last_s = 0.0;
    for (uint32_t k = 0; k < layer.n_inputs; k++) {
        int32_t extent = kit_layer_extent(net, net->layers[first]->inputs[k]);
        last_s = fmax(last_s, edgeflow_arrival_s(&layer, &ef->inputs[k], worker_of(ef, device),
                                                 device, 0, extent));
    }
    return last_s;
}

static double whole_unit_s(const struct edgeflow *ef, uint32_t unit, uint32_t device)
{
    const struct kit_net *net = &ef->net;
    double seconds = 0.0;
    for (uint32_t i = 0; i < net->n_order; i++) {
        if (net->unit_of[net->order[i]] == unit) {
            seconds += kit_layer_compute_s(net, net->order[i], device);
        }
    }
    return seconds;
}

/* If `device` became the home at `unit`: all uncut layers, and the answer's way if it ends there.
 */
static double settle_s(struct edgeflow *ef, uint32_t unit, uint32_t device)
{
    const struct kit_net *net = &ef->net;
    const struct ew_requirements_info *asked = net->host->requirements(net->host);
    double seconds = gathered_s(ef, unit, device);
    for (uint32_t u = 0; u < net->n_units; u++) {
        seconds += net->units[u].place == KIT_WHOLE ? whole_unit_s(ef, u, device) : 0.0;
    }
    if (net->place[net->order[net->n_order - 1]] == KIT_WHOLE && device != asked->sink_device) {
        seconds +=
            net->host->transfer_s(net->host, device, asked->sink_device, kit_net_result_bytes(net));
    }
    return kit_fits(net->host, device, kit_net_weight_bytes(net, KIT_WHOLE)) ? seconds : INFINITY;
}

/* The first whole unit decides where all of them go. */
static int32_t choose_home(struct edgeflow *ef, uint32_t unit)
{
    const struct ew_host *host = ef->net.host;
    uint32_t named;
    double best_s = INFINITY;
    int32_t rc = kit_param_device(&named, host, "tail");
    if (rc < 0) {
        return rc;
    }
    for (uint32_t d = 0; d < ef->n_devices; d++) {
        double seconds = named == EW_ID_NONE || named == d ? settle_s(ef, unit, d) : INFINITY;
        if (seconds < best_s) {
            best_s = seconds;
            ef->home = d;
        }
    }
    return isfinite(best_s)
               ? EW_STRATEGY_OK
               : kit_fail(host, EW_STRATEGY_ECANNOT,
                          "%s has no route or not the memory for the layers that cannot be cut",
                          named == EW_ID_NONE ? "every device" : host->device(host, named)->name);
}

static int32_t place_whole_unit(struct edgeflow *ef, uint32_t unit)
{
    const struct kit_net *net = &ef->net;
    int32_t rc = ef->home == EW_ID_NONE ? choose_home(ef, unit) : EW_STRATEGY_OK;
    if (rc < 0) {
        return rc;
    }
    uint32_t worker = worker_of(ef, ef->home);
    double *free_s = worker < ef->group.n ? &ef->free_s[worker] : &ef->home_free_s;
    *free_s = fmax(*free_s, gathered_s(ef, unit, ef->home)) + whole_unit_s(ef, unit, ef->home);
    ef->units[unit].done_s[0] = *free_s;
    for (uint32_t i = 0; i < net->n_order && rc >= 0; i++) {
        if (net->unit_of[net->order[i]] == unit) {
            rc = kit_draft_whole(&ef->draft, net->order[i], ef->home);
        }
    }
    return rc;
}

/* ------------------------------------------------------------------ planning */

/* When the sink has the whole answer. */
static double answer_s(const struct edgeflow *ef)
{
    const struct kit_net *net = &ef->net;
    const struct ew_exit_info *exit = net->host->exit(net->host, net->variant, net->exit);
    uint32_t sink = net->host->requirements(net->host)->sink_device;
    struct edgeflow_layer layer = describe_layer(ef, 0);
    double last_s = 0.0;
    for (uint32_t i = 0; i < exit->n_layers; i++) {
        uint32_t id = exit->layers[i];
        const struct unit *unit = &ef->units[net->unit_of[id]];
        int32_t extent = kit_layer_extent(net, id);
        struct edgeflow_input output = {
            .cuts = net->place[id] == KIT_BANDED ? unit->cuts : NULL,
            .done_s = unit->done_s,
            .holder = ef->home,
            .line_bytes = (double)kit_layer_bytes(net, id) / extent,
        };
        last_s =
            fmax(last_s, edgeflow_arrival_s(&layer, &output, worker_of(ef, sink), sink, 0, extent));
    }
    return last_s;
}

static int32_t draft_all(struct edgeflow *ef)
{
    const struct kit_net *net = &ef->net;
    int32_t rc = EW_STRATEGY_OK;
    kit_draft_begin(&ef->draft, net);
    ef->home = EW_ID_NONE;
    ef->home_free_s = 0.0;
    memset(ef->free_s, 0, ef->group.n * sizeof *ef->free_s);
    for (uint32_t u = 0; u < net->n_units && rc >= 0; u++) {
        ef->units[u].cuts = ef->cuts_store + (size_t)u * (ef->group.n + 1u);
        ef->units[u].done_s = ef->done_store + (size_t)u * (ef->group.n + 1u);
        if (net->units[u].place != KIT_BANDED) {
            rc = place_whole_unit(ef, u);
            continue;
        }
        rc = cut_unit(ef, u);
        if (rc >= 0) {
            rc = draft_bands(ef, u);
        }
    }
    ef->latency_s = rc < 0 ? NAN : answer_s(ef);
    return rc;
}

/* The subset of devices with the least predicted latency; the first of equals. */
static int32_t choose_devices(struct edgeflow *ef)
{
    const struct ew_host *host = ef->net.host;
    struct kit_subsets subsets = {
        .group = &ef->group,
        .source = host->requirements(host)->source_device,
        .is_wide = kit_param_is(host, "search", "wide"),
    };
    double best_s = INFINITY;
    uint32_t n_tried = 0;
    int32_t rc = EW_STRATEGY_OK;
    while (rc >= 0 && kit_subsets_next(ef->takes_part, &subsets)) {
        rc = draft_all(ef);
        if (rc >= 0 && (n_tried++ == 0 || ef->latency_s < best_s)) {
            best_s = ef->latency_s;
            memcpy(ef->best_part, ef->takes_part, ef->group.n * sizeof *ef->best_part);
        }
    }
    memcpy(ef->takes_part, ef->best_part, ef->group.n * sizeof *ef->takes_part);
    return rc < 0 || n_tried == 1 ? rc : draft_all(ef);
}

static int32_t draft_once(void *ctx)
{
    fit_units(ctx);
    return choose_devices(ctx);
}

static int32_t make_draft(struct edgeflow *ef)
{
    return kit_draft_within_memory(&ef->draft, &ef->group, draft_once, ef);
}

static int32_t allocate(struct edgeflow *ef)
{
    const struct kit_net *net = &ef->net;
    size_t n = ef->group.n + 1u;
    size_t n_inputs = 1;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        n_inputs = net->layers[l]->n_inputs > n_inputs ? net->layers[l]->n_inputs : n_inputs;
    }
    ef->n_devices = net->host->device_count(net->host);
    ef->wires = calloc((size_t)ef->n_devices * ef->n_devices, sizeof *ef->wires);
    ef->overhead_s = calloc(ef->n_devices, sizeof *ef->overhead_s);
    ef->units = calloc(net->n_units + 1u, sizeof *ef->units);
    ef->cuts_store = calloc(n * (net->n_units + 1u), sizeof *ef->cuts_store);
    ef->done_store = calloc(n * (net->n_units + 1u), sizeof *ef->done_store);
    ef->free_s = calloc(n, sizeof *ef->free_s);
    ef->takes_part = calloc(n, sizeof *ef->takes_part);
    ef->best_part = calloc(n, sizeof *ef->best_part);
    ef->compute = calloc(n, sizeof *ef->compute);
    ef->unit_lines = calloc(n * (net->n_units + 1u), sizeof *ef->unit_lines);
    ef->inputs = calloc(n_inputs, sizeof *ef->inputs);
    ef->scratch = calloc(n, sizeof *ef->scratch);
    ef->wanted = calloc(n, sizeof *ef->wanted);
    ef->near = calloc(n, sizeof *ef->near);
    if (!ef->wires || !ef->overhead_s || !ef->units || !ef->cuts_store || !ef->done_store ||
        !ef->free_s || !ef->takes_part || !ef->best_part || !ef->compute || !ef->unit_lines ||
        !ef->inputs || !ef->scratch || !ef->wanted || !ef->near) {
        return kit_fail_memory(net->host);
    }
    for (uint32_t a = 0; a < ef->n_devices; a++) {
        ef->overhead_s[a] = net->host->device(net->host, a)->message_overhead_s;
        for (uint32_t b = 0; b < ef->n_devices; b++) {
            ef->wires[(size_t)a * ef->n_devices + b] = kit_wire_between(net->host, a, b);
        }
    }
    return EW_STRATEGY_OK;
}

static int32_t prepare(struct edgeflow *ef, const struct ew_host *host)
{
    int32_t rc = kit_net_init(&ef->net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0 && ef->net.n_banded == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no layer whose rows can be shared out",
                      ef->net.graph->name);
    }
    struct kit_group_options options = {.first = host->requirements(host)->source_device,
                                        .capability = KIT_CAPABILITY_PROFILE,
                                        .needs_all_pairs = true};
    if (rc >= 0) {
        rc = kit_group_init(&ef->group, &ef->net, &options);
    }
    if (rc >= 0) {
        rc = allocate(ef);
    }
    return rc < 0 ? rc : kit_reach_init(&ef->reach, &ef->net, NULL);
}

/* ------------------------------------------------------------------ writing */

static int32_t set_notes(const struct edgeflow *ef, struct ew_plan_builder *builder)
{
    const struct kit_net *net = &ef->net;
    const struct ew_host *host = net->host;
    char text[400] = "";
    for (uint32_t w = 0; w < ef->group.n; w++) {
        double share = 0.0;
        for (uint32_t u = 0; u < net->n_units; u++) {
            if (net->units[u].place == KIT_BANDED) {
                int32_t extent = kit_layer_extent(net, net->units[u].first);
                share += (double)(ef->units[u].cuts[w + 1] - ef->units[u].cuts[w]) / extent;
            }
        }
        size_t used = strlen(text);
        if (share > 0.0) {
            snprintf(text + used, sizeof text - used, "%s%s %.3f", used ? ", " : "",
                     host->device(host, ef->group.device[w])->name, share / net->n_units);
        }
    }
    int32_t rc = kit_note(builder, "mean_share", "%s", text);
    if (rc >= 0 && ef->home != EW_ID_NONE) {
        rc = kit_note(builder, "tail", "%s", host->device(host, ef->home)->name);
    }
    return rc;
}

static int32_t write_plan(const struct edgeflow *ef, struct ew_plan_builder *builder)
{
    int32_t rc = kit_draft_write(&ef->draft, builder, "edgeflow");
    if (rc >= 0) {
        rc = set_notes(ef, builder);
    }
    return rc < 0 ? rc : kit_group_conclude(&ef->group, builder, &ef->net, ef->latency_s);
}

static void release(struct edgeflow *ef)
{
    free(ef->wires);
    free(ef->overhead_s);
    free(ef->units);
    free(ef->cuts_store);
    free(ef->done_store);
    free(ef->free_s);
    free(ef->takes_part);
    free(ef->best_part);
    free(ef->compute);
    free(ef->unit_lines);
    free(ef->inputs);
    free(ef->scratch);
    free(ef->wanted);
    free(ef->near);
    kit_draft_fini(&ef->draft);
    kit_reach_fini(&ef->reach);
    kit_group_fini(&ef->group);
    kit_net_fini(&ef->net);
}

KIT_DEFINE_PLAN(struct edgeflow, prepare, make_draft, write_plan, release);
KIT_DEFINE_ENTRY(INFO, plan);
