/*
 * The inner loops themselves, as a template: a source file defines EW_LANES (floats in a vector),
 * EW_ROWS (rows of a panel), EW_TILE_VECTORS (vectors of a tile), EW_FC_VECTORS and EW_ISA_NAME,
 * includes this file and is compiled for its instruction set with -ffp-contract=fast, so that
 * a * b + c on vectors is one fused operation. No other expression here has that shape by accident.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#include "engine/exec/kernel/ref_isa.h"

typedef float vec __attribute__((vector_size(EW_LANES * 4)));
typedef float vec_any __attribute__((vector_size(EW_LANES * 4), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(EW_LANES * 4)));
typedef uint64_t lvec __attribute__((vector_size(EW_LANES * 4)));

#define EW_INLINE static inline __attribute__((always_inline))

/* a * b + c, rounded once. */
EW_INLINE vec fused(vec a, vec b, vec c)
{
#if defined(__FMA__) || defined(__aarch64__) || defined(__ARM_FEATURE_FMA)
    return a * b + c;
#else
    vec r;
    for (int i = 0; i < EW_LANES; i++) {
        r[i] = fmaf(a[i], b[i], c[i]);
    }
    return r;
#endif
}

EW_INLINE vec load(const float *p)
{
    return *(const vec_any *)p;
}

EW_INLINE void store(float *p, vec x)
{
    *(vec_any *)p = x;
}

EW_INLINE vec broadcast(float x)
{
    return x - (vec){0};
}

EW_INLINE vec select(ivec mask, vec yes, vec no)
{
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

/* a > b ? a : b, which x86 has as one instruction. */
EW_INLINE vec larger(vec a, vec b)
{
#if defined(__AVX512F__) && EW_LANES == 16
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__) && EW_LANES == 8
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return select(a > b, a, b);
#endif
}

/* a < b ? a : b */
EW_INLINE vec smaller(vec a, vec b)
{
#if defined(__AVX512F__) && EW_LANES == 16
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__) && EW_LANES == 8
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return select(a < b, a, b);
#endif
}

/* ---- convolution as a product of matrices ---- */

enum {
    K_BLOCK = 256, /* chain: 8 KB of a panel, which stay in the first cache */
    GROUP = 4,     /* tiles that share it */
    TILE = EW_LANES * EW_TILE_VECTORS,
};

/* One panel times one tile: EW_ROWS x n_vectors vectors stay in registers over a block of k. */
EW_INLINE void multiply_tile(const int n_vectors, const float *weights, const ptrdiff_t *offsets,
                             const float *input, uint32_t n_k, const float *start, bool is_first,
                             float *out, size_t stride, uint32_t n_rows)
{
    vec acc[EW_ROWS][EW_TILE_VECTORS];
#pragma GCC unroll 8
    for (int m = 0; m < EW_ROWS; m++) {
#pragma GCC unroll 4
        for (int v = 0; v < n_vectors; v++) {
            acc[m][v] = broadcast(is_first && start ? start[m] : 0.0f);
        }
    }
    for (uint32_t k = 0; k < n_k; k++) {
        const float *x = input + offsets[k];
        vec column[EW_TILE_VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < n_vectors; v++) {
            column[v] = load(x + v * EW_LANES);
        }
#pragma GCC unroll 8
        for (int m = 0; m < EW_ROWS; m++) {
            const vec w = broadcast(weights[m]);
#pragma GCC unroll 4
            for (int v = 0; v < n_vectors; v++) {
                acc[m][v] = fused(w, column[v], acc[m][v]);
            }
        }
        weights += EW_ROWS;
    }
#pragma GCC unroll 8
    for (int m = 0; m < EW_ROWS; m++) {
        if ((uint32_t)m < n_rows) {
#pragma GCC unroll 4
            for (int v = 0; v < n_vectors; v++) {
                float *to = out + (size_t)m * stride + v * EW_LANES;
                store(to, is_first ? acc[m][v] : load(to) + acc[m][v]);
            }
        }
    }
}

/* All tiles of a group for one panel and one block of k. */
EW_INLINE void multiply_group(const struct ew_ref_gemm *job, uint32_t column, uint32_t n_columns,
                              uint32_t k, uint32_t n_k, uint32_t row)
{
    const float *weights = job->weights + ((size_t)row * job->n_k + (size_t)k * EW_ROWS);
    const float *start = job->bias ? job->bias + row : NULL;
    const uint32_t n_rows = job->n_rows - row;
    const bool is_first = k == 0;
    for (uint32_t q = column; q < column + n_columns; q += TILE) {
        const uint32_t left = column + n_columns - q;
        const float *input = job->input + q;
        float *out = job->out + (size_t)row * job->stride + q;
        if (left > 2 * EW_LANES) {
            multiply_tile(3, weights, job->offsets + k, input, n_k, start, is_first, out,
                          job->stride, n_rows);
        } else if (left > EW_LANES) {
            multiply_tile(2, weights, job->offsets + k, input, n_k, start, is_first, out,
                          job->stride, n_rows);
        } else {
            multiply_tile(1, weights, job->offsets + k, input, n_k, start, is_first, out,
                          job->stride, n_rows);
        }
    }
}

static void run_gemm(const struct ew_ref_gemm *job)
{
    for (uint32_t q = 0; q < job->n_columns; q += GROUP * TILE) {
        const uint32_t left = job->n_columns - q;
        const uint32_t n_columns = left < GROUP * TILE ? left : GROUP * TILE;
        for (uint32_t k = 0; k == 0 || k < job->n_k; k += K_BLOCK) {
            const uint32_t n_k = job->n_k - k < K_BLOCK ? job->n_k - k : K_BLOCK;
            for (uint32_t row = 0; row < job->n_rows; row += EW_ROWS) {
                multiply_group(job, q, n_columns, k, n_k, row);
            }
        }
    }
}

/* ---- fully connected ---- */

EW_INLINE void multiply_panel(const int n_images, const struct ew_ref_fc *job, const float *weights,
                              const float *input, float *out, uint32_t row)
{
    vec acc[4][EW_FC_VECTORS], sum[4][EW_FC_VECTORS];
#pragma GCC unroll 4
    for (int i = 0; i < n_images; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < EW_FC_VECTORS; v++) {
            acc[i][v] = job->bias ? load(job->bias + row + v * EW_LANES) : (vec){0};
        }
    }
    for (uint32_t block = 0; block == 0 || block < job->n_k; block += K_BLOCK) {
        const uint32_t end = job->n_k - block < K_BLOCK ? job->n_k : block + K_BLOCK;
        for (uint32_t k = block; k < end; k++) {
#pragma GCC unroll 4
            for (int v = 0; v < EW_FC_VECTORS; v++) {
                const vec w = load(weights + v * EW_LANES);
#pragma GCC unroll 4
                for (int i = 0; i < n_images; i++) {
                    acc[i][v] =
                        fused(w, broadcast(input[(size_t)i * job->input_stride + k]), acc[i][v]);
                }
            }
            weights += EW_FC_VECTORS * EW_LANES;
        }
#pragma GCC unroll 4
        for (int i = 0; i < n_images; i++) {
#pragma GCC unroll 4
            for (int v = 0; v < EW_FC_VECTORS; v++) {
                sum[i][v] = block == 0 ? acc[i][v] : sum[i][v] + acc[i][v];
                acc[i][v] = (vec){0};
            }
        }
    }
    const uint32_t left = job->n_rows - row;
    for (int i = 0; i < n_images; i++) {
        const uint32_t n = left < EW_FC_VECTORS * EW_LANES ? left : EW_FC_VECTORS * EW_LANES;
        memcpy(out + (size_t)i * job->out_stride + row, sum[i], n * sizeof(float));
    }
}

static void run_fc(const struct ew_ref_fc *job)
{
    for (uint32_t row = 0; row < job->n_rows; row += EW_FC_VECTORS * EW_LANES) {
        const float *weights = job->weights + (size_t)row * job->n_k;
        uint32_t i = 0;
        for (; i + 4 <= job->n_images; i += 4) {
            multiply_panel(4, job, weights, job->input + i * job->input_stride,
                           job->out + i * job->out_stride, row);
        }
        for (; i < job->n_images; i++) {
            multiply_panel(1, job, weights, job->input + i * job->input_stride,
                           job->out + i * job->out_stride, row);
        }
    }
}

/* ---- windows over one channel ---- */

enum taps_kind { TAPS_DEPTHWISE, TAPS_MAX, TAPS_SUM };

EW_INLINE void slide(const enum taps_kind kind, const int n_vectors, const struct ew_ref_taps *job,
                     uint32_t q)
{
    vec acc[4];
#pragma GCC unroll 4
    for (int v = 0; v < n_vectors; v++) {
        acc[v] = broadcast(job->start);
    }
    for (uint32_t t = 0; t < job->n_taps; t++) {
        const float *x = job->input + job->offsets[t] + q;
        const vec w = broadcast(kind == TAPS_DEPTHWISE ? job->weights[t] : 0.0f);
#pragma GCC unroll 4
        for (int v = 0; v < n_vectors; v++) {
            const vec value = load(x + v * EW_LANES);
            acc[v] = kind == TAPS_DEPTHWISE ? fused(w, value, acc[v])
                     : kind == TAPS_MAX     ? larger(value, acc[v])
                                            : acc[v] + value;
        }
    }
#pragma GCC unroll 4
    for (int v = 0; v < n_vectors; v++) {
        store(job->out + q + v * EW_LANES, acc[v]);
    }
}

EW_INLINE void slide_all(const enum taps_kind kind, const struct ew_ref_taps *job)
{
    uint32_t q = 0;
    for (; q + 4 * EW_LANES <= job->n_columns; q += 4 * EW_LANES) {
        slide(kind, 4, job, q);
    }
    for (; q < job->n_columns; q += EW_LANES) {
        slide(kind, 1, job, q);
    }
}

static void run_depthwise(const struct ew_ref_taps *job)
{
    slide_all(TAPS_DEPTHWISE, job);
}

static void run_max_taps(const struct ew_ref_taps *job)
{
    slide_all(TAPS_MAX, job);
}

static void run_sum_taps(const struct ew_ref_taps *job)
{
    slide_all(TAPS_SUM, job);
}

/* ---- functions of one value ---- */

/* exp to about 1 ulp (Cody-Waite reduction by ln 2, polynomial of degree 6 on [-ln2/2, ln2/2]). The
 * same operations on every width, which libm does not promise. */
EW_INLINE vec exponential(vec x)
{
    x = smaller(larger(x, broadcast(-87.33654f)), broadcast(88.37626f));
    const vec shifter = broadcast(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    const vec n = fused(x, broadcast(1.44269504f), shifter) - shifter;
    vec r = fused(n, broadcast(-0.693359375f), x);
    r = fused(n, broadcast(2.12194440e-4f), r);
    vec p = broadcast(1.9875691500e-4f);
    p = fused(p, r, broadcast(1.3981999507e-3f));
    p = fused(p, r, broadcast(8.3334519073e-3f));
    p = fused(p, r, broadcast(4.1665795894e-2f));
    p = fused(p, r, broadcast(1.6666665459e-1f));
    p = fused(p, r, broadcast(5.0000001201e-1f));
    const vec square = fused(r, r, (vec){0});
    p = fused(p, square, r) + broadcast(1.0f);
    const ivec exponent = (__builtin_convertvector(n, ivec) + 127) << 23;
    return fused(p, (vec)exponent, (vec){0});
}

EW_INLINE vec logistic(vec x)
{
    return broadcast(1.0f) / (exponential(-x) + broadcast(1.0f));
}

EW_INLINE vec clip(vec x, float lo, float hi)
{
    return smaller(larger(x, broadcast(lo)), broadcast(hi));
}

/* log to about 1 ulp: x = m 2^e with m in [sqrt 1/2, sqrt 2), polynomial of degree 9 (Cephes). */
EW_INLINE vec logarithm(vec x)
{
    const vec one = broadcast(1.0f);
    const ivec is_tiny = x < broadcast(1.17549435e-38f);
    const vec scaled = select(is_tiny, fused(x, broadcast(8388608.0f), (vec){0}), x);
    const ivec bits = (ivec)scaled;
    vec m = (vec)((bits & 0x007fffff) | 0x3f000000);
    vec e = __builtin_convertvector((bits >> 23) - 126, vec);
    e = select(is_tiny, e - broadcast(23.0f), e);
    const ivec is_low = m < broadcast(0.707106781186547524f);
    e = select(is_low, e - one, e);
    m = select(is_low, m + m, m) - one;
    const vec square = fused(m, m, (vec){0});
    vec p = broadcast(7.0376836292e-2f);
    p = fused(p, m, broadcast(-1.1514610310e-1f));
    p = fused(p, m, broadcast(1.1676998740e-1f));
    p = fused(p, m, broadcast(-1.2420140846e-1f));
    p = fused(p, m, broadcast(1.4249322787e-1f));
    p = fused(p, m, broadcast(-1.6668057665e-1f));
    p = fused(p, m, broadcast(2.0000714765e-1f));
    p = fused(p, m, broadcast(-2.4999993993e-1f));
    p = fused(p, m, broadcast(3.3333331174e-1f));
    p = fused(fused(p, m, (vec){0}), square, (vec){0});
    p = fused(e, broadcast(-2.12194440e-4f), p);
    p = fused(square, broadcast(-0.5f), p);
    const vec r = fused(e, broadcast(0.693359375f), m + p);
    return select(x > (vec){0}, r, select(x == (vec){0}, broadcast(-INFINITY), broadcast(NAN)));
}

/* erf to about 1e-7: a quotient of polynomials of odd and even powers on [-4, 4] (Eigen's). */
EW_INLINE vec error_function(vec x)
{
    x = smaller(larger(x, broadcast(-4.0f)), broadcast(4.0f));
    const vec square = fused(x, x, (vec){0});
    vec p = broadcast(-2.72614225801306e-10f);
    p = fused(p, square, broadcast(2.77068142495902e-08f));
    p = fused(p, square, broadcast(-2.10102402082508e-06f));
    p = fused(p, square, broadcast(-5.69250639462346e-05f));
    p = fused(p, square, broadcast(-7.34990630326855e-04f));
    p = fused(p, square, broadcast(-2.95459980854025e-03f));
    p = fused(p, square, broadcast(-1.60960333262415e-02f));
    vec q = broadcast(-1.45660718464996e-05f);
    q = fused(q, square, broadcast(-2.13374055278905e-04f));
    q = fused(q, square, broadcast(-1.68282697438203e-03f));
    q = fused(q, square, broadcast(-7.37332916720468e-03f));
    q = fused(q, square, broadcast(-1.42647390514189e-02f));
    return fused(x, p, (vec){0}) / q;
}

EW_INLINE vec hyperbolic_tangent(vec x)
{
    const vec one = broadcast(1.0f);
    return one - broadcast(2.0f) / (exponential(fused(x, broadcast(2.0f), (vec){0})) + one);
}

/* log(1 + exp x); the same as x from 20 on. */
EW_INLINE vec softplus(vec x)
{
    return select(x > broadcast(20.0f), x, logarithm(exponential(x) + broadcast(1.0f)));
}

/* Roundings and roots, which are exact everywhere, lane by lane. */
EW_INLINE vec lane_by_lane(const enum ew_ref_map fn, vec x)
{
    for (int i = 0; i < EW_LANES; i++) {
        x[i] = fn == EW_REF_FLOOR   ? floorf(x[i])
               : fn == EW_REF_CEIL  ? ceilf(x[i])
               : fn == EW_REF_ROUND ? rintf(x[i])
                                    : sqrtf(x[i]);
    }
    return x;
}

EW_INLINE vec apply_rare(const enum ew_ref_map fn, vec x, vec a, vec b)
{
    const vec zero = {0}, one = broadcast(1.0f);
    const ivec magnitude = (ivec)x & 0x7fffffff;
    switch (fn) {
    case EW_REF_GELU: {
        const vec erf = error_function(fused(x, broadcast(0.70710678118654752f), zero));
        return fused(fused(x, broadcast(0.5f), zero), one + erf, zero);
    }
    case EW_REF_ABS:
        return (vec)magnitude;
    case EW_REF_NEG:
        return -x;
    case EW_REF_SIGN:
        return select(x > zero, one, select(x < zero, -one, zero));
    case EW_REF_FLOOR:
    case EW_REF_CEIL:
    case EW_REF_ROUND:
    case EW_REF_SQRT:
        return lane_by_lane(fn, x);
    case EW_REF_RECIPROCAL:
        return one / x;
    case EW_REF_LOG:
        return logarithm(x);
    case EW_REF_ERF:
        return error_function(x);
    case EW_REF_SQUARE:
        return fused(x, x, zero);
    case EW_REF_SOFTSIGN:
        return x / (one + (vec)magnitude);
    case EW_REF_SOFTPLUS:
        return softplus(x);
    case EW_REF_MISH:
        return fused(x, hyperbolic_tangent(softplus(x)), zero);
    case EW_REF_CLIP:
        return smaller(larger(x, a), b);
    case EW_REF_THRESHOLD:
        return select(x > a, x, zero);
    case EW_REF_ELU:
        return select(x < zero, fused(a, exponential(x) - one, zero), x);
    case EW_REF_CELU:
        return select(x < zero, fused(a, exponential(x / a) - one, zero), x);
    case EW_REF_SELU:
        return fused(b, select(x < zero, fused(a, exponential(x) - one, zero), x), zero);
    default:
        return x; /* copy */
    }
}

EW_INLINE vec apply(const enum ew_ref_map fn, vec x, vec a, vec b)
{
    const vec sixth = broadcast(1.0f / 6.0f);
    switch (fn) {
    case EW_REF_RELU:
        return larger(x, (vec){0});
    case EW_REF_RELU6:
        return clip(x, 0.0f, 6.0f);
    case EW_REF_LEAKY_RELU:
        return select(x < (vec){0}, fused(x, a, (vec){0}), x);
    case EW_REF_SIGMOID:
        return logistic(x);
    case EW_REF_SILU:
        return fused(x, logistic(x), (vec){0});
    case EW_REF_HARDSWISH:
        return fused(x, clip(fused(x, sixth, broadcast(0.5f)), 0.0f, 1.0f), (vec){0});
    case EW_REF_HARDSIGMOID:
        return clip(fused(x, a, b), 0.0f, 1.0f);
    case EW_REF_TANH:
        return hyperbolic_tangent(x);
    case EW_REF_AFFINE:
        return fused(x, a, b);
    case EW_REF_SCALE:
        return fused(x, a, (vec){0});
    case EW_REF_OFFSET:
        return x + a;
    case EW_REF_EXP:
        return exponential(x);
    default:
        return apply_rare(fn, x, a, b);
    }
}

EW_INLINE void apply_all(const enum ew_ref_map fn, float *out, const float *in, size_t n, float a,
                         float b)
{
    const vec va = broadcast(a);
    const vec vb = broadcast(b);
    size_t i = 0;
    for (; i + EW_LANES <= n; i += EW_LANES) {
        store(out + i, apply(fn, load(in + i), va, vb));
    }
    if (i < n) {
        float tail[EW_LANES] = {0};
        memcpy(tail, in + i, (n - i) * sizeof *in);
        store(tail, apply(fn, load(tail), va, vb));
        memcpy(out + i, tail, (n - i) * sizeof *out);
    }
}

static void run_map(enum ew_ref_map fn, float *out, const float *in, size_t n, float a, float b)
{
#define CASE(name)                                                                                 \
    case name:                                                                                     \
        apply_all(name, out, in, n, a, b);                                                         \
        return
    switch (fn) {
        CASE(EW_REF_RELU);
        CASE(EW_REF_RELU6);
        CASE(EW_REF_LEAKY_RELU);
        CASE(EW_REF_SIGMOID);
        CASE(EW_REF_SILU);
        CASE(EW_REF_HARDSWISH);
        CASE(EW_REF_HARDSIGMOID);
        CASE(EW_REF_TANH);
        CASE(EW_REF_AFFINE);
        CASE(EW_REF_SCALE);
        CASE(EW_REF_OFFSET);
        CASE(EW_REF_EXP);
        CASE(EW_REF_COPY);
        CASE(EW_REF_GELU);
        CASE(EW_REF_ABS);
        CASE(EW_REF_NEG);
        CASE(EW_REF_SIGN);
        CASE(EW_REF_FLOOR);
        CASE(EW_REF_CEIL);
        CASE(EW_REF_ROUND);
        CASE(EW_REF_SQRT);
        CASE(EW_REF_RECIPROCAL);
        CASE(EW_REF_LOG);
        CASE(EW_REF_ERF);
        CASE(EW_REF_SQUARE);
        CASE(EW_REF_SOFTSIGN);
        CASE(EW_REF_SOFTPLUS);
        CASE(EW_REF_MISH);
        CASE(EW_REF_CLIP);
        CASE(EW_REF_THRESHOLD);
        CASE(EW_REF_ELU);
        CASE(EW_REF_CELU);
        CASE(EW_REF_SELU);
    }
#undef CASE
}

/* ---- functions of two values ---- */

#define EW_PAIRWISE(name, vector_form, scalar_form)                                                \
    static void run_##name(float *out, const float *x, const float *y, size_t n)                   \
    {                                                                                              \
        size_t i = 0;                                                                              \
        for (; i + EW_LANES <= n; i += EW_LANES) {                                                 \
            const vec p = load(x + i);                                                             \
            const vec q = load(y + i);                                                             \
            store(out + i, vector_form);                                                           \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            const float p = x[i];                                                                  \
            const float q = y[i];                                                                  \
            out[i] = scalar_form;                                                                  \
        }                                                                                          \
    }

EW_PAIRWISE(add, p + q, p + q)
EW_PAIRWISE(mul, p *q, p *q)
EW_PAIRWISE(max, larger(p, q), p > q ? p : q)
EW_PAIRWISE(div, p / q, p / q)
EW_PAIRWISE(sub, p - q, p - q)
EW_PAIRWISE(min, smaller(p, q), p < q ? p : q)
EW_PAIRWISE(prelu, select(p < (vec){0}, p *q, p), p < 0.0f ? p * q : p)
#undef EW_PAIRWISE

static void run_axpy(float *out, const float *x, float w, size_t n)
{
    const vec factor = broadcast(w);
    size_t i = 0;
    for (; i + EW_LANES <= n; i += EW_LANES) {
        store(out + i, fused(factor, load(x + i), load(out + i)));
    }
    if (i < n) {
        float tail[EW_LANES] = {0}, sum[EW_LANES] = {0};
        memcpy(tail, x + i, (n - i) * sizeof *x);
        memcpy(sum, out + i, (n - i) * sizeof *out);
        store(sum, fused(factor, load(tail), load(sum)));
        memcpy(out + i, sum, (n - i) * sizeof *out);
    }
}

EW_INLINE lvec mix(lvec x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Even elements in one vector of words, odd ones in the other, so that their upper halves lie as
 * the results do (little-endian, as on every machine we run on). */
static void run_random(float *out, uint64_t first, size_t n)
{
    lvec counts;
    for (int i = 0; i < EW_LANES / 2; i++) {
        counts[i] = first + 2 * (uint64_t)i;
    }
    for (size_t i = 0; i < n; i += EW_LANES, counts += (uint64_t)EW_LANES) {
        const lvec even = mix(counts) >> 40, odd = mix(counts + 1) >> 40;
        const ivec bits = (ivec)(even | odd << 32) - (1 << 23);
        const vec values = __builtin_convertvector(bits, vec) * (1.0f / (1 << 23));
        if (i + EW_LANES <= n) {
            store(out + i, values);
        } else {
            memcpy(out + i, &values, (n - i) * sizeof *out);
        }
    }
}

#define EW_JOIN_TOKENS(a, b) a##b
#define EW_JOIN(a, b) EW_JOIN_TOKENS(a, b)
#define EW_TEXT_TOKENS(a) #a
#define EW_TEXT(a) EW_TEXT_TOKENS(a)

const struct ew_ref_isa EW_JOIN(ew_ref_isa_, EW_ISA_NAME) = {
    .id = EW_TEXT(EW_ISA_NAME),
    .lanes = EW_LANES,
    .rows = EW_ROWS,
    .columns = TILE,
    .fc_width = EW_FC_VECTORS * EW_LANES,
    .gemm = run_gemm,
    .fc = run_fc,
    .depthwise = run_depthwise,
    .max_taps = run_max_taps,
    .sum_taps = run_sum_taps,
    .map = run_map,
    .add = run_add,
    .mul = run_mul,
    .max = run_max,
    .div = run_div,
    .sub = run_sub,
    .min = run_min,
    .prelu = run_prelu,
    .axpy = run_axpy,
    .random = run_random,
};
