/* A parameter whose range has no end. */
#include <math.h>

#include "plugin_kit.h"

static const struct ew_param_info param = {
    .struct_size = sizeof param,
    .kind = EW_PARAM_REAL,
    .name = "alpha",
    .unit = "",
    .default_text = "1",
    .min_value = 0,
    .max_value = INFINITY,
    .doc = "A number.",
};
static const struct ew_param_info *const params[] = {&param};

static const struct ew_strategy_info info = {
    .struct_size = sizeof info,
    .param_count = sizeof params / sizeof params[0],
    .id = "infinite_range",
    .version = "1.0.0",
    .summary = "for tests",
    .citation = "",
    .params = params,
};
KIT_DESCRIBE(info)
KIT_ENTRY(kit_create_default);
