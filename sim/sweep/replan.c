#include "sweep/replan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "engine/fast/heap.h"
#include "results/report.h"

/* What a strategy can see of the world. */
struct link_state {
    double bandwidth_bytes_per_s; /* 0 while it is down */
    double latency_s;
};

/* A world that has been planned for. */
struct known_world {
    uint64_t hash;
    struct link_state *links; /* owned */
    bool *is_device_up;       /* owned */
    uint32_t plan;
};

struct owned {
    struct ew_replan replan; /* first: what is handed out */
    EW_VEC(struct ew_book *) books;
    EW_VEC(double) times_s;
    EW_VEC(uint32_t) plans;
};

/* While making. */
struct making {
    const struct ew_replan_spec *spec;
    const struct ew_dynamics *dynamics;
    const struct ew_problem *problem;
    const struct ew_replan_maker *maker;
    struct owned *owned;
    struct ew_signal_cursor *cursors;
    struct ew_heap steps; /* signals by the time of their next step */
    double *bandwidth_bytes_per_s;
    bool *is_link_up;
    struct link_state *links; /* as it is */
    bool *is_device_up;
    double *planned_bytes_per_s; /* at the last plan */
    bool has_switched;           /* something went or came back since the last plan */
    struct ew_platform view;     /* the platform as it is */
    struct ew_link *view_links;
    struct ew_route *view_routes;
    EW_VEC(struct known_world) worlds;
};

/* --- the world over time --------------------------------------------------------------------- */

static void apply(struct making *m, const struct ew_signal *signal, double value)
{
    const uint32_t t = signal->target;
    switch (signal->quantity) {
    case EW_QUANTITY_LINK_BANDWIDTH:
        m->bandwidth_bytes_per_s[t] = value;
        break;
    case EW_QUANTITY_LINK_LATENCY:
        m->links[t].latency_s = value;
        break;
    case EW_QUANTITY_LINK_UP:
        m->has_switched = m->has_switched || m->is_link_up[t] != (value > 0);
        m->is_link_up[t] = value > 0;
        break;
    case EW_QUANTITY_DEVICE_UP:
        m->has_switched = m->has_switched || m->is_device_up[t] != (value > 0);
        m->is_device_up[t] = value > 0;
        break;
    default: /* speeds are not part of what strategies are told */
        return;
    }
    if (ew_quantity_is_link(signal->quantity)) {
        m->links[t].bandwidth_bytes_per_s = m->is_link_up[t] ? m->bandwidth_bytes_per_s[t] : 0;
    }
}

static void schedule(struct making *m, uint32_t i)
{
    const double next_s = ew_signal_next_s(&m->cursors[i], &m->dynamics->signals[i]);
    if (isinf(next_s)) {
        ew_heap_remove(&m->steps, i);
    } else {
        ew_heap_set(&m->steps, i, next_s);
    }
}

static void begin_world(struct making *m)
{
    const struct ew_platform *platform = m->problem->context.platform;
    for (uint32_t l = 0; l < platform->n_links; l++) {
        m->bandwidth_bytes_per_s[l] = platform->links[l].bandwidth_bytes_per_s;
        m->is_link_up[l] = true;
        m->links[l] =
            (struct link_state){m->bandwidth_bytes_per_s[l], platform->links[l].latency_s};
    }
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        m->is_device_up[d] = true;
    }
    for (uint32_t i = 0; i < m->dynamics->n_signals; i++) {
        const struct ew_signal *signal = &m->dynamics->signals[i];
        const double value = ew_signal_begin(&m->cursors[i], signal, NAN);
        if (!isnan(value)) {
            apply(m, signal, value);
        }
        schedule(m, i);
    }
}

/* Take all steps up to time_s. */
static void advance(struct making *m, double time_s)
{
    while (m->steps.count && ew_heap_first(&m->steps)->key <= time_s) {
        const uint32_t i = ew_heap_first(&m->steps)->id;
        apply(m, &m->dynamics->signals[i],
              ew_signal_step(&m->cursors[i], &m->dynamics->signals[i]));
        schedule(m, i);
    }
}

/* --- the platform as it is ------------------------------------------------------------------- */

static void view_route(struct making *m, uint32_t from, uint32_t to)
{
    const struct ew_platform *platform = m->problem->context.platform;
    struct ew_route *route = &m->view_routes[(size_t)from * platform->n_devices + to];
    *route = *ew_platform_route(platform, from, to);
    bool is_up = m->is_device_up[from] && m->is_device_up[to];
    double bottleneck = INFINITY;
    route->latency_s = 0;
    for (uint32_t i = 0; i < route->n_links; i++) {
        const struct link_state *link = &m->links[route->links[i]];
        uint32_t times = 0;
        for (uint32_t k = 0; k < route->n_links; k++) {
            times += route->links[k] == route->links[i];
        }
        is_up = is_up && link->bandwidth_bytes_per_s > 0;
        bottleneck = fmin(bottleneck, link->bandwidth_bytes_per_s / times);
        route->latency_s += link->latency_s;
    }
    route->bottleneck_bytes_per_s = bottleneck;
    if (!is_up) {
        *route = (struct ew_route){0};
    }
}

static void make_view(struct making *m)
{
    const struct ew_platform *platform = m->problem->context.platform;
    for (uint32_t l = 0; l < platform->n_links; l++) {
        m->view_links[l] = platform->links[l];
        m->view_links[l].latency_s = m->links[l].latency_s;
        if (m->links[l].bandwidth_bytes_per_s > 0) { /* else no route names it */
            m->view_links[l].bandwidth_bytes_per_s = m->links[l].bandwidth_bytes_per_s;
        }
    }
    for (uint32_t a = 0; a < platform->n_devices; a++) {
        for (uint32_t b = 0; b < platform->n_devices; b++) {
            view_route(m, a, b);
        }
    }
    m->view = *platform;
    m->view.links = m->view_links;
    m->view.routes = m->view_routes;
}

/* --- plans ----------------------------------------------------------------------------------- */

static uint64_t hash_world(const struct making *m)
{
    const struct ew_platform *platform = m->problem->context.platform;
    const uint64_t hash =
        ew_hash_bytes(EW_HASH_BEGIN, m->links, platform->n_links * sizeof *m->links);
    return ew_hash_bytes(hash, m->is_device_up, platform->n_devices * sizeof *m->is_device_up);
}

static const struct known_world *find_world(const struct making *m, uint64_t hash)
{
    const struct ew_platform *platform = m->problem->context.platform;
    for (size_t i = 0; i < m->worlds.count; i++) {
        const struct known_world *world = &m->worlds.items[i];
        if (world->hash == hash &&
            memcmp(world->links, m->links, platform->n_links * sizeof *m->links) == 0 &&
            memcmp(world->is_device_up, m->is_device_up,
                   platform->n_devices * sizeof *m->is_device_up) == 0) {
            return world;
        }
    }
    return NULL;
}

static enum ew_status remember_world(struct making *m, uint64_t hash, uint32_t plan,
                                     struct ew_error *err)
{
    const struct ew_platform *platform = m->problem->context.platform;
    struct known_world world = {
        .hash = hash,
        .links = malloc((platform->n_links + 1u) * sizeof *world.links),
        .is_device_up = malloc(platform->n_devices * sizeof *world.is_device_up),
        .plan = plan,
    };
    if (!world.links || !world.is_device_up || !ew_vec_push(&m->worlds, world)) {
        free(world.links);
        free(world.is_device_up);
        return ew_fail_memory(err);
    }
    memcpy(world.links, m->links, platform->n_links * sizeof *m->links);
    memcpy(world.is_device_up, m->is_device_up, platform->n_devices * sizeof *m->is_device_up);
    return EW_OK;
}

/* Plan for the world as it is: number of the plan, EW_NONE when there is none. */
static enum ew_status ask(struct making *m, uint32_t *plan, uint64_t *n_evaluations,
                          struct ew_error *err)
{
    struct owned *o = m->owned;
    const uint64_t hash = hash_world(m);
    const struct known_world *known = find_world(m, hash);
    if (known) {
        *plan = known->plan;
        return EW_OK;
    }
    struct ew_book *book = NULL;
    struct ew_problem problem = *m->problem;
    make_view(m);
    problem.context.platform = &m->view;
    o->replan.n_asked++;
    enum ew_status status = m->maker->plan(m->maker->ctx, &book, &problem, n_evaluations, err);
    *plan = EW_NONE;
    if (status == EW_ENOTSUP && o->books.count) {
        o->replan.n_unable++;
        status = EW_OK;
    } else if (status == EW_OK && book->n_plans != 1) {
        status = ew_fail(err, EW_ENOTSUP,
                         "--replan needs a strategy that makes one plan at a time; this one made a "
                         "book of %u",
                         book->n_plans);
        ew_book_free(book);
    } else if (status == EW_OK) {
        *plan = (uint32_t)o->books.count;
        if (!ew_vec_push(&o->books, book)) {
            ew_book_free(book);
            status = ew_fail_memory(err);
        }
    }
    return status == EW_OK ? remember_world(m, hash, *plan, err) : status;
}

/* The plan for the world of time_s comes into force when planning is over. */
static enum ew_status switch_plan(struct making *m, double time_s, struct ew_error *err)
{
    struct owned *o = m->owned;
    const struct ew_platform *platform = m->problem->context.platform;
    uint64_t n_evaluations = 0;
    uint32_t plan;
    const enum ew_status status = ask(m, &plan, &n_evaluations, err);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t l = 0; l < platform->n_links; l++) {
        m->planned_bytes_per_s[l] = m->links[l].bandwidth_bytes_per_s;
    }
    m->has_switched = false;
    const bool is_first = o->plans.count == 0;
    if (plan == EW_NONE || (!is_first && o->plans.items[o->plans.count - 1] == plan)) {
        return EW_OK;
    }
    double from_s = 0; /* the first plan is made before the run */
    if (!is_first) {
        from_s =
            time_s + m->spec->charge_s + m->spec->charge_per_evaluation_s * (double)n_evaluations;
        from_s = fmax(from_s, o->times_s.items[o->times_s.count - 1]);
    }
    return ew_vec_push(&o->times_s, from_s) && ew_vec_push(&o->plans, plan) ? EW_OK
                                                                            : ew_fail_memory(err);
}

static bool is_time_to_plan(const struct making *m)
{
    const struct ew_platform *platform = m->problem->context.platform;
    if (m->spec->when == EW_REPLAN_PERIOD || m->has_switched) {
        return true;
    }
    for (uint32_t l = 0; m->spec->when == EW_REPLAN_ON_CHANGE && l < platform->n_links; l++) {
        const double planned = m->planned_bytes_per_s[l];
        if (fabs(m->links[l].bandwidth_bytes_per_s - planned) > m->spec->change_ratio * planned) {
            return true;
        }
    }
    return false;
}

static enum ew_status plan_over_time(struct making *m, double horizon_s, struct ew_error *err)
{
    enum ew_status status = switch_plan(m, 0, err);
    uint64_t n_periods = 0;
    while (status == EW_OK && m->steps.count && m->worlds.count < EW_REPLAN_MAX_WORLDS) {
        const double time_s = m->spec->when == EW_REPLAN_PERIOD
                                  ? (double)++n_periods * m->spec->period_s
                                  : ew_heap_first(&m->steps)->key;
        if (time_s > horizon_s) {
            break;
        }
        advance(m, time_s);
        if (is_time_to_plan(m)) {
            status = switch_plan(m, time_s, err);
        }
    }
    return status;
}

/* One book of all plans, which point into the books they came in. */
static enum ew_status merge(struct ew_book **out, const struct owned *o, struct ew_error *err)
{
    struct ew_arena arena = {0};
    const uint32_t n = (uint32_t)o->books.count;
    struct ew_book *book = ew_arena_calloc(&arena, 1, sizeof *book);
    struct ew_plan **plans = ew_arena_calloc(&arena, n, sizeof(struct ew_plan *));
    bool is_whole = book && plans;
    for (uint32_t i = 0; is_whole && i < n; i++) {
        plans[i] = ew_arena_copy(&arena, o->books.items[i]->plans[0], 1, sizeof *plans[i]);
        is_whole = plans[i] != NULL;
        if (is_whole && n > 1 && plans[i]->weights == EW_WEIGHTS_RESIDENT) {
            plans[i]->weights = EW_WEIGHTS_ON_CHANGE;
        }
    }
    const char *strategy = is_whole ? ew_arena_strdup(&arena, o->books.items[0]->strategy) : NULL;
    if (!strategy) {
        ew_arena_fini(&arena);
        return ew_fail_memory(err);
    }
    book->strategy = strategy;
    book->pick = n > 1 ? EW_PICK_ONLINE : EW_PICK_ONLY;
    book->n_plans = n;
    book->plans = plans;
    book->arena = arena;
    *out = book;
    return EW_OK;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static enum ew_status making_init(struct making *m, struct ew_error *err)
{
    const struct ew_platform *platform = m->problem->context.platform;
    const size_t nl = platform->n_links + 1u, nd = platform->n_devices;
    m->cursors = calloc(m->dynamics->n_signals + 1u, sizeof *m->cursors);
    m->bandwidth_bytes_per_s = calloc(nl, sizeof *m->bandwidth_bytes_per_s);
    m->is_link_up = calloc(nl, sizeof *m->is_link_up);
    m->links = calloc(nl, sizeof *m->links);
    m->is_device_up = calloc(nd, sizeof *m->is_device_up);
    m->planned_bytes_per_s = calloc(nl, sizeof *m->planned_bytes_per_s);
    m->view_links = calloc(nl, sizeof *m->view_links);
    m->view_routes = calloc(nd * nd, sizeof *m->view_routes);
    if (!m->cursors || !m->bandwidth_bytes_per_s || !m->is_link_up || !m->links ||
        !m->is_device_up || !m->planned_bytes_per_s || !m->view_links || !m->view_routes ||
        !ew_heap_init(&m->steps, m->dynamics->n_signals)) {
        return ew_fail_memory(err);
    }
    begin_world(m);
    return EW_OK;
}

static void making_fini(struct making *m)
{
    for (size_t i = 0; i < m->worlds.count; i++) {
        free(m->worlds.items[i].links);
        free(m->worlds.items[i].is_device_up);
    }
    ew_vec_fini(&m->worlds);
    ew_heap_fini(&m->steps);
    free(m->cursors);
    free(m->bandwidth_bytes_per_s);
    free(m->is_link_up);
    free(m->links);
    free(m->is_device_up);
    free(m->planned_bytes_per_s);
    free(m->view_links);
    free(m->view_routes);
}

enum ew_status ew_replan_make(struct ew_replan **out, struct ew_book **book_out,
                              const struct ew_replan_spec *spec, const struct ew_dynamics *dynamics,
                              const struct ew_problem *problem, double horizon_s,
                              const struct ew_replan_maker *maker, struct ew_error *err)
{
    struct owned *o = calloc(1, sizeof *o);
    if (!o) {
        return ew_fail_memory(err);
    }
    struct making m = {
        .spec = spec, .dynamics = dynamics, .problem = problem, .maker = maker, .owned = o};
    enum ew_status status = making_init(&m, err);
    if (status == EW_OK) {
        status = plan_over_time(&m, horizon_s, err);
    }
    if (status == EW_OK) {
        status = merge(book_out, o, err);
    }
    making_fini(&m);
    if (status != EW_OK) {
        ew_replan_free(&o->replan);
        return status;
    }
    o->replan.schedule =
        (struct ew_plan_schedule){(uint32_t)o->plans.count, o->times_s.items, o->plans.items};
    *out = &o->replan;
    return EW_OK;
}

void ew_replan_free(struct ew_replan *replan)
{
    struct owned *o = (struct owned *)replan;
    if (!o) {
        return;
    }
    for (size_t i = 0; i < o->books.count; i++) {
        ew_book_free(o->books.items[i]);
    }
    ew_vec_fini(&o->books);
    ew_vec_fini(&o->times_s);
    ew_vec_fini(&o->plans);
    free(o);
}
