/*
 * Weights of a model file: where every layer's tensors lie (a table that travels with programs),
 * and a source that maps the files and gives kernels the slices they ask for. What an import folded
 * into a layer (batch normalisations) is applied while reading.
 */
#ifndef EW_ENGINE_EXEC_MODEL_WEIGHTS_H
#define EW_ENGINE_EXEC_MODEL_WEIGHTS_H

#include "base/arena.h"
#include "engine/exec/kernel/kernel.h"
#include "model/graph.h"

enum { EW_WEIGHT_PATH_BYTES = 1024 };

/** What a tensor is to its layer. */
enum ew_weight_role {
    EW_ROLE_WEIGHT,
    EW_ROLE_BIAS,
    EW_ROLE_SCALE,
    EW_ROLE_SHIFT,
    EW_ROLE_MEAN,
    EW_ROLE_VARIANCE,
    EW_ROLE_VALUE, /**< and slope */
    EW_ROLE_FOLDED_SCALE,
    EW_ROLE_FOLDED_SHIFT,
    EW_ROLE_FOLDED_MEAN,
    EW_ROLE_FOLDED_VARIANCE,
    EW_ROLE_COUNT
};

/** Element types that can be read. */
enum ew_weight_dtype {
    EW_DTYPE_FLOAT32,
    EW_DTYPE_FLOAT16,
    EW_DTYPE_BFLOAT16,
    EW_DTYPE_FLOAT64,
    EW_DTYPE_COUNT
};

/** One tensor. */
struct ew_weight_place {
    uint64_t offset_bytes;
    uint64_t n_elements;
    uint32_t variant;
    uint32_t layer;
    uint32_t role;          /**< enum ew_weight_role */
    uint32_t dtype;         /**< enum ew_weight_dtype */
    uint32_t file;          /**< into ew_weight_table.files */
    uint32_t is_transposed; /**< 0 or 1 */
};

/** One file, as it was when the table was made. */
struct ew_weight_file {
    uint64_t size_bytes;
    uint64_t fingerprint; /**< of its size and samples of its bytes */
    char path[EW_WEIGHT_PATH_BYTES];
};

/** All tensors of a graph and its variants, by (variant, layer). Plain data. */
struct ew_weight_table {
    uint32_t n_files;
    uint32_t n_places;
    const struct ew_weight_file *files;
    const struct ew_weight_place *places;
};

/** True when the graph says where its weights lie. */
bool ew_graph_has_weights(const struct ew_graph *graph);

/** Look up every layer's tensors, check types, sizes and that the files hold them. `path`: use this
 *  file in place of the one that the graph (variant 0) names; NULL: that one. Arrays live in
 *  `arena`. EW_EINPUT naming file, layer and tensor; EW_EIO. */
enum ew_status ew_weight_table_make(struct ew_weight_table *out, struct ew_arena *arena,
                                    const struct ew_graph *graph, const char *path,
                                    struct ew_error *err);

/** Check a table from elsewhere: indices, enums, order, texts. */
bool ew_weight_table_is_valid(const struct ew_weight_table *table);

/** Mapped files of a table. */
struct ew_model_weights;

/** Map the files; `table` is borrowed. EW_EINPUT when a file is not what it was when the table was
 *  made, EW_EIO when it cannot be read. */
enum ew_status ew_model_weights_open(struct ew_model_weights **out,
                                     const struct ew_weight_table *table, struct ew_error *err);

/** A source that borrows `weights`. */
struct ew_weight_source ew_model_weights_source(const struct ew_model_weights *weights);

/** Accepts NULL. */
void ew_model_weights_close(struct ew_model_weights *weights);

#endif
