#include "plugin/descriptor.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "plugin/loader.h"
#include "plugin/params.h"

enum ew_status ew_entry_check(const struct ew_strategy_entry *entry, const char *path,
                              struct ew_error *err)
{
    if (entry->struct_size < offsetof(struct ew_strategy_entry, count)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: ew_strategy_entry: expected a struct_size of at least "
                       "%zu, found %u",
                       path, sizeof *entry, entry->struct_size);
    }
    if (entry->abi_major != EW_ABI_MAJOR) {
        return ew_fail(err, EW_EPLUGIN, "%s: built for plugin ABI %u.%u, this program has %d.%d",
                       path, entry->abi_major, entry->abi_minor, EW_ABI_MAJOR, EW_ABI_MINOR);
    }
    if (entry->struct_size < sizeof *entry) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: ew_strategy_entry: expected a struct_size of at least "
                       "%zu, found %u",
                       path, sizeof *entry, entry->struct_size);
    }
    const char *missing = !entry->count ? "count" : !entry->describe ? "describe" : NULL;
    missing = !missing && !entry->create ? "create" : missing;
    if (missing) {
        return ew_fail(err, EW_EPLUGIN, "%s: ew_strategy_entry: member '%s' is NULL", path,
                       missing);
    }
    return EW_OK;
}

static bool is_name(const char *text, bool may_have_dot)
{
    if (!text || !*text || strlen(text) > 64) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        const bool is_letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_';
        if (!is_letter && !(may_have_dot && *p == '.')) {
            return false;
        }
    }
    return true;
}

static enum ew_status check_param(const struct ew_strategy_info *info, uint32_t i, const char *path,
                                  struct ew_error *err)
{
    const struct ew_param_info *param = info->params[i];
    if (!param || param->struct_size < sizeof *param) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': parameter %u is NULL or its "
                       "struct_size is below %zu",
                       path, info->id, i, sizeof *param);
    }
    if (!is_name(param->name, false) || !param->unit || !param->default_text || !param->doc) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': parameter %u: expected a lower-case "
                       "name and non-NULL unit, default_text and doc",
                       path, info->id, i);
    }
    if (param->kind > EW_PARAM_STRING) {
        return ew_fail(err, EW_EPLUGIN, "%s: strategy '%s': parameter '%s': unknown kind %u", path,
                       info->id, param->name, param->kind);
    }
    const bool is_number = param->kind == EW_PARAM_INT || param->kind == EW_PARAM_REAL;
    if (is_number && !(isfinite(param->min_value) && isfinite(param->max_value) &&
                       param->min_value <= param->max_value)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': parameter '%s': expected a finite "
                       "range, found %g to %g",
                       path, info->id, param->name, param->min_value, param->max_value);
    }
    if (param->kind == EW_PARAM_CHOICE && (!param->choices || !param->choices[0])) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': parameter '%s': a choice without "
                       "choices",
                       path, info->id, param->name);
    }
    for (uint32_t k = 0; k < i; k++) {
        if (strcmp(info->params[k]->name, param->name) == 0) {
            return ew_fail(err, EW_EPLUGIN, "%s: strategy '%s': parameter '%s' is declared twice",
                           path, info->id, param->name);
        }
    }
    return EW_OK;
}

enum ew_status ew_strategy_info_check(const struct ew_strategy_info *info, const char *path,
                                      struct ew_error *err)
{
    if (!info || info->struct_size < sizeof *info) {
        return ew_fail(err, EW_EPLUGIN, "%s: a descriptor is NULL or its struct_size is below %zu",
                       path, sizeof *info);
    }
    if (!is_name(info->id, true)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: expected a strategy id of lower-case letters, digits, "
                       "'_' and '.', found '%.80s'",
                       path, info->id ? info->id : "(null)");
    }
    if (!info->version || !info->summary || !info->citation) {
        return ew_fail(err, EW_EPLUGIN, "%s: strategy '%s': version, summary or citation is NULL",
                       path, info->id);
    }
    if (info->param_count > EW_PLUGIN_MAX_PARAMS || (info->param_count && !info->params)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': expected at most %d parameters and a "
                       "list of them, found %u",
                       path, info->id, EW_PLUGIN_MAX_PARAMS, info->param_count);
    }
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < info->param_count && status == EW_OK; i++) {
        status = check_param(info, i, path, err);
    }
    if (status) {
        return status;
    }
    struct ew_params defaults = {0};
    status = ew_params_make(&defaults, info, NULL, 0, err);
    if (status == EW_EUSAGE) {
        err->status = EW_EPLUGIN;
        (void)ew_prefix(err, "%s: bad default: ", path);
        return EW_EPLUGIN;
    }
    ew_params_fini(&defaults);
    return status;
}
