/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Mount.h - the mount by which a task is changing a file, for hooks that are given a dentry only.
 *
 * Before it changes anything by way of a path or a file, the kernel calls mnt_want_write or mnt_want_write_file. The
 * mount is remembered there, for the task; the newest that is of the dentry's file system is the one. A file system on
 * top of others asks for its own mount of what is below in between, so a few are kept.
 *
 * The memory is a table by task id. Two tasks with the same place in it at the same moment would take it away from each
 * other: who finds another's entry takes the mount of the working or root directory, if that is of the file system, and
 * otherwise counts the event as lost.
 */
#ifndef EBPF_FILE_MOUNT_H
#define EBPF_FILE_MOUNT_H

#include "File.h"

/* The mount of the dentry at an address, or 0 when it is not known; in Mount.bpf.c. */
extern u64 mount__recent(u64 dentry);

/*
 * Whether a mount is the kernel's own, as that of an overlay's layer: its namespace is MNT_NS_INTERNAL, an error. One
 * that was unmounted while it is in use has none (NULL), and what processes do there is theirs.
 */
static __always_inline bool mount__is_internal(u64 vfsmount)
{
    struct mount *mnt = mount__of(vfsmount);
    u64 ns = (u64)BPF_CORE_READ(mnt, mnt_ns);

    /* mounts of memfds and the like are the kernel's as well, but their file system is nobody else's */
    return ns > (u64)-MAX_ERRNO && !(BPF_CORE_READ(mnt, mnt.mnt_sb, s_flags) & SB_KERNMOUNT);
}

#endif
