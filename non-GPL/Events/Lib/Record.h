/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record.h - reads records: checks bounds, and takes the values of variable fields apart.
 *
 * Nothing here trusts a length. A record comes from the kernel, but so would one of a probe with a bug, and the fuzzer
 * feeds arbitrary bytes.
 */
#ifndef EBPF_LIB_RECORD_H
#define EBPF_LIB_RECORD_H

#include "EbpfEvents.h"

/**
 * Check a record against the schema: its type is known, its size is `size` and includes its fixed part, its variable
 * fields have known tags and end where the record ends.
 * @param data aligned to 8
 * @return 0 or -EBADMSG
 */
int ebpf_record__check(const void *data, size_t size);

/* Return the size of the fixed part of a type, 0 for a number that is no type. */
size_t ebpf_event_type__size(unsigned int type);

/*
 * Return the variable field that begins at `off`; NULL if none can begin or end there. Padding belongs to the field: it
 * keeps the next one aligned.
 */
static inline const struct ebpf_varlen *record__varlen(const void *data, size_t size, size_t off, size_t *ret_next)
{
    if (off > size || size - off < sizeof(struct ebpf_varlen))
        return NULL;
    const struct ebpf_varlen *v = (const void *)((const char *)data + off);
    size_t padded = ((size_t)v->len + 7) & ~(size_t)7;

    if (padded > size - off - sizeof(*v))
        return NULL;
    *ret_next = off + sizeof(*v) + padded;
    return v;
}

/* Part of a value. */
struct slice {
    const char *data;
    size_t len;
};

static inline struct slice varlen__slice(const struct ebpf_varlen *v)
{
    return (struct slice){(const char *)(v + 1), v->len};
}

/* Take the last component off a path, the topmost directory that is left. False if none is left. */
static inline bool slice__last_component(struct slice *path, struct slice *ret_component)
{
    if (!path->len)
        return false;
    size_t end = path->data[path->len - 1] ? path->len : path->len - 1;
    size_t start = end;

    while (start && path->data[start - 1])
        start--;
    *ret_component = (struct slice){path->data + start, end - start};
    path->len = start;
    return true;
}

/*
 * Return whether a path begins with '/'. One that was cut lacks its first components, and a name that is in no
 * directory has none. A path without components is the root.
 */
static inline bool path__is_absolute(uint16_t varlen_flags)
{
    return !(varlen_flags & (EBPF_VARLEN_TRUNCATED | EBPF_VARLEN_NAME_ONLY));
}

#endif
