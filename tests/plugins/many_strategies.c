/* Says that it holds four billion strategies. */
#include "plugin_kit.h"

static const struct ew_strategy_info info = KIT_INFO("many_strategies");
KIT_DESCRIBE(info)

static uint32_t count(void)
{
    return UINT32_MAX;
}

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = count,
    .describe = describe,
    .create = kit_create_default,
};
