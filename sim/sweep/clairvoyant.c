#include "sweep/clairvoyant.h"

#include <math.h>
#include <stdlib.h>

#include "base/vec.h"
#include "model/world.h"

/* The plans of one workload, regime after regime. */
struct timeline {
    EW_VEC(struct ew_plan *) plans;
    EW_VEC(struct ew_plan_switch) switches;
    struct ew_book book;
};

struct clairvoyant {
    const struct ew_clairvoyant *how;
    struct ew_clairvoyant_facts *facts;
    struct ew_world *world;
    uint32_t n_workloads;
    struct timeline *timelines;     /* per workload */
    EW_VEC(struct ew_point) points; /* own the plans */
};

/* Plan on the platform of the moment: a setup like the real one but for that. */
static enum ew_status plan_now(struct ew_point *point, const struct clairvoyant *c,
                               struct ew_error *err)
{
    const struct ew_setup *real = c->how->config->setup;
    struct ew_setup setup = *real;
    struct ew_point_config config = *c->how->config;
    struct ew_evaluator *evaluator = NULL;
    const struct ew_platform *platform = ew_world_platform(c->world);
    setup.workloads = calloc(real->n_workloads, sizeof *setup.workloads);
    enum ew_status status = setup.workloads ? EW_OK : ew_fail_memory(err);
    for (uint32_t w = 0; status == EW_OK && w < real->n_workloads; w++) {
        setup.workloads[w] = real->workloads[w];
        setup.workloads[w].problem.context.platform = platform;
    }
    if (status == EW_OK) {
        status = ew_evaluator_new(&evaluator, platform, real->net, real->energy_rule, err);
    }
    if (status == EW_OK) {
        config.setup = &setup;
        config.evaluator = evaluator;
        config.candidates = NULL;
        status = ew_point_plan(point, &config, c->how->makers, err);
        point->config = c->how->config; /* the changed ones end here */
    }
    ew_evaluator_free(evaluator);
    free(setup.workloads);
    return status;
}

static enum ew_status add_plans(struct clairvoyant *c, const struct ew_point *point, double time_s,
                                struct ew_error *err)
{
    for (uint32_t w = 0; w < c->n_workloads; w++) {
        const struct ew_book *book = point->books[w];
        if (book->n_plans != 1) {
            return ew_fail(err, EW_ENOTSUP,
                           "expected one plan per regime, found a book of %u plans", book->n_plans);
        }
        struct timeline *line = &c->timelines[w];
        const struct ew_plan_switch change = {time_s, (uint32_t)line->plans.count};
        if (!ew_vec_push(&line->plans, book->plans[0]) || !ew_vec_push(&line->switches, change)) {
            return ew_fail_memory(err);
        }
        line->book.strategy = book->strategy;
    }
    return EW_OK;
}

/* Failures that only mean: no plan for this regime. */
static bool can_be_passed_over(enum ew_status status)
{
    return status != EW_EINTR && status != EW_ENOMEM && status != EW_EIO;
}

static enum ew_status plan_regime(struct clairvoyant *c, double time_s, struct ew_error *err)
{
    struct ew_point point = {0};
    enum ew_status status = plan_now(&point, c, err);
    c->facts->n_regimes++;
    if (status != EW_OK) {
        ew_point_fini(&point);
        c->facts->n_failed++;
        return c->points.count && can_be_passed_over(status) ? EW_OK : status;
    }
    if (!ew_vec_push(&c->points, point)) {
        ew_point_fini(&point);
        return ew_fail_memory(err);
    }
    return add_plans(c, &c->points.items[c->points.count - 1], time_s, err);
}

static enum ew_status count_changes(struct clairvoyant *c, struct ew_error *err)
{
    const struct ew_setup *setup = c->how->config->setup;
    struct ew_world *world = NULL;
    enum ew_status status = ew_world_new(&world, setup->platform, setup->dynamics, err);
    double next_s = INFINITY;
    while (status == EW_OK && (next_s = ew_world_next_s(world)) <= c->how->until_s) {
        c->facts->n_changes++;
        status = ew_world_advance(world, next_s, err);
    }
    ew_world_free(world);
    return status;
}

/* With more changes than regimes, every k-th counts. */
static enum ew_status plan_regimes(struct clairvoyant *c, struct ew_error *err)
{
    const struct ew_setup *setup = c->how->config->setup;
    enum ew_status status = count_changes(c, err);
    if (status == EW_OK) {
        status = ew_world_new(&c->world, setup->platform, setup->dynamics, err);
    }
    if (status == EW_OK) {
        status = plan_regime(c, 0, err);
    }
    const uint64_t stride =
        ((uint64_t)c->facts->n_changes + c->how->max_regimes) / c->how->max_regimes;
    double next_s = INFINITY;
    for (uint64_t i = 1; status == EW_OK && (next_s = ew_world_next_s(c->world)) <= c->how->until_s;
         i++) {
        status = ew_world_advance(c->world, next_s, err);
        if (status == EW_OK && i % stride == 0) {
            status = plan_regime(c, next_s, err);
        }
    }
    return status;
}

static enum ew_status run_timelines(struct ew_result **out, struct clairvoyant *c,
                                    struct ew_error *err)
{
    const struct ew_point *first = &c->points.items[0];
    struct ew_point point = {.config = c->how->config,
                             .strategy = first->strategy,
                             .strategy_version = first->strategy_version,
                             .params = first->params};
    struct ew_book **books = calloc(c->n_workloads, sizeof *books);
    struct ew_point_switches *switches = calloc(c->n_workloads, sizeof *switches);
    struct ew_replan **replans = calloc(c->n_workloads, sizeof *replans);
    enum ew_status status = books && switches && replans ? EW_OK : ew_fail_memory(err);
    for (uint32_t w = 0; status == EW_OK && w < c->n_workloads; w++) {
        struct timeline *line = &c->timelines[w];
        line->book.pick = EW_PICK_ONLY;
        line->book.n_plans = (uint32_t)line->plans.count;
        line->book.plans = line->plans.items;
        books[w] = &line->book;
        switches[w] =
            (struct ew_point_switches){(uint32_t)line->switches.count, line->switches.items};
    }
    if (status == EW_OK) {
        const struct ew_point_run how = {.engine = c->how->engine};
        point.books = books;
        point.switches = switches;
        point.replans = replans;
        status = ew_point_run(out, &point, &how, err);
    }
    free(books);
    free(switches);
    free(replans);
    return status;
}

enum ew_status ew_clairvoyant_run(struct ew_result **out, struct ew_clairvoyant_facts *facts,
                                  const struct ew_clairvoyant *how, struct ew_error *err)
{
    struct clairvoyant c = {
        .how = how, .facts = facts, .n_workloads = how->config->setup->n_workloads};
    *facts = (struct ew_clairvoyant_facts){0};
    c.timelines = calloc(c.n_workloads, sizeof *c.timelines);
    enum ew_status status = c.timelines ? plan_regimes(&c, err) : ew_fail_memory(err);
    if (status == EW_OK) {
        status = run_timelines(out, &c, err);
    }
    for (size_t i = 0; i < c.points.count; i++) {
        ew_point_fini(&c.points.items[i]);
    }
    ew_vec_fini(&c.points);
    for (uint32_t w = 0; c.timelines && w < c.n_workloads; w++) {
        ew_vec_fini(&c.timelines[w].plans);
        ew_vec_fini(&c.timelines[w].switches);
    }
    free(c.timelines);
    ew_world_free(c.world);
    return status;
}
