#include "results/report.h"

#include <stdlib.h>

#include "base/file.h"

/* Larger than any model file; a guard against reading a device or a disk image. */
#define MAX_INPUT_BYTES ((size_t)4 << 30)

const char *const ew_report_wall_clock_fields[] = {"plan_time_s", "run_time_s", NULL};

uint64_t ew_hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

enum ew_status ew_report_input_read(struct ew_report_input *out, const char *role, const char *path,
                                    struct ew_error *err)
{
    char *text;
    size_t size;
    const enum ew_status status = ew_file_read(&text, &size, path, MAX_INPUT_BYTES, err);
    if (status != EW_OK) {
        return status;
    }
    *out = (struct ew_report_input){.role = role,
                                    .path = path,
                                    .size_bytes = size,
                                    .hash = ew_hash_bytes(EW_HASH_BEGIN, text, size)};
    free(text);
    return EW_OK;
}
