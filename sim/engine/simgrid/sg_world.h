/*
 * The simulated world inside the child process: works and what the job machine asks for.
 *
 * A work is anything that takes simulated time: a device's task, a send thread's overhead, a
 * connection's transfer, the wait for a workload's next arrival. There is one work per device, send
 * thread, connection and workload, used again and again. Which task or message comes next is never
 * decided here but by the job machine (engine/core.h).
 *
 * Every call into SimGrid may switch to another actor, and the job machine must not be entered
 * twice. So its callbacks only queue works; the actors (sg_hand.h) take them from there.
 */
#ifndef EW_ENGINE_SIMGRID_SG_WORLD_H
#define EW_ENGINE_SIMGRID_SG_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "engine/core.h"
#include "engine/simgrid/sg_compat.h"
#include "engine/simgrid/sg_wire.h"

struct ew_sg_hand;

enum ew_sg_kind {
    EW_SG_TASK,
    EW_SG_SEND,
    EW_SG_TRANSFER,
    EW_SG_ARRIVAL,
    EW_SG_TIMER,  /**< one call; freed after it */
    EW_SG_TUNE,   /**< give links their bandwidths */
    EW_SG_CHOICE, /**< the end of a grain, for choices that wait for it */
};

enum ew_sg_state {
    EW_SG_IDLE,
    EW_SG_QUEUED, /**< to be taken by a hand at the same simulated time */
    EW_SG_BUSY,   /**< SimGrid simulates it */
};

struct ew_sg_work {
    uint8_t kind;  /**< enum ew_sg_kind */
    uint8_t state; /**< enum ew_sg_state */
    bool is_in_queue;
    uint32_t index;          /**< device, connection, workload or timer */
    struct ew_sg_hand *hand; /**< who does it, while busy */
    double start_s;   /**< logical start; the clock may be up to a grain later. Arrival: when */
    double late_s;    /**< clock minus start_s when SimGrid began it */
    double amount_s;  /**< task, send */
    uint64_t bytes;   /**< transfer */
    double latency_s; /**< transfer: effective */
    double extra_s;   /**< transfer: on top of it, before SimGrid sees the message */
    sg_host_t host;   /**< task: where; transfer: from */
    sg_host_t to;     /**< transfer */
};

/** A link whose bandwidth changes during the run. In 3.32 no flow ever gets more than the least
 *  bandwidth that its route had when it began. So its links have their highest bandwidth while a
 *  flow begins, and their own again before time goes on. */
struct ew_sg_link {
    sg_link_t link;
    bool is_varying;
    bool is_tuned; /**< has its bandwidth */
    double top_bytes_per_s;
    double bytes_per_s;
};

struct ew_sg_world {
    const struct ew_run *run;
    struct ew_core *core;
    struct ew_sg_writer *writer;
    bool has_host_energy;
    sg_host_t control;            /**< host of all actors; no device, has no link */
    struct ew_sg_work *tasks;     /**< per device */
    struct ew_sg_work *sends;     /**< per device */
    struct ew_sg_work *transfers; /**< per connection */
    struct ew_sg_work *arrivals;  /**< per workload */
    struct ew_sg_link *links;     /**< per link; NULL without dynamics */
    struct ew_sg_work tune;
    struct ew_sg_work choice;
    uint32_t n_raising; /**< hands that prepare links for a flow: nobody tunes meanwhile */
    EW_VEC(struct ew_sg_work *) queue; /**< first in, first out from next_in_queue on */
    size_t next_in_queue;
    uint64_t n_active; /**< works that are not idle, timers apart */
    bool is_out_of_memory;

    /* hands (sg_hand.c) */
    EW_VEC(struct ew_sg_hand *) parked;
    EW_VEC(struct ew_sg_hand *) dismissed; /**< still to be killed */
    EW_VEC(struct ew_sg_hand *) spare;     /**< of killed actors */
    size_t n_free;                         /**< hands on their way to the queue */
};

/** The job machine's callbacks. */
struct ew_core_ops ew_sg_core_ops(struct ew_sg_world *world);

/** Number of works in the queue, and the first one. The queue may hold works that have been
 *  retracted (idle by now). */
static inline size_t ew_sg_queued(const struct ew_sg_world *world)
{
    return world->queue.count - world->next_in_queue;
}
struct ew_sg_work *ew_sg_take(struct ew_sg_world *world);

/** Ask for a hand that tunes links which are not. */
void ew_sg_ask_to_tune(struct ew_sg_world *world);

/** Tell the job machine that a work is done, and let it choose what comes next. Does not return
 *  when the run is over. */
void ew_sg_report(struct ew_sg_world *world, struct ew_sg_work *work);

/** Let the job machine begin, likewise. */
void ew_sg_begin(struct ew_sg_world *world);

/** Send a failure to the parent and end the process. */
_Noreturn void ew_sg_fail(struct ew_sg_writer *writer, const struct ew_error *failure);

#endif
