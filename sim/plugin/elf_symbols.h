/*
 * What a shared object exports, read from the file itself: no tool, and no code of it is run. Every
 * offset in the file is checked before it is used.
 */
#ifndef EW_PLUGIN_ELF_SYMBOLS_H
#define EW_PLUGIN_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/vec.h"

/** One exported symbol. */
struct ew_elf_symbol {
    const char *name; /**< in the file's bytes */
    uint64_t size;
    bool is_data;
};

/** Exported symbols in the order of the file. Zero-initialise. */
struct ew_elf_symbols {
    EW_VEC(struct ew_elf_symbol) items;
};

void ew_elf_symbols_fini(struct ew_elf_symbols *symbols);

/** Read the dynamic symbols of a file held in memory (which must outlive the names). EW_EPLUGIN:
 * not an ELF shared object of this machine, or damaged. */
enum ew_status ew_elf_symbols_read(struct ew_elf_symbols *out, const char *bytes, size_t size,
                                   struct ew_error *err);

#endif
