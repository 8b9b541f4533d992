/*
 * What leaves a worker: messages to other devices, one at a time per receiver, paced by the shared
 * clocks of the links when the network is emulated.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/system.h"
#include "engine/exec/wire_values.h"
#include "engine/exec/worker.h"

/* Bytes are put on the wire this often in real time. */
static const double write_s = 0.5e-3;

double wk_now_s(const struct wk_worker *worker)
{
    return (ew_now_s() - worker->epoch_s) / worker->dilation;
}

void wk_note_loss(struct wk_worker *worker, uint32_t device, struct ew_conn *conn,
                  const struct ew_error *why, bool is_sure)
{
    if (conn->fd >= 0) {
        (void)close(conn->fd);
        conn->fd = -1;
    }
    if (worker->loss.status == EW_OK || is_sure) {
        worker->loss = *why;
        worker->lost = device;
        worker->lost_s = is_sure ? -INFINITY : ew_now_s();
    }
}

static bool is_shaped(const struct wk_worker *worker)
{
    return worker->setup.is_emulated && !worker->setup.has_kernel_links;
}

static uint32_t flow_of(const struct wk_worker *worker, const struct wk_line *line)
{
    return worker->setup.device * worker->setup.n_devices + (uint32_t)(line - worker->lines);
}

/* The modelled message begins, whether its data are here yet or not. */
static void begin_flow(const struct wk_worker *worker, const struct wk_line *line,
                       struct wk_send *send)
{
    const struct ew_exec_program *p = worker->plans.items[send->job->program].program;
    const struct ew_exec_route *route = &worker->setup.routes[line - worker->lines];
    const struct ew_exec_flow_begin begin = {.flow = route->flow,
                                             .start_s = send->start_s + route->latency_s,
                                             .bytes = (double)p->nodes[send->node].bytes,
                                             .n_route = route->n_links,
                                             .route = route->links};
    send->late_s = worker->dilation * ew_shaper_begin(worker->shaper, worker->setup.links,
                                                      flow_of(worker, line), &begin);
    send->is_flowing = true;
}

enum ew_status wk_line_command(struct wk_worker *worker, const struct ew_frame *frame,
                               struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[frame->program].program;
    if (frame->node >= p->n_nodes || p->nodes[frame->node].kind != EW_EXEC_MESSAGE ||
        p->nodes[frame->node].device != worker->setup.device) {
        return ew_fail(err, EW_EENGINE, "asked to send node %u, which is no message of mine",
                       frame->node);
    }
    struct wk_line *line = &worker->lines[p->nodes[frame->node].peer];
    struct wk_job *job = wk_job_get(worker, frame->program, frame->job, err);
    if (!job) {
        return err->status;
    }
    struct wk_send send = {.job = job, .node = frame->node, .start_s = frame->time_s};
    if (is_shaped(worker) && !line->is_sending &&
        !line->waiting.count) { /* at once: see shaper.h */
        begin_flow(worker, line, &send);
    }
    if (!ew_vec_push(&line->waiting, send)) {
        return ew_fail_memory(err);
    }
    job->n_busy++;
    job->waits[frame->node]--; /* the coordinator's word; data may still be missing */
    return EW_OK;
}

/* Put the DATA frame of a message together. */
static enum ew_status encode(struct wk_line *line, struct wk_worker *worker, struct ew_error *err)
{
    const struct wk_send *send = &line->send;
    const struct ew_exec_program *p = worker->plans.items[send->job->program].program;
    const struct ew_exec_node *node = &p->nodes[send->node];
    uint64_t n_payload = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        n_payload += ew_wire_bytes(ew_box_volume(&p->boxes[node->first + i]), node->wire_bits);
    }
    line->n_bytes = EW_FRAME_HEAD_BYTES + n_payload;
    line->bytes = malloc(line->n_bytes);
    if (!line->bytes) {
        return ew_fail_memory(err);
    }
    char *to = line->bytes + EW_FRAME_HEAD_BYTES;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct ew_box *box = &p->boxes[node->first + i];
        struct ew_tensor held;
        bool is_owned;
        const enum ew_status status =
            wk_read(&held, &is_owned, worker, send->job, node->slot, box, err);
        if (status != EW_OK) {
            return status;
        }
        struct ew_tensor part = held;
        if (!ew_box_equal(&held.box, box)) { /* borrowed and larger: cut it out */
            (void)pthread_mutex_lock(&worker->mutex);
            const enum ew_status got = ew_tensor_get(&part, &worker->pool, box, err);
            (void)pthread_mutex_unlock(&worker->mutex);
            if (got != EW_OK) {
                return got;
            }
            ew_tensor_copy(&part, &held, box);
            is_owned = true;
        }
        ew_wire_encode(to, part.values, ew_box_volume(box), node->wire_bits);
        to += ew_wire_bytes(ew_box_volume(box), node->wire_bits);
        if (is_owned) {
            (void)pthread_mutex_lock(&worker->mutex);
            ew_tensor_put(&worker->pool, &part);
            (void)pthread_mutex_unlock(&worker->mutex);
        }
    }
    const struct ew_frame frame = {.type = EW_FRAME_DATA,
                                   .program = send->job->program,
                                   .node = send->node,
                                   .job = send->job->id,
                                   .n_bytes = n_payload,
                                   .payload = line->bytes + EW_FRAME_HEAD_BYTES};
    ew_frame_put_head(line->bytes, &frame);
    return EW_OK;
}

static const struct ew_exec_node *sent_node(const struct wk_worker *worker,
                                            const struct wk_line *line)
{
    return &worker->plans.items[line->send.job->program].program->nodes[line->send.node];
}

static enum ew_status queue_until(struct wk_line *line, uint64_t end, struct ew_error *err)
{
    const uint64_t n = end > line->n_queued ? end - line->n_queued : 0;
    const enum ew_status status =
        n ? ew_conn_put(&line->conn, line->bytes + line->n_queued, n, err) : EW_OK;
    line->n_queued += n;
    return status;
}

static enum ew_status end_send(struct wk_worker *worker, struct wk_line *line, struct ew_error *err)
{
    const struct wk_send send = line->send;
    const uint32_t slot = sent_node(worker, line)->slot;
    enum ew_status status = queue_until(line, line->n_bytes, err);
    const struct ew_frame arrived = {.type = EW_FRAME_ARRIVED,
                                     .program = send.job->program,
                                     .node = send.node,
                                     .job = send.job->id,
                                     .time_s = line->end_s,
                                     .n_bytes = sizeof send.late_s,
                                     .payload = (const char *)&send.late_s};
    status = status ? status : ew_conn_send(&line->conn, &arrived, err);
    free(line->bytes);
    line->bytes = NULL;
    line->is_sending = false;
    (void)pthread_mutex_lock(&worker->mutex);
    ew_store_drop_reader(&send.job->store, &worker->pool, slot);
    send.job->n_busy--;
    wk_job_release(worker, send.job);
    (void)pthread_mutex_unlock(&worker->mutex);
    return status;
}

/* Begin the first waiting message whose data are here: the coordinator sends them in order. */
static enum ew_status begin_send(struct wk_worker *worker, struct wk_line *line,
                                 struct ew_error *err)
{
    const struct wk_send send = line->waiting.items[0];
    (void)pthread_mutex_lock(&worker->mutex);
    const bool is_ready = send.job->waits[send.node] == 0;
    (void)pthread_mutex_unlock(&worker->mutex);
    if (!is_ready) {
        return EW_OK;
    }
    line->waiting.count--;
    memmove(line->waiting.items, line->waiting.items + 1,
            line->waiting.count * sizeof *line->waiting.items);
    line->send = send;
    line->is_sending = true;
    line->n_queued = 0;
    if (is_shaped(worker) && !send.is_flowing) {
        begin_flow(worker, line, &line->send);
    }
    line->end_s = line->next_s =
        worker->setup.is_emulated
            ? send.start_s + worker->setup.routes[sent_node(worker, line)->peer].latency_s
            : 0;
    return encode(line, worker, err);
}

/* Put on the wire what is through by now. */
static enum ew_status step_line(struct wk_worker *worker, struct wk_line *line, double now_s,
                                struct ew_error *err)
{
    if (!is_shaped(worker)) {
        return end_send(worker, line, err);
    }
    const struct ew_exec_progress progress =
        ew_shaper_progress(worker->shaper, worker->setup.links, flow_of(worker, line), now_s);
    if (progress.is_over) {
        line->end_s = progress.end_s;
        return end_send(worker, line, err);
    }
    const double part = progress.bytes / (double)sent_node(worker, line)->bytes;
    line->next_s = fmin(now_s + write_s / fmax(1, worker->dilation), progress.soon_s);
    return queue_until(line, (uint64_t)((double)line->n_bytes * part), err);
}

/* A lost connection ends its line, anything else ends the worker. */
static enum ew_status judge_line(struct wk_worker *worker, struct wk_line *line,
                                 enum ew_status status, const struct ew_error *own,
                                 struct ew_error *err)
{
    if (status == EW_EIO) {
        wk_note_loss(worker, (uint32_t)(line - worker->lines), &line->conn, own, false);
        return EW_OK;
    }
    if (status != EW_OK) {
        *err = *own;
    }
    return status;
}

static enum ew_status begin_sends(struct wk_worker *worker, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t d = 0; d < worker->setup.n_devices && status == EW_OK; d++) {
        struct wk_line *line = &worker->lines[d];
        if (line->conn.fd >= 0 && !line->is_sending && line->waiting.count) {
            struct ew_error own = {0};
            status = judge_line(worker, line, begin_send(worker, line, &own), &own, err);
        }
    }
    return status;
}

/* What is due first; NULL when nothing is sending. */
static struct wk_line *first_due(const struct wk_worker *worker)
{
    struct wk_line *first = NULL;
    for (uint32_t d = 0; d < worker->setup.n_devices; d++) {
        struct wk_line *line = &worker->lines[d];
        if (line->conn.fd >= 0 && line->is_sending && (!first || line->next_s < first->next_s)) {
            first = line;
        }
    }
    return first;
}

enum ew_status wk_lines_pump(struct wk_worker *worker, double *next_s, struct ew_error *err)
{
    enum ew_status status = worker->lines ? begin_sends(worker, err) : EW_OK;
    while (worker->lines && status == EW_OK) {
        struct wk_line *line = first_due(worker);
        const double now_s = wk_now_s(worker);
        if (!line) {
            return EW_OK;
        }
        if (worker->setup.is_emulated && now_s < line->next_s) {
            *next_s = fmin(*next_s, line->next_s);
            return EW_OK;
        }
        struct ew_error own = {0};
        status = judge_line(worker, line, step_line(worker, line, now_s, &own), &own, err);
        status = status ? status : begin_sends(worker, err);
    }
    return status;
}
