/* Change-point detection against closed forms and against all segmentations; Edgent's configuration
 * map; and the dynamic configurator against the static one on bandwidth traces, both on the paper's
 * own latency model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "edgent_dynamic/config_map.h"
#include "io/series_csv.h"
#include "support/edgent_paper.h"
#include "support/suite.h"

static const double PI = 3.14159265358979323846;
static const struct change_belief PRIOR = {.mu = 3, .kappa = 1, .alpha = 1, .beta = 0.5625};

/* ------------------------------------------------------------------ beliefs */

START_TEST(belief_after_many_samples_is_the_batch_formula)
{
    /* mu_n = (k mu + n m)/(k + n), alpha_n = alpha + n/2,
     * beta_n = beta + sum (x - m)^2 / 2 + k n (m - mu)^2 / (2 (k + n)), m the mean of the samples.
     */
    struct ew_rng rng = ew_rng_make(1, "belief");
    struct change_belief belief = {.mu = 2, .kappa = 1.5, .alpha = 0.7, .beta = 0.3};
    const struct change_belief prior = belief;
    double x[50], mean = 0, squares = 0;
    const int n = 50;
    for (int i = 0; i < n; i++) {
        x[i] = 5 * ew_rng_unit(&rng);
        mean += x[i] / n;
        belief = change_belief_update(&belief, x[i]);
    }
    for (int i = 0; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
    }
    const double k = prior.kappa, off = mean - prior.mu;
    ck_assert_double_eq_tol(belief.mu, (k * prior.mu + n * mean) / (k + n), 1e-12);
    ck_assert_double_eq_tol(belief.kappa, k + n, 1e-12);
    ck_assert_double_eq_tol(belief.alpha, prior.alpha + n / 2.0, 1e-12);
    ck_assert_double_eq_tol(belief.beta,
                            prior.beta + squares / 2 + k * n * off * off / (2 * (k + n)), 1e-10);
}
END_TEST

START_TEST(prediction_is_a_students_t)
{
    /* alpha = 1: two degrees of freedom, density (1 + t^2/2)^(-3/2) / (2 sqrt 2 s), t = off/s,
     * s^2 = beta (kappa + 1) / (alpha kappa). */
    const double s = sqrt(PRIOR.beta * 2);
    for (double x = -10; x <= 10; x += 0.5) {
        const double t = (x - PRIOR.mu) / s;
        ck_assert_double_eq_tol(exp(change_belief_log_density(&PRIOR, x)),
                                pow(1 + t * t / 2, -1.5) / (2 * sqrt(2) * s), 1e-14);
    }
    /* alpha = 1/2: Cauchy. */
    const struct change_belief cauchy = {.mu = 0, .kappa = 1, .alpha = 0.5, .beta = 0.25};
    ck_assert_double_eq_tol(exp(change_belief_log_density(&cauchy, 2)), 1 / (PI * 5), 1e-14);
}
END_TEST

/* ------------------------------------------------------------------ change points */

START_TEST(first_sample_says_nothing_about_changes)
{
    /* Both ways the sample is the first of its run: P(run 1) = 1 - h, whatever it is. */
    struct change_point cp;
    change_point_begin(&cp, 0.1, PRIOR);
    change_point_observe(&cp, 1e6);
    ck_assert_uint_eq(cp.n, 2);
    ck_assert_double_eq_tol(cp.probability[0], 0.1, 1e-15);
    ck_assert_double_eq_tol(cp.probability[1], 0.9, 1e-15);
    ck_assert_uint_eq(cp.run, 1);
    ck_assert_double_eq(change_point_mean(&cp), 1e6);
}
END_TEST

/* Density of x[from, to) as one run. */
static double run_density(const double *x, int from, int to)
{
    struct change_belief belief = PRIOR;
    double log_density = 0;
    for (int i = from; i < to; i++) {
        log_density += change_belief_log_density(&belief, x[i]);
        belief = change_belief_update(&belief, x[i]);
    }
    return exp(log_density);
}

START_TEST(posterior_is_the_sum_over_all_segmentations)
{
    /* Seven samples: after each there is a change or not, 2^7 ways. A way has the product of its
     * runs' densities, h per change and 1 - h per sample without. */
    enum { N = 7 };
    const double h = 0.2;
    const double x[N] = {3.1, 2.9, 3.3, 7.2, 7.0, 6.8, 1.0};
    double exact[N + 1] = {0}, sum = 0;
    for (unsigned way = 0; way < 1u << N; way++) {
        double p = 1;
        int begin = 0;
        for (int i = 0; i < N; i++) {
            const bool is_change = (way >> i) & 1;
            p *= is_change ? h : 1 - h;
            if (is_change) {
                p *= run_density(x, begin, i + 1);
                begin = i + 1;
            }
        }
        p *= run_density(x, begin, N);
        exact[N - begin] += p;
        sum += p;
    }
    struct change_point cp;
    change_point_begin(&cp, h, PRIOR);
    for (int i = 0; i < N; i++) {
        change_point_observe(&cp, x[i]);
    }
    for (int r = 0; r <= N; r++) {
        ck_assert_double_eq_tol(cp.probability[r], exact[r] / sum, 1e-12);
    }
}
END_TEST

static double normal(struct ew_rng *rng)
{
    return sqrt(-2 * log(1 - ew_rng_unit(rng))) * cos(2 * PI * ew_rng_unit(rng));
}

START_TEST(a_step_is_found_within_a_few_samples_and_noise_is_not)
{
    /* 300 samples around 3, then around 6, deviation 0.3: no change while steady, and the run
     * begins anew within 3 samples of the step. */
    struct ew_rng rng = ew_rng_make((uint64_t)_i, "step");
    struct change_point cp;
    change_point_begin(&cp, 1.0 / 60, PRIOR);
    for (uint32_t i = 0; i < 150; i++) {
        change_point_observe(&cp, 3 + 0.3 * normal(&rng));
    }
    ck_assert_uint_eq(cp.run, 150);
    for (uint32_t i = 0; i < 12; i++) {
        change_point_observe(&cp, 6 + 0.3 * normal(&rng));
    }
    ck_assert_uint_le(cp.run, 13);
    ck_assert_uint_ge(cp.run, 11);
    ck_assert_double_eq_tol(change_point_mean(&cp), 6, 0.4);
}
END_TEST

START_TEST(long_runs_keep_their_probability)
{
    struct change_point cp;
    change_point_begin(&cp, 0.01, PRIOR);
    struct ew_rng rng = ew_rng_make(5, "long");
    for (uint32_t i = 0; i < 3 * CHANGE_POINT_MAX_RUN; i++) {
        change_point_observe(&cp, 3 + 0.3 * normal(&rng));
        double sum = 0;
        for (uint32_t r = 0; r < cp.n; r++) {
            sum += cp.probability[r];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-12);
    }
    ck_assert_uint_eq(cp.run, CHANGE_POINT_MAX_RUN);
}
END_TEST

/* ------------------------------------------------------------------ configuration map */

/* First and last exit digitised from the paper's Figure 9, the others in between (ours). */
static const double ACCURACIES[EDGENT_PAPER_EXITS] = {0.747, 0.757, 0.766, 0.774, 0.782};
static struct edgent_paper net;
static const double NO_LOADING[EDGENT_PAPER_LAYERS + 1];

static struct edgent_problem problem_at(double bytes_per_s)
{
    static struct edgent_exit exits[EDGENT_PAPER_EXITS];
    for (int e = 0; e < EDGENT_PAPER_EXITS; e++) { /* models stay loaded */
        exits[e] = net.exits[e];
        exits[e].load_s[EDGENT_SERVER] = NO_LOADING;
        exits[e].load_s[EDGENT_DEVICE] = NO_LOADING;
    }
    const struct edgent_wire wire = {.byte_s = 1 / bytes_per_s};
    return (struct edgent_problem){.n_exits = EDGENT_PAPER_EXITS,
                                   .exits = exits,
                                   .input_bytes = 12288,
                                   .up = wire,
                                   .down = wire,
                                   .deadline_s = 1};
}

static struct edgent_state state_at(double bytes_per_s)
{
    const struct edgent_problem problem = problem_at(bytes_per_s);
    return edgent_best_state(&problem, ACCURACIES, bytes_per_s);
}

START_TEST(reward_is_accuracy_and_rate_within_the_deadline)
{
    ck_assert_double_eq_tol(edgent_reward(0.75, 0.2, 1), exp(0.75) + 5, 1e-12);
    ck_assert_double_eq(edgent_reward(0.75, 1.001, 1), 0);
}
END_TEST

START_TEST(map_holds_the_greatest_reward_of_every_state)
{
    edgent_paper_init(&net, EDGENT_BYTES);
    for (uint32_t i = 0; i < edgent_n_oboe; i++) {
        const double bytes_per_s = edgent_oboe_mbit_per_s[i] * 125000;
        ck_assert(i == 0 || edgent_oboe_mbit_per_s[i] >= edgent_oboe_mbit_per_s[i - 1]);
        const struct edgent_problem problem = problem_at(bytes_per_s);
        const struct edgent_state state = state_at(bytes_per_s);
        for (uint32_t e = 0; e < problem.n_exits; e++) {
            for (uint32_t p = 1; p <= problem.exits[e].n_layers + 1; p++) {
                const double latency_s = edgent_latency_s(&problem, e, p);
                ck_assert_double_le(edgent_reward(ACCURACIES[e], latency_s, 1), state.reward);
            }
        }
    }
}
END_TEST

START_TEST(hopeless_state_gets_the_fastest_strategy)
{
    edgent_paper_init(&net, EDGENT_BYTES);
    struct edgent_problem problem = problem_at(1000);
    problem.deadline_s = 1e-3;
    const struct edgent_state state = edgent_best_state(&problem, ACCURACIES, 1000);
    ck_assert_double_eq(state.reward, 0);
    for (uint32_t e = 0; e < problem.n_exits; e++) {
        for (uint32_t p = 1; p <= problem.exits[e].n_layers + 1; p++) {
            ck_assert_double_ge(edgent_latency_s(&problem, e, p), state.choice.latency_s);
        }
    }
}
END_TEST

START_TEST(nearest_state_is_nearest)
{
    struct edgent_state states[4] = {{.bandwidth_bytes_per_s = 1},
                                     {.bandwidth_bytes_per_s = 2},
                                     {.bandwidth_bytes_per_s = 4},
                                     {.bandwidth_bytes_per_s = 8}};
    const double asked[] = {0, 1.4, 1.6, 2.9, 3.1, 5.9, 6.1, 100};
    const uint32_t nearest[] = {0, 0, 1, 1, 2, 2, 3, 3};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        ck_assert_uint_eq(edgent_nearest_state(states, 4, asked[i]), nearest[i]);
    }
}
END_TEST

/* ------------------------------------------------------------------ dynamic against static */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Share of the quantiles at which `a` is at or above `b`; both sorted. */
static double share_at_or_above(double *a, double *b, uint32_t n)
{
    qsort(a, n, sizeof *a, ascending);
    qsort(b, n, sizeof *b, ascending);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        count += a[i] >= b[i] * (1 - 1e-12);
    }
    return (double)count / n;
}

static const struct {
    const char *file;
    double scale;
} TRACES[] = {{"lte_bus", 1},       {"norway_bus_1", 2},    {"norway_bus_16", 2},
              {"norway_car_3", 2},  {"norway_train_13", 1}, {"norway_metro_2", 4},
              {"norway_tram_43", 4}};

START_TEST(dynamic_is_at_or_above_static_over_most_of_the_distributions)
{
    /* Traces scaled to 0-10 Mbit/s; each sample is one inference at that bandwidth. Static:
     * Algorithm 1 on the sample. Dynamic: the map's strategy for the detected state. */
    edgent_paper_init(&net, EDGENT_BYTES);
    struct edgent_state *states = calloc(edgent_n_oboe, sizeof *states);
    ck_assert_ptr_nonnull(states);
    for (uint32_t i = 0; i < edgent_n_oboe; i++) {
        states[i] = state_at(edgent_oboe_mbit_per_s[i] * 125000);
    }
    char path[256];
    (void)snprintf(path, sizeof path, "%s/platforms/traces/%s.csv", EW_SOURCE_DIR, TRACES[_i].file);
    struct ew_series series;
    struct ew_error err;
    ck_assert_msg(ew_series_load_csv(&series, true, path, &err) == EW_OK, "%s", err.message);
    const uint32_t n = series.n_steps;
    double *values = calloc((size_t)n * 4, sizeof *values);
    ck_assert_ptr_nonnull(values);
    double *rate[2] = {values, values + n}, *reward[2] = {values + 2 * n, values + 3 * n};
    struct edgent_detector detector = {.has_begun = false};
    double mean_rate[2] = {0}, mean_reward[2] = {0};
    for (uint32_t i = 0; i < n; i++) {
        const double bytes_per_s = fmax(series.values[i] * TRACES[_i].scale, 1);
        const struct edgent_problem problem = problem_at(bytes_per_s);
        const struct edgent_choice choices[2] = {
            edgent_choose(&problem),
            states[edgent_detect(&detector, states, edgent_n_oboe, bytes_per_s)].choice};
        for (int k = 0; k < 2; k++) {
            const double latency_s = edgent_latency_s(&problem, choices[k].exit, choices[k].p);
            rate[k][i] = 1 / latency_s;
            reward[k][i] = edgent_reward(ACCURACIES[choices[k].exit], latency_s, 1);
            mean_rate[k] += rate[k][i] / n;
            mean_reward[k] += reward[k][i] / n;
        }
    }
    const double rates = share_at_or_above(rate[1], rate[0], n);
    const double rewards = share_at_or_above(reward[1], reward[0], n);
    if (getenv("EW_FULL")) {
        printf(
            "%s: rate %.2f against %.2f images/s, reward %.2f against %.2f; at or above at %.1f %% "
            "and %.1f %% of the quantiles\n",
            TRACES[_i].file, mean_rate[1], mean_rate[0], mean_reward[1], mean_reward[0],
            100 * rates, 100 * rewards);
    }
    ck_assert_double_ge(rates, 0.9);
    ck_assert_double_ge(rewards, 0.9);
    ck_assert_double_ge(mean_rate[1], mean_rate[0]);
    free(values);
    free(states);
    ew_series_fini(&series);
}
END_TEST

static Suite *edgent_dynamic_suite(void)
{
    Suite *suite = begin_suite("edgent_dynamic");
    TCase *change = tcase_create("change_point");
    tcase_add_test(change, belief_after_many_samples_is_the_batch_formula);
    tcase_add_test(change, prediction_is_a_students_t);
    tcase_add_test(change, first_sample_says_nothing_about_changes);
    tcase_add_test(change, posterior_is_the_sum_over_all_segmentations);
    tcase_add_loop_test(change, a_step_is_found_within_a_few_samples_and_noise_is_not, 0, 20);
    tcase_add_test(change, long_runs_keep_their_probability);
    suite_add_tcase(suite, change);
    TCase *map = tcase_create("config_map");
    tcase_add_test(map, reward_is_accuracy_and_rate_within_the_deadline);
    tcase_add_test(map, map_holds_the_greatest_reward_of_every_state);
    tcase_add_test(map, hopeless_state_gets_the_fastest_strategy);
    tcase_add_test(map, nearest_state_is_nearest);
    tcase_add_loop_test(map, dynamic_is_at_or_above_static_over_most_of_the_distributions, 0,
                        sizeof TRACES / sizeof *TRACES);
    suite_add_tcase(suite, map);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(edgent_dynamic_suite());
    srunner_run_all(runner, CK_NORMAL);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
