#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/emit.h"
#include "common/plugin.h"

/* In a row that bring nothing: most may not even fit into memory and cost no evaluation. */
enum { MOST_KICKS = 1000 };

/* Beyond any latency or energy: a plan that misses the deadline is worse than all that meet it. */
static const double LATE = 1e12;

/* An improvement must be worth more than rounding. */
static const double WORTH = 1 - 1e-9;

int32_t search_init(struct search *s)
{
    int32_t rc = scheme_init(&s->trial, &s->space);
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

/* Evaluate s->trial; INFINITY when it cannot be run or the budget is spent. */
static int32_t evaluate(struct search *s, double *value, struct ew_evaluation *evaluation)
{
    const struct kit_net *net = s->space.net;
    struct kit_overfull overfull;
    *value = INFINITY;
    *evaluation = (struct ew_evaluation){.struct_size = sizeof *evaluation};
    int32_t rc = scheme_draft(&s->draft, &s->trial, &s->space);
    if (rc >= 0) {
        rc = kit_draft_overfull(&overfull, &s->draft);
    }
    if (rc < 0 || overfull.device != EW_ID_NONE || s->spent >= s->budget) {
        return rc;
    }
    s->spent++;
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

/* ------------------------------------------------------------------ starts */

/* Keep s->trial when it is the best start of its kind. */
static int32_t try_start(struct search *s, enum start kind)
{
    double value;
    struct ew_evaluation evaluation;
    const int32_t rc = evaluate(s, &value, &evaluation);
    if (rc >= 0 && value < s->value[kind] * WORTH) {
        scheme_copy(&s->best[kind], &s->trial, &s->space);
        s->value[kind] = value;
        s->found[kind] = evaluation;
    }
    return rc;
}

static int32_t try_singles(struct search *s)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t d = 0; d < s->space.n_devices && rc >= 0; d++) {
        scheme_single(&s->trial, &s->space, d);
        rc = try_start(s, START_SINGLE);
    }
    return rc;
}

/* Blocks before `cut` on `a`, the rest on `b`. */
static int32_t try_cut(struct search *s, uint32_t cut, uint32_t a, uint32_t b)
{
    s->trial.n = 0;
    for (uint32_t k = 0; k < s->space.blocks->n; k++) {
        scheme_append_whole(&s->trial, &s->space, k, k < cut ? a : b);
    }
    return try_start(s, START_CUT);
}

/* Source first, another device then, or the other way round; at most a third of the budget. */
static int32_t try_cuts(struct search *s)
{
    const struct ew_host *host = s->space.net->host;
    const uint32_t source = host->requirements(host)->source_device;
    const uint32_t limit = s->spent + s->budget / 3;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t cut = 1; cut < s->space.blocks->n && rc >= 0; cut++) {
        for (uint32_t d = 0; d < s->space.n_devices && rc >= 0 && s->spent < limit; d++) {
            rc = d == source ? rc : try_cut(s, cut, source, d);
            if (rc >= 0 && d != source) {
                rc = try_cut(s, cut, d, source);
            }
        }
    }
    return rc;
}

/* Banded blocks in volumes of `length`, shared out by weights; other blocks on `owner`. */
static int32_t try_shared(struct search *s, uint32_t length, const double *weights, uint32_t owner)
{
    const uint32_t n = s->space.blocks->n;
    int32_t rc = EW_STRATEGY_OK;
    s->trial.n = 0;
    for (uint32_t b = 0; b < n && rc >= 0;) {
        const uint32_t run = kit_blocks_banded_run(s->space.blocks, b);
        if (run == 0) {
            scheme_append_whole(&s->trial, &s->space, b++, owner);
        } else {
            const uint32_t taken = run < length ? run : length;
            rc = scheme_append_shared(&s->trial, &s->space, b + taken - 1, weights);
            b += taken;
        }
    }
    return rc < 0 ? rc : try_start(s, START_SHARED);
}

/* The first `length` blocks as one shared volume, the rest on `owner`. */
static int32_t try_prefix(struct search *s, uint32_t length, const double *weights, uint32_t owner)
{
    s->trial.n = 0;
    int32_t rc = scheme_append_shared(&s->trial, &s->space, length - 1, weights);
    for (uint32_t b = length; b < s->space.blocks->n && rc >= 0; b++) {
        scheme_append_whole(&s->trial, &s->space, b, owner);
    }
    return rc < 0 ? rc : try_start(s, START_PREFIX);
}

static int32_t try_prefixes(struct search *s, const double *weights, uint32_t owner)
{
    const uint32_t run = kit_blocks_banded_run(s->space.blocks, 0);
    const uint32_t limit = s->spent + s->budget / 8;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t length = 1; length <= run && rc >= 0 && s->spent < limit; length++) {
        rc = try_prefix(s, length, weights, owner);
    }
    return rc;
}

static void set_weights(double *weights, const double *speed, const uint32_t *order, uint32_t m,
                        uint32_t n, bool is_equal)
{
    memset(weights, 0, n * sizeof *weights);
    for (uint32_t i = 0; i < m; i++) {
        weights[order[i]] = is_equal ? 1 : speed[order[i]];
    }
}

/* The m fastest devices by their time for the whole network, equally or in proportion, in volumes
 * of several lengths. */
static int32_t try_all_shared(struct search *s)
{
    const uint32_t n = s->space.n_devices;
    const struct ew_host *host = s->space.net->host;
    const uint32_t source = host->requirements(host)->source_device;
    uint32_t *order = malloc(n * sizeof *order);
    double *speed = malloc(2 * (size_t)n * sizeof *speed), *weights = speed ? speed + n : NULL;
    int32_t rc = order && speed ? EW_STRATEGY_OK : kit_fail_memory(host);
    for (uint32_t d = 0; d < n && rc >= 0; d++) {
        uint32_t at = d;
        speed[d] = kit_device_capability(s->space.net, d, KIT_CAPABILITY_PROFILE);
        for (; at > 0 && speed[order[at - 1]] < speed[d]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = d;
    }
    for (uint32_t m = 2; m <= n && rc >= 0 && s->spent < s->budget / 2; m++) {
        set_weights(weights, speed, order, m, n, false);
        rc = try_prefixes(s, weights, order[0]);
        for (uint32_t length = 1; length <= s->space.blocks->n * 2 && rc >= 0; length *= 2) {
            for (int equal = 0; equal < 2 && rc >= 0; equal++) {
                set_weights(weights, speed, order, m, n, equal);
                rc = try_shared(s, length, weights, order[0]);
                if (rc >= 0 && order[0] != source) {
                    rc = try_shared(s, length, weights, source);
                }
            }
        }
    }
    free(order);
    free(speed);
    return rc;
}

/* ------------------------------------------------------------------ moves */

/* Local search at one of the best; `is_better` after a move that was kept. */
struct climb {
    struct search *s;
    int at;
    bool is_better;
};

/* s->trial holds a neighbour of best[at]: keep it when it is better. */
static int32_t try_move(struct climb *c)
{
    struct search *s = c->s;
    double value;
    struct ew_evaluation evaluation;
    const int32_t rc = evaluate(s, &value, &evaluation);
    if (rc >= 0 && value < s->value[c->at] * WORTH) {
        scheme_copy(&s->best[c->at], &s->trial, &s->space);
        s->value[c->at] = value;
        s->found[c->at] = evaluation;
        c->is_better = true;
    }
    return rc;
}

static bool is_spent(const struct climb *c)
{
    return c->s->spent >= c->s->budget;
}

/* All of one volume, or of every volume from it on, to one device. */
static int32_t move_whole(struct climb *c, uint32_t volume, bool with_rest)
{
    struct search *s = c->s;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t d = 0; d < s->space.n_devices && rc >= 0 && !is_spent(c); d++) {
        scheme_copy(&s->trial, &s->best[c->at], &s->space);
        const uint32_t end = with_rest ? s->trial.n : volume + 1;
        bool is_new = false;
        for (uint32_t v = volume; v < end; v++) {
            int32_t *counts = scheme_counts(&s->trial, &s->space, v);
            const int32_t lines = scheme_lines(&s->space, s->trial.last[v]);
            is_new = is_new || counts[d] != lines;
            memset(counts, 0, s->space.n_devices * sizeof *counts);
            counts[d] = lines;
        }
        if (is_new) {
            rc = try_move(c);
        }
    }
    return rc;
}

/* A share of the lines from device a to device b, in one volume or in all of them. */
static bool shift(struct search *s, uint32_t volume, uint32_t a, uint32_t b, double share)
{
    int32_t *counts = scheme_counts(&s->trial, &s->space, volume);
    const int32_t lines = scheme_lines(&s->space, s->trial.last[volume]);
    int32_t k = (int32_t)(share * lines);
    k = k < 1 ? 1 : k;
    k = k > counts[a] ? counts[a] : k;
    counts[a] -= k;
    counts[b] += k;
    return k > 0 && lines > 1;
}

static int32_t move_lines(struct climb *c, uint32_t volume, double share, bool in_all)
{
    struct search *s = c->s;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t a = 0; a < s->space.n_devices && rc >= 0; a++) {
        for (uint32_t b = 0; b < s->space.n_devices && rc >= 0 && !is_spent(c); b++) {
            const uint32_t end = in_all ? s->best[c->at].n : volume + 1;
            bool is_new = false;
            scheme_copy(&s->trial, &s->best[c->at], &s->space);
            for (uint32_t v = in_all ? 0 : volume; v < end && a != b; v++) {
                is_new = shift(s, v, a, b, share) || is_new;
            }
            rc = is_new ? try_move(c) : rc;
        }
    }
    return rc;
}

/* Another border between volumes: none, or one more. */
static int32_t move_borders(struct climb *c, uint32_t volume)
{
    struct search *s = c->s;
    const struct scheme *now = &s->best[c->at];
    const uint32_t first = scheme_first(now, volume), last = now->last[volume], n = now->n;
    int32_t rc = EW_STRATEGY_OK;
    if (volume + 1 < now->n &&
        kit_blocks_banded_run(s->space.blocks, first) > now->last[volume + 1] - first) {
        scheme_copy(&s->trial, now, &s->space);
        scheme_join(&s->trial, &s->space, volume);
        rc = try_move(c);
    }
    for (uint32_t b = first; b < last && rc >= 0 && now->n == n && !is_spent(c); b++) {
        scheme_copy(&s->trial, now, &s->space);
        rc = scheme_split(&s->trial, &s->space, volume, b);
        rc = rc < 0 ? rc : try_move(c);
    }
    return rc;
}

static int32_t pass(struct climb *c, double share)
{
    int32_t rc = move_lines(c, 0, share, true);
    for (uint32_t v = 0; v < c->s->best[c->at].n && rc >= 0 && !is_spent(c); v++) {
        rc = move_lines(c, v, share, false);
        if (rc >= 0) {
            rc = move_whole(c, v, false);
        }
        if (rc >= 0 && v > 0) {
            rc = move_whole(c, v, true);
        }
        if (rc >= 0 && v < c->s->best[c->at].n) {
            rc = move_borders(c, v);
        }
    }
    return rc;
}

/* Halve the step when a pass brings nothing; below a line per step nothing is left to try. */
static int32_t climb(struct search *s, int at, uint32_t limit)
{
    struct climb c = {.s = s, .at = at};
    const uint32_t budget = s->budget;
    int32_t rc = EW_STRATEGY_OK;
    double share = 0.25;
    s->budget = limit < budget ? limit : budget;
    while (share >= 1.0 / 512 && rc >= 0 && !is_spent(&c)) {
        c.is_better = false;
        rc = pass(&c, share);
        share = c.is_better ? share : share / 2;
    }
    s->is_local_optimum = share < 1.0 / 512 && !is_spent(&c);
    s->budget = budget;
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
static int32_t kick(struct search *s)
{
    struct scheme *scheme = &s->best[1];
    const uint32_t v = draw(s, scheme->n), first = scheme_first(scheme, v);
    const uint32_t a = draw(s, s->space.n_devices), b = draw(s, s->space.n_devices);
    const uint32_t what = draw(s, 4);
    if (what == 0 && v + 1 < scheme->n &&
        kit_blocks_banded_run(s->space.blocks, first) > scheme->last[v + 1] - first) {
        scheme_join(scheme, &s->space, v);
    } else if (what == 1 && scheme->last[v] > first) {
        return scheme_split(scheme, &s->space, v, first + draw(s, scheme->last[v] - first));
    } else {
        int32_t *counts = scheme_counts(scheme, &s->space, v);
        const int32_t k = counts[a] > 1 ? 1 + (int32_t)draw(s, (uint32_t)counts[a]) : counts[a];
        counts[a] -= k;
        counts[b] += k;
    }
    return EW_STRATEGY_OK;
}

/* With budget left at a local optimum: a few kicks, local search, keep what is better. Longer kicks
 * the longer nothing helps. */
static int32_t search_on(struct search *s)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t round = 0;
         s->is_local_optimum && rc >= 0 && s->spent < s->budget && round < MOST_KICKS; round++) {
        double value = INFINITY;
        scheme_copy(&s->best[1], &s->best[0], &s->space);
        for (uint32_t i = 0; i < 2 + round / 4 % 8 && rc >= 0; i++) {
            rc = kick(s);
        }
        scheme_copy(&s->trial, &s->best[1], &s->space);
        rc = rc < 0 ? rc : evaluate(s, &value, &s->found[1]);
        s->value[1] = value;
        if (rc >= 0 && isfinite(value)) {
            rc = climb(s, 1, s->budget);
        }
        if (rc >= 0 && s->value[1] < s->value[0] * WORTH) {
            bring_forward(s, 1);
            round = 0;
        }
        s->is_local_optimum = true; /* best[0] is one, whatever has become of best[1] */
        s->n_kicks++;
    }
    return rc;
}

/* All starts, then local search from each; best[0] is then the best. */
static int32_t search_once(struct search *s)
{
    int32_t rc = try_singles(s);
    rc = rc < 0 ? rc : try_all_shared(s);
    rc = rc < 0 ? rc : try_cuts(s);
    if (rc >= 0 && least_value(s) == INFINITY) {
        return kit_fail(s->space.net->host, EW_STRATEGY_ECANNOT,
                        "none of %u plans tried can be run: memory or routes are missing",
                        (unsigned)s->spent);
    }
    /* a part of the budget for each start, the rest for the best */
    const uint32_t part = (s->budget - s->spent) / (N_STARTS + 1);
    for (int i = N_STARTS - 1; i >= 0 && rc >= 0; i--) {
        if (isfinite(s->value[i])) {
            rc = climb(s, i, s->spent + part);
        }
    }
    for (int i = 1; i < N_STARTS; i++) {
        if (s->value[i] < s->value[0]) {
            bring_forward(s, i);
        }
    }
    rc = rc < 0 ? rc : climb(s, 0, s->budget);
    return rc < 0 ? rc : search_on(s);
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
    const int32_t rc = s->objective == OBJECTIVE_LATENCY ? EW_STRATEGY_OK : find_fastest(s);
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
    if (value < s->value[0] * WORTH && !(wanted > 0 && !(evaluation.accuracy >= wanted))) {
        s->value[0] = value;
        s->found[0] = evaluation;
        s->candidate = index;
    }
    return EW_STRATEGY_OK;
}
