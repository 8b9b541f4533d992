/*
 * Real execution against the plain forward pass, on random graphs, platforms and plans: the answer
 * has the same bits however the work was split, within rounding where sums were split, and within
 * the quantisation where boundaries were.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/exec.h"
#include "engine/exec/forward.h"
#include "engine/exec/random_weights.h"
#include "plan/lower.h"
#include "support/collect.h"
#include "support/random_scenario.h"

#ifdef EW_SANITIZED
enum { N_SCENARIOS = 12 };
#else
enum { N_SCENARIOS = 60 };
#endif
enum { N_FULL = 2000, MAX_JOBS = 512 };

/* What came back. */
struct answers {
    const struct random_scenario *scenario;
    uint32_t plans[MAX_JOBS]; /* by job, from events */
    uint32_t n_jobs;
    uint32_t n_checked;
};

static void watch_jobs(void *ctx, const struct ew_event *event)
{
    struct answers *a = ctx;
    if (event->kind == EW_EVENT_JOB_START && event->job < MAX_JOBS) {
        a->plans[event->job] = event->plan;
        a->n_jobs++;
    }
}

static bool has_partial_sums(const struct ew_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        if (plan->pieces[i].role == EW_PIECE_PARTIAL) {
            return true;
        }
    }
    return false;
}

static uint32_t fewest_bits(const struct ew_graph *graph, const struct ew_plan *plan)
{
    uint32_t bits = 32;
    for (uint32_t v = 0; v < plan->n_boundary_variants; v++) {
        for (uint32_t l = 0; plan->boundaries[v] && l < graph->variants[v].graph->n_layers; l++) {
            const uint32_t own = plan->boundaries[v][l].wire_bits;
            bits = own && own < bits ? own : bits;
        }
    }
    return bits;
}

/* Within what part of the largest value an answer must lie: none, or rounding, or the steps of the
 * coarsest number format on the way, which a deep network may amplify. */
static double tolerance_of(const struct ew_graph *graph, const struct ew_plan *plan)
{
    const uint32_t bits = fewest_bits(graph, plan);
    return bits <= 8 ? INFINITY : bits <= 16 ? 0.05 : has_partial_sums(plan) ? 1e-4 : 0;
}

/* Forward pass of one segment; appends the answer to `to` and returns how many values. */
static uint64_t run_segment(float *to, const struct random_workload *part,
                            const struct ew_plan *plan, uint32_t s, const float *input)
{
    struct ew_error err = {0};
    const struct ew_segment *segment = &plan->segments[s];
    const struct ew_graph *graph = ew_segment_graph(part->graph, segment);
    const struct ew_random_weights weights = {5};
    const struct ew_weight_source source = ew_random_weights_source(&weights);
    struct ew_forward *forward = NULL;
    ck_assert(segment->variant == 0); /* else the source must be asked about a variant */
    ck_assert_msg(ew_forward_new(&forward, graph, segment->exit, ew_kernels_find("reference"),
                                 &source, &err) == EW_OK,
                  "%s", err.message);
    struct ew_tensor inputs[4];
    struct ew_tensor outputs[8];
    ck_assert(graph->n_inputs <= 4 && graph->exits[segment->exit].n_layers <= 8);
    for (uint32_t i = 0; i < graph->n_inputs; i++) {
        struct ew_box box = ew_box_full(graph->layers[graph->inputs[i]].shape);
        box.hi[EW_N] = segment->image_hi - segment->image_lo;
        inputs[i].box = box;
        inputs[i].values = calloc(ew_tensor_floats(&box), sizeof(float));
        ck_assert_ptr_nonnull(inputs[i].values);
        memcpy(inputs[i].values, input, ew_box_volume(&box) * sizeof(float));
        input += ew_box_volume(&box);
    }
    ck_assert_msg(ew_forward_run(outputs, forward, inputs, NULL, &err) == EW_OK, "%s", err.message);
    uint64_t n = 0;
    for (uint32_t i = 0; i < graph->exits[segment->exit].n_layers; i++) {
        memcpy(to + n, outputs[i].values, ew_box_volume(&outputs[i].box) * sizeof(float));
        n += ew_box_volume(&outputs[i].box);
    }
    ew_forward_put(forward, outputs);
    ew_forward_free(forward);
    for (uint32_t i = 0; i < graph->n_inputs; i++) {
        free(inputs[i].values);
    }
    return n;
}

static uint64_t input_values(const struct random_workload *part, const struct ew_segment *segment)
{
    const struct ew_graph *graph = ew_segment_graph(part->graph, segment);
    uint64_t n = 0;
    for (uint32_t i = 0; i < graph->n_inputs; i++) {
        n += graph->layers[graph->inputs[i]].elements;
    }
    return n * (uint64_t)(segment->image_hi - segment->image_lo);
}

static void check_answer(void *ctx, uint32_t workload, uint64_t job, const float *values,
                         uint64_t n)
{
    struct answers *a = ctx;
    const uint64_t seed = a->scenario->seed;
    const struct random_workload *part = &a->scenario->parts[workload];
    ck_assert(job < MAX_JOBS);
    const struct ew_plan *plan = part->book->plans[a->plans[job]];
    float *expected = calloc(n + 1, sizeof *expected);
    uint64_t n_input = 0;
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        n_input += input_values(part, &plan->segments[s]);
    }
    float *input = malloc(n_input * sizeof *input);
    ck_assert(expected && input);
    for (uint64_t i = 0; i < n_input; i++) {
        input[i] = ew_random_value(6, job, i);
    }
    uint64_t at = 0;
    const float *next = input;
    for (uint32_t s = 0; s < plan->n_segments; s++) {
        at += run_segment(expected + at, part, plan, s, next);
        next += input_values(part, &plan->segments[s]);
    }
    ck_assert_msg(at == n, "seed %llu: expected %llu values, found %llu", (unsigned long long)seed,
                  (unsigned long long)at, (unsigned long long)n);
    const double tolerance = tolerance_of(part->graph, plan);
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
    free(input);
    free(expected);
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

static void run_scenario(uint64_t seed, bool is_emulated, struct ew_exec_facts *facts,
                         double *end_s)
{
    struct random_scenario *scenario = random_scenario_new_plain(seed);
    struct answers answers = {.scenario = scenario};
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
                                            .is_emulated = is_emulated,
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
    const uint64_t n = getenv("EW_FULL") ? N_FULL : N_SCENARIOS;
    for (uint64_t seed = 1; seed <= n; seed++) {
        struct ew_exec_facts facts;
        double end_s;
        run_scenario(seed, false, &facts, &end_s);
    }
}
END_TEST

/* Seeds whose messages never meet on a link: then emulated time is the model's. Only with EW_FULL,
 * on a machine that has time: pacing is real. */
START_TEST(emulated_time_is_the_models_where_no_flows_meet)
{
    static const uint64_t seeds[] = {3, 5, 9, 14, 22};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        struct random_scenario *scenario = random_scenario_new_plain(seeds[i]);
        struct answers unused = {.scenario = scenario};
        struct ew_run_facts expected = {0};
        struct ew_error err = {0};
        scenario->run.sink = (struct ew_event_sink){&unused, watch_jobs};
        ck_assert_msg(ew_engine_fast.run(&expected, &scenario->run, &err) == EW_OK, "%s",
                      err.message);
        random_scenario_free(scenario);
        struct ew_exec_facts facts;
        double end_s;
        run_scenario(seeds[i], true, &facts, &end_s);
        ck_assert_msg(fabs(end_s - expected.end_s) <= 1e-4 * expected.end_s,
                      "seed %llu: expected %.9g s, found %.9g s", (unsigned long long)seeds[i],
                      expected.end_s, end_s);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec");
    TCase *tcase = tcase_create("exec");
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, any_split_gives_the_answer_of_one_device);
    if (getenv("EW_FULL")) {
        tcase_add_test(tcase, emulated_time_is_the_models_where_no_flows_meet);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
