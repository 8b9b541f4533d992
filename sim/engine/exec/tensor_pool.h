/*
 * Memory of tensors, reused: fresh pages cost as much as the arithmetic of a small layer.
 */
#ifndef EW_ENGINE_EXEC_TENSOR_POOL_H
#define EW_ENGINE_EXEC_TENSOR_POOL_H

#include "base/vec.h"
#include "engine/exec/kernel/kernel.h"

/** A buffer nobody uses now. */
struct ew_tensor_buffer {
    float *values;
    size_t n_floats;
};

/** Zero-initialised is valid and empty. */
struct ew_tensor_pool {
    EW_VEC(struct ew_tensor_buffer) free;
};

/** A tensor of `box`, values undefined, slack readable. EW_ENOMEM. */
enum ew_status ew_tensor_get(struct ew_tensor *out, struct ew_tensor_pool *pool,
                             const struct ew_box *box, struct ew_error *err);

/** Give a tensor back; leaves it without values. Accepts one without values. */
void ew_tensor_put(struct ew_tensor_pool *pool, struct ew_tensor *tensor);

/** Free all buffers that were given back. */
void ew_tensor_pool_fini(struct ew_tensor_pool *pool);

#endif
