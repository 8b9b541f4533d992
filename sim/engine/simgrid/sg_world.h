/*
 * The simulated world inside the child process: what the actors share.
 *
 * One file per actor type: sg_runner.c (computes on a device), sg_sender.c (a device's send
 * thread), sg_courier.c (one per connection), sg_arrival.c (one per workload with open arrivals).
 * Which task or message comes next is never decided here but by the job machine (engine/core.h).
 *
 * Every call into SimGrid may switch to another actor, and the job machine must not be entered
 * twice. So its callbacks only note what to do ("orders"); the actor that called ew_sg_settle
 * carries the orders out afterwards.
 */
#ifndef EW_ENGINE_SIMGRID_SG_WORLD_H
#define EW_ENGINE_SIMGRID_SG_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "engine/core.h"
#include "engine/simgrid/sg_compat.h"
#include "engine/simgrid/sg_wire.h"

struct ew_sg_world;

/** What the holder of a seat is busy with. */
enum ew_sg_state {
    EW_SG_IDLE,
    EW_SG_ORDERED, /**< work is assigned, nothing simulated yet */
    EW_SG_BUSY,    /**< SimGrid simulates it */
};

/** The place of one actor. Its actor is made at the first order; a better choice within the grain
 *  dismisses an actor in the middle of its activity (C code cannot cancel a communication: killing
 *  its actor does) and a new one takes the seat. */
struct ew_sg_seat {
    struct ew_sg_world *world;
    uint32_t index; /**< device, connection or workload */
    uint32_t generation;
    sg_actor_t actor;     /**< set by the actor itself */
    sg_actor_t dismissed; /**< still to be killed */
    bool is_staffed;      /**< an actor exists or is being made */
    bool is_parked;       /**< the actor is suspended until work comes */
    uint8_t state;        /**< enum ew_sg_state */
    double start_s;       /**< logical start of the work; the clock may be a grain later */
    double late_s;        /**< clock minus start_s when SimGrid began it */
};

struct ew_sg_runner {
    struct ew_sg_seat seat;
    double work_s;
};

struct ew_sg_sender {
    struct ew_sg_seat seat;
    double overhead_s;
};

struct ew_sg_courier {
    struct ew_sg_seat seat;
    uint64_t bytes;
    double latency_s; /**< effective */
    sg_host_t from, to;
};

struct ew_sg_arrival {
    struct ew_sg_seat seat;
};

/** Something to do after the job machine has settled. */
struct ew_sg_order {
    void (*carry_out)(struct ew_sg_world *world, uint32_t index);
    uint32_t index;
};

struct ew_sg_world {
    const struct ew_run *run;
    struct ew_core *core;
    struct ew_sg_writer *writer;
    bool has_host_energy;
    sg_host_t *hosts;              /**< per device */
    struct ew_sg_runner *runners;  /**< per device */
    struct ew_sg_sender *senders;  /**< per device */
    struct ew_sg_courier *couriers; /**< per connection */
    struct ew_sg_arrival *arrivals; /**< per workload */
    EW_VEC(struct ew_sg_order) orders; /**< first in, first out */
    size_t next_order;
    uint64_t n_active; /**< tasks, overheads, transfers and arrivals that have not ended */
    bool is_out_of_memory;
};

/* sg_world.c */

/** Note an order. */
void ew_sg_order(struct ew_sg_world *world,
                 void (*carry_out)(struct ew_sg_world *world, uint32_t index), uint32_t index);

/** Let the job machine choose, then carry the orders out. Every actor calls this after it has told
 *  the job machine that something is done. Does not return when the run is over. */
void ew_sg_settle(struct ew_sg_world *world);

/** Send facts or the failure to the parent and end the process. */
_Noreturn void ew_sg_finish(struct ew_sg_world *world);
_Noreturn void ew_sg_fail(struct ew_sg_writer *writer, const struct ew_error *failure);

/** Mark a seat's work as assigned. */
void ew_sg_assign(struct ew_sg_seat *seat, double start_s);

/** Mark its work as being simulated from now on. */
void ew_sg_begin(struct ew_sg_seat *seat);

/** End of its work, in logical time; the seat is idle again. */
double ew_sg_end(struct ew_sg_seat *seat);

/** Take the work away from a seat; an actor that has begun it is dismissed. */
void ew_sg_dismiss(struct ew_sg_seat *seat);

/** For seats with ordered work: kill the actor that was dismissed, if any, and make a new one or
 *  wake the one that is parked. */
void ew_sg_call(struct ew_sg_seat *seat, sg_host_t host, xbt_main_func_t body);

/** For actor bodies: take the seat; gives the seat. */
struct ew_sg_seat *ew_sg_sit_down(void);

/** For actor bodies: wait until there is work. */
void ew_sg_park(struct ew_sg_seat *seat);

/** For actor bodies, after anything that took time: false when this actor has been dismissed and
 *  has to return at once. */
bool ew_sg_still_sits(struct ew_sg_seat *seat, uint32_t generation);

/* one per actor file: callbacks of the job machine (ctx: world) */

void ew_sg_start_task(void *ctx, uint32_t device, double work_s, double start_s);
void ew_sg_retract_task(void *ctx, uint32_t device);
void ew_sg_start_send(void *ctx, uint32_t device, double overhead_s, double start_s);
void ew_sg_start_transfer(void *ctx, uint32_t connection, uint64_t bytes, double start_s,
                          bool is_contested);
bool ew_sg_exchange_transfer(void *ctx, uint32_t connection, uint64_t bytes, double start_s);
void ew_sg_schedule_arrival(void *ctx, uint32_t workload, double time_s);

#endif
