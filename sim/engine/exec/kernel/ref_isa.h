/*
 * Inner loops of the reference kernels, one table per vector width. Every table computes the same
 * bits: per output element chains of 256 fused multiply-adds in the order the caller gives, the
 * first one beginning with the bias, added one after another; nothing depends on the width. (One
 * long chain would lose three times as much to rounding.)
 */
#ifndef EW_ENGINE_EXEC_KERNEL_REF_ISA_H
#define EW_ENGINE_EXEC_KERNEL_REF_ISA_H

#include <stddef.h>
#include <stdint.h>

/** out[m][q] = bias[m] + sum over k of weights[m][k] * input[offsets[k] + q], k ascending. */
struct ew_ref_gemm {
    const float *weights; /**< [panel][k][rows], rows = table's `rows`, padded with zeros */
    const float *bias;    /**< per m, padded likewise; NULL: 0 */
    const float *input;
    const ptrdiff_t *offsets; /**< per k */
    float *out;               /**< [m][stride] */
    size_t stride;            /**< floats between rows of `out`; room for whole vectors */
    uint32_t n_rows;          /**< m */
    uint32_t n_k;
    uint32_t n_columns; /**< q; rounded up to whole vectors in `out` */
};

/** out[m] = bias[m] + sum over k of weights[m][k] * input[k], k ascending, per image. */
struct ew_ref_fc {
    const float *weights; /**< [panel][k][width], width = table's `fc_width`, zero padded */
    const float *bias;    /**< padded likewise; NULL: 0 */
    const float *input;   /**< [image][input_stride] */
    float *out;           /**< [image][out_stride] */
    size_t input_stride;
    size_t out_stride;
    uint32_t n_images;
    uint32_t n_rows;
    uint32_t n_k;
};

/** out[q] = start + sum over taps of weights[t] * input[offsets[t] + q]: depthwise convolution. */
struct ew_ref_taps {
    const float *input;
    const ptrdiff_t *offsets;
    const float *weights; /**< NULL for pools */
    float *out;           /**< room for whole vectors */
    float start;
    uint32_t n_taps;
    uint32_t n_columns;
};

/** Functions of one value; `a` and `b` as told. */
enum ew_ref_map {
    EW_REF_RELU,
    EW_REF_RELU6,
    EW_REF_LEAKY_RELU, /**< a: slope */
    EW_REF_SIGMOID,
    EW_REF_SILU,
    EW_REF_HARDSWISH,
    EW_REF_HARDSIGMOID, /**< x * a + b, clipped to 0..1 */
    EW_REF_TANH,
    EW_REF_AFFINE, /**< x * a + b, fused */
    EW_REF_SCALE,  /**< x * a */
    EW_REF_OFFSET, /**< x + a */
    EW_REF_EXP,    /**< exp(x) */
    EW_REF_COPY,
    EW_REF_GELU,
    EW_REF_ABS,
    EW_REF_NEG,
    EW_REF_SIGN,
    EW_REF_FLOOR,
    EW_REF_CEIL,
    EW_REF_ROUND,
    EW_REF_SQRT,
    EW_REF_RECIPROCAL,
    EW_REF_LOG,
    EW_REF_ERF,
    EW_REF_SQUARE,
    EW_REF_SOFTSIGN,
    EW_REF_SOFTPLUS,
    EW_REF_MISH,
    EW_REF_CLIP,      /**< to a..b */
    EW_REF_THRESHOLD, /**< x where x > a, else 0 */
    EW_REF_ELU,       /**< a (exp x - 1) where x < 0 */
    EW_REF_CELU,      /**< a (exp(x / a) - 1) where x < 0 */
    EW_REF_SELU,      /**< b times elu */
};

struct ew_ref_isa {
    const char *id;
    uint32_t lanes;    /**< floats in a vector */
    uint32_t rows;     /**< output channels of a panel */
    uint32_t columns;  /**< output columns of a tile, a multiple of lanes */
    uint32_t fc_width; /**< outputs of an fc panel */
    void (*gemm)(const struct ew_ref_gemm *job);
    void (*fc)(const struct ew_ref_fc *job);
    void (*depthwise)(const struct ew_ref_taps *job);
    void (*max_taps)(const struct ew_ref_taps *job);
    void (*sum_taps)(const struct ew_ref_taps *job);
    void (*map)(enum ew_ref_map fn, float *out, const float *in, size_t n, float a, float b);
    void (*add)(float *out, const float *x, const float *y, size_t n);
    void (*mul)(float *out, const float *x, const float *y, size_t n);
    void (*max)(float *out, const float *x, const float *y, size_t n);
    void (*div)(float *out, const float *x, const float *y, size_t n);
    void (*sub)(float *out, const float *x, const float *y, size_t n);
    void (*min)(float *out, const float *x, const float *y, size_t n);
    void (*prelu)(float *out, const float *x, const float *y, size_t n);
    void (*axpy)(float *out, const float *x, float w, size_t n); /**< out += w * x, fused */
    /** out[i] = what SplitMix64's finaliser makes of first + i: 24 bits, uniform in [-1, 1). */
    void (*random)(float *out, uint64_t first, size_t n);
};

/** The table with the widest vectors that this processor has. */
const struct ew_ref_isa *ew_ref_isa_widest(void);

#ifdef __x86_64__
extern const struct ew_ref_isa ew_ref_isa_avx512;
extern const struct ew_ref_isa ew_ref_isa_avx2;
#endif
/** Four lanes; on a processor without fused multiply-add, exact but slow. */
extern const struct ew_ref_isa ew_ref_isa_portable;

#endif
