#include "distredge/mlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Arrays start on cache lines. */
enum { ALIGNMENT = 64, FLOATS_PER_LINE = ALIGNMENT / sizeof(float) };

static size_t padded(size_t n)
{
    return (n + FLOATS_PER_LINE - 1) / FLOATS_PER_LINE * FLOATS_PER_LINE;
}

/* ------------------------------------------------------------------ life */

static void lay_out_params(struct mlp *mlp)
{
    uint32_t at = 0;
    for (uint32_t l = 0; l < mlp->shape.n_layers; l++) {
        mlp->weights_at[l] = at;
        at += mlp->shape.width[l] * mlp->shape.width[l + 1];
        mlp->biases_at[l] = at;
        at += mlp->shape.width[l + 1];
    }
    mlp->n_params = at;
}

static float *take(float **rest, size_t n)
{
    float *taken = *rest;
    *rest += padded(n);
    return taken;
}

bool mlp_init(struct mlp *mlp, const struct mlp_shape *shape, const struct blas *blas,
              uint32_t max_batch, bool is_trained)
{
    *mlp = (struct mlp){.shape = *shape, .blas = blas, .max_batch = max_batch};
    lay_out_params(mlp);
    size_t copies = is_trained ? 4 : 1; /* parameters, gradient, two moments */
    size_t total = copies * padded(mlp->n_params);
    for (uint32_t l = 0; l <= shape->n_layers; l++) {
        total += (is_trained ? 2 : 1) * padded((size_t)max_batch * shape->width[l]);
    }
    mlp->memory = aligned_alloc(ALIGNMENT, total * sizeof(float));
    if (!mlp->memory) {
        return false;
    }
    memset(mlp->memory, 0, total * sizeof(float));
    float *rest = mlp->memory;
    mlp->params = take(&rest, mlp->n_params);
    if (is_trained) {
        mlp->gradient = take(&rest, mlp->n_params);
        mlp->moment = take(&rest, mlp->n_params);
        mlp->square = take(&rest, mlp->n_params);
    }
    for (uint32_t l = 0; l <= shape->n_layers; l++) {
        mlp->values[l] = take(&rest, (size_t)max_batch * shape->width[l]);
        mlp->deltas[l] = is_trained ? take(&rest, (size_t)max_batch * shape->width[l]) : NULL;
    }
    return true;
}

void mlp_fini(struct mlp *mlp)
{
    free(mlp->memory);
    memset(mlp, 0, sizeof *mlp);
}

void mlp_randomise(struct mlp *mlp, double last_bound, const struct draw *draw)
{
    uint32_t n_layers = mlp->shape.n_layers;
    for (uint32_t l = 0; l < n_layers; l++) {
        double bound = l + 1 == n_layers ? last_bound : 1.0 / sqrt((double)mlp->shape.width[l]);
        uint32_t end = l + 1 < n_layers ? mlp->weights_at[l + 1] : mlp->n_params;
        for (uint32_t i = mlp->weights_at[l]; i < end; i++) {
            mlp->params[i] = (float)(bound * (2.0 * draw_unit(draw) - 1.0));
        }
    }
    if (mlp->gradient) {
        memset(mlp->moment, 0, mlp->n_params * sizeof(float));
        memset(mlp->square, 0, mlp->n_params * sizeof(float));
    }
    mlp->n_steps = 0;
}

/* ------------------------------------------------------------------ forward */

static void activate(float *values, size_t n, bool is_last, bool has_tanh)
{
    if (!is_last) {
        for (size_t i = 0; i < n; i++) {
            values[i] = values[i] > 0.0f ? values[i] : 0.0f;
        }
    } else if (has_tanh) {
        for (size_t i = 0; i < n; i++) {
            values[i] = tanhf(values[i]);
        }
    }
}

/* out := in W + b */
static void multiply(const struct mlp *mlp, uint32_t layer, uint32_t batch)
{
    const int n_in = (int)mlp->shape.width[layer];
    const int n_out = (int)mlp->shape.width[layer + 1];
    const float *in = mlp->values[layer];
    const float *weights = mlp->params + mlp->weights_at[layer];
    const float *biases = mlp->params + mlp->biases_at[layer];
    float *out = mlp->values[layer + 1];
    for (uint32_t b = 0; b < batch; b++) {
        memcpy(out + (size_t)b * (size_t)n_out, biases, (size_t)n_out * sizeof *out);
    }
    if (batch == 1) {
        mlp->blas->cblas_sgemv(CblasRowMajor, CblasTrans, n_in, n_out, 1.0f, weights, n_out, in, 1,
                               1.0f, out, 1);
    } else {
        mlp->blas->cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)batch, n_out, n_in,
                               1.0f, in, n_in, weights, n_out, 1.0f, out, n_out);
    }
}

const float *mlp_forward(struct mlp *mlp, uint32_t batch)
{
    uint32_t n_layers = mlp->shape.n_layers;
    for (uint32_t l = 0; l < n_layers; l++) {
        multiply(mlp, l, batch);
        activate(mlp->values[l + 1], (size_t)batch * mlp->shape.width[l + 1], l + 1 == n_layers,
                 mlp->shape.has_tanh);
    }
    return mlp->values[n_layers];
}

const float *mlp_answer(struct mlp *mlp, const float *input)
{
    memcpy(mlp->values[0], input, mlp->shape.width[0] * sizeof *input);
    return mlp_forward(mlp, 1);
}

/* ------------------------------------------------------------------ backward */

/* From the loss by the layer's outputs to the loss by what went into its activation. */
static void deactivate(const struct mlp *mlp, uint32_t layer, uint32_t batch)
{
    float *delta = mlp->deltas[layer + 1];
    const float *value = mlp->values[layer + 1];
    size_t n = (size_t)batch * mlp->shape.width[layer + 1];
    if (layer + 1 < mlp->shape.n_layers) {
        for (size_t i = 0; i < n; i++) {
            delta[i] = value[i] > 0.0f ? delta[i] : 0.0f;
        }
    } else if (mlp->shape.has_tanh) {
        for (size_t i = 0; i < n; i++) {
            delta[i] *= 1.0f - value[i] * value[i];
        }
    }
}

static void add_gradient(struct mlp *mlp, uint32_t layer, uint32_t batch)
{
    const int n_in = (int)mlp->shape.width[layer];
    const int n_out = (int)mlp->shape.width[layer + 1];
    const float *delta = mlp->deltas[layer + 1];
    float *biases = mlp->gradient + mlp->biases_at[layer];
    mlp->blas->cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n_in, n_out, (int)batch, 1.0f,
                           mlp->values[layer], n_in, delta, n_out, 0.0f,
                           mlp->gradient + mlp->weights_at[layer], n_out);
    memset(biases, 0, (size_t)n_out * sizeof *biases);
    for (uint32_t b = 0; b < batch; b++) {
        for (int o = 0; o < n_out; o++) {
            biases[o] += delta[(size_t)b * (size_t)n_out + (size_t)o];
        }
    }
}

void mlp_backward(struct mlp *mlp, uint32_t batch, unsigned want)
{
    for (uint32_t l = mlp->shape.n_layers; l-- > 0;) {
        const int n_in = (int)mlp->shape.width[l];
        const int n_out = (int)mlp->shape.width[l + 1];
        if (l + 1 < mlp->shape.n_layers || !(want & MLP_SKIP_OUTPUT)) {
            deactivate(mlp, l, batch);
        }
        if (want & MLP_WANT_GRADIENT) {
            add_gradient(mlp, l, batch);
        }
        if (l > 0 || (want & MLP_WANT_INPUT)) {
            mlp->blas->cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)batch, n_in, n_out,
                                   1.0f, mlp->deltas[l + 1], n_out,
                                   mlp->params + mlp->weights_at[l], n_out, 0.0f, mlp->deltas[l],
                                   n_in);
        }
    }
}

/* ------------------------------------------------------------------ parameters */

/* Units that are never active leave moments that decay into subnormal numbers, on which processors
 * are a hundred times slower. Numbers this small move nothing beside epsilon. */
static inline float without_dust(float x, float smallest)
{
    return fabsf(x) < smallest ? 0.0f : x;
}

void mlp_adam(struct mlp *mlp, double learning_rate)
{
    const float beta_1 = 0.9f;
    const float beta_2 = 0.999f;
    const float epsilon = 1e-8f;
    mlp->n_steps++;
    double correction_1 = 1.0 - pow(0.9, (double)mlp->n_steps);
    double correction_2 = 1.0 - pow(0.999, (double)mlp->n_steps);
    const float rate = (float)(learning_rate / correction_1);
    const float scale = (float)(1.0 / correction_2);
    float *restrict params = mlp->params;
    float *restrict moment = mlp->moment;
    float *restrict square = mlp->square;
    const float *restrict gradient = mlp->gradient;
    const uint32_t n = mlp->n_params;
    for (uint32_t i = 0; i < n; i++) {
        float g = without_dust(gradient[i], 1e-15f);
        moment[i] = without_dust(beta_1 * moment[i] + (1.0f - beta_1) * g, 1e-30f);
        square[i] = without_dust(beta_2 * square[i] + (1.0f - beta_2) * (g * g), 1e-30f);
        params[i] -= rate * moment[i] / (sqrtf(square[i] * scale) + epsilon);
    }
}

void mlp_copy(struct mlp *to, const struct mlp *from)
{
    memcpy(to->params, from->params, from->n_params * sizeof(float));
}

void mlp_follow(struct mlp *to, const struct mlp *from, double tau)
{
    const float share = (float)tau;
    float *restrict params = to->params;
    const float *restrict target = from->params;
    const uint32_t n = to->n_params;
    for (uint32_t i = 0; i < n; i++) {
        params[i] += share * (target[i] - params[i]);
    }
}
