#include "io/graph_layer_json.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    MAX_LABEL_BYTES = 128,
    MAX_ATTRIBUTE = EW_GRAPH_MAX_DIM,
    MAX_LAYER_INPUTS = 65536,
    MAX_LAYER_WEIGHTS = 64,
    MAX_WEIGHT_DIMS = 16,
    DEPTHWISE = EW_OP_COUNT, /* a name in files only: a conv with one filter group per channel */
};

static const int64_t MAX_OPAQUE_PARAMS = INT64_C(1) << 47;

/* ---- labels ---- */

static enum ew_status check_label(const char *label, const struct ew_json_value *at,
                                  struct ew_error *err)
{
    const size_t n = strlen(label);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f) {
            return ew_json_fail(at, err, "expected a name without control characters");
        }
    }
    if (n == 0 || n > MAX_LABEL_BYTES) {
        return ew_json_fail(at, err, "expected a name of 1..%d bytes, found %zu",
                            (int)MAX_LABEL_BYTES, n);
    }
    return EW_OK;
}

enum ew_status ew_json_need_label(const char **out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err)
{
    struct ew_json_value v;
    enum ew_status status = ew_json_need(&v, object, key, err);
    status = status ? status : ew_json_as_string(out, &v, err);
    return status ? status : check_label(*out, &v, err);
}

enum ew_status ew_json_read_labels(const char *const **out, uint32_t *n, struct ew_arena *arena,
                                   const struct ew_json_value *array, size_t max,
                                   struct ew_error *err)
{
    enum ew_status status = ew_json_as_array(array, err);
    if (status != EW_OK) {
        return status;
    }
    const size_t count = ew_json_count(array);
    if (count == 0 || count > max) {
        return ew_json_fail(array, err, "expected 1..%zu names, found %zu", max, count);
    }
    const char **labels = ew_arena_calloc(arena, count, sizeof *labels);
    if (!labels) {
        return ew_fail_memory(err);
    }
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, array)) {
        status = ew_json_as_string(&labels[item.index], &item, err);
        status = status ? status : check_label(labels[item.index], &item, err);
    }
    *out = labels;
    *n = (uint32_t)count;
    return status;
}

const char *ew_json_place(struct ew_arena *arena, const struct ew_json_value *at)
{
    char pointer[256];
    ew_json_pointer(pointer, sizeof pointer, at);
    return ew_arena_strdup(arena, pointer);
}

/* ---- attributes ---- */

/* `count` integers: an array of that many, or one number for all. */
static enum ew_status read_integers(int32_t *out, size_t count, const struct ew_json_value *value,
                                    int64_t min, struct ew_error *err)
{
    int64_t x = 0;
    if (ew_json_is_number(value)) {
        const enum ew_status status = ew_json_as_i64(&x, value, min, MAX_ATTRIBUTE, err);
        for (size_t i = 0; i < count && status == EW_OK; i++) {
            out[i] = (int32_t)x;
        }
        return status;
    }
    char what[64];
    (void)snprintf(what, sizeof what, "1 or %zu integers >= %lld", count, (long long)min);
    if (!ew_json_is_array(value)) {
        return ew_json_expected(value, what, err);
    }
    const size_t found = ew_json_count(value);
    if (found != count) {
        return ew_json_fail(value, err, "expected %s, found an array of %zu", what, found);
    }
    enum ew_status status = EW_OK;
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, value)) {
        status = ew_json_as_i64(&x, &item, min, MAX_ATTRIBUTE, err);
        out[item.index] = (int32_t)x;
    }
    return status;
}

static enum ew_status read_integer(int32_t *out, const struct ew_json_value *value,
                                   struct ew_error *err)
{
    int64_t x = 0;
    const enum ew_status status = ew_json_as_i64(&x, value, 1, MAX_ATTRIBUTE, err);
    *out = (int32_t)x;
    return status;
}

static enum ew_status read_shape(int32_t out[3], const struct ew_json_value *value,
                                 struct ew_error *err)
{
    if (!ew_json_is_array(value) || ew_json_count(value) != 3) {
        return ew_json_expected(value, "[C, H, W]", err);
    }
    return read_integers(out, 3, value, 1, err);
}

enum attribute_kind {
    OUT_CHANNELS,
    KERNEL,
    STRIDE,
    PADS,
    DILATION,
    GROUPS,
    BIAS,
    CEIL_MODE,
    COUNT_INCLUDE_PAD,
    AFFINE,
    SIZE,
    SCALE,
    SHAPE,
    OUT_PADS,
    AXIS,
    AXES,
    PERM,
    BEGIN,
    STEP,
    OUT_SIZE,
    MODE,
    OPERATIONS,
    LEARNED,
    PARAMS,
    FUNCTION,
    ALPHA,
    BETA,
    K,
    EPSILON
};

#define BIT(op) (UINT64_C(1) << (op))
#define OP(name) BIT(EW_OP_##name)
#define ALL_CONVS (OP(CONV) | BIT(DEPTHWISE) | OP(CONV_TRANSPOSE))
#define POOLS (OP(MAX_POOL) | OP(AVG_POOL))
#define DENSE (OP(FC) | OP(LINEAR))
#define CONSTANTS (OP(SHIFT) | OP(SCALE))
#define FUNCTIONS                                                                                  \
    (OP(UNARY) | OP(ADD) | OP(MUL) | CONSTANTS | DENSE | OP(RESIZE) | OP(PAD) | OP(SOFTMAX) | OP(GELU))

/* Which ops have a key, and which cannot do without. */
static const struct attribute {
    const char *key;
    enum attribute_kind kind;
    uint64_t ops;
    uint64_t required;
} attributes[] = {
    {"out_channels", OUT_CHANNELS, OP(CONV) | OP(CONV_TRANSPOSE) | DENSE,
     OP(CONV) | OP(CONV_TRANSPOSE) | DENSE},
    {"multiplier", OUT_CHANNELS, BIT(DEPTHWISE), 0},
    {"kernel", KERNEL, ALL_CONVS | POOLS, ALL_CONVS | POOLS},
    {"stride", STRIDE, ALL_CONVS | POOLS, 0},
    {"pads", PADS, ALL_CONVS | POOLS | OP(PAD), OP(PAD)},
    {"out_pads", OUT_PADS, OP(CONV_TRANSPOSE), 0},
    {"dilation", DILATION, ALL_CONVS | OP(MAX_POOL), 0},
    {"groups", GROUPS, OP(CONV) | OP(CONV_TRANSPOSE) | OP(SHUFFLE), OP(SHUFFLE)},
    {"bias", BIAS, ALL_CONVS | DENSE, 0},
    {"ceil_mode", CEIL_MODE, POOLS, 0},
    {"count_include_pad", COUNT_INCLUDE_PAD, OP(AVG_POOL), 0},
    {"affine", AFFINE, OP(BATCHNORM) | OP(LAYERNORM), 0},
    {"size", SIZE, OP(LRN), OP(LRN)},
    {"scale", SCALE, OP(UPSAMPLE), OP(UPSAMPLE)},
    {"begin", BEGIN, OP(SLICE), 0},
    {"shape", SHAPE, OP(RESHAPE) | OP(SLICE) | OP(OPAQUE), OP(RESHAPE) | OP(SLICE) | OP(OPAQUE)},
    {"step", STEP, OP(SLICE), 0},
    {"axis", AXIS, OP(SOFTMAX) | OP(CONCAT) | OP(LAYERNORM), OP(LAYERNORM)},
    {"axes", AXES, CONSTANTS, 0},
    {"perm", PERM, OP(TRANSPOSE), OP(TRANSPOSE)},
    {"size", OUT_SIZE, OP(RESIZE), OP(RESIZE)},
    {"mode", MODE, OP(RESIZE), 0},
    {"operations", OPERATIONS, OP(UNARY) | OP(OPAQUE), 0},
    {"learned", LEARNED, CONSTANTS | OP(PAD), 0},
    {"params", PARAMS, OP(OPAQUE), 0},
    {"function", FUNCTION, FUNCTIONS, 0},
    {"alpha", ALPHA, OP(LRN) | OP(HARDSIGMOID) | OP(UNARY), 0},
    {"beta", BETA, OP(LRN) | OP(HARDSIGMOID) | OP(UNARY), 0},
    {"k", K, OP(LRN), 0},
    {"slope", ALPHA, OP(LEAKY_RELU), 0},
    {"value", ALPHA, CONSTANTS | OP(PAD), 0},
    {"epsilon", EPSILON, OP(BATCHNORM) | OP(LAYERNORM) | ALL_CONVS | OP(FC), 0},
};

enum { N_ATTRIBUTES = sizeof attributes / sizeof *attributes };

/* Dimensions in which the values of a constant differ. */
static enum ew_status read_axes(bool spans[3], const struct ew_json_value *value,
                                struct ew_error *err)
{
    enum ew_status status = ew_json_as_array(value, err);
    struct ew_json_value item = {0};
    memset(spans, 0, 3 * sizeof *spans);
    while (status == EW_OK && ew_json_next(&item, value)) {
        int64_t axis = EW_C;
        status = ew_json_as_i64(&axis, &item, EW_C, EW_W, err);
        if (status == EW_OK && spans[axis - EW_C]) {
            return ew_json_fail(&item, err, "expected each axis once");
        }
        spans[axis - EW_C] = true;
    }
    return status;
}

static const char *const resize_modes[EW_RESIZE_COUNT] = {"nearest", "linear", "aligned", "cubic"};

static enum ew_status read_mode(int32_t *mode, const struct ew_json_value *value,
                                struct ew_error *err)
{
    const char *name = "";
    const enum ew_status status = ew_json_as_string(&name, value, err);
    for (int i = 0; i < EW_RESIZE_COUNT && status == EW_OK; i++) {
        if (strcmp(name, resize_modes[i]) == 0) {
            *mode = i;
            return EW_OK;
        }
    }
    return status
               ? status
               : ew_json_expected(value, "\"nearest\", \"linear\", \"aligned\" or \"cubic\"", err);
}

static const char *function_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return ew_function_name((enum ew_function)i);
}

static enum ew_status read_function(int32_t *function, const struct ew_json_value *value,
                                    struct ew_error *err)
{
    const char *name = "";
    enum ew_function found = EW_FUNCTION_USUAL;
    const enum ew_status status = ew_json_as_string(&name, value, err);
    if (status == EW_OK && !ew_function_from_name(&found, name)) {
        const char *near = ew_nearest_name(name, EW_FUNCTION_COUNT, function_name_at, NULL);
        return ew_json_fail(value, err, "unknown function '%.64s'%s%s%s", name,
                            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    *function = (int32_t)found;
    return status;
}

/* One of the numbers that values depend on. */
static enum ew_status read_real(float *out, const struct ew_json_value *value, struct ew_error *err)
{
    double x = 0;
    const enum ew_status status = ew_json_as_double(&x, value, -FLT_MAX, FLT_MAX, err);
    *out = (float)x;
    return status;
}

static enum ew_status read_count(int64_t *out, const struct ew_json_value *value, int64_t max,
                                 struct ew_error *err)
{
    return ew_json_as_i64(out, value, 0, max, err);
}

/* Attributes beyond those of convolutions and pools. */
static enum ew_status read_other(struct ew_op_attrs *a, enum attribute_kind kind,
                                 const struct ew_json_value *value, struct ew_error *err)
{
    int64_t x = 0;
    enum ew_status status = EW_OK;
    switch (kind) {
    case AXIS:
        status = ew_json_as_i64(&x, value, EW_C, EW_W, err);
        a->axis = (int32_t)x;
        return status;
    case AXES:
        return read_axes(a->spans, value, err);
    case PERM:
        return ew_json_is_array(value) ? read_integers(a->perm, 3, value, EW_C, err)
                                       : ew_json_expected(value, "an array like [3, 1, 2]", err);
    case BEGIN:
        return read_integers(a->begin, 3, value, 0, err);
    case STEP:
        return read_integers(a->step, 3, value, 1, err);
    case OUT_SIZE:
        return read_integers(a->reshape + 1, 2, value, 1, err);
    case MODE:
        return read_mode(&a->mode, value, err);
    case OPERATIONS:
        status = read_count(&x, value, MAX_ATTRIBUTE, err);
        a->operations = (int32_t)x;
        return status;
    case LEARNED:
        return ew_json_as_bool(&a->is_learned, value, err);
    case PARAMS:
        status = read_count(&x, value, MAX_OPAQUE_PARAMS, err);
        a->own_params = (uint64_t)x;
        return status;
    case FUNCTION:
        return read_function(&a->function, value, err);
    case ALPHA:
        return read_real(&a->alpha, value, err);
    case BETA:
        return read_real(&a->beta, value, err);
    case K:
        return read_real(&a->k, value, err);
    case EPSILON:
        return read_real(&a->epsilon, value, err);
    default:
        return EW_OK;
    }
}

static enum ew_status read_attribute(struct ew_op_attrs *a, enum attribute_kind kind,
                                     const struct ew_json_value *value, struct ew_error *err)
{
    switch (kind) {
    case OUT_CHANNELS:
        return read_integer(&a->out_channels, value, err);
    case KERNEL:
        return read_integers(a->kernel, 2, value, 1, err);
    case STRIDE:
        return read_integers(a->stride, 2, value, 1, err);
    case PADS:
        return read_integers(a->pads, 4, value, 0, err);
    case DILATION:
        return read_integers(a->dilation, 2, value, 1, err);
    case GROUPS:
        return read_integer(&a->groups, value, err);
    case BIAS:
        return ew_json_as_bool(&a->has_bias, value, err);
    case CEIL_MODE:
        return ew_json_as_bool(&a->ceil_mode, value, err);
    case COUNT_INCLUDE_PAD:
        return ew_json_as_bool(&a->count_include_pad, value, err);
    case AFFINE:
        return ew_json_as_bool(&a->is_affine, value, err);
    case SIZE:
        return read_integer(&a->size, value, err);
    case SCALE:
        return read_integers(a->scale, 2, value, 1, err);
    case SHAPE:
        return read_shape(a->reshape, value, err);
    case OUT_PADS:
        return read_integers(a->out_pads, 2, value, 0, err);
    default:
        return read_other(a, kind, value, err);
    }
}

/* Defaults of the attributes that the op has; groups 0 makes ew_graph_make complete a depthwise
 * convolution, whose out_channels are per input channel. */
static struct ew_op_attrs default_attributes(uint64_t op_bit)
{
    struct ew_op_attrs a = {0};
    if (op_bit & (ALL_CONVS | POOLS)) {
        a.stride[0] = a.stride[1] = 1;
        a.dilation[0] = a.dilation[1] = 1;
    }
    a.groups = op_bit & (OP(CONV) | OP(CONV_TRANSPOSE)) ? 1 : 0;
    a.out_channels = op_bit & BIT(DEPTHWISE) ? 1 : 0;
    a.has_bias = (op_bit & (ALL_CONVS | DENSE)) != 0;
    a.count_include_pad = (op_bit & OP(AVG_POOL)) != 0;
    a.is_affine = (op_bit & (OP(BATCHNORM) | OP(LAYERNORM))) != 0;
    a.is_learned = a.spans[0] = (op_bit & CONSTANTS) != 0;
    a.operations = op_bit & OP(UNARY) ? 1 : 0;
    a.axis = op_bit & (OP(SOFTMAX) | OP(CONCAT)) ? EW_C : 0;
    for (int op = 0; op < EW_OP_COUNT; op++) {
        if (op_bit & BIT(op)) {
            ew_op_default_numbers(&a, (enum ew_op)op);
        }
    }
    if (op_bit & OP(SLICE)) {
        a.step[0] = a.step[1] = a.step[2] = 1;
    }
    return a;
}

static enum ew_status check_layer_keys(const struct ew_json_value *object, uint64_t op_bit,
                                       const char *op_name, bool is_override, struct ew_error *err)
{
    static const char *const common[] = {"name", "op", "inputs", "weights"};
    const char *keys[N_ATTRIBUTES + 4];
    size_t n = 0;
    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        if (attributes[i].ops & op_bit) {
            keys[n++] = attributes[i].key;
        }
    }
    for (size_t i = 0; i < 4 && !is_override; i++) {
        keys[n++] = common[i];
    }
    const enum ew_status status = ew_json_check_keys(object, keys, n, err);
    if (status == EW_EINPUT && err && ew_json_is_object(object)) {
        const size_t used = strlen(err->message);
        (void)snprintf(err->message + used, sizeof err->message - used, " (op %s)", op_name);
    }
    return status;
}

static enum ew_status read_attributes(struct ew_op_attrs *a, const struct ew_json_value *object,
                                      uint64_t op_bit, bool is_override, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t i = 0; i < N_ATTRIBUTES && status == EW_OK; i++) {
        const struct attribute *attribute = &attributes[i];
        struct ew_json_value value;
        if (!(attribute->ops & op_bit)) {
            continue;
        }
        if (ew_json_find(&value, object, attribute->key)) {
            status = read_attribute(a, attribute->kind, &value, err);
        } else if ((attribute->required & op_bit) && !is_override) {
            status = ew_json_need(&value, object, attribute->key, err); /* for its message */
        } else if (attribute->kind == STRIDE && (op_bit & POOLS) && !is_override) {
            memcpy(a->stride, a->kernel, sizeof a->stride);
        }
    }
    return status;
}

/* ---- layers ---- */

static const char *op_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return i + 1 == DEPTHWISE ? "depthwise" : ew_op_name((enum ew_op)(i + 1)); /* not "input" */
}

static enum ew_status read_op(uint64_t *op_bit, enum ew_op *op, const char **name,
                              const struct ew_json_value *layer, struct ew_error *err)
{
    struct ew_json_value v;
    enum ew_status status = ew_json_need(&v, layer, "op", err);
    status = status ? status : ew_json_as_string(name, &v, err);
    if (status != EW_OK) {
        return status;
    }
    if (strcmp(*name, "depthwise") == 0) {
        *op = EW_OP_CONV;
        *op_bit = BIT(DEPTHWISE);
        return EW_OK;
    }
    if (ew_op_from_name(op, *name) && *op != EW_OP_INPUT) {
        *op_bit = BIT(*op);
        return EW_OK;
    }
    const char *near = ew_nearest_name(*name, DEPTHWISE, op_name_at, NULL);
    return ew_json_fail(&v, err, "unknown op '%.64s'%s%s%s", *name, near ? "; did you mean '" : "",
                        near ? near : "", near ? "'?" : "");
}

static enum ew_status read_inputs(struct ew_layer_desc *out, struct ew_arena *arena,
                                  const struct ew_json_value *layer, const char *previous,
                                  struct ew_error *err)
{
    struct ew_json_value inputs;
    if (ew_json_find(&inputs, layer, "inputs")) {
        return ew_json_read_labels(&out->inputs, &out->n_inputs, arena, &inputs, MAX_LAYER_INPUTS,
                                   err);
    }
    if (!previous) {
        return ew_json_fail(layer, err,
                            "expected a member 'inputs': the graph has several network inputs");
    }
    out->inputs = ew_arena_copy(arena, &previous, 1, sizeof previous);
    out->n_inputs = 1;
    return out->inputs ? EW_OK : ew_fail_memory(err);
}

/* ---- weights ---- */

static enum ew_status read_weight(struct ew_weight_ref *out, struct ew_arena *arena,
                                  const struct ew_json_value *item, struct ew_error *err)
{
    static const char *const keys[] = {"role",         "name",       "dtype",     "shape",
                                       "offset_bytes", "size_bytes", "transposed"};
    struct ew_json_value shape = {0}, offset = {0}, size = {0}, dim = {0};
    const int64_t max = INT64_C(1) << 53;
    int64_t x = 0;
    enum ew_status status = ew_json_check_keys(item, keys, sizeof keys / sizeof *keys, err);
    status = status ? status : ew_json_need_label(&out->role, item, "role", err);
    status = status ? status : ew_json_need_label(&out->dtype, item, "dtype", err);
    status = status ? status : ew_json_need_label(&out->name, item, "name", err);
    status = status ? status : ew_json_need_array(&shape, item, "shape", err);
    status = status ? status : ew_json_need(&offset, item, "offset_bytes", err);
    status = status ? status : ew_json_as_i64(&x, &offset, 0, max, err);
    out->offset_bytes = (uint64_t)x;
    status = status ? status : ew_json_need(&size, item, "size_bytes", err);
    status = status ? status : ew_json_as_i64(&x, &size, 0, max, err);
    out->size_bytes = (uint64_t)x;
    status = status ? status : ew_json_get_bool(&out->is_transposed, item, "transposed", err);
    if (status != EW_OK) {
        return status;
    }
    const size_t n = ew_json_count(&shape);
    if (n > MAX_WEIGHT_DIMS) {
        return ew_json_fail(&shape, err, "expected at most %d dimensions, found %zu",
                            (int)MAX_WEIGHT_DIMS, n);
    }
    uint64_t *dims = ew_arena_calloc(arena, n, sizeof *dims);
    if (!dims) {
        return ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&dim, &shape)) {
        status = ew_json_as_i64(&x, &dim, 0, max, err);
        dims[dim.index] = (uint64_t)x;
    }
    out->n_dims = (uint32_t)n;
    out->dims = dims;
    return status;
}

static enum ew_status read_weights(struct ew_layer_desc *out, struct ew_arena *arena,
                                   const struct ew_json_value *layer, struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, layer, "weights", err);
    if (status != EW_OK || !ew_json_is_present(&list)) {
        return status;
    }
    const size_t n = ew_json_count(&list);
    if (n > MAX_LAYER_WEIGHTS) {
        return ew_json_fail(&list, err, "expected at most %d items, found %zu",
                            (int)MAX_LAYER_WEIGHTS, n);
    }
    struct ew_weight_ref *all = ew_arena_calloc(arena, n, sizeof *all);
    if (!all) {
        return ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&item, &list)) {
        status = read_weight(&all[item.index], arena, &item, err);
    }
    out->weights = all;
    out->n_weights = (uint32_t)n;
    return status;
}

enum ew_status ew_layer_json_read(struct ew_layer_desc *out, struct ew_arena *arena,
                                  const struct ew_json_value *layer, const char *previous,
                                  struct ew_error *err)
{
    uint64_t op_bit = 0;
    const char *op_name = "";
    enum ew_status status = ew_json_need_label(&out->name, layer, "name", err);
    status = status ? status : read_op(&op_bit, &out->op, &op_name, layer, err);
    status = status ? status : check_layer_keys(layer, op_bit, op_name, false, err);
    out->attrs = default_attributes(op_bit);
    status = status ? status : read_attributes(&out->attrs, layer, op_bit, false, err);
    status = status ? status : read_inputs(out, arena, layer, previous, err);
    status = status ? status : read_weights(out, arena, layer, err);
    out->place = ew_json_place(arena, layer);
    return status ? status : out->place ? EW_OK : ew_fail_memory(err);
}

enum ew_status ew_layer_json_override(struct ew_layer_desc *layer,
                                      const struct ew_json_value *overrides, struct ew_error *err)
{
    const bool is_depthwise = layer->op == EW_OP_CONV && layer->attrs.groups == 0;
    const uint64_t op_bit = BIT(is_depthwise ? (int)DEPTHWISE : (int)layer->op);
    const char *op_name = is_depthwise ? "depthwise" : ew_op_name(layer->op);
    const enum ew_status status = check_layer_keys(overrides, op_bit, op_name, true, err);
    return status ? status : read_attributes(&layer->attrs, overrides, op_bit, true, err);
}

/* ---- writing ---- */

static void print_integers(struct ew_json *j, const char *key, const int32_t *values, int n)
{
    bool is_uniform = true;
    for (int i = 1; i < n; i++) {
        is_uniform = is_uniform && values[i] == values[0];
    }
    ew_json_key(j, key);
    if (is_uniform && n != 3) { /* shapes and permutations stay arrays */
        ew_json_i64(j, values[0]);
        return;
    }
    ew_json_array_begin_inline(j);
    for (int i = 0; i < n; i++) {
        ew_json_i64(j, values[i]);
    }
    ew_json_array_end(j);
}

static void print_axes(struct ew_json *j, const char *key, const bool spans[3])
{
    ew_json_key(j, key);
    ew_json_array_begin_inline(j);
    for (int i = 0; i < 3; i++) {
        if (spans[i]) {
            ew_json_i64(j, EW_C + i);
        }
    }
    ew_json_array_end(j);
}

/* The integers of an attribute; 0 when it is something else. */
static int integers_of(const int32_t **out, const struct ew_op_attrs *a, enum attribute_kind kind)
{
    const struct {
        const int32_t *values;
        int n;
    } all[] = {
        [OUT_CHANNELS] = {&a->out_channels, 1},
        [KERNEL] = {a->kernel, 2},
        [STRIDE] = {a->stride, 2},
        [PADS] = {a->pads, 4},
        [DILATION] = {a->dilation, 2},
        [GROUPS] = {&a->groups, 1},
        [SIZE] = {&a->size, 1},
        [SCALE] = {a->scale, 2},
        [SHAPE] = {a->reshape, 3},
        [OUT_PADS] = {a->out_pads, 2},
        [AXIS] = {&a->axis, 1},
        [PERM] = {a->perm, 3},
        [BEGIN] = {a->begin, 3},
        [STEP] = {a->step, 3},
        [OUT_SIZE] = {a->reshape + 1, 2},
        [OPERATIONS] = {&a->operations, 1},
        [EPSILON] = {NULL, 0}, /* the last kind */
    };
    *out = all[kind].values;
    return all[kind].n;
}

static const bool *truth_of(const struct ew_op_attrs *a, enum attribute_kind kind)
{
    switch (kind) {
    case BIAS:
        return &a->has_bias;
    case CEIL_MODE:
        return &a->ceil_mode;
    case COUNT_INCLUDE_PAD:
        return &a->count_include_pad;
    case AFFINE:
        return &a->is_affine;
    case LEARNED:
        return &a->is_learned;
    default:
        return NULL;
    }
}

static const float *real_of(const struct ew_op_attrs *a, enum attribute_kind kind)
{
    return kind == ALPHA     ? &a->alpha
           : kind == BETA    ? &a->beta
           : kind == K       ? &a->k
           : kind == EPSILON ? &a->epsilon
                             : NULL;
}

/* With as few digits as give the same float again. */
static void print_real(struct ew_json *j, const char *key, float x)
{
    char digits[32];
    for (int n = 1; n <= 9; n++) {
        (void)snprintf(digits, sizeof digits, "%.*g", n, (double)x);
        if (strtof(digits, NULL) == x) {
            break;
        }
    }
    ew_json_kv_double(j, key, strtod(digits, NULL));
}

static void print_attribute(struct ew_json *j, const struct attribute *attribute,
                            const struct ew_op_attrs *a, const struct ew_op_attrs *usual,
                            bool is_required)
{
    const int32_t *values, *other;
    const int n = integers_of(&values, a, attribute->kind);
    const bool *truth = truth_of(a, attribute->kind);
    const float *real = real_of(a, attribute->kind);
    (void)integers_of(&other, usual, attribute->kind);
    if (real) {
        if (*real != *real_of(usual, attribute->kind)) {
            print_real(j, attribute->key, *real);
        }
    } else if (n > 0) {
        if (is_required || memcmp(values, other, (size_t)n * sizeof *values) != 0) {
            print_integers(j, attribute->key, values, n);
        }
    } else if (truth) {
        if (*truth != *truth_of(usual, attribute->kind)) {
            ew_json_kv_bool(j, attribute->key, *truth);
        }
    } else if (attribute->kind == AXES) {
        print_axes(j, attribute->key, a->spans);
    } else if (attribute->kind == MODE) {
        ew_json_kv_string(j, attribute->key, resize_modes[a->mode]);
    } else if (attribute->kind == FUNCTION) {
        if (a->function != usual->function) {
            ew_json_kv_string(j, attribute->key, ew_function_name((enum ew_function)a->function));
        }
    } else if (attribute->kind == PARAMS && a->own_params) {
        ew_json_kv_u64(j, attribute->key, a->own_params);
    }
}

static void print_weights(struct ew_json *j, const struct ew_layer *layer)
{
    ew_json_key(j, "weights");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < layer->n_weights; i++) {
        const struct ew_weight_ref *w = &layer->weights[i];
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "role", w->role);
        ew_json_kv_string(j, "name", w->name);
        ew_json_kv_string(j, "dtype", w->dtype);
        ew_json_key(j, "shape");
        ew_json_array_begin_inline(j);
        for (uint32_t d = 0; d < w->n_dims; d++) {
            ew_json_u64(j, w->dims[d]);
        }
        ew_json_array_end(j);
        ew_json_kv_u64(j, "offset_bytes", w->offset_bytes);
        ew_json_kv_u64(j, "size_bytes", w->size_bytes);
        if (w->is_transposed) {
            ew_json_kv_bool(j, "transposed", true);
        }
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

void ew_layer_json_print(struct ew_json *j, const struct ew_graph *graph,
                         const struct ew_layer *layer, bool with_weights)
{
    const uint64_t op_bit = BIT(layer->op);
    struct ew_op_attrs usual = default_attributes(op_bit), own = layer->attrs;
    if (own.axis == 0 && usual.axis != 0) {
        own.axis = usual.axis;
    }
    const bool has_weights = with_weights && layer->n_weights > 0;
    if (has_weights) {
        ew_json_object_begin(j);
    } else {
        ew_json_object_begin_inline(j);
    }
    ew_json_kv_string(j, "name", layer->name);
    ew_json_kv_string(j, "op", ew_op_name(layer->op));
    ew_json_key(j, "inputs");
    ew_json_array_begin_inline(j);
    for (uint32_t i = 0; i < layer->n_inputs; i++) {
        ew_json_string(j, graph->layers[layer->inputs[i]].name);
    }
    ew_json_array_end(j);
    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        const struct attribute *attribute = &attributes[i];
        if (attribute->ops & op_bit) {
            const bool is_pool_stride = attribute->kind == STRIDE && (op_bit & POOLS);
            print_attribute(j, attribute, &own, &usual,
                            is_pool_stride || (attribute->required & op_bit));
        }
    }
    if (has_weights) {
        print_weights(j, layer);
    }
    ew_json_object_end(j);
}
