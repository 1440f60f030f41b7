// SPDX-License-Identifier: BSD-2-Clause
/* TraceBtf.c - see TraceBtf.h. */
#include "TraceBtf.h"

#include <stdlib.h>
#include <string.h>

#include "Bpf/Kernel/KernelBtf.h"

#define POINTER_SIZE 8
#define DEPTH_MAX 8 /* of anonymous structures in each other */

static const struct {
    const char *structure, *path;
} members[] = {
#define MEMBER(id, structure, path) {#structure, path},
#include "TraceMembers.def"
#undef MEMBER
};

/* A place in a structure. */
struct place {
    uint32_t type; /* id; 0: there is none */
    uint32_t byte;
};

/* Return what a type is without its names and qualifiers; 0: void. */
static uint32_t type__bare(const struct kernel_btf *btf, uint32_t id)
{
    while (id) {
        const struct btf_type *type = kernel_btf__type(btf, id);

        switch (btf_kind(type)) {
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_CONST:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
            id = type->type;
            continue;
        default:
            return id;
        }
    }
    return 0;
}

static uint32_t type__size(const struct kernel_btf *btf, uint32_t id)
{
    const struct btf_type *type = id ? kernel_btf__type(btf, id) : NULL;

    return !type ? 0 : btf_kind(type) == BTF_KIND_PTR ? POINTER_SIZE : type->size;
}

/* Find a member by its name, also in anonymous structures. */
static struct place member__find(const struct kernel_btf *btf, struct place in, const char *name, size_t len, int depth)
{
    const struct btf_type *type = in.type ? kernel_btf__type(btf, in.type) : NULL;
    struct place found = {0};

    if (!type || !btf_is_composite(type) || depth == DEPTH_MAX)
        return found;
    for (uint32_t i = 0; i < btf_vlen(type) && !found.type; i++) {
        const struct btf_member *member = &btf_members(type)[i];
        const char *own = kernel_btf__name(btf, member->name_off);
        const struct place place = {type__bare(btf, member->type), in.byte + btf_member_bit_offset(type, i) / 8};

        if (strlen(own) == len && !memcmp(own, name, len))
            return place;
        if (!*own)
            found = member__find(btf, place, name, len, depth + 1);
    }
    return found;
}

/* Go to an element of an array; other types are their own first element. */
static struct place place__element(const struct kernel_btf *btf, struct place place, uint32_t index)
{
    const struct btf_type *type = place.type ? kernel_btf__type(btf, place.type) : NULL;

    if (!type || !btf_is_array(type))
        return index ? (struct place){0} : place;
    uint32_t element = type__bare(btf, btf_array(type)->type);

    return (struct place){element, place.byte + index * type__size(btf, element)};
}

/* Return where a path ends that begins at a structure, up to a blank or the end. -1 if it is not there. */
static int path__offset(const struct kernel_btf *btf, uint32_t structure, const char *path)
{
    struct place place = {.type = structure};

    while (place.type) {
        size_t len = strcspn(path, ".[ ");
        uint32_t index = 0;

        place = member__find(btf, place, path, len, 0);
        path += len;
        if (*path == '[') {
            index = (uint32_t)strtoul(path + 1, NULL, 10);
            path += strcspn(path, "]") + 1;
        }
        if (*path != '.' && !index)
            break; /* an array at the end is its own place */
        place = place__element(btf, place, index);
        if (*path != '.')
            break;
        path++;
    }
    return place.type ? (int)place.byte : -1;
}

static bool type__is(const struct kernel_btf *btf, uint32_t id, const char *structure)
{
    const struct btf_type *type = kernel_btf__type(btf, id);

    return btf_is_struct(type) && btf_vlen(type) && !strcmp(kernel_btf__name(btf, type->name_off), structure);
}

static int structure__offset(const struct kernel_btf *btf, uint32_t structure, const char *path)
{
    const char *minus = strstr(path, " - ");
    int offset = path__offset(btf, structure, path), base = minus ? path__offset(btf, structure, minus + 3) : 0;

    return offset < 0 || base < 0 ? -1 : offset - base;
}

int kernel_btf__offset(const struct kernel_btf *btf, const char *structure, const char *path)
{
    for (uint32_t id = 1; id < btf->count; id++) {
        if (type__is(btf, id, structure))
            return structure__offset(btf, id, path);
    }
    return -1;
}

/* Compare the members of a structure. Returns how many. */
static int offsets__check(struct trace_offsets *offsets, const struct kernel_btf *btf, uint32_t id,
                          const struct ebpf_log *log)
{
    const char *structure = kernel_btf__name(btf, kernel_btf__type(btf, id)->name_off);
    int count = 0;

    for (int i = 0; i < TRACE_MEMBER_COUNT; i++) {
        if (offsets->of[i] == TRACE_OFFSET_UNKNOWN || strcmp(members[i].structure, structure) != 0)
            continue;
        int offset = structure__offset(btf, id, members[i].path);

        if (offset < 0)
            continue;
        count++;
        if (offset == offsets->of[i])
            continue;
        ebpf_log__write(log, EBPF_LOG_WARNING, "%s was found at %d, but the kernel's BTF has it at %d, which is used",
                        trace_member__name((enum trace_member)i), offsets->of[i], offset);
        offsets->of[i] = offset;
    }
    return count;
}

int trace_btf__check(struct trace_offsets *offsets, const struct ebpf_log *log)
{
    struct kernel_btf btf;
    bool is_done[TRACE_MEMBER_COUNT] = {false};
    int count = 0;

    if (kernel_btf__load(&btf))
        return 0;
    for (uint32_t id = 1; id < btf.count; id++) {
        const struct btf_type *type = kernel_btf__type(&btf, id);

        if (!btf_is_struct(type) || !btf_vlen(type) || !type->name_off)
            continue;
        int i = 0;

        while (i < TRACE_MEMBER_COUNT && strcmp(members[i].structure, kernel_btf__name(&btf, type->name_off)) != 0)
            i++; /* the first member of a structure stands for it: there may be others of its name */
        if (i == TRACE_MEMBER_COUNT || is_done[i])
            continue;
        is_done[i] = true;
        count += offsets__check(offsets, &btf, id, log);
    }
    kernel_btf__free(&btf);
    return count;
}
