#include "accuracy_aware/trials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"

/* Targets that are met exactly must not fail by rounding. */
static const double TOLERANCE = 1e-9;

/* ------------------------------------------------------------------ decisions */

bool dispatch_plan_alloc(struct dispatch_plan *plan, uint32_t n_nodes)
{
    plan->variant = calloc((size_t)n_nodes + 1, sizeof *plan->variant);
    plan->images = calloc((size_t)n_nodes + 1, sizeof *plan->images);
    return plan->variant && plan->images;
}

void dispatch_plan_free(struct dispatch_plan *plan)
{
    free(plan->variant);
    free(plan->images);
}

static void plan_copy(struct dispatch_plan *to, const struct dispatch_plan *from, uint32_t n_nodes)
{
    uint32_t *variant = to->variant;
    int32_t *images = to->images;
    *to = *from;
    to->variant = variant;
    to->images = images;
    memcpy(variant, from->variant, n_nodes * sizeof *variant);
    memcpy(images, from->images, n_nodes * sizeof *images);
}

static int32_t decide(struct dispatch_plan *plan, const struct cluster *cluster,
                      const struct dispatch_problem *problem, const enum dispatch_rule *rule)
{
    bool is_ok = rule ? dispatch_by_rule(plan, problem, *rule) : dispatch_search(plan, problem);
    if (!is_ok) {
        return kit_fail_memory(cluster->host);
    }
    return plan->outcome == DISPATCH_NONE ? cluster_fail_capacity(cluster) : EW_STRATEGY_OK;
}

int32_t decide_within_memory(struct dispatch_plan *plan, struct cluster *cluster,
                             const enum dispatch_rule *rule)
{
    int32_t rc = decide(plan, cluster, &cluster->problem, rule);
    if (rc >= 0 && cluster_is_overfull(cluster, plan)) {
        cluster_divide_memory(cluster);
        rc = decide(plan, cluster, &cluster->problem, rule);
    }
    return rc;
}

/* ------------------------------------------------------------------ trying decisions out */

/* The outcome if the plan takes `latency_s`. */
static enum dispatch_outcome outcome_at(const struct dispatch_plan *plan, double limit_s,
                                        double latency_s)
{
    if (plan->outcome == DISPATCH_INACCURATE) {
        return DISPATCH_INACCURATE;
    }
    return latency_s <= limit_s * (1.0 + TOLERANCE) ? DISPATCH_MEETS : DISPATCH_LATE;
}

static bool keep_best(struct trials *trials, double latency_s)
{
    const struct dispatch_problem *asked = &trials->cluster->problem;
    struct dispatch_plan *plan = &trials->plan;
    struct dispatch_plan *best = &trials->best;
    plan->outcome = outcome_at(plan, asked->limit_s, latency_s);
    bool is_earlier = latency_s < trials->best_latency_s;
    bool is_better = plan->outcome > best->outcome;
    if (plan->outcome == best->outcome) {
        bool is_as_accurate = fabs(plan->accuracy - best->accuracy) <= TOLERANCE;
        is_better = plan->outcome == DISPATCH_LATE || is_as_accurate
                        ? is_earlier
                        : plan->accuracy > best->accuracy;
    }
    is_better = trials->n_tried++ == 0 || is_better;
    if (is_better) {
        plan_copy(best, plan, asked->n_nodes);
        trials->best_latency_s = latency_s;
    }
    return is_better;
}

/* What a node took beyond its model becomes part of its fixed time. The source and the sink are
 * busy with the others' messages, too: their finish says nothing about their share. */
static void correct(struct trials *trials, double latency_s)
{
    const struct cluster *cluster = trials->cluster;
    const struct ew_requirements_info *asked = cluster->host->requirements(cluster->host);
    uint32_t n_variants = cluster->problem.n_variants;
    for (uint32_t d = 0; d < cluster->problem.n_nodes; d++) {
        uint32_t device = cluster->device[d];
        if (trials->plan.images[d] == 0 || device == asked->source_device ||
            device == asked->sink_device) {
            continue;
        }
        const struct dispatch_rate *model =
            &cluster->rates[(size_t)d * n_variants + trials->plan.variant[d]];
        double late_s =
            trials->finish_s[device] - (model->fixed_s + trials->plan.images[d] * model->image_s);
        for (uint32_t v = 0; v < n_variants; v++) {
            size_t at = (size_t)d * n_variants + v;
            trials->rates[at].fixed_s = fmax(cluster->rates[at].fixed_s + late_s, 0.0);
        }
    }
    double limit_s = cluster->problem.limit_s;
    if (latency_s > limit_s && trials->plan.finish_s <= trials->problem.limit_s) {
        trials->problem.limit_s *= fmax(limit_s / latency_s, 0.5);
    } else if (latency_s < limit_s) {
        trials->problem.limit_s = limit_s;
    }
}

/* Seconds of the decision on the host's engine; NAN when the host does not evaluate. */
static int32_t try_out(double *latency_s, struct trials *trials)
{
    const struct ew_host *host = trials->cluster->host;
    struct ew_evaluation evaluation = {
        .struct_size = sizeof evaluation,
        .requests = 1,
        .device_finish_s = trials->finish_s,
    };
    int32_t rc = trials->builder->reset(trials->builder);
    if (rc >= 0) {
        rc = cluster_emit(trials->builder, trials->cluster, &trials->plan, "accuracy_aware");
    }
    if (rc >= 0) {
        bool is_done = host->evaluate(host, trials->builder, &evaluation) >= 0;
        *latency_s = is_done ? evaluation.latency_s : NAN;
        trials->cannot_try = !is_done;
    }
    return rc;
}

int32_t trials_begin_with(struct trials *trials)
{
    double latency_s = NAN;
    dispatch_judge(&trials->plan, &trials->cluster->problem);
    if (trials->plan.outcome == DISPATCH_NONE ||
        cluster_is_overfull(trials->cluster, &trials->plan)) {
        return EW_STRATEGY_OK;
    }
    const int32_t rc = try_out(&latency_s, trials);
    if (rc >= 0 && !trials->cannot_try) {
        (void)keep_best(trials, latency_s);
    }
    return rc;
}

int32_t trials_decide(struct trials *trials, int64_t rounds)
{
    struct cluster *cluster = trials->cluster;
    const struct dispatch_problem *problem = &cluster->problem;
    int32_t rc = decide_within_memory(&trials->plan, cluster, NULL);
    if (rc < 0) {
        return rc;
    }
    trials->problem = *problem;
    trials->problem.rates = trials->rates;
    memcpy(trials->rates, cluster->rates,
           (size_t)problem->n_nodes * problem->n_variants * sizeof *trials->rates);
    if (trials->n_tried == 0) {
        plan_copy(&trials->best, &trials->plan, problem->n_nodes);
        trials->best_latency_s = trials->plan.finish_s;
    }
    for (int64_t i = 0; i < rounds && rc >= 0 && trials->n_tried < trials->most_trials; i++) {
        double latency_s = NAN;
        rc = try_out(&latency_s, trials);
        if (rc < 0 || trials->cannot_try) {
            break;
        }
        double predicted_s = trials->plan.finish_s;
        (void)keep_best(trials, latency_s);
        if (fabs(latency_s - predicted_s) <= 1e-6 * latency_s) {
            break; /* the model is right: another search finds the same */
        }
        correct(trials, latency_s);
        rc = decide(&trials->plan, cluster, &trials->problem, NULL);
        if (rc >= 0 && cluster_is_overfull(cluster, &trials->plan)) {
            break;
        }
    }
    return rc;
}

/* ------------------------------------------------------------------ refining */

/* The model knows no contention, so that it is early, up to what its straight lines miss. */
static const double EARLIEST = 0.97;

/* May trials->plan, as the plain model judges it, be better than the best? */
static bool could_win(const struct trials *trials)
{
    const struct dispatch_problem *asked = &trials->cluster->problem;
    const struct dispatch_plan *plan = &trials->plan, *best = &trials->best;
    const double earliest_s = plan->finish_s * EARLIEST;
    if (plan->outcome <= DISPATCH_INACCURATE) {
        return false;
    }
    if (best->outcome != DISPATCH_MEETS) {
        return best->outcome < DISPATCH_LATE || earliest_s < trials->best_latency_s;
    }
    if (earliest_s > asked->limit_s || plan->accuracy < best->accuracy - TOLERANCE) {
        return false;
    }
    return plan->accuracy > best->accuracy + TOLERANCE || earliest_s < trials->best_latency_s;
}

/* Try trials->plan, whose variants and images are set, if it could be better and fits. */
static int32_t try_plan(bool *is_better, double *latency_s, struct trials *trials)
{
    *is_better = false;
    *latency_s = NAN;
    dispatch_judge(&trials->plan, &trials->cluster->problem);
    if (!could_win(trials) || cluster_is_overfull(trials->cluster, &trials->plan) ||
        trials->n_tried >= trials->most_trials || trials->cannot_try) {
        return EW_STRATEGY_OK;
    }
    trials->plan.is_exhaustive = trials->best.is_exhaustive;
    const int32_t rc = try_out(latency_s, trials);
    *is_better = rc >= 0 && !trials->cannot_try && keep_best(trials, *latency_s);
    return rc;
}

/* Shares for the vector by the corrected model, as accurate as the limit allows. */
static void share(struct trials *trials, const uint32_t *vector)
{
    const struct dispatch_problem *problem = &trials->problem;
    struct dispatch_plan *plan = &trials->plan;
    const size_t size = problem->n_nodes * sizeof *vector;
    memcpy(plan->variant, vector, size);
    plan->outcome = DISPATCH_NONE;
    if (isfinite(problem->limit_s)) {
        dispatch_share_accurate(plan, problem, problem->limit_s);
    }
    if (plan->outcome == DISPATCH_NONE) {
        memcpy(plan->variant, vector, size);
        dispatch_share_equal(plan, problem);
    }
}

/* The best shares of a vector: share, try, correct, until nothing changes. `last` is scratch. */
static int32_t try_vector(struct trials *trials, const uint32_t *vector, int32_t *last,
                          int64_t rounds)
{
    const size_t size = trials->problem.n_nodes * sizeof *last;
    int32_t rc = EW_STRATEGY_OK;
    trials->problem.limit_s = trials->cluster->problem.limit_s;
    memset(last, 0xff, size);
    for (int64_t i = 0; i < rounds && rc >= 0; i++) {
        bool is_better;
        double latency_s;
        share(trials, vector);
        if (trials->plan.outcome == DISPATCH_NONE || memcmp(last, trials->plan.images, size) == 0) {
            break;
        }
        memcpy(last, trials->plan.images, size);
        const double planned_s = trials->plan.finish_s;
        rc = try_plan(&is_better, &latency_s, trials);
        if (isnan(latency_s)) {
            break;
        }
        trials->plan.finish_s = planned_s;
        correct(trials, latency_s);
    }
    return rc;
}

/* A vector of variants and the greatest accuracy that it could have in time. */
struct hope {
    double accuracy;
    uint32_t *vector;
};

/* The most accurate first; equals as they were enumerated. */
static int compare_hopes(const void *a, const void *b)
{
    const struct hope *x = a, *y = b;
    if (x->accuracy != y->accuracy) {
        return x->accuracy < y->accuracy ? 1 : -1;
    }
    return (x->vector > y->vector) - (x->vector < y->vector);
}

static size_t count_vectors(const struct dispatch_problem *problem)
{
    size_t n = 1;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        n *= (size_t)problem->n_variants + 1;
    }
    return n;
}

static size_t list_hopes(struct hope *hopes, uint32_t *storage, struct trials *trials)
{
    const struct dispatch_problem *asked = &trials->cluster->problem;
    const uint32_t n_nodes = asked->n_nodes;
    uint32_t *vector = storage; /* the last one enumerated */
    size_t n = 0;
    memset(vector, 0, n_nodes * sizeof *vector);
    bool is_there = dispatch_can_run(asked, vector) || dispatch_advance(vector, asked);
    while (is_there) {
        memcpy(trials->plan.variant, vector, n_nodes * sizeof *vector);
        if (isfinite(asked->limit_s)) {
            dispatch_share_accurate(&trials->plan, asked, asked->limit_s / EARLIEST);
        } else {
            dispatch_share_equal(&trials->plan, asked);
        }
        uint32_t *next = vector + n_nodes;
        memcpy(next, vector, n_nodes * sizeof *vector);
        if (trials->plan.outcome > DISPATCH_INACCURATE) {
            hopes[n++] = (struct hope){trials->plan.accuracy, vector};
            vector = next;
        }
        is_there = dispatch_advance(vector, asked);
    }
    qsort(hopes, n, sizeof *hopes, compare_hopes);
    return n;
}

static int32_t walk_vectors(struct trials *trials, int64_t rounds)
{
    const struct dispatch_problem *asked = &trials->cluster->problem;
    const size_t n_vectors = count_vectors(asked);
    struct hope *hopes = calloc(n_vectors + 1, sizeof *hopes);
    uint32_t *storage = calloc((n_vectors + 2) * asked->n_nodes, sizeof *storage);
    int32_t *last = calloc((size_t)asked->n_nodes + 1, sizeof *last);
    int32_t rc = hopes && storage && last ? EW_STRATEGY_OK : kit_fail_memory(trials->cluster->host);
    const size_t n = rc >= 0 ? list_hopes(hopes, storage, trials) : 0;
    for (size_t i = 0; i < n && rc >= 0 && trials->n_tried < trials->most_trials; i++) {
        const bool is_hopeless = trials->best.outcome == DISPATCH_MEETS &&
                                 hopes[i].accuracy < trials->best.accuracy - TOLERANCE;
        if (is_hopeless) {
            break;
        }
        rc = try_vector(trials, hopes[i].vector, last, rounds);
    }
    free(hopes);
    free(storage);
    free(last);
    return rc;
}

/* Start from the best: node `from` gives k images to node `to`, which runs `variant`. */
static int32_t move_images(bool *is_better, struct trials *trials, uint32_t from, uint32_t to,
                           int32_t k, uint32_t variant)
{
    double latency_s;
    plan_copy(&trials->plan, &trials->best, trials->problem.n_nodes);
    trials->plan.images[from] -= k;
    trials->plan.images[to] += k;
    trials->plan.variant[to] = variant;
    const bool fits =
        trials->plan.images[to] <=
        trials->cluster->rates[(size_t)to * trials->problem.n_variants + variant].most_images;
    *is_better = false;
    return fits ? try_plan(is_better, &latency_s, trials) : EW_STRATEGY_OK;
}

/* All moves between two nodes, or to another variant where from and to are one. */
static int32_t try_moves(bool *is_better, struct trials *trials, uint32_t from, uint32_t to)
{
    enum { LONGEST_MOVE = 64 };
    const uint32_t n_variants = trials->problem.n_variants;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t v = 0; v < n_variants && rc >= 0; v++) {
        const uint32_t has = trials->best.variant[to];
        const bool is_asked = from == to ? v != has : has == DISPATCH_OFF || v == has;
        for (int32_t k = from == to ? 1 : LONGEST_MOVE; is_asked && k > 0 && rc >= 0; k /= 2) {
            bool is_now = false;
            if (trials->best.images[from] >= k) {
                rc = move_images(&is_now, trials, from, to, from == to ? 0 : k, v);
            }
            *is_better = *is_better || is_now;
        }
    }
    return rc;
}

/* Small changes of the best as long as they help. */
static int32_t climb(struct trials *trials)
{
    const uint32_t n = trials->problem.n_nodes;
    int32_t rc = EW_STRATEGY_OK;
    bool is_better = true;
    while (is_better && rc >= 0) {
        is_better = false;
        for (uint32_t from = 0; from < n && rc >= 0; from++) {
            for (uint32_t to = 0; to < n && rc >= 0; to++) {
                if (trials->best.images[from] > 0 && trials->n_tried < trials->most_trials) {
                    rc = try_moves(&is_better, trials, from, to);
                }
            }
        }
    }
    return rc;
}

/* ------------------------------------------------------------------ every dispatch */

/* Vectors without idle nodes times ways to share the images out; INFINITY counts as too many. */
static double count_dispatches(const struct dispatch_problem *problem)
{
    double n = 1.0;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        n *= problem->n_variants;
        n *= d > 0 ? ((double)problem->images + d) / d : 1.0;
    }
    return n;
}

/* The next composition; all on node 0 is the first. False behind the last. */
static bool next_shares(int32_t *images, uint32_t n)
{
    uint32_t i = 0;
    while (images[i] == 0) {
        i++;
    }
    if (i + 1 == n) {
        return false;
    }
    const int32_t all = images[i];
    images[i] = 0;
    images[0] = all - 1;
    images[i + 1]++;
    return true;
}

static bool is_within_memory(const struct dispatch_problem *problem, const uint32_t *vector,
                             const int32_t *images)
{
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        if (images[d] > problem->rates[(size_t)d * problem->n_variants + vector[d]].most_images) {
            return false;
        }
    }
    return true;
}

static bool next_vector(uint32_t *vector, const struct dispatch_problem *problem)
{
    for (uint32_t d = problem->n_nodes; d-- > 0;) {
        if (++vector[d] < problem->n_variants) {
            return true;
        }
        vector[d] = 0;
    }
    return false;
}

static int32_t try_all(struct trials *trials, uint32_t *vector, int32_t *images)
{
    const struct dispatch_problem *problem = &trials->cluster->problem;
    const size_t n = problem->n_nodes;
    int32_t rc = EW_STRATEGY_OK;
    memset(vector, 0, n * sizeof *vector);
    do {
        memset(images, 0, n * sizeof *images);
        images[0] = problem->images;
        do {
            bool is_better;
            double latency_s;
            memcpy(trials->plan.variant, vector, n * sizeof *vector);
            memcpy(trials->plan.images, images, n * sizeof *images);
            if (is_within_memory(problem, vector, images)) {
                rc = try_plan(&is_better, &latency_s, trials);
            }
        } while (rc >= 0 && next_shares(images, problem->n_nodes));
    } while (rc >= 0 && next_vector(vector, problem));
    trials->is_complete = trials->n_tried < trials->most_trials;
    return rc;
}

/* Nodes that share memory could hold more than what dividing it leaves them: then not every
 * dispatch is looked at. */
static int32_t complete(struct trials *trials)
{
    const struct dispatch_problem *problem = &trials->cluster->problem;
    if (!(count_dispatches(problem) <= (double)problem->exhaustive_limit) ||
        trials->n_tried >= trials->most_trials) {
        return EW_STRATEGY_OK;
    }
    uint32_t *vector = calloc((size_t)problem->n_nodes + 1, sizeof *vector);
    int32_t *images = calloc((size_t)problem->n_nodes + 1, sizeof *images);
    const int32_t rc =
        vector && images ? try_all(trials, vector, images) : kit_fail_memory(trials->cluster->host);
    free(vector);
    free(images);
    return rc;
}

int32_t trials_refine(struct trials *trials, int64_t rounds)
{
    int32_t rc = EW_STRATEGY_OK;
    if (trials->cannot_try || trials->n_tried == 0) {
        return rc;
    }
    if (dispatch_is_small(&trials->cluster->problem)) {
        rc = walk_vectors(trials, rounds);
    }
    if (rc >= 0) {
        rc = climb(trials);
    }
    return rc < 0 ? rc : complete(trials);
}

/* ------------------------------------------------------------------ life */

bool trials_init(struct trials *trials, struct cluster *cluster, struct ew_plan_builder *builder)
{
    const struct ew_host *host = cluster->host;
    size_t n_rates = (size_t)cluster->problem.n_nodes * cluster->problem.n_variants;
    trials->cluster = cluster;
    trials->builder = builder;
    trials->rates = calloc(n_rates, sizeof *trials->rates);
    trials->finish_s = calloc((size_t)host->device_count(host) + 1, sizeof *trials->finish_s);
    return dispatch_plan_alloc(&trials->plan, cluster->problem.n_nodes) &&
           dispatch_plan_alloc(&trials->best, cluster->problem.n_nodes) && trials->rates &&
           trials->finish_s;
}

void trials_fini(struct trials *trials)
{
    free(trials->rates);
    free(trials->finish_s);
    dispatch_plan_free(&trials->plan);
    dispatch_plan_free(&trials->best);
}
