/* Two parameters of one name. */
#include "plugin_kit.h"

static const struct ew_param_info param = {
    .struct_size = sizeof param,
    .kind = EW_PARAM_BOOL,
    .name = "fast",
    .unit = "",
    .default_text = "true",
    .doc = "A switch.",
};
static const struct ew_param_info *const params[] = {&param, &param};

static const struct ew_strategy_info info = {
    .struct_size = sizeof info,
    .param_count = sizeof params / sizeof params[0],
    .id = "same_param_twice",
    .version = "1.0.0",
    .summary = "for tests",
    .citation = "",
    .params = params,
};
KIT_DESCRIBE(info)
KIT_ENTRY(kit_create_default);
