#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/random_scenario.h"

enum { MAX_LAYERS = 64, MAX_INPUTS = 3, NAME_SIZE = 32 };

/* A tensor that exists: the output of a layer. */
struct tensor {
    uint32_t layer;
    int32_t c, h, w;
};

/* A graph being described. */
struct sketch {
    struct ew_rng *rng;
    bool has_imported; /* ops that come with other frameworks' files, too */
    uint32_t n;
    char names[MAX_LAYERS][NAME_SIZE];
    const char *inputs[MAX_LAYERS][MAX_INPUTS];
    struct ew_layer_desc layers[MAX_LAYERS];
};

static struct tensor add_layer(struct sketch *s, enum ew_op op, struct ew_op_attrs attrs,
                               uint32_t n_inputs, const struct tensor *inputs)
{
    random_insist(s->n < MAX_LAYERS, "graph: too many layers");
    const uint32_t id = s->n++;
    (void)snprintf(s->names[id], NAME_SIZE, "%s%u", ew_op_name(op), (unsigned)id);
    for (uint32_t i = 0; i < n_inputs; i++) {
        s->inputs[id][i] = s->names[inputs[i].layer];
    }
    s->layers[id] = (struct ew_layer_desc){
        .name = s->names[id],
        .op = op,
        .attrs = attrs,
        .n_inputs = n_inputs,
        .inputs = s->inputs[id],
        .place = "",
    };
    struct tensor out = inputs[0];
    out.layer = id;
    return out;
}

/* Output rows or columns of a window. */
static int32_t windows(int32_t size, int32_t pads, int32_t kernel, int32_t stride)
{
    return (size + pads - kernel) / stride + 1;
}

static void random_pads(struct sketch *s, int32_t pads[4], int32_t kernel)
{
    const bool is_same = random_chance(s->rng, 0.6);
    for (int i = 0; i < 4; i++) {
        pads[i] = is_same ? kernel / 2 : random_int(s->rng, 0, kernel / 2);
    }
}

static struct tensor add_conv_like(struct sketch *s, struct tensor in, int32_t out_channels,
                                   int32_t kernel, int32_t stride, bool is_same)
{
    const int32_t dilation =
        kernel == 3 && in.h >= 5 && in.w >= 5 && random_chance(s->rng, 0.1) ? 2 : 1;
    const int32_t reach = (kernel - 1) * dilation + 1;
    struct ew_op_attrs attrs = {
        .out_channels = out_channels,
        .kernel = {kernel, kernel},
        .stride = {stride, stride},
        .dilation = {dilation, dilation},
        .groups = 1,
        .has_bias = random_chance(s->rng, 0.5),
    };
    if (is_same) {
        for (int i = 0; i < 4; i++) {
            attrs.pads[i] = reach / 2;
        }
    } else {
        random_pads(s, attrs.pads, reach);
    }
    if (in.c == out_channels && random_chance(s->rng, 0.2)) {
        attrs.groups = in.c; /* depthwise */
    } else if (in.c % 2 == 0 && out_channels % 2 == 0 && random_chance(s->rng, 0.1)) {
        attrs.groups = 2;
    }
    struct tensor out = add_layer(s, EW_OP_CONV, attrs, 1, &in);
    out.c = out_channels;
    out.h = windows(in.h, attrs.pads[0] + attrs.pads[2], reach, stride);
    out.w = windows(in.w, attrs.pads[1] + attrs.pads[3], reach, stride);
    return out;
}

static struct tensor add_conv(struct sketch *s, struct tensor in)
{
    const int32_t smallest = in.h < in.w ? in.h : in.w;
    int32_t kernel = 1 + 2 * random_int(s->rng, 0, 2);
    while (kernel > smallest) {
        kernel -= 2;
    }
    const int32_t stride = smallest >= 6 && random_chance(s->rng, 0.3) ? 2 : 1;
    return add_conv_like(s, in, random_int(s->rng, 1, 8), kernel, stride, false);
}

static struct tensor add_pool(struct sketch *s, struct tensor in)
{
    if (in.h < 4 || in.w < 4) {
        return in;
    }
    const int32_t kernel = random_int(s->rng, 2, 3);
    struct ew_op_attrs attrs = {
        .kernel = {kernel, kernel},
        .stride = {2, 2},
        .dilation = {1, 1},
        .count_include_pad = random_chance(s->rng, 0.5),
    };
    if (kernel == 3) {
        for (int i = 0; i < 4; i++) {
            attrs.pads[i] = random_int(s->rng, 0, 1);
        }
    }
    const enum ew_op op = random_chance(s->rng, 0.5) ? EW_OP_MAX_POOL : EW_OP_AVG_POOL;
    struct tensor out = add_layer(s, op, attrs, 1, &in);
    out.h = windows(in.h, attrs.pads[0] + attrs.pads[2], kernel, 2);
    out.w = windows(in.w, attrs.pads[1] + attrs.pads[3], kernel, 2);
    return out;
}

static struct tensor add_elementwise(struct sketch *s, struct tensor in)
{
    static const enum ew_op ops[] = {
        EW_OP_RELU,    EW_OP_RELU6,     EW_OP_SIGMOID, EW_OP_BATCHNORM,
        EW_OP_TANH,    EW_OP_HARDSWISH, EW_OP_DROPOUT, EW_OP_LRN, /* from here on imported ones */
        EW_OP_GELU,    EW_OP_UNARY,     EW_OP_SHIFT,   EW_OP_SCALE,
        EW_OP_SOFTMAX, EW_OP_LAYERNORM, EW_OP_SHUFFLE};
    const int32_t n = s->has_imported ? (int32_t)(sizeof ops / sizeof *ops) : 8;
    const enum ew_op op = ops[random_int(s->rng, 0, n - 1)];
    struct ew_op_attrs attrs = {0};
    if (op == EW_OP_LRN) {
        attrs.size = 5;
    }
    attrs.is_affine = op == EW_OP_BATCHNORM || op == EW_OP_LAYERNORM;
    attrs.axis = op == EW_OP_SOFTMAX || op == EW_OP_LAYERNORM ? random_int(s->rng, EW_C, EW_W) : 0;
    attrs.operations = op == EW_OP_UNARY ? 3 : 0;
    attrs.groups = op != EW_OP_SHUFFLE ? 0 : in.c % 2 == 0 ? 2 : in.c;
    for (int i = 0; i < 3 && (op == EW_OP_SHIFT || op == EW_OP_SCALE); i++) {
        attrs.is_learned = true;
        attrs.spans[i] = random_chance(s->rng, 0.5);
    }
    return add_layer(s, op, attrs, 1, &in);
}

static struct tensor add_transpose(struct sketch *s, struct tensor in)
{
    const struct ew_op_attrs swap = {.perm = {EW_C, EW_W, EW_H}};
    struct tensor out = add_layer(s, EW_OP_TRANSPOSE, swap, 1, &in);
    out.h = in.w;
    out.w = in.h;
    return out;
}

/* x times its own transpose, as attention does. */
static struct tensor add_attention(struct sketch *s, struct tensor in)
{
    const struct tensor both[] = {in, add_transpose(s, in)};
    struct tensor out = add_layer(s, EW_OP_MATMUL, (struct ew_op_attrs){0}, 2, both);
    out.w = in.h;
    return out;
}

static struct tensor add_slice(struct sketch *s, struct tensor in)
{
    struct ew_op_attrs attrs = {.reshape = {in.c, in.h, in.w}, .step = {1, 1, 1}};
    const int32_t sizes[] = {in.c, in.h, in.w};
    const int dim = random_int(s->rng, 0, 2);
    attrs.begin[dim] = random_int(s->rng, 0, sizes[dim] / 2);
    attrs.step[dim] = random_int(s->rng, 1, 2);
    attrs.reshape[dim] = (sizes[dim] - 1 - attrs.begin[dim]) / attrs.step[dim] + 1;
    struct tensor out = add_layer(s, EW_OP_SLICE, attrs, 1, &in);
    out.c = attrs.reshape[0];
    out.h = attrs.reshape[1];
    out.w = attrs.reshape[2];
    return out;
}

static struct tensor add_conv_transpose(struct sketch *s, struct tensor in)
{
    const int32_t kernel = random_int(s->rng, 2, 4);
    const struct ew_op_attrs attrs = {.out_channels = random_int(s->rng, 1, 6),
                                      .kernel = {kernel, kernel},
                                      .stride = {2, 1},
                                      .dilation = {1, 1},
                                      .groups = 1,
                                      .pads = {1, 0, 0, 1},
                                      .out_pads = {random_int(s->rng, 0, 1), 0}};
    struct tensor out = add_layer(s, EW_OP_CONV_TRANSPOSE, attrs, 1, &in);
    out.c = attrs.out_channels;
    out.h = (in.h - 1) * 2 + kernel - 1 + attrs.out_pads[0];
    out.w = in.w - 1 + kernel - 1;
    return out;
}

/* What other frameworks' files bring along; small inputs only, as some make them larger. */
static struct tensor add_imported(struct sketch *s, struct tensor in)
{
    struct ew_op_attrs attrs = {0};
    struct tensor out = in;
    switch (random_int(s->rng, 0, 6)) {
    case 0:
        return add_transpose(s, in);
    case 1:
        return add_attention(s, in);
    case 2:
        return add_slice(s, in);
    case 3:
        return add_conv_transpose(s, in);
    case 4:
        attrs.mode = random_int(s->rng, 0, EW_RESIZE_COUNT - 1);
        out.h = attrs.reshape[1] = random_int(s->rng, 4, 14);
        out.w = attrs.reshape[2] = random_int(s->rng, 4, 14);
        out.layer = add_layer(s, EW_OP_RESIZE, attrs, 1, &in).layer;
        return out;
    case 5:
        out.w = attrs.out_channels = random_int(s->rng, 4, 12);
        attrs.has_bias = true;
        out.layer = add_layer(s, EW_OP_LINEAR, attrs, 1, &in).layer;
        return out;
    default:
        attrs.reshape[0] = out.c = random_int(s->rng, 1, 6);
        attrs.reshape[1] = out.h = random_int(s->rng, 4, 12);
        attrs.reshape[2] = out.w = random_int(s->rng, 4, 12);
        attrs.operations = 5;
        out.layer = add_layer(s, EW_OP_OPAQUE, attrs, 1, &in).layer;
        return out;
    }
}

/* conv - relu - conv beside the identity, added or multiplied. */
static struct tensor add_residual(struct sketch *s, struct tensor in)
{
    const int32_t kernel = in.h >= 3 && in.w >= 3 ? 3 : 1;
    struct tensor a = add_conv_like(s, in, in.c, kernel, 1, true);
    a = add_layer(s, EW_OP_RELU, (struct ew_op_attrs){0}, 1, &a);
    a = add_conv_like(s, a, in.c, 1, 1, true);
    const struct tensor both[] = {a, in};
    return add_layer(s, random_chance(s->rng, 0.8) ? EW_OP_ADD : EW_OP_MUL, (struct ew_op_attrs){0},
                     2, both);
}

/* Two or three branches with different kernels, concatenated. */
static struct tensor add_branches(struct sketch *s, struct tensor in)
{
    const int32_t n = random_int(s->rng, 2, 3);
    struct tensor branches[3];
    int32_t channels = 0;
    for (int32_t i = 0; i < n; i++) {
        const int32_t kernel = i == 1 && in.h >= 3 && in.w >= 3 ? 3 : 1;
        branches[i] = i == 2 ? in : add_conv_like(s, in, random_int(s->rng, 1, 4), kernel, 1, true);
        channels += branches[i].c;
    }
    struct tensor out = add_layer(s, EW_OP_CONCAT, (struct ew_op_attrs){0}, (uint32_t)n, branches);
    out.c = channels;
    return out;
}

static struct tensor add_resize(struct sketch *s, struct tensor in)
{
    struct ew_op_attrs attrs = {.scale = {2, 2}, .pads = {1, 0, 0, 2}};
    if (in.h <= 10 && in.w <= 10 && random_chance(s->rng, 0.5)) {
        struct tensor out = add_layer(s, EW_OP_UPSAMPLE, attrs, 1, &in);
        out.h *= 2;
        out.w *= 2;
        return out;
    }
    struct tensor out = add_layer(s, EW_OP_PAD, attrs, 1, &in);
    out.h += 1;
    out.w += 2;
    return out;
}

static struct tensor add_block(struct sketch *s, struct tensor in)
{
    switch (random_int(s->rng, 0, s->has_imported ? 10 : 9)) {
    case 0:
    case 1:
    case 2:
        return add_conv(s, in);
    case 10:
        return in.h <= 14 && in.w <= 14 ? add_imported(s, in) : add_conv(s, in);
    case 3:
        return add_pool(s, in);
    case 4:
    case 5:
        return add_elementwise(s, in);
    case 6:
    case 7:
        return add_residual(s, in);
    case 8:
        return add_branches(s, in);
    default:
        return add_resize(s, in);
    }
}

/* Flatten (or a global pool) and one or two fc layers; perhaps softmax. */
static struct tensor add_tail(struct sketch *s, struct tensor in)
{
    struct ew_op_attrs none = {0};
    if (random_chance(s->rng, 0.3)) {
        in = add_layer(s, EW_OP_GLOBAL_AVG_POOL, none, 1, &in);
    }
    in = add_layer(s, EW_OP_FLATTEN, none, 1, &in);
    for (int32_t i = random_int(s->rng, 1, 2); i > 0; i--) {
        const struct ew_op_attrs fc = {.out_channels = random_int(s->rng, 2, 32), .has_bias = true};
        in = add_layer(s, EW_OP_FC, fc, 1, &in);
    }
    return random_chance(s->rng, 0.5) ? add_layer(s, EW_OP_SOFTMAX, none, 1, &in) : in;
}

static struct ew_graph *make_graph(struct ew_rng *rng, bool has_imported)
{
    struct sketch *s = calloc(1, sizeof *s);
    random_insist(s != NULL, "out of memory");
    s->rng = rng;
    s->has_imported = has_imported;
    struct tensor at = {0, random_int(rng, 1, 3), random_int(rng, 6, 20), random_int(rng, 6, 20)};
    (void)add_layer(s, EW_OP_INPUT, (struct ew_op_attrs){0}, 0, &at);
    s->layers[0].shape[EW_N] = 1;
    s->layers[0].shape[EW_C] = at.c;
    s->layers[0].shape[EW_H] = at.h;
    s->layers[0].shape[EW_W] = at.w;
    const int32_t n_blocks = random_int(rng, 1, 6);
    const char *exit_layers[2];
    struct ew_exit_desc exits[2];
    uint32_t n_exits = 0;
    for (int32_t i = 0; i < n_blocks; i++) {
        at = add_block(s, at);
        if (n_exits == 0 && i + 1 < n_blocks && random_chance(rng, 0.15)) {
            exit_layers[0] = s->names[add_tail(s, at).layer];
            exits[n_exits++] = (struct ew_exit_desc){"early", 1, &exit_layers[0], 0.5};
        }
    }
    at = add_conv(s, at); /* so that no graph is free of work */
    if (random_chance(rng, 0.7)) {
        at = add_tail(s, at);
    }
    exit_layers[1] = s->names[at.layer];
    exits[n_exits++] = (struct ew_exit_desc){"full", 1, &exit_layers[1], 0.9};
    const struct ew_graph_desc desc = {
        .name = "random",
        .source = "",
        .accuracy_metric = "",
        .path = "",
        .accuracy = NAN,
        .bytes_per_element = 4,
        .n_layers = s->n,
        .layers = s->layers,
        .n_exits = n_exits,
        .exits = exits,
    };
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    random_insist(ew_graph_make(&graph, &desc, &err) == EW_OK, err.message);
    free(s);
    return graph;
}

struct ew_graph *random_graph(struct ew_rng *rng)
{
    return make_graph(rng, true);
}

struct ew_graph *random_plain_graph(struct ew_rng *rng)
{
    return make_graph(rng, false);
}
