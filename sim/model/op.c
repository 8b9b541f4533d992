/*
 * Operators: names, output shapes, parameter and operation counts. Receptive fields are in
 * op_field.c.
 */
#include "model/op.h"

#include <string.h>

enum {
    MAX_ATTRIBUTE = 1 << 24, /* kernel, stride, pad, dilation, scale, channels */
};

/* Per layer, so that sums over EW_GRAPH_MAX_LAYERS layers stay below 2^63. */
static const uint64_t max_macs = UINT64_C(1) << 47;

const char *ew_op_name(enum ew_op op)
{
    static const char *const names[] = {
#define X(name, text, cls) [EW_OP_##name] = (text),
        EW_OP_MAP(X)
#undef X
    };
    return (size_t)op < EW_OP_COUNT ? names[op] : "?";
}

bool ew_op_from_name(enum ew_op *out, const char *name)
{
    for (int op = 0; op < EW_OP_COUNT; op++) {
        if (strcmp(name, ew_op_name((enum ew_op)op)) == 0) {
            *out = (enum ew_op)op;
            return true;
        }
    }
    return false;
}

enum ew_op_class ew_op_class(enum ew_op op)
{
    static const enum ew_op_class classes[] = {
#define X(name, text, cls) [EW_OP_##name] = EW_CLASS_##cls,
        EW_OP_MAP(X)
#undef X
    };
    return (size_t)op < EW_OP_COUNT ? classes[op] : EW_CLASS_VIEW;
}

/* ---- arithmetic that saturates instead of wrapping ---- */

static uint64_t multiply(uint64_t a, uint64_t b)
{
    return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static uint64_t count_in_dim(const struct ew_box *box, enum ew_dim d)
{
    return box->hi[d] > box->lo[d] ? (uint64_t)((int64_t)box->hi[d] - box->lo[d]) : 0;
}

static uint64_t count_elements(const struct ew_box *box)
{
    uint64_t n = 1;
    for (int d = 0; d < EW_DIMS; d++) {
        n = multiply(n, count_in_dim(box, (enum ew_dim)d));
    }
    return n;
}

static uint64_t flat_size(const int32_t shape[EW_DIMS])
{
    return multiply(multiply((uint64_t)shape[EW_C], (uint64_t)shape[EW_H]), (uint64_t)shape[EW_W]);
}

/* ---- shape inference ---- */

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
    const bool is_pool = layer->op != EW_OP_CONV;
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

static bool same_shape(const int32_t a[EW_DIMS], const int64_t b[EW_DIMS])
{
    return a[EW_C] == b[EW_C] && a[EW_H] == b[EW_H] && a[EW_W] == b[EW_W];
}

/* Every operand has the output's shape, or one value per channel of it. */
static enum ew_status infer_broadcast(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                      struct ew_error *err)
{
    for (uint32_t i = 1; i < layer->n_inputs; i++) {
        const int32_t *s = layer->in_shape[i];
        if (out[EW_H] == 1 && out[EW_W] == 1 && s[EW_C] == out[EW_C]) {
            out[EW_H] = s[EW_H];
            out[EW_W] = s[EW_W];
        }
        const bool is_per_channel = s[EW_C] == out[EW_C] && s[EW_H] == 1 && s[EW_W] == 1;
        if (!is_per_channel && !same_shape(s, out)) {
            return ew_fail(err, EW_EINPUT,
                           "op %s: input %u: expected %lldx%lldx%lld or %lldx1x1, found %dx%dx%d",
                           ew_op_name(layer->op), (unsigned)i, (long long)out[EW_C],
                           (long long)out[EW_H], (long long)out[EW_W], (long long)out[EW_C],
                           (int)s[EW_C], (int)s[EW_H], (int)s[EW_W]);
        }
    }
    return EW_OK;
}

static enum ew_status infer_concat(int64_t out[EW_DIMS], const struct ew_op_view *layer,
                                   struct ew_error *err)
{
    for (uint32_t i = 1; i < layer->n_inputs; i++) {
        const int32_t *s = layer->in_shape[i];
        if (s[EW_H] != out[EW_H] || s[EW_W] != out[EW_W]) {
            return ew_fail(err, EW_EINPUT, "op concat: input %u: expected %lldx%lld, found %dx%d",
                           (unsigned)i, (long long)out[EW_H], (long long)out[EW_W], (int)s[EW_H],
                           (int)s[EW_W]);
        }
        out[EW_C] += s[EW_C];
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
    case EW_OP_CONCAT:
        return infer_concat(out, layer, err);
    case EW_OP_RESHAPE:
        return infer_reshape(out, layer, err);
    case EW_OP_PAD:
        return infer_pad(out, layer, err);
    case EW_OP_UPSAMPLE:
        return infer_upsample(out, layer, err);
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
    const bool is_nary = is_sum || layer->op == EW_OP_CONCAT;
    enum ew_status status = check_input_count(layer, is_sum ? 2 : 1, is_nary ? UINT32_MAX : 1, err);
    if (status != EW_OK) {
        return status;
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

/* ---- counts ---- */

static uint64_t kernel_area(const struct ew_op_attrs *a)
{
    return multiply((uint64_t)a->kernel[0], (uint64_t)a->kernel[1]);
}

int32_t ew_op_reduction_length(const struct ew_op_view *layer)
{
    if (layer->op == EW_OP_CONV && layer->attrs->groups == 1) {
        return layer->in_shape[0][EW_C];
    }
    if (layer->op == EW_OP_FC) {
        return (int32_t)flat_size(layer->in_shape[0]); /* tensors have at most 2^31-1 elements */
    }
    return 0;
}

/* Terms of the sum behind one output element, kernel taps not counted. */
static uint64_t count_terms(const struct ew_op_view *layer, const struct ew_reduction *reduction)
{
    const int32_t length = ew_op_reduction_length(layer);
    if (reduction && length > 0) {
        const int32_t lo = reduction->lo > 0 ? reduction->lo : 0;
        const int32_t hi = reduction->hi < length ? reduction->hi : length;
        return hi > lo ? (uint64_t)hi - (uint64_t)lo : 0;
    }
    if (layer->op == EW_OP_CONV) {
        return (uint64_t)(layer->in_shape[0][EW_C] / layer->attrs->groups);
    }
    return (uint64_t)length;
}

uint64_t ew_op_params(const struct ew_op_view *layer)
{
    const struct ew_box full = ew_box_full(layer->out_shape);
    return ew_op_params_for(layer, &full, NULL);
}

uint64_t ew_op_params_for(const struct ew_op_view *layer, const struct ew_box *out,
                          const struct ew_reduction *reduction)
{
    const struct ew_op_attrs *a = layer->attrs;
    const uint64_t channels = ew_box_is_empty(out) ? 0 : count_in_dim(out, EW_C);
    if (layer->op == EW_OP_BATCHNORM) {
        return a->is_affine ? 2 * channels : 0;
    }
    if (layer->op != EW_OP_CONV && layer->op != EW_OP_FC) {
        return 0;
    }
    const uint64_t area = layer->op == EW_OP_CONV ? kernel_area(a) : 1;
    const uint64_t weights = multiply(multiply(channels, area), count_terms(layer, reduction));
    /* Of the parts of a split sum, the one that begins at 0 adds the bias. */
    const bool adds_bias = a->has_bias && (!reduction || reduction->lo <= 0);
    return add(weights, adds_bias ? channels : 0);
}

uint64_t ew_op_macs(const struct ew_op_view *layer, const struct ew_box *out,
                    const struct ew_reduction *reduction)
{
    if (layer->op != EW_OP_CONV && layer->op != EW_OP_FC) {
        return 0;
    }
    const uint64_t area = layer->op == EW_OP_CONV ? kernel_area(layer->attrs) : 1;
    return multiply(multiply(count_elements(out), area), count_terms(layer, reduction));
}

/* Operations per output element of the ops for which that is all there is to say. */
static uint64_t ops_per_element(const struct ew_op_view *layer)
{
    const int32_t *in = layer->in_shape[0];
    switch (layer->op) {
    case EW_OP_MAX_POOL:
        return kernel_area(layer->attrs) - 1;
    case EW_OP_AVG_POOL:
        return kernel_area(layer->attrs); /* adds, and the division */
    case EW_OP_GLOBAL_MAX_POOL:
        return (uint64_t)in[EW_H] * (uint64_t)in[EW_W] - 1;
    case EW_OP_GLOBAL_AVG_POOL:
        return (uint64_t)in[EW_H] * (uint64_t)in[EW_W];
    case EW_OP_RELU:
    case EW_OP_UPSAMPLE: /* a copy, so that it is not free */
        return 1;
    case EW_OP_RELU6:
    case EW_OP_LEAKY_RELU:
    case EW_OP_BATCHNORM: /* folded to scale and shift */
        return 2;
    case EW_OP_SIGMOID: /* exp, add, divide */
        return 3;
    case EW_OP_SILU:
    case EW_OP_HARDSIGMOID: /* multiply, add, two comparisons */
    case EW_OP_TANH:        /* exp, add, subtract, divide */
        return 4;
    case EW_OP_HARDSWISH:
        return 5;
    case EW_OP_LRN: /* squares, their sum, scale, offset, power, divide */
        return 2 * (uint64_t)layer->attrs->size + 3;
    case EW_OP_ADD:
    case EW_OP_MUL:
        return layer->n_inputs - 1;
    default:
        return 0;
    }
}

uint64_t ew_op_simple_ops(const struct ew_op_view *layer, const struct ew_box *out)
{
    const uint64_t elements = count_elements(out);
    if (layer->op != EW_OP_SOFTMAX) {
        return multiply(elements, ops_per_element(layer));
    }
    /* Maximum, subtraction, exponential and sum run over all channels of each position. */
    struct ew_box column = *out;
    if (!ew_box_is_empty(out)) {
        column.lo[EW_C] = 0;
        column.hi[EW_C] = layer->out_shape[EW_C];
    }
    return add(multiply(count_elements(&column), 4), elements);
}
