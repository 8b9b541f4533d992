/*
 * Replay buffer of transitions (state, raw action, reward, next state), a ring that forgets the
 * oldest.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_REPLAY_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/** One step of an episode. Arrays borrowed. */
struct replay_step {
    const float *state;
    const float *action; /**< as the actor gave it, before sorting */
    float reward;
    const float *next_state; /**< not read when the step is the last one */
    bool is_last;
};

/** The buffer. */
struct replay {
    uint32_t n_state;
    uint32_t n_action;
    uint32_t capacity;
    uint32_t n;    /**< steps held */
    uint32_t next; /**< slot that is written next */
    float *states; /**< [slot][n_state] */
    float *actions;
    float *next_states;
    float *rewards;
    bool *is_last;
};

/** False when memory runs out; capacity >= 1. Free with replay_fini in any case. */
bool replay_init(struct replay *replay, uint32_t n_state, uint32_t n_action, uint32_t capacity);
void replay_fini(struct replay *replay);

/** Keep a copy, in place of the oldest when full. */
void replay_add(struct replay *replay, const struct replay_step *step);

/** Slot's step, borrowed; slot < replay->n. */
struct replay_step replay_at(const struct replay *replay, uint32_t slot);

#endif
