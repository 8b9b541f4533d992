/* Has no descriptor to show. */
#include "plugin_kit.h"

static const struct ew_strategy_info *describe(uint32_t index)
{
    (void)index;
    return NULL;
}

KIT_ENTRY(kit_create_default);
