/*
 * ONNX files as they are on the wire: the messages of onnx_min.proto, decoded over memory that
 * stays where it is. Texts and tensor data are pointers into the file. Used by onnx_*.c only; knows
 * no operator.
 */
#ifndef EW_IO_ONNX_WIRE_H
#define EW_IO_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum {
    OX_MAX_RANK = 8,
    OX_MAX_VALUES = 4096, /**< numbers of a constant that are kept; larger ones are weights */
};

/** Bytes of the file, not terminated. */
struct ox_text {
    const char *at;
    size_t size;
};

/** Element types, ONNX's numbers. */
enum {
    OX_FLOAT = 1,
    OX_UINT8 = 2,
    OX_INT8 = 3,
    OX_INT32 = 6,
    OX_INT64 = 7,
    OX_BOOL = 9,
    OX_FLOAT16 = 10,
    OX_DOUBLE = 11,
    OX_BFLOAT16 = 16,
};

/** A tensor with or without its elements. */
struct ox_tensor {
    struct ox_text name;
    int32_t dtype;
    uint32_t n_dims; /**< more than OX_MAX_RANK: the rest is not kept */
    int64_t dims[OX_MAX_RANK];
    bool is_external;
    struct ox_text external_file;
    struct ox_text data;  /**< little-endian elements; `at` NULL when they are not one stretch */
    size_t n_values;      /**< elements that came as numbers (not raw) */
    const double *values; /**< the first OX_MAX_VALUES of them */
};

struct ox_attribute {
    struct ox_text name;
    bool has_f, has_i, has_s;
    float f;
    int64_t i;
    struct ox_text s;
    const struct ox_tensor *t; /**< NULL for none */
    size_t n_numbers;
    const double *numbers; /**< ints or floats; at most OX_MAX_VALUES */
};

struct ox_node {
    struct ox_text name, op, domain;
    uint32_t n_inputs, n_outputs, n_attributes;
    const struct ox_text *inputs, *outputs;
    const struct ox_attribute *attributes;
};

/** A dimension that the file does not fix. */
#define OX_UNKNOWN (-1)

struct ox_value_info {
    struct ox_text name;
    bool has_shape;
    int32_t dtype;
    uint32_t n_dims;
    int64_t dims[OX_MAX_RANK];           /**< OX_UNKNOWN: symbolic or missing */
    struct ox_text symbols[OX_MAX_RANK]; /**< names of symbolic ones */
};

struct ox_model {
    struct ox_text producer, producer_version, graph_name;
    bool has_graph;
    int64_t ir_version, opset; /**< of the default domain */
    uint32_t n_nodes, n_initializers, n_inputs, n_outputs, n_infos;
    const struct ox_node *nodes;
    const struct ox_tensor *initializers;
    const struct ox_value_info *inputs, *outputs, *infos;
};

/** Decode. Everything lives in `arena`, or in `data`. EW_EINPUT with the place when the bytes are
 * no ONNX file; the message does not name the file. */
enum ew_status ox_decode(struct ox_model *out, struct ew_arena *arena, const void *data,
                         size_t size, struct ew_error *err);

/** Bytes per element; 0 when unknown. */
size_t ox_dtype_bytes(int32_t dtype);

/** "float32", …; "?" when unknown. */
const char *ox_dtype_name(int32_t dtype);

/** Nearest integer of the type, for numbers that may be anything. */
static inline int64_t ox_to_i64(double x)
{
    return !(x > -9.2e18) ? INT64_MIN : x < 9.2e18 ? (int64_t)x : INT64_MAX;
}

bool ox_text_is(struct ox_text text, const char *what);

#endif
