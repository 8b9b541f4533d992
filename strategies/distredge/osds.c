#include "distredge/osds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distredge/ddpg.h"
#include "distredge/vsl.h"

/* Beside the latencies a state holds the height, depth, filter and stride of a volume. */
enum { N_FEATURES = 4 };

enum { PROGRESS_EPISODES = 250 };

struct mlp_shape osds_actor_shape(uint32_t n_parts)
{
    return ddpg_actor_shape(n_parts + N_FEATURES, n_parts - 1);
}

struct mlp_shape osds_critic_shape(uint32_t n_parts)
{
    return ddpg_critic_shape(n_parts + N_FEATURES, n_parts - 1);
}

/* ------------------------------------------------------------------ actions */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

void osds_map_action(int32_t *cuts, float *actions, uint32_t n_parts, int32_t rows)
{
    if (n_parts > 2) {
        qsort(actions, n_parts - 1, sizeof *actions, compare_floats);
    }
    cuts[0] = 0;
    for (uint32_t i = 1; i < n_parts; i++) {
        cuts[i] = vsl_round((double)rows * ((double)actions[i - 1] + 1.0) / 2.0);
    }
    cuts[n_parts] = rows;
}

double osds_evaluate(const struct osds_problem *problem, const int32_t *cuts, double *finish_s)
{
    for (uint32_t v = 0; v < problem->n_volumes; v++) {
        problem->decide(problem->ctx, v, cuts + (size_t)v * (problem->n_parts + 1), finish_s);
    }
    return problem->latency_s(problem->ctx);
}

/* ------------------------------------------------------------------ episodes */

struct search {
    const struct osds_problem *problem;
    const struct osds_options *options;
    double scale_s;
    struct mlp *actor; /* who decides: the learner's, or somebody else's */
    struct ddpg ddpg;
    struct draw draw;
    uint32_t n_state;
    uint32_t n_action;
    double *finish_s; /* per part */
    float *states;    /* [volume + 1][n_state] of this episode */
    float *actions;   /* [volume][n_action], raw */
    float *sorted;
    int32_t *cuts; /* [volume][n_parts + 1] of this episode */
};

static void write_state(struct search *search, uint32_t v)
{
    const struct osds_problem *problem = search->problem;
    const struct osds_volume *volume = &problem->volumes[v];
    float *state = search->states + (size_t)v * search->n_state;
    for (uint32_t i = 0; i < problem->n_parts; i++) {
        state[i] = v == 0 ? 0.0f : (float)(search->finish_s[i] / search->scale_s);
    }
    float *features = state + problem->n_parts;
    features[0] = (float)volume->rows / (float)problem->volumes[0].rows;
    features[1] = (float)volume->channels / 512.0f;
    features[2] = (float)volume->kernel / 7.0f;
    features[3] = (float)volume->stride / 2.0f;
}

static void choose(struct search *search, uint32_t v, double noise)
{
    const float *state = search->states + (size_t)v * search->n_state;
    const float *chosen = mlp_answer(search->actor, state);
    float *raw = search->actions + (size_t)v * search->n_action;
    for (uint32_t i = 0; i < search->n_action; i++) {
        double value = chosen[i] + (noise > 0.0 ? noise * draw_normal(&search->draw) : 0.0);
        raw[i] = (float)value;
        search->sorted[i] = (float)fmin(1.0, fmax(-1.0, value));
    }
}

static void take_step(struct search *search, uint32_t v, double noise)
{
    const struct osds_problem *problem = search->problem;
    int32_t *cuts = search->cuts + (size_t)v * (problem->n_parts + 1);
    write_state(search, v);
    choose(search, v, noise);
    osds_map_action(cuts, search->sorted, problem->n_parts, problem->volumes[v].rows);
    problem->decide(problem->ctx, v, cuts, search->finish_s);
}

static void remember(struct search *search, uint32_t v, double reward)
{
    bool is_last = v + 1 == search->problem->n_volumes;
    const struct replay_step step = {
        .state = search->states + (size_t)v * search->n_state,
        .action = search->actions + (size_t)v * search->n_action,
        .reward = (float)reward,
        .next_state = search->states + (size_t)(v + 1) * search->n_state,
        .is_last = is_last,
    };
    ddpg_observe(&search->ddpg, &step);
}

/* One walk without learning; its latency. */
static double roll_out(struct search *search, double noise)
{
    for (uint32_t v = 0; v < search->problem->n_volumes; v++) {
        take_step(search, v, noise);
    }
    return search->problem->latency_s(search->problem->ctx);
}

/* One episode; its latency. A step is remembered, and learned from, when the next state is known:
 * the last step when the latency is. */
static double run_episode(struct search *search, double epsilon)
{
    const struct osds_problem *problem = search->problem;
    const double sigma = sqrt(search->options->sigma_2);
    double latency_s = 0.0;
    for (uint32_t v = 0; v < problem->n_volumes; v++) {
        bool is_noisy = draw_unit(&search->draw) < epsilon;
        take_step(search, v, is_noisy ? sigma : 0.0);
        if (v + 1 < problem->n_volumes) {
            write_state(search, v + 1);
            remember(search, v, 0.0);
            continue;
        }
        latency_s = problem->latency_s(problem->ctx);
        if (latency_s < 0.0) {
            return latency_s;
        }
        double scale_s = search->options->rewards_inverse ? 1.0 : search->options->scale_s;
        remember(search, v, scale_s / latency_s);
    }
    return latency_s;
}

/* The split of this episode. */
static void keep_split(struct osds_split *out, const struct search *search, double latency_s)
{
    const struct osds_problem *problem = search->problem;
    const size_t n_cuts = (size_t)problem->n_volumes * (problem->n_parts + 1);
    memcpy(out->cuts, search->cuts, n_cuts * sizeof *out->cuts);
    out->latency_s = latency_s;
}

static enum osds_outcome run_episodes(struct search *search, struct osds_split *best,
                                      struct osds_history *history, struct osds_networks *networks)
{
    const struct osds_options *options = search->options;
    best->latency_s = INFINITY;
    for (uint32_t episode = 1; episode <= options->max_episodes; episode++) {
        double share = episode / options->explore_episodes;
        double latency_s = run_episode(search, 1.0 - share * share);
        history->n_episodes = episode;
        if (latency_s < 0.0) {
            return OSDS_STOPPED;
        }
        if (latency_s < best->latency_s || episode == 1) {
            keep_split(best, search, latency_s);
            history->best_episode = episode;
            if (networks) {
                mlp_copy(&networks->actor, &search->ddpg.actor);
                mlp_copy(&networks->critic, &search->ddpg.critic);
            }
        }
        if (options->progress && episode % PROGRESS_EPISODES == 0) {
            options->progress(options->progress_ctx, episode, best->latency_s);
        }
        if (options->patience > 0 && episode - history->best_episode >= options->patience) {
            break;
        }
    }
    return OSDS_FOUND;
}

static bool allocate(struct search *search)
{
    const struct osds_problem *problem = search->problem;
    size_t n_volumes = problem->n_volumes;
    search->n_state = problem->n_parts + N_FEATURES;
    search->n_action = problem->n_parts - 1;
    search->finish_s = calloc(problem->n_parts, sizeof *search->finish_s);
    search->states = calloc((n_volumes + 1) * search->n_state, sizeof *search->states);
    search->actions = calloc(n_volumes * search->n_action, sizeof *search->actions);
    search->sorted = calloc(search->n_action, sizeof *search->sorted);
    search->cuts = calloc(n_volumes * (problem->n_parts + 1), sizeof *search->cuts);
    return search->finish_s && search->states && search->actions && search->sorted && search->cuts;
}

static void release(struct search *search)
{
    ddpg_fini(&search->ddpg);
    free(search->finish_s);
    free(search->states);
    free(search->actions);
    free(search->sorted);
    free(search->cuts);
}

static bool start_learner(struct search *search, const struct blas *blas)
{
    const struct osds_options *options = search->options;
    struct ddpg *ddpg = &search->ddpg;
    const struct ddpg_options learner = {
        .n_state = search->n_state,
        .n_action = search->n_action,
        .batch = options->batch,
        .buffer = options->buffer,
        .gamma = options->gamma,
        .tau = options->tau,
        .actor_rate = options->actor_rate,
        .critic_rate = options->critic_rate,
        .first_value = options->starts_unknowing  ? 0.0
                       : options->rewards_inverse ? 1.0 / options->scale_s
                                                  : 1.0,
        .inverts_gradients = options->inverts_gradients,
    };
    if (!ddpg_init(ddpg, &learner, blas, &search->draw)) {
        return false;
    }
    if (options->start) {
        mlp_copy(&ddpg->actor, options->start);
        mlp_copy(&ddpg->slow_actor, options->start);
    }
    if (options->start_critic) {
        mlp_copy(&ddpg->critic, options->start_critic);
        mlp_copy(&ddpg->slow_critic, options->start_critic);
    }
    search->actor = &ddpg->actor;
    return true;
}

static enum osds_outcome learn(struct search *search, struct osds_split *best,
                               struct osds_history *history, struct osds_networks *networks)
{
    history->initial_latency_s = roll_out(search, 0.0);
    if (history->initial_latency_s < 0.0) {
        return OSDS_STOPPED;
    }
    const enum osds_outcome outcome = run_episodes(search, best, history, networks);
    if (outcome == OSDS_FOUND) {
        history->final_latency_s = roll_out(search, 0.0);
    }
    return history->final_latency_s < 0.0 ? OSDS_STOPPED : outcome;
}

enum osds_outcome osds_search(struct osds_split *best, struct osds_history *history,
                              struct osds_networks *networks, const struct osds_problem *problem,
                              const struct osds_options *options, const struct blas *blas,
                              const struct draw *draw)
{
    struct search search = {
        .problem = problem, .options = options, .scale_s = options->scale_s, .draw = *draw};
    enum osds_outcome outcome = OSDS_NO_MEMORY;
    *history = (struct osds_history){0};
    if (allocate(&search) && start_learner(&search, blas)) {
        outcome = learn(&search, best, history, networks);
    }
    release(&search);
    return outcome;
}

enum osds_outcome osds_follow(struct osds_split *out, struct mlp *actor,
                              const struct osds_problem *problem, const struct osds_tries *tries)
{
    struct search search = {
        .problem = problem, .scale_s = tries->scale_s, .actor = actor, .draw = tries->draw};
    enum osds_outcome outcome = allocate(&search) ? OSDS_FOUND : OSDS_NO_MEMORY;
    const double sigma = sqrt(tries->sigma_2);
    out->latency_s = INFINITY;
    for (uint32_t t = 0; t <= tries->n && outcome == OSDS_FOUND; t++) {
        const double latency_s = roll_out(&search, t == 0 ? 0.0 : sigma);
        if (t == 0 || latency_s < out->latency_s) { /* negative, too: an error */
            keep_split(out, &search, latency_s);
        }
        outcome = latency_s < 0.0 ? OSDS_STOPPED : OSDS_FOUND;
    }
    release(&search);
    return outcome;
}
