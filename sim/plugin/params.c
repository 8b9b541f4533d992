#include "plugin/params.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

void ew_params_fini(struct ew_params *params)
{
    ew_arena_fini(&params->arena);
    *params = (struct ew_params){0};
}

const struct ew_param_value *ew_params_find(const struct ew_params *params, const char *name)
{
    for (uint32_t i = 0; i < params->count; i++) {
        if (strcmp(params->values[i].info->name, name) == 0) {
            return &params->values[i];
        }
    }
    return NULL;
}

static enum ew_status fail_range(const struct ew_strategy_info *info,
                                 const struct ew_param_info *param, const char *kind,
                                 const char *text, struct ew_error *err)
{
    char low[32], high[32];
    ew_format_double(low, param->min_value);
    ew_format_double(high, param->max_value);
    return ew_fail(err, EW_EUSAGE,
                   "strategy '%s': parameter '%s': expected %s from %s to %s%s%s, "
                   "found '%s'",
                   info->id, param->name, kind, low, high, *param->unit ? " " : "", param->unit,
                   text);
}

static enum ew_status parse_choice(struct ew_param_value *value,
                                   const struct ew_strategy_info *info, struct ew_error *err)
{
    struct ew_str list = {0};
    for (size_t i = 0; value->info->choices[i]; i++) {
        if (strcmp(value->info->choices[i], value->text) == 0) {
            value->integer = (int64_t)i;
            ew_str_fini(&list);
            return EW_OK;
        }
        ew_str_printf(&list, "%s%s", i ? ", " : "", value->info->choices[i]);
    }
    const enum ew_status status =
        ew_fail(err, EW_EUSAGE, "strategy '%s': parameter '%s': expected one of %s, found '%s'",
                info->id, value->info->name, ew_str_text(&list), value->text);
    ew_str_fini(&list);
    return status;
}

static enum ew_status parse_bool(struct ew_param_value *value, const struct ew_strategy_info *info,
                                 struct ew_error *err)
{
    const bool yes = strcmp(value->text, "true") == 0;
    if (!yes && strcmp(value->text, "false") != 0) {
        return ew_fail(err, EW_EUSAGE,
                       "strategy '%s': parameter '%s': expected true or false, "
                       "found '%s'",
                       info->id, value->info->name, value->text);
    }
    value->integer = yes;
    return EW_OK;
}

static enum ew_status parse_value(struct ew_param_value *value, const struct ew_strategy_info *info,
                                  struct ew_error *err)
{
    const struct ew_param_info *param = value->info;
    switch (param->kind) {
    case EW_PARAM_INT:
        if (!ew_parse_i64(value->text, &value->integer) ||
            (double)value->integer < param->min_value ||
            (double)value->integer > param->max_value) {
            return fail_range(info, param, "an integer", value->text, err);
        }
        value->real = (double)value->integer;
        return EW_OK;
    case EW_PARAM_REAL:
        if (!ew_parse_double(value->text, &value->real) || value->real < param->min_value ||
            value->real > param->max_value) {
            return fail_range(info, param, "a number", value->text, err);
        }
        return EW_OK;
    case EW_PARAM_BOOL:
        return parse_bool(value, info, err);
    case EW_PARAM_CHOICE:
        return parse_choice(value, info, err);
    default:
        return EW_OK;
    }
}

static const char *param_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_strategy_info *)ctx)->params[i]->name;
}

static enum ew_status fail_unknown(const struct ew_strategy_info *info, const char *name,
                                   struct ew_error *err)
{
    const char *near = ew_nearest_name(name, info->param_count, param_name_at, info);
    if (near) {
        return ew_fail(err, EW_EUSAGE, "strategy '%s' has no parameter '%s'; did you mean '%s'?",
                       info->id, name, near);
    }
    return ew_fail(err, EW_EUSAGE,
                   "strategy '%s' has no parameter '%s'; see `edgeweave describe "
                   "strategy %s`",
                   info->id, name, info->id);
}

static enum ew_status apply_settings(struct ew_params *params, const struct ew_strategy_info *info,
                                     const struct ew_param_setting *settings, size_t n,
                                     struct ew_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct ew_param_value *value =
            (struct ew_param_value *)ew_params_find(params, settings[i].name);
        if (!value) {
            return fail_unknown(info, settings[i].name, err);
        }
        value->text = ew_arena_strdup(&params->arena, settings[i].value);
        value->is_default = false;
        if (!value->text) {
            return ew_fail_memory(err);
        }
    }
    return EW_OK;
}

enum ew_status ew_params_make(struct ew_params *out, const struct ew_strategy_info *info,
                              const struct ew_param_setting *settings, size_t n,
                              struct ew_error *err)
{
    struct ew_params params = {.count = info->param_count};
    params.values = ew_arena_calloc(&params.arena, info->param_count, sizeof *params.values);
    enum ew_status status = params.values ? EW_OK : ew_fail_memory(err);
    for (uint32_t i = 0; i < params.count && status == EW_OK; i++) {
        params.values[i] = (struct ew_param_value){
            .info = info->params[i],
            .text = ew_arena_strdup(&params.arena, info->params[i]->default_text),
            .is_default = true,
        };
        status = params.values[i].text ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        status = apply_settings(&params, info, settings, n, err);
    }
    for (uint32_t i = 0; i < params.count && status == EW_OK; i++) {
        status = parse_value(&params.values[i], info, err);
    }
    if (status) {
        ew_params_fini(&params);
        return status;
    }
    *out = params;
    return EW_OK;
}
