/* The entry says that it ends before its functions. */
#include "plugin_kit.h"

static const struct ew_strategy_info info = KIT_INFO("short_entry");
KIT_DESCRIBE(info)

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = 16,
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = kit_count,
    .describe = describe,
    .create = kit_create_default,
};
