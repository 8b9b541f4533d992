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

static void random_attributes(struct kernel_case *c, struct ew_rng *rng)
{
    switch (c->task.layer.op) {
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

static void fill_inputs(struct kernel_case *c)
{
    for (uint32_t i = 0; i < c->task.layer.n_inputs; i++) {
        struct ew_box box = ew_box_full(c->in_shape[i]);
        box.hi[EW_N] = c->n_images;
        c->inputs[i].box = box;
        c->inputs[i].values = calloc(ew_tensor_floats(&box), sizeof(float));
        ck_assert_ptr_nonnull(c->inputs[i].values);
        for (uint64_t k = 0; k < ew_box_volume(&box); k++) {
            c->inputs[i].values[k] = 2.0f * ew_random_value(c->seed, 100 + i, k);
        }
    }
}

struct kernel_case *kernel_case_new(uint64_t seed)
{
    struct kernel_case *c = calloc(1, sizeof *c);
    ck_assert_ptr_nonnull(c);
    struct ew_rng rng = ew_rng_make(seed, "kernel_case");
    /* 0 is the input; those from conv_transpose on have no kernels */
    const enum ew_op op = (enum ew_op)(1 + seed % (EW_OP_CONV_TRANSPOSE - 1));
    const bool is_pair = op == EW_OP_ADD || op == EW_OP_MUL || op == EW_OP_CONCAT;
    c->seed = seed;
    c->n_images = pick(&rng, 1, 5) == 5 ? pick(&rng, 2, 6) : 1;
    c->task.layer = (struct ew_op_view){op, &c->attrs, is_pair ? (uint32_t)pick(&rng, 2, 3) : 1,
                                        (const int32_t(*)[EW_DIMS])c->in_shape, c->out_shape};
    for (uint32_t i = 0; i < CASE_MAX_INPUTS; i++) {
        const int32_t shape[EW_DIMS] = {1, pick(&rng, 1, 20), pick(&rng, 1, 12), pick(&rng, 1, 37)};
        memcpy(c->in_shape[i], shape, sizeof shape);
        if (i > 0) {
            c->in_shape[i][EW_H] = c->in_shape[0][EW_H];
            c->in_shape[i][EW_W] = c->in_shape[0][EW_W];
            c->in_shape[i][EW_C] = op == EW_OP_CONCAT ? c->in_shape[i][EW_C] : c->in_shape[0][EW_C];
        }
        if (i == 1 && op != EW_OP_CONCAT && pick(&rng, 0, 2) == 0) { /* one value per channel */
            c->in_shape[1][EW_H] = 1;
            c->in_shape[1][EW_W] = 1;
        }
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

static float weight_at(const struct kernel_case *c, enum ew_weight_part part, uint64_t index)
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
        out[i] = weight_at(self, part, first + i);
    }
    return EW_OK;
}

struct ew_weight_source kernel_case_source(const struct kernel_case *c)
{
    return (struct ew_weight_source){c, read_weights};
}

/* ---- what the definitions say ---- */

struct place {
    int32_t n, c, y, x;
};

static double input_at(const struct kernel_case *c, uint32_t i, struct place p)
{
    return (double)*ew_tensor_at(&c->inputs[i], p.n, p.c, p.y, p.x);
}

static bool is_inside(const int32_t shape[EW_DIMS], struct place p)
{
    return p.y >= 0 && p.y < shape[EW_H] && p.x >= 0 && p.x < shape[EW_W];
}

static double expect_conv(double *size, const struct kernel_case *c,
                          const struct ew_reduction *reduction, struct place p)
{
    const struct ew_op_attrs *a = &c->attrs;
    const int32_t per_group = c->in_shape[0][EW_C] / a->groups;
    const int32_t first = p.c / (c->out_shape[EW_C] / a->groups) * per_group;
    double sum = 0;
    for (int32_t i = 0; i < per_group; i++) {
        if (reduction && (i < reduction->lo || i >= reduction->hi)) {
            continue;
        }
        for (int32_t u = 0; u < a->kernel[0]; u++) {
            for (int32_t v = 0; v < a->kernel[1]; v++) {
                const struct place q = {p.n, first + i,
                                        p.y * a->stride[0] - a->pads[0] + u * a->dilation[0],
                                        p.x * a->stride[1] - a->pads[1] + v * a->dilation[1]};
                if (is_inside(c->in_shape[0], q)) {
                    const int64_t at =
                        (((int64_t)p.c * per_group + i) * a->kernel[0] + u) * a->kernel[1] + v;
                    const double term =
                        (double)weight_at(c, EW_WEIGHT_FILTER, (uint64_t)at) * input_at(c, 0, q);
                    sum += term;
                    *size += fabs(term);
                }
            }
        }
    }
    return sum +
           (a->has_bias && !reduction ? (double)weight_at(c, EW_WEIGHT_BIAS, (uint64_t)p.c) : 0.0);
}

static double expect_fc(double *size, const struct kernel_case *c,
                        const struct ew_reduction *reduction, struct place p)
{
    const int32_t *in = c->in_shape[0];
    const int32_t length = in[EW_C] * in[EW_H] * in[EW_W];
    double sum = 0;
    for (int32_t k = reduction ? reduction->lo : 0; k < (reduction ? reduction->hi : length); k++) {
        const struct place q = {p.n, k / (in[EW_H] * in[EW_W]), k / in[EW_W] % in[EW_H],
                                k % in[EW_W]};
        const double term =
            (double)weight_at(c, EW_WEIGHT_FILTER, (uint64_t)p.c * (uint64_t)length + (uint64_t)k) *
            input_at(c, 0, q);
        sum += term;
        *size += fabs(term);
    }
    return sum + (c->attrs.has_bias && !reduction
                      ? (double)weight_at(c, EW_WEIGHT_BIAS, (uint64_t)p.c)
                      : 0.0);
}

static double expect_pool(double *size, const struct kernel_case *c, struct place p)
{
    const struct ew_op_attrs *a = &c->attrs;
    const bool is_max = c->task.layer.op == EW_OP_MAX_POOL;
    const int32_t *in = c->in_shape[0];
    double sum = 0;
    double max = -INFINITY;
    int32_t n = 0;
    for (int32_t u = 0; u < a->kernel[0]; u++) {
        for (int32_t v = 0; v < a->kernel[1]; v++) {
            const struct place q = {
                p.n, p.c, p.y * a->stride[0] - a->pads[0] + u * (is_max ? a->dilation[0] : 1),
                p.x * a->stride[1] - a->pads[1] + v * (is_max ? a->dilation[1] : 1)};
            const bool is_in = is_inside(in, q);
            const bool is_padded = q.y < in[EW_H] + a->pads[2] && q.x < in[EW_W] + a->pads[3];
            n += is_in || (a->count_include_pad && is_padded) ? 1 : 0;
            if (is_in) {
                const double value = input_at(c, 0, q);
                sum += value;
                max = value > max ? value : max;
                *size += fabs(value);
            }
        }
    }
    return is_max ? max : sum / (n > 0 ? n : 1);
}

static double expect_global_pool(double *size, const struct kernel_case *c, struct place p)
{
    const int32_t *in = c->in_shape[0];
    double sum = 0;
    double max = -INFINITY;
    for (int32_t y = 0; y < in[EW_H]; y++) {
        for (int32_t x = 0; x < in[EW_W]; x++) {
            const double value = input_at(c, 0, (struct place){p.n, p.c, y, x});
            sum += value;
            max = value > max ? value : max;
            *size += fabs(value);
        }
    }
    return c->task.layer.op == EW_OP_GLOBAL_MAX_POOL ? max : sum / (in[EW_H] * in[EW_W]);
}

static double expect_lrn(const struct kernel_case *c, struct place p)
{
    double sum = 0;
    for (int32_t i = p.c - (c->attrs.size - 1) / 2; i <= p.c + c->attrs.size / 2; i++) {
        if (i >= 0 && i < c->out_shape[EW_C]) {
            const double value = input_at(c, 0, (struct place){p.n, i, p.y, p.x});
            sum += value * value;
        }
    }
    return input_at(c, 0, p) / pow((double)c->attrs.k + (double)c->attrs.alpha / c->attrs.size * sum,
                                      (double)c->attrs.beta);
}

static double expect_softmax(const struct kernel_case *c, struct place p)
{
    double sum = 0;
    for (int32_t i = 0; i < c->out_shape[EW_C]; i++) {
        sum += exp(input_at(c, 0, (struct place){p.n, i, p.y, p.x}));
    }
    return exp(input_at(c, 0, p)) / sum;
}

static double expect_pair(const struct kernel_case *c, struct place p)
{
    const bool is_add = c->task.layer.op == EW_OP_ADD;
    double result = is_add ? 0.0 : 1.0;
    for (uint32_t i = 0; i < c->task.layer.n_inputs; i++) {
        const bool is_scalar = c->in_shape[i][EW_H] == 1 && c->in_shape[i][EW_W] == 1;
        const double value = input_at(c, i, is_scalar ? (struct place){p.n, p.c, 0, 0} : p);
        result = is_add ? result + value : result * value;
    }
    return result;
}

static double expect_concat(const struct kernel_case *c, struct place p)
{
    uint32_t i = 0;
    while (p.c >= c->in_shape[i][EW_C]) {
        p.c -= c->in_shape[i++][EW_C];
    }
    return input_at(c, i, p);
}

static double expect_view(const struct kernel_case *c, struct place p)
{
    const int32_t *in = c->in_shape[0];
    switch (c->task.layer.op) {
    case EW_OP_PAD:
        p.y -= c->attrs.pads[0];
        p.x -= c->attrs.pads[1];
        return is_inside(in, p) ? input_at(c, 0, p) : 0.0;
    case EW_OP_UPSAMPLE:
        p.y /= c->attrs.scale[0];
        p.x /= c->attrs.scale[1];
        return input_at(c, 0, p);
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE: {
        const int32_t at = (p.c * c->out_shape[EW_H] + p.y) * c->out_shape[EW_W] + p.x;
        return input_at(c, 0,
                        (struct place){p.n, at / (in[EW_H] * in[EW_W]), at / in[EW_W] % in[EW_H],
                                       at % in[EW_W]});
    }
    default:
        return input_at(c, 0, p);
    }
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static double expect_map(const struct kernel_case *c, struct place p)
{
    const double x = input_at(c, 0, p);
    switch (c->task.layer.op) {
    case EW_OP_RELU:
        return x > 0 ? x : 0;
    case EW_OP_RELU6:
        return clamp(x, 0, 6);
    case EW_OP_LEAKY_RELU:
        return x > 0 ? x : (double)c->attrs.alpha * x;
    case EW_OP_SIGMOID:
        return 1 / (1 + exp(-x));
    case EW_OP_SILU:
        return x / (1 + exp(-x));
    case EW_OP_HARDSWISH:
        return x * clamp(x / 6 + 0.5, 0, 1);
    case EW_OP_HARDSIGMOID:
        return clamp(x * (double)c->attrs.alpha + (double)c->attrs.beta, 0, 1);
    case EW_OP_TANH:
        return tanh(x);
    default: /* batchnorm */
        return x * (double)weight_at(c, EW_WEIGHT_SCALE, (uint64_t)p.c) +
               (double)weight_at(c, EW_WEIGHT_SHIFT, (uint64_t)p.c);
    }
}

double kernel_case_expect(double *size, const struct kernel_case *c,
                          const struct ew_reduction *reduction, int32_t n, int32_t ch, int32_t y,
                          int32_t x)
{
    const struct place p = {n, ch, y, x};
    *size = 1.0;
    switch (c->task.layer.op) {
    case EW_OP_CONV:
        return expect_conv(size, c, reduction, p);
    case EW_OP_FC:
        return expect_fc(size, c, reduction, p);
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        return expect_pool(size, c, p);
    case EW_OP_GLOBAL_AVG_POOL:
    case EW_OP_GLOBAL_MAX_POOL:
        return expect_global_pool(size, c, p);
    case EW_OP_LRN:
        return expect_lrn(c, p);
    case EW_OP_SOFTMAX:
        return expect_softmax(c, p);
    case EW_OP_ADD:
    case EW_OP_MUL:
        *size = 8.0;
        return expect_pair(c, p);
    case EW_OP_CONCAT:
        return expect_concat(c, p);
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE:
    case EW_OP_PAD:
    case EW_OP_UPSAMPLE:
    case EW_OP_DROPOUT:
    case EW_OP_IDENTITY:
        return expect_view(c, p);
    default:
        return expect_map(c, p);
    }
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
