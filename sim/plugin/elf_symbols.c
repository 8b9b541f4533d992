#include "plugin/elf_symbols.h"

#include <elf.h>
#include <string.h>

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#else
#define THIS_MACHINE EM_NONE /* unknown: any machine will do, dlopen decides */
#endif

/* A file in memory. */
struct file {
    const char *bytes;
    size_t size;
};

/* Copy a struct out of the file; false when it does not lie inside. */
static bool copy_at(void *out, const struct file *file, uint64_t offset, size_t size)
{
    if (offset > file->size || size > file->size - offset) {
        return false;
    }
    memcpy(out, file->bytes + offset, size);
    return true;
}

static enum ew_status fail_damaged(struct ew_error *err, const char *what)
{
    return ew_fail(err, EW_EPLUGIN, "damaged shared object: %s lies outside the file", what);
}

static enum ew_status read_header(Elf64_Ehdr *out, const struct file *file, struct ew_error *err)
{
    const uint16_t one = 1;
    const unsigned char this_order = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
    if (!copy_at(out, file, 0, sizeof *out) || memcmp(out->e_ident, ELFMAG, SELFMAG) != 0) {
        return ew_fail(err, EW_EPLUGIN, "not an ELF file");
    }
    if (out->e_ident[EI_CLASS] != ELFCLASS64 || out->e_ident[EI_DATA] != this_order ||
        (THIS_MACHINE != EM_NONE && out->e_machine != THIS_MACHINE)) {
        return ew_fail(err, EW_EPLUGIN, "an ELF file for another machine");
    }
    if (out->e_type != ET_DYN) {
        return ew_fail(err, EW_EPLUGIN, "an ELF file, but not a shared object");
    }
    if (out->e_shentsize != sizeof(Elf64_Shdr) || out->e_shnum == 0) {
        return ew_fail(err, EW_EPLUGIN, "a shared object without section headers");
    }
    return EW_OK;
}

static bool read_section(Elf64_Shdr *out, const struct file *file, const Elf64_Ehdr *header,
                         uint32_t index)
{
    const uint64_t step = (uint64_t)index * sizeof *out;
    return index < header->e_shnum && header->e_shoff <= UINT64_MAX - step &&
           copy_at(out, file, header->e_shoff + step, sizeof *out);
}

static bool is_inside(const struct file *file, const Elf64_Shdr *section)
{
    return section->sh_offset <= file->size && section->sh_size <= file->size - section->sh_offset;
}

/* What linkers and instrumentation add by themselves. */
static bool is_toolchain_symbol(const char *name)
{
    static const char *const names[] = {"_init", "_fini",       "_edata",
                                        "_end",  "__bss_start", "mangle_path"};
    static const char *const beginnings[] = {"__gcov",         "__asan_",  "__odr_asan",
                                             "__ubsan_",       "__sancov", "__start___sancov",
                                             "__stop___sancov"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_exported(const Elf64_Sym *symbol)
{
    const unsigned char bind = ELF64_ST_BIND(symbol->st_info);
    const unsigned char visibility = ELF64_ST_VISIBILITY(symbol->st_other);
    return symbol->st_shndx != SHN_UNDEF && bind != STB_LOCAL &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static enum ew_status read_symbols(struct ew_elf_symbols *out, const struct file *file,
                                   const Elf64_Shdr *symbols, const Elf64_Shdr *names,
                                   struct ew_error *err)
{
    const char *text = file->bytes + names->sh_offset;
    if (names->sh_size == 0 || text[names->sh_size - 1] != '\0') {
        return fail_damaged(err, "a symbol name");
    }
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols->sh_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, file->bytes + symbols->sh_offset + at, sizeof symbol);
        if (!is_exported(&symbol)) {
            continue;
        }
        if (symbol.st_name >= names->sh_size) {
            return fail_damaged(err, "a symbol name");
        }
        const struct ew_elf_symbol found = {
            .name = text + symbol.st_name,
            .size = symbol.st_size,
            .is_data = ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT,
        };
        if (!is_toolchain_symbol(found.name) && !ew_vec_push(&out->items, found)) {
            return ew_fail_memory(err);
        }
    }
    return EW_OK;
}

void ew_elf_symbols_fini(struct ew_elf_symbols *symbols)
{
    ew_vec_fini(&symbols->items);
}

enum ew_status ew_elf_symbols_read(struct ew_elf_symbols *out, const char *bytes, size_t size,
                                   struct ew_error *err)
{
    const struct file file = {bytes, size};
    Elf64_Ehdr header;
    Elf64_Shdr symbols = {0}, names;
    enum ew_status status = read_header(&header, &file, err);
    if (status) {
        return status;
    }
    for (uint32_t i = 0; symbols.sh_type != SHT_DYNSYM && i < header.e_shnum; i++) {
        if (!read_section(&symbols, &file, &header, i)) {
            return fail_damaged(err, "a section header");
        }
    }
    if (symbols.sh_type != SHT_DYNSYM) {
        return EW_OK; /* exports nothing */
    }
    if (!read_section(&names, &file, &header, symbols.sh_link)) {
        return fail_damaged(err, "the header of the symbol names");
    }
    if (!is_inside(&file, &symbols) || !is_inside(&file, &names)) {
        return fail_damaged(err, "a symbol table");
    }
    struct ew_elf_symbols found = {0};
    status = read_symbols(&found, &file, &symbols, &names, err);
    if (status) {
        ew_elf_symbols_fini(&found);
        return status;
    }
    *out = found;
    return EW_OK;
}
