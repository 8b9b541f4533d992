/*
 * Operators: output shapes, and which attributes and inputs an op accepts.
 */
#include <string.h>

#include "model/op.h"

enum {
    MAX_ATTRIBUTE = 1 << 24, /* kernel, stride, pad, dilation, scale, channels */
    MAX_TRANSPOSED_KERNEL = 1024,
};

/* Per layer, so that sums over EW_GRAPH_MAX_LAYERS layers stay below 2^63. */
static const uint64_t max_macs = UINT64_C(1) << 47;

static uint64_t multiply(uint64_t a, uint64_t b)
{
    return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

static uint64_t flat_size(const int32_t shape[EW_DIMS])
{
    return multiply(multiply((uint64_t)shape[EW_C], (uint64_t)shape[EW_H]), (uint64_t)shape[EW_W]);
}

static enum ew_status check_range(const char *what, int64_t value, int64_t min,
                                  struct ew_error *err)
{
    if (value < min || value > MAX_ATTRIBUTE) {
        return ew_fail(err, EW_EINPUT, "%s: expected an integer in %lld..%d, found %lld", what,
                       (long long)min, (int)MAX_ATTRIBUTE, (long long)value);
    }
    return EW_OK;
}

static enum ew_status check_input_count(const struct ew_op_view *layer, uint32_t min, uint32_t max,
                                        struct ew_error *err)
{
    if (layer->n_inputs < min || layer->n_inputs > max) {
        return ew_fail(err, EW_EINPUT, "op %s: expected %s%u input%s, found %u",
                       ew_op_name(layer->op), max > min ? "at least " : "", (unsigned)min,
                       min == 1 ? "" : "s", (unsigned)layer->n_inputs);
    }
    return EW_OK;
}

/* Output size of a sliding window in one spatial dimension. Ceil mode as in PyTorch: the last
 * window must begin inside the input or the padding before it. */
static enum ew_status slide_window(int64_t *out, const struct ew_op_view *layer, int axis,
                                   struct ew_error *err)
{
    const struct ew_op_attrs *a = layer->attrs;
    const int64_t in = layer->in_shape[0][EW_H + axis];
    const int64_t dilation = layer->op == EW_OP_AVG_POOL ? 1 : a->dilation[axis];
    const int64_t window = (a->kernel[axis] - 1) * dilation + 1;
    const int64_t padded = in + a->pads[axis] + a->pads[axis + 2];
    if (padded < window) {
        return ew_fail(err, EW_EINPUT, "expected an input of at least %lld padded %s, found %lld",
                       (long long)window, axis == 0 ? "rows" : "columns", (long long)padded);
    }
    const int64_t stride = a->stride[axis];
    const int64_t slack = padded - window;
    int64_t n = slack / stride + 1;
    if (a->ceil_mode && layer->op != EW_OP_CONV && slack % stride != 0 &&
        n * stride < in + a->pads[axis]) {
        n++;
    }
    *out = n;
    return EW_OK;
}

static enum ew_status check_window(const struct ew_op_view *layer, struct ew_error *err)
{
    const struct ew_op_attrs *a = layer->attrs;
    const bool is_pool = layer->op == EW_OP_MAX_POOL || layer->op == EW_OP_AVG_POOL;
    enum ew_status status = EW_OK;
    for (int i = 0; i < 2 && status == EW_OK; i++) {
        status = check_range("kernel", a->kernel[i], 1, err);
        status = status ? status : check_range("stride", a->stride[i], 1, err);
        if (layer->op != EW_OP_AVG_POOL) {
            status = status ? status : check_range("dilation", a->dilation[i], 1, err);
        }
    }
    for (int i = 0; i < 4 && status == EW_OK; i++) {
        status = check_range("pads", a->pads[i], 0, err);
        const int64_t dilation = layer->op == EW_OP_AVG_POOL ? 1 : a->dilation[i % 2];
        const int64_t window = ((int64_t)a->kernel[i % 2] - 1) * dilation + 1;
        if (status == EW_OK && is_pool && a->pads[i] >= window) {
            status = ew_fail(err, EW_EINPUT,
                             "pads: expected less than the pool's window (%lld), found %d",
                             (long long)window, (int)a->pads[i]);
        }
    }
    return status;
}

static enum ew_status infer_conv(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                 struct ew_error *err)
{
    const struct ew_op_attrs *a = layer->attrs;
    const int64_t in_channels = layer->in_shape[0][EW_C];
    enum ew_status status = check_window(layer, err);
    status = status ? status : check_range("out_channels", a->out_channels, 1, err);
    status = status ? status : check_range("groups", a->groups, 1, err);
    if (status != EW_OK) {
        return status;
    }
    if (in_channels % a->groups != 0 || a->out_channels % a->groups != 0) {
        return ew_fail(err, EW_EINPUT,
                       "groups: expected a divisor of %lld input and %d output channels, found %d",
                       (long long)in_channels, (int)a->out_channels, (int)a->groups);
    }
    out[EW_C] = a->out_channels;
    status = slide_window(&out[EW_H], layer, 0, err);
    return status ? status : slide_window(&out[EW_W], layer, 1, err);
}

static enum ew_status infer_pool(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                 struct ew_error *err)
{
    enum ew_status status = check_window(layer, err);
    status = status ? status : slide_window(&out[EW_H], layer, 0, err);
    return status ? status : slide_window(&out[EW_W], layer, 1, err);
}

/* In every dimension, operands have the output's size, or 1. */
static enum ew_status infer_broadcast(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                      struct ew_error *err)
{
    for (uint32_t i = 1; i < layer->n_inputs; i++) {
        const int32_t *s = layer->in_shape[i];
        for (int d = EW_C; d < EW_DIMS; d++) {
            if (s[d] != out[d] && s[d] != 1 && out[d] != 1) {
                return ew_fail(err, EW_EINPUT,
                               "op %s: input %u: expected %lldx%lldx%lld, or 1 in place of a "
                               "dimension, found %dx%dx%d",
                               ew_op_name(layer->op), (unsigned)i, (long long)out[EW_C],
                               (long long)out[EW_H], (long long)out[EW_W], (int)s[EW_C],
                               (int)s[EW_H], (int)s[EW_W]);
            }
        }
        for (int d = EW_C; d < EW_DIMS; d++) {
            out[d] = s[d] > out[d] ? s[d] : out[d];
        }
    }
    return EW_OK;
}

static enum ew_status check_axis(const struct ew_op_attrs *a, struct ew_error *err)
{
    if (a->axis < 0 || a->axis >= EW_DIMS) {
        return ew_fail(err, EW_EINPUT, "axis: expected 1 (channels), 2 or 3, found %d",
                       (int)a->axis);
    }
    return EW_OK;
}

static enum ew_status infer_concat(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                   struct ew_error *err)
{
    const int axis = layer->attrs->axis ? layer->attrs->axis : EW_C;
    for (uint32_t i = 1; i < layer->n_inputs; i++) {
        const int32_t *s = layer->in_shape[i];
        for (int d = EW_C; d < EW_DIMS; d++) {
            if (d != axis && s[d] != out[d]) {
                return ew_fail(err, EW_EINPUT,
                               "op concat: input %u: expected %lldx%lldx%lld save in dimension %d, "
                               "found %dx%dx%d",
                               (unsigned)i, (long long)out[EW_C], (long long)out[EW_H],
                               (long long)out[EW_W], axis, (int)s[EW_C], (int)s[EW_H],
                               (int)s[EW_W]);
            }
        }
        out[axis] += s[axis];
    }
    return EW_OK;
}

static enum ew_status infer_reshape(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                    struct ew_error *err)
{
    const int32_t *target = layer->attrs->reshape;
    for (int i = 0; i < 3; i++) {
        const enum ew_status status = check_range("shape", target[i], 1, err);
        if (status != EW_OK) {
            return status;
        }
        out[EW_C + i] = target[i];
    }
    const uint64_t have = flat_size(layer->in_shape[0]);
    const uint64_t want =
        multiply(multiply((uint64_t)target[0], (uint64_t)target[1]), (uint64_t)target[2]);
    if (have != want) {
        return ew_fail(err, EW_EINPUT, "shape: expected %llu elements as in the input, found %llu",
                       (unsigned long long)have, (unsigned long long)want);
    }
    return EW_OK;
}

static enum ew_status infer_pad(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                struct ew_error *err)
{
    for (int i = 0; i < 4; i++) {
        const enum ew_status status = check_range("pads", layer->attrs->pads[i], 0, err);
        if (status != EW_OK) {
            return status;
        }
        out[EW_H + i % 2] += layer->attrs->pads[i];
    }
    return EW_OK;
}

static enum ew_status infer_upsample(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                     struct ew_error *err)
{
    for (int i = 0; i < 2; i++) {
        const enum ew_status status = check_range("scale", layer->attrs->scale[i], 1, err);
        if (status != EW_OK) {
            return status;
        }
        out[EW_H + i] *= layer->attrs->scale[i];
    }
    return EW_OK;
}

/* Rows or columns of the output: the inputs spread by the stride, each widened to the kernel. */
static enum ew_status infer_conv_transpose(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                           struct ew_error *err)
{
    const struct ew_op_attrs *a = layer->attrs;
    const int64_t in_channels = layer->in_shape[0][EW_C];
    enum ew_status status = check_window(layer, err);
    status = status ? status : check_range("out_channels", a->out_channels, 1, err);
    status = status ? status : check_range("groups", a->groups, 1, err);
    for (int i = 0; i < 2 && status == EW_OK; i++) {
        status = check_range("out_pads", a->out_pads[i], 0, err);
        const int64_t window = ((int64_t)a->kernel[i] - 1) * a->dilation[i] + 1;
        out[EW_H + i] = ((int64_t)layer->in_shape[0][EW_H + i] - 1) * a->stride[i] + window -
                        a->pads[i] - a->pads[i + 2] + a->out_pads[i];
        if (status == EW_OK && a->kernel[i] > MAX_TRANSPOSED_KERNEL) {
            status = ew_fail(err, EW_EINPUT, "kernel: expected at most %d, found %d",
                             (int)MAX_TRANSPOSED_KERNEL, (int)a->kernel[i]);
        }
        if (status == EW_OK && out[EW_H + i] < 1) {
            status = ew_fail(err, EW_EINPUT, "pads: nothing is left of the output");
        }
    }
    if (status == EW_OK && (in_channels % a->groups != 0 || a->out_channels % a->groups != 0)) {
        status =
            ew_fail(err, EW_EINPUT,
                    "groups: expected a divisor of %lld input and %d output channels, found %d",
                    (long long)in_channels, (int)a->out_channels, (int)a->groups);
    }
    out[EW_C] = a->out_channels;
    return status;
}

static enum ew_status infer_matmul(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                   struct ew_error *err)
{
    const int32_t *a = layer->in_shape[0], *b = layer->in_shape[1];
    if (a[EW_W] != b[EW_H] || (b[EW_C] != a[EW_C] && b[EW_C] != 1)) {
        return ew_fail(err, EW_EINPUT,
                       "op matmul: input 1: expected %d rows and %d channels or 1, found %dx%dx%d",
                       (int)a[EW_W], (int)a[EW_C], (int)b[EW_C], (int)b[EW_H], (int)b[EW_W]);
    }
    out[EW_W] = b[EW_W];
    return EW_OK;
}

static enum ew_status infer_transpose(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                      struct ew_error *err)
{
    const int32_t *perm = layer->attrs->perm;
    int seen = 0;
    for (int i = 0; i < 3; i++) {
        const bool is_dim = perm[i] >= EW_C && perm[i] < EW_DIMS;
        if (!is_dim || (seen & 1 << perm[i])) {
            return ew_fail(err, EW_EINPUT,
                           "perm: expected 1, 2 and 3 in some order, found %d,%d,%d", (int)perm[0],
                           (int)perm[1], (int)perm[2]);
        }
        seen |= 1 << perm[i];
        out[EW_C + i] = layer->in_shape[0][perm[i]];
    }
    return EW_OK;
}

static enum ew_status infer_slice(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                  struct ew_error *err)
{
    const struct ew_op_attrs *a = layer->attrs;
    enum ew_status status = EW_OK;
    for (int i = 0; i < 3 && status == EW_OK; i++) {
        const int64_t size = layer->in_shape[0][EW_C + i];
        status = check_range("begin", a->begin[i], 0, err);
        status = status ? status : check_range("step", a->step[i], 1, err);
        status = status ? status : check_range("shape", a->reshape[i], 1, err);
        const int64_t last = a->begin[i] + ((int64_t)a->reshape[i] - 1) * a->step[i];
        if (status == EW_OK && last >= size) {
            status = ew_fail(err, EW_EINPUT,
                             "dimension %d: expected elements below %lld, found a slice up to %lld",
                             EW_C + i, (long long)size, (long long)last);
        }
        out[EW_C + i] = a->reshape[i];
    }
    return status;
}

static enum ew_status infer_shuffle(const struct ew_op_view *layer, struct ew_error *err)
{
    const int32_t channels = layer->in_shape[0][EW_C], groups = layer->attrs->groups;
    if (groups < 1 || channels % groups != 0) {
        return ew_fail(err, EW_EINPUT, "groups: expected a divisor of %d channels, found %d",
                       (int)channels, (int)groups);
    }
    return EW_OK;
}

static enum ew_status infer_resize(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                   struct ew_error *err)
{
    const struct ew_op_attrs *a = layer->attrs;
    if (a->mode < 0 || a->mode >= EW_RESIZE_COUNT) {
        return ew_fail(err, EW_EINPUT, "mode: expected nearest, linear, aligned or cubic");
    }
    out[EW_H] = a->reshape[1];
    out[EW_W] = a->reshape[2];
    const enum ew_status status = check_range("size", out[EW_H], 1, err);
    return status ? status : check_range("size", out[EW_W], 1, err);
}

static enum ew_status infer_opaque(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                   struct ew_error *err)
{
    enum ew_status status = check_range("operations", layer->attrs->operations, 0, err);
    for (int i = 0; i < 3 && status == EW_OK; i++) {
        out[EW_C + i] = layer->attrs->reshape[i];
        status = check_range("shape", out[EW_C + i], 1, err);
    }
    return status;
}

static enum ew_status infer_by_op(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                  struct ew_error *err)
{
    switch (layer->op) {
    case EW_OP_CONV:
        return infer_conv(out, layer, err);
    case EW_OP_MAX_POOL:
    case EW_OP_AVG_POOL:
        return infer_pool(out, layer, err);
    case EW_OP_GLOBAL_AVG_POOL:
    case EW_OP_GLOBAL_MAX_POOL:
        out[EW_H] = out[EW_W] = 1;
        return EW_OK;
    case EW_OP_FC:
        out[EW_C] = layer->attrs->out_channels;
        out[EW_H] = out[EW_W] = 1;
        return check_range("out_channels", out[EW_C], 1, err);
    case EW_OP_FLATTEN:
        out[EW_C] = (int64_t)flat_size(layer->in_shape[0]);
        out[EW_H] = out[EW_W] = 1;
        return EW_OK;
    case EW_OP_LRN:
        return check_range("size", layer->attrs->size, 1, err);
    case EW_OP_ADD:
    case EW_OP_MUL:
        return infer_broadcast(out, layer, err);
    case EW_OP_CONCAT: {
        const enum ew_status status = check_axis(layer->attrs, err);
        return status ? status : infer_concat(out, layer, err);
    }
    case EW_OP_RESHAPE:
        return infer_reshape(out, layer, err);
    case EW_OP_PAD:
        return infer_pad(out, layer, err);
    case EW_OP_UPSAMPLE:
        return infer_upsample(out, layer, err);
    case EW_OP_CONV_TRANSPOSE:
        return infer_conv_transpose(out, layer, err);
    case EW_OP_LINEAR:
        out[EW_W] = layer->attrs->out_channels;
        return check_range("out_channels", out[EW_W], 1, err);
    case EW_OP_MATMUL:
        return infer_matmul(out, layer, err);
    case EW_OP_TRANSPOSE:
        return infer_transpose(out, layer, err);
    case EW_OP_SLICE:
        return infer_slice(out, layer, err);
    case EW_OP_SHUFFLE:
        return infer_shuffle(layer, err);
    case EW_OP_RESIZE:
        return infer_resize(out, layer, err);
    case EW_OP_SOFTMAX:
    case EW_OP_LAYERNORM:
        return check_axis(layer->attrs, err);
    case EW_OP_UNARY:
        return check_range("operations", layer->attrs->operations, 0, err);
    case EW_OP_OPAQUE:
        return infer_opaque(out, layer, err);
    default:
        return EW_OK; /* element by element: the input's shape */
    }
}

static enum ew_status check_size(const int64_t out[EW_DIMS], struct ew_error *err)
{
    uint64_t n = 1;
    for (int d = 0; d < EW_DIMS; d++) {
        n = multiply(n, (uint64_t)out[d]);
    }
    if (n > INT32_MAX) {
        return ew_fail(err, EW_EINPUT,
                       "expected an output of at most 2147483647 elements, found %lldx%lldx%lld",
                       (long long)out[EW_C], (long long)out[EW_H], (long long)out[EW_W]);
    }
    return EW_OK;
}

enum ew_status ew_op_infer_shape(int32_t out_shape[EW_DIMS], const struct ew_op_view *layer,
                                 struct ew_error *err)
{
    if ((size_t)layer->op >= EW_OP_COUNT || layer->op == EW_OP_INPUT) {
        return ew_fail(err, EW_EINPUT, "op %s: its shape cannot be inferred",
                       ew_op_name(layer->op));
    }
    const bool is_sum = layer->op == EW_OP_ADD || layer->op == EW_OP_MUL;
    const bool is_product = layer->op == EW_OP_MATMUL;
    const bool is_nary = is_sum || layer->op == EW_OP_CONCAT || layer->op == EW_OP_OPAQUE;
    enum ew_status status = check_input_count(layer, is_sum || is_product ? 2 : 1,
                                              is_nary      ? UINT32_MAX
                                              : is_product ? 2
                                                           : 1,
                                              err);
    if (status != EW_OK) {
        return status;
    }
    if (!ew_function_fits((enum ew_function)layer->attrs->function, layer->op)) {
        return ew_fail(err, EW_EINPUT, "op %s: it has no function '%s'", ew_op_name(layer->op),
                       ew_function_name((enum ew_function)layer->attrs->function));
    }
    int64_t out[EW_DIMS];
    for (int d = 0; d < EW_DIMS; d++) {
        out[d] = layer->in_shape[0][d];
    }
    status = infer_by_op(out, layer, err);
    status = status ? status : check_size(out, err);
    if (status != EW_OK) {
        return status;
    }
    int32_t shape[EW_DIMS];
    for (int d = 0; d < EW_DIMS; d++) {
        shape[d] = (int32_t)out[d];
    }
    struct ew_op_view inferred = *layer;
    inferred.out_shape = shape;
    const struct ew_box full = ew_box_full(shape);
    if (ew_op_macs(&inferred, &full, NULL) > max_macs || ew_op_params(&inferred) > max_macs) {
        return ew_fail(err, EW_EINPUT,
                       "expected at most %llu multiply-accumulates and parameters in one layer",
                       (unsigned long long)max_macs);
    }
    memcpy(out_shape, shape, sizeof shape);
    return EW_OK;
}
