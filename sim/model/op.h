/*
 * Operators: what each layer kind computes, seen from outside. Output shapes, multiply-accumulate
 * counts, parameters, and which part of the input a part of the output needs (and back).
 *
 * Tensors are NCHW; N in a graph is the nominal batch 1, plans may carry a larger one. A vector (fc
 * output, flatten) is [N, C, 1, 1]. No tensor values here: this is arithmetic on shapes.
 */
#ifndef EW_MODEL_OP_H
#define EW_MODEL_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/box.h"

/* enumerator, name in files, class (see enum ew_op_class) */
#define EW_OP_MAP(X)                                                                               \
    X(INPUT, "input", VIEW)                                                                        \
    X(CONV, "conv", CONV)                                                                          \
    X(MAX_POOL, "max_pool", POOL)                                                                  \
    X(AVG_POOL, "avg_pool", POOL)                                                                  \
    X(GLOBAL_AVG_POOL, "global_avg_pool", POOL)                                                    \
    X(GLOBAL_MAX_POOL, "global_max_pool", POOL)                                                    \
    X(FC, "fc", FC)                                                                                \
    X(RELU, "relu", ELEMENTWISE)                                                                   \
    X(RELU6, "relu6", ELEMENTWISE)                                                                 \
    X(LEAKY_RELU, "leaky_relu", ELEMENTWISE)                                                       \
    X(SIGMOID, "sigmoid", ELEMENTWISE)                                                             \
    X(SILU, "silu", ELEMENTWISE)                                                                   \
    X(HARDSWISH, "hardswish", ELEMENTWISE)                                                         \
    X(HARDSIGMOID, "hardsigmoid", ELEMENTWISE)                                                     \
    X(TANH, "tanh", ELEMENTWISE)                                                                   \
    X(BATCHNORM, "batchnorm", ELEMENTWISE)                                                         \
    X(LRN, "lrn", NORM)                                                                            \
    X(ADD, "add", ELEMENTWISE)                                                                     \
    X(MUL, "mul", ELEMENTWISE)                                                                     \
    X(CONCAT, "concat", VIEW)                                                                      \
    X(FLATTEN, "flatten", VIEW)                                                                    \
    X(RESHAPE, "reshape", VIEW)                                                                    \
    X(PAD, "pad", VIEW)                                                                            \
    X(SOFTMAX, "softmax", NORM)                                                                    \
    X(DROPOUT, "dropout", VIEW)                                                                    \
    X(IDENTITY, "identity", VIEW)                                                                  \
    X(UPSAMPLE, "upsample", ELEMENTWISE)                                                           \
    X(CONV_TRANSPOSE, "conv_transpose", CONV)                                                      \
    X(LINEAR, "linear", CONV)                                                                      \
    X(MATMUL, "matmul", CONV)                                                                      \
    X(GELU, "gelu", ELEMENTWISE)                                                                   \
    X(UNARY, "unary", ELEMENTWISE)                                                                 \
    X(SHIFT, "shift", ELEMENTWISE)                                                                 \
    X(SCALE, "scale", ELEMENTWISE)                                                                 \
    X(RESIZE, "resize", ELEMENTWISE)                                                               \
    X(LAYERNORM, "layernorm", NORM)                                                                \
    X(TRANSPOSE, "transpose", VIEW)                                                                \
    X(SLICE, "slice", VIEW)                                                                        \
    X(SHUFFLE, "shuffle", VIEW)                                                                    \
    X(OPAQUE, "opaque", NORM)

/** Layer kinds. A depthwise convolution is a conv with groups == input channels. */
enum ew_op {
#define X(name, text, cls) EW_OP_##name,
    EW_OP_MAP(X)
#undef X
        EW_OP_COUNT
};

/** Cost classes that device profiles speak about. */
enum ew_op_class {
    EW_CLASS_CONV,
    EW_CLASS_FC,
    EW_CLASS_POOL,
    EW_CLASS_ELEMENTWISE,
    EW_CLASS_NORM,
    EW_CLASS_VIEW, /**< no arithmetic: copies or renames elements */
    EW_CLASS_COUNT
};

/** How resize finds the inputs of an output; what it reads in each dimension. */
enum ew_resize_mode {
    EW_RESIZE_NEAREST, /**< input floor(i * in / out) */
    EW_RESIZE_LINEAR,  /**< two inputs around (i + 1/2) * in / out - 1/2 */
    EW_RESIZE_ALIGNED, /**< two inputs around i * (in - 1) / (out - 1) */
    EW_RESIZE_CUBIC,   /**< four inputs around (i + 1/2) * in / out - 1/2 */
    EW_RESIZE_COUNT
};

/* enumerator, name in files, ops that have it */
#define EW_FUNCTION_MAP(X)                                                                         \
    X(USUAL, "usual", ANY)                                                                         \
    X(UNKNOWN, "unknown", ANY)                                                                     \
    X(SUBTRACT, "subtract", SUM)           /* x - y */                                             \
    X(SUBTRACT_FROM, "subtract_from", SUM) /* y - x, y the constant */                             \
    X(MAX, "max", SUM)                                                                             \
    X(MIN, "min", SUM)                                                                             \
    X(DIVIDE, "divide", PRODUCT)           /* x / y */                                             \
    X(DIVIDE_INTO, "divide_into", PRODUCT) /* y / x, y the constant */                             \
    X(PRELU, "prelu", PRODUCT)             /* x where x >= 0, else x * y */                        \
    X(IDENTITY, "identity", UNARY)                                                                 \
    X(ABS, "abs", UNARY)                                                                           \
    X(NEG, "neg", UNARY)                                                                           \
    X(SIGN, "sign", UNARY)                                                                         \
    X(FLOOR, "floor", UNARY)                                                                       \
    X(CEIL, "ceil", UNARY)                                                                         \
    X(ROUND, "round", UNARY) /* halves to even */                                                  \
    X(SQRT, "sqrt", UNARY)                                                                         \
    X(RECIPROCAL, "reciprocal", UNARY)                                                             \
    X(EXP, "exp", UNARY)                                                                           \
    X(LOG, "log", UNARY)                                                                           \
    X(ERF, "erf", UNARY)                                                                           \
    X(SQUARE, "square", UNARY)                                                                     \
    X(SOFTSIGN, "softsign", UNARY)                                                                 \
    X(SOFTPLUS, "softplus", UNARY)                                                                 \
    X(MISH, "mish", UNARY)                                                                         \
    X(CLIP, "clip", UNARY)           /* to alpha..beta */                                          \
    X(THRESHOLD, "threshold", UNARY) /* x where x > alpha, else 0 */                               \
    X(ELU, "elu", UNARY)             /* alpha (exp x - 1) where x < 0 */                           \
    X(CELU, "celu", UNARY)           /* alpha (exp(x / alpha) - 1) where x < 0 */                  \
    X(SELU, "selu", UNARY)           /* beta times elu */

/** What a unary computes, and other meanings of a sum or product. `usual`: unary: unknown; add,
 *  shift: a sum; mul, scale: a product. `unknown`: an import could not say; shapes and costs are
 *  right, values cannot be computed. */
enum ew_function {
#define X(name, text, ops) EW_FUNCTION_##name,
    EW_FUNCTION_MAP(X)
#undef X
        EW_FUNCTION_COUNT
};

/** Attributes; which ones count depends on the op, the rest stay zero. Pads are top, left, bottom,
 *  right, as in ONNX. */
struct ew_op_attrs {
    int32_t out_channels;   /**< conv, conv_transpose, fc; linear: columns of the output */
    int32_t kernel[2];      /**< rows, columns: conv, conv_transpose, pools */
    int32_t stride[2];      /**< conv, conv_transpose, pools */
    int32_t pads[4];        /**< conv, conv_transpose, pools, pad */
    int32_t dilation[2];    /**< conv, conv_transpose, max_pool */
    int32_t out_pads[2];    /**< conv_transpose: more rows, columns at the end */
    int32_t groups;         /**< conv, conv_transpose, shuffle */
    int32_t size;           /**< lrn: channels in the window */
    int32_t scale[2];       /**< upsample: integer factor for rows, columns */
    int32_t reshape[3];     /**< C, H, W of the output: reshape, slice, opaque; resize: H, W */
    int32_t begin[3];       /**< slice: first channel, row, column */
    int32_t step[3];        /**< slice */
    int32_t perm[3];        /**< transpose: which input dimension (EW_C..EW_W) becomes C, H, W */
    int32_t axis;           /**< softmax, concat: EW_C..EW_W, 0 is EW_C; layernorm: the first one */
    int32_t operations;     /**< unary, opaque: per output element */
    int32_t mode;           /**< resize: enum ew_resize_mode */
    uint64_t own_params;    /**< opaque */
    int32_t function;       /**< enum ew_function */
    float alpha;            /**< lrn, hardsigmoid, unary; leaky_relu: slope; shift, scale, pad: the
                                 value when it is a single one that is not learned */
    float beta;             /**< lrn, hardsigmoid, unary */
    float k;                /**< lrn */
    float epsilon;          /**< batchnorm, layernorm */
    bool spans[3];          /**< shift, scale: the constant has a value of its own per C, H, W */
    bool is_learned;        /**< shift, scale, pad: the values are parameters */
    bool has_bias;          /**< conv, conv_transpose, fc, linear */
    bool ceil_mode;         /**< pools: round the output size up */
    bool count_include_pad; /**< avg_pool; matters for values, not for shapes */
    bool is_affine;         /**< batchnorm, layernorm: has scale and shift */
};

/** What the arithmetic needs to know of a layer. `in_shape[i]` is the shape of its i-th input;
 *  arrays are borrowed. */
struct ew_op_view {
    enum ew_op op;
    const struct ew_op_attrs *attrs;
    uint32_t n_inputs;
    const int32_t (*in_shape)[EW_DIMS];
    const int32_t *out_shape; /**< EW_DIMS values */
};

/** Part of the sum a partial piece does: input channels [lo, hi) of a conv (within a group when
 *  groups > 1 it is refused), or positions [lo, hi) of the flattened input of an fc. */
struct ew_reduction {
    int32_t lo;
    int32_t hi;
};

/** Name in files, e.g. "conv". Never NULL for a valid op. */
const char *ew_op_name(enum ew_op op);

/** Op by its name; false when there is none. */
bool ew_op_from_name(enum ew_op *out, const char *name);

enum ew_op_class ew_op_class(enum ew_op op);

/** Give the numbers that only values depend on (alpha, beta, k, epsilon) their defaults. */
void ew_op_default_numbers(struct ew_op_attrs *attrs, enum ew_op op);

/** Name in files. Never NULL for a valid function. */
const char *ew_function_name(enum ew_function function);

/** Function by its name; false when there is none. */
bool ew_function_from_name(enum ew_function *out, const char *name);

/** True when layers of that op may have that function. */
bool ew_function_fits(enum ew_function function, enum ew_op op);

/** Infer the output shape from `in_shape` and check attributes. Message names no layer: callers
 *  prefix it. EW_EINPUT on bad attributes, mismatching inputs, or sizes beyond 2^31-1 elements. */
enum ew_status ew_op_infer_shape(int32_t out_shape[EW_DIMS], const struct ew_op_view *layer,
                                 struct ew_error *err);

/** True when the op has no part that could be computed alone: only whole images of it are plans'
 *  pieces (opaque). */
bool ew_op_is_indivisible(enum ew_op op);

/** Number of learned parameters (weights and biases; batchnorm: scale and shift only). */
uint64_t ew_op_params(const struct ew_op_view *layer);

/** Parameters that computing `out` (with an optional reduction) needs: all of a conv's filters for
 *  its output channels and reduction; fc likewise. */
uint64_t ew_op_params_for(const struct ew_op_view *layer, const struct ew_box *out,
                          const struct ew_reduction *reduction);

/** Multiply-accumulates for computing the box `out`, padding taps counted as the usual tools do
 *  (kernel area x channels per output element), save conv_transpose, where those that occur are
 *  counted. Only conv, conv_transpose, fc, linear and matmul have any. `reduction` may be NULL (all
 *  of it). */
uint64_t ew_op_macs(const struct ew_op_view *layer, const struct ew_box *out,
                    const struct ew_reduction *reduction);

/** Elementary operations of the other ops (comparisons, adds, exponentials counted one each) for
 *  the box `out`; 0 for views and what has multiply-accumulates. */
uint64_t ew_op_simple_ops(const struct ew_op_view *layer, const struct ew_box *out);

/** Length of the reduction dimension: input channels per group (conv), flattened input (fc), 0 when
 *  the op cannot be split that way. */
int32_t ew_op_reduction_length(const struct ew_op_view *layer);

/** Receptive field backwards: the smallest box of input `input` that computing `out` reads, clipped
 *  to the tensor (padding is not read). Empty when nothing of that input is read (a concat branch
 *  outside the box). The batch interval passes through. */
struct ew_box ew_op_input_box(const struct ew_op_view *layer, uint32_t input,
                              const struct ew_box *out, const struct ew_reduction *reduction);

/** Receptive field forwards: the smallest box of the output that holds every element which reads
 *  some element of `in` of input `input`. Empty when none does. */
struct ew_box ew_op_output_box(const struct ew_op_view *layer, uint32_t input,
                               const struct ew_box *in);

#endif
