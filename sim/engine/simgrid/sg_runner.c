/*
 * Runner: the actor that computes on a device, one task at a time.
 */
#include "engine/simgrid/sg_world.h"

static void run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct ew_sg_seat *seat = ew_sg_sit_down();
    struct ew_sg_world *world = seat->world;
    const struct ew_sg_runner *runner = &world->runners[seat->index];
    const double speed = world->run->platform->devices[seat->index].speed_flops_per_s;
    const uint32_t generation = seat->generation;
    for (;;) {
        ew_sg_park(seat);
        ew_sg_begin(seat);
        const double left_s = runner->work_s - seat->late_s;
        if (left_s > 0) {
            seat->late_s = 0; /* made up for by working less */
            sg_actor_execute(left_s * speed);
        } else {
            seat->late_s -= runner->work_s;
        }
        if (!ew_sg_still_sits(seat, generation)) {
            return;
        }
        ew_core_task_done(world->core, seat->index, ew_sg_end(seat));
        ew_sg_settle(world);
    }
}

static void call_runner(struct ew_sg_world *world, uint32_t device)
{
    ew_sg_call(&world->runners[device].seat, world->hosts[device], run);
}

void ew_sg_start_task(void *ctx, uint32_t device, double work_s, double start_s)
{
    struct ew_sg_world *world = ctx;
    world->runners[device].work_s = work_s;
    ew_sg_assign(&world->runners[device].seat, start_s);
    ew_sg_order(world, call_runner, device);
}

void ew_sg_retract_task(void *ctx, uint32_t device)
{
    struct ew_sg_world *world = ctx;
    ew_sg_dismiss(&world->runners[device].seat);
}
