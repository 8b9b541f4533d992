/*
 * Strategy parameters: text from users, checked against the descriptor and completed with defaults
 * before a strategy is created.
 */
#ifndef EW_PLUGIN_PARAMS_H
#define EW_PLUGIN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "edgeweave/strategy.h"

/** Value of one parameter, in all the forms it can be read in. */
struct ew_param_value {
    const struct ew_param_info *info;
    int64_t integer;  /**< int; bool: 0 or 1; choice: index */
    double real;      /**< int and real */
    const char *text; /**< as given, or the default; owned by the params */
    bool is_default;
};

/** Complete set for one strategy. Embedded; free with ew_params_fini. */
struct ew_params {
    struct ew_arena arena;
    uint32_t count;
    struct ew_param_value *values; /**< in descriptor order */
};

/** One NAME=VALUE from the user. */
struct ew_param_setting {
    const char *name;
    const char *value;
};

/** Parse `settings` against `info`, range-check, complete. A name given twice: the last counts.
 *  EW_EUSAGE names the strategy, the parameter, what was expected and what was found. */
enum ew_status ew_params_make(struct ew_params *out, const struct ew_strategy_info *info,
                              const struct ew_param_setting *settings, size_t n,
                              struct ew_error *err);

void ew_params_fini(struct ew_params *params);

/** Value by name, or NULL. */
const struct ew_param_value *ew_params_find(const struct ew_params *params, const char *name);

#endif
