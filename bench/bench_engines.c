/*
 * Speed of the engines: tasks and transfers per second on a pipe and on a row-band halo exchange,
 * the simgrid engine against bare SimGrid programs that do the same activities (side by side, in
 * turn), and how time grows with the number of devices. Prints tables; judges nothing.
 *
 *   bench_engines [DIRECTORY OF bare_simgrid_pipe AND bare_simgrid_halo]
 *
 * Times are wall clock, best of several; those of simgrid contain everything: the child process,
 * SimGrid's start, the stream of events.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/hand.h"

enum { N_REPEATS = 5, MESSAGE_BYTES = 50000, N_SIZES = 5, PATH_SIZE = 1024 };

static const uint32_t sizes[N_SIZES] = {16, 32, 64, 128, 256};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the two jobs, as in bare_simgrid_{pipe,halo}.c
 * ------------------------------------------------ */

static struct ew_task_graph *make_pipe(uint32_t n)
{
    struct hand_tasks *t = hand_tasks_new(n);
    uint32_t at = 0;
    for (uint32_t d = 0; d < n; d++) {
        const uint32_t work = hand_compute(t, d, 1e-3 * (1 + 0.01 * (double)(d * 7 % 10)));
        hand_after(t, work, at);
        at = work;
        if (d + 1 < n) {
            at = hand_message(t, d, d + 1, MESSAGE_BYTES);
            hand_after(t, at, work);
        }
    }
    const uint32_t result = hand_join(t, n - 1);
    hand_after(t, result, at);
    return hand_tasks_finish(t);
}

/* Ids of one layer; 0 (the input) where there is none. */
struct layer {
    uint32_t *work, *up, *down;
};

static struct layer new_layer(uint32_t n)
{
    struct layer layer = {calloc(n, sizeof(uint32_t)), calloc(n, sizeof(uint32_t)),
                          calloc(n, sizeof(uint32_t))};
    if (!layer.work || !layer.up || !layer.down) {
        (void)fputs("out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return layer;
}

static void add_layer(struct hand_tasks *t, struct layer *layer, uint32_t n, bool is_first,
                      bool is_last)
{
    for (uint32_t d = 0; d < n; d++) {
        const uint32_t work = hand_compute(t, d, 1e-3);
        hand_after(t, work, layer->work[d]);
        if (!is_first && d > 0) {
            hand_after(t, work, layer->down[d - 1]);
        }
        if (!is_first && d + 1 < n) {
            hand_after(t, work, layer->up[d + 1]);
        }
        layer->work[d] = work;
    }
    for (uint32_t d = 0; d < n && !is_last; d++) {
        if (d > 0) {
            layer->up[d] = hand_message(t, d, d - 1, MESSAGE_BYTES);
            hand_after(t, layer->up[d], layer->work[d]);
        }
        if (d + 1 < n) {
            layer->down[d] = hand_message(t, d, d + 1, MESSAGE_BYTES);
            hand_after(t, layer->down[d], layer->work[d]);
        }
    }
}

static struct ew_task_graph *make_halo(uint32_t n, uint32_t n_layers)
{
    struct hand_tasks *t = hand_tasks_new(n);
    struct layer layer = new_layer(n);
    for (uint32_t l = 0; l < n_layers; l++) {
        add_layer(t, &layer, n, l == 0, l + 1 == n_layers);
    }
    const uint32_t result = hand_join(t, 0);
    for (uint32_t d = 0; d < n; d++) {
        hand_after(t, result, layer.work[d]);
    }
    free(layer.work);
    free(layer.up);
    free(layer.down);
    return hand_tasks_finish(t);
}

/* --- measuring
 * ------------------------------------------------------------------------------------ */

struct measure {
    double seconds;
    double activities;
    double simulated_s;
};

static void count_event(void *ctx, const struct ew_event *event)
{
    (void)event;
    ++*(uint64_t *)ctx;
}

static struct measure run_once(const struct ew_engine *engine, const struct ew_platform *platform,
                               const struct ew_task_graph *tasks, uint32_t n_requests)
{
    uint64_t n_events = 0;
    struct hand_workload w;
    hand_workload_init(&w, tasks, n_requests, n_requests);
    const struct ew_run run = {
        .platform = platform,
        .net = ew_net_model_find("ideal"),
        .n_workloads = 1,
        .workloads = &w.run,
        .seed = 1,
        .sink = {&n_events, count_event},
    };
    struct ew_run_facts facts = {0};
    struct ew_error err = {0};
    const double start_s = now_s();
    if (engine->run(&facts, &run, &err) != EW_OK) {
        (void)fprintf(stderr, "%s: %s\n", engine->id, err.message);
        exit(EXIT_FAILURE);
    }
    return (struct measure){now_s() - start_s, (double)(facts.n_tasks + facts.n_transfers),
                            facts.end_s};
}

static void keep_best(struct measure *best, struct measure other)
{
    if (best->seconds == 0 || other.seconds < best->seconds) {
        *best = other;
    }
}

/* A job on n devices. `amount`: requests of the pipe, layers of the halo exchange. */
struct job {
    const char *name;
    struct ew_platform *platform;
    struct ew_task_graph *tasks;
    uint32_t n_requests;
};

static struct job make_job(bool is_pipe, uint32_t n, uint32_t amount)
{
    return (struct job){
        .name = is_pipe ? "pipe" : "halo",
        .platform = hand_row(n, 100e6, 100e-6),
        .tasks = is_pipe ? make_pipe(n) : make_halo(n, amount),
        .n_requests = is_pipe ? amount : 1,
    };
}

static void free_job(struct job *job)
{
    ew_task_graph_free(job->tasks);
    ew_platform_free(job->platform);
}

static struct measure run_job(const struct ew_engine *engine, const struct job *job, int repeats)
{
    struct measure best = {0};
    for (int i = 0; i < repeats; i++) {
        keep_best(&best, run_once(engine, job->platform, job->tasks, job->n_requests));
    }
    return best;
}

/* --- against bare SimGrid
 * --------------------------------------------------------------------------- */

/* The program prints activities, wall seconds and simulated seconds. */
static bool run_bare(struct measure *out, const char *dir, const char *name, uint32_t n,
                     uint32_t amount)
{
    char command[PATH_SIZE + 64];
    (void)snprintf(command, sizeof command, "'%s/bare_simgrid_%s' %u %u", dir, name, (unsigned)n,
                   (unsigned)amount);
    FILE *from = popen(command, "r");
    const bool is_read = from && fscanf(from, "%lf %lf %lf", &out->activities, &out->seconds,
                                        &out->simulated_s) == 3;
    return from && pclose(from) == 0 && is_read;
}

static void compare_with_bare(const char *dir, bool is_pipe, uint32_t n, uint32_t amount)
{
    struct job job = make_job(is_pipe, n, amount);
    struct measure ours = {0}, bare = {0};
    for (int i = 0; i < N_REPEATS; i++) {
        struct measure once = {0};
        if (!run_bare(&once, dir, job.name, n, amount)) {
            (void)fprintf(stderr, "cannot run bare_simgrid_%s in %s\n", job.name, dir);
            free_job(&job);
            return;
        }
        keep_best(&bare, once);
        keep_best(&ours, run_job(&ew_engine_simgrid, &job, 1));
    }
    (void)printf("%-5s %8u %8u %12.0f %12.3f %12.3f %8.2f   %s\n", job.name, (unsigned)n,
                 (unsigned)amount, ours.activities, bare.activities / bare.seconds / 1e6,
                 ours.activities / ours.seconds / 1e6, bare.seconds / ours.seconds,
                 ours.activities == bare.activities &&
                         fabs(ours.simulated_s - bare.simulated_s) < 1e-8
                     ? "same activities, same end"
                     : "DIFFERENT SIMULATIONS");
    free_job(&job);
}

/* --- scaling
 * -------------------------------------------------------------------------------------- */

/* Slope of log(y) over log(x). */
static double exponent(const uint32_t *x, const double *y, int n)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < n; i++) {
        const double a = log((double)x[i]), b = log(y[i]);
        sx += a;
        sy += b;
        sxx += a * a;
        sxy += a * b;
    }
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

static void scale(const struct ew_engine *engine, bool is_pipe, uint32_t budget)
{
    double per_unit_s[N_SIZES];
    (void)printf("%-8s %-5s", engine->id, is_pipe ? "pipe" : "halo");
    for (int i = 0; i < N_SIZES; i++) {
        const uint32_t amount = budget / sizes[i];
        struct job job = make_job(is_pipe, sizes[i], amount);
        const struct measure best = run_job(engine, &job, N_REPEATS);
        per_unit_s[i] = best.seconds / amount;
        (void)printf(" %9.2f", per_unit_s[i] * 1e6);
        (void)fflush(stdout);
        free_job(&job);
    }
    (void)printf(" %9.2f\n", exponent(sizes, per_unit_s, N_SIZES));
}

/* --- the tables
 * ------------------------------------------------------------------------------------- */

static void print_fast_speed(void)
{
    (void)printf("fast, tasks and transfers per second (best of %d)\n", N_REPEATS);
    for (int is_halo = 0; is_halo < 2; is_halo++) {
        struct job job = make_job(!is_halo, 64, 1000);
        const struct measure best = run_job(&ew_engine_fast, &job, N_REPEATS);
        (void)printf("%-5s 64 devices x 1000 %s: %.0f in %.4f s = %.2f million/s\n", job.name,
                     is_halo ? "layers" : "requests", best.activities, best.seconds,
                     best.activities / best.seconds / 1e6);
        free_job(&job);
    }
}

static void print_ratios(const char *dir)
{
    (void)printf(
        "\nsimgrid against bare SimGrid, side by side (best of %d)\n%-5s %8s %8s %12s %12s "
        "%12s %8s\n",
        N_REPEATS, "job", "devices", "amount", "activities", "bare M/s", "engine M/s", "ratio");
    compare_with_bare(dir, true, 64, 1000);
    compare_with_bare(dir, false, 64, 1000);
    compare_with_bare(dir, true, 4, 10000);
    compare_with_bare(dir, false, 4, 10000);
}

static void print_scaling(void)
{
    (void)printf(
        "\ntime per request (pipe) or layer (halo, all completions coincide), microseconds\n"
        "%-14s",
        "devices");
    for (int i = 0; i < N_SIZES; i++) {
        (void)printf(" %9u", (unsigned)sizes[i]);
    }
    (void)printf(" %9s\n", "exponent");
    scale(&ew_engine_fast, true, 64000);
    scale(&ew_engine_fast, false, 64000);
    scale(&ew_engine_simgrid, true, 16000);
    scale(&ew_engine_simgrid, false, 16000);
}

int main(int argc, char **argv)
{
    char dir[PATH_SIZE] = ".";
    const char *slash = strrchr(argv[0], '/');
    if (argc > 1) {
        (void)snprintf(dir, sizeof dir, "%s", argv[1]);
    } else if (slash) {
        (void)snprintf(dir, sizeof dir, "%.*s", (int)(slash - argv[0]), argv[0]);
    }
    print_fast_speed();
    print_ratios(dir);
    print_scaling();
    return EXIT_SUCCESS;
}
