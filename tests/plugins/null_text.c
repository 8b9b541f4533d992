/* A descriptor without a summary. */
#include "plugin_kit.h"

static const struct ew_strategy_info info = {
    .struct_size = sizeof info,
    .id = "null_text",
    .version = "1.0.0",
    .citation = "",
};
KIT_DESCRIBE(info)
KIT_ENTRY(kit_create_default);
