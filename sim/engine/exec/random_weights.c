#include "engine/exec/random_weights.h"

#include <math.h>

#include "engine/exec/kernel/ref_isa.h"

/* SplitMix64's finaliser. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static float to_value(uint64_t bits)
{
    return (float)((int32_t)(bits >> 40) - (1 << 23)) / (float)(1 << 23);
}

float ew_random_value(uint64_t seed, uint64_t stream, uint64_t index)
{
    return to_value(mix(mix(seed ^ mix(stream)) + index));
}

void ew_random_values(float *out, uint64_t seed, uint64_t stream, uint64_t first, uint64_t count)
{
    ew_ref_isa_widest()->random(out, mix(seed ^ mix(stream)) + first, count);
}

/* Half-width of a uniform distribution with variance 2 / fan-in. */
static float filter_width(const struct ew_op_view *layer)
{
    const int32_t *in = layer->in_shape[0];
    double fan_in = (double)in[EW_C] * in[EW_H] * in[EW_W];
    if (layer->op == EW_OP_CONV) {
        fan_in = (double)(in[EW_C] / layer->attrs->groups) * layer->attrs->kernel[0] *
                 layer->attrs->kernel[1];
    }
    if (layer->op == EW_OP_CONV_TRANSPOSE) { /* kernel / stride meet in an output, more or less */
        fan_in = (double)(in[EW_C] / layer->attrs->groups) * layer->attrs->kernel[0] *
                 layer->attrs->kernel[1] / layer->attrs->stride[0] / layer->attrs->stride[1];
    }
    if (layer->op == EW_OP_LINEAR) {
        fan_in = (double)in[EW_W];
    }
    return (float)sqrt(6.0 / fan_in);
}

static enum ew_status read_random(float *out, const void *self, const struct ew_kernel_task *task,
                                  enum ew_weight_part part, uint64_t first, uint64_t count,
                                  struct ew_error *err)
{
    (void)err;
    const struct ew_random_weights *weights = self;
    const float widths[] = {[EW_WEIGHT_FILTER] = 0.0f,
                            [EW_WEIGHT_BIAS] = 0.05f,
                            [EW_WEIGHT_SCALE] = 0.1f,
                            [EW_WEIGHT_SHIFT] = 0.05f,
                            [EW_WEIGHT_VALUE] = 0.1f};
    const float width = part == EW_WEIGHT_FILTER ? filter_width(&task->layer) : widths[part];
    const bool is_factor = part == EW_WEIGHT_VALUE && task->layer.op == EW_OP_SCALE;
    const float middle = part == EW_WEIGHT_SCALE || is_factor ? 1.0f : 0.0f;
    const uint64_t number = part == EW_WEIGHT_VALUE ? 0 : (uint64_t)part; /* there is no filter */
    const uint64_t stream = ((uint64_t)task->variant << 32 | task->layer_id) * 4 + number;
    ew_random_values(out, weights->seed, stream, first, count);
    for (uint64_t i = 0; i < count; i++) {
        out[i] = middle + width * out[i];
    }
    return EW_OK;
}

struct ew_weight_source ew_random_weights_source(const struct ew_random_weights *weights)
{
    return (struct ew_weight_source){weights, read_random};
}
