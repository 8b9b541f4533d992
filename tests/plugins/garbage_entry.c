/* The symbol is there, but it is not an entry. */
#include "plugin_kit.h"

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = 0xdeadbeef,
    .abi_major = 0xdeadbeef,
    .abi_minor = 0xdeadbeef,
};
