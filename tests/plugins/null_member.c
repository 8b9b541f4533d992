/* The entry has no create. */
#include "plugin_kit.h"

static const struct ew_strategy_info info = KIT_INFO("null_member");
KIT_DESCRIBE(info)

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = kit_count,
    .describe = describe,
};
