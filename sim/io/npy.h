/*
 * NumPy's .npy files: arrays of float32, as images come in and answers go out. Read are versions 1
 * to 3 with '<f4' in C order; written is version 1.
 */
#ifndef EW_IO_NPY_H
#define EW_IO_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

enum { EW_NPY_MAX_DIMS = 8, EW_NPY_HEAD_BYTES = 128 };

/** What a file says of its array. */
struct ew_npy {
    uint32_t n_dims; /**< 0: one number */
    uint64_t dims[EW_NPY_MAX_DIMS];
    uint64_t n_values;   /**< product of the dimensions, at least 1 */
    size_t offset_bytes; /**< of the first value */
};

/** Read the head of a file of `size` bytes, all of them, and check that the rest is its values.
 *  EW_EINPUT beginning with `path`. */
enum ew_status ew_npy_parse(struct ew_npy *out, const char *bytes, size_t size, const char *path,
                            struct ew_error *err);

/** Load a file; `values` is malloc'ed. */
enum ew_status ew_npy_load(struct ew_npy *out, float **values, const char *path,
                           struct ew_error *err);

/** Head of a file whose values follow, of at most EW_NPY_MAX_DIMS dimensions. */
void ew_npy_put_head(char head[EW_NPY_HEAD_BYTES], uint32_t n_dims, const uint64_t *dims);

/** Append dimensions for messages, as "1x3x224x224". */
void ew_npy_put_dims(struct ew_str *out, uint32_t n_dims, const uint64_t *dims);

#endif
