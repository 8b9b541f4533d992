/* create gives nothing and no reason. */
#include "plugin_kit.h"

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    (void)host;
    (void)id;
    return NULL;
}

static const struct ew_strategy_info info = KIT_INFO("null_create");
KIT_DESCRIBE(info)
KIT_ENTRY(create);
