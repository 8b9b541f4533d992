/*
 * ONNX files made by tests: a few nodes in the wire format, written field by field.
 */
#ifndef EW_TESTS_SUPPORT_ONNX_TEXT_H
#define EW_TESTS_SUPPORT_ONNX_TEXT_H

#include <stdint.h>

#include "base/text.h"

/** An ONNX file in the making. Zero-initialise; release with onnx_fini. */
struct onnx_file {
    struct ew_str graph; /* fields of the graph */
    struct ew_str node;  /* fields of the node that was begun last */
};

/** Begin a node; inputs and outputs are names separated by blanks, "-" for none in its place. */
void onnx_node(struct onnx_file *f, const char *op, const char *inputs, const char *outputs);
/** Attributes of it. */
void onnx_int(struct onnx_file *f, const char *name, int64_t x);
void onnx_float(struct onnx_file *f, const char *name, float x);
void onnx_text(struct onnx_file *f, const char *name, const char *text);
/** Numbers separated by blanks. */
void onnx_ints(struct onnx_file *f, const char *name, const char *numbers);

/** A network input or output; dims "1x3x8x8", "Nx3x8x8" (N symbolic), or NULL for no shape. */
void onnx_input(struct onnx_file *f, const char *name, const char *dims);
void onnx_output(struct onnx_file *f, const char *name, const char *dims);
/** What the file says of an inner tensor's shape. */
void onnx_info(struct onnx_file *f, const char *name, const char *dims);

/** float32 weights of that shape, all 1, in raw data. */
void onnx_weight(struct onnx_file *f, const char *name, const char *dims);
/** int64 numbers as a vector. */
void onnx_numbers(struct onnx_file *f, const char *name, const char *numbers);
/** A float32 scalar. */
void onnx_scalar(struct onnx_file *f, const char *name, float x);
/** A tensor field for field: `raw_bytes` zeros as data; external when `file` is not NULL. */
void onnx_tensor(struct onnx_file *f, const char *name, const char *dims, int dtype,
                 size_t raw_bytes, const char *file);

/** The file's bytes in `out`, which the caller releases. */
void onnx_finish(struct ew_str *out, struct onnx_file *f);
void onnx_fini(struct onnx_file *f);

#endif
