/* A parameter whose range is not a number. */
#include <math.h>

#include "plugin_kit.h"

static const struct ew_param_info param = {
    .struct_size = sizeof param,
    .kind = EW_PARAM_INT,
    .name = "count",
    .unit = "",
    .default_text = "1",
    .min_value = NAN,
    .max_value = 5,
    .doc = "A number.",
};
static const struct ew_param_info *const params[] = {&param};

static const struct ew_strategy_info info = {
    .struct_size = sizeof info,
    .param_count = sizeof params / sizeof params[0],
    .id = "nan_range",
    .version = "1.0.0",
    .summary = "for tests",
    .citation = "",
    .params = params,
};
KIT_DESCRIBE(info)
KIT_ENTRY(kit_create_default);
