/* Built for a later minor version, whose structs are longer: must load. */
#include "plugin_kit.h"

static const struct {
    struct ew_strategy_info info;
    uint64_t appended;
} longer = {
    {.struct_size = sizeof longer,
     .id = "newer_minor",
     .version = "1.0.0",
     .summary = "for tests",
     .citation = ""},
    0,
};

static const struct ew_strategy_info *describe(uint32_t index)
{
    (void)index;
    return &longer.info;
}

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR + 1,
    .count = kit_count,
    .describe = describe,
    .create = kit_create_default,
};
