#include "engine/simgrid/sg_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/simgrid/sg_hand.h"

/* --- queue ------------------------------------------------------------------------------------ */

static void queue_work(struct ew_sg_world *world, struct ew_sg_work *work, double start_s)
{
    work->state = EW_SG_QUEUED;
    work->start_s = start_s;
    world->n_active++;
    if (!work->is_in_queue) {
        work->is_in_queue = true;
        world->is_out_of_memory = !ew_vec_push(&world->queue, work) || world->is_out_of_memory;
    }
}

struct ew_sg_work *ew_sg_take(struct ew_sg_world *world)
{
    struct ew_sg_work *work = world->queue.items[world->next_in_queue++];
    if (world->next_in_queue == world->queue.count) {
        world->next_in_queue = 0;
        world->queue.count = 0;
    }
    work->is_in_queue = false;
    return work;
}

/* Nothing happens between this and the next start of the same work. */
static void retract(struct ew_sg_world *world, struct ew_sg_work *work)
{
    if (work->state == EW_SG_BUSY) {
        ew_sg_hand_dismiss(world, work);
    }
    work->state = EW_SG_IDLE;
    world->n_active--;
}

/* --- what the job machine asks for ------------------------------------------------------------ */

static void start_task(void *ctx, uint32_t device, double work_s, double start_s)
{
    struct ew_sg_world *world = ctx;
    world->tasks[device].amount_s = work_s;
    queue_work(world, &world->tasks[device], start_s);
}

static void retract_task(void *ctx, uint32_t device)
{
    struct ew_sg_world *world = ctx;
    retract(world, &world->tasks[device]);
}

static void start_send(void *ctx, uint32_t device, double overhead_s, double start_s)
{
    struct ew_sg_world *world = ctx;
    world->sends[device].amount_s = overhead_s;
    queue_work(world, &world->sends[device], start_s);
}

static void start_transfer(void *ctx, uint32_t connection, uint64_t bytes, double extra_s,
                           double start_s)
{
    struct ew_sg_world *world = ctx;
    struct ew_sg_work *work = &world->transfers[connection];
    work->bytes = bytes;
    work->extra_s = extra_s;
    queue_work(world, work, start_s);
    ew_core_transfer_flow(world->core, connection, start_s + (work->latency_s + extra_s));
}

static void retract_transfer(void *ctx, uint32_t connection)
{
    struct ew_sg_world *world = ctx;
    retract(world, &world->transfers[connection]);
}

static void schedule_arrival(void *ctx, uint32_t workload, double time_s)
{
    struct ew_sg_world *world = ctx;
    queue_work(world, &world->arrivals[workload], time_s);
}

static void schedule_choice(void *ctx, double time_s)
{
    struct ew_sg_world *world = ctx;
    queue_work(world, &world->choice, time_s);
}

static void schedule_timer(void *ctx, uint32_t timer, double time_s)
{
    struct ew_sg_world *world = ctx;
    struct ew_sg_work *work = malloc(sizeof *work);
    if (!work) {
        world->is_out_of_memory = true;
        return;
    }
    *work = (struct ew_sg_work){.kind = EW_SG_TIMER, .index = timer};
    queue_work(world, work, time_s);
    world->n_active -= world->run->dynamics ? 1 : 0; /* does not keep such a run alive */
}

/* SimGrid changes speeds by itself: they stand in the platform as profiles. */
static void set_speed(void *ctx, uint32_t device, double ratio, double time_s)
{
    (void)ctx;
    (void)device;
    (void)ratio;
    (void)time_s;
}

void ew_sg_ask_to_tune(struct ew_sg_world *world)
{
    if (world->tune.state == EW_SG_IDLE) {
        queue_work(world, &world->tune, simgrid_get_clock());
        world->n_active--; /* takes no time */
    }
}

/* SimGrid takes no 0 for a bandwidth. So little does not move a byte in any run. */
static void set_bandwidth(void *ctx, uint32_t link, double bytes_per_s, double time_s)
{
    struct ew_sg_world *world = ctx;
    struct ew_sg_link *l = &world->links[link];
    (void)time_s;
    l->bytes_per_s = fmax(bytes_per_s, 1e-15 * l->top_bytes_per_s);
    l->is_tuned = !l->is_varying;
    ew_sg_ask_to_tune(world);
}

static void stop_task(void *ctx, uint32_t device, double time_s)
{
    (void)time_s;
    retract_task(ctx, device);
}

static void stop_send(void *ctx, uint32_t device, double time_s)
{
    struct ew_sg_world *world = ctx;
    (void)time_s;
    retract(world, &world->sends[device]);
}

static void stop_transfer(void *ctx, uint32_t connection, double time_s)
{
    (void)time_s;
    retract_transfer(ctx, connection);
}

struct ew_core_ops ew_sg_core_ops(struct ew_sg_world *world)
{
    return (struct ew_core_ops){
        .ctx = world,
        .start_task = start_task,
        .start_send = start_send,
        .start_transfer = start_transfer,
        .retract_task = retract_task,
        .retract_transfer = retract_transfer,
        .schedule_arrival = schedule_arrival,
        .schedule_choice = schedule_choice,
        .schedule_timer = schedule_timer,
        .set_speed = set_speed,
        .set_bandwidth = set_bandwidth,
        .stop_task = stop_task,
        .stop_send = stop_send,
        .stop_transfer = stop_transfer,
    };
}

/* --- the end ---------------------------------------------------------------------------------- */

void ew_sg_fail(struct ew_sg_writer *writer, const struct ew_error *failure)
{
    ew_sg_write_frame(writer, EW_SG_FRAME_FAILURE, failure, sizeof *failure);
    _exit(0); /* no destructors: SimGrid's print */
}

static void send_energies(const struct ew_sg_world *world)
{
    const uint32_t n = world->run->platform->n_devices;
    double energies[EW_MAX_DEVICES];
    for (uint32_t d = 0; d < n; d++) {
        energies[d] = sg_host_get_consumed_energy(world->tasks[d].host);
    }
    ew_sg_write_frame(world->writer, EW_SG_FRAME_ENERGY, energies, n * sizeof *energies);
}

static _Noreturn void finish(const struct ew_sg_world *world)
{
    struct ew_error failure = {0};
    if (!ew_core_is_finished(world->core)) {
        (void)ew_fail(&failure, EW_EDEADLOCK, "%llu requests never finished: no event is left",
                      (unsigned long long)ew_core_open_requests(world->core));
        ew_sg_fail(world->writer, &failure);
    }
    ew_core_end(world->core);
    struct ew_run_facts facts;
    memset(&facts, 0, sizeof facts); /* padding crosses the pipe, too */
    ew_core_facts(world->core, &facts);
    facts.has_host_energy = world->has_host_energy;
    if (world->has_host_energy) {
        send_energies(world);
    }
    ew_sg_write_frame(world->writer, EW_SG_FRAME_FACTS, &facts, sizeof facts);
    _exit(0);
}

/* --- what the hands report -------------------------------------------------------------------- */

static void settle(struct ew_sg_world *world)
{
    ew_core_settle(world->core);
    struct ew_error failure = {0};
    enum ew_status status = ew_core_status(world->core, &failure);
    if (world->is_out_of_memory) {
        status = ew_fail_memory(&failure);
    }
    if (status) {
        ew_sg_fail(world->writer, &failure);
    }
    const bool is_static = world->run->dynamics == NULL;
    if (is_static ? world->n_active == 0 : ew_core_is_over(world->core, simgrid_get_clock())) {
        finish(world);
    }
}

void ew_sg_begin(struct ew_sg_world *world)
{
    ew_core_start(world->core);
    settle(world);
}

void ew_sg_report(struct ew_sg_world *world, struct ew_sg_work *work)
{
    if (work->kind == EW_SG_TUNE) {
        return; /* the job machine knows */
    }
    work->state = EW_SG_IDLE;
    work->hand = NULL;
    world->n_active -= work->kind == EW_SG_TIMER && world->run->dynamics ? 0 : 1;
    const double end_s = simgrid_get_clock() - work->late_s;
    switch ((enum ew_sg_kind)work->kind) {
    case EW_SG_TASK:
        ew_core_task_done(world->core, work->index, end_s);
        break;
    case EW_SG_SEND:
        ew_core_send_done(world->core, work->index, end_s);
        break;
    case EW_SG_TRANSFER:
        ew_core_transfer_done(world->core, work->index, end_s);
        break;
    case EW_SG_ARRIVAL:
        ew_core_arrive(world->core, work->index, work->start_s);
        break;
    case EW_SG_CHOICE:
        ew_core_choose(world->core, work->start_s);
        break;
    case EW_SG_TUNE:
        break;
    case EW_SG_TIMER: {
        const struct ew_sg_work timer = *work;
        free(work);
        ew_core_timer(world->core, timer.index, timer.start_s);
        break;
    }
    }
    settle(world);
}
