#include "calibrate/probe_threads.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/system.h"
#include "engine/exec/random_weights.h"

enum { MIN_RUNS = 3, MAX_RUNS = 20 };

/* For each number of threads. */
static const double LIMIT_S = 0.2;

float *ew_probe_values(const struct ew_box *box)
{
    const size_t n = ew_tensor_floats(box);
    float *values = calloc(n, sizeof *values);
    for (size_t i = 0; values && i < n; i++) {
        values[i] = ew_random_value(1, 0, i);
    }
    return values;
}

/* Threads meet at `line` before and after every run; what they wait for before the first one is
 * that all of them exist, or that some cannot be had. */
struct team {
    const struct ew_kernels *kernels;
    const struct ew_kernel_task *task;
    const struct ew_kernel_weights *weights;
    pthread_mutex_t mutex;
    pthread_cond_t is_decided;
    bool has_decision, goes;
    pthread_barrier_t line;
    bool is_over; /* written by the first between two meetings, read after the second */
};

struct member {
    struct team *team;
    pthread_t thread;
    struct ew_tensor in, out;
    struct ew_kernel_scratch scratch;
    bool has_failed;
};

static void run_once(struct member *m)
{
    struct ew_error ignored = {0};
    const struct team *team = m->team;
    m->has_failed |= team->kernels->run(&m->out, team->kernels, team->task, team->weights, &m->in,
                                        &m->scratch, &ignored) != EW_OK;
}

static void *follow(void *arg)
{
    struct member *m = arg;
    struct team *team = m->team;
    (void)pthread_mutex_lock(&team->mutex);
    while (!team->has_decision) {
        (void)pthread_cond_wait(&team->is_decided, &team->mutex);
    }
    const bool goes = team->goes;
    (void)pthread_mutex_unlock(&team->mutex);
    while (goes) {
        (void)pthread_barrier_wait(&team->line);
        if (team->is_over) {
            break;
        }
        run_once(m);
        (void)pthread_barrier_wait(&team->line);
    }
    return NULL;
}

/* The caller is the first member; fastest run of all together. */
static double lead(struct member *first)
{
    struct team *team = first->team;
    const double until_s = ew_now_s() + LIMIT_S;
    double best_s = INFINITY;
    for (int i = 0; i < MAX_RUNS && (i < MIN_RUNS || ew_now_s() < until_s); i++) {
        (void)pthread_barrier_wait(&team->line);
        const double begin_s = ew_now_s();
        run_once(first);
        (void)pthread_barrier_wait(&team->line);
        best_s = i ? fmin(best_s, ew_now_s() - begin_s) : best_s; /* the first grows memory */
    }
    team->is_over = true;
    (void)pthread_barrier_wait(&team->line);
    return best_s;
}

/* Start the others, run, and end them; NAN when some cannot be had. */
static double run_team(struct team *team, struct member *members, unsigned n)
{
    unsigned started = 1;
    double best_s = NAN;
    if (pthread_barrier_init(&team->line, NULL, n)) {
        return NAN;
    }
    team->has_decision = team->goes = team->is_over = false;
    while (started < n &&
           pthread_create(&members[started].thread, NULL, follow, &members[started]) == 0) {
        started++;
    }
    (void)pthread_mutex_lock(&team->mutex);
    team->has_decision = true;
    team->goes = started == n;
    (void)pthread_cond_broadcast(&team->is_decided);
    (void)pthread_mutex_unlock(&team->mutex);
    if (started == n) {
        best_s = lead(&members[0]);
    }
    bool has_failed = members[0].has_failed;
    for (unsigned i = 1; i < started; i++) {
        (void)pthread_join(members[i].thread, NULL);
        has_failed |= members[i].has_failed;
    }
    (void)pthread_barrier_destroy(&team->line);
    return has_failed ? NAN : best_s;
}

/* NAN when threads or memory run out. */
static double time_threads(struct team *team, const struct ew_layer *layer, unsigned n)
{
    struct member *members = calloc(n, sizeof *members);
    bool is_ready = members != NULL;
    for (unsigned i = 0; is_ready && i < n; i++) {
        struct member *m = &members[i];
        const int64_t rows = layer->shape[EW_H];
        m->team = team;
        m->out.box = ew_box_full(layer->shape);
        m->out.box.lo[EW_H] = (int32_t)(rows * i / n);
        m->out.box.hi[EW_H] = (int32_t)(rows * (i + 1) / n);
        m->in.box = ew_op_input_box(&team->task->layer, 0, &m->out.box, NULL);
        m->in.values = ew_probe_values(&m->in.box);
        m->out.values = ew_probe_values(&m->out.box);
        is_ready = m->in.values && m->out.values;
    }
    const double best_s = is_ready ? run_team(team, members, n) : NAN;
    for (unsigned i = 0; members && i < n; i++) {
        free(members[i].in.values);
        free(members[i].out.values);
        ew_kernel_scratch_fini(&members[i].scratch);
    }
    free(members);
    return best_s;
}

/* The convolution with most rows of output, so that many threads have some. */
static const struct ew_layer *find_layer(uint32_t *out_id, const struct ew_graph *const *graphs,
                                         size_t n_graphs)
{
    const struct ew_layer *found = NULL;
    double most = 0;
    for (size_t g = 0; g < n_graphs; g++) {
        for (uint32_t id = 0; id < graphs[g]->n_layers; id++) {
            const struct ew_layer *layer = &graphs[g]->layers[id];
            const struct ew_cost_query query = {graphs[g], layer, ew_box_full(layer->shape), NULL};
            struct ew_layer_work work;
            if (layer->op == EW_OP_CONV && ew_layer_work_of(&work, &query) && work.macs > most) {
                most = work.macs;
                found = layer;
                *out_id = id;
            }
        }
    }
    return found;
}

static unsigned count_processors(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > EW_PROBE_MAX_THREADS ? EW_PROBE_MAX_THREADS : (unsigned)n;
}

enum ew_status ew_probe_measure_threads(struct ew_probe *probe, const struct ew_kernels *kernels,
                                        const struct ew_graph *const *graphs, size_t n_graphs,
                                        struct ew_error *err)
{
    uint32_t id = 0;
    const struct ew_layer *layer = find_layer(&id, graphs, n_graphs);
    const struct ew_random_weights random = {1};
    const struct ew_weight_source source = ew_random_weights_source(&random);
    struct ew_kernel_weights *weights = NULL;
    if (!layer) {
        return EW_OK;
    }
    const struct ew_kernel_task task = {
        .layer = ew_layer_view(layer), .layer_id = id, .channels = {0, layer->shape[EW_C]}};
    const enum ew_status status = kernels->prepare(&weights, kernels, &task, &source, err);
    if (status != EW_OK) {
        return status;
    }
    struct team team = {.kernels = kernels,
                        .task = &task,
                        .weights = weights,
                        .mutex = PTHREAD_MUTEX_INITIALIZER,
                        .is_decided = PTHREAD_COND_INITIALIZER};
    const unsigned most = count_processors();
    double one_s = NAN;
    for (unsigned n = 1; n <= most && n <= (unsigned)layer->shape[EW_H];
         n = n == most || 2 * n < most ? 2 * n : most) {
        const double best_s = time_threads(&team, layer, n);
        one_s = n == 1 ? best_s : one_s;
        if (!(best_s > 0)) {
            break;
        }
        probe->threads[probe->n_threads++] = (struct ew_probe_threads){n, one_s / best_s};
    }
    kernels->release(weights);
    return EW_OK;
}
