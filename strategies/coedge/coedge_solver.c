#include "coedge/coedge_solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coedge/coedge_program.h"
#include "common/share.h"

/* Up to here devices are eliminated one by one and every smaller set is tried; beyond, in batches,
 * so that the number of linear programs grows with the logarithm. */
enum { ONE_BY_ONE_DEVICES = 16 };

/* Up to here rounding is repaired by looking at every pair of devices. */
enum { PAIRWISE_DEVICES = 8 };

/* Shares come out of the simplex with about this relative error. */
static const double SHARE_TOLERANCE = 1e-6;

struct search {
    const struct coedge_problem *problem;
    const struct coedge_options *options;
    struct coedge_program *program;
    enum coedge_objective objective; /* of the current attempt */
    uint32_t n;
    bool *is_active;
    bool *is_raised;
    double *shares;
    double *trial;
    int32_t *rows;
    uint32_t *by_capability; /* device numbers, the most capable first */
    struct coedge_cost relaxed;
    struct coedge_cost cost; /* of rows */
    struct coedge_scratch scratch;
    uint32_t n_programs;
    bool solver_failed;
};

/* ------------------------------------------------------------------ relaxation */

static double objective_of(const struct search *search, const struct coedge_cost *cost)
{
    return search->objective == COEDGE_MIN_LATENCY ? cost->s : cost->j;
}

static bool relax(struct search *search, double *shares, struct coedge_cost *cost)
{
    struct coedge_relaxation relaxation = {
        .minimises_latency = search->objective == COEDGE_MIN_LATENCY,
        .has_deadline = search->objective == COEDGE_MIN_ENERGY,
        .is_active = search->is_active,
        .is_raised = search->is_raised,
    };
    search->n_programs++;
    enum clp_outcome outcome = coedge_program_relax(search->program, &relaxation, shares, cost);
    search->solver_failed = search->solver_failed || outcome == CLP_FAILED;
    return outcome == CLP_OPTIMAL;
}

/* The active device with the smallest share below the threshold; n when there is none. Of equal
 * shares the later in the chain. */
static uint32_t find_small(const struct search *search)
{
    uint32_t smallest = search->n;
    double threshold = search->problem->threshold_rows - SHARE_TOLERANCE * search->problem->rows;
    for (uint32_t i = 0; i < search->n; i++) {
        bool is_small = search->is_active[i] && !search->is_raised[i] &&
                        search->shares[i] * search->problem->rows < threshold;
        if (is_small && (smallest == search->n || search->shares[i] <= search->shares[smallest])) {
            smallest = i;
        }
    }
    return smallest;
}

static uint32_t count_active(const struct search *search)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < search->n; i++) {
        n += search->is_active[i];
    }
    return n;
}

/* Drop device `small` from S, or raise it to the threshold when that is feasible and cheaper (or
 * dropping is infeasible). */
static bool drop_or_raise(struct search *search, uint32_t small)
{
    struct coedge_cost dropped = {0.0, 0.0};
    struct coedge_cost raised = {0.0, 0.0};
    search->is_active[small] = false;
    bool can_drop = count_active(search) > 0 && relax(search, search->shares, &dropped);
    if (search->options->has_repair) {
        search->is_active[small] = true;
        search->is_raised[small] = true;
        bool can_raise = relax(search, search->trial, &raised);
        if (can_raise &&
            (!can_drop || objective_of(search, &raised) < objective_of(search, &dropped))) {
            memcpy(search->shares, search->trial, search->n * sizeof *search->shares);
            search->relaxed = raised;
            return true;
        }
        search->is_active[small] = false;
        search->is_raised[small] = false;
    }
    search->relaxed = dropped;
    return can_drop;
}

/* Many devices: drop the smallest quarter of those below the threshold at once. */
static bool drop_batch(struct search *search)
{
    uint32_t n_small = 0;
    double threshold = search->problem->threshold_rows - SHARE_TOLERANCE * search->problem->rows;
    for (uint32_t i = 0; i < search->n; i++) {
        n_small += search->is_active[i] && search->shares[i] * search->problem->rows < threshold;
    }
    for (uint32_t k = 0; k < n_small / 4 + 1; k++) {
        uint32_t small = find_small(search);
        if (small < search->n && count_active(search) > 1) {
            search->is_active[small] = false;
        }
    }
    return relax(search, search->shares, &search->relaxed);
}

/* From the set is_active to shares that are 0 or at least the threshold. */
static bool eliminate(struct search *search)
{
    bool is_feasible = relax(search, search->shares, &search->relaxed);
    while (is_feasible) {
        uint32_t small = find_small(search);
        if (small == search->n) {
            return true;
        }
        is_feasible = count_active(search) > ONE_BY_ONE_DEVICES ? drop_batch(search)
                                                                : drop_or_raise(search, small);
    }
    return false;
}

/* ------------------------------------------------------------------ rows */

static void round_rows(struct search *search)
{
    int32_t total = search->problem->rows;
    for (uint32_t i = 0; i < search->n; i++) {
        double exact = search->is_active[i] ? search->shares[i] * total : 0.0;
        double whole = nearbyint(exact);
        search->trial[i] = fabs(exact - whole) < SHARE_TOLERANCE * total ? whole : exact;
    }
    kit_round_shares(search->rows, search->trial, search->n, total);
}

static void evaluate_rows(struct search *search)
{
    search->cost = coedge_evaluate(search->problem, search->rows, &search->scratch);
}

static bool meets_deadline(const struct search *search)
{
    return search->cost.s <= search->problem->deadline_s * (1.0 + 1e-9);
}

static bool can_give(const struct search *search, uint32_t device)
{
    return search->rows[device] > search->problem->threshold_rows;
}

static bool can_take(const struct search *search, uint32_t device)
{
    return search->rows[device] > 0 &&
           search->rows[device] < search->problem->devices[device].max_rows;
}

/* Move one row if that shortens the run. */
static bool move_row(struct search *search, uint32_t donor, uint32_t receiver)
{
    double before_s = search->cost.s;
    search->rows[donor]--;
    search->rows[receiver]++;
    evaluate_rows(search);
    if (search->cost.s < before_s) {
        return true;
    }
    search->rows[donor]++;
    search->rows[receiver]--;
    evaluate_rows(search);
    return false;
}

/* The device that is most often the slowest and can give a row. */
static uint32_t find_donor(const struct search *search)
{
    uint32_t donor = search->n;
    for (uint32_t i = 0; i < search->n; i++) {
        if (can_give(search, i) && (donor == search->n || search->scratch.n_slowest[i] >
                                                              search->scratch.n_slowest[donor])) {
            donor = i;
        }
    }
    return donor;
}

/* The active device that waits longest and can take a row. */
static uint32_t find_receiver(const struct search *search, uint32_t donor)
{
    uint32_t receiver = search->n;
    for (uint32_t i = 0; i < search->n; i++) {
        if (i != donor && can_take(search, i) &&
            (receiver == search->n ||
             search->scratch.slack_s[i] > search->scratch.slack_s[receiver])) {
            receiver = i;
        }
    }
    return receiver;
}

/* From the bottleneck to the device with most slack; when that does not help, any move that does.
 */
static bool move_some_row(struct search *search)
{
    uint32_t donor = find_donor(search);
    uint32_t receiver = find_receiver(search, donor);
    if (donor == search->n || receiver == search->n) {
        return false;
    }
    if (move_row(search, donor, receiver)) {
        return true;
    }
    for (donor = 0; donor < search->n && search->n <= PAIRWISE_DEVICES; donor++) {
        for (receiver = 0; receiver < search->n && can_give(search, donor); receiver++) {
            if (receiver != donor && can_take(search, receiver) &&
                move_row(search, donor, receiver)) {
                return true;
            }
        }
    }
    return false;
}

/* Rounding may have cost the deadline: move single rows while that shortens the run. When latency
 * is the objective, as long as it helps. */
static void polish_rows(struct search *search)
{
    for (int32_t step = 0; step < search->problem->rows; step++) {
        if ((search->objective == COEDGE_MIN_ENERGY && meets_deadline(search)) ||
            !move_some_row(search)) {
            return;
        }
    }
}

/* Run the algorithm from the set is_active. */
static bool attempt(struct search *search, enum coedge_objective objective)
{
    search->objective = objective;
    for (uint32_t i = 0; i < search->n; i++) {
        search->is_raised[i] = search->options->keeps_all && search->is_active[i];
    }
    if (!eliminate(search)) {
        return false;
    }
    round_rows(search);
    evaluate_rows(search);
    polish_rows(search);
    return true;
}

/* ------------------------------------------------------------------ sets */

/* S = the n_active most capable devices. */
static void activate(struct search *search, uint32_t n_active)
{
    for (uint32_t k = 0; k < search->n; k++) {
        search->is_active[search->by_capability[k]] = k < n_active;
    }
}

/* S = every device whose share by capability alone is at least a row; a source that only asks is
 * none. */
static void activate_able(struct search *search)
{
    const struct coedge_device *devices = search->problem->devices;
    double total = 0.0;
    for (uint32_t i = 0; i < search->n; i++) {
        total += devices[i].capability;
    }
    for (uint32_t i = 0; i < search->n; i++) {
        search->is_active[i] = devices[i].capability * search->problem->rows >= total;
    }
}

/* No more devices can be active than thresholds fit into the rows. */
static uint32_t largest_set(const struct search *search)
{
    int32_t most = search->problem->rows / search->problem->threshold_rows;
    uint32_t limit = most < 1 ? 1 : (uint32_t)most;
    return limit < search->n ? limit : search->n;
}

/* The best split so far. */
struct best {
    struct coedge_solution *solution;
    bool exists;
};

/* Keep the split in `search` when it is the first or better; for energy only if it is in time. */
static bool keep_better(struct best *best, const struct search *search)
{
    struct coedge_solution *solution = best->solution;
    bool is_valid = search->objective == COEDGE_MIN_LATENCY || meets_deadline(search);
    if (!is_valid || (best->exists && objective_of(search, &search->cost) >=
                                          objective_of(search, &solution->cost))) {
        return false;
    }
    memcpy(solution->rows, search->rows, search->n * sizeof *solution->rows);
    solution->cost = search->cost;
    best->exists = true;
    return true;
}

/* All rows on one device: needs no linear program. */
static bool try_single(struct search *search, struct best *best, uint32_t device)
{
    if (search->problem->devices[device].max_rows < search->problem->rows) {
        return false;
    }
    for (uint32_t i = 0; i < search->n; i++) {
        search->rows[i] = i == device ? search->problem->rows : 0;
    }
    evaluate_rows(search);
    return keep_better(best, search);
}

static bool try_set(struct search *search, struct best *best, enum coedge_objective objective)
{
    return attempt(search, objective) && keep_better(best, search);
}

/* Try every device alone, the master with every other one, and the k most capable for ever smaller
 * k. The halos' cost depends on the set but not on the shares, so the program for a large set does
 * not see what leaving devices out would save. */
static bool try_smaller_sets(struct search *search, struct best *best,
                             enum coedge_objective objective)
{
    bool is_better = false;
    search->objective = objective;
    for (uint32_t i = 0; i < search->n; i++) {
        is_better = try_single(search, best, i) || is_better;
    }
    for (uint32_t i = 1; i < search->n && search->n <= ONE_BY_ONE_DEVICES; i++) {
        memset(search->is_active, 0, search->n * sizeof *search->is_active);
        search->is_active[0] = true;
        search->is_active[i] = true;
        is_better = try_set(search, best, objective) || is_better;
    }
    for (uint32_t k = largest_set(search); k > 1;) {
        activate(search, k);
        is_better = try_set(search, best, objective) || is_better;
        k = k > ONE_BY_ONE_DEVICES ? k / 2 : k - 1;
    }
    return is_better;
}

static void rank_devices(struct search *search)
{
    const struct coedge_device *devices = search->problem->devices;
    for (uint32_t i = 0; i < search->n; i++) {
        uint32_t at = i;
        for (; at > 0 && devices[search->by_capability[at - 1]].capability < devices[i].capability;
             at--) {
            search->by_capability[at] = search->by_capability[at - 1];
        }
        search->by_capability[at] = i;
    }
}

static enum coedge_outcome run(struct search *search, struct coedge_solution *solution)
{
    const struct coedge_options *options = search->options;
    struct best best = {.solution = solution};
    if (options->keeps_all) {
        activate_able(search);
        if (attempt(search, options->objective) && keep_better(&best, search)) {
            return COEDGE_SOLVED;
        }
    }
    if (options->objective == COEDGE_MIN_ENERGY) {
        activate(search, largest_set(search));
        bool is_found = attempt(search, COEDGE_MIN_ENERGY) && keep_better(&best, search);
        if (is_found && !options->has_wide_search) {
            return COEDGE_SOLVED;
        }
        if (!is_found && !options->has_fallback) {
            return COEDGE_INFEASIBLE;
        }
        solution->used_fallback = try_smaller_sets(search, &best, COEDGE_MIN_ENERGY);
        if (best.exists) {
            return COEDGE_SOLVED;
        }
        solution->used_fallback = true;
    } else if (!options->has_wide_search) {
        activate(search, largest_set(search));
        if (attempt(search, COEDGE_MIN_LATENCY) && keep_better(&best, search)) {
            return COEDGE_SOLVED;
        }
    }
    if (!try_smaller_sets(search, &best, COEDGE_MIN_LATENCY)) {
        return COEDGE_INFEASIBLE;
    }
    return solution->cost.s <= search->problem->deadline_s * (1.0 + 1e-9) ? COEDGE_SOLVED
                                                                          : COEDGE_LATE;
}

/* The relaxed optimum over all devices, for reports and tests. */
static void relax_all(struct search *search, struct coedge_solution *solution)
{
    search->objective = search->options->objective;
    activate(search, search->n);
    bool is_feasible = relax(search, search->shares, &search->relaxed);
    for (uint32_t i = 0; i < search->n; i++) {
        solution->first_shares[i] = is_feasible ? search->shares[i] : NAN;
    }
    solution->first_cost = is_feasible ? objective_of(search, &search->relaxed) : NAN;
}

static bool allocate(struct search *search)
{
    size_t n = search->n;
    search->is_active = calloc(n, sizeof *search->is_active);
    search->is_raised = calloc(n, sizeof *search->is_raised);
    search->shares = calloc(n, sizeof *search->shares);
    search->trial = calloc(n, sizeof *search->trial);
    search->rows = calloc(n, sizeof *search->rows);
    search->by_capability = calloc(n, sizeof *search->by_capability);
    search->scratch = (struct coedge_scratch){
        .is_active = calloc(n, sizeof *search->scratch.is_active),
        .cuts = calloc(n + 1, sizeof *search->scratch.cuts),
        .step_s = calloc(search->problem->n_layers, sizeof *search->scratch.step_s),
        .slack_s = calloc(n, sizeof *search->scratch.slack_s),
        .n_slowest = calloc(n, sizeof *search->scratch.n_slowest),
    };
    return search->is_active && search->is_raised && search->shares && search->trial &&
           search->rows && search->by_capability && search->scratch.is_active &&
           search->scratch.cuts && search->scratch.step_s && search->scratch.slack_s &&
           search->scratch.n_slowest;
}

static void release(struct search *search)
{
    coedge_program_free(search->program);
    free(search->is_active);
    free(search->is_raised);
    free(search->shares);
    free(search->trial);
    free(search->rows);
    free(search->by_capability);
    free(search->scratch.is_active);
    free(search->scratch.cuts);
    free(search->scratch.step_s);
    free(search->scratch.slack_s);
    free(search->scratch.n_slowest);
}

enum coedge_outcome coedge_solve(struct coedge_solution *solution,
                                 const struct coedge_problem *problem, const struct clp *clp,
                                 const struct coedge_options *options)
{
    struct search search = {.problem = problem, .options = options, .n = problem->n_devices};
    enum coedge_outcome outcome = COEDGE_NO_MEMORY;
    solution->used_fallback = false;
    solution->cost = (struct coedge_cost){NAN, NAN};
    if (allocate(&search)) {
        search.program = coedge_program_new(problem, clp);
    }
    if (!search.program) {
        goto done;
    }
    rank_devices(&search);
    if (solution->first_shares) {
        relax_all(&search, solution);
    }
    outcome = run(&search, solution);
    if (outcome == COEDGE_INFEASIBLE && search.solver_failed) {
        outcome = COEDGE_SOLVER_FAILED;
    }
    solution->n_programs = search.n_programs;
done:
    release(&search);
    return outcome;
}
