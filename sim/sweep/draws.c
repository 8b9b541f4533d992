#include "sweep/draws.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "model/spread.h"

struct drawing {
    const struct ew_point *point;
    struct ew_rng *streams; /* per profile of the platform */
    double *latency_s, *energy_j;
    uint32_t n;
};

static void scale_profiles(struct drawing *d)
{
    const struct ew_platform *platform = d->point->config->setup->platform;
    for (uint32_t i = 0; i < platform->n_profiles; i++) {
        struct ew_profile *profile = platform->profiles[i];
        if (profile->n_residuals) {
            profile->time_ratio =
                profile->residuals[ew_rng_below(&d->streams[i], profile->n_residuals)];
        }
    }
}

static void restore_profiles(struct drawing *d)
{
    const struct ew_platform *platform = d->point->config->setup->platform;
    for (uint32_t i = 0; i < platform->n_profiles; i++) {
        platform->profiles[i]->time_ratio = 1;
    }
}

static enum ew_status draw_all(struct drawing *d, uint32_t n_draws, struct ew_error *err)
{
    const struct ew_point_run how = {.engine = &ew_engine_fast};
    enum ew_status status = EW_OK;
    for (uint32_t k = 0; status == EW_OK && k < n_draws; k++) {
        struct ew_result *result = NULL;
        scale_profiles(d);
        status = ew_point_run(&result, d->point, &how, err);
        if (status == EW_OK && !result->error && isfinite(result->service.latency.mean_s)) {
            d->latency_s[d->n] = result->service.latency.mean_s;
            d->energy_j[d->n++] = result->energy_j;
        }
        ew_result_free(result);
    }
    restore_profiles(d);
    return status;
}

/* Tasks whose multiply-accumulates lie outside what their profile was fitted to. */
static enum ew_status count_outside(struct ew_bars *bars, const struct ew_point *point,
                                    struct ew_error *err)
{
    const struct ew_setup *setup = point->config->setup;
    enum ew_status status = EW_OK;
    for (uint32_t w = 0; status == EW_OK && w < setup->n_workloads; w++) {
        struct ew_task_graph **graphs = NULL;
        const uint32_t n_plans = point->books[w]->n_plans;
        status = ew_point_lower(&graphs, point, w, err);
        for (uint32_t p = 0; status == EW_OK && p < n_plans; p++) {
            for (uint32_t i = 0; i < graphs[p]->n_nodes; i++) {
                const struct ew_task_node *node = &graphs[p]->nodes[i];
                const double macs = (double)graphs[p]->info[i].macs;
                const struct ew_profile *profile =
                    setup->platform->devices[ew_task_device(graphs[p], node->device)].profile;
                if (node->kind != EW_NODE_COMPUTE || macs <= 0 || profile->range_macs[1] <= 0) {
                    continue;
                }
                bars->n_tasks++;
                bars->n_outside +=
                    macs < 0.99 * profile->range_macs[0] || macs > 1.01 * profile->range_macs[1];
            }
        }
        for (uint32_t p = 0; graphs && p < n_plans; p++) {
            ew_task_graph_free(graphs[p]);
        }
        free(graphs);
    }
    return status;
}

/* Devices that computed with a profile that knows no errors. */
static void name_unknown(struct ew_result *result, const struct ew_platform *platform)
{
    for (uint32_t i = 0; i < result->n_devices && !result->bars.without_residuals; i++) {
        if (result->devices[i].busy_s > 0 && !platform->devices[i].profile->n_residuals) {
            result->bars.without_residuals = result->devices[i].profile;
        }
    }
}

static enum ew_status keep(struct ew_result *result, struct drawing *d, struct ew_error *err)
{
    struct ew_bars *bars = &result->bars;
    double *kept = ew_arena_calloc(&result->arena, d->n ? d->n : 1, sizeof *kept);
    if (!kept) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < d->n; i++) {
        kept[i] = d->latency_s[i];
    }
    bars->n_draws = d->n;
    bars->latency_draws_s = kept;
    if (d->n) {
        const double low = (1 - EW_SPREAD_SHARE) / 2, high = (1 + EW_SPREAD_SHARE) / 2;
        ew_spread_sort(d->latency_s, d->n);
        ew_spread_sort(d->energy_j, d->n);
        result->service.latency.low_s = ew_spread_quantile(d->latency_s, d->n, low);
        result->service.latency.high_s = ew_spread_quantile(d->latency_s, d->n, high);
        bars->energy_low_j = ew_spread_quantile(d->energy_j, d->n, low);
        bars->energy_high_j = ew_spread_quantile(d->energy_j, d->n, high);
    }
    return EW_OK;
}

enum ew_status ew_draws_run(struct ew_result *result, const struct ew_point *point,
                            uint32_t n_draws, struct ew_error *err)
{
    const struct ew_setup *setup = point->config->setup;
    const uint32_t n_profiles = setup->platform->n_profiles;
    if (result->error || n_draws == 0) {
        return EW_OK;
    }
    struct drawing d = {.point = point,
                        .streams = calloc((size_t)n_profiles + 1, sizeof *d.streams),
                        .latency_s = calloc(n_draws, sizeof *d.latency_s),
                        .energy_j = calloc(n_draws, sizeof *d.energy_j)};
    enum ew_status status = d.streams && d.latency_s && d.energy_j ? EW_OK : ew_fail_memory(err);
    for (uint32_t i = 0; status == EW_OK && i < n_profiles; i++) {
        char purpose[160];
        (void)snprintf(purpose, sizeof purpose, "draws/%.140s", setup->platform->profiles[i]->name);
        d.streams[i] = ew_rng_make(setup->scenario->seed, purpose);
    }
    if (status == EW_OK) {
        status = draw_all(&d, n_draws, err);
    }
    if (status == EW_OK) {
        status = keep(result, &d, err);
    }
    if (status == EW_OK) {
        name_unknown(result, setup->platform);
        status = count_outside(&result->bars, point, err);
    }
    free(d.streams);
    free(d.latency_s);
    free(d.energy_j);
    return status;
}
