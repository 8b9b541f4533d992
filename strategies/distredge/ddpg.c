#include "distredge/ddpg.h"

#include <stdlib.h>
#include <string.h>

/* Output layers start this close to zero (DDPG, Lillicrap et al. 2016, recalled, high). */
static const double LAST_BOUND = 3e-3;

struct mlp_shape ddpg_actor_shape(uint32_t n_state, uint32_t n_action)
{
    return (struct mlp_shape){
        .n_layers = 4, .width = {n_state, 400, 200, 100, n_action}, .has_tanh = true};
}

struct mlp_shape ddpg_critic_shape(uint32_t n_state, uint32_t n_action)
{
    return (struct mlp_shape){.n_layers = 5, .width = {n_state + n_action, 400, 200, 100, 100, 1}};
}

bool ddpg_init(struct ddpg *ddpg, const struct ddpg_options *options, const struct blas *blas,
               const struct draw *draw)
{
    struct mlp_shape actor = ddpg_actor_shape(options->n_state, options->n_action);
    struct mlp_shape critic = ddpg_critic_shape(options->n_state, options->n_action);
    ddpg->options = *options;
    ddpg->draw = *draw;
    ddpg->slots = calloc(options->batch, sizeof *ddpg->slots);
    ddpg->targets = calloc(options->batch, sizeof *ddpg->targets);
    if (!ddpg->slots || !ddpg->targets ||
        !mlp_init(&ddpg->actor, &actor, blas, options->batch, true) ||
        !mlp_init(&ddpg->critic, &critic, blas, options->batch, true) ||
        !mlp_init(&ddpg->slow_actor, &actor, blas, options->batch, false) ||
        !mlp_init(&ddpg->slow_critic, &critic, blas, options->batch, false) ||
        !replay_init(&ddpg->replay, options->n_state, options->n_action, options->buffer)) {
        return false;
    }
    mlp_randomise(&ddpg->actor, LAST_BOUND, draw);
    mlp_randomise(&ddpg->critic, LAST_BOUND, draw);
    ddpg->critic.params[ddpg->critic.n_params - 1] += (float)options->first_value;
    mlp_copy(&ddpg->slow_actor, &ddpg->actor);
    mlp_copy(&ddpg->slow_critic, &ddpg->critic);
    return true;
}

void ddpg_fini(struct ddpg *ddpg)
{
    mlp_fini(&ddpg->actor);
    mlp_fini(&ddpg->critic);
    mlp_fini(&ddpg->slow_actor);
    mlp_fini(&ddpg->slow_critic);
    replay_fini(&ddpg->replay);
    free(ddpg->slots);
    free(ddpg->targets);
    memset(ddpg, 0, sizeof *ddpg);
}

/* ------------------------------------------------------------------ learning */

/* Row `b` of the critic's input. */
static void put_pair(struct mlp *critic, uint32_t b, const float *state, uint32_t n_state,
                     const float *action, uint32_t n_action)
{
    float *row = critic->values[0] + (size_t)b * (n_state + n_action);
    memcpy(row, state, n_state * sizeof *row);
    memcpy(row + n_state, action, n_action * sizeof *row);
}

/* y = r + gamma Q'(s', mu'(s')); y = r for an episode's last step. */
static void find_targets(struct ddpg *ddpg)
{
    const struct ddpg_options *o = &ddpg->options;
    uint32_t n_going_on = 0;
    for (uint32_t b = 0; b < o->batch; b++) {
        ddpg->slots[b] = draw_below(&ddpg->draw, ddpg->replay.n);
        struct replay_step step = replay_at(&ddpg->replay, ddpg->slots[b]);
        if (!step.is_last) {
            memcpy(ddpg->slow_actor.values[0] + (size_t)n_going_on++ * o->n_state, step.next_state,
                   o->n_state * sizeof(float));
        }
    }
    const float *values = NULL;
    if (n_going_on > 0) {
        const float *actions = mlp_forward(&ddpg->slow_actor, n_going_on);
        for (uint32_t i = 0; i < n_going_on; i++) {
            put_pair(&ddpg->slow_critic, i, ddpg->slow_actor.values[0] + (size_t)i * o->n_state,
                     o->n_state, actions + (size_t)i * o->n_action, o->n_action);
        }
        values = mlp_forward(&ddpg->slow_critic, n_going_on);
    }
    for (uint32_t b = 0; b < o->batch; b++) {
        struct replay_step step = replay_at(&ddpg->replay, ddpg->slots[b]);
        ddpg->targets[b] = step.reward + (step.is_last ? 0.0f : (float)o->gamma * *values++);
    }
}

/* Minimise the mean of (Q(s, a) - y)^2. */
static void improve_critic(struct ddpg *ddpg)
{
    const struct ddpg_options *o = &ddpg->options;
    for (uint32_t b = 0; b < o->batch; b++) {
        struct replay_step step = replay_at(&ddpg->replay, ddpg->slots[b]);
        put_pair(&ddpg->critic, b, step.state, o->n_state, step.action, o->n_action);
    }
    const float *values = mlp_forward(&ddpg->critic, o->batch);
    float *delta = ddpg->critic.deltas[ddpg->critic.shape.n_layers];
    for (uint32_t b = 0; b < o->batch; b++) {
        delta[b] = 2.0f * (values[b] - ddpg->targets[b]) / (float)o->batch;
    }
    mlp_backward(&ddpg->critic, o->batch, MLP_WANT_GRADIENT);
    mlp_adam(&ddpg->critic, o->critic_rate);
}

/* Inverting gradients (Hausknecht and Stone, ICLR 2016, recalled, medium): towards a bound the step
 * shrinks with the room left, away from it it does not. `delta` is the loss, to be lowered, by an
 * action; becomes the loss before the tanh. */
static void invert(float *delta, const float *actions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float room = delta[i] < 0.0f ? 1.0f - actions[i] : 1.0f + actions[i];
        delta[i] *= 0.5f * room;
    }
}

/* Maximise the mean of Q(s, mu(s)). */
static void improve_actor(struct ddpg *ddpg)
{
    const struct ddpg_options *o = &ddpg->options;
    for (uint32_t b = 0; b < o->batch; b++) {
        struct replay_step step = replay_at(&ddpg->replay, ddpg->slots[b]);
        memcpy(ddpg->actor.values[0] + (size_t)b * o->n_state, step.state,
               o->n_state * sizeof(float));
    }
    const float *actions = mlp_forward(&ddpg->actor, o->batch);
    float *critic_delta = ddpg->critic.deltas[ddpg->critic.shape.n_layers];
    for (uint32_t b = 0; b < o->batch; b++) {
        put_pair(&ddpg->critic, b, ddpg->actor.values[0] + (size_t)b * o->n_state, o->n_state,
                 actions + (size_t)b * o->n_action, o->n_action);
        critic_delta[b] = -1.0f / (float)o->batch;
    }
    (void)mlp_forward(&ddpg->critic, o->batch);
    mlp_backward(&ddpg->critic, o->batch, MLP_WANT_INPUT);
    float *actor_delta = ddpg->actor.deltas[ddpg->actor.shape.n_layers];
    for (uint32_t b = 0; b < o->batch; b++) {
        const float *row = ddpg->critic.deltas[0] + (size_t)b * (o->n_state + o->n_action);
        memcpy(actor_delta + (size_t)b * o->n_action, row + o->n_state,
               o->n_action * sizeof(float));
    }
    unsigned want = MLP_WANT_GRADIENT;
    if (o->inverts_gradients) {
        invert(actor_delta, actions, (size_t)o->batch * o->n_action);
        want |= MLP_SKIP_OUTPUT;
    }
    mlp_backward(&ddpg->actor, o->batch, want);
    mlp_adam(&ddpg->actor, o->actor_rate);
}

void ddpg_observe(struct ddpg *ddpg, const struct replay_step *step)
{
    replay_add(&ddpg->replay, step);
    if (ddpg->replay.n < ddpg->options.batch) {
        return;
    }
    find_targets(ddpg);
    improve_critic(ddpg);
    improve_actor(ddpg);
    mlp_follow(&ddpg->slow_actor, &ddpg->actor, ddpg->options.tau);
    mlp_follow(&ddpg->slow_critic, &ddpg->critic, ddpg->options.tau);
}
