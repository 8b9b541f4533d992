/*
 * The strategy `optimal`, asked through the plugin interface with the fast engine to evaluate, and
 * the candidates that it is offered.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/bound.h"
#include "plugin/loader.h"
#include "plugin/make_book.h"
#include "support/random_scenario.h"
#include "support/tiny.h"
#include "sweep/candidates.h"
#include "sweep/evaluate.h"

static struct ew_graph *graph;
static struct ew_platform *platform;
static struct ew_problem problem;
static struct ew_registry registry;
static struct ew_evaluator *evaluator;
static struct ew_candidate_list candidates;
static struct ew_error err;

static void open_problem(struct ew_graph *taken_graph, struct ew_platform *taken_platform)
{
    graph = taken_graph;
    platform = taken_platform;
    candidates = (struct ew_candidate_list){0};
    problem = (struct ew_problem){
        .context = {graph, platform, ew_element_bytes_of(graph)},
        .batch = 1,
        .deadline_s = INFINITY,
        .arrival = "closed:1",
        .workload = "test",
        .seed = 1,
    };
    registry = (struct ew_registry){0};
    ck_assert_msg(ew_registry_add_dir(&registry, EW_BINARY_DIR "/lib/edgeweave/strategies", true,
                                      &err) == EW_OK,
                  "%s", err.message);
    ck_assert_int_eq(
        ew_evaluator_new(&evaluator, platform, ew_net_model_find("ideal"), EW_ENERGY_BOTH, &err),
        EW_OK);
    ew_candidates_bind(&candidates, graph->n_layers);
}

static void close_problem(void)
{
    ew_candidates_fini(&candidates);
    ew_evaluator_free(evaluator);
    ew_registry_fini(&registry);
    ew_platform_free(platform);
    ew_graph_free(graph);
}

static enum ew_status evaluate(void *ctx, const struct ew_problem *asked,
                               const struct ew_plan *plan, struct ew_evaluation *result,
                               struct ew_error *why)
{
    (void)ctx;
    return ew_evaluate(evaluator, asked, plan, result, why);
}

static const void *extension(void *ctx, const char *id)
{
    (void)ctx;
    return candidates.books.count && strcmp(id, EW_CANDIDATES_ID) == 0 ? &candidates.abi : NULL;
}

/* NULL when it refuses; the reason is in err. */
static struct ew_book *make(const char *strategy, size_t n, const struct ew_param_setting *settings)
{
    static const struct ew_host_services services = {.evaluate = evaluate, .extension = extension};
    struct ew_params params = {0};
    struct ew_book_request request = {
        .params = &params, .problem = &problem, .services = &services};
    struct ew_book *book = NULL;
    err = (struct ew_error){0};
    ck_assert_msg(ew_registry_find(&request.strategy, &registry, strategy, &err) == EW_OK, "%s",
                  err.message);
    ck_assert_msg(ew_params_make(&params, request.strategy.info, settings, n, &err) == EW_OK, "%s",
                  err.message);
    const enum ew_status status = ew_book_make(&book, &request, &err);
    ew_params_fini(&params);
    return status == EW_OK ? book : NULL;
}

static struct ew_book *must_make(const char *strategy, size_t n,
                                 const struct ew_param_setting *settings)
{
    struct ew_book *book = make(strategy, n, settings);
    ck_assert_msg(book != NULL, "%s: %s", strategy, err.message);
    return book;
}

static struct ew_evaluation judge(const struct ew_book *book)
{
    struct ew_evaluation e = {.struct_size = sizeof e};
    ck_assert_msg(ew_evaluate(evaluator, &problem, book->plans[0], &e, &err) == EW_OK, "%s",
                  err.message);
    return e;
}

static const char *note(const struct ew_book *book, const char *key)
{
    const struct ew_plan *plan = book->plans[0];
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        if (strcmp(plan->notes[i].key, key) == 0) {
            return plan->notes[i].value;
        }
    }
    return "";
}

/* Convolutions that are worth sharing out over 1 MB/s: 2 * 9 * 16 * 16 * 48 * 48 FLOPs and more
 * each for 48 * 48 * 3 elements of input. */
static struct ew_graph *heavy_graph(void)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 64, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 64, .kernel = 3, .pad = 1},
        {.name = "pool", .op = EW_OP_MAX_POOL, .kernel = 4, .stride = 4},
        {.name = "c", .op = EW_OP_CONV, .out_channels = 64, .kernel = 3, .pad = 1},
        {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
    };
    return tiny_graph(3, 48, 48, 5, layers);
}

static double bound_s(void)
{
    const struct ew_bound_problem asked = {
        .context = &problem.context,
        .batch = 1,
        .latency_factor = 1,
        .bandwidth_factor = 1,
    };
    struct ew_bound bound;
    ck_assert_int_eq(ew_bound_compute(&bound, &asked, &err), EW_OK);
    return bound.latency_s;
}

START_TEST(several_devices_share_what_is_worth_sharing)
{
    open_problem(heavy_graph(), tiny_star(4));
    struct ew_book *local = must_make("local", 0, NULL);
    struct ew_book *best = must_make("optimal", 0, NULL);
    const double alone_s = judge(local).latency_s, best_s = judge(best).latency_s;
    ck_assert_double_lt(best_s, 0.7 * alone_s);
    ck_assert_double_ge(best_s, bound_s());
    ck_assert_double_eq_tol(best->plans[0]->predicted_latency_s, best_s, 1e-9);
    ew_book_free(best);
    ew_book_free(local);
    close_problem();
}
END_TEST

START_TEST(each_objective_is_best_by_its_own_figure)
{
    open_problem(heavy_graph(), tiny_star(4));
    const struct ew_param_setting energy = {"objective", "energy"};
    const struct ew_param_setting period = {"objective", "period"};
    struct ew_book *by_latency = must_make("optimal", 0, NULL);
    struct ew_book *by_energy = must_make("optimal", 1, &energy);
    struct ew_book *by_period = must_make("optimal", 1, &period);
    const struct ew_evaluation a = judge(by_latency), b = judge(by_energy), c = judge(by_period);
    ck_assert_double_le(a.latency_s, b.latency_s * (1 + 1e-6));
    ck_assert_double_le(a.latency_s, c.latency_s * (1 + 1e-6));
    ck_assert_double_le(b.energy_j, a.energy_j * (1 + 1e-6));
    ck_assert_double_le(b.energy_j, c.energy_j * (1 + 1e-6));
    ck_assert_double_le(c.period_s, a.period_s * (1 + 1e-6));
    ck_assert_double_le(c.period_s, b.period_s * (1 + 1e-6));
    ew_book_free(by_latency);
    ew_book_free(by_energy);
    ew_book_free(by_period);
    close_problem();
}
END_TEST

START_TEST(energy_under_a_deadline_meets_it)
{
    open_problem(heavy_graph(), tiny_star(4));
    struct ew_book *fastest = must_make("optimal", 0, NULL);
    struct ew_book *local = must_make("local", 0, NULL);
    problem.deadline_s = 0.5 * (judge(fastest).latency_s + judge(local).latency_s);
    const struct ew_param_setting setting = {"objective", "energy_under_deadline"};
    struct ew_book *book = must_make("optimal", 1, &setting);
    const struct ew_evaluation e = judge(book);
    ck_assert_double_le(e.latency_s, problem.deadline_s);
    ck_assert_double_le(e.energy_j, judge(fastest).energy_j * (1 + 1e-6));
    ew_book_free(book);
    ew_book_free(local);
    ew_book_free(fastest);
    close_problem();
}
END_TEST

START_TEST(one_device_and_many_are_served)
{
    static const uint32_t sizes[] = {1, 2, 32};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_problem(heavy_graph(), tiny_star(sizes[i]));
        const struct ew_param_setting setting = {"evaluations", "400"};
        struct ew_book *local = must_make("local", 0, NULL);
        struct ew_book *book = must_make("optimal", 1, &setting);
        ck_assert_double_le(judge(book).latency_s, judge(local).latency_s * (1 + 1e-9));
        ck_assert_double_ge(judge(book).latency_s, bound_s());
        ew_book_free(book);
        ew_book_free(local);
        close_problem();
    }
}
END_TEST

START_TEST(budget_is_kept)
{
    open_problem(heavy_graph(), tiny_star(4));
    const struct ew_param_setting setting = {"evaluations", "17"};
    struct ew_book *book = must_make("optimal", 1, &setting);
    ck_assert_str_eq(note(book, "search"), "17 evaluations of 17, budget spent, 0 restarts");
    ew_book_free(book);
    close_problem();
}
END_TEST

START_TEST(candidate_of_others_is_taken_when_better)
{
    /* One evaluation knows only the source alone. */
    open_problem(heavy_graph(), tiny_star(4));
    const struct ew_param_setting settings[] = {{"evaluations", "1"}, {"candidates", "false"}};
    struct ew_book *local = must_make("local", 0, NULL), *better = must_make("optimal", 0, NULL);
    ck_assert_double_lt(judge(better).latency_s, judge(local).latency_s);
    ck_assert_int_eq(ew_candidates_add(&candidates, local, &err), EW_OK);
    ck_assert_int_eq(ew_candidates_add(&candidates, better, &err), EW_OK);
    struct ew_book *book = must_make("optimal", 1, settings);
    ck_assert_double_eq(judge(book).latency_s, judge(better).latency_s);
    ck_assert_str_eq(note(book, "search"), "the plan of optimal is better than all of 1 found");
    ew_book_free(book);
    book = must_make("optimal", 2, settings); /* told not to look */
    ck_assert_double_eq_tol(judge(book).latency_s, judge(local).latency_s, 1e-12);
    ew_book_free(book);
    ew_book_free(better);
    ew_book_free(local);
    close_problem();
}
END_TEST

/* Candidates of every form: what is loaded lowers to the same latency as the plan itself. */
START_TEST(random_problems_are_planned_and_candidates_survive_loading)
{
    const uint64_t seed = 1000 + (uint64_t)_i;
    struct ew_rng rng = ew_rng_make(seed, "optimal");
    struct ew_platform *p = random_platform(&rng);
    open_problem(random_graph(&rng), p);
    struct ew_book *other = random_book(&rng, &problem.context);
    const struct ew_plan *plan = other->plans[0];
    problem.batch = plan->batch;
    problem.source_device = plan->source_device;
    problem.sink_device = plan->sink_device;
    struct ew_plan *only[1] = {other->plans[0]};
    const struct ew_book one = {
        .strategy = "random", .pick = EW_PICK_ONLY, .n_plans = 1, .plans = only};
    ck_assert_int_eq(ew_candidates_add(&candidates, &one, &err), EW_OK);
    const struct ew_param_setting setting = {"evaluations", "200"};
    struct ew_book *book = must_make("optimal", 1, &setting);
    const bool has_variants = plan->n_boundary_variants > 1;
    if (!has_variants) {
        ck_assert_double_le(judge(book).latency_s, judge(&one).latency_s * (1 + 1e-6));
    }
    ew_book_free(book);
    ew_book_free(other);
    close_problem();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optimal");
    TCase *tcase = tcase_create("optimal");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, several_devices_share_what_is_worth_sharing);
    tcase_add_test(tcase, each_objective_is_best_by_its_own_figure);
    tcase_add_test(tcase, energy_under_a_deadline_meets_it);
    tcase_add_test(tcase, one_device_and_many_are_served);
    tcase_add_test(tcase, budget_is_kept);
    tcase_add_test(tcase, candidate_of_others_is_taken_when_better);
    tcase_add_loop_test(tcase, random_problems_are_planned_and_candidates_survive_loading, 0, 60);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? 0 : 1;
}
