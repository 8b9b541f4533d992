#include "support/planning.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "model/world.h"
#include "plan/lower.h"
#include "plugin/loader.h"
#include "sweep/evaluate.h"

#ifndef EW_STRATEGY_DIR
#define EW_STRATEGY_DIR EW_BINARY_DIR "/lib/edgeweave/strategies"
#endif

enum { MAX_SETTINGS = 16, SETTINGS_SIZE = 256 };

struct planning {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_problem problem;
    struct ew_registry registry;
    struct ew_evaluator *evaluator;
    struct ew_host_services services;
    struct ew_book *book;
    struct ew_error error;
    double latency_s; /* of the request being run */

    /* between planning_begin and the next planning_run */
    struct ew_params params;
    struct ew_instance *instance;
    struct ew_world *world;
    struct ew_online online;
    double now_s;
    uint64_t n_observed;
    uint64_t n_evaluations;
};

struct planning *planning_new(struct ew_graph *graph, struct ew_platform *platform)
{
    struct planning *planning = calloc(1, sizeof *planning);
    ck_assert_ptr_nonnull(planning);
    planning->graph = graph;
    planning->platform = platform;
    planning->problem = (struct ew_problem){
        .context = {graph, platform, ew_element_bytes_of(graph)},
        .batch = 1,
        .deadline_s = INFINITY,
        .arrival = "closed:1",
        .workload = "test",
        .seed = 1,
    };
    struct ew_error err = {0};
    ck_assert_msg(ew_evaluator_new(&planning->evaluator, platform, ew_net_model_find("ideal"),
                                   EW_ENERGY_BOTH, &err) == EW_OK,
                  "%s", err.message);
    planning->services =
        (struct ew_host_services){.ctx = planning->evaluator, .evaluate = ew_evaluate};
    ck_assert_msg(ew_registry_add_dir(&planning->registry, EW_STRATEGY_DIR, true, &err) == EW_OK,
                  "%s", err.message);
    return planning;
}

/* The session, if there is one, is over. */
static void end_session(struct planning *planning)
{
    ew_instance_free(planning->instance);
    ew_params_fini(&planning->params);
    ew_world_free(planning->world);
    planning->instance = NULL;
    planning->params = (struct ew_params){0};
    planning->world = NULL;
}

void planning_free(struct planning *planning)
{
    end_session(planning);
    ew_book_free(planning->book);
    ew_registry_fini(&planning->registry);
    ew_evaluator_free(planning->evaluator);
    ew_platform_free(planning->platform);
    ew_graph_free(planning->graph);
    free(planning);
}

struct ew_host_services *planning_services(struct planning *planning)
{
    return &planning->services;
}

struct ew_problem *planning_problem(struct planning *planning)
{
    return &planning->problem;
}

const struct ew_error *planning_error(const struct planning *planning)
{
    return &planning->error;
}

/* "a=b c=d" in place; returns how many. */
static size_t split_settings(struct ew_param_setting *out, char *text)
{
    size_t n = 0;
    char *rest = text;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        ck_assert(equals != NULL && n < MAX_SETTINGS);
        *equals = '\0';
        out[n++] = (struct ew_param_setting){word, equals + 1};
    }
    return n;
}

static void run_entry(struct planning *planning, const struct ew_strategy_entry *entry,
                      const struct ew_strategy_info *info)
{
    struct ew_error *err = &planning->error;
    ck_assert_msg(ew_instance_new(&planning->instance, entry, info, &planning->params,
                                  &planning->problem, &planning->services, err) == EW_OK,
                  "%s", err->message);
    if (ew_instance_plan(&planning->book, planning->instance, err) != EW_OK) {
        planning->book = NULL;
    }
}

/* Plan, and keep the strategy. */
static const struct ew_plan *plan_and_stay(struct planning *planning, const char *strategy,
                                           const char *settings)
{
    struct ew_strategy_ref ref;
    struct ew_param_setting list[MAX_SETTINGS];
    char text[SETTINGS_SIZE];
    struct ew_error *err = &planning->error;
    ck_assert_uint_lt(strlen(settings), sizeof text);
    memcpy(text, settings, strlen(settings) + 1);
    size_t n = split_settings(list, text);
    ew_book_free(planning->book);
    planning->book = NULL;
    *err = (struct ew_error){0};
    ck_assert_msg(ew_registry_find(&ref, &planning->registry, strategy, err) == EW_OK, "%s",
                  err->message);
    ck_assert_msg(ew_params_make(&planning->params, ref.info, list, n, err) == EW_OK, "%s",
                  err->message);
    run_entry(planning, ref.plugin->entry, ref.info);
    return planning->book ? planning->book->plans[0] : NULL;
}

const struct ew_plan *planning_run(struct planning *planning, const char *strategy,
                                   const char *settings)
{
    end_session(planning);
    const struct ew_plan *plan = plan_and_stay(planning, strategy, settings);
    end_session(planning);
    return plan;
}

/* ------------------------------------------------------------------ in a changing world */

static enum ew_status count_and_evaluate(void *ctx, const struct ew_problem *problem,
                                         const struct ew_plan *plan, struct ew_evaluation *result,
                                         struct ew_error *err)
{
    struct planning *planning = ctx;
    planning->n_evaluations++;
    return ew_evaluate(planning->evaluator, problem, plan, result, err);
}

/* The problem is about the world as it is now. */
static void enter_world(struct planning *planning)
{
    struct ew_error err = {0};
    const struct ew_platform **platform = &planning->problem.context.platform;
    ew_evaluator_free(planning->evaluator);
    planning->evaluator = NULL;
    ck_assert_msg(ew_world_platform(platform, planning->world, &err) == EW_OK &&
                      ew_evaluator_new(&planning->evaluator, *platform, ew_net_model_find("ideal"),
                                       EW_ENERGY_BOTH, &err) == EW_OK,
                  "%s", err.message);
}

const struct ew_plan *planning_begin(struct planning *planning, const char *strategy,
                                     const char *settings, const struct ew_dynamics *dynamics)
{
    struct ew_error err = {0};
    end_session(planning);
    ck_assert_int_eq(ew_world_new(&planning->world, planning->platform, dynamics, &err), EW_OK);
    enter_world(planning);
    planning->services.ctx = planning;
    planning->services.evaluate = count_and_evaluate;
    planning->n_observed = planning->n_evaluations = 0;
    planning->now_s = 0;
    const struct ew_plan *plan = plan_and_stay(planning, strategy, settings);
    ck_assert_int_eq(ew_instance_online(&planning->online, planning->instance, &err), EW_OK);
    ck_assert_msg(planning->online.observe != NULL, "%s does not observe", strategy);
    return plan;
}

void planning_advance(struct planning *planning, double time_s)
{
    ew_world_advance(planning->world, time_s);
    enter_world(planning);
    planning->now_s = time_s;
}

const struct ew_plan *planning_observe(struct planning *planning, uint32_t causes)
{
    struct ew_book *book = NULL;
    const struct ew_observation now = {
        .struct_size = sizeof now,
        .causes = causes,
        .time_s = planning->now_s,
        .number = ++planning->n_observed,
    };
    planning->error = (struct ew_error){0};
    const enum ew_status status =
        ew_instance_observe(&book, planning->instance, &planning->online, &now, &planning->error);
    if (status != EW_OK || !book) {
        return NULL;
    }
    ew_book_free(planning->book);
    planning->book = book;
    return book->plans[0];
}

static bool has_ways(const struct ew_platform *platform, uint32_t a, uint32_t b)
{
    return a == b || (ew_platform_route(platform, a, b)->n_links > 0 &&
                      ew_platform_route(platform, b, a)->n_links > 0);
}

bool planning_can_run(const struct planning *planning)
{
    const struct ew_plan *plan = planning->book->plans[0];
    const struct ew_platform *platform = planning->problem.context.platform;
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        const uint32_t device = plan->pieces[i].device;
        bool can_run = has_ways(platform, device, plan->source_device);
        for (uint32_t k = 0; k < plan->n_pieces; k++) {
            can_run = can_run && has_ways(platform, device, plan->pieces[k].device);
        }
        if (!can_run) {
            return false;
        }
    }
    return true;
}

uint64_t planning_evaluations(const struct planning *planning)
{
    return planning->n_evaluations;
}

static void record_latency(void *ctx, const struct ew_event *event)
{
    struct planning *planning = ctx;
    if (event->kind == EW_EVENT_REQUEST_DONE || event->kind == EW_EVENT_REQUEST_LATE) {
        planning->latency_s = event->value;
    }
}

double planning_latency_s(struct planning *planning)
{
    struct ew_lower *lower = ew_lower_new();
    struct ew_task_graph *tasks = NULL;
    struct ew_error err = {0};
    ck_assert(lower != NULL && planning->book != NULL);
    ck_assert_msg(ew_lower_plan(&tasks, lower, &planning->problem.context, planning->book->plans[0],
                                NULL, &err) == EW_OK,
                  "%s", err.message);
    const struct ew_task_graph *graphs[] = {tasks};
    const struct ew_run_workload workload = {
        .name = "test",
        .book = planning->book,
        .task_graphs = graphs,
        .arrival = {.kind = EW_ARRIVAL_CLOSED, .outstanding = 1},
        .n_requests = 1,
        .requests_per_job = 1,
        .deadline_s = planning->problem.deadline_s,
    };
    const struct ew_run run = {
        .platform = planning->problem.context.platform,
        .net = ew_net_model_find("ideal"),
        .n_workloads = 1,
        .workloads = &workload,
        .seed = 1,
        .sink = {planning, record_latency},
    };
    struct ew_run_facts facts = {0};
    planning->latency_s = NAN;
    ck_assert_msg(ew_engine_fast.run(&facts, &run, &err) == EW_OK, "%s", err.message);
    ew_task_graph_free(tasks);
    ew_lower_free(lower);
    return planning->latency_s;
}

const char *planning_note(const struct planning *planning, const char *key)
{
    const struct ew_plan *plan = planning->book->plans[0];
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        if (strcmp(plan->notes[i].key, key) == 0) {
            return plan->notes[i].value;
        }
    }
    return "";
}

uint32_t planning_active_devices(const struct planning *planning)
{
    const struct ew_plan *plan = planning->book->plans[0];
    uint32_t n = 0;
    for (uint32_t d = 0; d < planning->platform->n_devices; d++) {
        bool is_active = false;
        for (uint32_t i = 0; i < plan->n_pieces && !is_active; i++) {
            const struct ew_piece *piece = &plan->pieces[i];
            const struct ew_graph *graph =
                ew_segment_graph(planning->graph, &plan->segments[piece->segment]);
            enum ew_op_class cls = ew_op_class(graph->layers[piece->layer].op);
            const int32_t rows = graph->layers[piece->layer].shape[EW_H];
            is_active =
                piece->device == d && rows > 1 && (cls == EW_CLASS_CONV || cls == EW_CLASS_POOL);
        }
        n += is_active;
    }
    return n;
}

/* ------------------------------------------------------------------ asking the host */

/* The ABI hands a strategy no way to reach its caller but its own object: one static slot, set by
 * planning_ask and read within the same call. */
static void (*current_question)(const struct ew_host *host, struct ew_plan_builder *builder);

static int32_t answer(struct ew_strategy *strategy, const struct ew_host *host,
                      struct ew_plan_builder *builder)
{
    (void)strategy;
    current_question(host, builder);
    return (host->fail)(host, EW_STRATEGY_ECANNOT, "asked"); /* Check has a macro fail() */
}

static void destroy(struct ew_strategy *strategy)
{
    free(strategy);
}

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    (void)host;
    (void)id;
    struct ew_strategy *strategy = calloc(1, sizeof *strategy);
    ck_assert_ptr_nonnull(strategy);
    strategy->struct_size = sizeof *strategy;
    strategy->plan = answer;
    strategy->destroy = destroy;
    return strategy;
}

void planning_ask(struct planning *planning,
                  void (*question)(const struct ew_host *host, struct ew_plan_builder *builder))
{
    static const struct ew_strategy_info info = {.struct_size = sizeof info,
                                                 .id = "question",
                                                 .version = "1.0.0",
                                                 .summary = "",
                                                 .citation = ""};
    static const struct ew_strategy_entry entry = {.struct_size = sizeof entry, .create = create};
    end_session(planning);
    current_question = question;
    ew_book_free(planning->book);
    planning->book = NULL;
    planning->error = (struct ew_error){0};
    run_entry(planning, &entry, &info);
    end_session(planning);
    ck_assert_str_eq(planning->error.message, "asked");
}
