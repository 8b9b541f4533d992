#include "engine/exec/kernel/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exec/kernel/reference.h"
#include "engine/exec/kernel/xnnpack_kernels.h"

const struct ew_kernels *ew_kernels_at(uint32_t i)
{
    uint32_t n = 0;
    while (n < EW_REF_SETS && ew_ref_kernels[n].id) {
        n++;
    }
#ifdef EW_HAS_XNNPACK
    if (i == n) {
        return &ew_xnnpack_kernels;
    }
#endif
    return i < n ? &ew_ref_kernels[i] : NULL;
}

const struct ew_kernels *ew_kernels_find(const char *id)
{
    for (uint32_t i = 0; ew_kernels_at(i); i++) {
        if (strcmp(ew_kernels_at(i)->id, id) == 0) {
            return ew_kernels_at(i);
        }
    }
    return NULL;
}

void ew_kernels_sum(struct ew_tensor *out, uint32_t n_partials, const struct ew_tensor *partials,
                    const float *bias)
{
    const size_t n = (size_t)ew_box_volume(&out->box);
    const size_t plane =
        (size_t)ew_box_extent(&out->box, EW_H) * (size_t)ew_box_extent(&out->box, EW_W);
    const size_t n_channels = (size_t)ew_box_extent(&out->box, EW_C);
    memcpy(out->values, partials[0].values, n * sizeof *out->values);
    for (uint32_t p = 1; p < n_partials; p++) {
        for (size_t i = 0; i < n; i++) {
            out->values[i] += partials[p].values[i];
        }
    }
    for (size_t i = 0; bias && i < n; i++) {
        out->values[i] += bias[i / plane % n_channels];
    }
}

float *ew_kernel_scratch_reserve(struct ew_kernel_scratch *scratch, size_t n)
{
    if (n > scratch->n_floats || !scratch->floats) {
        void *floats = NULL;
        if (n > SIZE_MAX / sizeof(float) - EW_KERNEL_SLACK ||
            posix_memalign(&floats, 64, (n + EW_KERNEL_SLACK) * sizeof(float)) != 0) {
            return NULL;
        }
        free(scratch->floats);
        scratch->floats = floats;
        scratch->n_floats = n;
    }
    return scratch->floats;
}

void ew_kernel_scratch_fini(struct ew_kernel_scratch *scratch)
{
    free(scratch->floats);
    *scratch = (struct ew_kernel_scratch){0};
}
