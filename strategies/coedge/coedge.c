/*
 * coedge: rows of the input shared out so that energy is least and the deadline is met, halos
 * pulled layer by layer from neighbours in bulk-synchronous steps.
 *
 * Zeng et al., "CoEdge: Cooperative DNN Inference with Adaptive Workload Partitioning over
 * Heterogeneous Edge Devices", IEEE/ACM ToN 29(2), 2021. README.md says what is recalled and what
 * is decided here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "coedge/coedge_model.h"
#include "coedge/coedge_solver.h"
#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/plugin.h"
#include "common/share.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const OBJECTIVES[] = {"auto", "energy", "latency", NULL};
static const struct ew_param_info PARAM_OBJECTIVE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "objective",
    .unit = "",
    .default_text = "auto",
    .choices = OBJECTIVES,
    .doc = "energy under the deadline, or latency; auto: energy when there is a deadline.",
};
static const char *const THRESHOLDS[] = {"paper", "strict", NULL};
static const struct ew_param_info PARAM_THRESHOLD = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "threshold",
    .unit = "",
    .default_text = "paper",
    .choices = THRESHOLDS,
    .doc =
        "Least share: paper = the widest halo in input rows; strict = as many rows as make every "
        "layer's band at least as wide as its halo.",
};
static const char *const PAYERS[] = {"receiver", "both", NULL};
static const struct ew_param_info PARAM_PAYER = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "payer",
    .unit = "",
    .default_text = "receiver",
    .choices = PAYERS,
    .doc = "Who pays for a transfer in the energy model: the pulling device, or both ends.",
};
static const char *const GATHERS[] = {"auto", "master", "largest", NULL};
static const struct ew_param_info PARAM_GATHER = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "gather",
    .unit = "",
    .default_text = "auto",
    .choices = GATHERS,
    .doc =
        "Device that computes layers that cannot be cut: the source (master), or the one with the "
        "largest share; auto: the source if it has a part of the rows, else what is cheaper.",
};
static const struct ew_param_info PARAM_REPAIR = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_BOOL,
    .name = "repair",
    .unit = "",
    .default_text = "true",
    .doc = "Before dropping a device with too small a share, try raising it to the threshold.",
};
static const struct ew_param_info PARAM_IDLE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_BOOL,
    .name = "idle_energy",
    .unit = "",
    .default_text = "false",
    .doc = "Count the idle energy of all devices over the run, not only what is above idle.",
};
static const char *const EXCHANGES[] = {"direct", "relay", NULL};
static const struct ew_param_info PARAM_EXCHANGE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "exchange",
    .unit = "",
    .default_text = "direct",
    .choices = EXCHANGES,
    .doc = "How halos travel: from neighbour to neighbour, or in two hops through the source.",
};
static const char *const SYNCS[] = {"barrier", "data", NULL};
static const struct ew_param_info PARAM_SYNC = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "sync",
    .unit = "",
    .default_text = "barrier",
    .choices = SYNCS,
    .doc = "barrier: all devices finish a layer before the next begins; data: start when ready.",
};
static const char *const COMPUTE_MODELS[] = {"linear", "affine", NULL};
static const struct ew_param_info PARAM_COMPUTE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "compute_model",
    .unit = "",
    .default_text = "linear",
    .choices = COMPUTE_MODELS,
    .doc = "Compute time over the share of rows: through the origin (CoEdge), or with an offset.",
};
static const char *const SEARCHES[] = {"wide", "paper", "all", NULL};
static const struct ew_param_info PARAM_SEARCH = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "search",
    .unit = "",
    .default_text = "wide",
    .choices = SEARCHES,
    .doc =
        "wide: also try every smaller set of devices and keep the cheapest plan; paper: only when "
        "the algorithm's own loop finds none; all: drop nobody, every device keeps at least the "
        "threshold.",
};
static const struct ew_param_info PARAM_CORRECTIONS = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "corrections",
    .unit = "",
    .default_text = "0",
    .min_value = 0,
    .max_value = 64,
    .doc =
        "Rounds of planning again with a tighter deadline when the plan, tried out on the host's "
        "engine, misses the real one.",
};
static const struct ew_param_info *const PARAMS[] = {
    &PARAM_OBJECTIVE, &PARAM_SEARCH,  &PARAM_THRESHOLD,  &PARAM_PAYER,
    &PARAM_GATHER,    &PARAM_REPAIR,  &PARAM_IDLE,       &PARAM_EXCHANGE,
    &PARAM_SYNC,      &PARAM_COMPUTE, &PARAM_CORRECTIONS};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "coedge",
    .version = "1.0.0",
    .summary = "row bands by linear program: least energy that meets the deadline",
    .citation = "Zeng et al., CoEdge, IEEE/ACM ToN 29(2) 2021, doi:10.1109/TNET.2020.3042320",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ planning */

/* The plan being made. */
struct coedge {
    struct kit_net net;
    struct kit_group group;
    struct coedge_model model;
    struct coedge_solution solution;
    enum coedge_outcome outcome;
    bool minimises_energy;
    bool is_relayed;
    struct clp *clp;
    int32_t *rows;
    int32_t *other_rows; /* scratch */
    int32_t *cuts;
    int32_t *layer_cuts;
};

static int32_t form_group(struct coedge *coedge)
{
    const struct ew_host *host = coedge->net.host;
    struct kit_group_options options = {
        .first = host->requirements(host)->source_device,
        .capability = KIT_CAPABILITY_PROFILE,
        .needs_all_pairs = !coedge->is_relayed,
    };
    if (coedge->net.n_banded == 0) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "%s has no layer whose rows can be shared out",
                        coedge->net.graph->name);
    }
    int32_t rc = kit_group_init(&coedge->group, &coedge->net, &options);
    if (rc < 0) {
        return rc;
    }
    coedge->rows = calloc(coedge->group.n, sizeof *coedge->rows);
    coedge->other_rows = calloc(coedge->group.n, sizeof *coedge->other_rows);
    coedge->cuts = calloc(coedge->group.n + 1u, sizeof *coedge->cuts);
    coedge->layer_cuts = calloc(coedge->group.n + 1u, sizeof *coedge->layer_cuts);
    coedge->solution.rows = coedge->rows;
    return coedge->rows && coedge->other_rows && coedge->cuts && coedge->layer_cuts
               ? EW_STRATEGY_OK
               : kit_fail_memory(host);
}

static int32_t choose_objective(struct coedge *coedge)
{
    const struct ew_host *host = coedge->net.host;
    coedge->minimises_energy =
        kit_param_is(host, "objective", "energy") ||
        (kit_param_is(host, "objective", "auto") && isfinite(host->requirements(host)->deadline_s));
    for (uint32_t i = 0; coedge->minimises_energy && i < coedge->group.n; i++) {
        const struct ew_device_info *device = host->device(host, coedge->group.device[i]);
        if (!device->has_power) {
            return kit_fail(host, EW_STRATEGY_ECANNOT,
                            "minimising energy needs power figures, %s has none (objective=latency "
                            "does not need them)",
                            device->name);
        }
    }
    return EW_STRATEGY_OK;
}

static int32_t solve_once(struct coedge *coedge)
{
    const struct ew_host *host = coedge->net.host;
    struct coedge_options options = {
        .objective = coedge->minimises_energy ? COEDGE_MIN_ENERGY : COEDGE_MIN_LATENCY,
        .has_repair = host->param_int(host, "repair") != 0,
        .has_fallback = true,
        .has_wide_search = kit_param_is(host, "search", "wide"),
        .keeps_all = kit_param_is(host, "search", "all"),
    };
    coedge->outcome =
        coedge_solve(&coedge->solution, &coedge->model.problem, coedge->clp, &options);
    switch (coedge->outcome) {
    case COEDGE_SOLVED:
    case COEDGE_LATE:
        return EW_STRATEGY_OK;
    case COEDGE_NO_MEMORY:
        return kit_fail_memory(host);
    case COEDGE_INFEASIBLE:
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "no set of devices has the memory for all %d rows of %s",
                        coedge->net.extent, coedge->net.graph->name);
    case COEDGE_SOLVER_FAILED:
        break;
    }
    return kit_fail(host, EW_STRATEGY_EINTERNAL, "Clp found neither a solution nor a proof");
}

static uint32_t largest_share(const struct coedge *coedge)
{
    uint32_t largest = 0;
    for (uint32_t i = 1; i < coedge->group.n; i++) {
        largest = coedge->rows[i] > coedge->rows[largest] ? i : largest;
    }
    return largest;
}

enum { N_TARGETS = 3 }; /* most capable devices that are tried as gather targets */

static bool is_better(const struct coedge *a, const struct coedge_solution *b,
                      enum coedge_outcome b_outcome)
{
    if (a->outcome != b_outcome) {
        return a->outcome == COEDGE_SOLVED;
    }
    return a->minimises_energy && a->outcome == COEDGE_SOLVED ? a->solution.cost.j < b->cost.j
                                                              : a->solution.cost.s < b->cost.s;
}

/* With another gather target than the source; the better solution stays. */
static int32_t try_target(struct coedge *coedge, uint32_t target)
{
    const struct coedge_solution first = coedge->solution;
    const enum coedge_outcome outcome = coedge->outcome;
    const uint32_t target_before = coedge->model.problem.target;
    coedge->solution.rows = coedge->other_rows;
    coedge_model_set_target(&coedge->model, target);
    int32_t rc = solve_once(coedge);
    const uint32_t n_programs = first.n_programs + coedge->solution.n_programs;
    const bool is_worse = rc < 0 || !is_better(coedge, &first, outcome);
    if (is_worse) {
        coedge->solution = first;
        coedge->outcome = outcome;
        coedge_model_set_target(&coedge->model, target_before);
        rc = rc == EW_STRATEGY_ECANNOT ? EW_STRATEGY_OK : rc;
    } else {
        coedge->other_rows = coedge->rows;
        coedge->rows = coedge->solution.rows;
    }
    coedge->solution.n_programs = n_programs;
    return rc;
}

/* The gather target may depend on the split and the split on the target: two rounds. */
static int32_t solve(struct coedge *coedge)
{
    const struct ew_host *host = coedge->net.host;
    char reason[256] = "";
    if (!coedge->clp) {
        coedge->clp = clp_open(reason, sizeof reason);
    }
    if (!coedge->clp) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "the LP solver is missing: %s", reason);
    }
    coedge_model_set_target(&coedge->model, 0); /* rounds of correction begin anew, too */
    int32_t rc = solve_once(coedge);
    if (rc < 0 || !coedge->model.has_whole_layer || coedge->group.n == 1 ||
        kit_param_is(host, "gather", "master")) {
        return rc;
    }
    const uint32_t largest = largest_share(coedge);
    if (kit_param_is(host, "gather", "auto")) { /* the most capable follows the source */
        const bool is_shared = coedge->rows[0] > 0 && coedge->rows[0] < coedge->net.extent;
        for (uint32_t i = 1; i < coedge->group.n && !is_shared && rc >= 0; i++) {
            if (i <= N_TARGETS || i == largest) {
                rc = try_target(coedge, i);
            }
        }
        return rc;
    }
    if (largest == 0) {
        return rc;
    }
    coedge_model_set_target(&coedge->model, largest);
    return solve_once(coedge);
}

/* ------------------------------------------------------------------ writing */

static int32_t emit_layers(struct coedge *coedge, struct ew_plan_builder *builder)
{
    const struct kit_net *net = &coedge->net;
    uint32_t target = coedge->group.device[coedge->model.problem.target];
    int32_t rc = EW_STRATEGY_OK;
    kit_cuts_from_counts(coedge->cuts, coedge->rows, coedge->group.n);
    for (uint32_t i = 0; i < net->n_order && rc >= 0; i++) {
        uint32_t layer = net->order[i];
        if (net->place[layer] != KIT_BANDED) {
            rc = kit_emit_whole(builder, net, layer, target);
            continue;
        }
        kit_map_cuts(coedge->layer_cuts, coedge->cuts, coedge->group.n, net->extent,
                     kit_layer_extent(net, layer));
        rc = kit_emit_bands(builder, net, layer, coedge->group.device, coedge->group.n,
                            coedge->layer_cuts);
    }
    return rc;
}

/* A barrier behind every unit whose output others read; relaying everywhere when asked. */
static int32_t set_boundaries(const struct coedge *coedge, struct ew_plan_builder *builder)
{
    const struct kit_net *net = &coedge->net;
    bool has_barrier = kit_param_is(net->host, "sync", "barrier");
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t u = 0; has_barrier && u < net->n_units && rc >= 0; u++) {
        uint32_t last = net->units[u].last;
        if (net->units[u].place == KIT_BANDED && kit_is_read(net, last)) {
            rc = builder->set_sync(builder, last, EW_SYNC_BARRIER);
        }
    }
    for (uint32_t l = 0; coedge->is_relayed && l < net->n_layers && rc >= 0; l++) {
        if (net->place[l] != KIT_ABSENT && kit_is_read(net, l)) {
            rc = builder->set_exchange(builder, l, EW_EXCHANGE_MODE_RELAY, coedge->group.device[0]);
        }
    }
    return rc;
}

static int32_t note_rows(const struct coedge *coedge, struct ew_plan_builder *builder)
{
    const struct ew_host *host = coedge->net.host;
    char text[400];
    int used = snprintf(text, sizeof text, "of %d:", coedge->net.extent);
    for (uint32_t i = 0; i < coedge->group.n && used > 0 && (size_t)used < sizeof text; i++) {
        if (coedge->rows[i] > 0) {
            used += snprintf(text + used, sizeof text - (size_t)used, " %s %d",
                             host->device(host, coedge->group.device[i])->name, coedge->rows[i]);
        }
    }
    return kit_note(builder, "rows", "%s", text);
}

static int32_t set_notes(const struct coedge *coedge, struct ew_plan_builder *builder)
{
    const struct ew_host *host = coedge->net.host;
    bool has_deadline = isfinite(host->requirements(host)->deadline_s);
    int32_t rc = note_rows(coedge, builder);
    if (rc >= 0) {
        rc = kit_note(builder, "objective", "%s",
                      coedge->minimises_energy ? "energy"
                      : has_deadline           ? "latency"
                                               : "latency (there is no deadline)");
    }
    if (rc >= 0 && coedge->model.has_whole_layer) {
        uint32_t target = coedge->group.device[coedge->model.problem.target];
        rc = kit_note(builder, "gather", "%s", host->device(host, target)->name);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "threshold_rows", "%d", coedge->model.problem.threshold_rows);
    }
    if (rc >= 0) {
        rc = kit_note(builder, "linear_programs", "%u", coedge->solution.n_programs);
    }
    if (rc >= 0 && coedge->group.excluded[0] != '\0') {
        rc = kit_note(builder, "left_out", "%s", coedge->group.excluded);
    }
    if (rc >= 0 && coedge->outcome == COEDGE_LATE) {
        rc = kit_note(builder, "deadline_missed", "no split found meets it; this is the fastest");
    }
    return rc;
}

static int32_t write_plan(struct coedge *coedge, struct ew_plan_builder *builder)
{
    const struct ew_host *host = coedge->net.host;
    int32_t rc = kit_begin_plan(builder, &coedge->net, "coedge");
    if (rc >= 0) {
        rc = emit_layers(coedge, builder);
    }
    if (rc >= 0) {
        rc = set_boundaries(coedge, builder);
    }
    if (rc >= 0) {
        rc = set_notes(coedge, builder);
    }
    bool has_power = host->requirements(host)->has_energy != 0;
    return rc < 0 ? rc
                  : kit_predict(builder, &coedge->net, coedge->solution.cost.s,
                                has_power ? coedge->solution.cost.j : NAN);
}

static int32_t prepare(struct coedge *coedge, const struct ew_host *host)
{
    int32_t rc = kit_net_init(&coedge->net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc < 0) {
        return rc;
    }
    coedge->is_relayed = kit_param_is(host, "exchange", "relay");
    rc = form_group(coedge);
    if (rc >= 0) {
        rc = choose_objective(coedge);
    }
    struct coedge_model_options options = {
        .is_strict = kit_param_is(host, "threshold", "strict"),
        .both_pay = kit_param_is(host, "payer", "both"),
        .counts_idle = host->param_int(host, "idle_energy") != 0,
        .is_affine = kit_param_is(host, "compute_model", "affine"),
        .is_relayed = coedge->is_relayed,
    };
    return rc < 0 ? rc : coedge_model_init(&coedge->model, &coedge->net, &coedge->group, &options);
}

/* Tighten the deadline by as much as the plan just written takes longer than it. */
static bool tighten(struct coedge *coedge, struct ew_plan_builder *builder)
{
    const struct ew_host *host = coedge->net.host;
    double deadline_s = host->requirements(host)->deadline_s;
    struct ew_evaluation evaluation = {.struct_size = sizeof evaluation};
    if (!coedge->minimises_energy || coedge->outcome != COEDGE_SOLVED || !isfinite(deadline_s) ||
        host->evaluate(host, builder, &evaluation) < 0 ||
        evaluation.latency_s <= deadline_s * (1.0 + 1e-9)) {
        return false;
    }
    double planned_s = fmin(coedge->model.problem.deadline_s, coedge->solution.cost.s);
    coedge->model.problem.deadline_s = 0.999 * planned_s * deadline_s / evaluation.latency_s;
    return true;
}

/* What the model does not see, messages that share a medium, shows when the plan is tried out. */
static int32_t correct(struct coedge *coedge, struct ew_plan_builder *builder)
{
    const struct ew_host *host = coedge->net.host;
    int64_t rounds = host->param_int(host, "corrections");
    int32_t rc = EW_STRATEGY_OK;
    for (int64_t i = 0; i < rounds && rc >= 0 && tighten(coedge, builder); i++) {
        rc = builder->reset(builder);
        if (rc >= 0) {
            rc = solve(coedge);
        }
        if (rc >= 0) {
            rc = write_plan(coedge, builder);
        }
    }
    return rc;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct coedge coedge = {0};
    int32_t rc = prepare(&coedge, host);
    if (rc >= 0) {
        rc = solve(&coedge);
    }
    if (rc >= 0) {
        rc = write_plan(&coedge, builder);
    }
    if (rc >= 0) {
        rc = correct(&coedge, builder);
    }
    clp_close(coedge.clp);
    free(coedge.rows);
    free(coedge.other_rows);
    free(coedge.cuts);
    free(coedge.layer_cuts);
    coedge_model_fini(&coedge.model);
    kit_group_fini(&coedge.group);
    kit_net_fini(&coedge.net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
