// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * CallerPath.bpf.c - see CallerPath.h.
 *
 * A record has a path leaf first, so the text is taken apart from its end. It is copied to the end of the slot's room
 * for paths, which no record of two such paths reaches.
 */
#include "CallerPath.h"

#define TEXT_AT (SCRATCH_PATHS - EBPF_PATH_MAX)

#define COMPONENTS_INNER 16
#define COMPONENTS_OUTER (EBPF_PATH_COMPONENTS_MAX / COMPONENTS_INNER)

static __always_inline char text__at(const struct scratch *s, u64 at)
{
    BARRIER(at);
    return at < EBPF_PATH_MAX ? s->data[TEXT_AT + at] : 0;
}

/* Return whether the component of that length at that place in the text is `.` or `..`. */
static __always_inline bool text__has_dots(const struct scratch *s, u64 at, u64 len)
{
    return (len == 1 || (len == 2 && text__at(s, at + 1) == '.')) && text__at(s, at) == '.';
}

/* Append the component of that length at that place in the text. Return false if there is no room for it. */
static __always_inline bool text__append(struct scratch *s, u64 at, u64 len)
{
    u64 used = READ_ONCE(s->walk.used), off = READ_ONCE(s->walk.start) + used;

    BARRIER(at);
    BARRIER(len);
    BARRIER(off);
    if (used + len + 1 > EBPF_PATH_MAX || off > TEXT_AT - NAME_MAX - 1 || len > NAME_MAX || at >= EBPF_PATH_MAX)
        return false;
    bpf_probe_read_kernel(&s->data[off], len, &s->data[TEXT_AT + at]);
    s->data[off + len] = 0;
    s->walk.used = used + len + 1;
    return true;
}

#define SCAN_BYTES 16

/* Go back in the text, some bytes at most, as long as there is no slash. Return 1 if there may be more. */
__noinline int caller_path__scan(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    u64 left = s ? READ_ONCE(s->walk.left) : 0;

    BARRIER(left); /* the verifier keeps to this bound, and knows each place in the text to be there */
    if (left > EBPF_PATH_MAX)
        return 0;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < SCAN_BYTES; i++) {
        if (!left || text__at(s, left - 1) == '/')
            return 0;
        s->walk.left = --left;
    }
    return 1;
}

/* Take the last component off the text. Return 1 if there may be more. */
__noinline int caller_path__take(u32 slot)
{
    struct scratch *s = scratch__at(slot);

    if (!s)
        return 0;
    struct path_walk *w = &s->walk;
    u32 end = READ_ONCE(w->left);

#pragma clang loop unroll(disable)
    for (u32 i = 0; i <= NAME_MAX / SCAN_BYTES && caller_path__scan(slot); i++)
        ;
    u32 left = READ_ONCE(w->left), len = end - left;

    w->left = left ? left - 1 : 0; /* without the slash before it */
    if (text__has_dots(s, left, len)) {
        w->skip += len - 1;
    } else if (len && w->skip) {
        w->skip--;
    } else if (len && !text__append(s, left, len)) {
        w->flags = EBPF_VARLEN_TRUNCATED;
        return 0;
    }
    return left > 0;
}

__noinline int caller_path__take_some(u32 slot)
{
    int more = 1;

#pragma clang loop unroll(disable)
    for (u32 i = 0; i < COMPONENTS_INNER && more; i++)
        more = caller_path__take(slot);
    return more;
}

/* Read the text. Return whether it was read, and is relative. */
static __always_inline bool text__read(struct scratch *s, bool is_requested)
{
    long n = is_requested ? bpf_probe_read_kernel_str(&s->data[TEXT_AT], EBPF_PATH_MAX, (void *)s->copy.from)
                          : bpf_probe_read_user_str(&s->data[TEXT_AT], EBPF_PATH_MAX, (void *)s->copy.from);

    s->walk.left = n > 0 ? n - 1 : 0;
    if (n <= 0)
        s->walk.flags = EBPF_VARLEN_TRUNCATED;
    return n > 0 && s->data[TEXT_AT] != '/';
}

int caller_path__append_text(u32 slot, u32 tag, u32 is_requested)
{
    struct scratch *s = scratch__at(slot);
    struct ebpf_varlen *v = s ? varlen__begin(s, tag, TEXT_AT - EBPF_PATH_MAX - 64) : NULL;

    if (!v)
        return -1;
    s->walk.start = s->len + sizeof(*v);
    s->walk.used = s->walk.skip = s->walk.flags = 0;
    bool is_relative = text__read(s, is_requested);
    int more = 1;

#pragma clang loop unroll(disable)
    for (u32 i = 0; i < COMPONENTS_OUTER && more; i++)
        more = caller_path__take_some(slot);
    bool is_cut = more || (is_relative && !s->job.dentry);
    u32 flags = READ_ONCE(s->walk.flags) | (is_cut ? EBPF_VARLEN_TRUNCATED : 0);

    if (is_relative && !flags) {
        s->walk.kept = s->walk.used;
        path__walk_above(slot);
        flags = READ_ONCE(s->walk.flags) & ~EBPF_VARLEN_DELETED;
    }
    flags |= EBPF_VARLEN_FROM_CALLER | (is_requested ? EBPF_VARLEN_REQUESTED : 0);
    varlen__end(s, v, s->walk.used, 0, flags);
    path__select(s, tag);
    return 0;
}
