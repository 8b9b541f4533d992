#include "sweep/replan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "model/world.h"
#include "results/report.h"

/* A world that has been planned for. */
struct known_world {
    uint64_t hash;
    struct ew_link_state *links; /* owned */
    double *speed_ratio;         /* owned */
    uint32_t plan;
};

struct owned {
    struct ew_replan replan; /* first: what is handed out */
    EW_VEC(struct ew_book *) books;
    EW_VEC(double) times_s;
    EW_VEC(uint32_t) plans;
    EW_VEC(uint8_t) moves;
    bool has_moves;
};

/* While making. */
struct making {
    const struct ew_replan_how *how;
    const struct ew_dynamics *dynamics;
    const struct ew_problem *problem;
    struct owned *owned;
    struct ew_world *world;
    struct ew_link_state *planned_links; /* at the last plan */
    double *planned_speed_ratio;
    uint64_t planned_switches;
    double planned_s; /* time of the last plan */
    uint32_t causes;  /* EW_ONLINE_CAUSE_* of the moment */
    bool moves_jobs;  /* whoever observes wants jobs under way to take its last plan */
    uint64_t n_observed;
    uint64_t stride;    /* every so many changes of degree count */
    uint64_t n_graded;  /* changes of degree so far */
    uint32_t unplanned; /* number of the plan, EW_NONE: there is none */
    EW_VEC(struct known_world) worlds;
};

/* --- plans ----------------------------------------------------------------------------------- */

static uint64_t hash_world(const struct making *m)
{
    const struct ew_platform *platform = m->problem->context.platform;
    const struct ew_world_state now = ew_world_state(m->world);
    const uint64_t hash =
        ew_hash_bytes(EW_HASH_BEGIN, now.links, platform->n_links * sizeof *now.links);
    return ew_hash_bytes(hash, now.speed_ratio, platform->n_devices * sizeof *now.speed_ratio);
}

static const struct known_world *find_world(const struct making *m, uint64_t hash)
{
    const struct ew_platform *platform = m->problem->context.platform;
    const struct ew_world_state now = ew_world_state(m->world);
    for (size_t i = 0; i < m->worlds.count; i++) {
        const struct known_world *world = &m->worlds.items[i];
        if (world->hash == hash &&
            memcmp(world->links, now.links, platform->n_links * sizeof *now.links) == 0 &&
            memcmp(world->speed_ratio, now.speed_ratio,
                   platform->n_devices * sizeof *now.speed_ratio) == 0) {
            return world;
        }
    }
    return NULL;
}

static enum ew_status remember_world(struct making *m, uint64_t hash, uint32_t plan,
                                     struct ew_error *err)
{
    const struct ew_platform *platform = m->problem->context.platform;
    const struct ew_world_state now = ew_world_state(m->world);
    struct known_world world = {
        .hash = hash,
        .links = malloc((platform->n_links + 1u) * sizeof *world.links),
        .speed_ratio = malloc(platform->n_devices * sizeof *world.speed_ratio),
        .plan = plan,
    };
    if (!world.links || !world.speed_ratio || !ew_vec_push(&m->worlds, world)) {
        free(world.links);
        free(world.speed_ratio);
        return ew_fail_memory(err);
    }
    memcpy(world.links, now.links, platform->n_links * sizeof *now.links);
    memcpy(world.speed_ratio, now.speed_ratio, platform->n_devices * sizeof *now.speed_ratio);
    return EW_OK;
}

/* Takes the book. A plan that says what an earlier one says is that one: nothing is loaded. */
static enum ew_status keep_book(struct making *m, uint32_t *plan, struct ew_book *book,
                                struct ew_error *err)
{
    struct owned *o = m->owned;
    for (size_t i = 0; i < o->books.count; i++) {
        if (ew_plan_equal(o->books.items[i]->plans[0], book->plans[0], m->problem->context.graph)) {
            *plan = (uint32_t)i;
            ew_book_free(book);
            return EW_OK;
        }
    }
    *plan = (uint32_t)o->books.count;
    if (ew_vec_push(&o->books, book)) {
        return EW_OK;
    }
    ew_book_free(book);
    return ew_fail_memory(err);
}

/* Tell whoever stays for the run: number of the plan it wants, EW_NONE to keep the one in force. */
static enum ew_status tell(struct making *m, uint32_t *plan, double time_s, uint64_t *n_evaluations,
                           struct ew_error *err)
{
    struct owned *o = m->owned;
    const struct ew_replan_maker *maker = m->how->maker;
    struct ew_book *book = NULL;
    struct ew_problem problem = *m->problem;
    const struct ew_observation now = {
        .struct_size = sizeof now,
        .causes = m->causes,
        .time_s = time_s,
        .planned_s = m->planned_s,
        .number = ++m->n_observed,
    };
    *plan = EW_NONE;
    enum ew_status status = ew_world_platform(&problem.context.platform, m->world, err);
    if (status != EW_OK) {
        return status;
    }
    o->replan.n_asked++;
    status = maker->observe(maker->ctx, &book, &problem, &now, n_evaluations, err);
    if (status == EW_ENOTSUP) {
        o->replan.n_unable++;
        return EW_OK;
    }
    if (status != EW_OK || !book) {
        return status;
    }
    m->planned_s = time_s;
    m->moves_jobs = book->moves_jobs;
    return keep_book(m, plan, book, err);
}

/* Plan for the world as it is: number of the plan, EW_NONE when there is none. */
static enum ew_status ask(struct making *m, uint32_t *plan, double time_s, uint64_t *n_evaluations,
                          struct ew_error *err)
{
    if (m->how->maker->observe && m->owned->books.count) {
        return tell(m, plan, time_s, n_evaluations, err);
    }
    struct owned *o = m->owned;
    const uint64_t hash = hash_world(m);
    const struct known_world *known = find_world(m, hash);
    if (known) {
        *plan = known->plan;
        return EW_OK;
    }
    struct ew_book *book = NULL;
    struct ew_problem problem = *m->problem;
    const struct ew_replan_maker *maker = m->how->maker;
    *plan = EW_NONE;
    enum ew_status status = ew_world_platform(&problem.context.platform, m->world, err);
    if (status != EW_OK) {
        return status;
    }
    o->replan.n_asked++;
    status = maker->plan(maker->ctx, &book, &problem, n_evaluations, err);
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
        status = keep_book(m, plan, book, err);
    }
    return status == EW_OK ? remember_world(m, hash, *plan, err) : status;
}

static void note_planned(struct making *m)
{
    const struct ew_platform *platform = m->problem->context.platform;
    const struct ew_world_state now = ew_world_state(m->world);
    memcpy(m->planned_links, now.links, platform->n_links * sizeof *now.links);
    memcpy(m->planned_speed_ratio, now.speed_ratio, platform->n_devices * sizeof *now.speed_ratio);
    m->planned_switches = now.n_switches;
}

/* Plans that may be chosen from: in force, asked for, a few that were in force, unplanned. */
enum { MAX_RECENT = 4, MAX_CHOICES = MAX_RECENT + 3 };

/* What is in force as long as nothing else is: EW_NONE when nothing is. */
static uint32_t plan_in_force(const struct making *m)
{
    const struct owned *o = m->owned;
    return o->plans.count ? o->plans.items[o->plans.count - 1] : m->unplanned;
}

static void add_choice(uint32_t *choices, uint32_t *n, uint32_t plan)
{
    for (uint32_t i = 0; i < *n; i++) {
        if (choices[i] == plan) {
            return;
        }
    }
    if (plan != EW_NONE && *n < MAX_CHOICES) {
        choices[(*n)++] = plan;
    }
}

/* Let the controller choose between the plan in force, the one that the strategy wants, and those
 * that were in force before. */
static enum ew_status weigh(const struct making *m, uint32_t *plan, struct ew_error *err)
{
    const struct owned *o = m->owned;
    const struct ew_replan_maker *maker = m->how->maker;
    const uint32_t in_force = plan_in_force(m);
    if (!maker->choose || in_force == EW_NONE) {
        return EW_OK;
    }
    uint32_t choices[MAX_CHOICES], n = 0, chosen = 0;
    add_choice(choices, &n, in_force);
    add_choice(choices, &n, *plan);
    const bool is_asked = n == 2;
    for (size_t i = o->plans.count; i > 0 && n < MAX_CHOICES - 1; i--) {
        add_choice(choices, &n, o->plans.items[i - 1]);
    }
    add_choice(choices, &n, m->unplanned);
    const struct ew_plan *plans[MAX_CHOICES];
    for (uint32_t i = 0; i < n; i++) {
        plans[i] = o->books.items[choices[i]]->plans[0];
    }
    struct ew_problem problem = *m->problem;
    enum ew_status status =
        n > 1 ? ew_world_platform(&problem.context.platform, m->world, err) : EW_OK;
    if (status == EW_OK && n > 1) {
        status = maker->choose(maker->ctx, &chosen, &problem, plans, n, is_asked, err);
    }
    *plan = choices[chosen];
    return status;
}

/* The plan for the world of time_s comes into force when planning is over. */
static enum ew_status switch_plan(struct making *m, double time_s, uint64_t *n_evaluations,
                                  struct ew_error *err)
{
    struct owned *o = m->owned;
    const struct ew_replan_spec *spec = &m->how->spec;
    uint32_t plan;
    *n_evaluations = 0;
    m->moves_jobs = false;
    enum ew_status status = ask(m, &plan, time_s, n_evaluations, err);
    if (status == EW_OK) {
        status = weigh(m, &plan, err);
    }
    if (status != EW_OK) {
        return status;
    }
    note_planned(m);
    const bool is_first = o->plans.count == 0;
    if (plan == EW_NONE || (!is_first && o->plans.items[o->plans.count - 1] == plan)) {
        return EW_OK;
    }
    double from_s = 0; /* the first plan is made before the run */
    if (!is_first) {
        from_s = time_s + spec->charge_s + spec->charge_per_evaluation_s * (double)*n_evaluations;
        from_s = fmax(from_s, o->times_s.items[o->times_s.count - 1]);
    }
    const uint8_t moves = m->moves_jobs || spec->moves_jobs;
    o->has_moves = o->has_moves || moves;
    return ew_vec_push(&o->times_s, from_s) && ew_vec_push(&o->plans, plan) &&
                   ew_vec_push(&o->moves, moves)
               ? EW_OK
               : ew_fail_memory(err);
}

static bool differs(double now, double planned, double ratio)
{
    return fabs(now - planned) > ratio * planned;
}

static bool has_changed_by_degree(const struct making *m)
{
    const struct ew_platform *platform = m->problem->context.platform;
    const struct ew_world_state now = ew_world_state(m->world);
    const double ratio = m->how->spec.change_ratio;
    for (uint32_t l = 0; l < platform->n_links; l++) {
        const struct ew_link_state *planned = &m->planned_links[l];
        if (differs(now.links[l].bandwidth_bytes_per_s, planned->bandwidth_bytes_per_s, ratio) ||
            differs(now.links[l].latency_s, planned->latency_s, ratio)) {
            return true;
        }
    }
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        if (differs(now.speed_ratio[d], m->planned_speed_ratio[d], ratio)) {
            return true;
        }
    }
    return false;
}

static bool is_time_to_plan(struct making *m)
{
    const enum ew_replan_when when = m->how->spec.when;
    m->causes = when == EW_REPLAN_PERIOD ? EW_ONLINE_CAUSE_PERIOD : 0;
    if (ew_world_state(m->world).n_switches != m->planned_switches) {
        m->causes |= EW_ONLINE_CAUSE_SWITCH;
    }
    if (!m->causes && when == EW_REPLAN_ON_CHANGE && has_changed_by_degree(m) &&
        ++m->n_graded % m->stride == 0) {
        m->causes = EW_ONLINE_CAUSE_DEGREE;
    }
    return m->causes != 0;
}

/* Nothing more can be learned, or it would be too much. */
static bool is_at_end(const struct making *m)
{
    const bool samples = m->how->maker->observe && m->how->spec.when == EW_REPLAN_PERIOD;
    return (isinf(ew_world_next_s(m->world)) && !samples) ||
           m->worlds.count >= EW_REPLAN_MAX_WORLDS ||
           m->owned->books.count >= EW_REPLAN_MAX_WORLDS ||
           m->n_observed >= EW_REPLAN_MAX_OBSERVATIONS;
}

/* Moments at which anything changes. */
static enum ew_status count_changes(const struct making *m, uint64_t *n, struct ew_error *err)
{
    struct ew_world *world = NULL;
    const enum ew_status status =
        ew_world_new(&world, m->problem->context.platform, m->dynamics, err);
    *n = 0;
    for (double next_s; status == EW_OK && (next_s = ew_world_next_s(world)) <= m->how->horizon_s;
         ++*n) {
        ew_world_advance(world, next_s);
    }
    ew_world_free(world);
    return status;
}

/* So that no more than the allowed number of plans is made, at what the first one took. */
static enum ew_status choose_stride(struct making *m, uint64_t n_evaluations, struct ew_error *err)
{
    uint64_t n_plans = m->how->max_plans;
    m->stride = 1;
    if (n_plans == 0) {
        return EW_OK;
    }
    if (n_evaluations && m->how->max_evaluations / n_evaluations < n_plans) {
        n_plans = m->how->max_evaluations / n_evaluations;
    }
    n_plans = n_plans > 1 ? n_plans - 1 : 1; /* the first is made */
    uint64_t n_changes;
    const enum ew_status status = count_changes(m, &n_changes, err);
    m->owned->replan.n_changes = n_changes;
    m->stride = n_changes > n_plans ? (n_changes + n_plans - 1) / n_plans : 1;
    return status;
}

static enum ew_status plan_over_time(struct making *m, struct ew_error *err)
{
    const struct ew_replan_spec *spec = &m->how->spec;
    uint64_t n_evaluations, n_periods = 0;
    enum ew_status status = switch_plan(m, 0, &n_evaluations, err);
    if (status == EW_OK) {
        status = choose_stride(m, n_evaluations, err);
    }
    while (status == EW_OK && !is_at_end(m)) {
        const double time_s = spec->when == EW_REPLAN_PERIOD ? (double)++n_periods * spec->period_s
                                                             : ew_world_next_s(m->world);
        if (time_s > m->how->horizon_s) {
            break;
        }
        ew_world_advance(m->world, time_s);
        if (is_time_to_plan(m)) {
            status = switch_plan(m, time_s, &n_evaluations, err);
        }
    }
    return status;
}

/* One book of all plans, which point into the books they came in. */
static enum ew_status merge(struct ew_book **out, const struct owned *o, bool keeps_weights,
                            struct ew_error *err)
{
    struct ew_arena arena = {0};
    const uint32_t n = (uint32_t)o->books.count;
    struct ew_book *book = ew_arena_calloc(&arena, 1, sizeof *book);
    struct ew_plan **plans = ew_arena_calloc(&arena, n, sizeof(struct ew_plan *));
    bool is_whole = book && plans;
    for (uint32_t i = 0; is_whole && i < n; i++) {
        plans[i] = ew_arena_copy(&arena, o->books.items[i]->plans[0], 1, sizeof *plans[i]);
        is_whole = plans[i] != NULL;
        if (is_whole && !keeps_weights && n > 1 && plans[i]->weights == EW_WEIGHTS_RESIDENT) {
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
    m->planned_links = calloc(platform->n_links + 1u, sizeof *m->planned_links);
    m->planned_speed_ratio = calloc(platform->n_devices, sizeof *m->planned_speed_ratio);
    if (!m->planned_links || !m->planned_speed_ratio) {
        return ew_fail_memory(err);
    }
    return ew_world_new(&m->world, platform, m->dynamics, err);
}

/* What would be in force without planning anew is a plan like others. */
static enum ew_status take_unplanned(struct making *m, struct ew_error *err)
{
    struct ew_book *book = m->how->unplanned;
    m->unplanned = EW_NONE;
    if (!book || book->n_plans != 1 || !m->how->maker->choose) {
        return EW_OK;
    }
    m->unplanned = 0;
    return ew_vec_push(&m->owned->books, book) ? EW_OK : ew_fail_memory(err);
}

/* A book that was only lent until all has gone well. */
static void give_back_unplanned(struct making *m)
{
    struct owned *o = m->owned;
    if (m->unplanned != EW_NONE && o->books.count) {
        o->books.items[0] = NULL;
    }
}

static void making_fini(struct making *m)
{
    for (size_t i = 0; i < m->worlds.count; i++) {
        free(m->worlds.items[i].links);
        free(m->worlds.items[i].speed_ratio);
    }
    ew_vec_fini(&m->worlds);
    ew_world_free(m->world);
    free(m->planned_links);
    free(m->planned_speed_ratio);
}

enum ew_status ew_replan_make(struct ew_replan **out, struct ew_book **book_out,
                              const struct ew_replan_how *how, const struct ew_dynamics *dynamics,
                              const struct ew_problem *problem, struct ew_error *err)
{
    struct owned *o = calloc(1, sizeof *o);
    if (!o) {
        return ew_fail_memory(err);
    }
    struct making m = {.how = how, .dynamics = dynamics, .problem = problem, .owned = o};
    enum ew_status status = take_unplanned(&m, err);
    if (status == EW_OK) {
        status = making_init(&m, err);
    }
    if (status == EW_OK) {
        status = plan_over_time(&m, err);
    }
    if (status == EW_OK) {
        status = merge(book_out, o, how->keeps_weights, err);
    }
    making_fini(&m);
    if (status != EW_OK) {
        give_back_unplanned(&m);
        ew_replan_free(&o->replan);
        return status;
    }
    if (how->unplanned && m.unplanned == EW_NONE) {
        ew_book_free(how->unplanned);
    }
    o->replan.schedule = (struct ew_plan_schedule){.n = (uint32_t)o->plans.count,
                                                   .times_s = o->times_s.items,
                                                   .plans = o->plans.items,
                                                   .moves = o->moves.items,
                                                   .moves_jobs = o->has_moves};
    *out = &o->replan;
    return EW_OK;
}

enum ew_status ew_replan_copy(struct ew_replan **out, const struct ew_replan *given,
                              struct ew_error *err)
{
    struct owned *o = calloc(1, sizeof *o);
    bool is_whole = o != NULL;
    for (uint32_t i = 0; is_whole && i < given->schedule.n; i++) {
        is_whole = ew_vec_push(&o->times_s, given->schedule.times_s[i]) &&
                   ew_vec_push(&o->plans, given->schedule.plans[i]) &&
                   ew_vec_push(&o->moves, given->schedule.moves[i]);
    }
    if (!is_whole) {
        ew_replan_free(o ? &o->replan : NULL);
        return ew_fail_memory(err);
    }
    o->replan = *given;
    o->replan.schedule.times_s = o->times_s.items;
    o->replan.schedule.plans = o->plans.items;
    o->replan.schedule.moves = o->moves.items;
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
    ew_vec_fini(&o->moves);
    free(o);
}
