/*
 * Hands: the actors. A hand takes a work from the world's queue, lets SimGrid simulate it, reports
 * it, and looks for the next. It is bound to no device or connection, so that it can go on at once
 * with whatever its own report has set free; only what is left over needs another hand. That saves
 * most of the switches between actors that actors of devices and connections would need.
 */
#ifndef EW_ENGINE_SIMGRID_SG_HAND_H
#define EW_ENGINE_SIMGRID_SG_HAND_H

#include "engine/simgrid/sg_world.h"

/** An actor. */
struct ew_sg_hand {
    struct ew_sg_world *world;
    sg_actor_t actor;        /**< set by the actor itself */
    struct ew_sg_work *work; /**< what it does; NULL: nothing, or it has been dismissed */
    bool is_dismissed;       /**< to be killed */
    bool is_condemned;       /**< being killed */
    bool is_raising;         /**< counted in the world's n_raising */
};

/** Make the first hand, which lets the job machine begin; to be called before simgrid_run. */
void ew_sg_hand_first(struct ew_sg_world *world);

/** Stop a busy work: somebody kills its hand at this simulated time. (From C a communication cannot
 *  be cancelled in another way.) */
void ew_sg_hand_dismiss(struct ew_sg_world *world, struct ew_sg_work *work);

#endif
