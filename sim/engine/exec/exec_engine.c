/*
 * The coordinator of a real execution. The job machine says what starts; a heap holds when each
 * thing that started can end at the earliest. The first of it is handled once it is known to have
 * really happened and its time has come: no event is handled before an earlier one that is still
 * under way, however late its report arrives.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/system.h"
#include "engine/exec/exec_internal.h"

/* A message whose arrival has not been reported this long after a moment has not arrived before it.
 * Contention makes messages end later than the bound in the heap, and others must not wait. */
static const double report_s = 1e-3;

/* The clock is set back when an event is handled later than this; time is stretched when that has
 * cost more than this share of the run. */
static const double tolerated_lag_s = 3e-3;
static const double tolerated_slip_ratio = 0.2;
static const double stretch = 1.2;

static const double most_dilation = 64;

/* Callbacks of the core cannot fail; the loop looks at this. */
static void note_failure(struct exec *exec, enum ew_status status)
{
    if (status != EW_OK && exec->status == EW_OK) {
        exec->status = status;
    }
}

static struct job *find_job(const struct exec *exec, uint64_t id)
{
    for (size_t i = exec->jobs.count; i-- > 0;) {
        if (exec->jobs.items[i]->id == id) {
            return exec->jobs.items[i];
        }
    }
    return NULL;
}

/* ---- jobs ---- */

/* To everybody, together with whatever else the present events make them do. */
static enum ew_status post_all(struct exec *exec, const struct ew_frame *frame)
{
    enum ew_status status = EW_OK;
    for (uint32_t d = 0; d < exec->n_devices && status == EW_OK; d++) {
        status = crew_post(&exec->crew, d, frame, &exec->err);
    }
    return status;
}

static enum ew_status begin_job(struct exec *exec, const struct ew_event *event)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job || !ew_vec_push(&exec->jobs, job)) {
        free(job);
        return ew_fail_memory(&exec->err);
    }
    job->id = event->job;
    job->workload = event->workload;
    job->program = exec_program_of(exec, event->workload, event->plan);
    job->first_image = event->request * exec_images_per_request(exec, event->workload);
    const uint32_t n = exec->programs[job->program]->n_nodes;
    job->took_s = malloc((n + 1u) * sizeof *job->took_s);
    if (!job->took_s) {
        return ew_fail_memory(&exec->err);
    }
    for (uint32_t i = 0; i < n; i++) {
        job->took_s[i] = -1;
    }
    const struct ew_exec_inputs *inputs = exec->options->inputs;
    const struct ew_frame frame = {.type = EW_FRAME_JOB,
                                   .program = job->program,
                                   .job = job->id,
                                   .node = inputs ? (uint32_t)(job->first_image % inputs->n_images)
                                                  : EW_NONE};
    return post_all(exec, &frame);
}

/* `is_told`: workers forget it, too; they do anyway when they begin a new part. */
static enum ew_status end_job(struct exec *exec, uint64_t id, bool is_told)
{
    for (size_t i = 0; i < exec->jobs.count; i++) {
        struct job *job = exec->jobs.items[i];
        if (job->id == id) {
            const struct ew_frame frame = {
                .type = EW_FRAME_END_JOB, .program = job->program, .job = job->id};
            exec->jobs.items[i] = exec->jobs.items[--exec->jobs.count];
            free(job->took_s);
            free(job);
            return is_told ? post_all(exec, &frame) : EW_OK;
        }
    }
    return EW_OK;
}

static enum ew_status fetch_answer(struct exec *exec, uint64_t id)
{
    const struct job *job = find_job(exec, id);
    if (!job) {
        return EW_OK;
    }
    const struct ew_frame frame = {.type = EW_FRAME_FETCH, .program = job->program, .job = job->id};
    const struct owed owed = {id, job->first_image, job->program, job->workload};
    if (!ew_vec_push(&exec->owed, owed)) {
        return ew_fail_memory(&exec->err);
    }
    return crew_post(&exec->crew, exec->programs[job->program]->sink_device, &frame, &exec->err);
}

/* The core's events pass through here on their way to the caller's sink. */
static void watch_event(void *ctx, const struct ew_event *event)
{
    struct exec *exec = ctx;
    switch (event->kind) {
    case EW_EVENT_JOB_START:
        note_failure(exec, begin_job(exec, event));
        break;
    case EW_EVENT_JOB_END:
        note_failure(exec, end_job(exec, event->job, true));
        break;
    case EW_EVENT_JOB_FAILED:
        note_failure(exec, end_job(exec, event->job, false));
        break;
    case EW_EVENT_REQUEST_DONE:
    case EW_EVENT_REQUEST_LATE:
        if (event->job != exec->answered_job) { /* once for all its requests */
            exec->answered_job = event->job;
            note_failure(exec, fetch_answer(exec, event->job));
        }
        break;
    case EW_EVENT_TASK_START:
    case EW_EVENT_TRANSFER_START:
        exec->last = *event;
        break;
    default:
        break;
    }
    exec->run->sink.emit(exec->run->sink.ctx, event);
}

/* ---- what starts ---- */

static struct running *begin_running(struct exec *exec, uint32_t id, double start_s)
{
    struct running *r = &exec->running[id];
    *r = (struct running){.job = exec->last.job, .node = exec->last.node, .start_s = start_s};
    const struct job *job = find_job(exec, r->job);
    r->program = job ? job->program : 0;
    return r;
}

static void start_task(void *ctx, uint32_t device, double work_s, double start_s)
{
    struct exec *exec = ctx;
    struct running *r = begin_running(exec, device, start_s);
    const struct job *job = find_job(exec, r->job);
    const uint32_t kind = job ? exec->programs[r->program]->nodes[r->node].kind : EW_EXEC_NOTHING;
    const bool has_data = kind == EW_EXEC_COMPUTE || kind == EW_EXEC_SUM;
    double took_s = work_s;
    r->is_confirmed = !has_data || job->took_s[r->node] >= 0;
    if (has_data && !exec->options->is_emulated) {
        took_s = r->is_confirmed ? (double)job->took_s[r->node] : 0;
    }
    ew_heap_set(&exec->heap, device, start_s + took_s);
}

static void start_send(void *ctx, uint32_t device, double overhead_s, double start_s)
{
    struct exec *exec = ctx;
    const uint32_t id = exec->n_devices + device;
    exec->running[id].is_confirmed = true;
    ew_heap_set(&exec->heap, id, start_s + (exec->options->is_emulated ? overhead_s : 0));
}

static void start_transfer(void *ctx, uint32_t connection, uint64_t bytes, double extra_s,
                           double start_s)
{
    struct exec *exec = ctx;
    (void)extra_s; /* of a changing world, which is refused */
    const struct ew_connection c = ew_core_connection(exec->core, connection);
    const struct ew_route *route = ew_platform_route(exec->run->platform, c.from, c.to);
    const uint32_t id = exec->first_connection + connection;
    struct running *r = begin_running(exec, id, start_s);
    r->begun_s = ew_now_s();
    double least_s = start_s;
    if (exec->options->is_emulated) {
        least_s +=
            route->latency_s * exec->run->net->latency_factor +
            (double)bytes / (route->bottleneck_bytes_per_s * exec->run->net->bandwidth_factor);
        least_s -= 1e-9 * (least_s - start_s); /* sums of chunks round differently */
        ew_core_transfer_flow(exec->core, connection,
                              start_s + route->latency_s * exec->run->net->latency_factor);
    } else {
        ew_core_transfer_flow(exec->core, connection, start_s);
    }
    ew_heap_set(&exec->heap, id, least_s);
    if (exec->shaper) {
        exec_link_message(exec, connection, bytes, start_s);
    }
    const struct ew_frame frame = {.type = EW_FRAME_SEND,
                                   .program = r->program,
                                   .node = r->node,
                                   .job = r->job,
                                   .time_s = start_s};
    note_failure(exec, crew_send(&exec->crew, c.from, &frame, &exec->err));
}

static void schedule_timer(void *ctx, uint32_t timer, double time_s)
{
    struct exec *exec = ctx;
    const uint32_t id = exec->timer + 1 + timer;
    exec->running[id].is_confirmed = true;
    ew_heap_set(&exec->heap, id, time_s);
}

/* Speeds and bandwidths do not change; see begin(). */
static void ignore_change(void *ctx, uint32_t target, double value, double time_s)
{
    (void)ctx;
    (void)target;
    (void)value;
    (void)time_s;
}

static void stop(struct exec *exec, uint32_t id)
{
    if (ew_heap_has(&exec->heap, id)) {
        ew_heap_remove(&exec->heap, id);
    }
}

static void stop_task(void *ctx, uint32_t device, double time_s)
{
    (void)time_s;
    stop(ctx, device);
}

static void stop_send(void *ctx, uint32_t device, double time_s)
{
    struct exec *exec = ctx;
    (void)time_s;
    stop(exec, exec->n_devices + device);
}

static void stop_transfer(void *ctx, uint32_t connection, double time_s)
{
    struct exec *exec = ctx;
    (void)time_s;
    stop(exec, exec->first_connection + connection);
}

static void schedule_arrival(void *ctx, uint32_t workload, double time_s)
{
    struct exec *exec = ctx;
    const uint32_t id = exec->first_workload + workload;
    exec->running[id].is_confirmed = true;
    ew_heap_set(&exec->heap, id, time_s);
}

/* ---- what workers report ---- */

static enum ew_status on_done(struct exec *exec, uint32_t device, const struct ew_frame *frame)
{
    struct job *job = find_job(exec, frame->job);
    if (!job) {
        return EW_OK; /* a task shorter than the grain, of a job that has ended */
    }
    if (frame->node >= exec->programs[job->program]->n_nodes || !(frame->time_s >= 0)) {
        return ew_fail(&exec->err, EW_EENGINE, "%s: reported a task that does not exist",
                       exec->crew.members[device].label);
    }
    job->took_s[frame->node] = (float)frame->time_s;
    exec->facts->compute_s += frame->time_s;
    struct running *r = &exec->running[device];
    if (ew_heap_has(&exec->heap, device) && !r->is_confirmed && r->job == frame->job &&
        r->node == frame->node) {
        r->is_confirmed = true;
        if (!exec->options->is_emulated) {
            ew_heap_set(&exec->heap, device, r->start_s + frame->time_s);
        }
    }
    return EW_OK;
}

/* ---- the clock ---- */

enum ew_status exec_tell_clock(struct exec *exec)
{
    const struct ew_frame frame = {.type = EW_FRAME_CLOCK,
                                   .time_s = exec->epoch_s,
                                   .n_bytes = sizeof exec->dilation,
                                   .payload = (const char *)&exec->dilation};
    return crew_tell(&exec->crew, &frame, &exec->err);
}

static double real_s(const struct exec *exec, double time_s)
{
    return exec->epoch_s + exec->dilation * time_s;
}

static enum ew_status on_arrived(struct exec *exec, uint32_t device, const struct ew_frame *frame)
{
    for (uint32_t c = 0; c < ew_core_connection_count(exec->core); c++) {
        const uint32_t id = exec->first_connection + c;
        struct running *r = &exec->running[id];
        if (ew_core_connection(exec->core, c).to == device && ew_heap_has(&exec->heap, id) &&
            !r->is_confirmed && r->job == frame->job && r->node == frame->node) {
            const double end_s =
                exec->options->is_emulated ? frame->time_s : r->start_s + (ew_now_s() - r->begun_s);
            double late_s;
            memcpy(&late_s, frame->payload, sizeof late_s);
            r->is_confirmed = true;
            if (!exec->shaper) { /* else the heap will know when */
                ew_heap_set(&exec->heap, id, fmax(end_s, fmax(r->start_s, exec->handled_s)));
            }
            if (late_s > 0) {
                exec->link_late_s += late_s;
                exec->link_busy_s += (end_s - r->start_s) * exec->dilation;
            }
            return EW_OK;
        }
    }
    if (!find_job(exec, frame->job)) {
        return EW_OK; /* its attempt has failed */
    }
    return ew_fail(&exec->err, EW_EENGINE, "%s: reported a message that is not under way",
                   exec->crew.members[device].label);
}

static enum ew_status on_answer(struct exec *exec, uint32_t device, const struct ew_frame *frame)
{
    size_t i = 0;
    while (i < exec->owed.count && exec->owed.items[i].job != frame->job) {
        i++;
    }
    const struct owed owed = i < exec->owed.count ? exec->owed.items[i] : (struct owed){0};
    const struct ew_exec_program *p = exec->programs[owed.program];
    if (i == exec->owed.count || frame->program != owed.program || p->sink_device != device ||
        frame->n_bytes != ew_exec_answer_bytes(p)) {
        return ew_fail(&exec->err, EW_EENGINE, "%s: sent an answer that nobody asked for",
                       exec->crew.members[device].label);
    }
    exec->owed.items[i] = exec->owed.items[--exec->owed.count];
    if (exec->options->answer) {
        const struct ew_exec_answer answer = {.workload = owed.workload,
                                              .job = owed.job,
                                              .first_image = owed.first_image,
                                              .program = p,
                                              .values = (const float *)(const void *)frame->payload,
                                              .n = frame->n_bytes / sizeof(float)};
        exec->options->answer(exec->options->answer_ctx, &answer);
    }
    return EW_OK;
}

static enum ew_status on_frame(void *ctx, uint32_t device, const struct ew_frame *frame,
                               struct ew_error *err)
{
    struct exec *exec = ctx;
    enum ew_status status = EW_OK;
    exec->heard_s = ew_now_s();
    if (frame->type == EW_FRAME_DONE) {
        status = on_done(exec, device, frame);
    } else if (frame->type == EW_FRAME_ARRIVED) {
        status = on_arrived(exec, device, frame);
    } else {
        status = on_answer(exec, device, frame);
    }
    if (status != EW_OK && err != &exec->err) {
        *err = exec->err;
    }
    return status;
}

/* ---- slipping ---- */

/* An event is handled late: set the clock back, so that it is now, and stretch time unless the
 * dilation was given. */
static enum ew_status slip(struct exec *exec, double time_s)
{
    const double lag_s = ew_now_s() - real_s(exec, time_s);
    exec->facts->n_overruns++;
    exec->facts->slipped_s += lag_s;
    const double so_far_s = ew_now_s() - exec->begun_s;
    if (exec->options->dilation == 0 && !exec->options->has_kernel_links &&
        exec->dilation < most_dilation &&
        exec->facts->slipped_s > tolerated_slip_ratio * so_far_s) {
        exec->dilation *= stretch;
    }
    exec->epoch_s = ew_now_s() - exec->dilation * time_s;
    return exec_tell_clock(exec);
}

/* ---- the loop ---- */

static void handle(struct exec *exec, uint32_t id, double time_s)
{
    if (id < exec->n_devices) {
        ew_core_task_done(exec->core, id, time_s);
    } else if (id < exec->first_connection) {
        ew_core_send_done(exec->core, id - exec->n_devices, time_s);
    } else if (id < exec->first_workload) {
        ew_core_transfer_done(exec->core, id - exec->first_connection, time_s);
    } else if (id < exec->timer) {
        ew_core_arrive(exec->core, id - exec->first_workload, time_s);
    } else if (id == exec->timer) {
        ew_core_resume(exec->core, time_s);
    } else {
        ew_core_timer(exec->core, id - exec->timer - 1, time_s);
    }
}

/* Nothing has been heard of what should have happened: ask whether all are there, and in the end
 * lose who is not. Of a message's two ends it is the one that has been silent longer. */
static enum ew_status judge_silence(struct exec *exec, uint32_t id, double time_s)
{
    const double limit_s = exec->options->stall_limit_s;
    const double silent_s = ew_now_s() - fmax(exec->heard_s, real_s(exec, time_s));
    const struct ew_frame ping = {.type = EW_FRAME_PING};
    if (silent_s > limit_s / 2 && !exec->has_asked) {
        exec->has_asked = true;
        return crew_tell(&exec->crew, &ping, &exec->err);
    }
    if (silent_s <= limit_s || crew_is_judging(&exec->crew)) {
        exec->has_asked = exec->has_asked && silent_s > limit_s / 2;
        return EW_OK;
    }
    uint32_t device = id;
    if (id >= exec->n_devices) {
        const struct ew_connection c = ew_core_connection(exec->core, id - exec->first_connection);
        device = crew_quieter(&exec->crew, c.from, c.to);
    }
    struct ew_error why;
    (void)ew_fail(&why, EW_EENGINE, "%s: no sign of life for %g s",
                  exec->crew.members[device].label, limit_s);
    return crew_lose(&exec->crew, device, &why, &exec->err);
}

static bool is_awaited_message(const struct exec *exec, uint32_t id)
{
    return id >= exec->first_connection && id < exec->first_workload &&
           !exec->running[id].is_confirmed && !exec->running[id].has_end;
}

/* What comes next: the first of the heap. Messages on links of the kernel that have not arrived
 * make way for what is due before they can have. */
static struct ew_heap_entry next_entry(struct exec *exec, double until_s)
{
    exec_find_ends(exec, until_s);
    const struct ew_heap_entry first = *ew_heap_first(&exec->heap);
    const double bound_s = (ew_now_s() - report_s - exec->epoch_s) / exec->dilation;
    if (!exec->options->has_kernel_links || !is_awaited_message(exec, first.id) ||
        bound_s <= first.key) {
        return first;
    }
    struct ew_heap_entry best = first;
    for (uint32_t i = 0; i < exec->heap.count; i++) {
        const struct ew_heap_entry entry = exec->heap.entries[i];
        const bool is_due = !is_awaited_message(exec, entry.id) && entry.key <= bound_s;
        if (is_due && (best.id == first.id || entry.key < best.key ||
                       (entry.key == best.key && entry.id < best.id))) {
            best = entry;
        }
    }
    return best;
}

/* Wait until the next entry has happened and its time has come, or a worker is lost (no entry). */
static enum ew_status await_next(struct exec *exec, struct ew_heap_entry *next)
{
    enum ew_status status = EW_OK;
    exec->heard_s = ew_now_s();
    next->id = EW_NONE;
    while (status == EW_OK && !exec->crew.n_news) {
        next->id = EW_NONE;
        const struct ew_heap_entry first = next_entry(exec, INFINITY);
        const bool is_confirmed = exec->running[first.id].is_confirmed;
        const double left_s = exec->options->is_emulated || first.id >= exec->first_workload
                                  ? real_s(exec, first.key) - ew_now_s()
                                  : 0;
        if (is_confirmed && left_s <= 0) {
            *next = first;
            return exec->options->is_emulated && -left_s > tolerated_lag_s ? slip(exec, first.key)
                                                                           : EW_OK;
        }
        const double awaited_s = exec->options->is_emulated ? report_s : 0.1;
        status = crew_poll(&exec->crew, is_confirmed ? fmin(left_s, 0.1) : awaited_s, &exec->err);
        if (status == EW_OK && exec->run->interrupted && *exec->run->interrupted) {
            status = ew_fail(&exec->err, EW_EINTR, "interrupted at emulated time %g s", first.key);
        }
        if (status == EW_OK && !is_confirmed) {
            status = judge_silence(exec, first.id, first.key);
        }
    }
    return status;
}

static void handle_entry(struct exec *exec, struct ew_heap_entry entry)
{
    ew_heap_remove(&exec->heap, entry.id);
    exec->handled_s = fmax(exec->handled_s, entry.key);
    handle(exec, entry.id, entry.key);
}

/* All that happened within the grain of the next entry; nobody chooses meanwhile. */
static enum ew_status handle_batch(struct exec *exec)
{
    struct ew_heap_entry next;
    enum ew_status status = await_next(exec, &next);
    const double end_s = next.id == EW_NONE ? 0 : next.key + EW_GRAIN_S;
    while (status == EW_OK && next.id != EW_NONE && next.key <= end_s) {
        handle_entry(exec, next);
        const struct ew_heap_entry after =
            exec->heap.count ? next_entry(exec, end_s) : (struct ew_heap_entry){INFINITY, 0};
        if (after.key > end_s || is_awaited_message(exec, after.id)) {
            break;
        }
        status = await_next(exec, &next);
    }
    return status ? status : exec->status;
}

static enum ew_status run_loop(struct exec *exec)
{
    exec->dilation = exec->options->dilation > 0 ? exec->options->dilation : 1;
    exec->epoch_s = ew_now_s();
    enum ew_status status = exec_tell_clock(exec);
    exec->begun_s = ew_now_s();
    if (status == EW_OK) {
        ew_core_start(exec->core);
    }
    while (status == EW_OK) {
        ew_core_settle(exec->core);
        status = ew_core_status(exec->core, &exec->err);
        status = status ? status : exec->status;
        if (status == EW_OK && exec->crew.n_news) {
            status = exec_react(exec);
            continue;
        }
        if (status != EW_OK || !exec->heap.count ||
            (exec->run->dynamics && ew_core_is_over(exec->core, exec->handled_s))) {
            break;
        }
        status = handle_batch(exec);
    }
    status = status ? status : exec_drain_answers(exec);
    exec->facts->wall_s = ew_now_s() - exec->begun_s;
    exec->facts->dilation = exec->dilation;
    exec->facts->n_pinned = crew_count_pinned(&exec->crew, &exec->facts->n_processors);
    exec->facts->link_lag_ratio = exec->link_busy_s > 0 ? exec->link_late_s / exec->link_busy_s : 0;
    if (status == EW_OK && !ew_core_is_finished(exec->core)) {
        status = ew_fail(&exec->err, EW_EDEADLOCK, "%llu requests never finished",
                         (unsigned long long)ew_core_open_requests(exec->core));
    }
    return status;
}

/* ---- set-up ---- */

static enum ew_status begin(struct exec *exec, const struct ew_run *watched)
{
    const struct ew_core_ops ops = {.ctx = exec,
                                    .start_task = start_task,
                                    .start_send = start_send,
                                    .start_transfer = start_transfer,
                                    .schedule_arrival = schedule_arrival,
                                    .schedule_timer = schedule_timer,
                                    .set_speed = ignore_change,
                                    .set_bandwidth = ignore_change,
                                    .stop_task = stop_task,
                                    .stop_send = stop_send,
                                    .stop_transfer = stop_transfer};
    const struct ew_dynamics *dynamics = exec->run->dynamics;
    if (dynamics && (dynamics->n_signals || dynamics->stragglers || dynamics->losses)) {
        return ew_fail(&exec->err, EW_ENOTSUP,
                       "engine exec: a world that changes can be simulated only");
    }
    if (dynamics && (dynamics->policy.drop_at_deadline || !exec->run->replanner)) {
        return ew_fail(&exec->err, EW_ENOTSUP,
                       "engine exec: requests that are dropped at their deadline can be simulated "
                       "only");
    }
    const uint32_t n_workloads = exec->run->n_workloads;
    exec->forced = malloc((n_workloads + 1u) * sizeof *exec->forced);
    exec->is_lost = calloc(exec->n_devices, sizeof *exec->is_lost);
    if (!exec->forced || !exec->is_lost) {
        return ew_fail_memory(&exec->err);
    }
    memset(exec->forced, 0xff, n_workloads * sizeof *exec->forced);
    enum ew_status status = exec_make_programs(exec);
    status = status ? status : ew_core_new(&exec->core, watched, &ops, &exec->err);
    if (status != EW_OK) {
        return status;
    }
    exec->first_workload = exec->first_connection + ew_core_connection_count(exec->core);
    exec->timer = exec->first_workload + n_workloads;
    const uint32_t n_ids = exec->timer + 1 + ew_core_timer_count(exec->core);
    exec->running = calloc(n_ids, sizeof *exec->running);
    if (!exec->running || !ew_heap_init(&exec->heap, n_ids)) {
        return ew_fail_memory(&exec->err);
    }
    status = exec_links_begin(exec);
    return status ? status : crew_begin(&exec->crew, exec->n_programs, exec->programs, &exec->err);
}

static void end(struct exec *exec, bool has_failed)
{
    crew_end(&exec->crew, has_failed);
    exec_links_end(exec);
    for (size_t i = 0; i < exec->jobs.count; i++) {
        free(exec->jobs.items[i]->took_s);
        free(exec->jobs.items[i]);
    }
    ew_vec_fini(&exec->jobs);
    ew_vec_fini(&exec->owed);
    exec_free_programs(exec);
    free(exec->forced);
    free(exec->is_lost);
    free(exec->running);
    ew_heap_fini(&exec->heap);
    ew_core_free(exec->core);
}

bool ew_exec_is_late(const struct ew_exec_facts *facts)
{
    return facts->slipped_s > 0.1 * facts->wall_s;
}

enum ew_status ew_exec_run(struct ew_run_facts *facts, struct ew_exec_facts *exec_facts,
                           const struct ew_run *run, const struct ew_exec_options *options,
                           struct ew_error *err)
{
    *exec_facts = (struct ew_exec_facts){.dilation = 1};
    struct exec exec = {.run = run,
                        .options = options,
                        .facts = exec_facts,
                        .n_devices = run->platform->n_devices,
                        .first_connection = 2 * run->platform->n_devices};
    exec.answered_job = UINT64_MAX;
    exec.crew = (struct crew){.run = run,
                              .options = options,
                              .receive = on_frame,
                              .ctx = &exec,
                              .is_survivor = run->replanner != NULL};
    struct ew_run watched = *run;
    watched.sink = (struct ew_event_sink){&exec, watch_event};
    enum ew_status status = begin(&exec, &watched);
    status = status ? status : run_loop(&exec);
    if (status == EW_OK) {
        ew_core_end(exec.core);
        ew_core_facts(exec.core, facts);
    } else if (err) {
        *err = exec.err;
        err->status = status;
    }
    end(&exec, status != EW_OK);
    return status;
}

static enum ew_status run_exec(struct ew_run_facts *facts, const struct ew_run *run,
                               struct ew_error *err)
{
    struct ew_exec_facts unused;
    if (!run->exec) {
        return ew_fail(err, EW_ENOTSUP, "engine exec: nobody has said how to execute");
    }
    for (uint32_t w = 0; w < run->n_workloads; w++) {
        if (run->workloads[w].picker) {
            return ew_fail(
                err, EW_ENOTSUP,
                "engine exec: workload '%s': plans picked per job (rule 'online') can be "
                "simulated only",
                run->workloads[w].name);
        }
    }
    return ew_exec_run(facts, run->exec_facts ? run->exec_facts : &unused, run, run->exec, err);
}

const struct ew_engine ew_engine_exec = {
    .id = "exec",
    .summary = "real processes, tensors and sockets, on this machine at the modelled speed",
    .run = run_exec,
};
