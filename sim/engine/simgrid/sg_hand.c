#include "engine/simgrid/sg_hand.h"

#include <math.h>
#include <stdlib.h>

static void live(int argc, char **argv);

static void out_of_memory(struct ew_sg_world *world)
{
    struct ew_error failure = {0};
    (void)ew_fail_memory(&failure);
    ew_sg_fail(world->writer, &failure);
}

/* --- making, waking and killing --------------------------------------------------------------- */

static void make(struct ew_sg_world *world, xbt_main_func_t body)
{
    struct ew_sg_hand *hand =
        world->spare.count ? world->spare.items[--world->spare.count] : malloc(sizeof *hand);
    if (!hand) {
        out_of_memory(world);
    }
    *hand = (struct ew_sg_hand){.world = world};
    world->n_free++;
    sg_actor_t actor = sg_actor_init("hand", world->control);
    sg_actor_set_data(actor, hand);
    sg_actor_start_(actor, body, 0, NULL);
}

static void call_another(struct ew_sg_world *world)
{
    if (world->parked.count) {
        struct ew_sg_hand *hand = world->parked.items[--world->parked.count];
        world->n_free++;
        sg_actor_resume(hand->actor);
    } else {
        make(world, live);
    }
}

/* Simcalls of one round are handled in the order in which the actors ran, hence a hand that is
 * resumed before its suspension has been handled is no danger. */
static void park(struct ew_sg_hand *hand)
{
    if (!ew_vec_push(&hand->world->parked, hand)) {
        out_of_memory(hand->world);
    }
    hand->world->n_free--;
    sg_actor_suspend(hand->actor);
}

void ew_sg_hand_dismiss(struct ew_sg_world *world, struct ew_sg_work *work)
{
    struct ew_sg_hand *hand = work->hand;
    work->hand = NULL;
    hand->work = NULL;
    hand->is_dismissed = true;
    if (!ew_vec_push(&world->dismissed, hand)) {
        out_of_memory(world);
    }
}

/* A hand that has just begun needs one more round of actors until it waits for its activity; killed
 * before, it would leave the activity behind. A hand whose activity ends at this very time comes
 * back by itself: then it is no longer dismissed; or, once condemned, it does nothing any more. */
static void kill_dismissed(struct ew_sg_world *world)
{
    while (world->dismissed.count) {
        struct ew_sg_hand *hand = world->dismissed.items[--world->dismissed.count];
        sg_actor_yield();
        sg_actor_yield();
        if (!hand->is_dismissed) {
            continue;
        }
        hand->is_dismissed = false;
        hand->is_condemned = true;
        world->n_raising -= hand->is_raising ? 1 : 0;
        sg_actor_kill(hand->actor);
        if (!ew_vec_push(&world->spare, hand)) {
            out_of_memory(world);
        }
    }
}

/* --- working ---------------------------------------------------------------------------------- */

static void run_task(const struct ew_sg_world *world, const struct ew_sg_work *work, double left_s)
{
    const double speed = world->run->platform->devices[work->index].speed_flops_per_s;
    sg_exec_t exec = sg_actor_exec_init(left_s * speed);
    sg_exec_set_host(exec, work->host);
    (void)sg_exec_wait(exec); /* starts it, and consumes the handle */
}

/* Tasks and overheads that begin late make up for it; transfers report earlier. */
static void tune(struct ew_sg_world *world)
{
    world->tune.state = EW_SG_IDLE; /* who asks from now on wants another round */
    for (uint32_t l = 0; l < world->run->platform->n_links; l++) {
        struct ew_sg_link *link = &world->links[l];
        while (link->is_varying && !link->is_tuned) {
            if (world->n_raising) {
                sg_actor_yield(); /* at this simulated time */
            } else {
                link->is_tuned = true;
                sg_link_set_bandwidth(link->link, link->bytes_per_s);
            }
        }
    }
}

static bool has_varying_link(const struct ew_sg_world *world, const struct ew_route *route)
{
    for (uint32_t i = 0; world->links && i < route->n_links; i++) {
        if (world->links[route->links[i]].is_varying) {
            return true;
        }
    }
    return false;
}

/* Give the varying links of a route their highest bandwidth until the flow has begun. Tuning that
 * was on its way is over after the first yield. */
static void raise_links(struct ew_sg_hand *hand, const struct ew_route *route)
{
    struct ew_sg_world *world = hand->world;
    world->n_raising++;
    hand->is_raising = true;
    sg_actor_yield();
    for (uint32_t i = 0; i < route->n_links; i++) {
        struct ew_sg_link *link = &world->links[route->links[i]];
        if (link->is_varying) {
            link->is_tuned = false;
            sg_link_set_bandwidth(link->link, link->top_bytes_per_s);
        }
    }
    ew_sg_ask_to_tune(world);
    while (ew_sg_queued(world) > world->n_free) {
        call_another(world);
    }
    world->n_raising--;
    hand->is_raising = false;
}

static void run_transfer(struct ew_sg_hand *hand, struct ew_sg_work *work, double late_s)
{
    struct ew_sg_world *world = hand->world;
    work->late_s = late_s;
    if (work->extra_s > 0) {
        sg_actor_sleep_for(fmax(work->extra_s - late_s, 0));
        if (!hand->work) { /* dismissed meanwhile: the work is no longer ours */
            return;
        }
        work->late_s = fmax(late_s - work->extra_s, 0);
    }
    const struct ew_connection pair = ew_core_connection(world->core, work->index);
    const struct ew_route *route = ew_platform_route(world->run->platform, pair.from, pair.to);
    if (has_varying_link(world, route)) {
        raise_links(hand, route);
        if (!hand->work) {
            return;
        }
    }
    sg_host_sendto(work->host, work->to, (double)work->bytes);
}

static void perform(struct ew_sg_hand *hand, struct ew_sg_work *work)
{
    struct ew_sg_world *world = hand->world;
    const double late_s = simgrid_get_clock() - work->start_s;
    const double left_s = work->amount_s - late_s;
    switch ((enum ew_sg_kind)work->kind) {
    case EW_SG_TASK:
    case EW_SG_SEND:
        work->late_s = left_s > 0 ? 0 : -left_s;
        if (left_s > 0 && work->kind == EW_SG_TASK) {
            run_task(world, work, left_s);
        } else if (left_s > 0) {
            sg_actor_sleep_for(left_s);
        }
        break;
    case EW_SG_TRANSFER:
        run_transfer(hand, work, late_s);
        break;
    case EW_SG_TUNE:
        tune(world);
        break;
    case EW_SG_ARRIVAL:
    case EW_SG_TIMER:
    case EW_SG_CHOICE:
        sg_actor_sleep_until(work->start_s);
        break;
    }
}

static struct ew_sg_work *next_work(struct ew_sg_hand *hand)
{
    struct ew_sg_world *world = hand->world;
    for (;;) {
        kill_dismissed(world);
        while (ew_sg_queued(world) > world->n_free) {
            call_another(world);
        }
        if (ew_sg_queued(world)) {
            struct ew_sg_work *work = ew_sg_take(world);
            if (work->state == EW_SG_QUEUED) {
                return work;
            }
        } else {
            park(hand);
        }
    }
}

static void live(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct ew_sg_hand *hand = sg_actor_self_get_data();
    struct ew_sg_world *world = hand->world;
    hand->actor = sg_actor_self();
    for (;;) {
        struct ew_sg_work *work = next_work(hand);
        world->n_free--;
        work->state = EW_SG_BUSY;
        work->hand = hand;
        hand->work = work;
        perform(hand, work);
        if (hand->is_condemned) {
            return;
        }
        world->n_free++;
        hand->is_dismissed = false;
        if (hand->work) {
            hand->work = NULL;
            ew_sg_report(world, work);
        }
    }
}

static void live_first(int argc, char **argv)
{
    const struct ew_sg_hand *hand = sg_actor_self_get_data();
    ew_sg_begin(hand->world);
    live(argc, argv);
}

void ew_sg_hand_first(struct ew_sg_world *world)
{
    make(world, live_first);
}
