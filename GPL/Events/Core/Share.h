/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Share.h - how much of a hash map that everybody fills is each user's: a map of counts by user id. Root has no bounds.
 * Whoever makes a user namespace has many ids in it, but one share.
 */
#ifndef EBPF_CORE_SHARE_H
#define EBPF_CORE_SHARE_H

#include "Emit.h"

struct share_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, u32);
    __type(value, u64);
};

/* The user whose share the current task takes of; in Share.bpf.c. */
extern u32 share__user(void);

/* Count an entry of a user; false when the user has as many as a user may have. */
static __always_inline bool share__take(void *map, u32 uid, u64 max)
{
    u64 one = 1, *count = bpf_map_lookup_elem(map, &uid);

    if (!count)
        return !bpf_map_update_elem(map, &uid, &one, BPF_NOEXIST);
    if (uid && (s64)*count >= (s64)max)
        return false;
    ATOMIC_ADD(count, 1);
    return true;
}

static __always_inline void share__give_back(void *map, u32 uid)
{
    u64 *count = bpf_map_lookup_elem(map, &uid);

    if (!count)
        return;
    ATOMIC_ADD(count, -1);
    if ((s64)READ_ONCE(*count) <= 0)
        bpf_map_delete_elem(map, &uid);
}

/* A socket's address as a number, which to the verifier it is only when a helper has read it. */
static __always_inline u64 sock__address(struct sock *sk)
{
    struct sock *pointer = sk;
    u64 address = 0;

    bpf_probe_read_kernel(&address, sizeof(address), &pointer);
    return address;
}

#endif
