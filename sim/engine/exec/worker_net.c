/*
 * What arrives at a worker, and its main loop. Nobody is listened to who has not shown the run's
 * token; no frame is taken whose size its head does not justify.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/system.h"
#include "engine/exec/net.h"
#include "engine/exec/pin.h"
#include "engine/exec/wire_values.h"
#include "engine/exec/worker.h"

enum {
    MAX_GUESTS = EW_MAX_DEVICES + 16,
    WINDOW_BYTES = 6 << 10,
    MAX_UNREAD = 16,           /* times 4 KB of a visitor that is shown out, who may never stop */
    MAX_SETUP_BYTES = 1 << 30, /* from a coordinator with the token only */
};

static const double patience_s = 1;

/* ---- frames of the coordinator ---- */

static enum ew_status set_up(struct wk_worker *worker, const struct ew_frame *frame,
                             struct ew_error *err)
{
    enum ew_status status =
        ew_exec_setup_get(&worker->setup, &worker->arena, frame->payload, frame->n_bytes, err);
    if (status != EW_OK) {
        return status;
    }
    worker->kernels = ew_kernels_find(worker->setup.kernels);
    if (!worker->kernels || !worker->kernels->is_available(worker->kernels)) {
        return ew_fail(err, EW_ENOTSUP, "no kernels '%s' on this machine", worker->setup.kernels);
    }
    worker->lines = calloc(worker->setup.n_devices, sizeof *worker->lines);
    if (!worker->lines) {
        return ew_fail_memory(err);
    }
    for (uint32_t d = 0; d < worker->setup.n_devices; d++) {
        worker->lines[d].conn.fd = -1;
    }
    worker->random_weights.seed = worker->setup.weight_seed;
    worker->weight_source = ew_random_weights_source(&worker->random_weights);
    worker->is_set_up = true;
    if (worker->processor == EW_NONE && worker->setup.processor != EW_NONE &&
        ew_pin_thread(worker->thread, worker->setup.processor)) {
        worker->processor = worker->setup.processor;
    }
    return worker->setup.is_emulated && !worker->setup.has_kernel_links
               ? ew_shaper_open(&worker->shaper, worker->setup.shaper, worker->setup.n_links,
                                worker->setup.n_devices * worker->setup.n_devices, err)
               : EW_OK;
}

static enum ew_status add_program(struct wk_worker *worker, const struct ew_frame *frame,
                                  struct ew_error *err)
{
    struct ew_exec_program *program = NULL;
    struct wk_plan plan;
    enum ew_status status = ew_exec_program_get(&program, frame->payload, frame->n_bytes, err);
    if (status == EW_OK && program->n_devices != worker->setup.n_devices) {
        ew_exec_program_free(program);
        status = ew_fail(err, EW_EINPUT, "program: for %u devices, the setup says %u",
                         program->n_devices, worker->setup.n_devices);
        return status;
    }
    status = status ? status : wk_plan_make(&plan, worker, program, err);
    if (status == EW_OK && !ew_vec_push(&worker->plans, plan)) {
        wk_plan_fini(&plan, worker->kernels);
        status = ew_fail_memory(err);
    }
    return status;
}

/* True when some program lets this device send to `device`. */
static bool sends_to(const struct wk_worker *worker, uint32_t device)
{
    for (size_t k = 0; k < worker->plans.count; k++) {
        const struct ew_exec_program *p = worker->plans.items[k].program;
        for (uint32_t i = 0; i < p->n_nodes; i++) {
            if (p->nodes[i].kind == EW_EXEC_MESSAGE && p->nodes[i].device == worker->setup.device &&
                p->nodes[i].peer == device) {
                return true;
            }
        }
    }
    return false;
}

static enum ew_status refuse_all(uint64_t *limit, void *ctx, const struct ew_frame *head,
                                 struct ew_error *err)
{
    (void)limit;
    (void)ctx;
    return ew_fail(err, EW_EENGINE, "sent a %s frame where none is expected",
                   ew_frame_name(head->type));
}

static enum ew_status open_line(struct wk_worker *worker, uint32_t device, const char *host,
                                const char *port, struct ew_error *err)
{
    struct wk_line *line = &worker->lines[device];
    enum ew_status status = ew_net_connect(&line->conn.fd, host, port, err);
    if (status == EW_OK && worker->setup.has_kernel_links) { /* what waits there has no share yet */
        const int bytes = WINDOW_BYTES;
        (void)setsockopt(line->conn.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    if (status == EW_OK) {
        line->conn.peer = line->label;
        line->conn.limit = refuse_all;
        const struct ew_frame hello = {.type = EW_FRAME_HELLO,
                                       .program = worker->part,
                                       .node = worker->setup.device,
                                       .n_bytes = EW_TOKEN_BYTES,
                                       .payload = worker->token};
        status = ew_conn_send(&line->conn, &hello, err);
    }
    return status;
}

/* "host port name\n" per device; connect to those that get something from here. Who cannot be
 * reached is complained of; then there is nothing to be ready for. */
static enum ew_status open_lines(struct wk_worker *worker, const struct ew_frame *frame,
                                 struct ew_error *err)
{
    const char *at = frame->payload;
    const char *end = at + frame->n_bytes;
    bool is_ready = true;
    for (uint32_t d = 0; d < worker->setup.n_devices; d++) {
        char host[256];
        char port[16];
        const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        const char *space = stop ? memchr(at, ' ', (size_t)(stop - at)) : NULL;
        const char *name = space ? memchr(space + 1, ' ', (size_t)(stop - space - 1)) : NULL;
        if (!name || (size_t)(space - at) >= sizeof host ||
            (size_t)(name - space - 1) >= sizeof port) {
            return ew_fail(err, EW_EENGINE, "sent a malformed list of workers");
        }
        memcpy(host, at, (size_t)(space - at));
        host[space - at] = '\0';
        memcpy(port, space + 1, (size_t)(name - space - 1));
        port[name - space - 1] = '\0';
        (void)snprintf(worker->lines[d].label, WK_LABEL_BYTES, "worker of '%.*s'",
                       (int)(stop - name - 1 < 60 ? stop - name - 1 : 60), name + 1);
        if (d != worker->setup.device && strcmp(host, "-") != 0 && sends_to(worker, d)) {
            const enum ew_status status = open_line(worker, d, host, port, err);
            if (status != EW_OK && status != EW_EIO) {
                return status;
            }
            if (status == EW_EIO) {
                (void)ew_prefix(err, "%s: ", worker->lines[d].label);
                wk_note_loss(worker, d, &worker->lines[d].conn, err, true);
                is_ready = false;
            }
        }
        at = stop + 1;
    }
    const struct ew_frame ready = {.type = EW_FRAME_READY, .node = worker->processor};
    return is_ready ? ew_conn_send(&worker->coordinator->conn, &ready, err) : EW_OK;
}

static enum ew_status send_answer(struct wk_worker *worker, struct wk_job *job,
                                  struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[job->program].program;
    struct ew_str bytes = {0};
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < p->n_outputs && status == EW_OK; i++) {
        struct ew_tensor whole;
        bool is_owned;
        struct ew_tensor exact = {0};
        status = wk_read(&whole, &is_owned, worker, job, p->outputs[i], &p->output_boxes[i], err);
        if (status == EW_OK && !ew_box_equal(&whole.box, &p->output_boxes[i])) {
            (void)pthread_mutex_lock(&worker->mutex);
            status = ew_tensor_get(&exact, &worker->pool, &p->output_boxes[i], err);
            (void)pthread_mutex_unlock(&worker->mutex);
            if (status == EW_OK) {
                ew_tensor_copy(&exact, &whole, &p->output_boxes[i]);
            }
        }
        if (status == EW_OK) {
            ew_str_append_n(&bytes, (const char *)(exact.values ? exact.values : whole.values),
                            ew_box_volume(&p->output_boxes[i]) * sizeof(float));
        }
        (void)pthread_mutex_lock(&worker->mutex);
        ew_tensor_put(&worker->pool, &exact);
        if (is_owned) {
            ew_tensor_put(&worker->pool, &whole);
        }
        (void)pthread_mutex_unlock(&worker->mutex);
    }
    if (status == EW_OK && bytes.failed) {
        status = ew_fail_memory(err);
    }
    const struct ew_frame output = {.type = EW_FRAME_OUTPUT,
                                    .program = job->program,
                                    .job = job->id,
                                    .n_bytes = bytes.length,
                                    .payload = bytes.text};
    status = status ? status : ew_conn_send(&worker->coordinator->conn, &output, err);
    ew_str_fini(&bytes);
    return status;
}

/* Answers that are wanted and complete. */
static enum ew_status send_answers(struct wk_worker *worker, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (;;) {
        struct wk_job *job = NULL;
        (void)pthread_mutex_lock(&worker->mutex);
        for (size_t i = 0; i < worker->jobs.count && !job; i++) {
            struct wk_job *candidate = worker->jobs.items[i];
            if (candidate->is_wanted && candidate->is_answered) {
                candidate->is_wanted = false;
                job = candidate;
            }
        }
        (void)pthread_mutex_unlock(&worker->mutex);
        if (!job) {
            return status;
        }
        status = send_answer(worker, job, err);
        (void)pthread_mutex_lock(&worker->mutex);
        job->n_busy--; /* the request held it */
        wk_job_release(worker, job);
        (void)pthread_mutex_unlock(&worker->mutex);
        if (status != EW_OK) {
            return status;
        }
    }
}

static enum ew_status begin_clock(struct wk_worker *worker, const struct ew_frame *frame,
                                  struct ew_error *err)
{
    double dilation;
    memcpy(&dilation, frame->payload, sizeof dilation);
    if (!(dilation > 0) || !isfinite(dilation) || !isfinite(frame->time_s)) {
        return ew_fail(err, EW_EENGINE, "sent a bad clock");
    }
    worker->epoch_s = frame->time_s;
    worker->dilation = dilation;
    return EW_OK;
}

static enum ew_status on_job_frame(struct wk_worker *worker, const struct ew_frame *frame,
                                   struct ew_error *err)
{
    (void)pthread_mutex_lock(&worker->mutex);
    enum ew_status status = EW_OK;
    if (frame->type == EW_FRAME_SEND) {
        status = wk_line_command(worker, frame, err);
    } else {
        struct wk_job *job = wk_job_get(worker, frame->program, frame->job, err);
        status = job ? EW_OK : err->status;
        if (job && frame->type == EW_FRAME_FETCH) {
            job->is_wanted = true;
            job->n_busy++;
        } else if (job && frame->type == EW_FRAME_JOB) {
            status = wk_job_begin(worker, job, frame->node, err);
        } else if (job && frame->type == EW_FRAME_END_JOB) {
            wk_job_end(worker, job);
        }
    }
    (void)pthread_mutex_unlock(&worker->mutex);
    return status;
}

static enum ew_status on_coordinator(struct wk_worker *worker, const struct ew_frame *frame,
                                     struct ew_error *err)
{
    switch (frame->type) {
    case EW_FRAME_SETUP:
        return set_up(worker, frame, err);
    case EW_FRAME_PROGRAM:
        return add_program(worker, frame, err);
    case EW_FRAME_INPUT:
        return wk_input_keep(worker, frame, err);
    case EW_FRAME_PEERS:
        return open_lines(worker, frame, err);
    case EW_FRAME_CLOCK:
        return begin_clock(worker, frame, err);
    case EW_FRAME_RESET:
        worker->is_reset = true;
        worker->is_stopping = true;
        return EW_OK;
    case EW_FRAME_STOP:
        worker->is_stopping = true;
        return EW_OK;
    case EW_FRAME_PING:
        return ew_conn_send(&worker->coordinator->conn,
                            &(struct ew_frame){.type = EW_FRAME_PONG, .job = frame->job}, err);
    default:
        return on_job_frame(worker, frame, err);
    }
}

/* ---- frames of other workers ---- */

static enum ew_status take_data(struct wk_worker *worker, const struct ew_frame *frame,
                                struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[frame->program].program;
    const struct ew_exec_node *node = &p->nodes[frame->node];
    (void)pthread_mutex_lock(&worker->mutex);
    struct wk_job *job = wk_job_get(worker, frame->program, frame->job, err);
    enum ew_status status = job ? EW_OK : err->status;
    const char *from = frame->payload;
    for (uint32_t i = 0; i < node->count && status == EW_OK; i++) {
        const struct ew_box *box = &p->boxes[node->first + i];
        struct ew_tensor tensor;
        status = ew_tensor_get(&tensor, &worker->pool, box, err);
        if (status == EW_OK) {
            ew_wire_decode(tensor.values, from, ew_box_volume(box), node->wire_bits);
            from += ew_wire_bytes(ew_box_volume(box), node->wire_bits);
            status = ew_store_put_take(&job->store, &worker->pool, node->slot, &tensor, err);
        }
    }
    if (status == EW_OK) {
        status = wk_complete(worker, job, frame->node, err);
    }
    (void)pthread_mutex_unlock(&worker->mutex);
    return status;
}

/* The size that a message's head must announce. */
static uint64_t data_bytes(const struct ew_exec_program *p, const struct ew_exec_node *node)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        n += ew_wire_bytes(ew_box_volume(&p->boxes[node->first + i]), node->wire_bits);
    }
    return n;
}

static enum ew_status on_worker(struct wk_worker *worker, const struct ew_frame *frame,
                                struct ew_error *err)
{
    if (frame->type == EW_FRAME_DATA) {
        return take_data(worker, frame, err);
    }
    struct ew_frame arrived = *frame;
    if (worker->setup.has_kernel_links) { /* its sender cannot know */
        arrived.time_s = wk_now_s(worker);
    }
    return ew_conn_send(&worker->coordinator->conn, &arrived, err);
}

/* ---- who may say what ---- */

static enum ew_status limit_coordinator(uint64_t *limit, struct wk_worker *worker,
                                        const struct ew_frame *head, struct ew_error *err)
{
    const bool has_program = worker->is_set_up && head->program < worker->plans.count;
    switch (head->type) {
    case EW_FRAME_SETUP:
        *limit = MAX_SETUP_BYTES;
        return worker->is_set_up ? refuse_all(limit, NULL, head, err) : EW_OK;
    case EW_FRAME_PROGRAM:
    case EW_FRAME_PEERS:
        *limit = MAX_SETUP_BYTES;
        return worker->is_set_up ? EW_OK : refuse_all(limit, NULL, head, err);
    case EW_FRAME_INPUT:
        return has_program ? wk_input_bytes(limit, worker, head, err)
                           : refuse_all(limit, NULL, head, err);
    case EW_FRAME_CLOCK:
        *limit = sizeof(double);
        return head->n_bytes == sizeof(double) ? EW_OK : refuse_all(limit, NULL, head, err);
    case EW_FRAME_JOB:
    case EW_FRAME_SEND:
    case EW_FRAME_FETCH:
    case EW_FRAME_END_JOB:
        *limit = 0;
        return has_program ? EW_OK : refuse_all(limit, NULL, head, err);
    case EW_FRAME_STOP:
    case EW_FRAME_RESET:
    case EW_FRAME_PING:
        *limit = 0;
        return EW_OK;
    default:
        return refuse_all(limit, NULL, head, err);
    }
}

static enum ew_status limit_worker(uint64_t *limit, struct wk_worker *worker, uint32_t device,
                                   const struct ew_frame *head, struct ew_error *err)
{
    const bool is_ours = head->type == EW_FRAME_DATA || head->type == EW_FRAME_ARRIVED;
    if (!is_ours || !worker->coordinator || head->program >= worker->plans.count) {
        return refuse_all(limit, NULL, head, err);
    }
    const struct ew_exec_program *p = worker->plans.items[head->program].program;
    if (head->node >= p->n_nodes || p->nodes[head->node].kind != EW_EXEC_MESSAGE ||
        p->nodes[head->node].peer != worker->setup.device ||
        p->nodes[head->node].device != device) {
        return ew_fail(err, EW_EENGINE, "sent message %u, which is not from it to me", head->node);
    }
    *limit = head->type == EW_FRAME_DATA ? data_bytes(p, &p->nodes[head->node]) : sizeof(double);
    return head->n_bytes == *limit
               ? EW_OK
               : ew_fail(err, EW_EENGINE, "sent message %u with %llu bytes, expected %llu",
                         head->node, (unsigned long long)head->n_bytes, (unsigned long long)*limit);
}

/* A worker that still speaks of what was before another one was lost. */
static bool is_outdated(const struct wk_guest *guest)
{
    const struct wk_worker *worker = guest->worker;
    return guest->device != EW_NONE && (!worker->coordinator || guest->part != worker->part);
}

static enum ew_status limit_guest(uint64_t *limit, void *ctx, const struct ew_frame *head,
                                  struct ew_error *err)
{
    struct wk_guest *guest = ctx;
    if (!guest->is_known) {
        *limit = EW_TOKEN_BYTES;
        return head->type == EW_FRAME_HELLO && head->n_bytes == EW_TOKEN_BYTES
                   ? EW_OK
                   : refuse_all(limit, NULL, head, err);
    }
    if (is_outdated(guest)) {
        return refuse_all(limit, NULL, head, err);
    }
    return guest->device == EW_NONE ? limit_coordinator(limit, guest->worker, head, err)
                                    : limit_worker(limit, guest->worker, guest->device, head, err);
}

/* Compare in constant time. */
static bool is_token(const char *a, const char *b)
{
    unsigned char difference = 0;
    for (int i = 0; i < EW_TOKEN_BYTES; i++) {
        difference = (unsigned char)(difference | (a[i] ^ b[i]));
    }
    return difference == 0;
}

/* For whoever has started this worker. */
static void remark(const struct wk_guest *guest, const char *text)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[64] = "?";
    if (guest->worker->is_by_hand) {
        if (getpeername(guest->conn.fd, (struct sockaddr *)&address, &size) == 0) {
            (void)getnameinfo((struct sockaddr *)&address, size, host, sizeof host, NULL, 0,
                              NI_NUMERICHOST);
        }
        (void)fprintf(stderr, "edgeweave-worker: %s: %s\n", host, text);
    }
}

static enum ew_status greet(struct wk_guest *guest, const struct ew_frame *frame,
                            struct ew_error *err)
{
    struct wk_worker *worker = guest->worker;
    if (!is_token(frame->payload, worker->token)) {
        guest->refusal = frame->node == EW_NONE ? "refuses the token; its own is another" : NULL;
        return ew_fail(err, EW_EENGINE, "its token is another");
    }
    if (frame->node == EW_NONE && worker->coordinator) {
        guest->refusal = "is serving another run";
        return ew_fail(err, EW_EENGINE, "another run is under way");
    }
    guest->is_known = true;
    guest->device = frame->node;
    guest->part = frame->program;
    const bool is_named = worker->is_set_up && frame->node < worker->setup.n_devices &&
                          *worker->lines[frame->node].label;
    (void)snprintf(guest->label, sizeof guest->label, "%s",
                   frame->node == EW_NONE ? "the coordinator"
                   : is_named             ? worker->lines[frame->node].label
                                          : "another worker");
    guest->conn.peer = guest->label;
    if (frame->node == EW_NONE) {
        ew_net_watch(guest->conn.fd);
        worker->coordinator = guest;
        worker->part = frame->program;
        remark(guest, "a run begins");
    }
    return EW_OK;
}

static enum ew_status on_guest(void *ctx, const struct ew_frame *frame, struct ew_error *err)
{
    struct wk_guest *guest = ctx;
    if (!guest->is_known || guest->device != EW_NONE) {
        return guest->is_known ? on_worker(guest->worker, frame, err) : greet(guest, frame, err);
    }
    const enum ew_status status = on_coordinator(guest->worker, frame, err);
    return status == EW_EIO ? EW_EINPUT
                            : status; /* of a file or a worker, not of the coordinator */
}

/* ---- the loop ---- */

static void drop_guest(struct wk_worker *worker, size_t i)
{
    struct wk_guest *guest = worker->guests.items[i];
    ew_conn_fini(&guest->conn);
    free(guest);
    worker->guests.items[i] = worker->guests.items[--worker->guests.count];
}

static bool has_other_version(const struct wk_guest *guest)
{
    uint16_t version;
    memcpy(&version, guest->conn.head + 4, sizeof version);
    return guest->conn.n_head == EW_FRAME_HEAD_BYTES && memcmp(guest->conn.head, "EWX1", 4) == 0 &&
           version != EW_FRAME_VERSION;
}

/* A coordinator that is not let in is told why; one of another version sees that at the answer's
 * head. What it has sent already is read, else the connection would be reset. */
static void show_out(struct wk_guest *guest, const struct ew_error *why)
{
    char unread[4096];
    if (why->status != EW_EENGINE) {
        return;
    }
    remark(guest, why->message);
    if (has_other_version(guest)) {
        guest->refusal = "is of another version";
    }
    if (guest->refusal) {
        struct ew_error ignored = {0};
        const struct ew_frame frame = {.type = EW_FRAME_ERROR,
                                       .node = EW_NONE,
                                       .n_bytes = strlen(guest->refusal),
                                       .payload = guest->refusal};
        (void)ew_conn_send(&guest->conn, &frame, &ignored);
        (void)shutdown(guest->conn.fd, SHUT_WR);
        for (int i = 0; i < MAX_UNREAD && recv(guest->conn.fd, unread, sizeof unread, 0) > 0; i++) {
        }
    }
}

/* Make room: visitors who have not said who they are must not keep partners out. */
static void drop_stranger(struct wk_worker *worker)
{
    for (size_t i = 0; i < worker->guests.count; i++) {
        if (!worker->guests.items[i]->is_known) {
            drop_guest(worker, i);
            return;
        }
    }
}

static enum ew_status accept_guest(struct wk_worker *worker, struct ew_error *err)
{
    const int fd = accept(worker->listen_fd, NULL, NULL);
    if (fd < 0) {
        return EW_OK; /* it has gone again */
    }
    if (worker->guests.count == MAX_GUESTS) {
        drop_stranger(worker);
    }
    struct wk_guest *guest = worker->guests.count < MAX_GUESTS ? calloc(1, sizeof *guest) : NULL;
    if (!guest || !ew_vec_push(&worker->guests, guest)) {
        free(guest);
        (void)close(fd);
        return worker->guests.count < MAX_GUESTS ? ew_fail_memory(err) : EW_OK;
    }
    ew_net_tune(fd);
    guest->worker = worker;
    guest->conn = (struct ew_conn){
        .fd = fd, .peer = "a visitor", .limit = limit_guest, .receive = on_guest, .ctx = guest};
    return EW_OK;
}

/* Whoever is not part of the run is only shown out; of a partner that fails the coordinator hears.
 */
static enum ew_status serve_guest(struct wk_worker *worker, size_t i, short events,
                                  struct ew_error *err)
{
    struct wk_guest *guest = worker->guests.items[i];
    enum ew_status status = EW_OK;
    struct ew_error own = {0};
    if (events & POLLOUT) {
        status = ew_conn_flush(&guest->conn, &own);
    }
    if (status == EW_OK && (events & (POLLIN | POLLHUP | POLLERR))) {
        status = ew_conn_read(&guest->conn, &own);
    }
    if (status == EW_OK || worker->is_stopping) {
        return EW_OK;
    }
    if (!guest->is_known || is_outdated(guest)) {
        if (!guest->is_known) {
            show_out(guest, &own);
        }
        drop_guest(worker, i);
        return EW_OK;
    }
    if ((status == EW_EIO || status == EW_EENGINE) && guest->device != EW_NONE) {
        wk_note_loss(worker, guest->device, &guest->conn, &own, status == EW_EENGINE);
        return EW_OK;
    }
    return ew_fail(err, status, "%s", own.message);
}

static enum ew_status send_reports(struct wk_worker *worker, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    (void)pthread_mutex_lock(&worker->mutex);
    struct wk_report *reports = worker->reports.items;
    const size_t n = worker->reports.count;
    worker->reports.items = NULL;
    worker->reports.count = worker->reports.capacity = 0;
    if (worker->has_failed) {
        status = ew_fail(err, worker->failure.status, "%s", worker->failure.message);
    }
    (void)pthread_mutex_unlock(&worker->mutex);
    for (size_t i = 0; i < n && status == EW_OK; i++) {
        const struct ew_frame done = {.type = EW_FRAME_DONE,
                                      .node = reports[i].done.node,
                                      .job = reports[i].job,
                                      .time_s = reports[i].done.took_s};
        status = ew_conn_queue(&worker->coordinator->conn, &done, err);
    }
    free(reports);
    return status || !n ? status : ew_conn_flush(&worker->coordinator->conn, err);
}

struct poll_list {
    struct pollfd *fds;
    size_t n;
    size_t capacity;
};

static bool add_poll(struct poll_list *list, int fd, bool wants_write)
{
    if (!ew_vec_grow((void **)&list->fds, &list->capacity, list->n + 1, sizeof *list->fds)) {
        return false;
    }
    list->fds[list->n++] =
        (struct pollfd){.fd = fd, .events = (short)(POLLIN | (wants_write ? POLLOUT : 0))};
    return true;
}

/* Listener, pipe, guests, lines, in this order. */
static bool fill_polls(struct poll_list *list, const struct wk_worker *worker)
{
    list->n = 0;
    bool is_ok =
        add_poll(list, worker->listen_fd, false) && add_poll(list, worker->wake_fds[0], false);
    for (size_t i = 0; i < worker->guests.count && is_ok; i++) {
        const struct ew_conn *conn = &worker->guests.items[i]->conn;
        is_ok = add_poll(list, conn->fd, ew_conn_is_waiting(conn));
    }
    for (uint32_t d = 0; worker->lines && d < worker->setup.n_devices && is_ok; d++) {
        const struct ew_conn *conn = &worker->lines[d].conn;
        is_ok = add_poll(list, conn->fd, ew_conn_is_waiting(conn)); /* fd -1 is skipped */
    }
    return is_ok;
}

static enum ew_status serve_polls(struct wk_worker *worker, const struct poll_list *list,
                                  struct ew_error *err)
{
    enum ew_status status = EW_OK;
    const size_t n_guests = worker->guests.count;
    if (list->fds[1].revents) {
        char bytes[256];
        (void)!read(worker->wake_fds[0], bytes, sizeof bytes);
        atomic_store(&worker->is_woken, false); /* what comes from now on wakes again */
    }
    for (uint32_t d = 0; worker->lines && d < worker->setup.n_devices && status == EW_OK; d++) {
        const size_t at = 2 + n_guests + d;
        if (at < list->n && list->fds[at].revents && worker->lines[d].conn.fd >= 0) {
            struct ew_conn *conn = &worker->lines[d].conn;
            struct ew_error own = {0};
            status = list->fds[at].revents & POLLOUT ? ew_conn_flush(conn, &own)
                                                     : ew_conn_read(conn, &own);
            if (status == EW_EIO || status == EW_EENGINE) {
                wk_note_loss(worker, d, conn, &own, status == EW_EENGINE);
                status = EW_OK;
            } else if (status != EW_OK) {
                *err = own;
            }
        }
    }
    for (size_t i = n_guests; i-- > 0 && status == EW_OK;) { /* from behind: guests may go */
        if (list->fds[2 + i].revents) {
            status = serve_guest(worker, i, list->fds[2 + i].revents, err);
        }
    }
    if (status == EW_OK && list->fds[0].revents &&
        !worker->is_stopping) { /* else for the next run */
        status = accept_guest(worker, err);
    }
    return status;
}

/* Tell the coordinator of another worker that is gone or talks nonsense; it decides what follows.
 */
static enum ew_status complain(struct wk_worker *worker, struct ew_error *err)
{
    const bool is_time = worker->loss.status != EW_OK && ew_now_s() - worker->lost_s > patience_s;
    if (!is_time || !worker->coordinator) {
        return EW_OK;
    }
    worker->loss.status = EW_OK;
    const struct ew_frame complaint = {.type = EW_FRAME_ERROR,
                                       .node = worker->lost,
                                       .n_bytes = strlen(worker->loss.message),
                                       .payload = worker->loss.message};
    return ew_conn_send(&worker->coordinator->conn, &complaint, err);
}

static enum ew_status step(struct wk_worker *worker, struct poll_list *list, struct ew_error *err)
{
    double next_s = INFINITY;
    enum ew_status status = wk_lines_pump(worker, &next_s, err);
    status = status ? status : complain(worker, err);
    if (status == EW_OK && !worker->coordinator && ew_now_s() > worker->give_up_s) {
        status = ew_fail(err, EW_EENGINE, "no coordinator came back");
    }
    if (status == EW_OK && worker->coordinator) {
        status = send_reports(worker, err);
        status = status ? status : send_answers(worker, err);
    }
    if (status != EW_OK) {
        return status;
    }
    if (!fill_polls(list, worker)) {
        return ew_fail_memory(err);
    }
    int wait_ms = worker->loss.status != EW_OK                      ? 100
                  : worker->coordinator || isinf(worker->give_up_s) ? -1
                                                                    : 1000;
    if (next_s <
        INFINITY) { /* down to a millisecond: the last bit is waited for busily, in ppoll's stead */
        const double left_s = (next_s - wk_now_s(worker)) * worker->dilation;
        wait_ms = left_s > 0 ? (int)(left_s * 1e3) : 0;
        if (wait_ms == 0 && left_s > 60e-6) {
            const struct timespec pause = {0, (long)((left_s - 50e-6) * 1e9)};
            (void)nanosleep(&pause, NULL);
        }
    }
    if (poll(list->fds, (nfds_t)list->n, wait_ms) < 0) {
        return errno == EINTR ? EW_OK : ew_fail(err, EW_EIO, "poll: %s", strerror(errno));
    }
    return serve_polls(worker, list, err);
}

enum ew_status wk_serve(struct wk_worker *worker, struct ew_error *err)
{
    struct poll_list list = {0};
    enum ew_status status = EW_OK;
    while (status == EW_OK && !worker->is_stopping) {
        status = step(worker, &list, err);
    }
    if (worker->coordinator && worker->coordinator->conn.fd >= 0) {
        const struct ew_frame last = {.type = status ? EW_FRAME_ERROR : EW_FRAME_BYE,
                                      .node = EW_NONE,
                                      .n_bytes = status ? strlen(err->message) : 0,
                                      .payload = err->message};
        struct ew_error ignored = {0};
        (void)fcntl(worker->coordinator->conn.fd, F_SETFL, 0); /* blocking: it must get out */
        (void)ew_conn_send(&worker->coordinator->conn, &last, &ignored);
    }
    free(list.fds);
    return status;
}
