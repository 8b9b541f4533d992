#include "edgeld/edgeld_ocbp.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/share.h"

struct extremes {
    uint32_t slowest;
    uint32_t fastest;
    double most_s;
    double least_s;
    uint32_t n_slowest; /* workers that are practically as slow */
};

/* Times this close, relative, count as equal: tiles of one size at another place. */
static const double CLOSE = 1e-9;

/* Over workers with lines; the first of equals. */
static struct extremes find_extremes(const int32_t *lines, const struct edgeld_problem *problem)
{
    struct extremes e = {0, 0, -INFINITY, INFINITY, 0};
    int32_t lo = 0;
    for (uint32_t i = 0; i < problem->n; i++) {
        int32_t hi = lo + lines[i];
        double seconds = lines[i] > 0 ? problem->part_s(problem->ctx, i, lo, hi) : 0.0;
        if (lines[i] > 0 && seconds > e.most_s * (1.0 + CLOSE)) {
            e.most_s = seconds;
            e.slowest = i;
            e.n_slowest = 0;
        }
        e.n_slowest += lines[i] > 0 && seconds >= e.most_s * (1.0 - CLOSE);
        if (lines[i] > 0 && seconds < e.least_s) {
            e.least_s = seconds;
            e.fastest = i;
        }
        lo = hi;
    }
    return e;
}

/* A move helps when the gap shrinks; or, of several equally slow workers, one has got away. Never
 * when the slowest gets slower. */
static bool is_better(const struct extremes *next, const struct extremes *now)
{
    double gap_s = now->most_s - now->least_s;
    double next_gap_s = next->most_s - next->least_s;
    bool is_equal = next_gap_s <= gap_s * (1.0 + CLOSE);
    return next->most_s <= now->most_s * (1.0 + CLOSE) &&
           (next_gap_s < gap_s * (1.0 - CLOSE) || (is_equal && next->n_slowest < now->n_slowest));
}

struct edgeld_result edgeld_ocbp(int32_t *lines, const struct edgeld_problem *problem,
                                 const double *weights)
{
    kit_round_shares(lines, weights, problem->n, problem->total);
    struct extremes now = find_extremes(lines, problem);
    for (;;) {
        struct edgeld_result result = {EDGELD_BALANCED, now.slowest, now.most_s};
        if (now.most_s - now.least_s <= problem->tolerance_s) {
            return result;
        }
        result.stop = EDGELD_AT_ONE;
        if (lines[now.slowest] <= 1) {
            return result;
        }
        lines[now.slowest]--;
        lines[now.fastest]++;
        struct extremes next = find_extremes(lines, problem);
        if (!is_better(&next, &now)) {
            lines[now.slowest]++;
            lines[now.fastest]--;
            result.stop = EDGELD_NO_BETTER;
            return result;
        }
        now = next;
    }
}

static uint32_t count_active(const int32_t *lines, uint32_t n)
{
    uint32_t n_active = 0;
    for (uint32_t i = 0; i < n; i++) {
        n_active += lines[i] > 0;
    }
    return n_active;
}

/* All workers that are practically as slow as the slowest. */
static void drop_slowest(double *weights, const int32_t *lines,
                         const struct edgeld_problem *problem, double slowest_s)
{
    int32_t lo = 0;
    for (uint32_t i = 0; i < problem->n; i++) {
        int32_t hi = lo + lines[i];
        if (lines[i] > 0 && problem->part_s(problem->ctx, i, lo, hi) >= slowest_s * (1.0 - CLOSE)) {
            weights[i] = 0.0;
        }
        lo = hi;
    }
}

static bool has_weight(const double *weights, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (weights[i] > 0.0) {
            return true;
        }
    }
    return false;
}

double edgeld_share(int32_t *lines, int32_t *trial, const struct edgeld_problem *problem,
                    double *weights)
{
    struct edgeld_result result = edgeld_ocbp(lines, problem, weights);
    double best_s = result.slowest_s;
    memcpy(trial, lines, problem->n * sizeof *trial);
    while (result.stop != EDGELD_BALANCED && count_active(trial, problem->n) > 1) {
        drop_slowest(weights, trial, problem, result.slowest_s);
        if (!has_weight(weights, problem->n)) {
            break;
        }
        result = edgeld_ocbp(trial, problem, weights);
        if (result.slowest_s < best_s) {
            best_s = result.slowest_s;
            memcpy(lines, trial, problem->n * sizeof *lines);
        }
    }
    return best_s;
}
