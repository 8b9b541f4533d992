#include "engine/simgrid/sg_world.h"

#include <string.h>
#include <unistd.h>

/* --- orders ----------------------------------------------------------------------------------- */

void ew_sg_order(struct ew_sg_world *world,
                 void (*carry_out)(struct ew_sg_world *world, uint32_t index), uint32_t index)
{
    const struct ew_sg_order order = {carry_out, index};
    if (!ew_vec_push(&world->orders, order)) {
        world->is_out_of_memory = true;
    }
}

/* Other actors may run, and take and add orders, inside every carry_out. */
static void carry_out_orders(struct ew_sg_world *world)
{
    while (world->next_order < world->orders.count) {
        const struct ew_sg_order order = world->orders.items[world->next_order++];
        if (world->next_order == world->orders.count) {
            world->next_order = 0;
            world->orders.count = 0;
        }
        order.carry_out(world, order.index);
    }
}

void ew_sg_settle(struct ew_sg_world *world)
{
    ew_core_settle(world->core);
    struct ew_error failure = {0};
    if (world->is_out_of_memory) {
        (void)ew_fail_memory(&failure);
    }
    if (world->is_out_of_memory || ew_core_status(world->core, &failure)) {
        ew_sg_fail(world->writer, &failure);
    }
    carry_out_orders(world);
    if (world->n_active == 0) {
        ew_sg_finish(world);
    }
}

/* --- the end ---------------------------------------------------------------------------------- */

void ew_sg_fail(struct ew_sg_writer *writer, const struct ew_error *failure)
{
    ew_sg_write_frame(writer, EW_SG_FRAME_FAILURE, failure, sizeof *failure);
    _exit(0); /* like below: no destructors, they print */
}

static void send_energies(const struct ew_sg_world *world)
{
    const uint32_t n = world->run->platform->n_devices;
    double energies[EW_MAX_DEVICES];
    for (uint32_t d = 0; d < n; d++) {
        energies[d] = sg_host_get_consumed_energy(world->hosts[d]);
    }
    ew_sg_write_frame(world->writer, EW_SG_FRAME_ENERGY, energies, n * sizeof *energies);
}

void ew_sg_finish(struct ew_sg_world *world)
{
    struct ew_error failure = {0};
    if (!ew_core_is_finished(world->core)) {
        (void)ew_fail(&failure, EW_EDEADLOCK, "%llu requests never finished: no activity is left",
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

/* --- seats ------------------------------------------------------------------------------------ */

void ew_sg_assign(struct ew_sg_seat *seat, double start_s)
{
    seat->state = EW_SG_ORDERED;
    seat->start_s = start_s;
    seat->world->n_active++;
}

void ew_sg_begin(struct ew_sg_seat *seat)
{
    seat->state = EW_SG_BUSY;
    seat->late_s = simgrid_get_clock() - seat->start_s;
}

double ew_sg_end(struct ew_sg_seat *seat)
{
    seat->state = EW_SG_IDLE;
    seat->world->n_active--;
    return simgrid_get_clock() - seat->late_s;
}

void ew_sg_dismiss(struct ew_sg_seat *seat)
{
    if (seat->state == EW_SG_BUSY) {
        seat->dismissed = seat->actor;
        seat->actor = NULL;
        seat->is_staffed = false;
        seat->is_parked = false;
        seat->generation++;
    }
    seat->state = EW_SG_IDLE;
    seat->world->n_active--;
}

static void staff(struct ew_sg_seat *seat, sg_host_t host, xbt_main_func_t body)
{
    seat->is_staffed = true;
    sg_actor_t actor = sg_actor_init("edgeweave", host);
    sg_actor_set_data(actor, seat);
    sg_actor_start_(actor, body, 0, NULL);
}

void ew_sg_call(struct ew_sg_seat *seat, sg_host_t host, xbt_main_func_t body)
{
    if (seat->dismissed) {
        sg_actor_t victim = seat->dismissed;
        seat->dismissed = NULL;
        sg_actor_kill(victim);
    }
    if (!seat->is_staffed) {
        staff(seat, host, body);
    } else if (seat->is_parked) {
        seat->is_parked = false;
        sg_actor_resume(seat->actor);
    }
}

struct ew_sg_seat *ew_sg_sit_down(void)
{
    struct ew_sg_seat *seat = sg_actor_self_get_data();
    seat->actor = sg_actor_self();
    return seat;
}

void ew_sg_park(struct ew_sg_seat *seat)
{
    while (seat->state != EW_SG_ORDERED) {
        seat->is_parked = true;
        sg_actor_suspend(seat->actor);
    }
}

bool ew_sg_still_sits(struct ew_sg_seat *seat, uint32_t generation)
{
    if (seat->generation == generation) {
        return true;
    }
    if (seat->dismissed == sg_actor_self()) {
        seat->dismissed = NULL; /* it ended on its own before anybody could kill it */
    }
    return false;
}
