#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "common/emit.h"
#include "common/plugin.h"

/* In a row that bring nothing: most may not even fit into memory and cost no evaluation. */
enum { MOST_KICKS = 1000 };

/* Beyond any latency or energy: a plan that misses the deadline is worse than all that meet it. */
static const double LATE = 1e12;

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int32_t search_init(struct search *s)
{
    int32_t rc = scheme_init(&s->trial, &s->space);
    s->begin_s = now_s();
    s->shares = calloc(s->space.n_devices + 1u, sizeof *s->shares);
    if (rc >= 0 && !s->shares) {
        rc = kit_fail_memory(s->space.net->host);
    }
    for (int i = 0; i < N_STARTS && rc >= 0; i++) {
        s->value[i] = INFINITY;
        s->kind[i] = (enum start)i;
        rc = scheme_init(&s->best[i], &s->space);
    }
    return rc;
}

void search_fini(struct search *s)
{
    kit_draft_fini(&s->draft);
    free(s->shares);
    scheme_fini(&s->trial);
    for (int i = 0; i < N_STARTS; i++) {
        scheme_fini(&s->best[i]);
    }
}

/* ------------------------------------------------------------------ value of a scheme */

static double value_of(const struct search *s, const struct ew_evaluation *e)
{
    double value = e->latency_s;
    if (s->objective == OBJECTIVE_PERIOD) {
        value = e->period_s;
    } else if (s->objective == OBJECTIVE_ENERGY) {
        value = e->energy_j;
    } else if (s->objective == OBJECTIVE_ENERGY_UNDER_DEADLINE) {
        value = e->latency_s <= s->deadline_s ? e->energy_j : LATE + e->latency_s;
    }
    return isfinite(value) ? value : INFINITY;
}

bool search_is_spent(const struct search *s)
{
    return s->spent >= s->budget || s->is_out_of_time;
}

int32_t search_evaluate(struct search *s, double *value, struct ew_evaluation *evaluation)
{
    const struct kit_net *net = s->space.net;
    struct kit_overfull overfull;
    *value = INFINITY;
    *evaluation = (struct ew_evaluation){.struct_size = sizeof *evaluation};
    if (search_is_spent(s)) {
        return EW_STRATEGY_OK;
    }
    int32_t rc = scheme_draft(&s->draft, &s->trial, &s->space);
    if (rc >= 0) {
        rc = kit_draft_overfull(&overfull, &s->draft);
    }
    if (rc < 0 || overfull.device != EW_ID_NONE) {
        return rc;
    }
    s->spent++;
    s->is_out_of_time = now_s() - s->begin_s > s->limit_s;
    rc = s->builder->reset(s->builder);
    if (rc >= 0) {
        rc = kit_begin_plan(s->builder, net, "optimal");
    }
    if (rc >= 0) {
        rc = kit_draft_emit(&s->draft, s->builder);
    }
    if (rc < 0) {
        return rc;
    }
    rc = net->host->evaluate(net->host, s->builder, evaluation);
    if (rc == EW_STRATEGY_EINVALID) {
        return EW_STRATEGY_OK; /* no route between two of its devices */
    }
    *value = rc < 0 ? INFINITY : value_of(s, evaluation);
    return rc;
}

/* Keep s->trial when it is the best start of its kind. */
int32_t search_try_start(struct search *s, enum start kind)
{
    double value;
    struct ew_evaluation evaluation;
    const int32_t rc = search_evaluate(s, &value, &evaluation);
    if (rc >= 0 && value < s->value[kind] * SEARCH_WORTH) {
        scheme_copy(&s->best[kind], &s->trial, &s->space);
        s->value[kind] = value;
        s->found[kind] = evaluation;
    }
    return rc;
}

/* ------------------------------------------------------------------ the whole */

static double least_value(const struct search *s)
{
    double least = INFINITY;
    for (int i = 0; i < N_STARTS; i++) {
        least = fmin(least, s->value[i]);
    }
    return least;
}

static void bring_forward(struct search *s, int at)
{
    const struct scheme scheme = s->best[0];
    const double value = s->value[0];
    const enum start kind = s->kind[0];
    const struct ew_evaluation found = s->found[0];
    s->best[0] = s->best[at];
    s->value[0] = s->value[at];
    s->kind[0] = s->kind[at];
    s->found[0] = s->found[at];
    s->best[at] = scheme;
    s->value[at] = value;
    s->kind[at] = kind;
    s->found[at] = found;
}

/* ------------------------------------------------------------------ kicks */

static uint32_t draw(const struct search *s, uint32_t n)
{
    const struct ew_host *host = s->space.net->host;
    return (uint32_t)(host->rand_u64(host) % n);
}

/* Change best[1] at random: lines from one device to another, a border gone or new. */
static void kick(struct search *s)
{
    struct scheme *scheme = &s->best[1];
    const uint32_t v = draw(s, scheme->n), first = scheme_first(scheme, v);
    const uint32_t a = draw(s, s->space.n_devices), b = draw(s, s->space.n_devices);
    const uint32_t what = draw(s, 4);
    if (what == 0 && v + 1 < scheme->n) {
        (void)scheme_join(scheme, &s->space, v, s->shares);
    } else if (what == 1 && scheme->last[v] > first) {
        scheme_split(scheme, &s->space, v, first + draw(s, scheme->last[v] - first), s->shares);
    } else if (what == 2 &&
               scheme_turn(scheme, &s->space, v, (enum scheme_axis)draw(s, N_AXES), s->shares)) {
        return;
    } else {
        int32_t *counts = scheme_counts(scheme, &s->space, v);
        const int32_t k = counts[a] > 1 ? 1 + (int32_t)draw(s, (uint32_t)counts[a]) : counts[a];
        counts[a] -= k;
        counts[b] += k;
    }
}

/* With budget left at a local optimum: a few kicks, local search, keep what is better. Longer kicks
 * the longer nothing helps. */
static int32_t search_on(struct search *s)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t round = 0;
         s->is_local_optimum && rc >= 0 && !search_is_spent(s) && round < MOST_KICKS; round++) {
        double value = INFINITY;
        scheme_copy(&s->best[1], &s->best[0], &s->space);
        for (uint32_t i = 0; i < 2 + round / 4 % 8; i++) {
            kick(s);
        }
        scheme_copy(&s->trial, &s->best[1], &s->space);
        rc = rc < 0 ? rc : search_evaluate(s, &value, &s->found[1]);
        s->value[1] = value;
        if (rc >= 0 && isfinite(value)) {
            rc = search_climb(s, 1, s->budget);
        }
        if (rc >= 0 && s->value[1] < s->value[0] * SEARCH_WORTH) {
            bring_forward(s, 1);
            round = 0;
        }
        s->is_local_optimum = true; /* best[0] is one, whatever has become of best[1] */
        s->n_kicks++;
    }
    return rc;
}

static int32_t fail_all(const struct search *s)
{
    return kit_fail(s->space.net->host, EW_STRATEGY_ECANNOT,
                    "none of %u plans tried can be run: memory or routes are missing",
                    (unsigned)s->spent);
}

/* Two kinds may have the same plan: local search from one of them is enough. */
static bool is_repeated(const struct search *s, int at)
{
    for (int i = at + 1; i < N_STARTS; i++) {
        if (s->value[i] == s->value[at]) {
            return true;
        }
    }
    return false;
}

/* A part of the budget for each start, the rest for the best, which is best[0] then. */
static int32_t improve_starts(struct search *s)
{
    int32_t rc = EW_STRATEGY_OK;
    uint32_t n = 0;
    for (int i = 0; i < N_STARTS; i++) {
        n += isfinite(s->value[i]) && !is_repeated(s, i);
    }
    const uint32_t part = (s->budget - s->spent) / (n + 1);
    for (int i = N_STARTS - 1; i >= 0 && rc >= 0; i--) {
        if (isfinite(s->value[i]) && !is_repeated(s, i)) {
            rc = search_climb(s, i, s->spent + part);
        }
    }
    for (int i = 1; i < N_STARTS; i++) {
        if (s->value[i] < s->value[0]) {
            bring_forward(s, i);
        }
    }
    return rc < 0 ? rc : search_climb(s, 0, s->budget);
}

/* Every scheme where the budget suffices; else all starts, local search, and kicks. */
static int32_t search_once(struct search *s)
{
    int32_t rc = EW_STRATEGY_OK;
    s->is_exact = search_count_schemes(&s->space) <= s->budget - s->spent;
    rc = s->is_exact ? search_try_all(s) : search_try_starts(s);
    s->is_exact = s->is_exact && !s->is_out_of_time;
    if (rc >= 0 && least_value(s) == INFINITY) {
        return fail_all(s);
    }
    if (rc >= 0 && !s->is_exact) {
        rc = improve_starts(s);
        rc = rc < 0 ? rc : search_on(s);
    }
    return rc;
}

/* A fast plan is often a frugal one: with another objective, a third of the budget looks for the
 * fastest, and the search proper has it as one of its starts. */
static int32_t find_fastest(struct search *s)
{
    const enum objective objective = s->objective;
    const uint32_t budget = s->budget;
    s->objective = OBJECTIVE_LATENCY;
    s->budget = budget / 3;
    const int32_t rc = s->budget ? search_once(s) : EW_STRATEGY_OK;
    s->objective = objective;
    s->budget = budget;
    if (rc < 0 || !isfinite(s->value[0])) {
        return rc;
    }
    scheme_copy(&s->best[START_FASTEST], &s->best[0], &s->space);
    s->found[START_FASTEST] = s->found[0];
    for (int i = 0; i < N_STARTS; i++) {
        s->value[i] = INFINITY;
        s->kind[i] = (enum start)i;
    }
    s->value[START_FASTEST] = value_of(s, &s->found[START_FASTEST]);
    return rc;
}

int32_t search_run(struct search *s)
{
    const bool is_small = search_count_schemes(&s->space) <= s->budget;
    const bool is_direct = s->objective == OBJECTIVE_LATENCY || is_small;
    const int32_t rc = is_direct ? EW_STRATEGY_OK : find_fastest(s);
    return rc < 0 ? rc : search_once(s);
}

/* An accuracy below the minimum disqualifies: others may use other exits and variants. */
int32_t search_try_candidate(struct search *s, const struct ew_candidates *candidates,
                             uint32_t index)
{
    const struct ew_host *host = s->space.net->host;
    const double wanted = host->requirements(host)->min_accuracy;
    struct ew_evaluation evaluation = {.struct_size = sizeof evaluation};
    if (candidates->load(candidates, index, s->builder) < 0) {
        return EW_STRATEGY_OK;
    }
    const int32_t rc = host->evaluate(host, s->builder, &evaluation);
    if (rc < 0) {
        return rc == EW_STRATEGY_EINVALID ? EW_STRATEGY_OK : rc;
    }
    const double value = value_of(s, &evaluation);
    if (value < s->value[0] * SEARCH_WORTH && !(wanted > 0 && !(evaluation.accuracy >= wanted))) {
        s->value[0] = value;
        s->found[0] = evaluation;
        s->candidate = index;
    }
    return EW_STRATEGY_OK;
}
