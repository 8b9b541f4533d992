/*
 * Real execution against the plain forward pass, on random graphs, platforms and plans: the answer
 * has the same bits however the work was split, within rounding where sums were split, and within
 * the quantisation where boundaries were.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "engine/exec/exec.h"
#include "engine/exec/pin.h"
#include "engine/exec/program.h"
#include "engine/exec/random_weights.h"
#include "engine/exec/setup.h"
#include "engine/exec/unsplit.h"
#include "plan/lower.h"
#include "support/collect.h"
#include "support/random_scenario.h"
#include "support/suite.h"

enum { N_SCENARIOS = 60, N_FULL = 2000, N_SANITIZED = 12, MAX_JOBS = 512 };

/* What came back. */
struct answers {
    const struct random_scenario *scenario;
    uint32_t plans[MAX_JOBS]; /* by job, from events */
    uint64_t first_images[MAX_JOBS];
    const struct ew_exec_inputs *inputs; /* NULL: made from a seed */
    uint32_t n_jobs;
    uint32_t n_checked;
};

static void watch_jobs(void *ctx, const struct ew_event *event)
{
    struct answers *a = ctx;
    if (event->kind == EW_EVENT_JOB_START && event->job < MAX_JOBS) {
        const struct random_workload *part = &a->scenario->parts[event->workload];
        const uint32_t per_job = a->scenario->workloads[event->workload].requests_per_job;
        a->plans[event->job] = event->plan;
        a->first_images[event->job] =
            event->request * (uint64_t)part->book->plans[event->plan]->batch / per_job;
        a->n_jobs++;
    }
}

static void check_answer(void *ctx, const struct ew_exec_answer *answer)
{
    struct answers *a = ctx;
    const uint64_t job = answer->job, n = answer->n;
    const float *values = answer->values;
    struct ew_error err = {0};
    const uint64_t seed = a->scenario->seed;
    const struct random_workload *part = &a->scenario->parts[answer->workload];
    ck_assert(job < MAX_JOBS);
    ck_assert_uint_eq(answer->first_image, a->first_images[job]);
    const struct ew_plan *plan = part->book->plans[a->plans[job]];
    const struct ew_kernels *kernels = ew_kernels_find("reference");
    const struct ew_random_weights weights = {5};
    const struct ew_unsplit_job what = {job, 6, a->inputs, answer->first_image};
    struct ew_unsplit *unsplit = NULL;
    float *expected = NULL;
    uint64_t n_expected = 0;
    ck_assert(ew_unsplit_new(&unsplit, part->graph, kernels, ew_random_weights_source(&weights),
                             &err) == EW_OK);
    ck_assert_msg(ew_unsplit_run(&expected, &n_expected, unsplit, plan, &what, &err) == EW_OK, "%s",
                  err.message);
    ck_assert_msg(n_expected == n, "seed %llu: expected %llu values, found %llu",
                  (unsigned long long)seed, (unsigned long long)n_expected, (unsigned long long)n);
    const double tolerance = ew_unsplit_tolerance(part->graph, plan, kernels);
    double largest = 0;
    for (uint64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)expected[i]));
    }
    for (uint64_t i = 0; i < n; i++) {
        ck_assert_msg(
            tolerance > 0 ? isfinite(values[i]) && fabs((double)values[i] - (double)expected[i]) <=
                                                       tolerance * (largest + 1)
                          : memcmp(&values[i], &expected[i], sizeof values[i]) == 0,
            "seed %llu: job %llu: value %llu: expected %.9g, found %.9g", (unsigned long long)seed,
            (unsigned long long)job, (unsigned long long)i, (double)expected[i], (double)values[i]);
    }
    a->n_checked++;
    free(expected);
    ew_unsplit_free(unsplit);
}

/* Task graphs as exec wants them. */
static void lower_again(struct ew_task_graph **graphs, const struct random_workload *part)
{
    struct ew_error err = {0};
    const struct ew_lower_options options = {.keep_boxes = true};
    struct ew_lower *lower = ew_lower_new();
    ck_assert_ptr_nonnull(lower);
    for (uint32_t i = 0; i < part->book->n_plans; i++) {
        ck_assert_msg(ew_lower_plan(&graphs[i], lower, &part->context, part->book->plans[i],
                                    &options, &err) == EW_OK,
                      "%s", err.message);
    }
    ew_lower_free(lower);
}

/* How to execute; dilation 0: emulate nothing. */
struct how {
    double dilation;
    bool is_pinned;
    const struct ew_exec_inputs *inputs; /* NULL: made from a seed */
};

/* For a thread that is bound while it waits. */
struct waiter {
    pthread_barrier_t barrier;
    uint32_t n;
    uint32_t processors[EW_PIN_MAX_PROCESSORS];
};

static void run_scenario(uint64_t seed, const struct how *how, struct ew_exec_facts *facts,
                         double *end_s)
{
    struct random_scenario *scenario = random_scenario_new_plain(seed);
    struct answers answers = {.scenario = scenario, .inputs = how->inputs};
    struct ew_task_graph *graphs[RANDOM_MAX_WORKLOADS][3] = {{NULL}};
    for (uint32_t w = 0; w < scenario->run.n_workloads; w++) {
        lower_again(graphs[w], &scenario->parts[w]);
        scenario->workloads[w].task_graphs = (const struct ew_task_graph *const *)graphs[w];
        scenario->workloads[w].context = &scenario->parts[w].context;
    }
    scenario->run.sink = (struct ew_event_sink){&answers, watch_jobs};
    const struct ew_exec_options options = {.worker_path = EW_BINARY_DIR "/bin/edgeweave-worker",
                                            .kernels = "reference",
                                            .weight_seed = 5,
                                            .input_seed = 6,
                                            .inputs = how->inputs,
                                            .is_emulated = how->dilation > 0,
                                            .dilation = how->dilation,
                                            .is_pinned = how->is_pinned,
                                            .stall_limit_s = 20,
                                            .answer = check_answer,
                                            .answer_ctx = &answers};
    struct ew_run_facts run_facts = {0};
    struct ew_error err = {0};
    const enum ew_status status = ew_exec_run(&run_facts, facts, &scenario->run, &options, &err);
    ck_assert_msg(status == EW_OK, "seed %llu: %s", (unsigned long long)seed, err.message);
    ck_assert_uint_eq(answers.n_checked, answers.n_jobs);
    *end_s = run_facts.end_s;
    for (uint32_t w = 0; w < scenario->run.n_workloads; w++) {
        for (uint32_t i = 0; i < scenario->parts[w].book->n_plans; i++) {
            ew_task_graph_free(graphs[w][i]);
        }
        scenario->workloads[w].task_graphs = scenario->parts[w].task_graphs;
    }
    random_scenario_free(scenario);
}

START_TEST(any_split_gives_the_answer_of_one_device)
{
    const uint64_t n = test_count(N_SCENARIOS, N_FULL, N_SANITIZED);
    for (uint64_t seed = 1; seed <= n; seed++) {
        struct ew_exec_facts facts;
        double end_s;
        run_scenario(seed, &(struct how){0}, &facts, &end_s);
    }
}
END_TEST

/* Images of a graph's inputs. */
struct images {
    struct ew_exec_inputs inputs;
    uint64_t n_elements[8];
    float *values[8];
};

static bool has_inputs_of_one_shape(const struct ew_graph *graph)
{
    for (uint32_t v = 1; v < graph->n_variants; v++) {
        const struct ew_graph *other = graph->variants[v].graph;
        for (uint32_t i = 0; i < graph->n_inputs; i++) {
            if (other->layers[other->inputs[i]].elements !=
                graph->layers[graph->inputs[i]].elements) {
                return false;
            }
        }
    }
    return true;
}

static void make_images(struct images *out, const struct ew_graph *graph, uint32_t n_images)
{
    ck_assert_uint_le(graph->n_inputs, 8);
    out->inputs = (struct ew_exec_inputs){graph->n_inputs, n_images, out->n_elements,
                                          (const float *const *)out->values};
    for (uint32_t i = 0; i < graph->n_inputs; i++) {
        out->n_elements[i] = graph->layers[graph->inputs[i]].elements;
        out->values[i] = malloc(n_images * out->n_elements[i] * sizeof(float));
        ck_assert_ptr_nonnull(out->values[i]);
        ew_random_values(out->values[i], 77, i, 0, n_images * out->n_elements[i]);
    }
}

/* Requests take given images in turn, in whatever batches and segments: fewer, as many and more
 * than they need. */
START_TEST(given_images_are_what_is_computed_with)
{
    static const uint32_t n_images[] = {1, 3, 1000};
    const uint64_t n = test_count(N_SCENARIOS / 2, N_FULL / 2, N_SANITIZED);
    uint32_t n_tried = 0;
    for (uint64_t seed = 1; seed <= n; seed++) {
        struct random_scenario *scenario = random_scenario_new_plain(seed);
        const struct ew_graph *graph = scenario->parts[0].graph;
        const bool can_be_given = scenario->run.n_workloads == 1 && has_inputs_of_one_shape(graph);
        struct images images;
        struct ew_exec_facts facts;
        double end_s;
        if (can_be_given) {
            make_images(&images, graph, n_images[seed % 3]);
            run_scenario(seed, &(struct how){.inputs = &images.inputs}, &facts, &end_s);
            for (uint32_t i = 0; i < graph->n_inputs; i++) {
                free(images.values[i]);
            }
            n_tried++;
        }
        random_scenario_free(scenario);
    }
    ck_assert_uint_gt(n_tried, n / 4);
}
END_TEST

/* Every worker that is started here is bound, to as many processors as there are. */
START_TEST(workers_are_bound_to_processors_when_asked)
{
    static uint32_t processors[EW_PIN_MAX_PROCESSORS];
    const uint32_t n_processors = ew_pin_processors(processors);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct ew_exec_facts facts;
        double end_s;
        run_scenario(seed, &(struct how){.is_pinned = true}, &facts, &end_s);
        ck_assert_uint_ge(facts.n_pinned, n_processors ? 1 : 0);
        ck_assert_uint_eq(facts.n_processors,
                          facts.n_pinned < n_processors ? facts.n_pinned : n_processors);
        run_scenario(seed, &(struct how){0}, &facts, &end_s);
        ck_assert_uint_eq(facts.n_pinned, 0);
    }
}
END_TEST

static void *ask_processors(void *out)
{
    struct waiter *w = out;
    (void)pthread_barrier_wait(&w->barrier);
    w->n = ew_pin_processors(w->processors);
    return NULL;
}

/* A bound thread may use that processor only; one that this process may not use is refused. */
START_TEST(a_bound_thread_has_one_processor)
{
    static uint32_t mine[EW_PIN_MAX_PROCESSORS];
    const uint32_t n = ew_pin_processors(mine);
    for (uint32_t i = 0; i < n; i++) {
        static struct waiter w;
        pthread_t thread;
        ck_assert_int_eq(pthread_barrier_init(&w.barrier, NULL, 2), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, ask_processors, &w), 0);
        ck_assert(ew_pin_thread(thread, mine[i]));
        (void)pthread_barrier_wait(&w.barrier);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_uint_eq(w.n, 1);
        ck_assert_uint_eq(w.processors[0], mine[i]);
        (void)pthread_barrier_destroy(&w.barrier);
    }
    ck_assert(!ew_pin_thread(pthread_self(), EW_PIN_MAX_PROCESSORS - 1));
    ck_assert(!ew_pin_thread(pthread_self(), UINT32_MAX));
}
END_TEST

static void check_emulated_time(uint64_t seed, double dilation, double tolerance)
{
    struct random_scenario *scenario = random_scenario_new_plain(seed);
    struct answers unused = {.scenario = scenario};
    struct ew_run_facts expected = {0};
    struct ew_error err = {0};
    scenario->run.sink = (struct ew_event_sink){&unused, watch_jobs};
    ck_assert_msg(ew_engine_fast.run(&expected, &scenario->run, &err) == EW_OK, "%s", err.message);
    random_scenario_free(scenario);
    struct ew_exec_facts facts;
    double end_s;
    run_scenario(seed, &(struct how){.dilation = dilation}, &facts, &end_s);
    ck_assert_msg(fabs(end_s - expected.end_s) <= tolerance * expected.end_s,
                  "seed %llu: expected %.9g s, found %.9g s (%+.2f %%)", (unsigned long long)seed,
                  expected.end_s, end_s, 100 * (end_s / expected.end_s - 1));
}

/* Seeds whose messages never meet on a link: then emulated time is the model's. */
START_TEST(emulated_time_is_the_models_where_no_flows_meet)
{
    static const uint64_t seeds[] = {3, 5, 9, 14, 22};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        check_emulated_time(seeds[i], 1, 1e-4);
    }
}
END_TEST

/* Seeds whose messages of different latency meet: shares follow the latencies. */
START_TEST(emulated_time_is_close_where_unequal_flows_meet)
{
    static const uint64_t seeds[] = {2, 11, 26};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        check_emulated_time(seeds[i], 1, 0.02);
    }
}
END_TEST

/* The same, with 50 emulated seconds per real one, which no machine keeps up with: senders are late
 * all the time, but emulated time is the same to the last bit. */
START_TEST(emulated_time_does_not_depend_on_the_machine)
{
    static const uint64_t seeds[] = {2, 11, 26};
    uint64_t n_overruns = 0;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        struct ew_exec_facts facts;
        double end_s, hurried_s;
        run_scenario(seeds[i], &(struct how){.dilation = 1}, &facts, &end_s);
        run_scenario(seeds[i], &(struct how){.dilation = 0.02}, &facts, &hurried_s);
        ck_assert_msg(end_s == hurried_s, "seed %llu: expected %.17g s, found %.17g s",
                      (unsigned long long)seeds[i], end_s, hurried_s);
        n_overruns += facts.n_overruns;
    }
    ck_assert_uint_gt(n_overruns, 0);
}
END_TEST

/* A search that begins with frames of an older version stops at their heads: tests/fuzz/corpus. */
START_TEST(the_fuzzer_begins_with_what_is_understood)
{
    static const char *const names[] = {"setup", "setup_2", "program", "program_2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512], *bytes = NULL;
        size_t size = 0;
        struct ew_error err = {0};
        struct ew_arena arena = {0};
        struct ew_exec_setup setup;
        struct ew_exec_program *program = NULL;
        (void)snprintf(path, sizeof path, EW_SOURCE_DIR "/tests/fuzz/corpus/frame/%s", names[i]);
        ck_assert(ew_file_read(&bytes, &size, path, 1 << 20, &err) == EW_OK);
        const enum ew_status status = *names[i] == 's'
                                          ? ew_exec_setup_get(&setup, &arena, bytes, size, &err)
                                          : ew_exec_program_get(&program, bytes, size, &err);
        ck_assert_msg(status == EW_OK, "%s: %s", path, err.message);
        ew_exec_program_free(program);
        ew_arena_fini(&arena);
        free(bytes);
    }
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("exec");
    TCase *tcase = tcase_create("exec");
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, any_split_gives_the_answer_of_one_device);
    tcase_add_test(tcase, given_images_are_what_is_computed_with);
    tcase_add_test(tcase, workers_are_bound_to_processors_when_asked);
    tcase_add_test(tcase, a_bound_thread_has_one_processor);
    tcase_add_test(tcase, emulated_time_is_the_models_where_no_flows_meet);
    tcase_add_test(tcase, emulated_time_is_close_where_unequal_flows_meet);
    tcase_add_test(tcase, emulated_time_does_not_depend_on_the_machine);
    tcase_add_test(tcase, the_fuzzer_begins_with_what_is_understood);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
