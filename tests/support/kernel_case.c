#include "support/kernel_case.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/random_weights.h"

static int32_t pick(struct ew_rng *rng, int32_t lo, int32_t hi)
{
    return lo + (int32_t)ew_rng_below(rng, (uint64_t)(hi - lo + 1));
}

static void random_window(struct kernel_case *c, struct ew_rng *rng)
{
    const bool is_pool = c->task.layer.op != EW_OP_CONV;
    for (int i = 0; i < 2; i++) {
        c->attrs.kernel[i] = pick(rng, 1, is_pool ? 3 : 5);
        c->attrs.stride[i] = pick(rng, 1, 3);
        c->attrs.dilation[i] = c->task.layer.op == EW_OP_AVG_POOL ? 1 : pick(rng, 1, 2);
        const int32_t window = (c->attrs.kernel[i] - 1) * c->attrs.dilation[i] + 1;
        c->attrs.pads[i] = pick(rng, 0, is_pool ? window - 1 : window);
        c->attrs.pads[i + 2] = pick(rng, 0, is_pool ? window - 1 : window);
        if (c->in_shape[0][EW_H + i] < window) {
            c->in_shape[0][EW_H + i] = window;
        }
    }
    c->attrs.ceil_mode = is_pool && pick(rng, 0, 1);
    c->attrs.count_include_pad = pick(rng, 0, 1);
}

static void random_conv(struct kernel_case *c, struct ew_rng *rng)
{
    static const int32_t groups[] = {1, 1, 1, 2, 3, 0};
    int32_t g = groups[pick(rng, 0, 5)];
    const int32_t per_group = g == 0 ? 1 : pick(rng, 1, 9);
    g = g == 0 ? pick(rng, 1, 20) : g;
    c->in_shape[0][EW_C] = g * per_group;
    c->attrs.groups = g;
    c->attrs.out_channels = g * pick(rng, 1, per_group == 1 ? 2 : 19);
    c->attrs.has_bias = pick(rng, 0, 1);
    random_window(c, rng);
}

/* Windows of 1..4, so that some outputs are read by no tap and some by several. */
static void random_conv_transpose(struct kernel_case *c, struct ew_rng *rng)
{
    const int32_t g = pick(rng, 1, 3);
    c->in_shape[0][EW_C] = g * pick(rng, 1, 5);
    c->attrs.groups = g;
    c->attrs.out_channels = g * pick(rng, 1, 5);
    c->attrs.has_bias = pick(rng, 0, 1);
    for (int i = 0; i < 2; i++) {
        c->attrs.kernel[i] = pick(rng, 1, 4);
        c->attrs.stride[i] = pick(rng, 1, 4);
        c->attrs.dilation[i] = pick(rng, 1, 2);
        c->attrs.out_pads[i] = pick(rng, 0, c->attrs.stride[i] - 1);
        c->attrs.pads[i] = c->in_shape[0][EW_H + i] > 4 ? pick(rng, 0, 2) : 0;
        c->attrs.pads[i + 2] = c->in_shape[0][EW_H + i] > 4 ? pick(rng, 0, 2) : 0;
    }
}

static void random_function(struct kernel_case *c, struct ew_rng *rng)
{
    const enum ew_op op = c->task.layer.op;
    enum ew_function function;
    do {
        function = (enum ew_function)pick(rng, 0, EW_FUNCTION_COUNT - 1);
    } while (!ew_function_fits(function, op) || function == EW_FUNCTION_UNKNOWN ||
             (op == EW_OP_UNARY && function == EW_FUNCTION_USUAL));
    c->attrs.function = (int32_t)function;
    if (op == EW_OP_SHIFT || op == EW_OP_SCALE) {
        c->attrs.alpha = 0.3f * (float)pick(rng, 1, 5);
        for (int i = 0; i < 3; i++) {
            c->attrs.spans[i] = pick(rng, 0, 1);
        }
    } else if (op == EW_OP_UNARY) {
        c->attrs.alpha = function == EW_FUNCTION_CLIP ? -0.5f : 0.25f * (float)pick(rng, 1, 6);
        c->attrs.beta = 0.75f;
    }
}

static void random_arrangement(struct kernel_case *c, struct ew_rng *rng)
{
    static const int32_t perms[][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                       {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
    memcpy(c->attrs.perm, perms[pick(rng, 0, 5)], sizeof c->attrs.perm);
    for (int i = 0; i < 3 && c->task.layer.op == EW_OP_SLICE; i++) {
        const int32_t size = c->in_shape[0][EW_C + i];
        c->attrs.step[i] = pick(rng, 1, 3);
        c->attrs.begin[i] = pick(rng, 0, size - 1);
        c->attrs.reshape[i] = 1 + pick(rng, 0, (size - 1 - c->attrs.begin[i]) / c->attrs.step[i]);
    }
    if (c->task.layer.op == EW_OP_SHUFFLE) {
        c->attrs.groups = pick(rng, 1, 5);
        c->in_shape[0][EW_C] = c->attrs.groups * pick(rng, 1, 4);
    }
}

static void random_attributes(struct kernel_case *c, struct ew_rng *rng)
{
    switch (c->task.layer.op) {
    case EW_OP_CONV_TRANSPOSE:
        random_conv_transpose(c, rng);
        break;
    case EW_OP_LINEAR:
        c->attrs.out_channels = pick(rng, 1, 150);
        c->attrs.has_bias = pick(rng, 0, 1);
        break;
    case EW_OP_MATMUL:
        c->in_shape[1][EW_H] = c->in_shape[0][EW_W];
        c->in_shape[1][EW_W] = pick(rng, 1, 40);
        c->in_shape[1][EW_C] = pick(rng, 0, 1) ? 1 : c->in_shape[0][EW_C];
        break;
    case EW_OP_UNARY:
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
    case EW_OP_ADD:
    case EW_OP_MUL:
        random_function(c, rng);
        break;
    case EW_OP_RESIZE:
        c->attrs.mode = pick(rng, 0, EW_RESIZE_COUNT - 1);
        c->attrs.reshape[1] = pick(rng, 1, 25);
        c->attrs.reshape[2] = pick(rng, 1, 60);
        break;
    case EW_OP_LAYERNORM:
        c->attrs.axis = pick(rng, EW_C, EW_W);
        c->attrs.is_affine = pick(rng, 0, 1);
        c->in_shape[0][EW_W] += 2; /* of one element nothing would be left */
        break;
    case EW_OP_SOFTMAX:
        c->attrs.axis = pick(rng, 0, EW_W);
        break;
    case EW_OP_TRANSPOSE:
    case EW_OP_SLICE:
    case EW_OP_SHUFFLE:
        random_arrangement(c, rng);
        break;
    case EW_OP_CONV:
        random_conv(c, rng);
        break;
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        random_window(c, rng);
        break;
    case EW_OP_FC:
        c->attrs.out_channels = pick(rng, 1, 150);
        c->attrs.has_bias = pick(rng, 0, 1);
        break;
    case EW_OP_LRN:
        c->attrs.size = pick(rng, 1, 5);
        c->attrs.alpha = 0.01f * (float)pick(rng, 1, 9);
        c->attrs.beta = 0.25f * (float)pick(rng, 1, 4);
        c->attrs.k = (float)pick(rng, 1, 2);
        break;
    case EW_OP_LEAKY_RELU:
        c->attrs.alpha = 0.1f * (float)pick(rng, 0, 5);
        break;
    case EW_OP_HARDSIGMOID:
        c->attrs.alpha = 0.1f * (float)pick(rng, 1, 5);
        break;
    case EW_OP_PAD:
        for (int i = 0; i < 4; i++) {
            c->attrs.pads[i] = pick(rng, 0, 3);
        }
        c->attrs.is_learned = pick(rng, 0, 1);
        if (c->attrs.is_learned) { /* in rows or in columns */
            const int none = pick(rng, 0, 1);
            c->attrs.pads[none] = c->attrs.pads[none + 2] = 0;
            c->attrs.pads[1 - none] += 1;
        }
        c->attrs.alpha = 0.5f * (float)pick(rng, 0, 1);
        break;
    case EW_OP_UPSAMPLE:
        c->attrs.scale[0] = pick(rng, 1, 3);
        c->attrs.scale[1] = pick(rng, 1, 3);
        break;
    case EW_OP_RESHAPE: /* rows and channels trade places */
        c->attrs.reshape[0] = c->in_shape[0][EW_H];
        c->attrs.reshape[1] = c->in_shape[0][EW_C];
        c->attrs.reshape[2] = c->in_shape[0][EW_W];
        break;
    default:
        break;
    }
}

/* Logarithms, roots and quotients keep away from zero. */
static bool is_positive_only(const struct kernel_case *c)
{
    const enum ew_function f = (enum ew_function)c->attrs.function;
    return f == EW_FUNCTION_LOG || f == EW_FUNCTION_SQRT || f == EW_FUNCTION_RECIPROCAL ||
           f == EW_FUNCTION_DIVIDE || f == EW_FUNCTION_DIVIDE_INTO;
}

static void fill_inputs(struct kernel_case *c)
{
    for (uint32_t i = 0; i < c->task.layer.n_inputs; i++) {
        struct ew_box box = ew_box_full(c->in_shape[i]);
        box.hi[EW_N] = c->n_images;
        c->inputs[i].box = box;
        c->inputs[i].values = calloc(ew_tensor_floats(&box), sizeof(float));
        ck_assert_ptr_nonnull(c->inputs[i].values);
        for (uint64_t k = 0; k < ew_box_volume(&box); k++) {
            const float value = 2.0f * ew_random_value(c->seed, 100 + i, k);
            c->inputs[i].values[k] = is_positive_only(c) ? fabsf(value) + 0.1f : value;
        }
    }
}

/* Shapes of further inputs follow from the first one's: equal save along the axis of a concat, or
 * broadcast. */
static void relate_input(struct kernel_case *c, struct ew_rng *rng, uint32_t i)
{
    const bool is_concat = c->task.layer.op == EW_OP_CONCAT;
    if (i == 0) {
        c->attrs.axis = is_concat ? pick(rng, 0, EW_W) : 0;
        return;
    }
    const int axis = c->attrs.axis ? c->attrs.axis : EW_C;
    for (int d = EW_C; d < EW_DIMS; d++) {
        c->in_shape[i][d] = is_concat && d == axis ? c->in_shape[i][d] : c->in_shape[0][d];
    }
    const int32_t form = pick(rng, 0, 5);
    if (is_concat || form > 2) {
        return;
    }
    if (form > 0) { /* one value per channel */
        c->in_shape[i][EW_H] = c->in_shape[i][EW_W] = 1;
    } else { /* any broadcast, from the other side, too */
        c->in_shape[pick(rng, 0, 1) ? i : 0][pick(rng, EW_C, EW_W)] = 1;
    }
}

struct kernel_case *kernel_case_new(uint64_t seed)
{
    struct kernel_case *c = calloc(1, sizeof *c);
    ck_assert_ptr_nonnull(c);
    struct ew_rng rng = ew_rng_make(seed, "kernel_case");
    const enum ew_op op = (enum ew_op)(1 + seed % (CASE_N_OPS - 1)); /* 0 is the input */
    const bool is_pair = op == EW_OP_ADD || op == EW_OP_MUL || op == EW_OP_CONCAT;
    const uint32_t n_inputs = is_pair ? (uint32_t)pick(&rng, 2, 3) : op == EW_OP_MATMUL ? 2 : 1;
    c->seed = seed;
    c->n_images = pick(&rng, 1, 5) == 5 ? pick(&rng, 2, 6) : 1;
    c->task.layer = (struct ew_op_view){op, &c->attrs, n_inputs,
                                        (const int32_t(*)[EW_DIMS])c->in_shape, c->out_shape};
    for (uint32_t i = 0; i < CASE_MAX_INPUTS; i++) {
        const int32_t shape[EW_DIMS] = {1, pick(&rng, 1, 20), pick(&rng, 1, 12), pick(&rng, 1, 37)};
        memcpy(c->in_shape[i], shape, sizeof shape);
        relate_input(c, &rng, i);
    }
    ew_op_default_numbers(&c->attrs, op);
    random_attributes(c, &rng);
    struct ew_error err = {0};
    ck_assert_msg(ew_op_infer_shape(c->out_shape, &c->task.layer, &err) == EW_OK, "seed %llu: %s",
                  (unsigned long long)seed, err.message);
    c->task.channels[1] = c->out_shape[EW_C];
    fill_inputs(c);
    return c;
}

void kernel_case_free(struct kernel_case *c)
{
    for (uint32_t i = 0; i < c->task.layer.n_inputs; i++) {
        free(c->inputs[i].values);
    }
    free(c);
}

float kernel_case_weight(const struct kernel_case *c, enum ew_weight_part part, uint64_t index)
{
    const float value = ew_random_value(c->seed, (uint64_t)part, index);
    return part == EW_WEIGHT_SCALE ? 1.0f + 0.5f * value : value;
}

static enum ew_status read_weights(float *out, const void *self, const struct ew_kernel_task *task,
                                   enum ew_weight_part part, uint64_t first, uint64_t count,
                                   struct ew_error *err)
{
    (void)task;
    (void)err;
    for (uint64_t i = 0; i < count; i++) {
        out[i] = kernel_case_weight(self, part, first + i);
    }
    return EW_OK;
}

struct ew_weight_source kernel_case_source(const struct kernel_case *c)
{
    return (struct ew_weight_source){c, read_weights};
}

/* ---- running kernels ---- */

static struct ew_tensor cut(const struct ew_tensor *whole, const struct ew_box *box)
{
    struct ew_tensor part = {calloc(ew_tensor_floats(box), sizeof(float)), *box};
    ck_assert_ptr_nonnull(part.values);
    float *to = part.values;
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t c = box->lo[EW_C]; c < box->hi[EW_C]; c++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                const size_t width = (size_t)ew_box_extent(box, EW_W);
                memcpy(to, ew_tensor_at(whole, n, c, y, box->lo[EW_W]), width * sizeof *to);
                to += width;
            }
        }
    }
    return part;
}

struct ew_tensor kernel_case_run(const struct kernel_case *c, const struct ew_kernels *kernels,
                                 const struct ew_box *box, const struct ew_reduction *reduction)
{
    struct ew_error err = {0};
    struct ew_kernel_task task = c->task;
    task.channels[0] = box->lo[EW_C];
    task.channels[1] = box->hi[EW_C];
    task.reduction = reduction;
    struct ew_tensor inputs[CASE_MAX_INPUTS] = {{0}};
    for (uint32_t i = 0; i < task.layer.n_inputs; i++) {
        const struct ew_box need = ew_op_input_box(&task.layer, i, box, reduction);
        if (!ew_box_is_empty(&need)) {
            inputs[i] = cut(&c->inputs[i], &need);
        }
    }
    struct ew_tensor out = {calloc(ew_tensor_floats(box), sizeof(float)), *box};
    ck_assert_ptr_nonnull(out.values);
    struct ew_kernel_weights *weights = NULL;
    struct ew_kernel_scratch scratch = {0};
    const struct ew_weight_source source = kernel_case_source(c);
    enum ew_status status = kernels->prepare(&weights, kernels, &task, &source, &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    status = kernels->run(&out, kernels, &task, weights, inputs, &scratch, &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    kernels->release(weights);
    ew_kernel_scratch_fini(&scratch);
    for (uint32_t i = 0; i < task.layer.n_inputs; i++) {
        free(inputs[i].values);
    }
    return out;
}

struct ew_box kernel_case_part(const struct kernel_case *c, struct ew_rng *rng)
{
    struct ew_box box = ew_box_full(c->out_shape);
    box.hi[EW_N] = c->n_images;
    for (int d = 0; d < EW_DIMS; d++) {
        box.lo[d] = pick(rng, 0, box.hi[d] - 1);
        box.hi[d] = pick(rng, box.lo[d] + 1, box.hi[d]);
    }
    return box;
}
