/* Crashes when it is asked what it is. */
#include "plugin_kit.h"

static const struct ew_strategy_info *describe(uint32_t index)
{
    volatile int *nowhere = NULL;
    *nowhere = (int)index;
    return NULL;
}

KIT_ENTRY(kit_create_default);
