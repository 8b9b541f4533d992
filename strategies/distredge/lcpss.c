#include "distredge/lcpss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ one volume */

/* What the parts of one volume cost under one split decision, by its first unit. */
struct volume_cost {
    double ops;
    double in_elements;   /* all rows needed of the input */
    double halo_elements; /* those not made by the part itself in the volume before */
};

/* Cuts of every unit's output under a split decision: of the volume's last unit, and of the units
 * that may stand before it. */
struct decision {
    const int32_t *own;
    const int32_t *before;
};

/* Add the costs of the volumes [first, end) for every first in [lowest, end): one walk back from
 * the last unit serves them all. */
static void add_column(struct volume_cost *by_first, const struct lcpss_problem *problem,
                       uint32_t lowest, uint32_t end, const struct decision *decision)
{
    uint32_t stride = problem->n_parts + 1;
    for (uint32_t i = 0; i < problem->n_parts; i++) {
        const int32_t *last = decision->own + (size_t)(end - 1) * stride;
        struct vsl_rows rows = {last[i], last[i + 1]};
        double ops = 0.0;
        for (uint32_t u = end; u-- > lowest;) {
            const struct vsl_unit *unit = &problem->units[u];
            ops += unit->row_ops * (double)vsl_count(rows);
            rows = vsl_input(unit, problem->law, rows);
            by_first[u].ops += ops;
            by_first[u].in_elements += unit->in_elements * (double)vsl_count(rows);
            if (u > 0) {
                const int32_t *before = decision->before + (size_t)(u - 1) * stride;
                struct vsl_rows own = {before[i], before[i + 1]};
                int32_t rows_before = problem->units[u - 1].out_rows;
                rows = vsl_rescale(rows, unit->in_rows, rows_before);
                by_first[u].halo_elements += unit->in_elements * unit->in_rows / rows_before *
                                             (double)vsl_missing(rows, own);
            }
        }
    }
}

static void cut_units(int32_t *cuts, const struct lcpss_problem *problem, const double *fractions)
{
    for (uint32_t u = 0; u < problem->n_units; u++) {
        vsl_cuts(cuts + (size_t)u * (problem->n_parts + 1),
                 fractions + (size_t)u * (problem->n_parts - 1), problem->n_parts,
                 problem->units[u].out_rows);
    }
}

/* Elements of the last output that are not on the part with most of its rows. */
static double gathered(const struct lcpss_problem *problem, const int32_t *cuts)
{
    const int32_t *last = cuts + (size_t)(problem->n_units - 1) * (problem->n_parts + 1);
    const struct vsl_unit *unit = &problem->units[problem->n_units - 1];
    int32_t most = 0;
    for (uint32_t i = 0; i < problem->n_parts; i++) {
        most = last[i + 1] - last[i] > most ? last[i + 1] - last[i] : most;
    }
    return unit->out_elements * (unit->out_rows - most);
}

bool lcpss_load(struct lcpss_load *out, const struct lcpss_problem *problem, const uint32_t *starts,
                uint32_t n_volumes, const double *fractions)
{
    int32_t *cuts = calloc((size_t)problem->n_units * (problem->n_parts + 1), sizeof *cuts);
    struct volume_cost *cost = calloc(problem->n_units, sizeof *cost);
    bool has_memory = cuts && cost;
    if (has_memory) {
        cut_units(cuts, problem, fractions);
        *out = (struct lcpss_load){.gather_elements = gathered(problem, cuts)};
        const struct decision decision = {cuts, cuts};
        for (uint32_t v = 0; v < n_volumes; v++) {
            uint32_t end = v + 1 < n_volumes ? starts[v + 1] : problem->n_units;
            add_column(cost, problem, starts[v], end, &decision);
            out->ops += cost[starts[v]].ops;
            out->input_elements += starts[v] == 0 ? cost[0].in_elements : 0.0;
            out->halo_elements += cost[starts[v]].halo_elements;
        }
    }
    free(cost);
    free(cuts);
    return has_memory;
}

/* ------------------------------------------------------------------ the search */

/* Scores of all volumes [first, end), summed over the random split decisions and their pairings. A
 * scheme's score is the sum over its volumes, so a volume is weighed once however many schemes
 * contain it. All sums are of whole numbers, exact below 2^53, so equal schemes tie exactly. */
struct search {
    const struct lcpss_problem *problem;
    double *fractions;          /* [draw][unit][part] */
    struct volume_cost *column; /* scratch of one end */
    int32_t *cuts;              /* of all draws: [draw][unit][part + 1] */
    double *ops;                /* [end - 1][first] */
    double *elements;
    bool *is_known;      /* by end - 1 */
    uint32_t n_pairings; /* decisions for the unit before, per decision for the last one */
    double gather_elements;
    double ops_mean; /* of the layer-wise scheme: what O and T are divided by */
    double elements_mean;
};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void draw_splits(struct search *search, const struct draw *draw)
{
    const struct lcpss_problem *problem = search->problem;
    size_t n_cuts = problem->n_parts - 1;
    size_t n_fractions = problem->n_units * n_cuts;
    size_t n_lines = (size_t)problem->n_units * (problem->n_parts + 1);
    for (uint32_t r = 0; r < problem->n_draws; r++) {
        for (size_t i = 0; i < n_fractions; i++) {
            search->fractions[i] = draw_unit(draw);
        }
        for (uint32_t u = 0; u < problem->n_units && n_cuts > 1; u++) {
            qsort(search->fractions + u * n_cuts, n_cuts, sizeof(double), compare_doubles);
        }
        int32_t *cuts = search->cuts + r * n_lines;
        cut_units(cuts, problem, search->fractions);
        search->gather_elements += gathered(problem, cuts) * search->n_pairings;
    }
}

static void fill_column(struct search *search, uint32_t end)
{
    const struct lcpss_problem *problem = search->problem;
    size_t n_lines = (size_t)problem->n_units * (problem->n_parts + 1);
    size_t row = (size_t)(end - 1) * problem->n_units;
    memset(search->column, 0, problem->n_units * sizeof *search->column);
    for (uint32_t r = 0; r < problem->n_draws; r++) {
        for (uint32_t k = 0; k < search->n_pairings; k++) {
            uint32_t partner = (uint32_t)(((uint64_t)r + k) % problem->n_draws);
            const struct decision decision = {search->cuts + r * n_lines,
                                              search->cuts + partner * n_lines};
            add_column(search->column, problem, 0, end, &decision);
        }
    }
    for (uint32_t first = 0; first < end; first++) {
        const struct volume_cost *cost = &search->column[first];
        search->ops[row + first] = cost->ops;
        search->elements[row + first] = first == 0 ? cost->in_elements : cost->halo_elements;
    }
    search->is_known[end - 1] = true;
}

static size_t volume_index(struct search *search, uint32_t first, uint32_t end)
{
    if (!search->is_known[end - 1]) {
        fill_column(search, end);
    }
    return (size_t)(end - 1) * search->problem->n_units + first;
}

/* Mean over the draws of C for the scheme, with volume [starts[at], …) cut at `cut` as well; cut =
 * starts[at] leaves it whole. */
static double score(struct search *search, const uint32_t *starts, uint32_t n_volumes, uint32_t at,
                    uint32_t cut)
{
    double ops = 0.0;
    double elements = search->gather_elements;
    for (uint32_t v = 0; v < n_volumes; v++) {
        uint32_t end = v + 1 < n_volumes ? starts[v + 1] : search->problem->n_units;
        uint32_t first = starts[v];
        if (v == at && cut > first) {
            size_t index = volume_index(search, first, cut);
            ops += search->ops[index];
            elements += search->elements[index];
            first = cut;
        }
        size_t index = volume_index(search, first, end);
        ops += search->ops[index];
        elements += search->elements[index];
    }
    double alpha = search->problem->alpha;
    return alpha * elements / search->elements_mean + (1.0 - alpha) * ops / search->ops_mean;
}

static void find_means(struct search *search)
{
    for (uint32_t u = 0; u < search->problem->n_units; u++) {
        size_t index = volume_index(search, u, u + 1);
        search->ops_mean += search->ops[index];
        search->elements_mean += search->elements[index];
    }
    search->elements_mean += search->gather_elements;
    search->ops_mean = fmax(search->ops_mean, 1.0);
    search->elements_mean = fmax(search->elements_mean, 1.0);
}

static uint32_t best_cut(struct search *search, const uint32_t *starts, uint32_t n_volumes,
                         uint32_t at)
{
    uint32_t end = at + 1 < n_volumes ? starts[at + 1] : search->problem->n_units;
    uint32_t best = starts[at];
    double best_score = INFINITY;
    for (uint32_t j = starts[at]; j < end; j++) {
        double candidate = score(search, starts, n_volumes, at, j);
        if (candidate < best_score) {
            best_score = candidate;
            best = j;
        }
    }
    return best;
}

/* One pass: at most one new cut per volume, all judged against the scheme before the pass. */
static uint32_t pass(struct search *search, uint32_t *next, const uint32_t *starts,
                     uint32_t n_volumes)
{
    uint32_t n = 0;
    for (uint32_t v = 0; v < n_volumes; v++) {
        uint32_t cut = best_cut(search, starts, n_volumes, v);
        next[n++] = starts[v];
        if (cut > starts[v]) {
            next[n++] = cut;
        }
    }
    return n;
}

static bool allocate(struct search *search)
{
    const struct lcpss_problem *problem = search->problem;
    size_t n = problem->n_units;
    size_t n_lines = n * (problem->n_parts + 1u);
    search->fractions = calloc(n * problem->n_parts, sizeof *search->fractions);
    search->column = calloc(n, sizeof *search->column);
    search->cuts = calloc(n_lines * problem->n_draws, sizeof *search->cuts);
    search->ops = calloc(n * n, sizeof *search->ops);
    search->elements = calloc(n * n, sizeof *search->elements);
    search->is_known = calloc(n, sizeof *search->is_known);
    return search->fractions && search->column && search->cuts && search->ops && search->elements &&
           search->is_known;
}

uint32_t lcpss_search(uint32_t *starts, const struct lcpss_problem *problem,
                      const struct draw *draw)
{
    const uint32_t asked = problem->n_pairings > 0 ? problem->n_pairings : 1;
    struct search search = {
        .problem = problem,
        .n_pairings = asked < problem->n_draws ? asked : problem->n_draws,
    };
    uint32_t *next = calloc(problem->n_units, sizeof *next);
    uint32_t n_volumes = 0;
    if (next && allocate(&search)) {
        draw_splits(&search, draw);
        find_means(&search);
        starts[0] = 0;
        n_volumes = 1;
        for (;;) {
            uint32_t n = pass(&search, next, starts, n_volumes);
            if (n == n_volumes) {
                break;
            }
            memcpy(starts, next, n * sizeof *starts);
            n_volumes = n;
        }
    }
    free(next);
    free(search.fractions);
    free(search.column);
    free(search.cuts);
    free(search.ops);
    free(search.elements);
    free(search.is_known);
    return n_volumes;
}
