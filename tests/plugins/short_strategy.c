/* create gives an object that ends before its functions. */
#include "plugin_kit.h"

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    static struct ew_strategy strategy = {.struct_size = 8};
    (void)host;
    (void)id;
    return &strategy;
}

static const struct ew_strategy_info info = KIT_INFO("short_strategy");
KIT_DESCRIBE(info)
KIT_ENTRY(create);
