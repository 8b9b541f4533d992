/*
 * The reference kernels: which function does which op. Fixed order of every sum, fused multiply-add
 * everywhere: the same bits for any split of a layer, on any processor with fused multiply-add.
 */
#include "engine/exec/kernel/reference.h"

#include <stdlib.h>

/* Widest first. */
static const struct ew_ref_isa *const all_isas[] = {
#ifdef __x86_64__
    &ew_ref_isa_avx512,
    &ew_ref_isa_avx2,
#endif
    &ew_ref_isa_portable,
};

static bool is_isa_available(const struct ew_ref_isa *isa)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (isa == &ew_ref_isa_avx512) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    }
    if (isa == &ew_ref_isa_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
#endif
    return isa != NULL;
}

const struct ew_ref_isa *ew_ref_isa_widest(void)
{
    size_t i = 0;
    while (!is_isa_available(all_isas[i])) {
        i++;
    }
    return all_isas[i];
}

/* The set's own vectors, or the widest that this processor has. */
static const struct ew_ref_isa *isa_of(const struct ew_kernels *kernels)
{
    return kernels->self ? kernels->self : ew_ref_isa_widest();
}

static bool is_available(const struct ew_kernels *kernels)
{
    return !kernels->self || is_isa_available(kernels->self);
}

typedef enum ew_status (*run_fn)(const struct ew_ref_call *call, struct ew_error *err);

static run_fn function_of(enum ew_op op)
{
    static const run_fn functions[EW_OP_COUNT] = {
        [EW_OP_CONV] = ew_ref_run_conv,
        [EW_OP_MAX_POOL] = ew_ref_run_pool,
        [EW_OP_AVG_POOL] = ew_ref_run_pool,
        [EW_OP_GLOBAL_AVG_POOL] = ew_ref_run_global_pool,
        [EW_OP_GLOBAL_MAX_POOL] = ew_ref_run_global_pool,
        [EW_OP_FC] = ew_ref_run_fc,
        [EW_OP_RELU] = ew_ref_run_map,
        [EW_OP_RELU6] = ew_ref_run_map,
        [EW_OP_LEAKY_RELU] = ew_ref_run_map,
        [EW_OP_SIGMOID] = ew_ref_run_map,
        [EW_OP_SILU] = ew_ref_run_map,
        [EW_OP_HARDSWISH] = ew_ref_run_map,
        [EW_OP_HARDSIGMOID] = ew_ref_run_map,
        [EW_OP_TANH] = ew_ref_run_map,
        [EW_OP_BATCHNORM] = ew_ref_run_batchnorm,
        [EW_OP_LRN] = ew_ref_run_lrn,
        [EW_OP_ADD] = ew_ref_run_pairwise,
        [EW_OP_MUL] = ew_ref_run_pairwise,
        [EW_OP_CONCAT] = ew_ref_run_concat,
        [EW_OP_FLATTEN] = ew_ref_run_reshape,
        [EW_OP_RESHAPE] = ew_ref_run_reshape,
        [EW_OP_PAD] = ew_ref_run_pad,
        [EW_OP_SOFTMAX] = ew_ref_run_softmax,
        [EW_OP_DROPOUT] = ew_ref_run_copy,
        [EW_OP_IDENTITY] = ew_ref_run_copy,
        [EW_OP_UPSAMPLE] = ew_ref_run_upsample,
        [EW_OP_CONV_TRANSPOSE] = ew_ref_run_transposed,
        [EW_OP_LINEAR] = ew_ref_run_linear,
        [EW_OP_MATMUL] = ew_ref_run_matmul,
        [EW_OP_GELU] = ew_ref_run_map,
        [EW_OP_UNARY] = ew_ref_run_map,
        [EW_OP_SHIFT] = ew_ref_run_constant,
        [EW_OP_SCALE] = ew_ref_run_constant,
        [EW_OP_RESIZE] = ew_ref_run_resize,
        [EW_OP_LAYERNORM] = ew_ref_run_layernorm,
        [EW_OP_TRANSPOSE] = ew_ref_run_arrange,
        [EW_OP_SLICE] = ew_ref_run_arrange,
        [EW_OP_SHUFFLE] = ew_ref_run_arrange,
    };
    return functions[op];
}

static enum ew_status prepare_batchnorm(struct ew_kernel_weights *weights,
                                        const struct ew_kernel_task *task,
                                        const struct ew_weight_source *source, struct ew_error *err)
{
    const uint64_t first = (uint64_t)task->channels[0];
    const uint64_t n = (uint64_t)(task->channels[1] - task->channels[0]);
    weights->form = EW_REF_PER_CHANNEL;
    weights->n_filter = n;
    weights->filter = calloc(n, sizeof *weights->filter);
    weights->bias = calloc(n, sizeof *weights->bias);
    if (!weights->filter || !weights->bias) {
        return ew_fail(err, EW_ENOMEM, "out of memory for %zu weights", weights->n_filter);
    }
    const enum ew_status status =
        source->read(weights->filter, source->self, task, EW_WEIGHT_SCALE, first, n, err);
    return status ? status
                  : source->read(weights->bias, source->self, task, EW_WEIGHT_SHIFT, first, n, err);
}

/* Scale and shift of a layernorm, or what a constant or a pad adds, of the whole layer. */
static enum ew_status prepare_values(struct ew_kernel_weights *weights,
                                     const struct ew_kernel_task *task,
                                     const struct ew_weight_source *source, struct ew_error *err)
{
    const struct ew_op_view *layer = &task->layer;
    const bool is_norm = layer->op == EW_OP_LAYERNORM;
    uint64_t n = 1;
    for (int d = EW_C; d < EW_DIMS; d++) {
        const bool is_counted = is_norm                  ? d >= layer->attrs->axis
                                : layer->op == EW_OP_PAD ? true
                                                         : layer->attrs->spans[d - EW_C];
        n *= is_counted ? (uint64_t)layer->out_shape[d] : 1;
    }
    if (layer->op == EW_OP_PAD) { /* what is not the input's */
        const struct ew_box inside = ew_box_full(layer->in_shape[0]);
        n -= ew_box_volume(&inside);
    }
    weights->form = EW_REF_VALUES;
    weights->n_filter = n;
    weights->filter = calloc(n + EW_KERNEL_SLACK, sizeof *weights->filter);
    weights->bias = is_norm ? calloc(n + EW_KERNEL_SLACK, sizeof *weights->bias) : NULL;
    if (!weights->filter || (is_norm && !weights->bias)) {
        return ew_fail(err, EW_ENOMEM, "out of memory for %zu weights", weights->n_filter);
    }
    const enum ew_weight_part part = is_norm ? EW_WEIGHT_SCALE : EW_WEIGHT_VALUE;
    const enum ew_status status =
        source->read(weights->filter, source->self, task, part, 0, n, err);
    return status || !is_norm
               ? status
               : source->read(weights->bias, source->self, task, EW_WEIGHT_SHIFT, 0, n, err);
}

static enum ew_status prepare_by_op(struct ew_kernel_weights *weights,
                                    const struct ew_kernels *kernels,
                                    const struct ew_kernel_task *task,
                                    const struct ew_weight_source *source, struct ew_error *err)
{
    switch (task->layer.op) {
    case EW_OP_BATCHNORM:
        return prepare_batchnorm(weights, task, source, err);
    case EW_OP_LINEAR:
        return ew_ref_prepare_linear(weights, isa_of(kernels), task, source, err);
    case EW_OP_CONV_TRANSPOSE:
        weights->form = EW_REF_TRANSPOSED;
        return ew_ref_prepare_transposed(weights, task, source, err);
    case EW_OP_CONV:
    case EW_OP_FC:
        return ew_ref_prepare_multiply(weights, isa_of(kernels), task, source, err);
    default:
        return prepare_values(weights, task, source, err);
    }
}

static void release(struct ew_kernel_weights *weights)
{
    if (weights) {
        free(weights->filter);
        free(weights->bias);
        free(weights);
    }
}

static enum ew_status prepare(struct ew_kernel_weights **out, const struct ew_kernels *kernels,
                              const struct ew_kernel_task *task,
                              const struct ew_weight_source *source, struct ew_error *err)
{
    if (!ew_kernels_read_weights(task->layer.attrs, task->layer.op)) {
        *out = NULL;
        return EW_OK;
    }
    struct ew_kernel_weights *weights = calloc(1, sizeof *weights);
    if (!weights) {
        return ew_fail(err, EW_ENOMEM, "out of memory");
    }
    const enum ew_status status = prepare_by_op(weights, kernels, task, source, err);
    if (status != EW_OK) {
        release(weights);
        return status;
    }
    *out = weights;
    return EW_OK;
}

static enum ew_status run(struct ew_tensor *out, const struct ew_kernels *kernels,
                          const struct ew_kernel_task *task,
                          const struct ew_kernel_weights *weights, const struct ew_tensor *inputs,
                          struct ew_kernel_scratch *scratch, struct ew_error *err)
{
    const run_fn function = function_of(task->layer.op);
    const enum ew_status status = ew_kernels_can_compute(&task->layer, err);
    if (status != EW_OK) {
        return status;
    }
    const struct ew_ref_call call = {.isa = isa_of(kernels),
                                     .task = task,
                                     .weights = weights,
                                     .inputs = inputs,
                                     .out = out,
                                     .scratch = scratch};
    return function(&call, err);
}

#define SET(name, text, isa)                                                                       \
    {                                                                                              \
        .id = (name), .summary = (text), .is_exact = true, .self = (isa),                          \
        .is_available = is_available, .prepare = prepare, .run = run, .release = release           \
    }

const struct ew_kernels ew_ref_kernels[EW_REF_SETS] = {
    SET("reference",
        "ours: the same bits however a layer is split, on every processor with fused multiply-add",
        NULL),
#ifdef __x86_64__
    SET("reference-avx512", "reference, 16 lanes", &ew_ref_isa_avx512),
    SET("reference-avx2", "reference, 8 lanes", &ew_ref_isa_avx2),
#endif
    SET("reference-portable", "reference, 4 lanes (NEON on arm64)", &ew_ref_isa_portable),
};
