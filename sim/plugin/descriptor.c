#include "plugin/descriptor.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "plugin/loader.h"
#include "plugin/params.h"

enum {
    MAX_NAME_BYTES = 64,
    MAX_TEXT_BYTES = 1024,
    MAX_CHOICES = 64,
    MAX_STRUCT_BYTES = 1 << 16, /* no struct of the ABI will ever be this large */
};

static bool has_size(uint32_t struct_size, size_t least)
{
    return struct_size >= least && struct_size <= MAX_STRUCT_BYTES;
}

enum ew_status ew_entry_check(const struct ew_strategy_entry *entry, const char *path,
                              struct ew_error *err)
{
    /* The version comes first: another major version may have another layout behind it. */
    if (has_size(entry->struct_size, offsetof(struct ew_strategy_entry, count)) &&
        entry->abi_major != EW_ABI_MAJOR) {
        return ew_fail(err, EW_EPLUGIN, "%s: built for plugin ABI %u.%u, this program has %d.%d",
                       path, entry->abi_major, entry->abi_minor, EW_ABI_MAJOR, EW_ABI_MINOR);
    }
    if (!has_size(entry->struct_size, sizeof *entry)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: ew_strategy_entry: expected a struct_size of at least "
                       "%zu, found %u",
                       path, sizeof *entry, entry->struct_size);
    }
    const char *missing = !entry->count      ? "count"
                          : !entry->describe ? "describe"
                          : !entry->create   ? "create"
                                             : NULL;
    if (missing) {
        return ew_fail(err, EW_EPLUGIN, "%s: ew_strategy_entry: member '%s' is NULL", path,
                       missing);
    }
    return EW_OK;
}

static bool is_name(const char *text, bool may_have_dot)
{
    const size_t length = text ? strnlen(text, MAX_NAME_BYTES + 1) : 0;
    if (length == 0 || length > MAX_NAME_BYTES || text[0] == '.') {
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

/* One line of printable text, possibly empty. */
static bool is_line(const char *text)
{
    if (!text || strnlen(text, MAX_TEXT_BYTES + 1) > MAX_TEXT_BYTES) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Where a message is about. */
struct place {
    const char *path;
    const struct ew_strategy_info *info;
    const struct ew_param_info *param;
};

static enum ew_status fail_param(const struct place *at, struct ew_error *err, const char *fmt, ...)
    EW_PRINTF(3, 4);

static enum ew_status fail_param(const struct place *at, struct ew_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)ew_vfail(err, EW_EPLUGIN, fmt, args);
    va_end(args);
    (void)ew_prefix(err, "%s: strategy '%s': parameter '%s': ", at->path, at->info->id,
                    at->param->name);
    return EW_EPLUGIN;
}

static enum ew_status check_choices(const struct place *at, struct ew_error *err)
{
    const char *const *choices = at->param->choices;
    if (!choices || !choices[0]) {
        return fail_param(at, err, "a choice without choices");
    }
    for (size_t i = 0; choices[i]; i++) {
        if (i == MAX_CHOICES) {
            return fail_param(at, err, "more than %d choices, or a list without its NULL",
                              MAX_CHOICES);
        }
        if (!is_line(choices[i]) || !*choices[i]) {
            return fail_param(at, err, "choice %zu is not a line of text", i);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(choices[k], choices[i]) == 0) {
                return fail_param(at, err, "choice '%s' is listed twice", choices[i]);
            }
        }
    }
    return EW_OK;
}

static enum ew_status check_range(const struct place *at, struct ew_error *err)
{
    const struct ew_param_info *param = at->param;
    if (!isfinite(param->min_value) || !isfinite(param->max_value) ||
        param->min_value > param->max_value) {
        return fail_param(at, err, "expected a finite range from low to high, found %g to %g",
                          param->min_value, param->max_value);
    }
    const bool is_int = param->kind == EW_PARAM_INT;
    if (is_int && (param->min_value < -0x1p53 || param->max_value > 0x1p53)) {
        return fail_param(at, err, "expected integers within -2^53..2^53, found %g to %g",
                          param->min_value, param->max_value);
    }
    return EW_OK;
}

static enum ew_status check_param(const struct ew_strategy_info *info, uint32_t i, const char *path,
                                  struct ew_error *err)
{
    const struct ew_param_info *param = info->params[i];
    if (!param || !has_size(param->struct_size, sizeof *param)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': parameter %u is NULL or its "
                       "struct_size is not at least %zu",
                       path, info->id, i, sizeof *param);
    }
    if (!is_name(param->name, false)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': parameter %u: expected a name of lower-"
                       "case letters, digits and '_', at most %d bytes",
                       path, info->id, i, MAX_NAME_BYTES);
    }
    const struct place at = {path, info, param};
    if (!is_line(param->unit) || !is_line(param->default_text) || !is_line(param->doc)) {
        return fail_param(&at, err, "%s is not a line of text",
                          !is_line(param->unit)           ? "unit"
                          : !is_line(param->default_text) ? "default_text"
                                                          : "doc");
    }
    for (uint32_t k = 0; k < i; k++) {
        if (strcmp(info->params[k]->name, param->name) == 0) {
            return fail_param(&at, err, "declared twice");
        }
    }
    switch (param->kind) {
    case EW_PARAM_INT:
    case EW_PARAM_REAL:
        return check_range(&at, err);
    case EW_PARAM_CHOICE:
        return check_choices(&at, err);
    case EW_PARAM_BOOL:
    case EW_PARAM_STRING:
        return EW_OK;
    default:
        return fail_param(&at, err, "unknown kind %u", param->kind);
    }
}

static enum ew_status check_defaults(const struct ew_strategy_info *info, const char *path,
                                     struct ew_error *err)
{
    struct ew_params defaults = {0};
    const enum ew_status status = ew_params_make(&defaults, info, NULL, 0, err);
    ew_params_fini(&defaults);
    if (status == EW_EUSAGE) {
        if (err) {
            err->status = EW_EPLUGIN;
        }
        (void)ew_prefix(err, "%s: bad default: ", path);
        return EW_EPLUGIN;
    }
    return status;
}

enum ew_status ew_strategy_info_check(const struct ew_strategy_info *info, const char *path,
                                      struct ew_error *err)
{
    if (!info || !has_size(info->struct_size, sizeof *info)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: a descriptor is NULL or its struct_size is not at "
                       "least %zu",
                       path, sizeof *info);
    }
    if (!is_name(info->id, true)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: expected a strategy id of lower-case letters, digits, "
                       "'_' and '.', at most %d bytes, found '%.80s'",
                       path, MAX_NAME_BYTES, info->id ? info->id : "(null)");
    }
    if (!is_line(info->version) || !*info->version || !is_line(info->summary) || !*info->summary ||
        !is_line(info->citation)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': version, summary or citation is not a "
                       "line of text",
                       path, info->id);
    }
    if (info->param_count > EW_PLUGIN_MAX_PARAMS || (info->param_count && !info->params)) {
        return ew_fail(err, EW_EPLUGIN,
                       "%s: strategy '%s': expected at most %d parameters and a "
                       "list of them, found %u%s",
                       path, info->id, EW_PLUGIN_MAX_PARAMS, info->param_count,
                       info->params ? "" : " and no list");
    }
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < info->param_count && status == EW_OK; i++) {
        status = check_param(info, i, path, err);
    }
    return status == EW_OK ? check_defaults(info, path, err) : status;
}
