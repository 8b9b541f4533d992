#include "io/graph_layer_json.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum {
    MAX_LABEL_BYTES = 128,
    MAX_ATTRIBUTE = EW_GRAPH_MAX_DIM,
    MAX_LAYER_INPUTS = 65536,
    DEPTHWISE = EW_OP_COUNT, /* a name in files only: a conv with one filter group per channel */
};

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
    SHAPE
};

#define OP(name) (UINT32_C(1) << EW_OP_##name)
#define ALL_CONVS (OP(CONV) | UINT32_C(1) << DEPTHWISE)
#define POOLS (OP(MAX_POOL) | OP(AVG_POOL))

/* Which ops have a key, and which cannot do without. */
static const struct attribute {
    const char *key;
    enum attribute_kind kind;
    uint32_t ops;
    uint32_t required;
} attributes[] = {
    {"out_channels", OUT_CHANNELS, OP(CONV) | OP(FC), OP(CONV) | OP(FC)},
    {"multiplier", OUT_CHANNELS, UINT32_C(1) << DEPTHWISE, 0},
    {"kernel", KERNEL, ALL_CONVS | POOLS, ALL_CONVS | POOLS},
    {"stride", STRIDE, ALL_CONVS | POOLS, 0},
    {"pads", PADS, ALL_CONVS | POOLS | OP(PAD), OP(PAD)},
    {"dilation", DILATION, ALL_CONVS | OP(MAX_POOL), 0},
    {"groups", GROUPS, OP(CONV), 0},
    {"bias", BIAS, ALL_CONVS | OP(FC), 0},
    {"ceil_mode", CEIL_MODE, POOLS, 0},
    {"count_include_pad", COUNT_INCLUDE_PAD, OP(AVG_POOL), 0},
    {"affine", AFFINE, OP(BATCHNORM), 0},
    {"size", SIZE, OP(LRN), OP(LRN)},
    {"scale", SCALE, OP(UPSAMPLE), OP(UPSAMPLE)},
    {"shape", SHAPE, OP(RESHAPE), OP(RESHAPE)},
};

enum { N_ATTRIBUTES = sizeof attributes / sizeof *attributes };

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
    }
    return EW_OK;
}

/* Defaults of the attributes that the op has; groups 0 makes ew_graph_make complete a depthwise
 * convolution, whose out_channels are per input channel. */
static struct ew_op_attrs default_attributes(uint32_t op_bit)
{
    struct ew_op_attrs a = {0};
    if (op_bit & (ALL_CONVS | POOLS)) {
        a.stride[0] = a.stride[1] = 1;
        a.dilation[0] = a.dilation[1] = 1;
    }
    a.groups = op_bit & OP(CONV) ? 1 : 0;
    a.out_channels = op_bit & UINT32_C(1) << DEPTHWISE ? 1 : 0;
    a.has_bias = (op_bit & (ALL_CONVS | OP(FC))) != 0;
    a.count_include_pad = (op_bit & OP(AVG_POOL)) != 0;
    a.is_affine = (op_bit & OP(BATCHNORM)) != 0;
    return a;
}

static enum ew_status check_layer_keys(const struct ew_json_value *object, uint32_t op_bit,
                                       const char *op_name, bool is_override, struct ew_error *err)
{
    static const char *const common[] = {"name", "op", "inputs"};
    const char *keys[N_ATTRIBUTES + 3];
    size_t n = 0;
    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        if (attributes[i].ops & op_bit) {
            keys[n++] = attributes[i].key;
        }
    }
    for (size_t i = 0; i < 3 && !is_override; i++) {
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
                                      uint32_t op_bit, bool is_override, struct ew_error *err)
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

static enum ew_status read_op(uint32_t *op_bit, enum ew_op *op, const char **name,
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
        *op_bit = UINT32_C(1) << DEPTHWISE;
        return EW_OK;
    }
    if (ew_op_from_name(op, *name) && *op != EW_OP_INPUT) {
        *op_bit = UINT32_C(1) << *op;
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

enum ew_status ew_layer_json_read(struct ew_layer_desc *out, struct ew_arena *arena,
                                  const struct ew_json_value *layer, const char *previous,
                                  struct ew_error *err)
{
    uint32_t op_bit = 0;
    const char *op_name = "";
    enum ew_status status = ew_json_need_label(&out->name, layer, "name", err);
    status = status ? status : read_op(&op_bit, &out->op, &op_name, layer, err);
    status = status ? status : check_layer_keys(layer, op_bit, op_name, false, err);
    out->attrs = default_attributes(op_bit);
    status = status ? status : read_attributes(&out->attrs, layer, op_bit, false, err);
    status = status ? status : read_inputs(out, arena, layer, previous, err);
    out->place = ew_json_place(arena, layer);
    return status ? status : out->place ? EW_OK : ew_fail_memory(err);
}

enum ew_status ew_layer_json_override(struct ew_layer_desc *layer,
                                      const struct ew_json_value *overrides, struct ew_error *err)
{
    const bool is_depthwise = layer->op == EW_OP_CONV && layer->attrs.groups == 0;
    const uint32_t op_bit = UINT32_C(1) << (is_depthwise ? (int)DEPTHWISE : (int)layer->op);
    const char *op_name = is_depthwise ? "depthwise" : ew_op_name(layer->op);
    const enum ew_status status = check_layer_keys(overrides, op_bit, op_name, true, err);
    return status ? status : read_attributes(&layer->attrs, overrides, op_bit, true, err);
}
