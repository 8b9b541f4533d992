/*
 * Jobs on a worker: a node whose data are here releases those that wait for it; computations run on
 * a thread of their own, lowest job first, as soon as they can.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/exec/worker.h"

#include "base/system.h"

void wk_wake(struct wk_worker *worker)
{
    const char byte = 0;
    if (!atomic_exchange(&worker->is_woken, true)) {
        (void)!write(worker->wake_fds[1], &byte, 1);
    }
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

static void operands_fini(struct wk_operands *o)
{
    free(o->tensors);
    free(o->are_owned);
    free(o->slots);
    free(o->in_shape);
    *o = (struct wk_operands){0};
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
    operands_fini(&worker->operands);
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
        if (p->nodes[next].kind != EW_EXEC_COMPUTE && p->nodes[next].kind != EW_EXEC_SUM) {
            wk_wake(worker); /* a message or another device waits for the report of this */
        }
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

static bool operands_begin(struct wk_operands *o, uint32_t n)
{
    if (n > o->capacity || !o->tensors) {
        operands_fini(o);
        o->tensors = calloc(n + 1u, sizeof *o->tensors);
        o->are_owned = calloc(n + 1u, sizeof *o->are_owned);
        o->slots = calloc(n + 1u, sizeof *o->slots);
        o->in_shape = calloc(n + 1u, sizeof *o->in_shape);
        if (!o->tensors || !o->are_owned || !o->slots || !o->in_shape) {
            operands_fini(o);
            return false;
        }
        o->capacity = n;
    }
    o->n = n;
    for (uint32_t i = 0; i < n; i++) {
        o->tensors[i] = (struct ew_tensor){0};
        o->are_owned[i] = false;
        o->slots[i] = EW_NONE;
    }
    return true;
}

static enum ew_status compute_layer(struct ew_tensor *out, struct wk_worker *worker,
                                    struct wk_job *job, uint32_t number, struct wk_operands *o,
                                    struct ew_error *err)
{
    const struct wk_plan *plan = &worker->plans.items[job->program];
    const struct ew_exec_program *p = plan->program;
    const struct ew_exec_node *node = &p->nodes[number];
    const struct ew_exec_slot *slot = &p->slots[node->slot];
    const struct ew_kernel_task task = {
        .layer = ew_exec_slot_view(p, node->slot, o->in_shape),
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
                                  struct wk_job *job, uint32_t number, struct wk_operands *o,
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

/* Compute one node, without the mutex; then book it, and leave with the mutex. `*clock_s` is when
 * the last one ended, which this one follows, or 0, and then when this one ended. */
static enum ew_status compute(struct wk_worker *worker, struct wk_ready item, double *clock_s,
                              struct ew_error *err)
{
    const struct wk_plan *plan = &worker->plans.items[item.job->program];
    const struct ew_exec_node *node = &plan->program->nodes[item.node];
    const bool is_sum = node->kind == EW_EXEC_SUM;
    const double start_s = *clock_s > 0 ? *clock_s : ew_now_s();
    struct ew_tensor out = {0};
    struct wk_operands *o = &worker->operands;
    const bool has_memory = operands_begin(o, is_sum ? node->count : plan->most_inputs);
    enum ew_status status =
        has_memory ? ew_tensor_get(&out, &worker->pool, &node->box, err) : ew_fail_memory(err);
    (void)pthread_mutex_unlock(&worker->mutex);
    if (status == EW_OK) {
        status = is_sum ? compute_sum(&out, worker, item.job, item.node, o, err)
                        : compute_layer(&out, worker, item.job, item.node, o, err);
    }
    *clock_s = ew_now_s();
    const struct wk_report report = {item.job->id, {item.node, 0, *clock_s - start_s}};
    (void)pthread_mutex_lock(&worker->mutex);
    for (uint32_t i = 0; has_memory && i < o->n; i++) {
        if (o->are_owned[i]) {
            ew_tensor_put(&worker->pool, &o->tensors[i]);
        }
        if (status == EW_OK && o->slots[i] != EW_NONE) {
            ew_store_drop_reader(&item.job->store, &worker->pool, o->slots[i]);
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
    return status ? status : wk_complete(worker, item.job, item.node, err);
}

/* ---- inputs ---- */

/* One input after another. The mutex is held but while they are made. */
static enum ew_status make_inputs(struct wk_worker *worker, struct wk_job *job,
                                  struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[job->program].program;
    uint64_t n_made = 0;
    for (uint32_t i = 0; i < p->n_input_slots; i++) {
        struct ew_tensor tensor;
        const uint64_t n = ew_box_volume(&p->input_boxes[i]);
        enum ew_status status = ew_tensor_get(&tensor, &worker->pool, &p->input_boxes[i], err);
        if (status == EW_OK) {
            (void)pthread_mutex_unlock(&worker->mutex);
            status = wk_input_fill(&tensor, worker, job, i, n_made, err);
            (void)pthread_mutex_lock(&worker->mutex);
            n_made += n;
            if (status == EW_OK) {
                status =
                    ew_store_put_take(&job->store, &worker->pool, p->input_slots[i], &tensor, err);
            } else {
                ew_tensor_put(&worker->pool, &tensor);
            }
        }
        if (status != EW_OK) {
            return status;
        }
    }
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < p->n_nodes && status == EW_OK; i++) {
        if (p->nodes[i].kind == EW_EXEC_INPUT && --job->waits[i] == 0) {
            status = wk_complete(worker, job, i, err);
        }
    }
    return status;
}

/* An idle computing thread makes inputs where it will read them, in its processor's cache. But they
 * never wait for a computation: messages may have to leave with them. */
enum ew_status wk_job_begin(struct wk_worker *worker, struct wk_job *job, uint32_t image,
                            struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[job->program].program;
    if (job->has_begun || p->source_device != worker->setup.device) {
        return EW_OK;
    }
    job->has_begun = true;
    job->image = image;
    if (worker->is_idle && !worker->ready.count) {
        return push_ready(worker, job, EW_NONE, err);
    }
    job->n_busy++;
    const enum ew_status status = make_inputs(worker, job, err);
    job->n_busy--;
    wk_job_release(worker, job);
    return status;
}

/* ---- the computing thread ---- */

static const double report_every_s = 0.1;

/* A report that somebody may wait for: in emulation tasks end at times of the coordinator's clock.
 * Otherwise what has to leave wakes the other thread by itself, and reports go along, or soon. */
static bool is_report_due(struct wk_worker *worker, double now)
{
    if (!worker->setup.is_emulated && now < worker->reported_s + report_every_s) {
        return false;
    }
    worker->reported_s = now;
    return true;
}

/* Enters and leaves with the mutex. `*clock_s` as of compute(). */
static enum ew_status run_item(struct wk_worker *worker, struct wk_ready item, double *clock_s,
                               struct ew_error *err)
{
    enum ew_status status = EW_OK;
    const bool is_skipped = item.job->is_ended && !item.job->is_wanted;
    if (!is_skipped && item.node == EW_NONE) {
        status = make_inputs(worker, item.job, err);
        *clock_s = 0;
    } else if (!is_skipped) {
        status = compute(worker, item, clock_s, err);
        if (is_report_due(worker, *clock_s)) {
            wk_wake(worker);
        }
    }
    item.job->n_busy--;
    wk_job_release(worker, item.job);
    return status;
}

void *wk_compute_loop(void *argument)
{
    struct wk_worker *worker = argument;
    struct ew_error err = {0};
    double clock_s = 0;
    (void)pthread_mutex_lock(&worker->mutex);
    while (!worker->has_quit && !worker->has_failed) {
        if (!worker->ready.count) {
            if (worker->reports.count) {
                wk_wake(worker);
            }
            worker->is_idle = true;
            (void)pthread_cond_wait(&worker->has_work, &worker->mutex);
            worker->is_idle = false;
            clock_s = 0;
            continue;
        }
        if (run_item(worker, pop_ready(worker), &clock_s, &err) != EW_OK) {
            worker->has_failed = true;
            worker->failure = err;
        }
    }
    (void)pthread_mutex_unlock(&worker->mutex);
    wk_wake(worker);
    return NULL;
}
