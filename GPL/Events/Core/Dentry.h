/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Dentry.h - names and mounts in the kernel's own structs. */
#ifndef EBPF_CORE_DENTRY_H
#define EBPF_CORE_DENTRY_H

#include "Atomic.h"
#include "CompatFs.h"

#define NAME_MAX 255

/* The beginning of a dentry, which one call reads, from the sequence number on. */
struct dentry_head {
    u32 flags, seq;
    u64 hash_next, hash_pprev;
    u64 parent;
    u32 hash, name_len;
    u64 name;
};

#define DENTRY_HAS(member, at)                                                                                         \
    (bpf_core_field_offset(struct dentry, member) == __builtin_offsetof(struct dentry_head, at))

static __always_inline void dentry_head__read_at_once(struct dentry_head *head, struct dentry *dentry)
{
    if (DENTRY_HAS(d_seq, seq) && DENTRY_HAS(d_hash, hash_next) && DENTRY_HAS(d_parent, parent) &&
        DENTRY_HAS(d_name, hash)) {
        bpf_probe_read_kernel(head, sizeof(*head), dentry);
        return;
    }
    head->seq = BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
    head->hash_pprev = (u64)BPF_CORE_READ(dentry, d_hash.pprev);
    head->parent = (u64)BPF_CORE_READ(dentry, d_parent);
    head->hash = BPF_CORE_READ(dentry, d_name.hash);
    head->name_len = BPF_CORE_READ(dentry, d_name.len);
    head->name = (u64)BPF_CORE_READ(dentry, d_name.name);
}

/* Read the sequence number before all else. */
static __always_inline void dentry_head__read(struct dentry_head *head, struct dentry *dentry)
{
    u32 seq = 0;

    if (!READS_ARE_ORDERED) {
        seq = BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
        FENCE();
    }
    dentry_head__read_at_once(head, dentry);
    if (!READS_ARE_ORDERED)
        head->seq = seq;
}

/* Return whether a dentry is in no directory, and has the name of a memfd. */
static __always_inline bool dentry__is_memfd(struct dentry *dentry)
{
    char name[8] = {};

    if (dentry->d_parent != dentry)
        return false;
    bpf_probe_read_kernel(name, MEMFD_PREFIX_LEN, dentry->d_name.name);
    return *(u64 *)name == MEMFD_PREFIX;
}

/* dentry__is_memfd of a dentry at an address. */
static __always_inline bool dentry__is_memfd_at(struct dentry *dentry)
{
    u64 name = 0;

    if (BPF_CORE_READ(dentry, d_parent) != dentry)
        return false;
    bpf_probe_read_kernel(&name, MEMFD_PREFIX_LEN, BPF_CORE_READ(dentry, d_name.name));
    return name == MEMFD_PREFIX;
}

static __always_inline struct mount *mount__of(u64 vfsmount)
{
    return (void *)(vfsmount - bpf_core_field_offset(struct mount, mnt));
}

#endif
