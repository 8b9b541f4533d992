/*
 * Real execution that goes on when workers are lost: bands over four devices, planned anew over
 * those that are left. Every request is answered, with the bits of one device, whoever is lost and
 * whenever; unless it is the source, or there is no plan.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "engine/exec/exec.h"
#include "engine/exec/graph_weights.h"
#include "engine/exec/random_weights.h"
#include "engine/exec/unsplit.h"
#include "io/onnx.h"
#include "plan/lower.h"
#include "support/faulty.h"
#include "support/suite.h"
#include "support/tiny.h"

enum { N_DEVICES = 4, MAX_PLANS = 8, MAX_PIECES = 256, MAX_JOBS = 512, N_REQUESTS = 6 };

/* A plan and what it needs to live. */
struct bands {
    struct ew_segment segment;
    struct ew_piece pieces[MAX_PIECES];
    struct ew_plan plan;
    struct ew_task_graph *tasks;
};

/* A run, its plans, and what came of it. */
struct trial {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_plan_context context;
    struct bands bands[MAX_PLANS];
    struct ew_plan *plans[MAX_PLANS];
    const struct ew_task_graph *graphs[MAX_PLANS];
    uint32_t n_plans;
    struct ew_book book;
    struct ew_run_workload workload;
    uint32_t plan_of_job[MAX_JOBS];
    uint32_t n_done, n_failed, n_broken, n_answers;
    struct ew_unsplit *unsplit;
    const struct ew_exec_inputs *inputs; /* NULL: made from a seed */
    struct ew_graph_weights weights;
    bool refuses;
    struct ew_exec_facts facts;
    struct ew_run_facts run_facts;
    struct ew_error err;
};

/* What varies. */
struct how {
    const char *faults;
    const char *weights_path;            /* NULL: random */
    const struct ew_exec_inputs *inputs; /* NULL: made from a seed */
    bool is_emulated;
    bool refuses;
    enum ew_on_failure on_failure;
    double stall_limit_s;
};

/* Every layer in bands over the devices that are left; small ones on device 0. */
static void add_plan(struct trial *t, const bool *is_lost)
{
    struct bands *b = &t->bands[t->n_plans];
    uint32_t left[N_DEVICES], n_left = 0, n = 0;
    ck_assert_uint_lt(t->n_plans, MAX_PLANS);
    for (uint32_t d = 0; d < N_DEVICES; d++) {
        if (!is_lost[d]) {
            left[n_left++] = d;
        }
    }
    for (uint32_t l = 0; l < t->graph->n_layers; l++) {
        const struct ew_layer *layer = &t->graph->layers[l];
        const int32_t rows = layer->shape[EW_H];
        ck_assert_uint_lt(n + N_DEVICES, MAX_PIECES);
        if (layer->op == EW_OP_INPUT) {
            continue;
        }
        if (rows < (int32_t)n_left) {
            b->pieces[n++] = tiny_whole(t->graph, layer->name, 0);
            continue;
        }
        for (uint32_t k = 0; k < n_left; k++) {
            b->pieces[n++] =
                tiny_rows(t->graph, layer->name, left[k], rows * (int32_t)k / (int32_t)n_left,
                          rows * ((int32_t)k + 1) / (int32_t)n_left);
        }
    }
    b->plan = tiny_plan(t->graph, &b->segment, b->pieces, n);
    const struct ew_lower_options options = {.keep_boxes = true};
    struct ew_lower *lower = ew_lower_new();
    ck_assert_msg(ew_lower_plan(&b->tasks, lower, &t->context, &b->plan, &options, &t->err) ==
                      EW_OK,
                  "%s", t->err.message);
    ew_lower_free(lower);
    t->plans[t->n_plans] = &b->plan;
    t->graphs[t->n_plans] = b->tasks;
    t->book.n_plans = ++t->n_plans;
}

static enum ew_status plan_without(void *ctx, uint32_t *plan, double *charge_s, uint32_t workload,
                                   const bool *is_lost, double time_s, struct ew_error *err)
{
    struct trial *t = ctx;
    ck_assert_uint_eq(workload, 0);
    ck_assert_double_ge(time_s, 0);
    if (t->refuses) {
        return ew_fail(err, EW_ENOTSUP, "nobody wants to");
    }
    add_plan(t, is_lost);
    *plan = t->n_plans - 1;
    *charge_s = 0.01;
    return EW_OK;
}

static void watch(void *ctx, const struct ew_event *event)
{
    struct trial *t = ctx;
    if (event->kind == EW_EVENT_JOB_START && event->job < MAX_JOBS) {
        t->plan_of_job[event->job] = event->plan;
    }
    t->n_done += event->kind == EW_EVENT_REQUEST_DONE;
    t->n_failed += event->kind == EW_EVENT_REQUEST_FAILED;
    t->n_broken += event->kind == EW_EVENT_JOB_FAILED;
}

static void check_answer(void *ctx, const struct ew_exec_answer *answer)
{
    struct trial *t = ctx;
    const uint64_t job = answer->job;
    const struct ew_unsplit_job what = {job, 6, t->inputs, answer->first_image};
    float *expected = NULL;
    uint64_t n_expected = 0;
    ck_assert(answer->workload == 0 && job < MAX_JOBS);
    ck_assert_msg(ew_unsplit_run(&expected, &n_expected, t->unsplit, t->plans[t->plan_of_job[job]],
                                 &what, &t->err) == EW_OK,
                  "%s", t->err.message);
    ck_assert_uint_eq(answer->n, n_expected);
    ck_assert_msg(memcmp(answer->values, expected, answer->n * sizeof *expected) == 0,
                  "job %llu: wrong answer", (unsigned long long)job);
    free(expected);
    t->n_answers++;
}

static struct ew_graph *small_graph(void)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 8, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 8, .kernel = 5, .pad = 2},
        {.name = "c", .op = EW_OP_MAX_POOL, .kernel = 2, .stride = 2},
        {.name = "d", .op = EW_OP_CONV, .out_channels = 12, .kernel = 3, .pad = 1},
        {.name = "e", .op = EW_OP_CONV, .out_channels = 4, .kernel = 1},
    };
    return tiny_graph(3, 24, 24, sizeof layers / sizeof *layers, layers);
}

static struct ew_graph *model_graph(void)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    const struct ew_onnx_options options = {.folds_batchnorm = true};
    ck_assert_msg(ew_graph_load_onnx(&graph, EW_SOURCE_DIR "/tests/data/outputs/convolutions.onnx",
                                     &options, &err) == EW_OK,
                  "%s", err.message);
    return graph;
}

static enum ew_status execute(struct trial *t, const struct how *how)
{
    static const bool nobody[N_DEVICES];
    *t = (struct trial){.graph = how->weights_path ? model_graph() : small_graph(),
                        .platform = tiny_star(N_DEVICES),
                        .refuses = how->refuses,
                        .inputs = how->inputs};
    t->context = (struct ew_plan_context){t->graph, t->platform, ew_element_bytes_of(t->graph)};
    t->book = (struct ew_book){.strategy = "", .plans = t->plans};
    add_plan(t, nobody);
    ck_assert(ew_graph_weights_open(&t->weights, t->graph, !how->weights_path, how->weights_path, 5,
                                    &t->err) == EW_OK);
    ck_assert(ew_unsplit_new(&t->unsplit, t->graph, ew_kernels_find("reference"),
                             ew_graph_weights_source(&t->weights), &t->err) == EW_OK);
    t->workload = (struct ew_run_workload){
        .name = "main",
        .book = &t->book,
        .task_graphs = t->graphs,
        .context = &t->context,
        .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 3},
        .n_requests = N_REQUESTS,
        .requests_per_job = 1,
        .deadline_s = INFINITY,
    };
    const struct ew_dynamics dynamics = {
        .policy = {.on_failure = how->on_failure, .retry_delay_s = 0.02, .max_attempts = 10}};
    const struct ew_run_replanner replanner = {t, plan_without};
    const struct ew_exec_options options = {.worker_path = FAULTY_WORKER,
                                            .kernels = "reference",
                                            .weight_seed = 5,
                                            .has_random_weights = !how->weights_path,
                                            .weights_path = how->weights_path,
                                            .input_seed = 6,
                                            .inputs = how->inputs,
                                            .is_emulated = how->is_emulated,
                                            .dilation = 2, /* times do not matter here */
                                            .stall_limit_s = how->stall_limit_s,
                                            .answer = check_answer,
                                            .answer_ctx = t};
    const struct ew_run run = {.platform = t->platform,
                               .net = ew_net_model_find("ideal"),
                               .n_workloads = 1,
                               .workloads = &t->workload,
                               .seed = 1,
                               .dynamics = &dynamics,
                               .replanner = &replanner,
                               .sink = {t, watch}};
    faulty_adopt_orphans();
    faulty_begin(how->faults);
    const double begin_s = faulty_now_s();
    const enum ew_status status = ew_exec_run(&t->run_facts, &t->facts, &run, &options, &t->err);
    faulty_end();
    ck_assert_msg(faulty_now_s() - begin_s < 60, "%s: took %g s", how->faults,
                  faulty_now_s() - begin_s);
    faulty_check_nobody_is_left(how->faults);
    return status;
}

static void trial_fini(struct trial *t)
{
    for (uint32_t i = 0; i < t->n_plans; i++) {
        ew_task_graph_free(t->bands[i].tasks);
    }
    ew_unsplit_free(t->unsplit);
    ew_graph_weights_close(&t->weights);
    ew_graph_free(t->graph);
    ew_platform_free(t->platform);
}

/* All requests are answered, and as many workers as `n_lost` says were lost; UINT32_MAX: any. */
static void check_completes(const struct how *how, uint32_t n_lost)
{
    static struct trial t;
    const enum ew_status status = execute(&t, how);
    ck_assert_msg(status == EW_OK, "%s: %s", how->faults, t.err.message);
    ck_assert_msg(t.n_done == N_REQUESTS && t.n_failed == 0 && t.n_answers == N_REQUESTS,
                  "%s: %u done, %u failed, %u answers", how->faults, t.n_done, t.n_failed,
                  t.n_answers);
    ck_assert_msg(n_lost == UINT32_MAX || t.facts.n_lost == n_lost, "%s: lost %u: %s", how->faults,
                  t.facts.n_lost, t.facts.losses);
    ck_assert_uint_eq(t.n_plans > 1, t.facts.n_lost > 0);
    ck_assert_uint_le(t.n_broken, 3 * t.facts.n_lost); /* three at a time */
    trial_fini(&t);
}

static void check_fails(const struct how *how, const char *part, const char *other)
{
    static struct trial t;
    const enum ew_status status = execute(&t, how);
    ck_assert_msg(status == EW_EENGINE, "%s: expected a failure, found %d: %s", how->faults,
                  (int)status, t.err.message);
    ck_assert_msg(strstr(t.err.message, part) && strstr(t.err.message, other),
                  "%s: expected '%s' and '%s', found '%s'", how->faults, part, other,
                  t.err.message);
    trial_fini(&t);
}

static uint32_t n_times(uint32_t n_full)
{
    return getenv("EW_FULL") ? n_full : 1;
}

/* A worker reports some 40 tasks and messages of 56 bytes and more; later than the last: never. */
static uint64_t random_byte(struct ew_rng *rng)
{
    return ew_rng_u64(rng) % 3000;
}

START_TEST(any_worker_may_die_at_any_moment)
{
    struct ew_rng rng = ew_rng_make(1, "death");
    for (uint32_t i = 0; i < 3 * n_times(100); i++) {
        char faults[64];
        (void)snprintf(faults, sizeof faults, "kill:%llu@%u", (unsigned long long)random_byte(&rng),
                       1 + i % 3);
        check_completes(&(struct how){.faults = faults, .is_emulated = i % 2, .stall_limit_s = 60},
                        UINT32_MAX);
    }
}
END_TEST

/* Given images come again to those who are left, and requests that begin anew get theirs. */
START_TEST(given_images_survive_a_loss)
{
    static float images[2][3 * 24 * 24];
    const uint64_t n_elements = 3 * 24 * 24;
    const float *const values = images[0];
    const struct ew_exec_inputs inputs = {1, 2, &n_elements, &values};
    ew_random_values(images[0], 77, 0, 0, 2 * n_elements);
    for (uint32_t i = 0; i < 2 * n_times(50); i++) {
        check_completes(&(struct how){.faults = i % 2 ? "kill:300@2" : "kill:700@1",
                                      .inputs = &inputs,
                                      .is_emulated = i / 2 % 2,
                                      .stall_limit_s = 60},
                        1);
    }
}
END_TEST

START_TEST(two_workers_may_die)
{
    struct ew_rng rng = ew_rng_make(2, "death");
    for (uint32_t i = 0; i < n_times(100); i++) {
        char faults[64];
        (void)snprintf(faults, sizeof faults, "kill:%llu@%u,kill:%llu@%u",
                       (unsigned long long)random_byte(&rng), 1 + i % 3,
                       (unsigned long long)random_byte(&rng), 1 + (i + 1) % 3);
        check_completes(&(struct how){.faults = faults, .is_emulated = i % 2, .stall_limit_s = 60},
                        UINT32_MAX);
    }
}
END_TEST

START_TEST(the_source_alone_is_enough)
{
    for (uint32_t i = 0; i < n_times(100); i++) {
        check_completes(&(struct how){.faults = "kill:0@1,kill:300@2,kill:600@3",
                                      .is_emulated = i % 2,
                                      .stall_limit_s = 60},
                        3);
    }
}
END_TEST

/* Whatever goes wrong with a worker is its loss; `at` is chosen so that it happens. */
START_TEST(every_fault_is_survived)
{
    static const struct {
        const char *faults;
        double stall_limit_s;
    } cases[] = {
        {"stop:400@3", 1.5},   {"stop:0@1", 0.3},   {"kill:0@2", 60},      {"kill:700@2", 60},
        {"reset:0@2", 60},     {"reset:500@1", 60}, {"close:300@3", 60},   {"flip:10@1", 60},
        {"flip:650@2", 60},    {"version:0@3", 60}, {"version:200@1", 60}, {"garbage:0@2", 60},
        {"garbage:500@3", 60}, {"huge:300@1", 60},  {"data:300@2", 60},    {"data:900@1", 60},
        {"data:8000@0", 5}, /* and an answer may be owed by the one that complains */
    };
    for (uint32_t i = 0; i < n_times(100); i++) {
        check_completes(&(struct how){.faults = cases[_i].faults,
                                      .is_emulated = i % 2,
                                      .stall_limit_s = cases[_i].stall_limit_s},
                        UINT32_MAX);
    }
}
END_TEST

/* Weights found by way of the working folder: worker 2 begins elsewhere, as on a disk without them.
 */
START_TEST(a_disk_without_the_weights_is_survived)
{
    ck_assert_int_eq(chdir(EW_SOURCE_DIR "/tests/data/outputs"), 0);
    for (uint32_t i = 0; i < n_times(100); i++) {
        check_completes(&(struct how){.faults = "disk:0@2",
                                      .weights_path = "/proc/self/cwd/convolutions.onnx",
                                      .is_emulated = i % 2,
                                      .stall_limit_s = 60},
                        1);
    }
    check_fails(&(struct how){.faults = "disk:0@2",
                              .weights_path = "/proc/self/cwd/convolutions.onnx",
                              .refuses = true,
                              .stall_limit_s = 60},
                "worker of 'd2': weights file '/proc/self/cwd/", "No such file");
}
END_TEST

/* Others cannot connect to worker 2 and say so before it says, or shows, what is wrong with it. */
START_TEST(a_cause_is_waited_for_when_others_complain_first)
{
    ck_assert_int_eq(chdir(EW_SOURCE_DIR "/tests/data/outputs"), 0);
    struct how how = {.faults = "disklate:0@2",
                      .weights_path = "/proc/self/cwd/convolutions.onnx",
                      .refuses = true,
                      .stall_limit_s = 60};
    check_fails(&how, "worker of 'd2': weights file '/proc/self/cwd/", "No such file");
    how.faults = "killlate:0@2";
    check_fails(&how, "worker of 'd2': killed by signal 9", "no plan without it");
    for (uint32_t i = 0; i < n_times(100); i++) {
        how = (struct how){.faults = "killlate:0@2", .is_emulated = i % 2, .stall_limit_s = 60};
        check_completes(&how, 1);
    }
}
END_TEST

/* Worker 1 is lost before worker 2 has opened the clocks of the links: they are there still. */
START_TEST(who_is_set_up_late_is_not_lost_with_another)
{
    for (uint32_t i = 0; i < n_times(100); i++) {
        check_completes(&(struct how){.faults = "kill:0@1,tardy:88@2", /* behind its HELLO */
                                      .is_emulated = true,
                                      .stall_limit_s = 60},
                        1);
    }
}
END_TEST

START_TEST(the_loss_of_the_source_ends_the_run)
{
    static const char *const faults[] = {"kill:0@0", "kill:400@0", "stop:300@0", "flip:500@0"};
    for (uint32_t i = 0; i < n_times(100); i++) {
        for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
            check_fails(
                &(struct how){.faults = faults[k], .is_emulated = i % 2, .stall_limit_s = 1},
                "worker of 'd0'", "it is the source of workload 'main'");
        }
    }
}
END_TEST

START_TEST(a_loss_that_nobody_plans_for_ends_the_run)
{
    check_fails(&(struct how){.faults = "kill:400@2", .refuses = true, .stall_limit_s = 60},
                "worker of 'd2': killed by signal 9", "no plan without it: nobody wants to");
}
END_TEST

/* With on_failure fail the requests under way fail, at most three, and the others are answered. */
START_TEST(the_policy_says_what_becomes_of_requests)
{
    static struct trial t;
    const struct how fails = {
        .faults = "kill:500@1", .on_failure = EW_ON_FAILURE_FAIL, .stall_limit_s = 60};
    ck_assert_msg(execute(&t, &fails) == EW_OK, "%s", t.err.message);
    ck_assert_uint_eq(t.facts.n_lost, 1);
    ck_assert_uint_eq(t.n_done + t.n_failed, N_REQUESTS);
    ck_assert(t.n_failed >= 1 && t.n_failed <= 3);
    ck_assert_uint_eq(t.n_failed, t.n_broken);
    ck_assert_uint_eq(t.n_answers, t.n_done);
    trial_fini(&t);
    for (uint32_t i = 0; i < 2; i++) {
        check_completes(&(struct how){.faults = "kill:500@1",
                                      .on_failure = i ? EW_ON_FAILURE_RETRY : EW_ON_FAILURE_REPLAN,
                                      .is_emulated = true,
                                      .stall_limit_s = 60},
                        1);
    }
}
END_TEST

/* Run one case with CK_RUN_CASE: in full they take minutes. */
static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, getenv("EW_FULL") ? 3600 : 120);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = begin_suite("exec_losses");
    TCase *deaths = add_case(suite, "deaths");
    tcase_add_test(deaths, any_worker_may_die_at_any_moment);
    tcase_add_test(deaths, given_images_survive_a_loss);
    tcase_add_test(deaths, two_workers_may_die);
    tcase_add_test(deaths, the_source_alone_is_enough);
    tcase_add_loop_test(add_case(suite, "stops"), every_fault_is_survived, 0, 2);
    tcase_add_loop_test(add_case(suite, "faults"), every_fault_is_survived, 2, 17);
    TCase *causes = add_case(suite, "causes");
    tcase_add_test(causes, a_disk_without_the_weights_is_survived);
    tcase_add_test(causes, a_cause_is_waited_for_when_others_complain_first);
    tcase_add_test(causes, who_is_set_up_late_is_not_lost_with_another);
    TCase *ends = add_case(suite, "ends");
    tcase_add_test(ends, the_loss_of_the_source_ends_the_run);
    tcase_add_test(ends, a_loss_that_nobody_plans_for_ends_the_run);
    tcase_add_test(ends, the_policy_says_what_becomes_of_requests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
