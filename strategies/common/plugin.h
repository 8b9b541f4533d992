/*
 * What every strategy plugin repeats: the entry symbol, create and destroy, failing with a
 * formatted reason, parameters that name a device.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_PLUGIN_H
#define EDGEWEAVE_STRATEGIES_COMMON_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "edgeweave/strategy.h"

#if defined(__GNUC__)
#define KIT_PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#else
#define KIT_PRINTF(format_index, first_arg)
#endif

/** Signature of ew_strategy.plan. */
typedef int32_t (*kit_plan_fn)(struct ew_strategy *strategy, const struct ew_host *host,
                               struct ew_plan_builder *builder);

/** Record a printf-style reason and return `code`. */
int32_t kit_fail(const struct ew_host *host, int32_t code, const char *format, ...)
    KIT_PRINTF(3, 4);

/** kit_fail for memory. */
int32_t kit_fail_memory(const struct ew_host *host);

/** printf-style remark on the plan. */
int32_t kit_note(struct ew_plan_builder *builder, const char *key, const char *format, ...)
    KIT_PRINTF(3, 4);

/** Body of ew_strategy_entry.create for a stateless strategy. NULL after host->fail. */
struct ew_strategy *kit_strategy_new(const struct ew_host *host,
                                     const struct ew_strategy_info *info, const char *id,
                                     kit_plan_fn plan);

/** The value of a choice or string parameter equals `text`. */
bool kit_param_is(const struct ew_host *host, const char *name, const char *text);

/** Device with the name that the string parameter `param` holds; EW_ID_NONE for "auto" or "".
 *  EW_STRATEGY_ECANNOT when there is no such device, naming those there are. */
int32_t kit_param_device(uint32_t *out, const struct ew_host *host, const char *param);

/* Initialisers of struct ew_param_info, by kind. Integers have no unit here; real numbers do. */
#define KIT_CHOICE(param_name, choice_list, default_choice, text)                                  \
    {                                                                                              \
        .struct_size = sizeof(struct ew_param_info), .kind = EW_PARAM_CHOICE,                      \
        .name = (param_name), .unit = "", .default_text = (default_choice),                        \
        .choices = (choice_list), .doc = (text)                                                    \
    }
#define KIT_BOOL(param_name, default_value, text)                                                  \
    {                                                                                              \
        .struct_size = sizeof(struct ew_param_info), .kind = EW_PARAM_BOOL, .name = (param_name),  \
        .unit = "", .default_text = (default_value), .doc = (text)                                 \
    }
#define KIT_STRING(param_name, default_value, text)                                                \
    {                                                                                              \
        .struct_size = sizeof(struct ew_param_info), .kind = EW_PARAM_STRING,                      \
        .name = (param_name), .unit = "", .default_text = (default_value), .doc = (text)           \
    }
#define KIT_INT(param_name, default_value, least, most, text)                                      \
    {                                                                                              \
        .struct_size = sizeof(struct ew_param_info), .kind = EW_PARAM_INT, .name = (param_name),   \
        .unit = "", .default_text = (default_value), .min_value = (least), .max_value = (most),    \
        .doc = (text)                                                                              \
    }
#define KIT_REAL(param_name, param_unit, default_value, least, most, text)                         \
    {                                                                                              \
        .struct_size = sizeof(struct ew_param_info), .kind = EW_PARAM_REAL, .name = (param_name),  \
        .unit = (param_unit), .default_text = (default_value), .min_value = (least),               \
        .max_value = (most), .doc = (text)                                                         \
    }

/** Define `plan` (kit_plan_fn) for a strategy that keeps the plan being made in a `type`, zero at
 *  first: prepare(x, host), draft(x), write(x, builder), each only when the one before did well,
 *  and release(x) in any case. */
#define KIT_DEFINE_PLAN(type, prepare, draft, write, release)                                      \
    static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,                  \
                        struct ew_plan_builder *builder)                                           \
    {                                                                                              \
        (void)strategy;                                                                            \
        type being_made = {0};                                                                     \
        int32_t rc = prepare(&being_made, host);                                                   \
        rc = rc < 0 ? rc : draft(&being_made);                                                     \
        rc = rc < 0 ? rc : write(&being_made, builder);                                            \
        release(&being_made);                                                                      \
        return rc < 0 ? rc : EW_STRATEGY_OK;                                                       \
    }                                                                                              \
    _Static_assert(sizeof(type) > 0, "a plan in the making")

/** Define the exported entry of a plugin with one stateless strategy. */
#define KIT_DEFINE_ENTRY(info, plan_function)                                                      \
    static uint32_t entry_count(void)                                                              \
    {                                                                                              \
        return 1;                                                                                  \
    }                                                                                              \
    static const struct ew_strategy_info *entry_describe(uint32_t index)                           \
    {                                                                                              \
        return index == 0 ? &(info) : NULL;                                                        \
    }                                                                                              \
    static struct ew_strategy *entry_create(const struct ew_host *host, const char *id)            \
    {                                                                                              \
        return kit_strategy_new(host, &(info), id, (plan_function));                               \
    }                                                                                              \
    EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {                        \
        .struct_size = sizeof(struct ew_strategy_entry),                                           \
        .abi_major = EW_ABI_MAJOR,                                                                 \
        .abi_minor = EW_ABI_MINOR,                                                                 \
        .count = entry_count,                                                                      \
        .describe = entry_describe,                                                                \
        .create = entry_create,                                                                    \
    }

/** Body of ew_strategy_entry.create for a strategy with `size` bytes of zeroed state in self, freed
 *  by `destroy`, and an extension. NULL after host->fail. */
struct ew_strategy *
kit_stateful_new(const struct ew_host *host, const struct ew_strategy_info *info, const char *id,
                 kit_plan_fn plan, size_t size, void (*destroy)(struct ew_strategy *strategy),
                 const void *(*extension)(struct ew_strategy *strategy, const char *id));

/** Define the exported entry of a plugin with one strategy that keeps a `type`, zero at first, from
 *  call to call, and offers the online extension. `forget` takes a pointer to the state, leaves it
 *  zeroed and must bear a zeroed one. */
#define KIT_DEFINE_ONLINE_ENTRY(info, type, plan_function, forget, online)                         \
    static uint32_t entry_count(void)                                                              \
    {                                                                                              \
        return 1;                                                                                  \
    }                                                                                              \
    static const struct ew_strategy_info *entry_describe(uint32_t index)                           \
    {                                                                                              \
        return index == 0 ? &(info) : NULL;                                                        \
    }                                                                                              \
    static void entry_destroy(struct ew_strategy *strategy)                                        \
    {                                                                                              \
        forget((type *)strategy->self);                                                            \
        free(strategy->self);                                                                      \
        free(strategy);                                                                            \
    }                                                                                              \
    static const void *entry_extension(struct ew_strategy *strategy, const char *id)               \
    {                                                                                              \
        (void)strategy;                                                                            \
        return strcmp(id, EW_ONLINE_ID) == 0 ? &(online) : NULL;                                   \
    }                                                                                              \
    static struct ew_strategy *entry_create(const struct ew_host *host, const char *id)            \
    {                                                                                              \
        return kit_stateful_new(host, &(info), id, (plan_function), sizeof(type), entry_destroy,   \
                                entry_extension);                                                  \
    }                                                                                              \
    EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {                        \
        .struct_size = sizeof(struct ew_strategy_entry),                                           \
        .abi_major = EW_ABI_MAJOR,                                                                 \
        .abi_minor = EW_ABI_MINOR,                                                                 \
        .count = entry_count,                                                                      \
        .describe = entry_describe,                                                                \
        .create = entry_create,                                                                    \
    }

#endif
