/*
 * Arithmetic of ONNX's rearranging operators on shapes, shared by constants (onnx_fold.c) and
 * layers (onnx_view.c).
 */
#ifndef EW_IO_ONNX_SLICE_H
#define EW_IO_ONNX_SLICE_H

#include "io/onnx_import.h"

enum { OX_MAX_SPLITS = 256 };

/** Where one dimension of an output comes from: element i is `begin + i * step` of dimension `from`
 *  of the input; from -1: the input is repeated. */
struct ox_pick {
    int from;
    int64_t begin;
    int64_t step;
};

/** How a Split divides a dimension. */
struct ox_split {
    uint32_t axis;
    int64_t sizes[OX_MAX_SPLITS];
};

/** Slice, from its inputs or (before opset 10) attributes. */
enum ew_status ox_slice_dims(struct ox_dims *out, struct ox_pick picks[OX_MAX_RANK],
                             struct ox_import *im, const struct ox_dims *in);

enum ew_status ox_split_sizes(struct ox_split *out, struct ox_import *im, const struct ox_dims *in);

/** Gather: the axis is replaced by the dimensions of the indices. */
enum ew_status ox_gather_dims(struct ox_dims *out, struct ox_import *im, const struct ox_dims *in,
                              uint32_t axis, const struct ox_dims *index);

/** The attribute perm, by default all dimensions backwards. */
enum ew_status ox_permutation(uint32_t perm[OX_MAX_RANK], struct ox_import *im, uint32_t rank);

/** Numpy's rule for two operands. */
enum ew_status ox_broadcast_dims(struct ox_dims *out, struct ox_import *im, const struct ox_dims *a,
                                 const struct ox_dims *b);

/** The constant that a tensor of the file is. */
enum ew_status ox_tensor_value(struct ox_value *out, struct ox_import *im,
                               const struct ox_tensor *tensor);

#endif
