/* SPDX-License-Identifier: BSD-2-Clause */
#include "KernelTypes.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "KernelBtf.h"

/* A hash set of names, which stay where they are. */
struct name_set {
    struct name {
        const char *text;
        size_t len;
    } * names;
    uint32_t mask;
};

struct extraction {
    const struct kernel_btf *kernel;
    struct btf *types;
    int *copies; /* id of the copy of each of the kernel's types; 0: none */
    int pointer; /* id of the only pointer type: no relocation reads through pointers */
    struct name_set type_names, member_names;
};

/* Return the bucket that holds a name, or the free one to put it in. */
static struct name *name_set__bucket(const struct name_set *set, const char *text, size_t len)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    struct name *bucket = &set->names[hash & set->mask];

    while (bucket->text && (bucket->len != len || memcmp(bucket->text, text, len) != 0))
        bucket = &set->names[++hash & set->mask];
    return bucket;
}

static bool name_set__has(const struct name_set *set, const char *text)
{
    return name_set__bucket(set, text, strlen(text))->text;
}

static void name_set__add(const struct name_set *set, const char *text, size_t len)
{
    if (len)
        *name_set__bucket(set, text, len) = (struct name){text, len};
}

/* Allocate buckets for `count` names, at most half of which will be used. */
static int name_set__init(struct name_set *set, uint32_t count)
{
    uint32_t size = 16;

    while (size < 2 * count)
        size *= 2;
    set->mask = size - 1;
    set->names = calloc(size, sizeof(*set->names));
    return set->names ? 0 : -ENOMEM;
}

/* A type that the probes have in several forms has a suffix: "inode___spec" is an inode. */
static size_t type_name__len(const char *name)
{
    const char *suffix = strstr(name, "___");

    return suffix ? (size_t)(suffix - name) : strlen(name);
}

static int extraction__collect_names(struct extraction *x, const struct btf *probes)
{
    uint32_t members = 0, count = btf__type_cnt(probes);

    for (uint32_t id = 1; id < count; id++)
        members += btf_is_composite(btf__type_by_id(probes, id)) ? btf_vlen(btf__type_by_id(probes, id)) : 0;
    int err = name_set__init(&x->type_names, count) ?: name_set__init(&x->member_names, members);

    for (uint32_t id = 1; !err && id < count; id++) {
        const struct btf_type *type = btf__type_by_id(probes, id);
        const char *name = btf__name_by_offset(probes, type->name_off);

        name_set__add(&x->type_names, name, type_name__len(name));
        for (int i = 0; btf_is_composite(type) && i < btf_vlen(type); i++) {
            name = btf__name_by_offset(probes, btf_members(type)[i].name_off);
            name_set__add(&x->member_names, name, strlen(name));
        }
    }
    return err;
}

static const char *extraction__name(const struct extraction *x, uint32_t offset)
{
    return kernel_btf__name(x->kernel, offset);
}

static int extraction__copy(struct extraction *x, uint32_t id);

/* Return whether a probe may read a member: it has such a name, or none, and then the members inside may have one. */
static bool extraction__wants_member(const struct extraction *x, const struct btf_member *member)
{
    const char *name = extraction__name(x, member->name_off);

    return !*name || name_set__has(&x->member_names, name);
}

/* The types of members are copied first; no struct contains itself. */
static int extraction__copy_composite(struct extraction *x, const struct btf_type *type)
{
    const struct btf_member *members = btf_members(type);
    const char *name = extraction__name(x, type->name_off);
    int id, err = 0;

    for (int i = 0; !err && i < btf_vlen(type); i++) {
        if (extraction__wants_member(x, &members[i]) && extraction__copy(x, members[i].type) < 0)
            err = -ENOMEM;
    }
    if (err)
        return err;
    id = btf_is_union(type) ? btf__add_union(x->types, name, type->size) : btf__add_struct(x->types, name, type->size);
    for (int i = 0; id > 0 && !err && i < btf_vlen(type); i++) {
        if (extraction__wants_member(x, &members[i]))
            err =
                btf__add_field(x->types, extraction__name(x, members[i].name_off), extraction__copy(x, members[i].type),
                               btf_member_bit_offset(type, (uint32_t)i), btf_member_bitfield_size(type, (uint32_t)i));
    }
    return err ?: id;
}

static int extraction__copy_enum(struct extraction *x, const struct btf_type *type)
{
    const char *name = extraction__name(x, type->name_off);
    int err = 0, id;

    if (btf_is_enum(type)) {
        id = btf__add_enum(x->types, name, type->size);
        for (int i = 0; id > 0 && !err && i < btf_vlen(type); i++)
            err = btf__add_enum_value(x->types, extraction__name(x, btf_enum(type)[i].name_off), btf_enum(type)[i].val);
        return err ?: id;
    }
    id = btf__add_enum64(x->types, name, type->size, btf_kflag(type));
    for (int i = 0; id > 0 && !err && i < btf_vlen(type); i++)
        err = btf__add_enum64_value(x->types, extraction__name(x, btf_enum64(type)[i].name_off),
                                    btf_enum64_value(&btf_enum64(type)[i]));
    return err ?: id;
}

static int extraction__copy_pointer(struct extraction *x)
{
    if (!x->pointer)
        x->pointer = btf__add_ptr(x->types, 0);
    return x->pointer;
}

static int extraction__copy_array(struct extraction *x, const struct btf_array *array)
{
    int index = extraction__copy(x, array->index_type), element = extraction__copy(x, array->type);

    return index < 0 || element < 0 ? -ENOMEM : btf__add_array(x->types, index, element, array->nelems);
}

static int extraction__copy_typedef(struct extraction *x, const struct btf_type *type)
{
    int id = extraction__copy(x, type->type);

    return id < 0 ? id : btf__add_typedef(x->types, extraction__name(x, type->name_off), id);
}

static int extraction__copy_new(struct extraction *x, const struct btf_type *type)
{
    const char *name = extraction__name(x, type->name_off);

    switch (btf_kind(type)) {
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return extraction__copy_composite(x, type);
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        return extraction__copy_enum(x, type);
    case BTF_KIND_INT:
        return btf__add_int(x->types, name, type->size, btf_int_encoding(type));
    case BTF_KIND_FLOAT:
        return btf__add_float(x->types, name, type->size);
    case BTF_KIND_PTR:
        return extraction__copy_pointer(x);
    case BTF_KIND_ARRAY:
        return extraction__copy_array(x, btf_array(type));
    case BTF_KIND_FWD:
        return btf__add_fwd(x->types, name, btf_kflag(type) ? BTF_FWD_UNION : BTF_FWD_STRUCT);
    case BTF_KIND_TYPEDEF:
        return extraction__copy_typedef(x, type);
    default: /* qualifiers make no difference */
        return btf_is_mod(type) || btf_is_type_tag(type) ? extraction__copy(x, type->type) : 0;
    }
}

/* Copy a type and what it consists of. Returns the id of the copy, 0 for void, or a negative errno. */
static int extraction__copy(struct extraction *x, uint32_t id)
{
    if (id && !x->copies[id])
        x->copies[id] = extraction__copy_new(x, kernel_btf__type(x->kernel, id));
    return x->copies[id];
}

static bool type__can_be_referred_to(const struct btf_type *type)
{
    return btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type);
}

static int extraction__copy_named(struct extraction *x)
{
    int err = 0;

    for (uint32_t id = 1; err >= 0 && id < x->kernel->count; id++) {
        const struct btf_type *type = kernel_btf__type(x->kernel, id);

        if (type->name_off && type__can_be_referred_to(type) &&
            name_set__has(&x->type_names, extraction__name(x, type->name_off)))
            err = extraction__copy(x, id);
    }
    return err < 0 ? err : 0;
}

static int btf__write(const struct btf *btf, int fd)
{
    uint32_t size;
    const char *bytes = btf__raw_data(btf, &size);

    if (!bytes)
        return -ENOMEM;
    for (uint32_t written = 0; written < size;) {
        ssize_t n = write(fd, bytes + written, size - written);

        if (n <= 0)
            return n ? -errno : -EIO;
        written += (uint32_t)n;
    }
    return 0;
}

int kernel_types__extract(const struct kernel_btf *kernel, const struct btf *probes, int fd)
{
    struct extraction x = {
        .kernel = kernel,
        .types = btf__new_empty(),
        .copies = calloc(kernel->count, sizeof(*x.copies)),
    };
    int err = x.types && x.copies ? extraction__collect_names(&x, probes) : -ENOMEM;

    if (!err)
        err = extraction__copy_named(&x);
    if (!err)
        err = btf__write(x.types, fd);
    free(x.type_names.names);
    free(x.member_names.names);
    free(x.copies);
    btf__free(x.types);
    return err;
}
