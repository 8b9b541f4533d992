#include "accuracy_aware/dispatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/share.h"

/* Targets that are met exactly on paper must not fail by rounding. */
static const double TOLERANCE = 1e-9;
/* Of the search for a time, relative. */
static const double PRECISION = 1e-7;
enum { BISECTIONS = 60 };

/* ------------------------------------------------------------------ one node */

static const struct dispatch_rate *rate_of(const struct dispatch_problem *problem, uint32_t node,
                                           uint32_t variant)
{
    return &problem->rates[(size_t)node * problem->n_variants + variant];
}

static double finish_of(const struct dispatch_rate *rate, int32_t images)
{
    return images > 0 ? rate->fixed_s + images * rate->image_s : 0.0;
}

int32_t dispatch_images_within(const struct dispatch_rate *rate, double limit_s)
{
    double images = floor((limit_s * (1.0 + TOLERANCE) - rate->fixed_s) / rate->image_s);
    if (!(images > 0.0)) {
        return 0;
    }
    return images < rate->most_images ? (int32_t)images : rate->most_images;
}

/* ------------------------------------------------------------------ judging */

/* Variants of idle nodes off, finish, accuracy, outcome. */
void dispatch_judge(struct dispatch_plan *plan, const struct dispatch_problem *problem)
{
    double sum = 0.0;
    int64_t placed = 0;
    plan->finish_s = 0.0;
    plan->n_active = 0;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        if (plan->images[d] == 0) {
            plan->variant[d] = DISPATCH_OFF;
            continue;
        }
        placed += plan->images[d];
        sum += plan->images[d] * problem->accuracy[plan->variant[d]];
        plan->finish_s =
            fmax(plan->finish_s, finish_of(rate_of(problem, d, plan->variant[d]), plan->images[d]));
        plan->n_active++;
    }
    plan->accuracy = sum / problem->images;
    if (placed < problem->images) {
        plan->finish_s = INFINITY;
        plan->outcome = DISPATCH_NONE;
    } else if (plan->accuracy < problem->min_accuracy - TOLERANCE) {
        plan->outcome = DISPATCH_INACCURATE;
    } else {
        plan->outcome =
            plan->finish_s <= problem->limit_s * (1.0 + TOLERANCE) ? DISPATCH_MEETS : DISPATCH_LATE;
    }
}

static int compare(double a, double b)
{
    double step = TOLERANCE * fmax(fabs(a), fabs(b));
    return a > b + step ? 1 : b > a + step ? -1 : 0;
}

static bool is_better(const struct dispatch_plan *a, const struct dispatch_plan *b)
{
    if (a->outcome != b->outcome) {
        return a->outcome > b->outcome;
    }
    int by_accuracy = compare(a->accuracy, b->accuracy);
    int by_speed = compare(b->finish_s, a->finish_s);
    int first = a->outcome == DISPATCH_LATE ? by_speed : by_accuracy;
    int second = a->outcome == DISPATCH_LATE ? by_accuracy : by_speed;
    if (first != 0) {
        return first > 0;
    }
    return second != 0 ? second > 0 : a->n_active < b->n_active;
}

/* ------------------------------------------------------------------ shares for given variants */

/* Nodes that take part in one sharing. */
struct crew {
    const struct dispatch_problem *problem;
    const uint32_t *variant;
    double accuracy; /* only nodes with a variant of this accuracy; NAN: all */
};

static bool is_member(const struct crew *crew, uint32_t node)
{
    uint32_t variant = crew->variant[node];
    return variant != DISPATCH_OFF &&
           (isnan(crew->accuracy) || crew->problem->accuracy[variant] == crew->accuracy);
}

static int64_t crew_images_within(const struct crew *crew, double limit_s)
{
    int64_t sum = 0;
    for (uint32_t d = 0; d < crew->problem->n_nodes; d++) {
        if (is_member(crew, d)) {
            sum += dispatch_images_within(rate_of(crew->problem, d, crew->variant[d]), limit_s);
        }
    }
    return sum;
}

/* A time at which the crew has done `images` and hardly more. INFINITY: never. */
static double crew_finish_s(const struct crew *crew, int32_t images)
{
    double low_s = 0.0;
    double high_s = 0.0;
    for (uint32_t d = 0; d < crew->problem->n_nodes; d++) {
        if (is_member(crew, d)) {
            const struct dispatch_rate *rate = rate_of(crew->problem, d, crew->variant[d]);
            int32_t most = rate->most_images < images ? rate->most_images : images;
            high_s = fmax(high_s, finish_of(rate, most));
        }
    }
    int64_t done = crew_images_within(crew, high_s);
    if (done < images) {
        return INFINITY;
    }
    for (int i = 0; i < BISECTIONS && done - images > crew->problem->n_nodes; i++) {
        double middle_s = low_s + (high_s - low_s) / 2;
        int64_t then = crew_images_within(crew, middle_s);
        if (then >= images) {
            high_s = middle_s;
            done = then;
        } else {
            low_s = middle_s;
        }
    }
    return high_s;
}

/* Of members with images, the one that finishes last; of equals the last. */
static uint32_t latest_member(const struct crew *crew, const int32_t *images)
{
    uint32_t latest = 0;
    double latest_s = -1.0;
    for (uint32_t d = 0; d < crew->problem->n_nodes; d++) {
        if (is_member(crew, d) && images[d] > 0) {
            double seconds = finish_of(rate_of(crew->problem, d, crew->variant[d]), images[d]);
            if (seconds >= latest_s) {
                latest_s = seconds;
                latest = d;
            }
        }
    }
    return latest;
}

/* Give the crew `images`, finishing together: all that fit until a common time, less the surplus,
 * taken one by one from whoever is last, which is exact. False when their memory does not hold
 * them. */
static bool share_among(int32_t *images_of, const struct crew *crew, int32_t images)
{
    double finish_s = crew_finish_s(crew, images);
    if (!isfinite(finish_s)) {
        return false;
    }
    int64_t surplus = -(int64_t)images;
    for (uint32_t d = 0; d < crew->problem->n_nodes; d++) {
        if (is_member(crew, d)) {
            images_of[d] =
                dispatch_images_within(rate_of(crew->problem, d, crew->variant[d]), finish_s);
            surplus += images_of[d];
        }
    }
    for (; surplus > 0; surplus--) {
        images_of[latest_member(crew, images_of)]--;
    }
    return true;
}

void dispatch_share_equal(struct dispatch_plan *plan, const struct dispatch_problem *problem)
{
    struct crew crew = {problem, plan->variant, NAN};
    memset(plan->images, 0, problem->n_nodes * sizeof *plan->images);
    (void)share_among(plan->images, &crew, problem->images); /* judge sees what is missing */
    dispatch_judge(plan, problem);
}

/* The greatest accuracy in use below `bound`; NAN when there is none. */
static double next_accuracy(const struct dispatch_plan *plan,
                            const struct dispatch_problem *problem, double bound)
{
    double best = NAN;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        if (plan->variant[d] != DISPATCH_OFF) {
            double accuracy = problem->accuracy[plan->variant[d]];
            if (accuracy < bound && !(accuracy <= best)) {
                best = accuracy;
            }
        }
    }
    return best;
}

void dispatch_share_accurate(struct dispatch_plan *plan, const struct dispatch_problem *problem,
                             double limit_s)
{
    int64_t left = problem->images;
    struct crew crew = {problem, plan->variant, INFINITY};
    memset(plan->images, 0, problem->n_nodes * sizeof *plan->images);
    while (left > 0) {
        crew.accuracy = next_accuracy(plan, problem, crew.accuracy);
        if (isnan(crew.accuracy)) {
            break;
        }
        int64_t possible = crew_images_within(&crew, limit_s);
        int64_t taken = possible < left ? possible : left;
        if (taken > 0) {
            (void)share_among(plan->images, &crew, (int32_t)taken); /* fits: it was counted */
        }
        left -= taken;
    }
    dispatch_judge(plan, problem);
}

/* ------------------------------------------------------------------ search */

/* A search in progress: the best plan, and room for the one being looked at. */
struct search {
    const struct dispatch_problem *problem;
    struct dispatch_plan *best;
    struct dispatch_plan trial;
    uint32_t *vector;
    bool is_last_resort; /* also trade time for accuracy */
};

static void copy_plan(struct dispatch_plan *to, const struct dispatch_plan *from, uint32_t n)
{
    memcpy(to->variant, from->variant, n * sizeof *to->variant);
    memcpy(to->images, from->images, n * sizeof *to->images);
    to->finish_s = from->finish_s;
    to->accuracy = from->accuracy;
    to->n_active = from->n_active;
    to->outcome = from->outcome;
}

static void reload(const struct search *search)
{
    memcpy(search->trial.variant, search->vector,
           search->problem->n_nodes * sizeof *search->vector);
}

static bool keep_if_better(struct search *search)
{
    if (!is_better(&search->trial, search->best)) {
        return false;
    }
    copy_plan(search->best, &search->trial, search->problem->n_nodes);
    return true;
}

/* The earliest finish between `low_s` (too early) and `high_s` at which accurate_first is accurate
 * enough; the trial holds it. Its accuracy never falls with time. */
static void share_just_accurate(struct search *search, double low_s, double high_s)
{
    for (int i = 0; i < BISECTIONS && high_s - low_s > PRECISION * high_s; i++) {
        double middle_s = low_s + (high_s - low_s) / 2;
        reload(search);
        dispatch_share_accurate(&search->trial, search->problem, middle_s);
        if (search->trial.outcome > DISPATCH_INACCURATE) {
            high_s = middle_s;
        } else {
            low_s = middle_s;
        }
    }
    reload(search);
    dispatch_share_accurate(&search->trial, search->problem, high_s);
}

/* By when every node could do all that it holds. */
static double longest_s(const struct search *search)
{
    const struct dispatch_problem *problem = search->problem;
    double seconds = 0.0;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        if (search->vector[d] != DISPATCH_OFF) {
            const struct dispatch_rate *rate = rate_of(problem, d, search->vector[d]);
            int32_t most =
                rate->most_images < problem->images ? rate->most_images : problem->images;
            seconds = fmax(seconds, finish_of(rate, most));
        }
    }
    return seconds;
}

/* The greatest accuracy that accurate_first could reach with the vector until the limit; below 0
 * when that is too short for all images. */
static double accuracy_bound(const struct search *search)
{
    const struct dispatch_problem *problem = search->problem;
    int64_t left = problem->images;
    double sum = 0.0;
    reload(search);
    for (double bound = INFINITY; left > 0;) {
        bound = next_accuracy(&search->trial, problem, bound);
        if (isnan(bound)) {
            return -1.0;
        }
        struct crew crew = {problem, search->vector, bound};
        int64_t possible = crew_images_within(&crew, problem->limit_s);
        int64_t taken = possible < left ? possible : left;
        sum += (double)taken * bound;
        left -= taken;
    }
    return sum / problem->images;
}

/* Cheap to see: the vector cannot beat the best so far. */
static bool is_hopeless(const struct search *search)
{
    const struct dispatch_plan *best = search->best;
    if (best->outcome == DISPATCH_MEETS) {
        return accuracy_bound(search) < best->accuracy - TOLERANCE;
    }
    struct crew crew = {search->problem, search->vector, NAN};
    return best->outcome == DISPATCH_LATE &&
           crew_images_within(&crew, best->finish_s) < search->problem->images;
}

/* Shares for the vector; true when that is the best so far. */
static bool try_vector(struct search *search)
{
    const struct dispatch_problem *problem = search->problem;
    if (is_hopeless(search)) {
        return false;
    }
    reload(search);
    dispatch_share_equal(&search->trial, problem);
    if (search->trial.outcome == DISPATCH_NONE) {
        return false;
    }
    double equal_s = search->trial.finish_s;
    bool is_accurate = search->trial.outcome != DISPATCH_INACCURATE;
    bool is_better_now = keep_if_better(search);
    bool is_in_time = equal_s <= problem->limit_s;
    bool is_rescue = !is_accurate && search->best->outcome != DISPATCH_MEETS;
    if (is_in_time && (is_rescue || problem->sharing == DISPATCH_ACCURATE_FIRST)) {
        double limit_s = fmin(problem->limit_s, longest_s(search));
        reload(search);
        dispatch_share_accurate(&search->trial, problem, limit_s);
        if (problem->sharing == DISPATCH_EQUAL_FINISH && search->trial.outcome == DISPATCH_MEETS) {
            share_just_accurate(search, equal_s, limit_s);
        }
        is_better_now = keep_if_better(search) || is_better_now;
    }
    bool can_win = search->best->outcome < DISPATCH_LATE || equal_s < search->best->finish_s;
    if (search->is_last_resort && !is_accurate && can_win) {
        reload(search);
        share_just_accurate(search, equal_s, longest_s(search));
        is_better_now = keep_if_better(search) || is_better_now;
    }
    return is_better_now;
}

static bool can_run(const struct dispatch_problem *problem, uint32_t node, uint32_t variant)
{
    return variant == DISPATCH_OFF || rate_of(problem, node, variant)->most_images > 0;
}

bool dispatch_can_run(const struct dispatch_problem *problem, const uint32_t *vector)
{
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        if (!can_run(problem, d, vector[d])) {
            return false;
        }
    }
    return true;
}

static bool advance(uint32_t *vector, const struct dispatch_problem *problem)
{
    for (uint32_t d = problem->n_nodes; d-- > 0;) {
        if (vector[d] != DISPATCH_OFF) {
            vector[d] = vector[d] + 1 < problem->n_variants ? vector[d] + 1 : DISPATCH_OFF;
            return true;
        }
        vector[d] = 0;
    }
    return false;
}

bool dispatch_advance(uint32_t *vector, const struct dispatch_problem *problem)
{
    do {
        if (!advance(vector, problem)) {
            return false;
        }
    } while (!dispatch_can_run(problem, vector));
    return true;
}

bool dispatch_is_small(const struct dispatch_problem *problem)
{
    uint64_t choices = (uint64_t)problem->n_variants + 1;
    uint64_t vectors = 1;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        if (vectors > problem->exhaustive_limit / choices) {
            return false;
        }
        vectors *= choices;
    }
    return true;
}

static void enumerate(struct search *search)
{
    const struct dispatch_problem *problem = search->problem;
    memset(search->vector, 0, problem->n_nodes * sizeof *search->vector);
    do {
        if (dispatch_can_run(problem, search->vector)) {
            (void)try_vector(search);
        }
    } while (dispatch_advance(search->vector, problem));
}

/* The most accurate variant the node can run; of equals the faster, then the first. */
static uint32_t most_accurate(const struct dispatch_problem *problem, uint32_t node)
{
    uint32_t best = DISPATCH_OFF;
    for (uint32_t v = 0; v < problem->n_variants; v++) {
        if (!can_run(problem, node, v)) {
            continue;
        }
        int order =
            best == DISPATCH_OFF ? 1 : compare(problem->accuracy[v], problem->accuracy[best]);
        bool is_faster = best != DISPATCH_OFF &&
                         rate_of(problem, node, v)->image_s < rate_of(problem, node, best)->image_s;
        best = order > 0 || (order == 0 && is_faster) ? v : best;
    }
    return best;
}

/* Rate gained per accuracy lost when a node goes over to `variant`; 0 when nothing is gained. */
static double worth_of(const struct dispatch_problem *problem, uint32_t node, uint32_t from,
                       uint32_t variant)
{
    double now_per_s = 1.0 / rate_of(problem, node, from)->image_s;
    double gain_per_s = 1.0 / rate_of(problem, node, variant)->image_s - now_per_s;
    /* The node's share of the images follows its rate, so the mean loses in proportion to it. */
    double loss = (problem->accuracy[from] - problem->accuracy[variant]) * now_per_s;
    if (!(gain_per_s > 0.0)) {
        return 0.0;
    }
    return loss > 0.0 ? gain_per_s / loss : INFINITY;
}

/* The step with the greatest worth that is not barred; false when there is none. */
static bool find_step(uint32_t *node, uint32_t *variant, const struct search *search,
                      const bool *is_barred)
{
    const struct dispatch_problem *problem = search->problem;
    double best = 0.0;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        for (uint32_t v = 0; v < problem->n_variants && search->vector[d] != DISPATCH_OFF; v++) {
            if (!can_run(problem, d, v) || is_barred[(size_t)d * problem->n_variants + v]) {
                continue;
            }
            double worth = worth_of(problem, d, search->vector[d], v);
            if (worth > best) {
                best = worth;
                *node = d;
                *variant = v;
            }
        }
    }
    return best > 0.0;
}

/* From the most accurate everywhere, approximate step by step until the time limit is met; steps
 * that would miss the accuracy target are not taken. */
static void approximate(struct search *search, bool *is_barred)
{
    const struct dispatch_problem *problem = search->problem;
    uint32_t node;
    uint32_t variant;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        search->vector[d] = most_accurate(problem, d);
    }
    (void)try_vector(search);
    while (search->best->outcome != DISPATCH_MEETS &&
           find_step(&node, &variant, search, is_barred)) {
        uint32_t before = search->vector[node];
        search->vector[node] = variant;
        is_barred[(size_t)node * problem->n_variants + variant] = true; /* once is enough */
        reload(search);
        dispatch_share_equal(&search->trial, problem);
        bool is_too_far = search->trial.outcome == DISPATCH_INACCURATE;
        (void)try_vector(search);
        search->vector[node] = is_too_far ? before : variant;
    }
}

/* Change one node at a time as long as that helps. */
static void improve(struct search *search)
{
    const struct dispatch_problem *problem = search->problem;
    bool has_improved = true;
    memcpy(search->vector, search->best->variant, problem->n_nodes * sizeof *search->vector);
    for (uint32_t round = 0; has_improved && round <= problem->n_nodes; round++) {
        has_improved = false;
        for (uint32_t d = 0; d < problem->n_nodes; d++) {
            for (uint32_t choice = 0; choice <= problem->n_variants; choice++) {
                uint32_t before = search->vector[d];
                uint32_t variant = choice < problem->n_variants ? choice : DISPATCH_OFF;
                if (variant == before || !can_run(problem, d, variant)) {
                    continue;
                }
                search->vector[d] = variant;
                if (try_vector(search)) {
                    has_improved = true;
                } else {
                    search->vector[d] = before;
                }
            }
        }
    }
}

static void look_everywhere(struct search *search, bool *is_barred)
{
    const struct dispatch_problem *problem = search->problem;
    if (search->best->is_exhaustive) {
        enumerate(search);
        return;
    }
    memset(is_barred, 0, (size_t)problem->n_nodes * problem->n_variants * sizeof *is_barred);
    approximate(search, is_barred);
    improve(search);
}

static void clear_plan(struct dispatch_plan *plan, uint32_t n_nodes)
{
    memset(plan->images, 0, n_nodes * sizeof *plan->images);
    for (uint32_t d = 0; d < n_nodes; d++) {
        plan->variant[d] = DISPATCH_OFF;
    }
    plan->finish_s = INFINITY;
    plan->accuracy = 0.0;
    plan->n_active = 0;
    plan->outcome = DISPATCH_NONE;
    plan->is_exhaustive = false;
}

bool dispatch_search(struct dispatch_plan *plan, const struct dispatch_problem *problem)
{
    size_t n = problem->n_nodes;
    struct search search = {.problem = problem, .best = plan};
    bool *is_barred = calloc(n * problem->n_variants + 1, sizeof *is_barred);
    search.vector = calloc(n + 1, sizeof *search.vector);
    search.trial.variant = calloc(n + 1, sizeof *search.trial.variant);
    search.trial.images = calloc(n + 1, sizeof *search.trial.images);
    bool is_ok = is_barred && search.vector && search.trial.variant && search.trial.images;
    clear_plan(plan, problem->n_nodes);
    if (is_ok) {
        plan->is_exhaustive = dispatch_is_small(problem);
        look_everywhere(&search, is_barred);
        if (plan->outcome != DISPATCH_MEETS && plan->outcome != DISPATCH_NONE) {
            search.is_last_resort = true;
            look_everywhere(&search, is_barred);
        }
    }
    free(is_barred);
    free(search.vector);
    free(search.trial.variant);
    free(search.trial.images);
    return is_ok;
}

/* ------------------------------------------------------------------ rules to compare with */

/* Shares of the images for one variant everywhere; what a node's memory does not hold goes to the
 * next ones that have room. */
static void share_by_rule(struct dispatch_plan *plan, double *shares,
                          const struct dispatch_problem *problem, uint32_t variant,
                          bool is_proportional)
{
    bool is_possible = false;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        const struct dispatch_rate *rate = rate_of(problem, d, variant);
        bool is_able = rate->most_images > 0;
        shares[d] = !is_able ? 0.0 : is_proportional ? 1.0 / rate->image_s : 1.0;
        plan->variant[d] = is_able ? variant : DISPATCH_OFF;
        is_possible = is_possible || is_able;
    }
    memset(plan->images, 0, problem->n_nodes * sizeof *plan->images);
    if (is_possible) {
        kit_round_shares(plan->images, shares, problem->n_nodes, problem->images);
    }
    int32_t homeless = 0;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        int32_t most = rate_of(problem, d, variant)->most_images;
        if (plan->images[d] > most) {
            homeless += plan->images[d] - most;
            plan->images[d] = most;
        }
    }
    for (uint32_t d = 0; d < problem->n_nodes && homeless > 0; d++) {
        int32_t room = rate_of(problem, d, variant)->most_images - plan->images[d];
        int32_t taken = room < homeless ? room : homeless;
        plan->images[d] += taken;
        homeless -= taken;
    }
    dispatch_judge(plan, problem);
}

/* The variant an approximate rule settles on. */
static uint32_t choose_common(struct dispatch_plan *plan, double *shares,
                              const struct dispatch_problem *problem, bool is_proportional)
{
    uint32_t best = 0;
    enum dispatch_outcome best_outcome = DISPATCH_NONE;
    double best_s = INFINITY;
    for (uint32_t v = 0; v < problem->n_variants; v++) {
        share_by_rule(plan, shares, problem, v, is_proportional);
        if (plan->outcome < DISPATCH_LATE || plan->outcome < best_outcome) {
            continue;
        }
        bool is_first = plan->outcome > best_outcome;
        bool is_more_accurate = problem->accuracy[v] > problem->accuracy[best];
        bool is_earlier = plan->finish_s < best_s;
        if (is_first || (plan->outcome == DISPATCH_MEETS ? is_more_accurate : is_earlier)) {
            best = v;
            best_outcome = plan->outcome;
            best_s = plan->finish_s;
        }
    }
    return best;
}

bool dispatch_by_rule(struct dispatch_plan *plan, const struct dispatch_problem *problem,
                      enum dispatch_rule rule)
{
    bool is_proportional = rule == DISPATCH_PROPORTIONAL || rule == DISPATCH_PROPORTIONAL_APPROX;
    bool is_approximate = rule == DISPATCH_UNIFORM_APPROX || rule == DISPATCH_PROPORTIONAL_APPROX;
    double *shares = calloc((size_t)problem->n_nodes + 1, sizeof *shares);
    clear_plan(plan, problem->n_nodes);
    if (!shares) {
        return false;
    }
    uint32_t variant = is_approximate ? choose_common(plan, shares, problem, is_proportional) : 0;
    share_by_rule(plan, shares, problem, variant, is_proportional);
    free(shares);
    return true;
}
