/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Share.h - the share of each user in a hash map that anybody can fill: a map of counts by user id. A user may have as
 * many entries as are free, so however many users take all that they can, the next one still gets half of what they
 * have left. Root has no limit, and is not in the map. A user who creates a user namespace has many ids in it, but
 * one share.
 */
#ifndef EBPF_CORE_SHARE_H
#define EBPF_CORE_SHARE_H

#include "Slot.h"

struct share_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, u32);
    __type(value, u64);
};

/* The ids of no user. */
#define SHARE_ALL 0xffffffff    /* counts the entries of all users together */
#define SHARE_NESTED 0xfffffffe /* all who are nested deeper than NESTED_MAX user namespaces have one share together */
#define SHARE_FAILED 0xfffffffd /* connections that fail, by any process */
#define SHARE_KERNEL 0xfffffffc /* kernel threads, which also end what processes have begun; the least of these ids */

/* The kernel allows 33 (3.12, 8742f229b635). Each costs a start something in every program that looks for the user. */
#define NESTED_MAX 3

/*
 * Return the user id of the current task if that is root's or the task is in the initial user namespace. Otherwise
 * return the owner of the outermost user namespace around it. If that is root, as with a container that a service of
 * the host has made, return the number of that namespace, which is larger than the ids that are in use.
 */
static __always_inline u32 share__find_user(void)
{
    struct task_struct *task = (void *)bpf_get_current_task();

    if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
        return SHARE_KERNEL;
    const struct cred *cred = BPF_CORE_READ(task, real_cred); /* what an overlay does has the mounter's credentials */
    u32 user = BPF_CORE_READ(cred, uid.val);

    if (!user)
        return 0;
    struct user_namespace *ns = BPF_CORE_READ(cred, user_ns);
    u32 level = BPF_CORE_READ(ns, level);

    if (!level)
        return user;
    if (level > NESTED_MAX)
        return SHARE_NESTED;
#pragma unroll
    for (u32 inner = 1; inner < NESTED_MAX; inner++) {
        if (level > inner)
            ns = BPF_CORE_READ(ns, parent);
    }
    return BPF_CORE_READ(ns, owner.val) ?: BPF_CORE_READ(ns, ns.inum);
}

/* Do what share__find_user does, as a function that is compiled once. In Share.bpf.c. */
extern u32 share__user(void);

static __always_inline s64 share__entries(void *map, u32 uid)
{
    u64 *count = bpf_map_lookup_elem(map, &uid);

    return count ? (s64)*count : 0;
}

/* Count an entry of a user. Returns false if the map has no room for another user. */
static __always_inline bool share__add(void *map, u32 uid)
{
    u64 none = 0, *count = bpf_map_lookup_elem(map, &uid);

    if (!count) {
        bpf_map_update_elem(map, &uid, &none, BPF_NOEXIST);
        count = bpf_map_lookup_elem(map, &uid);
    }
    if (!count)
        return false;
    ATOMIC_ADD(count, 1);
    return true;
}

static __always_inline void share__subtract(void *map, u32 uid)
{
    u64 *count = bpf_map_lookup_elem(map, &uid);

    if (!count)
        return;
    ATOMIC_ADD(count, -1);
    if (uid != SHARE_ALL && (s64)READ_ONCE(*count) <= 0)
        bpf_map_delete_elem(map, &uid);
}

/* Count an entry of a user in a hash map of that size. Returns false if the user has as many as allowed. */
static __always_inline bool share__take(void *map, u32 uid, s64 size)
{
    if (uid && (share__entries(map, uid) >= size - share__entries(map, SHARE_ALL) || !share__add(map, uid)))
        return false;
    share__add(map, SHARE_ALL);
    return true;
}

static __always_inline void share__give_back(void *map, u32 uid)
{
    if (uid)
        share__subtract(map, uid);
    share__subtract(map, SHARE_ALL);
}

/* Return a socket's address as a number. To the verifier it is one only after a helper has read it. */
static __always_inline u64 sock__address(struct sock *sk)
{
    struct sock *pointer = sk;
    u64 address = 0;

    bpf_probe_read_kernel(&address, sizeof(address), &pointer);
    return address;
}

#endif
