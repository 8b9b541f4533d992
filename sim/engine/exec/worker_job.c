/*
 * Jobs on a worker: a node whose data are here releases those that wait for it; computations run on
 * a thread of their own, lowest job first, as soon as they can.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/exec/worker.h"

void wk_wake(struct wk_worker *worker)
{
    const char byte = 0;
    (void)!write(worker->wake_fds[1], &byte, 1); /* full: it is awake anyway */
}

/* ---- jobs ---- */

static struct wk_job *find_job(struct wk_worker *worker, uint64_t id)
{
    for (size_t i = 0; i < worker->jobs.count; i++) {
        if (worker->jobs.items[i]->id == id) {
            return worker->jobs.items[i];
        }
    }
    return NULL;
}

static void free_job(struct wk_worker *worker, struct wk_job *job)
{
    ew_store_fini(&job->store, &worker->pool);
    free(job->waits);
    free(job);
}

void wk_job_release(struct wk_worker *worker, struct wk_job *job)
{
    if (!job->is_ended || job->n_busy) {
        return;
    }
    for (size_t i = 0; i < worker->jobs.count; i++) {
        if (worker->jobs.items[i] == job) {
            worker->jobs.items[i] = worker->jobs.items[--worker->jobs.count];
            break;
        }
    }
    free_job(worker, job);
}

void wk_job_end(struct wk_worker *worker, struct wk_job *job)
{
    job->is_ended = true;
    wk_job_release(worker, job);
}

void wk_jobs_fini(struct wk_worker *worker)
{
    for (size_t i = 0; i < worker->jobs.count; i++) {
        free_job(worker, worker->jobs.items[i]);
    }
    ew_vec_fini(&worker->jobs);
    ew_vec_fini(&worker->ready);
    ew_vec_fini(&worker->finished);
    ew_vec_fini(&worker->reports);
}

/* What waits for nothing here is done, or can run, from the beginning. */
static enum ew_status begin_job(struct wk_worker *worker, struct wk_job *job, struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[job->program].program;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < p->n_nodes && status == EW_OK; i++) {
        const bool is_elsewhere =
            p->nodes[i].kind == EW_EXEC_INPUT && p->source_device != worker->setup.device;
        const bool is_free =
            p->nodes[i].kind == EW_EXEC_NOTHING && worker->plans.items[job->program].waits[i] == 0;
        if (is_elsewhere || is_free) {
            status = wk_complete(worker, job, i, err);
        }
    }
    return status;
}

struct wk_job *wk_job_get(struct wk_worker *worker, uint32_t program, uint64_t id,
                          struct ew_error *err)
{
    struct wk_job *job = find_job(worker, id);
    if (job) {
        return job;
    }
    const struct wk_plan *plan = &worker->plans.items[program];
    const size_t n = plan->program->n_nodes;
    job = calloc(1, sizeof *job);
    uint32_t *waits = malloc((n + 1) * sizeof *waits);
    if (!job || !waits || !ew_vec_push(&worker->jobs, job)) {
        free(waits);
        free(job);
        (void)ew_fail_memory(err);
        return NULL;
    }
    *job = (struct wk_job){.id = id, .program = program, .waits = waits};
    memcpy(waits, plan->waits, n * sizeof *waits);
    if (ew_store_init(&job->store, plan->program->n_slots, plan->n_readers, err) != EW_OK ||
        begin_job(worker, job, err) != EW_OK) {
        return NULL; /* the job is freed with the others */
    }
    return job;
}

/* ---- the ready heap ---- */

static bool comes_before(const struct wk_ready *a, const struct wk_ready *b)
{
    return a->job->id < b->job->id || (a->job->id == b->job->id && a->node < b->node);
}

static enum ew_status push_ready(struct wk_worker *worker, struct wk_job *job, uint32_t node,
                                 struct ew_error *err)
{
    if (!ew_vec_reserve_one(&worker->ready)) {
        return ew_fail_memory(err);
    }
    const struct wk_ready item = {job, node};
    struct wk_ready *items = worker->ready.items;
    size_t i = worker->ready.count++;
    for (; i > 0 && comes_before(&item, &items[(i - 1) / 2]); i = (i - 1) / 2) {
        items[i] = items[(i - 1) / 2];
    }
    items[i] = item;
    job->n_busy++;
    (void)pthread_cond_signal(&worker->has_work);
    return EW_OK;
}

static struct wk_ready pop_ready(struct wk_worker *worker)
{
    struct wk_ready *items = worker->ready.items;
    const struct wk_ready first = items[0];
    const size_t n = --worker->ready.count;
    const struct wk_ready last = items[n];
    size_t i = 0;
    for (size_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && comes_before(&items[child + 1], &items[child])) {
            child++;
        }
        if (!comes_before(&items[child], &last)) {
            break;
        }
        items[i] = items[child];
        i = child;
    }
    if (n) {
        items[i] = last;
    }
    return first;
}

/* ---- data flow ---- */

/* A node has nothing left to wait for. */
static enum ew_status release_node(struct wk_worker *worker, struct wk_job *job, uint32_t i,
                                   struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[job->program].program;
    const struct ew_exec_node *node = &p->nodes[i];
    const bool is_here = node->device == worker->setup.device;
    switch (node->kind) {
    case EW_EXEC_COMPUTE:
    case EW_EXEC_SUM:
        return is_here ? push_ready(worker, job, i, err) : EW_OK;
    case EW_EXEC_MESSAGE:
        wk_wake(worker); /* it may leave */
        return EW_OK;
    default: {
        if (node->kind == EW_EXEC_RESULT && is_here) {
            job->is_answered = true;
            wk_wake(worker);
        }
        const struct wk_ready done = {job, i};
        return ew_vec_push(&worker->finished, done) ? EW_OK : ew_fail_memory(err);
    }
    }
}

/* True when this device watches the node: it computes or sends it, or the node has no data. */
static bool is_watched(const struct ew_exec_node *node, uint32_t device)
{
    const bool has_place =
        node->kind == EW_EXEC_COMPUTE || node->kind == EW_EXEC_SUM || node->kind == EW_EXEC_MESSAGE;
    return !has_place || node->device == device;
}

static enum ew_status release_successors(struct wk_worker *worker, struct wk_ready done,
                                         struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[done.job->program].program;
    const struct ew_exec_node *node = &p->nodes[done.node];
    enum ew_status status = EW_OK;
    for (uint32_t k = node->successors_begin; k < node->successors_end && status == EW_OK; k++) {
        const uint32_t next = p->successors[k];
        if (is_watched(&p->nodes[next], worker->setup.device) && --done.job->waits[next] == 0) {
            status = release_node(worker, done.job, next, err);
        }
    }
    return status;
}

enum ew_status wk_complete(struct wk_worker *worker, struct wk_job *job, uint32_t node,
                           struct ew_error *err)
{
    const struct wk_ready first = {job, node};
    if (!ew_vec_push(&worker->finished, first)) {
        return ew_fail_memory(err);
    }
    enum ew_status status = EW_OK;
    while (worker->finished.count && status == EW_OK) {
        const struct wk_ready done = worker->finished.items[--worker->finished.count];
        status = release_successors(worker, done, err);
    }
    return status;
}

/* ---- computing ---- */

enum ew_status wk_read(struct ew_tensor *out, bool *is_owned, struct wk_worker *worker,
                       struct wk_job *job, uint32_t slot, const struct ew_box *box,
                       struct ew_error *err)
{
    struct ew_fragments fragments = {0};
    enum ew_status status = EW_OK;
    *is_owned = false;
    (void)pthread_mutex_lock(&worker->mutex);
    if (!ew_store_find(out, &job->store, slot, box)) {
        status = ew_store_list(&fragments, &job->store, slot, err);
        status = status ? status : ew_tensor_get(out, &worker->pool, box, err);
        *is_owned = status == EW_OK;
    }
    (void)pthread_mutex_unlock(&worker->mutex);
    if (*is_owned) {
        status = ew_tensor_put_together(out, &fragments, err);
    }
    ew_vec_fini(&fragments);
    return status;
}

/* Memory of one computation. */
struct operands {
    struct ew_tensor *tensors;
    bool *are_owned;
    uint32_t *slots; /* EW_NONE: not read */
    uint32_t n;
};

static bool operands_init(struct operands *o, uint32_t n)
{
    *o = (struct operands){.n = n};
    o->tensors = calloc(n + 1u, sizeof *o->tensors);
    o->are_owned = calloc(n + 1u, sizeof *o->are_owned);
    o->slots = malloc((n + 1u) * sizeof *o->slots);
    for (uint32_t i = 0; o->slots && i < n; i++) {
        o->slots[i] = EW_NONE;
    }
    return o->tensors && o->are_owned && o->slots;
}

static void operands_fini(struct operands *o)
{
    free(o->tensors);
    free(o->are_owned);
    free(o->slots);
}

static enum ew_status compute_layer(struct ew_tensor *out, struct wk_worker *worker,
                                    struct wk_job *job, uint32_t number, struct operands *o,
                                    struct ew_error *err)
{
    const struct wk_plan *plan = &worker->plans.items[job->program];
    const struct ew_exec_program *p = plan->program;
    const struct ew_exec_node *node = &p->nodes[number];
    const struct ew_exec_slot *slot = &p->slots[node->slot];
    int32_t(*in_shape)[EW_DIMS] = malloc((slot->n_inputs + 1u) * sizeof *in_shape);
    if (!in_shape) {
        return ew_fail_memory(err);
    }
    const struct ew_kernel_task task = {
        .layer = ew_exec_slot_view(p, node->slot, in_shape),
        .variant = slot->variant,
        .layer_id = slot->layer,
        .channels = {node->box.lo[EW_C], node->box.hi[EW_C]},
        .reduction = node->has_reduction ? &node->reduction : NULL,
    };
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < slot->n_inputs && status == EW_OK; i++) {
        const struct ew_box need = ew_op_input_box(&task.layer, i, &node->box, task.reduction);
        o->slots[i] = ew_box_is_empty(&need) ? EW_NONE : p->inputs[slot->first_input + i];
        if (o->slots[i] != EW_NONE) {
            status =
                wk_read(&o->tensors[i], &o->are_owned[i], worker, job, o->slots[i], &need, err);
        }
    }
    if (status == EW_OK) {
        status = worker->kernels->run(out, worker->kernels, &task, plan->weights[number],
                                      o->tensors, &worker->scratch, err);
    }
    free(in_shape);
    return status;
}

/* Bias of a sum's channels; NULL when the layer has none. */
static enum ew_status read_bias(float **out, const struct ew_weight_source *source,
                                const struct ew_exec_slot *slot, const struct ew_box *box,
                                struct ew_error *err)
{
    if (!slot->attrs.has_bias) {
        return EW_OK;
    }
    const size_t n = (size_t)ew_box_extent(box, EW_C);
    *out = malloc(n * sizeof **out);
    if (!*out) {
        return ew_fail_memory(err);
    }
    const struct ew_kernel_task task = {
        .layer = {.op = (enum ew_op)slot->op, .attrs = &slot->attrs},
        .variant = slot->variant,
        .layer_id = slot->layer};
    return source->read(*out, source->self, &task, EW_WEIGHT_BIAS, (uint64_t)box->lo[EW_C], n, err);
}

static enum ew_status compute_sum(struct ew_tensor *out, struct wk_worker *worker,
                                  struct wk_job *job, uint32_t number, struct operands *o,
                                  struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[job->program].program;
    const struct ew_exec_node *node = &p->nodes[number];
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < node->count && status == EW_OK; i++) {
        o->slots[i] = p->terms[node->first + i];
        status =
            wk_read(&o->tensors[i], &o->are_owned[i], worker, job, o->slots[i], &node->box, err);
    }
    float *bias = NULL;
    if (status == EW_OK) {
        status = read_bias(&bias, &worker->plans.items[job->program].source, &p->slots[node->slot],
                           &node->box, err);
    }
    if (status == EW_OK) {
        ew_kernels_sum(out, node->count, o->tensors, bias);
    }
    free(bias);
    return status;
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Compute one node, without the mutex; then book it. */
static enum ew_status compute(struct wk_worker *worker, struct wk_ready item, struct ew_error *err)
{
    const struct wk_plan *plan = &worker->plans.items[item.job->program];
    const struct ew_exec_node *node = &plan->program->nodes[item.node];
    const bool is_sum = node->kind == EW_EXEC_SUM;
    const double start_s = now_s();
    struct ew_tensor out = {0};
    struct operands o;
    const bool has_memory = operands_init(&o, is_sum ? node->count : plan->most_inputs);
    (void)pthread_mutex_lock(&worker->mutex);
    enum ew_status status =
        has_memory ? ew_tensor_get(&out, &worker->pool, &node->box, err) : ew_fail_memory(err);
    (void)pthread_mutex_unlock(&worker->mutex);
    if (status == EW_OK) {
        status = is_sum ? compute_sum(&out, worker, item.job, item.node, &o, err)
                        : compute_layer(&out, worker, item.job, item.node, &o, err);
    }
    const struct wk_report report = {item.job->id, {item.node, 0, now_s() - start_s}};
    (void)pthread_mutex_lock(&worker->mutex);
    for (uint32_t i = 0; has_memory && i < o.n; i++) {
        if (o.are_owned[i]) {
            ew_tensor_put(&worker->pool, &o.tensors[i]);
        }
        if (status == EW_OK && o.slots[i] != EW_NONE) {
            ew_store_drop_reader(&item.job->store, &worker->pool, o.slots[i]);
        }
    }
    if (status == EW_OK) {
        status = ew_store_put_take(&item.job->store, &worker->pool, node->slot, &out, err);
    } else {
        ew_tensor_put(&worker->pool, &out);
    }
    if (status == EW_OK && !ew_vec_push(&worker->reports, report)) {
        status = ew_fail_memory(err);
    }
    if (status == EW_OK) {
        status = wk_complete(worker, item.job, item.node, err);
    }
    item.job->n_busy--;
    wk_job_release(worker, item.job);
    (void)pthread_mutex_unlock(&worker->mutex);
    operands_fini(&o);
    return status;
}

static const double report_every_s = 0.02;

/* A report that somebody may wait for: in emulation tasks end at times of the coordinator's clock.
 * Otherwise what has to leave wakes the other thread by itself, and reports go along, or soon. */
static bool is_report_due(struct wk_worker *worker)
{
    const double now = now_s();
    if (!worker->setup.is_emulated && now < worker->reported_s + report_every_s) {
        return false;
    }
    worker->reported_s = now;
    return true;
}

void *wk_compute_loop(void *argument)
{
    struct wk_worker *worker = argument;
    struct ew_error err = {0};
    (void)pthread_mutex_lock(&worker->mutex);
    while (!worker->has_quit && !worker->has_failed) {
        if (!worker->ready.count) {
            if (worker->reports.count) {
                wk_wake(worker);
            }
            (void)pthread_cond_wait(&worker->has_work, &worker->mutex);
            continue;
        }
        const struct wk_ready item = pop_ready(worker);
        if (item.job->is_ended && !item.job->is_wanted) {
            item.job->n_busy--;
            wk_job_release(worker, item.job);
            continue;
        }
        (void)pthread_mutex_unlock(&worker->mutex);
        const enum ew_status status = compute(worker, item, &err);
        (void)pthread_mutex_lock(&worker->mutex);
        if (status != EW_OK) {
            worker->has_failed = true;
            worker->failure = err;
        }
        if (is_report_due(worker)) {
            wk_wake(worker);
        }
    }
    (void)pthread_mutex_unlock(&worker->mutex);
    wk_wake(worker);
    return NULL;
}
