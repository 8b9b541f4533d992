/* Calls a function that nobody has: cannot be loaded with RTLD_NOW. */
#include "plugin_kit.h"

void function_that_nobody_has(void);

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    function_that_nobody_has();
    return kit_plan(strategy, host, builder);
}

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    (void)host;
    (void)id;
    return kit_create(plan);
}

static const struct ew_strategy_info info = KIT_INFO("missing_function");
KIT_DESCRIBE(info)
KIT_ENTRY(create);
