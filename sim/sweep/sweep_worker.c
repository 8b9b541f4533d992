#include "sweep/sweep_worker.h"

#include <stdlib.h>
#include <string.h>

#include "io/scenario_json.h"
#include "results/report.h"
#include "results/store_row.h"
#include "sweep/point.h"
#include "sweep/shelf.h"
#include "sweep/sweep_zygote.h"

/* Planning has the point's own time limit; this one is for plugins from outside. */
static const double PLAN_LIMIT_S = 3600;

enum {
    ZYGOTE_POINTS = 4,   /* fewer points of one platform are not worth a zygote */
    ZYGOTE_DEVICES = 32, /* with more, all routes are many more than the used ones */
};

/* Plans of the last problem, or why there are none. */
struct planned {
    uint64_t problem;     /* 0: none */
    uint64_t question;    /* the problem without its seed */
    bool has_drawn;       /* another seed may give another plan */
    struct ew_setup stub; /* the setup is gone; its number of workloads is needed to free */
    struct ew_point_config config;
    struct ew_point point;
    enum ew_status status;
    struct ew_error err;
};

struct ew_sweep_worker {
    const struct ew_sweep_context *context;
    struct ew_shelf shelf;
    struct ew_platform_source source;
    struct ew_evaluator *evaluator;
    uint64_t generation; /* of the shelf's platform that the evaluator is for */
    const struct ew_net_model *net;
    enum ew_energy_rule energy_rule;
    struct planned planned;
    bool has_zygotes;
    bool is_zygote;
    struct ew_sweep_zygote zygote;
    struct ew_platform *prepared; /* in a zygote: loaded into SimGrid; borrowed from the shelf */
};

/* One point, opened. */
struct opened {
    struct ew_scenario scenario;
    struct ew_contenders contenders;
    struct ew_setup setup;
    const struct ew_contender **makers; /* per workload */
};

struct ew_sweep_worker *ew_sweep_worker_new(const struct ew_sweep_context *context)
{
    struct ew_sweep_worker *w = calloc(1, sizeof *w);
    if (w) {
        w->context = context;
        w->source = *context->source;
        w->source.shelf = &w->shelf;
        w->has_zygotes = ew_sweep_points_per_platform(context->points) >= ZYGOTE_POINTS &&
                         !ew_sweep_points_has_key(context->points, "dynamics");
    }
    return w;
}

static void forget_plans(struct ew_sweep_worker *w)
{
    if (w->planned.problem) {
        ew_point_fini(&w->planned.point);
        w->planned.problem = 0;
    }
}

void ew_sweep_worker_free(struct ew_sweep_worker *worker)
{
    if (worker) {
        ew_sweep_zygote_stop(&worker->zygote);
        forget_plans(worker);
        ew_evaluator_free(worker->evaluator);
        ew_shelf_fini(&worker->shelf);
        free(worker);
    }
}

void ew_sweep_answer_failure(struct ew_str *answer, const char *kind, const char *message)
{
    const char byte = EW_SWEEP_ANSWER_FAILURE;
    ew_str_append_n(answer, &byte, 1);
    ew_store_put_failure(answer, kind, message);
}

/* --- opening -----------------------------------------------------------------------------------
 */

static enum ew_status open_strategies(struct opened *o, struct ew_registry *registry,
                                      struct ew_error *err)
{
    const struct ew_scenario *s = &o->scenario;
    enum ew_status status = EW_OK;
    size_t index;
    uint32_t bad;
    if (s->n_strategies > 1) {
        return ew_fail(err, EW_EINPUT,
                       "expected one strategy per point, found %u; vary them with an axis",
                       s->n_strategies);
    }
    if (s->n_strategies == 1) {
        status = ew_contenders_add(&o->contenders, registry, s->strategies[0], &index, err);
    }
    for (uint32_t i = 0; status == EW_OK && i < s->n_workloads; i++) {
        if (s->workloads[i].strategy) {
            status =
                ew_contenders_add(&o->contenders, registry, s->workloads[i].strategy, &index, err);
        }
    }
    return status == EW_OK
               ? ew_contenders_set_params(&o->contenders, s->params, s->n_params, &bad, err)
               : status;
}

static enum ew_status assign_makers(struct opened *o, struct ew_registry *registry,
                                    struct ew_error *err)
{
    const struct ew_scenario *s = &o->scenario;
    enum ew_status status = EW_OK;
    o->makers = calloc(s->n_workloads, sizeof *o->makers);
    if (!o->makers) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; status == EW_OK && i < s->n_workloads; i++) {
        const struct ew_workload_spec *w = &s->workloads[i];
        size_t index = 0;
        if (w->plan) {
            continue;
        }
        if (!w->strategy && s->n_strategies == 0) {
            return ew_fail(err, EW_EINPUT, "expected a strategy; see 'edgeweave list strategies'");
        }
        if (w->strategy) { /* found again, not added */
            status = ew_contenders_add(&o->contenders, registry, w->strategy, &index, err);
        }
        o->makers[i] = &o->contenders.items[index];
    }
    return status;
}

static enum ew_status open_point(struct opened *o, struct ew_sweep_worker *w, uint64_t raw,
                                 struct ew_error *err)
{
    const struct ew_sweep_context *context = w->context;
    struct ew_str text = {0};
    struct ew_setup_blame blame = {0};
    ew_sweep_points_scenario(&text, context->points, raw);
    enum ew_status status = text.failed ? ew_fail_memory(err) : EW_OK;
    if (status == EW_OK) {
        status = ew_scenario_parse_json(&o->scenario, text.text, text.length,
                                        context->points->spec->scenario_path, err);
    }
    ew_str_fini(&text);
    if (status == EW_OK) {
        status = context->find_files(context->ctx, &o->scenario, err);
    }
    if (status == EW_OK) {
        status = open_strategies(o, context->registry, err);
    }
    if (status == EW_OK) {
        status = assign_makers(o, context->registry, err);
    }
    if (status == EW_OK) {
        ew_shelf_trim(&w->shelf);
        status = ew_setup_open(&o->setup, &o->scenario, &w->source, &blame, err);
    }
    return status;
}

static void close_point(struct opened *o)
{
    free(o->makers);
    ew_setup_fini(&o->setup);
    ew_contenders_fini(&o->contenders);
    ew_scenario_fini(&o->scenario);
}

/* --- planning ----------------------------------------------------------------------------------
 */

static enum ew_status fit_evaluator(struct ew_sweep_worker *w, const struct ew_setup *setup,
                                    struct ew_error *err)
{
    if (w->evaluator && w->generation == w->shelf.generation && w->net == setup->net &&
        w->energy_rule == setup->energy_rule) {
        return EW_OK;
    }
    ew_evaluator_free(w->evaluator);
    w->evaluator = NULL;
    w->generation = w->shelf.generation;
    w->net = setup->net;
    w->energy_rule = setup->energy_rule;
    return ew_evaluator_new(&w->evaluator, setup->platform, setup->net, setup->energy_rule, err);
}

static uint64_t hash_part(const struct ew_sweep_worker *w, uint64_t raw, enum ew_sweep_part part)
{
    return ew_sweep_points_hash(w->context->points, raw, part, EW_HASH_BEGIN) | 1;
}

/* Plan unless the point before was the same problem, but perhaps for a seed that nobody asked for.
 */
static void plan_point(struct ew_sweep_worker *w, const struct opened *o,
                       const struct ew_point_config *given, uint64_t raw)
{
    struct planned *p = &w->planned;
    const uint64_t problem = hash_part(w, raw, EW_SWEEP_PART_PROBLEM);
    const uint64_t question = hash_part(w, raw, EW_SWEEP_PART_QUESTION);
    const bool is_seedless = !p->has_drawn && !o->setup.dynamics;
    if (p->problem == problem || (p->problem && is_seedless && p->question == question)) {
        return;
    }
    struct ew_point_config config = *given;
    config.has_drawn = &p->has_drawn;
    forget_plans(w);
    p->point = (struct ew_point){0};
    p->err = (struct ew_error){0};
    p->has_drawn = false;
    p->status = ew_point_plan(&p->point, &config, o->makers, &p->err);
    p->problem = problem;
    p->question = question;
    p->stub = (struct ew_setup){.n_workloads = o->setup.n_workloads};
    p->config = (struct ew_point_config){.setup = &p->stub};
    p->point.config = &p->config;
}

/* --- answering ---------------------------------------------------------------------------------
 */

/* "a", or "a+b" for workloads with different graphs. */
static void print_graphs(struct ew_str *out, const struct ew_setup *setup)
{
    for (uint32_t i = 0; i < setup->n_workloads; i++) {
        if (i == 0 || setup->workloads[i].graph != setup->workloads[i - 1].graph) {
            ew_str_printf(out, "%s%s", i ? "+" : "", setup->workloads[i].graph->name);
        }
    }
}

/* The file's name without directory and suffix. */
static void print_platform(struct ew_str *out, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    ew_str_append_n(out, name, dot ? (size_t)(dot - name) : strlen(name));
}

static void put_run(struct ew_str *answer, const struct opened *o, const struct ew_result *result)
{
    const struct ew_setup *setup = &o->setup;
    const struct ew_setup_workload *first = &setup->workloads[0];
    const char byte = EW_SWEEP_ANSWER_RUN;
    struct ew_str graphs = {0}, platform = {0};
    print_graphs(&graphs, setup);
    print_platform(&platform, setup->platform->path);
    const struct ew_store_labels labels = {
        .net = setup->net->id,
        .energy_rule = ew_energy_rule_name(setup->energy_rule),
        .graph = ew_str_text(&graphs),
        .platform = ew_str_text(&platform),
        .arrival = first->spec->arrival.text,
        .n_devices = setup->platform->n_devices,
        .batch = (uint64_t)first->spec->batch,
        .seed = o->scenario.seed,
        .min_accuracy = first->spec->min_accuracy,
    };
    ew_str_append_n(answer, &byte, 1);
    ew_store_put_run(answer, &labels, result);
    answer->failed = answer->failed || graphs.failed || platform.failed;
    ew_str_fini(&graphs);
    ew_str_fini(&platform);
}

/* In a zygote: load the platform, once. */
static enum ew_status prepare_simgrid(struct ew_sweep_worker *w, const struct ew_engine *engine,
                                      const struct ew_setup *setup, struct ew_error *err)
{
    if (!w->is_zygote || w->prepared || engine == &ew_engine_fast || engine == &ew_engine_exec ||
        setup->platform->n_devices > ZYGOTE_DEVICES) {
        return EW_OK;
    }
    const enum ew_status status =
        w->source.simgrid->module->prepare(setup->platform, setup->net, err);
    w->prepared = status == EW_OK ? setup->platform : NULL;
    return status;
}

static enum ew_status simulate(struct ew_str *answer, struct ew_sweep_worker *w,
                               const struct opened *o, uint64_t raw, struct ew_error *err)
{
    const struct ew_engine *engine = NULL;
    struct ew_result *result = NULL;
    enum ew_status status = ew_engine_find(&engine, w->source.simgrid, o->scenario.engine, err);
    if (status == EW_OK && engine == &ew_engine_exec) { /* its times are never the same again */
        return ew_fail(err, EW_EINPUT,
                       "expected engine 'fast' or 'simgrid' in a sweep; 'run' executes");
    }
    if (status == EW_OK) {
        status = fit_evaluator(w, &o->setup, err);
    }
    if (status != EW_OK) {
        return status;
    }
    const struct ew_point_config config = {
        .setup = &o->setup,
        .evaluator = w->evaluator,
        .plan_limit_s = PLAN_LIMIT_S,
    };
    plan_point(w, o, &config, raw);
    if (w->planned.status != EW_OK) {
        *err = w->planned.err;
        return w->planned.status;
    }
    struct ew_point point = w->planned.point; /* borrows the plans */
    point.config = &config;
    status = prepare_simgrid(w, engine, &o->setup, err);
    if (status != EW_OK) {
        return status;
    }
    const struct ew_point_run how = {.engine = engine, .is_prepared = w->prepared != NULL};
    status = ew_point_run(&result, &point, &how, err);
    if (status == EW_OK && result->error) {
        status = ew_fail(err, result->error_status, "%s", result->error);
    } else if (status == EW_OK) {
        put_run(answer, o, result);
    }
    ew_result_free(result);
    return status;
}

static void run_here(void *ctx, uint64_t raw, struct ew_str *answer)
{
    struct ew_sweep_worker *worker = ctx;
    struct opened o = {0};
    struct ew_error err = {0};
    const size_t length = answer->length;
    enum ew_status status = open_point(&o, worker, raw, &err);
    if (status == EW_OK) {
        status = simulate(answer, worker, &o, raw, &err);
    }
    if (status == EW_EUSAGE) { /* the words come from a file */
        status = EW_EINPUT;
    }
    if (status != EW_OK) {
        answer->length = length;
        ew_sweep_answer_failure(answer, ew_status_text(status), err.message);
    }
    close_point(&o);
}

/* Open here what zygotes would each have to open: libraries, graphs, the platform. Whatever fails
 * will fail there again, and be reported. */
static void warm_up(struct ew_sweep_worker *w, uint64_t raw)
{
    const struct ew_engine *engine = NULL;
    struct opened o = {0};
    struct ew_error ignored = {0};
    if (open_point(&o, w, raw, &ignored) == EW_OK) {
        (void)ew_engine_find(&engine, w->source.simgrid, o.scenario.engine, &ignored);
    }
    close_point(&o);
}

/* Points of one platform come one after the other. */
static enum ew_status fit_zygote(struct ew_sweep_worker *w, uint64_t raw, struct ew_error *err)
{
    const uint64_t platform =
        ew_sweep_points_hash(w->context->points, raw, EW_SWEEP_PART_PLATFORM, EW_HASH_BEGIN);
    if (w->zygote.pid && w->zygote.platform == platform) {
        return EW_OK;
    }
    ew_sweep_zygote_stop(&w->zygote);
    warm_up(w, raw);
    w->is_zygote = true; /* for the child */
    const enum ew_status status = ew_sweep_zygote_start(&w->zygote, platform, run_here, w, err);
    w->is_zygote = false;
    return status;
}

void ew_sweep_worker_run(struct ew_sweep_worker *worker, uint64_t raw, struct ew_str *answer)
{
    struct ew_error err = {0};
    if (!worker->has_zygotes || !ew_sweep_points_is_simgrid(worker->context->points, raw)) {
        run_here(worker, raw, answer);
    } else if (fit_zygote(worker, raw, &err) == EW_OK) {
        ew_sweep_zygote_ask(&worker->zygote, raw, answer);
    } else {
        ew_sweep_answer_failure(answer, ew_status_text(err.status), err.message);
    }
}
