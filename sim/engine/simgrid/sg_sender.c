/*
 * Sender: the send thread of a device. A message's overhead occupies it, but not the device.
 */
#include "engine/simgrid/sg_world.h"

static void run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct ew_sg_seat *seat = ew_sg_sit_down();
    struct ew_sg_world *world = seat->world;
    const struct ew_sg_sender *sender = &world->senders[seat->index];
    for (;;) {
        ew_sg_park(seat);
        ew_sg_begin(seat);
        const double left_s = sender->overhead_s - seat->late_s;
        if (left_s > 0) {
            seat->late_s = 0;
            sg_actor_sleep_for(left_s);
        } else {
            seat->late_s -= sender->overhead_s;
        }
        ew_core_send_done(world->core, seat->index, ew_sg_end(seat));
        ew_sg_settle(world);
    }
}

static void call_sender(struct ew_sg_world *world, uint32_t device)
{
    ew_sg_call(&world->senders[device].seat, world->hosts[device], run);
}

void ew_sg_start_send(void *ctx, uint32_t device, double overhead_s, double start_s)
{
    struct ew_sg_world *world = ctx;
    world->senders[device].overhead_s = overhead_s;
    ew_sg_assign(&world->senders[device].seat, start_s);
    ew_sg_order(world, call_sender, device);
}
