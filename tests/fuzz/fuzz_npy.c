/*
 * Fuzz target: .npy files. What is accepted has as many values as bytes; its head, written again,
 * says the same.
 */
#include <stdlib.h>
#include <string.h>

#include "io/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

static void check_again(const struct ew_npy *array, const char *values)
{
    const size_t n_bytes = array->n_values * sizeof(float);
    char *bytes = malloc(EW_NPY_HEAD_BYTES + n_bytes);
    struct ew_npy again;
    require(bytes != NULL);
    ew_npy_put_head(bytes, array->n_dims, array->dims);
    memcpy(bytes + EW_NPY_HEAD_BYTES, values, n_bytes);
    require(ew_npy_parse(&again, bytes, EW_NPY_HEAD_BYTES + n_bytes, "again", NULL) == EW_OK);
    require(again.n_dims == array->n_dims && again.n_values == array->n_values &&
            memcmp(again.dims, array->dims, array->n_dims * sizeof *array->dims) == 0);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ew_npy array;
    struct ew_error err = {0};
    char *copy = malloc(size + 1); /* exact end, for the address sanitizer */
    require(copy != NULL);
    memcpy(copy, data, size);
    if (ew_npy_parse(&array, copy, size, "fuzz", &err) == EW_OK) {
        require(array.n_values > 0 && array.offset_bytes + array.n_values * sizeof(float) == size);
        check_again(&array, copy + array.offset_bytes);
    } else {
        require(err.status == EW_EINPUT && err.message[0] != '\0');
    }
    free(copy);
    return 0;
}
