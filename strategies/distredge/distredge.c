/*
 * distredge, the plugin: plan makes a plan from scratch and keeps what it took, observe reacts to a
 * changed world with what was kept.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "distredge/memory.h"
#include "distredge/params.h"

/* ------------------------------------------------------------------ what the network is like */

static double bandwidth(const struct ew_host *host, uint32_t from, uint32_t to)
{
    const struct ew_link_info *link = from == to ? NULL : host->link(host, from, to);
    return link && link->has_route ? link->bandwidth_bytes_per_s : 0.0;
}

/* The values of a cast's trend, NULL when memory runs out. */
static double *measure(const struct ew_host *host, const struct cast *cast)
{
    const struct ew_requirements_info *asked = host->requirements(host);
    double *values = calloc(cast->trend.n, sizeof *values);
    uint32_t n = 0;
    for (uint32_t i = 0; values && i < cast->n_devices; i++) {
        values[n++] = bandwidth(host, asked->source_device, cast->devices[i]);
        values[n++] = bandwidth(host, cast->devices[i], asked->sink_device);
        for (uint32_t k = 0; k < cast->n_devices; k++) {
            values[n++] = bandwidth(host, cast->devices[i], cast->devices[k]);
        }
    }
    for (uint32_t i = 0; values && i < cast->n_devices; i++) {
        values[n++] = host->device(host, cast->devices[i])->speed_flops_per_s;
    }
    return values;
}

/* The cast is in use from now on; an agent has been trained when `is_trained`. */
static int32_t begin_trend(struct cast *cast, const struct ew_host *host, double now_s,
                           bool is_trained)
{
    double *values = measure(host, cast);
    if (!values) {
        return kit_fail_memory(host);
    }
    trend_begin(&cast->trend, values, now_s);
    if (is_trained) {
        trend_settle(&cast->trend);
    }
    free(values);
    return EW_STRATEGY_OK;
}

static int32_t follow_trend(struct cast *cast, const struct ew_host *host, double now_s)
{
    double *values = measure(host, cast);
    if (!values) {
        return kit_fail_memory(host);
    }
    trend_see(&cast->trend, values, now_s, host->param_real(host, "finetune_window_s"));
    free(values);
    return EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------ from scratch */

/* Plan for the devices that are there, and keep what it took. EW_ONLINE_KEEP when it takes no less
 * than `in_force_s`. */
static int32_t begin(struct memory *memory, struct distredge *it, double now_s, double in_force_s)
{
    if (it->n_devices == 0) {
        const int32_t rc = distredge_write(it);
        memory->in_force = rc < 0 ? memory->in_force : NULL;
        return rc < 0 ? rc : EW_ONLINE_REPLACE;
    }
    int32_t rc = distredge_cut(it, NULL, 0);
    rc = rc < 0 ? rc : distredge_split(it, NULL);
    if (rc < 0) {
        return rc;
    }
    const bool is_worth = it->best.latency_s < in_force_s || isinf(in_force_s);
    rc = is_worth ? distredge_write(it) : rc;
    if (rc < 0) {
        return rc;
    }
    struct cast *cast = memory_add(memory, it);
    if (!cast) {
        return kit_fail_memory(it->host);
    }
    rc = begin_trend(cast, it->host, now_s, true);
    if (rc < 0 || !is_worth) {
        return rc < 0 ? rc : EW_ONLINE_KEEP;
    }
    memory->in_force = cast;
    return EW_ONLINE_REPLACE;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    struct memory *memory = strategy->self;
    struct distredge it = {
        .host = host, .builder = builder, .draw = learn_draw(host), .keeps_files = true};
    memory_forget(memory);
    int32_t rc = distredge_prepare(&it);
    rc = rc < 0 ? rc : begin(memory, &it, 0.0, INFINITY);
    memory->is_planned = rc >= 0;
    distredge_fini(&it);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------ reacting */

/* The best of what has been looked at, in the world as it is. */
struct choice {
    int32_t *cuts;
    size_t n_cuts;
    double latency_s;
    const char *reaction; /* NULL: the plan in force */
    struct osds_history history;
};

/* Takes it->best when it is faster. */
static void offer(struct choice *choice, const struct distredge *it, const char *reaction)
{
    if (it->best.latency_s < choice->latency_s) {
        memcpy(choice->cuts, it->best.cuts, choice->n_cuts * sizeof *choice->cuts);
        choice->latency_s = it->best.latency_s;
        choice->reaction = reaction;
        choice->history = it->learned.history;
    }
}

static int32_t offer_kept(struct choice *choice, struct distredge *it, const struct cast *cast,
                          uint32_t index, const char *reaction)
{
    memcpy(it->best.cuts, cast->splits[index], cast->n_cuts * sizeof *it->best.cuts);
    it->best.latency_s = environment_latency_s(&it->environment, it->best.cuts);
    if (it->best.latency_s < 0.0) {
        return it->environment.status;
    }
    offer(choice, it, reaction);
    return EW_STRATEGY_OK;
}

/* Without training: the split in force first, so that it stays unless another one is faster. */
static int32_t decide(struct choice *choice, struct distredge *it, const struct cast *cast,
                      bool is_in_force)
{
    static const char KEPT[] = "a split that was the best before";
    int32_t rc = offer_kept(choice, it, cast, cast->current, is_in_force ? NULL : KEPT);
    for (uint32_t i = 0; i < cast->n_splits && rc >= 0; i++) {
        rc = i == cast->current ? rc : offer_kept(choice, it, cast, i, KEPT);
    }
    if (rc >= 0 && cast->agent.actor) {
        rc = learn_follow(&it->best, &it->environment, &cast->agent, &it->draw);
        offer(choice, it, "the actor's split, without training");
    }
    if (rc >= 0 && it->host->param_int(it->host, "keep_single") != 0) {
        distredge_take_single(it);
        offer(choice, it, "the best single device");
    }
    return rc;
}

/* The agent goes on learning where the world is not what it was trained in. */
static int32_t fine_tune(struct choice *choice, struct distredge *it, struct cast *cast)
{
    const struct ew_host *host = it->host;
    const double ratio = host->param_real(host, "finetune_threshold_pct") / 100.0;
    if (cast->n_devices < 2 || !trend_is_off(&cast->trend, ratio) ||
        host->param_int(host, "finetune_episodes") == 0) {
        return EW_STRATEGY_OK;
    }
    const int32_t rc = distredge_split(it, cast->agent.actor ? &cast->agent : NULL);
    if (rc < 0) {
        return rc;
    }
    if (it->learned.agent.actor) {
        agent_fini(&cast->agent);
        cast->agent = it->learned.agent;
        it->learned.agent = (struct agent){0};
    }
    trend_settle(&cast->trend);
    offer(choice, it, "fine-tuned");
    return EW_STRATEGY_OK;
}

static int32_t react(struct memory *memory, struct distredge *it, struct cast *cast,
                     struct choice *choice, double now_s)
{
    const bool is_in_force = memory->in_force == cast;
    int32_t rc = is_in_force ? follow_trend(cast, it->host, now_s)
                             : begin_trend(cast, it->host, now_s, false);
    rc = rc < 0 ? rc : decide(choice, it, cast, is_in_force);
    rc = rc < 0 ? rc : fine_tune(choice, it, cast);
    if (rc < 0) {
        return rc;
    }
    if (!choice->reaction) {
        return EW_ONLINE_KEEP;
    }
    memcpy(it->best.cuts, choice->cuts, choice->n_cuts * sizeof *choice->cuts);
    it->best.latency_s = choice->latency_s;
    it->reaction = choice->reaction;
    it->learned.history = choice->history;
    rc = distredge_write(it);
    if (rc >= 0 && !memory_choose(memory, cast, choice->cuts)) {
        rc = kit_fail_memory(it->host);
    }
    memory->in_force = rc < 0 ? memory->in_force : cast;
    return rc < 0 ? rc : EW_ONLINE_REPLACE;
}

static int32_t react_with(struct memory *memory, struct distredge *it, struct cast *cast,
                          double now_s, double in_force_s)
{
    int32_t rc = distredge_cut(it, cast->starts, cast->n_volumes);
    if (rc < 0) {
        return rc;
    }
    struct choice choice = {.cuts = calloc(cast->n_cuts, sizeof *choice.cuts),
                            .n_cuts = cast->n_cuts,
                            .latency_s = in_force_s};
    rc = choice.cuts ? react(memory, it, cast, &choice, now_s) : kit_fail_memory(it->host);
    free(choice.cuts);
    return rc;
}

/* The devices that a split gives rows to, and the split among them alone. */
static void leave_out_idle(struct distredge *it, uint32_t *devices, int32_t *cuts,
                           const struct cast *cast)
{
    const int32_t *split = cast->splits[cast->current];
    const size_t width = cast->n_devices + 1u;
    it->wanted = devices;
    for (uint32_t i = 0; i < cast->n_devices; i++) {
        bool is_idle = true;
        for (uint32_t v = 0; v < cast->n_volumes; v++) {
            is_idle = is_idle && split[v * width + i] == split[v * width + i + 1];
        }
        if (!is_idle) {
            devices[it->n_wanted++] = cast->devices[i];
        }
    }
    for (uint32_t v = 0; v < cast->n_volumes; v++) {
        int32_t *cut = cuts + v * (it->n_wanted + 1u);
        uint32_t n = 0;
        cut[0] = 0;
        for (uint32_t i = 0; i < cast->n_devices; i++) {
            if (n < it->n_wanted && cast->devices[i] == devices[n]) {
                cut[++n] = split[v * width + i + 1];
            }
        }
    }
}

/* Latency of a cast's current split in the world as it is; INFINITY when somebody is missing. */
static int32_t try_cast(double *out, struct distredge *it, const struct cast *cast)
{
    uint32_t *devices = calloc(cast->n_devices, sizeof *devices);
    int32_t *cuts = calloc(cast->n_cuts, sizeof *cuts);
    int32_t rc = devices && cuts ? EW_STRATEGY_OK : kit_fail_memory(it->host);
    if (rc >= 0) {
        leave_out_idle(it, devices, cuts, cast);
        rc = distredge_prepare(it);
    }
    if (rc >= 0 && it->n_devices == it->n_wanted) {
        rc = distredge_cut(it, cast->starts, cast->n_volumes);
        *out = rc < 0 ? *out : environment_latency_s(&it->environment, cuts);
        rc = *out < 0 ? it->environment.status : rc;
    }
    free(cuts);
    free(devices);
    return rc;
}

/* Latency of the source alone. */
static int32_t try_source(double *out, struct distredge *it)
{
    static const uint32_t nobody[1];
    struct ew_evaluation result = {.struct_size = sizeof result};
    it->wanted = nobody;
    int32_t rc = distredge_prepare(it);
    rc = rc < 0 ? rc : distredge_write(it);
    rc = rc < 0 ? rc : it->host->evaluate(it->host, it->builder, &result);
    *out = rc < 0 ? *out : result.latency_s;
    return rc < 0 ? rc : it->builder->reset(it->builder);
}

/* Latency of the plan in force in the world as it is; INFINITY when it cannot run. For plans of
 * other devices than are there now. */
static int32_t other_in_force_s(double *out, const struct memory *memory,
                                const struct distredge *it)
{
    struct distredge other = {.host = it->host, .builder = it->builder};
    *out = INFINITY;
    const int32_t rc =
        memory->in_force ? try_cast(out, &other, memory->in_force) : try_source(out, &other);
    distredge_fini(&other);
    return rc;
}

static int32_t observe_devices(struct memory *memory, struct distredge *it, double now_s)
{
    struct cast *cast = memory_find(memory, it->devices, it->n_devices);
    double in_force_s = INFINITY;
    if (it->n_devices == 0 && !memory->in_force) {
        return EW_ONLINE_KEEP;
    }
    if (!cast || cast != memory->in_force) {
        const int32_t rc = other_in_force_s(&in_force_s, memory, it);
        if (rc < 0) {
            return rc;
        }
    }
    if (cast) {
        return react_with(memory, it, cast, now_s, in_force_s);
    }
    it->reaction = "other devices: planned from scratch";
    return begin(memory, it, now_s, in_force_s);
}

static int32_t observe(struct ew_strategy *strategy, const struct ew_host *host,
                       const struct ew_observation *now, struct ew_plan_builder *builder)
{
    struct memory *memory = strategy->self;
    if (!memory->is_planned) {
        return host->fail(host, EW_STRATEGY_ECANNOT, "there is no agent: nothing was planned");
    }
    struct distredge it = {.host = host, .builder = builder, .draw = memory_draw(memory, host)};
    int32_t rc = distredge_prepare(&it);
    rc = rc < 0 ? rc : observe_devices(memory, &it, now->time_s);
    distredge_fini(&it);
    return rc;
}

/* ------------------------------------------------------------------ entry */

static const struct ew_online ONLINE = {.struct_size = sizeof ONLINE, .observe = observe};

KIT_DEFINE_ONLINE_ENTRY(DISTREDGE_INFO, struct memory, plan, memory_forget, ONLINE);
