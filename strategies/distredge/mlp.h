/*
 * Small dense networks in float32: forward, backward, Adam. Hidden units are rectified; outputs are
 * linear or tanh.
 *
 * All memory is taken by mlp_init; nothing is allocated afterwards. Matrices are row-major; a batch
 * is one row per sample.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_MLP_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_MLP_H

#include <stdbool.h>
#include <stdint.h>

#include "distredge/blas.h"
#include "distredge/draw.h"

enum { MLP_MAX_LAYERS = 8 };

/** Shape of a network. */
struct mlp_shape {
    uint32_t n_layers;                  /**< with weights, 1 … MLP_MAX_LAYERS */
    uint32_t width[MLP_MAX_LAYERS + 1]; /**< inputs, hidden units, outputs; all >= 1 */
    bool has_tanh;                      /**< outputs in [-1, 1]; else linear */
};

/** A network with room for batches. */
struct mlp {
    struct mlp_shape shape;
    const struct blas *blas; /**< borrowed */
    uint32_t max_batch;
    uint32_t n_params;
    float *memory;                       /**< owns all arrays below */
    float *params;                       /**< per layer: weights [in][out], then biases */
    float *gradient;                     /**< like params; NULL without training */
    float *moment;                       /**< Adam: mean of gradients */
    float *square;                       /**< Adam: mean of squares */
    uint64_t n_steps;                    /**< Adam steps so far */
    float *values[MLP_MAX_LAYERS + 1];   /**< [batch][width]: [0] is the input, to be filled in */
    float *deltas[MLP_MAX_LAYERS + 1];   /**< loss by values; NULL without training */
    uint32_t weights_at[MLP_MAX_LAYERS]; /**< offsets in params */
    uint32_t biases_at[MLP_MAX_LAYERS];
};

/** Take memory for batches of up to `max_batch` (>= 1). False when it runs out; free with mlp_fini
 *  in any case. Parameters are zero. */
bool mlp_init(struct mlp *mlp, const struct mlp_shape *shape, const struct blas *blas,
              uint32_t max_batch, bool is_trained);
void mlp_fini(struct mlp *mlp);

/** Draw parameters: hidden layers uniform within 1/sqrt(inputs), the last layer within
 *  `last_bound`, biases like their layer. Forgets Adam's moments. */
void mlp_randomise(struct mlp *mlp, double last_bound, const struct draw *draw);

/** Outputs for the `batch` inputs in values[0]. */
const float *mlp_forward(struct mlp *mlp, uint32_t batch);

/** Outputs for one input, valid until the next call. */
const float *mlp_answer(struct mlp *mlp, const float *input);

/** What mlp_backward computes besides. */
enum mlp_want {
    MLP_WANT_GRADIENT = 1, /**< the gradient by parameters */
    MLP_WANT_INPUT = 2,    /**< the gradient by inputs, deltas[0] */
    MLP_SKIP_OUTPUT = 4,   /**< deltas[n_layers] is the loss before the output activation */
};

/** Backward through the last mlp_forward. deltas[n_layers], the loss by outputs, is filled in by
 *  the caller and overwritten. `want` is an or of enum mlp_want. */
void mlp_backward(struct mlp *mlp, uint32_t batch, unsigned want);

/** One Adam step along the gradient (beta 0.9 and 0.999, epsilon 1e-8). */
void mlp_adam(struct mlp *mlp, double learning_rate);

/** Parameters of `to` become those of `from`; equal shapes. */
void mlp_copy(struct mlp *to, const struct mlp *from);

/** to := tau from + (1 - tau) to; equal shapes. */
void mlp_follow(struct mlp *to, const struct mlp *from, double tau);

#endif
