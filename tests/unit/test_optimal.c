/*
 * The strategy `optimal`, asked through the plugin interface with the fast engine to evaluate, and
 * the candidates that it is offered.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/graph_json.h"
#include "plan/bound.h"
#include "plugin/loader.h"
#include "plugin/make_book.h"
#include "support/planning.h"
#include "support/random_scenario.h"
#include "support/suite.h"
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

/* ------------------------------------------------------------------ against trying everything */

enum { MAX_CHAIN = 6 };

/* The least of every figure over all plans of a form, as the fast engine says. Set by questions,
 * which have no other way to hand it back. */
static struct ew_evaluation least;

static void weigh(const struct ew_host *host, struct ew_plan_builder *builder)
{
    struct ew_evaluation e = {.struct_size = sizeof e};
    if ((host->evaluate)(host, builder, &e) < 0) {
        return; /* no route */
    }
    least.latency_s = fmin(least.latency_s, e.latency_s);
    least.energy_j = fmin(least.energy_j, e.energy_j);
    least.period_s = fmin(least.period_s, e.period_s);
}

static void begin(struct ew_plan_builder *builder)
{
    ck_assert_int_ge(builder->reset(builder), 0);
    ck_assert_int_ge(builder->begin_plan(builder, "all"), 0);
}

static void add(struct ew_plan_builder *builder, uint32_t layer, uint32_t device,
                const struct ew_tensor_box *box)
{
    const struct ew_piece_desc piece = {.struct_size = sizeof piece,
                                        .layer = layer,
                                        .device = device,
                                        .chain = EW_ID_NONE,
                                        .sum_piece = EW_ID_NONE,
                                        .box = *box};
    ck_assert_int_ge(builder->add_piece(builder, &piece), 0);
}

/* Rows [lo, hi) of layer `last` of a chain on a device, and what they need of the layers from
 * `first` on. Layer 0 is the input. */
static void add_rows(const struct ew_host *host, struct ew_plan_builder *builder, uint32_t first,
                     uint32_t last, uint32_t device, int32_t lo, int32_t hi)
{
    const int32_t *shape = (host->layer)(host, 0, last)->shape;
    struct ew_tensor_box box = {{0, 0, lo, 0}, {1, shape[1], hi, shape[3]}};
    for (uint32_t l = last + 1; l-- > first && lo < hi;) {
        struct ew_tensor_box in;
        add(builder, l, device, &box);
        ck_assert_int_ge((host->input_box)(host, 0, l, 0, &box, &in), 0);
        box = in;
    }
}

/* Two devices; every way to cut a chain into volumes, and every volume's rows in two. */
static void ask_for_all_rows(const struct ew_host *host, struct ew_plan_builder *builder)
{
    const uint32_t n = (host->graph)(host, 0)->n_layers - 1;
    least =
        (struct ew_evaluation){.latency_s = INFINITY, .energy_j = INFINITY, .period_s = INFINITY};
    for (uint32_t borders = 0; borders < 1u << (n - 1); borders++) {
        uint32_t last[MAX_CHAIN], n_volumes = 0;
        int32_t share[MAX_CHAIN] = {0};
        for (uint32_t l = 1; l <= n; l++) {
            if (l == n || (borders & (1u << (l - 1)))) {
                last[n_volumes++] = l;
            }
        }
        for (uint32_t v = 0; v < n_volumes;) {
            begin(builder);
            for (uint32_t i = 0; i < n_volumes; i++) {
                const uint32_t first = i ? last[i - 1] + 1 : 1;
                const int32_t rows = (host->layer)(host, 0, last[i])->shape[2];
                add_rows(host, builder, first, last[i], 0, 0, share[i]);
                add_rows(host, builder, first, last[i], 1, share[i], rows);
            }
            weigh(host, builder);
            for (v = 0; v < n_volumes; v++) { /* count up */
                if (++share[v] <= (host->layer)(host, 0, last[v])->shape[2]) {
                    break;
                }
                share[v] = 0;
            }
        }
    }
}

/* Every layer of a chain whole on any device. */
static void ask_for_all_placements(const struct ew_host *host, struct ew_plan_builder *builder)
{
    const uint32_t n = (host->graph)(host, 0)->n_layers - 1;
    const uint32_t n_devices = (host->device_count)(host);
    uint32_t device[MAX_CHAIN] = {0};
    least =
        (struct ew_evaluation){.latency_s = INFINITY, .energy_j = INFINITY, .period_s = INFINITY};
    for (uint32_t l = 0; l < n;) {
        begin(builder);
        for (uint32_t i = 0; i < n; i++) {
            const int32_t *shape = (host->layer)(host, 0, i + 1)->shape;
            const struct ew_tensor_box box = {{0, 0, 0, 0}, {1, shape[1], shape[2], shape[3]}};
            add(builder, i + 1, device[i], &box);
        }
        weigh(host, builder);
        for (l = 0; l < n; l++) {
            if (++device[l] < n_devices) {
                break;
            }
            device[l] = 0;
        }
    }
}

/* A random platform of n devices. */
static struct ew_platform *platform_of(uint32_t n, struct ew_rng *rng)
{
    for (;;) {
        struct ew_platform *p = random_platform(rng);
        if (p->n_devices == n) {
            return p;
        }
        ew_platform_free(p);
    }
}

/* What `optimal` finds within so many evaluations. */
static struct ew_evaluation find(struct planning *planning, const char *objective,
                                 const char *evaluations, bool must_be_exact)
{
    char settings[100];
    struct ew_evaluation e = {.struct_size = sizeof e};
    (void)snprintf(settings, sizeof settings, "objective=%s evaluations=%s", objective,
                   evaluations);
    const struct ew_plan *plan = planning_run(planning, "optimal", settings);
    ck_assert_msg(plan != NULL, "%s", planning_error(planning)->message);
    const bool is_exact = strstr(planning_note(planning, "search"), "every plan") != NULL;
    ck_assert(is_exact == must_be_exact);
    const struct ew_host_services *services = planning_services(planning);
    ck_assert_msg(services->evaluate(services->ctx, planning_problem(planning), plan, &e, &err) ==
                      EW_OK,
                  "%s", err.message);
    return e;
}

/* One channel, so that rows are all there is to share, and an even number of them: the pool leaves
 * none unread. */
START_TEST(small_networks_are_solved_exactly)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "exact");
        const struct tiny_layer layers[] = {
            {.name = "a", .op = EW_OP_CONV, .out_channels = 1, .kernel = 3, .pad = 1},
            {.name = "pool", .op = EW_OP_MAX_POOL, .kernel = 2, .stride = random_int(&rng, 1, 2)},
            {.name = "b", .op = EW_OP_CONV, .out_channels = 1, .kernel = 3, .pad = 1},
        };
        struct planning *planning = planning_new(
            tiny_graph(random_int(&rng, 1, 64), 2 * random_int(&rng, 2, 3), 400, 3, layers),
            platform_of(2, &rng));
        planning_ask(planning, ask_for_all_rows);
        const struct ew_evaluation a = find(planning, "latency", "100000", true);
        const struct ew_evaluation b = find(planning, "energy", "100000", true);
        const struct ew_evaluation c = find(planning, "period", "100000", true);
        ck_assert_double_eq_tol(a.latency_s, least.latency_s, 1e-9 * least.latency_s);
        ck_assert_double_eq_tol(b.energy_j, least.energy_j, 1e-9 * least.energy_j);
        ck_assert_double_eq_tol(c.period_s, least.period_s, 1e-9 * least.period_s);
        planning_free(planning);
    }
}
END_TEST

/* Three single devices and one more evaluation: dynamic programming alone has to find the best of
 * 3^5 placements. For energy a third looks for the fastest first; radios are estimates, hence the
 * tolerance. */
START_TEST(sequences_are_the_best_placements)
{
    uint32_t n_mixed = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct ew_rng rng = ew_rng_make(seed, "sequence");
        struct tiny_layer layers[5];
        static const char *const names[] = {"a", "b", "c", "d", "e"};
        for (int i = 0; i < 5; i++) {
            layers[i] = (struct tiny_layer){
                .name = names[i], .op = EW_OP_FC, .out_channels = random_int(&rng, 1, 3000)};
        }
        struct planning *planning = planning_new(
            tiny_graph(random_int(&rng, 1, 30000), 1, 1, 5, layers), platform_of(3, &rng));
        planning_problem(planning)->sink_device = (uint32_t)random_int(&rng, 0, 2);
        planning_ask(planning, ask_for_all_placements);
        const struct ew_evaluation a = find(planning, "latency", "4", false);
        ck_assert_double_eq_tol(a.latency_s, least.latency_s, 1e-9 * least.latency_s);
        const struct ew_evaluation b = find(planning, "energy", "5", false);
        ck_assert_double_le(b.energy_j, least.energy_j * 1.001);
        const struct ew_plan *plan = planning_run(planning, "optimal", "evaluations=4");
        n_mixed += plan->pieces[0].device != plan->pieces[plan->n_pieces - 1].device;
        planning_free(planning);
    }
    ck_assert_uint_gt(n_mixed, 2);
}
END_TEST

/* Images of a batch need nothing of each other. */
START_TEST(a_batch_is_shared_out_by_images)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_FC, .out_channels = 4000},
        {.name = "b", .op = EW_OP_FC, .out_channels = 10},
    };
    struct planning *planning = planning_new(tiny_graph(4000, 1, 1, 2, layers), tiny_star(4));
    planning_problem(planning)->batch = 8;
    const struct ew_plan *plan = planning_run(planning, "local", "");
    ck_assert_ptr_nonnull(plan);
    const double alone_s = planning_latency_s(planning);
    plan = planning_run(planning, "optimal", "evaluations=300");
    ck_assert_ptr_nonnull(plan);
    /* 32 MFLOP an image at 1 GFLOP/s, 16 kB an image at 1 MB/s */
    ck_assert_double_lt(planning_latency_s(planning), 0.75 * alone_s);
    planning_free(planning);
}
END_TEST

/* A fully connected layer between small vectors: 400 MFLOP, 80 kB in, 80 kB out. */
START_TEST(weights_are_shared_out_by_channels)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_FC, .out_channels = 20000},
    };
    struct planning *planning = planning_new(tiny_graph(20000, 1, 1, 1, layers), tiny_star(2));
    ck_assert_ptr_nonnull(planning_run(planning, "local", ""));
    const double alone_s = planning_latency_s(planning);
    ck_assert_ptr_nonnull(planning_run(planning, "optimal", "evaluations=300"));
    ck_assert_double_lt(planning_latency_s(planning), 0.75 * alone_s);
    planning_free(planning);
}
END_TEST

/* Of two exits with enough accuracy the earlier one is faster; without a wish the last one stays.
 */
START_TEST(an_exit_that_is_accurate_enough_is_taken)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *edgent = NULL;
    ck_assert_msg(ew_graph_load(&edgent, "edgent_alexnet", dirs, 1, &err) == EW_OK, "%s",
                  err.message);
    struct planning *planning = planning_new(edgent, tiny_star(2));
    const uint32_t last = edgent->n_exits - 1;
    const struct ew_plan *plan = planning_run(planning, "optimal", "evaluations=200");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->segments[0].exit, last);
    planning_problem(planning)->min_accuracy = edgent->exits[0].accuracy;
    plan = planning_run(planning, "optimal", "evaluations=200");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->segments[0].exit, 0);
    planning_problem(planning)->min_accuracy = 0.99;
    plan = planning_run(planning, "optimal", "evaluations=200");
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->segments[0].exit, last);
    planning_free(planning);
}
END_TEST

START_TEST(the_safety_stop_is_named)
{
    struct planning *planning = planning_new(heavy_graph(), tiny_star(4));
    ck_assert_ptr_nonnull(planning_run(planning, "optimal", "limit_s=0"));
    ck_assert_str_eq(planning_note(planning, "search"),
                     "1 evaluations of 10000, stopped by limit_s, 0 restarts");
    planning_free(planning);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("optimal");
    TCase *tcase = tcase_create("optimal");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, several_devices_share_what_is_worth_sharing);
    tcase_add_test(tcase, each_objective_is_best_by_its_own_figure);
    tcase_add_test(tcase, energy_under_a_deadline_meets_it);
    tcase_add_test(tcase, one_device_and_many_are_served);
    tcase_add_test(tcase, budget_is_kept);
    tcase_add_test(tcase, candidate_of_others_is_taken_when_better);
    tcase_add_test(tcase, small_networks_are_solved_exactly);
    tcase_add_test(tcase, sequences_are_the_best_placements);
    tcase_add_test(tcase, a_batch_is_shared_out_by_images);
    tcase_add_test(tcase, weights_are_shared_out_by_channels);
    tcase_add_test(tcase, an_exit_that_is_accurate_enough_is_taken);
    tcase_add_test(tcase, the_safety_stop_is_named);
    tcase_add_loop_test(tcase, random_problems_are_planned_and_candidates_survive_loading, 0, 60);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? 0 : 1;
}
