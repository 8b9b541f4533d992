/*
 * Courier: the actor behind a connection, one message at a time.
 */
#include "engine/simgrid/sg_world.h"

static void run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct ew_sg_seat *seat = ew_sg_sit_down();
    struct ew_sg_world *world = seat->world;
    const struct ew_sg_courier *courier = &world->couriers[seat->index];
    const uint32_t generation = seat->generation;
    for (;;) {
        ew_sg_park(seat);
        ew_sg_begin(seat);
        sg_host_sendto(courier->from, courier->to, (double)courier->bytes);
        if (!ew_sg_still_sits(seat, generation)) {
            return;
        }
        ew_core_transfer_done(world->core, seat->index, ew_sg_end(seat));
        ew_sg_settle(world);
    }
}

static void call_courier(struct ew_sg_world *world, uint32_t connection)
{
    struct ew_sg_courier *courier = &world->couriers[connection];
    ew_sg_call(&courier->seat, courier->to, run);
}

void ew_sg_start_transfer(void *ctx, uint32_t connection, uint64_t bytes, double start_s,
                          bool is_contested)
{
    (void)is_contested; /* an exchange is possible at any time */
    struct ew_sg_world *world = ctx;
    struct ew_sg_courier *courier = &world->couriers[connection];
    courier->bytes = bytes;
    ew_sg_assign(&courier->seat, start_s);
    ew_sg_order(world, call_courier, connection);
    ew_core_transfer_flow(world->core, connection, start_s + courier->latency_s);
}

bool ew_sg_exchange_transfer(void *ctx, uint32_t connection, uint64_t bytes, double start_s)
{
    struct ew_sg_world *world = ctx;
    struct ew_sg_courier *courier = &world->couriers[connection];
    ew_sg_dismiss(&courier->seat);
    courier->bytes = bytes;
    ew_sg_assign(&courier->seat, start_s);
    ew_sg_order(world, call_courier, connection);
    return true;
}
