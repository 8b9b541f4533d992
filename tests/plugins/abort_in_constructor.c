/* Does not survive being opened. */
#include "plugin_kit.h"

__attribute__((constructor)) static void begin(void)
{
    abort();
}

static const struct ew_strategy_info info = KIT_INFO("abort_in_constructor");
KIT_DESCRIBE(info)
KIT_ENTRY(kit_create_default);
