#include "base/vec.h"

#include <stdint.h>
#include <stdlib.h>

bool ew_vec_grow(void **items, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) {
        return true;
    }
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (wanted < needed) {
        wanted = needed;
    }
    if (wanted > SIZE_MAX / 2 / size) {
        return false;
    }
    void *p = realloc(*items, wanted * size);
    if (!p) {
        return false;
    }
    *items = p;
    *capacity = wanted;
    return true;
}

void ew_vec_release(void **items, size_t *count, size_t *capacity)
{
    free(*items);
    *items = NULL;
    *count = 0;
    *capacity = 0;
}
