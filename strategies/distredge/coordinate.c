#include "distredge/coordinate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/share.h"

/* A descent: the best split so far, and a candidate beside it. */
struct descent {
    const struct osds_problem *problem;
    struct osds_split *best;
    int32_t *candidate; /* like best->cuts */
    double *finish_s;
    uint64_t *n_evaluations;
    uint64_t max_evaluations;
    bool is_stopped; /* an error has been recorded */
    bool has_improved;
};

static size_t n_cuts(const struct osds_problem *problem)
{
    return (size_t)problem->n_volumes * (problem->n_parts + 1);
}

static bool is_over(const struct descent *descent)
{
    return descent->is_stopped || *descent->n_evaluations >= descent->max_evaluations;
}

/* Keep the candidate if it is better; it becomes the best again in any case. */
static void judge(struct descent *descent)
{
    const struct osds_problem *problem = descent->problem;
    size_t n_bytes = n_cuts(problem) * sizeof *descent->candidate;
    if (is_over(descent) || memcmp(descent->candidate, descent->best->cuts, n_bytes) == 0) {
        memcpy(descent->candidate, descent->best->cuts, n_bytes);
        return;
    }
    double latency_s = osds_evaluate(problem, descent->candidate, descent->finish_s);
    ++*descent->n_evaluations;
    if (latency_s < 0.0) {
        descent->is_stopped = true;
    } else if (latency_s < descent->best->latency_s * (1.0 - 1e-9)) {
        descent->best->latency_s = latency_s;
        memcpy(descent->best->cuts, descent->candidate, n_bytes);
        descent->has_improved = true;
    }
    memcpy(descent->candidate, descent->best->cuts, n_bytes);
}

/* ------------------------------------------------------------------ moves */

static int32_t *cuts_of(const struct descent *descent, int32_t *cuts, uint32_t v)
{
    return cuts + (size_t)v * (descent->problem->n_parts + 1);
}

/* Move cut i of a volume to `row`; the others give way. */
static void set_cut(int32_t *cuts, uint32_t n_parts, uint32_t i, int32_t row)
{
    for (uint32_t k = 1; k < i; k++) {
        cuts[k] = cuts[k] < row ? cuts[k] : row;
    }
    for (uint32_t k = i; k < n_parts; k++) {
        cuts[k] = k == i || cuts[k] < row ? row : cuts[k];
    }
}

/* Try cut i of volume v at `row`, alone, and with the same share in the volumes up to each one
 * behind it. */
static void try_cut(struct descent *descent, uint32_t v, uint32_t i, int32_t row)
{
    const struct osds_problem *problem = descent->problem;
    int32_t rows = problem->volumes[v].rows;
    if (row < 0 || row > rows) {
        return;
    }
    for (uint32_t end = v + 1; end <= problem->n_volumes; end++) {
        for (uint32_t u = v; u < end; u++) {
            set_cut(cuts_of(descent, descent->candidate, u), problem->n_parts, i,
                    kit_map_cut(row, rows, problem->volumes[u].rows));
        }
        judge(descent);
    }
}

/* Rows from where the cut is: near ones densely, far ones sparsely, the ends. */
static void sweep_cut(struct descent *descent, uint32_t v, uint32_t i)
{
    int32_t rows = descent->problem->volumes[v].rows;
    int32_t at = cuts_of(descent, descent->best->cuts, v)[i];
    try_cut(descent, v, i, 0);
    try_cut(descent, v, i, rows);
    for (int32_t step = 1; step <= rows; step += 1 + step / 3) {
        try_cut(descent, v, i, at - step);
        try_cut(descent, v, i, at + step);
    }
}

/* Give `n` rows of part `from` to part `to`: the cuts between them shift. */
static void shift_rows(int32_t *cuts, uint32_t from, uint32_t to, int32_t n)
{
    int32_t has = cuts[from + 1] - cuts[from];
    int32_t moved = n < has ? n : has;
    for (uint32_t k = from + 1; k <= to; k++) {
        cuts[k] -= moved;
    }
    for (uint32_t k = to + 1; k <= from; k++) {
        cuts[k] += moved;
    }
}

/* Move `n` rows from part to part in volume v, alone, and with the same share in the volumes up to
 * each one behind it. */
static void try_shift(struct descent *descent, uint32_t v, uint32_t from, uint32_t to, int32_t n)
{
    const struct osds_problem *problem = descent->problem;
    for (uint32_t end = v + 1; end <= problem->n_volumes; end++) {
        for (uint32_t u = v; u < end; u++) {
            int64_t share = (int64_t)n * problem->volumes[u].rows / problem->volumes[v].rows;
            shift_rows(cuts_of(descent, descent->candidate, u), from, to, (int32_t)share);
        }
        judge(descent);
    }
}

/* Move 1, 2, 4, … rows, at last all, between parts that are not neighbours (neighbours share a cut)
 * and all rows between any two. */
static void sweep_pair(struct descent *descent, uint32_t v, uint32_t from, uint32_t to)
{
    int32_t rows = descent->problem->volumes[v].rows;
    bool are_neighbours = from + 1 == to || to + 1 == from;
    for (int32_t n = are_neighbours ? rows : 1; n < 2 * rows; n *= 2) {
        try_shift(descent, v, from, to, n);
    }
}

/* Cut volume v like its neighbour `like`. */
static void try_like(struct descent *descent, uint32_t v, uint32_t like)
{
    const struct osds_problem *problem = descent->problem;
    kit_map_cuts(cuts_of(descent, descent->candidate, v),
                 cuts_of(descent, descent->best->cuts, like), problem->n_parts,
                 problem->volumes[like].rows, problem->volumes[v].rows);
    judge(descent);
}

static void sweep(struct descent *descent)
{
    const struct osds_problem *problem = descent->problem;
    for (uint32_t v = 0; v < problem->n_volumes && !is_over(descent); v++) {
        for (uint32_t i = 1; i < problem->n_parts; i++) {
            sweep_cut(descent, v, i);
        }
        for (uint32_t from = 0; from < problem->n_parts && !is_over(descent); from++) {
            for (uint32_t to = 0; to < problem->n_parts; to++) {
                if (to != from) {
                    sweep_pair(descent, v, from, to);
                }
            }
        }
        if (v > 0) {
            try_like(descent, v, v - 1);
        }
        if (v + 1 < problem->n_volumes) {
            try_like(descent, v, v + 1);
        }
    }
}

enum osds_outcome coordinate_improve(struct osds_split *split, uint64_t *n_evaluations,
                                     const struct osds_problem *problem, uint64_t max_evaluations)
{
    struct descent descent = {
        .problem = problem,
        .best = split,
        .candidate = calloc(n_cuts(problem), sizeof *descent.candidate),
        .finish_s = calloc(problem->n_parts, sizeof *descent.finish_s),
        .n_evaluations = n_evaluations,
        .max_evaluations = max_evaluations,
    };
    enum osds_outcome outcome = OSDS_NO_MEMORY;
    if (descent.candidate && descent.finish_s) {
        memcpy(descent.candidate, split->cuts, n_cuts(problem) * sizeof *split->cuts);
        do {
            descent.has_improved = false;
            sweep(&descent);
        } while (descent.has_improved && !is_over(&descent));
        outcome = descent.is_stopped ? OSDS_STOPPED : OSDS_FOUND;
    }
    free(descent.candidate);
    free(descent.finish_s);
    return outcome;
}

/* ------------------------------------------------------------------ starting splits */

/* The starting splits, best first. */
struct starts {
    uint32_t n;
    struct osds_split *splits;
    int32_t *memory;
    double *shares;
    int32_t *counts;
    double *finish_s;
};

static void share_out(struct starts *starts, int32_t *cuts, const struct osds_problem *problem)
{
    for (uint32_t v = 0; v < problem->n_volumes; v++) {
        kit_round_shares(starts->counts, starts->shares, problem->n_parts,
                         problem->volumes[v].rows);
        kit_cuts_from_counts(cuts + (size_t)v * (problem->n_parts + 1), starts->counts,
                             problem->n_parts);
    }
}

/* Shares of the k ablest parts in proportion; the first of equals counts as abler. */
static void choose_shares(double *shares, const double *capability, uint32_t n, uint32_t k)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t n_abler = 0;
        for (uint32_t j = 0; j < n; j++) {
            n_abler += capability[j] > capability[i] || (capability[j] == capability[i] && j < i);
        }
        shares[i] = n_abler < k ? capability[i] : 0.0;
    }
}

/* Insert by latency; equals keep their order. */
static void insert(struct starts *starts, struct osds_split split)
{
    uint32_t at = starts->n++;
    for (; at > 0 && starts->splits[at - 1].latency_s > split.latency_s; at--) {
        starts->splits[at] = starts->splits[at - 1];
    }
    starts->splits[at] = split;
}

static enum osds_outcome make_starts(struct starts *starts, uint64_t *n_evaluations,
                                     const struct osds_problem *problem, const double *capability)
{
    uint32_t n = problem->n_parts;
    for (uint32_t s = 0; s < 2 * n - 1; s++) {
        struct osds_split split = {.cuts = starts->memory + s * n_cuts(problem)};
        if (s < n) {
            for (uint32_t i = 0; i < n; i++) {
                starts->shares[i] = i == s ? 1.0 : 0.0;
            }
        } else {
            choose_shares(starts->shares, capability, n, s - n + 2);
        }
        share_out(starts, split.cuts, problem);
        split.latency_s = osds_evaluate(problem, split.cuts, starts->finish_s);
        ++*n_evaluations;
        if (split.latency_s < 0.0) {
            return OSDS_STOPPED;
        }
        insert(starts, split);
    }
    return OSDS_FOUND;
}

static enum osds_outcome improve_starts(struct osds_split *best, struct starts *starts,
                                        uint64_t *n_evaluations, const struct osds_problem *problem,
                                        const struct coordinate_options *options)
{
    best->latency_s = INFINITY;
    for (uint32_t s = 0; s < starts->n && (s == 0 || s < options->n_starts); s++) {
        struct osds_split *split = &starts->splits[s];
        enum osds_outcome outcome =
            coordinate_improve(split, n_evaluations, problem, options->max_evaluations);
        if (outcome != OSDS_FOUND) {
            return outcome;
        }
        if (s == 0 || split->latency_s < best->latency_s) {
            best->latency_s = split->latency_s;
            memcpy(best->cuts, split->cuts, n_cuts(problem) * sizeof *best->cuts);
        }
    }
    return OSDS_FOUND;
}

enum osds_outcome coordinate_search(struct osds_split *best, uint64_t *n_evaluations,
                                    const struct osds_problem *problem,
                                    const struct coordinate_options *options)
{
    size_t n = problem->n_parts;
    struct starts starts = {
        .splits = calloc(2 * n, sizeof *starts.splits),
        .memory = calloc(2 * n * n_cuts(problem), sizeof *starts.memory),
        .shares = calloc(n, sizeof *starts.shares),
        .counts = calloc(n, sizeof *starts.counts),
        .finish_s = calloc(n, sizeof *starts.finish_s),
    };
    enum osds_outcome outcome = OSDS_NO_MEMORY;
    if (starts.splits && starts.memory && starts.shares && starts.counts && starts.finish_s) {
        outcome = make_starts(&starts, n_evaluations, problem, options->capability);
        if (outcome == OSDS_FOUND) {
            outcome = improve_starts(best, &starts, n_evaluations, problem, options);
        }
    }
    free(starts.splits);
    free(starts.memory);
    free(starts.shares);
    free(starts.counts);
    free(starts.finish_s);
    return outcome;
}
