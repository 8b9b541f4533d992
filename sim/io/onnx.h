/*
 * ONNX files in: models of other frameworks, with or without weights (docs/inputs-onnx.md). Shapes
 * are inferred here; the weights stay in the file, as places.
 */
#ifndef EW_IO_ONNX_H
#define EW_IO_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/graph.h"

/** A shape that replaces the one of an input in the file. */
struct ew_onnx_shape {
    const char *input; /**< NULL: the only input */
    uint32_t n_dims;
    int64_t dims[8];
};

/** How to import. Zero-initialised is valid. */
struct ew_onnx_options {
    const char *name;     /**< of the graph; NULL: of the file, without folder and suffix */
    bool folds_batchnorm; /**< batch normalisations behind convolutions become their biases */
    bool allows_opaque;   /**< operators that are not known become layers that cannot be divided */
    uint32_t n_shapes;
    const struct ew_onnx_shape *shapes;
    /** NULL, or told every tensor with its shape, in the order of the file. */
    void (*on_tensor)(void *ctx, const char *name, size_t name_size, uint32_t n_dims,
                      const int64_t *dims);
    void *ctx;
};

/** Import a file through a memory map. EW_EINPUT with file, node and operator. Free with
 *  ew_graph_free. */
enum ew_status ew_graph_load_onnx(struct ew_graph **out, const char *path,
                                  const struct ew_onnx_options *options, struct ew_error *err);

/** As above from memory; `path` stands in messages and names the graph. */
enum ew_status ew_graph_parse_onnx(struct ew_graph **out, const void *data, size_t size,
                                   const char *path, const struct ew_onnx_options *options,
                                   struct ew_error *err);

/** Parse "NAME=1x3x224x224", or a shape alone for the only input. The name lives in `arena`. */
enum ew_status ew_onnx_shape_parse(struct ew_onnx_shape *out, struct ew_arena *arena,
                                   const char *text, struct ew_error *err);

#endif
