/*
 * pico: a pipeline of stages, each on its own devices that share its layers out by rows, so that
 * requests follow each other as fast as possible while one of them still meets its latency limit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/draft.h"
#include "common/emit.h"
#include "common/plugin.h"
#include "pico/pico_cost.h"

static const char *const OBJECTIVES[] = {"period", "latency", "mean_latency", NULL};
static const char *const DEVICES[] = {"fastest", "all", NULL};

static const struct ew_param_info PARAM_OBJECTIVE = KIT_CHOICE(
    "objective", OBJECTIVES, "period",
    "Least period (throughput), least latency of one request, or least mean latency of a "
    "stream at rate_per_s (APICO).");
static const struct ew_param_info PARAM_RATE = KIT_REAL(
    "rate_per_s", "1/s", "0", 0, 1e9,
    "Requests per second for objective=mean_latency; 0: that of the arrivals when they have "
    "one.");
static const struct ew_param_info PARAM_DEVICES = KIT_CHOICE(
    "devices", DEVICES, "fastest",
    "Average over all devices, as published; or also over fewer, the fastest, and the source "
    "alone, whichever gives the best pipeline.");
static const struct ew_param_info PARAM_STAGE_DEVICES =
    KIT_INT("max_stage_devices", "16", 1, 64, "Most devices that share one stage.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_OBJECTIVE, &PARAM_RATE, &PARAM_DEVICES,
                                                     &PARAM_STAGE_DEVICES};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "pico",
    .version = "1.0.0",
    .summary = "pipeline of stages on groups of devices: least period under a latency limit",
    .citation = "Towards Efficient Inference: Adaptively Cooperate in Heterogeneous "
                "IoT Edge Cluster (PICO), ICDCS 2021",
    .params = PARAMS,
};

/* Devices beyond this many, the slowest, are not asked. */
enum { MOST_DEVICES = 64 };

/* ------------------------------------------------------------------ layouts */

/* A pipeline on real devices. Arrays are owned. */
struct layout {
    struct pico_pipeline pipeline; /* for mean devices */
    struct pico_crew *crews;       /* by stage */
    uint32_t *device_room;
    int32_t *cut_room;
    double period_s; /* on the real devices */
    double latency_s;
    bool is_in_time;
};

/* Planning on one set of devices. Arrays are owned. */
struct planner {
    struct pico_cost cost;
    struct pico_problem problem;
    double *time_s;
    double *relative; /* capability over the mean, by device */
    uint32_t *stage_of;
    uint32_t *places;
    double *need;
    int32_t *scratch;
    struct layout trial;
    struct layout best;
    bool has_best;
};

static bool layout_alloc(struct layout *layout, size_t n_blocks, size_t n_devices)
{
    layout->pipeline.stages = calloc(n_blocks, sizeof *layout->pipeline.stages);
    layout->crews = calloc(n_blocks, sizeof *layout->crews);
    layout->device_room = calloc(n_devices, sizeof *layout->device_room);
    layout->cut_room = calloc(n_devices + 2 * n_blocks, sizeof *layout->cut_room);
    return layout->pipeline.stages && layout->crews && layout->device_room && layout->cut_room;
}

static void layout_free(struct layout *layout)
{
    free(layout->pipeline.stages);
    free(layout->crews);
    free(layout->device_room);
    free(layout->cut_room);
}

static double asked_rate_per_s(const struct ew_host *host)
{
    const char *arrival = host->requirements(host)->arrival;
    const char *number = arrival ? strchr(arrival, ':') : NULL;
    double rate_per_s = host->param_real(host, "rate_per_s");
    bool has_rate =
        number && (strncmp(arrival, "poisson:", 8) == 0 || strncmp(arrival, "periodic:", 9) == 0);
    if (rate_per_s > 0.0 || !has_rate) {
        return rate_per_s;
    }
    double given = strtod(number + 1, NULL);
    return isfinite(given) && given > 0.0 ? given : 0.0;
}

static int32_t planner_init(struct planner *planner, const struct kit_net *net,
                            const bool *is_banned)
{
    const struct ew_host *host = net->host;
    struct pico_problem *problem = &planner->problem;
    int32_t rc = pico_cost_init(&planner->cost, net, is_banned);
    if (rc < 0) {
        return rc;
    }
    size_t n_blocks = planner->cost.blocks.n;
    size_t n_devices =
        planner->cost.n_devices < MOST_DEVICES ? planner->cost.n_devices : (uint32_t)MOST_DEVICES;
    uint32_t most = (uint32_t)host->param_int(host, "max_stage_devices");
    problem->n_blocks = (uint32_t)n_blocks;
    problem->n_devices = (uint32_t)n_devices;
    problem->most = most < n_devices ? most : (uint32_t)n_devices;
    problem->limit_s = host->requirements(host)->deadline_s;
    problem->rate_per_s = asked_rate_per_s(host);
    problem->objective = kit_param_is(host, "objective", "latency")        ? PICO_LATENCY
                         : kit_param_is(host, "objective", "mean_latency") ? PICO_MEAN_LATENCY
                                                                           : PICO_PERIOD;
    planner->time_s = calloc(n_blocks * n_blocks * problem->most, sizeof *planner->time_s);
    planner->relative = calloc(n_devices, sizeof *planner->relative);
    planner->stage_of = calloc(n_devices, sizeof *planner->stage_of);
    planner->places = calloc(n_blocks, sizeof *planner->places);
    planner->need = calloc(n_blocks, sizeof *planner->need);
    planner->scratch = calloc(n_devices + 1, sizeof *planner->scratch);
    problem->time_s = planner->time_s;
    bool is_ok = planner->time_s && planner->relative && planner->stage_of && planner->places &&
                 planner->need && planner->scratch;
    is_ok = is_ok && layout_alloc(&planner->trial, n_blocks, n_devices) &&
            layout_alloc(&planner->best, n_blocks, n_devices);
    return is_ok ? EW_STRATEGY_OK : kit_fail_memory(host);
}

static void planner_fini(struct planner *planner)
{
    free(planner->time_s);
    free(planner->relative);
    free(planner->stage_of);
    free(planner->places);
    free(planner->need);
    free(planner->scratch);
    layout_free(&planner->trial);
    layout_free(&planner->best);
    pico_cost_fini(&planner->cost);
    memset(planner, 0, sizeof *planner);
}

/* ------------------------------------------------------------------ choosing */

/* Stages for `n` mean devices; the least latency when none is within the limit. */
static int32_t cut(struct planner *planner, uint32_t n)
{
    struct pico_problem problem = planner->problem;
    problem.n_devices = n;
    problem.most = problem.most < n ? problem.most : n;
    pico_cost_average(&planner->cost, n);
    pico_cost_table(planner->time_s, &planner->cost, problem.most);
    bool is_ok = pico_cut(&planner->trial.pipeline, &problem);
    if (is_ok && planner->trial.pipeline.n_stages == 0) {
        problem.limit_s = INFINITY;
        problem.objective = PICO_LATENCY;
        is_ok = pico_cut(&planner->trial.pipeline, &problem);
    }
    return is_ok ? EW_STRATEGY_OK : kit_fail_memory(planner->cost.net->host);
}

/* Real devices for the stages, and their tiles. */
static void staff(struct planner *planner, uint32_t n)
{
    struct layout *layout = &planner->trial;
    struct pico_pipeline *pipeline = &layout->pipeline;
    uint32_t *device = layout->device_room;
    int32_t *cuts = layout->cut_room;
    double sum = 0.0;
    for (uint32_t d = 0; d < n; d++) {
        sum += planner->cost.capability[d];
    }
    for (uint32_t d = 0; d < n; d++) {
        planner->relative[d] = planner->cost.capability[d] * n / sum;
    }
    pico_assign(planner->stage_of, planner->need, planner->places, pipeline, planner->relative, n);
    layout->period_s = 0.0;
    layout->latency_s = 0.0;
    for (uint32_t s = 0; s < pipeline->n_stages; s++) {
        struct pico_crew *crew = &layout->crews[s];
        *crew = (struct pico_crew){.device = device, .cuts = cuts};
        for (uint32_t d = 0; d < n; d++) {
            if (planner->stage_of[d] == s) {
                crew->device[crew->n++] = d;
            }
        }
        device += crew->n;
        cuts += crew->n + 1;
        pico_cost_balance(crew, &planner->cost, &pipeline->stages[s], planner->scratch);
        layout->period_s = fmax(layout->period_s, crew->time_s);
        layout->latency_s += crew->time_s;
    }
    layout->is_in_time = layout->latency_s <= planner->problem.limit_s * (1.0 + 1e-9);
}

static bool is_better(const struct planner *planner)
{
    const struct layout *a = &planner->trial;
    const struct layout *b = &planner->best;
    const struct pico_problem *problem = &planner->problem;
    if (!planner->has_best || a->is_in_time != b->is_in_time) {
        return !planner->has_best || a->is_in_time;
    }
    enum pico_objective objective = a->is_in_time ? problem->objective : PICO_LATENCY;
    double value_a = pico_value(objective, a->period_s, a->latency_s, problem->rate_per_s);
    double value_b = pico_value(objective, b->period_s, b->latency_s, problem->rate_per_s);
    return value_a < value_b || (value_a == value_b && a->period_s < b->period_s);
}

/* Numbers of devices to try: all small ones, then in steps of about a third. */
static uint32_t next_count(uint32_t n, uint32_t most)
{
    uint32_t next = n < 8 ? n + 1 : n + n / 3;
    return n < most && next > most ? most : next;
}

static void keep_if_better(struct planner *planner)
{
    if (is_better(planner)) {
        struct layout swap = planner->best;
        planner->best = planner->trial;
        planner->trial = swap;
        planner->has_best = true;
    }
}

/* Everything on the source, where no input has to travel. */
static void try_source(struct planner *planner)
{
    struct pico_cost *cost = &planner->cost;
    struct layout *layout = &planner->trial;
    uint32_t source = cost->net->host->requirements(cost->net->host)->source_device;
    uint32_t k = 0;
    while (k < planner->problem.n_devices && cost->device[k] != source) {
        k++;
    }
    if (k == planner->problem.n_devices) {
        return;
    }
    pico_cost_average(cost, 0);
    layout->pipeline.n_stages = 1;
    layout->pipeline.stages[0] =
        (struct pico_stage){.first = 0, .last = cost->blocks.n - 1, .n_devices = 1};
    layout->device_room[0] = k;
    layout->crews[0] =
        (struct pico_crew){.n = 1, .device = layout->device_room, .cuts = layout->cut_room};
    pico_cost_balance(&layout->crews[0], cost, &layout->pipeline.stages[0], planner->scratch);
    layout->period_s = layout->latency_s = layout->crews[0].time_s;
    layout->is_in_time = layout->latency_s <= planner->problem.limit_s * (1.0 + 1e-9);
    keep_if_better(planner);
}

static int32_t choose(struct planner *planner)
{
    const struct ew_host *host = planner->cost.net->host;
    uint32_t most = planner->problem.n_devices;
    bool is_all = kit_param_is(host, "devices", "all");
    if (!is_all) {
        try_source(planner);
    }
    for (uint32_t n = is_all ? most : 1; n <= most; n = next_count(n, most)) {
        int32_t rc = cut(planner, n);
        if (rc < 0) {
            return rc;
        }
        staff(planner, n);
        keep_if_better(planner);
    }
    return EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------ the plan */

static int32_t draft_stage(struct kit_draft *draft, const struct planner *planner, uint32_t s,
                           struct ew_tensor_box *boxes)
{
    const struct pico_cost *cost = &planner->cost;
    const struct pico_stage *stage = &planner->best.pipeline.stages[s];
    const struct pico_crew *crew = &planner->best.crews[s];
    if (crew->n == 1 || !pico_cost_is_banded(cost, stage)) {
        return kit_draft_blocks(draft, &cost->blocks, stage->first, stage->last,
                                cost->device[crew->device[0]]);
    }
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < crew->n && rc >= 0; i++) {
        if (crew->cuts[i] >= crew->cuts[i + 1]) {
            continue;
        }
        struct kit_tile tile = kit_band_tile(cost->net, crew->cuts[i], crew->cuts[i + 1],
                                             cost->blocks.items[stage->last].extent);
        rc = kit_volume_boxes(boxes, cost->net, &cost->blocks, stage->first, stage->last, &tile);
        if (rc >= 0) {
            rc = kit_draft_volume(draft, &cost->blocks, stage->first, stage->last, boxes,
                                  cost->device[crew->device[i]], EW_ID_NONE);
        }
    }
    return rc;
}

static int32_t draft_all(struct kit_draft *draft, const struct planner *planner)
{
    const struct kit_net *net = planner->cost.net;
    struct ew_tensor_box *boxes = calloc(net->n_layers, sizeof *boxes);
    int32_t rc = boxes ? EW_STRATEGY_OK : kit_fail_memory(net->host);
    kit_draft_begin(draft, net);
    for (uint32_t s = 0; s < planner->best.pipeline.n_stages && rc >= 0; s++) {
        rc = draft_stage(draft, planner, s, boxes);
    }
    free(boxes);
    return rc;
}

static void append(char *text, size_t size, const char *a, const char *b)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", a, b);
}

static int32_t note_stages(struct ew_plan_builder *builder, const struct planner *planner)
{
    const struct pico_cost *cost = &planner->cost;
    const struct ew_host *host = cost->net->host;
    char text[480] = "";
    char word[160];
    for (uint32_t s = 0; s < planner->best.pipeline.n_stages; s++) {
        const struct pico_stage *stage = &planner->best.pipeline.stages[s];
        const struct pico_crew *crew = &planner->best.crews[s];
        kit_volume_name(word, sizeof word, cost->net, &cost->blocks, stage->first, stage->last);
        append(text, sizeof text, s ? "; " : "", word);
        append(text, sizeof text, ":", "");
        for (uint32_t i = 0; i < crew->n; i++) {
            const char *name = host->device(host, cost->device[crew->device[i]])->name;
            if (crew->n == 1) {
                snprintf(word, sizeof word, " %s", name);
            } else {
                snprintf(word, sizeof word, " %s %d", name, crew->cuts[i + 1] - crew->cuts[i]);
            }
            append(text, sizeof text, word, "");
        }
    }
    return kit_note(builder, "stages", "%s", text);
}

static int32_t describe(struct ew_plan_builder *builder, const struct planner *planner)
{
    const struct kit_net *net = planner->cost.net;
    const struct layout *best = &planner->best;
    double least_per_s = net->host->requirements(net->host)->min_throughput_per_s;
    int32_t rc = note_stages(builder, planner);
    if (rc >= 0) {
        rc = kit_note(builder, "period_s", "%.6g", best->period_s);
    }
    if (rc >= 0 && planner->cost.left_out[0] != '\0') {
        rc = kit_note(builder, "left_out", "%s", planner->cost.left_out);
    }
    if (rc < 0) {
        return rc;
    }
    if (best->is_in_time && best->period_s * least_per_s > 1.0 + 1e-9) {
        char reason[128];
        snprintf(reason, sizeof reason, "predicted throughput %.6g/s is below the %.6g/s asked for",
                 1.0 / best->period_s, least_per_s);
        return builder->set_prediction(builder, best->latency_s, NAN, reason);
    }
    return kit_predict(builder, net, best->latency_s, NAN);
}

/* A pipeline that fits into memory; devices it does not fit into are banned and another one is
 * sought. */
static int32_t plan_within_memory(struct planner *planner, struct kit_draft *draft,
                                  const struct kit_net *net, bool *is_banned)
{
    struct kit_overfull overfull = {.device = EW_ID_NONE};
    for (;;) {
        int32_t rc = planner_init(planner, net, is_banned);
        if (rc >= 0) {
            rc = choose(planner);
        }
        if (rc >= 0) {
            rc = draft_all(draft, planner);
        }
        if (rc >= 0) {
            rc = kit_draft_overfull(&overfull, draft);
        }
        if (rc < 0 || overfull.device == EW_ID_NONE) {
            return rc;
        }
        is_banned[overfull.device] = true;
        planner_fini(planner);
    }
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct kit_net net = {0};
    struct planner planner = {0};
    struct kit_draft draft = {0};
    bool *is_banned = calloc((size_t)host->device_count(host) + 1, sizeof *is_banned);
    int32_t rc =
        is_banned ? kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS) : kit_fail_memory(host);
    if (rc >= 0) {
        rc = plan_within_memory(&planner, &draft, &net, is_banned);
    }
    if (rc >= 0) {
        rc = kit_begin_plan(builder, &net, "pico");
    }
    if (rc >= 0) {
        rc = kit_draft_emit(&draft, builder);
    }
    if (rc >= 0) {
        rc = describe(builder, &planner);
    }
    kit_draft_fini(&draft);
    planner_fini(&planner);
    kit_net_fini(&net);
    free(is_banned);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
