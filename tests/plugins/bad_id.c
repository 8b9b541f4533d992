/* An id with characters that ids do not have. */
#include "plugin_kit.h"

static const struct ew_strategy_info info = KIT_INFO("Bad Id");
KIT_DESCRIBE(info)
KIT_ENTRY(kit_create_default);
