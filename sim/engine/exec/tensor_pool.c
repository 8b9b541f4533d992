#include "engine/exec/tensor_pool.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_FLOATS = 16 }; /* before the values: the buffer's size, and 64-byte alignment */

static size_t buffer_size(const float *values)
{
    size_t n;
    memcpy(&n, values - HEAD_FLOATS, sizeof n);
    return n;
}

/* Smallest free buffer that fits and is not more than twice too large. */
static float *take_free(struct ew_tensor_pool *pool, size_t n)
{
    size_t best = pool->free.count;
    for (size_t i = 0; i < pool->free.count; i++) {
        const size_t size = pool->free.items[i].n_floats;
        if (size >= n && size / 2 <= n &&
            (best == pool->free.count || size < pool->free.items[best].n_floats)) {
            best = i;
        }
    }
    if (best == pool->free.count) {
        return NULL;
    }
    float *values = pool->free.items[best].values;
    pool->free.items[best] = pool->free.items[--pool->free.count];
    return values;
}

enum ew_status ew_tensor_get(struct ew_tensor *out, struct ew_tensor_pool *pool,
                             const struct ew_box *box, struct ew_error *err)
{
    const size_t n = ew_tensor_floats(box);
    float *values = take_free(pool, n);
    if (!values) {
        void *memory = NULL;
        if (posix_memalign(&memory, 64, (n + HEAD_FLOATS) * sizeof(float)) != 0) {
            return ew_fail(err, EW_ENOMEM, "out of memory for a tensor of %zu values", n);
        }
        memcpy(memory, &n, sizeof n);
        values = (float *)memory + HEAD_FLOATS;
    }
    memset(values + ew_box_volume(box), 0, EW_KERNEL_SLACK * sizeof *values);
    *out = (struct ew_tensor){values, *box};
    return EW_OK;
}

static void free_values(float *values)
{
    if (values) {
        free(values - HEAD_FLOATS);
    }
}

void ew_tensor_put(struct ew_tensor_pool *pool, struct ew_tensor *tensor)
{
    if (tensor->values) {
        const struct ew_tensor_buffer buffer = {tensor->values, buffer_size(tensor->values)};
        if (!ew_vec_push(&pool->free, buffer)) {
            free_values(tensor->values);
        }
        tensor->values = NULL;
    }
}

void ew_tensor_pool_fini(struct ew_tensor_pool *pool)
{
    for (size_t i = 0; i < pool->free.count; i++) {
        free_values(pool->free.items[i].values);
    }
    ew_vec_fini(&pool->free);
}
