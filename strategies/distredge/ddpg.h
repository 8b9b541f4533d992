/*
 * Deep deterministic policy gradient: an actor that maps states to actions in [-1, 1]^n, a critic
 * that values pairs of both, slow copies of the two, and a replay buffer.
 *
 * Knows nothing of what states and actions mean. Deterministic for one sequence of draws, on one
 * machine and library.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_DDPG_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_DDPG_H

#include <stdbool.h>
#include <stdint.h>

#include "distredge/blas.h"
#include "distredge/draw.h"
#include "distredge/mlp.h"
#include "distredge/replay.h"

/** Sizes and rates. */
struct ddpg_options {
    uint32_t n_state;
    uint32_t n_action;
    uint32_t batch;  /**< N_b */
    uint32_t buffer; /**< steps kept; >= batch */
    double gamma;    /**< discount */
    double tau;      /**< how fast the slow copies follow */
    double actor_rate;
    double critic_rate;
    double first_value;     /**< what the critic gives every pair at first, but for small weights */
    bool inverts_gradients; /**< near a bound the actor's gradient is scaled by the room left in its
                               direction, instead of by tanh's slope, which vanishes there */
};

/** The learner. Zero-initialise before ddpg_init. */
struct ddpg {
    struct ddpg_options options;
    struct draw draw;
    struct mlp actor;
    struct mlp critic;
    struct mlp slow_actor;
    struct mlp slow_critic;
    struct replay replay;
    uint32_t *slots; /**< of the current batch */
    float *targets;  /**< y of the current batch */
};

/** Take memory and draw the first parameters. False when memory runs out; free with ddpg_fini in
 *  any case. `blas` and the context of `draw` are borrowed. */
bool ddpg_init(struct ddpg *ddpg, const struct ddpg_options *options, const struct blas *blas,
               const struct draw *draw);
void ddpg_fini(struct ddpg *ddpg);

/** Remember a step; once there is a batch, learn from one. */
void ddpg_observe(struct ddpg *ddpg, const struct replay_step *step);

/** The actor's shape: hidden layers of 400, 200 and 100. */
struct mlp_shape ddpg_actor_shape(uint32_t n_state, uint32_t n_action);

/** The critic's: hidden layers of 400, 200, 100 and 100. */
struct mlp_shape ddpg_critic_shape(uint32_t n_state, uint32_t n_action);

#endif
