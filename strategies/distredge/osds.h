/*
 * OSDS, DistrEdge's optimal split decision search: an episode walks over the layer-volumes, decides
 * at each where to cut its rows, and is rewarded at the end with the inverse of the latency. A DDPG
 * agent learns; the best split ever seen is the answer.
 *
 * Knows the problem only through struct osds_problem: how many rows each volume has, and what an
 * environment answers.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_OSDS_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_OSDS_H

#include <stdbool.h>
#include <stdint.h>

#include "distredge/blas.h"
#include "distredge/draw.h"
#include "distredge/mlp.h"

/** A layer-volume as the agent sees it: its last layer. */
struct osds_volume {
    int32_t rows;     /**< H: output rows, >= 1 */
    int32_t channels; /**< C */
    int32_t kernel;   /**< F */
    int32_t stride;   /**< S */
};

/** What is to be split. Borrowed. Cuts of a volume are n_parts + 1 ascending rows, 0 … rows. */
struct osds_problem {
    uint32_t n_volumes; /**< >= 1 */
    uint32_t n_parts;   /**< >= 1 */
    const struct osds_volume *volumes;
    void *ctx;
    /** Decide a volume (in order from 0, which starts a new split); fills the n_parts accumulated
     *  latencies behind it. */
    void (*decide)(void *ctx, uint32_t volume, const int32_t *cuts, double *finish_s);
    /** Latency of the split decided; INFINITY when it cannot be had. Negative: stop, an error has
     *  been recorded. */
    double (*latency_s)(void *ctx);
};

/** A complete split with its latency. */
struct osds_split {
    int32_t *cuts; /**< [volume][part + 1] */
    double latency_s;
};

/** How the agent learns; the paper's values in brackets. */
struct osds_options {
    uint32_t max_episodes;   /**< [4000] */
    uint32_t patience;       /**< stop when the best has stood for so many episodes; 0: never */
    double explore_episodes; /**< 1 / Delta [250] */
    double sigma_2;          /**< variance of the noise [0.1, with 16 providers 1] */
    uint32_t batch;          /**< [64] */
    uint32_t buffer;
    double gamma;       /**< [0.99] */
    double actor_rate;  /**< [1e-4] */
    double critic_rate; /**< [1e-3] */
    double tau;
    double scale_s;          /**< > 0: a latency that counts as 1 in states and in the reward */
    bool rewards_inverse;    /**< reward 1/T in 1/s; else scale_s/T */
    bool starts_unknowing;   /**< the critic's first value is 0; else the reward of scale_s */
    bool inverts_gradients;  /**< see struct ddpg_options */
    const struct mlp *start; /**< actor to start from; NULL: random */
    const struct mlp *start_critic;                               /**< likewise */
    void (*progress)(void *ctx, uint32_t episode, double best_s); /**< now and then; or NULL */
    void *progress_ctx;
};

/** What the search went through. */
struct osds_history {
    uint32_t n_episodes;
    uint32_t best_episode;    /**< from 1 */
    double initial_latency_s; /**< of the untrained actor, without noise */
    double final_latency_s;   /**< of the last actor, without noise */
};

/** Networks that a search hands out: those of the best split's episode. Shapes as osds_actor_shape
 *  and osds_critic_shape, initialised by the caller. */
struct osds_networks {
    struct mlp actor;
    struct mlp critic;
};

enum osds_outcome {
    OSDS_FOUND,
    OSDS_NO_MEMORY,
    OSDS_STOPPED, /**< latency_s reported an error */
};

/** Search. `best->cuts` has room for all volumes. `networks` may be NULL. */
enum osds_outcome osds_search(struct osds_split *best, struct osds_history *history,
                              struct osds_networks *networks, const struct osds_problem *problem,
                              const struct osds_options *options, const struct blas *blas,
                              const struct draw *draw);

/** Trying an actor out. */
struct osds_tries {
    double scale_s;   /**< as in the options that it was trained with */
    uint32_t n;       /**< how often with noise */
    double sigma_2;   /**< the noise's variance */
    struct draw draw; /**< not used without noise */
};

/** The best of what an actor decides by itself and of its tries with noise, without learning. */
enum osds_outcome osds_follow(struct osds_split *out, struct mlp *actor,
                              const struct osds_problem *problem, const struct osds_tries *tries);

/** Shapes for `n_parts` parts, at least two. */
struct mlp_shape osds_actor_shape(uint32_t n_parts);
struct mlp_shape osds_critic_shape(uint32_t n_parts);

/** The split decision of raw actions in [-1, 1]: sorted, then round(rows (a + 1) / 2), half to
 *  even. `actions` has n_parts - 1 values and is sorted in place. */
void osds_map_action(int32_t *cuts, float *actions, uint32_t n_parts, int32_t rows);

/** Latency of a complete split; see osds_problem.latency_s. `finish_s`: scratch, n_parts. */
double osds_evaluate(const struct osds_problem *problem, const int32_t *cuts, double *finish_s);

#endif
