/* Local search: small changes of a scheme, the first that helps is taken. */
#include <string.h>

#include "search.h"

/* The share that moves in the first passes. */
static const double COARSEST = 0.25;

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
    const int32_t rc = search_evaluate(s, &value, &evaluation);
    if (rc >= 0 && value < s->value[c->at] * SEARCH_WORTH) {
        scheme_copy(&s->best[c->at], &s->trial, &s->space);
        s->value[c->at] = value;
        s->found[c->at] = evaluation;
        c->is_better = true;
    }
    return rc;
}

static bool is_spent(const struct climb *c)
{
    return search_is_spent(c->s);
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
            const int32_t lines = scheme_units(&s->trial, &s->space, v);
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
    const int32_t lines = scheme_units(&s->trial, &s->space, volume);
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
    if (volume + 1 < n) {
        scheme_copy(&s->trial, now, &s->space);
        rc = scheme_join(&s->trial, &s->space, volume, s->shares) ? try_move(c) : rc;
    }
    for (uint32_t b = first; b < last && rc >= 0 && now->n == n && !is_spent(c); b++) {
        scheme_copy(&s->trial, now, &s->space);
        scheme_split(&s->trial, &s->space, volume, b, s->shares);
        rc = try_move(c);
    }
    return rc;
}

/* Along another axis. */
static int32_t move_axis(struct climb *c, uint32_t volume)
{
    struct search *s = c->s;
    int32_t rc = EW_STRATEGY_OK;
    for (int axis = 0; axis < N_AXES && rc >= 0 && !is_spent(c); axis++) {
        scheme_copy(&s->trial, &s->best[c->at], &s->space);
        const int32_t *counts = scheme_counts(&s->trial, &s->space, volume);
        const int32_t units = scheme_units(&s->trial, &s->space, volume);
        bool is_whole = false;
        for (uint32_t d = 0; d < s->space.n_devices; d++) {
            is_whole = is_whole || counts[d] == units;
        }
        if (!is_whole &&
            scheme_turn(&s->trial, &s->space, volume, (enum scheme_axis)axis, s->shares)) {
            rc = try_move(c);
        }
    }
    return rc;
}

/* A whole volume is begun to be shared out along its other axes: half of it to another device. */
static int32_t move_half(struct climb *c, uint32_t volume)
{
    struct search *s = c->s;
    int32_t rc = EW_STRATEGY_OK;
    for (int axis = 0; axis < N_AXES && rc >= 0; axis++) {
        for (uint32_t d = 0; d < s->space.n_devices && rc >= 0 && !is_spent(c); d++) {
            scheme_copy(&s->trial, &s->best[c->at], &s->space);
            int32_t *counts = scheme_counts(&s->trial, &s->space, volume);
            (void)scheme_turn(&s->trial, &s->space, volume, (enum scheme_axis)axis, s->shares);
            const int32_t units = scheme_units(&s->trial, &s->space, volume);
            uint32_t owner = EW_ID_NONE;
            for (uint32_t i = 0; i < s->space.n_devices; i++) {
                owner = counts[i] == units ? i : owner;
            }
            if (s->trial.axis[volume] == axis && units > 1 && owner != EW_ID_NONE && owner != d) {
                counts[owner] -= units / 2;
                counts[d] += units / 2;
                rc = try_move(c);
            }
        }
    }
    return rc;
}

/* Changes of axis only while large shares move: they are many, and seldom help later. */
static int32_t pass(struct climb *c, double share)
{
    const bool is_coarse = share >= COARSEST;
    int32_t rc = move_lines(c, 0, share, true);
    for (uint32_t v = 0; v < c->s->best[c->at].n && rc >= 0 && !is_spent(c); v++) {
        rc = move_lines(c, v, share, false);
        if (rc >= 0) {
            rc = move_whole(c, v, false);
        }
        if (rc >= 0 && v > 0) {
            rc = move_whole(c, v, true);
        }
        if (rc >= 0 && is_coarse && v < c->s->best[c->at].n) {
            rc = move_axis(c, v);
            rc = rc < 0 ? rc : move_half(c, v);
        }
        if (rc >= 0 && v < c->s->best[c->at].n) {
            rc = move_borders(c, v);
        }
    }
    return rc;
}

/* Halve the step when a pass brings nothing; below a line per step nothing is left to try. */
int32_t search_climb(struct search *s, int at, uint32_t limit)
{
    struct climb c = {.s = s, .at = at};
    const uint32_t budget = s->budget;
    int32_t rc = EW_STRATEGY_OK;
    double share = COARSEST;
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
