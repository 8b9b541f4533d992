/*
 * Arrival: the actor that lets a workload's requests arrive at their times.
 */
#include "engine/simgrid/sg_world.h"

static void run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct ew_sg_seat *seat = ew_sg_sit_down();
    struct ew_sg_world *world = seat->world;
    for (;;) {
        ew_sg_park(seat);
        ew_sg_begin(seat);
        const double arrival_s = seat->start_s;
        sg_actor_sleep_until(arrival_s);
        (void)ew_sg_end(seat);
        ew_core_arrive(world->core, seat->index, arrival_s);
        ew_sg_settle(world);
    }
}

static void call_arrival(struct ew_sg_world *world, uint32_t workload)
{
    ew_sg_call(&world->arrivals[workload].seat, world->hosts[0], run);
}

void ew_sg_schedule_arrival(void *ctx, uint32_t workload, double time_s)
{
    struct ew_sg_world *world = ctx;
    ew_sg_assign(&world->arrivals[workload].seat, time_s);
    ew_sg_order(world, call_arrival, workload);
}
