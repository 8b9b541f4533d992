/*
 * Weights of conv and fc tasks: read once, in the order the inner loops walk them.
 */
#include <stdlib.h>

#include "engine/exec/kernel/reference.h"

struct ew_ref_span ew_ref_conv_span(const struct ew_kernel_task *task, int32_t channel)
{
    const struct ew_op_attrs *a = task->layer.attrs;
    const int32_t out_per_group = a->out_channels / a->groups;
    const int32_t in_per_group = task->layer.in_shape[0][EW_C] / a->groups;
    const int32_t group = channel / out_per_group;
    const int32_t end = (group + 1) * out_per_group;
    struct ew_ref_span span = {channel, end < task->channels[1] ? end : task->channels[1],
                               group * in_per_group, (group + 1) * in_per_group};
    if (task->reduction) {
        span.in_lo = task->reduction->lo;
        span.in_hi = task->reduction->hi;
    }
    return span;
}

/* How one task's filter lies in the source: `row_floats` per output channel, of which
 * [first, first + n_k) are wanted. */
struct filter_shape {
    uint64_t row_floats;
    uint64_t first;
    uint32_t n_k;
};

static struct filter_shape filter_shape_of(const struct ew_kernel_task *task)
{
    const struct ew_op_view *layer = &task->layer;
    const int32_t *in = layer->in_shape[0];
    uint64_t unit = 1; /* floats per step of the reduction */
    uint64_t length = (uint64_t)in[EW_C] * (uint64_t)in[EW_H] * (uint64_t)in[EW_W];
    if (layer->op == EW_OP_CONV) {
        unit = (uint64_t)layer->attrs->kernel[0] * (uint64_t)layer->attrs->kernel[1];
        length = (uint64_t)(in[EW_C] / layer->attrs->groups);
    }
    const uint64_t lo = task->reduction ? (uint64_t)task->reduction->lo : 0;
    const uint64_t hi = task->reduction ? (uint64_t)task->reduction->hi : length;
    return (struct filter_shape){length * unit, lo * unit, (uint32_t)((hi - lo) * unit)};
}

/* Outputs [lo, hi) as panels of `width`: [panel][k][width]. */
static enum ew_status read_panels(float *to, const struct ew_kernel_task *task,
                                  const struct filter_shape *shape, int32_t lo, int32_t hi,
                                  uint32_t width, float *row, const struct ew_weight_source *source,
                                  struct ew_error *err)
{
    for (int32_t m = lo; m < hi; m++) {
        const uint32_t at = (uint32_t)(m - lo);
        float *panel = to + (size_t)(at - at % width) * shape->n_k + at % width;
        const enum ew_status status =
            source->read(row, source->self, task, EW_WEIGHT_FILTER,
                         (uint64_t)m * shape->row_floats + shape->first, shape->n_k, err);
        if (status != EW_OK) {
            return status;
        }
        for (uint32_t k = 0; k < shape->n_k; k++) {
            panel[(size_t)k * width] = row[k];
        }
    }
    return EW_OK;
}

static uint32_t round_up(uint32_t n, uint32_t step)
{
    return (n + step - 1) / step * step;
}

/* Outputs of the task when every group starts a new panel. */
static size_t count_padded(const struct ew_kernel_task *task, uint32_t width, bool has_groups)
{
    if (!has_groups) {
        return round_up((uint32_t)(task->channels[1] - task->channels[0]), width);
    }
    size_t n = 0;
    for (int32_t c = task->channels[0]; c < task->channels[1];) {
        const struct ew_ref_span span = ew_ref_conv_span(task, c);
        n += round_up((uint32_t)(span.hi - span.lo), width);
        c = span.hi;
    }
    return n;
}

static enum ew_status read_span(struct ew_kernel_weights *weights, size_t at,
                                const struct ew_kernel_task *task, const struct filter_shape *shape,
                                int32_t lo, int32_t hi, uint32_t width, float *row,
                                const struct ew_weight_source *source, struct ew_error *err)
{
    enum ew_status status = read_panels(weights->filter + at * shape->n_k, task, shape, lo, hi,
                                        width, row, source, err);
    if (status == EW_OK && weights->bias) {
        status = source->read(weights->bias + at, source->self, task, EW_WEIGHT_BIAS, (uint64_t)lo,
                              (uint64_t)(hi - lo), err);
    }
    return status;
}

enum ew_status ew_ref_prepare_multiply(struct ew_kernel_weights *weights,
                                       const struct ew_ref_isa *isa,
                                       const struct ew_kernel_task *task,
                                       const struct ew_weight_source *source, struct ew_error *err)
{
    const bool is_conv = task->layer.op == EW_OP_CONV;
    const struct filter_shape shape = filter_shape_of(task);
    const bool is_depthwise = is_conv && task->layer.in_shape[0][EW_C] == task->layer.attrs->groups;
    weights->form = is_depthwise ? EW_REF_DEPTHWISE : is_conv ? EW_REF_GEMM : EW_REF_FC;
    weights->n_k = shape.n_k;
    const uint32_t width = is_depthwise ? 1 : is_conv ? isa->rows : isa->fc_width;
    const bool has_groups = is_conv && !is_depthwise;
    const size_t n_padded = count_padded(task, width, has_groups);
    weights->n_filter = n_padded * shape.n_k;
    float *row = malloc(((size_t)shape.n_k + 1) * sizeof *row);
    weights->filter = calloc(weights->n_filter + EW_KERNEL_SLACK, sizeof *weights->filter);
    const bool has_bias = task->layer.attrs->has_bias && !task->reduction;
    weights->bias = has_bias ? calloc(n_padded + EW_KERNEL_SLACK, sizeof *weights->bias) : NULL;
    enum ew_status status = EW_OK;
    if (!row || !weights->filter || (has_bias && !weights->bias)) {
        status = ew_fail(err, EW_ENOMEM, "out of memory for %zu weights", weights->n_filter);
    }
    size_t at = 0;
    for (int32_t c = task->channels[0]; status == EW_OK && c < task->channels[1];) {
        const int32_t end = has_groups ? ew_ref_conv_span(task, c).hi : task->channels[1];
        status = read_span(weights, at, task, &shape, c, end, width, row, source, err);
        at += round_up((uint32_t)(end - c), width);
        c = end;
    }
    free(row);
    return status;
}
