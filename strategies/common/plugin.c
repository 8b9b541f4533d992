#include "common/plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 512 };

int32_t kit_fail(const struct ew_host *host, int32_t code, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return host->fail(host, code, message);
}

int32_t kit_fail_memory(const struct ew_host *host)
{
    return host->fail(host, EW_STRATEGY_ENOMEM, "out of memory while planning");
}

int32_t kit_note(struct ew_plan_builder *builder, const char *key, const char *format, ...)
{
    char value[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    return builder->set_note(builder, key, value);
}

static void destroy(struct ew_strategy *strategy)
{
    free(strategy);
}

struct ew_strategy *kit_strategy_new(const struct ew_host *host,
                                     const struct ew_strategy_info *info, const char *id,
                                     kit_plan_fn plan)
{
    if (strcmp(id, info->id) != 0) {
        kit_fail(host, EW_STRATEGY_EINVALID, "this plugin holds '%s', not '%s'", info->id, id);
        return NULL;
    }
    struct ew_strategy *strategy = calloc(1, sizeof *strategy);
    if (!strategy) {
        kit_fail_memory(host);
        return NULL;
    }
    strategy->struct_size = sizeof *strategy;
    strategy->plan = plan;
    strategy->destroy = destroy;
    return strategy;
}

struct ew_strategy *
kit_stateful_new(const struct ew_host *host, const struct ew_strategy_info *info, const char *id,
                 kit_plan_fn plan, size_t size,
                 void (*destroy_function)(struct ew_strategy *strategy),
                 const void *(*extension)(struct ew_strategy *strategy, const char *id))
{
    struct ew_strategy *strategy = kit_strategy_new(host, info, id, plan);
    if (!strategy) {
        return NULL;
    }
    strategy->self = calloc(1, size);
    if (!strategy->self) {
        free(strategy);
        kit_fail_memory(host);
        return NULL;
    }
    strategy->destroy = destroy_function;
    strategy->extension = extension;
    return strategy;
}

bool kit_param_is(const struct ew_host *host, const char *name, const char *text)
{
    const char *value = host->param_text(host, name);
    return value && strcmp(value, text) == 0;
}

int32_t kit_param_device(uint32_t *out, const struct ew_host *host, const char *param)
{
    const char *name = host->param_text(host, param);
    *out = EW_ID_NONE;
    if (!name || name[0] == '\0' || strcmp(name, "auto") == 0) {
        return EW_STRATEGY_OK;
    }
    char known[MESSAGE_SIZE / 2] = "";
    size_t used = 0;
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        const char *device_name = host->device(host, d)->name;
        if (strcmp(device_name, name) == 0) {
            *out = d;
            return EW_STRATEGY_OK;
        }
        if (used < sizeof known) {
            int n = snprintf(known + used, sizeof known - used, "%s%s", d ? ", " : "", device_name);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return kit_fail(host, EW_STRATEGY_ECANNOT, "parameter %s: no device '%s'; there are: %s", param,
                    name, known);
}
