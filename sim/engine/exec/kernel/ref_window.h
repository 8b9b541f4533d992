/*
 * Sliding windows as flat arithmetic. The part of the input that an output box reads is laid out
 * once, padding included, so that tap (u, v) of output position q lies at offset(u, v) + q for
 * every q: a stride splits the input into phases, a row of output is followed by a few columns
 * nobody wants. Convolutions and pools then need no edge cases.
 */
#ifndef EW_ENGINE_EXEC_KERNEL_REF_WINDOW_H
#define EW_ENGINE_EXEC_KERNEL_REF_WINDOW_H

#include "engine/exec/kernel/kernel.h"

struct ew_ref_window {
    int32_t kernel[2];
    int32_t stride[2];
    int32_t dilation[2];
    int32_t first[2]; /**< input row, column of tap 0 of the first output; may lie in the padding */
    int32_t extent[2]; /**< output rows, columns */
    int32_t n_phases[2];
    int32_t plane_rows;    /**< per phase */
    int32_t plane_columns; /**< distance of two output rows in q */
    size_t channel_floats; /**< all phases of one channel */
    uint32_t n_flat;       /**< output positions q, unwanted columns included */
};

/** Window of a conv or pool over the rows and columns of `out`. */
struct ew_ref_window ew_ref_window_of(const struct ew_op_view *layer, const struct ew_box *out);

/** True when taps can be read from `in` as it lies: stride 1 and no padding among the taps. */
bool ew_ref_window_is_direct(const struct ew_ref_window *w, const struct ew_tensor *in);

/** The same window read from `in` as it lies. */
struct ew_ref_window ew_ref_window_direct(const struct ew_ref_window *w,
                                          const struct ew_tensor *in);

/** Where output 0's tap 0 of (n, c) lies in `in`, for a direct window. */
const float *ew_ref_window_origin(const struct ew_ref_window *w, const struct ew_tensor *in,
                                  int32_t n, int32_t c);

/** Lay out channels [c_lo, c_hi) of image n; what `in` does not hold becomes `pad`. `to` has
 *  ew_ref_window_floats() floats. */
void ew_ref_window_fill(float *to, const struct ew_ref_window *w, const struct ew_tensor *in,
                        int32_t n, int32_t c_lo, int32_t c_hi, float pad);

size_t ew_ref_window_floats(const struct ew_ref_window *w, int32_t n_channels);

/** Offset of every tap of `n_channels` channels, in the order channel, row, column. */
void ew_ref_window_offsets(ptrdiff_t *out, const struct ew_ref_window *w, int32_t n_channels);

/** Copy the wanted columns of `n` consecutive positions from q on to a dense plane. */
void ew_ref_window_emit(float *plane, const struct ew_ref_window *w, const float *from, uint32_t q,
                        uint32_t n);

#endif
