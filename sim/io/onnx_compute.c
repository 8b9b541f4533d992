/*
 * Operators of an ONNX import that compute: convolutions, pools, matrix products, normalisations;
 * elementwise ones are in onnx_elementwise.c.
 */
#include <math.h>
#include <string.h>

#include "io/onnx_import.h"

static bool is_op(const struct ox_import *im, const char *op)
{
    return ox_text_is(im->node->op, op);
}

/* ---- windows ---- */

/* A whole number within what attributes hold. */
static enum ew_status as_attribute(int32_t *out, struct ox_import *im, const char *name, int64_t x)
{
    if (x < 0 || x > EW_GRAPH_MAX_DIM) {
        return ox_fail(im, "%s: expected an integer in 0..%d, found %lld", name,
                       (int)EW_GRAPH_MAX_DIM, (long long)x);
    }
    *out = (int32_t)x;
    return EW_OK;
}

/* Attribute `name` as `n` numbers, all `fallback` when it is missing. */
static enum ew_status read_numbers(int32_t *out, uint32_t n, struct ox_import *im, const char *name,
                                   int32_t fallback)
{
    int64_t given[4];
    uint32_t n_given = 0;
    enum ew_status status = ox_integers(given, &n_given, 4, im, name, 0);
    if (status == EW_OK && n_given != 0 && n_given != n) {
        return ox_fail(im, "%s: expected %u numbers, found %u", name, (unsigned)n,
                       (unsigned)n_given);
    }
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        status = as_attribute(&out[i], im, name, n_given ? given[i] : fallback);
    }
    return status;
}

/* auto_pad, which older exporters use: as many outputs as inputs / stride, rounded up. */
static enum ew_status add_auto_pads(struct ew_op_attrs *a, struct ox_import *im,
                                    const struct ox_dims *in)
{
    const bool is_upper = ox_attribute_is(im, "auto_pad", "SAME_UPPER"),
               is_lower = ox_attribute_is(im, "auto_pad", "SAME_LOWER");
    for (int i = 0; (is_upper || is_lower) && i < 2; i++) {
        const int64_t size = in->at[2 + i], stride = a->stride[i];
        const int64_t window = ((int64_t)a->kernel[i] - 1) * a->dilation[i] + 1;
        if (stride < 1) {
            return ox_fail(im, "strides: expected at least 1");
        }
        int64_t total = ((size + stride - 1) / stride - 1) * stride + window - size;
        total = total > 0 ? total : 0;
        const int64_t less = total / 2, more = total - less;
        enum ew_status status = as_attribute(&a->pads[i], im, "pads", is_upper ? less : more);
        status =
            status ? status : as_attribute(&a->pads[i + 2], im, "pads", is_upper ? more : less);
        if (status != EW_OK) {
            return status;
        }
    }
    return EW_OK;
}

/* Everything about a window but the kernel. */
static enum ew_status read_window(struct ew_op_attrs *a, struct ox_import *im,
                                  const struct ox_dims *in)
{
    enum ew_status status = read_numbers(a->stride, 2, im, "strides", 1);
    status = status ? status : read_numbers(a->dilation, 2, im, "dilations", 1);
    status = status ? status : read_numbers(a->pads, 4, im, "pads", 0);
    return status ? status : add_auto_pads(a, im, in);
}

/* Images: 1 x channels x rows x columns. Other ranks (1-D, 3-D) are not known. */
static bool is_image(const struct ox_value *value)
{
    return value->layer != OX_NO_LAYER && value->dims.n == 4 && value->dims.at[0] == 1;
}

static enum ew_status output_image(struct ox_import *im, int32_t layer)
{
    const int32_t *s = im->layers.items[layer].shape;
    return ox_output_layer(im, layer, &(struct ox_dims){4, {1, s[EW_C], s[EW_H], s[EW_W]}});
}

/* Weights of a convolution: filters x channels per group x rows x columns, of a transposed one
 * channels x filters per group x rows x columns. */
static enum ew_status read_filters(struct ew_op_attrs *a, struct ox_import *im,
                                   const struct ox_value *in, bool is_transposed)
{
    const struct ox_value *weight = ox_input(im, 1);
    if (!weight) {
        return im->err->status;
    }
    if (weight->layer != OX_NO_LAYER) {
        return EW_ENOTSUP;
    }
    const struct ox_dims *d = &weight->dims;
    const int64_t groups = ox_attribute_int(im, "group", 1);
    int32_t kernel[2];
    enum ew_status status = as_attribute(&a->groups, im, "group", groups);
    status = status ? status : read_numbers(kernel, 2, im, "kernel_shape", 0);
    if (status == EW_OK && (d->n != 4 || groups < 1)) {
        status = ox_fail(im, "weight: expected four dimensions and at least one group, found %s",
                         ox_dims_text(im, d));
    }
    for (int i = 0; i < 2 && status == EW_OK; i++) {
        status = as_attribute(&a->kernel[i], im, "kernel", d->at[2 + i]);
        if (status == EW_OK && kernel[i] != 0 && kernel[i] != a->kernel[i]) {
            status =
                ox_fail(im, "kernel_shape: expected that of the weight, %s", ox_dims_text(im, d));
        }
    }
    if (status != EW_OK) {
        return status;
    }
    const bool is_small = d->at[0] <= EW_GRAPH_MAX_DIM && d->at[1] <= EW_GRAPH_MAX_DIM;
    if (!is_small || (is_transposed ? d->at[0] : d->at[1] * groups) != in->dims.at[1]) {
        return ox_fail(im, "weight: expected one for %lld input channels, found %s in %lld groups",
                       (long long)in->dims.at[1], ox_dims_text(im, d), (long long)groups);
    }
    return as_attribute(&a->out_channels, im, "filters",
                        is_transposed ? d->at[1] * groups : d->at[0]);
}

/* The optional constant input `i`, to be noted with the layer. */
static enum ew_status add_weight_input(struct ox_import *im, int32_t layer, const char *role,
                                       uint32_t i)
{
    if (!ox_has_input(im, i)) {
        return EW_OK;
    }
    const struct ox_value *value = ox_input(im, i);
    return value && value->layer == OX_NO_LAYER ? ox_add_weight(im, layer, role, value) : EW_OK;
}

static enum ew_status compute_conv(struct ox_import *im, const struct ox_value *in)
{
    const bool is_transposed = is_op(im, "ConvTranspose");
    struct ew_op_attrs a = {.has_bias = ox_has_input(im, 2)};
    int32_t from = 0, layer = 0;
    if (!is_image(in) || ox_attribute(im, "output_shape")) {
        return EW_ENOTSUP;
    }
    enum ew_status status = read_filters(&a, im, in, is_transposed);
    status = status ? status : read_window(&a, im, &in->dims);
    if (status == EW_OK && is_transposed) {
        status = read_numbers(a.out_pads, 2, im, "output_padding", 0);
    }
    status = status ? status : ox_arrange_own(&from, NULL, im, in);
    status = status ? status
                    : ox_add_layer(&layer, im, is_transposed ? EW_OP_CONV_TRANSPOSE : EW_OP_CONV,
                                   &a, 1, &from);
    status = status ? status : add_weight_input(im, layer, "weight", 1);
    status = status ? status : add_weight_input(im, layer, "bias", 2);
    return status ? status : output_image(im, layer);
}

static enum ew_status compute_pool(struct ox_import *im, const struct ox_value *in)
{
    const bool is_max = is_op(im, "MaxPool");
    struct ew_op_attrs a = {.ceil_mode = ox_attribute_int(im, "ceil_mode", 0) != 0};
    a.count_include_pad = !is_max && ox_attribute_int(im, "count_include_pad", 0) != 0;
    int32_t from = 0, layer = 0;
    if (!is_image(in)) {
        return EW_ENOTSUP;
    }
    enum ew_status status = read_numbers(a.kernel, 2, im, "kernel_shape", 0);
    status = status ? status : read_window(&a, im, &in->dims);
    status = status ? status : ox_arrange_own(&from, NULL, im, in);
    if (status != EW_OK) {
        return status;
    }
    const bool is_trivial = a.kernel[0] == 1 && a.kernel[1] == 1 && a.stride[0] == 1 &&
                            a.stride[1] == 1 && !a.pads[0] && !a.pads[1] && !a.pads[2] &&
                            !a.pads[3];
    if (is_trivial) { /* adaptive pooling to the size that is already there */
        a = (struct ew_op_attrs){0};
    }
    if (!is_max) { /* not in this op */
        a.dilation[0] = a.dilation[1] = is_trivial ? 0 : 1;
    }
    const enum ew_op op = is_trivial ? EW_OP_IDENTITY : is_max ? EW_OP_MAX_POOL : EW_OP_AVG_POOL;
    status = ox_add_layer(&layer, im, op, &a, 1, &from);
    return status ? status : output_image(im, layer);
}

static enum ew_status compute_global_pool(struct ox_import *im, const struct ox_value *in)
{
    const enum ew_op op =
        is_op(im, "GlobalMaxPool") ? EW_OP_GLOBAL_MAX_POOL : EW_OP_GLOBAL_AVG_POOL;
    int32_t from = 0, layer = 0;
    if (!is_image(in)) {
        return EW_ENOTSUP;
    }
    enum ew_status status = ox_arrange_own(&from, NULL, im, in);
    status = status ? status : ox_add_layer(&layer, im, op, &(struct ew_op_attrs){0}, 1, &from);
    return status ? status : output_image(im, layer);
}

/* ReduceMean and ReduceMax over rows, columns or both are pools. */
static enum ew_status compute_reduce(struct ox_import *im, const struct ox_value *in)
{
    int64_t axes[OX_MAX_RANK];
    uint32_t n = 0;
    int slots[OX_MAX_RANK];
    bool is_reduced[EW_DIMS] = {false};
    struct ox_dims dims = {0};
    int32_t from = 0, layer = 0;
    enum ew_status status = ox_integers(axes, &n, OX_MAX_RANK, im, "axes", 1);
    status = status ? status : ox_arrange_own(&from, slots, im, in);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < in->dims.n; i++) {
        bool is_listed = n == 0;
        for (uint32_t k = 0; k < n; k++) {
            is_listed =
                is_listed || axes[k] == (int64_t)i || axes[k] + (int64_t)in->dims.n == (int64_t)i;
        }
        is_reduced[slots[i]] = is_reduced[slots[i]] || is_listed;
        if (is_listed && ox_attribute_int(im, "keepdims", 1) == 0) {
            continue;
        }
        dims.at[dims.n++] = is_listed ? 1 : in->dims.at[i];
    }
    const int32_t *shape = im->layers.items[from].shape;
    const bool is_max = is_op(im, "ReduceMax");
    struct ew_op_attrs a = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    if (is_reduced[EW_C] && shape[EW_C] > 1) {
        return EW_ENOTSUP;
    }
    enum ew_op op = is_max ? EW_OP_MAX_POOL : EW_OP_AVG_POOL;
    if (is_reduced[EW_H] && is_reduced[EW_W]) {
        op = is_max ? EW_OP_GLOBAL_MAX_POOL : EW_OP_GLOBAL_AVG_POOL;
        a = (struct ew_op_attrs){0};
    } else {
        a.kernel[0] = a.stride[0] = is_reduced[EW_H] ? shape[EW_H] : 1;
        a.kernel[1] = a.stride[1] = is_reduced[EW_W] ? shape[EW_W] : 1;
    }
    status = ox_add_layer(&layer, im, op, &a, 1, &from);
    if (status == EW_OK && !is_max) {
        im->layers.items[layer].kind = OX_MEAN;
    }
    return status ? status : ox_output_layer(im, layer, &dims);
}

/* ---- matrix products ---- */

/* A matrix of `inputs` x `outputs` applied to the last dimension: an fc for a single row, else a
 * linear. */
static enum ew_status add_dense(struct ox_import *im, const struct ox_value *in, int64_t inputs,
                                int64_t outputs, bool has_bias, const struct ox_dims *dims)
{
    struct ew_op_attrs a = {.has_bias = has_bias};
    int slots[OX_MAX_RANK];
    int32_t from = in->layer, layer = 0;
    const bool is_row = ox_count(&in->dims) == (uint64_t)inputs;
    enum ew_status status = as_attribute(&a.out_channels, im, "outputs", outputs);
    status = status ? status : ox_check_dims(im, "output", dims);
    if (status == EW_OK && !is_row) {
        const bool is_natural = ox_layout(slots, &in->dims) && slots[in->dims.n - 1] == EW_W;
        const int64_t rows = (int64_t)ox_count(&in->dims) / inputs;
        const int32_t chw[] = {1, (int32_t)rows, (int32_t)inputs};
        status = is_natural ? ox_arrange_own(&from, NULL, im, in) : ox_arrange(&from, im, in, chw);
    }
    status =
        status ? status : ox_add_layer(&layer, im, is_row ? EW_OP_FC : EW_OP_LINEAR, &a, 1, &from);
    status = status ? status : add_weight_input(im, layer, "weight", 1);
    return status ? status : ox_output_layer(im, layer, dims);
}

static enum ew_status compute_gemm(struct ox_import *im, const struct ox_value *in)
{
    const struct ox_value *weight = ox_input(im, 1);
    if (!weight) {
        return im->err->status;
    }
    const bool is_transposed = ox_attribute_int(im, "transB", 0) != 0;
    if (weight->layer != OX_NO_LAYER || ox_attribute_int(im, "transA", 0) != 0) {
        return EW_ENOTSUP;
    }
    if (in->dims.n != 2 || weight->dims.n != 2 ||
        weight->dims.at[is_transposed ? 1 : 0] != in->dims.at[1]) {
        return ox_fail(im, "expected matrices that match, found %s and %s%s",
                       ox_dims_text(im, &in->dims), ox_dims_text(im, &weight->dims),
                       is_transposed ? " transposed" : "");
    }
    const int64_t outputs = weight->dims.at[is_transposed ? 0 : 1];
    const struct ox_dims dims = {2, {in->dims.at[0], outputs}};
    const bool has_bias = ox_has_input(im, 2);
    const enum ew_status status = add_dense(im, in, in->dims.at[1], outputs, has_bias, &dims);
    if (status != EW_OK) {
        return status;
    }
    const int32_t layer = (int32_t)im->layers.count - 1;
    struct ox_layer *l = &im->layers.items[layer];
    l->is_values_unknown = ox_attribute_float(im, "alpha", 1) != 1 ||
                           (has_bias && ox_attribute_float(im, "beta", 1) != 1);
    for (uint32_t i = 0; i < l->n_weights && !is_transposed; i++) {
        l->weights[i].is_transposed = !l->weights[i].is_transposed;
    }
    return add_weight_input(im, layer, "bias", 2);
}

/* Product of two tensors that are computed: leading dimensions are channels. */
static enum ew_status add_matmul(struct ox_import *im, const struct ox_value *a,
                                 const struct ox_value *b, const struct ox_dims *dims)
{
    int32_t inputs[2], layer = 0;
    const struct ox_value *both[] = {a, b};
    enum ew_status status = ox_check_dims(im, "output", dims);
    for (int i = 0; i < 2 && status == EW_OK; i++) {
        const struct ox_dims *d = &both[i]->dims;
        const int64_t rows = d->at[d->n - 2], columns = d->at[d->n - 1];
        const int32_t chw[] = {(int32_t)((int64_t)ox_count(d) / (rows * columns)), (int32_t)rows,
                               (int32_t)columns};
        status = ox_arrange(&inputs[i], im, both[i], chw);
    }
    status = status ? status
                    : ox_add_layer(&layer, im, EW_OP_MATMUL, &(struct ew_op_attrs){0}, 2, inputs);
    return status ? status : ox_output_layer(im, layer, dims);
}

/* All dimensions but those of the matrix. */
static struct ox_dims leading_dims(const struct ox_dims *dims)
{
    struct ox_dims lead = {.n = dims->n - 2};
    memcpy(lead.at, dims->at, lead.n * sizeof *lead.at);
    return lead;
}

static enum ew_status compute_matmul(struct ox_import *im, const struct ox_value *a)
{
    const struct ox_value *b = ox_input(im, 1);
    if (!b) {
        return im->err->status;
    }
    const struct ox_dims *x = &a->dims, *y = &b->dims;
    if (a->layer == OX_NO_LAYER || x->n < 1 || y->n < 2) {
        return EW_ENOTSUP;
    }
    if (x->at[x->n - 1] != y->at[y->n - 2]) {
        return ox_fail(im, "expected matrices that match, found %s and %s", ox_dims_text(im, x),
                       ox_dims_text(im, y));
    }
    struct ox_dims dims = *x;
    dims.at[dims.n - 1] = y->at[y->n - 1];
    if (b->layer == OX_NO_LAYER) {
        const struct ox_dims lead = leading_dims(y);
        const bool is_matrix = ox_count(&lead) == 1;
        enum ew_status status =
            is_matrix ? add_dense(im, a, x->at[x->n - 1], y->at[y->n - 1], false, &dims)
                      : EW_ENOTSUP;
        struct ox_layer *l = status ? NULL : &im->layers.items[im->layers.count - 1];
        for (uint32_t i = 0; l && i < l->n_weights; i++) { /* inputs x outputs, unlike Linear's */
            l->weights[i].is_transposed = !l->weights[i].is_transposed;
        }
        return status;
    }
    if (x->n < 2) {
        return EW_ENOTSUP;
    }
    const struct ox_dims lead_x = leading_dims(x), lead_y = leading_dims(y);
    const uint64_t n_x = ox_count(&lead_x), n_y = ox_count(&lead_y);
    if (n_y != 1 && (n_x != n_y || !ox_same_dims(&lead_x, &lead_y))) {
        return EW_ENOTSUP; /* broadcast over some of the leading dimensions */
    }
    return add_matmul(im, a, b, &dims);
}

/* ---- normalisations ---- */

static enum ew_status compute_batchnorm(struct ox_import *im, const struct ox_value *in)
{
    static const char *const roles[] = {"scale", "shift", "mean", "variance"};
    const struct ew_op_attrs a = {.is_affine = true,
                                  .epsilon = (float)ox_attribute_float(im, "epsilon", 1e-5)};
    int32_t from = 0, layer = 0;
    int slots[OX_MAX_RANK];
    if (in->dims.n < 2 || in->dims.at[0] != 1) {
        return EW_ENOTSUP;
    }
    enum ew_status status = ox_arrange_own(&from, slots, im, in);
    if (status == EW_OK && slots[1] != EW_C) {
        return EW_ENOTSUP;
    }
    status = status ? status : ox_add_layer(&layer, im, EW_OP_BATCHNORM, &a, 1, &from);
    for (uint32_t i = 0; i < 4 && status == EW_OK; i++) {
        status = add_weight_input(im, layer, roles[i], i + 1);
    }
    return status ? status : ox_output_layer(im, layer, &in->dims);
}

static enum ew_status compute_layernorm(struct ox_import *im, const struct ox_value *in)
{
    struct ew_op_attrs a = {.is_affine = ox_has_input(im, 1),
                            .epsilon = (float)ox_attribute_float(im, "epsilon", 1e-5)};
    int32_t from = 0, layer = 0;
    int slots[OX_MAX_RANK];
    uint32_t axis = 0;
    enum ew_status status = ox_axis(&axis, im, ox_attribute_int(im, "axis", -1), in->dims.n);
    status = status ? status : ox_arrange_own(&from, slots, im, in);
    if (status != EW_OK) {
        return status;
    }
    if (!slots[axis]) {
        return EW_ENOTSUP;
    }
    a.axis = slots[axis];
    status = ox_add_layer(&layer, im, EW_OP_LAYERNORM, &a, 1, &from);
    status = status ? status : add_weight_input(im, layer, "scale", 1);
    status = status ? status : add_weight_input(im, layer, "shift", 2);
    return status ? status : ox_output_layer(im, layer, &in->dims);
}

/* Normalised over the rows and columns of each channel, then a scale and a shift per channel. */
static enum ew_status compute_instancenorm(struct ox_import *im, const struct ox_value *in)
{
    const struct ew_op_attrs norm = {.axis = EW_H,
                                     .epsilon = (float)ox_attribute_float(im, "epsilon", 1e-5)},
                             affine = {.spans = {true, false, false}, .is_learned = true};
    int32_t from = 0, layer = 0;
    if (!is_image(in)) {
        return EW_ENOTSUP;
    }
    enum ew_status status = ox_arrange_own(&from, NULL, im, in);
    status = status ? status : ox_add_layer(&layer, im, EW_OP_LAYERNORM, &norm, 1, &from);
    from = layer;
    status = status ? status : ox_add_layer(&layer, im, EW_OP_SCALE, &affine, 1, &from);
    status = status ? status : add_weight_input(im, layer, "value", 1);
    from = layer;
    status = status ? status : ox_add_layer(&layer, im, EW_OP_SHIFT, &affine, 1, &from);
    status = status ? status : add_weight_input(im, layer, "value", 2);
    return status ? status : output_image(im, layer);
}

static enum ew_status compute_lrn(struct ox_import *im, const struct ox_value *in)
{
    struct ew_op_attrs a = {.alpha = (float)ox_attribute_float(im, "alpha", 1e-4),
                            .beta = (float)ox_attribute_float(im, "beta", 0.75),
                            .k = (float)ox_attribute_float(im, "bias", 1)};
    int32_t from = 0, layer = 0;
    if (!is_image(in)) {
        return EW_ENOTSUP;
    }
    enum ew_status status = as_attribute(&a.size, im, "size", ox_attribute_int(im, "size", 0));
    status = status ? status : ox_arrange_own(&from, NULL, im, in);
    status = status ? status : ox_add_layer(&layer, im, EW_OP_LRN, &a, 1, &from);
    return status ? status : output_image(im, layer);
}

static enum ew_status compute_softmax(struct ox_import *im, const struct ox_value *in)
{
    struct ew_op_attrs a = {0};
    int32_t from = 0, layer = 0;
    int slots[OX_MAX_RANK];
    uint32_t axis = 0;
    const int64_t fallback = im->model->opset >= 13 ? -1 : 1;
    enum ew_status status = ox_axis(&axis, im, ox_attribute_int(im, "axis", fallback), in->dims.n);
    status = status ? status : ox_arrange_own(&from, slots, im, in);
    if (status != EW_OK) {
        return status;
    }
    if (!slots[axis] && in->dims.at[axis] != 1) {
        return EW_ENOTSUP;
    }
    a.axis = slots[axis] ? slots[axis] : EW_C;
    status = ox_add_layer(&layer, im, EW_OP_SOFTMAX, &a, 1, &from);
    if (status == EW_OK) { /* before opset 13 it runs over all further dimensions, too */
        const int32_t *s = im->layers.items[layer].shape;
        const bool is_last = (a.axis >= EW_H || s[EW_H] == 1) && (a.axis >= EW_W || s[EW_W] == 1);
        im->layers.items[layer].is_values_unknown = im->model->opset < 13 && !is_last;
    }
    if (status == EW_OK && is_op(im, "LogSoftmax")) {
        const struct ew_op_attrs log = {.operations = 1, .function = EW_FUNCTION_LOG};
        from = layer;
        status = ox_add_layer(&layer, im, EW_OP_UNARY, &log, 1, &from);
    }
    return status ? status : ox_output_layer(im, layer, &in->dims);
}

/* max(x, 0) + slope * min(x, 0): three operations, and a slope per channel. */
static enum ew_status compute_prelu(struct ox_import *im, const struct ox_value *in)
{
    const struct ox_value *slope = ox_input(im, 1);
    if (!slope) {
        return im->err->status;
    }
    if (slope->layer != OX_NO_LAYER || !is_image(in)) {
        return EW_ENOTSUP;
    }
    const uint64_t n = ox_count(&slope->dims);
    const struct ew_op_attrs relu = {.operations = 2, .function = EW_FUNCTION_IDENTITY},
                             scale = {.spans = {n > 1, false, false},
                                      .is_learned = true,
                                      .function = EW_FUNCTION_PRELU};
    int32_t from = 0, layer = 0;
    if (n != 1 && n != (uint64_t)in->dims.at[1]) {
        return EW_ENOTSUP;
    }
    enum ew_status status = ox_arrange_own(&from, NULL, im, in);
    status = status ? status : ox_add_layer(&layer, im, EW_OP_UNARY, &relu, 1, &from);
    from = layer;
    status = status ? status : ox_add_layer(&layer, im, EW_OP_SCALE, &scale, 1, &from);
    status = status ? status : ox_add_weight(im, layer, "slope", slope);
    return status ? status : output_image(im, layer);
}

/* ---- all of them ---- */

enum ew_status ox_read_compute(struct ox_import *im)
{
    static const struct {
        const char *op;
        enum ew_status (*read)(struct ox_import *im, const struct ox_value *in);
    } readers[] = {
        {"Conv", compute_conv},
        {"ConvTranspose", compute_conv},
        {"MaxPool", compute_pool},
        {"AveragePool", compute_pool},
        {"GlobalAveragePool", compute_global_pool},
        {"GlobalMaxPool", compute_global_pool},
        {"ReduceMean", compute_reduce},
        {"ReduceMax", compute_reduce},
        {"Gemm", compute_gemm},
        {"BatchNormalization", compute_batchnorm},
        {"LayerNormalization", compute_layernorm},
        {"InstanceNormalization", compute_instancenorm},
        {"LRN", compute_lrn},
        {"Softmax", compute_softmax},
        {"LogSoftmax", compute_softmax},
        {"PRelu", compute_prelu},
    };
    const struct ox_value *in = ox_has_input(im, 0) ? ox_input(im, 0) : NULL;
    if (!in) {
        return EW_ENOTSUP;
    }
    enum ew_status status = ox_read_operands(im, in);
    if (status != EW_ENOTSUP || in->layer == OX_NO_LAYER) {
        return status;
    }
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (is_op(im, readers[i].op)) {
            return readers[i].read(im, in);
        }
    }
    return is_op(im, "MatMul") ? compute_matmul(im, in) : ox_read_elementwise(im, in);
}
