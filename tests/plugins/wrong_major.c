/* Built for another major version of the ABI. */
#include "plugin_kit.h"

static const struct ew_strategy_info info = KIT_INFO("wrong_major");
KIT_DESCRIBE(info)

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR + 2,
    .abi_minor = 7,
    .count = kit_count,
    .describe = describe,
    .create = kit_create_default,
};
