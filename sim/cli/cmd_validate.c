#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exec_options.h"
#include "cli/progress.h"
#include "engine/exec/graph_weights.h"
#include "engine/exec/unsplit.h"
#include "results/validation.h"

enum {
    MAX_JOBS = 100,  /* whose tasks are compared one by one */
    MAX_ANSWERS = 16 /* that are compared with one device's */
};

/* An answer that came back. */
struct answer {
    uint32_t workload;
    uint64_t job;
    uint64_t first_image;
    float *values;
    uint64_t n;
};

struct validate {
    struct ew_cli *cli;
    struct ew_session session;
    const struct ew_engine *engines[EW_VALIDATE_COUNT];
    struct ew_exec_options exec;
    struct ew_graph_weights *weights; /* per workload */
    struct ew_unsplit **unsplit;      /* per workload */
    struct ew_validation *rows;       /* per point */
    struct ew_point *points;          /* their plans */
    EW_VEC(struct answer) answers;
    bool ran_out_of_memory;
    struct ew_progress progress;
};

/* --- answers --------------------------------------------------------------------------------- */

static void keep_answer(void *ctx, const struct ew_exec_answer *from)
{
    struct validate *v = ctx;
    if (v->answers.count >= MAX_ANSWERS || from->job >= MAX_JOBS) {
        return;
    }
    struct answer answer = {from->workload, from->job, from->first_image,
                            malloc((from->n + 1) * sizeof *from->values), from->n};
    if (!answer.values || !ew_vec_push(&v->answers, answer)) {
        free(answer.values);
        v->ran_out_of_memory = true;
        return;
    }
    memcpy(answer.values, from->values, from->n * sizeof *from->values);
}

static void drop_answers(struct validate *v)
{
    for (size_t i = 0; i < v->answers.count; i++) {
        free(v->answers.items[i].values);
    }
    v->answers.count = 0;
}

/* Which plan of the book a job ran: its tasks say so. */
static const struct ew_plan *plan_of(const struct ew_spans *spans, const struct ew_point *point,
                                     const struct answer *answer)
{
    const struct ew_book *book = point->books[answer->workload];
    for (size_t i = 0; i < spans->items.count; i++) {
        const struct ew_span *s = &spans->items.items[i];
        if (s->workload == answer->workload && s->job == answer->job) {
            return book->plans[s->plan];
        }
    }
    return book->plans[0];
}

/* Largest |difference| / (largest |expected| + 1); INFINITY when they cannot be compared. */
static double difference_of(const float *expected, uint64_t n_expected, const struct answer *answer)
{
    double largest = 0, difference = 0;
    if (n_expected != answer->n) {
        return INFINITY;
    }
    for (uint64_t i = 0; i < answer->n; i++) {
        const double d = fabs((double)expected[i] - (double)answer->values[i]);
        largest = fmax(largest, fabs((double)expected[i]));
        difference = isfinite(d) ? fmax(difference, d) : INFINITY;
    }
    return difference / (largest + 1);
}

static enum ew_status check_answer(struct validate *v, struct ew_validation *row,
                                   const struct ew_point *point, const struct answer *answer,
                                   struct ew_error *err)
{
    const struct ew_graph *graph =
        v->session.setup.workloads[answer->workload].problem.context.graph;
    const struct ew_kernels *kernels = ew_kernels_find(v->exec.kernels);
    /* kernels that promise no bits are compared with those that do */
    const struct ew_kernels *judge = kernels->is_exact ? kernels : ew_kernels_find("reference");
    const struct ew_plan *plan = plan_of(&row->spans[EW_VALIDATE_EXEC], point, answer);
    struct ew_unsplit **unsplit = &v->unsplit[answer->workload];
    const struct ew_unsplit_job job = {answer->job, v->exec.input_seed, v->exec.inputs,
                                       answer->first_image};
    float *expected = NULL;
    uint64_t n = 0;
    enum ew_status status = EW_OK;
    if (!*unsplit) {
        struct ew_graph_weights *weights = &v->weights[answer->workload];
        ew_graph_weights_close(weights); /* of an attempt that failed */
        status = ew_graph_weights_open(weights, graph, v->exec.has_random_weights,
                                       v->exec.weights_path, v->exec.weight_seed, err);
        status = status
                     ? status
                     : ew_unsplit_new(unsplit, graph, judge, ew_graph_weights_source(weights), err);
    }
    status = status ? status : ew_unsplit_run(&expected, &n, *unsplit, plan, &job, err);
    if (status != EW_OK) {
        return status;
    }
    const double tolerance = ew_unsplit_tolerance(graph, plan, kernels);
    const double difference = difference_of(expected, n, answer);
    const bool is_equal =
        n == answer->n && memcmp(expected, answer->values, n * sizeof *expected) == 0;
    row->answers.n++;
    row->answers.n_equal += is_equal;
    row->answers.max_difference = fmax(row->answers.max_difference, difference);
    row->answers.tolerance = fmax(row->answers.tolerance, tolerance);
    row->answers.n_out_of_range += tolerance > 0 ? !(difference <= tolerance) : !is_equal;
    free(expected);
    return EW_OK;
}

/* --- running --------------------------------------------------------------------------------- */

static void note_error(struct ew_validation *row, enum ew_validation_engine e)
{
    row->error = row->results[e]->error;
    row->error_status = row->results[e]->error_status;
}

static enum ew_status run_engine(struct validate *v, struct ew_validation *row,
                                 const struct ew_point *point, enum ew_validation_engine e,
                                 struct ew_error *err)
{
    struct ew_exec_facts facts = {0};
    row->spans[e].max_jobs = MAX_JOBS;
    const struct ew_point_run how = {.engine = v->engines[e],
                                     .progress = ew_spans_observer(&row->spans[e]),
                                     .exec = &v->exec,
                                     .exec_facts = &facts};
    enum ew_status status = ew_point_run(&row->results[e], point, &how, err);
    status = status ? status : ew_spans_finish(&row->spans[e], err);
    if (status == EW_OK && row->results[e]->error) {
        note_error(row, e);
    }
    if (e == EW_VALIDATE_EXEC) {
        row->run = (struct ew_validation_run){
            facts.wall_s,    facts.dilation,       facts.n_overruns,        facts.slipped_s,
            facts.compute_s, facts.link_lag_ratio, ew_exec_is_late(&facts), facts.n_pinned};
    }
    return status;
}

/* A strategy that cannot serve is a row; so is one whose plan no engine runs. */
static enum ew_status plan_failed(struct ew_validation *row, const struct ew_point *point,
                                  const struct validate *v, enum ew_status why,
                                  struct ew_error *err)
{
    const struct ew_point_run how = {.engine = v->engines[EW_VALIDATE_SIMGRID]};
    const enum ew_status status =
        ew_point_fail(&row->results[EW_VALIDATE_SIMGRID], point, &how, why, err);
    if (status == EW_OK) {
        note_error(row, EW_VALIDATE_SIMGRID);
    }
    return status;
}

static enum ew_status validate_point(struct validate *v, size_t i, struct ew_error *err)
{
    struct ew_session *s = &v->session;
    struct ew_validation *row = &v->rows[i];
    struct ew_point *point = &v->points[i];
    ew_progress_point(&v->progress, i, ew_session_point_name(s, i), ew_session_requests(s));
    enum ew_status status = ew_point_plan(point, &s->config, ew_session_makers(s, i), err);
    row->strategy = point->strategy;
    if (status != EW_OK) {
        return plan_failed(row, point, v, status, err);
    }
    for (int e = 0; e < EW_VALIDATE_COUNT && status == EW_OK && !row->error; e++) {
        status = run_engine(v, row, point, (enum ew_validation_engine)e, err);
    }
    if (status == EW_OK && v->ran_out_of_memory) {
        status = ew_fail_memory(err);
    }
    for (size_t k = 0; k < v->answers.count && status == EW_OK && !row->error; k++) {
        status = check_answer(v, row, point, &v->answers.items[k], err);
    }
    drop_answers(v);
    return status || row->error ? status : ew_validation_compare(row, s->setup.platform, err);
}

/* --- out ------------------------------------------------------------------------------------- */

/* A span's layer belongs to the graph of its segment's variant, which only the task graph knows. */
struct namer {
    const struct validate *v;
    size_t row; /* of the graphs below */
    uint32_t workload;
    struct ew_task_graph **graphs; /* per plan; NULL: none yet */
};

static void namer_drop(struct namer *n)
{
    const struct ew_book *book = n->graphs ? n->v->points[n->row].books[n->workload] : NULL;
    for (uint32_t i = 0; book && i < book->n_plans; i++) {
        ew_task_graph_free(n->graphs[i]);
    }
    free(n->graphs);
    n->graphs = NULL;
}

static const char *name_span(void *ctx, size_t row, const struct ew_span *span)
{
    struct namer *n = ctx;
    const struct ew_point *point = &n->v->points[row];
    if (n->graphs && (n->row != row || n->workload != span->workload)) {
        namer_drop(n);
    }
    struct ew_error ignored = {0};
    n->row = row;
    n->workload = span->workload;
    if (span->layer == EW_NONE ||
        (!n->graphs && ew_point_lower(&n->graphs, point, span->workload, &ignored) != EW_OK)) {
        return NULL;
    }
    const struct ew_plan *plan = point->books[span->workload]->plans[span->plan];
    const uint32_t segment = n->graphs[span->plan]->info[span->node].segment;
    if (segment >= plan->n_segments) {
        return NULL;
    }
    const struct ew_graph *graph =
        ew_segment_graph(n->v->session.setup.workloads[span->workload].problem.context.graph,
                         &plan->segments[segment]);
    return span->layer < graph->n_layers ? graph->layers[span->layer].name : NULL;
}

static enum ew_status print(struct validate *v, struct ew_error *err)
{
    const struct ew_session *s = &v->session;
    struct ew_str text = {0};
    const char **graphs = calloc(s->setup.n_workloads, sizeof *graphs);
    if (!graphs) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < s->setup.n_workloads; i++) {
        graphs[i] = s->setup.workloads[i].graph->name;
    }
    const struct ew_validation_header header = {
        .version = ew_version,
        .n_args = (uint32_t)(v->cli->argc - 1),
        .args = (const char *const *)v->cli->argv + 1,
        .platform = s->setup.platform,
        .n_workloads = s->setup.n_workloads,
        .graphs = graphs,
        .net = s->setup.net->id,
        .kernels = v->exec.kernels,
        .network = ew_exec_network_name(&v->exec),
        .seed = s->scenario.seed,
    };
    if (v->cli->wants_json) {
        ew_validation_print_json(&text, &header, v->rows, s->n_points);
    } else {
        ew_validation_print_table(&text, v->rows, s->n_points);
    }
    const enum ew_status status = ew_cli_put(&text, err);
    ew_str_fini(&text);
    free(graphs);
    return status;
}

static enum ew_status write_files(struct validate *v, struct ew_error *err)
{
    const struct ew_arg *out = ew_args_last(&v->cli->args, EW_OPTION_OUT);
    if (!out) {
        return EW_OK;
    }
    struct namer namer = {.v = v};
    const enum ew_status status =
        ew_validation_write_csv(v->rows, v->session.n_points, v->session.setup.platform, name_span,
                                &namer, out->value, err);
    namer_drop(&namer);
    return status;
}

/* The answer is yes when all that could be executed gave the right answers, and something was. */
static void judge(struct validate *v)
{
    bool is_any_good = false, is_any_bad = false;
    for (size_t i = 0; i < v->session.n_points; i++) {
        const struct ew_validation *row = &v->rows[i];
        const bool is_unable = row->error && row->error_status == EW_ENOTSUP;
        is_any_good = is_any_good || ew_validation_is_good(row);
        is_any_bad = is_any_bad || (!is_unable && !ew_validation_is_good(row));
    }
    v->cli->is_unmet = !is_any_good || is_any_bad;
}

/* --- command --------------------------------------------------------------------------------- */

static enum ew_status open_all(struct validate *v, struct ew_error *err)
{
    struct ew_session *s = &v->session;
    enum ew_status status = ew_session_open(s, v->cli, false, err);
    status = status ? status : ew_exec_options_read(&v->exec, s, err);
    if (status != EW_OK) {
        return status;
    }
    v->exec.answer = keep_answer;
    v->exec.answer_ctx = v;
    v->engines[EW_VALIDATE_FAST] = &ew_engine_fast;
    v->engines[EW_VALIDATE_EXEC] = &ew_engine_exec;
    v->rows = calloc(s->n_points, sizeof *v->rows);
    v->points = calloc(s->n_points, sizeof *v->points);
    v->weights = calloc(s->setup.n_workloads, sizeof *v->weights);
    v->unsplit = calloc(s->setup.n_workloads, sizeof(struct ew_unsplit *));
    if (!v->rows || !v->points || !v->weights || !v->unsplit) {
        return ew_fail_memory(err);
    }
    return ew_engine_find(&v->engines[EW_VALIDATE_SIMGRID], &s->simgrid, "simgrid", err);
}

static void close_all(struct validate *v)
{
    drop_answers(v);
    ew_vec_fini(&v->answers);
    for (size_t i = 0; i < v->session.n_points; i++) {
        if (v->rows) {
            ew_validation_fini(&v->rows[i]);
        }
        if (v->points && v->points[i].config) {
            ew_point_fini(&v->points[i]);
        }
    }
    for (uint32_t i = 0; v->unsplit && i < v->session.setup.n_workloads; i++) {
        ew_unsplit_free(v->unsplit[i]);
    }
    for (uint32_t i = 0; v->weights && i < v->session.setup.n_workloads; i++) {
        ew_graph_weights_close(&v->weights[i]);
    }
    free(v->weights);
    free(v->unsplit);
    free(v->rows);
    free(v->points);
    ew_session_fini(&v->session);
}

enum ew_status ew_cmd_validate(struct ew_cli *cli, struct ew_error *err)
{
    struct validate v = {.cli = cli};
    enum ew_status status = open_all(&v, err);
    if (status == EW_OK) {
        v.progress = ew_progress_begin(cli, v.session.n_points);
        ew_progress_watch(&v.progress, &v.session.config);
    }
    for (size_t i = 0; status == EW_OK && i < v.session.n_points; i++) {
        status = validate_point(&v, i, err);
    }
    ew_progress_end(&v.progress);
    status = status ? status : print(&v, err);
    status = status ? status : write_files(&v, err);
    if (status == EW_OK) {
        judge(&v);
    }
    close_all(&v);
    return status;
}
