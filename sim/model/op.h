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
    X(UPSAMPLE, "upsample", ELEMENTWISE)

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

/** Attributes; which ones count depends on the op, the rest stay zero. Pads are top, left, bottom,
 *  right, as in ONNX. */
struct ew_op_attrs {
    int32_t out_channels; /**< conv, fc */
    int32_t kernel[2];    /**< rows, columns: conv, pools */
    int32_t stride[2];    /**< conv, pools */
    int32_t pads[4];      /**< conv, pools, pad */
    int32_t dilation[2];  /**< conv, max_pool */
    int32_t groups;       /**< conv */
    int32_t size;         /**< lrn: channels in the window */
    int32_t scale[2];     /**< upsample: integer factor for rows, columns */
    int32_t reshape[3];   /**< reshape: target C, H, W */
    bool has_bias;        /**< conv, fc */
    bool ceil_mode;       /**< pools: round the output size up */
    bool count_include_pad; /**< avg_pool; matters for values, not for shapes */
    bool is_affine;         /**< batchnorm: has scale and shift (2C parameters) */
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

/** Infer the output shape from `in_shape` and check attributes. Message names no layer: callers
 *  prefix it. EW_EINPUT on bad attributes, mismatching inputs, or sizes beyond 2^31-1 elements. */
enum ew_status ew_op_infer_shape(int32_t out_shape[EW_DIMS], const struct ew_op_view *layer,
                                 struct ew_error *err);

/** Number of learned parameters (weights and biases; batchnorm: scale and shift only). */
uint64_t ew_op_params(const struct ew_op_view *layer);

/** Parameters that computing `out` (with an optional reduction) needs: all of a conv's filters for
 *  its output channels and reduction; fc likewise. */
uint64_t ew_op_params_for(const struct ew_op_view *layer, const struct ew_box *out,
                          const struct ew_reduction *reduction);

/** Multiply-accumulates for computing the box `out`, padding taps counted as the usual tools do
 *  (kernel area x channels per output element): only conv and fc have any. `reduction` may be NULL
 *  (all of it). */
uint64_t ew_op_macs(const struct ew_op_view *layer, const struct ew_box *out,
                    const struct ew_reduction *reduction);

/** Elementary operations of the other ops (comparisons, adds, exponentials counted one each) for
 *  the box `out`; 0 for conv, fc and views. */
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
