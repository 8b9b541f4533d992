#include "sweep/point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/system.h"
#include "engine/exec/exec.h"
#include "io/plan_json.h"
#include "plan/check.h"
#include "plan/lower.h"
#include "plugin/guard.h"
#include "plugin/make_book.h"
#include "sweep/point_internal.h"
#include "sweep/point_loss.h"

/* --- planning -------------------------------------------------------------------------------- */

static bool is_interrupted(const struct ew_point_config *config)
{
    return config->interrupted && *config->interrupted;
}

static enum ew_status serve_evaluate(void *ctx, const struct ew_problem *problem,
                                     const struct ew_plan *plan, struct ew_evaluation *result,
                                     struct ew_error *err)
{
    const struct ew_point_config *config = ctx;
    if (is_interrupted(config)) { /* so that a long search ends soon */
        return ew_fail(err, EW_EINTR, "interrupted while planning");
    }
    if (config->tick) {
        config->tick(config->tick_ctx);
    }
    if (config->n_evaluations) {
        ++*config->n_evaluations;
    }
    return ew_evaluate(config->evaluator, problem, plan, result, err);
}

static const void *serve_extension(void *ctx, const char *id)
{
    const struct ew_point_config *config = ctx;
    if (strcmp(id, EW_CACHE_ID) == 0) {
        struct ew_error ignored = {0}; /* no folder, no cache */
        const bool is_there =
            config->cache.dir && ew_dir_make(config->cache.dir, &ignored) == EW_OK;
        return is_there ? &config->cache : NULL;
    }
    const bool is_offered = config->candidates && config->setup->n_workloads == 1;
    return is_offered && strcmp(id, EW_CANDIDATES_ID) == 0 ? config->candidates : NULL;
}

static void serve_log(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    const struct ew_point_config *config = ctx;
    if (config->log) {
        config->log(config->log_ctx, strategy, level, message);
    }
}

struct ew_host_services point_services_of(const struct ew_point_config *config)
{
    return (struct ew_host_services){
        .ctx = (void *)(uintptr_t)config,
        .evaluate = serve_evaluate,
        .extension = serve_extension,
        .log = serve_log,
        .has_drawn = config->has_drawn,
    };
}

/* Ask a strategy; one from outside the installation runs in a child process. */
static enum ew_status make_plan(struct ew_book **out, const struct ew_point_config *config,
                                const struct ew_contender *maker, const struct ew_problem *problem,
                                struct ew_error *err)
{
    const struct ew_host_services services = point_services_of(config);
    const struct ew_book_request request = {
        .strategy = maker->ref,
        .params = &maker->params,
        .problem = problem,
        .services = &services,
        .plan_limit_s = config->plan_limit_s,
    };
    return ew_book_make(out, &request, err);
}

static enum ew_status check_plan_fits(const struct ew_setup_workload *w, const struct ew_plan *plan,
                                      struct ew_error *err)
{
    const struct ew_device *devices = w->problem.context.platform->devices;
    if (plan->batch != w->problem.batch) {
        return ew_fail(err, EW_EINPUT,
                       "%s: plan '%s' is for jobs of %d images, the workload has jobs of %d; see "
                       "--batch",
                       w->spec->plan, plan->name, plan->batch, w->problem.batch);
    }
    if (w->spec->source_device && plan->source_device != w->problem.source_device) {
        return ew_fail(err, EW_EINPUT, "%s: plan '%s' starts at '%s', the workload at '%s'",
                       w->spec->plan, plan->name, devices[plan->source_device].name,
                       w->spec->source_device);
    }
    if (w->spec->sink_device && plan->sink_device != w->problem.sink_device) {
        return ew_fail(err, EW_EINPUT, "%s: plan '%s' ends at '%s', the workload at '%s'",
                       w->spec->plan, plan->name, devices[plan->sink_device].name,
                       w->spec->sink_device);
    }
    return EW_OK;
}

static enum ew_status load_plan(struct ew_book **out, const struct ew_setup_workload *w,
                                struct ew_error *err)
{
    struct ew_book *book = NULL;
    enum ew_status status = ew_book_load_json(&book, w->spec->plan, &w->problem.context, err);
    for (uint32_t i = 0; status == EW_OK && i < book->n_plans; i++) {
        status = check_plan_fits(w, book->plans[i], err);
    }
    if (status == EW_OK) {
        status = ew_book_check(&w->problem.context, book, err);
        if (status == EW_EINPUT) {
            (void)ew_prefix(err, "%s: ", w->spec->plan);
        }
    }
    if (status == EW_OK) {
        *out = book;
    } else {
        ew_book_free(book);
    }
    return status;
}

/* Name of who made the plans of a workload. */
static const char *maker_name(const struct ew_point *point, uint32_t workload,
                              const struct ew_contender *const *makers)
{
    if (makers[workload]) {
        return makers[workload]->ref.info->id;
    }
    const struct ew_book *book = point->books ? point->books[workload] : NULL;
    return book && *book->strategy ? book->strategy : "plan";
}

/* "a" when all workloads agree, "a+b" otherwise; the same for versions and parameters. */
static enum ew_status label(struct ew_point *point, const struct ew_contender *const *makers,
                            struct ew_error *err)
{
    const uint32_t n = point->config->setup->n_workloads;
    struct ew_str id = {0}, version = {0}, params = {0};
    for (uint32_t i = 0; i < n; i++) {
        bool is_new = true;
        for (uint32_t k = 0; k < i; k++) {
            is_new =
                is_new && strcmp(maker_name(point, i, makers), maker_name(point, k, makers)) != 0;
        }
        if (is_new) {
            const char *plus = i ? "+" : "";
            ew_str_printf(&id, "%s%s", plus, maker_name(point, i, makers));
            ew_str_printf(&version, "%s%s", plus, makers[i] ? makers[i]->ref.info->version : "");
            ew_str_printf(&params, "%s%s", i ? " + " : "", makers[i] ? makers[i]->params_text : "");
        }
    }
    point->strategy = ew_arena_strdup(&point->arena, ew_str_text(&id));
    point->strategy_version = ew_arena_strdup(&point->arena, ew_str_text(&version));
    point->params = ew_arena_strdup(&point->arena, ew_str_text(&params));
    const bool is_whole = !id.failed && !version.failed && !params.failed && point->strategy &&
                          point->strategy_version && point->params;
    ew_str_fini(&id);
    ew_str_fini(&version);
    ew_str_fini(&params);
    return is_whole ? EW_OK : ew_fail_memory(err);
}

static enum ew_status plan_workload(struct ew_book **out, const struct ew_point_config *config,
                                    const struct ew_setup_workload *w,
                                    const struct ew_contender *maker, struct ew_error *err)
{
    if (!maker) {
        return load_plan(out, w, err);
    }
    const enum ew_status status = make_plan(out, config, maker, &w->problem, err);
    if (is_interrupted(config)) { /* whatever the strategy made of it */
        return ew_fail(err, EW_EINTR, "interrupted while planning");
    }
    return status;
}

static void free_graphs(struct ew_task_graph **graphs, uint32_t n)
{
    for (uint32_t i = 0; graphs && i < n; i++) {
        ew_task_graph_free(graphs[i]);
    }
    free(graphs);
}

/* --- planning anew --------------------------------------------------------------------------- */

/* Strategies evaluate on the world they are asked for. */
static enum ew_status enter_world(struct ew_point_config *config, const struct replanning *r,
                                  const struct ew_problem *problem, uint64_t *n_evaluations,
                                  struct ew_error *err)
{
    const struct ew_setup *setup = r->config->setup;
    *config = *r->config;
    config->evaluator = NULL;
    config->candidates = NULL; /* they were made for another world */
    config->n_evaluations = n_evaluations;
    return ew_evaluator_new(&config->evaluator, problem->context.platform, setup->net,
                            setup->energy_rule, err);
}

static enum ew_status leave_world(struct ew_point_config *config, enum ew_status status,
                                  struct ew_error *err)
{
    ew_evaluator_free(config->evaluator);
    config->evaluator = NULL;
    return is_interrupted(config) ? ew_fail(err, EW_EINTR, "interrupted while planning") : status;
}

enum ew_status point_plan_in_world(void *ctx, struct ew_book **out,
                                   const struct ew_problem *problem, uint64_t *n_evaluations,
                                   struct ew_error *err)
{
    struct replanning *r = ctx;
    enum ew_status status = enter_world(&r->in_world, r, problem, n_evaluations, err);
    if (status == EW_OK) {
        status = r->session ? ew_online_plan(out, r->session, problem, err)
                            : make_plan(out, &r->in_world, r->maker, problem, err);
    }
    return leave_world(&r->in_world, status, err);
}

static double latency_in_world(const struct ew_point_config *config,
                               const struct ew_problem *problem, const struct ew_plan *plan)
{
    struct ew_evaluation result = {.struct_size = sizeof result};
    struct ew_error ignored = {0}; /* not on this platform: something is down */
    const enum ew_status status = ew_evaluate(config->evaluator, problem, plan, &result, &ignored);
    return status == EW_OK && isfinite(result.latency_s) ? result.latency_s : INFINITY;
}

/* Strategies that forget do not know the plan in force: the controller compares. One that is no
 * faster is worth it only where it is in time, since then it may save something else; for the same
 * reason nothing takes the place of a plan that is in time. */
static enum ew_status choose_in_world(void *ctx, uint32_t *out, const struct ew_problem *problem,
                                      const struct ew_plan *const *plans, uint32_t n, bool is_asked,
                                      struct ew_error *err)
{
    struct replanning *r = ctx;
    uint64_t n_evaluations = 0; /* the controller's, not the strategy's */
    enum ew_status status = enter_world(&r->in_world, r, problem, &n_evaluations, err);
    *out = 0;
    if (status == EW_OK) {
        const double deadline_s = problem->deadline_s;
        double best_s = latency_in_world(&r->in_world, problem, plans[0]);
        for (uint32_t i = 1; i < n && (i == 1 || isinf(deadline_s) || !(best_s <= deadline_s));
             i++) {
            const double s = latency_in_world(&r->in_world, problem, plans[i]);
            const bool is_in_time = isfinite(deadline_s) && s <= deadline_s;
            if (s < best_s || (i == 1 && is_asked && is_in_time)) {
                *out = i;
                best_s = s;
            }
        }
    }
    return leave_world(&r->in_world, status, err);
}

enum ew_status point_observe_world(void *ctx, struct ew_book **out,
                                   const struct ew_problem *problem,
                                   const struct ew_observation *now, uint64_t *n_evaluations,
                                   struct ew_error *err)
{
    struct replanning *r = ctx;
    enum ew_status status = enter_world(&r->in_world, r, problem, n_evaluations, err);
    if (status == EW_OK) {
        status = ew_online_observe(out, r->session, problem, now, err);
    }
    return leave_world(&r->in_world, status, err);
}

static void ignore_event(void *ctx, const struct ew_event *event)
{
    (void)ctx;
    (void)event;
}

/* How long the run will be, about: with the first plan for all jobs, on the fast engine. */
static enum ew_status guess_end(double *end_s, const struct ew_point *point, uint32_t workload,
                                struct ew_error *err)
{
    const struct ew_setup *setup = point->config->setup;
    const struct ew_setup_workload *w = &setup->workloads[workload];
    struct ew_task_graph **graphs = NULL;
    enum ew_status status = ew_point_lower(&graphs, point, workload, err);
    if (status != EW_OK) {
        return status;
    }
    struct ew_dynamics dynamics = *setup->dynamics;
    dynamics.policy.on_failure = EW_ON_FAILURE_WAIT;
    const struct ew_run_workload run_workload = {
        .name = w->name,
        .book = point->books[workload],
        .task_graphs = (const struct ew_task_graph *const *)graphs,
        .arrival = w->arrival,
        .n_requests = w->n_requests,
        .requests_per_job = w->spec->requests_per_job,
        .deadline_s = w->spec->deadline_s,
    };
    const struct ew_run run = {
        .platform = setup->platform,
        .net = setup->net,
        .n_workloads = 1,
        .workloads = &run_workload,
        .seed = setup->scenario->seed,
        .dynamics = &dynamics,
        .sink = {NULL, ignore_event},
        .interrupted = point->config->interrupted,
    };
    struct ew_run_facts facts = {0};
    status = ew_engine_fast.run(&facts, &run, err);
    *end_s = facts.end_s;
    free_graphs(graphs, point->books[workload]->n_plans);
    return status;
}

/* When to plan anew; false: never. */
static bool choose_replanning(struct ew_replan_how *how, const struct ew_point_config *config)
{
    const struct ew_foresight *foresight = config->foresight;
    *how = (struct ew_replan_how){.spec = config->setup->scenario->replan};
    if (foresight) {
        how->spec = (struct ew_replan_spec){.when = EW_REPLAN_ON_CHANGE};
        how->horizon_s = foresight->until_s;
        how->max_plans = foresight->max_plans;
        how->max_evaluations = foresight->max_evaluations;
        how->keeps_weights = true;
    }
    return how->spec.when != EW_REPLAN_NEVER && config->setup->dynamics;
}

/* Everything that making plans over time takes; also in a child process. */
struct errand {
    struct ew_point *point;
    uint32_t workload;
    const struct ew_contender *maker;
    struct ew_replan_how how;
};

/* With a strategy that stays for the run, in this process. `*out` stays NULL when it has no online
 * extension. */
static enum ew_status replan_online(struct ew_replan **out, struct ew_book **book,
                                    const struct errand *errand, struct ew_error *err)
{
    const struct ew_setup *setup = errand->point->config->setup;
    const struct ew_problem *problem = &setup->workloads[errand->workload].problem;
    struct replanning ctx = {.config = errand->point->config, .maker = errand->maker};
    ctx.in_world = *ctx.config;
    const struct ew_host_services services = point_services_of(&ctx.in_world);
    const struct ew_book_request request = {
        .strategy = errand->maker->ref,
        .params = &errand->maker->params,
        .problem = problem,
        .services = &services,
    };
    enum ew_status status = ew_online_open(&ctx.session, &request, err);
    if (status == EW_OK && ctx.session) {
        const struct ew_replan_maker maker = {
            .ctx = &ctx, .plan = point_plan_in_world, .observe = point_observe_world};
        struct ew_replan_how how = errand->how;
        how.maker = &maker;
        status = ew_replan_make(out, book, &how, setup->dynamics, problem, err);
    }
    ew_online_close(ctx.session);
    return status;
}

static enum ew_status replan_in_child(void *ctx, struct ew_str *answer, struct ew_error *err)
{
    const struct errand *errand = ctx;
    const struct ew_setup *setup = errand->point->config->setup;
    struct ew_replan *replan = NULL;
    struct ew_book *book = NULL;
    const enum ew_status status = replan_online(&replan, &book, errand, err);
    if (status == EW_OK && replan) {
        ew_replan_put(answer, &setup->workloads[errand->workload].problem.context, replan, book);
    }
    ew_book_free(book);
    ew_replan_free(replan);
    return status;
}

/* A strategy from outside the installation observes the whole run in one child process. */
static enum ew_status replan_guarded(struct ew_replan **out, struct ew_book **book,
                                     struct errand *errand, struct ew_error *err)
{
    const struct ew_point_config *config = errand->point->config;
    const struct ew_strategy_ref *ref = &errand->maker->ref;
    const double limit_s = config->plan_limit_s > 0 ? config->plan_limit_s : 60;
    struct ew_str what = {0}, answer = {0};
    if (config->has_drawn) { /* who knows what it does there */
        *config->has_drawn = true;
    }
    ew_str_printf(&what, "%s: strategy '%s': while observing", ref->plugin->path, ref->info->id);
    enum ew_status status =
        ew_guard_run(&answer, replan_in_child, errand, limit_s, ew_str_text(&what), err);
    if (status == EW_OK && answer.length) {
        status = ew_replan_get(out, book, ew_str_text(&answer), answer.length,
                               &config->setup->workloads[errand->workload].problem.context, err);
    }
    ew_str_fini(&what);
    ew_str_fini(&answer);
    return status;
}

/* Replace the workload's book by one of plans over time. */
static enum ew_status replan_workload(struct ew_point *point, uint32_t i,
                                      const struct ew_contender *maker, struct ew_error *err)
{
    const struct ew_point_config *config = point->config;
    const struct ew_setup *setup = config->setup;
    struct errand errand = {.point = point, .workload = i, .maker = maker};
    if (!choose_replanning(&errand.how, config) || !maker) {
        return EW_OK;
    }
    if (point->books[i]->pick == EW_PICK_ONLINE) {
        return ew_fail(err, EW_ENOTSUP,
                       "--replan makes plans before the run; this strategy picks them for each job "
                       "in it");
    }
    enum ew_status status = EW_OK;
    struct ew_book *book = NULL;
    if (!config->foresight) {
        status = guess_end(&errand.how.horizon_s, point, i, err);
        errand.how.horizon_s *= 2;
    }
    if (status == EW_OK && !config->foresight) { /* foresight remembers nothing */
        status = maker->ref.plugin->is_trusted
                     ? replan_online(&point->replans[i], &book, &errand, err)
                     : replan_guarded(&point->replans[i], &book, &errand, err);
    }
    if (status == EW_OK && !point->replans[i]) {
        struct replanning ctx = {.config = config, .maker = maker};
        const struct ew_replan_maker in_world = {
            .ctx = &ctx,
            .plan = point_plan_in_world,
            .choose = config->foresight ? NULL : choose_in_world,
        };
        errand.how.maker = &in_world;
        errand.how.unplanned = config->foresight ? NULL : point->books[i];
        status = ew_replan_make(&point->replans[i], &book, &errand.how, setup->dynamics,
                                &setup->workloads[i].problem, err);
    }
    if (status == EW_OK) {
        if (!errand.how.unplanned) { /* else it is in there */
            ew_book_free(point->books[i]);
        }
        point->books[i] = book;
    }
    return status;
}

enum ew_status ew_point_plan(struct ew_point *point, const struct ew_point_config *config,
                             const struct ew_contender *const *makers, struct ew_error *err)
{
    const struct ew_setup *setup = config->setup;
    const double begin_s = ew_now_s();
    point->config = config;
    enum ew_status status = label(point, makers, err); /* also when planning fails */
    if (status != EW_OK) {
        return status;
    }
    point->books = ew_arena_calloc(&point->arena, setup->n_workloads, sizeof *point->books);
    point->replans = ew_arena_calloc(&point->arena, setup->n_workloads, sizeof *point->replans);
    point->makers = ew_arena_calloc(&point->arena, setup->n_workloads, sizeof *point->makers);
    status = point->books && point->replans && point->makers ? EW_OK : ew_fail_memory(err);
    for (uint32_t i = 0; status == EW_OK && i < setup->n_workloads; i++) {
        point->makers[i] = makers[i];
        status = plan_workload(&point->books[i], config, &setup->workloads[i], makers[i], err);
        if (status == EW_OK) {
            status = replan_workload(point, i, makers[i], err);
        }
        if (status != EW_OK && setup->n_workloads > 1) {
            (void)ew_prefix(err, "workload '%s': ", setup->workloads[i].name);
        }
    }
    point->plan_time_s = ew_now_s() - begin_s;
    return status == EW_OK ? label(point, makers, err) : status;
}

void ew_point_fini(struct ew_point *point)
{
    for (uint32_t i = 0; point->books && i < point->config->setup->n_workloads; i++) {
        ew_book_free(point->books[i]);
        if (point->replans) {
            ew_replan_free(point->replans[i]);
        }
    }
    ew_arena_fini(&point->arena);
    *point = (struct ew_point){0};
}

/* --- running --------------------------------------------------------------------------------- */

static enum ew_status lower_book(struct ew_task_graph ***out, const struct ew_point *point,
                                 uint32_t workload, bool keeps_boxes, struct ew_error *err)
{
    const struct ew_book *book = point->books[workload];
    const struct ew_plan_context *context =
        &point->config->setup->workloads[workload].problem.context;
    /* not merged: jobs overlap, and results keep a row per layer */
    const struct ew_lower_options options = {.keep_boxes = keeps_boxes};
    struct ew_lower *lower = ew_lower_new();
    struct ew_task_graph **graphs = calloc(book->n_plans, sizeof *graphs);
    enum ew_status status = lower && graphs ? EW_OK : ew_fail_memory(err);
    for (uint32_t i = 0; status == EW_OK && i < book->n_plans; i++) {
        status = ew_lower_plan(&graphs[i], lower, context, book->plans[i], &options, err);
    }
    ew_lower_free(lower);
    if (status == EW_OK) {
        *out = graphs;
    } else {
        free_graphs(graphs, book->n_plans);
    }
    return status;
}

enum ew_status ew_point_lower(struct ew_task_graph ***out, const struct ew_point *point,
                              uint32_t workload, struct ew_error *err)
{
    return lower_book(out, point, workload, false, err);
}

/* Everything alive during one run. */
struct running {
    const struct ew_point *point;
    struct ew_task_graph ***graphs; /* per workload, per plan */
    struct ew_run_workload *workloads;
    struct ew_host_services services;
    struct ew_picker *pickers;               /* per workload; ctx NULL: none */
    struct ew_continuations **continuations; /* per workload; NULL: none */
    struct ew_metrics_workload *watched;
    struct ew_run run;
    struct ew_metrics_config config;
    struct ew_metrics *metrics;
    struct ew_dynamics losses_only; /* what to do about lost workers, in a world that stays */
    struct ew_point_losses *losses;
    struct ew_event_observer csv;
    struct ew_event_observer trace;
    struct ew_event_observer progress;
};

static void observe_all(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    const struct running *r = ctx;
    if (r->csv.observe) {
        r->csv.observe(r->csv.ctx, event, joules);
    }
    if (r->trace.observe) {
        r->trace.observe(r->trace.ctx, event, joules);
    }
    if (r->progress.observe) {
        r->progress.observe(r->progress.ctx, event, joules);
    }
}

static enum ew_status prepare_workload(struct running *r, uint32_t i, struct ew_error *err)
{
    const struct ew_setup_workload *w = &r->point->config->setup->workloads[i];
    const enum ew_status status = lower_book(&r->graphs[i], r->point, i, r->run.exec != NULL, err);
    if (status != EW_OK) {
        return status;
    }
    r->workloads[i] = (struct ew_run_workload){
        .name = w->name,
        .book = r->point->books[i],
        .task_graphs = (const struct ew_task_graph *const *)r->graphs[i],
        .context = &w->problem.context,
        .arrival = w->arrival,
        .n_requests = w->n_requests,
        .requests_per_job = w->spec->requests_per_job,
        .deadline_s = w->spec->deadline_s,
        .schedule = r->point->replans[i] ? &r->point->replans[i]->schedule : NULL,
    };
    r->watched[i] = (struct ew_metrics_workload){
        .context = &w->problem.context,
        .min_accuracy = w->spec->min_accuracy,
        .min_throughput_per_s = w->spec->min_throughput_per_s,
    };
    const struct ew_dynamics *dynamics = r->point->config->setup->dynamics;
    const enum ew_status picks =
        point_open_picker(&r->pickers[i], &r->workloads[i], r->point, i, &r->services, err);
    return picks == EW_OK && dynamics && !r->run.exec
               ? point_continue(&r->continuations[i], &r->workloads[i], dynamics, err)
               : picks;
}

/* A real execution goes on without a worker when the scenario lets plans be made anew. */
static enum ew_status prepare_losses(struct running *r, struct ew_error *err)
{
    const struct ew_setup *setup = r->point->config->setup;
    const bool is_asked = setup->scenario->replan.when != EW_REPLAN_NEVER;
    if (!r->run.exec || !r->run.exec->is_survivor || !is_asked || r->run.dynamics) {
        return EW_OK;
    }
    const enum ew_status status =
        ew_point_losses_new(&r->losses, r->point, r->workloads, r->graphs, err);
    if (status == EW_OK) {
        r->losses_only.policy = setup->scenario->dynamics.policy;
        r->run.dynamics = &r->losses_only;
        r->run.replanner = ew_point_losses_replanner(r->losses);
    }
    return status;
}

static enum ew_status prepare(struct running *r, struct ew_error *err)
{
    const struct ew_setup *setup = r->point->config->setup;
    const uint32_t n = setup->n_workloads;
    r->graphs = calloc(n, sizeof *r->graphs);
    r->workloads = calloc(n, sizeof *r->workloads);
    r->watched = calloc(n, sizeof *r->watched);
    r->pickers = calloc(n, sizeof *r->pickers);
    r->continuations = calloc(n, sizeof(struct ew_continuations *));
    r->services = point_services_of(r->point->config);
    if (!r->graphs || !r->workloads || !r->watched || !r->pickers || !r->continuations) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < n; i++) {
        const enum ew_status status = prepare_workload(r, i, err);
        if (status != EW_OK) {
            return status;
        }
    }
    r->run = (struct ew_run){
        .platform = setup->platform,
        .net = setup->net,
        .n_workloads = n,
        .workloads = r->workloads,
        .seed = setup->scenario->seed,
        .dynamics = setup->dynamics,
        .interrupted = r->point->config->interrupted,
        .exec = r->run.exec,
        .is_prepared = r->run.is_prepared,
    };
    const enum ew_status status = prepare_losses(r, err);
    if (status != EW_OK) {
        return status;
    }
    r->config = (struct ew_metrics_config){
        .run = &r->run,
        .workloads = r->watched,
        .energy_rule = setup->energy_rule,
        .observer = {r, observe_all},
    };
    return EW_OK;
}

static void running_fini(struct running *r)
{
    const uint32_t n = r->point->config->setup->n_workloads;
    ew_metrics_free(r->metrics);
    ew_point_losses_free(r->losses);
    for (uint32_t i = 0; r->continuations && i < n; i++) {
        ew_continuations_free(r->continuations[i]); /* before the graphs that they borrow */
    }
    for (uint32_t i = 0; r->graphs && i < n; i++) {
        free_graphs(r->graphs[i], r->point->books[i]->n_plans);
    }
    free(r->graphs);
    free(r->continuations);
    free(r->workloads);
    free(r->watched);
}

struct ew_run_labels ew_point_labels(const struct ew_point *point, const struct ew_engine *engine)
{
    return (struct ew_run_labels){
        .strategy = point->strategy ? point->strategy : "",
        .strategy_version = point->strategy_version ? point->strategy_version : "",
        .params = point->params ? point->params : "",
        .engine = engine->id,
        .plan_time_s = point->plan_time_s,
        .run_time_s = NAN,
    };
}

static enum ew_status simulate(struct ew_result **out, struct running *r,
                               const struct ew_point_run *how, struct ew_error *err)
{
    struct ew_run_facts facts = {0};
    const double begin_s = ew_now_s();
    r->run.sink = ew_metrics_sink(r->metrics);
    r->run.exec_facts = how->exec_facts;
    enum ew_status status = how->engine->run(&facts, &r->run, err);
    if (status != EW_OK) {
        return status;
    }
    struct ew_run_labels labels = ew_point_labels(r->point, how->engine);
    labels.run_time_s = ew_now_s() - begin_s;
    return ew_metrics_finish(out, r->metrics, &labels, err);
}

/* Failures that end a command; all others become a row. */
static bool is_fatal(enum ew_status status)
{
    return status == EW_EINTR || status == EW_ENOMEM || status == EW_EIO;
}

enum ew_status ew_point_fail(struct ew_result **out, const struct ew_point *point,
                             const struct ew_point_run *how, enum ew_status why,
                             struct ew_error *err)
{
    if (is_fatal(why)) {
        return why;
    }
    const struct ew_run_labels labels = ew_point_labels(point, how->engine);
    struct ew_result *result = ew_result_new_error(&labels, why, err->message);
    enum ew_status status = result ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK && how->csv) {
        status = ew_csv_run_end(how->csv, result, err);
    }
    if (status == EW_OK) {
        *out = result;
    } else {
        ew_result_free(result);
    }
    return status;
}

/* The CSV writer holds on to the config of a run until its end, and nothing of this run will be
 * kept: the directory is never finished. Allocates nothing. */
static void stop_streaming(struct ew_csv *csv)
{
    const struct ew_result lost = {
        .strategy = "",
        .strategy_version = "",
        .params = "",
        .engine = "",
        .error = "stopped",
        .error_status = EW_EINTR,
    };
    (void)ew_csv_run_end(csv, &lost, NULL);
}

enum ew_status ew_point_run(struct ew_result **out, const struct ew_point *point,
                            const struct ew_point_run *how, struct ew_error *err)
{
    struct running r = {.point = point, .progress = how->progress};
    r.run.exec = how->engine == &ew_engine_exec ? how->exec : NULL;
    r.run.is_prepared = how->is_prepared;
    struct ew_result *result = NULL;
    bool is_streaming = false;
    enum ew_status status = prepare(&r, err);
    if (status == EW_OK && how->csv) {
        status = ew_csv_run_begin(&r.csv, how->csv, &r.config, point->strategy, err);
        is_streaming = status == EW_OK;
    }
    if (status == EW_OK && how->trace) {
        status = ew_trace_begin(&r.trace, how->trace, &r.config, err);
    }
    if (status == EW_OK && !how->csv && !how->trace && !how->progress.observe) {
        r.config.observer = (struct ew_event_observer){0};
    }
    if (status == EW_OK) {
        status = ew_metrics_new(&r.metrics, &r.config, err);
    }
    if (status == EW_OK) {
        status = simulate(&result, &r, how, err);
    }
    status = point_close_pickers(r.pickers, point->config->setup->n_workloads, status, err);
    r.pickers = NULL;
    if (how->trace) {
        const enum ew_status ended = ew_trace_end(how->trace, status == EW_OK ? err : NULL);
        status = status == EW_OK ? ended : status;
    }
    if (status == EW_OK && how->complete && !result->error) {
        status = how->complete(how->complete_ctx, result, point, err);
    }
    if (status != EW_OK && is_fatal(status) && is_streaming) {
        stop_streaming(how->csv);
    } else if (status != EW_OK) {
        ew_result_free(result);
        result = NULL;
        status = ew_point_fail(&result, point, how, status, err);
    } else if (how->csv) {
        status = ew_csv_run_end(how->csv, result, err);
    }
    running_fini(&r);
    if (status == EW_OK) {
        *out = result;
    } else {
        ew_result_free(result);
    }
    return status;
}
