/* A choice without choices. */
#include "plugin_kit.h"

static const struct ew_param_info param = {
    .struct_size = sizeof param,
    .kind = EW_PARAM_CHOICE,
    .name = "mode",
    .unit = "",
    .default_text = "a",
    .doc = "A choice.",
};
static const struct ew_param_info *const params[] = {&param};

static const struct ew_strategy_info info = {
    .struct_size = sizeof info,
    .param_count = sizeof params / sizeof params[0],
    .id = "no_choices",
    .version = "1.0.0",
    .summary = "for tests",
    .citation = "",
    .params = params,
};
KIT_DESCRIBE(info)
KIT_ENTRY(kit_create_default);
