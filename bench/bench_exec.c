/*
 * What real execution adds to its kernels: one worker, nothing emulated, requests one after another
 * (what `run --devices 1 --strategy local --engine exec --measured` does, events and metrics
 * included), over a loop around the same kernels with the same weights in this process.
 *
 *   bench_exec [-n REQUESTS] [-t TURNS] GRAPH...
 *
 * A turn is a loop, an execution and a loop again, of which the two are averaged. Processor time is
 * that of coordinator and worker together, between the answers of the third request and of the last
 * one, so that starting a worker and preparing its weights does not count; wall time is taken there
 * too. A turn counts when the machine was quiet: nobody took the processor from either loop (wall
 * time within 2 % of processor time), both took the same (within 3 %), and not more than 4 % longer
 * than the fastest loop of all turns. Turns go on until enough count, five times as many as asked
 * for at most; with less than three quiet ones only the medians of all are printed.
 * Printed are the least of each and how much more execution takes: by the least times, and in the
 * median of the quiet turns. "in tasks" is the wall time inside the worker's tasks: what is missing
 * to the whole is spent around them.
 */
#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/exec/exec.h"
#include "engine/exec/forward.h"
#include "engine/exec/graph_weights.h"
#include "io/graph_file.h"
#include "plan/builder.h"
#include "plan/lower.h"
#include "results/metrics.h"
#include "support/hand.h"

enum { N_WARM = 3, MAX_TURNS = 99, PATH_SIZE = 4096 };

/* Seconds per inference. */
struct cost {
    double cpu_s;
    double wall_s;
    double task_s; /* wall time inside tasks */
};

/* A network, both ways. */
struct subject {
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_book *book;
    struct ew_task_graph *tasks;
    struct ew_plan_context context;
    struct ew_graph_weights weights;
    struct ew_forward *forward;
    struct ew_tensor input;
    struct ew_tensor_pool pool;
    struct ew_tensor *outputs;
};

/* An execution under way: what the clocks said at two answers. */
struct watch {
    uint64_t n_requests;
    uint64_t n_answers;
    const struct ew_exec_facts *facts;
    pid_t worker;
    struct cost at[2];
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_exec: %s\n", what);
    exit(EXIT_FAILURE);
}

static void insist(enum ew_status status, const struct ew_error *err)
{
    if (status != EW_OK) {
        die(err->message);
    }
}

static double clock_s(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) {
        die("cannot read a clock");
    }
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the loop ---- */

static struct cost run_loop(struct subject *s, uint64_t n)
{
    struct ew_error err = {0};
    struct cost begin = {0};
    for (uint64_t i = 0; i < N_WARM + n; i++) {
        if (i == N_WARM) {
            begin = (struct cost){clock_s(CLOCK_PROCESS_CPUTIME_ID), clock_s(CLOCK_MONOTONIC), 0};
        }
        insist(ew_forward_run(s->outputs, s->forward, &s->input, NULL, &err), &err);
        ew_forward_put(s->forward, s->outputs);
    }
    const double count = (double)n;
    return (struct cost){(clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin.cpu_s) / count,
                         (clock_s(CLOCK_MONOTONIC) - begin.wall_s) / count, 0};
}

/* ---- the execution ---- */

static pid_t parent_of(const char *pid)
{
    char path[PATH_SIZE];
    int parent = 0;
    (void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (file) {
        (void)!fscanf(file, "%*d (%*[^)]) %*c %d", &parent);
        (void)fclose(file);
    }
    return (pid_t)parent;
}

/* This process's only child. */
static pid_t find_worker(void)
{
    DIR *dir = opendir("/proc");
    pid_t found = 0;
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && !found; entry = readdir(dir)) {
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid()) {
            found = (pid_t)strtol(entry->d_name, NULL, 10);
        }
    }
    if (dir) {
        (void)closedir(dir);
    }
    if (!found) {
        die("cannot find the worker in /proc");
    }
    return found;
}

static void take_answer(void *ctx, const struct ew_exec_answer *answer)
{
    struct watch *w = ctx;
    (void)answer;
    w->n_answers++;
    if (w->n_answers == 1) {
        w->worker = find_worker();
    }
    if (w->n_answers == N_WARM || w->n_answers == w->n_requests) {
        clockid_t clock;
        if (clock_getcpuclockid(w->worker, &clock) != 0) {
            die("cannot read the worker's clock");
        }
        w->at[w->n_answers == w->n_requests] =
            (struct cost){clock_s(CLOCK_PROCESS_CPUTIME_ID) + clock_s(clock),
                          clock_s(CLOCK_MONOTONIC), w->facts->compute_s};
    }
}

static const char *worker_path(void)
{
    static char path[PATH_SIZE];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    char *slash = n > 0 ? strrchr(path, '/') : NULL;
    if (!slash) {
        die("cannot tell where this program is");
    }
    (void)snprintf(slash + 1, 32, "edgeweave-worker");
    return path;
}

static struct cost run_exec(struct subject *s, uint64_t n)
{
    struct ew_exec_facts facts = {0};
    struct watch watch = {.n_requests = n + N_WARM, .facts = &facts};
    struct hand_workload workload;
    hand_workload_init(&workload, s->tasks, watch.n_requests, 1);
    workload.run.book = s->book;
    workload.run.context = &s->context;
    struct ew_run run = {.platform = s->platform,
                         .net = ew_net_model_find("ideal"),
                         .n_workloads = 1,
                         .workloads = &workload.run,
                         .seed = 1};
    const struct ew_exec_options options = {.worker_path = worker_path(),
                                            .kernels = "reference",
                                            .weight_seed = 1,
                                            .input_seed = 1,
                                            .is_pinned = true,
                                            .stall_limit_s = 60,
                                            .answer = take_answer,
                                            .answer_ctx = &watch};
    const struct ew_metrics_workload part = {.context = &s->context};
    const struct ew_metrics_config config = {.run = &run, .workloads = &part};
    struct ew_metrics *metrics = NULL;
    struct ew_run_facts run_facts = {0};
    struct ew_error err = {0};
    insist(ew_metrics_new(&metrics, &config, &err), &err);
    run.sink = ew_metrics_sink(metrics);
    insist(ew_exec_run(&run_facts, &facts, &run, &options, &err), &err);
    ew_metrics_free(metrics);
    if (watch.n_answers != watch.n_requests) {
        die("answers are missing");
    }
    const double count = (double)n;
    return (struct cost){(watch.at[1].cpu_s - watch.at[0].cpu_s) / count,
                         (watch.at[1].wall_s - watch.at[0].wall_s) / count,
                         (watch.at[1].task_s - watch.at[0].task_s) / count};
}

/* ---- one network ---- */

/* Every layer whole on the only device. */
static void make_plan(struct subject *s)
{
    struct ew_error err = {0};
    struct ew_builder *builder = ew_builder_new(&s->context);
    const uint32_t exit = s->graph->n_exits - 1;
    bool *is_needed = calloc(s->graph->n_layers, sizeof *is_needed);
    if (!builder || !is_needed) {
        die("out of memory");
    }
    ew_graph_exit_layers(is_needed, s->graph, exit);
    insist(ew_builder_begin_plan(builder, "local", 1, 0, 0, &err), &err);
    for (uint32_t i = 0; i < s->graph->n_layers; i++) {
        const struct ew_piece piece = {.layer = i,
                                       .chain = EW_NONE,
                                       .sum = EW_NONE,
                                       .box = ew_box_full(s->graph->layers[i].shape)};
        if (is_needed[i] && s->graph->layers[i].op != EW_OP_INPUT) {
            insist(ew_builder_add_piece(builder, &piece, NULL, &err), &err);
        }
    }
    insist(ew_builder_finish(&s->book, builder, "local", &err), &err);
    ew_builder_free(builder);
    free(is_needed);
    struct ew_lower *lower = ew_lower_new();
    if (!lower) {
        die("out of memory");
    }
    const struct ew_lower_options options = {.keep_boxes = true};
    insist(ew_lower_plan(&s->tasks, lower, &s->context, s->book->plans[0], &options, &err), &err);
    ew_lower_free(lower);
}

static void subject_init(struct subject *s, const char *path)
{
    struct ew_error err = {0};
    *s = (struct subject){.platform = hand_row(1, 1e6, 0)};
    insist(ew_graph_load_file(&s->graph, NULL, path, &err), &err);
    s->context = (struct ew_plan_context){s->graph, s->platform, ew_element_bytes_of(s->graph)};
    make_plan(s);
    insist(ew_graph_weights_open(&s->weights, s->graph, false, NULL, 1, &err), &err);
    const struct ew_weight_source source = ew_graph_weights_source(&s->weights);
    insist(ew_forward_new(&s->forward, s->graph, s->graph->n_exits - 1,
                          ew_kernels_find("reference"), &source, &err),
           &err);
    const struct ew_box box = ew_box_full(s->graph->layers[s->graph->inputs[0]].shape);
    insist(ew_tensor_get(&s->input, &s->pool, &box, &err), &err);
    ew_random_values(s->input.values, 1, 0, 0, ew_box_volume(&box));
    s->outputs = calloc(s->graph->n_layers, sizeof *s->outputs);
    if (!s->outputs) {
        die("out of memory");
    }
}

static void subject_fini(struct subject *s)
{
    free(s->outputs);
    ew_tensor_put(&s->pool, &s->input);
    ew_tensor_pool_fini(&s->pool);
    ew_forward_free(s->forward);
    ew_graph_weights_close(&s->weights);
    ew_task_graph_free(s->tasks);
    ew_book_free(s->book);
    ew_platform_free(s->platform);
    ew_graph_free(s->graph);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, size_t n)
{
    double sorted[MAX_TURNS];
    memcpy(sorted, values, n * sizeof *values);
    qsort(sorted, n, sizeof *sorted, compare);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double least(const double *values, size_t n)
{
    double best = INFINITY;
    for (size_t i = 0; i < n; i++) {
        best = fmin(best, values[i]);
    }
    return best;
}

/* An execution between two loops. */
struct turn {
    struct cost loops[2];
    struct cost exec;
};

static double loop_cpu_s(const struct turn *t)
{
    return (t->loops[0].cpu_s + t->loops[1].cpu_s) / 2;
}

static double loop_wall_s(const struct turn *t)
{
    return (t->loops[0].wall_s + t->loops[1].wall_s) / 2;
}

static bool is_undisturbed(const struct cost *loop)
{
    return loop->wall_s < 1.02 * loop->cpu_s;
}

/* Move the quiet turns to the front, which keeps them when this is called again; returns how many.
 */
static size_t count_quiet(struct turn *turns, size_t n)
{
    double best_s = INFINITY;
    size_t n_quiet = 0;
    for (size_t i = 0; i < n; i++) {
        best_s = fmin(best_s, fmin(turns[i].loops[0].cpu_s, turns[i].loops[1].cpu_s));
    }
    for (size_t i = 0; i < n; i++) {
        const struct turn t = turns[i];
        if (is_undisturbed(&t.loops[0]) && is_undisturbed(&t.loops[1]) &&
            fabs(t.loops[0].cpu_s / t.loops[1].cpu_s - 1) < 0.03 &&
            loop_cpu_s(&t) < 1.04 * best_s) {
            turns[i] = turns[n_quiet];
            turns[n_quiet++] = t;
        }
    }
    return n_quiet;
}

/* What is laid beside the loop: processor time, wall time, or wall time in tasks. */
enum side { SIDE_CPU, SIDE_WALL, SIDE_TASKS };

static void print(const char *name, enum side side, const struct turn *turns, size_t n)
{
    static const char *const names[] = {"processor", "wall", "in tasks"};
    double loop_s[MAX_TURNS], exec_s[MAX_TURNS], more_pct[MAX_TURNS];
    for (size_t i = 0; i < n; i++) {
        const struct turn *t = &turns[i];
        loop_s[i] = side == SIDE_CPU ? loop_cpu_s(t) : loop_wall_s(t);
        exec_s[i] = side == SIDE_CPU    ? t->exec.cpu_s
                    : side == SIDE_WALL ? t->exec.wall_s
                                        : t->exec.task_s;
        more_pct[i] = 100 * (exec_s[i] / loop_s[i] - 1);
    }
    const double a = least(loop_s, n), b = least(exec_s, n);
    printf("%-15s %-9s kernels %7.2f ms, exec %7.2f ms: %+5.1f %%; median of %zu turns %+5.1f %%\n",
           name, names[side], 1e3 * a, 1e3 * b, 100 * (b / a - 1), n, median(more_pct, n));
}

/* All turns, quiet or not: what there is on a machine with other work. */
static void print_medians(const struct turn *turns, size_t n)
{
    double cpu_pct[MAX_TURNS], wall_pct[MAX_TURNS];
    for (size_t i = 0; i < n; i++) {
        cpu_pct[i] = 100 * (turns[i].exec.cpu_s / loop_cpu_s(&turns[i]) - 1);
        wall_pct[i] = 100 * (turns[i].exec.wall_s / loop_wall_s(&turns[i]) - 1);
    }
    printf("%-15s medians of all %zu turns: processor %+.1f %%, wall %+.1f %%\n", "", n,
           median(cpu_pct, n), median(wall_pct, n));
}

static void bench(const char *path, uint64_t n_requests, size_t n_turns)
{
    struct subject s;
    struct turn turns[MAX_TURNS];
    size_t n = 0, n_quiet = 0;
    subject_init(&s, path);
    struct cost before = run_loop(&s, n_requests);
    while (n < MAX_TURNS && n < 5 * n_turns && n_quiet < n_turns) {
        turns[n].loops[0] = before;
        turns[n].exec = run_exec(&s, n_requests);
        turns[n].loops[1] = run_loop(&s, n_requests);
        before = turns[n++].loops[1];
        n_quiet = count_quiet(turns, n);
    }
    printf("%-15s %zu of %zu turns were quiet%s\n", s.graph->name, n_quiet, n,
           n_quiet < 3 ? ": too few" : "");
    for (enum side side = SIDE_CPU; n_quiet >= 3 && side <= SIDE_TASKS; side++) {
        print("", side, turns, n_quiet);
    }
    print_medians(turns, n);
    (void)fflush(stdout);
    subject_fini(&s);
}

/* A whole number from 1 to `most` behind an option. */
static uint64_t read_count(const char *text, long most)
{
    char *end = NULL;
    const long n = text ? strtol(text, &end, 10) : 0;
    if (n < 1 || n > most || *end) {
        die("usage: bench_exec [-n REQUESTS] [-t TURNS] GRAPH... (at most 99 turns)");
    }
    return (uint64_t)n;
}

int main(int argc, char **argv)
{
    uint64_t n_requests = 20, n_turns = 9;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0) {
            n_requests = read_count(argv[++i], 100000);
        } else if (strcmp(argv[i], "-t") == 0) {
            n_turns = read_count(argv[++i], MAX_TURNS);
        } else {
            bench(argv[i], n_requests, (size_t)n_turns);
        }
    }
    return EXIT_SUCCESS;
}
