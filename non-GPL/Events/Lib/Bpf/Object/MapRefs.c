/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MapRefs.c - see MapRefs.h.
 *
 * Programs, and functions that they call, are symbols of the sections of code. Each relocation in the range of such a
 * symbol names what the code there refers to: a map, another function, or data.
 */
#include "MapRefs.h"

#include <elf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAPS_SECTION ".maps"

struct object {
    const char *bytes;
    size_t size;
    const Elf64_Shdr *sections;
    size_t section_count;
    const char *section_names, *symbol_names;
    const Elf64_Sym *symbols;
    size_t symbol_count;
    bool *is_followed; /* by the number of a function's symbol */
    struct map_refs *refs;
};

/* Return the content of a section; NULL if the object ends before it does. */
static const void *object__content(const struct object *o, const Elf64_Shdr *section)
{
    bool is_there = section->sh_offset <= o->size && section->sh_size <= o->size - section->sh_offset;

    return is_there ? o->bytes + section->sh_offset : NULL;
}

static const void *object__content_of(const struct object *o, size_t section)
{
    return section < o->section_count ? object__content(o, &o->sections[section]) : NULL;
}

static int object__open(struct object *o, const void *elf, size_t size)
{
    const Elf64_Ehdr *header = elf;

    o->bytes = elf;
    o->size = size;
    if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_shoff > size ||
        header->e_shnum > (size - header->e_shoff) / sizeof(*o->sections))
        return -EINVAL;
    o->sections = (const void *)(o->bytes + header->e_shoff);
    o->section_count = header->e_shnum;
    o->section_names = object__content_of(o, header->e_shstrndx);
    for (size_t i = 0; i < o->section_count; i++) {
        if (o->sections[i].sh_type != SHT_SYMTAB)
            continue;
        o->symbols = object__content_of(o, i);
        o->symbol_count = o->sections[i].sh_size / sizeof(*o->symbols);
        o->symbol_names = object__content_of(o, o->sections[i].sh_link);
    }
    return o->section_names && o->symbols && o->symbol_names ? 0 : -EINVAL;
}

static bool symbol__is_function_at(const Elf64_Sym *symbol, size_t section, uint64_t at)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx == section && at >= symbol->st_value &&
           at - symbol->st_value < symbol->st_size;
}

static bool symbol__is_map(const struct object *o, const Elf64_Sym *symbol)
{
    return symbol->st_shndx < o->section_count &&
           !strcmp(o->section_names + o->sections[symbol->st_shndx].sh_name, MAPS_SECTION);
}

static int object__note_map(struct object *o, const Elf64_Sym *symbol)
{
    const char *name = o->symbol_names + symbol->st_name;

    if (ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
        return -EINVAL;
    if (map_refs__has(o->refs, name))
        return 0;
    if (o->refs->count == MAP_REFS_MAX)
        return -E2BIG;
    o->refs->names[o->refs->count++] = name;
    return 0;
}

static int object__follow(struct object *o, size_t function);

/* Follow a reference to code. The offset of a call counts from the next instruction, that of an address does not. */
static int object__follow_code(struct object *o, const Elf64_Sym *symbol, const struct bpf_insn *insn)
{
    if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC)
        return object__follow(o, (size_t)(symbol - o->symbols));
    bool is_call = insn->code == (BPF_JMP | BPF_CALL);
    uint64_t at = symbol->st_value + (uint64_t)(int64_t)(is_call ? (insn->imm + 1) * (int)sizeof(*insn) : insn->imm);

    for (size_t i = 0; i < o->symbol_count; i++) {
        if (symbol__is_function_at(&o->symbols[i], symbol->st_shndx, at))
            return object__follow(o, i);
    }
    return -EINVAL;
}

static int object__follow_relocation(struct object *o, const Elf64_Rel *relocation, const Elf64_Shdr *code)
{
    const char *insns = object__content(o, code);

    if (ELF64_R_SYM(relocation->r_info) >= o->symbol_count || !insns ||
        relocation->r_offset > code->sh_size - sizeof(struct bpf_insn))
        return -EINVAL;
    const Elf64_Sym *symbol = &o->symbols[ELF64_R_SYM(relocation->r_info)];

    if (symbol__is_map(o, symbol))
        return object__note_map(o, symbol);
    if (symbol->st_shndx < o->section_count && o->sections[symbol->st_shndx].sh_flags & SHF_EXECINSTR)
        return object__follow_code(o, symbol, (const void *)(insns + relocation->r_offset));
    return 0; /* data, whose maps are always created */
}

/* Note the maps that a function, and the functions that it calls, refer to. */
static int object__follow(struct object *o, size_t function)
{
    const Elf64_Sym *symbol = &o->symbols[function];
    int err = 0;

    if (o->is_followed[function])
        return 0;
    o->is_followed[function] = true;
    for (size_t i = 0; i < o->section_count; i++) {
        const Elf64_Shdr *section = &o->sections[i];
        const Elf64_Rel *relocations = object__content(o, section);

        if (section->sh_type != SHT_REL || section->sh_info != symbol->st_shndx || !relocations)
            continue;
        for (size_t n = 0; n < section->sh_size / sizeof(*relocations) && !err; n++) {
            if (symbol__is_function_at(symbol, symbol->st_shndx, relocations[n].r_offset))
                err = object__follow_relocation(o, &relocations[n], &o->sections[section->sh_info]);
        }
    }
    return err;
}

static bool name__is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(names[i], name))
            return true;
    }
    return false;
}

int map_refs__find(struct map_refs *ret_refs, const void *elf, size_t size, const char *const *programs, size_t count)
{
    struct object o = {.refs = ret_refs};
    int err = object__open(&o, elf, size);

    ret_refs->count = 0;
    if (err)
        return err;
    o.is_followed = calloc(o.symbol_count + 1, sizeof(*o.is_followed));
    if (!o.is_followed)
        return -ENOMEM;
    for (size_t i = 0; i < o.symbol_count && !err; i++) {
        const Elf64_Sym *symbol = &o.symbols[i];

        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
            name__is_one_of(o.symbol_names + symbol->st_name, programs, count))
            err = object__follow(&o, i);
    }
    free(o.is_followed);
    return err;
}

bool map_refs__has(const struct map_refs *refs, const char *map)
{
    return name__is_one_of(map, refs->names, refs->count);
}
